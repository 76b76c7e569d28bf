"""Real processes: begun, watched and ended with all that they start."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from lambent.dev import processes
from lambent.dev.processes import Process, hiding, python_version
from tests.dev.fakes import Gate
from tests.dev.local import gone

LIMIT = 60

HOLD = """
import os, signal, socket, subprocess, sys, threading
gate = socket.create_connection(("127.0.0.1", int(os.environ["GATE"])))

def hold(text=""):
    gate.sendall(f"{text}\\n".encode())
    gate.recv(1)
"""

linux = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere finding descendants takes too long")
unix = pytest.mark.skipif(sys.platform == "win32", reason="there are no process groups there")


class Notes:
    """The heir, who notes down what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, int]] = []

    def started(self, group: int) -> None:
        self.told.append(("started", group))

    def ended(self, group: int) -> None:
        self.told.append(("ended", group))


class Stage:
    """A process that runs a script, and where it holds."""

    def __init__(self, process: Process, gate: Gate, heir: Notes) -> None:
        self.process = process
        self.gate = gate
        self.heir = heir
        self.facts = psutil.Process(process.pid)

    async def arrive(self) -> str:
        return await asyncio.to_thread(self.gate.arrive)

    async def until(self, holds: Callable[[], bool]) -> None:
        while not holds():  # noqa: ASYNC110 - what is waited for tells nobody
            await asyncio.sleep(0.005)


def play(script: str, scene: Callable[[Stage], Awaitable[None]]) -> None:
    async def staged() -> None:
        with Gate() as gate:
            heir = Notes()
            command = [sys.executable, "-c", HOLD + script]
            process = await Process.start(command, {"GATE": gate.port}, str(Path.cwd()), heir=heir)
            try:
                async with asyncio.timeout(LIMIT):
                    await scene(Stage(process, gate, heir))
            finally:
                process.kill()
                await process.wait()

    asyncio.run(staged())


def sleepers(text: str) -> list[psutil.Process]:
    return [psutil.Process(int(pid)) for pid in text.split()]


def test_it_ends_by_itself_with_a_status_and_its_heir_is_told() -> None:
    async def scene(stage: Stage) -> None:
        await stage.arrive()
        assert stage.heir.told == [("started", stage.process.pid)]
        stage.gate.release()
        assert await stage.process.wait() == 3
        assert stage.heir.told[1:] == [("ended", stage.process.pid)]
        for act in (stage.process.terminate, stage.process.freeze, stage.process.thaw, stage.process.kill):
            act()  # which means nothing any more

    play("hold(); sys.exit(3)", scene)


@unix
def test_frozen_it_stands_still_with_its_children_and_goes_on_when_thawed() -> None:
    async def scene(stage: Stage) -> None:
        (child,) = sleepers(await stage.arrive())
        stage.process.freeze()
        await stage.until(lambda: {each.status() for each in (stage.facts, child)} == {psutil.STATUS_STOPPED})
        stage.gate.release()
        stage.process.thaw()
        assert await stage.process.wait() == 0

    play("hold(subprocess.Popen(['sleep', '1000']).pid)", scene)


@unix
def test_terminated_it_is_asked_and_wakes_up_for_it() -> None:
    async def scene(stage: Stage) -> None:
        await stage.arrive()
        stage.process.freeze()
        await stage.until(lambda: stage.facts.status() == psutil.STATUS_STOPPED)
        stage.process.terminate()
        assert await stage.process.wait() == 5

    play("signal.signal(signal.SIGTERM, lambda *_: os._exit(5)); hold()", scene)


STRAYS = """
quiet = {"stdin": subprocess.DEVNULL}
pids = [subprocess.Popen(["sleep", "1000"]).pid, subprocess.Popen(["sleep", "1000"], start_new_session=True).pid]
from_thread = threading.Thread(target=lambda: pids.append(
    subprocess.Popen(["sh", "-c", "sleep 1000 & wait"], start_new_session=True).pid))
from_thread.start()
from_thread.join()
"""


@linux
def test_killed_it_takes_along_whoever_it_has_started_wherever_they_have_gone() -> None:
    async def scene(stage: Stage) -> None:
        started = sleepers(await stage.arrive())
        await stage.until(lambda: len(stage.facts.children(recursive=True)) == 4)
        family = stage.facts.children(recursive=True)
        assert set(started) < set(family)
        stage.process.kill()
        assert await stage.process.wait() == -9
        assert gone(family)

    play(f"{STRAYS}hold(' '.join(map(str, pids)))", scene)


@linux
def test_those_of_one_that_ended_by_itself_are_known_from_the_last_look() -> None:
    async def scene(stage: Stage) -> None:
        started = sleepers(await stage.arrive())
        await stage.until(lambda: len(stage.facts.children(recursive=True)) == 4)
        family = stage.facts.children(recursive=True)
        stage.process.memory()
        stage.gate.release()
        assert await stage.process.wait() == 1
        assert all(each.is_running() for each in started)
        stage.process.kill()
        assert gone(family)

    play(f"{STRAYS}hold(' '.join(map(str, pids))); os._exit(1)", scene)


