"""compare_stages.py as its user runs it, with scripts that need no TensorFlow and train for no time."""

import csv
import itertools
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
from compare_stages import Progress, Run, cells, do_runs, markdown, measure, planned_runs
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
    assert row["max test accuracy"] == row["final test accuracy"] == "2.0000 (1.0000 to 9.0000)"


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


def test_some_numbers_in_the_table_are_those_of_the_end():
    test = {"iteration": range(25), "accuracy": [0.1] * 5 + [0.5] + [0.9] * 18 + [0.8], "loss": [4, 2] + [3] * 23}
    training = {"accuracy": [0.1] * 10 + [0.9] * 49 + [0.4]}
    numbers = measure({"training": training, "test": test, "parameters": 1, "iterations": 1, "seconds": 1})
    assert numbers["training accuracy, mean of the last 50"] == pytest.approx(0.89)
    assert numbers["lowest of the last 20 tests"] == 0.5
    assert (numbers["max test accuracy"], numbers["at iteration"], numbers["final test accuracy"]) == (0.9, 6, 0.8)
    assert numbers["final / lowest test loss"] == 1.5


def test_a_name_stands_in_the_table_as_it_is():
    text = markdown([{"script": r"a|b*c `d` _e_ f_g <i>[j]~k&$l\m.py", "seeds": "1"}])
    assert text.splitlines() == [
        "| script | seeds |",
        "| --- | --- |",
        r"| a\|b\*c \`d\` \_e\_ f_g \<i\>\[j\]\~k\&\$l\\m.py | 1 |",
    ]


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


def test_a_line_of_a_terminal_takes_the_place_of_the_one_before_without_escape_sequences(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "60")
    progress = Progress(total=2, already=0)
    progress.is_live = True
    for name in ("a_name_that_is_too_long.py", "a.py"):
        progress.show(name, 0.5)
    progress.count("a.py", "done")
    _, *lines, last = capsys.readouterr().err.split("\r")
    assert [len(line) for line in lines] == [59] * 3 and lines[1].strip().endswith("50% a.py")
    assert (lines[2].strip(), last) == ("", "a.py: done\n") and "\033" not in "".join(lines)


@pytest.mark.parametrize(
    "fraction, seconds, line",
    [
        (0.5, 60, "[####------] run 5 of 10, 11 min left  [#####-----]  50% a.py"),  # 5.5 runs to go
        (0.5, 5, "[####------] run 5 of 10, 55 s left  [#####-----]  50% a.py"),
        (0.03, 0.45, "[####------] run 5 of 10, 90 s left  [----------]   3% a.py"),
        (0.02, 60, "[####------] run 5 of 10  [----------]   2% a.py"),
        (1, 60, "[#####-----] run 5 of 10, 5 min left  [##########] 100% a.py"),
    ],
)
def test_how_far_the_runs_are_and_the_time_that_those_of_this_start_say_is_left(
    fraction, seconds, line, monkeypatch, capsys
):
    monkeypatch.setattr(compare_stages.time, "monotonic", itertools.count(1000, seconds).__next__)
    monkeypatch.setenv("COLUMNS", "100")
    progress = Progress(total=10, already=4)
    progress.is_live = True
    progress.show("a.py", fraction)
    assert capsys.readouterr().err == f"\r{line.ljust(99)}"


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
    lines = [f"{name} seed {seed}: max test accuracy {seed}.0000" for name, seed in done]
    assert capsys.readouterr().err.splitlines() == lines  # and no bars, as this is no terminal


def test_a_terminal_shows_how_far_a_run_is_and_the_line_is_cleared_after_ctrl_c(monkeypatch, capsys):
    def stop(on_progress):
        raise KeyboardInterrupt

    points = {"iteration": [0], "accuracy": [1], "loss": [1]}
    results = {"test": points, "training": points, "parameters": 1, "iterations": 1, "seconds": 1}
    what_runs_do = [None, lambda on_progress: on_progress(0.25), stop]
    runs = [
        types.SimpleNamespace(seed=seed, is_done=not do, do=do, load=lambda: results)
        for seed, do in enumerate(what_runs_do)
    ]
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with pytest.raises(KeyboardInterrupt):
        do_runs({"a.py": runs})
    shown = capsys.readouterr().err
    assert re.findall(r"run (. of .)[^\r]* (\d+%) (a.py seed \d)", shown) == [
        ("2 of 3", "0%", "a.py seed 1"),
        ("2 of 3", "25%", "a.py seed 1"),
        ("3 of 3", "0%", "a.py seed 2"),
    ]
    assert re.search(r"\r +\r$", shown)


