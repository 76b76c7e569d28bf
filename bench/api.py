"""`lambent.api` beside FastAPI, Starlette and Powertools' HTTP resolver: imports, a request, the last of many routes.

ASGI applications are asked one request after the other in one task on one event loop, with a ready-made scope; the
resolver, which is none, is called with the event of an HTTP API that says the same. Every reply is checked before
anything is timed.
"""

from __future__ import annotations

import asyncio
import gc
import json
import time
from collections.abc import Callable, Sequence
from functools import partial
from statistics import median
from typing import Any, NamedTuple

from bench.events import HEADERS, HTTP_API
from bench.imports import COMPILED, PYTHON
from bench.measure import Effort, clean_environ, ratio, run, take_turns
from bench.table import Table, named
from lambent.types import ASGIApp, Message, Scope

ROUTES = 200
NOTHING = "-"


class Peer(NamedTuple):
    """One way of answering a request."""

    repeat: Callable[[int], None]
    """Answers so many."""
    reply: Callable[[], tuple[int, Any]]
    """Answers one: its status and its JSON."""


def measure(effort: Effort) -> Table:
    loop = asyncio.new_event_loop()
    try:
        rows = [_imports(effort), _firsts(effort), *_requests(effort, loop), *_routes(effort, loop)]
    finally:
        loop.close()
    return Table(
        "api: processor time of an import with a route, a whole process, and of a request (aims: the import <= 1.15 x\n"
        "asyncio; FastAPI's request >= 4 x Lambent's, Starlette's >= 1 x; the last of many routes = the first)",
        ("", "Lambent", named("fastapi"), named("starlette"), named("aws-lambda-powertools")),
        rows,
        (
            "A request: POST with a path parameter and a JSON body, validated by the same pydantic model; in Starlette",
            "by hand, Model.model_validate_json(await request.body()). Rows of Lambent alone are x its own first row.",
            "Powertools: resolver.resolve(event, context) with enable_validation=True, synchronous, and no ASGI.",
            "Lambent's access log makes its lines and writes them to the null device; its peers write none.",
        ),
    )


def _imports(effort: Effort) -> list[str]:
    """Medians of whole processes, in ms, and x `import asyncio`."""
    from bench import services

    environ = clean_environ()
    scripts = list(services.IMPORTS.values())
    for script in scripts:
        run((*PYTHON, script + COMPILED), environ)
    turns = [partial(run, (*PYTHON, script), environ) for script in scripts]
    base, *others = ([usage.processor * 1e3 for usage in each] for each in take_turns(turns, effort.import_rounds))
    return [f"import and a route, ms, x {services.BASE}", *(_told(each, base, 1) for each in others)]


def _firsts(effort: Effort) -> list[str]:
    """From the start of a process to its first reply, and its end; medians, in ms, and x a loop that does nothing."""
    from bench import services

    environ = clean_environ()
    scope = _scope("GET", "/items/42", b"")
    first = services.FIRST.replace("SCOPE", repr(scope))
    peers = [services.IMPORTS[name] + first for name in ("lambent", "fastapi", "starlette")]
    scripts = [f"{services.BASE}\nasync def main(): pass\nasyncio.run(main())\n", *peers]
    for script in scripts:
        run((*PYTHON, script + COMPILED), environ)
    turns = [partial(run, (*PYTHON, script), environ) for script in scripts]
    base, *others = ([usage.processor * 1e3 for usage in each] for each in take_turns(turns, effort.import_rounds))
    return ["to the first reply, ms, x an empty loop", *(_told(each, base, 1) for each in others), NOTHING]


def _requests(effort: Effort, loop: asyncio.AbstractEventLoop) -> list[list[str]]:
    from bench import services

    scope = _scope("POST", "/items/42", services.BODY)
    event = _event("POST", "/items/42", services.BODY)
    asked = partial(_asked, scope=scope, body=services.BODY, loop=loop)
    peers = [
        asked(services.lambent()),
        asked(services.fastapi()),
        asked(services.starlette()),
        _resolved(services.powertools(), event),
        asked(services.lambent(logs=False)),
        asked(services.lambent(services.with_a_dataclass)),
        asked(services.lambent(services.with_a_struct)),
    ]
    ours, *others = figures(peers, services.REPLY, effort)
    told = [_told(each, ours, 2) for each in others]
    return [
        ["a request, µs, x Lambent", f"{median(ours):.2f}", *told[:3]],
        *(
            [f"a request, {name}, µs", figure, NOTHING, NOTHING, NOTHING]
            for name, figure in zip(("no access log", "a dataclass", "a Struct of msgspec"), told[3:], strict=True)
        ),
    ]


