# SPDX-License-Identifier: Apache-2.0
"""TensorFlow set up: quiet, and fast on this machine. This comes before any other import of TensorFlow.

    from tensorflowsetup import tf      # tensorflow.compat.v1, or None where TensorFlow is not installed

Nothing of the training window is needed here.
"""

import contextlib
import importlib.machinery
import importlib.util
import os
import platform
import subprocess
import sys
import traceback

STARTED_FOR_US = "TENSORFLOWVISU_STARTED"  # in the environment of each process that these modules start

# Lines of TensorFlow's C++ start-up that no setting of its own keeps away; fatal errors are not of this form
STARTUP_LOG_FILTER = r"""
import re, signal, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)
for line in sys.stdin.buffer:
    if not re.match(rb"[IWE]\d{4} |WARNING: All log messages before absl", line):
        sys.stderr.buffer.write(line)
        sys.stderr.buffer.flush()
"""


class NoTensorFlow(ImportError):
    """Why TensorFlow can't be used, in one sentence. Uncaught, it ends the program with that and status 1."""


def first_line(error):
    return str(error).strip().split("\n")[0].rstrip(".") or type(error).__name__


PROGRAMS = ".venv\\Scripts\\" if os.name == "nt" else ".venv/bin/"
OLDEST, NEWEST = (3, 7), (3, 13)  # Pythons for which requirements.txt has a TensorFlow


def remedy():
    """How to get TensorFlow: from requirements.txt, with a Python for which it has one."""
    if OLDEST <= sys.version_info[:2] <= NEWEST and sys.maxsize > 2**32:
        return (
            f"install it with '{PROGRAMS}pip install -r requirements.txt' and use {PROGRAMS}python, as install.txt "
            f"describes"
        )
    oldest, newest = ("{}.{}".format(*version) for version in (OLDEST, NEWEST))
    return (
        f"requirements.txt brings it for 64-bit Python {oldest} to {newest}; install one of these, create .venv again "
        f"with it, and use {PROGRAMS}python, as install.txt describes"
    )


def how_to_install(reason):
    python = "{}.{}".format(*sys.version_info)
    return f"TensorFlow can't be used with {sys.executable}, Python {python} ({reason}): {remedy()}"


def tell_in_one_sentence(kind, error, where, otherwise=sys.excepthook):
    """Of an import of TensorFlow that failed, people need to know what to do, and no traceback."""
    lacks_tensorflow = isinstance(error, ModuleNotFoundError) and (error.name or "").split(".")[0] == "tensorflow"
    if lacks_tensorflow:
        print(how_to_install(first_line(error)), file=sys.stderr)
    elif isinstance(error, NoTensorFlow):
        print(error, file=sys.stderr)
    else:
        otherwise(kind, error, where)


# What is set in the environment before TensorFlow is imported, if nobody has set it.
# Without the first, the first session of a program would decide how many threads all later ones have.
THREAD_SETTINGS = {"TF_OVERRIDE_GLOBAL_THREADPOOL": "1"}
# Of oneDNN, Intel's library of convolutions, which TensorFlow 2 has on x86 processors but takes on the newest of them
# only. It trains stage 3.1 two to four times as fast (benchmarks/README.md). TensorFlow 1.15 has no such variables.
ONEDNN_SETTINGS = {
    "TF_ENABLE_ONEDNN_OPTS": "1",
    "TF_MKL_OPTIMIZE_PRIMITIVE_MEMUSE": "false",  # what has been prepared for a layer is kept for the next iteration
}


def prefer_onednn():
    """Has TensorFlow take oneDNN; says so if it is too late for that."""
    if platform.machine().lower() not in ("x86_64", "amd64"):
        return
    loaded = sys.modules.get("tensorflow")
    if loaded is None:
        for name, value in ONEDNN_SETTINGS.items():
            os.environ.setdefault(name, value)
    elif "TF_ENABLE_ONEDNN_OPTS" not in os.environ and loaded.__version__.startswith("2."):
        print(
            "tensorflowvisu was imported after TensorFlow, too late to choose its faster convolutions: import "
            "tensorflowvisu first, or set TF_ENABLE_ONEDNN_OPTS=1 in the environment.",
            file=sys.stderr,
        )


