"""Inside the network: what is handed over of the layers, how it is drawn, and digits that are put on the pad."""

import re
import threading
import time
from unittest.mock import Mock

import numpy as np
import pytest

from pads import picture_with_pad
from visu.channel import Answer, Layer, Patch, PatchQuestion, Question
from visu.drawing.layers import (
    FRAME,
    OUTLINE,
    PAPER,
    Grid,
    as_many_as_fit,
    chosen_grids,
    coloured,
    packed,
)
from visu.drawing.pad import Pad
from visu.drawing.window import WindowShow
from visu.reading import Reader

SHAPES = {  # of the layers of stages
    "1.0": [(28, 28, 10)],
    "2.0": [(200,), (100,), (60,), (30,)],
    "3.1": [(28, 28, 6), (14, 14, 12), (7, 7, 24), (200,)],
    "4.0": [(26, 26, 24), (24, 24, 24), (12, 12, 32), (10, 10, 64), (8, 8, 64), (4, 4, 64), (200,)],
}
SEVEN = np.eye(10)[[7]]


def reader(read_digits):
    """A Reader, and the list of what it tells."""
    told = []
    return Reader(read_digits, told.append), told


# -- what the script hands over


def test_layers_are_handed_on_only_where_somebody_looks_at_them():
    maps, cells = np.arange(2 * 3 * 4.0).reshape(1, 2, 3, 4), np.arange(5.0)[np.newaxis]
    each, told = reader(lambda images: [SEVEN, maps, cells])
    for wanted in (False, True):
        each.ask(Question(1, np.zeros([28, 28]), wanted))
        answer = each.answer()
        assert answer.values.argmax() == 7
        if wanted:
            assert [layer.values.tolist() for layer in answer.layers] == [maps[0].tolist(), cells[0].tolist()]
            assert [layer.channels for layer in answer.layers] == [4, 5]
        else:
            assert answer.layers is None
    assert told == []


@pytest.mark.parametrize("returned", [SEVEN, SEVEN.tolist(), [SEVEN], (SEVEN,)])
def test_probabilities_alone_are_read_as_ever(returned):
    each, told = reader(lambda images: returned)
    each.ask(Question(1, np.zeros([28, 28]), True))
    answer = each.answer()
    assert (answer.values.argmax(), answer.layers, told) == (7, [], [])


@pytest.mark.parametrize(
    "layer, sentence",
    [
        (np.zeros([2, 5]), r"layer 2 of what it returned is an array, float64 \[2, 5\] for 1 image, expected maps"),
        (np.zeros([1, 5, 5]), r"layer 2 of what it returned is an array, float64 \[1, 5, 5\]"),
        (np.zeros([1, 0]), "layer 2 of what it returned is an array"),
        ("maps", "layer 2 of what it returned is 'maps'"),
        (None, "layer 2 of what it returned is None"),
    ],
)
def test_a_layer_of_a_wrong_shape_is_named_once(layer, sentence):
    each, told = reader(lambda images: [SEVEN, np.zeros([1, 3]), layer])
    for number, wanted, layers in ((7, True, []), (8, False, None), (9, True, [])):
        each.ask(Question(number, np.zeros([28, 28]), wanted))
        assert each.answer() == Answer(number, None, layers)
    (told,) = told
    assert re.search(f"^read_digits can't read what is drawn: {sentence}", told)
    assert told.endswith(" for 1 image, expected maps [n, rows, columns, channels] or cells [n, neurons].")


def test_when_the_pad_is_empty_again_there_is_nothing_to_read():
    each, told = reader(lambda images: SEVEN)
    each.ask(Question(3, np.zeros([28, 28])))
    assert [each.answer().number, each.answer(once_more=True).number, each.answer()] == [3, 3, None]
    each.ask(Question(4, None))
    assert [each.answer(), each.answer(once_more=True)] == [None, None] and told == []


def test_ctrl_c_while_a_digit_is_read_stops_the_training():
    def read(images):
        raise KeyboardInterrupt

    each, told = reader(read)
    each.ask(Question(1, np.zeros([28, 28])))
    with pytest.raises(KeyboardInterrupt):
        each.answer()
    assert told == []


