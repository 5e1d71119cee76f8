"""docs/pictures.py makes each picture that the lesson shows, of the size that it has there."""

import re
import subprocess
import sys

import PIL.Image
import pytest

from helpers import ROOT

FOLDER = ROOT / "docs" / "pictures"
LESSON = "\n".join(page.read_text(encoding="utf-8") for page in sorted((ROOT / "docs" / "lesson").glob("*.md")))


def linked():
    """{name: what it shows, in words} of the pictures that the lesson shows."""
    return {name: words for words, name in re.findall(r"!\[([^]]*)\]\(\.\./pictures/(\w+)\.png\)", LESSON)}


@pytest.mark.tensorflow
def test_one_command_makes_all_pictures_of_the_lesson_from_runs(tmp_path):
    command = [sys.executable, str(ROOT / "docs" / "pictures.py"), "--iterations", "2"]
    subprocess.run([*command, "--runs", str(tmp_path / "runs"), "--to", str(tmp_path / "made")], check=True)
    made = {path.stem: PIL.Image.open(str(path)).size for path in (tmp_path / "made").iterdir()}
    assert made == {path.stem: PIL.Image.open(str(path)).size for path in FOLDER.iterdir()}
    assert set(made) == set(linked())


def test_each_picture_says_in_words_what_it_shows_and_all_together_are_small():
    assert all(len(words) > 20 for words in linked().values())
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 3e6
