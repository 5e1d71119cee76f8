# SPDX-License-Identifier: Apache-2.0
"""Inside the network: what its layers make of the digit on the pad, and one of their values under a lens.

One rule of colours: white is 0, blue is above, red below; the strongest colour is the largest value of a layer.
"""

import functools
import math

import numpy as np
from matplotlib.font_manager import findfont
from PIL import Image, ImageDraw, ImageFont  # matplotlib, too, reads and writes pictures with it

from visu.drawing.picture import Panel
from visu.style import BAND_COLOURS, COLOURS, FONT_SIZES

GAP, CELL_GAP = 5, 2  # pixels between two maps, and between two cells, in a window of the usual size
LARGEST_MAP, LARGEST_CELL = 230, 30  # pixels of their sides, in a window of the usual size
LABELLED = 10  # maps: one for each digit, with the sum of its values below


def rgb(colour):
    """#rrggbb as three numbers."""
    return np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)])


def packed(colours):
    """Colours, uint8 [..., 3], as one number a pixel, uint32 [...], which is copied in a quarter of the time."""
    pixels = np.full([*colours.shape[:-1], 4], 255, np.uint8)  # the fourth: nothing shines through
    pixels[..., :3] = colours
    return pixels.view(np.uint32)[..., 0]


def signed_colours():
    """From the lowest number to the highest: uint8 [255, 3], the 128th, for 0, is white."""
    strength = np.linspace(0, 1, 128)[:, np.newaxis]
    below, above = (255 + strength * (rgb(colour) - 255) for colour in (COLOURS["test"], BAND_COLOURS[0]))
    return np.uint8(np.concatenate([below[:0:-1], above]))


SIGNED = signed_colours()
QUIET = "#808080"  # of what is small print
NOT_A_NUMBER = rgb(COLOURS["grid"])
PAPER, FRAME, OUTLINE = (packed(rgb(colour)) for colour in ("#ffffff", COLOURS["frame"], COLOURS["text"]))


def coloured(values, largest):
    """Numbers of any shape as colours, uint8 [..., 3]; largest, a number or one for each channel, is the strongest."""
    with np.errstate(invalid="ignore", divide="ignore"):
        parts = np.clip(np.nan_to_num(values / np.where(np.equal(largest, 0), 1, largest)), -1, 1)
    pixels = SIGNED[np.int16(np.round(127 * parts)) + 127]
    pixels[np.isnan(values)] = NOT_A_NUMBER
    return pixels


def largest_of(values, **axis):
    """The largest of the values, without their signs; 0 if there is no number among them."""
    return np.where(np.isnan(values), 0, np.abs(values)).max(**axis)


