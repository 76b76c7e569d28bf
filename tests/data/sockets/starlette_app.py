"""What Starlette's documentation shows of WebSockets."""

from starlette.applications import Starlette
from starlette.endpoints import WebSocketEndpoint
from starlette.routing import WebSocketRoute


class Echo(WebSocketEndpoint):
    encoding = "json"

    async def on_connect(self, websocket):
        await websocket.accept()

    async def on_receive(self, websocket, data):
        await websocket.send_json({"got": data})


async def greets(websocket):
    await websocket.accept()
    await websocket.send_text("Hello, " + websocket.path_params["username"])
    async for text in websocket.iter_text():
        await websocket.send_text(text.upper())


async def once(websocket):
    await websocket.accept()
    data = await websocket.receive_json()
    await websocket.send_json(list(reversed(data)))
    await websocket.close()


app = Starlette(
    routes=[WebSocketRoute("/", Echo), WebSocketRoute("/hi/{username}", greets), WebSocketRoute("/once", once)]
)
