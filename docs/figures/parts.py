# SPDX-License-Identifier: Apache-2.0
"""Pictures of the parts of a network, with numbers of trained ones: a neuron, a layer, softmax, dropout, filters."""

import numpy as np
from matplotlib.patches import ConnectionPatch

from figures.landscape import softmax
from figures.looks import (
    BLUE,
    DARK_BLUE,
    GREY,
    RED,
    canvas,
    card,
    outline,
    place,
    show_image,
    show_signed,
    write,
)
from figures.runs import BENT


def neuron(runs, digits):
    """A digit, the weights of two neurons of stage 1.0, their products, and the sums."""
    weights, biases = runs["mnist_1.0_softmax.py"]["W"], runs["mnist_1.0_softmax.py"]["b"]
    pixels = digits.test.images[4, :, :, 0]  # a clear 4
    figure = card(9, 4.625)  # a whole number of pixels, for every matplotlib
    page = canvas(figure)
    for x, title in ((1.25, "784 pixels"), (3.75, "784 weights"), (6.25, "pixel x weight")):
        write(page, x, 4.28, title, fontsize=11.5)
    products = pixels[:, :, None] * weights.reshape(28, 28, 10)
    for neuron, bottom in ((4, 2.25), (9, 0.25)):
        middle = bottom + 0.9
        show_image(place(figure, 0.35, bottom, 1.8, 1.8), pixels)
        show_signed(place(figure, 2.85, bottom, 1.8, 1.8), weights[:, neuron].reshape(28, 28), 0.8)
        show_signed(place(figure, 5.35, bottom, 1.8, 1.8), products[:, :, neuron], 0.8)
        write(page, 2.5, middle, "x", fontsize=20, color=GREY)
        write(page, 5.0, middle, "=", fontsize=20, color=GREY)
        total, bias = products[:, :, neuron].sum(), biases[neuron]
        write(page, 7.35, middle + 0.55, f"the neuron for {neuron}", ha="left", fontweight="bold")
        write(page, 7.35, middle + 0.2, f"total  {total:+.2f}", ha="left")
        write(page, 7.35, middle - 0.1, f"bias   {bias:+.2f}", ha="left")
        write(page, 7.35, middle - 0.48, f"{total + bias:+.2f}", ha="left", fontsize=15, color=DARK_BLUE)
    return figure


def batch(runs, digits):
    """100 images, times all weights of stage 1.0, plus its biases: 100 rows of 10 sums."""
    weights, biases = runs["mnist_1.0_softmax.py"]["W"], runs["mnist_1.0_softmax.py"]["b"]
    rows = digits.test.images[:100].reshape(100, 784)
    figure = card(9, 4.2)
    page = canvas(figure)
    images = place(figure, 0.45, 0.85, 3.3, 2.3)
    show_image(images, rows, aspect="auto")
    outline(images, 0, 0, 784, 3)
    columns = place(figure, 4.5, 0.55, 0.9, 2.9)
    show_signed(columns, weights, 0.5, aspect="auto")
    outline(columns, 0, 0, 1, 784)
    added = place(figure, 6.05, 0.85, 0.9, 2.3)
    show_signed(added, np.repeat(biases[None, :], 100, axis=0), aspect="auto")
    outline(added, 0, 0, 1, 3)
    sums = place(figure, 7.7, 0.85, 0.9, 2.3)
    show_signed(sums, rows @ weights + biases, 12, aspect="auto")
    outline(sums, 0, 0, 1, 3)
    page.plot(4.12, 2.0, "o", color=GREY, markersize=9)
    for x, sign in ((5.72, "+"), (7.32, "=")):
        write(page, x, 2.0, sign, fontsize=22, color=GREY)
    for x, y, text in (
        (2.1, 3.4, "XX  [100, 784]"),
        (4.95, 3.7, "W  [784, 10]"),
        (6.5, 3.4, "b  [10]"),
        (8.15, 3.4, "sums  [100, 10]"),
    ):
        write(page, x, y, text, fontsize=11)
    for x, y, text in (
        (2.1, 0.6, "a row for each image: all its pixels,\nline after line. In red: row 1"),
        (4.95, 0.3, "in red: column 1"),
        (6.5, 0.6, "added to\nevery row"),
        (8.15, 0.6, "in red: the sum of\nimage 1, neuron 1"),
    ):
        write(page, x, y, text, fontsize=8.5, color=GREY, linespacing=1.3)
    return figure


