"""Which function a request's path belongs to. Pure.

A path is written with parameters in braces: AWS's `{id}` is one segment and `{proxy+}` one or more, at the end only;
Starlette's `{id:int}`, `{x:float}`, `{x:uuid}` and `{x:path}` are what they say, the last one anything or nothing.

    /orders/{id}        /orders/7, but not /orders, /orders/ or /orders/7/items
    /files/{proxy+}     /files/a and /files/a/b, but not /files and /files/
    /{proxy+}           everything, `/` too: on AWS that takes two routes

Source: API Gateway Developer Guide, "Create routes for HTTP APIs in API Gateway"; starlette.io, "Routing".
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from lambent.dev.model import Function
from lambent.errors import ConfigurationError

CONVERTORS = {
    "str": r"([^/]+)",
    "path": r"(.*)",
    "int": r"([0-9]+)",
    "float": r"([0-9]+(?:\.[0-9]+)?)",
    "uuid": r"([0-9a-fA-F]{8}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{12})",
}
GREEDY = r"(.+)"
NAME = re.compile(r"[A-Za-z0-9_.-]+")
PARAMETER = re.compile(r"(\{[^{}]*\})")

LITERAL, TYPED, ONE, MANY = range(4)
"""What a segment can be, the most specific first. TYPED: with a convertor, or with text beside its parameter."""


class Pattern(NamedTuple):
    """A path with parameters, read."""

    regex: re.Pattern[str]
    names: tuple[str, ...]
    """Of the parameters, in order."""
    greedy: str
    """The name of AWS's greedy one among them, or empty."""
    rank: tuple[bool, tuple[int, ...], int]
    """Sorts the most specific pattern first: without greedy parameters, then literal as far as possible."""


class Route(NamedTuple):
    """Where a request goes."""

    function: Function
    parameters: dict[str, str]


class Routes:
    """The functions that have a path. `ConfigurationError` if one is malformed, or two are of the same paths.

    The most specific pattern wins, as in API Gateway: one without a greedy parameter before those with one, and among
    these the one that is literal for longer. With `first_match` it is the first one that matches, in the order given.
    """

    def __init__(self, functions: Iterable[Function], *, first_match: bool = False) -> None:
        routed = [function for function in functions if function.path]
        if not first_match and (both := conflict(routed)):
            raise ConfigurationError(f"{same_paths(*both)}.")
        rows = [(_pattern_of(function), function) for function in routed]
        self._rows = rows if first_match else sorted(rows, key=lambda row: row[0].rank)

    def find(self, path: str) -> Route | None:
        """Whose path it is, decoded once, as ASGI has it."""
        for pattern, function in self._rows:
            if match := pattern.regex.fullmatch(path):
                found = zip(pattern.names, match.groups(), strict=True)
                return Route(function, {name: text for name, text in found if text or name != pattern.greedy})
        return None


def pattern(path: str) -> Pattern:
    """Read a path with parameters. ValueError: what is wrong with it."""
    if not path.startswith("/"):
        raise ValueError("it has to begin with /")
    texts, parameters = PARAMETER.split(path)[::2], [_parameter(each) for each in PARAMETER.findall(path)]
    if re.search("[{}]", "".join(texts)):
        raise ValueError("a brace has no counterpart")
    names = [name for name, _ in parameters]
    if twice := [name for name in names if names.count(name) > 1]:
        raise ValueError(f"it has two parameters {twice[0]!r}")
    greedy = next((name for name, kind in parameters if kind == GREEDY), "")
    if greedy and not path.endswith(f"/{{{greedy}+}}"):
        raise ValueError(f"{{{greedy}+}} has to be the whole of the last segment")
    kinds = [CONVERTORS["path"] if path == f"/{{{greedy}+}}" else kind for _, kind in parameters]
    regex = "".join(re.escape(text) + kind for text, kind in zip(texts, [*kinds, ""], strict=True))
    ranks = tuple(map(_rank, path.split("/")[1:]))
    rank = (MANY in ranks, ranks, -sum(map(len, texts)))
    return Pattern(re.compile(regex, re.DOTALL), tuple(names), greedy, rank)


def conflict(functions: Iterable[Function]) -> tuple[Function, Function] | None:
    """The first two functions whose patterns match the same paths, whatever their parameters are called."""
    seen: dict[str, Function] = {}
    for function in functions:
        if function.path:
            other = seen.setdefault(_pattern_of(function).regex.pattern, function)
            if other is not function:
                return other, function
    return None


def same_paths(first: Function, second: Function) -> str:
    both = f"{first.name} and {second.name}: their paths {first.path} and {second.path}"
    return f"{both} match the same requests. Give one of them another path"


def _pattern_of(function: Function) -> Pattern:
    try:
        return pattern(function.path)
    except ValueError as error:
        raise ConfigurationError(f"{function.name}: the path {function.path!r} cannot be read: {error}.") from None


def _parameter(piece: str) -> tuple[str, str]:
    """`{name}`, `{name+}` or `{name:convertor}` → the name, and what it matches."""
    name, colon, convertor = piece[1:-1].partition(":")
    greedy = not colon and name.endswith("+")
    name = name.removesuffix("+") if greedy else name
    if not NAME.fullmatch(name):
        raise ValueError(f"{piece} is not a parameter such as {{id}}, {{proxy+}} or {{path:path}}")
    if greedy:
        return name, GREEDY
    if colon and convertor not in CONVERTORS:
        raise ValueError(f"{piece} has no convertor: after the colon may come {', '.join(CONVERTORS)}")
    return name, CONVERTORS[convertor or "str"]


def _rank(segment: str) -> int:
    pieces = PARAMETER.split(segment)
    kinds = [_parameter(piece)[1] for piece in pieces[1::2]]
    if not kinds:
        return LITERAL
    if GREEDY in kinds or CONVERTORS["path"] in kinds:
        return MANY
    alone = len(kinds) == 1 and not any(pieces[::2])
    return ONE if alone and kinds[0] == CONVERTORS["str"] else TYPED
