# SPDX-License-Identifier: Apache-2.0
"""The picture of compare_stages.py: the test curves of several scripts, each with its spread over the seeds."""

import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure


def save_picture(path, curves):
    """Draws the test curves of all scripts: {name: [results of a seed, …]}, the median with a band over the seeds."""
    matplotlib.rcdefaults()  # the looks are ours, whatever a matplotlibrc says
    figure = Figure(figsize=(14, 12), dpi=100)
    FigureCanvasAgg(figure)
    panels = figure.subplots(2, 1, sharex=True)
    figure.subplots_adjust(left=0.05, right=0.71, bottom=0.05, top=0.96, hspace=0.1)  # on the right, room for the names
    for panel, quantity, title, limits in (
        (panels[0], "accuracy", "Accuracy on the test digits", (0.9, 1)),
        (panels[1], "loss", "Cross entropy loss on the test digits", (0, 40)),
    ):
        ends = []
        for number, (name, seeds) in enumerate(curves.items()):
            length = min(len(results["test"][quantity]) for results in seeds)
            values = np.array([results["test"][quantity][:length] for results in seeds], dtype=float)
            iterations = np.array(seeds[0]["test"]["iteration"][:length])
            colour = f"C{number}"
            panel.fill_between(iterations, values.min(axis=0), values.max(axis=0), color=colour, alpha=0.2, linewidth=0)
            middle = np.median(values, axis=0)
            panel.plot(iterations, middle, color=colour, linewidth=1.2)
            numbers = np.flatnonzero(np.isfinite(middle))  # a line ends where its loss becomes NaN
            if len(numbers):
                ends.append((iterations[numbers[-1]], middle[numbers[-1]], name, colour))
        panel.set_title(title, fontsize=14)
        panel.set_ylim(*limits)
        panel.set_xlim(0, max(seeds[0]["test"]["iteration"][-1] for seeds in curves.values()))
        panel.grid(color="0.9", linewidth=0.8)
        panel.set_axisbelow(True)
        label_ends(panel, ends, limits)
    panels[1].set_xlabel("iteration")
    figure.savefig(str(path))


def label_ends(panel, ends, limits):
    """Writes the name of each line at its end, apart from each other: most of them to the right of the panel."""
    low, high = limits
    gap = 0.04 * (high - low)
    right = panel.get_xlim()[1]
    ends = sorted((min(max(y, low), high), x, name, colour) for x, y, name, colour in ends)
    heights = [end[0] for end in ends]
    for place in range(1, len(heights)):  # push up what is too close to the one below, then down what is too high
        heights[place] = max(heights[place], heights[place - 1] + gap)
    ceiling = high
    for place in reversed(range(len(heights))):
        heights[place] = min(heights[place], ceiling)
        ceiling = heights[place] - gap
    for height, (y, x, name, colour) in zip(heights, ends):
        panel.annotate(
            name,
            (x, y),
            ((x if x < 0.8 * right else right) + 0.03 * right, height),
            color=colour,
            va="center",
            fontsize=10,
            annotation_clip=False,
            arrowprops={
                "arrowstyle": "-",
                "color": colour,
                "linewidth": 0.6,
                "shrinkA": 0,
                "shrinkB": 0,
                "relpos": (0, 0.5),
            },
        )
