"""How a run is shown, as the process that trains sees it: what comes back, what ends early, what can't be started."""

import io
import os
import pickle
import queue
import subprocess
import sys
import types
from pathlib import Path

import numpy as np
import pytest

import visu.channel
import visu.display
import visu.drawing.__main__
import visu.drawing.files
from helpers import PATIENCE, ROOT, environment, made_up_training, require, run_script, unix_signals
from made_up_run import RUN, point
from visu.channel import (
    FINISHED,
    MARK,
    PAUSED,
    TRAINING,
    Answer,
    Close,
    Closed,
    Digit,
    DrawingProcess,
    End,
    Failed,
    Gone,
    Loaded,
    Outbox,
    Patch,
    PatchQuestion,
    PauseOrResume,
    Pick,
    Progress,
    Question,
    Ready,
    Saved,
    Show,
    Start,
    Stays,
    StopReading,
    can_start_python,
    path_of_imports,
    replies_in,
    reply_through,
)
from visu.digits import format_mnist_images
from visu.display import FILM, NOTEBOOK, PICTURE, WINDOW, DrawnRun
from visu.record import Picture, Point, Values
from visu.screen import leads_to_prompt


class FakeProcess:
    """In place of a DrawingProcess: its replies are put here, and what is sent to it can be looked at."""

    def __init__(self, *replies):
        self.outbox, self.replies = Outbox(), queue.Queue()
        self.patience = None  # seconds until it is killed
        self.reply(*replies)

    def reply(self, *replies):
        for each in replies:
            self.replies.put(each)
        visu.channel.something_came.set()

    def close_outbox(self, *last):
        self.outbox.close(*last)

    def kill_after(self, seconds):
        self.patience = seconds
        self.reply(Gone())

    def sent(self):
        return list(self.outbox.messages.values())


# -- what comes back


def test_what_is_paused_goes_on_where_it_was_and_the_window_is_told_when_it_stands_still():
    process = FakeProcess()
    display = DrawnRun(process, WINDOW)
    display.show_progress(1, True)
    display.wait_while_paused()  # which it is not
    process.reply(PauseOrResume())
    assert display.is_paused()
    (progress,) = process.sent()
    assert progress.state == TRAINING and progress.is_update  # this step is not over yet
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


def test_a_pause_does_not_count_into_the_seconds_of_the_training_and_is_where_that_stands(monkeypatch):
    now, seen = [0.0], []
    monkeypatch.setattr(visu.display, "time", types.SimpleNamespace(monotonic=lambda: now[0]))
    process = FakeProcess(PauseOrResume())
    display = DrawnRun(process, WINDOW)
    now[0] += 3

    def wait():
        seen.extend(process.sent())
        now[0] += 100
        process.reply(PauseOrResume())

    monkeypatch.setattr(visu.display, "wait_for_something", wait)
    display.show_progress(5, True)
    display.wait_while_paused()
    assert seen == [Progress(5, 3, False, PAUSED)] and process.sent() == [Progress(5, 3, False, TRAINING)]
    now[0] += 4
    display.show_progress(6, True)
    assert process.sent() == [Progress(6, 7, True, TRAINING)]


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
        (Gone(), "its process ended with status 3"),
    ],
)
def test_the_first_reply_of_what_draws_says_whether_there_is_a_window(reply, outcome, monkeypatch):
    process, started = FakeProcess(), []
    process.process = types.SimpleNamespace(returncode=3)
    process.first_reply = lambda *awaited: started.append(awaited) or reply

    def start_process(*arguments, **variables):
        started.append((arguments, variables))
        return process

    monkeypatch.setattr(visu.display, "DrawingProcess", start_process)
    options = {"awaited": "the display :1", "read_digits": np.eye, "MPLBACKEND": "TkAgg"}
    if isinstance(outcome, tuple):
        display = visu.display.start(WINDOW, RUN, "QtAgg", True, **options)
        assert (display.closed, display.ended, display.process, display.medium) == (*outcome, process, WINDOW)
        assert display.reader.read_digits is np.eye and not process.outbox.closed
    else:
        with pytest.raises(visu.display.NoDisplay, match=f"^{outcome}$") as error:
            visu.display.start(WINDOW, RUN, "QtAgg", True, **options)
        assert isinstance(error.value, visu.display.Crash) == isinstance(reply, Gone)
        assert process.outbox.closed and process.patience < 5  # nothing of it is left
    start = Start("window.WindowShow", RUN, ("QtAgg", True))
    assert started == [((start, None), {"MPLBACKEND": "TkAgg"}), ("the display :1",)]


