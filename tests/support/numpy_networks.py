"""The networks of the stages once more, in NumPy alone: what their scripts compute is compared with this."""

import collections
import re
from unittest import mock

import numpy as np
import tensorflow.compat.v1 as tf

Convolution = collections.namedtuple("Convolution", "stride is_padded has_batch_norm")
Dense = collections.namedtuple("Dense", "activation has_dropout")


def check(stage, names):
    """Fails where a stage's script computes another thing than it should; names: those of the script once it ran.

    Weights, biases and averages are random numbers here, so that one taken for another is seen.
    """
    session, random = names["sess"], np.random.RandomState(0)
    variables = tf.trainable_variables()
    weights = [variable for variable in variables if len(variable.shape) > 1]
    biases = [variable for variable in variables if len(variable.shape) == 1]
    averages = [names[name] for name in sorted(names) if re.match(r"A\d$", name)]  # [2, channels] each
    session.run(tf.global_variables_initializer())
    check_beginning(stage, *session.run([weights, biases, averages]))
    for variable in weights + biases:
        variable.load(random.normal(scale=0.1, size=variable.shape.as_list()), session)
    for variable in averages:
        variable.load(random.uniform(0.5, 1.5, size=variable.shape.as_list()), session)
    W, B, A = session.run([weights, biases, averages])
    assert_near(session.run(names["allweights"]), np.concatenate([w.ravel() for w in W]))
    assert_near(session.run(names["allbiases"]), np.concatenate(B))

    test = names["mnist"].test
    test.images, test.labels = images, labels = test.images[:50], test.labels[:50]
    expected, layers, _, _ = computed(stage, images, W, B, A)
    if not layers:  # stage 1.0 shows its evidence
        layers = [images * W[0].reshape(28, 28, 10)]
    answers = names["read"](images)
    assert len(answers) == 1 + len(layers)
    for answer, value in zip(answers, [expected, *layers]):
        assert_near(answer, value)
    feed = {names["X"]: images, names["Y_"]: labels, **({names["pkeep"]: 1} if "pkeep" in names else {})}
    assert_near(session.run([names["accuracy"], names["cross_entropy"]], feed), accuracy_and_loss(expected, labels))

    with mock.patch.multiple(names["datavis"], update_image1=mock.DEFAULT, update_image2=mock.DEFAULT) as panels:
        fed, noise, answers = training_step(names)
    for panel, shown, sides in (
        ("update_image1", fed[names["X"]], (280, 280, 3)),
        ("update_image2", test.images, (700, 1120, 3)),
    ):
        picture, of_images = panels[panel].call_args[0]
        assert picture.shape == sides and np.array_equal(of_images, shown)
    images, labels, rate = fed[names["X"]], fed[names["Y_"]], session.run(names.get("lr", tf.constant(0.003)), fed)
    for curve, X, Y_ in (("training", images, labels), ("test", test.images, test.labels)):
        answers_of_all = computed(stage, X, W, B, A)[0]  # with all neurons, and by averages
        measured = names["datavis"].get_history()[curve]
        assert_near([measured.accuracy[-1], measured.loss[-1]], accuracy_and_loss(answers_of_all, Y_))
    assert len(noise) == sum(isinstance(layer, Dense) and layer.has_dropout for layer in LAYERS[stage])
    expected, _, last, batches = computed(stage, images, W, B, noise=noise)
    assert_near(answers, expected, 0.01)  # TensorFlow sums up the squares of a batch with 32 bits
    slopes = 100 * last.T @ (expected - labels) / len(labels)  # how the loss changes with the last layer's weights
    is_steep = abs(slopes) > 1e-3
    moves = rate * (slopes if stage.startswith("mnist_1") else np.sign(slopes))  # Adam's first step is of one size
    assert is_steep.sum() > 50
    assert_near((W[-1] - session.run(weights[-1]))[is_steep], moves[is_steep])
    n = len(images) * np.array([np.prod(layer.shape[1:3]) for layer in layers[: len(A)]])
    for now, before, (mean, variance), count in zip(session.run(averages), A, batches, n):
        assert_near(now, 0.9 * before + 0.1 * np.stack([mean, variance * count / (count - 1)]))


