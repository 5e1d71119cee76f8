"""docs/pictures.py makes each picture that the pages show, of the size that it has there, from runs of the scripts."""

import inspect
import json
import pathlib
import re
import subprocess
import sys
import types

import numpy as np
import PIL.Image
import pytest
from matplotlib.text import Text

import figures.runs
import lesson_pictures
import pictures
from exercises import exercises
from figures import film
from figures.every import PICTURES
from figures.film import WINDOWS
from figures.looks import DPI, card, overlapping_labels, place, save, show_image
from figures.runs import Runs
from helpers import ROOT, STAGES, stage_source
from lesson_pictures import MadeUpRuns, digits

FOLDER = ROOT / "docs" / "pictures"
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("**/*.md"))]


def linked():
    """{name: what it shows, in words} of the pictures that the pages show."""
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    return {name: words for words, name in re.findall(r"!\[([^]]*)\]\([./a-z]*pictures/([\w.]+)\)", text)}


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_shows_what_was_kept_its_labels_stand_apart_and_its_size_is_that_of_the_one_shown(name):
    figure = PICTURES[name](MadeUpRuns(), digits())
    lesson_pictures.compare(name, figure)
    assert overlapping_labels(figure) == []
    shown = PIL.Image.open(str(FOLDER / f"{name}.png")).size
    assert shown == tuple(np.round(figure.get_size_inches() * DPI))


def test_misread_digits_stand_over_their_label_and_what_they_were_taken_for():
    runs, labels = MadeUpRuns(), digits().test.labels
    answers = runs["mnist_3.1_convolutional_bigger_dropout.py"]["answers"].argmax(axis=1)
    wrong = np.flatnonzero(answers != labels)[:98]
    figure = PICTURES["last_misread"](runs, digits())
    texts = [text.get_text() for text in figure.findobj(Text) if text.get_text() in set("0123456789")]
    assert sorted(zip(texts[::2], texts[1::2])) == sorted((str(labels[n]), str(answers[n])) for n in wrong)
    assert len(wrong) > 50


def test_labels_that_overlap_are_found():
    figure = PICTURES["bent"](MadeUpRuns(), digits())
    figure.text(0.5, 0.5, "one")
    figure.text(0.5, 0.5, "another")
    assert overlapping_labels(figure) == [("another", "one")]


@pytest.mark.tensorflow
def test_one_command_trains_a_script_and_keeps_what_it_answers_at_the_last_test(tmp_path):
    command = [sys.executable, str(ROOT / "docs" / "pictures.py"), "neuron", "--iterations", "3"]
    subprocess.run([*command, "--runs", str(tmp_path / "runs"), "--to", str(tmp_path / "made")], check=True)
    made, shown = (PIL.Image.open(str(folder / "neuron.png")) for folder in (tmp_path / "made", FOLDER))
    assert made.size == shown.size
    (file,) = (tmp_path / "runs").iterdir()
    with np.load(str(file)) as run:
        assert list(run["test_iteration"]) == [0, 2]
        right = run["read"] == digits().test.labels
        assert np.allclose(right.mean(axis=1), run["test_accuracy"])
        assert np.allclose(100 * run["digit_loss"].mean(axis=1, dtype=float), run["test_loss"], rtol=1e-3)
        assert np.array_equal(run["answers"].argmax(axis=1), run["read"][-1])
        assert np.allclose(np.exp(-run["digit_loss"].astype(float))[right], run["confidence"][right], rtol=1e-2)
        sums = digits().test.images.reshape(-1, 784) @ run["W"] + run["b"]  # the weights that gave these answers
        assert np.array_equal(sums.argmax(axis=1), run["read"][-1])


@pytest.fixture
def sketches(monkeypatch):
    """In the place of all pictures a sketch, and another one with two labels that overlap, and a film; what is made."""
    made = []

    def sketch(runs, digits):
        figure = card(2, 1)
        figure.text(0.5, 0.5, "one")
        return figure

    def overlap(runs, digits):
        figure = sketch(runs, digits)
        figure.text(0.5, 0.5, "another")
        made.append((runs, digits.test.labels.shape))
        return figure

    monkeypatch.setattr(pictures, "PICTURES", {"sketch": sketch, "overlap": overlap})
    monkeypatch.setattr(pictures, "WINDOWS", {"film.webp": (lambda *arguments: made.append(arguments), "mnist.py")})
    monkeypatch.setattr(pictures, "Runs", lambda *arguments: arguments)
    monkeypatch.setattr(pictures.mnistdata, "read_data_sets", lambda *where, **how: digits())
    return made


