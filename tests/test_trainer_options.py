"""What the trainer is asked for: the part in a cluster that TF_CONFIG describes, and the options."""

import json
import re
import sys

import pytest

from trainer.task import parse_options
from trainer.tf_config import ALONE, ConfigError, parse_tf_config
from trainings import ADDRESSES, MLENGINE, config, run_trainer

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
    assert ALONE.is_alone and ALONE.is_chief and ALONE.name == "chief 0"
    assert (ALONE.trainers, ALONE.position) == ([("chief", 0)], 0)


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


NO_CLUSTER = (
    'has no cluster, expected the addresses of its tasks like {"cluster": {"chief": ["host:2222"], "ps": '
    '["host:2223"]}, …}; unset it to train on one machine'
)
NO_PS = "has no ps in its cluster, expected one parameter server or more for several tasks"
LIKE_HOST = 'in its cluster, expected a list of addresses like ["host:2222"]'
OF_TYPES = "chief, master, worker, ps, evaluator"
TWO_WORKERS = "expected a number from 0 to 1: its cluster has 2 of that type"
BAD_CONFIGS = {
    "[1]": NO_CLUSTER,
    '"cluster"': NO_CLUSTER,
    '{"cluster": ["a:1"]}': NO_CLUSTER,
    '{"cluster": "a:1", "task": {"type": "chief", "index": 0}}': NO_CLUSTER,
    '{"task": {"type": "worker", "index": 1}}': NO_CLUSTER,
    '{"cluster": {}, "task": {"type": "ps", "index": 0}}': NO_CLUSTER,
    '{"cluster": {"ps": []}, "task": {"type": "evaluator"}}': NO_CLUSTER,
    '{"cluster": {}, "task": {"type": "boss"}}': NO_CLUSTER,
    '{"task": "chief"}': NO_CLUSTER,
    '{"cluster": {"chief": ["a:1"]}, "task": "worker"}': "has the task type worker, expected one that is in its "
    "cluster: chief",
    '{"cluster": {"worker": ["a:1", "b:1"], "ps": ["c:1"]}, "task": {"type": "worker"}}': "has the task index None for "
    f"worker, {TWO_WORKERS}",
    '{"cluster": {"worker": ["a:1", "b:1"]}, "task": {"index": 1}}': f"has the task type None, expected one of "
    f"{OF_TYPES}",
    json.dumps({"cluster": ADDRESSES}): f"has the task type None, expected one of {OF_TYPES}",
    config(ADDRESSES, "boss"): f"has the task type 'boss', expected one of {OF_TYPES}",
    config({**ADDRESSES, "boss": ["e:1"]}): f"has a task 'boss' in its cluster, expected {OF_TYPES}",
    config({"worker": ["a:1", "b:1"], "ps": ["c:1"]}): "has the task type chief, expected one that is in its cluster: "
    "worker, ps",
    config(ADDRESSES, "worker", 2): f"has the task index 2 for worker, {TWO_WORKERS}",
    config(ADDRESSES, "worker", -1): f"has the task index -1 for worker, {TWO_WORKERS}",
    config(ADDRESSES, "worker", "²"): f"has the task index '²' for worker, {TWO_WORKERS}",
    config(ADDRESSES, "worker", "x"): f"has the task index 'x' for worker, {TWO_WORKERS}",
    config(ADDRESSES, "evaluator", 1): "has the task index 1 for evaluator, expected a number from 0 to 0: its cluster "
    "has 1 of that type",
    config({**ADDRESSES, "ps": "d:1"}): f'has "d:1" for ps {LIKE_HOST}',
    config({**ADDRESSES, "ps": ["d"]}): f'has ["d"] for ps {LIKE_HOST}',
    config({**ADDRESSES, "ps": [":1"]}): f'has [":1"] for ps {LIKE_HOST}',
    config({**ADDRESSES, "ps": ["d:0"]}): f'has ["d:0"] for ps {LIKE_HOST}',
    config({**ADDRESSES, "ps": ["d:²"]}): f'has ["d:\\u00b2"] for ps {LIKE_HOST}',
    config({**ADDRESSES, "ps": ["d:65536"]}): f'has ["d:65536"] for ps {LIKE_HOST}',
    config({**ADDRESSES, "ps": [1] * 30}): f"has [{'1, ' * 19}1, for ps {LIKE_HOST}",
    config({**ADDRESSES, "ps": ["a:1"]}): "has a:1 for two tasks of its cluster, expected an address for each",
    config({**ADDRESSES, "master": ["e:1"]}): "has 2 tasks of type chief or master in its cluster, expected one",
    config({"chief": ["a:1", "b:1", "e:1"], "ps": ["c:1"]}): "has 3 tasks of type chief or master in its cluster, "
    "expected one",
    config({"chief": ["a:1"], "worker": ["b:1"]}): NO_PS,
    config({"chief": ["a:1"]}, "evaluator"): NO_PS,
    config({"chief": ["a:1"], "evaluator": ["b:1"]}, "evaluator"): NO_PS,
    config({"ps": ["a:1"]}, "ps"): "has no task in its cluster that trains, expected a chief or a worker",
}


