"""The workflow for three systems runs README's commands, word by word; a window opens on macOS and on Windows."""

import re
import sys

import pytest

from helpers import FINISHED, PATIENCE, ROOT, made_up_training

README = (ROOT / "README.md").read_text(encoding="utf-8")
WORKFLOW = (ROOT / ".github" / "workflows" / "three_systems.yml").read_text(encoding="utf-8")
COMMAND = re.compile(r"(?m)^ +((?:python3 -m venv|py -m venv|\.venv\\Scripts\\).*)$")


def test_the_workflow_runs_the_commands_of_readme():
    start = README.partition("## Ten words")[0]
    assert len(COMMAND.findall(start)) == 7
    assert sorted(COMMAND.findall(WORKFLOW)) == sorted(COMMAND.findall(start))


def test_the_workflow_has_the_oldest_and_the_newest_python_on_each_system():
    pythons = re.findall(r'system: (\w+)-\S+, python: "([\d.]+)"', WORKFLOW)
    newest = re.search(r"Python 3\.8 to (3\.\d+)", README).group(1)
    assert pythons == [(system, python) for system in ("ubuntu", "macos", "windows") for python in (newest, "3.7")]


@pytest.mark.skipif(sys.platform.startswith("linux"), reason="on Linux, tests/test_drawing_window.py opens windows")
@pytest.mark.parametrize("backend", ["TkAgg", "macosx"])
def test_a_window_of_the_systems_own_opens_and_stays(backend, start):
    if backend == "macosx" and sys.platform != "darwin":
        pytest.skip("macOS alone has macosx")
    program = start(made_up_training(101), MPLBACKEND=backend)
    program.read_until(FINISHED)
    assert "No window" not in program.text()
    program.process.terminate()  # and its window's process ends with it
    program.process.wait(timeout=PATIENCE)
