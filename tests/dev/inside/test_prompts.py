"""Debuggers that ask for the terminal, with a local Lambda that grants or refuses it."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from lambent.dev import child
from tests.dev.inside.told import Ended, Listener, Post, start

if sys.platform == "win32":
    pytest.skip("pseudo-terminals are Unix's", allow_module_level=True)

from tests.support.pseudo_terminal import PseudoTerminal

PATH = "/_lambent/breakpoint"
PDB = r"\(Pdb\) "
REFUSED = json.dumps({"reason": "Somebody sleeps."}).encode()
GRANTED = json.dumps({"terminal": "/dev/tty"}).encode()


def refuse(post: Post) -> tuple[int, bytes]:
    return (409, REFUSED) if post.path == PATH else (0, b"")


def grant(post: Post) -> tuple[int, bytes]:
    return (200, GRANTED) if post.path == PATH else (0, b"")


def passed_over(directory: Path, text: str, **variables: str) -> tuple[Ended, int]:
    """What becomes of a program that is refused the terminal, and how often it asked."""
    (directory / "program.py").write_text(text, "utf-8")
    with Listener(refuse) as listener:
        ended = start(listener.address, "program", directory, **variables)
        return ended, sum(post.path == PATH for post in listener.posts)


@pytest.mark.parametrize(
    "text",
    [
        "breakpoint()\nprint('on')\n",
        "import pdb\npdb.set_trace()\nprint('on')\n",
        "from pdb import Pdb\nPdb().set_trace()\nprint('on')\n",
    ],
)
def test_who_is_refused_goes_on_and_says_where_and_why(tmp_path: Path, text: str) -> None:
    ended, asked = passed_over(tmp_path, text, AWS_LAMBDA_FUNCTION_NAME="orders")
    assert (ended.status, ended.stdout, asked) == (0, "on\n", 1)
    assert ended.stderr.startswith(f"The breakpoint at {tmp_path / 'program.py'}:")
    assert ended.stderr.endswith(
        " is passed over. Somebody sleeps. To debug from an editor: lambent dev --debug orders\n"
    )


def test_a_post_mortem_is_passed_over(tmp_path: Path) -> None:
    text = "import pdb\ntry:\n    1 / 0\nexcept ZeroDivisionError as error:\n    pdb.post_mortem(error.__traceback__)\n"
    ended, asked = passed_over(tmp_path, text + "print('on')\n")
    assert (ended.status, ended.stdout, asked) == (0, "on\n", 1)
    assert "is passed over" in ended.stderr


def test_each_time_is_asked_for_and_each_place_told_of_once(tmp_path: Path) -> None:
    text = "import sys\nfor number in range(3):\n    breakpoint()\n    number += 1\nprint(sys.gettrace())\n"
    ended, asked = passed_over(tmp_path, text)
    assert (ended.status, ended.stdout, asked) == (0, "None\n", 3)
    assert ended.stderr.count("passed over") == 1


def test_off_means_off(tmp_path: Path) -> None:
    ended, asked = passed_over(tmp_path, "import sys\nbreakpoint()\nprint('pdb' in sys.modules)", PYTHONBREAKPOINT="0")
    assert (ended, asked) == ((0, "False\n", ""), 0)


def test_a_debugger_with_streams_of_its_own_keeps_to_them(tmp_path: Path) -> None:
    text = """
import io, pdb
said = io.StringIO()
debugger = pdb.Pdb(stdin=io.StringIO("p 6 * 7\\nc\\n"), stdout=said)
debugger.set_trace()
x = 1
assert "42" in said.getvalue()
import cmd
cmd.Cmd()
"""
    ended, asked = passed_over(tmp_path, text)
    assert (ended, asked) == ((0, "", ""), 0)


def test_a_local_lambda_that_is_gone_is_a_reason_too(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text("breakpoint()\nprint('on')\n", "utf-8")
    ended = start("127.0.0.1:1", "program", tmp_path)
    assert (ended.status, ended.stdout) == (0, "on\n")
    assert "The local Lambda does not answer: " in ended.stderr


def test_the_invocation_is_held(tmp_path: Path) -> None:
    """As our own runtime has it; and a version of it that knows nothing of that is let be."""
    (tmp_path / "lambent").mkdir()
    (tmp_path / "lambent" / "__init__.py").write_text("", "utf-8")
    (tmp_path / "lambent" / "invocation.py").write_text(
        "from contextvars import ContextVar\nCURRENT = ContextVar('current')\nclass Handled: pass\n", "utf-8"
    )
    text = """
