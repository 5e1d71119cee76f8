# SPDX-License-Identifier: Apache-2.0
"""What there is to show of a digit that somebody draws, and of how the network reads it."""

import numpy as np

from visu.drawing.pen import Sheet
from visu.ink import as_it_lies, as_mnist

MAGNIFIED = 8  # times, so that single pixels can be told apart
FAINTEST = 0.1  # ink, where 1 is all: less than that is none


class Pad:
    """A sheet to draw on, the digit as the network sees it, and its answer.

    ask(number, image) is called with what to read: the number of the digit, one more each time that the sheet has
    become empty, and float32 [28, 28], 0 is paper and 1 is ink, or None when there is nothing to read any more.
    """

    def __init__(self, ask):
        self.ask = ask
        self.sheet = Sheet()
        self.number = 0
        self.centred = True  # and scaled, as MNIST's digits are; or else as it lies
        self.nobody_reads = False  # any longer
        self.read = self.sheet.pixels  # what it was last asked about
        self.show_image(None)

    def show_image(self, image):
        """What the network is to see now, or None."""
        self.image = image
        shades = np.uint8(np.round(255 - 255 * (np.zeros([28, 28]) if image is None else image)))
        self.seen = shades.repeat(MAGNIFIED, axis=0).repeat(MAGNIFIED, axis=1)  # uint8 [224, 224], 255 is paper
        if image is None:
            self.probabilities = None

    def look(self):
        """Asks what the digit is, if something has been drawn since."""
        if self.read is self.sheet.pixels:
            return
        self.read = self.sheet.pixels
        ink = (255 - self.read) / np.float32(255)
        image = as_mnist(ink) if self.centred else as_it_lies(ink)
        was_empty = self.image is None
        self.show_image(None if image is None or image.max() < FAINTEST else image)
        if self.image is not None or not was_empty:
            self.number += was_empty
            self.ask(self.number, self.image)

    def clear(self):
        self.sheet.clear()
        self.look()

    def centre_or_not(self):
        self.centred = not self.centred
        self.read = None
        self.look()

    def show_answer(self, number, probabilities):
        """The probabilities [10] of a digit, or None, if they could not be computed."""
        if number == self.number and self.image is not None:
            self.probabilities = probabilities

    def stop(self):
        """Nobody reads what is drawn any longer."""
        self.nobody_reads, self.probabilities = True, None

    def hints(self):
        """What to do with it, in two lines."""
        if self.nobody_reads:
            return "The program does not wait for this window:\nit reads no more digits."
        state = "on" if self.centred else "off"
        return f"left button draws, right button erases\nc: clear    m: centre as in MNIST ({state})"