class Grid:
    """How the maps or the cells of a layer stand: in lines, each of their pixels so many of the screen's.

    number: of them; rows, columns: of each; gap: between two; label: below each, in pixels.
    """

    def __init__(self, number, rows, columns, gap, label, lines, scale):
        self.number, self.rows, self.columns, self.gap, self.label = number, rows, columns, gap, label
        self.lines, self.scale = lines, scale
        self.per_line = -(-number // lines)
        self.step_y, self.step_x = rows * scale + gap + label, columns * scale + gap
        self.height, self.width = lines * self.step_y, self.per_line * self.step_x
        self.worth = scale - (1 - number / (lines * self.per_line)) / 2  # full lines look better

    def place(self, number):
        """Left and top of a map or a cell, in pixels of the screen."""
        return number % self.per_line * self.step_x, number // self.per_line * self.step_y

    def paint(self, tiles):
        """Colours of all, uint8 [number, rows, columns, 3], as they stand: packed, [height, width]."""
        picture = np.full([self.lines * self.per_line, self.step_y, self.step_x], PAPER)
        tiles = packed(tiles).repeat(self.scale, axis=1).repeat(self.scale, axis=2)
        bottom, right = tiles.shape[1:]
        here = picture[: len(tiles)]
        if self.rows > 1 or self.scale > 4:  # in a frame, so that a map that is white is seen
            here[:, : bottom + 2, : right + 2] = FRAME
        here[:, 1 : bottom + 1, 1 : right + 1] = tiles
        picture = picture.reshape(self.lines, self.per_line, self.step_y, self.step_x)
        return picture.swapaxes(1, 2).reshape(self.height, self.width)

    def find(self, x, y):
        """(number, row, column) of the value at a place in pixels of the screen, or None."""
        column, row = int(x // self.step_x), int(y // self.step_y)
        number = row * self.per_line + column
        inner_x, inner_y = (int((n - 1) // self.scale) for n in (x % self.step_x, y % self.step_y))
        is_there = 0 <= column < self.per_line and 0 <= number < self.number
        is_inside = 0 <= inner_y < self.rows and 0 <= inner_x < self.columns  # and not between two of them
        return (number, inner_y, inner_x) if is_there and is_inside else None


def possible_grids(shape, width, scale):
    """All grids for a layer of a shape in a width, the lowest first, each larger than those before."""
    (rows, columns), number = (shape[:2] if len(shape) == 3 else (1, 1)), shape[-1]
    gap = gap_of(shape, scale)
    label = int(1.5 * FONT_SIZES["ticks"] * scale) if len(shape) == 3 and number == LABELLED else 0
    largest = (LARGEST_MAP if len(shape) == 3 else LARGEST_CELL) * scale / max(rows, columns)
    grids = []
    for lines in range(1, number + 1):
        per_line = -(-number // lines)
        widest = min((width // per_line - gap) // columns, max(1, int(largest)))
        grids += [Grid(number, rows, columns, gap, label, lines, size) for size in range(1, int(widest) + 1)]
    grids.sort(key=lambda grid: (grid.height, -grid.worth))
    better = []
    for grid in grids:
        if not better or grid.worth > better[-1].worth:
            better.append(grid)
    return better


def gap_of(shape, scale):
    return max(2, int((GAP if len(shape) == 3 else CELL_GAP) * scale))


@functools.lru_cache(maxsize=16)
def chosen_grids(shapes, width, height, scale):
    """A Grid of each layer, together no higher than that: space goes where it enlarges small pixels most."""
    grids = [possible_grids(shape, width, scale) for shape in shapes]
    chosen = [0] * len(shapes)
    while True:
        used = sum(options[number].height for options, number in zip(grids, chosen))
        gains = []
        for layer, (options, number) in enumerate(zip(grids, chosen)):
            for larger in range(number + 1, len(options)):
                more = options[larger].height - options[number].height
                if used + more <= height:
                    gain = math.log(options[larger].worth / options[number].worth) / options[number].scale
                    gains.append((gain / max(more, 1), layer, larger))
        if not gains:
            return [options[number] for options, number in zip(grids, chosen)]
        _, layer, larger = max(gains)
        chosen[layer] = larger


def as_many_as_fit(layers, width, height, scale):
    """The layers, with no more maps and cells than can be seen one by one, and no more of each."""
    share = height // len(layers)
    shown = []
    for layer in layers:
        values, gap = layer.values, gap_of(layer.values.shape, scale)
        if values.ndim == 3:
            values = values[: share - gap, : width - gap]
        rows, columns = values.shape[:2] if values.ndim == 3 else (1, 1)
        shown.append(layer._replace(values=values[..., : (width // (columns + gap)) * (share // (rows + gap))]))
    return shown


@functools.lru_cache(maxsize=8)
def font_of(size):
    """matplotlib's font, its letters that many pixels high. Read once: most labels have a new number each time."""
    return ImageFont.truetype(findfont("DejaVu Sans"), size)


@functools.lru_cache(maxsize=256)
def lettering(text, size, colour):
    """Text on white, its letters that many pixels high: packed, [height, width].

    matplotlib takes 50 microseconds for each letter, as long as the maps of a whole layer.
    """
    font, lines = font_of(size), text.split("\n")
    width, step = max(font.getlength(line) for line in lines), int(1.2 * sum(font.getmetrics()))
    picture = Image.new("RGB", (math.ceil(width) + 1, step * len(lines)), "white")
    drawing = ImageDraw.Draw(picture)
    for number, line in enumerate(lines):
        drawing.text((0, number * step), line, fill=colour, font=font)
    return packed(np.array(picture))


# ------------------------------------------------------------------------------------------------------------- panels


class PaintedPanel(Panel):
    """A panel whose pixels are painted here, whole and never blurred. Its axes count pixels from the top left."""

    def __init__(self, axes, pad):
        super().__init__(axes, [])
        self.pad, self.shown = pad, None
        self.pixels = np.full([0, 0], PAPER)  # packed
        self.foreground = [Pixels(self)]
        axes.set_navigate(False)  # there is nothing to zoom into
        axes.set_axis_off()

    def set_scale(self, scale):
        super().set_scale(scale)
        self.ui, self.letters = scale, FONT_SIZES["ticks"] * scale
        self.line = int(1.5 * self.letters / 72 * self.figure.dpi)  # pixels from one line of text to the next

    def fit_to_place(self):
        box = self.axes.get_window_extent()
        self.width, self.height = int(box.width), int(box.height)
        self.axes.set_xlim(0, self.width)
        self.axes.set_ylim(self.height, 0)
        self.shown = None

    def reset_zoom(self):
        """There is none."""

    def update(self):
        """Paints what is new; returns whether there was anything."""
        state = self.state()
        if self.shown is not None and all(a is b for a, b in zip(state, self.shown)):
            return False
        self.shown = state
        self.pixels = np.full([self.height, self.width], PAPER)
        self.paint()
        return True

    def write(self, x, y, text, align=0, colour=COLOURS["text"]):
        """Writes a text, its middle at that height, its left edge at x; its middle for 1/2, its right edge for 1."""
        picture = lettering(text, int(round(self.letters / 72 * self.figure.dpi)), colour)
        height, width = picture.shape
        self.put(picture, max(0, int(x - align * width)), max(0, int(y - height / 2)))

    def put(self, picture, left, top):
        """Puts a picture, packed, on the pixels, as far as there is room."""
        here = self.pixels[top : top + picture.shape[0], left : left + picture.shape[1]]
        here[:] = picture[: here.shape[0], : here.shape[1]]

    def coordinates(self, event):
        """Where a mouse event is, x and y in pixels from the top left."""
        left, top = self.corner()
        return event.x - left, top - event.y

    def corner(self):
        """Where the pixels begin on the canvas: its column and its row, from the bottom, of the top left corner."""
        box = self.axes.get_window_extent()
        return int(round(box.x0)), int(round(box.y1))


class Pixels:
    """The pixels of a PaintedPanel, as they are."""

    def __init__(self, panel):
        self.panel = panel

    def draw(self, renderer):
        pixels = self.panel.pixels
        if pixels.size:
            left, top = self.panel.corner()
            upwards = pixels[::-1].copy().view(np.uint8).reshape(*pixels.shape, 4)  # as matplotlib wants it
            renderer.draw_image(renderer.new_gc(), left, top - len(pixels), upwards)


class LayersPanel(PaintedPanel):
    """A row for each layer, with its shape and its largest value."""

    EMPTY = "Draw a digit: here is what each layer makes of it."
    NOTHING = "The function that reads hands over no layers: docs/interface.md says how."

    rows = ()  # of each layer: its top, and its Grid

    def state(self):
        return self.pad.layers, self.pad.has_own_scales

    def paint(self):
        self.rows = []
        layers = self.pad.layers
        if not layers:
            self.write(0, self.line, self.EMPTY if layers is None else self.NOTHING)
            return
        room = self.height - len(layers) * 2 * self.line
        shown = as_many_as_fit(layers, self.width, room, self.ui)
        chosen = chosen_grids(tuple(layer.values.shape for layer in shown), self.width, room, self.ui)
        spare = max(0, room - sum(grid.height for grid in chosen)) // len(layers)
        top = 0
        for layer, cut, grid in zip(layers, shown, chosen):
            has_own_scales = self.pad.has_own_scales and layer.values.ndim == 3
            largest = largest_of(cut.values, axis=(0, 1)) if has_own_scales else largest_of(layer.values)
            self.write(0, top + self.line / 2, f"layer {len(self.rows) + 1}:  {self.title(layer, cut)}")
            scale = "each to its own largest value" if has_own_scales else f"largest value {largest:.3g}"
            self.write(self.width, top + self.line / 2, scale, align=1, colour=QUIET)
            top += int(1.2 * self.line)
            self.rows.append((top, grid))
            self.paint_row(cut, grid, largest, top)
            top += grid.height + int(0.8 * self.line) + spare

    def title(self, layer, cut):
        values, shown = layer.values, cut.values.shape[-1]
        title = f"{layer.channels:,} neurons"
        if values.ndim == 3:
            title = f"{values.shape[0]} x {values.shape[1]}, {layer.channels:,} channels"
        return title if shown == layer.channels else f"{title}, {shown:,} of {layer.channels:,} shown"

    def paint_row(self, layer, grid, largest, top):
        values = layer.values if layer.values.ndim == 3 else layer.values[np.newaxis, np.newaxis]
        self.put(grid.paint(np.moveaxis(coloured(values, largest), 2, 0)), 0, top)
        if grid.label:
            for number in range(grid.number):
                left, above = grid.place(number)
                below = top + above + grid.rows * grid.scale + 2 + grid.label / 2
                middle = left + grid.columns * grid.scale / 2
                self.write(middle, below, f"{number}: {np.sum(values[..., number]):+.2f}", align=0.5)

    def find(self, event):
        """(layer, row, column, channel) or (layer, neuron) of the value at a mouse event, or None."""
        x, y = self.coordinates(event)
        for layer, (top, grid) in enumerate(self.rows):
            found = grid.find(x, y - top) if top <= y < top + grid.height else None
            if found:
                number, row, column = found
                return (layer, row, column, number) if self.pad.layers[layer].values.ndim == 3 else (layer, number)
        return None


class LensPanel(PaintedPanel):
    """The map that is pointed at, large, and what a little more ink in each pixel adds to the value."""

    HINT = "Point at a value of a layer:\nits map is shown here, large, and\nwhich pixels of the digit it depends on."

    def state(self):
        layers = self.pad.layers if self.pad.pointed else None  # or else there is a hint, and it stays
        return layers, self.pad.pointed, self.pad.patch, self.pad.has_own_scales

    def paint(self):
        pointed, layers = self.pad.pointed, self.pad.layers
        if not pointed or not layers:
            self.write(0, 2 * self.line, self.HINT)
            return
        layer = layers[pointed[0]]
        value = float(layer.values[pointed[1:]]) or 0.0  # and not -0, where no ink meets a negative weight
        side = min((self.width - 4 * GAP) // 2, self.height - 4 * self.line)
        if layer.values.ndim == 3:
            _, row, column, channel = pointed
            values = layer.values[..., channel]
            largest = largest_of(values) if self.pad.has_own_scales else largest_of(layer.values)
            scale = max(1, side // max(values.shape))
            self.paint_map(coloured(values, largest), scale, 0, row, column)
            which = f"the map of {channel}" if layer.channels == LABELLED else f"channel {channel + 1}"
            name = f"layer {pointed[0] + 1}, {which}\n{value:.3g} in row {row + 1}, column {column + 1}"
        else:
            colour = coloured(np.array([[value]]), largest_of(layer.values))
            self.paint_map(colour, side // 2, 0)
            name = f"layer {pointed[0] + 1}, neuron {pointed[1] + 1}\n{value:.3g}"
        self.write(0, self.line, name)
        patch = self.pad.patch
        left = side + 4 * GAP
        if patch is None:
            return
        if patch.changes is None:
            self.write(left, self.line, "no pixel changes it")
            return
        self.paint_map(coloured(patch.changes, largest_of(patch.changes)), max(1, side // 28), left)
        where = "" if patch.is_of_drawn else "\n(in noise: here it is silent)"
        self.write(left, self.line, f"what more ink adds,\nup to {largest_of(patch.changes):.3g}{where}")

    def paint_map(self, colours, scale, left, row=None, column=None):
        grid = Grid(1, *colours.shape[:2], 2, 0, 1, scale)
        picture = grid.paint(colours[np.newaxis])
        if row is not None:
            outline(picture, row * scale, column * scale, (row + 1) * scale + 1, (column + 1) * scale + 1)
        self.put(picture, left, 3 * self.line)


def outline(picture, top, left, bottom, right):
    """Draws a dark frame between these pixels of a picture."""
    picture[top : bottom + 1, [left, right]] = OUTLINE
    picture[[top, bottom], left : right + 1] = OUTLINE
