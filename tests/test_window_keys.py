"""What keys and the mouse do in the window, of one that nobody sees, with a clock that is turned by hand."""

import contextlib
import io
import pickle
import types
from unittest import mock

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.backend_bases import KeyEvent, MouseEvent
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from made_up_run import ITERATIONS, RUN, point, status_of
from visu.channel import (
    FINISHED,
    PAUSED,
    TRAINING,
    Answer,
    Close,
    Closed,
    Digit,
    End,
    Layer,
    Patch,
    PatchQuestion,
    PauseOrResume,
    Pick,
    Progress,
    Question,
    Ready,
    Stays,
    StopReading,
)
from visu.drawing import window
from visu.drawing.pad import SIDE
from visu.record import Picture
from visu.style import LAYOUTS

LEFT, RIGHT = 1, 3
BETWEEN_FRAMES = 0.3  # seconds, more than there are


class NumberedFigure(Figure):
    number = 1  # which pyplot gives to its figures


class Window:
    """A window, with a pad or without: keys, the mouse and messages go in, and what it replies is kept."""

    def __init__(self, monkeypatch, has_pad=True):
        self.now, self.replies = 1000.0, []
        monkeypatch.setattr(window, "time", types.SimpleNamespace(monotonic=lambda: self.now))
        monkeypatch.setattr(window, "open_figure", self.open_figure)
        monkeypatch.setattr(plt, "fignum_exists", lambda number: True)
        self.show = window.WindowShow(self.replies.append, RUN, None, has_pad)
        self.show.timer = types.SimpleNamespace(interval=None)
        self.pad, self.picture = self.show.pad, self.show.picture

    def open_figure(self, run, keys, wished):
        self.own_keys = keys
        self.figure = NumberedFigure(figsize=(1344 / run.style.dpi, 756 / run.style.dpi), dpi=run.style.dpi)
        self.canvas = FigureCanvasAgg(self.figure)
        self.canvas.blit, self.draw_all = self.blit, self.canvas.draw
        self.canvas.draw = self.draw
        self.canvas.manager = types.SimpleNamespace(toolbar=None)
        return self.figure

    def drawn(self):
        """What is on the canvas, uint8 [height, width, 4]."""
        return np.array(self.canvas.buffer_rgba())

    def draw(self):
        self.draw_all()
        self.screen = self.drawn()

    def blit(self, extent):
        """Puts this part of the canvas on the screen."""
        left, bottom, right, top = np.rint(extent.extents).astype(int)
        rows, columns = slice(len(self.screen) - top, len(self.screen) - bottom), slice(left, right)
        self.screen[rows, columns] = self.drawn()[rows, columns]

    @contextlib.contextmanager
    def drawing_takes(self, seconds, name):
        """While a method of the picture, of one argument, takes so many seconds; gives the list of these arguments."""
        calls, method = [], getattr(type(self.picture), name)

        def slow_method(picture, *argument, **named):
            calls.extend([*argument, *named.values()])
            self.now += seconds
            return method(picture, *argument, **named)

        with mock.patch.object(type(self.picture), name, slow_method):
            yield calls

    def take(self, *messages, after=BETWEEN_FRAMES):
        """Lets it look at messages after so many seconds; returns what it replies to that."""
        before, self.now = len(self.replies), self.now + after
        self.show.messages.put(messages)
        self.show.tick()
        return self.replies[before:]

    def press(self, key):
        before = len(self.replies)
        self.canvas.callbacks.process("key_press_event", KeyEvent("key_press_event", self.canvas, key))
        return self.replies[before:]

    def mouse(self, name, axes, x, y, button=None, after=0.0):
        """Something that the mouse does at a place, in the units of axes; returns what is replied."""
        before, self.now = len(self.replies), self.now + after
        place = axes.transData.transform((x, y))
        self.canvas.callbacks.process(name, MouseEvent(name, self.canvas, *place, button))
        return self.replies[before:]

    def click(self, axes, x, y, button=LEFT):
        replies = self.mouse("button_press_event", axes, x, y, button)
        return replies + self.mouse("button_release_event", axes, x, y, button)

    def stroke(self, *places, button=LEFT, seconds=0.1):
        """Draws on the pad, from place to place [0 to 1, 0 to 1]; returns what is replied meanwhile, and at the end."""
        axes = self.picture.pad.sheet_panel.axes
        places = [(SIDE * x, SIDE * y) for x, y in places]
        replies = self.mouse("button_press_event", axes, *places[0], button)
        for place in places[1:]:
            replies += self.mouse("motion_notify_event", axes, *place, after=seconds)
        return replies, self.mouse("button_release_event", axes, *places[-1], button)

    def status(self):
        return status_of(self.picture).lower()

    def shown(self):
        """The numbers of the six panels that can be seen, and whether the pad and the layers can."""
        numbers = [number for number, panel in enumerate(self.picture.panels[:6], start=1) if panel.is_visible()]
        return numbers, self.picture.pad.sheet_panel.is_visible(), self.picture.pad.layers_panel.is_visible()


