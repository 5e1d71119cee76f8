"""Clusters of the trainer's processes: what they survive, and who reaches them."""

import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from unittest.mock import Mock

import numpy as np
import pytest

import cluster
from helpers import PATIENCE, ROOT, environment, unix_signals
from local_cluster import LocalCluster, check, main, network_for, oversee, python_path, run
from programs import Fork, Forks
from trainer.tf_config import parse_tf_config
from trainings import ADDRESSES, MLENGINE, SMALL, config, is_untouched, listed, move, present, succeed


def succeeds(*command):
    try:
        return subprocess.call(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) == 0
    except OSError:
        return False


AS_USER = ["unshare", "--user", "--map-root-user"]  # with all rights, in namespaces of its own
NETWORKS = succeeds("unshare", "--net", "true") or succeeds(*AS_USER, "--net", "true")

# -- clusters


def test_trainers_get_different_digits_and_together_all_of_them():
    import mnistdata
    from trainer.training import Digits

    def trainer(position):
        images = np.arange(12).reshape(12, 1, 1, 1)
        return Digits(mnistdata.DataSet(images, np.arange(12), seed=0), 2, position, trainers=3)

    trainers = [trainer(position) for position in range(3)]
    for _ in range(3):  # epochs of two batches each
        epoch = np.concatenate([trainer.next_batch()[1] for trainer in trainers for _ in range(2)])
        assert sorted(epoch) == list(range(12))
    images, labels = trainers[0].next_batch()
    assert images.shape == (2, 1, 1)
    np.testing.assert_array_equal(images[:, 0, 0], labels)


@pytest.mark.tensorflow
def test_parameter_servers_share_the_dense_layer():
    import tensorflow.compat.v1 as tf

    from trainer.training import partitioner_for

    task = parse_tf_config(config({**ADDRESSES, "ps": ["d:1", "e:1"]}))
    assert list(partitioner_for(task)(shape=tf.TensorShape([1176, 200]), dtype=tf.float32)) == [2, 1]
    assert list(partitioner_for(task)(shape=tf.TensorShape([200, 10]), dtype=tf.float32)) == [1, 1]
    assert partitioner_for(parse_tf_config(config(ADDRESSES))) is None


@pytest.mark.tensorflow
def test_a_chief_that_can_not_update_the_weights_any_more_connects_again():
    """Else all trainers would wait for ever for tokens that nobody hands out, the chief in the midst of a step."""
    import tensorflow.compat.v1 as tf

    from trainer.training import Tokens

    lost, coord = tf.errors.UnavailableError(None, None, "lost"), tf.train.Coordinator()
    is_closed = threading.Event()
    session = Mock(run=Mock(side_effect=[None, lost]), close=is_closed.set)
    Tokens(Mock(), step=None).after_create_session(session, coord)
    assert is_closed.wait(PATIENCE)
    assert coord.should_stop()
    with pytest.raises(tf.errors.UnavailableError):
        coord.raise_requested_exception()


@pytest.mark.tensorflow
def test_parameter_servers_stay_until_the_chief_has_left(tmp_path):
    """It closes its session after the last checkpoint, which takes for ever where they have gone."""
    from trainer.roles import has_ended
    from trainer.task import parse_options

    options = parse_options(["--job-dir", str(tmp_path), "--hp-iterations=60"])
    ps, worker = (parse_tf_config(config(ADDRESSES, task_type)) for task_type in ("ps", "worker"))
    ends = []
    for written in (None, "x-63.index", "export/63"):  # others had begun a step before the last one
        if written:  # and lists one that was deleted, too
            paths = [f'all_model_checkpoint_paths: "elsewhere/x-{number}"' for number in (63, 70)]
            (tmp_path / "checkpoint").write_text('model_checkpoint_path: "x-63"\n' + "\n".join(paths))
            (tmp_path / written).mkdir(parents=True)
        ends.append((has_ended(worker, options), has_ended(ps, options)))
    assert ends == [(False, False), (True, False), (True, True)]


