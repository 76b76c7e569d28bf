"""`bench.waiting_app:app`: FastAPI with an endpoint that waits for 50 ms, as one does that asks a database."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import FastAPI

app = FastAPI()


@app.get("/items/{id}")
async def item(id: int, q: str) -> dict[str, Any]:  # noqa: A002 - the path parameter's name
    await asyncio.sleep(0.05)
    return {"id": id, "q": q}
