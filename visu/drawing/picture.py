# SPDX-License-Identifier: Apache-2.0
"""The picture of a run: six panels and a line of text on a matplotlib figure, drawn from a Record.

Each is a Part that is drawn by itself: what changes all the time, over a backdrop of what seldom does.
"""

import collections
import textwrap

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Polygon, Rectangle
from matplotlib.transforms import Bbox
from PIL import Image  # matplotlib, too, reads and writes pictures with it

from visu.channel import FINISHED, PAUSED, TRAINING
from visu.style import (
    BAND_COLOURS,
    BUCKETS,
    COLOURS,
    CURVES,
    FONT_SIZES,
    LAYOUTS,
    LINE_WIDTHS,
    MARGINS,
    PAD_PLACE,
    SCALES,
    SIZE,
    TITLES,
)
from visu.words import printable

STATUS_CHARACTERS = (78, 82)  # of long texts at the bottom, left and right; where they do not fit, they are broken


def has_pixels(canvas):
    """Whether parts of a canvas can be remembered, and drawn apart."""
    return isinstance(canvas, FigureCanvasAgg)


class Part:
    """A rectangle of the picture that is drawn by itself.

    background: an artist that seldom changes, so that its pixels are remembered. foreground: what is drawn over it each
    time: artists, or anything that has their draw.
    """

    def __init__(self, figure, background, foreground):
        self.figure, self.background, self.foreground = figure, background, foreground
        self.blank = Rectangle((0, 0), 1, 1, transform=figure.transFigure, facecolor=COLOURS["background"], linewidth=0)
        self.blank.set_figure(figure)
        self.backdrops = {}  # extent on the canvas: the pixels of the background there
        background.set_animated(True)

    def is_visible(self):
        return self.background.get_visible()

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
        for artist in (self.blank, self.background, *self.foreground):
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
            self.background.draw(renderer)
            self.backdrops[extent.bounds] = canvas.copy_from_bbox(extent)
        for artist in self.foreground:
            artist.draw(renderer)
        return extent

    def draw_change(self):
        """Draws on the canvas what the last update has changed; returns the extent of what it drew."""
        return self.draw_on_canvas()

    def forget_if_stale(self):
        """Forgets the backdrops, if anything changed in the background: matplotlib marks an artist as stale, then."""
        if self.background.stale:
            self.backdrops.clear()
            self.background.stale = False


class StatusLine(Part):
    """The text at the bottom: on the left what changes seldom, on the right what moves, in one line if there is room.

    Apart, because matplotlib takes its time for each letter.
    """

    def __init__(self, figure):
        setting = {"color": COLOURS["text"], "va": "center", "linespacing": 1.3}
        self.left, self.right = figure.text(0, 0, "", **setting), figure.text(0, 0, "", **setting)
        super().__init__(figure, self.left, [self.right])
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


# ------------------------------------------------------------------------------------------------------------- panels


class Panel(Part):
    """What all panels have in common. Theirs are update, which takes in new data, and reset_zoom."""

    TITLE = "title"  # its size is this one of FONT_SIZES

    def __init__(self, axes, foreground):
        super().__init__(axes.figure, axes, foreground)
        self.axes = axes
        for artist in foreground:  # the axes do not know them: what they know is background
            artist.set_figure(axes.figure)
            artist.set_transform(axes.transData)
            artist.set_clip_box(axes.bbox)
        axes.tick_params(left=False, bottom=False, colors=COLOURS["text"])
        for spine in axes.spines.values():
            spine.set_color(COLOURS["frame"])

    def show_at(self, cell, inner):
        """Shows it in a cell of the figure, the axes in an inner part of that; both [left, bottom, width, height]."""
        self.forget_if_stale()
        self.occupy(*cell)
        self.axes.set_visible(True)
        self.axes.set_position([cell[0] + inner[0], cell[1] + inner[1], inner[2], inner[3]])
        self.axes.apply_aspect()  # a backdrop that is there already is not drawn, which would do it
        self.fit_to_place()
        self.axes.stale = False  # in each place it looks as it did there before

    def fit_to_place(self):
        """Brings up to date what depends on the size of the axes."""

    def hide(self):
        self.forget_if_stale()
        self.axes.set_visible(False)
        self.axes.stale = False

    def set_scale(self, scale):
        """Sizes of letters and lines go with the scale."""
        size = FONT_SIZES[self.TITLE] * scale
        # with a y, or matplotlib would look at each drawing whether there is anything to move the title away from
        self.axes.set_title(self.axes.get_title(), fontsize=size, color=COLOURS["text"], y=1, pad=0.4 * size)
        self.axes.tick_params(labelsize=FONT_SIZES["ticks"] * scale, pad=5 * scale)
        for spine in self.axes.spines.values():
            spine.set_linewidth(LINE_WIDTHS["frame"] * scale)


