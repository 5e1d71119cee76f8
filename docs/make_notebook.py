# SPDX-License-Identifier: Apache-2.0
"""Writes docs/stage_1.ipynb: the first script in cells, with the text of the lesson's chapter about it between them.

    python3 docs/make_notebook.py

The code cells are the script, whole and in its order. Where the chapter quotes code, the cell ends that has it.
"""

import json
import posixpath
import re
from pathlib import Path

HERE = Path(__file__).resolve().parent
SCRIPT = HERE.parent / "mnist_1.0_softmax.py"
CHAPTER = HERE / "lesson" / "3_the_script.md"
NOTEBOOK = HERE / "stage_1.ipynb"

INTRODUCTION = f"""# Stage 1.0 in cells

Run the cells from top to bottom: their code is [{SCRIPT.name}](../{SCRIPT.name}), and the text is
[chapter 3 of the lesson](lesson/{CHAPTER.name}). The picture under the last cell shows the training, as the window does
for the script. Change a cell, then choose *Restart and run all*.

It needs the folder of the project around it, [installed](../install.txt), and in the same `.venv` Jupyter:
`.venv/bin/pip install notebook && .venv/bin/jupyter notebook docs/{NOTEBOOK.name}`. On Colab, where TensorFlow is there
already, get the project by `!git clone` and its address, and go into its folder `docs` with `%cd`.

The other stages run from here as well, each in a kernel of its own: `%run ../mnist_2.0_five_layers_sigmoid.py`"""
FIRST_CELL = 'import sys\n\nsys.path.insert(0, "..")  # the modules are in the folder above this one'


def paragraphs(source):
    """The parts of a script between blank lines; what is indented belongs to the part before."""
    return [part.strip("\n") for part in re.split(r"\n\n+(?=\S)", source)]


def code_of(lines):
    """Lines without the comments behind their code."""
    return {line.split("  #")[0].rstrip() for line in lines.splitlines()} - {""}


def pieces(page):
    """The (text, quoted code) of a chapter up to its exercise, in order; the code may be empty."""
    introduction, *sections = re.split(r"(?m)^(?=## )", page)
    text = "".join(sections).partition("## Exercise")[0]
    *quotes, rest = re.split(r"(?s)(?<=```\n)(?=\n)", text)
    for quote in quotes:
        before, _, code = quote.partition("```python\n")
        yield before.strip(), code.partition("```")[0].rstrip()
    yield rest.strip(), ""


def with_links_from(folder, text):
    """The text with its links, which lead on from a folder beside the notebook, leading on from the notebook."""

    def moved(match):
        target = match.group(1)
        return match.group() if "://" in target else f"]({posixpath.normpath(posixpath.join(folder, target))})"

    return re.sub(r"\]\(([^)]+)\)", moved, text)


def cells(source, page):
    """The (kind, text) of each cell of a script and the chapter about it."""
    yield "markdown", INTRODUCTION
    yield "code", FIRST_CELL
    to_come = paragraphs(source)
    text = []
    for before, quote in pieces(page):
        text.append(before)
        places = [i for i, part in enumerate(to_come, 1) if code_of(part) & code_of(quote)]
        if not places:  # it is in a cell above, in the middle of a function
            text.append(f"```python\n{quote}\n```" if quote else "")
            continue
        yield "markdown", with_links_from(CHAPTER.parent.name, "\n\n".join(filter(None, text)))
        yield "code", "\n\n".join(to_come[: places[-1]])
        to_come, text = to_come[places[-1] :], []
    yield "markdown", with_links_from(CHAPTER.parent.name, "\n\n".join(filter(None, text)))
    yield "code", "\n\n".join(to_come)


def notebook():
    """The notebook, as a dictionary of the format 4.5."""
    made = []
    for kind, text in cells(SCRIPT.read_text(encoding="utf-8"), CHAPTER.read_text(encoding="utf-8")):
        cell = {"cell_type": kind, "id": f"cell-{len(made)}", "metadata": {}, "source": text.splitlines(keepends=True)}
        made.append(dict(cell, execution_count=None, outputs=[]) if kind == "code" else cell)
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return {
        "cells": made,
        "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


if __name__ == "__main__":
    text = json.dumps(notebook(), ensure_ascii=False, indent=1, sort_keys=True)
    NOTEBOOK.write_text(text + "\n", encoding="utf-8")
