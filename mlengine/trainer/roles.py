# SPDX-License-Identifier: Apache-2.0
"""What each kind of task does, from its start to its exit status."""

import contextlib
import sys
import tempfile
import time

import tensorflow.compat.v1 as tf

import mnistdata
from trainer.checkpoints import is_complete, is_exported, newest_checkpoint, newest_step
from trainer.evaluation import CheckpointError, Evaluation
from trainer.stopping import Stopping
from trainer.training import start_server, train

POLL = 1  # seconds between two looks for a new checkpoint
LAST_WORDS = 10  # seconds that a parameter server stays after a signal, for the chief to write its checkpoint


def run_task(task, options):
    """Does the part of a task in the training, and returns the exit status.

    Raises ConfigError for an address that can't be had; ends with one sentence and status 1 if anything else fails.
    """
    role = {"ps": serve, "evaluator": evaluate}.get(task.type, run_chief if task.is_chief else run_worker)
    finds_out_itself = role in (run_chief, evaluate)
    try:
        tf.io.gfile.makedirs(options.job_dir)
        stopping = Stopping(None if finds_out_itself else lambda: has_ended(task, options))
        role(task, options, stopping)
        return stopping.status
    except CheckpointError as error:
        sys.exit(f"trainer.task: {error}")
    except tf.train.NanLossDuringTrainingError:
        sys.exit(
            "trainer.task: the loss is not a number any more: try a smaller --hp-learning-rate, in a new --job-dir"
        )
    except tf.errors.OpError as error:
        reason = f"{type(error).__name__}: {error}".strip().splitlines()[0]
        sys.exit(f"trainer.task: {task.name} of --job-dir {options.job_dir} failed ({reason})")


def has_ended(task, options):
    """Whether a worker or a parameter server may leave, the latter only after the chief has closed its session.

    That would wait for ever for a parameter server that left with the last checkpoint.
    """
    return is_exported(options) if task.type == "ps" else is_complete(options)


def run_chief(task, options, stopping):
    """Chief, or alone: trains, and writes what is left of the training."""
    evaluation = Evaluation(options)
    begun_from = newest_checkpoint(options.job_dir)
    if begun_from:
        evaluation.restore(begun_from)  # if it is of another network, say so now

    data = read_digits(options)

    def report(checkpoint):
        evaluation.report(checkpoint, data.test)

    if not is_complete(options):
        server = None if task.is_alone else start_server(task)
        train(task, options, data.train, stopping, server, report if task.is_alone else None)
        if stopping.status:
            return
    checkpoint = newest_checkpoint(options.job_dir)
    if evaluation.reported != checkpoint:
        report(checkpoint)
    print(f"SavedModel: {evaluation.export()}", flush=True)


def run_worker(task, options, stopping):
    """Worker: trains, until the chief has written the last checkpoint."""
    train(task, options, read_digits(options).train, stopping, start_server(task))


def serve(task, options, stopping):
    """Parameter server: keeps its share of the weights, until the chief has written the SavedModel."""
    start_server(task)
    stopping.wait()
    if stopping.status:
        wait_for_checkpoint(options.job_dir, LAST_WORDS)


def wait_for_checkpoint(job_dir, seconds):
    """Waits until there is a new checkpoint in a job folder, or for so many seconds."""
    seen = set()
    for _ in range(seconds):
        with contextlib.suppress(tf.errors.OpError):  # a look that fails shows nothing new
            seen.add(newest_step(job_dir))
        if len(seen) > 1:
            return
        time.sleep(1)


def evaluate(task, options, stopping):
    """Evaluator: tests the newest checkpoint, until it was the last one: the chief has written a SavedModel of it."""
    evaluation, test = Evaluation(options), read_digits(options).test
    while not stopping.is_due():
        is_last = is_exported(options)  # then no other checkpoint follows the newest
        checkpoint = newest_checkpoint(options.job_dir)
        if checkpoint not in (None, evaluation.reported):
            evaluation.report(checkpoint, test)
        elif is_last:
            return
        else:
            stopping.wait(POLL)


def read_digits(options):
    """The digits, in the same order in all tasks, and in another one where a training goes on."""
    seed = options.seed + newest_step(options.job_dir)
    if "://" not in options.data_dir:
        return mnistdata.read_data_sets(options.data_dir, one_hot=True, reshape=False, seed=seed)
    with tempfile.TemporaryDirectory() as folder:
        for name in tf.io.gfile.listdir(options.data_dir):
            if not tf.io.gfile.isdir(f"{options.data_dir}/{name}"):
                tf.io.gfile.copy(f"{options.data_dir}/{name}", f"{folder}/{name}")
        return mnistdata.read_data_sets(folder, one_hot=True, reshape=False, seed=seed)
