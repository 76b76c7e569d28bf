"""Aggregated records of the Kinesis Producer Library. Pure.

Source: github.com/awslabs/amazon-kinesis-producer, aggregation-format.md. An aggregate is the magic number F3 89 9A C2,
a Protocol Buffers message, and the MD5 of that message:

    message AggregatedRecord {                       message Record {
      repeated string partition_key_table     = 1;     required uint64 partition_key_index     = 1;
      repeated string explicit_hash_key_table = 2;     optional uint64 explicit_hash_key_index = 2;
      repeated Record records                 = 3;     required bytes  data                    = 3;
    }                                                  repeated Tag    tags                    = 4;  // not in use
                                                     }
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    Part = tuple[str, str | None, bytes]
    """Partition key, explicit hash key, data."""

_MAGIC = b"\xf3\x89\x9a\xc2"
_DIGEST = 16

_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5
"""Wire types."""

_WIDTHS = {_FIXED64: 8, _FIXED32: 4}


def parts(content: bytes) -> list[Part] | None:
    """Take an aggregate apart. None for what is not one: it has no such number, or another digest, or is no message."""
    if len(content) < len(_MAGIC) + _DIGEST or not content.startswith(_MAGIC):
        return None
    from hashlib import md5

    message = content[len(_MAGIC) : -_DIGEST]
    if md5(message, usedforsecurity=False).digest() != content[-_DIGEST:]:
        return None
    try:
        return _records(message)
    except (LookupError, ValueError, TypeError):  # TypeError: a field of another wire type
        return None


def _records(message: bytes) -> list[Part]:
    partition_keys: list[str] = []
    hash_keys: list[str] = []
    told: list[dict[int, int | bytes]] = []
    for number, value in _fields(message):
        if number == 1:
            partition_keys.append(_bytes(value).decode("utf-8"))
        elif number == 2:
            hash_keys.append(_bytes(value).decode("utf-8"))
        elif number == 3:
            told.append(dict(_fields(_bytes(value))))
    return [_part(each, partition_keys, hash_keys) for each in told]


def _bytes(value: int | bytes) -> bytes:
    if isinstance(value, bytes):
        return value
    raise TypeError


def _part(record: dict[int, int | bytes], partition_keys: list[str], hash_keys: list[str]) -> Part:
    index, content, hash_index = record[1], _bytes(record[3]), record.get(2)
    if not isinstance(index, int):
        raise TypeError
    hash_key = hash_keys[hash_index] if isinstance(hash_index, int) else None
    return partition_keys[index], hash_key, content


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Numbers and values of a message's fields. IndexError and ValueError for what is none."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        wire = key & 7
        if wire == _VARINT:
            number, at = _varint(message, at)
            yield key >> 3, number
            continue
        if wire == _LENGTH:
            length, at = _varint(message, at)
        else:
            length = _WIDTHS[wire]
        if at + length > len(message):
            raise ValueError
        yield key >> 3, message[at : at + length]
        at += length


def _varint(message: bytes, at: int) -> tuple[int, int]:
    """A number of seven bits a byte, the lowest first; and where it ends."""
    number = shift = 0
    while True:
        byte = message[at]
        at += 1
        number |= (byte & 127) << shift
        if byte < 128:
            return number, at
        shift += 7
        if shift > 63:
            raise ValueError
