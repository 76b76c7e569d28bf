"""An MCP server of the official SDK over streamable HTTP: stateless, answering in JSON."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


@dataclass
class Shop:
    lamps: list[str]
    open: bool = True


@asynccontextmanager
async def shop(_: Any) -> AsyncIterator[Shop]:
    """Opened once per environment, for all requests."""
    opened = Shop(["Glühbirne", "LED 💡"])
    try:
        yield opened
    finally:
        opened.open = False


async def no_stream(_: Request) -> Response:
    """A stream for what the server has to say of itself would be open until the function's timeout."""
    return Response(status_code=405, headers={"allow": "POST"})


def build(*, stateless: bool = True, json: bool = True) -> Starlette:
    """`host`: not the default, which answers 421 to every Host but this machine's."""
    server = MCPServer("lamps", lifespan=shop)

    @server.tool()
    async def add(a: int, b: int) -> int:
        """Add two numbers."""
        return a + b

    @server.tool()
    async def lamps(context: Context[Shop]) -> list[str]:
        """List what the shop has."""
        assert context.request_context.lifespan_context.open
        return context.request_context.lifespan_context.lamps

    @server.tool()
    def broken() -> str:
        """Fail."""
        raise ZeroDivisionError("The application's own.")

    @server.resource("lamp://{name}")
    def lamp(name: str) -> str:
        return f"A lamp named {name}."

    app = server.streamable_http_app(stateless_http=stateless, json_response=json, host="0.0.0.0")
    app.router.routes.insert(0, Route("/mcp", no_stream, methods=["GET"]))
    return app


app = build()
