"""Every edit that the lesson and the questions show gives a script that does what the page says, on a short run."""

import re
import subprocess
import sys

import numpy as np
import PIL.Image
import pytest

import mnistdata
from exercises import LESSON, QUESTIONS, exercises
from helpers import ROOT, max_test_accuracy, shortened_text_only, stage_source

EXERCISES = dict(exercises())
# Iterations, and a test accuracy that the edited script does not reach if a step of it is broken
SHORT_RUNS = {
    "softmax_10000.py": (100, 0.85),
    "rate_low.py": (200, 0.80),
    "batch_of_10.py": (200, 0.80),
    "two_layers.py": (400, 0.75),
    "slopes.py": (400, 0.80),
    "relus.py": (200, 0.85),
    "fixed_rate.py": (200, 0.88),
    "few_digits.py": (200, 0.75),
    "keep_half.py": (400, 0.85),
    "shuffled_dense.py": (200, 0.88),
    "shuffled_convolutional.py": (100, 0.85),
    "no_dropout.py": (100, 0.90),
    "more_dropout.py": (100, 0.90),
    "deeper.py": (100, 0.90),
    "keep_model.py": (50, 0.80),
    "long_steps.py": (121, 0.80),
    "not_bent.py": (61, 0.80),
    "my_digit.py": (100, 0.90),
}
# Iterations after which the edited script has not learned, as the lesson shows what goes wrong
WRONG_ON_PURPOSE = {
    "rate_high.py": 50,
    "from_zeros.py": 100,
    "plain_descent.py": 200,
    "long_steps_not_normalised.py": 50,
}
UNTRAINED = 0.25  # far below what the scripts reach without the edit


def short_run(name, iterations, forks, folder):
    process = forks.run_script(shortened_text_only(EXERCISES[name], iterations), folder)
    assert process.returncode == 0, process.stderr
    return process


@pytest.mark.parametrize("name", sorted(set(EXERCISES) - set(WRONG_ON_PURPOSE)))
def test_an_edit_gives_a_script_that_learns(name, forks, tmp_path, few_test_digits):
    iterations, floor = SHORT_RUNS[name]
    digit = mnistdata.read_data_sets("data", reshape=False).test.images[1, :, :, 0]  # a clear 2
    PIL.Image.fromarray(np.uint8(255 * (1 - digit))).save(str(tmp_path / "my_digit.png"))  # greyscale
    process = short_run(name, iterations, forks, tmp_path)
    assert process.stderr == ""
    assert max_test_accuracy(process.stdout) >= floor
    if name == "my_digit.py":
        assert process.stdout.splitlines()[-1] == "my digit is a 2"
    if name == "keep_model.py":
        assert (tmp_path / "mnist_model.index").exists()
    if name == "slopes.py":  # printed from the first layer to the last
        slopes = [float(mean) for mean in re.findall(r"(?m)^\(\d+, \d+\) (\S+)$", process.stdout)]
        assert len(slopes) == 5 and slopes == sorted(slopes) and slopes[0] < slopes[-1] / 1000
    if name == "few_digits.py":  # an epoch has 10 iterations
        assert f"{iterations - 1}: ********* epoch {iterations // 10} *********" in process.stdout


@pytest.mark.parametrize("name", sorted(WRONG_ON_PURPOSE))
def test_an_edit_that_shows_what_goes_wrong_does_go_wrong(name, forks, tmp_path, few_test_digits):
    process = short_run(name, WRONG_ON_PURPOSE[name], forks, tmp_path)
    assert max_test_accuracy(process.stdout) < UNTRAINED
    last_loss = re.findall(r"test loss: (\S+)", process.stdout)[-1]
    assert (last_loss == "nan") == (name == "rate_high.py")


def test_every_edit_is_tried():
    assert sorted(EXERCISES) == sorted([*SHORT_RUNS, *WRONG_ON_PURPOSE])


def test_a_layer_of_keras_stands_in_the_graph_as_the_questions_show_it(forks, tmp_path, few_test_digits):
    (line,) = re.findall(r"```python\n(Ylogits = .*)\n```", QUESTIONS.read_text(encoding="utf-8"))
    source = stage_source("mnist_2.0_five_layers_sigmoid.py")
    by_hand = "Ylogits = tf.matmul(Y4, W5) + B5"
    assert source.count(by_hand) == 1
    process = forks.run_script(shortened_text_only(source.replace(by_hand, line), 400), tmp_path)
    assert process.returncode == 0, process.stderr
    assert max_test_accuracy(process.stdout) >= 0.75


def test_the_program_writes_the_edits_of_the_lesson_into_a_folder(tmp_path):
    folder = tmp_path / "exercises"
    subprocess.run([sys.executable, str(ROOT / "docs" / "exercises.py"), str(folder)], check=True)
    written = {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()}
    assert written == dict(exercises(LESSON)) and "two_layers.py" in written and "keep_model.py" not in written
