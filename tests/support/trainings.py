"""What the tests of the trainer share: TF_CONFIG, small trainings, and job folders that move."""

import json
import re
import shutil
import sys

import numpy as np

import mnistdata
import programs
from helpers import ROOT, idx

MLENGINE = ROOT / "mlengine"
SMALL = ["--hp-depth1=2", "--hp-depth2=4", "--hp-depth3=4", "--hp-dense=20"]


def few_digits(folder):
    """Makes a data folder with 5,000 of the training digits and 500 of the test digits: it is read in no time."""
    folder.mkdir()
    digits = mnistdata.read_data_sets(str(ROOT / "data"), one_hot=False, reshape=False)
    for name, of_one_kind, number in ("train", digits.train, 5000), ("t10k", digits.test, 500):
        images = np.round(255 * of_one_kind.images[:number, ..., 0])
        (folder / f"{name}-images-idx3-ubyte").write_bytes(idx(images))
        (folder / f"{name}-labels-idx1-ubyte").write_bytes(idx(of_one_kind.labels[:number]))


def config(cluster, type="chief", index=0, **more):
    return json.dumps({"cluster": cluster, "task": {"type": type, "index": index}, **more})


ADDRESSES = {"chief": ["a:1"], "worker": ["b:1", "c:1"], "ps": ["d:1"]}


def trainer_command(job_dir, *arguments):
    return [sys.executable, "-m", "trainer.task", "--job-dir", str(job_dir), *arguments]


def run_trainer(job_dir, *arguments, start=programs.start, **variables):
    return programs.run(trainer_command(job_dir, *arguments)[1:], MLENGINE, start, **variables)


def succeed(job_dir, *arguments, start=programs.start, **variables):
    process = run_trainer(job_dir, *SMALL, *arguments, start=start, **variables)
    assert (process.returncode, process.stderr) == (0, "")
    return process.stdout


class Stopped:
    """In the place of what stops a task: it has to stop once it has waited so many times, None for never."""

    def __init__(self, times=None, status=0):
        self.times, self.status, self.waited = times, status, []

    def is_due(self):
        return self.times is not None and len(self.waited) >= self.times

    def wait(self, seconds=None):
        self.waited.append(seconds)
        assert len(self.waited) < 1000, "it waits for ever"


def move(old, new):
    """Copies a job folder, lets its list of checkpoints name the old paths, and leaves no use in what lies there.

    The list names whole paths if another program wrote it, or a trainer of before.
    """
    shutil.copytree(str(old), str(new))
    checkpoints = (new / "checkpoint").read_text()
    (new / "checkpoint").write_text(checkpoints.replace("model.ckpt", f"{old}/model.ckpt"))
    for path in old.glob("model.ckpt*"):
        path.write_bytes(b"of somebody else")


def is_untouched(old):
    """Whether in a folder that was moved is still what lay there."""
    return {path.read_bytes() for path in old.glob("model.ckpt*")} == {b"of somebody else"}


def iteration_of(name):
    return int(re.fullmatch(r"model\.ckpt-(\d+)", name).group(1))


def present(folder):
    """The iterations of the checkpoints that lie in a job folder, the newest last.

    A chief that is killed between writing a checkpoint and listing it leaves one that is not listed.
    """
    return sorted(iteration_of(path.stem) for path in folder.glob("model.ckpt*.index"))


def listed(folder):
    """The iterations of the checkpoints that a job folder lists, all of which are there, the newest last."""
    names = re.findall(r'all_model_checkpoint_paths: "(.*)"', (folder / "checkpoint").read_text())
    iterations = [iteration_of(name) for name in names]
    assert set(iterations) <= set(present(folder))
    return iterations