def correction(runs, digits):
    """One digit that stage 1.0 is unsure of, and the slope of each of its weights: pixel x (probability - label)."""
    weights, biases = runs["mnist_1.0_softmax.py"]["W"], runs["mnist_1.0_softmax.py"]["b"]
    images, label = digits.test.images.reshape(-1, 784), digits.test.labels
    probabilities = softmax(images @ weights + biases)
    second_best = np.sort(probabilities, axis=1)[:, -2]
    hard = np.argmax((second_best > 0.3) & (probabilities.argmax(axis=1) != label))
    figure = card(9, 3.9)
    page = canvas(figure)
    show_image(place(figure, 0.3, 1.15, 1.5, 1.5), images[hard].reshape(28, 28))
    write(page, 1.05, 2.85, f"the image: a {label[hard]}", fontsize=10.5)
    write(page, 1.05, 0.75, "slope =\npixel x (probability - label)", fontsize=8.5, color=GREY, linespacing=1.4)
    for k in range(10):
        left, bottom = 2.25 + k % 5 * 1.33, 2.1 - k // 5 * 1.8
        difference = probabilities[hard, k] - (k == label[hard])
        show_signed(place(figure, left, bottom, 1.1, 1.1), difference * images[hard].reshape(28, 28), 1)
        title = f"{probabilities[hard, k]:.2f} - {int(k == label[hard])} = {difference:+.2f}"
        write(page, left + 0.55, bottom + 1.4, f"neuron {k}", fontsize=10.5, fontweight="bold")
        write(page, left + 0.55, bottom + 1.2, title, fontsize=9)
    write(page, 1.05, 3.45, "blue: the weight falls\nred: it rises", fontsize=9, color=GREY, linespacing=1.4)
    return figure


def softmax_bars(runs, digits):
    """The ten sums of stage 1.0 for a digit that is hard to read, and the ten probabilities."""
    weights, biases = runs["mnist_1.0_softmax.py"]["W"], runs["mnist_1.0_softmax.py"]["b"]
    sums = digits.test.images.reshape(-1, 784) @ weights + biases
    second_best = np.sort(softmax(sums), axis=1)[:, -2]
    hard = np.argmax(second_best > 0.3)
    figure = card(9, 3.0)
    show_image(place(figure, 0.4, 0.75, 1.6, 1.6), digits.test.images[hard, :, :, 0])
    for left, values, title in ((2.6, sums[hard], "ten sums"), (6.05, softmax(sums[hard]), "ten probabilities")):
        axes = place(figure, left, 0.55, 2.6, 1.9, title=title)
        axes.bar(range(10), values, color=[BLUE if value < values.max() else DARK_BLUE for value in values], width=0.72)
        axes.axhline(0, color=GREY, linewidth=0.8)
        axes.set_xticks(range(10))
        axes.grid(axis="x", visible=False)
        axes.margins(y=0.14)
    for digit in np.argsort(softmax(sums[hard]))[-2:]:
        probability = softmax(sums[hard])[digit]
        write(axes, digit, probability + 0.02, f"{probability:.2f}", va="bottom", fontsize=9)
    axes.set_ylim(0, 1)
    page = canvas(figure)
    write(page, 5.45, 1.5, "→", fontsize=18, color=GREY)
    return figure


def activations(runs, digits):
    """Sigmoid and relu with their slopes, on the same scales."""
    x = np.linspace(-4, 4, 801)
    sigmoid = 1 / (1 + np.exp(-x))
    figure = card(9, 3.6)
    for left, name, values, slope in (
        (0.6, "sigmoid", sigmoid, sigmoid * (1 - sigmoid)),
        (5.0, "relu", np.maximum(x, 0), np.where(x > 0, 1.0, 0.0)),
    ):
        axes = place(figure, left, 0.6, 3.6, 2.5, title=name)
        axes.plot(x, values, color=BLUE, linewidth=2.4, label="output")
        axes.plot(x, np.where(np.abs(x) < 1e-9, np.nan, slope), color=RED, linewidth=1.8, label="its slope")
        axes.set(xlim=(-4, 4), ylim=(-0.08, 2.1), xlabel="weighted sum", yticks=[0, 0.25, 0.5, 1, 1.5, 2])
        axes.legend(loc="upper left")
    write(figure.axes[0], 2.6, 0.32, "never above 0.25", fontsize=9.5, color=RED)
    write(figure.axes[1], 3.0, 0.86, "1, or 0", fontsize=9.5, color=RED)
    return figure


