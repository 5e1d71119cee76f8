# SPDX-License-Identifier: Apache-2.0
"""What a script records, in the one form in which MnistDataVis hands it to all that listen."""

import collections

# Of a curve: the iteration, two numbers that every point has, and two that are None where there is none
Point = collections.namedtuple("Point", "iteration accuracy loss learning_rate epoch")


class Listener:
    """Somebody who is told what a script records; each of these methods may stay as it is here, and do nothing.

    curve is one of visu.style.CURVES, x the iteration.
    """

    def add_point(self, curve, point):
        """A Point of a curve."""

    def add_distributions(self, x, weights, biases, titles):
        """All weights and all biases, arrays of any shape, and new titles of their two panels, or None for each."""

    def add_picture(self, curve, x, picture):
        """A picture of digits, uint8 [height, width, 3]. It is the script's, which may change it afterwards."""
