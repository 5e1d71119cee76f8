# SPDX-License-Identifier: Apache-2.0
"""Pictures of the parts of a network, with numbers of trained ones: a neuron, a layer, softmax, dropout, filters."""

import numpy as np

from figures.looks import (
    BLUE,
    BROWN,
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


def softmax(sums):
    powers = np.exp(sums - sums.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


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
    figure = card(9, 4.0)
    page = canvas(figure)
    images = place(figure, 0.45, 0.75, 3.4, 2.3)
    show_image(images, rows, aspect="auto")
    outline(images, 0, 0, 784, 3, clip_on=False)
    columns = place(figure, 4.55, 0.35, 0.75, 3.0)
    show_signed(columns, weights, 0.5, aspect="auto")
    outline(columns, 4, 0, 1, 784)
    added = place(figure, 6.0, 0.75, 0.75, 2.3)
    show_signed(added, np.repeat(biases[None, :], 100, axis=0), aspect="auto", alpha=0.35)
    show_signed(place(figure, 6.0, 2.97, 0.75, 0.08), biases[None, :], aspect="auto")
    sums = place(figure, 7.5, 0.75, 0.75, 2.3)
    show_signed(sums, rows @ weights + biases, 12, aspect="auto")
    outline(sums, 4, 0, 1, 3)
    for x, sign, size in ((4.2, "·", 40), (5.65, "+", 20), (7.12, "=", 20)):
        write(page, x, 1.9, sign, fontsize=size, color=GREY)
    for x, y, text in (
        (2.15, 3.3, "XX  [100, 784]"),
        (4.92, 3.6, "W  [784, 10]"),
        (6.37, 3.3, "b  [10]"),
        (7.87, 3.3, "sums  [100, 10]"),
    ):
        write(page, x, y, text, fontsize=11)
    write(page, 2.15, 0.5, "a row is an image: all its pixels, line after line", fontsize=9, color=GREY)
    write(page, 6.37, 0.5, "added to every row", fontsize=9, color=GREY)
    write(page, 7.87, 0.5, "a row for each image", fontsize=9, color=GREY)
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
    """Sigmoid and relu with their slopes."""
    x = np.linspace(-6, 6, 241)
    sigmoid = 1 / (1 + np.exp(-x))
    figure = card(9, 3.1)
    for left, name, values, slope in (
        (0.6, "sigmoid", sigmoid, sigmoid * (1 - sigmoid)),
        (5.0, "relu", np.maximum(x, 0), np.where(x > 0, 1.0, 0.0)),
    ):
        axes = place(figure, left, 0.6, 3.6, 2.05, title=name)
        axes.plot(x, values, color=BLUE, linewidth=2.2, label="output")
        slope[np.abs(x) < 1e-9] = np.nan if name == "relu" else 0.25
        axes.plot(x, slope, color=RED, linewidth=1.6, label="slope")
        axes.set(xlim=(-6, 6), ylim=(-0.08, 1.15 if name == "sigmoid" else 4), xlabel="weighted sum")
        axes.legend(loc="upper left")
    write(figure.axes[0], 3.4, 0.30, "never above 0.25", fontsize=9, color=RED)
    write(figure.axes[1], 3.6, 1.28, "1, or 0", fontsize=9, color=RED)
    return figure


def dropout(runs, digits):
    """Two layers of neurons: other ones are dropped for each image; when measuring, none."""
    figure = card(9, 3.2)
    page = canvas(figure)
    random = np.random.RandomState(7)
    for left, title, keep in (
        (0.5, "training, one image", 0.6),
        (3.4, "training, the next image", 0.6),
        (6.3, "measuring", 1.0),
    ):
        write(page, left + 1.1, 2.85, title, fontsize=11)
        layers = [(left + 0.2, 6), (left + 1.1, 5), (left + 2.0, 3)]
        kept = [random.uniform(size=count) < (1 if i == 2 else keep) for i, (_, count) in enumerate(layers)]
        places = [[(x, 1.4 + (i - (count - 1) / 2) * 0.4) for i in range(count)] for x, count in layers]
        for before, after in ((0, 1), (1, 2)):
            for i, start in enumerate(places[before]):
                for j, end in enumerate(places[after]):
                    if kept[before][i] and kept[after][j]:
                        page.plot(*zip(start, end), color=BLUE, linewidth=0.7, alpha=0.6, zorder=1)
        for layer, there in zip(places, kept):
            for (x, y), on in zip(layer, there):
                face, edge = (BLUE, BLUE) if on else ("white", "#cccccc")
                page.plot(x, y, "o", markersize=13, markerfacecolor=face, markeredgecolor=edge, zorder=2)
                if not on:
                    page.plot(x, y, "x", markersize=7, markeredgecolor=RED, markeredgewidth=1.6, zorder=3)
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
    """One of the filters that stage 3.1 has learned, on a digit with a stride of 1, and with a stride of 2."""
    stage = runs["mnist_3.1_convolutional_bigger_dropout.py"]
    image = digits.test.images[4, :, :, 0]
    filters = stage["W1"][:, :, 0, :]  # [6, 6, 6]
    chosen = np.argmax([np.maximum(convolved(image, filters[:, :, k], 1), 0).std() for k in range(6)])
    weights = filters[:, :, chosen]
    figure = card(9, 4.9)
    page = canvas(figure)
    for stride, bottom in ((1, 2.65), (2, 0.3)):
        axes = place(figure, 0.5, bottom, 1.9, 1.9)
        show_image(axes, image)
        for step in range(4):
            colour = (RED, BROWN, BLUE, GREY)[step]
            outline(axes, 7 + step * stride, 9, 6, 6, edgecolor=colour, linewidth=1.8 - 0.3 * step)
        show_signed(place(figure, 3.25, bottom + 0.5, 0.9, 0.9), weights)
        found = np.maximum(convolved(image, weights, stride) + stage["B1"][chosen], 0)
        side = 1.9 / stride
        show_image(place(figure, 5.1, bottom + (1.9 - side) / 2, side, side), found, vmax=found.max(), cmap="Blues")
        write(page, 2.82, bottom + 0.95, "x", fontsize=18, color=GREY)
        write(page, 4.62, bottom + 0.95, "→", fontsize=18, color=GREY)
        write(page, 7.15, bottom + 1.2, f"stride {stride}", ha="left", fontsize=12, fontweight="bold")
        write(page, 7.15, bottom + 0.85, f"{len(found)} x {len(found)} values", ha="left")
    write(page, 1.45, 4.7, "28 x 28 pixels", fontsize=10.5)
    write(page, 3.7, 4.7, "a filter, 6 x 6", fontsize=10.5)
    write(page, 6.05, 4.7, "a channel", fontsize=10.5)
    return figure


def filters(runs, digits):
    """The six filters of the first layer of stage 3.1, and the six channels that they make of a 4."""
    stage = runs["mnist_3.1_convolutional_bigger_dropout.py"]
    image = digits.test.images[4, :, :, 0]
    figure = card(9, 3.25)
    page = canvas(figure)
    show_image(place(figure, 0.3, 1.0, 1.2, 1.2), image)
    write(page, 0.9, 2.45, "the image", fontsize=10.5)
    write(page, 1.75, 1.6, "→", fontsize=18, color=GREY)
    weights, channels = stage["W1"][:, :, 0, :], first_channels(stage, image)
    for k in range(6):
        left = 2.05 + k * 1.14
        show_signed(place(figure, left + 0.22, 2.0, 0.64, 0.64), weights[:, :, k], np.abs(weights).max())
        show_image(place(figure, left, 0.55, 1.08, 1.08), channels[k], vmax=np.max(channels), cmap="Blues")
    write(page, 5.45, 2.9, "six filters of 6 x 6 weights: blue above 0, red below", fontsize=10.5)
    write(page, 5.45, 0.3, "what each of them finds in the image: six channels of 28 x 28", fontsize=10.5)
    return figure


def bent(runs, digits):
    """A training digit, and eleven ways in which stage 4.1 bends it."""
    figure = card(9, 3.15)
    images = [digits.train.images[2], *runs["mnist_4.1_batchnorm_bent_digits.py"]["bent"]]
    for i, image in enumerate(images):
        axes = place(figure, 0.3 + i % 6 * 1.42, 1.6 - i // 6 * 1.42, 1.3, 1.3)
        show_image(axes, image[:, :, 0])
        if i == 0:
            outline(axes, 0, 0, 28, 28, edgecolor=BLUE, linewidth=2.5)
    return figure
