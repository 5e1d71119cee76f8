"""tensorflowsetup.py: what is set before TensorFlow is imported, its logs, and what is said where it can't be used."""

import ctypes
import os
import platform
import signal
import subprocess
import sys
import types

import pytest

import tensorflowsetup
from helpers import run_script, unix_signals, without_tensorflow
from tensorflowsetup import (
    STARTED_FOR_US,
    STARTUP_LOG_FILTER,
    NoTensorFlow,
    find_impostor,
    first_line,
    how_to_install,
    import_tensorflow,
    import_tensorflow_quietly,
    prefer_onednn,
    quieten_abseil,
    tell_in_one_sentence,
)

PROGRAMS = ".venv\\Scripts\\" if os.name == "nt" else ".venv/bin/"

# -- what is said


@pytest.mark.parametrize(
    "error, line",
    [
        (ValueError("\n The first line.\nAnd much more."), "The first line"),
        (ImportError("version 2.1 of it, not 1.0"), "version 2.1 of it, not 1.0"),
        (TypeError(), "TypeError"),
        (KeyError, "<class 'KeyError'>"),
    ],
)
def test_an_error_is_told_by_its_first_line_or_its_name(error, line):
    assert first_line(error) == line


@pytest.mark.parametrize(
    "version, bits, is_too_old_or_new",
    [
        ((3, 6), 64, True),
        ((3, 7), 64, False),
        ((3, 10), 64, False),
        ((3, 13), 64, False),
        ((3, 13), 32, True),
        ((3, 14), 64, True),
    ],
)
def test_how_to_get_tensorflow_is_told_with_this_python_and_the_reason(version, bits, is_too_old_or_new, monkeypatch):
    with monkeypatch.context() as other_python:
        other_python.setattr(sys, "version_info", (*version, 1))
        other_python.setattr(sys, "maxsize", 2 ** (bits - 1) - 1)
        sentence = how_to_install("why")
    remedy = f"install it with '{PROGRAMS}pip install -r requirements.txt' and use {PROGRAMS}python"
    if is_too_old_or_new:
        remedy = "requirements.txt brings it for 64-bit Python 3.7 to 3.13; install one of these, create .venv again "
        remedy += f"with it, and use {PROGRAMS}python"
    assert sentence == (
        f"TensorFlow can't be used with {sys.executable}, Python {version[0]}.{version[1]} (why): {remedy}, as "
        f"install.txt describes"
    )


def not_found(name):
    return ModuleNotFoundError(f"No module named {name!r}.", name=name)


@pytest.mark.parametrize("error", [not_found("tensorflow"), not_found("tensorflow.compat"), NoTensorFlow("why")])
def test_that_tensorflow_cannot_be_imported_is_told_in_one_sentence(error, capsys):
    tell_in_one_sentence(type(error), error, None, otherwise=None)
    sentence = "why" if isinstance(error, NoTensorFlow) else how_to_install(f"No module named {error.name!r}")
    assert capsys.readouterr() == ("", f"{sentence}\n")


@pytest.mark.parametrize(
    "error",
    [not_found("tensorflow_datasets"), ModuleNotFoundError("none"), ImportError("why", name="tensorflow"), KeyError(1)],
)
def test_other_errors_are_told_as_they_always_are(error, capsys):
    told = []
    tell_in_one_sentence(type(error), error, "where", otherwise=lambda *what: told.append(what))
    assert told == [(type(error), error, "where")] and capsys.readouterr() == ("", "")


def test_a_program_that_was_started_as_python_is_named(monkeypatch):
    monkeypatch.setenv(STARTED_FOR_US, "1")
    with pytest.raises(SystemExit) as end:
        import_tensorflow_quietly()
    assert end.value.code == (
        f"{sys.executable} was started as Python, to filter logs or to draw, and is another program"
    )


@pytest.fixture
def hiding(tmp_path, monkeypatch):
    """A function that has a module loaded from a file beside the script, and returns what is taken for another one."""
    beside, packages = tmp_path / "beside", tmp_path / "packages"
    for name in ("words.py", "deep/__init__.py", "venv/__init__.py"):
        for folder in (beside, packages):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text("")
    (beside / "mine.py").write_text("")
    (beside / "venv").rename(beside / ".venv")
    monkeypatch.setattr(sys, "path", [str(beside), str(packages), str(beside)])  # again, as some editors add it

    def found(name):
        monkeypatch.setitem(sys.modules, "loaded", types.SimpleNamespace(__file__=str(beside / name)))
        monkeypatch.setitem(sys.modules, "has no file", types.SimpleNamespace(__file__=None))
        path = find_impostor(ValueError())
        return path and os.path.relpath(path, str(beside))

    return found


