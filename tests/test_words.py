"""Sentences for a person: the first line of what an exception says, and lines that get through to somebody."""

import io
import sys
import types

import pytest

from visu.words import first_line, say


@pytest.mark.parametrize(
    "error, line",
    [
        (ValueError("no screen."), "no screen"),
        (ValueError("\n no screen: see 1.\nand much more."), "no screen: see 1"),
        (ValueError(), "ValueError"),
        (KeyError("x"), "'x'"),
        (RuntimeError(" \n"), "RuntimeError"),
    ],
)
def test_of_an_exception_the_first_line_is_told_or_its_kind(error, line):
    assert first_line(error) == line


class Broken(io.StringIO):
    def write(self, text):
        raise BrokenPipeError


@pytest.fixture
def closed():
    stream = io.StringIO()
    stream.close()
    return stream


def said(monkeypatch, output, errors, **options):
    monkeypatch.setattr(sys, "stdout", output)
    monkeypatch.setattr(sys, "stderr", errors)
    say("a sentence", **options)
    return [stream.getvalue() for stream in (output, errors) if type(stream) is io.StringIO and not stream.closed]


def test_a_sentence_is_said_once_on_standard_error_if_it_is_an_error_or_nobody_reads_the_output(monkeypatch, closed):
    assert said(monkeypatch, io.StringIO(), io.StringIO()) == ["a sentence\n", ""]
    assert said(monkeypatch, io.StringIO(), io.StringIO(), error=True) == ["", "a sentence\n"]
    for output in (None, closed, Broken()):
        assert said(monkeypatch, output, io.StringIO()) == ["a sentence\n"]
    for errors in (None, closed, Broken()):  # and if nobody reads the errors either, that ends nothing
        assert said(monkeypatch, Broken(), errors) == []
        assert said(monkeypatch, io.StringIO(), errors, error=True) == [""]


def test_what_an_output_has_no_letters_for_is_said_with_escapes_and_at_once(monkeypatch):
    content = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(content, "ascii", newline="\n"))
    say("zwölf 数")
    assert content.getvalue() == b"zw\\xf6lf \\u6570\n"
    written = []  # by what an editor may have put there, which says nothing of its letters
    monkeypatch.setattr(sys, "stdout", types.SimpleNamespace(write=written.append, flush=lambda: None))
    say("zwölf 数")
    assert "".join(written) == "zwölf 数\n"
