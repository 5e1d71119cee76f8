"""The spread of weights and biases."""

import numpy as np
import pytest

from visu.distribution import probability_distribution


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


NO_WARNINGS = pytest.mark.filterwarnings("error")  # of numpy's, on the terminal of a training


@NO_WARNINGS
@pytest.mark.parametrize("name", sorted(VECTORS))
def test_the_boundaries_are_exact(name):
    data = VECTORS[name]
    before = np.array(data)
    boundaries = probability_distribution(data)
    assert boundaries.shape == (8,) and boundaries.dtype == np.float64
    np.testing.assert_allclose(boundaries, oracle(data), rtol=1e-6 if before.dtype == np.float32 else 1e-12)
    assert (boundaries[0], boundaries[-1]) == (before.min(), before.max())
    assert (np.diff(boundaries) >= 0).all()
    assert (np.array(data) == before).all()


@NO_WARNINGS
def test_boundaries_of_infinite_values_are_infinite_and_without_a_number_are_none():
    boundaries = probability_distribution([-np.inf, 1, 2, 3, 4, 5, 6, np.inf])
    many = probability_distribution(np.append(np.full(10000, -np.inf), np.full(20000, np.inf)))
    assert list(boundaries) == [-np.inf, 1, 2, 3, 4, 5, 6, np.inf]
    assert list(many) == 3 * [-np.inf] + 5 * [np.inf]
    assert np.isnan(probability_distribution([1, np.nan, 3])).all()


@pytest.mark.parametrize("data", [[], "text", None, [[1], [1, 2]], [1 + 2j], [True]])
def test_what_has_no_boundaries_is_named(data):
    with pytest.raises(ValueError, match=r"probability_distribution: data is .*, expected a vector of numbers"):
        probability_distribution(data)
