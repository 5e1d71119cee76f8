# SPDX-License-Identifier: Apache-2.0
# Stage 3.0: three convolutional layers, which see the shapes in an image.
#
#   ▢                        28 x 28, 1 channel    X   [n, 28, 28, 1]
#   ▢▢▢▢                     28 x 28, 4 channels   Y1  [n, 28, 28, 4]  W1 [5, 5, 1, 4]   5x5 convolution, stride 1, relu
#   ▫▫▫▫▫▫▫▫                 14 x 14, 8 channels   Y2  [n, 14, 14, 8]  W2 [5, 5, 4, 8]   5x5 convolution, stride 2, relu
#   ············             7 x 7, 12 channels    Y3  [n, 7, 7, 12]   W3 [4, 4, 8, 12]  4x4 convolution, stride 2, relu
#   ░░░░░░░░░░░░             588 values            YY  [n, 588]                          flattened
#   ○○○○○○○○○○○○○○○○○○○○     200 neurons           Y4  [n, 200]        W4 [588, 200]     relu
#   ○                        10 neurons            Y   [n, 10]         W5 [200, 10]      softmax
#   (a square or dot is a channel, a circle 10 neurons)
#
# A flattened image has lost its shapes: which pixels were neighbours. A convolution keeps them. A small filter of
# weights slides over the image, and at each place it weighs the patch of pixels under it. What comes out is a channel:
# a picture of where the filter found its shape. Each place has a neuron of its own, but they all share the weights of
# the filter. Several filters make several channels, and the next layer looks through all of them at once. Three such
# layers are followed by a fully connected one, where each neuron weighs everything, as all have until now. What is new
# since stage 2.2: the convolutional layers, and no dropout, for now.
#
# In the shapes here and below, n is the number of images: 100 for a training batch, 1,000 for each of the pieces in
# which the test images go through the layers, 10,000 for all of them.

import math

import numpy as np  # arrays of numbers
import tensorflowvisu  # the training window; it comes before TensorFlow, to set it up: fast, and without start-up logs
import mnistdata  # the digits
import tensorflow.compat.v1 as tf  # TensorFlow as in version 1: first describe a graph of computations, then run it

tf.disable_v2_behavior()  # TensorFlow 2 would run each line immediately
print("TensorFlow version " + tf.__version__)

SEED = 0  # where the random numbers start: on the same processor and TensorFlow, the same seed gives the same result
ITERATIONS = 10000  # training steps, of 100 images each
tf.set_random_seed(SEED)

# 60,000 images for training and 10,000 for testing, each with its label: the digit that it shows, as a "one-hot"
# vector, [0 0 0 1 0 0 0 0 0 0] for a 3.
mnist = mnistdata.read_data_sets("data", one_hot=True, reshape=False, seed=SEED)

# Placeholders are the inputs of the graph. They hold nothing: each run of the graph is fed with data for them.
X = tf.placeholder(tf.float32, [None, 28, 28, 1])  # n images (None: any n) of 28 x 28 pixels, from 0, paper, to 1, ink
Y_ = tf.placeholder(tf.float32, [None, 10])  # their correct labels; the network's answers are Y, without the underscore
step = tf.placeholder(tf.int32)  # the number of the iteration, for the decay of the learning rate

# Variables are what training determines. Random weights: neurons of a layer that start with the same weights, in and
# out, change in the same way and stay the same. truncated_normal draws them from a normal distribution of standard
# deviation 0.1, and draws again what lies more than 2 standard deviations away: no neuron starts with one weight that
# drowns out all others.
# Biases of 0.1: where the sum of a relu is below 0, the relu has no slope, and its neuron learns nothing from that
# image. A small positive bias lifts more of the sums above 0 at the start. In the last layer 0.1 makes no difference:
# adding the same to all 10 sums changes none of the probabilities.
K, L, M, N = 4, 8, 12, 200  # channels of the three convolutional layers, neurons of the fully connected one
W1 = tf.Variable(tf.truncated_normal([5, 5, 1, K], stddev=0.1))  # filters of 5 x 5 pixels, 1 channel in, K out
B1 = tf.Variable(tf.ones([K]) / 10)  # one bias a channel
W2 = tf.Variable(tf.truncated_normal([5, 5, K, L], stddev=0.1))
B2 = tf.Variable(tf.ones([L]) / 10)
W3 = tf.Variable(tf.truncated_normal([4, 4, L, M], stddev=0.1))
B3 = tf.Variable(tf.ones([M]) / 10)
W4 = tf.Variable(tf.truncated_normal([7 * 7 * M, N], stddev=0.1))  # 7 * 7 * M inputs of each of N neurons
B4 = tf.Variable(tf.ones([N]) / 10)
W5 = tf.Variable(tf.truncated_normal([N, 10], stddev=0.1))
B5 = tf.Variable(tf.ones([10]) / 10)

