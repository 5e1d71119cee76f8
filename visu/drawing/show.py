# SPDX-License-Identifier: Apache-2.0
"""What all ways to show a run have in common."""

from visu.channel import received
from visu.drawing.history import History
from visu.drawing.status import Pace, status_texts


class Show:
    """A way to show a run, in the process that draws. Messages, pairs of a name and arguments, call its methods."""

    def __init__(self, reply, style, iterations):
        self.reply, self.style, self.iterations = reply, style, iterations
        self.history = History()
        self.pace = Pace(iterations)
        self.i = 0
        self.state = "training"

    def run(self, stream):
        """Shows what comes in, until training has ended."""
        self.reply("ready")
        for messages in received(stream):
            self.take(messages)
            if messages[-1][0] == "end":
                return
        self.end("stopped")  # the training process is gone without a word

    def take(self, messages):
        """Calls the methods of these names: numbers of the run are the history's, everything else is its own."""
        for name, arguments in messages:
            getattr(self.history if hasattr(History, name) else self, name)(*arguments)

    def set_progress(self, i, seconds):
        """So many iterations are done, in so many seconds."""
        self.i = i
        self.pace.set(i, seconds)

    def status(self, live=True):
        """The texts of the status line. live: with the state and the pace, which are not the same on every run."""
        pace = self.pace.parts() if live and self.state == "training" else ()
        state = self.state if live else "training"
        return status_texts(self.style.name, self.history, self.i, self.iterations, pace, state)

    def end(self, state):
        """Training is over: it finished, or it was stopped."""
