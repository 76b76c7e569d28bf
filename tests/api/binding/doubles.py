"""Requests for plans: made of their parts, and bound as the Api does it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, TypeVar

from lambent.api.access_log import Entry
from lambent.api.binding import Plan
from lambent.api.exceptions import HTTPException, RequestInvalid
from lambent.api.markers import Depends
from lambent.api.model import Exchange, Route
from lambent.api.request import Request
from lambent.types import Message

T = TypeVar("T")

LIMIT = 60
"""Seconds after which a test that waits has failed."""

JSON = {"content-type": "application/json"}


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    async def limited() -> T:
        return await asyncio.wait_for(coroutine, LIMIT)

    return asyncio.run(limited())


def exchange(
    *,
    query: str = "",
    body: bytes | str = b"",
    headers: Mapping[str, str] | Sequence[tuple[str, str]] = (),
    path: Mapping[str, str] | None = None,
    method: str = "POST",
    scope: Mapping[str, Any] | None = None,
) -> Exchange:
    """One request on its way to a route."""
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    http = {
        "type": "http",
        "method": method,
        "path": "/",
        "root_path": "",
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in pairs],
        **(scope or {}),
    }
    content = body.encode() if isinstance(body, str) else body

    async def receive() -> Message:
        return {"type": "http.request", "body": content, "more_body": False}

    route = Route("/", [method], exchange)
    return Exchange(Request(http, receive, path or {}), route, Entry(method, "/", "id", None, None, None))


def plan(function: Callable[..., Any], path: Mapping[str, str] | None = None, **options: Any) -> Plan:
    return Plan(function, tuple(path or ()), **options)


def bound(function: Callable[..., Any], path: Mapping[str, str] | None = None, **request: Any) -> Any:
    """What a function returns of such a request."""
    on = exchange(path=path, **request)
    try:
        return run(plan(function, path).call(on))
    finally:
        on.request.close()


def problems(function: Callable[..., Any], path: Mapping[str, str] | None = None, **request: Any) -> list[Any]:
    """Places and kinds of what does not fit."""
    return [(each.place, each.kind) for each in refused(function, path, **request).problems]


def refused(function: Callable[..., Any], path: Mapping[str, str] | None = None, **request: Any) -> RequestInvalid:
    try:
        returned = bound(function, path, **request)
    except RequestInvalid as error:
        return error
    raise AssertionError(f"Nothing was refused; it returned {returned!r}")


def status(function: Callable[..., Any], path: Mapping[str, str] | None = None, **request: Any) -> int:
    """Of the HTTPException; 200 for none."""
    try:
        bound(function, path, **request)
    except HTTPException as error:
        return error.status_code
    return 200


async def served(made: Plan, on: Exchange) -> object:
    """As the Api does it: dependencies end after the response, with what the route has raised."""
    try:
        result = await made.call(on)
    except BaseException as error:
        if on.exits is not None:
            await on.exits.__aexit__(type(error), error, error.__traceback__)
        raise
    if on.exits is not None:
        await on.exits.aclose()
    return result


def depending(*functions: Callable[..., Any]) -> list[Depends]:
    return [Depends(each) for each in functions]
