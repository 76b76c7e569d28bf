"""Debuggers in functions that `lambent dev` runs: pdb and ipdb at its terminal, debugpy's client on its port."""

from __future__ import annotations

import http.client
import os
import re
import signal
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.dev.local import LIMIT, SOURCE, until
from tests.integration.newcomer import free_port
from tests.support.debug_adapter import Editor

if sys.platform == "win32":
    pytest.skip("pseudo-terminals are Unix's", allow_module_level=True)

from tests.support.pseudo_terminal import CTRL_BACKSLASH, CTRL_C, CTRL_Z, PseudoTerminal

APP = '''
import os, pdb, time

async def stop(event, context):
    x = 40 + 2
    breakpoint()
    return x

def sync(event, context):
    x = "sync"
    breakpoint()
    return x

def direct(event, context):
    x = "direct"
    pdb.set_trace()
    return x

def talk(event, context):
    breakpoint()
    print("between", "prompts")
    x = 1
    print("after", "them")
    return x

def name(event, context):
    who = event["rawPath"]
    breakpoint()
    return who

def overdue(context):
    """Until the time is up, and whoever would do something about it has had some more."""
    while context.get_remaining_time_in_millis():
        time.sleep(0.01)
    time.sleep(0.3)
    return "overdue"

def work(event, context):
    goes_on = [True]
    breakpoint()
    while goes_on:  # calls nothing that is written in Python: it is this frame that is interrupted
        os.close(os.open("working", os.O_CREAT))
        time.sleep(0.001)
    return "worked"

def again(event, context):
    for x in range(3):
        breakpoint()
        x += 1
    return x

def fall(event, context):
    try:
        1 / 0
    except ZeroDivisionError as error:
        pdb.post_mortem(error.__traceback__)
    return "fallen"
'''


