# SPDX-License-Identifier: Apache-2.0
"""Measures what the window costs the training, and how fast it answers. Linux only; needs Xvfb and requirements.txt.

    .venv/bin/pip install -r benchmarks/requirements.txt
    .venv/bin/python benchmarks/window.py                the whole: half an hour on two cores
    .venv/bin/python benchmarks/window.py --rounds 1 --parts cost

ratio      full runs of three stages, text-only and with the window by turns: seconds from the first iteration to the
           last, their ratio in each round, and how often the picture on the screen changed
response   key presses during stage 3.1: milliseconds until the screen shows the effect, apart for those that met an
           evaluation of the test set
cost       milliseconds for a frame, and the memory of the record, after 10,000 and after 1,000,000 iterations; and
           for the percentiles of 250,000 weights

Nothing else should run on the machine. The tables on standard output are Markdown.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import tracemalloc
from pathlib import Path

import numpy as np
from Xlib import XK, X, display
from Xlib.ext import xtest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from visu.channel import Run as ShownRun  # noqa: E402  (the project is not installed)
from visu.channel import Show  # noqa: E402
from visu.distribution import probability_distribution  # noqa: E402
from visu.drawing.picture import file_picture  # noqa: E402
from visu.record import Bands, Picture, Point, Record  # noqa: E402
from visu.style import TITLES, Style  # noqa: E402

STAGES = {  # and how often each is run in a round: the shorter it is, the more one run differs from another
    "mnist_1.0_softmax": 4,
    "mnist_2.1_five_layers_relu_lrdecay": 2,
    "mnist_3.1_convolutional_bigger_dropout": 1,
}
# Runs a stage, and writes down when each call of its training_step began and ended, and whether it was one with a test;
# and how much ink there was whenever it read a digit, and when it had done so
STOPWATCH = """
import atexit, functools, inspect, json, os, sys, time
import stage_runs
from tensorflowvisu import MnistDataVis

path, train, animate = sys.argv[1], getattr(stage_runs, sys.argv[2]), MnistDataVis.animate
calls, readings = [], []
atexit.register(lambda: json.dump([calls, readings], open(os.environ["CALLS"], "w")))

@functools.wraps(animate)
def timed_animate(*arguments, **options):
    call = inspect.signature(animate).bind(*arguments, **options)
    read_digits = call.arguments["read_digits"]
    def read(images):
        values = read_digits(images)
        readings.append((float(images.sum()), time.monotonic()))
        return values
    call.arguments["read_digits"] = read
    return animate(*call.args, **call.kwargs)

MnistDataVis.animate = timed_animate

def timed(step):
    def timed_step(i, update_test_data, update_train_data):
        begun = time.monotonic()
        step(i, update_test_data, update_train_data)
        calls.append((begun, time.monotonic(), update_test_data))
    return timed_step

