# SPDX-License-Identifier: Apache-2.0
"""What a script records, as event files for TensorBoard."""

import atexit
import collections
import contextlib
import io
import os
import time

import numpy as np

from tensorflowsetup import tf
from visu.record import Picture, Point, Values
from visu.style import CURVES
from visu.words import first_line, printable


class NoLog:
    """What takes the place of a log where none is wanted."""

    def take(self, addition):
        """Leaves it."""


class CannotLog(SystemExit, RuntimeError):
    """Event files that were asked for can't be written: see visu.display.CannotShow."""


class TensorBoardLog:
    """Event files: a folder for each curve, so that they share charts. In any of the file systems of TensorFlow's.

    Histograms and pictures cost time. Those that come before there is time for the next one are left out.
    """

    SHARE = 1 / 160  # of the time, for each kind of histogram and picture
    BINS = 60
    SCALARS = ("accuracy", "loss", "learning_rate")

    def __init__(self, logdir, name):
        self.folder = make_folder(logdir, printable(name) + time.strftime("-%Y%m%d-%H%M%S"))
        graph = None if tf.executing_eagerly() else tf.get_default_graph()
        with tf.Graph().as_default():  # a FileWriter refuses to be made where TensorFlow computes eagerly
            self.writers = {curve: tf.summary.FileWriter(f"{self.folder}/{curve}", flush_secs=10) for curve in CURVES}
        if graph:
            self.writers["training"].add_graph(graph)
        self.due = collections.defaultdict(float)  # when there is time for the next one of a tag
        atexit.register(self.close)

    def close(self):
        for writer in self.writers.values():
            writer.close()

    def take(self, addition):
        """Writes a Point, Values or a Picture."""
        {Point: self.take_point, Values: self.take_values, Picture: self.take_picture}[type(addition)](addition)

    def take_point(self, point):
        scalars = [(tag, getattr(point, tag)) for tag in self.SCALARS]
        values = [tf.Summary.Value(tag=tag, simple_value=value) for tag, value in scalars if value is not None]
        self.write(point.curve, point.iteration, values)

    def take_values(self, values):
        for tag in ("weights", "biases"):
            with self.time_for(tag) as there_is_time:
                if there_is_time:
                    vector = getattr(values, tag)
                    self.add_histogram(values.iteration, tag, vector[np.isfinite(vector)].astype(np.float64))

    def add_histogram(self, x, tag, values):
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

    def take_picture(self, picture):
        tag = f"{picture.curve}_digits"
        with self.time_for(tag) as there_is_time:
            if there_is_time:
                from PIL import Image  # only now: most runs do without

                png = io.BytesIO()
                Image.fromarray(picture.pixels).save(png, "png", compress_level=1)  # the fastest
                height, width, _ = picture.pixels.shape
                image = tf.Summary.Image(height=height, width=width, colorspace=3, encoded_image_string=png.getvalue())
                self.write(picture.curve, picture.iteration, [tf.Summary.Value(tag=tag, image=image)])

    def write(self, curve, x, values):
        self.writers[curve].add_summary(tf.Summary(value=values), int(x))

    @contextlib.contextmanager
    def time_for(self, tag):
        """Says whether there is time for this tag, and takes the time that it then needs into account."""
        begun = time.monotonic()
        there_is_time = begun >= self.due[tag]
        yield there_is_time
        if there_is_time:
            ended = time.monotonic()
            self.due[tag] = ended + (ended - begun) / self.SHARE


def make_folder(logdir, name):
    """A new folder in logdir: another run of the same script may have started in the same second."""
    while tf.io.gfile.exists(f"{logdir}/{name}"):
        name += "-2"
    tf.io.gfile.makedirs(f"{logdir}/{name}")
    return f"{logdir}/{name}"


def open_tensorboard_log(name):
    """The log that the environment variable TENSORBOARD_LOGDIR asks for. Raises CannotLog."""
    logdir = os.environ.get("TENSORBOARD_LOGDIR")
    if not logdir:
        return NoLog()
    if not tf:
        raise CannotLog(f"TENSORBOARD_LOGDIR is {logdir!r}, and event files are written by TensorFlow: install it")
    try:
        return TensorBoardLog(os.path.expanduser(logdir), name)
    except (OSError, tf.errors.OpError) as error:
        raise CannotLog(
            f"TENSORBOARD_LOGDIR is {logdir!r}, where no event files can be written ({first_line(error)}): name a "
            f"folder that you may write to"
        )
