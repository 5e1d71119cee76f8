# SPDX-License-Identifier: Apache-2.0
"""The training, by one process or by one of several in a cluster.

In a cluster the weights are kept by the parameter servers. Each trainer computes gradients of its own batches and sends
them there: asynchronously, at once, each for itself; synchronously, the mean of one batch of each makes one iteration.
"""

import math
import socket
import threading
import time

import tensorflow.compat.v1 as tf

from trainer import network
from trainer.checkpoints import checkpoints_in, is_complete, newest_checkpoint, newest_step
from trainer.tf_config import ConfigError

UPDATE = 100  # iterations from one printed line, and one point of TensorBoard's curves, to the next
STALLED = 5  # seconds without an iteration after which a trainer counts as lost, in synchronous training
LOST = (tf.errors.AbortedError, tf.errors.CancelledError, tf.errors.UnavailableError)  # of a task that has gone
LARGE = 1 << 18  # bytes of a variable that are worth being divided among parameter servers


def start_server(task):
    """TensorFlow's server for a task of a cluster. Raises ConfigError if its port can't be had."""
    try:
        with socket.socket() as trial:  # TensorFlow would not say why it failed, and log pages instead
            # the former owner's last packets are no hindrance; on Windows, where SO_REUSEADDR would take a port that is
            # in use, they never are
            alone = getattr(socket, "SO_EXCLUSIVEADDRUSE", socket.SO_REUSEADDR)
            trial.setsockopt(socket.SOL_SOCKET, alone, 1)
            trial.bind(("", int(task.address.rpartition(":")[2])))
        return tf.train.Server(tf.train.ClusterSpec(task.cluster), job_name=task.type, task_index=task.index)
    except (OSError, tf.errors.UnknownError) as error:
        raise ConfigError(
            f"TF_CONFIG has {task.address} for this {task.name}, whose port can't be had ({error}): end the program "
            f"that uses it, or choose another one"
        )


class Digits:
    """Batches for one of several trainers.

    All of them shuffle the training set in the same order, and deal it out like cards: in each epoch every digit goes
    to one trainer, and in each to another one, so that what is lost with a trainer is not always the same.
    """

    def __init__(self, train, batch_size, position, trainers):
        self.train, self.batch_size, self.position, self.trainers = train, batch_size, position, trainers

    def next_batch(self):
        """Images [batch_size, 28, 28] and labels [batch_size, 10]."""
        images, labels = self.train.next_batch(self.batch_size * self.trainers)
        return images[self.position :: self.trainers, ..., 0], labels[self.position :: self.trainers]


class SessionCreator(tf.train.SessionCreator):
    """Connects a trainer to weights: living ones on the parameter servers, or those of the last checkpoint.

    A chief that comes back finds the weights that the workers went on training, which are newer than its checkpoint.
    It restores that, or starts from random weights, only if a parameter server has none. Workers wait for weights.
    """

    def __init__(self, task, job_dir, scaffold, server):
        self.task, self.job_dir, self.scaffold = task, job_dir, scaffold
        self.master = server.target if server else ""
        # without filters a session waits for every task of the cluster, also for a worker that will never come back
        filters = ["/job:ps", f"/job:{task.type}/task:{task.index}"]
        self.config = None if task.is_alone else tf.ConfigProto(device_filters=filters)
        self.missing = tf.report_uninitialized_variables(tf.global_variables())

    def create_session(self):
        self.scaffold.finalize()
        if not self.task.is_alone:
            print("connecting to", *self.task.cluster["ps"], flush=True)
        manager = tf.train.SessionManager(
            local_init_op=self.scaffold.local_init_op,
            ready_op=self.scaffold.ready_op,
            ready_for_local_init_op=self.scaffold.ready_for_local_init_op,
            graph=self.missing.graph,
            recovery_wait_secs=1,
        )
        if self.task.is_chief:
            checkpoints = checkpoints_in(self.job_dir)
            self.scaffold.saver.recover_last_checkpoints(checkpoints)  # it goes on deleting the oldest of them
            if self.task.is_alone or not self._weights_live():
                return manager.prepare_session(
                    self.master,
                    init_op=self.scaffold.init_op,
                    saver=self.scaffold.saver,
                    checkpoint_filename_with_path=checkpoints[-1] if checkpoints else None,
                    config=self.config,
                )
        return manager.wait_for_session(self.master, config=self.config)

    def _weights_live(self):
        with tf.Session(self.master, graph=self.missing.graph, config=self.config) as session:
            return not session.run(self.missing).size


