# SPDX-License-Identifier: Apache-2.0
"""The training process's end of each way to show a training: it sends, and goes on."""

import os
import queue
import sys
import threading
import time

from visu.distribution import probability_distribution
from visu.listener import Listener
from visu.words import say


class Display(Listener):
    """What animate calls. As it is, it shows nothing: training goes on as text."""

    closed = False  # whether somebody has seen enough

    def is_paused(self):
        return False

    def wait_while_paused(self):
        """Returns when nobody has paused the training."""

    def show_progress(self, i, update_train_data):
        """So many iterations are done, and with the last of them a training update or not."""

    def end(self, state):
        """Training is over, "finished" or "stopped: …". Returns None, or what went wrong with showing it."""

    def close(self):
        """Training was stopped by Ctrl-C."""


class Failed(Display):
    """Nothing can be shown, nor saved, and the program will end with the reason."""

    def __init__(self, failure):
        self.failure = failure

    def end(self, state):
        return self.failure


class ProcessDisplay(Display):
    """A display with a process that draws."""

    SHOW = None  # its way to show, of visu.drawing.__main__.SHOWS
    LIMIT = float("inf")  # messages that may wait for the drawing process, before training waits for it
    LAST_PATIENCE = 30  # seconds for the drawing process to end after Ctrl-C
    PROGRESS_INTERVAL = 0.1  # seconds between two messages of how far the training is, apart from its updates

    def __init__(self, process, iterations, closed):
        self.process, self.iterations, self.closed = process, iterations, closed
        self.begun = time.monotonic()
        self.next_progress = 0.0
        self.ended = threading.Event()  # the drawing process has said its last word
        if closed:
            self.ended.set()
        threading.Thread(target=self.listen, daemon=True).start()

    # replies

    def listen(self):
        """Takes in the replies: calls the method on_… of each."""
        while not self.ended.is_set():
            word, *values = self.process.reply()
            getattr(self, f"on_{word}")(*values)

    def on_failed(self, reason):
        say(f"The training can't be shown any longer: {reason}. It goes on as text.", error=True)

    def on_gone(self):
        self.ended.set()

    # messages

    def send(self, name, *arguments):
        self.process.outbox.put((name, arguments))

    def send_news(self, key, name, *arguments):
        """Sends what is of no use once there is something newer of that key, so that nothing piles up."""
        self.process.outbox.put((name, arguments), key)

    def add_point(self, curve, point):
        self.send("add_point", curve, *point)

    def add_distributions(self, x, weights, biases, titles):
        boundaries = [probability_distribution(vector) for vector in (weights, biases)]
        self.send("add_distributions", x, *boundaries, *titles)

    def add_picture(self, curve, x, picture):
        self.send_news(curve, "add_picture", curve, picture.copy())  # it is sent later

    def show_progress(self, i, update_train_data):
        now = time.monotonic()
        if now >= self.next_progress or update_train_data:
            self.next_progress = now + self.PROGRESS_INTERVAL
            self.send_news("progress", "set_progress", i, now - self.begun)

    def end(self, state):
        self.process.send_last(("end", (state,)))
        while not self.ended.wait(timeout=0.2):
            continue

    def close(self):
        stuck = threading.Timer(self.LAST_PATIENCE, self.process.process.kill)
        stuck.start()
        self.end("stopped")
        stuck.cancel()


class Notebook(ProcessDisplay):
    """A picture under the cell of a notebook, in the place of the one before."""

    SHOW = "notebook"

    def __init__(self, *arguments):
        self.pictures = queue.Queue()
        self.handle = None
        super().__init__(*arguments)

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


class PictureFile(ProcessDisplay):
    """Where there is no screen: a file with the picture of the whole run."""

    SHOW = "picture"
    WHAT = "The picture with the training curves and digits"

    def __init__(self, *arguments):
        self.path, self.failure = None, None
        super().__init__(*arguments)

    def on_saved(self, path):
        self.path = path

    def on_failed(self, reason):
        self.failure = f"{self.WHAT} can't be saved in {os.getcwd()} ({reason})"

    def end(self, state):
        super().end(state)
        if self.path:
            say(f"{self.WHAT} is saved as {self.path}")
        elif not self.failure:
            self.on_failed("its process ended by itself")
        return self.failure


class Film(PictureFile):
    """A film of the training, and a bar that says how much of it there is."""

    SHOW = "film"
    LIMIT = 20
    WHAT = "The film of the training"
    BAR = 12  # characters, few enough for a line of a script to cover it

    def send_news(self, key, name, *arguments):
        self.send(name, *arguments)  # each update is a frame

    def on_kept(self, path):
        say(f"The film that was here before is kept as {path}")

    def show_progress(self, i, update_train_data):
        super().show_progress(i, update_train_data)
        if update_train_data:
            self.send("add_frame")
            done = self.BAR * i // self.iterations
            bar = f"film [{'#' * done}{'-' * (self.BAR - done)}] {100 * i // self.iterations:3} %"
            end = "\n" if i == self.iterations else "\r"  # the next line of the script takes its place
            print(bar, end=end, file=sys.stderr, flush=True)
