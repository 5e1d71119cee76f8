# SPDX-License-Identifier: Apache-2.0
"""Digits that somebody draws in the window are read by the script's function, in the process that trains."""

import threading

import numpy as np

from visu.channel import Answer
from visu.record import as_numbers, described
from visu.words import first_line

one_at_a_time = threading.Lock()  # for trainings in several threads, too


class Reader:
    """Answers questions by the script's function, from images float32 [n, 28, 28, 1] to probabilities [n, 10].

    The thread that trains calls it: between two iterations, in a pause, and while the program waits for the window to
    be closed.
    """

    def __init__(self, read_digits, tell):
        """tell: a function that is called, once, with a sentence that says why read_digits fails."""
        self.read_digits, self.tell = read_digits, tell
        self.question = None  # the newest
        self.is_new = False
        self.has_failed = False

    def ask(self, question):
        self.question, self.is_new = question, True

    def answer(self, once_more=False):
        """The Answer to the newest question if it is new, or asked once more; else None."""
        is_asked = self.is_new or once_more
        self.is_new = False
        if not is_asked or self.question is None or self.question.image is None:
            return None
        return Answer(self.question.number, self.probabilities(self.question.image))

    def probabilities(self, image):
        """What the script's function says of a digit, [10]; None if it fails."""
        try:
            with one_at_a_time:
                return checked_probabilities(self.read_digits(image.reshape(1, 28, 28, 1).copy()))
        except Exception as error:  # whatever the script's own function raises
            if not self.has_failed:
                self.has_failed = True
                self.tell(f"read_digits can't read what is drawn: {where_and_what(error)}.")
            return None


class WrongProbabilities(Exception):
    """What is wrong with what the script's function returned."""


def checked_probabilities(value):
    """The ten probabilities of one digit, float64 [10], if the value is that."""
    array, expected = as_numbers(value, "fiub"), "expected the probabilities [n, 10] of n images"
    if array is None or array.shape != (1, 10):
        raise WrongProbabilities(f"it returned {described(value)} for 1 image, {expected}")
    array = array[0].astype(np.float64)
    if np.isnan(array).any():
        raise WrongProbabilities(f'it returned "not a number", {expected}')
    if array.min() < -0.001 or array.max() > 1.001:
        lowest, highest = array.min(), array.max()
        raise WrongProbabilities(f"it returned numbers from {lowest:.3g} to {highest:.3g}, {expected}, from 0 to 1")
    return array.clip(0, 1)


def where_and_what(error):
    """Where in the script's function an exception was raised, and what it says."""
    if isinstance(error, WrongProbabilities):
        return str(error)
    frame, place = error.__traceback__.tb_next, ""  # the first is our own
    script = frame and frame.tb_frame.f_code.co_filename
    while frame:
        if frame.tb_frame.f_code.co_filename == script:  # and not some line of TensorFlow's
            place = f"{script}, line {frame.tb_lineno}: "
        frame = frame.tb_next
    return f"{place}{type(error).__name__}: {first_line(error)}"