def test_a_picture_and_a_film_of_a_window_go_where_they_are_asked_for(sketches, tmp_path, monkeypatch, capsys):
    to = tmp_path / "a" / "here"
    monkeypatch.setattr(sys, "argv", ["pictures.py", "film.webp", "sketch", "--to", str(to), "--runs", "x"])
    assert pictures.main() == 0
    assert sketches == [("mnist.py", to / "film.webp")]
    assert [path.name for path in to.iterdir()] == ["sketch.png"]
    assert capsys.readouterr().out.split() == [str(to / name) for name in ("film.webp", "sketch.png")]


def test_labels_that_overlap_are_told_and_the_status_is_1(sketches, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["pictures.py", "overlap", "sketch", "--to", str(tmp_path), "--iterations=30"])
    assert pictures.main() == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["overlap.png", "sketch.png"]
    output, errors = capsys.readouterr()
    assert output.split() == [str(tmp_path / name) for name in ("overlap.png", "sketch.png")]
    assert errors == "two labels of overlap overlap: 'another' and 'one'\n"
    (((sources, folder, iterations), test_labels),) = sketches
    assert sources == {**dict(exercises()), **{stage: stage_source(stage) for stage in STAGES}}
    assert (folder, iterations, test_labels) == (ROOT / "lesson_runs", 30, (10000,))


def test_without_names_all_pictures_go_where_the_pages_look_for_them(sketches, monkeypatch, capsys):
    saved = []
    monkeypatch.setattr(pictures, "save", lambda figure, path: saved.append(path))
    monkeypatch.setattr(sys, "argv", ["pictures.py"])
    pictures.main()
    assert saved == [FOLDER / "sketch.png", FOLDER / "overlap.png"]
    (((_, _, iterations), _), film) = sketches
    assert film == ("mnist.py", FOLDER / "film.webp") and iterations is None


def test_pictures_that_there_are_not_are_told_with_all_that_there_are(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["pictures.py", "some", "neuron", "other"])
    with pytest.raises(SystemExit) as end:
        pictures.main()
    assert end.value.code == 2
    names = ", ".join([*PICTURES, *WINDOWS])
    expected = f"pictures.py: error: no picture is called other, some; there are {names}"
    assert capsys.readouterr().err.splitlines()[-1] == expected


def test_a_picture_is_saved_with_its_colours_and_there_is_nothing_around_the_card(tmp_path):
    figure = card(2, 1)
    show_image(place(figure, 0.5, 0.25, 1, 0.5), np.linspace(0, 1, 64)[None], aspect="auto")
    save(figure, tmp_path / "card.png")
    with PIL.Image.open(str(tmp_path / "card.png")) as picture:
        assert (picture.mode, picture.size) == ("P", (400, 200))
        pixels = np.array(picture.convert("RGBA")).astype(int)
    assert pixels[0, 0, 3] == pixels[-1, -1, 3] == 0 and (pixels[20:-20, 20:-20, 3] == 255).all()
    assert (pixels[40, 20:-20, :3] > 250).all()  # the card is white
    greys = pixels[100, 110:290, 0]
    assert (np.diff(greys) <= 0).all() and len(set(greys)) > 50 and np.ptp(greys) > 230


@pytest.mark.parametrize(
    "options, overlaps",
    [({}, True), ({"rotation": 90}, True), ({"rotation": 30}, False), ({"visible": False}, False)],
)
def test_slanted_and_hidden_labels_may_overlap_and_so_may_those_of_a_scale_beyond_its_end(options, overlaps):
    figure = card(3, 2)
    axes = place(figure, 0.5, 0.5, 2, 1, xticks=[0, 1, 1.01], yticks=[])
    axes.set_xlim(0, 1)
    axes.text(0.5, 0.5, "one")
    axes.text(0.5, 0.5, "another", **options)
    assert overlapping_labels(figure) == ([("another", "one")] if overlaps else [])


