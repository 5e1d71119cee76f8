"""Settings of the user's that break nothing: matplotlibrc, back ends, displays, closed descriptors, names."""

import io
import logging
import os
import re
import socket
import sys
import threading
import warnings

import matplotlib
import pytest
from matplotlib.figure import Figure

from helpers import ROOT, STAGES, by_display, made_up_training, run_script, stage_source
from made_up_run import RUN
from screens import xdotool
from visu.channel import FINISHED
from visu.drawing.__main__ import set_up_matplotlib
from visu.drawing.files import PictureShow

# -- matplotlibrc

LOOKS = """
text.usetex: True
figure.autolayout: True
figure.facecolor: black
axes.titlesize: 40
lines.linewidth: 20
savefig.dpi: 10
savefig.bbox: tight
font.family: no such font
"""


def saved_picture(folder, matplotlibrc):
    (folder / "matplotlibrc").write_text(matplotlibrc, encoding="utf-8")
    process = run_script(made_up_training(51), folder)
    assert (process.returncode, process.stderr) == (0, "")
    picture = folder / "script.png"
    content = picture.read_bytes()
    picture.unlink()
    return content


def test_the_looks_are_ours_whatever_a_matplotlibrc_says(folder):
    assert saved_picture(folder, LOOKS) == saved_picture(folder, "")


def test_what_serves_a_back_end_stays_as_a_matplotlibrc_says(monkeypatch):
    users = {"animation.ffmpeg_path": "mine", "webagg.port": 9999, "savefig.directory": "saved"}
    monkeypatch.setattr(logging.getLogger("matplotlib"), "level", logging.WARNING)
    with matplotlib.rc_context(dict(users, **{"lines.linewidth": 20})), warnings.catch_warnings():
        set_up_matplotlib()
        assert {name: matplotlib.rcParams[name] for name in users} == users
        assert matplotlib.rcParams["lines.linewidth"] == matplotlib.rcParamsDefault["lines.linewidth"]
        assert not logging.getLogger("matplotlib").isEnabledFor(logging.WARNING)  # of fonts, for example


def test_what_cannot_be_saved_is_known_before_the_training(tmp_path, forks):
    """No file can have so long a name; a folder that can't be written says the same, but not to root."""
    source = "import sys\nsys.argv[0] = 'a' * 300 + '.py'\n" + made_up_training(51)
    process = forks.run_script(source, tmp_path)
    assert process.returncode == 1
    reason = r"File name too long\)" if os.name == "posix" else "No such file|Invalid argument"  # as Windows says it
    first, *rest = process.stdout.splitlines()
    assert re.match(rf"No window: .*Training goes on as text\. The picture .* can't be saved in .*\(({reason})", first)
    assert rest[0].startswith("0: test accuracy")
    assert re.match(
        rf"The picture .* can't be saved in .*\(({reason}).*: the max test accuracy was 0\.98", process.stderr
    )


def test_a_full_disk_is_known_before_the_training_and_leaves_no_file(tmp_path, monkeypatch):
    class OnFullDisk(io.FileIO):
        def write(self, content):
            if len(content) > 100000:  # so much a picture has, and more
                raise OSError(28, "No space left on device")

    path = str(tmp_path / "test.png")
    monkeypatch.setattr(PictureShow, "open", lambda show: OnFullDisk(path, "x"))
    with pytest.raises(OSError, match="No space left"):
        PictureShow(print, RUN)
    assert os.listdir(str(tmp_path)) == []


def test_half_a_picture_is_removed_when_its_file_is_closed(tmp_path, monkeypatch):
    """Windows removes no file that is open."""
    files, remove = [], os.remove

    def fill_the_disk(figure, file, format):
        file.write(b"half a picture")
        files.append(file)
        raise OSError(28, "No space left on device")

    def remove_as_windows_does(path):
        assert all(file.closed for file in files)
        remove(path)

    show = PictureShow(print, RUN)
    monkeypatch.setattr(Figure, "savefig", fill_the_disk)
    monkeypatch.setattr(os, "remove", remove_as_windows_does)
    with pytest.raises(OSError, match="No space left"):
        show.end(FINISHED)
    assert files and os.listdir(str(tmp_path)) == []


# -- back ends and displays


def test_a_back_end_of_an_editor_is_none_of_the_users_and_tk_follows_where_qt_ends_the_program(start, folder, screen):
    for name in ("PySide6", "PyQt6", "PyQt5", "PySide2"):
        (folder / f"{name}.py").write_text("import os\nos.abort()\n")
    path = os.pathsep.join([str(folder), str(ROOT)])
    program = start(
        made_up_training(51), "lesson.py", MPLBACKEND="module://backend_interagg", DISPLAY=screen, PYTHONPATH=path
    )
    program.read_until("^Finished. The window stays open")
    (window,) = xdotool(screen, "search", "--onlyvisible", "--name", "^lesson$")
    xdotool(screen, "windowfocus", "--sync", window, "key", "q")
    assert program.end()[2] == 0


