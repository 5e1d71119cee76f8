# SPDX-License-Identifier: Apache-2.0
"""The numbers of the training and of the test curve, all of them, as arrays and as CSV."""

import array
import collections
import csv

import numpy as np

from visu.listener import Listener
from visu.style import CURVES

Curve = collections.namedtuple("Curve", "iteration accuracy loss learning_rate")


class Curves(Listener):
    """All points of a run so far."""

    def __init__(self):
        self.numbers = {curve: array.array("d") for curve in CURVES}  # row after row, each a Curve of numbers
        self.best_test_accuracy = 0.0

    def add_point(self, curve, point):
        learning_rate = np.nan if point.learning_rate is None else point.learning_rate
        self.numbers[curve].extend((point.iteration, point.accuracy, point.loss, learning_rate))
        if curve == "test":
            self.best_test_accuracy = max(self.best_test_accuracy, point.accuracy)  # which may be "not a number"

    def arrays(self):
        """{"training": curve, "test": curve}, each a Curve of arrays float64 [points]."""
        return {curve: Curve(*np.array(rows).reshape(-1, len(Curve._fields)).T) for curve, rows in self.numbers.items()}

    def save(self, path):
        """Writes a CSV file, a line for each point. Raises OSError."""
        with open(path, "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(("curve",) + Curve._fields)
            for curve, columns in self.arrays().items():
                for *row, learning_rate in zip(*columns):
                    row.append("" if np.isnan(learning_rate) else learning_rate)
                    writer.writerow([curve] + [value if value == "" else f"{value:.7g}" for value in row])
