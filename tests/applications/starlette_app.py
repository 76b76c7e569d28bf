"""A Starlette application as one writes it: routes, three kinds of middleware, an error handler, static files."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import (
    FileResponse,
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

STATIC = Path(__file__).parent / "static"
PIXEL = b"\x89PNG\r\n\x1a\n\0\xff\0\x80"
COLOR: ContextVar[str] = ContextVar("color", default="none")


class Oil(Exception):
    """What an error handler is for."""


class Stamp:
    """A pure ASGI middleware."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def stamped(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"X-Stamp", b"caf\xe9")]
            await send(message)

        if scope["type"] == "http":
            COLOR.set("amber")
        await self.app(scope, receive, stamped if scope["type"] == "http" else send)


async def greet(request: Request, call_next: RequestResponseEndpoint) -> Response:
    response = await call_next(request)
    response.headers["x-greeting"] = request.state.greeting
    return response


@asynccontextmanager
async def lifespan(_: Any) -> AsyncIterator[dict[str, Any]]:
    yield {"journal": [], "greeting": "hello"}


def seen(request: Request) -> dict[str, Any]:
    """What the request looks like from inside."""
    return {
        "url": str(request.url),
        "base_url": str(request.base_url),
        "url_for": str(request.url_for("item", item_id="9")),
        "path": request.scope["path"],
        "raw_path": request.scope["raw_path"].decode(),
        "root_path": request.scope["root_path"],
        "query": request.query_params.multi_items(),
        "cookies": request.cookies,
        "method": request.method,
        "client": request.client.host if request.client else None,
        "color": COLOR.get(),
        "custom": request.headers.get("x-custom"),
        "tags": request.headers.getlist("x-tag"),
        "user_agent": request.headers.get("user-agent"),
    }


async def lines() -> AsyncIterator[bytes]:
    for number in range(3):
        await asyncio.sleep(0)
        yield f"{number}\n".encode()


async def item(request: Request) -> Response:
    tags = request.query_params.getlist("tags")
    return JSONResponse({"item_id": request.path_params["item_id"], "tags": tags})


async def create(request: Request) -> Response:
    return JSONResponse(await request.json(), 201)


def threaded(request: Request) -> Response:
    return JSONResponse({"color": COLOR.get()})


async def look(request: Request) -> Response:
    return JSONResponse(seen(request) | {"rest": request.path_params["rest"]})


async def started(request: Request) -> Response:
    return PlainTextResponse(request.state.greeting)


async def journal(request: Request) -> Response:
    return JSONResponse(request.state.journal)


async def broken(request: Request) -> Response:
    raise Oil("The oil has run out.")


async def bug(request: Request) -> Response:
    raise ZeroDivisionError("The application's own.")


async def out_of_oil(request: Request, error: Exception) -> Response:
    return PlainTextResponse(str(error), 503, {"retry-after": "7"})


async def me(request: Request) -> Response:
    return PlainTextResponse(request.cookies.get("session", "nobody"))


async def login(request: Request) -> Response:
    async with request.form() as form:
        response = RedirectResponse("/me", 303)
        response.set_cookie("session", str(form["name"]), httponly=True)
        response.set_cookie("theme", "dark; gray", secure=True)
        return response


async def upload(request: Request) -> Response:
    async with request.form() as form:
        file = form["file"]
        assert not isinstance(file, str)
        return JSONResponse({"name": file.filename, "type": file.content_type, "hex": (await file.read()).hex()})


async def later(request: Request) -> Response:
    return JSONResponse({"will": "do"}, 202, background=BackgroundTask(request.state.journal.append, "later"))


async def stream(request: Request) -> Response:
    return StreamingResponse(lines(), media_type="text/plain")


async def pixel(request: Request) -> Response:
    return Response(PIXEL, media_type="image/png")


async def text(request: Request) -> Response:
    return PlainTextResponse("Glühlämpchen 💡", headers={"vary": "accept"})


async def latin(request: Request) -> Response:
    return Response("café".encode("latin-1"), media_type="text/plain; charset=latin-1")


async def long(request: Request) -> Response:
    return JSONResponse({"text": "lamp " * 200})


async def delete(request: Request) -> Response:
    return Response(status_code=204)


async def moved(request: Request) -> Response:
    return RedirectResponse(request.url_for("item", item_id="9"), 308)


async def file(request: Request) -> Response:
    return FileResponse(STATIC / "style.css", filename="stylé.css")


def build() -> Starlette:
    return Starlette(
        routes=[
            Route("/items/{item_id:int}", item, name="item"),
            Route("/items/{item_id:int}", delete, methods=["DELETE"]),
            Route("/items", create, methods=["POST"]),
            Route("/threaded", threaded),
            Route("/seen/{rest:path}", look),
            Route("/started", started),
            Route("/journal", journal),
            Route("/broken", broken),
            Route("/bug", bug),
            Route("/me", me),
            Route("/login", login, methods=["POST"]),
            Route("/upload", upload, methods=["POST"]),
            Route("/later", later, methods=["POST"]),
            Route("/stream", stream),
            Route("/pixel", pixel),
            Route("/text", text),
            Route("/latin", latin),
            Route("/long", long),
            Route("/moved", moved),
            Route("/file", file),
            Mount("/static", StaticFiles(directory=STATIC)),
        ],
        middleware=[
            Middleware(Stamp),
            Middleware(BaseHTTPMiddleware, dispatch=greet),
            Middleware(GZipMiddleware, minimum_size=500),
        ],
        exception_handlers={Oil: out_of_oil},
        lifespan=lifespan,
    )


app = build()
