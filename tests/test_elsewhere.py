"""Training where there is no ordinary window: in a browser, in notebooks, with back ends that can't be loaded."""

import asyncio
import base64
import contextlib
import datetime
import io
import json
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

import matplotlib.image
import pytest

from compare_stages import with_iterations
from helpers import ROOT, STAGES, environment, made_up_training, run_script, stage_source, without_tensorflow

PATIENCE = 60  # seconds after which something hangs
NO_SCREEN = ":987"  # the name of a display that is not there
LONG = made_up_training(20000, seconds=0.01)
FINISHED = "Finished"


def own_lines(text):
    """What a script prints itself, of its text: all but the lines about windows and pictures."""
    return re.findall(r"^\d+: .*|^max test accuracy: .*", text, re.MULTILINE)


def wait_until(condition, what):
    """Returns what the condition returns, as soon as that is true."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        result = condition()
        if result:
            return result
        time.sleep(0.1)
    raise AssertionError(f"waited in vain until {what}")


# ---------------------------------------------------------------------------------------------------- scripts, screens


class Program:
    """A script that runs while a test works on it. Its output and its errors, and its windows', come as one text."""

    def __init__(self, source, folder, name="script.py", **changes):
        (folder / name).write_text(source, encoding="utf-8")
        self.process = subprocess.Popen(
            [sys.executable, name],
            cwd=str(folder),
            env=environment(**changes),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
        )
        self.lines = []
        self.guard = threading.Timer(PATIENCE, self.stop)
        self.guard.start()

    def read_until(self, pattern):
        """Reads the output up to a line that has the pattern in it; returns the match."""
        for line in self.process.stdout:
            self.lines.append(line)
            match = re.search(pattern, line)
            if match:
                return match
        raise AssertionError(f"no line {pattern!r} in:\n{self.text()}")

    def text(self):
        return "".join(self.lines)

    def read_address(self):
        return self.read_until(r"^To view figure, visit (http://127\.0\.0\.1:\d+)").group(1)

    def has_more_output(self):
        return bool(select.select([self.process.stdout], [], [], 0)[0])

    def press_ctrl_c(self):
        self.process.send_signal(signal.SIGINT)

    def end(self):
        """Reads to the end of it and of its windows; returns the status."""
        self.lines += self.process.stdout
        return self.process.wait()

    def stop(self):
        """Ends it, whatever state it is in, with its windows: those of finished trainings close at Ctrl-C only."""
        self.guard.cancel()
        for _ in range(2):
            if self.process.poll() is None:
                self.press_ctrl_c()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self.process.wait(timeout=5)
        self.process.kill()
        self.process.wait()


@pytest.fixture
def folder(tmp_path):
    without_tensorflow(tmp_path)
    return tmp_path


@pytest.fixture
def start(folder):
    programs = []

    def start_program(source, name="script.py", **changes):
        programs.append(Program(source, folder, name, **changes))
        return programs[-1]

    yield start_program
    for program in programs:
        program.stop()
        program.process.stdout.close()


@pytest.fixture(scope="module")
def screen():
    """The name of a display."""
    if not (shutil.which("Xvfb") and shutil.which("xdotool")):
        pytest.skip("a test of the window needs the programs Xvfb and xdotool")
    read_end, write_end = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write_end), "-noreset"], pass_fds=[write_end], stderr=subprocess.DEVNULL
    )
    os.close(write_end)
    with os.fdopen(read_end) as answer:
        number = answer.readline().strip()
    yield f":{number}"
    server.terminate()
    server.wait()


# ------------------------------------------------------------------------------------------------------------ pictures

CURVE, DIGITS, WEIGHTS, BIASES = (214, 39, 40), (255, 160, 160), (31, 78, 156), (160, 82, 45)
PANEL_COLOURS = (CURVE, CURVE, DIGITS, WEIGHTS, BIASES, DIGITS)  # what is drawn in panels 1 to 6, and in no frame
MIDDLE = (0.4, 0.4, 0.6, 0.6)  # panel 6 alone has no misrecognised digits there
TOP = (0.2, 0.15, 0.8, 0.25)  # and here, nothing else


def share(picture, colour, place):
    """How much of a part of a picture is of that colour; place: left, top, right, bottom, from 0 to 1."""
    height, width = picture.shape[:2]
    left, top, right, bottom = place
    part = picture[int(top * height) : int(bottom * height), int(left * width) : int(right * width), :3]
    return (abs(255 * part - colour).max(axis=2) < 10).mean()


