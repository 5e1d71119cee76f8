"""The trainer of mlengine on one machine, and its package."""

import contextlib
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
import mnistdata
from helpers import PATIENCE, ROOT, environment, unix_signals
from trainer.task import parse_options
from trainings import MLENGINE, SMALL, Stopped, config, is_untouched, listed, move, present, succeed, trainer_command

# -- short runs


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
def runs(tmp_path_factory, made_once):
    """Short runs that differ in one thing each: {name: [status, standard output, standard error]}."""
    made_once("runs")
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
        scheme = "file://" if os.name == "posix" else ""  # no drive's letter goes with it
        asked = {
            "elsewhere": [["--job-dir", elsewhere, "--hp-iterations=10", f"--data-dir={scheme}{ROOT / 'data'}"], ""],
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
def test_folders_may_be_in_other_file_systems_of_tensorflow(runs):
    status, output, error = runs["elsewhere"]
    assert (status, error) == (0, "")
    assert f"SavedModel: {runs['job_dir']}/export/10" in output


@pytest.mark.tensorflow
@pytest.mark.parametrize("type", ["ps", "worker"])
def test_an_address_in_use_ends_the_program_with_status_2(runs, type):
    status, output, error = runs[type]
    assert (status, output) == (2, "")
    expected = rf"trainer.task: TF_CONFIG has {runs['address']} for this {type} 0, whose port .*\n"
    assert re.fullmatch(expected, error)


@pytest.mark.tensorflow
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
def test_a_loss_that_is_no_number_ends_the_training(runs):
    status, _, error = runs["no number"]
    assert status == 1
    assert error.splitlines()[-1].startswith("trainer.task: the loss is not a number any more")


# -- one step


class OneStep:
    """The graph of a training, in which a step is made again and again from the same weights, with the same digits."""

    def __init__(self, *options):
        import tensorflow.compat.v1 as tf

        from trainer.tf_config import ALONE
        from trainer.training import build_training

        self.graph = tf.Graph()
        with self.graph.as_default():
            tf.set_random_seed(0)
            self.X, self.Y_ = tf.placeholder(tf.float32, [None, 28, 28]), tf.placeholder(tf.float32, [None, 10])
            options = parse_options(["--job-dir=job", *SMALL, *options])
            self.train_step, _, hooks = build_training(self.X, self.Y_, ALONE, options, None)
            (self.lr,) = [hook.values["lr"] for hook in hooks if hasattr(hook, "values")]
            self.step = tf.train.get_global_step()
            self.weights = [variable for variable in tf.trainable_variables() if "W" in variable.name]
            self.session = tf.Session()
            self.session.run(tf.global_variables_initializer())
            self.beginning = [(variable, self.session.run(variable)) for variable in tf.global_variables()]

    def moves(self, iteration, images, labels):
        """How far the step of this iteration moves the weights of each layer, and the learning rate that is told."""
        for variable, value in self.beginning:
            variable.load(value, self.session)
        self.step.load(iteration, self.session)
        before, rate = self.session.run([self.weights, self.lr])
        self.session.run(self.train_step, {self.X: images, self.Y_: labels})
        return [after - each for after, each in zip(self.session.run(self.weights), before)], rate


@pytest.mark.tensorflow
def test_it_trains_with_the_learning_rate_that_it_prints():
    one_step = OneStep("--hp-decay-steps=100")
    images, labels = np.random.RandomState(0).rand(50, 28, 28), np.eye(10)[np.arange(50) % 10]
    for iteration, expected in ((0, 0.0031), (200, 0.0001 + 0.003 * np.exp(-2))):
        moves, rate = one_step.moves(iteration, images, labels)
        assert rate == pytest.approx(expected, rel=1e-5)
        assert max(np.abs(move).max() for move in moves) == pytest.approx(rate, rel=0.01)  # as Adam's first step does


@pytest.mark.tensorflow
def test_as_many_neurons_are_dropped_as_are_asked_for():
    image, label = np.random.RandomState(0).rand(1, 28, 28), np.eye(10)[:1]

    def active(one_step):
        """How many of the dense layer's neurons take part in a step with one image."""
        (*_, last), _ = one_step.moves(0, image, label)
        return (last != 0).any(axis=1).sum()

    all_active = active(OneStep("--hp-dropout=0"))
    dropping = OneStep("--hp-dropout=0.75")
    share = np.mean([active(dropping) for _ in range(60)]) / all_active
    assert all_active > 4 and 0.1 < share < 0.4


@pytest.mark.tensorflow
def test_its_network_is_the_one_of_stage_31():
    import tensorflow.compat.v1 as tf

    from numpy_networks import accuracy_and_loss, assert_near, computed
    from trainer import network

    random = np.random.RandomState(0)
    images, labels = random.rand(20, 28, 28), np.eye(10)[random.randint(10, size=20)]
    with tf.Graph().as_default(), tf.Session() as session:
        tf.set_random_seed(0)
        X, Y_ = tf.placeholder(tf.float32, [None, 28, 28]), tf.placeholder(tf.float32, [None, 10])
        nets = [network.build(X, parse_options(["--job-dir=job"]))]
        with tf.variable_scope("", reuse=True):
            nets.append(network.build(X, parse_options(["--job-dir=job"]), dropout=0.25))
        (chances,) = [op.outputs[0] for op in session.graph.get_operations() if op.type == "RandomUniform"]
        session.run(tf.global_variables_initializer())
        for variable, value in zip(tf.trainable_variables(), session.run(tf.trainable_variables())):
            if "/B" in variable.name:
                assert (value == np.float32(0.1)).all()
            else:  # what truncated_normal draws with 0.1
                assert np.abs(value).max() < 0.2001 and value.std() == pytest.approx(0.088, abs=0.02)
            variable.load(random.normal(scale=0.1, size=variable.shape.as_list()), session)
        weights, biases = (
            session.run([variable for variable in tf.trainable_variables() if f"/{letter}" in variable.name])
            for letter in "WB"
        )
        for net, drops in zip(nets, (False, True)):
            told = [*net, network.loss_of(net, Y_), network.accuracy_of(net, Y_)]
            (logits, answers, classes, cost, accuracy), noise = session.run([told, chances], {X: images, Y_: labels})
            noise = [noise] if drops else []
            expected, *_ = computed(
                "mnist_3.1_convolutional_bigger_dropout.py", images[..., None], weights, biases, noise=noise
            )
            assert_near(answers, expected)
            assert_near(np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True), expected)
            assert classes.tolist() == expected.argmax(axis=1).tolist()
            assert_near([accuracy, cost], accuracy_and_loss(expected, labels))