def _routes(effort: Effort, loop: asyncio.AbstractEventLoop) -> list[list[str]]:
    """The first and the last of many, taking turns."""
    from bench import services

    applications = [
        services.many_of_lambent(ROUTES),
        services.many_of_fastapi(ROUTES),
        services.many_of_starlette(ROUTES),
    ]
    resolver = services.many_of_powertools(ROUTES)
    peers = []
    for number in (0, ROUTES - 1):
        path = f"{services.path(number)}/42"
        peers += [_asked(app, _scope("GET", path, b""), b"", loop) for app in applications]
        peers.append(_resolved(resolver, _event("GET", path, b"")))
    found = figures(peers, {"id": 42}, effort)
    first, last = found[: len(found) // 2], found[len(found) // 2 :]
    return [
        [f"the first of {ROUTES} routes, µs", *(f"{median(each):.2f}" for each in first)],
        [f"the last of {ROUTES} routes, µs, x the first", *map(partial(_told, digits=2), last, first)],
    ]


def _told(figures: Sequence[float], base: Sequence[float], digits: int) -> str:
    return f"{median(figures):.{digits}f}  {ratio(figures, base)}"


def figures(peers: Sequence[Peer], expected: object, effort: Effort) -> list[list[float]]:
    """The µs of one request of each peer, one figure for each round. RuntimeError if one of them replies wrongly."""
    for peer in peers:
        if (reply := peer.reply()) != (200, expected):
            raise RuntimeError(f"Expected a reply of 200 with {expected}, but got {reply}.")
    gc.collect()
    gc.freeze()  # what is there already is no garbage of anyone's turn
    try:
        return take_turns([_turn(peer.repeat, effort.batch_seconds) for peer in peers], effort.rounds)
    finally:
        gc.unfreeze()


def _turn(repeat: Callable[[int], None], seconds: float) -> Callable[[], float]:
    """A function that asks as often as fits into `seconds` and returns the µs of one request."""
    count = 1
    while (took := _timed(repeat, count)) < seconds / 4:
        count *= 2
    count = max(1, round(count * seconds / took))
    return lambda: _timed(repeat, count) / count * 1e6


def _timed(repeat: Callable[[int], None], count: int) -> float:
    begin = time.process_time()
    repeat(count)
    return time.process_time() - begin


def _asked(app: ASGIApp, scope: dict[str, Any], body: bytes, loop: asyncio.AbstractEventLoop) -> Peer:
    """An ASGI application."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    async def ask(count: int) -> None:
        for _ in range(count):
            sent.clear()
            await app(scope.copy(), receive, send)

    def repeat(count: int) -> None:
        loop.run_until_complete(ask(count))

    def reply() -> tuple[int, Any]:
        repeat(1)
        start, answer = sent
        return start["status"], json.loads(answer["body"])

    return Peer(repeat, reply)


def _scope(method: str, path: str, body: bytes) -> dict[str, Any]:
    """As Lambent makes it of an HTTP API's event."""
    scope: Scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.5"},
        "http_version": "1.1",
        "method": method,
        "scheme": "https",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in _headers(body).items()],
        "client": ("203.0.113.7", 0),
        "server": ("a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com", 443),
        "state": {},
    }
    return dict(scope)


def _headers(body: bytes) -> dict[str, str]:
    typed = {"content-type": "application/json", "content-length": str(len(body))} if body else {}
    return {**HEADERS, **typed, "host": HTTP_API["headers"]["host"]}


def _resolved(resolver: Any, event: dict[str, Any]) -> Peer:
    """Powertools' resolver, as a handler calls it."""

    def repeat(count: int) -> None:
        for _ in range(count):
            resolver.resolve(event, None)

    def reply() -> tuple[int, Any]:
        answer = resolver.resolve(event, None)
        return answer["statusCode"], json.loads(answer["body"])

    return Peer(repeat, reply)


def _event(method: str, path: str, body: bytes) -> dict[str, Any]:
    asked = HTTP_API["requestContext"]
    context = {**asked, "http": {**asked["http"], "method": method, "path": path}}
    event = {**HTTP_API, "rawPath": path, "rawQueryString": "", "headers": _headers(body), "requestContext": context}
    event.pop("queryStringParameters")
    return {**event, "body": body.decode()} if body else event
