"""FastAPI and Starlette applications as one writes them, called as `handler(event, context)`, against uvicorn.

uvicorn is the reference: status, every header field that the application sent, and the body are the same.
"""

import asyncio
import base64
import json
import logging
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from contextvars import ContextVar
from http.client import HTTPConnection
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, NamedTuple

import pytest
import uvicorn
from fastapi import BackgroundTasks, Cookie, Depends, FastAPI, Form, HTTPException, Request, Response, UploadFile
from fastapi.responses import JSONResponse
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import FileResponse, PlainTextResponse, RedirectResponse, StreamingResponse
from starlette.routing import Mount, Route

from lambent import Lambent
from lambent.dev.doors import DOORS
from lambent.dev.doors.model import Arrival, HTTPRequest, Site
from lambent.types import ASGIApp, Message, Receive, Scope, Send
from tests.payloads import payload

WAIT = 20
"""Seconds until a test that hangs fails."""

STYLE = "body { color: #b8860b }\n"
PIXEL = b"\x89PNG\r\n\x1a\n\0\xff\0\x80"
PAYLOAD_2 = ("http", "url")
"""The doors whose replies `read` reads."""
COLOR: ContextVar[str] = ContextVar("color", default="none")


# Pieces of both applications


class Oil(Exception):
    """What an error handler is for."""


