"""examples/api, asked the same things on every road: uvicorn, the local Lambda, handler mode, AWS's own emulator.

uvicorn is the reference: an answer that came through Lambda is the one that the application gives without it.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import gzip
import json
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from http.client import HTTPConnection
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest

from examples.api.src.items.app import api
from examples.api.src.items.models import Changes, NewItem
from examples.api.src.items.store import Store
from lambent import Lambent
from lambent.testing import Client, context
from tests.dev.local import LIMIT, SOURCE, LocalLambda
from tests.integration.emulator import Emulator, binary, offered
from tests.integration.newcomer import ROOT, tool, variables

EXAMPLE = ROOT / "examples" / "api"
TOKEN = "a-token-for-this-machine"
TOKENED = {"authorization": f"Bearer {TOKEN}"}
JSON = {"content-type": "application/json"}
WRITING = {**TOKENED, **JSON}
PNG = b"\x89PNG\r\n\x1a\n\x00\xff--edg\r\n"

# Of the response fields, those that neither a server nor a gateway adds or changes.
COMPARED = (
    *("access-control-allow-origin", "access-control-allow-methods", "allow", "cache-control", "content-disposition"),
    *("content-encoding", "content-type", "link", "location", "vary", "www-authenticate"),
)


class Question(NamedTuple):
    method: str
    target: str
    headers: Mapping[str, str] = MappingProxyType({})
    body: bytes = b""


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


Ask = Callable[[Question], Answer]


def uploaded(media_type: str, content: bytes) -> tuple[dict[str, str], bytes]:
    head = f'--edge\r\ncontent-disposition: form-data; name="file"; filename="a"\r\ncontent-type: {media_type}\r\n\r\n'
    return {
        **TOKENED,
        "content-type": "multipart/form-data; boundary=edge",
    }, head.encode() + content + b"\r\n--edge--\r\n"


def added(name: str, price: int, *tags: str) -> Question:
    return Question("POST", "/items", WRITING, json.dumps({"name": name, "price": price, "tags": tags}).encode())


QUESTIONS = {
    "no items": Question("GET", "/items"),
    "without a token": Question("POST", "/items", JSON, b'{"name": "lamp", "price": 1}'),
    "with another token": Question(
        "POST", "/items", {**JSON, "authorization": "Bearer x"}, b'{"name": "a", "price": 1}'
    ),
    "added": added("brass lamp", 4900, "light", "brass"),
    "added, another": added("lämp \U0001f4a1", 0),
    "added, a third": added("chair", 12000),
    "a first page": Question("GET", "/items?limit=2"),
    "a second page": Question("GET", "/items?limit=2&after=2"),
    "a search": Question("GET", "/items?q=LAMP"),
    "a page too long": Question("GET", "/items?limit=1000"),
    "one": Question("GET", "/items/2"),
    "none": Question("GET", "/items/99"),
    "no number": Question("GET", "/items/two"),
    "a number too long": Question("GET", "/items/99999999999999999999"),
    "changed": Question("PATCH", "/items/1", WRITING, b'{"price": 3900}'),
    "changed by an unknown field": Question("PATCH", "/items/1", WRITING, b'{"cost": 3900}'),
    "a price below nothing": Question("POST", "/items", WRITING, b'{"name": "debt", "price": -1}'),
    "no JSON": Question("POST", "/items", WRITING, b'{"name": '),
    "no UTF-8": Question("POST", "/items", WRITING, b'{"name": "\xff", "price": 1}'),
    "another type": Question("POST", "/items", {**TOKENED, "content-type": "text/xml"}, b"<item/>"),
    "a picture": Question("PUT", "/items/1/picture", *uploaded("image/png", PNG)),
    "no picture": Question("PUT", "/items/1/picture", *uploaded("text/html", b"<script>")),
    "a picture of none": Question("PUT", "/items/99/picture", *uploaded("image/png", PNG)),
    "the picture": Question("GET", "/items/1/picture"),
    "lines": Question("GET", "/export.jsonl"),
    "lines, compressed": Question("GET", "/export.jsonl", {"accept-encoding": "gzip"}),
    "a table": Question("GET", "/export.csv"),
    "changes": Question("GET", "/changes"),
    "changes since": Question("GET", "/changes", {"last-event-id": "3"}),
    "removed": Question("DELETE", "/items/3", TOKENED),
    "removed twice": Question("DELETE", "/items/3", TOKENED),
    "a preflight": Question(
        "OPTIONS", "/items", {"origin": "https://a.example", "access-control-request-method": "POST"}
    ),
    "from another origin": Question("GET", "/items/1", {"origin": "https://a.example"}),
    "method not allowed": Question("DELETE", "/items"),
    "nothing": Question("GET", "/nothing"),
    "HEAD": Question("HEAD", "/items/1"),
    "OpenAPI": Question("GET", "/openapi.json"),
}


# Roads


def copy(folder: Path) -> Path:
    """The example, without what somebody has left in it."""
    ignored = shutil.ignore_patterns("__pycache__", ".aws-sam", "items.sqlite3*", ".env")
    return Path(shutil.copytree(EXAMPLE, folder / "api", ignore=ignored))


def environ(folder: Path) -> dict[str, str]:
    return {"API_TOKEN": TOKEN, "ITEMS_FILE": str(folder / "items.sqlite3")}


def through(port: int) -> Ask:
    def ask(question: Question) -> Answer:
        with contextlib.closing(HTTPConnection("127.0.0.1", port, timeout=LIMIT)) as connection:
            connection.request(question.method, question.target, question.body or None, dict(question.headers))
            response = connection.getresponse()
            return told(response.status, dict(response.getheaders()), response.read())

    return ask


def by_events(door: str, invoke: Callable[[Any], Any]) -> Ask:
    """What a gateway does, without one: an event, and the reply to it."""
    gateway = Client(api, door=door)

    def ask(question: Question) -> Answer:
        event = gateway.event(question.target, question.method, headers=question.headers, data=question.body)
        reply = invoke(event)
        body = reply.get("body", "")
        return told(
            reply["statusCode"],
            reply["headers"],
            base64.b64decode(body) if reply.get("isBase64Encoded") else body.encode(),
        )

    return ask


def told(status: int, headers: Mapping[str, str], body: bytes) -> Answer:
    plain = {name.lower().removeprefix("x-amzn-remapped-"): value for name, value in headers.items()}  # by REST APIs
    found = {name: value for name, value in plain.items() if name in COMPARED}
    if not body:
        found.pop("content-type", None)  # which some doors give to what has none
    if found.get("content-encoding") == "gzip":
        body = gzip.decompress(body)
    return Answer(status, found, body)


@contextlib.contextmanager
def uvicorn(folder: Path) -> Iterator[Ask]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "uvicorn",
                "items.app:api",
                "--fd",
                str(listener.fileno()),
                "--log-level",
                "critical",
            ],
            cwd=folder / "src",
            env={**os.environ, "PYTHONPATH": str(SOURCE), **environ(folder)},
            pass_fds=[listener.fileno()],
            stdout=subprocess.DEVNULL,
        )
        try:
            yield through(listener.getsockname()[1])  # whoever connects waits in the queue until uvicorn takes it
        finally:
            process.terminate()
            process.wait(LIMIT)


@contextlib.contextmanager
def handler_mode(folder: Path) -> Iterator[Ask]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environ(folder).items():
            patch.setenv(name, value)
        handler = Lambent(api)
        yield by_events("http", lambda event: handler(event, context()))
        handler.close()


@contextlib.contextmanager
def emulator(folder: Path) -> Iterator[Ask]:
    offered()
    with Emulator(binary(), folder / "src", "items.app.handler", **environ(folder)) as running:
        yield by_events("url", running.ask)


def local(*options: str) -> Callable[[Path], contextlib.AbstractContextManager[Ask]]:
    @contextlib.contextmanager
    def road(folder: Path) -> Iterator[Ask]:
        if "awslambdaric" in options:
            pytest.importorskip("awslambdaric", reason="AWS's runtime has wheels for Linux only")
        with LocalLambda(folder, *(options or (None,)), "--allow-host", "a.example") as running:
            yield through(running.port)

    return road


ROADS = {
    "lambent dev, as it is configured": local(),
    "lambent dev, HTTP API": local("items.app:handler", "--door", "http"),
    "lambent dev, REST API": local("items.app:api", "--door", "rest"),
    "lambent dev, awslambdaric": local("items.app.handler", "--runtime", "awslambdaric"),
    "handler mode": handler_mode,
    "RIE": emulator,
}


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Answer]:
    with uvicorn(copy(tmp_path_factory.mktemp("reference"))) as ask:
        return {name: ask(question) for name, question in QUESTIONS.items()}


@pytest.mark.parametrize("road", ROADS)
def test_the_answers_are_uvicorns(road: str, reference: dict[str, Answer], tmp_path: Path) -> None:
    with ROADS[road](copy(tmp_path)) as ask:
        answers = {name: ask(question) for name, question in QUESTIONS.items()}

    assert answers == reference


def test_the_reference_is_worth_comparing_with(reference: dict[str, Answer]) -> None:
    lamp = {"id": 1, "name": "brass lamp", "price": 4900, "tags": ["light", "brass"]}
    statuses = {
        "without a token": 401,
        "with another token": 401,
        "added": 201,
        "a page too long": 422,
        "none": 404,
        "no number": 422,
        "a number too long": 422,
        "changed by an unknown field": 422,
        "a price below nothing": 422,
        "no JSON": 422,
        "no UTF-8": 422,
        "another type": 415,
        "a picture": 204,
        "no picture": 415,
        "a picture of none": 404,
        "removed": 204,
        "removed twice": 404,
        "a preflight": 204,
        "method not allowed": 405,
        "nothing": 404,
    }
    assert {name: answer.status for name, answer in reference.items()} == dict.fromkeys(QUESTIONS, 200) | statuses | {
        "added, another": 201,
        "added, a third": 201,
    }
    assert (reference["added"].json, reference["added"].headers["location"]) == (lamp, "items/1")
    assert reference["without a token"].headers["www-authenticate"] == "Bearer"
    first, second = reference["a first page"], reference["a second page"]
    assert ([each["id"] for each in first.json["items"]], first.json["next"]) == ([1, 2], 2)
    assert ([each["id"] for each in second.json["items"]], second.json["next"]) == ([3], None)
    assert "after=2" in first.headers["link"]
    assert [each["id"] for each in reference["a search"].json["items"]] == [1]  # SQLite's lower() knows ASCII only
    assert reference["changed"].json == {**lamp, "price": 3900}
    assert reference["the picture"].body == PNG
    assert reference["lines"].body == reference["lines, compressed"].body
    assert reference["lines, compressed"].headers["content-encoding"] == "gzip"
    assert [json.loads(line)["id"] for line in reference["lines"].body.splitlines()] == [1, 2, 3]
    assert reference["a table"].body.decode().startswith("id,name,price,tags\r\n1,brass lamp,3900,light brass\r\n")
    assert re.findall(rb"^event: (\w+)", reference["changes"].body, re.MULTILINE) == [
        *[b"added"] * 3,
        b"changed",
        b"pictured",
    ]
    assert re.findall(rb"^id: (\d+)", reference["changes since"].body, re.MULTILINE) == [b"4", b"5"]
    assert reference["method not allowed"].headers["allow"] == "GET, HEAD, OPTIONS, POST"
    assert reference["from another origin"].headers["access-control-allow-origin"] == "*"
    assert set(reference["OpenAPI"].json["paths"]) >= {"/items", "/items/{item_id}", "/items/{item_id}/picture"}


# What happens while somebody looks


def test_a_change_is_told_while_the_stream_is_open(tmp_path: Path) -> None:
    with LocalLambda(copy(tmp_path)) as running:
        ask = through(running.port)
        with contextlib.closing(HTTPConnection("127.0.0.1", running.port, timeout=LIMIT)) as connection:
            connection.request("GET", "/changes?wait=20")
            response = connection.getresponse()
            assert response.readline() == b": from here on\n"
            assert ask(added("lamp", 1)).status == 201  # another environment: the first one is busy
            lines = iter(response.readline, b"")
            event = next(line for line in lines if line.startswith(b"event:"))
        assert event == b"event: added\n"


def test_two_environments_lose_no_change(tmp_path: Path) -> None:
    async def run() -> None:
        one, other = Store(str(tmp_path / "items")), Store(str(tmp_path / "items"))
        await one.create()
        await other.create()
        item = await one.add(NewItem("lamp", 1))
        await asyncio.gather(
            *(one.change(item.id, Changes(price=number)) for number in range(10)),
            *(other.change(item.id, Changes(name=f"lamp {number}")) for number in range(10)),
        )
        last = (await one.changes(0))[-1].item
        assert last == await other.find(item.id)
        assert (last.name != "lamp", last.price < 10) == (True, True)
        assert len(await one.changes(0)) == 21

    asyncio.run(run())


# On AWS


def test_the_template_is_one() -> None:
    """To the linter that AWS keeps for templates."""
    command = [tool("cfn-lint"), EXAMPLE / "template.yaml"]
    lint = subprocess.run(command, env=variables(EXAMPLE), capture_output=True, text=True, check=False)
    assert lint.returncode == 0, lint.stdout


def test_the_template_on_the_local_lambda(tmp_path: Path) -> None:
    folder = copy(tmp_path)
    (folder / ".env").write_text(f"ITEMS_FILE={tmp_path / 'items'}\n", "utf-8")
    with LocalLambda(folder, None, "--template", "template.yaml", "--parameter", f"Token={TOKEN}") as running:
        ask = through(running.port)
        assert ask(added("lamp", 1)).status == 201
        assert ask(QUESTIONS["without a token"]).status == 401
        assert ask(QUESTIONS["lines"]).body == b'{"id":1,"name":"lamp","price":1,"tags":[]}\n'
