# SPDX-License-Identifier: Apache-2.0
"""Measures what the lesson says of the insides of the networks, after whole runs of stages with seed 0.

    .venv/bin/python docs/inside.py                 stages 1.0, 2.1, 2.2 and 3.1: some minutes
    .venv/bin/python docs/inside.py 2.1             one of them

silent       neurons and channels of each layer that are above 0 for none of the 10,000 test digits
dead         those of them that are above 0 for none of the 60,000 training digits either
active       of those that are not silent, how many are above 0 for a digit, on average over the test digits
across, down what the values of each channel of a first convolutional layer add up to for a horizontal bar, and for a
             vertical one, beyond what they are for an empty image
"""

import argparse
import contextlib
import io
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from stage_runs import Stage, read_source, text_only  # noqa: E402  (the project is not installed)

PIECE = 500  # digits: the layers of all at once would take gigabytes


def bar(lies):
    """A bar of 4 x 16 pixels in the middle of an image, [1, 28, 28, 1], horizontal or vertical."""
    image = np.zeros([1, 28, 28, 1], np.float32)
    image[0, 12:16, 6:22] = 1
    return image if lies else image.swapaxes(1, 2)


def activity(read, images):
    """For how many of these images each neuron or channel is above 0: an array for each layer."""
    counts = None
    for piece in np.array_split(images, len(images) // PIECE):
        layers = [layer.reshape(len(piece), -1, layer.shape[-1]).max(axis=1) > 0 for layer in read(piece)[1:]]
        sums = [layer.sum(axis=0) for layer in layers]
        counts = sums if counts is None else [a + b for a, b in zip(counts, sums)]
    return counts


def report(number, iterations=None):
    (path,) = ROOT.glob(f"mnist_{number}_*.py")
    with contextlib.redirect_stdout(io.StringIO()):
        script = Stage(read_source(path), path, iterations=iterations).run(text_only)
    read, mnist = script["read"], script["mnist"]
    print(f"\n{path.name}\n\n| layer | neurons or channels | silent | dead | active |\n|---|---|---|---|---|")
    both = zip(activity(read, mnist.test.images), activity(read, mnist.train.images))
    for layer, (counts, in_training) in enumerate(both, 1):
        silent, dead = counts == 0, counts + in_training == 0
        active = f"{counts.sum() / mnist.test.num_examples:.1f} of {(~silent).sum()}"
        print(f"| {layer} | {len(counts)} | {silent.sum()} | {dead.sum()} | {active} |")
    first = read(bar(lies=True))[1]
    if first.ndim == 4 and number != "1.0":
        empty = read(np.zeros([1, 28, 28, 1], np.float32))[1]
        across, down = ((read(bar(lies))[1] - empty).sum(axis=(0, 1, 2)) for lies in (True, False))
        print("\n| channel | across | down |\n|---|---|---|")
        for channel, values in enumerate(zip(across, down), 1):
            print("| {} | {:.1f} | {:.1f} |".format(channel, *values))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stages", nargs="*", default=["1.0", "2.1", "2.2", "3.1"], help="their numbers")
    parser.add_argument("--iterations", type=int, help="train no longer than that, to try a change")
    options = parser.parse_args()
    for number in options.stages:
        report(number, options.iterations)


if __name__ == "__main__":
    main()
