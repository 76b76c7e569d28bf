"""The same application over HTTP, by uvicorn: on Lambda Web Functions, and wherever else a process is given a port.

load target ─▶ lifespan startup ─▶ listen ─▶ SIGTERM ─▶ open requests end ─▶ lifespan shutdown ─▶ exit 0
     └───────────────┴───────────────┴─▶ log ─▶ exit, not with 0

There are no events here: what the options of `Lambent` say of gateways and replies means nothing.
"""

from __future__ import annotations

import asyncio
import logging
import math
import signal
import sys
from contextlib import nullcontext
from urllib.parse import urlsplit

from lambent.ahead import AHEAD
from lambent.asgi.lifespan import lifespan
from lambent.errors import ConfigurationError, LifespanEnded
from lambent.invocation import CURRENT, Handled
from lambent.runtime import collector, settings
from lambent.runtime.diagnostic import log_record
from lambent.runtime.lifecycle import event_loop
from lambent.runtime.target import load

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractAsyncContextManager

    import uvicorn

    from lambent.types import ASGIApp, Handler, Receive, Scope, Send

logger = logging.getLogger("lambent")

_LIFESPAN_SECONDS = 1.5
"""For the lifespan's shutdown, once the requests have ended; `docker stop` kills 10 s after it has sent SIGTERM."""


def serve(target: str | None, environ: Mapping[str, str], adapt: Callable[[ASGIApp], Handler]) -> int:
    """Serve the application that `target`, else `_HANDLER`, names until SIGTERM or Ctrl-C. Returns the exit status.

    Raises ConfigurationError if a variable cannot be, uvicorn is not there, or the target is no application.
    """
    target = target or environ.get("_HANDLER", "")
    served = Served()
    server = _server(served, environ)
    with asyncio.Runner(loop_factory=lambda: event_loop(settings.event_loop(environ))) as runner:
        asyncio.set_event_loop(runner.get_loop())  # for applications that ask for "the" event loop
        AHEAD.offer(runner.get_loop())
        handler = _loaded(target, adapt)
        if handler is None:
            return 1
        collector.resume()
        lifetime = served.take(handler, target)
        _keep_signals(server)
        try:
            runner.run(_live(server, lifetime))
        except (Exception, asyncio.CancelledError) as error:
            _tell(error, target, started=server.started)
            return 1
    return 0


def endpoint(environ: Mapping[str, str]) -> tuple[str, int]:
    """Host and port: those of AWS_LAMBDA_HTTP_ENDPOINT, else PORT on every address. Raises ConfigurationError.

    Source: Lambda Developer Guide, "Lambda Web Functions": the platform asks just that endpoint whether it is ready.
    """
    given = environ.get("AWS_LAMBDA_HTTP_ENDPOINT")
    if not given:
        return "0.0.0.0", _number("PORT", environ.get("PORT", ""), 65535)
    try:
        parts = urlsplit(given if "://" in given else f"//{given}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if host is None or port is None:
        raise ConfigurationError(f"Expected AWS_LAMBDA_HTTP_ENDPOINT to be HOST:PORT, but got {given!r}.")
    return host, port


class Served:
    """The application, with what it has on Lambda too: the lifespan's state, and `lambent.current()`."""

    def __init__(self) -> None:
        self._app: ASGIApp | None = None
        self._state: dict[str, object] = {}

    def take(self, handler: Handler, target: str) -> AbstractAsyncContextManager[None]:
        """Serve the application of `handler` from now on. Returns its lifespan. Raises ConfigurationError."""
        app: ASGIApp | None = getattr(handler, "app", None)
        wanted: str = getattr(handler, "lifespan", "auto")
        if app is None:
            raise ConfigurationError(
                f"Expected '{target}' to be an ASGI application or a Lambent, for it is to be served over HTTP, but it "
                "handles events: Lambda can run it, and so can lambent dev."
            )
        self._app = app
        return nullcontext() if wanted == "off" else lifespan(app, self._state, required=wanted == "on")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI: one request. What `wait_until` was given is done when this returns; the response does not wait."""
        assert self._app is not None  # noqa: S101 - `take` comes first
        scope["state"] = self._state.copy()
        request = Handled(None, None)
        CURRENT.set(request)
        try:
            await self._app(scope, receive, send)
        finally:
            await request.finish()
            request.work = None


def _server(served: Served, environ: Mapping[str, str]) -> uvicorn.Server:
    try:
        import uvicorn
    except ImportError:
        raise ConfigurationError(
            'Serving HTTP needs uvicorn, which is not installed. Run: pip install "lambent[server]"'
        ) from None
    host, port = endpoint(environ)
    seconds = _shutdown_seconds(environ.get("LAMBENT_SHUTDOWN_SECONDS") or "8")
    return uvicorn.Server(uvicorn.Config(served, host, port, lifespan="off", timeout_graceful_shutdown=seconds))


def _loaded(target: str, adapt: Callable[[ASGIApp], Handler]) -> Handler | None:
    try:
        return load(target, adapt)
    except Exception as error:
        _tell(error, target, started=False)
        return None


def _number(name: str, text: str, most: int) -> int:
    if not (text.isascii() and text.isdecimal() and int(text) <= most):
        raise ConfigurationError(f"Expected {name} to be a number from 0 to {most}, but got {text!r}.")
    return int(text)


def _shutdown_seconds(text: str) -> int:
    """Whole ones, as uvicorn wants them: half a second is one."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= 3600:
        raise ConfigurationError(f"Expected LAMBENT_SHUTDOWN_SECONDS to be seconds from 0 to 3600, but got {text!r}.")
    return math.ceil(seconds)


def _keep_signals(server: uvicorn.Server) -> None:
    """Survive the signal that ends the server: uvicorn sends it once more when it has closed down."""

    def handle(number: int, _: object) -> None:
        if not server.started:
            sys.exit(128 + number)

    signal.signal(signal.SIGTERM, handle)
    signal.signal(signal.SIGINT, handle)


async def _live(server: uvicorn.Server, lifetime: AbstractAsyncContextManager[None]) -> None:
    async with asyncio.timeout(None) as limit, lifetime:
        await server.serve()
        limit.reschedule(asyncio.get_running_loop().time() + _LIFESPAN_SECONDS)


def _tell(error: BaseException, target: str, *, started: bool) -> None:
    """Log what ended the server."""
    if not started:
        logger.error("Init of %r failed.", target, exc_info=log_record(error))
    elif isinstance(error, LifespanEnded):
        logger.error("The lifespan ended by itself, and so the server ends.", exc_info=error)
    elif isinstance(error, TimeoutError):
        logger.error("The shutdown of the lifespan took more than %s s.", _LIFESPAN_SECONDS)
    else:
        logger.error("The shutdown of the lifespan failed.", exc_info=error)
