"""FastAPI and Starlette applications beyond one request: errors, dependencies, concurrency, and what is in the scope.

What they answer is compared with uvicorn in test_applications.py.
"""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import litestar
import pytest
from fastapi import BackgroundTasks, FastAPI
from litestar.background_tasks import BackgroundTask as LitestarTask
from quart import Quart
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from lambent import Lambent
from lambent.dev.doors import DOORS
from lambent.dev.doors.model import Site
from lambent.types import ASGIApp, Message
from tests.applications import fastapi_app, starlette_app
from tests.applications.asking import Answer, Question, Viewer, ask_handler, function_url_event
from tests.applications.questions import MCP, graphql
from tests.integration.document import read
from tests.payloads import payload

ROOT = Path(__file__).parents[2]
HOW_TO = read(ROOT / "docs" / "how-to" / "frameworks.md").files
LINES = {
    "fastapi_app.py": (Question("GET", "/"), {"hello": "world"}),
    "asgi.py": (Question("GET", "/"), {"hello": "world"}),
    "quart_app.py": (Question("GET", "/"), {"hello": "world"}),
    "litestar_app.py": (Question("GET", "/"), {"hello": "world"}),
    "graphql_app.py": (graphql("{ hello }"), {"data": {"hello": "world"}}),
    "app.py": (MCP["ping"], {"jsonrpc": "2.0", "id": 1, "result": {}}),
}
SETTINGS = """
from django.http import JsonResponse
from django.urls import path

SECRET_KEY = "not secret"
ALLOWED_HOSTS = [".localhost"]
ROOT_URLCONF = "mysite.settings"
urlpatterns = [path("", lambda request: JsonResponse({"hello": "world"}))]
"""
CALL = """
import json, sys
from importlib import import_module

handler = import_module(sys.argv[1]).handler
event = json.load(sys.stdin)
json.dump([handler(event), handler(event), handler(event)], sys.stdout)
"""

APPS = {"fastapi": fastapi_app.build, "starlette": starlette_app.build}


def ask(handler: Lambent, door: str, question: Question) -> Answer:
    return ask_handler(handler, DOORS[door](Site("app")), question, Viewer())


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(
    ("framework", "journal"),
    [
        ("fastapi", ["open", "close", "open", "rolled back", "close", "open", "close", "later"]),
        ("starlette", ["later"]),
    ],
)
def test_dependencies_are_closed_and_background_tasks_done_with_their_request(
    framework: str, journal: list[str], door: str
) -> None:
    asked = [Question("GET", path) for path in ("/connected", "/broken", "/bug")] + [Question("POST", "/later")]
    with closing(Lambent(APPS[framework]())) as handler:
        for question in asked:
            ask(handler, door, question)
        assert json.loads(ask(handler, door, Question("GET", "/journal")).body) == journal


Work = Callable[[], Awaitable[None]]

SCOPE: dict[str, object] = {
    "type": "http",
    "asgi": {"version": "3.0"},
    "http_version": "1.1",
    "method": "GET",
    "scheme": "http",
    "path": "/",
    "raw_path": b"/",
    "root_path": "",
    "query_string": b"",
    "headers": [(b"host", b"localhost")],
    "client": ("127.0.0.1", 5),
    "server": ("localhost", 80),
    "state": {},
    "extensions": {},
}


def starlette_with(work: Work) -> ASGIApp:
    return Starlette(routes=[Route("/", lambda _: Response(background=BackgroundTask(work)))])


def fastapi_with(work: Work) -> ASGIApp:
    app = FastAPI()

    @app.get("/")
    async def index(tasks: BackgroundTasks) -> None:
        tasks.add_task(work)

    return app


def litestar_with(work: Work) -> Any:
    @litestar.get("/")
    async def index() -> litestar.Response[None]:
        return litestar.Response(None, background=LitestarTask(work))

    return litestar.Litestar([index])


def quart_with(work: Work) -> Any:
    app = Quart(__name__)

    @app.get("/")
    async def index() -> str:
        app.add_background_task(work)
        return ""

    return app


