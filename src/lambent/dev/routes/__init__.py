"""Which function a request is for, and through which entrance it comes. Pure.

    patterns.py    paths as they are written
    bindings.py    routes, entrances and functions, put together
    tree.py        the routes of an API
    rules.py       the rules of a load balancer
    doubts.py      routes that contradict each other, or that nothing ever reaches
    sockets.py     WebSocket APIs, and which function a message is for; by selection.py

All entrances share one port. Which of them a request is for:

| `Host`           | path                  | entrance                                                                |
|------------------|-----------------------|-------------------------------------------------------------------------|
| `NAME.localhost` | any                   | NAME alone; or the function NAME, behind its URL                        |
| any other        | `/base/…`             | those with this base path, the longest one first, and no others         |
|                  | `/stage/…`            | those with this stage, if they have a route for the rest                |
|                  | any                   | those without a base path; of their routes, the most specific one       |
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple
from urllib.parse import unquote

from lambent.dev.doors.fields import encoded
from lambent.dev.doors.model import Matched
from lambent.dev.doors.websocket_api import KIND
from lambent.dev.model import Entrance, Function, Route
from lambent.dev.routes import doubts, patterns
from lambent.dev.routes.bindings import APIS, TREES, Binding, bind
from lambent.dev.routes.patterns import DEFAULT, pattern
from lambent.dev.routes.rules import Rules
from lambent.dev.routes.tree import Hit, Tree, quoted
from lambent.errors import ConfigurationError

__all__ = ["Found", "Routes", "pattern"]

LOCAL = ".localhost"


class Found(NamedTuple):
    """Where a request goes."""

    entrance: Entrance
    matched: Matched
    function: Function
    route: Route


class Served:
    """Entrances that are told apart by their routes alone: one; or all function URLs that have no table."""

    def __init__(self, entrance: Entrance, bindings: Sequence[Binding]) -> None:
        self.entrance = entrance
        self.base_path = entrance.base_path.rstrip("/")
        self._tree = Tree(strict=entrance.kind != "rest")
        self._rules = Rules(bindings if entrance.kind not in TREES else ())
        for binding in bindings if entrance.kind in TREES else ():
            self._tree.add(binding)

    @property
    def prefixes(self) -> list[str]:
        """What paths begin with that are meant for it; empty for anything."""
        entrance, has_stage = self.entrance, self.entrance.stage not in ("", DEFAULT)
        stage = [f"/{entrance.stage}"] if has_stage and entrance.kind in APIS else []
        return [self.base_path, *stage]

    def find(self, path: str, method: str, host: str) -> Hit | None:
        """`path` without the prefix, percent-encoded."""
        if self.entrance.kind in TREES:
            return self._tree.find(self._normal(path), method)
        return self._rules.find(path or "/", method, host)

    def methods(self, path: str) -> list[str]:
        """Of the resource that fits the path best."""
        return next((list(methods) for methods, _ in self._tree.candidates(self._normal(path))), [])

    def _normal(self, path: str) -> str:
        """A REST API's resources have no slash at the end, and one at the beginning."""
        return "/" + path.strip("/") if self.entrance.kind == "rest" else path or "/"


class Place:
    """What answers on one host.

    `refuses` says that a request goes nowhere; None: the first one that was asked for a route.
    """

    def __init__(self, served: Iterable[Served], refuses: Entrance | None = None) -> None:
        self.refuses = refuses
        self._by_prefix: defaultdict[str, list[Served]] = defaultdict(list)
        for each in served:
            for prefix in each.prefixes:
                self._by_prefix[prefix].append(each)

    def entrances(self, path: str) -> Iterator[tuple[str, list[Served]]]:
        """Those that the path may be meant for, with the prefix, the longest first."""
        for prefix in beginnings(path) if len(self._by_prefix) > 1 or "" not in self._by_prefix else [""]:
            if served := self._by_prefix.get(prefix):
                yield prefix, served


