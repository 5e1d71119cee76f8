"""The record of a run: all of it where it trains, and in little memory where it is drawn."""

import csv
import decimal
import fractions

import numpy as np
import pytest

from made_up_run import point
from visu.channel import Show
from visu.record import Bands, Record, checked_number, checked_picture, checked_vector, in_digits


def test_a_long_record_stays_small_where_it_is_drawn_and_keeps_its_ends_its_extremes_and_its_gaps():
    record = Record(Show.CAPACITY)
    loss = np.random.RandomState(0).rand(100001)
    loss[[31234, 71234]] = 5, -5
    loss[51234] = np.nan
    for i, value in enumerate(loss):
        record.add(point("training", 10 * i, 0.5, value))
    curve = record.curves["training"]["loss"].values()
    assert len(curve) < 2 * Show.CAPACITY
    assert curve[0, 0] < 1000000 / Show.CAPACITY and curve[-1, 0] == 1000000
    assert (np.diff(curve[:, 0]) > 0).all()
    for i in (31234, 71234):
        assert [10 * i, loss[i]] in curve.tolist()
    assert list(curve[np.isnan(curve[:, 1]), 0]) == [512340]
    assert np.isin(curve[:, 0] / 10, np.arange(100001)).all()


def test_a_long_record_of_bands_keeps_exact_ones_evenly():
    record = Record(Show.CAPACITY)
    for i in range(10000):
        record.add(Bands(i, i + np.arange(8), -i - np.arange(8), None, None))
    rows = record.bands["weights"].values()
    assert 100 < len(rows) < 2 * Show.CAPACITY
    assert (rows[:, 1:] == rows[:, :1] + np.arange(8)).all()
    assert (record.bands["biases"].values()[:, 1:] == -rows[:, :1] - np.arange(8)).all()
    assert rows[0, 0] == 0 and rows[-1, 0] == 9999
    steps = np.diff(rows[:, 0])
    assert steps.max() <= 3 * np.median(steps)


def test_a_short_record_is_drawn_as_it_is():
    record = Record(Show.CAPACITY)
    for i in range(501):
        record.add(point("test", 20 * i, i / 501, 501 - i))
    assert record.curves["test"]["accuracy"].values().tolist() == [[20 * i, i / 501] for i in range(501)]
    assert record.curves["test"]["loss"].values().tolist() == [[20 * i, 501 - i] for i in range(501)]


def test_what_a_script_does_to_its_picture_later_changes_nothing():
    picture = np.zeros([28, 28, 3], np.uint8)
    checked = checked_picture("update_image1", picture)
    picture[:] = 255
    assert not checked.any()


def test_all_points_are_kept_where_it_trains():
    record = Record()
    for i in range(20001):
        record.add(point("training", i, i / 30000, 7.0, 0.001 if i else None))
    training, test = record.arrays()["training"], record.arrays()["test"]
    assert training.iteration.tolist() == list(range(20001)) and training.accuracy[20000] == 20000 / 30000
    assert (training.loss == 7).all() and np.isnan(training.learning_rate[0]) and training.learning_rate[1] == 0.001
    assert [len(column) for column in test] == [0, 0, 0, 0]


def test_the_best_accuracy_is_the_highest_that_is_a_number():
    record = Record()
    for accuracy, best in ((np.nan, 0), (0.5, 0.5), (0.75, 0.75), (np.nan, 0.75), (0.7, 0.75), (0.8, 0.8)):
        record.add(point("test", 0, accuracy, 1))
        record.add(point("training", 0, 0.99, 1))
        assert record.best_test_accuracy == best


