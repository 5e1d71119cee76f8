"""stage_runs.py: what it reads in a script, what it changes there, what it leaves, and when a result is another one."""

import ast
import os
import sys
import traceback
import types

import pytest

import stage_runs
from helpers import STAGES, link, stage_source
from stage_runs import ROOT, Stage, read_source, text_only, with_window

SCRIPT = """
import os
import sys

SEED = 0
ITERATIONS = 10000
data = list(range(10000))
rate = lambda i: 1 - i / ITERATIONS
calls = []


class Recorder:
    def animate(self, compute_step, iterations, train_data_update_freq=20, test_data_update_freq=100, save_movie=False):
        calls.append(("window", iterations, test_data_update_freq, compute_step))


def training_step(i, update_test_data, update_train_data):
    calls.append((i, update_test_data, update_train_data))


datavis = Recorder()
WINDOW
# for i in range(ITERATIONS): training_step(i, i % 100 == 0 or i == ITERATIONS - 1, i % 20 == 0)
"""
USUAL = "datavis.animate(training_step, ITERATIONS, train_data_update_freq=2, test_data_update_freq=4)"


def script(window=USUAL, **replaced):
    """The script, with another line that trains, and with other lines "name = value"."""
    source = SCRIPT.replace("WINDOW", window)
    for name, value in replaced.items():
        source = "\n".join(f"{name} = {value}" if line.startswith(f"{name} =") else line for line in source.split("\n"))
    return source


def without_comment(source):
    return "\n".join(line for line in source.split("\n") if not line.startswith("# for"))


def schedule(iterations, train_data_update_freq, test_data_update_freq):
    for i in range(iterations):
        last = i == iterations - 1
        yield i, i % test_data_update_freq == 0 or last, i % train_data_update_freq == 0 or last


@pytest.fixture
def run(monkeypatch):
    """A function that runs a script in this process, as a program; what it has changed in the process is undone."""
    monkeypatch.setitem(sys.modules, "tensorflowvisu", types.SimpleNamespace(schedule=schedule, __file__="visu"))
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])
    argv, path = list(sys.argv), list(sys.path)
    yield lambda source, path="somewhere/script.py", train=text_only, **changes: Stage(source, path, **changes).run(
        train
    )
    sys.argv[:], sys.path[:] = argv, path


# -- what is read


@pytest.mark.parametrize("stage", STAGES)
def test_it_reads_the_length_of_each_stage(stage):
    (line,) = [line for line in stage_source(stage).splitlines() if line.startswith("ITERATIONS = ")]
    assert Stage(stage_source(stage), stage).iterations == int(line.split()[2])


@pytest.mark.parametrize(
    "length, expected",
    [
        ("10_000", 10000),
        ("iterations=2000+1", 2001),
        ("iterations=2 * (1000 - 1)", 1998),
        ("2 * SEED + ITERATIONS // 4", 2500),
        ("iterations=-(-500)", 500),
        ("1", 1),
        ("ITERATIONS", 10000),
    ],
)
def test_a_number_may_be_written_in_any_way(length, expected):
    assert Stage(without_comment(script(f"datavis.animate(training_step, {length})")), "x.py").iterations == expected


def test_a_call_may_be_wrapped_and_its_object_may_have_any_name():
    wrapped = (
        "window.animate(\n    training_step,\n    train_data_update_freq=2,\n    iterations=(\n        500\n    ),\n)"
    )
    assert Stage(without_comment(script(wrapped)), "x.py").iterations == 500


