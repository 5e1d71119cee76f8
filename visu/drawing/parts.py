# SPDX-License-Identifier: Apache-2.0
"""Parts of the picture that are drawn each by itself, over a backdrop that is remembered."""

import textwrap

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.patches import Rectangle
from matplotlib.transforms import Bbox

from visu.style import COLOURS, FONT_SIZES, MARGINS

STATUS_CHARACTERS = (78, 82)  # of long texts at the bottom, left and right; where they do not fit, they are broken


def has_pixels(canvas):
    """Whether parts of a canvas can be remembered, and drawn apart."""
    return isinstance(canvas, FigureCanvasAgg)


class Part:
    """A rectangle of the picture that is drawn by itself: what moves over a backdrop of what stands still.

    still: an artist that seldom changes. moving: what changes all the time: artists, or anything that has their draw.
    """

    def __init__(self, figure, still, moving):
        self.figure, self.still, self.moving = figure, still, moving
        self.blank = Rectangle((0, 0), 1, 1, transform=figure.transFigure, facecolor=COLOURS["background"], linewidth=0)
        self.blank.set_figure(figure)
        self.backdrops = {}  # extent on the canvas: its pixels with all that stands still
        still.set_animated(True)

    def is_visible(self):
        return self.still.get_visible()

    def occupy(self, left, bottom, width, height):
        """Takes this part of the figure, in whole pixels: so neighbours neither overlap nor leave a gap."""
        size = self.figure.bbox.size
        edges = np.array([[left, bottom], [left + width, bottom + height]])
        (left, bottom), (right, top) = np.floor(np.round(edges * size, 3) + 0.5) / size
        self.blank.set_bounds(left, bottom, right - left, top - bottom)

    def extent(self):
        """Where it is on the canvas, in pixels."""
        return Bbox(np.rint(self.blank.get_window_extent().get_points()))

    def draw(self, renderer):
        for artist in (self.blank, self.still, *self.moving):
            artist.draw(renderer)

    def draw_on_canvas(self):
        """Draws it on a canvas that can remember pixels: most of the time those of its backdrop are there already.

        Returns the extent of what it drew.
        """
        canvas, extent = self.figure.canvas, self.extent()
        renderer = canvas.get_renderer()
        self.forget_if_stale()
        if extent.bounds in self.backdrops:
            canvas.restore_region(self.backdrops[extent.bounds])
        else:
            self.blank.draw(renderer)
            self.still.draw(renderer)
            self.backdrops[extent.bounds] = canvas.copy_from_bbox(extent)
        for artist in self.moving:
            artist.draw(renderer)
        return extent

    def draw_change(self):
        """Draws on the canvas what the last update has changed; returns the extent of what it drew."""
        return self.draw_on_canvas()

    def forget_if_stale(self):
        """Forgets the backdrops, if anything changed in what stands still: so matplotlib marks that."""
        if self.still.stale:
            self.backdrops.clear()
            self.still.stale = False


class StatusLine(Part):
    """The text at the bottom: on the left what changes seldom, on the right what moves, in one line if there is room.

    Apart, because matplotlib takes its time for each letter.
    """

    def __init__(self, figure):
        setting = {"color": COLOURS["text"], "va": "center", "linespacing": 1.3}
        self.left, self.right = figure.text(0, 0, "", **setting), figure.text(0, 0, "", **setting)
        super().__init__(figure, self.left, moving=[self.right])
        self.right.set_animated(True)

    def place(self, width, height, scale):
        """Makes room for it in a figure of so many inches; returns its height, as a part of the figure's."""
        size = FONT_SIZES["status"] * scale
        line = size / 72  # inches
        margin = min(MARGINS["right"] * scale, 0.05 * width)
        self.characters = max(int((width - 2 * margin) / (0.6 * line)), 20)  # they are some 0.6 as wide as high
        lines = [-(-length // self.characters) for length in STATUS_CHARACTERS]
        in_one_line = sum(STATUS_CHARACTERS) <= self.characters
        part = min(((1 if in_one_line else sum(lines)) * 1.6 + 0.9) * line / height, 0.4)
        middles = (0.5, 0.5) if in_one_line else (1 - lines[0] / sum(lines) / 2, lines[1] / sum(lines) / 2)
        for text, middle in zip((self.left, self.right), middles):
            text.set_fontsize(size)
            text.set_position((margin / width, middle * part))
        if in_one_line:
            self.right.set_x(1 - margin / width)
        self.right.set_horizontalalignment("right" if in_one_line else "left")
        self.occupy(0, 0, 1, part)
        return part

    def update(self, texts):
        """Takes in the two texts; returns whether one changed."""
        changed = False
        for artist, text in zip((self.left, self.right), texts):
            text = textwrap.fill(text, self.characters, break_long_words=False, break_on_hyphens=False)
            text = text.replace("$", r"\$")  # a dollar in a script's name begins no formula
            if text != artist.get_text():
                artist.set_text(text)
                changed = True
        return changed