def test_of_several_trainings_one_at_a_time_reads_digits():
    inside, most = [], []

    def read(images):
        inside.append(images)
        most.append(len(inside))
        time.sleep(0.02)
        inside.pop()
        return SEVEN

    readers = [reader(read)[0] for _ in range(3)]
    threads = [threading.Thread(target=each.answer) for each in readers]
    for each, thread in zip(readers, threads):
        each.ask(Question(1, np.zeros([28, 28])))
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1, 1, 1]


def test_of_a_huge_layer_no_more_is_handed_on_than_a_window_can_show_and_one_map_of_it_at_least():
    huge = [np.zeros(shape, np.float32) for shape in ([1, 100, 100, 2000], [1, 600, 600, 2], [1, 300000])]
    each, _ = reader(lambda images: [SEVEN, *huge])
    each.ask(Question(1, np.zeros([28, 28]), True))
    many, large, cells = each.answer().layers
    assert 1 << 19 < many.values.nbytes <= 1 << 20 and many.channels == 2000
    assert large.values.shape == (600, 600, 1) and large.channels == 2
    assert 1 << 19 < cells.values.nbytes <= 1 << 20 and cells.channels == 300000


# -- which pixels a value depends on


FILTER = np.random.RandomState(1).normal(0.5, 1, [3, 3])


def convolution(images, bias):
    """A convolution of 3 x 3 without padding, stride 2, and a relu: two channels, the second is never above 0."""
    images = images[..., 0]
    sums = sum(FILTER[i, j] * images[:, i : i + 25 : 2, j : j + 25 : 2] for i in range(3) for j in range(3))
    sums = sums + 1e-6 * np.sin(1000 * images.sum(axis=(1, 2), keepdims=True))  # as rounding differs with the image
    return [SEVEN.repeat(len(images), axis=0), np.stack([np.maximum(sums + bias, 0), np.minimum(sums, 0) * 0], axis=3)]


@pytest.mark.parametrize("bias, is_of_drawn", [(100, True), (0, True), (-0.5, False)])
def test_the_patch_of_a_value_and_the_filter_that_made_it_are_found_by_asking_the_network(bias, is_of_drawn):
    each, told = reader(lambda images: convolution(images, bias))
    each.ask_for_patch(PatchQuestion(1, np.zeros([28, 28], np.float32), (0, 4, 9, 0)))
    np.random.seed(0)
    next_number = np.random.rand()
    np.random.seed(0)
    patch = each.patch()
    assert (patch.number, patch.place, told) == (1, (0, 4, 9, 0), [])
    assert np.random.rand() == next_number  # what the script draws later is what it would have drawn
    assert patch.is_of_drawn == is_of_drawn  # in an empty image a relu with this bias is silent, and noise wakes it
    expected = np.zeros([28, 28])
    expected[8:11, 18:21] = FILTER if bias else np.maximum(FILTER, 0)  # less than 0 has no effect in that relu
    assert np.allclose(patch.changes, expected, atol=0.01)
    assert ((patch.changes != 0) == (expected != 0)).all()
    assert each.patch() is None  # it was asked once


def test_the_line_that_is_told_is_one_of_the_script():
    def look(images):
        return np.stack([])  # which raises in a file of NumPy

    each, told = reader(lambda images: look(images))
    each.ask(Question(1, np.zeros([28, 28], np.float32)))
    each.answer()
    line = look.__code__.co_firstlineno + 1
    assert len(told) == 1 and f"{__file__}, line {line}: ValueError: " in told[0]


def test_what_no_pixel_changes_is_said_to_have_no_patch():
    each, _ = reader(lambda images: convolution(images, 1))
    each.ask_for_patch(PatchQuestion(1, np.zeros([28, 28], np.float32), (0, 4, 9, 1)))
    assert each.patch() == Patch(1, (0, 4, 9, 1), None, True)


# -- how it is shown


def test_blue_is_above_0_red_below_and_white_is_0():
    low, zero, high, none = coloured(np.array([-2.0, 0, 2, np.nan]), 2).tolist()
    assert high[2] > high[0] + 80 and low[0] > low[2] + 80 and zero == [255, 255, 255]
    assert none[0] == none[1] == none[2] < 255
    assert (coloured(np.zeros([3, 3]), 0) == 255).all()
    steps = coloured(np.linspace(0, 1, 50), 1)[:, 0].astype(int)
    assert (np.diff(steps) <= 0).all() and steps[0] - steps[-1] > 150  # more is darker


