"""What the mouse draws on the pad, and what of it the network is asked."""

import re

import numpy as np
import pytest
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from ink import as_mnist
from made_up_run import RUN, STATUS
from pads import BARS, ONE, SHEET, ZERO, draw, picture_with_pad
from visu.channel import Answer, Layer, Patch, PatchQuestion, Question
from visu.drawing.pad import ERASER, PEN, SIDE, Pad, PadPanels, Sheet
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
    assert 2 <= 28 * 2 * PEN / SIDE <= 3 and ERASER == 2 * PEN


def test_a_press_without_a_move_makes_a_dot():
    sheet = Sheet()
    draw(sheet, [(0.5, 0.5)])
    assert abs((sheet.pixels < 128).sum() / (np.pi * PEN**2) - 1) < 0.03


@pytest.mark.parametrize("erases", [False, True])
@pytest.mark.parametrize("begin, end", [((100, 60), (300, 181.5)), ((3, 440.25), (3, 440.25)), ((447, 99), (500, -90))])
def test_each_pixel_of_a_line_is_as_grey_as_its_distance_from_the_line_says(begin, end, erases):
    sheet, radius = Sheet(), ERASER if erases else PEN
    if erases:
        sheet.pixels = np.zeros_like(sheet.pixels)
    sheet.put_pen(begin, erases)
    sheet.move_pen(end)
    some = np.arange(0, SIDE, 3)  # with the first and the last
    x, y = np.meshgrid(some + 0.5, some + 0.5)  # the middle of a pixel
    along = np.linspace(begin, end, 200)
    distances = np.min([np.hypot(x - place_x, y - place_y) for place_x, place_y in along], axis=0)
    line = 255 * np.clip(radius + 0.5 - distances, 0, 1)
    assert abs(sheet.pixels[np.ix_(some, some)] - (line if erases else 255 - line)).max() < 6


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


def test_a_corner_is_rounded_as_soon_as_the_next_place_is_known():
    for places, shade in (([(0.2, 0.7), (0.5, 0.1)], 0), ([(0.2, 0.7), (0.5, 0.1), (0.8, 0.7)], 255)):
        sheet = Sheet()
        draw(sheet, places)
        assert pixel(sheet, 0.5, 0.1) == shade


def test_what_was_drawn_can_be_rubbed_out_and_several_strokes_make_one_digit():
    sheet = Sheet()
    draw(sheet, ONE, [(0.2, 0.5), (0.8, 0.5)])
    assert pixel(sheet, 0.5, 0.2) == pixel(sheet, 0.2, 0.5) == 0
    draw(sheet, [(0.5, 0.1), (0.5, 0.3)], erases=True)
    assert pixel(sheet, 0.5, 0.2) == 255 and pixel(sheet, 0.2, 0.5) == 0
    draw(sheet, [(0.5, 0.1), (0.5, 0.3)])
    assert pixel(sheet, 0.5, 0.2) == 0
    sheet.clear()
    assert (sheet.pixels == 255).all()


def test_a_sheet_that_is_cleared_while_the_pen_is_down_stays_empty():
    sheet = Sheet()
    sheet.put_pen((100, 100))
    sheet.clear()
    assert not sheet.pen_is_down and (sheet.pixels == 255).all()


def test_a_stroke_may_leave_the_sheet():
    sheet = Sheet()
    draw(sheet, [(0.5, 0.5), (3, 0.5), (3, -2), (0.5, -1), (0.5, 0.4)])
    assert pixel(sheet, 0.99, 0.5) == pixel(sheet, 0.5, 0.1) == 0


# -- questions


def test_a_digit_is_asked_about_as_often_as_it_changes(pad, questions):
    pad.look()
    for change in (pad.centre_or_not, lambda: pad.show_layers(True), lambda: pad.show_layers(False), pad.clear) * 2:
        change()
    assert questions == []  # there is no digit
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


def test_less_than_a_tenth_of_ink_is_no_digit(pad, questions):
    for ink in (0.12, 0.08, 0.12):
        pad.put(np.full([28, 28], ink, np.float32))
        assert (questions[-1].image is None) == (ink < 0.1)


