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
How it works, and where to change what:

    History        the numbers of a run, and nothing else
    Picture        six panels drawn from a History; COLOURS and LAYOUTS say how and where
    WindowProcess  the process of the window: this file run as a program. It has the Picture, a History that grows
                   with the messages from the training process, and KEYS. Training never waits for it.
    Window         the training process's end of it
    PictureFile    in place of a window where there is no screen: a PNG file; Film, with save_movie: an MP4 file
    MnistDataVis   what a script calls: it records into a History, and shows it with one of the last three
"""

import atexit
import collections
import contextlib
import itertools
import logging
import numbers
import os
import pickle
import queue
import signal
import subprocess
import sys
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


def import_tensorflow_quietly():
    """Imports TensorFlow without its start-up logs, or ends the program with one sentence that says how to get it.

    Has to come before any other import of TensorFlow. TF_CPP_MIN_LOG_LEVEL=0 in the environment shows all logs.
    """
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
    try:
        import tensorflow.compat.v1 as tensorflow

        tensorflow.logging.set_verbosity(tensorflow.logging.ERROR)
    except Exception as error:  # not only ImportError: a protobuf or numpy that does not match raises others
        python = "{}.{}".format(*sys.version_info)
        sys.exit(
            f"TensorFlow can't be used with {sys.executable}, Python {python} ({first_line(error)}): install it with "
            f"'.venv/bin/pip install -r requirements.txt' and use .venv/bin/python, as install.txt describes"
        )
    return tensorflow


def first_line(error):
    """What an exception says, without the pages that some of them add."""
    return str(error).strip().split("\n")[0].rstrip(".") or type(error).__name__


logging.getLogger("matplotlib").setLevel(logging.ERROR)  # no word of font caches among the script's own lines
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
BLACK, BLUE, DARK_RED = (0.0, 0.0, 0.0), (0.0, 40.0, 150.0), (150.0, 0.0, 0.0)  # digits, correct and computed labels


def label_tiles(column):
    """The ten labels, each at the bottom of a tile from that column on, as ones and zeros, float32 [10, 28, 28, 1]."""
    rows = [line.split() for line in LABEL_SHAPES.split("\n")[1:8]]  # 7 lines of 10 pieces of 5 characters
    tiles = np.zeros([10, 28, 28, 1], dtype=np.float32)
    for label in range(10):
        tiles[label, 20:27, column : column + 5, 0] = [[c == "#" for c in row[label]] for row in rows]
    return tiles


def paint(picture, mask, colour):
    """The tensor picture [..., 3] with colour put over it where mask [..., 1] is 1, in part where it is between."""
    return picture + mask * (colour - picture)


def tf_format_mnist_images(X, Y, Y_, n=100, lines=10):
    """A tensor with a picture of n images on that many lines, the misrecognised ones first.

    Recognised digits are on white, misrecognised ones on red, with the correct label small on the left and the
    computed one on the right.

    X: tensor float32 [images, 28, 28, 1], 0 to 1; Y: [images, 10], the computed probabilities (or logits);
    Y_: [images, 10], the correct one-hot labels. The first n images of that order are shown, and white where there
    are fewer.
    Returns a tensor uint8 [lines * 28, n / lines * 28, 3]: [280, 280, 3] as it is, [700, 1120, 3] for n=1000, lines=25.
    Raises ValueError if n images do not fill that many lines, or X is not of this shape.
    """
    if n < 1 or lines < 1 or n % lines:
        raise ValueError(f"tf_format_mnist_images: n={n} images do not fill lines={lines}, expected a multiple")
    if not X.shape.is_compatible_with([None, 28, 28, 1]):
        raise ValueError(f"tf_format_mnist_images: X has the shape {X.shape}, expected [images, 28, 28, 1]")
    computed, correct = tf.argmax(Y, axis=1), tf.argmax(Y_, axis=1)  # [images]
    wrong = tf.not_equal(computed, correct)
    order = tf.concat([tf.where(wrong), tf.where(tf.logical_not(wrong))], axis=0)[:n, 0]  # [up to n]
    wrong, computed, correct = (tf.gather(vector, order) for vector in (wrong, computed, correct))
    ink = tf.gather(X, order)  # [up to n, 28, 28, 1]
    wrong = tf.reshape(tf.cast(wrong, tf.float32), [-1, 1, 1, 1])
    frame = np.pad(np.ones([26, 26, 1], np.float32), [(1, 1), (1, 1), (0, 0)], "constant")  # 0 at the edges of a tile
    tiles = paint(WHITE + tf.zeros_like(ink), wrong * frame, RED)  # [up to n, 28, 28, 3]
    tiles = paint(tiles, ink, BLACK)
    tiles = paint(tiles, wrong * tf.gather(label_tiles(1), correct), BLUE)
    tiles = paint(tiles, wrong * tf.gather(label_tiles(22), computed), DARK_RED)
    blank = n - tf.shape(tiles)[0]
    tiles = tf.pad(tf.cast(tiles, tf.uint8), [[0, blank], [0, 0], [0, 0], [0, 0]], constant_values=255)
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

    data: array of any shape, one value or more. Returns float64 [8]: the minimum, six quantiles (linearly
    interpolated between neighbouring values, as numpy.percentile does), the maximum.
    """
    with np.errstate(invalid="ignore"):  # infinite values make infinite boundaries, not warnings
        return np.percentile(data, np.linspace(0, 100, BUCKETS + 1))


