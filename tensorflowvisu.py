# SPDX-License-Identifier: Apache-2.0
"""A window that shows the training of a neural network on handwritten digits, live.

    datavis = tensorflowvisu.MnistDataVis()
    datavis.append_training_curves_data(i, accuracy, loss)      # … and so on, from inside training_step
    datavis.animate(training_step, ITERATIONS, train_data_update_freq=10, test_data_update_freq=50)

    ┌───────────────────┬───────────────────┬───────────────────┐    keys: 1 to 6   that panel alone
    │ 1 accuracy        │ 2 loss            │ 3 training digits │          7 8 9    panels 1 2, 4 5, 3 6
    ├───────────────────┼───────────────────┼───────────────────┤          0, Esc   all six
    │ 4 weights         │ 5 biases          │ 6 test digits     │          space    pause, resume
    └───────────────────┴───────────────────┴───────────────────┘          o h      box zoom, reset the zooms
                                                                           Ctrl-S   save the picture
                                                                           d l      draw a digit, see the layers

This file hands what it gets to a record and to all outputs. Imports lead down only:

    tensorflowvisu        what scripts import
      tensorflowsetup     TensorFlow set up: quiet, and fast on this machine
      visu/digits         pictures of digits, made by TensorFlow or of numpy's arrays
      visu/tensorboard    an output: event files
      visu/display        an output: the window or another way to show, as this process sees it
        visu/reading      digits drawn there are read by the script's function
        visu/distribution probability_distribution, the spread of weights and biases
    visu/drawing/         another process, which draws: see visu/drawing/__init__.py
        ink               ink made a digit like MNIST's
      visu/channel        the protocol between the two processes, and both ends of it
      visu/record         what a run adds up to; what scripts pass in is checked
      visu/style          titles, colours, keys, layouts, sizes
      visu/screen, words  what this place can show; sentences

A new output is a class with the method take, and a line in MnistDataVis.__init__. A new way to show in a process that
draws is a class derived from Show, in visu/drawing, and a line in visu/display.py that names it. A new key is a line in
visu.style.KEYS, and the method of WindowShow that it names. A new panel is a class derived from Panel in
visu/drawing/picture.py, and a line in Picture.panels, TITLES and LAYOUTS.
"""

import contextlib
import numbers
import os
import sys

try:
    from tensorflowsetup import suit_threads_to, tf  # first, as it sets TensorFlow up before anything else
    from visu.channel import FINISHED, Run
except ImportError as error:
    if (error.name or "").split(".")[0] not in ("visu", "tensorflowsetup"):
        raise
    impostor = getattr(sys.modules.get("visu"), "__file__", None)
    sys.exit(
        f"tensorflowvisu.py needs tensorflowsetup.py, ink.py and the folder visu, which belong beside it ({error}): "
        + (f"rename {impostor}, which is taken for it, or " if impostor else "")
        + f"copy them to {os.path.dirname(os.path.abspath(__file__))}, too"
    )

import numpy as np

from visu.digits import format_mnist_images, tf_format_mnist_images
from visu.display import CannotShow, Display, close_finished_windows, open_display
from visu.distribution import probability_distribution
from visu.record import (
    Picture,
    Point,
    Record,
    Values,
    checked_count,
    checked_function,
    checked_images,
    checked_iteration,
    checked_number,
    checked_picture,
    checked_vector,
)
from visu.screen import in_ipython
from visu.style import BAND_COLOURS, TITLES, Style
from visu.tensorboard import open_tensorboard_log

__all__ = ["MnistDataVis", "format_mnist_images", "probability_distribution", "tf_format_mnist_images"]


def schedule(iterations, train_data_update_freq, test_data_update_freq, one_test_at_start, more_tests_at_start):
    """Yields (i, update_test_data, update_train_data) for i from 0 to iterations - 1, the last with both updates."""
    for i in range(iterations):
        update_train = i % train_data_update_freq == 0
        update_test = i % test_data_update_freq == 0 and (i > 0 or one_test_at_start)
        if more_tests_at_start and 0 < i < test_data_update_freq:
            update_test = update_train
        last = i == iterations - 1
        yield i, update_test or last, update_train or last


def name_of_script():
    """The name of the script that runs, without .py; "training" where there is none, in a notebook for example."""
    name, suffix = os.path.splitext(os.path.basename(sys.argv[0]))
    return "training" if suffix != ".py" or name.endswith("kernel_launcher") else name