# Starts a command where it has no terminal, or in the background of it.
ELSEWHERE = """
import signal, subprocess, sys
started = subprocess.Popen(sys.argv[1:], HOW)
signal.signal(signal.SIGTERM, lambda *_: started.terminate())
sys.exit(started.wait())
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    (tmp_path / "app.py").write_text(APP, "utf-8")
    return tmp_path


class Local(PseudoTerminal):
    """`lambent dev` in a terminal."""

    def __init__(
        self, directory: Path, target: str, *options: str, before: Sequence[str] = (), **variables: str
    ) -> None:
        kept = {name: value for name, value in os.environ.items() if name not in {"PYTHONBREAKPOINT", "PYTHONPATH"}}
        environment = {**kept, "TERM": "xterm", "PYTHONPATH": str(SOURCE), "HOME": str(directory), **variables}
        command = [*before, sys.executable, "-m", "lambent", "dev", target, "--port", "0", *options]
        super().__init__(command, directory, environment)
        self._threads = ThreadPoolExecutor()
        self.port = int(self.wait_for(r"http://127\.0\.0\.1:(\d+)")[1])

    def get(self, path: str = "/") -> Future[tuple[int, str]]:
        return self._threads.submit(self._get, path)

    def _get(self, path: str) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=3 * LIMIT)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()


PDB = r"\(Pdb\) "


@pytest.mark.parametrize("target", ["app:stop", "app:sync", "app:direct"])
@pytest.mark.parametrize("runtime", ["lambent", "awslambdaric"])
def test_a_breakpoint_prompts_in_the_terminal_for_as_long_as_it_takes(program: Path, target: str, runtime: str) -> None:
    if runtime == "awslambdaric":
        pytest.importorskip("awslambdaric")
        if target == "app:stop":
            pytest.skip("AWS's runtime has no async handlers")
    x = {"app:stop": "42", "app:sync": "sync", "app:direct": "direct"}[target]
    with Local(program, target, "--timeout", "2", "--runtime", runtime) as local:
        answer = local.get()
        local.wait_for(r"app\.py\(\d+\)")
        local.wait_for(PDB)
        local.type("p x\n")
        local.wait_for(rf"\n'?{x}'?\n{PDB}")
        local.type("import app; app.overdue(context)\n")
        local.wait_for(rf"overdue'\n{PDB}")
        local.type("c\n")
        assert answer.result(LIMIT)[1].strip('"') == x
        local.wait_for("REPORT RequestId")
        assert local.foreground == local.process.pid
        local.type(CTRL_C)
        assert local.ended() == 0


def test_what_is_printed_between_prompts_comes_between_them(program: Path) -> None:
    with Local(program, "app:talk") as local:
        answer = local.get()
        local.wait_for(PDB)
        local.type("n\n")
        if sys.version_info >= (3, 13):  # which stops at the breakpoint itself
            local.type("n\n")
        local.wait_for(rf"between prompts\n> .*app\.py\(\d+\)talk\(\)\n-> x = 1\n{PDB}")
        local.type("c\n")
        assert answer.result(LIMIT) == (200, "1")
        local.wait_for("\nafter them\n(?s:.*)END RequestId")


def interrupt(local: Local) -> None:
    """Press Ctrl-C until it is heard."""
    told = "--KeyboardInterrupt--"
    before = local.shown.count(told)
    press(local, CTRL_C, lambda: local.shown.count(told) > before)
    local.wait_for(told)


def press(local: Local, key: str, heard: Callable[[], bool]) -> None:
    """Press a key, once a second: between its prompt and its wait for keys, Python keeps one until the next key."""
    pressed = 0.0

    def pressed_and_heard() -> bool:
        nonlocal pressed
        if time.monotonic() > pressed + 1 and not heard():
            local.type(key)
            pressed = time.monotonic()
        return heard()

    until(pressed_and_heard, lambda: local.shown)


def test_ctrl_c_at_a_prompt_interrupts_nothing_else_and_ctrl_z_nothing_at_all(program: Path) -> None:
    with Local(program, "app:stop") as local:
        answer = local.get()
        local.wait_for(PDB)
        interrupt(local)
        local.wait_for(PDB)
        local.type(f"{CTRL_Z}\n")  # to readline it is a key: with Ctrl-C behind it, it would wait for one more
        local.wait_for(PDB)
        interrupt(local)
        local.type("p x\n")
        local.wait_for(rf"42\n{PDB}")
        local.type("c\n")
        assert answer.result(LIMIT) == (200, "42")
        again = local.get()
        local.wait_for(PDB)
        local.type("c\n")
        assert again.result(LIMIT) == (200, "42")


def test_who_goes_on_can_be_interrupted_until_the_invocation_is_over(program: Path) -> None:
    with Local(program, "app:work") as local:
        answer = local.get()
        local.wait_for(PDB)
        local.type("c\n")
        until((program / "working").exists)
        local.type(CTRL_C)
        local.wait_for(PDB)
        local.type("!goes_on.clear()\n")
        local.wait_for(PDB)
        local.type("c\n")
        assert answer.result(LIMIT) == (200, "worked")
        local.wait_for("REPORT RequestId")
        local.type(CTRL_C)
        assert local.ended() == 0


def test_ctrl_backslash_ends_the_environment(program: Path) -> None:
    with Local(program, "app:stop") as local:
        answer = local.get()
        local.wait_for(PDB)
        press(local, CTRL_BACKSLASH, answer.done)
        assert answer.result(LIMIT)[0] == 502
        local.wait_for("signal: quit(?s:.*)REPORT RequestId")
        assert local.foreground == local.process.pid


def test_of_two_environments_one_is_debugged_after_the_other(program: Path) -> None:
    with Local(program, "app:name") as local:
        answers = {path: local.get(path) for path in ("/a", "/b")}
        first = ""
        for _ in range(2):
            local.wait_for(PDB)
            local.type("p who\n")
            path = local.wait_for(rf"\n'(/[ab])'\n{PDB}")[1]
            assert path != first
            assert [each for each, answer in answers.items() if answer.done()] == ([first] if first else [])
            first = path
            local.type("c\n")
            assert answers[path].result(LIMIT) == (200, path)
        local.wait_for("REPORT RequestId")
        assert local.foreground == local.process.pid


def test_who_is_killed_at_a_prompt_leaves_the_terminal_as_it_was(program: Path) -> None:
    import termios

    with Local(program, "app:stop") as local:
        before = termios.tcgetattr(local.number)
        answer = local.get()
        local.wait_for(PDB)
        assert local.foreground != local.process.pid
        os.kill(local.foreground, signal.SIGKILL)
        assert answer.result(LIMIT)[0] == 502
        local.wait_for("REPORT RequestId")
        assert local.foreground == local.process.pid
        assert termios.tcgetattr(local.number) == before
        local.type(CTRL_C)
        assert local.ended() == 0


def test_the_server_ends_while_somebody_debugs(program: Path) -> None:
    with Local(program, "app:stop") as local:
        answer = local.get()
        local.wait_for(PDB)
        group = local.foreground
        local.process.send_signal(signal.SIGTERM)
        assert local.ended() == 0
        assert answer.exception(LIMIT) or answer.result()[0] == 502
        with pytest.raises(ProcessLookupError):
            os.killpg(group, 0)


def test_who_steps_out_of_an_invocation_goes_on_in_the_next_one(program: Path) -> None:
    with Local(program, "app:sync") as local:
        answer = local.get()
        local.wait_for(PDB)
        local.type("b direct\n")
        local.wait_for("Breakpoint 1")
        local.type("until 10000\n")
        while local.wait_for(f"{PDB}|REPORT")[0] != "REPORT":
            local.type("n\n")
        assert answer.result(LIMIT) == (200, "sync")
        assert local.foreground == local.process.pid
        again = local.get()
        while local.wait_for(f"{PDB}|REPORT")[0] != "REPORT":
            local.type("c\n")
        assert again.result(LIMIT) == (200, "sync")
        assert len(re.findall(r"app\.py\(\d+\)sync\(\)\n", local.shown)) >= 2


def test_quitting_fails_the_invocation_and_a_post_mortem_does_not(program: Path) -> None:
    with Local(program, "app:sync") as local:
        answer = local.get()
        local.wait_for(PDB)
        local.type("q\n")
        assert answer.result(LIMIT)[0] == 502
        local.wait_for("BdbQuit")
        local.wait_for("REPORT RequestId")
        assert local.foreground == local.process.pid
    with Local(program, "app:fall") as local:
        answer = local.get()
        local.wait_for(rf"-> 1 / 0\n{PDB}")
        local.type("q\n")
        assert answer.result(LIMIT) == (200, "fallen")


@pytest.mark.parametrize("begun", ["breakpoint()", "import ipdb; ipdb.set_trace()"])
def test_ipdb_draws_on_the_terminal(tmp_path: Path, begun: str) -> None:
    pytest.importorskip("ipdb")
    (tmp_path / "app.py").write_text(
        f"def handler(event, context):\n    x = 6 * 7\n    {begun}\n    return x\n", "utf-8"
    )
    with Local(tmp_path, "app:handler", PYTHONBREAKPOINT="ipdb.set_trace") as local:
        answer = local.get()
        local.wait_for("ipdb> ")
        local.type("p x\r")
        local.wait_for(r"\b42\n")
        local.type("c\r")
        assert answer.result(LIMIT) == (200, "42")
        assert "is not a terminal" not in local.shown


def test_pythonbreakpoint_can_turn_them_off(program: Path) -> None:
    with Local(program, "app:sync", PYTHONBREAKPOINT="0") as local:
        assert local.get().result(LIMIT) == (200, "sync")
        local.wait_for("REPORT")
        assert "passed over" not in local.shown


def test_a_breakpoint_in_a_thread_is_not_the_main_thread_s_to_be_interrupted(tmp_path: Path) -> None:
    pytest.importorskip("fastapi")
    app = """
