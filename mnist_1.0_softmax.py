# SPDX-License-Identifier: Apache-2.0
# Stage 1.0: one layer of 10 neurons with softmax, the smallest network that reads digits.
#
#   28 x 28 pixels                 X   [n, 28, 28, 1]
#         │  flattened
#   ░░░░░░░░░░░░░░ 784 values      XX  [n, 784]
#   ╲│╱╲│╱╲│╱╲│╱╲│ all to all      W   [784, 10]    b  [10]
#   ○○○○○○○○○○     10 neurons      Y   [n, 10]      softmax: the probabilities of 0, 1, 2 … 9
#
# Each neuron stands for one digit. It multiplies all 784 pixels by weights of its own, adds them up, and adds its bias.
# Softmax turns the 10 sums into 10 probabilities: e to the power of each, divided by the total of these ten powers.
# Training finds the 784 x 10 weights and 10 biases that make them right. For n images at once, it is one line of
# algebra:
#
#   Y = softmax(XX · W + b)     · is the product of matrices; the 10 biases are added to each of the n rows
#
# In the shapes here and below, n is the number of images: 100 for a training batch, 10,000 for the test.

import tensorflowvisu  # the training window; it comes before TensorFlow, to set it up: fast, and without start-up logs
import mnistdata  # the digits
import tensorflow.compat.v1 as tf  # TensorFlow as in version 1: first describe a graph of computations, then run it

tf.disable_v2_behavior()  # TensorFlow 2 would run each line immediately
print("TensorFlow version " + tf.__version__)

SEED = 0  # where the random numbers start: on the same processor and TensorFlow, the same seed gives the same result
ITERATIONS = 2000  # training steps, of 100 images each
tf.set_random_seed(SEED)

# 60,000 images for training and 10,000 for testing, each with its label: the digit that it shows, as a "one-hot"
# vector, [0 0 0 1 0 0 0 0 0 0] for a 3.
mnist = mnistdata.read_data_sets("data", one_hot=True, reshape=False, seed=SEED)

# Placeholders are the inputs of the graph. They hold nothing: each run of the graph is fed with data for them.
X = tf.placeholder(tf.float32, [None, 28, 28, 1])  # n images (None: any n) of 28 x 28 pixels, from 0, paper, to 1, ink
Y_ = tf.placeholder(tf.float32, [None, 10])  # their correct labels; the network's answers are Y, without the underscore

# Variables are what training determines. They may start from zeros here: each neuron has a digit of its own to learn,
# so no two of them change in the same way.
W = tf.Variable(tf.zeros([784, 10]))  # weights, 784 = 28 * 28
b = tf.Variable(tf.zeros([10]))  # biases

# The model: flatten each image into a row of 784 pixels (-1: as many rows as that makes, here n), then the layer.
XX = tf.reshape(X, [-1, 784])  # [n, 784]
Y = tf.nn.softmax(tf.matmul(XX, W) + b)  # [n, 784] · [784, 10] + [10] -> [n, 10], the probabilities

# The loss, cross entropy, says how far the probabilities Y are from the truth Y_: -sum(Y_ * log(Y)) for an image, with
# the natural logarithm. Only the correct digit counts, as Y_ is 0 for all others: the loss is 0 if that digit got
# probability 1, and grows as that probability falls. The mean over the n images is on the same scale for a batch of 100
# and for 10,000 test images. Times 100, it is the loss per 100 images, as the window shows it.
# The factor 100 also makes each training step 100 times as long: without it, the learning rate below would have to be
# 0.3 for the same steps.
# NaN? A very small probability is rounded to 0, and log(0) is -infinity. For a wrong digit, 0 * log(0) is then NaN,
# "not a number"; for the correct one, the loss is infinite. That is rare with one layer, and stage 2.0 has the cure.
cross_entropy = tf.reduce_mean(-tf.reduce_sum(Y_ * tf.log(Y), axis=1)) * 100  # [n, 10] -> [n] -> a number

# Accuracy: the fraction of the images whose most probable digit is the correct one, from 0 to 1.
correct_prediction = tf.equal(tf.argmax(Y, axis=1), tf.argmax(Y_, axis=1))  # [n], true or false
accuracy = tf.reduce_mean(tf.cast(correct_prediction, tf.float32))  # a number

# A training step: TensorFlow derives the gradient, the slope of the loss along each of the 7,850 weights and biases,
# and moves each of them downhill, by its slope times the learning rate, 0.003. Too high a rate jumps over the valley.
# train_step is this step as a part of the graph; the function training_step, below, runs it.
train_step = tf.train.GradientDescentOptimizer(0.003).minimize(cross_entropy)

# What in an image speaks for each digit, and against it: each pixel times its weight. The sum of these 784 numbers and
# the bias is what softmax gets.
evidence = tf.reshape(tf.expand_dims(XX, 2) * W, [-1, 28, 28, 10])  # [n, 784, 1] * [784, 10] -> [n, 784, 10] -> …

# For the window: all weights and all biases as two vectors, and pictures of digits, the misread ones first.
allweights = tf.reshape(W, [-1])  # [7840]
allbiases = tf.reshape(b, [-1])  # [10]
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
    # a is the accuracy, c the cross entropy, im the picture, ws and bs are all weights and all biases
    if update_train_data:
        a, c, im, ws, bs = sess.run([accuracy, cross_entropy, I, allweights, allbiases], {X: batch_X, Y_: batch_Y})
        print(f"{i}: accuracy:", a, "loss:", c)
        datavis.append_training_curves_data(i, a, c)
        datavis.append_data_histograms(i, ws, bs)
        datavis.update_image1(im, batch_X)

    # how well does it do on digits that it never trains on?
    if update_test_data:
        a, c, im = sess.run([accuracy, cross_entropy, It], {X: mnist.test.images, Y_: mnist.test.labels})
        epoch = i * 100 // mnist.train.num_examples + 1  # an epoch: all training images seen once
        print(f"{i}: ********* epoch {epoch} ********* test accuracy:", a, "test loss:", c)
        datavis.append_test_curves_data(i, a, c, epoch)
        datavis.update_image2(im, mnist.test.images)

    # learn from the batch
    sess.run(train_step, {X: batch_X, Y_: batch_Y})


# For digits that you draw: press d in the window, and this says what they are. After the probabilities come what the
# layers make of the images: press l to see it.
def read(images):
    return sess.run([Y, evidence], {X: images})  # n images [n, 28, 28, 1]


# Train and watch, in a window. To save the training as a film instead, add save_movie=True.
datavis.animate(training_step, ITERATIONS, train_data_update_freq=10, test_data_update_freq=50, read_digits=read)

# Text only, without a window: comment out the line with datavis.animate above, and take the "# " off the line below.
# for i in range(ITERATIONS): training_step(i, i % 50 == 0 or i == ITERATIONS - 1, i % 10 == 0 or i == ITERATIONS - 1)

print("max test accuracy:", datavis.get_max_test_accuracy())

# Results to expect: a median best test accuracy of 0.9225 over 5 seeds (0.9217 to 0.9230), in 2,000 iterations, and
# 0.9225 (0.9200 to 0.9230) at the end; measured with seeds 0 to 4 on TensorFlow 2.21. The test loss falls to the end,
# apart from some noise.
