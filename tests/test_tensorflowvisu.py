"""tensorflowvisu: pictures of digits, percentiles, the schedule, the recorded history, and the panels drawn from it."""

import os

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

import tensorflowvisu

STYLE = tensorflowvisu.Style(tensorflowvisu.TITLES, (0, 1), 70, "test")


# -- pictures of digits


def formatted(images, computed, correct, **options):
    with tf.Graph().as_default(), tf.Session() as session:
        X = tf.placeholder(tf.float32, [None, 28, 28, 1])
        Y, Y_ = tf.placeholder(tf.float32, [None, 10]), tf.placeholder(tf.float32, [None, 10])
        picture = tensorflowvisu.tf_format_mnist_images(X, Y, Y_, **options)
        return session.run(picture, {X: images, Y: np.eye(10)[computed], Y_: np.eye(10)[correct]})


def tiles_of(picture, lines, columns):
    """The picture cut up again: uint8 [lines * columns, 28, 28, 3]."""
    return picture.reshape(lines, 28, columns, 28, 3).transpose(0, 2, 1, 3, 4).reshape(-1, 28, 28, 3)


@pytest.mark.tensorflow
def test_misrecognised_digits_come_first_on_red_and_recognised_ones_on_white():
    correct = np.arange(120) % 10
    computed = correct.copy()
    computed[[3, 50, 110]] = (correct[[3, 50, 110]] + 1) % 10
    images = np.zeros([120, 28, 28, 1])
    images[:, 10, 10, 0] = np.arange(120) / 120  # a mark to know each image by
    picture = formatted(images, computed, correct)
    assert picture.shape == (280, 280, 3) and picture.dtype == np.uint8
    tiles = tiles_of(picture, 10, 10)
    ink = 1 - tiles[:, 10, 10, 0] / tensorflowvisu.WHITE[0]  # the red channel is full on white and on red
    expected_order = [3, 50, 110] + [i for i in range(120) if i not in (3, 50, 110)][:97]
    np.testing.assert_allclose(ink * 120, expected_order, atol=0.5)
    assert (tiles[:3, 5, 5] == np.array(tensorflowvisu.RED)).all()
    assert (tiles[3:, 5, 5] == 255).all()


@pytest.mark.tensorflow
def test_a_misrecognised_digit_carries_its_correct_label_on_the_left_and_the_computed_one_on_the_right():
    shapes = [line.split() for line in tensorflowvisu.LABEL_SHAPES.split("\n")[1:8]]
    for correct, computed in ((2, 7), (9, 0)):
        tile = formatted(np.zeros([1, 28, 28, 1]), [computed], [correct], n=1, lines=1)
        for label, left, colour in ((correct, 1, tensorflowvisu.BLUE), (computed, 22, tensorflowvisu.DARK_RED)):
            seen = (tile[20:27, left : left + 5] == np.array(colour)).all(axis=-1)
            assert seen.tolist() == [[c == "#" for c in line[label]] for line in shapes]


@pytest.mark.tensorflow
def test_a_recognised_digit_is_its_image_in_black_on_white():
    images = np.random.RandomState(0).rand(4, 28, 28, 1)
    picture = formatted(images, [1, 2, 3, 4], [1, 2, 3, 4], n=4, lines=2)
    expected = 255 * (1 - images)
    for tile, image in zip(tiles_of(picture, 2, 2), expected):
        np.testing.assert_allclose(tile, np.repeat(image, 3, axis=-1), atol=1)


@pytest.mark.tensorflow
def test_a_thousand_digits_on_25_lines():
    labels = np.zeros(1000, int)
    assert formatted(np.zeros([1000, 28, 28, 1]), labels, labels, n=1000, lines=25).shape == (700, 1120, 3)


@pytest.mark.tensorflow
def test_fewer_images_than_asked_for_leave_the_rest_white():
    picture = formatted(np.ones([3, 28, 28, 1]), [0, 0, 0], [0, 0, 0])
    tiles = tiles_of(picture, 10, 10)
    assert (tiles[:3] == 0).all() and (tiles[3:] == 255).all()


