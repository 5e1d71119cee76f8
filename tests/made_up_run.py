"""A picture of a made-up run, for the tests of what is drawn."""

import numpy as np
import pytest

from visu.drawing.history import History
from visu.drawing.picture import file_picture
from visu.style import TITLES, Style

STYLE = Style(TITLES, (0, 1), 70, "test")


@pytest.fixture
def history():
    history = History()
    for i in range(0, 201, 20):
        history.add_point("training", i, i / 250, 90 - i / 4)
        history.add_distributions(i, np.linspace(-i, i, 8) / 100, np.linspace(0, 1, 8), None, "biases, renamed")
    for i in (0, 100, 200):
        history.add_point("test", i, i / 260, 95 - i / 4)
    history.add_picture("training", np.zeros([280, 280, 3], np.uint8))
    history.add_picture("test", np.zeros([700, 1120, 3], np.uint8))
    return history


ITERATIONS = 1000
STATUS = ["on the left", "on the right"]


@pytest.fixture
def picture(history):
    picture = file_picture(STYLE, history, ITERATIONS)
    picture.update(STATUS)
    return picture


def pixels(picture):
    """What is on the canvas, uint8 [height, width, 3]."""
    return np.array(picture.figure.canvas.buffer_rgba())[..., :3]
