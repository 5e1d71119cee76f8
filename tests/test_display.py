"""How a run is shown, as the process that trains sees it: what comes back, what ends early, what can't be started."""

import io
import os
import pickle
import queue
import subprocess
import sys
import types

import numpy as np
import pytest

import visu.display
from helpers import PATIENCE, ROOT, environment, made_up_training, require, run_script, unix_signals
from made_up_run import RUN, point
from visu.channel import (
    FINISHED,
    MARK,
    PAUSED,
    TRAINING,
    Answer,
    Closed,
    Digit,
    DrawingProcess,
    End,
    Failed,
    Gone,
    Outbox,
    PauseOrResume,
    Pick,
    Question,
    Ready,
    Saved,
    Show,
    Stays,
    StopReading,
    path_of_imports,
    replies_in,
    reply_through,
)
from visu.digits import format_mnist_images
from visu.display import FILM, WINDOW, DrawnRun
from visu.record import Picture, Values
from visu.screen import leads_to_prompt


class FakeProcess:
    """In place of a DrawingProcess: its replies are put here, and what is sent to it can be looked at."""

    def __init__(self, *replies):
        self.outbox, self.replies = Outbox(), queue.Queue()
        self.reply(*replies)

    def reply(self, *replies):
        for each in replies:
            self.replies.put(each)

    def close_outbox(self, *last):
        self.outbox.close(*last)

    def kill_after(self, seconds):
        self.reply(Gone())

    def sent(self):
        return list(self.outbox.messages.values())


# -- what comes back


def test_what_is_paused_goes_on_where_it_was_and_the_window_is_told_when_it_stands_still():
    process = FakeProcess()
    display = DrawnRun(process, WINDOW)
    display.show_progress(1, True)
    process.reply(PauseOrResume())
    assert display.is_paused()
    assert [message.state for message in process.sent()] == [TRAINING]  # this step is not over yet
    process.reply(PauseOrResume())
    states = []
    display.send_progress = lambda is_urgent, is_update, state: states.append(state)
    display.wait_while_paused()
    assert states == [PAUSED, TRAINING] and not display.is_paused()


def test_what_is_drawn_in_a_pause_is_read_in_the_pause_in_the_windows_of_former_trainings_too(monkeypatch):
    former, display = (DrawnRun(FakeProcess(), WINDOW, lambda images: np.eye(10)[[3]]) for _ in range(2))
    monkeypatch.setattr(visu.display, "finished_windows", [former])
    question, answered = Question(7, np.ones([28, 28], np.float32)), []

    def wait():
        answered.append(
            [sum(isinstance(message, Answer) for message in each.process.sent()) for each in (former, display)]
        )
        for each in (former, display):
            each.process.reply(question)
        if len(answered) == 2:
            display.process.reply(PauseOrResume())

    monkeypatch.setattr(visu.display, "wait_for_something", wait)
    display.process.reply(PauseOrResume())
    assert display.is_paused()
    display.wait_while_paused()
    assert answered == [[0, 0], [1, 1]] and not display.is_paused()


