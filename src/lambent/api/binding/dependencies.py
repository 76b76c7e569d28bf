"""A function with all that it depends on, in the order in which they are called."""

from __future__ import annotations

from lambent.api.binding.sources import wanted
from lambent.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from inspect import Signature
    from typing import Any

    from lambent.api.binding.sources import Wanted
    from lambent.api.markers import Depends


class Function:
    """One of them: its parameters, and for those that functions make the places of these functions in the order."""

    __slots__ = ("function", "needs", "signature", "wanted")

    def __init__(self, function: Callable[..., Any], signature: Signature, parameters: list[Wanted]) -> None:
        self.function = function
        self.signature = signature
        self.wanted = parameters
        self.needs: dict[str, int] = {}


class Gathering:
    """Reads functions, each once: one that several depend on is called once, unless `use_cache` says otherwise."""

    __slots__ = ("_being_read", "_overrides", "_places", "_variables", "functions")

    def __init__(self, variables: Sequence[str], overrides: Mapping[Callable[..., Any], Callable[..., Any]]) -> None:
        self._variables = tuple(variables)
        self._overrides = overrides
        self._places: dict[Any, int] = {}
        self._being_read: list[Any] = []
        self.functions: list[Function] = []

    def read(self, function: Callable[..., Any]) -> Function:
        """With what it depends on before it, which is in `functions` then. Raises ConfigurationError."""
        from lambent.functions import signature

        told = signature(function)
        found = Function(function, told, wanted(function, told, self._variables))
        for each in found.wanted:
            if each.depends is not None:
                found.needs[each.name] = self.depend(each.depends, each.annotation)
        return found

    def depend(self, depends: Depends, annotation: Any = None) -> int:
        """The place of a dependency in the order. Raises ConfigurationError."""
        named = _named(depends, annotation)
        key = _key(named)
        if depends.use_cache and key in self._places:
            return self._places[key]
        if key in self._being_read:
            raise ConfigurationError(f"{_told(named)} depends on itself: take one of the Depends away.")
        self._being_read.append(key)
        self.functions.append(self.read(self._overrides.get(key, named)))
        self._being_read.pop()
        place = len(self.functions) - 1
        if depends.use_cache:
            self._places[key] = place
        return place


def _named(depends: Depends, annotation: Any) -> Callable[..., Any]:
    from typing import Any

    from lambent.functions import bare

    named = bare(annotation) if depends.function is None else depends.function
    if named is Any or not callable(named):
        raise ConfigurationError(
            f"Expected a function or a class in Depends, but got {named!r:.200}. Write Depends(function), "
            "or annotate the parameter with a class."
        )
    found: Callable[..., Any] = named
    return found


def _key(function: Any) -> Any:
    try:
        hash(function)
    except TypeError:
        return id(function)
    return function


def _told(function: Any) -> str:
    from lambent.functions import place

    return place(function)
