# SPDX-License-Identifier: Apache-2.0
"""The window: what came in is drawn a few times a second, and at once when somebody pressed a key."""

import os
import queue
import threading
import time
import traceback

from visu.channel import received
from visu.drawing.backends import open_figure
from visu.drawing.picture import Picture
from visu.drawing.show import Show
from visu.style import KEYS

TICK = 0.05  # seconds between two looks at the messages; keys do not wait for that
FRAME_INTERVALS = (0.1, 0.25)  # seconds between two frames, at least and at most
DRAWING_SHARE = 1 / 40  # of the time, between these two: training needs the processor more


class WindowShow(Show):
    """The window: what came in is drawn a few times a second, and at once when somebody pressed a key."""

    keys = KEYS
    pad = None

    def __init__(self, reply, style, iterations, wished_backend):
        super().__init__(reply, style, iterations)
        figure = self.figure = open_figure(style, self.keys, wished_backend)
        self.picture = Picture(figure, style, self.history, iterations, self.pad)
        self.messages = queue.Queue()
        self.next_frame = 0.0
        self.resized = True  # then it is not enough to draw what changed
        self.ready = False  # whether there is something to see
        self.timer = figure.canvas.new_timer(interval=int(1000 * TICK))
        self.timer.add_callback(self.tick)
        figure.canvas.mpl_connect("key_press_event", self.on_key)
        figure.canvas.mpl_connect("resize_event", self.on_resize)
        figure.canvas.mpl_connect("close_event", lambda event: self.close())

    def run(self, stream):
        """Shows what comes in, until the window is closed."""
        import matplotlib.pyplot as plt  # not at the top, see open_figure

        threading.Thread(target=self.receive, args=(stream,), daemon=True).start()
        self.timer.start()
        plt.show()
        self.close()  # if the back end did not say that the window was closed

    def receive(self, stream):
        over = False
        for messages in received(stream):
            name, arguments = messages[-1]
            over = name == "end" and arguments != ("finished",)  # then it may end, and the window stays
            self.messages.put(messages)
        if not over:  # the training process is gone without a word
            self.messages.put([("close", ())])

    def tick(self):
        import matplotlib.pyplot as plt

        if not plt.fignum_exists(self.figure.number):  # WebAgg has no close_event
            self.close()
        try:
            while not self.messages.empty():
                self.take(self.messages.get())
            if time.monotonic() >= self.next_frame:
                self.draw_frame()
        except Exception:  # it must show, and must not stop the timer: the next messages may be drawn again
            traceback.print_exc()
        return True  # WebAgg's timer goes on only then

    def draw_frame(self):
        """Draws what has changed, and decides when to do so again."""
        shortest, longest = FRAME_INTERVALS
        begun = time.monotonic()
        self.next_frame = begun + longest  # even if it fails
        changed = self.picture.update(self.status())
        if self.resized:
            self.resized = False
            self.figure.canvas.draw()
            if not self.ready:
                self.ready = True
                self.reply("ready")
        elif changed:
            self.picture.redraw(changed)
        duration = time.monotonic() - begun
        self.next_frame = begun + duration + min(max(duration / DRAWING_SHARE, shortest), longest)

    # keys

    def on_key(self, event):
        if event.key in self.keys:
            getattr(self, self.keys[event.key])(event.key)

    def show_layout(self, key):
        self.picture.show_layout(key)
        self.forget_views()
        self.draw_frame()

    def show_all(self, key):
        self.show_layout("0")

    def reset_zooms(self, key):
        self.picture.reset_zooms()
        self.forget_views()
        self.draw_frame()

    def forget_views(self):
        """Empties the tool bar's memory: its Home and Back would bring back the places of another layout, too."""
        toolbar = self.figure.canvas.manager.toolbar
        if toolbar:
            toolbar.update()

    def pause_or_resume(self, key):
        if self.ready and self.state in ("training", "paused"):
            self.state = "training" if self.state == "paused" else "paused"
            self.reply("paused" if self.state == "paused" else "resumed")
            self.draw_frame()

    # other events

    def on_resize(self, event):
        self.picture.fit_to_size()
        self.forget_views()
        self.resized = True

    # messages

    def end(self, state):
        self.state = state
        if state != "finished":  # the program may end without waiting for the window: let go of its terminal
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, 1)
            os.dup2(nowhere, 2)

    def close(self):
        """The window is closed, or has to be."""
        self.reply("closed")
        os._exit(0)  # and not return: the other thread waits for messages, and Python can't end in good order under it
