"""The same service with each framework: a path parameter and a JSON body, validated by the same model; and many routes.

Annotations are looked up here, in the module: frameworks read them by its names.
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pydantic
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from lambent.api import AccessLog, Api
from lambent.types import ASGIApp

BODY = json.dumps(
    {"name": "lamp", "price": 9.5, "tags": ["light", "brass"], "size": {"width": 20, "height": 45}}
).encode()
REPLY = {"id": 42, "name": "lamp", "width": 20}
"""What all of them answer to BODY for the item 42."""


class Size(pydantic.BaseModel):
    width: int
    height: int


class Item(pydantic.BaseModel):
    name: str
    price: float
    tags: list[str]
    size: Size


@dataclasses.dataclass
class PlainSize:
    width: int
    height: int


@dataclasses.dataclass
class PlainItem:
    name: str
    price: float
    tags: list[str]
    size: PlainSize


class StructSize(msgspec.Struct):
    width: int
    height: int


class StructItem(msgspec.Struct):
    name: str
    price: float
    tags: list[str]
    size: StructSize


def _answer(item_id: int, item: Item | PlainItem | StructItem) -> dict[str, Any]:
    return {"id": item_id, "name": item.name, "width": item.size.width}


async def with_pydantic(item_id: int, item: Item) -> Any:
    return _answer(item_id, item)


async def with_a_dataclass(item_id: int, item: PlainItem) -> Any:
    return _answer(item_id, item)


async def with_a_struct(item_id: int, item: StructItem) -> Any:
    return _answer(item_id, item)


def in_powertools(item_id: int, item: Item) -> Any:
    return _answer(item_id, item)


async def by_hand(request: Request) -> JSONResponse:
    item = Item.model_validate_json(await request.body())
    return JSONResponse(_answer(request.path_params["item_id"], item))


def log(*, enabled: bool = True) -> AccessLog:
    """Lines that are made, and written to where nothing is kept."""
    nowhere = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - as long as the process
    return AccessLog(enabled=enabled, write=lambda line: nowhere.write(f"{line}\n"))


def lambent(function: Callable[..., Any] = with_pydantic, *, logs: bool = True) -> ASGIApp:
    api = Api(log=log(enabled=logs))
    api.post("/items/{item_id}")(function)
    return api


def fastapi() -> ASGIApp:
    app = FastAPI()
    app.post("/items/{item_id}", response_model=None)(with_pydantic)
    return app


def starlette() -> ASGIApp:
    return Starlette(routes=[Route("/items/{item_id:int}", by_hand, methods=["POST"])])


def powertools() -> APIGatewayHttpResolver:
    app = APIGatewayHttpResolver(enable_validation=True)
    app.post("/items/<item_id>")(in_powertools)
    return app


# Many routes


async def read(item_id: int) -> Any:
    return {"id": item_id}


def read_in_powertools(item_id: int) -> Any:
    return {"id": item_id}


async def read_by_hand(request: Request) -> JSONResponse:
    return JSONResponse({"id": request.path_params["item_id"]})


def path(number: int) -> str:
    return f"/resources{number}/items"


def many_of_lambent(count: int) -> ASGIApp:
    api = Api(log=log())
    for number in range(count):
        api.get(f"{path(number)}/{{item_id}}")(read)
    return api


def many_of_fastapi(count: int) -> ASGIApp:
    app = FastAPI()
    for number in range(count):
        app.get(f"{path(number)}/{{item_id}}", response_model=None)(read)
    return app


def many_of_starlette(count: int) -> ASGIApp:
    routes = [Route(f"{path(number)}/{{item_id:int}}", read_by_hand) for number in range(count)]
    return Starlette(routes=routes)


def many_of_powertools(count: int) -> APIGatewayHttpResolver:
    app = APIGatewayHttpResolver(enable_validation=True)
    for number in range(count):
        app.get(f"{path(number)}/<item_id>")(read_in_powertools)
    return app


# Their imports, with a route. All begin with asyncio: whatever an application does not load, its event loop does.

BASE = "import asyncio"
IMPORTS: Mapping[str, str] = {
    "asyncio": BASE,
    "lambent": f"""{BASE}
from lambent.api import AccessLog, Api
app = Api(log=AccessLog(write=len))
@app.get("/items/{{item_id}}")
async def read_item(item_id: int, q: str | None = None): return {{"id": item_id}}
""",
    "fastapi": f"""{BASE}
from fastapi import FastAPI
app = FastAPI()
@app.get("/items/{{item_id}}")
async def read_item(item_id: int, q: str | None = None): return {{"id": item_id}}
""",
    "starlette": f"""{BASE}
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route
async def read_item(request): return JSONResponse({{"id": request.path_params["item_id"]}})
app = Starlette(routes=[Route("/items/{{item_id:int}}", read_item)])
""",
    "powertools": f"""{BASE}
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
app = APIGatewayHttpResolver()
@app.get("/items/<item_id>")
def read_item(item_id: int): return {{"id": item_id}}
""",
}

FIRST = """
async def main():
    sent = []
    async def receive(): return {"type": "http.request"}
    async def send(message): sent.append(message)
    await app(SCOPE, receive, send)
    assert sent[0]["status"] == 200 and sent[1]["body"] == b'{"id":42}', sent
asyncio.run(main())
"""
"""A request to each that is an ASGI application; `SCOPE` is its."""
