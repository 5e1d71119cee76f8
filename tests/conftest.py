"""What all tests share: a folder of their own to work in, scripts to start, a screen, a browser."""

import importlib.util
import shutil
import signal

import pytest

from chromium import Browser
from helpers import TO_INSTALL, require, without_tensorflow
from made_up_run import picture, record  # noqa: F401
from programs import Forks, Program
from screens import xvfb

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # under nohup, or in a shell's background
    signal.signal(signal.SIGINT, signal.default_int_handler)  # what tests start gets the system's default with it


@pytest.fixture(autouse=True)
def working_folder(tmp_path, monkeypatch):
    """Nothing that a test leaves behind lies in the project's folder."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def folder(tmp_path):
    """A folder where scripts import TensorFlow in no time, since it is an empty package."""
    without_tensorflow(tmp_path)
    return tmp_path


@pytest.fixture
def start(folder):
    """A function that starts the source of a script, as a Program."""
    programs = []

    def start_program(source, name="script.py", **changes):
        programs.append(Program(source, folder, name, **changes))
        return programs[-1]

    yield start_program
    for program in programs:
        program.stop()


@pytest.fixture(scope="session")
def forks():
    """Runs scripts that need TensorFlow without the seconds that its import takes."""
    forks = Forks()
    yield forks
    forks.close()


@pytest.fixture(scope="session")
def screen():
    """The name of a display."""
    with xvfb("1440x900") as name:
        yield name


@pytest.fixture(params=["TkAgg", "QtAgg"])
def toolkit(request):
    if request.param == "QtAgg" and not importlib.util.find_spec("PySide6"):
        pytest.skip("needs the package PySide6")
    return request.param


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    pytest.importorskip("tornado")
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not program:
        require("chromium")
    browser = Browser(program, tmp_path_factory.mktemp("profile"))
    yield browser
    browser.close()


def pytest_unconfigure(config):
    """Says, below pytest's own last line, what to install to run the tests that were skipped."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    reasons = [report.longrepr[-1] for report in reporter.getreports("skipped")] if reporter else []
    programs = {name for reason in reasons for name in reason.partition(TO_INSTALL)[2].split(", ") if name}
    if programs:
        reporter.write_line(
            f"To run the skipped tests too, install {', '.join(sorted(programs, key=str.lower))}: "
            "on Debian and Ubuntu with 'apt install $(cat tests/packages.txt)'."
        )
