# SPDX-License-Identifier: Apache-2.0
"""The panels with pictures of digits."""

import numpy as np
from PIL import Image  # matplotlib, too, reads and writes pictures with it

from visu.drawing.panels import Panel


class DigitsPanel(Panel):
    """A picture of digits; scale=(100, 90) puts percent on its left side, from the top to the bottom."""

    def __init__(self, axes, get_picture, scale=None):
        super().__init__(axes, [])
        self.get_picture, self.scale = get_picture, scale
        self.picture = None  # the one that is shown
        self.moving = [DigitsImage(self), *axes.spines.values()]
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
            height, width, _ = self.picture.shape
            self.axes.set_xlim(0, width)
            self.axes.set_ylim(height, 0)


class DigitsImage:
    """The picture of a DigitsPanel, as its axes show it. matplotlib's own image would take four times as long."""

    def __init__(self, panel):
        self.panel = panel

    def draw(self, renderer):
        if self.panel.picture is None:
            return
        axes, (height, width, _) = self.panel.axes, self.panel.picture.shape
        left, right = np.clip(axes.get_xlim(), 0, width)
        bottom, top = np.clip(axes.get_ylim(), 0, height)  # y, as that of the picture, grows downwards
        place = axes.transData.transform([(left, bottom), (right, top)])  # [2, 2], x and y in pixels
        (x, y), size = (
            place[0],
            np.rint((place[1] - place[0]) * renderer.get_image_magnification()).astype(int).tolist(),
        )
        if min(size) > 0:
            image = Image.fromarray(self.panel.picture).resize(size, Image.HAMMING, box=(left, top, right, bottom))
            pixels = np.array(image.convert("RGBA"))[::-1].copy()  # from the bottom to the top, as matplotlib wants it
            renderer.draw_image(renderer.new_gc(), round(x), round(y), pixels)
