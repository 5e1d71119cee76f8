"""Digits drawn with the mouse in the window, in Tk and Qt, and on the page of WebAgg, and how they are read."""

import re
import time

import numpy as np
import pytest

from helpers import (
    FINISHED,
    made_up_training,
    own_lines,
    require,
    shortened,
    shortened_text_only,
    stage_source,
    wait_until,
    without_waiting,
)
from pads import BARS, ONE, SEEN, SHEET, ZERO, most_probable, on_sheet, part_of
from programs import Program
from screens import HEIGHT, WIDTH, WindowedProgram
from screenshots import shows_six_panels
from visu.reading import WrongReading, checked_reading

# Says where the ink is, and takes each digit for a 7
READS_SEVEN = """
def read_digits(images):
    assert (images.shape, images.dtype) == ((1, 28, 28, 1), np.float32)
    rows, columns = np.nonzero(images[0, :, :, 0] > 0.5)
    assert threading.current_thread() is threading.main_thread()
    print("read", rows.min(), rows.max(), columns.min(), columns.max(), flush=True)
    return np.eye(10)[[7]]

"""


def reading(source, function=READS_SEVEN):
    """A made-up training that also has this function, read_digits."""
    call = "test_data_update_freq=50"
    source = source.replace("import time\n", "import threading\nimport time\n", 1)
    return source.replace("\ndatavis.animate(", f"{function}\ndatavis.animate(").replace(
        call, f"{call}, read_digits=read_digits"
    )


ENDLESS = made_up_training(1000000)


class Pad:
    """The pad of a program with a window, or of a page."""

    def __init__(self, owner):
        self.owner = owner
        self.press = owner.press

    def stroke(self, stroke, button="left", key="0", pause=0.02):
        """From place to place, in parts of the sheet, with so many seconds in between."""
        places = on_sheet(stroke, key)
        if isinstance(self.owner, WindowedProgram):
            pixels = [(x * WIDTH, y * HEIGHT) for x, y in places]
            self.owner.stroke(*pixels, button={"left": 1, "right": 3}[button], pause=pause)
        else:
            self.owner.stroke(*places, button=button)

    def draw(self, stroke, key="0"):
        """On an empty sheet, until it is there: on a busy machine, a toolkit takes moves that come too fast as one."""
        for pause in (0.02, 0.1, 0.5, 2):
            self.stroke(stroke, key=key, pause=pause)
            if self.is_drawn_soon(stroke):
                return
            self.press("c")
        raise AssertionError("a stroke could not be drawn")

    def is_drawn_soon(self, stroke):
        for _ in range(50):
            if all(self.ink(stroke)):
                return True
            time.sleep(0.05)
        return False

    def picture(self):
        """What the window shows, uint8 [height, width, 3]."""
        picture = self.owner.picture()
        return picture if picture.dtype == np.uint8 else np.uint8(255 * picture[..., :3])

    def ink(self, stroke, panel=SHEET):
        """Whether there is ink at each place of a stroke."""
        part = part_of(self.picture(), panel)
        return [part[int(y * len(part)), int(x * len(part)), 0] < 60 for x, y in stroke]

    def wait_for(self, digit):
        wait_until(lambda: most_probable(self.picture()) == digit, f"it is read as {digit}")

    def wait_until_drawn(self, stroke, is_drawn=True):
        wait_until(lambda: set(self.ink(stroke)) == {is_drawn}, "a stroke is drawn, or is not there any longer")

    def wait_until_gone(self):
        wait_until(lambda: part_of(self.picture(), SHEET)[:8].std() > 5, "the training digits are back")


@pytest.fixture
def start(tmp_path, screen, forks):
    """A function that starts the source of a script with a window."""
    runs = []

    def start_run(source, toolkit="TkAgg", name="lesson.py"):
        runs.append(WindowedProgram(source, tmp_path, screen, toolkit, name, forks.start))
        return runs[-1], Pad(runs[-1])

    yield start_run
    for run in runs:
        run.process.kill()  # the window's process sees that, and ends
        run.stop()


def shows_six(picture):
    return shows_six_panels(picture / 255)


def where(match):
    return [int(number) for number in match.groups()]


READ = r"^read (\d+) (\d+) (\d+) (\d+)"
CORNER, BESIDE = [(0.1, 0.1), (0.1, 0.35)], [(0.3, 0.12), (0.3, 0.33)]


