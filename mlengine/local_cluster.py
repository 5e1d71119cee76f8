# SPDX-License-Identifier: Apache-2.0
"""Runs a cluster on this machine: starts the tasks as processes, restarts one that is killed, and stops them all.

    python3 mlengine/local_cluster.py --workers 2 --ps 1 --job-dir job --hp-iterations 1000

Options that are not of this script are the trainer's. It ends with the status of the chief. Ctrl-C stops all tasks; the
chief writes a checkpoint first. To see the training survive, kill a task by the number that is printed with its start.

On Linux the tasks have a network of their own, which nothing else reaches; where that can't be, a line says so.
"""

import argparse
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
from trainer.task import parse_options, print_everything
from visu.options import whole_number

PATIENCE = 30  # seconds for a task to end by itself
SIGNALS = (signal.SIGTERM, signal.SIGINT)
OPEN = (
    "these ports are open to everybody who reaches this machine over a network, and TensorFlow runs what they send: "
    "stay in a network that you trust, or behind a firewall"
)


class LocalCluster:
    """The tasks of a cluster as processes on this machine, each at a port of its own.

    cluster: the addresses of the tasks, {type: [address, ...]}.
    arguments: of the trainer. output: called with the name of a task and each line that it prints.
    """

    def __init__(self, cluster, arguments, output):
        self.cluster, self.arguments, self.output = cluster, arguments, output
        self.processes, self._readers = {}, {}
        self.network = None  # of the tasks' own, if there is one

    def names(self):
        return [(type, index) for type, tasks in self.cluster.items() for index in range(len(tasks))]

    def start(self, type, index):
        """Starts a task, or starts it again."""
        config = {"cluster": self.cluster, "task": {"type": type, "index": index}}
        settings = {"TF_CONFIG": json.dumps(config), "PYTHONPATH": python_path(), "PYTHONIOENCODING": "utf-8"}
        process = subprocess.Popen(
            self.command(type, index),
            env={**os.environ, **settings},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,  # Ctrl-C in the terminal is for this script
        )
        self.processes[type, index] = process
        self._readers[type, index] = threading.Thread(target=self._read, args=(f"{type} {index}", process), daemon=True)
        self._readers[type, index].start()
        self.output(f"{type} {index}", f"started at {self.cluster[type][index]}, process {process.pid}")

    def command(self, type, index):
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
        for type, index in self.names():
            self.start(type, index)

    def _read(self, name, process):
        for line in process.stdout:
            self.output(name, line.rstrip("\n"))

    def wait(self, type, index, seconds=None):
        """Waits for the end of a task, and returns its status when all that it printed has been passed on."""
        status = self.processes[type, index].wait(seconds)
        self._readers[type, index].join(seconds)
        return status

    def terminate(self):
        """Sends SIGTERM to all tasks that run."""
        for process in self.processes.values():
            if process.poll() is None:
                process.terminate()

    def stop(self):
        """Stops all tasks, as a cloud does that takes machines away: SIGTERM, and after a while SIGKILL."""
        self.terminate()
        deadline = time.monotonic() + PATIENCE
        for type, index in self.processes:
            try:
                self.wait(type, index, max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                self.processes[type, index].kill()
                self.wait(type, index)
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
    sockets = {type: [socket.socket() for _ in range(size)] for type, size in sizes.items() if size}
    cluster = {}
    for type, of_type in sockets.items():
        for each in of_type:
            each.bind(("localhost", 0))
        cluster[type] = [f"localhost:{each.getsockname()[1]}" for each in of_type]
    for each in sum(sockets.values(), []):  # only now, so that none of them is given twice
        each.close()
    return cluster


def python_path():
    """Where a task finds the trainer, whatever the current folder."""
    return os.pathsep.join(filter(None, [str(Path(__file__).resolve().parent), os.environ.get("PYTHONPATH")]))


def run(cluster):
    """Restarts tasks that are killed, until the chief is done or a task fails; returns the status of that."""
    while True:
        time.sleep(0.2)
        for task in cluster.names():
            status = cluster.processes[task].poll()
            if status is None or (status == 0 and task[0] != "chief"):
                continue
            if 0 <= status < 128:
                return cluster.wait(*task)
            cluster.wait(*task)
            cluster.start(*task)


def stop_at_signal(number, frame):
    for each in SIGNALS:
        signal.signal(each, signal.SIG_IGN)  # another one would leave tasks behind that are being stopped
    sys.exit(128 + number)


def oversee(cluster):
    """Starts all tasks and sees to them until the chief is done, a task fails or a signal comes, and stops the others.

    Returns the status of the chief, or of the task that failed.
    """
    for number in SIGNALS:
        signal.signal(number, stop_at_signal)
    try:
        cluster.start_all()
        status = run(cluster)
        if status == 0:  # the others see in the job folder that it is over
            for task in cluster.names():
                cluster.wait(*task, PATIENCE)
        return status
    finally:
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
    return oversee(LocalCluster(addresses(sizes), arguments, print_line))


if __name__ == "__main__":
    sys.exit(main())
