"""The trainer of mlengine: its options, one machine, clusters of processes that lose some of them, and the package."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tarfile

import numpy as np
import pytest

import cluster
from helpers import ROOT, environment
from local_cluster import network_for
from trainer.cluster import ALONE, ConfigError, parse_tf_config
from trainer.task import parse_options

MLENGINE = ROOT / "mlengine"
SMALL = ["--hp-depth1=2", "--hp-depth2=4", "--hp-depth3=4", "--hp-dense=20"]


# -- TF_CONFIG


def config(cluster, type="chief", index=0, **more):
    return json.dumps({"cluster": cluster, "task": {"type": type, "index": index}, **more})


ADDRESSES = {"chief": ["a:1"], "worker": ["b:1", "c:1"], "ps": ["d:1"]}


@pytest.mark.parametrize(
    "text", [None, "", "  ", "{}", config({"chief": ["a:1"]}), config({"worker": ["a:1"]}, "worker")]
)
def test_without_others_a_task_is_alone(text):
    assert parse_tf_config(text) == ALONE
    assert ALONE.is_alone and ALONE.is_chief


@pytest.mark.parametrize("type, index, position", [("chief", 0, 0), ("worker", 0, 1), ("worker", 1, 2)])
def test_trainers_are_the_chief_and_the_workers(type, index, position):
    task = parse_tf_config(config(ADDRESSES, type, index))
    assert task.trainers == [("chief", 0), ("worker", 0), ("worker", 1)]
    assert (task.position, task.is_chief, task.address) == (position, position == 0, ADDRESSES[type][index])


def test_master_is_the_older_name_of_the_chief():
    task = parse_tf_config(config({"master": ["a:1"], "worker": ["b:1"], "ps": ["c:1"]}, "master"))
    assert task.is_chief and task.trainers == [("master", 0), ("worker", 0)]


def test_without_chief_the_first_worker_does_its_work():
    tasks = [parse_tf_config(config({"worker": ["a:1", "b:1"], "ps": ["c:1"]}, "worker", index)) for index in (0, 1)]
    assert [task.is_chief for task in tasks] == [True, False]


@pytest.mark.parametrize("addresses", [ADDRESSES, {**ADDRESSES, "evaluator": ["e:1"]}])
def test_the_evaluator_is_no_part_of_the_cluster(addresses):
    """Kubeflow lists its address, Vertex AI does not."""
    task = parse_tf_config(config(addresses, "evaluator", environment="cloud", job={}))
    assert (task.type, task.cluster) == ("evaluator", ADDRESSES)
    assert not task.is_chief
    assert parse_tf_config(config(addresses)).cluster == ADDRESSES


BAD_CONFIGS = {
    '{"cluster": ': "is not JSON",
    "[1]": "has no cluster",
    '{"task": {"type": "worker", "index": 0}}': "has no cluster",
    '{"cluster": {}, "task": {"type": "worker", "index": 0}}': "has no cluster",
    json.dumps({"cluster": ADDRESSES}): "has the task type None, expected one of chief, master, worker, ps, evaluator",
    config(ADDRESSES, "boss"): "has the task type 'boss'",
    config({**ADDRESSES, "boss": ["e:1"]}): "has a task 'boss' in its cluster",
    config({"worker": ["a:1", "b:1"], "ps": ["c:1"]}): "has the task type chief, expected one that is in its cluster",
    config(ADDRESSES, "worker", 2): "has the task index 2 for worker, expected a number from 0 to 1",
    config(ADDRESSES, "worker", -1): "has the task index -1 for worker",
    config(ADDRESSES, "worker", "x"): "has the task index 'x' for worker",
    config(ADDRESSES, "evaluator", 1): "has the task index 1 for evaluator, expected a number from 0 to 0",
    config({**ADDRESSES, "ps": "d:1"}): 'has "d:1" for ps in its cluster, expected a list of addresses',
    config({**ADDRESSES, "ps": ["d"]}): 'has ["d"] for ps in its cluster',
    config({**ADDRESSES, "ps": ["d:65536"]}): 'has ["d:65536"] for ps',
    config({**ADDRESSES, "ps": ["a:1"]}): "has a:1 for two tasks",
    config({**ADDRESSES, "master": ["e:1"]}): "has 2 tasks of type chief or master",
    config({"chief": ["a:1"], "worker": ["b:1"]}): "has no ps in its cluster",
    config({"ps": ["a:1"]}, "ps"): "has no task in its cluster that trains",
}


@pytest.mark.parametrize("text", BAD_CONFIGS)
def test_a_bad_tf_config_is_told_in_one_sentence(text):
    with pytest.raises(ConfigError) as error:
        parse_tf_config(text)
    assert str(error.value).startswith("TF_CONFIG " + BAD_CONFIGS[text])
    assert "\n" not in str(error.value)


# -- options


def options_error(capsys, *arguments):
    """The last line that bad options are answered with."""
    with pytest.raises(SystemExit) as end:
        parse_options(arguments)
    assert end.value.code == 2
    return capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize(
    "argument, expected",
    [
        ("--hp-dense=0", "expected a whole number, 1 or more"),
        ("--hp-batch=many", "expected a whole number, 1 or more"),
        ("--hp-dropout=1", "expected a number from 0 to below 1"),
        ("--hp-learning-rate=nan", "expected a number, 0 or more"),
        ("--seed=-1", "expected a whole number, 0 or more"),
        ("--hp-iter=10", "unrecognized arguments"),
        ("--data-dir=", "expected the name of a folder"),
    ],
)
def test_options_that_can_not_be_used_are_told_with_status_2(capsys, argument, expected):
    assert expected in options_error(capsys, "--job-dir=job", argument)


@pytest.mark.parametrize(
    "name, expected",
    [
        ("job [run 1]", r"'job \[run 1\]' has \[ in it, which TensorFlow takes for a pattern"),
        ("a*b/job", r"has \* in it"),
        ("gs://bucket/what?", r"has \? in it"),
        ("job\\1", r"has \\ in it"),
        ("j\udcf6b", r"'j\\udcf6b' is not UTF-8"),
        ("", "expected the name of a folder"),
    ],
)
@pytest.mark.skipif(sys.platform == "win32", reason="there \\ stands between folders")
def test_a_job_folder_that_tensorflow_would_not_take_literally_is_told_with_status_2(capsys, name, expected):
    assert re.search(expected, options_error(capsys, "--job-dir", name))


@pytest.mark.parametrize("option", ["--job-dir", "--data-dir"])
def test_a_tilde_is_the_home_folder(monkeypatch, option):
    monkeypatch.setenv("HOME", "/home/learner")
    monkeypatch.setenv("USERPROFILE", "/home/learner")
    for text, expected in {"~/x": "/home/learner/x", "./~": "./~", "gs://b/~": "gs://b/~"}.items():
        options = parse_options(["--job-dir=job", f"{option}={text}"])
        assert getattr(options, option[2:].replace("-", "_")) == expected


# -- the program


def trainer_command(job_dir, *arguments):
    return [sys.executable, "-m", "trainer.task", "--job-dir", str(job_dir), *arguments]


def run_trainer(job_dir, *arguments, **variables):
    return subprocess.run(
        trainer_command(job_dir, *arguments),
        cwd=str(MLENGINE),
        env=environment(**variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        timeout=300,
    )


def succeed(job_dir, *arguments, **variables):
    process = run_trainer(job_dir, *SMALL, *arguments, **variables)
    assert (process.returncode, process.stderr) == (0, "")
    return process.stdout


def test_a_bad_tf_config_ends_the_program_with_status_2(tmp_path):
    process = run_trainer(tmp_path, TF_CONFIG='{"cluster": ')
    assert (process.returncode, process.stdout) == (2, "")
    assert re.fullmatch(r"trainer.task: TF_CONFIG is not JSON .*\n", process.stderr)


# Runs of the trainer one after the other in one process, as each would import TensorFlow anew
SEVERAL_RUNS = """
import io, json, os, sys
from trainer import task

