# SPDX-License-Identifier: Apache-2.0
"""Says which exercise a copy of a script solves, by what the copy does and not by how it is written.

The copy, the script that it was made from, and the solutions of all exercises that begin with this script each run for
two iterations. What is seen of them is compared: shapes, first values, kinds of layers, the learning rate, the digits
that are fed. An exercise asks for the facts in which its solution differs from the script. A copy that has them is
trained for some seconds, and its test accuracy has to be in the range of the exercise.
"""

import tensorflowvisu  # noqa: F401 I001  which comes before TensorFlow

import collections
import contextlib
import functools
import io
import re
import sys
import traceback
from pathlib import Path
from unittest import mock

import numpy as np
import tensorflow.compat.v1 as tf

from exercises import CHAPTERS, RANGES, programs
from stage_runs import Stage, read_source, text_only

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = "mnist_….py, which train with this project's modules,"
EARLY, LATE = 0, 1200  # the two iterations; the second one is a test
# The operations that move a variable: what they are called, and which of their inputs is the learning rate
OPTIMIZERS = {
    "ResourceApplyAdam": ("Adam", 5),
    "ApplyAdam": ("Adam", 5),
    "ResourceApplyGradientDescent": ("plain gradient descent", 1),
    "ApplyGradientDescent": ("plain gradient descent", 1),
}
USUAL = re.compile(r"\d+: |max test accuracy|Tensor[Ff]low version|No window")  # beginnings of lines of all scripts
# Facts that may be other ones than in the solution of an exercise, unless it asks for them
SEED, LENGTH, EPOCH, PRINTS = (
    "the seed is 0",
    "the number of iterations",
    "the epoch in iteration 1,200",
    "it prints more",
)
FREE = {SEED, LENGTH, EPOCH, PRINTS}


def check(path, exercises):
    """Prints a sentence about a copy; returns the exit status of the program: 0 if it solves an exercise, else 1.

    exercises: a list of exercises.Exercise.
    """
    try:
        solved, words = verdict(path, read_source(path), exercises)
    except (OSError, ValueError) as error:
        solved, words = False, str(error)
    print(f"{path}: {words}")
    return 0 if solved else 1


def verdict(path, source, exercises):
    """(whether the copy solves an exercise, a sentence about it)."""
    candidates = [exercise for exercise in exercises if stage_of(script_of(exercise)) == stage_of(source)]
    if not candidates:
        program = program_of(source)
        if program:
            return False, f"comes from {program}; only copies of the scripts {SCRIPTS} can be checked"
        return False, "its first lines name no '# Stage …:' that an exercise begins with, expected those of the script"
    copy, start = facts_of(source, path), facts_of(script_of(candidates[0]), ROOT / candidates[0].script)
    if not differences(copy, start):
        return False, f"does what {candidates[0].script} does, expected one of the exercises that begin with it"
    solutions = [facts_of(exercise.solution, ROOT / exercise.copy) for exercise in candidates]
    ranked = [ranking(copy, start, solution) for solution in solutions]
    nearest = min(range(len(candidates)), key=ranked.__getitem__)
    exercise, solution = candidates[nearest], solutions[nearest]
    title = f"exercise {exercise.number}, {exercise.title}"
    missing = wrong_facts(copy, start, solution)
    if missing:
        name = missing[0]
        return False, f"nearest is {title}; {name}: {told(copy[name])}, expected {told(solution[name])}"
    iterations, lowest, highest = RANGES[exercise.copy]
    reached = accuracy_after(source, path, iterations)
    words = f"with ITERATIONS = {iterations}, its best test accuracy is {reached:.4f}"
    if not lowest <= reached <= highest:
        return False, f"nearest is {title}, and nothing is missing, but {words}, expected {lowest} to {highest}"
    return True, f"solves {title}; {words}"


def stage_of(source):
    """The "Stage 2.0" in the first lines of a script, or None."""
    stage = re.search(r"(?m)^# (Stage \d\.\d):", source)
    return stage and stage.group(1)


def program_of(source):
    """Of which program of the lesson at least half of the lines are in a copy, in words, or None."""
    lines = set(map(str.strip, source.splitlines()))
    for page in CHAPTERS:
        for name, program in programs([page]):
            its_lines = {line.strip() for line in program.splitlines()} - {""}
            if 2 * len(its_lines & lines) >= len(its_lines):
                return f"{name} and belongs to the open exercises of chapter {page.name.partition('_')[0]}"
    return None


def script_of(exercise):
    return read_source(ROOT / exercise.script)


# ------------------------------------------------------------------------------------------------- comparing the facts


def ranking(copy, start, solution):
    """The lower, the nearer is a copy to a solution."""
    wrong = wrong_facts(copy, start, solution)
    return len(wrong), len(wrong) - len(differences(solution, start))


def wrong_facts(copy, start, solution):
    asked_for = differences(solution, start)
    return [name for name in differences(copy, solution) if name in asked_for or name not in FREE]


def differences(facts, others):
    """The names of the facts that differ, in their order."""
    return [name for name, value in facts.items() if not same(value, others[name])]


def same(value, other):
    if isinstance(value, (list, tuple)) and isinstance(other, (list, tuple)):
        return len(value) == len(other) and all(map(same, value, other))
    if isinstance(value, float) and isinstance(other, float):
        return bool(np.isclose(value, other, rtol=0.2, atol=1e-6))  # first values are random
    return value == other


def told(value):
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(told, value))}]"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.3g}" if isinstance(value, float) else str(value)


# ----------------------------------------------------------------------------------------------------- seeing the facts


