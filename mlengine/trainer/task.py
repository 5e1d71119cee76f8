# SPDX-License-Identifier: Apache-2.0
"""Trains the network of stage 3.1 on one machine, or as one task of the cluster that TF_CONFIG describes.

    python3 -m trainer.task --job-dir job                     in the folder mlengine of a clone, or with the package
    python3 mlengine/trainer/task.py --job-dir job            anywhere in a clone

Started again with the same --job-dir, it goes on where it stopped. Checkpoints, event files for TensorBoard and, at the
end, the SavedModel export/<iteration> go to that folder. All tasks of a cluster need the same one, so there it has to
be one that they share, or gs://.

Exit status: 0 when the training is complete, 1 when it failed, 2 for options or a TF_CONFIG that can't be used, 143
after SIGTERM and 130 after Ctrl-C, with a checkpoint written.
"""

import argparse
import os
import sys

if __package__ != "trainer":  # started by its path, or as a part of mlengine
    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    import trainer  # noqa: F401, it says where command_line is

from command_line import print_everything, whole_number
from trainer.tf_config import ConfigError, parse_tf_config

os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # what goes wrong comes as an exception, and is told once


def number_between(low, high, expected):
    def parse(text):
        try:
            value = float(text)
        except ValueError:
            value = high
        if not low <= value < high:
            raise argparse.ArgumentTypeError(f"{text!r}, expected {expected}")
        return value

    return parse


def folder(text):
    """A path, in which ~ is the user's own folder: a shell leaves it in --job-dir=~/job."""
    if not text:
        raise argparse.ArgumentTypeError("'', expected the name of a folder")
    return os.path.expanduser(text)


def job_folder(text):
    """A path that TensorFlow takes for what it is."""
    path = folder(text).rstrip("/") or "/"
    patterns = [character for character in "*?[\\" if character in path and character != os.sep]
    if patterns:
        raise argparse.ArgumentTypeError(
            f"{path!r} has {patterns[0]} in it, which TensorFlow takes for a pattern of names: choose another name"
        )
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        raise argparse.ArgumentTypeError(f"{path!r} is not UTF-8, as TensorFlow expects: choose another name")
    return path


def parse_options(arguments):
    parser = argparse.ArgumentParser(
        prog="trainer.task",
        description="Trains the network of stage 3.1, on one machine or as the task of a cluster that TF_CONFIG names.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
        allow_abbrev=False,
    )
    positive, rate = whole_number(1), number_between(0, float("inf"), "a number, 0 or more")
    fraction = number_between(0, 1, "a number from 0 to below 1")
    add = parser.add_argument
    add(
        "--job-dir",
        type=job_folder,
        required=True,
        help="folder for checkpoints, event files and the SavedModel; may be gs://",
    )
    add("--data-dir", type=folder, default="data", help="folder of the digits, as mnistdata reads it; may be gs://")
    add("--sync", action="store_true", help="each iteration takes a batch of every trainer of the cluster, together")
    add("--seed", type=whole_number(0), default=0, help="of the random numbers")
    add("--checkpoint-every", type=positive, default=500, metavar="N", help="iterations between two checkpoints")
    add("--hp-iterations", type=positive, default=10000, metavar="N", help="after how many iterations it is complete")
    add("--hp-batch", type=positive, default=100, metavar="N", help="images of a batch")
    add("--hp-learning-rate", type=rate, default=0.003, metavar="X", help="what decays, in addition to the minimum")
    add("--hp-learning-rate-min", type=rate, default=0.0001, metavar="X", help="what it decays towards")
    add("--hp-decay-steps", type=positive, default=2000, metavar="N", help="iterations in which it decays to 37 %%")
    add("--hp-dropout", type=fraction, default=0.25, metavar="P", help="probability that a dense neuron is dropped")
    add("--hp-depth1", type=positive, default=6, metavar="N", help="channels of the first convolutional layer")
    add("--hp-depth2", type=positive, default=12, metavar="N", help="of the second")
    add("--hp-depth3", type=positive, default=24, metavar="N", help="of the third")
    add("--hp-dense", type=positive, default=200, metavar="N", help="neurons of the dense layer")
    return parser.parse_args(arguments)


def main(arguments=None):
    print_everything()
    options = parse_options(arguments)
    try:
        task = parse_tf_config(os.environ.get("TF_CONFIG"))
        # Only now, as both take seconds. tensorflowsetup sets TensorFlow up: quiet, and fast on this machine.
        import tensorflowsetup  # noqa: F401, I001
        from trainer import roles

        return roles.run_task(task, options)
    except ConfigError as error:
        print(f"trainer.task: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
