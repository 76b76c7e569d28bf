"""Frames, read by botocore."""

import json

import pytest
from botocore.eventstream import ChecksumMismatch, EventStreamBuffer, EventStreamMessage
from hypothesis import given
from hypothesis import strategies as st

from lambent.dev.invoke_api import event_stream

NAMES = st.text("abcdefghijklmnopqrstuvwxyz:-", min_size=1, max_size=255)
VALUES = st.text(max_size=300)


def read(data: bytes, size: int = 1 << 20) -> list[EventStreamMessage]:
    buffer = EventStreamBuffer()
    messages = []
    for start in range(0, len(data), size):
        buffer.add_data(data[start : start + size])
        messages += list(buffer)
    return messages


@given(st.dictionaries(NAMES, VALUES, max_size=5), st.binary(max_size=2000))
def test_what_is_framed_is_read(headers: dict[str, str], payload: bytes) -> None:
    (message,) = read(event_stream.frame(headers, payload))
    assert message.headers == headers
    assert message.payload == payload


@given(st.lists(st.binary(max_size=300), max_size=6), st.integers(1, 50))
def test_frames_follow_each_other_in_pieces_of_any_size(pieces: list[bytes], size: int) -> None:
    data = b"".join(map(event_stream.payload_chunk, pieces)) + event_stream.invoke_complete()
    *chunks, last = read(data, size)
    assert [each.payload for each in chunks] == pieces
    assert last.headers[":event-type"] == "InvokeComplete"


@given(st.data())
def test_a_flipped_bit_is_noticed(data: st.DataObject) -> None:
    whole = bytearray(event_stream.payload_chunk(b"hello"))
    at = data.draw(st.integers(0, len(whole) * 8 - 1))
    whole[at // 8] ^= 1 << at % 8
    buffer = EventStreamBuffer()
    buffer.add_data(bytes(whole))
    if at < 32:  # the length: the checksum after it tells, unless it asks for more than there is
        buffer.add_data(bytes(64))
    with pytest.raises(ChecksumMismatch):
        next(buffer)


def test_a_chunk_is_as_aws_writes_it() -> None:
    (message,) = read(event_stream.payload_chunk(b"\0\xff"))
    assert list(message.headers.items()) == [
        (":event-type", "PayloadChunk"),
        (":content-type", "application/octet-stream"),
        (":message-type", "event"),
    ]
    assert message.payload == b"\0\xff"


@pytest.mark.parametrize(
    ("told", "payload"),
    [
        ((), {}),
        (("ValueError", "{}", ""), {"ErrorCode": "ValueError", "ErrorDetails": "{}"}),
        (("", "", "bG9n"), {"LogResult": "bG9n"}),
    ],
)
def test_the_end_tells_what_there_is_to_tell(told: tuple[str, ...], payload: dict[str, str]) -> None:
    (message,) = read(event_stream.invoke_complete(*told))
    assert message.headers[":content-type"] == "application/json"
    assert json.loads(message.payload) == payload
