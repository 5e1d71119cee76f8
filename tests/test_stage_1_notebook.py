"""docs/stage_1.ipynb: the first script, whole and in its order, with the lesson's text; and its cells train."""

import json
import re

import pytest

import make_notebook
from helpers import ROOT, STAGES, stage_source
from kernel import Notebook

CELLS = json.loads(make_notebook.NOTEBOOK.read_text(encoding="utf-8"))["cells"]
CODE = ["".join(cell["source"]) for cell in CELLS if cell["cell_type"] == "code"]
TEXT = "\n\n".join("".join(cell["source"]) for cell in CELLS if cell["cell_type"] == "markdown")


def test_it_is_what_the_program_makes_of_the_script_and_the_chapter():
    stale = "the script or the chapter has changed: .venv/bin/python docs/make_notebook.py"
    assert json.loads(make_notebook.NOTEBOOK.read_text(encoding="utf-8")) == make_notebook.notebook(), stale


def test_it_is_a_notebook_of_its_format():
    nbformat = pytest.importorskip("nbformat")
    nbformat.validate(nbformat.read(str(make_notebook.NOTEBOOK), as_version=4))


def test_its_cells_are_the_script_and_between_them_is_all_the_text_of_the_chapter():
    first, *others = CODE
    assert first == make_notebook.FIRST_CELL
    assert "\n\n".join(others).split() == stage_source(STAGES[0]).split()
    chapter = make_notebook.CHAPTER.read_text(encoding="utf-8").partition("## Exercise")[0]
    sentences = re.sub(r"(?ms)^```.*?^```|\]\([^)]*\)|^# .*?(?=^## )", "", chapter)
    words = re.sub(r"(?ms)^```.*?^```|\]\([^)]*\)", "", TEXT.partition("## ")[1] + TEXT.partition("## ")[2])
    assert words.split() == sentences.split()


def test_its_links_lead_somewhere():
    links = [link.partition("#")[0] for link in re.findall(r"\]\((?!http)([^)]+)\)", TEXT)]
    assert links
    for link in links:
        assert (ROOT / "docs" / link).exists(), link


@pytest.mark.tensorflow
def test_its_cells_train_one_after_the_other():
    shortened = [re.sub(r"\b2000\b", "201", cell) for cell in CODE]  # the number of iterations
    assert shortened != CODE
    notebook = Notebook(shortened, ROOT / "docs", PYTHONPATH="")
    assert [error for cell in range(len(CODE)) for error in notebook.errors(cell)] == []
    (picture,) = [picture for cell in range(len(CODE)) for picture in notebook.pictures(cell)]
    assert picture.std() > 0.1  # not one colour
    assert float(re.search(r"max test accuracy: ([\d.]+)", notebook.text(-1)).group(1)) > 0.85


def test_a_chapter_may_quote_the_inside_of_a_function_and_other_code():
    source = "# one\na = 1\n\n\ndef f():\n    b = 2\n\n    c = 3\n\n\n# last\nd = 4\n"
    chapter = (
        "# Title\n\nNo text.\n\n## Part\n\nA.\n\n```python\na = 1\n```\n\nF.\n\n```python\ndef f():\n    b = 2\n```\n\n"
        "[C](1_c.md#c).\n\n```python\n    c = 3\n```\n\nEnd.\n\n```diff\n-a = 1\n```\n\n"
        "## Exercise\n\n```python\nd = 4\n```\n"
    )
    introduction, first, *cells = make_notebook.cells(source, chapter)
    assert (introduction[0], first) == ("markdown", ("code", make_notebook.FIRST_CELL))
    assert cells == [
        ("markdown", "## Part\n\nA."),
        ("code", "# one\na = 1"),
        ("markdown", "F."),
        ("code", "def f():\n    b = 2\n\n    c = 3"),
        ("markdown", "[C](lesson/1_c.md#c).\n\n```python\n    c = 3\n```\n\nEnd.\n\n```diff\n-a = 1\n```"),
        ("code", "# last\nd = 4"),
    ]
