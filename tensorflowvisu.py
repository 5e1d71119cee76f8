# SPDX-License-Identifier: Apache-2.0
"""A window that shows the training of a neural network on handwritten digits, live.

    datavis = tensorflowvisu.MnistDataVis()
    datavis.append_training_curves_data(i, accuracy, loss)      # … and so on, from inside training_step
    datavis.animate(training_step, iterations=2000, train_data_update_freq=10, test_data_update_freq=50)

    ┌───────────────────┬───────────────────┬───────────────────┐    keys: 1 to 6   that panel alone
    │ 1 accuracy        │ 2 loss            │ 3 training digits │          7 8 9    panels 1 2, 4 5, 3 6
    ├───────────────────┼───────────────────┼───────────────────┤          0, Esc   all six
    │ 4 weights         │ 5 biases          │ 6 test digits     │          space    pause, resume
    └───────────────────┴───────────────────┴───────────────────┘          o h      box zoom, reset the zooms
                                                                           Ctrl-S   save the picture

How it works, from the top of this file to its end:

    import_tensorflow_quietly, suit_threads_to    how TensorFlow is set up: quiet, and fast on this machine
    tf_format_mnist_images    the pictures of digits, made by TensorFlow, while an Audience watches
    probability_distribution  the spread of weights and biases
    History       what there is to draw of a run
    Picture       six panels drawn from a History, by a class for each kind of panel
    Show          the ways to show it: WindowShow, NotebookShow, PictureFileShow, FilmShow. Each runs in a process of
                  its own, this file run as a program. Its History grows with the messages from the training process.
    Display       what the training process has of them: Window, Notebook, PictureFile, Film. It sends, and goes on.
    Curves, TensorBoardLog    the numbers of a run, to keep as arrays and CSV, and for TensorBoard
    MnistDataVis  what a script calls: it passes everything on to a Display, to Curves, and to a TensorBoardLog

To change a colour, see COLOURS and BAND_COLOURS. For a new key, add it to KEYS, and the method of WindowShow that it
calls. For a new panel, derive a class from Panel, and add it to Picture.panels, TITLES and LAYOUTS; a message that
brings its numbers is a method of History, with the name and the arguments that MnistDataVis passes to send.
"""

import array
import atexit
import collections
import contextlib
import csv
import io
import itertools
import logging
import numbers
import os
import pickle
import platform
import queue
import signal
import subprocess
import sys
import textwrap
import threading
import time
import traceback

import numpy as np

# ---------------------------------------------------------------------------------------------------------- TensorFlow

# Lines of TensorFlow's C++ start-up that no setting of its own keeps away; fatal errors are not of this form
STARTUP_LOG_FILTER = r"""
import re, signal, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)
for line in sys.stdin.buffer:
    if not re.match(rb"[IWE]\d{4} |WARNING: All log messages before absl", line):
        sys.stderr.buffer.write(line)
        sys.stderr.buffer.flush()
"""


# Of oneDNN, Intel's library of convolutions, which TensorFlow 2 has on x86 processors but takes on the newest of them
# only. It trains stage 3.1 two to four times as fast (benchmarks/README.md). TensorFlow 1.15 has no such variables.
ONEDNN_SETTINGS = {
    "TF_ENABLE_ONEDNN_OPTS": "1",
    "TF_MKL_OPTIMIZE_PRIMITIVE_MEMUSE": "false",  # what has been prepared for a layer is kept for the next iteration
}


def prefer_onednn():
    """Sets what TensorFlow reads when it is imported, where nobody has set it; says so if that is too late."""
    if platform.machine().lower() not in ("x86_64", "amd64"):
        return
    loaded = sys.modules.get("tensorflow")
    if loaded is None:
        for name, value in ONEDNN_SETTINGS.items():
            os.environ.setdefault(name, value)
    elif "TF_ENABLE_ONEDNN_OPTS" not in os.environ and loaded.__version__.startswith("2."):
        print(
            "tensorflowvisu was imported after TensorFlow, too late to choose its faster convolutions: import "
            "tensorflowvisu first, or set TF_ENABLE_ONEDNN_OPTS=1 in the environment.",
            file=sys.stderr,
        )


def import_tensorflow_quietly():
    """Imports TensorFlow without its start-up logs, or ends the program with one sentence that says how to get it.

    Has to come before any other import of TensorFlow. TF_CPP_MIN_LOG_LEVEL=0 in the environment shows all logs.
    """
    prefer_onednn()
    # 3: fatal errors only; all others come back as Python exceptions
    shows_all = os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3") == "0"
    if shows_all or "tensorflow" in sys.modules or sys.stderr is None:
        return import_tensorflow()
    # A filter process, not a buffer in this one: if the import aborts the program, its last words still come through
    sys.stderr.flush()
    stderr = os.dup(2)
    log_filter = subprocess.Popen([sys.executable, "-S", "-c", STARTUP_LOG_FILTER], stdin=subprocess.PIPE)
    os.dup2(log_filter.stdin.fileno(), 2)
    log_filter.stdin.close()
    try:
        return import_tensorflow()
    finally:
        sys.stderr.flush()
        os.dup2(stderr, 2)
        os.close(stderr)
        with contextlib.suppress(subprocess.TimeoutExpired):  # some process that TensorFlow started may hold the pipe
            log_filter.wait(timeout=5)


def import_tensorflow():
    # TensorFlow 2 imports matplotlib, and with that it would fail on a back end of a name that matplotlib doesn't know
    backend = os.environ.pop("MPLBACKEND", None)
    try:
        import tensorflow.compat.v1 as tensorflow

        tensorflow.logging.set_verbosity(tensorflow.logging.ERROR)
    except Exception as error:  # not only ImportError: a protobuf or numpy that does not match raises others
        python = "{}.{}".format(*sys.version_info)
        sys.exit(
            f"TensorFlow can't be used with {sys.executable}, Python {python} ({first_line(error)}): install it with "
            f"'.venv/bin/pip install -r requirements.txt' and use .venv/bin/python, as install.txt describes"
        )
    finally:
        if backend is not None:
            os.environ["MPLBACKEND"] = backend
    if backend and "matplotlib" in sys.modules:
        with contextlib.suppress(ValueError):  # the window's process will say what is wrong with it
            sys.modules["matplotlib"].rcParams["backend"] = backend
    return tensorflow


def first_line(error):
    """What an exception says, without the pages that some of them add."""
    return str(error).strip().split("\n")[0].rstrip(".") or type(error).__name__


SMALL_NETWORK = 300_000  # weights; between one measured as faster on one thread (184,900) and one as slower (420,000)


def suit_threads_to(graph):
    """Has sessions of a script's network run on as many threads as suit it, if the script has not chosen itself.

    To wake another thread takes 50 to 100 microseconds, as long as most operations of a small network take. So one
    without convolutions, and with few weights, is fastest on the one thread that calls session.run. Convolutions take
    all processors, one operation after the other; TensorFlow 1 is faster with its own way of doing two at a time.
    Has no effect on sessions that exist, and on those that get a config of their own. In a notebook the number of
    threads stays as it is, since it could not be changed again for a larger network.
    """
    settings = tf.config.threading
    chosen = settings.get_intra_op_parallelism_threads() or settings.get_inter_op_parallelism_threads()
    if chosen or "TF_NUM_INTRAOP_THREADS" in os.environ or "TF_NUM_INTEROP_THREADS" in os.environ or in_ipython():
        return
    with graph.as_default():
        weights = sum(variable.shape.num_elements() or 0 for variable in tf.trainable_variables())
    convolves = any(operation.type == "Conv2D" for operation in graph.get_operations())
    is_small = weights < SMALL_NETWORK and not convolves
    with contextlib.suppress(RuntimeError):  # TensorFlow has its threads already
        if is_small:
            settings.set_intra_op_parallelism_threads(1)
        if is_small or (convolves and not tf.__version__.startswith("1.")):
            settings.set_inter_op_parallelism_threads(-1)  # in the thread that calls session.run


if __name__ != "__main__":  # the window's own process has no use for TensorFlow
    tf = import_tensorflow_quietly()

# -------------------------------------------------------------------------------------------------- pictures of digits

# The labels of misrecognised digits: 0 to 9, 5 x 7 pixels each
LABEL_SHAPES = """
.###. ..#.. .###. .###. ...#. ##### ..##. ##### .###. .###.
#...# .##.. #...# #...# ..##. #.... .#... ....# #...# #...#
#..## ..#.. ....# ....# .#.#. ####. #.... ...#. #...# #...#
#.#.# ..#.. ...#. ..##. #..#. ....# ####. ..#.. .###. .####
##..# ..#.. ..#.. ....# ##### ....# #...# ..#.. #...# ....#
#...# ..#.. .#... #...# ...#. #...# #...# ..#.. #...# ...#.
.###. .###. ##### .###. ...#. .###. .###. ..#.. .###. .##..
"""
WHITE, RED = (255.0, 255.0, 255.0), (255.0, 160.0, 160.0)  # behind recognised and misrecognised digits
GREY = 200  # a picture that nobody sees
BLACK, BLUE, DARK_RED = (0.0, 0.0, 0.0), (0.0, 40.0, 150.0), (150.0, 0.0, 0.0)  # digits, correct and computed labels


LABEL_TOP = 20  # the labels are on the rows from here on


def label_strips(column):
    """The ten labels, each on the lowest rows of a tile from that column on: ones and zeros, float32 [10, 8, 28, 1]."""
    rows = [line.split() for line in LABEL_SHAPES.split("\n")[1:8]]  # 7 lines of 10 pieces of 5 characters
    strips = np.zeros([10, 28 - LABEL_TOP, 28, 1], dtype=np.float32)
    for label in range(10):
        strips[label, :7, column : column + 5, 0] = [[c == "#" for c in row[label]] for row in rows]
    return strips


def paint(picture, mask, colour):
    """The picture [..., 3] with colour put over it where mask [..., 1] is 1, in part where it is between 0 and 1."""
    return picture + mask * (np.float32(colour) - picture)


class Audience:
    """Whether anybody will see the pictures of digits that come next. TensorFlow leaves out those that nobody sees."""

    watches = True


audience = Audience()


