"""Routes that contradict each other, which is a mistake, and routes that nothing ever reaches, which is told. Pure."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from lambent.dev.routes import patterns
from lambent.dev.routes.bindings import OF_PATH, TREES, Binding
from lambent.dev.routes.patterns import ANY, DEFAULT
from lambent.dev.routes.rules import order


class Conflict(NamedTuple):
    """Two routes that cannot both be there."""

    second: Binding
    message: str


def conflict(bindings: Iterable[Binding]) -> Conflict | None:
    """The first two that are the same, or that AWS would not have beside each other; None if there are none."""
    known: dict[object, Binding] = {}
    variables: dict[object, tuple[str, Binding]] = {}
    for binding in bindings:
        other = known.setdefault(identity(binding), binding)
        if other is not binding:
            return Conflict(binding, same(other, binding))
        for parent, name in siblings(binding):
            before, other = variables.setdefault(parent, (name, binding))
            if before != name:
                return Conflict(binding, two_names(other, binding, before, name))
    return None


def unreachable(bindings: Sequence[Binding]) -> Iterator[str]:
    """A line for each that is never taken, or on no host but its entrance's own."""
    yield from behind_rules(bindings)
    yield from behind_entrances(bindings)


def identity(binding: Binding) -> object:
    """Equal for two routes of the same requests, whatever their parameters are called."""
    entrance, route = binding.entrance, binding.route
    priority = route.priority if entrance.kind not in TREES else None
    name = "" if entrance.kind == "url" and entrance.name == binding.function.name else entrance.name
    return name, entrance.kind, shape(binding), route.method, route.host.lower(), priority


def shape(binding: Binding) -> str:
    return binding.pattern.regex.pattern if binding.pattern else binding.route.path


def siblings(binding: Binding) -> Iterator[tuple[object, str]]:
    """What is above each variable of a REST API's resource, and its name: there can be one below each."""
    if binding.entrance.kind != "rest" or binding.pattern is None:
        return
    pieces = patterns.aws(binding.route.path).split("/")
    for index, piece in enumerate(pieces):
        if piece.startswith("{") and not piece.endswith("+}"):
            yield (binding.entrance.name, *(re.sub(r"\{.*\}", "{}", each) for each in pieces[:index])), piece


def same(first: Binding, second: Binding) -> str:
    one, two = first.function.name, second.function.name
    if one == two:
        return f"{one}: its route {second.key} is there twice. Leave one of them out"
    if first.place == second.place == OF_PATH:
        both = f"{one} and {two}: their paths {first.function.path} and {second.function.path}"
        return f"{both} match the same requests. Give one of them another path"
    both = f"{one} and {two}: their routes {first.key} and {second.key} of the door {second.entrance.name}"
    return f"{both} match the same requests. Change one of them, or put it behind another door"


def two_names(first: Binding, second: Binding, before: str, name: str) -> str:
    both = f"{first.function.name} and {second.function.name}: their routes {first.key} and {second.key}"
    return f"{both} call the same segment {before} and {name}. A REST API has one name for it"


def behind_rules(bindings: Sequence[Binding]) -> Iterator[str]:
    """Rules that come after one that takes all they would."""
    rules: defaultdict[str, list[Binding]] = defaultdict(list)
    for binding in sorted((each for each in bindings if each.entrance.kind not in TREES), key=order):
        for before in rules[binding.entrance.name]:
            if covers(before, binding):
                yield f"{said(binding)} is never reached: {before.key} of {before.function.name} comes before it."
                break
        rules[binding.entrance.name].append(binding)


def covers(first: Binding, second: Binding) -> bool:
    """Whether one rule takes whatever another one would; not found out for all that are."""
    one, two = first.route, second.route
    if one.method not in (ANY, two.method) or (one.host and one.host.lower() != two.host.lower()):
        return False
    if one.path in (DEFAULT, "*", "/*") or one.path == two.path:
        return True
    if "?" in one.path or first.pattern or second.pattern or two.path == DEFAULT:
        return False
    return bool(patterns.wildcards(one.path).fullmatch(two.path))


def behind_entrances(bindings: Sequence[Binding]) -> Iterator[str]:
    """Routes of one entrance that another one has as well, both without a base path."""
    known: dict[object, Binding] = {}
    for binding in bindings:
        if binding.entrance.base_path:
            continue
        other = known.setdefault((shape(binding), binding.route.method), binding)
        if other.entrance.name != binding.entrance.name:
            first, own = other.entrance.name, f"{binding.entrance.name}.localhost"
            why = f"on other hosts the door {first} has the same route, of {other.function.name}"
            yield f"{said(binding)} is reached on the host {own} only: {why}."


def said(binding: Binding) -> str:
    return f"{binding.function.name}: the route {binding.key} of the door {binding.entrance.name}"
