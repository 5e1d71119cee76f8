"""The scripts of the stages, run as a learner runs them: as programs, on the real digits, with a few iterations."""

import functools
import gzip
import json
import math
import os
import re
import shutil
import types

import matplotlib.image
import numpy as np
import pytest

from helpers import (
    ROOT,
    STAGES,
    idx,
    link,
    max_test_accuracy,
    run_script,
    shortened,
    shortened_text_only,
    stage_source,
)
from screenshots import shows_panels

# Iterations, and an accuracy on the first 1,000 test digits that a stage with any broken step does not reach by then.
# Without training it is 0.1.
SHORT_RUNS = {
    "mnist_1.0_softmax.py": (100, 0.85),
    "mnist_2.0_five_layers_sigmoid.py": (400, 0.80),
    "mnist_2.1_five_layers_relu_lrdecay.py": (200, 0.88),
    "mnist_2.2_five_layers_relu_lrdecay_dropout.py": (200, 0.88),
    "mnist_3.0_convolutional.py": (100, 0.88),
    "mnist_3.1_convolutional_bigger_dropout.py": (100, 0.90),
    "mnist_4.0_batchnorm_convolutional.py": (61, 0.80),
    "mnist_4.1_batchnorm_bent_digits.py": (61, 0.80),
}
# Iterations, weights and biases, the learning rate in iterations 0 and 1,200, what share the dropout of a training step
# keeps, the mean of the first biases before the last layer
FACTS = {
    "mnist_1.0_softmax.py": (2000, 7850, [0.003, 0.003], [], None),
    "mnist_2.0_five_layers_sigmoid.py": (10000, 185300, [0.003, 0.003], [], 0),
    "mnist_2.1_five_layers_relu_lrdecay.py": (10000, 185300, [0.0031, 0.0001 + 0.003 * math.exp(-0.6)], [], 0.1),
    "mnist_2.2_five_layers_relu_lrdecay_dropout.py": (10000, 185300, [0.0031, 0.001746], [0.75], 0.1),
    "mnist_3.0_convolutional.py": (10000, 122270, [0.0031, 0.001746], [], 0.1),
    "mnist_3.1_convolutional_bigger_dropout.py": (10000, 244076, [0.0031, 0.001746], [0.75], 0.1),
    "mnist_4.0_batchnorm_convolutional.py": (10000, 305690, [0.003, 0.003 * (1 - 1200 / 10000)], [], 0),
    "mnist_4.1_batchnorm_bent_digits.py": (13000, 305690, [0.003, 0.003 * (1 - 1200 / 13000)], [], 0),
}
SOFTMAX, BENT = "mnist_1.0_softmax.py", "mnist_4.1_batchnorm_bent_digits.py"


def code_lines(source):
    return [line for line in source.splitlines() if line.strip() and not line.strip().startswith("#")]


def test_there_are_the_six_stages_of_the_codelab_and_two_beyond():
    assert sorted(SHORT_RUNS) == STAGES


# -- each stage


@pytest.fixture(scope="module", params=STAGES)
def stage(request):
    return request.param


# What a step does: how far it moves the weights, each time from the same beginning and with the same batch
PROBE = """
import json
print(json.dumps({curve: [column.tolist() for column in columns] for curve, columns in datavis.get_history().items()}))
sess.run(tf.global_variables_initializer())
beginning = [(variable, sess.run(variable)) for variable in tf.global_variables()]
fixed_batch = mnist.train.next_batch(100)
mnist.train.next_batch = lambda size: fixed_batch


def moved(i):
    for variable, value in beginning:
        variable.load(value, sess)
    before = sess.run(allweights)
    training_step(i, False, False)
    return sess.run(allweights) - before


for i in (0, 5000):
    print(f"moved in {i}: {abs(moved(i)).max():.3e}")
    training_step(i, False, True)
print("another step:", (moved(0) != moved(0)).any())
"""


@pytest.fixture(scope="module")
def both_runs(stage, forks, shortened_tests, tmp_path_factory, made_once):
    """The short run of a stage in text-only mode, and what is printed by PROBE after it."""
    made_once(f"short run of {stage}")
    folder = tmp_path_factory.mktemp("s")
    link(shortened_tests, folder / "data")
    source = shortened_text_only(stage_source(stage), SHORT_RUNS[stage][0])
    run = forks.run_script(f"{source}\nprint('probe:')\n{PROBE}", folder)
    assert (run.returncode, run.stderr) == (0, "")
    return run.stdout.split("probe:\n")


