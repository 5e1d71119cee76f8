"""Every edit that the lesson and the questions show gives a script that does what the page says, on a short run."""

import pathlib
import re
import subprocess
import sys
import types

import numpy as np
import PIL.Image
import pytest

import mnistdata
from exercises import CHAPTERS, EXERCISE, LESSON, QUESTIONS, RANGES, exercises, exercises_to_do, main, programs
from helpers import ROOT, max_test_accuracy, shortened_text_only, stage_source

EXERCISES = dict(exercises())
# Of edits that are no exercise by themselves: iterations, and the lowest and the highest test accuracy after them
MORE_RANGES = {
    "batch_of_10_long_low.py": (800, 0.75, 0.95),
    "fixed_rate.py": (200, 0.85, 1),
    "long_steps_not_normalised.py": (50, 0, 0.25),
    "more_dropout.py": (100, 0.85, 1),
    "not_normalised.py": (61, 0.70, 1),
    "not_bent.py": (61, 0.80, 1),
    "keep_model.py": (50, 0.80, 1),
    "my_digit.py": (100, 0.90, 1),
}


@pytest.mark.parametrize("name", sorted(EXERCISES))
def test_an_edit_gives_a_script_that_does_what_the_page_says(name, forks, tmp_path, few_test_digits):
    iterations, lowest, highest = dict(RANGES, **MORE_RANGES)[name]
    if name == "my_digit.py":
        digit = mnistdata.read_data_sets("data", reshape=False).test.images[1, :, :, 0]  # a clear 2
        PIL.Image.fromarray(np.uint8(255 * (1 - digit))).save(str(tmp_path / "my_digit.png"))  # greyscale
    process = forks.run_script(shortened_text_only(EXERCISES[name], iterations), tmp_path)
    said = process.stderr.partition(":")[0]
    assert (process.returncode, said) == (0, "The training loss is nan at iteration 10" * (name == "rate_high.py"))
    assert lowest <= max_test_accuracy(process.stdout) <= highest
    last_loss = re.findall(r"test loss: (\S+)", process.stdout)[-1]
    assert (last_loss == "nan") == (name == "rate_high.py")
    if name == "my_digit.py":
        assert process.stdout.splitlines()[-1] == "my digit is a 2"
    if name == "keep_model.py":
        assert (tmp_path / "mnist_model.index").exists()
    if name == "slopes.py":  # printed from the first layer to the last
        slopes = [float(mean) for mean in re.findall(r"(?m)^\(\d+, \d+\) (\S+)$", process.stdout)]
        assert len(slopes) == 5 and slopes == sorted(slopes) and slopes[0] < slopes[-1] / 1000
    if name == "confusion.py":
        rows = re.findall(r"(?m)^\d \[([\d ]+)\]$", process.stdout)
        assert sum(int(number) for row in rows for number in row.split()) == 1000
    if name == "few_digits.py":  # an epoch has 10 iterations
        assert f"{iterations - 1}: ********* epoch {iterations // 10} *********" in process.stdout
    if name == "batch_of_10_long_low.py":  # and 6,000 here
        assert f"{iterations - 1}: ********* epoch 1 *********" in process.stdout


def test_every_edit_and_every_exercise_has_a_range():
    assert set(EXERCISES) <= {*RANGES, *MORE_RANGES}
    assert [exercise.copy for exercise in exercises_to_do()] == list(RANGES)


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda page: page.stem)
def test_an_exercise_has_a_guess_before_its_solution_and_a_chapter_two_open_ones(chapter):
    text = chapter.read_text(encoding="utf-8")
    found = list(EXERCISE.finditer(text))
    number = chapter.name.split("_")[0]
    assert [match["number"] for match in found] == [f"{number}.{i + 1}" for i in range(text.count("### Exercise "))]
    for match in found:
        guess, edit, solution = re.split(r"(?m)^\*\*Do it\.\*\*|^<details>$", match["text"])
        assert re.search(r"\*\*Guess first\.\*\*[^*]*a\) [^*]*b\) [^*]*c\) ", " ".join(guess.split()))
        assert edit.strip() and "```diff" not in guess + edit
        assert solution.startswith("\n<summary>Solution and result</summary>\n\n") and "</details>" in solution
        assert re.search(r"(?m)^\*\*[abc]\*?\*?\b", solution)
    (open_ones,) = re.findall(r"### Two open ones\n\n((?:[-\s].*\n)*)", text)
    assert len(re.findall(r"(?m)^- \*\*.*?\*\* \((?:\d+ minutes|an evening)\)", open_ones)) == 2


