"""README: short, and what it says of the keys, the panels and the stages is what the project has."""

import re

import pytest

from helpers import ROOT, STAGES, stage_source
from stage_runs import Stage
from visu.style import DIGIT_PANELS, KEYS, LAYOUTS, PAD_KEYS, PUT_KEYS

README = (ROOT / "README.md").read_text(encoding="utf-8")
RESULTS_OF_STAGES = (ROOT / "docs" / "results.md").read_text(encoding="utf-8").partition("## The exercises")[0]
FIRST_CHAPTER = (ROOT / "docs" / "lesson" / "1_watch.md").read_text(encoding="utf-8")
SPREAD = r"0\.\d{4} \(0\.\d{4} to 0\.\d{4}\)"


def table_row(first_cell, page=README):
    (row,) = [line for line in page.splitlines() if line.startswith(f"| {first_cell} |")]
    return row


def test_it_is_short():
    assert len(README.splitlines()) <= 150


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
    assert (KEYS[" "], KEYS["h"], KEYS["escape"]) == ("pause_or_resume", "reset_zooms", "show_all")
    assert "pauses" in table_row("space") and "resets" in table_row("h")
    words = {"d": "shows a pad", "c": "clears the pad", "m": "centres", "l": "each layer", "s": "scale", "b, t": "puts"}
    assert {key for keys in words for key in keys.split(", ")} == set(PAD_KEYS)
    for keys, word in words.items():
        assert word in table_row(keys)
    assert PUT_KEYS == {"b": "training", "t": "test"} and DIGIT_PANELS == {3: "training", 6: "test"}


def test_the_lesson_has_the_same_keys():
    for key in ("d", "c", "m", "l", "s", "b, t"):
        assert table_row(key, FIRST_CHAPTER) == table_row(key)
    for key in KEYS.keys() - PAD_KEYS.keys():
        name = {" ": "space", "escape": "Esc"}.get(key, key)
        assert re.search(rf"(?m)^\|[^|]*\b({name}|1 to 6)\b", FIRST_CHAPTER), key


@pytest.mark.parametrize("stage", STAGES)
def test_the_stage_table_the_results_and_the_end_of_each_script_say_the_same(stage):
    (row,) = [line for line in README.splitlines() if line.startswith(f"| [{stage}]")]
    *_, best, final, iterations = [cell.strip() for cell in row.strip("|").split("|")]
    assert iterations == f"{Stage(stage_source(stage), stage).iterations:,}"
    for spread in (best, final):
        median, *others = (float(number) for number in re.findall(r"0\.\d{4}", spread))
        assert (
            re.fullmatch(SPREAD if others else r"0\.\d{4}", spread)
            and sorted([median, *others])[len(others) // 2] == median
        )
    comment = " ".join(line.lstrip("# ") for line in stage_source(stage).splitlines()[-12:])
    seeds = best.replace(" (", " over 5 seeds (")
    assert f"a median best test accuracy of {seeds}" in comment
    assert f"and {final} at the end" in comment
    assert f"in {iterations} iterations, and" in comment and "measured with seeds 0 to 4 on TensorFlow 2.21" in comment
    results = table_row(stage, RESULTS_OF_STAGES)
    assert f"| {best} |" in results and f"| {final} |" in results and f"| {iterations} |" in results
    for times in re.findall(r"([\d.]+) times its lowest value", comment):
        assert f"| {times} |" in results
    misread = [round(10000 * (1 - float(spread[:6]))) for spread in (best, final)]
    for told in re.findall(r"misreads (\d+) at its best, (\d+) at the end", comment):
        assert list(map(int, told)) == misread
    for told in re.findall(r"(\d+) are misread at the end", comment):
        assert int(told) == misread[1]