@functools.lru_cache(maxsize=None)  # those of the solutions serve all copies that are checked
def facts_of(source, path):
    """{name: value} of what is seen of a script in two iterations; raises ValueError with one sentence."""
    early, late = [], []

    def two_iterations(step, updates, animate):
        with recorded(early):
            step(EARLY, False, False)
        with recorded(late):
            step(LATE, True, False)

    names, lines = run(Stage(source, path), two_iterations)
    mnist, session = names["mnist"], names["sess"]
    steps = [feed for feed, trains in early + late if trains]
    if len(steps) != 2:
        raise ValueError(f"the training step ran {len(steps)} times in two iterations, expected 2")
    tests = [images_in(feed) for feed, trains in late if not trains and len(images_in(feed)) >= 1000]
    batch = images_in(steps[0])
    facts = {
        **facts_of_graph(session.graph),
        "the learning rate, at first and late": [rate(session, feed) for feed in steps],
        "what else the training step is fed with": sorted(constants(*steps)),
        "the size of a batch": len(batch),
        "its images are those of the training set": are_among(batch, mnist.train.images),
        "the number of training digits": mnist.train.num_examples,
        "neighbouring pixels are alike": neighbours_are_alike(mnist.train.images[:1000]),
        "the test digits are validation digits": bool(tests) and are_among(tests[0][:9], mnist.validation.images),
        EPOCH: re.findall(r"epoch (\d+)", "".join(lines)),
        PRINTS: any(re.search(r"\d", line) and not USUAL.match(line) for line in lines),
        LENGTH: Stage(source, path).iterations,
        SEED: names.get("SEED") == 0,
    }
    session.close()
    return facts


def facts_of_graph(graph):
    """What is seen without training."""
    operations = graph.get_operations()
    types = collections.Counter(operation.type for operation in operations)
    strides = {(*operation.get_attr("strides")[1:3], operation.get_attr("padding").decode())
               for operation in operations if operation.type == "Conv2D"}  # fmt: skip
    with graph.as_default(), tf.Session() as session:
        session.run(tf.global_variables_initializer())
        values = sorted(session.run(tf.trainable_variables()), key=np.shape)
    weights = [value for value in values if value.ndim > 1]
    return {
        "the shapes of the weights": [value.shape for value in weights],
        "the number of weights and biases": sum(value.size for value in values),
        "the activation functions": [kind for kind in ("Relu", "Sigmoid") if types[kind]],
        "strides and padding of the convolutions": sorted(strides),
        "the number of layers with dropout": types["RandomUniform"],
        "batch normalisation": any(kind.startswith("FusedBatchNorm") for kind in types),
        "standard deviations of the first weights": [float(w.std()) for w in weights if w.size >= 200],
        "first biases before the last layer": [float(b.mean()) for b in values if b.ndim == 1 and b.size != 10],
        "the optimizer": sorted({OPTIMIZERS[kind][0] for kind in types if kind in OPTIMIZERS}),
    }


def rate(session, feed):
    """The learning rate of a training step that is fed like this."""
    step = [operation for operation in session.graph.get_operations() if operation.type in OPTIMIZERS][0]
    return float(session.run(step.inputs[OPTIMIZERS[step.type][1]], feed))


def constants(first, second):
    """The numbers that both training steps are fed with, so not that of the iteration."""
    numbers = [key for key, value in first.items() if np.ndim(value) == 0]
    return [float(first[key]) for key in numbers if first[key] == second.get(key)]


def images_in(feed):
    """The images in what is fed, or an empty list."""
    return next((value for value in feed.values() if np.ndim(value) == 4), [])


def are_among(images, many):
    """Whether each of these images has as much ink as one of the many, to the last digit."""
    ink, known = (np.reshape(some, [len(some), 784]).sum(axis=1) for some in (images, many))
    return bool(np.isin(ink, known).all())


def neighbours_are_alike(images):
    """Whether two pixels side by side differ less than two pixels that are half an image apart."""
    return bool(
        np.abs(images[:, :, 1:] - images[:, :, :-1]).mean() < np.abs(images[:, :, 14:] - images[:, :, :-14]).mean() / 2
    )


# --------------------------------------------------------------------------------------------------- running a script


def accuracy_after(source, path, iterations):
    names, _ = run(Stage(source, path, iterations=iterations), text_only)
    names["sess"].close()
    return names["datavis"].get_max_test_accuracy()


def run(stage, train):
    """(names, lines printed) of a script; raises ValueError with the line where it stops."""
    tf.reset_default_graph()
    main, arguments, path = sys.modules["__main__"], list(sys.argv), list(sys.path)
    output = io.StringIO()
    try:
        with contextlib.redirect_stdout(output):
            names = stage.run(train)
    except Exception as error:  # whatever a learner's script raises
        places = [place for place in traceback.extract_tb(error.__traceback__) if place.filename == str(stage.path)]
        line = f"line {places[-1].lineno}: " if places else ""
        raise ValueError(f"{line}{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}")
    finally:
        sys.modules["__main__"], sys.argv[:], sys.path[:] = main, arguments, path
    return names, output.getvalue().splitlines(keepends=True)


@contextlib.contextmanager
def recorded(runs):
    """Meanwhile, runs gets (what is fed, whether it trains) of each run of a session."""
    run_as_usual = tf.Session.run

    def run_and_record(session, fetches, feed_dict=None, **options):
        trains = any(isinstance(fetch, tf.Operation) for fetch in tf.nest.flatten(fetches))
        runs.append((dict(feed_dict or {}), trains))
        return run_as_usual(session, fetches, feed_dict, **options)

    with mock.patch.object(tf.Session, "run", run_and_record):
        yield