class Stamp:
    """A pure ASGI middleware."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def stamped(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"X-Stamp", b"caf\xe9")]
            await send(message)

        if scope["type"] == "http":
            COLOR.set("amber")
        await self.app(scope, receive, stamped if scope["type"] == "http" else send)


async def count(request: Request, call_next: RequestResponseEndpoint) -> Response:
    request.state.visits.append(request.url.path)
    response = await call_next(request)
    response.headers["x-visits"] = str(len(request.state.visits))
    return response


def seen(request: Request) -> dict[str, Any]:
    """What the request looks like from inside."""
    return {
        "url": str(request.url),
        "base_url": str(request.base_url),
        "url_for": str(request.url_for("item", item_id="9")),
        "path": request.scope["path"],
        "raw_path": request.scope["raw_path"].decode(),
        "query": request.query_params.multi_items(),
        "cookies": request.cookies,
        "method": request.method,
        "client": request.client.host if request.client else None,
        "color": COLOR.get(),
        "custom": request.headers.get("x-custom"),
    }


async def lines() -> AsyncIterator[bytes]:
    for number in range(3):
        await asyncio.sleep(0)
        yield f"{number}\n".encode()


# FastAPI


class Item(BaseModel):
    name: str
    price: float


async def connection(request: Request) -> AsyncIterator[list[str]]:
    """A dependency that is opened and closed for each request."""
    request.state.journal.append("open")
    try:
        yield request.state.journal
    except Oil:
        request.state.journal.append("rolled back")
        raise
    finally:
        request.state.journal.append("close")


def user(session: Annotated[str | None, Cookie()] = None) -> str:
    if session is None:
        raise HTTPException(401, "Who are you?", {"www-authenticate": "Cookie"})
    return session.upper()


Connection = Annotated[list[str], Depends(connection)]


@asynccontextmanager
async def lifespan(_: Any) -> AsyncIterator[dict[str, list[str]]]:
    yield {"journal": [], "visits": []}


def fastapi_app(static: Path) -> FastAPI:
    app = FastAPI(lifespan=lifespan)
    app.mount("/static", StaticFiles(directory=static))
    app.add_middleware(GZipMiddleware, minimum_size=500)
    app.middleware("http")(count)
    app.add_middleware(Stamp)

    @app.exception_handler(Oil)
    async def out_of_oil(request: Request, error: Exception) -> JSONResponse:
        return JSONResponse({"detail": str(error)}, 503, {"retry-after": "7"})

    @app.get("/items/{item_id}", name="item")
    async def item(item_id: int, request: Request, tags: str | None = None) -> dict[str, Any]:
        return {"item_id": item_id, "tags": tags}

    @app.post("/items", status_code=201)
    async def create(item: Item) -> Item:
        return item

    @app.get("/threaded")
    def threaded() -> dict[str, str]:
        return {"color": COLOR.get()}

    @app.get("/seen/{rest:path}")
    async def look(request: Request, rest: str) -> dict[str, Any]:
        return seen(request) | {"rest": rest}

    @app.get("/connected")
    async def connected(connection: Connection) -> str:
        return connection[-1]

    @app.get("/journal")
    async def journal(request: Request) -> Any:
        return request.state.journal

    @app.get("/broken")
    async def broken(connection: Connection) -> None:
        raise Oil("The oil has run out.")

    @app.get("/bug")
    async def bug(connection: Connection) -> None:
        raise ZeroDivisionError("The application's own.")

    @app.get("/me")
    async def me(name: Annotated[str, Depends(user)]) -> str:
        return name

    @app.post("/login", status_code=303)
    async def login(name: Annotated[str, Form()], response: Response) -> Response:
        response = RedirectResponse("/me", 303)
        response.set_cookie("session", name, httponly=True)
        response.set_cookie("theme", "dark; gray", secure=True)
        return response

    @app.post("/upload")
    async def upload(file: UploadFile) -> dict[str, Any]:
        content = await file.read()
        return {"name": file.filename, "type": file.content_type, "hex": content.hex()}

    @app.post("/later", status_code=202)
    async def later(request: Request, tasks: BackgroundTasks) -> dict[str, str]:
        tasks.add_task(request.state.journal.append, "later")
        return {"will": "do"}

    @app.get("/stream")
    async def stream() -> StreamingResponse:
        return StreamingResponse(lines(), media_type="text/plain")

    @app.get("/pixel")
    async def pixel() -> Response:
        return Response(PIXEL, media_type="image/png")

    @app.get("/latin")
    async def latin() -> Response:
        return Response("café".encode("latin-1"), media_type="text/plain; charset=latin-1")

    @app.get("/long")
    async def long() -> dict[str, str]:
        return {"text": "lamp " * 200}

    @app.delete("/items/{item_id}", status_code=204)
    async def delete(item_id: int) -> None: ...

    return app


# Starlette


def starlette_app(static: Path) -> Starlette:
    async def item(request: Request) -> Response:
        return JSONResponse({"item_id": request.path_params["item_id"], "tags": request.query_params.get("tags")})

    async def create(request: Request) -> Response:
        return JSONResponse(await request.json(), 201)

    def threaded(request: Request) -> Response:
        return JSONResponse({"color": COLOR.get()})

    async def look(request: Request) -> Response:
        return JSONResponse(seen(request) | {"rest": request.path_params["rest"]})

    async def journal(request: Request) -> Response:
        return JSONResponse(request.state.journal)

    async def broken(request: Request) -> Response:
        raise Oil("The oil has run out.")

    async def bug(request: Request) -> Response:
        raise ZeroDivisionError("The application's own.")

    async def out_of_oil(request: Request, error: Exception) -> Response:
        return PlainTextResponse(str(error), 503, {"retry-after": "7"})

    async def me(request: Request) -> Response:
        return PlainTextResponse(request.cookies.get("session", "nobody"))

    async def login(request: Request) -> Response:
        async with request.form() as form:
            response = RedirectResponse("/me", 303)
            response.set_cookie("session", str(form["name"]), httponly=True)
            response.set_cookie("theme", "dark; gray", secure=True)
            return response

    async def upload(request: Request) -> Response:
        async with request.form() as form:
            file = form["file"]
            assert not isinstance(file, str)
            return JSONResponse({"name": file.filename, "hex": (await file.read()).hex()})

    async def later(request: Request) -> Response:
        return JSONResponse({"will": "do"}, 202, background=BackgroundTask(request.state.journal.append, "later"))

    async def stream(request: Request) -> Response:
        return StreamingResponse(lines(), media_type="text/plain")

    async def pixel(request: Request) -> Response:
        return Response(PIXEL, media_type="image/png")

    async def latin(request: Request) -> Response:
        return Response("café".encode("latin-1"), media_type="text/plain; charset=latin-1")

    async def long(request: Request) -> Response:
        return JSONResponse({"text": "lamp " * 200})

    async def delete(request: Request) -> Response:
        return Response(status_code=204)

    async def file(request: Request) -> Response:
        return FileResponse(static / "style.css", filename="stylé.css")

    return Starlette(
        routes=[
            Route("/items/{item_id:int}", item, name="item"),
            Route("/items/{item_id:int}", delete, methods=["DELETE"]),
            Route("/items", create, methods=["POST"]),
            Route("/threaded", threaded),
            Route("/seen/{rest:path}", look),
            Route("/journal", journal),
            Route("/broken", broken),
            Route("/bug", bug),
            Route("/me", me),
            Route("/login", login, methods=["POST"]),
            Route("/upload", upload, methods=["POST"]),
            Route("/later", later, methods=["POST"]),
            Route("/stream", stream),
            Route("/pixel", pixel),
            Route("/latin", latin),
            Route("/long", long),
            Route("/file", file),
            Mount("/static", StaticFiles(directory=static)),
        ],
        middleware=[
            Middleware(Stamp),
            Middleware(BaseHTTPMiddleware, dispatch=count),
            Middleware(GZipMiddleware, minimum_size=500),
        ],
        exception_handlers={Oil: out_of_oil},
        lifespan=lifespan,
    )


APPS = {"fastapi": fastapi_app, "starlette": starlette_app}


# What is asked, and by whom


class Question(NamedTuple):
    method: str
    target: str
    headers: MappingProxyType[str, str] = MappingProxyType({})
    body: bytes = b""


class Answer(NamedTuple):
    status: int
    headers: list[tuple[str, str]]
    body: bytes


def fields(**headers: str) -> MappingProxyType[str, str]:
    return MappingProxyType({name.replace("_", "-"): value for name, value in headers.items()})


FORM = fields(content_type="application/x-www-form-urlencoded")
FILE = fields(content_type="multipart/form-data; boundary=edge")
JSON = fields(content_type="application/json")
UPLOAD = (
    b'--edge\r\ncontent-disposition: form-data; name="file"; filename="h\xc3\xa9.bin"\r\n'
    b"content-type: application/octet-stream\r\n\r\n\x00\xff\r\n\xfe--edg\r\n--edge--\r\n"
)
QUESTIONS = {
    "path and query": Question("GET", "/items/7?tags=a%2Bb+c&x="),
    "validation error": Question("GET", "/items/seven"),
    "post": Question("POST", "/items", JSON, b'{"name": "l\xc3\xa4mp", "price": 9.5}'),
    "seen": Question("GET", "/seen/plain?q=1&q=2&flag&e=", fields(cookie="a=1; b=2", x_custom="caf\xe9")),
    "seen, encoded": Question("GET", "/seen/a%20b/%C3%BC+1?q=%C3%BC%2B+%26"),
    "seen, per cent twice": Question("GET", "/seen/100%25"),
    "seen, slashes": Question("GET", "/seen//a//"),
    "sync route, in a thread": Question("GET", "/threaded"),
    "dependency": Question("GET", "/connected"),
    "error handler": Question("GET", "/broken"),
    "unhandled error": Question("GET", "/bug"),
    "after the errors": Question("GET", "/connected"),
    "no session": Question("GET", "/me"),
    "session": Question("GET", "/me", fields(cookie="theme=dark; session=ada")),
    "login": Question("POST", "/login", FORM, b"name=Ad%C3%A8le+B"),
    "login without a name": Question("POST", "/login", JSON, b"{}"),
    "upload": Question("POST", "/upload", FILE, UPLOAD),
    "background task": Question("POST", "/later"),
    "stream": Question("GET", "/stream"),
    "binary": Question("GET", "/pixel"),
    "latin-1": Question("GET", "/latin"),
    "compressed": Question("GET", "/long", fields(accept_encoding="gzip")),
    "not compressed": Question("GET", "/long"),
    "no content": Question("DELETE", "/items/7"),
    "static file": Question("GET", "/static/style.css"),
    "HEAD of a static file": Question("HEAD", "/static/style.css"),
    "range of a static file": Question("GET", "/static/style.css", fields(range="bytes=0-3")),
    "file with a name": Question("GET", "/file"),
    "static file that is not there": Question("GET", "/static/none.css"),
    "method not allowed": Question("PUT", "/items/7"),
    "not found": Question("GET", "/nothing"),
    "slash too many": Question("GET", "/me/"),
    "OpenAPI": Question("GET", "/openapi.json"),
}
HOST = "lamps.example:8080"
ADDED = {"date", "server", "connection", "transfer-encoding"}
"""What uvicorn adds to an answer."""


def ask_uvicorn(port: int, question: Question) -> Answer:
    with closing(HTTPConnection("127.0.0.1", port, timeout=WAIT)) as http:
        headers = {"host": HOST, "x-forwarded-port": "8080", **question.headers}
        http.request(question.method, question.target, question.body or None, headers)
        response = http.getresponse()
        got: dict[str, list[str]] = {}
        for name, value in response.getheaders():
            got.setdefault(name.lower(), []).append(value)
        cookies = [("set-cookie", value) for value in got.pop("set-cookie", [])]
        joined = [(name, ", ".join(values)) for name, values in got.items() if name not in ADDED]
        return Answer(response.status, sorted(joined) + cookies, response.read())


def ask_lambda(handler: Lambent, door: str, question: Question) -> Answer:
    path, _, query = question.target.partition("?")
    sent = [("host", HOST), *question.headers.items(), ("content-length", str(len(question.body)))]
    headers = [(name.encode(), value.encode("latin-1")) for name, value in sent]
    request = HTTPRequest(
        question.method, path.encode(), query.encode(), headers, question.body, ("127.0.0.1", 5), "http", "1.1"
    )
    event = DOORS[door](Site("app")).event(request, Arrival("id", "id=", "Root=1", 0.0))
    return read(handler(json.loads(json.dumps(event))))


def read(reply: dict[str, Any]) -> Answer:
    reply = json.loads(json.dumps(reply))
    body = base64.b64decode(reply["body"], validate=True) if reply["isBase64Encoded"] else reply["body"].encode()
    cookies = [("set-cookie", value) for value in reply.get("cookies", [])]
    return Answer(reply["statusCode"], sorted(reply["headers"].items()) + cookies, body)


@contextmanager
def served(app: ASGIApp, root_path: str = "") -> Iterator[int]:
    """The application behind uvicorn, on a port of its own, in a thread."""
    config = uvicorn.Config(
        app,
        root_path=root_path,
        lifespan="on",
        loop="asyncio",
        ws="none",
        log_config=None,
        log_level=logging.CRITICAL,
    )
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, args=[[listener]], daemon=True)
        thread.start()
        try:
            yield listener.getsockname()[1]  # whoever connects waits in the listener's queue
        finally:
            server.should_exit = True
            thread.join(WAIT)


@pytest.fixture(scope="module")
def static(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("static")
    (folder / "style.css").write_text(STYLE)
    return folder


@pytest.fixture(scope="module")
def references(static: Path) -> dict[str, dict[str, Answer]]:
    answers = {}
    for framework, build in APPS.items():
        with served(build(static)) as port:
            answers[framework] = {name: ask_uvicorn(port, question) for name, question in QUESTIONS.items()}
    return answers


@pytest.fixture(scope="module", params=[f"{framework} {door}" for framework in APPS for door in PAYLOAD_2])
def pair(
    request: pytest.FixtureRequest, static: Path, references: dict[str, dict[str, Answer]]
) -> tuple[dict[str, Answer], dict[str, Answer]]:
    """The reference and what came through Lambda."""
    framework, door = request.param.split()
    with closing(Lambent(APPS[framework](static), lifespan="on")) as handler:
        got = {name: ask_lambda(handler, door, question) for name, question in QUESTIONS.items()}
    return references[framework], got


@pytest.mark.parametrize("name", QUESTIONS)
def test_the_answer_is_uvicorn_s(name: str, pair: tuple[dict[str, Answer], dict[str, Answer]]) -> None:
    reference, got = pair
    assert got[name] == reference[name]


@pytest.mark.parametrize("framework", APPS)
def test_the_reference_is_worth_comparing_with(framework: str, references: dict[str, dict[str, Answer]]) -> None:
    answers = references[framework]
    statuses = {name: answer.status for name, answer in answers.items()}
    assert statuses["path and query"] == statuses["stream"] == statuses["static file"] == 200
    assert (statuses["post"], statuses["login"], statuses["background task"]) == (201, 303, 202)
    assert (statuses["error handler"], statuses["unhandled error"], statuses["no content"]) == (503, 500, 204)
    assert json.loads(answers["path and query"].body) == {"item_id": 7, "tags": "a+b c"}
    assert json.loads(answers["seen"].body) == {
        "url": f"http://{HOST}/seen/plain?q=1&q=2&flag&e=",
        "base_url": f"http://{HOST}/",
        "url_for": f"http://{HOST}/items/9",
        "path": "/seen/plain",
        "raw_path": "/seen/plain",
        "query": [["q", "1"], ["q", "2"], ["flag", ""], ["e", ""]],
        "cookies": {"a": "1", "b": "2"},
        "method": "GET",
        "client": "127.0.0.1",
        "color": "amber",
        "custom": "café",
        "rest": "plain",
    }
    assert [name for name, _ in answers["login"].headers].count("set-cookie") == 2
    assert ("x-stamp", "café") in answers["post"].headers
    assert ("content-encoding", "gzip") in answers["compressed"].headers
    assert answers["binary"].body == PIXEL
    assert answers["latin-1"].body == "café".encode("latin-1")
    assert answers["HEAD of a static file"].body == b""
    assert ("content-length", str(len(STYLE))) in answers["HEAD of a static file"].headers
    assert answers["range of a static file"] == answers["range of a static file"]._replace(status=206, body=b"body")
    assert answers["stream"].body == b"0\n1\n2\n"


@pytest.mark.parametrize("door", PAYLOAD_2)
@pytest.mark.parametrize(
    ("framework", "journal"),
    [
        ("fastapi", ["open", "close", "open", "rolled back", "close", "open", "close", "later"]),
        ("starlette", ["later"]),
    ],
)
def test_dependencies_are_closed_and_background_tasks_done_with_their_request(
    framework: str, journal: list[str], door: str, static: Path
) -> None:
    asked = [Question("GET", path) for path in ("/connected", "/broken", "/bug")] + [Question("POST", "/later")]
    with closing(Lambent(APPS[framework](static))) as handler:
        for question in asked:
            ask_lambda(handler, door, question)
        assert json.loads(ask_lambda(handler, door, Question("GET", "/journal")).body) == journal


# Behind a stage


@pytest.mark.parametrize("framework", APPS)
def test_a_stage_is_what_a_root_path_is_to_uvicorn(framework: str, static: Path) -> None:
    build = APPS[framework]
    paths = ("/seen/production/prod", "/items/7", "/static/style.css", "/", "/openapi.json", "/docs", "/me/")
    with served(build(static), root_path="/prod") as port:
        references = [ask_uvicorn(port, Question("GET", path)) for path in paths]
    got = []
    with closing(Lambent(build(static))) as handler:
        for path in paths:
            event = payload("http_api_stage")
            event["headers"] = {"host": HOST, "x-forwarded-proto": "http"}
            event["rawPath"] = event["requestContext"]["http"]["path"] = f"/prod{path}"
            event["requestContext"]["http"]["sourceIp"] = "127.0.0.1"
            got.append(read(handler(event)))
    assert got == references
    assert json.loads(got[0].body)["url_for"] == f"http://{HOST}/prod/items/9"
    assert json.loads(got[0].body)["url"] == f"http://{HOST}/prod/seen/production/prod"


# Beyond one request


@pytest.mark.parametrize("framework", APPS)
def test_requests_at_the_same_time_are_all_answered(framework: str, static: Path) -> None:
    async def main() -> list[int]:
        handler = Lambent(APPS[framework](static))
        events = [payload("http_api_get") | {"rawPath": f"/items/{number}"} for number in range(20)]
        return [reply["statusCode"] for reply in await asyncio.gather(*map(handler.handle, events))]

    assert asyncio.run(main()) == [200] * 20


def test_a_startup_that_raises_is_the_framework_s_own_exception(static: Path) -> None:
    @asynccontextmanager
    async def broken(_: Starlette) -> AsyncIterator[None]:
        raise OSError("no database")
        yield

    with closing(Lambent(Starlette(lifespan=broken))) as handler:
        for _ in range(2):
            with pytest.raises(OSError, match="no database"):
                handler(payload("http_api_get"))


def test_an_unhandled_error_is_logged_once_with_the_application_s_lines(
    static: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with closing(Lambent(starlette_app(static))) as handler:
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
