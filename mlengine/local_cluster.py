# SPDX-License-Identifier: Apache-2.0
"""Runs a cluster on this machine: starts the tasks as processes, restarts one that is killed, and stops them all.

    python3 mlengine/local_cluster.py --workers 2 --ps 1 --job-dir job --hp-iterations 1000

Options that are not of this script are the trainer's. It ends with the status of the chief. Ctrl-C stops all tasks; the
chief writes a checkpoint first, unless you press it again. To see the training survive, kill a task by the number that
is printed with its start. A task that ends again and again soon after its start is given up, and the cluster with it.

On Linux the tasks have a network of their own, which nothing else reaches; where that can't be, a line says so.
"""

import argparse
import collections
import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

from isolation import OwnNetwork
from trainer.task import parse_options, print_everything, whole_number

PATIENCE = 30  # seconds for a task to end by itself
SOON = 30  # seconds from its start in which a task may still fail to get going
PAUSES = (0, 1, 2, 4)  # seconds until a task that ended soon is started again; the next time it is given up
LAST_LINES = 10  # of a task that is given up
SIGNALS = (signal.SIGTERM, signal.SIGINT)
OPEN = (
    "these ports are open to everybody who reaches this machine over a network, and TensorFlow runs what they send: "
    "stay in a network that you trust, or behind a firewall"
)


