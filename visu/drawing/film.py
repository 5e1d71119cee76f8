# SPDX-License-Identifier: Apache-2.0
"""A film of a run."""

import os
import subprocess
import tempfile

import matplotlib
from matplotlib.animation import FFMpegWriter

from visu.drawing.files import open_unused
from visu.drawing.picture import file_picture
from visu.drawing.show import Show

FRAMES_PER_SECOND = 24


class FilmShow(Show):
    """A film of the training, with a frame for each training update. It is the same however long they took."""

    def __init__(self, reply, style, iterations, path):
        super().__init__(reply, style, iterations)
        if not FFMpegWriter.isAvailable():
            matplotlib.rcParams["animation.ffmpeg_path"] = packaged_ffmpeg()
        self.path, self.kept = path, None
        self.picture = file_picture(style, self.history, iterations)
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
        writer = FFMpegWriter(FRAMES_PER_SECOND, codec="h264", extra_args=arguments)
        writer.setup(self.picture.figure, path, dpi=self.style.dpi)
        return writer

    def add_frame(self):
        """A training update is complete."""
        self.picture.update(self.status(live=False))
        self.writer.grab_frame()

    def end(self, state):
        try:
            self.writer.finish()
        except subprocess.CalledProcessError:
            raise RuntimeError("the program ffmpeg could not write it, perhaps the disk is full")
        self.reply("saved", self.path)
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
