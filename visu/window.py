# SPDX-License-Identifier: Apache-2.0
"""The training process's end of the window."""

import atexit
import threading
import time

from visu.displays import ProcessDisplay
from visu.runtime import in_ipython
from visu.words import say


class Window(ProcessDisplay):
    """A window. It stays when training is over, and the program with it, until somebody closes it."""

    SHOW = "window"

    def __init__(self, *arguments):
        self.may_run = threading.Event()  # cleared while paused
        self.may_run.set()
        self.over = False  # whether training has ended
        super().__init__(*arguments)

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
            say("The window's process ended by itself. Training goes on as text.", error=True)

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


def wait_until_closed():
    try:
        if not all(window.ended.is_set() for window in finished_windows):
            say("Finished. The window stays open; close it, or press Ctrl-C here, to end the program.")
        for window in finished_windows:
            while not window.ended.wait(timeout=0.2):
                continue
    except KeyboardInterrupt:
        close_finished_windows()


def close_finished_windows():
    for window in finished_windows:
        window.close()