def work_on_the_pad(program, pad):
    """All that can be done on it; the training has ended."""
    pad.press("d")
    wait_until(lambda: part_of(pad.picture(), SHEET)[8:-8, 8:-8].min() == 255, "an empty sheet is shown")
    pad.stroke(CORNER)
    top, bottom, left, right = where(program.read_until(READ))
    assert bottom - top == 19 and 8 <= (left + right) / 2 <= 19  # scaled, and centred
    pad.wait_until_drawn(CORNER)
    pad.wait_for(7)
    wait_until(lambda: pad.ink([(0.5, 0.5)], SEEN) == [True], "what is seen is centred")
    pad.press("m")
    read_later(program, lambda top, bottom, left, right: bottom <= 11 and right <= 4)  # as it lies
    wait_until(lambda: pad.ink([(0.5, 0.5), (0.1, 0.2)], SEEN) == [False, True], "what is seen is in the corner")
    pad.stroke(BESIDE)
    read_later(program, lambda top, bottom, left, right: left <= 3 and right >= 8)  # both strokes
    pad.stroke(CORNER, button="right")
    pad.wait_until_drawn(CORNER, False)
    pad.wait_until_drawn(BESIDE)
    read_later(program, lambda top, bottom, left, right: left >= 6)
    pad.press("c")
    pad.wait_until_drawn(BESIDE, False)
    pad.wait_for(None)
    pad.press("m")
    pad.draw(ZERO)
    pad.press("d")
    pad.wait_until_gone()
    pad.press("d")
    pad.wait_until_drawn(ZERO)  # it is still there
    pad.wait_for(7)
    pad.press("0")
    pad.wait_until_gone()


def read_later(program, is_wanted):
    """Waits until a digit is read that is as wanted; those between two events of the mouse are not."""
    while not is_wanted(*where(program.read_until(READ))):
        continue


def test_the_mouse_draws_and_erases_and_keys_clear_and_centre(start, toolkit):
    run, pad = start(reading(made_up_training(101)), toolkit)
    run.read_until(FINISHED)
    work_on_the_pad(run, pad)
    pad.press("d")
    pad.wait_until_drawn(ZERO)
    pad.press("c")
    lines = len(run.lines)
    pad.stroke([(0.1, 0.1), (0.3, 0.5), (0.5, 0.5), (0.7, 0.5), (0.9, 0.9)], pause=0.3)
    read_later(run, lambda top, bottom, left, right: bottom - top == right - left == 19)  # all of it
    assert len(run.lines) > lines + 1  # it was read while it was drawn, too
    pad.press("q")
    assert run.end()[1:] == ("", 0)


def test_the_pad_alone_is_drawn_on_and_zoomed(start):
    run, pad = start(reading(made_up_training(101)))
    run.read_until(FINISHED)
    lines = len(run.lines)
    six = run.still_picture()
    pad.press("3")
    three = run.changed_picture(six)
    pad.press("d")  # the pad alone
    sheet = run.changed_picture(three)
    pad.stroke([(0.2, 0.8), (0.8, 0.8)], key="3")
    wait_until(lambda: len(run.lines) > lines, "it is read")
    alone = run.changed_picture(sheet)
    pad.press("0")
    run.changed_picture(alone)
    pad.press("3")
    pad.press("d")
    again = run.picture_that(lambda picture: abs(picture.astype(int) - alone).max() <= 1, "it is as before")
    # by 1 of 255 shades at most: a stroke is drawn piece by piece, and each piece rounds by itself
    pad.press("o")  # zooms
    pad.stroke([(0, 0), (0.5, 0.5)], key="3")
    pad.press("o")
    zoomed = run.changed_picture(again)
    lines = len(run.lines)
    pad.stroke([(0.5, 0.1), (0.5, 0.3)], key="3")
    wait_until(lambda: len(run.lines) > lines, "it is read")
    pad.press("h")
    assert (zoomed != alone).any()
    x, y = np.multiply(on_sheet([(0.25, 0.1)], "3")[0], (WIDTH, HEIGHT)).astype(int)  # so it lies with the zoom
    assert alone[y, x].min() == 255
    whole = run.picture_that(lambda picture: picture[y, x].max() == 0, "the stroke is there without the zoom")
    x, y = np.multiply(on_sheet([(0.4, 0.4)], "3")[0], (WIDTH, HEIGHT)).astype(int)
    assert whole[y, x].min() == 255  # what was framed to be zoomed is not drawn


