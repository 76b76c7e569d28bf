"""The prompts of pdb and of what is made of it, at the terminal that runs `lambent dev`.

The terminal is asked for when a debugger is made, since IPython's looks then for what it can draw on, and again before
each prompt: it is taken back whenever an invocation ends, and one that steps on goes into the next. However pdb is
begun (`breakpoint()`, `pdb.set_trace()`, a post-mortem), `cmd.Cmd.__init__` is what it passes through. A debugger that
is given streams of its own keeps to these.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from _socket import AF_INET, SOCK_STREAM, socket
from contextlib import suppress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from pdb import Pdb
    from types import FrameType
    from typing import IO

PATH = "/_lambent/breakpoint"
RECEIVE = 1 << 16
WINDOWS = sys.platform == "win32"


def install(address: str) -> None:
    """Have debuggers ask the local Lambda at `address`, the Runtime API's, for its terminal."""
    import cmd

    begin = cmd.Cmd.__init__
    loan = Loan(lambda: ask(address))

    def __init__(  # noqa: N807 - it is one
        self: cmd.Cmd, completekey: str = "tab", stdin: IO[str] | None = None, stdout: IO[str] | None = None
    ) -> None:
        import pdb  # noqa: T100 - whoever makes one has imported it

        if stdin is None and stdout is None and isinstance(self, pdb.Pdb):
            Prompts(self, loan)
        begin(self, completekey, stdin, stdout)

    setattr(cmd.Cmd, begin.__name__, __init__)


class Prompts:
    """Those of one debugger."""

    def __init__(self, debugger: Pdb, loan: Loan) -> None:
        self._loan = loan
        self._interaction: Callable[..., object] = debugger.interaction
        self._go_on: Callable[[], object] = debugger.set_continue
        self._refusal = loan.take()
        """Why there will be no prompt, if that is known already; of the next one only, for debuggers are used again."""
        vars(debugger).update(
            interaction=self.interact,
            set_continue=self.afterwards(debugger.set_continue),
            set_quit=self.afterwards(debugger.set_quit),
        )

    def interact(self, frame: FrameType | None, *arguments: object, **named: object) -> object:
        """Prompt, in turn with other threads. Without a terminal the program goes on."""
        with self._loan.lock:
            refusal, self._refusal = self._refusal, ""
            refusal = refusal or self._loan.take()
            if not refusal:
                return self._interaction(frame, *arguments, **named)
        self._loan.tell(frame, refusal)
        return self._go_on()

    def afterwards(self, leave: Callable[[], object]) -> Callable[[], None]:
        """The debugger's own, after which the program's output is a log's again."""

        def left() -> None:
            leave()
            self._loan.put_down()

        return left