@pytest.mark.tensorflow
def test_a_number_of_digits_that_does_not_fill_the_lines_is_refused():
    with pytest.raises(ValueError, match="n=100 images do not fill lines=7"):
        formatted(np.zeros([1, 28, 28, 1]), [0], [0], lines=7)


@pytest.mark.tensorflow
def test_flat_images_are_refused():
    with tf.Graph().as_default(), pytest.raises(ValueError, match=r"expected \[images, 28, 28, 1\]"):
        flat, labels = tf.zeros([100, 784]), tf.zeros([100, 10])
        tensorflowvisu.tf_format_mnist_images(flat, labels, labels)


# -- percentiles, schedule, history


def oracle(data):
    """All values in order, and between neighbours linear interpolation."""
    ordered = np.sort(np.asarray(data, np.float64).ravel())
    return np.interp(np.linspace(0, ordered.size - 1, 8), np.arange(ordered.size), ordered)


RANDOM = np.random.RandomState(0)
VECTORS = {
    "normal": RANDOM.normal(0, 0.1, 250000).astype(np.float32),
    "of 64 bits": RANDOM.normal(0, 0.1, 12345),
    "far from zero": 1000 + RANDOM.rand(5000).astype(np.float32),
    "with an outlier": np.append(RANDOM.normal(size=999), 1e30),
    "a few different": RANDOM.randint(0, 3, 10000) / 10,
    "all the same": np.full(1000, 0.1, np.float32),
    "whole numbers": RANDOM.randint(-128, 128, 1000).astype(np.int8),
    "a matrix": RANDOM.normal(size=[28, 28]),
    "tiny": np.array([0, 5e-324, 1e-323]),
    "huge": np.array([-1.7e308, 1.7e308, 0]),
    "1 value": [2.5],
    "2 values": [2, 1],
    "3 values": [3.0, 1.0, 2.0],
    "7 values": RANDOM.rand(7),
    "8 values": RANDOM.rand(8),
}


@pytest.mark.parametrize("name", sorted(VECTORS))
def test_the_boundaries_are_exact(name):
    data = VECTORS[name]
    before = np.array(data)
    boundaries = tensorflowvisu.probability_distribution(data)
    assert boundaries.shape == (8,) and boundaries.dtype == np.float64
    np.testing.assert_allclose(boundaries, oracle(data), rtol=1e-6 if before.dtype == np.float32 else 1e-12)
    assert (boundaries[0], boundaries[-1]) == (before.min(), before.max())
    assert (np.diff(boundaries) >= 0).all()
    assert (np.array(data) == before).all()


def test_boundaries_of_infinite_values_are_infinite_and_without_a_number_are_none():
    boundaries = tensorflowvisu.probability_distribution([-np.inf, 1, 2, 3, 4, 5, 6, np.inf])
    assert list(boundaries) == [-np.inf, 1, 2, 3, 4, 5, 6, np.inf]
    assert np.isnan(tensorflowvisu.probability_distribution([1, np.nan, 3])).all()


@pytest.mark.parametrize("data", [[], "text", None, [[1], [1, 2]], [1 + 2j]])
def test_what_has_no_boundaries_is_named(data):
    with pytest.raises(ValueError, match=r"probability_distribution: data is .*, expected a vector of numbers"):
        tensorflowvisu.probability_distribution(data)


def test_the_schedule_ends_with_both_updates():
    steps = list(tensorflowvisu.schedule(251, 20, 100, True, False))
    assert [i for i, _, _ in steps] == list(range(251))
    assert [i for i, test, _ in steps if test] == [0, 100, 200, 250]
    assert [i for i, _, train in steps if train] == [*range(0, 251, 20), 250]


def test_the_first_test_can_be_left_out_and_early_tests_added():
    without_first = tensorflowvisu.schedule(201, 20, 100, False, False)
    assert [i for i, test, _ in without_first if test] == [100, 200]
    with_more = tensorflowvisu.schedule(201, 20, 100, True, True)
    assert [i for i, test, _ in with_more if test] == [0, 20, 40, 60, 80, 100, 200]


