"""A comparison as lines for a terminal: an aspect, its values, and after each the doors that tell it.

Pure.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from lambent.dev.diff import Comparison
from lambent.dev.diff.aspects import Difference, Row

COLUMN = 36
"""Characters of a value beside which the doors stand; longer ones have a line of their own."""

WIDTH = 100
"""Characters of a value that are shown."""


def lines(comparison: Comparison) -> Iterator[str]:
    """What differs, then the warnings."""
    request = comparison.request
    query = f"?{request.query_string.decode('latin-1')}" if request.query_string else ""
    yield f"{request.method} {request.raw_path.decode('latin-1')}{query}"
    doors = ", ".join(comparison.passages)
    yield from section(f"What differs between the events of {doors}", comparison.events)
    yield from section("What the application sees differently, through Lambent", comparison.application)
    if any(each.outcome is not None for each in comparison.passages.values()):
        yield from section("What the client gets differently", comparison.replies)
    yield ""
    yield "Warnings" if comparison.warnings else "No warnings."
    yield from (f"  {warning}" for warning in comparison.warnings)


def section(title: str, differences: list[Difference]) -> Iterator[str]:
    yield ""
    yield title if differences else f"{title}: nothing"
    shown = {each.aspect: [(shorten(row), tellers(row)) for row in each.rows] for each in differences}
    width = min(COLUMN, max((len(value) for rows in shown.values() for value, _ in rows), default=0))
    for aspect, rows in shown.items():
        yield f"  {aspect}"
        for value, doors in rows:
            if len(value) > width:
                yield f"    {value}"
                value = ""  # noqa: PLW2901 - the doors stand below
            yield f"    {value:<{width}}  {doors}"


def shorten(row: Row) -> str:
    """As JSON; what is not told at all is a dash."""
    text = " and ".join(spelled(value) for value in row.values) or "-"
    return text if len(text) <= WIDTH else f"{text[: WIDTH - 1]}…"


def spelled(value: object) -> str:
    if isinstance(value, dict) and len(value) == 1:  # a body
        ((kind, content),) = value.items()
        return f"{kind} {json.dumps(content, ensure_ascii=False)}"
    return json.dumps(value, ensure_ascii=False)


def tellers(row: Row) -> str:
    """`http (rawPath), rest and alb (path)`: doors that use the same fields stand together."""
    grouped: dict[str, list[str]] = {}
    for door, fields in row.doors.items():
        grouped.setdefault(fields, []).append(door)
    return ", ".join(
        f"{' '.join(doors)} ({fields})" if fields else " ".join(doors) for fields, doors in grouped.items()
    )
