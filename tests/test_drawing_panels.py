"""What the panels show of a run."""

import warnings

import numpy as np
import pytest
from matplotlib.colors import to_hex, to_rgb

from made_up_run import RUN, STATUS, pixels, point
from visu.drawing.picture import file_picture
from visu.record import Bands, Picture, Record
from visu.style import BAND_COLOURS, TITLES, Style


def test_the_curves_show_what_was_recorded(picture, record):
    for panel, quantity in zip(picture.panels[:2], ("accuracy", "loss")):
        training, test = panel.foreground
        for line, curve in ((training, record.curves["training"]), (test, record.curves["test"])):
            assert np.column_stack(line.get_data()).tolist() == curve[quantity].values().tolist()
        assert test.get_linewidth() > training.get_linewidth()
    assert picture.panels[0].axes.get_ylim() == (0, 1)
    assert picture.panels[1].axes.get_ylim() == (0, 100)


def test_the_training_curve_is_thin_and_blue_and_the_test_curve_thick_and_red_in_the_legend_too(picture):
    for panel in picture.panels[:2]:
        training, test = panel.foreground
        samples, texts = panel.legend.get_lines(), [text.get_text() for text in panel.legend.get_texts()]
        assert texts == ["training", "test"]
        assert {to_hex(text.get_color()) for text in panel.legend.get_texts()} == {"#333333"}
        assert panel.legend.get_draggable()
        for line, sample, (strong, weak) in zip((training, test), samples, ((2, 0), (0, 2))):
            colour = to_rgb(line.get_color())
            assert colour[strong] > 2 * colour[weak] and to_rgb(sample.get_color()) == colour
            assert sample.get_linewidth() == line.get_linewidth()
        assert test.get_linewidth() > 2 * training.get_linewidth()


def test_titles_and_colours_of_the_bands_are_those_that_the_script_chose(record):
    titles = ["one", "two", "", "four", "five", "six"]
    picture = file_picture(RUN._replace(style=Style(titles, (5, 2), 70)), record)
    assert [panel.axes.get_title() for panel in picture.panels] == titles
    for panel, colour in zip(picture.panels[3:5], ("#00838f", "#c2188b")):
        assert {to_hex(polygon.get_facecolor()) for polygon in panel.foreground} == {colour}
    assert len(set(BAND_COLOURS)) == 7  # no two numbers mean the same


@pytest.mark.parametrize("begin", [0, 5000])  # where a former run ended
@pytest.mark.parametrize("curve", ["training", "test"])
def test_the_x_axes_grow_with_the_iterations_up_to_their_number(curve, begin):
    record = Record()
    picture = file_picture(RUN, record)
    for end, longest in ((0, 1), (200, 320), (640, 1000), (999, 1000), (1500, 2400)):
        record.add(point(curve, begin + end, 0.5, 50))
        picture.update(STATUS)
        for panel in picture.panels[:2]:
            left, right = panel.axes.get_xlim()
            assert left == begin and begin + end <= right <= begin + longest


def test_the_x_axes_grow_in_few_steps(picture, record):
    """As each new range costs a new drawing of all that stands around the curves."""
    ranges = set()
    for i in range(220, 2000, 20):
        record.add(point("training", i, 0.5, 50))
        picture.update(STATUS)
        ranges.add(picture.panels[0].axes.get_xlim())
    assert len(ranges) < 8


@pytest.mark.parametrize("begin, step", [(0, 0.01), (5000, 1), (-3, 0.5), (0, 0), (1e9, 1000)])
def test_the_x_axes_begin_at_the_first_x_and_fit_what_came_whatever_it_counts(begin, step):
    record = Record()
    picture = file_picture(RUN, record)
    for i in range(1000):
        x = begin + step * i
        record.add(point("training", x, 0.5, 50))
        record.add(Bands(x, np.arange(8), np.arange(8), None, None))
        if i in (0, 1, 2, 10, 100, 999):
            picture.update(STATUS)
            for panel in picture.panels[:2] + picture.panels[3:5]:
                left, right = panel.axes.get_xlim()
                assert left == begin and x <= right <= begin + (1.6 * (x - begin) or 1)


