"""The window, on a screen of its own (Xvfb), worked with real keys and a real mouse (xdotool), in Tk and in Qt."""

import functools
import os
import re
import signal
import subprocess
from pathlib import Path

import matplotlib.image
import numpy as np
import pytest

import programs
from helpers import (
    STAGES,
    made_up_training,
    own_lines,
    shortened,
    shortened_text_only,
    stage_source,
    wait_until,
    without_waiting,
)
from screens import HEIGHT, WIDTH, WindowedProgram, xvfb
from visu.drawing.window import WindowShow
from visu.style import BAND_COLOURS, COLOURS, KEYS

STATUS = slice(720, HEIGHT)  # rows of its last line


@pytest.fixture
def start_with(tmp_path, screen, forks):
    """A function that starts the source of a script with a window of a toolkit."""
    runs = []

    def start_run(source, toolkit, **options):
        options = dict({"screen": screen, "toolkit": toolkit, "start": forks.start}, **options)
        runs.append(WindowedProgram(source, tmp_path, **options))
        return runs[-1]

    yield start_run
    for run in runs:
        run.process.kill()  # the window's process sees that, and ends
        run.stop()


@pytest.fixture
def start(start_with):
    """The same with Tk, for all that a toolkit has no part in."""
    return functools.partial(start_with, toolkit="TkAgg")


@pytest.fixture
def start_in_both(start_with, toolkit):
    """With each of the two, for what its own window does: open, take keys and the mouse, save, close."""
    return functools.partial(start_with, toolkit=toolkit)


def finished(start, **options):
    run = start(made_up_training(301), **options)
    run.read_until("^Finished. The window stays open")
    return run


# -- keys


RED = ["#ffa0a0"]  # of misrecognised digits
SHOWN = {  # key: for each colour, where it begins and ends in the picture, from 0 to 1; None where there is none of it
    "0": [(0.05, 0.62), (0, 0.33), (0.34, 0.66), (0.67, 1)],
    "9": [None, None, None, (0, 1)],
    "6": [None, None, None, (0.1, 1)],
    "3": [None, None, None, (0.2, 0.8)],
    "4": [None, (0, 1), None, None],
    "5": [None, None, (0, 1), None],
    "8": [None, (0, 0.5), (0.5, 1), None],
    "1": [(0, 1), None, None, None],
    "2": [(0, 1), None, None, None],
    "7": [(0, 1), None, None, None],
}


def span(picture, colour):
    """From where to where, from 0 to 1, there is some of a colour; None if there is none."""
    rgb = tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5))
    columns = np.flatnonzero((picture[: STATUS.start] == rgb).all(axis=-1).sum(axis=0) > 2)
    return (columns[0] / WIDTH, columns[-1] / WIDTH) if len(columns) else None


def shows(picture, key):
    spans = [span(picture, colour) for colour in (COLOURS["test"], *BAND_COLOURS[:2], *RED)]
    for found, expected in zip(spans, SHOWN[key]):
        if (found is None) != (expected is None):
            return False
        if found and not (expected[0] <= found[0] < found[1] <= expected[1]):
            return False
    return True


def test_a_key_shows_the_panels_that_it_should(start):
    run = finished(start)
    for key in "9637480512":
        run.press(key)
        wait_until(lambda key=key: shows(run.picture(), key), f"the picture is that of the key {key}")
    run.press("Escape")
    wait_until(lambda: shows(run.picture(), "0"), "Esc shows all six")


def test_every_key_of_the_window_has_a_method():
    for method in KEYS.values():
        assert callable(getattr(WindowShow, method))


def test_no_key_of_ours_is_one_of_matplotlibs(tmp_path, screen, forks):
    source = """
import matplotlib
from visu.channel import Run
from visu.drawing.backends import open_figure
from visu.style import KEYS, TITLES, Style
open_figure(Run("lesson", 1, Style(TITLES, (0, 1), 70)), KEYS, "TkAgg")
keys = [key for name in matplotlib.rcParams if name.startswith("keymap.") for key in matplotlib.rcParams[name]]
print(sorted(set(keys) & set(KEYS)), {"o", "p", "q", "f", "ctrl+s"} <= set(keys))
"""
    process = forks.run_script(source, tmp_path, DISPLAY=screen)
    assert process.stdout == "[] True\n", process.stderr


