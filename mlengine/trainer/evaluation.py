# SPDX-License-Identifier: Apache-2.0
"""What a checkpoint is worth: its accuracy on the test digits, for TensorBoard too, and its SavedModel, to serve."""

import numpy as np
import tensorflow.compat.v1 as tf

from tensorflowsetup import suit_threads_to
from trainer import network
from trainer.checkpoints import export_folder, step_of

PIECES = 10  # the channels of all test images at once would take a gigabyte


class CheckpointError(ValueError):
    """A checkpoint that does not fit the options, said in one sentence."""


class Evaluation:
    """The network in a graph and a session of its own, for weights from checkpoints."""

    def __init__(self, options):
        self.job_dir = options.job_dir
        with tf.Graph().as_default() as graph:
            self.images = tf.placeholder(tf.float32, [None, 28, 28], name="image")
            self.labels = tf.placeholder(tf.float32, [None, 10])
            self.network = network.build(self.images, options)
            self.loss = network.loss_of(self.network, self.labels)
            self.accuracy = network.accuracy_of(self.network, self.labels)
            self.saver = tf.train.Saver()
        suit_threads_to(graph)
        self.session = tf.Session(graph=graph)
        self.reported = None  # the checkpoint that was tested last

    def restore(self, checkpoint):
        """Takes the weights of a checkpoint. Raises CheckpointError if it is of a network of other sizes."""
        found = tf.train.NewCheckpointReader(checkpoint).get_variable_to_shape_map()
        with self.session.graph.as_default():
            for variable in tf.global_variables():
                name, shape = variable.op.name, variable.shape.as_list()
                if found.get(name) != shape:
                    raise CheckpointError(
                        f"{checkpoint} has {name} {found.get(name)}, expected {shape}: use the options --hp-depth and "
                        f"--hp-dense that this job was begun with, or another --job-dir"
                    )
        self.saver.restore(self.session, checkpoint)

    def test(self, test):
        """(accuracy, loss per 100 images) for a mnistdata.DataSet with one-hot labels."""
        pieces = zip(np.array_split(test.images[..., 0], PIECES), np.array_split(test.labels, PIECES))
        results, sizes = [], []
        for images, labels in pieces:
            feed = {self.images: images, self.labels: labels}
            results.append(self.session.run([self.accuracy, self.loss], feed))
            sizes.append(len(images))
        return tuple(np.average(results, axis=0, weights=sizes))

    def report(self, checkpoint, test):
        """Tests a checkpoint, prints the result, and adds it to the curves of TensorBoard."""
        self.restore(checkpoint)
        accuracy, loss = self.test(test)
        self.reported, step = checkpoint, step_of(checkpoint)
        print(f"{step}: ********* test accuracy: {accuracy:.4f} test loss: {loss:.4f}", flush=True)
        values = {"accuracy": accuracy, "loss": loss}
        summary = tf.Summary(value=[tf.Summary.Value(tag=tag, simple_value=value) for tag, value in values.items()])
        writer = tf.summary.FileWriterCache.get(f"{self.job_dir}/eval")
        writer.add_summary(summary, step)
        writer.flush()

    def export(self):
        """Writes the SavedModel of the checkpoint that was tested last, and returns its folder, export/<iteration>.

        Its signature "serving_default" takes "image" float32 [n, 28, 28], 0 for paper and 1 for ink, and returns
        "classes" int64 [n] and "probabilities" float32 [n, 10].
        """
        folder = export_folder(self.job_dir, step_of(self.reported))
        unfinished = f"{self.job_dir}/export/unfinished"  # a server takes the folders that have numbers for names
        for old in (unfinished, folder):
            if tf.io.gfile.exists(old):
                tf.io.gfile.rmtree(old)
        with self.session.graph.as_default():
            signature = tf.saved_model.predict_signature_def(
                inputs={"image": self.images},
                outputs={"classes": self.network.classes, "probabilities": self.network.probabilities},
            )
            builder = tf.saved_model.Builder(unfinished)
            builder.add_meta_graph_and_variables(
                self.session,
                [tf.saved_model.SERVING],
                {tf.saved_model.DEFAULT_SERVING_SIGNATURE_DEF_KEY: signature},
            )
            builder.save()
        tf.io.gfile.rename(unfinished, folder)
        return folder
