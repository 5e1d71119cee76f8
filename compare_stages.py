# SPDX-License-Identifier: Apache-2.0
"""Runs the stages over several seeds and compares what they reach.

    python3 compare_stages.py                                   all stages, 5 seeds each, at full length
    python3 compare_stages.py --seeds 2 mnist_3.0*.py mine.py   these scripts, 2 seeds each
    python3 compare_stages.py --iterations 1000                 1,000 iterations each

Each run is a process of its own, text-only, with the script as it is on disk but for its line SEED = … and, where
asked for, the number of iterations. The folder "comparison" gets the results: a table as comparison.md and
comparison.csv, a picture of the test curves as comparison.png, and in "runs" the numbers of each run. What is there is
not run again, unless the script has changed since: after Ctrl-C, start it again and it goes on. Delete the folder to
start anew.
"""

import argparse
import collections
import csv
import hashlib
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

from visu.options import whole_number
from visu.words import spread

HERE = Path(__file__).resolve().parent
LAST_LINES = 10  # of a script that failed

# ---------------------------------------------------------------------------------------- scripts, changed for a run


def text_only(source):
    """The source of a script with its two comments at the bottom swapped: the window's line out, the loop's line in."""
    source, window_lines = re.subn(r"(?m)^datavis\.animate\(", "# datavis.animate(", source)
    source, loop_lines = re.subn(r"(?m)^# (for i in range\(.*training_step\()", r"\1", source)
    if (window_lines, loop_lines) != (1, 1):
        raise ValueError(
            f"found {window_lines} lines 'datavis.animate(…' and {loop_lines} lines '# for i in range(… "
            f"training_step(…', expected 1 of each to swap for the text-only mode"
        )
    return source


def published_iterations(source):
    """How many iterations a script trains for, in the window's line."""
    lengths = set(re.findall(r"(?m)^#? ?datavis\.animate\(.*iterations=(\d+)", source))
    if len(lengths) != 1:
        raise ValueError(f"found {len(lengths)} lines 'datavis.animate(… iterations=…', expected 1")
    return int(lengths.pop())


def with_iterations(source, iterations):
    """The source of a script with another number of iterations, in the window's line and in the text-only line."""
    published = published_iterations(source)
    for text in ("iterations={}", "range({})"):
        source = source.replace(text.format(published), text.format(iterations))
    return source.replace(f"i == {published - 1}", f"i == {iterations - 1}")


def with_seed(source, seed):
    """The source of a script with another number in its line SEED = …"""
    source, lines = re.subn(r"(?m)^SEED = \d+", f"SEED = {seed}", source)
    if lines != 1:
        raise ValueError(f"found {lines} lines 'SEED = …', expected 1")
    return source


# --------------------------------------------------------------------------------------------------------------- runs

# What a script does when it has trained: it leaves the history of the run, and the number of weights and biases
RECORD = """
import json, tensorflowvisu
record = {{curve: {{name: values.tolist() for name, values in columns._asdict().items()}}
    for curve, columns in datavis.get_history().items()}}
record["parameters"] = sum(variable.shape.num_elements() for variable in tensorflowvisu.tf.trainable_variables())
with open({path!r}, "w") as file:
    json.dump(record, file)
"""


