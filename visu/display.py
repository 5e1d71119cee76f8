# SPDX-License-Identifier: Apache-2.0
"""How a run is shown, as the process that trains sees it: which medium is taken here, and what comes back."""

import atexit
import collections
import contextlib
import os
import queue
import time

from visu.channel import (
    FINISHED,
    NO_PYTHON,
    PAUSED,
    TRAINING,
    Close,
    Closed,
    Digit,
    DrawingProcess,
    End,
    Failed,
    Gone,
    PatchQuestion,
    PauseOrResume,
    Pick,
    Progress,
    Question,
    Ready,
    Saved,
    Say,
    Shown,
    Start,
    Stays,
    StopReading,
    can_start_python,
    something_came,
)
from visu.distribution import probability_distribution
from visu.reading import Reader, digit_in_tile
from visu.record import Bands, Picture, Values
from visu.screen import (
    NO_DISPLAY,
    WINDOWLESS_BACKENDS,
    chosen_backend,
    display_name,
    in_notebook,
    lacks_display,
    leads_to_prompt,
)
from visu.style import CURVES
from visu.words import first_line, say

FILM_NAME = "tensorflowvisu_video.mp4"

# What can show a run. show: the class that draws, in visu/drawing; product: what a run leaves behind, or None: if that
# fails, so does the program; every_update: whether nothing may be left out, as each update is a frame
Medium = collections.namedtuple("Medium", "show product every_update")
WINDOW = Medium("window.WindowShow", None, False)
NOTEBOOK = Medium("files.NotebookShow", None, False)
PICTURE = Medium("files.PictureShow", "The picture with the training curves and digits", False)
FILM = Medium("files.FilmShow", "The film of the training", True)


class CannotShow(SystemExit, RuntimeError):
    """What was asked for can't be shown or saved, said in one sentence.

    Uncaught, it ends the script with that sentence and status 1, as sys.exit(sentence) does. To code that catches it,
    it is a RuntimeError.
    """


class Display:
    """What animate calls. As it is, it shows nothing: training goes on as text.

    failure: what will be missing when the training is over, or None.
    """

    closed = False  # whether somebody has seen enough

    def __init__(self, failure=None):
        self.failure = failure

    def take(self, addition):
        """Something was recorded, or the values that bands are made of: see visu.record."""

    def is_paused(self):
        return False

    def wait_while_paused(self):
        """Returns when nobody has paused the training."""

    def show_progress(self, iterations, is_update):
        """So many iterations are done, and with the last of them a training update or not."""

    def end(self, state):
        """Training is over, FINISHED or "stopped: …"."""

    def close(self):
        """Training was stopped by Ctrl-C."""


