"""Which door an event came through."""

import base64
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambent import Lambent
from lambent.errors import EventError, UnknownEvent
from lambent.gateway import GATEWAYS, Door, detect
from lambent.gateway.model import DEFAULTS, Request, Response, Settings
from lambent.gateway.protocol import Gateway
from lambent.types import Receive, Scope, Send
from tests.payloads import DOORS, OTHERS, SOCKETS, payload

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["http", "method", "x"]), inner),
    max_leaves=5,
)


KNOWN = "function_url, http_api, rest_api, http_api_v1, alb, lattice, edge, websocket_api"
VALUES: tuple[Any, ...] = (
    *(None, "", "/", "é\ud800%", 7, True),
    *([], ["x"], [None], [{}]),
    *({}, {"a": "b"}, {"a": ["b"]}, {"a": None}, {"a": [7]}),
)
REFUSALS = (EventError, LookupError, TypeError, ValueError, AttributeError)


@pytest.mark.parametrize("name", DOORS)
def test_an_event_is_served_by_the_door_that_it_came_through(name: str) -> None:
    assert detect(payload(name), GATEWAYS).name == DOORS[name]


@pytest.mark.parametrize("name", [name for name in DOORS if DOORS[name] != "function_url"])
def test_an_event_is_matched_by_one_door_alone(name: str) -> None:
    assert [gateway.name for gateway in GATEWAYS if gateway.matches(payload(name))] == [DOORS[name]]


@pytest.mark.parametrize("name", SOCKETS)
def test_an_event_of_a_websocket_has_a_door_of_its_own(name: str) -> None:
    assert [gateway.name for gateway in GATEWAYS if gateway.matches(payload(name))] == ["websocket_api"]


@pytest.mark.parametrize(
    ("name", "limit"),
    [
        ("function_url_get", 6291556),
        ("rest_v1", 6291556),
        ("lattice_v1", 6291556),
        ("alb_single", 1048576),
        ("edge_viewer_request", 40960),
        ("edge_origin_request", 1048576),
    ],
)
def test_a_door_has_its_own_limit_for_replies(name: str, limit: int) -> None:
    assert detect(payload(name), GATEWAYS).limit == limit


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to each value inside of another."""
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield (*at, key)
        yield from places(inner, (*at, key))


@pytest.mark.parametrize("name", [*DOORS, "websocket_connect"])
def test_an_event_with_a_wrong_value_is_read_or_refused(name: str) -> None:
    for *way, last in places(payload(name)):
        for value in VALUES:
            event = payload(name)
            inner = event
            for key in way:
                inner = inner[key]
            inner[last] = value
            try:
                got = detect(event, GATEWAYS).request(event, DEFAULTS)
            except REFUSALS:
                continue
            kinds = {type(each) for field in got.headers for each in field}
            assert kinds <= {bytes}
            assert [type(each) for each in (got.path, got.raw_path, got.query_string, got.body)] == [str, *[bytes] * 3]


@pytest.mark.parametrize("name", [*DOORS, "websocket_connect"])
def test_an_event_without_one_of_its_fields_is_read_or_refused(name: str) -> None:
    for *way, last in places(payload(name)):
        event = payload(name)
        inner = event
        for key in way:
            inner = inner[key]
        del inner[last]
        with suppress(*REFUSALS):
            detect(event, GATEWAYS).request(event, DEFAULTS)


@pytest.mark.parametrize("name", DOORS)
def test_a_reply_through_any_door_is_json_and_keeps_its_cookies(name: str) -> None:
    response = Response(200, [(b"set-cookie", b"a=1"), (b"x-a", b"\xe9"), (b"set-cookie", b"b=2")], b"\xff")
    text = json.dumps(detect(payload(name), GATEWAYS).reply(response, payload(name), DEFAULTS))
    assert "a=1" in text
    assert "b=2" in text


@pytest.mark.parametrize("name", OTHERS)
def test_an_event_of_another_kind_is_refused(name: str) -> None:
    with pytest.raises(UnknownEvent, match=rf"one of the gateways {KNOWN}, but got an object with the"):
        detect(payload(name), GATEWAYS)


def test_a_refusal_names_the_keys_that_came_and_none_of_their_values() -> None:
    with pytest.raises(UnknownEvent) as caught:
        detect({"password": "open sesame", "user": "ali"}, GATEWAYS)
    assert str(caught.value) == (
        f"Expected an event of one of the gateways {KNOWN}, but got an object with the keys 'password', 'user'."
    )


@pytest.mark.parametrize(
    ("event", "described"),
    [
        (None, "a JSON NoneType"),
        ([], "a JSON list"),
        ("text", "a JSON str"),
        (1.5, "a JSON float"),
        ({}, "an empty object"),
        ({f"{number:02}": 0 for number in range(13)}, "'11' and more"),
        ({"k" * 9999: 0}, f"the keys '{'k' * 40}'"),
        ({"\ud800": 0}, "the keys '\\ud800'"),
    ],
)
def test_a_refusal_says_what_came_in_a_line(event: Any, described: str) -> None:
    with pytest.raises(UnknownEvent) as caught:
        detect(event, GATEWAYS)
    assert str(caught.value).endswith(f"{described}.")


@settings(max_examples=40)
@given(context=JSON, domain=JSON, kind=st.booleans())
def test_telling_doors_apart_never_raises(context: Any, domain: Any, kind: bool) -> None:
    event = {"requestContext": context, **({"type": "REQUEST"} if kind else {})}
    if isinstance(context, dict):
        context["domainName"] = domain
    assert {gateway.matches(event) for gateway in GATEWAYS} <= {True, False}


def test_the_first_door_that_matches_serves() -> None:
    first, second = Door("first", lambda _: True), Door("second", lambda _: True)
    assert detect({}, [first, second]) is first


def test_a_function_url_is_told_by_its_domain_alone() -> None:
    event = payload("function_url_get")
    event["requestContext"]["domainName"] = "items.example.com"
    assert detect(event, GATEWAYS).name == "http_api"


def test_a_door_has_two_translations_and_nothing_else() -> None:
    door, *_ = GATEWAYS
    assert callable(door.request)
    assert callable(door.reply)
    assert repr(door) == "<gateway function_url>"
    with pytest.raises(AttributeError):
        _ = door.nonsense  # type: ignore[attr-defined]  # that is the point


def test_a_door_is_imported_with_its_first_event() -> None:
    script = """
