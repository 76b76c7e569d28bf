"""The parts of the local Lambda, and what they do when files change."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from lambent.dev.config import Project
from lambent.dev.local import CONFIGURATION, Local
from lambent.dev.model import Entrance, Function
from lambent.dev.reaper import Reaper
from lambent.dev.routes import Found
from lambent.dev.service import Service, Sources
from lambent.errors import ConfigurationError

LIMIT = 60


class Stage:
    """A local Lambda without a port. Its configuration is what the test says."""

    def __init__(self, folder: Path) -> None:
        file = folder / "pyproject.toml"
        file.write_text("", "utf-8")
        left, right = (Function(name, f"{name}:handler", folder, path=f"/{name}") for name in ("left", "right-hand"))
        self.written: Project | Exception = Project((left, right), file=file, again=self.again)
        self.said: list[str] = []
        self.local = Local(self.again(), "http://127.0.0.1:3000", self.said.append)
        self.local.open()

    def again(self) -> Project:
        if isinstance(self.written, Exception):
            raise self.written
        return self.written

    def edit(self, **changes: object) -> None:
        assert isinstance(self.written, Project)
        self.written = replace(self.written, **changes)  # type: ignore[arg-type]  # fields by their names
        self.local._changed({CONFIGURATION})

    def served(self, path: str) -> str | None:
        """The handler of the function that is."""
        found = self.local._front_door.routes.find("GET", path.encode())
        return found.function.handler if isinstance(found, Found) else None


def play(folder: Path, scene: Callable[[Stage], Awaitable[None]]) -> None:
    async def staged() -> None:
        async with asyncio.timeout(LIMIT):
            stage = Stage(folder)
            try:
                await scene(stage)
            finally:
                await stage.local.end()

    asyncio.run(staged())


def test_lines_begin_with_the_function_s_name_where_there_are_several(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        left, right = stage.local.service.functions.values()
        stage.local._around(left).say("one\ntwo")
        stage.local._around(right).say("three")
        assert stage.said == ["left       | one\nleft       | two", "right-hand | three"]
        stage.edit(functions=(left,))
        stage.local._around(left).say("four")
        assert stage.said[-1] == "four"

    play(tmp_path, scene)


@pytest.mark.parametrize(("level", "quiet"), [("debug", False), ("info", False), ("warning", True), ("error", True)])
def test_environments_are_as_quiet_as_the_log_level_says(tmp_path: Path, level: str, quiet: bool) -> None:
    async def scene(stage: Stage) -> None:
        stage.edit(log_level=level)
        left, _ = stage.local.service.functions.values()
        around = stage.local._around(left)
        assert (around.quiet, around.endpoint) == (quiet, "http://127.0.0.1:3000")

    play(tmp_path, scene)


def test_files_are_looked_after_for_those_whom_they_concern(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("left.py", "other.py", "notes.txt", "page.html"):
        (tmp_path / name).write_text("", "utf-8")
    sources = {
        "left": Sources({str(tmp_path / "left.py")}, complete=True, since=1.0),
        "right-hand": Sources(set(), complete=False, since=2.0),
    }

    async def scene(stage: Stage) -> None:
        monkeypatch.setattr(Service, "sources", lambda _: sources)
        stage.edit(watch=(tmp_path / "*.html",))
        since = {CONFIGURATION: stage.local._since}
        watched = {Path(path).name: dict(marks) for path, marks in stage.local._watched().items()}
        assert watched == {
            "left.py": {"left": 1.0, "right-hand": 2.0},
            "other.py": {"right-hand": 2.0},
            "page.html": {"left": 1.0, "right-hand": 2.0},
            "pyproject.toml": since,
            ".env": since,
        }
        assert stage.local._watcher._optional(str(tmp_path / ".env"))
        assert not stage.local._watcher._optional(str(tmp_path / "pyproject.toml"))
        stage.edit(env_file=tmp_path / "notes.txt")
        assert str(tmp_path / ".env") not in stage.local._watched()
        assert not stage.local._watcher._optional(str(tmp_path / ".env"))
        assert stage.local._watcher._optional(str(tmp_path / "notes.txt"))
        assert str(tmp_path / "notes.txt") in stage.local._watched()

    play(tmp_path, scene)


def test_an_edited_configuration_takes_effect(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        left, right = stage.local.service.functions.values()
        assert (stage.served("/left"), stage.served("/new")) == ("left:handler", None)
        stage.edit(functions=(left, Function("new", "new:handler", tmp_path, path="/new")))
        assert list(stage.local.service.functions) == ["left", "new"]
        assert (stage.served("/left"), stage.served("/new")) == ("left:handler", "new:handler")
        assert stage.served(right.path) is None
        assert stage.said == []

    play(tmp_path, scene)


def test_a_mistake_in_it_leaves_all_as_it_was(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        good, stage.written = stage.written, ConfigurationError("pyproject.toml:1: expected sense, but got nonsense.")
        stage.local._changed({CONFIGURATION})
        assert stage.said == [f"{stage.written}\nThe configuration before that remains in force."]
        assert list(stage.local.service.functions) == ["left", "right-hand"]
        assert stage.served("/left") == "left:handler"
        stage.written = good
        stage.local._changed({CONFIGURATION})
        assert len(stage.said) == 1

    play(tmp_path, scene)


def test_so_does_one_of_ours_in_reading_it(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        good, stage.written = stage.written, RuntimeError("ours")
        stage.local._changed({CONFIGURATION})
        assert stage.said[0].endswith("RuntimeError: ours\nThe configuration before that remains in force.")
        assert stage.served("/left") == "left:handler"
        stage.written = good
        stage.local._changed({CONFIGURATION})
        assert len(stage.said) == 1

    play(tmp_path, scene)


@pytest.mark.parametrize(
    "changes",
    [{"host": "::1"}, {"port": 3001}, {"https": True}, {"allowed_hosts": ("tunnel.test",)}, {"log_level": "error"}],
)
def test_what_has_to_wait_for_the_next_start_is_said(tmp_path: Path, changes: dict[str, object]) -> None:
    async def scene(stage: Stage) -> None:
        stage.edit(**changes)
        said = "\n".join(stage.said)
        told = said.endswith("Host, port, https and allowed hosts take effect with the next start.")
        assert told == ("log_level" not in changes)

    play(tmp_path, scene)


def test_a_project_that_cannot_be_read_again_stays(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.edit(again=None)
        stage.written = ConfigurationError("nobody asks")
        stage.local._changed({CONFIGURATION})
        assert stage.said == []

    play(tmp_path, scene)


def test_only_the_functions_concerned_are_reloaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reloaded: list[set[str]] = []

    async def scene(stage: Stage) -> None:
        monkeypatch.setattr(Service, "reload", lambda _, names: reloaded.append(set(names)))
        stage.local._changed({"left"})
        stage.local._changed({"left", CONFIGURATION})
        assert reloaded == [{"left"}, {"left"}]

    play(tmp_path, scene)


def test_who_looks_after_files_does_not_fail_silently(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(names: set[str]) -> None:
        raise RuntimeError("a fault of ours")

    async def scene(stage: Stage) -> None:
        while not stage.local._watcher._now:  # noqa: ASYNC110 - as below
            await asyncio.sleep(0.005)
        monkeypatch.setattr(stage.local.service, "reload", fail)
        (tmp_path / "pyproject.toml").write_text("changed", "utf-8")
        while not stage.said:  # noqa: ASYNC110 - it is told to whom nobody waits
            await asyncio.sleep(0.005)
        assert "a fault of ours" in stage.said[0]
        assert stage.said[0].endswith("Changes of files go unnoticed from here on.")

    play(tmp_path, scene)


def test_it_can_be_ended_however_far_it_has_come(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        await stage.local.drained(LIMIT)
        await stage.local.close(LIMIT)
        await stage.local.end()
        Local(Project(()), "", stage.said.append)
        await Local(Project(()), "", stage.said.append).end()

    play(tmp_path, scene)


CHAT = Function("chat", "chat:handler", door="websocket")


def test_functions_are_lent_a_store_and_the_management_api_where_there_are_websockets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LAMBENT_STORE", raising=False)
    told: list[Path] = []
    monkeypatch.setattr(Reaper, "made", lambda _, folder: told.append(folder))

    async def scene(stage: Stage) -> None:
        left, right = stage.local.service.functions.values()
        assert stage.local._around(left).presets == {"AWS_ENDPOINT_URL_LAMBDA": "http://127.0.0.1:3000"}
        generation = stage.local.service.generation("left")
        stage.edit(functions=(left, right, replace(CHAT, app_dir=tmp_path)))
        await stage.local.prepare()
        lent = stage.local._around(left).presets
        folder = Path(lent["LAMBENT_STORE"].removeprefix("sqlite:///")).parent
        assert lent["AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI"] == "http://127.0.0.1:3000"
        assert folder.is_dir()
        assert told == [folder], "it is removed even if we are killed"
        deployment = stage.local.service._deployments["left"]
        assert deployment.coming is not None or stage.local.service.generation("left") > generation
        await stage.local.end()
        assert not folder.exists()

    play(tmp_path, scene)


def test_whoever_has_a_store_is_lent_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scene(stage: Stage) -> None:
        own = replace(CHAT, app_dir=tmp_path, env={"LAMBENT_STORE": "memory://"})
        stage.edit(functions=(own,))
        await stage.local.prepare()
        assert "LAMBENT_STORE" not in stage.local._around(own).presets
        monkeypatch.setenv("LAMBENT_STORE", "memory://")
        stage.edit(functions=(replace(own, env={}),))
        await stage.local.prepare()
        assert "LAMBENT_STORE" not in stage.local._around(own).presets

    play(tmp_path, scene)


def test_an_edited_configuration_has_other_websocket_apis(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        two = [replace(CHAT, name=name, door=name, app_dir=tmp_path) for name in ("talk", "feed")]
        entrances = tuple(Entrance(name, "websocket") for name in ("talk", "feed"))
        stage.edit(functions=(*two,), entrances=entrances)
        assert [api.entrance.name for api in stage.local.sockets.routes.apis] == ["talk", "feed"]
        assert "The WebSocket API feed is reached on the host feed.localhost only" in stage.said[-1]
        stage.edit(functions=(two[0], replace(two[0], name="twice")))
        assert "talk and twice: both have the route $connect" in stage.said[-1]
        assert len(stage.local.sockets.routes.apis) == 2
        stage.edit(functions=(Function("left", "left:handler", tmp_path, path="/left"),))
        assert not stage.local.sockets.routes

    play(tmp_path, scene)
