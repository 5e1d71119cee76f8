# SPDX-License-Identifier: Apache-2.0
"""The networks of the six stages in other libraries, for training.py to measure.

Each peer has the network, initial weights, batches, optimizer and decay of the stage, written as its documentation
advises for speed on a processor:

    peer = TorchPeer(stage, images, labels)    images float32 [n, 28, 28, 1], labels one-hot float32 [n, 10]
    peer.train(indices)                        an iteration for each row of indices, int64 [iterations, 100]
    peer.evaluate(images, labels)              the test accuracy, a number from 0 to 1
"""

import math
import os
from typing import NamedTuple

import numpy as np


class Stage(NamedTuple):
    """What there is to build. A convolution is (size, channels, stride); keep is the probability of dropout to keep."""

    script: str
    convolutions: tuple = ()
    hidden: tuple = ()
    activation: str = "relu"
    keep: float = 1.0
    decays: bool = True

    @property
    def is_softmax(self):
        return not self.hidden

    @property
    def operations(self):
        """Multiplications and additions in the matrix products and convolutions of an iteration of 100 images."""
        per_layer, size = [], 28
        shapes = [array.shape for array in initial_weights(self)[::2]]
        for (_, _, stride), shape in zip(self.convolutions, shapes):
            size //= stride
            per_layer.append(size * size * math.prod(shape))
        per_layer += [math.prod(shape) for shape in shapes[len(self.convolutions) :]]
        # forward, for the gradient of the weights and, but for the first layer, for that of its inputs
        return 2 * 100 * (3 * sum(per_layer) - per_layer[0])


FIVE_LAYERS = (200, 100, 60, 30)
STAGES = {
    "1.0": Stage("mnist_1.0_softmax.py", decays=False),
    "2.0": Stage("mnist_2.0_five_layers_sigmoid.py", hidden=FIVE_LAYERS, activation="sigmoid", decays=False),
    "2.1": Stage("mnist_2.1_five_layers_relu_lrdecay.py", hidden=FIVE_LAYERS),
    "2.2": Stage("mnist_2.2_five_layers_relu_lrdecay_dropout.py", hidden=FIVE_LAYERS, keep=0.75),
    "3.0": Stage("mnist_3.0_convolutional.py", ((5, 4, 1), (5, 8, 2), (4, 12, 2)), (200,)),
    "3.1": Stage("mnist_3.1_convolutional_bigger_dropout.py", ((6, 6, 1), (5, 12, 2), (4, 24, 2)), (200,), keep=0.75),
}


def learning_rate(stage, step, exp=math.exp):
    """In iteration step, which may be a tensor of the library that exp comes from."""
    return 0.0001 + 0.003 * exp(-step / 2000) if stage.decays else 0.003


def initial_weights(stage):
    """Arrays [weights, biases, …], the shapes those of the scripts: [height, width, in, out] or [in, out]."""
    random = np.random.RandomState(0)
    shapes, size, channels = [], 28, 1
    for kernel, filters, stride in stage.convolutions:
        shapes.append((kernel, kernel, channels, filters))
        size, channels = size // stride, filters
    inputs = size * size * channels
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
        positive = stage.activation == "relu" and not is_last
        arrays.append(np.float32(0 if stage.is_softmax else 0.1) * weights.astype(np.float32))
        arrays.append(np.full(shape[-1:], 0.1 if positive else 0, np.float32))
    return arrays


class KerasPeer:
    """Keras' own training loop, fit, on TensorFlow."""

    def __init__(self, stage, images, labels):
        os.environ["KERAS_BACKEND"] = "tensorflow"
        import keras

        keras.utils.set_random_seed(0)
        self.images, self.labels = images, labels
        layers = [
            keras.layers.Conv2D(filters, size, strides=stride, padding="same", activation=stage.activation)
            for size, filters, stride in stage.convolutions
        ]
        layers.append(keras.layers.Flatten())
        for width in stage.hidden:
            layers.append(keras.layers.Dense(width, stage.activation))
            if stage.keep < 1:
                layers.append(keras.layers.Dropout(1 - stage.keep))
        layers.append(keras.layers.Dense(10))
        self.model = keras.Sequential(layers)
        self.model.build((None, 28, 28, 1))
        self.model.set_weights(initial_weights(stage))

        class Decay(keras.optimizers.schedules.LearningRateSchedule):
            def __call__(self, step):
                return learning_rate(stage, keras.ops.cast(step, "float32"), keras.ops.exp)

        rate = Decay() if stage.decays else 0.003
        # the loss of stage 1.0 is per 100 images, and plain gradient descent feels its scale
        optimizer = keras.optimizers.SGD(100 * rate) if stage.is_softmax else keras.optimizers.Adam(rate, epsilon=1e-8)
        loss = keras.losses.CategoricalCrossentropy(from_logits=True)
        self.model.compile(optimizer, loss, metrics=["accuracy"])

    def train(self, indices):
        for start in range(0, len(indices), 600):  # an epoch, as fit takes it
            epoch = indices[start : start + 600].ravel()
            self.model.fit(self.images[epoch], self.labels[epoch], batch_size=100, shuffle=False, verbose=0)

    def evaluate(self, images, labels):
        return self.model.evaluate(images, labels, batch_size=1000, verbose=0)[1]