class Loan:
    """The terminal in the place of standard input, output and error, as long as somebody debugs.

    `ask` returns the terminal's path once it is this process's, or None and the reason.
    """

    def __init__(self, ask: Callable[[], tuple[str | None, str]]) -> None:
        self._ask = ask
        self._kept: list[int | None] = []
        """What 0, 1 and 2 were, while they are the terminal."""
        self._stdin: IO[str] | None = None
        self._interrupt: bytes | int = b"\x03"
        """The key that interrupts."""
        self._told: set[tuple[str, int]] = set()
        self.lock = threading.RLock()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._forked)

    def _forked(self) -> None:
        self.lock = threading.RLock()  # the other one may be held, by a thread that is not here

    def take(self) -> str:
        """Have it, after whoever else does. Returns why not, if not."""
        hold_deadline()
        if self._kept and in_foreground():
            self._set_interrupts(is_main())
            return ""
        path, reason = self._ask()
        if path is None:
            self.put_down()
            return reason
        try:
            self._put_up(path)
        except OSError as error:
            return f"The terminal cannot be opened: {error}."
        if not in_foreground():
            self.put_down()
            return "This process has left the process group that it was started in, which the terminal listens to."
        self._set_interrupts(is_main())
        return ""

    def put_down(self) -> None:
        """Output goes where it went before."""
        if not self._kept:
            return
        flush()
        if in_foreground():
            self._set_interrupts(True)
        kept, self._kept = self._kept, []
        for number, before in enumerate(kept):
            if before is not None:
                with suppress(OSError):  # somebody has closed it
                    os.dup2(before, number)
                    os.close(before)
        if self._stdin is not None:
            sys.stdin, self._stdin = self._stdin, None

    def _set_interrupts(self, wanted: bool) -> None:
        """Whether Ctrl-C interrupts: the main thread gets that, which it would end, if the prompt is another's."""
        if sys.platform == "win32":
            return
        import termios

        with suppress(termios.error):
            attributes = termios.tcgetattr(0)
            keys = attributes[6]
            if keys[termios.VINTR] != b"\0":
                self._interrupt = keys[termios.VINTR]
            keys[termios.VINTR] = self._interrupt if wanted else b"\0"
            termios.tcsetattr(0, termios.TCSANOW, attributes)

    def tell(self, frame: FrameType | None, reason: str) -> None:
        """Say that a breakpoint is passed over, once for each place."""
        place = (frame.f_code.co_filename, frame.f_lineno) if frame is not None else ("", 0)
        if place in self._told:
            return
        self._told.add(place)
        where = f" at {place[0]}:{place[1]}" if frame is not None else ""
        name = os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "NAME")
        sys.stderr.write(
            f"The breakpoint{where} is passed over. {reason} To debug from an editor: lambent dev --debug {name}\n"
        )
        sys.stderr.flush()

    def _put_up(self, path: str) -> None:
        flush()
        if not self._kept:
            self._kept = [duplicate(number) for number in range(3)]
        ways = ("CONIN$", "CONOUT$", "CONOUT$") if WINDOWS else (path, path, path)
        for number, way in enumerate(ways):
            opened = os.open(way, os.O_RDWR)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
        if not reads_descriptor(sys.stdin):  # multiprocessing, for one, has its own
            self._stdin, sys.stdin = sys.stdin, open(0, closefd=False)  # noqa: SIM115 - it is kept


def ask(address: str) -> tuple[str | None, str]:
    """Ask the local Lambda for the terminal, and wait for it however long others have it."""
    host, _, port = address.rpartition(":")
    request = f"POST {PATH} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    connection = socket(AF_INET, SOCK_STREAM)
    received = b""
    try:
        connection.settimeout(None)
        connection.connect((host, int(port)))
        connection.sendall(request.encode("ascii"))
        while piece := connection.recv(RECEIVE):
            received += piece
        answer = json.loads(received.partition(b"\r\n\r\n")[2])
        return answer.get("terminal"), answer.get("reason", "")
    except (OSError, ValueError) as error:
        return None, f"The local Lambda does not answer: {error}."
    finally:
        connection.close()


def hold_deadline() -> None:
    """Have Lambent's runtime, if that is what runs, give the invocation all the time that it takes."""
    with suppress(KeyError, AttributeError):  # another runtime, no invocation, or a version that knows nothing of it
        sys.modules["lambent.invocation"].CURRENT.get(None).held = True


def in_foreground() -> bool:
    """Whether the terminal on standard input listens to this process group."""
    if sys.platform == "win32":
        return True
    try:
        return os.tcgetpgrp(0) == os.getpgrp()
    except OSError:
        return False


def is_main() -> bool:
    return threading.current_thread() is threading.main_thread()


def duplicate(number: int) -> int | None:
    try:
        return os.dup(number)
    except OSError:
        return None


def reads_descriptor(stream: IO[str] | None) -> bool:
    try:
        return stream is not None and stream.fileno() == 0
    except (OSError, ValueError):
        return False


def flush() -> None:
    """What was printed goes where it was printed to."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, OSError, ValueError):
            stream.flush()
