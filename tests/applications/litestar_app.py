"""A Litestar application as one writes it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from litestar import Litestar, MediaType, Request, Response, delete, get, post
from litestar.datastructures import Cookie, State, UploadFile
from litestar.params import FromPath, FromQuery, JSONBody, MultipartBody, URLEncodedBody
from litestar.response import Redirect, Stream

PIXEL = b"\x89PNG\r\n\x1a\n\0\xff\0\x80"

AnyRequest = Request[Any, Any, Any]


@asynccontextmanager
async def lifespan(app: Litestar) -> AsyncIterator[None]:
    app.state.greeting = "hello"
    yield


@get("/items/{item_id:int}", name="item")
async def item(item_id: FromPath[int], tags: FromQuery[list[str] | None] = None) -> dict[str, Any]:
    return {"item_id": item_id, "tags": tags}


@delete("/items/{item_id:int}")
async def remove(item_id: FromPath[int]) -> None: ...


@post("/items")
async def create(data: JSONBody[dict[str, Any]]) -> dict[str, Any]:
    return data


@get("/seen/{rest:path}")
async def look(request: AnyRequest, rest: FromPath[str]) -> dict[str, Any]:
    return {
        "url": str(request.url),
        "base_url": str(request.base_url),
        "url_for": request.url_for("item", item_id=9),
        "path": request.scope["path"],
        "raw_path": request.scope["raw_path"].decode(),
        "root_path": request.scope.get("root_path"),
        "query": list(request.query_params.items()),
        "cookies": request.cookies,
        "method": request.method,
        "client": request.client.host if request.client else None,
        "custom": request.headers.get("x-custom"),
        "tags": request.headers.getall("x-tag", []),
        "user_agent": request.headers.get("user-agent"),
        "rest": rest,
    }


@get("/threaded", media_type=MediaType.TEXT, sync_to_thread=True)
def threaded() -> str:
    return "from a thread"


@get("/started", media_type=MediaType.TEXT)
async def started(state: State) -> str:
    return str(state.greeting)


@get("/bug")
async def bug() -> None:
    raise ZeroDivisionError("The application's own.")


@get("/me", media_type=MediaType.TEXT)
async def me(request: AnyRequest) -> str:
    return request.cookies.get("session", "nobody")


@post("/login", status_code=303)
async def login(data: URLEncodedBody[dict[str, str]]) -> Redirect:
    cookies = [Cookie("session", value=data["name"], httponly=True), Cookie("theme", value="dark; gray", secure=True)]
    return Redirect("/me", status_code=303, cookies=cookies)


@post("/upload", status_code=200)
async def upload(data: MultipartBody[dict[str, UploadFile]]) -> dict[str, Any]:
    file = data["file"]
    return {"name": file.filename, "type": file.content_type, "hex": (await file.read()).hex()}


async def lines() -> AsyncIterator[bytes]:
    for number in range(3):
        await asyncio.sleep(0)
        yield f"{number}\n".encode()


@get("/stream")
async def stream() -> Stream:
    return Stream(lines(), media_type="text/plain")


@get("/pixel")
async def pixel() -> Response[bytes]:
    return Response(PIXEL, media_type="image/png")


@get("/text")
async def text() -> Response[str]:
    return Response("Glühlämpchen 💡", media_type="text/plain; charset=utf-8", headers={"vary": "accept"})


@get("/latin")
async def latin() -> Response[bytes]:
    return Response("café".encode("latin-1"), media_type="text/plain; charset=latin-1")


@get("/moved")
async def moved(request: AnyRequest) -> Redirect:
    return Redirect(request.url_for("item", item_id=9), status_code=308)


app = Litestar(
    [
        item,
        remove,
        create,
        look,
        threaded,
        started,
        bug,
        me,
        login,
        upload,
        stream,
        pixel,
        text,
        latin,
        moved,
    ],
    lifespan=[lifespan],
)
