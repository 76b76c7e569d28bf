"""`pyproject.toml`, and `[tool.lambent.build]` in it: what a project says of its build.

[tool.lambent.build]
handler = "app:handler"          # else the only one of [tool.lambent.functions]
extras = ["web"]                 # of [project.optional-dependencies]
requirements = "prod.txt"        # in place of uv.lock, requirements.txt or [project]
include = ["templates/**"]       # beside the modules and packages
exclude = ["**/*.psd"]
allow-source = ["odd-package"]   # may be built from source, here
wheel = true                     # the project is built as its build-system says, and installed
lambent = false                  # is not put into it: nothing there needs it
python = "3.13"
arch = "arm64"
runtime = "python3.13"
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from lambent.build.errors import BuildError

FILE = "pyproject.toml"
TABLE = ("tool", "lambent", "build")


@dataclass(frozen=True, slots=True)
class Settings:
    """`[tool.lambent.build]`. Empty: not said."""

    handler: str = ""
    extras: tuple[str, ...] = ()
    requirements: str = ""
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    allow_source: tuple[str, ...] = ()
    wheel: bool = False
    lambent: bool = True
    python: str = ""
    arch: str = ""
    runtime: str = ""


KEYS = {name.replace("_", "-"): name for name in Settings.__slots__}


@dataclass(frozen=True, slots=True)
class Pyproject:
    """What the file says; nothing if there is none."""

    file: Path
    table: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, root: Path) -> Self:
        """`BuildError` if the file cannot be read, or is no TOML."""
        file = root / FILE
        try:
            return cls(file, tomllib.loads(file.read_text("utf-8")))
        except FileNotFoundError:
            return cls(file)
        except OSError as error:
            raise BuildError(f"{file}: it cannot be read: {error.strerror}.") from None
        except UnicodeDecodeError as error:
            raise BuildError(f"{file}: expected UTF-8, as TOML is written, but {error}.") from None
        except tomllib.TOMLDecodeError as error:
            raise BuildError(f"{file}: expected TOML, but got: {error}.") from None

    def get(self, *keys: str) -> object:
        """What stands there; None if nothing does."""
        found: object = self.table
        for key in keys:
            found = found.get(key) if isinstance(found, dict) else None
        return found

    def subtable(self, *keys: str) -> Mapping[str, object]:
        found = self.get(*keys)
        if found is not None and not isinstance(found, dict):
            raise self.unexpected(keys, "a table", found)
        return found or {}

    def text(self, *keys: str) -> str:
        """Empty if nothing stands there."""
        found = self.get(*keys)
        if found is not None and not isinstance(found, str):
            raise self.unexpected(keys, "a text in quotes", found)
        return found or ""

    def texts(self, *keys: str) -> tuple[str, ...]:
        found = [] if (told := self.get(*keys)) is None else told
        if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
            raise self.unexpected(keys, "a list of texts in quotes", found)
        return tuple(found)

    def unexpected(self, keys: tuple[str, ...], expected: str, came: object) -> BuildError:
        return BuildError(f"{self.file}: {'.'.join(keys)}: expected {expected}, but got {came!r:.80}.")

    def settings(self) -> Settings:
        """`BuildError` if there is a key that is not known, or a value that is none of its."""
        told: dict[str, Any] = {}
        for key, value in self.subtable(*TABLE).items():
            if key not in KEYS:
                known = ", ".join(KEYS)
                raise BuildError(f"{self.file}: {'.'.join(TABLE)}: there is no key {key!r}. Expected one of {known}.")
            told[KEYS[key]] = self._setting((*TABLE, key), getattr(Settings(), KEYS[key]), value)
        return Settings(**told)

    def _setting(self, keys: tuple[str, ...], default: object, value: object) -> object:
        """The value, if it is of the type of the default."""
        if isinstance(default, tuple):
            return self.texts(*keys)
        if isinstance(default, str):
            return self.text(*keys)
        if not isinstance(value, bool):
            raise self.unexpected(keys, "true or false", value)
        return value