@linux
def test_a_look_at_one_that_has_ended_forgets_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "LOOK_AGAIN", 0.0)

    async def scene(stage: Stage) -> None:
        await stage.arrive()
        await stage.until(lambda: len(stage.facts.children(recursive=True)) == 4)
        family = stage.facts.children(recursive=True)
        stage.process.terminate()
        assert await stage.process.wait() == -15
        stage.process.memory()
        stage.process.kill()
        assert gone(family)

    play(f"{STRAYS}hold(' '.join(map(str, pids)))", scene)


@linux
def test_those_of_one_that_ends_when_asked_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "LOOK_AGAIN", 1000.0)

    async def scene(stage: Stage) -> None:
        stage.process.memory()
        await stage.arrive()
        await stage.until(lambda: len(stage.facts.children(recursive=True)) == 4)
        family = stage.facts.children(recursive=True)
        stage.process.terminate()
        assert await stage.process.wait() == -15
        stage.process.kill()
        assert gone(family)

    play(f"{STRAYS}hold(' '.join(map(str, pids)))", scene)


@linux
def test_its_memory_is_that_of_all_its_descendants_whichever_thread_started_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(processes, "LOOK_AGAIN", 0.0)
    ballast = "x = bytearray(50_000_000); hold()"
    script = f"""
child = [sys.executable, "-c", {HOLD + ballast!r}]
threading.Thread(target=lambda: (subprocess.Popen(child), threading.Event().wait()), daemon=True).start()
hold()
"""

    async def scene(stage: Stage) -> None:
        await stage.arrive()
        await stage.arrive()
        assert stage.process.memory() > 50_000_000
        stage.facts.children()[0].kill()
        await stage.until(lambda: stage.process.memory() < 50_000_000)
        assert stage.process.peak_memory() > 50_000_000

    play(script, scene)


def test_the_memory_of_one_that_is_gone_is_what_it_was() -> None:
    async def scene(stage: Stage) -> None:
        await stage.arrive()
        peak = stage.process.peak_memory()
        assert peak > 1_000_000
        stage.process.kill()
        await stage.process.wait()
        assert stage.process.peak_memory() == peak

    play("hold()", scene)


def start(command: Sequence[str], directory: str) -> None:
    async def scene() -> None:
        await Process.start(command, {}, directory)

    asyncio.run(scene())


def test_what_cannot_be_started_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="nothing of that name"):
        start([str(tmp_path / "nothing of that name")], str(tmp_path))
    with pytest.raises(OSError, match="no such folder"):
        start([sys.executable], str(tmp_path / "no such folder"))


# Interpreters


def version(python: Path | str) -> tuple[int, int]:
    return asyncio.run(python_version(str(python)))


def test_an_interpreter_says_which_one_it_is(tmp_path: Path) -> None:
    assert version(sys.executable) == sys.version_info[:2]
    if sys.platform != "win32":
        link = tmp_path / "python"
        link.symlink_to(sys.executable)
        assert version(link) == sys.version_info[:2]


@unix
@pytest.mark.parametrize("text", ["echo three eleven", "exit 1", "echo 3", "printf ''"])
def test_what_is_no_interpreter_is_an_error(tmp_path: Path, text: str) -> None:
    with pytest.raises(OSError, match="does not run as a Python interpreter"):
        version(script(tmp_path, text))
    with pytest.raises(OSError, match="No such file"):
        version(tmp_path / "nothing")


@unix
def test_one_that_says_nothing_is_an_error_after_a_while(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "VERSION_LIMIT", 0.1)
    before = set(psutil.Process().children(recursive=True))
    since = time.monotonic()
    with pytest.raises(OSError, match="does not run as a Python interpreter"):
        version(script(tmp_path, "exec sleep 1000"))
    assert time.monotonic() < since + LIMIT
    with suppress(psutil.NoSuchProcess):
        assert gone(set(psutil.Process().children(recursive=True)) - before)


def test_files_and_packages_hide_modules_and_plain_folders_do_not(tmp_path: Path) -> None:
    for name in ("app.py", "types.py", "email/__init__.py", "test/case.py", "queue.txt", "time.py", "os.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("", "utf-8")
    assert hiding(tmp_path) == (
        f"  (email in {tmp_path} hides Python's own module of that name)\n"
        f"  (types.py in {tmp_path} hides Python's own module of that name)\n"
    )
    assert hiding(tmp_path / "nowhere") == ""


def script(folder: Path, text: str) -> Path:
    file = folder / "python"
    file.write_text(f"#!/bin/sh\n{text}\n", "utf-8")
    file.chmod(0o755)
    subprocess.run(["true"], check=True)  # until nobody else, just forked, has the file open for writing
    return file
