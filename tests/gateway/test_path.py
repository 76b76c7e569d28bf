"""Paths, percent-decoded once."""

from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambent.gateway import path

PATH = st.text(st.characters(codec="utf-8"))


@settings(max_examples=40)
@given(PATH)
def test_a_path_that_was_encoded_once_comes_back(text: str) -> None:
    assert path.decode(quote(text)) == text


@settings(max_examples=40)
@given(PATH)
def test_a_path_that_was_encoded_twice_is_decoded_once(text: str) -> None:
    assert path.decode(quote(quote(text))) == quote(text)


@settings(max_examples=40)
@given(st.text())
def test_whatever_comes_is_a_path(text: str) -> None:
    assert isinstance(path.decode(text), str)


@pytest.mark.parametrize(
    ("raw_path", "decoded"),
    [
        ("/a+b", "/a+b"),
        ("/100%", "/100%"),
        ("/%zz", "/%zz"),
        ("/%C3%BC", "/ü"),
        ("/%FF", "/\ufffd"),
        ("/ü%20", "/ü "),
        ("/%00", "/\0"),
        ("/\ud800", "/\ud800"),
    ],
)
def test_what_is_not_percent_encoded_utf_8_is_read_as_well_as_may_be(raw_path: str, decoded: str) -> None:
    assert path.decode(raw_path) == decoded
