"""JSON → tables, with the lines of resources: what has a `Type` as its first key."""

from __future__ import annotations

import json
import re

from lambent.dev.templates.tables import Notes, Table
from lambent.errors import ConfigurationError

RESOURCE = re.compile(r'"((?:[^"\\]|\\.)*)"\s*:\s*\{\s*"Type"\s*:')


def read(text: str, notes: Notes) -> object:
    """`ConfigurationError` points at the line that is no JSON."""
    try:
        root = json.loads(text, object_pairs_hook=lambda pairs: table(pairs, notes))
    except json.JSONDecodeError as error:
        raise notes.error(error.lineno, f"expected JSON, but got: {error.msg}.") from None
    except RecursionError:
        raise notes.error(1, "expected JSON, but it has too many levels.") from None
    resources = root.get("Resources") if isinstance(root, Table) else None
    if isinstance(resources, Table):
        set_lines(text, resources)
    return root


def table(pairs: list[tuple[str, object]], notes: Notes) -> Table:
    made = Table(pairs)
    if len(made) < len(pairs):
        keys = [key for key, _ in pairs]
        raise twice(next(key for key in keys if keys.count(key) > 1), notes)
    return made


def twice(key: str, notes: Notes) -> ConfigurationError:
    return notes.error(0, f"the key {key} stands twice in one table.")


def set_lines(text: str, resources: Table) -> None:
    line, seen = 1, 0
    for match in RESOURCE.finditer(text):
        line += text.count("\n", seen, match.start())
        seen = match.start()
        found = resources.get(match[1])
        if isinstance(found, Table) and not found.line:
            found.line = resources.lines[match[1]] = line
