"""The life of an environment: init, invocations, shutdown.

load target ─▶ lifespan startup ─▶ loop ─▶ lifespan shutdown ─▶ exit 0
     └───────────┴─▶ POST init/error ─▶ exit 1
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from contextlib import suppress

from lambent.errors import ConfigurationError, PlatformError
from lambent.runner import Runner
from lambent.runtime import codec, loop, requests
from lambent.runtime.client import Client
from lambent.runtime.diagnostic import diagnose, log_record
from lambent.runtime.function import Function
from lambent.runtime.target import load

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lambent.types import ASGIApp, Handler

logger = logging.getLogger("lambent")

_SHUTDOWN_SECONDS = 1.5
"""For the lifespan's shutdown; the platform kills soon after."""


def live(target: str | None, environ: Mapping[str, str], adapt: Callable[[ASGIApp], Handler]) -> int:
    """Run the handler that `target`, else `_HANDLER`, names while the platform wants it. Returns the exit status.

    Raises ConfigurationError if this is not a Lambda environment.
    """
    target = target or environ.get("_HANDLER", "")
    client = Client(_address(environ))
    runner = Runner(_event_loop(environ))
    asyncio.set_event_loop(runner.loop)  # for handlers that ask for "the" event loop
    handler = _init(target, client, runner, adapt)
    if handler is None:
        return 1
    _on_sigterm(runner)
    try:
        loop.run(client, runner, handler, codec.EXACT if isinstance(handler, Function) else codec.fast())
    except PlatformError as error:
        logger.error("%s", error)
        return 1
    finally:
        client.close()
    return _shutdown(runner)


def _address(environ: Mapping[str, str]) -> str:
    address = environ.get("AWS_LAMBDA_RUNTIME_API")
    if not address:
        raise ConfigurationError(
            "Expected AWS_LAMBDA_RUNTIME_API, which Lambda sets in its environments, but it is not set. "
            "To run this handler on your own machine: lambent dev TARGET"
        )
    return address


def _event_loop(environ: Mapping[str, str]) -> asyncio.AbstractEventLoop:
    """The loop of asyncio, or uvloop's with `LAMBENT_LOOP=uvloop`."""
    wanted = environ.get("LAMBENT_LOOP") or "asyncio"
    if wanted == "asyncio":
        return asyncio.new_event_loop()
    if wanted != "uvloop":
        raise ConfigurationError(f"Expected LAMBENT_LOOP to be 'asyncio' or 'uvloop', but got {wanted!r}.")
    try:
        import uvloop
    except ImportError:
        raise ConfigurationError(
            'LAMBENT_LOOP is uvloop, which is not installed. Run: pip install "lambent[speed]"'
        ) from None
    return uvloop.new_event_loop()


def _init(target: str, client: Client, runner: Runner, adapt: Callable[[ASGIApp], Handler]) -> Handler | None:
    """Load the handler and enter its lifetime. What fails is logged and reported, and None returned."""
    try:
        handler = load(target, adapt)
        runner.start(handler.lifetime())
    except (Exception, asyncio.CancelledError) as error:
        logger.error("Init of %r failed.", target, exc_info=log_record(error))
        client.call(requests.init_error(diagnose(error, os.getcwd())))
        client.close()
        return None
    return handler


def _on_sigterm(runner: Runner) -> None:
    """Interrupt the runner, wherever it is.

    asyncio keeps a signal that comes while its loop does not run; uvloop loses it, unless it has a handler of Python's.
    """

    def interrupt(*_: object) -> None:
        with suppress(RuntimeError):  # the loop is closed: the end is near
            runner.loop.call_soon_threadsafe(runner.interrupt)

    with suppress(NotImplementedError, ValueError, RuntimeError):  # Windows, or not the main thread
        if isinstance(runner.loop, asyncio.BaseEventLoop):
            runner.loop.add_signal_handler(signal.SIGTERM, runner.interrupt)
        else:
            signal.signal(signal.SIGTERM, interrupt)


def _shutdown(runner: Runner) -> int:
    """Leave the lifetime. If it has left by itself, the environment is lost, and the status says so."""
    lost = runner.lost
    if lost is not None:
        logger.error("The lifespan ended by itself; the environment is replaced.", exc_info=lost)
        return 1
    try:
        runner.stop(_SHUTDOWN_SECONDS)
    except TimeoutError:
        logger.error("The shutdown of the lifespan took more than %s s.", _SHUTDOWN_SECONDS)
        return 1
    except Exception:
        logger.exception("The shutdown of the lifespan failed.")
        return 1
    return 0


def main(adapt: Callable[[ASGIApp], Handler]) -> None:
    """`python -m lambent.runtime [TARGET]`. The runtime knows no adapter: `adapt` makes a Handler of an application."""
    if len(sys.argv) > 2:
        sys.exit("Expected at most one argument: python -m lambent.runtime app:app")
    try:
        status = live(sys.argv[1] if len(sys.argv) == 2 else None, os.environ, adapt)
    except (ConfigurationError, PlatformError) as error:
        sys.exit(str(error))
    sys.exit(status)
