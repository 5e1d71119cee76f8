"""The window, on a screen of its own (Xvfb), worked with real keys and a real mouse (xdotool), in Tk and in Qt."""

import re
import signal
import subprocess

import matplotlib.image
import numpy as np
import pytest

from helpers import (
    STAGES,
    made_up_training,
    run_script,
    shortened,
    shortened_text_only,
    stage_source,
    wait_until,
)
from screens import HEIGHT, WIDTH, WindowedProgram, xvfb
from visu.drawing.window import WindowShow
from visu.style import BAND_COLOURS, KEYS

STATUS = slice(720, HEIGHT)  # rows of its last line


@pytest.fixture
def start(folder, screen, toolkit):
    """A function that starts the source of a script with a window."""
    runs = []

    def start_run(source, **options):
        runs.append(WindowedProgram(source, folder, options.pop("screen", screen), toolkit, **options))
        return runs[-1]

    yield start_run
    for run in runs:
        run.process.kill()  # the window's process sees that, and ends
        run.stop()


def finished(start, **options):
    run = start(made_up_training(301), **options)
    run.read_until("^Finished. The window stays open")
    return run


# -- keys


def test_from_every_layout_each_key_leads_to_the_same_picture(start):
    """0 to 9 in circles that visit each after each of nearly all the others."""
    run = finished(start)
    pictures = {"0": run.still_picture()}
    key = 0
    for step in (1, 3, 7, 9):
        for _ in range(10):
            key = (key + step) % 10
            run.press(str(key))
            if str(key) in pictures:
                wait_until(lambda key=key: (run.picture() == pictures[str(key)]).all(), f"layout {key} is as before")
            else:
                pictures[str(key)] = run.still_picture()
    run.press("4")
    run.press("Escape")
    wait_until(lambda: (run.picture() == pictures["0"]).all(), "Esc shows all six")
    for key, picture in pictures.items():
        others = [other for other_key, other in pictures.items() if other_key != key]
        assert min((picture != other).mean() for other in others) > 0.01
        assert (picture[STATUS] == pictures["0"][STATUS]).all()


def columns_with_red(picture):
    """Left and right end, from 0 to 1, of what is in the red of misrecognised digits."""
    columns = np.flatnonzero((picture == (255, 160, 160)).all(axis=-1).sum(axis=0) > 20)
    return columns[0] / WIDTH, columns[-1] / WIDTH


def test_a_key_shows_the_panels_that_it_should(start):
    run = finished(start)
    for key, left, right in (("0", 0.66, 1), ("9", 0, 1), ("6", 0, 1), ("3", 0.2, 0.8)):  # those with digits, made up
        run.press(key)
        first, last = columns_with_red(run.still_picture())
        assert left <= first <= left + 0.15 and right - 0.15 <= last <= right
    for key, band_colours in (("4", [0]), ("5", [1]), ("8", [0, 1]), ("1", []), ("2", []), ("7", [])):
        run.press(key)
        picture = run.still_picture()
        assert not (picture == (255, 160, 160)).all(axis=-1).any()
        for number, colour in enumerate(BAND_COLOURS[:2]):
            rgb = tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5))
            assert (picture == rgb).all(axis=-1).any() == (number in band_colours), (key, number)


def test_every_key_of_the_window_has_a_method():
    for method in KEYS.values():
        assert callable(getattr(WindowShow, method))


def test_no_key_of_ours_is_one_of_matplotlibs(folder, screen, toolkit):
    source = """
import matplotlib
from visu.channel import Run
from visu.drawing.backends import open_figure
from visu.style import KEYS, TITLES, Style
open_figure(Run("lesson", 1, Style(TITLES, (0, 1), 70)), KEYS)
keys = [key for name in matplotlib.rcParams if name.startswith("keymap.") for key in matplotlib.rcParams[name]]
print(sorted(set(keys) & set(KEYS)), {"o", "p", "q", "f", "ctrl+s"} <= set(keys))
"""
    process = run_script(source, folder, DISPLAY=screen, MPLBACKEND=toolkit)
    assert process.stdout == "[] True\n", process.stderr


def test_space_stops_the_training_and_goes_on_exactly_where_it_was(start, tmp_path):
    run = start(made_up_training(1001, seconds=0.002))
    run.read_until("^100:")
    running = run.picture()[STATUS]
    run.press("space")
    paused = run.still_picture()[STATUS]
    lines = len(run.lines)
    assert (paused != running).any()
    assert (run.still_picture()[STATUS] == paused).all() and len(run.lines) == lines < 20
    run.press("space")
    run.read_until("^Finished")
    run.press("q")
    output, errors, status = run.end()
    assert (errors, status) == ("", 0)
    undisturbed = run_script(made_up_training(1001, seconds=0), tmp_path, MPLBACKEND="agg").stdout.splitlines()
    numbers = [line for line in undisturbed if re.match(r"\d|max", line)]
    assert output.splitlines()[:-1] == numbers and len(numbers) == 22


def marks(picture, column, row):
    """What stands left of and below a panel in the layout of six: the numbers on its axes."""
    x, y = column * WIDTH // 3, row * (HEIGHT - 30) // 2
    return picture[y + 30 : y + 340, x : x + 55], picture[y + 332 : y + 355, x : x + 440]


