"""The film that save_movie=True makes, of a made-up training; ffprobe says what is in it."""

import os
import shutil
import signal
import subprocess
import sys
import types

import numpy as np
import pytest

from helpers import made_up_training, require, unix_signals
from made_up_run import RUN, status_of
from screenshots import DIGITS, panel_of
from visu.channel import FINISHED, TRAINING, End, Progress, Saved
from visu.drawing import files

FILM = "tensorflowvisu_video.mp4"
needs_ffprobe = pytest.mark.skipif(not shutil.which("ffprobe"), reason="needs the programs ffmpeg and ffprobe")


@pytest.fixture
def start(tmp_path, forks):
    """A function that starts a training of so many iterations, with a film, in tmp_path."""

    def start_filming(iterations, edit=str, save_movie=True, **changes):
        source = made_up_training(iterations).replace(
            "test_data_update_freq=50", f"test_data_update_freq=50, save_movie={save_movie!r}"
        )
        (tmp_path / "film.py").write_text(edit(source), encoding="utf-8")
        return forks.start(["film.py"], tmp_path, **changes)

    return start_filming


def stream_of(path):
    """Codec, width, height, pixel format, frames a second and number of frames of a film that plays to its end."""
    fields = "codec_name,width,height,pix_fmt,r_frame_rate,nb_read_frames"
    command = [
        "ffprobe",
        "-v",
        "error",
        "-count_frames",
        "-show_entries",
        f"stream={fields}",
        "-of",
        "csv=p=0",
        str(path),
    ]
    process = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8", timeout=60)
    assert process.stderr == ""
    return process.stdout.strip()


def frames_of(path):
    """The first and the last frame [height, width, 3] of a film, from 0 to 1."""
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    frames = np.frombuffer(subprocess.check_output(command), np.uint8).reshape(-1, 756, 1344, 3) / 255
    return frames[0], frames[-1]


@needs_ffprobe
def test_a_film_has_a_frame_for_each_training_update_and_a_bar_that_says_how_far_it_is(start, tmp_path):
    slow = "time.sleep(0.2 if i % 10 == 5 and i < 40 else 0.001)"  # which tells of its progress in between
    output, errors = start(101, lambda source: source.replace("time.sleep(0.001)", slow)).communicate()
    assert output.splitlines()[-2:] == [
        f"The film of the training is saved as {FILM}",
        "max test accuracy: 0.9900990099009901",
    ]
    assert stream_of(tmp_path / FILM) == "h264,1344,756,yuv420p,24/1,11"  # iterations 0, 10, … and 100, the last
    first, last = frames_of(tmp_path / FILM)
    changes = [np.abs(panel_of(last, number) - panel_of(first, number)).max() for number in range(1, 7)]
    assert [change > 0.3 for change in changes] == [True, True, False, True, True, False]  # curves and bands grow
    for number in (3, 6):  # red digits, though not in quite that colour
        assert (np.abs(255 * panel_of(last, number) - DIGITS).max(axis=2) < 40).mean() > 0.1
    bars = errors.replace("\n", "\r").rstrip("\r").split("\r")
    assert len(bars) == 11
    assert bars[0] == "film [------------]   0 %" and bars[-1] == "film [############] 100 %"


@needs_ffprobe
def test_the_film_of_the_same_training_is_the_same_and_the_former_one_is_kept_beside_it(start, tmp_path):
    film, kept = (os.path.join("films", name) for name in ("mine.mp4", "mine_2.mp4"))
    start(101, save_movie=film).communicate()
    output, _ = start(101, save_movie=film, MPLBACKEND="nonsense").communicate()  # nor does a back end matter
    assert f"The film that was here before is kept as {kept}" in output.splitlines()
    assert (tmp_path / kept).read_bytes() == (tmp_path / film).read_bytes()


@needs_ffprobe
@unix_signals
def test_a_film_cut_short_by_ctrl_c_still_plays(start, tmp_path):
    process = start(1000000)
    for line in process.stdout:
        if line.startswith("100:"):
            break
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in errors
    assert f"The film of the training is saved as {FILM}" in output.splitlines()
    *stream, frames = stream_of(tmp_path / FILM).split(",")
    assert stream == ["h264", "1344", "756", "yuv420p", "24/1"]
    assert 10 <= int(frames) < 1000


