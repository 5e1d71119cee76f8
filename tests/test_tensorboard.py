"""Event files and numbers of a run, read back by TensorBoard itself and as CSV."""

import csv
import io
import json
import os
import re
import subprocess
import sys
import time
import types
import urllib.parse
import urllib.request

import matplotlib.image
import numpy as np
import pytest
import tensorflow.compat.v1 as tf

import visu.tensorboard
from helpers import STAGES, link, shortened, shortened_text_only, stage_source
from screenshots import DIGITS, share
from visu.record import Picture, Point, Values
from visu.tensorboard import TensorBoardLog

pytest.importorskip("tensorboard")
pytestmark = pytest.mark.tensorflow
SAVE = "datavis.save_history('history.csv')\n"


class Board:
    """TensorBoard, serving a folder on loopback."""

    def __init__(self, logdir):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tensorboard.main", "--logdir", str(logdir), "--port", "0", "--host", "127.0.0.1"],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
        )
        for line in self.process.stdout:
            address = re.search(r"http://127\.0\.0\.1:\d+", line)
            if address:
                self.address = address.group()
                break
        else:
            raise RuntimeError("TensorBoard did not start")

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.process.kill()
        self.process.communicate()

    def get(self, path, query=""):
        with urllib.request.urlopen(f"{self.address}/data/{path}?{query}", timeout=60) as answer:
            return answer.read()

    def get_json(self, path, **query):
        return json.loads(self.get(path, urllib.parse.urlencode(query)).decode("utf-8"))


