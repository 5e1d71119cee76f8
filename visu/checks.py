# SPDX-License-Identifier: Apache-2.0
"""What scripts pass in is checked where it comes in, while the traceback still leads to their own line."""

import numbers

import numpy as np

from visu.words import first_line


def checked_number(method, name, value):
    """The value as a number of numpy's, if it is one number."""
    array = as_array(value)
    if array.size != 1 or array.dtype.kind not in "fiub":
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
    array = as_array(value)
    if array.size < 1 or array.dtype.kind not in "fiu":
        raise ValueError(f"{method}: {name} is {described(value)}, expected a vector of numbers, [1 or more]")
    return array


def checked_picture(method, value):
    """The value as an array, if it is a picture."""
    array = as_array(value)
    if array.ndim != 3 or array.shape[2] != 3 or array.size == 0 or array.dtype != np.uint8:
        raise ValueError(f"{method}: im is {described(value)}, expected a picture, uint8 [height, width, 3]")
    return array


def as_array(value):
    try:
        return np.asarray(value)
    except (ValueError, TypeError, NotImplementedError):  # rows of different lengths, a tensor of the graph
        return np.array(None)


def described(value):
    if isinstance(value, (np.ndarray, np.generic)) and value.dtype != object and value.shape:
        return f"an array, {value.dtype} {list(value.shape)}"
    text = first_line(repr(value))
    return text if len(text) <= 60 else f"{text[:60]}…, a {type(value).__name__}"


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
