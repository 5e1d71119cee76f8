"""The trainer of mlengine: its options, one machine, clusters of processes that lose some of them, and the package."""

import json
import re
import signal
import socket
import subprocess
import sys
import tarfile

import numpy as np
import pytest

import cluster
from helpers import ROOT, environment
from trainer.cluster import ALONE, ConfigError, parse_tf_config

MLENGINE = ROOT / "mlengine"
SMALL = ["--hp-depth1=2", "--hp-depth2=4", "--hp-depth3=4", "--hp-dense=20"]
ASYNCHRONOUS = [event for event in cluster.EVENTS.values() if event is not cluster.nothing]
SYNCHRONOUS = [cluster.worker_killed, cluster.chief_restarted, cluster.ps_restarted]  # what others wait for
EVENTS = [(event, []) for event in ASYNCHRONOUS] + [(event, ["--sync"]) for event in SYNCHRONOUS]


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


# -- the program


def run_trainer(job_dir, *arguments, **variables):
    return subprocess.run(
        [sys.executable, "-m", "trainer.task", "--job-dir", str(job_dir), *arguments],
        cwd=str(MLENGINE),
        env=environment(**variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        timeout=300,
    )


def succeed(job_dir, *arguments):
    process = run_trainer(job_dir, *SMALL, *arguments)
    assert (process.returncode, process.stderr) == (0, "")
    return process.stdout


def test_a_bad_tf_config_ends_the_program_with_status_2(tmp_path):
    process = run_trainer(tmp_path, TF_CONFIG='{"cluster": ')
    assert (process.returncode, process.stdout) == (2, "")
    assert re.fullmatch(r"trainer.task: TF_CONFIG is not JSON .*\n", process.stderr)


@pytest.mark.tensorflow
@pytest.mark.parametrize("type", ["ps", "worker"])
def test_an_address_in_use_ends_the_program_with_status_2(tmp_path, type):
    with socket.socket() as other:
        other.bind(("localhost", 0))
        other.listen(1)
        address = f"localhost:{other.getsockname()[1]}"
        text = config(
            {"chief": ["localhost:1"], "worker": ["localhost:2"], "ps": ["localhost:3"], type: [address]}, type
        )
        process = run_trainer(tmp_path, TF_CONFIG=text)
    assert (process.returncode, process.stdout) == (2, "")
    assert re.fullmatch(rf"trainer.task: TF_CONFIG has {address} for this {type} 0, whose port .*\n", process.stderr)


@pytest.mark.parametrize(
    "argument, expected",
    [
        ("--hp-dense=0", "expected a whole number, 1 or more"),
        ("--hp-batch=many", "expected a whole number, 1 or more"),
        ("--hp-dropout=1", "expected a number from 0 to below 1"),
        ("--hp-learning-rate=nan", "expected a number, 0 or more"),
        ("--seed=-1", "expected a whole number, 0 or more"),
        ("--hp-iter=10", "unrecognized arguments"),
    ],
)
def test_options_that_can_not_be_used_end_the_program_with_status_2(tmp_path, argument, expected):
    process = run_trainer(tmp_path, argument)
    assert process.returncode == 2
    assert expected in process.stderr.splitlines()[-1]


# -- one machine


@pytest.fixture(scope="module")
def job(tmp_path_factory):
    """A training of 60 iterations on one machine: its folder, and what was printed."""
    folder = tmp_path_factory.mktemp("alone") / "job"
    return folder, succeed(folder, "--hp-iterations=60", "--checkpoint-every=25", "--hp-batch=50", "--hp-dropout=0.1")


@pytest.mark.tensorflow
def test_one_machine_trains_tests_and_exports(job):
    folder, output = job
    assert re.findall(r"^(\d+): \*+ test accuracy", output, re.MULTILINE) == ["0", "25", "50", "60"]
    assert f"SavedModel: {folder}/export/60" in output
    assert cluster.test_accuracy(output) > 0.5


@pytest.mark.tensorflow
def test_tensorboard_gets_the_curves(job):
    import tensorflow.compat.v1 as tf

    folder, _ = job
    curves = {}
    for path in [*folder.glob("events*"), *(folder / "eval").glob("events*")]:
        for event in tf.train.summary_iterator(str(path)):
            for value in event.summary.value:
                curves.setdefault((path.parent.name, value.tag), []).append(event.step)
    assert curves["eval", "accuracy"] == curves["eval", "loss"] == [0, 25, 50, 60]
    assert {tag for name, tag in curves if name == "job"} >= {"accuracy", "loss", "lr"}


@pytest.mark.tensorflow
def test_the_saved_model_computes_what_the_session_of_the_training_does(job):
    import tensorflow.compat.v1 as tf

    import mnistdata
    from trainer.evaluation import Evaluation
    from trainer.task import parse_options

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
def test_saved_model_cli_computes_what_predict_prints(job, tmp_path):
    images = [str(MLENGINE / "samples" / f"{digit}.png") for digit in range(10)]
    command = [
        sys.executable,
        str(MLENGINE / "predict.py"),
        "--model",
        str(job[0]),
        "--request",
        "request.json",
        *images,
    ]
    printed = subprocess.check_output(command, cwd=str(tmp_path), env=environment(), encoding="utf-8").splitlines()
    body = json.loads((tmp_path / "request.json").read_text())
    np.save(str(tmp_path / "digits.npy"), np.float32([instance["image"] for instance in body["instances"]]))
    command = [sys.executable, "-m", "tensorflow.python.tools.saved_model_cli", "run", "--dir", f"{job[0]}/export/60"]
    command += ["--tag_set=serve", "--signature_def=serving_default", "--inputs=image=digits.npy", "--outdir=."]
    subprocess.run(command, cwd=str(tmp_path), check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    probabilities = np.load(str(tmp_path / "probabilities.npy"))
    for line, row, digit in zip(printed, probabilities, np.load(str(tmp_path / "classes.npy"))):
        assert re.search(r"png +(\d)", line).group(1) == str(digit)
        assert re.findall(r"\d: (\S+?)[ )]", line) == [f"{probability:.4f}" for probability in row]
    assert len(printed) == len(probabilities) == 10


@pytest.mark.tensorflow
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


@pytest.mark.tensorflow
def test_a_run_started_again_goes_on_and_a_complete_one_only_reports(tmp_path):
    assert "training begins" in succeed(tmp_path, "--hp-iterations=20")
    more = succeed(tmp_path, "--hp-iterations=30")
    assert "training goes on from iteration 20" in more and "SavedModel" in more
    again = succeed(tmp_path, "--hp-iterations=30")
    assert "training" not in again
    assert cluster.test_accuracy(again) == cluster.test_accuracy(more)


@pytest.mark.tensorflow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_leaves_a_checkpoint_from_which_it_goes_on(tmp_path, number):
    process = subprocess.Popen(
        [sys.executable, "-m", "trainer.task", "--job-dir", str(tmp_path), *SMALL],
        cwd=str(MLENGINE),
        env=environment(),
        stdout=subprocess.PIPE,
        encoding="utf-8",
    )
    last = None
    while not last:
        last = re.match(r"(\d\d+): accuracy", process.stdout.readline())
    process.send_signal(number)
    process.stdout.read()
    assert process.wait(60) == 128 + number
    output = succeed(tmp_path, "--hp-iterations=10")  # complete already
    saved = re.search(r"SavedModel: .*/export/(\d+)", output)
    assert int(saved.group(1)) >= int(last.group(1))


@pytest.mark.tensorflow
@pytest.mark.parametrize(
    "arguments, expected",
    [
        (["--hp-dense=30"], r"model.ckpt-60 has network/\w+ \[.*\], expected \[.*30.*\]: use the options"),
        (["--data-dir=nowhere"], "Data folder 'nowhere' not found"),
    ],
)
def test_what_can_not_be_used_is_told_in_one_sentence(job, arguments, expected):
    process = run_trainer(job[0], *SMALL, *arguments)
    assert process.returncode == 1
    assert len(process.stderr.splitlines()) == 1
    assert re.search(expected, process.stderr)


@pytest.mark.tensorflow
def test_a_job_folder_that_can_not_be_made_is_told_in_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    process = run_trainer(tmp_path / "file" / "job")
    assert process.returncode == 1
    assert re.fullmatch(rf"trainer.task: chief 0 of --job-dir {tmp_path}/file/job failed .*\n", process.stderr)


@pytest.mark.tensorflow
def test_a_loss_that_is_no_number_ends_the_training(tmp_path):
    process = run_trainer(tmp_path, *SMALL, "--hp-learning-rate=1e30", "--hp-iterations=100")
    assert process.returncode == 1
    assert process.stderr.splitlines()[-1].startswith("trainer.task: the loss is not a number any more")


@pytest.mark.tensorflow
def test_folders_may_be_in_other_file_systems_of_tensorflow(tmp_path):
    """As gs:// is. ram:// is the memory of the process, and TensorFlow 1 has none."""
    import tensorflow.compat.v1 as tf

    job_dir = f"file://{tmp_path}/job" if tf.__version__.startswith("1.") else "ram://job"
    output = succeed(job_dir, "--hp-iterations=10", f"--data-dir=file://{ROOT}/data")
    assert f"SavedModel: {job_dir}/export/10" in output


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


def options_of(job_dir, iterations=300, *more):
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
@pytest.mark.parametrize("sync", [[], ["--sync"]])
def test_a_cluster_with_each_kind_of_task_trains(tmp_path, start, sync):
    running = start({"ps": 2, "chief": 1, "worker": 2, "evaluator": 1}, options_of(tmp_path, 200, *sync))
    assert set(running.finish().values()) == {0}
    assert "training" in running.printed(("worker", 0)) and "training" in running.printed(("worker", 1))
    assert cluster.test_accuracy(running.printed(("evaluator", 0))) == cluster.test_accuracy(
        running.printed(cluster.CHIEF)
    )
    assert cluster.test_accuracy(running.printed(cluster.CHIEF)) > 0.5
    assert list(tmp_path.glob("export/*/saved_model.pb"))


@pytest.mark.tensorflow
def test_master_leads_and_one_machine_goes_on_with_what_a_cluster_began(tmp_path, start):
    running = start({"ps": 2, "master": 1, "worker": 1}, options_of(tmp_path, 40, "--hp-dense=300"))
    assert set(running.finish().values()) == {0}
    output = succeed(tmp_path, "--hp-iterations=60", "--hp-dense=300")
    assert re.search(r"training goes on from iteration 4\d", output)


@pytest.mark.tensorflow
@pytest.mark.parametrize("event, sync", EVENTS, ids=[" ".join([event.__name__, *sync]) for event, sync in EVENTS])
def test_a_training_survives(tmp_path, start, event, sync):
    running = start({"ps": 1, "chief": 1, "worker": 1}, options_of(tmp_path, 300, *sync))
    running.wait_until(lambda: running.iteration() >= 100)
    reached = running.iteration()
    event(running)
    statuses = running.finish()
    killed = [cluster.WORKER] if event is cluster.worker_killed else []
    assert statuses == {task: -signal.SIGKILL if task in killed else 0 for task in running.names()}
    begun = re.findall(r"training goes on from iteration (\d+)", running.printed(cluster.CHIEF))
    if event in (cluster.chief_restarted, cluster.ps_restarted, cluster.all_preempted):
        assert int(begun[-1]) >= reached - 50  # one checkpoint interval
    assert cluster.test_accuracy(running.printed(cluster.CHIEF)) > 0.5
    assert list(tmp_path.glob("export/*/saved_model.pb"))


@pytest.mark.tensorflow
def test_the_local_cluster_restarts_what_is_killed_and_ends_by_itself(tmp_path):
    command = [sys.executable, str(MLENGINE / "local_cluster.py"), "--no-evaluator", *options_of(tmp_path)]
    process = subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, encoding="utf-8")
    output = ""
    while "chief 0     | 1" not in output:  # iteration 100
        output += process.stdout.readline()
    number = int(re.search(r"chief 0 .* process (\d+)", output).group(1))
    subprocess.run(["kill", "-9", str(number)], check=True)
    output += process.stdout.read()
    assert process.wait(60) == 0
    assert len(re.findall(r"chief 0 .* started at", output)) == 2
    assert "SavedModel" in output


@pytest.mark.tensorflow
def test_the_local_cluster_ends_with_the_status_of_a_task_that_fails_and_leaves_none_behind(tmp_path):
    process = subprocess.run(
        [sys.executable, str(MLENGINE / "local_cluster.py"), "--job-dir", str(tmp_path), "--hp-dense", "none"],
        env=environment(),
        stdout=subprocess.PIPE,
        encoding="utf-8",
        timeout=120,
    )
    assert process.returncode == 2
    for number in re.findall(r"process (\d+)", process.stdout):
        assert subprocess.run(["kill", "-0", number], stderr=subprocess.DEVNULL).returncode != 0


# -- the package


def test_the_package_brings_all_that_the_trainer_needs(tmp_path):
    pytest.importorskip("setuptools")
    before = sorted(path.name for path in MLENGINE.iterdir())
    folder = str(tmp_path)
    subprocess.run(
        [sys.executable, "setup.py", "-q", "egg_info", "--egg-base", folder, "sdist", "--dist-dir", folder],
        cwd=str(MLENGINE),
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    assert sorted(path.name for path in MLENGINE.iterdir()) == before
    with tarfile.open(str(tmp_path / "trainer-1.0.tar.gz")) as package:
        names = {name.partition("/")[2] for name in package.getnames()}
        modules = {f"trainer/{path.name}" for path in (MLENGINE / "trainer").glob("*.py")}
        assert names >= modules | {"mnistdata.py", "tensorflowvisu.py", "requirements.txt", "setup.py"}
        package.extractall(folder, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))
    process = subprocess.run(
        [sys.executable, "-m", "trainer.task", "--job-dir", "job", "--data-dir", str(tmp_path / "none")],
        cwd=str(tmp_path / "trainer-1.0"),
        env=environment(PYTHONPATH=""),
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    assert "Data folder" in process.stderr  # so its imports were found in the package
