"""A process that has imported what takes seconds, TensorFlow and matplotlib, and is forked for each program.

A line of JSON on standard input describes a program, a line on standard output answers with the number of its process,
and another one, when it has ended, with its status: see programs.Forks. The process that draws, which a program starts,
is a fork of that. There is nothing in a fork that the program, or what draws, would not have imported itself, but for
the digits of the folder data: they have been read.
"""

import tensorflowvisu  # noqa: F401 I001  which comes first, see there
import tensorflow.compat.v1  # noqa: F401

import atexit
import contextlib
import faulthandler
import gc
import importlib
import json
import os
import pkgutil
import runpy
import select
import signal
import subprocess
import sys
import traceback
import warnings

import mnistdata
import visu.drawing

DATA = os.path.join(os.path.dirname(mnistdata.__file__), "data")


def import_what_draws():
    """Imports the rooms of visu.drawing, and lets matplotlib find its fonts."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    for module in pkgutil.iter_modules(visu.drawing.__path__, "visu.drawing."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    figure = Figure()
    figure.add_subplot().set_title("fonts")
    FigureCanvasAgg(figure).draw()


def remember_the_digits():
    """Reads the folder data once, as each program would read the same."""
    read_pair, known = mnistdata.read_pair, {}

    def remembered(paths, images, labels, *how):
        files = [os.path.realpath(str(paths[name])) for name in (images, labels)]
        key = (*files, *how)
        if key not in known and {os.path.dirname(file) for file in files} == {DATA}:
            known[key] = read_pair(paths, images, labels, *how)
        return known[key] if key in known else read_pair(paths, images, labels, *how)

    mnistdata.read_pair = remembered
    mnistdata.read_data_sets(DATA, one_hot=True)


def serve(jobs, answers):
    """Forks this process for each job that comes; returns in each of the forks, with the job."""
    ended, noted = os.pipe()
    os.set_blocking(noted, False)
    former = signal.signal(signal.SIGCHLD, lambda number, frame: None)
    signal.set_wakeup_fd(noted)
    waiting, running = b"", set()
    while True:
        ready, _, _ = select.select([jobs, ended], [], [])
        if ended in ready:
            os.read(ended, 1000)
            running.difference_update(answer_ends(answers))
        if jobs in ready:
            came = os.read(jobs, 100000)
            if not came:  # the tests have ended, whatever ended them
                for process in running:
                    os.kill(process, signal.SIGKILL)
                sys.exit()
            *lines, waiting = (waiting + came).split(b"\n")
            for job in map(json.loads, lines):
                streams = [os.open(os.devnull, os.O_RDONLY), *(os.open(path, os.O_WRONLY) for path in job["streams"])]
                process = os.fork()
                if process == 0:
                    signal.set_wakeup_fd(-1)
                    signal.signal(signal.SIGCHLD, former)
                    for number, stream in enumerate(streams):
                        os.dup2(stream, number)
                    os.closerange(3, max(streams) + 1)
                    return job
                for stream in streams:
                    os.close(stream)
                running.add(process)
                answer(answers, job["name"], process)


def answer_ends(answers):
    """Answers for all that have ended; yields their processes."""
    with contextlib.suppress(ChildProcessError):  # there is none any more
        process, status = os.waitpid(-1, os.WNOHANG)
        while process:
            answer(answers, process, -(status & 127) or status >> 8)
            yield process
            process, status = os.waitpid(-1, os.WNOHANG)


def answer(answers, key, value):
    os.write(answers, json.dumps([key, value]).encode() + b"\n")


class Popen(subprocess.Popen):
    """Starts programs; one that is a folder of Python's, the process that draws, as a fork of this process."""

    def __init__(self, command, *more, env=None, **options):
        python, *flags, program = command
        is_folder = python == sys.executable and all(flag[0] == "-" for flag in flags) and os.path.isdir(program)
        if is_folder and "MPLBACKEND" not in (env or os.environ):  # which matplotlib would read when it is imported
            options["preexec_fn"] = lambda: run_folder(program, env)  # and never gets to the program itself
        super().__init__(command, *more, env=env, **options)


def status_of(end):
    """The status that SystemExit gives a program."""
    return end.code if isinstance(end.code, int) else int(end.code is not None)


def run_folder(folder, env):
    """Runs it in this process, to its end."""
    status = 0
    try:
        for number in map(int, os.listdir("/proc/self/fd")):
            if number > 2:
                with contextlib.suppress(OSError):
                    os.close(number)  # it would not survive the start of another program
        if env is not None:
            os.environ.clear()
            os.environ.update(env)
        sys.argv[:] = [folder]
        sys.modules.pop("matplotlib.pyplot", None)  # TensorFlow's; on import it looks which back end can work here
        for number in (signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(number, signal.SIG_IGN)  # as Python does when it starts
        warnings.filterwarnings("ignore", "Starting a Matplotlib GUI outside of the main thread")
        runpy.run_path(folder, run_name="__main__")
    except SystemExit as end:
        status = status_of(end)
    except BaseException:
        traceback.print_exc()
        status = 1
    finally:
        sys.stderr.flush()
        os._exit(status)


import_what_draws()
remember_the_digits()
streams = [os.dup(number) for number in (0, 1)]
gc.collect()
gc.freeze()
job = serve(*streams)
os.setsid()
os.chdir(job["cwd"])
settings_of_tensorflow = {name: value for name, value in os.environ.items() if name.startswith("TF_")}
os.environ.clear()
os.environ.update({**settings_of_tensorflow, **job["env"]})  # as tensorflowvisu would have set them
subprocess.Popen = Popen
sys.argv[:] = job["command"]
faulthandler.register(signal.SIGUSR1)  # of a program that does not end, the test shows what its threads do
status = 0


def leave_at_once():
    """Ends the program when it has done all that it had to: to take down TensorFlow's modules takes a while, too."""
    if status is not None:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


atexit.register(leave_at_once)  # the first of them is called as the last
try:
    if sys.argv[0] == "-m":
        del sys.argv[0]
        sys.path[0] = os.getcwd()
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
    else:
        sys.path[0] = os.path.dirname(os.path.abspath(sys.argv[0]))
        runpy.run_path(sys.argv[0], run_name="__main__")
except SystemExit as end:
    status = status_of(end)
    raise
except KeyboardInterrupt:
    status = None  # which the interpreter makes the signal
    raise
except BaseException:
    status = 1
    raise