# -- films and windows


@pytest.fixture
def scripts_run(monkeypatch):
    """Runs no script; returns the list of what would be run."""
    run = []

    def run_without_screen(source, name, folder):
        run.append((name, source))
        if "save_movie='" not in source:
            PIL.Image.new("RGB", (300, 200), (200, 30, 30)).save(
                str(pathlib.Path(folder) / name.replace(".py", ".png"))
            )

    monkeypatch.setattr(film, "run_without_screen", run_without_screen)
    return run


WITH_DATA = ('read_data_sets("data"', f"read_data_sets({str(ROOT / 'data')!r}")


def test_the_picture_of_a_window_is_what_the_script_saves(scripts_run, tmp_path):
    film.save_window(STAGES[0], tmp_path / "window.png")
    assert scripts_run == [(STAGES[0], stage_source(STAGES[0]).replace(*WITH_DATA))]
    with PIL.Image.open(str(tmp_path / "window.png")) as picture:
        assert picture.size == (300, 200)
        assert np.abs(np.subtract(picture.convert("RGB").getpixel((150, 100)), (200, 30, 30))).max() < 8


def test_a_film_shows_the_updates_that_are_asked_for_one_after_the_other_and_the_last_one_for_longer(
    scripts_run, tmp_path, monkeypatch
):
    script = "mnist_3.1_convolutional_bigger_dropout.py"

    def ffmpeg(command, cwd, check):
        assert command[0] == "ffmpeg" and "film.mp4" in command
        for update in range(5):
            PIL.Image.new("RGB", (1344, 756), (50 * update, 0, 0)).save(f"{cwd}/{update + 1:04d}.png")

    monkeypatch.setattr(film.subprocess, "run", ffmpeg)
    film.save_film(script, tmp_path / "film.webp", updates=(0, 1, 3, 6))
    source = stage_source(script).replace(*WITH_DATA).replace("ITERATIONS = 10000", "ITERATIONS = 121")
    source = source.replace("read_digits=read)", "read_digits=read, save_movie='film.mp4')")
    assert scripts_run == [(script, source)]
    reds, milliseconds = [], []
    with PIL.Image.open(str(tmp_path / "film.webp")) as frames:
        for number in range(frames.n_frames):
            frames.seek(number)
            reds.append(round(np.array(frames.convert("RGB"))[..., 0].mean() / 50) * 50)
            milliseconds.append(frames.info["duration"])
        assert (frames.size, frames.info["loop"]) == ((1120, 630), 0)  # it plays for ever
    assert (reds, milliseconds) == ([0, 50, 150, 200], [200, 200, 200, 4000])


def test_the_film_of_readme_is_of_the_first_quarter_of_a_training():
    updates = inspect.signature(film.save_film).parameters["updates"].default
    assert updates == (*range(12), *range(12, 126, 3), 125)
    with PIL.Image.open(str(FOLDER / "training.webp")) as frames:
        assert (frames.size, frames.n_frames, frames.info["loop"]) == ((1120, 630), len(updates), 0)


def test_a_script_whose_window_is_pictured_sees_no_screen(tmp_path, monkeypatch):
    monkeypatch.setenv("DISPLAY", ":7")
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-7")
    source = "import json, os; json.dump(dict(os.environ), open('seen.json', 'w')); import stage_runs"
    film.run_without_screen(source, "script.py", tmp_path)
    seen = json.loads((tmp_path / "seen.json").read_text())
    assert seen["MPLBACKEND"] == "agg" and not {"DISPLAY", "WAYLAND_DISPLAY"} & set(seen)


