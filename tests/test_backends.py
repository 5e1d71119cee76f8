"""Back ends of matplotlib that can't be loaded, have no window, or find no display: one line says so."""

import os
import sys
import types

import matplotlib
import matplotlib.pyplot as plt
import pytest
from matplotlib.figure import Figure

from helpers import NO_SCREEN, ROOT, by_display, made_up_training, run_script, without_waiting
from made_up_run import RUN
from visu.drawing import backends, pages
from visu.screen import display_name, lacks_display
from visu.style import KEYS

QT = ("PySide6", "PyQt6", "PyQt5", "PySide2")

# What a fork has imported already, or finds, is found no longer; and what draws is a fork of this program
HIDING = """
import sys


class Hidden:
    def find_spec(name, path=None, target=None):
        if name in HIDDEN:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


sys.meta_path.insert(0, Hidden)
for name in [name for name in sys.modules if name.split(".")[0] in HIDDEN]:
    del sys.modules[name]
"""


@pytest.fixture
def run_without(tmp_path, forks):
    """A function that runs a short training where these modules can't be imported."""

    def run(modules, **changes):
        """Returns the one line about the window."""
        source = HIDING.replace("HIDDEN", repr(tuple(modules))) + made_up_training(51)
        return line_of_window(forks.run_script(source, tmp_path, **changes), tmp_path)

    return run


def line_of_window(process, folder):
    assert (process.stderr, process.returncode) == ("", 0)
    assert (folder / "script.png").exists()
    first, *_, saved, _ = without_waiting(process.stdout).splitlines()
    assert saved == "The picture with the training curves and digits is saved as script.png"
    return first


REMEDY = (
    "): unset MPLBACKEND, and one that works will be found; or install what it needs with pip: "
    "PySide6 for QtAgg, tornado for WebAgg. Training goes on as text, and its picture is saved at the end."
)


@pytest.mark.parametrize(
    "backend, modules",
    [("nonsense", []), ("GTK4Agg", ["gi"]), ("QtAgg", QT), ("WebAgg", ["tornado"]), ("TkAgg", ["tkinter"])],
)
def test_a_back_end_that_cannot_be_loaded_is_named_with_the_remedy(backend, modules, run_without, screen):
    line = run_without(modules, MPLBACKEND=backend, DISPLAY=screen)
    assert line.startswith(f"No window: MPLBACKEND={backend} can't be used (") and line.endswith(REMEDY)
    reason = line[line.index("(") + 1 : -len(REMEDY)]
    assert reason and not set(reason) & set(";\n"), reason


@pytest.mark.parametrize("backend", ["agg", "nbAgg"])
def test_a_back_end_without_windows_is_named(backend, run_without, screen):
    line = run_without([], MPLBACKEND=backend, DISPLAY=screen)
    assert line.startswith(f"No window: MPLBACKEND={backend} has no windows.")


@by_display
@pytest.mark.parametrize("changes", [{"DISPLAY": NO_SCREEN}, {"DISPLAY": NO_SCREEN, "MPLBACKEND": "TkAgg"}])
def test_a_display_that_is_not_there_is_named(changes, run_without):
    assert run_without([], **changes).startswith(f'No window: couldn\'t connect to display "{NO_SCREEN}"')


@pytest.mark.parametrize(
    "variables, name",
    [
        ({}, None),
        ({"DISPLAY": ""}, None),
        ({"DISPLAY": ":1"}, ":1"),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "wayland-0"),
        ({"DISPLAY": ":1", "WAYLAND_DISPLAY": "wayland-0"}, ":1"),
    ],
)
def test_a_display_is_one_of_x_or_of_wayland(variables, name, monkeypatch):
    for variable in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(variable, raising=False)
    for variable, value in variables.items():
        monkeypatch.setenv(variable, value)
    monkeypatch.setattr(sys, "platform", "linux")
    assert (display_name(), lacks_display()) == (name, name is None)
    monkeypatch.setattr(sys, "platform", "darwin")
    assert not lacks_display()


@by_display
@pytest.mark.parametrize("backend", ["TkAgg", "QtAgg"])
def test_a_missing_display_is_named_if_a_back_end_was_asked_for_that_needs_one(backend, run_without):
    line = run_without([], MPLBACKEND=backend)
    assert "DISPLAY" in line
    assert "agg, which has no windows" not in line


def test_a_missing_toolkit_is_named_with_what_to_install(folder, screen):
    """As on a new machine, from the start of Python on."""
    (folder / "hidden").mkdir()
    for module in ("tkinter", "gi", "wx", *QT):
        (folder / "hidden" / f"{module}.py").write_text(f"raise ModuleNotFoundError(\"No module named '{module}'\")\n")
    path = os.pathsep.join([str(folder / "hidden"), str(ROOT)])
    line = line_of_window(run_script(made_up_training(51), folder, PYTHONPATH=path, DISPLAY=screen), folder)
    assert line.startswith("No window: No module named 'tkinter', install python3-tk, or PySide6 with pip.")


