# SPDX-License-Identifier: Apache-2.0
"""The protocol between the process that trains and the process that draws, and both ends of it.

Each message is one of the named tuples below, pickled. To the process that draws they come through its standard input,
in lists, after sys.path and Start; replies go back through its standard output, each behind a MARK and its length.

to the process that draws             until                       what comes back
  Start        first of all           Ready, Closed, Failed       Loaded, and then one of these
  Point, Bands, Picture               End, Close                  nothing: see visu.record
  Progress     after iterations       End, Close                  nothing
  Answer, Patch, Digit  to questions  StopReading, Close          nothing
  StopReading  at a prompt, after training                        nothing
  End          when training is over                              Stays from a window; others Say and end
  Close        at Ctrl-C                                          a window ends; others Say and end

to the process that trains            until
  Loaded       matplotlib is there    once, after Start
  Ready        something can be seen  once, after Loaded
  Failed       it can't be shown      the last
  Say          at any time            -
  Saved        what a run leaves      End, Close
  PauseOrResume                       End
  Question, PatchQuestion, Pick       StopReading, Close
  Shown        a picture for a notebook, at any time
  Stays        a window, after End    once
  Closed       somebody closed it     the last
  Gone         the process has ended: it is not sent, the end of the replies stands for it
"""

import collections
import contextlib
import os
import pickle
import queue
import subprocess
import sys
import threading
import time

from visu.record import Bands, Picture, Point, Record
from visu.words import say

# show: where the class is that shows, like "files.FilmShow"; run: a Run; arguments: further ones of that class
Start = collections.namedtuple("Start", "show run arguments")
# The name of the script, how many iterations there will be, and a Style
Run = collections.namedtuple("Run", "name iterations style")
# So many iterations are done, in so many seconds; is_update: with a training update in the last; state: see below
Progress = collections.namedtuple("Progress", "iterations seconds is_update state")
# number: of the Question; values: the probabilities, float64 [10], or None if they could not be computed; layers: what
# the layers make of the digit, a list of Layer, or None where nobody looks at them
Answer = collections.namedtuple("Answer", "number values layers", defaults=[None])
# values: float32 [rows, columns, channels] or [neurons], the first of them; channels: how many there are in all
Layer = collections.namedtuple("Layer", "values channels")
# number, place: of the PatchQuestion; changes: what a little more ink in each pixel adds to the value, for each unit of
# ink, float32 [28, 28], or None if no pixel changes it; is_of_drawn: in the digit that was drawn, and not in noise
Patch = collections.namedtuple("Patch", "number place changes is_of_drawn")
Digit = collections.namedtuple("Digit", "image")  # of a Pick: float32 [28, 28], or None if it can't be told
StopReading = collections.namedtuple("StopReading", "")  # nobody reads digits any longer
End = collections.namedtuple("End", "state")  # FINISHED, or "stopped: …"
Close = collections.namedtuple("Close", "")

Loaded = collections.namedtuple("Loaded", "")
Ready = collections.namedtuple("Ready", "")
Failed = collections.namedtuple("Failed", "reason")
Say = collections.namedtuple("Say", "text")  # on the terminal
Saved = collections.namedtuple("Saved", "path")
PauseOrResume = collections.namedtuple("PauseOrResume", "")
# number: one more each time; image: float32 [28, 28], 0 is paper and 1 is ink, or None when it is gone; layers: whether
# what they make of it is wanted, too
Question = collections.namedtuple("Question", "number image layers", defaults=[False])
PatchQuestion = collections.namedtuple(
    "PatchQuestion", "number image place"
)  # place: (layer, row, column, channel) or …
Pick = collections.namedtuple("Pick", "curve tile")  # of the picture of digits of that curve: uint8 [28, 28, 3]
Shown = collections.namedtuple("Shown", "png")  # bytes
Stays = collections.namedtuple("Stays", "")
Closed = collections.namedtuple("Closed", "")
Gone = collections.namedtuple("Gone", "")

TO_DRAWING = (Start, Point, Bands, Picture, Progress, Answer, Patch, Digit, StopReading, End, Close)
TO_TRAINING = (
    *(Loaded, Ready, Failed, Say, Saved, PauseOrResume),
    *(Question, PatchQuestion, Pick, Shown, Stays, Closed, Gone),
)

TRAINING, PAUSED, FINISHED = "training", "paused", "finished"  # states