from fastapi import FastAPI
app = FastAPI()

@app.get("/")
def root():
    x = "threaded"
    breakpoint()
    return x
"""
    (tmp_path / "app.py").write_text(app, "utf-8")
    with Local(tmp_path, "app:app", "--memory", "512") as local:
        answer = local.get()
        local.wait_for(PDB)
        local.type(CTRL_C)
        local.type("\n")  # ends whatever Ctrl-C was taken for
        local.wait_for(PDB)
        local.type("p x\n")
        local.wait_for(rf"'threaded'\n{PDB}")
        local.type("c\n")
        assert answer.result(LIMIT) == (200, '"threaded"')


def test_a_breakpoint_at_import_holds_up_init_only(tmp_path: Path) -> None:
    text = "breakpoint()\nx = 1\ndef handler(event, context):\n    return x\n"
    (tmp_path / "app.py").write_text(text, "utf-8")
    with Local(tmp_path, "app:handler") as local:
        answer = local.get()
        local.wait_for(PDB)
        local.type("c\n")
        assert answer.result(LIMIT) == (200, "1")
        local.wait_for("REPORT")
        assert local.foreground == local.process.pid
        local.type(CTRL_C)
        assert local.ended() == 0


def test_once_init_is_over_the_terminal_is_the_server_s(tmp_path: Path) -> None:
    """Nobody has asked for anything yet: the environment is started ahead."""
    text = "breakpoint()\nx = 1\ndef handler(event, context):\n    return x\n"
    (tmp_path / "app.py").write_text(text, "utf-8")
    with Local(tmp_path, "app:handler", "--warm", "1") as local:
        local.wait_for(PDB)
        local.type("c\n")
        until(lambda: local.foreground == local.process.pid, lambda: "the environment keeps the terminal")
        local.type(CTRL_C)
        assert local.ended() == 0


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("start_new_session=True", "The local Lambda does not run in a terminal."),
        ("process_group=0", "The local Lambda runs in the background of its terminal."),
    ],
)
def test_without_a_terminal_it_goes_on_with_advice(program: Path, how: str, reason: str) -> None:
    with Local(program, "app:again", before=[sys.executable, "-c", ELSEWHERE.replace("HOW", how)]) as local:
        assert local.get().result(LIMIT) == (200, "3")
        line = APP.partition("def again")[0].count("\n") + (3 if sys.version_info >= (3, 13) else 4)
        local.wait_for(
            rf"The breakpoint at .*app\.py:{line} is passed over\. {reason} .* lambent dev --debug app-again"
        )
        local.wait_for("REPORT")
        assert local.shown.count("passed over") == 1, "each place is told of once"


# debugpy


@pytest.mark.parametrize("runtime", ["lambent", "awslambdaric"])
def test_an_editor_stops_a_function_for_longer_than_it_may_take(program: Path, runtime: str) -> None:
    pytest.importorskip("debugpy")
    pytest.importorskip(runtime)
    port = free_port()
    line = APP.splitlines().index('    print("after", "them")') + 1
    options = ["--timeout", "0.5", "--runtime", runtime, "--memory", "512", "--debug-port", str(port), "--debug"]
    with Local(program, "app:talk", *options) as local:
        answer = local.get()
        local.wait_for(f"waits for a debugger at 127.0.0.1:{port}")
        with Editor(port) as editor:
            editor.attach(str(program / "app.py"), line)
            thread = editor.wait_for("stopped")["threadId"]
            frame = editor.ask("stackTrace", threadId=thread)["stackFrames"][0]
            assert (frame["name"], frame["line"]) == ("talk", line - 2), "breakpoint() is the editor's, too"
            editor.ask("continue", threadId=thread)
            assert editor.wait_for("stopped")["reason"] == "breakpoint"
            frame = editor.ask("stackTrace", threadId=thread)["stackFrames"][0]
            assert (frame["name"], frame["line"]) == ("talk", line)
            overdue = "__import__('time').sleep(0.8) or x"
            assert editor.ask("evaluate", expression=overdue, frameId=frame["id"])["result"] == "1"
            editor.ask("setVariable", variablesReference=scope(editor, frame), name="x", value="2")
            editor.ask("continue", threadId=thread)
            assert answer.result(LIMIT) == (200, "2")
            again = local.get()
            editor.wait_for("stopped")
            editor.ask("disconnect")
        assert again.result(LIMIT) == (200, "1")
        with Editor(port) as editor:
            editor.attach(str(program / "app.py"), line)
            once_more = local.get()
            editor.wait_for("stopped")
            editor.ask("disconnect")
        assert once_more.result(LIMIT) == (200, "1")
        local.wait_for("REPORT")


def scope(editor: Editor, frame: dict[str, Any]) -> int:
    """What stands for the local variables of a frame."""
    found: int = editor.ask("scopes", frameId=frame["id"])["scopes"][0]["variablesReference"]
    return found