# The model: a stride of 2 moves the filter by 2 pixels at a time, so that half the rows and half the columns come out.
# strides has one number for each dimension of its input, [image, row, column, channel]: no image and no channel is
# skipped. With "SAME" padding the filter may hang over the edges of the image, where zeros stand in for the pixels: the
# size that comes out is the size that goes in, divided by the stride and rounded up.
# A relu passes a positive sum on as it is, and a negative one as 0.
Y1 = tf.nn.relu(tf.nn.conv2d(X, W1, strides=[1, 1, 1, 1], padding="SAME") + B1)  # [n, 28, 28, K]
Y2 = tf.nn.relu(tf.nn.conv2d(Y1, W2, strides=[1, 2, 2, 1], padding="SAME") + B2)  # [n, 14, 14, L]
Y3 = tf.nn.relu(tf.nn.conv2d(Y2, W3, strides=[1, 2, 2, 1], padding="SAME") + B3)  # [n, 7, 7, M]
YY = tf.reshape(Y3, [-1, 7 * 7 * M])  # [n, 588], flattened (-1: as many rows as that makes, here n)
Y4 = tf.nn.relu(tf.matmul(YY, W4) + B4)  # [n, N]
Ylogits = tf.matmul(Y4, W5) + B5  # [n, 10], the sums before softmax, called "logits"
Y = tf.nn.softmax(Ylogits)  # [n, 10], the probabilities

# The loss, cross entropy, says how far the probabilities Y are from the truth Y_: -sum(Y_ * log(Y)) for an image, with
# the natural logarithm. Only the correct digit counts, as Y_ is 0 for all others: the loss is 0 if that digit got
# probability 1, and grows as that probability falls. The mean over the n images is on the same scale for a batch of 100
# and for 10,000 test images. Times 100, it is the loss per 100 images, as the window shows it.
# NaN? A very small probability is rounded to 0; log(0) is -infinity, and 0 * log(0) is NaN, "not a number". This
# function never takes log(0): it does softmax and cross entropy in one, from the logits.
cross_entropy = tf.nn.softmax_cross_entropy_with_logits(logits=Ylogits, labels=Y_)  # [n, 10] -> [n]
cross_entropy = tf.reduce_mean(cross_entropy) * 100  # a number

# Accuracy: the fraction of the images whose most probable digit is the correct one, from 0 to 1.
correct_prediction = tf.equal(tf.argmax(Y, axis=1), tf.argmax(Y_, axis=1))  # [n], true or false
accuracy = tf.reduce_mean(tf.cast(correct_prediction, tf.float32))  # a number

# A training step: TensorFlow derives the gradient, the slope of the loss along each of the 122,270 weights and biases,
# and moves all of them a little downhill. Where the slopes are small, plain gradient descent slows to a crawl. Adam has
# inertia and goes on. It also divides each weight's step by the usual size of its slopes: a step is about the learning
# rate where these agree, whatever the scale of the loss, and less where they do not. Too high a rate jumps over the
# valley. train_step is this step as a part of the graph; the function training_step, below, runs it.
# A high learning rate keeps the curves noisy, a low one takes forever. So: fast at first, then slower and slower, from
# 0.0031 towards 0.0001: lr = 0.0001 + 0.003 * e^(-step/2000). The 0.003 shrinks to 37 %, 1/e, every 2,000 iterations.
lr = 0.0001 + tf.train.exponential_decay(0.003, step, 2000, 1 / math.e)  # a number
train_step = tf.train.AdamOptimizer(lr).minimize(cross_entropy)

