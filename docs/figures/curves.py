# SPDX-License-Identifier: Apache-2.0
"""Pictures of what runs of the scripts reach: their curves, and the digits that they misread."""

import numpy as np
from matplotlib.colors import to_rgb

from figures.looks import (
    BAND_COLOURS,
    BLUE,
    BROWN,
    DARK_BLUE,
    GREY,
    MISREAD,
    PALE_BLUE,
    RED,
    canvas,
    card,
    place,
    show_image,
    thousands,
    write,
)

STAGES = {
    "1.0": "mnist_1.0_softmax.py",
    "2.0": "mnist_2.0_five_layers_sigmoid.py",
    "2.1": "mnist_2.1_five_layers_relu_lrdecay.py",
    "2.2": "mnist_2.2_five_layers_relu_lrdecay_dropout.py",
    "3.0": "mnist_3.0_convolutional.py",
    "3.1": "mnist_3.1_convolutional_bigger_dropout.py",
    "4.0": "mnist_4.0_batchnorm_convolutional.py",
    "4.1": "mnist_4.1_batchnorm_bent_digits.py",
}


def running_mean(values, count):
    """The mean of each value and its neighbours, some count of them; fewer at both ends."""
    window = np.ones(min(count, len(values)))
    return np.convolve(values, window, "same") / np.convolve(np.ones(len(values)), window, "same")


def plot_training_and_test(axes, run, quantity, width=2.0, pale="training, each batch"):
    """The two curves of a run: training pale, with its running mean over it in blue, test in red.

    pale: how a legend calls the pale curve; None leaves it out.
    """
    iterations, values = run["training_iteration"], run[f"training_{quantity}"]
    axes.plot(iterations, values, color=PALE_BLUE, linewidth=0.5, label=pale)
    axes.plot(iterations, running_mean(values, 25), color=BLUE, linewidth=width, label="training, mean of 25")
    axes.plot(run["test_iteration"], run[f"test_{quantity}"], color=RED, linewidth=width, label="test")
    thousands(axes, run["test_iteration"][-1])


def rates(runs, digits):
    """Stage 1.0 with three learning rates, and with two sizes of the batch, as many digits seen by each."""
    figure = card(9, 3.5)
    usual = runs[STAGES["1.0"]]
    axes = place(figure, 0.75, 0.65, 3.6, 2.4, title="three learning rates", ylim=(20, 100), ylabel="test loss")
    for label, name, colour in (("0.0003", "rate_low.py", GREY), ("0.003", STAGES["1.0"], RED)):
        axes.plot(runs[name]["test_iteration"], runs[name]["test_loss"], color=colour, linewidth=2, label=label)
    axes.plot([], [], color=BROWN, linewidth=2, label="0.03: NaN, nothing to draw")
    thousands(axes, usual["test_iteration"][-1])
    axes.legend(title="learning rate", title_fontsize=9.5)
    axes = place(figure, 5.1, 0.65, 3.6, 2.4, title="two sizes of the batch", ylim=(20, 100), ylabel="test loss")
    for label, name, size, colour, width in (
        ("100 digits, rate 0.003", STAGES["1.0"], 100, RED, 4),
        ("10 digits, rate 0.003", "batch_of_10_long.py", 10, BROWN, 2),
        ("10 digits, rate 0.0003", "batch_of_10_long_low.py", 10, DARK_BLUE, 1.2),
    ):
        run = runs[name]
        axes.plot(run["test_iteration"] * size, run["test_loss"], color=colour, linewidth=width, label=label)
    thousands(axes, usual["test_iteration"][-1] * 100, "training digits seen")
    axes.set_xticks(axes.get_xticks()[:-1:2])
    axes.legend()
    return figure


def noise(runs, digits):
    """A fixed learning rate beside one that decays: the last percents of the accuracy, and the rates."""
    fixed, decaying = runs["fixed_rate.py"], runs[STAGES["2.1"]]
    figure = card(9, 3.5)
    for left, run, title in ((0.85, fixed, "fixed learning rate"), (3.85, decaying, "learning rate that decays")):
        axes = place(figure, left, 0.65, 2.35, 2.4, title=title, ylim=(0.96, 1.002))
        plot_training_and_test(axes, run, "accuracy", 1.6, pale=None)  # a longer legend would hide curves
        axes.set_xticks([0, 5000, 10000][: 1 + int(run["test_iteration"][-1] > 5000) * 2])
        axes.legend(loc="lower right")
    figure.axes[0].set_ylabel("accuracy")
    axes = place(figure, 7.05, 0.65, 1.55, 2.4, title="the two rates", ylim=(0, 0.0034))
    axes.plot(fixed["training_iteration"], fixed["training_learning_rate"], color=GREY, linewidth=2, label="fixed")
    axes.plot(
        decaying["training_iteration"], decaying["training_learning_rate"], color=DARK_BLUE, linewidth=2, label="decays"
    )
    thousands(axes, decaying["test_iteration"][-1])
    axes.set_xticks([0, 5000])
    axes.legend(loc="upper right", bbox_to_anchor=(1.0, 0.86))
    return figure


