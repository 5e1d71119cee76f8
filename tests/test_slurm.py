"""The trainer as a job of SLURM: on a cluster of one node, eight processors declared, which the test starts itself."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from unittest.mock import Mock

import pytest

import local_cluster
import predict
import slurm_cluster
from helpers import PATIENCE, ROOT, environment, link, require, wait_until
from local_cluster import addresses
from trainings import MLENGINE, SMALL, listed

CONFIGURATION = """
ClusterName=test
SlurmctldHost=localhost(127.0.0.1)
SlurmctldPort={controller}
SlurmdPort={node}
SlurmUser={user}
SlurmdUser={user}
AuthInfo=socket={folder}/munge.socket,cred_expire=5
StateSaveLocation={folder}
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
MailProg=/bin/true
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
SlurmdParameters=config_overrides
KillWait=10
NodeName=localhost NodeAddr=127.0.0.1 CPUs=8 RealMemory=16000
PartitionName=main Nodes=localhost Default=YES
"""  # a job that is put into the queue again waits until its old credentials have expired: cred_expire, in seconds
ENDLESS = 1000000  # iterations
in_a_shell = pytest.mark.skipif(os.name != "posix", reason="slurm.sh needs a shell of Unix")


class Slurm:
    """A cluster of SLURM, with a key, ports and a folder of its own, as processes of this test."""

    def __init__(self, folder):
        self.folder = folder
        path = os.environ["PATH"] + ":/usr/sbin"
        self.env = environment(PYTHONPATH="", SLURM_CONF=f"{folder}/slurm.conf", PATH=path)  # as a user has none
        self.daemons = []

    def start(self):
        import pwd  # not on Windows

        controller, node = (address.rpartition(":")[2] for address in addresses({"slurm": 2})["slurm"])
        user = pwd.getpwuid(os.getuid()).pw_name
        configuration = CONFIGURATION.format(controller=controller, node=node, user=user, folder=self.folder)
        (self.folder / "slurm.conf").write_text(configuration)
        key, socket = self.folder / "munge.key", self.folder / "munge.socket"
        key.write_bytes(os.urandom(1024))
        key.chmod(0o600)
        munge = ["munged", "--foreground", "--force", f"--key-file={key}", f"--socket={socket}"]
        munge += [f"--{name}-file={self.folder}/munged.{name}" for name in ("pid", "log", "seed")]
        self._start(*munge)
        wait_until(socket.exists, "munged listens")
        self._start("slurmctld", "-D")
        self._start("slurmd", "-D", "-N", "localhost")
        wait_until(lambda: self.run("sinfo", "--noheader", "--format=%T", check=False) == "idle", "the node is there")

    def _start(self, *command):
        with open(self.folder / "daemons.log", "ab") as log:
            self.daemons.append(subprocess.Popen(command, env=self.env, stdout=log, stderr=log))

    def run(self, *command, check=True, **options):
        """What a command of SLURM prints."""
        process = subprocess.run(
            command, env=self.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", **options
        )
        assert not (check and process.returncode), process.stdout
        return process.stdout.strip()

    def jobs(self):
        return self.run("squeue", "--noheader", "--format=%i").split()

    def step(self, name):
        """The number of the step of this name."""
        steps = self.run("squeue", "--steps", "--noheader", "--format=%i %j")
        return re.search(rf"^(\S+) {name}$", steps, re.MULTILINE).group(1)

    def processes(self):
        """The numbers of the processes that belong to it, jobs and daemons."""
        mark, found = f"SLURM_CONF={self.folder}/slurm.conf".encode(), []
        for path in Path("/proc").glob("[0-9]*/environ"):
            with contextlib.suppress(OSError):  # it has ended meanwhile, or is somebody else's
                if mark in path.read_bytes():
                    found.append(int(path.parent.name))
        return found

    def stop(self):
        try:
            if len(self.daemons) == 3:
                for job in self.jobs():
                    self.run("scancel", job)
                wait_until(lambda: not self.jobs(), "all jobs have ended")
        finally:
            for daemon in self.daemons:
                daemon.terminate()
            for daemon in self.daemons:
                try:
                    daemon.wait(30)
                except subprocess.TimeoutExpired:
                    daemon.kill()
                    daemon.wait()
        wait_until(lambda: not self.processes(), "all processes of SLURM have ended")


@pytest.fixture
def slurm():
    require("munged", "slurmctld", "slurmd", "sbatch")
    with tempfile.TemporaryDirectory(prefix="slurm") as folder:  # a short path, as sockets lie there
        slurm = Slurm(Path(folder))
        try:
            slurm.start()
            yield slurm
        finally:
            slurm.stop()


class Job:
    """The trainer as a job in a clone of the project, with what it has printed."""

    def __init__(self, slurm, clone, tasks, iterations, *more):
        self.slurm, self.log = slurm, clone / f"{iterations}.log"
        options = ["--job-dir=job", f"--hp-iterations={iterations}", "--checkpoint-every=50", *SMALL, *more]
        command = ["sbatch", "--parsable", f"--ntasks={tasks}", f"--output={self.log}", "mlengine/slurm.sh", *options]
        self.number = slurm.run(*command, cwd=str(clone))

    def printed(self):
        return self.log.read_text(encoding="utf-8") if self.log.exists() else ""

    def begun_from(self, task):
        """The iterations from which a task has trained, one for each time that it was connected."""
        begin = rf"^{task} +\| training (?:begins|goes on from iteration (\d+))$"
        return [int(number or 0) for number in re.findall(begin, self.printed(), re.MULTILINE)]

    def reached(self):
        """The last iteration that the chief has printed."""
        return max(map(int, re.findall(r"^chief 0 +\| (\d+): accuracy", self.printed(), re.MULTILINE)), default=0)

    def wait_for(self, condition, what):
        try:
            wait_until(condition, what, patience=300)
        except AssertionError as error:
            raise AssertionError(f"{error}:\n{self.printed()[-3000:]}")

    def wait_for_training(self, task, times):
        self.wait_for(lambda: len(self.begun_from(task)) >= times, f"{task} trains for time {times}")


@pytest.fixture
def clone(tmp_path, few_digits):
    """A clone with few digits, and with this Python as the one that was installed."""
    for name in ("mlengine", "visu", "mnistdata.py", "command_line.py", "tensorflowsetup.py", "ink.py"):
        (tmp_path / name).symlink_to(ROOT / name)
    link(few_digits, tmp_path / "data")
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    return tmp_path


@pytest.mark.slow
@pytest.mark.tensorflow
def test_a_job_restarts_a_worker_goes_on_when_its_time_is_over_and_reads_digits(slurm, clone, monkeypatch, capsys):
    job = Job(slurm, clone, 3, ENDLESS, "--no-evaluator")
    job.wait_for_training("worker 0", 1)
    job.wait_for(lambda: job.reached() >= 100, "the chief has trained")

    reached = job.reached()
    slurm.run("scancel", "--signal=KILL", slurm.step("worker-0"))
    job.wait_for_training("worker 0", 2)
    assert job.begun_from("worker 0")[-1] >= reached
    assert len(job.begun_from("chief 0")) == 1

    reached = job.reached()
    slurm.run("scancel", "--batch", "--signal=USR1", job.number)  # as SLURM does before the time is over
    job.wait_for_training("chief 0", 2)
    job.wait_for_training("worker 0", 3)
    assert job.begun_from("chief 0")[-1] >= reached
    assert "Restarts=1 " in slurm.run("scontrol", "show", "job", job.number)

    reached = job.reached()
    slurm.run("scancel", job.number)
    job.wait_for(lambda: not slurm.jobs(), "the job has ended")
    newest = listed(clone / "job")[-1]
    assert newest >= reached

    job = Job(slurm, clone, 4, newest + 100)
    job.wait_for(lambda: not slurm.jobs(), "the job is complete")
    printed = job.printed()
    assert "JobState=COMPLETED" in slurm.run("scontrol", "show", "job", job.number), printed
    assert job.begun_from("chief 0")[0] >= newest
    tests = [re.findall(rf"^{task} .* test accuracy: (\S+)", printed, re.MULTILINE) for task in ("chief", "evaluator")]
    assert tests[0][-1] == tests[1][-1]
    samples = [str(MLENGINE / "samples" / f"{digit}.png") for digit in range(10)]
    monkeypatch.setattr(sys, "argv", ["predict.py", "--model", str(clone / "job"), *samples])
    assert predict.main() == 0
    right = re.findall(r"(\d)\.png +\1 ", capsys.readouterr().out)
    assert len(right) >= 5


# -- what is wrong is told before anything starts


def test_the_roles_are_the_chief_parameter_servers_evaluator_and_workers():
    tasks = [f"n{number}:1" for number in range(6)]
    assert slurm_cluster.divide(tasks, 2, 1) == {
        "chief": tasks[:1],
        "ps": tasks[1:3],
        "evaluator": tasks[3:4],
        "worker": tasks[4:],
    }
    assert slurm_cluster.divide(tasks[:2], 1, 0) == {"chief": tasks[:1], "ps": tasks[1:2]}


@pytest.fixture
def srun(tmp_path, monkeypatch):
    """A function that makes a text the shell script of the program srun."""

    def write(script):
        (tmp_path / "srun").write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / "srun").chmod(0o755)

    monkeypatch.setenv("PATH", os.pathsep.join([str(tmp_path), os.environ["PATH"]]))
    return write


@in_a_shell
def test_the_tasks_have_the_addresses_of_their_nodes_in_the_order_of_their_numbers(srun):
    srun("for n in 10 2 0 1 11 3 9 5 4 6 8 7; do echo $n node$n 50$n; done\ncat >&2")
    assert slurm_cluster.find_addresses(12) == [f"node{number}:50{number}" for number in range(12)]


# srun, as far as it is asked here: starts the command for each task, all at once, until its standard input ends
SRUN = """
[ "$1 $2" = "--cpus-per-task=1 --ntasks=2" ] && shift 2 && exec 3<&0
for n in 0 1; do SLURM_PROCID=$n SLURMD_NODENAME=node$n "$@" <&3 & done; wait
"""


@in_a_shell
def test_each_task_says_its_number_its_node_and_a_port_that_no_other_has(srun, monkeypatch):
    for variable in ("SLURM_CPUS_PER_TASK", "PYTHONUNBUFFERED"):  # srun itself passes on whole lines
        monkeypatch.delenv(variable, raising=False)
    srun(SRUN)
    first, second = slurm_cluster.find_addresses(2)
    ports = [re.fullmatch(rf"node{number}:(\d+)", address)[1] for number, address in enumerate((first, second))]
    assert ports[0] != ports[1] and all(0 < int(port) < 65536 for port in ports)


@in_a_shell
@pytest.mark.parametrize("script, status", [("exit 3", 3), ("echo 0 node0 500\necho 1 node1 501\nexit 3", 3), ("", 0)])
def test_tasks_that_can_not_be_started_are_told(srun, script, status):
    srun(script)
    with pytest.raises(SystemExit) as end:
        slurm_cluster.find_addresses(2)
    expected = f"slurm_cluster.py: the job's tasks could not be started, srun ended with status {status}"
    assert end.value.code == expected


def test_a_task_is_a_step_on_the_node_of_its_address(monkeypatch):
    cluster = slurm_cluster.SlurmCluster({"chief": ["n1:1"], "worker": ["n2:1", "n3:1"]}, ["--sync"], print)
    place = ["--nodes=1", "--ntasks=1", "--exact", "--nodelist=n3", "--job-name=worker-1"]
    for variables, processors in (({}, 1), ({"SLURM_CPUS_PER_TASK": "4"}, 4)):
        monkeypatch.delenv("SLURM_CPUS_PER_TASK", raising=False)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        command = ["srun", f"--cpus-per-task={processors}", *place, sys.executable, "-m", "trainer.task", "--sync"]
        assert cluster.command("worker", 1) == command


def test_the_nodes_share_their_network_which_is_told_and_the_job_gets_sigterm(monkeypatch):
    lines, commands = [], []
    monkeypatch.setattr(slurm_cluster.subprocess, "call", lambda command, **options: commands.append(command))
    monkeypatch.setenv("SLURM_JOB_ID", "17")
    cluster = slurm_cluster.SlurmCluster({}, [], lambda *line: lines.append(line))
    cluster.start_all()
    cluster.stop()
    ((name, line),) = lines
    assert name == "network" and line.endswith("behind a firewall (the nodes of SLURM share theirs)")
    assert commands == [["scancel", "--quiet", "--signal=TERM", "17"]]


@pytest.mark.parametrize(
    "arguments, sizes",
    [
        (["--no-evaluator"], {"chief": 1, "ps": 1}),
        ([], {"chief": 1, "ps": 1, "evaluator": 1}),
        (["--ps=2"], {"chief": 1, "ps": 2, "evaluator": 1}),
    ],
)
def test_a_job_may_be_as_small_as_its_roles(arguments, sizes, monkeypatch):
    overseen, checked = [], []
    monkeypatch.setattr(slurm_cluster, "find_addresses", lambda number: [f"n{task}:1" for task in range(number)])
    monkeypatch.setattr(slurm_cluster, "check", checked.append)
    monkeypatch.setattr(slurm_cluster, "oversee", lambda *what: overseen.append(what) or 7)
    monkeypatch.setattr(signal, "signal", lambda number, action: None)
    monkeypatch.setenv("SLURM_NTASKS", str(sum(sizes.values())))
    monkeypatch.setattr(sys, "argv", ["slurm.sh", "--job-dir=job", *arguments])
    assert slurm_cluster.main() == 7
    ((cluster, signals),) = overseen
    assert {name: len(tasks) for name, tasks in cluster.cluster.items()} == sizes
    assert cluster.cluster["chief"] == ["n0:1"] and cluster.cluster["ps"][0] == "n1:1"
    assert checked == [cluster.arguments] == [["--job-dir=job"]]
    assert set(signals) == {signal.SIGINT, signal.SIGTERM, signal.SIGUSR1}


@in_a_shell
@pytest.mark.parametrize("number", [signal.SIGTERM, getattr(signal, "SIGUSR1", 0)])
@pytest.mark.parametrize("is_early", [True, False])
def test_only_when_its_time_is_over_a_job_is_put_into_the_queue_again(number, is_early, monkeypatch, signals_stay):
    commands = []

    def end(*arguments):
        os.kill(os.getpid(), number)
        time.sleep(PATIENCE)

    monkeypatch.setattr(slurm_cluster, "find_addresses", end if is_early else lambda number: ["n1:1"] * number)
    monkeypatch.setattr(slurm_cluster, "check", lambda arguments: None)
    monkeypatch.setattr(local_cluster, "run", end)
    monkeypatch.setattr(local_cluster.LocalCluster, "start", lambda *task: None)
    monkeypatch.setattr(slurm_cluster.subprocess, "call", lambda command, **options: commands.append(command))
    for name, value in {"SLURM_NTASKS": "5", "SLURM_JOB_ID": "17"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "argv", ["slurm.sh", "--job-dir=job"])
    if is_early:  # then SIGTERM ends a program by itself
        signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    with pytest.raises(SystemExit) as ended:
        slurm_cluster.main()
    assert ended.value.code == 128 + number
    requeued = [command for command in commands if command[0] != "scancel"]
    assert requeued == ([["scontrol", "requeue", "17"]] if number == signal.SIGUSR1 else [])


def test_why_a_job_can_not_run_is_told_with_status_1(monkeypatch, capsys):
    monkeypatch.setattr(slurm_cluster, "find_addresses", lambda number: ["n1:1"] * number)
    monkeypatch.setattr(slurm_cluster, "check", lambda arguments: None)
    monkeypatch.setattr(slurm_cluster, "oversee", Mock(side_effect=OSError("no srun")))
    monkeypatch.setattr(signal, "signal", lambda number, action: None)
    monkeypatch.setenv("SLURM_NTASKS", "5")
    monkeypatch.setattr(sys, "argv", ["slurm.sh", "--job-dir=job"])
    monkeypatch.setattr(os, "dup2", Mock())
    assert slurm_cluster.main() == 1
    assert capsys.readouterr().err == "slurm_cluster.py: the cluster can't run (no srun)\n"


@in_a_shell
@pytest.mark.parametrize(
    "variables, arguments, expected",
    [
        ({}, [], "submit it with sbatch --ntasks=5 mlengine/slurm.sh"),
        ({"SLURM_NTASKS": "3"}, ["--ps=2"], "--ntasks=3, expected 4 or more: a chief, 2 for --ps, and an evaluator"),
        ({"SLURM_NTASKS": "1"}, ["--no-evaluator"], "--ntasks=1, expected 2 or more: a chief, 1 for --ps"),
        ({"SLURM_NTASKS": "5"}, ["--ps=0"], "argument --ps: '0', expected a whole number, 1 or more"),
    ],
)
def test_a_job_that_can_not_be_is_told_with_status_2(clone, variables, arguments, expected):
    process = subprocess.run(
        ["mlengine/slurm.sh", "--job-dir=job", *arguments],
        cwd=str(clone),
        env=environment(PYTHONPATH="", **variables),
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    assert process.returncode == 2
    assert process.stderr.splitlines()[-1].endswith(expected)


@in_a_shell
def test_a_folder_without_the_installation_is_told_with_status_2(tmp_path):
    command = [str(MLENGINE / "slurm.sh"), "--job-dir=job"]
    process = subprocess.run(command, cwd=str(tmp_path), stderr=subprocess.PIPE, encoding="utf-8")
    assert process.returncode == 2
    assert re.fullmatch(r"slurm.sh: .* has no .venv/bin/python: submit it from the .*\n", process.stderr)