def shows_six_panels(picture):
    places = [(column / 3, row / 2, (column + 1) / 3, (row + 1) / 2) for row in (0, 1) for column in (0, 1, 2)]
    return all(share(picture, colour, place) > 0.0005 for colour, place in zip(PANEL_COLOURS, places))


def shows_panel_6_alone(picture):
    return share(picture, DIGITS, TOP) > 0.95 and share(picture, DIGITS, MIDDLE) < 0.05


def shows_nothing_but_red_digits(picture):
    return share(picture, DIGITS, MIDDLE) > 0.95


def decoded(png):
    """The picture [height, width, 3 or 4], from 0 to 1, of a PNG in base64."""
    return matplotlib.image.imread(io.BytesIO(base64.b64decode(png)), format="png")


# -------------------------------------------------------------------------------------------------------- in a browser


class DevTools:
    """A connection to a part of Chromium that takes commands: https://chromedevtools.github.io/devtools-protocol"""

    def __init__(self, address):
        self.loop = asyncio.new_event_loop()
        self.socket = self.wait_for(self.connect(address))

    def wait_for(self, coroutine):
        return self.loop.run_until_complete(asyncio.wait_for(coroutine, PATIENCE))

    async def connect(self, address):
        from tornado.websocket import websocket_connect

        return await websocket_connect(address, max_message_size=2**26)

    def call(self, method, **parameters):
        return self.wait_for(self.answer(method, parameters))

    async def answer(self, method, parameters):
        await self.socket.write_message(json.dumps({"id": 1, "method": method, "params": parameters}))
        while True:
            message = json.loads(await self.socket.read_message())
            if "id" in message:  # the others are events
                return message["result"]


