"""A question, an answer, and the ways to ask it: over HTTP, and of a handler by way of a front door's event."""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import closing
from http.client import HTTPConnection
from typing import Any, NamedTuple
from urllib.parse import quote, unquote

from lambent import Lambent
from lambent.dev.doors.function_url import FunctionURL
from lambent.dev.doors.model import Arrival, Door, HTTPRequest, Site

WAIT = 20
"""Seconds until a test that hangs fails."""

HOST = "lamps.localhost:8080"
"""A name that the local Lambda answers to, and a port that is not the server's own."""

ARRIVAL = Arrival("5f1d0f3c-6c1a-4a4e-9c0e-6f0c4e1a2b3c", "ATfSmjLgPHcESJw=", "Root=1-6869a2c4-5f1e2d3c4b5a6978", 0.0)


class Question(NamedTuple):
    method: str
    target: str
    """Path and query, as on the wire."""
    headers: tuple[tuple[str, str], ...] = ()
    """In order; a name may be repeated."""
    body: bytes = b""


class Viewer(NamedTuple):
    """Who asks, and how."""

    address: str = "203.0.113.9"
    scheme: str = "https"


class Answer(NamedTuple):
    status: int
    headers: dict[str, list[str]]
    """Names in lower case; the values of each in order."""
    body: bytes


def fields(*pairs: tuple[str, str], **headers: str) -> tuple[tuple[str, str], ...]:
    return (*((name.replace("_", "-"), value) for name, value in headers.items()), *pairs)


def ask(port: int, question: Question, told: Iterable[tuple[str, str]] = ()) -> Answer:
    """Over HTTP. `told`: what a proxy adds."""
    with closing(HTTPConnection("127.0.0.1", port, timeout=WAIT)) as http:
        http.putrequest(question.method, question.target, skip_host=True, skip_accept_encoding=True)
        for name, value in (("host", HOST), *question.headers, *told, *length(question)):
            http.putheader(name, value.encode("latin-1"))
        http.endheaders(question.body or None)
        response = http.getresponse()
        return Answer(response.status, by_name(response.getheaders()), response.read())


def ask_uvicorn(port: int, question: Question, viewer: Viewer) -> Answer:
    """Uvicorn believes a proxy on this machine in who the client is and how it came."""
    return ask(port, question, fields(x_forwarded_for=viewer.address, x_forwarded_proto=viewer.scheme))


def ask_handler(handler: Lambent, door: Door, question: Question, viewer: Viewer) -> Answer:
    """As AWS's managed runtime calls it, with the event that the door makes of the question."""
    return ask_with_event(handler, door, door.event(request_of(question, viewer), ARRIVAL))


def function_url_event(question: Question) -> dict[str, object]:
    """For who calls a handler in a way of their own."""
    return FunctionURL(Site("lamps")).event(request_of(question, Viewer()), ARRIVAL)


def ask_with_event(handler: Lambent, door: Door, event: dict[str, Any]) -> Answer:
    """An event in, a reply out, both JSON; then the door makes its response of it.

    The door leaves out a content-length, as it counts for itself; the reply's own is in the answer nevertheless.
    """
    reply = json.dumps(handler(json.loads(json.dumps(event))))
    got = door.reply(reply.encode(), ARRIVAL)
    headers = by_name((name.decode(), value.decode("latin-1")) for name, value in got.headers)
    return Answer(got.status, headers | declared(json.loads(reply)), got.body)


def request_of(question: Question, viewer: Viewer) -> HTTPRequest:
    """The question as a door gets it."""
    path, _, query = question.target.partition("?")
    sent = (("host", HOST), *question.headers, *length(question))
    return HTTPRequest(
        question.method,
        path.encode(),
        query.encode(),
        [(name.encode(), value.encode("latin-1")) for name, value in sent],
        question.body,
        (viewer.address, 5),
        viewer.scheme,
        "1.1",
    )


def length(question: Question) -> tuple[tuple[str, str], ...]:
    return (("content-length", str(len(question.body))),) if question.body or question.method == "POST" else ()


def by_name(headers: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    values: dict[str, list[str]] = {}
    for name, value in headers:
        values.setdefault(name.lower(), []).append(value)
    return values


def declared(reply: dict[str, Any]) -> dict[str, list[str]]:
    """The content-length that a reply has, wherever it has it."""
    fields = {**(reply.get("headers") or {}), **(reply.get("multiValueHeaders") or {})}
    value = fields.get("content-length")
    return {} if value is None else {"content-length": value if isinstance(value, list) else [value]}


def decoded(text: str) -> str:
    return unquote(text.replace("+", " "))


def encoded(text: str) -> str:
    return quote(text, safe="")
