"""Where a value does not fit, and how that is told: by its place, what was expected and the type that came. Pure."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

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
        self.steps: list[str] = []
        """From the value outwards."""

    def within(self, key: str | int) -> Mismatch:
        """The same, seen from what has the value under this key, or at this index."""
        self.steps.append(step(key))
        return self

    def __str__(self) -> str:
        return f"Expected `${''.join(reversed(self.steps))}` to be {self.expected}, but {self.came}."


def mismatch(expected: str, value: object) -> Mismatch:
    return Mismatch(expected, f"got {kind(value)}")


def kind(value: object) -> str:
    """The type of a value, in the words of JSON."""
    return _KINDS.get(type(value)) or f"a {type(value).__name__}"


def step(key: str | int) -> str:
    """`.name`, `['a name']` or `[3]`; a long name is cut."""
    if isinstance(key, int):
        return f"[{key}]"
    return f".{key}" if key.isidentifier() and len(key) <= 80 else f"[{key!r:.80}]"