def random_layers(shapes):
    random = np.random.RandomState(0)
    return [Layer(np.float32(random.normal(size=shape)), shape[-1]) for shape in shapes]


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("stage", SHAPES)
def test_maps_and_cells_are_as_large_as_fits(stage, times):
    layers = random_layers(SHAPES[stage])
    width, height = 870 * times, 600 * times
    grids = chosen_grids(tuple(SHAPES[stage]), width, height, times)
    assert sum(grid.height for grid in grids) <= height and max(grid.width for grid in grids) <= width + grids[0].gap
    for layer, grid in zip(layers, grids):
        least = {28: 4, 14: 4, 12: 2, 7: 5, 4: 3}.get(layer.values.shape[0] if layer.values.ndim == 3 else 0, 1)
        assert grid.scale >= (least if layer.values.ndim == 3 else 6) * times
        places = {grid.place(number) for number in range(grid.number)}
        assert len(places) == grid.number == layer.channels


@pytest.mark.parametrize("times", [1, 2])
def test_few_maps_and_cells_are_no_larger_than_is_good_to_look_at(times):
    grids = chosen_grids(((28, 28, 1), (23, 10, 2), (2,)), 870 * times, 600 * times, times)
    assert [grid.scale for grid in grids] == [8 * times, 10 * times, 30 * times]


def test_a_place_is_found_where_it_is_painted_and_none_between_and_beside_the_maps():
    grid = Grid(5, 2, 3, 5, 7, 2, 4)  # 3 on the first line, 2 on the second
    tiles = np.zeros([5, 2, 3, 3], np.uint8)
    tiles[..., 0] = np.arange(30).reshape(5, 2, 3)
    painted = {pixel: number for number, pixel in enumerate(packed(tiles).ravel().tolist())}
    picture = np.full([grid.height + 30, grid.width + 30], PAPER)
    picture[: grid.height, : grid.width] = grid.paint(tiles)
    for (y, x), pixel in np.ndenumerate(picture):
        place = np.unravel_index(painted[pixel], [5, 2, 3]) if pixel in painted else None
        assert grid.find(x + 0.5, y + 0.5) == place
    assert grid.find(-10, 5) is grid.find(5, -10) is None


def test_maps_of_small_pixels_are_enlarged_before_cells_that_are_large_already():
    maps, cells = chosen_grids(((28, 28, 8), (200,)), 870, 400, 1)
    assert (maps.scale, cells.scale) == (5, 19)  # and not 3, 30


def test_full_lines_of_maps_are_preferred():
    (grid,) = chosen_grids(((8, 8, 64),), 870, 150, 1)
    assert (grid.lines, grid.per_line) == (4, 16)  # and not 22, 22 and 20, as large as these


def test_white_maps_and_cells_have_a_frame_unless_they_are_very_small():
    for side, scale, has_frame in ((2, 1, True), (1, 5, True), (1, 4, False)):
        grid = Grid(3, side, side, 2, 0, 1, scale)
        painted = grid.paint(np.full([3, side, side, 3], 255, np.uint8))
        assert (painted == FRAME).any() == has_frame


@pytest.mark.parametrize("shape", [(4, 4, 2000), (10000,), (900, 900, 3), (28, 28, 500)])
def test_of_too_many_as_many_are_shown_as_fit(shape):
    layers = random_layers([shape])
    (shown,) = as_many_as_fit(layers, 870, 600, 1)
    (grid,) = chosen_grids((shown.values.shape,), 870, 600, 1)
    assert grid.height <= 600 and grid.width <= 875 and 0 < shown.values.shape[-1] <= shape[-1]


def test_several_layers_of_too_many_maps_share_the_height():
    shown = as_many_as_fit(random_layers([(9, 9, 2000)] * 3), 870, 600, 1)
    assert sum(grid.height for grid in chosen_grids(tuple(layer.values.shape for layer in shown), 870, 600, 1)) <= 600


