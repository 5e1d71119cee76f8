"""A script that runs while a test works on it."""

import contextlib
import re
import signal
import subprocess
import sys
import threading

from helpers import PATIENCE, environment, wait_until


class Program:
    """Its output is read line by line as it comes.

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
