# SPDX-License-Identifier: Apache-2.0
"""The training process's end of a window with a pad: digits that somebody draws are read by the script's function."""

import threading

import numpy as np

from visu.checks import as_array, described
from visu.runtime import in_ipython
from visu.window import Window, news
from visu.words import first_line, say

one_at_a_time = threading.Lock()  # for trainings in several threads, too


class ReadingWindow(Window):
    """A window with a pad. What is drawn there is read by the thread that trains: between two iterations, in a pause,
    and while the program waits for the window to be closed.
    """

    SHOW = "pad"

    def __init__(self, *arguments):
        self.question = None  # the newest: the number of a digit, and float32 [28, 28] or, when it is gone, None
        self.is_new = False
        self.has_failed = False
        super().__init__(*arguments)

    def read_by(self, read_digits):
        """Gets the function from images float32 [n, 28, 28, 1] to probabilities [n, 10]."""
        self.read_digits = read_digits

    def on_read(self, number, image):
        self.question = (number, image)
        self.is_new = True
        news.set()

    def answer(self, once_more=False):
        """Reads the newest digit, if it has not been read yet, or once more."""
        with one_at_a_time:
            is_new, self.is_new = self.is_new, False  # first: what comes in from now on is new
            if self.question and (is_new or once_more):
                number, image = self.question
                if image is not None:
                    answer = ("show_answer", (number, self.probabilities(image)))
                    self.process.outbox.put(answer, "answer", urgent=is_new)

    def probabilities(self, image):
        """What the script's function says of a digit, [10]; None if it fails, and the first time says why."""
        try:
            return checked_probabilities(self.read_digits(image.reshape(1, 28, 28, 1).copy()))
        except Exception as error:  # whatever the script's own function raises
            if not self.has_failed:
                self.has_failed = True
                goes_on = "" if self.over else " Training goes on."
                say(f"read_digits can't read what is drawn: {where_and_what(error)}.{goes_on}", error=True)
            return None

    def show_progress(self, i, update_train_data):
        super().show_progress(i, update_train_data)
        self.answer(once_more=update_train_data)

    def end(self, state):
        if in_ipython():  # there, the program is not this script's to keep, and nobody is left to read
            self.send("stop_reading")
        super().end(state)


class WrongProbabilities(Exception):
    """What is wrong with what the script's function returned."""


def checked_probabilities(value):
    """The ten probabilities of one digit, float64 [10], if the value is that."""
    array, expected = as_array(value), "expected the probabilities [n, 10] of n images"
    if array.shape != (1, 10) or array.dtype.kind not in "fiub":
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