@pytest.mark.parametrize(
    "loaded, named",
    [
        ("words.py", "words.py"),
        ("deep/__init__.py", "deep"),
        ("mine.py", None),  # no other module has this name
        ("words.txt", None),
        (".venv/site-packages/numpy/__init__.py", None),  # though Python has a module venv
        ("../packages/words.py", None),
    ],
)
def test_a_file_or_folder_beside_the_script_is_named_if_it_is_loaded_in_place_of_another(loaded, named, hiding):
    assert hiding(loaded) == named


@pytest.mark.parametrize("folder", ["", "no such folder"])
def test_where_no_folder_comes_first_nothing_hides_a_module(folder, hiding, monkeypatch):
    monkeypatch.setattr(sys, "path", [folder, *sys.path])
    assert hiding("words.py") is None


# -- what is set


ONEDNN = {"TF_ENABLE_ONEDNN_OPTS": "1", "TF_MKL_OPTIMIZE_PRIMITIVE_MEMUSE": "false"}


@pytest.fixture
def onednn(monkeypatch, capsys):
    """A function that chooses oneDNN on some machine; returns the environment after that, and what was said."""

    def choose(machine, environment, version=None):
        """version: of TensorFlow, if it has been imported already."""
        with monkeypatch.context() as there:
            there.setattr(platform, "machine", lambda: machine)
            there.setattr(os, "environ", environment)
            there.setitem(sys.modules, "tensorflow", types.SimpleNamespace(__version__=version))
            if not version:
                there.delitem(sys.modules, "tensorflow")
            prefer_onednn()
        printed, said = capsys.readouterr()
        assert printed == ""
        return environment, said

    return choose


@pytest.mark.parametrize("machine, expected", [("x86_64", ONEDNN), ("AMD64", ONEDNN), ("arm64", {}), ("aarch64", {})])
def test_onednn_is_chosen_on_intel_and_amd(machine, expected, onednn):
    assert onednn(machine, {}) == (expected, "")


@pytest.mark.parametrize("name", ONEDNN)
def test_what_a_user_has_set_for_onednn_stays(name, onednn):
    assert onednn("x86_64", {name: "mine"}) == ({**ONEDNN, name: "mine"}, "")


@pytest.mark.parametrize(
    "machine, environment, version, is_said",
    [
        ("x86_64", {}, "2.12.0", True),
        ("x86_64", {}, "1.15.5", False),
        ("arm64", {}, "2.12.0", False),
        ("x86_64", {"TF_ENABLE_ONEDNN_OPTS": "0"}, "2.12.0", False),
    ],
)
def test_it_is_said_if_it_is_too_late_to_choose_onednn(machine, environment, version, is_said, onednn):
    sentence = (
        "tensorflowvisu was imported after TensorFlow, too late to choose its faster convolutions: import "
        "tensorflowvisu first, or set TF_ENABLE_ONEDNN_OPTS=1 in the environment.\n"
    )
    assert onednn(machine, dict(environment), version) == (environment, sentence if is_said else "")


@pytest.fixture
def tensorflow(monkeypatch):
    """A TensorFlow in place of the real one, and matplotlib as if it had been imported with it."""
    v1 = types.SimpleNamespace(
        logging=types.SimpleNamespace(ERROR="errors", set_verbosity=lambda level: None),
        sysconfig=types.SimpleNamespace(get_lib=lambda: "lib"),
    )
    compat = types.SimpleNamespace(v1=v1)
    modules = {"tensorflow": types.SimpleNamespace(compat=compat), "tensorflow.compat": compat}
    modules.update({"tensorflow.compat.v1": v1, "matplotlib": types.SimpleNamespace(rcParams={})})
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "3")
    return v1