@pytest.fixture(scope="module")
def text_run(both_runs):
    return both_runs[0]


def test_text_only_it_learns_and_says_only_its_own_lines(stage, text_run):
    iterations, floor = SHORT_RUNS[stage]
    lines = text_run.splitlines()
    assert re.match(r"TensorFlow version \d+\.\d+", lines[0])
    rate = r" lr: [\d.e-]+" if "lr = " in stage_source(stage) else ""
    training_line = rf"(\d+): accuracy: [\d.]+ loss: [\d.e-]+{rate}"
    test_line = r"(\d+): \*{9} epoch 1 \*{9} test accuracy: ([\d.]+) test loss: [\d.e-]+"
    last = iterations - 1
    train_every, test_every = {SOFTMAX: (10, 50), BENT: (20, 200)}.get(stage, (20, 100))
    matches = [re.match(f"{training_line}$|{test_line}$", line) for line in lines[1:-1]]
    assert all(matches)
    assert [int(m.group(1)) for m in matches if m.group(1)] == [*range(0, last, train_every), last]
    assert [int(m.group(2)) for m in matches if m.group(2)] == [*range(0, last, test_every), last]
    assert lines[-1] == f"max test accuracy: {max((m.group(3) for m in matches if m.group(3)), key=float)}"
    assert max_test_accuracy(text_run) >= floor


def test_the_curves_show_the_numbers_that_it_prints(stage, both_runs):
    text, probed = both_runs
    history = json.loads(probed.splitlines()[0])
    columns = {"training": ("accuracy", "loss", "lr"), "test": ("test accuracy", "test loss")}
    for curve, names in columns.items():
        lines = [
            line for line in text.splitlines() if re.match(r"\d+: ", line) and ("test" in line) == (curve == "test")
        ]
        iterations, accuracies, losses, rates = history[curve][:4]
        assert [int(line.partition(":")[0]) for line in lines] == iterations
        for name, values in zip(names, (accuracies, losses, rates)):
            printed = [float(number) for line in lines for number in re.findall(rf" {name}: (\S+)", line)]
            assert printed == pytest.approx(values, rel=1e-5) or (name == "lr" and not printed)
        assert max(accuracies) <= 1 < max(losses)


def test_it_trains_with_the_learning_rate_that_it_prints_and_with_dropout_where_it_has_some(stage, both_runs):
    _, probed = both_runs
    moves = [float(move) for move in re.findall(r"moved in \d+: (\S+)", probed)]
    rates = [float(rate) for rate in re.findall(r"lr: (\S+)", probed)]
    if rates:  # Adam's first step moves each weight by the learning rate
        assert rates[0] > 1.5 * rates[1]
        assert moves == pytest.approx(rates, rel=0.01)
    else:
        assert moves[0] == moves[1]
    random_steps = "dropout" in stage or stage == BENT
    assert probed.splitlines()[-1] == f"another step: {random_steps}"


def test_unchanged_and_without_a_screen_it_trains_alike_and_saves_a_picture(
    stage, text_run, forks, tmp_path, few_test_digits
):
    # where the learning rate depends on the number of iterations, the beginning of a longer run is another one
    iterations = SHORT_RUNS[stage][0] if stage.startswith("mnist_4") else 21
    headless = forks.run_script(shortened(stage_source(stage), iterations), tmp_path, name=stage)
    assert (headless.returncode, headless.stderr) == (0, "")
    first, no_window, *lines, last_test, saved, best = headless.stdout.splitlines()
    assert [first, *lines] == text_run.splitlines()[: 1 + len(lines)] and len(lines) >= 3
    assert re.match(rf"{iterations - 1}: \*+ epoch 1", last_test)
    picture = stage.replace(".py", ".png")
    assert no_window.startswith("No window: ")
    assert saved.endswith(picture)
    assert shows_panels(matplotlib.image.imread(str(tmp_path / picture)), 1, 3, 4, 5, 6)


