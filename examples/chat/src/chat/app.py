"""A chat with rooms and history: a page, a WebSocket, and an announcement by HTTP, in one function.

`lambent dev` in the folder above serves it, `template.yaml` puts it on AWS.
"""

import html
import os
from asyncio import to_thread
from pathlib import Path
from typing import Annotated

from fastapi import FastAPI, Query, WebSocket, WebSocketDisconnect
from fastapi import Path as InPath
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, Field, ValidationError

from lambent import Connections, Lambent

from .history import Message, open_history

Room = Annotated[str, Field(pattern="^[a-z0-9-]{1,40}$")]
Name = Annotated[str, Field(min_length=1, max_length=40)]
Text = Annotated[str, Field(min_length=1, max_length=4000)]

PAGE = Path(__file__).with_name("page.html").read_text("utf-8")
SOCKET_URL = os.environ.get("SOCKET_URL", "chat")  # of the WebSocket API; beside the page, if nothing else is said

app = FastAPI(title="Chat")
handler = Lambent(app, websocket_path="/chat")  # API Gateway has no paths for WebSockets: this one is FastAPI's

connections = Connections()
history = open_history(os.environ)


class Sent(BaseModel):
    """What a client sends: words, or a new name for itself, or nothing but a sign of life."""

    text: Text | None = None
    name: Name | None = None


class Announcement(BaseModel):
    text: Text
    name: Name = "Announcement"


@app.get("/", response_class=HTMLResponse)
async def page() -> str:
    return PAGE.replace("{{socket}}", html.escape(SOCKET_URL))


@app.websocket("/chat")
async def chat(websocket: WebSocket, room: Annotated[Room, Query()], name: Annotated[Name, Query()]) -> None:
    """One conversation. On Lambda it runs anew with each event, up to the `receive` that has nothing more to give."""
    here = websocket.scope["extensions"]["aws.websocket"]
    me, session = here["connection_id"], here["session"]
    if here["event"] == "connect":
        session["name"] = name
        await connections.join(room, me)
    await websocket.accept()
    if here["event"] == "connect":
        await websocket.send_json({"kind": "welcome", "history": await recall(room), "here": await count(room)})
        await notify(room, "joined", name, exclude=me)
    try:
        while True:
            await hear(websocket, room, session, await websocket.receive_text())
    except WebSocketDisconnect:
        await connections.leave(room, me)
        await notify(room, "left", session["name"])


async def hear(websocket: WebSocket, room: str, session: dict[str, str], text: str) -> None:
    """Take one message of a client."""
    try:
        sent = Sent.model_validate_json(text)
    except ValidationError as error:
        await websocket.send_json({"kind": "refused", "text": error.errors(include_url=False)[0]["msg"]})
        return
    if sent.name:
        before, session["name"] = session["name"], sent.name
        await notify(room, "renamed", before, text=sent.name)
    if sent.text:
        await publish(Message(room=room, kind="said", name=session["name"], text=sent.text))


@app.post("/rooms/{room}/announce", status_code=201)
async def announce(room: Annotated[Room, InPath()], announcement: Announcement) -> dict[str, int]:
    """Push from HTTP: nothing of this request knows of any socket."""
    return await publish(Message(room=room, kind="announced", name=announcement.name, text=announcement.text))


async def publish(message: Message) -> dict[str, int]:
    """Keep a message, and send it to all in its room."""
    await to_thread(history.add, message)
    outcome = await connections.broadcast(message.room, message.model_dump_json())
    return outcome._asdict()


async def notify(room: str, kind: str, name: str, *, text: str = "", exclude: str = "") -> None:
    """Tell a room who comes and goes. That is not kept."""
    notice = {"kind": kind, "name": name, "text": text, "here": await count(room)}
    await connections.broadcast_json(room, notice, exclude=exclude)


async def recall(room: str) -> list[dict[str, object]]:
    return [message.model_dump() for message in await to_thread(history.last, room, 50)]


async def count(room: str) -> int:
    return len([member async for member in connections.members(room)])