@pytest.mark.parametrize(
    "source, sentence",
    [
        (
            "print('hello')",
            "found neither a line like datavis.animate(training_step, ITERATIONS) nor one like "
            "for i in range(ITERATIONS): training_step(i, …), expected one of them",
        ),
        (script("datavis.animate(training_step, (5"), "is not Python"),
        (
            script("datavis.animate(training_step, count())"),
            "line 22 does not say for how many iterations it trains: expected a whole number, 1 or more, or arithmetic "
            "with such numbers and with names that get one, once, at the top level of the script",
        ),
        (script(ITERATIONS="int(input())"), "line 22 does not say for how many iterations it trains"),
        (script(ITERATIONS="1e4"), "line 22 does not say"),
        (script(ITERATIONS="0"), "line 22 does not say"),
        (script(ITERATIONS="True"), "line 22 does not say"),
        (script(ITERATIONS="1 // 0"), "line 22 does not say"),
        (script(ITERATIONS="1 << 0.5"), "line 22 does not say"),
        (script(ITERATIONS="ITERATIONS + 1"), "line 22 does not say"),
        (script(ITERATIONS="OTHER = 5"), "line 22 does not say"),
        (script(f"ITERATIONS = 5\n{USUAL}"), "line 23 does not say"),
        (script(f"ITERATIONS += 1\n{USUAL}"), "line 23 does not say"),
        (script(f"def more():\n    global ITERATIONS\n    ITERATIONS = 5\n\n\n{USUAL}"), "line 27 does not say"),
        (script(f"if SEED:\n    ITERATIONS = 5\n{USUAL}"), "line 24 does not say"),
        (
            script(f"{USUAL}\n{USUAL}"),
            "lines 22 and 23 train one after the other, expected one: comment the other out",
        ),
        (script(f"{USUAL}\nfor i in range(5): training_step(i, True, True)"), "lines 22 and 23 train one after"),
        (
            script("datavis.animate(training_step, iterations=2000 + 1)"),
            "the window's line, 22, is of 2,001 iterations and the text-only line, 23, of 10,000: make them the same",
        ),
        (
            script(
                "# datavis.animate(\n#     training_step,\n#     iterations=60,\n# )\n"
                "for i in range(5):\n    training_step(i, 0, 0)"
            ),
            "the text-only line, 26, is of 5 iterations and the window's line, 22, of 60: make them the same",
        ),
    ],
)
def test_what_it_cannot_read_as_one_number_gets_one_sentence(source, sentence):
    with pytest.raises(ValueError) as failure:
        Stage(source, "x.py")
    assert sentence in str(failure.value) and "\n" not in str(failure.value)


def test_a_line_that_is_not_python_is_told_with_the_reason():
    with pytest.raises(ValueError) as failure:
        Stage(script("1 = training_step"), "x.py")
    assert str(failure.value) == f"line 22 is not Python: {failure.value.__context__.msg}"


@pytest.mark.parametrize(
    "line",
    [
        "# datavis.animate(training_step, 500)",  # another length, of the same kind
        "# for i in range(n): training_step(i, 0, 0)",
        "x = 1  # for i in range(500): training_step(i, 0, 0)",
        "def later():\n    ITERATIONS = 5\n    datavis.animate(training_step, 5)\n",
        "class Other:\n    ITERATIONS = 5\n",
        "[ITERATIONS for ITERATIONS in data], {ITERATIONS for ITERATIONS in data}",
        "{ITERATIONS: 1 for ITERATIONS in data}, sum(ITERATIONS for ITERATIONS in data)",
        "plot.animate(1)",
        "for i in range(3): print(i, 1, 2)",
        "for i in range(3): training_step(i)",
        "for i in range(0, 3): training_step(i, 1, 2)",
        "for i in list(data): training_step(i, 1, 2)",
        "for i in range(3):\n    training_step(i, 1, 2)\n    print(i)",
    ],
)
def test_what_only_looks_like_a_length_or_a_training_is_none(line):
    assert Stage(script(f"{line}\n{USUAL}"), "x.py").iterations == 10000


@pytest.mark.parametrize(
    "lines, line",
    [
        ("#datavis.animate(training_step, 500)\nfor i in range(5):\n    training_step(i, 0, 0)", 22),
        ("#   datavis.animate(training_step, 500)\nfor i in range(5): training_step(i, 0, 0)", 22),
        ("if SEED:\n    # datavis.animate(training_step, 500)\n    for i in range(5): training_step(i, 0, 0)", 23),
    ],
)
def test_a_comment_that_would_train_for_another_length_is_found_however_it_is_written(lines, line):
    with pytest.raises(ValueError, match=f"is of 5 iterations and the window's line, {line}, of 500"):
        Stage(without_comment(script(lines)), "x.py")


