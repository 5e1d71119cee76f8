"""Where the pad is in the window, strokes to draw on it, and what its bars say."""

import functools

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from made_up_run import RUN
from screens import HEIGHT, WIDTH
from visu.drawing.pad import SIDE, Pad, PadPanels
from visu.drawing.picture import Picture
from visu.record import Record
from visu.style import COLOURS

# In parts of the sheet, to the right and down, as somebody draws them
ONE = [(0.5, 0.1), (0.5, 0.5), (0.49, 0.9)]
TURNS = np.linspace(0, 2 * np.pi, 17)
ZERO = [(0.5 - 0.28 * np.sin(turn), 0.5 - 0.38 * np.cos(turn)) for turn in TURNS]
DIGITS = np.array([int(COLOURS["training"][i : i + 2], 16) for i in (1, 3, 5)])  # the colour of the highest bar


def draw(sheet, *strokes, erases=False):
    """Draws strokes on a Sheet, each a list of places from 0 to 1, or erases with them."""
    for stroke in strokes:
        places = SIDE * np.array(stroke)
        sheet.put_pen(places[0], erases)
        for place in places[1:]:
            sheet.move_pen(place)
        sheet.lift_pen()


def picture_with_pad(pad, size=(WIDTH, HEIGHT), key="0"):
    """A Picture of a training that has just begun, with its pad up."""
    dpi = RUN.style.dpi
    figure = Figure(figsize=[pixels / dpi for pixels in size], dpi=dpi, facecolor="white")
    FigureCanvasAgg(figure).blit = lambda extent: None
    picture = Picture(figure, RUN, Record(), lambda make_axes: PadPanels(make_axes, pad))
    picture.show_layout(key)
    picture.show_pad(True)
    picture.update(["", ""])
    figure.canvas.draw()
    return picture


@functools.lru_cache(maxsize=None)
def place_in_picture(number, key="0"):
    """Left, top, right and bottom of a panel of the pad, as parts of the window's picture."""
    left, bottom, right, top = (
        picture_with_pad(Pad(print), key=key).pad.panels[number].axes.get_position().extents.tolist()
    )
    return left, 1 - top, right, 1 - bottom


SHEET, SEEN, BARS = range(3)


def on_sheet(stroke, key="0"):
    """The places of a stroke as parts of the window's picture."""
    left, top, right, bottom = place_in_picture(SHEET, key)
    return [(left + x * (right - left), top + y * (bottom - top)) for x, y in stroke]


def part_of(picture, number):
    """A panel of the pad, cut out of a screenshot [height, width, 3]."""
    left, top, right, bottom = np.multiply(place_in_picture(number), 2 * picture.shape[1::-1]).round().astype(int)
    return picture[top:bottom, left:right]


def most_probable(picture):
    """The digit that has the highest bar in a screenshot of six panels, uint8 [height, width, 3]; None without."""
    bars = (abs(part_of(picture, BARS).astype(int) - DIGITS) < 30).all(axis=2)
    rows = np.flatnonzero(bars[:, 2])  # at the left, where each bar begins
    return int(10 * rows.mean() / len(bars)) if len(rows) else None
