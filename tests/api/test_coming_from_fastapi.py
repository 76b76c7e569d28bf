"""The same routes in FastAPI and here: what docs/how-to/write-an-api.md says is otherwise, and what must not be."""

import json
from dataclasses import dataclass
from enum import Enum
from types import ModuleType
from typing import Annotated, Any, Literal

import fastapi
import pytest
from pydantic import BaseModel, Field

import lambent.api
from lambent.api import AccessLog, Api
from tests.api.asking import JSON, Headers, ask

MULTIPART = {"content-type": "multipart/form-data; boundary=b"}
URLENCODED = {"content-type": "application/x-www-form-urlencoded"}
TEXT = b'--b\r\ncontent-disposition: form-data; name="file"\r\n\r\nx\r\n--b--\r\n'
UPLOAD = (
    b'--b\r\ncontent-disposition: form-data; name="name"\r\n\r\nx\r\n'
    b'--b\r\ncontent-disposition: form-data; name="price"\r\n\r\n\r\n'
    b'--b\r\ncontent-disposition: form-data; name="file"; filename="f"\r\n\r\nx\r\n--b--\r\n'
)


class Number(Enum):
    ONE = 1
    B = "b"


class Item(BaseModel):
    name: str
    price: Annotated[float, Field(ge=0)] = 1.0
    tags: list[str] = []


@dataclass
class Point:
    x: int


def service(web: ModuleType) -> Any:
    """With the names of either."""
    api: Api = web.FastAPI() if web is fastapi else Api(log=AccessLog(enabled=False))

    @api.get("/text/{number}")
    async def text(number: int, flag: bool = False) -> Any:
        return {"number": number, "flag": flag}

    @api.get("/choices")
    async def choices(
        literal: Annotated[Literal[1, 2], web.Query()] = 2,
        number: Annotated[list[Number] | None, web.Query()] = None,
    ) -> Any:
        return {"literal": literal, "number": number}

    @api.post("/plain")
    async def plain(name: str) -> Any:
        return {"name": name}

    @api.post("/points")
    async def points(point: Point) -> Any:
        return {"x": point.x}

    @api.post("/items", status_code=201)
    async def items(item: Item, page: int = 1) -> Any:
        return {"item": item, "page": page}

    @api.post("/defaults")
    async def defaults(item: Item = Item(name="a")) -> Any:  # noqa: B008 - as users write it
        item.tags.append("x")
        return item

    @api.post("/form")
    async def form(age: Annotated[int, web.Form()]) -> Any:
        return {"age": age}

    @api.post("/file")
    async def file(file: Annotated[bytes, web.File()]) -> Any:
        return {"size": len(file)}

    @api.get("/str")
    async def a_str() -> Any:
        return "a"

    @api.get("/none")
    async def none() -> Any:
        return None

    @api.get("/bounds")
    async def bounds(n: Annotated[int, web.Query(), Field(multiple_of=5)] = 5) -> Any:
        return {"n": n}

    @api.get("/pattern")
    async def pattern(text: Annotated[str, web.Query(pattern="b")]) -> Any:
        return {"text": text}

    @api.get("/many")
    async def many(n: Annotated[list[int], web.Query()]) -> Any:
        return {"n": len(n)}

    @api.get("/generated", response_model=list[Item])
    def generated() -> Any:
        return ({"name": "a", "secret": "b"} for _ in range(1))

    @api.post("/upload")
    async def upload(item: Annotated[Item, web.Form()], file: web.UploadFile) -> Any:  # type: ignore[name-defined]  # of either
        return {"name": item.name, "file": file.filename}

    return api


OURS, THEIRS = service(lambent.api), service(fastapi)

Outcome = tuple[int, Any]

ITEM = {"name": "a", "price": 1.0, "tags": []}


def outcome(api: Any, method: str, target: str, headers: Headers, body: bytes) -> Outcome:
    """The status, and what was sent; of a refusal the places."""
    answer = ask(api, method, target, headers, body)
    sent: Any = json.loads(answer.body) if answer.body[:1] in b'{["' and answer.body else answer.body
    if answer.status == 422:
        sent = sorted([each["loc"] for each in sent["detail"]], key=str)
    return answer.status, sent


