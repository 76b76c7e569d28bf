"""YAML → tables, with CloudFormation's short forms in full: `!Ref X` is `{"Ref": "X"}`.

Built from the parser's events: no tag makes an object, depth and what aliases expand to have limits, lines are kept.
CloudFormation reads YAML 1.1, in which `yes` and `on` are booleans, but no dates; the Serverless Framework YAML 1.2.

Source: AWS CloudFormation User Guide, "CloudFormation template formats", "Intrinsic function reference"; yaml.org.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from lambent.dev.templates.tables import Notes, Table
from lambent.errors import ConfigurationError

if TYPE_CHECKING:
    from yaml import events

MAX_DEPTH = 100
MAX_VALUES = 200_000
"""With aliases replaced by what they stand for."""

SHORT = {"Ref": "Ref", "Condition": "Condition"}
FUNCTIONS = """And Base64 Cidr Equals FindInMap ForEach GetAtt GetAZs GetStackOutput If ImportValue Join Length Not Or
    Select Split Sub ToJsonString Transform""".split()
STANDARD = "tag:yaml.org,2002:"

NULL = re.compile(r"|~|null|Null|NULL")
INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
OTHER_INTEGER = re.compile(r"0x[0-9a-fA-F]+|0o[0-7]+")
FLOAT = re.compile(r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?")
BOOLEANS = {"1.1": {"yes": True, "on": True, "true": True, "no": False, "off": False, "false": False}}
BOOLEANS["1.2"] = {"true": True, "false": False}


def read(text: str, notes: Notes, version: str = "1.1") -> object:
    """The one document of a text. `ConfigurationError` points at the line that is no YAML, or not YAML for this."""
    import yaml

    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return Reader(yaml.parse(text, loader), notes, version).document()
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        character = chr(error.character) if isinstance(error.character, int) else error.character
        raise notes.error(line, f"expected YAML, but got the character {character!r}.") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = " ".join(filter(None, (error.context, error.problem)))
        line = min(mark.line, text.count("\n")) + 1 if mark else 1
        raise notes.error(line, f"expected YAML, but got: {what}.") from None


class Anchored(NamedTuple):
    """What an alias stands for."""

    value: object
    size: int
    """Values in it, itself included."""
    height: int
    """Levels, its own included."""


class Reader:
    """Events, one after the other."""

    def __init__(self, stream: Iterator[events.Event], notes: Notes, version: str) -> None:
        from yaml import events

        self._kinds = events
        self._stream = stream
        self._notes = notes
        self._booleans = BOOLEANS[version]
        self._anchors: dict[str, Anchored] = {}
        self._open: set[str] = set()
        self._count = 0
        self._depth = 0
        self._deepest = 0

    def document(self) -> object:
        next(self._stream)
        if isinstance(next(self._stream), self._kinds.StreamEndEvent):
            return None
        value = self._value(next(self._stream))
        next(self._stream)
        after = next(self._stream)
        if not isinstance(after, self._kinds.StreamEndEvent):
            raise self._error(after, "expected one document, but a second one begins")
        return value

    def _value(self, event: Any) -> object:
        if isinstance(event, self._kinds.AliasEvent):
            return self._alias(event)
        before, deepest = self._count, self._deepest
        self._count += 1
        self._depth += 1
        self._reach(event, self._depth)
        self._deepest = self._depth
        anchor = event.anchor
        if anchor:
            self._open.add(anchor)
        value = self._tagged(event, self._bare(event))
        if anchor:
            self._open.discard(anchor)
            self._anchors[anchor] = Anchored(value, self._count - before, self._deepest - self._depth + 1)
        self._depth -= 1
        self._deepest = max(deepest, self._deepest)
        return value

    def _reach(self, event: Any, depth: int) -> None:
        if depth > MAX_DEPTH:
            raise self._error(event, f"expected at most {MAX_DEPTH} levels, but it goes deeper")
        self._deepest = max(self._deepest, depth)

    def _alias(self, event: Any) -> object:
        if event.anchor not in self._anchors:
            why = "stands within what it is to repeat" if event.anchor in self._open else "has no anchor before it"
            raise self._error(event, f"expected YAML, but the alias *{event.anchor} {why}")
        value, size, height = self._anchors[event.anchor]
        self._count += size
        self._reach(event, self._depth + height)
        if self._count > MAX_VALUES:
            raise self._error(event, f"expected at most {MAX_VALUES:,} values, but its aliases expand to more")
        return value

    def _bare(self, event: Any) -> object:
        if isinstance(event, self._kinds.ScalarEvent):
            return self._scalar(event)
        if isinstance(event, self._kinds.SequenceStartEvent):
            return [self._value(each) for each in iter(self._next, None)]
        return self._table(event)

    def _next(self) -> Any:
        """The next event of a collection; None at its end."""
        event = next(self._stream)
        return None if isinstance(event, self._kinds.CollectionEndEvent) else event

    def _table(self, event: Any) -> Table:
        table = Table(line=event.start_mark.line + 1)
        merged: list[object] = []
        while (each := self._next()) is not None:
            line = each.start_mark.line + 1
            merge = isinstance(each, self._kinds.ScalarEvent) and each.implicit[0] and each.value == "<<"
            key = self._key(each)
            if key in table.lines:
                raise self._notes.error(line, f"the key {key} stands here again, after line {table.lines[key]}.")
            value = self._value(next(self._stream))
            if merge:
                merged += value if isinstance(value, list) else [value]
                continue
            table[key] = value
            table.lines[key] = line
        return self._merge(table, merged)

    def _key(self, event: Any) -> str:
        value = self._value(event)
        if isinstance(value, (Table, list)):
            raise self._error(event, "expected a text as key")
        return event.value if isinstance(event, self._kinds.ScalarEvent) else str(value)

    def _merge(self, table: Table, merged: list[object]) -> Table:
        for other in merged:
            if not isinstance(other, Table):
                raise self._notes.error(table.line, "expected a table after <<.")
            for key, value in other.items():
                if key not in table:
                    table[key] = value
                    table.lines[key] = other.at(key)
        return table

    def _scalar(self, event: Any) -> object:
        return plain(event.value, self._booleans) if event.implicit[0] and not event.tag else event.value

    def _tagged(self, event: Any, value: object) -> object:
        tag = event.tag
        if not tag or tag == "!":
            return value
        if tag.startswith("!") and tag[1:] in (*SHORT, *FUNCTIONS):
            return long_form(tag[1:], value, event.start_mark.line + 1)
        made = standard(tag.removeprefix(STANDARD), value, self._booleans)
        if made is NotImplemented:
            known = ", ".join(f"!{name}" for name in (*SHORT, *FUNCTIONS))
            raise self._error(event, f"expected one of the tags {known}, but got {tag}")
        return made

    def _error(self, event: Any, text: str) -> ConfigurationError:
        return self._notes.error(event.start_mark.line + 1, f"{text}.")


def plain(text: str, booleans: dict[str, bool]) -> object:
    """What a scalar without quotes stands for. A number with leading zeros is a text: account ids are written so."""
    if NULL.fullmatch(text):
        return None
    if text in booleans or (text.lower() in booleans and text in (text.upper(), text.capitalize())):
        return booleans[text.lower()]
    if INTEGER.fullmatch(text) and len(text) < 40:
        return int(text)
    if OTHER_INTEGER.fullmatch(text) and len(text) < 40:
        return int(text, 0)
    is_float = FLOAT.fullmatch(text) and ("." in text or "yes" not in booleans)  # in YAML 1.1 `12E4` is a text
    return float(text) if is_float else text


def standard(tag: str, value: object, booleans: dict[str, bool]) -> object:
    """A value with one of YAML's own tags; NotImplemented for another one."""
    if tag == "str" and not isinstance(value, (Table, list)):
        return value if isinstance(value, str) else json.dumps(value)
    if tag in ("int", "float", "bool", "null") and isinstance(value, str):
        return plain(value, booleans)
    fits = (tag == "map" and isinstance(value, Table)) or (tag == "seq" and isinstance(value, list))
    return value if fits else NotImplemented


def long_form(name: str, value: object, line: int) -> Table:
    key = SHORT.get(name, f"Fn::{name}")
    if name == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return Table({key: value}, line, {key: line})
