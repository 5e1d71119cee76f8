# SPDX-License-Identifier: Apache-2.0
"""The networks of the stages, told without a library: sizes, initial weights, learning rates, bending; for peers.py."""

import math
from typing import NamedTuple

import numpy as np


class Stage(NamedTuple):
    """What there is to build. A convolution is (size, channels, stride, padding), keep what dropout keeps, 1 for none.

    Convolutions that are normalised have no biases, but batch normalisation has, and no scale. Bent stages get images
    that are bent a little, in another way each time. A linear decay ends after decay_iterations.
    """

    script: str
    convolutions: tuple = ()
    hidden: tuple = ()
    activation: str = "relu"
    keep: float = 1.0
    decay: str = "exponential"
    normalised: bool = False
    bent: bool = False
    decay_iterations: int = 10000

    @property
    def is_softmax(self):
        return not self.hidden

    @property
    def sizes(self):
        """Rows, and columns, of the image and of what comes out of each convolution."""
        sizes = [28]
        for kernel, _, stride, padding in self.convolutions:
            places = sizes[-1] - kernel + 1 if padding == "valid" else sizes[-1]
            sizes.append(math.ceil(places / stride))
        return sizes

    @property
    def operations(self):
        """Multiplications and additions in the matrix products and convolutions of an iteration of 100 images."""
        shapes = [array.shape for array in initial_weights(self)[::2]]
        per_layer = [size * size * math.prod(shape) for size, shape in zip(self.sizes[1:], shapes)]
        per_layer += [math.prod(shape) for shape in shapes[len(self.convolutions) :]]
        # forward, for the gradient of the weights and, but for the first layer, for that of its inputs
        return 2 * 100 * (3 * sum(per_layer) - per_layer[0])


FIVE_LAYERS = (200, 100, 60, 30)
SIX_CONVOLUTIONS = (
    (3, 16, 1, "valid"),
    (3, 16, 1, "valid"),
    (5, 32, 2, "same"),
    (3, 64, 1, "valid"),
    (3, 64, 1, "valid"),
    (5, 64, 2, "same"),
)
STAGES = {
    "1.0": Stage("mnist_1.0_softmax.py", decay="none"),
    "2.0": Stage("mnist_2.0_five_layers_sigmoid.py", hidden=FIVE_LAYERS, activation="sigmoid", decay="none"),
    "2.1": Stage("mnist_2.1_five_layers_relu_lrdecay.py", hidden=FIVE_LAYERS),
    "2.2": Stage("mnist_2.2_five_layers_relu_lrdecay_dropout.py", hidden=FIVE_LAYERS, keep=0.75),
    "3.0": Stage("mnist_3.0_convolutional.py", ((5, 4, 1, "same"), (5, 8, 2, "same"), (4, 12, 2, "same")), (200,)),
    "3.1": Stage(
        "mnist_3.1_convolutional_bigger_dropout.py",
        ((6, 6, 1, "same"), (5, 12, 2, "same"), (4, 24, 2, "same")),
        (200,),
        keep=0.75,
    ),
    "4.0": Stage("mnist_4.0_batchnorm_convolutional.py", SIX_CONVOLUTIONS, (128,), decay="linear", normalised=True),
    "4.1": Stage(
        "mnist_4.1_batchnorm_bent_digits.py",
        SIX_CONVOLUTIONS,
        (128,),
        decay="linear",
        normalised=True,
        bent=True,
        decay_iterations=13000,
    ),
}


def learning_rate(stage, step, exp=math.exp):
    """In iteration step, which may be a tensor of the library that exp comes from."""
    if stage.decay == "linear":
        return 0.003 * (1 - step / stage.decay_iterations)
    return 0.0001 + 0.003 * exp(-step / 2000) if stage.decay == "exponential" else 0.003


def initial_weights(stage):
    """Arrays [weights, biases, …], the shapes those of the scripts: [height, width, in, out] or [in, out]."""
    random = np.random.RandomState(0)
    shapes, channels = [], 1
    for kernel, filters, _, _ in stage.convolutions:
        shapes.append((kernel, kernel, channels, filters))
        channels = filters
    inputs = stage.sizes[-1] ** 2 * channels
    for outputs in stage.hidden + (10,):
        shapes.append((inputs, outputs))
        inputs = outputs
    arrays = []
    for number, shape in enumerate(shapes):
        weights = random.normal(size=shape)
        outliers = np.abs(weights) > 2
        while outliers.any():  # a truncated normal distribution
            weights[outliers] = random.normal(size=outliers.sum())
            outliers = np.abs(weights) > 2
        is_last = number == len(shapes) - 1
        positive = stage.activation == "relu" and not stage.normalised and not is_last
        arrays.append(np.float32(0 if stage.is_softmax else 0.1) * weights.astype(np.float32))
        arrays.append(np.full(shape[-1:], 0.1 if positive else 0, np.float32))
    return arrays


# Bending as in stage 4.1: each pixel takes its ink from a place that is moved by a sum of these terms, in pixels, each
# times a random number from -1 to 1
PIXELS = np.float32(np.indices([28, 28]).reshape(2, 784))
Y, X = PIXELS / np.float32(13.5) - 1
TERMS = np.stack([2 * Y**i * X**j for i in range(4) for j in range(4 - i)])  # [10, 784]


def bent(images, random):
    """The images [n, 28, 28, 1], bent by numpy."""
    moves = np.float32(random.uniform(-1, 1, [2, len(images), len(TERMS)])) @ TERMS
    y, x = np.clip(PIXELS[:, None] + moves, 0, 26.999)
    top, left = np.floor(y), np.floor(x)
    first = np.intp(np.arange(0, images.size, 784)[:, None] + 28 * top + left)
    ink = images.ravel()
    above = ink[first] + (ink[first + 1] - ink[first]) * (x - left)
    below = ink[first + 28] + (ink[first + 29] - ink[first + 28]) * (x - left)
    return (above + (below - above) * (y - top)).reshape(images.shape)
