# SPDX-License-Identifier: Apache-2.0
"""Measures how fast drawn digits are read, and what drawing costs. Linux only; needs Xvfb and requirements.txt.

    .venv/bin/pip install -r benchmarks/requirements.txt
    .venv/bin/python benchmarks/pad.py                                       the whole: an hour on two cores
    .venv/bin/python benchmarks/pad.py --parts latency --stages 1.0 3.1      the first table, for two stages
    .venv/bin/python benchmarks/pad.py --backend QtAgg                       in Qt's window, not in Tk's

latency    strokes during the training and, if it is short, after it: milliseconds from the mouse's last move until bars
           and layers show what the network makes of the whole stroke, apart for those that met an evaluation of the
           test set
ratio      spells of a few seconds by turns, in one training: with the window alone, and with somebody who draws all
           the time, with the layers shown. How many times as long an iteration takes in the latter, tests left out: in
           the median, and the lowest and the highest. Once with strokes as of a hand, once with many short ones

Nothing else should run on the machine. The tables on standard output are Markdown.
"""

import argparse
import functools
import sys
import time

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from Xlib import X
from Xlib.ext import xtest

from window import ROOT, Run, Screen

sys.path.insert(0, str(ROOT))

from command_line import spread  # noqa: E402  (the project is not installed)
from visu.channel import Run as ShownRun  # noqa: E402
from visu.drawing.pad import Pad, PadPanels  # noqa: E402
from visu.drawing.picture import Picture  # noqa: E402
from visu.record import Record  # noqa: E402
from visu.style import TITLES, Style  # noqa: E402

STAGES = {path.stem.split("_")[1]: path.stem for path in sorted(ROOT.glob("mnist_*.py"))}
WIDTH, HEIGHT, DPI = 1344, 756, 70  # the picture in the window
BAR_ABOVE = {"TkAgg": False, "QtAgg": True}  # whether the tool bar is above the picture, or else below
SHEET, BARS, LAYERS = 0, 2, 3
PARTS = ["latency", "ratio"]
REST, OBSERVED = 0.3, 0.8  # seconds between two strokes, and that the screen is looked at after one
SHORT, LONG = (8, 0.005), (30, 0.008)  # strokes: moves of the mouse, and seconds before each
PAUSES = {SHORT: 0.05, LONG: 0.1}  # seconds between two strokes of somebody who draws all the time
SETTLE, SPELL = 0.5, 2  # seconds until a spell begins, and that it takes


@functools.lru_cache(maxsize=None)
def place(number):
    """Left, top, width and height of a panel of the pad where the layers are shown, in pixels of the screen."""
    figure = Figure(figsize=(WIDTH / DPI, HEIGHT / DPI), dpi=DPI)
    FigureCanvasAgg(figure)
    run = ShownRun("benchmark", 1000, Style(TITLES, (0, 1), DPI))
    picture = Picture(figure, run, Record(), lambda make_axes: PadPanels(make_axes, Pad(print)))
    picture.show_pad(True, True)
    box = picture.pad.panels[number].axes.get_position()
    return [round(n) for n in (box.x0 * WIDTH, (1 - box.y1) * HEIGHT, box.width * WIDTH, box.height * HEIGHT)]