class TorchPeer:
    """PyTorch, eager, with the fused Adam."""

    COMPILED = False

    def __init__(self, stage, images, labels):
        import torch
        from torch import nn

        torch.manual_seed(0)
        self.torch, self.stage, self.step = torch, stage, 0
        self.images = torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2)))
        self.labels = torch.from_numpy(labels.argmax(1))
        activation = {"relu": nn.ReLU, "sigmoid": nn.Sigmoid}[stage.activation]
        arrays = iter(initial_weights(stage))
        layers, channels, size = [], 1, 28
        for kernel, filters, stride in stage.convolutions:
            total = max(0, (math.ceil(size / stride) - 1) * stride + kernel - size)  # "same", as TensorFlow pads
            if total % 2:
                layers.append(nn.ZeroPad2d((total // 2, total - total // 2) * 2))
            layers.append(nn.Conv2d(channels, filters, kernel, stride, 0 if total % 2 else total // 2))
            self.fill(layers[-1], next(arrays).transpose(3, 2, 0, 1), next(arrays))
            layers.append(activation())
            channels, size = filters, size // stride
        layers.append(nn.Flatten())
        inputs = channels * size * size
        for width in stage.hidden:
            layers.append(nn.Linear(inputs, width))
            self.fill(layers[-1], next(arrays).T, next(arrays))
            layers.append(activation())
            if stage.keep < 1:
                layers.append(nn.Dropout(1 - stage.keep))
            inputs = width
        layers.append(nn.Linear(inputs, 10))
        self.fill(layers[-1], next(arrays).T, next(arrays))
        self.model = nn.Sequential(*layers)
        if stage.convolutions:
            self.model = self.model.to(memory_format=torch.channels_last)
            self.images = self.images.to(memory_format=torch.channels_last)
        self.loss = nn.CrossEntropyLoss()
        parameters = self.model.parameters()
        if stage.is_softmax:
            self.optimizer = torch.optim.SGD(parameters, lr=0.3, fused=True)  # for the loss per image
        else:
            self.optimizer = torch.optim.Adam(parameters, lr=0.003, fused=True)
        self.call = torch.compile(self.model) if self.COMPILED else self.model

    def fill(self, layer, weights, biases):
        with self.torch.no_grad():
            layer.weight.copy_(self.torch.from_numpy(np.ascontiguousarray(weights)))
            layer.bias.copy_(self.torch.from_numpy(biases))

    def train(self, indices):
        self.model.train()
        for batch in self.torch.from_numpy(indices):
            if self.stage.decays:
                self.optimizer.param_groups[0]["lr"] = learning_rate(self.stage, self.step)
            self.optimizer.zero_grad()
            self.loss(self.call(self.images[batch]), self.labels[batch]).backward()
            self.optimizer.step()
            self.step += 1

    def evaluate(self, images, labels):
        self.model.eval()
        images = self.torch.from_numpy(images.transpose(0, 3, 1, 2))
        labels = self.torch.from_numpy(labels.argmax(1))
        with self.torch.inference_mode():
            pieces = zip(images.split(1000), labels.split(1000))
            return sum((self.call(x).argmax(1) == y).sum().item() for x, y in pieces) / len(labels)


class CompiledTorchPeer(TorchPeer):
    """PyTorch with torch.compile."""

    COMPILED = True


class JaxPeer:
    """JAX: one jitted function for an iteration, whose state is donated, and optax."""

    def __init__(self, stage, images, labels):
        import jax
        import jax.numpy as jnp
        import optax

        self.jnp = jnp
        images, labels = jnp.asarray(images), jnp.asarray(labels)
        activation = {"relu": jax.nn.relu, "sigmoid": jax.nn.sigmoid}[stage.activation]
        parameters = [jnp.asarray(array) for array in initial_weights(stage)]
        adam = optax.adam(lambda step: learning_rate(stage, step, jnp.exp))
        optimizer = optax.sgd(0.3) if stage.is_softmax else adam  # 0.3: for the loss per image

        def logits(parameters, x, key=None):
            pairs = list(zip(parameters[::2], parameters[1::2]))
            for (w, b), (_, _, stride) in zip(pairs, stage.convolutions):
                layout = ("NHWC", "HWIO", "NHWC")
                x = activation(
                    jax.lax.conv_general_dilated(x, w, (stride, stride), "SAME", dimension_numbers=layout) + b
                )
            x = x.reshape(x.shape[0], -1)
            for w, b in pairs[len(stage.convolutions) : -1]:
                x = activation(x @ w + b)
                if key is not None:
                    key, subkey = jax.random.split(key)
                    x = x * jax.random.bernoulli(subkey, stage.keep, x.shape) / stage.keep
            return x @ pairs[-1][0] + pairs[-1][1]

        def loss(parameters, x, y, key):
            return optax.softmax_cross_entropy(logits(parameters, x, key), y).mean()

        def iteration(state, images, labels, batch):
            parameters, memory, key = state
            key, subkey = jax.random.split(key)
            gradients = jax.grad(loss)(parameters, images[batch], labels[batch], subkey if stage.keep < 1 else None)
            updates, memory = optimizer.update(gradients, memory, parameters)
            return optax.apply_updates(parameters, updates), memory, key

        self.state = parameters, optimizer.init(parameters), jax.random.key(0)
        self.images, self.labels = images, labels
        self.iteration = jax.jit(iteration, donate_argnums=0)
        self.count = jax.jit(lambda parameters, x, y: (logits(parameters, x).argmax(1) == y.argmax(1)).sum())

    def train(self, indices):
        for batch in indices:
            self.state = self.iteration(self.state, self.images, self.labels, batch)
        self.state[0][0].block_until_ready()

    def evaluate(self, images, labels):
        pieces = range(0, len(images), 1000)
        return sum(int(self.count(self.state[0], images[i : i + 1000], labels[i : i + 1000])) for i in pieces) / len(
            images
        )


PEERS = {
    "Keras": KerasPeer,
    "PyTorch": TorchPeer,
    "PyTorch, compiled": CompiledTorchPeer,
    "JAX": JaxPeer,
}
