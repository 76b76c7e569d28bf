"""Who ends process groups when the local Lambda no longer can."""

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from lambent.dev.reaper import Reaper
from tests.dev.local import alive, environment, gone, until

if sys.platform == "win32":
    pytest.skip("there are no process groups there", allow_module_level=True)

LIMIT = 60


@pytest.fixture
def groups() -> Iterator[list[psutil.Process]]:
    """The heads of three process groups; the second is frozen."""
    started = [subprocess.Popen(["sleep", "1000"], process_group=0) for _ in range(3)]
    started[1].send_signal(signal.SIGSTOP)
    yield [psutil.Process(each.pid) for each in started]
    for each in started:
        with suppress(ProcessLookupError):
            each.kill()
        each.wait()


def test_closed_it_ends_those_that_have_not_ended(groups: list[psutil.Process]) -> None:
    reaper = Reaper()
    for each in groups:
        reaper.started(each.pid)
    reaper.ended(groups[0].pid)
    reaper.close()
    assert gone(groups[1:])
    assert alive(groups[0]), "it may be somebody else's by now"
    reaper.close()


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2)])
def test_whoever_has_ended_is_left_alone(groups: list[psutil.Process], order: tuple[int, ...]) -> None:
    reaper = Reaper()
    for each in groups:
        reaper.started(each.pid)
    reaper.ended(999_999_999)
    for index in order:
        reaper.ended(groups[index].pid)
        reaper.ended(groups[index].pid)
    reaper.close()
    assert all(map(alive, groups))


def test_where_nobody_was_started_there_is_none() -> None:
    before = psutil.Process().children()
    reaper = Reaper()
    reaper.ended(1)
    assert psutil.Process().children() == before
    reaper.close()


def test_closed_it_removes_folders_with_all_that_is_in_them(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("one", "it's two", "-rf", "left")]
    for each in folders:
        each.mkdir()
        (each / "file").write_text("")
    reaper = Reaper()
    for each in folders[:3]:
        reaper.made(each)
    reaper.close()
    assert [each.exists() for each in folders] == [False, False, False, True]


def test_killed_itself_it_hurts_nobody(groups: list[psutil.Process]) -> None:
    reaper = Reaper()
    reaper.started(groups[0].pid)
    assert reaper._shell is not None
    reaper._shell.kill()
    reaper._shell.wait()
    reaper.started(groups[1].pid)
    reaper.ended(groups[1].pid)
    reaper.close()
    assert all(map(alive, groups))


def test_it_outlives_whoever_is_killed_with_all_of_their_group(groups: list[psutil.Process], tmp_path: Path) -> None:
    script = f"""
        import time
        from pathlib import Path
        from lambent.dev.reaper import Reaper
        reaper = Reaper()
        reaper.made(Path({str(tmp_path)!r}))
        for group in {[each.pid for each in groups]}:
            reaper.started(group)
        print("ready", flush=True)
        time.sleep(1000)
    """
    command = [sys.executable, "-c", textwrap.dedent(script)]
    owner = subprocess.Popen(command, stdout=subprocess.PIPE, process_group=0, env=environment())
    assert owner.stdout
    with owner.stdout as output:
        assert output.readline() == b"ready\n"
    (shell,) = psutil.Process(owner.pid).children()
    os.killpg(owner.pid, signal.SIGKILL)
    owner.wait(LIMIT)
    assert gone([*groups, shell])
    assert not tmp_path.exists()


def test_it_is_small() -> None:
    reaper = Reaper()
    reaper.started(999_999_999)
    assert reaper._shell is not None
    process = psutil.Process(reaper._shell.pid)
    until(lambda: process.name() != "python")
    assert process.memory_info().rss < 5_000_000
    reaper.close()