@pytest.fixture(scope="module")
def checked(forks, tmp_path_factory):
    """What the checker says of some copies: {name: (exit status, sentence)}."""
    folder = tmp_path_factory.mktemp("copies")
    two_layers = EXERCISES["two_layers.py"]
    copies = {
        "as_it_is.py": stage_source("mnist_1.0_softmax.py"),
        "with_window.py": EXERCISES["rate_low.py"],
        "prints_more.py": EXERCISES["rate_low.py"].replace(
            "    sess.run(train_step", "    print('step', i)\n    sess.run(train_step"
        ),
        "text_only.py": EXERCISES["softmax_10000.py"]
        .replace("datavis.animate(", "# datavis.animate(")
        .replace("# for i in", "for i in"),
        "in_other_words.py": two_layers.replace(
            "tf.nn.sigmoid(tf.matmul(XX, W1) + B1)", "1 * tf.sigmoid(XX @ W1 + B1)"
        ),
        "too_small.py": two_layers.replace("[200, 100]", "[200, 50]")
        .replace("[100, 10]", "[50, 10]")
        .replace("([100])", "([50])"),
        "my_layers.py": dict(programs())["chain_rule.py"].replace("[784, 200]", "[784, 100]"),
        "my_keras.py": dict(programs())["keras_dropout.py"].replace("EPOCHS = 17", "EPOCHS = 1"),
        "stops.py": two_layers.replace("next_batch(100)", "next_batch(W9)"),
        "no_stage.py": two_layers.replace("# Stage 1.0:", "# My own:"),
        "not_there.py": None,
    }
    program = f"""import sys
sys.path[:0] = [{str(ROOT / "docs")!r}]
import checker, exercises, pathlib
to_do = [exercise for exercise in exercises.exercises_to_do() if exercise.number in ("2.1", "3.1", "4.1")]
"""
    for name, source in copies.items():
        if source:
            (folder / name).write_text(source, encoding="utf-8")
        program += f"print(checker.check(pathlib.Path({name!r}), to_do))\n"
    process = forks.run_script(program, folder)
    assert process.stderr == ""
    lines = process.stdout.splitlines()
    return {name: (int(status), line) for name, line, status in zip(copies, lines[::2], lines[1::2])}


def test_the_checker_says_which_exercise_a_copy_solves(checked):
    solved = {"with_window.py": "2.1", "prints_more.py": "2.1", "text_only.py": "3.1", "in_other_words.py": "4.1"}
    for name, number in solved.items():
        status, line = checked[name]
        (exercise,) = [exercise for exercise in exercises_to_do() if exercise.number == number]
        iterations, lowest, highest = RANGES[exercise.copy]
        title = re.escape(f"{name}: solves exercise {number}, {exercise.title}; with ITERATIONS = {iterations}, ")
        reached = re.fullmatch(rf"{title}its best test accuracy is (\d\.\d{{4}})", line).group(1)
        assert status == 0 and lowest <= float(reached) <= highest


