# SPDX-License-Identifier: Apache-2.0
"""Runs the stages over several seeds and compares what they reach.

    python3 compare_stages.py                                   all stages, 5 seeds each, at full length
    python3 compare_stages.py --seeds 2 mnist_3.0*.py mine.py   these scripts, 2 seeds each
    python3 compare_stages.py --iterations 1000                 1,000 iterations each

Each run is a process of its own, text-only, with the script as it is but for its SEED and, where asked for, the number
of iterations. The folder "comparison" gets the results: a table as comparison.md and comparison.csv, a picture of the
test curves as comparison.png, and in "runs" the numbers of each run. What is there is not run again, unless the script
has changed since, or a module beside it that it imports, the data, or TensorFlow: after Ctrl-C, start it again and it
goes on. Delete the folder to start anew.
"""

import argparse
import collections
import csv
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from command_line import named_by, print_everything, spread, whole_number
from stage_runs import ROOT, Stage, read_source, text_only

LAST_LINES = 10  # of a script that failed

# --------------------------------------------------------------------------------------------------------------- runs


def run_one():
    """What the process of a run does: trains as the job on standard input says, and writes down what came of it."""
    job = json.load(sys.stdin)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)  # the script has no input
    stage = Stage(job["source"], job["path"], job["seed"], job["iterations"])
    names = stage.run(text_only)
    import tensorflowvisu  # as the script has

    recorded = [value for value in names.values() if isinstance(value, tensorflowvisu.MnistDataVis)]
    if not recorded:
        sys.exit("has no MnistDataVis at its end")
    record = {
        curve: {name: values.tolist() for name, values in columns._asdict().items()}
        for curve, columns in recorded[0].get_history().items()
    }
    record["parameters"] = sum(weights.shape.num_elements() for weights in tensorflowvisu.tf.trainable_variables())
    record["iterations"] = stage.iterations_done
    Path(job["record"]).write_text(json.dumps(record), encoding="utf-8")