def test_an_answer_to_the_digit_before_is_not_shown_for_one_that_is_put_on_the_pad(pad, questions):
    draw(pad.sheet, ONE)
    pad.look()
    pad.show_answer(Answer(questions[0].number, np.eye(10)[1]))
    pad.put(np.eye(28, dtype=np.float32))
    assert pad.probabilities is None
    pad.show_answer(Answer(questions[0].number, np.eye(10)[1]))
    assert pad.probabilities is None
    pad.show_answer(Answer(questions[-1].number, np.eye(10)[8]))
    assert pad.probabilities.argmax() == 8


@pytest.mark.parametrize("shows_layers", [False, True])
def test_a_note_stands_until_something_is_drawn(shows_layers, pad):
    pad.show_layers(shows_layers)
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
    ink = 1 - pad.sheet.pixels / 255
    assert abs(drawn - ink.reshape(28, 16, 28, 16).mean(axis=(1, 3))).max() <= 1 / 255
    assert centred.dtype == drawn.dtype == np.float32
    assert (centred == as_mnist(ink)).all() and (again == centred).all()
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


def pad_with_layers(questions, *shapes):
    """A pad with a digit that is read, and layers of these shapes."""
    pad = Pad(questions.append)
    pad.show_layers(True)
    draw(pad.sheet, ZERO)
    pad.look()
    pad.show_answer(Answer(pad.number, np.eye(10)[0], layers_of(*shapes)))
    return pad


def layers_of(*shapes):
    return [Layer(np.ones(shape, np.float32), shape[-1]) for shape in shapes]


def test_what_is_pointed_at_is_asked_for_once_for_each_digit_and_each_place(questions):
    pad = pad_with_layers(questions, (5,))
    asked = []
    for change in (
        lambda: pad.point_at((0, 3)),
        lambda: pad.point_at((0, 3)),
        lambda: draw(pad.sheet, ONE),
        lambda: pad.point_at((0, 4)),
        lambda: pad.point_at(None),
        lambda: pad.point_at((0, 4)),
        pad.clear,
    ):
        questions.clear()
        change()
        pad.look()
        pad.ask_for_patch()
        asked.append([question.place for question in questions if isinstance(question, PatchQuestion)])
        if asked[-1]:
            assert (questions[-1].number, questions[-1].image is pad.image) == (pad.number, True)
            assert pad.patch is None
            pad.show_patch(Patch(pad.number, pad.pointed, None, True))
        assert (pad.patch is None) == (pad.pointed is None)
    assert asked == [[(0, 3)], [], [(0, 3)], [(0, 4)], [], [(0, 4)], []]


@pytest.mark.parametrize(
    "place, shape, is_there",
    [
        ((0, 4), (5,), True),
        ((0, 4), (4,), False),
        ((1, 0), (5,), False),
        ((0, 1, 2, 3), (2, 3, 4), True),
        ((0, 1, 3, 3), (2, 3, 4), False),
        ((0, 1), (2, 3, 4), False),
    ],
)
def test_a_value_that_the_layers_no_longer_have_is_not_pointed_at(place, shape, is_there, questions):
    pad = pad_with_layers(questions, (9, 9, 9), (9,))
    pad.point_at(place)
    pad.show_patch(Patch(pad.number, place, None, True))
    pad.show_answer(Answer(pad.number, np.eye(10)[0], layers_of(shape)))
    assert (pad.pointed, pad.patch is not None) == ((place, True) if is_there else (None, False))


def test_layers_that_come_or_go_take_the_place_that_was_pointed_at_with_them(questions):
    pad = pad_with_layers(questions, (5,))
    for is_shown in (False, True):
        pad.point_at((0, 3))
        pad.show_patch(Patch(pad.number, (0, 3), None, True))
        pad.show_layers(is_shown)
        assert pad.layers is pad.pointed is pad.patch is None
        assert questions[-1] == Question(pad.number, pad.image, is_shown)


