"""What is asked of each application. The same of all, where they have it, and what is a framework's own."""

from __future__ import annotations

import json
from typing import Any

from tests.applications.asking import Question, fields

FORM = fields(content_type="application/x-www-form-urlencoded")
FILE = fields(content_type="multipart/form-data; boundary=edge")
JSON = fields(content_type="application/json")
UPLOAD = (
    b'--edge\r\ncontent-disposition: form-data; name="file"; filename="h\xc3\xa9.bin"\r\n'
    b"content-type: application/octet-stream\r\n\r\n\x00\xff\r\n\xfe--edg\r\n--edge--\r\n"
)

COMMON = {
    "path and query": Question("GET", "/items/7?tags=a%2Bb+c&x="),
    "repeated parameter": Question("GET", "/items/7?tags=1&x=2&tags=3"),
    "unicode parameter": Question("GET", "/items/7?tags=%C3%A9%F0%9F%92%A1&tags=%26%3D%20"),
    "path variable that is none": Question("GET", "/items/seven"),
    "post": Question("POST", "/items", JSON, b'{"name": "l\xc3\xa4mp", "price": 9.5}'),
    "post of what is not JSON": Question("POST", "/items", JSON, b'{"name": '),
    "post of what is not UTF-8": Question("POST", "/items", JSON, b'{"name": "\xff", "price": 1}'),
    "post of nothing": Question("POST", "/items", JSON),
    "seen": Question("GET", "/seen/plain?q=1&q=2&flag&e=", fields(cookie="a=1; b=2", x_custom="caf\xe9")),
    "seen, encoded": Question("GET", "/seen/a%20b/%C3%BC+1?q=%C3%BC%2B+%26"),
    "seen, encoded slash": Question("GET", "/seen/a%2Fb/c"),
    "seen, per cent twice": Question("GET", "/seen/100%25"),
    "seen, slashes": Question("GET", "/seen//a//"),
    "seen, repeated fields": Question("GET", "/seen/x", fields(("x-tag", "one"), ("x-tag", "two"), user_agent="me")),
    "sync route, in a thread": Question("GET", "/threaded"),
    "state of startup": Question("GET", "/started"),
    "unhandled error": Question("GET", "/bug"),
    "after the error": Question("GET", "/items/8"),
    "no session": Question("GET", "/me"),
    "session": Question("GET", "/me", fields(cookie="theme=dark; session=ada")),
    "login": Question("POST", "/login", FORM, b"name=Ad%C3%A8le+B"),
    "upload": Question("POST", "/upload", FILE, UPLOAD),
    "stream": Question("GET", "/stream"),
    "binary": Question("GET", "/pixel"),
    "text": Question("GET", "/text"),
    "latin-1": Question("GET", "/latin"),
    "no content": Question("DELETE", "/items/7"),
    "redirect to a URL": Question("GET", "/moved"),
    "HEAD": Question("HEAD", "/items/7?tags=1"),
    "HEAD of a text": Question("HEAD", "/text"),
    "OPTIONS": Question("OPTIONS", "/items/7"),
    "method not allowed": Question("PUT", "/items/7"),
    "not found": Question("GET", "/nothing"),
    "not found, unicode": Question("GET", "/n%C3%B6"),
    "root": Question("GET", "/"),
}

STARLETTE = {
    "dependency or error handler": Question("GET", "/broken"),
    "login without a name": Question("POST", "/login", JSON, b"{}"),
    "background task": Question("POST", "/later"),
    "compressed": Question("GET", "/long", fields(accept_encoding="gzip")),
    "not compressed": Question("GET", "/long"),
    "static file": Question("GET", "/static/style.css"),
    "HEAD of a static file": Question("HEAD", "/static/style.css"),
    "range of a static file": Question("GET", "/static/style.css", fields(range="bytes=0-3")),
    "static file that is not there": Question("GET", "/static/none.css"),
    "slash too many": Question("GET", "/me/"),
}


def graphql(query: str, **variables: Any) -> Question:
    asked = {"query": query, "variables": variables} if variables else {"query": query}
    return Question("POST", "/", JSON, json.dumps(asked).encode())


