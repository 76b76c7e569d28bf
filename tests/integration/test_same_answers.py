"""The FastAPI example, asked the same things on every road: both runtimes in the local Lambda, both doors, and uvicorn.

uvicorn is the reference: an answer that came through Lambda is the one that the application gives without it.
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from http.client import HTTPConnection
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import pytest

from tests.dev.local import LIMIT, SOURCE, LocalLambda

EXAMPLE = Path(__file__).parents[2] / "examples" / "fastapi_app"

ROADS = {
    "lambent, Function URL": ("app:app", "--door", "url"),
    "lambent, HTTP API": ("app:app", "--door", "http"),
    "lambent, HTTP API 1.0": ("app:app", "--door", "http1"),
    "lambent, REST API": ("app:app", "--door", "rest"),
    "lambent, ALB": ("app:app", "--door", "alb"),
    "lambent, ALB with multi-value headers": ("app:app", "--door", "alb-multi"),
    "lambent, VPC Lattice": ("app:app", "--door", "lattice"),
    "lambent, CloudFront": ("app:app", "--door", "edge"),
    "awslambdaric, Function URL": ("app.handler", "--door", "url", "--runtime", "awslambdaric"),
    "awslambdaric, HTTP API": ("app.handler", "--door", "http", "--runtime", "awslambdaric"),
}

# What a door calls a body without a type; CloudFront leaves it without.
DEFAULT_TYPES = {
    "url": "application/json",
    "http": "text/plain; charset=utf-8",
    "http1": "text/plain; charset=utf-8",
    "rest": "application/json",
    "alb": "application/octet-stream",
    "alb-multi": "application/octet-stream",
    "lattice": "application/json",
}

UPLOAD = (
    b'--edge\r\ncontent-disposition: form-data; name="file"; filename="h\xc3\xa9.bin"\r\n'
    b"content-type: application/octet-stream\r\n\r\n\x00\xff\r\n\xfe--edg\r\n--edge--\r\n"
)

# Of the response fields, those that neither a server nor a gateway adds or changes.
COMPARED = ("content-type", "content-length", "content-disposition", "set-cookie", "allow", "location", "etag")


class Question(NamedTuple):
    method: str
    target: str
    headers: Mapping[str, str] = MappingProxyType({})
    body: bytes | None = None


class Answer(NamedTuple):
    status: int
    headers: list[tuple[str, str]]
    body: bytes


JSON = {"content-type": "application/json"}
QUESTIONS = {
    "path and query": Question("GET", "/items/7?q=lamp"),
    "query that needs care": Question("GET", "/items/7?q=a%2Bb+c%26d%3D%C3%A9%F0%9F%92%A1"),
    "no query": Question("GET", "/items/7"),
    "validation error": Question("GET", "/items/seven"),
    "post": Question("POST", "/items", JSON, b'{"name": "l\xc3\xa4mp", "price": 9.5}'),
    "post of what is not JSON": Question("POST", "/items", JSON, b'{"name": '),
    "post of what is not UTF-8": Question("POST", "/items", JSON, b'{"name": "\xff"}'),
    "binary download": Question("GET", "/logo.png"),
    "cookie": Question("GET", "/visit", {"cookie": "visits=41"}),
    "two cookies": Question("GET", "/visit", {"cookie": "other=1; visits=7"}),
    "upload": Question("POST", "/upload", {"content-type": "multipart/form-data; boundary=edge"}, UPLOAD),
    "static file": Question("GET", "/static/style.css"),
    "HEAD of a static file": Question("HEAD", "/static/style.css"),
    "background task": Question("POST", "/notes/hello"),
    "method not allowed": Question("DELETE", "/items/7"),
    "not found": Question("GET", "/nothing/here"),
    "redirect of the trailing slash": Question("GET", "/visit/"),
    "error": Question("GET", "/error"),
    "after the error": Question("GET", "/items/8"),
    "OpenAPI": Question("GET", "/openapi.json"),
}


def ask(port: int, question: Question) -> Answer:
    connection = HTTPConnection("127.0.0.1", port, timeout=LIMIT)
    try:
        headers = {"host": "localhost", **question.headers}
        connection.request(question.method, question.target, question.body, headers)
        response = connection.getresponse()
        fields = [(name.lower(), value) for name, value in response.getheaders()]
        return Answer(response.status, sorted(field for field in fields if field[0] in COMPARED), response.read())
    finally:
        connection.close()


def folded(answer: Answer, name: str, road: str) -> Answer:
    """What a door makes of an answer: it counts the body itself, and gives a type to what has none."""
    fields = dict(answer.headers)
    if name == "HEAD of a static file":
        fields["content-length"] = "0"
    door = ROADS[road][2]
    if "content-type" not in fields and door in DEFAULT_TYPES:
        fields["content-type"] = DEFAULT_TYPES[door]
    return answer._replace(headers=sorted(fields.items()))


def same(answer: Answer) -> Answer:
    """Without the process that gave it: its number is as long as it happens to be."""
    if not answer.body.startswith(b'{"pid":'):
        return answer
    return Answer(answer.status, [field for field in answer.headers if field[0] != "content-length"], b"")


@contextlib.contextmanager
def uvicorn() -> Iterator[int]:
    """The example without Lambda."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        process = subprocess.Popen(
            [sys.executable, "-m", "uvicorn", "app:app", "--fd", str(listener.fileno()), "--log-level", "critical"],
            cwd=EXAMPLE,
            env={**os.environ, "PYTHONPATH": str(SOURCE)},
            pass_fds=[listener.fileno()],
            stdout=subprocess.DEVNULL,
        )
        try:
            yield port  # whoever connects waits in the listener's queue until uvicorn takes it
        finally:
            process.terminate()
            process.wait(LIMIT)


@pytest.fixture(scope="module")
def reference() -> Iterator[dict[str, Answer]]:
    with uvicorn() as port:
        yield {name: ask(port, question) for name, question in QUESTIONS.items()}


@pytest.fixture(scope="module", params=ROADS)
def answers(request: pytest.FixtureRequest) -> Iterator[dict[str, Answer]]:
    target, *options = ROADS[request.param]
    if "awslambdaric" in options:
        pytest.importorskip("awslambdaric", reason="AWS's runtime has wheels for Linux only")
    with LocalLambda(EXAMPLE, target, *options) as local:
        yield {name: ask(local.port, question) for name, question in QUESTIONS.items()}


@pytest.mark.parametrize("name", QUESTIONS)
def test_the_answer_is_uvicorns(
    name: str, answers: dict[str, Answer], reference: dict[str, Answer], request: pytest.FixtureRequest
) -> None:
    road = request.node.callspec.params["answers"]
    expected, got = folded(reference[name], name, road), answers[name]
    assert same(got) == same(expected)


def test_the_reference_is_worth_comparing_with(reference: dict[str, Answer]) -> None:
    assert reference["path and query"].body == b'{"item_id":7,"q":"lamp"}'
    assert reference["query that needs care"].body == '{"item_id":7,"q":"a+b c&d=é💡"}'.encode()
    assert reference["upload"].body.endswith(b'"bytes":10}')
    assert reference["binary download"].body.startswith(b"\x89PNG")
    assert ("set-cookie", "visits=42; HttpOnly; Path=/; SameSite=lax") in reference["cookie"].headers
    assert [reference[name].status for name in ("validation error", "error", "not found")] == [422, 500, 404]
