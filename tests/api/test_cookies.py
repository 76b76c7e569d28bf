"""Cookies: as Starlette and the standard library read and write them, and nothing that would be more than one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime
from http.cookies import Morsel, SimpleCookie
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import cookie_parser
from starlette.responses import Response

from lambent.api.cookies import parse_cookies, set_cookie_value
from lambent.errors import InvalidMessage

printable = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20)
pieces = st.one_of(st.sampled_from(['"', "\\", ";", "=", " ", '\\"', "\\054", "\\3", "a", "b=c", "\\477"]), st.text())


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", {}),
        ("a=b", {"a": "b"}),
        ("a=b; c=d", {"a": "b", "c": "d"}),
        ("a=b;c=d;", {"a": "b", "c": "d"}),
        (" a = b ;; ", {"a": "b"}),
        ("a=b=c", {"a": "b=c"}),
        ("a=1; a=2", {"a": "2"}),
        ("a", {"": "a"}),
        ("=a", {"": "a"}),
        ("a=", {"a": ""}),
        ('a="b c"', {"a": "b c"}),
        (r'a="b\"\054\\c"', {"a": 'b",\\c'}),
        ('a="', {"a": '"'}),
        ('a=""', {"a": ""}),
        ("a=%20", {"a": "%20"}),
        ("a=é", {"a": "é"}),
    ],
)
def test_cookies(header: str, expected: dict[str, str]) -> None:
    assert parse_cookies(header) == expected


@given(st.lists(pieces).map("".join))
def test_cookies_are_read_as_starlette_reads_them(header: str) -> None:
    assert parse_cookies(header) == cookie_parser(header)


def test_a_hundred_thousand_backslashes_cost_little() -> None:
    assert len(parse_cookies('a="' + "\\" * 100_000 + '"')["a"]) == 50_000


def test_all_attributes() -> None:
    assert set_cookie_value(
        "a",
        "b",
        max_age=60,
        expires=datetime(2026, 11, 6, 8, 49, 37, tzinfo=timezone(timedelta(hours=1))),
        path="/c",
        domain="example.com",
        secure=True,
        httponly=True,
        samesite="Strict",
        partitioned=True,
    ) == (
        "a=b; Max-Age=60; Expires=Fri, 06 Nov 2026 07:49:37 GMT; Path=/c; Domain=example.com; SameSite=Strict; "
        "HttpOnly; Secure; Partitioned"
    )


def test_what_is_not_said() -> None:
    assert set_cookie_value("a") == "a=; Path=/; SameSite=Lax"
    assert set_cookie_value("a", path=None, samesite=None) == "a="


@given(
    name=st.text("abc!-_", min_size=1),
    value=printable,
    options=st.fixed_dictionaries(
        {},
        optional={
            "max_age": st.integers(0, 10**9),
            "path": st.sampled_from(["/", "/a/b", None]),
            "domain": st.sampled_from(["example.com", None]),
            "secure": st.booleans(),
            "httponly": st.booleans(),
            "samesite": st.sampled_from(["lax", "strict", None]),
        },
    ),
)
def test_cookies_are_written_as_starlette_writes_them(name: str, value: str, options: dict[str, Any]) -> None:
    """But for the case of SameSite, and braces and the like, which it puts in quotes."""
    theirs = Response()
    theirs.set_cookie(name, value, **options)
    ours = set_cookie_value(name, value, **options)
    assert attributes(ours) == attributes(theirs.headers["set-cookie"])
    header = ours.partition("; Path")[0].partition("; Max-Age")[0].partition("; Domain")[0].partition("; SameSite")[0]
    header = header.partition("; HttpOnly")[0].partition("; Secure")[0]
    assert parse_cookies(header) == cookie_parser(header) == {name: value}


def attributes(header: str) -> list[tuple[str, str, dict[str, str]]]:
    parsed: SimpleCookie = SimpleCookie(header)
    return [(name, morsel.value, said(morsel)) for name, morsel in parsed.items()]


def said(morsel: Morsel[str]) -> dict[str, str]:
    return {name: str(value).lower() for name, value in morsel.items()}


@given(st.datetimes(datetime(1000, 1, 1), datetime(9998, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - bounds are naive
def test_dates_are_those_of_the_standard_library(moment: datetime) -> None:
    assert f"Expires={format_datetime(moment, usegmt=True)};" in set_cookie_value("a", expires=moment)


BREAKING = ["b\r\nset-cookie: c=d", "\n", "\0", "a\x7f", "\t", "é", "€", "\x1b"]


@pytest.mark.parametrize("value", BREAKING)
def test_a_value_that_a_header_cannot_have_is_refused(value: str) -> None:
    with pytest.raises(InvalidMessage, match="the cookie a ") as raised:
        set_cookie_value("a", value)
    assert value not in str(raised.value)


@pytest.mark.parametrize("value", [*(each for each in BREAKING if each != "\t"), "/; Domain=example.com"])
@pytest.mark.parametrize("attribute", ["path", "domain", "expires"])
def test_an_attribute_that_would_be_more_than_one_is_refused(attribute: str, value: str) -> None:
    options: dict[str, Any] = {attribute: value}
    with pytest.raises(InvalidMessage, match=f"the {attribute} of the cookie a") as raised:
        set_cookie_value("a", **options)
    assert value not in str(raised.value)


@pytest.mark.parametrize("name", ["", "a b", "a=b", "a;b", "a\r\n", "é", '"a"', "a,b"])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(InvalidMessage, match="name of a cookie"):
        set_cookie_value(name)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a", {"samesite": "none"}),
        ("a", {"samesite": "none", "httponly": True}),
        ("a", {"partitioned": True}),
        ("a", {"samesite": "lax; Domain=b"}),
        ("__Secure-a", {}),
        ("__host-a", {}),
        ("__Host-a", {"secure": True, "path": "/a"}),
        ("__Host-a", {"secure": True, "domain": "example.com"}),
        ("a", {"expires": datetime(2026, 1, 1)}),  # noqa: DTZ001 - that is what is refused
        ("a", {"expires": 3600}),
    ],
)
def test_what_browsers_throw_away_is_refused(name: str, options: dict[str, Any]) -> None:
    with pytest.raises(InvalidMessage, match="Expected"):
        set_cookie_value(name, "b", **options)


def test_what_browsers_keep() -> None:
    assert set_cookie_value("__Host-a", "b", secure=True) == "__Host-a=b; Path=/; SameSite=Lax; Secure"
    assert set_cookie_value("a", samesite="none", secure=True) == "a=; Path=/; SameSite=None; Secure"
