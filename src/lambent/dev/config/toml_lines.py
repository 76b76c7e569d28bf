"""At which line of a TOML text each table and key stands: what the standard library's parser does not tell.

Pure. The text must be one that `tomllib` takes; for any other the answer means nothing.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Sequence

Keys = tuple[str, ...]
"""A dotted key, part by part: `tool`, `lambent`, `port`."""

TOKEN = re.compile(
    r'''(?P<string>"""(?:\\.|[^\\])*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:\\.|[^"\\\n])*"|'[^'\n]*')'''
    r"""|(?P<nothing>\#[^\n]*|[ \t\r]+)|(?P<mark>[\n\[\]{}=.,])|(?P<bare>[^\s\[\]{}=.,#"']+)""",
    re.DOTALL,
)
END = ("", "\n")
CLOSING = ("", "]", "}")


def lines(text: str) -> dict[Keys, int]:
    """The line, from 1 on, of every table and key; of the first one where a table is opened more than once.

    What stands within arrays counts as standing in what holds the array.
    """
    reader = Reader(text)
    while reader.here:
        reader.statement()
    return reader.found


def dotted(keys: Sequence[str]) -> str:
    """The keys as they are written in TOML: `tool.lambent.functions."a b"`."""
    return ".".join(key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else f'"{key}"' for key in keys)


class Reader:
    """A position in the text. It only tells keys from values; that both are well formed is known."""

    def __init__(self, text: str) -> None:
        self.found: dict[Keys, int] = {}
        self._text = text
        self._end = 0
        self._table: Keys = ()
        self._line = 1
        self.here = ""
        self._advance()

    def statement(self) -> None:
        """A table's header, a key and its value, or an empty line."""
        if self.here == "[":
            array = self._advance() == "["
            if array:
                self._advance()
            self._table = self._key(())
            self._advance()
            if array:
                self._advance()
        elif self.here in END:
            self._advance()
        else:
            self._pair(self._table)

    def _pair(self, table: Keys) -> None:
        key = self._key(table)
        self._advance()
        self._value(key)

    def _key(self, table: Keys) -> Keys:
        """What comes up to `=` or `]`. Each part of a dotted key opens a table, too."""
        parts = table
        while self.here not in ("=", "]"):
            if self.here != ".":
                parts = (*parts, name(self.here))
                self.found.setdefault(parts, self._line)
            self._advance()
        return parts

    def _value(self, key: Keys) -> None:
        if self.here == "{":
            self._within(lambda: self._pair(key))
        elif self.here == "[":
            self._within(lambda: self._value(key))
        else:
            while self.here not in (*END, ",", "]", "}"):
                self._advance()

    def _within(self, each: Callable[[], None]) -> None:
        self._advance()
        while self.here not in CLOSING:
            if self.here in (*END, ","):
                self._advance()
            else:
                each()
        self._advance()

    def _advance(self) -> str:
        """To the next token: empty at the end of the text."""
        self._line += self.here.count("\n")
        self.here = ""
        while match := TOKEN.match(self._text, self._end):
            self._end = match.end()
            if match.lastgroup != "nothing":
                self.here = match[0]
                break
        return self.here


def name(written: str) -> str:
    """A key's part, without its quotes."""
    return str(tomllib.loads(f"key = {written}")["key"]) if written[0] in "\"'" else written
