"""compare_stages.py as its user runs it, with scripts that need no TensorFlow and train for no time."""

import csv
import json
import os
import re
import signal
import subprocess
import sys
import time
import types
from pathlib import Path

import matplotlib.image
import numpy as np
import pytest

import compare_stages
from compare_stages import Progress, cells, do_runs, markdown, measure, planned_runs
from helpers import ROOT, STAGES, environment, stage_source, without_tensorflow

SCRIPT = """
import time
import numpy as np
import tensorflowvisu

SEED = 0
random = np.random.RandomState(SEED)
datavis = tensorflowvisu.MnistDataVis()


def training_step(i, update_test_data, update_train_data):
    if update_train_data:
        print(f"{i}: accuracy: 0.5")
        datavis.append_training_curves_data(i, 1 - 1 / (i + 2), 10.0)
    if update_test_data:
        datavis.append_test_curves_data(i, BEST - 0.1 / (i + 1) - SEED / 1000, abs(i - 50) + 1.0)
    time.sleep(SECONDS)


datavis.animate(training_step, iterations=200, train_data_update_freq=10, test_data_update_freq=50)
# for i in range(200): training_step(i, i % 50 == 0 or i == 199, i % 10 == 0 or i == 199)
print("max test accuracy:", datavis.get_max_test_accuracy())
"""


def script(best=0.95, seconds=0):
    return SCRIPT.replace("BEST", str(best)).replace("SECONDS", str(seconds))


@pytest.fixture
def folder(tmp_path):
    without_tensorflow(tmp_path / "stub")
    return tmp_path


def command(*arguments):
    return [sys.executable, str(ROOT / "compare_stages.py"), *arguments]


def variables(folder):
    return environment(PYTHONPATH=str(folder / "stub"), PYTHONIOENCODING="ascii")  # a pipe of Windows has few letters


