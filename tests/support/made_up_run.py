"""A picture of a made-up run, for the tests of what is drawn."""

import numpy as np
import pytest

from visu.channel import Run
from visu.drawing.picture import file_picture
from visu.record import Bands, Picture, Point, Record
from visu.style import TITLES, Style

ITERATIONS = 1000
RUN = Run("test", ITERATIONS, Style(TITLES, (0, 1), 70))
STATUS = ["on the left", "on the right"]


def point(curve, iteration, accuracy, loss, learning_rate=None, epoch=None):
    return Point(curve, iteration, accuracy, loss, learning_rate, epoch)


@pytest.fixture
def record():
    record = Record()
    for i in range(0, 201, 20):
        record.add(point("training", i, i / 250, 90 - i / 4))
        record.add(Bands(i, np.linspace(-i, i, 8) / 100, np.linspace(0, 1, 8), None, "biases, renamed"))
    for i in (0, 100, 200):
        record.add(point("test", i, i / 260, 95 - i / 4))
    record.add(Picture("training", 200, np.zeros([280, 280, 3], np.uint8)))
    record.add(Picture("test", 200, np.zeros([700, 1120, 3], np.uint8)))
    return record


@pytest.fixture
def picture(record):
    picture = file_picture(RUN, record)
    picture.update(STATUS)
    return picture


def pixels(picture):
    """What is on the canvas, uint8 [height, width, 3]."""
    return np.array(picture.figure.canvas.buffer_rgba())[..., :3]


def status_of(picture):
    """What the line at the bottom says, with a space where no line may break."""
    return f"{picture.status.left.get_text()} {picture.status.right.get_text()}".replace("\xa0", " ")
