# SPDX-License-Identifier: Apache-2.0
"""Measures how fast the stages train, beside the same networks in Keras, PyTorch and JAX. Linux and macOS.

    .venv/bin/pip install -r benchmarks/requirements.txt
    .venv/bin/python benchmarks/training.py                               the whole: an hour on two cores
    .venv/bin/python benchmarks/training.py --stages 3.1 --share 0.1      a tenth of the iterations of one stage

Each stage is trained by its script as it stands in text-only mode, by a bare loop of training steps of the same graph,
and by the peers, all in one run: in each round, each of them trains for the same number of iterations and evaluates the
test set, one after the other. Each is a process of its own.

iteration       milliseconds for a training step with its batch, the median of the rounds (lowest to highest)
test set        milliseconds to evaluate the 10,000 test images
accuracy        of the test after all rounds: whether all of them train the same network
first iteration seconds from the start of the process to the end of its first iteration
memory          the peak of the process, MB
of sgemm peak   the multiplications and additions of an iteration a second, as a fraction of those of a large matrix
                product of numpy's on the same machine

The tables on standard output are Markdown. Nothing else should run on the machine.
"""

import argparse
import contextlib
import datetime
import io
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from networks import STAGES
from peers import PEERS

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from command_line import spread  # noqa: E402  (the project is not installed)
from stage_runs import Stage, read_source  # noqa: E402

SCRIPT, BARE_LOOP = "the script", "bare loop"
ANSWER = "\x1e"  # what an answer of a worker begins with: the start of Python may print lines before
IMPORT_ALLOWANCE = 1.5  # seconds that a start may take beyond the import of TensorFlow


def read_stage(stage):
    path = ROOT / stage.script
    return Stage(read_source(path), path)


class ScriptPeer:
    """A stage's own graph and training_step, from its script as it stands."""

    def __init__(self, stage):
        self.done = 0
        read_stage(stage).run(self.keep)

    def keep(self, training_step, updates, animate):
        self.training_step = training_step

    def train(self, iterations):
        for _ in range(iterations):
            self.training_step(self.done, False, False)
            self.done += 1

    def evaluate(self):
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            self.training_step(self.done, True, False)
        return float(re.search(r"test accuracy: (\S+)", output.getvalue()).group(1))


class OtherPeer:
    """One of the peers, with the batches that a good user of it would take: random ones from all images."""

    def __init__(self, name, stage):
        import mnistdata

        data = mnistdata.read_data_sets(str(ROOT / "data"), one_hot=True, reshape=False)
        self.test = data.test
        self.peer = PEERS[name](stage, data.train.images, data.train.labels)
        self.random = np.random.RandomState(0)
        self.order = np.arange(0)

    def train(self, iterations):
        while len(self.order) < 100 * iterations:
            self.order = np.concatenate([self.order, self.random.permutation(60000)])
        indices, self.order = np.split(self.order, [100 * iterations])
        self.peer.train(indices.reshape(iterations, 100))

    def evaluate(self):
        return self.peer.evaluate(self.test.images, self.test.labels)


def work(name, stage):
    """Does what the lines on standard input say, a command and a number each; answers each with a line of JSON."""
    import resource  # not on Windows, where cluster.py, and with it the tests, import this file

    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is no answer
    peer = ScriptPeer(stage) if name == SCRIPT else OtherPeer(name, stage)
    for line in sys.stdin:
        command, *arguments = json.loads(line)
        begun = time.perf_counter()
        result = getattr(peer, command)(*arguments)
        megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)
        print(ANSWER + json.dumps((time.perf_counter() - begun, result, megabytes)), file=answers, flush=True)


class Contender:
    """A process that trains a stage when it is told to."""

    def __init__(self, name, number):
        self.name, self.iterations, self.tests = name, [], []
        begun = time.perf_counter()
        self.process = subprocess.Popen(
            [sys.executable, __file__, "--work", name, number],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            errors="replace",
        )
        self.ask("train", 1)
        self.first_iteration = time.perf_counter() - begun
        self.ask("train", 20)  # what is compiled, or measured, on the first calls
        self.ask("evaluate")

    def ask(self, *command):
        print(json.dumps(command), file=self.process.stdin, flush=True)
        line = next((line for line in self.process.stdout if ANSWER in line), None)
        if not line:
            sys.exit(f"{self.name} ended with status {self.process.wait()}: is benchmarks/requirements.txt installed?")
        seconds, result, self.megabytes = json.loads(line.rpartition(ANSWER)[2])
        return seconds, result

    def take_turn(self, iterations):
        self.iterations.append(1000 * self.ask("train", iterations)[0] / iterations)
        seconds, self.accuracy = self.ask("evaluate")
        self.tests.append(1000 * seconds)

    def end(self):
        self.process.stdin.close()
        self.process.wait()


