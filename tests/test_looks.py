"""That windows and pictures look as they did when somebody last looked at them: tests/support/looks.py keeps them."""

import numpy as np
import pytest

import looks


@pytest.mark.parametrize("name", looks.PICTURES)
def test_it_looks_as_it_did_when_it_was_kept(name):
    (picture, texts), (picture_then, texts_then) = looks.look(name), looks.kept(name)
    assert picture.shape == picture_then.shape
    differs = np.abs(picture.astype(int) - picture_then).max(axis=2) > 3
    assert not differs.any(), f"{differs.sum()} places differ"
    assert [text for text, *_ in texts] == [text for text, *_ in texts_then]
    for (text, x, y, *looks_like), (_, x_then, y_then, *looked_like) in zip(texts, texts_then):
        assert abs(x - x_then) <= 1 and abs(y - y_then) <= 1 and looks_like == looked_like, text
