"""Decoders: by name, in chains, of one's own, and by the annotation."""

import base64
import gzip
import io
import json
import tracemalloc
import zlib
from contextlib import suppress
from dataclasses import dataclass
from inspect import Parameter
from typing import Annotated, Any, NewType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.errors import ConfigurationError, DecodingError
from lambent.events import decode
from lambent.events.decode import reader


@dataclass
class Order:
    id: int


ORDER = b'{"id": 7}'
PACKED = base64.b64encode(gzip.compress(ORDER, mtime=0)).decode()


@pytest.mark.parametrize(
    ("annotation", "body", "expected"),
    [
        (str, "a", "a"),
        (str, b"\xc3\xbc", "ü"),
        (str | None, b"a", "a"),
        (str | None, None, None),
        (Annotated[str, 1], b"a", "a"),
        (bytes, "ü", b"\xc3\xbc"),
        (bytes, b"\xff", b"\xff"),
        (bytes | None, None, None),
        (NewType("Text", str), b"7", "7"),
        (NewType("Octets", NewType("Data", bytes)), b"\xff", b"\xff"),
        (NewType("Text", str) | None, b"7", "7"),
        (NewType("Text", str) | str, b"7", "7"),
        (NewType("Octets", bytes) | bytes | None, b"\xff", b"\xff"),
        (Order, ORDER, Order(7)),
        (Order, ORDER.decode(), Order(7)),
        (Order, {"id": 7}, Order(7)),
        (Order | None, None, None),
        (dict, ORDER, {"id": 7}),
        (int, "7", 7),
        (str | int, "7", 7),
        (str | int, '"7"', "7"),
        (Any, ORDER, {"id": 7}),
        (Parameter.empty, ORDER, {"id": 7}),
        (Parameter.empty, {"id": {7}}, {"id": {7}}),
    ],
)
def test_without_a_decoder_the_annotation_decides(annotation: Any, body: Any, expected: Any) -> None:
    assert reader(annotation)(body) == expected


@pytest.mark.parametrize(
    ("decoder", "annotation", "body", "expected"),
    [
        ("json", Order, ORDER, Order(7)),
        ("json", str, '"a"', "a"),
        ("text", str, b"a", "a"),
        ("bytes", bytes, "a", b"a"),
        ("base64", bytes, "AP8=", b"\x00\xff"),
        ("base64", str, "YQ==", "a"),
        ("base64", Order, base64.b64encode(ORDER), Order(7)),
        ("gzip", Order, gzip.compress(ORDER, mtime=0), Order(7)),
        ("base64+gzip+json", Order, PACKED, Order(7)),
        ("base64+gzip", Order, PACKED, Order(7)),
        ("base64+gzip", str, PACKED, ORDER.decode()),
        ("base64+gzip+json", Order | None, None, None),
        ("json+dynamodb", Order, '{"id": {"N": "7"}}', Order(7)),
        ("dynamodb", Order, {"id": {"N": "7"}}, Order(7)),
        (lambda body: {"id": int(body)}, Order, "7", Order(7)),
        (str.upper, str, "a", "A"),
    ],
)
def test_a_decoder_is_a_name_a_chain_or_a_function(decoder: Any, annotation: Any, body: Any, expected: Any) -> None:
    assert reader(annotation, decoder)(body) == expected


@pytest.mark.parametrize("name", ["", "xml", "base64+", "json+xml", "base64,json"])
def test_a_name_that_is_not_known_is_refused_at_once(name: str) -> None:
    with pytest.raises(ConfigurationError, match="one of json, text, bytes, base64, gzip, dynamodb"):
        reader(dict, name)


