"""The local Lambda, running: a door open on a port until someone stops it."""

from __future__ import annotations

import asyncio
import errno
import logging
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lambent.dev.doors import DOORS
from lambent.dev.doors.model import Site
from lambent.dev.front_door import FrontDoor
from lambent.dev.hosts import Hosts
from lambent.dev.model import Function
from lambent.dev.service import Service
from lambent.errors import ConfigurationError

if TYPE_CHECKING:
    import uvicorn

REQUEST_GRACE = 2.0
"""Seconds that requests in flight are given to end once the server is stopped."""

SHUTDOWN_GRACE = 0.5
"""Seconds that runtimes are given to shut down, as AWS gives them with an internal extension."""

KEEP_ALIVE = 75
"""Seconds that an idle connection is kept."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where the door opens, and for whom."""

    host: str = "127.0.0.1"
    port: int = 3000
    """0: any free one."""
    door: str = "url"
    """A key of DOORS."""
    allowed_hosts: tuple[str, ...] = ()


def run(function: Function, address: Address) -> None:
    """Serve until Ctrl-C or SIGTERM. `ConfigurationError` if the port cannot be had."""
    listener = listen(address.host, address.port)
    with listener:
        asyncio.run(serve(function, address, listener, say))


async def serve(function: Function, address: Address, listener: socket.socket, say: Callable[[str], None]) -> None:
    """Serve on `listener` until stopped; nothing that was started here is left behind."""
    service = Service(function, say)
    door = DOORS[address.door](Site(function.name, function.region, function.account))
    http = http_server(FrontDoor(door, service, Hosts(address.host, address.allowed_hosts), say))
    with stopping() as (asked, insisted):
        serving = asyncio.create_task(http.serve(sockets=[listener]))
        service.warm(1)
        say(banner(function, f"{door.title}, streaming" if function.stream else door.title, url(listener)))
        try:
            await either(serving, asked)
            say("Stopping.")
            closing = asyncio.create_task(close(http, service, serving))
            await either(closing, insisted)
            closing.cancel()
        finally:
            service.kill()
            await service.close(0)
            await hang_up(http, serving)
    if not serving.cancelled() and (error := serving.exception()):
        raise error


async def close(http: uvicorn.Server, service: Service, serving: asyncio.Task[None]) -> None:
    """In order: no new connections, requests end, environments end, connections end."""
    http.should_exit = True
    await service.drained(REQUEST_GRACE)
    await service.close(SHUTDOWN_GRACE)
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


def http_server(app: FrontDoor) -> uvicorn.Server:
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


def banner(function: Function, door: str, where: str) -> str:
    limits = f"up to {function.environments} environments, {function.memory} MB, timeout {function.timeout:g} s"
    return (
        f"\n  {function.target} is served on {where}\n\n"
        f"  {door}; {limits}; runtime {function.runtime}\n"
        f"  Ctrl-C stops it\n"
    )


def say(text: str) -> None:
    """Print at once; a terminal that went away is no reason to fail."""
    with suppress(OSError):
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()
