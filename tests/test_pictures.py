"""docs/pictures.py makes each picture that the pages show, of the size that it has there, from runs of the scripts."""

import re
import subprocess
import sys

import numpy as np
import PIL.Image
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

import lesson_pictures
import pictures
from figures.every import PICTURES
from figures.film import WINDOWS
from figures.looks import DPI, overlapping_labels
from helpers import ROOT
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
        sums = digits().test.images.reshape(-1, 784) @ run["W"] + run["b"]  # the weights that gave these answers
        assert np.array_equal(sums.argmax(axis=1), run["read"][-1])


def test_a_picture_and_a_film_of_a_window_go_where_they_are_asked_for(tmp_path, monkeypatch, capsys):
    def sketch(runs, digits):
        figure = Figure(figsize=(2, 1))
        FigureCanvasAgg(figure)
        return figure

    made = []
    monkeypatch.setitem(WINDOWS, "film.webp", (lambda script, path: made.append((script, path)), "mnist.py"))
    monkeypatch.setitem(pictures.PICTURES, "sketch", sketch)
    monkeypatch.setattr(
        sys, "argv", ["pictures.py", "film.webp", "sketch", "--to", str(tmp_path / "here"), "--runs", "x"]
    )
    assert pictures.main() == 0
    assert made == [("mnist.py", tmp_path / "here" / "film.webp")]
    assert [path.name for path in (tmp_path / "here").iterdir()] == ["sketch.png"]
    assert capsys.readouterr().out.split() == [str(tmp_path / "here" / name) for name in ("film.webp", "sketch.png")]


def test_each_picture_is_shown_says_in_words_what_it_shows_and_all_together_are_small():
    names = {f"{name}.png" for name in PICTURES} | set(WINDOWS)
    assert {path.name for path in FOLDER.iterdir()} == names == set(linked())
    assert all(len(words) > 20 for words in linked().values())
    shown = [path for path in (ROOT / "docs").glob("**/*.*") if path.suffix in (".png", ".webp")]
    assert sum(path.stat().st_size for path in shown) < 5e6