def fill_standard_descriptors():
    """Opens nothing, in the literal sense, where standard input, output or error is closed, as under pythonw.

    The next pipe would get such a number, and with it all that TensorFlow's libraries write to standard error.
    """
    descriptor = 0
    while descriptor <= 2:
        descriptor = os.open(os.devnull, os.O_RDWR)  # the lowest number that is free
        if descriptor <= 2:
            os.set_inheritable(descriptor, True)
    os.close(descriptor)


def can_start_python():
    """Whether sys.executable is Python: in a frozen program it is the program, which would start itself."""
    return bool(sys.executable) and not getattr(sys, "frozen", False)


def import_tensorflow_quietly():
    """Imports TensorFlow without its start-up logs. Raises NoTensorFlow, with the cure, if what is installed fails.

    Has to come before any other import of TensorFlow. TF_CPP_MIN_LOG_LEVEL=0 in the environment shows all logs.
    Returns None where there is no TensorFlow: the window is of use to others, too.
    """
    if os.environ.get(STARTED_FOR_US):
        sys.exit(f"{sys.executable} was started as Python, to filter logs or to draw, and is another program")
    sys.excepthook = tell_in_one_sentence
    if "tensorflow" not in sys.modules and not importlib.util.find_spec("tensorflow"):
        return None
    fill_standard_descriptors()
    for name, value in THREAD_SETTINGS.items():
        os.environ.setdefault(name, value)
    prefer_onednn()
    # 3: fatal errors only; all others come back as Python exceptions
    shows_all = os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3") == "0"
    if shows_all or "tensorflow" in sys.modules or sys.stderr is None or not can_start_python():
        return import_tensorflow()
    # A filter process, not a buffer in this one: if the import aborts the program, its last words still come through
    sys.stderr.flush()
    stderr = os.dup(2)
    log_filter = subprocess.Popen(
        [sys.executable, "-S", "-c", STARTUP_LOG_FILTER],
        stdin=subprocess.PIPE,
        env=dict(os.environ, **{STARTED_FOR_US: "1"}),
    )
    os.dup2(log_filter.stdin.fileno(), 2)
    log_filter.stdin.close()
    try:
        return import_tensorflow()
    finally:
        sys.stderr.flush()
        os.dup2(stderr, 2)
        os.close(stderr)
        with contextlib.suppress(subprocess.TimeoutExpired):  # some process that TensorFlow started may hold the pipe
            log_filter.wait(timeout=5)


# absl::SetMinLogLevel, with the version of that library which TensorFlow 2.20 has
SET_MIN_LOG_LEVEL = "_ZN4absl12lts_2025012714SetMinLogLevelENS0_18LogSeverityAtLeastE"


def quieten_abseil(tensorflow):
    """Has Abseil, TensorFlow's library for logs, obey TF_CPP_MIN_LOG_LEVEL: 2.20, the last for Python 3.9, forgot that.

    It would write two lines when the first session is made.
    """
    import ctypes  # only now: it may be hidden by a file of the user's, which find_impostor then names

    with contextlib.suppress(OSError, AttributeError, ValueError):  # another system, another version, another level
        library = ctypes.CDLL(f"{tensorflow.sysconfig.get_lib()}/libtensorflow_framework.so.2")
        library[SET_MIN_LOG_LEVEL](int(os.environ["TF_CPP_MIN_LOG_LEVEL"]))


