# SPDX-License-Identifier: Apache-2.0
"""The window as a picture and as a short film, both made by scripts as anybody would make them, without a screen."""

import contextlib
import io
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import PIL.Image
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from figures.looks import save_with_few_colours
from stage_runs import ROOT, Stage, read_source, text_only
from visu.channel import FINISHED, Progress, Question, Run
from visu.drawing.pad import Pad, PadPanels
from visu.drawing.picture import Picture, status_texts
from visu.reading import Reader
from visu.record import Point, Record
from visu.style import SIZE, TITLES, Style

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
    """The source of a script that finds its data from any folder."""
    return changed(read_source(ROOT / name), 'read_data_sets("data"', f"read_data_sets({str(ROOT / 'data')!r}")


def save_window(name, path):
    """The six panels at the end of a script's training, as it saves them where there is no screen."""
    source = prepared(name)
    with tempfile.TemporaryDirectory() as folder:
        run_without_screen(source, name, folder)
        with PIL.Image.open(str(Path(folder) / name.replace(".py", ".png"))) as picture:
            save_with_few_colours(picture, path)


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


def save_layers(name, path, iterations=2000):
    """What the layers make of the first test digit that a script misreads, as the window shows it: the key l.

    A value of the first layer is pointed at, the largest of its second channel.
    """
    with contextlib.redirect_stdout(io.StringIO()):
        script = Stage(read_source(ROOT / name), ROOT / name, iterations=iterations).run(text_only)
    test, record = script["mnist"].test, Record()
    for point in zip(*script["datavis"].get_history()["test"]):
        record.add(Point("test", *point[:3], None, None))
    answers = np.concatenate([script["read"](images)[0] for images in np.array_split(test.images, 10)])
    (misread, *_) = np.flatnonzero(answers.argmax(axis=1) != test.labels.argmax(axis=1))

    reader = Reader(script["read"], print)
    pad = Pad(lambda question: (reader.ask if isinstance(question, Question) else reader.ask_for_patch)(question))
    figure = Figure(figsize=SIZE, dpi=70, facecolor="white")
    FigureCanvasAgg(figure)
    run = Run(Path(name).stem, iterations, Style(TITLES, (0, 1), 70))
    picture = Picture(figure, run, record, lambda make_axes: PadPanels(make_axes, pad))
    picture.show_pad(True, with_layers=True)
    pad.show_layers(True)
    pad.put(test.images[misread, ..., 0])
    pad.show_answer(reader.answer())
    channel = pad.layers[0].values[..., 1]
    pad.point_at((0, *(int(i) for i in np.unravel_index(channel.argmax(), channel.shape)), 1))
    pad.ask_for_patch()
    pad.show_patch(reader.patch())
    picture.update(status_texts(run, record, Progress(iterations, 0, True, FINISHED)))
    figure.savefig(str(path))


WINDOWS = {  # file: how it is made, of which script
    "window_1.0.png": (save_window, "mnist_1.0_softmax.py"),
    "layers.png": (save_layers, "mnist_3.1_convolutional_bigger_dropout.py"),
    "layers_1.0.png": (save_layers, "mnist_1.0_softmax.py"),
    "training.webp": (save_film, "mnist_3.1_convolutional_bigger_dropout.py"),
}
