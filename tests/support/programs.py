"""Programs as tests start them: each a process of its own, or a fork of one that has imported TensorFlow already."""

import contextlib
import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

import pytest

from helpers import PATIENCE, ROOT, TIMEOUT, environment, wait_until


def start(command, folder, stderr=subprocess.PIPE, **changes):
    """Starts Python with a command line, in a folder and a changed environment; returns the process."""
    return subprocess.Popen(
        [sys.executable, *command],
        cwd=str(folder),
        env=environment(**changes),
        stdout=subprocess.PIPE,
        stderr=stderr,
        encoding="utf-8",
    )


def run(command, folder, start=start, **changes):
    """Runs Python with a command line to its end; returns the process, with its outputs as text."""
    process = start(command, folder, **changes)
    outputs = process.communicate(timeout=TIMEOUT)
    return subprocess.CompletedProcess(command, process.returncode, *outputs)


class Forks:
    """Starts programs as forks of a process that has imported TensorFlow and matplotlib: see forks.py.

    To import them takes 3 seconds, more than most tests need for all the rest. A fork has its own output, errors, exit
    status and threads, as any process has. What Python, TensorFlow and matplotlib read as they are imported it has from
    the process that it is a fork of; a program with an environment that differs there gets a process of its own. So
    does each program on other systems than Linux.
    """

    READ_AT_IMPORT = ("PYTHON", "TF_", "MPLCONFIG", "OPENBLAS", "HOME")

    def __init__(self, before=()):
        """before: a command that starts others, in a network of their own for example."""
        self.process, self.folder = None, tempfile.mkdtemp()
        self.numbers = itertools.count()
        self.answered = threading.Condition()
        self.answers = {}  # of a name of a program: its process; of that: its status
        if sys.platform.startswith("linux"):
            self.process = subprocess.Popen(
                [*before, sys.executable, str(ROOT / "tests" / "support" / "forks.py")],
                env=environment(OPENBLAS_NUM_THREADS="1"),  # a process that is to be forked has one thread
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                encoding="utf-8",
                start_new_session=True,  # Ctrl-C is for the tests, which then stop what they started
            )
            threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        for line in self.process.stdout:
            key, value = json.loads(line)
            with self.answered:
                self.answers[key] = value
                self.answered.notify_all()
        with self.answered:
            self.process.wait()
            self.answered.notify_all()

    def answer(self, key, timeout=None):
        """What was answered about a program, once, or None, if that does not come in time."""
        with self.answered:
            self.answered.wait_for(lambda: key in self.answers or self.process.returncode is not None, timeout)
            assert key in self.answers or self.process.returncode is None, "the process that is forked has ended"
            return self.answers.pop(key, None)  # a later program may have the same number

    def ask(self, job):
        """Asks for a program; returns the number of its process."""
        with self.answered:
            self.process.stdin.write(json.dumps(job) + "\n")
            self.process.stdin.flush()
        return self.answer(job["name"])

    def start(self, command, folder, stderr=subprocess.PIPE, **changes):
        """As the function start."""
        if not self.process or any(name.startswith(self.READ_AT_IMPORT) for name in changes):
            return start(command, folder, stderr, **changes)
        return Fork(self, command, folder, stderr, environment(**changes))

    def run_script(self, source, folder, name="script.py", **changes):
        """As helpers.run_script."""
        (folder / name).write_text(source, encoding="utf-8")
        return run([name], folder, self.start, **changes)

    def close(self):
        if self.process:
            self.process.stdin.close()
            self.process.wait()
        shutil.rmtree(self.folder)


class Fork:
    """A program in a fork, with what subprocess.Popen has for those who work with it."""

    def __init__(self, forks, command, folder, stderr, env):
        self.forks, self.returncode = forks, None
        name = f"program {next(forks.numbers)}"
        pipes = [os.path.join(forks.folder, f"{name} {stream}") for stream in ("stdout", "stderr")]
        if stderr == subprocess.STDOUT:
            del pipes[1]
        read_ends = []
        for pipe in pipes:
            os.mkfifo(pipe)
            read_ends.append(os.open(pipe, os.O_RDONLY | os.O_NONBLOCK))  # and do not wait for the other end
        job = {"name": name, "command": command, "cwd": str(folder), "env": env}
        self.pid = forks.ask(dict(job, streams=[pipes[0], pipes[-1]]))
        for pipe, read_end in zip(pipes, read_ends):
            os.set_blocking(read_end, True)
            os.remove(pipe)
        streams = [os.fdopen(read_end, encoding="utf-8", errors="replace") for read_end in read_ends]
        self.stdout, self.stderr = streams if len(streams) == 2 else (*streams, None)

    def poll(self):
        if self.returncode is None:
            self.returncode = self.forks.answer(self.pid, timeout=0)
        return self.returncode

    def wait(self, timeout=None):
        if self.returncode is None:
            self.returncode = self.forks.answer(self.pid, timeout)
        if self.returncode is None:
            raise subprocess.TimeoutExpired("a program in a fork", timeout)
        return self.returncode

    def send_signal(self, number):
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self):
        self.send_signal(signal.SIGKILL)

    def terminate(self):
        self.send_signal(signal.SIGTERM)

    def communicate(self, timeout=None):
        """All that it says: the output and, if they are apart, the errors."""
        texts = [None, None]

        def read(place, stream):
            texts[place] = stream.read()

        streams = [(place, stream) for place, stream in enumerate((self.stdout, self.stderr)) if stream]
        readers = [threading.Thread(target=read, args=each, daemon=True) for each in streams]
        for reader in readers:
            reader.start()
        self.wait(timeout)
        for reader in readers:
            reader.join(timeout)
        for _, stream in streams:
            stream.close()
        return tuple(texts)


class Program:
    """A script that runs. Its output is read line by line as it comes.

    Its errors, and those of its windows, are part of the output, unless stderr is subprocess.PIPE. start: what starts
    it, programs.start or that of Forks.
    """

    def __init__(self, source, folder, name="script.py", stderr=subprocess.STDOUT, start=start, **changes):
        (folder / name).write_text(source, encoding="utf-8")
        self.env = environment(**changes)
        self.process = start([name], folder, stderr, **changes)
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
        if os.name != "posix":
            pytest.skip("Windows sends Ctrl-C to all programs of a console, and not to one")
        self.process.send_signal(signal.SIGINT)

    def end(self):
        """Waits for the end of it and of its windows; returns the output, the errors if they are apart, the status."""
        try:
            status = self.process.wait(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.send_signal(getattr(signal, "SIGUSR1", signal.SIGTERM))  # a fork says where its threads are
            time.sleep(1)
            pytest.fail(f"does not end:\n{self.text()}")
        self.reader.join(timeout=PATIENCE)
        return self.text(), self.process.stderr.read() if self.process.stderr else "", status

    def stop(self):
        """Ends it, whatever state it is in, with its windows: those of finished trainings close at Ctrl-C only."""
        for _ in range(2 if os.name == "posix" else 0):
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
