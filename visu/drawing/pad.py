# SPDX-License-Identifier: Apache-2.0
"""The pad: a sheet to draw a digit on, the digit as the network sees it, ten bars, how it is read, and its layers."""

import numpy as np
from matplotlib.patches import Rectangle
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from ink import as_drawn, as_mnist
from visu.channel import PatchQuestion, Question
from visu.drawing.layers import LayersPanel, LensPanel
from visu.drawing.picture import DigitsPanel, Panel
from visu.style import COLOURS, FONT_SIZES

SIDE = 448  # pixels of the sheet, 16 for each of the 28 of a digit of MNIST
PEN, ERASER = 22, 44  # pixels from the middle of the line to its edge. Lines of MNIST are 2 to 4 of 28 pixels wide
CURVE_STEP = 8  # pixels: curves are drawn as lines of about that length
MAGNIFIED = 8  # times, so that single pixels can be told apart
FAINTEST = 0.1  # ink, where 1 is all: less than that is none


class Sheet:
    """A square sheet, uint8 [448, 448], from 0, ink, to 255, paper; places on it are x to the right and y down.

    pixels: what is on it. It is another array after each change, never the same one changed.
    """

    def __init__(self):
        self.clear()

    def clear(self):
        self.pixels = np.full([SIDE, SIDE], 255, np.uint8)
        self.lift_pen()

    def put_pen(self, place, erases=False):
        """Begins a stroke, with a dot."""
        self.pen_is_down, self.erases = True, erases
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
            put_line(pixels, begin, end, self.erases)
        return pixels


def put_line(pixels, begin, end, erases):
    """Draws a line with round ends, or erases, in place. How grey a pixel at its edge is depends on its distance."""
    radius = ERASER if erases else PEN
    low, high = np.minimum(begin, end) - radius - 1, np.maximum(begin, end) + radius + 1
    (left, top), (right, bottom) = (np.clip(corner, 0, SIDE).astype(int) for corner in (low, high))
    y, x = np.ogrid[top:bottom, left:right]
    x, y, (length_x, length_y) = x + 0.5 - begin[0], y + 0.5 - begin[1], end - begin
    along = np.clip((x * length_x + y * length_y) / max(length_x**2 + length_y**2, 1e-9), 0, 1)  # 0 at begin, 1 at end
    distance = np.hypot(x - along * length_x, y - along * length_y)
    shades = (255 * np.clip(radius + 0.5 - distance, 0, 1)).astype(np.uint8)  # of the line, 255 in its middle
    part = pixels[top:bottom, left:right]
    part[:] = np.maximum(part, shades) if erases else np.minimum(part, 255 - shades)


