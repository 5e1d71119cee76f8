# SPDX-License-Identifier: Apache-2.0
"""The line at the bottom of the picture, in words: how far and how fast a run is, and how well it does."""

import collections

from visu.channel import FINISHED, PAUSED, TRAINING
from visu.words import printable

SEPARATOR, NO_BREAK = " \u00b7 ", "\u00a0"  # lines break at separators only


class Pace:
    """How fast training is now: iterations a second over the last SPAN seconds of it, pauses left out."""

    SPAN = 10

    def __init__(self):
        self.recent = collections.deque()  # pairs (seconds, iterations)

    def take(self, progress):
        self.recent.append((progress.seconds, progress.iterations))
        while progress.seconds - self.recent[0][0] > self.SPAN:
            self.recent.popleft()

    def rate(self):
        """Iterations a second; None as long as that can't be told."""
        if not self.recent:
            return None
        (begin, first), (end, last) = self.recent[0], self.recent[-1]
        return (last - first) / (end - begin) if last > first and end > begin else None


def status_texts(run, record, progress, rate=None):
    """The line at the bottom of the picture: the script and how well it does, and how far and how fast it is.

    rate: iterations a second, or None to leave out what is not the same on every machine.
    """
    left, right = [printable(run.name)], [f"iteration {progress.iterations:,} of {run.iterations:,}"]
    training, test = record.newest["training"], record.newest["test"]
    if rate and progress.state == TRAINING and progress.iterations < run.iterations:
        right += pace_texts(rate, run.iterations - progress.iterations)
    if test and test.epoch is not None:
        left.append(f"epoch {test.epoch:.0f}")
    if record.best_test_accuracy is not None:
        left.append(f"best test accuracy {record.best_test_accuracy:.4f}")
    if progress.state != TRAINING:
        left.append(progress.state.upper() if progress.state in (PAUSED, FINISHED) else progress.state)
    if training and training.learning_rate is not None:
        right.append(f"learning rate {training.learning_rate:.3g}")
    return [SEPARATOR.join(part.replace(" ", NO_BREAK) for part in parts) for parts in (left, right)]


def pace_texts(rate, to_go):
    minutes, seconds = divmod(round(to_go / rate), 60)
    hours, minutes = divmod(minutes, 60)
    left = f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
    return [f"{rate:,.0f} iterations/s" if rate >= 10 else f"{rate:.1f} iterations/s", f"{left} left"]
