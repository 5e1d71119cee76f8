# SPDX-License-Identifier: Apache-2.0
"""How all pictures of the lesson look: a white card with round corners, the colours of the window, digits, weights."""

import io

import matplotlib
import numpy as np
import PIL.Image
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, Rectangle
from matplotlib.text import Text

from visu.style import BAND_COLOURS, COLOURS

DPI = 200
MARGIN = 0.04  # inches between the card and the edge of the picture
TEXT, GREY, GRID = COLOURS["text"], "#8a8a8a", COLOURS["grid"]
BLUE, RED = COLOURS["training"], COLOURS["test"]
DARK_BLUE, BROWN = BAND_COLOURS[:2]
PALE_BLUE = "#bcd3ec"
MISREAD = "#ffa0a0"  # the ground of a misrecognised digit in the window
MEDIAN_CUT = 0  # Pillow's name of it changed
INK = "gray_r"  # 0 is paper, 1 is ink
SIGNED = LinearSegmentedColormap.from_list("signed", [RED, "white", DARK_BLUE])  # below 0, 0, above 0

SETTINGS = {
    "font.size": 10.5,
    "text.color": TEXT,
    "axes.labelcolor": TEXT,
    "axes.edgecolor": COLOURS["frame"],
    "axes.titlesize": 11.5,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.7,
    "xtick.color": TEXT,
    "ytick.color": TEXT,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "legend.fontsize": 9.5,
    "legend.framealpha": 1.0,
}


def card(width, height):
    """A figure of so many inches, a white card with round corners on nothing: it can be read on any page."""
    matplotlib.rcdefaults()  # whatever the user's own matplotlibrc says
    matplotlib.rcParams.update(SETTINGS)
    figure = Figure(figsize=(width, height), facecolor="none")
    FigureCanvasAgg(figure)
    figure.add_artist(
        FancyBboxPatch(
            (MARGIN, MARGIN),
            width - 2 * MARGIN,
            height - 2 * MARGIN,
            boxstyle="round,pad=0,rounding_size=0.15",
            transform=figure.dpi_scale_trans,
            facecolor="white",
            edgecolor="#dddddd",
            linewidth=1,
            zorder=-1,
        )
    )
    return figure


def place(figure, left, bottom, width, height, **options):
    """Axes at a place of a figure, in inches from its lower left corner."""
    across, up = figure.get_size_inches()
    return figure.add_axes([left / across, bottom / up, width / across, height / up], **options)


def canvas(figure):
    """Axes without a frame over a whole figure, in inches: for text, arrows and circles."""
    across, up = figure.get_size_inches()
    axes = figure.add_axes([0, 0, 1, 1], xlim=(0, across), ylim=(0, up), facecolor="none")
    axes.axis("off")
    return axes


def write(axes, x, y, text, **options):
    options = dict({"ha": "center", "va": "center"}, **options)
    axes.text(x, y, text, **options)


def show_image(axes, image, **options):
    """An image without ticks, its pixels sharp, in a thin frame."""
    axes.imshow(image, **dict({"cmap": INK, "vmin": 0, "vmax": 1, "interpolation": "nearest"}, **options))
    axes.set(xticks=[], yticks=[])
    axes.grid(False)


def show_signed(axes, image, largest=None, **options):
    """Numbers below 0 in red, above it in blue, 0 in white."""
    largest = np.abs(image).max() if largest is None else largest
    show_image(axes, image, **dict({"cmap": SIGNED, "vmin": -largest, "vmax": largest}, **options))


def outline(axes, column, row, width, height, **options):
    """A rectangle around pixels of an image that begin at a column and a row."""
    options = dict({"edgecolor": RED, "linewidth": 1.6, "clip_on": False}, **options)
    axes.add_patch(Rectangle((column - 0.5, row - 0.5), width, height, facecolor="none", **options))


def thousands(axes, last, label="iteration"):
    """An axis of iterations, or of something else that counts so far, from 0 to the last."""
    axes.set_xlim(0, last + 1)
    axes.xaxis.set_major_formatter(lambda x, position: f"{x:,.0f}")
    axes.set_xlabel(label)


def save(figure, path):
    buffer = io.BytesIO()
    figure.savefig(buffer, dpi=DPI, facecolor="none", format="png")
    with PIL.Image.open(buffer) as picture:
        save_with_few_colours(picture, path)


def save_with_few_colours(picture, path):
    """Writes a picture with 256 colours, a third as large as with all; one of them is nothing, around a card."""
    picture = picture.convert("RGBA")
    outside = picture.getchannel("A").point(lambda alpha: 255 * (alpha < 128))
    on_white = PIL.Image.new("RGB", picture.size, "white")
    on_white.paste(picture, mask=picture)
    few = on_white.quantize(255, method=MEDIAN_CUT, dither=0)
    few.putpalette((few.getpalette() + 768 * [255])[:768])
    few.paste(255, mask=outside)
    few.save(str(path), optimize=True, transparency=255)


def overlapping_labels(figure):
    """Pairs of texts of a figure that lie over each other; slanted ones, on contours, are not looked at."""
    renderer = figure.canvas.get_renderer()
    figure.draw(renderer)
    unseen = {
        id(label)
        for axes in figure.axes
        for axis in (axes.xaxis, axes.yaxis)
        for tick in axis.get_major_ticks()
        for label in (tick.label1, tick.label2)
        if not min(axis.get_view_interval()) <= tick.get_loc() <= max(axis.get_view_interval())
    }
    texts = [
        text
        for text in figure.findobj(Text)
        if text.get_text().strip() and text.get_visible() and text.get_rotation() % 90 == 0 and id(text) not in unseen
    ]
    places = [Text.get_window_extent(text, renderer).padded(-1) for text in texts]  # without the arrow of an annotation
    return [
        (texts[i].get_text(), texts[j].get_text())
        for i in range(len(texts))
        for j in range(i)
        if places[i].overlaps(places[j])
    ]
