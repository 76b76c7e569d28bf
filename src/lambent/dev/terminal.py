"""The terminal that runs the local Lambda, lent to one process group at a time, so that somebody may debug there.

free ──lend──▶ lent ──lend──▶ lent, others wait ──take_back──▶ the next one's, or free

While it is lent, Ctrl-C goes to whoever has it and not to the local Lambda.
"""

from __future__ import annotations

import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple, Protocol

Grant = Callable[[str | None, str], None]
"""Takes the terminal's path, or None and the reason why it cannot be had."""

KEPT_LINES = 10_000
"""Lines that wait until the terminal is back. What there is more of is written after all."""

OVER = "What had come to the breakpoint is over."


class Device(Protocol):
    """A terminal, as the system has it."""

    path: str

    def problem(self) -> str:
        """Why it cannot be lent; empty if it can."""

    def lend(self, group: int) -> None:
        """Have it listen to a process group. OSError if there is none."""

    def take_back(self) -> None:
        """Have it listen to us, as it was before it was lent, if it was."""

    def close(self) -> None: ...


class Asked(NamedTuple):
    group: int
    grant: Grant


class Terminal:
    """Who has it, and who waits. `write` prints a line for people there."""

    def __init__(self, write: Callable[[str], None] = print, device: Device | None = None) -> None:
        self._write = write
        self._device = device or find()
        self._borrower: int | None = None
        self._asked: deque[Asked] = deque()
        self._kept: deque[str] = deque()

    @property
    def lent(self) -> bool:
        return self._borrower is not None

    def say(self, text: str) -> None:
        """Write, once nobody debugs there."""
        if not self.lent:
            self._write(text)
            return
        self._kept.append(text)
        while len(self._kept) > KEPT_LINES:
            self._write(self._kept.popleft())

    def lend(self, group: int, grant: Grant) -> None:
        """Lend it to a process group, after those that asked before; at once to the one that has it."""
        if self._borrower is None:
            if problem := self._device.problem():
                grant(None, problem)
            else:
                self._lend(Asked(group, grant))
        elif self._borrower == group:
            self._lend(Asked(group, grant))
        else:
            self._asked.append(Asked(group, grant))

    def take_back(self, group: int) -> None:
        """It has no use for it any more: its invocation has ended, or it has."""
        given_up = [asked for asked in self._asked if asked.group == group]
        self._asked = deque(asked for asked in self._asked if asked.group != group)
        for asked in given_up:
            asked.grant(None, OVER)
        if self._borrower == group:
            self._recover()
            while self._asked and self._borrower is None:
                self._lend(self._asked.popleft())
            self._catch_up()

    def close(self) -> None:
        """Take it back for good."""
        for asked in self._asked:
            asked.grant(None, OVER)
        self._asked.clear()
        if self.lent:
            self._recover()
            self._catch_up()
        self._device.close()

    def _lend(self, asked: Asked) -> None:
        try:
            self._device.lend(asked.group)
        except OSError as error:
            self._recover()
            asked.grant(None, f"The terminal cannot be lent: {error}.")
            return
        self._borrower = asked.group
        asked.grant(self._device.path, "")

    def _recover(self) -> None:
        self._borrower = None
        self._device.take_back()

    def _catch_up(self) -> None:
        while self._kept and not self.lent:
            self._write(self._kept.popleft())


class NoTerminal:
    """Where there is none: no process of a session without one can be given any."""

    path = ""

    def problem(self) -> str:
        return "The local Lambda does not run in a terminal."

    def lend(self, group: int) -> None: ...
    def take_back(self) -> None: ...
    def close(self) -> None: ...


def find() -> Device:
    """The terminal that this process was started from, wherever its output goes."""
    if sys.platform == "win32":
        return Console() if sys.stdin is not None and sys.stdin.isatty() else NoTerminal()
    try:
        return ControllingTerminal(os.open(os.ctermid(), os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC))
    except OSError:
        return NoTerminal()


if sys.platform == "win32":

    class Console(NoTerminal):
        """Every process that shares it may read from it."""

        path = "CON"

        def problem(self) -> str:
            return ""

else:
    import termios

    Modes = list[Any]
    """As `tcgetattr` has them."""

    class ControllingTerminal:
        """That of our session, open as `number`. It sends what its keys mean to the group in its foreground."""

        path = os.ctermid()

        def __init__(self, number: int) -> None:
            self._number = number
            self._modes: Modes | None = None
            """That it had before it was lent, while it is."""

        def problem(self) -> str:
            try:
                foreground = os.tcgetpgrp(self._number)
            except OSError as error:
                return f"The terminal of the local Lambda is gone: {error}."
            return "" if foreground == os.getpgrp() else "The local Lambda runs in the background of its terminal."

        def lend(self, group: int) -> None:
            with from_background():
                if self._modes is None:
                    self._modes = self._without_suspension()
                os.tcsetpgrp(self._number, group)

        def _without_suspension(self) -> Modes:
            """Ctrl-Z would stop whoever debugs, and nobody could have that go on. Returns the modes before that."""
            try:
                before, modes = termios.tcgetattr(self._number), termios.tcgetattr(self._number)
                modes[6][termios.VSUSP] = b"\0"
                termios.tcsetattr(self._number, termios.TCSADRAIN, modes)
            except termios.error as error:
                raise OSError(*error.args) from None
            return before

        def take_back(self) -> None:
            modes, self._modes = self._modes, None
            with from_background(), suppress(OSError, termios.error):  # it may be gone
                os.tcsetpgrp(self._number, os.getpgrp())
                if modes is not None:
                    termios.tcsetattr(self._number, termios.TCSADRAIN, modes)

        def close(self) -> None:
            os.close(self._number)

    @contextmanager
    def from_background() -> Iterator[None]:
        """Whoever is not in the foreground is stopped for this, unless it blocks the signal."""
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTTOU})
        try:
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
