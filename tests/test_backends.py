"""Back ends of matplotlib that can't be loaded, have no window, or find no display: one line says so."""

import os

import pytest

from helpers import NO_SCREEN, ROOT, made_up_training, run_script

QT = ("PySide6", "PyQt6", "PyQt5", "PySide2")


def run_without(modules, folder, **changes):
    """Runs a short training where these modules can't be imported; returns the one line about the window."""
    hidden = folder / "hidden"
    hidden.mkdir()
    for module in modules:
        (hidden / f"{module}.py").write_text(f"raise ModuleNotFoundError(\"No module named '{module}'\")\n")
    path = os.pathsep.join([str(hidden), str(ROOT)])
    process = run_script(made_up_training(51), folder, PYTHONPATH=path, **changes)
    assert (process.stderr, process.returncode) == ("", 0)
    assert (folder / "script.png").exists()
    first, *_, saved, _ = process.stdout.splitlines()
    assert saved == "The picture with the training curves and digits is saved as script.png"
    return first


@pytest.mark.parametrize(
    "backend, modules, remedy",
    [
        ("nonsense", [], "unset MPLBACKEND"),
        ("GTK4Agg", ["gi"], "unset MPLBACKEND"),
        ("QtAgg", QT, "PySide6 for QtAgg"),
        ("WebAgg", ["tornado"], "tornado for WebAgg"),
        ("TkAgg", ["tkinter"], "unset MPLBACKEND"),
    ],
)
def test_a_back_end_that_cannot_be_loaded_is_named_with_the_remedy(backend, modules, remedy, folder, screen):
    line = run_without(modules, folder, MPLBACKEND=backend, DISPLAY=screen)
    assert line.startswith(f"No window: MPLBACKEND={backend} can't be used (")
    assert remedy in line


@pytest.mark.parametrize("backend", ["agg", "nbAgg"])
def test_a_back_end_without_windows_is_named(backend, folder, screen):
    line = run_without([], folder, MPLBACKEND=backend, DISPLAY=screen)
    assert line.startswith(f"No window: MPLBACKEND={backend} has no windows.")


@pytest.mark.parametrize("changes", [{"DISPLAY": NO_SCREEN}, {"DISPLAY": NO_SCREEN, "MPLBACKEND": "TkAgg"}])
def test_a_display_that_is_not_there_is_named(changes, folder):
    assert run_without([], folder, **changes).startswith(f'No window: couldn\'t connect to display "{NO_SCREEN}"')


@pytest.mark.parametrize("backend", ["TkAgg", "QtAgg"])
def test_a_missing_display_is_named_if_a_back_end_was_asked_for_that_needs_one(backend, folder):
    line = run_without([], folder, MPLBACKEND=backend)
    assert "DISPLAY" in line
    assert "agg, which has no windows" not in line


def test_a_missing_toolkit_is_named_with_what_to_install(folder, screen):
    line = run_without(["tkinter", "gi", "wx", *QT], folder, DISPLAY=screen)
    assert line.startswith("No window: No module named 'tkinter', install python3-tk, or PySide6 with pip.")
