"""Functions written for Smyth, called as Smyth calls them: with a request, a handler and a process.

The request has of Starlette's what functions of this kind use. The handler is the one that is configured. The process
is a stand-in where an event or a context is made: the environment is chosen once these are there.

Source: smyth 0.7 (`types.py`, `smyth.py`, `runner/strategy.py`); starlette.io, "Requests".
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from itertools import islice
from re import Pattern
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote_to_bytes, urlsplit

from lambent.dev.doors.model import HTTPRequest
from lambent.dev.model import EnvironmentFacts, Function

LOG = logging.getLogger("lambent.dev")

OURS = {
    "client_context": "client_context",
    "identity": "identity",
    "tenant_id": "tenant_id",
    "invoked_function_arn": "arn",
}
"""What a context function may set → the field of InvokeRequest. Each invocation has a request id of its own."""

SMYTHS = frozenset({"smyth", "timeout"})
"""What Smyth's own context function sets: about Smyth, and the timeout, which the function has anyway."""


class Pairs(Mapping[str, str]):
    """Names and values, of which some come more than once."""

    def __init__(self, pairs: Sequence[tuple[str, str]], *, fold: Callable[[str], str] = str, last: bool) -> None:
        self._pairs = pairs
        self._fold = fold
        self._last = last

    def __getitem__(self, name: str) -> str:
        values = self.getlist(name)
        if not values:
            raise KeyError(name)
        return values[-1 if self._last else 0]

    def __iter__(self) -> Iterator[str]:
        return iter(dict(self._pairs))

    def __len__(self) -> int:
        return len(dict(self._pairs))

    def getlist(self, name: str) -> list[str]:
        """Every value of this name."""
        return [value for each, value in self._pairs if each == self._fold(name)]

    def multi_items(self) -> list[tuple[str, str]]:
        return list(self._pairs)


class Address(NamedTuple):
    """Of the client."""

    host: str
    port: int


class URL(NamedTuple):
    scheme: str
    netloc: str
    path: str
    """Decoded."""
    query: str

    @property
    def hostname(self) -> str | None:
        return urlsplit(f"//{self.netloc}").hostname

    @property
    def port(self) -> int | None:
        return urlsplit(f"//{self.netloc}").port

    def __str__(self) -> str:
        query = f"?{self.query}" if self.query else ""
        return f"{self.scheme}://{self.netloc}{self.path}{query}"


class Request:
    """What came over the wire, as Starlette shows it."""

    def __init__(self, request: HTTPRequest, handler: SmythHandler) -> None:
        path = unquote_to_bytes(request.raw_path).decode("utf-8", "replace")
        query = request.query_string.decode("latin-1")
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers]
        self.method = request.method
        self.headers = Pairs(headers, fold=str.lower, last=False)
        self.url = URL(request.scheme, self.headers.get("host", ""), path, query)
        self.query_params = Pairs(parse_qsl(query, keep_blank_values=True), last=True)
        self.path_params = {"path": path.removeprefix("/"), **handler.parameters(path)}
        self.client = Address(*request.client)
        self._body = request.body

    @property
    def cookies(self) -> dict[str, str]:
        found = SimpleCookie(self.headers.get("cookie", ""))
        return {name: morsel.value for name, morsel in found.items()}

    async def body(self) -> bytes:
        return self._body

    async def json(self) -> Any:
        return json.loads(self._body)

    def __getattr__(self, name: str) -> object:
        there = "method, url, headers, query_params, path_params, cookies, client, body() and json()"
        raise AttributeError(f"a request to a Smyth project has no {name} here: it has {there}", name=name, obj=self)


@dataclass
class SmythHandler:
    """The handler, with the fields that Smyth's own has. Not frozen, as that is not."""

    name: str
    url_path: Pattern[str]
    lambda_handler_path: str
    timeout: float | None = None
    log_level: str = "INFO"
    concurrency: int = 1
    env_overrides: dict[str, str] | None = None
    names: tuple[str, ...] = field(default=(), repr=False)
    """Of the parameters in `url_path`; Smyth has no such field."""

    def parameters(self, path: str) -> dict[str, str]:
        match = self.url_path.fullmatch(path)
        return dict(zip(self.names, match.groups(), strict=True)) if match else {}


@dataclass
class Process:
    """An environment, as Smyth shows its processes."""

    name: str
    state: str = "warm"
    """`cold`, `working` or `warm`. Environments are chosen among those that are warm."""
    task_counter: int = 0
    last_used_timestamp: float = 0.0


class EventFunction:
    """A MakeEvent of Smyth's `async (request, smyth_handler, process) -> event`."""

    def __init__(self, handler: SmythHandler, function: Callable[..., Awaitable[object]]) -> None:
        self._handler = handler
        self._function = function
        self._process = Process(f"{handler.name}:0")

    async def __call__(self, request: HTTPRequest, _function: Function) -> object:
        made = await self._function(Request(request, self._handler), self._handler, self._process)
        use(self._process)
        return made


class ContextFunction:
    """A MakeContext of Smyth's `async (request | None, smyth_handler, process) -> context`."""

    def __init__(self, handler: SmythHandler, function: Callable[..., Awaitable[Mapping[str, object]]]) -> None:
        self._handler = handler
        self._function = function
        self._process = Process(f"{handler.name}:0")
        self._told: set[str] = set()

    async def __call__(self, request: HTTPRequest | None, _function: Function) -> Mapping[str, object]:
        seen = None if request is None else Request(request, self._handler)
        made = await self._function(seen, self._handler, self._process)
        use(self._process)
        self._tell(made.keys() - OURS.keys() - SMYTHS - self._told)
        return {OURS[name]: as_text(value) for name, value in made.items() if name in OURS}

    def _tell(self, names: set[str]) -> None:
        """Once: a function cannot see what a real context does not have, or Lambda sets."""
        if names:
            self._told |= names
            text = "%s: the context function sets %s, which is not for it to set: left out. It may set %s."
            LOG.warning(text, self._handler.name, ", ".join(sorted(names)), ", ".join(OURS))


class Generated:
    """A Strategy of Smyth's generator `(handler_name, processes) -> Iterator[process]`.

    `processes` lists the environments that have room, oldest first; the list is the same one throughout, as in Smyth.
    """

    def __init__(self, name: str, generator: Callable[..., Iterator[Process]]) -> None:
        self._name = name
        self._generator = generator
        self._list: list[Process] = []
        self._chosen: Iterator[Process] | None = None

    def __call__(self, environments: Sequence[EnvironmentFacts]) -> EnvironmentFacts:
        """LookupError if the generator yields none of them; whatever it raises. It begins anew after that."""
        known = {each.name: each for each in self._list}
        self._list[:] = [refreshed(known.get(facts.id) or Process(facts.id), facts) for facts in environments]
        by_name = {facts.id: facts for facts in environments}
        if self._chosen is None:
            self._chosen = self._generator(self._name, {self._name: self._list})
        try:
            for process in islice(self._chosen, len(environments) + 1):
                if process.name in by_name:
                    return by_name[process.name]
        except BaseException:
            self._chosen = None
            raise
        self._chosen = None
        raise LookupError(f"the strategy of {self._name} has yielded none of the processes it was given")


def refreshed(process: Process, facts: EnvironmentFacts) -> Process:
    process.task_counter = facts.invocations
    process.last_used_timestamp = facts.last_used
    return process


def use(process: Process) -> None:
    process.task_counter += 1
    process.last_used_timestamp = time.time()


def json_event(request: HTTPRequest, _function: Function) -> object:
    """The body, as JSON. ValueError if it is none."""
    return json.loads(request.body)


def as_text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