class IterationsPanel(Panel):
    """A panel with the iterations on the x axis. Its axes grow in steps, as each new range costs a new backdrop."""

    GROWTH = 1.6

    def __init__(self, axes, foreground, iterations):
        super().__init__(axes, foreground)
        self.iterations = iterations
        axes.locator_params(nbins=5)

    def set_scale(self, scale):
        super().set_scale(scale)
        self.axes.grid(color=COLOURS["grid"], linewidth=LINE_WIDTHS["frame"] * scale)

    def fit_x(self, xs):
        """Makes room for these x, and not too much, unless somebody zoomed: that turns autoscale off.

        They may be iterations, from 0 or from where a former run ended, or anything else that grows.
        """
        if not self.axes.get_autoscalex_on():
            return
        xs = np.concatenate(xs)
        begin, end = (xs.min(), xs.max()) if xs.size else (0, 0)
        span = end - begin
        longest = self.GROWTH * span or 1
        if span <= self.iterations:
            longest = min(longest, self.iterations)
        left, right = self.axes.get_xlim()
        if not (left == begin and end <= right <= begin + longest):
            self.axes.set_xlim(begin, begin + longest, auto=True)


class CurvesPanel(IterationsPanel):
    """Two curves over iterations, of the training and the test data."""

    def __init__(self, axes, curves, iterations, limits, legend_place):
        lines = [Line2D([], [], color=COLOURS[name], label=name) for name in CURVES]
        super().__init__(axes, lines, iterations)
        self.curves, self.limits = curves, limits
        self.legend = axes.legend(handles=lines, loc=legend_place, labelcolor=COLOURS["text"])
        self.legend.set_draggable(True)
        self.reset_zoom()

    def update(self):
        """Takes in new data; returns whether there were any."""
        state = [curve.added for curve in self.curves]
        if state == self.shown:
            return False
        self.shown = state
        for curve, line in zip(self.curves, self.foreground):
            x, y = curve.values().T
            line.set_data(x, np.where(np.isfinite(y), y, np.nan))  # a gap
        self.fit_x([line.get_xdata() for line in self.foreground])
        return True

    def set_scale(self, scale):
        super().set_scale(scale)
        for line, sample, text in zip(self.foreground, self.legend.get_lines(), self.legend.get_texts()):
            for artist in (line, sample):
                artist.set_linewidth(LINE_WIDTHS[line.get_label()] * scale)
            text.set_fontsize(FONT_SIZES["legend"] * scale)

    def reset_zoom(self):
        self.shown = None
        self.axes.set_ylim(*self.limits)
        self.axes.autoscale(axis="x")


class BandsPanel(IterationsPanel):
    """The spread of many values over iterations: percentile bands, darker towards the median."""

    def __init__(self, axes, series, iterations, colour):
        middle = BUCKETS // 2
        strength = [1 - 0.8 * abs(k - middle) / (middle + 0.5) for k in range(BUCKETS)]
        polygons = [Polygon(np.zeros([1, 2]), facecolor=colour, alpha=alpha, linewidth=0) for alpha in strength]
        polygons[middle].set(edgecolor=colour, linewidth=0.8)  # to be seen also where all values are equal
        super().__init__(axes, polygons, iterations)
        self.series = series
        self.reset_zoom()

    def update(self):
        """Takes in new data; returns whether there were any."""
        if self.series.added == self.shown:
            return False
        self.shown = self.series.added
        rows = self.series.values()
        rows = rows[np.isfinite(rows).all(axis=1)]  # a loss that is not a number soon makes weights that are not
        x, boundaries = rows[:, 0], rows[:, 1:]  # [k], [k, 8]
        there_and_back = np.concatenate([x, x[::-1]])
        for polygon, low, high in zip(self.foreground, boundaries.T[:-1], boundaries.T[1:]):
            polygon.set_xy(np.column_stack([there_and_back, np.concatenate([low, high[::-1]])]))
        self.fit_x([x])
        if x.size:
            self.fit_y(boundaries.min(), boundaries.max())
        return True

    def fit_y(self, low, high):
        """Makes room for these values, and not too much, unless somebody zoomed."""
        bottom, top = self.axes.get_ylim()
        gap = 0.15 * (high - low) or 0.1 * max(abs(high), 1)
        fits = bottom <= low and high <= top and top - bottom <= 2 * (high - low + gap)
        if self.axes.get_autoscaley_on() and not fits:
            self.axes.set_ylim(low - gap, high + gap, auto=True)

    def reset_zoom(self):
        self.shown = None
        self.axes.autoscale()