def picture_with_layers(shapes, image=None):
    questions = []
    pad = Pad(questions.append)
    picture = picture_with_pad(pad)
    pad.put(np.eye(28, dtype=np.float32) if image is None else image)
    picture.show_pad(True, True)
    pad.show_layers(True)
    pad.show_answer(Answer(pad.number, SEVEN[0], random_layers(shapes)))
    picture.update(["", ""])
    return picture, pad, questions


def pixels_of(picture):
    picture.figure.canvas.draw()
    return np.array(picture.figure.canvas.buffer_rgba())[..., :3].astype(int)


class Event:
    def __init__(self, x, y):
        self.x, self.y = x, y


def values_on_screen(picture, layer):
    """Of each third pixel in each third row that is of a value of a layer: {its place: the colours}."""
    panel = picture.pad.layers_panel
    left, first = panel.corner()
    pixels = pixels_of(picture)[::-1]
    found = {}
    top, grid = panel.rows[layer]
    for y in range(top, min(top + grid.height, panel.height), 3):
        for x in range(0, panel.width, 3):
            place = panel.find(Event(left + x + 0.5, first - y - 0.5))
            if place:
                found.setdefault(place, []).append(tuple(pixels[first - y - 1, left + x]))
    return found


def written(panel):
    """What it writes, as it paints what it shows: each text, and where it is, x and y."""
    texts, write = [], panel.write

    def noted(x, y, text, **options):
        texts.append((text, x, y))
        write(x, y, text, **options)

    panel.write = noted
    before = panel.pixels
    panel.shown = None
    panel.update()
    panel.write = write
    assert (panel.pixels == before).all()
    return texts


def texts_of(panel):
    return [text for text, _, _ in written(panel)]