def import_tensorflow():
    # TensorFlow 2 imports matplotlib, and with that it would fail on a back end of a name that matplotlib doesn't know
    backend = os.environ.pop("MPLBACKEND", None)
    try:
        import tensorflow.compat.v1 as tensorflow

        tensorflow.logging.set_verbosity(tensorflow.logging.ERROR)
        quieten_abseil(tensorflow)
    except Exception as error:  # not only ImportError: a protobuf or numpy that does not match raises others
        impostor = find_impostor(error)
        if impostor:
            raise NoTensorFlow(
                f"{impostor} is taken for the module of that name, which TensorFlow needs ({first_line(error)}): "
                f"rename it"
            )
        raise NoTensorFlow(how_to_install(first_line(error)))
    finally:
        if backend is not None:
            os.environ["MPLBACKEND"] = backend
    if backend and "matplotlib" in sys.modules:
        with contextlib.suppress(ValueError):  # the window's process will say what is wrong with it
            sys.modules["matplotlib"].rcParams["backend"] = backend
    return tensorflow


def find_impostor(error):
    """The path of a file or folder beside the script that hides a module of the same name, or None.

    Python looks into the script's folder first: a tensorflow.py there, or a random.py, is taken for the real one.
    error: the exception that it led to.
    """
    folder, *others = sys.path
    others = [place for place in others if isinstance(place, str) and os.path.abspath(place) != os.path.abspath(folder)]
    # by __dict__, as TensorFlow 1.15 has modules that import themselves when they are asked for a name
    loaded = [getattr(module, "__dict__", {}).get("__file__") or "" for module in list(sys.modules.values())]
    loaded += [frame.filename for frame in traceback.extract_tb(error.__traceback__)]  # it may have failed half-way
    for name in sorted(os.listdir(folder) if os.path.isdir(folder) else ()):
        path = os.path.join(os.path.abspath(folder), name)
        module, suffix = os.path.splitext(name)
        # a folder without __init__.py hides nothing, like .venv, from which all else is loaded
        is_loaded = (suffix == ".py" and path in loaded) or os.path.join(path, "__init__.py") in loaded
        if is_loaded and importlib.machinery.PathFinder.find_spec(module, others):
            return path
    return None


SMALL_NETWORK = 300_000  # weights; between one measured as faster on one thread (184,900) and one as slower (420,000)
AS_TENSORFLOW_LIKES, ONE, IN_THE_CALLING_THREAD = 0, 1, -1


def suit_threads_to(graph):
    """Has the sessions to come run on as many threads as suit a script's network, if the script has not chosen itself.

    To wake another thread takes 50 to 100 microseconds, as long as most operations of a small network take. So one
    without convolutions, and with few weights, is fastest on the one thread that calls session.run. Convolutions take
    all processors, one operation after the other; TensorFlow 1 is faster with its own way of doing two at a time.
    A graph without weights is not known yet: for that, and for a network that is neither, TensorFlow chooses.
    Has no effect on sessions that exist, and on those that get a config of their own.
    """
    settings = tf.config.threading
    now = settings.get_intra_op_parallelism_threads(), settings.get_inter_op_parallelism_threads()
    is_chosen = now != suit_threads_to.chosen
    if is_chosen or "TF_NUM_INTRAOP_THREADS" in os.environ or "TF_NUM_INTEROP_THREADS" in os.environ:
        return
    with graph.as_default():
        weights = sum(variable.shape.num_elements() or 0 for variable in tf.trainable_variables())
    convolves = any(operation.type == "Conv2D" for operation in graph.get_operations())
    within_one, of_several = AS_TENSORFLOW_LIKES, AS_TENSORFLOW_LIKES
    if 0 < weights < SMALL_NETWORK and not convolves:
        within_one, of_several = ONE, IN_THE_CALLING_THREAD
    elif weights and convolves and not tf.__version__.startswith("1."):
        of_several = IN_THE_CALLING_THREAD
    with contextlib.suppress(RuntimeError):  # TensorFlow computes eagerly already, with threads that stay
        settings.set_intra_op_parallelism_threads(within_one)
        settings.set_inter_op_parallelism_threads(of_several)
        suit_threads_to.chosen = within_one, of_several


suit_threads_to.chosen = AS_TENSORFLOW_LIKES, AS_TENSORFLOW_LIKES  # the last time, for the whole program

tf = import_tensorflow_quietly()
