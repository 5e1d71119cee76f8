"""The recipes of docs/your_own.md, as they stand there; and the window where TensorFlow is not installed."""

import importlib.util
import re
import shutil

import matplotlib.image
import numpy as np
import pytest

import tensorflowvisu
from helpers import ROOT, made_up_training, max_test_accuracy, run_script
from screenshots import panels_shown, share, shows_six_panels

PAGE = (ROOT / "docs" / "your_own.md").read_text(encoding="utf-8")
CURVE, SIDE_BY_SIDE, PYTORCH, KERAS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def shortened(recipe, iterations):
    """The recipe with another number of iterations, and a last line that prints what it has come to."""
    recipe, number = re.subn(r"(datavis\.anim\w+\(.*?)\d+00\b", rf"\g<1>{iterations}", recipe)
    assert number == 1
    return recipe + '\nprint("max test accuracy:", datavis.get_max_test_accuracy())\n'


def picture_of(process, folder):
    """The picture that a recipe has saved, as it had no screen."""
    assert process.returncode == 0 and process.stderr == "", process.stderr
    return matplotlib.image.imread(str(folder / "script.png"))


@pytest.mark.parametrize("recipe", [CURVE, PYTORCH, KERAS])
def test_a_recipe_has_15_to_30_lines(recipe):
    assert 15 <= len([line for line in recipe.splitlines() if line]) <= 30


@pytest.mark.tensorflow
def test_a_network_without_images_has_four_panels_and_no_names_above_the_others(forks, tmp_path):
    process = forks.run_script(shortened(CURVE, 301), tmp_path)
    picture = picture_of(process, tmp_path)
    assert max_test_accuracy(process.stdout) > 0.6
    assert panels_shown(picture) == [1, 2, 4, 5]
    above_panel_1, above_panel_3 = (0, 0, 1 / 3, 0.05), (2 / 3, 0, 1, 0.05)
    assert share(picture, 255, above_panel_1) < share(picture, 255, above_panel_3) == 1


@pytest.mark.skipif(not importlib.util.find_spec("torch"), reason="needs the package torch")
def test_a_loop_in_pytorch_has_six_panels(tmp_path):
    process = run_script(shortened(PYTORCH, 101), tmp_path)
    assert shows_six_panels(picture_of(process, tmp_path))
    assert max_test_accuracy(process.stdout) > 0.8


@pytest.mark.tensorflow
@pytest.mark.skipif(not importlib.util.find_spec("keras"), reason="needs the package keras, which TensorFlow 2 brings")
def test_a_keras_model_has_all_panels_but_that_of_the_training_images(forks, tmp_path):
    process = forks.run_script(shortened(KERAS, 101), tmp_path)
    assert panels_shown(picture_of(process, tmp_path)) == [1, 2, 4, 5, 6]
    assert max_test_accuracy(process.stdout) > 0.7


def test_images_of_any_size_stand_side_by_side():
    names = {"np": np}
    exec(SIDE_BY_SIDE, names)
    images = np.random.RandomState(0).rand(6, 4, 5, 3)
    picture = names["side_by_side"](images, 2)
    assert picture.shape == (8, 15, 3)
    assert (picture[4:, 5:10] == (255 * images[4]).astype(np.uint8)).all()
    tensorflowvisu.MnistDataVis().update_image1(picture)


NO_TENSORFLOW = """
import importlib.machinery

find_spec = importlib.machinery.PathFinder.find_spec


def find_others(name, *arguments):
    return None if name.split(".")[0] == "tensorflow" else find_spec(name, *arguments)


importlib.machinery.PathFinder.find_spec = find_others
"""
PICTURES = """
picture = tensorflowvisu.format_mnist_images(np.zeros([2, 28, 28, 1]), np.eye(10)[[1, 2]], np.eye(10)[[1, 3]])
print("a picture of digits:", picture.shape, (picture == (255, 160, 160)).all(axis=-1).any())
tensorflowvisu.tf_format_mnist_images(None, None, None)
"""


def test_what_the_page_says_to_take_along_shows_a_training_where_there_is_no_tensorflow(tmp_path):
    to_take = re.search(r"Take along\s+(.*?);", PAGE, re.DOTALL).group(1)
    for name in re.findall(r"`(.*?)`", to_take):
        if (ROOT / name).is_dir():
            shutil.copytree(str(ROOT / name), str(tmp_path / name))
        else:
            shutil.copy(str(ROOT / name), str(tmp_path))
    process = run_script(NO_TENSORFLOW + made_up_training(101) + PICTURES, tmp_path, PYTHONPATH="")
    assert "a picture of digits: (280, 280, 3) True" in process.stdout
    assert shows_six_panels(matplotlib.image.imread(str(tmp_path / "script.png")))
    assert process.returncode == 1 and process.stderr.count("\n") == 1
    assert "(tf_format_mnist_images needs it, format_mnist_images does not): " in process.stderr