def test_the_window_has_the_name_the_size_and_the_dpi_of_the_run_and_its_own_keys(monkeypatch):
    asked = []
    monkeypatch.setattr(plt, "figure", lambda *arguments, **named: asked.append((*arguments, named)) or asked)
    monkeypatch.setattr(plt, "get_backend", lambda: "TkAgg")
    monkeypatch.setattr(backends, "fit_to_screen", asked.append)
    run = RUN._replace(name="mine \udcff", style=RUN.style._replace(dpi=50))
    with matplotlib.rc_context():
        assert backends.open_figure(run, KEYS) is asked
        for name in matplotlib.rcParams:
            if name.startswith("keymap."):
                assert not set(matplotlib.rcParams[name]) & set(KEYS)
        assert "ctrl+s" in matplotlib.rcParams["keymap.save"] and "o" in matplotlib.rcParams["keymap.zoom"]
    assert asked[0] == ("mine \\udcff", (19.2, 10.8), 50, {"facecolor": "white"}) and asked[1] is asked


@pytest.mark.parametrize(
    "lacks, error, reason",
    [
        (True, None, "there is no display: the environment has no DISPLAY"),
        (False, None, "matplotlib's back end is agg, which has no windows"),
        (False, "no screen.\nMore of that", "no screen"),
    ],
)
def test_where_matplotlib_finds_no_windows_it_is_told_why(lacks, error, reason, monkeypatch):
    tkinter = pytest.importorskip("tkinter")

    def open_window():
        if error:
            raise tkinter.TclError(error)
        return types.SimpleNamespace(destroy=lambda: None)

    monkeypatch.setattr(plt, "figure", lambda *arguments, **named: None)
    monkeypatch.setattr(plt, "get_backend", lambda: "Agg")
    monkeypatch.setattr(backends, "lacks_display", lambda: lacks)
    monkeypatch.setattr(tkinter, "Tk", open_window)
    with pytest.raises(RuntimeError) as raised:
        backends.open_figure(RUN, KEYS)
    assert str(raised.value) == reason


@pytest.mark.parametrize("lacks", [True, False])
def test_a_browser_is_opened_where_there_is_a_screen_for_it(lacks, monkeypatch):
    """Over ssh, it would be one in the terminal."""
    mended = []
    monkeypatch.setattr(plt, "figure", lambda *arguments, **named: None)
    monkeypatch.setattr(plt, "get_backend", lambda: "WebAgg")
    monkeypatch.setattr(backends, "fit_to_screen", lambda figure: None)
    for name in ("forgive_closed_pages", "show_all_pictures"):  # which the page needs
        monkeypatch.setattr(backends, name, lambda name=name: mended.append(name))
    monkeypatch.setattr(backends, "lacks_display", lambda: lacks)
    with matplotlib.rc_context():
        backends.open_figure(RUN, KEYS)
        assert matplotlib.rcParams["webagg.open_in_browser"] == (not lacks)
    assert sorted(mended) == ["forgive_closed_pages", "show_all_pictures"]


def test_the_script_of_the_page_shows_all_pictures(monkeypatch):
    pytest.importorskip("tornado")
    manager = pytest.importorskip("matplotlib.backends.backend_webagg_core").FigureManagerWebAgg
    former = manager.get_javascript()
    monkeypatch.setattr(manager, "get_javascript", manager.get_javascript)
    pages.show_all_pictures()
    assert manager.get_javascript() == former + pages.SHOW_ALL_PICTURES


def window_of(toolkit, width, height, scale=1):
    """What a toolkit's window says of a screen of so many pixels, where all is drawn that many times as large."""
    if toolkit == "TkAgg":
        return types.SimpleNamespace(
            winfo_screenwidth=lambda: width,
            winfo_screenheight=lambda: height,
            winfo_fpixels=lambda length: {"1i": 96 * scale}[length],
        )
    room = types.SimpleNamespace(width=lambda: width / scale, height=lambda: height / scale)
    return types.SimpleNamespace(screen=lambda: types.SimpleNamespace(availableGeometry=lambda: room))


@pytest.mark.parametrize("toolkit", ["TkAgg", "QtAgg"])
@pytest.mark.parametrize(
    "screen, scale, size",
    [
        ((1920, 1080), 1, (1344, 756)),
        ((1364, 886), 1, (1344, 756)),  # there is just room
        ((1366, 768), 1, (1134, 638)),  # the height is short
        ((1000, 2000), 1, (980, 551)),  # the width is
        ((2732, 1536), 2, (1134, 638)),
        ((2000, 4000), 2, (980, 551)),
    ],
)
def test_where_the_screen_is_small_the_window_leaves_room_for_what_is_around_it(toolkit, screen, scale, size):
    is_smaller, sizes, widths = size != (1344, 756), [], []
    tool_bar = types.SimpleNamespace(configure=lambda width: widths.append(width))
    for each in (tool_bar, None):
        figure = Figure(figsize=(19.2, 10.8), dpi=70)
        figure.canvas.manager = types.SimpleNamespace(
            window=window_of(toolkit, *screen, scale), toolbar=each, resize=lambda *size: sizes.append(size)
        )
        backends.fit_to_screen(figure)
        assert tuple(figure.get_size_inches() * 70) == pytest.approx(size, abs=1)
    assert sizes == 2 * [pytest.approx(size, abs=2)] * is_smaller  # the window's own, too
    assert widths == [1] * (is_smaller and toolkit == "TkAgg")  # in Tk the tool bar would keep the window wide


def test_where_no_toolkit_says_how_large_the_screen_is_the_window_keeps_its_size():
    figure = Figure(figsize=(19.2, 10.8), dpi=70)
    figure.canvas.manager = types.SimpleNamespace(toolbar=None)  # as on a page, and in macOS's own windows
    backends.fit_to_screen(figure)
    assert tuple(figure.get_size_inches()) == (19.2, 10.8)