class DrawnRun(Display):
    """A run that a process draws. What comes back from there waits for the thread that trains."""

    SENT_AHEAD = 20  # messages for a film, before training waits for it
    PROGRESS_INTERVAL = 0.1  # seconds between two messages of how far the training is, apart from its updates
    PATIENCE = 2, 30  # seconds after Ctrl-C for a window to close, and for a product to be completed

    def __init__(self, process, medium, read_digits=None):
        super().__init__()
        self.process, self.medium = process, medium
        self.reader = Reader(read_digits, self.tell) if read_digits else None
        self.begun = time.monotonic()
        self.next_progress = 0.0
        self.progress = Progress(0, 0.0, False, TRAINING)
        self.images = {curve: collections.deque(maxlen=2) for curve in CURVES}  # of the newest pictures of digits
        self.paused = False
        self.over = False  # whether training is
        self.ended = False  # whether the process is
        self.stays = False
        self.is_saved = False
        self.notebook_handle = None
        self.handlers = {
            Failed: self.on_failed,
            Say: lambda reply: say(reply.text),
            Saved: self.on_saved,
            PauseOrResume: self.on_pause_or_resume,
            Question: lambda question: self.reader.ask(question),
            PatchQuestion: lambda question: self.reader.ask_for_patch(question),
            Pick: self.on_pick,
            Shown: self.on_shown,
            Stays: self.on_stays,
            Closed: self.on_closed,
            Gone: self.on_gone,
        }

    # what comes back

    def take_replies(self):
        """Takes in what has come back since the last time."""
        with contextlib.suppress(queue.Empty):
            while not self.ended:
                reply = self.process.replies.get_nowait()
                self.handlers[type(reply)](reply)

    def is_paused(self):
        self.take_replies()
        return self.paused

    def handle_replies(self, reads_once_more=False):
        """Takes in what has come back, and answers the question that may be among it."""
        self.take_replies()
        if self.reader:
            for key, answer in (("answer", self.reader.answer(reads_once_more)), ("patch", self.reader.patch())):
                if answer:
                    self.process.outbox.put(answer, key, is_urgent=True)

    def tell(self, sentence):
        """Says that something has failed, and that this is not the end."""
        say(sentence if self.over else f"{sentence} Training goes on.", error=True)

    def on_failed(self, reply):
        if self.medium.product:
            self.failure = cannot_be_saved(self.medium.product, reply.reason)
            if not self.over:  # at the end it is told with the result
                self.tell(f"{self.failure}.")
        else:
            self.tell(f"The training can't be shown any longer: {reply.reason}.")
        self.ended = True

    def on_saved(self, reply):
        self.is_saved = True
        say(f"{self.medium.product} is saved as {reply.path}")

    def on_pause_or_resume(self, reply):
        self.paused = not self.paused

    def on_pick(self, reply):
        """Only the images that the newest pictures were made of are there: a window may show an older one."""
        found = (digit_in_tile(reply.tile, images) for images in self.images[reply.curve])
        self.process.outbox.put(Digit(next((image for image in found if image is not None), None)), is_urgent=True)

    def on_shown(self, reply):
        """In the thread that runs the cell: only what it shows is sure to get to the cell's output."""
        from IPython.display import Image, display

        if self.notebook_handle:
            self.notebook_handle.update(Image(reply.png))
        else:
            self.notebook_handle = display(Image(reply.png), display_id=True)

    def on_stays(self, reply):
        self.stays = True

    def on_closed(self, reply):
        self.closed = self.ended = True

    def on_gone(self, reply):
        if self.medium.product and not self.is_saved:
            self.on_failed(Failed("its process ended by itself"))
        elif not self.over:
            self.tell("The process that draws ended by itself.")
        self.ended = True

    # what is sent

    def take(self, addition):
        if self.ended:
            return
        if isinstance(addition, Values):
            weights, biases = (probability_distribution(vector) for vector in (addition.weights, addition.biases))
            addition = Bands(addition.iteration, weights, biases, *addition[3:])
        if isinstance(addition, Picture) and addition.images is not None:
            self.images[addition.curve].appendleft(addition.images)
            addition = addition._replace(images=None)
        is_outdated_soon = isinstance(addition, Picture) and not self.medium.every_update
        self.process.outbox.put(addition, addition.curve if is_outdated_soon else None)

    def send_progress(self, is_urgent=False, **changes):
        self.progress = self.progress._replace(**changes)
        self.process.outbox.put(self.progress, None if self.medium.every_update else "progress", is_urgent)

    def show_progress(self, iterations, is_update):
        answer_finished_windows()
        self.handle_replies(reads_once_more=is_update)
        now = time.monotonic()
        if now >= self.next_progress or is_update:
            self.next_progress = now + self.PROGRESS_INTERVAL
            self.send_progress(iterations=iterations, seconds=now - self.begun, is_update=is_update)

    def wait_while_paused(self):
        if not self.paused:
            return
        begun = time.monotonic()
        self.send_progress(is_urgent=True, is_update=False, state=PAUSED)
        while self.paused and not self.ended:
            wait_for_something()
            answer_finished_windows()
            self.handle_replies()
        self.send_progress(is_urgent=True, is_update=False, state=TRAINING)
        self.begun += time.monotonic() - begun

    def end(self, state):
        self.over = True
        if self.reader and (leads_to_prompt() or state != FINISHED):
            self.process.outbox.put(StopReading())
        self.process.outbox.put(End(state), is_urgent=True)
        while not (self.stays or self.ended):
            wait_for_something()
            self.handle_replies()
        if self.failure and state != FINISHED:  # then the program ends with another reason
            say(f"{self.failure}.", error=True)
        if not self.stays or state != FINISHED:
            self.process.close_outbox()
        elif not leads_to_prompt():  # there, the program is not this script's to keep
            keep_open(self)

    def close(self):
        self.over = True
        self.process.close_outbox(Close())
        self.process.kill_after(self.PATIENCE[bool(self.medium.product)])
        while not self.ended:
            wait_for_something()
            self.handle_replies()
        if self.failure:
            say(f"{self.failure}.", error=True)