ENDLESS = 1000000  # iterations


def options_of(job_dir, iterations, data, *more):
    options = [*cluster.trainer_options(iterations, str(job_dir)), "--checkpoint-every=50", *SMALL]
    return [*options, "--data-dir", str(data), *more]


@pytest.fixture
def start(monkeypatch):
    """Starts clusters, and stops them when the test has ended. Their tasks are forks, in a network of their own."""
    started, popen = [], subprocess.Popen
    network = network_for([]) if NETWORKS else None
    forks = Forks(network.command([])) if network else Forks()

    def popen_or_fork(command, env=None, **options):
        if command[1:3] != ["-m", "trainer.task"] or not forks.process:
            return popen(command, env=env, **options)
        return Fork(forks, command[1:], MLENGINE, subprocess.STDOUT, env)

    def start(sizes, options):
        started.append(cluster.WatchedCluster(sizes, options))
        for task in started[-1].names():
            started[-1].start(*task)
        return started[-1]

    monkeypatch.setattr(subprocess, "Popen", popen_or_fork)
    yield start
    monkeypatch.undo()
    for each in started:
        each.stop()
    forks.close()
    if network:
        network.close()


@unix_signals
@pytest.mark.slow
@pytest.mark.tensorflow
def test_an_asynchronous_training_survives_the_loss_of_each_task_and_of_all_and_a_move(
    tmp_path, start, few_digits, forks
):
    old, moved = tmp_path / "old", tmp_path / "moved"
    sizes, shared = {"ps": 2, "master": 1, "worker": 1}, "--hp-dense=700"  # large enough to be divided
    running = start(sizes, options_of(old, ENDLESS, few_digits, shared))
    running.wait_for_training(cluster.WORKER)
    running.wait_until(lambda: running.iteration() >= 100)

    cluster.worker_killed(running)
    reached = running.iteration()
    running.wait_until(lambda: running.iteration() > reached)
    running.start(*cluster.WORKER)
    running.wait_for_training(cluster.WORKER)
    assert running.begun_from(cluster.WORKER)[0] >= reached

    reached = running.iteration()
    cluster.chief_restarted(running)
    assert running.begun_from(running.chief)[-1] >= reached  # the weights lived on

    running.wait_until(lambda: running.iteration() > reached)
    reached = running.iteration()
    cluster.ps_restarted(running)
    assert running.begun_from(running.chief)[-1] >= reached - 50  # one checkpoint interval

    reached = running.iteration()
    running.stop()
    assert {process.returncode for process in running.processes.values()} == {128 + signal.SIGTERM}
    newest = listed(old)[-1]
    assert newest >= reached - 50
    move(old, moved)
    running = start({**sizes, "evaluator": 1}, options_of(moved, newest + 100, few_digits, shared))
    assert set(running.finish().values()) == {0}
    assert newest <= running.begun_from(running.chief)[0] <= newest + 100  # the worker may have been there before it
    accuracy = cluster.test_accuracy(running.printed(running.chief))
    assert accuracy == cluster.test_accuracy(running.printed(("evaluator", 0)))
    assert accuracy > 0.5
    assert is_untouched(old)
    last = listed(moved)[-1]
    assert len(present(moved)) <= len(listed(moved)) + 2  # of the two kills, each may have come before the listing
    assert (moved / "export" / str(last) / "saved_model.pb").exists()

    more = [f"--hp-iterations={last + 10}", "--data-dir", str(few_digits), shared]
    alone = succeed(moved, *more, start=forks.start)
    (begun,) = cluster.begun_from(alone)
    assert last <= begun < last + 10  # while the chief wrote it, the worker may have ended a step that it had begun


