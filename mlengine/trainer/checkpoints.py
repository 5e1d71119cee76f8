# SPDX-License-Identifier: Apache-2.0
"""What is in a job folder: which checkpoints, whether the last one of the training, and whether its SavedModel.

The file "checkpoint" lists them, and TensorFlow follows the paths in it, wherever they lead. A job folder may have been
moved or copied, and each task of a cluster may see it at another place: so of these paths only the names count.
"""

import os

import tensorflow.compat.v1 as tf


def checkpoints_in(job_dir):
    """The paths of the checkpoints in a job folder, the newest last."""
    state = tf.train.get_checkpoint_state(job_dir)
    listed = state.all_model_checkpoint_paths if state else []
    paths = [f"{job_dir}/{os.path.basename(path)}" for path in listed]
    return [path for path in paths if tf.io.gfile.exists(f"{path}.index")]


def newest_checkpoint(job_dir):
    """The path of the newest checkpoint in a job folder, None if there is none yet."""
    return (checkpoints_in(job_dir) or [None])[-1]


def step_of(checkpoint):
    """The iteration after which a checkpoint was written, by its name; 0 if there is none."""
    return int(checkpoint.rpartition("-")[2]) if checkpoint else 0


def newest_step(job_dir):
    """The iteration of the newest checkpoint in a job folder, 0 if there is none yet."""
    return step_of(newest_checkpoint(job_dir))


def is_complete(options):
    """Whether the last checkpoint of the training is there."""
    return newest_step(options.job_dir) >= options.hp_iterations


def export_folder(job_dir, step):
    """The path of the SavedModel of an iteration."""
    return f"{job_dir}/export/{step}"


def is_exported(options):
    """Whether there is a SavedModel of the last checkpoint, too. After it the chief writes nothing more."""
    return is_complete(options) and tf.io.gfile.exists(export_folder(options.job_dir, newest_step(options.job_dir)))