@pytest.mark.parametrize("medium, waits", [(WINDOW, False), (NOTEBOOK, False), (PICTURE, False), (FILM, True)])
def test_training_waits_for_a_film_alone_which_shows_every_update(medium, waits, monkeypatch):
    limits = []

    def start(start, limit):
        limits.append(limit)
        raise OSError("no more processes")

    monkeypatch.setattr(visu.display, "DrawingProcess", start)
    with pytest.raises(visu.display.NoDisplay, match="^no more processes$"):
        visu.display.start(medium, RUN)
    assert [limit is not None and limit < 100 for limit in limits] == [waits]


@pytest.mark.parametrize("crashes", [[], [1], [1, 2]])
@pytest.mark.parametrize("backend", [None, "QtAgg"])
@pytest.mark.parametrize("name, awaited", [(":7", "the display :7"), (None, "a window")])
def test_tk_is_tried_where_the_first_choice_of_matplotlib_crashes_and_never_in_place_of_a_users(
    name, awaited, backend, crashes, monkeypatch
):
    started = []

    def start(*arguments, **options):
        started.append((arguments, options))
        if len(started) in crashes:
            raise visu.display.Crash(f"crash {len(started)}")
        return "a window"

    monkeypatch.setattr(visu.display, "start", start)
    monkeypatch.setattr(visu.display, "chosen_backend", lambda: backend)
    monkeypatch.setattr(visu.display, "display_name", lambda: name)
    monkeypatch.setattr(visu.display, "lacks_display", lambda: bool(backend))  # one that the user chose may need none
    expected = [((WINDOW, RUN, backend, True), {"awaited": awaited, "read_digits": np.eye})]
    if crashes and not backend:
        expected += [((WINDOW, RUN, None, True), dict(expected[0][1], MPLBACKEND="TkAgg"))]
    if len(crashes) >= len(expected):
        with pytest.raises(visu.display.Crash, match=f"crash {len(expected)}"):
            visu.display.start_window(RUN, np.eye)
    else:
        assert visu.display.start_window(RUN, np.eye) == "a window"
    assert started == expected


def test_without_a_display_no_window_is_tried(monkeypatch):
    monkeypatch.setattr(visu.display, "lacks_display", lambda: True)
    monkeypatch.delenv("MPLBACKEND", raising=False)
    with pytest.raises(visu.display.NoDisplay, match="^there is no display: the environment has no DISPLAY$"):
        visu.display.start_window(RUN, None)


def test_without_a_function_that_reads_digits_the_window_has_no_pad(monkeypatch):
    started = []
    monkeypatch.setattr(visu.display, "start", lambda *arguments, **options: started.append(arguments))
    monkeypatch.setattr(visu.display, "lacks_display", lambda: False)
    monkeypatch.delenv("MPLBACKEND", raising=False)
    visu.display.start_window(RUN, None)
    assert started == [(WINDOW, RUN, None, False)]


@pytest.fixture
def media(monkeypatch):
    """What is started, a list; and those that fail, each with its reason."""
    started, reasons = [], {}

    def start(medium, run, *arguments, **options):
        started.append((medium, run, *arguments))
        if medium in reasons:
            raise visu.display.NoDisplay(reasons[medium])
        return "a display"

    monkeypatch.setattr(visu.display, "start", start)
    monkeypatch.setattr(visu.display, "lacks_display", lambda: False)
    monkeypatch.delenv("MPLBACKEND", raising=False)
    return started, reasons


