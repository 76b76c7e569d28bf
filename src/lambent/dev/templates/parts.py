"""What a file describes, as far as it has been read: functions, entrances, routes, sources. Pure.

Parts refer to each other by ARNs, names and ids, in any order; `Parts.joined` puts them together.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

from lambent.dev.model import Asynchronous, Authorizer, Cors, Entrance, Function, Route, Source
from lambent.dev.templates.tables import Notes

FUNCTION = re.compile(r":function:([A-Za-z0-9_-]+)")
NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
LAYER = re.compile(r":layer:([^:]+)(?::\d+)?$")


class Place(NamedTuple):
    """Where something stands, for notes."""

    notes: Notes
    line: int
    what: str

    def note(self, text: str) -> None:
        self.notes.add(self.line, f"{self.what}: {text}")


@dataclass
class FunctionPart:
    """A function that can run here."""

    name: str
    handler: str
    app_dir: Path
    place: Place
    settings: dict[str, object] = field(default_factory=dict)
    """More fields of Function."""
    layers: tuple[str, ...] = ()
    """ARNs."""
    asynchronous: dict[str, object] = field(default_factory=dict)
    """Fields of Asynchronous, destinations as ARNs."""
    stream: bool = False
    runtime: str = ""


@dataclass
class EntrancePart:
    """An API, a function URL, a load balancer."""

    id: str
    kind: str
    name: str
    place: Place
    stage: str = ""
    variables: dict[str, str] = field(default_factory=dict)
    base_path: str = ""
    cors: Cors | None = None
    authorizers: dict[str, Authorizer] = field(default_factory=dict)
    """By their ids; the function of each is its ARN, or its name."""
    default_authorizer: str = ""
    api_keys: dict[str, str] = field(default_factory=dict)
    api_key_source: str = "header"
    timeout: float | None = None
    selection: str = "$request.body.action"
    """Of routes, by a WebSocket API."""
    api_key: bool = False
    """Whether routes want one that do not say otherwise."""
    scopes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Of tokens, by authorizer, for routes that name none."""


class RoutePart(NamedTuple):
    """A way from an entrance to a function."""

    entrance: str
    """Its id."""
    method: str
    path: str
    function: str
    """Its ARN, or its name."""
    place: Place
    authorizer: str = ""
    scopes: tuple[str, ...] = ()
    api_key: bool = False
    payload: str = ""
    """`1.0`, `2.0`; empty for the entrance's own."""
    priority: int | None = None
    host: str = ""
    response: bool = False
    """Whether what the function replies goes back to a WebSocket."""


class Joined(NamedTuple):
    """All of it, as the local Lambda takes it."""

    functions: tuple[Function, ...]
    entrances: tuple[Entrance, ...]
    sources: tuple[Source, ...]