def test_on_a_page_the_mouse_draws_and_erases_and_keys_clear_and_centre(tmp_path, forks, browser):
    program = Program(reading(made_up_training(101)), tmp_path, start=forks.start, MPLBACKEND="WebAgg")
    page = browser.open(program.read_address())
    try:
        program.read_until(FINISHED)
        work_on_the_pad(program, Pad(page))
    finally:
        page.close()
        program.stop()
    assert "Traceback" not in program.text()


# In a step, which takes most of the time here, it is not called
READS_THE_TIME = """
in_step = False


def step(*arguments):
    global in_step
    in_step = True
    training_step(*arguments)
    in_step = False


def read_digits(images):
    print("read" if threading.current_thread() is threading.main_thread() and not in_step else "wrong", flush=True)
    return np.eye(10)[[int(1000 * weights[0]) % 10]]

"""


def test_it_is_read_in_a_pause_and_again_and_again_while_training_changes_the_network(start):
    source = made_up_training(1000000, seconds=0.01)
    run, pad = start(reading(source, READS_THE_TIME).replace("animate(training_step", "animate(step"))
    run.read_until("^50:")
    pad.press("d")
    pad.press("space")
    wait_until(lambda: part_of(pad.picture(), SHEET)[8:-8, 8:-8].min() == 255, "an empty sheet is shown")
    run.still_picture()
    assert not any(line.startswith("read") for line in run.lines)  # as long as nobody draws
    pad.stroke(ONE)
    run.read_until("^read")
    wait_until(lambda: most_probable(run.still_picture()) is not None, "it is read")
    first, lines = most_probable(run.picture()), len(run.lines)
    run.still_picture()
    assert len(run.lines) == lines  # once, as nothing changes
    pad.press("space")
    wait_until(lambda: most_probable(run.picture()) not in (None, first), "it is read otherwise")
    for _ in range(5):
        pad.stroke(ONE)  # comes in at any time
    run.read_until("test accuracy")
    assert "wrong" not in run.text()
    pad.press("c")
    pad.wait_for(None)
    lines = len(run.lines)
    run.read_until(r"^\d+50:")
    run.read_until(r"^\d+00:")
    assert not any(line.startswith("read") for line in run.lines[lines + 1 :])


def test_an_answer_does_not_wait_for_the_next_messages(start):
    patient = "import visu.channel\nvisu.channel.DrawingProcess.SENDING_INTERVAL = 1000\n"
    run, pad = start(patient + reading(ENDLESS))
    run.read_until("^50:")
    pad.press("d")
    pad.stroke(ONE)
    pad.wait_for(7)


@pytest.mark.parametrize(
    "returned, sentence",
    [
        ("1 / 0", r"script\.py, line \d+: ZeroDivisionError: division by zero"),
        ("np.zeros([10])", r"it returned an array, float64 \[10\] for 1 image, expected the probabilities \[n, 10\]"),
    ],
)
def test_a_function_that_fails_is_named_once_and_training_goes_on(returned, sentence, start):
    fails = f"def read_digits(images):\n    print('read', flush=True)\n    return {returned}\n\n"
    run, pad = start(reading(ENDLESS, fails), name="script.py")
    run.read_until("^50:")
    pad.press("d")
    pad.stroke(ONE)
    for _ in range(3):
        run.read_until("^read")
    run.read_until("test accuracy")
    pad.press("q")
    output, errors, status = run.end()
    assert status == 0 and output.splitlines()[-1].startswith("max test accuracy")
    assert errors.count("\n") == 1
    assert re.match(rf"read_digits can't read what is drawn: (/.*)?{sentence}.*\. Training goes on\.$", errors)


@pytest.mark.parametrize(
    "returned, sentence",
    [
        (np.full([1, 10], np.nan), 'it returned "not a number", expected'),
        (np.full([1, 10], 3), "it returned numbers from 3 to 3, expected .* from 0 to 1"),
        ([[0.5] * 9 + [-0.1]], "it returned numbers from -0.1 to 0.5, expected"),
        ([[0.25] * 9 + [1.1]], "it returned numbers from 0.25 to 1.1, expected"),
        (np.full([2, 10], 0.1), r"it returned an array, float64 \[2, 10\] for 1 image, expected"),
        ("seven", "it returned 'seven' for 1 image, expected"),
        (None, "it returned None for 1 image, expected"),
    ],
)
def test_what_are_no_probabilities_is_told(returned, sentence):
    with pytest.raises(WrongReading, match=sentence):
        checked_reading(returned, 1)