class History:
    """What was recorded of a run so far. The window's process keeps a copy, by the same calls."""

    def __init__(self):
        self.training, self.test = Curve(), Curve()
        self.weights, self.biases = Bands(), Bands()
        self.training_digits, self.test_digits = None, None  # uint8 [height, width, 3]

    def add_training_point(self, x, accuracy, loss):
        self.training.add(x, accuracy, loss)

    def add_test_point(self, x, accuracy, loss):
        self.test.add(x, accuracy, loss)

    def add_distributions(self, x, weights, biases, weights_title, biases_title):
        self.weights.add(x, weights, weights_title)
        self.biases.add(x, biases, biases_title)

    def set_training_digits(self, picture):
        self.training_digits = picture

    def set_test_digits(self, picture):
        self.test_digits = picture

    def max_test_accuracy(self):
        """The best test accuracy so far; 0.0 when there was no test."""
        return max(self.test.accuracy, default=0.0)


class Curve:
    """Accuracy and loss over iterations, as lists of the same length."""

    def __init__(self):
        self.x, self.accuracy, self.loss = [], [], []

    def add(self, x, accuracy, loss):
        self.x.append(x)
        self.accuracy.append(accuracy)
        self.loss.append(loss)


class Bands:
    """Boundaries of the percentile bands over iterations: x [k], boundaries [k, 8], as lists; and a title."""

    def __init__(self):
        self.x, self.boundaries, self.title = [], [], None

    def add(self, x, boundaries, title):
        self.x.append(x)
        self.boundaries.append(boundaries)
        self.title = title or self.title


# --------------------------------------------------------------------------------------------------------- the picture

COLOURS = {"training": "#2f6fb7", "test": "#d62728", "text": "#333333", "grid": "#e4e4e4"}
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
MARGINS = {"left": 0.85, "right": 0.3, "top": 0.6, "bottom": 0.5}  # inches around each panel
STATUS_HEIGHT = 0.4  # inches

# What a picture looks like and is about: titles of 6 panels, 2 indices into BAND_COLOURS, dots per inch, the script
Style = collections.namedtuple("Style", "titles band_colours dpi name")


