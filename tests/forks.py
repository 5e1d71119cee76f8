"""Scripts in processes that need not import TensorFlow first: forks of one that has, and has done nothing else.

To import it takes 3 seconds, more than most tests need for all the rest. A fork has its own output, errors, exit status
and threads, as any process has. Run as a program, this file is the process that is forked: a line of JSON on its
standard input names a script, the answer is a line with the script's exit status.
"""

import json
import os
import runpy
import signal
import subprocess
import sys

from helpers import TIMEOUT, environment


class Forks:
    """Starts the process that is forked, and has it run scripts, one at a time."""

    def __init__(self):
        self.process = subprocess.Popen(
            [sys.executable, __file__],
            env=environment(OPENBLAS_NUM_THREADS="1"),  # a process to be forked has to have a single thread
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )

    def run_script(self, source, folder, name="script.py", cwd=None, **changes):
        """As helpers.run_script; the changes of the environment come after the import of TensorFlow."""
        script, outputs = folder / name, [folder / "stdout", folder / "stderr"]
        script.write_text(source, encoding="utf-8")
        job = {"script": str(script), "cwd": str(cwd or folder), "outputs": list(map(str, outputs)), "changes": changes}
        self.process.stdin.write(json.dumps(job) + "\n")
        self.process.stdin.flush()
        status = int(self.process.stdout.readline())
        stdout, stderr = (path.read_text(encoding="utf-8") for path in outputs)
        for path in outputs:
            path.unlink()
        return subprocess.CompletedProcess(str(script), status, stdout, stderr)

    def close(self):
        self.process.communicate()


def become_a_fork():
    """Forks this process for each job that it reads; returns in each of the forks, with the name of its script."""
    for line in sys.stdin:
        job = json.loads(line)
        if os.fork() == 0:
            break
        _, status = os.wait()
        print(-(status & 127) or status >> 8, flush=True)
    else:
        sys.exit()
    signal.alarm(TIMEOUT)
    os.chdir(job["cwd"])
    os.environ.update(job["changes"])
    for number, path in enumerate([os.devnull, *job["outputs"]]):
        os.dup2(os.open(path, os.O_RDWR | os.O_CREAT), number)
    sys.argv[:] = [job["script"]]
    sys.path[0] = os.path.dirname(job["script"])
    return job["script"]


if __name__ == "__main__":
    import tensorflowvisu  # noqa: F401 I001  as the scripts do, which import it first
    import tensorflow.compat.v1  # noqa: F401

    runpy.run_path(become_a_fork(), run_name="__main__")
