# SPDX-License-Identifier: Apache-2.0
"""The exercises of the lesson: writes their solutions, and says which of them a copy of a script solves.

    python3 docs/exercises.py FOLDER                 writes all solutions, and the programs of the lesson, into FOLDER
    python3 docs/exercises.py --check my_copy.py     trains this copy for some seconds and says what it solves

The pages are the source: an exercise is a heading "### Exercise 2.1: title", a line with its time, its script and the
name for the copy, and a solution, which is a ```diff block or a script of the project.
"""

import argparse
import re
import sys
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent)]

from command_line import print_everything  # noqa: E402  (the project is not installed)

CHAPTERS = sorted((HERE / "lesson").glob("[0-9]*.md"), key=lambda page: int(page.name.split("_")[0]))
LESSON = [HERE / "lesson" / "README.md", *CHAPTERS]
QUESTIONS = HERE / "questions.md"
EXERCISE = re.compile(
    r"^### Exercise (?P<number>\d+\.\d+): (?P<title>.*)\n\n"
    r"\*(?P<minutes>\d+) minutes\. Copy (?P<scripts>.*) to `(?P<copy>\w+\.py)`\.\*\n(?P<text>(?:(?!^##).*\n)*)",
    re.MULTILINE,
)

# Iterations, and the lowest and the highest test accuracy that a solution may have after them
RANGES = {
    "other_seed.py": (200, 0.80, 0.95),
    "one_step.py": (1, 0.05, 0.15),
    "rate_low.py": (200, 0.75, 0.90),
    "rate_high.py": (50, 0.05, 0.15),
    "batch_of_10_long.py": (400, 0.75, 0.95),
    "softmax_10000.py": (200, 0.80, 0.95),
    "confusion.py": (200, 0.80, 0.95),
    "two_layers.py": (400, 0.70, 1),
    "from_zeros.py": (100, 0, 0.25),
    "plain_descent.py": (200, 0, 0.25),
    "slopes.py": (400, 0.75, 1),
    "relus.py": (200, 0.85, 1),
    "plain_relus.py": (300, 0.80, 1),
    "my_decay.py": (200, 0.85, 1),
    "batch_of_500.py": (200, 0.90, 1),
    "few_digits.py": (200, 0.70, 0.90),
    "my_dropout.py": (400, 0.80, 1),
    "keep_half.py": (400, 0.75, 1),
    "validation.py": (400, 0.80, 1),
    "shuffled_dense.py": (200, 0.85, 1),
    "my_convolutions.py": (100, 0.85, 1),
    "shuffled_convolutional.py": (100, 0.80, 1),
    "my_bigger.py": (100, 0.85, 1),
    "no_dropout.py": (100, 0.85, 1),
    "wider.py": (100, 0.85, 1),
    "my_batchnorm.py": (100, 0.80, 1),
    "long_steps.py": (80, 0.60, 1),
    "my_bent.py": (60, 0.60, 1),
    "keras_layer.py": (400, 0.70, 1),
}


class Exercise(NamedTuple):
    """number: "2.1". script: the name of the stage to copy. copy: the name for the copy. solution: its source."""

    number: str
    title: str
    script: str
    copy: str
    solution: str


def exercises_to_do():
    """All exercises of the lesson that begin with a copy of a script, in their order."""
    solutions = dict(exercises(LESSON))
    for page in CHAPTERS:
        for match in EXERCISE.finditer(page.read_text(encoding="utf-8")):
            script = re.findall(r"`(mnist_\S+\.py)`", match["scripts"])[0]
            stage = re.search(r"The solution is\s+\[(mnist_\S+\.py)\]", match["text"])
            solution = source_of(stage[1]) if stage else solutions[match["copy"]]
            yield Exercise(match["number"], match["title"], script, match["copy"], solution)


def source_of(script):
    return (HERE.parent / script).read_text(encoding="utf-8")


def exercises(pages=(*LESSON, QUESTIONS)):
    """The (name of the edited copy, source of the edited script) of every diff block in these pages.

    The first line of a block is "# script.py -> copy.py". A line with "-" stands for the one line of the script that
    has this code, whatever comment follows the code there; the "+" lines after it take its place.
    """
    for page in pages:
        for block in re.findall(r"```diff\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
            header, *edits = block.splitlines()
            script, copy = re.match(r"# (\S+\.py) -> (\S+\.py)$", header).groups()
            yield copy, edited(source_of(script), edits)


def programs(pages=tuple(CHAPTERS)):
    """The (name, source) of every program that stands whole in these pages: its first line is "# name.py"."""
    for page in pages:
        for block in re.findall(r"```python\n(# \w+\.py\n.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
            yield block.splitlines()[0][2:], block


def edited(source, edits):
    lines = source.splitlines()
    place = None
    for edit in edits:
        sign, text = edit[:1], edit[1:]
        if sign == "-":
            places = [i for i, line in enumerate(lines) if text.rstrip() in (line, line.split("  #")[0].rstrip())]
            if len(places) != 1:
                raise ValueError(f"{len(places)} lines {text!r} in the script, expected 1")
            place = places[0]
            del lines[place]
        elif sign == "+":
            lines.insert(place, text)
            place += 1
        else:
            raise ValueError(f"a line that begins with neither - nor +: {edit!r}")
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("folder", nargs="?", type=Path, metavar="FOLDER", help="where the solutions go")
    what.add_argument("--check", type=Path, metavar="COPY", help="a script that you have changed")
    options = parser.parse_args()
    if options.check:
        from checker import check  # here, as it imports TensorFlow

        print_everything()
        sys.exit(check(options.check, list(exercises_to_do())))
    options.folder.mkdir(parents=True, exist_ok=True)
    for copy, source in [*exercises(LESSON), *programs()]:
        (options.folder / copy).write_text(source, encoding="utf-8")


if __name__ == "__main__":
    main()
