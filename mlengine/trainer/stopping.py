# SPDX-License-Identifier: Apache-2.0
"""When to stop: at a signal, as a cloud sends before it takes a machine away, or at the end of the training.

TensorFlow waits for a machine that is gone without ever coming back to Python, where signal handlers run. So a thread
of its own waits for both, and ends the process if the work has not ended by itself soon after.
"""

import contextlib
import os
import signal
import socket
import sys
import threading

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
        self._signals.settimeout(POLL)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: None)
        threading.Thread(target=self._watch, daemon=True).start()

    def is_due(self):
        return self._stop.is_set()

    def wait(self, seconds=None):
        """Waits until it is time to stop, or for so many seconds; says which."""
        return self._stop.wait(seconds)

    def _watch(self):
        while not self._stop.is_set():
            try:
                number = self._signals.recv(1)[0]
                self.status = 128 + number  # what a shell reports of a process that a signal ended
                print(f"{signal.Signals(number).name}: stopping", file=sys.stderr, flush=True)
                self._stop.set()
            except socket.timeout:
                if self._has_ended and self._has_ended():
                    self._stop.set()
        self._signals.settimeout(GRACE if self.status else POLL)
        with contextlib.suppress(socket.timeout):
            self._signals.recv(1)  # another signal: at once
        sys.stdout.flush()
        os._exit(self.status)
