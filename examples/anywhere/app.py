"""One application for every place: a container, a zip, an OS-only runtime, a web server. docs/ has a page for each."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from lambent import Lambent


@asynccontextmanager
async def lifespan(_: Starlette) -> AsyncIterator[dict[str, str]]:
    yield {"function": os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "none")}
    print("Closed down.", flush=True)


async def index(request: Request) -> JSONResponse:
    return JSONResponse({"function": request.state.function})


app = Starlette(routes=[Route("/", index)], lifespan=lifespan)
handler = Lambent(app)