def test_the_layers_are_those_of_the_first_misread_test_digit_with_a_value_of_the_second_channel_looked_at(
    tmp_path, monkeypatch
):
    random, asked = np.random.RandomState(0), []
    images, labels = np.float32(random.rand(20, 28, 28, 1)), np.eye(10)[np.arange(20) % 10]
    numbers = {images[number].tobytes(): number for number in range(20)}

    def read(some):
        asked.append([numbers.get(image.tobytes()) for image in np.float32(some)])
        answers = np.array([np.roll(labels[number or 0], number in (7, 9)) for number in asked[-1]])
        channels = np.concatenate([some, some[:, ::-1] * np.arange(28)[:, None]], axis=3)
        return [answers, channels]

    datavis = types.SimpleNamespace(get_history=lambda: {"test": ([0, 100], [0.1, 0.9], [200, 30], [np.nan, np.nan])})
    mnist = types.SimpleNamespace(test=types.SimpleNamespace(images=images, labels=labels))

    class Stage:
        def __init__(self, source, path, iterations):
            assert (source, path, iterations) == (stage_source(STAGES[0]), ROOT / STAGES[0], 2000)

        def run(self, train):
            return {"mnist": mnist, "datavis": datavis, "read": read}

    places, point_at = [], film.Pad.point_at
    monkeypatch.setattr(film, "Stage", Stage)
    monkeypatch.setattr(film.Pad, "point_at", lambda pad, place: places.append(place) or point_at(pad, place))
    film.save_layers(STAGES[0], tmp_path / "layers.png")
    assert sum(asked[:10], []) == list(range(20)) and asked[10] == [7]
    second = images[7, ::-1, :, 0] * np.arange(28)
    assert places == [(0, *np.unravel_index(second.argmax(), second.shape), 1)]
    with PIL.Image.open(str(tmp_path / "layers.png")) as picture, PIL.Image.open(str(FOLDER / "layers.png")) as shown:
        assert picture.size == shown.size


# -- runs


SOURCE = """
SEED = 0
ITERATIONS = 2000
for i in range(ITERATIONS): training_step(i, i % 50 == 0, i % 10 == 0)
"""


@pytest.fixture
def trained(monkeypatch):
    """Trains nothing: notes what would be trained, and writes a file of results; its end has the status of the list."""
    noted = []

    class Process:
        def __init__(self, target, args):
            self.arguments, self.exitcode = args, 3 if "broken" in args[0] else 0
            assert target is figures.runs.train

        def start(self):
            noted.append(self.arguments[2:4])
            np.savez(self.arguments[4], number=len(noted))

        def join(self):
            pass

    context = types.SimpleNamespace(Process=Process, set_forkserver_preload=lambda modules: None)
    monkeypatch.setattr(figures.runs.multiprocessing, "get_context", lambda way: context)
    return noted


def test_each_script_is_trained_once_for_each_seed_and_length_and_anew_when_it_has_changed(trained, tmp_path, capsys):
    name = "script.py"
    runs = Runs({name: SOURCE}, tmp_path / "runs")
    assert [int(runs[name]["number"]), int(runs.with_seed(name, 1)["number"]), int(runs[name]["number"])] == [1, 2, 1]
    assert int(Runs({name: SOURCE}, tmp_path / "runs")[name]["number"]) == 1  # another time
    assert int(Runs({name: SOURCE}, tmp_path / "runs", 30)[name]["number"]) == 3
    assert int(Runs({name: SOURCE}, tmp_path / "runs", 30000)[name]["number"]) == 1  # longer than the script is
    assert int(Runs({name: SOURCE.replace("50", "100")}, tmp_path / "runs")[name]["number"]) == 4
    assert trained == [(0, 2000), (1, 2000), (0, 30), (0, 2000)]
    assert capsys.readouterr().out.splitlines() == [f"training {name}, seed {seed}" for seed in (0, 1, 0, 0)]


def test_a_script_that_fails_ends_the_program(trained, tmp_path):
    with pytest.raises(SystemExit) as end:
        Runs({"script.py": SOURCE + "# broken"}, tmp_path)["script.py"]
    assert end.value.code == "script.py ended with status 3"


def test_each_picture_is_shown_says_in_words_what_it_shows_and_all_together_are_small():
    names = {f"{name}.png" for name in PICTURES} | set(WINDOWS)
    assert {path.name for path in FOLDER.iterdir()} == names == set(linked())
    assert all(len(words) > 20 for words in linked().values())
    shown = [path for path in (ROOT / "docs").glob("**/*.*") if path.suffix in (".png", ".webp")]
    assert sum(path.stat().st_size for path in shown) < 5e6