class LocalCluster:
    """The tasks of a cluster as processes on this machine, each at a port of its own.

    cluster: the addresses of the tasks, {type: [address, ...]}.
    arguments: of the trainer. output: called with the name of a task and each line that it prints.
    Raises OSError where there is no Python to start them with.
    """

    def __init__(self, cluster, arguments, output):
        if getattr(sys, "frozen", False) or not sys.executable:  # the program would start itself
            raise OSError("a program that was frozen or embedded has no Python of its own for the tasks")
        self.cluster, self.arguments, self.output = cluster, arguments, output
        self.processes, self._readers = {}, {}
        self.last_lines = {}  # of each task since its last start
        self.unheard = None  # the error by which a line could not be passed on
        self.network = None  # of the tasks' own, if there is one

    def names(self):
        return [(task_type, index) for task_type, tasks in self.cluster.items() for index in range(len(tasks))]

    def start(self, task_type, index):
        """Starts a task, or starts it again."""
        config = {"cluster": self.cluster, "task": {"type": task_type, "index": index}}
        settings = {"TF_CONFIG": json.dumps(config), "PYTHONPATH": python_path(), "PYTHONIOENCODING": "utf-8"}
        process = subprocess.Popen(
            self.command(task_type, index),
            env={**os.environ, **settings},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,  # Ctrl-C in the terminal is for this script
        )
        task = task_type, index
        self.processes[task], self.last_lines[task] = process, collections.deque(maxlen=LAST_LINES)
        self._readers[task] = threading.Thread(target=self.read, args=(task, process.stdout), daemon=True)
        self._readers[task].start()
        self.output(f"{task_type} {index}", f"started at {self.cluster[task_type][index]}, process {process.pid}")

    def command(self, task_type, index):
        """The command that becomes a task."""
        command = [sys.executable, "-m", "trainer.task", *self.arguments]
        return self.network.command(command) if self.network else command

    def own_network(self):
        """A network for the tasks that nothing else reaches. Raises OSError if they can't have one."""
        return network_for(self.arguments)

    def start_all(self):
        """Starts all tasks, where the system allows it in a network of their own."""
        try:
            self.network = self.own_network()
        except OSError as error:
            self.output("network", f"{OPEN} ({error})")
        for task_type, index in self.names():
            self.start(task_type, index)

    def read(self, task, stdout):
        """Passes on what a task prints, to its end."""
        last_lines = self.last_lines[task]
        for line in stdout:  # whatever happens: a task whose lines nobody takes would wait for ever
            last_lines.append(line.rstrip("\n"))
            try:
                self.output("{} {}".format(*task), last_lines[-1])
            except Exception as error:
                self.unheard = error

    def wait(self, task_type, index, seconds=None):
        """Waits for the end of a task, and returns its status when all that it printed has been passed on."""
        status = self.processes[task_type, index].wait(seconds)
        self._readers[task_type, index].join(PATIENCE)  # what a task has started may hold its output open for longer
        return status

    def kill(self):
        """Ends all tasks at once."""
        for process in self.processes.values():
            process.kill()

    def terminate(self):
        """Sends SIGTERM to all tasks that run."""
        for process in self.processes.values():
            process.terminate()

    def stop(self):
        """Stops all tasks, as a cloud does that takes machines away: SIGTERM, and after a while SIGKILL."""
        self.terminate()
        deadline = time.monotonic() + PATIENCE
        for task_type, index in self.processes:
            try:
                self.wait(task_type, index, max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                self.processes[task_type, index].kill()
                self.wait(task_type, index)
        if self.network:
            self.network.close()


def network_for(arguments):
    """A network of their own for tasks with these arguments. Raises OSError if they can't have one."""
    systems = [system for argument in arguments for system in re.findall(r"(\w+)://", argument)]
    for system in set(systems) - {"file", "ram"}:
        raise OSError(f"{system}:// is not on this machine")
    return OwnNetwork()


def addresses(sizes):
    """{type: [address, ...]} of so many tasks of each type, with ports that are free now."""
    sockets = {task_type: [socket.socket() for _ in range(size)] for task_type, size in sizes.items() if size}
    cluster = {}
    for task_type, of_type in sockets.items():
        for each in of_type:
            each.bind(("localhost", 0))
        cluster[task_type] = [f"localhost:{each.getsockname()[1]}" for each in of_type]
    for each in sum(sockets.values(), []):  # only now, so that none of them is given twice
        each.close()
    return cluster


def python_path():
    """Where a task finds the trainer, whatever the current folder."""
    return os.pathsep.join(filter(None, [str(Path(__file__).resolve().parent), os.environ.get("PYTHONPATH")]))


class Restarts:
    """When a task that was killed is started again: at once, but later each time if it does not get going."""

    def __init__(self, tasks, clock):
        self.clock = clock
        self.begun = dict.fromkeys(tasks, clock())
        self.pauses = {task: iter(PAUSES) for task in tasks}
        self.due = {}  # the tasks that have ended, and when they are started again

    def plan(self, task):
        """Notes the end of a task; returns whether it is started again."""
        if self.clock() - self.begun[task] >= SOON:
            self.pauses[task] = iter(PAUSES)
        pause = next(self.pauses[task], None)
        self.due[task] = self.begun[task] = self.clock() + (pause or 0)
        return pause is not None

    def pop_due(self):
        """The tasks that are to be started now."""
        tasks = [task for task, moment in self.due.items() if moment <= self.clock()]
        for task in tasks:
            del self.due[task]
        return tasks


def run(cluster, clock=time.monotonic, sleep=time.sleep):
    """Restarts tasks that are killed, until the chief is done or a task fails; returns the status of that.

    Raises the error by which a line of a task could not be passed on.
    """
    restarts = Restarts(cluster.names(), clock)
    while True:
        sleep(0.2)
        if cluster.unheard:
            raise cluster.unheard
        for task in restarts.pop_due():
            cluster.start(*task)
        for task in cluster.names():
            status = cluster.processes[task].poll()
            if task in restarts.due or status is None or (status == 0 and task[0] != "chief"):
                continue
            cluster.wait(*task)
            if 0 <= status < 128:
                return status
            if not restarts.plan(task):
                return give_up(cluster, task, status if status > 0 else 128 - status)


def give_up(cluster, task, status):
    name = "{} {}".format(*task)
    reason = f"it ended soon after each of its last {len(PAUSES)} starts, now with status {status}"
    cluster.output(name, f"given up, and the cluster with it, as {reason}; its last lines:")
    for line in cluster.last_lines[task]:
        cluster.output(name, f"    {line}")
    return status


def at_signals(signals, handler):
    for number in signals:
        signal.signal(number, handler)


def oversee(cluster, signals=SIGNALS):
    """Starts all tasks and sees to them until the chief is done, a task fails or a signal comes, and stops the others.

    Returns the status of the chief, or of the task that failed, and leaves no task behind.
    """

    def kill(number, frame):
        cluster.kill()  # and go on to wait for them

    def stop(number, frame):
        at_signals(signals, kill)
        sys.exit(128 + number)

    at_signals(signals, stop)
    try:
        cluster.start_all()
        status = run(cluster)
        if status == 0:  # the others see in the job folder that it is over
            for task in cluster.names():
                try:
                    cluster.wait(*task, PATIENCE)
                except subprocess.TimeoutExpired:
                    cluster.output("{} {}".format(*task), f"stopped, as it has not ended in {PATIENCE} s")
        return status
    finally:
        at_signals(signals, kill)
        cluster.stop()


def print_line(name, line):
    print(f"{name:11} | {line}", flush=True)


def check(arguments):
    """Says once, before any task starts, what is wrong with the trainer's options or the digits, and ends then."""
    print_everything()
    data_dir = parse_options(arguments).data_dir
    if "://" not in data_dir:
        import mnistdata  # only now, as trainer says where it is

        mnistdata.read_data_sets(data_dir)  # downloads what is missing; the tasks may have no network to do it


def main():
    parser = argparse.ArgumentParser(
        description="Runs a cluster of the trainer on this machine. All other options are passed on to the trainer.",
        epilog="python3 -m trainer.task --help in the folder mlengine lists them.",
        allow_abbrev=False,
    )
    parser.add_argument("--workers", type=whole_number(0), default=1, help="besides the chief, which trains too (1)")
    parser.add_argument("--ps", type=whole_number(1), default=1, help="parameter servers (1)")
    parser.add_argument("--no-evaluator", action="store_true", help="test the network at the end only")
    options, arguments = parser.parse_known_args()
    check(arguments)
    sizes = {"ps": options.ps, "chief": 1, "worker": options.workers, "evaluator": int(not options.no_evaluator)}
    try:
        return oversee(LocalCluster(addresses(sizes), arguments, print_line))
    except OSError as error:
        return tell("local_cluster.py", error)


def tell(program, error):
    """Says why a cluster can't run; returns the exit status."""
    print(f"{program}: the cluster can't run ({error})", file=sys.stderr)
    with contextlib.suppress(OSError):  # if nobody reads it any more, Python would say so again at its end
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return 1


if __name__ == "__main__":
    sys.exit(main())