MARK = b"\n\0a reply of visu\0"  # what Python's start prints, by a sitecustomize.py for example, is not this
STARTED_FOR_US = "TENSORFLOWVISU_STARTED"  # see tensorflowsetup

# Between messages, or in the middle of one, the other process has ended
BROKEN_PIPE = (EOFError, OSError, pickle.UnpicklingError)

# ----------------------------------------------------------------------------------------- in the process that draws


class Show:
    """A way to show a run, in the process that draws: what comes in is recorded here, and shown by derived classes."""

    CAPACITY = 512  # points and bands that are kept, enough for 10,000 iterations with an update every 20

    def __init__(self, reply, run):
        """reply: a function that sends a message back."""
        self.reply, self.run = reply, run
        self.record = Record(self.CAPACITY)
        self.progress = Progress(0, 0.0, False, TRAINING)

    def serve(self, stream):
        """Shows what comes in, until training has ended."""
        self.reply(Ready())
        for messages in received(stream):
            for message in messages:
                self.take(message)
            self.show()
            if type(messages[-1]) in (End, Close):
                return
        self.take(Close())  # the training process is gone without a word

    def take(self, message):
        if isinstance(message, (Point, Bands, Picture)):
            self.record.add(message)
        else:
            self.handlers()[type(message)](message)

    def handlers(self):
        """{type of a message: function}, for all but what is recorded."""
        return {
            Progress: self.take_progress,
            End: lambda message: self.end(message.state),
            Close: lambda message: self.end("stopped"),
        }

    def take_progress(self, progress):
        self.progress = progress

    def show(self):
        """Some messages have been taken."""

    def end(self, state):
        """Training is over: it finished, or it was stopped."""


def received(stream):
    """Yields what the training process sends, until it is gone."""
    with contextlib.suppress(*BROKEN_PIPE):
        while True:
            yield pickle.load(stream)


def reply_through(stream):
    """A function that sends a reply through a stream."""

    def reply(message):
        content = pickle.dumps(message, protocol=4)
        with contextlib.suppress(OSError, ValueError):  # nobody is left to tell
            stream.write(MARK + len(content).to_bytes(8, "big") + content)

    return reply


# ---------------------------------------------------------------------------------------- in the process that trains


def replies_in(stream):
    """Yields the replies of the drawing process, until it is gone; skips whatever else is printed there."""
    with contextlib.suppress(*BROKEN_PIPE):
        while True:
            seen = b""
            while seen != MARK:
                byte = stream.read(1)
                if not byte:
                    return
                seen = (seen + byte)[-len(MARK) :]
            yield pickle.loads(stream.read(int.from_bytes(stream.read(8), "big")))


class Outbox:
    """Messages on their way to the drawing process, for its sender to take.

    limit: messages that may wait, then put waits too; None for any number.
    """

    def __init__(self, limit=None):
        self.limit = limit or float("inf")
        self.messages = {}
        self.closed = False
        self.urgent = threading.Event()  # the sender is not to wait for more messages
        self.changed = threading.Condition()

    def put(self, message, key=None, is_urgent=False):
        """Adds a message; one with a key takes the place of the one before with that key, if that still waits."""
        with self.changed:
            while len(self.messages) >= self.limit and not self.closed:
                self.changed.wait(timeout=0.2)  # Windows lets no Ctrl-C into a wait without a timeout
            if not self.closed:
                self.messages[key or object()] = message
                if is_urgent:
                    self.urgent.set()
                self.changed.notify_all()

    def take(self):
        """All messages, as soon as there are some; an empty list when it is closed and empty."""
        with self.changed:
            while not self.messages and not self.closed:
                self.changed.wait()
            messages, self.messages = list(self.messages.values()), {}
            if not self.closed:
                self.urgent.clear()
            self.changed.notify_all()
            return messages

    def close(self, *last):
        """Takes a last message, if there is one, and no more after it."""
        with self.changed:
            if last and not self.closed:
                self.messages[object()] = last[0]
            self.closed = True
            self.urgent.set()
            self.changed.notify_all()


something_came = threading.Event()  # a reply, from any drawing process