class PadScreen(Screen):
    """A display for the window of a back end."""

    def __init__(self, backend):
        self.backend, self.bar = backend, 0  # pixels of the tool bar, where that is above the picture

    def find_window(self):
        self.focus()
        if BAR_ABOVE[self.backend]:
            self.bar = max(window.get_geometry().height for window in self.root.query_tree().children) - HEIGHT

    def shown(self):
        """What can be seen of the bars and of the first map, the end of a stroke among it: some pixels of each."""
        left, top, _, height = place(BARS)
        x, y, width, _ = place(LAYERS)
        return (
            self.pixels(left + 2, self.bar + top, 8, height),
            self.pixels(x, self.bar + y + 20, width // 6, 220),
        )

    def mouse(self, kind, x=0, y=0):
        detail = 0 if kind == X.MotionNotify else 1
        xtest.fake_input(self.display, kind, detail, x=x, y=self.bar + y)
        self.display.sync()


def draw_stroke(screen, number, kind=SHORT):
    """A stroke from top to bottom, somewhere in the middle; returns when it began to move, and when it moved last."""
    moves, pause = kind
    left, top, width, height = place(SHEET)
    x = left + width // 2 + number % 7 * 4
    screen.mouse(X.MotionNotify, x, top + height // 6)
    screen.mouse(X.ButtonPress)
    begun = time.monotonic()
    for part in range(1, moves + 1):
        time.sleep(pause)
        last = time.monotonic()
        screen.mouse(X.MotionNotify, x, top + height // 6 + part * height * 2 // (3 * moves))
    screen.mouse(X.ButtonRelease)
    return begun, last


def start(stage, screen):
    run = Run(stage, "with_window", DISPLAY=screen.name, MPLBACKEND=screen.backend)
    while not run.says("\n50:") and not run.says("\n60:"):
        time.sleep(0.02)
    screen.find_window()
    return run


def changes_after(screen, before, seconds):
    """When bars or layers changed on the screen, within so many seconds."""
    moments, end = [], time.monotonic() + seconds
    while time.monotonic() < end:
        now = screen.shown()
        if now != before:
            before = now
            moments.append(time.monotonic())
        time.sleep(0.002)
    return moments


def measure_latency(stage, screen, strokes):
    """Rows of when a stroke began and how long its answer took, in seconds, and the calls of training_step."""
    run = start(stage, screen)
    for key in ("l", "m"):  # as drawn, there is more ink after each move
        screen.press(key)
        time.sleep(0.5)
    seen = []
    for number in range(strokes):  # those after the end of a short training, too: the program still answers
        before = screen.shown()
        begun, last = draw_stroke(screen, number)
        seen.append((begun, last, changes_after(screen, before, OBSERVED)))
        screen.press("c")
        time.sleep(REST)
    screen.press("q")  # what comes after the strokes is not needed
    calls, answers = run.end(), []
    for begun, last, moments in seen:
        readings = [(ink, moment) for ink, moment in run.readings if begun < moment < begun + OBSERVED]
        whole = min((moment for ink, moment in readings if ink == max(readings)[0]), default=np.inf)
        answers.append((last, min((moment for moment in moments if moment > whole), default=np.inf) - last))
    return np.array(answers), calls


def print_latency(screen, stages, strokes):
    print("| stage | strokes | median, ms | 95th percentile, ms | met a test | 95th percentile of the others, ms |")
    print("|---|---|---|---|---|---|", flush=True)
    for stage in stages:
        answers, calls = measure_latency(stage, screen, strokes)
        tests = calls[calls[:, 2] == 1]
        met = np.array([((tests[:, 0] <= b + a) & (b <= tests[:, 1])).any() for b, a in answers])
        milliseconds = 1000 * answers[:, 1]
        middle, high = np.percentile(milliseconds, [50, 95])
        others = np.percentile(milliseconds[~met], 95) if (~met).any() else np.nan
        print(f"| {stage} | {len(met)} | {middle:.0f} | {high:.0f} | {met.sum()} | {others:.0f} |", flush=True)


def spend(screen, kind):
    """A spell in which somebody draws strokes of a kind, or none; returns when it began and ended."""
    for key in ("l",) if kind else ("c", "0"):  # a digit that is left there would be read again and again
        screen.press(key)
        time.sleep(SETTLE / 2)
    begun, number = time.monotonic(), 0
    while time.monotonic() < begun + SPELL:
        if kind:
            draw_stroke(screen, number, kind)
            number += 1
        time.sleep(PAUSES.get(kind, SPELL))
    return begun, time.monotonic()


def measure_ratios(stage, screen, rounds):
    """How many times as long an iteration takes as with the window alone, for each kind of strokes a list."""
    run, spells = start(stage, screen), []
    for kind in [None, LONG, None, SHORT] * rounds + [None]:
        spell = spend(screen, kind)
        if run.says("Finished."):
            break
        spells.append((kind, spell))
    screen.press("q")
    calls = run.end()
    ends, is_test = calls[1:, 1], calls[1:, 2]
    took = np.diff(calls[:, 1])  # with what comes between two iterations, the reading of a digit for example
    pace = [took[(begin <= ends) & (ends < end) & (is_test == 0)].mean() for _, (begin, end) in spells]
    ratios = {LONG: [], SHORT: []}
    for number in range(1, len(spells) - 1, 2):  # each between two with the window alone
        ratios[spells[number][0]].append(2 * pace[number] / (pace[number - 1] + pace[number + 1]))
    return ratios


def print_ratios(screen, stages, rounds):
    print("\n| stage | strokes as of a hand | many short ones |\n|---|---|---|", flush=True)
    for stage in stages:
        ratios = measure_ratios(stage, screen, rounds)
        texts = [spread(ratios[kind], 2) if ratios[kind] else "too short" for kind in (LONG, SHORT)]
        print(f"| {stage} | {' | '.join(texts)} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, help="what to measure")
    parser.add_argument("--stages", nargs="+", choices=STAGES, default=list(STAGES), help="stages to measure")
    parser.add_argument("--backend", choices=BAR_ABOVE, default="TkAgg", help="of the window")
    parser.add_argument("--strokes", type=int, default=60, help="of the latency of each stage")
    parser.add_argument("--rounds", type=int, default=5, help="of the ratio, four spells each, as far as a run is long")
    options = parser.parse_args()
    stages = [STAGES[number] for number in options.stages]
    with PadScreen(options.backend) as screen:
        if "latency" in options.parts:
            print_latency(screen, stages, options.strokes)
        if "ratio" in options.parts:
            print_ratios(screen, stages, options.rounds)


if __name__ == "__main__":
    main()
