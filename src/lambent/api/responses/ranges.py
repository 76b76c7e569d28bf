"""Parts of a file that are asked for. Source: RFC 9110, 14. Pure but for the boundary."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    Part = bytes | tuple[int, int]
    """Bytes as they are; or those of the file from the first place up to the second."""

MOST = 16
"""Ranges of one request. Whoever asks for more gets all, which costs less (RFC 9110, 14.2)."""


def requested(field: str, size: int) -> list[tuple[int, int]] | None:
    """`Range` → from where up to where, in order, none of which overlap; empty if it has none of these bytes.

    None for what is to be ignored: other units, what is not well-formed, too many.
    """
    unit, equals, told = field.partition("=")
    if unit.strip().lower() != "bytes" or not equals or told.count(",") >= MOST:
        return None
    found = []
    for each in told.split(","):
        if not each.strip():
            continue
        one = _range(each.strip(), size)
        if one is None:
            return None
        if one[0] < one[1]:
            found.append(one)
    return joined(found) if told.strip(" ,") else None


def _range(text: str, size: int) -> tuple[int, int] | None:
    """`0-99`, `100-`, `-100` → from where up to where, empty if that is not there; None for anything else."""
    first, dash, last = text.partition("-")
    if (
        not dash
        or len(text) > 1000
        or not (first or last)
        or not all(each.isascii() and each.isdecimal() for each in (first, last) if each)
    ):
        return None
    if not first:
        return max(size - int(last), 0), size
    if last and int(last) < int(first):
        return None
    return int(first), min(int(last) + 1, size) if last else size


def joined(ranges: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """In order, and those that overlap or touch as one."""
    found: list[tuple[int, int]] = []
    for first, end in sorted(ranges):
        if found and first <= found[-1][1]:
            found[-1] = found[-1][0], max(end, found[-1][1])
        else:
            found.append((first, end))
    return found


def multipart(ranges: Sequence[tuple[int, int]], size: int, content_type: str) -> tuple[str, list[Part]]:
    """Several ranges → a boundary, and the body `multipart/byteranges` (RFC 9110, 14.6)."""
    from secrets import token_hex

    boundary = token_hex(16)
    parts: list[Part] = []
    for first, end in ranges:
        fields = f"content-type: {content_type}\r\ncontent-range: bytes {first}-{end - 1}/{size}\r\n\r\n"
        parts += [f"--{boundary}\r\n{fields}".encode("latin-1"), (first, end), b"\r\n"]
    return boundary, [*parts, f"--{boundary}--\r\n".encode()]
