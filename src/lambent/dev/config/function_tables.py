"""One table of `[tool.lambent.functions]`, with the defaults of all, read into a Function."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from lambent.dev import variables
from lambent.dev.config import callables, tables
from lambent.dev.config.document import Document
from lambent.dev.config.toml_lines import Keys
from lambent.dev.doors import DOORS, KINDS, websocket_api
from lambent.dev.doors.model import Site, StreamingDoor
from lambent.dev.model import Asynchronous, Entrance, Function, MakeContext, MakeEvent, Route, Strategy
from lambent.dev.routes import bindings, patterns, sockets
from lambent.dev.strategies import STRATEGIES

TOOL = ("tool", "lambent")
FUNCTIONS = (*TOOL, "functions")
DEFAULTS = (*TOOL, "defaults")


@dataclass(frozen=True, slots=True)
class Shared:
    """What all functions of a project share."""

    document: Document
    app_dir: Path
    env: Mapping[str, str]
    """Over the shell's variables, under a function's own."""
    shell: Mapping[str, str]
    region: str
    """Empty: as the variables say."""
    defaults: Mapping[str, object]
    entrances: tuple[Entrance, ...] = ()


def read(name: str, own: object, shared: Shared) -> Function:
    """The function of this name. Call it within `callables.importing`. `ConfigurationError` points at a mistake."""
    return Table(name, own, shared).function()


def contradiction(function: Function, entrances: Iterable[Entrance] = ()) -> tuple[str, str] | None:
    """The key of a setting that does not go with the others, and why; None if there is none."""
    known = {entrance.name: entrance.kind for entrance in entrances}
    names = [function.door, *(route.entrance for route in function.routes)]
    if unknown := next((name for name in names if name not in (*known, *KINDS)), ""):
        key = "door" if unknown == function.door else "routes"
        return key, f"expected one of the doors {', '.join([*known, *KINDS])}, but got {unknown}"
    whole = [known.get(name, name) for name in names if not streams(known.get(name, name))]
    if function.stream and whole:
        doors = " or ".join(filter(streams, DOORS))
        return "stream", f"expected a door that streams, {doors}: on AWS, {whole[0]} takes replies whole"
    if known.get(function.door, function.door) == websocket_api.KIND and (wrong := sockets.misplaced(function)):
        return "path", f"{wrong}, but got {function.path}"
    if function.snapstart and function.concurrency > 1:
        return "concurrency", f"expected 1 with snapstart, as on AWS, but got {function.concurrency}"
    if function.warm > function.environments:
        return "warm", f"expected {function.environments} at most, as environments says, but got {function.warm}"
    return None


def streams(door: str) -> bool:
    return door in DOORS and isinstance(DOORS[door](Site("")), StreamingDoor)


def check_name(document: Document, keys: Keys) -> None:
    """Complain if the last key is no name of a function."""
    if not re.fullmatch(tables.FUNCTION_NAME, keys[-1]):
        raise document.error(keys, "expected a name of 1 to 64 letters, digits, hyphens and underscores")


def region(env: Mapping[str, str], shell: Mapping[str, str]) -> str:
    """As a function's own variables say, or else the shell's."""
    return variables.region(env if {"AWS_REGION", "AWS_DEFAULT_REGION"} & env.keys() else shell)


class Table:
    """A table and where it stands."""

    def __init__(self, name: str, own: object, shared: Shared) -> None:
        self._name = name
        self._shared = shared
        self._document = shared.document
        self._keys = (*FUNCTIONS, name)
        if not re.fullmatch(tables.FUNCTION_NAME, name):
            raise self._document.error(
                self._keys, "expected a name of 1 to 64 letters, digits, hyphens and underscores"
            )
        if not isinstance(own, dict):
            raise self._document.unexpected(self._keys, "a table", own)
        self._own = own
        self._table = self._document.convert(self._keys, merged(shared.defaults, own), tables.FunctionTable)

    def function(self) -> Function:
        table, shared = self._table, self._shared
        env = {**shared.env, **table.env}
        function = Function(
            self._name,
            table.handler,
            shared.app_dir,
            path=self._path(),
            door=table.door,
            routes=tuple(self._route(place, each) for place, each in enumerate(table.routes)),
            timeout=table.timeout,
            memory=table.memory,
            environments=table.environments,
            concurrency=table.concurrency,
            reserved_concurrency=table.reserved_concurrency,
            runtime=table.runtime,
            env=env,
            layers=tuple(self._document.folder(self._at("layers"), each) for each in table.layers),
            python=self._python(),
            stream=table.stream,
            snapstart=table.snapstart,
            freeze=table.freeze,
            warm=table.warm,
            idle_timeout=table.idle_timeout,
            cold_start=table.cold_start,
            strategy=self._strategy(),
            make_event=cast("MakeEvent | None", self._callable("event", table.event, "request", "function")),
            make_context=cast("MakeContext | None", self._callable("context", table.context, "request", "function")),
            asynchronous=self._asynchronous(),
            init_timeout=table.init_timeout,
            region=shared.region or region(env, shared.shell),
        )
        if against := contradiction(function, shared.entrances):
            raise self._document.error(self._at(against[0]), against[1])
        return function

    def _at(self, key: str) -> Keys:
        """Where the value of a key comes from."""
        inherited = key not in self._own and key in self._shared.defaults
        return (*(DEFAULTS if inherited else self._keys), key)

    def _path(self) -> str:
        if self._table.path:
            try:
                patterns.pattern(self._table.path)
            except ValueError as error:
                expected = "a path such as /orders, /orders/{id} or /files/{proxy+}"
                came = f"got {self._table.path!r}: {error}"
                raise self._document.error(self._at("path"), f"expected {expected}, but {came}") from None
        return self._table.path

    def _route(self, place: int, told: object) -> Route:
        """`"GET /items/{id}"`, or a table with that and more."""
        keys = self._at("routes")
        table = self._document.convert(keys, {"route": told} if isinstance(told, str) else told, tables.RouteTable)
        entrance = table.door or self._table.door
        socket = self._kind(entrance) == websocket_api.KIND
        try:
            return self._checked(table, entrance, socket)
        except ValueError as error:
            forms = (
                '"$connect", "$default" or "join"'
                if socket
                else '"GET /items/{id}", "ANY /files/{proxy+}" or "$default"'
            )
            came = f"got {table.route!r}, the {ordinal(place)}: {error}"
            raise self._document.error(keys, f"expected a route such as {forms}, but {came}") from None

    def _checked(self, table: tables.RouteTable, entrance: str, socket: bool) -> Route:
        """ValueError: what is wrong with it."""
        method, path = ("", table.route) if socket else patterns.key(table.route)
        route = Route(
            entrance,
            method,
            path,
            authorizer=table.authorizer,
            scopes=table.scopes,
            api_key=table.api_key,
            priority=table.priority,
            host=table.host,
            response=table.route_response,
        )
        if socket:
            sockets.check(route)
        elif (kind := self._kind(entrance)) in DOORS:
            bindings.check(route, kind)
        return route

    def _kind(self, entrance: str) -> str:
        """Of an entrance; of one that there is not is complained later."""
        return next((each.kind for each in self._shared.entrances if each.name == entrance), entrance)

    def _python(self) -> str:
        """The interpreter: a file, or a command on the PATH."""
        given = self._table.python
        seen = str(self._document.path(given)) if Path(given).name != given else given
        found = shutil.which(seen, path=self._shared.shell.get("PATH"))
        if not found:
            raise self._document.unexpected(self._at("python"), "a Python interpreter", seen)
        return found

    def _strategy(self) -> Strategy | None:
        name = self._table.strategy
        if name in STRATEGIES:
            return STRATEGIES[name]
        return cast("Strategy | None", self._callable("strategy", name, "environments"))

    def _callable(self, key: str, name: str, *arguments: str) -> Callable[..., object] | None:
        if not name:
            return None
        try:
            return callables.load(name, arguments)
        except ValueError as error:
            raise self._document.error(self._at(key), str(error)) from None

    def _asynchronous(self) -> Asynchronous:
        table = self._table.asynchronous
        return Asynchronous(
            retries=table.retries,
            max_age=table.max_age,
            on_success=self._destination(table.on_success),
            on_failure=self._destination(table.on_failure),
            dead_letter=self._destination(table.dead_letter),
        )

    def _destination(self, destination: str) -> str:
        kind, _, where = destination.partition(":")
        return f"file:{self._document.path(where)}" if kind == "file" else destination


def ordinal(place: int) -> str:
    return {0: "first", 1: "second", 2: "third"}.get(place, f"{place + 1}th")


def merged(defaults: Mapping[str, object], own: Mapping[str, object]) -> dict[str, object]:
    """The table with what it does not say by itself, key by key in the table `asynchronous`, too."""
    usual, particular = defaults.get("asynchronous"), own.get("asynchronous")
    if isinstance(usual, dict) and isinstance(particular, dict):
        return {**defaults, **own, "asynchronous": {**usual, **particular}}
    return {**defaults, **own}
