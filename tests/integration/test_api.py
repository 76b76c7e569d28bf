"""One application of `lambent.api`, asked the same on every road: alone, behind each front door, in each runtime.

What it answers alone is what it answers anywhere, and each request has the same line in the log.
"""

from __future__ import annotations

import base64
import contextlib
import json
import re
import runpy
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from http.client import HTTPConnection
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest

from lambent import Lambent
from lambent.dev.doors import DOORS
from lambent.errors import ConfigurationError
from lambent.testing import Client
from tests.api.asking import ask as ask_alone
from tests.dev.local import LIMIT, LocalLambda, environment, until
from tests.integration.emulator import Emulator, binary, offered

APP = """
import asyncio
from contextlib import asynccontextmanager
from typing import Annotated

from pydantic import BaseModel
from lambent import Lambent
from lambent.api import *

class Item(BaseModel):
    name: str
    price: float

class Stock(Exception): ...

@asynccontextmanager
async def lifespan(api):
    yield {"greeting": "hello"}

api = Api(lifespan=lifespan, timeout=20, max_body=1_000_000)

@api.exception_handler(Stock)
async def stock(request, error):
    return JSONResponse({"why": str(error)}, 409)

@api.get("/items/{item_id}")
async def read_item(item_id: int, q: str | None = None, tag: Annotated[list[str], Query()] = []):
    log()["item"] = item_id
    return {"item_id": item_id, "q": q, "tag": tag}

@api.post("/items", status_code=201)
async def add_item(item: Item, response: Response, request: Request) -> Item:
    response.headers["location"] = "/items/7"
    return item

@api.put("/fields")
async def fields(name: str, count: int = 1):
    return [name, count]

@api.get("/sync/{name:path}")
def sync(name: str):
    return f"hello {name}"

@api.get("/state")
async def state(request: Request):
    return request.state.greeting

@api.get("/visit")
async def visit(response: Response, visits: Annotated[int, Cookie()] = 0):
    response.set_cookie("visits", str(visits + 1), httponly=True)
    response.set_cookie("other", "a")
    return None

@api.get("/stream")
async def stream():
    for number in range(3):
        await asyncio.sleep(0)
        yield f"line {number}\\n"

@api.get("/objects")
async def objects():
    for number in range(3):
        yield {"number": number}

@api.get("/events")
async def events():
    async def told():
        yield ServerSentEvent("a\\nb", event="tick", id="1")
        yield ServerSentEvent({"a": 1})
    return EventSourceResponse(told())

@api.get("/late-error")
async def late_error():
    raise HTTPException(410, "gone")
    yield

@api.post("/upload")
async def upload(file: UploadFile, note: Annotated[str, Form()] = ""):
    content = await file.read()
    return {"name": file.filename, "size": len(content), "sum": sum(content), "note": note}

@api.post("/form")
async def form(name: Annotated[str, Form()], age: Annotated[int, Form()]):
    return [name, age]

@api.get("/big")
async def big():
    return bytes(range(256)) * 2000

@api.get("/text")
async def text():
    return "lämp " * 100_000

@api.post("/size")
async def size(request: Request):
    return len(await request.body())

@api.get("/slow", timeout=0.02)
async def slow():
    await asyncio.Event().wait()

@api.get("/busy")
async def busy():
    raise HTTPException(503, headers={"Retry-After": "5"}, error_detail="The stock is being counted.")

@api.get("/taken")
async def taken():
    raise Stock("taken")

@api.get("/background")
async def background(tasks: BackgroundTasks):
    tasks.add_task(log().__setitem__, "done", True)
    return "sent"

@api.get("/none")
async def none(): ...

@api.get("/elsewhere")
async def elsewhere():
    return RedirectResponse("/items/7?q=é")

@api.get("/hang")
async def hang():
    await asyncio.Event().wait()

@api.get("/error")
async def error():
    raise ValueError("the secret")

api.add_middleware(GZipMiddleware, minimum_size=400_000)
api.add_middleware(CORSMiddleware, allow_origins=["https://a.example"])
handler = Lambent(api)
"""

