"""A FastAPI application as one writes it: models, dependencies that are closed, middleware, background tasks."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Annotated, Any

from fastapi import BackgroundTasks, Cookie, Depends, FastAPI, Form, HTTPException, Query, Request, Response, UploadFile
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.responses import JSONResponse, PlainTextResponse, RedirectResponse, StreamingResponse
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel
from starlette.middleware.base import RequestResponseEndpoint
from starlette.types import ASGIApp, Message, Receive, Scope, Send

STATIC = Path(__file__).parent / "static"
PIXEL = b"\x89PNG\r\n\x1a\n\0\xff\0\x80"
COLOR: ContextVar[str] = ContextVar("color", default="none")


class Item(BaseModel):
    name: str
    price: float


class Oil(Exception):
    """What an error handler is for."""


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[dict[str, Any]]:
    yield {"journal": [], "greeting": "hello"}


async def connection(request: Request) -> AsyncIterator[list[str]]:
    """A dependency that is opened and closed for each request."""
    request.state.journal.append("open")
    try:
        yield request.state.journal
    except Oil:
        request.state.journal.append("rolled back")
        raise
    finally:
        request.state.journal.append("close")


def user(session: Annotated[str | None, Cookie()] = None) -> str:
    if session is None:
        raise HTTPException(401, "Who are you?", {"www-authenticate": "Cookie"})
    return session.upper()


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


async def lines() -> AsyncIterator[bytes]:
    for number in range(3):
        await asyncio.sleep(0)
        yield f"{number}\n".encode()


Connection = Annotated[list[str], Depends(connection)]


def build() -> FastAPI:
    app = FastAPI(lifespan=lifespan)
    app.mount("/static", StaticFiles(directory=STATIC))
    app.add_middleware(GZipMiddleware, minimum_size=500)
    app.middleware("http")(greet)
    app.add_middleware(Stamp)

    @app.exception_handler(Oil)
    async def out_of_oil(request: Request, error: Exception) -> JSONResponse:
        return JSONResponse({"detail": str(error)}, 503, {"retry-after": "7"})

    @app.get("/items/{item_id}", name="item")
    async def item(item_id: int, tags: Annotated[list[str], Query()] = []) -> dict[str, Any]:  # noqa: B006 - FastAPI's way
        return {"item_id": item_id, "tags": tags}

    @app.post("/items", status_code=201)
    async def create(item: Item) -> Item:
        return item

    @app.delete("/items/{item_id}", status_code=204)
    async def delete(item_id: int) -> None: ...

    @app.get("/seen/{rest:path}")
    async def look(request: Request, rest: str) -> dict[str, Any]:
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
            "rest": rest,
        }

    @app.get("/threaded")
    def threaded() -> dict[str, str]:
        return {"color": COLOR.get()}

    @app.get("/started", response_class=PlainTextResponse)
    async def started(request: Request) -> Any:
        return request.state.greeting

    @app.get("/connected")
    async def connected(connection: Connection) -> str:
        return connection[-1]

    @app.get("/journal")
    async def journal(request: Request) -> Any:
        return request.state.journal

    @app.get("/broken")
    async def broken(connection: Connection) -> None:
        raise Oil("The oil has run out.")

    @app.get("/bug")
    async def bug(connection: Connection) -> None:
        raise ZeroDivisionError("The application's own.")

    @app.get("/me")
    async def me(name: Annotated[str, Depends(user)]) -> str:
        return name

    @app.post("/login", status_code=303)
    async def login(name: Annotated[str, Form()]) -> Response:
        response = RedirectResponse("/me", 303)
        response.set_cookie("session", name, httponly=True)
        response.set_cookie("theme", "dark; gray", secure=True)
        return response

    @app.post("/upload")
    async def upload(file: UploadFile) -> dict[str, Any]:
        content = await file.read()
        return {"name": file.filename, "type": file.content_type, "hex": content.hex()}

    @app.post("/later", status_code=202)
    async def later(request: Request, tasks: BackgroundTasks) -> dict[str, str]:
        tasks.add_task(request.state.journal.append, "later")
        return {"will": "do"}

    @app.get("/stream")
    async def stream() -> StreamingResponse:
        return StreamingResponse(lines(), media_type="text/plain")

    @app.get("/pixel")
    async def pixel() -> Response:
        return Response(PIXEL, media_type="image/png", headers={"vary": "accept"})

    @app.get("/text", response_class=PlainTextResponse)
    async def text() -> str:
        return "Glühlämpchen 💡"

    @app.get("/latin")
    async def latin() -> Response:
        return Response("café".encode("latin-1"), media_type="text/plain; charset=latin-1")

    @app.get("/long")
    async def long() -> dict[str, str]:
        return {"text": "lamp " * 200}

    @app.get("/moved")
    async def moved(request: Request) -> RedirectResponse:
        return RedirectResponse(request.url_for("item", item_id="9"), 308)

    return app


app = build()