results = []
for arguments, os.environ["TF_CONFIG"] in json.load(sys.stdin):
    streams = sys.stdout, sys.stderr = [io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2)]
    try:
        status = task.main(arguments)
    except SystemExit as end:  # as the interpreter does
        status = end.code if isinstance(end.code, int) else 1
        print(end.code, file=sys.stderr)
    finally:
        sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__
    for stream in streams:
        stream.flush()
    results.append([status, *(stream.buffer.getvalue().decode() for stream in streams)])
json.dump(results, sys.stdout)
"""


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Short runs that differ in one thing each: {name: [status, standard output, standard error]}."""
    import tensorflow.compat.v1 as tf

    folder = tmp_path_factory.mktemp("runs")
    (folder / "file").write_text("")
    # as gs:// is another file system. ram:// is the memory of the process, and TensorFlow 1 has none
    elsewhere = f"file://{folder}/job" if tf.__version__.startswith("1.") else "ram://job"
    with socket.socket() as other:
        other.bind(("localhost", 0))
        other.listen(1)
        address = f"localhost:{other.getsockname()[1]}"
        addresses = {"chief": ["localhost:1"], "worker": ["localhost:2"], "ps": ["localhost:3"]}
        asked = {
            "elsewhere": [["--job-dir", elsewhere, "--hp-iterations=10", f"--data-dir=file://{ROOT}/data"], ""],
            "another network": [["--job-dir", elsewhere, "--hp-dense=30"], ""],
            "no data": [["--job-dir", f"{folder}/1", "--data-dir=nowhere"], ""],
            "no folder": [["--job-dir", f"{folder}/file/job"], ""],
            "no number": [["--job-dir", f"{folder}/2", "--hp-learning-rate=1e30", "--hp-iterations=100"], ""],
        }
        for type in ("ps", "worker"):
            asked[type] = [["--job-dir", f"{folder}/{type}"], config({**addresses, type: [address]}, type)]
        process = subprocess.run(
            [sys.executable, "-c", SEVERAL_RUNS],
            input=json.dumps([[[*SMALL, *arguments], text] for arguments, text in asked.values()]),
            cwd=str(MLENGINE),
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            timeout=300,
        )
    assert (process.returncode, process.stderr) == (0, "")
    return {**dict(zip(asked, json.loads(process.stdout))), "address": address, "job_dir": elsewhere}


