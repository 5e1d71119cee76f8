# SPDX-License-Identifier: Apache-2.0
"""The last picture: the whole lesson on one card, a cell for each idea, made of the same runs."""

import functools
import textwrap

import numpy as np

from figures.curves import STAGES, misread_digits, plot_long_steps, plot_training_and_test
from figures.looks import BLUE, DARK_BLUE, GREY, RED, canvas, card, place, show_image, show_signed, write
from figures.parts import first_channels, softmax

WIDTH, ROWS = 9, 6
CELL_WIDTH, CELL_HEIGHT, TOP = 4.3, 1.9, 0.55


def cheat_sheet(runs, digits):
    """A cell for each idea: a drawing on the left, its name and what to remember on the right."""
    figure = card(WIDTH, ROWS * CELL_HEIGHT + TOP + 0.15)
    page = canvas(figure)
    height = figure.get_size_inches()[1]
    write(page, WIDTH / 2, height - 0.36, "TensorFlow and deep learning, on one page", fontsize=14, fontweight="bold")
    for i, (draw, title, text) in enumerate(CELLS):
        left = 0.3 + i % 2 * CELL_WIDTH
        bottom = height - TOP - (i // 2 + 1) * CELL_HEIGHT
        draw(functools.partial(place_in_cell, figure, left, bottom), runs, digits)
        write(page, left + 2.15, bottom + 1.55, title, ha="left", fontsize=11.5, fontweight="bold", color=DARK_BLUE)
        text = textwrap.fill(text, 29)
        write(page, left + 2.15, bottom + 1.36, text, ha="left", va="top", fontsize=9, linespacing=1.35)
    return figure


def place_in_cell(figure, left, bottom, x, y, width, height):
    return place(figure, left + x, bottom + y, width, height)


def bare(axes, **limits):
    axes.set(xticks=[], yticks=[], xlabel="", ylabel="", **limits)
    axes.grid(False)


def draw_neuron(at, runs, digits):
    show_image(at(0.1, 0.5, 0.8, 0.8), digits.test.images[4, :, :, 0])
    show_signed(at(1.1, 0.5, 0.8, 0.8), runs[STAGES["1.0"]]["W"][:, 4].reshape(28, 28), 0.8)


def draw_softmax(at, runs, digits):
    run = runs[STAGES["1.0"]]
    sums = digits.test.images[4].reshape(784) @ run["W"] + run["b"]
    for x, values in ((0.1, sums), (1.1, softmax(sums))):
        axes = at(x, 0.45, 0.85, 0.95)
        axes.bar(range(10), values, color=BLUE)
        bare(axes)


def draw_loss(at, runs, digits):
    axes = at(0.2, 0.4, 1.6, 1.1)
    probabilities = np.linspace(0.01, 1, 100)
    axes.plot(probabilities, -np.log(probabilities), color=RED, linewidth=2)
    bare(axes)
    axes.set(xticks=[0, 1], xlim=(0, 1), ylim=(0, 4.6))
    axes.set_xlabel("probability", fontsize=8, labelpad=-8)


def draw_descent(at, runs, digits):
    axes = at(0.2, 0.35, 1.6, 1.15)
    plot_training_and_test(axes, runs[STAGES["1.0"]], "loss")
    bare(axes, ylim=(0, 100))


def draw_relu(at, runs, digits):
    axes = at(0.2, 0.4, 1.6, 1.1)
    x = np.linspace(-4, 4, 81)
    axes.plot(x, 1 / (1 + np.exp(-x)), color=GREY, linewidth=1.6)
    axes.plot(x, np.maximum(x, 0), color=BLUE, linewidth=2.2)
    bare(axes, ylim=(-0.2, 3))


def draw_decay(at, runs, digits):
    for y, name in ((1.0, "fixed_rate.py"), (0.35, STAGES["2.1"])):
        axes = at(0.2, y, 1.6, 0.55)
        plot_training_and_test(axes, runs[name], "accuracy")
        bare(axes, ylim=(0.95, 1.002))


def draw_overfitting(at, runs, digits):
    axes = at(0.2, 0.35, 1.6, 1.15)
    plot_training_and_test(axes, runs[STAGES["2.1"]], "loss")
    bare(axes, ylim=(0, 20))


def draw_dropout(at, runs, digits):
    axes = at(0.2, 0.35, 1.6, 1.15)
    plot_training_and_test(axes, runs[STAGES["2.2"]], "loss")
    bare(axes, ylim=(0, 20))


def draw_convolution(at, runs, digits):
    stage, image = runs[STAGES["3.1"]], digits.test.images[4, :, :, 0]
    channels = first_channels(stage, image)
    chosen = np.argmax([channel.std() for channel in channels])
    show_signed(at(0.1, 0.7, 0.4, 0.4), stage["W1"][:, :, 0, chosen])
    show_image(at(0.75, 0.35, 1.1, 1.1), channels[chosen], cmap="Blues", vmax=channels[chosen].max())


def draw_normalised(at, runs, digits):
    axes = at(0.2, 0.35, 1.6, 1.15)
    plot_long_steps(axes, runs)
    bare(axes, ylim=(0, 260))


def draw_bent(at, runs, digits):
    for i, image in enumerate(runs[STAGES["4.1"]]["bent"][:6]):
        show_image(at(0.1 + i % 3 * 0.62, 0.35 + i // 3 * 0.62, 0.56, 0.56), image[:, :, 0])


def draw_path(at, runs, digits):
    axes = at(0.2, 0.45, 1.6, 1.0)
    wrong = [len(misread_digits(runs, stage, digits)) for stage in STAGES]
    axes.bar(range(len(wrong)), wrong, color=RED, width=0.7)
    for i, count in enumerate(wrong):
        write(axes, i, count, str(count), va="bottom", fontsize=7.5)
    bare(axes, ylim=(0, max(wrong) * 1.15))
    axes.set_xticks(range(len(wrong)))
    axes.set_xticklabels(list(STAGES), fontsize=7.5)


CELLS = (
    (draw_neuron, "A neuron", "weighs its inputs, adds up, adds its bias: XX · W + b for a whole batch at once."),
    (draw_softmax, "Softmax", "makes probabilities of the ten sums: e to the power of each, divided by the total."),
    (draw_loss, "Cross entropy", "is the loss: -log of the probability that the correct digit got."),
    (draw_descent, "Gradient descent", "moves all weights a little downhill, after each batch of 100 digits."),
    (draw_relu, "Relu", "bends less than the sigmoid and has a slope of 1: deep networks learn from the start."),
    (draw_decay, "A rate that decays", "fast at first, then slow: the noise of a fixed rate goes away."),
    (draw_overfitting, "Overfitting", "the training loss falls, the test loss rises: learned by heart."),
    (draw_dropout, "Dropout", "other neurons are missing for each image, so none relies on another."),
    (draw_convolution, "Convolution", "a small filter slides over the image and makes a channel of what it finds."),
    (draw_normalised, "Batch normalisation", "keeps the sums of each channel on one scale: the steps may be long."),
    (draw_bent, "Augmentation", "bends each digit a little, in another way each time: nothing to learn by heart."),
    (draw_path, "Misread digits", "of 10,000 at the end of each stage. Look at them: some are hard for you, too."),
)