JSON = {"content-type": "application/json"}
FORM = {"content-type": "application/x-www-form-urlencoded"}
UPLOAD = (
    b'--edge\r\ncontent-disposition: form-data; name="note"\r\n\r\nl\xc3\xa4mp\r\n'
    b'--edge\r\ncontent-disposition: form-data; name="file"; filename="h\xc3\xa9.bin"\r\n'
    b"content-type: application/octet-stream\r\n\r\n\x00\xff\r\n\xfe--edg\r\n--edge--\r\n"
)
COMPARED = (
    *("access-control-allow-origin", "allow", "cache-control", "content-disposition", "content-encoding"),
    *("content-type", "location", "retry-after", "set-cookie", "vary", "x-request-id"),
)
"""Of the response fields, those that neither a server nor a gateway adds or changes."""


class Question(NamedTuple):
    method: str
    target: str
    headers: Mapping[str, str] = MappingProxyType({})
    body: bytes = b""


class Answer(NamedTuple):
    status: int
    fields: list[tuple[str, str]]
    body: bytes


Ask = Callable[[Question], Answer]


class Road(NamedTuple):
    ask: Ask
    log: Callable[[], str]
    port: int = 0


QUESTIONS = {
    "path and query": Question("GET", "/items/7?q=lamp&tag=a"),
    "a repeated key": Question("GET", "/items/7?q=no&tag=a&tag=b&q=lamp"),
    "a query that needs care": Question("GET", "/items/7?q=a%2Bb+c%26d%3D%C3%A9%F0%9F%92%A1"),
    "a number that is none": Question("GET", "/items/seven"),
    "no item": Question("GET", "/items"),
    "a body": Question("POST", "/items", JSON, '{"name": "lämp 💡", "price": 9.5}'.encode()),
    "a body that is not JSON": Question("POST", "/items", JSON, b'{"name": '),
    "a body that is not UTF-8": Question("POST", "/items", JSON, b'{"name": "\xff", "price": 1}'),
    "a body too deep": Question("POST", "/items", JSON, b"[" * 50_000),
    "a body of the wrong type": Question("POST", "/items", JSON, b'{"name": 7, "price": "high"}'),
    "a body of another content type": Question("POST", "/items", {"content-type": "text/xml"}, b"<item/>"),
    "no body": Question("POST", "/items", JSON),
    "an odd content type": Question(
        "POST", "/items", {"content-type": "Application/JSON ; Charset=UTF-8"}, b'{"name": "a", "price": 1}'
    ),
    "fields": Question("PUT", "/fields", JSON, b'{"name": "a", "count": 3}'),
    "an unknown field": Question("PUT", "/fields", JSON, b'{"name": "a", "cuont": 3}'),
    "a sync function": Question("GET", "/sync/a%20b/c"),
    "the lifespan's state": Question("GET", "/state"),
    "cookies": Question("GET", "/visit", {"cookie": "a=b; visits=41"}),
    "a stream": Question("GET", "/stream"),
    "a stream of objects": Question("GET", "/objects"),
    "server-sent events": Question("GET", "/events"),
    "a stream that fails at once": Question("GET", "/late-error"),
    "an upload": Question("POST", "/upload", {"content-type": "multipart/form-data; boundary=edge"}, UPLOAD),
    "a broken upload": Question("POST", "/upload", {"content-type": "multipart/form-data; boundary=edge"}, UPLOAD[:50]),
    "a form": Question("POST", "/form", FORM, b"name=l%C3%A4mp&age=7"),
    "a form that is wrong": Question("POST", "/form", FORM, b"name=&age=old"),
    "a big answer": Question("GET", "/big"),
    "a big answer, compressed": Question("GET", "/text", {"accept-encoding": "gzip"}),
    "a big body": Question("POST", "/size", {"content-type": "application/octet-stream"}, bytes(600_000)),
    "a timeout": Question("GET", "/slow"),
    "busy": Question("GET", "/busy"),
    "a handled exception": Question("GET", "/taken"),
    "a background task": Question("GET", "/background"),
    "nothing": Question("GET", "/none"),
    "HEAD": Question("HEAD", "/items/7"),
    "OPTIONS": Question("OPTIONS", "/items/7"),
    "a preflight": Question(
        "OPTIONS", "/items/7", {"origin": "https://a.example", "access-control-request-method": "GET"}
    ),
    "from another origin": Question("GET", "/items/7", {"origin": "https://a.example"}),
    "not found": Question("GET", "/nothing/h%C3%A9re"),
    "method not allowed": Question("DELETE", "/items/7"),
    "the redirect of a slash": Question("GET", "/state/?a=b"),
    "a redirect": Question("GET", "/elsewhere"),
    "many parameters": Question("GET", "/items/7?" + "&".join(map(str, range(1050)))),
    "OpenAPI": Question("GET", "/openapi.json"),
}
TOO_LARGE = Question("POST", "/size", {"content-type": "application/octet-stream"}, bytes(1_000_001))


