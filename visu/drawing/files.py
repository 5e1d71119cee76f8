# SPDX-License-Identifier: Apache-2.0
"""Pictures of a run for a notebook, and for a file."""

import contextlib
import io
import itertools
import os
import time

from visu.drawing.picture import file_picture
from visu.drawing.show import Show


class NotebookShow(Show):
    """Pictures for a notebook, as replies; the training process puts them into their place there."""

    INTERVAL = 1  # seconds between two pictures, at least; and they may take a fifth of the time

    def __init__(self, reply, style, iterations):
        super().__init__(reply, style, iterations)
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

    USUAL_SIZE = 200_000  # bytes

    def __init__(self, reply, style, iterations):
        super().__init__(reply, style, iterations)
        trial = self.open()  # a folder that can't be written, or a full disk, is better known now
        try:
            with trial:
                trial.write(bytes(self.USUAL_SIZE))
        finally:
            os.remove(trial.name)

    def open(self):
        return open_unused(self.style.name, ".png")

    def end(self, state):
        picture = file_picture(self.style, self.history, self.iterations)
        picture.update(self.status(live=False))
        with self.open() as file:
            try:
                picture.figure.savefig(file, format="png")
            except Exception:
                os.remove(file.name)  # no half a picture
                raise
        self.reply("saved", file.name)


def open_unused(stem, suffix):
    """Opens the first of stem.png, stem_2.png, … that is not there yet: no run overwrites the result of another."""
    for number in itertools.count(1):
        with contextlib.suppress(FileExistsError):
            return open(stem + suffix if number == 1 else f"{stem}_{number}{suffix}", "xb")
