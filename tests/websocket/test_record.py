"""What is kept of a connection: written, read, and merged."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambent.errors import InvalidMessage
from lambent.gateway.model import Request
from lambent.stores.model import LARGEST
from lambent.websocket.record import MISSING, Record, merged

TEXT = st.text(max_size=8)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
SESSIONS = st.dictionaries(TEXT, JSON, max_size=4)
ADDRESSES = st.none() | st.tuples(TEXT, st.integers(0, 65535))
REQUESTS = st.builds(
    Request,
    st.just("GET"),
    st.text(),
    st.binary(),
    st.binary(),
    TEXT,
    st.sampled_from(["ws", "wss"]),
    st.just("1.1"),
    st.lists(st.tuples(st.binary(max_size=8), st.binary(max_size=8)), max_size=3),
    ADDRESSES,
    ADDRESSES,
    st.just(b""),
)


def record(session: Any = None) -> Record:
    request = Request("GET", "/ws", b"/ws", b"", "", "wss", "1.1", [], None, None, b"")
    made = Record(request, [], 1000.0, "https://example.com/prod")
    made.session = {} if session is None else session
    return made


@settings(deadline=None)
@given(
    request=REQUESTS,
    protocols=st.lists(TEXT, max_size=3),
    connected_at=st.floats(0, 1e10),
    endpoint=TEXT,
    session=SESSIONS,
    owner=TEXT,
    pending=st.lists(TEXT | st.binary(max_size=8), max_size=3),
    closing=st.booleans(),
)
def test_what_is_written_is_read(
    request: Request,
    protocols: list[str],
    connected_at: float,
    endpoint: str,
    session: dict[str, object],
    owner: str,
    pending: list[str | bytes],
    closing: bool,
) -> None:
    before = Record(request, protocols, connected_at, endpoint)
    before.session, before.owner, before.pending, before.closing = session, owner, pending, closing
    after = Record.decode(before.encode())
    assert before.request() == request
    assert after.request() == request
    for name in ("subprotocols", "connected_at", "endpoint", "session", "owner", "pending", "closing", "expires"):
        assert getattr(after, name) == getattr(before, name), name
    assert after.encode() == before.encode()


def test_a_request_is_made_anew_each_time() -> None:
    kept = record()
    kept.request().headers.append((b"x-a", b"1"))
    assert kept.request().headers == []
    assert Record.decode(kept.encode()).request().headers == []


def test_a_record_is_two_lines_of_which_the_first_never_changes() -> None:
    before, after = record(), record({"name": "a\nb", "n": 1})
    first, second = after.encode().split(b"\n")
    assert before.encode().split(b"\n")[0] == first
    assert json.loads(second) == {"session": {"name": "a\nb", "n": 1}}


def test_a_record_lives_as_long_as_a_connection_and_a_little_longer() -> None:
    assert record().expires == 1000 + 2 * 3600 + 300


def test_a_small_session_makes_a_small_record_and_a_large_one_fits_the_stores() -> None:
    assert len(record().encode()) < 300
    assert len(record({"text": "x" * 200_000}).encode()) < LARGEST


def test_a_record_that_no_store_takes_is_refused() -> None:
    room = LARGEST - len(record({"text": ""}).encode())
    assert len(record({"text": "x" * room}).encode()) == LARGEST
    with pytest.raises(InvalidMessage, match=f"of {LARGEST} bytes at most, but got {LARGEST + 1}: keep less in its"):
        record({"text": "x" * (room + 1)}).encode()


def test_the_refusal_of_a_record_that_is_too_large_names_what_waits_in_it() -> None:
    large = record()
    large.pending = ["x" * 100_000, b"x" * 150_000]
    with pytest.raises(InvalidMessage, match=r": 2 messages wait in it .* send less at \$connect"):
        large.encode()


@pytest.mark.parametrize(
    ("session", "message"),
    [
        ({"a": 1, "b": {1, 2}}, "under 'b' to be JSON, but: Object of type set"),
        ({"a": float("nan")}, "under 'a' to be JSON"),
        ({"a": [b"x"]}, "under 'a' to be JSON, but: Object of type bytes"),
        ({7: "a", "b": {1}}, "keys of a session to be strings, but one is of type int: 7."),
        ({7: 1, "7": 1}, "keys of a session to be strings, but one is of type int: 7."),
        ({"a": [({"b": {None: 1}},)]}, "keys of a session to be strings, but one is of type NoneType: None."),
        ({"a": {True: 1}}, "keys of a session to be strings, but one is of type bool: True."),
        ({(1, 2): "a"}, "keys of a session to be strings, but one is of type tuple"),
    ],
)
def test_a_session_that_is_not_json_is_refused_by_the_key_that_is_to_blame(session: Any, message: str) -> None:
    with pytest.raises(InvalidMessage, match=message):
        record(session).encode()


def test_a_session_that_goes_round_in_a_circle_is_refused() -> None:
    round_: dict[str, object] = {}
    round_["self"] = round_
    with pytest.raises(InvalidMessage, match="under 'self' to be JSON"):
        record(round_).encode()


def test_a_refusal_names_the_key_and_never_the_value() -> None:
    class Secret:
        def __repr__(self) -> str:
            return "open sesame"

    with pytest.raises(InvalidMessage) as caught:
        record({"password": Secret()}).encode()
    assert "'password'" in str(caught.value)
    assert "sesame" not in str(caught.value)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n",
        b"{}\n{}",
        b"[]\n[]",
        b"7\n7",
        b"null\nnull",
        b"\xff\n{}",
        b'{"session": {}}',
        record().encode().split(b"\n")[0],
        record().encode().split(b"\n")[0] + b"\n{}",
        record().encode().split(b"\n")[0] + b'\n{"session":{},"pending":[["t"]]}',
    ],
)
def test_anything_else_is_no_record(data: bytes) -> None:
    with pytest.raises((ValueError, LookupError, TypeError)):
        Record.decode(data)


# Merging

SMALL: st.SearchStrategy[dict[str, Any]] = st.dictionaries(
    st.sampled_from("abc"), st.sampled_from([0, 0.0, False, None, 1, True, "x", [], {}])
)


def written(value: object) -> str:
    return "missing" if value is MISSING else json.dumps(value, sort_keys=True)


@given(base=SMALL, mine=SMALL, newer=SMALL)
def test_each_key_is_merged_by_itself(base: Any, mine: Any, newer: Any) -> None:
    session, contested = merged(base, mine, newer)
    expected_contested = set()
    for key in "abc":
        before, ours, theirs = (written(each.get(key, MISSING)) for each in (base, mine, newer))
        if ours == before:
            assert written(session.get(key, MISSING)) == theirs
        else:
            assert written(session.get(key, MISSING)) == ours
            if theirs not in (before, ours):
                expected_contested.add(key)
    assert sorted(contested) == sorted(expected_contested)


@given(base=SMALL, mine=SMALL)
def test_without_another_change_ours_is_what_there_is(base: Any, mine: Any) -> None:
    session, contested = merged(base, mine, base)
    assert written(session) == written(mine)
    assert contested == []


@given(base=SMALL, newer=SMALL)
def test_without_a_change_of_ours_theirs_is_what_there_is(base: Any, newer: Any) -> None:
    assert merged(base, dict(base), newer) == (newer, [])


def test_merging_leaves_what_it_is_given() -> None:
    base: dict[str, object] = {"a": 1}
    mine: dict[str, object] = {"a": 2, "b": 1}
    newer: dict[str, object] = {"a": 1, "c": 1}
    session, contested = merged(base, mine, newer)
    assert (base, mine, newer) == ({"a": 1}, {"a": 2, "b": 1}, {"a": 1, "c": 1})
    assert (session, contested) == ({"a": 2, "b": 1, "c": 1}, [])


@pytest.mark.parametrize(
    "value",
    [{1: "a", "b": 2}, {None: 1, "b": 2}, [{"deep": {True: 1, "b": 2}}], {10: "a", 9: "b"}],
    ids=["number", "null", "deep", "order"],
)
def test_what_has_keys_that_become_strings_is_what_was_read_of_it(value: Any) -> None:
    read = json.loads(json.dumps(value))
    assert merged({"x": read}, {"x": value}, {"x": "theirs"}) == ({"x": "theirs"}, [])
    assert merged({}, {"x": value}, {"x": read}) == ({"x": value}, [])
    assert merged({"x": 1}, {"x": value}, {"x": 2}) == ({"x": value}, ["x"])
