"""Which routes lead from which entrances to which functions, as they are configured. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from lambent.dev.doors import KINDS
from lambent.dev.model import Entrance, Function, Route
from lambent.dev.routes import patterns
from lambent.dev.routes.patterns import ANY, DEFAULT, LEAST, TYPED, Pattern, Rank
from lambent.dev.routes.sockets import is_behind
from lambent.errors import ConfigurationError

APIS = ("http", "http1", "rest")
"""Kinds of entrances with stages, base paths, stage variables and authorizers."""

TREES = ("url", *APIS)
"""Kinds whose routes have parameters; the others' are rules."""

OF_PATH = -1


class Binding(NamedTuple):
    """A route, read."""

    entrance: Entrance
    function: Function
    route: Route
    place: int
    """In the function's routes; OF_PATH for the one that its `path` stands for."""
    pattern: Pattern | None
    """None: for a `$default` route, and for a rule with wildcards."""

    @property
    def names(self) -> tuple[str, ...]:
        return self.pattern.names if self.pattern else ()

    @property
    def rank(self) -> tuple[Rank, bool]:
        """Sorts the most specific first, a method before ANY."""
        path = self.route.path
        rank = self.pattern.rank if self.pattern else LEAST if path == DEFAULT else patterns.wildcards_rank(path)
        return rank, self.route.method == ANY

    @property
    def key(self) -> str:
        """As AWS writes it."""
        path = patterns.aws(self.route.path)
        return path if path == DEFAULT else f"{self.route.method} {path}"


class UnknownEntrance(ConfigurationError):
    """A function wants to stand behind what is not there."""


def bind(functions: Iterable[Function], entrances: Iterable[Entrance]) -> list[Binding]:
    """All of HTTP requests; those of WebSocket APIs are in `sockets.py`. `ConfigurationError` if one is malformed."""
    declared = {entrance.name: entrance for entrance in entrances}
    return [binding for function in functions for binding in _of(function, declared)]


def _of(function: Function, declared: Mapping[str, Entrance]) -> Iterable[Binding]:
    if is_behind(function.door, declared):
        pass
    elif function.path:
        path = DEFAULT if patterns.is_everything(function.path) else function.path
        yield _binding(function, Route(function.door, ANY, path), OF_PATH, declared)
    elif not function.routes and function.door in declared and declared[function.door].kind == "url":
        yield _binding(function, Route(function.door, ANY, DEFAULT), OF_PATH, declared)
    for place, route in enumerate(function.routes):
        if is_behind(route.entrance, declared):
            continue
        yield _binding(function, route, place, declared)


def _binding(function: Function, route: Route, place: int, declared: Mapping[str, Entrance]) -> Binding:
    entrance = entrance_of(function, route.entrance, declared)
    try:
        pattern = read(route, entrance.kind)
    except ValueError as error:
        what = f"the path {function.path!r}" if place == OF_PATH else f"the route {route.method} {route.path}"
        raise ConfigurationError(f"{function.name}: {what} cannot be read: {error}.") from None
    return Binding(entrance, function, route, place, pattern)


def entrance_of(function: Function, name: str, declared: Mapping[str, Entrance]) -> Entrance:
    """The one of this name; or where that is a kind, the one there is without a table.

    Every function has a URL of its own, named after it. Of another kind there is one for all.
    """
    if name in declared:
        return declared[name]
    if name not in KINDS:
        known = ", ".join([*declared, *KINDS])
        raise UnknownEntrance(f"{function.name}: there is no door {name!r}. There are: {known}.")
    return Entrance(function.name if name == "url" else name, name)


def read(route: Route, kind: str) -> Pattern | None:
    """The route's path, by the rules of this kind of entrance. ValueError: what is wrong with it.

    Of a function's `path`, and so of any route, Starlette's convertors are read as well.
    """
    if route.path == DEFAULT:
        return None
    if kind not in TREES:
        if "{" not in route.path:
            return None
    elif {"*", "?"} & set(route.path):
        raise ValueError(f"* and ? are wildcards of listeners' rules; a door of the kind {kind} has {{name}}")
    return patterns.pattern(route.path)


def check(route: Route, kind: str) -> None:
    """ValueError: why an entrance of this kind has no such route, by AWS's syntax of route keys and rules."""
    if route.path == DEFAULT and kind == "rest":
        raise ValueError("a REST API has no $default; that is ANY / and ANY /{proxy+}")
    if (route.priority is not None or route.host) and kind in TREES:
        raise ValueError(f"priority and host are of listeners' rules, which a door of the kind {kind} has not")
    if route.response:
        raise ValueError("only a WebSocket API has route responses")
    pattern = read(route, kind)
    if pattern is None:
        return
    if kind not in TREES:
        raise ValueError(f"the rules of a door of the kind {kind} have the wildcards * and ?, and no {{name}}")
    if route.path != patterns.aws(route.path) or any(each.kind == TYPED for each in pattern.segments):
        raise ValueError("on AWS, a parameter is the whole of a segment: {name}, or {name+} for the last one")