def test_what_trains_may_stand_under_a_condition_and_its_length_be_annotated(run):
    source = script('if __name__ == "__main__":\n    ' + USUAL).replace("ITERATIONS =", "ITERATIONS: int =")
    assert len(run(source, iterations=3)["calls"]) == 3


def test_a_file_in_an_encoding_of_its_own_is_read_and_one_that_has_none_gets_a_sentence(tmp_path):
    path = tmp_path / "script.py"
    path.write_bytes("# coding: latin-1\n# \u00e9\n".encode("latin-1"))
    assert "\u00e9" in read_source(path)
    for content, reason in ((b"# \xe9\n", "encoding"), (b"\n\n\n# \xe9\n", "can't decode byte 0xe9")):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=f"^its text can't be read .*{reason}"):
            read_source(path)


# -- what is changed, and what is not


def test_another_length_goes_to_all_that_depends_on_it_and_to_nothing_else(run):
    assert Stage(script(), "x.py", iterations=5).iterations == 5
    names = run(script(), iterations=5)
    expected = [(0, True, True), (1, False, False), (2, False, True), (3, False, False), (4, True, True)]
    assert names["calls"] == expected
    assert (names["ITERATIONS"], names["rate"](5), len(names["data"])) == (5, 0, 10000)


def test_a_published_length_is_changed_too(run):
    source = without_comment(script("datavis.animate(training_step, iterations=2000+1, test_data_update_freq=50)"))
    names = run(source, iterations=3)
    assert [i for i, _, _ in names["calls"]] == [0, 1, 2] and names["ITERATIONS"] == 10000


def test_a_script_in_text_only_mode_keeps_its_updates_and_ends_with_both(run):
    line = "for step in range(2000+1): training_step(step, step % 3 == 0, step % 2 == 0 or step == 2000)"
    source = without_comment(script(line))
    expected = [(0, True, True), (1, False, False), (2, False, True), (3, True, False), (4, True, True)]
    for train in (text_only, with_window):
        assert run(source, train=train, iterations=5)["calls"] == expected
    other_steps = []
    run(source, train=lambda step, updates, animate: animate(lambda *step: other_steps.append(step)), iterations=5)
    assert other_steps == expected


def test_without_changes_all_iterations_of_a_published_script_run_and_are_counted(run):
    run(script(), iterations=1)  # puts the fixture's modules to use
    for line in ("datavis.animate(training_step, iterations=20+1)", "for i in range(20+1): training_step(i, 0, 0)"):
        stage = Stage(without_comment(script(line)), "x.py")
        assert stage.iterations_done == 0
        assert len(stage.run(text_only)["calls"]) == 21
        assert stage.iterations_done == 21


def test_the_window_stays_where_it_is_wanted_and_gets_another_length_or_step(run):
    names = run(script(), iterations=7, train=with_window)
    assert names["calls"] == [("window", 7, 4, names["training_step"])]
    steps = []
    names = run(script(), train=lambda step, updates, animate: steps.append(step) or animate(print))
    assert steps == [names["training_step"]] and names["calls"] == [("window", 10000, 4, print)]


