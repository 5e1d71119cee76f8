# SPDX-License-Identifier: Apache-2.0
"""Measures how the trainer of mlengine scales on this machine, and what is left of a training that loses tasks.

    .venv/bin/python benchmarks/cluster.py                       the whole: an hour on two cores
    .venv/bin/python benchmarks/cluster.py --iterations 300      shorter, and less accurate

alone       seconds of the script of stage 3.1 in text-only mode, and of the trainer in one process with as many tests
scale       iterations a second and test accuracy of one process, and of clusters of 1, 2 and 4 trainers (the chief is
            one of them) with 1 and 2 parameter servers. An iteration is a batch of 100, with --sync one of each trainer
survival    the test accuracy of undisturbed trainings with different seeds, and of trainings in which a task is killed

The learning rate decays as in 10,000 iterations, in the fewer that there are. The tables are Markdown. Nothing else
should run on the machine.
"""

import argparse
import collections
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "mlengine")]

from command_line import spread  # noqa: E402  (the project is not installed)
from local_cluster import LocalCluster, addresses  # noqa: E402
from training import command_of, seconds_of  # noqa: E402

CHIEF, WORKER, PS = ("chief", 0), ("worker", 0), ("ps", 0)
PARTS = ["alone", "scale", "survival"]
STAGE = "mnist_3.1_convolutional_bigger_dropout.py"
ROUNDS = 3
# trainers and parameter servers
CLUSTERS = [(1, 1), (1, 2), (2, 1), (2, 2), (4, 1), (4, 2), (2, 1, "--sync"), (4, 1, "--sync")]
PATIENCE = 600  # seconds without a sign of life


class WatchedCluster(LocalCluster):
    """A cluster whose output is kept, and can be waited for."""

    def __init__(self, sizes, arguments):
        super().__init__(addresses(sizes), arguments, self._keep)
        self.chief = ("master", 0) if "master" in sizes else CHIEF
        self._lines = collections.defaultdict(list)  # of each task, by its name
        self._news = threading.Condition()

    def _keep(self, name, line):
        with self._news:
            self._lines[name].append(line)
            self._news.notify_all()

    def printed(self, task):
        """All that a task has printed since it was started the last time."""
        return "\n".join(self._lines["{} {}".format(*task)]).rpartition("started at ")[2]

    def iteration(self):
        """The last iteration that the chief has printed."""
        iterations = re.findall(r"^(\d+): accuracy", self.printed(self.chief), re.MULTILINE)
        return int(iterations[-1]) if iterations else 0

    def wait_until(self, condition):
        """Waits until a function without arguments, of what has been printed, returns something true."""
        with self._news:
            if not self._news.wait_for(condition, PATIENCE):
                raise TimeoutError(f"it did not get there; the last of the chief: {self.printed(self.chief)[-500:]}")

    def begun_from(self, task):
        """The iterations from which a task has trained, one for each time that it was connected."""
        return begun_from(self.printed(task))

    def wait_for_training(self, task, times=1):
        """Waits until a task takes part, or does so again."""
        self.wait_until(lambda: len(self.begun_from(task)) >= times)

    def signal(self, number, task):
        self.processes[task].send_signal(number)

    def kill(self, task):
        self.signal(signal.SIGKILL, task)
        self.wait(*task)

    def finish(self):
        """Waits for the end of all tasks that run; returns the status of each."""
        try:
            return {task: self.wait(*task, PATIENCE) for task in self.names()}
        except subprocess.TimeoutExpired:
            raise TimeoutError(f"not all have ended; what each printed last: {self.last_lines}")


# What happens to a cluster in mid-training


def nothing(cluster):
    pass


def worker_killed(cluster):
    cluster.kill(WORKER)


def worker_restarted(cluster):
    cluster.kill(WORKER)
    cluster.signal(signal.SIGSTOP, cluster.chief)  # so that the training is not over before the worker is back
    cluster.start(*WORKER)
    cluster.wait_for_training(WORKER)
    cluster.signal(signal.SIGCONT, cluster.chief)


def chief_restarted(cluster):
    cluster.kill(cluster.chief)
    cluster.start(*cluster.chief)
    cluster.wait_for_training(cluster.chief)


def ps_restarted(cluster, task=PS):
    times = len(cluster.begun_from(cluster.chief))
    cluster.kill(task)
    cluster.start(*task)
    cluster.wait_for_training(cluster.chief, times + 1)


def all_preempted(cluster):
    cluster.stop()
    cluster.start_all()
    cluster.wait_for_training(cluster.chief)