def test_two_instances_share_nothing():
    one, other = tensorflowvisu.MnistDataVis(), tensorflowvisu.MnistDataVis()
    one.append_test_curves_data(0, 0.5, 10.0)
    assert one.get_max_test_accuracy() == 0.5
    assert other.get_max_test_accuracy() == 0


def test_animate_calls_the_step_in_order_and_saves_a_picture(tmp_path, monkeypatch, capsys):
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "MPLBACKEND"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["somewhere/lesson.py"])
    calls = []
    datavis = tensorflowvisu.MnistDataVis()
    datavis.animate(lambda *arguments: calls.append(arguments), 5, 2, 4)
    assert calls == [(0, True, True), (1, False, False), (2, False, True), (3, False, False), (4, True, True)]
    first, last = capsys.readouterr().out.splitlines()
    assert first.startswith("No window: ") and last.endswith("lesson.png")
    assert (tmp_path / "lesson.png").read_bytes().startswith(b"\x89PNG")
    datavis.animate(lambda *arguments: None, 1)
    assert sorted(os.listdir(str(tmp_path))) == ["lesson.png", "lesson_2.png"]


def test_a_loss_that_is_not_a_number_does_not_end_the_training(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "agg")
    datavis = tensorflowvisu.MnistDataVis()
    broken = np.array([1, np.nan, np.inf])

    def step(i, update_test_data, update_train_data):
        datavis.append_training_curves_data(i, 0.1, np.nan if i else 1.0)
        datavis.append_data_histograms(i, broken if i else np.arange(3.0), np.array([-np.inf, 0, 1]))

    datavis.animate(step, 3, 1, 1)
    assert "saved as" in capsys.readouterr().out


def test_a_picture_that_cannot_be_saved_ends_the_program_with_its_reason_and_the_result(monkeypatch, capsys):
    monkeypatch.setenv("MPLBACKEND", "agg")
    monkeypatch.setattr("sys.argv", ["a" * 300 + ".py"])
    datavis = tensorflowvisu.MnistDataVis()
    with pytest.raises(SystemExit, match=r"can't be saved in .* \(File name too long\): .* test accuracy was 0.75"):
        datavis.animate(lambda i, test, train: datavis.append_test_curves_data(i, 0.75, 1.0), 1)


def test_a_back_end_that_cannot_be_loaded_is_named(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "nonsense")
    tensorflowvisu.MnistDataVis().animate(lambda *arguments: None, 1)
    assert "No window: " in capsys.readouterr().out.split("nonsense")[0]


def test_an_exception_in_the_step_reaches_the_caller(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "agg")

    def step(i, update_test_data, update_train_data):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        tensorflowvisu.MnistDataVis().animate(step, 10)


@pytest.mark.parametrize("name", ["iterations", "train_data_update_freq", "test_data_update_freq"])
@pytest.mark.parametrize("value", [0, -1, 1.5, "10", None])
def test_an_impossible_number_of_iterations_is_named(name, value):
    options = {"iterations": 10, name: value}
    with pytest.raises(ValueError, match=f"{name} is {value!r}, expected a whole number, 1 or more"):
        tensorflowvisu.MnistDataVis().animate(lambda *arguments: None, **options)


def test_a_colour_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match="colour 7, expected 0 to 6"):
        tensorflowvisu.MnistDataVis(histogram4colornum=7)


# -- what scripts pass in


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda d: d.append_training_curves_data(0, [1, 2], 3), "append_training_curves_data: accuracy is [1, 2], "),
        (lambda d: d.append_training_curves_data(0, 1, None), "append_training_curves_data: loss is None, "),
        (lambda d: d.append_test_curves_data("0", 1, 1), "append_test_curves_data: x is '0', expected one number"),
        (
            lambda d: d.append_data_histograms(0, [1.0], []),
            "append_data_histograms: datavect2 is [], expected a vector",
        ),
        (
            lambda d: d.append_data_histograms(0, "w", [1]),
            "append_data_histograms: datavect1 is 'w', expected a vector",
        ),
        (
            lambda d: d.update_image1(np.zeros([28, 28], np.uint8)),
            "update_image1: im is an array, uint8 [28, 28], expected a picture, uint8 [height, width, 3]",
        ),
        (
            lambda d: d.update_image2(np.zeros([28, 28, 3])),
            "update_image2: im is an array, float64 [28, 28, 3], expected a picture, uint8 [height, width, 3]",
        ),
    ],
)
def test_a_wrong_shape_or_type_gets_one_sentence_with_the_expected_one(call, message):
    with pytest.raises(ValueError) as error:
        call(tensorflowvisu.MnistDataVis())
    assert str(error.value).startswith(message) and "\n" not in str(error.value)


