# SPDX-License-Identifier: Apache-2.0
"""Pictures of digits, misrecognised ones first and on red: painted by TensorFlow, or by numpy, the same to the byte.

TensorFlow paints in the same session.run as it computes the digits. A tf.py_func around the other function would do
that, too, but a Ctrl-C that meets it comes out of session.run as an error of TensorFlow's.
"""

import numpy as np

from tensorflowsetup import NoTensorFlow, how_to_install, tf
from visu.record import as_array
from visu.style import RED, WHITE

# The labels of misrecognised digits: 0 to 9, 5 x 7 pixels each
LABEL_SHAPES = """
.###. ..#.. .###. .###. ...#. ##### ..##. ##### .###. .###.
#...# .##.. #...# #...# ..##. #.... .#... ....# #...# #...#
#..## ..#.. ....# ....# .#.#. ####. #.... ...#. #...# #...#
#.#.# ..#.. ...#. ..##. #..#. ....# ####. ..#.. .###. .####
##..# ..#.. ..#.. ....# ##### ....# #...# ..#.. #...# ....#
#...# ..#.. .#... #...# ...#. #...# #...# ..#.. #...# ...#.
.###. .###. ##### .###. ...#. .###. .###. ..#.. .###. .##..
"""
LABEL_TOP, CORRECT_LEFT, COMPUTED_LEFT = 20, 1, 22  # where they begin on the 28 x 28 pixels of a digit
BLUE, DARK_RED = (0, 40, 150), (150, 0, 0)  # correct and computed labels
PARTS = 4  # of a misrecognised digit: its white edge, its red middle, the correct label, the computed label
EDGE, MIDDLE, CORRECT, COMPUTED = range(PARTS)