def test_modules_that_are_older_than_this_project_are_named(run, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflowvisu", types.SimpleNamespace(__file__="mine/tensorflowvisu.py"))
    sentence = "^mine/tensorflowvisu.py is older than this project: take it out of the script's folder$"
    with pytest.raises(SystemExit, match=sentence):
        run(script(), iterations=1)


def test_the_seed_is_changed_in_its_line_or_where_a_published_script_has_it(run):
    for seed in (0, 3):
        assert run(script(SEED="7"), seed=seed, iterations=1)["SEED"] == seed
    published = "class tf: {0} = lambda seed: calls.append(seed)\ntf.{0}(7)\n"
    for function in ("set_random_seed", "set_seed"):
        source = without_comment(script(published.format(function) + USUAL)).replace("SEED = 0", "")
        assert [run(source, seed=seed, iterations=1)["calls"][0] for seed in (0, 3)] == [0, 3]
    twice = script().replace("SEED = 0", "tf.set_random_seed(0); tf.set_random_seed(0)")
    of_the_clock = script().replace("SEED = 0", "tf.set_random_seed(int(time.time()))")
    for source in (script().replace("SEED", "START"), twice, of_the_clock):
        with pytest.raises(ValueError) as failure:
            Stage(source, "x.py", seed=1)
        assert str(failure.value) == (
            "has no seed to change: expected one line SEED = 0 at its top, or one line tf.set_random_seed(0)"
        )


def test_the_path_the_folder_and_the_lines_of_a_traceback_are_those_of_the_script(run, tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "words.txt").write_text("beside it")
    (folder / "beside.py").write_text("word = 7")
    source = "from beside import word\ntext = open(__file__.replace('script.py', 'words.txt')).read()\n"
    source += script(f"import __main__\narguments = sys.argv[:], __main__.__file__, __name__\n{USUAL}")
    path = folder / "script.py"
    names = run(source, path, iterations=2)
    assert (names["word"], names["text"], names["__file__"]) == (7, "beside it", str(path))
    assert names["arguments"] == ([str(path)], str(path), "__main__") and sys.path[0] == str(folder)
    sys.modules.pop("beside")
    path.write_text(source)
    link(path, tmp_path / "link.py")
    if (tmp_path / "link.py").is_symlink():  # Python, too, looks for modules beside the file itself
        run(script(), tmp_path / "link.py", iterations=2)
        assert sys.path[0] == str(folder)
    broken = script().replace("    calls.append((i, ", "    1 / 0, print((i, ")
    with pytest.raises(ZeroDivisionError) as failure:
        run(broken, path, iterations=2)
    frames = traceback.extract_tb(failure.value.__traceback__)
    own = [frame.lineno for frame in frames if frame.filename == str(path)]
    lines = broken.split("\n")
    assert [lines[number - 1].strip()[:15] for number in own] == ["datavis.animate", "1 / 0, print((i"]


# -- when a result is another one


@pytest.fixture
def folder(tmp_path):
    """A script that imports from its own folder, at second hand too, and has data there."""
    modules = {
        "mine/__init__.py": "from .inner import x\n",
        "mine/inner.py": "import helper_of_mine, second_helper\nx = 1\n",
        "mine/chosen.py": "x = 1\n",
        "mine/deep/__init__.py": "from .. import above\n",
        "mine/deep/core.py": "x = 1\n",
        "mine/above.py": "x = 2\n",
        "helper_of_mine.py": "y = 1\n",
        "second_helper.py": "not Python at all\n",
        "not_imported.py": "z = 1\n",
    }
    (tmp_path / "mine" / "deep").mkdir(parents=True)
    for name, text in modules.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "digits").mkdir()
    (tmp_path / "digits" / "train-images-idx3-ubyte").write_bytes(b"1")
    reading = f'mnist = read_data_sets("{(tmp_path / "digits").as_posix()}", one_hot=True)'
    source = f"import os, mine.deep.core\nfrom mine import chosen\n{reading}\n{script()}"
    (tmp_path / "script.py").write_text(source)
    return tmp_path


def key(folder, **changes):
    path = folder / "script.py"
    return Stage(read_source(path), path, **changes).key()


def test_the_key_is_that_of_the_code_with_its_seed_and_its_length(folder):
    before = key(folder)
    path = folder / "script.py"
    path.write_text("# a comment\n" + path.read_text())
    assert key(folder) == before
    assert len({before, key(folder, seed=1), key(folder, iterations=5), key(folder, iterations=6)}) == 4
    assert key(folder, seed=0, iterations=10000) == before
    path.write_text(path.read_text() + "print(1)\n")
    assert key(folder) != before


@pytest.mark.parametrize(
    "name",
    [
        "mine/__init__.py",
        "mine/inner.py",
        "mine/chosen.py",
        "mine/deep/__init__.py",
        "mine/deep/core.py",
        "mine/above.py",
        "helper_of_mine.py",
        "second_helper.py",
        "digits/train-images-idx3-ubyte",
    ],
)
def test_another_module_or_other_data_make_another_key(folder, name):
    before = key(folder)
    (folder / name).write_text((folder / name).read_text() + "\n")
    assert key(folder) != before


