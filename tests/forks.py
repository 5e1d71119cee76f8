"""A process that has imported TensorFlow, as the scripts do it, and is forked to run each of them: see programs.Forks.

A line of JSON on standard input names the script, the folder to run it in, the files for its output and its errors and
the changes of the environment; the answer is a line with its exit status. There is nothing else in this process that a
script would not have.
"""

import tensorflowvisu  # noqa: F401 I001  which comes first, see there
import tensorflow.compat.v1  # noqa: F401

import json
import os
import runpy
import signal
import sys


def become_a_fork():
    """Forks this process for each job that it reads; returns in each of the forks, with the job."""
    for line in sys.stdin:
        if os.fork() == 0:
            return json.loads(line)
        _, status = os.wait()
        print(-(status & 127) or status >> 8, flush=True)
    sys.exit()


job = become_a_fork()
signal.alarm(job["timeout"])
os.chdir(job["cwd"])
os.environ.update(job["changes"])
for number, path in enumerate([os.devnull, job["stdout"], job["stderr"]]):
    os.dup2(os.open(path, os.O_RDWR | os.O_CREAT), number)
sys.argv[:] = [job["script"]]
sys.path[0] = os.path.dirname(job["script"])
runpy.run_path(job["script"], run_name="__main__")