class Pad:
    """A sheet to draw on, the digit as the network sees it, and its answer.

    ask is called with a Question when there is something to read, or nothing any more, and, where layers are shown,
    with a PatchQuestion for what is pointed at.
    """

    def __init__(self, ask):
        self.ask = ask
        self.sheet = Sheet()
        self.number = self.first = 0  # of the newest Question, and of the first about the digit that is on the sheet
        self.answered = 0  # the number of the last one that was answered
        self.centred = True  # and scaled, as MNIST's digits are; or else where it was drawn
        self.is_read = True  # no longer when the program does not wait for the window
        self.looked_at = self.sheet.pixels
        self.put_pixels = self.put_image = None  # the sheet with a digit that was put there, and that digit
        self.shows_layers = self.has_own_scales = False  # for each map one of its own
        self.layers = None  # a list of Layer, or None
        self.pointed = self.patch = None  # the place of a value of a layer, and its Patch
        self.wants_patch = False  # but has not asked for it: that costs as much as 784 digits
        self.note = None  # a sentence in place of a hint
        self.show_image(None)

    def show_image(self, image):
        """What the network is to see now, or None."""
        self.image = image
        shades = np.uint8(np.round(255 - 255 * (np.zeros([28, 28]) if image is None else image)))
        self.seen = shades.repeat(MAGNIFIED, axis=0).repeat(MAGNIFIED, axis=1)  # uint8 [224, 224], 255 is paper
        if image is None:
            self.probabilities = self.layers = self.pointed = self.patch = None

    def look(self):
        """Asks what the digit is, if something has been drawn since."""
        if self.looked_at is self.sheet.pixels:
            return
        self.looked_at, self.note = self.sheet.pixels, None
        ink = (255 - self.looked_at) / np.float32(255)
        if self.looked_at is self.put_pixels and not self.centred:
            image = self.put_image
        else:
            image = as_mnist(ink) if self.centred else as_drawn(ink)
        was_empty = self.image is None
        self.show_image(None if image is None or image.max() < FAINTEST else image)
        if self.image is not None or not was_empty:
            self.first = self.number + 1 if was_empty else self.first
            self.ask_again()

    @property
    def is_answered(self):
        """Whether no answer is to be waited for."""
        return self.image is None or not self.is_read or self.answered == self.number

    def ask_again(self):
        self.number += 1
        self.ask(Question(self.number, self.image, self.shows_layers))
        self.patch, self.wants_patch = None, self.pointed is not None

    def ask_for_patch(self):
        if self.wants_patch and self.image is not None and self.pointed:
            self.ask(PatchQuestion(self.number, self.image, self.pointed))
        self.wants_patch = False

    def clear(self):
        self.sheet.clear()
        self.look()

    def centre_or_not(self):
        self.centred = not self.centred
        self.looked_at = None
        self.look()

    def put(self, image):
        """Puts a digit on the sheet, float32 [28, 28]. It is read exactly as it is, until the pen changes it."""
        self.clear()
        shades = np.uint8(np.round(255 - 255 * np.clip(image, 0, 1)))
        times = SIDE // len(shades)
        self.put_pixels = self.sheet.pixels = shades.repeat(times, axis=0).repeat(times, axis=1)
        self.put_image, self.centred = image, False
        self.look()

    def show_layers(self, is_shown):
        self.shows_layers, self.layers = is_shown, None
        self.pointed = self.patch = None
        if self.image is not None:
            self.ask_again()

    def point_at(self, place):
        """A value of a layer, (layer, row, column, channel) or (layer, neuron), or None."""
        if place != self.pointed:
            self.pointed, self.patch, self.wants_patch = place, None, place is not None

    def show_answer(self, answer):
        if answer.number >= self.first and self.image is not None:
            self.probabilities, self.answered = answer.values, answer.number
            if self.shows_layers and answer.layers is not None:
                self.layers = answer.layers
                if self.pointed and not self.has_value(self.pointed):
                    self.pointed = self.patch = None

    def has_value(self, place):
        layer, *indices = place
        shape = self.layers[layer].values.shape if layer < len(self.layers) else ()
        return len(shape) == len(indices) and all(index < size for index, size in zip(indices, shape))

    def show_patch(self, patch):
        if (patch.number, patch.place) == (self.number, self.pointed):
            self.patch = patch

    def stop(self):
        """Nobody reads what is drawn any longer."""
        self.is_read, self.probabilities, self.layers = False, None, None
        self.pointed = self.patch = None

    def hints(self):
        """What to do with it, in three lines."""
        if not self.is_read:
            return "The program does not wait for this window:\nit reads no more digits.\n"
        centred, layers, own = ("on" if on else "off" for on in (self.centred, self.shows_layers, self.has_own_scales))
        digits = "b, t: put a training, a test digit here"
        if self.shows_layers:
            digits = f"s: own scales ({own})  b, t: put a digit"
        return (
            f"left button draws, right button erases\nc: clear  m: centre ({centred})  l: layers ({layers})\n"
            f"{self.note or digits}"
        )


# ------------------------------------------------------------------------------------------------------------- panels