stage = stage_runs.Stage(stage_runs.read_source(path), path)
stage.run(lambda step, updates, animate: train(timed(step), updates, animate))
"""


class Screen:
    """A display of its own, with what can be seen on it and a keyboard."""

    def __enter__(self):
        read_end, write_end = os.pipe()
        self.server = subprocess.Popen(
            ["Xvfb", "-displayfd", str(write_end), "-dpi", "96", "-screen", "0", "1440x900x24"],
            pass_fds=[write_end],
            stderr=subprocess.DEVNULL,
        )
        os.close(write_end)
        with os.fdopen(read_end) as answer:
            self.name = f":{answer.readline().strip()}"
        self.display = display.Display(self.name)
        self.root = self.display.screen().root
        return self

    def __exit__(self, *error):
        self.server.terminate()
        self.server.wait()

    def pixels(self, x, y, width, height):
        return self.root.get_image(x, y, width, height, X.ZPixmap, 0xFFFFFFFF).data

    def focus(self):
        for window in self.root.query_tree().children:
            if (window.get_wm_name() or "").startswith("mnist"):
                window.set_input_focus(X.RevertToParent, X.CurrentTime)
        self.display.sync()

    def press(self, key):
        code = self.display.keysym_to_keycode(XK.string_to_keysym(key))
        xtest.fake_input(self.display, X.KeyPress, code)
        xtest.fake_input(self.display, X.KeyRelease, code)
        self.display.sync()


class Run:
    """A stage that runs as a process of its own."""

    def __init__(self, stage, train, **variables):
        """train: the name of text_only or with_window, of stage_runs.py."""
        self.folder = tempfile.TemporaryDirectory()
        self.calls = Path(self.folder.name) / "calls.json"
        command = [sys.executable, "-u", "-c", STOPWATCH, str(ROOT / f"{stage}.py"), train]
        hidden = ("DISPLAY", "WAYLAND_DISPLAY", "MPLBACKEND")
        environment = {name: value for name, value in os.environ.items() if name not in hidden}
        environment.update(variables, PYTHONPATH=str(ROOT), CALLS=str(self.calls))
        self.output = Path(self.folder.name) / "output.txt"
        with self.output.open("w") as output:
            self.process = subprocess.Popen(command, stdout=output, env=environment, cwd=self.folder.name)

    def says(self, text):
        """Whether it has printed this text by now, or has ended."""
        return text in self.output.read_text(encoding="utf-8") or self.process.poll() is not None

    def end(self):
        """Waits for the end; returns the calls of training_step, rows of begin, end and whether it tested."""
        if self.process.wait():
            last = self.output.read_text(encoding="utf-8")[-2000:]
            sys.exit(f"{self.process.args[-2]} ended with status {self.process.returncode}:\n{last}")
        calls, self.readings = json.loads(self.calls.read_text())
        self.folder.cleanup()
        return np.array(calls)


def seconds(calls):
    return calls[-1, 1] - calls[0, 0]


def run_as_text(stage):
    return seconds(Run(stage, "text_only").end())


def run_with_window(stage, screen):
    """Returns the seconds of the training, and how often a second the picture on the screen changed meanwhile."""
    run = Run(stage, "with_window", DISPLAY=screen.name)
    changes, seen = [], None
    while not run.says("Finished."):
        time.sleep(0.1)  # seldom, and little, to leave the processor to what is measured
        status_line = screen.pixels(840, 770, 300, 20)
        if status_line != seen:
            seen = status_line
            changes.append(time.monotonic())
    screen.focus()
    screen.press("q")
    calls = run.end()
    frames = [moment for moment in changes if calls[0, 0] <= moment <= calls[-1, 1]]
    return seconds(calls), len(frames) / seconds(calls)


def measure_ratio(rounds, screen):
    print("| stage | text-only, s | with the window, s | ratio: median (lowest to highest) | pictures a second |")
    print("|---|---|---|---|---|")
    for stage, repeats in STAGES.items():
        texts, windows, rates = [], [], []
        for _ in range(rounds * repeats):
            texts.append(run_as_text(stage))
            duration, rate = run_with_window(stage, screen)
            windows.append(duration)
            rates.append(rate)
        ratios = [window / text for window, text in zip(windows, texts)]
        print(
            f"| {stage} | {statistics.median(texts):.1f} | {statistics.median(windows):.1f} "
            f"| {statistics.median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f}) | {min(rates):.1f} |",
            flush=True,
        )


def measure_response(presses, screen):
    """Changes between the six panels and the sixth alone; the place looked at is white in one and not in the other."""
    run = Run(list(STAGES)[-1], "with_window", DISPLAY=screen.name)
    while not run.says("100: *"):
        time.sleep(0.05)
    screen.focus()
    time.sleep(1)
    moments, answers = [], []
    for number in range(presses):
        key = "60"[number % 2]
        before = screen.pixels(470, 150, 60, 20)  # left of the loss: figures of its axis, or digits
        begun = time.monotonic()
        screen.press(key)
        while screen.pixels(470, 150, 60, 20) == before:
            if time.monotonic() - begun > 5:
                sys.exit(f"the key {key} has had no effect for 5 seconds")
            time.sleep(0.005)  # seldom enough to leave the processor to what is measured
        moments.append(begun)
        answers.append(time.monotonic() - begun)
        time.sleep(0.37)
    screen.press("q")
    tests = run.end()
    tests = tests[tests[:, 2] == 1]
    answers = 1000 * np.array(answers)
    testing = np.array([((tests[:, 0] <= moment) & (moment <= tests[:, 1])).any() for moment in moments])
    print("| key presses in stage 3.1 | number | median, ms | 95th percentile, ms | longest, ms |")
    print("|---|---|---|---|---|")
    for name, chosen in (("all", answers), ("while the test set was evaluated", answers[testing])):
        middle, high = np.percentile(chosen, [50, 95])
        print(f"| {name} | {len(chosen)} | {middle:.0f} | {high:.0f} | {chosen.max():.0f} |")


def recorded(iterations):
    """The record of a training of so many iterations, with the updates of stage 2.1, in the process that draws."""
    random = np.random.RandomState(0)
    record = Record(Show.CAPACITY)
    for i in range(0, iterations, 20):
        noise = random.rand()
        record.add(Point("training", i, 1 - 0.1 * noise, 20 * noise, 0.001, None))
        boundaries = np.linspace(-1, 1, 8) + 0.01 * random.rand(8)
        record.add(Bands(i, boundaries, boundaries, None, None))
        if i % 100 == 0:
            record.add(Point("test", i, 0.98 + 0.001 * noise, 10 + noise, None, 1))
    record.add(Picture("training", i, np.full([280, 280, 3], 255, np.uint8)))
    record.add(Picture("test", i, np.full([700, 1120, 3], 255, np.uint8)))
    return record


def frame_seconds(picture, record, status):
    """For one with news of everything."""
    i = record.newest["training"].iteration
    begun = time.perf_counter()
    for curve in ("training", "test"):
        record.add(Point(curve, i, 1, 1, 0.001, 1))
        record.add(Picture(curve, i, record.pictures[curve].pixels.copy()))
    record.add(Bands(i, np.linspace(-1, 1, 8), np.linspace(-1, 1, 8), None, None))
    picture.redraw(picture.update(status))
    return time.perf_counter() - begun


def measure_cost(rounds):
    lengths = (10_000, 1_000_000)
    memory, pictures = [], []
    for iterations in lengths:
        tracemalloc.start()
        record = recorded(iterations)
        memory.append(tracemalloc.get_traced_memory()[0] / 1e6)
        tracemalloc.stop()
        run = ShownRun("benchmark", iterations, Style(TITLES, (0, 1), 70))
        pictures.append((file_picture(run, record), record))
        pictures[-1][0].update(["", ""])
        pictures[-1][0].figure.canvas.draw()
    times = [[frame_seconds(*pair, ["benchmark", f"frame {n}"]) for pair in pictures] for n in range(50 * rounds)]
    times = 1000 * np.median(times, axis=0)
    print("| after iterations | a frame, ms | record, MB |\n|---|---|---|")
    for row in zip(lengths, times, memory):
        print("| {:,} | {:.1f} | {:.2f} |".format(*row))
    print(f"\nRatio of the frames: {times[1] / times[0]:.2f}")
    weights = np.random.RandomState(0).normal(size=250_000).astype(np.float32)
    times = []
    for _ in range(100):
        begun = time.perf_counter()
        probability_distribution(weights)
        times.append(time.perf_counter() - begun)
    print(f"Percentiles of 250,000 weights: {1000 * statistics.median(times):.2f} ms")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=3, help="rounds of full runs, with the window and without")
    parser.add_argument("--presses", type=int, default=200, help="key presses")
    parts = ("ratio", "response", "cost")
    parser.add_argument("--parts", nargs="+", choices=parts, default=parts, help="what to measure")
    options = parser.parse_args()
    with Screen() as screen:
        if "ratio" in options.parts:
            measure_ratio(options.rounds, screen)
        if "response" in options.parts:
            measure_response(options.presses, screen)
    if "cost" in options.parts:
        measure_cost(options.rounds)


if __name__ == "__main__":
    main()
