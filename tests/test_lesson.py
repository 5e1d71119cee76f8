"""What the lesson says of networks, by arithmetic and by its own programs: each "because" that needs no long run."""

import importlib.util
import re

import numpy as np
import pytest

import mnistdata
from exercises import programs
from helpers import ROOT, run_script, shortened_text_only, stage_source

PROGRAMS = dict(programs())
CHAPTERS = {page.stem: page.read_text(encoding="utf-8") for page in (ROOT / "docs" / "lesson").glob("*.md")}
LAYERS = [784, 200, 100, 60, 30, 10]


def text_of(chapter):
    return " ".join(CHAPTERS[chapter].split())


@pytest.fixture(scope="module")
def softmax():
    """The names of the lesson's stage 1.0 in numpy, trained."""
    names = {}
    exec(PROGRAMS["softmax_numpy.py"], names)
    return names


@pytest.fixture(scope="module")
def digits():
    return mnistdata.read_data_sets(str(ROOT / "data"), one_hot=False, reshape=True)


# ----------------------------------------------------------------------------------------------- slopes, by hand


def test_stage_10_in_numpy_ends_where_tensorflow_ends(softmax, forks, tmp_path):
    Y, Y_ = softmax["Y"], softmax["Y_"]
    accuracy, loss = (Y.argmax(axis=1) == Y_.argmax(axis=1)).mean(), -100 * np.log((Y * Y_).sum(axis=1)).mean()
    assert f"test accuracy: {accuracy}\ntest loss: {loss:.5f}\n" in CHAPTERS["5_slopes"]
    process = forks.run_script(shortened_text_only(stage_source("mnist_1.0_softmax.py"), 2000), tmp_path)
    *_, (by_tensorflow, its_loss) = re.findall(r"test accuracy: (\S+) test loss: (\S+)", process.stdout)
    assert float(by_tensorflow) == accuracy
    assert float(its_loss) == pytest.approx(loss, abs=2e-5)  # TensorFlow adds up numbers of 32 bits


def test_the_chain_rule_by_hand_gives_the_slopes_of_tensorflow(forks, tmp_path):
    by_hand = PROGRAMS["chain_rule.py"].partition("for i in range")[0]
    compare = """
import tensorflow.compat.v1 as tf
tf.disable_v2_behavior()
images, labels = mnist.train.next_batch(100)
with tf.Graph().as_default(), tf.Session() as session:
    weights = [tf.constant(array) for array in (W1, b1, W2, b2)]
    hidden = tf.sigmoid(tf.matmul(tf.constant(images, tf.float64), weights[0]) + weights[1])
    logits = tf.matmul(hidden, weights[2]) + weights[3]
    loss = tf.nn.softmax_cross_entropy_with_logits(logits=logits, labels=tf.constant(labels, tf.float64))
    theirs = session.run(tf.gradients(100 * tf.reduce_mean(loss), weights))
for mine, slopes in zip(backward(images, labels), theirs):
    print(slopes.size, abs(mine - slopes).max() / abs(slopes).max())
"""
    process = forks.run_script(f"import sys\nsys.path[:0] = [{str(ROOT)!r}]\n{by_hand}{compare}", tmp_path)
    assert process.stderr == ""
    sizes, apart = zip(*(line.split() for line in process.stdout.splitlines()))
    assert f"all {sum(map(int, sizes)):,} slopes" in text_of("5_slopes")
    assert max(map(float, apart)) < 1e-12


def slopes_at_the_start(source, forks, folder):
    """The mean sizes of the slopes of the five layers of a script like stage 2.0, before training."""
    source = source.replace(
        "sess.run(tf.global_variables_initializer())\n",
        "sess.run(tf.global_variables_initializer())\n"
        "for slope in sess.run(tf.gradients(cross_entropy, [W1, W2, W3, W4, W5]),"
        " {X: mnist.train.images[:1000], Y_: mnist.train.labels[:1000]}):\n"
        "    print('slope', abs(slope).mean())\n",
    )
    process = forks.run_script(shortened_text_only(source, 1), folder)
    return [float(slope) for slope in re.findall(r"(?m)^slope (\S+)", process.stdout)]


@pytest.mark.parametrize("column", [1, 2, 3])
def test_the_table_of_slopes_is_what_tensorflow_computes(column, forks, tmp_path):
    rows = re.findall(r"(?m)^\| \d, \[\d+, \d+\] \| (\S+) \| (\S+) \| (\S+) \|$", CHAPTERS["5_slopes"])
    source = stage_source("mnist_2.0_five_layers_sigmoid.py")
    if column > 1:
        source = source.replace("tf.nn.sigmoid(", "tf.nn.relu(")
    if column > 2:
        source = re.sub(r"\[(\d+), (\d+)\], stddev=0.1", r"[\1, \2], stddev=(2 / \1) ** 0.5", source)
    slopes = slopes_at_the_start(source, forks, tmp_path)
    assert slopes == pytest.approx([float(row[column - 1]) for row in rows], rel=0.3)  # random weights


