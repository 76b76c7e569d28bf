"""Figures into lines."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from typing import NamedTuple


class Table(NamedTuple):
    """A title, what it means, and rows under columns; the first column is flush left."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = ()

    def __str__(self) -> str:
        lines = [self.columns, *self.rows]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        body = ["  ".join(_placed(line, widths)).rstrip() for line in lines]
        rule = "─" * max(map(len, body))
        return "\n".join([self.title, rule, body[0], rule, *body[1:], rule, *self.notes])


def _placed(line: Sequence[str], widths: Sequence[int]) -> list[str]:
    first, *others = zip(line, widths, strict=True)
    return [first[0].ljust(first[1]), *(text.rjust(width) for text, width in others)]


def named(package: str) -> str:
    """A peer and its version."""
    return f"{package} {version(package)}"