class DrawingProcess:
    """The process that draws, the program visu/drawing: an outbox for it, and a queue of its replies, Gone the last.

    limit: of the Outbox; variables: of its environment, beside those of this process. Raises OSError if it can't be
    started.
    """

    NOTICE, TIMEOUT = 5, 60  # seconds until it is said that the display is awaited, and until it is given up
    LOADING_NOTICE, LOADING_TIMEOUT = 30, 600  # the same for matplotlib, which once lists all fonts
    SENDING_INTERVAL = 0.25  # seconds to wait for more messages, which then go together, if none is urgent

    def __init__(self, start, limit=None, **variables):
        if not can_start_python():
            raise OSError(NO_PYTHON)
        # matplotlib would read MPLBACKEND on import, and end there if it doesn't know the name: see visu.screen
        inherited = {name: value for name, value in os.environ.items() if name != "MPLBACKEND"}
        self.process = subprocess.Popen(
            [sys.executable, *flags_of_python(), os.path.join(os.path.dirname(os.path.abspath(__file__)), "drawing")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=dict(inherited, **{STARTED_FOR_US: "1"}, **variables),
            start_new_session=os.name == "posix",  # the terminal's Ctrl-C is for the training process
        )
        self.outbox, self.replies = Outbox(limit), queue.Queue()
        self.sender = threading.Thread(target=self.send_all, args=(start,), daemon=True)
        self.sender.start()
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        """Only queues the replies, so that nothing can end this thread while somebody waits for them."""
        try:
            for reply in replies_in(self.process.stdout):
                self.replies.put(reply)
                something_came.set()
        finally:
            self.replies.put(Gone())
            something_came.set()

    def first_reply(self, awaited):
        """Waits for Ready, Closed, Failed or Gone; says what it waits for, if that takes long. Gives up with Failed."""
        try:
            fonts = "matplotlib, which has to list all fonts once,"
            reply = self.wait_for_reply(fonts, self.LOADING_NOTICE, self.LOADING_TIMEOUT)
            return self.wait_for_reply(awaited, self.NOTICE, self.TIMEOUT) if isinstance(reply, Loaded) else reply
        except BaseException:  # Ctrl-C
            self.process.kill()
            raise

    def wait_for_reply(self, awaited, notice, timeout):
        begun, told = time.monotonic(), False
        while True:
            with contextlib.suppress(queue.Empty):
                return self.replies.get(timeout=0.2)
            waited = time.monotonic() - begun
            if waited > notice and awaited and not told:
                told = True
                say(f"Waiting up to {timeout} seconds for {awaited} …")
            if waited > timeout:
                self.process.kill()
                return Failed(f"{awaited or 'the process that draws'} did not answer in {timeout} seconds")

    def send_all(self, start):
        try:
            pickle.dump(path_of_imports(), self.process.stdin, protocol=4)  # with it, the rest can be understood
            pickle.dump(start, self.process.stdin, protocol=4)
            self.process.stdin.flush()
            for messages in iter(self.outbox.take, []):
                pickle.dump(messages, self.process.stdin, protocol=4)
                self.process.stdin.flush()
                self.outbox.urgent.wait(self.SENDING_INTERVAL)
        except OSError:
            return  # it has ended, which listen sees, too
        finally:  # whatever ended it, nobody may wait for it
            self.outbox.close()
            with contextlib.suppress(OSError):
                self.process.stdin.close()  # or Python would try once more, and complain, when it ends

    def close_outbox(self, *last):
        """Sends a last message, if there is one; returns when it is gone, or when it stays in the pipe."""
        self.outbox.close(*last)
        self.sender.join(timeout=2)

    def kill_after(self, seconds):
        try:
            self.process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()


NO_PYTHON = "this program brings a Python of its own, which can't be started alone to draw"


def can_start_python():
    """Whether sys.executable is Python: in a frozen program it is the program, which would start itself."""
    return bool(sys.executable) and not getattr(sys, "frozen", False)


def path_of_imports():
    """sys.path as it is now; the script's own folder last, so that no file there hides what drawing needs."""
    beside_script = os.path.dirname(os.path.abspath(sys.argv[0])) if sys.argv and sys.argv[0] else os.getcwd()
    path = [os.path.abspath(entry) for entry in sys.path if isinstance(entry, str)]
    return sorted(path, key=beside_script.__eq__)


def flags_of_python():
    """The options that this Python was started with, for another one that is to find the same."""
    options = {
        "isolated": "-I",
        "ignore_environment": "-E",
        "no_user_site": "-s",
        "no_site": "-S",
        "dont_write_bytecode": "-B",
    }
    flags = [option for name, option in options.items() if getattr(sys.flags, name)]
    return flags + [f"-X{name}" if value is True else f"-X{name}={value}" for name, value in sys._xoptions.items()]
