"""Which records a function wants: by the name of where they come from, and by what else is told of them. Pure."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lambent.events.model import Record
    from lambent.events.patterns import Test

_WILD = frozenset("*?[")

ANY = "any characters"
ONE = "any character"
_NAMES = {"*": ANY, "?": ONE}


class Selection:
    """Conditions on properties of records, as globs: `{"name": "orders-*", "event_name": "INSERT"}`.

    - `pattern`: beside these, an EventBridge pattern on the body
    """

    __slots__ = ("_globs", "_pattern", "_plain", "_test", "_wild", "key", "rank", "source")

    def __init__(self, source: str, globs: Mapping[str, str], pattern: Mapping[str, object] | None = None) -> None:
        self.source = source
        self._globs = {name: glob for name, glob in globs.items() if glob != "*"}
        self._plain = [(name, glob) for name, glob in self._globs.items() if not _WILD & set(glob)]
        self._wild = [(name, _matcher(glob)) for name, glob in self._globs.items() if _WILD & set(glob)]
        self._pattern = _written(pattern) if pattern is not None else ""
        self._test: Test | None = None
        if pattern is not None:
            from lambent.events.patterns import table

            self._test = table(pattern)
        self.key = source, tuple(sorted(self._globs.items())), self._pattern
        """The same for two that want the same."""
        letters = sum(len(token) == 1 for glob in self._globs.values() for token in _tokens(glob))
        is_named = any(name == "name" for name, _ in self._plain)
        self.rank = is_named, len(self._plain), len(self._globs) + (pattern is not None), letters
        """The higher, the more is asked: an exact name, then exact values, conditions, characters. The highest wins."""

    @property
    def asks_name_only(self) -> bool:
        """Whether all records of one name are alike to it."""
        return self._globs.keys() <= {"name"} and self._test is None

    def matches(self, record: Record) -> bool:
        """Whether it is wanted; of a list, such as recipients, one item must fit.

        Raises what the properties of a malformed record raise.
        """
        for name, text in self._plain:
            value = getattr(record, name)
            if value != text and not (isinstance(value, list) and text in value):
                return False
        for name, match in self._wild:
            value = getattr(record, name)
            if not (any(map(match, value)) if isinstance(value, list) else match(str(value))):
                return False
        return self._test is None or self._test(record.body)

    def is_from(self, record: Record) -> bool:
        """Whether the record comes from where it asks, whatever else it asks for."""
        named = all(record.name == text for name, text in self._plain if name == "name")
        return named and all(match(record.name) for name, match in self._wild if name == "name")

    def rivals(self, other: Selection) -> bool:
        """Whether there are records that fit both, and nothing says who gets them.

        Of two patterns nobody can tell: there the one that was registered first wins.
        """
        if self.source != other.source or self.rank != other.rank or self._pattern != other._pattern:
            return False
        names = self._globs.keys() & other._globs.keys()
        return all(_overlap(_tokens(self._globs[name]), _tokens(other._globs[name])) for name in names)

    def __str__(self) -> str:
        told = [f"{name} {glob!r}" for name, glob in self._globs.items()] or ["any"]
        return f"{self.source} ({', '.join(told)}{' and a pattern' if self._pattern else ''})"


def fits(glob: str, text: str) -> bool:
    return _matcher(glob)(text)


def _matcher(glob: str) -> Test:
    import re
    from fnmatch import translate

    match = re.compile(translate(glob)).match
    return lambda text: match(str(text)) is not None


def _written(pattern: Mapping[str, object]) -> str:
    from json import dumps

    return dumps(pattern, sort_keys=True, default=repr)


def _tokens(glob: str) -> list[str]:
    """A glob → its letters as they are, and ANY, ONE and classes such as `[ab]`; a class of one letter is that."""
    tokens = []
    while glob:
        end = glob.find("]", 3 if glob.startswith("[!") else 2) if glob.startswith("[") else -1
        token, glob = (glob[: end + 1], glob[end + 1 :]) if end > 0 else (glob[0], glob[1:])
        tokens.append(_NAMES.get(token, token[1] if len(token) == 3 else token))
    return tokens


def _overlap(one: Sequence[str], other: Sequence[str]) -> bool:
    """Whether there is a text that matches both: whether their ends can be reached together."""
    seen = {(0, 0)}
    todo = [(0, 0)]
    for first, second in todo:  # grows while it is walked
        if (first, second) == (len(one), len(other)):
            return True
        for step in _steps(one[first : first + 1], other[second : second + 1]):
            place = first + step[0], second + step[1]
            if place not in seen:
                seen.add(place)
                todo.append(place)
    return False


def _steps(left: Sequence[str], right: Sequence[str]) -> list[tuple[int, int]]:
    """How far both can go from here, `left` and `right` being what comes next of each: one token, or the end."""
    steps = []
    if ANY in left:  # which matches nothing, or whatever the other has next
        steps += [(1, 0), (0, len(right))]
    if ANY in right:
        steps += [(0, 1), (len(left), 0)]
    if not steps and left and right and _meet(left[0], right[0]):
        steps.append((1, 1))
    return steps


def _meet(one: str, other: str) -> bool:
    """Whether some letter fits both. Of two classes that is taken for granted."""
    if len(one) == len(other) == 1:
        return one == other
    if len(one) == 1:
        one, other = other, one
    return one == ONE or len(other) > 1 or _matcher(one)(other)