def test_modules_that_change_places_make_another_key(folder):
    before = key(folder)
    one, other = folder / "mine" / "chosen.py", folder / "mine" / "above.py"
    content = one.read_text()
    one.write_text(other.read_text())
    other.write_text(content)
    assert key(folder) != before


def test_a_module_beside_the_script_is_used_and_not_the_projects_of_that_name(folder):
    (folder / "helper_of_mine.py").write_text("import ink\n")
    before = key(folder)
    (folder / "ink.py").write_text("y = 1\n")
    assert key(folder) != before
    before = key(folder)
    (folder / "ink.py").write_text("y = 2\n")
    assert key(folder) != before


@pytest.mark.parametrize("call", ["read_data_sets(data_dir=", "read_data_sets(train_dir=", "mnistdata.read_data_sets("])
def test_data_may_be_named_with_a_keyword_and_read_by_a_function_of_a_module(folder, call):
    path = folder / "script.py"
    path.write_text(path.read_text().replace("read_data_sets(", call))
    before = key(folder)
    (folder / "digits" / "train-images-idx3-ubyte").write_bytes(b"2")
    assert key(folder) != before


def test_data_are_found_where_the_reader_finds_them(tmp_path, monkeypatch):
    tmp_path = tmp_path.resolve()
    for variable in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(variable, str(tmp_path))
    (tmp_path / "data" / "folder-ubyte").mkdir(parents=True)
    mine = tmp_path / "data" / "letters-ubyte.gz"
    mine.write_bytes(b"1")
    found = {
        argument: set(stage_runs.data_files(ast.parse(f"read_data_sets({argument})")))
        for argument in ("'data'", "'~/data'", "FOLDER", "5", "")
    }
    assert found.pop("'data'") == {mine, *(ROOT / "data").glob("*.gz")}
    assert found.pop("'~/data'") == {mine}
    assert list(found.values()) == [set()] * 3


def test_what_a_script_does_not_use_makes_no_other_key(folder):
    before = key(folder)
    (folder / "not_imported.py").write_text("z = 2\n")
    assert key(folder) == before


def test_the_modules_of_the_project_belong_to_what_a_stage_depends_on_and_what_draws_does_not(tmp_path):
    tree = ast.parse(stage_source(STAGES[0]))
    files = stage_runs.imported_files(tree, ROOT / STAGES[0])
    assert files == stage_runs.imported_files(tree, tmp_path / "copy.py")
    names = {file.relative_to(ROOT).as_posix() for file in files}
    assert {"mnistdata.py", "tensorflowvisu.py"} <= names
    assert not [name for name in names if name.startswith("visu/drawing")]


@pytest.mark.parametrize("package", ["tensorflow", "tf_nightly", "numpy"])
def test_another_version_of_tensorflow_or_numpy_makes_another_key(folder, package, monkeypatch):
    for name in (package, f"{package}-1.0.dist-info"):
        (folder / "site" / name).mkdir(parents=True)
    (folder / "site" / package / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(str(folder / "site"))
    monkeypatch.delitem(sys.modules, package, raising=False)
    before = key(folder)
    assert f"{package}-1.0.dist-info" in list(stage_runs.versions(package))
    (folder / "site" / f"{package}-1.0.dist-info").rename(folder / "site" / f"{package}-2.0.dist-info")
    assert key(folder) != before


@pytest.mark.parametrize("name", ["TF_ENABLE_ONEDNN_OPTS", "OMP_NUM_THREADS", "CUDA_VISIBLE_DEVICES", "PYTHONHASHSEED"])
def test_a_setting_that_changes_results_makes_another_key_and_others_do_not(folder, name, monkeypatch):
    monkeypatch.delenv(name, raising=False)
    keys = {key(folder)}
    for value in ("5", "6", os.fsdecode(b"\xff") if os.name == "posix" else "7"):
        monkeypatch.setenv(name, value)
        keys.add(key(folder))
    monkeypatch.setenv("MY_TF_SETTING", "5")
    keys.add(key(folder))
    assert [len(key) for key in keys] == [12] * 4
