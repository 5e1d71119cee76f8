# SPDX-License-Identifier: Apache-2.0
"""The record of a run: what it adds up to, in the process that trains and, thinned, in the process that draws.

What scripts pass in is checked here, while the traceback still leads to their own line.
"""

import array
import collections
import contextlib
import csv
import decimal
import numbers

import numpy as np

from visu.style import BUCKETS, CURVES
from visu.words import first_line

# What is added to a record. curve is one of CURVES; learning_rate and epoch are None where there is none
Point = collections.namedtuple("Point", "curve iteration accuracy loss learning_rate epoch")
# weights and biases: the boundaries of BUCKETS bands, float64 [8] each; titles: new ones of panels 4 and 5, or None
Bands = collections.namedtuple("Bands", "iteration weights biases weights_title biases_title")
# Of digits: pixels uint8 [height, width, 3]; images: the digits themselves, [n, 28, 28, 1], if the script handed them
# over, and not in the process that draws
Picture = collections.namedtuple("Picture", "curve iteration pixels images", defaults=[None])

# All weights and all biases, arrays of any shape. They are handed on, and too many to be recorded
Values = collections.namedtuple("Values", Bands._fields)

Curve = collections.namedtuple("Curve", "iteration accuracy loss learning_rate")  # arrays float64 [points]


class Series:
    """Numbers over iterations: rows [x, value, …].

    capacity: the rows that are kept; None for all. When it is full, a function goes through four rows at a time and
    keeps two of them, and so it does from then on with the rows that come in: all parts of the run stay equally fine.
    The newest row is always there.
    """

    def __init__(self, width, two_of_four, capacity=None):
        self.width, self.two_of_four, self.capacity = width, two_of_four, capacity
        self.rows = array.array("d")
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
            rows = self.two_of_four(np.array([waiting]))
            waiting.clear()
        for row in rows:
            self.rows.extend(row)
        if self.capacity and len(self.rows) >= self.capacity * self.width:
            fours = np.array(self.rows).reshape(-1, 4, self.width)
            self.rows = array.array("d", self.two_of_four(fours).ravel())
            self.waiting.append([])

    def values(self):
        """The rows, float64 [k, width]."""
        newer = [row for waiting in reversed(self.waiting) for row in waiting]
        if self.waiting and not (newer and newer[-1][0] == self.newest[0]):
            newer.append(self.newest)
        rows = np.array(self.rows).reshape(-1, self.width)
        if not newer or (len(rows) and rows[-1, 0] == newer[-1][0]):
            return rows
        return np.concatenate([rows, np.array(newer)])


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


