# SPDX-License-Identifier: Apache-2.0
"""When to stop: at a signal, as a cloud sends before it takes a machine away, or at the end of the training.

TensorFlow waits for a machine that is gone without ever coming back to Python, where signal handlers run. So threads of
their own wait for both, and end the process if the work has not ended by itself soon after. A look at the job folder
may fail or take long, as may a line that nobody reads: neither keeps a signal from being seen.
"""

import contextlib
import os
import signal
import socket
import sys
import threading
import time

from tensorflowsetup import first_line

POLL = 1  # seconds between two looks whether the training has ended
GRACE = 20  # seconds to write a checkpoint in; Kubernetes and Vertex AI kill what still runs 30 seconds after SIGTERM


class Stopping:
    """Whether this process is to stop, and the exit status that says why.

    has_ended: a function without arguments that says whether the training has ended, or None for a task that finds
    that out by itself.
    """

    def __init__(self, has_ended=None):
        self.status = 0
        self._stop = threading.Event()
        self._has_ended = has_ended
        # Python writes the number of each signal into this socket at once, whatever the main thread is doing
        self._signals, writer = socket.socketpair()
        writer.setblocking(False)
        signal.set_wakeup_fd(writer.detach())
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: None)
        for watch in (self._watch_signals, *([self._watch_training] if has_ended else [])):
            threading.Thread(target=watch, daemon=True).start()

    def is_due(self):
        return self._stop.is_set()

    def wait(self, seconds=None):
        """Waits until it is time to stop, or for so many seconds; says which."""
        return self._stop.wait(seconds)

    def _watch_signals(self):
        number = self._signals.recv(1)[0]
        if not self._stop.is_set():
            self.status = 128 + number  # what a shell reports of a process that a signal ended
            say(f"{signal.Signals(number).name}: stopping")
            self._stop.set()
            self._signals.settimeout(GRACE)
            with contextlib.suppress(socket.timeout):
                self._signals.recv(1)  # another signal: at once
        os._exit(self.status)

    def _watch_training(self):
        told = False
        while not self._stop.wait(POLL):
            try:
                if self._has_ended():
                    self._stop.set()
                    time.sleep(POLL)
                    os._exit(self.status)
            except Exception as error:  # of a file system, which may answer the next time
                if not told:
                    told = True
                    say(f"can't see whether the training has ended ({first_line(error)}): looking again until it works")


def say(text):
    """Prints a line on standard error, and goes on if nobody takes it: its reader may have gone, or be halted."""

    def attempt():
        with contextlib.suppress(OSError, ValueError):  # a closed pipe, a closed file
            print(text, file=sys.stderr, flush=True)

    thread = threading.Thread(target=attempt, daemon=True)
    thread.start()
    thread.join(POLL)
