# SPDX-License-Identifier: Apache-2.0
"""The training process's end of the window."""

import atexit
import threading
import time

from visu.displays import ProcessDisplay
from visu.runtime import in_ipython
from visu.words import say

news = threading.Event()  # a window has said something that the waiting thread should look at


def wait_for_news():
    news.wait(timeout=0.2)  # with a timeout, as Windows lets no Ctrl-C into a wait without
    news.clear()


class Window(ProcessDisplay):
    """A window. It stays when training is over, and the program with it, until somebody closes it."""

    SHOW = "window"

    def __init__(self, *arguments):
        self.paused = False
        self.over = False  # whether training has ended
        super().__init__(*arguments)

    def on_paused(self):
        self.paused = True

    def on_resumed(self):
        self.paused = False
        news.set()

    def on_closed(self):
        self.closed = True
        self.on_gone()

    def on_gone(self):
        self.ended.set()
        self.on_resumed()
        if not self.over and not self.closed:
            say("The window's process ended by itself. Training goes on as text.", error=True)

    def is_paused(self):
        return self.paused

    def answer(self):
        """Answers what the window asks, if it asks anything. Here it does not."""

    def wait_while_paused(self):
        begun = time.monotonic()
        while self.paused:
            wait_for_news()
            answer_all(self)
        self.begun += time.monotonic() - begun

    def show_progress(self, i, update_train_data):
        super().show_progress(i, update_train_data)
        answer_all()

    def end(self, state):
        self.over = True
        if state == "finished":
            self.send("end", state)
            if not in_ipython():  # there, the program is not this script's to keep
                keep_open(self)
        else:
            self.process.send_last(("end", (state,)))

    def close(self):
        self.over = True
        self.process.send_last(("close", ()))
        self.process.kill_after(2)
        self.ended.set()


finished_windows = []  # the program stays as long as one of them is open


def keep_open(window):
    if not finished_windows:
        atexit.register(wait_until_closed)
    finished_windows.append(window)


def answer_all(*windows):
    """Answers what these windows ask, and those whose training is over."""
    for window in (*windows, *finished_windows):
        window.answer()


def wait_until_closed():
    def all_are_closed():
        return all(window.ended.is_set() for window in finished_windows)

    try:
        if not all_are_closed():
            say("Finished. The window stays open; close it, or press Ctrl-C here, to end the program.")
        while not all_are_closed():
            answer_all()
            wait_for_news()
    except KeyboardInterrupt:
        close_finished_windows()


def close_finished_windows():
    for window in finished_windows:
        window.close()
