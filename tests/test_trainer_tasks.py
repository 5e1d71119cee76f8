"""What each task of a training does, without the others: Mock stands for what it asks and tells them."""

from unittest import mock
from unittest.mock import Mock

import numpy as np
import pytest

import mnistdata
from trainer.task import parse_options
from trainer.tf_config import parse_tf_config
from trainings import ADDRESSES, SMALL, Stopped, config

ROLES = ("run_chief", "run_worker", "serve", "evaluate")


@pytest.mark.tensorflow
@pytest.mark.parametrize(
    "type, index, role", [(None, 0, 0), ("chief", 0, 0), ("worker", 1, 1), ("ps", 0, 2), ("evaluator", 0, 3)]
)
def test_each_kind_of_task_does_its_part_and_ends_with_the_status_of_what_stopped_it(
    type, index, role, monkeypatch, tmp_path
):
    from trainer import roles

    did = []
    for name in ROLES:
        monkeypatch.setattr(roles, name, lambda *arguments, name=name: did.append((name, *arguments)))
    stopping = Mock(status=143)
    monkeypatch.setattr(roles, "Stopping", Mock(return_value=stopping))
    task = parse_tf_config(type and config(ADDRESSES, type, index))
    options = parse_options([f"--job-dir={tmp_path}/a/job"])
    assert roles.run_task(task, options) == 143
    assert did == [(ROLES[role], task, options, stopping)] and (tmp_path / "a" / "job").is_dir()
    (has_ended,), _ = roles.Stopping.call_args
    assert (has_ended is None) == (ROLES[role] in ("run_chief", "evaluate"))  # which see for themselves when it is over


@pytest.mark.tensorflow
@pytest.mark.parametrize("type", [None, "chief"])
@pytest.mark.parametrize("status, reported", [(143, None), (0, None), (0, "x-60")])
def test_the_chief_tests_what_was_not_tested_and_exports_unless_a_signal_stops_it(type, status, reported, monkeypatch):
    from trainer import roles

    evaluation, trained = Mock(reported=reported), []
    monkeypatch.setattr(roles, "Evaluation", lambda options: evaluation)
    monkeypatch.setattr(roles, "newest_checkpoint", lambda job_dir: "x-60")
    monkeypatch.setattr(roles, "is_complete", lambda options: False)
    monkeypatch.setattr(roles, "read_digits", lambda options: Mock(train="train", test="test"))
    monkeypatch.setattr(roles, "start_server", lambda task: "server")
    monkeypatch.setattr(roles, "train", lambda *arguments: trained.append(arguments))
    options, stopping = parse_options(["--job-dir=job"]), Stopped(0, status)
    roles.run_chief(parse_tf_config(type and config(ADDRESSES, type)), options, stopping)
    ((_, _, digits, stops, server, report),) = trained
    assert (digits, stops, server) == ("train", stopping, "server" if type else None)
    assert bool(report) == (type is None)  # in a cluster, the evaluator tests
    tests = [] if status or reported else [mock.call.report("x-60", "test")]
    exports = [] if status else [mock.call.export()]
    assert evaluation.method_calls == [mock.call.restore("x-60"), *tests, *exports]


@pytest.mark.tensorflow
@pytest.mark.parametrize(
    "times, tested, waited", [(None, ["x-10", "x-30", "x-60"], [1, 1, 1]), (2, ["x-10"], [1, 1]), (0, [], [])]
)
def test_the_evaluator_tests_each_new_checkpoint_once_and_leaves_after_the_last(times, tested, waited, monkeypatch):
    from trainer import roles

    looks = iter([(False, None), (False, "x-10"), (False, "x-10"), (False, "x-30"), (False, "x-30"), (True, "x-60")])
    now = []

    def is_exported(options):
        now[:] = next(looks, (True, "x-60"))
        return now[0]

    class Evaluation:
        def __init__(self, options):
            self.reported, self.all = None, []
            evaluations.append(self)

        def report(self, checkpoint, test):
            assert test == "the test digits"
            self.reported = checkpoint
            self.all.append(checkpoint)
            assert len(self.all) < 10, "it tests for ever"

    evaluations, stopping = [], Stopped(times)
    monkeypatch.setattr(roles, "is_exported", is_exported)
    monkeypatch.setattr(roles, "newest_checkpoint", lambda job_dir: now[1])
    monkeypatch.setattr(roles, "Evaluation", Evaluation)
    monkeypatch.setattr(roles, "read_digits", lambda options: Mock(test="the test digits"))
    roles.evaluate(None, parse_options(["--job-dir=job"]), stopping)
    assert evaluations[0].all == tested and stopping.waited == waited


@pytest.mark.tensorflow
@pytest.mark.parametrize("status, waits", [(0, []), (143, [("job", 10)])])
def test_a_parameter_server_that_a_signal_stops_waits_for_a_checkpoint(status, waits, monkeypatch):
    from trainer import roles

    started, waited = [], []
    monkeypatch.setattr(roles, "start_server", started.append)
    monkeypatch.setattr(roles, "wait_for_checkpoint", lambda *arguments: waited.append(arguments))
    stopping = Stopped(1, status)
    roles.serve("task", parse_options(["--job-dir=job"]), stopping)
    assert (started, stopping.waited, waited) == (["task"], [None], waits)