class DigitsPanel(Panel):
    """A picture of digits, uint8 [height, width, 3] or [height, width].

    scale=(100, 90) puts percent on its left side, from the top to the bottom.
    """

    def __init__(self, axes, get_picture, scale=None):
        super().__init__(axes, [])
        self.get_picture, self.scale = get_picture, scale
        self.picture = None  # the one that is shown
        self.image = DigitsImage(self)
        self.foreground = [self.image, *axes.spines.values()]
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


# --------------------------------------------------------------------------------------------------------- the picture


class Picture:
    """The six panels and a line of text, drawn on a matplotlib figure from a Record.

    run: what it is about, a Run of visu.channel. pad: a function that makes the panels of a pad, if there is one, to be
    shown in the place of a panel: it gets a function that makes axes, of a label.
    """

    def __init__(self, figure, run, record, pad=None):
        self.figure, self.record = figure, record
        titles, band_colours, _ = run.style
        colours = [BAND_COLOURS[number] for number in band_colours]
        axes = [figure.add_subplot(label=f"panel {number}") for number in range(1, 1 + len(TITLES))]
        curves = [[record.curves[curve][quantity] for curve in CURVES] for quantity in ("accuracy", "loss")]
        self.panels = [
            CurvesPanel(axes[0], curves[0], run.iterations, (0, 1), "lower right"),
            CurvesPanel(axes[1], curves[1], run.iterations, (0, 100), "upper right"),
            DigitsPanel(axes[2], lambda: self.pixels("training")),
            BandsPanel(axes[3], record.bands["weights"], run.iterations, colours[0]),
            BandsPanel(axes[4], record.bands["biases"], run.iterations, colours[1]),
            DigitsPanel(axes[5], lambda: self.pixels("test"), scale=(100, 90)),
        ]
        for panel, title in zip(self.panels, titles):
            panel.axes.set_title(title)
        self.pad = pad(lambda label: figure.add_subplot(label=label)) if pad else None
        self.pad_is_up = self.layers_are_up = False
        self.panels += self.pad.panels if pad else []
        self.status = StatusLine(figure)
        self.parts = [*self.panels, self.status]
        self.scale = None
        self.layout = LAYOUTS["0"]
        self.place_panels()
        figure.canvas.mpl_connect("draw_event", self.draw)

    def pixels(self, curve):
        """The newest picture of digits, or None."""
        picture = self.record.pictures[curve]
        return picture and picture.pixels

    def show_layout(self, key):
        """Shows the panels of LAYOUTS[key] and hides the others."""
        self.layout, self.layers_are_up = LAYOUTS[key], False
        self.place_panels()

    def show_pad(self, is_up, with_layers=False):
        """Shows the pad in the place of its panel, with the layers in the place of the others, or the panels again."""
        self.pad_is_up, self.layers_are_up = is_up, is_up and with_layers
        if is_up and not any(PAD_PLACE in row for row in self.layout):
            self.layout = LAYOUTS["0"]
        self.place_panels()

    def fit_to_size(self):
        """The figure has another size."""
        for part in self.parts:
            part.backdrops.clear()
        self.place_panels()

    def place_panels(self):
        """Puts the panels of the layout into their places, for the size that the figure has now."""
        width, height = self.figure.get_size_inches()
        scale = min(max(min(width / SIZE[0], height / SIZE[1]), SCALES[0]), SCALES[1])
        if scale != self.scale:
            self.scale = scale
            for panel in self.panels:
                panel.set_scale(scale)
        status_height = self.status.place(width, height, scale)
        rows, columns = len(self.layout), len(self.layout[0])
        cell_width, cell_height = 1 / columns, (1 - status_height) / rows  # as parts of the figure
        margin = {side: inches * scale for side, inches in MARGINS.items()}
        left, right = (min(margin[side] / width, 0.2 * cell_width) for side in ("left", "right"))
        top, bottom = (min(margin[side] / height, 0.2 * cell_height) for side in ("top", "bottom"))
        inner = [left, bottom, cell_width - left - right, cell_height - top - bottom]
        for panel in self.panels:
            panel.hide()
        if self.layers_are_up:
            third, half = 1 / 3, (1 - status_height) / 2
            inner = [left, bottom, third - left - right, half - top - bottom]
            self.pad.show_at([0, 1 - half, third, half], inner, (width, height))
            self.pad.show_layers_at([0, status_height, third, half], [third, status_height, 2 * third, 2 * half], inner)
            self.rearranged = True
            return
        for row, line in enumerate(self.layout):
            for column, number in enumerate(line):
                cell = [column * cell_width, 1 - (row + 1) * cell_height, cell_width, cell_height]
                if number == PAD_PLACE and self.pad_is_up:
                    self.pad.show_at(cell, inner, (width, height))
                else:
                    self.panels[number - 1].show_at(cell, inner)
        self.rearranged = True

    def visible_parts(self):
        return [part for part in self.parts if part.is_visible()]

    def update(self, status):
        """Brings what can be seen up to date, status with two texts; returns the parts that have changed."""
        for number, title in self.record.titles.items():
            self.panels[number - 1].axes.title.set_text(title)
        visible = [panel for panel in self.panels if panel.is_visible()]
        changed = [panel for panel in visible if panel.update()]
        if self.rearranged:
            self.rearranged = False
            changed = visible
        return changed + [self.status] * self.status.update(status)

    def reset_zooms(self):
        for panel in self.panels:
            panel.reset_zoom()
        self.rearranged = True

    # matplotlib leaves animated artists out of its own drawing, and the parts consist of nothing else. So it only
    # clears the figure, and says so with a draw_event; and when little has changed, not even that is necessary.

    def draw(self, event):
        """Draws all parts, on a screen or for a file."""
        for part in self.visible_parts():
            if has_pixels(event.canvas) and not event.canvas.is_saving():
                part.draw_on_canvas()
            else:
                part.draw(event.renderer)

    def redraw(self, parts):
        """Draws only these parts, and shows them on the screen."""
        if not has_pixels(self.figure.canvas):
            return self.figure.canvas.draw()
        self.show_on_screen([part.draw_on_canvas() for part in parts])

    def redraw_pad(self, with_layers=True):
        """Draws only what is new on the pad, with or without what is beside it."""
        panels = [panel for panel in self.pad.panels if with_layers or panel not in self.pad.beside]
        changed = [panel for panel in panels if panel.is_visible() and panel.update()]
        if not has_pixels(self.figure.canvas):
            return self.redraw(changed) if changed else None
        self.show_on_screen([panel.draw_change() for panel in changed])

    def show_on_screen(self, extents):
        if extents and hasattr(self.figure.canvas, "send_event"):  # in a browser, one costs as much as all
            extents = [Bbox.union(extents)]
        for extent in extents:
            self.figure.canvas.blit(extent)