def wait_for_something():
    """Waits until a process that draws has replied."""
    something_came.wait(timeout=0.2)  # with a timeout, as Windows lets no Ctrl-C into a wait without
    something_came.clear()


# --------------------------------------------------------------------------------------------------- windows that stay

finished_windows = []  # of all trainings: the program stays as long as one of them is open


def keep_open(window):
    if not finished_windows:
        atexit.register(wait_until_closed)
    finished_windows.append(window)


def answer_finished_windows():
    for window in finished_windows:
        window.handle_replies()


def wait_until_closed():
    answer_finished_windows()
    try:
        if not all(window.ended for window in finished_windows):
            say("Finished. The window stays open; close it, or press Ctrl-C here, to end the program.")
        while not all(window.ended for window in finished_windows):
            wait_for_something()
            answer_finished_windows()
    except KeyboardInterrupt:
        close_finished_windows()


def close_finished_windows():
    for window in finished_windows:
        window.close()


# ------------------------------------------------------------------------------------------------ which medium is taken


class NoDisplay(Exception):
    """A medium to show a run can't be used; its text is the reason."""


class Crash(NoDisplay):
    """Its process ended before it could say a reason."""


def open_display(run, save_movie, read_digits=None):
    """A Display for a Run. Raises CannotShow if a film was asked for that can't be made.

    save_movie: False, True for a film of the usual name, or the name of the film. read_digits: a function from images
    float32 [n, 28, 28, 1] to probabilities [n, 10], for digits that are drawn in a window, or None.
    """
    if save_movie:
        path = FILM_NAME if save_movie is True else os.fspath(save_movie)
        try:
            return start(FILM, run, path)
        except NoDisplay as error:
            raise CannotShow(f"save_movie={save_movie!r} can't make {path}: {error}")
    if not can_start_python():
        say(f"No window: {NO_PYTHON}. Training goes on as text.")
        return Display()
    try:
        return start(NOTEBOOK, run) if in_notebook() else start_window(run, read_digits)
    except NoDisplay as error:
        reason = f"No window: {error}. Training goes on as text"
    try:
        display = start(PICTURE, run)
    except NoDisplay as error:
        failure = cannot_be_saved(PICTURE.product, error)
        say(f"{reason}. {failure}.")
        return Display(failure)
    say(f"{reason}, and its picture is saved at the end.")
    return display


def start_window(run, read_digits):
    backend = chosen_backend()
    if backend and backend.lower() in WINDOWLESS_BACKENDS:
        raise NoDisplay(f"MPLBACKEND={backend} has no windows")
    if lacks_display() and not backend:
        raise NoDisplay(NO_DISPLAY)
    awaited = f"the display {display_name()}" if display_name() else "a window"
    has_pad = read_digits is not None
    try:
        return start(WINDOW, run, backend, has_pad, awaited=awaited, read_digits=read_digits)
    except Crash:
        if backend:
            raise
    # matplotlib's first choice may end the program, as Qt does without some of its system libraries
    return start(WINDOW, run, None, has_pad, awaited=awaited, read_digits=read_digits, MPLBACKEND="TkAgg")


def start(medium, run, *arguments, awaited=None, read_digits=None, **variables):
    """A DrawnRun, by a process that gets these arguments and variables. Raises NoDisplay.

    awaited: what may let it wait, for the person who waits too.
    """
    limit = DrawnRun.SENT_AHEAD if medium.every_update else None
    try:
        process = DrawingProcess(Start(medium.show, run, arguments), limit, **variables)
    except OSError as error:
        raise NoDisplay(first_line(error))
    reply = process.first_reply(awaited)
    if isinstance(reply, (Ready, Closed)):
        display = DrawnRun(process, medium, read_digits)
        display.closed = display.ended = isinstance(reply, Closed)
        return display
    process.outbox.close()
    process.kill_after(2)
    if isinstance(reply, Failed):
        raise NoDisplay(reply.reason)
    raise Crash(f"its process ended with status {process.process.returncode}")


def cannot_be_saved(product, reason):
    try:
        return f"{product} can't be saved in {os.getcwd()} ({reason})"
    except OSError:
        return f"{product} can't be saved in the current folder, which is gone ({reason})"