@pytest.mark.parametrize(
    ("decoder", "annotation", "body", "message"),
    [
        (None, Order, "secret", "Expected JSON"),
        (None, Order, b"\xff", "byte 0"),
        (None, str, b"a\xff", "byte 1"),
        (None, str, {"a": "secret"}, "Expected text, but got an object"),
        (None, bytes, ["secret"], "Expected bytes, but got an array"),
        (None, bytes, "\ud800", "character 0"),
        (None, Order, None, "got null"),
        ("base64", bytes, "secret!", "Expected base64"),
        ("base64", bytes, "secret", "Expected base64"),
        ("base64", bytes, "gehe\u00efm==", "Expected base64"),
        ("base64", bytes, 7, "Expected base64, but got an integer"),
        ("gzip", bytes, b"secret", "Expected gzip"),
        ("gzip", bytes, b"", "it is empty"),
        ("gzip", bytes, gzip.compress(b"secret", mtime=0)[:-4], "cut off"),
        ("gzip", bytes, (gzip.compress(b"secret", mtime=0) * 2)[:-4], "cut off"),
        ("gzip", bytes, gzip.compress(b"secret", mtime=0)[:-8] + bytes(8), "its checksum is not"),
        ("gzip", bytes, gzip.compress(b"secret", mtime=0) + b"secret", "its header"),
        ("gzip", bytes, "H4sI", "use base64\\+gzip"),
        ("dynamodb", dict, {"a": {"N": "secret"}}, "Attribute 'a'"),
        (lambda body: {"a": 1}["secret"], Order, "7", "raised KeyError"),
    ],
)
def test_what_cannot_be_decoded_is_told_without_the_value(
    decoder: Any, annotation: Any, body: Any, message: str
) -> None:
    with pytest.raises(DecodingError, match=message) as raised:
        reader(annotation, decoder)(body)
    assert "secret" not in str(raised.value)


def test_a_decoders_own_error_is_the_cause() -> None:
    def fail(_: object) -> None:
        raise KeyError("id")

    with pytest.raises(DecodingError) as raised:
        reader(dict, fail)("a")
    assert isinstance(raised.value.__cause__, KeyError)


def test_gzip_may_have_members_and_padding() -> None:
    assert decode.gzip(gzip.compress(b"a") + b"\0\0") == b"a"
    assert decode.gzip(gzip.compress(b"a") + b"\0" + gzip.compress(b"b") + b"\0\0") == b"ab"


def test_each_member_of_gzip_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each was cut off the rest, which was copied for it: twice as many took four times as long."""
    fed = 0
    real = zlib.decompressobj

    class Counting:
        def __init__(self, *args: Any, **options: Any) -> None:
            self._real = real(*args, **options)

        def decompress(self, data: bytes, *limit: int) -> bytes:
            nonlocal fed
            fed += len(data)
            return self._real.decompress(data, *limit)

        def __getattr__(self, name: str) -> Any:
            return getattr(self._real, name)

    monkeypatch.setattr(zlib, "decompressobj", Counting)
    packed = gzip.compress(b"") * 20_000 + gzip.compress(b"a")
    assert decode.gzip(packed) == b"a"
    assert fed <= len(packed) + 20_001 * io.DEFAULT_BUFFER_SIZE  # of the rest, a buffer at a time


@pytest.mark.parametrize("members", [1, 2])
def test_a_small_record_of_gzip_takes_little_memory(members: int) -> None:
    packed = gzip.compress(bytes(300)) * members
    decode.gzip(packed)  # what it imports is not the record's
    tracemalloc.start()
    try:
        decode.gzip(packed)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("pieces", [1, 2])
def test_gzip_that_would_fill_the_memory_is_refused(pieces: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decode, "GZIP_LIMIT", 1000)
    piece = gzip.compress(bytes(1000 // pieces))
    assert len(decode.gzip(piece * pieces)) == 1000
    with pytest.raises(DecodingError, match="1000 bytes at most"):
        decode.gzip(piece * pieces + gzip.compress(b"a"))
    with pytest.raises(DecodingError, match="1000 bytes at most"):
        decode.gzip(gzip.compress(bytes(1001)))


@given(st.binary())
def test_what_is_packed_comes_back(content: bytes) -> None:
    packed = base64.b64encode(gzip.compress(content)).decode()
    assert reader(bytes, "base64+gzip")(packed) == content


@given(
    st.sampled_from(["json", "text", "base64", "gzip", "base64+gzip", "dynamodb", "json+dynamodb"]),
    st.binary() | st.text(),
)
def test_anything_is_decoded_or_refused_as_listed(decoder: str, body: str | bytes) -> None:
    for annotation in (dict, str, bytes, Order):
        with suppress(DecodingError):
            reader(annotation, decoder)(body)


def test_zlib_without_a_gzip_header_is_refused() -> None:
    with pytest.raises(DecodingError):
        decode.gzip(zlib.compress(json.dumps(1).encode()))


def test_a_decoder_that_is_async_is_refused() -> None:
    async def later(data: Any) -> Any: ...

    with pytest.raises(ConfigurationError, match=r"Expected a decoder that is not async, but got .*later \("):
        reader(Any, later)
