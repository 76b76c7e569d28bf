"""Which WebSocket API a handshake is for, and which function a message. Pure.

A WebSocket API has no paths, but an address:

| `Host`           | path                         | API                                                        |
|------------------|------------------------------|------------------------------------------------------------|
| `NAME.localhost` | `/`, `/STAGE`, its base path | NAME alone                                                 |
| any other        | `/base/path`                 | the one with this base path                                |
|                  | `/STAGE`                     | the first one with this stage, of those without a base path |

Its routes are told apart by keys: `$connect`, `$disconnect`, `$default`, and those that messages name. A function that
names the API as its door, and no routes of it, has these three.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from lambent.dev.doors.model import Site
from lambent.dev.doors.websocket_api import CONNECT, DEFAULT, DISCONNECT, KIND, STAGE
from lambent.dev.model import Entrance, Function, Route
from lambent.dev.routes import selection
from lambent.dev.routes.patterns import is_everything
from lambent.errors import ConfigurationError

LIFE = (CONNECT, DEFAULT, DISCONNECT)
RESERVED = frozenset({CONNECT, DISCONNECT})
"""Keys that no message takes, whatever it says."""
KEY_LENGTH = 128
LOCAL = ".localhost"


class Target(NamedTuple):
    """What stands behind a key."""

    function: Function
    route: Route


class API(NamedTuple):
    """One WebSocket API."""

    entrance: Entrance
    targets: Mapping[str, Target]

    @property
    def stage(self) -> str:
        return self.entrance.stage or STAGE

    @property
    def base_path(self) -> str:
        return self.entrance.base_path.rstrip("/")

    @property
    def path(self) -> str:
        """Where it is found on any host."""
        return self.base_path or f"/{self.stage}"

    @property
    def site(self) -> Site:
        """The same one whichever function is asked."""
        function = next(iter(self.targets.values())).function
        return Site(function.name, function.region, function.account, self.entrance.name)

    def select(self, message: str) -> tuple[str, Target | None]:
        """The key that a message takes, and what is behind it."""
        key = selection.selected(selection.read(self.entrance.selection), message)
        if key is None or key in RESERVED or key not in self.targets:
            key = DEFAULT
        return key, self.targets.get(key)


class Twice(NamedTuple):
    """Two routes that cannot both be there."""

    function: str
    key: str
    """Of the function's table."""
    message: str


class SocketRoutes:
    """All WebSocket APIs that have routes. `ConfigurationError` for two routes that are the same."""

    def __init__(self, functions: Iterable[Function] = (), entrances: Iterable[Entrance] = ()) -> None:
        functions, declared = list(functions), {entrance.name: entrance for entrance in entrances}
        if both := twice(functions, declared.values()):
            raise ConfigurationError(f"{both.message}.")
        found: dict[str, dict[str, Target]] = {name: {} for name, each in declared.items() if each.kind == KIND}
        for function in functions:
            for route in routes_of(function, declared):
                found.setdefault(route.entrance, {})[route.path] = Target(function, route)
        self.apis = tuple(API(declared.get(name, Entrance(name, KIND)), each) for name, each in found.items() if each)
        self._by_name = {api.entrance.name: api for api in self.apis}

    def __bool__(self) -> bool:
        return bool(self.apis)

    def named(self, name: str) -> API | None:
        return self._by_name.get(name)

    def find(self, path: str, host: str) -> API | None:
        """The one at this address; `host` without a port."""
        path = path.rstrip("/")
        if (alone := self.alone(host)) is not None:
            return alone if path in ("", f"/{alone.stage}", alone.base_path) else None
        by_base_path = (api for api in self.apis if api.base_path and api.base_path == path)
        by_stage = (api for api in self.apis if not api.base_path and f"/{api.stage}" == path)
        return next(by_base_path, None) or next(by_stage, None)

    def alone(self, host: str) -> API | None:
        """The only one to answer on this host."""
        name = host.lower().rstrip(".")
        return self._by_name.get(name.removesuffix(LOCAL)) if name.endswith(LOCAL) else None

    @property
    def doubts(self) -> Iterator[str]:
        """Lines for people: of APIs that cannot be told apart by their addresses."""
        known: dict[str, str] = {}
        for api in self.apis:
            name = api.entrance.name
            if (first := known.setdefault(api.path, name)) != name:
                why = f"on other hosts {api.path} is that of {first}. Give it another stage, or a base path"
                yield f"The WebSocket API {name} is reached on the host {name}{LOCAL} only: {why}."


def is_behind(entrance: str, declared: Mapping[str, Entrance]) -> bool:
    """Whether the door of this name, or kind, is a WebSocket API."""
    return declared[entrance].kind == KIND if entrance in declared else entrance == KIND


def routes_of(function: Function, declared: Mapping[str, Entrance]) -> Iterator[Route]:
    """Those of WebSocket APIs."""
    own = [route for route in function.routes if is_behind(route.entrance, declared)]
    if is_behind(function.door, declared) and all(route.entrance != function.door for route in own):
        yield from (Route(function.door, "", key) for key in LIFE)
    yield from own


def twice(functions: Iterable[Function], entrances: Iterable[Entrance]) -> Twice | None:
    """The first two that are the same; None if there are none."""
    declared = {entrance.name: entrance for entrance in entrances}
    known: dict[tuple[str, str], Function] = {}
    for function in functions:
        for route in routes_of(function, declared):
            other = known.setdefault((route.entrance, route.path), function)
            if other is not function:
                both = f"{other.name} and {function.name}: both have the route {route.path} of the door"
                what = f"{both} {route.entrance}. Change one of them, or put it behind another door"
                return Twice(function.name, "routes" if function.routes else "door", what)
        keys = [(route.entrance, route.path) for route in routes_of(function, declared)]
        if repeated := next((key for key in keys if keys.count(key) > 1), None):
            return Twice(function.name, "routes", f"{function.name}: its route {repeated[1]} is there twice")
    return None


def key(text: str) -> str:
    """A route key. ValueError: what is wrong with it."""
    method, _, path = text.partition(" ")
    if path.startswith("/") or text.startswith("/"):
        raise ValueError(f"API Gateway has no paths for WebSockets, but {path or method!r} is one")
    if not 0 < len(text) <= KEY_LENGTH:
        raise ValueError(f"it has to have 1 to {KEY_LENGTH} characters")
    if text.startswith("$") and text not in LIFE:
        raise ValueError(f"of keys that begin with a dollar there are {', '.join(LIFE)}")
    return text


def check(route: Route) -> None:
    """ValueError: why a WebSocket API has no such route."""
    key(route.path)
    if route.priority is not None or route.host:
        raise ValueError("priority and host are of listeners' rules, which a WebSocket API has not")
    if route.authorizer and route.path != CONNECT:
        raise ValueError("on AWS, only $connect has an authorizer: it decides once for the whole connection")
    if route.api_key and route.path != CONNECT:
        raise ValueError("on AWS, only $connect asks for an API key: messages have no headers")
    if route.response and route.path in RESERVED:
        raise ValueError("what answers $connect and $disconnect is never sent to the client")


def misplaced(function: Function) -> str:
    """What is wrong with the path of a function behind a WebSocket API; empty if nothing is."""
    if not function.path or is_everything(function.path):
        return ""
    return (
        "expected none: API Gateway has no paths for WebSockets; the one that the app sees is Lambent's websocket_path"
    )
