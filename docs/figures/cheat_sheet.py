# SPDX-License-Identifier: Apache-2.0
"""The last picture: the whole lesson on one card, a cell for each idea, made of the same runs."""

import functools
import textwrap

import numpy as np

from figures.curves import STAGES, misread_digits, plot_long_steps, plot_training_and_test
from figures.landscape import STEPS, Adam, Map, draw_way, shorter, softmax, way
from figures.looks import BLUE, DARK_BLUE, GREY, RED, canvas, card, place, show_image, show_signed, write
from figures.parts import first_channels

ACROSS, CELL_WIDTH, CELL_HEIGHT, TOP = 3, 2.93, 2.36, 0.6  # the drawing of a cell is 2.55 x 1.05 inches, at 0, 0


def cheat_sheet(runs, digits):
    """A cell for each idea: its name, a drawing, and what to remember."""
    figure = card(9, -(-len(CELLS) // ACROSS) * CELL_HEIGHT + TOP + 0.1)
    page = canvas(figure)
    height = figure.get_size_inches()[1]
    write(page, 4.5, height - 0.36, "TensorFlow and deep learning, on one page", fontsize=14, fontweight="bold")
    for i, (draw, title, text) in enumerate(CELLS):
        left = 0.35 + i % ACROSS * CELL_WIDTH
        bottom = height - TOP - (i // ACROSS + 1) * CELL_HEIGHT
        draw(functools.partial(place_in_cell, figure, left, bottom + 0.9), runs, digits)
        write(page, left, bottom + 2.12, title, ha="left", fontsize=11.5, fontweight="bold", color=DARK_BLUE)
        write(page, left, bottom + 0.56, textwrap.fill(text, 41), ha="left", va="top", fontsize=8.5, linespacing=1.3)
    return figure


def place_in_cell(figure, left, bottom, x, y, width, height):
    return place(figure, left + x, bottom + y, width, height)


def small(axes, xlabel="", ylabel="", **limits):
    """Axes that say what they show in small letters, without numbers unless they are given."""
    axes.set(**{"xticks": [], "yticks": [], **limits})
    axes.set_xlabel(xlabel, fontsize=7.5, labelpad=2)
    axes.set_ylabel(ylabel, fontsize=7.5, labelpad=2)
    axes.tick_params(labelsize=7, pad=1.5, length=2)
    axes.grid(False)


def chart(at):
    return at(0.3, 0, 2.25, 1.05)


def draw_neuron(at, runs, digits):
    pixels = digits.test.images[4, :, :, 0]
    weights = runs[STAGES["1.0"]]["W"][:, 4].reshape(28, 28)
    for x, sign in ((0, "x"), (0.9, "=")):
        write(sign_axes(at(x + 0.75, 0.2, 0.15, 0.65)), 0.5, 0.5, sign, fontsize=12, color=GREY)
    show_image(at(0, 0.15, 0.75, 0.75), pixels)
    show_signed(at(0.9, 0.15, 0.75, 0.75), weights, 0.8)
    show_signed(at(1.8, 0.15, 0.75, 0.75), pixels * weights, 0.8)


def sign_axes(axes):
    axes.axis("off")
    return axes


def draw_softmax(at, runs, digits):
    run = runs[STAGES["1.0"]]
    sums = digits.test.images[4].reshape(784) @ run["W"] + run["b"]
    for x, values, name in ((0.05, sums, "ten sums"), (1.4, softmax(sums), "ten probabilities")):
        axes = at(x, 0, 1.15, 1.05)
        axes.bar(range(10), values, color=BLUE)
        axes.axhline(0, color=GREY, linewidth=0.6)
        small(axes, name)


def draw_loss(at, runs, digits):
    axes = chart(at)
    probabilities = np.linspace(0.01, 1, 100)
    axes.plot(probabilities, -np.log(probabilities), color=RED, linewidth=2)
    small(axes, "probability of the correct digit", "loss", xticks=[0, 1], yticks=[0, 2, 4], xlim=(0, 1), ylim=(0, 4.6))


def draw_descent(at, runs, digits):
    draw_walks(at(0, 0, 2.55, 1.05), runs, ((way(shorter(runs, STEPS)), DARK_BLUE),))


def draw_adam(at, runs, digits):
    steps = shorter(runs, STEPS)
    draw_walks(at(0, 0, 2.55, 1.05), runs, ((way(steps), GREY), (way(steps, optimizer=Adam), RED)))


def draw_walks(axes, runs, ways):
    """Ways on one map, that of the landscape."""
    steps = shorter(runs, STEPS)
    usual, ten = way(steps), way(steps, batch=10)
    plane = Map(usual[0], usual[-1], ten.mean(axis=0))
    places = plane.seen(np.concatenate([usual, way(steps, optimizer=Adam)]))
    low, top = places.min(axis=0), places.max(axis=0)
    margin = 0.12 * (top - low) + 0.01
    plane.draw(axes, *zip(low - margin, top + margin), (25, 30, 35, 40, 50, 60, 80, 100, 130, 160, 190, 220), 20)
    for places, colour in ways:
        draw_way(axes, plane.seen(places), colour, None)
    axes.plot(0, 0, "s", color="black", markersize=4, zorder=3)


def draw_weights(at, runs, digits):
    axes = chart(at)
    x = np.linspace(-0.25, 0.25, 201)
    axes.fill_between(x, np.where(np.abs(x) <= 0.2, np.exp(-50 * x**2), 0), color=BLUE, alpha=0.6, linewidth=0)
    small(axes, "weight", "how often", xticks=[-0.2, -0.1, 0, 0.1, 0.2], xlim=(-0.25, 0.25), ylim=(0, 1.15))


def draw_relu(at, runs, digits):
    axes = chart(at)
    x = np.linspace(-4, 4, 81)
    axes.plot(x, 1 / (1 + np.exp(-x)), color=GREY, linewidth=1.6)
    axes.plot(x, np.maximum(x, 0), color=BLUE, linewidth=2.2)
    write(axes, 0.9, 2.2, "relu", fontsize=7.5, color=BLUE)
    write(axes, 3.2, 0.6, "sigmoid", fontsize=7.5, color=GREY)
    small(axes, "weighted sum", "output", xticks=[-4, 0, 4], yticks=[0, 1, 2], xlim=(-4, 4), ylim=(-0.2, 3))


def draw_safe_loss(at, runs, digits):
    """Computed as the first script does, and as all others do, in float32."""
    axes = chart(at)
    lead = np.arange(0, 160, 0.5, dtype=np.float32)  # of the sum of a wrong digit before that of the correct one
    powers = np.exp(-lead)
    powers[powers < np.finfo(np.float32).tiny] = 0  # as TensorFlow rounds them
    with np.errstate(divide="ignore"):
        plain = -np.log(powers / (1 + powers))
    axes.plot(lead, np.logaddexp(0, lead), color=BLUE, linewidth=2.2)
    last = np.flatnonzero(np.isfinite(plain))[-1]
    axes.plot(lead[: last + 1], plain[: last + 1], color=RED, linewidth=1.2)
    axes.plot(lead[last], plain[last], "x", color=RED, markersize=7, markeredgewidth=2)
    write(axes, lead[last] + 4, plain[last] - 30, "log of 0", ha="left", fontsize=7.5, color=RED)
    small(axes, "how far a wrong sum is ahead", "loss", xticks=[0, 50, 100, 150], yticks=[0, 100], xlim=(0, 160))


def draw_decay(at, runs, digits):
    axes = chart(at)
    for name, colour, width in (("fixed_rate.py", GREY, 1.2), (STAGES["2.1"], RED, 2)):
        axes.plot(runs[name]["test_iteration"], runs[name]["test_accuracy"], color=colour, linewidth=width)
    small(axes, "iteration", "test accuracy", yticks=[0.97, 0.98], ylim=(0.966, 0.986))


def draw_losses(at, runs, stage):
    axes = chart(at)
    plot_training_and_test(axes, runs[STAGES[stage]], "loss", 1.6)
    small(axes, "iteration", "loss", yticks=[0, 10], ylim=(0, 16))


def draw_overfitting(at, runs, digits):
    draw_losses(at, runs, "2.1")


def draw_dropout(at, runs, digits):
    draw_losses(at, runs, "2.2")


def draw_convolution(at, runs, digits):
    stage, image = runs[STAGES["3.1"]], digits.test.images[4, :, :, 0]
    channels = first_channels(stage, image)
    chosen = np.argmax([channel.std() for channel in channels])
    show_image(at(0, 0.02, 0.98, 0.98), image)
    show_signed(at(1.13, 0.36, 0.3, 0.3), stage["W1"][:, :, 0, chosen])
    show_image(at(1.57, 0.02, 0.98, 0.98), channels[chosen], cmap="Blues", vmax=channels[chosen].max())


def draw_normalised(at, runs, digits):
    axes = chart(at)
    plot_long_steps(axes, runs, 1.4)
    write(axes, 1000, 195, "without", fontsize=7.5, color=GREY)
    write(axes, 1000, 45, "with", fontsize=7.5, color=BLUE)
    small(axes, "iteration", "training loss", yticks=[0, 200], ylim=(0, 260), xlim=(0, 2000))


def draw_bent(at, runs, digits):
    for i, image in enumerate(runs[STAGES["4.1"]]["bent"][:2, :5].reshape(10, 28, 28)):
        show_image(at(i % 5 * 0.515, 0.53 - i // 5 * 0.52, 0.49, 0.49), image)


def draw_path(at, runs, digits):
    axes = at(0, 0, 2.55, 1.05)
    wrong = [len(misread_digits(runs, stage, digits)) for stage in STAGES]
    axes.bar(range(len(wrong)), wrong, color=RED, width=0.7)
    for i, count in enumerate(wrong):
        write(axes, i, count + 20, str(count), va="bottom", fontsize=7)
    small(axes, xticks=range(len(wrong)), ylim=(0, max(wrong) * 1.2 + 1))
    axes.set_xticklabels(list(STAGES))


CELLS = (
    (draw_neuron, "A neuron", "weighs its inputs, adds them up, adds its bias: XX · W + b for a whole batch at once."),
    (
        draw_softmax,
        "Softmax",
        "makes probabilities of ten sums: e to the power of each, divided by their total.",
    ),
    (draw_loss, "Cross entropy", "is the loss: minus the logarithm of the probability that the correct digit got."),
    (draw_descent, "Gradient descent", "moves each weight against its slope, after each batch of 100 digits."),
    (
        draw_weights,
        "Initial weights",
        "are random and small: from zeros, all neurons of a hidden layer would stay alike.",
    ),
    (draw_adam, "Adam (red)", "has inertia, and a length of step for each weight; plain descent is grey."),
    (draw_relu, "Relu", "has a slope of 1 above 0, so slopes get through; the sigmoid's is 0.25 at most."),
    (draw_safe_loss, "The safe loss", "goes on where that of stage 1.0, red, ends: it never takes the logarithm of 0."),
    (
        draw_decay,
        "A decaying rate (red)",
        "long steps first, short ones later: the noise of a fixed rate, grey, goes.",
    ),
    (draw_overfitting, "Overfitting", "the training loss, blue, falls on; the test loss, red, rises."),
    (draw_dropout, "Dropout", "drops some outputs, different ones for each image: the test loss stays down."),
    (draw_convolution, "Convolution", "slides a small filter over the image and makes a channel of what comes out."),
    (
        draw_normalised,
        "Batch normalisation",
        "keeps the sums of each channel on one scale: ten times the rate still learns.",
    ),
    (draw_bent, "Augmentation", "bends each digit a little, differently each time: nothing to learn by heart."),
    (draw_path, "Misread digits", "of 10,000, at the last test of one run of each stage (other seeds differ)."),
)
