"""What a place can show: a notebook, a console with windows of its own, a prompt."""

import sys
import types

import pytest

from visu.screen import chosen_backend, in_ipython, in_notebook, leads_to_prompt


@pytest.fixture(autouse=True)
def a_plain_program(monkeypatch):
    for name in ("IPython", "spyder_kernels", "idlelib.run"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.delenv("PYTHONINSPECT", raising=False)
    monkeypatch.delenv("MPLBACKEND", raising=False)


def places():
    return in_ipython(), in_notebook(), leads_to_prompt()


def test_a_notebook_shows_pictures_and_other_consoles_of_ipython_have_windows(monkeypatch):
    assert places() == (False, False, False)
    ipython = types.SimpleNamespace(get_ipython=lambda: None)
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    assert places() == (False, False, False)  # a library has imported it
    for terminal in (types.SimpleNamespace(), types.SimpleNamespace(kernel=None)):
        ipython.get_ipython = lambda shell=terminal: shell
        assert places() == (False, False, True)
    ipython.get_ipython = lambda: types.SimpleNamespace(kernel="a kernel")
    assert places() == (True, True, True)
    monkeypatch.setitem(sys.modules, "spyder_kernels", types.ModuleType("spyder_kernels"))
    assert places() == (True, False, True)


def test_a_variable_of_pythons_leads_to_a_prompt_too(monkeypatch):
    monkeypatch.setenv("PYTHONINSPECT", "1")
    assert places() == (False, False, True)


@pytest.mark.parametrize(
    "variable, backend",
    [("", None), ("TkAgg", "TkAgg"), ("module://ipykernel.pylab.backend_inline", None)],
)
def test_a_back_end_that_an_editor_chose_is_not_the_users(variable, backend, monkeypatch):
    assert chosen_backend() is None
    monkeypatch.setenv("MPLBACKEND", variable)
    assert chosen_backend() == backend