def tf_format_mnist_images(X, Y, Y_, n=100, lines=10):
    """A tensor with a picture of n images on that many lines, the misrecognised ones first.

    Recognised digits are on white, misrecognised ones on red, with the correct label small on the left and the
    computed one on the right. The picture is plain grey, which costs no time, while a script hands its pictures to a
    MnistDataVis that shows none: in text-only mode, or until it is time for a new one in the window.

    X: tensor float32 [images, 28, 28, 1], 0 to 1; Y: [images, 10], the computed probabilities (or logits);
    Y_: [images, 10], the correct one-hot labels. The first n images of that order are shown, and white where there
    are fewer.
    Returns a tensor uint8 [lines * 28, n / lines * 28, 3]: [280, 280, 3] as it is, [700, 1120, 3] for n=1000, lines=25.
    Raises ValueError if n images do not fill that many lines, or a tensor is not of its shape or type.
    """
    if n < 1 or lines < 1 or n % lines:
        raise ValueError(f"tf_format_mnist_images: n={n} images do not fill lines={lines}, expected a multiple")
    X, Y, Y_ = (tf.convert_to_tensor(tensor) for tensor in (X, Y, Y_))
    for name, tensor, shape in (("X", X, [None, 28, 28, 1]), ("Y", Y, [None, 10]), ("Y_", Y_, [None, 10])):
        if not tensor.shape.is_compatible_with(shape):
            expected = str(shape).replace("None", "images")
            raise ValueError(f"tf_format_mnist_images: {name} has the shape {tensor.shape}, expected {expected}")
    if not X.dtype.is_floating:
        raise ValueError(f"tf_format_mnist_images: X is {X.dtype.name}, expected float32, from 0 to 1")
    picture = tf.cond(
        tf.ensure_shape(tf.numpy_function(lambda: audience.watches, [], tf.bool), []),
        lambda: picture_of_digits(X, Y, Y_, n, lines),
        lambda: tf.fill([lines * 28, n // lines * 28, 3], tf.constant(GREY, tf.uint8)),
    )
    return tf.ensure_shape(picture, [lines * 28, n // lines * 28, 3])


def picture_of_digits(X, Y, Y_, n, lines):
    """The tensor that tf_format_mnist_images promises."""
    X = tf.cast(X, tf.float32)
    computed, correct = tf.argmax(Y, axis=1), tf.argmax(Y_, axis=1)  # [images]
    wrong = tf.not_equal(computed, correct)
    order = tf.concat([tf.where(wrong), tf.where(tf.logical_not(wrong))], axis=0)[:n, 0]  # [up to n]
    ink = tf.gather(X, order)  # [up to n, 28, 28, 1]
    misrecognised = tf.minimum(tf.reduce_sum(tf.cast(wrong, tf.int32)), tf.shape(order)[0])  # they come first
    colourful = order[:misrecognised]
    frame = np.pad(np.ones([26, 26, 1], np.float32), [(1, 1), (1, 1), (0, 0)], "constant")  # 0 at the edges of a tile
    red = paint(paint(WHITE, frame, RED), ink[:misrecognised], BLACK)  # [misrecognised, 28, 28, 3]
    strip = paint(red[:, LABEL_TOP:], tf.gather(label_strips(1), tf.gather(correct, colourful)), BLUE)
    strip = paint(strip, tf.gather(label_strips(22), tf.gather(computed, colourful)), DARK_RED)
    red = tf.concat([red[:, :LABEL_TOP], strip], axis=1)
    white = paint(WHITE[:1], ink[misrecognised:], BLACK[:1])  # [the others, 28, 28, 1], one value for all three colours
    white = tf.tile(tf.cast(white, tf.uint8), [1, 1, 1, 3])
    tiles = tf.concat([tf.cast(red, tf.uint8), white], axis=0)
    blank = n - tf.shape(tiles)[0]
    tiles = tf.pad(tiles, [[0, blank], [0, 0], [0, 0], [0, 0]], constant_values=255)
    columns = n // lines
    rows = tf.transpose(tf.reshape(tiles, [lines, columns, 28, 28, 3]), [0, 2, 1, 3, 4])
    return tf.reshape(rows, [lines * 28, columns * 28, 3])


# ------------------------------------------------------------------------------------------------ the numbers of a run


def schedule(iterations, train_data_update_freq, test_data_update_freq, one_test_at_start, more_tests_at_start):
    """Yields (i, update_test_data, update_train_data) for i from 0 to iterations - 1, the last with both updates."""
    for i in range(iterations):
        update_train = i % train_data_update_freq == 0
        update_test = i % test_data_update_freq == 0 and (i > 0 or one_test_at_start)
        if more_tests_at_start and 0 < i < test_data_update_freq:
            update_test = update_train
        last = i == iterations - 1
        yield i, update_test or last, update_train or last


BUCKETS = 7  # bands of the weights and biases panels, each 100/7 % of the values


def probability_distribution(data):
    """The boundaries of 7 buckets with the same number of the data's values in each.

    data: array of numbers of any shape, one value or more; it stays as it is. Returns float64 [8]: the minimum, six
    quantiles (linearly interpolated between neighbouring values, as numpy.percentile does), the maximum; 8 times "not
    a number" if that is among the values. Raises ValueError for anything else.
    """
    values = checked_vector("probability_distribution", "data", data).ravel()
    with np.errstate(invalid="ignore"):  # infinite values make infinite boundaries, not warnings
        if np.isnan(values.max()):
            return np.full(BUCKETS + 1, np.nan)
        positions = np.linspace(0, values.size - 1, BUCKETS + 1)
        below, above = np.floor(positions).astype(int), np.ceil(positions).astype(int)
        ranks, places = np.unique([below, above], return_inverse=True)
        low, high = order_statistics(values, ranks)[places.reshape(2, -1)].astype(np.float64)
        return np.where(low == high, low, low + (positions - below) * (high - low))


HISTOGRAM_BINS = 4096
FEW_VALUES = 20_000  # numpy's partition is faster up to there


def order_statistics(values, ranks, divide=2):
    """The values of these ranks, ascending whole numbers from 0 for the smallest, as if all values were sorted.

    A histogram says how many values there are below each of its bins, so only the few bins that hold one of the ranks
    have to be put in order; such a bin is divided again, if that is allowed once more. It takes a quarter of the time
    of numpy.percentile.
    """
    low, high = np.float64(values.min()), np.float64(values.max())
    with np.errstate(all="ignore"):
        scale = HISTOGRAM_BINS / (high - low)
    # there is no scale if all values are equal, or some infinite
    if values.size <= FEW_VALUES or not (divide and 0 < scale < np.inf):
        return np.partition(values, ranks)[ranks]
    bins = ((values.astype(np.float64) - low) * scale).astype(np.int32)
    ends = np.cumsum(np.bincount(bins))  # so many values are in this bin or below
    bin_of_rank = np.searchsorted(ends, ranks, side="right")
    result = np.empty(len(ranks), values.dtype)
    for number in np.unique(bin_of_rank):
        members, wanted = values[bins == number], bin_of_rank == number
        places = ranks[wanted] - (ends[number] - members.size)
        result[wanted] = order_statistics(members, places, divide - 1)
    return result


# What scripts pass in is checked where it comes in, while the traceback still leads to their own line.


def checked_number(method, name, value):
    """The value as a number of numpy's, if it is one number."""
    array = as_array(value)
    if array.size != 1 or array.dtype.kind not in "fiub":
        raise ValueError(f"{method}: {name} is {described(value)}, expected one number")
    return array.ravel()[0]


def checked_iteration(method, x):
    """x as a number, if it is one that has a place on an axis."""
    x = checked_number(method, "x", x)
    if not np.isfinite(x):
        raise ValueError(f"{method}: x is {x}, expected the number of the iteration")
    return x


def checked_vector(method, name, value):
    """The value as an array, if it is one or more numbers."""
    array = as_array(value)
    if array.size < 1 or array.dtype.kind not in "fiu":
        raise ValueError(f"{method}: {name} is {described(value)}, expected a vector of numbers, [1 or more]")
    return array


def checked_picture(method, value):
    """The value as an array, if it is a picture."""
    array = as_array(value)
    if array.ndim != 3 or array.shape[2] != 3 or array.size == 0 or array.dtype != np.uint8:
        raise ValueError(f"{method}: im is {described(value)}, expected a picture, uint8 [height, width, 3]")
    return array


def as_array(value):
    try:
        return np.asarray(value)
    except (ValueError, TypeError, NotImplementedError):  # rows of different lengths, a tensor of the graph
        return np.array(None)


def described(value):
    if isinstance(value, (np.ndarray, np.generic)) and value.dtype != object and value.shape:
        return f"an array, {value.dtype} {list(value.shape)}"
    text = first_line(repr(value))
    return text if len(text) <= 60 else f"{text[:60]}…, a {type(value).__name__}"


# ------------------------------------------------------------------------------ what the drawing process keeps of a run

CAPACITY = 512  # rows of a series, enough for 10,000 iterations with an update every 20


class Series:
    """Numbers over iterations: rows [x, value, …], never more than CAPACITY and a few.

    When it is full, a function goes through four rows at a time and keeps two of them, and so it does from then on
    with the rows that come in: all parts of the run stay equally fine. The newest row is always there.
    """

    def __init__(self, width, keep_two_of_four):
        self.rows = np.empty([CAPACITY, width])
        self.length = 0
        self.keep_two_of_four = keep_two_of_four
        self.waiting = []  # for each halving so far: up to three newer rows, too few to go through it
        self.added = 0

    def add(self, *row):
        self.added += 1
        self.newest = row
        rows = [row]
        for waiting in self.waiting:
            waiting.extend(rows)
            if len(waiting) < 4:
                return
            rows = self.keep_two_of_four(np.array([waiting]))
            waiting.clear()
        self.rows[self.length : self.length + len(rows)] = rows
        self.length += len(rows)
        if self.length == CAPACITY:
            self.length //= 2
            self.rows[: self.length] = self.keep_two_of_four(self.rows.reshape(-1, 4, self.rows.shape[1]))
            self.waiting.append([])

    def values(self):
        """The rows, float64 [k, width]."""
        newer = [row for waiting in reversed(self.waiting) for row in waiting]
        if self.added and not (newer and newer[-1][0] == self.newest[0]):
            newer.append(self.newest)
        rows = self.rows[: self.length]
        if self.length and newer and rows[-1, 0] == newer[-1][0]:
            return rows
        return np.concatenate([rows, np.array(newer).reshape(-1, rows.shape[1])])


def lowest_and_highest(fours):
    """Keeps the extremes of a curve, and its gaps. fours: [k, 4, 2] of x and y; returns [2 k, 2]."""
    y = fours[..., 1]
    lowest = np.where(np.isnan(y), np.inf, y).argmin(axis=1)
    highest = y.argmax(axis=1)  # of "not a number", which makes a gap, that one
    kept = np.sort([lowest, highest], axis=0)
    kept[:, lowest == highest] = [[0], [3]]
    return fours[np.arange(len(fours)), kept].swapaxes(0, 1).reshape(-1, 2)


def first_and_third(fours):
    """Keeps every second one. fours: [k, 4, width]; returns [2 k, width]."""
    return fours[:, ::2].reshape(-1, fours.shape[2])


class History:
    """What there is to draw of a run so far."""

    def __init__(self):
        self.training = {"accuracy": Series(2, lowest_and_highest), "loss": Series(2, lowest_and_highest)}
        self.test = {"accuracy": Series(2, lowest_and_highest), "loss": Series(2, lowest_and_highest)}
        self.weights = Series(1 + BUCKETS + 1, first_and_third)
        self.biases = Series(1 + BUCKETS + 1, first_and_third)
        self.titles = {}  # number of a panel: the title that the script gave it on the way
        self.training_digits, self.test_digits = None, None  # uint8 [height, width, 3]
        self.learning_rate, self.epoch = None, None
        self.best_test_accuracy = None

    def add_training_point(self, x, accuracy, loss, learning_rate=None):
        self.add_point(self.training, x, accuracy, loss)
        self.learning_rate = learning_rate

    def add_test_point(self, x, accuracy, loss, epoch=None):
        self.add_point(self.test, x, accuracy, loss)
        self.epoch = epoch
        self.best_test_accuracy = max(self.best_test_accuracy or 0.0, accuracy)  # which may be "not a number"

    def add_point(self, curves, x, accuracy, loss):
        for quantity, value in (("accuracy", accuracy), ("loss", loss)):
            curves[quantity].add(x, value if np.isfinite(value) else np.nan)  # a gap in the curve

    def add_distributions(self, x, weights, biases, weights_title, biases_title):
        self.weights.add(x, *weights)
        self.biases.add(x, *biases)
        self.titles.update({number: title for number, title in ((4, weights_title), (5, biases_title)) if title})

    def set_training_digits(self, picture):
        self.training_digits = picture

    def set_test_digits(self, picture):
        self.test_digits = picture


class Pace:
    """How fast training is now: iterations a second over the last SPAN seconds of it, pauses left out."""

    SPAN = 10

    def __init__(self, iterations):
        self.iterations, self.i = iterations, 0
        self.recent = collections.deque()  # pairs (seconds, i)

    def set(self, i, seconds):
        self.i = i
        self.recent.append((seconds, i))
        while seconds - self.recent[0][0] > self.SPAN:
            self.recent.popleft()

    def rate(self):
        """Iterations a second; None as long as that can't be told."""
        (begin, first), (end, last) = self.recent[0], self.recent[-1]
        return (last - first) / (end - begin) if last > first and end > begin else None

    def parts(self):
        """What the status line says about it."""
        rate = self.rate() if self.recent else None
        if not rate or self.i == self.iterations:
            return []
        minutes, seconds = divmod(round((self.iterations - self.i) / rate), 60)
        hours, minutes = divmod(minutes, 60)
        left = f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
        return [f"{rate:,.0f} iterations/s" if rate >= 10 else f"{rate:.1f} iterations/s", f"{left} left"]


def status_texts(name, history, i, iterations, pace=(), state="training"):
    """The line at the bottom of the picture: the script and how well it does, and how far and how fast it is."""
    left, right = [name], [f"iteration {i:,} of {iterations:,}", *pace]
    if history.epoch is not None:
        left.append(f"epoch {history.epoch:.0f}")
    if history.best_test_accuracy is not None:
        left.append(f"best test accuracy {history.best_test_accuracy:.4f}")
    if state != "training":
        left.append(state.upper() if state in ("paused", "finished") else state)
    if history.learning_rate is not None:
        right.append(f"learning rate {history.learning_rate:.3g}")
    return [SEPARATOR.join(part.replace(" ", NO_BREAK) for part in parts) for parts in (left, right)]


SEPARATOR, NO_BREAK = " \u00b7 ", "\u00a0"  # lines break at separators only

# --------------------------------------------------------------------------------------------------------- the picture

COLOURS = {
    "training": "#2f6fb7",
    "test": "#d62728",
    "text": "#333333",
    "grid": "#e4e4e4",
    "frame": "#b0b0b0",
    "background": "white",
}
BAND_COLOURS = ("#1f4e9c", "#a0522d", "#c2188b", "#2e7d32", "#6a3d9a", "#00838f", "#b8860b")
TITLES = ("Accuracy", "Cross entropy loss", "Training digits", "Weights", "Biases", "Test digits")
LAYOUTS = {  # key: the panels it shows, as they stand in the window
    "0": [[1, 2, 3], [4, 5, 6]],
    "1": [[1]],
    "2": [[2]],
    "3": [[3]],
    "4": [[4]],
    "5": [[5]],
    "6": [[6]],
    "7": [[1, 2]],
    "8": [[4, 5]],
    "9": [[3, 6]],
}
SIZE = (19.2, 10.8)  # inches
MARGINS = {"left": 0.85, "right": 0.3, "top": 0.6, "bottom": 0.5}  # inches around each panel, in a window of that size
FONT_SIZES = {"title": 15, "ticks": 11, "legend": 12, "status": 12}  # points, in a window of that size
LINE_WIDTHS = {"training": 0.8, "test": 2.5, "frame": 0.8}  # points, in a window of that size
SCALES = (0.75, 3.0)  # all these grow with the window, and shrink with it no further than can be read
STATUS_CHARACTERS = (78, 82)  # of long texts at the bottom, left and right; where they do not fit, they are broken

# What a picture looks like and is about: titles of 6 panels, 2 indices into BAND_COLOURS, dots per inch, the script
Style = collections.namedtuple("Style", "titles band_colours dpi name")


class Picture:
    """The six panels and a line of text, drawn on a matplotlib figure from a History.

    iterations: how many the whole run has.
    """

    def __init__(self, figure, style, history, iterations):
        self.figure, self.history = figure, history
        colours = [BAND_COLOURS[number] for number in style.band_colours]
        axes = [figure.add_subplot(label=f"panel {number}") for number in range(1, 1 + len(TITLES))]
        curves = [[curve[quantity] for curve in (history.training, history.test)] for quantity in ("accuracy", "loss")]
        self.panels = [
            CurvesPanel(axes[0], curves[0], iterations, (0, 1), "lower right"),
            CurvesPanel(axes[1], curves[1], iterations, (0, 100), "upper right"),
            DigitsPanel(axes[2], lambda: history.training_digits),
            BandsPanel(axes[3], history.weights, iterations, colours[0]),
            BandsPanel(axes[4], history.biases, iterations, colours[1]),
            DigitsPanel(axes[5], lambda: history.test_digits, scale=(100, 90)),
        ]
        for panel, title in zip(self.panels, style.titles):
            panel.axes.set_title(title)
        self.status = StatusLine(figure)
        self.parts = [*self.panels, self.status]
        self.scale = None
        self.layout = LAYOUTS["0"]
        self.place_panels()
        figure.canvas.mpl_connect("draw_event", self.draw)

    def show_layout(self, key):
        """Shows the panels of LAYOUTS[key] and hides the others."""
        self.layout = LAYOUTS[key]
        self.place_panels()

    def fit_to_size(self):
        """The figure has another size."""
        for part in self.parts:
            part.backdrops.clear()
        self.place_panels()

    def place_panels(self):
        """Puts the panels of the layout into their places, for the size that the figure has now."""
        width, height = self.figure.get_size_inches()
        scale = min(max(min(width / SIZE[0], height / SIZE[1]), SCALES[0]), SCALES[1])
        if scale != self.scale:
            self.scale = scale
            for panel in self.panels:
                panel.set_scale(scale)
        status_height = self.status.place(width, height, scale)
        rows, columns = len(self.layout), len(self.layout[0])
        cell_width, cell_height = 1 / columns, (1 - status_height) / rows  # as parts of the figure
        margin = {side: inches * scale for side, inches in MARGINS.items()}
        left, right = (min(margin[side] / width, 0.2 * cell_width) for side in ("left", "right"))
        top, bottom = (min(margin[side] / height, 0.2 * cell_height) for side in ("top", "bottom"))
        inner = [left, bottom, cell_width - left - right, cell_height - top - bottom]
        places = {number: (row, column) for row, line in enumerate(self.layout) for column, number in enumerate(line)}
        for number, panel in enumerate(self.panels, start=1):
            if number in places:
                row, column = places[number]
                panel.show_at([column * cell_width, 1 - (row + 1) * cell_height, cell_width, cell_height], inner)
            else:
                panel.hide()
        self.rearranged = True

    def visible_parts(self):
        return [part for part in self.parts if part.is_visible()]

    def update(self, status):
        """Brings what can be seen up to date, status with two texts; returns the parts that have changed."""
        for number, title in self.history.titles.items():
            self.panels[number - 1].axes.title.set_text(title)
        visible = [panel for panel in self.panels if panel.is_visible()]
        changed = [panel for panel in visible if panel.update()]
        if self.rearranged:
            self.rearranged = False
            changed = visible
        return changed + [self.status] * self.status.update(status)

    def reset_zooms(self):
        for panel in self.panels:
            panel.reset_zoom()
        self.rearranged = True

    # matplotlib leaves animated artists out of its own drawing, and the parts consist of nothing else. So it only
    # clears the figure, and says so with a draw_event; and when little has changed, not even that is necessary.

    def draw(self, event):
        """Draws all parts, on a screen or for a file."""
        for part in self.visible_parts():
            if has_pixels(event.canvas) and not event.canvas.is_saving():
                part.draw_on_canvas()
            else:
                part.draw(event.renderer)

    def redraw(self, parts):
        """Draws only these parts, and shows them on the screen."""
        if not has_pixels(self.figure.canvas):
            return self.figure.canvas.draw()
        for part in parts:
            part.draw_on_canvas()
        for part in parts:
            self.figure.canvas.blit(part.extent())


def has_pixels(canvas):
    """Whether parts of a canvas can be remembered, and drawn apart."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    return isinstance(canvas, FigureCanvasAgg)


class Part:
    """A rectangle of the picture that is drawn by itself: what moves over a backdrop of what stands still.

    still: an artist that seldom changes. moving: what changes all the time: artists, or anything that has their draw.
    """

    def __init__(self, figure, still, moving):
        from matplotlib.patches import Rectangle

        self.figure, self.still, self.moving = figure, still, moving
        self.blank = Rectangle((0, 0), 1, 1, transform=figure.transFigure, facecolor=COLOURS["background"], linewidth=0)
        self.blank.set_figure(figure)
        self.backdrops = {}  # extent on the canvas: its pixels with all that stands still
        still.set_animated(True)

    def is_visible(self):
        return self.still.get_visible()

    def extent(self):
        return self.blank.get_window_extent()

    def draw(self, renderer):
        for artist in (self.blank, self.still, *self.moving):
            artist.draw(renderer)

    def draw_on_canvas(self):
        """Draws it on a canvas that can remember pixels: most of the time those of its backdrop are there already."""
        canvas, extent = self.figure.canvas, self.extent()
        renderer = canvas.get_renderer()
        self.forget_if_stale()
        if extent.bounds in self.backdrops:
            canvas.restore_region(self.backdrops[extent.bounds])
        else:
            self.blank.draw(renderer)
            self.still.draw(renderer)
            self.backdrops[extent.bounds] = canvas.copy_from_bbox(extent)
        for artist in self.moving:
            artist.draw(renderer)

    def forget_if_stale(self):
        """Forgets the backdrops, if anything changed in what stands still: so matplotlib marks that."""
        if self.still.stale:
            self.backdrops.clear()
            self.still.stale = False


class StatusLine(Part):
    """The text at the bottom: on the left what changes seldom, on the right what moves, in one line if there is room.

    Apart, because matplotlib takes its time for each letter.
    """

    def __init__(self, figure):
        setting = {"color": COLOURS["text"], "va": "center", "linespacing": 1.3}
        self.left, self.right = figure.text(0, 0, "", **setting), figure.text(0, 0, "", **setting)
        super().__init__(figure, self.left, moving=[self.right])
        self.right.set_animated(True)

    def place(self, width, height, scale):
        """Makes room for it in a figure of so many inches; returns its height, as a part of the figure's."""
        size = FONT_SIZES["status"] * scale
        line = size / 72  # inches
        margin = min(MARGINS["right"] * scale, 0.05 * width)
        self.characters = max(int((width - 2 * margin) / (0.6 * line)), 20)  # they are some 0.6 as wide as high
        lines = [-(-length // self.characters) for length in STATUS_CHARACTERS]
        in_one_line = sum(STATUS_CHARACTERS) <= self.characters
        part = min(((1 if in_one_line else sum(lines)) * 1.6 + 0.9) * line / height, 0.4)
        middles = (0.5, 0.5) if in_one_line else (1 - lines[0] / sum(lines) / 2, lines[1] / sum(lines) / 2)
        for text, middle in zip((self.left, self.right), middles):
            text.set_fontsize(size)
            text.set_position((margin / width, middle * part))
        if in_one_line:
            self.right.set_x(1 - margin / width)
        self.right.set_horizontalalignment("right" if in_one_line else "left")
        self.blank.set_bounds(0, 0, 1, part)
        return part

    def update(self, texts):
        """Takes in the two texts; returns whether one changed."""
        changed = False
        for artist, text in zip((self.left, self.right), texts):
            text = textwrap.fill(text, self.characters, break_long_words=False, break_on_hyphens=False)
            if text != artist.get_text():
                artist.set_text(text)
                changed = True
        return changed


class Panel(Part):
    """What all panels have in common. Theirs are update, which takes in new data, and reset_zoom."""

    def __init__(self, axes, moving):
        super().__init__(axes.figure, axes, moving)
        self.axes = axes
        for artist in moving:  # the axes do not know them: what they know stands still
            artist.set_figure(axes.figure)
            artist.set_transform(axes.transData)
            artist.set_clip_box(axes.bbox)
        axes.tick_params(left=False, bottom=False, colors=COLOURS["text"])
        for spine in axes.spines.values():
            spine.set_color(COLOURS["frame"])

    def show_at(self, cell, inner):
        """Shows it in a cell of the figure, the axes in an inner part of that; both [left, bottom, width, height]."""
        self.forget_if_stale()
        self.blank.set_bounds(*cell)
        self.axes.set_visible(True)
        self.axes.set_position([cell[0] + inner[0], cell[1] + inner[1], inner[2], inner[3]])
        self.axes.apply_aspect()  # a backdrop that is there already is not drawn, which would do it
        self.fit_to_place()
        self.axes.stale = False  # in each place it looks as it did there before

    def fit_to_place(self):
        """Brings up to date what depends on the size of the axes."""

    def hide(self):
        self.forget_if_stale()
        self.axes.set_visible(False)
        self.axes.stale = False

    def set_scale(self, scale):
        """Sizes of letters and lines go with the scale."""
        size = FONT_SIZES["title"] * scale
        # with a y, or matplotlib would look at each drawing whether there is anything to move the title away from
        self.axes.set_title(self.axes.get_title(), fontsize=size, color=COLOURS["text"], y=1, pad=0.4 * size)
        self.axes.tick_params(labelsize=FONT_SIZES["ticks"] * scale, pad=5 * scale)
        for spine in self.axes.spines.values():
            spine.set_linewidth(LINE_WIDTHS["frame"] * scale)


class IterationsPanel(Panel):
    """A panel with the iterations on the x axis. Its axes grow in steps, as each new range costs a new backdrop."""

    GROWTH = 1.6

    def __init__(self, axes, moving, iterations):
        super().__init__(axes, moving)
        self.iterations = iterations
        axes.locator_params(nbins=5)

    def set_scale(self, scale):
        super().set_scale(scale)
        self.axes.grid(color=COLOURS["grid"], linewidth=LINE_WIDTHS["frame"] * scale)

    def fit_x(self, xs):
        """Makes room for these iterations, and not too much, unless somebody zoomed: that turns autoscale off."""
        end = max([x[-1] for x in xs if len(x)], default=0)
        shortest, longest = max(end, self.iterations / 10), max(self.GROWTH * end, self.iterations / 10)
        left, right = self.axes.get_xlim()
        if self.axes.get_autoscalex_on() and not (left == 0 and shortest <= right <= longest):
            self.axes.set_xlim(0, longest if end > self.iterations else min(longest, self.iterations), auto=True)


class CurvesPanel(IterationsPanel):
    """Two curves over iterations, of the training and the test data."""

    def __init__(self, axes, curves, iterations, limits, legend_place):
        from matplotlib.lines import Line2D

        lines = [Line2D([], [], color=COLOURS[name], label=name) for name in ("training", "test")]
        super().__init__(axes, lines, iterations)
        self.curves, self.limits = curves, limits
        self.legend = axes.legend(handles=lines, loc=legend_place, labelcolor=COLOURS["text"])
        self.legend.set_draggable(True)
        self.reset_zoom()

    def update(self):
        """Takes in new data; returns whether there were any."""
        state = [curve.added for curve in self.curves]
        if state == self.shown:
            return False
        self.shown = state
        for curve, line in zip(self.curves, self.moving):
            line.set_data(*curve.values().T)
        self.fit_x([line.get_xdata() for line in self.moving])
        return True

    def set_scale(self, scale):
        super().set_scale(scale)
        for line, sample, text in zip(self.moving, self.legend.get_lines(), self.legend.get_texts()):
            for artist in (line, sample):
                artist.set_linewidth(LINE_WIDTHS[line.get_label()] * scale)
            text.set_fontsize(FONT_SIZES["legend"] * scale)

    def reset_zoom(self):
        self.shown = None
        self.axes.set_ylim(*self.limits)
        self.axes.autoscale(axis="x")


class BandsPanel(IterationsPanel):
    """The spread of many values over iterations: percentile bands, darker towards the median."""

    def __init__(self, axes, series, iterations, colour):
        from matplotlib.patches import Polygon

        middle = BUCKETS // 2
        strength = [1 - 0.8 * abs(k - middle) / (middle + 0.5) for k in range(BUCKETS)]
        polygons = [Polygon(np.zeros([1, 2]), facecolor=colour, alpha=alpha, linewidth=0) for alpha in strength]
        polygons[middle].set(edgecolor=colour, linewidth=0.8)  # to be seen also where all values are equal
        super().__init__(axes, polygons, iterations)
        self.series = series
        self.reset_zoom()

    def update(self):
        """Takes in new data; returns whether there were any."""
        if self.series.added == self.shown:
            return False
        self.shown = self.series.added
        rows = self.series.values()
        rows = rows[np.isfinite(rows).all(axis=1)]  # a loss that is not a number soon makes weights that are not
        x, boundaries = rows[:, 0], rows[:, 1:]  # [k], [k, 8]
        there_and_back = np.concatenate([x, x[::-1]])
        for polygon, low, high in zip(self.moving, boundaries.T[:-1], boundaries.T[1:]):
            polygon.set_xy(np.column_stack([there_and_back, np.concatenate([low, high[::-1]])]))
        self.fit_x([x])
        if x.size:
            self.fit_y(boundaries.min(), boundaries.max())
        return True

    def fit_y(self, low, high):
        """Makes room for these values, and not too much, unless somebody zoomed."""
        bottom, top = self.axes.get_ylim()
        gap = 0.15 * (high - low) or 0.1 * max(abs(high), 1)
        fits = bottom <= low and high <= top and top - bottom <= 2 * (high - low + gap)
        if self.axes.get_autoscaley_on() and not fits:
            self.axes.set_ylim(low - gap, high + gap, auto=True)

    def reset_zoom(self):
        self.shown = None
        self.axes.autoscale()


class DigitsPanel(Panel):
    """A picture of digits; scale=(100, 90) puts percent on its left side, from the top to the bottom."""

    def __init__(self, axes, get_picture, scale=None):
        super().__init__(axes, [])
        self.get_picture, self.scale = get_picture, scale
        self.picture = None  # the one that is shown
        self.moving = [DigitsImage(self), *axes.spines.values()]
        axes.set_aspect("equal")
        axes.set_xticks([])
        axes.set_yticks([])

    def update(self):
        """Takes in a new picture; returns whether there was one."""
        former, self.picture = self.picture, self.get_picture()
        if self.picture is former:
            return False
        if former is None or self.picture.shape != former.shape:
            self.reset_zoom()
            self.axes.apply_aspect()
            self.fit_to_place()
        return True

    def fit_to_place(self):
        """Marks as many of the percent as there is room for."""
        if self.scale and self.picture is not None:
            top, bottom = self.scale
            font_size = self.axes.title.get_fontsize() / 72 * self.figure.dpi  # pixels; of the marks, somewhat smaller
            room = self.axes.bbox.height / font_size
            step = next((step for step in (1, 2, 5) if (top - bottom) / step <= room), top - bottom)
            percent = np.arange(bottom, top + 1, step)
            self.axes.set_yticks((top - percent) / (top - bottom) * self.picture.shape[0])
            self.axes.set_yticklabels([f"{p}%" for p in percent])

    def reset_zoom(self):
        if self.picture is not None:
            height, width, _ = self.picture.shape
            self.axes.set_xlim(0, width)
            self.axes.set_ylim(height, 0)


class DigitsImage:
    """The picture of a DigitsPanel, as its axes show it. matplotlib's own image would take four times as long."""

    def __init__(self, panel):
        self.panel = panel

    def draw(self, renderer):
        from PIL import Image  # matplotlib, too, reads and writes pictures with it

        if self.panel.picture is None:
            return
        axes, (height, width, _) = self.panel.axes, self.panel.picture.shape
        left, right = np.clip(axes.get_xlim(), 0, width)
        bottom, top = np.clip(axes.get_ylim(), 0, height)  # y, as that of the picture, grows downwards
        place = axes.transData.transform([(left, bottom), (right, top)])  # [2, 2], x and y in pixels
        (x, y), size = place[0], np.rint((place[1] - place[0]) * renderer.get_image_magnification()).astype(int)
        if (size > 0).all():
            image = Image.fromarray(self.panel.picture).resize(size, Image.HAMMING, box=(left, top, right, bottom))
            pixels = np.array(image.convert("RGBA"))[::-1].copy()  # from the bottom to the top, as matplotlib wants it
            renderer.draw_image(renderer.new_gc(), round(x), round(y), pixels)


def file_picture(style, history, iterations):
    """A Picture on a figure of its own, for a file."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=SIZE, dpi=style.dpi, facecolor=COLOURS["background"])
    FigureCanvasAgg(figure)
    return Picture(figure, style, history, iterations)


# ------------------------------------------------------------------------------------------------- the drawing process

# Between messages, or in the middle of one, the other process has ended
BROKEN_PIPE = (EOFError, OSError, pickle.UnpicklingError)


class Show:
    """A way to show a run, in the process that draws. Messages, pairs of a name and arguments, call its methods."""

    def __init__(self, style, iterations, reply):
        self.style, self.iterations, self.reply = style, iterations, reply
        self.history = History()
        self.pace = Pace(iterations)
        self.i = 0
        self.state = "training"

    def run(self, stream):
        """Shows what comes in, until training has ended."""
        self.reply("ready")
        for messages in received(stream):
            self.take(messages)
            if messages[-1][0] == "end":
                return
        self.end("stopped")  # the training process is gone without a word

    def take(self, messages):
        """Calls the methods of these names: numbers of the run are the history's, everything else is its own."""
        for name, arguments in messages:
            getattr(self.history if hasattr(History, name) else self, name)(*arguments)

    def set_progress(self, i, seconds):
        """So many iterations are done, in so many seconds."""
        self.i = i
        self.pace.set(i, seconds)

    def status(self, live=True):
        """The texts of the status line. live: with the state and the pace, which are not the same on every run."""
        pace = self.pace.parts() if live and self.state == "training" else ()
        state = self.state if live else "training"
        return status_texts(self.style.name, self.history, self.i, self.iterations, pace, state)

    def end(self, state):
        """Training is over: it finished, or it was stopped."""


# -- in a window

KEYS = dict.fromkeys(LAYOUTS, "show_layout")
KEYS.update({"escape": "show_all", " ": "pause_or_resume", "h": "reset_zooms"})  # matplotlib has o and ctrl+s
TICK = 0.05  # seconds between two looks at the messages; keys do not wait for that
FRAME_INTERVALS = (0.1, 0.25)  # seconds between two frames, at least and at most
DRAWING_SHARE = 1 / 40  # of the time, between these two: training needs the processor more
WINDOWLESS_BACKENDS = {"agg", "cairo", "nbagg", "pdf", "pgf", "ps", "svg", "template"}


class WindowShow(Show):
    """The window: what came in is drawn a few times a second, and at once when somebody pressed a key."""

    def __init__(self, style, iterations, reply):
        super().__init__(style, iterations, reply)
        figure = self.figure = open_figure(style)
        self.picture = Picture(figure, style, self.history, iterations)
        self.messages = queue.Queue()
        self.next_frame = 0.0
        self.resized = True  # then it is not enough to draw what changed
        self.ready = False  # whether there is something to see
        self.timer = figure.canvas.new_timer(interval=int(1000 * TICK))
        self.timer.add_callback(self.tick)
        figure.canvas.mpl_connect("key_press_event", self.on_key)
        figure.canvas.mpl_connect("resize_event", self.on_resize)
        figure.canvas.mpl_connect("close_event", lambda event: self.close())

    def run(self, stream):
        """Shows what comes in, until the window is closed."""
        import matplotlib.pyplot as plt

        threading.Thread(target=self.receive, args=(stream,), daemon=True).start()
        self.timer.start()
        plt.show()
        self.close()  # if the back end did not say that the window was closed

    def receive(self, stream):
        over = False
        for messages in received(stream):
            name, arguments = messages[-1]
            over = name == "end" and arguments != ("finished",)  # then it may end, and the window stays
            self.messages.put(messages)
        if not over:  # the training process is gone without a word
            self.messages.put([("close", ())])

    def tick(self):
        import matplotlib.pyplot as plt

        if not plt.fignum_exists(self.figure.number):  # WebAgg has no close_event
            self.close()
        try:
            while not self.messages.empty():
                self.take(self.messages.get())
            if time.monotonic() >= self.next_frame:
                self.draw_frame()
        except Exception:  # it must show, and must not stop the timer: the next messages may be drawn again
            traceback.print_exc()
        return True  # WebAgg's timer goes on only then

    def draw_frame(self):
        """Draws what has changed, and decides when to do so again."""
        shortest, longest = FRAME_INTERVALS
        begun = time.monotonic()
        self.next_frame = begun + longest  # even if it fails
        changed = self.picture.update(self.status())
        if self.resized:
            self.resized = False
            self.figure.canvas.draw()
            if not self.ready:
                self.ready = True
                self.reply("ready")
        elif changed:
            self.picture.redraw(changed)
        duration = time.monotonic() - begun
        self.next_frame = begun + duration + min(max(duration / DRAWING_SHARE, shortest), longest)

    # keys

    def on_key(self, event):
        if event.key in KEYS:
            getattr(self, KEYS[event.key])(event.key)

    def show_layout(self, key):
        self.picture.show_layout(key)
        self.forget_views()
        self.draw_frame()

    def show_all(self, key):
        self.show_layout("0")

    def reset_zooms(self, key):
        self.picture.reset_zooms()
        self.forget_views()
        self.draw_frame()

    def forget_views(self):
        """Empties the tool bar's memory: its Home and Back would bring back the places of another layout, too."""
        toolbar = self.figure.canvas.manager.toolbar
        if toolbar:
            toolbar.update()

    def pause_or_resume(self, key):
        if self.ready and self.state in ("training", "paused"):
            self.state = "training" if self.state == "paused" else "paused"
            self.reply("paused" if self.state == "paused" else "resumed")
            self.draw_frame()

    # other events

    def on_resize(self, event):
        self.picture.fit_to_size()
        self.forget_views()
        self.resized = True

    # messages

    def end(self, state):
        self.state = state
        if state != "finished":  # the program may end without waiting for the window: let go of its terminal
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, 1)
            os.dup2(nowhere, 2)

    def close(self):
        """The window is closed, or has to be."""
        self.reply("closed")
        os._exit(0)  # and not return: the other thread waits for messages, and Python can't end in good order under it


NO_DISPLAY = "there is no display, the environment has no DISPLAY"


def open_figure(style):
    """A figure in a window of its own. Raises RuntimeError with the reason where there can't be one."""
    wished, has_screen = os.environ.get("MPLBACKEND"), {"DISPLAY", "WAYLAND_DISPLAY"} & set(os.environ)
    if sys.platform.startswith("linux") and not (has_screen or wished):
        raise RuntimeError(NO_DISPLAY)
    if wished and wished.lower() in WINDOWLESS_BACKENDS:
        raise RuntimeError(f"MPLBACKEND={wished} has no windows")
    try:
        import matplotlib
        import matplotlib.pyplot as plt

        figure = plt.figure(style.name, figsize=SIZE, dpi=style.dpi, facecolor=COLOURS["background"])
    except Exception as error:  # whatever a back end raises that can't be loaded
        reason = first_line(error).split(";")[0]
        if not wished:
            raise RuntimeError(reason)
        raise RuntimeError(
            f"MPLBACKEND={wished} can't be used ({reason}): unset MPLBACKEND, and one that works is found, or install "
            f"what it needs, with pip: PySide6 for QtAgg, tornado for WebAgg"
        )
    backend = plt.get_backend().lower()
    if backend in WINDOWLESS_BACKENDS:
        if sys.platform.startswith("linux") and not has_screen:
            raise RuntimeError(NO_DISPLAY)
        try_tk()  # it is what matplotlib takes where nothing else works
        raise RuntimeError(f"matplotlib's back end is {backend}, which has no windows")
    for name in matplotlib.rcParams:
        if name.startswith("keymap."):  # one meaning for each key
            matplotlib.rcParams[name] = [key for key in matplotlib.rcParams[name] if key not in KEYS]
    if backend == "webagg":
        matplotlib.rcParams["webagg.open_in_browser"] = bool(has_screen)  # over ssh it would be one in the terminal
        forgive_closed_pages()
    fit_to_screen(figure)
    return figure


def forgive_closed_pages():
    """Lets WebAgg go on when a page is closed while something is on its way to it.

    As it is, that fails in the middle of the drawing, and a page that is loaded at that moment stays empty.
    """
    from matplotlib.backends.backend_webagg import WebAggApplication
    from tornado.websocket import WebSocketClosedError, WebSocketHandler

    def write_message(self, *arguments, **options):
        with contextlib.suppress(WebSocketClosedError):
            written = WebSocketHandler.write_message(self, *arguments, **options)
            written.add_done_callback(lambda written: written.cancelled() or written.exception())

    WebAggApplication.WebSocket.write_message = write_message


def try_tk():
    """Opens and closes a window of Tk, the last back end that matplotlib tries: if it can't, its error says why."""
    try:
        import tkinter
    except ImportError as error:
        raise RuntimeError(f"{error}, install python3-tk, or PySide6 with pip")
    try:
        tkinter.Tk().destroy()
    except tkinter.TclError as error:
        raise RuntimeError(first_line(error))


CHROME = (20, 130)  # pixels of a screen that frames, title, tool bar and task bar may need beside the figure


def fit_to_screen(figure):
    """Makes the figure smaller where the screen is. What a screen's size is, only the toolkit's window knows."""
    window = getattr(figure.canvas.manager, "window", None)
    if hasattr(window, "winfo_screenwidth"):  # Tk
        unit = window.winfo_fpixels("1i") / 96  # matplotlib makes its pixels so many of the screen's
        screen = (window.winfo_screenwidth() / unit, window.winfo_screenheight() / unit)
    elif hasattr(window, "screen"):  # Qt
        available = window.screen().availableGeometry()
        screen = (available.width(), available.height())
    else:
        return
    size = figure.get_size_inches()
    room = [(pixels - chrome) / figure.dpi for pixels, chrome in zip(screen, CHROME)]
    shrink = min(1, room[0] / size[0], room[1] / size[1])
    if shrink < 1:
        figure.set_size_inches(size * shrink, forward=True)
        if hasattr(window, "winfo_screenwidth") and figure.canvas.manager.toolbar:
            figure.canvas.manager.toolbar.configure(width=1)  # or Tk would keep the window as wide as its tool bar was


# -- in a notebook, and in files


class NotebookShow(Show):
    """Pictures for a notebook, as replies; the training process puts them into their place there."""

    INTERVAL = 1  # seconds between two pictures, at least; and they may take a fifth of the time

    def __init__(self, style, iterations, reply):
        super().__init__(style, iterations, reply)
        self.picture = file_picture(style, self.history, iterations)
        self.next_picture = 0.0

    def take(self, messages):
        super().take(messages)
        if time.monotonic() >= self.next_picture:
            self.reply_picture()

    def reply_picture(self):
        begun = time.monotonic()
        self.picture.update(self.status())
        image = io.BytesIO()
        self.picture.figure.savefig(image, format="png")
        self.reply("picture", image.getvalue())
        now = time.monotonic()
        self.next_picture = now + max(self.INTERVAL, 4 * (now - begun))

    def end(self, state):
        self.state = state
        self.reply_picture()


class PictureFileShow(Show):
    """Where there is no screen: the picture of the whole run goes into a PNG file when it ends."""

    def end(self, state):
        picture = file_picture(self.style, self.history, self.iterations)
        picture.update(self.status(live=False))
        with open_unused(self.style.name, ".png") as file:
            try:
                picture.figure.savefig(file, format="png")
            except Exception:
                os.remove(file.name)  # no half a picture
                raise
        self.reply("saved", file.name)


class FilmShow(Show):
    """A film of the training, with a frame for each training update. It is the same however long they took."""

    PATH, FRAMES_PER_SECOND = "tensorflowvisu_video.mp4", 24

    def __init__(self, style, iterations, reply):
        super().__init__(style, iterations, reply)
        import matplotlib
        from matplotlib.animation import FFMpegWriter

        if not FFMpegWriter.isAvailable():
            matplotlib.rcParams["animation.ffmpeg_path"] = packaged_ffmpeg()
        self.picture = file_picture(style, self.history, iterations)
        self.kept = None
        if os.path.exists(self.PATH):
            with open_unused(*os.path.splitext(self.PATH)) as file:
                self.kept = file.name
            os.replace(self.PATH, self.kept)
        # for this codec matplotlib sees to even sizes; yuv420p is the one pixel format that every player knows; without
        # xerror ffmpeg would call it a success when the disk is full
        arguments = ["-pix_fmt", "yuv420p", "-xerror"]
        self.writer = FFMpegWriter(self.FRAMES_PER_SECOND, codec="h264", extra_args=arguments)
        self.writer.setup(self.picture.figure, self.PATH, dpi=style.dpi)

    def add_frame(self):
        """A training update is complete."""
        self.picture.update(self.status(live=False))
        self.writer.grab_frame()

    def end(self, state):
        try:
            self.writer.finish()
        except subprocess.CalledProcessError:
            raise RuntimeError("the program ffmpeg could not write it, perhaps the disk is full")
        self.reply("saved", self.PATH)
        if self.kept:
            self.reply("kept", self.kept)


def packaged_ffmpeg():
    """The path of the program that the Python package imageio-ffmpeg brings along."""
    try:
        import imageio_ffmpeg

        return imageio_ffmpeg.get_ffmpeg_exe()
    except (ImportError, RuntimeError):
        raise RuntimeError(
            "the program ffmpeg is missing: install it with apt, brew or choco, or with pip install imageio-ffmpeg"
        )


def open_unused(stem, suffix):
    """Opens the first of stem.png, stem_2.png, … that is not there yet: no run overwrites the result of another."""
    for number in itertools.count(1):
        with contextlib.suppress(FileExistsError):
            return open(stem + suffix if number == 1 else f"{stem}_{number}{suffix}", "xb")


# -- this file run as a program


def received(stream):
    """Yields what the training process sends, lists of messages, until it is gone."""
    with contextlib.suppress(*BROKEN_PIPE):
        while True:
            yield pickle.load(stream)


def run_drawing_process():
    """Shows what comes in through standard input: first the way to show it, the style and the number of iterations."""
    if sys.stdin.isatty():
        sys.exit("tensorflowvisu.py is for other scripts to import: run one of them, mnist_1.0_softmax.py for example")
    replies = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # whatever a back end prints must not get among the replies
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the training process, which then ends this one
    logging.getLogger("matplotlib").setLevel(logging.ERROR)  # no word of font caches among the script's own lines

    def reply(*words):
        with contextlib.suppress(OSError, ValueError):  # nobody is left to tell
            replies.write(pickle.dumps(words))

    try:
        way, style, iterations = pickle.load(sys.stdin.buffer)
    except BROKEN_PIPE:
        return  # the training process has ended already
    try:
        show = {"window": WindowShow, "notebook": NotebookShow, "picture": PictureFileShow, "film": FilmShow}[way]
        show(Style(*style), iterations, reply).run(sys.stdin.buffer)
    except Exception as error:  # no window, a full disk: the training process will say it, and train on
        reply("failed", getattr(error, "strerror", None) or first_line(error))


# ------------------------------------------------------------------------------- ways to show, in the training process


class Outbox:
    """Messages on their way to the drawing process, for its sender to take.

    replaceable: names of messages of which only the newest counts; so nothing piles up if the other end is slow or
    stuck. limit: messages that may wait, then put waits too.
    """

    def __init__(self, replaceable, limit):
        self.replaceable, self.limit = replaceable, limit
        self.messages = {}
        self.closed = False
        self.changed = threading.Condition()

    def put(self, name, arguments):
        with self.changed:
            while len(self.messages) >= self.limit and not self.closed:
                self.changed.wait(timeout=0.2)  # Windows lets no Ctrl-C into a wait without a timeout
            if not self.closed:
                self.messages[name if name in self.replaceable else object()] = (name, arguments)
                self.changed.notify_all()

    def take(self):
        """All messages, as soon as there are some; an empty list when it is closed and empty."""
        with self.changed:
            while not self.messages and not self.closed:
                self.changed.wait()
            messages, self.messages = list(self.messages.values()), {}
            self.changed.notify_all()
            return messages

    def close(self, *last):
        """Takes a last message, if there is one, and no more after it."""
        with self.changed:
            if last and not self.closed:
                self.messages[object()] = last
            self.closed = True
            self.changed.notify_all()


class DrawingProcess:
    """The training process's end of the process that draws: this file, run as a program."""

    STARTING_TIMEOUT = 60  # seconds; the first start of matplotlib may take some
    SENDING_INTERVAL = 0.25  # seconds to wait for more messages, which then go together

    def __init__(self, way, style, iterations, replaceable, limit, **variables):
        variables = dict(os.environ, **variables)
        if way != "window":
            variables["MPLBACKEND"] = "agg"  # whatever was asked for: it draws into files
        elif variables.get("MPLBACKEND", "").startswith("module://"):
            del variables["MPLBACKEND"]  # a notebook's own, which has no windows
        self.process = subprocess.Popen(
            [sys.executable, os.path.abspath(__file__)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=variables,
            start_new_session=os.name == "posix",  # the terminal's Ctrl-C is for the training process
        )
        # plain tuples, numbers and arrays only: to unpickle a class of this module, it would import TensorFlow
        with contextlib.suppress(OSError):  # if it has ended already, there will be no answer either
            pickle.dump((way, tuple(style), iterations), self.process.stdin)
            self.process.stdin.flush()
        self.hurry = threading.Event()  # not to wait for more messages
        self.outbox = Outbox(replaceable, limit)
        self.sender = threading.Thread(target=self.send_all, daemon=True)
        self.sender.start()

    def reply(self):
        """Waits for the next reply: a tuple of a word and what belongs to it; ("gone",) when there will be none."""
        try:
            return pickle.load(self.process.stdout)
        except BROKEN_PIPE:
            return ("gone",)

    def first_reply(self):
        patience = threading.Timer(self.STARTING_TIMEOUT, self.process.kill)
        patience.start()
        try:
            return self.reply()
        finally:
            patience.cancel()

    def send_all(self):
        try:
            for messages in iter(self.outbox.take, []):
                pickle.dump(messages, self.process.stdin, protocol=4)
                self.process.stdin.flush()
                self.hurry.wait(self.SENDING_INTERVAL)
        except OSError:  # it has ended
            pass
        finally:  # whatever ended it, nobody may wait for it
            self.outbox.close()
            with contextlib.suppress(OSError):
                self.process.stdin.close()  # or Python would try once more, and complain, when it ends

    def kill_after(self, seconds):
        try:
            self.process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()

    def send_last(self, name, *arguments):
        """Sends the last message; returns when it is gone, or when it stays in the pipe."""
        self.hurry.set()
        self.outbox.close(name, arguments)
        self.sender.join(timeout=2)


class Display:
    """A way to show a training. What animate calls, as most ways do it."""

    SHOW = None  # the name of its way to show, in run_drawing_process
    REPLACEABLE = ("set_training_digits", "set_test_digits", "set_progress")  # messages of which only the newest counts
    LIMIT = float("inf")  # messages that may wait for the drawing process, before training waits for it
    LAST_PATIENCE = 30  # seconds for the drawing process to end after Ctrl-C
    PICTURES_INTERVAL = 0.4  # seconds between two pictures of the same digits
    PROGRESS_INTERVAL = 0.1  # seconds between two messages of how far the training is, apart from its updates

    def __init__(self, process, iterations, closed=False):
        self.process, self.iterations = process, iterations
        self.closed = closed  # whether somebody has seen enough
        self.begun = time.monotonic()
        self.next_progress = 0.0
        self.next_pictures = collections.defaultdict(float)  # by the name of their message
        self.ended = threading.Event()  # the drawing process has said its last word
        if closed:
            self.ended.set()
        self.listener = threading.Thread(target=self.listen, daemon=True)
        self.listener.start()

    def listen(self):
        """Takes in the replies: calls the method on_… of each."""
        while not self.ended.is_set():
            word, *values = self.process.reply()
            getattr(self, f"on_{word}")(*values)

    def on_failed(self, reason):
        print(f"The training can't be shown any longer: {reason}. It goes on as text.", file=sys.stderr)

    def on_gone(self):
        self.ended.set()

    def send(self, name, *arguments):
        self.process.outbox.put(name, arguments)

    def wants_pictures(self, update_test_data, update_train_data):
        """Whether it is time for one of the pictures that such an iteration brings."""
        updates = {"set_test_digits": update_test_data, "set_training_digits": update_train_data}
        names = [name for name, update in updates.items() if update]
        now = time.monotonic()
        is_time = not names or any(now >= self.next_pictures[name] for name in names)
        if is_time:
            self.next_pictures.update((name, now + self.PICTURES_INTERVAL) for name in names)
        return is_time

    def is_paused(self):
        return False

    def wait_while_paused(self):
        """Returns when nobody has paused the training."""

    def show_progress(self, i, update_train_data):
        """So many iterations are done, and with the last of them a training update or not."""
        now = time.monotonic()
        if now >= self.next_progress or update_train_data:
            self.next_progress = now + self.PROGRESS_INTERVAL
            self.send("set_progress", i, now - self.begun)

    def end(self, state):
        """Training is over, "finished" or "stopped: …". Returns None, or what went wrong with showing it."""
        self.process.send_last("end", state)
        while not self.ended.wait(timeout=0.2):
            continue

    def close(self):
        """Training was stopped by Ctrl-C."""
        stuck = threading.Timer(self.LAST_PATIENCE, self.process.process.kill)
        stuck.start()
        self.end("stopped")
        stuck.cancel()


class Nothing(Display):
    """Where nothing can be shown, nor saved: training goes on as text."""

    def __init__(self):
        self.closed = False

    def send(self, name, *arguments):
        """There is nobody to send it to."""

    def wants_pictures(self, update_test_data, update_train_data):
        return False

    def show_progress(self, i, update_train_data):
        """There is nobody to show it to."""

    def end(self, state):
        """Nothing has to be ended."""

    def close(self):
        """Nothing has to be closed."""


class Window(Display):
    """A window. It stays when training is over, and the program with it, until somebody closes it."""

    SHOW = "window"

    def __init__(self, *arguments, **options):
        self.may_run = threading.Event()  # cleared while paused
        self.may_run.set()
        self.over = False  # whether training has ended
        super().__init__(*arguments, **options)

    def on_paused(self):
        self.may_run.clear()

    def on_resumed(self):
        self.may_run.set()

    def on_closed(self):
        self.closed = True
        self.ended.set()
        self.may_run.set()

    def on_gone(self):
        self.ended.set()
        self.may_run.set()
        if not self.over and not self.closed:
            print("The window's process ended by itself. Training goes on as text.", file=sys.stderr)

    def is_paused(self):
        return not self.may_run.is_set()

    def wait_while_paused(self):
        paused = time.monotonic()
        while not self.may_run.wait(timeout=0.2):  # with a timeout, as Windows lets no Ctrl-C into a wait without
            self.begun += time.monotonic() - paused
            paused = time.monotonic()

    def end(self, state):
        self.over = True
        if state == "finished":
            self.send("end", state)
            if not in_ipython():  # there, the program is not this script's to keep
                keep_open(self)
        else:
            self.process.send_last("end", state)

    def close(self):
        self.over = True
        self.process.send_last("close")
        self.process.kill_after(2)
        self.ended.set()


finished_windows = []  # the program stays as long as one of them is open


def keep_open(window):
    if not finished_windows:
        atexit.register(wait_until_closed)
    finished_windows.append(window)


def wait_until_closed():
    try:
        if not all(window.ended.is_set() for window in finished_windows):
            print("Finished. The window stays open; close it, or press Ctrl-C here, to end the program.", flush=True)
        for window in finished_windows:
            while not window.ended.wait(timeout=0.2):
                continue
    except KeyboardInterrupt:
        close_finished_windows()


def close_finished_windows():
    for window in finished_windows:
        window.close()


class Notebook(Display):
    """A picture under the cell of a notebook, in the place of the one before."""

    SHOW = "notebook"

    def __init__(self, *arguments, **options):
        self.pictures = queue.Queue()
        self.handle = None
        super().__init__(*arguments, **options)

    def on_picture(self, image):
        self.pictures.put(image)

    def show_progress(self, i, update_train_data):
        super().show_progress(i, update_train_data)
        self.show_newest()

    def show_newest(self):
        """In this thread, the one that runs the cell: only what it shows is sure to get to the cell's output."""
        from IPython.display import Image, display

        image = None
        while not self.pictures.empty():
            image = self.pictures.get()
        if image and self.handle:
            self.handle.update(Image(image))
        elif image:
            self.handle = display(Image(image), display_id=True)

    def end(self, state):
        super().end(state)
        self.show_newest()


class PictureFile(Display):
    """Where there is no screen: a file with the picture of the whole run."""

    SHOW = "picture"
    WHAT = "The picture with the training curves and digits"

    def __init__(self, *arguments, **options):
        self.path, self.failure = None, None
        super().__init__(*arguments, **options)

    def on_saved(self, path):
        self.path = path

    def on_failed(self, reason):
        self.failure = f"{self.WHAT} can't be saved in {os.getcwd()} ({reason})"

    def end(self, state):
        super().end(state)
        if self.path:
            print(f"{self.WHAT} is saved as {self.path}")
        elif not self.failure:
            self.on_failed("its process ended by itself")
        return self.failure


class Film(PictureFile):
    """A film of the training, and a bar that says how much of it there is."""

    SHOW = "film"
    REPLACEABLE = ()  # each update is a frame
    PICTURES_INTERVAL = 0
    LIMIT = 20
    WHAT = "The film of the training"
    BAR = 12  # characters, few enough for a line of a script to cover it

    def on_kept(self, path):
        print(f"The film that was here before is kept as {path}")

    def show_progress(self, i, update_train_data):
        super().show_progress(i, update_train_data)
        if update_train_data:
            self.send("add_frame")
            done = self.BAR * i // self.iterations
            bar = f"film [{'#' * done}{'-' * (self.BAR - done)}] {100 * i // self.iterations:3} %"
            end = "\n" if i == self.iterations else "\r"  # the next line of the script takes its place
            print(bar, end=end, file=sys.stderr, flush=True)


def in_ipython():
    """Whether this runs in an IPython kernel: a notebook, Spyder. (Its terminal is one like any other.)"""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    return getattr(shell, "kernel", None) is not None


def in_notebook():
    """Whether there is a notebook for pictures. Spyder has a screen, and can't replace a picture by a newer one."""
    return in_ipython() and "spyder_kernels" not in sys.modules


class NoDisplay(Exception):
    """A way to show a run can't be used; its text is the reason."""


class Crash(NoDisplay):
    """Its process ended before it could say a reason."""


def start(way, style, iterations, **variables):
    """A display of this class, with a process of its own. Raises NoDisplay."""
    try:
        process = DrawingProcess(way.SHOW, style, iterations, way.REPLACEABLE, way.LIMIT, **variables)
    except OSError as error:
        raise NoDisplay(first_line(error))
    word, *values = process.first_reply()
    if word in ("ready", "closed"):
        return way(process, iterations, closed=word == "closed")
    process.outbox.close()
    process.kill_after(2)
    if word == "failed":
        raise NoDisplay(*values)
    raise Crash(f"its process ended with status {process.process.returncode}")


def start_window(style, iterations):
    try:
        return start(Window, style, iterations)
    except Crash:
        if "MPLBACKEND" in os.environ:
            raise
    # matplotlib's first choice may end the program, as Qt does without some of its system libraries
    return start(Window, style, iterations, MPLBACKEND="TkAgg")


def open_display(style, iterations, save_movie):
    """The way to show a run: the one that was asked for, or that this place allows."""
    try:
        if save_movie:
            return start(Film, style, iterations)
        return start(Notebook, style, iterations) if in_notebook() else start_window(style, iterations)
    except NoDisplay as error:
        if save_movie:
            sys.exit(f"save_movie=True can't make {FilmShow.PATH}: {error}")
        reason = str(error)
    try:
        display = start(PictureFile, style, iterations)
    except NoDisplay:
        print(f"No window: {reason}. Training goes on as text.", flush=True)
        return Nothing()
    print(f"No window: {reason}. Training goes on as text, and its picture is saved at the end.", flush=True)
    return display


# -------------------------------------------------------------------------------------------- TensorBoard, and numbers


CURVES = ("training", "test")
Curve = collections.namedtuple("Curve", "iteration accuracy loss learning_rate")


class TensorBoardLog:
    """What a script hands over, as event files for TensorBoard: a folder for each curve, so that they share charts."""

    SHARE = 1 / 160  # of the time, for each kind of histogram and picture: they come as often as that allows
    BINS = 60

    def __init__(self, logdir, name, graph):
        self.folder = os.path.join(logdir, time.strftime(f"{name}-%Y%m%d-%H%M%S"))
        while True:  # another run of the same script may start in the same second
            try:
                os.makedirs(self.folder)
                break
            except FileExistsError:
                self.folder += "-2"
        self.writers = {
            curve: tf.summary.FileWriter(os.path.join(self.folder, curve), flush_secs=10) for curve in CURVES
        }
        self.writers["training"].add_graph(graph)
        self.due = collections.defaultdict(float)  # when there is time for the next one of a tag
        atexit.register(self.close)

    def close(self):
        for writer in self.writers.values():
            writer.close()

    def wants(self, *tags):
        """Whether there is time for one of these tags."""
        return any(time.monotonic() >= self.due[tag] for tag in tags)

    def add_point(self, curve, x, *values):
        """Adds the values of a Curve, as many as there are."""
        scalars = zip(Curve._fields[1:], values)
        self.write(curve, x, [tf.Summary.Value(tag=tag, simple_value=value) for tag, value in scalars])

    def add_histogram(self, x, tag, values):
        """Adds the histogram of an array of numbers, if there is time for one."""
        if self.wants(tag):
            with self.taking_time_for(tag):
                values = values[np.isfinite(values)].astype(np.float64)
                if values.size:
                    counts, edges = np.histogram(values, bins=self.BINS)
                    histogram = tf.HistogramProto(
                        min=edges[0],
                        max=edges[-1],
                        num=values.size,
                        sum=values.sum(),
                        sum_squares=np.square(values).sum(),
                        bucket_limit=edges[1:],
                        bucket=counts,
                    )
                    self.write("training", x, [tf.Summary.Value(tag=tag, histo=histogram)])

    def add_picture(self, curve, x, tag, picture):
        """Adds a picture, uint8 [height, width, 3], if there is time for one."""
        if self.wants(tag):
            from PIL import Image

            with self.taking_time_for(tag):
                png = io.BytesIO()
                Image.fromarray(picture).save(png, "png", compress_level=1)  # the fastest
                height, width, _ = picture.shape
                image = tf.Summary.Image(height=height, width=width, colorspace=3, encoded_image_string=png.getvalue())
                self.write(curve, x, [tf.Summary.Value(tag=tag, image=image)])

    def write(self, curve, x, values):
        self.writers[curve].add_summary(tf.Summary(value=values), int(x))

    @contextlib.contextmanager
    def taking_time_for(self, tag):
        begun = time.monotonic()
        yield
        ended = time.monotonic()
        self.due[tag] = ended + (ended - begun) / self.SHARE


def open_tensorboard_log(name):
    """The log that the environment variable TENSORBOARD_LOGDIR asks for, or None."""
    logdir = os.environ.get("TENSORBOARD_LOGDIR")
    if not logdir:
        return None
    try:
        return TensorBoardLog(logdir, name, tf.get_default_graph())
    except OSError as error:
        sys.exit(
            f"TENSORBOARD_LOGDIR is {logdir!r}, where no event files can be written ({first_line(error)}): name a "
            f"folder that you may write to"
        )


class Curves:
    """The numbers of the training and of the test curve, all of them."""

    def __init__(self):
        self.numbers = {curve: array.array("d") for curve in CURVES}  # row after row, each a Curve of numbers

    def add_point(self, curve, x, accuracy, loss, learning_rate=np.nan):
        self.numbers[curve].extend((x, accuracy, loss, learning_rate))

    def arrays(self):
        return {curve: Curve(*np.array(rows).reshape(-1, len(Curve._fields)).T) for curve, rows in self.numbers.items()}

    def save(self, path):
        with open(path, "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(("curve",) + Curve._fields)
            for curve, columns in self.arrays().items():
                for *row, learning_rate in zip(*columns):
                    row.append("" if np.isnan(learning_rate) else learning_rate)
                    writer.writerow([curve] + [value if value == "" else f"{value:.7g}" for value in row])


# --------------------------------------------------------------------------------------------------- what scripts call


class MnistDataVis:
    """Records a training, and shows it live while animate runs.

    With TENSORBOARD_LOGDIR=runs in the environment it also writes event files for TensorBoard, in text-only mode too:
    "tensorboard --logdir runs" shows accuracy and loss, the learning rate, histograms of weights and biases, the two
    pictures of digits, and the graph, each run under the name of the script and the time.

    title1 to title6: titles of the panels in place of the usual ones. histogram4colornum, histogram5colornum: the
    colours of the weights and biases panels, 0 to 6. dpi: dots per inch, for a window of 19.2 x 10.8 inches.
    """

    def __init__(
        self,
        title1=None,
        title2=None,
        title3=None,
        title4=None,
        title5=None,
        title6=None,
        histogram4colornum=None,
        histogram5colornum=None,
        dpi=70,
    ):
        titles = list(TITLES)
        for number, title in enumerate((title1, title2, title3, title4, title5, title6)):
            if title:
                titles[number] = str(title)
        band_colours = [histogram4colornum, histogram5colornum]
        for place, number in enumerate(band_colours):
            if number is None:
                band_colours[place] = place
            elif not isinstance(number, numbers.Integral) or not 0 <= number < len(BAND_COLOURS):
                raise ValueError(f"MnistDataVis: histogram colour {number!r}, expected 0 to {len(BAND_COLOURS) - 1}")
        if not isinstance(dpi, numbers.Real) or not 10 <= dpi <= 1000:
            raise ValueError(f"MnistDataVis: dpi is {dpi!r}, expected a number from 10 to 1000")
        name, suffix = os.path.splitext(os.path.basename(sys.argv[0]))
        if suffix != ".py" or name.endswith("kernel_launcher"):  # in a notebook, for example
            name = "training"
        self._style = Style(titles, band_colours, dpi, name)
        suit_threads_to(tf.get_default_graph())
        self._curves = Curves()
        self._tensorboard = open_tensorboard_log(name)
        self._newest = dict.fromkeys(CURVES, 0)  # the last iteration of each curve, for pictures, which come without it
        self._best_test_accuracy = 0.0
        self._loss_was_finite = True
        self._display = None  # the way to show it, while animate runs

    def append_training_curves_data(self, x, accuracy, loss, learning_rate=None):
        """Adds a point to the two training curves; x is the iteration, the others are numbers as well.

        The line at the bottom of the window shows the learning rate, where there is one. Raises ValueError for
        anything but one number. In text-only mode the point is kept for get_history, like those of the test curves.
        """
        self._record_point("training", "add_training_point", x, accuracy, loss, "learning_rate", learning_rate)

    def append_test_curves_data(self, x, accuracy, loss, epoch=None):
        """Adds a point to the two test curves; x is the iteration, the others are numbers as well.

        The line at the bottom of the window shows the epoch, where there is one. Raises ValueError for anything but
        one number.
        """
        accuracy = self._record_point("test", "add_test_point", x, accuracy, loss, "epoch", epoch)
        self._best_test_accuracy = max(self._best_test_accuracy, accuracy)

    def append_data_histograms(self, x, datavect1, datavect2, title1=None, title2=None):
        """Adds the spread of all weights (panel 4) and all biases (panel 5) at iteration x.

        datavect1, datavect2: arrays of numbers, of any size. title1 and title2 are new titles of the two panels.
        Raises ValueError for anything else. In text-only mode nothing is computed of them.
        """
        method = "append_data_histograms"
        x = checked_iteration(method, x)
        vectors = [checked_vector(method, *pair) for pair in (("datavect1", datavect1), ("datavect2", datavect2))]
        if self._tensorboard:
            for tag, vector in zip(("weights", "biases"), vectors):
                self._tensorboard.add_histogram(x, tag, vector)
        if self._display:  # in text-only mode nobody would see it
            boundaries = [probability_distribution(vector) for vector in vectors]
            titles = [title and str(title) for title in (title1, title2)]
            self._display.send("add_distributions", x, *boundaries, *titles)

    def update_image1(self, im):
        """Shows the picture of the training digits (panel 3), uint8 [height, width, 3], or raises ValueError."""
        self._record_picture("training", "update_image1", im)

    def update_image2(self, im):
        """Shows the picture of the test digits (panel 6), uint8 [height, width, 3], or raises ValueError."""
        self._record_picture("test", "update_image2", im)

    def get_max_test_accuracy(self):
        """The best test accuracy so far, from 0 to 1; 0.0 when there was no test."""
        return self._best_test_accuracy

    def get_history(self):
        """All points of the curves so far: {"training": curve, "test": curve}.

        A curve has the arrays iteration, accuracy, loss and learning_rate, float64 [points]; where there was no
        learning rate it is "not a number".
        """
        return self._curves.arrays()

    def save_history(self, path):
        """Writes all points of the curves so far as a CSV file: curve, iteration, accuracy, loss, learning_rate."""
        try:
            self._curves.save(path)
        except OSError as error:
            sys.exit(f"The history can't be saved as {path} ({error.strerror}): name a file that you may write")

    def is_paused(self):
        """Whether the space key has paused the training."""
        return bool(self._display) and self._display.is_paused()

    def animate(
        self,
        compute_step,
        iterations,
        train_data_update_freq=20,
        test_data_update_freq=100,
        one_test_at_start=True,
        more_tests_at_start=False,
        save_movie=False,
    ):
        """Trains and shows: calls compute_step(i, update_test_data, update_train_data) for i = 0 … iterations - 1.

        update_train_data is true every train_data_update_freq iterations, update_test_data every
        test_data_update_freq, and both in the last. one_test_at_start=False leaves out the test of iteration 0;
        more_tests_at_start tests at each training update until the first regular test.

        Where no window can be opened it says why, trains all the same, and saves the picture as a PNG file.
        save_movie=True writes a film, tensorflowvisu_video.mp4, in place of the window; it needs the program ffmpeg.
        Returns when training is over, or when somebody closed the window; Ctrl-C ends the program with status 130.
        """
        for name, value in (
            ("iterations", iterations),
            ("train_data_update_freq", train_data_update_freq),
            ("test_data_update_freq", test_data_update_freq),
        ):
            if not isinstance(value, numbers.Integral) or value < 1:
                raise ValueError(f"animate: {name} is {value!r}, expected a whole number, 1 or more")
        steps = schedule(
            iterations, train_data_update_freq, test_data_update_freq, one_test_at_start, more_tests_at_start
        )
        failure = None
        try:
            self._display = open_display(self._style, iterations, save_movie)
            for i, update_test_data, update_train_data in steps:
                self._display.wait_while_paused()
                if self._display.closed:
                    break
                is_last = i == iterations - 1
                audience.watches = (
                    is_last
                    or self._display.wants_pictures(update_test_data, update_train_data)
                    or self._tensorboard_wants(*["training"] * update_train_data, *["test"] * update_test_data)
                )
                compute_step(i, update_test_data, update_train_data)
                self._display.show_progress(i + 1, update_train_data)
            failure = self._display.end("finished")
        except KeyboardInterrupt:
            print("\nStopped by Ctrl-C. Max test accuracy so far:", self.get_max_test_accuracy())
            if self._display:
                self._display.close()
            close_finished_windows()
            if not in_ipython():  # there it is the cell that is stopped, and nothing else
                sys.exit(130)  # what a shell expects of a program that Ctrl-C ended
        except (Exception, SystemExit) as error:
            if self._display:
                self._display.end(f"stopped: {type(error).__name__}, see the terminal")
            raise
        finally:
            self._display = None
            audience.watches = True
        if failure:
            sys.exit(f"{failure}: the max test accuracy was {self.get_max_test_accuracy()}")

    def _record_point(self, which, message, x, accuracy, loss, further_name, further):
        """Passes on a point of the training or test curves; returns the accuracy."""
        method = f"append_{which}_curves_data"
        point = [("x", x), ("accuracy", accuracy), ("loss", loss)] + [(further_name, further)] * (further is not None)
        x, accuracy, loss, *further = [checked_number(method, name, value) for name, value in point]
        checked_iteration(method, x)
        if not np.isfinite(loss) and self._loss_was_finite:
            self._loss_was_finite = False
            print(
                f"The {which} loss is {loss} at iteration {x:.0f}: take tf.nn.softmax_cross_entropy_with_logits, which "
                f"can't meet a log(0), or a smaller learning rate. Training goes on.",
                file=sys.stderr,
            )
        self._newest[which] = x
        learning_rate = further if which == "training" else []
        self._curves.add_point(which, x, accuracy, loss, *learning_rate)
        if self._tensorboard:
            self._tensorboard.add_point(which, x, accuracy, loss, *learning_rate)
        if self._display:
            self._display.send(message, x, accuracy, loss, *further)
        return accuracy

    def _record_picture(self, which, method, im):
        picture = checked_picture(method, im)
        if audience.watches:
            if self._tensorboard:
                self._tensorboard.add_picture(which, self._newest[which], f"{which}_digits", picture)
            if self._display:
                self._display.send(f"set_{which}_digits", picture.copy())  # sent later, when the script may change it
        if not self._display:  # text-only mode: does anybody want the next one?
            audience.watches = self._tensorboard_wants(*CURVES)

    def _tensorboard_wants(self, *curves):
        """Whether TensorBoard's log has time for a picture of one of these curves."""
        return bool(self._tensorboard) and self._tensorboard.wants(*(f"{curve}_digits" for curve in curves))


if __name__ == "__main__":
    run_drawing_process()