def test_normalised_sums_keep_more_of_the_slopes(forks, tmp_path):
    layer = r"tf\.nn\.sigmoid\((tf\.matmul\(\w+, W\d\)) \+ (B\d)\)"
    source, layers = re.subn(layer, r"tf.nn.sigmoid(norm(\1) + \2)", stage_source("mnist_2.0_five_layers_sigmoid.py"))
    norm = "norm = lambda sums: (sums - tf.reduce_mean(sums, 0)) / (0.001 + tf.math.reduce_variance(sums, 0)) ** 0.5\n"
    slopes = slopes_at_the_start(source.replace("XX = tf.reshape", norm + "XX = tf.reshape"), forks, tmp_path)
    (told,) = re.findall(r"then gets 1/(\d+) of the slopes of the last", text_of("5_slopes"))
    assert layers == 4 and slopes[-1] / slopes[0] == pytest.approx(int(told), rel=0.3)


def test_with_a_safe_softmax_ten_times_the_rate_jumps_and_still_learns():
    source = PROGRAMS["softmax_numpy.py"].replace("0.003", "0.03").replace("range(1999)", "range(1200)")
    for old, new in (
        ("np.exp(images @ W + b)", "safe_powers(images @ W + b)"),
        ("errors.sum(axis=0)  # [10]\n", "errors.sum(axis=0)\n    test(read, i)\n"),
    ):
        assert source.count(old) == 1
        source = source.replace(old, new)
    digits, accuracies = mnistdata.read_data_sets(str(ROOT / "data"), reshape=True).test, []

    def safe_powers(sums):
        return np.exp(np.maximum(sums - sums.max(axis=1, keepdims=True), -60))  # tiny powers would take long

    def test(read, i):
        if i % 200 == 199:
            accuracies.append((read(digits.images).argmax(axis=1) == digits.labels).mean())

    exec(source.partition("Y, Y_ = ")[0], {"test": test, "safe_powers": safe_powers})
    (told,) = re.findall(r"jumps, and still learns, to (\S+) at its best", text_of("2_one_layer"))
    assert f"{max(accuracies):.2f}" == told and max(accuracies) - min(accuracies) > 0.03


def test_the_error_of_an_answer_is_the_slope_of_its_loss():
    def loss(sums, correct=3):
        return np.log(np.exp(sums).sum()) - sums[correct]

    sums = np.random.RandomState(0).normal(0, 2, 10)
    errors = np.exp(sums) / np.exp(sums).sum() - np.eye(10)[3]
    steps = 1e-6 * np.eye(10)
    assert np.allclose([(loss(sums + step) - loss(sums - step)) / 2e-6 for step in steps], errors, atol=1e-8)


def test_a_distance_hardly_tells_a_sure_and_wrong_answer_where_to_go_and_cross_entropy_does():
    def answer(sums):
        return np.exp(sums) / np.exp(sums).sum()

    def distance(sums):
        return np.linalg.norm(answer(sums) - np.eye(10)[3])

    sure_and_wrong = 20 * np.eye(10)[5]
    step = 1e-3 * np.eye(10)[3]
    assert distance(sure_and_wrong) == pytest.approx(2**0.5)
    assert abs(distance(sure_and_wrong + step) - distance(sure_and_wrong)) / 1e-3 < 1e-6
    assert (answer(sure_and_wrong) - np.eye(10)[3])[[3, 5]] == pytest.approx([-1, 1])


def test_weights_of_the_right_size_keep_the_outputs_of_relus_at_one_size():
    random, sizes = np.random.RandomState(0), []
    for scale in (lambda n: (2 / n) ** 0.5, lambda n: 0.1):
        outputs = random.normal(size=[1000, 200])
        for n, neurons in zip(LAYERS[1:], LAYERS[2:-1]):
            outputs = np.maximum(0, outputs @ random.normal(0, scale(n), [n, neurons]))
        sizes.append((outputs**2).mean() ** 0.5)
    assert 0.7 < sizes[0] < 1.4 and sizes[1] < 0.7 * sizes[0]
    told = re.search(
        r"That is (\S+) for 784 inputs, (\S+) for 200, (\S+) for 100, (\S+) for 60 and (\S+) for 30",
        text_of("5_slopes"),
    )
    assert [float(number.rstrip(".")) for number in told.groups()] == [round((2 / n) ** 0.5, 2) for n in LAYERS[:-1]]


def test_adam_moves_by_the_learning_rate_where_slopes_agree_and_far_less_where_they_do_not():
    def mean_step(slopes, rate=0.003):
        first, second, steps = 0, 0, []
        for i, slope in enumerate(slopes, 1):
            first, second = 0.9 * first + 0.1 * slope, 0.999 * second + 0.001 * slope**2
            steps.append(rate * first / (1 - 0.9**i) / ((second / (1 - 0.999**i)) ** 0.5 + 1e-8))
        return np.abs(steps[100:]).mean()

    assert mean_step([1000.0] * 200) == pytest.approx(0.003)
    assert mean_step([0.0001] * 200) == pytest.approx(0.003, rel=0.01)
    assert mean_step([1.0, -1.0] * 100) < 0.003 / 10


