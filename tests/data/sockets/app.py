"""WebSocket applications of frameworks as Lambda handlers. The query says which path is meant."""

from fastapi_app import app as fastapi_app
from starlette_app import app as starlette_app

from lambent import Lambent


def path(event):
    return (event.get("queryStringParameters") or {}).get("to", "/ws")


fastapi = Lambent(fastapi_app, websocket_path=path)
starlette = Lambent(starlette_app, websocket_path=path)
resident = Lambent(fastapi_app, websocket_path=path, websockets="resident")
