# SPDX-License-Identifier: Apache-2.0
"""A sheet of paper and a pen."""

import numpy as np

SIDE = 448  # pixels of the sheet, 16 for each of the 28 of a digit of MNIST
PEN, RUBBER = 22, 44  # pixels from the middle of the line to its edge. Lines of MNIST are 2 to 4 of 28 pixels wide
CURVE_STEP = 8  # pixels: curves are drawn as lines of about that length


class Sheet:
    """A square sheet, uint8 [448, 448], from 0, ink, to 255, paper; places on it are x to the right and y down.

    pixels: what is on it. It is another array after each change, never the same one changed.
    """

    def __init__(self):
        self.clear()

    def clear(self):
        self.pixels = np.full([SIDE, SIDE], 255, np.uint8)
        self.lift_pen()

    def put_pen(self, place, rubs_out=False):
        """Begins a stroke, with a dot."""
        self.pen_is_down, self.rubs_out = True, rubs_out
        self.settled = self.pixels  # without what the next move will replace
        self.corner = self.reached = np.asarray(place, float)
        self.move_pen(place)

    def move_pen(self, place):
        """Goes on with the stroke. A mouse reports few places; between them the pen goes in curves, not in corners.

        It is drawn half-way to the new place, with the place before as the one control point of a Bezier curve. From
        there a line follows the mouse, until the next place is known.
        """
        place = np.asarray(place, float)
        middle = (self.corner + place) / 2
        steps = 1 + int(np.abs(np.subtract([self.corner, middle], [self.reached, self.corner])).sum() / CURVE_STEP)
        t = np.linspace(0, 1, steps + 1)[:, np.newaxis]
        curve = (1 - t) ** 2 * self.reached + 2 * t * (1 - t) * self.corner + t**2 * middle
        self.settled = self.with_lines(self.settled, curve)
        self.pixels = self.with_lines(self.settled, np.array([middle, place]))
        self.reached, self.corner = middle, place

    def lift_pen(self):
        self.pen_is_down = False

    def with_lines(self, pixels, places):
        """Pixels with lines of the pen from place to place, [n, 2]."""
        pixels = pixels.copy()
        for begin, end in zip(places, places[1:]):
            put_line(pixels, begin, end, self.rubs_out)
        return pixels


def put_line(pixels, begin, end, rubs_out):
    """Draws a line with round ends, or rubs out, in place. How grey a pixel at its edge is depends on its distance."""
    radius = RUBBER if rubs_out else PEN
    low, high = np.minimum(begin, end) - radius - 1, np.maximum(begin, end) + radius + 1
    (left, top), (right, bottom) = (np.clip(corner, 0, SIDE).astype(int) for corner in (low, high))
    y, x = np.ogrid[top:bottom, left:right]
    x, y, (length_x, length_y) = x + 0.5 - begin[0], y + 0.5 - begin[1], end - begin
    along = np.clip((x * length_x + y * length_y) / max(length_x**2 + length_y**2, 1e-9), 0, 1)  # 0 at begin, 1 at end
    distance = np.hypot(x - along * length_x, y - along * length_y)
    shades = (255 * np.clip(radius + 0.5 - distance, 0, 1)).astype(np.uint8)  # of the line, 255 in its middle
    part = pixels[top:bottom, left:right]
    part[:] = np.maximum(part, shades) if rubs_out else np.minimum(part, 255 - shades)
