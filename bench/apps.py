"""The same small JSON endpoint as a bare ASGI application, with Starlette and with FastAPI."""

from __future__ import annotations

from typing import Any

from lambent.types import ASGIApp, Receive, Scope, Send

REPLY = {"id": 42, "q": "lamp"}
"""What all of them answer to `bench.events`."""

_BODY = b'{"id":42,"q":"lamp"}'


async def bare(scope: Scope, receive: Receive, send: Send) -> None:
    """As little as an application can do."""
    if scope["type"] != "http":
        raise NotImplementedError(scope["type"])
    await receive()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"20")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": _BODY})


def starlette() -> ASGIApp:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import JSONResponse
    from starlette.routing import Route

    async def item(request: Request) -> JSONResponse:
        return JSONResponse({"id": request.path_params["id"], "q": request.query_params["q"]})

    return Starlette(routes=[Route("/items/{id:int}", item)])


def fastapi() -> ASGIApp:
    from fastapi import FastAPI

    app = FastAPI()

    @app.get("/items/{id}")
    async def item(id: int, q: str) -> dict[str, Any]:  # noqa: A002 - the path parameter's name
        return {"id": id, "q": q}

    return app


def all_apps() -> dict[str, ASGIApp]:
    return {"bare ASGI": bare, "Starlette": starlette(), "FastAPI": fastapi()}
