# SPDX-License-Identifier: Apache-2.0
"""The panels with pictures of digits."""

import numpy as np
from PIL import Image  # matplotlib, too, reads and writes pictures with it

from visu.drawing.panels import Panel


class DigitsPanel(Panel):
    """A picture of digits, uint8 [height, width, 3] or [height, width].

    scale=(100, 90) puts percent on its left side, from the top to the bottom.
    """

    def __init__(self, axes, get_picture, scale=None):
        super().__init__(axes, [])
        self.get_picture, self.scale = get_picture, scale
        self.picture = None  # the one that is shown
        self.image = DigitsImage(self)
        self.moving = [self.image, *axes.spines.values()]
        axes.set_aspect("equal")
        axes.set_xticks([])
        axes.set_yticks([])

    def update(self):
        """Takes in a new picture; returns whether there was one."""
        former, self.picture = self.picture, self.get_picture()
        if self.picture is former:
            return False
        if former is None or self.picture.shape != former.shape:
            self.reset_zoom()
            self.axes.apply_aspect()
            self.fit_to_place()
        return True

    def fit_to_place(self):
        """Marks as many of the percent as there is room for."""
        if self.scale and self.picture is not None:
            top, bottom = self.scale
            font_size = self.axes.title.get_fontsize() / 72 * self.figure.dpi  # pixels; of the marks, somewhat smaller
            room = self.axes.bbox.height / font_size
            step = next((step for step in (1, 2, 5) if (top - bottom) / step <= room), top - bottom)
            percent = np.arange(bottom, top + 1, step)
            self.axes.set_yticks((top - percent) / (top - bottom) * self.picture.shape[0])
            self.axes.set_yticklabels([f"{p}%" for p in percent])

    def reset_zoom(self):
        if self.picture is not None:
            height, width = self.picture.shape[:2]
            self.axes.set_xlim(0, width)
            self.axes.set_ylim(height, 0)


class DigitsImage:
    """The picture of a DigitsPanel, as its axes show it. matplotlib's own image would take four times as long."""

    def __init__(self, panel):
        self.panel = panel

    def draw(self, renderer):
        if self.panel.picture is not None:
            self.paint(renderer, *self.place(renderer.get_image_magnification()))

    def place(self, magnification=1):
        """Where it is: its lower left corner on the canvas, its size in pixels, and what it shows of the picture.

        The last as left, top, right and bottom, in pixels of the picture.
        """
        axes, (height, width) = self.panel.axes, self.panel.picture.shape[:2]
        left, right = np.clip(axes.get_xlim(), 0, width)
        bottom, top = np.clip(axes.get_ylim(), 0, height)  # y, as that of the picture, grows downwards
        low, high = axes.transData.transform([(left, bottom), (right, top)])
        return np.rint(low), np.rint((high - low) * magnification), (left, top, right, bottom)

    def paint(self, renderer, corner, size, box):
        """Paints what is in a box of the picture."""
        size = size.astype(int).tolist()
        if min(size) > 0:
            image = Image.fromarray(self.panel.picture).resize(size, Image.HAMMING, box=box)
            pixels = np.array(image.convert("RGBA"))[::-1].copy()  # from the bottom to the top, as matplotlib wants it
            renderer.draw_image(renderer.new_gc(), *corner.astype(int).tolist(), pixels)
