"""What scripts call: the schedule, animate, and what is said of arguments that can't be."""

import os
from pathlib import Path

import numpy as np
import pytest

import tensorflowvisu
from visu.display import Display


def test_the_schedule_ends_with_both_updates():
    steps = list(tensorflowvisu.schedule(251, 20, 100, True, False))
    assert [i for i, _, _ in steps] == list(range(251))
    assert [i for i, test, _ in steps if test] == [0, 100, 200, 250]
    assert [i for i, _, train in steps if train] == [*range(0, 251, 20), 250]


def test_the_first_test_can_be_left_out_and_early_tests_added():
    without_first = tensorflowvisu.schedule(201, 30, 100, False, False)
    assert [i for i, test, _ in without_first if test] == [100, 200]
    for first in (True, False):
        with_more = tensorflowvisu.schedule(201, 30, 100, first, True)
        assert [i for i, test, _ in with_more if test] == [0] * first + [30, 60, 90, 100, 200]


def test_two_instances_share_nothing():
    one, other = tensorflowvisu.MnistDataVis(), tensorflowvisu.MnistDataVis()
    one.append_test_curves_data(0, 0.5, 10.0)
    assert one.get_max_test_accuracy() == 0.5
    assert other.get_max_test_accuracy() == 0


def test_animate_calls_the_step_in_order_and_saves_a_picture(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("MPLBACKEND", "agg")  # or a window would open where there is a screen
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


@pytest.mark.parametrize("loss", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("curve", ["training", "test"])
def test_a_loss_that_is_no_number_is_named_once(curve, loss, capsys):
    datavis = tensorflowvisu.MnistDataVis()
    for i in range(0, 500, 100):
        getattr(datavis, f"append_{curve}_curves_data")(i, 0.5, 100.0 if i < 200 else loss)
    datavis.append_test_curves_data(500, 0.5, loss)
    output, errors = capsys.readouterr()
    assert (output, errors.count("\n")) == ("", 1)
    assert errors.startswith(f"The {curve} loss is {loss} at iteration 200: use ")
    assert "softmax_cross_entropy_with_logits" in errors and "smaller learning rate" in errors


def test_an_accuracy_that_is_no_number_either_has_another_cause(capsys):
    tensorflowvisu.MnistDataVis().append_training_curves_data(0, np.nan, np.nan)
    assert capsys.readouterr().err == (
        "The training loss is nan at iteration 0: the accuracy is not a number either, as of a batch without images: "
        "look at what is fed. Training goes on.\n"
    )


@pytest.mark.parametrize("read_digits", ["seven", 7, 0, ""])
def test_what_is_no_function_is_refused_before_the_training(read_digits):
    expected = f"animate: read_digits is {read_digits!r}, expected a function, or None"
    with pytest.raises(ValueError, match=expected):
        tensorflowvisu.MnistDataVis().animate(lambda *arguments: None, 1, read_digits=read_digits)


@pytest.mark.parametrize(
    "arguments, name",
    [
        (["mnist_1.0_softmax.py"], "mnist_1.0_softmax"),
        (["somewhere/lesson.py", "more"], "lesson"),
        (["/usr/lib/ipykernel_launcher.py", "-f", "x.json"], "training"),
        (["/usr/lib/colab_kernel_launcher.py"], "training"),
        (["-c"], "training"),
        ([""], "training"),
    ],
)
def test_a_training_is_named_after_its_script_where_there_is_one(arguments, name, monkeypatch):
    monkeypatch.setattr("sys.argv", arguments)
    assert tensorflowvisu.name_of_script() == name


class SeenUntilClosed(Display):
    """Counts what it is told, and is closed after so many iterations."""

    def __init__(self, iterations):
        super().__init__()
        self.iterations, self.told, self.taken = iterations, [], []

    def take(self, addition):
        self.taken.append(addition)

    def show_progress(self, iterations, is_update):
        self.told.append((iterations, is_update))
        self.closed = iterations == self.iterations

    def end(self, state):
        self.told.append(state)


@pytest.fixture(params=[None, 2])
def display(request, monkeypatch):
    """A window that stays open, or one that is closed after two iterations."""
    display = SeenUntilClosed(request.param)
    monkeypatch.setattr(tensorflowvisu, "open_display", lambda *arguments: display)
    return display


def test_as_it_is_the_window_has_the_usual_titles_and_a_colour_for_each_panel(monkeypatch):
    opened = []
    monkeypatch.setattr(tensorflowvisu, "open_display", lambda *arguments: opened.append(arguments) or Display())
    tensorflowvisu.MnistDataVis().animate(lambda *step: None, 7)
    run, save_movie, read_digits = opened.pop()
    assert (run.iterations, run.style.dpi, save_movie, read_digits) == (7, 70, False, None)
    assert [title[:1] for title in run.style.titles] == list("123456")
    assert run.style.band_colours == [0, 1]
    datavis = tensorflowvisu.MnistDataVis(11, 12, "", 14, 15, 16, histogram5colornum=0)
    datavis.animate(lambda *step: None, 7, save_movie=Path("mine.mp4"), read_digits=np.eye)
    run, *others = opened.pop()
    assert (run.style.titles, run.style.band_colours) == (["11", "12", "", "14", "15", "16"], [0, 0])
    assert others == [Path("mine.mp4"), np.eye]


def test_the_steps_of_an_animation_can_be_taken_one_by_one_until_the_last_or_the_window_is_closed(display):
    taken = []
    with tensorflowvisu.MnistDataVis().animation(4, 2, 5) as steps:
        step = next(steps, None)
        while step:  # as something that calls back after each iteration
            taken.append(step)
            step = next(steps, None)
    steps = [(0, True, True), (1, False, False), (2, False, True), (3, True, True)]
    assert taken == steps[: display.iterations]
    assert display.told == [(1, True), (2, False), (3, True), (4, True)][: display.iterations] + ["finished"]


def test_a_window_that_is_closed_in_a_pause_ends_the_training_before_the_next_step(display, monkeypatch):
    monkeypatch.setattr(display, "wait_while_paused", lambda: setattr(display, "closed", True))
    with tensorflowvisu.MnistDataVis().animation(3) as steps:
        assert list(steps) == []
    assert display.told == ["finished"]


def test_what_is_recorded_outside_of_an_animation_is_not_shown_and_never_paused(display, monkeypatch):
    monkeypatch.setattr(display, "is_paused", lambda: True)
    datavis = tensorflowvisu.MnistDataVis()
    datavis.append_test_curves_data(0, 0.25, 3)
    with datavis.animation(1) as steps:
        for i, _, _ in steps:
            assert datavis.is_paused()
            datavis.append_test_curves_data(i, 0.5, 3)
    assert not datavis.is_paused()
    datavis.append_test_curves_data(1, 0.75, 3)
    assert [point.accuracy for point in display.taken] == [0.5]
    assert datavis.get_history()["test"].accuracy.tolist() == [0.25, 0.5, 0.75]


def test_what_could_not_be_saved_ends_the_program_when_it_has_trained_with_the_result(display):
    display.failure = "The film can't be saved"
    datavis = tensorflowvisu.MnistDataVis()
    for kind in (SystemExit, RuntimeError):  # for those who catch it
        with pytest.raises(kind, match="^The film can't be saved: the max test accuracy was 0.75$"):
            datavis.animate(lambda i, *updates: datavis.append_test_curves_data(i, 0.75, 3), 2)
    assert display.told.count("finished") == 2


def test_what_is_added_is_handed_on_with_each_value_in_its_place(display):
    datavis, images = tensorflowvisu.MnistDataVis(), np.random.RandomState(0).rand(2, 3, 28, 28, 1)
    pictures = np.random.RandomState(0).randint(0, 256, [2, 28, 84, 3]).astype(np.uint8)
    with datavis.animation(1) as steps:
        next(steps)
        datavis.append_data_histograms(3, np.arange(4), np.arange(5.0), title1=4, title2="")
        datavis.append_data_histograms(7, [1], [2.5], title1="weights of 7")
        datavis.update_image1(pictures[0], images[0])
        datavis.update_image2(pictures[1], images[1])
    first, second, *handed_on = display.taken
    assert (first.iteration, first.weights.tolist(), first.biases.tolist()) == (3, [0, 1, 2, 3], [0, 1, 2, 3, 4])
    assert (first.weights_title, first.biases_title) == ("4", "")
    assert (second.iteration, second.weights_title, second.biases_title) == (7, "weights of 7", None)
    for picture, curve, pixels, digits in zip(handed_on, ("training", "test"), pictures, images):
        assert (picture.curve, picture.iteration) == (curve, 0)  # there is no point of it yet
        assert (picture.pixels == pixels).all() and (picture.images == digits).all()


@pytest.mark.parametrize("error", [KeyError("mine"), SystemExit(3)])
def test_what_goes_wrong_in_the_loop_of_an_animation_is_told_and_reaches_the_caller(error, display):
    datavis = tensorflowvisu.MnistDataVis()
    with pytest.raises(type(error)) as raised, datavis.animation(3) as steps:
        for _ in steps:
            raise error
    assert raised.value is error
    assert display.told == [f"stopped: {type(error).__name__}, see the terminal"]


@pytest.mark.parametrize("in_a_cell", [False, True])  # of a notebook, and only that is stopped
def test_ctrl_c_closes_the_window_and_says_the_best_accuracy_with_status_130(in_a_cell, display, monkeypatch, capsys):
    closed = []
    monkeypatch.setattr(display, "close", lambda: closed.append("this"))
    monkeypatch.setattr(tensorflowvisu, "close_finished_windows", lambda: closed.append("those before"))
    monkeypatch.setattr(tensorflowvisu, "in_ipython", lambda: in_a_cell)
    display.failure = "The film can't be saved"  # which the window has told then
    datavis = tensorflowvisu.MnistDataVis()

    def train():
        with datavis.animation(3) as steps:
            for i, _, _ in steps:
                datavis.append_test_curves_data(i, 0.75, 1)
                raise KeyboardInterrupt

    if in_a_cell:
        train()
    else:
        with pytest.raises(SystemExit, match="130"):
            train()
    assert capsys.readouterr().out == "\nStopped by Ctrl-C. Max test accuracy so far: 0.75\n"
    assert (closed, display.told) == (["this", "those before"], [])


def test_ctrl_c_before_there_is_a_window_and_while_the_last_is_saved_is_one_too(display, monkeypatch, capsys):
    def interrupt(*arguments):
        raise KeyboardInterrupt

    datavis = tensorflowvisu.MnistDataVis()
    monkeypatch.setattr(display, "end", interrupt)
    with pytest.raises(SystemExit, match="130"):
        datavis.animate(lambda i, *updates: datavis.append_test_curves_data(i, 0.75, 1), 1)
    monkeypatch.setattr(tensorflowvisu, "open_display", interrupt)
    with pytest.raises(SystemExit, match="130"):
        datavis.animate(lambda *step: None, 1)
    assert capsys.readouterr().out == 2 * "\nStopped by Ctrl-C. Max test accuracy so far: 0.75\n"


def test_a_script_may_leave_the_loop_of_an_animation_early(display):
    with tensorflowvisu.MnistDataVis().animation(3) as steps:
        for _ in steps:
            break
    assert display.told == ["finished"]


@pytest.mark.parametrize("name", ["iterations", "train_data_update_freq", "test_data_update_freq"])
@pytest.mark.parametrize("value", [0, -1, 1.5, "10", None])
def test_an_impossible_number_of_iterations_is_named(name, value):
    options = {"iterations": 10, name: value}
    with pytest.raises(ValueError, match=f"{name} is {value!r}, expected a whole number, 1 or more"):
        tensorflowvisu.MnistDataVis().animate(lambda *arguments: None, **options)


@pytest.mark.parametrize("number", [4, 5])
@pytest.mark.parametrize("colour", [7, -1, 1.5, "red"])
def test_a_colour_that_does_not_exist_is_refused(number, colour):
    with pytest.raises(ValueError, match=f"^MnistDataVis: histogram colour {colour!r}, expected 0 to 6$"):
        tensorflowvisu.MnistDataVis(**{f"histogram{number}colornum": colour})


@pytest.mark.parametrize("save_movie", [1, None, 0.5, ["mine.mp4"]])
def test_what_is_no_name_of_a_film_is_refused_before_the_training(save_movie):
    expected = f"animate: save_movie is {save_movie!r}, expected True, False, or the name of a film"
    with pytest.raises(ValueError) as error:
        tensorflowvisu.MnistDataVis().animate(lambda *arguments: None, 1, save_movie=save_movie)
    assert str(error.value) == expected


@pytest.mark.parametrize("x", [np.nan, np.inf, -np.inf])
def test_an_iteration_without_a_place_on_the_axis_is_refused(x):
    datavis = tensorflowvisu.MnistDataVis()
    for add in (datavis.append_training_curves_data, datavis.append_test_curves_data, datavis.append_data_histograms):
        with pytest.raises(ValueError, match=f"{add.__name__}: x is {x}, expected the number of the iteration"):
            add(x, 0.5, 3.0)


@pytest.mark.parametrize("dpi", [9, 1001, "70", None])
def test_an_impossible_dpi_is_named(dpi):
    with pytest.raises(ValueError, match=f"dpi is {dpi!r}, expected a number from 10 to 1000"):
        tensorflowvisu.MnistDataVis(dpi=dpi)
    for possible in (10, 1000):
        tensorflowvisu.MnistDataVis(dpi=possible)


OTHER_IMAGES = [np.zeros(shape) for shape in ([1, 784], [2, 32, 32, 1], [2, 28, 28, 3], [0, 28, 28, 1], [28, 28])]


@pytest.mark.parametrize("images", [*OTHER_IMAGES, "digits"])
@pytest.mark.parametrize("number", [1, 2])
def test_digits_of_another_size_than_mnists_are_refused(images, number):
    update = getattr(tensorflowvisu.MnistDataVis(), f"update_image{number}")
    expected = rf"update_image{number}: images is .*, expected the digits, \[n, 28, 28, 1\], or None"
    with pytest.raises(ValueError, match=expected):
        update(np.zeros([28, 28, 3], np.uint8), images)
    for images in (None, np.zeros([2, 28, 28]), np.zeros([2, 28, 28, 1], np.uint8)):
        update(np.zeros([28, 28, 3], np.uint8), images)


def test_a_picture_belongs_to_the_newest_point_of_its_curve(monkeypatch):
    taken = []
    monkeypatch.setattr(Display, "take", lambda display, addition: taken.append(addition))
    datavis, pixels = tensorflowvisu.MnistDataVis(), np.zeros([28, 28, 3], np.uint8)
    datavis.append_training_curves_data(20, 0.5, 3.0)
    datavis.append_test_curves_data(10, 0.5, 3.0)
    datavis.update_image1(pixels)
    datavis.update_image2(pixels)
    assert [(picture.curve, picture.iteration) for picture in taken[2:]] == [("training", 20), ("test", 10)]


# -- what scripts pass in


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda d: d.append_training_curves_data(0, [1, 2], 3), "append_training_curves_data: accuracy is [1, 2], "),
        (lambda d: d.append_training_curves_data(0, 1, None), "append_training_curves_data: loss is None, "),
        (lambda d: d.append_test_curves_data("0", 1, 1), "append_test_curves_data: x is '0', expected one number"),
        (
            lambda d: d.append_training_curves_data(0, 1, 1, [3, 4]),
            "append_training_curves_data: learning_rate is [3, 4], expected one number",
        ),
        (
            lambda d: d.append_test_curves_data(0, 1, 1, "one"),
            "append_test_curves_data: epoch is 'one', expected one number",
        ),
        (
            lambda d: d.append_test_curves_data(0, list(range(100)), 1),
            f"append_test_curves_data: accuracy is {str(list(range(100)))[:60]}…, a list, expected one number",
        ),
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
        (
            lambda d: d.update_image1(np.zeros([28, 28, 4], np.uint8)),
            "update_image1: im is an array, uint8 [28, 28, 4], expected a picture, uint8 [height, width, 3]",
        ),
        (
            lambda d: d.update_image1(np.zeros([0, 28, 3], np.uint8)),
            "update_image1: im is an array, uint8 [0, 28, 3], expected a picture, uint8 [height, width, 3]",
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


def test_a_history_that_cannot_be_saved_is_an_exception_with_one_sentence(tmp_path):
    with pytest.raises(
        FileNotFoundError, match=r"^The history can't be saved as .*history.csv \(No such file"
    ) as error:
        tensorflowvisu.MnistDataVis().save_history(tmp_path / "missing" / "history.csv")
    assert str(error.value).endswith("name a file that you may write")