def tf_format_mnist_images(X, Y, Y_, n=100, lines=10):
    """A tensor with a picture of n images on that many lines, the misrecognised ones first.

    Recognised digits are on white, misrecognised ones on red, with the correct label small on the left and the
    computed one on the right.

    X: tensor float32 [images, 28, 28, 1], 0 to 1; Y: [images, 10], the computed probabilities (or logits);
    Y_: [images, 10], the correct one-hot labels. The first n images of that order are shown, and white where there
    are fewer.
    Returns a tensor uint8 [lines * 28, n / lines * 28, 3]: [280, 280, 3] as it is, [700, 1120, 3] for n=1000, lines=25.
    Raises ValueError if n images do not fill that many lines, or a tensor is not of its shape or type; and
    NoTensorFlow, an ImportError, where TensorFlow is not installed.
    """
    if not tf:
        raise NoTensorFlow(how_to_install("tf_format_mnist_images needs it, format_mnist_images does not"))
    X, Y, Y_ = (tf.convert_to_tensor(tensor) for tensor in (X, Y, Y_))
    shapes = [None if tensor.shape.ndims is None else tensor.shape.as_list() for tensor in (X, Y, Y_)]
    check("tf_format_mnist_images", n, lines, shapes, X.dtype.name)
    X = tf.cast(X, tf.float32)
    computed, correct = tf.argmax(Y, axis=1), tf.argmax(Y_, axis=1)  # [images]
    wrong = tf.not_equal(computed, correct)
    order = tf.concat([tf.where(wrong), tf.where(tf.logical_not(wrong))], axis=0)[:n, 0]  # [up to n]
    misrecognised = tf.minimum(tf.reduce_sum(tf.cast(wrong, tf.int32)), tf.shape(order)[0])  # they come first
    labels = tf.gather(10 * correct + computed, order[:misrecognised])
    ink = tf.gather(X, order)  # [up to n, 28, 28, 1]
    rows = tf.concat([tf_on_red(ink[:misrecognised], labels), tf_on_white(ink[misrecognised:])], axis=0)
    rows = tf.pad(rows, [[0, n * 28 - tf.shape(rows)[0]], [0, 0]], constant_values=255)  # [n * 28, 28 * 3]
    return tf.reshape(tf.gather(rows, rows_in_picture(n, lines)), [lines * 28, n // lines * 28, 3])


def tf_on_white(ink):
    """Recognised digits [k, 28, 28, 1] as rows of pixels, uint8 [k * 28, 28 * 3]."""
    grey = tf.reshape(255 - 255 * ink, [-1, 1])
    colours = tf.matmul(grey, np.ones([1, 3], np.float32))  # three times the same: the fastest way
    return tf.reshape(tf.cast(colours, tf.uint8), [-1, 28 * 3])


def tf_on_red(ink, labels):
    """The same for misrecognised ones; labels, int64 [k], are 10 * correct + computed."""
    shades = tf.clip_by_value(tf.cast(tf.round(255 * ink[..., 0]), tf.int32), 0, 255)  # whatever the numbers are
    colours = tf.gather(palette(), 256 * tf.gather(parts_of_digits(), labels) + shades)  # [k, 28, 28, 3]
    return tf.reshape(colours, [-1, 28 * 3])


def format_mnist_images(X, Y, Y_, n=100, lines=10):
    """The picture of tf_format_mnist_images for arrays, numpy's or PyTorch's: uint8 [lines * 28, n / lines * 28, 3].

    Needs no TensorFlow. Its ValueErrors are the same.
    """
    X, Y, Y_ = (as_array(array) for array in (X, Y, Y_))
    check("format_mnist_images", n, lines, [array.shape for array in (X, Y, Y_)], X.dtype.name)
    computed, correct = Y.argmax(axis=1), Y_.argmax(axis=1)  # [images]
    wrong = computed != correct
    order = np.concatenate([np.flatnonzero(wrong), np.flatnonzero(~wrong)])[:n]  # [up to n]
    misrecognised = min(np.count_nonzero(wrong), n)  # they come first
    labels = (10 * correct + computed)[order[:misrecognised]]
    ink = X[order].astype(np.float32)  # [up to n, 28, 28, 1]
    digits = np.full([n, 28, 28, 3], 255, np.uint8)
    with np.errstate(all="ignore"):  # whatever the numbers are
        shades = np.round(255 * ink[:misrecognised, ..., 0]).astype(np.int32).clip(0, 255)
        digits[:misrecognised] = palette()[256 * parts_of_digits()[labels] + shades]
        digits[misrecognised : len(order)] = (255 - 255 * ink[misrecognised:]).astype(np.uint8)
    return digits.reshape(n * 28, 28 * 3)[rows_in_picture(n, lines)].reshape(lines * 28, -1, 3)


# ------------------------------------------------------------------------------------------------ what the two share


def check(function, n, lines, shapes, type_of_X):
    """Raises ValueError for what the function can't paint.

    shapes: of X, Y and Y_, with None for what is not known yet; type_of_X: the name of a type.
    """
    if n < 1 or lines < 1 or n % lines:
        raise ValueError(f"{function}: n={n} images do not fill lines={lines}, expected a multiple")
    images = shapes[0][0] if shapes[0] else None
    expectations = [None, 28, 28, 1], [images, 10], [images, 10]
    for name, shape, expected in zip(("X", "Y", "Y_"), shapes, expectations):
        if shape is not None and not fits(shape, expected):
            expected = str(expected).replace("None", "images")
            raise ValueError(f"{function}: {name} has the shape {list(shape)}, expected {expected}")
    if "float" not in type_of_X:
        raise ValueError(f"{function}: X is {type_of_X}, expected float32, from 0 to 1")


def fits(shape, expected):
    """Whether a shape can be the expected one; None in either is a size that is not known."""
    sizes = zip(shape, expected)
    return len(shape) == len(expected) and all(size == other or None in (size, other) for size, other in sizes)


def rows_in_picture(n, lines):
    """Which rows of pixels, of n * 28 of all digits, follow each other in the picture.

    There, the first rows of all digits of a line stand side by side, then the second ones, and so on.
    """
    return np.arange(n * 28).reshape(lines, n // lines, 28).swapaxes(1, 2).ravel()


def palette():
    """The colour of each part at each shade, from 0 for paper to 255 for ink: uint8 [PARTS * 256, 3]."""
    ink = np.arange(256, dtype=np.float32)[:, None] / 255
    colours = np.float32([WHITE, RED, BLUE, DARK_RED])[:, None]  # [PARTS, 1, 3]
    colours = np.concatenate([colours[:2] - ink * colours[:2], np.repeat(colours[2:], 256, axis=1)])
    return colours.astype(np.uint8).reshape(-1, 3)


def parts_of_digits():
    """For all pairs of labels, 10 * correct + computed: of which part each pixel is, int32 [100, 28, 28]."""
    shapes = np.array([list(line) for line in LABEL_SHAPES.split()]) == "#"
    shapes = shapes.reshape(7, 10, 5).swapaxes(0, 1)  # [10, 7, 5]
    parts = np.full([10, 10, 28, 28], EDGE, np.int32)
    parts[..., 1:-1, 1:-1] = MIDDLE
    for label, shape in enumerate(shapes):
        for of_label, left, part in ((parts[label], CORRECT_LEFT, CORRECT), (parts[:, label], COMPUTED_LEFT, COMPUTED)):
            of_label[..., LABEL_TOP : LABEL_TOP + 7, left : left + 5][..., shape] = part
    return parts.reshape(100, 28, 28)