class Picture:
    """The six panels, drawn on a matplotlib figure from a History."""

    def __init__(self, figure, style, history):
        self.figure = figure
        panel_axes = [figure.add_subplot(label=title) for title in style.titles]
        colour4, colour5 = (BAND_COLOURS[number] for number in style.band_colours)
        self.panels = [
            CurvesPanel(panel_axes[0], history.training, history.test, "accuracy", (0, 1), "lower right"),
            CurvesPanel(panel_axes[1], history.training, history.test, "loss", (0, 100), "upper right"),
            DigitsPanel(panel_axes[2], lambda: history.training_digits),
            BandsPanel(panel_axes[3], history.weights, colour4),
            BandsPanel(panel_axes[4], history.biases, colour5),
            DigitsPanel(panel_axes[5], lambda: history.test_digits, scale=(100, 90)),
        ]
        for axes, title in zip(panel_axes, style.titles):
            axes.set_title(title, fontsize=15, color=COLOURS["text"], pad=10)
            axes.tick_params(labelsize=11, colors=COLOURS["text"])
        self.status = figure.text(0, 0, "", fontsize=12, color=COLOURS["text"], va="center")
        self.show_layout("0")

    def show_layout(self, key):
        """Shows the panels of LAYOUTS[key] and hides the others."""
        self.layout = LAYOUTS[key]
        self.place_panels()

    def place_panels(self):
        """Puts the panels of the layout into their places, for the size that the figure has now."""
        width, height = self.figure.get_size_inches()
        places = {number: (row, column) for row, line in enumerate(self.layout) for column, number in enumerate(line)}
        rows, columns = len(self.layout), len(self.layout[0])
        cell_width, cell_height = 1 / columns, (1 - STATUS_HEIGHT / height) / rows  # as parts of the figure
        left, right = (min(MARGINS[side] / width, 0.2 * cell_width) for side in ("left", "right"))
        top, bottom = (min(MARGINS[side] / height, 0.2 * cell_height) for side in ("top", "bottom"))
        for number, panel in enumerate(self.panels, start=1):
            panel.axes.set_visible(number in places)
            if number in places:
                row, column = places[number]
                x, y = column * cell_width + left, 1 - (row + 1) * cell_height + bottom
                panel.axes.set_position([x, y, cell_width - left - right, cell_height - top - bottom])
        self.status.set_position((left, STATUS_HEIGHT / height / 2))

    def update(self, status):
        """Brings all panels up to the history, and the line at the bottom to this text."""
        for panel in self.panels:
            panel.update()
        self.status.set_text(status)

    def reset_zooms(self):
        for panel in self.panels:
            panel.reset_zoom()


class CurvesPanel:
    """One quantity, "accuracy" or "loss", of the training and the test data over iterations."""

    def __init__(self, axes, training, test, quantity, limits, legend_place):
        self.axes, self.quantity, self.limits = axes, quantity, limits
        (training_line,) = axes.plot([], [], color=COLOURS["training"], linewidth=0.8, label=f"training {quantity}")
        (test_line,) = axes.plot([], [], color=COLOURS["test"], linewidth=2.5, label=f"test {quantity}")
        self.lines = ((training, training_line), (test, test_line))
        axes.grid(color=COLOURS["grid"])
        axes.legend(loc=legend_place, fontsize=12).set_draggable(True)
        self.reset_zoom()

    def update(self):
        for curve, line in self.lines:
            line.set_data(curve.x, getattr(curve, self.quantity))
        fit_x(self.axes, [curve.x for curve, _ in self.lines])

    def reset_zoom(self):
        self.axes.set_ylim(*self.limits)
        self.axes.autoscale(axis="x")


class BandsPanel:
    """The spread of many values over iterations: percentile bands, darker towards the median."""

    def __init__(self, axes, bands, colour):
        self.axes, self.bands = axes, bands
        middle = BUCKETS // 2
        strength = [1 - 0.8 * abs(k - middle) / (middle + 0.5) for k in range(BUCKETS)]
        self.polygons = [
            axes.fill([], [], facecolor=colour, alpha=alpha, edgecolor="none", zorder=2)[0] for alpha in strength
        ]
        axes.grid(color=COLOURS["grid"])
        self.reset_zoom()

    def update(self):
        if not self.bands.x:
            return
        x, boundaries = np.array(self.bands.x), np.array(self.bands.boundaries)  # [k], [k, 8]
        there_and_back = np.concatenate([x, x[::-1]])
        for polygon, low, high in zip(self.polygons, boundaries.T[:-1], boundaries.T[1:]):
            polygon.set_xy(np.column_stack([there_and_back, np.concatenate([low, high[::-1]])]))
        if self.bands.title:
            self.axes.title.set_text(self.bands.title)
        fit_x(self.axes, [x])
        finite = boundaries[np.isfinite(boundaries)]  # a loss that is not a number soon makes weights that are not
        if finite.size and self.axes.get_autoscaley_on():
            gap = 0.05 * (finite.max() - finite.min()) or 0.1
            self.axes.set_ylim(finite.min() - gap, finite.max() + gap, auto=True)

    def reset_zoom(self):
        self.axes.autoscale()


