# SPDX-License-Identifier: Apache-2.0
"""What a script records, as event files for TensorBoard."""

import atexit
import collections
import contextlib
import io
import os
import sys
import time

import numpy as np

from visu.listener import Listener
from visu.runtime import tf
from visu.style import CURVES
from visu.words import first_line, printable


class TensorBoardLog(Listener):
    """Event files: a folder for each curve, so that they share charts.

    Histograms and pictures cost time. Those that come before there is time for the next one are left out.
    """

    SHARE = 1 / 160  # of the time, for each kind of histogram and picture
    BINS = 60
    SCALARS = ("accuracy", "loss", "learning_rate")

    def __init__(self, logdir, name, graph):
        self.folder = os.path.join(logdir, printable(name) + time.strftime("-%Y%m%d-%H%M%S"))
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

    def add_point(self, curve, point):
        scalars = [(tag, getattr(point, tag)) for tag in self.SCALARS]
        values = [tf.Summary.Value(tag=tag, simple_value=value) for tag, value in scalars if value is not None]
        self.write(curve, point.iteration, values)

    def add_distributions(self, x, weights, biases, titles):
        for tag, values in (("weights", weights), ("biases", biases)):
            with self.time_for(tag) as there_is_time:
                if there_is_time:
                    self.add_histogram(x, tag, values[np.isfinite(values)].astype(np.float64))

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

    def add_picture(self, curve, x, picture):
        tag = f"{curve}_digits"
        with self.time_for(tag) as there_is_time:
            if there_is_time:
                from PIL import Image  # only now: most runs do without

                png = io.BytesIO()
                Image.fromarray(picture).save(png, "png", compress_level=1)  # the fastest
                height, width, _ = picture.shape
                image = tf.Summary.Image(height=height, width=width, colorspace=3, encoded_image_string=png.getvalue())
                self.write(curve, x, [tf.Summary.Value(tag=tag, image=image)])

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


def open_tensorboard_log(name):
    """The log that the environment variable TENSORBOARD_LOGDIR asks for, or None."""
    logdir = os.environ.get("TENSORBOARD_LOGDIR")
    if not logdir:
        return None
    try:
        return TensorBoardLog(os.path.expanduser(logdir), name, tf.get_default_graph())
    except OSError as error:
        sys.exit(
            f"TENSORBOARD_LOGDIR is {logdir!r}, where no event files can be written ({first_line(error)}): name a "
            f"folder that you may write to"
        )
