"""The examples of the two guides: each can be imported, and answers as its page says.

Commands are run by tests/integration/test_documents.py.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lambent.api import Api
from lambent.testing import Client, Response
from tests.integration.document import read
from tests.integration.newcomer import ROOT

HOW_TO = ROOT / "docs" / "how-to"
WRITE = read(HOW_TO / "write-an-api.md").files
MOVE = read(HOW_TO / "move-from-aio-lambda-api.md").files
STOCK = """
from contextlib import asynccontextmanager

class Stock:
    async def reserve(self, item, count): return count < 3

@asynccontextmanager
async def open_stock():
    yield Stock()
"""
MODULES = [
    (page, name.removesuffix(".py")) for page in ("write", "move") for name in {"write": WRITE, "move": MOVE}[page]
]

BEARER = {"authorization": "Bearer admin"}
CUSTOMER = {"email": "a@b.example", "age": 18}
TEXT = {"content-type": "text/plain"}

# Page, module, request; status and what is answered: JSON, text, or nothing to be compared.
ANSWERS: list[tuple[str, str, str, str, dict[str, Any], int, Any]] = [
    ("write", "app", "GET", "/items/7?q=lamp", {}, 200, {"item_id": 7, "q": "lamp"}),
    ("write", "paths", "GET", "/orders", {}, 200, []),
    ("write", "paths", "GET", "/orders/seven", {}, 422, ...),
    ("write", "paths", "GET", "/files/a/b.txt", {}, 200, {"key": "a/b.txt"}),
    ("write", "paths", "PUT", "/echo", {"json": {"text": "hello"}}, 202, "hello"),
    (
        *("write", "arguments", "GET", "/items?since=2026-01-01&order=cheapest&tag=a&tag=b"),
        *({}, 200, {"since": "2026-01-01", "order": "cheapest", "tags": ["a", "b"], "limit": 20, "language": "en"}),
    ),
    ("write", "arguments", "GET", "/items?limit=101&order=dearest", {}, 422, ...),
    ("write", "arguments", "GET", "/whoami", {}, 200, {"agent": "lambent", "function": "my-function"}),
    ("write", "bodies", "POST", "/items", {"json": {"name": "lamp", "price": 7}}, 201, ...),
    ("write", "bodies", "POST", "/items", {"json": {"name": "lamp", "price": "7"}}, 422, ...),
    ("write", "bodies", "POST", "/customers", {"json": {**CUSTOMER, "age": 17}}, 422, ...),
    (
        *("write", "bodies", "POST", "/checkout", {"json": {"customer": CUSTOMER, "order": {"items": [1, 2]}}}),
        *(200, {"for": "a@b.example", "items": 2}),
    ),
    ("write", "bodies", "POST", "/login", {"json": {"name": "a", "password": "b"}}, 200, {"name": "a"}),
    ("write", "bodies", "POST", "/login", {"json": {"name": "a", "password": "b", "admin": True}}, 422, ...),
    ("write", "needs", "GET", "/me", {"headers": BEARER}, 200, {"user": "ada"}),
    ("write", "needs", "GET", "/me", {"headers": {"authorization": "Bearer other"}}, 403, {"detail": "Forbidden"}),
    ("write", "needs", "GET", "/me", {}, 401, ...),
    ("write", "answers", "GET", "/items", {}, 200, [{"id": 1}]),
    ("write", "answers", "GET", "/teapot", {}, 418, {"short": True}),
    ("write", "answers", "GET", "/old", {}, 307, ""),
    ("write", "answers", "GET", "/source", {}, 200, WRITE["answers.py"]),
    ("write", "answers", "GET", "/lines", {}, 200, '{"line":0}\n{"line":1}\n{"line":2}\n'),
    (
        *("write", "answers", "GET", "/events", {}, 200),
        "".join(f'event: tick\nid: {each}\ndata: {{"number":{each}}}\n\n' for each in range(3)),
    ),
    ("write", "answers", "POST", "/mails", {"json": {"to": "ada"}}, 200, {"accepted": True}),
    ("write", "errors", "GET", "/stock/lamp", {}, 409, {"detail": "Sold out."}),
    ("write", "errors", "GET", "/stock/chair", {}, 503, {"detail": "Try again later."}),
    ("write", "logged", "GET", "/items/7", {}, 200, {"item_id": 7}),
    ("write", "patient", "GET", "/report", {}, 200, {"rows": 0}),
    ("write", "lasting", "GET", "/", {}, 200, {"pool": "Pool"}),
    ("write", "early", "GET", "/", {}, 200, {"greeting": "hello"}),
    ("write", "services", "GET", "/config", {}, 200, {"read_timeout": 15.0}),
    ("write", "wrapped", "GET", "/items", {}, 200, [{"name": "lamp"}] * 100),
    ("move", "app", "POST", "/reserve", {"json": {"item": "lamp", "count": 2}}, 201, {"item": "lamp", "count": 2}),
    ("move", "app", "POST", "/reserve", {"json": {"item": "lamp", "count": 3}}, 409, {"detail": "Sold out."}),
    ("move", "arguments", "POST", "/whole", {"json": {"a": "b"}}, 200, {"a": "b"}),
    ("move", "arguments", "POST", "/field", {"json": {"filters": {"a": "b"}}}, 200, {"a": "b"}),
    ("move", "arguments", "POST", "/items", {"json": [1, 2]}, 200, 3),
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """From which modules are imported, of one test only."""
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


def imported(page: str, name: str, folder: Path) -> Any:
    files = {"shop.py": STOCK, **{"write": WRITE, "move": MOVE}[page]}
    for title, text in files.items():
        (folder / title).write_text(text, "utf-8")
    return importlib.import_module(name)


def answered(response: Response) -> Any:
    return response.json() if response.headers.get("content-type") == "application/json" else response.text


@pytest.mark.parametrize(("page", "name"), MODULES)
def test_each_example_can_be_registered_and_documented(page: str, name: str, folder: Path) -> None:
    module = imported(page, name, folder)
    api: Api = module.api
    api.check()
    assert api.openapi()["openapi"] == "3.1.0"
    for test in [each for each in vars(module) if each.startswith("test_")]:
        getattr(module, test)()


@pytest.mark.parametrize(("page", "name", "method", "url", "options", "status", "expected"), ANSWERS)
def test_each_example_answers_as_it_is_told(
    page: str, name: str, method: str, url: str, options: dict[str, Any], status: int, expected: Any, folder: Path
) -> None:
    with Client(imported(page, name, folder).api, strict=False) as client:
        response = client.request(method, url, **options)
    assert response.status == status, response.text
    assert expected is ... or answered(response) == expected


def test_every_example_is_asked_something() -> None:
    asked = {(page, name) for page, name, *_ in ANSWERS}
    assert [each for each in MODULES if each not in asked] == [("write", "test_needs"), ("move", "validation")]


def test_what_is_raised_is_the_client_s_fault_where_that_is_said(folder: Path) -> None:
    import pydantic

    api: Api = imported("move", "validation", folder).api
    api.get("/")(lambda: pydantic.TypeAdapter(int).validate_python("text"))
    with Client(api) as client:
        response = client.get("/")
    assert (response.status, response.json()["detail"][0]["type"]) == (422, "int_parsing")


def test_the_reference_has_every_name() -> None:
    """Of `lambent.api`, and of its settings."""
    import lambent.api as everything
    from lambent.api.variables import NAMES

    text = (ROOT / "docs" / "reference" / "api.md").read_text("utf-8")
    assert [name for name in (*everything.__all__, *NAMES) if f"`{name}" not in text] == []