def test_the_checker_says_in_one_sentence_what_is_missing(checked):
    assert checked["as_it_is.py"][0] == checked["too_small.py"][0] == checked["stops.py"][0] == 1
    assert "does what mnist_1.0_softmax.py does" in checked["as_it_is.py"][1]
    found, wanted = ("[[{0}, 10], [200, {0}], [784, 200]]".format(neurons) for neurons in (50, 100))
    told = f"nearest is exercise 4.1, two hidden layers; the shapes of the weights: {found}, expected {wanted}"
    assert checked["too_small.py"][1].endswith(told)
    lines = EXERCISES["two_layers.py"].splitlines()
    wrong = next(number for number, line in enumerate(lines, 1) if "next_batch(100)" in line)
    assert f"line {wrong}: NameError: name 'W9' is not defined" in checked["stops.py"][1]
    none = (
        "no_stage.py: its first lines name no '# Stage …:' that an exercise begins with, expected those of the script"
    )
    assert checked["no_stage.py"] == (1, none)
    status, line = checked["not_there.py"]
    assert status == 1 and line.startswith("not_there.py: ") and "No such file" in line


FACTS = {"the seed is 0": True, "the number of iterations": 100, "it prints more": False, "the size of a batch": 10}


@pytest.fixture
def verdict_on(monkeypatch):
    """A function: what the checker says of a copy with some other facts, and a test accuracy that it reaches.

    Of two exercises, 1.1 asks for another size of the batch, and 1.2 also for another rate.
    """
    import checker

    first, second = (exercise for exercise in exercises_to_do() if exercise.number in ("1.1", "2.1"))
    start = {**FACTS, "the epoch in iteration 1,200": ["2"], "rate": 0.003, "with dropout": False}
    of_first, of_second = {"the size of a batch": 50}, {"the size of a batch": 50, "rate": 0.0123456}
    monkeypatch.setattr(checker, "RANGES", {first.copy: (200, 0.8, 0.95), second.copy: (300, 0.85, 0.9)})

    def verdict(accuracy=0.88, **changes):
        def facts_of(source, path):
            known = {"copy": changes, first.solution: of_first, second.solution: of_second}
            return {**start, **{name.replace("_", " "): value for name, value in known.get(source, {}).items()}}

        monkeypatch.setattr(checker, "stage_of", lambda source: "Stage 1.0")
        monkeypatch.setattr(checker, "facts_of", facts_of)
        monkeypatch.setattr(
            checker, "accuracy_after", lambda *which: accuracy if which[:2] == ("copy", "copy.py") else 0
        )
        return checker.verdict("copy.py", "copy", [first, second])

    verdict.titles = [f"exercise {exercise.number}, {exercise.title}" for exercise in (first, second)]
    return verdict


@pytest.mark.tensorflow
def test_the_checker_compares_a_copy_with_the_nearest_solution_and_its_accuracy_with_the_range(verdict_on):
    first, second = verdict_on.titles
    batch = {"the_size_of_a_batch": 50}
    others = {"the_seed_is_0": False, "the_number_of_iterations": 7, "it_prints_more": True}  # which nobody asked for
    reached = "with ITERATIONS = {}, its best test accuracy is {:.4f}".format
    beyond = "and nothing is missing, but"
    for accuracy, changes, solves, words in (
        (0.8, {**batch, **others}, True, f"solves {first}; {reached(200, 0.8)}"),
        (0.95, batch, True, f"solves {first}; {reached(200, 0.95)}"),
        (0.9, {**batch, "rate": 0.012}, True, f"solves {second}; {reached(300, 0.9)}"),
        (0.9501, batch, False, f"nearest is {first}, {beyond} {reached(200, 0.9501)}, expected 0.8 to 0.95"),
        (
            0.1,
            {**batch, "rate": 0.0122},
            False,
            f"nearest is {second}, {beyond} {reached(300, 0.1)}, expected 0.85 to 0.9",
        ),
        (None, {**batch, "rate": 0.005}, False, f"nearest is {second}; rate: 0.005, expected 0.0123"),
        (None, {"rate": 0.0123}, False, f"nearest is {second}; the size of a batch: 10, expected 50"),
        (None, {**batch, "with_dropout": True}, False, f"nearest is {first}; with dropout: yes, expected no"),
    ):
        assert verdict_on(accuracy, **changes) == (solves, words)