@pytest.mark.tensorflow
@pytest.mark.xdist_group("runs")
def test_folders_may_be_in_other_file_systems_of_tensorflow(runs):
    status, output, error = runs["elsewhere"]
    assert (status, error) == (0, "")
    assert f"SavedModel: {runs['job_dir']}/export/10" in output


@pytest.mark.tensorflow
@pytest.mark.xdist_group("runs")
@pytest.mark.parametrize("type", ["ps", "worker"])
def test_an_address_in_use_ends_the_program_with_status_2(runs, type):
    status, output, error = runs[type]
    assert (status, output) == (2, "")
    expected = rf"trainer.task: TF_CONFIG has {runs['address']} for this {type} 0, whose port .*\n"
    assert re.fullmatch(expected, error)


@pytest.mark.tensorflow
@pytest.mark.xdist_group("runs")
@pytest.mark.parametrize(
    "name, expected",
    [
        ("another network", r"model.ckpt-10 has network/\w+ \[.*\], expected \[.*30.*\]: use the options"),
        ("no data", "Data folder 'nowhere' not found"),
        ("no folder", r"trainer.task: chief 0 of --job-dir .*/file/job failed "),
    ],
)
def test_what_can_not_be_used_is_told_in_one_sentence(runs, name, expected):
    status, _, error = runs[name]
    assert status == 1
    assert len(error.splitlines()) == 1
    assert re.search(expected, error)


@pytest.mark.tensorflow
@pytest.mark.xdist_group("runs")
def test_a_loss_that_is_no_number_ends_the_training(runs):
    status, _, error = runs["no number"]
    assert status == 1
    assert error.splitlines()[-1].startswith("trainer.task: the loss is not a number any more")


# -- one machine


@pytest.fixture(scope="module")
def job(tmp_path_factory):
    """A training of 60 iterations on one machine: its folder, and what was printed.

    The folder has a name that is not ASCII, which standard output can't print.
    """
    folder = tmp_path_factory.mktemp("alone") / "jöb"
    options = ["--hp-iterations=60", "--checkpoint-every=25", "--hp-batch=50", "--hp-dropout=0.1"]
    return folder, succeed(folder, *options, PYTHONIOENCODING="ascii")


@pytest.mark.tensorflow
@pytest.mark.xdist_group("job")
def test_one_machine_trains_tests_and_exports(job):
    folder, output = job
    assert re.findall(r"^(\d+): \*+ test accuracy", output, re.MULTILINE) == ["0", "25", "50", "60"]
    assert f"SavedModel: {folder}/export/60".replace("ö", "\\xf6") in output
    assert cluster.test_accuracy(output) > 0.5


