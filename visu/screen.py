# SPDX-License-Identifier: Apache-2.0
"""What this place can show: the display and the back end that the environment names, a notebook, a prompt."""

import os
import sys

WINDOWLESS_BACKENDS = {"agg", "cairo", "nbagg", "pdf", "pgf", "ps", "svg", "template"}  # of matplotlib
NO_DISPLAY = "there is no display: the environment has no DISPLAY"


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


def in_ipython():
    """Whether this runs in an IPython kernel: a notebook, Spyder. (Its terminal is one like any other.)"""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    return getattr(shell, "kernel", None) is not None


def in_notebook():
    """Whether there is a notebook for pictures. Spyder has a screen, and can't replace a picture by a newer one."""
    return in_ipython() and "spyder_kernels" not in sys.modules


def leads_to_prompt():
    """Whether a prompt follows this program, or is where it was typed in: it does not wait for windows, then."""
    is_of_python = hasattr(sys, "ps1") or sys.flags.interactive or os.environ.get("PYTHONINSPECT")
    is_of_ipython = "IPython" in sys.modules and sys.modules["IPython"].get_ipython()
    is_of_idle = "idlelib.run" in sys.modules
    return bool(is_of_python or is_of_ipython or is_of_idle)