def identified(name: str, question: Question) -> Question:
    return question._replace(headers={**question.headers, "x-request-id": re.sub(r"\W+", "-", name)})


def told(status: int, fields: list[tuple[str, str]], body: bytes) -> Answer:
    plain = [(name.lower().removeprefix("x-amzn-remapped-"), value) for name, value in fields]  # by REST APIs
    found = [(name, value) for name, value in plain if name in COMPARED]
    if not body:  # some doors give a type to what has none
        found = [(name, value) for name, value in found if name != "content-type"]
    return Answer(status, sorted(found), body)


# Roads


def load(folder: Path) -> Any:
    return runpy.run_path(str(folder / "app.py"), run_name="app")


def captured(api: Any) -> list[str]:
    """Where its lines go from now on."""
    lines: list[str] = []
    api.log._write = lines.append
    return lines


def through(port: int) -> Ask:
    def ask(question: Question) -> Answer:
        with contextlib.closing(HTTPConnection("127.0.0.1", port, timeout=LIMIT)) as connection:
            connection.request(question.method, question.target, question.body or None, dict(question.headers))
            response = connection.getresponse()
            return told(response.status, response.getheaders(), response.read())

    return ask


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[Road]:
    api = load(folder)["api"]
    lines = captured(api)

    def ask(question: Question) -> Answer:
        answer = ask_alone(
            api, question.method, question.target, question.headers, question.body, state={"greeting": "hello"}
        )
        return told(answer.status, answer.fields, answer.body)

    yield Road(ask, lambda: "\n".join(lines))


def behind(door: str) -> Callable[[Path], contextlib.AbstractContextManager[Road]]:
    @contextlib.contextmanager
    def road(folder: Path) -> Iterator[Road]:
        app = load(folder)
        lines = captured(app["api"])
        with Client(app["handler"], door=door) as client:

            def ask(question: Question) -> Answer:
                response = client.request(
                    question.method, question.target, headers=question.headers, data=question.body
                )
                fields = [(name, value) for name in response.headers for value in response.headers.all(name)]
                return told(response.status, fields, response.body)

            yield Road(ask, lambda: "\n".join(lines))

    return road


@contextlib.contextmanager
def uvicorn(folder: Path) -> Iterator[Road]:
    with socket.create_server(("127.0.0.1", 0)) as listener, (folder / "log").open("w+b") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "uvicorn", "app:api", "--fd", str(listener.fileno()), "--log-level", "error"],
            cwd=folder,
            env=environment(),
            pass_fds=[listener.fileno()],
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            # whoever connects waits in the listener's queue until uvicorn takes it
            port: int = listener.getsockname()[1]
            yield Road(through(port), (folder / "log").read_text, port)
        finally:
            process.terminate()
            process.wait(LIMIT)


def local(*options: str) -> Callable[[Path], contextlib.AbstractContextManager[Road]]:
    @contextlib.contextmanager
    def road(folder: Path) -> Iterator[Road]:
        if "awslambdaric" in options:
            pytest.importorskip("awslambdaric", reason="it has wheels for Linux only")
        with LocalLambda(folder, *options, "--allow-host", "a.example") as running:
            yield Road(through(running.port), lambda: running.output)

    return road


@contextlib.contextmanager
def emulator(folder: Path) -> Iterator[Road]:
    offered()
    gateway = Client(load(folder)["api"], door="url")
    with Emulator(binary(), folder, "app.handler") as running:

        def ask(question: Question) -> Answer:
            event = gateway.event(question.target, question.method, headers=question.headers, data=question.body)
            reply = running.ask(event)
            body = reply.get("body", "")
            content = base64.b64decode(body) if reply.get("isBase64Encoded") else body.encode()
            cookies = [("set-cookie", value) for value in reply.get("cookies", ())]
            return told(reply["statusCode"], [*reply["headers"].items(), *cookies], content)

        yield Road(ask, lambda: running.log)


