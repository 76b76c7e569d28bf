"""A service of items, in one function. `handler` is what Lambda calls, `api` is an ASGI application like any other.

`lambent dev` in the folder above serves it, `template.yaml` puts it on AWS.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from lambent import Lambent
from lambent.api import Api, CORSMiddleware, GZipMiddleware

from . import routes, streams
from .store import Store


@asynccontextmanager
async def lifespan(_: Api) -> AsyncIterator[dict[str, Store]]:
    """Once per environment, before its first request."""
    store = Store(os.environ.get("ITEMS_FILE", "items.sqlite3"))
    await store.create()
    yield {"store": store}


api = Api(title="Items", version="1.0.0", lifespan=lifespan)
api.include(routes.router)
api.include(streams.router)
api.add_middleware(GZipMiddleware)
api.add_middleware(
    CORSMiddleware,
    allow_origins=["*"],
    allow_methods=["GET", "POST", "PATCH", "PUT", "DELETE"],
    allow_headers=["Authorization", "Last-Event-ID"],
    expose_headers=["Link", "Location", "X-Request-Id"],
)

handler = Lambent(api)