def pausing(source, at=100):
    """The source of a made-up training that waits at an iteration until it is paused."""
    waits = f"    while i == {at} and not datavis.is_paused():\n        time.sleep(0.01)\n    time.sleep"
    return source.replace("    time.sleep", waits)


def paused_picture(run, at=100):
    """Pauses such a training; returns the picture."""
    run.read_until(f"^{at}:")
    running = run.still_picture()
    run.press("space")
    return run.changed_picture(running)


# Says each iteration, and at the 100th waits until it is told to pause
SAYS_ITERATIONS = """
    while i == 100 and not datavis.is_paused():
        time.sleep(0.01)
    print("iteration", i, flush=True)
    time.sleep"""


def test_space_stops_the_training_at_once_and_it_goes_on_exactly_where_it_was(start, tmp_path, forks):
    run = start(made_up_training(301).replace("    time.sleep", SAYS_ITERATIONS))
    run.read_until("^100:")
    running = run.still_picture()[STATUS]
    run.press("space")
    run.read_until("^iteration 100")
    wait_until(lambda: (run.picture()[STATUS] != running).any(), "the window says that it is paused")
    run.press("6")
    wait_until(lambda: shows(run.picture(), "6"), "the window still takes keys")
    assert run.searched == len(run.lines)  # not one iteration more
    run.press("space")
    run.read_until("^Finished")
    run.press("q")
    output, errors, status = run.end()
    assert (errors, status) == ("", 0)
    assert re.findall(r"^iteration (\d+)", output, re.MULTILINE) == [str(i) for i in range(301)]
    assert own_lines(output) == own_lines(forks.run_script(made_up_training(301, seconds=0), tmp_path).stdout)


def marks(picture, column, row):
    """What stands left of and below a panel in the layout of six: the numbers on its axes."""
    x, y = column * WIDTH // 3, row * (HEIGHT - 30) // 2
    return picture[y + 30 : y + 340, x : x + 55], picture[y + 332 : y + 355, x : x + 440]


@pytest.mark.parametrize(
    "toolkit, key, end", [("TkAgg", "o", (300, 250)), ("TkAgg", "p", (250, 180)), ("QtAgg", "o", (300, 250))]
)
def test_a_panel_keeps_its_view_until_h_while_the_others_go_on_scaling(key, end, start_in_both):
    run = start_in_both(pausing(made_up_training(1001)))
    before = paused_picture(run)
    run.press(key)
    run.drag((150, 120), end)
    zoomed = run.picture_that(
        lambda picture: all((marks(picture, 0, 0)[i] != marks(before, 0, 0)[i]).any() for i in range(2)), "it is zoomed"
    )
    for i in range(2):
        assert (marks(zoomed, 1, 0)[i] == marks(before, 1, 0)[i]).all()
    run.press("space")
    run.read_until("^Finished")
    after = run.changed_picture(zoomed)
    for i in range(2):
        assert (marks(after, 0, 0)[i] == marks(zoomed, 0, 0)[i]).all()
    for column, row in ((1, 0), (0, 1), (1, 1)):
        assert (marks(after, column, row)[1] != marks(before, column, row)[1]).any()
    run.press("4")
    alone = run.picture_that(lambda picture: shows(picture, "4"), "panel 4 is shown alone")
    run.press("r")  # matplotlib's key for the tool bar's Home, which would bring back the places of before
    assert (run.still_picture() == alone).all()
    run.press("0")
    run.picture_that(lambda picture: (marks(picture, 0, 0)[0] == marks(after, 0, 0)[0]).all(), "it is as before")
    run.press("h")
    run.press(key)  # ends the zooming mode
    reset = run.picture_that(
        lambda picture: (marks(picture, 0, 0)[0] == marks(before, 0, 0)[0]).all(), "the accuracy is from 0 to 1"
    )
    assert (marks(reset, 0, 0)[1] == marks(after, 1, 0)[1])[:, 60:-30].all()  # the iterations, as those of the loss