def check_beginning(stage, weights, biases, averages):
    """Fails where a training does not begin at random weights, biases of 0 or 0.1, and averages of no effect."""
    for array in weights:
        if stage.startswith("mnist_1"):
            assert not array.any()
        else:  # normally distributed with 0.1, and none beyond 0.2
            assert 0.15 < np.abs(array).max() < 0.2001 and abs(array.std() - 0.088) < 0.02
    of_relus = 0.1 if stage.startswith(("mnist_2.1", "mnist_2.2", "mnist_3")) else 0
    for array, first in zip(biases, [of_relus] * (len(biases) - 1) + [0.1 if stage.startswith("mnist_3") else 0]):
        assert_near(array, first)
    for means, variances in averages:
        assert not means.any() and (variances == 1).all()


def check_comments(source, names):
    """Fails where a comment of a stage tells another shape than that of what it stands at; names: those of the script.

    Returns how many it found.
    """
    head = source.partition("\nimport ")[0]
    sizes = {letter: names[letter] for letter in "KLMN" if letter in names}
    layers = {f"Y{number}": layer for number, layer in enumerate(names.get("layers", []), 1)}
    told = re.findall(r"\b([A-Z]{1,2}\d?|b) +\[([\dn, ]+)\]", head)
    for name, comment in re.findall(r"(?m)^ *(\w+) = .*  # (.*\[.*)$", source):
        results = re.findall(r"\[([\w, ]*)\]", comment.rpartition("-> ")[2])
        if results and name not in ("cross_entropy", "YY" if layers else ""):  # these have several, or no name
            told.append((name, results[0]))
    found = 0
    for name, shape in told:
        value = names.get(name, layers.get(name))
        if hasattr(value, "shape"):
            sides = [None if side == "n" else int(sizes.get(side, side)) for side in re.findall(r"\w+", shape)]
            assert sides == list(value.shape.as_list() if hasattr(value.shape, "as_list") else value.shape), (
                name,
                shape,
            )
            found += 1
    for told, shape in re.findall(
        r"(\d+(?: x \d+, \d+)?) (?:values|neurons|channels?) +[A-Z]{1,2}\d? +\[n, (.*?)\]", head
    ):
        assert re.findall(r"\d+", told) == shape.split(", "), told
    graph = names["sess"].graph
    strides = [op.get_attr("strides")[1] for op in graph.get_operations() if op.type == "Conv2D"]
    filters = re.findall(r"W\d \[(\d), (\d), .*?\] +(\dx\d) convolution, stride (\d)", head)
    assert [int(stride) for *_, stride in filters] == strides[: len(filters)] and bool(filters) == bool(strides)
    assert all(f"{rows}x{columns}" == size for rows, columns, size, _ in filters)
    numbers = sum(variable.shape.num_elements() for variable in tf.trainable_variables())
    assert re.findall(r"each of the (\S+) weights and biases", source) == [f"{numbers:,}"]
    return found


def assert_near(values, expected, share=1e-3):
    np.testing.assert_allclose(values, expected, rtol=share, atol=1e-5)


def accuracy_and_loss(probabilities, labels):
    """The fraction that is right, and the cross entropy per 100 images, for one-hot labels [n, 10]."""
    is_right = probabilities.argmax(axis=1) == labels.argmax(axis=1)
    return [is_right.mean(), -100 * np.log((probabilities * labels).sum(axis=1)).mean()]


def training_step(names):
    """Of iteration 0: what trains is fed with, the random numbers of each layer with dropout, the answers.

    It measures before, as an update does.
    """
    answers = tf.nn.softmax(names["training_logits"]) if "training_logits" in names else names["Y"]
    chances = [op.outputs[0] for op in names["sess"].graph.get_operations() if op.type == "RandomUniform"]
    run, seen = tf.Session.run, []

    def run_and_see(session, fetches, feed_dict):
        if not any(isinstance(fetch, tf.Operation) for fetch in tf.nest.flatten(fetches)):
            return run(session, fetches, feed_dict)
        result, *others = run(session, [fetches, chances, answers], feed_dict)
        seen.append((feed_dict, *others))
        return result

    with mock.patch.object(tf.Session, "run", run_and_see):
        names["training_step"](0, True, True)
    (fed,) = seen
    return fed


