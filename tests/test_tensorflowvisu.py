"""tensorflowvisu: pictures of digits, percentiles, the schedule, the recorded history, and the panels drawn from it."""

import os
import shutil
import subprocess

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
from matplotlib.figure import Figure

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


def test_a_misrecognised_digit_carries_its_correct_label_on_the_left_and_the_computed_one_on_the_right():
    shapes = [line.split() for line in tensorflowvisu.LABEL_SHAPES.split("\n")[1:8]]
    for correct, computed in ((2, 7), (9, 0)):
        tile = formatted(np.zeros([1, 28, 28, 1]), [computed], [correct], n=1, lines=1)
        for label, left, colour in ((correct, 1, tensorflowvisu.BLUE), (computed, 22, tensorflowvisu.DARK_RED)):
            seen = (tile[20:27, left : left + 5] == np.array(colour)).all(axis=-1)
            assert seen.tolist() == [[c == "#" for c in line[label]] for line in shapes]


def test_a_recognised_digit_is_its_image_in_black_on_white():
    images = np.random.RandomState(0).rand(4, 28, 28, 1)
    picture = formatted(images, [1, 2, 3, 4], [1, 2, 3, 4], n=4, lines=2)
    expected = 255 * (1 - images)
    for tile, image in zip(tiles_of(picture, 2, 2), expected):
        np.testing.assert_allclose(tile, np.repeat(image, 3, axis=-1), atol=1)


def test_a_thousand_digits_on_25_lines():
    labels = np.zeros(1000, int)
    assert formatted(np.zeros([1000, 28, 28, 1]), labels, labels, n=1000, lines=25).shape == (700, 1120, 3)


def test_fewer_images_than_asked_for_leave_the_rest_white():
    picture = formatted(np.ones([3, 28, 28, 1]), [0, 0, 0], [0, 0, 0])
    tiles = tiles_of(picture, 10, 10)
    assert (tiles[:3] == 0).all() and (tiles[3:] == 255).all()


def test_a_number_of_digits_that_does_not_fill_the_lines_is_refused():
    with pytest.raises(ValueError, match="n=100 images do not fill lines=7"):
        formatted(np.zeros([1, 28, 28, 1]), [0], [0], lines=7)


def test_flat_images_are_refused():
    with tf.Graph().as_default(), pytest.raises(ValueError, match=r"expected \[images, 28, 28, 1\]"):
        flat, labels = tf.zeros([100, 784]), tf.zeros([100, 10])
        tensorflowvisu.tf_format_mnist_images(flat, labels, labels)


# -- percentiles, schedule, history


@pytest.mark.parametrize("n", [1, 3, 7, 8, 700, 12345])
def test_each_bucket_holds_a_seventh_of_the_values(n):
    data = np.random.RandomState(n).normal(size=n).astype(np.float32)
    before = data.copy()
    boundaries = tensorflowvisu.probability_distribution(data)
    assert (data == before).all()
    assert boundaries.shape == (8,)
    assert (boundaries[0], boundaries[-1]) == (data.min(), data.max())
    assert (np.diff(boundaries) >= 0).all()
    for k, boundary in enumerate(boundaries):
        below, not_above = (data < boundary - 1e-6).sum(), (data <= boundary + 1e-6).sum()
        assert below <= k / 7 * (n - 1) + 1 and not_above >= k / 7 * (n - 1)


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

    def denied(stem, suffix):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(tensorflowvisu, "open_unused", denied)
    datavis = tensorflowvisu.MnistDataVis()
    with pytest.raises(SystemExit, match=r"can't be saved in .* \(Permission denied\): .* test accuracy was 0.75"):
        datavis.animate(lambda i, test, train: datavis.append_test_curves_data(i, 0.75, 1.0), 1)


