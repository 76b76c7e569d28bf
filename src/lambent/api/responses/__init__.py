"""What a route may answer with. Each response is an ASGI application, and can be made anywhere."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lambent.api.responses.background import BackgroundTasks
    from lambent.api.responses.base import Draft, HTMLResponse, PlainTextResponse, RedirectResponse, Response
    from lambent.api.responses.files import FileResponse
    from lambent.api.responses.json import JSONResponse
    from lambent.api.responses.sse import EventSourceResponse, ServerSentEvent
    from lambent.api.responses.static import StaticFiles
    from lambent.api.responses.streams import StreamingResponse

__all__ = [
    "BackgroundTasks",
    "Draft",
    "EventSourceResponse",
    "FileResponse",
    "HTMLResponse",
    "JSONResponse",
    "PlainTextResponse",
    "RedirectResponse",
    "Response",
    "ServerSentEvent",
    "StaticFiles",
    "StreamingResponse",
]

_WHERE = {
    "BackgroundTasks": "background",
    "Draft": "base",
    "EventSourceResponse": "sse",
    "FileResponse": "files",
    "HTMLResponse": "base",
    "JSONResponse": "json",
    "PlainTextResponse": "base",
    "RedirectResponse": "base",
    "Response": "base",
    "ServerSentEvent": "sse",
    "StaticFiles": "static",
    "StreamingResponse": "streams",
}


def __getattr__(name: str) -> object:
    """Import what is asked for, and nothing else (PEP 562)."""
    if name not in _WHERE:
        raise AttributeError(f"module 'lambent.api.responses' has no attribute {name!r}")
    from importlib import import_module

    value = globals()[name] = getattr(import_module(f"lambent.api.responses.{_WHERE[name]}"), name)
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
