# SPDX-License-Identifier: Apache-2.0
"""What a person reads: what went wrong, and lines that any output can take."""

import sys


def first_line(error):
    """What an exception says, without the pages that some of them add."""
    return str(error).strip().split("\n")[0].rstrip(".") or type(error).__name__


def printable(text, encoding="utf-8"):
    """The text, with escapes in place of what the encoding lacks: the name of a file may have any characters."""
    return text.encode(encoding, "backslashreplace").decode(encoding)


def say(text, error=False):
    """Prints on standard output, or on standard error; what its encoding lacks comes as \\u escapes.

    Where standard output is closed, as by "| head", standard error takes the line.
    """
    streams = [stream for stream in (None if error else sys.stdout, sys.stderr) if stream]
    for stream in streams:
        try:
            print(printable(text, getattr(stream, "encoding", None) or "utf-8"), file=stream, flush=True)
            return
        except (OSError, ValueError):  # there may be another one
            continue