def history(folder):
    with (folder / "history.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return {curve: [row for row in rows if row["curve"] == curve] for curve in ("training", "test")}


def test_tensorboard_shows_what_the_script_measured_with_animate_and_text_only(forks, tmp_path, few_test_digits):
    expected = {}
    for mode, shorten in (("animate", shortened), ("text-only", shortened_text_only)):
        folder = tmp_path / mode
        folder.mkdir()
        link(tmp_path / "data", folder / "data")
        source = shorten(stage_source(STAGES[2]), 41) + SAVE
        process = forks.run_script(source, folder, name=STAGES[2], TENSORBOARD_LOGDIR=str(tmp_path / "runs" / mode))
        assert process.returncode == 0, process.stderr
        expected[mode] = history(folder)
    with Board(tmp_path / "runs") as board:
        runs = sorted(board.get_json("runs"))
        assert len(runs) == 4
        for mode, (test, training) in zip(sorted(expected), (runs[:2], runs[2:])):
            assert re.match(rf"{mode}.mnist_2\.1_five_layers_relu_lrdecay-\d{{8}}-\d{{6}}.test$", test)
            assert training == test[: -len("test")] + "training"
            check_curves(board, training, test, expected[mode])
            check_the_rest(board, training, test)


def check_curves(board, training, test, expected):
    assert len(expected["training"]) == 3 and len(expected["test"]) == 2
    for run, curve, names in (
        (training, "training", ["accuracy", "loss", "learning_rate"]),
        (test, "test", ["accuracy", "loss"]),
    ):
        for name in names:
            points = board.get_json("plugin/scalars/scalars", run=run, tag=name)
            assert [step for _, step, _ in points] == [int(row["iteration"]) for row in expected[curve]]
            assert np.allclose([value for _, _, value in points], [float(row[name]) for row in expected[curve]])


def check_the_rest(board, training, test):
    """Histograms, pictures, graph."""
    for tag, size in (("weights", 184900), ("biases", 400)):
        step, buckets = board.get_json("plugin/histograms/histograms", run=training, tag=tag)[0][1:]
        assert step == 0 and sum(count for _, _, count in buckets) == pytest.approx(size)
        lowest, highest = (-0.2, 0.2) if tag == "weights" else (0, 0.1)  # as the script begins
        assert buckets[0][0] == pytest.approx(lowest, abs=0.01) and buckets[-1][1] == pytest.approx(highest, abs=0.01)
        if tag == "weights":  # truncated at two standard deviations of 0.1: 72 % of them are within one
            within = sum(count for left, right, count in buckets if -0.105 < left < right < 0.105)
            assert within / size == pytest.approx(0.72, abs=0.08)
    for run, tag, width in ((training, "training_digits", 280), (test, "test_digits", 1120)):
        pictures = board.get_json("plugin/images/images", run=run, tag=tag, sample=0)
        png = board.get("plugin/images/individualImage", pictures[0]["query"])
        picture = matplotlib.image.imread(io.BytesIO(png), format="png")
        assert picture.shape[1] == width
        assert share(picture, DIGITS, (0, 0, 1, 0.5)) > 0.3  # not yet recognised
    graph = board.get("plugin/graphs/graph", f"run={urllib.parse.quote(training)}&conceptual=false").decode("utf-8")
    assert "ApplyAdam" in graph


def test_a_folder_that_cannot_be_written_gets_one_sentence(forks, tmp_path):
    (tmp_path / "file").write_text("")
    process = forks.run_script(
        shortened_text_only(stage_source(STAGES[0]), 2), tmp_path, TENSORBOARD_LOGDIR=str(tmp_path / "file" / "runs")
    )
    assert process.returncode == 1
    (line,) = process.stderr.splitlines()
    assert "TENSORBOARD_LOGDIR is" in line and "name a folder that you may write to" in line


def test_two_runs_of_the_same_second_get_folders_of_their_own(forks, tmp_path):
    source = stage_source(STAGES[0])
    source = source.replace("datavis = ", "import time; time.strftime = lambda text: text\ndatavis = ")
    source = shortened_text_only(source, 2)
    for _ in range(2):
        assert forks.run_script(source, tmp_path, TENSORBOARD_LOGDIR=str(tmp_path / "runs")).returncode == 0
    assert len(list((tmp_path / "runs").iterdir())) == 2


def test_what_takes_a_second_comes_again_after_160(tmp_path, monkeypatch):
    now = 1000.0
    log = TensorBoardLog(str(tmp_path), "run")
    monkeypatch.setattr(visu.tensorboard, "time", types.SimpleNamespace(monotonic=lambda: now))
    for moment, is_due in ((1000, True), (1160, False), (1162, True)):
        now = moment
        with log.time_for("weights") as there_is_time:
            now += 1
        assert there_is_time == is_due
    with log.time_for("biases") as there_is_time:  # each has a time of its own
        assert there_is_time
    log.close()


def test_a_point_has_all_its_numbers_a_0_too_and_no_learning_rate_where_there_is_none(tmp_path, monkeypatch):
    log, written = TensorBoardLog(str(tmp_path), "run"), []
    monkeypatch.setattr(log, "write", lambda curve, x, values: written.append((curve, x, values)))
    log.take(Point("training", 7, 0.25, 3.5, 0.0, None))
    log.take(Point("test", 9, 0.0, 0.0, None, 2))
    seen = [(curve, x, {value.tag: value.simple_value for value in values}) for curve, x, values in written]
    assert seen == [
        ("training", 7, {"accuracy": 0.25, "loss": 3.5, "learning_rate": 0}),
        ("test", 9, {"accuracy": 0, "loss": 0}),
    ]
    log.close()


def test_histograms_are_of_the_weights_and_of_the_biases_as_far_as_they_are_finite(tmp_path, monkeypatch):
    log, written = TensorBoardLog(str(tmp_path), "run"), []
    monkeypatch.setattr(log, "write", lambda curve, x, values: written.append((curve, x, *values)))
    log.take(Values(20, np.float32([1, np.inf, 3]), np.array([[7, np.nan], [8, 9]]), None, None))
    log.due.clear()  # there is time again
    log.take(Values(40, np.full(3, np.nan), np.float16([4, -4]), None, None))
    seen = [(curve, x, value.tag, value.histo.num, value.histo.min, value.histo.max) for curve, x, value in written]
    assert seen == [
        ("training", 20, "weights", 2, 1, 3),
        ("training", 20, "biases", 3, 7, 9),
        ("training", 40, "biases", 2, -4, 4),
    ]
    log.close()


def test_what_was_logged_is_in_the_files_of_its_curve_when_the_program_has_ended(tmp_path, monkeypatch):
    at_the_end = []
    monkeypatch.setattr(visu.tensorboard, "atexit", types.SimpleNamespace(register=at_the_end.append))
    log = TensorBoardLog(str(tmp_path), "run")
    for curve, x in (("training", 20.0), ("test", 30), ("training", 40)):
        log.take(Point(curve, x, x / 80, 3.0, None, None))
        log.take(Picture(curve, x, np.zeros([28, 28, 3], np.uint8)))
    for call in at_the_end:
        call()
    seen = []
    for curve in ("training", "test"):
        (path,) = tmp_path.glob(f"run-*/{curve}/events*")
        for event in tf.train.summary_iterator(str(path)):
            seen += [(curve, event.step, value.tag, value.simple_value) for value in event.summary.value]
    assert seen == [
        ("training", 20, "accuracy", 0.25),
        ("training", 20, "loss", 3),
        ("training", 20, "training_digits", 0),
        ("training", 40, "accuracy", 0.5),
        ("training", 40, "loss", 3),
        ("test", 30, "accuracy", 0.375),
        ("test", 30, "loss", 3),
        ("test", 30, "test_digits", 0),
    ]  # of the pictures the second came before there was time for it


def test_a_histogram_has_its_bins_where_the_values_are(tmp_path, monkeypatch):
    log, written = TensorBoardLog(str(tmp_path), "run"), []
    monkeypatch.setattr(log, "write", lambda *arguments: written.append(arguments))
    log.add_histogram(20, "weights", np.arange(61.0))
    ((curve, x, (value,)),) = written
    histogram = value.histo
    assert (curve, x, value.tag) == ("training", 20, "weights")
    assert list(histogram.bucket_limit) == list(range(1, 61))  # a limit is the upper end of its bin
    assert list(histogram.bucket) == [1] * 59 + [2]
    assert (histogram.min, histogram.max, histogram.num, histogram.sum) == (0, 60, 61, 1830)
    assert histogram.sum_squares == sum(i * i for i in range(61))
    log.close()


def test_a_picture_has_its_pixels_its_height_and_its_width(tmp_path, monkeypatch):
    log, written = TensorBoardLog(str(tmp_path), "run"), []
    monkeypatch.setattr(log, "write", lambda *arguments: written.append(arguments))
    pixels = np.random.RandomState(0).randint(0, 256, [28, 56, 3]).astype(np.uint8)
    log.take(Picture("test", 100, pixels))
    ((curve, x, (value,)),) = written
    assert (curve, x, value.tag) == ("test", 100, "test_digits")
    assert (value.image.height, value.image.width, value.image.colorspace) == (28, 56, 3)
    picture = matplotlib.image.imread(io.BytesIO(value.image.encoded_image_string), format="png")
    assert (np.round(255 * picture) == pixels).all()
    log.close()


def test_a_tilde_is_the_home_folder_and_a_run_has_its_name_and_the_time_of_its_start(tmp_path, monkeypatch):
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setenv("TENSORBOARD_LOGDIR", "~/runs")
    afternoon, strftime = time.struct_time((2026, 1, 2, 17, 5, 9, 4, 2, 0)), time.strftime
    monkeypatch.setattr(visu.tensorboard.time, "strftime", lambda form: strftime(form, afternoon))
    for _ in range(3):  # in the same second
        visu.tensorboard.open_tensorboard_log("m\udcffne").close()
    name = "m\\udcffne-20260102-170509"
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == [name, f"{name}-2", f"{name}-2-2"]


def test_why_nothing_can_be_logged_is_said_and_is_a_runtime_error_for_those_who_catch_it(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    logdir = str(tmp_path / "file" / "runs")
    monkeypatch.setenv("TENSORBOARD_LOGDIR", logdir)
    expected = f"TENSORBOARD_LOGDIR is {re.escape(repr(logdir))}, "
    for kind in (RuntimeError, SystemExit):
        reason = r"where no event files can be written \(.*directory.*\): name a folder that you may write to"
        with pytest.raises(kind, match=f"(?i)^{expected}{reason}$"):
            visu.tensorboard.open_tensorboard_log("mine")
    monkeypatch.setattr(visu.tensorboard, "tf", None)
    with pytest.raises(
        visu.tensorboard.CannotLog, match=f"^{expected}and event files are written by TensorFlow: install"
    ):
        visu.tensorboard.open_tensorboard_log("mine")
    monkeypatch.delenv("TENSORBOARD_LOGDIR")
    visu.tensorboard.open_tensorboard_log("mine").take(Point("test", 0, 0.5, 3, None, None))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file"]


EAGER = """
import numpy as np
import tensorflowvisu
datavis = tensorflowvisu.MnistDataVis()
for i in range(3):
    datavis.append_training_curves_data(i, 0.5, 3.0)
    datavis.append_data_histograms(i, np.array([1, np.inf, np.nan]), np.full(3, np.nan))  # as after too large a step
    datavis.update_image1(np.zeros([28, 28, 3], np.uint8))
"""


@pytest.mark.parametrize("prefix", [""] + ["file://"] * (os.name == "posix"))  # no drive's letter goes with file://
def test_a_program_that_computes_eagerly_is_logged_in_any_file_system(prefix, forks, tmp_path):
    """As Keras and PyTorch do: nothing there calls disable_v2_behavior."""
    process = forks.run_script(EAGER, tmp_path, TENSORBOARD_LOGDIR=f"{prefix}{tmp_path / 'runs'}")
    assert (process.returncode, process.stderr) == (0, "")
    (run,) = (tmp_path / "runs").iterdir()
    assert [path.stat().st_size > 300 for path in run.glob("training/events*")] == [True]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["runs", "script.py"]