def test_when_nobody_reads_any_longer_nothing_is_shown_that_was_read_and_the_hints_say_so(questions):
    pad = pad_with_layers(questions, (5,))
    pad.point_at((0, 3))
    pad.show_patch(Patch(pad.number, (0, 3), None, True))
    draw(pad.sheet, ONE)
    pad.look()
    assert not pad.is_answered
    pad.stop()
    assert pad.is_answered  # there is nothing to wait for
    assert pad.probabilities is pad.layers is pad.pointed is pad.patch is None
    assert pad.hints() == "The program does not wait for this window:\nit reads no more digits.\n"


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


def test_each_panel_is_drawn_again_once_for_all_that_it_shows(pad):
    picture = picture_with_pad(pad)
    picture.show_pad(True, True)
    sheet, seen, answer, layers, lens = picture.pad.panels

    def changed():
        return [panel for panel in picture.pad.panels if panel.update()]

    def show_answer():
        pad.show_answer(Answer(pad.number, np.eye(10)[1], layers_of((5,))))

    def draw_one():
        draw(pad.sheet, ONE)
        pad.look()

    changed()
    for change, expected in (
        (lambda: setattr(pad, "note", "No such digit."), [sheet]),
        (lambda: pad.show_layers(True), [sheet]),
        (draw_one, [sheet, seen]),
        (show_answer, [answer, layers]),
        (lambda: setattr(pad, "has_own_scales", True), [sheet, layers, lens]),
        (lambda: pad.point_at((0, 3)), [lens]),
        (lambda: pad.show_patch(Patch(pad.number, (0, 3), np.ones([28, 28]), True)), [seen, lens]),
        (show_answer, [answer, layers, lens]),
        (lambda: (show_answer(), picture.redraw_pad(with_layers=False)), [layers, lens]),
        (pad.clear, [sheet, seen, answer, layers, lens]),
    ):
        change()
        assert changed() == expected
        assert changed() == []


def test_letters_grow_with_the_window_and_those_of_the_bars_are_no_higher_than_these(pad):
    def sizes(size, key):
        picture = picture_with_pad(pad, size, key)
        sheet, _, answer = picture.pad.panels[:3]
        texts = [sheet.axes.title, sheet.axes.xaxis.label, answer.best, *answer.axes.get_yticklabels()]
        bar = answer.axes.bbox.height / 10 * 72 / picture.figure.dpi  # points
        assert len(texts) == 13 and texts[3].get_fontsize() == answer.best.get_fontsize() <= 0.75 * bar + 1e-6
        return np.array([text.get_fontsize() for text in texts])

    usual, large = sizes((1344, 756), "0"), sizes((1344, 756), "3")
    assert usual.round(1).tolist() == [15, 11] + [10.9] * 11
    assert large.round(1).tolist() == [15, 8.2] + [15] * 11  # a large sheet leaves less room below it
    assert sizes((2688, 1512), "0") == pytest.approx(2 * usual)


def test_the_tool_bar_zooms_into_what_is_drawn_and_seen_alone_and_does_not_write_down_where_the_pen_is(pad):
    panels = picture_with_pad(pad).pad.panels
    assert [panel.axes.get_navigate() for panel in panels] == [True, True, False, False, False]
    assert panels[SHEET].axes.format_coord(100, 200) == ""


@pytest.mark.parametrize("size", [(1344, 756), (3840, 2160)])
def test_what_is_drawn_bit_by_bit_looks_as_if_drawn_at_once(size, pad):
    picture = picture_with_pad(pad, size, "3")
    panel = picture.pad.panels[SHEET]
    panel.axes.set_xlim(100, 400)  # zoomed
    panel.axes.set_ylim(400, 100)
    picture.figure.canvas.draw()
    for stroke in (ZERO, ONE, [(0.6, 0.5), (0.7, 0.5)]):
        pad.note = "No such digit."  # which the stroke takes away
        picture.redraw_pad()
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
    colours = [bar.get_facecolor() for bar in answer.bars]
    assert len(set(colours)) == 2 and colours.count(colours[1]) == 1 and sum(colours[1][:3]) < sum(colours[0][:3])
    answer.draw_on_canvas()
    column, row = answer.axes.transData.transform([1.06, 1]).astype(int)  # right of the bar
    beside = np.array(picture.figure.canvas.buffer_rgba())[::-1][row - 4 : row + 4, column : column + 20]
    assert beside.min() < 100
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
