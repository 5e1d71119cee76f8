"""Fixtures that several test modules use."""

from pictures import history, picture  # noqa: F401
