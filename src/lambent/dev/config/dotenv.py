"""`.env`: variables in a file of their own, as python-dotenv reads it."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path

from lambent.errors import ConfigurationError


def read(file: Path, shell: Mapping[str, str]) -> dict[str, str]:
    """Its variables. `${NAME}` stands for one of those above it in the file, or of the shell's.

    A name without a value says nothing. `ConfigurationError` if the file cannot be read, or a line of it.
    """
    from dotenv.parser import parse_stream
    from dotenv.variables import parse_variables

    try:
        text = file.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{file}: expected lines of NAME=value in UTF-8, but {error}.") from None
    found: dict[str, str] = {}
    for binding in parse_stream(io.StringIO(text)):
        if binding.error or "\0" in (binding.value or ""):
            # What stands there is not shown: it may be a secret.
            raise ConfigurationError(f"{file}:{line(*binding.original)}: expected NAME=value.")
        if binding.key and binding.value is not None:
            scope = {**shell, **found}
            found[binding.key] = "".join(atom.resolve(scope) for atom in parse_variables(binding.value))
    return found


def line(text: str, first: int) -> int:
    """Where a binding begins whose text, with the empty lines above it, begins in line `first`."""
    return first + text[: len(text) - len(text.lstrip())].count("\n")