ROADS = {
    **{f"handler mode, {door}": behind(door) for door in DOORS if door != "edge-viewer"},
    "uvicorn": uvicorn,
    "our runtime, Function URL": local("app:api", "--door", "url"),
    "our runtime, streamed": local("app:handler", "--door", "url", "--stream"),
    "our runtime, REST API": local("app:handler", "--door", "rest"),
    "awslambdaric": local("app.handler", "--runtime", "awslambdaric"),
    "RIE": emulator,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("service")
    (folder / "app.py").write_text(APP, "utf-8")
    return folder


class Result(NamedTuple):
    answers: dict[str, Answer]
    lines: dict[str, dict[str, Any]]
    """By the ids of requests."""


def result(make: Callable[[Path], contextlib.AbstractContextManager[Road]], folder: Path) -> Result:
    with make(folder) as road:
        answers = {name: road.ask(identified(name, question)) for name, question in QUESTIONS.items()}
        answers["too large"] = road.ask(identified("too large", TOO_LARGE))
        until(lambda: '"id":"too-large"' in road.log(), road.log)  # the reply leaves before the line is written
        return Result(answers, lines(road.log()))


def lines(log: str) -> dict[str, dict[str, Any]]:
    found = [json.loads(each) for each in re.findall(r'\{"type":"access".*\}', log)]
    assert len({each["id"] for each in found}) == len(found), "a line each"
    return {each["id"]: each for each in found}


@pytest.fixture(scope="module")
def reference(folder: Path) -> Result:
    return result(alone, folder)


@pytest.fixture(scope="module", params=ROADS)
def got(request: pytest.FixtureRequest, folder: Path) -> Result:
    return result(ROADS[request.param], folder)


def test_the_answers_are_the_same(got: Result, reference: Result, request: pytest.FixtureRequest) -> None:
    different = {
        name: (answer, reference.answers[name])
        for name, answer in got.answers.items()
        if answer != reference.answers[name]
    }
    if request.node.callspec.params["got"] == "handler mode, alb":
        different.pop("a repeated key")  # it has the last one only
    assert not different


def test_the_lines_are_the_same(got: Result, reference: Result) -> None:
    own = ("date", "server_id", "execution_time", "remaining_time", "user_agent", "cold_start", "timestamp")

    def common(result: Result) -> dict[str, dict[str, Any]]:
        return {
            name: {field: value for field, value in line.items() if field not in own}
            for name, line in result.lines.items()
        }

    assert common(got) == common(reference)
    assert next(iter(got.lines.values()))["cold_start"], "the first; there may be more environments than one"


def test_the_reference_is_worth_comparing_with(reference: Result) -> None:
    answers = reference.answers
    assert {name: answer.status for name, answer in answers.items() if answer.status != 200} == {
        "a number that is none": 422,
        "no item": 405,
        "a body": 201,
        "a body that is not JSON": 422,
        "a body that is not UTF-8": 422,
        "a body too deep": 422,
        "a body of the wrong type": 422,
        "a body of another content type": 415,
        "no body": 422,
        "an odd content type": 201,
        "an unknown field": 422,
        "cookies": 204,
        "a stream that fails at once": 410,
        "a broken upload": 400,
        "a form that is wrong": 422,
        "a timeout": 504,
        "busy": 503,
        "a handled exception": 409,
        "nothing": 204,
        "OPTIONS": 204,
        "a preflight": 204,
        "not found": 404,
        "method not allowed": 405,
        "the redirect of a slash": 307,
        "a redirect": 307,
        "many parameters": 400,
        "too large": 413,
    }
    assert answers["a stream"].body == b"line 0\nline 1\nline 2\n"
    assert answers["a stream of objects"].body.count(b"\n") == 3
    assert b"event: tick\n" in answers["server-sent events"].body
    assert json.loads(answers["an upload"].body) == {
        "name": "hé.bin",
        "size": 10,
        "sum": sum(b"\x00\xff\r\n\xfe--edg"),
        "note": "lämp",
    }
    assert len([field for field in answers["cookies"].fields if field[0] == "set-cookie"]) == 2
    assert len(answers["a big answer"].body) == 512_000
    assert ("content-encoding", "gzip") in answers["a big answer, compressed"].fields
    assert reference.lines["busy"]["error_detail"] == "The stock is being counted."
    assert reference.lines["a-background-task"]["done"] is True
    assert reference.lines["path-and-query"]["item"] == 7
    assert len(reference.lines) == len(QUESTIONS) + 1


# What fails


ERROR = Question("GET", "/error", {"x-request-id": "failing"})


def test_an_exception_fails_the_invocation(folder: Path) -> None:
    with local("app:api", "--door", "url")(folder) as road:
        answer = road.ask(ERROR)
        after = road.ask(QUESTIONS["path and query"])
        until(lambda: '"id":"failing"' in road.log(), road.log)
        log = road.log()
    assert (answer.status, after.status) == (502, 200)
    assert b"secret" not in answer.body
    line = lines(log)["failing"]
    assert (line["status_code"], line["level"]) == (500, "critical")
    assert line["exception"] == {"type": "ValueError", "message": "the secret"}


def test_an_exception_is_what_an_invoker_sees(folder: Path) -> None:
    offered()
    event = Client(load(folder)["api"], door="url").event("/error")
    with Emulator(binary(), folder, "app.handler") as running:
        reply = running.invoke(json.dumps(event).encode()).json
    assert (reply["errorType"], reply["errorMessage"]) == ("ValueError", "the secret")
    assert "in error" in reply["stackTrace"][-1]


def test_a_function_that_hangs_is_answered_for_before_the_invocation_ends(folder: Path) -> None:
    offered()
    event = Client(load(folder)["api"], door="url").event("/hang", headers={"x-request-id": "hanging"})
    with Emulator(binary(), folder, "app.handler", AWS_LAMBDA_FUNCTION_TIMEOUT="3") as running:  # its start counts
        reply = running.ask(event)
        until(lambda: '"id":"hanging"' in running.log, lambda: running.log)
        line = lines(running.log)["hanging"]
    assert (reply["statusCode"], json.loads(reply["body"])) == (504, {"detail": "Gateway Timeout"})
    assert (line["status_code"], line["level"]) == (504, "error")
    assert 0 < line["remaining_time"] < 3000


def test_in_handler_mode_it_is_raised(folder: Path) -> None:
    app = load(folder)
    with Client(app["handler"], door="http") as client:
        with pytest.raises(ValueError, match="the secret"):
            client.get("/error")
        assert client.get("/state").text == "hello"
    with Client(app["handler"], door="http", strict=False) as client:
        response = client.get("/error")
        assert (response.status, "secret" in response.text) == (500, False)
    with Client(Lambent(app["api"], errors="respond"), door="http") as client:
        assert client.get("/error").status == 500


def test_work_at_import_is_refused_by_uvicorn_with_a_word_on_the_lifespan(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(
        "import asyncio\nfrom lambent.api import Api\napi = Api()\napi.run_async(asyncio.sleep(0))\n", "utf-8"
    )
    command = [sys.executable, "-m", "uvicorn", "app:api", "--port", "0"]
    ended = subprocess.run(
        command, cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=LIMIT, check=False
    )
    assert ended.returncode != 0
    assert "lifespan" in ended.stderr
    assert ConfigurationError.__name__ in ended.stderr or "WrongEventLoop" in ended.stderr


def test_under_uvicorn_an_exception_is_answered_and_a_client_that_goes_ends_the_stream(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(
        """
import asyncio, contextlib
from collections.abc import AsyncIterator
from lambent.api import Api, Depends

api = Api()
ended = asyncio.Event()

@api.get("/error")
async def error():
    raise ValueError("the secret")

async def session():
    yield
    ended.set()

@api.get("/", dependencies=[Depends(session)])
async def endless():
    while True:
        yield "x" * 1000
        await asyncio.sleep(0)

@api.get("/ended")
async def is_ended():
    await asyncio.wait_for(ended.wait(), 10)
    return "ended"
""",
        "utf-8",
    )
    with uvicorn(tmp_path) as road:
        with socket.create_connection(("127.0.0.1", road.port), LIMIT) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
            assert connection.recv(100).startswith(b"HTTP/1.1 200")
        assert road.ask(Question("GET", "/ended")).body == b"ended"
        answer = road.ask(ERROR)
        assert (answer.status, answer.body) == (500, b"Internal Server Error")
        assert lines(road.log())["failing"]["level"] == "critical"