def tiles(n, lines):
    """A picture of n digits, each of one colour, and these [n, 28, 28, 3]."""
    each = np.zeros([n, 28, 28, 3], np.uint8)
    each[...] = np.arange(n)[:, None, None, None] + [0, 100, 200]
    return each.reshape(lines, -1, 28, 28, 3).swapaxes(1, 2).reshape(28 * lines, -1, 3), each


@pytest.fixture
def shown(monkeypatch):
    """A window of a training that has begun, with six training digits and 20 test digits."""
    shown = Window(monkeypatch)
    (training, _), (test, _) = tiles(6, 2), tiles(20, 4)
    replies = shown.take(Picture("training", 0, training), Picture("test", 0, test), point("test", 0, 0.5, 9))
    assert replies == [Ready()]
    return shown


ALL = [1, 2, 3, 4, 5, 6]


def test_keys_show_panels_the_pad_and_the_layers(shown):
    assert set("0123456789 hdcmlsbt") | {"escape"} == set(shown.own_keys)  # none of which is matplotlib's then
    for key, layout in LAYOUTS.items():
        shown.press(key)
        assert shown.shown() == (sorted(number for line in layout for number in line), False, False)
    for key, expected in (
        ("escape", (ALL, False, False)),
        ("d", ([1, 2, 4, 5, 6], True, False)),
        ("d", (ALL, False, False)),
        ("l", ([], True, True)),
        ("l", ([1, 2, 4, 5, 6], True, False)),
        ("l", ([], True, True)),
        ("d", (ALL, False, False)),
        ("l", ([], True, True)),
        ("0", (ALL, False, False)),
        ("1", ([1], False, False)),
        ("d", ([1, 2, 4, 5, 6], True, False)),
        ("escape", (ALL, False, False)),
        ("d", ([1, 2, 4, 5, 6], True, False)),
        ("9", ([6], True, False)),
        ("l", ([], True, True)),
        ("3", ([], True, False)),
        ("0", (ALL, False, False)),
        ("x", (ALL, False, False)),
    ):
        shown.press(key)
        assert shown.shown() == expected, key
        assert shown.show.timer.interval == (20 if expected[1] else 50)


def test_a_window_without_a_pad_has_none_of_its_keys_and_takes_no_strokes(monkeypatch):
    shown = Window(monkeypatch, has_pad=False)
    assert set(shown.own_keys) == set("0123456789 h") | {"escape"}
    (training, _), (test, _) = tiles(6, 2), tiles(20, 4)
    shown.take(Picture("training", 0, training), Picture("test", 0, test))
    assert [reply for key in "dcmlsbt" for reply in shown.press(key)] == []
    assert shown.click(shown.picture.panels[2].axes, 5, 5) == []
    shown.press("9")
    assert [panel.is_visible() for panel in shown.picture.panels] == [False, False, True, False, False, True]


def test_it_looks_for_messages_20_times_a_second_until_the_window_is_closed(shown, monkeypatch):
    intervals, called, ended = [], [], []
    timer = types.SimpleNamespace(add_callback=called.append, start=lambda: called.append("start"))
    shown.canvas.new_timer = lambda interval: intervals.append(interval) or timer
    monkeypatch.setattr(plt, "show", lambda: called.append("show"))
    monkeypatch.setattr(window.os, "_exit", ended.append)
    shown.show.serve(io.BytesIO())
    assert (intervals, called) == ([50], [shown.show.tick, "start", "show"])
    assert (shown.replies[-1], ended) == (Closed(), [0])  # if the back end did not say it


