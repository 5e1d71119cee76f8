# SPDX-License-Identifier: Apache-2.0
"""The messages between the process that trains and the process that draws."""

import contextlib
import os
import pickle
import subprocess
import sys
import threading

from visu.words import say

# Between messages, or in the middle of one, the other process has ended
BROKEN_PIPE = (EOFError, OSError, pickle.UnpicklingError)


def received(stream):
    """Yields what the other process sends, until it is gone."""
    with contextlib.suppress(*BROKEN_PIPE):
        while True:
            yield pickle.load(stream)


class Outbox:
    """Messages on their way to the drawing process, for its sender to take.

    limit: messages that may wait, then put waits too.
    """

    def __init__(self, limit):
        self.limit = limit
        self.messages = {}
        self.closed = False
        self.hurry = threading.Event()  # the sender is not to wait for more messages
        self.changed = threading.Condition()

    def put(self, message, key=None, urgent=False):
        """Adds a message; one with a key takes the place of the one before with that key, if that still waits."""
        with self.changed:
            while len(self.messages) >= self.limit and not self.closed:
                self.changed.wait(timeout=0.2)  # Windows lets no Ctrl-C into a wait without a timeout
            if not self.closed:
                self.messages[key or object()] = message
                if urgent:
                    self.hurry.set()
                self.changed.notify_all()

    def take(self):
        """All messages, as soon as there are some; an empty list when it is closed and empty."""
        with self.changed:
            while not self.messages and not self.closed:
                self.changed.wait()
            messages, self.messages = list(self.messages.values()), {}
            if not self.closed:
                self.hurry.clear()
            self.changed.notify_all()
            return messages

    def close(self, *last):
        """Takes a last message, if there is one, and no more after it."""
        with self.changed:
            if last and not self.closed:
                self.messages[object()] = last[0]
            self.closed = True
            self.hurry.set()
            self.changed.notify_all()


class DrawingProcess:
    """The training process's end of the process that draws, the program visu/drawing.

    way, arguments: which Show it makes, and with what; limit: messages that may wait for it; variables: of its
    environment, beside those of this process.
    """

    NOTICE, TIMEOUT = 5, 60  # seconds until it says what it waits for, and until it gives up
    SENDING_INTERVAL = 0.25  # seconds to wait for more messages, which then go together, if none is urgent

    def __init__(self, way, arguments, limit, **variables):
        # matplotlib would read MPLBACKEND on import, and end there if it doesn't know the name: see visu.screen
        inherited = {name: value for name, value in os.environ.items() if name != "MPLBACKEND"}
        self.process = subprocess.Popen(
            [sys.executable, os.path.join(os.path.dirname(os.path.abspath(__file__)), "drawing")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=dict(inherited, **variables),
            start_new_session=os.name == "posix",  # the terminal's Ctrl-C is for the training process
        )
        with contextlib.suppress(OSError):  # if it has ended already, there will be no answer either
            pickle.dump((way, arguments), self.process.stdin)
            self.process.stdin.flush()
        self.timed_out = False
        self.outbox = Outbox(limit)
        self.sender = threading.Thread(target=self.send_all, daemon=True)
        self.sender.start()

    def reply(self):
        """Waits for the next reply: a tuple of a word and what belongs to it; ("gone",) when there will be none."""
        try:
            return pickle.load(self.process.stdout)
        except BROKEN_PIPE:
            return ("gone",)

    def first_reply(self, awaited=None):
        """Waits for the first reply; says what is awaited, if that takes long, and gives up in the end."""
        timers = [threading.Timer(self.TIMEOUT, self.give_up)]
        if awaited:
            notice = f"Waiting up to {self.TIMEOUT} seconds for {awaited} …"
            timers.append(threading.Timer(self.NOTICE, say, [notice]))
        for timer in timers:
            timer.start()
        try:
            return self.reply()
        except BaseException:  # Ctrl-C
            self.process.kill()
            raise
        finally:
            for timer in timers:
                timer.cancel()

    def give_up(self):
        self.timed_out = True
        self.process.kill()

    def send_all(self):
        try:
            for messages in iter(self.outbox.take, []):
                pickle.dump(messages, self.process.stdin, protocol=4)
                self.process.stdin.flush()
                self.outbox.hurry.wait(self.SENDING_INTERVAL)
        except OSError:  # it has ended
            pass
        finally:  # whatever ended it, nobody may wait for it
            self.outbox.close()
            with contextlib.suppress(OSError):
                self.process.stdin.close()  # or Python would try once more, and complain, when it ends

    def send_last(self, message):
        """Sends the last message; returns when it is gone, or when it stays in the pipe."""
        self.outbox.close(message)
        self.sender.join(timeout=2)

    def kill_after(self, seconds):
        try:
            self.process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
