# SPDX-License-Identifier: Apache-2.0
"""Pictures of digits, painted by TensorFlow: the misrecognised ones first, and on red."""

import numpy as np

from visu.runtime import tf

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
WHITE, RED = (255.0, 255.0, 255.0), (255.0, 160.0, 160.0)  # behind recognised and misrecognised digits
BLACK, BLUE, DARK_RED = (0.0, 0.0, 0.0), (0.0, 40.0, 150.0), (150.0, 0.0, 0.0)  # digits, correct and computed labels
LABEL_TOP = 20  # the labels are on the rows from here on


def label_strips(column):
    """The ten labels, each on the lowest rows of a tile from that column on: ones and zeros, float32 [10, 8, 28, 1]."""
    rows = [line.split() for line in LABEL_SHAPES.split("\n")[1:8]]  # 7 lines of 10 pieces of 5 characters
    strips = np.zeros([10, 28 - LABEL_TOP, 28, 1], dtype=np.float32)
    for label in range(10):
        strips[label, :7, column : column + 5, 0] = [[c == "#" for c in row[label]] for row in rows]
    return strips


def paint(picture, mask, colour):
    """The picture [..., 3] with colour put over it where mask [..., 1] is 1, in part where it is between 0 and 1."""
    return picture + mask * (np.float32(colour) - picture)


def tf_format_mnist_images(X, Y, Y_, n=100, lines=10):
    """A tensor with a picture of n images on that many lines, the misrecognised ones first.

    Recognised digits are on white, misrecognised ones on red, with the correct label small on the left and the
    computed one on the right.

    X: tensor float32 [images, 28, 28, 1], 0 to 1; Y: [images, 10], the computed probabilities (or logits);
    Y_: [images, 10], the correct one-hot labels. The first n images of that order are shown, and white where there
    are fewer.
    Returns a tensor uint8 [lines * 28, n / lines * 28, 3]: [280, 280, 3] as it is, [700, 1120, 3] for n=1000, lines=25.
    Raises ValueError if n images do not fill that many lines, or a tensor is not of its shape or type.
    """
    if n < 1 or lines < 1 or n % lines:
        raise ValueError(f"tf_format_mnist_images: n={n} images do not fill lines={lines}, expected a multiple")
    X, Y, Y_ = (tf.convert_to_tensor(tensor) for tensor in (X, Y, Y_))
    for name, tensor, shape in (("X", X, [None, 28, 28, 1]), ("Y", Y, [None, 10]), ("Y_", Y_, [None, 10])):
        if not tensor.shape.is_compatible_with(shape):
            expected = str(shape).replace("None", "images")
            raise ValueError(f"tf_format_mnist_images: {name} has the shape {tensor.shape}, expected {expected}")
    if not X.dtype.is_floating:
        raise ValueError(f"tf_format_mnist_images: X is {X.dtype.name}, expected float32, from 0 to 1")
    return picture_of_digits(X, Y, Y_, n, lines)


def picture_of_digits(X, Y, Y_, n, lines):
    """The tensor that tf_format_mnist_images promises."""
    X = tf.cast(X, tf.float32)
    computed, correct = tf.argmax(Y, axis=1), tf.argmax(Y_, axis=1)  # [images]
    wrong = tf.not_equal(computed, correct)
    order = tf.concat([tf.where(wrong), tf.where(tf.logical_not(wrong))], axis=0)[:n, 0]  # [up to n]
    ink = tf.gather(X, order)  # [up to n, 28, 28, 1]
    misrecognised = tf.minimum(tf.reduce_sum(tf.cast(wrong, tf.int32)), tf.shape(order)[0])  # they come first
    colourful = order[:misrecognised]
    frame = np.pad(np.ones([26, 26, 1], np.float32), [(1, 1), (1, 1), (0, 0)], "constant")  # 0 at the edges of a tile
    red = paint(paint(WHITE, frame, RED), ink[:misrecognised], BLACK)  # [misrecognised, 28, 28, 3]
    strip = paint(red[:, LABEL_TOP:], tf.gather(label_strips(1), tf.gather(correct, colourful)), BLUE)
    strip = paint(strip, tf.gather(label_strips(22), tf.gather(computed, colourful)), DARK_RED)
    red = tf.concat([red[:, :LABEL_TOP], strip], axis=1)
    white = paint(WHITE[:1], ink[misrecognised:], BLACK[:1])  # [the others, 28, 28, 1], one value for all three colours
    white = tf.tile(tf.cast(white, tf.uint8), [1, 1, 1, 3])
    tiles = tf.concat([tf.cast(red, tf.uint8), white], axis=0)
    blank = n - tf.shape(tiles)[0]
    tiles = tf.pad(tiles, [[0, blank], [0, 0], [0, 0], [0, 0]], constant_values=255)
    columns = n // lines
    rows = tf.transpose(tf.reshape(tiles, [lines, columns, 28, 28, 3]), [0, 2, 1, 3, 4])
    return tf.reshape(rows, [lines * 28, columns * 28, 3])