def test_the_bands_lie_between_the_boundaries(picture, record):
    for panel, name in zip(picture.panels[3:5], ("weights", "biases")):
        polygons = panel.foreground
        assert len(polygons) == 7
        for k, polygon in enumerate(polygons):
            corners = {(x, y) for x, y in polygon.get_xy()}
            for i, *boundaries in record.bands[name].values():
                assert {(i, boundaries[k]), (i, boundaries[k + 1])} <= corners
    alphas = [polygon.get_alpha() for polygon in polygons]
    assert alphas == sorted(alphas[:4]) + sorted(alphas[4:], reverse=True)
    low, high = picture.panels[3].axes.get_ylim()
    assert low < -2 and high > 2
    assert [panel.axes.get_title() for panel in picture.panels[3:5]] == ["4  Weights", "biases, renamed"]
    record.add(Bands(220, 9 * np.arange(8), np.arange(8) - 80, "", None))
    picture.update(STATUS)
    assert picture.panels[3].axes.get_ylim()[1] > 63 and picture.panels[4].axes.get_ylim()[0] < -80
    assert [panel.axes.get_title() for panel in picture.panels[3:5]] == ["", "biases, renamed"]


def test_small_bands_fill_their_panel():
    record = Record()
    picture = file_picture(RUN, record)
    for i in range(3):
        record.add(Bands(i, np.arange(8) / 1000, 0.5 + np.arange(8) / 1000, None, None))
        picture.update(STATUS)
        for panel, lowest in zip(picture.panels[3:5], (0, 0.5)):
            low, high = panel.axes.get_ylim()
            assert low < lowest and lowest + 0.007 < high and high - low < 0.02


@pytest.mark.parametrize("values", [(0, 1000), (-5, 0.1)])
def test_bands_of_equal_values_are_a_line_in_the_middle_of_their_panel(values):
    record = Record()
    picture = file_picture(RUN, record)
    for i in range(3):
        record.add(Bands(i, np.full(8, values[0]), np.full(8, values[1]), None, None))
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # matplotlib's, of an axis without a length
        picture.update(STATUS)
    picture.figure.canvas.draw()
    for panel, value in zip(picture.panels[3:5], values):
        low, high = panel.axes.get_ylim()
        assert (low + high) / 2 == pytest.approx(value) and 0 < high - low <= max(1, abs(value))
        x, y = panel.axes.transData.transform((1, value)).astype(int)
        assert np.ptp(pixels(picture)[::-1][y - 1 : y + 2, x].astype(int), axis=1).max() > 60  # and no grey


def test_a_gap_in_the_data_is_a_gap_in_the_picture(record, picture):
    for i, number in ((220, np.nan), (240, np.inf), (260, -np.inf)):
        record.add(point("training", i, 0.5, number))
        record.add(Bands(i, [*range(7), number], [0, number, *range(6)], None, None))
    record.add(point("training", 280, 0.5, 50))
    record.add(Bands(280, np.arange(8), np.arange(8), None, None))
    picture.update(STATUS)
    x, y = picture.panels[1].foreground[0].get_data()
    assert x[np.isnan(y)].tolist() == [220, 240, 260] and np.isfinite(y[[-1, 0]]).all()
    for panel in picture.panels[3:5]:
        for polygon in panel.foreground:
            assert set(polygon.get_xy()[:, 0]) == {*range(0, 201, 20), 280} and np.isfinite(polygon.get_xy()).all()


def test_the_scale_of_the_test_digits_runs_from_100_to_90_percent_for_any_size(picture, record):
    for height, width in ((700, 1120), (700, 1400), (70, 112), (140, 112)):
        record.add(Picture("test", 0, np.zeros([height, width, 3], np.uint8)))
        picture.update(STATUS)
        axes = picture.panels[5].axes
        marks = dict(zip([label.get_text() for label in axes.get_yticklabels()], axes.get_yticks()))
        assert (marks["100%"], marks["95%"], marks["90%"]) == (0, height / 2, height)
        assert (axes.get_xlim(), axes.get_ylim()) == ((0, width), (height, 0))


def test_in_a_small_window_the_scale_has_fewer_marks_whatever_the_dots_per_inch():
    record = Record()
    picture = file_picture(RUN._replace(style=Style(TITLES, (0, 1), 140)), record)
    for size, percent in (  # the first of them is there before there are digits
        ((9, 12), range(90, 101, 2)),
        ((19.2, 10.8), range(90, 101)),
        ((5, 3), (90, 95, 100)),
        ((2, 1.5), (90, 100)),
    ):
        picture.figure.set_size_inches(*size)
        picture.fit_to_size()
        if not record.pictures["test"]:
            record.add(Picture("test", 0, np.zeros([700, 1120, 3], np.uint8)))
            picture.update(STATUS)
        labels = picture.panels[5].axes.get_yticklabels()
        assert [label.get_text() for label in labels] == [f"{number}%" for number in percent]