@needs_ffprobe
def test_an_error_in_the_training_step_ends_the_film_in_good_order_and_the_program_with_status_1(start, tmp_path):
    process = start(100, lambda source: source.replace("    time.sleep", "    assert i < 55, 'mine'\n    time.sleep"))
    _, errors = process.communicate()
    assert process.returncode == 1
    assert errors.splitlines()[-1] == "AssertionError: mine"
    assert stream_of(tmp_path / FILM).split(",")[-1] == "6"  # iterations 0, 10, … 50


def test_without_ffmpeg_the_one_of_imageio_ffmpeg_is_used_where_it_is_installed(start, tmp_path):
    imageio_ffmpeg = pytest.importorskip("imageio_ffmpeg")
    process = start(101, PATH="")
    output, errors = process.communicate()
    assert process.returncode == 0, errors
    answer = subprocess.run(
        [imageio_ffmpeg.get_ffmpeg_exe(), "-i", str(tmp_path / FILM), "-f", "null", "-"],
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    assert answer.returncode == 0
    assert "Video: h264" in answer.stderr and "yuv420p" in answer.stderr and "frame=   11" in answer.stderr


def test_without_any_ffmpeg_it_says_how_to_get_one(start, tmp_path):
    (tmp_path / "hidden").mkdir()
    (tmp_path / "hidden" / "imageio_ffmpeg.py").write_text("raise ImportError('hidden')\n")
    process = start(101, lambda source: "import sys\nsys.path.insert(0, 'hidden')\n" + source, PATH="")
    output, errors = process.communicate()
    assert (process.returncode, output) == (1, "")
    assert errors == (
        f"save_movie=True can't make {FILM}: the program ffmpeg is missing: install it with apt, brew or choco, "
        f"or with pip install imageio-ffmpeg\n"
    )


@needs_ffprobe
def test_a_film_may_have_any_name_and_a_folder_that_is_not_there_yet(start, tmp_path):
    name = os.path.join("films", "mine $x$ \u6570.mp4")
    dots = "MnistDataVis(dpi=51)"  # 979 pixels wide, and 978 as a film has an even number of them
    output, _ = start(21, lambda source: source.replace("MnistDataVis()", dots), save_movie=name).communicate()
    assert f"The film of the training is saved as {name}" in output.splitlines()
    assert stream_of(tmp_path / name) == "h264,978,550,yuv420p,24/1,3"
    assert os.listdir(str(tmp_path / "films")) == [os.path.basename(name)]


BROKEN_FFMPEG = '#!/bin/sh\ncase "$*" in *-version*) exit 0;; esac\necho no h264 here >&2\nexit 1\n'


@pytest.mark.skipif(os.name != "posix", reason="the broken program is a shell script")
@pytest.mark.parametrize(
    "save_movie, ffmpeg, reason",
    [
        ("film.nonsense", "", "can't write a film of that name: take one that ends in .mp4"),
        ("script.py/film.mp4", "", "no file can be written into the folder {}/script.py (File exists)\n"),
        (True, BROKEN_FFMPEG, "or an ffmpeg that has H.264"),
    ],
)
def test_a_film_that_cannot_be_made_is_known_before_the_training(save_movie, ffmpeg, reason, start, tmp_path):
    require("ffmpeg")
    (tmp_path / "script.py").write_text("")
    changes = {}
    if ffmpeg:
        (tmp_path / "ffmpeg").write_text(ffmpeg)
        (tmp_path / "ffmpeg").chmod(0o755)
        changes["PATH"] = os.pathsep.join([str(tmp_path), os.environ["PATH"]])
    process = start(101, save_movie=save_movie, **changes)
    output, errors = process.communicate()
    assert (process.returncode, output) == (1, "")
    assert errors.startswith(f"save_movie={save_movie!r} can't make ") and reason.format(tmp_path) in errors
    assert errors.count("\n") == 1


class Writer:
    """In place of FFMpegWriter: it counts frames, and may fail."""

    frames, failure = 0, None

    def grab_frame(self):
        self.frames += 1
        if isinstance(self.failure, OSError):
            raise self.failure

    def finish(self):
        if self.failure:
            raise self.failure


@pytest.fixture
def film(tmp_path, monkeypatch):
    """A film, and the list of what it replies."""
    replies = []
    monkeypatch.setattr(files.FilmShow, "open_writer", lambda film, path: Writer())
    return files.FilmShow(replies.append, RUN, str(tmp_path / "film.mp4")), replies


def test_the_bar_says_how_much_of_the_film_there_is_and_ends_its_line_with_it(film, capsys):
    film, replies = film
    for iterations, is_update in ((1, True), (2, False), (84, True), (500, True), (999, True), (1000, True)):
        film.take(Progress(iterations, iterations / 100, is_update, TRAINING))
        if iterations == 500:
            assert status_of(film.picture) == "test iteration 500 of 1,000"  # and nothing of how long it took
    assert capsys.readouterr().err == (
        "film [------------]   0 %\r"
        "film [#-----------]   8 %\r"
        "film [######------]  50 %\r"
        "film [###########-]  99 %\r"
        "film [############] 100 %\n"
    )
    assert film.writer.frames == 5
    film.take(End(FINISHED))
    assert replies == [Saved(film.path)]


def test_a_film_is_made_where_nobody_looks_at_the_bar(film, monkeypatch):
    film, _ = film
    for nobody in (None, open(os.devnull)):  # noqa: SIM115
        monkeypatch.setattr("sys.stderr", nobody)
        film.take(Progress(1, 1.0, True, TRAINING))
    assert film.writer.frames == 2


FAILURES = [OSError("a pipe"), subprocess.CalledProcessError(1, "ffmpeg")]


@pytest.mark.parametrize("failure", FAILURES)
def test_a_film_that_fails_on_the_way_says_which_program_and_a_likely_reason(failure, film):
    film, _ = film
    film.writer.failure = failure
    if isinstance(failure, OSError):
        with pytest.raises(RuntimeError, match="^the program ffmpeg ended in the middle of it; perhaps the disk"):
            film.take(Progress(1, 1.0, True, TRAINING))
    with pytest.raises(RuntimeError, match="^the program ffmpeg could not write it; perhaps the disk is full$"):
        film.take(End(FINISHED))


@pytest.mark.parametrize("failure", FAILURES)
def test_a_trial_that_fails_names_the_program_that_was_used(failure, tmp_path, monkeypatch):
    writer, paths = Writer(), []
    writer.failure = failure
    monkeypatch.setattr(files.FilmShow, "open_writer", lambda film, path: paths.append(path) or writer)
    monkeypatch.setitem(files.matplotlib.rcParams, "animation.ffmpeg_path", "my_ffmpeg")
    monkeypatch.setattr(files.FFMpegWriter, "isAvailable", lambda: True)
    with pytest.raises(RuntimeError, match="^the program my_ffmpeg can't write a film of that name: take one that "):
        files.FilmShow(print, RUN, str(tmp_path / "film.mp4"))
    (path,) = paths
    assert os.path.basename(path) == "film.mp4" and path.startswith(str(tmp_path))  # on the same disk, beside it
    assert os.listdir(str(tmp_path)) == []


@pytest.mark.parametrize("error", [ImportError, RuntimeError])
def test_an_imageio_ffmpeg_that_has_no_program_is_as_good_as_none(error, monkeypatch):
    def raise_error():
        raise error("no exe")

    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", types.SimpleNamespace(get_ffmpeg_exe=raise_error))
    with pytest.raises(RuntimeError, match="^the program ffmpeg is missing: install it with apt, brew or choco, or "):
        files.packaged_ffmpeg()


def test_no_file_takes_the_place_of_another(tmp_path):
    for number in range(3):
        with files.open_unused(str(tmp_path / "a.b"), ".png") as file:
            file.write(b"%d" % number)
    assert [(tmp_path / name).read_text() for name in ("a.b.png", "a.b_2.png", "a.b_3.png")] == ["0", "1", "2"]
