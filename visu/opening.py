# SPDX-License-Identifier: Apache-2.0
"""Which display a training gets: the one that was asked for, or that this place allows."""

import os
import sys

from visu.channel import DrawingProcess
from visu.displays import Failed, Film, Notebook, PictureFile
from visu.reading import ReadingWindow
from visu.runtime import in_notebook
from visu.screen import NO_DISPLAY, WINDOWLESS_BACKENDS, chosen_backend, display_name, lacks_display
from visu.window import Window
from visu.words import first_line, say

FILM = "tensorflowvisu_video.mp4"


class NoDisplay(Exception):
    """A way to show a run can't be used; its text is the reason."""


class Crash(NoDisplay):
    """Its process ended before it could say a reason."""


def open_display(style, iterations, save_movie, read_digits=None):
    """A Display.

    save_movie: False, True for a film of the usual name, or the name of the film. read_digits: a function from images
    float32 [n, 28, 28, 1] to probabilities [n, 10], for digits that are drawn in a window, or None.
    """
    if save_movie:
        return start_film(style, iterations, save_movie)
    try:
        return start(Notebook, style, iterations) if in_notebook() else start_window(style, iterations, read_digits)
    except NoDisplay as error:
        reason = f"No window: {error}. Training goes on as text"
    try:
        display = start(PictureFile, style, iterations)
    except NoDisplay as error:
        failure = f"{PictureFile.WHAT} can't be saved in {os.getcwd()} ({error})"
        say(f"{reason}. {failure}.")
        return Failed(failure)
    say(f"{reason}, and its picture is saved at the end.")
    return display


def start_film(style, iterations, save_movie):
    path = FILM if save_movie is True else os.fspath(save_movie)
    try:
        return start(Film, style, iterations, path)
    except NoDisplay as error:
        sys.exit(f"save_movie={save_movie!r} can't make {path}: {error}")


def start_window(style, iterations, read_digits):
    if not read_digits:
        return start_some_window(Window, style, iterations)
    window = start_some_window(ReadingWindow, style, iterations)
    window.read_by(read_digits)
    return window


def start_some_window(way, style, iterations):
    backend = chosen_backend()
    if backend and backend.lower() in WINDOWLESS_BACKENDS:
        raise NoDisplay(f"MPLBACKEND={backend} has no windows")
    if lacks_display() and not backend:
        raise NoDisplay(NO_DISPLAY)
    awaited = f"the display {display_name()}" if display_name() else "a window"
    try:
        return start(way, style, iterations, backend, awaited=awaited)
    except Crash:
        if backend:
            raise
    # matplotlib's first choice may end the program, as Qt does without some of its system libraries
    return start(way, style, iterations, None, awaited=awaited, MPLBACKEND="TkAgg")


def start(way, style, iterations, *more, awaited=None, **variables):
    """A display of this class, with a process that gets these arguments and variables. Raises NoDisplay.

    awaited: what may let it wait, for the person who waits too.
    """
    try:
        process = DrawingProcess(way.SHOW, (style, iterations, *more), way.LIMIT, **variables)
    except OSError as error:
        raise NoDisplay(first_line(error))
    word, *values = process.first_reply(awaited)
    if word in ("ready", "closed"):
        return way(process, iterations, word == "closed")
    process.outbox.close()
    process.kill_after(2)
    if word == "failed":
        raise NoDisplay(*values)
    if process.timed_out:
        raise NoDisplay(f"{awaited or 'the process that draws'} did not answer in {process.TIMEOUT} seconds")
    raise Crash(f"its process ended with status {process.process.returncode}")
