"""The local Lambda in a thread of the test."""

import asyncio
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from lambent.dev import Function, Project
from lambent.dev.local import Local
from lambent.errors import ConfigurationError, InvocationFailed
from lambent.testing import LocalLambda
from lambent.testing.local import LIMIT
from tests.dev.local import gone, until
from tests.integration.newcomer import free_port

APP = """
import os

def handler(event, context):
    if event == "boom":
        raise KeyError("boom")
    if event == "exit":
        os._exit(3)
    print("it says", os.environ.get("TABLE"))
    return event

def web(event, context):
    told = [event["headers"].get(name) for name in ("host", "x-forwarded-proto", "x-forwarded-port", "cookie")]
    return {"http": event["requestContext"]["http"], "headers": told, "body": event.get("body")}
"""
PROJECT = """
[tool.lambent]
port = 3000

[tool.lambent.functions.web]
handler = "app.web"
path = "/{proxy+}"

[tool.lambent.functions.worker]
handler = "app.handler"
env = { TABLE = "from the file" }
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    (folder / "app.py").write_text(APP, "utf-8")
    (folder / "pyproject.toml").write_text(PROJECT, "utf-8")
    return folder


@pytest.fixture(scope="module")
def local(folder: Path) -> Iterator[LocalLambda]:
    with LocalLambda(folder, env={"TABLE": "of the test"}) as local:
        yield local


@pytest.fixture
def quiet() -> Iterator[None]:
    """Afterwards there are no threads but those that there were. Some that have been told to end take a moment."""
    before = threading.enumerate()
    yield
    until(lambda: set(threading.enumerate()) <= set(before), lambda: str(threading.enumerate()))


def test_requests_come_in_by_http(local: LocalLambda) -> None:
    port = local.url.rpartition(":")[2]
    response = local.client.post("/a?b=1", json={"a": 1}, cookies={"s": "7"})
    assert response.status == 200
    assert response.json()["headers"] == [f"127.0.0.1:{port}", "http", port, "s=7"]
    assert response.json()["body"] == '{"a":1}'
    assert response.json()["http"]["userAgent"] == "lambent"
    assert local.client.get("http://web.localhost/").json()["headers"][0] == "web.localhost"
    assert local.client.get("http://example.com/").status == 403
    assert local.client.head("/").body == b""


def test_functions_are_invoked_by_name(local: LocalLambda) -> None:
    assert local.invoke("worker", {"id": 7}) == {"id": 7}
    assert local.invoke("worker") is None
    assert local.wait_for_log("it says .*")[0] == "it says of the test"
    with pytest.raises(InvocationFailed, match="worker has failed: KeyError: 'boom'") as caught:
        local.invoke("worker", "boom")
    assert caught.value.error_type == "KeyError"
    assert 'raise KeyError("boom")' in caught.value.__notes__[0]
    with pytest.raises(InvocationFailed, match=r"worker has failed: Runtime\.ExitError"):
        local.invoke("worker", "exit")
    with pytest.raises(ConfigurationError, match=r"ResourceNotFoundException: Function not found: .*: web, worker"):
        local.invoke("wroker")


def test_what_runs_is_told(local: LocalLambda) -> None:
    local.invoke("worker")
    assert list(local.status()["functions"]) == ["web", "worker"]
    assert local.status()["functions"]["worker"]["environments"]
    assert re.search(r"worker \| REPORT RequestId: ", local.wait_for_log(r"worker \| REPORT .*")[0])
    assert "START" in local.logs


def test_a_line_that_does_not_come_is_told(local: LocalLambda) -> None:
    with pytest.raises(TimeoutError, match="The logs have had no 'never'"):
        local.wait_for_log("never", timeout=0.01)


def test_an_authorizer_is_the_projects_own(local: LocalLambda) -> None:
    with pytest.raises(ConfigurationError, match="where the project's own authorizers decide"):
        local.client.get("/", authorizer={"iam": {}})


@pytest.mark.usefixtures("quiet")
def test_it_ends_with_all_that_it_started(folder: Path) -> None:
    before = psutil.Process().children(recursive=True)
    with LocalLambda(folder, port=free_port()) as local:  # one that nobody else is given afterwards
        local.invoke("worker")
        started = [each for each in psutil.Process().children(recursive=True) if each not in before]
        assert started
        url = local.url
    assert gone(started)
    with pytest.raises(ConfigurationError, match="does not run"):
        local.client.get("/")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), timeout=60)


def test_it_starts_again(folder: Path) -> None:
    local = LocalLambda(Function("one", "app.web", app_dir=folder))
    for _ in range(2):
        with local:
            assert local.client.get("/").status == 200
            with pytest.raises(ConfigurationError, match="runs already"):
                local.start()
    local.stop()


@pytest.mark.usefixtures("quiet")
def test_in_async_tests_it_starts_beside_the_loop(folder: Path) -> None:
    async def scene() -> int:
        async with LocalLambda(folder) as local:
            return (await asyncio.to_thread(local.client.get, "/")).status

    assert asyncio.run(scene()) == 200


@pytest.mark.usefixtures("quiet")
def test_a_start_that_is_interrupted_leaves_nothing_behind(folder: Path) -> None:
    class Interrupted(threading.Condition):
        """As by Ctrl-C, the first time that somebody waits."""

        times = 0

        def wait_for(self, predicate: Callable[[], Any], timeout: float | None = None) -> Any:
            self.times += 1
            if self.times == 1:
                raise KeyboardInterrupt
            return super().wait_for(predicate, timeout)

    local = LocalLambda(folder)
    local._news = Interrupted()
    begun = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        local.start()
    assert time.monotonic() - begun < LIMIT
    with pytest.raises(ConfigurationError, match="does not run"):
        local.client.get("/")
    with local:
        assert local.client.get("/").status == 200


@pytest.mark.usefixtures("quiet")
def test_in_async_tests_a_start_that_is_cancelled_leaves_nothing_behind(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    local = LocalLambda(folder)
    opened = Local.open

    async def scene() -> None:
        loop = asyncio.get_running_loop()
        entering = asyncio.create_task(local.__aenter__())

        def interrupted(self: Local) -> None:
            loop.call_soon_threadsafe(entering.cancel)
            opened(self)

        monkeypatch.setattr(Local, "open", interrupted)
        with pytest.raises(asyncio.CancelledError):
            await entering
        with pytest.raises(ConfigurationError, match="does not run"):
            local.client.get("/")

    asyncio.run(scene())


def test_it_is_ready_soon(folder: Path) -> None:
    """Of a processor's time, the best of three: how busy the machine is, is not the question."""
    times = []
    for _ in range(3):
        begun = time.process_time()
        with LocalLambda(folder):
            times.append(time.process_time() - begun)
    assert min(times) < 0.5