def test_numbers_of_all_kinds_are_numbers():
    datavis = tensorflowvisu.MnistDataVis()
    datavis.append_test_curves_data(np.int64(1), np.float32(0.5), np.array([2.0]))
    datavis.append_test_curves_data(2.0, np.array(0.75), 1)
    assert datavis.get_max_test_accuracy() == 0.75


# -- the history


def test_a_long_history_stays_small_and_keeps_its_ends_its_extremes_and_its_gaps():
    history = tensorflowvisu.History()
    loss = np.random.RandomState(0).rand(100001)
    loss[[31234, 71234]] = 5, -5
    loss[51234] = np.nan
    for i, value in enumerate(loss):
        history.add_training_point(10 * i, 0.5, value)
    curve = history.training["loss"].values()
    assert len(curve) < 2 * tensorflowvisu.CAPACITY
    assert curve[0, 0] < 1000000 / tensorflowvisu.CAPACITY and curve[-1, 0] == 1000000
    assert (np.diff(curve[:, 0]) > 0).all()
    for i in (31234, 71234):
        assert [10 * i, loss[i]] in curve.tolist()
    assert list(curve[np.isnan(curve[:, 1]), 0]) == [512340]
    assert np.isin(curve[:, 0] / 10, np.arange(100001)).all()


def test_a_long_history_of_bands_keeps_exact_ones_evenly():
    history = tensorflowvisu.History()
    for i in range(10000):
        history.add_distributions(i, i + np.arange(8), -i - np.arange(8), None, None)
    rows = history.weights.values()
    assert 100 < len(rows) < 2 * tensorflowvisu.CAPACITY
    assert (rows[:, 1:] == rows[:, :1] + np.arange(8)).all()
    assert rows[0, 0] == 0 and rows[-1, 0] == 9999
    steps = np.diff(rows[:, 0])
    assert steps.max() <= 3 * np.median(steps)


def test_a_short_history_is_kept_as_it_is():
    history = tensorflowvisu.History()
    for i in range(501):
        history.add_test_point(20 * i, i / 501, 501 - i)
    assert history.test["accuracy"].values().tolist() == [[20 * i, i / 501] for i in range(501)]


def test_the_pace_is_that_of_the_last_seconds():
    pace = tensorflowvisu.Pace(10000)
    assert pace.parts() == []
    for second in range(100):
        pace.set(100 * second, second)  # 100 iterations a second
    assert pace.parts() == ["100 iterations/s", "0:01 left"]
    for second in range(20):
        pace.set(9900 + second, 100 + second)  # and then 1
    assert pace.parts() == ["1.0 iterations/s", "1:21 left"]
    pace.set(10000, 121)
    assert pace.parts() == []


def test_the_status_line_says_how_far_and_how_well():
    history = tensorflowvisu.History()
    history.add_training_point(100, 0.9, 20, 0.00312)
    history.add_test_point(0, 0.1, 200, 1)
    history.add_test_point(100, 0.95, 20, 2)
    history.add_test_point(200, 0.94, 20, 3)

    def texts(*arguments):
        return [text.replace("\u00a0", " ") for text in tensorflowvisu.status_texts("lesson", history, *arguments)]

    left, right = texts(201, 10000, ["90 iterations/s", "1:48 left"])
    assert left == "lesson · epoch 3 · best test accuracy 0.9500"
    assert right == "iteration 201 of 10,000 · 90 iterations/s · 1:48 left · learning rate 0.00312"
    assert texts(201, 10000, [], "paused")[0].endswith(" · PAUSED")
    assert texts(201, 10000, [], "stopped: KeyError, see the terminal")[0].endswith(
        " · stopped: KeyError, see the terminal"
    )


