# SPDX-License-Identifier: Apache-2.0
"""The panels of the pad: what is drawn, how the network sees it, and ten bars, how probable each digit is."""

import numpy as np
from matplotlib.patches import Rectangle
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from visu.drawing.digits_panel import DigitsPanel
from visu.drawing.panels import Panel
from visu.style import COLOURS, FONT_SIZES


class SheetPanel(DigitsPanel):
    """The sheet that is drawn on, with hints below."""

    LINE = 42  # letters

    def __init__(self, axes, pad):
        super().__init__(axes, lambda: pad.sheet.pixels)
        self.pad = pad
        axes.set_title("Draw a digit")

    def update(self):
        """Takes in what is new; returns whether there was anything."""
        former = self.picture
        is_drawn_on, has_new_hints = super().update(), self.pad.hints() != self.axes.get_xlabel()
        if has_new_hints:
            self.axes.set_xlabel(self.pad.hints())
        self.change = None if has_new_hints or former is None else box_of_change(former, self.picture)
        return is_drawn_on or has_new_hints

    def draw_change(self):
        """Draws no more than that: so a stroke costs little on a large screen, too."""
        if self.change is None:
            return self.draw_on_canvas()
        corner, size, (left, top, right, bottom) = self.image.place()
        origin, scale = np.array([left, top]), size / (right - left, bottom - top)  # canvas pixels a pixel of the sheet
        begin, end = (self.change - origin) * scale  # in pixels of the canvas, from the top left
        begin, end = np.floor(begin) - 2, np.ceil(end) + 2  # each is made of several of the sheet
        if (begin < 1).any() or (end > size - 1).any():  # there, the frame is drawn over it
            return self.draw_on_canvas()
        corner = corner + [begin[0], size[1] - end[1]]
        box = [*(origin + begin / scale), *(origin + end / scale)]
        self.image.paint(self.figure.canvas.get_renderer(), corner, end - begin, box)
        return Bbox([corner, corner + end - begin])

    def fit_to_place(self):
        """Letters of the hints that leave room for LINE of them below the sheet."""
        width = self.axes.get_position().width * self.figure.get_size_inches()[0] * 72  # points
        self.axes.xaxis.label.set(fontsize=min(self.size, width / (0.5 * self.LINE)), color=COLOURS["text"])

    def set_scale(self, scale):
        super().set_scale(scale)
        self.size = FONT_SIZES["ticks"] * scale

    def place_of(self, event):
        """Where on the sheet a mouse event is, x and y, also outside of it."""
        return self.axes.transData.inverted().transform((event.x, event.y))


def box_of_change(former, newer):
    """Where two sheets differ: [[left, top], [right, bottom]], in pixels; or None, if they do not."""
    differ = former != newer
    spans = [np.flatnonzero(differ.any(axis=axis)) for axis in (0, 1)]
    return np.array([(span[0], span[-1] + 1) for span in spans]).T if len(spans[0]) else None


class SeenPanel(DigitsPanel):
    """The digit as the network sees it."""

    TITLE = "ticks"

    def __init__(self, axes, pad):
        super().__init__(axes, lambda: pad.seen)
        axes.set_title("the network sees")


class AnswerPanel(Panel):
    """Ten bars, the most probable digit darker and with its probability."""

    def __init__(self, axes, pad):
        self.bars = [Rectangle((0, digit - 0.35), 0, 0.7, linewidth=0) for digit in range(10)]
        self.best = Text(1.06, 0, "", va="center", color=COLOURS["text"], clip_on=False)
        super().__init__(axes, [*self.bars, self.best])
        self.pad, self.shown = pad, None
        axes.set_navigate(False)  # there is nothing to zoom into
        axes.set_xticks([])
        axes.set_yticks(range(10))
        for side in ("top", "right", "bottom"):
            axes.spines[side].set_visible(False)
        self.reset_zoom()

    def update(self):
        """Takes in a new answer; returns whether there was one."""
        former, self.shown = self.shown, self.pad.probabilities
        if self.shown is former:
            return False
        probabilities = np.zeros(10) if self.shown is None else self.shown
        best = probabilities.argmax()
        for digit, (bar, probability) in enumerate(zip(self.bars, probabilities)):
            bar.set(width=probability, facecolor=COLOURS["training" if digit == best else "frame"])
        self.best.set_y(best)
        self.best.set_text("" if self.shown is None else f"{100 * probabilities[best]:.0f} %")
        return True

    def fit_to_place(self):
        """Letters no higher than the bars."""
        bar = self.axes.get_position().height * self.figure.get_size_inches()[1] * 72 / 10  # points
        size = min(self.size, 0.75 * bar)
        self.axes.tick_params(labelsize=size)
        self.best.set_fontsize(size)

    def set_scale(self, scale):
        super().set_scale(scale)
        self.size = FONT_SIZES["title"] * scale

    def reset_zoom(self):
        self.axes.set_xlim(0, 1)
        self.axes.set_ylim(9.5, -0.5)


# In parts of the sheet's side: the gap beside it, with the labels of the bars, what stands beside that, and the gap for
# the probability; the side of the digit as it is seen, and the gap between that and the bars
GAP, BESIDE, FIGURES, SEEN, BELOW = 0.14, 0.36, 0.16, 0.36, 0.06


class PadPanels:
    """The three, as they stand together in the place of a panel."""

    def __init__(self, axes, pad):
        """axes: a function that makes some, of a label."""
        self.panels = [
            SheetPanel(axes("what is drawn"), pad),
            SeenPanel(axes("as it is seen"), pad),
            AnswerPanel(axes("how it is read"), pad),
        ]
        self.sheet_panel = self.panels[0]

    def show_at(self, cell, inner, size):
        """Shows them in a cell of the figure, which has that size in inches, with the margins of an inner part."""
        (left, bottom, width, height), (figure_width, figure_height) = cell, size
        margin = width - inner[0] - inner[2]  # that on the right: there are no figures to the left
        whole = 1 + GAP + BESIDE + FIGURES
        side = min((width - 2 * margin) * figure_width / whole, inner[3] * figure_height)  # inches
        x, y = side / figure_width, side / figure_height  # the same, as parts of the figure
        begin = (width - whole * x) / 2  # in the cell, as all that follows
        foot = inner[1] + (inner[3] - y) / 2
        split = begin + (1 + GAP / 3) * x  # between what is drawn on and what stands beside it
        beside = begin + (1 + GAP) * x - split
        seen_foot = foot + (1 - SEEN) * y
        edge = seen_foot - BELOW * y / 2  # between the digit as it is seen and the bars
        sheet, seen, answer = self.panels
        sheet.show_at([left, bottom, split, height], [begin, foot, x, y])
        seen.show_at(
            [left + split, bottom + edge, width - split, height - edge],
            [beside, seen_foot - edge, BESIDE * x, SEEN * y],
        )
        answer.show_at(
            [left + split, bottom, width - split, edge],
            [beside, foot, BESIDE * x, (1 - SEEN - BELOW) * y],
        )
