"""The properties of a resource, read one by one: resolved, complained of if wrong, told of if unread. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from lambent.dev.templates.intrinsics import NO_VALUE, Resolver, Unresolved
from lambent.dev.templates.tables import Notes, Table, kind
from lambent.errors import ConfigurationError

NOTHING = Table()


class Properties:
    """A table and where it stands. A getter gives its default where there is no value, or none that is known here."""

    def __init__(self, table: Table, resolver: Resolver, notes: Notes, where: str, line: int = 0) -> None:
        self.where = where
        """`Items.Environment`"""
        self.line = table.line or line
        self.notes = notes
        self.resolver = resolver
        self._table = table
        self._read: set[str] = set()

    def __contains__(self, key: str) -> bool:
        return self._table.get(key) is not None

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._table))

    def keys(self) -> list[str]:
        return list(self._table)

    def at(self, key: str) -> int:
        return self._table.at(key) or self.line

    def get(self, key: str) -> object:
        """The value, resolved; None for none."""
        self._read.add(key)
        return self._known(key, self._table.get(key), self.resolver.resolve)

    def text(self, key: str, default: str = "") -> str:
        value = self.get(key)
        if value is None:
            return default
        if isinstance(value, (list, dict)):
            raise self.unexpected(key, "a text", value)
        return self.resolver.text(value)

    def number(self, key: str) -> int | None:
        """A whole one."""
        value = self.get(key)
        if isinstance(value, str) and value.strip().isdecimal():
            return int(value)
        if value is None or (isinstance(value, int) and not isinstance(value, bool)):
            return value
        raise self.unexpected(key, "a whole number", value)

    def flag(self, key: str, default: bool = False) -> bool:
        value = self.get(key)
        if value is None:
            return default
        found = {"true": True, "false": False}.get(str(value).lower())
        if found is None:
            raise self.unexpected(key, "true or false", value)
        return found

    def table(self, key: str) -> Properties:
        """What is within another one; an empty one if there is none."""
        self._read.add(key)
        value = self._known(key, self._table.get(key), self.resolver.shallow)
        if value is not None and not isinstance(value, Table):
            raise self.unexpected(key, "a table", value)
        return self._inner(value or NOTHING, key)

    def is_table(self, key: str) -> bool:
        return isinstance(self._known(key, self._table.get(key), self.resolver.shallow), Table)

    def tables(self, key: str) -> list[Properties]:
        """Those of a list."""
        self._read.add(key)
        found = self._known(key, self._table.get(key), self.resolver.shallow)
        found = [] if found is None else found
        if not isinstance(found, list):
            raise self.unexpected(key, "a list of tables", found)
        values = [self._known(key, each, self.resolver.shallow) for each in found]
        for each in values:
            if each is not None and not isinstance(each, Table):
                raise self.unexpected(key, "a list of tables", each)
        return [self._inner(each, key) for each in values if isinstance(each, Table)]

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts, or a single one. Those that are not known are left out."""
        self._read.add(key)
        found = self._known(key, self._table.get(key), self.resolver.shallow)
        if found is None:
            return ()
        each = found if isinstance(found, list) else [found]
        values = [self._known(key, value, self.resolver.resolve) for value in each]
        for value in values:
            if isinstance(value, (list, dict)):
                raise self.unexpected(key, "a list of texts", value)
        return tuple(self.resolver.text(value) for value in values if value is not None)

    def skip(self, *keys: str) -> None:
        """These say nothing about how the function runs."""
        self._read.update(keys)

    def unread(self) -> None:
        """Tell of the keys that nobody has read."""
        for key, value in self._table.items():
            if key not in self._read and value is not None:
                self.note(key, "it has no effect here.")

    def note(self, key: str, text: str) -> None:
        self.notes.add(self.at(key), f"{self.path(key)}: {text}")

    def error(self, key: str, text: str) -> ConfigurationError:
        return self.notes.error(self.at(key), f"{self.path(key)}: {text}")

    def unexpected(self, key: str, expected: str, came: object) -> ConfigurationError:
        shown = f" ({came!r})" if isinstance(came, (str, int, float)) else ""
        return self.error(key, f"expected {expected}, but got {kind(came)}{shown}.")

    def path(self, key: str) -> str:
        return f"{self.where}.{key}" if self.where else key

    def _inner(self, table: Table, key: str) -> Properties:
        return Properties(table, self.resolver, self.notes, self.path(key), self.at(key))

    def _known(self, key: str, value: object, resolve: Callable[[object], object]) -> object:
        try:
            found = resolve(value)
        except Unresolved as why:
            self.note(key, f"{why}; left out.")
            return None
        return None if found is NO_VALUE else found