@pytest.mark.parametrize("shapes, layer", [([(28, 28, 6), (14, 14, 12), (5, 9, 24), (200,)], 2), ([(60,), (31,)], 1)])
def test_each_value_is_where_it_is_pointed_at_in_its_colour(shapes, layer):
    picture, pad, _ = picture_with_layers(shapes)
    values = pad.layers[layer].values
    colours = coloured(values, np.abs(values).max())
    found = values_on_screen(picture, layer)
    assert len(found) == values.size
    for (number, *indices), seen in found.items():
        assert number == layer
        middle = seen[len(seen) // 2]  # the first and last rows may be of a frame
        assert middle == tuple(colours[tuple(indices)].astype(int))


def test_a_dead_neuron_is_white_and_each_map_may_have_a_scale_of_its_own():
    picture, pad, _ = picture_with_layers([(7, 7, 3)])
    values = np.zeros([7, 7, 3], np.float32)
    values[2, 3, 1], values[2, 3, 2] = 10, 1
    pad.show_answer(Answer(pad.number, SEVEN[0], [Layer(values, 3)]))
    colours = []
    for pad.has_own_scales in (False, True):
        picture.update(["", ""])
        found = values_on_screen(picture, 0)
        assert {colour for place, seen in found.items() if place[3] == 0 for colour in seen[1:-1]} <= {(255,) * 3}
        colours.append([found[0, 2, 3, channel][20] for channel in (1, 2)])
    (strong, weak), (own_strong, own) = colours
    assert strong == own_strong == own and weak[0] > strong[0] + 100
    assert texts_of(picture.pad.layers_panel) == ["layer 1:  7 x 7, 3 channels", "each to its own largest value"]


def test_neurons_have_one_scale_and_it_is_said_also_where_each_map_has_its_own():
    picture, pad, _ = picture_with_layers([(7, 9, 3), (5,)])
    pad.has_own_scales = True
    picture.update(["", ""])
    _, scale, _, largest = texts_of(picture.pad.layers_panel)
    assert scale == "each to its own largest value"
    assert largest == f"largest value {np.abs(pad.layers[1].values).max():.3g}"


def test_what_a_layer_has_and_how_much_of_it_is_shown_is_said():
    picture, pad, _ = picture_with_layers([(14, 14, 5000), (30,)])
    pad.layers[0].values[0, 0, -1] = 9.5  # counts, also where it is not shown
    pad.show_answer(Answer(pad.number, SEVEN[0], pad.layers[:]))
    picture.update(["", ""])
    title, largest, cells, _ = texts_of(picture.pad.layers_panel)
    _, grid = picture.pad.layers_panel.rows[0]
    assert title == f"layer 1:  14 x 14, 5,000 channels, {grid.number:,} of 5,000 shown" and grid.number < 5000
    assert largest == "largest value 9.5"
    assert cells == "layer 2:  30 neurons"


def test_without_a_digit_and_without_layers_a_sentence_says_what_is_missing():
    picture, pad, _ = picture_with_layers([])
    nothing = "The function that reads hands over no layers: docs/interface.md says how."
    assert texts_of(picture.pad.layers_panel) == [nothing]
    pad.clear()
    picture.update(["", ""])
    assert texts_of(picture.pad.layers_panel) == ["Draw a digit: here is what each layer makes of it."]


def test_of_maps_rows_come_first_and_of_neurons_too_it_is_said_how_many_are_shown():
    picture, pad, _ = picture_with_layers([(5, 9, 3)])
    values = pad.layers[0].values
    values[4, 8, 2], values[0, 0, 0] = np.nan, -7.5
    neurons = Layer(np.float32([3, -1]), 4000)  # of which no more were handed over
    pad.show_answer(Answer(pad.number, SEVEN[0], [Layer(values, 3), neurons]))
    picture.update(["", ""])
    texts = texts_of(picture.pad.layers_panel)
    assert texts[:2] == ["layer 1:  5 x 9, 3 channels", "largest value 7.5"]
    assert texts[2:] == ["layer 2:  4,000 neurons, 2 of 4,000 shown", "largest value 3"]


def test_below_the_middle_of_each_of_ten_maps_is_its_digit_and_the_sum_of_its_values():
    picture, pad, _ = picture_with_layers([(28, 28, 10), (10,)])
    panel, sums = picture.pad.layers_panel, pad.layers[0].values.sum(axis=(0, 1))
    title, largest, *labels, cells, largest_cell = written(panel)
    assert [text for text, _, _ in labels] == [f"{digit}: {value:+.2f}" for digit, value in enumerate(sums)]
    assert sums.min() < 0 and cells[0] == "layer 2:  10 neurons"  # which have no labels
    (_, grid), (left, first) = panel.rows[0], panel.corner()
    half = 14 * grid.scale
    for digit, (_, x, y) in enumerate(labels):
        _, row, column, channel = panel.find(Event(left + x, first - (y - grid.label / 2 - half)))
        assert channel == digit and row in (13, 14) and column in (13, 14)
        top, bottom, begin, end = (int(place) for place in (y - grid.label / 2, y + grid.label / 2, x - half, x + half))
        rows, columns = np.nonzero(panel.pixels[top:bottom, begin:end] != PAPER)
        assert abs((columns.min() + columns.max()) / 2 - half) < 4 and 0 < rows.min() < rows.max() < grid.label - 1


def test_in_a_window_of_twice_the_size_layers_are_painted_anew_and_twice_as_large():
    picture, pad, _ = picture_with_layers([(28, 28, 10), (10,)])
    panels = [picture.pad.layers_panel, picture.pad.lens_panel]

    def sizes():
        (_, maps), (_, cells) = panels[0].rows
        letters = np.flatnonzero((panels[1].pixels != PAPER).any(axis=1))
        found = [maps.gap, maps.label, maps.scale, cells.gap, cells.scale, np.ptp(letters)]
        return np.array([*found, *(size for panel in panels for size in panel.pixels.shape)])

    before, figure = sizes(), picture.figure
    figure.set_size_inches(*2 * figure.get_size_inches())
    picture.fit_to_size()
    picture.update(["", ""])
    assert (abs(sizes() / before / 2 - 1) < 0.06).all()


@pytest.mark.parametrize("size", [(1344, 756), (2688, 1512), (700, 850), (1400, 500)])
def test_pad_layers_and_lens_share_the_window_without_overlaps(size):
    pad = Pad(print)
    picture = picture_with_pad(pad, size)
    picture.show_pad(True, True)
    extents = [part.extent() for part in picture.visible_parts()]
    assert sum(extent.width * extent.height for extent in extents) == size[0] * size[1]
    picture.show_layout("0")
    assert not picture.layers_are_up and not picture.pad.layers_panel.is_visible()


def test_what_is_pointed_at_is_asked_for_once_and_shown_large_with_its_patch():
    picture, pad, questions = picture_with_layers([(7, 7, 3), (5,)])
    pad.point_at((0, 2, 3, 1))
    pad.ask_for_patch()
    pad.ask_for_patch()
    assert [question.place for question in questions if isinstance(question, PatchQuestion)] == [(0, 2, 3, 1)]
    changes = np.zeros([28, 28], np.float32)
    changes[5:9, 10:12] = 1
    pad.show_patch(Patch(pad.number, (0, 2, 3, 2), changes, True))  # of what was pointed at before
    assert pad.patch is None
    pad.show_patch(Patch(pad.number, (0, 2, 3, 1), changes, True))
    picture.update(["", ""])
    seen = picture.pad.panels[1]
    assert (seen.frame.get_xy(), seen.frame.get_width(), seen.frame.get_height()) == ((80, 40), 16, 32)
    value, lens = pad.layers[0].values[2, 3, 1], picture.pad.lens_panel
    assert texts_of(lens) == [f"layer 1, channel 2\n{value:.3g} in row 3, column 4", "what more ink adds,\nup to 1"]
    values = pad.layers[0].values
    shades = coloured(values, np.abs(values).max()).reshape(-1, 3, 3)  # [places, channels, of a colour]
    pointed, *others = ({tuple(colour) for colour in shades[:, channel].tolist()} for channel in (1, 0, 2))
    seen = {tuple(colour) for colour in lens.pixels.view(np.uint8).reshape(-1, 4)[:, :3].tolist()}
    assert pointed <= seen and not any(other <= seen for other in others)


def test_the_lens_frames_what_is_pointed_at():
    picture, pad, _ = picture_with_layers([(7, 9, 3)])
    centres = []
    for place in ((0, 2, 5, 1), (0, 2, 1, 1), (0, 6, 5, 1)):
        pad.point_at(place)
        picture.update(["", ""])
        dark = picture.pad.lens_panel.pixels == OUTLINE
        lines = [np.flatnonzero(dark.sum(axis=axis) > 20) for axis in (0, 1)]  # letters have less of that colour
        centres.append([line[[0, -1]].mean() for line in lines])
    (x, y), (left, same_y), (same_x, below) = centres
    assert (same_x, same_y) == (x, y) and below > y and x - left == pytest.approx(below - y)  # four places each


def test_a_value_that_no_pixel_changes_has_no_frame():
    picture, pad, _ = picture_with_layers([(7, 7, 3)])
    pad.point_at((0, 2, 3, 1))
    seen = picture.pad.panels[1]
    for changes, is_framed in ((np.ones([28, 28], np.float32), True), (None, False)):
        pad.show_patch(Patch(pad.number, (0, 2, 3, 1), changes, True))
        picture.update(["", ""])
        assert seen.frame.get_visible() == is_framed
    assert texts_of(picture.pad.lens_panel)[1] == "no pixel changes it"


def test_the_lens_says_how_much_a_little_more_ink_changes_up_or_down_and_whether_that_is_in_noise():
    picture, pad, _ = picture_with_layers([(7, 9, 3)])
    pad.layers[0].values[2, 8, 1] = 0.25
    hint = "Point at a value of a layer:\nits map is shown here, large, and\nwhich pixels of the digit it depends on."
    assert texts_of(picture.pad.lens_panel) == [hint]
    pad.point_at((0, 2, 8, 1))
    changes = np.linspace(-4, 2, 784).reshape(28, 28)
    for is_of_drawn, where in ((True, ""), (False, "\n(in noise: here it is silent)")):
        pad.show_patch(Patch(pad.number, (0, 2, 8, 1), changes, is_of_drawn))
        picture.update(["", ""])
        texts = texts_of(picture.pad.lens_panel)
        assert texts == ["layer 1, channel 2\n0.25 in row 3, column 9", f"what more ink adds,\nup to 4{where}"]
    panel = picture.pad.lens_panel
    patch = panel.pixels[3 * panel.line :, panel.width // 2 :]
    red, half, blue = packed(coloured(np.array([-4, 2, 4]), 4))  # the strongest red, and a blue of half its strength
    assert (patch == red).any() and (patch == half).any() and not (patch == blue).any()


def test_the_lens_takes_another_scale_with_the_maps():
    picture, pad, _ = picture_with_layers([(7, 7, 3)])
    pad.layers[0].values[..., 1] *= 0.1
    pad.point_at((0, 2, 3, 1))
    picture.update(["", ""])
    before = picture.pad.lens_panel.pixels
    pad.has_own_scales = True
    picture.update(["", ""])
    assert (picture.pad.lens_panel.pixels != before).mean() > 0.05


def test_a_map_in_the_lens_is_there_as_a_whole_with_room_beside_it_and_a_large_one_is_not_made_smaller():
    picture, pad, _ = picture_with_layers([(7, 9, 3), (9, 7, 3), (300, 20, 1)])
    picture.figure.set_size_inches(20, 7)  # much wider than high
    picture.fit_to_size()
    lens = picture.pad.lens_panel

    def framed():
        picture.update(["", ""])
        rows, columns = np.nonzero(lens.pixels[3 * lens.line :] == FRAME)
        return np.ptp(rows) - 1, np.ptp(columns) - 1

    for layer, rows, columns in ((0, 7, 9), (1, 9, 7)):
        pad.point_at((layer, 3, 3, 1))
        height, width = framed()
        assert height / rows == width / columns > 5 and width < lens.width / 2
    pad.point_at((2, 3, 3, 0))
    assert framed()[1] == 20


def test_a_neuron_is_named_and_shown_large_in_its_colour():
    picture, pad, _ = picture_with_layers([(7, 7, 3), (5,)])
    pad.point_at((1, 3))
    picture.update(["", ""])
    value, lens = pad.layers[1].values[3], picture.pad.lens_panel
    assert texts_of(lens)[0] == f"layer 2, neuron 4\n{value:.3g}"
    colour = coloured(np.array([value]), np.abs(pad.layers[1].values).max())[0].astype(int)
    large = lens.pixels.view(np.uint8).reshape(*lens.pixels.shape, 4)[..., :3]
    assert (large == colour).all(axis=2).sum() > 1000


def test_one_of_ten_maps_is_named_by_its_digit_as_below_the_maps():
    picture, pad, _ = picture_with_layers([(7, 7, 10)])
    pad.point_at((0, 2, 3, 1))
    picture.update(["", ""])
    assert texts_of(picture.pad.lens_panel)[0].startswith("layer 1, the map of 1\n")


def test_no_ink_times_a_negative_weight_is_0_and_not_minus_0():
    picture, pad, _ = picture_with_layers([(7, 7, 10)])
    pad.layers[0].values[2, 3, 1] = -0.0
    pad.point_at((0, 2, 3, 1))
    picture.update(["", ""])
    assert texts_of(picture.pad.lens_panel)[0].endswith("\n0 in row 3, column 4")


def test_layers_are_asked_for_while_they_are_shown_and_no_longer():
    _, pad, questions = picture_with_layers([(5,)])
    assert questions[-1].layers
    pad.show_layers(False)
    assert not questions[-1].layers and pad.layers is None
    pad.show_answer(Answer(pad.number, SEVEN[0], random_layers([(5,)])))
    assert pad.layers is None  # one that comes late


def test_as_soon_as_the_window_hides_the_layers_nobody_asks_for_them():
    picture, pad, questions = picture_with_layers([(5,)])
    window = Mock(pad=pad, picture=picture)
    for is_shown in (True, False, True):
        picture.show_pad(True, is_shown)
        WindowShow.adapt_to_pad(window)
        assert questions[-1].layers == is_shown


# -- digits that are put on the pad


def test_a_digit_that_is_put_on_the_pad_is_read_as_it_is_and_then_with_what_the_pen_changes():
    questions = []
    pad = Pad(questions.append)
    image = np.random.RandomState(0).randint(0, 256, [28, 28]).astype(np.float32) * np.float32(1 / 255)
    image[0, 0] = 0
    pad.put(image)
    assert questions[-1].image.tobytes() == image.tobytes()
    pad.sheet.put_pen((8, 8))  # the middle of the first pixel
    pad.look()
    changed = questions[-1].image
    assert changed[0, 0] == 1 and np.abs(changed[3:, 3:] - image[3:, 3:]).max() < 1e-6
    pad.clear()
    assert questions[-1].image is None
