"""Which door an event came through."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambent.errors import EventError, UnknownEvent
from lambent.gateway import GATEWAYS, Door, detect
from lambent.gateway.model import DEFAULTS, Response
from tests.payloads import DOORS, NAMES, payload

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["http", "method", "x"]), inner),
    max_leaves=5,
)


KNOWN = "function_url, http_api, rest_api, http_api_v1, alb, lattice, edge"
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


@pytest.mark.parametrize("name", DOORS)
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


@pytest.mark.parametrize("name", DOORS)
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


@pytest.mark.parametrize("name", sorted(set(NAMES) - set(DOORS)))
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
