"""Scripts that run while a test works on them, and scripts that need not import TensorFlow."""

import contextlib
import json
import re
import signal
import subprocess
import sys
import threading

from helpers import PATIENCE, ROOT, TIMEOUT, environment, wait_until


class Program:
    """A script that runs. Its output is read line by line as it comes.

    Its errors, and those of its windows, are part of the output, unless stderr is subprocess.PIPE.
    """

    def __init__(self, source, folder, name="script.py", stderr=subprocess.STDOUT, **changes):
        (folder / name).write_text(source, encoding="utf-8")
        self.env = environment(**changes)
        self.process = subprocess.Popen(
            [sys.executable, name],
            cwd=str(folder),
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=stderr,
            encoding="utf-8",
        )
        self.lines = []
        self.searched = 0  # so many of the lines were looked at by read_until
        self.reader = threading.Thread(target=lambda: self.lines.extend(iter(self.process.stdout.readline, "")))
        self.reader.start()

    def read_until(self, pattern):
        """Waits for a line, after the one that it found before, that has the pattern in it; returns the match."""

        def search():
            ended = not self.reader.is_alive()
            while self.searched < len(self.lines):
                self.searched += 1
                match = re.search(pattern, self.lines[self.searched - 1])
                if match:
                    return match
            return ended

        match = wait_until(search, f"a line {pattern!r} comes")
        assert match is not True, f"no line {pattern!r} in:\n{self.text()}"
        return match

    def text(self):
        return "".join(self.lines)

    def read_address(self):
        return self.read_until(r"^To view figure, visit (http://127\.0\.0\.1:\d+)").group(1)

    def press_ctrl_c(self):
        self.process.send_signal(signal.SIGINT)

    def end(self):
        """Waits for the end of it and of its windows; returns the output, the errors if they are apart, the status."""
        status = self.process.wait(timeout=PATIENCE)
        self.reader.join(timeout=PATIENCE)
        return self.text(), self.process.stderr.read() if self.process.stderr else "", status

    def stop(self):
        """Ends it, whatever state it is in, with its windows: those of finished trainings close at Ctrl-C only."""
        for _ in range(2):
            if self.process.poll() is None:
                self.press_ctrl_c()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self.process.wait(timeout=5)
        self.process.kill()
        self.process.wait()
        self.reader.join(timeout=PATIENCE)
        for stream in (self.process.stdout, self.process.stderr):
            if stream:
                stream.close()


class Forks:
    """Runs scripts, one at a time, in forks of a process that has imported TensorFlow and done nothing else.

    To import it takes 3 seconds, more than most tests need for all the rest. A fork has its own output, errors, exit
    status and threads, as any process has.
    """

    def __init__(self):
        self.process = subprocess.Popen(
            [sys.executable, str(ROOT / "tests" / "forks.py")],
            env=environment(OPENBLAS_NUM_THREADS="1"),  # a process that is to be forked has one thread
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )

    def run_script(self, source, folder, name="script.py", **changes):
        """As helpers.run_script; the changes of the environment come after the import of TensorFlow."""
        job = {name: str(folder / name) for name in ("stdout", "stderr")}
        job.update(script=str(folder / name), cwd=str(folder), changes=changes, timeout=TIMEOUT)
        (folder / name).write_text(source, encoding="utf-8")
        self.process.stdin.write(json.dumps(job) + "\n")
        self.process.stdin.flush()
        status = int(self.process.stdout.readline())
        outputs = [(folder / name).read_text(encoding="utf-8") for name in ("stdout", "stderr")]
        for name in ("stdout", "stderr"):
            (folder / name).unlink()  # there is nothing more in the folder than the script has made
        return subprocess.CompletedProcess(job["script"], status, *outputs)

    def close(self):
        self.process.communicate()
