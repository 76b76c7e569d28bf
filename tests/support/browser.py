"""Chromium without a window, driven by its DevTools protocol: pages, what is typed into them, what they show.

Source: chromedevtools.github.io/devtools-protocol.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

from tests.dev.local import LIMIT, until
from tests.support.counterparts import missing

PROGRAMS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome")
OPTIONS = (
    "--headless=new",
    "--remote-debugging-port=0",
    "--no-first-run",
    "--disable-background-networking",  # of Google's services
    "--disable-component-update",
    "--disable-dev-shm-usage",  # containers have little of it
    "--disable-gpu",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",  # no test depends on the network
    "--no-proxy-server",
    # A page in the background is as quick as one that is looked at.
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
)

LOOK = """
new Promise((resolve, reject) => {
  const end = Date.now() + %d;
  (function look() {
    const value = (%s);
    if (value) resolve(value);
    else if (Date.now() > end) reject(new Error("it does not come about in:\\n" + document.body.innerText));
    else setTimeout(look, 10);
  })();
})
"""


class Channel:
    """One connection to the DevTools of a browser, or of one of its pages."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._numbers = count(1)
        self.errors: list[str] = []
        """What a page has complained about."""

    def ask(self, method: str, **params: object) -> Any:
        """Call a method. Fails if the browser says no."""
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
        answer = self._read(lambda told: told.get("id") == number)
        assert "error" not in answer, (method, answer["error"])
        return answer["result"]

    def wait_for(self, event: str) -> None:
        """Until the browser tells of it."""
        self._read(lambda told: told.get("method") == event)

    def _read(self, wanted: Callable[[Any], bool]) -> Any:
        while True:
            told = json.loads(self._socket.recv(timeout=2 * LIMIT))
            if told.get("method") == "Runtime.exceptionThrown":
                details = told["params"]["exceptionDetails"]
                self.errors.append(details.get("exception", details).get("description", details["text"]))
            if told.get("method") == "Log.entryAdded" and told["params"]["entry"]["source"] == "security":
                self.errors.append(told["params"]["entry"]["text"])
            if wanted(told):
                return told


class Page:
    """One page, in a profile of its own."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        for domain in ("Log", "Page", "Runtime"):
            channel.ask(f"{domain}.enable")
        channel.ask("Emulation.setFocusEmulationEnabled", enabled=True)

    @property
    def errors(self) -> list[str]:
        """Exceptions that its scripts have not caught, and what its Content-Security-Policy has kept from it."""
        return self._channel.errors

    def open(self, url: str) -> None:
        """Go there, and wait until it is loaded."""
        gone = self._channel.ask("Page.navigate", url=url)
        assert "errorText" not in gone, gone
        self._channel.wait_for("Page.loadEventFired")

    def value(self, expression: str) -> Any:
        """What a JavaScript expression comes to, as JSON; of a promise, what it is kept with."""
        result = self._channel.ask("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in result, result["exceptionDetails"]["exception"]["description"]
        return result["result"].get("value")

    def until(self, expression: str) -> Any:
        """Look again and again until it is true. Returns its value."""
        return self.value(LOOK % (LIMIT * 1000, expression))

    def type(self, selector: str, text: str) -> None:
        """Replace what stands in a field, as a person does: with a cursor and keys."""
        self.value(f"document.querySelector({json.dumps(selector)}).select()")
        self._channel.ask("Input.insertText", text=text)

    def press_enter(self) -> None:
        key = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13}
        self._channel.ask("Input.dispatchKeyEvent", type="keyDown", text="\r", **key)
        self._channel.ask("Input.dispatchKeyEvent", type="keyUp", **key)

    def click(self, selector: str) -> None:
        """Press the mouse's button in the middle of it."""
        found = f"document.querySelector({json.dumps(selector)}).getBoundingClientRect()"
        x, y = self.value(f"(({{ x, y, width, height }}) => [x + width / 2, y + height / 2])({found})")
        for kind in ("mousePressed", "mouseReleased"):
            self._channel.ask("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def named(self) -> list[tuple[str, str]]:
        """Role and name of all that a screen reader is told of."""
        nodes = self._channel.ask("Accessibility.getFullAXTree")["nodes"]
        return [(node["role"]["value"], node.get("name", {}).get("value", "")) for node in nodes if not node["ignored"]]


class Browser:
    """A running one. What is opened in it ends with `stack`."""

    def __init__(self, address: str, path: str, stack: ExitStack) -> None:
        self._address = address
        self._stack = stack
        self._channel = self._connect(path)

    def page(self, url: str) -> Page:
        """Open a page, in a new profile: it shares nothing with others."""
        profile = self._channel.ask("Target.createBrowserContext")["browserContextId"]
        target = self._channel.ask("Target.createTarget", url="about:blank", browserContextId=profile)["targetId"]
        page = Page(self._connect(f"/devtools/page/{target}"))
        page.open(url)
        return page

    def _connect(self, path: str) -> Channel:
        return Channel(self._stack.enter_context(connect(self._address + path, max_size=None, compression=None)))


@contextmanager
def browser() -> Iterator[Browser]:
    """Start one, and end it. Skips the test if there is none to start."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        missing("chromium", f"none of {', '.join(PROGRAMS)} is installed")
    with ExitStack() as stack:
        profile = Path(stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True)))
        process = stack.enter_context(started(program, profile))
        stack.callback(end, process)
        port, path = told(process, profile / "DevToolsActivePort")
        yield Browser(f"ws://127.0.0.1:{port}", path, stack)


def started(program: str, profile: Path) -> subprocess.Popen[bytes]:
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []  # root has none
    return subprocess.Popen(
        [program, *OPTIONS, *sandbox, f"--user-data-dir={profile}", "about:blank"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def told(process: subprocess.Popen[bytes], file: Path) -> list[str]:
    """The port of its DevTools, and the path on it."""

    def lines() -> list[str]:
        assert process.poll() is None, f"{process.args!r} has ended with {process.returncode}"
        return file.read_text("utf-8").splitlines() if file.exists() else []

    until(lambda: len(lines()) == 2)
    return lines()


def end(process: subprocess.Popen[bytes]) -> None:
    """Ask it to end; it takes its own processes with it. If it does not, they are killed."""
    process.terminate()
    try:
        process.wait(LIMIT)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        raise