@pytest.mark.parametrize("stage", [STAGES[0], STAGES[-1]])
def test_the_same_seed_gives_the_same_output_to_the_last_digit_and_another_seed_another(
    stage, forks, tmp_path, few_test_digits
):
    source = shortened_text_only(stage_source(stage), 11, seed=0)
    runs_alone = functools.partial(run_script, OPENBLAS_NUM_THREADS="1") if stage == SOFTMAX else forks.run_script
    first, second = runs_alone(source, tmp_path), forks.run_script(source, tmp_path)
    assert (first.returncode, first.stderr) == (0, "")
    assert first.stdout == second.stdout
    assert first.stdout.count("\n") > 4
    assert forks.run_script(shortened_text_only(stage_source(stage), 11, seed=1), tmp_path).stdout != first.stdout


def test_the_line_that_takes_the_place_of_the_window_trains_tests_and_tells_as_often(stage):
    window, text_only = re.search(
        r"(?m)^(datavis\.animate\(.*)\n\n?(?:#.*\n)*?# (for i in .*)$", stage_source(stage)
    ).groups()
    done, asked = [], {}
    iterations = 407
    names = {
        "ITERATIONS": iterations,
        "training_step": lambda i, *updates: done.append((i, *updates)),
        "datavis": types.SimpleNamespace(animate=lambda step, n, **options: asked.update(options, n=n)),
        "read": None,
    }
    exec(window, names)
    exec(text_only, names)
    assert asked["n"] == iterations
    often = [asked[f"{name}_data_update_freq"] for name in ("test", "train")]
    assert done == [(i, *(i % every == 0 or i == iterations - 1 for every in often)) for i in range(iterations)]
    assert often == {SOFTMAX: [50, 10], BENT: [200, 20]}.get(stage, [100, 20])


def test_it_is_short_enough_to_read(stage):
    assert len(code_lines(stage_source(stage))) < 100


# What is the same from the first stage to the last: how it reads, measures and shows. The rest is its own lesson
SAME = re.compile(
    r"import tensorflowvisu|import mnistdata|import tensorflow.compat|tf\.disable|print\(\"Tens|SEED = |tf\.set_random"
    r"|mnist = |X = |Y_ = |correct_prediction = |accuracy = |I = |It = |datavis = |sess = |sess\.run\(tf.global"
    r"|def training_step|if update_t|epoch = |print\(f\"\{i\}: \*|datavis\.append_test|datavis\.append_data"
    r"|datavis\.update|def read\(|print\(\"max"
)


def test_each_stage_trains_with_the_numbers_that_it_is_known_for_and_computes_what_its_network_should(
    forks, tmp_path, few_test_digits
):
    """What a short run can't tell: the decay of the learning rate, how much dropout keeps, where the biases begin."""
    source = f"""
import contextlib, io, json, pathlib, sys
sys.path[:0] = [{str(ROOT / "docs")!r}, {str(ROOT / "tests" / "support")!r}]
import checker, numpy_networks

seen = ("the number of iterations", "the number of weights and biases", "the learning rate, at first and late",
        "what else the training step is fed with", "first biases before the last layer", "the size of a batch")
for stage in {list(FACTS)}:
    path = pathlib.Path({str(ROOT)!r}) / stage
    source = path.read_text(encoding="utf-8")
    facts = checker.facts_of(source, path)
    print(json.dumps([facts[name] for name in seen]))
    names, _ = checker.run(checker.Stage(source, path, iterations=1), checker.text_only)
    with contextlib.redirect_stdout(io.StringIO()):
        found = numpy_networks.check_comments(source, names)
        numpy_networks.check(stage, names)
    print(found)
"""
    process = forks.run_script(source, tmp_path)
    assert process.returncode == 0, process.stdout + process.stderr
    lines = process.stdout.splitlines()
    assert len(lines) == 2 * len(FACTS) == 2 * len(STAGES)
    for line, comments, stage in zip(lines[::2], lines[1::2], FACTS):
        assert int(comments) >= 12, stage
        iterations, parameters, rates, kept, biases, batch = json.loads(line)
        assert (iterations, parameters, pytest.approx(rates, rel=1e-3), kept) == FACTS[stage][:4], stage
        assert all(bias == pytest.approx(FACTS[stage][4], abs=1e-6) for bias in biases) and batch == 100, stage


def test_all_stages_read_measure_and_show_with_the_same_lines_in_the_same_order():
    lines = [
        [line.partition("  #")[0] for line in code_lines(stage_source(stage)) if SAME.match(line.strip())]
        for stage in STAGES
    ]
    assert len(lines[0]) == 28
    assert lines == [lines[0]] * len(STAGES)


