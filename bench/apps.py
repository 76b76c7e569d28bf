"""The same small JSON endpoint as a bare ASGI application, with Starlette and with FastAPI; and sockets that echo."""

from __future__ import annotations

from typing import Any

from lambent.types import ASGIApp, Receive, Scope, Send

REPLY = {"id": 42, "q": "lamp"}
"""What all of them answer to `bench.events`."""

REPLY_TEXT = '{"id":42,"q":"lamp"}'
_BODY = REPLY_TEXT.encode()


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


async def bare_socket(scope: Scope, receive: Receive, send: Send) -> None:
    """Send each message back."""
    if scope["type"] != "websocket":
        raise NotImplementedError(scope["type"])
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": message["text"]})


def starlette_socket() -> ASGIApp:
    from starlette.applications import Starlette
    from starlette.routing import WebSocketRoute
    from starlette.websockets import WebSocket

    async def echo(websocket: WebSocket) -> None:
        await websocket.accept()
        async for text in websocket.iter_text():
            await websocket.send_text(text)

    return Starlette(routes=[WebSocketRoute("/", echo)])


def socket_apps() -> dict[str, ASGIApp]:
    return {"bare ASGI": bare_socket, "Starlette": starlette_socket()}


def all_apps() -> dict[str, ASGIApp]:
    return {"bare ASGI": bare, "Starlette": starlette(), "FastAPI": fastapi()}