class DigitsPanel:
    """A picture of digits; scale=(100, 90) puts percent on its left side, from the top to the bottom."""

    def __init__(self, axes, get_picture, scale=None):
        self.axes, self.get_picture, self.scale = axes, get_picture, scale
        self.shown = np.full([1, 1, 3], 255, dtype=np.uint8)
        self.image = axes.imshow(self.shown)
        axes.set_xticks([])
        axes.set_yticks([])

    def update(self):
        picture = self.get_picture()
        if picture is None or picture is self.shown:
            return
        same_size = picture.shape == self.shown.shape
        self.shown = picture
        self.image.set_data(picture)
        if not same_size:
            self.fit(*picture.shape[:2])

    def fit(self, height, width):
        self.image.set_extent([0, width, height, 0])
        if self.scale:
            top, bottom = self.scale
            percent = np.arange(bottom, top + 1)
            self.axes.set_yticks((top - percent) / (top - bottom) * height)
            self.axes.set_yticklabels([f"{p}%" for p in percent])
        self.reset_zoom()

    def reset_zoom(self):
        left, right, bottom, top = self.image.get_extent()
        self.axes.set_xlim(left, right)
        self.axes.set_ylim(bottom, top)


def fit_x(axes, xs):
    """Scales the x axis to the data, unless somebody zoomed: that turns autoscale off."""
    ends = [x[-1] for x in xs if len(x)]
    if ends and axes.get_autoscalex_on():
        axes.set_xlim(0, max(max(ends), 1), auto=True)


# -------------------------------------------------------------------------------------------- the window's own process

FRAME_INTERVAL = 0.04  # seconds between two looks at the messages
DRAWING_SHARE = 1 / 4  # of the time, at most, goes into drawing: training needs the processor more
BROKEN_PIPE = (EOFError, OSError, pickle.UnpicklingError)  # between messages, or in the middle of one
WINDOWLESS_BACKENDS = {"agg", "cairo", "pdf", "pgf", "ps", "svg", "template"}


class WindowProcess:
    """The window, fed by messages: pairs of a method's name, of History or of this class, and its arguments."""

    def __init__(self, figure, style, iterations, messages, reply):
        self.figure, self.style, self.iterations = figure, style, iterations
        self.messages, self.reply = messages, reply
        self.history = History()
        self.picture = Picture(figure, style, self.history)
        self.state, self.i = "training", 0
        self.next_frame = 0.0
        self.timer = figure.canvas.new_timer(interval=int(1000 * FRAME_INTERVAL))
        self.timer.add_callback(self.tick)
        self.timer.start()
        figure.canvas.mpl_connect("key_press_event", self.on_key)
        figure.canvas.mpl_connect("resize_event", lambda event: self.picture.place_panels())
        figure.canvas.mpl_connect("close_event", lambda event: reply("closed"))

    KEYS = dict.fromkeys(LAYOUTS, "show_layout")
    KEYS.update({"escape": "show_all", " ": "pause_or_resume", "h": "reset_zooms"})  # matplotlib has o and ctrl+s

    def on_key(self, event):
        if event.key in self.KEYS:
            getattr(self, self.KEYS[event.key])(event.key)
            self.draw()

    def show_layout(self, key):
        self.picture.show_layout(key)
        self.forget_views()

    def show_all(self, key):
        self.show_layout("0")

    def reset_zooms(self, key):
        self.picture.reset_zooms()
        self.picture.place_panels()
        self.forget_views()

    def forget_views(self):
        """Empties the tool bar's memory: its Home and Back would bring back the places of another layout, too."""
        toolbar = self.figure.canvas.manager.toolbar
        if toolbar:
            toolbar.update()

    def pause_or_resume(self, key):
        if self.state in ("training", "paused"):
            self.state = "training" if self.state == "paused" else "paused"
            self.reply(self.state)

    def tick(self):
        """Takes in the messages that have arrived, and draws what they changed, when it is time."""
        try:
            if not self.messages.empty() and time.monotonic() >= self.next_frame:
                while not self.messages.empty():
                    name, arguments = self.messages.get()
                    getattr(self.history if hasattr(History, name) else self, name)(*arguments)
                if self.state != "closed":
                    self.draw()
        except Exception:  # it must show, and must not stop the timer: the next message may be drawn again
            traceback.print_exc()
        return True  # WebAgg's timer goes on only then

    def draw(self):
        begun = time.monotonic()
        self.picture.update(self.status_text())
        self.figure.canvas.draw()
        duration = time.monotonic() - begun
        self.next_frame = begun + duration / DRAWING_SHARE

    def status_text(self):
        parts = [self.style.name, f"iteration {self.i:,} of {self.iterations:,}"]
        if self.history.test.accuracy:
            parts.append(f"best test accuracy {self.history.max_test_accuracy():.4f}")
        if self.state != "training":
            parts.append(self.state)
        return "   ·   ".join(parts)

    # messages

    def set_iteration(self, i):
        self.i = i

    def finish(self):
        self.state = "finished"

    def fail(self, reason):
        self.state = f"stopped: {reason}"
        nowhere = os.open(os.devnull, os.O_WRONLY)  # the program ends without waiting: let go of its terminal
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)

    def close(self):
        import matplotlib.pyplot as plt

        self.state = "closed"
        plt.close(self.figure)


