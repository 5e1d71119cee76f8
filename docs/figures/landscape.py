# SPDX-License-Identifier: Apache-2.0
"""The landscape of stage 1.0: its loss over two directions, and the ways down. In numpy, with the script's batches.

The loss is that of the first 6,000 training digits. A map shows it on a plane through the start, where all weights and
biases are 0. The ways leave that plane a little: they are seen from above.
"""

import functools
from pathlib import Path

import numpy as np

import mnistdata
from figures.looks import BLUE, BROWN, DARK_BLUE, GREY, RED, canvas, card, place, write

DATA = Path(__file__).resolve().parent.parent.parent / "data"
RATE, STEPS = 0.003, 2000  # those of the script


def softmax(sums):
    powers = np.exp(sums - sums.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def with_one(images):
    """Images [n, 784] with a pixel more that is always 1, for the biases: [n, 785]."""
    return np.column_stack([images, np.ones(len(images), np.float32)])


@functools.lru_cache(maxsize=None)
def first_digits():
    """The digits that the maps are made of: their pixels [6000, 785] and labels [6000, 10]."""
    train = mnistdata.read_data_sets(str(DATA), one_hot=True).train
    return with_one(train.images[:6000]), train.labels[:6000]


class Plain:
    """A step of plain gradient descent."""

    def move(self, slopes, rate):
        return rate * slopes


class Adam:
    """A step of Adam (Kingma and Ba 2014), as TensorFlow has it."""

    def __init__(self):
        self.mean, self.square, self.count = 0.0, 0.0, 0

    def move(self, slopes, rate):
        self.count += 1
        self.mean = 0.9 * self.mean + 0.1 * slopes
        self.square = 0.999 * self.square + 0.001 * slopes**2
        rate *= np.sqrt(1 - 0.999**self.count) / (1 - 0.9**self.count)
        return rate * self.mean / (np.sqrt(self.square) + 1e-8)


@functools.lru_cache(maxsize=None)
def way(steps, rate=RATE, batch=100, optimizer=Plain, decay=False, every=4, last=None):
    """Where training comes by, float32 [places, 7850]: its start and every so many steps, or the last ones only.

    decay: the rate falls to 0 in a straight line.
    """
    train = mnistdata.read_data_sets(str(DATA), one_hot=True, seed=0).train
    weights, optimizer = np.zeros([785, 10], np.float32), optimizer()
    places = [weights]
    for i in range(steps):
        images, labels = train.next_batch(batch)
        pixels = with_one(images)
        slopes = 100 * pixels.T @ (softmax(pixels @ weights) - labels) / batch
        weights = weights - np.float32(optimizer.move(slopes, rate * (1 - i / steps) if decay else rate))
        if (i + 1) % every == 0 and (last is None or i >= steps - last):
            places.append(weights)
    return np.array(places if last is None else places[1:]).reshape(-1, 7850)


class Map:
    """A plane through a place, along two directions, with the loss on it."""

    def __init__(self, origin, along, aside):
        first = along / np.linalg.norm(along)
        aside = aside - aside @ first * first
        self.origin, self.directions = origin, np.array([first, aside / np.linalg.norm(aside)])

    def seen(self, places):
        """Places [n, 7850] as they lie on the map, [n, 2]."""
        return (places - self.origin) @ self.directions.T

    def loss(self, across, up):
        """The loss at these coordinates, [len(up), len(across)]; sums are linear in both, so few products do."""
        pixels, labels = first_digits()
        start, first, second = (
            pixels @ vector.reshape(785, 10) for vector in np.float32([self.origin, *self.directions])
        )
        losses = np.empty([len(up), len(across)])
        for row, y in enumerate(np.float32(up)):
            for column, x in enumerate(np.float32(across)):
                sums = start + x * first + y * second
                highest = sums.max(axis=1)
                logs = np.log(np.exp(sums - highest[:, None]).sum(axis=1)) + highest
                losses[row, column] = 100 * (logs - (sums * labels).sum(axis=1)).mean()
        return losses

    def draw(self, axes, across, up, levels, points=32):
        """Contours of the loss between two limits each."""
        xs, ys = np.linspace(*across, points), np.linspace(*up, points)
        lines = axes.contour(xs, ys, self.loss(xs, ys), levels=levels, colors="#b8b8b8", linewidths=0.8)
        axes.set(xlim=across, ylim=up, xticks=[], yticks=[])
        axes.grid(False)
        return lines


def shorter(runs, steps):
    return min(steps, runs.iterations or steps)


def draw_way(axes, seen, colour, label, width=1.8):
    axes.plot(*seen.T, color=colour, linewidth=width, label=label)
    axes.plot(*seen[-1], "o", color=colour, markersize=6, markeredgecolor="white", zorder=3)


def draw_map(axes, plane, ways, levels, corner):
    """Ways on a plane, (places, colour, label, width of the line) each, numbered contours, a legend in a corner."""
    seen = [(plane.seen(places), *looks) for places, *looks in ways]
    low = np.min([places.min(axis=0) for places, *_ in seen], axis=0)
    top = np.max([places.max(axis=0) for places, *_ in seen], axis=0)
    margin = 0.08 * (top - low) + 0.01
    lines = plane.draw(axes, *zip(low - margin, top + margin), levels)
    axes.clabel(lines, fontsize=7, inline_spacing=2)
    for way_on_map in seen:
        draw_way(axes, *way_on_map)
    axes.plot(0, 0, "s", color="black", markersize=6, zorder=3)
    axes.legend(loc=corner)


def landscape(runs, digits):
    """Four maps: three rates; batches of 100 and of 10; plain descent and Adam; and the bottom of the valley."""
    steps = shorter(runs, STEPS)
    usual, ten, adam = way(steps), way(steps, batch=10), way(steps, optimizer=Adam)
    high = way(min(steps, 40), rate=0.03, every=1)
    swings = np.linalg.svd(np.diff(high, axis=0), full_matrices=False)[2][0]  # the direction that it jumps along
    aside = ten.mean(axis=0)
    levels = (25, 30, 35, 40, 50, 60, 80, 100, 130, 160, 190, 220, 260, 300, 400)
    figure = card(9, 8.3)
    for i, (title, direction, corner, ways, heights) in enumerate(
        (
            (
                "three learning rates",
                swings,
                "lower right",
                (
                    (high, RED, "0.03, the first 40 steps", 1.2),
                    (usual, DARK_BLUE, "0.003", 2),
                    (way(steps, rate=0.0003), BROWN, "0.0003", 2),
                ),
                (30, 40, 60, 100, 150, 200, 300, 400, 600, 800, 1000, 1300, 1600, 2000),
            ),
            (
                "two sizes of the batch",
                aside,
                "upper left",
                ((usual, DARK_BLUE, "100 digits", 2), (ten, BROWN, "10 digits", 1.4)),
                levels,
            ),
            (
                "two optimizers",
                aside,
                "upper right",
                ((usual, DARK_BLUE, "plain descent", 2), (adam, RED, "Adam", 2)),
                levels,
            ),
        )
    ):
        axes = place(figure, 0.45 + i % 2 * 4.25, 4.45 - i // 2 * 3.85, 3.85, 3.3, title=title)
        draw_map(axes, Map(usual[0], usual[-1], direction), ways, heights, corner)
    draw_bottom(place(figure, 4.7, 0.6, 3.85, 3.3, title="at the bottom, batches of 10"), runs)
    note = (
        "black square: the start, all 0; on the last map, squares are where its 2,000 steps begin. "
        "Thin lines: places of equal loss, there 0.2 apart"
    )
    write(canvas(figure), 4.5, 0.3, note, fontsize=9, color=GREY)
    return figure


def draw_bottom(axes, runs):
    """The last 2,000 of 20,000 steps with a fixed rate, and with one that decays."""
    steps = shorter(runs, 20000)
    settings = {"batch": 10, "every": 2, "last": min(2000, steps)}
    fixed, decaying = way(steps, **settings), way(steps, decay=True, **settings)
    wandering = fixed - fixed.mean(axis=0)
    _, directions = np.linalg.eigh(wandering @ wandering.T)
    plane = Map(decaying[-1], *(directions[:, -2:].T @ wandering)[::-1])
    seen = [plane.seen(way_) for way_ in (fixed, decaying)]
    low, top = np.concatenate(seen).min(axis=0), np.concatenate(seen).max(axis=0)
    margin = 0.15 * (top - low) + 0.01
    limits = list(zip(low - margin, top + margin))
    lowest = plane.loss([0], [0])[0, 0]
    plane.draw(axes, *limits, lowest + 0.2 * np.arange(1, 30), points=16)
    draw_way(axes, seen[0], BROWN, "fixed rate", 0.8)
    draw_way(axes, seen[1], BLUE, "rate that decays", 1.6)
    for places, colour in zip(seen, (BROWN, BLUE)):
        axes.plot(*places[0], "s", color=colour, markersize=5, zorder=3)
    axes.legend(loc="upper right")
