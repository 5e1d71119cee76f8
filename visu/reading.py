# SPDX-License-Identifier: Apache-2.0
"""Digits on the pad are read by the script's function, in the process that trains: probabilities, layers, patches."""

import threading

import numpy as np

from visu.channel import Answer, Layer, Patch
from visu.record import as_numbers, described
from visu.style import RED, WHITE
from visu.words import first_line

MOST_VALUES = 1 << 18  # of a layer, that are handed on: as many as a window can show
PIECE = 112  # images that are read at once, of the 784 of a patch
MORE_INK = 0.1  # what is added to a pixel, to see what that changes
NOISE = 1e-4  # of the largest change: rounding, and no change

one_at_a_time = threading.Lock()  # for trainings in several threads, too


class Reader:
    """Answers questions by the script's function, from images float32 [n, 28, 28, 1] to probabilities [n, 10].

    The function may return a list that begins with them and goes on with what the layers make of the images, each [n,
    rows, columns, channels] or [n, neurons].
    The thread that trains calls it: between two iterations, in a pause, and while the program waits for the window to
    be closed.
    """

    def __init__(self, read_digits, tell):
        """tell: a function that is called, once, with a sentence that says why read_digits fails."""
        self.read_digits, self.tell = read_digits, tell
        self.question = self.patch_question = None  # the newest
        self.is_new = False
        self.has_failed = False

    def ask(self, question):
        self.question, self.is_new = question, True

    def ask_for_patch(self, question):
        self.patch_question = question

    def answer(self, once_more=False):
        """The Answer to the newest question if it is new, or asked once more; else None."""
        is_asked = self.is_new or once_more
        self.is_new = False
        if not is_asked or self.question is None or self.question.image is None:
            return None
        reading = self.try_to(lambda: self.read(self.question.image[np.newaxis]))
        if reading is None:
            return Answer(self.question.number, None, [] if self.question.layers else None)
        probabilities, layers = reading
        handed_on = [first_channels(values[0]) for values in layers] if self.question.layers else None
        return Answer(self.question.number, probabilities[0], handed_on)

    def patch(self):
        """The Patch that was asked for, if there is one; else None."""
        question, self.patch_question = self.patch_question, None
        return question and self.try_to(lambda: self.find_patch(question))

    def try_to(self, read):
        """What a function returns; None if it fails, and the first time says why."""
        try:
            with one_at_a_time:
                return read()
        except Exception as error:  # whatever the script's own function raises
            if not self.has_failed:
                self.has_failed = True
                self.tell(f"read_digits can't read what is drawn: {where_and_what(error)}.")
            return None

    def read(self, images):
        """Probabilities float64 [n, 10] and a list of layers, float32 [n, …], of images [n, 28, 28]."""
        return checked_reading(self.read_digits(np.array(images, np.float32)[..., np.newaxis]), len(images))

    def find_patch(self, question):
        """Asks the network which pixels change a value: each of them gets a little more ink.

        Where the value is silent in the digit, as below 0 in a relu, noise may wake it.
        """
        noise = np.random.RandomState(0).rand(28, 28)  # of its own: the run's numbers stay what they are
        for image in (question.image, noise):
            changes = self.changes(image, question.place)
            if np.abs(changes).max() > 0:
                return Patch(question.number, question.place, changes, image is question.image)
        return Patch(question.number, question.place, None, True)

    def changes(self, image, place):
        """What more ink in each pixel adds to a value of a layer, for each unit of ink: float32 [28, 28]."""
        layer, *indices = place

        def values_of(images):
            return self.read(images)[1][layer][(slice(None), *indices)]

        inked = image + MORE_INK * np.eye(28 * 28).reshape(-1, 28, 28)
        inked = np.concatenate([values_of(piece) for piece in np.array_split(inked, len(inked) // PIECE)])
        values = np.concatenate([values_of(image[np.newaxis]), inked]).astype(np.float64)
        changes = (values[1:] - values[0]) / MORE_INK
        changes[np.abs(changes) <= NOISE * np.abs(values).max()] = 0
        return changes.reshape(28, 28).astype(np.float32)


def first_channels(values):
    """A Layer of values [rows, columns, channels] or [neurons], no more of them than a window can show."""
    number = values.shape[-1]
    most = max(1, MOST_VALUES * number // max(values.size, 1))
    return Layer(np.ascontiguousarray(values[..., :most]), number)


def digit_in_tile(tile, images):
    """The one of images [n, 28, 28, 1] that a tile of a picture of digits shows, float32 [28, 28]; None if none is it.

    tile: uint8 [28, 28, 3]. Small labels hide some of its pixels, the others say which digit it is: on white and on
    red, how red they are says how much ink there is.
    """
    red, green, blue = np.moveaxis(tile.astype(np.float32), 2, 0)
    on_white, on_red = (np.abs(red * ground[1] / ground[0] - green) < 2 for ground in (WHITE, RED))
    is_open = (green == blue) & (on_white | on_red)
    shades = 255 - 255 * np.asarray(images, np.float32).reshape(len(images), 28, 28)[:, is_open]
    differences = np.abs(shades - red[is_open])  # below 1, as a picture has whole shades only
    nearest = differences.sum(axis=1).argmin()
    is_it = is_open.any() and differences[nearest].max() <= 1.01
    return np.array(images[nearest], np.float32).reshape(28, 28) if is_it else None


class WrongReading(Exception):
    """What is wrong with what the script's function returned."""


def checked_reading(value, n):
    """Probabilities float64 [n, 10] and a list of layers, float32 [n, …], if the value is that."""
    has_layers = isinstance(value, (list, tuple)) and len(value) > 0 and np.ndim(value[0]) == 2
    probabilities, *layers = value if has_layers else [value]
    return checked_probabilities(probabilities, n), [checked_layer(k, layer, n) for k, layer in enumerate(layers, 1)]


def checked_probabilities(value, n):
    array, expected = as_numbers(value, "fiub"), "expected the probabilities [n, 10] of n images"
    if array is None or array.shape != (n, 10):
        raise WrongReading(f"it returned {described(value)} for {n} image{'s' * (n > 1)}, {expected}")
    array = array.astype(np.float64)
    if np.isnan(array).any():
        raise WrongReading(f'it returned "not a number", {expected}')
    if array.min() < -0.001 or array.max() > 1.001:
        lowest, highest = array.min(), array.max()
        raise WrongReading(f"it returned numbers from {lowest:.3g} to {highest:.3g}, {expected}, from 0 to 1")
    return array.clip(0, 1)


def checked_layer(k, value, n):
    array = as_numbers(value, "fiub")
    if array is None or array.ndim not in (2, 4) or len(array) != n or array.size == 0:
        raise WrongReading(
            f"layer {k} of what it returned is {described(value)} for {n} image{'s' * (n > 1)}, expected maps "
            f"[n, rows, columns, channels] or cells [n, neurons]"
        )
    return array.astype(np.float32)


def where_and_what(error):
    """Where in the script's function an exception was raised, and what it says."""
    if isinstance(error, WrongReading):
        return str(error)
    frame, place, ours = error.__traceback__, "", error.__traceback__.tb_frame.f_code.co_filename
    while frame and frame.tb_frame.f_code.co_filename == ours:
        frame = frame.tb_next
    script = frame and frame.tb_frame.f_code.co_filename
    while frame:
        if frame.tb_frame.f_code.co_filename == script:  # and not some line of TensorFlow's
            place = f"{script}, line {frame.tb_lineno}: "
        frame = frame.tb_next
    return f"{place}{type(error).__name__}: {first_line(error)}"
