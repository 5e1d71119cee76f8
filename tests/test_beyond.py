"""Stages 4.0 and 4.1, beyond the codelab: batch normalisation, and digits that are bent."""

import numpy as np
import pytest

from exercises import exercises
from helpers import STAGES, link, shortened_text_only, stage_source

NORMALISED, BENT = STAGES[-2:]


# Bends digits, at random and by chosen numbers: these for each image, and 0 for the terms after them
BENDS = """
class Chosen:
    def __init__(self, rows, columns):
        self.numbers = np.zeros([2, 1, 10])
        self.numbers[0, 0, : len(rows)], self.numbers[1, 0, : len(columns)] = rows, columns

    def uniform(self, low, high, shape):
        return np.broadcast_to(low + (high - low) * (self.numbers + 2) / 4, shape)  # so the numbers, from -2 to 2


images = mnist.test.images[:100]
same = np.repeat(images[:1], 100, axis=0)
results = {"images": images, "first": bend(images), "second": bend(images), "same": bend(same)}
CHOSEN = {"zeros": ([], []), "shifted": ([1], [-2]), "half": ([0.5], []), "curved": ([0, 0, 2], [])}
for name, numbers in CHOSEN.items():
    bend.__globals__["random"] = Chosen(*numbers)
    results[name] = bend(images)
bend.__globals__["ITERATIONS"] = 13000
for i in (10999, 11000):
    bent = []
    bend.__globals__["bend"] = lambda images: bent.append(images) or images
    training_step(i, False, False)
    results[f"bent in {i}"] = [len(images) for images in bent]
np.savez("bent.npz", **results)
"""


@pytest.fixture(scope="module")
def bent(forks, shortened_tests, tmp_path_factory):
    """100 digits as stage 4.1 bends them, {name: float32 [100, 28, 28, 1]}, and how many it bends in two iterations."""
    folder = tmp_path_factory.mktemp("bent")
    link(shortened_tests, folder / "data")
    process = forks.run_script(shortened_text_only(stage_source(BENT), 1) + BENDS, folder)
    assert process.returncode == 0, process.stderr
    return np.load(str(folder / "bent.npz"))


@pytest.mark.tensorflow
def test_bent_digits_are_images_of_the_same_kind_and_other_ones_each_time(bent):
    first, second, images = bent["first"], bent["second"], bent["images"]
    assert first.shape == images.shape and first.dtype == np.float32
    assert first.min() >= 0 and first.max() <= 1
    assert (np.abs(first - second).reshape(100, -1).max(axis=1) > 0.2).all()
    same = bent["same"]  # one digit, bent in 100 ways at once
    assert (np.abs(same[1:] - same[:-1]).reshape(99, -1).max(axis=1) > 0.2).all()


@pytest.mark.tensorflow
def test_the_last_two_thousand_iterations_have_the_digits_as_they_are(bent):
    assert (bent["bent in 10999"].tolist(), bent["bent in 11000"].tolist()) == ([100], [])


@pytest.mark.tensorflow
def test_numbers_of_0_leave_the_digits_as_they_are(bent):
    assert np.allclose(bent["zeros"], bent["images"], atol=0.01)  # 26.999 is not 27


@pytest.mark.tensorflow
def test_the_first_term_shifts_and_the_others_bend(bent):
    images, half, curved = bent["images"], bent["half"], bent["curved"]
    assert np.allclose(bent["shifted"][:, :-1, 2:], images[:, 1:, :-2], atol=0.01)  # 1 row up, 2 columns to the right
    assert np.allclose(half[:, 5:-5], (images[:, 5:-5] + images[:, 6:-4]) / 2, atol=0.01)  # half a row
    # by x * x: a row is moved at its ends, not in its middle
    assert np.allclose(curved[:, :, 13:15], images[:, :, 13:15], atol=0.01)
    assert not np.allclose(curved[:, :, 6:9], images[:, :, 6:9], atol=0.1)


@pytest.mark.tensorflow
def test_without_bending_and_as_short_the_last_stage_is_the_one_before_it(forks, tmp_path, few_test_digits):
    outputs = [
        forks.run_script(shortened_text_only(source, 5), tmp_path).stdout
        for source in (dict(exercises())["not_bent.py"], stage_source(NORMALISED), stage_source(BENT))
    ]
    assert outputs[0] == outputs[1] != outputs[2]


MEASURE = """
images = mnist.test.images[:50]
together = read(images)[0]
print(np.abs(np.concatenate([read(images[i : i + 1])[0] for i in range(50)]) - together).max())
batch = sess.run(tf.nn.softmax(training_logits), {X: images[:10]})
print(np.abs(batch - together[:10]).max())
print(sorted(variable.shape.num_elements() for variable in tf.trainable_variables()) == sorted(
    sess.run(w).size for w in [W1, W2, W3, W4, W5, W6, W7, W8, B1, B2, B3, B4, B5, B6, B7, B8]))
weights = sess.run(allweights)
sess.run(update_averages, {X: images})
print((sess.run(allweights) == weights).all(), (read(images)[0] == together).all())
"""


@pytest.mark.tensorflow
def test_an_answer_depends_on_the_other_images_in_training_only(forks, tmp_path, few_test_digits):
    source = shortened_text_only(stage_source(NORMALISED), 41) + MEASURE
    process = forks.run_script(source, tmp_path)
    assert (process.returncode, process.stderr) == (0, "")
    alone, in_training, only_weights_are_trained, only_averages_change = process.stdout.splitlines()[-4:]
    assert float(alone) < 1e-4 < 1e-2 < float(in_training)
    assert only_weights_are_trained == "True"
    assert only_averages_change == "True False"


RATES = """
import numpy as np
from stage_runs import Stage
names = Stage({source!r}, __file__, iterations={iterations}).run(lambda step, updates, animate: None)
sess, step, lr = names["sess"], names["step"], names["lr"]
straight = 0.003 * (1 - step / {iterations})
for rate in (lr, straight):
    print("rates:", *[sess.run(rate, {{step: i}}) for i in np.linspace(0, {iterations} - 1, 50).astype(int)])
print("after:", *[sess.run(lr, {{step: i}}) for i in ({iterations}, {iterations} + 1, 2 * {iterations}, 10**6)])
"""


@pytest.mark.tensorflow
@pytest.mark.parametrize("stage, iterations", [(NORMALISED, 10000), (NORMALISED, 20000), (BENT, 13000), (BENT, 300)])
def test_the_learning_rate_is_lowest_at_the_last_iteration_and_stays_there(stage, iterations, forks, tmp_path):
    source = RATES.format(source=stage_source(stage), iterations=iterations)
    process = forks.run_script(source, tmp_path)
    assert process.returncode == 0, process.stderr
    rates, straight, after = ([float(rate) for rate in line.split()[1:]] for line in process.stdout.splitlines()[-3:])
    assert rates == straight  # to the last digit
    assert rates[0] == pytest.approx(0.003) and rates == sorted(rates, reverse=True) and rates[-1] > 0
    assert after == 4 * [rates[-1]]