OUTPUTS = np.array([0.3, 0.6, 0.9, 0.6, 1.2, 0.3, 0.9, 0.6])  # of a layer of 8 neurons, as an example


def dropout(runs, digits):
    """Eight outputs of a layer: a quarter of them is dropped, the others are divided by 0.75; measuring takes all."""
    figure = card(9, 4.3)
    page = canvas(figure)
    for left, title, dropped, divisor in (
        (0.4, "training, one image", (0, 6), 0.75),
        (3.35, "training, another image", (3, 2), 0.75),
        (6.3, "measuring", (), 1.0),
    ):
        outputs = [0 if i in dropped else output / divisor for i, output in enumerate(OUTPUTS)]
        write(page, left + 1.15, 4.0, title, fontsize=11.5, fontweight="bold")
        starts = [(left + 1.0, 3.45 - i * 0.36) for i in range(8)]
        ends = [(left + 2.1, 2.9 - i * 0.44) for i in range(4)]
        for i, start in enumerate(starts):
            on = i not in dropped
            for end in ends if on else ():
                page.plot(*zip(start, end), color=BLUE, linewidth=0.7, alpha=0.55, zorder=1)
            page.plot(*start, "o", markersize=15, color=BLUE if on else "white", markeredgecolor=BLUE if on else GREY)
            if not on:
                page.plot(*start, "x", markersize=9, markeredgecolor=RED, markeredgewidth=2, zorder=3)
            text = f"{OUTPUTS[i]:.1f} / 0.75 = {outputs[i]:.1f}" if on and divisor < 1 else f"{outputs[i]:.1f}"
            write(page, left + 0.84, start[1], text, ha="right", fontsize=8.5, color=None if on else RED)
        for end in ends:
            page.plot(*end, "o", markersize=15, color=DARK_BLUE)
        write(page, left + 0.84, 0.5, f"total {sum(outputs):.1f}", ha="right", fontsize=10.5, fontweight="bold")
        write(page, left + 2.1, 0.5, "next layer", fontsize=9, color=GREY)
    return figure


