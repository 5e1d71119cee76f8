"""Fixtures that several test modules use."""

from made_up_run import history, picture  # noqa: F401