@pytest.mark.parametrize(
    "save_movie, name",
    [(True, "tensorflowvisu_video.mp4"), ("mine.mp4", "mine.mp4"), (Path("films") / "mine.mp4", "films/mine.mp4")],
)
def test_a_film_has_the_usual_name_or_its_own_and_what_stands_against_it_is_a_runtime_error(save_movie, name, media):
    started, reasons = media
    name = os.path.normpath(name)
    assert visu.display.open_display(RUN, save_movie) == "a display"
    assert started == [(FILM, RUN, name)] and isinstance(started[0][2], str)
    reasons[FILM] = "a full disk"
    for kind in (RuntimeError, SystemExit):
        with pytest.raises(kind) as error:
            visu.display.open_display(RUN, save_movie)
        assert str(error.value) == f"save_movie={save_movie!r} can't make {name}: a full disk"


def test_a_notebook_gets_pictures_and_what_has_no_window_a_picture_at_the_end(media, monkeypatch, capsys):
    started, reasons = media
    monkeypatch.setattr(visu.display, "in_notebook", lambda: True)
    assert visu.display.open_display(RUN, False, np.eye) == "a display"
    monkeypatch.setattr(visu.display, "in_notebook", lambda: False)
    assert visu.display.open_display(RUN, False, np.eye) == "a display"
    assert started == [(NOTEBOOK, RUN), (WINDOW, RUN, None, True)] and capsys.readouterr() == ("", "")
    reasons[WINDOW] = "no screen"
    assert visu.display.open_display(RUN, False) == "a display"
    assert started[2:] == [(WINDOW, RUN, None, False), (PICTURE, RUN)]
    sentence = "No window: no screen. Training goes on as text"
    assert capsys.readouterr() == (f"{sentence}, and its picture is saved at the end.\n", "")
    reasons[PICTURE] = "a full disk"
    display = visu.display.open_display(RUN, False)
    failure = f"The picture with the training curves and digits can't be saved in {os.getcwd()} (a full disk)"
    assert capsys.readouterr() == (f"{sentence}. {failure}.\n", "") and display.failure == failure
    assert not display.closed and not display.is_paused()


def test_the_pad_of_a_finished_training_is_answered_while_the_next_one_trains(monkeypatch):
    first, second = (DrawnRun(FakeProcess(), WINDOW, lambda images: np.eye(10)[[3] * len(images)]) for _ in range(2))
    monkeypatch.setattr(visu.display, "finished_windows", [first])
    first.process.reply(Question(7, np.ones([28, 28], np.float32)))
    second.show_progress(1, False)
    (answer,) = first.process.sent()
    assert answer.number == 7 and answer.values.argmax() == 3


@pytest.mark.parametrize(
    "backend", ["Agg", "agg", "Cairo", "nbAgg", "PDF", "pgf", "PS", "SVG", "template"]
)  # of matplotlib's, and of any case
def test_a_back_end_without_windows_is_none_in_any_letters(backend, monkeypatch):
    monkeypatch.setenv("MPLBACKEND", backend)
    with pytest.raises(visu.display.NoDisplay, match=f"MPLBACKEND={backend} has no windows"):
        visu.display.start_window(RUN, None)


@pytest.mark.parametrize(
    "last, seen",
    [
        (pickle.dumps([point("test", 2, 0.5, 1), End(FINISHED)]), [1, FINISHED, 2]),
        (pickle.dumps([Close()]), [1, "stopped", 1]),
        (b"", [1, "stopped"]),  # and these without a word
        (pickle.dumps([End(FINISHED)])[:-1], [1, "stopped"]),
        (pickle.dumps([End(FINISHED)], protocol=4)[:15], [1, "stopped"]),
    ],
    ids=["finished", "stopped", "gone", "gone before the last byte", "gone in the middle"],
)
def test_what_is_shown_ends_once_and_too_where_the_training_process_is_gone_without_a_word(last, seen):
    events = []

    class Shown(Show):
        def show(self):
            events.append(self.record.newest["test"].iteration)

        def end(self, state):
            events.append(state)

    replies, first = [], pickle.dumps([point("test", 0, 0.5, 1), point("test", 1, 0.5, 1)])
    Shown(replies.append, RUN).serve(io.BytesIO(first + last))
    assert (replies, events) == ([Ready()], seen)


