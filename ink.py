# SPDX-License-Identifier: Apache-2.0
"""Ink, drawn or photographed, made a digit like MNIST's. Needs numpy and Pillow only.

The people who made MNIST scaled each digit into 20 x 20 pixels and centred it by its mass in 28 x 28
(http://yann.lecun.com/exdb/mnist/). A network that was trained on these knows no others.
"""

import numpy as np
from PIL import Image

BOX, SIDE = 20, 28  # pixels
LINE = 2  # pixels of the 28: thinner lines are made this wide, as they would become faint. MNIST's are 2 to 4 wide
FAINT = 25  # of 255 shades: at the edges of a digit, no more ink than this is not counted


def as_mnist(ink):
    """The ink as a digit of MNIST: scaled into 20 x 20, thin lines made wider, its centre of mass in the middle.

    ink: numbers [height, width] of any size, 0 is none and 1 is all.
    Returns float32 [28, 28], 0 is none and 1 is the most of it, in 256 shades; or None if there is no ink, which is
    none above a tenth.
    """
    shades = shades_of(ink)
    if shades.max() <= FAINT:
        return None
    top, left, bottom, right = bounds(shades > FAINT)
    digit = reduced(widened(shades[top:bottom, left:right]), BOX)
    digit = np.round(digit * (255 / digit.max())) / 255
    y, x = (corner(digit.sum(axis=other)) for other in (1, 0))
    result = np.zeros([SIDE, SIDE], np.float32)
    result[y : y + digit.shape[0], x : x + digit.shape[1]] = digit
    return result


def as_drawn(ink):
    """The ink [height, width] of a whole square pad, neither centred nor widened: float32 [28, 28]."""
    return reduced(shades_of(ink), SIDE).astype(np.float32) / 255


def shades_of(ink):
    """Ink from 0 to 1 as uint8 from 0 to 255, which is fast to work on."""
    return (np.clip(ink, 0, 1) * np.float32(255) + np.float32(0.5)).astype(np.uint8)


def reduced(shades, size):
    """Shades [height, width] with size as the longer side, each pixel the mean of those it stands for."""
    rows, columns = (max(1, int(round(side * size / max(shades.shape)))) for side in shades.shape)
    return np.asarray(Image.fromarray(shades).resize((columns, rows), Image.BOX))


def bounds(mask):
    """Top, left, bottom and right of the true values in a mask [height, width]; the last two are not included."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return rows[0], columns[0], rows[-1] + 1, columns[-1] + 1


def corner(masses):
    """Where in the 28 pixels a digit begins that has these masses [length] along a side."""
    # MNIST's centres of mass lie evenly from 13.5 to 14.5, in pixels that count from 0: 14, moved by whole pixels
    centre = np.arange(len(masses)) @ masses / masses.sum()
    return min(max(int(round(SIDE / 2 - centre)), 0), SIDE - len(masses))


def widened(shades):
    """The shades [height, width] with lines made as wide as LINE, if they are thinner; larger by what was added."""
    mask = np.pad(shades > 127, 1, mode="constant")
    inner = mask[1:-1, 1:-1] & mask[:-2, 1:-1] & mask[2:, 1:-1] & mask[1:-1, :-2] & mask[1:-1, 2:]
    area, inner = np.count_nonzero(mask), np.count_nonzero(inner)
    width = 2 * area / max(area - inner, 1)  # a line has two edges along its length
    grow = int(round((LINE * max(shades.shape) / BOX - width) / 2))
    return dilated(shades, grow) if grow > 0 else shades


def dilated(shades, grow):
    """The most of each square of 2 * grow + 1 pixels: [height + 2 * grow, width + 2 * grow]."""
    shades = np.pad(shades, 2 * grow, mode="constant")
    for _ in range(2):
        seen = 1  # pixels along the first axis that each maximum is taken from
        while seen < 2 * grow + 1:
            step = min(seen, 2 * grow + 1 - seen)
            shades, seen = np.maximum(shades[:-step], shades[step:]), seen + step
        shades = shades.T
    return np.ascontiguousarray(shades)
