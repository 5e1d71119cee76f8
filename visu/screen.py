# SPDX-License-Identifier: Apache-2.0
"""Where a window could open: the display and the back end that the environment names."""

import os
import sys

WINDOWLESS_BACKENDS = {"agg", "cairo", "nbagg", "pdf", "pgf", "ps", "svg", "template"}  # of matplotlib
NO_DISPLAY = "there is no display, the environment has no DISPLAY"


def display_name():
    """The display's name on Linux, or None; elsewhere no variable names the screen."""
    return os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY") or None


def lacks_display():
    """Whether there is surely no screen."""
    return sys.platform.startswith("linux") and not display_name()


def chosen_backend():
    """The back end of matplotlib that the user asked for, or None.

    One that begins with module:// was chosen by a notebook or an editor for programs of its own; it has no windows.
    """
    backend = os.environ.get("MPLBACKEND")
    return None if not backend or backend.startswith("module://") else backend