def convolved(image, weights, stride):
    """The weighted sums of a filter [h, w] on an image [28, 28], with zeros around it as of "SAME" padding."""
    size = -(-28 // stride)
    around = max((size - 1) * stride + len(weights) - 28, 0)
    padded = np.pad(image, (around // 2, around - around // 2), "constant")
    sums = np.empty([size, size])
    for row in range(size):
        for column in range(size):
            top, left = row * stride, column * stride
            sums[row, column] = (padded[top : top + len(weights), left : left + len(weights)] * weights).sum()
    return sums


def first_channels(stage, image):
    """The channels [28, 28] that the first layer of stage 3.1 makes of an image."""
    weights, biases = stage["W1"][:, :, 0, :], stage["B1"]
    return [np.maximum(convolved(image, weights[:, :, k], 1) + biases[k], 0) for k in range(len(biases))]


def strides(runs, digits):
    """One of the filters that stage 3.1 has learned, at two places of a digit: with a stride of 1, and of 2."""
    stage = runs["mnist_3.1_convolutional_bigger_dropout.py"]
    image = digits.test.images[4, :, :, 0]
    filters = stage["W1"][:, :, 0, :]  # [6, 6, 6]
    chosen = np.argmax([np.maximum(convolved(image, filters[:, :, k], 1), 0).std() for k in range(6)])
    weights = filters[:, :, chosen]
    figure = card(9, 5.2)
    for stride, bottom in ((1, 2.75), (2, 0.35)):
        before = place(figure, 0.4, bottom, 2.0, 2.0)
        show_image(before, image)
        found = np.maximum(convolved(image, weights, stride) + stage["B1"][chosen], 0)
        side = 2.0 / stride
        after = place(figure, 4.9, bottom + (2.0 - side) / 2, side, side)
        show_image(after, found, vmax=found.max(), cmap="Blues")
        row, column = 10 // stride, 6 // stride
        for step, colour in ((0, RED), (1, DARK_BLUE)):
            top, left = row * stride - 2, (column + step) * stride - 2  # "SAME" padding puts 2 of the zeros before
            outline(before, left, top, 6, 6, edgecolor=colour, linewidth=2.2 - 0.8 * step)
            outline(after, column + step, row, 1, 1, edgecolor=colour, linewidth=1.8)
            corner = (left + 5.5, top + (5.5 if step else -0.5))
            ends = {"xyA": corner, "coordsA": before.transData, "coordsB": after.transData}
            figure.add_artist(ConnectionPatch(xyB=(column + step, row), **ends, color=colour, linewidth=1.2))
        show_signed(place(figure, 3.05, bottom + 0.7, 0.85, 0.85, zorder=5), weights)
        page = canvas(figure)
        write(page, 7.15, bottom + 1.3, f"stride {stride}", ha="left", fontsize=13, fontweight="bold")
        moves = "1 pixel" if stride == 1 else f"{stride} pixels"
        write(page, 7.15, bottom + 0.98, f"each patch is {moves}", ha="left", fontsize=9.5)
        write(page, 7.15, bottom + 0.76, "from the one before:", ha="left", fontsize=9.5)
        write(page, 7.15, bottom + 0.5, f"{len(found)} x {len(found)} numbers", ha="left", fontsize=10.5)
    write(page, 1.4, 4.93, "28 x 28 pixels", fontsize=10.5)
    write(page, 3.47, 4.93, "times a filter, 6 x 6", fontsize=10.5)
    write(page, 5.9, 4.93, "a channel", fontsize=10.5)
    return figure


def filters(runs, digits):
    """The six filters of the first layer of stage 3.1, and the six channels that they make of a 4."""
    stage = runs["mnist_3.1_convolutional_bigger_dropout.py"]
    image = digits.test.images[4, :, :, 0]
    figure = card(9, 3.5)
    page = canvas(figure)
    show_image(place(figure, 0.3, 0.65, 1.12, 1.12), image)
    write(page, 0.86, 1.95, "the image", fontsize=10.5)
    write(page, 1.72, 1.21, "→", fontsize=18, color=GREY)
    weights, channels = stage["W1"][:, :, 0, :], first_channels(stage, image)
    for k in range(6):
        left = 2.05 + k * 1.14
        show_signed(place(figure, left + 0.16, 2.1, 0.8, 0.8), weights[:, :, k], np.abs(weights).max())
        show_image(place(figure, left, 0.65, 1.12, 1.12), channels[k], vmax=np.max(channels), cmap="Blues")
    write(page, 5.45, 3.18, "six filters of 6 x 6 weights: blue above 0, red below, white 0", fontsize=10.5)
    write(page, 5.45, 0.35, "the six channels, 28 x 28: white is 0, the darker the higher", fontsize=10.5)
    return figure


def bent(runs, digits):
    """Five training digits, and seven ways in which stage 4.1 bends each."""
    rows = runs["mnist_4.1_batchnorm_bent_digits.py"]["bent"]
    figure = card(9, 5.9)
    page = canvas(figure)
    write(page, 0.85, 5.6, "as it is", fontsize=10.5, fontweight="bold", color=DARK_BLUE)
    write(page, 5.15, 5.6, "bent by stage 4.1, differently each time", fontsize=10.5)
    for row, (number, images) in enumerate(zip(BENT, rows)):
        bottom = 4.35 - row * 1.04
        axes = place(figure, 0.35, bottom, 1.0, 1.0)
        show_image(axes, digits.train.images[number, :, :, 0])
        outline(axes, 0, 0, 28, 28, edgecolor=DARK_BLUE, linewidth=2.5)
        for i, image in enumerate(images):
            show_image(place(figure, 1.6 + i * 1.02, bottom, 0.98, 0.98), image)
    return figure