class Run:
    """One script with one seed. Its results stay in a file that is named after all that they depend on."""

    def __init__(self, script, source, seed, iterations, folder):
        stage = Stage(source, script, seed, iterations)
        self.job = {"source": source, "path": str(script), "seed": seed, "iterations": iterations}
        self.seed, self.iterations = seed, stage.iterations
        name = script.stem[:50]  # as the names of files may have 255 bytes
        self.file = folder / "runs" / f"{name}-seed{seed}-{stage.key()}.json"

    @property
    def is_done(self):
        return self.file.exists()

    def load(self):
        return json.loads(self.file.read_text(encoding="utf-8"))

    def do(self, on_progress):
        """Runs it; raises RuntimeError with the last lines of what it said."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as folder:
            record = Path(folder) / "record.json"
            begun = time.monotonic()
            self.watch(dict(self.job, record=str(record)), on_progress)
            if not record.exists():
                raise RuntimeError("ended with status 0 before its last line")
            results = dict(json.loads(record.read_text(encoding="utf-8")), seconds=time.monotonic() - begun)
        if not results["test"]["iteration"] or not results["training"]["iteration"]:
            raise RuntimeError("handed no points of training and of test accuracy to its datavis")
        part = self.file.with_suffix(".part")
        part.write_text(json.dumps(results), encoding="utf-8")
        part.replace(self.file)

    def watch(self, job, on_progress):
        process = subprocess.Popen(
            [sys.executable, "-u", __file__, "--work"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="backslashreplace",
            env=dict(os.environ, PYTHONIOENCODING="utf-8:backslashreplace"),
        )
        last_lines = collections.deque(maxlen=LAST_LINES)
        try:
            with process.stdin:
                json.dump(job, process.stdin)
            for line in process.stdout:
                last_lines.append(line)
                iteration = re.match(r"(\d+): ", line)
                if iteration:
                    on_progress(int(iteration.group(1)) / self.iterations)
        finally:
            if process.poll() is None and sys.exc_info()[0]:
                process.kill()
            status = process.wait()
        if status:
            raise RuntimeError(f"ended with status {status}:\n{''.join(last_lines).rstrip()}")


class Progress:
    """Two bars on one line of a terminal: of all runs, and of the one at hand. Elsewhere, a line for each run."""

    WIDTH = 10

    def __init__(self, total, already):
        self.total, self.done, self.already = total, already, already
        self.begun = time.monotonic()
        self.is_live = sys.stderr.isatty()

    def bar(self, fraction):
        return "[" + ("#" * int(self.WIDTH * fraction)).ljust(self.WIDTH, "-") + "]"

    def show(self, name, fraction):
        """The run at hand is so far, from 0 to 1."""
        if not self.is_live:
            return
        runs = self.done - self.already + fraction  # in this start
        left = (self.total - self.already - runs) * (time.monotonic() - self.begun) / runs if runs > 0.02 else None
        time_left = "" if left is None else f", {left / 60:.0f} min left" if left > 90 else f", {left:.0f} s left"
        whole = f"{self.bar((self.done + fraction) / self.total)} run {self.done + 1} of {self.total}{time_left}"
        line = f"{whole}  {self.bar(fraction)} {fraction:4.0%} {name}"
        self.write(line)

    def clear(self):
        if self.is_live:
            self.write("")
            print(end="\r", file=sys.stderr, flush=True)

    def write(self, line):
        """Puts a line in the place of the last one: with spaces, as not each terminal of Windows knows how to erase."""
        width = shutil.get_terminal_size().columns - 1
        print(f"\r{line[:width].ljust(width)}", end="", file=sys.stderr, flush=True)

    def count(self, name, outcome):
        self.done += 1
        self.clear()
        print(f"{name}: {outcome}", file=sys.stderr, flush=True)


# ------------------------------------------------------------------------------------------------------------- results


OVERFITTING, RATIO = "overfits from iteration", "final / lowest test loss"


def index_of(extreme, values):
    """Where np.nanargmax or np.nanargmin finds it; the first place if all values are NaN."""
    return 0 if np.isnan(values).all() else int(extreme(values))


def measure(results):
    """The numbers of one run, by their headings in the table."""
    training, test = results["training"], results["test"]
    best, lowest = index_of(np.nanargmax, test["accuracy"]), index_of(np.nanargmin, test["loss"])
    return {
        "parameters": results["parameters"],
        "iterations": results["iterations"],
        "max test accuracy": test["accuracy"][best],
        "at iteration": test["iteration"][best],
        "final test accuracy": test["accuracy"][-1],
        "lowest test loss": test["loss"][lowest],
        OVERFITTING: test["iteration"][lowest],
        RATIO: test["loss"][-1] / test["loss"][lowest],
        "training accuracy, mean of the last 50": statistics.mean(training["accuracy"][-50:]),
        "lowest of the last 20 tests": min(test["accuracy"][-20:]),
        "seconds": results["seconds"],
    }


SPREAD = ("max test accuracy", "final test accuracy")  # told with the lowest and the highest over the seeds
DIGITS = {"accuracy": 4, "tests": 4, "loss": 2}  # by the last word of a heading; other numbers are whole


def cells(name, runs):
    """One line of the table: medians over the runs, for some with the lowest and the highest as well."""
    row = {"script": name, "seeds": str(len(runs))}
    for heading in runs[0]:
        values = [numbers[heading] for numbers in runs]
        digits = 4 if heading.startswith("training") else DIGITS.get(heading.split()[-1], 0)
        row[heading] = spread(values if heading in SPREAD else [statistics.median(values)], digits)
    if row[RATIO] == "1.00":
        row[OVERFITTING] = "never"
    return row


def markdown(rows):
    names = [re.sub(r"[\\`*<>\[\]|~&$]|\b_|_\b", r"\\\g<0>", row["script"]) for row in rows]  # what Markdown would take
    lines = [list(rows[0]), ["---"] * len(rows[0])]
    lines += [[name, *list(row.values())[1:]] for name, row in zip(names, rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def save_csv(path, rows):
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def write_results(folder, done):
    """Writes the table and the picture of what has been done, {name: [Run, …]}, and prints the table."""
    curves = {name: [run.load() for run in runs] for name, runs in done.items()}
    rows = [cells(name, [measure(results) for results in seeds]) for name, seeds in curves.items()]
    (folder / "comparison.md").write_text(markdown(rows), encoding="utf-8")
    save_csv(folder / "comparison.csv", rows)
    save_picture(folder / "comparison.png", curves)
    print(markdown(rows), end="")
    lengths = {row["script"]: row["iterations"] for row in rows}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{name} {iterations}" for name, iterations in lengths.items())
        print(f"Not all trained equally long: {told} iterations. --iterations N makes them equal", file=sys.stderr)
    print(f"The table, as Markdown and CSV, and a picture are in {folder}", file=sys.stderr)


def save_picture(path, curves):
    """Draws the test curves of all scripts: {name: [results of a seed, …]}, the median with a band over the seeds."""
    import matplotlib  # here, as neither --help nor the process of a run needs it
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    matplotlib.rcdefaults()  # the looks are ours, whatever a matplotlibrc says
    figure = Figure(figsize=(14, 12), dpi=100)
    FigureCanvasAgg(figure)
    panels = figure.subplots(2, 1, sharex=True)
    figure.subplots_adjust(left=0.05, right=0.71, bottom=0.05, top=0.96, hspace=0.1)  # on the right, room for the names
    for panel, quantity, title, limits in (
        (panels[0], "accuracy", "Accuracy on the test digits", (0.9, 1)),
        (panels[1], "loss", "Cross entropy loss on the test digits", (0, 40)),
    ):
        ends = []
        for number, (name, seeds) in enumerate(curves.items()):
            length = min(len(results["test"][quantity]) for results in seeds)
            values = np.array([results["test"][quantity][:length] for results in seeds], dtype=float)
            iterations = np.array(seeds[0]["test"]["iteration"][:length])
            colour = f"C{number}"
            panel.fill_between(iterations, values.min(axis=0), values.max(axis=0), color=colour, alpha=0.2, linewidth=0)
            middle = np.median(values, axis=0)
            panel.plot(iterations, middle, color=colour, linewidth=1.2)
            numbers = np.flatnonzero(np.isfinite(middle))  # a line ends where its loss becomes NaN
            if len(numbers):
                ends.append((iterations[numbers[-1]], middle[numbers[-1]], name, colour))
        panel.set_title(title, fontsize=14)
        panel.set_ylim(*limits)
        panel.set_xlim(0, max(seeds[0]["test"]["iteration"][-1] for seeds in curves.values()))
        panel.grid(color="0.9", linewidth=0.8)
        panel.set_axisbelow(True)
        label_ends(panel, ends, limits)
    panels[1].set_xlabel("iteration")
    figure.savefig(str(path))


def label_ends(panel, ends, limits):
    """Writes the name of each line at its end, apart from each other: most of them to the right of the panel."""
    low, high = limits
    gap = 0.04 * (high - low)
    right = panel.get_xlim()[1]
    ends = sorted((min(max(y, low), high), x, name, colour) for x, y, name, colour in ends)
    heights = [end[0] for end in ends]
    for place in range(1, len(heights)):  # push up what is too close to the one below, then down what is too high
        heights[place] = max(heights[place], heights[place - 1] + gap)
    ceiling = high
    for place in reversed(range(len(heights))):
        heights[place] = min(heights[place], ceiling)
        ceiling = heights[place] - gap
    for height, (y, x, name, colour) in zip(heights, ends):
        panel.annotate(
            name,
            (x, y),
            ((x if x < 0.8 * right else right) + 0.03 * right, height),
            color=colour,
            va="center",
            fontsize=10,
            annotation_clip=False,
            arrowprops={
                "arrowstyle": "-",
                "color": colour,
                "linewidth": 0.6,
                "shrinkA": 0,
                "shrinkB": 0,
                "relpos": (0, 0.5),
            },
        )


# ------------------------------------------------------------------------------------------------------------- program


def planned_runs(scripts, seeds, iterations, folder):
    """The runs to do, {name of a script: [Run of a seed, …]}, and the sentences about scripts that can't be run."""
    names = [script.name for script in scripts]
    plan, complaints = {}, []
    for script in scripts:
        name = script.name if names.count(script.name) == 1 else str(script)
        try:
            source = read_source(script)
            plan[name] = [Run(script, source, seed, iterations, folder) for seed in range(seeds)]
        except (OSError, ValueError) as error:
            complaints.append(f"{name}: {getattr(error, 'strerror', None) or error}")
    return plan, complaints


