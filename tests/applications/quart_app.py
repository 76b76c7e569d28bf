"""A Quart application as one writes it."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

from quart import Quart, Response, make_response, redirect, request, url_for

PIXEL = b"\x89PNG\r\n\x1a\n\0\xff\0\x80"

app = Quart(__name__)


@app.while_serving
async def greeting() -> AsyncGenerator[None, None]:
    app.config["GREETING"] = "hello"
    yield


@app.after_request
async def greet(response: Any) -> Any:
    response.headers["x-greeting"] = app.config["GREETING"]
    return response


@app.get("/items/<int:item_id>")
async def item(item_id: int) -> dict[str, Any]:
    return {"item_id": item_id, "tags": request.args.getlist("tags")}


@app.delete("/items/<int:item_id>")
async def delete(item_id: int) -> tuple[str, int]:
    return "", 204


@app.post("/items")
async def create() -> tuple[dict[str, Any], int]:
    return await request.get_json(), 201


@app.get("/seen/<path:rest>")
async def look(rest: str) -> dict[str, Any]:
    return {
        "url": request.url,
        "base_url": request.base_url,
        "url_for": url_for("item", item_id=9, _external=True),
        "path": request.path,
        "root_path": request.root_path,
        "query": list(request.args.items(multi=True)),
        "cookies": request.cookies,
        "method": request.method,
        "scheme": request.scheme,
        "client": request.remote_addr,
        "custom": request.headers.get("x-custom"),
        "tags": request.headers.getlist("x-tag"),
        "user_agent": request.headers.get("user-agent"),
        "rest": rest,
    }


@app.get("/threaded")
def threaded() -> str:
    return "from a thread"


@app.get("/started")
async def started() -> str:
    return str(app.config["GREETING"])


@app.get("/bug")
async def bug() -> str:
    raise ZeroDivisionError("The application's own.")


@app.get("/me")
async def me() -> str:
    return request.cookies.get("session", "nobody")


@app.get("/slashed/")
async def slashed() -> str:
    return "slashed"


@app.post("/login")
async def login() -> Any:
    form = await request.form
    response = await make_response(redirect(url_for("me"), 303))
    response.set_cookie("session", form["name"], httponly=True)
    response.set_cookie("theme", "dark; gray", secure=True)
    return response


@app.post("/upload")
async def upload() -> dict[str, Any]:
    file = (await request.files)["file"]
    return {"name": file.filename, "type": file.content_type, "hex": file.read().hex()}


async def lines() -> AsyncIterator[bytes]:
    for number in range(3):
        await asyncio.sleep(0)
        yield f"{number}\n".encode()


@app.get("/stream")
async def stream() -> Response:
    return Response(lines(), content_type="text/plain")


@app.get("/pixel")
async def pixel() -> Response:
    return Response(PIXEL, content_type="image/png")


@app.get("/text")
async def text() -> Response:
    return Response("Glühlämpchen 💡", content_type="text/plain; charset=utf-8", headers={"vary": "accept"})


@app.get("/latin")
async def latin() -> Response:
    return Response("café".encode("latin-1"), content_type="text/plain; charset=latin-1")


@app.get("/moved")
async def moved() -> Any:
    return redirect(url_for("item", item_id=9, _external=True), 308)
