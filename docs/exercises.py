# SPDX-License-Identifier: Apache-2.0
"""The edits of scripts that the pages show as ```diff blocks: finds them, applies them, writes the edited scripts.

    python3 docs/exercises.py FOLDER      writes those of the lesson into FOLDER

Those of the questions are not among them: there is nothing in them to measure.
"""

import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
LESSON = sorted((HERE / "lesson").glob("*.md"))
QUESTIONS = HERE / "questions.md"


def exercises(pages=(*LESSON, QUESTIONS)):
    """The (name of the edited copy, source of the edited script) of every diff block in these pages.

    The first line of a block is "# script.py -> copy.py". A line with "-" stands for the one line of the script that
    has this code, whatever comment follows the code there; the "+" lines after it take its place.
    """
    for page in pages:
        for block in re.findall(r"```diff\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
            header, *edits = block.splitlines()
            script, copy = re.match(r"# (\S+\.py) -> (\S+\.py)$", header).groups()
            yield copy, edited((HERE.parent / script).read_text(encoding="utf-8"), edits)


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


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(f"usage: {sys.argv[0]} FOLDER")
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for copy, source in exercises(LESSON):
        (folder / copy).write_text(source, encoding="utf-8")