@pytest.mark.parametrize("returned", [np.full([1, 10], 0.1), [np.full([2, 10], 0.1), np.zeros([1, 5])]])
def test_for_how_many_images_something_else_came_is_told(returned):
    with pytest.raises(WrongReading, match="for 2 images, expected "):
        checked_reading(returned, 2)


def test_probabilities_may_be_of_any_kind_of_numbers_and_a_little_off():
    for returned in ([[1, 0, 0, 0, 0, 0, 0, 0, 0, 0]], np.float32([[1.0005, -0.0005] + [0] * 8])):
        probabilities, layers = checked_reading(returned, 1)
        assert probabilities.tolist() == [[1] + [0] * 9] and layers == []


def test_a_script_that_ended_with_an_error_reads_no_more_and_the_window_says_so(start):
    source = reading(ENDLESS).replace(
        "    time.sleep", "    if i == 60:\n        raise KeyError('mine')\n    time.sleep"
    )
    run, pad = start(source)
    run.end()
    pad.press("d")
    wait_until(lambda: part_of(pad.picture(), SHEET)[8:-8, 8:-8].min() == 255, "an empty sheet is shown")
    before = run.still_picture()
    pad.stroke(ONE)
    pad.wait_until_drawn(ONE)
    assert (part_of(run.still_picture(), BARS) == part_of(before, BARS)).all()
    pad.press("q")


def test_without_the_function_the_window_has_no_key_d(start):
    run, pad = start(made_up_training(101))
    run.read_until(FINISHED)
    six = run.still_picture()
    pad.press("6")
    run.changed_picture(six)
    pad.press("0")
    before = run.picture_that(shows_six, "six panels are shown")
    for key in "dcm":
        pad.press(key)
    pad.stroke(ONE)
    assert (run.still_picture() == before).all()


@pytest.mark.parametrize("option", ["", "save_movie='film.mp4', "])
def test_without_a_window_the_function_is_never_called(option, tmp_path, forks):
    if option:
        require("ffmpeg")
    fails = "def read_digits(images):\n    raise SystemExit('called')\n\n"
    source = reading(made_up_training(101), fails)
    process = forks.run_script(source.replace("read_digits=", f"{option}read_digits="), tmp_path)
    assert process.returncode == 0, process.stderr
    assert len(own_lines(process.stdout)) == 4
    assert own_lines(process.stdout) == own_lines(forks.run_script(made_up_training(101), tmp_path).stdout)


@pytest.mark.tensorflow
def test_stage_1_0_reads_a_1_and_a_0_and_drawing_leaves_its_numbers_as_they_are(start, forks, tmp_path):
    source = shortened(stage_source("mnist_1.0_softmax.py"), 1000)
    slow = source.replace(  # after some 100 iterations it takes its time, until both digits have been read
        "    # learn from the batch",
        "    import os, time\n"
        "    if 100 < i < 900 and not os.path.exists('go on'):\n"
        "        time.sleep(0.03 if i < 500 else 0.2)\n"
        "    # learn from the batch",
    )
    assert slow != source
    run, pad = start(slow, name="mnist_1.0_softmax.py")
    run.read_until("^100:")
    pad.press("d")
    pad.draw(ZERO)
    pad.wait_for(0)
    pad.press("c")
    pad.wait_for(None)
    pad.draw(ONE)
    pad.wait_for(1)
    assert not any(FINISHED in line for line in run.lines)
    (tmp_path / "go on").touch()
    run.read_until(FINISHED)
    pad.wait_for(1)
    pad.press("c")
    pad.wait_for(None)
    pad.draw(ZERO)
    pad.wait_for(0)
    pad.press("q")
    output, errors, status = run.end()
    assert (errors, status) == ("", 0)
    text = forks.run_script(shortened_text_only(stage_source("mnist_1.0_softmax.py"), 1000), tmp_path).stdout
    assert without_waiting(output).splitlines()[:-1] == text.splitlines()
