"""Who has the terminal, and a real one that changes hands."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lambent.dev import terminal
from lambent.dev.terminal import OVER, Device, NoTerminal, Terminal

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="there are no process groups")


class Screen:
    """A terminal that notes whose it is, and what is written."""

    path = "/dev/screen"

    def __init__(self) -> None:
        self.said: list[str] = []
        self.holder = "us"
        self.refusal = ""
        self.dead: set[int] = set()
        self.closed = False

    def problem(self) -> str:
        return self.refusal

    def lend(self, group: int) -> None:
        if group in self.dead:
            raise ProcessLookupError(3, "No such process")
        self.holder = str(group)

    def take_back(self) -> None:
        self.holder = "us"

    def close(self) -> None:
        self.closed = True


class Asking:
    """Process groups that ask, and what they were told."""

    def __init__(self) -> None:
        self.screen = Screen()
        self.terminal = Terminal(self.screen.said.append, self.screen)
        self.told: list[tuple[int, str | None, str]] = []

    def ask(self, group: int) -> None:
        self.terminal.lend(group, lambda path, reason: self.told.append((group, path, reason)))


@pytest.fixture
def asking() -> Asking:
    return Asking()


def test_one_has_it_after_the_other(asking: Asking) -> None:
    for group in (1, 2, 3):
        asking.ask(group)
    assert (asking.screen.holder, asking.told) == ("1", [(1, "/dev/screen", "")])
    assert asking.terminal.lent
    asking.terminal.take_back(1)
    assert (asking.screen.holder, asking.told[1:]) == ("2", [(2, "/dev/screen", "")])
    asking.terminal.take_back(2)
    asking.terminal.take_back(3)
    assert (asking.screen.holder, asking.terminal.lent) == ("us", False)


def test_who_has_it_may_ask_again(asking: Asking) -> None:
    for group in (1, 2, 1):
        asking.ask(group)
    assert [group for group, _, _ in asking.told] == [1, 1]
    assert asking.screen.holder == "1"


def test_who_has_it_not_gives_nothing_back(asking: Asking) -> None:
    asking.terminal.take_back(9)
    asking.ask(1)
    asking.terminal.take_back(2)
    assert asking.screen.holder == "1"


def test_who_ends_while_it_waits_waits_no_more(asking: Asking) -> None:
    for group in (1, 2, 2, 3):
        asking.ask(group)
    asking.terminal.take_back(2)
    assert asking.told[1:] == [(2, None, OVER), (2, None, OVER)]
    asking.terminal.take_back(1)
    assert asking.screen.holder == "3"


def test_a_group_that_is_no_more_is_passed_over(asking: Asking) -> None:
    asking.screen.dead = {1, 2}
    for group in (1, 3, 2, 4):
        asking.ask(group)
    assert asking.told == [
        (1, None, "The terminal cannot be lent: [Errno 3] No such process."),
        (3, "/dev/screen", ""),
    ]
    asking.terminal.take_back(3)
    assert asking.screen.holder == "4"
    asking.screen.dead = {4}
    asking.ask(4)
    assert (asking.screen.holder, asking.terminal.lent) == ("us", False)


def test_where_it_cannot_be_lent_the_reason_is_told(asking: Asking) -> None:
    asking.screen.refusal = "It is elsewhere."
    asking.ask(1)
    assert asking.told == [(1, None, "It is elsewhere.")]
    assert not asking.terminal.lent


def test_while_somebody_has_it_lines_wait(asking: Asking) -> None:
    asking.terminal.say("before")
    asking.ask(1)
    asking.ask(2)
    asking.terminal.say("first")
    assert asking.screen.said == ["before"]
    asking.terminal.take_back(1)
    asking.terminal.say("second")
    assert asking.screen.said == ["before"], "2 has it by now"
    asking.terminal.take_back(2)
    asking.terminal.say("after")
    assert asking.screen.said == ["before", "first", "second", "after"]


def test_of_lines_beyond_number_none_is_lost(asking: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal, "KEPT_LINES", 3)
    asking.ask(1)
    for number in range(5):
        asking.terminal.say(str(number))
    assert asking.screen.said == ["0", "1"]
    asking.terminal.take_back(1)
    assert asking.screen.said == ["0", "1", "2", "3", "4"]


def test_at_the_end_it_is_ours(asking: Asking) -> None:
    asking.ask(1)
    asking.ask(2)
    asking.terminal.say("last")
    asking.terminal.close()
    assert (asking.screen.holder, asking.screen.closed) == ("us", True)
    assert asking.told[-1] == (2, None, OVER)
    assert asking.screen.said == ["last"]


def test_none_cannot_be_lent() -> None:
    none: Device = NoTerminal()
    assert "does not run in a terminal" in none.problem()
    none.close()


# A real one

PROGRAM = """
import os, signal, subprocess, sys, termios, time
from lambent.dev.terminal import find

