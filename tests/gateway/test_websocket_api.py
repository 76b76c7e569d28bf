"""A WebSocket API's events: the handshake, a message, the end, and what answers them."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import quote, unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambent.errors import MalformedEvent
from lambent.gateway import GATEWAYS, detect, websocket_api
from lambent.gateway.model import Request, Response, Settings
from lambent.types import RawHeaders
from tests.payloads import payload

HOST = "w1x2y3z4a5.execute-api.eu-west-1.amazonaws.com"
REFUSALS = (MalformedEvent, LookupError, TypeError, ValueError, AttributeError)


def request(path: Any = "/", query: dict[str, str] | None = None, **changes: Any) -> Request:
    event = payload("websocket_connect") | changes
    if query is not None:
        event["queryStringParameters"] = query
        event["multiValueQueryStringParameters"] = {name: [value] for name, value in query.items()}
    return websocket_api.request(event, Settings(websocket_path=path))


def reply(headers: Iterable[tuple[bytes, bytes]] = (), body: bytes = b"", status: int = 200) -> Any:
    return websocket_api.reply(Response(status, list(headers), body), {})


# The handshake


def test_a_handshake_is_read_field_by_field() -> None:
    assert request("/ws") == Request(
        method="GET",
        path="/ws",
        raw_path=b"/ws",
        query_string=b"",
        root_path="",
        scheme="wss",
        http_version="1.1",
        headers=[
            (b"host", HOST.encode()),
            (b"sec-websocket-key", b"dGhlIHNhbXBsZSBub25jZQ=="),
            (b"sec-websocket-version", b"13"),
            (b"x-forwarded-for", b"203.0.113.9"),
            (b"x-forwarded-port", b"443"),
            (b"x-forwarded-proto", b"https"),
        ],
        client=("203.0.113.9", 0),
        server=(HOST, 443),
        body=b"",
    )


def test_its_query_keeps_all_values_and_is_encoded_once() -> None:
    got = request(
        queryStringParameters={"room": "b", "q": "a&b=é"},
        multiValueQueryStringParameters={"room": ["a", "b"], "q": ["a&b=é"]},
    )
    assert got.query_string == b"room=a&room=b&q=a%26b%3D%C3%A9"


def test_its_repeated_headers_stay_apart_and_cookies_are_one() -> None:
    fields = {"X-A": ["1", "2"], "Cookie": ["a=1", "b=2"]}
    assert request(multiValueHeaders=fields).headers == [(b"x-a", b"1"), (b"x-a", b"2"), (b"cookie", b"a=1; b=2")]


def test_without_headers_the_domain_is_the_host() -> None:
    got = request(multiValueHeaders=None, headers=None)
    assert (got.headers, got.scheme, got.server) == ([], "wss", (HOST, 443))


def test_a_plain_connection_has_a_plain_scheme() -> None:
    fields = {"Host": ["127.0.0.1:3000"], "X-Forwarded-Proto": ["http"], "X-Forwarded-Port": ["3000"]}
    got = request(multiValueHeaders=fields)
    assert (got.scheme, got.server) == ("ws", ("127.0.0.1", 3000))


def test_without_an_identity_there_is_no_client() -> None:
    event = payload("websocket_connect")
    del event["requestContext"]["identity"]
    assert websocket_api.request(event).client is None


@pytest.mark.parametrize(
    ("fields", "offered"),
    [
        ([], []),
        ([b"chat"], ["chat"]),
        ([b"chat.v2, chat.v1"], ["chat.v2", "chat.v1"]),
        ([b"a,b", b" c ,"], ["a", "b", "c"]),
        ([b""], []),
        ([b", ,"], []),
        ([b"\xe9"], ["é"]),
    ],
)
def test_subprotocols_are_listed_in_the_client_s_order(fields: list[bytes], offered: list[str]) -> None:
    raw = [(b"x-a", b"1"), *((b"sec-websocket-protocol", field) for field in fields)]
    assert websocket_api.subprotocols(raw) == offered


# The path


@pytest.mark.parametrize(
    ("template", "query", "path", "raw_path"),
    [
        ("/", None, "/", b"/"),
        ("/ws", {"room": "a"}, "/ws", b"/ws"),
        ("/héllo wörld", None, "/héllo wörld", b"/h%C3%A9llo%20w%C3%B6rld"),
        ("/ws/{client_id}", {"client_id": "7"}, "/ws/7", b"/ws/7"),
        ("/items/{item_id}/ws", {"item_id": "foo", "token": "t"}, "/items/foo/ws", b"/items/foo/ws"),
        ("/{a}/{b}", {"a": "1", "b": "2"}, "/1/2", b"/1/2"),
        ("/{a}{a}", {"a": "1"}, "/11", b"/11"),
        ("/rooms/{room}", {"room": "a/b"}, "/rooms/a/b", b"/rooms/a%2Fb"),
        ("/rooms/{room}", {"room": "é?#%"}, "/rooms/é?#%", b"/rooms/%C3%A9%3F%23%25"),
        ("/rooms/{room}", {"room": "../admin"}, "/rooms/../admin", b"/rooms/..%2Fadmin"),
        ("/files/{path:path}", {"path": "a/b c"}, "/files/a/b c", b"/files/a/b%20c"),
        ("/n/{n:int}", {"n": "7"}, "/n/7", b"/n/7"),
        ("/a}b", None, "/a}b", b"/a%7Db"),
    ],
)
def test_a_path_is_a_constant_or_filled_from_the_query(template: str, query: Any, path: str, raw_path: bytes) -> None:
    got = request(template, query)
    assert (got.path, got.raw_path) == (path, raw_path)


def test_a_constant_between_parts_is_encoded_too() -> None:
    got = request("/é a/{room}", {"room": "b"})
    assert (got.path, got.raw_path) == ("/é a/b", b"/%C3%A9%20a/b")


@pytest.mark.parametrize("query", [None, {}, {"other": "a"}, {"room": ""}, {"room": None}, {"room": 7}])
def test_a_query_that_lacks_a_part_of_the_path_is_refused_by_its_name(query: Any) -> None:
    with pytest.raises(MalformedEvent, match=r"have `room`, a part of the path '/rooms/\{room\}'") as caught:
        request("/rooms/{room}", queryStringParameters=query)
    assert caught.value.status == 400


@pytest.mark.parametrize(
    ("given_path", "path", "raw_path"),
    [("/ws", "/ws", b"/ws"), ("/a%2Fb%20c", "/a/b c", b"/a%2Fb%20c"), ("/é", "/é", b"/%C3%A9")],
)
def test_a_path_may_be_what_a_function_makes_of_the_event(given_path: str, path: str, raw_path: bytes) -> None:
    seen = []

    def made(event: dict[str, Any]) -> str:
        seen.append(event["requestContext"]["stage"])
        return given_path

    got = request(made)
    assert (got.path, got.raw_path) == (path, raw_path)
    assert seen == ["prod"]


@given(value=st.text(min_size=1, max_size=10), slashes=st.booleans())
def test_whatever_is_filled_in_is_one_part_of_the_path(value: str, slashes: bool) -> None:
    got = request("/rooms/{room:path}/ws" if slashes else "/rooms/{room}/ws", {"room": value})
    assert got.path == f"/rooms/{value}/ws"
    raw = got.raw_path.decode("ascii")
    assert unquote(raw) == got.path.encode("utf-8", "replace").decode()
    assert slashes or raw.count("/") == 3
    assert quote(raw, safe="/%~") == raw


# A message and the end


@pytest.mark.parametrize(
    ("body", "encoded", "message"),
    [("hi", False, "hi"), ("", False, ""), (None, False, ""), ("AP8=", True, b"\0\xff"), (None, True, b"")],
)
def test_a_message_is_text_or_bytes(body: Any, encoded: bool, message: Any) -> None:
    got = websocket_api.message({"body": body, "isBase64Encoded": encoded})
    assert got == message
    assert type(got) is type(message)


@pytest.mark.parametrize("event", [{"body": 7}, {"body": ["a"]}, {"body": "=", "isBase64Encoded": True}])
def test_a_message_that_is_neither_is_refused(event: Any) -> None:
    with pytest.raises(MalformedEvent, match="Expected `body` to be"):
        websocket_api.message(event)


@pytest.mark.parametrize(
    ("told", "ending"),
    [
        ({}, (1006, "")),
        ({"disconnectStatusCode": 1001, "disconnectReason": "Going away"}, (1001, "Going away")),
        ({"disconnectStatusCode": -1, "disconnectReason": ""}, (1006, "")),
        ({"disconnectStatusCode": None, "disconnectReason": None}, (1006, "")),
        ({"disconnectStatusCode": "1000"}, (1006, "")),
    ],
)
def test_an_end_has_a_code_and_a_reason(told: Any, ending: tuple[int, str]) -> None:
    assert websocket_api.ending({"requestContext": told}) == ending


@pytest.mark.parametrize("name", ["websocket_connect", "websocket_message"])
def test_an_event_says_what_it_is_and_of_which_connection(name: str) -> None:
    kind = {"websocket_connect": "CONNECT", "websocket_message": "MESSAGE"}[name]
    assert websocket_api.origin(payload(name)) == (kind, "JCIuTfPGDoECJkA=")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"eventType": None}, "Expected `eventType` CONNECT, MESSAGE or DISCONNECT, but got None"),
        ({"eventType": "connect"}, "but got 'connect'"),
        ({"eventType": ["x" * 999]}, r"but got \['x{78}\."),
        ({"connectionId": 7}, "Expected `connectionId` to be a string, but got a int"),
    ],
)
def test_an_event_that_does_not_say_it_is_refused(changes: Any, message: str) -> None:
    event = payload("websocket_connect")
    event["requestContext"] |= changes
    with pytest.raises(MalformedEvent, match=message):
        websocket_api.origin(event)


# The reply


def test_a_reply_is_as_small_as_it_can_be() -> None:
    assert reply() == {"statusCode": 200}


def test_of_repeated_headers_the_last_one_counts() -> None:
    headers = [(b"x-a", b"1"), (b"x-a", b"2"), (b"sec-websocket-protocol", b"chat")]
    assert reply(headers)["headers"] == {"x-a": "2", "sec-websocket-protocol": "chat"}


@pytest.mark.parametrize(
    ("headers", "body", "told"),
    [
        ([(b"content-type", b"text/plain")], b"no", ("no", False)),
        ([(b"content-type", b"image/png")], b"\xff", ("/w==", True)),
    ],
)
def test_a_refusal_may_have_a_body(headers: RawHeaders, body: bytes, told: tuple[str, bool]) -> None:
    got = reply(headers, body, 403)
    assert (got["statusCode"], got["body"], got["isBase64Encoded"]) == (403, *told)


# Whatever comes

VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
KEYS = ("headers", "multiValueHeaders", "queryStringParameters", "multiValueQueryStringParameters", "body", "other")
CONTEXT = ("eventType", "domainName", "identity", "stage", "connectedAt", "disconnectStatusCode")


@settings(max_examples=150, deadline=None)
@given(
    changes=st.dictionaries(st.sampled_from(KEYS), VALUES),
    context=st.dictionaries(st.sampled_from(CONTEXT), VALUES),
    path=st.sampled_from(["/", "/ws/{a}", "/{a:path}/{b}", "{", "}{", "/{", lambda event: event["body"]]),
)
def test_an_event_of_this_door_is_read_or_refused(changes: Any, context: Any, path: Any) -> None:
    event = payload("websocket_connect") | changes
    event["requestContext"] |= context
    assert detect(event, GATEWAYS).name == "websocket_api"
    try:
        got = detect(event, GATEWAYS).request(event, Settings(websocket_path=path))
    except REFUSALS:
        return
    assert [type(each) for each in (got.path, got.raw_path, got.query_string)] == [str, bytes, bytes]
    assert {type(each) for field in got.headers for each in field} <= {bytes}