def overfitting(runs, digits):
    """The loss of stage 2.1 and, with dropout, of stage 2.2."""
    figure = card(9, 3.5)
    for left, stage, title in ((0.7, "2.1", "stage 2.1"), (5.1, "2.2", "stage 2.2, with dropout")):
        axes = place(figure, left, 0.65, 3.5, 2.4, title=title, ylim=(0, 20), ylabel="loss")
        plot_training_and_test(axes, runs[STAGES[stage]], "loss")
        axes.set_yticks(range(0, 21, 5))
        axes.legend(loc="upper right")
    return figure


DROPOUT_SEEDS = range(10)


def last_dropout(runs, digits):
    """Stage 3.1 with and without dropout, several seeds each."""
    figure = card(9, 3.5)
    both = (("with dropout", STAGES["3.1"], RED), ("without", "no_dropout.py", DARK_BLUE))
    for left, quantity, limits in ((0.8, "accuracy", (0.984, 0.994)), (5.1, "loss", (1.5, 7.5))):
        title = f"test {quantity}, {len(DROPOUT_SEEDS)} seeds each"
        axes = place(figure, left, 0.65, 3.6, 2.4, title=title, ylim=limits)
        for label, name, colour in both:
            seeds = [runs.with_seed(name, seed) for seed in DROPOUT_SEEDS]
            iterations, values = seeds[0]["test_iteration"], np.array([run[f"test_{quantity}"] for run in seeds])
            axes.fill_between(iterations, values.min(axis=0), values.max(axis=0), color=colour, alpha=0.2, linewidth=0)
            axes.plot(iterations, np.median(values, axis=0), color=colour, linewidth=2, label=f"{label}, median")
        axes.fill_between([], [], color=GREY, alpha=0.3, label="lowest to highest")
        thousands(axes, iterations[-1])
        axes.legend(loc="lower right" if quantity == "accuracy" else "upper right")
    return figure


def normalised(runs, digits):
    """Stage 4.0 with ten times its learning rate, and the same without batch normalisation."""
    figure = card(9, 3.0)
    axes = place(figure, 0.8, 0.65, 7.85, 1.9, title="training loss, learning rate 0.03", ylim=(0, 260), ylabel="loss")
    plot_long_steps(axes, runs)
    thousands(axes, runs["long_steps.py"]["test_iteration"][-1])
    axes.legend(loc="center right")
    return figure


def plot_long_steps(axes, runs, width=2.0):
    for name, label, colour in (
        ("long_steps_not_normalised.py", "without batch normalisation", GREY),
        ("long_steps.py", "with batch normalisation", BLUE),
    ):
        run = runs[name]
        axes.plot(run["training_iteration"], run["training_loss"], color=colour, linewidth=width, label=label)


def record(runs, digits):
    """The last percents of the test accuracy of stages 3.1 to 4.1, and the two losses of 4.1."""
    figure = card(9, 3.5)
    axes = place(figure, 0.8, 0.65, 3.6, 2.4, title="test accuracy", ylim=(0.988, 0.9985))
    for stage, colour in (("3.1", GREY), ("4.0", DARK_BLUE), ("4.1", RED)):
        run = runs[STAGES[stage]]
        axes.plot(run["test_iteration"], run["test_accuracy"], color=colour, linewidth=1.8, label=f"stage {stage}")
    thousands(axes, run["test_iteration"][-1])
    axes.legend(loc="upper left", ncol=3, fontsize=8.5, columnspacing=1.0, handlelength=1.4)
    axes = place(figure, 5.1, 0.65, 3.6, 2.4, title="loss of stage 4.1", ylim=(0, 10))
    plot_training_and_test(axes, runs[STAGES["4.1"]], "loss")
    axes.legend(loc="upper right")
    return figure


def comparison(runs, digits):
    """All stages: how many test digits each misreads, and its test loss, on scales where each halving is as high."""
    figure = card(9, 5.6)
    for left, title, values_of, limits, ticks in (
        (
            0.75,
            "misread test digits, of 10,000",
            lambda run: 10000 * (1 - run["test_accuracy"]),
            (20, 2000),
            (20, 50, 100, 200, 500, 1000, 2000),
        ),
        (5.05, "test loss", lambda run: run["test_loss"], (0.7, 100), (1, 2, 5, 10, 20, 50, 100)),
    ):
        axes = place(figure, left, 0.65, 3.2, 4.5, title=title, yscale="log")
        ends = []
        for (stage, name), colour in zip(STAGES.items(), (*BAND_COLOURS[:7], RED)):
            iterations, values = runs[name]["test_iteration"], np.maximum(values_of(runs[name]), 1e-3)
            axes.plot(iterations, values, color=colour, linewidth=1.6)
            ends.append((values[-1], iterations[-1], stage, colour))
        thousands(axes, iterations[-1])
        axes.set(ylim=limits, xticks=[0, 5000, 10000])
        axes.set_yticks(ticks)
        axes.set_yticklabels([f"{tick:,}" for tick in ticks])
        axes.minorticks_off()
        label_ends(axes, ends, limits)
    return figure