EVENTS = {
    "nothing": nothing,
    "a worker is killed": worker_killed,
    "a worker is killed, and started again": worker_restarted,
    "the chief is killed, and started again": chief_restarted,
    "a parameter server is killed, and started again": ps_restarted,
    "all tasks get SIGTERM, and are started again": all_preempted,
}


def begun_from(text):
    lines = re.findall(r"^(?:training begins|training goes on from iteration \d+)$", text, re.MULTILINE)
    return [int(re.sub(r"\D", "", line) or 0) for line in lines]


def test_accuracy(text):
    return float(re.findall(r"test accuracy: (\S+)", text)[-1])


def rate(text):
    return float(re.findall(r"(\S+) a second", text)[-1])


def trainer_options(iterations, job_dir, seed=0):
    decay = max(1, iterations // 5)  # as 2,000 is to 10,000
    options = {"job-dir": job_dir, "hp-iterations": iterations, "hp-decay-steps": decay, "seed": seed}
    return [f"--{name}={value}" for name, value in options.items()] + ["--data-dir", str(ROOT / "data")]


def measure_alone(options):
    command = [sys.executable, "-m", "trainer.task", *options, "--checkpoint-every=1000000"]
    text = subprocess.run(
        command, cwd=str(ROOT / "mlengine"), check=True, stdout=subprocess.PIPE, encoding="utf-8"
    ).stdout
    return rate(text), test_accuracy(text)


def measure_cluster(sizes, options, event=nothing, at=0):
    """(iterations a second, test accuracy) of a cluster to which something happens after so many iterations."""
    cluster = WatchedCluster(sizes, options)
    try:
        cluster.start_all()
        if event is not nothing:
            cluster.wait_until(lambda: cluster.iteration() >= at)
            event(cluster)
        cluster.finish()
        printed = cluster.printed(cluster.chief)
        return rate(printed), test_accuracy(printed)
    finally:
        cluster.stop()


def fresh_options(iterations, seed=0, *more):
    return [*trainer_options(iterations, tempfile.mkdtemp(prefix="job"), seed), *more]


def scale(iterations):
    print("| tasks | iterations a second | images a second | test accuracy |\n|---|---|---|---|", flush=True)

    def row(name, result, images):
        print(f"| {name} | {result[0]:.1f} | {result[0] * images:,.0f} | {result[1]:.4f} |", flush=True)

    row("1 process", measure_alone(fresh_options(iterations)), 100)
    for trainers, servers, *sync in CLUSTERS:
        sizes = {"ps": servers, "chief": 1, "worker": trainers - 1}
        batches = trainers if sync else 1  # of an iteration; as many images in fewer iterations take as long
        name = " ".join([f"{trainers} trainers, {servers} parameter servers", *sync])
        row(name, measure_cluster(sizes, fresh_options(iterations // batches, 0, *sync)), 100 * batches)


def alone(iterations):
    """Seconds of the script of stage 3.1 and of the trainer, in turn."""
    seconds = {"script": [], "trainer": []}
    for _ in range(ROUNDS):
        trainer = [sys.executable, "-m", "trainer.task", *fresh_options(iterations), "--checkpoint-every=100"]
        for name, command in ("script", command_of(STAGE, iterations)), ("trainer", trainer):
            seconds[name].append(seconds_of(command, cwd=ROOT / "mlengine"))
    ratios = [trainer / script for script, trainer in zip(*seconds.values())]
    script, trainer = (statistics.median(seconds[name]) for name in ("script", "trainer"))
    print(f"\n{iterations} iterations, {ROUNDS} times each: the script {script:.1f} s, the trainer {trainer:.1f} s")
    print(f"ratio: {spread(ratios, 3)}", flush=True)


def survival(iterations, seeds, sync):
    sizes = {"ps": 2, "chief": 1, "worker": 2}
    print(f"\n| what happens{' with --sync' if sync else ''}, {iterations} iterations | seeds | test accuracy |")
    print("|---|---|---|", flush=True)
    for name, event in EVENTS.items():
        repetitions = seeds if event is nothing else seeds // 2
        accuracies = [
            measure_cluster(sizes, fresh_options(iterations, seed, *sync), event, iterations // 2)[1]
            for seed in range(repetitions)
        ]
        print(f"| {name} | {repetitions} | {spread(accuracies, 4)} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--iterations", type=int, default=3000)
    parser.add_argument("--seeds", type=int, default=6, help="of the undisturbed trainings; half as many of others")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as tempfile.tempdir:  # all job folders go with it
        if "alone" in options.parts:
            alone(options.iterations)
        if "scale" in options.parts:
            scale(options.iterations)
        if "survival" in options.parts:
            survival(options.iterations, options.seeds, [])
            survival(options.iterations // 3, options.seeds, ["--sync"])


if __name__ == "__main__":
    main()
