"""Segments of text and variables, and those with converters: `{name}.json`, `{id:int}-{slug}`, `{n:int}`. Pure.

As in Starlette, a variable takes as much as it can: `{name}.{kind}` takes `archive.tar` and `gz`. One with a converter
takes all that looks like it: `{x:float}.{y}` never takes `1.5`, for that is a float.

Strategy: a variable without converter may be anything, so only what stands between two such matters. That is looked
for from the right, each as far right as it can stand, which leaves the most to what stands before it: there is nothing
to try again, and no number of variables makes a long segment expensive.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from re import Pattern

    from lambent.api.matching import Segment

PATTERNS = {
    "int": r"-?[0-9]++",
    "float": r"-?[0-9]++(?:\.[0-9]++)?+",
    "uuid": r"[0-9a-fA-F]{8}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{12}",
}


class MixedSegment:
    """A segment of a route: what begins it, and what follows each variable without a converter."""

    __slots__ = ("_head", "_tails")

    def __init__(self, segment: Segment) -> None:
        groups: list[list[tuple[str, str]]] = [[]]
        for part in segment:
            if isinstance(part, str):
                groups[-1].append(("", part))
            elif part.converter == "str":
                groups.append([])
            else:
                groups[-1].append((part.converter, ""))
        self._head, *tails = [Stretch(group) for group in groups]
        self._tails = tails[::-1]
        """From the right."""

    def read(self, text: str) -> tuple[str, ...] | None:
        """The values of the variables; None if the text does not fit."""
        head = self._head.read(text, 0, len(text))
        if head is None:
            return None
        begin, values = head
        if not self._tails:
            return values if begin == len(text) else None
        found: list[tuple[int, int, tuple[str, ...]]] = []
        end = len(text)
        for tail in self._tails:
            last = tail.find(text, begin + 1, end, is_last=not found)
            if last is None:
                return None
            found.append(last)
            end = last[0] - 1
        for start, stop, strict in reversed(found):
            values = (*values, text[begin:start], *strict)
            begin = stop
        return values


class Stretch:
    """Text and variables with converters, side by side; where it follows another variable, text comes first.

    `parts`: pairs of a converter and a text, one of which is empty.
    """

    __slots__ = ("_pattern", "_text")

    def __init__(self, parts: list[tuple[str, str]]) -> None:
        self._text = parts[0][1] if parts else ""
        """What it begins with."""
        self._pattern: Pattern[str] | None = None
        """None: it is only that."""
        if any(converter for converter, _ in parts):
            import re

            self._pattern = re.compile(
                "".join(f"({PATTERNS[kind]})" if kind else re.escape(text) for kind, text in parts)
            )

    def read(self, text: str, start: int, end: int) -> tuple[int, tuple[str, ...]] | None:
        """Where it ends that begins at `start`, before `end`, and its values; None if it does not begin there."""
        if self._pattern is None:
            return (start + len(self._text), ()) if text.startswith(self._text, start, end) else None
        found = self._pattern.match(text, start, end)
        return None if found is None else (found.end(), found.groups())

    def find(self, text: str, begin: int, end: int, *, is_last: bool) -> tuple[int, int, tuple[str, ...]] | None:
        """The last place between `begin` and `end` where it stands: start, stop and values. The last ends at `end`."""
        if is_last and self._pattern is None:
            start = end - len(self._text)
            return (start, end, ()) if start >= begin and text.endswith(self._text) else None
        start = text.rfind(self._text, begin, end)
        while start >= 0:
            found = self.read(text, start, end)
            if found is not None and (not is_last or found[0] == end):
                return start, *found
            start = text.rfind(self._text, begin, start + len(self._text) - 1)
        return None
