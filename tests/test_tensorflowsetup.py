"""tensorflowsetup.py: what is set before TensorFlow is imported, its logs, and what is said where it can't be used."""

import os
import sys
import types

import pytest

from tensorflowsetup import find_impostor


@pytest.fixture
def hiding(tmp_path, monkeypatch):
    """A function that has a module loaded from a file beside the script, and returns what is taken for another one."""
    beside, packages = tmp_path / "beside", tmp_path / "packages"
    for name in ("words.py", "deep/__init__.py", "venv/__init__.py"):
        for folder in (beside, packages):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text("")
    (beside / "mine.py").write_text("")
    (beside / "venv").rename(beside / ".venv")
    monkeypatch.setattr(sys, "path", [str(beside), str(packages), str(beside)])  # again, as some editors add it

    def found(name):
        monkeypatch.setitem(sys.modules, "loaded", types.SimpleNamespace(__file__=str(beside / name)))
        monkeypatch.setitem(sys.modules, "has no file", types.SimpleNamespace(__file__=None))
        path = find_impostor(ValueError())
        return path and os.path.relpath(path, str(beside))

    return found


@pytest.mark.parametrize(
    "loaded, named",
    [
        ("words.py", "words.py"),
        ("deep/__init__.py", "deep"),
        ("mine.py", None),  # no other module has this name
        ("words.txt", None),
        (".venv/site-packages/numpy/__init__.py", None),  # though Python has a module venv
        ("../packages/words.py", None),
    ],
)
def test_a_file_or_folder_beside_the_script_is_named_if_it_is_loaded_in_place_of_another(loaded, named, hiding):
    assert hiding(loaded) == named


@pytest.mark.parametrize("folder", ["", "no such folder"])
def test_where_no_folder_comes_first_nothing_hides_a_module(folder, hiding, monkeypatch):
    monkeypatch.setattr(sys, "path", [folder, *sys.path])
    assert hiding("words.py") is None
