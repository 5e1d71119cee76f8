"""Settings for speed. What it gains: benchmarks/training.py."""

import platform
import sys

import numpy as np
import pytest

import mnistdata
from helpers import ROOT, STAGES, run_script, shortened_text_only, stage_source

IS_X86 = platform.machine().lower() in ("x86_64", "amd64")
THREADS = """
threads = tf.config.threading
print("threads:", threads.get_intra_op_parallelism_threads(), threads.get_inter_op_parallelism_threads())
"""


def last_line(process):
    assert (process.returncode, process.stderr) == (0, "")
    return process.stdout.splitlines()[-1]


# -- threads


@pytest.mark.tensorflow
@pytest.mark.parametrize("stage", [STAGES[0], STAGES[4]])
def test_the_threads_suit_the_network(stage, forks, tmp_path, few_test_digits):
    line = last_line(forks.run_script(shortened_text_only(stage_source(stage), 1) + THREADS, tmp_path))
    convolves, is_tensorflow_1 = "conv" in stage, sys.version_info < (3, 8)
    expected = "1 -1" if not convolves else "0 0" if is_tensorflow_1 else "0 -1"
    assert line == f"threads: {expected}"


SEVERAL_NETWORKS = """
import os
import tensorflowvisu
import tensorflow.compat.v1 as tf
tf.disable_v2_behavior()
threads = tf.config.threading


def choose(neurons):
    with tf.Graph().as_default():
        tf.Variable(tf.zeros([500000]), trainable=False)
        tf.Variable(tf.zeros([5]), validate_shape=False)
        product = tf.matmul(tf.ones([1000, neurons]), tf.Variable(tf.zeros([neurons, neurons]))) if neurons else None
        tensorflowvisu.MnistDataVis()
        print(neurons, threads.get_intra_op_parallelism_threads(), threads.get_inter_op_parallelism_threads())
        session = tf.Session()
        session.run(tf.global_variables_initializer())
        return product is not None and session.run(product), session


choose(0), choose(430), choose(0), choose(430), choose(649)  # 184,900 and 421,201 weights
if os.path.isdir("/proc/self/task"):
    before = len(os.listdir("/proc/self/task"))
    session = tf.Session(graph=tf.Graph(), config=tf.ConfigProto(intra_op_parallelism_threads=20))
    print("more threads:", len(os.listdir("/proc/self/task")) - before >= 19)
"""


@pytest.mark.tensorflow
def test_the_threads_suit_each_network_when_it_is_known_whatever_came_before_it(forks, tmp_path):
    """A network that is not there yet is no small one, and a small one takes nothing from a later, large one."""
    process = forks.run_script(SEVERAL_NETWORKS, tmp_path)
    assert (process.returncode, process.stderr) == (0, "")
    lines = process.stdout.splitlines()
    assert lines[:5] == ["0 0 0", "430 1 -1", "0 0 0", "430 1 -1", "649 0 0"]
    assert lines[5:] in ([], ["more threads: True"])


@pytest.mark.tensorflow
def test_the_threads_that_a_user_chose_stay(forks, tmp_path):
    source = stage_source(STAGES[0])
    alone = shortened_text_only(source, 1) + THREADS
    for name in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
        assert last_line(forks.run_script(alone, tmp_path, **{name: "2"})) == "threads: 0 0"
    source = source.replace("datavis = ", "tf.config.threading.set_intra_op_parallelism_threads(2)\ndatavis = ")
    assert last_line(forks.run_script(shortened_text_only(source, 1) + THREADS, tmp_path)) == "threads: 2 0"


SET = {"TF_CPP_MIN_LOG_LEVEL": "1", "TF_OVERRIDE_GLOBAL_THREADPOOL": "0", "MPLBACKEND": "svg"}


@pytest.mark.parametrize("changes, expected", [({}, ["3", "1"]), (SET, ["1", "0", "svg"])])
def test_what_a_user_has_set_for_tensorflow_and_matplotlib_stays(changes, expected, folder):
    source = f"import tensorflowvisu, os; print(*[os.environ[name] for name in {list(SET)[: len(expected)]}])"
    assert last_line(run_script(source, folder, **changes)).split() == expected


# -- oneDNN

PRINT_ONEDNN = "import os; print(os.environ.get('TF_ENABLE_ONEDNN_OPTS'))"


@pytest.mark.skipif(not IS_X86, reason="oneDNN is chosen on x86 processors only")
def test_onednn_is_chosen_unless_the_user_has(folder):
    source = f"import tensorflowvisu\n{PRINT_ONEDNN}"
    assert last_line(run_script(source, folder)) == "1"
    assert last_line(run_script(source, folder, TF_ENABLE_ONEDNN_OPTS="0")) == "0"


@pytest.mark.skipif(not IS_X86, reason="oneDNN is chosen on x86 processors only")
@pytest.mark.parametrize("version, knows_onednn", [("2.12.0", True), ("1.15.5", False)])
def test_it_says_so_when_tensorflow_was_imported_too_early_to_choose(version, knows_onednn, folder):
    (folder / "tensorflow" / "__init__.py").write_text(f"__version__ = {version!r}")
    process = run_script(f"import tensorflow\nimport tensorflowvisu\n{PRINT_ONEDNN}", folder)
    assert ("tensorflowvisu was imported after TensorFlow" in process.stderr) == knows_onednn
    assert process.stdout.split() == ["None"]


# -- the test set


def test_images_begin_where_tensorflow_takes_them_without_a_copy():
    mnist = mnistdata.read_data_sets(str(ROOT / "data"), one_hot=True, reshape=False)
    assert mnist.train.images.ctypes.data % 64 == 0
    assert mnist.test.images.ctypes.data % 64 == 0


@pytest.mark.tensorflow
@pytest.mark.parametrize("stage, feed", [(STAGES[4], ""), (STAGES[5], ", pkeep: 1.0"), (STAGES[6], "")])
def test_the_test_set_in_pieces_gives_the_totals_of_the_whole(stage, feed, forks, tmp_path, few_test_digits):
    at_once = f"[accuracy, cross_entropy], {{X: mnist.test.images, Y_: mnist.test.labels{feed}}}"
    source = stage_source(stage).replace(
        "    # learn from the batch", f"    if update_test_data:\n        print('at once:', *sess.run({at_once}))\n"
    )
    source = shortened_text_only(source, 12)
    process = forks.run_script(source + "print(*datavis.get_history()['test'][1:3])", tmp_path)
    whole = [line.split()[2:] for line in process.stdout.splitlines() if line.startswith("at once:")]
    accuracies, losses = np.array(whole, dtype=float).T
    pieces = np.array(process.stdout.splitlines()[-1].replace("[", " ").replace("]", " ").split(), dtype=float)
    assert len(accuracies) == 2  # at the start, and at the end
    assert np.allclose(pieces, np.concatenate([accuracies, losses]), rtol=1e-5)