class Progress(tf.train.SessionRunHook):
    """Prints where the training begins or goes on, a line every so many iterations, and at the end how fast it was.

    values: {name: tensor} of the lines, none for a worker.
    """

    def __init__(self, step, values):
        self.step, self.values = step, values
        self.timer = tf.train.SecondOrStepTimer(every_steps=UPDATE)
        self.begun = None  # (seconds, iteration) of the first session
        self.now = 0  # the iteration

    def after_create_session(self, session, coord):
        self.now = session.run(self.step)
        self.begun = self.begun or (time.perf_counter(), self.now)
        print(f"training goes on from iteration {self.now}" if self.now else "training begins", flush=True)

    def before_run(self, run_context):
        return tf.train.SessionRunArgs({"step": self.step, "values": self.values})

    def after_run(self, run_context, run_values):
        self.now = run_values.results["step"]
        if self.values and self.timer.should_trigger_for_step(self.now):
            self.timer.update_last_triggered_step(self.now)
            values = run_values.results["values"].items()
            print(f"{self.now}:", *(f"{name}: {value:.6g}" for name, value in values), flush=True)

    def end(self, session):
        seconds, iterations = time.perf_counter() - self.begun[0], self.now - self.begun[1]
        print(f"{iterations} iterations in {seconds:.2f} s, {iterations / seconds:.1f} a second", flush=True)


class Tokens(tf.train.SessionRunHook):
    """What the chief does for SyncReplicasOptimizer beside its training steps, in place of the optimizer's own hook.

    A trainer waits for a token before each step, and the chief hands out one for each trainer with each update. The
    optimizer's own hook closes the queue of tokens for good when the chief ends, so that it could never come back; and
    if a trainer is lost with a token, all others wait for ever. Here the chief replaces tokens when nothing goes on.
    """

    def __init__(self, optimizer, step):
        self.step = step
        self.tokens = optimizer.get_init_tokens_op()  # puts one for each trainer into the queue
        self.updates = optimizer.get_chief_queue_runner().enqueue_ops

    def after_create_session(self, session, coord):
        session.run(self.tokens)
        for work in (self._update, self._replace):
            threading.Thread(target=self._while_connected, args=(work, session, coord), daemon=True).start()

    def end(self, session):
        session.run(self.tokens)  # wakes the workers that wait, so that they see the end

    def _while_connected(self, work, session, coord):
        try:
            work(session, coord)
        except (tf.errors.OpError, RuntimeError) as error:  # the session is lost or closed
            if not coord.should_stop():
                coord.request_stop(error)
                session.close()  # else the main thread may wait for a token, on a server that lives: nobody puts one

    def _update(self, session, coord):
        while not coord.should_stop():
            session.run(self.updates)

    def _replace(self, session, coord):
        last = None
        while not coord.wait_for_stop(STALLED):
            now = session.run(self.step)
            if now == last:
                session.run(self.tokens)
            last = now


def train(task, options, train_set, stopping, server=None, after_checkpoint=None):
    """Takes part in the training until its end, or until it is time to stop.

    after_checkpoint: called with the path of each checkpoint that this task has written, as chief.
    """
    digits = Digits(train_set, options.hp_batch, task.position, len(task.trainers))
    while not stopping.is_due() and not is_complete(options):
        try:
            return train_connected(task, options, digits, stopping, server, after_checkpoint)
        except LOST as error:  # a session that trains connects again by itself, but not one that begins or ends
            print(f"connecting again, as a parameter server was lost ({type(error).__name__})", flush=True)
            stopping.wait(1)


