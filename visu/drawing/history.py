# SPDX-License-Identifier: Apache-2.0
"""All that there is to draw of a run, in little memory however long the run is."""

import numpy as np

from visu.style import BUCKETS, CURVES

CAPACITY = 512  # rows of a series, enough for 10,000 iterations with an update every 20


class Series:
    """Numbers over iterations: rows [x, value, …], never more than CAPACITY and a few.

    When it is full, a function goes through four rows at a time and keeps two of them, and so it does from then on
    with the rows that come in: all parts of the run stay equally fine. The newest row is always there.
    """

    def __init__(self, width, keep_two_of_four):
        self.rows = np.empty([CAPACITY, width])
        self.length = 0
        self.keep_two_of_four = keep_two_of_four
        self.waiting = []  # for each halving so far: up to three newer rows, too few to go through it
        self.added = 0

    def add(self, *row):
        self.added += 1
        self.newest = row
        rows = [row]
        for waiting in self.waiting:
            waiting.extend(rows)
            if len(waiting) < 4:
                return
            rows = self.keep_two_of_four(np.array([waiting]))
            waiting.clear()
        self.rows[self.length : self.length + len(rows)] = rows
        self.length += len(rows)
        if self.length == CAPACITY:
            self.length //= 2
            self.rows[: self.length] = self.keep_two_of_four(self.rows.reshape(-1, 4, self.rows.shape[1]))
            self.waiting.append([])

    def values(self):
        """The rows, float64 [k, width]."""
        newer = [row for waiting in reversed(self.waiting) for row in waiting]
        if self.added and not (newer and newer[-1][0] == self.newest[0]):
            newer.append(self.newest)
        rows = self.rows[: self.length]
        if self.length and newer and rows[-1, 0] == newer[-1][0]:
            return rows
        return np.concatenate([rows, np.array(newer).reshape(-1, rows.shape[1])])


def lowest_and_highest(fours):
    """Keeps the extremes of a curve, and its gaps. fours: [k, 4, 2] of x and y; returns [2 k, 2]."""
    y = fours[..., 1]
    lowest = np.where(np.isnan(y), np.inf, y).argmin(axis=1)
    highest = y.argmax(axis=1)  # of "not a number", which makes a gap, that one
    kept = np.sort([lowest, highest], axis=0)
    kept[:, lowest == highest] = [[0], [3]]
    return fours[np.arange(len(fours)), kept].swapaxes(0, 1).reshape(-1, 2)


def first_and_third(fours):
    """Keeps every second one. fours: [k, 4, width]; returns [2 k, width]."""
    return fours[:, ::2].reshape(-1, fours.shape[2])


class History:
    """What there is to draw of a run so far."""

    def __init__(self):
        self.curves = {
            curve: {quantity: Series(2, lowest_and_highest) for quantity in ("accuracy", "loss")} for curve in CURVES
        }
        self.weights = Series(1 + BUCKETS + 1, first_and_third)
        self.biases = Series(1 + BUCKETS + 1, first_and_third)
        self.titles = {}  # number of a panel: the title that the script gave it on the way
        self.pictures = dict.fromkeys(CURVES)  # of digits, uint8 [height, width, 3]
        self.learning_rate, self.epoch = None, None
        self.best_test_accuracy = None

    def add_point(self, curve, iteration, accuracy, loss, learning_rate=None, epoch=None):
        for quantity, value in (("accuracy", accuracy), ("loss", loss)):
            self.curves[curve][quantity].add(iteration, value if np.isfinite(value) else np.nan)  # a gap in the curve
        if curve == "training":
            self.learning_rate = learning_rate
        else:
            self.epoch = epoch
            self.best_test_accuracy = max(self.best_test_accuracy or 0.0, accuracy)  # which may be "not a number"

    def add_distributions(self, x, weights, biases, weights_title, biases_title):
        self.weights.add(x, *weights)
        self.biases.add(x, *biases)
        self.titles.update({number: title for number, title in ((4, weights_title), (5, biases_title)) if title})

    def add_picture(self, curve, picture):
        self.pictures[curve] = picture
