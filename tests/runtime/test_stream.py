"""A streamed reply as bytes."""

import base64
import json

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.errors import InvalidResult
from lambent.runtime import stream
from lambent.runtime.diagnostic import diagnose

HEAD = b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), lambda each: st.dictionaries(st.text(), each)
)


def fits(prelude: object) -> bool:
    """Within what a prelude may have; what is beyond it is another test's."""
    return len(json.dumps(prelude)) < stream.PRELUDE_LIMIT - len(stream.SEPARATOR)


def read(data: bytes) -> tuple[bytes, dict[bytes, bytes]]:
    """The body and the trailers that an HTTP server of others' makes of it."""
    server = h11.Connection(h11.SERVER, max_incomplete_event_size=1 << 20)
    server.receive_data(HEAD + data)
    body = b""
    while type(event := server.next_event()) is not h11.EndOfMessage:
        assert event is not h11.NEED_DATA
        body += bytes(event.data) if isinstance(event, h11.Data) else b""
    return body, dict(event.headers)


@given(st.dictionaries(st.text(), JSON).filter(fits), st.lists(st.binary(), max_size=5))
def test_a_server_reads_prelude_separator_and_pieces(prelude: dict[str, object], pieces: list[bytes]) -> None:
    body, trailers = read(stream.begin(prelude) + b"".join(map(stream.chunk, pieces)) + stream.LAST)
    text, _, rest = body.partition(stream.SEPARATOR)
    assert json.loads(text) == prelude
    assert rest == b"".join(pieces)
    assert trailers == {}


@given(st.binary(min_size=1))
def test_a_piece_is_one_chunk_whatever_is_in_it(piece: bytes) -> None:
    assert stream.chunk(piece) == f"{len(piece):x}\r\n".encode() + piece + b"\r\n"


def test_an_empty_piece_does_not_end_the_stream() -> None:
    assert stream.chunk(b"") == b""


def test_without_a_prelude_nothing_stands_before_the_body() -> None:
    assert stream.begin(None) == b""
    assert stream.content_type(None) == "application/octet-stream"
    assert stream.content_type({}) == "application/vnd.awslambda.http-integration-response"


def test_a_prelude_may_have_16_kb_with_its_separator() -> None:
    frame = len(json.dumps({"a": ""}, separators=(",", ":"))) + len(stream.SEPARATOR)
    room = stream.PRELUDE_LIMIT - frame
    assert read(stream.begin({"a": "x" * room}) + stream.LAST)[0].endswith(stream.SEPARATOR)
    with pytest.raises(InvalidResult, match=r"have 16385 bytes, and Lambda takes 16384") as caught:
        stream.begin({"a": "x" * (room + 1)})
    assert caught.value.error_type == "Function.ResponseSizeTooLarge"


def test_a_prelude_that_is_no_json_is_the_handlers_error() -> None:
    with pytest.raises(InvalidResult, match=r"Unable to marshal status and headers: .*bytes") as caught:
        stream.begin({"statusCode": 200, "headers": {"a": b"b"}})
    assert caught.value.error_type == "Runtime.MarshalError"


def test_200_mb_are_taken_and_a_byte_more_is_not() -> None:
    stream.refuse(200 * 1024 * 1024)
    with pytest.raises(InvalidResult, match="at most 209715200 bytes, and this one has 209715201 so far"):
        stream.refuse(200 * 1024 * 1024 + 1)


@given(st.text())
def test_a_failure_ends_the_body_with_trailers(message: str) -> None:
    body, trailers = read(stream.chunk(b"part") + stream.failed(diagnose(ValueError(message), "/"), "id-1"))
    assert body == b"part"
    assert trailers[stream.ERROR_TYPE.lower().encode()] == b"Function.ValueError"
    error = json.loads(base64.b64decode(trailers[stream.ERROR_BODY.lower().encode()], validate=True))
    assert (error["errorType"], error["errorMessage"], error["requestId"]) == ("ValueError", message, "id-1")
