"""The local Lambda on a port until someone stops it."""

from __future__ import annotations

import asyncio
import errno
import logging
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from lambent.dev.doors import DOORS
from lambent.dev.doors.model import Site
from lambent.dev.fleet import SHUTDOWN_GRACE
from lambent.dev.local import Local
from lambent.dev.model import Function
from lambent.errors import ConfigurationError
from lambent.types import ASGIApp

if TYPE_CHECKING:
    import uvicorn

    from lambent.dev.config import Project

REQUEST_GRACE = 2.0
"""Seconds that requests in flight are given to end once the server is stopped."""

KEEP_ALIVE = 75
"""Seconds that an idle connection is kept."""


def run(project: Project) -> None:
    """Serve until Ctrl-C or SIGTERM. `ConfigurationError` if the port cannot be had."""
    listener = listen(project.host, project.port)
    with listener:
        asyncio.run(serve(project, listener, say))


async def serve(project: Project, listener: socket.socket, say: Callable[[str], None]) -> None:
    """Serve on `listener` until stopped; nothing that was started here is left behind."""
    local = Local(project, url(listener), say)
    http = http_server(local.reception)
    with stopping() as (asked, insisted):
        serving = asyncio.create_task(http.serve(sockets=[listener]))
        local.open()
        say(banner(project, url(listener)))
        try:
            await either(serving, asked)
            say("Stopping.")
            closing = asyncio.create_task(close(http, local, serving))
            await either(closing, insisted)
            closing.cancel()
        finally:
            await local.end()
            await hang_up(http, serving)
    if not serving.cancelled() and (error := serving.exception()):
        raise error


async def close(http: uvicorn.Server, local: Local, serving: asyncio.Task[None]) -> None:
    """In order: no new connections, requests end, environments end, connections end."""
    http.should_exit = True
    await local.drained(REQUEST_GRACE)
    await local.close(SHUTDOWN_GRACE)
    await asyncio.wait({serving}, timeout=1)


async def hang_up(http: uvicorn.Server, serving: asyncio.Task[None]) -> None:
    """End the connections that are left, and with them the HTTP server."""
    http.should_exit = http.force_exit = True
    for connection in list(http.server_state.connections):
        connection.transport.abort()
    await asyncio.wait({serving}, timeout=1)
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)


async def either(task: asyncio.Task[None], event: asyncio.Event) -> None:
    """Until the task is done or the event is set."""
    waiting = asyncio.create_task(event.wait())
    both: set[asyncio.Task[None] | asyncio.Task[bool]] = {task, waiting}
    await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
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


def http_server(app: ASGIApp) -> uvicorn.Server:
    """uvicorn, without its logs, its opinion on proxies, and its hold on signals."""
    import uvicorn

    class Server(uvicorn.Server):
        @contextmanager
        def capture_signals(self) -> Iterator[None]:
            yield

    logging.getLogger("uvicorn.error").addFilter(is_news)
    config = uvicorn.Config(
        app,
        lifespan="off",
        ws="none",
        log_config=None,
        log_level="error",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE,
    )
    return Server(config)


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


def url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def banner(project: Project, where: str) -> str:
    if len(project.functions) == 1:
        text = alone(project.functions[0], where)
    else:
        width = max((len(function.name) for function in project.functions), default=0)
        rows = [f"  {each.name:<{width}}  {served(each, where)}" for each in project.functions]
        text = "\n".join([f"{len(rows)} functions are served on {where}", "", *rows])
    return f"\n  {text}\n  Ctrl-C stops it\n"


def alone(function: Function, where: str) -> str:
    title = DOORS[function.door](Site(function.name)).title + (", streaming" if function.stream else "")
    limits = f"up to {function.environments} environments, {function.memory} MB, timeout {function.timeout:g} s"
    what = f"{title}; {limits}; runtime {function.runtime}"
    return f"{function.handler} is served on {where}{served_below(function)}\n\n  {what}"


def served(function: Function, where: str) -> str:
    title = DOORS[function.door](Site(function.name)).title
    return f"{where}{function.path}  {title}" if function.path else "by the Invoke API"


def served_below(function: Function) -> str:
    return "" if function.path in ("/{proxy+}", "") else function.path


def say(text: str) -> None:
    """Print at once; a terminal that went away is no reason to fail."""
    with suppress(OSError):
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()