@pytest.mark.tensorflow
@pytest.mark.xdist_group("job")
def test_nothing_that_is_read_from_a_job_folder_says_where_it_is(job):
    folder, _ = job
    files = [path for path in folder.rglob("*") if path.is_file()]
    files = [path for path in files if not path.name.startswith("events")]  # TensorFlow notes there what nobody reads
    assert len(files) > 10
    assert not [path.name for path in files if str(folder.parent).encode() in path.read_bytes()]


@pytest.mark.tensorflow
@pytest.mark.xdist_group("job")
def test_tensorboard_gets_the_curves(job):
    import tensorflow.compat.v1 as tf

    folder, _ = job
    curves = {}
    for path in [*folder.glob("events*"), *(folder / "eval").glob("events*")]:
        for event in tf.train.summary_iterator(str(path)):
            for value in event.summary.value:
                curves.setdefault((path.parent.name, value.tag), []).append(event.step)
    assert curves["eval", "accuracy"] == curves["eval", "loss"] == [0, 25, 50, 60]
    assert {tag for name, tag in curves if name == folder.name} >= {"accuracy", "loss", "lr"}


@pytest.mark.tensorflow
@pytest.mark.xdist_group("job")
def test_the_saved_model_computes_what_the_session_of_the_training_does(job):
    import tensorflow.compat.v1 as tf

    import mnistdata
    from trainer.evaluation import Evaluation

    folder, _ = job
    digits = mnistdata.read_data_sets(str(ROOT / "data"), reshape=False).test
    images = digits.images[:100, ..., 0]
    evaluation = Evaluation(parse_options(["--job-dir", str(folder), *SMALL]))
    evaluation.restore(f"{folder}/model.ckpt-60")
    expected = evaluation.session.run(evaluation.network.probabilities, {evaluation.images: images})
    with tf.Graph().as_default(), tf.Session() as session:
        signature = tf.saved_model.load(session, ["serve"], f"{folder}/export/60").signature_def["serving_default"]
        assert signature.inputs["image"].tensor_shape.dim[1].size == 28
        classes, probabilities = session.run(
            [signature.outputs[name].name for name in ("classes", "probabilities")],
            {signature.inputs["image"].name: images},
        )
    np.testing.assert_array_equal(probabilities, expected)
    np.testing.assert_array_equal(classes, expected.argmax(axis=1))
    assert classes.dtype == np.int64
    assert np.mean(classes == digits.labels[:100]) > 0.5


