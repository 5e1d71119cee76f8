"""What the drawing process keeps of a run."""

import numpy as np

from visu.drawing.history import CAPACITY, History


def test_a_long_history_stays_small_and_keeps_its_ends_its_extremes_and_its_gaps():
    history = History()
    loss = np.random.RandomState(0).rand(100001)
    loss[[31234, 71234]] = 5, -5
    loss[51234] = np.nan
    for i, value in enumerate(loss):
        history.add_point("training", 10 * i, 0.5, value)
    curve = history.curves["training"]["loss"].values()
    assert len(curve) < 2 * CAPACITY
    assert curve[0, 0] < 1000000 / CAPACITY and curve[-1, 0] == 1000000
    assert (np.diff(curve[:, 0]) > 0).all()
    for i in (31234, 71234):
        assert [10 * i, loss[i]] in curve.tolist()
    assert list(curve[np.isnan(curve[:, 1]), 0]) == [512340]
    assert np.isin(curve[:, 0] / 10, np.arange(100001)).all()


def test_a_long_history_of_bands_keeps_exact_ones_evenly():
    history = History()
    for i in range(10000):
        history.add_distributions(i, i + np.arange(8), -i - np.arange(8), None, None)
    rows = history.weights.values()
    assert 100 < len(rows) < 2 * CAPACITY
    assert (rows[:, 1:] == rows[:, :1] + np.arange(8)).all()
    assert rows[0, 0] == 0 and rows[-1, 0] == 9999
    steps = np.diff(rows[:, 0])
    assert steps.max() <= 3 * np.median(steps)


def test_a_short_history_is_kept_as_it_is():
    history = History()
    for i in range(501):
        history.add_point("test", 20 * i, i / 501, 501 - i)
    assert history.curves["test"]["accuracy"].values().tolist() == [[20 * i, i / 501] for i in range(501)]
