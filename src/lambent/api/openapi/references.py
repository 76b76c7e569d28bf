"""References between schemas: from what they are made with to names in the document. Pure."""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

    Json = dict[str, Any]

PLACE = "#/components/schemas/"


def resolved(value: Any, table: Mapping[str, Json]) -> Any:
    """With what stands for each reference of `table` in its place; what stood beside the reference wins."""
    if isinstance(value, list | tuple):
        return [resolved(each, table) for each in value]
    if not isinstance(value, dict):
        return value
    found = {key: resolved(each, table) for key, each in value.items()}
    reference = found.get("$ref")
    if isinstance(reference, str) and reference in table:
        del found["$ref"]
        return {**table[reference], **found}
    discriminator = found.get("discriminator")
    if isinstance(discriminator, dict) and isinstance(discriminator.get("mapping"), dict):
        mapping = {key: table.get(each, {}).get("$ref", each) for key, each in discriminator["mapping"].items()}
        found["discriminator"] = {**discriminator, "mapping": mapping}
    return found


def twins(pairs: Iterable[tuple[str, str]], definitions: Mapping[str, Json]) -> dict[str, str]:
    """Of pairs of definitions those that say the same, second → first, however they refer to themselves and others."""
    same = {second: first for first, second in pairs}
    while True:
        table = {second: {"$ref": first} for second, first in same.items()}
        kept = {
            second: first
            for second, first in same.items()
            if resolved(definitions[first], table) == resolved(definitions[second], table)
        }
        if kept == same:
            return same
        same = kept


def names(wanted: Sequence[tuple[str, Sequence[str]]]) -> dict[str, str]:
    """Reference → name. Each has names that it would have, best first; one that two would have, neither has.

    But the last, which is numbered: it is whose turn comes first.
    """
    counts: dict[str, int] = {}
    for _, choices in wanted:
        for choice in dict.fromkeys(map(component, choices)):
            counts[choice] = counts.get(choice, 0) + 1
    found: dict[str, str] = {}
    taken: set[str] = set()
    for reference, choices in wanted:
        name = next((each for each in map(component, choices) if counts[each] == 1), component(choices[-1]))
        found[reference] = numbered(name, taken)
        taken.add(found[reference])
    return found


def numbered(name: str, taken: set[str]) -> str:
    """`name`, else `name_2`, `name_3`..."""
    number, found = 1, name
    while found in taken:
        number += 1
        found = f"{name}_{number}"
    return found


def component(name: str) -> str:
    """With the letters that OpenAPI lets names of components have."""
    return re.sub(r"[^A-Za-z0-9._-]", "_", name)