def file_picture(run, record):
    """A Picture on a figure of its own, for a file."""
    figure = Figure(figsize=SIZE, dpi=run.style.dpi, facecolor=COLOURS["background"])
    FigureCanvasAgg(figure)
    return Picture(figure, run, record)


# ------------------------------------------------------------------------------------- the line at the bottom, in words

SEPARATOR, NO_BREAK = " \u00b7 ", "\u00a0"  # lines break at separators only


class Pace:
    """How fast training is now: iterations a second over the last SPAN seconds of it, pauses left out."""

    SPAN = 10

    def __init__(self):
        self.recent = collections.deque()  # pairs (seconds, iterations)

    def take(self, progress):
        self.recent.append((progress.seconds, progress.iterations))
        while progress.seconds - self.recent[0][0] > self.SPAN:
            self.recent.popleft()

    def rate(self):
        """Iterations a second; None as long as that can't be told."""
        if not self.recent:
            return None
        (begin, first), (end, last) = self.recent[0], self.recent[-1]
        return (last - first) / (end - begin) if last > first and end > begin else None


def status_texts(run, record, progress, rate=None):
    """The line at the bottom of the picture: the script and how well it does, and how far and how fast it is.

    rate: iterations a second, or None to leave out what is not the same on every machine.
    """
    left, right = [printable(run.name)], [f"iteration {progress.iterations:,} of {run.iterations:,}"]
    training, test = record.newest["training"], record.newest["test"]
    if rate and progress.state == TRAINING and progress.iterations < run.iterations:
        right += pace_texts(rate, run.iterations - progress.iterations)
    if test and test.epoch is not None:
        left.append(f"epoch {test.epoch:.0f}")
    if record.best_test_accuracy is not None:
        left.append(f"best test accuracy {record.best_test_accuracy:.4f}")
    if progress.state != TRAINING:
        left.append(progress.state.upper() if progress.state in (PAUSED, FINISHED) else progress.state)
    if training and training.learning_rate is not None:
        right.append(f"learning rate {training.learning_rate:.3g}")
    return [SEPARATOR.join(part.replace(" ", NO_BREAK) for part in parts) for parts in (left, right)]


def pace_texts(rate, to_go):
    minutes, seconds = divmod(round(to_go / rate), 60)
    hours, minutes = divmod(minutes, 60)
    left = f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
    return [f"{rate:,.0f} iterations/s" if rate >= 10 else f"{rate:.1f} iterations/s", f"{left} left"]
