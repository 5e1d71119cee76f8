"""What a script records gets, each number at its place, to what is drawn and to what is kept."""

import inspect

import matplotlib.image
import numpy as np
import pytest

import tensorflowvisu
from visu.channel import TRAINING, Progress, Run
from visu.distribution import probability_distribution
from visu.drawing.picture import file_picture, status_texts
from visu.record import Bands, Picture, Point, Record
from visu.style import Style

TITLES = ["one", "two", "", "four", "five", "six"]  # "" for no title
SETTINGS = {f"title{number}": title for number, title in enumerate(TITLES, start=1)}
SETTINGS.update(histogram4colornum=2, histogram5colornum=5, dpi=50)
# Numbers of which no two are equal, so that none can stand for another
RECORDED = """
import numpy as np
import tensorflowvisu

datavis = tensorflowvisu.MnistDataVis(**SETTINGS)


PICTURES
def step(i, update_test_data, update_train_data):
    datavis.append_training_curves_data(i, 0.1 + 0.1 * i, 50.0 - i, 0.003 - 0.0001 * i)
    datavis.append_data_histograms(i, np.arange(30.0) ** 2 + i, np.arange(7.0) - i, title2=f"five at {i}")
    datavis.append_test_curves_data(i, 0.7 - 0.1 * i, 30.0 + 2 * i, 1 + i)
    for update, picture in zip((datavis.update_image1, datavis.update_image2), pictures(i)):
        update(picture)
        picture[:] = 77  # it is the script's own, which may go on to use it


datavis.animate(step, 4, 1, 1)
"""


def pictures(i):
    training, test = np.zeros([28, 56, 3], np.uint8), np.full([56, 28, 3], 255, np.uint8)
    training[: 5 + i, :, 0], test[:, 3 + i :, 1] = 200, 100
    return training, test


def test_the_picture_is_drawn_from_what_the_script_has_recorded(tmp_path, forks):
    source = RECORDED.replace("PICTURES", inspect.getsource(pictures)).replace("**SETTINGS", f"**{SETTINGS!r}")
    process = forks.run_script(source, tmp_path, name="lesson.py")
    assert (process.returncode, process.stderr) == (0, "")
    record = Record()
    for i in range(4):
        record.add(Point("training", i, 0.1 + 0.1 * i, 50.0 - i, 0.003 - 0.0001 * i, None))
        weights, biases = (
            probability_distribution(vector) for vector in (np.arange(30.0) ** 2 + i, np.arange(7.0) - i)
        )
        record.add(Bands(i, weights, biases, None, f"five at {i}"))
        record.add(Point("test", i, 0.7 - 0.1 * i, 30.0 + 2 * i, None, 1 + i))
        for curve, picture in zip(("training", "test"), pictures(i)):
            record.add(Picture(curve, i, picture))
    run = Run("lesson", 4, Style(TITLES, [2, 5], 50))
    expected = file_picture(run, record)
    expected.update(status_texts(run, record, Progress(4, 1.0, True, TRAINING)))
    expected.figure.savefig(str(tmp_path / "expected.png"))
    drawn, expected = (matplotlib.image.imread(str(tmp_path / name)) for name in ("lesson.png", "expected.png"))
    assert drawn.shape == expected.shape == (540, 960, 4)
    assert (drawn == expected).all()


@pytest.fixture
def recorded():
    datavis = tensorflowvisu.MnistDataVis()
    datavis.append_training_curves_data(0, 0.1, 230.0, 0.003)
    datavis.append_training_curves_data(20, 0.9, 31.0)
    for i, accuracy in ((0, 0.25), (50, 0.96), (100, 0.875)):
        datavis.append_test_curves_data(i, accuracy, 20.0 + i, 1)
    return datavis


def test_the_history_has_each_number_in_its_place(recorded):
    history = recorded.get_history()
    assert list(history) == ["training", "test"]
    training, test = history["training"], history["test"]
    assert [list(column) for column in training[:3]] == [[0, 20], [0.1, 0.9], [230, 31]]
    assert training.learning_rate[0] == 0.003 and np.isnan(training.learning_rate[1])
    assert (list(test.iteration), list(test.accuracy), list(test.loss)) == (
        [0, 50, 100],
        [0.25, 0.96, 0.875],
        [20, 70, 120],
    )


def test_the_best_accuracy_is_not_the_last_one_and_not_one_of_the_training(recorded):
    recorded.append_training_curves_data(40, 1.0, 1.0)
    assert recorded.get_max_test_accuracy() == 0.96


def test_the_history_is_saved_as_it_is(recorded, tmp_path):
    recorded.save_history(str(tmp_path / "history.csv"))
    assert (tmp_path / "history.csv").read_text().splitlines() == [
        "curve,iteration,accuracy,loss,learning_rate",
        "training,0,0.1,230,0.003",
        "training,20,0.9,31,",
        "test,0,0.25,20,",
        "test,50,0.96,70,",
        "test,100,0.875,120,",
    ]


@pytest.mark.parametrize(
    "options, tests",
    [({}, [0, 4, 5]), ({"one_test_at_start": False}, [4, 5]), ({"more_tests_at_start": True}, [0, 2, 4, 5])],
)
def test_animate_tests_when_it_is_told_to(options, tests, tmp_path, monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "agg")
    tested, trained = [], []

    def step(i, update_test_data, update_train_data):
        tested.extend([i] * update_test_data)
        trained.extend([i] * update_train_data)

    tensorflowvisu.MnistDataVis().animate(step, 6, 2, 4, **options)
    assert (tested, trained) == (tests, [0, 2, 4, 5])