@pytest.mark.tensorflow
@pytest.mark.xdist_group("job")
def test_saved_model_cli_computes_what_predict_prints(job, tmp_path, monkeypatch, capsys):
    import predict

    images = [str(MLENGINE / "samples" / f"{digit}.png") for digit in range(10)]
    request = tmp_path / "request.json"
    monkeypatch.setattr(sys, "argv", ["predict.py", "--model", str(job[0]), "--request", str(request), *images])
    assert predict.main() == 0
    printed = capsys.readouterr().out.splitlines()
    np.save(
        str(tmp_path / "digits.npy"),
        np.float32([each["image"] for each in json.loads(request.read_text())["instances"]]),
    )
    command = [sys.executable, "-m", "tensorflow.python.tools.saved_model_cli", "run", "--dir", f"{job[0]}/export/60"]
    command += ["--tag_set=serve", "--signature_def=serving_default", "--inputs=image=digits.npy", "--outdir=."]
    subprocess.run(command, cwd=str(tmp_path), check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    probabilities = np.load(str(tmp_path / "probabilities.npy"))
    for line, row, digit in zip(printed, probabilities, np.load(str(tmp_path / "classes.npy"))):
        assert re.search(r"png +(\d)", line).group(1) == str(digit)
        assert re.findall(r"\d: (\S+?)[ )]", line) == [f"{probability:.4f}" for probability in row]
    assert len(printed) == len(probabilities) == 10


@pytest.mark.tensorflow
@pytest.mark.xdist_group("job")
def test_options_shape_the_network(job):
    import tensorflow.compat.v1 as tf

    shapes = tf.train.load_checkpoint(str(job[0])).get_variable_to_shape_map()
    assert [shapes[f"network/W{number}"] for number in range(1, 6)] == [
        [6, 6, 1, 2],
        [5, 5, 2, 4],
        [4, 4, 4, 4],
        [196, 20],
        [20, 10],
    ]


def move(old, new):
    """Copies a job folder, lets its list of checkpoints name the old paths, and leaves no use in what lies there.

    The list names whole paths if another program wrote it, or a trainer of before.
    """
    shutil.copytree(str(old), str(new))
    checkpoints = (new / "checkpoint").read_text()
    (new / "checkpoint").write_text(checkpoints.replace("model.ckpt", f"{old}/model.ckpt"))
    for path in old.glob("model.ckpt*"):
        path.write_bytes(b"of somebody else")


def is_untouched(old):
    """Whether in a folder that was moved is still what lay there."""
    return {path.read_bytes() for path in old.glob("model.ckpt*")} == {b"of somebody else"}


def listed(folder):
    """The iterations of the checkpoints that a job folder lists, all of which are there, the newest last."""
    names = re.findall(r'all_model_checkpoint_paths: "(.*)"', (folder / "checkpoint").read_text())
    assert {path.name for path in folder.glob("model.ckpt*.index")} == {f"{name}.index" for name in names}
    return [int(re.fullmatch(r"model\.ckpt-(\d+)", name).group(1)) for name in names]


def train_until_signal(job_dir, number):
    """Starts a training, sends it a signal after a line of the training, and returns what was printed."""
    command = [*trainer_command(job_dir, *SMALL), "--checkpoint-every=30"]
    process = subprocess.Popen(command, cwd=str(MLENGINE), env=environment(), stdout=subprocess.PIPE, encoding="utf-8")
    output = ""
    while not re.search(r"^\d\d+: accuracy", output, re.MULTILINE):
        output += process.stdout.readline()
    process.send_signal(number)
    output += process.stdout.read()
    assert process.wait(60) == 128 + number
    return output


@pytest.mark.tensorflow
@pytest.mark.xdist_group("signals")
def test_after_a_signal_and_a_move_a_run_goes_on_and_a_complete_one_only_reports(tmp_path):
    old, moved = tmp_path / "old", tmp_path / "moved"
    begun = train_until_signal(old, signal.SIGTERM)
    assert "training begins" in begun
    reached = listed(old)[-1]
    assert reached >= int(re.findall(r"^(\d+): accuracy", begun, re.MULTILINE)[-1])
    move(old, moved)
    more = train_until_signal(moved, signal.SIGINT)
    assert f"training goes on from iteration {reached}\n" in more
    assert is_untouched(old)
    assert len(listed(moved)) == 5  # the oldest are deleted, also those that the first run wrote
    assert listed(moved)[-1] >= int(re.findall(r"^(\d+): accuracy", more, re.MULTILINE)[-1])
    again = succeed(f"file://{moved}", "--hp-iterations=10")  # complete already
    assert "training" not in again
    assert cluster.test_accuracy(again) == cluster.test_accuracy(more)
    assert f"SavedModel: file://{moved}/export/{listed(moved)[-1]}" in again


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


ENDLESS = 1000000  # iterations


def options_of(job_dir, iterations, *more):
    return [*cluster.trainer_options(iterations, str(job_dir)), "--checkpoint-every=50", *SMALL, *more]


@pytest.fixture
def start():
    """Starts clusters, and stops them when the test has ended."""
    started = []

    def start(sizes, options):
        started.append(cluster.WatchedCluster(sizes, options))
        started[-1].start_all()
        return started[-1]

    yield start
    for each in started:
        each.stop()


@pytest.mark.tensorflow
def test_an_asynchronous_training_survives_the_loss_of_each_task_and_of_all_and_a_move(tmp_path, start):
    old, moved = tmp_path / "old", tmp_path / "moved"
    sizes, shared = {"ps": 2, "master": 1, "worker": 1}, "--hp-dense=700"  # large enough to be divided
    running = start(sizes, options_of(old, ENDLESS, shared))
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
    running = start({**sizes, "evaluator": 1}, options_of(moved, newest + 100, shared))
    assert set(running.finish().values()) == {0}
    assert running.begun_from(running.chief) == [newest]
    accuracy = cluster.test_accuracy(running.printed(running.chief))
    assert accuracy == cluster.test_accuracy(running.printed(("evaluator", 0)))
    assert accuracy > 0.5
    assert is_untouched(old)
    last = listed(moved)[-1]
    assert (moved / "export" / str(last) / "saved_model.pb").exists()

    alone = succeed(moved, f"--hp-iterations={last + 10}", shared)
    assert f"training goes on from iteration {last}\n" in alone


@pytest.mark.tensorflow
def test_a_synchronous_training_survives_the_loss_of_tasks_that_others_wait_for(tmp_path, start):
    running = start({"ps": 2, "chief": 1, "worker": 2}, options_of(tmp_path, 400, "--sync"))
    running.wait_for_training(cluster.WORKER)
    running.wait_for_training(("worker", 1))
    running.wait_until(lambda: running.iteration() >= 100)
    reached = running.iteration()
    cluster.chief_restarted(running)  # until it is back, nobody goes on
    assert running.begun_from(running.chief)[-1] >= reached - 50
    cluster.ps_restarted(running)
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


def succeeds(*command):
    try:
        return subprocess.call(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) == 0
    except OSError:
        return False


def answers(port):
    """Whether a port of this machine can be reached from the network of the test."""
    for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        with socket.socket(family) as client:
            if client.connect_ex((address, int(port))) == 0:
                return True
    return False


OPEN = "these ports are open to everybody who reaches this machine"
AS_USER = ["unshare", "--user", "--map-root-user"]  # with all rights, in namespaces of its own
NETWORKS = succeeds("unshare", "--net", "true") or succeeds(*AS_USER, "--net", "true")


@pytest.mark.tensorflow
def test_the_local_cluster_trains_where_nobody_reaches_it_restarts_what_is_killed_and_ends_by_itself(tmp_path):
    process = local_cluster("--no-evaluator", *options_of(tmp_path / "job", 300))
    output = ""
    while "chief 0     | 1" not in output:  # iteration 100
        output += process.stdout.readline()
    reached = [port for port in re.findall(r"started at localhost:(\d+)", output) if answers(port)]
    number = re.search(r"chief 0 .* process (\d+)", output).group(1)
    subprocess.run(["kill", "-9", number], check=True)
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
    assert len(re.findall(OPEN, output)) == (0 if NETWORKS and not before else 1)


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


def test_tasks_that_need_a_bucket_stay_in_the_network_of_the_machine():
    with pytest.raises(OSError, match="^gs:// is not on this machine$"):
        network_for(["--data-dir=data", "--job-dir=gs://bucket/job"])


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


@pytest.mark.skipif(not NETWORKS, reason="this system does not allow network namespaces")
def test_commands_in_a_network_of_their_own_keep_their_user_and_are_reached_by_each_other_only():
    network = network_for(["--data-dir=file:///data", "--job-dir", "job"])
    listen, connect = (network.command([sys.executable, "-c", script]) for script in (LISTEN, CONNECT))
    with subprocess.Popen(listen, stdout=subprocess.PIPE, encoding="utf-8") as listener:
        port = listener.stdout.readline().strip()
        assert not answers(port)
        assert subprocess.check_output([*connect, port], encoding="utf-8") == f"{os.getuid()} {os.getgid()}\n"
    network.close()
    assert (listener.returncode, network.keeper.returncode) == (0, 0)


# -- the package


def test_the_package_brings_all_that_the_trainer_needs(tmp_path):
    pytest.importorskip("setuptools")
    clone, folder = tmp_path / "clone", str(tmp_path)  # a copy, as the others use mlengine at the same time
    for name in ("mlengine", "visu"):
        shutil.copytree(str(ROOT / name), str(clone / name), ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("mnistdata.py", "tensorflowvisu.py", "requirements.txt"):
        shutil.copy(str(ROOT / name), str(clone))
    before = sorted(clone.rglob("*"))
    subprocess.run(
        [sys.executable, "setup.py", "-q", "egg_info", "--egg-base", folder, "sdist", "--dist-dir", folder],
        cwd=str(clone / "mlengine"),
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    assert sorted(clone.rglob("*")) == before
    house = {str(path.relative_to(ROOT)) for path in (ROOT / "visu").rglob("*.py")}
    with tarfile.open(str(tmp_path / "trainer-1.0.tar.gz")) as package:
        names = {name.partition("/")[2] for name in package.getnames()}
        modules = {f"trainer/{path.name}" for path in (MLENGINE / "trainer").glob("*.py")}
        assert names >= modules | house | {"mnistdata.py", "tensorflowvisu.py", "requirements.txt", "setup.py"}
        package.extractall(folder, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))
    process = subprocess.run(
        [sys.executable, "-m", "trainer.task", "--job-dir", "job", "--data-dir", str(tmp_path / "none")],
        cwd=str(tmp_path / "trainer-1.0"),
        env=environment(PYTHONPATH=""),
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    assert "Data folder" in process.stderr  # so its imports were found in the package