def test_it_speaks_https(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with LocalLambda(folder, https=True) as local:
        port = local.url.removeprefix("https://127.0.0.1:")
        response = local.client.get("/")
        assert response.json()["headers"][:3] == [f"127.0.0.1:{port}", "https", port]
        assert local.invoke("worker", 7) == 7
        with (
            pytest.raises(ssl.SSLCertVerificationError),
            socket.create_connection(("127.0.0.1", int(port)), timeout=60) as connection,
        ):
            ssl.create_default_context().wrap_socket(connection, server_hostname="localhost")


@pytest.mark.parametrize(
    ("project", "changes", "complaint"),
    [
        ("nowhere", {}, "Expected a project, or the folder of one, but got .*nowhere"),
        ("empty", {}, r"Expected functions in \[tool\.lambent\] of a pyproject\.toml in .*empty"),
        (".", {"prot": 1}, "Expected changes of .*port.*, but got prot"),
        (".", {"port": 70_000}, "port: expected a port"),
        (".", {"log_level": "loud"}, "log_level: expected one of"),
        (Function("a b", "app.web"), {}, "a b: expected a name"),
        (Project(()), {}, "functions: expected at least one"),
    ],
)
def test_mistakes_are_told(
    folder: Path, tmp_path: Path, project: object, changes: dict[str, Any], complaint: str
) -> None:
    (tmp_path / "empty").mkdir()
    where: dict[str, object] = {".": folder, "empty": tmp_path / "empty", "nowhere": tmp_path / "nowhere"}
    given: Any = where[project] if isinstance(project, str) else project
    with pytest.raises(ConfigurationError, match=complaint):
        LocalLambda(given, **changes)


@pytest.mark.usefixtures("quiet")
def test_a_port_that_is_taken_is_told(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigurationError, match=f"Port {port} is taken"):
            LocalLambda(folder, port=port).start()


@pytest.mark.usefixtures("quiet")
def test_what_keeps_it_from_running_is_raised(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise OSError("no more files")

    monkeypatch.setattr("lambent.dev.local.Local.open", broken)
    with pytest.raises(OSError, match="no more files"):
        LocalLambda(folder).start()
