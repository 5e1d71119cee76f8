"""README: what it says of keys, names, numbers and files is what the project has, and every edit it shows works."""

import inspect
import re

import numpy as np
import PIL.Image
import pytest

import mnistdata
import tensorflowvisu
from exercises import README, exercises
from helpers import ROOT, STAGES, max_test_accuracy, shortened_text_only, stage_source
from visu.style import KEYS, LAYOUTS

EXERCISES = dict(exercises())
# Iterations, and a test accuracy that the edited script does not reach if a step of it is broken
SHORT_RUNS = {
    "softmax_10000.py": (100, 0.85),
    "two_layers.py": (400, 0.75),
    "relus.py": (200, 0.85),
    "fixed_rate.py": (200, 0.88),
    "keep_half.py": (400, 0.85),
    "no_dropout.py": (100, 0.90),
    "more_dropout.py": (100, 0.90),
    "deeper.py": (100, 0.90),
    "keep_model.py": (50, 0.80),
    "my_digit.py": (100, 0.90),
}


def table_row(first_cell):
    (row,) = [line for line in README.splitlines() if line.startswith(f"| {first_cell} |")]
    return row


@pytest.mark.parametrize("name", sorted(EXERCISES))
def test_an_edit_that_readme_shows_gives_a_script_that_learns(name, forks, tmp_path):
    iterations, floor = SHORT_RUNS[name]
    digit = mnistdata.read_data_sets("data", reshape=False).test.images[1, :, :, 0]  # a clear 2
    PIL.Image.fromarray(np.uint8(255 * (1 - digit))).save(str(tmp_path / "my_digit.png"))  # greyscale
    process = forks.run_script(shortened_text_only(EXERCISES[name], iterations), tmp_path)
    assert (process.returncode, process.stderr) == (0, "")
    assert max_test_accuracy(process.stdout) >= floor
    if name == "my_digit.py":
        assert process.stdout.splitlines()[-1] == "my digit is a 2"
    if name == "keep_model.py":
        assert (tmp_path / "mnist_model.index").exists()


def test_every_edit_is_tried():
    assert sorted(EXERCISES) == sorted(SHORT_RUNS)


def test_the_key_table_says_what_the_keys_do():
    in_words = {"0": "all six panels"}
    for key, layout in LAYOUTS.items():
        panels = [panel for line in layout for panel in line]
        if len(panels) == 2:
            assert table_row(key) == f"| {key} | shows panels {panels[0]} and {panels[1]} |"
        elif len(panels) == 1:
            assert panels == [int(key)] and key in table_row("1 2 3 4 5 6")
        else:
            assert in_words[key] in table_row("0, Esc")
    methods = KEYS
    assert (methods[" "], methods["h"], methods["escape"]) == ("pause_or_resume", "reset_zooms", "show_all")
    assert "pauses" in table_row("space") and "resets" in table_row("h")


def test_the_names_that_scripts_rely_on_are_those_of_the_code():
    (block,) = re.findall(r"```python\n(mnistdata\..*?)```", README, re.DOTALL)
    for long, short in ((r"\(\n +", "("), (r",\n +", ", "), (r",\n\)", ")"), ("datavis = ", "")):
        block = re.sub(long, short, block)
    owners = {
        "mnistdata": mnistdata,
        "mnist.train": mnistdata.DataSet,
        "tensorflowvisu": tensorflowvisu,
        "datavis": tensorflowvisu.MnistDataVis,
    }
    for line in block.splitlines():
        owner, name, parameters = re.match(r"(.+)\.(\w+)\((.*)\)$", line).groups()
        signature = str(inspect.signature(getattr(owners[owner], name)))
        for found, written in (("(self, ", "("), ("(self)", "()"), ("<class 'numpy.float32'>", "np.float32")):
            signature = signature.replace(found, written)
        assert signature == f"({parameters})", line


@pytest.mark.parametrize("stage", STAGES)
def test_the_stage_table_and_the_end_of_each_script_give_the_same_result(stage):
    (row,) = [line for line in README.splitlines() if line.startswith(f"| [{stage}]")]
    median, lowest, highest = re.search(r"\| (0\.\d{4}) \((0\.\d{4}) to (0\.\d{4})\) \|", row).groups()
    source = " ".join(line.lstrip("# ") for line in stage_source(stage).splitlines()[-12:])
    assert f"{median} in the median of 5 seeds ({lowest} to {highest})" in source
    assert float(lowest) <= float(median) <= float(highest)
    iterations = re.search(r"iterations=(\d+)", stage_source(stage)).group(1)
    assert row.endswith(f"| {int(iterations):,} |")


def headings_of(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    return {re.sub(r"\W+", "-", line.strip("# ").lower()) for line in lines if line.startswith("#")}


@pytest.mark.parametrize(
    "guide", ["README.md", "benchmarks/README.md", "mlengine/README.md", "mlengine/samples/README.md"]
)
def test_the_links_lead_somewhere(guide):
    targets = re.findall(r"\]\((?!http)([^)]+)\)", (ROOT / guide).read_text(encoding="utf-8"))
    assert len(targets) > 1
    for target in targets:
        name, _, heading = target.partition("#")
        path = (ROOT / guide).parent / name if name else ROOT / guide
        assert path.exists(), target
        assert not heading or heading in headings_of(path), target
