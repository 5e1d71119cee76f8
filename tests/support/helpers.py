"""What several test modules share: scripts in edited copies, run as a learner runs them."""

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
STAGES = sorted(path.name for path in ROOT.glob("mnist_*.py"))
PATIENCE = 180  # seconds after which something hangs, on a busy machine too
TIMEOUT = 600  # seconds that a script may take
NO_SCREEN = ":987"  # the name of a display that is not there
unix_signals = pytest.mark.skipif(os.name != "posix", reason="signals that end or stop another process are Unix's")
by_display = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="on Linux alone a variable names it")
TITLES = {"chromium": "Chromium", "ffprobe": "ffmpeg"}  # of programs with another name
TITLES.update(slurmctld="SLURM", slurmd="SLURM", sbatch="SLURM", munged="MUNGE")
TO_INSTALL = "to be installed: "


def require(*programs):
    """Skips the test where one of these programs is missing; the last line of all tests says what to install."""
    missing = {TITLES.get(program, program) for program in programs if not shutil.which(program)}
    if missing:
        pytest.skip(TO_INSTALL + ", ".join(sorted(missing)))


def wait_until(condition, what, patience=PATIENCE):
    """Returns what the condition returns, as soon as that is true."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        result = condition()
        if result:
            return result
        time.sleep(0.02)
    raise AssertionError(f"waited in vain until {what}")


def stage_source(name):
    return (ROOT / name).read_text(encoding="utf-8")


def shortened(source, iterations):
    """The source of a stage with another number of iterations, as a learner writes it there."""
    source, lines = re.subn(r"(?m)^ITERATIONS = \d+", f"ITERATIONS = {iterations}", source)
    assert lines == 1
    return source


def shortened_text_only(source, iterations, seed=None):
    """The source of a program that runs the source of a stage without its window, as compare_stages.py does it.

    What is added to this source finds the names of the stage.
    """
    return (
        "from stage_runs import Stage, text_only\n"
        f"globals().update(Stage({source!r}, __file__, {seed}, {iterations}).run(text_only))\n"
    )


def environment(**changes):
    """The environment of a person with a clone of the project and no screen, and with these changes."""
    hidden = {"DISPLAY", "WAYLAND_DISPLAY", "MPLBACKEND", "TENSORBOARD_LOGDIR", "TF_CPP_MIN_LOG_LEVEL"}
    hidden.update(("TF_ENABLE_ONEDNN_OPTS", "TF_MKL_OPTIMIZE_PRIMITIVE_MEMUSE"))  # tensorflowvisu has set them here
    variables = {name: value for name, value in os.environ.items() if name not in hidden}
    variables.update(PYTHONPATH=str(ROOT), PYTHONIOENCODING="utf-8")
    if sys.platform in ("darwin", "win32"):  # where no variable names the screen
        variables["MPLBACKEND"] = "agg"
    variables.update(changes)
    return variables


def run_script(source, folder, name="script.py", cwd=None, **changes):
    """Writes the source of a script into a folder and runs it there; returns the process, with its outputs as text."""
    script = folder / name
    script.write_text(source, encoding="utf-8")
    return subprocess.run(
        [sys.executable, str(script)],
        cwd=str(cwd or folder),
        env=environment(**changes),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        timeout=TIMEOUT,
    )


MADE_UP_TRAINING = """
import time
import numpy as np
import tensorflowvisu

random = np.random.RandomState(0)
datavis = tensorflowvisu.MnistDataVis()
weights = 0.0


def digits(height, width, red):
    picture = np.full([height, width, 3], 255, np.uint8)
    picture[: int(red * height)] = (255, 160, 160)
    return picture


def training_step(i, update_test_data, update_train_data):
    global weights
    weights = weights + random.normal(0, 0.01, 1000)
    if update_train_data:
        datavis.append_training_curves_data(i, 1 - 0.5 ** (i / 50), 100 * 0.5 ** (i / 50), 0.003)
        datavis.append_data_histograms(i, weights, weights[:10])
        datavis.update_image1(digits(280, 280, 0.5))
    if update_test_data:
        print(f"{i}: test accuracy: {i / ITERATIONS:.6f} weights: {weights.sum():.6f}", flush=True)
        datavis.append_test_curves_data(i, i / ITERATIONS, 50 + random.normal(), 1)
        datavis.update_image2(digits(700, 1120, 0.3))
    time.sleep(SECONDS)


datavis.animate(training_step, ITERATIONS, train_data_update_freq=10, test_data_update_freq=50)
print("max test accuracy:", datavis.get_max_test_accuracy())
"""


def made_up_training(iterations, seconds=0.001):
    """The source of a script that has the six panels fed with made-up numbers; an iteration takes so many seconds."""
    return MADE_UP_TRAINING.replace("ITERATIONS", str(iterations)).replace("SECONDS", str(seconds))


LONG_TRAINING = made_up_training(20000, seconds=0.01)
FINISHED = "Finished"  # in the line of a training that has ended with its window open


def without_waiting(text):
    """What a program said, without the lines that a display or matplotlib is awaited, as on a slow machine."""
    return re.sub("(?m)^Waiting up to .*\n", "", text)


def own_lines(text):
    """What a script prints itself, of its text: all but the lines about windows and pictures."""
    return re.findall(r"^\d+: .*|^max test accuracy: .*", text, re.MULTILINE)


def without_tensorflow(folder):
    """Puts an empty package into a folder that the modules take for TensorFlow: it is imported in no time."""
    package = folder / "tensorflow" / "compat" / "v1"
    package.mkdir(parents=True)
    anything = "from unittest.mock import MagicMock\n\ndef __getattr__(name):\n    return MagicMock()\n"
    for part in [package, *list(package.parents)[:2]]:
        (part / "__init__.py").write_text(f"__version__ = 'none'\n{anything if part == package else ''}")


def link(path, place):
    """Puts a file or a folder into another place, as a link or, where Windows does not allow that, as a copy."""
    try:
        os.symlink(str(path), str(place))
    except OSError:
        (shutil.copytree if path.is_dir() else shutil.copy)(str(path), str(place))


def idx(array):
    """The bytes of an IDX file: zero, zero, type 8 (unsigned byte), the number of dimensions, the sizes, the values."""
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    return bytes([0, 0, 8, array.ndim]) + sizes + array.astype("uint8").tobytes()


def max_test_accuracy(output):
    return float(re.search(r"^max test accuracy: ([\d.]+)$", output, re.MULTILINE).group(1))
