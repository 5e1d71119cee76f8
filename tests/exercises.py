"""The edits of scripts that README shows as ```diff blocks: find them, apply them, write the edited scripts.

Run as a program, "exercises.py FOLDER", it writes those of "What to try" into FOLDER for compare_stages.py to measure.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


README = (ROOT / "README.md").read_text(encoding="utf-8")
WHAT_TO_TRY = README[README.index("## What to try") : README.index("## Questions")]


def exercises(text=README):
    """The (name of the edited copy, source of the edited script) of every diff block in a part of README.

    The first line of a block is "# script.py -> copy.py". A line with "-" stands for the one line of the script that
    has this code, whatever comment follows the code there; the "+" lines after it take its place.
    """
    for block in re.findall(r"```diff\n(.*?)```", text, re.DOTALL):
        header, *edits = block.splitlines()
        script, copy = re.match(r"# (\S+\.py) -> (\S+\.py)$", header).groups()
        yield copy, edited((ROOT / script).read_text(encoding="utf-8"), edits)


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
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for copy, source in exercises(WHAT_TO_TRY):
        (folder / copy).write_text(source, encoding="utf-8")