@pytest.mark.tensorflow
def test_a_trainer_whose_parameter_server_is_lost_connects_again_until_the_training_is_over(monkeypatch, capsys):
    import tensorflow.compat.v1 as tf

    from trainer import training

    lost = [error(None, None, "lost") for error in training.LOST]
    assert {type(error).__name__ for error in lost} == {"AbortedError", "CancelledError", "UnavailableError"}
    options, task = parse_options(["--job-dir=job"]), parse_tf_config(config(ADDRESSES, "worker", 1))

    def attempts(ends, times=None, is_complete=lambda options: False):
        """How often it connects, with these ends, and how long it waits in between."""
        connect, stopping = Mock(side_effect=ends), Stopped(times)
        monkeypatch.setattr(training, "train_connected", connect)
        monkeypatch.setattr(training, "is_complete", is_complete)
        training.train(task, options, None, stopping)
        digits = {id(call[0][2]) for call in connect.call_args_list}
        assert len(digits) <= 1  # it goes on to deal the digits
        return connect.call_count, stopping.waited

    assert attempts([*lost, None]) == (4, [1, 1, 1])
    assert capsys.readouterr().out.splitlines() == [
        f"connecting again, as a parameter server was lost ({type(error).__name__})" for error in lost
    ]
    assert attempts(lost, times=2) == (2, [1, 1])  # it is stopped
    assert attempts(lost, is_complete=Mock(side_effect=[False, True])) == (1, [1])
    with pytest.raises(tf.errors.DataLossError):
        attempts([tf.errors.DataLossError(None, None, "another error")])


@pytest.mark.tensorflow
def test_each_trainer_of_a_cluster_gets_digits_of_its_own(monkeypatch):
    from trainer import training

    options, dealt = parse_options(["--job-dir=job", "--hp-batch=2"]), []
    monkeypatch.setattr(training, "train_connected", lambda *arguments: dealt.extend(arguments[2].next_batch()[1]))
    for type, index in (("chief", 0), ("worker", 0), ("worker", 1)):
        digits = mnistdata.DataSet(np.zeros([6, 28, 28, 1]), np.arange(6), seed=0)
        training.train(parse_tf_config(config(ADDRESSES, type, index)), options, digits, Stopped())
    assert len(dealt) == 6 and sorted(dealt) == list(range(6))


@pytest.mark.tensorflow
def test_it_says_where_it_begins_where_it_is_now_and_then_and_at_the_end_how_fast_it_was(monkeypatch, capsys):
    from trainer import training

    seconds = iter([10, 14])
    monkeypatch.setattr(training.time, "perf_counter", lambda: next(seconds))
    progress = training.Progress("the step", {"accuracy": "a", "lr": "b"})
    assert progress.before_run(None).fetches == {"step": "the step", "values": {"accuracy": "a", "lr": "b"}}
    for begun, steps in ((100, range(101, 352)), (300, range(301, 512))):
        progress.after_create_session(Mock(run=Mock(return_value=begun)), None)
        for step in steps:
            results = {"step": step, "values": {"accuracy": 0.987654321, "lr": step / 1e6}}
            progress.after_run(None, Mock(results=results))
    progress.end(None)
    assert capsys.readouterr().out.splitlines() == [
        "training goes on from iteration 100",
        *(f"{step}: accuracy: 0.987654 lr: {step / 1e6:.6g}" for step in (101, 201, 301)),
        "training goes on from iteration 300",
        *(f"{step}: accuracy: 0.987654 lr: {step / 1e6:.6g}" for step in (401, 501)),
        "411 iterations in 4.00 s, 102.8 a second",  # from the first beginning
    ]


@pytest.mark.tensorflow
def test_with_sync_the_chief_hands_out_tokens_at_first_at_the_end_and_when_nothing_goes_on():
    from trainer import training

    optimizer = Mock()
    optimizer.get_init_tokens_op.return_value = "tokens"
    tokens = training.Tokens(optimizer, "step")
    session, coord = Mock(), Mock(wait_for_stop=Mock(side_effect=[False] * 6 + [True]))
    steps, ran = iter([0, 5, 5, 5, 8, 9]), []
    session.run = lambda fetch: next(steps) if fetch == "step" else ran.append(fetch)
    tokens._replace(session, coord)
    assert ran == ["tokens", "tokens"]  # twice it was still 5
    assert [call[0] for call in coord.wait_for_stop.call_args_list] == [(training.STALLED,)] * 7
    tokens.end(session)
    assert ran == ["tokens"] * 3
    tokens.after_create_session(session, Mock(should_stop=lambda: True, wait_for_stop=lambda seconds: True))
    assert ran == ["tokens"] * 4