def test_each_reply_is_waited_for_anew():
    visu.channel.something_came.set()
    visu.display.wait_for_something()
    assert not visu.channel.something_came.is_set()


def test_a_digit_is_read_by_the_thread_that_trains_and_never_in_the_middle_of_a_step():
    asked = []

    def read_digits(images):
        asked.append(images.shape)
        assert images.dtype == np.float32 and images.all()
        images[:] = 0  # which are its own
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
    assert len(asked) == 2 and process.sent()[0].values.argmax() == 7


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
        display.take(Picture("test", 0, np.zeros([28, 28, 3], np.uint8), images))
    display.take(Picture("training", 0, np.zeros([28, 28, 3], np.uint8), np.ones_like(digits)))
    process.reply(Pick("test", tile), Pick("test", 255 - tile), Pick("training", tile))
    display.take_replies()
    found, *nothing = (message.image for message in process.sent() if isinstance(message, Digit))
    assert (found == digits[1, ..., 0]).all() and nothing == [None, None]
    assert [message.images for message in process.sent() if isinstance(message, Picture)] == [None] * 2  # they stay


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


@pytest.mark.parametrize(
    "medium, reply, sentence",
    [
        (FILM, Failed("a full disk"), "The film of the training can't be saved in {} (a full disk)"),
        (
            PICTURE,
            Gone(),
            "The picture with the training curves and digits can't be saved in {} (its process ended by itself)",
        ),
        (WINDOW, Failed("no more colours"), "The training can't be shown any longer: no more colours"),
        (WINDOW, Gone(), "The process that draws ended by itself"),
    ],
)
def test_each_failure_is_told_once_in_one_sentence_and_that_of_a_product_with_the_result_too(
    medium, reply, sentence, capsys
):
    sentence = sentence.format(os.getcwd())

    def ended(end, *before):
        display = DrawnRun(FakeProcess(), medium)
        display.process.reply(*before)
        display.show_progress(1, True)
        display.process.reply(reply, Gone())
        end(display)
        return display.failure, capsys.readouterr()

    failure = sentence if medium.product else None
    assert ended(lambda display: display.show_progress(2, True)) == (
        failure,
        ("", f"{sentence}. Training goes on.\n"),
    )
    if medium.product:  # the result comes with the failure, unless the program ends with another reason
        assert ended(lambda display: display.end(FINISHED)) == (failure, ("", ""))
        assert ended(lambda display: display.end("stopped: KeyError")) == (failure, ("", f"{sentence}.\n"))
        assert ended(lambda display: display.close()) == (failure, ("", f"{sentence}.\n"))
    else:  # a window that is gone when training is over is no failure
        told = f"{sentence}.\n" if isinstance(reply, Failed) else ""
        assert ended(lambda display: display.end(FINISHED)) == (None, ("", told))
        assert ended(lambda display: display.close()) == (None, ("", told))


def test_at_ctrl_c_a_window_has_to_close_soon_and_a_film_has_time_to_be_completed(capsys):
    for medium, replies, least, most in ((WINDOW, [], 1, 5), (FILM, [Saved("film.mp4")], 20, 60)):
        display = DrawnRun(FakeProcess(*replies), medium)
        display.close()
        assert display.process.sent() == [Close()] and display.process.outbox.closed
        assert least <= display.process.patience <= most
    assert capsys.readouterr() == ("The film of the training is saved as film.mp4\n", "")


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
    assert process.outbox.closed == (state != FINISHED)


@pytest.fixture
def two_finished(monkeypatch):
    """Two windows that stay, and what was registered for the end of the program."""
    registered = []
    monkeypatch.setattr(visu.display, "finished_windows", [])
    monkeypatch.setattr(visu.display, "leads_to_prompt", lambda: False)
    monkeypatch.setattr(visu.display, "atexit", types.SimpleNamespace(register=registered.append))
    windows = []
    for _ in range(2):
        windows.append(DrawnRun(FakeProcess(Stays()), WINDOW, lambda images: np.eye(10)[[7]]))
        windows[-1].end(FINISHED)
        windows[-1].process.outbox.take()
    assert registered == [visu.display.wait_until_closed]
    return windows