@unix_signals
@pytest.mark.slow
@pytest.mark.tensorflow
def test_a_synchronous_training_survives_the_loss_of_tasks_that_others_wait_for(tmp_path, start, few_digits):
    running = start({"ps": 2, "chief": 1, "worker": 2}, options_of(tmp_path, 400, few_digits, "--sync"))
    running.wait_for_training(cluster.WORKER)
    running.wait_for_training(("worker", 1))
    running.wait_until(lambda: running.iteration() >= 100)
    reached = running.iteration()
    cluster.chief_restarted(running)  # until it is back, nobody goes on
    assert running.begun_from(running.chief)[-1] >= reached - 50
    for index in (0, 1):  # the first has the tokens that all wait for, the second only has weights
        cluster.ps_restarted(running, ("ps", index))
        assert running.begun_from(running.chief)[-1] >= reached - 50
    cluster.worker_killed(running)
    statuses = running.finish()
    assert statuses == {task: -signal.SIGKILL if task == cluster.WORKER else 0 for task in running.names()}
    assert cluster.test_accuracy(running.printed(running.chief)) > 0.5
    assert list(tmp_path.glob("export/*/saved_model.pb"))


# -- clusters on one machine


def local_cluster(*arguments, before=(), **variables):
    """The process of local_cluster.py, with its standard output as a file."""
    return subprocess.Popen(
        [*before, sys.executable, str(MLENGINE / "local_cluster.py"), *arguments],
        env=environment(**variables),
        stdout=subprocess.PIPE,
        encoding="utf-8",
    )


def answers(port):
    """Whether a port of this machine can be reached from the network of the test."""
    for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        with socket.socket(family) as client:
            if client.connect_ex((address, int(port))) == 0:
                return True
    return False


TASK = """
import json, os, sys
for number in range(int(sys.argv[1])):
    print(number, flush=True)
os.write(2, b"wrong \\xff\\n")
print("säid", os.getsid(0) == os.getpid() if os.name == "posix" else True, flush=True)
print(os.environ["TF_CONFIG"])
"""


def test_each_task_is_told_its_part_and_all_that_it_says_is_passed_on(monkeypatch):
    monkeypatch.setenv("PYTHONIOENCODING", "latin-1")  # the task's own is another one
    lines, numbers = [], iter((12, 1))
    addresses = {"chief": ["a:1"], "worker": ["b:1", "c:1"]}
    cluster = LocalCluster(addresses, [], lambda *line: lines.append(line))
    monkeypatch.setattr(cluster, "command", lambda *task: [sys.executable, "-c", TASK, str(next(numbers))])
    cluster.start("worker", 1)
    assert cluster.wait("worker", 1, PATIENCE) == 0
    names, texts = zip(*lines)
    assert set(names) == {"worker 1"}
    assert texts[0] == f"started at c:1, process {cluster.processes['worker', 1].pid}"
    assert texts[1:-1] == (*map(str, range(12)), "wrong \ufffd", "säid True")  # Ctrl-C in the terminal is not for it
    assert json.loads(texts[-1]) == {"cluster": addresses, "task": {"type": "worker", "index": 1}}
    assert list(cluster.last_lines["worker", 1]) == list(texts[-10:])
    cluster.start("worker", 1)
    assert cluster.wait("worker", 1, PATIENCE) == 0
    assert list(cluster.last_lines["worker", 1]) == ["0", *texts[-3:]]  # and none of the first start


