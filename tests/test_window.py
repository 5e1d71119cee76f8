"""The window, on a screen of its own (Xvfb), worked with real key presses (xdotool)."""

import os
import re
import shutil
import signal
import subprocess
import sys

import matplotlib.image
import pytest

from helpers import STAGES, environment, run_script, shortened, shortened_text_only, stage_source

NEEDED = ("Xvfb", "xdotool", "import")  # the last one is ImageMagick's program for screenshots
pytestmark = pytest.mark.skipif(
    not all(map(shutil.which, NEEDED)), reason=f"a test of the window needs the programs {', '.join(NEEDED)}"
)
SOFTMAX = STAGES[0]
NAME = SOFTMAX.replace(".py", "")


@pytest.fixture(scope="module")
def screen():
    """The name of a display."""
    read_end, write_end = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write_end), "-screen", "0", "1440x900x24"],
        pass_fds=[write_end],
        stderr=subprocess.DEVNULL,
    )
    os.close(write_end)
    with os.fdopen(read_end) as answer:
        number = answer.readline().strip()
    yield f":{number}"
    server.terminate()
    server.wait()


class Run:
    """A script that runs with a window."""

    def __init__(self, source, folder, screen):
        script = folder / SOFTMAX
        script.write_text(source, encoding="utf-8")
        self.env = environment(DISPLAY=screen)
        self.process = subprocess.Popen(
            [sys.executable, "-u", str(script)],
            cwd=str(folder),
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )
        self.seen = []

    def read_until(self, pattern):
        """Reads the output up to a line that matches, and returns that line."""
        for line in self.process.stdout:
            self.seen.append(line)
            if re.search(pattern, line):
                return line
        raise AssertionError(f"no line {pattern!r} in:\n{''.join(self.seen)}\n{self.process.stderr.read()}")

    def press(self, key):
        # two commands: with a window to send it to, xdotool would make up an event in place of a real key press
        subprocess.check_call(["xdotool", "search", "--sync", "--name", NAME, "windowfocus", "--sync"], env=self.env)
        subprocess.check_call(["xdotool", "key", key], env=self.env)

    def screenshot(self, path):
        subprocess.check_call(["import", "-window", "root", str(path)], env=self.env)
        return matplotlib.image.imread(str(path))

    def end(self):
        """Waits for the end; returns the rest of the output, the errors and the status."""
        rest, errors = self.process.communicate(timeout=60)
        return rest, errors, self.process.returncode


@pytest.fixture
def start(tmp_path, screen):
    runs = []

    def start_run(source):
        runs.append(Run(source, tmp_path, screen))
        return runs[-1]

    yield start_run
    for run in runs:
        if run.process.poll() is None:
            run.process.kill()
            run.process.communicate()


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_trains_with_a_window_as_it_does_without(stage, start, tmp_path):
    run = start(shortened(stage_source(stage), 25))
    run.read_until("Finished. The window stays open")
    run.press("q")  # matplotlib's own key to close a window
    rest, errors, status = run.end()
    assert (rest, errors, status) == ("", "", 0)
    assert run.seen[:-1] == run_script(shortened_text_only(stage_source(stage), 25), tmp_path).stdout.splitlines(True)


def test_the_window_shows_six_panels_and_the_keys_change_them(start, tmp_path):
    run = start(shortened(stage_source(SOFTMAX), 101))
    run.read_until("Finished")

    def wait_for_red(x, y):
        """Looks at the screen until there is red, of a misrecognised digit, in that part of it (of 1)."""
        for attempt in range(100):
            picture = run.screenshot(tmp_path / f"{attempt}.png")[:756, :1344]
            part = picture[int(y[0] * 756) : int(y[1] * 756), int(x[0] * 1344) : int(x[1] * 1344)]
            if ((part[..., 0] > 0.9) & (abs(part[..., 1] - 160 / 255) < 0.1)).mean() > 0.02:
                return picture
        raise AssertionError("no misrecognised digits seen")

    six = wait_for_red(x=(0.68, 1), y=(0.5, 1))  # panel 6, at the bottom on the right
    run.press("3")
    alone = wait_for_red(x=(0.2, 0.5), y=(0.05, 0.3))  # panel 3, all over the window
    assert abs(six - alone).mean() > 0.02
    run.press("0")
    wait_for_red(x=(0.68, 1), y=(0.5, 1))
    run.press("q")
    assert run.end()[2] == 0


def test_closing_the_window_ends_the_training_with_the_best_accuracy_and_status_0(start):
    run = start(shortened(stage_source(SOFTMAX), 1000000))
    run.read_until("^50: .* test accuracy")
    run.press("q")
    rest, errors, status = run.end()
    assert (errors, status) == ("", 0)
    assert re.match(r"max test accuracy: 0\.\d+$", rest.splitlines()[-1])


def test_ctrl_c_ends_the_training_and_the_window_with_the_best_accuracy_and_status_130(start):
    run = start(shortened(stage_source(SOFTMAX), 1000000))
    run.read_until("^50: .* test accuracy")
    run.process.send_signal(signal.SIGINT)
    rest, errors, status = run.end()
    assert (errors, status) == ("", 130)
    assert re.match(r"Stopped by Ctrl-C. Max test accuracy so far: 0\.\d+$", rest.splitlines()[-1])


def test_an_error_in_the_training_step_ends_the_program_with_its_traceback_and_status_1(start):
    source = shortened(stage_source(SOFTMAX), 1000000)
    source = source.replace("    # learn from the batch", "    if i == 60:\n        raise KeyError('mine')\n")
    run = start(source)
    rest, errors, status = run.end()
    assert status == 1
    assert errors.splitlines()[-1] == "KeyError: 'mine'"
    run.press("q")  # the window is still there


def test_training_goes_on_when_the_process_of_the_window_dies(start):
    source = shortened(stage_source(SOFTMAX), 120)
    source = source.replace("# One iteration", "import os, signal\n# One iteration").replace(
        "    # learn from the batch",
        "    if i == 60:\n        os.kill(datavis._display.process.pid, signal.SIGKILL)\n",
    )
    rest, errors, status = start(source).end()
    assert status == 0
    assert errors == "The window's process ended by itself. Training goes on as text.\n"
    assert re.match(r"max test accuracy: 0\.8\d+$", rest.splitlines()[-1])


def test_the_window_closes_when_the_program_is_killed(start):
    run = start(shortened(stage_source(SOFTMAX), 1000000))
    run.read_until("^50: .* test accuracy")
    window = subprocess.check_output(["xdotool", "search", "--sync", "--name", NAME], env=run.env).split()[0]
    run.process.kill()
    rest, errors, status = run.end()  # returns when the window's process, too, has let go of the terminal
    assert errors == ""
    assert subprocess.call(["xdotool", "getwindowname", window], env=run.env, stderr=subprocess.DEVNULL) != 0
