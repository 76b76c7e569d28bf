"""Requests by HTTP: behind HTTP APIs, REST APIs, Function URLs and load balancers."""

import asyncio
import base64
import os
import sys
from collections.abc import AsyncIterator

from fastapi import FastAPI, Response
from fastapi.responses import StreamingResponse

from lambent import Lambent

PIXEL = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")

app = FastAPI(title="Hello")
handler = Lambent(app)  # streams where LAMBENT_STREAM=1 is set, and the door does


@app.get("/")
async def index() -> dict[str, str]:
    return {
        "hello": os.environ.get("GREETING", "world"),
        "runtime": "Lambent's" if "lambent.runtime" in sys.modules else "AWS's",
    }


@app.get("/items/{item}")
async def item(item: int, size: str = "medium") -> dict[str, object]:
    return {"item": item, "size": size}


@app.get("/pixel.gif")
async def pixel() -> Response:
    """No text: a REST API has to be told that there are such bodies."""
    return Response(PIXEL, media_type="image/gif")


@app.get("/ticks")
async def ticks(count: int = 3, pause: float = 0.2) -> StreamingResponse:
    """Piece by piece, if all three sides stream; all at once, if not."""

    async def pieces() -> AsyncIterator[str]:
        for number in range(count):
            yield f"data: {number}\n\n"
            await asyncio.sleep(pause)

    return StreamingResponse(pieces(), media_type="text/event-stream")
