"""What the trainer is asked for: the part in a cluster that TF_CONFIG describes, and the options."""

import json
import re
import sys

import pytest

from trainer.task import parse_options
from trainer.tf_config import ALONE, ConfigError, parse_tf_config
from trainings import ADDRESSES, config, run_trainer

# -- TF_CONFIG


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "  ",
        "{}",
        "null",
        config({"chief": ["a:1"]}),
        config({"worker": ["a:1"]}, "worker"),
        config({"worker": ["a:1"], "ps": []}, "worker", None),
        '{"cluster": {"master": ["a:1"]}, "task": {}}',
        '{"task": {}, "cluster": {}}',  # of Google's local training
        '{"task": {}, "cluster": {}, "environment": "cloud", "job": {"job_name": "x"}}',
        '{"environment": "cloud"}',
        '{"cluster": {}}',
        '{"cluster": null, "task": null}',
        '{"cluster": {"chief": [], "worker": null}}',
        '{"task": {"type": "", "index": ""}}',
        '{"task": {"type": null, "index": 0}, "cluster": ""}',
        '{"task": {"type": "chief", "index": "0"}, "cluster": {}}',
        '{"task": {"type": "master"}}',
        '{"task": {"type": "worker", "index": 0}}',  # of TensorFlow's estimators
    ],
)
def test_without_others_a_task_is_alone(text):
    assert parse_tf_config(text) == ALONE
    assert ALONE.is_alone and ALONE.is_chief


@pytest.mark.parametrize("type, index, position", [("chief", 0, 0), ("worker", 0, 1), ("worker", 1, 2)])
def test_trainers_are_the_chief_and_the_workers(type, index, position):
    task = parse_tf_config(config(ADDRESSES, type, index))
    assert task.trainers == [("chief", 0), ("worker", 0), ("worker", 1)]
    assert (task.position, task.is_chief, task.address) == (position, position == 0, ADDRESSES[type][index])


def test_master_is_the_older_name_of_the_chief():
    task = parse_tf_config(config({"master": ["a:1"], "worker": ["b:1"], "ps": ["c:1"]}, "master"))
    assert task.is_chief and task.trainers == [("master", 0), ("worker", 0)]


def test_without_chief_the_first_worker_does_its_work():
    tasks = [parse_tf_config(config({"worker": ["a:1", "b:1"], "ps": ["c:1"]}, "worker", index)) for index in (0, 1)]
    assert [task.is_chief for task in tasks] == [True, False]


@pytest.mark.parametrize("addresses", [ADDRESSES, {**ADDRESSES, "evaluator": ["e:1"]}])
def test_the_evaluator_is_no_part_of_the_cluster(addresses):
    """Kubeflow lists its address, Vertex AI does not."""
    task = parse_tf_config(config(addresses, "evaluator", environment="cloud", job={}))
    assert (task.type, task.cluster) == ("evaluator", ADDRESSES)
    assert not task.is_chief
    assert parse_tf_config(config(addresses)).cluster == ADDRESSES


BAD_CONFIGS = {
    '{"cluster": ': "is not JSON",
    "[1]": "has no cluster",
    '"cluster"': "has no cluster",
    '{"cluster": ["a:1"]}': "has no cluster",
    '{"cluster": "a:1", "task": {"type": "chief", "index": 0}}': "has no cluster",
    '{"task": {"type": "worker", "index": 1}}': "has no cluster",
    '{"cluster": {}, "task": {"type": "ps", "index": 0}}': "has no cluster",
    '{"cluster": {"ps": []}, "task": {"type": "evaluator"}}': "has no cluster",
    '{"cluster": {}, "task": {"type": "boss"}}': "has no cluster",
    '{"task": "chief"}': "has no cluster",
    '{"cluster": {"chief": ["a:1"]}, "task": "worker"}': "has the task type worker, expected one that is in",
    '{"cluster": {"worker": ["a:1", "b:1"], "ps": ["c:1"]}, "task": {"type": "worker"}}': "has the task index None for",
    json.dumps({"cluster": ADDRESSES}): "has the task type None, expected one of chief, master, worker, ps, evaluator",
    config(ADDRESSES, "boss"): "has the task type 'boss'",
    config({**ADDRESSES, "boss": ["e:1"]}): "has a task 'boss' in its cluster",
    config({"worker": ["a:1", "b:1"], "ps": ["c:1"]}): "has the task type chief, expected one that is in its cluster",
    config(ADDRESSES, "worker", 2): "has the task index 2 for worker, expected a number from 0 to 1",
    config(ADDRESSES, "worker", -1): "has the task index -1 for worker",
    config(ADDRESSES, "worker", "²"): "has the task index '²' for worker",
    config(ADDRESSES, "worker", "x"): "has the task index 'x' for worker",
    config(ADDRESSES, "evaluator", 1): "has the task index 1 for evaluator, expected a number from 0 to 0",
    config({**ADDRESSES, "ps": "d:1"}): 'has "d:1" for ps in its cluster, expected a list of addresses',
    config({**ADDRESSES, "ps": ["d"]}): 'has ["d"] for ps in its cluster',
    config({**ADDRESSES, "ps": ["d:²"]}): 'has ["d:\\u00b2"] for ps',
    config({**ADDRESSES, "ps": ["d:65536"]}): 'has ["d:65536"] for ps',
    config({**ADDRESSES, "ps": ["a:1"]}): "has a:1 for two tasks",
    config({**ADDRESSES, "master": ["e:1"]}): "has 2 tasks of type chief or master",
    config({"chief": ["a:1"], "worker": ["b:1"]}): "has no ps in its cluster",
    config({"chief": ["a:1"]}, "evaluator"): "has no ps in its cluster",
    config({"chief": ["a:1"], "evaluator": ["b:1"]}, "evaluator"): "has no ps in its cluster",
    config({"ps": ["a:1"]}, "ps"): "has no task in its cluster that trains",
}