# -- one run


@pytest.fixture
def run_of(tmp_path, monkeypatch):
    """A function that gives a Run of which the process is another program, which has the job as a dictionary."""

    def run(program):
        (tmp_path / "program.py").write_text(f"import json, os, sys\njob = json.load(sys.stdin)\n{program}\n")
        monkeypatch.setattr(compare_stages, "__file__", str(tmp_path / "program.py"))
        monkeypatch.setenv("PYTHONIOENCODING", "ascii")
        monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)
        return Run(tmp_path / "a.py", script(), 3, 60, tmp_path / "results")

    return run


WRITE_DOWN = """
curves = {"test": {"iteration": TEST}, "training": {"iteration": TRAINING}}
with open(job["record"], "w") as file:
    json.dump(dict(curves, job=job, arguments=sys.argv[1:]), file)
"""


def writing_down(test="[0]", training="[0]"):
    return WRITE_DOWN.replace("TEST", test).replace("TRAINING", training)


def test_a_run_is_told_what_to_do_tells_how_far_it_is_and_leaves_one_file(run_of, tmp_path, monkeypatch):
    program = 'print("0: a", "15: b", "5: late", " 9: c", "45: d", sep="\\n")' + writing_down()
    run = run_of(program + "import time\nos.closerange(1, 3)\ntime.sleep(0.1)")  # it ends after its last word
    monkeypatch.setattr(compare_stages.time, "monotonic", itertools.count(100, 3.5).__next__)
    fractions = []
    run.do(fractions.append)
    assert fractions == [0, 15 / 60, 5 / 60, 45 / 60]
    results = run.load()
    record = results["job"].pop("record")
    assert results["job"] == {"source": script(), "path": str(tmp_path / "a.py"), "seed": 3, "iterations": 60}
    assert (results["arguments"], results["seconds"], os.path.exists(record)) == (["--work"], 3.5, False)
    (name,) = os.listdir(str(tmp_path / "results" / "runs"))
    assert re.fullmatch(r"a-seed3-\w{12}\.json", name) and run.is_done


@pytest.mark.parametrize(
    "program, sentence",
    [
        ("", "ended with status 0 before its last line"),
        (writing_down(test="[]"), "handed no points of training and of test accuracy to its datavis"),
        (writing_down(training="[]"), "handed no points of training and of test accuracy to its datavis"),
        (writing_down() + "sys.exit(3)", "ended with status 3:\n"),
        (
            "for i in range(30): print(f'line {i}')\nprint('\u6570', '\\udcff')\n"
            "os.write(1, b'\\xff\\n')\nsys.exit('the last line')",
            "ended with status 1:\n"
            + "".join(f"line {i}\n" for i in range(23, 30))
            + "\u6570 \\udcff\n\\xff\nthe last line",
        ),
    ],
)
def test_a_run_that_fails_is_no_result_and_says_its_last_lines(program, sentence, run_of):
    run = run_of("# coding: utf-8\n" + program)
    with pytest.raises(RuntimeError) as failure:
        run.do(lambda fraction: None)
    assert str(failure.value) == sentence
    assert not run.is_done and os.listdir(str(run.file.parent)) == []


def test_a_run_is_ended_when_what_waits_for_it_is(run_of, tmp_path):
    def stop(fraction):
        raise KeyboardInterrupt

    run = run_of("import time\nprint('1: ')\ntime.sleep(3)\nopen('it_went_on', 'w')")
    with pytest.raises(KeyboardInterrupt):
        run.do(stop)
    assert not (tmp_path / "it_went_on").exists()


def test_the_file_of_a_run_has_a_name_that_a_file_may_have(tmp_path):
    run = Run(Path("\U0001f600" * 60 + ".py"), script(), 0, None, tmp_path)
    assert len(run.file.name.encode("utf-8")) < 255 and run.iterations == 200


# -- all of it


@pytest.fixture
def compare_here(monkeypatch):
    """A function that runs the program in this process. Scripts train for no time, and fail with some of the seeds."""

    def watch(run, job, on_progress):
        if (Path(job["path"]).name, job["seed"]) in (("b.py", 1), ("c.py", 0)):
            raise RuntimeError("ended with status 3:\nthe last line")
        test = {"iteration": [0, 100], "accuracy": [0.25, 0.75 + job["seed"] / 16], "loss": [2, 1]}
        record = {"test": test, "training": test, "parameters": 7850, "iterations": run.iterations}
        Path(job["record"]).write_text(json.dumps(record))

    def compare(*arguments):
        monkeypatch.setattr("sys.argv", ["compare_stages.py", *arguments])
        return compare_stages.main()

    monkeypatch.setattr(Run, "watch", watch)
    for name, iterations in (("a.py", 200), ("b.py", 1000), ("c.py", 200)):
        Path(name).write_text(script().replace("200", str(iterations)))
    return compare


