"""The picture of compare_stages.py: which number of which script is drawn where."""

import matplotlib.image
import numpy as np
import pytest
from matplotlib.figure import Figure

import compare_stages
from compare_stages import label_ends, save_picture

FIRST, SECOND = (31, 119, 180), (255, 127, 14)  # the colours of the two lines


def run(accuracy, loss):
    """The results of a run in which these do not change."""
    return {"test": {"iteration": [0, 50, 100], "accuracy": [accuracy] * 3, "loss": [loss] * 3}}


def saved(folder, curves):
    """The picture of these results of scripts, uint8 [height, width, 3]."""
    save_picture(folder / "comparison.png", curves)
    return np.uint8(255 * matplotlib.image.imread(str(folder / "comparison.png"))[..., :3] + 0.5)


@pytest.fixture(scope="module")
def picture(tmp_path_factory):
    """That of two scripts, with three seeds each whose numbers lie unevenly, uint8 [height, width, 3]."""
    first = [run(0.92, 30), run(0.99, 11), run(0.93, 10)]
    second = [run(0.95, 20), run(0.98, 25), run(0.955, 35)]
    return saved(tmp_path_factory.mktemp("comparison"), {"first": first, "second": second})


@pytest.mark.parametrize("quantity, colour, median", [("accuracy", FIRST, 0.93), ("accuracy", SECOND, 0.955)])
def test_a_line_is_the_median_over_the_seeds(picture, quantity, colour, median):
    assert height_of(picture, quantity, colour) == pytest.approx(median, abs=0.001)


@pytest.mark.parametrize("colour, median", [(FIRST, 11), (SECOND, 25)])
def test_the_losses_stand_below(picture, colour, median):
    assert height_of(picture, "loss", colour) == pytest.approx(median, abs=0.4)


def test_a_longer_training_is_shown_to_its_end(tmp_path):
    longer = run(0.95, 20)
    longer["test"].update(iteration=[0, 50, 200])
    picture = saved(tmp_path, {"short": [run(0.93, 10)], "longer": [longer]})
    top, bottom, _, _ = edges_of(picture, "accuracy")
    ends = [
        np.flatnonzero((abs(picture[top:bottom, 60:900].astype(int) - colour) < 40).all(axis=2).sum(axis=0))[-1]
        for colour in (FIRST, SECOND)
    ]  # the line to the name of the first goes on for a little
    assert ends[0] < 600 and ends[1] > 800


def height_of(picture, quantity, colour):
    """The number at which a level line of this colour lies."""
    top, bottom, low, high = edges_of(picture, quantity)
    part = picture[top:bottom, 200:800].astype(int)
    rows = np.flatnonzero((abs(part - colour) < 40).all(axis=2).all(axis=1))
    assert 1 <= len(rows) <= 3
    return high - (rows.mean() + 0.5) / (bottom - top) * (high - low)


def edges_of(picture, quantity):
    """The rows of a panel's upper and lower edge, and the numbers there."""
    dark = np.flatnonzero((picture[:, 200:800] < 60).all(axis=(1, 2)))  # the four lines of the two frames
    edges = [rows[0] for rows in np.split(dark, np.flatnonzero(np.diff(dark) > 3) + 1)]
    assert len(edges) == 4
    return (*edges[:2], 0.9, 1) if quantity == "accuracy" else (*edges[2:], 0, 40)


def test_a_line_is_named_at_its_last_number(tmp_path, monkeypatch):
    named = []
    monkeypatch.setattr(compare_stages, "label_ends", lambda panel, *ends_and_limits: named.append(ends_and_limits))
    monkeypatch.setattr(Figure, "savefig", lambda figure, path: None)
    broken, lost = run(0.95, np.nan), run(0.98, np.nan)
    broken["test"]["loss"][:2] = 20, 21
    short = {"test": {name: values[:2] for name, values in run(0.97, 20)["test"].items()}}  # with fewer tests
    curves = {"whole": [run(0.93, 10)], "broken": [broken], "lost": [lost], "short": [run(0.97, 20), short]}
    save_picture(tmp_path / "comparison.png", curves)
    accuracies = [(100, 0.93, "whole", "C0"), (100, 0.95, "broken", "C1"), (100, 0.98, "lost", "C2")]
    assert named == [
        ([*accuracies, (50, 0.97, "short", "C3")], (0.9, 1)),
        ([(100, 10, "whole", "C0"), (50, 21, "broken", "C1"), (50, 20, "short", "C3")], (0, 40)),
    ]


def test_names_stand_apart_within_the_panel_in_the_order_of_their_lines_those_of_long_ones_beside_it():
    named = {}

    class Panel:
        def get_xlim(self):
            return 0, 200

        def annotate(self, name, end, place, color, **looks):
            named[name] = (end, (place[0], pytest.approx(place[1])), color)

    ends = [
        (200, 39, "high", "C0"),
        (200, 39.5, "higher", "C1"),
        (200, 60, "off the panel", "C2"),
        (100, 10, "short", "C3"),
        (160, 10.5, "just above", "C4"),
        (200, -5, "below", "C5"),
    ]
    label_ends(Panel(), ends, (0, 40))
    assert named == {
        "below": ((200, 0), (206, 0), "C5"),
        "short": ((100, 10), (106, 10), "C3"),
        "just above": ((160, 10.5), (206, 11.6), "C4"),
        "high": ((200, 39), (206, 36.8), "C0"),
        "higher": ((200, 39.5), (206, 38.4), "C1"),
        "off the panel": ((200, 40), (206, 40), "C2"),
    }