def test_what_a_key_does_is_seen_at_once_and_what_is_drawn_on_the_pad_too(shown):
    """And not with the next frame."""
    shown.press("l")
    _, asked = shown.stroke((0.5, 0.3), (0.5, 0.7))
    values = np.random.RandomState(0).rand(7, 7, 3).astype(np.float32) * [1, 2, 3]
    shown.take(Answer(asked[-1].number, np.eye(10)[1], [Layer(values, 3)]))
    for key in ["s", "m", "d", "7", "9", "0", "d", "c", "l", "escape"]:
        before = shown.screen.copy()
        shown.press(key)
        seen = shown.screen.copy()
        shown.take()
        assert (seen != before).any() and (seen == shown.screen).all(), key
        if key == "l":  # all has another place
            shown.canvas.draw()
            assert (seen == shown.screen).all()
    shown.press("d")
    for replies in shown.stroke((0.3, 0.2), (0.31, 0.25), (0.9, 0.3), (0.2, 0.9)):
        shown.take(*[Answer(question.number, np.eye(10)[7]) for question in replies], point("training", 50, 0.7, 20))
        assert (shown.screen == shown.drawn()).all()


def test_a_pause_and_the_end_are_shown_at_once(shown):
    for message, word in (
        (Progress(5, 1.0, False, PAUSED), "paused"),
        (Progress(5, 1.0, False, TRAINING), "iteration 5 of"),
        (End(FINISHED), "finished"),
    ):
        shown.take(message, after=0.001)
        assert word in shown.status()
    assert "paused" not in shown.status()


def test_space_asks_for_a_pause_from_when_there_is_something_to_see_until_the_end(monkeypatch):
    shown = Window(monkeypatch)

    def status():
        shown.take()
        return shown.status()

    assert shown.press(" ") == []
    shown.take(Progress(5, 1.0, False, TRAINING))
    assert "pausing" not in status()
    assert shown.press(" ") == [PauseOrResume()] and "pausing" in shown.status()
    assert shown.press(" ") == [PauseOrResume()] and "pausing" in status()  # before it paused
    shown.take(Progress(6, 1.1, False, PAUSED))
    assert "paused" in status()
    assert shown.press(" ") == [PauseOrResume()] and "paused" in status()
    shown.take(Progress(ITERATIONS, 9.0, False, TRAINING))
    assert shown.take(End(FINISHED)) == [Stays()] and "finished" in status()
    assert shown.press(" ") == [] and "finished" in status()


def test_keys_of_the_pad_do_nothing_where_it_is_hidden(shown):
    shown.press("d")
    _, asked = shown.stroke((0.5, 0.3), (0.5, 0.7))
    assert [type(question) for question in asked] == [Question]
    shown.press("d")
    assert shown.press("c") == shown.press("m") == []
    shown.press("d")
    shown.press("7")  # which leaves no place for it
    assert shown.press("c") == shown.press("m") == []
    assert shown.pad.centred and shown.pad.image is not None
    shown.press("d")
    assert [question.image is None for question in shown.press("m")] == [False] and not shown.pad.centred
    assert [question.image is None for question in shown.press("c")] == [True]
    shown.press("s")
    assert shown.pad.has_own_scales
    shown.press("s")
    assert not shown.pad.has_own_scales


def test_b_and_t_ask_for_one_digit_after_the_other_and_begin_again(shown):
    for key, curve, (_, digits) in (("b", "training", tiles(6, 2)), ("t", "test", tiles(20, 4))):
        for number in [*range(len(digits)), 0]:
            (pick,) = shown.press(key)
            assert pick.curve == curve and (pick.tile == digits[number]).all()
            if number == 2:
                shown.press("b" if key == "t" else "t")  # does not count for this one
        shown.show.tiles["test"] = 0


