"""A tiny HTTP framework for functions that should start at once: itself an ASGI application.

from lambent import Lambent
from lambent.api import Api

api = Api()

@api.get("/items/{item_id}")
async def read_item(item_id: int, q: str | None = None):
    return {"item_id": item_id, "q": q}

handler = Lambent(api)
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lambent.api.access_log import AccessLog, log
    from lambent.api.application import Api
    from lambent.api.boto import botocore_config
    from lambent.api.exceptions import HTTPException, RequestInvalid
    from lambent.api.markers import Body, Cookie, Depends, File, Form, Header, Path, Query
    from lambent.api.middleware.cors import CORSMiddleware
    from lambent.api.middleware.gzip import GZipMiddleware
    from lambent.api.request import ClientDisconnect, Request
    from lambent.api.responses.background import BackgroundTasks
    from lambent.api.responses.base import HTMLResponse, PlainTextResponse, RedirectResponse, Response
    from lambent.api.responses.files import FileResponse
    from lambent.api.responses.json import JSONResponse
    from lambent.api.responses.sse import EventSourceResponse, ServerSentEvent
    from lambent.api.responses.static import StaticFiles
    from lambent.api.responses.streams import StreamingResponse
    from lambent.api.routes import Router
    from lambent.api.security import (
        APIKeyHeader,
        HTTPAuthorizationCredentials,
        HTTPBasic,
        HTTPBasicCredentials,
        HTTPBearer,
    )
    from lambent.api.uploads import UploadFile
    from lambent.api.variables import settings
    from lambent.aws.parameter_store import ParameterStore
    from lambent.types import Context

__all__ = [
    "APIKeyHeader",
    "AccessLog",
    "Api",
    "BackgroundTasks",
    "Body",
    "CORSMiddleware",
    "ClientDisconnect",
    "Context",
    "Cookie",
    "Depends",
    "EventSourceResponse",
    "File",
    "FileResponse",
    "Form",
    "GZipMiddleware",
    "HTMLResponse",
    "HTTPAuthorizationCredentials",
    "HTTPBasic",
    "HTTPBasicCredentials",
    "HTTPBearer",
    "HTTPException",
    "Header",
    "JSONResponse",
    "ParameterStore",
    "Path",
    "PlainTextResponse",
    "Query",
    "RedirectResponse",
    "Request",
    "RequestInvalid",
    "Response",
    "Router",
    "ServerSentEvent",
    "StaticFiles",
    "StreamingResponse",
    "UploadFile",
    "botocore_config",
    "log",
    "settings",
]

_WHERE = {
    "APIKeyHeader": "api.security",
    "AccessLog": "api.access_log",
    "Api": "api.application",
    "BackgroundTasks": "api.responses.background",
    "Body": "api.markers",
    "CORSMiddleware": "api.middleware.cors",
    "ClientDisconnect": "api.request",
    "Context": "types",
    "Cookie": "api.markers",
    "Depends": "api.markers",
    "EventSourceResponse": "api.responses.sse",
    "File": "api.markers",
    "FileResponse": "api.responses.files",
    "Form": "api.markers",
    "GZipMiddleware": "api.middleware.gzip",
    "HTMLResponse": "api.responses.base",
    "HTTPAuthorizationCredentials": "api.security",
    "HTTPBasic": "api.security",
    "HTTPBasicCredentials": "api.security",
    "HTTPBearer": "api.security",
    "HTTPException": "api.exceptions",
    "Header": "api.markers",
    "JSONResponse": "api.responses.json",
    "ParameterStore": "aws.parameter_store",
    "Path": "api.markers",
    "PlainTextResponse": "api.responses.base",
    "Query": "api.markers",
    "RedirectResponse": "api.responses.base",
    "Request": "api.request",
    "RequestInvalid": "api.exceptions",
    "Response": "api.responses.base",
    "Router": "api.routes",
    "ServerSentEvent": "api.responses.sse",
    "StaticFiles": "api.responses.static",
    "StreamingResponse": "api.responses.streams",
    "UploadFile": "api.uploads",
    "botocore_config": "api.boto",
    "log": "api.access_log",
    "settings": "api.variables",
}


def __getattr__(name: str) -> object:
    """Import what is asked for, and nothing else (PEP 562)."""
    if name not in _WHERE:
        raise AttributeError(f"module 'lambent.api' has no attribute {name!r}")
    from importlib import import_module

    value = globals()[name] = getattr(import_module(f"lambent.{_WHERE[name]}"), name)
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