class Counted(mnistdata.DataSet):
    """Digits that know how many were taken at once."""

    def next_batch(self, size):
        self.taken = [*getattr(self, "taken", []), size]
        return super().next_batch(size)


@pytest.mark.tensorflow
def test_it_takes_batches_of_the_size_that_is_asked_for(tmp_path):
    from trainer.tf_config import ALONE
    from trainer.training import train

    digits = Counted(np.zeros([30, 28, 28, 1], np.float32), np.eye(10, dtype=np.float32)[np.arange(30) % 10], seed=0)
    options = parse_options(["--job-dir", str(tmp_path / "job"), *SMALL, "--hp-batch=7", "--hp-iterations=3"])
    train(ALONE, options, digits, Stopped())
    assert digits.taken == [7, 7, 7]


# -- one machine


@pytest.fixture(scope="module")
def job(tmp_path_factory, made_once):
    """A training of 60 iterations on one machine: its folder, and what was printed.

    The folder has a name that is not ASCII, which standard output can't print.
    """
    made_once("job of a training")
    folder = tmp_path_factory.mktemp("alone") / "jöb"
    options = ["--hp-iterations=60", "--checkpoint-every=25", "--hp-batch=50", "--hp-dropout=0.1"]
    return folder, succeed(folder, *options, PYTHONIOENCODING="ascii")


@pytest.mark.tensorflow
def test_one_machine_trains_tests_and_exports(job):
    folder, output = job
    assert re.findall(r"^(\d+): \*+ test accuracy", output, re.MULTILINE) == ["0", "25", "50", "60"]
    assert f"SavedModel: {folder}/export/60".replace("ö", "\\xf6") in output
    assert cluster.test_accuracy(output) > 0.5
    untrained = float(re.search("test loss: (.*)", output).group(1))
    assert untrained == pytest.approx(100 * np.log(10), rel=0.5)  # per 100 images, all digits about equally probable


@pytest.mark.tensorflow
def test_nothing_that_is_read_from_a_job_folder_says_where_it_is(job):
    folder, _ = job
    files = [path for path in folder.rglob("*") if path.is_file()]
    files = [path for path in files if not path.name.startswith("events")]  # TensorFlow notes there what nobody reads
    assert len(files) > 10
    assert not [path.name for path in files if str(folder.parent).encode() in path.read_bytes()]


