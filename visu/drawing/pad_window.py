# SPDX-License-Identifier: Apache-2.0
"""A window with a pad: the mouse draws on it, and the training process is asked what digit that is."""

import time

from visu.drawing.pad import Pad
from visu.drawing.window import WindowShow
from visu.style import KEYS, PAD_KEYS

PEN_BUTTON, RUBBER_BUTTON = 1, 3  # left and right, as matplotlib counts them
SHORTEST_INTERVAL = 0.03  # seconds between two drawings of the pad
DRAWING_SHARE = 1 / 4  # of the time, for the pad while somebody draws on it


class PadShow(WindowShow):
    """A window with a pad, which is drawn whenever the mouse or an answer has changed it."""

    keys = dict(KEYS, **PAD_KEYS)

    def __init__(self, reply, *arguments):
        self.pad = Pad(lambda number, image: reply("read", number, image))
        super().__init__(reply, *arguments)
        self.next_drawing = 0.0
        for event in ("button_press", "motion_notify", "button_release"):
            self.figure.canvas.mpl_connect(f"{event}_event", getattr(self, f"on_{event}"))
        self.figure.canvas.mpl_connect("figure_leave_event", lambda event: self.pad.sheet.lift_pen())

    def tick(self):
        self.draw_pad()
        return super().tick()

    def draw_pad(self):
        """Draws what has changed of it, unless that was drawn a moment ago: then the next tick will do."""
        begun = time.monotonic()
        if self.picture.pad_is_up and not self.resized and begun >= self.next_drawing:
            self.pad.look()
            self.picture.redraw_pad()
            now = time.monotonic()
            self.next_drawing = max(begun + SHORTEST_INTERVAL, now + (now - begun) * (1 / DRAWING_SHARE - 1))

    # the mouse

    def on_button_press(self, event):
        panel = self.picture.pad.sheet_panel
        zooms = self.figure.canvas.widgetlock.locked()  # or moves what a panel shows: the tool bar has the mouse
        if event.inaxes is panel.axes and event.button in (PEN_BUTTON, RUBBER_BUTTON) and not zooms:
            self.pad.sheet.put_pen(panel.place_of(event), rubs_out=event.button == RUBBER_BUTTON)
            self.draw_pad()

    def on_motion_notify(self, event):
        if self.pad.sheet.pen_is_down:
            self.pad.sheet.move_pen(self.picture.pad.sheet_panel.place_of(event))
            self.draw_pad()

    def on_button_release(self, event):
        self.pad.sheet.lift_pen()

    # keys

    def show_layout(self, key):
        if key == "0":
            self.picture.pad_is_up = False
        super().show_layout(key)

    def show_or_hide_pad(self, key):
        self.picture.show_pad(not self.picture.pad.sheet_panel.is_visible())
        self.forget_views()
        self.draw_frame()

    def clear_pad(self, key):
        if self.picture.pad_is_up:
            self.pad.clear()
            self.draw_frame()

    def centre_or_not(self, key):
        if self.picture.pad_is_up:
            self.pad.centre_or_not()
            self.draw_frame()

    # messages

    def show_answer(self, number, probabilities):
        self.pad.show_answer(number, probabilities)

    def stop_reading(self):
        self.pad.stop()

    def end(self, state):
        super().end(state)
        if state != "finished":
            self.stop_reading()
