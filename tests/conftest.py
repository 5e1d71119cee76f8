"""What all tests share: a folder of their own to work in, scripts to start, a screen, a browser."""

import os
import shutil
import signal

import numpy as np
import pytest

import mnistdata
import trainings
from chromium import Browser
from helpers import ROOT, TO_INSTALL, idx, link, require, without_tensorflow
from made_up_run import picture, record  # noqa: F401
from programs import Forks, Program
from screens import xvfb

# Their tests share what takes seconds to make, so they run in one process. By file, and not by the mark xdist_group:
# pytest-xdist 3.8 writes that into a test's id, and pytest 9.2 keeps the id elsewhere, so that nothing comes of it.
TOGETHER = ("test_trainer.py", "test_predict.py")
TOGETHER_BY_STAGE = ("test_scripts.py",)  # the tests of one stage each
MOST_PROCESSES = 8  # more of them wait for the longest test
MEMORY = 2 << 30  # bytes for each

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
def start(tmp_path, forks):
    """A function that starts the source of a script, as a Program."""
    programs = []

    def start_program(source, name="script.py", **changes):
        programs.append(Program(source, tmp_path, name, start=forks.start, **changes))
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
def shortened_tests(tmp_path_factory):
    """A folder of the training digits, and of the first 1,000 test digits only."""
    folder = tmp_path_factory.mktemp("digits")
    for path in (ROOT / "data").glob("*.gz"):
        if path.name.startswith("train"):
            link(path, folder / path.name)
    test = mnistdata.read_data_sets(str(ROOT / "data"), reshape=False, dtype=np.uint8).test
    (folder / "t10k-images-idx3-ubyte").write_bytes(idx(test.images[:1000, ..., 0]))
    (folder / "t10k-labels-idx1-ubyte").write_bytes(idx(test.labels[:1000]))
    return folder


@pytest.fixture(scope="session")
def few_digits(tmp_path_factory):
    """A folder of digits that is read in no time."""
    folder = tmp_path_factory.mktemp("few") / "data"
    trainings.few_digits(folder)
    return folder


@pytest.fixture
def few_test_digits(tmp_path, shortened_tests):
    """Scripts in tmp_path test on 1,000 digits, which is enough where no more than the first digit of it matters."""
    (tmp_path / "data").mkdir()
    for path in shortened_tests.iterdir():
        link(path, tmp_path / "data" / path.name)


@pytest.fixture(scope="session")
def screen():
    """The name of a display."""
    with xvfb("1440x900") as name:
        yield name


@pytest.fixture
def signals_stay():
    """What signals do is the same again after a test in which a program's function chooses that."""
    names = ("SIGINT", "SIGTERM", "SIGUSR1")
    before = {getattr(signal, name): signal.getsignal(getattr(signal, name)) for name in names if hasattr(signal, name)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture(params=["TkAgg", "QtAgg"])
def toolkit(request):
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


def pytest_xdist_auto_num_workers(config):
    """One process for each processor and one more, as many tests wait; each has a screen, a browser, a TensorFlow."""
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 8 << 30
    return max(1, min(processors + 1, MOST_PROCESSES, memory // MEMORY))


def pytest_collection_modifyitems(items):
    """The slow tests begin first, so that none of them is left at the end, and alone."""
    items.sort(key=lambda item: not item.get_closest_marker("slow"))


def pytest_xdist_make_scheduler(config, log):
    from xdist.scheduler import LoadScopeScheduling

    class Scheduling(LoadScopeScheduling):
        """A test is done where there is time for it, those that stand together where the first of them was."""

        def _split_scope(self, nodeid):
            file = nodeid.partition("::")[0]
            if file.endswith(TOGETHER):
                return file
            stage = nodeid.partition("[mnist_")[2]
            return file + stage if file.endswith(TOGETHER_BY_STAGE) and stage else nodeid

    return Scheduling(config, log)


@pytest.fixture(scope="session")
def made_once(tmp_path_factory):
    """A function for what is made once in a run of all tests: it fails if that is made in a second process, too."""

    def note(name):
        run = os.environ.get("PYTEST_XDIST_TESTRUNUID")
        if run:
            try:
                (tmp_path_factory.getbasetemp().parent / f"{name}-{run}").open("x").close()
            except FileExistsError:
                pytest.fail(f"{name} is made in two processes: see TOGETHER in tests/conftest.py")

    return note


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
