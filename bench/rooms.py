"""One room of WebSockets, twice: as Starlette alone has it, in memory, and with groups, for `lambent dev`."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

from lambent import Connections

PATH = "/local"
"""Of both: the stage of a WebSocket API, as `lambent dev` names it."""

ROOM = "room"

members: set[WebSocket] = set()
connections = Connections()


async def in_memory(websocket: WebSocket) -> None:
    """Send to all what each sends."""
    await websocket.accept()
    members.add(websocket)
    try:
        async for text in websocket.iter_text():
            for member in members:
                await member.send_text(text)
    finally:
        members.discard(websocket)


async def in_a_group(websocket: WebSocket) -> None:
    """The same from any environment."""
    told = websocket.scope["extensions"]["aws.websocket"]
    await websocket.accept()
    if told["event"] == "connect":
        await connections.join(ROOM, told["connection_id"])
    async for text in websocket.iter_text():
        await connections.broadcast(ROOM, text)


alone = Starlette(routes=[WebSocketRoute(PATH, in_memory)])
groups = Starlette(routes=[WebSocketRoute("/", in_a_group)])
