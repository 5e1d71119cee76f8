"""Imports go one way, see tensorflowvisu.py, and the process that draws stands apart from the one that trains."""

import ast

import pytest

from helpers import ROOT
from visu import channel, record
from visu.channel import Bands, Point
from visu.display import WINDOW, DrawnRun
from visu.drawing.files import FilmShow, NotebookShow, PictureShow
from visu.drawing.pad import Pad
from visu.drawing.window import WindowShow

TOP = [ROOT / f"{name}.py" for name in ("tensorflowvisu", "tensorflowsetup", "ink")]
FILES = [*TOP, *sorted((ROOT / "visu").rglob("*.py"))]
SHARED = {"visu.record", "visu.channel", "visu.style", "visu.screen", "visu.words", "ink"}  # what both processes know


def name_of(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


ROOMS = {name_of(path): ast.parse(path.read_text(encoding="utf-8")) for path in FILES}


def imports_of(tree):
    """The modules that a file imports anywhere, and for "from module import name" the pairs."""
    modules, names = set(), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "an import says where it leads"
            modules.add(node.module)
            names.update((node.module, alias.name) for alias in node.names)
    return modules, names


ARROWS = {room: {module for module in imports_of(tree)[0] if module in ROOMS} for room, tree in ROOMS.items()}


def is_drawing(room):
    return room.startswith("visu.drawing")


def test_the_arrows_make_no_circle_and_none_leads_up_to_the_door():
    height = {}

    def height_of(room, above=()):
        assert room not in above, " -> ".join([*above, room])
        if room not in height:
            height[room] = 1 + max([height_of(below, (*above, room)) for below in ARROWS[room]], default=0)
        return height[room]

    for room in ARROWS:
        height_of(room)
        assert "tensorflowvisu" not in ARROWS[room]
    assert height["tensorflowvisu"] == max(height[room] for room in ARROWS if not is_drawing(room))


@pytest.mark.parametrize("room", [room for room in ROOMS if is_drawing(room)])
def test_what_draws_knows_neither_tensorflow_nor_the_training_process(room):
    assert not {module for module in imports_of(ROOMS[room])[0] if module.split(".")[0] in ("tensorflow", "mnistdata")}
    assert {module for module in ARROWS[room] if not is_drawing(module)} <= SHARED


def test_what_both_wings_know_knows_neither():
    for room in SHARED & set(ROOMS):
        assert ARROWS[room] <= SHARED
        assert not {module for module in imports_of(ROOMS[room])[0] if module.split(".")[0] == "tensorflow"}


def test_only_what_draws_imports_matplotlib_and_nobody_else_imports_what_draws():
    for room, tree in ROOMS.items():
        if not is_drawing(room):
            assert not {module for module in imports_of(tree)[0] if module.split(".")[0] == "matplotlib"}, room
            assert not {module for module in ARROWS[room] if is_drawing(module)}, room


def test_no_room_takes_a_private_name_from_another():
    for room, tree in ROOMS.items():
        assert not [(room, name) for _, name in imports_of(tree)[1] if name.startswith("_")]


def test_each_message_of_the_protocol_is_known_at_its_end():
    """And no other: what an end does not know would end the process that draws, or the training."""
    recorded, at_the_start = {Point, Bands, record.Picture}, {channel.Start}
    drawing = set()
    for show in (WindowShow, NotebookShow, PictureShow, FilmShow):
        drawing.update(handlers_of(show))
    assert recorded | at_the_start | drawing == set(channel.TO_DRAWING)
    display = DrawnRun(None, WINDOW)
    assert set(display.handlers) | {channel.Loaded, channel.Ready} == set(channel.TO_TRAINING)
    assert all(message.__name__ in channel.__doc__ for message in (*channel.TO_DRAWING, *channel.TO_TRAINING))


def handlers_of(show):
    instance = show.__new__(show)
    instance.pad = Pad(print)
    return instance.handlers()