def test_while_tensorflow_is_imported_no_back_end_is_set_and_then_it_is_the_users_again(tensorflow, monkeypatch):
    seen = []
    monkeypatch.setenv("MPLBACKEND", "svg")
    tensorflow.logging.set_verbosity = lambda level: seen.append((level, "MPLBACKEND" in os.environ))
    assert import_tensorflow() is tensorflow
    assert seen == [("errors", False)]
    assert (os.environ["MPLBACKEND"], sys.modules["matplotlib"].rcParams) == ("svg", {"backend": "svg"})


def test_a_back_end_that_matplotlib_does_not_know_does_not_end_the_import(tensorflow, monkeypatch):
    class RcParams(dict):
        def __setitem__(self, name, value):
            raise ValueError(f"{value} is no back end")

    monkeypatch.setenv("MPLBACKEND", "nonsense")
    sys.modules["matplotlib"].rcParams = RcParams()
    assert import_tensorflow() is tensorflow


@pytest.mark.parametrize("impostor", [None, "mine/random.py"])
def test_a_tensorflow_that_fails_is_told_with_the_reason_and_leaves_the_back_end(impostor, tensorflow, monkeypatch):
    def fail(level):
        raise RuntimeError("Why it fails.\nAnd much more")

    monkeypatch.setenv("MPLBACKEND", "svg")
    monkeypatch.setattr(tensorflowsetup, "find_impostor", lambda error: impostor)
    tensorflow.logging.set_verbosity = fail
    with pytest.raises(ImportError) as failure:
        import_tensorflow()
    assert str(failure.value) == (
        f"{impostor} is taken for the module of that name, which TensorFlow needs (Why it fails): rename it"
        if impostor
        else how_to_install("Why it fails")
    )
    assert os.environ["MPLBACKEND"] == "svg"


def test_the_library_for_logs_gets_the_level_where_it_is_there(tensorflow, monkeypatch):
    levels = []

    def load(path):
        assert path == "lib/libtensorflow_framework.so.2"
        return {tensorflowsetup.SET_MIN_LOG_LEVEL: levels.append}

    monkeypatch.setattr(ctypes, "CDLL", load)
    for level in ("3", "1", "high"):
        monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", level)
        quieten_abseil(tensorflow)
    assert levels == [3, 1]


@pytest.mark.parametrize("error", [OSError, AttributeError])  # no such file, nothing of that name in it
def test_another_library_for_logs_is_no_hindrance(error, tensorflow, monkeypatch):
    def load(path):
        raise error

    monkeypatch.setattr(ctypes, "CDLL", load)
    quieten_abseil(tensorflow)


# -- the logs of its start

LOGS = "I0000 a log\n2026 W tensorflow: another log\n"
AFTER_THE_IMPORT = """
import os, sys, tensorflowsetup
print("E0000 of the script's own", file=sys.stderr)
try:
    print(os.waitpid(-1, os.WNOHANG), "still runs")
except ChildProcessError:
    print("no other process")
"""


@pytest.mark.skipif(os.name != "posix", reason="asks for processes as Unix does")
@pytest.mark.parametrize("level, shown", [("3", LOGS.splitlines(True)[1]), ("0", LOGS)])
def test_logs_are_left_out_while_tensorflow_is_imported_unless_the_user_wants_all(level, shown, tmp_path):
    without_tensorflow(tmp_path)
    (tmp_path / "tensorflow" / "__init__.py").write_text(f"import os\nos.write(2, {LOGS!r}.encode())\n")
    process = run_script(AFTER_THE_IMPORT, tmp_path, TF_CPP_MIN_LOG_LEVEL=level)
    assert process.stderr == f"{shown}E0000 of the script's own\n"
    assert process.stdout == "no other process\n"


@unix_signals
def test_ctrl_c_does_not_end_what_leaves_out_the_logs():
    log_filter = subprocess.Popen(
        [sys.executable, "-S", "-c", STARTUP_LOG_FILTER], stdin=subprocess.PIPE, stderr=subprocess.PIPE
    )
    log_filter.stdin.write(b"W0000 a log\nit is there\n")
    log_filter.stdin.flush()
    assert log_filter.stderr.readline() == b"it is there\n"
    log_filter.send_signal(signal.SIGINT)
    assert log_filter.communicate(b"last words\n") == (None, b"last words\n")
    assert log_filter.returncode == 0
