"""command_line.py: whole numbers, and what is printed, for several programs. Names of files: tests/test_predict.py."""

import argparse
import io
import os
import sys
import types

import pytest

from command_line import named_by, print_everything, spread, whole_number


@pytest.mark.parametrize("text", ["", "-1", "+3", "1.0", "1e3", "1_000", " 5", "\u00b2", "\u0663", "\u56db", "2"])
def test_what_is_no_whole_number_or_too_small_is_told_with_the_least_one(text):
    with pytest.raises(argparse.ArgumentTypeError) as failure:
        whole_number(3)(text)
    assert str(failure.value) == f"{text!r}, expected a whole number, 3 or more"


def test_a_whole_number_may_be_the_least_one_and_begin_with_zeros():
    assert [whole_number(least)(text) for least, text in ((0, "0"), (3, "3"), (3, "007"), (1, "10000"))] == [
        0,
        3,
        7,
        10000,
    ]


@pytest.mark.skipif(os.name != "posix", reason="Windows has links for some users only")
def test_a_link_that_leads_nowhere_is_a_name_that_exists():
    os.symlink("nowhere", "[12].png")
    open("1.png", "w").close()
    assert named_by(["[12].png"]) == ["[12].png"]


def test_what_the_encoding_of_the_output_lacks_is_escaped(monkeypatch):
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding="ascii"))
    print_everything()
    print("\u6570.py", flush=True)
    assert written.getvalue().rstrip() == rb"\u6570.py"
    monkeypatch.setattr(sys, "stdout", types.SimpleNamespace())  # as that of IDLE, which prints all
    print_everything()


def test_a_spread_is_the_median_with_the_lowest_and_the_highest():
    assert spread([3, 1, 11]) == "3.00 (1.00 to 11.00)"
    assert spread([0.98765], 4) == "0.9877"
    assert spread([2000, 1000], 0) == "1,500 (1,000 to 2,000)"
    assert spread([2, 2], 0) == "2 (2 to 2)"