@pytest.mark.parametrize("status", [0, 1])
def test_the_program_ends_with_the_status_of_the_checker(status, monkeypatch):
    checked = []

    def check(path, to_do):
        checked.append((path, to_do))
        return status

    monkeypatch.setitem(sys.modules, "checker", types.SimpleNamespace(check=check))
    monkeypatch.setattr("sys.argv", ["exercises.py", "--check", "folder/mine.py"])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == status
    assert checked == [(pathlib.Path("folder/mine.py"), list(exercises_to_do()))]


def test_an_exercise_has_its_number_its_title_its_script_its_copy_and_its_solution():
    by_number = {exercise.number: exercise for exercise in exercises_to_do()}
    numbers = [tuple(map(int, number.split("."))) for number in by_number]
    assert numbers == sorted(numbers) and len(numbers) == len(RANGES)
    assert by_number["2.1"][1:] == (
        "a tenth of the rate",
        "mnist_1.0_softmax.py",
        "rate_low.py",
        stage_source("mnist_1.0_softmax.py").replace("Optimizer(0.003)", "Optimizer(0.0003)"),
    )
    assert by_number["6.1"].script == "mnist_2.0_five_layers_sigmoid.py"


@pytest.mark.tensorflow
def test_what_the_checker_sees_of_the_digits():
    import checker

    digits = mnistdata.read_data_sets(str(ROOT / "data"), reshape=False, validation_size=100)
    few, others = digits.train.images[:200], digits.validation.images
    assert checker.are_among(few[5:9], few) and not checker.are_among(others[:9], few)
    assert not checker.are_among(np.concatenate([few[:8], others[:1]]), few)  # one is no other's
    shuffled = few.reshape(200, 784)[:, np.random.RandomState(0).permutation(784)].reshape(few.shape)
    assert checker.neighbours_are_alike(few) and not checker.neighbours_are_alike(shuffled)
    assert checker.constants({"rate": 0.5, "step": 1, "images": few}, {"rate": 0.5, "step": 7, "images": few}) == [0.5]
    assert checker.images_in({"rate": 0.5, "images": few}) is few and checker.images_in({"rate": 0.5}) == []


def test_the_checker_says_of_a_program_of_the_lesson_where_it_belongs_and_that_it_is_not_checked(checked):
    for name, program, chapter in (("my_layers.py", "chain_rule.py", 5), ("my_keras.py", "keras_dropout.py", 10)):
        status, line = checked[name]
        assert status == 1
        assert f"comes from {program} and belongs to the open exercises of chapter {chapter}; only copies of" in line


def test_a_layer_of_keras_stands_in_the_graph_as_the_questions_show_it(forks, tmp_path, few_test_digits):
    (line,) = re.findall(r"```python\n(Ylogits = .*)\n```", QUESTIONS.read_text(encoding="utf-8"))
    source = stage_source("mnist_2.0_five_layers_sigmoid.py")
    by_hand = "Ylogits = tf.matmul(Y4, W5) + B5"
    assert source.count(by_hand) == 1
    process = forks.run_script(shortened_text_only(source.replace(by_hand, line), 400), tmp_path)
    assert process.returncode == 0, process.stderr
    assert max_test_accuracy(process.stdout) >= 0.75


def test_the_program_writes_the_edits_of_the_lesson_into_a_folder(tmp_path):
    folder = tmp_path / "my" / "exercises"
    for _ in range(2):  # in the place of former ones, too
        subprocess.run([sys.executable, str(ROOT / "docs" / "exercises.py"), str(folder)], check=True)
    written = {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()}
    assert (
        written == dict([*exercises(LESSON), *programs()])
        and "two_layers.py" in written
        and "keep_model.py" not in written
    )