def test_ctrl_s_saves_the_picture_as_it_is_shown(start_in_both, tmp_path):
    run = finished(start_in_both)
    run.press("8")
    whole = run.picture_that(lambda picture: shows(picture, "8"), "panels 4 and 5 are shown")
    run.press("o")
    run.drag((300, 200), (500, 400))
    run.press("o")
    shown = run.changed_picture(whole)
    run.press("ctrl+s")
    title = {"TkAgg": "Save the figure", "QtAgg": "Choose a filename"}[run.toolkit]
    run.xdotool("windowfocus", run.window(title))
    run.still_picture()
    run.xdotool("key", "End", "key", "shift+Home", "key", "BackSpace")  # the name that it proposes
    run.xdotool("type", str(tmp_path / "saved.png"))
    run.xdotool("key", "Return")
    path = tmp_path / "saved.png"
    wait_until(lambda: path.exists() and path.read_bytes().endswith(b"IEND\xaeB`\x82"), "the file is there")
    saved = 255 * matplotlib.image.imread(str(path))[..., :3]
    assert saved.shape == shown.shape
    assert (abs(saved - shown) > 16).mean() < 0.001


def test_the_legend_can_be_dragged(start):
    run = start(pausing(made_up_training(100000), 400))
    before = paused_picture(run, 400)
    run.drag((390, 300), (390, 180))
    after = run.changed_picture(before)
    assert (before != after)[140:220, 340:440].any()  # there it is now
    assert (after[290:320, 360:420] == 255).mean() > (before[290:320, 360:420] == 255).mean()  # there it was
    run.press("space")
    run.read_until("^800:")
    letters, letters_before = (picture[165:195, 365:415] < 110 for picture in (run.picture(), after))
    assert (letters == letters_before).all() and letters.any()


# -- sizes


def test_the_window_can_have_any_size(start):
    run = finished(start)
    picture = run.still_picture()
    *_, width, height = run.geometry()
    for size in ((700, 850), (1400, 500), (500, 400), (width, height)):
        run.xdotool("windowsize", run.window(), *size)
        wait_until(lambda size=size: run.geometry()[2:] == list(size), f"the window has the size {size}")
        wait_until(lambda: drawn_to_the_edges(run), f"all of it is drawn at {size}")
    wait_until(lambda: (run.picture() == picture).all(), "it is as it was")


def drawn_to_the_edges(run):
    """Whether there is something in each ninth of the window."""
    shot = run.screenshot()
    rows, columns = np.linspace(0, shot.shape[0], 4).astype(int), np.linspace(0, shot.shape[1], 4).astype(int)
    ninths = [shot[a:b, c:d] for a, b in zip(rows, rows[1:]) for c, d in zip(columns, columns[1:])]
    return all(ninth.std() > 1 for ninth in ninths)


def test_the_window_fits_on_the_screen_of_a_laptop(start_in_both):
    with xvfb("1366x768") as laptop:
        run = start_in_both(made_up_training(101), screen=laptop)
        run.read_until("^Finished")
        x, y, width, height = run.geometry()
        assert 1000 < x + width <= 1366 and 500 < y + height <= 768
        run.press("q")
        assert run.end()[2] == 0


# -- endings

ENDLESS = made_up_training(1000000)


@pytest.mark.parametrize("toolkit, paused", [("TkAgg", False), ("QtAgg", False), ("TkAgg", True)])
def test_closing_the_window_ends_the_training_with_the_best_accuracy_and_status_0(paused, start_in_both, folder):
    start_truly = {} if paused else {"start": programs.start}  # with matplotlib and the toolkit as a user has them
    run = start_in_both(ENDLESS, **start_truly)
    run.read_until("^50:")
    if paused:
        run.press("space")
        run.still_picture()
    run.press("q")  # matplotlib's own key to close a window
    output, errors, status = run.end()
    assert (errors, status) == ("", 0)
    assert re.match(r"max test accuracy: \d", output.splitlines()[-1])