def run_window_process():
    """Opens the window and shows what comes in through standard input, until it is closed."""
    if sys.stdin.isatty():
        sys.exit("tensorflowvisu.py is for other scripts to import: run one of them, mnist_1.0_softmax.py for example")
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a back end prints must not get among the replies
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the training process, which then closes the window

    def reply(word):
        with contextlib.suppress(BrokenPipeError):  # nobody is left to tell
            pickle.dump(word, replies)
            replies.flush()

    try:
        style, iterations = pickle.load(sys.stdin.buffer)
    except BROKEN_PIPE:
        return  # the training process has ended already
    style = Style(*style)
    try:
        figure = open_figure(style)
    except Exception as error:  # whatever keeps a back end from working, training goes on without a window
        return reply(first_line(error))
    messages = queue.Queue()
    window = WindowProcess(figure, style, iterations, messages, reply)
    reply("open")
    threading.Thread(target=receive, args=(sys.stdin.buffer, messages), daemon=True).start()

    import matplotlib.pyplot as plt

    plt.show()
    if window.state != "closed":
        reply("closed")  # whatever the back end calls when a window is closed
    os._exit(0)  # and not return: the other thread waits for messages, and Python can't end in good order under it


def receive(stream, messages):
    """Puts what arrives into the queue, and closes the window when the training process is gone without a word."""
    orderly = False
    while True:
        try:
            message = pickle.load(stream)
        except BROKEN_PIPE:
            break
        orderly = message[0] in ("finish", "fail")
        messages.put(message)
    if not orderly:
        messages.put(("close", ()))


def open_figure(style):
    """A figure in a window of its own. Raises an exception with the reason where there can't be one."""
    import matplotlib.pyplot as plt

    if sys.platform.startswith("linux") and not {"DISPLAY", "WAYLAND_DISPLAY", "MPLBACKEND"} & set(os.environ):
        raise RuntimeError("there is no display, the environment has no DISPLAY")
    figure = plt.figure(style.name, figsize=SIZE, dpi=style.dpi, facecolor="white")
    backend = plt.get_backend().lower()
    if backend in WINDOWLESS_BACKENDS:
        if os.environ.get("MPLBACKEND", "").lower() != backend:  # nobody wished it so: matplotlib found nothing better
            try:
                import tkinter  # the last that it tries; its errors say what is missing
            except ImportError as error:
                raise RuntimeError(f"{error}, install python3-tk, or PySide6 with pip")
            tkinter.Tk().destroy()
        raise RuntimeError(f"matplotlib's back end is {backend}, which has no windows")
    return figure


# ------------------------------------------------------------------------------- ways to show, in the training process


class Display:
    """A way to show a training. What animate does with it, and what most ways have no use for."""

    closed = False  # whether somebody has seen enough

    def send(self, name, *arguments):
        """Passes on a call of one of History's or WindowProcess's methods."""

    def is_paused(self):
        return False

    def wait_while_paused(self):
        """Returns when nobody has paused the training."""

    def finish(self):
        """Training is over."""

    def fail(self, reason):
        """Training ended with an error."""

    def close(self):
        """Training was stopped by Ctrl-C."""
        self.finish()


OPENING_TIMEOUT = 60  # seconds for a window to open; the first start of matplotlib may take some


class NoWindow(Exception):
    """No window could be opened; the message says why."""


