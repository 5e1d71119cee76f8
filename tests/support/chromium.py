"""A Chromium without a screen, and the page of WebAgg in it."""

import asyncio
import json
import subprocess

from helpers import PATIENCE, wait_until
from screenshots import decoded, shows_six_panels


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
        self.stroke(*corners)

    def stroke(self, *places, button="left"):
        """With a button of the mouse, from place to place in parts of the picture."""
        box = self.box()
        points = [
            {"x": box["x"] + right * box["width"], "y": box["y"] + down * box["height"]} for right, down in places
        ]
        state = {"button": button, "buttons": {"left": 1, "right": 2}[button], "clickCount": 1}
        self.tools.call("Input.dispatchMouseEvent", type="mousePressed", **points[0], **state)
        for point in points[1:]:
            self.tools.call("Input.dispatchMouseEvent", type="mouseMoved", **point, **state)
        self.tools.call("Input.dispatchMouseEvent", type="mouseReleased", **points[-1], **dict(state, buttons=0))

    def close(self):
        self.browser.tools.call("Target.closeTarget", targetId=self.target)
