"""Events with one value replaced, at any depth: what a source may meet where something else than AWS made the event."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from hypothesis import strategies as st

from lambent.errors import MalformedEvent
from lambent.events.model import Record, Source

LISTED = (MalformedEvent, LookupError, TypeError, ValueError, AttributeError)
"""That a source may raise, as its protocol says."""

STRANGE = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["", "{", "[" * 2000, '{"a":' * 9000, "AAAA", "9" * 5000, "-1", "a:b/c", "\ud800"])
    | st.lists(st.none() | st.integers(), max_size=2)
    | st.dictionaries(st.text(max_size=3), st.integers(), max_size=2)
)


def paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    if isinstance(value, dict):
        for name, each in value.items():
            yield from paths(each, (*path, name))
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from paths(each, (*path, number))


@st.composite
def mutated(draw: st.DrawFn, event: Any) -> Any:
    """The event with something in it replaced, or missing."""
    changed = copy.deepcopy(event)
    path = draw(st.sampled_from(list(paths(event))))
    if not path:
        return draw(STRANGE)
    holder = changed
    for step in path[:-1]:
        holder = holder[step]
    if draw(st.booleans()):
        holder[path[-1]] = draw(STRANGE)
    else:
        del holder[path[-1]]
    return changed


def read_all(source: Source, event: Any) -> list[Record]:
    """Read whatever can be read. Raises what is not LISTED, and whatever `inner` raises."""
    try:
        found = list(source.records(event))
    except LISTED:
        return []
    for record in found:
        with suppress(*LISTED):
            repr(record)
        for name in dir(type(record)):
            if isinstance(getattr(type(record), name), property):
                with suppress(*LISTED):
                    getattr(record, name)
        for each in source.inner(record):
            assert each.carrier is record
    return found