HEEDLESS = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready", flush=True)
time.sleep(20)
"""


@unix_signals
def test_a_task_that_does_not_end_at_sigterm_is_killed_after_a_while_and_then_the_network_is_given_up(monkeypatch):
    is_ready = threading.Event()
    cluster = LocalCluster({"ps": ["a:1"], "chief": ["b:1"]}, [], lambda name, line: line == "ready" and is_ready.set())
    programs = {"ps": HEEDLESS, "chief": "import time; time.sleep(1000)"}
    monkeypatch.setattr(cluster, "command", lambda type, index: [sys.executable, "-c", programs[type]])
    monkeypatch.setattr("local_cluster.PATIENCE", 0.2)
    cluster.network = Mock()
    for task in cluster.names():
        cluster.start(*task)
    assert is_ready.wait(PATIENCE)
    cluster.stop()
    statuses = {task: process.poll() for task, process in cluster.processes.items()}
    assert statuses == {("ps", 0): -signal.SIGKILL, ("chief", 0): -signal.SIGTERM}
    assert [name for name, *_ in cluster.network.method_calls] == ["close"]


def test_the_tasks_find_the_trainer_and_what_the_user_named(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "mine")
    assert python_path().split(os.pathsep) == [str(MLENGINE), "mine"]
    monkeypatch.delenv("PYTHONPATH")
    assert python_path() == str(MLENGINE)


OPEN = (
    "these ports are open to everybody who reaches this machine over a network, and TensorFlow runs what they send: "
    "stay in a network that you trust, or behind a firewall"
)


@unix_signals
@pytest.mark.tensorflow
def test_the_local_cluster_trains_where_nobody_reaches_it_restarts_what_is_killed_and_ends_by_itself(
    tmp_path, few_digits
):
    process = local_cluster("--no-evaluator", *options_of(tmp_path / "job", 300, few_digits))
    output = ""
    while "chief 0     | 1" not in output:  # iteration 100
        line = process.stdout.readline()
        assert line, output  # or else it has ended
        output += line
    reached = [port for port in re.findall(r"started at localhost:(\d+)", output) if answers(port)]
    number = re.search(r"chief 0 .* process (\d+)", output).group(1)
    os.kill(int(number), signal.SIGKILL)
    output += process.stdout.read()
    assert process.wait(60) == 0
    assert len(re.findall(r"chief 0 .* started at", output)) == 2
    assert "SavedModel" in output
    assert {path.stat().st_uid for path in (tmp_path / "job").rglob("*")} == {tmp_path.stat().st_uid}
    assert bool(reached) == (OPEN in output) == (not NETWORKS)


def test_the_local_cluster_ends_as_a_task_that_fails_leaves_none_behind_and_says_where_its_ports_are_open(tmp_path):
    (tmp_path / "tensorflow").mkdir()
    (tmp_path / "tensorflow" / "__init__.py").write_text("raise SystemExit(7)")
    closed = [*AS_USER, "sh", "-c", 'echo 0 > /proc/sys/user/max_net_namespaces && exec "$@"', "sh"]
    before = closed if succeeds(*closed, "true") else []
    process = local_cluster("--job-dir", str(tmp_path), before=before, PYTHONPATH=f"{tmp_path}{os.pathsep}{ROOT}")
    output = process.communicate(timeout=120)[0]
    assert process.returncode == 7
    numbers = re.findall(r"process (\d+)", output)
    assert len(numbers) == 4
    assert not [number for number in numbers if succeeds("kill", "-0", number)]
    reasons = re.findall(rf"(?m)^network     \| {OPEN} \((.*)\)$", output)
    assert len(reasons) == (0 if NETWORKS and not before else 1)
    assert all(
        re.match("this system does not allow a network namespace: [A-Z]|only Linux", reason) for reason in reasons
    )


@pytest.mark.parametrize(
    "arguments, status, expected",
    [
        (["--hp-dense", "none"], 2, "trainer.task: error: argument --hp-dense: 'none', expected a whole number"),
        (["--data-dir=nowhere"], 1, "Data folder 'nowhere' not found"),
    ],
)
def test_the_local_cluster_starts_no_tasks_that_can_not_train(tmp_path, arguments, status, expected):
    process = subprocess.run(
        [sys.executable, str(MLENGINE / "local_cluster.py"), "--job-dir", str(tmp_path), *arguments],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    assert (process.returncode, process.stdout) == (status, "")
    assert process.stderr.splitlines()[-1].startswith(expected)


@pytest.mark.parametrize(
    "arguments, sizes",
    [
        ([], {"chief": 1, "worker": 1, "ps": 1, "evaluator": 1}),
        (["--workers=0", "--ps=2", "--no-evaluator"], {"chief": 1, "ps": 2}),
    ],
)
def test_a_cluster_of_this_machine_has_one_of_each_kind_or_as_many_as_are_asked_for(arguments, sizes, monkeypatch):
    clusters, output = [], io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr("local_cluster.oversee", lambda cluster: clusters.append(cluster) or 7)
    monkeypatch.setattr("mnistdata.read_data_sets", lambda folder: None)
    monkeypatch.setattr("sys.argv", ["local_cluster.py", "--job-dir=job", *arguments])
    monkeypatch.setattr("sys.stdout", output)
    assert main() == 7
    (cluster,) = clusters
    assert {name: len(tasks) for name, tasks in cluster.cluster.items() if tasks} == sizes
    assert cluster.arguments == ["--job-dir=job"]
    cluster.output("worker 10", "j\xf6b")  # which not every output can print
    assert output.buffer.getvalue() == rb"worker 10   | j\xf6b" + os.linesep.encode()


@pytest.mark.parametrize(
    "arguments, expected",
    [
        (["--workers=-1"], "argument --workers: '-1', expected a whole number, 0 or more"),
        (["--ps=0"], "argument --ps: '0', expected a whole number, 1 or more"),
        (["--worker=2"], "trainer.task: error: unrecognized arguments: --worker=2"),
    ],
)
def test_options_that_a_cluster_can_not_have_are_told_with_status_2(arguments, expected, monkeypatch, capsys):
    monkeypatch.setattr("local_cluster.oversee", lambda cluster: None)
    monkeypatch.setattr("sys.argv", ["local_cluster.py", "--job-dir=job", *arguments])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 2
    assert capsys.readouterr().err.splitlines()[-1].endswith(expected)


def test_missing_digits_are_downloaded_before_the_start_unless_they_are_in_a_bucket(monkeypatch):
    read = []
    monkeypatch.setattr("mnistdata.read_data_sets", read.append)
    for folder in ("digits", "gs://bucket/digits"):
        check(["--job-dir=job", f"--data-dir={folder}"])
    assert read == ["digits"]


def test_why_a_cluster_can_not_run_is_told_with_status_1(monkeypatch, capsys):
    monkeypatch.setattr("local_cluster.oversee", Mock(side_effect=OSError("no memory")))
    monkeypatch.setattr("local_cluster.check", lambda arguments: None)
    monkeypatch.setattr("sys.argv", ["local_cluster.py", "--job-dir=job"])
    monkeypatch.setattr("os.dup2", Mock())
    assert main() == 1
    assert capsys.readouterr() == ("", "local_cluster.py: the cluster can't run (no memory)\n")
    assert os.dup2.call_args[0][1] == 1  # else Python would complain once more that nobody reads it


class Fated(LocalCluster):
    """Tasks without processes: each time that one is started, it ends after so many seconds with such a status."""

    def __init__(self, *fates, **of_others):
        """fates: those of the chief, one for each start."""
        self.fates = {task_type: iter(each) for task_type, each in {"chief": fates, **of_others}.items()}
        self.lines, self.starts, self.now = [], {task_type: [] for task_type in self.fates}, 0
        cluster = {task_type: ["localhost:1"] for task_type in self.fates}
        super().__init__(cluster, [], lambda name, line: self.lines.append(f"{name}: {line}"))
        for task in self.names():
            self.start(*task)

    def start(self, *task):
        seconds, status = next(self.fates[task[0]])
        end = self.now + seconds
        self.processes[task] = Mock(poll=lambda: status if self.now >= end else None)
        self.last_lines[task] = ["no such instruction"]
        self.starts[task[0]].append(self.now)

    def wait(self, *task):
        return self.processes[task].poll()

    def sleep(self, seconds):
        self.now += seconds

    def run(self):
        return run(self, clock=lambda: self.now, sleep=self.sleep)


@unix_signals
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_all_tasks_a_second_one_kills_them_and_the_cluster_ends_with_128_and_its_number(
    number, monkeypatch, signals_stay
):
    cluster = Mock()
    cluster.stop.side_effect = lambda: os.kill(os.getpid(), number)
    monkeypatch.setattr("local_cluster.run", lambda cluster: os.kill(os.getpid(), number) or time.sleep(PATIENCE))
    with pytest.raises(SystemExit) as end:
        oversee(cluster)
    assert end.value.code == 128 + number
    assert [name for name, *_ in cluster.method_calls] == ["start_all", "stop", "kill"]


@unix_signals
def test_a_signal_while_the_others_are_stopped_kills_them_and_the_status_stays(monkeypatch, signals_stay):
    cluster = Mock()
    cluster.stop.side_effect = lambda: os.kill(os.getpid(), signal.SIGTERM)
    monkeypatch.setattr("local_cluster.run", lambda cluster: 7)
    assert oversee(cluster, [signal.SIGTERM]) == 7
    assert [name for name, *_ in cluster.method_calls] == ["start_all", "stop", "kill"]


def test_when_the_chief_is_done_the_others_may_end_by_themselves_and_one_that_does_not_is_named(monkeypatch):
    done, lines = [], []

    def wait(*task_and_seconds):
        done.append(task_and_seconds)
        if task_and_seconds[0] == "ps":
            raise subprocess.TimeoutExpired("ps", 30)

    cluster = Mock(names=lambda: [("ps", 1), ("worker", 0)], wait=wait, output=lambda *line: lines.append(line))
    cluster.stop = lambda: done.append("stop")
    monkeypatch.setattr("local_cluster.run", lambda cluster: 0)
    assert oversee(cluster, []) == 0
    assert done == [("ps", 1, 30), ("worker", 0, 30), "stop"]
    assert lines == [("ps 1", "stopped, as it has not ended in 30 s")]


@unix_signals
@pytest.mark.parametrize("status", [-signal.SIGILL, 128 + signal.SIGILL])  # as a shell reports it
def test_a_task_that_ends_at_once_is_started_again_later_each_time_and_then_given_up_with_its_last_lines(status):
    fated = Fated(*[(1, status)] * 100)
    assert fated.run() == 128 + signal.SIGILL == 132
    assert np.diff(fated.starts["chief"]) == pytest.approx([1, 2, 3, 5], abs=0.5)
    assert fated.lines == [
        "chief 0: given up, and the cluster with it, as it ended soon after each of its last 4 starts, now with status "
        "132; its last lines:",
        "chief 0:     no such instruction",
    ]


@unix_signals
def test_a_task_that_ran_long_and_then_can_not_start_any_more_is_given_up_too():
    fated = Fated((100, -signal.SIGILL), *[(1, -signal.SIGILL)] * 100)
    assert fated.run() == 128 + signal.SIGILL
    assert np.diff(fated.starts["chief"]) == pytest.approx([100, 2, 3, 5], abs=0.5)


@pytest.mark.parametrize("seconds, status", [(28, 132), (31, 7)])
def test_a_task_that_runs_for_half_a_minute_from_its_last_start_has_got_going(seconds, status):
    fated = Fated(*[(1, 132)] * 4, (seconds, 132), (1, 7))
    assert fated.run() == status


@unix_signals
def test_a_task_that_is_killed_now_and_then_is_started_again_at_once_each_time():
    fated = Fated(*[(100, -signal.SIGKILL), (1, 143)] * 10, (100, 0))
    assert fated.run() == 0
    assert np.diff(fated.starts["chief"]) == pytest.approx([100, 1] * 10, abs=1.5) and not fated.lines


@unix_signals
def test_each_task_has_pauses_of_its_own():
    few = [(1, -signal.SIGKILL)] * 3 + [(100, 0)]
    fated = Fated((60, 0), ps=few, worker=few)
    assert fated.run() == 0
    for task_type in ("ps", "worker"):
        assert np.diff(fated.starts[task_type]) == pytest.approx([1, 2, 3], abs=0.5)


@pytest.mark.parametrize("fates", [{"worker": [(5, 7)]}, {"ps": [(5, 7)]}, {"evaluator": [(5, 7)]}])
def test_a_task_that_fails_is_not_started_again_and_ends_the_cluster(fates):
    fated = Fated((50, 0), **fates)
    assert fated.run() == 7 and fated.now < 10
    fated = Fated((1, 7), **fates)
    assert fated.run() == 7
    assert fated.starts == {task_type: [0] for task_type in fated.starts}


def test_only_the_chief_ends_the_cluster_by_being_done():
    fated = Fated((50, 0), worker=[(5, 0)], ps=[(7, 0)], evaluator=[(6, 0)])
    assert fated.run() == 0 and fated.now >= 50
    assert fated.starts == {task_type: [0] for task_type in fated.starts}


def test_lines_that_nobody_takes_are_read_to_the_end_and_end_the_cluster():
    def closed(name, line):
        raise BrokenPipeError("nobody reads")

    fated = Fated((100, 0))
    fated.output = closed
    lines = iter(["1\n", "2\n", "3\n"])
    fated.last_lines["chief", 0] = []
    fated.read(("chief", 0), lines)
    assert fated.last_lines["chief", 0] == ["1", "2", "3"]
    with pytest.raises(BrokenPipeError):
        fated.run()


@pytest.mark.parametrize("name, value", [("frozen", True), ("executable", "")])
def test_a_program_without_a_python_of_its_own_starts_no_tasks(monkeypatch, name, value):
    monkeypatch.setattr(sys, name, value, raising=False)
    with pytest.raises(OSError, match="no Python of its own"):
        LocalCluster({"chief": ["localhost:1"]}, [], print)


def test_tasks_that_need_a_bucket_stay_in_the_network_of_the_machine(monkeypatch):
    with pytest.raises(OSError, match="^gs:// is not on this machine$"):
        network_for(["--data-dir=data", "--job-dir=gs://bucket/job"])
    monkeypatch.setattr("local_cluster.OwnNetwork", lambda: "of their own")
    assert network_for(["--data-dir=file:///data", "--job-dir", "ram://job"]) == "of their own"


def test_other_systems_than_linux_have_no_network_for_the_tasks(monkeypatch):
    monkeypatch.setattr("sys.platform", "darwin")
    with pytest.raises(OSError, match="^only Linux has network namespaces$"):
        network_for([])


LISTEN = """
import socket
server = socket.socket()
server.bind(("", 0))
server.listen(1)
print(server.getsockname()[1], flush=True)
server.accept()
"""
CONNECT = (
    "import os, socket, sys; socket.create_connection(('localhost', sys.argv[1])); print(os.getuid(), os.getgid())"
)


START_OF_PYTHON = """
import threading, time
print("site customised", end="")
threading.Thread(target=time.sleep, args=(5,), daemon=True).start()
"""


@pytest.mark.skipif(not NETWORKS, reason="this system does not allow network namespaces")
def test_commands_in_a_network_of_their_own_keep_their_user_and_are_reached_by_each_other_only(tmp_path, monkeypatch):
    (tmp_path / "sitecustomize.py").write_text(START_OF_PYTHON)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    network = network_for(["--data-dir=file:///data", "--job-dir", "job"])
    assert os.getsid(network.keeper.pid) == network.keeper.pid  # Ctrl-C in the terminal is not for it
    listen, connect = (network.command([sys.executable, "-S", "-c", script]) for script in (LISTEN, CONNECT))
    with subprocess.Popen(listen, stdout=subprocess.PIPE, encoding="utf-8") as listener:
        port = listener.stdout.readline().strip()
        assert not answers(port)
        assert subprocess.check_output([*connect, port], encoding="utf-8") == f"{os.getuid()} {os.getgid()}\n"
    network.close()
    assert (listener.returncode, network.keeper.returncode) == (0, 0)
