# SPDX-License-Identifier: Apache-2.0
"""What the command lines of several programs share: whole numbers, names of files, and what is printed."""

import argparse
import glob
import os
import statistics
import sys


def whole_number(least):
    """The type of an option that is a whole number, least or more; argparse says in one sentence what was expected."""

    def parse(text):
        if not (text.isascii() and text.isdigit()) or int(text) < least:
            raise argparse.ArgumentTypeError(f"{text!r}, expected a whole number, {least} or more")
        return int(text)

    return parse


def named_by(names):
    """The paths that names on a command line stand for; where a shell leaves * ? [ ] alone, they are taken as it does.

    A name that exists stands for itself, whatever it has in it, and so does one that matches nothing.
    """
    paths = []
    for name in names:
        paths += [name] if os.path.lexists(name) else sorted(glob.glob(name)) or [name]
    return paths


def print_everything():
    """Lets print escape what standard output can't encode, like the name of a file, and not fail.

    A pipe of Windows has an alphabet of one part of the world.
    """
    if hasattr(sys.stdout, "reconfigure"):  # IDLE's, which prints all, has no such method
        sys.stdout.reconfigure(errors="backslashreplace")


def spread(values, digits=2):
    """Numbers as text: the median, and of several the lowest and the highest too, like 0.98 (0.97 to 0.99)."""
    middle, low, high = (f"{value:,.{digits}f}" for value in (statistics.median(values), min(values), max(values)))
    return f"{middle} ({low} to {high})" if len(values) > 1 else middle
