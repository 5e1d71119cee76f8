# SPDX-License-Identifier: Apache-2.0
"""The picture of a run: six panels and a line of text on a matplotlib figure."""

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from visu.drawing.digits_panel import DigitsPanel
from visu.drawing.pad_panels import PadPanels
from visu.drawing.panels import BandsPanel, CurvesPanel
from visu.drawing.parts import StatusLine, has_pixels
from visu.style import BAND_COLOURS, COLOURS, CURVES, LAYOUTS, MARGINS, PAD_PLACE, SCALES, SIZE, TITLES


class Picture:
    """The six panels and a line of text, drawn on a matplotlib figure from a History.

    iterations: how many the whole run has. pad: a Pad, to be shown in the place of a panel, if there is one.
    """

    def __init__(self, figure, style, history, iterations, pad=None):
        self.figure, self.history = figure, history
        colours = [BAND_COLOURS[number] for number in style.band_colours]
        axes = [figure.add_subplot(label=f"panel {number}") for number in range(1, 1 + len(TITLES))]
        curves = [[history.curves[curve][quantity] for curve in CURVES] for quantity in ("accuracy", "loss")]
        self.panels = [
            CurvesPanel(axes[0], curves[0], iterations, (0, 1), "lower right"),
            CurvesPanel(axes[1], curves[1], iterations, (0, 100), "upper right"),
            DigitsPanel(axes[2], lambda: history.pictures["training"]),
            BandsPanel(axes[3], history.weights, iterations, colours[0]),
            BandsPanel(axes[4], history.biases, iterations, colours[1]),
            DigitsPanel(axes[5], lambda: history.pictures["test"], scale=(100, 90)),
        ]
        for panel, title in zip(self.panels, style.titles):
            panel.axes.set_title(title)
        self.pad = PadPanels(lambda label: figure.add_subplot(label=label), pad) if pad else None
        self.pad_is_up = False
        self.panels += self.pad.panels if pad else []
        self.status = StatusLine(figure)
        self.parts = [*self.panels, self.status]
        self.scale = None
        self.layout = LAYOUTS["0"]
        self.place_panels()
        figure.canvas.mpl_connect("draw_event", self.draw)

    def show_layout(self, key):
        """Shows the panels of LAYOUTS[key] and hides the others."""
        self.layout = LAYOUTS[key]
        self.place_panels()

    def show_pad(self, is_up):
        """Shows the pad in the place of its panel, or that panel again."""
        self.pad_is_up = is_up
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
        for number, title in self.history.titles.items():
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

    def redraw_pad(self):
        """Draws only what is new on the pad."""
        changed = [panel for panel in self.pad.panels if panel.is_visible() and panel.update()]
        if not has_pixels(self.figure.canvas):
            return self.redraw(changed) if changed else None
        self.show_on_screen([panel.draw_change() for panel in changed])

    def show_on_screen(self, extents):
        if extents:  # together, as one that is shown in a browser costs as much as all
            self.figure.canvas.blit(Bbox.union(extents))


def file_picture(style, history, iterations):
    """A Picture on a figure of its own, for a file."""
    figure = Figure(figsize=SIZE, dpi=style.dpi, facecolor=COLOURS["background"])
    FigureCanvasAgg(figure)
    return Picture(figure, style, history, iterations)
