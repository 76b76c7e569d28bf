"""A WebSocket: behind a WebSocket API. What is kept of connections lies where LAMBENT_STORE says."""

from fastapi import FastAPI, WebSocket

from lambent import Lambent

app = FastAPI()
handler = Lambent(app, websocket_path="/ws")  # API Gateway has no paths for WebSockets: this one is FastAPI's


@app.websocket("/ws")
async def echo(websocket: WebSocket, name: str) -> None:
    """Each message back, with how many there were: `session` is kept from one event to the next."""
    session = websocket.scope["extensions"]["aws.websocket"]["session"]
    await websocket.accept()
    async for text in websocket.iter_text():
        session["said"] = session.get("said", 0) + 1
        await websocket.send_text(f"{name} said: {text} ({session['said']})")
