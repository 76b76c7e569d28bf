"""The local Lambda on a port until someone stops it."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import TYPE_CHECKING

from lambent.dev import certificate
from lambent.dev.certificate import Certificate
from lambent.dev.doors import title
from lambent.dev.doors.websocket_api import KIND
from lambent.dev.fleet import SHUTDOWN_GRACE
from lambent.dev.local import Local
from lambent.dev.model import Function
from lambent.dev.routes.bindings import OF_PATH, Binding, bind
from lambent.dev.routes.sockets import API, SocketRoutes
from lambent.errors import ConfigurationError
from lambent.types import ASGIApp

if TYPE_CHECKING:
    from lambent.dev.config import Project
    from lambent.dev.http_server import HTTPServer
    from lambent.dev.sockets.wire import Host

REQUEST_GRACE = 2.0
"""Seconds that requests in flight are given to end once the server is stopped."""

KEEP_ALIVE = 75
"""Seconds that an idle connection is kept."""

Stopping = Callable[[], AbstractContextManager[tuple[asyncio.Event, asyncio.Event]]]
"""Within it, two events: the first asks to stop, the second insists."""


def run(project: Project) -> None:
    """Serve until Ctrl-C or SIGTERM. `ConfigurationError` if the port cannot be had."""
    shown = certificate.of_project(project, os.environ) if project.https else None
    listener = listen(project.host, project.port)
    with listener:
        try:
            asyncio.run(serve(project, listener, say, shown))
        finally:
            fall_silent()


async def serve(
    project: Project,
    listener: socket.socket,
    say: Callable[[str], None],
    shown: Certificate | None = None,
    until: Stopping | None = None,
    ready: Callable[[], object] = lambda: None,
) -> None:
    """Serve on `listener` until stopped, by Ctrl-C or SIGTERM unless told otherwise; nothing is left behind.

    `ready` is called once requests are answered.
    With a certificate, by HTTPS; functions find the Invoke API on a port of its own then, for they trust no certificate
    of ours.
    """
    inner = listen("127.0.0.1", 0) if shown else listener
    local = Local(project, url(inner), say)
    servers = {inner: http_server(local.reception, sockets=local.sockets)}
    servers[listener] = http = http_server(local.reception, shown, local.sockets)
    with (until or stopping)() as (asked, insisted), inner:
        serving = asyncio.create_task(serve_all(servers))
        try:
            await local.prepare()
            local.open()
            say(banner(project, url(listener, shown), shown))
            ready()
            await either(serving, asked)
            say("Stopping.")
            closing = asyncio.create_task(close(servers.values(), local, serving))
            await either(closing, insisted)
            if not closing.cancel():
                closing.result()
        finally:
            await local.end()
            await hang_up(http, serving, *servers.values())
    if not serving.cancelled() and (error := serving.exception()):
        raise error


async def serve_all(servers: Mapping[socket.socket, HTTPServer]) -> None:
    """Each on its own socket. Raises what the first one that fails does."""
    await asyncio.gather(*(http.serve(sockets=[listener]) for listener, http in servers.items()))


async def close(servers: Iterable[HTTPServer], local: Local, serving: asyncio.Task[None]) -> None:
    """In order: no new connections, requests end, environments end, connections end."""
    for http in servers:
        http.stop()
    await local.drained(REQUEST_GRACE)
    await local.close(SHUTDOWN_GRACE)
    await asyncio.wait({serving}, timeout=1)


async def hang_up(http: HTTPServer, serving: asyncio.Task[None], *others: HTTPServer) -> None:
    """End the connections that are left, and with them the HTTP servers that `serving` runs."""
    for each in (http, *others):
        each.stop(now=True)
        for connection in list(each.server_state.connections):
            connection.transport.abort()
    await asyncio.wait({serving}, timeout=1)
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)


async def either(task: asyncio.Task[None], event: asyncio.Event) -> None:
    """Until the task is done or the event is set."""
    waiting = asyncio.create_task(event.wait())
    both: set[asyncio.Task[None] | asyncio.Task[bool]] = {task, waiting}
    try:
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()


@contextmanager
def stopping() -> Iterator[tuple[asyncio.Event, asyncio.Event]]:
    """Two events: the first Ctrl-C or SIGTERM asks to stop, the second insists."""
    asked, insisted = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def stop() -> None:
        (insisted if asked.is_set() else asked).set()

    signals = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK") if hasattr(signal, name)]
    try:
        for each in signals:
            loop.add_signal_handler(each, stop)
    except NotImplementedError:  # Windows
        before = {each: signal.signal(each, lambda *_: loop.call_soon_threadsafe(stop)) for each in signals}
        try:
            yield asked, insisted
        finally:
            for each, handler in before.items():
                signal.signal(each, handler)
    else:
        try:
            yield asked, insisted
        finally:
            for each in signals:
                loop.remove_signal_handler(each)


def http_server(app: ASGIApp, shown: Certificate | None = None, sockets: Host | None = None) -> HTTPServer:
    """uvicorn, without its logs, its opinion on proxies, and its hold on signals. Without `sockets`, none are taken."""
    import uvicorn

    from lambent.dev.http_connection import HTTPConnection
    from lambent.dev.http_server import HTTPServer
    from lambent.dev.sockets import wire

    logging.getLogger("uvicorn.error").addFilter(is_news)
    config = uvicorn.Config(
        app,
        http=HTTPConnection,
        lifespan="off",
        ws=wire.of(sockets) if sockets else "none",
        log_config=None,
        log_level="error",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE,
        ssl_certfile=shown.server if shown else None,
    )
    return HTTPServer(config)


def is_news(record: logging.LogRecord) -> bool:
    """Whether uvicorn has to tell it: that a response is left incomplete has been told, with the reason."""
    return "without completing response" not in record.getMessage()


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Made with IPPROTO_TCP, without which asyncio does not set TCP_NODELAY on its connections."""
    try:
        # `localhost` may be both: IPv4 is what the other tools on a laptop try first.
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        family = min((each[0] for each in found), key=lambda family: family != socket.AF_INET)
    except OSError as error:
        advice = "Use --host with an address of this machine"
        raise ConfigurationError(f"Cannot listen on {host!r}: {error}. {advice}.") from None
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if sys.platform != "win32":  # there it would let two servers share a port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(1024)
    except OSError as error:
        listener.close()
        advice = "Choose another with --port; --port 0 takes any that is free"
        raise ConfigurationError(f"{why(host, port, error)}. {advice}.") from None
    return listener