class Record:
    """What a run has come to so far.

    capacity: how many points a curve has at most, and iterations the bands; None to keep all of them.
    """

    def __init__(self, capacity=None):
        self.curves = {
            curve: {name: Series(2, lowest_and_highest, capacity) for name in Curve._fields[1:]} for curve in CURVES
        }
        self.bands = {name: Series(1 + BUCKETS + 1, first_and_third, capacity) for name in ("weights", "biases")}
        self.titles = {}  # number of a panel: the title that the script gave it on the way
        self.pictures = dict.fromkeys(CURVES)  # the newest Picture of each
        self.newest = dict.fromkeys(CURVES)  # the newest Point of each
        self.best_test_accuracy = None

    def add(self, addition):
        """Adds a Point, Bands, or a Picture."""
        {Point: self._add_point, Bands: self._add_bands, Picture: self._add_picture}[type(addition)](addition)

    def _add_point(self, point):
        for name, series in self.curves[point.curve].items():
            value = getattr(point, name)
            series.add(point.iteration, np.nan if value is None else value)
        self.newest[point.curve] = point
        if point.curve == "test":  # the accuracy may be "not a number"
            self.best_test_accuracy = max(self.best_test_accuracy or 0.0, point.accuracy)

    def _add_bands(self, bands):
        for name, series in self.bands.items():
            series.add(bands.iteration, *getattr(bands, name))
        titles = {4: bands.weights_title, 5: bands.biases_title}
        self.titles.update({number: title for number, title in titles.items() if title is not None})

    def _add_picture(self, picture):
        self.pictures[picture.curve] = picture

    def arrays(self):
        """{"training": curve, "test": curve}, each a Curve of arrays float64 [points]."""
        arrays = {}
        for curve, series in self.curves.items():
            columns = [each.values() for each in series.values()]  # [points, 2] each
            arrays[curve] = Curve(columns[0][:, 0], *(column[:, 1] for column in columns))
        return arrays

    def save(self, path):
        """Writes the curves as a CSV file, a line for each point. Raises OSError."""
        with open(path, "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(("curve",) + Curve._fields)
            for curve, columns in self.arrays().items():
                for *row, learning_rate in zip(*columns):
                    row = [in_digits(number) for number in row]
                    writer.writerow([curve, *row, "" if np.isnan(learning_rate) else in_digits(learning_rate)])


def in_digits(number):
    """A number with as many digits as say it exactly, and no more: most come from TensorFlow, as float32."""
    if abs(number) < 2**53 and number == int(number):
        return str(int(number))
    with np.errstate(over="ignore"):
        single = np.float32(number)
    return str(single if float(single) == number else float(number))


# ------------------------------------------------------------------------------------------------------ what is passed


def checked_number(method, name, value):
    """The value as a number of numpy's, if it is one number."""
    array = as_numbers(value, "fiub")
    if array is None or array.size != 1:
        raise ValueError(f"{method}: {name} is {described(value)}, expected one number")
    return array.ravel()[0]


def checked_iteration(method, x):
    """x as a number, if it is one that has a place on an axis."""
    x = checked_number(method, "x", x)
    if not np.isfinite(x):
        raise ValueError(f"{method}: x is {x}, expected the number of the iteration")
    return x


def checked_vector(method, name, value):
    """The value as an array, if it is one or more numbers."""
    array = as_numbers(value, "fiu")
    if array is None or array.size < 1:
        raise ValueError(f"{method}: {name} is {described(value)}, expected a vector of numbers, [1 or more]")
    return array


def checked_picture(method, value):
    """A copy of the value, which the script may change later, if it is a picture."""
    array = as_array(value)
    if array.ndim != 3 or array.shape[2] != 3 or array.size == 0 or array.dtype != np.uint8:
        raise ValueError(f"{method}: im is {described(value)}, expected a picture, uint8 [height, width, 3]")
    return array.copy()


def checked_images(method, value):
    """The value as an array, if it is images of MNIST's size, or None."""
    if value is None:
        return None
    array = as_numbers(value, "fiu")
    if array is None or array.ndim not in (3, 4) or array.size == 0 or array.shape[1:] not in ((28, 28), (28, 28, 1)):
        raise ValueError(f"{method}: images is {described(value)}, expected the digits, [n, 28, 28, 1], or None")
    return array


def checked_count(method, name, value):
    """The value, if it is a whole number, 1 or more."""
    if not isinstance(value, numbers.Integral) or value < 1:
        raise ValueError(f"{method}: {name} is {value!r}, expected a whole number, 1 or more")
    return value


def checked_function(method, name, value):
    """The value, if it is a function, or None."""
    if value is not None and not callable(value):
        raise ValueError(f"{method}: {name} is {described(value)}, expected a function, or None")
    return value


def as_numbers(value, kinds):
    """The value as an array of numbers of one of these kinds of numpy's, or None.

    What numpy itself has no type for, like bfloat16 and Decimal, comes as float64.
    """
    array = as_array(value)
    if array.dtype.kind in kinds:
        return array
    is_foreign = array.dtype.kind == "V" and array.dtype.names is None  # bfloat16 and the like, by their libraries
    if is_foreign or isinstance(value, (numbers.Real, decimal.Decimal)):
        with contextlib.suppress(TypeError, ValueError, OverflowError):
            return array.astype(np.float64)
    return None


def as_array(value):
    try:
        if hasattr(value, "detach"):  # a tensor of PyTorch's, on a graphics card or not
            value = value.detach().cpu()
            return np.asarray(value.float() if "bfloat" in str(value.dtype) or "float8" in str(value.dtype) else value)
        return np.asarray(value)
    except (ValueError, TypeError, NotImplementedError):  # rows of different lengths, a tensor of the graph
        return np.array(None)


def described(value):
    if isinstance(value, (np.ndarray, np.generic)) and value.dtype != object and value.shape:
        return f"an array, {value.dtype} {list(value.shape)}"
    text = first_line(repr(value))
    return text if len(text) <= 60 else f"{text[:60]}…, a {type(value).__name__}"
