# SPDX-License-Identifier: Apache-2.0
"""The networks of the stages in other libraries, for training.py to measure.

Each peer has the network, initial weights, batches, bending, optimizer and decay of the stage, written as its
documentation advises for speed on a processor:

    peer = TorchPeer(stage, images, labels)    images float32 [n, 28, 28, 1], labels one-hot float32 [n, 10]
    peer.train(indices)                        an iteration for each row of indices, int64 [iterations, 100]
    peer.evaluate(images, labels)              the test accuracy, a number from 0 to 1
"""

import functools
import os

import numpy as np

from networks import PIXELS, TERMS, bent, initial_weights, learning_rate


class KerasPeer:
    """Keras' own training loop, fit, on TensorFlow."""

    def __init__(self, stage, images, labels):
        os.environ["KERAS_BACKEND"] = "tensorflow"
        import keras

        keras.utils.set_random_seed(0)
        self.images, self.labels = images, labels

        class BentBatches(keras.utils.PyDataset):
            """Made in a thread of its own while the batch before is trained on."""

            random = np.random.RandomState(0)

            def __init__(self, batches):
                super().__init__()
                self.batches = batches

            def __len__(self):
                return len(self.batches)

            def __getitem__(self, number):
                return bent(images[self.batches[number]], self.random), labels[self.batches[number]]

        self.bent_batches = BentBatches if stage.bent else None
        layers = []
        for size, filters, stride, padding in stage.convolutions:
            layers.append(keras.layers.Conv2D(filters, size, stride, padding, use_bias=not stage.normalised))
            if stage.normalised:
                layers.append(keras.layers.BatchNormalization(momentum=0.9, scale=False))
            layers.append(keras.layers.Activation(stage.activation))
        layers.append(keras.layers.Flatten())
        for width in stage.hidden:
            layers.append(keras.layers.Dense(width, stage.activation))
            if stage.keep < 1:
                layers.append(keras.layers.Dropout(1 - stage.keep))
        layers.append(keras.layers.Dense(10))
        self.model = keras.Sequential(layers)
        self.model.build((None, 28, 28, 1))
        for variable, array in zip(self.model.trainable_variables, initial_weights(stage)):
            variable.assign(array)

        class Decay(keras.optimizers.schedules.LearningRateSchedule):
            def __call__(self, step):
                return learning_rate(stage, keras.ops.cast(step, "float32"), keras.ops.exp)

        rate = 0.003 if stage.decay == "none" else Decay()
        # the loss of stage 1.0 is per 100 images, and plain gradient descent feels its scale
        optimizer = keras.optimizers.SGD(100 * rate) if stage.is_softmax else keras.optimizers.Adam(rate, epsilon=1e-8)
        loss = keras.losses.CategoricalCrossentropy(from_logits=True)
        self.model.compile(optimizer, loss, metrics=["accuracy"])

    def train(self, indices):
        for start in range(0, len(indices), 600):  # an epoch, as fit takes it
            batches = indices[start : start + 600]
            if self.bent_batches:
                self.model.fit(self.bent_batches(batches), shuffle=False, verbose=0)
            else:
                epoch = batches.ravel()
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
        layers, channels = [], 1
        for (kernel, filters, stride, _), size, after in zip(stage.convolutions, stage.sizes, stage.sizes[1:]):
            total = max(0, (after - 1) * stride + kernel - size)  # as TensorFlow pads
            if total % 2:
                layers.append(nn.ZeroPad2d((total // 2, total - total // 2) * 2))
            padding = 0 if total % 2 else total // 2
            layers.append(nn.Conv2d(channels, filters, kernel, stride, padding, bias=not stage.normalised))
            self.fill(layers[-1].weight, next(arrays).transpose(3, 2, 0, 1))
            if stage.normalised:
                layers.append(nn.BatchNorm2d(filters, eps=0.001))  # its momentum of 0.1 is the 0.9 of others
                layers[-1].weight.requires_grad_(False)
            self.fill(layers[-1].bias, next(arrays))
            layers.append(activation())
            channels = filters
        layers.append(nn.Flatten())
        inputs = channels * stage.sizes[-1] ** 2
        for width in stage.hidden:
            layers.append(self.linear(inputs, width, arrays))
            layers.append(activation())
            if stage.keep < 1:
                layers.append(nn.Dropout(1 - stage.keep))
            inputs = width
        layers.append(self.linear(inputs, 10, arrays))
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

    def fill(self, parameter, array):
        with self.torch.no_grad():
            parameter.copy_(self.torch.from_numpy(np.ascontiguousarray(array)))

    def linear(self, inputs, outputs, arrays):
        layer = self.torch.nn.Linear(inputs, outputs)
        self.fill(layer.weight, next(arrays).T)
        self.fill(layer.bias, next(arrays))
        return layer

    def bend(self, images):
        torch = self.torch
        moves = (torch.rand(2 * len(images), len(TERMS)) * 2 - 1) @ torch.from_numpy(TERMS)
        places = torch.from_numpy(PIXELS)[:, None] + moves.reshape(2, len(images), 784)
        grid = (places / 13.5 - 1).reshape(2, -1, 28, 28).permute(1, 2, 3, 0).flip(-1)  # x before y, from -1 to 1
        return torch.nn.functional.grid_sample(images, grid, padding_mode="border", align_corners=True)

    def train(self, indices):
        self.model.train()
        for batch in self.torch.from_numpy(indices):
            if self.stage.decay != "none":
                self.optimizer.param_groups[0]["lr"] = learning_rate(self.stage, self.step)
            self.optimizer.zero_grad()
            images = self.bend(self.images[batch]) if self.stage.bent else self.images[batch]
            self.loss(self.call(images), self.labels[batch]).backward()
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

        def normalised(x, averages, training):
            if training:
                mean, variance = x.mean((0, 1, 2)), x.var((0, 1, 2))
                averages = 0.9 * averages + 0.1 * jnp.stack([mean, variance])
            else:
                mean, variance = averages
            return (x - mean) * jax.lax.rsqrt(variance + 0.001), averages

        def logits(parameters, averages, x, key=None):
            pairs, new_averages = list(zip(parameters[::2], parameters[1::2])), []
            for number, ((w, b), (_, _, stride, padding)) in enumerate(zip(pairs, stage.convolutions)):
                layout = ("NHWC", "HWIO", "NHWC")
                x = jax.lax.conv_general_dilated(x, w, (stride, stride), padding.upper(), dimension_numbers=layout)
                if stage.normalised:
                    x, average = normalised(x, averages[number], key is not None)
                    new_averages.append(average)
                x = activation(x + b)
            x = x.reshape(x.shape[0], -1)
            for w, b in pairs[len(stage.convolutions) : -1]:
                x = activation(x @ w + b)
                if key is not None and stage.keep < 1:
                    key, subkey = jax.random.split(key)
                    x = x * jax.random.bernoulli(subkey, stage.keep, x.shape) / stage.keep
            return x @ pairs[-1][0] + pairs[-1][1], new_averages

        def bend(images, key):
            moves = jax.random.uniform(key, [2, len(images), len(TERMS)], minval=-1, maxval=1) @ TERMS
            sample = functools.partial(jax.scipy.ndimage.map_coordinates, order=1, mode="nearest")
            return jax.vmap(sample)(images[..., 0], jnp.moveaxis(PIXELS[:, None] + moves, 1, 0)).reshape(images.shape)

        def loss(parameters, averages, x, y, key):
            sums, averages = logits(parameters, averages, x, key)
            return optax.softmax_cross_entropy(sums, y).mean(), averages

        def iteration(state, images, labels, batch):
            parameters, averages, memory, key = state
            key, for_bending, for_dropout = jax.random.split(key, 3)
            x = bend(images[batch], for_bending) if stage.bent else images[batch]
            gradients, averages = jax.grad(loss, has_aux=True)(parameters, averages, x, labels[batch], for_dropout)
            updates, memory = optimizer.update(gradients, memory, parameters)
            return optax.apply_updates(parameters, updates), averages, memory, key

        averages = [jnp.stack([jnp.zeros(channels), jnp.ones(channels)]) for _, channels, _, _ in stage.convolutions]
        self.state = parameters, averages if stage.normalised else [], optimizer.init(parameters), jax.random.key(0)
        self.images, self.labels = images, labels
        self.iteration = jax.jit(iteration, donate_argnums=0)
        self.count = jax.jit(
            lambda parameters, averages, x, y: (logits(parameters, averages, x)[0].argmax(1) == y.argmax(1)).sum()
        )

    def train(self, indices):
        for batch in indices:
            self.state = self.iteration(self.state, self.images, self.labels, batch)
        self.state[0][0].block_until_ready()

    def evaluate(self, images, labels):
        pieces = range(0, len(images), 1000)
        network = self.state[:2]
        right = [int(self.count(*network, images[i : i + 1000], labels[i : i + 1000])) for i in pieces]
        return sum(right) / len(images)


PEERS = {
    "Keras": KerasPeer,
    "PyTorch": TorchPeer,
    "PyTorch, compiled": CompiledTorchPeer,
    "JAX": JaxPeer,
}