from lambent.invocation import CURRENT, Handled
breakpoint()
CURRENT.set(object())
breakpoint()
CURRENT.set(Handled())
breakpoint()
assert CURRENT.get().held
"""
    ended, asked = passed_over(tmp_path, text)
    assert (ended.status, asked) == (0, 3)


# Granted

SESSION = """
import os, sys
kept = os.open("/dev/tty", os.O_RDWR)  # as the local Lambda keeps it
log = os.open("log", os.O_CREAT | os.O_WRONLY)
nothing = os.open(os.devnull, os.O_RDONLY)
os.dup2(nothing, 0)
os.dup2(log, 1)
os.dup2(log, 2)
os.close(log)
os.close(nothing)
"""


def session(directory: Path, text: str, address: str, **variables: str) -> PseudoTerminal:
    """A program whose output goes elsewhere, with a terminal."""
    (directory / "program.py").write_text(SESSION + text, "utf-8")
    known = {**os.environ, "AWS_LAMBDA_RUNTIME_API": address, "HOME": str(directory), "TERM": "dumb", **variables}
    return PseudoTerminal([sys.executable, child.__file__, "program"], directory, known)


def log(directory: Path) -> str:
    return (directory / "log").read_text("utf-8")


def test_what_it_prints_is_seen_until_it_goes_on(tmp_path: Path) -> None:
    text = """
print("before")
breakpoint()
print("between")
os.system("echo of a child")
print("after")
x = 1
print("later", file=sys.stderr)
"""
    with Listener(grant) as listener, session(tmp_path, text, listener.address) as terminal:
        terminal.wait_for(PDB)
        for _ in range(4 if sys.version_info >= (3, 13) else 3):
            terminal.type("n\n")
            terminal.wait_for(PDB)
        assert "between\n" in terminal.shown
        assert "of a child\n" in terminal.shown
        terminal.type("c\n")
        assert terminal.ended() == 0
        assert log(tmp_path) == "before\nlater\n"
        assert "later" not in terminal.shown
        assert sum(post.path == PATH for post in listener.posts) == 1, "it is asked for once as long as it is there"


def test_each_breakpoint_asks_again(tmp_path: Path) -> None:
    text = "for number in range(3):\n    breakpoint()\n    print(number)\n"
    with Listener(grant) as listener, session(tmp_path, text, listener.address) as terminal:
        for number in range(3):
            terminal.wait_for(PDB)
            terminal.type("p number + 100\n")
            terminal.wait_for(f"\n{number + 100}\n{PDB}")
            terminal.type("c\n")
        assert terminal.ended() == 0
        assert log(tmp_path) == "0\n1\n2\n"
        assert sum(post.path == PATH for post in listener.posts) == 3


def test_a_program_that_lost_its_standard_input_is_given_one(tmp_path: Path) -> None:
    text = """
before = sys.stdin = open(os.devnull)
breakpoint()
x = 1
assert sys.stdin is before
os.close(0)
breakpoint()
x = 2
before.close()
"""
    with Listener(grant) as listener, session(tmp_path, text, listener.address) as terminal:
        for _ in range(2):
            terminal.wait_for(PDB)
            terminal.type("c\n")
        assert terminal.ended() == 0, log(tmp_path)


def test_who_has_left_its_process_group_cannot_have_the_terminal(tmp_path: Path) -> None:
    text = """
if os.fork() == 0:
    os.setpgid(0, 0)
    breakpoint()
    print("on")
    sys.exit()
os.wait()
"""
    with Listener(grant) as listener, session(tmp_path, text, listener.address) as terminal:
        assert terminal.ended() == 0
        assert "has left the process group" in log(tmp_path)
        assert log(tmp_path).endswith("on\n")


def test_threads_take_turns(tmp_path: Path) -> None:
    text = """
import threading
nobody_debugs = threading.Barrier(2)  # what is printed while another debugs would be at the terminal
def work(name):
    breakpoint()
    nobody_debugs.wait()
    print(name)
threads = [threading.Thread(target=work, args=[name]) for name in "ab"]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""
    with Listener(grant) as listener, session(tmp_path, text, listener.address) as terminal:
        seen = set()
        for _ in range(2):
            terminal.wait_for(PDB)
            terminal.type("p 'I am ' + name\n")
            seen.add(terminal.wait_for(rf"\n'I am (\w)'\n{PDB}")[1])
            terminal.type("c\n")
        assert terminal.ended() == 0
        assert seen == {"a", "b"}
        assert sorted(log(tmp_path)) == sorted("a\nb\n")


def test_the_key_that_interrupts_is_the_user_s_again(tmp_path: Path) -> None:
    """A prompt of another thread goes without, for the main thread would be interrupted."""
    import termios

    text = """
import termios, threading
tty = os.open("/dev/tty", os.O_RDWR)
modes = termios.tcgetattr(tty)
modes[6][termios.VINTR] = b"\\x0b"
termios.tcsetattr(tty, termios.TCSANOW, modes)
def work():
    breakpoint()
    x = 1
thread = threading.Thread(target=work)
thread.start()
thread.join()
breakpoint()
x = 2
"""
    with Listener(grant) as listener, session(tmp_path, text, listener.address) as terminal:
        keys = []
        for _ in range(2):
            terminal.wait_for(PDB)
            keys.append(termios.tcgetattr(terminal.number)[6][termios.VINTR])
            terminal.type("c\n")
        assert terminal.ended() == 0, log(tmp_path)
        assert keys == [b"\0", b"\x0b"]
        assert termios.tcgetattr(terminal.number)[6][termios.VINTR] == b"\x0b"