@pytest.mark.parametrize("text", BAD_CONFIGS)
def test_a_bad_tf_config_is_told_in_one_sentence(text):
    with pytest.raises(ConfigError) as error:
        parse_tf_config(text)
    assert str(error.value).startswith("TF_CONFIG " + BAD_CONFIGS[text])
    assert "\n" not in str(error.value)


# -- options


def options_error(capsys, *arguments):
    """The last line that bad options are answered with."""
    with pytest.raises(SystemExit) as end:
        parse_options(arguments)
    assert end.value.code == 2
    return capsys.readouterr().err.splitlines()[-1]


def test_without_options_it_trains_stage_31():
    options = vars(parse_options(["--job-dir=job"]))
    assert options == {
        "job_dir": "job",
        "data_dir": "data",
        "sync": False,
        "seed": 0,
        "checkpoint_every": 500,
        "hp_iterations": 10000,
        "hp_batch": 100,
        "hp_learning_rate": 0.003,
        "hp_learning_rate_min": 0.0001,
        "hp_decay_steps": 2000,
        "hp_dropout": 0.25,
        "hp_depth1": 6,
        "hp_depth2": 12,
        "hp_depth3": 24,
        "hp_dense": 200,
    }


@pytest.mark.parametrize(
    "argument, expected",
    [
        ("--hp-dense=0", "expected a whole number, 1 or more"),
        ("--hp-batch=many", "expected a whole number, 1 or more"),
        ("--hp-dropout=1", "expected a number from 0 to below 1"),
        ("--hp-learning-rate=nan", "expected a number, 0 or more"),
        ("--seed=-1", "expected a whole number, 0 or more"),
        ("--hp-iter=10", "unrecognized arguments"),
        ("--data-dir=", "expected the name of a folder"),
    ],
)
def test_options_that_can_not_be_used_are_told_with_status_2(capsys, argument, expected):
    assert expected in options_error(capsys, "--job-dir=job", argument)


@pytest.mark.parametrize(
    "name, expected",
    [
        ("job [run 1]", r"'job \[run 1\]' has \[ in it, which TensorFlow takes for a pattern"),
        ("a*b/job", r"has \* in it"),
        ("gs://bucket/what?", r"has \? in it"),
        ("job\\1", r"has \\ in it"),
        ("j\udcf6b", r"'j\\udcf6b' is not UTF-8"),
        ("", "expected the name of a folder"),
    ],
)
@pytest.mark.skipif(sys.platform == "win32", reason="there \\ stands between folders")
def test_a_job_folder_that_tensorflow_would_not_take_literally_is_told_with_status_2(capsys, name, expected):
    assert re.search(expected, options_error(capsys, "--job-dir", name))


@pytest.mark.parametrize("option", ["--job-dir", "--data-dir"])
def test_a_tilde_is_the_home_folder(monkeypatch, option):
    monkeypatch.setenv("HOME", "/home/learner")
    monkeypatch.setenv("USERPROFILE", "/home/learner")
    for text, expected in {"~/x": "/home/learner/x", "./~": "./~", "gs://b/~": "gs://b/~"}.items():
        options = parse_options(["--job-dir=job", f"{option}={text}"])
        assert getattr(options, option[2:].replace("-", "_")) == expected


def test_a_bad_tf_config_ends_the_program_with_status_2(tmp_path):
    process = run_trainer(tmp_path, TF_CONFIG='{"cluster": ')
    assert (process.returncode, process.stdout) == (2, "")
    assert re.fullmatch(r"trainer.task: TF_CONFIG is not JSON .*\n", process.stderr)
