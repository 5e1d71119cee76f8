# SPDX-License-Identifier: Apache-2.0
"""Pictures of what runs of the scripts reach: their curves, and the digits that they misread."""

import numpy as np
from matplotlib.colors import to_rgb

from figures.looks import BLUE, BROWN, DARK_BLUE, GREY, MISREAD, RED, canvas, card, place, show_image, thousands, write

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


def plot_training_and_test(axes, run, quantity):
    """The two curves of a run as the window shows them: training thin and blue, test thick and red."""
    axes.plot(run["training_iteration"], run[f"training_{quantity}"], color=BLUE, linewidth=0.6, label="training")
    axes.plot(run["test_iteration"], run[f"test_{quantity}"], color=RED, linewidth=2, label="test")
    thousands(axes, run["test_iteration"][-1])


def rates(runs, digits):
    """Stage 1.0 with a tenth of its learning rate, and with batches of 10 digits."""
    figure = card(9, 3.3)
    usual = runs[STAGES["1.0"]]
    for left, title, others in (
        (0.75, "two learning rates", (("0.003", usual), ("0.0003", runs["rate_low.py"]))),
        (5.1, "two sizes of the batch", (("100 digits", usual), ("10 digits", runs["batch_of_10.py"]))),
    ):
        axes = place(figure, left, 0.65, 3.6, 2.2, title=title, ylim=(20, 100), ylabel="test loss")
        for (label, run), colour, width in zip(others, (RED, GREY), (2, 1.6)):
            axes.plot(run["test_iteration"], run["test_loss"], color=colour, linewidth=width, label=label)
        thousands(axes, usual["test_iteration"][-1])
        axes.legend()
    return figure


def noise(runs, digits):
    """A fixed learning rate beside one that decays: the last percents of the accuracy, and the rates."""
    fixed, decaying = runs["fixed_rate.py"], runs[STAGES["2.1"]]
    figure = card(9, 3.3)
    for left, run, title in ((0.7, fixed, "fixed learning rate"), (3.75, decaying, "learning rate that decays")):
        axes = place(figure, left, 0.65, 2.45, 2.2, title=title, ylim=(0.94, 1.002))
        plot_training_and_test(axes, run, "accuracy")
        axes.legend(loc="lower right")
    figure.axes[0].set_ylabel("accuracy")
    axes = place(figure, 7.05, 0.65, 1.6, 2.2, title="learning rate", ylim=(0, 0.0034))
    axes.plot(fixed["training_iteration"], fixed["training_learning_rate"], color=GREY, linewidth=1.6, label="fixed")
    axes.plot(
        decaying["training_iteration"], decaying["training_learning_rate"], color=DARK_BLUE, linewidth=2, label="decays"
    )
    thousands(axes, decaying["test_iteration"][-1])
    axes.set_xticks(axes.get_xticks()[::2])
    axes.legend(loc="upper right", bbox_to_anchor=(1.0, 0.88))
    return figure


def overfitting(runs, digits):
    """The loss of stage 2.1 and, with dropout, of stage 2.2."""
    figure = card(9, 3.3)
    for left, stage, title in ((0.7, "2.1", "stage 2.1"), (5.1, "2.2", "stage 2.2, with dropout")):
        axes = place(figure, left, 0.65, 3.5, 2.2, title=title, ylim=(0, 20), ylabel="loss")
        plot_training_and_test(axes, runs[STAGES[stage]], "loss")
        axes.set_yticks(range(0, 21, 5))
        axes.legend(loc="upper right")
    return figure


def last_dropout(runs, digits):
    """Stage 3.1 with and without dropout."""
    figure = card(9, 3.3)
    both = (("with dropout", runs[STAGES["3.1"]], RED, 2), ("without", runs["no_dropout.py"], GREY, 1.6))
    for left, quantity, limits in ((0.8, "accuracy", (0.980, 0.995)), (5.1, "loss", (0, 8))):
        axes = place(figure, left, 0.65, 3.6, 2.2, title=f"test {quantity}", ylim=limits)
        for label, run, colour, width in both:
            axes.plot(run["test_iteration"], run[f"test_{quantity}"], color=colour, linewidth=width, label=label)
        thousands(axes, both[0][1]["test_iteration"][-1])
        axes.legend(loc="lower right")
    return figure