def train_connected(task, options, digits, stopping, server, after_checkpoint):
    with tf.Graph().as_default(), tf.device(device_of(task)):
        # each trainer drops other outputs, and a run that goes on others than before
        tf.set_random_seed(options.seed + newest_step(options.job_dir) + task.position)
        images = tf.placeholder(tf.float32, [None, 28, 28])
        labels = tf.placeholder(tf.float32, [None, 10])
        train_step, scaffold, hooks = build_training(images, labels, task, options, after_checkpoint)
        creator = SessionCreator(task, options.job_dir, scaffold, server)
        with tf.train.MonitoredSession(creator, hooks, stop_grace_period_secs=1) as session:
            while not session.should_stop() and not stopping.is_due():
                batch_images, batch_labels = digits.next_batch()
                session.run(train_step, {images: batch_images, labels: batch_labels})


def build_training(images, labels, task, options, after_checkpoint):
    """(training step, scaffold, hooks) for a MonitoredSession of a task."""
    net = network.build(images, options, options.hp_dropout, partitioner_for(task))
    loss = network.loss_of(net, labels)
    step = tf.train.get_or_create_global_step()
    decay = tf.train.exponential_decay(options.hp_learning_rate, step, options.hp_decay_steps, 1 / math.e)
    learning_rate = options.hp_learning_rate_min + decay
    optimizer = tf.train.AdamOptimizer(learning_rate)
    is_sync = options.sync and not task.is_alone
    if is_sync:
        optimizer = tf.train.SyncReplicasOptimizer(optimizer, len(task.trainers), len(task.trainers))
    train_step = optimizer.minimize(loss, global_step=step)
    saver = tf.train.Saver(save_relative_paths=True)
    scaffold = tf.train.Scaffold(saver=saver, **(start_of(optimizer, task) if is_sync else {}))

    hooks = [tf.train.StopAtStepHook(last_step=options.hp_iterations), tf.train.NanTensorHook(loss)]
    values = {}
    if task.is_chief:
        values = {"accuracy": network.accuracy_of(net, labels), "loss": loss, "lr": learning_rate}
        hooks += recording_hooks(options, scaffold, values, after_checkpoint)
    if task.is_chief and is_sync:
        hooks.append(Tokens(optimizer, step))
    return train_step, scaffold, [*hooks, Progress(step, values)]


def start_of(optimizer, task):
    """What SyncReplicasOptimizer does in each task before its first step, as arguments of a Scaffold."""
    first = optimizer.chief_init_op if task.is_chief else optimizer.local_step_init_op
    return {"local_init_op": first, "ready_for_local_init_op": optimizer.ready_for_local_init_op}


def device_of(task):
    """Where each operation of a trainer's graph runs: variables on the parameter servers, in turn, the rest here."""
    if task.is_alone:
        return None
    worker = f"/job:{task.type}/task:{task.index}"
    return tf.train.replica_device_setter(worker_device=worker, cluster=tf.train.ClusterSpec(task.cluster))


def partitioner_for(task):
    """Divides the dense layer, 96 % of all weights, so that each parameter server has a share of the traffic."""
    servers = len(task.cluster.get("ps", []))
    if servers < 2:
        return None
    return tf.min_max_variable_partitioner(max_partitions=servers, min_slice_size=LARGE)


def recording_hooks(options, scaffold, values, after_checkpoint):
    """What writes to the job folder, which only the chief does: checkpoints, and TensorBoard's curves of the values."""
    summary = tf.summary.merge([tf.summary.scalar(name, value) for name, value in values.items()])
    return [
        tf.train.CheckpointSaverHook(
            options.job_dir,
            save_steps=options.checkpoint_every,
            scaffold=scaffold,
            listeners=[AfterCheckpoint(options.job_dir, after_checkpoint)] if after_checkpoint else [],
        ),
        tf.train.SummarySaverHook(UPDATE, output_dir=options.job_dir, summary_op=summary),
    ]


class AfterCheckpoint(tf.train.CheckpointSaverListener):
    """Calls a function with the path of each checkpoint that has been written."""

    def __init__(self, job_dir, function):
        self.job_dir, self.function = job_dir, function

    def after_save(self, session, global_step_value):
        self.function(newest_checkpoint(self.job_dir))
