# SPDX-License-Identifier: Apache-2.0
"""What a person reads: what went wrong, and lines that any output can take."""

import sys


def first_line(error):
    """What an exception says, without the pages that some of them add."""
    return str(error).strip().split("\n")[0].rstrip(".") or type(error).__name__


def printable(text, encoding="utf-8"):
    """The text, with escapes in place of what the encoding lacks: the name of a file may have any characters."""
    return text.encode(encoding, "backslashreplace").decode(encoding)


def say(text, end="\n", error=False):
    """Prints on standard output, or on standard error; what its encoding lacks comes as \\u escapes.

    A file's name may have any characters, and a line that tells of it must not end a training.
    """
    stream = sys.stderr if error else sys.stdout
    print(printable(text, getattr(stream, "encoding", None) or "utf-8"), end=end, file=stream, flush=True)