def test_going_back_takes_as_many_multiplications_as_told():
    products = [inputs * outputs for inputs, outputs in zip(LAYERS, LAYERS[1:])]
    back = 2 * sum(products) - products[0]  # nobody asks for the errors of the pixels
    assert f"{back:,} multiplications an image, after {sum(products):,} forward" in text_of("5_slopes")


def test_what_truncated_normal_draws_is_somewhat_nearer_to_0_than_its_standard_deviation_says():
    drawn = np.random.RandomState(0).normal(0, 0.1, 1000000)
    kept = drawn[np.abs(drawn) < 0.2]
    assert f"(which leaves {(kept**2).mean() ** 0.5:.3f})" in text_of("4_more_layers")


def test_what_layers_of_stage_30_multiply_explains_a_part_of_its_time():
    convolutions = 28 * 28 * 5 * 5 * 4 + 14 * 14 * 5 * 5 * 4 * 8 + 7 * 7 * 4 * 4 * 8 * 12
    products = convolutions + 588 * 200 + 200 * 10
    before = sum(inputs * outputs for inputs, outputs in zip(LAYERS, LAYERS[1:]))
    told = f"{products:,} products an image in place of {before:,}, {products / before:.1f} times as many"
    assert told in text_of("8_convolutions")


# -------------------------------------------------------------------------------------------- digits, weights, counts


def test_the_bias_does_not_say_how_frequent_a_digit_is(softmax, digits):
    frequencies, b = np.bincount(digits.train.labels), softmax["b"]
    assert frequencies.argmin() == b.argmax() == 5
    assert f"the highest bias of all, {b.max():.2f}." in text_of("2_one_layer")
    assert abs(np.corrcoef(np.log(frequencies), b)[0, 1]) < 0.1


def test_weights_of_pixels_without_ink_never_move(softmax, digits):
    without_ink = digits.train.images.max(axis=0) == 0
    assert ((softmax["W"] == 0).all(axis=1) == without_ink).all()
    assert f"{without_ink.sum()} of the 784 pixels" in text_of("1_watch")
    assert f"{100 * without_ink.mean():.1f} % of all" in text_of("1_watch")


def test_an_untrained_network_and_one_of_nan_answer_0(digits):
    assert np.full(10, 0.1).argmax() == np.full(10, np.nan).argmax() == 0
    zeros = (digits.test.labels == 0).sum()
    assert f"{zeros} of the test digits are zeros" in text_of("1_watch") and zeros / 10000 == 0.098


def test_most_weights_of_the_first_convolutional_stage_are_in_its_fully_connected_layer():
    convolutions = 5 * 5 * 4 + 5 * 5 * 4 * 8 + 4 * 4 * 8 * 12
    fully_connected = 7 * 7 * 12 * 200
    assert f"have {convolutions:,} weights together, and {fully_connected:,} are in" in text_of("8_convolutions")
    assert convolutions + fully_connected + 200 * 10 + 4 + 8 + 12 + 200 + 10 == 122270


def test_one_sum_that_is_normalised_by_itself_is_nothing():
    sums = np.array([3.7])
    assert (sums - sums.mean()) / (sums.var() + 0.001) ** 0.5 == 0


# ---------------------------------------------------------------------------------------- the same in other libraries


@pytest.mark.parametrize("library", ["keras", "torch"])
def test_stage_22_in_another_library_learns_as_fast_as_here(library, tmp_path):
    if not importlib.util.find_spec(library):
        pytest.skip(f"needs the package {library}, which the project does not")
    source = PROGRAMS[f"{library}_dropout.py"]
    source, lengths = re.subn(r"(?m)^(EPOCHS|ITERATIONS) = .*$", r"\1 = {'EPOCHS': 1, 'ITERATIONS': 600}['\1']", source)
    process = run_script(source, tmp_path, OMP_NUM_THREADS="1")
    assert lengths == 1 and process.returncode == 0, process.stderr
    accuracy = float(re.findall(r"test accuracy: (\S+)", process.stdout)[-1])
    assert 0.93 <= accuracy <= 0.98  # stage 2.2 reads 0.95 of the test digits after 600 iterations


def test_each_word_of_the_books_stands_where_its_idea_first_comes():
    rows = re.findall(r"(?m)^\| [^|]+ \| ([^|]+) \| \[\d+\]\((\w+)\.md\) \|$", CHAPTERS["10_outward"])
    assert len(rows) > 20
    for words, chapter in rows:
        for word in words.split(", "):
            assert re.sub(r"s$", "", word) in text_of(chapter).replace("**", ""), (word, chapter)
