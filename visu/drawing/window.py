# SPDX-License-Identifier: Apache-2.0
"""The window: what came in is drawn a few times a second, and at once when somebody pressed a key or drew."""

import os
import queue
import sys
import threading
import time
import traceback

from visu.channel import (
    FINISHED,
    PAUSED,
    TRAINING,
    Answer,
    Close,
    Closed,
    Digit,
    End,
    Patch,
    PauseOrResume,
    Pick,
    Ready,
    Show,
    Stays,
    StopReading,
    received,
)
from visu.drawing.backends import open_figure
from visu.drawing.pad import Pad, PadPanels
from visu.drawing.picture import Pace, Picture, status_texts
from visu.style import DIGIT_PANELS, KEYS, PAD_KEYS, PUT_KEYS

TICK, PAD_TICK = 0.05, 0.02  # seconds between two looks at the messages, and while the pad is up; keys wait for none
FRAME_INTERVALS = (0.1, 0.25)  # seconds between two frames, at least and at most
FRAME_SHARE = 1 / 40  # of the time, between these two: training needs the processor more

PEN_BUTTON, ERASER_BUTTON = 1, 3  # left and right, as matplotlib counts them
PAD_INTERVAL = 0.05  # seconds between two drawings of the pad, at least
PAD_SHARE = 1 / 4  # of the time, for the pad while somebody draws on it
ASKING_INTERVAL = 0.25  # seconds between two questions while the pen is down, at least
POINTER_REST = 0.2  # seconds after the last move of the mouse, before it counts as pointing

PAUSING = "pausing"  # what is said from a key press until the training process answers it