def why(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} is taken"
    return f"Cannot listen on port {port} of {host!r}: {error.strerror}"


def url(listener: socket.socket, shown: Certificate | None = None) -> str:
    host, port = listener.getsockname()[:2]
    scheme = "https" if shown else "http"
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def banner(project: Project, where: str, shown: Certificate | None = None) -> str:
    count = len(project.functions)
    if count == 1 and project.functions[0].path and not project.functions[0].routes:
        text = alone(project, where)
    else:
        width = max((len(function.name) for function in project.functions), default=0)
        bound = [] if project.first_match else bind(project.functions, project.entrances)
        apis = SocketRoutes(project.functions, project.entrances).apis
        rows = [
            f"  {each.name:<{width}}  {line}" for each in project.functions for line in served(each, bound, where, apis)
        ]
        what = "1 function is" if count == 1 else f"{count} functions are"
        text = "\n".join([f"{what} served on {where}", "", *rows])
    trust = f"  Clients have to trust {shown.authority}\n" if shown else ""
    return f"\n  {text}\n{trust}  Ctrl-C stops it\n"


def alone(project: Project, where: str) -> str:
    function = project.functions[0]
    kind = next((each.kind for each in project.entrances if each.name == function.door), function.door)
    door = title(kind) + (", streaming" if function.stream else "")
    limits = f"up to {function.environments} environments, {function.memory} MB, timeout {function.timeout:g} s"
    what = f"{door}; {limits}; runtime {function.runtime}"
    if apis := SocketRoutes(project.functions, project.entrances).apis:
        return f"{function.handler} is served on {address(apis[0], where)}\n\n  {what}"
    return f"{function.handler} is served on {where}{served_below(function)}\n\n  {what}"


def served(function: Function, bound: Sequence[Binding], where: str, apis: Sequence[API] = ()) -> Iterator[str]:
    """A line for each route."""
    sockets = [line for api in apis for line in served_sockets(function, api, where)]
    is_socket = any(api.entrance.name == function.door for api in apis)
    if function.path and not is_socket:
        kind = next((each.entrance.kind for each in bound if each.function is function), function.door)
        yield f"{where}{function.path}  {title(kind)}"
    routes = [each for each in bound if each.function is function and (each.place != OF_PATH or not function.path)]
    for each in routes:
        named = "" if each.entrance.name in (each.entrance.kind, function.name) else f" {each.entrance.name}"
        base = f" below {each.entrance.base_path}" if each.entrance.base_path else ""
        yield f"{each.key}{base}  {title(each.entrance.kind)}{named}"
    yield from sockets
    if not function.path and not routes and not sockets:
        yield "by the Invoke API"


def served_sockets(function: Function, api: API, where: str) -> Iterator[str]:
    """A line for what a function has of a WebSocket API."""
    keys = [key for key, target in api.targets.items() if target.function is function]
    if keys:
        named = "" if api.entrance.name in (KIND, function.name) else f" {api.entrance.name}"
        yield f"{address(api, where)} {', '.join(keys)}  {title(KIND)}{named}"


def address(api: API, where: str) -> str:
    """`ws://127.0.0.1:3000/local`, or `wss:` of the same."""
    return f"ws{where.removeprefix('http')}{api.path}"


def served_below(function: Function) -> str:
    return "" if function.path == "/{proxy+}" else function.path


def say(text: str) -> None:
    """Print at once; what the terminal has no letters for is escaped. One that went away is no reason to fail."""
    encoding = sys.stdout.encoding
    with suppress(OSError):
        sys.stdout.write(f"{text}\n".encode(encoding, "backslashreplace").decode(encoding))
        sys.stdout.flush()


def fall_silent() -> None:
    """What was not printed because the terminal went away is not tried again at exit, which would fail."""
    try:
        sys.stdout.flush()
    except OSError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