@pytest.mark.filterwarnings("error")  # numpy's, of numbers that float32 does not have
def test_the_csv_file_says_every_number_exactly(tmp_path):
    record = Record()
    record.add(point("training", 123456789, np.float32(0.9225), 1 / 3, 1e-05))
    record.add(point("training", 0, 0, -0.25, 0.0))
    record.add(point("test", 16777217.5, 1, np.nan))
    for _ in range(2):  # the second time in place of the first
        record.save(tmp_path / "history.csv")
    with (tmp_path / "history.csv").open(encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert rows[1:] == [
        ["training", "123456789", "0.9225", "0.3333333333333333", "1e-05"],
        ["training", "0", "0", "-0.25", "0"],
        ["test", "16777217.5", "1", "nan", ""],
    ]
    assert [in_digits(number) for number in (np.inf, -np.inf, 1e300)] == ["inf", "-inf", "1e+300"]


@pytest.mark.parametrize(
    "value, expected",
    [
        (np.float32(0.1), np.float32(0.1)),
        (decimal.Decimal("0.5"), 0.5),
        (fractions.Fraction(3, 4), 0.75),
        (10**30, 1e30),
        (True, 1),
        (np.bool_(True), np.bool_(True)),
    ],
)
def test_whatever_is_one_number_is_taken_as_it_is(value, expected):
    number = checked_number("method", "loss", value)
    assert number == expected and isinstance(number, np.generic)
    assert str(number) == str(expected) or not isinstance(value, np.generic)


def test_numbers_of_types_that_numpy_does_not_know_are_numbers():
    ml_dtypes = pytest.importorskip("ml_dtypes")
    for name, value in (("bfloat16", 0.88671875), ("float8_e4m3fn", 0.875)):
        array = np.array([value]).astype(getattr(ml_dtypes, name))
        assert checked_number("method", "loss", array[0]) == value
        assert checked_vector("method", "datavect1", array).tolist() == [value]


class Tensor:
    """As PyTorch's, of types that numpy may not have and on a graphics card, where numpy can't read it."""

    def __init__(self, value, dtype="torch.float32", is_here=False):
        self.value, self.dtype, self.is_here = np.array(value, np.float32), dtype, is_here

    def detach(self):
        return self

    def cpu(self):
        return Tensor(self.value, self.dtype, True)

    def float(self):
        return Tensor(self.value, is_here=self.is_here)

    def __array__(self, *arguments, **options):
        if not self.is_here or self.dtype != "torch.float32":
            raise TypeError("can't convert it")
        return self.value


@pytest.mark.parametrize("dtype", ["torch.float32", "torch.bfloat16", "torch.float8_e4m3fn"])
def test_tensors_of_pytorch_are_numbers_wherever_they_are(dtype):
    assert checked_number("method", "loss", Tensor(0.5, dtype)) == 0.5
    assert checked_vector("method", "datavect1", Tensor([[0.5, 2]], dtype)).tolist() == [[0.5, 2]]


class OfAGraph:
    """As a tensor of TensorFlow's before a session computes it."""

    def __array__(self, *arguments, **options):
        raise NotImplementedError("it has no value")

    def __repr__(self):
        return "<a tensor>"


@pytest.mark.parametrize(
    "value, named",
    [
        (OfAGraph(), "<a tensor>"),
        ("a" * 59, repr("a" * 59)[:60] + "…, a str"),
        ("a" * 58, repr("a" * 58)),
        (np.array("x"), repr(np.array("x"))),
        (np.array([None, 1]), "array([None, 1], dtype=object)"),
        (np.zeros([2, 3], np.float32), "an array, float32 [2, 3]"),
        ([[1], [2, 3]], "[[1], [2, 3]]"),
        ("two\nlines", repr("two\nlines")),
    ],
)
def test_what_is_refused_is_named_in_a_short_line(value, named):
    with pytest.raises(ValueError) as error:
        checked_number("method", "loss", value)
    assert str(error.value) == f"method: loss is {named}, expected one number"


REFUSED = ["1", b"1", 1j, None, [1, 2], np.datetime64("2026-01-01"), np.zeros(2), np.zeros(0), object()]
REFUSED += [np.zeros(1, [("a", float)]), fractions.Fraction(10**400)]


@pytest.mark.parametrize("value", REFUSED)
def test_what_is_not_one_number_is_refused(value):
    with pytest.raises(ValueError, match="^method: loss is .*, expected one number$"):
        checked_number("method", "loss", value)
