# SPDX-License-Identifier: Apache-2.0
"""Runs a cluster in a job of SLURM, which slurm.sh is: each task of the trainer is a step of it on one of its nodes.

    sbatch --ntasks=8 --nodes=2 mlengine/slurm.sh --ps 2 --job-dir job --hp-iterations 1000

--ntasks says how many tasks there are: the chief, the parameter servers, the evaluator, and all others are workers.
Options that are not of this script are the trainer's. As on one machine, a task that is killed is started again, and
SIGTERM stops all of them; the chief writes a checkpoint first. SIGUSR1, which SLURM sends before the time of the job is
over, does that too and puts the job into the queue again, to go on from there.
"""

import argparse
import itertools
import os
import signal
import subprocess
import sys

from local_cluster import SIGNALS, LocalCluster, check, oversee, print_line, tell
from trainer.task import whole_number  # and not from command_line: trainer says where that is

# What each task of the job prints at first: its number, its node and a port that is free there. It keeps that until its
# standard input ends, so that no other task on its node gets the same
ADDRESS = """
import os, socket, sys
with socket.socket() as kept:
    kept.bind(("", 0))
    print(os.environ["SLURM_PROCID"], os.environ["SLURMD_NODENAME"], kept.getsockname()[1], flush=True)
    sys.stdin.read()
"""


class SlurmCluster(LocalCluster):
    """The tasks of a cluster as steps of this job, each on the node of its address."""

    def command(self, task_type, index):
        node = self.cluster[task_type][index].partition(":")[0]
        place = ["--nodes=1", "--ntasks=1", "--exact", f"--nodelist={node}", f"--job-name={task_type}-{index}"]
        return srun(*place, *super().command(task_type, index))

    def own_network(self):
        raise OSError("the nodes of SLURM share theirs")

    def terminate(self):
        # not to srun, which would pass on SIGKILL; and no word of steps that have ended already
        command = ["scancel", "--quiet", "--signal=TERM", os.environ["SLURM_JOB_ID"]]
        subprocess.call(command, stderr=subprocess.DEVNULL)


def srun(*command):
    """The command that runs a command as a step; by itself, a step would have one processor for each task."""
    return ["srun", "--cpus-per-task=" + os.environ.get("SLURM_CPUS_PER_TASK", "1"), *command]


def find_addresses(number):
    """The addresses of so many tasks, all that the job has, in their order."""
    command = srun(f"--ntasks={number}", sys.executable, "-c", ADDRESS)
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8") as step:
        answers = [step.stdout.readline().split() for _ in range(number)]
    if step.returncode or not all(answers):
        sys.exit(f"slurm_cluster.py: the job's tasks could not be started, srun ended with status {step.returncode}")
    return [f"{node}:{port}" for _, node, port in sorted(answers, key=lambda answer: int(answer[0]))]


def divide(addresses, servers, evaluators):
    """The cluster, {type: [address, ...]}: a chief, then parameter servers and evaluators, and the rest are workers."""
    rest = iter(addresses)
    sizes = {"chief": 1, "ps": servers, "evaluator": evaluators, "worker": None}
    cluster = {task_type: list(itertools.islice(rest, size)) for task_type, size in sizes.items()}
    return {task_type: of_type for task_type, of_type in cluster.items() if of_type}


def main():
    parser = argparse.ArgumentParser(
        prog="slurm.sh",
        description="Runs a cluster of the trainer in a job of SLURM. All other options are passed on to the trainer.",
        epilog="python3 -m trainer.task --help in the folder mlengine lists them.",
        allow_abbrev=False,
    )
    parser.add_argument("--ps", type=whole_number(1), default=1, help="parameter servers (1)")
    parser.add_argument("--no-evaluator", action="store_true", help="test the network at the end only")
    options, arguments = parser.parse_known_args()
    evaluators = int(not options.no_evaluator)
    if "SLURM_NTASKS" not in os.environ:
        parser.error("this is no job with a number of tasks: submit it with sbatch --ntasks=5 mlengine/slurm.sh")
    number, least = int(os.environ["SLURM_NTASKS"]), 1 + options.ps + evaluators
    if number < least:
        parser.error(
            f"the job has --ntasks={number}, expected {least} or more: a chief, {options.ps} for --ps"
            + (", and an evaluator" if evaluators else "")
        )
    check(arguments)
    signal.signal(signal.SIGUSR1, lambda number, frame: sys.exit(128 + number))  # until oversee has its own way
    try:
        cluster = SlurmCluster(divide(find_addresses(number), options.ps, evaluators), arguments, print_line)
        return oversee(cluster, (*SIGNALS, signal.SIGUSR1))
    except OSError as error:
        return tell("slurm_cluster.py", error)
    except SystemExit as end:
        if end.code == 128 + signal.SIGUSR1:
            subprocess.call(["scontrol", "requeue", os.environ["SLURM_JOB_ID"]])
        raise


if __name__ == "__main__":
    sys.exit(main())
