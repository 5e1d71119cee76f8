# SPDX-License-Identifier: Apache-2.0
"""Options of a command line, checked by argparse, which says in one sentence what was expected."""

import argparse


def whole_number(least):
    """The type of an option that is a whole number, least or more."""

    def parse(text):
        if not (text.isascii() and text.isdigit()) or int(text) < least:
            raise argparse.ArgumentTypeError(f"{text!r}, expected a whole number, {least} or more")
        return int(text)

    return parse