# -- where and how it is run


def test_it_runs_from_another_folder(tmp_path):
    """As python3 ../clone/mnist_1.0_softmax.py: the modules are found beside the script and the data beside them."""
    clone, elsewhere = tmp_path / "clone", tmp_path / "elsewhere"
    (elsewhere / "data").mkdir(parents=True)  # not the one that is meant
    shutil.copytree(str(ROOT / "data"), str(clone / "data"))
    for name in ("mnistdata.py", "tensorflowvisu.py", "tensorflowsetup.py", "ink.py", "stage_runs.py"):
        shutil.copy(str(ROOT / name), str(clone))
    shutil.copytree(str(ROOT / "visu"), str(clone / "visu"))
    source = shortened_text_only(stage_source(SOFTMAX), 20)
    process = run_script(source, clone, cwd=elsewhere, PYTHONPATH="")
    assert (process.returncode, process.stderr) == (0, "")
    assert max_test_accuracy(process.stdout) > 0.5


def test_text_only_mode_loads_no_plotting_back_end(tmp_path):
    # TensorFlow 2.21 itself imports matplotlib, but none of its back ends
    source = shortened_text_only(stage_source(SOFTMAX), 5)
    source += (
        "\nimport sys\nprint([m for m in sys.modules if m.startswith(('matplotlib.backends.backend', 'tkinter'))])"
    )
    assert run_script(source, tmp_path).stdout.splitlines()[-1] == "[]"


def test_an_error_in_the_script_still_shows_and_ends_it_with_status_1(forks, tmp_path):
    source = shortened(stage_source(SOFTMAX), 20).replace("mnist.train.next_batch(100)", "mnist.train.no_such_name")
    process = forks.run_script(source, tmp_path)
    assert process.returncode == 1
    assert "AttributeError: 'DataSet' object has no attribute 'no_such_name'" in process.stderr.splitlines()[-1]


def test_an_error_of_tensorflow_still_shows(forks, tmp_path):
    source = stage_source(SOFTMAX).replace("{X: batch_X, Y_: batch_Y}", "{X: batch_X}")
    process = forks.run_script(shortened_text_only(source, 20), tmp_path)
    assert process.returncode == 1
    assert "You must feed a value for placeholder tensor" in process.stderr


@pytest.mark.parametrize(
    "fake, reason",
    [
        (
            "raise TypeError('Descriptors cannot be created directly.\\nAnd much more.')",
            "Descriptors cannot be created",
        ),
        ("raise ImportError('DLL load failed')", "DLL load failed"),
        ("__version__ = '1.4.0'", "No module named 'tensorflow.compat'"),
    ],
)
def test_a_tensorflow_that_does_not_work_gets_one_sentence_with_the_fix(fake, reason, tmp_path):
    installed = tmp_path / "installed"
    (installed / "tensorflow").mkdir(parents=True)
    (installed / "tensorflow" / "__init__.py").write_text(fake, encoding="utf-8")
    path = os.pathsep.join([str(installed), str(ROOT)])
    process = run_script(stage_source(SOFTMAX), tmp_path, PYTHONPATH=path)
    assert (process.returncode, process.stdout) == (1, "")
    assert process.stderr.count("\n") == 1
    assert reason in process.stderr and "pip install -r requirements.txt'" in process.stderr


CHATTER = "WARNING: All log messages before absl::InitializeLog()\nE0000 a\nW0000 b\nI0000 c\n"
LAST_WORDS = "F0000 no AVX\n2026 F cpu_feature_guard: no AVX here\nE00 is no line of a log, nor is\nWARNING: this\n"


def test_a_program_that_dies_while_tensorflow_loads_leaves_its_last_words(tmp_path):
    (tmp_path / "tensorflow").mkdir()
    (tmp_path / "tensorflow" / "__init__.py").write_text(
        f"import os\nos.write(2, {CHATTER + LAST_WORDS!r}.encode())\nos.abort()\n",
        encoding="utf-8",
    )
    process = run_script(stage_source(SOFTMAX), tmp_path)
    assert process.returncode not in (0, 1)  # a signal, or Windows' own number
    assert process.stderr == LAST_WORDS