ADD_LAMP = "mutation Add($lamp: NewLamp!) { addLamp(lamp: $lamp) { id name watts } }"
ARIADNE = {
    "query": graphql("{ lamps { id name } }"),
    "query with an argument": graphql("query($than: Float) { lamps(brighterThan: $than) { name } }", than=10),
    "query in the URL": Question("GET", "/?query=%7B%20lamps%20%7B%20name%20%7D%20%7D"),
    "URL": graphql("{ host }"),
    "mutation": graphql(ADD_LAMP, lamp={"name": "Röhre", "watts": 18}),
    "mutation with a wrong variable": graphql(ADD_LAMP, lamp={"name": "Röhre"}),
    "error of a resolver": graphql("{ broken lamps { id } }"),
    "query with a syntax error": graphql("{ lamps"),
    "field that is not there": graphql("{ candles }"),
    "introspection": graphql("{ __schema { types { name fields { name } } } }"),
    "not JSON": Question("POST", "/", JSON, b"{"),
    "not of a known type": Question("POST", "/", fields(content_type="text/plain"), b"{ lamps { id } }"),
    "explorer": Question("GET", "/", fields(accept="text/html")),
    "method not allowed": Question("PUT", "/", JSON, b"{}"),
    "HEAD": Question("HEAD", "/"),
}

ACCEPTED = fields(accept="application/json, text/event-stream", content_type="application/json")
INITIALIZE: dict[str, Any] = {
    "protocolVersion": "2025-06-18",
    "capabilities": {},
    "clientInfo": {"name": "tests", "version": "1"},
}


def rpc(method: str, number: int = 1, headers: tuple[tuple[str, str], ...] = (), **params: Any) -> Question:
    """One JSON-RPC request as an MCP client posts it."""
    asked = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
    return Question("POST", "/mcp", (*ACCEPTED, *headers), json.dumps(asked).encode())


def notification(method: str, headers: tuple[tuple[str, str], ...] = ()) -> Question:
    return Question("POST", "/mcp", (*ACCEPTED, *headers), json.dumps({"jsonrpc": "2.0", "method": method}).encode())


MCP = {
    "initialize": rpc("initialize", **INITIALIZE),
    "initialized": notification("notifications/initialized"),
    "ping": rpc("ping"),
    "tools": rpc("tools/list", 2),
    "call": rpc("tools/call", 3, name="add", arguments={"a": 2, "b": 40}),
    "call that needs the lifespan": rpc("tools/call", 4, name="lamps", arguments={}),
    "call that fails": rpc("tools/call", 5, name="broken", arguments={}),
    "call with wrong arguments": rpc("tools/call", 6, name="add", arguments={"a": "x"}),
    "call of what is not there": rpc("tools/call", 7, name="subtract", arguments={}),
    "resource templates": rpc("resources/templates/list", 8),
    "resource": rpc("resources/read", 9, uri="lamp://caf%C3%A9"),
    "method that is not there": rpc("lamps/light", 10),
    "not JSON": Question("POST", "/mcp", ACCEPTED, b"{"),
    "not accepted": Question("POST", "/mcp", fields(accept="text/html", content_type="application/json"), b"{}"),
    "stream that a client asks for": Question("GET", "/mcp", fields(accept="text/event-stream")),
    "delete of no session": Question("DELETE", "/mcp", ACCEPTED),
    "not found": Question("GET", "/nothing"),
}

QUESTIONS: dict[str, dict[str, Question]] = {
    "fastapi": COMMON
    | STARLETTE
    | {
        "dependency": Question("GET", "/connected"),
        "OpenAPI": Question("GET", "/openapi.json"),
        "documentation": Question("GET", "/docs"),
    },
    "starlette": COMMON | STARLETTE | {"file with a name": Question("GET", "/file")},
    "django": COMMON | {"slash too few": Question("GET", "/slashed?a=1")},
    "quart": COMMON | {"slash too few": Question("GET", "/slashed?a=1")},
    "litestar": COMMON
    | {
        "OpenAPI": Question("GET", "/schema/openapi.json"),
        "slash too many": Question("GET", "/me/"),
    },
    "ariadne": ARIADNE,
    "mcp": MCP,
}
"""Application → name → question."""

STAGED = ("/seen/production/prod?q=1", "/items/7", "/moved", "/", "/me/", "/static/style.css", "/openapi.json", "/docs")
"""Asked below a root path: what has it in its URLs, and what could mistake it for its own."""