@pytest.mark.parametrize("key, end", [("o", (300, 250)), ("p", (250, 180))])
def test_a_panel_keeps_its_view_until_h_while_the_others_go_on_scaling(key, end, start):
    run = start(made_up_training(3001))
    run.read_until("^50:")
    run.press("space")
    before = run.still_picture()
    run.press(key)
    run.drag((150, 120), end)
    zoomed = run.still_picture()
    for i in range(2):
        assert (marks(zoomed, 0, 0)[i] != marks(before, 0, 0)[i]).any()
        assert (marks(zoomed, 1, 0)[i] == marks(before, 1, 0)[i]).all()
    run.press("space")
    run.read_until("^Finished")
    after = run.still_picture()
    for i in range(2):
        assert (marks(after, 0, 0)[i] == marks(zoomed, 0, 0)[i]).all()
    for column, row in ((1, 0), (0, 1), (1, 1)):
        assert (marks(after, column, row)[1] != marks(before, column, row)[1]).any()
    run.press("h")
    run.press(key)  # ends the zooming mode
    reset = run.still_picture()
    assert (marks(reset, 0, 0)[0] == marks(before, 0, 0)[0]).all()  # 0 to 1
    assert (marks(reset, 0, 0)[1] == marks(after, 1, 0)[1])[:, 60:-30].all()  # the iterations, as those of the loss


def test_ctrl_s_saves_the_picture_as_it_is_shown(start, tmp_path):
    run = finished(start)
    run.press("8")
    run.press("o")
    run.drag((300, 200), (500, 400))
    run.press("o")
    shown = run.still_picture()
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
    run = start(made_up_training(100000))
    run.read_until("^400:")  # by then the curves are far from there
    run.press("space")
    before = run.still_picture()
    run.drag((390, 300), (390, 180))
    after = run.still_picture()
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
    assert (run.still_picture() == picture).all()


def drawn_to_the_edges(run):
    """Whether there is something in each ninth of the window."""
    shot = run.screenshot()
    rows, columns = np.linspace(0, shot.shape[0], 4).astype(int), np.linspace(0, shot.shape[1], 4).astype(int)
    ninths = [shot[a:b, c:d] for a, b in zip(rows, rows[1:]) for c, d in zip(columns, columns[1:])]
    return all(ninth.std() > 1 for ninth in ninths)


def test_the_window_fits_on_the_screen_of_a_laptop(start):
    with xvfb("1366x768") as laptop:
        run = start(made_up_training(301), screen=laptop)
        run.read_until("^Finished")
        x, y, width, height = run.geometry()
        assert 1000 < x + width <= 1366 and 500 < y + height <= 768
        run.press("q")
        assert run.end()[2] == 0


# -- endings

ENDLESS = made_up_training(1000000)


@pytest.mark.parametrize("paused", [False, True])
def test_closing_the_window_ends_the_training_with_the_best_accuracy_and_status_0(paused, start):
    run = start(ENDLESS)
    run.read_until("^50:")
    if paused:
        run.press("space")
        run.still_picture()
    run.press("q")  # matplotlib's own key to close a window
    output, errors, status = run.end()
    assert (errors, status) == ("", 0)
    assert re.match(r"max test accuracy: \d", output.splitlines()[-1])


@pytest.mark.parametrize("paused", [False, True])
def test_ctrl_c_ends_the_training_and_the_window_with_the_best_accuracy_and_status_130(paused, start):
    run = start(ENDLESS)
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
    assert (run.still_picture()[STATUS] == status_line).all()  # works, and says why
    assert (status_line[:, :900] < 128).any()
    run.press("q")
    assert is_gone(window, run)


def test_a_loss_that_is_none_is_named_once_and_training_goes_on(start):
    source = made_up_training(301)
    for number, loss in enumerate(("float('nan')", "float('inf')")):
        broken = source.replace("100 * 0.5 ** (i / 50)", f"100.0 if i < 100 else {loss}").replace(
            "50 + random.normal()", f"50.0 if i < 100 else {loss}"
        )
        run = start(broken, name=f"broken{number}.py")
        run.read_until("^Finished")
        run.press("q")
        output, errors, status = run.end()
        assert status == 0 and output.count(": test accuracy:") == 7
        assert errors.count("\n") == 1
        assert re.match(r"The training loss is (nan|inf) at iteration 100: ", errors)
        assert "softmax_cross_entropy_with_logits" in errors and "smaller learning rate" in errors


def test_training_goes_on_when_the_process_of_the_window_dies(start):
    killing = "    if i == 60:\n        os.kill(datavis._display.process.process.pid, signal.SIGKILL)\n    time.sleep"
    run = start("import os, signal\n" + made_up_training(1001).replace("    time.sleep", killing))
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
@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_trains_with_a_window_as_it_does_without(stage, screen, forks, tmp_path):
    run = WindowedProgram(shortened(stage_source(stage), 25), tmp_path, screen, "TkAgg", name=stage)
    run.read_until("Finished. The window stays open")
    run.press("q")
    output, errors, status = run.end()
    assert (errors, status) == ("", 0)
    text = forks.run_script(shortened_text_only(stage_source(stage), 25), tmp_path).stdout
    assert output.splitlines()[:-1] == text.splitlines()
