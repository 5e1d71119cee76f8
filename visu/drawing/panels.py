# SPDX-License-Identifier: Apache-2.0
"""The panels with curves and with bands over the iterations, and what all panels have in common."""

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.patches import Polygon

from visu.drawing.parts import Part
from visu.style import BUCKETS, COLOURS, CURVES, FONT_SIZES, LINE_WIDTHS


class Panel(Part):
    """What all panels have in common. Theirs are update, which takes in new data, and reset_zoom."""

    TITLE = "title"  # its size is this one of FONT_SIZES

    def __init__(self, axes, moving):
        super().__init__(axes.figure, axes, moving)
        self.axes = axes
        for artist in moving:  # the axes do not know them: what they know stands still
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

    def __init__(self, axes, moving, iterations):
        super().__init__(axes, moving)
        self.iterations = iterations
        axes.locator_params(nbins=5)

    def set_scale(self, scale):
        super().set_scale(scale)
        self.axes.grid(color=COLOURS["grid"], linewidth=LINE_WIDTHS["frame"] * scale)

    def fit_x(self, xs):
        """Makes room for these iterations, and not too much, unless somebody zoomed: that turns autoscale off."""
        end = max([x[-1] for x in xs if len(x)], default=0)
        shortest, longest = max(end, self.iterations / 10), max(self.GROWTH * end, self.iterations / 10)
        left, right = self.axes.get_xlim()
        if self.axes.get_autoscalex_on() and not (left == 0 and shortest <= right <= longest):
            self.axes.set_xlim(0, longest if end > self.iterations else min(longest, self.iterations), auto=True)


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
        for curve, line in zip(self.curves, self.moving):
            line.set_data(*curve.values().T)
        self.fit_x([line.get_xdata() for line in self.moving])
        return True

    def set_scale(self, scale):
        super().set_scale(scale)
        for line, sample, text in zip(self.moving, self.legend.get_lines(), self.legend.get_texts()):
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
        for polygon, low, high in zip(self.moving, boundaries.T[:-1], boundaries.T[1:]):
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
