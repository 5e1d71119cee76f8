# SPDX-License-Identifier: Apache-2.0
"""Runs the stages over several seeds and compares what they reach.

    python3 compare_stages.py                                 the six stages, 5 seeds each, at full length
    python3 compare_stages.py --seeds 2 mnist_3.0*.py mine.py   these scripts, 2 seeds each

Each run is a process of its own, text-only, with the script as it is on disk but for its line SEED = …
The table on standard output is Markdown; the progress is on standard error.
"""

import argparse
import os
import re
import statistics
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
NUMBER = r"([\d.e+-]+|nan|inf)"
TRAINING_LINE = re.compile(rf"(\d+): accuracy: {NUMBER} loss: {NUMBER}")
TEST_LINE = re.compile(rf"(\d+): \*+ epoch \d+ \*+ test accuracy: {NUMBER} test loss: {NUMBER}")


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


def with_iterations(source, iterations):
    """The source of a script with another number of iterations, in the window's line and in the text-only line."""
    lengths = set(re.findall(r"iterations=(\d+)", source))
    if len(lengths) != 1:
        raise ValueError(f"found {len(lengths)} numbers 'iterations=…', expected 1")
    published = int(lengths.pop())
    for text in ("iterations={}", "range({})"):
        source = source.replace(text.format(published), text.format(iterations))
    return source.replace(f"i == {published - 1}", f"i == {iterations - 1}")


def with_seed(source, seed):
    """The source of a script with another number in its line SEED = …"""
    source, lines = re.subn(r"(?m)^SEED = \d+", f"SEED = {seed}", source)
    if lines != 1:
        raise ValueError(f"found {lines} lines 'SEED = …', expected 1")
    return source


def run(source):
    """Runs the source of a script; returns its output, or raises RuntimeError with the last lines of what it said."""
    search_path = os.pathsep.join([str(HERE)] + os.environ.get("PYTHONPATH", "").split(os.pathsep))
    process = subprocess.run(
        [sys.executable, "-"],
        input=source,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        env=dict(os.environ, PYTHONPATH=search_path, PYTHONIOENCODING="utf-8"),
    )
    if process.returncode:
        last_lines = "\n".join((process.stdout + process.stderr).splitlines()[-10:])
        raise RuntimeError(f"ended with status {process.returncode}:\n{last_lines}")
    return process.stdout


def measure(output, seconds):
    """The numbers of one run, from what it printed, by their headings in the table."""
    training = [float(accuracy) for _, accuracy, _ in TRAINING_LINE.findall(output)]
    test = [(int(i), float(accuracy), float(loss)) for i, accuracy, loss in TEST_LINE.findall(output)]
    if not training or not test:
        raise RuntimeError("printed no lines of training or of test accuracy in the manner of the six stages")
    best_i, best, _ = max(test, key=lambda point: point[1])
    losses = [loss for _, _, loss in test]
    return {
        "max test accuracy": best,
        "at iteration": best_i,
        "final test accuracy": test[-1][1],
        "lowest of the last 20 tests": min(accuracy for _, accuracy, _ in test[-20:]),
        "final / lowest test loss": losses[-1] / min(losses),
        "training accuracy, mean of the last 50": statistics.mean(training[-50:]),
        "seconds": seconds,
    }


def row(name, runs):
    """One line of the table: the median over the runs, and for the accuracy the lowest and the highest as well."""
    cells = [name]
    for heading in runs[0]:
        values = [numbers[heading] for numbers in runs]
        digits = 0 if heading in ("at iteration", "seconds") else 3 if "/" in heading else 4
        cells.append(f"{statistics.median(values):.{digits}f}")
        if heading == "max test accuracy":
            cells[-1] += f" ({min(values):.4f} to {max(values):.4f})"
    return "| " + " | ".join(cells) + " |"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scripts", nargs="*", type=Path, help="scripts to run, the six stages if there are none")
    parser.add_argument("--seeds", type=int, default=5, metavar="N", help="run each with the seeds 0 to N - 1")
    options = parser.parse_args()
    scripts = options.scripts or sorted(HERE.glob("mnist_*.py"))
    failed = header_printed = False
    for script in scripts:
        runs = []
        for seed in range(options.seeds):
            try:
                source = with_seed(text_only(script.read_text(encoding="utf-8")), seed)
                started = time.monotonic()
                runs.append(measure(run(source), time.monotonic() - started))
            except (OSError, ValueError, RuntimeError) as error:
                failed = True
                print(f"{script} with seed {seed}: {error}", file=sys.stderr)
                break
            print(f"{script.name} seed {seed}: {runs[-1]['max test accuracy']:.4f}", file=sys.stderr, flush=True)
        if len(runs) == options.seeds:
            if not header_printed:
                print("| script | " + " | ".join(runs[0]) + " |")
                print("|---" * (1 + len(runs[0])) + "|")
                header_printed = True
            print(row(script.name, runs), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