FINISHED_SENTENCE = "Finished. The window stays open; close it, or press Ctrl-C here, to end the program.\n"


def test_the_program_stays_until_the_last_window_is_closed_and_reads_digits_meanwhile(
    two_finished, monkeypatch, capsys
):
    first, second = two_finished
    second.process.reply(Closed())
    come = [(first, Question(number, np.ones([28, 28], np.float32))) for number in (1, 2)] + [(first, Closed())]

    def wait():
        window, reply = come.pop(0)
        window.process.reply(reply)

    monkeypatch.setattr(visu.display, "wait_for_something", wait)
    visu.display.wait_until_closed()
    assert come == [] and [answer.number for answer in first.process.outbox.take()] == [2]  # in the place of the first
    assert capsys.readouterr() == (FINISHED_SENTENCE, "")


def test_of_windows_that_are_closed_already_nothing_is_said(two_finished, capsys):
    for window in two_finished:
        window.process.reply(Closed())
    visu.display.wait_until_closed()
    assert capsys.readouterr() == ("", "")


def test_ctrl_c_closes_all_windows_that_stay(two_finished, monkeypatch, capsys):
    def wait():
        raise KeyboardInterrupt

    waits = iter([wait, lambda: None, lambda: None])
    monkeypatch.setattr(visu.display, "wait_for_something", lambda: next(waits)())
    visu.display.wait_until_closed()
    assert [window.process.sent() for window in two_finished] == [[Close()]] * 2
    assert capsys.readouterr() == (FINISHED_SENTENCE, "")


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