OTHERWISE: list[tuple[str, str, Headers, bytes, Outcome, Outcome]] = [
    ("POST", "/plain", JSON, b'{"name": "a"}', (422, [["query", "name"]]), (200, {"name": "a"})),
    ("POST", "/points", JSON, b'{"x": "3"}', (200, {"x": 3}), (422, [["body", "x"]])),
    ("POST", "/points", JSON, b'{"x": true}', (200, {"x": 1}), (422, [["body", "x"]])),
    ("GET", "/text/1.0", {}, b"", (200, {"number": 1, "flag": False}), (422, [["path", "number"]])),
    ("GET", "/text/1_0", {}, b"", (200, {"number": 10, "flag": False}), (422, [["path", "number"]])),
    ("GET", "/text/1?flag=t", {}, b"", (200, {"number": 1, "flag": True}), (422, [["query", "flag"]])),
    ("GET", "/choices?literal=1", {}, b"", (422, [["query", "literal"]]), (200, {"literal": 1, "number": None})),
    ("GET", "/choices?number=1", {}, b"", (422, [["query", "number", 0]]), (200, {"literal": 2, "number": [1]})),
    ("POST", "/points", {}, b'{"x": 3}', (422, [["body"]]), (200, {"x": 3})),
    ("POST", "/form", URLENCODED, b"age=x", (422, [["body", "age"]]), (422, [["form", "age"]])),
    ("POST", "/file", MULTIPART, TEXT, (200, {"size": 1}), (422, [["file", "file"]])),
    ("GET", "/str", {}, b"", (200, "a"), (200, b"a")),
    ("GET", "/none", {}, b"", (200, b"null"), (204, b"")),
    ("GET", "/pattern?text=ab", {}, b"", (200, {"text": "ab"}), (422, [["query", "text"]])),
    ("GET", "/many?" + "&".join(["n=1"] * 1001), {}, b"", (200, {"n": 1001}),
     (400, {"detail": "Expected at most 1000 query parameters."})),
    ("GET", "/generated", {}, b"", (200, [ITEM]), (200, ITEM)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("method", "target", "headers", "body", "theirs", "ours"),
    OTHERWISE,
    ids=[f"{each[1][:40]} {each[3]!r}" for each in OTHERWISE],
)
def test_what_is_otherwise(
    method: str, target: str, headers: Headers, body: bytes, theirs: Outcome, ours: Outcome
) -> None:
    assert outcome(THEIRS, method, target, headers, body) == theirs
    assert outcome(OURS, method, target, headers, body) == ours


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS"])
def test_head_and_options_are_answered(method: str) -> None:
    assert ask(THEIRS, method, "/str").status == 405
    assert ask(OURS, method, "/str").status in {200, 204}


ALIKE: list[tuple[str, str, Headers, bytes]] = [
    ("POST", "/upload", MULTIPART, UPLOAD),
    ("GET", "/text/1?flag=yes", {}, b""),
    ("GET", "/text/x?flag=maybe", {}, b""),
    ("POST", "/points", JSON, b'{"x": 3.0}'),
    ("POST", "/points", JSON, b'{"x": 3.5}'),
    ("POST", "/points", JSON, b'{"x": 3, "more": 1}'),
    ("POST", "/points", JSON, b"{}"),
    ("POST", "/points", JSON, b""),
    ("POST", "/items?page=2", JSON, b'{"name": "a", "price": "2"}'),
    ("POST", "/items?page=x", JSON, b'{"name": 1, "price": -1, "tags": [1]}'),
    ("POST", "/defaults", {}, b""),
    ("POST", "/defaults", {}, b""),
    ("POST", "/form", URLENCODED, b"age=7"),
    ("GET", "/bounds?n=7", {}, b""),
    ("GET", "/bounds?n=10", {}, b""),
    ("DELETE", "/bounds", {}, b""),
    ("GET", "/nothing", {}, b""),
]


def test_what_is_alike() -> None:
    for each in ALIKE:
        assert outcome(OURS, *each) == outcome(THEIRS, *each), each