def group():
    return subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.readline()"], process_group=0)

device = find()
before = termios.tcgetattr(0)
child = group()
print("problem", repr(device.problem()), flush=True)
device.lend(child.pid)
assert os.tcgetpgrp(0) == child.pid
assert termios.tcgetattr(0)[6][termios.VSUSP] == b"\\0"
device.lend(child.pid)
print("lent", flush=True)
child.wait()
device.take_back()
assert os.tcgetpgrp(0) == os.getpgrp()
assert termios.tcgetattr(0) == before
try:
    device.lend(child.pid)
except OSError as error:
    device.take_back()
    print("refused", type(error).__name__)
assert termios.tcgetattr(0) == before
assert signal.SIGTTOU not in signal.pthread_sigmask(signal.SIG_BLOCK, [])
device.take_back()
device.close()
print("done", flush=True)
"""


@POSIX
def test_a_process_group_reads_what_is_typed_and_we_do_again(tmp_path: Path) -> None:
    from tests.support.pseudo_terminal import PseudoTerminal

    with PseudoTerminal([sys.executable, "-c", PROGRAM], tmp_path, dict(os.environ)) as session:
        session.wait_for("problem ''")
        session.wait_for("lent")
        assert session.foreground != session.process.pid
        session.type("for the child\n")
        session.wait_for("refused PermissionError|refused ProcessLookupError")
        session.wait_for("done")
        assert session.ended() == 0


@POSIX
@pytest.mark.parametrize("how", [{"process_group": 0}, {"start_new_session": True}], ids=str)
def test_in_the_background_and_without_a_terminal_it_is_not_ours_to_lend(tmp_path: Path, how: dict[str, int]) -> None:
    from tests.support.pseudo_terminal import PseudoTerminal

    asked = "import sys; from lambent.dev.terminal import find; print(find().problem(), flush=True)"
    command = f"import subprocess, sys; sys.exit(subprocess.call([sys.executable, '-c', {asked!r}], **{how}))"
    with PseudoTerminal([sys.executable, "-c", command], tmp_path, dict(os.environ)) as session:
        session.wait_for("in the background of its terminal" if "process_group" in how else "not run in a terminal")
        assert session.ended() == 0


@POSIX
def test_a_terminal_that_is_gone_is_no_reason_to_fail(tmp_path: Path) -> None:
    """Its window was closed; whoever ignores SIGHUP goes on without it."""
    import pty

    number, inner = pty.openpty()
    program = """
import fcntl, signal, sys, termios
from lambent.dev.terminal import find
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
signal.signal(signal.SIGHUP, signal.SIG_IGN)
device = find()
print("open", file=sys.stderr, flush=True)
while not device.problem():
    pass
device.take_back()
print(device.problem(), file=sys.stderr)
device.close()
"""
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdin=inner, stderr=subprocess.PIPE, start_new_session=True, text=True
    )
    os.close(inner)
    assert process.stderr
    assert process.stderr.readline() == "open\n"
    os.close(number)
    _, said = process.communicate(timeout=60)
    assert (process.returncode, said.startswith("The terminal of the local Lambda is gone: ")) == (0, True), said