class Parts:
    """Filled by readers; `joined` at the end."""

    def __init__(self) -> None:
        self.functions: dict[str, FunctionPart] = {}
        """By name."""
        self.left_out: set[str] = set()
        """Names of functions that cannot run here, of which that was told."""
        self.entrances: dict[str, EntrancePart] = {}
        self.routes: list[RoutePart] = []
        self.sources: list[tuple[Source, Place]] = []
        """The function of each is its ARN, or its name."""
        self.layers: dict[str, Path] = {}
        """By name."""
        self.layers_left_out: set[str] = set()
        """Names of layers whose content is not in a folder here, of which that was told."""

    def function(self, reference: str) -> FunctionPart | None:
        """By ARN, by the URI of an integration, or by name."""
        return self.functions.get(function_name(reference))

    def knows(self, reference: str, place: Place) -> bool:
        """Whether the function runs here; if not, that is told, unless it was before."""
        name = function_name(reference)
        if name in self.functions:
            return True
        if name not in self.left_out:
            place.note(f"expected a function of this file, but got {reference or 'none that is known'}; left out.")
        return False

    def joined(self, base: Function, exists: Mapping[Path, bool]) -> Joined:
        """With `base` for what no file says; functions and layers whose folders are not there are left out."""
        for name, part in list(self.functions.items()):
            if not exists.get(part.app_dir, True):
                part.place.note(f"there is no folder {part.app_dir}; the function is left out.")
                self.left_out.add(name)
                del self.functions[name]
        routes = [each for each in self.routes if self.knows(each.function, each.place)]
        names = entrance_names(self._used(routes), self.functions)
        for (key, kind), name in names.items():
            if kind == "http1":
                self.entrances[key].place.note(f"its routes with the payload format 1.0 are the door {name}.")
        by_function: dict[str, list[Route]] = {}
        for each in routes:
            by_function.setdefault(function_name(each.function), []).append(self._route(each, names))
        functions = tuple(
            self._function(part, base, tuple(dict.fromkeys(by_function.get(name, ()))), exists)
            for name, part in self.functions.items()
        )
        entrances = tuple(self._entrance(self.entrances[key], kind, name) for (key, kind), name in names.items())
        sources = tuple(
            replace(source, name=source_name(source.name), function=function_name(source.function))
            for source, place in self.sources
            if self.knows(source.function, place)
        )
        return Joined(functions, entrances, sources)

    def folders(self) -> set[Path]:
        return {each.app_dir for each in self.functions.values()} | set(self.layers.values())

    def _used(self, routes: Iterable[RoutePart]) -> list[tuple[EntrancePart, str]]:
        """The entrances that routes lead through, with the kinds of door: an API may speak both payload formats."""
        found: dict[tuple[str, str], EntrancePart] = {}
        for each in routes:
            part = self.entrances[each.entrance]
            found[part.id, door(part, each)] = part
        return [(part, kind) for (_, kind), part in found.items()]

    def _route(self, part: RoutePart, names: Mapping[tuple[str, str], str]) -> Route:
        entrance = self.entrances[part.entrance]
        own = entrance.authorizers.get(part.authorizer)
        return Route(
            names[entrance.id, door(entrance, part)],
            part.method,
            part.path,
            own.name if own else part.authorizer,
            part.scopes or entrance.scopes.get(part.authorizer or entrance.default_authorizer, ()),
            part.api_key,
            part.priority,
            part.host,
            part.response,
        )

    def _entrance(self, part: EntrancePart, kind: str, name: str) -> Entrance:
        default = part.authorizers.get(part.default_authorizer)
        return Entrance(
            name,
            kind,
            part.stage,
            part.variables,
            part.base_path,
            part.cors,
            tuple(self._authorizer(each, part) for each in part.authorizers.values()),
            default.name if default else part.default_authorizer,
            part.api_keys,
            part.api_key_source,
            part.timeout,
            part.selection,
        )

    def _authorizer(self, authorizer: Authorizer, entrance: EntrancePart) -> Authorizer:
        if not authorizer.function:
            return authorizer
        place = entrance.place._replace(what=f"{entrance.place.what}, authorizer {authorizer.name}")
        if not self.knows(authorizer.function, place) and function_name(authorizer.function) in self.left_out:
            place.note("its function does not run here; it lets nobody pass.")
        return replace(authorizer, function=function_name(authorizer.function))

    def _function(
        self, part: FunctionPart, base: Function, routes: tuple[Route, ...], exists: Mapping[Path, bool]
    ) -> Function:
        settings: dict[str, Any] = {**part.settings, "env": {**variables(part), **base.env}}
        if part.asynchronous:
            settings["asynchronous"] = self._asynchronous(part, base.asynchronous)
        return replace(
            base,
            name=part.name,
            handler=part.handler,
            app_dir=part.app_dir,
            routes=routes,
            layers=(*base.layers, *self._layers(part, exists)),
            stream=part.stream,
            **settings,
        )

    def _layers(self, part: FunctionPart, exists: Mapping[Path, bool]) -> Iterable[Path]:
        for arn in part.layers:
            match = LAYER.search(arn)
            folder = self.layers.get(match[1]) if match else None
            if match and match[1] in self.layers_left_out:
                part.place.note(f"its layer {match[1]} is left out: install here what it brings.")
            elif folder is None:
                part.place.note(f"the layer {arn} is not of this file: install here what it brings.")
            elif not exists.get(folder, True):
                part.place.note(f"there is no folder {folder}; the layer is left out.")
            else:
                yield folder

    def _asynchronous(self, part: FunctionPart, base: Asynchronous) -> Asynchronous:
        settings: dict[str, Any] = dict(part.asynchronous)
        for key in ("on_success", "on_failure", "dead_letter"):
            arn = str(settings.pop(key, ""))
            if FUNCTION.search(arn) and self.knows(arn, part.place):
                settings[key] = f"function:{function_name(arn)}"
            elif arn and not FUNCTION.search(arn):
                part.place.note(f"nothing is sent to {arn}: set {key.replace('_', '-')} in [tool.lambent] to see it.")
        return replace(base, **settings)


def variables(part: FunctionPart) -> Mapping[str, str]:
    found = part.settings.get("env")
    return found if isinstance(found, dict) else {}


def function_name(reference: str) -> str:
    """`arn:…:function:NAME:live`, an integration's URI with that in it, `NAME` → NAME; empty for anything else."""
    if match := FUNCTION.search(reference):
        return match[1]
    return reference if NAME.fullmatch(reference) else ""


def door(entrance: EntrancePart, route: RoutePart) -> str:
    return "http1" if entrance.kind == "http" and route.payload == "1.0" else entrance.kind


def entrance_names(used: Iterable[tuple[EntrancePart, str]], functions: Iterable[str]) -> dict[tuple[str, str], str]:
    """Each by a name of its own that a host can have: `NAME.localhost`."""
    taken: set[str] = set()
    urls = {name.lower() for name in functions}
    names = {}
    for part, kind in used:
        wanted = part.name.lower() if part.kind == "url" else label(part.name)
        if part.kind != "url" and wanted in urls:
            wanted = f"{wanted}-{kind}"
        name, number = wanted, 2
        while name in taken:
            name, number = f"{wanted}-{number}", number + 1
        taken.add(name)
        names[part.id, kind] = name
    return names


def source_name(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]+", "-", name)[-64:]


def label(name: str) -> str:
    """`MyShopApi` → `my-shop-api`."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "-", name)
    return re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-")[:63] or "api"
