"""Routes of an API, as a tree of segments: finding one costs as many steps as its path is long. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple
from urllib.parse import quote, unquote

from lambent.dev.routes.bindings import Binding
from lambent.dev.routes.patterns import ANY, CONVERTORS, GREEDY, LITERAL, MANY, ONE, Segment

SIMPLE = (GREEDY, CONVERTORS["path"])
"""Of a parameter that is all that is left of a path."""


class Hit(NamedTuple):
    """A route that takes a request."""

    binding: Binding
    parameters: dict[str, str]
    """Percent-encoded."""


class Node:
    """What can come after a beginning of a path."""

    __slots__ = ("literal", "methods", "one", "rest", "typed")

    def __init__(self) -> None:
        self.methods: dict[str, Binding] = {}
        """Of routes that end here."""
        self.literal: dict[str, Node] = {}
        self.typed: list[tuple[re.Pattern[str], Node]] = []
        self.one: Node | None = None
        self.rest: list[tuple[re.Pattern[str], dict[str, Binding]]] = []
        """Routes that take all that is left, the most specific first."""

    def child(self, segment: Segment) -> Node:
        """The node of a segment, made if there is none."""
        if segment.kind == LITERAL:
            return self.literal.setdefault(unquote(segment.text), Node())
        if segment.kind == ONE:
            self.one = self.one or Node()
            return self.one
        for regex, node in self.typed:
            if regex.pattern == segment.text:
                return node
        self.typed.append((re.compile(segment.text), Node()))
        return self.typed[-1][1]

    def remainder(self, segment: Segment) -> dict[str, Binding]:
        """The methods of a segment that is MANY."""
        for regex, methods in self.rest:
            if regex.pattern == segment.text:
                return methods
        self.rest.append((re.compile(segment.text, re.DOTALL), {}))
        self.rest.sort(key=lambda row: (row[0].pattern in SIMPLE, -len(row[0].pattern)))
        return self.rest[-1][1] if self.rest[-1][0].pattern == segment.text else self.remainder(segment)


class Tree:
    """Routes with methods. Literal segments go before typed ones, these before parameters, greedy ones come last.

    - `strict`: whether a greedy route is taken only if no other one matches, as in an HTTP API. Otherwise one resource
      is gone into after the other, as in a REST API: that `/x/{proxy+}` is there hides `/{a}/{b}` below `/x`.
    """

    def __init__(self, *, strict: bool = True) -> None:
        self._root = Node()
        self._default: dict[str, Binding] = {}
        self._strict = strict

    def add(self, binding: Binding) -> None:
        """Of several with the same key the first one counts."""
        self._methods(binding).setdefault(binding.route.method, binding)

    def find(self, path: str, method: str) -> Hit | None:
        """The route of this method, or of any, that fits the percent-encoded path best."""
        for methods, values in self.candidates(path):
            if binding := methods.get(method) or methods.get(ANY):
                return Hit(binding, dict(zip(binding.names, values, strict=False)))
        return None

    def candidates(self, path: str) -> Iterator[tuple[dict[str, Binding], list[str]]]:
        """The methods of each resource that the path fits, the best one first, with the values of its parameters."""
        segments = path.split("/")[1:]
        if self._strict:
            yield from self.visit(self._root, segments, [], ends=True, greedy=False)
            yield from self.visit(self._root, segments, [], ends=False, greedy=True)
        else:
            yield from self.visit(self._root, segments, [], ends=True, greedy=True)
        if self._default:
            yield self._default, []

    def visit(
        self, node: Node, segments: Sequence[str], values: list[str], *, ends: bool, greedy: bool
    ) -> Iterator[tuple[dict[str, Binding], list[str]]]:
        """What the node leads to: routes that end where the path does, greedy ones, or both."""
        if not segments:
            if ends and node.methods:
                yield node.methods, values
            return
        here, rest = segments[0], segments[1:]
        text = unquote(here) if "%" in here else here
        if (child := node.literal.get(text)) is not None:
            yield from self.visit(child, rest, values, ends=ends, greedy=greedy)
        for regex, child in node.typed:
            if match := regex.fullmatch(text):
                found = [*values, *map(quoted, match.groups())]
                yield from self.visit(child, rest, found, ends=ends, greedy=greedy)
        if node.one is not None and here:
            yield from self.visit(node.one, rest, [*values, here], ends=ends, greedy=greedy)
        if greedy and node.rest:
            left = "/".join(segments)
            for regex, methods in node.rest:
                if regex.pattern in SIMPLE:
                    if left or regex.pattern != GREEDY:
                        yield methods, [*values, left]
                elif match := regex.fullmatch(unquote(left)):
                    yield methods, [*values, *map(quoted, match.groups())]

    def _methods(self, binding: Binding) -> dict[str, Binding]:
        if binding.pattern is None:
            return self._default
        node = self._root
        for segment in binding.pattern.segments:
            if segment.kind == MANY:
                return node.remainder(segment)
            node = node.child(segment)
        return node.methods


def quoted(text: str) -> str:
    """As it may have been sent."""
    return quote(text, safe="/!$&'()*+,;=:@-._~")