@pytest.mark.parametrize("text", BAD_CONFIGS)
def test_a_bad_tf_config_is_told_in_one_sentence(text):
    with pytest.raises(ConfigError) as error:
        parse_tf_config(text)
    assert str(error.value) == "TF_CONFIG " + BAD_CONFIGS[text]


def test_of_a_tf_config_that_is_not_json_the_beginning_is_told():
    with pytest.raises(ConfigError) as error:
        parse_tf_config('{"cluster": ' + 100 * "[")
    expected = "TF_CONFIG is not JSON (Expecting value: line 1 column 113 (char 112)), expected "
    assert str(error.value) == expected + "{'cluster': …, 'task': …}: {\"cluster\": " + 48 * "["


def test_all_ports_and_numbers_as_text_are_taken():
    task = parse_tf_config(config({**ADDRESSES, "ps": ["d:65535"]}, "worker", "1"))
    assert (task.index, task.name, task.address) == (1, "worker 1", "c:1")


def test_in_whatever_order_a_cluster_is_written_the_chief_is_the_first_of_the_trainers():
    task = parse_tf_config(config({"ps": ["d:1"], "worker": ["b:1", "c:1"], "chief": ["a:1"]}, "worker", 1))
    assert task.trainers == [("chief", 0), ("worker", 0), ("worker", 1)] and task.position == 2


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


def test_the_page_of_the_trainer_has_its_options_and_what_they_are_without():
    page = (
        (MLENGINE / "README.md").read_text(encoding="utf-8").partition("| option | default |")[2].partition("\n\n")[0]
    )
    told = {}
    for options, defaults in re.findall(r"(?m)^\| (`--.*?) \|(.*?)\|", page):
        names = re.findall(r"`--([\w-]+)`", options)
        told.update(zip(names, defaults.strip().split(", ")))
    options = vars(parse_options(["--job-dir=job"]))
    assert told == {
        name.replace("_", "-"): "" if value is False else str(value)
        for name, value in options.items()
        if name != "job_dir"
    }


def test_the_help_says_each_default(capsys):
    with pytest.raises(SystemExit):
        parse_options(["--help"])
    text = " ".join(capsys.readouterr().out.split())
    assert "--hp-decay-steps N iterations in which it decays to 37 % (default: 2000)" in text
    for name, value in vars(parse_options(["--job-dir=job"])).items():
        option = "--" + name.replace("_", "-")
        assert name == "job_dir" or re.search(rf" {option} [^(]*\(default: {re.escape(str(value))}\)", text), option


POSITIVE, NUMBER = "expected a whole number, 1 or more", "expected a number, 0 or more"


@pytest.mark.parametrize(
    "option, values, expected",
    [
        *(
            (f"hp-{name}", ("0", "-1", "1.5", "many"), POSITIVE)
            for name in ("iterations", "batch", "decay-steps", "depth1", "depth2", "depth3", "dense")
        ),
        ("checkpoint-every", ("0",), POSITIVE),
        ("seed", ("-1",), "expected a whole number, 0 or more"),
        ("hp-dropout", ("1", "-0.1", "half"), "expected a number from 0 to below 1"),
        ("hp-learning-rate", ("-0.001", "nan", "inf", "small"), NUMBER),
        ("hp-learning-rate-min", ("-0.001",), NUMBER),
        ("data-dir", ("",), "expected the name of a folder"),
    ],
)
def test_options_that_can_not_be_used_are_told_with_status_2(capsys, option, values, expected):
    for value in values:
        error = options_error(capsys, "--job-dir=job", f"--{option}={value}")
        assert error == f"trainer.task: error: argument --{option}: {value!r}, {expected}"


@pytest.mark.parametrize(
    "arguments, expected",
    [
        (["--job-dir=job", "--hp-iter=10"], "unrecognized arguments: --hp-iter=10"),
        (["--sync"], "the following arguments are required: --job-dir"),
    ],
)
def test_options_that_are_not_there_and_those_that_have_to_be_are_told(capsys, arguments, expected):
    assert options_error(capsys, *arguments) == f"trainer.task: error: {expected}"


def test_the_least_that_an_option_may_be_is_taken():
    least = {"seed": 0, "hp_dropout": 0, "hp_learning_rate": 0, "hp_learning_rate_min": 0, "hp_iterations": 1}
    options = parse_options(
        ["--job-dir=job", *(f"--{name.replace('_', '-')}={value}" for name, value in least.items())]
    )
    assert {name: getattr(options, name) for name in least} == least


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


@pytest.mark.parametrize("text, folder", [("job/", "job"), ("a/b//", "a/b"), ("gs://b/job/", "gs://b/job"), ("/", "/")])
def test_a_job_folder_has_no_stroke_at_its_end(text, folder):
    assert parse_options([f"--job-dir={text}"]).job_dir == folder


def test_a_bad_tf_config_ends_the_program_with_status_2(tmp_path):
    process = run_trainer(tmp_path, TF_CONFIG='{"cluster": ')
    assert (process.returncode, process.stdout) == (2, "")
    assert re.fullmatch(r"trainer.task: TF_CONFIG is not JSON .*\n", process.stderr)