import sys
from lambent.gateway import GATEWAYS, detect
from lambent.gateway.model import DEFAULTS

event = {"requestContext": {"http": {"method": "GET"}}}
door = detect(event, GATEWAYS)
before = "lambent.gateway.http_api" in sys.modules
door.request(event, DEFAULTS)
print(before, "lambent.gateway.http_api" in sys.modules, "lambent.gateway.function_url" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "False True False\n"


# What holds behind every door


@pytest.mark.parametrize("name", DOORS)
@pytest.mark.parametrize("fields", [None, {}, "missing"])
def test_headers_may_be_missing_null_or_empty(name: str, fields: Any) -> None:
    event = payload(name)
    asked = event["Records"][0]["cf"]["request"] if DOORS[name] == "edge" else event
    for key in {"headers", "multiValueHeaders"} & asked.keys():
        asked[key] = fields
        if fields == "missing":
            del asked[key]
    got = detect(event, GATEWAYS).request(event, DEFAULTS)
    assert [field for field in got.headers if field[0] != b"cookie"] == []  # payload 2.0 has cookies apart


@pytest.mark.parametrize("name", [name for name in DOORS if "requestContext" in payload(name)])
def test_an_event_without_its_identity_has_no_client_or_the_door_tells_it_elsewhere(name: str) -> None:
    event = payload(name)
    for context in (event["requestContext"], event["requestContext"].get("http", {})):
        for key in ("identity", "sourceIp"):
            context.pop(key, None)
    client = detect(event, GATEWAYS).request(event, DEFAULTS).client
    assert client is None or DOORS[name] in {"alb", "lattice"}


def asked(name: str, headers: dict[str, str], path: str | None = None) -> Request:
    """A request with these headers and this path, as the door has them."""
    event = payload(name)
    lists = {key: [value] for key, value in headers.items()}
    if DOORS[name] == "edge":
        inner = event["Records"][0]["cf"]["request"]
        inner["headers"] = {key: [{"key": key, "value": value}] for key, value in headers.items()}
        where = "uri"
    else:
        inner = event
        event.update({"headers": headers} | ({"multiValueHeaders": lists} if "multiValueHeaders" in event else {}))
        where = next(key for key in ("rawPath", "raw_path", "path") if key in event)
    if path is not None:
        inner[where] = path
    return detect(event, GATEWAYS).request(event, DEFAULTS)


@pytest.mark.parametrize("name", DOORS)
def test_ten_thousand_headers_are_passed(name: str) -> None:
    headers = {f"x-{number}": "é" for number in range(10_000)}
    assert asked(name, headers).headers[:10_000] == [(key.encode(), b"\xe9") for key in headers]


@pytest.mark.parametrize("name", DOORS)
@pytest.mark.parametrize("port", ["443, 443", "8443,443", "", "x", "٣", "-1", "99999999"])
def test_a_list_of_ports_and_what_is_no_port_fails_nothing(name: str, port: str) -> None:
    headers = {"host": "example.com", "x-forwarded-port": port, "x-forwarded-proto": "https"}
    assert asked(name, headers).server in {("example.com", 443), ("example.com", 80)}


@pytest.mark.parametrize("name", [name for name in DOORS if DOORS[name] not in {"http_api", "rest_api"}])
@pytest.mark.parametrize(("path", "decoded"), [("/%zz/100%", "/%zz/100%"), ("/%FF", "/\ufffd"), ("/%252F", "/%2F")])
def test_what_is_no_percent_encoding_is_passed_and_what_is_one_is_decoded_once(
    name: str, path: str, decoded: str
) -> None:
    got = asked(name, {}, path)
    assert (got.path.removeprefix(got.root_path), got.raw_path) == (decoded, path.encode())


@pytest.mark.parametrize("name", ["http_api_form_base64", "rest_v1", "alb_single", "lattice_v2", "edge_origin_request"])
def test_a_body_of_six_megabytes_is_read(name: str) -> None:
    event = payload(name)
    content = bytes(range(256)) * (6 * 1024 * 1024 // 4 * 3 // 256)  # so many characters of base64
    text = base64.b64encode(content).decode("ascii")
    if DOORS[name] == "edge":
        event["Records"][0]["cf"]["request"]["body"]["data"] = text
    else:
        event |= {"body": text, "isBase64Encoded": True}
    assert detect(event, GATEWAYS).request(event, DEFAULTS).body == content


# Events by hand, and doors of one's own


@pytest.mark.parametrize(
    ("event", "door"),
    [
        ({"httpMethod": "GET", "path": "/a%20b"}, "rest_api"),
        ({"httpMethod": "GET", "path": "/a%20b", "headers": {"Host": "h"}, "requestContext": {}}, "rest_api"),
        ({"version": "1.0", "httpMethod": "GET", "path": "/a%20b"}, "http_api_v1"),
        ({"rawPath": "/a b", "requestContext": {"http": {"method": "GET"}}}, "http_api"),
        (
            {"rawPath": "/a%20b", "requestContext": {"domainName": "x.lambda-url.y.on.aws", "http": {"method": "GET"}}},
            "function_url",
        ),
        (
            {"httpMethod": "GET", "path": "/a%20b", "requestContext": {"elb": {"targetGroupArn": "arn:aws:x"}}},
            "alb",
        ),
        ({"method": "GET", "raw_path": "/a%20b"}, "lattice"),
        ({"method": "GET", "path": "/a%20b", "requestContext": {"serviceNetworkArn": "arn:aws:x"}}, "lattice"),
        (
            {
                "Records": [
                    {"cf": {"config": {"eventType": "viewer-request"}, "request": {"method": "GET", "uri": "/a%20b"}}}
                ]
            },
            "edge",
        ),
    ],
)
def test_an_event_written_by_hand_in_the_format_of_a_door_is_served(event: Any, door: str) -> None:
    gateway = detect(event, GATEWAYS)
    got = gateway.request(event, DEFAULTS)
    assert (gateway.name, got.method, got.path) == (door, "GET", "/a b")
    json.dumps(gateway.reply(Response(200, [], b"hi"), event, DEFAULTS))


class Mine:
    """A door of a user's, which needs no instance."""

    name = "mine"
    limit = 1000

    @staticmethod
    def matches(event: dict[str, Any]) -> bool:
        return "mine" in event

    @staticmethod
    def request(event: dict[str, Any], settings: Settings) -> Request:
        return Request("GET", event["mine"], b"/", b"", "", "https", "1.1", [], None, None, b"")

    @staticmethod
    def reply(response: Response, event: dict[str, Any], settings: Settings) -> Any:
        return {"said": response.body.decode()}


@pytest.mark.parametrize("mine", [Mine, Mine()])
def test_a_door_of_one_s_own_stands_before_the_others(mine: Gateway) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": scope["path"].encode()})

    with closing(Lambent(app, gateways=[mine, *GATEWAYS], lifespan="off")) as handler:
        assert handler({"mine": "/x"}) == {"said": "/x"}
        assert handler(payload("function_url_get") | {"mine": "/y"}) == {"said": "/y"}
        assert handler(payload("function_url_get"))["statusCode"] == 200
        assert handler({"mine": 7})["said"].startswith("Internal Server Error")
        with pytest.raises(UnknownEvent, match=rf"one of the gateways mine, {KNOWN}, but"):
            handler({})
