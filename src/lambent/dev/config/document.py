"""A TOML file, and complaints that point into it: file, line, dotted key, what was expected and what came."""

from __future__ import annotations

import json
import re
import tomllib
import typing
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self, TypeVar

import msgspec

from lambent.dev.config.toml_lines import Keys, dotted, lines
from lambent.errors import ConfigurationError

SHOWN = 80
"""Characters of a value that a complaint shows."""

T = TypeVar("T", bound=msgspec.Struct)


@dataclass(frozen=True, slots=True)
class Document:
    """What a TOML file holds."""

    file: Path
    text: str = ""
    root: Mapping[str, object] = field(default_factory=dict)

    @classmethod
    def read(cls, file: Path) -> Self:
        """`ConfigurationError` if it cannot be read, or is no TOML."""
        try:
            text = file.read_text("utf-8")
        except OSError as error:
            raise ConfigurationError(f"{file}: it cannot be read: {error.strerror}.") from None
        except UnicodeDecodeError as error:
            raise ConfigurationError(f"{file}: expected UTF-8, as TOML is written, but {error}.") from None
        try:
            return cls(file, text, tomllib.loads(text))
        except tomllib.TOMLDecodeError as error:
            message, line = syntax_error(str(error), text)
            raise ConfigurationError(f"{file}:{line}: expected TOML, but got: {message}.") from None

    def get(self, *keys: str) -> object:
        """What stands there; None if nothing does."""
        found: object = self.root
        for key in keys:
            found = found.get(key) if isinstance(found, dict) else None
        return found

    def error(self, keys: Keys, message: str) -> ConfigurationError:
        """A complaint about what stands at `keys`, or should."""
        known = lines(self.text)
        line = next((known[keys[:length]] for length in range(len(keys), 0, -1) if keys[:length] in known), 1)
        end = "" if message.endswith("?") else "."
        return ConfigurationError(f"{self.file}:{line}: {dotted(keys)}: {message}{end}")

    def unexpected(self, keys: Keys, expected: str, came: object) -> ConfigurationError:
        return self.error(keys, f"expected {expected}, but got {shown(came)}")

    def path(self, path: str) -> Path:
        """Relative to the file. Links stay links: the interpreter of a virtual environment is one.

        `ConfigurationError` for the home of a user that there is not.
        """
        try:
            return self.file.parent / Path(path).expanduser()
        except RuntimeError:
            raise ConfigurationError(f"{self.file}: {path}: expected a home folder that there is.") from None

    def folder(self, keys: Keys, path: str) -> Path:
        """As `path`; a complaint if there is none."""
        found = self.path(path)
        if not found.is_dir():
            raise self.unexpected(keys, "a folder", str(found))
        return found

    def convert(self, keys: Keys, value: object, kind: type[T]) -> T:
        """What stands at `keys`, as the Struct that says what may. Complains of the first thing that may not.

        The fields of a Struct say in the description of their `msgspec.Meta` what they expect.
        """
        if not isinstance(value, dict):
            raise self.unexpected(keys, "a table", value)
        fields = {each.encode_name: each for each in msgspec.structs.fields(kind)}
        for key, each in value.items():
            if key not in fields:
                raise self.error((*keys, key), unknown(key, fields))
            inner = fields[key].type
            if isinstance(inner, type) and issubclass(inner, msgspec.Struct):
                self.convert((*keys, key), each, inner)
        for key, each in fields.items():
            if each.required and key not in value:
                raise self.error(keys, f"expected the key {key}, {description(each.type)}, but there is none")
        try:
            return msgspec.convert(value, kind)
        except msgspec.ValidationError:
            for key, each in value.items():
                self._check((*keys, key), each, fields[key].type)
            raise

    def _check(self, keys: Keys, value: object, kind: Any) -> None:
        """Complain if `value` is not of `kind`, a type as msgspec reads it; about what is in a table first."""
        try:
            msgspec.convert(value, kind)
        except msgspec.ValidationError:
            bare = typing.get_args(kind)[0] if hasattr(kind, "__metadata__") else kind
            if isinstance(value, dict) and typing.get_origin(bare) is dict:
                for key, each in value.items():
                    self._check((*keys, key), key, typing.get_args(bare)[0])
                    self._check((*keys, key), each, typing.get_args(bare)[1])
            raise self.unexpected(keys, description(kind), value) from None


def description(kind: Any) -> str:
    """What a type expects, by the `msgspec.Meta` of it, or of one of the types it is made up of."""
    for meta in getattr(kind, "__metadata__", ()):
        if meta.description:
            return str(meta.description)
    return next(filter(None, map(description, typing.get_args(kind))), "")


def unknown(key: str, known: Iterable[str]) -> str:
    """A complaint about a key that is not known: it names the nearest one that is."""
    from difflib import get_close_matches

    names = list(known)
    if near := get_close_matches(key.lower().replace("_", "-"), names, 1):
        return f"there is no such key. Did you mean {near[0]}?"
    return f"there is no such key. Expected one of {', '.join(names)}"


def shown(value: object) -> str:
    """A value about as TOML writes it."""
    text = json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


def syntax_error(message: str, text: str) -> tuple[str, int]:
    """What tomllib says, such as `Invalid value (at line 3, column 5)`, and the line in it."""
    at = re.search(r" \(at (?:line (\d+), column \d+|end of document)\)$", message)
    if not at:
        return message, 1
    return message[: at.start()], int(at[1] or max(len(text.splitlines()), 1))
