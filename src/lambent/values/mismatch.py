"""Where a value does not fit, and how that is told: by its place, what was expected and the type that came. Pure."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lambent.types import Event

    Convert = Callable[[Event], Event]
    """A decoded value → the value that is wanted. Raises Mismatch, and RecursionError for what is nested too deeply."""

_KINDS: dict[type, str] = {
    bool: "a boolean",
    int: "an integer",
    float: "a number",
    str: "a string",
    bytes: "bytes",
    list: "an array",
    dict: "an object",
    type(None): "null",
}


class Mismatch(Exception):
    """A value is not what was expected. Whoever holds it adds the step from itself to the value."""

    def __init__(self, expected: str, came: str) -> None:
        super().__init__(expected, came)
        self.expected = expected
        self.came = came
        self.steps: list[str | int] = []
        """Keys and indices, from the value outwards."""
        self.others: list[Mismatch] = []
        """What else does not fit in the same value, where its library tells."""
        self.beside: list[Mismatch] = []
        """What else does not fit in the object or the array that holds it. An error in words leaves it out."""
        self.code = "invalid"
        """Or `missing`, or `unexpected` for a key that nothing is known of."""
        self.words = ""
        """A library's own, where they have nothing of the value."""

    def within(self, key: str | int) -> Mismatch:
        """The same, seen from what has the value under this key, or at this index."""
        for each in self.all():
            each.steps.append(key)
        return self

    def all(self) -> list[Mismatch]:
        """This one, and what else does not fit."""
        return [self, *self.others, *self.beside]

    def __str__(self) -> str:
        more = f"; and {len(self.others)} more" if self.others else ""
        where = "".join(map(step, reversed(self.steps)))
        return f"Expected `${where}` to be {self.expected}, but {self.came}{more}."


def mismatch(expected: str, value: object) -> Mismatch:
    return Mismatch(expected, f"got {kind(value)}")


MOST = 100
"""Of what does not fit in one value, that are looked for."""


def joined(errors: Sequence[Mismatch]) -> Mismatch:
    """The first, with all others."""
    first, *more = errors
    for each in more:
        first.beside += each.all()
    return first


def missing() -> Mismatch:
    """Of a value that must be there."""
    absent = Mismatch("there", "it is missing")
    absent.code = "missing"
    return absent


def kind(value: object) -> str:
    """The type of a value, in the words of JSON."""
    return _KINDS.get(type(value)) or f"a {type(value).__name__}"


def step(key: object) -> str:
    """`.name`, `['a name']` or `[3]`; a long name is cut. What is no JSON may have other keys: `[b'a']`."""
    is_name = isinstance(key, str) and key.isidentifier() and len(key) <= 80
    return f".{key}" if is_name else f"[{key!r:.80}]"
