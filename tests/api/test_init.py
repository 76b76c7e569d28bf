"""What `lambent.api` offers, and what a cold start pays for it."""

from __future__ import annotations

import subprocess
import sys

import pytest

import lambent.api
from tests.support.processes import environment

HEAVY = {
    *("json", "inspect", "dataclasses", "typing", "enum", "datetime", "email", "http", "urllib.parse", "uuid", "html"),
    *("mimetypes", "gzip", "pathlib", "tempfile", "decimal", "pydantic", "msgspec", "orjson", "python_multipart"),
    *(
        "boto3",
        "botocore",
        "starlette",
        "anyio",
        "lambent.values",
        "lambent.functions",
        "lambent.adapter",
        "lambent.dev",
    ),
}
"""What no cold start needs for a route, nor for the first request to it if it has but texts."""

ROUTE = """
from lambent.api import Api

api = Api()

@api.get("/items/{item_id}")
async def read_item(item_id: int, q: str | None = None):
    return {"item_id": item_id, "q": q}
"""


def loaded(program: str) -> set[str]:
    """Modules that are there after it."""
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", f"{program}\nimport sys\nprint(*sys.modules)"],
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    return set(result.stdout.split())


@pytest.fixture(scope="module")
def asyncio_loads() -> set[str]:
    return loaded("import asyncio, logging, contextvars")


@pytest.mark.parametrize("name", lambent.api.__all__)
def test_every_name_resolves(name: str) -> None:
    found = getattr(lambent.api, name)
    assert getattr(found, "__name__", name) == name
    assert name in dir(lambent.api)


def test_it_is_sorted_and_no_name_is_there_twice() -> None:
    assert lambent.api.__all__ == sorted(set(lambent.api.__all__))


def test_another_name_is_not_there() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'Router2'"):
        _ = lambent.api.Router2


def test_importing_it_loads_nothing() -> None:
    new = loaded("import lambent.api") - loaded("pass")
    assert {each for each in new if not each.startswith("lambent")} <= {"__future__"}
    assert new & {"lambent.api.application", "asyncio"} == set()


def test_a_route_loads_little_beside_asyncio(asyncio_loads: set[str]) -> None:
    new = loaded(ROUTE) - asyncio_loads
    assert {each for each in new if not each.startswith("lambent")} <= {"__future__"}
    assert new & HEAVY == set()
    assert {each for each in new if each.startswith("lambent.api.")} & {
        *("lambent.api.responses.streams", "lambent.api.openapi", "lambent.api.forms", "lambent.api.early"),
        *("lambent.api.binding.plan", "lambent.api.cookies", "lambent.api.middleware", "lambent.api.boto"),
    } == set()


def test_a_request_without_types_loads_no_library_of_models(asyncio_loads: set[str]) -> None:
    program = """
async def main():
    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": "/items/7", "query_string": b"", "headers": [], "root_path": ""}
    await api(scope, receive, send)

import asyncio
sent = []
api.log.enabled = False
asyncio.run(main())
assert sent[0]["status"] == 200
"""
    new = loaded(ROUTE + program) - asyncio_loads
    assert new & {"pydantic", "msgspec", "python_multipart", "email", "http.client", "lambent.api.openapi"} == set()
