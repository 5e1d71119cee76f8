# SPDX-License-Identifier: Apache-2.0
"""The program that draws. The training process starts it: visu/channel.py."""

import importlib
import logging
import os
import pickle
import signal
import sys
import warnings
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def main():
    """Shows what comes in through standard input: see visu.channel."""
    if sys.stdin.isatty():
        sys.exit("visu.drawing is started by the scripts: run one of them, mnist_1.0_softmax.py for example")
    replies = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # whatever a back end prints must not get among the replies
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the training process, which then ends this one
    try:
        sys.path[:] = [str(ROOT), *pickle.load(sys.stdin.buffer)]
        start = pickle.load(sys.stdin.buffer)
    except (EOFError, OSError, pickle.UnpicklingError):
        return None  # the training process has ended already
    from visu.channel import Failed, Loaded, reply_through  # only now can all modules be found
    from visu.words import first_line

    reply = reply_through(replies)
    try:
        set_up_matplotlib()
        reply(Loaded())
        module, name = start.show.split(".")
        show = getattr(importlib.import_module(f"visu.drawing.{module}"), name)
        show(reply, start.run, *start.arguments).serve(sys.stdin.buffer)
    except Exception as error:  # no window, a full disk: the training process will say it, and train on
        reply(Failed(getattr(error, "strerror", None) or first_line(error)))
        return 1


def set_up_matplotlib():
    """The looks are ours, whatever a matplotlibrc says; what chooses and serves a back end stays the user's."""
    logging.getLogger("matplotlib").setLevel(logging.ERROR)  # no word of font caches among the script's own lines
    warnings.filterwarnings("ignore", "Glyph", UserWarning)  # a script's name may have letters that the font lacks
    import matplotlib

    ffmpeg = matplotlib.rcParams["animation.ffmpeg_path"]
    matplotlib.rcdefaults()
    matplotlib.rcParams["animation.ffmpeg_path"] = ffmpeg
    import matplotlib.font_manager  # noqa: F401  the first time, it lists all fonts


if __name__ == "__main__":
    sys.exit(main())
