"""The item endpoint with FastAPI."""

from typing import Any

from fastapi import FastAPI

app = FastAPI()


@app.get("/items/{id}")
async def item(id: int, q: str) -> dict[str, Any]:  # noqa: A002 - the path parameter's name
    return {"id": id, "q": q}