class MnistDataVis:
    """Records a training, and shows it live while animate runs.

    With TENSORBOARD_LOGDIR=runs in the environment it also writes event files for TensorBoard, in text-only mode too:
    "tensorboard --logdir runs" shows accuracy and loss, the learning rate, histograms of weights and biases, the two
    pictures of digits, and the graph, each run under the name of the script and the time.

    title1 to title6: titles of the panels in place of the usual ones, "" for no title. histogram4colornum,
    histogram5colornum: the colours of the weights and biases panels, 0 to 6. dpi: dots per inch, for a window of
    19.2 x 10.8 inches.
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
        titles = [title1, title2, title3, title4, title5, title6]
        titles = [usual if title is None else str(title) for title, usual in zip(titles, TITLES)]
        band_colours = [0 if histogram4colornum is None else histogram4colornum]
        band_colours.append(1 if histogram5colornum is None else histogram5colornum)
        for number in band_colours:
            if not isinstance(number, numbers.Integral) or not 0 <= number < len(BAND_COLOURS):
                raise ValueError(f"MnistDataVis: histogram colour {number!r}, expected 0 to {len(BAND_COLOURS) - 1}")
        if not isinstance(dpi, numbers.Real) or not 10 <= dpi <= 1000:
            raise ValueError(f"MnistDataVis: dpi is {dpi!r}, expected a number from 10 to 1000")
        self._name, self._style = name_of_script(), Style(titles, band_colours, dpi)
        if tf:
            suit_threads_to(tf.get_default_graph())
        self._record = Record()
        self._log = open_tensorboard_log(self._name)
        self._loss_was_finite = True
        self._display = Display()  # while animate runs, one that shows

    def append_training_curves_data(self, x, accuracy, loss, learning_rate=None):
        """Adds a point to the two training curves; x is the iteration, the others are numbers as well.

        The line at the bottom of the window shows the learning rate, where there is one. Raises ValueError for
        anything but one number. In text-only mode the point is kept for get_history, like those of the test curves.
        """
        self._add_point("training", x, accuracy, loss, learning_rate=learning_rate)

    def append_test_curves_data(self, x, accuracy, loss, epoch=None):
        """Adds a point to the two test curves; x is the iteration, the others are numbers as well.

        The line at the bottom of the window shows the epoch, where there is one. Raises ValueError for anything but
        one number.
        """
        self._add_point("test", x, accuracy, loss, epoch=epoch)

    def append_data_histograms(self, x, datavect1, datavect2, title1=None, title2=None):
        """Adds the spread of all weights (panel 4) and all biases (panel 5) at iteration x.

        datavect1, datavect2: arrays of numbers, of any size. title1 and title2 are new titles of the two panels.
        Raises ValueError for anything else. In text-only mode nothing is computed of them.
        """
        method = "append_data_histograms"
        x = checked_iteration(method, x)
        vectors = [checked_vector(method, *pair) for pair in (("datavect1", datavect1), ("datavect2", datavect2))]
        titles = [title if title is None else str(title) for title in (title1, title2)]
        self._hand_on(Values(x, *vectors, *titles))

    def update_image1(self, im, images=None):
        """Shows the picture of the training digits (panel 3), uint8 [height, width, 3], or raises ValueError.

        images: the digits themselves, [n, 28, 28, 1], so that one that is clicked on can be put on the pad.
        """
        self._add_picture("training", "update_image1", im, images)

    def update_image2(self, im, images=None):
        """Shows the picture of the test digits (panel 6), as update_image1 does that of the training digits."""
        self._add_picture("test", "update_image2", im, images)

    def get_max_test_accuracy(self):
        """The best test accuracy so far, from 0 to 1; 0.0 when there was no test."""
        return self._record.best_test_accuracy or 0.0

    def get_history(self):
        """All points of the curves so far: {"training": curve, "test": curve}.

        A curve has the arrays iteration, accuracy, loss and learning_rate, float64 [points]; where there was no
        learning rate it is "not a number".
        """
        return self._record.arrays()

    def save_history(self, path):
        """Writes all points of the curves so far as a CSV file: curve, iteration, accuracy, loss, learning_rate.

        Raises OSError, with one sentence, where it can't be written.
        """
        try:
            self._record.save(path)
        except OSError as error:
            raise type(error)(
                f"The history can't be saved as {path} ({error.strerror}): name a file that you may write"
            )

    def is_paused(self):
        """Whether the space key has paused the training."""
        return self._display.is_paused()

    def animate(
        self,
        compute_step,
        iterations,
        train_data_update_freq=20,
        test_data_update_freq=100,
        one_test_at_start=True,
        more_tests_at_start=False,
        save_movie=False,
        read_digits=None,
    ):
        """Trains and shows: calls compute_step(i, update_test_data, update_train_data) for i = 0 … iterations - 1.

        update_train_data is true every train_data_update_freq iterations, update_test_data every
        test_data_update_freq, and both in the last. one_test_at_start=False leaves out the test of iteration 0;
        more_tests_at_start tests at each training update until the first regular test.

        read_digits is a function from images float32 [n, 28, 28, 1], 0 is paper and 1 is ink, to probabilities [n, 10].
        It may return a list that begins with them and goes on with what the layers make of the images, maps [n, rows,
        columns, channels] or cells [n, neurons], for the key l.
        With it the window has a pad: d shows it, the mouse draws a digit there, and ten bars show what the network
        takes it for, at once and again at each training update. The function is called only when something is drawn,
        in the thread that trains: between two iterations, in a pause, and when training is over, while the program
        waits for the window to be closed. (Where a prompt follows, as in Spyder, in IDLE and after python -i, it does
        not wait, and reads no more.) If the function fails, the terminal says so once, and training goes on. Without a
        window it is never called.
        Reading changes nothing in a network without dropout: the run gives the same numbers. Dropout takes random
        numbers at each reading, even when it keeps all, so after that the run takes others, as with another seed.

        Where no window can be opened it says why, trains all the same, and saves the picture as a PNG file.
        save_movie=True writes a film, tensorflowvisu_video.mp4, in place of the window, save_movie="my.mp4" one of that
        name, in a folder that is made if need be; it takes the program ffmpeg.
        Returns when training is over, or when somebody closed the window; Ctrl-C ends the program with status 130.
        """
        animation = self.animation(
            iterations,
            train_data_update_freq,
            test_data_update_freq,
            one_test_at_start,
            more_tests_at_start,
            save_movie,
            read_digits,
        )
        with animation as steps:
            for step in steps:
                compute_step(*step)

    @contextlib.contextmanager
    def animation(
        self,
        iterations,
        train_data_update_freq=20,
        test_data_update_freq=100,
        one_test_at_start=True,
        more_tests_at_start=False,
        save_movie=False,
        read_digits=None,
    ):
        """What animate does, around a loop of the script's own, or one that calls back, such as Keras's.

            with datavis.animation(iterations=2000) as steps:
                for i, update_test_data, update_train_data in steps:
                    …

        steps is an iterator, which waits between two iterations while the training is paused. It ends after the last
        one, or when somebody closed the window. The parameters are those of animate.
        """
        checked_count("animate", "iterations", iterations)
        checked_count("animate", "train_data_update_freq", train_data_update_freq)
        checked_count("animate", "test_data_update_freq", test_data_update_freq)
        if not isinstance(save_movie, (bool, str, os.PathLike)):
            raise ValueError(f"animate: save_movie is {save_movie!r}, expected True, False, or the name of a film")
        checked_function("animate", "read_digits", read_digits)
        steps = schedule(
            iterations, train_data_update_freq, test_data_update_freq, one_test_at_start, more_tests_at_start
        )
        try:
            self._display = open_display(Run(self._name, iterations, self._style), save_movie, read_digits)
            yield self._shown(steps)
            self._display.end(FINISHED)
            failure = self._display.failure
        except KeyboardInterrupt:
            print("\nStopped by Ctrl-C. Max test accuracy so far:", self.get_max_test_accuracy())
            self._display.close()
            close_finished_windows()
            if not in_ipython():  # there it is the cell that is stopped, and nothing else
                sys.exit(130)  # what a shell expects of a program that Ctrl-C ended
            failure = None
        except (Exception, SystemExit) as error:
            self._display.end(f"stopped: {type(error).__name__}, see the terminal")
            raise
        finally:
            self._display = Display()
        if failure:
            raise CannotShow(f"{failure}: the max test accuracy was {self.get_max_test_accuracy()}")

    def _shown(self, steps):
        """The steps, one after the other, until somebody closes the window."""
        for i, update_test_data, update_train_data in steps:
            self._display.wait_while_paused()
            if self._display.closed:
                return
            yield i, update_test_data, update_train_data
            self._display.show_progress(i + 1, update_train_data)

    def _hand_on(self, addition):
        """Hands what was added to all outputs."""
        for output in (self._log, self._display):
            output.take(addition)

    def _add(self, addition):
        """Adds a Point or a Picture to the record, and hands it on."""
        self._record.add(addition)
        self._hand_on(addition)

    def _add_picture(self, curve, method, im, images):
        point = self._record.newest[curve]  # a picture comes without its iteration
        iteration = point.iteration if point else 0
        self._add(Picture(curve, iteration, checked_picture(method, im), checked_images(method, images)))

    def _add_point(self, curve, x, accuracy, loss, learning_rate=None, epoch=None):
        """Adds a point of the training or test curve."""
        method = f"append_{curve}_curves_data"
        further = [("learning_rate", learning_rate), ("epoch", epoch)]
        point = Point(
            curve,
            checked_iteration(method, x),
            checked_number(method, "accuracy", accuracy),
            checked_number(method, "loss", loss),
            *(value if value is None else checked_number(method, name, value) for name, value in further),
        )
        if self._loss_was_finite and not np.isfinite(point.loss):
            self._loss_was_finite = False
            warn_of_loss(point)
        self._add(point)


def warn_of_loss(point):
    """Says why the loss of a Point may be infinite or not a number."""
    cause = "use tf.nn.softmax_cross_entropy_with_logits, which never takes log(0), or a smaller learning rate"
    if np.isnan(point.accuracy):  # a mean over nothing
        cause = "the accuracy is not a number either, as of a batch without images: look at what is fed"
    print(
        f"The {point.curve} loss is {point.loss} at iteration {point.iteration:.0f}: {cause}. Training goes on.",
        file=sys.stderr,
    )