@pytest.mark.parametrize(
    ("build", "is_awaited"),
    [(starlette_with, True), (fastapi_with, True), (litestar_with, True), (quart_with, False)],
)
def test_background_tasks_are_part_of_the_application_s_call_but_for_quart(
    build: Callable[[Work], ASGIApp], is_awaited: bool
) -> None:
    """As docs/how-to/background-work.md has it."""
    release, began, replied = asyncio.Event(), asyncio.Event(), asyncio.Event()
    done: list[str] = []

    async def work() -> None:
        began.set()
        await release.wait()
        done.append("work")

    body: list[Message] = [{"type": "http.request", "body": b""}]

    async def receive() -> Message:
        if not body:
            await asyncio.Event().wait()
        return body.pop()

    async def send(message: Message) -> None:
        if message["type"] == "http.response.body" and not message.get("more_body"):
            replied.set()

    async def main() -> None:
        call = asyncio.ensure_future(build(work)(dict(SCOPE), receive, send))
        async with asyncio.timeout(60):
            await began.wait()
            await replied.wait()
            if not is_awaited:
                await call
            assert (call.done(), done) == (not is_awaited, [])
            release.set()
            await call
            assert is_awaited is (done == ["work"])

    asyncio.run(main())


@pytest.mark.parametrize("framework", APPS)
def test_requests_at_the_same_time_are_all_answered(framework: str) -> None:
    async def main() -> list[int]:
        handler = Lambent(APPS[framework]())
        events = [payload("http_api_get") | {"rawPath": f"/items/{number}"} for number in range(20)]
        return [reply["statusCode"] for reply in await asyncio.gather(*map(handler.handle, events))]

    assert asyncio.run(main()) == [200] * 20


def test_a_startup_that_raises_is_the_framework_s_own_exception() -> None:
    @asynccontextmanager
    async def broken(_: Starlette) -> AsyncIterator[None]:
        raise OSError("no database")
        yield

    with closing(Lambent(Starlette(lifespan=broken))) as handler:
        for _ in range(2):
            with pytest.raises(OSError, match="no database"):
                handler(payload("http_api_get"))


def test_an_unhandled_error_is_logged_once_with_the_application_s_lines(caplog: pytest.LogCaptureFixture) -> None:
    with closing(Lambent(starlette_app.build())) as handler:
        assert handler(payload("http_api_get") | {"rawPath": "/bug"})["statusCode"] == 500
    (record,) = [record for record in caplog.records if record.name == "lambent"]
    assert "ZeroDivisionError: The application's own." in caplog.text
    assert record.exc_info is not None


def test_the_event_is_within_reach_of_the_application() -> None:
    async def caller(request: Request) -> Response:
        return JSONResponse(request.scope["aws.event"]["requestContext"]["authorizer"]["jwt"]["claims"]["sub"])

    with closing(Lambent(Starlette(routes=[Route("/me", caller)]))) as handler:
        assert handler(payload("http_api_jwt"))["body"] == '"ada"'


def test_a_client_that_is_asked_for_has_not_disconnected_before_the_response() -> None:
    async def patient(request: Request) -> Response:
        return JSONResponse([len(await request.body()), *[await request.is_disconnected() for _ in range(2)]])

    with closing(Lambent(Starlette(routes=[Route("/login", patient, methods=["POST"])]))) as handler:
        assert handler(payload("http_api_form_base64"))["body"] == "[25,false,false]"


# The lines of the how-to


def test_every_file_of_the_how_to_is_asked() -> None:
    assert LINES.keys() == HOW_TO.keys()


@pytest.mark.parametrize("name", LINES)
def test_the_lines_of_the_how_to_serve(name: str, tmp_path: Path) -> None:
    """Each in a process of its own, as there is one Django and one logging per process."""
    question, expected = LINES[name]
    (tmp_path / "mysite").mkdir()
    (tmp_path / "mysite" / "settings.py").write_text(SETTINGS, "utf-8")
    (tmp_path / name).write_text(HOW_TO[name], "utf-8")
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", CALL, name.removesuffix(".py")],
        cwd=tmp_path,
        input=json.dumps(function_url_event(question)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    replies = json.loads(ran.stdout)
    assert [reply["statusCode"] for reply in replies] == [200, 200, 200], replies
    assert [json.loads(reply["body"]) for reply in replies] == [expected] * 3
