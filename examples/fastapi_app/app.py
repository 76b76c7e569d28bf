"""A FastAPI application as one writes it. `handler = Lambent(app)` is the one line that runs it on AWS Lambda.

On a laptop `lambent dev app:app` serves it through a local Lambda, and `uvicorn app:app` without one.
"""

import asyncio
import os
import struct
import time
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

from fastapi import BackgroundTasks, Cookie, Depends, FastAPI, Query, Request, Response, UploadFile
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel, Field
from starlette.middleware.base import RequestResponseEndpoint

from lambent import Lambent

HERE = Path(__file__).parent
STYLE = (HERE / "static" / "style.css").read_text()


class Environment:
    """What one execution environment knows of itself. It lives from lifespan startup to shutdown."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.started = time.monotonic()
        self.requests = 0
        self.notes: list[str] = []

    @property
    def age(self) -> float:
        return time.monotonic() - self.started


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[dict[str, Environment]]:
    """Once per environment: the place for clients and connection pools."""
    environment = Environment()
    print(f"Environment {environment.pid} starts.", flush=True)
    yield {"environment": environment}
    print(f"Environment {environment.pid} ends after {environment.requests} requests.", flush=True)


def this_environment(request: Request) -> Environment:
    environment: Environment = request.state.environment
    return environment


Here = Annotated[Environment, Depends(this_environment)]

app = FastAPI(title="Lambent example", lifespan=lifespan)
app.mount("/static", StaticFiles(directory=HERE / "static"), name="static")
handler = Lambent(app)


@app.middleware("http")
async def count_and_time(request: Request, call_next: RequestResponseEndpoint) -> Response:
    request.state.environment.requests += 1
    started = time.perf_counter()
    response = await call_next(request)
    response.headers["x-process-time"] = f"{time.perf_counter() - started:.6f}"
    return response


@app.get("/", response_class=HTMLResponse)
async def index(request: Request, environment: Here) -> str:
    context = request.scope.get("aws.context")
    return PAGE.format(
        style=STYLE,
        pid=environment.pid,
        requests=environment.requests,
        age=environment.age,
        request_id=context.aws_request_id if context else "none: this request did not come through Lambda",
    )


class Item(BaseModel):
    name: str = Field(min_length=1)
    price: float = Field(gt=0)
    tags: list[str] = []


@app.get("/items/{item_id}")
async def read_item(item_id: int, q: str | None = None) -> dict[str, int | str | None]:
    return {"item_id": item_id, "q": q}


@app.post("/items", status_code=201)
async def create_item(item: Item) -> Item:
    return item


@app.get("/logo.png")
async def logo() -> Response:
    headers = {"content-disposition": 'inline; filename="logo.png"'}
    return Response(LOGO, media_type="image/png", headers=headers)


@app.get("/visit")
async def visit(response: Response, visits: Annotated[int, Cookie()] = 0) -> dict[str, int]:
    """Count visits where HTTP keeps state: with the client."""
    response.set_cookie("visits", str(visits + 1), httponly=True, samesite="lax")
    return {"visits": visits + 1}


@app.post("/upload")
async def upload(file: UploadFile) -> dict[str, str | int | None]:
    content = await file.read()
    return {"filename": file.filename, "content_type": file.content_type, "bytes": len(content)}


@app.get("/slow")
async def slow(environment: Here, seconds: Annotated[float, Query(ge=0, le=60)] = 1.0) -> dict[str, int | float]:
    """Ask for several at once: each is answered by an environment, a process, of its own."""
    await asyncio.sleep(seconds)
    return {"seconds": seconds, "pid": environment.pid}


@app.post("/notes/{text}", status_code=202)
async def leave_note(text: str, environment: Here, background: BackgroundTasks) -> dict[str, int]:
    """The reply leaves first, the note is written afterwards."""
    background.add_task(environment.notes.append, text)
    return {"pid": environment.pid}


@app.get("/notes")
async def read_notes(environment: Here) -> dict[str, int | list[str]]:
    """The notes left with this environment; another one has others."""
    return {"pid": environment.pid, "notes": environment.notes}


@app.get("/error")
async def error() -> None:
    raise RuntimeError("This route always raises.")


def png(width: int, height: int, pixels: bytes) -> bytes:
    """Eight-bit grey pixels, row by row, as a PNG image."""
    rows = b"".join(b"\0" + pixels[start : start + width] for start in range(0, width * height, width))
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows, level=0)),  # not packed: the same bytes whichever zlib is installed
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )


def glow(size: int) -> bytes:
    """A light in the middle of the dark."""
    middle = (size - 1) / 2
    distances = (((x - middle) ** 2 + (y - middle) ** 2) / middle**2 for y in range(size) for x in range(size))
    return bytes(max(0, int(255 * (1 - distance))) for distance in distances)


LOGO = png(64, 64, glow(64))

PAGE = """<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>Lambent example</title>
  <link rel="icon" href="logo.png">
  <style>{style}</style>
</head>
<body>
  <header><img src="logo.png" alt="" width="64" height="64"><h1>Lambent example</h1></header>
  <p>FastAPI wrote this page. Reload it, and watch which environment answers.</p>
  <dl>
    <dt>Environment</dt><dd>process {pid}, up for {age:.1f} s</dd>
    <dt>Requests it served</dt><dd>{requests}</dd>
    <dt>Lambda request id</dt><dd><code>{request_id}</code></dd>
  </dl>
  <h2>Try</h2>
  <ul>
    <li><a href="items/7?q=lamp">items/7?q=lamp</a> path and query parameters, as JSON</li>
    <li><a href="items/seven">items/seven</a> the same, refused by validation: 422</li>
    <li><a href="logo.png">logo.png</a> binary</li>
    <li><a href="static/style.css">static/style.css</a> a static file</li>
    <li><a href="visit">visit</a> a cookie that counts</li>
    <li><a href="slow?seconds=2">slow?seconds=2</a> open it twice at once: two environments</li>
    <li><a href="notes">notes</a> what background tasks left in this environment</li>
    <li><a href="error">error</a> the application raises: 500, and the next request is served</li>
    <li><a href="docs">docs</a> FastAPI's own page (its script comes from the network)</li>
  </ul>
  <h2>Send</h2>
  <form action="upload" method="post" enctype="multipart/form-data">
    <label>A file <input type="file" name="file" required></label> <button>Upload</button>
  </form>
</body>
</html>
"""