class Browser:
    """A Chromium without a screen."""

    SWITCHES = (
        "--headless --no-sandbox --disable-gpu --disable-dev-shm-usage --disable-quic --no-first-run --disable-sync "
        "--disable-background-networking --disable-component-update --window-size=1400,1000 --remote-debugging-port=0"
    )

    def __init__(self, program, profile):
        self.process = subprocess.Popen(
            [program, *self.SWITCHES.split(), f"--user-data-dir={profile}"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        answer = profile / "DevToolsActivePort"
        wait_until(lambda: answer.exists() and len(answer.read_text().split()) == 2, "the browser has started")
        port, path = answer.read_text().split()
        self.address = f"ws://127.0.0.1:{port}"
        self.tools = DevTools(self.address + path)

    def open(self, address):
        target = self.tools.call("Target.createTarget", url=address)["targetId"]
        return Page(self, target, DevTools(f"{self.address}/devtools/page/{target}"))

    def addresses(self):
        return [target["url"] for target in self.tools.call("Target.getTargets")["targetInfos"]]

    def close(self):
        self.tools.call("Browser.close")
        self.process.wait()


class Page:
    """The page of WebAgg in a browser."""

    def __init__(self, browser, target, tools):
        self.browser, self.target, self.tools = browser, target, tools
        self.wait_for_value("document.querySelector('canvas')?.width > 0")
        self.wait_for_value("document.activeElement != document.body")  # matplotlib's script lets the picture take keys
        self.wait_until(shows_six_panels)

    def wait_for_value(self, expression):
        wait_until(lambda: self.value_of(expression), f"{expression} on the page")

    def value_of(self, expression):
        """The value of an expression in JavaScript, or what it promises."""
        how = {"returnByValue": True, "awaitPromise": True}
        return self.tools.call("Runtime.evaluate", expression=expression, **how)["result"].get("value")

    def box(self):
        """Where the picture is on the page: x, y, width, height."""
        box = self.value_of("JSON.stringify(document.querySelector('canvas').getBoundingClientRect())")
        return {name: json.loads(box)[name] for name in ("x", "y", "width", "height")}

    def picture(self):
        """What can be seen in the place of the picture."""
        return decoded(self.tools.call("Page.captureScreenshot", clip=dict(self.box(), scale=1))["data"])

    def wait_until(self, shows):
        wait_until(lambda: shows(self.picture()), f"the page {shows.__name__.replace('_', ' ')}")

    def press(self, key, modifiers=0):
        for kind in ("keyDown", "keyUp"):
            self.tools.call("Input.dispatchKeyEvent", type=kind, key=key, modifiers=modifiers)

    def drag(self, *corners):
        """Draws a box with the mouse, between two corners in parts of the picture."""
        box = self.box()
        begin, end = [
            {"x": box["x"] + right * box["width"], "y": box["y"] + down * box["height"]} for right, down in corners
        ]
        button = {"button": "left", "buttons": 1, "clickCount": 1}
        for kind, place in (("mousePressed", begin), ("mouseMoved", end), ("mouseReleased", end)):
            self.tools.call("Input.dispatchMouseEvent", type=kind, **place, **button)

    def close(self):
        self.browser.tools.call("Target.closeTarget", targetId=self.target)


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    pytest.importorskip("tornado")
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not program:
        pytest.skip("a test of the page needs the program chromium")
    browser = Browser(program, tmp_path_factory.mktemp("profile"))
    yield browser
    browser.close()


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
    _, page = start_with_page(LONG)
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
    assert program.end() == 0


def test_space_in_the_page_pauses_the_training_and_it_goes_on_as_if_nothing_had_been(start_with_page, folder):
    source = made_up_training(201)
    waits_for_the_pause = source.replace(
        "    time.sleep",
        "    while i == 100 and not datavis.is_paused():\n"
        "        time.sleep(0.01)\n"
        "    if i == 100:\n"
        "        print('paused', flush=True)\n"
        "    time.sleep",
    )
    program, page = start_with_page(waits_for_the_pause)
    program.read_until("^100: ")
    page.press(" ")
    program.read_until("^paused")
    page.press("6")
    page.wait_until(shows_panel_6_alone)
    page.press("0")
    page.wait_until(shows_six_panels)
    assert not program.has_more_output()
    page.press(" ")
    program.read_until(FINISHED)
    program.press_ctrl_c()
    assert program.end() == 0
    assert own_lines(program.text()) == own_lines(run_script(source, folder).stdout)


def test_a_closed_page_does_not_disturb_the_training_and_can_be_opened_again(start, browser):
    program = start(LONG, MPLBACKEND="WebAgg")
    address = program.read_address()
    browser.open(address).close()
    for _ in range(5):
        program.read_until("test accuracy")
    browser.open(address).close()
    program.press_ctrl_c()
    assert program.end() == 130
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
    program = start(LONG, MPLBACKEND="WebAgg")
    address = program.read_address()
    program.read_until("test accuracy")
    with connection_to(address) as staying, connection_to(address) as closing:
        staying.sendall(10 * (message_from_page('{"type": "refresh"}') + message_from_page('{"type": "draw"}')))
        closing.close()
        for _ in range(3):
            program.read_until("test accuracy")
        program.press_ctrl_c()
        assert program.end() == 130
        assert "Traceback" not in program.text()


def test_q_in_the_page_ends_the_training_as_closing_a_window_does(start_with_page):
    program, page = start_with_page(LONG)
    page.press("q")
    assert program.end() == 0
    assert re.match(r"max test accuracy: 0\.\d+", program.lines[-1])


def test_ctrl_s_in_the_page_shows_the_picture_as_a_file(start_with_page, browser):
    _, page = start_with_page(LONG)
    address = page.value_of("location.href")
    page.press("s", modifiers=2)
    wait_until(lambda: f"{address}1/download.png" in browser.addresses(), "the file is shown")


def test_ctrl_c_ends_the_training_and_its_page(start_with_page):
    program, page = start_with_page(LONG)
    program.press_ctrl_c()
    assert program.end() == 130
    assert re.match(r"Stopped by Ctrl-C. Max test accuracy so far: 0\.\d+", program.lines[-1])
    page.wait_for_value("fetch(location.href).then(() => false, () => true)")  # nobody answers


def test_each_of_two_programs_announces_a_page_of_its_own(start_with_page):
    pages = {name: start_with_page(LONG, f"{name}.py")[1] for name in ("first", "second")}
    for name, page in pages.items():
        assert page.value_of("document.querySelector('.ui-dialog-title').textContent") == name


@pytest.fixture
def with_fake_browser(folder):
    """What has to be in the environment for a browser that only notes the address, and the file with its note."""
    pytest.importorskip("tornado")
    fake, note = folder / "browser", folder / "note"
    fake.write_text(f'#!/bin/sh\necho "$1" > "{note}.new" && mv "{note}.new" "{note}"\n')
    fake.chmod(0o755)
    return {"MPLBACKEND": "WebAgg", "BROWSER": str(fake)}, note


def test_without_a_screen_no_browser_starts_in_the_terminal(start, with_fake_browser):
    changes, note = with_fake_browser
    program = start(LONG, **changes)
    program.read_address()
    program.read_until("^50: ")
    assert not note.exists()


def test_with_a_screen_the_page_opens_by_itself(start, with_fake_browser):
    changes, note = with_fake_browser
    start(LONG, DISPLAY=NO_SCREEN, **changes)
    wait_until(note.exists, "a browser is started")
    assert re.match(r"http://127\.0\.0\.1:\d+$", note.read_text())


# ------------------------------------------------------------------------------------------------------- in a notebook

NEXT_CELL = "print('the next cell')"


class Notebook:
    """Cells, executed one after the other in a kernel. The messages from the kernel are kept."""

    def __init__(self, cells, folder, on_message=None, **changes):
        nbclient, nbformat = pytest.importorskip("nbclient"), pytest.importorskip("nbformat")
        pytest.importorskip("ipykernel")
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
        self.cells = notebook.cells
        self.messages = []
        self.client = nbclient.NotebookClient(
            notebook, timeout=PATIENCE, allow_errors=True, resources={"metadata": {"path": str(folder)}}
        )
        process_message = self.client.process_message

        def keep_message(message, *arguments):
            self.messages.append(message)
            if on_message:
                on_message(self)
            return process_message(message, *arguments)

        self.client.process_message = keep_message
        # a notebook has its own way to show pictures, and it does not matter whether there is a screen
        self.client.execute(env=environment(**dict({"DISPLAY": NO_SCREEN}, **changes)))

    def interrupt(self):
        """What the button with the square does."""
        asyncio.ensure_future(self.client.km.interrupt_kernel())

    def text(self, cell):
        return "".join(output["text"] for output in self.cells[cell].outputs if output.output_type == "stream")

    def pictures(self, cell):
        data = [output["data"] for output in self.cells[cell].outputs if "data" in output]
        assert all("image/png" in formats for formats in data)
        return [decoded(formats["image/png"]) for formats in data]

    def errors(self, cell):
        return [output for output in self.cells[cell].outputs if output.output_type == "error"]

    def shown(self):
        """The messages that show a picture, or another one in its place."""
        return [message for message in self.messages if message["msg_type"] in ("display_data", "update_display_data")]

    def check_next_cell(self):
        assert (self.text(-1), self.errors(-1)) == ("the next cell\n", [])


def test_a_notebook_shows_the_training_in_one_picture_between_the_printed_lines(folder):
    source = made_up_training(201)
    notebook = Notebook([source, NEXT_CELL], folder)
    (picture,) = notebook.pictures(0)
    assert shows_six_panels(picture)
    assert notebook.text(0).splitlines() == own_lines(run_script(source, folder).stdout)
    notebook.check_next_cell()


def test_a_notebook_brings_its_picture_up_to_date_now_and_then_until_it_is_interrupted(folder):
    def interrupt_when_five_were_shown(notebook):
        if len(notebook.shown()) == 5 and not interrupted:
            interrupted.append(True)
            notebook.interrupt()

    interrupted = []
    notebook = Notebook([LONG, NEXT_CELL], folder, interrupt_when_five_were_shown)
    shown = notebook.shown()
    assert [message["msg_type"] for message in shown] == ["display_data"] + ["update_display_data"] * (len(shown) - 1)
    assert len({message["content"]["transient"]["display_id"] for message in shown}) == 1
    duration = shown[4]["header"]["date"] - shown[0]["header"]["date"]
    assert duration > datetime.timedelta(seconds=2)  # 4 seconds, but the first one may have come late
    assert len(notebook.pictures(0)) == 1
    assert re.search(r"^Stopped by Ctrl-C. Max test accuracy so far: 0\.\d+$", notebook.text(0), re.MULTILINE)
    assert "SystemExit" not in [error.ename for error in notebook.errors(0)]
    notebook.check_next_cell()


@pytest.mark.tensorflow
def test_a_stage_trains_in_a_notebook(tmp_path):
    (tmp_path / STAGES[0]).write_text(with_iterations(stage_source(STAGES[0]), 101), encoding="utf-8")
    notebook = Notebook([f"%run {STAGES[0]}", NEXT_CELL], tmp_path)
    assert len(notebook.pictures(0)) == 1
    assert re.search(r"^max test accuracy: 0\.8\d+$", notebook.text(0), re.MULTILINE)
    notebook.check_next_cell()


def test_an_error_in_the_training_step_is_the_cells_error(folder):
    source = made_up_training(1001).replace("    time.sleep", "    assert i < 60, 'mine'\n    time.sleep")
    notebook = Notebook([source, NEXT_CELL], folder)
    (error,) = notebook.errors(0)
    assert (error.ename, error.evalue) == ("AssertionError", "mine")
    assert "training_step" in "".join(error.traceback)
    assert len(notebook.pictures(0)) == 1
    notebook.check_next_cell()


def test_a_cell_that_is_run_twice_shows_a_picture_of_each_run(folder):
    definitions, training = made_up_training(101).split("\n\n\ndatavis.animate")
    training = "datavis.animate" + training
    notebook = Notebook([definitions, training, training, NEXT_CELL], folder)
    for cell in (1, 2):
        assert len(notebook.pictures(cell)) == 1
        assert re.search("^100: test accuracy", notebook.text(cell), re.MULTILINE)
    notebook.check_next_cell()


@pytest.mark.parametrize("backend", ["module://ipykernel.pylab.backend_inline", "inline"])
def test_colab_is_a_notebook(folder, backend):
    colab = "import sys, types\nsys.modules['google.colab'] = types.ModuleType('google.colab')"
    notebook = Notebook([colab, made_up_training(101), NEXT_CELL], folder, MPLBACKEND=backend)
    assert len(notebook.pictures(1)) == 1
    assert re.search("^max test accuracy", notebook.text(1), re.MULTILINE)
    notebook.check_next_cell()


def test_a_picture_in_a_notebook_is_not_named_after_the_kernel(folder):
    source = "import tensorflowvisu\nprint(tensorflowvisu.MnistDataVis()._style.name)"
    (folder / "script.py").write_text(source)
    notebook = Notebook([source, "%run script.py"], folder)
    assert (notebook.text(0), notebook.text(1)) == ("training\n", "script\n")


def test_in_spyder_a_window_opens_and_the_console_is_free_when_training_ends(folder, screen):
    spyder = [
        "import atexit, subprocess, sys, types",
        "sys.modules['spyder_kernels'] = types.ModuleType('spyder_kernels')",
        "sys.argv = ['in_spyder.py']",
        "atexit.register(open, 'ended', 'w')",
    ]
    window = "print(subprocess.check_output(['xdotool', 'search', '--name', '^in_spyder$']).decode())"
    notebook = Notebook(["\n".join(spyder), made_up_training(101), window, NEXT_CELL], folder, DISPLAY=screen)
    assert notebook.pictures(1) == []
    assert notebook.text(1).splitlines() == own_lines(run_script(made_up_training(101), folder).stdout)
    assert re.match(r"\d+\n", notebook.text(2))
    notebook.check_next_cell()
    assert (folder / "ended").exists()  # the console, too, ends without waiting for the window


# ----------------------------------------------------------------------------------- back ends that can't be loaded

QT = ("PySide6", "PyQt6", "PyQt5", "PySide2")


def run_without(modules, folder, **changes):
    """Runs a short training where these modules can't be imported; returns the one line about the window."""
    hidden = folder / "hidden"
    hidden.mkdir()
    for module in modules:
        (hidden / f"{module}.py").write_text(f"raise ModuleNotFoundError(\"No module named '{module}'\")\n")
    path = os.pathsep.join([str(hidden), str(ROOT)])
    process = run_script(made_up_training(51), folder, PYTHONPATH=path, **changes)
    assert (process.stderr, process.returncode) == ("", 0)
    assert (folder / "script.png").exists()
    first, *_, saved, _ = process.stdout.splitlines()
    assert saved == "The picture with the training curves and digits is saved as script.png"
    return first


@pytest.mark.parametrize(
    "backend, modules, remedy",
    [
        ("nonsense", [], "unset MPLBACKEND"),
        ("GTK4Agg", ["gi"], "unset MPLBACKEND"),
        ("QtAgg", QT, "PySide6 for QtAgg"),
        ("WebAgg", ["tornado"], "tornado for WebAgg"),
        ("TkAgg", ["tkinter"], "unset MPLBACKEND"),
    ],
)
def test_a_back_end_that_cannot_be_loaded_is_named_with_the_remedy(backend, modules, remedy, folder, screen):
    line = run_without(modules, folder, MPLBACKEND=backend, DISPLAY=screen)
    assert line.startswith(f"No window: MPLBACKEND={backend} can't be used (")
    assert remedy in line


@pytest.mark.parametrize("backend", ["agg", "nbAgg"])
def test_a_back_end_without_windows_is_named(backend, folder, screen):
    line = run_without([], folder, MPLBACKEND=backend, DISPLAY=screen)
    assert line.startswith(f"No window: MPLBACKEND={backend} has no windows.")


@pytest.mark.parametrize("changes", [{"DISPLAY": NO_SCREEN}, {"DISPLAY": NO_SCREEN, "MPLBACKEND": "TkAgg"}])
def test_a_display_that_is_not_there_is_named(changes, folder):
    assert run_without([], folder, **changes).startswith(f'No window: couldn\'t connect to display "{NO_SCREEN}"')


@pytest.mark.parametrize("backend", ["TkAgg", "QtAgg"])
def test_a_missing_display_is_named_if_a_back_end_was_asked_for_that_needs_one(backend, folder):
    line = run_without([], folder, MPLBACKEND=backend)
    assert "DISPLAY" in line
    assert "agg, which has no windows" not in line


def test_a_missing_toolkit_is_named_with_what_to_install(folder, screen):
    line = run_without(["tkinter", "gi", "wx", *QT], folder, DISPLAY=screen)
    assert line.startswith("No window: No module named 'tkinter', install python3-tk, or PySide6 with pip.")


# ------------------------------------------------------------------------------------------ several runs in one script

SAME_INSTANCE = ""
NEW_INSTANCE = "datavis = tensorflowvisu.MnistDataVis()\n"


def two_trainings(between, second_iterations=101):
    """The source of a script that trains 101 iterations, and once more."""
    source = made_up_training(101)
    last_lines = source[source.index("datavis.animate") :]
    return source + between + last_lines.replace("101", str(second_iterations))


@pytest.mark.parametrize("between", [SAME_INSTANCE, NEW_INSTANCE], ids=["the same instance", "a new instance"])
def test_two_trainings_in_one_script_save_two_pictures(between, folder):
    process = run_script(two_trainings(between), folder)
    assert (process.stderr, process.returncode) == ("", 0)
    assert sorted(path.name for path in folder.glob("*.png")) == ["script.png", "script_2.png"]
    assert len(re.findall("^100: test accuracy", process.stdout, re.MULTILINE)) == 2


def xdotool(screen, *arguments):
    command = ["xdotool", *arguments]
    return subprocess.run(command, env=environment(DISPLAY=screen), stdout=subprocess.PIPE).stdout.decode().split()


def two_windows(screen):
    windows = xdotool(screen, "search", "--onlyvisible", "--name", "^two$")
    return windows if len(windows) == 2 else None


@pytest.mark.parametrize("between", [SAME_INSTANCE, NEW_INSTANCE], ids=["the same instance", "a new instance"])
def test_two_trainings_in_one_script_have_two_windows_and_closing_both_ends_the_program(between, start, folder, screen):
    program = start(two_trainings(between), name="two.py", DISPLAY=screen)
    program.read_until(FINISHED)
    for window in wait_until(lambda: two_windows(screen), "there are two windows"):
        xdotool(screen, "windowfocus", "--sync", window, "key", "q")
    assert program.end() == 0
    assert own_lines(program.text()) == own_lines(run_script(two_trainings(between), folder).stdout)


def test_one_ctrl_c_closes_the_windows_of_all_trainings(start, screen):
    program = start(two_trainings(SAME_INSTANCE), DISPLAY=screen)
    program.read_until(FINISHED)
    program.press_ctrl_c()
    assert program.end() == 0
    assert FINISHED in program.lines[-1]  # once, and no traceback


def test_ctrl_c_in_the_second_training_ends_the_program_with_the_window_of_the_first(start, screen):
    program = start(two_trainings(SAME_INSTANCE, 1000000), DISPLAY=screen)
    program.read_until("^max test accuracy")
    program.read_until("^50: ")
    program.press_ctrl_c()
    assert program.end() == 130
    assert program.lines[-1].startswith("Stopped by Ctrl-C")