class WindowShow(Show):
    """A window, with a pad to draw digits on, if there is somebody to read them."""

    def __init__(self, reply, run, wished_backend, has_pad):
        super().__init__(reply, run)
        self.keys = dict(KEYS, **PAD_KEYS) if has_pad else KEYS
        self.figure = open_figure(run, self.keys, wished_backend)
        self.pad = Pad(reply) if has_pad else None
        panels_of_pad = (lambda make_axes: PadPanels(make_axes, self.pad)) if has_pad else None
        self.picture = Picture(self.figure, run, self.record, panels_of_pad)
        self.pace = Pace()
        self.messages = queue.Queue()
        self.next_frame = self.next_drawing = self.next_question = self.moved = 0.0
        self.resized = True  # then it is not enough to draw what changed
        self.is_ready = False  # whether there is something to see
        self.told = None  # the last failure of drawing that was told
        self.tiles = dict.fromkeys(PUT_KEYS.values(), 0)  # the next digit of each picture that a key puts on the pad
        self.connect()

    def connect(self):
        """Connects what happens in the window with the methods below."""
        connect = self.figure.canvas.mpl_connect
        connect("key_press_event", self.on_key)
        connect("resize_event", self.on_resize)
        connect("close_event", lambda event: self.close())
        if self.pad:
            connect("button_press_event", self.on_button_press)
            connect("motion_notify_event", self.on_motion_notify)
            connect("button_release_event", lambda event: self.lift_pen())
            connect("figure_leave_event", lambda event: self.lift_pen())

    def serve(self, stream):
        """Shows what comes in, until the window is closed."""
        import matplotlib.pyplot as plt  # not at the top, see open_figure

        threading.Thread(target=self.receive, args=(stream,), daemon=True).start()
        self.timer = self.figure.canvas.new_timer(interval=int(1000 * TICK))
        self.timer.add_callback(self.tick)
        self.timer.start()
        plt.show()
        self.close()  # if the back end did not say that the window was closed

    def receive(self, stream):
        last = None
        for messages in received(stream):
            last = messages[-1]
            self.messages.put(messages)
        stays_alone = isinstance(last, End) and last.state != FINISHED  # the program ended, and the window says why
        if not stays_alone:  # the training process is gone without a word
            self.messages.put([Close()])

    def tick(self):
        import matplotlib.pyplot as plt

        if not plt.fignum_exists(self.figure.number):  # WebAgg has no close_event
            self.close()
        try:
            while not self.messages.empty():
                for message in self.messages.get():
                    self.take(message)
            self.draw_pad()
            if self.pad and time.monotonic() >= self.moved + POINTER_REST:
                self.pad.ask_for_patch()
            if time.monotonic() >= self.next_frame:
                self.draw_frame()
        except Exception:  # it must show, and must not stop the timer: the next messages may be drawn again
            self.tell_once(traceback.format_exc())
        return True  # WebAgg's timer goes on only then

    def tell_once(self, failure):
        """Tells a failure, which may come again four times a second."""
        if failure != self.told:
            self.told = failure
            print(failure, file=sys.stderr, flush=True)

    def draw_frame(self):
        """Draws what has changed, and decides when to do so again."""
        shortest, longest = FRAME_INTERVALS
        begun = time.monotonic()
        self.next_frame = begun + longest  # even if it fails
        changed = self.picture.update(status_texts(self.run, self.record, self.progress, self.pace.rate()))
        if self.resized:
            self.resized = False
            self.figure.canvas.draw()
            if not self.is_ready:
                self.is_ready = True
                self.reply(Ready())
        elif changed:
            self.picture.redraw(changed)
        duration = time.monotonic() - begun
        self.next_frame = begun + duration + min(max(duration / FRAME_SHARE, shortest), longest)

    # messages

    def handlers(self):
        handlers = {**super().handlers(), Close: lambda message: self.close()}
        if self.pad:
            handlers.update({Answer: self.pad.show_answer, Patch: self.pad.show_patch, Digit: self.put_picked})
            handlers[StopReading] = lambda message: self.pad.stop()
        return handlers

    def take_progress(self, progress):
        state = progress.state
        if state != self.progress.state:
            self.next_frame = 0.0  # at once
        super().take_progress(progress)
        if state == TRAINING:
            self.pace.take(progress)

    def end(self, state):
        self.progress = self.progress._replace(state=state)
        self.next_frame = 0.0
        self.reply(Stays())
        if state != FINISHED:  # the program may end without waiting for the window: let go of its terminal
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, 1)
            os.dup2(nowhere, 2)

    def close(self):
        """The window is closed, or has to be."""
        self.reply(Closed())
        os._exit(0)  # and not return: the other thread waits for messages, and Python can't end in good order under it

    # keys

    def on_key(self, event):
        if event.key in self.keys:
            getattr(self, self.keys[event.key])(event.key)

    def show_layout(self, key):
        if key == "0":
            self.picture.pad_is_up = False
        self.picture.show_layout(key)
        if self.pad:
            self.adapt_to_pad()
        self.draw_rearranged()

    def show_all(self, key):
        self.show_layout("0")

    def reset_zooms(self, key):
        self.picture.reset_zooms()
        self.draw_rearranged()

    def draw_rearranged(self):
        """Draws other places or views of the panels: the tool bar's Home and Back would bring back the former ones."""
        self.forget_views()
        self.draw_frame()

    def forget_views(self):
        toolbar = self.figure.canvas.manager.toolbar
        if toolbar:
            toolbar.update()

    def pause_or_resume(self, key):
        if self.is_ready and self.progress.state in (TRAINING, PAUSING, PAUSED):
            self.reply(PauseOrResume())
            if self.progress.state == TRAINING:  # a step that takes long is completed first
                self.progress = self.progress._replace(state=PAUSING)
                self.draw_frame()

    def show_or_hide_pad(self, key):
        self.show_pad(not self.pad_is_seen())

    def pad_is_seen(self):
        """Or else it is hidden, or up in a layout without a place for it."""
        return self.picture.pad.sheet_panel.is_visible()

    def show_or_hide_layers(self, key):
        self.show_pad(True, not self.picture.layers_are_up)

    def show_pad(self, is_up, with_layers=False):
        self.picture.show_pad(is_up, with_layers)
        self.adapt_to_pad()
        self.draw_rearranged()

    def adapt_to_pad(self):
        """What nobody looks at is not asked for; and drawn digits are looked at more often."""
        if self.pad.shows_layers != self.picture.layers_are_up:
            self.pad.show_layers(self.picture.layers_are_up)
        self.timer.interval = int(1000 * (PAD_TICK if self.picture.pad_is_up else TICK))

    def change_scales(self, key):
        self.pad.has_own_scales = not self.pad.has_own_scales
        self.draw_frame()

    def put_digit(self, key):
        """Puts the next digit of a picture on the pad, the misrecognised ones first."""
        curve = PUT_KEYS[key]
        self.pick(curve, self.tiles[curve])
        self.tiles[curve] += 1

    def pick(self, curve, number):
        """Asks for the digit of a tile of a picture, exactly as it is."""
        pixels = self.picture.pixels(curve)
        if pixels is not None and not (pixels.shape[0] % 28 or pixels.shape[1] % 28):
            rows, columns = pixels.shape[0] // 28, pixels.shape[1] // 28
            row, column = divmod(number % (rows * columns), columns)
            self.reply(Pick(curve, pixels[28 * row : 28 * row + 28, 28 * column : 28 * column + 28]))

    def put_picked(self, digit):
        if digit.image is None:
            self.pad.note = "The script hands over no such digit."
            return
        self.pad.put(digit.image)
        if not self.pad_is_seen():
            self.show_pad(True)

    def clear_pad(self, key):
        if self.pad_is_seen():
            self.pad.clear()
            self.draw_frame()

    def centre_or_not(self, key):
        if self.pad_is_seen():
            self.pad.centre_or_not()
            self.draw_frame()

    # the mouse, and the size

    def on_button_press(self, event):
        panel = self.picture.pad.sheet_panel
        zooms = self.figure.canvas.widgetlock.locked()  # or moves what a panel shows: the tool bar has the mouse
        if event.inaxes is panel.axes and event.button in (PEN_BUTTON, ERASER_BUTTON) and not zooms:
            self.figure.canvas.grab_mouse(panel.axes)  # matplotlib need not look for the panel at each move
            self.pad.sheet.put_pen(panel.sheet_coordinates(event), erases=event.button == ERASER_BUTTON)
            self.next_question = time.monotonic() + ASKING_INTERVAL  # a short stroke is read once, when it is over
        elif event.button == PEN_BUTTON and not zooms:
            self.pick_at(event)

    def pick_at(self, event):
        """Somebody clicked on a digit of a picture, perhaps."""
        for number, curve in DIGIT_PANELS.items():
            panel = self.picture.panels[number - 1]
            if event.inaxes is panel.axes and panel.picture is not None:
                height, width = panel.picture.shape[:2]
                if 0 <= event.xdata < width and 0 <= event.ydata < height:  # what was moved leaves paper beside it
                    self.pick(curve, int(event.ydata // 28) * (width // 28) + int(event.xdata // 28))

    def on_motion_notify(self, event):
        self.moved = time.monotonic()
        if self.pad.sheet.pen_is_down:
            self.pad.sheet.move_pen(self.picture.pad.sheet_panel.sheet_coordinates(event))
            self.draw_pad()
        elif self.picture.layers_are_up and self.pad.layers:
            layers_panel = self.picture.pad.layers_panel
            if event.inaxes is layers_panel.axes:
                self.pad.point_at(layers_panel.find(event))

    def lift_pen(self):
        self.figure.canvas.release_mouse(self.picture.pad.sheet_panel.axes)
        self.pad.sheet.lift_pen()
        self.next_drawing = 0.0
        self.draw_pad()

    def draw_pad(self):
        """Draws what has changed of it; while somebody draws, no more often than the training can bear."""
        begun = time.monotonic()
        if self.picture.pad_is_up and not self.resized and begun >= self.next_drawing:
            if not self.pad.sheet.pen_is_down or begun >= self.next_question:
                self.pad.look()
                self.next_question = begun + ASKING_INTERVAL
            self.picture.redraw_pad(with_layers=self.pad.sheet.pen_is_down or self.pad.is_answered)
            now = time.monotonic()
            if self.pad.sheet.pen_is_down:
                self.next_drawing = max(begun + PAD_INTERVAL, now + (now - begun) * (1 / PAD_SHARE - 1))

    def on_resize(self, event):
        self.picture.fit_to_size()
        self.forget_views()
        self.resized = True
