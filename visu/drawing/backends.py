# SPDX-License-Identifier: Apache-2.0
"""A figure in a window of its own, by whichever back end of matplotlib works here."""

import matplotlib

from visu.drawing.pages import forgive_closed_pages, show_all_pictures
from visu.screen import NO_DISPLAY, WINDOWLESS_BACKENDS, lacks_display
from visu.style import COLOURS, SIZE
from visu.words import first_line, printable

CHROME = (20, 130)  # pixels of a screen that frames, title, tool bar and task bar may need beside the figure


def open_figure(run, keys, wished=None):
    """A figure in a window of its own, by the back end that the user wished, or by the first that works here.

    keys: those that have a meaning of their own, and none of matplotlib's.
    Raises RuntimeError with the reason where there can't be one.
    """
    try:
        if wished:
            matplotlib.rcParams["backend"] = wished
        import matplotlib.pyplot as plt  # only now, as it looks whether that back end can work here

        figure = plt.figure(printable(run.name), SIZE, run.style.dpi, facecolor=COLOURS["background"])
    except Exception as error:  # whatever a back end raises that can't be loaded
        reason = first_line(error).split(";")[0]
        if not wished:
            raise RuntimeError(reason)
        raise RuntimeError(
            f"MPLBACKEND={wished} can't be used ({reason}): unset MPLBACKEND, and one that works will be found; or "
            f"install what it needs with pip: PySide6 for QtAgg, tornado for WebAgg"
        )
    backend = plt.get_backend().lower()
    if backend in WINDOWLESS_BACKENDS:
        if lacks_display():
            raise RuntimeError(NO_DISPLAY)
        try_tk()  # it is what matplotlib takes where nothing else works
        raise RuntimeError(f"matplotlib's back end is {backend}, which has no windows")
    for name in matplotlib.rcParams:
        if name.startswith("keymap."):  # one meaning for each key
            matplotlib.rcParams[name] = [key for key in matplotlib.rcParams[name] if key not in keys]
    if backend == "webagg":
        matplotlib.rcParams["webagg.open_in_browser"] = not lacks_display()  # over ssh it would be one in the terminal
        forgive_closed_pages()
        show_all_pictures()
    fit_to_screen(figure)
    return figure


def try_tk():
    """Opens and closes a window of Tk, the last back end that matplotlib tries: if it can't, its error says why."""
    try:
        import tkinter
    except ImportError as error:
        raise RuntimeError(f"{error}, install python3-tk, or PySide6 with pip")
    try:
        tkinter.Tk().destroy()
    except tkinter.TclError as error:
        raise RuntimeError(first_line(error))


def fit_to_screen(figure):
    """Makes the figure smaller where the screen is. What a screen's size is, only the toolkit's window knows."""
    window = getattr(figure.canvas.manager, "window", None)
    if hasattr(window, "winfo_screenwidth"):  # Tk
        unit = window.winfo_fpixels("1i") / 96  # matplotlib makes its pixels so many of the screen's
        screen = (window.winfo_screenwidth() / unit, window.winfo_screenheight() / unit)
    elif hasattr(window, "screen"):  # Qt
        available = window.screen().availableGeometry()
        screen = (available.width(), available.height())
    else:
        return
    size = figure.get_size_inches()
    room = [(pixels - chrome) / figure.dpi for pixels, chrome in zip(screen, CHROME)]
    shrink = min(1, room[0] / size[0], room[1] / size[1])
    if shrink < 1:
        figure.set_size_inches(size * shrink, forward=True)
        if hasattr(window, "winfo_screenwidth") and figure.canvas.manager.toolbar:
            figure.canvas.manager.toolbar.configure(width=1)  # or Tk would keep the window as wide as its tool bar was