@pytest.mark.tensorflow
def test_tensorboard_gets_the_curves(job):
    import tensorflow.compat.v1 as tf

    folder, output = job
    curves = {}
    for path in [*folder.glob("events*"), *(folder / "eval").glob("events*")]:
        for event in tf.train.summary_iterator(str(path)):
            for value in event.summary.value:
                curves.setdefault((path.parent.name, value.tag), []).append((event.step, value.simple_value))
    for name, tag, printed in (
        ("eval", "accuracy", r"(\d+): .* test accuracy: (\S+)"),
        ("eval", "loss", r"(\d+): .* test loss: (\S+)"),
        (folder.name, "accuracy", r"(\d+): accuracy: (\S+)"),
        (folder.name, "loss", r"(\d+): .*\d loss: (\S+) lr"),
        (folder.name, "lr", r"(\d+): .* lr: (\S+)"),
    ):
        steps, values = zip(*curves[name, tag])
        steps_printed, values_printed = zip(*re.findall(f"(?m)^{printed}", output))
        assert steps == tuple(map(int, steps_printed)) == ((0, 25, 50, 60) if name == "eval" else (1,))
        assert values == pytest.approx([float(value) for value in values_printed], rel=1e-4, abs=6e-5)


@pytest.mark.tensorflow
def test_the_saved_model_computes_what_the_session_of_the_training_does(job):
    import tensorflow.compat.v1 as tf

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


def train_until_signal(job_dir, number, start, data):
    """Starts a training, sends it a signal after a line of the training, and returns what was printed."""
    command = trainer_command(job_dir, *SMALL, "--checkpoint-every=30", "--data-dir", str(data))[1:]
    process = start(command, MLENGINE, subprocess.STDOUT)
    output = ""
    while not re.search(r"^\d\d+: accuracy", output, re.MULTILINE):
        output += process.stdout.readline()
    process.send_signal(number)
    output += process.stdout.read()
    assert process.wait(60) == 128 + number
    assert f"{signal.Signals(number).name}: stopping\n" in output and "SavedModel" not in output
    return output


@unix_signals
@pytest.mark.tensorflow
def test_after_a_signal_and_a_move_a_run_goes_on_and_a_complete_one_only_reports(tmp_path, forks, few_digits):
    old, moved = tmp_path / "old", tmp_path / "moved"
    begun = train_until_signal(old, signal.SIGTERM, forks.start, few_digits)
    assert "training begins" in begun
    assert listed(old) == present(old)
    reached = listed(old)[-1]
    assert reached >= int(re.findall(r"^(\d+): accuracy", begun, re.MULTILINE)[-1])
    move(old, moved)
    more = train_until_signal(moved, signal.SIGINT, forks.start, few_digits)
    assert f"training goes on from iteration {reached}\n" in more
    assert is_untouched(old)
    assert listed(moved) == present(moved)
    assert len(listed(moved)) == 5  # the oldest are deleted, also those that the first run wrote
    assert listed(moved)[-1] >= int(re.findall(r"^(\d+): accuracy", more, re.MULTILINE)[-1])
    last = listed(moved)[-1] + 5
    complete, again = (
        succeed(f"file://{moved}", f"--hp-iterations={last}", "--data-dir", str(few_digits), start=forks.start)
        for _ in range(2)
    )
    assert listed(moved)[-1] == last and f"training goes on from iteration {last - 5}\n" in complete
    assert re.search("^5 iterations in ", complete, re.MULTILINE)
    assert "training" not in again  # it is complete already
    assert cluster.test_accuracy(again) == cluster.test_accuracy(complete)
    assert listed(moved) == present(moved)
    assert f"SavedModel: file://{moved}/export/{listed(moved)[-1]}" in again


@pytest.mark.tensorflow
def test_a_training_that_goes_on_takes_the_digits_in_another_order(monkeypatch, few_digits):
    from trainer import roles

    batches = []
    for step, seed in ((0, 0), (0, 0), (500, 0), (0, 1)):
        options = parse_options(["--job-dir", "job", "--data-dir", str(few_digits), f"--seed={seed}"])
        monkeypatch.setattr(roles, "newest_step", lambda job_dir, step=step: step)
        batches.append(roles.read_digits(options).train.next_batch(100)[1].tolist())
    assert batches[0] == batches[1]
    assert len({tuple(map(tuple, batch)) for batch in batches}) == 3


