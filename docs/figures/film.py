# SPDX-License-Identifier: Apache-2.0
"""The window as a picture and as a short film, both made by scripts as anybody would make them, without a screen."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import PIL.Image

from stage_runs import ROOT, read_source
from visu.style import TITLES

FILM_WIDTH = 1120  # pixels


def run_without_screen(source, name, folder):
    """Runs a script as a program of this name, in a folder."""
    script = Path(folder) / name
    script.write_text(source, encoding="utf-8")
    hidden = ("DISPLAY", "WAYLAND_DISPLAY", "MPLBACKEND")
    environment = {variable: value for variable, value in os.environ.items() if variable not in hidden}
    environment.update(PYTHONPATH=str(ROOT), MPLBACKEND="agg")
    command = [sys.executable, str(script)]
    subprocess.run(command, cwd=str(folder), env=environment, stdout=subprocess.DEVNULL, check=True)


def changed(source, old, new):
    if source.count(old) != 1:
        raise ValueError(f"found {old!r} {source.count(old)} times in the script, expected it once")
    return source.replace(old, new)


def prepared(name):
    """The source of a script that finds its data from any folder, and whose panels are numbered, as the lesson does."""
    titles = ", ".join(f'title{i}="{i}   {title}"' for i, title in enumerate(TITLES, 1))
    source = changed(read_source(ROOT / name), 'read_data_sets("data"', f"read_data_sets({str(ROOT / 'data')!r}")
    return changed(source, "MnistDataVis()", f"MnistDataVis({titles})")


def save_window(name, path):
    """The six panels at the end of a script's training, as it saves them where there is no screen."""
    source = prepared(name)
    with tempfile.TemporaryDirectory() as folder:
        run_without_screen(source, name, folder)
        shutil.copy(str(Path(folder) / name.replace(".py", ".png")), str(path))


def save_film(name, path, updates=(*range(12), *range(12, 126, 3), 125)):
    """A film of a script's first training updates, those of these numbers, as an animated WebP that plays for ever.

    It takes the program ffmpeg. Frames of panels 3 and 6 have little in common, so not all updates are shown.
    """
    source = prepared(name)
    for old, new in (
        ("ITERATIONS = 10000", f"ITERATIONS = {updates[-1] * 20 + 1}"),
        ("read_digits=read)", "read_digits=read, save_movie='film.mp4')"),
    ):
        source = changed(source, old, new)
    with tempfile.TemporaryDirectory() as folder:
        run_without_screen(source, name, folder)
        subprocess.run(["ffmpeg", "-loglevel", "error", "-i", "film.mp4", "%04d.png"], cwd=folder, check=True)
        files = sorted(Path(folder).glob("*.png"))
        frames = []
        for update in updates:
            with PIL.Image.open(str(files[min(update, len(files) - 1)])) as frame:
                size = (FILM_WIDTH, round(frame.height * FILM_WIDTH / frame.width))
                frames.append(frame.convert("RGB").resize(size, PIL.Image.LANCZOS))
    durations = [200] * (len(frames) - 1) + [4000]  # milliseconds
    frames[0].save(str(path), save_all=True, append_images=frames[1:], duration=durations, loop=0, quality=60, method=4)


WINDOWS = {  # file: how it is made, of which script
    "window_1.0.png": (save_window, "mnist_1.0_softmax.py"),
    "training.webp": (save_film, "mnist_3.1_convolutional_bigger_dropout.py"),
}
