"""What the mouse draws on the pad, and what of it the network is asked."""

import re

import numpy as np
import pytest
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from made_up_run import RUN, STATUS
from pads import BARS, ONE, SHEET, ZERO, draw, picture_with_pad
from visu.channel import Answer, Layer, Patch
from visu.drawing.pad import PEN, SIDE, Pad, PadPanels, Sheet
from visu.drawing.picture import Picture
from visu.record import Record


def pixel(sheet, x, y):
    return sheet.pixels[int(SIDE * y), int(SIDE * x)]


@pytest.fixture
def questions():
    return []


@pytest.fixture
def pad(questions):
    return Pad(questions.append)


# -- strokes


def test_a_line_is_as_wide_as_those_of_mnist_everywhere():
    sheet = Sheet()
    draw(sheet, [(0.2, 0.3), (0.8, 0.3), (0.8, 0.9)])
    for line in (sheet.pixels[:, SIDE // 3], sheet.pixels[int(0.7 * SIDE)]):
        assert abs((255 - line.astype(float)).sum() / 255 - 2 * PEN) < 1.5
    assert 2 <= 28 * 2 * PEN / SIDE <= 3


def test_a_press_without_a_move_makes_a_dot():
    sheet = Sheet()
    draw(sheet, [(0.5, 0.5)])
    assert abs((sheet.pixels < 128).sum() / (np.pi * PEN**2) - 1) < 0.03


def test_between_few_places_of_the_mouse_a_stroke_goes_in_curves():
    sheet = Sheet()
    turns = np.linspace(0, 2 * np.pi, 13)
    draw(sheet, np.column_stack([0.5 + 0.3 * np.cos(turns), 0.5 + 0.3 * np.sin(turns)]))
    rows, columns = np.nonzero(sheet.pixels < 128)
    distances = np.hypot(rows + 0.5 - SIDE / 2, columns + 0.5 - SIDE / 2)
    assert abs(distances - 0.3 * SIDE).max() < PEN + 0.012 * SIDE  # a polygon of 12 sides is 0.010 off at each
    for turn in np.linspace(0, 2 * np.pi, 100):
        assert pixel(sheet, 0.5 + 0.295 * np.cos(turn), 0.5 + 0.295 * np.sin(turn)) == 0


def test_the_end_of_a_stroke_is_where_the_mouse_is():
    sheet = Sheet()
    sheet.put_pen((100, 100))
    for place in ((200, 100), (200, 300), (50, 300)):
        sheet.move_pen(place)
        assert sheet.pixels[place[1], place[0]] == 0


def test_what_was_drawn_can_be_rubbed_out_and_several_strokes_make_one_digit():
    sheet = Sheet()
    draw(sheet, ONE, [(0.2, 0.5), (0.8, 0.5)])
    assert pixel(sheet, 0.5, 0.2) == pixel(sheet, 0.2, 0.5) == 0
    draw(sheet, [(0.5, 0.1), (0.5, 0.3)], erases=True)
    assert pixel(sheet, 0.5, 0.2) == 255 and pixel(sheet, 0.2, 0.5) == 0
    sheet.clear()
    assert (sheet.pixels == 255).all()


def test_a_stroke_may_leave_the_sheet():
    sheet = Sheet()
    draw(sheet, [(0.5, 0.5), (3, 0.5), (3, -2), (0.5, -1), (0.5, 0.4)])
    assert pixel(sheet, 0.99, 0.5) == pixel(sheet, 0.5, 0.1) == 0


# -- questions


def test_a_digit_is_asked_about_as_often_as_it_changes(pad, questions):
    pad.look()
    assert questions == []
    draw(pad.sheet, ONE)
    pad.look()
    pad.look()
    draw(pad.sheet, [(0.3, 0.9), (0.7, 0.9)])
    pad.look()
    (first, before, _), (second, after, _) = questions
    assert second == first + 1 and (before.dtype, before.shape) == (np.float32, (28, 28))
    assert after.sum() > before.sum()


def test_the_bars_follow_each_answer_and_the_layers_wait_for_that_to_the_newest_question(pad, questions):
    draw(pad.sheet, [(0.5, 0.1), (0.5, 0.9)])
    pad.look()
    draw(pad.sheet, [(0.3, 0.9), (0.7, 0.9)])
    pad.look()
    first, second = (question.number for question in questions)
    for number, digit, is_answered in ((first, 7, False), (second, 1, True)):
        pad.show_answer(Answer(number, np.eye(10)[digit]))
        assert (pad.probabilities.argmax(), pad.is_answered) == (digit, is_answered)
    pad.clear()
    assert pad.is_answered  # there is nothing to wait for


def test_a_note_stands_until_something_is_drawn(pad):
    pad.note = "No such digit."
    pad.look()
    assert pad.hints().endswith("No such digit.")
    draw(pad.sheet, ONE)
    pad.look()
    assert "No such digit." not in pad.hints()


@pytest.mark.parametrize("key", ["1", "6", "8"])
def test_where_the_panel_of_the_pad_is_hidden_all_six_are_shown_with_it(key, pad):
    picture = picture_with_pad(pad, key=key)
    assert picture.pad.sheet_panel.is_visible() and sum(panel.is_visible() for panel in picture.panels[:6]) == 5


def test_with_centring_it_is_asked_about_as_mnist_was_made_and_without_as_drawn(pad, questions):
    draw(pad.sheet, [(0.1, 0.1), (0.1, 0.35)])
    pad.look()
    pad.centre_or_not()
    pad.centre_or_not()
    centred, drawn, again = [question.image for question in questions]
    rows, columns = np.nonzero(centred > 0.5)
    assert rows.max() - rows.min() == 19 and abs(rows.mean() - 13.5) <= 1 and abs(columns.mean() - 13.5) <= 1
    rows, columns = np.nonzero(drawn > 0.5)
    assert rows.max() <= 11 and columns.max() <= 4
    assert (again == centred).all()
    assert "m: centre (on)" in pad.hints()


def test_a_digit_that_was_put_on_the_pad_is_centred_when_that_is_asked_for(pad, questions):
    image = np.zeros([28, 28], np.float32)
    image[1:21, 2:6] = 1
    pad.put(image)
    assert (questions[-1].image == image).all()
    pad.centre_or_not()
    rows, columns = np.nonzero(questions[-1].image > 0.5)
    assert abs(rows.mean() - 13.5) <= 1 and abs(columns.mean() - 13.5) <= 1
    pad.centre_or_not()
    assert (questions[-1].image == image).all()


def test_the_hints_say_what_is_on(pad):
    def switches():
        return dict(re.findall(r"(\w: [a-z ]+) \((on|off)\)", pad.hints()))

    assert switches() == {"m: centre": "on", "l: layers": "off"}
    pad.show_layers(True)
    assert switches() == {"m: centre": "on", "l: layers": "on", "s: own scales": "off"}
    pad.has_own_scales = True
    pad.centre_or_not()
    assert switches() == {"m: centre": "off", "l: layers": "on", "s: own scales": "on"}
    pad.show_layers(False)
    assert switches() == {"m: centre": "off", "l: layers": "off"}


@pytest.mark.parametrize("empty", ["clear", "rub out"])
def test_an_empty_sheet_is_no_digit_and_an_answer_that_comes_late_is_not_shown(empty, pad, questions):
    draw(pad.sheet, [(0.5, 0.5), (0.6, 0.5)])
    pad.look()
    number = questions[0].number
    pad.show_answer(Answer(number, np.eye(10)[3]))
    assert pad.probabilities.argmax() == 3
    if empty == "clear":
        pad.clear()
    else:
        draw(pad.sheet, [(0.5, 0.5), (0.6, 0.5)], erases=True)
        pad.look()
    assert questions[1] == (number + 1, None, False)
    pad.show_answer(Answer(number, np.eye(10)[3]))
    assert pad.probabilities is None
    draw(pad.sheet, ZERO)
    pad.look()
    pad.show_answer(Answer(number, np.eye(10)[3]))
    assert pad.probabilities is None
    pad.show_answer(Answer(questions[-1].number, np.eye(10)[0]))
    assert pad.probabilities.argmax() == 0


def test_with_the_digit_its_layers_and_its_patch_are_gone(pad):
    pad.show_layers(True)
    draw(pad.sheet, ZERO)
    pad.look()
    for _ in range(2):  # each change of the digit makes the patch one of the former
        pad.show_answer(Answer(pad.number, np.eye(10)[0], [Layer(np.ones([5], np.float32), 5)]))
        pad.point_at((0, 3))
        pad.show_patch(Patch(pad.number - 1, (0, 3), None, True))
        assert pad.patch is None
        pad.show_patch(Patch(pad.number, (0, 3), None, True))
        assert pad.patch is not None
        draw(pad.sheet, ONE)
        pad.look()
        assert pad.patch is None and pad.layers and pad.pointed == (0, 3)
    pad.clear()
    assert pad.layers is pad.pointed is pad.probabilities is None


# -- panels


@pytest.mark.parametrize("size", [(1344, 756), (3840, 2160), (700, 850), (1400, 500)])
@pytest.mark.parametrize("key", "039")
def test_the_three_stand_side_by_side_in_the_place_of_a_panel(key, size):
    picture = picture_with_pad(Pad(print), size, key)
    sheet, seen, answer = picture.pad.panels[:3]
    boxes = [panel.axes.get_position() for panel in picture.pad.panels[:3]]
    assert boxes[0].width * size[0] == pytest.approx(boxes[0].height * size[1])
    assert boxes[0].x1 < boxes[1].x0 == pytest.approx(boxes[2].x0) and boxes[2].y1 < boxes[1].y0
    assert boxes[0].y0 == pytest.approx(boxes[2].y0) and boxes[0].y1 == pytest.approx(boxes[1].y1)
    extents = [part.extent() for part in picture.visible_parts()]
    assert sum(extent.width * extent.height for extent in extents) == size[0] * size[1]  # no gaps, and no overlaps
    assert all((np.rint(extent.extents) == extent.extents).all() for extent in extents)
    renderer = picture.figure.canvas.get_renderer()
    hints, whole = sheet.axes.xaxis.label.get_window_extent(renderer), sheet.extent()
    assert whole.x0 <= hints.x0 and hints.x1 <= whole.x1 and whole.y0 <= hints.y0


@pytest.mark.parametrize("size", [(1344, 756), (3840, 2160)])
def test_what_is_drawn_bit_by_bit_looks_as_if_drawn_at_once(size, pad):
    picture = picture_with_pad(pad, size, "3")
    panel = picture.pad.panels[SHEET]
    panel.axes.set_xlim(100, 400)  # zoomed
    panel.axes.set_ylim(400, 100)
    picture.figure.canvas.draw()
    for stroke in (ZERO, ONE):
        pad.sheet.put_pen(SIDE * np.array(stroke[0]))
        for place in stroke[1:]:
            pad.sheet.move_pen(SIDE * np.array(place))
            pad.look()
            picture.redraw_pad()
    bit_by_bit = np.array(picture.figure.canvas.buffer_rgba()).astype(int)
    picture.figure.canvas.draw()
    at_once = np.array(picture.figure.canvas.buffer_rgba()).astype(int)
    assert abs(bit_by_bit - at_once).max() <= 1  # of 255
    assert (at_once < 128).any()


def test_the_bars_say_how_probable_each_digit_is(pad):
    picture = picture_with_pad(pad)
    answer = picture.pad.panels[BARS]
    assert [bar.get_width() for bar in answer.bars] == [0] * 10
    draw(pad.sheet, ONE)
    pad.look()
    probabilities = np.array([0, 0.7, 0, 0, 0.2, 0, 0, 0.1, 0, 0])
    pad.show_answer(Answer(1, probabilities))
    assert answer.update()
    assert [bar.get_width() for bar in answer.bars] == probabilities.tolist()
    assert (answer.best.get_text(), answer.best.get_position()[1]) == ("70 %", 1)
    assert len({bar.get_facecolor() for bar in answer.bars}) == 2
    pad.stop()
    assert answer.update() and answer.best.get_text() == ""


def test_where_no_pixels_can_be_remembered_all_is_drawn():
    """By back ends like TkCairo."""
    figure, drawn = Figure(), []
    FigureCanvasSVG(figure).draw = lambda: drawn.append(1)
    pad = Pad(print)
    picture = Picture(figure, RUN, Record(), lambda make_axes: PadPanels(make_axes, pad))
    picture.show_pad(True)
    picture.redraw(picture.update(STATUS))
    picture.redraw_pad()
    assert len(drawn) == 1  # on the pad, nothing is new
    draw(pad.sheet, ONE)
    picture.redraw_pad()
    assert len(drawn) == 2