def test_a_pause_does_not_count_into_the_seconds_of_the_training(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(visu.display, "time", types.SimpleNamespace(monotonic=lambda: now[0]))
    process = FakeProcess(PauseOrResume())
    display = DrawnRun(process, WINDOW)
    now[0] += 3

    def wait():
        now[0] += 100
        process.reply(PauseOrResume())

    monkeypatch.setattr(visu.display, "wait_for_something", wait)
    display.is_paused()
    display.wait_while_paused()
    now[0] += 4
    display.show_progress(1, True)
    assert process.sent()[-1].seconds == 7


@pytest.mark.parametrize("reply", [Closed(), Gone(), Failed("no more colours")])
def test_a_pause_ends_when_the_window_does(reply, capsys):
    process = FakeProcess(PauseOrResume(), reply)
    display = DrawnRun(process, WINDOW)
    display.is_paused()
    display.wait_while_paused()
    assert display.closed == isinstance(reply, Closed)
    assert ("Training goes on." in capsys.readouterr().err) == (not display.closed)


@pytest.mark.parametrize(
    "reply, outcome",
    [
        (Ready(), (False, False)),
        (Closed(), (True, True)),  # before there was anything to see
        (Failed("no screen"), "no screen"),
        (None, "the display :1 did not answer in 5 seconds"),
        (Gone(), "its process ended with status 3"),
    ],
)
def test_the_first_reply_of_what_draws_says_whether_there_is_a_window(reply, outcome, monkeypatch):
    process = FakeProcess()
    process.TIMEOUT, process.process = 5, types.SimpleNamespace(returncode=3)
    process.first_reply = lambda awaited: reply
    monkeypatch.setattr(visu.display, "DrawingProcess", lambda *arguments, **variables: process)
    if isinstance(outcome, tuple):
        display = visu.display.start(WINDOW, RUN, None, False)
        assert (display.closed, display.ended) == outcome
    else:
        with pytest.raises(visu.display.NoDisplay, match=outcome):
            visu.display.start(WINDOW, RUN, None, False, awaited="the display :1")


def test_the_pad_of_a_finished_training_is_answered_while_the_next_one_trains(monkeypatch):
    first, second = (DrawnRun(FakeProcess(), WINDOW, lambda images: np.eye(10)[[3] * len(images)]) for _ in range(2))
    monkeypatch.setattr(visu.display, "finished_windows", [first])
    first.process.reply(Question(7, np.ones([28, 28], np.float32)))
    second.show_progress(1, False)
    (answer,) = first.process.sent()
    assert answer.number == 7 and answer.values.argmax() == 3


@pytest.mark.parametrize("backend", ["Agg", "agg", "PDF"])
def test_a_back_end_without_windows_is_none_in_any_letters(backend, monkeypatch):
    monkeypatch.setenv("MPLBACKEND", backend)
    with pytest.raises(visu.display.NoDisplay, match=f"MPLBACKEND={backend} has no windows"):
        visu.display.start_window(RUN, None)


@pytest.mark.parametrize("last, state", [([End(FINISHED)], FINISHED), ([], "stopped")])
def test_what_is_shown_ends_too_where_the_training_process_is_gone_without_a_word(last, state):
    class Shown(Show):
        states = []

        def end(self, state):
            self.states.append(state)

    replies = []
    Shown(replies.append, RUN).serve(io.BytesIO(pickle.dumps([point("test", 1, 0.5, 1), *last])))
    assert (replies, Shown.states) == ([Ready()], [state])


def test_a_digit_is_read_by_the_thread_that_trains_and_never_in_the_middle_of_a_step():
    asked = []

    def read_digits(images):
        asked.append(images.shape)
        return np.eye(10)[[7]]

    process = FakeProcess(Question(1, np.ones([28, 28], np.float32)))
    display = DrawnRun(process, WINDOW, read_digits)
    display.is_paused()  # as a script may ask in a step
    assert asked == []
    display.show_progress(1, False)
    assert asked == [(1, 28, 28, 1)]
    display.show_progress(2, False)
    assert len(asked) == 1
    display.show_progress(3, True)  # the network may say something else by now
    assert len(asked) == 2


def test_what_fails_when_the_training_is_over_does_not_say_that_it_goes_on(capsys):
    process = FakeProcess(Question(1, np.ones([28, 28], np.float32)), Stays())
    DrawnRun(process, WINDOW, lambda images: 1 / 0).end("stopped")
    told = capsys.readouterr().err
    assert "read_digits can't read what is drawn: " in told and told.endswith("division by zero.\n")


def test_a_digit_that_is_clicked_on_is_found_in_the_picture_before_the_newest_too():
    digits = np.random.RandomState(0).rand(2, 28, 28, 1).astype(np.float32)
    labels = np.eye(10)[[7, 7]]
    tile = format_mnist_images(digits, labels, labels, n=2, lines=1)[:, 28:]
    process = FakeProcess()
    display = DrawnRun(process, WINDOW)
    for images in (digits, np.zeros_like(digits)):  # a window shows the older one until it has the newest
        display.take(Picture("training", 0, np.zeros([28, 28, 3], np.uint8), images))
    process.reply(Pick("training", tile), Pick("training", 255 - tile))
    display.take_replies()
    found, nothing = (message.image for message in process.sent() if isinstance(message, Digit))
    assert (found == digits[1, ..., 0]).all() and nothing is None


@pytest.mark.parametrize("is_film", [True, False])
def test_what_fails_is_told_at_once_and_spoils_a_film_but_no_window(is_film, capsys):
    process = FakeProcess()
    display = DrawnRun(process, FILM if is_film else WINDOW)
    process.reply(Failed("a full disk"), Gone())
    display.show_progress(1, True)
    told = capsys.readouterr().err
    assert "a full disk" in told and told.endswith(" Training goes on.\n")
    display.end(FINISHED)
    assert ("a full disk" in (display.failure or "")) == is_film
    assert capsys.readouterr() == ("", "")


def test_a_process_that_ends_without_a_word_spoils_a_film_unless_it_was_saved(capsys):
    for replies, is_spoilt in (([Gone()], True), ([Saved("film.mp4"), Gone()], False)):
        display = DrawnRun(FakeProcess(*replies), FILM)
        display.end(FINISHED)
        assert ("ended by itself" in (display.failure or "")) == is_spoilt
    assert capsys.readouterr().out == "The film of the training is saved as film.mp4\n"


@pytest.mark.skipif(os.name != "posix", reason="Windows keeps a folder that is somebody's current one")
def test_a_folder_that_is_gone_is_no_reason_to_wait(tmp_path, monkeypatch):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    display = DrawnRun(FakeProcess(Gone()), FILM)
    display.end(FINISHED)
    assert "the current folder, which is gone" in display.failure


@pytest.mark.parametrize("state", [FINISHED, "stopped: ValueError"])
@pytest.mark.parametrize("has_pad", [True, False])
@pytest.mark.parametrize("at_prompt", [True, False])
def test_where_a_prompt_or_an_error_ends_the_reading_the_pad_says_so(at_prompt, has_pad, state, monkeypatch):
    kept = []
    monkeypatch.setattr(visu.display, "leads_to_prompt", lambda: at_prompt)
    monkeypatch.setattr(visu.display, "keep_open", kept.append)
    process = FakeProcess(Stays())
    display = DrawnRun(process, WINDOW, (lambda images: np.eye(10)[[7]]) if has_pad else None)
    display.end(state)
    reads_no_more = has_pad and (at_prompt or state != FINISHED)
    assert process.sent() == [StopReading()] * reads_no_more + [End(state)]
    assert kept == [display] * (state == FINISHED and not at_prompt)


def test_prompts_are_recognised(monkeypatch):
    monkeypatch.delenv("PYTHONINSPECT", raising=False)
    assert not leads_to_prompt()
    for flags in ([], ["-i"]):
        answer = subprocess.run(
            [sys.executable, *flags, "-c", "from visu.screen import leads_to_prompt; print(leads_to_prompt())"],
            env=environment(),
            input="",
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )
        assert answer.stdout == f"{bool(flags)}\n"
    monkeypatch.setattr(sys, "ps1", ">>> ", raising=False)
    assert leads_to_prompt()
    monkeypatch.delattr(sys, "ps1")
    monkeypatch.setitem(sys.modules, "idlelib.run", types.ModuleType("idlelib.run"))
    assert leads_to_prompt()


# -- what is sent


def test_of_pictures_and_progress_only_the_newest_waits_and_of_a_film_all():
    pictures = [Picture("training", i, np.zeros([1, 1, 3], np.uint8)) for i in range(3)]
    for medium, number in ((WINDOW, 1), (FILM, 3)):
        process = FakeProcess()
        display = DrawnRun(process, medium)
        for i, picture in enumerate(pictures):
            display.take(picture)
            display.show_progress(i, True)
        assert len(process.sent()) == 2 * number
        assert process.sent()[-2].iteration == 2


def test_each_picture_waits_for_itself():
    process = FakeProcess()
    display = DrawnRun(process, WINDOW)
    for i in range(2):
        for curve in ("training", "test"):
            display.take(Picture(curve, i, np.zeros([1, 1, 3], np.uint8)))
            display.take(point(curve, i, 0.5, 3))
    sent = process.sent()
    assert sorted((message.curve, message.iteration) for message in sent if isinstance(message, Picture)) == [
        ("test", 1),
        ("training", 1),
    ]
    assert len(sent) == 6  # and all points


def test_what_is_recorded_is_sent_as_it_is_and_values_as_bands():
    process = FakeProcess()
    display = DrawnRun(process, WINDOW)
    display.take(point("test", 7, 0.5, 3))
    display.take(Values(7, np.arange(8), -np.arange(15), "w", None))
    first, bands = process.sent()
    assert first == point("test", 7, 0.5, 3)
    assert bands.weights.tolist() == list(range(8)) and bands.biases.tolist() == list(range(-14, 1, 2))
    assert (bands.iteration, bands.weights_title, bands.biases_title) == (7, "w", None)


# -- between the processes


def test_a_reply_is_found_among_whatever_else_is_printed(tmp_path):
    with (tmp_path / "stream").open("wb") as stream:
        stream.write(b"site customised\n\x80\x04K\x01." + MARK[:-1])
        reply_through(stream)(Failed("a reason"))
        stream.write(b"\n" + MARK[:3])
        reply_through(stream)(Ready())
        stream.write(MARK + b"\0\0\0")
    with (tmp_path / "stream").open("rb") as stream:
        assert list(replies_in(stream)) == [Failed("a reason"), Ready()]


def test_what_loads_for_long_is_waited_for_and_a_display_that_is_silent_is_not(capsys):
    process = DrawingProcess.__new__(DrawingProcess)
    process.replies, killed = queue.Queue(), []
    process.process = types.SimpleNamespace(kill=lambda: killed.append(True))
    assert process.wait_for_reply("the display", 0, 0.1) is None
    assert killed == [True]
    assert capsys.readouterr().out == "Waiting up to 0.1 seconds for the display …\n"
    assert DrawingProcess.LOADING_TIMEOUT > DrawingProcess.TIMEOUT


SITES = {
    "a line": "print('site customised')",
    "what looks like a pickle": "print('I1\\n.' * 3, flush=True)",
}


@pytest.mark.parametrize("site", SITES.values(), ids=SITES.keys())
def test_what_the_start_of_python_prints_does_not_matter(site, folder):
    (folder / "sitecustomize.py").write_text(site)
    path = os.pathsep.join([str(folder), str(ROOT)])
    process = run_script(made_up_training(11), folder, PYTHONPATH=path)
    assert (process.returncode, process.stderr) == (0, "")
    assert "saved as script.png" in process.stdout and (folder / "script.png").exists()


@unix_signals
def test_the_ctrl_c_of_a_terminal_is_for_the_training_alone(monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "agg")
    display = visu.display.open_display(RUN, False)
    assert os.getpgid(display.process.process.pid) != os.getpgid(0)  # a terminal stops a group of processes
    display.end(FINISHED)
    assert os.path.exists("test.png")


def test_no_file_beside_the_script_hides_what_drawing_needs(tmp_path, monkeypatch):
    beside, other = str(tmp_path / "mine"), str(tmp_path / "packages")
    monkeypatch.setattr("sys.argv", [os.path.join("mine", "script.py")])
    monkeypatch.setattr("sys.path", [beside, other])
    assert path_of_imports() == [other, beside]


def test_what_draws_finds_what_the_script_finds(folder):
    """As after pip install --target: sys.path is extended while the script runs, here by all packages."""
    missing = [path for path in sys.path if "site-packages" in path]
    source = f"import sys\nsys.path += {missing!r}\n" + made_up_training(11)
    (folder / "script.py").write_text(source, encoding="utf-8")
    process = subprocess.run(
        [sys.executable, "-S", "script.py"],
        cwd=str(folder),
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        timeout=PATIENCE,
    )
    assert (process.returncode, process.stderr) == (0, "")
    assert (folder / "script.png").exists()


def test_what_draws_gets_the_options_of_python_that_the_script_was_started_with():
    options = ["-E", "-s", "-B", "-Xutf8"]
    program = "from visu.channel import flags_of_python; print(*flags_of_python())"
    said = subprocess.check_output([sys.executable, *options, "-c", program], cwd=str(ROOT), encoding="utf-8")
    assert said.split() == options


# -- what can't be started


FROZEN = """
import subprocess, sys
sys.frozen, started = True, []


class Popen(subprocess.Popen):
    def __init__(self, command, *arguments, **options):
        started.extend(part for part in command if part == sys.executable)
        super().__init__(command, *arguments, **options)


subprocess.Popen = Popen
"""


@pytest.mark.parametrize("save_movie", [False, True])
def test_a_frozen_program_starts_not_itself_says_so_in_one_line_and_trains(save_movie, folder):
    filming = f"test_data_update_freq=50, save_movie={save_movie}"
    source = FROZEN + made_up_training(11).replace("test_data_update_freq=50", filming) + "print(started)\n"
    process = run_script(source, folder)
    reason = "this program brings a Python of its own, which can't be started alone to draw"
    if save_movie:
        expected = f"save_movie=True can't make tensorflowvisu_video.mp4: {reason}\n"
        assert (process.returncode, process.stderr) == (1, expected)
    else:
        assert (process.returncode, process.stderr) == (0, "")
        first, *lines, started = process.stdout.splitlines()
        assert first == f"No window: {reason}. Training goes on as text."
        assert len(lines) == 3 and started == "[]"


def test_a_program_that_was_started_in_place_of_python_ends_at_once(folder):
    process = run_script(made_up_training(11), folder, TENSORFLOWVISU_STARTED="1")
    assert process.returncode == 1 and process.stdout == ""
    assert process.stderr.endswith("and is another program\n") and process.stderr.count("\n") == 1


# -- a film whose end nobody may wait for


def filming(iterations, seconds=0.001):
    return made_up_training(iterations, seconds).replace(
        "test_data_update_freq=50", "test_data_update_freq=50, save_movie='film.mp4'"
    )


@pytest.mark.skipif(os.name != "posix", reason="needs a shell with head")
def test_a_closed_pipe_ends_a_film_and_the_program(folder):
    require("ffmpeg")
    (folder / "film.mp4").write_text("from before")
    (folder / "film.py").write_text(filming(101), encoding="utf-8")
    command = f'"{sys.executable}" -u film.py | head -1'
    process = subprocess.run(command, shell=True, cwd=str(folder), env=environment(), timeout=PATIENCE, stderr=-1)
    assert process.returncode == 0
    assert sorted(path.name for path in folder.glob("*.mp4")) == ["film.mp4", "film_2.mp4"]


DYING_FFMPEG = """#!/bin/sh
case "$*" in *film.mp4*) ;; *) exec "{ffmpeg}" "$@";; esac
if [ -e begun ]; then head -c 9000000 >/dev/null; exit 1; fi
touch begun
exec "{ffmpeg}" "$@"
"""


@pytest.mark.skipif(os.name != "posix", reason="the program that dies is a shell script")
def test_a_film_that_dies_is_told_when_it_does_and_training_goes_on(folder):
    require("ffmpeg")
    bin = folder / "bin"
    bin.mkdir()
    ffmpeg = subprocess.check_output(["which", "ffmpeg"], encoding="utf-8").strip()
    (bin / "ffmpeg").write_text(DYING_FFMPEG.format(ffmpeg=ffmpeg))
    (bin / "ffmpeg").chmod(0o755)
    source = filming(1001, 0.005)
    process = run_script(source, folder, PATH=os.pathsep.join([str(bin), os.environ["PATH"]]))
    assert process.returncode == 1
    assert process.stdout.count(": test accuracy:") == 21
    bars, *told = process.stderr.split("The film of the training can't be saved in ")
    assert "100 %" not in bars and len(told) == 2
    assert told[0].endswith(" Training goes on.\n")
    assert told[1].rstrip().endswith(": the max test accuracy was 0.999000999000999")
