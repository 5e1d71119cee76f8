"""Several trainings in one script: a picture or a window of each, and all end together."""

import re

import matplotlib.image
import pytest

from helpers import FINISHED, made_up_training, own_lines, wait_until
from screens import xdotool
from screenshots import shows_six_panels

SAME_INSTANCE = ""
NEW_INSTANCE = "datavis = tensorflowvisu.MnistDataVis()\n"


def two_trainings(between, second_iterations=101):
    """The source of a script that trains 101 iterations, and once more."""
    source = made_up_training(101)
    last_lines = source[source.index("datavis.animate") :]
    return source + between + last_lines.replace("101", str(second_iterations))


@pytest.mark.parametrize("between", [SAME_INSTANCE, NEW_INSTANCE], ids=["the same instance", "a new instance"])
def test_two_trainings_in_one_script_save_two_pictures(between, tmp_path, forks):
    process = forks.run_script(two_trainings(between), tmp_path)
    assert (process.stderr, process.returncode) == ("", 0)
    assert sorted(path.name for path in tmp_path.glob("*.png")) == ["script.png", "script_2.png"]
    assert all(shows_six_panels(matplotlib.image.imread(str(path))) for path in tmp_path.glob("*.png"))
    assert len(re.findall("^100: test accuracy", process.stdout, re.MULTILINE)) == 2


def two_windows(screen):
    windows = xdotool(screen, "search", "--onlyvisible", "--name", "^two$")
    return windows if len(windows) == 2 else None


@pytest.mark.parametrize("between", [SAME_INSTANCE, NEW_INSTANCE], ids=["the same instance", "a new instance"])
def test_two_trainings_in_one_script_have_two_windows_and_closing_both_ends_the_program(
    between, start, forks, tmp_path, screen
):
    program = start(two_trainings(between), name="two.py", DISPLAY=screen)
    program.read_until(FINISHED)
    for window in wait_until(lambda: two_windows(screen), "there are two windows"):
        xdotool(screen, "windowfocus", "--sync", window, "key", "q")
    assert program.end()[-1] == 0
    assert own_lines(program.text()) == own_lines(forks.run_script(two_trainings(between), tmp_path).stdout)


def test_one_ctrl_c_closes_the_windows_of_all_trainings(start, screen):
    program = start(two_trainings(SAME_INSTANCE), DISPLAY=screen)
    program.read_until(FINISHED)
    program.press_ctrl_c()
    assert program.end()[-1] == 0
    assert FINISHED in program.lines[-1]  # once, and no traceback


def test_ctrl_c_in_the_second_training_ends_the_program_with_the_window_of_the_first(start, screen):
    program = start(two_trainings(SAME_INSTANCE, 1000000), DISPLAY=screen)
    program.read_until("^max test accuracy")
    program.read_until("^50: ")
    program.press_ctrl_c()
    assert program.end()[-1] == 130
    assert program.lines[-1].startswith("Stopped by Ctrl-C")
