"""Paths as they are written in routes, read. Pure.

A path is written with parameters in braces: AWS's `{id}` is one segment and `{proxy+}` one or more, at the end only;
Starlette's `{id:int}`, `{x:float}`, `{x:uuid}` and `{x:path}` are what they say, the last one anything or nothing.

    /orders/{id}        /orders/7, but not /orders, /orders/ or /orders/7/items
    /files/{proxy+}     /files/a and /files/a/b, but not /files and /files/

A listener's rule has `*`, anything or nothing, and `?`, one character, anywhere in it.

Source: API Gateway Developer Guide, "Create routes for HTTP APIs in API Gateway"; starlette.io, "Routing"; User Guide
for Application Load Balancers, "Condition types for listener rules".
"""

from __future__ import annotations

import re
from typing import NamedTuple

DEFAULT = "$default"
"""The path of a route that takes what no other one matches."""

ANY = "ANY"
METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")

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

Rank = tuple[int, tuple[int, ...], int]
"""Sorts the most specific first: without greedy parameters, then literal as far as possible, then by its text."""

LEAST: Rank = (2, (), 0)
"""Of a `$default` route."""


class Segment(NamedTuple):
    """A piece of a path between two slashes; the last one, if it is MANY, is all that is left."""

    kind: int
    text: str
    """What it is, if LITERAL; a regular expression, if TYPED or MANY."""


class Pattern(NamedTuple):
    """A path with parameters, read."""

    regex: re.Pattern[str]
    names: tuple[str, ...]
    """Of the parameters, in order."""
    rank: Rank
    segments: tuple[Segment, ...]


def key(text: str) -> tuple[str, str]:
    """`GET /items/{id}` → method and path; `$default` → `ANY` and itself. ValueError: what is wrong with it."""
    if text == DEFAULT:
        return ANY, DEFAULT
    method, space, path = text.partition(" ")
    if not space:
        raise ValueError("it has to be a method, a space and a path, or $default")
    if method not in (ANY, *METHODS):
        raise ValueError(f"{method!r} is none of the methods {', '.join((ANY, *METHODS))}")
    if not path.startswith("/"):
        raise ValueError("its path has to begin with /")
    return method, path


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
    regex = re.compile(_regex(path), re.DOTALL)
    ranks = tuple(map(_rank, path.split("/")[1:]))
    rank = (int(MANY in ranks), ranks, -sum(map(len, texts)))
    return Pattern(regex, tuple(names), rank, _segments(path, ranks))


def is_everything(path: str) -> bool:
    """Whether it is one parameter of any length, written alone: as a function's path, that is every path."""
    if path == DEFAULT:
        return True
    return bool(re.fullmatch(r"/\{[^{}]*(\+|:path)\}", path))


def aws(path: str) -> str:
    """As AWS would write it: Starlette's `{id:int}` as `{id}`, `{rest:path}` at the end as `{rest+}`."""
    path = re.sub(r"/\{([^{}:]+):path\}$", r"/{\1+}", path)
    return re.sub(r"\{([^{}:]+):[a-z]+\}", r"{\1}", path)


def wildcards(text: str) -> re.Pattern[str]:
    """`*` is anything or nothing, `?` one character."""
    pieces = re.split(r"([*?])", text)
    regex = "".join({"*": ".*", "?": "."}.get(piece, re.escape(piece)) for piece in pieces)
    return re.compile(regex, re.DOTALL)


def wildcards_rank(text: str) -> Rank:
    """As of paths with parameters, the literal beginning of a segment counting for nothing."""
    if text in ("*", "/*"):
        return 2, (), 0
    ranks = tuple(MANY if "*" in each else ONE if "?" in each else LITERAL for each in text.split("/")[1:])
    return int(MANY in ranks), ranks, -len(re.sub(r"[*?]", "", text))


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


def _regex(text: str) -> str:
    """Of a path, or a piece of one."""
    pieces = PARAMETER.split(text)
    return "".join(_parameter(piece)[1] if odd % 2 else re.escape(piece) for odd, piece in enumerate(pieces))


def _rank(segment: str) -> int:
    pieces = PARAMETER.split(segment)
    kinds = [_parameter(piece)[1] for piece in pieces[1::2]]
    if not kinds:
        return LITERAL
    if GREEDY in kinds or CONVERTORS["path"] in kinds:
        return MANY
    alone = len(kinds) == 1 and not any(pieces[::2])
    return ONE if alone and kinds[0] == CONVERTORS["str"] else TYPED


def _segments(path: str, ranks: tuple[int, ...]) -> tuple[Segment, ...]:
    pieces = path.split("/")[1:]
    found: list[Segment] = []
    for index, (piece, kind) in enumerate(zip(pieces, ranks, strict=True)):
        if kind == MANY:
            return (*found, Segment(MANY, _regex("/".join(pieces[index:]))))
        found.append(Segment(kind, _regex(piece) if kind == TYPED else "" if kind == ONE else piece))
    return tuple(found)
