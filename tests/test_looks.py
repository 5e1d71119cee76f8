"""That windows and pictures look as they did when somebody last looked at them: tests/support/looks.py keeps them."""

import pytest

import looks


@pytest.mark.parametrize("name", looks.PICTURES)
def test_it_looks_as_it_did_when_it_was_kept(name):
    looks.compare(name)