@pytest.mark.skipif(os.name != "posix", reason="no drive's letter goes with file://")
@pytest.mark.tensorflow
def test_of_a_folder_of_tensorflows_file_systems_the_files_are_read_and_no_folders_in_it(few_digits, tmp_path):
    from trainer import roles

    shutil.copytree(str(few_digits), str(tmp_path / "data"))
    (tmp_path / "data" / "older").mkdir()
    digits = [
        roles.read_digits(parse_options(["--job-dir=job", f"--data-dir={scheme}{tmp_path}/data"]))
        for scheme in ("", "file://")
    ]
    for one, other in zip(*digits):
        np.testing.assert_array_equal(one.images, other.images)
        np.testing.assert_array_equal(one.labels, other.labels)


@pytest.mark.tensorflow
def test_a_server_never_sees_half_of_a_saved_model(tmp_path, monkeypatch):
    import tensorflow.compat.v1 as tf

    from trainer.evaluation import Evaluation

    evaluation, seen = Evaluation(parse_options(["--job-dir", str(tmp_path), *SMALL])), []
    with evaluation.session.graph.as_default():
        evaluation.session.run(tf.global_variables_initializer())
    save = tf.saved_model.Builder.save
    monkeypatch.setattr(
        tf.saved_model.Builder,
        "save",
        lambda builder: [save(builder), seen.extend(os.listdir(str(tmp_path / "export")))],
    )
    evaluation.reported = str(tmp_path / "model.ckpt-7")
    for _ in range(2):  # the second time in the place of the first
        (tmp_path / "export" / "unfinished").mkdir(parents=True)
        (tmp_path / "export" / "unfinished" / "saved_model.pb").write_text("half")  # of a task that was killed before
        assert evaluation.export() == f"{tmp_path}/export/7"
        assert not [name for name in seen if name.isdigit()]  # it takes the folders that have numbers for names
        assert os.listdir(str(tmp_path / "export")) == ["7"]


@pytest.mark.tensorflow
def test_all_test_digits_count_alike_however_many_there_are():
    import tensorflow.compat.v1 as tf

    from trainer.evaluation import Evaluation

    evaluation, random = Evaluation(parse_options(["--job-dir=job", *SMALL])), np.random.RandomState(0)
    with evaluation.session.graph.as_default():
        tf.set_random_seed(0)
        evaluation.session.run(tf.global_variables_initializer())
    images, labels = random.rand(23, 28, 28, 1), np.eye(10)[random.randint(10, size=23)]
    feed = {evaluation.images: images[..., 0], evaluation.labels: labels}
    at_once = evaluation.session.run([evaluation.accuracy, evaluation.loss], feed)
    assert evaluation.test(mnistdata.DataSet(images, labels, seed=0)) == pytest.approx(at_once, rel=1e-5)
    assert evaluation.test(mnistdata.DataSet(images[:11], labels[:11], seed=0)) != pytest.approx(at_once, rel=1e-3)


# -- when to stop

LOOKS = """
import sys, threading, time
sys.path[:0] = [{folder!r}]
from trainer import stopping

stopping.POLL, stopping.GRACE = 0.01, float(sys.argv[2])
left = int(sys.argv[1])


def has_ended():
    global left
    left -= 1
    if left == 0:
        print("looked", flush=True)
        {last}
    raise OSError("a hiccup")


has_to_stop = stopping.Stopping(has_ended)
time.sleep(1000000)  # as TensorFlow, which never comes back to Python
"""


@pytest.fixture
def looks(forks, tmp_path):
    """Starts a process that looks so often in vain whether its training has ended, and then does the last thing."""

    @contextlib.contextmanager
    def start(number, last, grace=1000000):
        (tmp_path / "looks.py").write_text(LOOKS.format(folder=str(MLENGINE), last=last))
        process = forks.start(["looks.py", str(number), str(grace)], tmp_path)
        try:
            yield process
        finally:
            process.kill()
            process.wait()

    return start


@pytest.mark.tensorflow
def test_a_look_that_fails_is_told_once_and_repeated(looks):
    with looks(3, "return True") as process:
        output, error = process.communicate(timeout=PATIENCE)
    assert (process.returncode, output, error.splitlines()) == (
        0,
        "looked\n",
        ["can't see whether the training has ended (a hiccup): looking again until it works"],
    )


@unix_signals
def test_a_process_that_does_not_end_by_itself_after_a_signal_is_ended_when_it_had_time_for_a_checkpoint(looks):
    with looks(1, "pass", grace=0.1) as process:
        assert process.stdout.readline() == "looked\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 128 + signal.SIGTERM


