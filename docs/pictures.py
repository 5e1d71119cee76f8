# SPDX-License-Identifier: Apache-2.0
"""Makes the pictures of the pages, from real runs of the scripts and of the edits that the lesson shows.

    python3 docs/pictures.py                      all pictures, into docs/pictures; an hour on two cores
    python3 docs/pictures.py noise training.webp  these two
    python3 docs/pictures.py --iterations 100     from short runs, to try a change

The results of the runs stay in the folder lesson_runs, so that a second time takes seconds. Delete it to start anew.
"""

import argparse
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import mnistdata  # noqa: E402  (the project is not installed)
from command_line import print_everything  # noqa: E402
from exercises import exercises  # noqa: E402
from figures.every import PICTURES  # noqa: E402
from figures.film import WINDOWS  # noqa: E402
from figures.looks import overlapping_labels, save  # noqa: E402
from figures.runs import Runs  # noqa: E402


def sources():
    """{name: source} of the stages and of the edits that the pages show."""
    stages = {path.name: path.read_text(encoding="utf-8") for path in HERE.parent.glob("mnist_*.py")}
    return {**dict(exercises()), **stages}


def main():
    known = [*PICTURES, *WINDOWS]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="PICTURE", help=f"of {', '.join(known)}; without names, all")
    parser.add_argument("--iterations", type=int, help="train no longer than that")
    parser.add_argument("--runs", type=Path, default=HERE.parent / "lesson_runs", help="where results of runs stay")
    parser.add_argument("--to", type=Path, default=HERE / "pictures", help="where the pictures go")
    options = parser.parse_args()
    print_everything()
    unknown = set(options.names) - set(known)
    if unknown:
        parser.error(f"no picture is called {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    runs = Runs(sources(), options.runs, options.iterations)
    digits = mnistdata.read_data_sets(str(HERE.parent / "data"), one_hot=False, reshape=False)
    options.to.mkdir(parents=True, exist_ok=True)
    status = 0
    for name in options.names or known:
        if name in WINDOWS:
            make, script = WINDOWS[name]
            make(script, options.to / name)
            print(options.to / name)
            continue
        figure = PICTURES[name](runs, digits)
        save(figure, options.to / f"{name}.png")
        print(options.to / f"{name}.png")
        for pair in overlapping_labels(figure):
            print("two labels of {} overlap: {!r} and {!r}".format(name, *pair), file=sys.stderr)
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