class Graph:
    """The graph of a task of a cluster with two parameter servers, or of one that is alone."""

    def __init__(self, type, index, *options):
        import tensorflow.compat.v1 as tf

        from trainer import training

        task = parse_tf_config(type and config({**ADDRESSES, "ps": ["d:1", "e:1"]}, type, index))
        synchronous = mock.patch.object(tf.train, "SyncReplicasOptimizer", wraps=tf.train.SyncReplicasOptimizer)
        with tf.Graph().as_default() as graph, tf.device(training.device_of(task)), synchronous as optimizer:
            X, Y_ = tf.placeholder(tf.float32, [None, 28, 28]), tf.placeholder(tf.float32, [None, 10])
            options = parse_options(["--job-dir=job", *SMALL, *options])
            _, _, hooks = training.build_training(X, Y_, task, options, None)
            self.weights = {variable.op.name: variable.device for variable in tf.trainable_variables()}
        self.filters = {operation.device for operation in graph.get_operations() if operation.type == "Conv2D"}
        self.hooks = [hook.__class__.__name__ for hook in hooks]
        self.waits_for = [call[0][1:] for call in optimizer.call_args_list]


@pytest.mark.tensorflow
def test_the_weights_are_on_the_parameter_servers_in_turn_and_the_rest_is_computed_by_each_trainer():
    worker = Graph("worker", 1, "--hp-dense=700")
    dense = {place for name, place in worker.weights.items() if name.startswith("network/W4/")}  # which is divided
    assert dense == set(worker.weights.values()) == {"/job:ps/task:0", "/job:ps/task:1"}
    assert worker.filters == {"/job:worker/task:1"}
    assert worker.waits_for == []  # for nobody


@pytest.mark.tensorflow
def test_with_sync_an_iteration_waits_for_all_trainers_and_only_the_chief_writes_and_hands_out_tokens():
    alone, chief, worker = (Graph(type, index, "--sync") for type, index in ((None, 0), ("chief", 0), ("worker", 1)))
    assert (alone.waits_for, chief.waits_for, worker.waits_for) == ([], [(3, 3)], [(3, 3)])
    assert worker.hooks == ["StopAtStepHook", "NanTensorHook", "Progress"]
    assert alone.hooks == [*worker.hooks[:2], "CheckpointSaverHook", "SummarySaverHook", "Progress"]
    assert chief.hooks == [*alone.hooks[:-1], "Tokens", "Progress"]


@pytest.mark.tensorflow
@pytest.mark.parametrize(
    "type, checkpoints, weights_live, expected",
    [
        (None, [], False, ("prepare_session", None)),
        (None, ["x-1", "x-2"], False, ("prepare_session", "x-2")),
        ("chief", ["x-1", "x-2"], False, ("prepare_session", "x-2")),
        ("chief", ["x-1", "x-2"], True, ("wait_for_session", None)),
        ("worker", ["x-1", "x-2"], False, ("wait_for_session", None)),
    ],
)
def test_the_chief_restores_a_checkpoint_only_where_no_weights_live_and_workers_wait_for_weights(
    type, checkpoints, weights_live, expected, monkeypatch, capsys
):
    import tensorflow.compat.v1 as tf

    from trainer import training

    task, manager = parse_tf_config(type and config(ADDRESSES, type)), Mock()
    monkeypatch.setattr(tf.train, "SessionManager", lambda **options: manager)
    monkeypatch.setattr(training, "checkpoints_in", lambda job_dir: checkpoints)
    with tf.Graph().as_default():
        tf.get_variable("W", [1])
        scaffold = tf.train.Scaffold(saver=tf.train.Saver())
        creator = training.SessionCreator(task, "job", scaffold, type and Mock(target="grpc://a:1"))
        monkeypatch.setattr(creator, "_weights_live", lambda: weights_live)
        creator.create_session()
    ((name, (master,), options),) = manager.method_calls
    assert (name, options.get("checkpoint_filename_with_path")) == expected
    assert master == ("grpc://a:1" if type else "")
    assert capsys.readouterr().out == ("connecting to d:1\n" if type else "")
    filters = list(options["config"].device_filters) if type else options["config"]
    assert filters == (["/job:ps", f"/job:{type}/task:0"] if type else None)  # it waits for no other trainer


@pytest.mark.tensorflow
def test_each_trainer_drops_other_outputs_and_so_does_a_training_that_goes_on_or_has_another_seed(monkeypatch):
    import tensorflow.compat.v1 as tf

    from trainer import training

    seeds = []
    monkeypatch.setattr(tf, "set_random_seed", Mock(side_effect=InterruptedError))
    for step, seed, type in ((0, 0, "chief"), (500, 0, "chief"), (0, 7, "chief"), (0, 0, "worker"), (0, 0, "chief")):
        monkeypatch.setattr(training, "newest_step", lambda job_dir, step=step: step)
        task, options = parse_tf_config(config(ADDRESSES, type)), parse_options(["--job-dir=job", f"--seed={seed}"])
        with pytest.raises(InterruptedError):
            training.train_connected(task, options, None, Stopped(), None, None)
        seeds.append(tf.set_random_seed.call_args[0][0])
    assert seeds[0] == seeds[-1] and len(set(seeds)) == 4
