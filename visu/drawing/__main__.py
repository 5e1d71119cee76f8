# SPDX-License-Identifier: Apache-2.0
"""The program that draws. The training process starts it: visu/channel.py."""

import contextlib
import importlib
import logging
import os
import pickle
import signal
import sys
import warnings
from pathlib import Path

HERE = Path(__file__).resolve().parent
# its own folder must not offer its modules to others, and the user's current folder none to it
sys.path[:] = [str(HERE.parents[1])] + [path for path in sys.path if path and Path(path).resolve() != HERE]

from visu.channel import BROKEN_PIPE  # noqa: E402
from visu.words import first_line  # noqa: E402

SHOWS = {
    "window": "window.WindowShow",
    "pad": "pad_window.PadShow",
    "notebook": "files.NotebookShow",
    "picture": "files.PictureFileShow",
    "film": "film.FilmShow",
}


def set_up_matplotlib():
    """The looks are ours, whatever a matplotlibrc says; what chooses and serves a back end stays the user's."""
    logging.getLogger("matplotlib").setLevel(logging.ERROR)  # no word of font caches among the script's own lines
    warnings.filterwarnings("ignore", "Glyph", UserWarning)  # a script's name may have letters that the font lacks
    import matplotlib

    ffmpeg = matplotlib.rcParams["animation.ffmpeg_path"]
    matplotlib.rcdefaults()
    matplotlib.rcParams["animation.ffmpeg_path"] = ffmpeg


def main():
    """Shows what comes in through standard input: first the way to show it, and the arguments of that."""
    if sys.stdin.isatty():
        sys.exit("visu.drawing is started by the scripts: run one of them, mnist_1.0_softmax.py for example")
    replies = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # whatever a back end prints must not get among the replies
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the training process, which then ends this one

    def reply(*words):
        with contextlib.suppress(OSError, ValueError):  # nobody is left to tell
            replies.write(pickle.dumps(words))

    try:
        way, arguments = pickle.load(sys.stdin.buffer)
    except BROKEN_PIPE:
        return  # the training process has ended already
    try:
        set_up_matplotlib()
        module, name = SHOWS[way].split(".")
        show = getattr(importlib.import_module(f"visu.drawing.{module}"), name)
        show(reply, *arguments).run(sys.stdin.buffer)
    except Exception as error:  # no window, a full disk: the training process will say it, and train on
        reply("failed", getattr(error, "strerror", None) or first_line(error))


if __name__ == "__main__":
    main()