def label_ends(axes, ends, limits):
    """Writes the name of each curve on the right of the axes, at the height of its end or as near as there is room."""
    low, high = np.log(limits)
    ends = sorted(ends)
    heights = spread_out([(np.log(min(max(y, limits[0]), limits[1])) - low) / (high - low) for y, *_ in ends], 0.045)
    right = axes.get_xlim()[1]
    for height, (y, x, stage, colour) in zip(heights, ends):
        axes.annotate(
            stage,
            (x, y),
            (1.05, height),
            xycoords="data",
            textcoords="axes fraction",
            color=colour,
            va="center",
            fontweight="bold",
            arrowprops={"arrowstyle": "-", "color": colour, "linewidth": 0.6, "shrinkA": 1, "shrinkB": 0},
            annotation_clip=False,
        )
        axes.plot(x, y, "o", color=colour, markersize=4 if x < 0.95 * right else 0)


def spread_out(heights, gap):
    """Heights that ascend, moved apart as far as they are closer than the gap."""
    heights = list(heights)
    for i in range(1, len(heights)):
        heights[i] = max(heights[i], heights[i - 1] + gap)
    ceiling = 1.0
    for i in reversed(range(len(heights))):
        heights[i] = min(heights[i], ceiling)
        ceiling = heights[i] - gap
    return heights


def misread_digits(runs, stage, digits):
    """Which of the test digits a stage misreads at its last test: their numbers."""
    return np.flatnonzero(runs[STAGES[stage]]["answers"].argmax(axis=1) != digits.test.labels)


def misread(runs, digits):
    """How many test digits each stage misreads at its last test, and the first 60 of them, large enough to read."""
    a_line, lines, side, gap = 30, 2, 0.25, 0.2
    height = lines * side
    figure = card(9, len(STAGES) * (height + gap) + 0.5)
    top = figure.get_size_inches()[1] - 0.42
    page = canvas(figure)
    write(page, 5.05, top + 0.2, "the first 60 of these, or all", fontsize=8.5, color=GREY)
    write(page, 0.2, top + 0.2, "stage", ha="left", fontsize=8.5, color=GREY)
    write(page, 1.18, top + 0.2, "misread", ha="right", fontsize=8.5, color=GREY)
    for stage in STAGES:
        numbers = misread_digits(runs, stage, digits)
        show_misread(place(figure, 1.3, top - height, a_line * side, height), digits, numbers, a_line, lines)
        write(page, 0.2, top - height / 2, stage, ha="left", fontweight="bold", fontsize=13)
        write(page, 1.15, top - height / 2, f"{len(numbers)}", ha="right", fontsize=13, color=RED)
        top -= height + gap
    return figure


def last_misread(runs, digits):
    """The test digits that stage 3.1 misreads at its last test, each over its label and what it was taken for."""
    a_line, lines, side, high = 14, 7, 0.61, 0.8
    wrong = misread_digits(runs, "3.1", digits)[: lines * a_line]
    answers = runs[STAGES["3.1"]]["answers"].argmax(axis=1)
    figure = card(9, lines * high + 0.65)
    page = canvas(figure)
    top = figure.get_size_inches()[1] - 0.3
    write(page, 4.45, top, "label", ha="right", fontsize=10.5, color=DARK_BLUE, fontweight="bold")
    write(page, 4.5, top, "→", fontsize=10.5, color=GREY, ha="left")
    write(page, 4.75, top, "what it was taken for", ha="left", fontsize=10.5, color=RED, fontweight="bold")
    for i, number in enumerate(wrong):
        left, bottom = 0.25 + i % a_line * side, top - 0.15 - (i // a_line + 1) * high
        show_image(place(figure, left + 0.03, bottom + 0.22, 0.55, 0.55), digits.test.images[number, :, :, 0])
        middle = left + side / 2
        write(page, middle - 0.17, bottom + 0.11, str(digits.test.labels[number]), color=DARK_BLUE, fontweight="bold")
        write(page, middle, bottom + 0.11, "→", color=GREY, fontsize=9)
        write(page, middle + 0.17, bottom + 0.11, str(answers[number]), color=RED, fontweight="bold")
    return figure


def show_misread(axes, digits, numbers, a_line, lines):
    """Test digits on the red ground that misrecognised ones have in the window, so many on a line, as many as fit."""
    mosaic = np.zeros([lines * 28, a_line * 28])
    covered = np.zeros_like(mosaic)
    for i, number in enumerate(numbers[: lines * a_line]):
        row, column = i // a_line * 28, i % a_line * 28
        mosaic[row : row + 28, column : column + 28] = digits.test.images[number, :, :, 0]
        covered[row : row + 28, column : column + 28] = 1
    ground = np.where(covered[:, :, None], np.array(to_rgb(MISREAD)), 1.0)
    show_image(axes, ground * (1 - mosaic[:, :, None]))
    axes.axis("off")