def test_a_picture_of_digits_stands_as_it_came_and_a_zoom_cuts_it(picture, record):
    quarters = np.full([280, 280, 3], 255, np.uint8)
    quarters[:140, :140], quarters[:140, 140:], quarters[140:, :140] = (255, 0, 0), (0, 255, 0), (0, 0, 255)
    record.add(Picture("training", 0, quarters))
    picture.show_layout("3")
    picture.update(STATUS)
    picture.figure.canvas.draw()
    axes = picture.panels[2].axes

    def colour_at(x, y):
        column, row = (int(place) for place in axes.transAxes.transform([x, y]))
        return tuple(pixels(picture)[::-1][row, column])

    assert colour_at(0.2, 0.8) == (255, 0, 0) and colour_at(0.8, 0.8) == (0, 255, 0)
    assert colour_at(0.2, 0.2) == (0, 0, 255) and colour_at(0.8, 0.2) == (255, 255, 255)
    axes.set_xlim(130, 270)
    axes.set_ylim(150, 10)
    picture.figure.canvas.draw()
    assert colour_at(0.03, 0.8) == (255, 0, 0) and colour_at(0.2, 0.8) == (0, 255, 0)
    assert colour_at(0.03, 0.03) == (0, 0, 255) and colour_at(0.2, 0.03) == (255, 255, 255)


def test_a_zoomed_panel_keeps_its_view_until_the_zooms_are_reset(picture, record):
    accuracy, loss = picture.panels[0].axes, picture.panels[1].axes
    accuracy.set_xlim(50, 60)
    accuracy.set_ylim(0.9, 1)
    record.add(point("training", 800, 1, 1))
    picture.update(STATUS)
    assert accuracy.get_xlim() == (50, 60) and accuracy.get_ylim() == (0.9, 1)
    assert loss.get_xlim() == (0, 1000)
    bands, digits = picture.panels[3].axes, picture.panels[5].axes
    bands.set_xlim(0, 100)
    bands.set_ylim(-0.5, 0.5)
    biases = picture.panels[4].axes
    biases.set_ylim(0.2, 0.8)  # and the iterations go on
    digits.set_xlim(100, 200)
    digits.set_ylim(60, 30)
    record.add(Bands(900, 100 * np.arange(8), np.arange(8), None, None))
    record.add(Picture("test", 900, np.zeros([700, 1120, 3], np.uint8)))
    picture.update(STATUS)
    assert bands.get_xlim() == (0, 100) and bands.get_ylim() == (-0.5, 0.5)
    assert digits.get_xlim() == (100, 200) and digits.get_ylim() == (60, 30)
    assert biases.get_ylim() == (0.2, 0.8) and biases.get_xlim() == (0, 1000)
    picture.show_layout("2")
    picture.reset_zooms()  # of what is hidden, too
    picture.show_layout("0")
    picture.update(STATUS)
    assert accuracy.get_xlim() == (0, 1000) and accuracy.get_ylim() == (0, 1)
    assert bands.get_xlim() == (0, 1000) and bands.get_ylim()[1] > 700
    assert biases.get_ylim()[1] > 7
    assert digits.get_xlim() == (0, 1120) and digits.get_ylim() == (700, 0)


def test_what_a_zoom_leaves_out_is_drawn_nowhere(picture):
    outside = np.ones([756, 1344], bool)
    for panel in picture.panels:
        left, right = panel.axes.get_xlim()
        bottom, top = panel.axes.get_ylim()
        panel.axes.set_xlim(left + (right - left) / 4, right - (right - left) / 4)
        panel.axes.set_ylim(bottom + (top - bottom) / 4, top - (top - bottom) / 4)
        frame = panel.axes.get_window_extent()
        outside[756 - int(frame.y1) - 2 : 756 - int(frame.y0) + 2, int(frame.x0) - 2 : int(frame.x1) + 2] = False
    picture.figure.canvas.draw()
    coloured = np.ptp(pixels(picture).astype(int), axis=2) > 20  # letters and frames are grey
    assert coloured.any() and not coloured[outside].any()


def test_around_a_picture_of_digits_that_is_moved_or_made_small_there_is_paper(picture, record):
    record.add(Picture("training", 0, np.zeros([280, 140, 3], np.uint8)))
    picture.show_layout("3")
    picture.update(STATUS)
    axes = picture.panels[2].axes
    for (left, right), (bottom, top), expected in (
        ((-140, 280), (560, -280), [255, 255, 0, 255, 255]),  # a third as large
        ((70, 210), (140, -140), [0, 255, 0, 255, 255]),
        ((150, 290), (280, 0), [255, 255, 255, 255, 255]),  # not to be seen any longer
        ((0, 140), (900, 620), [255, 255, 255, 255, 255]),
    ):
        axes.set_xlim(left, right)
        axes.set_ylim(bottom, top)
        picture.figure.canvas.draw()
        places = axes.transAxes.transform([(0.2, 0.2), (0.2, 0.8), (0.45, 0.45), (0.8, 0.2), (0.8, 0.8)])
        assert [pixels(picture)[::-1][int(y), int(x), 0] for x, y in places] == expected