def test_its_patience_is_that_of_the_clouds_and_a_checkpoint_is_seen_soon():
    from trainer import stopping

    assert stopping.GRACE == 20 and stopping.POLL == 1  # clouds kill 30 seconds after SIGTERM


@pytest.mark.skipif(sys.platform == "win32", reason="signals of other processes are of other systems")
@pytest.mark.parametrize("last", ["pass", "threading.Event().wait()"], ids=["fails", "hangs"])
def test_signals_end_a_process_whose_look_does_not_succeed_and_whose_lines_nobody_reads(last, looks):
    with looks(1, last) as process:
        assert process.stdout.readline() == "looked\n"
        process.stderr.close()
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGTERM)  # the second one: at once
        assert process.wait(PATIENCE) - 128 in (signal.SIGINT, signal.SIGTERM)  # whichever came first


@pytest.mark.tensorflow
def test_a_parameter_server_waits_for_the_last_checkpoint_in_spite_of_looks_that_fail(monkeypatch):
    import tensorflow.compat.v1 as tf

    from trainer import roles

    hiccup = tf.errors.UnavailableError(None, None, "a hiccup")
    steps, seconds = iter([hiccup, 50, hiccup, 50, 60, 70]), []

    def newest_step(job_dir):
        step = next(steps)
        if step is hiccup:
            raise hiccup
        return step

    monkeypatch.setattr(roles, "newest_step", newest_step)
    monkeypatch.setattr(roles.time, "sleep", seconds.append)
    roles.wait_for_checkpoint("job", 10)
    assert (next(steps), len(seconds)) == (70, 4)


# -- the package


def test_the_package_brings_all_that_the_trainer_needs(tmp_path):
    pytest.importorskip("setuptools")
    clone, folder = tmp_path / "clone", str(tmp_path)  # a copy, as the others use mlengine at the same time
    shutil.copytree(str(MLENGINE), str(clone / "mlengine"), ignore=shutil.ignore_patterns("__pycache__"))
    borrowed = ("command_line.py", "mnistdata.py", "tensorflowsetup.py", "requirements.txt")
    for name in borrowed:
        shutil.copy(str(ROOT / name), str(clone))
    before = sorted(clone.rglob("*"))
    for name in ("mnistdata.py", "trainer/requirements.txt"):  # a build that was killed has left copies of former ones
        (clone / "mlengine" / name).write_text("old")
    subprocess.run(
        [sys.executable, "setup.py", "-q", "egg_info", "--egg-base", folder, "sdist", "--dist-dir", folder],
        cwd=str(clone / "mlengine"),
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    assert sorted(clone.rglob("*")) == before
    with tarfile.open(str(tmp_path / "trainer-1.0.tar.gz")) as package:
        names = {name.partition("/")[2] for name in package.getnames()}
        modules = {f"trainer/{path.name}" for path in (MLENGINE / "trainer").glob("*.py")}
        copies = {name if name.endswith(".py") else f"trainer/{name}" for name in borrowed}
        assert names >= modules | copies | {"setup.py"}
        assert not [name for name in names if "visu" in name]  # no window
        package.extractall(folder, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))
    information = (tmp_path / "trainer.egg-info" / "PKG-INFO").read_text()
    required = (tmp_path / "trainer.egg-info" / "requires.txt").read_text()
    packages = re.findall(r"(?m)^(?!#|matplotlib)\w+", (ROOT / "requirements.txt").read_text(encoding="utf-8"))
    assert sorted(re.findall(r"(?m)^\w+", required)) == sorted(packages)
    summary = "Summary: The convolutional network of stage 3.1, trained on one machine or by a cluster"
    for line in (summary, "Name: trainer", "Version: 1.0", "License: Apache-2.0", "Requires-Python: >=3.7"):
        assert line in information.replace("License-Expression", "License").splitlines()
    unpacked = tmp_path / "trainer-1.0"
    command = [sys.executable, "setup.py", "--name"]
    assert subprocess.check_output(command, cwd=str(unpacked), encoding="utf-8") == "trainer\n"
    for name in copies:
        assert (unpacked / name).read_bytes() == (ROOT / name.replace("trainer/", "")).read_bytes()
    process = subprocess.run(
        [sys.executable, "trainer/task.py", "--job-dir", "job", "--data-dir", str(tmp_path / "none")],
        cwd=str(unpacked),
        env=environment(PYTHONPATH=""),
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    assert "Data folder" in process.stderr  # so its imports were found in the package
