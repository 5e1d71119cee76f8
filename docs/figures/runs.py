# SPDX-License-Identifier: Apache-2.0
"""Trains scripts, text-only as they stand but for their length and seed, and keeps what pictures need of them."""

import contextlib
import io
import multiprocessing
import sys
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
        """What train wrote of a script with the seed 0."""
        return self.with_seed(name, 0)

    def with_seed(self, name, seed):
        """What train wrote of a script with another seed."""
        stage, file = self.stage_and_file(name, seed)
        if not file.exists():
            print(f"training {name}, seed {seed}", flush=True)
            self.folder.mkdir(parents=True, exist_ok=True)
            arguments = (self.sources[name], stage.path, seed, stage.iterations, str(file))
            process = self.processes.Process(target=train, args=arguments)
            process.start()
            process.join()
            if process.exitcode:
                raise SystemExit(f"{name} ended with status {process.exitcode}")
        with np.load(str(file)) as results:
            return dict(results)

    def stage_and_file(self, name, seed):
        """What is run for a script and a seed, and the file of its results, named after all that they depend on."""
        stage = Stage(self.sources[name], ROOT / name, seed=seed)
        if self.iterations and self.iterations < stage.iterations:
            stage = Stage(self.sources[name], ROOT / name, seed=seed, iterations=self.iterations)
        return stage, self.folder / f"{name}-seed{seed}-{stage.key()}.npz"


KEPT_VARIABLES = ("W", "b", "W1", "B1")
BENT = (2, 7, 13, 35, 0)  # training digits that are shown bent: a 4, a 3, a 6 and two 5s


def train(source, path, seed, iterations, file):
    """Runs a script and writes into a file what it measured and, at its last test, what it answered.

    "training_accuracy", "test_loss" and so on: the curves, float64 [points]. Of the tests: "read" uint8
    [tests, 10000], what each test digit was taken for; "confidence" float16 [tests, 10000], the probability of that;
    "digit_loss" float16 [tests, 10000], the loss of each digit. At the last test: "answers" [10000, 10], the
    probabilities, and the variables W, b, W1, B1, as far as the script has them. Where it bends digits, "bent"
    [5, 7, 28, 28]: some training digits, each bent seven times.
    """
    from tensorflowvisu import tf  # in the process that trains: the forkserver has it already

    tests, original = [], tf.Session

    class WatchedSession(original):
        """A session that looks at the answers of each test, in the same run of the graph: no random number more."""

        def run(self, fetches, *arguments, **options):
            script = vars(sys.modules["__main__"])
            if not isinstance(fetches, list) or not any(fetch is script.get("It") for fetch in fetches):
                return super().run(fetches, *arguments, **options)
            kept = [script[name] for name in KEPT_VARIABLES if name in script]
            results = super().run([*fetches, script["Y"], script["Y_"], *kept], *arguments, **options)
            if tests:
                del tests[-1][2:]  # of earlier tests no variables
            tests.append(results[len(fetches) :])
            return results[: len(fetches)]

    tf.Session = WatchedSession
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            script = Stage(source, path, seed=seed, iterations=iterations).run(text_only)
    finally:
        tf.Session = original
    results = {
        f"{curve}_{name}": values
        for curve, columns in script["datavis"].get_history().items()
        for name, values in columns._asdict().items()
    }
    with np.errstate(divide="ignore", invalid="ignore"):
        losses = [-np.log((answers * labels).sum(axis=1)) for answers, labels, *_ in tests]
    results["digit_loss"] = np.float16(losses)
    results["read"] = np.uint8([answers.argmax(axis=1) for answers, *_ in tests])
    results["confidence"] = np.float16([answers.max(axis=1) for answers, *_ in tests])
    results["answers"] = tests[-1][0]
    results.update(zip((name for name in KEPT_VARIABLES if name in script), tests[-1][2:]))
    if "bend" in script:
        images = np.repeat(script["mnist"].train.images[list(BENT)], 7, axis=0)
        results["bent"] = script["bend"](images).reshape(len(BENT), 7, 28, 28)
    part = Path(file).with_suffix(".part.npz")
    np.savez_compressed(str(part), **results)
    part.replace(file)