# -- panels


@pytest.fixture
def history():
    history = tensorflowvisu.History()
    for i in range(0, 201, 20):
        history.add_training_point(i, i / 250, 90 - i / 4)
        history.add_distributions(i, np.linspace(-i, i, 8) / 100, np.linspace(0, 1, 8), None, "biases, renamed")
    for i in (0, 100, 200):
        history.add_test_point(i, i / 260, 95 - i / 4)
    history.set_training_digits(np.zeros([280, 280, 3], np.uint8))
    history.set_test_digits(np.zeros([700, 1120, 3], np.uint8))
    return history


ITERATIONS = 1000
STATUS = ["on the left", "on the right"]


@pytest.fixture
def picture(history):
    picture = tensorflowvisu.file_picture(STYLE, history, ITERATIONS)
    picture.update(STATUS)
    return picture


def pixels(picture):
    """What is on the canvas, uint8 [height, width, 3]."""
    return np.array(picture.figure.canvas.buffer_rgba())[..., :3]


def test_the_curves_show_what_was_recorded(picture, history):
    for panel, quantity in zip(picture.panels[:2], ("accuracy", "loss")):
        training, test = panel.moving
        for line, curve in ((training, history.training), (test, history.test)):
            assert np.column_stack(line.get_data()).tolist() == curve[quantity].values().tolist()
        assert test.get_linewidth() > training.get_linewidth()
    assert picture.panels[0].axes.get_ylim() == (0, 1)
    assert picture.panels[1].axes.get_ylim() == (0, 100)


def test_the_x_axes_grow_with_the_iterations_up_to_their_number(picture, history):
    for end, longest in ((200, 320), (640, 1000), (999, 1000), (1500, 2400)):
        history.add_training_point(end, 0.5, 50)
        picture.update(STATUS)
        left, right = picture.panels[0].axes.get_xlim()
        assert left == 0 and end <= right <= longest


def test_the_bands_lie_between_the_boundaries(picture, history):
    polygons = picture.panels[3].moving
    assert len(polygons) == 7
    for k, polygon in enumerate(polygons):
        corners = {(x, y) for x, y in polygon.get_xy()}
        for i, *boundaries in history.weights.values():
            assert {(i, boundaries[k]), (i, boundaries[k + 1])} <= corners
    alphas = [polygon.get_alpha() for polygon in polygons]
    assert alphas == sorted(alphas[:4]) + sorted(alphas[4:], reverse=True)
    low, high = picture.panels[3].axes.get_ylim()
    assert low < -2 and high > 2
    assert [panel.axes.get_title() for panel in picture.panels[3:5]] == ["Weights", "biases, renamed"]


def test_the_scale_of_the_test_digits_runs_from_100_to_90_percent_for_any_size(picture, history):
    for height, width in ((700, 1120), (70, 112)):
        history.set_test_digits(np.zeros([height, width, 3], np.uint8))
        picture.update(STATUS)
        axes = picture.panels[5].axes
        marks = dict(zip([label.get_text() for label in axes.get_yticklabels()], axes.get_yticks()))
        assert (marks["100%"], marks["95%"], marks["90%"]) == (0, height / 2, height)


def test_a_picture_of_digits_stands_as_it_came_and_a_zoom_cuts_it(picture, history):
    quarters = np.full([280, 280, 3], 255, np.uint8)
    quarters[:140, :140], quarters[:140, 140:], quarters[140:, :140] = (255, 0, 0), (0, 255, 0), (0, 0, 255)
    history.set_training_digits(quarters)
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


def texts_of(picture):
    """All texts that can be seen."""
    texts = [picture.status.left, picture.status.right]
    for panel in picture.panels:
        if panel.is_visible():
            axes = panel.axes
            texts.append(axes.title)
            for labels, (low, high) in (
                (axes.get_xticklabels(), sorted(axes.get_xlim())),
                (axes.get_yticklabels(), sorted(axes.get_ylim())),
            ):
                texts += [label for label in labels if low <= max(label.get_position(), key=abs) <= high]
            texts += axes.get_legend().get_texts() if axes.get_legend() else []
    return [text for text in texts if text.get_text()]