def sgemm_peak():
    """Floating-point operations a second in the best of ten large matrix products."""
    matrix = np.random.RandomState(0).normal(size=(2048, 2048)).astype(np.float32)
    times = []
    for _ in range(10):
        begun = time.perf_counter()
        matrix @ matrix
        times.append(time.perf_counter() - begun)
    return 2 * 2048**3 / min(times)


def command_of(script, iterations, train="text_only"):
    """The command that runs a script of the project with so many iterations; train: a function, see stage_runs.py."""
    path, folder = str(ROOT / script), str(ROOT)
    stage = f"Stage(read_source({path!r}), {path!r}, iterations={iterations})"
    imports = f"import sys; sys.path.insert(0, {folder!r}); from stage_runs import Stage, read_source, text_only"
    return [sys.executable, "-c", f"{imports}; {stage}.run({train})"]


def seconds_of(command, cwd=ROOT):
    """How long a command takes, with its output thrown away."""
    begun = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=str(cwd))
    return time.perf_counter() - begun


def seconds_to_import_tensorflow():
    return seconds_of([sys.executable, "-c", "import os, tensorflow; os._exit(0)"])  # without the end of the program


def whole_runs(stage, iterations, rounds):
    """Seconds of whole processes: [of the script in text-only mode], [of the same without metrics and tests]."""
    bare = "lambda step, updates, animate: [step(i, False, False) for i, *_ in updates]"
    commands = [command_of(stage.script, iterations), command_of(stage.script, iterations, bare)]
    times = [], []
    for _ in range(rounds):
        for number, command in enumerate(commands):
            times[number].append(seconds_of(command))
    return times


def measure(number, rounds, share, peak):
    stage = STAGES[number]
    iterations = max(rounds, round(read_stage(stage).iterations * share))
    imports = seconds_to_import_tensorflow()
    contenders = [Contender(name, number) for name in (SCRIPT, *PEERS)]
    for _ in range(rounds):
        for contender in contenders:
            contender.take_turn(iterations // rounds)
    for contender in contenders:
        contender.end()
    print(f"\n### Stage {number}, {iterations} iterations in {rounds} rounds\n")
    print("| | iteration, ms | test set, ms | accuracy | first iteration, s | memory, MB | of sgemm peak |")
    print("|---|---|---|---|---|---|---|")
    for contender in contenders:
        operations = stage.operations / (statistics.median(contender.iterations) / 1000)
        print(
            f"| {contender.name} | {spread(contender.iterations)} | {spread(contender.tests, 1)} "
            f"| {contender.accuracy:.4f} | {contender.first_iteration:.1f} | {contender.megabytes:.0f} "
            f"| {operations / peak:.0%} |"
        )
    ours, *others = contenders
    text, bare = whole_runs(stage, iterations, rounds)
    print()
    for what in ("iterations", "tests"):
        fastest = min(others, key=lambda contender: statistics.median(getattr(contender, what)))
        ratio = statistics.median(getattr(ours, what)) / statistics.median(getattr(fastest, what))
        print(f"- {what}: {ratio:.2f} x those of the fastest peer, {fastest.name}")
    ratio = statistics.median(text) / statistics.median(bare)
    print(f"- whole run: {ratio:.2f} x that of the {BARE_LOOP}, {spread(text, 1)} s and {spread(bare, 1)} s")
    print(f"- first iteration: {ours.first_iteration - imports:+.1f} s beside import tensorflow, {imports:.1f} s")
    sys.stdout.flush()


def machine():
    import importlib.metadata  # not in Python 3.7, where the tests import this module

    names = ("tensorflow", "keras", "torch", "jax", "numpy")
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in names)
    processor = platform.processor() or platform.machine()
    with contextlib.suppress(OSError):
        processor = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text()).group(1)
    return (
        f"{datetime.date.today()}, {processor}, {os.cpu_count()} logical processors, {platform.system()}, "
        f"Python {platform.python_version()}, {versions}"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stages", nargs="+", choices=STAGES, default=list(STAGES), help="stages to measure")
    parser.add_argument("--rounds", type=int, default=5, help="rounds to divide the iterations into")
    parser.add_argument("--share", type=float, default=1, help="the part of a stage's iterations to train for")
    parser.add_argument("--work", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        name, number = options.work
        return work(name, STAGES[number])
    peak = sgemm_peak()
    print(f"{machine()}; sgemm peak {peak / 1e9:.0f} GFLOP/s")
    for number in options.stages:
        measure(number, options.rounds, options.share, peak)


if __name__ == "__main__":
    main()
