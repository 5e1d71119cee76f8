"""Training in notebooks: Jupyter's, Colab's and Spyder's console."""

import datetime
import io
import re
import types

import pytest
from PIL import Image

from helpers import (
    LONG_TRAINING,
    STAGES,
    made_up_training,
    own_lines,
    run_script,
    shortened,
    stage_source,
    without_waiting,
)
from kernel import NEXT_CELL, Notebook
from made_up_run import RUN, point, status_of
from screenshots import shows_six_panels
from visu.channel import FINISHED, TRAINING, End, Progress
from visu.drawing import files


def test_a_notebook_shows_the_training_in_one_picture_between_the_printed_lines(folder):
    source = made_up_training(201)
    names = "print(tensorflowvisu.name_of_script())"
    (folder / "script.py").write_text(f"import tensorflowvisu\n{names}")
    notebook = Notebook([source, names, "%run script.py", NEXT_CELL], folder)
    assert (notebook.text(1), notebook.text(2)) == ("training\n", "script\n")  # not named after the kernel
    (picture,) = notebook.pictures(0)
    assert shows_six_panels(picture)
    assert without_waiting(notebook.text(0)).splitlines() == own_lines(run_script(source, folder).stdout)
    notebook.check_next_cell()


def test_a_notebook_brings_its_picture_up_to_date_now_and_then_until_it_is_interrupted(folder):
    def interrupt_when_five_were_shown(notebook):
        if len(notebook.shown()) == 5 and not interrupted:
            interrupted.append(True)
            notebook.interrupt()

    interrupted = []
    notebook = Notebook([LONG_TRAINING, NEXT_CELL], folder, interrupt_when_five_were_shown)
    shown = notebook.shown()
    assert [message["msg_type"] for message in shown] == ["display_data"] + ["update_display_data"] * (len(shown) - 1)
    assert len({message["content"]["transient"]["display_id"] for message in shown}) == 1
    duration = shown[4]["header"]["date"] - shown[0]["header"]["date"]
    assert duration > datetime.timedelta(seconds=2)  # 4 seconds, but the first one may have come late
    assert len(notebook.pictures(0)) == 1
    assert re.search(r"^Stopped by Ctrl-C. Max test accuracy so far: 0\.\d+$", notebook.text(0), re.MULTILINE)
    assert "SystemExit" not in [error.ename for error in notebook.errors(0)]
    notebook.check_next_cell()


@pytest.mark.tensorflow
def test_a_stage_trains_in_a_notebook(tmp_path):
    (tmp_path / STAGES[0]).write_text(shortened(stage_source(STAGES[0]), 101), encoding="utf-8")
    notebook = Notebook([f"%run {STAGES[0]}", NEXT_CELL], tmp_path)
    assert len(notebook.pictures(0)) == 1
    assert re.search(r"^max test accuracy: 0\.8\d+$", notebook.text(0), re.MULTILINE)
    notebook.check_next_cell()


def test_an_error_in_the_training_step_is_the_cells_error(folder):
    source = made_up_training(1001).replace("    time.sleep", "    assert i < 60, 'mine'\n    time.sleep")
    notebook = Notebook([source, NEXT_CELL], folder)
    (error,) = notebook.errors(0)
    assert (error.ename, error.evalue) == ("AssertionError", "mine")
    assert "training_step" in "".join(error.traceback)
    assert len(notebook.pictures(0)) == 1
    notebook.check_next_cell()


def test_a_cell_that_is_run_twice_shows_a_picture_of_each_run(folder):
    definitions, training = made_up_training(101).split("\n\n\ndatavis.animate")
    training = "datavis.animate" + training
    notebook = Notebook([definitions, training, training, NEXT_CELL], folder)
    for cell in (1, 2):
        assert len(notebook.pictures(cell)) == 1
        assert re.search("^100: test accuracy", notebook.text(cell), re.MULTILINE)
    notebook.check_next_cell()


def test_colab_is_a_notebook(folder):
    colab = "import sys, types\nsys.modules['google.colab'] = types.ModuleType('google.colab')"
    backend = "module://ipykernel.pylab.backend_inline"
    notebook = Notebook([colab, made_up_training(101), NEXT_CELL], folder, MPLBACKEND=backend)
    assert len(notebook.pictures(1)) == 1
    assert re.search("^max test accuracy", notebook.text(1), re.MULTILINE)
    notebook.check_next_cell()


def test_in_spyder_a_window_opens_and_the_console_is_free_when_training_ends(folder, screen):
    spyder = [
        "import atexit, subprocess, sys, types",
        "sys.modules['spyder_kernels'] = types.ModuleType('spyder_kernels')",
        "sys.argv = ['in_spyder.py']",
        "atexit.register(open, 'ended', 'w')",
    ]
    window = "print(subprocess.check_output(['xdotool', 'search', '--name', '^in_spyder$']).decode())"
    notebook = Notebook(["\n".join(spyder), made_up_training(101), window, NEXT_CELL], folder, DISPLAY=screen)
    assert notebook.pictures(1) == []
    assert without_waiting(notebook.text(1)).splitlines() == own_lines(run_script(made_up_training(101), folder).stdout)
    assert re.match(r"\d+\n", notebook.text(2))
    notebook.check_next_cell()
    assert (folder / "ended").exists()  # the console, too, ends without waiting for the window


def test_a_picture_comes_once_a_second_says_how_fast_it_is_and_the_last_one_that_it_is_over(monkeypatch):
    now, replies = 0.0, []
    monkeypatch.setattr(files, "time", types.SimpleNamespace(monotonic=lambda: now))
    show = files.NotebookShow(replies.append, RUN)

    for tenth in range(51):
        now = tenth / 10
        show.take(Progress(10 * tenth, now, False, TRAINING))
        show.show()
    assert len(replies) == 6
    for reply in replies:
        picture = Image.open(io.BytesIO(reply.png))
        assert (picture.format, picture.size) == ("PNG", (1344, 756))
    assert "iteration 500 of 1,000" in status_of(show.picture) and "100 iterations/s" in status_of(show.picture)
    show.take(point("test", 500, 0.75, 1))
    show.take(End(FINISHED))
    assert len(replies) == 7
    assert "best test accuracy 0.7500" in status_of(show.picture) and "FINISHED" in status_of(show.picture)


def test_where_pictures_take_long_they_take_a_fifth_of_the_time(monkeypatch):
    now, shown = 0.0, []

    def reply(message):
        nonlocal now
        shown.append(now)
        now += 1  # for what was drawn just now

    monkeypatch.setattr(files, "time", types.SimpleNamespace(monotonic=lambda: now))
    show = files.NotebookShow(reply, RUN)
    for _ in range(60):
        now += 0.1
        show.show()
    first, second = shown
    assert 4.99 < second - first < 5.2
