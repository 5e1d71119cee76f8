# SPDX-License-Identifier: Apache-2.0
"""Variants of the scripts that pages have numbers of, beside those that the exercises make."""

from pathlib import Path

from exercises import edited

SCRIPTS = Path(__file__).resolve().parent.parent.parent
LONG = (  # stage 1.0 with batches of 10, and ten times as many of them: as many digits seen
    "-ITERATIONS = 2000",
    "+ITERATIONS = 20000",
    "-    batch_X, batch_Y = mnist.train.next_batch(100)",
    "+    batch_X, batch_Y = mnist.train.next_batch(10)",
    "-        epoch = i * 100 // mnist.train.num_examples + 1",
    "+        epoch = i * 10 // mnist.train.num_examples + 1",
    "-datavis.animate(training_step, ITERATIONS, train_data_update_freq=10, test_data_update_freq=50, read_digits=read)",
    "+datavis.animate(training_step, ITERATIONS, train_data_update_freq=100, test_data_update_freq=500, read_digits=read)",
)
RATE = "train_step = tf.train.GradientDescentOptimizer({}).minimize(cross_entropy)"
VARIANTS = {  # name of the variant: its script and its edits, as docs/exercises.py has them
    "batch_of_10_long.py": ("mnist_1.0_softmax.py", LONG),
    "batch_of_10_long_low.py": (
        "mnist_1.0_softmax.py",
        (*LONG, "-" + RATE.format("0.003"), "+" + RATE.format("0.0003")),
    ),
    "straight_line.py": (  # stage 3.1 with the decay of stage 4.0, and like that without dropout
        "mnist_3.1_convolutional_bigger_dropout.py",
        (
            "-lr = 0.0001 + tf.train.exponential_decay(0.003, step, 2000, 1 / math.e)",
            "+lr = 0.003 * (1 - tf.cast(step, tf.float32) / 10000)",
            "-    sess.run(train_step, {X: batch_X, Y_: batch_Y, step: i, pkeep: 0.75})",
            "+    sess.run(train_step, {X: batch_X, Y_: batch_Y, step: i, pkeep: 1.0})",
        ),
    ),
    "not_normalised.py": (
        "mnist_4.0_batchnorm_convolutional.py",
        (
            "-    return result",
            "+    return sums + biases",
            "-    return tf.nn.fused_batch_norm(sums, tf.ones(biases.shape), biases, mean, variance, is_training=False)[0]",
            "+    return sums + biases",
        ),
    ),
}


def variants():
    """{name: source} of the variants."""
    return {
        name: edited((SCRIPTS / script).read_text(encoding="utf-8"), edits)
        for name, (script, edits) in VARIANTS.items()
    }