class Routes:
    """The routes of all functions. `ConfigurationError` if one is malformed, or two are the same.

    With `first_match` it is the first function whose path matches, in the order given, and what `entrances` and routes
    say is nothing.
    """

    def __init__(
        self, functions: Iterable[Function], entrances: Iterable[Entrance] = (), *, first_match: bool = False
    ) -> None:
        functions, entrances = list(functions), list(entrances)
        bound = bind(functions, entrances)
        if not first_match and (conflict := doubts.conflict(bound)):
            raise ConfigurationError(f"{conflict.message}.")
        self._first_match = [(pattern(each.path), each) for each in functions if first_match and each.path]
        served = list(group(bound, entrances))
        self._everywhere = Place(served)
        self._alone = {name: Place([each], each.entrance) for name, each in alone(bound, served).items()}
        self.doubts: tuple[str, ...] = () if first_match else tuple(doubts.unreachable(bound))
        """What to tell people: routes that nothing reaches."""

    def find(self, method: str, raw_path: bytes, host: str = "") -> Found | Entrance | None:
        """Where a request goes; or else the entrance that is to say that it goes nowhere, if there is one.

        `host` without a port, as the client spelled it.
        """
        path = encoded(raw_path)
        if self._first_match:
            return self._first(path)
        place = self._place(host)
        refuses = place.refuses
        for prefix, served in place.entrances(path):
            if hits := [hit for each in served if (hit := each.find(path[len(prefix) :], method, host))]:
                return found(hits[0] if len(hits) == 1 else min(hits, key=lambda hit: hit.binding.rank), prefix)
            if mapped := next((each.entrance for each in served if prefix and prefix == each.base_path), None):
                return mapped
            refuses = refuses or next((each.entrance for each in served if each.entrance.kind != "url"), None)
        return refuses

    def methods(self, entrance: Entrance, raw_path: bytes, host: str = "") -> list[str]:
        """Of the resource of this entrance that the path fits best; none if it fits none."""
        path = encoded(raw_path)
        places = self._place(host).entrances(path)
        found = ((prefix, each) for prefix, served in places for each in served if each.entrance == entrance)
        return next(filter(None, (each.methods(path[len(prefix) :]) for prefix, each in found)), [])

    def _place(self, host: str) -> Place:
        name = host.lower().rstrip(".").removesuffix(LOCAL)
        return self._alone.get(name, self._everywhere) if self._alone and name != host else self._everywhere

    def _first(self, path: str) -> Found | None:
        for read, function in self._first_match:
            if match := read.regex.fullmatch(unquote(path)):
                parameters = {name: quoted(text) for name, text in zip(read.names, match.groups(), strict=True)}
                route = Route("http", patterns.ANY, function.path)
                key = f"{route.method} {patterns.aws(route.path)}"
                return Found(Entrance("http", function.door), Matched(key, parameters=parameters), function, route)
        return None


def group(bound: Iterable[Binding], entrances: Iterable[Entrance]) -> Iterable[Served]:
    """Those with a table first; function URLs without one together."""
    names = [entrance.name for entrance in entrances]
    rows: dict[tuple[str, str], list[Binding]] = {}
    for binding in bound:
        entrance = binding.entrance
        shared = entrance.kind == "url" and entrance.name not in names
        rows.setdefault(("", "url") if shared else (entrance.name, entrance.kind), []).append(binding)
    declared = {(entrance.name, entrance.kind): entrance for entrance in entrances if entrance.kind != KIND}
    for key in (*declared, *(key for key in rows if key not in declared)):
        entrance = declared.get(key) or (Entrance("", "url") if key == ("", "url") else rows[key][0].entrance)
        yield Served(entrance, rows.get(key, ()))


def alone(bound: Iterable[Binding], served: Iterable[Served]) -> dict[str, Served]:
    """What is the only one to answer on a host of its own, by the name of that."""
    urls = {
        binding.function.name.lower(): Served(binding.entrance, [everything(binding)])
        for binding in bound
        if binding.entrance.kind == "url"
    }
    return urls | {each.entrance.name: each for each in served if each.entrance.name}


def everything(binding: Binding) -> Binding:
    """A function URL has no routes: each request is for its function."""
    return binding._replace(route=binding.route._replace(method=patterns.ANY, path=DEFAULT), pattern=None)


def beginnings(path: str) -> Iterator[str]:
    """The path, shorter by a segment each time, down to nothing."""
    path = path.rstrip("/")
    while path:
        yield path
        path = path.rpartition("/")[0]
    yield ""


def found(hit: Hit, prefix: str) -> Found:
    binding, parameters = hit
    entrance, path = binding.entrance, binding.route.path
    is_rule_or_default = path == DEFAULT or entrance.kind not in APIS
    matched = Matched(
        DEFAULT if is_rule_or_default else binding.key,
        "" if is_rule_or_default else patterns.aws(path),
        {name: text.rstrip("/") for name, text in parameters.items()} if entrance.kind == "rest" else parameters,
        entrance.stage,
        prefix,
        bool(prefix) and prefix == entrance.base_path.rstrip("/"),
        entrance.variables,
    )
    return Found(entrance, matched, binding.function, binding.route)
