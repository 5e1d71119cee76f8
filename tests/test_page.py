"""Training shown on a page in a browser (WebAgg), worked with keys and the mouse."""

import os
import re
import socket

import pytest

from helpers import FINISHED, LONG_TRAINING, NO_SCREEN, by_display, made_up_training, own_lines, wait_until
from screenshots import shows_nothing_but_red_digits, shows_panel_6_alone, shows_six_panels


@pytest.fixture
def start_with_page(start, browser):
    """Starts a script that is shown in a browser; returns it, and its page."""
    pages = []

    def start_program(source, name="script.py"):
        program = start(source, name, MPLBACKEND="WebAgg")
        pages.append(browser.open(program.read_address()))
        return program, pages[-1]

    yield start_program
    for page in pages:
        page.close()


def test_the_page_shows_six_panels_and_follows_the_training(start_with_page):
    _, page = start_with_page(LONG_TRAINING)
    first = page.picture()

    def differs_from_the_first(picture):
        return abs(picture - first).mean() > 0.005

    page.wait_until(differs_from_the_first)
    page.wait_until(shows_six_panels)


def test_when_training_has_finished_the_page_still_answers_keys_and_ctrl_c_ends_the_program(start_with_page):
    program, page = start_with_page(made_up_training(101))
    program.read_until(FINISHED)
    page.press("6")
    page.wait_until(shows_panel_6_alone)
    page.press("o")
    page.drag((0.4, 0.15), (0.5, 0.25))  # a box among the red digits
    page.wait_until(shows_nothing_but_red_digits)
    page.press("h")
    page.wait_until(shows_panel_6_alone)
    page.press("0")
    page.wait_until(shows_six_panels)
    program.press_ctrl_c()
    assert program.end()[-1] == 0


def test_space_in_the_page_pauses_the_training_and_it_goes_on_as_if_nothing_had_been(start_with_page, tmp_path, forks):
    source = made_up_training(201)
    waits_for_the_pause = source.replace(
        "    time.sleep",
        "    while i == 100 and not datavis.is_paused():\n"
        "        time.sleep(0.01)\n"
        "    if i >= 100:\n"
        "        print('iteration', i, flush=True)\n"
        "    time.sleep",
    )
    program, page = start_with_page(waits_for_the_pause)
    program.read_until("^100: ")
    page.press(" ")
    program.read_until("^iteration 100")
    page.press("6")
    page.wait_until(shows_panel_6_alone)
    page.press("0")
    page.wait_until(shows_six_panels)
    assert len(program.lines) == program.searched
    page.press(" ")
    program.read_until(FINISHED)
    program.press_ctrl_c()
    assert program.end()[-1] == 0
    assert own_lines(program.text()) == own_lines(forks.run_script(source, tmp_path).stdout)


def test_a_closed_page_does_not_disturb_the_training_and_can_be_opened_again(start, browser):
    program = start(LONG_TRAINING, MPLBACKEND="WebAgg")
    address = program.read_address()
    browser.open(address).close()
    for _ in range(5):
        program.read_until("test accuracy")
    browser.open(address).close()
    program.press_ctrl_c()
    assert program.end()[-1] == 130
    assert "Traceback" not in program.text()


def connection_to(address):
    """A connection as that of a page, which does not read what it gets."""
    host, port = address.split("/")[-1].split(":")
    connection = socket.create_connection((host, int(port)))
    connection.sendall(
        f"GET /1/ws HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
    )
    assert connection.recv(12) == b"HTTP/1.1 101"
    return connection


def message_from_page(text):
    """The bytes of it: its type, its length, a mask that changes nothing, and the text."""
    return bytes([0x81, 0x80 | len(text), 0, 0, 0, 0]) + text.encode()


def test_a_page_that_vanishes_while_pictures_are_sent_disturbs_neither_the_others_nor_the_terminal(start):
    pytest.importorskip("tornado")
    program = start(LONG_TRAINING, MPLBACKEND="WebAgg")
    address = program.read_address()
    program.read_until("test accuracy")
    with connection_to(address) as staying, connection_to(address) as closing:
        staying.sendall(10 * (message_from_page('{"type": "refresh"}') + message_from_page('{"type": "draw"}')))
        closing.close()
        for _ in range(3):
            program.read_until("test accuracy")
        program.press_ctrl_c()
        assert program.end()[-1] == 130
        assert "Traceback" not in program.text()


def test_q_in_the_page_ends_the_training_as_closing_a_window_does(start_with_page):
    program, page = start_with_page(LONG_TRAINING)
    page.press("q")
    assert program.end()[-1] == 0
    assert re.match(r"max test accuracy: 0\.\d+", program.lines[-1])


def test_ctrl_s_in_the_page_shows_the_picture_as_a_file(start_with_page, browser):
    _, page = start_with_page(LONG_TRAINING)
    address = page.value_of("location.href")
    page.press("s", modifiers=2)
    wait_until(lambda: f"{address}1/download.png" in browser.addresses(), "the file is shown")


def test_ctrl_c_ends_the_training_and_its_page(start_with_page):
    program, page = start_with_page(LONG_TRAINING)
    program.press_ctrl_c()
    assert program.end()[-1] == 130
    assert re.match(r"Stopped by Ctrl-C. Max test accuracy so far: 0\.\d+", program.lines[-1])
    page.wait_for_value("fetch(location.href).then(() => false, () => true)")  # nobody answers


def test_each_of_two_programs_announces_a_page_of_its_own(start_with_page):
    pages = {name: start_with_page(LONG_TRAINING, f"{name}.py")[1] for name in ("first", "second")}
    for name, page in pages.items():
        assert page.value_of("document.querySelector('.ui-dialog-title').textContent") == name


@pytest.fixture
def with_fake_browser(tmp_path):
    """What has to be in the environment for a browser that only notes the address, and the file with its note."""
    pytest.importorskip("tornado")
    if os.name != "posix":
        pytest.skip("the browser is a shell script")
    fake, note = tmp_path / "browser", tmp_path / "note"
    fake.write_text(f'#!/bin/sh\necho "$1" > "{note}.new" && mv "{note}.new" "{note}"\n')
    fake.chmod(0o755)
    return {"MPLBACKEND": "WebAgg", "BROWSER": str(fake)}, note


@by_display
def test_without_a_screen_no_browser_starts_in_the_terminal(start, with_fake_browser):
    changes, note = with_fake_browser
    program = start(LONG_TRAINING, **changes)
    program.read_address()
    program.read_until("^50: ")
    assert not note.exists()


def test_with_a_screen_the_page_opens_by_itself(start, with_fake_browser):
    changes, note = with_fake_browser
    start(LONG_TRAINING, DISPLAY=NO_SCREEN, **changes)
    wait_until(note.exists, "a browser is started")
    assert re.match(r"http://127\.0\.0\.1:\d+$", note.read_text())
