"""Which files have changed: real files, and notifications of the system where they are what is asked about."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from pathlib import Path

import pytest

from lambent.dev import watch
from lambent.dev.watch import Watcher, expand, files_below, fingerprint, since

LIMIT = 60
LONG_AGO = 1_000_000_000.0


class Stage:
    """A watcher that runs, and what it has told."""

    def __init__(self, *files: Path, began: float = 0.0) -> None:
        self.watched = {str(file): {file.name: began} for file in files}
        self.told: list[set[str]] = []
        self.news = asyncio.Event()
        self.watcher = Watcher(lambda: self.watched, self.changed)

    def changed(self, marks: set[str]) -> None:
        self.told.append(marks)
        self.news.set()

    async def hear(self) -> set[str]:
        """The marks of the next change."""
        await self.news.wait()
        self.news.clear()
        return self.told[-1]


def play(scene: Callable[[], Awaitable[None]]) -> None:
    async def staged() -> None:
        async with asyncio.timeout(LIMIT):
            await scene()

    asyncio.run(staged())


def looked(stage: Stage) -> list[set[str]]:
    """What a look tells, taken now."""
    stage.told.clear()
    stage.watcher.look()
    return stage.told


def old(file: Path, text: str = "") -> Path:
    """A file that nobody has touched for long."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, "utf-8")
    return file


def now_on_disk(folder: Path) -> float:
    """What the file system's clock says, which goes in steps and behind that of `time.time`."""
    (folder / "clock").touch()
    return (folder / "clock").stat().st_mtime


# Looks


def test_what_has_changed_is_told_to_those_concerned_once(tmp_path: Path) -> None:
    async def scene() -> None:
        one, two = old(tmp_path / "one"), old(tmp_path / "two")
        stage = Stage(one, two, began=time.time() + 60)
        stage.watcher._refresh()
        assert looked(stage) == []
        one.write_text("changed", "utf-8")
        assert looked(stage) == [{"one"}]
        assert looked(stage) == []
        two.write_text("changed", "utf-8")
        os.utime(one, (1, 1))
        assert looked(stage) == [{"one", "two"}]

    play(scene)


def test_a_file_that_is_gone_has_not_changed_until_it_is_back(tmp_path: Path) -> None:
    async def scene() -> None:
        file = old(tmp_path / "file", "one")
        stage = Stage(file, tmp_path / "never there", began=time.time() + 60)
        stage.watcher._refresh()
        file.rename(tmp_path / "elsewhere")
        assert looked(stage) == []
        (tmp_path / "elsewhere").rename(file)
        assert looked(stage) == [], "it is the same"
        file.unlink()
        assert looked(stage) == []
        file.write_text("two", "utf-8")
        assert looked(stage) == [{"file"}]

    play(scene)


def test_an_optional_file_that_stays_away_has_changed_and_again_when_it_is_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scene() -> None:
        file = old(tmp_path / "file", "one")
        stage = Stage(file, tmp_path / "never there", began=time.time() + 60)
        stage.watcher = Watcher(lambda: stage.watched, stage.changed, lambda _: True)
        now = 0.0
        monkeypatch.setattr(stage.watcher._loop, "time", lambda: now)
        stage.watcher._refresh()
        file.unlink()
        assert looked(stage) == []
        now += watch.GONE / 2
        assert looked(stage) == []
        file.write_text("two", "utf-8")
        assert looked(stage) == [{"file"}], "somebody has written it anew"
        file.unlink()
        now += watch.GONE
        assert looked(stage) == [], "it is missed from now on"
        now += watch.GONE
        assert looked(stage) == [{"file"}]
        now += watch.GONE
        assert looked(stage) == []
        file.write_text("two", "utf-8")
        assert looked(stage) == [{"file"}]

    play(scene)


def test_a_file_that_is_new_to_us_has_changed_if_somebody_may_have_read_it_before(tmp_path: Path) -> None:
    async def scene() -> None:
        file = tmp_path / "file"
        before = time.time() - 60
        file.write_text("", "utf-8")
        stage = Stage(file)
        stage.watched = {str(file): {"had begun": before, "began later": time.time() + 60}}
        stage.watcher._refresh()
        assert stage.told == [{"had begun"}]
        stage.watcher._refresh()
        assert stage.told == [{"had begun"}]

    play(scene)


def test_what_is_not_looked_after_any_more_is_forgotten(tmp_path: Path) -> None:
    async def scene() -> None:
        file = old(tmp_path / "file")
        stage = Stage(file, began=time.time() + 60)
        stage.watcher._refresh()
        watched, stage.watched = stage.watched, {}
        stage.watcher._refresh()
        file.write_text("changed, which who reads it from now on knows", "utf-8")
        stage.watched = watched
        stage.watcher._refresh()
        assert stage.told == []

    play(scene)