@pytest.mark.skipif(not shutil.which("ffprobe"), reason="a test of the film needs the programs ffmpeg and ffprobe")
def test_a_film_has_a_frame_for_each_update(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    datavis = tensorflowvisu.MnistDataVis()
    datavis.animate(lambda i, test, train: datavis.append_test_curves_data(i, 0.5, 1.0), 30, 10, 20, save_movie=True)
    answer = subprocess.check_output(
        [
            "ffprobe",
            "-v",
            "error",
            "-count_frames",
            "-show_entries",
            "stream=codec_name,pix_fmt,r_frame_rate,nb_read_frames",
        ]
        + ["-of", "csv=p=0", "tensorflowvisu_video.mp4"],
        encoding="utf-8",
    )
    assert answer.strip() == "h264,yuv420p,24/1,4"  # iterations 0, 10, 20 and the last


def test_a_film_without_ffmpeg_says_what_to_install(monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(SystemExit, match="needs the program ffmpeg: install it"):
        tensorflowvisu.MnistDataVis().animate(lambda *arguments: None, 1, save_movie=True)


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


@pytest.fixture
def picture(history):
    picture = tensorflowvisu.Picture(Figure(figsize=tensorflowvisu.SIZE, dpi=70), STYLE, history)
    picture.update("status")
    return picture


def test_the_curves_show_what_was_recorded(picture, history):
    for panel, quantity in zip(picture.panels[:2], ("accuracy", "loss")):
        training, test = panel.axes.get_lines()
        assert list(training.get_xdata()) == history.training.x
        assert list(training.get_ydata()) == getattr(history.training, quantity)
        assert list(test.get_ydata()) == getattr(history.test, quantity)
        assert test.get_linewidth() > training.get_linewidth()
        assert panel.axes.get_xlim() == (0, 200)
    assert picture.panels[0].axes.get_ylim() == (0, 1)
    assert picture.panels[1].axes.get_ylim() == (0, 100)


def test_the_bands_lie_between_the_boundaries(picture, history):
    polygons = picture.panels[3].polygons
    assert len(polygons) == 7
    for k, polygon in enumerate(polygons):
        corners = {(x, y) for x, y in polygon.get_xy()}
        for i, boundaries in zip(history.weights.x, history.weights.boundaries):
            assert {(i, boundaries[k]), (i, boundaries[k + 1])} <= corners
    alphas = [polygon.get_alpha() for polygon in polygons]
    assert alphas == sorted(alphas[:4]) + sorted(alphas[4:], reverse=True)
    low, high = picture.panels[3].axes.get_ylim()
    assert low < -2 and high > 2
    assert [panel.axes.get_title() for panel in picture.panels[3:5]] == ["Weights", "biases, renamed"]


def test_the_scale_of_the_test_digits_runs_from_100_to_90_percent_for_any_size(picture, history):
    for height in (700, 70):
        history.set_test_digits(np.zeros([height, 1120, 3], np.uint8))
        picture.update("status")
        axes = picture.panels[5].axes
        marks = dict(zip([label.get_text() for label in axes.get_yticklabels()], axes.get_yticks()))
        assert (marks["100%"], marks["95%"], marks["90%"]) == (0, height / 2, height)


@pytest.mark.parametrize("size", [(19.2, 10.8), (6, 4), (10, 20)])
@pytest.mark.parametrize("key", sorted(tensorflowvisu.LAYOUTS))
def test_a_layout_shows_its_panels_and_nothing_overlaps(picture, key, size):
    picture.figure.set_size_inches(*size)
    picture.show_layout(key)
    picture.figure.canvas.draw()
    shown = {number for line in tensorflowvisu.LAYOUTS[key] for number in line}
    visible = {number for number, panel in enumerate(picture.panels, start=1) if panel.axes.get_visible()}
    assert visible == shown
    boxes = [picture.panels[number - 1].axes.get_position() for number in shown]
    for box in boxes:
        assert 0 < box.x0 < box.x1 < 1 and 0 < box.y0 < box.y1 < 1
        assert sum(box.overlaps(other) for other in boxes) == 1  # itself


def test_a_zoomed_panel_keeps_its_view_until_the_zooms_are_reset(picture, history):
    accuracy, loss = picture.panels[0].axes, picture.panels[1].axes
    accuracy.set_xlim(50, 60)
    accuracy.set_ylim(0.9, 1)
    history.add_training_point(400, 1, 1)
    picture.update("status")
    assert accuracy.get_xlim() == (50, 60) and accuracy.get_ylim() == (0.9, 1)
    assert loss.get_xlim() == (0, 400)
    picture.reset_zooms()
    picture.update("status")
    assert accuracy.get_xlim() == (0, 400) and accuracy.get_ylim() == (0, 1)


def test_every_key_of_the_window_has_a_method():
    for method in tensorflowvisu.WindowProcess.KEYS.values():
        assert callable(getattr(tensorflowvisu.WindowProcess, method))