class SheetPanel(DigitsPanel):
    """The sheet that is drawn on, with hints below."""

    LINE, LINES = 42, 3  # letters in a line, and lines

    def __init__(self, axes, pad):
        super().__init__(axes, lambda: pad.sheet.pixels)
        self.pad = pad
        axes.set_title("Draw a digit")
        axes.format_coord = lambda x, y: ""  # the tool bar need not write down each move of the pen

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
        """Letters of the hints that leave room for LINES of LINE of them below the sheet."""
        box, (width, height) = self.axes.get_position(), 72 * self.figure.get_size_inches()  # points
        below = (box.y0 - self.blank.get_y()) * height
        size = min(self.size, box.width * width / (0.5 * self.LINE), below / (1.3 * self.LINES + 0.5))
        self.axes.xaxis.label.set(fontsize=size, color=COLOURS["text"])
        self.axes.xaxis.labelpad = 0.3 * size

    def set_scale(self, scale):
        super().set_scale(scale)
        self.size = FONT_SIZES["ticks"] * scale

    def sheet_coordinates(self, event):
        """Where on the sheet a mouse event is, x and y, also outside of it."""
        return self.axes.transData.inverted().transform((event.x, event.y))


def box_of_change(former, newer):
    """Where two sheets differ: [[left, top], [right, bottom]], in pixels; or None, if they do not."""
    differ = former != newer
    spans = [np.flatnonzero(differ.any(axis=axis)) for axis in (0, 1)]
    return np.array([(span[0], span[-1] + 1) for span in spans]).T if len(spans[0]) else None


class SeenPanel(DigitsPanel):
    """The digit as the network sees it, with a frame around the patch that a value of a layer depends on."""

    TITLE = "ticks"

    def __init__(self, axes, pad):
        super().__init__(axes, lambda: pad.seen)
        axes.set_title("the network sees")
        self.pad, self.framed = pad, None
        self.frame = Rectangle((0, 0), 0, 0, fill=False, edgecolor=COLOURS["test"], linewidth=1.5)
        self.frame.set_figure(axes.figure)
        self.frame.set_transform(axes.transData)
        self.foreground = [*self.foreground, self.frame]

    def update(self):
        """Takes in what is new; returns whether there was anything."""
        is_new, has_new_frame = super().update(), self.framed is not self.pad.patch
        self.framed = self.pad.patch
        changes = self.framed.changes if self.framed else None
        box = None if changes is None else box_of_change(np.zeros([28, 28]), changes)
        (left, top), (right, bottom) = [[0, 0], [0, 0]] if box is None else MAGNIFIED * box
        self.frame.set_bounds(left, top, right - left, bottom - top)
        self.frame.set_visible(box is not None)
        return is_new or has_new_frame


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
    """The three, as they stand together in the place of a panel; and two more, where the layers are shown."""

    def __init__(self, axes, pad):
        """axes: a function that makes some, of a label."""
        self.panels = [
            SheetPanel(axes("what is drawn"), pad),
            SeenPanel(axes("as it is seen"), pad),
            AnswerPanel(axes("how it is read"), pad),
            LayersPanel(axes("what the layers make of it"), pad),
            LensPanel(axes("one value, large"), pad),
        ]
        self.sheet_panel, _, _, self.layers_panel, self.lens_panel = self.panels
        self.beside = [self.layers_panel, self.lens_panel]

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
        sheet, seen, answer = self.panels[:3]
        sheet.show_at([left, bottom, split, height], [begin, foot, x, y])
        seen.show_at(
            [left + split, bottom + edge, width - split, height - edge],
            [beside, seen_foot - edge, BESIDE * x, SEEN * y],
        )
        answer.show_at(
            [left + split, bottom, width - split, edge],
            [beside, foot, BESIDE * x, (1 - SEEN - BELOW) * y],
        )

    def show_layers_at(self, lens_cell, cell, inner):
        """Shows the lens in a cell of the figure and the layers in another, with the margins of an inner part."""
        left, bottom, width, height = inner
        right, top = lens_cell[2] - left - width, lens_cell[3] - bottom - height
        self.lens_panel.show_at(lens_cell, [right, right, lens_cell[2] - 2 * right, lens_cell[3] - 2 * right])
        self.layers_panel.show_at(cell, [0, bottom / 2, cell[2] - right, cell[3] - bottom / 2 - top / 2])