def test_what_came_long_ago_or_is_yet_to_come_is_no_news(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "file"
    assert since(str(file)) == 0.0
    file.write_text("", "utf-8")
    came = file.stat().st_mtime
    os.utime(file, (LONG_AGO, LONG_AGO))  # moved here just now, from where it had been for long
    assert came <= since(str(file)) <= time.time()
    os.utime(file, (time.time() + 1000, time.time() + 1000))
    assert since(str(file)) == 0.0
    os.utime(file, (LONG_AGO, LONG_AGO))
    monkeypatch.setattr(watch, "FRESH", -1.0)
    assert since(str(file)) == 0.0


def test_fingerprints_tell_states_apart(tmp_path: Path) -> None:
    file, other = tmp_path / "file", tmp_path / "other"
    assert fingerprint(str(file)) is None
    for path in (file, other):
        path.write_text("one", "utf-8")
        os.utime(path, (1, 1))
    first = fingerprint(str(file))
    assert first == fingerprint(str(file))
    assert first != fingerprint(str(other)), "one that takes its place, though it is as long and as old"
    file.write_text("three", "utf-8")
    os.utime(file, (1, 1))
    assert first != fingerprint(str(file))


# Notifications


def test_a_change_is_noticed_and_so_is_one_in_a_folder_that_is_watched_later(tmp_path: Path) -> None:
    async def scene() -> None:
        one, two = old(tmp_path / "a" / "one"), old(tmp_path / "b" / "two")
        stage = Stage(began=time.time() + 60)
        running = asyncio.create_task(stage.watcher.run())
        for file in (one, two):
            stage.watched[str(file)] = {file.name: now_on_disk(tmp_path)}
            stage.watcher.refresh()
            file.write_text("changed", "utf-8")
            assert await stage.hear() == {file.name}
        file.write_text("changed again, when nothing else gives a reason to look", "utf-8")
        assert await stage.hear() == {file.name}
        assert not running.done()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    play(scene)


def notifying(*rounds: bool | Exception) -> Callable[[Iterable[str], asyncio.Event], AsyncIterator[bool]]:
    """In place of the system's: each call has one round."""
    script = list(rounds)

    async def notifications(folders: Iterable[str], stop: asyncio.Event) -> AsyncIterator[bool]:
        said = script.pop(0) if script else False
        if isinstance(said, Exception):
            raise said
        yield said
        await stop.wait()

    return notifications


@pytest.mark.parametrize(
    "error",
    [OSError("no space left on device"), RuntimeError("too many"), FileNotFoundError(""), ImportError("watchfiles")],
)
def test_where_the_system_takes_no_more_it_looks_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr(watch, "notifications", notifying(error, error, error))
    monkeypatch.setattr(watch, "LOOK_MS", 1)

    async def scene() -> None:
        file = old(tmp_path / "file")
        stage = Stage(file, began=time.time() + 60)
        stage.watcher._refresh()
        file.write_text("changed", "utf-8")
        running = asyncio.create_task(stage.watcher.run())
        assert await stage.hear() == {"file"}
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    play(scene)


def test_when_files_come_and_go_it_asks_again_which_to_look_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "notifications", notifying(True))

    async def scene() -> None:
        file, other = old(tmp_path / "file"), tmp_path / "other"
        stage = Stage(file, began=time.time() + 60)
        stage.watcher._refresh()
        stage.watched[str(other)] = {"other": 0.0}
        other.write_text("new", "utf-8")
        running = asyncio.create_task(stage.watcher.run())
        assert await stage.hear() == {"other"}
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    play(scene)


def test_many_calls_for_a_refresh_are_one() -> None:
    async def scene() -> None:
        asked: list[int] = []
        done = asyncio.Event()

        def watched() -> dict[str, dict[str, float]]:
            asked.append(1)
            done.set()
            return {}

        watcher = Watcher(watched, lambda _: None)
        for _ in range(100):
            watcher.refresh()
        await done.wait()
        assert len(asked) == 1
        watcher.refresh()
        done.clear()
        await done.wait()

    play(scene)


def test_cancelled_it_looks_no_more(tmp_path: Path) -> None:
    async def scene() -> None:
        file = old(tmp_path / "file")
        stage = Stage(file, began=time.time() + 60)
        stage.watcher._refresh()
        running = asyncio.create_task(stage.watcher.run())
        await asyncio.sleep(0)
        stage.watcher.refresh()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        assert stage.watcher._timer is not None
        assert stage.watcher._timer.cancelled()
        stage.watcher._timer = None
        file.write_text("changed", "utf-8")
        stage.watcher.refresh()
        stage.watcher.look()
        assert stage.watcher._timer is None
        assert stage.told == []

    play(scene)


# Lists of files


def test_listed_paths_are_files_folders_and_patterns(tmp_path: Path) -> None:
    for name in ("one.txt", "a/two.txt", "a/b/three.txt", "a/b/four.md", "a/.hidden/five.txt", "node_modules/six.txt"):
        old(tmp_path / name)

    def found(*listed: str) -> set[str]:
        return {path.relative_to(tmp_path).as_posix() for path in expand(tmp_path / each for each in listed)}

    assert found("one.txt", "not there.txt") == {"one.txt", "not there.txt"}, "it may come yet"
    assert found("a") == {"a/two.txt", "a/b/three.txt", "a/b/four.md"}
    assert found("*.txt") == {"one.txt"}
    assert found("a/**/*.txt") == {"a/two.txt", "a/b/three.txt", "a/.hidden/five.txt"}
    assert found("a/*/three.txt") == {"a/b/three.txt"}
    assert found("a/*") == {"a/two.txt"}, "files only"
    assert found("a/**.txt") == {"a/two.txt"}, "two asterisks within a name are one"
    assert found("a/**o***.txt") == {"a/two.txt"}


def test_files_of_tools_are_not_the_project_s(tmp_path: Path) -> None:
    for name in (
        "app.py",
        "notes.txt",
        "package/part.py",
        ".git/hook.py",
        "package/__pycache__/part.py",
        "node_modules/x/tool.py",
        "lib/site-packages/installed.py",
        "env/pyvenv.cfg",
        "env/bin/tool.py",
    ):
        old(tmp_path / name)
    assert {path.relative_to(tmp_path).as_posix() for path in files_below(tmp_path, ".py")} == {
        "app.py",
        "package/part.py",
    }


def test_of_very_many_folders_some_are_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "FOLDERS", 3)
    for number in range(5):
        old(tmp_path / str(number) / "file")
    assert len(list(files_below(tmp_path))) == 2
