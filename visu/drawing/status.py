# SPDX-License-Identifier: Apache-2.0
"""The line at the bottom of the picture, in words: how far and how fast a run is, and how well it does."""

import collections

from visu.words import printable

SEPARATOR, NO_BREAK = " \u00b7 ", "\u00a0"  # lines break at separators only


class Pace:
    """How fast training is now: iterations a second over the last SPAN seconds of it, pauses left out."""

    SPAN = 10

    def __init__(self, iterations):
        self.iterations, self.i = iterations, 0
        self.recent = collections.deque()  # pairs (seconds, i)

    def set(self, i, seconds):
        self.i = i
        self.recent.append((seconds, i))
        while seconds - self.recent[0][0] > self.SPAN:
            self.recent.popleft()

    def rate(self):
        """Iterations a second; None as long as that can't be told."""
        (begin, first), (end, last) = self.recent[0], self.recent[-1]
        return (last - first) / (end - begin) if last > first and end > begin else None

    def parts(self):
        """What the status line says about it."""
        rate = self.rate() if self.recent else None
        if not rate or self.i == self.iterations:
            return []
        minutes, seconds = divmod(round((self.iterations - self.i) / rate), 60)
        hours, minutes = divmod(minutes, 60)
        left = f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
        return [f"{rate:,.0f} iterations/s" if rate >= 10 else f"{rate:.1f} iterations/s", f"{left} left"]


def status_texts(name, history, i, iterations, pace=(), state="training"):
    """The line at the bottom of the picture: the script and how well it does, and how far and how fast it is."""
    left, right = [printable(name)], [f"iteration {i:,} of {iterations:,}", *pace]
    if history.epoch is not None:
        left.append(f"epoch {history.epoch:.0f}")
    if history.best_test_accuracy is not None:
        left.append(f"best test accuracy {history.best_test_accuracy:.4f}")
    if state != "training":
        left.append(state.upper() if state in ("paused", "finished") else state)
    if history.learning_rate is not None:
        right.append(f"learning rate {history.learning_rate:.3g}")
    return [SEPARATOR.join(part.replace(" ", NO_BREAK) for part in parts) for parts in (left, right)]