def relu(sums):
    return np.maximum(sums, 0)


def sigmoid(sums):
    return 1 / (1 + np.exp(-sums))


NORMED = [Convolution(stride, stride == 2, True) for stride in (1, 1, 2, 1, 1, 2)] + [Dense(relu, False)]
# The layers before the last one, which is the same in all
LAYERS = {
    "mnist_1.0_softmax.py": [],
    "mnist_2.0_five_layers_sigmoid.py": 4 * [Dense(sigmoid, False)],
    "mnist_2.1_five_layers_relu_lrdecay.py": 4 * [Dense(relu, False)],
    "mnist_2.2_five_layers_relu_lrdecay_dropout.py": 4 * [Dense(relu, True)],
    "mnist_3.0_convolutional.py": [Convolution(stride, True, False) for stride in (1, 2, 2)] + [Dense(relu, False)],
    "mnist_3.1_convolutional_bigger_dropout.py": [Convolution(stride, True, False) for stride in (1, 2, 2)]
    + [Dense(relu, True)],
    "mnist_4.0_batchnorm_convolutional.py": NORMED,
    "mnist_4.1_batchnorm_bent_digits.py": NORMED,
}
KEPT = 0.75  # of the outputs of a layer with dropout, while it trains
EPSILON = 0.001  # what batch normalisation adds to a variance


def computed(stage, images, weights, biases, averages=None, noise=()):
    """(probabilities [n, 10], each layer before, what reaches the last one, each batch that is normalised).

    Layers are as they are read, [n, neurons] or [n, rows, columns, channels]; what reaches the last one [n, inputs] is
    without what is dropped. Of a batch, the (mean, variance) of each channel.

    averages: [mean, variance] of each convolution for its batch normalisation, which takes those of the batch without.
    noise: for each layer with dropout an array from 0 to 1 that says what is kept, or nothing to keep all.
    """
    noise, averages = iter(noise), iter(averages or ())
    values, layers, batches = np.float64(images), [], []
    for layer, weight, bias in zip(LAYERS[stage], weights, biases):
        if isinstance(layer, Convolution):
            sums = convolved(values, weight, layer.stride, layer.is_padded)
            if layer.has_batch_norm:
                batches.append((sums.mean(axis=(0, 1, 2)), sums.var(axis=(0, 1, 2))))
                mean, variance = next(averages, batches[-1])
                sums = (sums - mean) / np.sqrt(variance + EPSILON)
            values = relu(sums + bias)
        else:
            values = layer.activation(values.reshape(len(images), -1) @ weight + bias)
        layers.append(values)
        if isinstance(layer, Dense) and layer.has_dropout:
            chances = next(noise, None)
            values = values if chances is None else np.where(chances >= 1 - KEPT, values / KEPT, 0)
    last = values.reshape(len(images), -1)
    exponentials = np.exp(last @ weights[-1] + biases[-1])
    return exponentials / exponentials.sum(axis=1, keepdims=True), layers, last, batches


def convolved(images, filters, stride, is_padded):
    """[n, rows, columns, channels] with filters [side, side, channels, new ones], as TensorFlow's "SAME" or "VALID"."""
    side = len(filters)
    length = images.shape[1]
    steps = -(-length // stride) if is_padded else (length - side) // stride + 1
    missing = max((steps - 1) * stride + side - length, 0)
    edge = (missing // 2, missing - missing // 2)
    images = np.pad(images, [(0, 0), edge, edge, (0, 0)], mode="constant")
    end = (steps - 1) * stride + 1
    return sum(
        images[:, row : row + end : stride, column : column + end : stride] @ filters[row, column]
        for row in range(side)
        for column in range(side)
    )