def test_how_far_it_is_is_sent_ten_times_a_second_and_with_each_update(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(visu.display, "time", types.SimpleNamespace(monotonic=lambda: now[0]))
    display = DrawnRun(FakeProcess(), FILM)  # for which none is left out
    for i in range(1, 301):
        now[0] = 100 + i / 100
        display.show_progress(i, i % 80 == 0)
    sent = display.process.sent()
    assert [message.iterations for message in sent if message.is_update] == [80, 160, 240]
    assert 27 <= len(sent) <= 36
    assert max(np.diff([message.iterations for message in sent])) <= 12
    for i, seconds, _, state in sent:
        assert (seconds, state) == (pytest.approx(i / 100), TRAINING)


def test_what_somebody_waits_for_is_sent_at_once_and_the_rest_goes_together(monkeypatch):
    layers = [np.eye(10)[[7]], np.ones([1, 5])]
    display = DrawnRun(FakeProcess(), WINDOW, lambda images: [layer.repeat(len(images), axis=0) for layer in layers])
    image, tile, at_once = np.ones([28, 28], np.float32), np.zeros([28, 28, 3], np.uint8), []

    def sent():
        """Whether it has to be sent at once, and what there is to be sent."""
        is_urgent = display.process.outbox.urgent.is_set()
        return is_urgent, [type(message) for message in display.process.outbox.take()]

    def wait_for(reply):
        at_once.append(sent())
        display.process.reply(reply)

    display.take(point("test", 0, 0.5, 3))
    display.take(Picture("test", 0, tile, image[np.newaxis]))
    display.show_progress(1, True)
    assert sent() == (False, [Point, Picture, Progress])
    digit, patch = Question(1, image), PatchQuestion(1, image, (0, 1))
    for questions, answers in (([digit, patch], [Answer, Patch]), ([patch], [Patch]), ([Pick("test", tile)], [Digit])):
        display.process.reply(*questions)
        display.handle_replies()
        assert sent() == (True, answers)
    display.take(point("test", 1, 0.5, 3))
    assert sent() == (False, [Point])
    display.process.reply(PauseOrResume())
    display.is_paused()
    monkeypatch.setattr(visu.display, "wait_for_something", lambda: wait_for(PauseOrResume()))
    display.wait_while_paused()
    assert (at_once.pop(), sent()) == ((True, [Progress]), (True, [Progress]))
    monkeypatch.setattr(visu.display, "wait_for_something", lambda: wait_for(Stays()))
    display.end("stopped: KeyError")
    assert at_once == [(True, [StopReading, End])]


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


@pytest.mark.parametrize("error", [ValueError("closed file"), BrokenPipeError()])
def test_where_nobody_is_left_to_tell_a_reply_is_no_error(error):
    def write(content):
        raise error

    reply_through(types.SimpleNamespace(write=write))(Ready())


def unstarted_process(monkeypatch, *replies):
    """A DrawingProcess whose replies, pairs of a second and a reply, come by a clock that goes on while it waits."""
    process, coming, now = DrawingProcess.__new__(DrawingProcess), list(replies), [0.0]

    def get(timeout):
        now[0] += timeout
        if coming and coming[0][0] <= now[0]:
            return coming.pop(0)[1]
        raise queue.Empty

    monkeypatch.setattr(visu.channel, "time", types.SimpleNamespace(monotonic=lambda: now[0]))
    process.replies, process.killed = types.SimpleNamespace(get=get), []
    process.process = types.SimpleNamespace(kill=lambda: process.killed.append(round(now[0])))
    return process


MATPLOTLIB = "matplotlib, which has to list all fonts once,"
FONTS = f"Waiting up to 600 seconds for {MATPLOTLIB} …\n"
DISPLAY = "Waiting up to 60 seconds for the display :1 …\n"


@pytest.mark.parametrize(
    "replies, first, killed, told",
    [
        ([(29, Loaded()), (33, Ready())], Ready(), [], ""),
        ([(32, Loaded()), (36, Ready())], Ready(), [], FONTS),
        ([(599, Loaded()), (657, Closed())], Closed(), [], FONTS + DISPLAY),
        ([(2, Failed("no matplotlib"))], Failed("no matplotlib"), [], ""),
        ([(2, Loaded()), (9, Gone())], Gone(), [], DISPLAY),
        ([(2, Loaded())], Failed("the display :1 did not answer in 60 seconds"), [62], DISPLAY),
        ([], Failed(f"{MATPLOTLIB} did not answer in 600 seconds"), [600], FONTS),
    ],
)
def test_matplotlib_is_waited_for_longer_than_a_display_and_what_takes_long_is_told_once(
    replies, first, killed, told, monkeypatch, capsys
):
    process = unstarted_process(monkeypatch, *replies)
    assert process.first_reply("the display :1") == first
    assert process.killed == killed and capsys.readouterr() == (told, "")


def test_of_a_film_or_a_picture_that_takes_long_nothing_is_told_before_it_fails(monkeypatch, capsys):
    process = unstarted_process(monkeypatch, (2, Loaded()))
    assert process.first_reply(None) == Failed("the process that draws did not answer in 60 seconds")
    assert process.killed == [62]
    assert capsys.readouterr() == ("", "")


def test_ctrl_c_before_there_is_something_to_see_ends_the_process_that_draws(monkeypatch):
    def interrupt(timeout):
        raise KeyboardInterrupt

    process = unstarted_process(monkeypatch)
    process.replies.get = interrupt
    with pytest.raises(KeyboardInterrupt):
        process.first_reply("the display :1")
    assert process.killed == [0]


def test_messages_keep_their_order_and_a_newer_one_of_a_key_takes_the_place_of_the_older_until_the_end():
    outbox = Outbox()
    for message, key in (("a", None), ("old", "picture"), ("b", None), ("c", "progress"), ("new", "picture")):
        outbox.put(message, key)
    assert outbox.take() == ["a", "new", "b", "c"]
    outbox.put("next", "picture")
    assert outbox.take() == ["next"]
    outbox.put("d")
    outbox.close("last")
    outbox.close("too late")
    outbox.put("too late")
    assert outbox.urgent.is_set()  # nothing is waited for any more
    assert [outbox.take(), outbox.take()] == [["d", "last"], []]


def test_where_there_is_no_room_for_a_message_it_waits_until_some_are_taken_or_nobody_takes_them(monkeypatch):
    outbox, taken = Outbox(limit=2), []
    monkeypatch.setattr(outbox.changed, "wait", lambda timeout: taken.append(outbox.take()))
    for i in range(5):
        outbox.put(i)
    assert taken == [[0, 1], [2, 3]]
    outbox.put(5)
    monkeypatch.setattr(outbox.changed, "wait", lambda timeout: outbox.close())
    outbox.put(6)
    assert outbox.take() == [4, 5]


class Pipe(io.BytesIO):
    """Keeps what was written when it is closed."""

    def close(self):
        self.written = self.written if self.closed else self.getvalue()
        super().close()


def test_what_comes_within_a_quarter_of_a_second_goes_together_and_the_pipe_is_closed_at_the_end(monkeypatch):
    process, pipe, seconds = DrawingProcess.__new__(DrawingProcess), Pipe(), []
    process.outbox, process.process = Outbox(), types.SimpleNamespace(stdin=pipe)

    def wait(timeout):
        seconds.append(timeout)
        for message in ("b", "c"):
            process.outbox.put(message)
        if len(seconds) == 2:
            process.outbox.close("last")

    monkeypatch.setattr(process.outbox.urgent, "wait", wait)
    process.outbox.put("a")
    process.send_all(Start("files.PictureShow", RUN, ()))
    stream = io.BytesIO(pipe.written)
    sent = [pickle.load(stream) for _ in range(5)]
    assert sent == [path_of_imports(), Start("files.PictureShow", RUN, ()), ["a"], ["b", "c"], ["b", "c", "last"]]
    assert stream.read() == b"" and seconds[:2] == [0.25, 0.25]


def test_what_draws_gets_the_environment_and_its_replies_come_in_order_and_gone_at_the_end(monkeypatch):
    started, content = [], io.BytesIO()
    reply_through(content)(Loaded())
    reply_through(content)(Failed("no screen"))

    def start(command, env, **options):
        started.append((command, env))
        return types.SimpleNamespace(stdin=Pipe(), stdout=io.BytesIO(content.getvalue()))

    monkeypatch.setattr(visu.channel.subprocess, "Popen", start)
    monkeypatch.setenv("OTHERS", "their own")
    inherited = dict(os.environ)
    monkeypatch.setenv("MPLBACKEND", "no such name")  # which matplotlib would read when it is imported
    process = DrawingProcess(Start("files.FilmShow", RUN, ()), 3, MINE="1", OTHERS="mine")
    replies = [process.replies.get(timeout=PATIENCE) for _ in range(3)]
    assert replies == [Loaded(), Failed("no screen"), Gone()] and process.outbox.limit == 3
    process.close_outbox()
    ((command, env),) = started
    assert command[0] == sys.executable and command[-1] == str(ROOT / "visu" / "drawing")
    assert env == {**inherited, "TENSORFLOWVISU_STARTED": "1", "MINE": "1", "OTHERS": "mine"}


def test_a_pipe_that_is_broken_lets_nobody_wait():
    def write(content):
        raise BrokenPipeError

    process, closed = DrawingProcess.__new__(DrawingProcess), []
    stdin = types.SimpleNamespace(write=write, flush=lambda: None, close=lambda: closed.append(True) or write(b""))
    process.outbox, process.process = Outbox(limit=1), types.SimpleNamespace(stdin=stdin)
    process.outbox.put("a")
    process.send_all(Start("files.FilmShow", RUN, ()))
    process.outbox.put("b")
    assert process.outbox.closed and closed == [True]


def test_what_does_not_end_in_time_is_killed(monkeypatch):
    done = []

    def wait(timeout):
        done.append(timeout)
        if timeout < 5:
            raise subprocess.TimeoutExpired("what draws", timeout)

    process = DrawingProcess.__new__(DrawingProcess)
    process.process = types.SimpleNamespace(wait=wait, kill=lambda: done.append("killed"))
    process.kill_after(5)
    process.kill_after(2)
    assert done == [5, 2, "killed"]


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


@pytest.mark.parametrize(
    "arguments, beside",
    [([os.path.join("mine", "script.py"), "more"], "mine"), ([""], ""), ([], "")],  # the current folder, at a prompt
)
def test_no_file_beside_the_script_hides_what_drawing_needs(arguments, beside, tmp_path, monkeypatch):
    monkeypatch.setattr("sys.argv", arguments)
    monkeypatch.setattr("sys.path", [beside, tmp_path / "no text", "packages", str(tmp_path / "more")])
    folder = os.path.normpath(str(tmp_path / beside))
    assert path_of_imports() == [str(tmp_path / "packages"), str(tmp_path / "more"), folder]


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


@pytest.mark.parametrize("options", [["-E", "-s", "-B", "-Xutf8"], ["-I", "-E", "-s", "-S", "-Xutf8=1"]])
def test_what_draws_gets_the_options_of_python_that_the_script_was_started_with(options):
    program = f"import sys; sys.path += {sys.path!r}; import visu.channel; print(*visu.channel.flags_of_python())"
    said = subprocess.check_output([sys.executable, *options, "-c", program], cwd=str(ROOT), encoding="utf-8")
    assert said.split() == options


@pytest.mark.parametrize("executable", ["", None])
def test_where_python_does_not_know_its_own_program_none_can_be_started(executable, monkeypatch):
    assert can_start_python()
    monkeypatch.setattr(sys, "executable", executable)
    assert not can_start_python()
    with pytest.raises(OSError, match="^this program brings a Python of its own"):
        DrawingProcess(Start("files.PictureShow", RUN, ()))


def test_what_draws_ends_without_a_word_where_nobody_says_what(tmp_path):
    program = [sys.executable, str(ROOT / "visu" / "drawing")]
    for said in (b"", pickle.dumps(["a path"]), pickle.dumps(["a path"])[:-3]):
        ended = subprocess.run(program, input=said, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=PATIENCE)
        assert (ended.returncode, ended.stdout, ended.stderr) == (0, b"", b"")


@pytest.mark.parametrize(
    "error, reason",
    [
        (OSError(28, "No space left on device", "x.png"), "No space left on device"),
        (RuntimeError("no room.\nPages of that"), "no room"),
        (KeyError(), "KeyError"),
    ],
)
def test_what_cannot_be_shown_is_told_in_a_few_words(error, reason, tmp_path, monkeypatch):
    def show(reply, run, *arguments):
        assert (run, arguments) == (RUN, ("film.mp4",))
        raise error

    begun = pickle.dumps(sys.path) + pickle.dumps(Start("files.FilmShow", RUN, ("film.mp4",)))
    with (tmp_path / "replies").open("wb+") as replies:
        monkeypatch.setattr(visu.drawing.files, "FilmShow", show)
        monkeypatch.setattr(visu.drawing.__main__, "set_up_matplotlib", lambda: None)
        monkeypatch.setattr("sys.path", sys.path[:])
        monkeypatch.setattr("sys.stdin", types.SimpleNamespace(isatty=lambda: False, buffer=io.BytesIO(begun)))
        monkeypatch.setattr("signal.signal", lambda *handler: None)
        with monkeypatch.context() as no_terminal:
            no_terminal.setattr("os.dup2", lambda *descriptors: None)
            no_terminal.setattr("os.dup", lambda descriptor, dup=os.dup: dup(replies.fileno()))
            assert visu.drawing.__main__.main() == 1
        replies.seek(0)
        assert list(replies_in(replies)) == [Loaded(), Failed(reason)]


def test_what_draws_is_not_started_by_hand(monkeypatch):
    monkeypatch.setattr("sys.stdin", types.SimpleNamespace(isatty=lambda: True))
    with pytest.raises(SystemExit, match="^visu.drawing is started by the scripts: run one of them, mnist_1.0_"):
        visu.drawing.__main__.main()


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