def test_a_click_asks_for_the_digit_that_it_is_on(shown):
    for panel, curve, (picture, digits) in ((3, "training", tiles(6, 2)), (6, "test", tiles(20, 4))):
        axes = shown.picture.panels[panel - 1].axes
        columns = picture.shape[1] // 28
        for number, digit in enumerate(digits):
            row, column = divmod(number, columns)
            for x, y in ((1, 1), (27, 27)):
                (pick,) = shown.click(axes, 28 * column + x, 28 * row + y)
                assert isinstance(pick, Pick) and pick.curve == curve and (pick.tile == digit).all()
        assert shown.click(axes, 5, 5, RIGHT) == []
        shown.canvas.widgetlock(shown)  # as the tool bar does while it zooms
        assert shown.click(axes, 5, 5) == []
        shown.canvas.widgetlock.release(shown)
        axes.set_xlim(-28, 28 * columns + 28)  # made small, or moved: beside the picture there is no digit
        axes.set_ylim(picture.shape[0] + 28, -28)
        for x, y in ((-1, 5), (28 * columns + 1, 5), (5, -1), (5, picture.shape[0] + 1)):
            assert shown.click(axes, x, y) == []
    assert shown.click(shown.picture.panels[0].axes, 500, 0.5) == []
    shown.press("d")
    shown.stroke((0.5, 0.3), (0.5, 0.7))
    assert [type(reply) for reply in shown.click(axes, 5, 5)] == [Pick]  # the pen has let go of the mouse


def test_what_is_no_picture_of_tiles_has_no_digits(monkeypatch):
    shown = Window(monkeypatch)
    shown.take()
    assert shown.press("b") == shown.press("t") == []
    for panel in (3, 6):
        assert shown.click(shown.picture.panels[panel - 1].axes, 0.5, 0.5) == []
    shown.take(
        Picture("training", 0, np.zeros([30, 56, 3], np.uint8)), Picture("test", 0, np.zeros([56, 30, 3], np.uint8))
    )
    assert shown.press("b") == shown.press("t") == []


def test_a_digit_that_comes_is_put_on_the_pad_as_it_is_and_shows_it(shown):
    image = np.linspace(0, 1, 784, dtype=np.float32).reshape(28, 28)
    (question,) = shown.take(Digit(image))
    assert (question.image == image).all() and shown.shown()[1]
    shown.take(Digit(None))
    assert shown.pad.hints().endswith("\nThe script hands over no such digit.") and shown.pad.image is not None
    shown.press("l")
    shown.take(Digit(image))
    assert shown.shown() == ([], True, True)  # the layers stay
    shown.press("7")
    shown.take(Digit(image))
    assert shown.shown() == ([1, 2, 4, 5, 6], True, False)