class Run:
    """One script with one seed. Its results stay in a file that is named after all that they depend on."""

    def __init__(self, script, source, seed, folder):
        self.script, self.seed, self.source = script, seed, with_seed(source, seed)
        self.iterations = published_iterations(source)
        key = hashlib.sha256(self.source.encode("utf-8")).hexdigest()[:12]
        self.file = folder / "runs" / f"{script.stem[:50]}-seed{seed}-{key}.json"  # 50, as names may have 255 bytes

    @property
    def is_done(self):
        return self.file.exists()

    def load(self):
        return json.loads(self.file.read_text(encoding="utf-8"))

    def do(self, on_progress):
        """Runs it; raises RuntimeError with the last lines of what it said."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as folder:
            record, copy = Path(folder) / "record.json", Path(folder) / self.script.name
            copy.write_text(self.source + RECORD.format(path=str(record)), encoding="utf-8")
            begun = time.monotonic()
            self.watch(copy, on_progress)
            if not record.exists():
                raise RuntimeError("ended with status 0 before its last line")
            results = dict(json.loads(record.read_text()), seconds=time.monotonic() - begun)
        if not results["test"]["iteration"] or not results["training"]["iteration"]:
            raise RuntimeError("handed no points of training and of test accuracy to its datavis")
        part = self.file.with_suffix(".part")
        part.write_text(json.dumps(results), encoding="utf-8")
        part.replace(self.file)

    def watch(self, copy, on_progress):
        search_path = os.pathsep.join([str(HERE), str(self.script.resolve().parent), os.environ.get("PYTHONPATH", "")])
        process = subprocess.Popen(
            [sys.executable, "-u", str(copy)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="backslashreplace",
            env=dict(os.environ, PYTHONPATH=search_path, PYTHONIOENCODING="utf-8:backslashreplace"),
        )
        last_lines = collections.deque(maxlen=LAST_LINES)
        try:
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
        columns = shutil.get_terminal_size().columns
        print(f"\r\033[K{line[: columns - 1]}", end="", file=sys.stderr, flush=True)

    def clear(self):
        if self.is_live:
            print("\r\033[K", end="", file=sys.stderr, flush=True)

    def count(self, name, outcome):
        self.done += 1
        self.clear()
        print(f"{name}: {outcome}", file=sys.stderr, flush=True)


# ------------------------------------------------------------------------------------------------------------- results


OVERFITTING, RATIO = "overfits from iteration", "final / lowest test loss"


def place_of(extreme, values):
    """Where np.nanargmax or np.nanargmin finds it; the first place if all values are NaN."""
    return 0 if np.isnan(values).all() else int(extreme(values))


def measure(results):
    """The numbers of one run, by their headings in the table."""
    training, test = results["training"], results["test"]
    best, lowest = place_of(np.nanargmax, test["accuracy"]), place_of(np.nanargmin, test["loss"])
    return {
        "parameters": results["parameters"],
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
    from visu.drawing.comparison import save_picture  # here, as --help needs no matplotlib

    save_picture(folder / "comparison.png", curves)
    print(markdown(rows), end="")
    print(f"The table, as Markdown and CSV, and a picture are in {folder}", file=sys.stderr)


# ------------------------------------------------------------------------------------------------------------- program


def planned_runs(scripts, seeds, iterations, folder):
    """The runs to do, {name of a script: [Run of a seed, …]}, and the sentences about scripts that can't be run."""
    names = [script.name for script in scripts]
    plan, complaints = {}, []
    for script in scripts:
        name = script.name if names.count(script.name) == 1 else str(script)
        try:
            source = text_only(script.read_text(encoding="utf-8"))
            if iterations:
                source = with_iterations(source, iterations)
            plan[name] = [Run(script, source, seed, folder) for seed in range(seeds)]
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
    parser.add_argument("scripts", nargs="*", type=Path, help="scripts to run, all stages if there are none")
    positive = whole_number(1)
    parser.add_argument("--seeds", type=positive, default=5, metavar="N", help="run each with the seeds 0 to N - 1")
    parser.add_argument("--iterations", type=positive, metavar="N", help="train for N iterations")
    parser.add_argument("--folder", type=Path, default=Path("comparison"), help="where the results go")
    options = parser.parse_args()
    scripts = options.scripts or sorted(HERE.glob("mnist_*.py"))
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
            f"{options.folder} can't be written ({error.strerror}): name a folder that you may write to by --folder"
        )
    done = {name: [run for run in runs if run.is_done] for name, runs in plan.items()}
    done = {name: runs for name, runs in done.items() if runs}
    if done:
        write_results(options.folder, done)
    return status


if __name__ == "__main__":
    sys.exit(main())