@pytest.mark.parametrize("toolkit, paused", [("TkAgg", False), ("QtAgg", False), ("TkAgg", True)])
def test_ctrl_c_ends_the_training_and_the_window_with_the_best_accuracy_and_status_130(paused, start_in_both):
    run = start_in_both(ENDLESS)
    run.read_until("^50:")
    if paused:
        run.press("space")
        run.still_picture()
    window = run.window()
    run.process.send_signal(signal.SIGINT)
    output, errors, status = run.end()
    assert (errors, status) == ("", 130)
    assert re.match(r"Stopped by Ctrl-C. Max test accuracy so far: \d", output.splitlines()[-1])
    assert is_gone(window, run)


def is_gone(window, run):
    return wait_until(
        lambda: subprocess.call(["xdotool", "getwindowname", window], env=run.env, stderr=subprocess.DEVNULL) != 0,
        "the window is gone",
    )


def test_an_error_in_the_training_step_ends_the_program_with_its_traceback_and_status_1(start):
    run = start(ENDLESS.replace("    time.sleep", "    if i == 60:\n        raise KeyError('mine')\n    time.sleep"))
    run.read_until("^50:")
    output, errors, status = run.end()
    assert status == 1
    assert "in training_step" in errors and errors.splitlines()[-1] == "KeyError: 'mine'"
    window, status_line = run.window(), run.still_picture()[STATUS]  # it is still there,
    run.press("1")
    alone = run.picture_that(lambda picture: not span(picture, BAND_COLOURS[0]), "panel 1 is shown, and no weights")
    assert (alone[STATUS] == status_line).all()  # works, and says why
    assert (status_line[:, :900] < 128).any()
    run.press("q")
    assert is_gone(window, run)


def children_of(process):
    """The numbers of the processes that it has started, and that are there."""
    statuses = [path.read_text().rpartition(")")[2].split() for path in Path("/proc").glob("[0-9]*/stat")]
    numbers = [int(path.parent.name) for path in Path("/proc").glob("[0-9]*/stat")]
    return [number for number, (state, parent, *_) in zip(numbers, statuses) if int(parent) == process]


def test_training_goes_on_when_the_process_of_the_window_dies(start):
    waits = "    while i == 60 and not os.path.exists('killed'):\n        time.sleep(0.01)\n    time.sleep"
    run = start("import os\n" + made_up_training(1001).replace("    time.sleep", waits))
    run.read_until("^50:")
    (drawing,) = children_of(run.process.pid)
    os.kill(drawing, signal.SIGKILL)
    Path("killed").touch()
    output, errors, status = run.end()
    assert status == 0
    assert errors == "The process that draws ended by itself. Training goes on.\n"
    assert output.count(": test accuracy:") == 21


def test_the_window_closes_when_the_program_is_killed(start):
    run = start(ENDLESS)
    run.read_until("^50:")
    window = run.window()
    run.process.kill()
    assert run.end()[1] == ""  # returns when the window's process, too, has let go of the terminal
    assert is_gone(window, run)


# -- the stages


@pytest.mark.tensorflow
@pytest.mark.parametrize("stage", [STAGES[0], STAGES[4]])  # flat and convolutional: the window knows of no others
def test_a_stage_trains_with_a_window_as_it_does_without(stage, screen, forks, tmp_path, few_test_digits):
    start_as_a_learner = programs.start if stage == STAGES[0] else forks.start
    source = shortened(stage_source(stage), 25)
    run = WindowedProgram(source, tmp_path, screen, "TkAgg", name=stage, start=start_as_a_learner)
    run.read_until("Finished. The window stays open")
    run.press("q")
    output, errors, status = run.end()
    assert (errors, status) == ("", 0)
    text = forks.run_script(shortened_text_only(stage_source(stage), 25), tmp_path).stdout
    assert without_waiting(output).splitlines()[:-1] == text.splitlines()