def normalised(runs, digits):
    """Stage 4.0 with ten times its learning rate, and the same without batch normalisation."""
    figure = card(9, 3.0)
    axes = place(figure, 0.8, 0.65, 7.85, 1.9, title="training loss, learning rate 0.03", ylim=(0, 260), ylabel="loss")
    plot_long_steps(axes, runs)
    thousands(axes, runs["long_steps.py"]["test_iteration"][-1])
    axes.legend(loc="center right")
    return figure


def plot_long_steps(axes, runs, width=1.6):
    for name, label, colour in (
        ("long_steps_not_normalised.py", "without batch normalisation", GREY),
        ("long_steps.py", "with batch normalisation", BLUE),
    ):
        run = runs[name]
        axes.plot(run["training_iteration"], run["training_loss"], color=colour, linewidth=width, label=label)


def record(runs, digits):
    """The last percents of the test accuracy of stages 3.1 to 4.1, and the two losses of 4.1."""
    figure = card(9, 3.3)
    axes = place(figure, 0.8, 0.65, 3.6, 2.2, title="test accuracy", ylim=(0.988, 0.9985))
    for (stage, colour), width in zip((("3.1", GREY), ("4.0", BROWN), ("4.1", RED)), (1.4, 1.6, 2)):
        run = runs[STAGES[stage]]
        axes.plot(run["test_iteration"], run["test_accuracy"], color=colour, linewidth=width, label=stage)
    thousands(axes, run["test_iteration"][-1])
    axes.legend(loc="upper left")
    axes = place(figure, 5.1, 0.65, 3.6, 2.2, title="loss of stage 4.1", ylim=(0, 20))
    plot_training_and_test(axes, runs[STAGES["4.1"]], "loss")
    axes.set_yticks(range(0, 21, 5))
    axes.legend(loc="upper right")
    return figure


def misread_digits(runs, stage, digits):
    """Which of the test digits a stage misreads at its end: their numbers."""
    return np.flatnonzero(runs[STAGES[stage]]["answers"].argmax(axis=1) != digits.test.labels)


LINES = {"1.0": 3, "2.0": 3, "2.1": 3, "2.2": 3, "3.0": 2, "3.1": 2, "4.0": 1, "4.1": 1}  # for as many digits as fit


def misread(runs, digits):
    """The test digits that each stage misreads at its end, all or as many as fit on some lines, and their number."""
    a_line, width, gap = 75, 7.6, 0.2
    top = sum(LINES.values()) * width / a_line + len(LINES) * gap
    figure = card(9, top + 0.2)
    page = canvas(figure)
    for stage, lines in LINES.items():
        numbers, height = misread_digits(runs, stage, digits), lines * width / a_line
        show_misread(place(figure, 1.2, top - height, width, height), digits, numbers, a_line, lines)
        write(page, 0.25, top, stage, ha="left", va="top", fontweight="bold", fontsize=11)
        write(page, 1.08, top, f"{len(numbers)}", ha="right", va="top", fontsize=11, color=RED)
        top -= height + gap
    return figure


def last_misread(runs, digits):
    """The test digits that stage 3.1 misreads at its end, large, with the correct label and the one that was read."""
    a_line, lines, side = 17, 6, 0.5
    wrong = misread_digits(runs, "3.1", digits)[: lines * a_line]
    answers = runs[STAGES["3.1"]]["answers"].argmax(axis=1)
    figure = card(9, lines * side + 0.4)
    axes = place(figure, 0.25, 0.2, a_line * side, lines * side)
    show_misread(axes, digits, wrong, a_line, lines)
    for i, number in enumerate(wrong):
        x, y = i % a_line * 28, i // a_line * 28 + 23
        write(axes, x + 3, y, str(digits.test.labels[number]), fontsize=7, color=DARK_BLUE, fontweight="bold")
        write(axes, x + 23, y, str(answers[number]), fontsize=7, color="#a00000", fontweight="bold")
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
