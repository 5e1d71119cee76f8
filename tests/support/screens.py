"""Screens that nobody sees (Xvfb), and programs with a window on them, worked with keys and a mouse (xdotool)."""

import contextlib
import importlib.util
import os
import re
import subprocess
import time

import numpy as np
import pytest
from PIL import ImageGrab, features

from helpers import PATIENCE, environment, require, wait_until
from programs import Program, start

WIDTH, HEIGHT = 1344, 756  # pixels of the picture in the window
TWO_FRAMES = 0.6  # seconds that two of them take at most, and a little more


@contextlib.contextmanager
def xvfb(size):
    """A display of that size, as "1440x900"; yields its name."""
    require("Xvfb", "xdotool")
    if not features.check("xcb"):
        pytest.skip("needs a Pillow that takes screenshots of X")
    read_end, write_end = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write_end), "-noreset", "-dpi", "96", "-screen", "0", f"{size}x24"],
        pass_fds=[write_end],
        stderr=subprocess.DEVNULL,
    )
    os.close(write_end)
    with os.fdopen(read_end) as answer:
        yield f":{answer.readline().strip()}"
    server.terminate()
    server.wait()


def xdotool(screen, *arguments):
    command = ["xdotool", *arguments]
    return subprocess.run(command, env=environment(DISPLAY=screen), stdout=subprocess.PIPE).stdout.decode().split()


def slowness():
    """How many times as long as alone on the machine a computation takes now."""
    begun, computed = time.monotonic(), time.process_time()
    while time.process_time() - computed < 0.03:
        pass
    return max(1, (time.monotonic() - begun) / 0.03)


class WindowedProgram(Program):
    """A script that runs with a window, of the toolkit "TkAgg" or "QtAgg"; its errors are apart from its output."""

    def __init__(self, source, folder, screen, toolkit, name="lesson.py", start=start):
        if toolkit == "QtAgg" and not importlib.util.find_spec("PySide6"):
            pytest.skip("needs the package PySide6")
        super().__init__(source, folder, name, subprocess.PIPE, start, DISPLAY=screen, MPLBACKEND=toolkit)
        self.name, self.screen, self.toolkit = os.path.splitext(name)[0], screen, toolkit
        self.number = None  # of its window

    def xdotool(self, *arguments):
        command = ["xdotool", *map(str, arguments)]
        return subprocess.check_output(command, env=self.env, encoding="utf-8", timeout=PATIENCE)

    def window(self, name=None):
        """The number of the window of this name, its own unless told, as soon as it can be seen."""
        if not name:
            self.number = self.number or self.window(f"^{re.escape(self.name)}$")
            return self.number
        command = ["xdotool", "search", "--onlyvisible", "--name", name]

        def search():
            return subprocess.run(command, env=self.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE).stdout.split()

        return wait_until(search, "there is a window")[-1].decode()

    def press(self, key):
        # with a window to send it to, xdotool would make up an event in place of a real key press
        self.xdotool("windowfocus", "--sync", self.window(), "key", key)

    def geometry(self):
        """Left, top, width and height of the window."""
        text = self.xdotool("getwindowgeometry", "--shell", self.window())
        return [
            int(re.search(rf"^{name}=(\d+)", text, re.MULTILINE).group(1)) for name in ("X", "Y", "WIDTH", "HEIGHT")
        ]

    def screenshot(self):
        """The window with its tool bar, uint8 [height, width, 3]."""
        x, y, width, height = self.geometry()
        return np.array(ImageGrab.grab((x, y, x + width, y + height), xdisplay=self.screen).convert("RGB"))

    def picture(self):
        """What matplotlib has drawn in it: Tk has its tool bar below, Qt above."""
        shot = self.screenshot()
        return shot[:HEIGHT] if self.toolkit == "TkAgg" else shot[-HEIGHT:]

    def picture_that(self, shows, what):
        """The picture, as soon as it is as a function of it says, and stands still."""
        wait_until(lambda: shows(self.picture()), what)
        return self.still_picture()

    def changed_picture(self, former):
        """The picture, as soon as it is another one than the former, and stands still."""
        return self.picture_that(lambda picture: (picture != former).any(), "the picture changes")

    def still_picture(self):
        """The picture, as soon as it does not change any more for longer than two frames take."""
        pictures = [self.picture()]

        def stands_still():
            time.sleep(TWO_FRAMES * slowness())
            pictures.append(self.picture())
            return (pictures[-1] == pictures[-2]).all()

        wait_until(stands_still, "the picture stands still")
        return pictures[-1]

    def drag(self, begin, end):
        """With the mouse, from and to places of the picture: columns and rows of its pixels."""
        self.stroke(*(tuple(b + part * (e - b) for b, e in zip(begin, end)) for part in (0, 0.3, 0.6, 1)))

    def stroke(self, *places, button=1, pause=0.03):
        """With a button of the mouse, from place to place of the picture; pause: seconds between two places."""
        x, y, _, height = self.geometry()
        top = y if self.toolkit == "TkAgg" else y + height - HEIGHT
        first, *others = [["mousemove", x + round(column), top + round(row)] for column, row in places]
        moves = [word for move in others for word in ("sleep", pause, *move)]
        self.xdotool(*first, "mousedown", button, *moves, "sleep", pause, "mouseup", button)