@pytest.fixture
def silent_display():
    """The name of a display that accepts connections and never answers; and a list of those."""
    with socket.socket() as server:
        for number in range(100, 200):
            try:
                server.bind(("127.0.0.1", 6000 + number))
                break
            except OSError:
                continue
        server.listen(5)
        accepted = []
        threading.Thread(target=lambda: accept_all(server, accepted), daemon=True).start()
        yield f"127.0.0.1:{number}", accepted
        for connection in accepted:
            connection.close()


def accept_all(server, accepted):
    while True:
        try:
            accepted.append(server.accept()[0])
        except OSError:
            return


@by_display
def test_a_display_that_never_answers_is_named_and_asked_once(tmp_path, forks, silent_display):
    name, accepted = silent_display
    source = "from visu.channel import DrawingProcess\nDrawingProcess.NOTICE, DrawingProcess.TIMEOUT = 0.5, 5\n"
    process = forks.run_script(source + made_up_training(51), tmp_path, DISPLAY=name)
    assert (process.returncode, process.stderr) == (0, "")
    waiting, no_window = process.stdout.splitlines()[:2]
    assert waiting == f"Waiting up to 5 seconds for the display {name} …"
    assert no_window.startswith(f"No window: the display {name} did not answer in 5 seconds. ")
    assert len(accepted) == 1
    assert (tmp_path / "script.png").exists()


# -- descriptors


@pytest.mark.parametrize("closed, stderr", [((2,), "io.StringIO()"), ((0, 1, 2), "None")])
@pytest.mark.tensorflow
def test_closed_standard_descriptors_are_no_hindrance(closed, stderr, folder):
    """As under IDLE and pythonw, where sys.stderr may be any object."""
    closing = f"import io, os, sys\nfor descriptor in {closed}:\n    os.close(descriptor)\nsys.stderr = {stderr}\n"
    asking = "open('stderr.txt', 'w').write(sys.stderr.getvalue() if sys.stderr else '')\n"
    process = run_script(closing + made_up_training(51) + asking, folder)
    assert (process.returncode, process.stderr) == (0, "")
    assert (folder / "stderr.txt").read_text() == ""
    assert (folder / "script.png").exists()


# -- names


NAMES = [("zw\u00f6lf \u6570\u5b57 $x$ 100%d.py", "ascii")]
NAMES += [(os.fsdecode(b"\xff\xfe.py"), "utf-8")] if sys.platform.startswith("linux") else []  # others have no such


@pytest.mark.parametrize("name, encoding", NAMES)
def test_a_script_may_have_any_name(name, encoding, folder):
    process = run_script(made_up_training(51), folder, name=name, PYTHONIOENCODING=encoding)
    assert (process.returncode, process.stderr) == (0, "")
    assert (folder / name.replace(".py", ".png")).stat().st_size > 20000


# TensorFlow 1.15 does without queue, and its numpy prints lines of its own before the sentence
HIDDEN = ["tensorflow.py", "random.py", "numpy.py", "numpy", "struct.py"] + ["queue.py"] * (sys.version_info >= (3, 8))


@pytest.mark.parametrize("name", HIDDEN)
def test_a_file_that_hides_a_module_is_named(name, tmp_path):
    source = "import mnistdata\n" if name == "struct.py" else "x = 1\n"  # half-way when it fails
    if "." not in name:
        (tmp_path / name).mkdir()
    (tmp_path / (name if "." in name else f"{name}/__init__.py")).write_text(source)
    process = run_script(stage_source(STAGES[0]), tmp_path)
    assert (process.returncode, process.stdout) == (1, "")
    *others, sentence = process.stderr.splitlines()
    assert sentence.startswith(f"{tmp_path / name} is taken for the module of that name")
    assert sentence.endswith("rename it") and (others == [] or sys.version_info < (3, 8))


def test_without_the_folder_visu_one_sentence_says_to_copy_it(tmp_path):
    (tmp_path / "tensorflowvisu.py").write_bytes((ROOT / "tensorflowvisu.py").read_bytes())
    process = run_script("import tensorflowvisu\n", tmp_path, PYTHONPATH="")
    assert (process.returncode, process.stdout) == (1, "")
    assert process.stderr.startswith(
        "tensorflowvisu.py needs tensorflowsetup.py, ink.py and the folder visu, which belong beside it"
    )
    assert process.stderr.endswith(f"copy them to {tmp_path}, too\n") and process.stderr.count("\n") == 1


def test_a_file_of_the_users_that_is_taken_for_the_folder_visu_is_named(folder):
    (folder / "visu.py").write_text("x = 1\n")
    process = run_script("import tensorflowvisu\n", folder)
    assert (process.returncode, process.stdout) == (1, "")
    remedy = f"rename {folder / 'visu.py'}, which is taken for it, or copy them to {ROOT}, too\n"
    assert process.stderr.endswith(f": {remedy}") and process.stderr.count("\n") == 1
