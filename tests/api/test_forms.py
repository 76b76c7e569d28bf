"""Forms: what they hold, and urlencoded ones."""

from __future__ import annotations

import asyncio
from io import BytesIO
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.api.exceptions import HTTPException
from lambent.api.forms import Form, Limits, check_charset, parse_urlencoded
from lambent.api.uploads import UploadFile

LIMITS = Limits(1000, 100, 1024)
texts = st.text(st.characters(exclude_categories=["Cs"]))


def test_values_by_names() -> None:
    form = Form({"a": ["1", "2"], "b": ["3"]})
    assert form["a"] == form.get("a") == "2"
    assert form.getlist("a") == ["1", "2"]
    assert form.getlist("c") == []
    assert form.get("c") is None
    assert dict(form) == {"a": "2", "b": "3"}
    assert form.multi_items() == [("a", "1"), ("a", "2"), ("b", "3")]
    assert len(form) == 2


def test_its_files_can_be_closed() -> None:
    files = [UploadFile(BytesIO()), UploadFile(BytesIO())]
    asyncio.run(Form({"a": [files[0], "text", files[1]]}).close())
    assert [each.file.closed for each in files] == [True, True]


def test_values_are_not_shown() -> None:
    assert repr(Form({"password": ["secret"]})) == "Form(password)"


@given(st.lists(st.tuples(texts, texts)))
def test_urlencoded_forms(pairs: list[tuple[str, str]]) -> None:
    form = parse_urlencoded(urlencode(pairs).encode(), LIMITS)
    assert sorted(form.multi_items(), key=lambda each: each[0]) == sorted(pairs, key=lambda each: each[0])


def test_so_many_fields_and_no_more() -> None:
    assert len(parse_urlencoded(b"a&b", Limits(2, 0, 1))) == 2
    with pytest.raises(HTTPException, match="Expected at most 2 form fields") as raised:
        parse_urlencoded(b"a&b&c", Limits(2, 0, 1))
    assert raised.value.status_code == 400


def test_no_field_is_too_large() -> None:
    assert parse_urlencoded(b"a=" + b"x" * 1024, LIMITS)["a"] == "x" * 1024
    with pytest.raises(HTTPException, match="at most 1024 bytes in a field") as raised:
        parse_urlencoded(b"b=1&a=" + b"x" * 1025, LIMITS)
    assert raised.value.status_code == 413


@pytest.mark.parametrize("charset", ["utf-8", "UTF-8", "utf8", "US-ASCII"])
def test_charsets_that_are_utf_8(charset: str) -> None:
    check_charset({"charset": charset})
    check_charset({})


@pytest.mark.parametrize("charset", ["iso-8859-1", "utf-7", "punycode", ""])
def test_other_charsets_are_refused(charset: str) -> None:
    with pytest.raises(HTTPException, match="Expected a form in UTF-8") as raised:
        check_charset({"charset": charset})
    assert raised.value.status_code == 415
