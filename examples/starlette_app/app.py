"""A Starlette application, smaller than the FastAPI one: routes, middleware, a streamed body."""

from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, StreamingResponse
from starlette.routing import Route

from lambent import Lambent


async def index(request: Request) -> RedirectResponse:
    return RedirectResponse(request.url_for("greet", name="world"))


async def greet(request: Request) -> PlainTextResponse:
    return PlainTextResponse(f"Hello, {request.path_params['name']}!\n")


async def echo(request: Request) -> JSONResponse:
    """What arrived, as the application saw it."""
    body = await request.body()
    return JSONResponse(
        {
            "method": request.method,
            "path": request.url.path,
            "query": request.query_params.multi_items(),
            "headers": request.headers.items(),
            "bytes": len(body),
        }
    )


async def count(request: Request) -> StreamingResponse:
    async def lines() -> AsyncIterator[str]:
        for number in range(1, request.path_params["to"] + 1):
            yield f"{number}\n"

    return StreamingResponse(lines(), media_type="text/plain")


app = Starlette(
    routes=[
        Route("/", index),
        Route("/hello/{name}", greet, name="greet"),
        Route("/echo", echo, methods=["GET", "POST", "PUT", "DELETE"]),
        Route("/count/{to:int}", count),
    ],
    middleware=[Middleware(GZipMiddleware, minimum_size=1000)],
)
handler = Lambent(app)