# -- other people's data and scripts


def test_it_learns_from_another_set_in_the_same_format(forks, tmp_path):
    # ten made-up fabrics, stripes of ten widths and shifts, in the place of digits
    random = np.random.RandomState(0)
    x = np.arange(28)
    fabrics = np.array([128 + 127 * np.sin(x * (0.2 + 0.15 * k))[:, None] * np.ones(28) for k in range(10)])
    for name, n in (("train", 600), ("t10k", 1000)):
        labels = random.randint(0, 10, n)
        images = np.clip(fabrics[labels] + random.normal(0, 40, [n, 28, 28]), 0, 255)
        for kind, array in (("images-idx3", images), ("labels-idx1", labels)):
            (tmp_path / f"{name}-{kind}-ubyte.gz").write_bytes(gzip.compress(idx(array)))
    source = stage_source(SOFTMAX).replace('read_data_sets("data"', f"read_data_sets({str(tmp_path)!r}")
    assert max_test_accuracy(forks.run_script(shortened_text_only(source, 100), tmp_path).stdout) > 0.95


def test_a_script_written_for_the_published_modules_works_with_only_its_import_changed(forks, tmp_path):
    """A script of ours in the manner of those years: the old reader's keywords, flat calls, its own text loop."""
    source = """
import tensorflow.compat.v1 as tf
tf.disable_v2_behavior()
import tensorflowvisu
import mnistdata
import math
tf.set_random_seed(0)
mnist = mnistdata.read_data_sets("data", one_hot=True, reshape=False, validation_size=0)
X = tf.placeholder(tf.float32, [None, 28, 28, 1])
Y_ = tf.placeholder(tf.float32, [None, 10])
lr = tf.placeholder(tf.float32)
pkeep = tf.placeholder(tf.float32)
W = tf.Variable(tf.truncated_normal([28 * 28, 10], stddev=0.1))
B = tf.Variable(tf.ones([10]) / 10)
XX = tf.nn.dropout(tf.reshape(X, [-1, 28 * 28]), pkeep)
Ylogits = tf.matmul(XX, W) + B
Y = tf.nn.softmax(Ylogits)
loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(logits=Ylogits, labels=Y_)) * 100
accuracy = tf.reduce_mean(tf.cast(tf.equal(tf.argmax(Y, 1), tf.argmax(Y_, 1)), tf.float32))
I = tensorflowvisu.tf_format_mnist_images(X, Y, Y_)
It = tensorflowvisu.tf_format_mnist_images(X, Y, Y_, 1000, lines=25)
datavis = tensorflowvisu.MnistDataVis(title4="Logits", title5="Gradients", histogram4colornum=2, histogram5colornum=2)
train_step = tf.train.AdamOptimizer(lr).minimize(loss)
sess = tf.Session()
sess.run(tf.global_variables_initializer())


def training_step(i, update_test_data, update_train_data):
    batch_X, batch_Y = mnist.train.next_batch(100)
    learning_rate = 0.0001 + 0.0029 * math.exp(-i / 2000)
    if update_train_data:
        a, c, im, w, b = sess.run([accuracy, loss, I, tf.reshape(W, [-1]), B], {X: batch_X, Y_: batch_Y, pkeep: 1.0})
        datavis.append_training_curves_data(i, a, c)
        datavis.append_data_histograms(i, w, b, title1="w", title2="b")
        datavis.update_image1(im)
    if update_test_data:
        a, c, im = sess.run([accuracy, loss, It], {X: mnist.test.images, Y_: mnist.test.labels, pkeep: 1.0})
        datavis.append_test_curves_data(i, a, c)
        datavis.update_image2(im)
    sess.run(train_step, {X: batch_X, Y_: batch_Y, lr: learning_rate, pkeep: 0.75})


datavis.animate(training_step, 61, train_data_update_freq=20, test_data_update_freq=50, more_tests_at_start=True)
print("max test accuracy: " + str(datavis.get_max_test_accuracy()))
print(tensorflowvisu.__file__)
"""
    process = forks.run_script(source, tmp_path)
    assert process.returncode == 0, process.stderr
    assert max_test_accuracy(process.stdout) > 0.8
    assert (tmp_path / "script.png").exists()
    assert process.stdout.splitlines()[-1] == str(ROOT / "tensorflowvisu.py")
