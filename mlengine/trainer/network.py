# SPDX-License-Identifier: Apache-2.0
"""The network of stage 3.1: its script explains it line by line."""

import collections

import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

Network = collections.namedtuple("Network", "logits probabilities classes")


def build(images, options, dropout=0.0, partitioner=None):
    """The network for images [n, 28, 28]: logits [n, 10], probabilities [n, 10] and classes int64 [n].

    options: hp_depth1, hp_depth2, hp_depth3 channels of the convolutional layers and hp_dense neurons.
    dropout: the probability that an output of the dense layer is dropped, for training.
    partitioner: divides large variables among several parameter servers.
    """
    with tf.variable_scope("network", partitioner=partitioner):
        y = tf.expand_dims(images, axis=3)  # [n, 28, 28, 1]
        y = convolution(y, 1, options.hp_depth1, size=6, stride=1)  # [n, 28, 28, depth1]
        y = convolution(y, 2, options.hp_depth2, size=5, stride=2)  # [n, 14, 14, depth2]
        y = convolution(y, 3, options.hp_depth3, size=4, stride=2)  # [n, 7, 7, depth3]
        y = tf.reshape(y, [-1, 7 * 7 * options.hp_depth3])
        y = tf.nn.relu(dense(y, 4, options.hp_dense))  # [n, dense]
        y = tf.nn.dropout(y, rate=dropout) if dropout else y
        logits = dense(y, 5, 10)
        return Network(logits, tf.nn.softmax(logits), tf.argmax(logits, axis=1))


def convolution(x, number, channels, size, stride):
    w, b = weights_and_biases(number, [size, size, int(x.shape[-1]), channels])
    return tf.nn.relu(tf.nn.conv2d(x, w, strides=[1, stride, stride, 1], padding="SAME") + b)


def dense(x, number, neurons):
    w, b = weights_and_biases(number, [int(x.shape[-1]), neurons])
    return tf.matmul(x, w) + b


def weights_and_biases(number, shape):
    w = tf.get_variable(f"W{number}", shape, initializer=tf.truncated_normal_initializer(stddev=0.1))
    b = tf.get_variable(f"B{number}", shape[-1:], initializer=tf.constant_initializer(0.1))
    return w, b


def loss_of(network, labels):
    """Cross entropy per 100 images, for one-hot labels [n, 10]."""
    losses = tf.nn.softmax_cross_entropy_with_logits(logits=network.logits, labels=labels)  # [n]
    return 100 * tf.reduce_mean(losses)


def accuracy_of(network, labels):
    """The fraction of images that are recognised, for one-hot labels [n, 10]."""
    return tf.reduce_mean(tf.cast(tf.equal(network.classes, tf.argmax(labels, axis=1)), tf.float32))
