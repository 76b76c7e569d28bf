"""Requests for the doors, and what the adapter's gateways make of the events that the doors build of them."""

import json
from urllib.parse import unquote_to_bytes

from hypothesis import strategies as st

from lambent import gateway
from lambent.dev.doors.model import ANYTHING, Arrival, Door, Fields, HTTPRequest, Matched
from lambent.gateway.model import DEFAULTS, Request, Response

ARRIVAL = Arrival("4b1d7f0c-27f2-4a3f-9a6b-0d0f3a9e6f11", "ATfSmjLgPHcESJw=", "Root=1-2-3;Parent=4", 1783711145.5)
HOST = (b"host", b"127.0.0.1:3000")
CLIENT = ("127.0.0.1", 50000)


def request(
    path: bytes = b"/", query: bytes = b"", *headers: tuple[bytes, bytes], method: str = "GET", body: bytes = b""
) -> HTTPRequest:
    return HTTPRequest(method, path, query, [HOST, *headers], body, CLIENT, "http", "1.1")


def told(door: Door, sent: HTTPRequest, matched: Matched = ANYTHING) -> Fields:
    """The event, as the function reads it."""
    event: Fields = json.loads(json.dumps(door.event(sent, ARRIVAL, matched)))
    return event


def arrived(door: Door, sent: HTTPRequest, matched: Matched = ANYTHING) -> Request:
    """The request, as the application sees it."""
    event = told(door, sent, matched)
    return gateway.detect(event, gateway.GATEWAYS).request(event, DEFAULTS)


def answered(door: Door, response: Response) -> tuple[int, dict[bytes, list[bytes]], bytes]:
    """An application's response, as the client sees it: status, headers of the application's own making, body."""
    event = told(door, request())
    reply = gateway.detect(event, gateway.GATEWAYS).reply(response, event, DEFAULTS)
    got = door.reply(json.dumps(reply).encode(), ARRIVAL)
    return got.status, by_name(own([(name.lower(), value) for name, value in got.headers])), got.body


def by_name(headers: list[tuple[bytes, bytes]]) -> dict[bytes, list[bytes]]:
    """Headers or parameters, those of one name in their order: the order of names is lost in maps."""
    values: dict[bytes, list[bytes]] = {}
    for name, value in headers:
        values.setdefault(name, []).append(value)
    return values


def parameters(query: bytes) -> dict[bytes, list[bytes]]:
    """A query by name, not decoded; `a` is `a=`."""
    pairs = [pair.partition(b"=") for pair in query.split(b"&") if pair]
    return by_name([(name, value) for name, _, value in pairs])


def decoded_parameters(query: bytes) -> dict[bytes, list[bytes]]:
    """A query by name, decoded, `+` being a space."""
    pairs = [pair.replace(b"+", b" ").partition(b"=") for pair in query.split(b"&") if pair]
    return by_name([(unquote_to_bytes(name), unquote_to_bytes(value)) for name, _, value in pairs])


def own(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """The headers of the client's own making."""
    return [field for field in headers if field[0].startswith((b"x-own-", b"set-cookie"))]


TEXT = st.from_regex(rb"([a-zA-Z0-9._~-]|%2F|%C3%A9|%20|%25){1,4}", fullmatch=True)
PATHS = st.lists(TEXT | st.just(b""), max_size=4).map(lambda parts: b"/" + b"/".join(parts))
QUERIES = st.lists(st.tuples(st.sampled_from([b"a", b"b", b"%C3%A9"]), TEXT), max_size=4).map(
    lambda pairs: b"&".join(b"=".join(pair) for pair in pairs)
)
NAMES = st.sampled_from([b"x-own-a", b"x-own-b"])
VALUES = st.from_regex(rb"[!-+\--~\xe9]{1,5}", fullmatch=True)
HEADERS = st.lists(st.tuples(NAMES, VALUES), max_size=4)
TYPES = st.sampled_from([b"text/plain", b"application/json", b"application/x-www-form-urlencoded", b"image/png"])


@st.composite
def requests(draw: st.DrawFn) -> HTTPRequest:
    kind = (b"content-type", draw(TYPES))
    return request(
        draw(PATHS),
        draw(QUERIES),
        kind,
        *draw(HEADERS),
        method=draw(st.sampled_from(["GET", "POST", "DELETE"])),
        body=draw(st.binary(max_size=50)),
    )


@st.composite
def responses(draw: st.DrawFn) -> Response:
    """With cookies, of which none may be lost."""
    cookies = [(b"set-cookie", value) for value in draw(st.lists(VALUES, max_size=3))]
    headers = [(b"content-type", draw(TYPES)), *draw(HEADERS), *cookies]
    return Response(draw(st.sampled_from([200, 201, 302, 404, 500])), headers, draw(st.binary(max_size=50)))
