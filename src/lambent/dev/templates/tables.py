"""Parsed files of other tools: tables that know the lines of their keys, complaints, and notes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from lambent.errors import ConfigurationError


class Table(dict[str, object]):
    """A mapping of a file. Lines count from 1; 0 is an unknown one."""

    __slots__ = ("line", "lines")

    def __init__(
        self,
        items: Mapping[str, object] | Iterable[tuple[str, object]] = (),
        line: int = 0,
        lines: Mapping[str, int] | None = None,
    ) -> None:
        super().__init__(items)
        self.line = line
        self.lines = dict(lines or {})

    def at(self, key: str) -> int:
        return self.lines.get(key) or self.line


class Notes:
    """What of a file was not understood, and what follows from that; each line once, in order."""

    def __init__(self, file: str) -> None:
        self.file = file
        """As it is shown: relative to the project."""
        self._lines: dict[str, None] = {}
        self._said: set[str] = set()

    def add(self, line: int, text: str) -> None:
        self._lines.setdefault(f"{self.where(line)}: {text}")

    def once(self, line: int, text: str) -> None:
        """Unless it was said of another line."""
        if text not in self._said:
            self._said.add(text)
            self.add(line, text)

    def error(self, line: int, text: str) -> ConfigurationError:
        return ConfigurationError(f"{self.where(line)}: {text}")

    def where(self, line: int) -> str:
        return f"{self.file}:{line}" if line else self.file

    def lines(self) -> tuple[str, ...]:
        return tuple(self._lines)


def shown(file: Path, directory: Path) -> str:
    """A file as people see it from `directory`."""
    return str(file.relative_to(directory)) if file.is_relative_to(directory) else str(file)


def kind(value: object) -> str:
    """What a value is, in a word for complaints."""
    if value is None:
        return "nothing"
    names = {bool: "true or false", int: "a number", float: "a number", str: "a text", list: "a list"}
    return names.get(type(value), "a table")
