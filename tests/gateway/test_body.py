"""Bodies out of events, and into replies."""

import base64
import gzip
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.errors import MalformedEvent
from lambent.gateway import body

TYPES = ("text/plain", "text/html; charset=latin-1", "application/json", "image/png", "IMAGE/SVG+XML", "", ";")


def of_type(content_type: str) -> dict[str, str]:
    return {"x-before": "1", "content-type": content_type, "x-after": "2"}


# Of an event


@pytest.mark.parametrize("event", [{}, {"body": None}, {"body": ""}, {"body": "", "isBase64Encoded": True}])
def test_a_body_that_is_missing_null_or_empty_is_empty(event: dict[str, Any]) -> None:
    assert body.decode(event) == b""


def test_a_text_body_is_utf_8() -> None:
    assert body.decode({"body": "Öl 日本", "isBase64Encoded": False}) == "Öl 日本".encode()


def test_a_base64_body_is_decoded() -> None:
    assert body.decode({"body": "iVBORw0KGgoA/wCA", "isBase64Encoded": True}) == b"\x89PNG\r\n\x1a\n\0\xff\0\x80"


def test_without_the_flag_base64_is_text() -> None:
    assert body.decode({"body": "aGk="}) == b"aGk="


@pytest.mark.parametrize("text", ["aGk", "a", "aGk=aGk=", "aG k=", "aGk=\n", "=", "naïve===", "日本", "\ud800"])
def test_a_body_that_is_not_base64_is_malformed(text: str) -> None:
    with pytest.raises(MalformedEvent, match=r"^Expected `body` to be base64, but"):
        body.decode({"body": text, "isBase64Encoded": True})


def test_a_text_body_with_a_lone_surrogate_is_malformed() -> None:
    with pytest.raises(MalformedEvent, match=r"^Expected `body` to be text that UTF-8 can encode, but"):
        body.decode({"body": "half \ud83d a face"})


@pytest.mark.parametrize("is_base64", [True, False])
@pytest.mark.parametrize("value", [7, True, ["a"], {"a": 1}, 1.5])
def test_a_body_that_is_no_string_is_malformed(value: Any, is_base64: bool) -> None:
    with pytest.raises(MalformedEvent, match=rf"^Expected `body` to be a string, but got a {type(value).__name__}\.$"):
        body.decode({"body": value, "isBase64Encoded": is_base64})


# Into a reply


@pytest.mark.parametrize(
    "content_type",
    [
        "application/ecmascript",
        "application/graphql",
        "application/javascript",
        "application/json",
        "application/json; charset=utf-8",
        "application/problem+json",
        "application/geo+json; charset=utf-8",
        "application/vnd.api+json",
        "application/ld+json;profile=x",
        "application/rss+xml",
        "application/jsonlines",
        "application/jwt",
        "application/ndjson",
        "application/rtf",
        "application/toml",
        "application/x-javascript",
        "application/x-ndjson",
        "application/x-www-form-urlencoded",
        "application/x-yaml",
        "application/xml",
        "application/yaml",
        "application/openapi+yaml",
        "Application/JSON",
        "APPLICATION/PROBLEM+JSON;CHARSET=UTF-8",
        " application/json ;charset=utf-8",
        "image/svg+xml",
        "text/html; charset=utf-8",
        "TEXT/PLAIN",
        "text/css",
    ],
)
def test_a_text_type_goes_as_text(content_type: str) -> None:
    assert body.encode("é".encode(), of_type(content_type)) == ("é", False)


@pytest.mark.parametrize(
    "content_type",
    [
        "application/octet-stream",
        "application/pdf",
        "application/grpc+proto",
        "application/jsonx",
        "application/x-protobuf",
        "font/woff2",
        "image/png",
        'multipart/mixed; boundary="text/"',
        "multipart/form-data; boundary=application/json",
        "",
        ";",
        "video/mp4",
        "\xff\xfe",
    ],
)
def test_any_other_type_goes_as_base64_though_its_bytes_be_text(content_type: str) -> None:
    assert body.encode(b"hi!", of_type(content_type)) == ("aGkh", True)


def test_a_body_without_a_type_goes_as_base64() -> None:
    assert body.encode(b"hi!", {}) == ("aGkh", True)


def test_a_compressed_body_goes_as_base64() -> None:
    packed = gzip.compress(b"{}")
    text, is_base64 = body.encode(packed, {"content-encoding": "gzip", "content-type": "application/json"})
    assert is_base64
    assert base64.b64decode(text) == packed


def test_a_body_said_to_be_compressed_goes_as_base64_though_it_reads_as_text() -> None:
    assert body.encode(b"hi!", {**of_type("text/plain"), "content-encoding": "br"}) == ("aGkh", True)


def test_an_identity_encoding_is_none() -> None:
    assert body.encode(b"hi!", {"content-encoding": "identity", **of_type("text/plain")}) == ("hi!", False)


def test_text_in_another_charset_than_utf_8_goes_as_base64() -> None:
    assert body.encode(b"caf\xe9", of_type("text/plain; charset=latin-1")) == ("Y2Fm6Q==", True)


@pytest.mark.parametrize("content_type", ["image/png", "text/plain"])
def test_an_empty_body_is_text(content_type: str) -> None:
    assert body.encode(b"", of_type(content_type)) == ("", False)


@given(content=st.binary() | st.text().map(str.encode), content_type=st.sampled_from(TYPES), gzipped=st.booleans())
def test_what_is_encoded_decodes_to_the_same_bytes(content: bytes, content_type: str, gzipped: bool) -> None:
    fields = {"content-type": content_type} | ({"content-encoding": "gzip"} if gzipped else {})
    text, is_base64 = body.encode(content, fields)
    assert body.decode({"body": text, "isBase64Encoded": is_base64}) == content


@given(st.integers(0, 3 << 16), st.integers(0, 4), st.integers(-2, 2))
def test_a_large_body_is_encoded_in_pieces_as_if_it_were_one(seed: int, pieces: int, more: int) -> None:
    large = (seed.to_bytes(3) * (1 << 16)) * pieces + b"end"[: more + 2]

    text, is_base64 = body.encode(large, {"content-type": "image/png"})

    assert (base64.b64decode(text), is_base64) == (large, bool(large))


def test_a_large_binary_body_is_never_there_as_base64_twice() -> None:
    large = bytes(4_500_000)
    tracemalloc.start()
    try:
        text, _ = body.encode(large, {"content-type": "image/png"})
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 1.1 * len(text)