def test_the_pen_draws_and_asks_now_and_then_and_at_the_end(shown):
    shown.press("d")
    places = [(0.2 + 0.02 * k, 0.5) for k in range(20)]
    meanwhile, at_the_end = shown.stroke(*places, seconds=0.05)  # 0.95 s, with a question each 0.25 s
    assert 2 <= len(meanwhile) <= 4 and len(at_the_end) == 1
    ink = at_the_end[0].image.sum()
    assert [type(question) for question in meanwhile + at_the_end] == [Question] * (len(meanwhile) + 1)
    assert shown.pad.sheet.pixels[SIDE // 2, SIDE // 5 + 5] == 0
    short, at_the_end = shown.stroke((0.5, 0.3), (0.5, 0.4), seconds=0.05)
    assert short == [] and at_the_end[0].image.sum() != ink
    _, erased = shown.stroke(*places, (0.5, 0.3), button=RIGHT)
    assert shown.pad.sheet.pixels[SIDE // 2, SIDE // 5 + 5] == 255 and len(erased) == 1


def test_the_pen_is_lifted_outside_and_the_tool_bar_may_have_the_mouse(shown):
    shown.press("d")
    axes = shown.picture.pad.sheet_panel.axes
    shown.mouse("button_press_event", axes, SIDE / 2, SIDE / 2, LEFT)
    (question,) = shown.mouse("figure_leave_event", axes, 0, 0)
    assert isinstance(question, Question) and not shown.pad.sheet.pen_is_down
    drawn = shown.pad.sheet.pixels
    shown.mouse("motion_notify_event", axes, 0, 0)
    assert shown.pad.sheet.pixels is drawn
    shown.canvas.widgetlock(shown)
    shown.stroke((0.1, 0.1), (0.9, 0.9))
    shown.canvas.widgetlock.release(shown)
    shown.stroke((0.1, 0.1), (0.9, 0.9), button=2)
    assert shown.pad.sheet.pixels is drawn


def test_what_the_mouse_rests_on_is_asked_for(shown):
    shown.press("l")
    _, questions = shown.stroke((0.5, 0.3), (0.5, 0.7))
    assert questions[-1].layers
    values = np.random.RandomState(0).rand(7, 7, 3).astype(np.float32)
    shown.take(Answer(questions[-1].number, np.eye(10)[1], [Layer(values, 3)]))
    panel = shown.picture.pad.layers_panel
    left, first = panel.corner()
    top, grid = panel.rows[0]
    x, y = panel.axes.transData.inverted().transform((left + 20.5, first - top - 20.5))
    assert shown.mouse("motion_notify_event", panel.axes, x, y) == []
    assert shown.take(after=0.1) == []
    (question,) = shown.take(after=0.15)
    expected = panel.find(types.SimpleNamespace(x=left + 20.5, y=first - top - 20.5))
    assert question == PatchQuestion(shown.pad.number, question.image, expected) and expected[0] == 0
    patch = Patch(shown.pad.number, expected, np.ones([28, 28], np.float32), True)
    assert shown.take(patch) == [] and shown.pad.patch is patch
    assert shown.take() == []
    shown.mouse("motion_notify_event", shown.picture.pad.sheet_panel.axes, 10, 10)
    assert shown.pad.pointed == expected  # the lens stays while the mouse is elsewhere
    (question,) = shown.press("0")
    assert not question.layers  # nobody looks at them any longer


def test_when_nobody_reads_any_longer_the_pad_says_so(shown):
    shown.press("d")
    shown.stroke((0.5, 0.3), (0.5, 0.7))
    shown.take(Answer(shown.pad.number, np.eye(10)[1]), StopReading())
    assert "it reads no more digits" in shown.pad.hints() and shown.pad.probabilities is None


def test_a_failure_of_drawing_is_told_once_and_what_comes_later_is_drawn(shown, capsys, monkeypatch):
    failures = []

    def fail(status):
        failures.append(failures[-1] if failures else "no font")
        raise ValueError(failures[-1])

    with monkeypatch.context() as patched:
        patched.setattr(shown.picture, "update", fail)
        for _ in range(3):
            shown.take()
            assert shown.take(after=0.2) == []
        assert len(failures) == 3  # so often, and not each time that it looks at the messages
        failures.append("no disk")
        shown.take()
    output, errors = capsys.readouterr()
    assert (output, errors.count("ValueError: no font"), errors.count("ValueError: no disk")) == ("", 1, 1)
    shown.take(Progress(7, 1.0, False, TRAINING))
    assert "iteration 7 of" in shown.status()


def test_a_window_of_another_size_is_drawn_as_a_whole(shown):
    shown.figure.set_size_inches(12, 6, forward=False)
    shown.canvas.callbacks.process("resize_event", None)
    assert shown.take() == []  # it says once that there is something to see
    assert {panel.axes.title.get_fontsize() for panel in shown.picture.panels[:6]} == {0.75 * 15}
    drawn = np.array(shown.canvas.buffer_rgba())
    shown.canvas.draw()
    assert (np.array(shown.canvas.buffer_rgba()) == drawn).all()


def test_h_resets_the_zooms_and_the_tool_bar_forgets_former_views(shown):
    forgotten = []
    shown.canvas.manager.toolbar = types.SimpleNamespace(update=lambda: forgotten.append(1))
    axes = shown.picture.panels[0].axes
    axes.set_xlim(10, 20)
    shown.take(point("test", 100, 0.6, 8))
    assert axes.get_xlim() == (10, 20) and not forgotten
    shown.press("h")
    assert axes.get_xlim()[0] == 0 and len(forgotten) == 1
    before, digits = np.array(shown.canvas.buffer_rgba()), shown.picture.panels[2].axes
    digits.set_xlim(0, 28)
    digits.set_ylim(28, 0)
    shown.canvas.draw()
    assert (np.array(shown.canvas.buffer_rgba()) != before).any()
    shown.press("h")
    assert (np.array(shown.canvas.buffer_rgba()) == before).all() and len(forgotten) == 2
    for number, key in enumerate("7d0", start=3):
        shown.press(key)
        assert len(forgotten) == number
    shown.canvas.callbacks.process("resize_event", None)
    assert len(forgotten) == 6
    sheet = shown.picture.pad.sheet_panel.axes
    sheet.set_xlim(0, 28)
    shown.press("h")
    assert sheet.get_xlim() == (0, SIDE)


def test_while_somebody_draws_the_pad_is_drawn_20_times_a_second_and_takes_no_more_than_a_quarter_of_it(shown):
    shown.press("d")
    axes = shown.picture.pad.sheet_panel.axes

    def drawings_in_a_second(seconds):
        with shown.drawing_takes(seconds, "redraw_pad") as drawn:
            begun = shown.now
            shown.mouse("button_press_event", axes, 50, 50, LEFT)
            while shown.now < begun + 1:
                shown.mouse("motion_notify_event", axes, 50 + 300 * (shown.now - begun), 50, after=0.005)
            number = len(drawn)
            shown.mouse("button_release_event", axes, 350, 50, LEFT)
        *meanwhile, last = drawn
        assert all(meanwhile) and len(meanwhile) == number and not last  # the layers wait for what is asked at the end
        return number

    assert drawings_in_a_second(0.001) in (18, 19, 20)
    assert drawings_in_a_second(0.1) in (2, 3)


def test_all_that_came_since_it_last_looked_is_taken_and_the_line_says_how_fast_the_training_is(shown):
    for number in range(3):
        progress = Progress(250 * number, 5.0 * number, True, TRAINING)
        shown.show.messages.put([point("test", 10, 0.7 + number / 10, 9), progress])
    shown.take()
    assert "best test accuracy 0.9000" in shown.status()
    assert "iteration 500 of 1,000 · 50 iterations/s · 0:10 left" in shown.status()


def test_a_pen_that_rests_is_asked_about_too(shown):
    shown.press("d")
    shown.mouse("button_press_event", shown.picture.pad.sheet_panel.axes, SIDE / 2, SIDE / 2, LEFT)
    assert shown.take(after=0.1) == []
    assert [type(reply) for reply in shown.take(after=0.2)] == [Question]
    assert shown.take(after=0.3) == []


def test_ten_frames_are_drawn_in_a_second_and_fewer_where_they_take_long(shown):
    def frames_in_a_second(seconds):
        with shown.drawing_takes(seconds, "update") as frames:
            begun = shown.now
            while shown.now < begun + 1:
                shown.take(Progress(len(frames), shown.now, False, TRAINING), after=0.01)
        return len(frames)

    assert frames_in_a_second(0) in (9, 10, 11)
    assert frames_in_a_second(0.005) in (4, 5, 6)  # 1 / 40 of the time
    assert frames_in_a_second(0.1) in (2, 3, 4)


@pytest.mark.parametrize(
    "last, stays",
    [(End(FINISHED), False), (End("stopped: ValueError"), True), (Progress(5, 1.0, False, TRAINING), False)],
)
def test_the_window_stays_without_the_program_where_it_says_why_that_ended(last, stays, shown):
    stream = io.BytesIO(pickle.dumps([point("test", 1, 0.5, 1), last]))
    shown.show.receive(stream)
    received = [shown.show.messages.get() for _ in range(shown.show.messages.qsize())]
    assert received[0][-1] == last and received[1:] == ([] if stays else [[Close()]])


@pytest.mark.parametrize("state, lets_go", [(FINISHED, []), ("stopped: ValueError", [1, 2])])
def test_a_window_that_stays_alone_lets_go_of_the_terminal(state, lets_go, shown, monkeypatch):
    let_go = []
    monkeypatch.setattr(window.os, "dup2", lambda nowhere, descriptor: let_go.append(descriptor))
    assert shown.take(End(state)) == [Stays()]
    assert let_go == lets_go and state.lower() in shown.status()


def test_a_window_that_is_closed_says_so_and_ends_its_process(shown, monkeypatch):
    ended = []
    monkeypatch.setattr(window.os, "_exit", ended.append)
    shown.canvas.callbacks.process("close_event", None)
    shown.take(Close())
    assert [type(reply) for reply in shown.replies[-2:]] == [Closed, Closed] and ended == [0, 0]
