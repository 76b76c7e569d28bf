"""Rules of a listener: of those that match, the one with the lowest priority. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import unquote

from lambent.dev.routes import patterns
from lambent.dev.routes.bindings import Binding
from lambent.dev.routes.patterns import ANY, DEFAULT
from lambent.dev.routes.tree import Hit

ANYWHERE = ""
"""Stands for the first segment where that may be any."""


class Rule(NamedTuple):
    """A condition on paths, methods and hosts."""

    binding: Binding
    path: re.Pattern[str]
    host: re.Pattern[str] | None

    def matches(self, path: str, method: str, host: str) -> bool:
        """Paths as they came, but decoded for those that are written with parameters."""
        if self.binding.route.method not in (ANY, method):
            return False
        if self.host is not None and not self.host.fullmatch(host):
            return False
        return bool(self.path.fullmatch(unquote(path) if self.binding.pattern else path))


class Rules:
    """Those of one entrance. They are kept by the first segment of their paths: most need not be looked at."""

    def __init__(self, bindings: Iterable[Binding]) -> None:
        ordered = sorted(bindings, key=order)
        first = {segment(binding) for binding in ordered}
        self._rules = {
            each: [rule(binding) for binding in ordered if segment(binding) in (each, ANYWHERE)]
            for each in (*first, ANYWHERE)
        }

    def candidates(self, path: str) -> list[Rule]:
        """Those that may match, the one that counts most first. `*`, of OPTIONS, has no segment."""
        _, _, rest = path.partition("/")
        return self._rules.get(rest.partition("/")[0], self._rules[ANYWHERE])

    def find(self, path: str, method: str, host: str) -> Hit | None:
        """The first one that matches."""
        found = (rule.binding for rule in self.candidates(path) if rule.matches(path, method, host))
        return next((Hit(binding, {}) for binding in found), None)


def order(binding: Binding) -> tuple[bool, int, object]:
    """By priority; without one behind those that have it, the most specific first."""
    priority = binding.route.priority
    return priority is None, priority or 0, binding.rank


def segment(binding: Binding) -> str:
    """The first one of the path, if it is literal."""
    first, slash, _ = binding.route.path.removeprefix("/").partition("/")
    literal = not re.search(r"[*?{%]", first) and (slash or not re.search(r"[*?]", binding.route.path))
    return first if literal and binding.route.path != DEFAULT else ANYWHERE


def rule(binding: Binding) -> Rule:
    route, everything = binding.route, re.compile(".*", re.DOTALL)
    written = binding.pattern.regex if binding.pattern else patterns.wildcards(route.path)
    host = re.compile(patterns.wildcards(route.host).pattern, re.IGNORECASE) if route.host else None
    return Rule(binding, everything if route.path == DEFAULT else written, host)