def test_what_has_been_done_is_in_the_folder_that_is_named_and_all_else_is_said(compare_here, capsys):
    Path("elsewhere").mkdir()
    Path("elsewhere", "other.py").write_text("print('hello')\n")
    scripts = ["a.py", "elsewhere/other.py", "b.py", "missing.py"]
    assert compare_here("--seeds=3", "--folder=my/results", *scripts) == 1
    printed, said = capsys.readouterr()
    other, *lines = said.splitlines()
    assert other.startswith("other.py: found neither a line like datavis.animate(")
    assert lines == [
        "missing.py: No such file or directory",
        "a.py seed 0: max test accuracy 0.7500",
        "b.py seed 0: max test accuracy 0.7500",
        "a.py seed 1: max test accuracy 0.8125",
        "b.py seed 1: ended with status 3:",
        "the last line",
        "a.py seed 2: max test accuracy 0.8750",
        "b.py seed 2: left out, as it failed before",
        "Not all trained equally long: a.py 200, b.py 1,000 iterations. --iterations N makes them equal",
        f"The table, as Markdown and CSV, and a picture are in {Path('my', 'results')}",
    ]
    folder = Path("my", "results")
    assert printed == (folder / "comparison.md").read_text(encoding="utf-8")
    assert [line[:13] for line in printed.splitlines()[2:]] == ["| a.py | 3 | ", "| b.py | 1 | "]
    assert sorted(os.listdir(str(folder))) == ["comparison.csv", "comparison.md", "comparison.png", "runs"]


def test_where_nothing_has_been_done_there_is_no_table(compare_here, capsys):
    assert compare_here("--seeds=1", "c.py") == 1
    assert capsys.readouterr() == ("", "c.py seed 0: ended with status 3:\nthe last line\n")
    assert os.listdir("comparison") == ["runs"]


def test_one_script_that_cannot_be_run_makes_the_status_1_though_others_can(compare_here, monkeypatch):
    monkeypatch.setattr(compare_stages, "write_results", lambda folder, done: None)
    assert [compare_here("--seeds=1", "a.py", *more) for more in ([], ["missing.py"])] == [0, 1]


def test_a_folder_that_cannot_be_written_is_named(compare_here):
    sentence = r"^a\.py can't be written \(.+\): name, with --folder, a folder that you may write to$"
    with pytest.raises(SystemExit, match=sentence):
        compare_here("--seeds=1", "--folder=a.py", "a.py")


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


@pytest.mark.tensorflow
def test_a_script_that_has_its_datavis_no_more_at_its_end_is_no_result(forks, tmp_path):
    record = tmp_path / "record.json"
    job = {"source": script() + "del datavis\n", "path": "a.py", "seed": 1, "iterations": 3, "record": str(record)}
    process = forks.run_script(JOB.format(job=json.dumps(job), root=str(ROOT)), tmp_path)
    assert (process.returncode, process.stderr) == (1, "has no MnistDataVis at its end\n")
    assert not record.exists()


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


def test_bad_options_get_one_sentence(monkeypatch, capsys):
    for option in ("--seeds", "--iterations"):
        monkeypatch.setattr("sys.argv", ["compare_stages.py", option, "0"])
        with pytest.raises(SystemExit, match="2"):
            compare_stages.main()
        assert f"argument {option}: '0', expected a whole number, 1 or more" in capsys.readouterr().err


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
    sentence = "Stopped by Ctrl-C. Start it again with the same options, and it goes on from here.\n"
    assert sentence in errors and "Traceback" not in errors
    assert list(table(folder)) == ["quick.py"]
    (first,) = recorded_runs(folder)
    assert json.loads((folder / "comparison" / "runs" / first).read_text())["test"]["iteration"][-1] == 199
    (folder / "slow.py").write_text(script())
    again = compare(folder, "--seeds", "1", "quick.py", "slow.py")
    assert again.returncode == 0
    assert "quick.py seed" not in again.stderr
    assert sorted(table(folder)) == ["quick.py", "slow.py"]