def do_runs(plan):
    """Does what has not been done before, seed after seed; returns whether all of it succeeded."""
    waiting = [(name, run) for seed in zip(*plan.values()) for name, run in zip(plan, seed) if not run.is_done]
    total = sum(len(runs) for runs in plan.values())
    progress = Progress(total, total - len(waiting))
    failed = set()
    for name, run in waiting:
        label = f"{name} seed {run.seed}"
        if name in failed:
            progress.count(label, "left out, as it failed before")
            continue
        progress.show(label, 0)
        try:
            run.do(lambda fraction, label=label: progress.show(label, fraction))
            progress.count(label, "max test accuracy {max test accuracy:.4f}".format(**measure(run.load())))
        except RuntimeError as error:
            failed.add(name)
            progress.count(label, error)
        except KeyboardInterrupt:
            progress.clear()
            raise
    return not failed


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scripts", nargs="*", help="scripts to run, all stages if there are none")
    positive = whole_number(1)
    parser.add_argument("--seeds", type=positive, default=5, metavar="N", help="run each with the seeds 0 to N - 1")
    parser.add_argument("--iterations", type=positive, metavar="N", help="train for N iterations")
    parser.add_argument("--folder", type=Path, default=Path("comparison"), help="where the results go")
    parser.add_argument("--work", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        return run_one()
    print_everything()
    scripts = [Path(name) for name in named_by(options.scripts)] or sorted(ROOT.glob("mnist_*.py"))
    plan, complaints = planned_runs(scripts, options.seeds, options.iterations, options.folder)
    for complaint in complaints:
        print(complaint, file=sys.stderr)
    status = 1 if complaints else 0
    try:
        if not do_runs(plan):
            status = 1
    except KeyboardInterrupt:
        print("Stopped by Ctrl-C. Start it again with the same options, and it goes on from here.", file=sys.stderr)
        status = 130
    except OSError as error:
        sys.exit(
            f"{options.folder} can't be written ({error.strerror}): name, with --folder, a folder that you may write to"
        )
    done = {name: [run for run in runs if run.is_done] for name, runs in plan.items()}
    done = {name: runs for name, runs in done.items() if runs}
    if done:
        write_results(options.folder, done)
    return status


if __name__ == "__main__":
    sys.exit(main())