# For the window: all weights and all biases as two vectors, and pictures of digits, the misread ones first.
allweights = tf.concat([tf.reshape(w, [-1]) for w in [W1, W2, W3, W4, W5]], axis=0)  # [122036]
allbiases = tf.concat([B1, B2, B3, B4, B5], axis=0)  # [234]
I = tensorflowvisu.tf_format_mnist_images(X, Y, Y_)  # [280, 280, 3], 10 lines of 10 training digits
It = tensorflowvisu.tf_format_mnist_images(X, Y, Y_, 1000, lines=25)  # [700, 1120, 3], 25 lines of 40 test digits
datavis = tensorflowvisu.MnistDataVis()

# Nothing has been computed yet. A session holds the values of the variables. It runs what it is asked for, and all that
# this needs, on the data that it is fed: {placeholder: array}. What it returns are numpy arrays.
sess = tf.Session()
sess.run(tf.global_variables_initializer())


# One iteration of the training loop: sometimes measure, always train.
def training_step(i, update_test_data, update_train_data):
    batch_X, batch_Y = mnist.train.next_batch(100)  # the next 100 images [100, 28, 28, 1] and labels [100, 10]

    # how well does it do on the batch, before this step?
    # a is the accuracy, c the cross entropy, im the picture, ws and bs are all weights and all biases, l the learning
    # rate
    if update_train_data:
        a, c, im, ws, bs, l = sess.run(
            [accuracy, cross_entropy, I, allweights, allbiases, lr], {X: batch_X, Y_: batch_Y, step: i}
        )
        print(f"{i}: accuracy:", a, "loss:", c, "lr:", l)
        datavis.append_training_curves_data(i, a, c, l)
        datavis.append_data_histograms(i, ws, bs)
        datavis.update_image1(im, batch_X)

    # how well does it do on digits that it never trains on? The channels of all 10,000 at once would take 0.21 GB: so
    # their logits are computed in 10 pieces, [1000, 10] each, and then fed, [10000, 10], in place of computing them
    if update_test_data:
        logits = [sess.run(Ylogits, {X: images}) for images in np.array_split(mnist.test.images, 10)]
        a, c, im = sess.run(
            [accuracy, cross_entropy, It],
            {X: mnist.test.images, Ylogits: np.concatenate(logits), Y_: mnist.test.labels},
        )
        epoch = i * 100 // mnist.train.num_examples + 1  # an epoch: all training images seen once
        print(f"{i}: ********* epoch {epoch} ********* test accuracy:", a, "test loss:", c)
        datavis.append_test_curves_data(i, a, c, epoch)
        datavis.update_image2(im, mnist.test.images)

    # learn from the batch
    sess.run(train_step, {X: batch_X, Y_: batch_Y, step: i})


# For digits that you draw: press d in the window, and this says what they are. After the probabilities come what the
# layers make of the images: press l to see it.
def read(images):
    return sess.run([Y, Y1, Y2, Y3, Y4], {X: images})  # n images [n, 28, 28, 1]


# Train and watch, in a window. To save the training as a film instead, add save_movie=True.
datavis.animate(training_step, ITERATIONS, train_data_update_freq=20, test_data_update_freq=100, read_digits=read)

# Text only, without a window: comment out the line with datavis.animate above, and take the "# " off the line below.
# for i in range(ITERATIONS): training_step(i, i % 100 == 0 or i == ITERATIONS - 1, i % 20 == 0 or i == ITERATIONS - 1)

print("max test accuracy:", datavis.get_max_test_accuracy())

# Results to expect: a median best test accuracy of 0.9902 over 5 seeds (0.9898 to 0.9912), in 10,000 iterations, and
# 0.9894 (0.9881 to 0.9910) at the end; measured with seeds 0 to 4 on TensorFlow 2.21. At the end the test loss is 1.60
# times its lowest value: there is room for dropout again.
