# SPDX-License-Identifier: Apache-2.0
"""Ways to show a run without a window: pictures for a notebook, a picture in a file, a film."""

import contextlib
import io
import itertools
import os
import subprocess
import sys
import tempfile
import time

import matplotlib
from matplotlib.animation import FFMpegWriter

from visu.channel import Saved, Say, Show, Shown
from visu.drawing.picture import Pace, file_picture, status_texts


class NotebookShow(Show):
    """Pictures for a notebook, as replies; the training process puts them into their place there."""

    INTERVAL = 1  # seconds between two pictures, at least; and they may take a fifth of the time

    def __init__(self, reply, run):
        super().__init__(reply, run)
        self.picture = file_picture(run, self.record)
        self.pace = Pace()
        self.next_picture = 0.0

    def take_progress(self, progress):
        super().take_progress(progress)
        self.pace.take(progress)

    def show(self):
        if time.monotonic() >= self.next_picture:
            self.reply_picture()

    def reply_picture(self):
        begun = time.monotonic()
        self.picture.update(status_texts(self.run, self.record, self.progress, self.pace.rate()))
        image = io.BytesIO()
        self.picture.figure.savefig(image, format="png")
        self.reply(Shown(image.getvalue()))
        now = time.monotonic()
        self.next_picture = now + max(self.INTERVAL, 4 * (now - begun))

    def end(self, state):
        self.progress = self.progress._replace(state=state)
        self.reply_picture()


class PictureShow(Show):
    """Where there is no screen: the picture of the whole run goes into a PNG file when it ends."""

    USUAL_SIZE = 200_000  # bytes

    def __init__(self, reply, run):
        super().__init__(reply, run)
        trial = self.open()  # a folder that can't be written, or a full disk, is better known now
        try:
            with trial:
                trial.write(bytes(self.USUAL_SIZE))
        finally:
            os.remove(trial.name)

    def open(self):
        return open_unused(self.run.name, ".png")

    def end(self, state):
        picture = file_picture(self.run, self.record)
        picture.update(status_texts(self.run, self.record, self.progress))
        file = self.open()
        try:
            with file:
                picture.figure.savefig(file, format="png")
        except Exception:
            os.remove(file.name)  # no half a picture; Windows removes no file that is open
            raise
        self.reply(Saved(file.name))


class FilmShow(Show):
    """A film of the training, with a frame for each training update, and a bar that says how much of it there is.

    It is the same however long the updates took.
    """

    FRAMES_PER_SECOND = 24
    BAR = 12  # characters, few enough for a line of a script to cover it

    def __init__(self, reply, run, path):
        super().__init__(reply, run)
        if not FFMpegWriter.isAvailable():
            matplotlib.rcParams["animation.ffmpeg_path"] = packaged_ffmpeg()
        self.path, self.kept = path, None
        self.picture = file_picture(run, self.record)
        self.make_trial()
        if os.path.exists(path):
            with open_unused(*os.path.splitext(path)) as file:
                self.kept = file.name
            os.replace(path, self.kept)
        self.writer = self.open_writer(path)

    def make_trial(self):
        """Makes a film of one frame beside the one to come: what stands against it is known before the training."""
        folder, name = os.path.split(os.path.abspath(self.path))
        try:
            os.makedirs(folder, exist_ok=True)
            trial_folder = tempfile.TemporaryDirectory(dir=folder)
        except OSError as error:
            raise RuntimeError(f"no file can be written into the folder {folder} ({error.strerror})")
        with trial_folder as trial:
            try:
                writer = self.open_writer(os.path.join(trial, name))
                writer.grab_frame()
                writer.finish()
            except (OSError, subprocess.CalledProcessError):
                raise RuntimeError(
                    f"the program {matplotlib.rcParams['animation.ffmpeg_path']} can't write a film of that name: take "
                    f"one that ends in .mp4, a disk with room, or an ffmpeg that has H.264"
                )

    def open_writer(self, path):
        # for this codec matplotlib sees to even sizes; yuv420p is the one pixel format that every player knows; without
        # xerror ffmpeg would call it a success when the disk is full
        arguments = ["-pix_fmt", "yuv420p", "-xerror"]
        writer = FFMpegWriter(self.FRAMES_PER_SECOND, codec="h264", extra_args=arguments)
        writer.setup(self.picture.figure, path, dpi=self.run.style.dpi)
        return writer

    def take_progress(self, progress):
        super().take_progress(progress)
        if progress.is_update:
            self.add_frame()

    def add_frame(self):
        self.picture.update(status_texts(self.run, self.record, self.progress))
        try:
            self.writer.grab_frame()
        except OSError:
            raise RuntimeError("the program ffmpeg ended in the middle of it; perhaps the disk is full")
        i, iterations = self.progress.iterations, self.run.iterations
        done = self.BAR * i // iterations
        bar = f"film [{'#' * done}{'-' * (self.BAR - done)}] {100 * i // iterations:3} %"
        end = "\n" if i == iterations else "\r"  # the next line of the script takes its place
        with contextlib.suppress(OSError, AttributeError):  # nobody looks at it
            print(bar, end=end, file=sys.stderr, flush=True)

    def end(self, state):
        try:
            self.writer.finish()
        except (OSError, subprocess.CalledProcessError):
            raise RuntimeError("the program ffmpeg could not write it; perhaps the disk is full")
        self.reply(Saved(self.path))
        if self.kept:
            self.reply(Say(f"The film that was here before is kept as {self.kept}"))


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