@pytest.mark.parametrize("size", [(19.2, 10.8), (54.9, 30.9), (6, 4), (10, 20), (24, 5)])
@pytest.mark.parametrize("key", sorted(tensorflowvisu.LAYOUTS))
def test_a_layout_shows_its_panels_and_nothing_overlaps_or_is_cut_off(picture, key, size):
    picture.figure.set_size_inches(*size)
    picture.fit_to_size()
    picture.show_layout(key)
    name = "mnist_2.2_five_layers_relu_lrdecay_dropout \u00b7 epoch 17 \u00b7 best test accuracy 0.9820 \u00b7 finished"
    pace = "iteration 10,000 of 10,000 \u00b7 1,000 iterations/s \u00b7 0:00:01 left \u00b7 learning rate 0.00012"
    picture.update([name, pace])
    picture.figure.canvas.draw()
    shown = {number for line in tensorflowvisu.LAYOUTS[key] for number in line}
    visible = {number for number, panel in enumerate(picture.panels, start=1) if panel.is_visible()}
    assert visible == shown
    frames = [picture.panels[number - 1].axes.get_position() for number in shown]
    for frame in frames:
        assert 0 < frame.x0 < frame.x1 < 1 and 0 < frame.y0 < frame.y1 < 1
        assert sum(frame.overlaps(other) for other in frames) == 1  # itself
    whole, boxes = picture.figure.bbox, [text.get_window_extent() for text in texts_of(picture)]
    for text, box in zip(texts_of(picture), boxes):
        assert whole.x0 <= box.x0 and box.x1 <= whole.x1 and whole.y0 <= box.y0 and box.y1 <= whole.y1, text
        assert sum(box.overlaps(other) for other in boxes) == 1, text


def test_what_is_redrawn_looks_like_what_is_drawn_anew(picture, history):
    """Backdrops and all: after new data, other layouts, a zoom and its reset."""
    picture.figure.canvas.draw()
    for key in "0160h0":
        if key == "h":
            picture.panels[5].axes.set_xlim(100, 200)
            picture.redraw(picture.update(STATUS))
            picture.reset_zooms()
        else:
            picture.show_layout(key)
        history.add_training_point(200, 0.7, 30)
        history.set_test_digits(np.full([700, 1120, 3], ord(key), np.uint8))
        picture.redraw(picture.update(["new", key]))
        redrawn = pixels(picture)
        for part in picture.parts:
            part.backdrops.clear()
        picture.figure.canvas.draw()
        assert (pixels(picture) == redrawn).all()


def test_only_what_changed_is_redrawn(picture, history):
    assert picture.update(STATUS) == []
    history.add_training_point(220, 0.7, 30)
    assert picture.update(STATUS) == picture.panels[:2]
    history.set_training_digits(history.training_digits.copy())
    assert picture.update(["on the left", "changed"]) == [picture.panels[2], picture.status]
    picture.show_layout("6")
    history.add_training_point(240, 0.7, 30)
    assert picture.update(STATUS) == [picture.panels[5], picture.status]


def test_a_zoomed_panel_keeps_its_view_until_the_zooms_are_reset(picture, history):
    accuracy, loss = picture.panels[0].axes, picture.panels[1].axes
    accuracy.set_xlim(50, 60)
    accuracy.set_ylim(0.9, 1)
    history.add_training_point(800, 1, 1)
    picture.update(STATUS)
    assert accuracy.get_xlim() == (50, 60) and accuracy.get_ylim() == (0.9, 1)
    assert loss.get_xlim() == (0, 1000)
    picture.reset_zooms()
    picture.update(STATUS)
    assert accuracy.get_xlim() == (0, 1000) and accuracy.get_ylim() == (0, 1)


def test_every_key_of_the_window_has_a_method():
    for method in tensorflowvisu.KEYS.values():
        assert callable(getattr(tensorflowvisu.WindowShow, method))
