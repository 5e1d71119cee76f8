# SPDX-License-Identifier: Apache-2.0
"""Trains scripts, text-only as they stand but for their length, and keeps what pictures need of them."""

import contextlib
import io
import multiprocessing
from pathlib import Path

import numpy as np

from stage_runs import ROOT, Stage, text_only


class Runs:
    """The results of scripts; each is trained once, in a process of its own, and its results stay in a folder.

    sources: {name: source of the script}. iterations: shorter runs than those of the scripts, or None.
    """

    def __init__(self, sources, folder, iterations=None):
        self.sources, self.folder, self.iterations = sources, Path(folder), iterations
        ways = multiprocessing.get_all_start_methods()
        self.processes = multiprocessing.get_context("forkserver" if "forkserver" in ways else "spawn")
        if "forkserver" in ways:
            self.processes.set_forkserver_preload(["tensorflowvisu"])  # TensorFlow is imported once for all

    def __getitem__(self, name):
        """{"training_accuracy": array, …, "test_loss": array, "answers": [10000, 10], "W1": array, …} of a script."""
        source, path, iterations = self.sources[name], ROOT / name, None
        if self.iterations:
            iterations = min(self.iterations, Stage(source, path).iterations)
        file = self.folder / f"{name}-{Stage(source, path, iterations=iterations).key()}.npz"
        if not file.exists():
            print(f"training {name}")
            self.folder.mkdir(parents=True, exist_ok=True)
            process = self.processes.Process(target=train, args=(source, path, iterations, str(file)))
            process.start()
            process.join()
            if process.exitcode:
                raise SystemExit(f"{name} ended with status {process.exitcode}")
        with np.load(str(file)) as results:
            return dict(results)


def train(source, path, iterations, file):
    """Runs a script and writes into a file its curves, its answers to the test digits, and its weights and biases."""
    with contextlib.redirect_stdout(io.StringIO()):
        script = Stage(source, path, iterations=iterations).run(text_only)
    results = {
        f"{curve}_{name}": values
        for curve, columns in script["datavis"].get_history().items()
        for name, values in columns._asdict().items()
    }
    mnist, session = script["mnist"], script["sess"]
    results["answers"] = np.concatenate([script["read"](images)[0] for images in np.array_split(mnist.test.images, 10)])
    if "bend" in script:
        results["bent"] = script["bend"](np.repeat(mnist.train.images[2:3], 11, axis=0))  # a 4
    for name in ("W", "b", "W1", "B1"):
        if name in script:
            results[name] = session.run(script[name])
    part = Path(file).with_suffix(".part.npz")
    np.savez_compressed(str(part), **results)
    part.replace(file)