class Window(Display):
    """The training process's end of the window.

    Raises NoWindow if it can't be opened.
    """

    def __init__(self, style, iterations):
        answer = self.start_process(style, iterations)
        if answer != "open":
            self.process.kill()
            self.process.wait()
            raise NoWindow(answer)
        self.closed = False  # whether somebody closed it
        self.gone = False  # whether there is no window any more, for that or another reason
        self.over = False  # whether training has ended
        self.may_run = threading.Event()  # cleared while paused
        self.may_run.set()
        self.outbox = queue.Queue()
        self.sender = threading.Thread(target=self.send_all, daemon=True)
        self.sender.start()
        threading.Thread(target=self.listen, daemon=True).start()

    def start_process(self, style, iterations):
        """Starts the process of the window and returns its answer: "open", or why there is no window."""
        variables = dict(os.environ)
        if variables.get("MPLBACKEND", "").startswith("module://"):
            del variables["MPLBACKEND"]  # a notebook's own, which draws nothing in another process
        self.process = subprocess.Popen(
            [sys.executable, os.path.abspath(__file__)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=variables,
            start_new_session=os.name == "posix",  # the terminal's Ctrl-C is for the training process
        )
        patience = threading.Timer(OPENING_TIMEOUT, self.process.kill)
        patience.start()
        try:
            # plain tuples, numbers and arrays only: to unpickle a class of this module, it would import TensorFlow
            pickle.dump((tuple(style), iterations), self.process.stdin)
            self.process.stdin.flush()
            return pickle.load(self.process.stdout)
        except BROKEN_PIPE:
            return f"its process ended with status {self.process.wait()}"
        finally:
            patience.cancel()

    def send(self, name, *arguments):
        """Calls a method of the window's History or of WindowProcess, without waiting for it."""
        if not self.gone:
            self.outbox.put((name, arguments))

    def send_all(self):
        for message in iter(self.outbox.get, None):
            try:
                pickle.dump(message, self.process.stdin, protocol=4)
                self.process.stdin.flush()
            except OSError:  # the window was closed
                with contextlib.suppress(OSError):
                    self.process.stdin.close()  # or Python would try once more, and complain, when it ends
                return

    def listen(self):
        while not self.gone:
            try:
                answer = pickle.load(self.process.stdout)
            except BROKEN_PIPE:
                answer = "gone"
                if not self.over:
                    print("The window's process ended by itself. Training goes on as text.", file=sys.stderr)
            self.closed = answer == "closed"
            self.gone = answer in ("closed", "gone")
            if answer == "paused":
                self.may_run.clear()
            else:
                self.may_run.set()

    def is_paused(self):
        return not self.may_run.is_set()

    def wait_while_paused(self):
        while not self.may_run.wait(timeout=0.2):  # with a timeout, as Windows lets no Ctrl-C into a wait without
            continue

    def finish(self):
        """Tells the window that training is over. It stays, and the program with it, until somebody closes it."""
        self.over = True
        self.send("finish")
        atexit.register(self.wait_until_closed)

    def fail(self, reason):
        """Tells the window that training stopped with an error. It stays; the program need not."""
        self.over = True
        self.send("fail", reason)
        self.end_messages()

    def close(self):
        self.over = True
        self.send("close")
        self.end_messages()
        try:
            self.process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            self.process.kill()

    def end_messages(self):
        self.outbox.put(None)
        self.sender.join()

    def wait_until_closed(self):
        if not self.gone:
            print("Finished. The window stays open; close it to end the program.", flush=True)
        try:
            while self.process.poll() is None:
                time.sleep(0.1)
        except KeyboardInterrupt:
            self.close()


class PictureFile(Display):
    """Where there is no screen: the picture of the whole run goes into a PNG file when it ends."""

    def __init__(self, style, history):
        self.style, self.history = style, history

    def finish(self):
        picture = new_picture(self.style, self.history)
        picture.update(self.style.name)
        try:
            with open_unused(self.style.name, ".png") as file:
                picture.figure.savefig(file, format="png")
        except OSError as error:
            sys.exit(
                f"The picture can't be saved in {os.getcwd()} ({error.strerror}): run the script from a folder that "
                f"you may write to; its max test accuracy was {self.history.max_test_accuracy()}"
            )
        print(f"The training curves and digits are saved as {file.name}")


class Film(Display):
    """In place of a window: a film of the training, with a frame for each of its updates."""

    PATH, FRAMES_PER_SECOND = "tensorflowvisu_video.mp4", 24

    def __init__(self, style, history):
        from matplotlib.animation import FFMpegWriter

        if not FFMpegWriter.isAvailable():
            sys.exit("save_movie=True needs the program ffmpeg: install it (apt, brew or choco install ffmpeg)")
        self.name = style.name
        self.picture = new_picture(style, history)
        # yuv420p is the one pixel format that every player of H.264 knows
        self.writer = FFMpegWriter(self.FRAMES_PER_SECOND, codec="libx264", extra_args=["-pix_fmt", "yuv420p"])
        self.writer.setup(self.picture.figure, self.PATH, dpi=style.dpi)

    def send(self, name, *arguments):
        if name == "set_iteration":  # the last message of an update
            self.picture.update(f"{self.name}   ·   iteration {arguments[0]:,}")
            self.writer.grab_frame()

    def finish(self):
        self.writer.finish()
        print(f"The film of the training is saved as {self.PATH}")

    def fail(self, reason):
        self.writer.finish()


def new_picture(style, history):
    """A Picture on a figure of its own, for a file."""
    from matplotlib.figure import Figure

    return Picture(Figure(figsize=SIZE, dpi=style.dpi, facecolor="white"), style, history)


def open_unused(stem, suffix):
    """Opens the first of stem.png, stem_2.png, … that is not there yet: no run overwrites the result of another."""
    for number in itertools.count(1):
        with contextlib.suppress(FileExistsError):
            return open(stem + suffix if number == 1 else f"{stem}_{number}{suffix}", "xb")


# --------------------------------------------------------------------------------------------------- what scripts call


class MnistDataVis:
    """Records a training, and shows it live while animate runs.

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
        titles = [title or usual for title, usual in zip((title1, title2, title3, title4, title5, title6), TITLES)]
        band_colours = (histogram4colornum or 0, 1 if histogram5colornum is None else histogram5colornum)
        for number in band_colours:
            if number not in range(len(BAND_COLOURS)):
                raise ValueError(f"MnistDataVis: histogram colour {number!r}, expected 0 to {len(BAND_COLOURS) - 1}")
        name, suffix = os.path.splitext(os.path.basename(sys.argv[0]))
        name = name if suffix == ".py" else "training"  # in a notebook, for example
        self._style = Style(titles, band_colours, dpi, name)
        self._history = History()
        self._display = None  # a Window or a PictureFile, while animate runs

    def append_training_curves_data(self, x, accuracy, loss):
        """Adds a point to the two training curves; x is the iteration."""
        self._record("add_training_point", x, accuracy, loss)

    def append_test_curves_data(self, x, accuracy, loss):
        """Adds a point to the two test curves; x is the iteration."""
        self._record("add_test_point", x, accuracy, loss)

    def append_data_histograms(self, x, datavect1, datavect2, title1=None, title2=None):
        """Adds the spread of all weights (panel 4) and all biases (panel 5) at iteration x; 1-D arrays of any size.

        title1 and title2 are new titles of the two panels.
        """
        if self._display:  # in text-only mode nobody would see it
            boundaries1, boundaries2 = probability_distribution(datavect1), probability_distribution(datavect2)
            self._record("add_distributions", x, boundaries1, boundaries2, title1, title2)

    def update_image1(self, im):
        """Shows the picture of the training digits (panel 3), uint8 [height, width, 3]."""
        if self._display:
            self._record("set_training_digits", im)

    def update_image2(self, im):
        """Shows the picture of the test digits (panel 6), uint8 [height, width, 3]."""
        if self._display:
            self._record("set_test_digits", im)

    def get_max_test_accuracy(self):
        """The best test accuracy so far, from 0 to 1; 0.0 when there was no test."""
        return self._history.max_test_accuracy()

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
        try:
            self._display = Film(self._style, self._history) if save_movie else self._open_window(iterations)
            for i, update_test_data, update_train_data in steps:
                self._display.wait_while_paused()
                if self._display.closed:
                    break
                compute_step(i, update_test_data, update_train_data)
                if update_test_data or update_train_data:
                    self._display.send("set_iteration", i + 1)
            self._display.finish()
        except KeyboardInterrupt:
            print("\nStopped by Ctrl-C. Max test accuracy so far:", self.get_max_test_accuracy())
            if self._display:
                self._display.close()
            sys.exit(130)  # what a shell expects of a program that Ctrl-C ended
        except Exception as error:
            if self._display:
                self._display.fail(f"{type(error).__name__}, see the terminal")
            raise
        finally:
            self._display = None

    def _open_window(self, iterations):
        try:
            return Window(self._style, iterations)
        except NoWindow as reason:
            print(f"No window: {reason}. Training goes on as text, and its picture is saved at the end.")
            return PictureFile(self._style, self._history)

    def _record(self, name, *values):
        getattr(self._history, name)(*values)
        if self._display:
            self._display.send(name, *values)


if __name__ == "__main__":
    run_window_process()