def compare(folder, *arguments):
    return subprocess.run(
        command(*arguments),
        cwd=str(folder),
        env=variables(folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        timeout=120,
    )


def table(folder):
    with (folder / "comparison" / "comparison.csv").open(encoding="utf-8") as file:
        return {row["script"]: row for row in csv.DictReader(file)}


def recorded_runs(folder):
    return sorted(path.name for path in (folder / "comparison" / "runs").glob("*"))


def test_the_table_says_what_each_script_reached_over_the_seeds(folder):
    (folder / "good.py").write_text(script(0.98))
    (folder / "poor.py").write_text(script(0.92))
    process = compare(folder, "--seeds", "3", "?oo?.py")  # as a shell of Windows hands it over
    assert process.returncode == 0, process.stderr
    good, poor = table(folder)["good.py"], table(folder)["poor.py"]
    assert good["max test accuracy"] == "0.9785 (0.9775 to 0.9795)"  # after 199 of 200 iterations, seeds 0 to 2
    assert poor["max test accuracy"] == "0.9185 (0.9175 to 0.9195)"
    assert (good["seeds"], good["at iteration"], good["overfits from iteration"]) == ("3", "199", "50")
    assert (good["lowest test loss"], good["final / lowest test loss"]) == ("1.00", "150.00")
    markdown = (folder / "comparison" / "comparison.md").read_text(encoding="utf-8")
    assert process.stdout == markdown
    assert markdown.splitlines()[2].startswith("| good.py | 3 | ")
    picture = matplotlib.image.imread(str(folder / "comparison" / "comparison.png"))
    assert picture.shape[:2] == (1200, 1400)
    assert len(np.unique(picture[..., :3].reshape(-1, 3), axis=0)) > 10  # there is something on it


def test_what_has_no_spread_in_the_table_is_the_median_over_the_seeds():
    points = {"iteration": [0], "accuracy": [1], "loss": [1]}
    headings = measure({"training": points, "test": points, "parameters": 1, "iterations": 1, "seconds": 1})
    runs = [dict.fromkeys(headings, value) for value in (1, 2, 9)]
    row = cells("a.py", runs)
    assert (row["lowest test loss"], row["at iteration"], row["seconds"]) == ("2.00", "2", "2")
    assert row["max test accuracy"] == "2.0000 (1.0000 to 9.0000)"


def test_each_column_of_the_table_has_the_decimals_that_it_needs():
    points = {"iteration": [0, 1000], "accuracy": [0.91237, 0.91231], "loss": [20.123, 40.123]}
    results = {"training": points, "test": points, "parameters": 7850, "iterations": 2000, "seconds": 1234.5}
    assert cells("a.py", [measure(results)]) == {
        "script": "a.py",
        "seeds": "1",
        "parameters": "7,850",
        "iterations": "2,000",
        "max test accuracy": "0.9124",
        "at iteration": "0",
        "final test accuracy": "0.9123",
        "lowest test loss": "20.12",
        "overfits from iteration": "0",
        "final / lowest test loss": "1.99",
        "training accuracy, mean of the last 50": "0.9123",
        "lowest of the last 20 tests": "0.9123",
        "seconds": "1,234",
    }


def test_what_ends_with_its_lowest_loss_never_overfits():
    points = {"iteration": [0, 10, 20], "accuracy": [0.5, 0.7, 0.6]}
    losses = {"falls.py": [3, 2, 1], "rises.py": [3, 1, 2]}
    rows = {}
    for name, loss in losses.items():
        curves = {"training": points, "test": dict(points, loss=loss)}
        rows[name] = cells(name, [measure({**curves, "parameters": 1, "iterations": 21, "seconds": 1})])
    assert [row["overfits from iteration"] for row in rows.values()] == ["never", "10"]


def test_the_training_accuracy_in_the_table_is_that_of_the_end():
    test = {"iteration": [0], "accuracy": [1], "loss": [1]}
    training = {"accuracy": [0.1] * 10 + [0.9] * 50}
    numbers = measure({"training": training, "test": test, "parameters": 1, "iterations": 1, "seconds": 1})
    assert numbers["training accuracy, mean of the last 50"] == pytest.approx(0.9)


def test_a_name_stands_in_the_table_as_it_is():
    (line,) = markdown([{"script": "a|b*c `d` _e_ f_g <i>.py", "seeds": "1"}]).splitlines()[2:]
    assert line == r"| a\|b\*c \`d\` \_e\_ f_g \<i\>.py | 1 |"


def test_a_loss_that_becomes_nan_leaves_the_table_and_the_picture(folder):
    losses = {"at_last.py": "abs(i - 50) + 1.0 if i < 100 else np.nan", "at_once.py": "np.nan"}
    for name, loss in losses.items():
        (folder / name).write_text(script(0.98).replace("abs(i - 50) + 1.0", loss))
    process = compare(folder, "--seeds", "2", *losses)
    assert process.returncode == 0, process.stderr
    assert [table(folder)[name]["lowest test loss"] for name in losses] == ["1.00", "nan"]
    assert table(folder)["at_once.py"]["max test accuracy"] == "0.9790 (0.9785 to 0.9795)"
    assert (folder / "comparison" / "comparison.png").exists()


def test_the_number_of_iterations_can_be_given(folder):
    (folder / "\u6570.py").write_text(script())  # a name that not everything can print
    process = compare(folder, "--seeds", "1", "--iterations", "60", "\u6570.py")
    assert process.returncode == 0 and r"| \u6570.py |" in process.stdout
    assert table(folder)["\u6570.py"]["at iteration"] == "59"


def test_scripts_of_different_lengths_in_one_table_are_named_and_keep_their_path_and_folder(folder):
    (folder / "elsewhere").mkdir()
    beside = 'print(open(__file__.replace("published.py", "note.txt")).read())\n'
    published = script().replace("iterations=200,", "iterations=2000 // 10 + 1,").replace("# for", "#")
    (folder / "elsewhere" / "published.py").write_text(beside + published)
    (folder / "elsewhere" / "note.txt").write_text("beside it")
    (folder / "a.py").write_text(script())
    process = compare(folder, "--seeds", "1", "a.py", "elsewhere/published.py")
    assert process.returncode == 0, process.stderr
    assert [table(folder)[name]["iterations"] for name in ("a.py", "published.py")] == ["200", "201"]
    assert "Not all trained equally long: a.py 200, published.py 201 iterations." in process.stderr


def test_what_has_been_run_is_not_run_again_but_an_edited_script_is(folder):
    for name in ("a.py", "b.py"):
        (folder / name).write_text(script())
    compare(folder, "--seeds", "2", "a.py", "b.py")
    before = recorded_runs(folder)
    assert "seed" not in compare(folder, "--seeds", "2", "a.py", "b.py").stderr
    assert recorded_runs(folder) == before
    (folder / "b.py").write_text(script(0.97))
    again = compare(folder, "--seeds", "2", "a.py", "b.py").stderr
    assert "b.py seed 0" in again and "a.py seed" not in again
    assert table(folder)["b.py"]["max test accuracy"].startswith("0.9690")


def test_a_script_that_fails_is_reported_with_its_last_lines_and_the_others_go_on(folder):
    (folder / "broken.py").write_text(script().replace("datavis.append_test_curves_data(i,", "1 / 0, (i,"))
    (folder / "sound.py").write_text(script())
    process = compare(folder, "--seeds", "2", "broken.py", "sound.py")
    assert process.returncode == 1
    assert "broken.py seed 0: ended with status 1" in process.stderr
    assert "ZeroDivisionError" in process.stderr
    assert "broken.py seed 1: left out" in process.stderr
    assert list(table(folder)) == ["sound.py"]


def test_a_script_without_the_two_lines_is_named_and_the_others_go_on(folder):
    (folder / "other.py").write_text("print('hello')\n")
    (folder / "sound.py").write_text(script())
    process = compare(folder, "--seeds", "1", "other.py", "sound.py", "missing.py")
    assert process.returncode == 1
    assert "other.py: found neither a line like datavis.animate(" in process.stderr
    assert "missing.py: No such file or directory" in process.stderr
    assert "Traceback" not in process.stderr
    assert list(table(folder)) == ["sound.py"]


def test_a_script_that_ends_early_or_records_nothing_is_no_result(folder):
    (folder / "early.py").write_text(script().replace('print("max', 'raise SystemExit(0)\nprint("max'))
    (folder / "silent.py").write_text(script().replace("datavis.append_test_curves_data", "print"))
    process = compare(folder, "--seeds", "1", "early.py", "silent.py")
    assert process.returncode == 1
    assert "early.py seed 0: ended with status 0 before its last line" in process.stderr
    assert "silent.py seed 0: handed no points" in process.stderr
    assert not (folder / "comparison" / "comparison.csv").exists()


def test_a_line_of_a_terminal_takes_the_place_of_the_one_before_without_escape_sequences(capsys):
    progress = Progress(total=2, already=0)
    progress.is_live = True
    for name in ("a_long_name.py", "a.py"):
        progress.show(name, 0.5)
    progress.clear()
    _, *lines, last = capsys.readouterr().err.split("\r")
    assert [len(line) for line in lines] == 3 * [len(lines[0])] and lines[1].strip().endswith("50% a.py")
    assert (lines[2].strip(), last) == ("", "") and "\033" not in "".join(lines)


def test_the_time_left_is_told_from_the_runs_of_this_start(monkeypatch, capsys):
    seconds = iter([1000, 1060])
    monkeypatch.setattr(compare_stages.time, "monotonic", lambda: next(seconds))
    progress = Progress(total=10, already=4)
    progress.is_live = True
    progress.show("a.py", 0.5)  # half a run in a minute, five and a half to go
    assert "run 5 of 10, 11 min left" in capsys.readouterr().err


def test_scripts_of_one_name_are_told_apart_by_their_folders(tmp_path):
    scripts = [tmp_path / name for name in ("one/a.py", "other/a.py", "one/b.py")]
    for path in scripts:
        path.parent.mkdir(exist_ok=True)
        path.write_text(script())
    plan, complaints = planned_runs(scripts, 1, None, tmp_path)
    assert (list(plan), complaints) == ([str(scripts[0]), str(scripts[1]), "b.py"], [])


def test_seed_after_seed_is_run_so_that_what_was_stopped_early_compares_all_scripts(capsys):
    """Each made-up run is done by adding itself to a list; the first of a.py has been done before."""
    done = []

    def run_of(name, seed):
        measured = {curve: {"iteration": [0], "accuracy": [seed], "loss": [1]} for curve in ("training", "test")}
        results = {**measured, "parameters": 1, "iterations": 1, "seconds": 1}
        return types.SimpleNamespace(
            seed=seed,
            is_done=(name, seed) == ("a.py", 0),
            do=lambda on_progress: done.append((name, seed)),
            load=lambda: results,
        )

    assert do_runs({name: [run_of(name, seed) for seed in range(3)] for name in ("a.py", "b.py")})
    assert done == [("b.py", 0), ("a.py", 1), ("b.py", 1), ("a.py", 2), ("b.py", 2)]
    assert capsys.readouterr().err.splitlines()[-1] == "b.py seed 2: max test accuracy 2.0000"


JOB = """
import io, json, sys
sys.stdin = io.StringIO({job!r})
sys.path.insert(0, {root!r})
import compare_stages
compare_stages.run_one()
"""


@pytest.mark.tensorflow
def test_a_run_of_a_stage_writes_down_its_curves_its_iterations_and_what_it_trains(forks, tmp_path, few_test_digits):
    job = {
        "source": stage_source(STAGES[2]),
        "path": str(tmp_path / STAGES[2]),
        "seed": 1,
        "iterations": 41,
        "record": str(tmp_path / "record.json"),
    }
    process = forks.run_script(JOB.format(job=json.dumps(job), root=str(ROOT)), tmp_path)
    assert (process.returncode, process.stderr) == (0, "")
    record = json.loads((tmp_path / "record.json").read_text())
    assert (record["parameters"], record["iterations"]) == (185300, 41)
    told = dict(re.findall(r"^(\d+): accuracy: (\S+)", process.stdout, re.MULTILINE))
    assert record["training"]["iteration"] == [0, 20, 40] == list(map(int, told))
    assert record["training"]["accuracy"] == pytest.approx(list(map(float, told.values())))
    assert record["test"]["iteration"] == [0, 40]
    assert f"max test accuracy: {max(record['test']['accuracy']):.4f}"[:-1] in process.stdout


@pytest.mark.parametrize(
    "arguments, expected",
    [
        ([], ([ROOT / stage for stage in STAGES], 5, None, Path("comparison"))),
        (["--seeds=2", "--iterations=7", "--folder=x", "a.py"], ([Path("a.py")], 2, 7, Path("x"))),
    ],
)
def test_without_options_all_stages_run_with_five_seeds(arguments, expected, monkeypatch):
    asked = []
    monkeypatch.setattr(compare_stages, "planned_runs", lambda *options: asked.append(options) or ({}, []))
    monkeypatch.setattr("sys.argv", ["compare_stages.py", *arguments])
    assert compare_stages.main() == 0
    assert asked == [expected]


def test_bad_options_get_one_sentence(folder):
    process = compare(folder, "--seeds", "0")
    assert process.returncode == 2
    assert "argument --seeds: '0', expected a whole number, 1 or more" in process.stderr


def test_the_looks_of_the_picture_are_ours_whatever_a_matplotlibrc_says(folder):
    (folder / "a.py").write_text(script())
    compare(folder, "--seeds", "1", "a.py")
    picture = folder / "comparison" / "comparison.png"
    before = picture.read_bytes()
    picture.unlink()
    (folder / "matplotlibrc").write_text("text.usetex: True\nfigure.facecolor: black\nlines.linewidth: 20\n")
    process = compare(folder, "--seeds", "1", "a.py")
    assert (process.returncode, process.stderr.count("\n")) == (0, 1)
    assert picture.read_bytes() == before


@pytest.mark.skipif(os.name != "posix", reason="sends signals as a terminal on Unix does")
def test_ctrl_c_keeps_what_is_done_and_a_second_start_goes_on(folder):
    (folder / "quick.py").write_text(script())
    (folder / "slow.py").write_text(script(seconds=0.1))
    process = subprocess.Popen(
        command("--seeds", "1", "quick.py", "slow.py"),
        cwd=str(folder),
        env=variables(folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        start_new_session=True,
    )
    deadline = time.monotonic() + 60
    while not (folder / "comparison" / "runs").is_dir() or not recorded_runs(folder):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    time.sleep(0.5)
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Stopped by Ctrl-C" in errors and "Traceback" not in errors
    assert list(table(folder)) == ["quick.py"]
    (first,) = recorded_runs(folder)
    assert json.loads((folder / "comparison" / "runs" / first).read_text())["test"]["iteration"][-1] == 199
    (folder / "slow.py").write_text(script())
    again = compare(folder, "--seeds", "1", "quick.py", "slow.py")
    assert again.returncode == 0
    assert "quick.py seed" not in again.stderr
    assert sorted(table(folder)) == ["quick.py", "slow.py"]
