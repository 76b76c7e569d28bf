"""The life of an environment: init, invocations, shutdown.

load target ─▶ lifespan startup ─▶ extension registered ─▶ loop ─▶ lifespan shutdown ─▶ exit 0
     └────────────────┴─▶ POST init/error ─▶ exit 1

Init is everything before the loop's first `next`. With provisioned concurrency it is done ahead, and nothing else is
different; with SnapStart `snapshot.py` comes between it and the loop.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import threading
import weakref
from contextlib import suppress

from lambent.ahead import AHEAD
from lambent.errors import ConfigurationError, PlatformError
from lambent.runner import Runner
from lambent.runtime import codec, collector, logs, loop, requests
from lambent.runtime.client import Client
from lambent.runtime.diagnostic import diagnose, log_record
from lambent.runtime.extension import register
from lambent.runtime.records import REPORTED
from lambent.runtime.reply import check, working_directory
from lambent.runtime.settings import read
from lambent.runtime.target import load
from lambent.runtime.watchdog import Watchdog

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lambent.runtime.settings import Settings
    from lambent.types import ASGIApp, Event, Handler, Result

logger = logging.getLogger("lambent")

_CANCEL_SECONDS = 0.05
"""Of the time for the shutdown, what is left for what is cancelled when the rest is over."""


def live(target: str | None, environ: Mapping[str, str], adapt: Callable[[ASGIApp], Handler]) -> int:
    """Run the handler that `target`, else `_HANDLER`, names while the platform wants it. Returns the exit status.

    Raises ConfigurationError if this is not a Lambda environment, or a variable cannot be.
    """
    settings = read(environ)
    logs.install(os.environ)
    if settings.concurrency is not None and settings.processes is None:
        from lambent.runtime import processes

        processes.warn_of_idle(settings.concurrency)
    client = Client(settings.address)
    runner = Runner(event_loop(settings.loop))
    asyncio.set_event_loop(runner.loop)  # for handlers that ask for "the" event loop
    AHEAD.offer(runner.loop)
    handler = _init(target or settings.handler, client, runner, adapt)
    collector.resume()
    if handler is None:
        return 1
    extension = register(settings.address) if settings.extension else None
    try:
        status = _handle(settings, client, runner, handler)
    finally:
        client.close()
        if extension is not None:
            extension.close()
    _cut_off_after(settings.shutdown, runner)
    return _shutdown(runner, settings.shutdown) or status


def _handle(settings: Settings, client: Client, runner: Runner, handler: Handler) -> int:
    """Handle invocations while they come. Returns the exit status, unless the shutdown has another."""
    if settings.snapshot:
        from lambent.runtime import snapshot

        status = snapshot.pass_through(client, runner)
        if status != 0:
            return status
    _on_sigterm(runner)
    count = settings.concurrency or 1
    watchdog = Watchdog(runner.loop, settings.address, settings.margin, _timed_out(handler), _give_up, count)
    try:
        json = codec.suited(handler)
        if settings.concurrency is None:
            loop.run(client, runner, handler, json, watchdog)
        else:
            from lambent.runtime import slots

            client.close()
            slots.run(settings.address, runner, handler, json, watchdog, count)
    except PlatformError as error:
        logger.error("%s", error)
        return 1
    finally:
        watchdog.close()
    return 0


def event_loop(wanted: str) -> asyncio.AbstractEventLoop:
    """The loop of asyncio, or uvloop's with `LAMBENT_LOOP=uvloop`."""
    if wanted == "asyncio":
        return asyncio.new_event_loop()
    try:
        import uvloop
    except ImportError:
        raise ConfigurationError(
            'LAMBENT_LOOP is uvloop, which is not installed. Run: pip install "lambent[speed]"'
        ) from None
    return uvloop.new_event_loop()


def _timed_out(handler: Handler) -> Callable[[Event], Result | None]:
    """What replies in place of the handler; for one that does not say, its invocation fails."""
    answer: Callable[[Event], Result | None] = getattr(handler, "timed_out", _nothing)
    return answer


def _nothing(_: Event) -> None:
    """Nothing to reply."""


def _give_up() -> None:
    """End the process, though its main thread is held up."""
    logging.shutdown()
    sys.stdout.flush()
    os._exit(1)


def _init(target: str, client: Client, runner: Runner, adapt: Callable[[ASGIApp], Handler]) -> Handler | None:
    """Load the handler and enter its lifetime. What fails is logged and reported, and None returned."""
    try:
        try:
            handler = load(target, adapt)
            runner.start(handler.lifetime())
        finally:
            logger.disabled = False  # logging.config disables what it does not know: failures would go untold
    except (Exception, asyncio.CancelledError) as error:
        logger.error("Init of %r failed.", target, exc_info=log_record(error), extra={REPORTED: error})
        report = requests.init_error(diagnose(error, working_directory()))
        check(client.call(report), report)
        client.close()
        return None
    return handler


def _on_sigterm(runner: Runner) -> None:
    """Interrupt the runner, wherever it is.

    The loop's handler, and in its place Python's own: that one is there while a read blocks, too. uvloop has none that
    would keep a signal while it does not run.
    """
    interrupt = weakref.WeakMethod(runner.interrupt)  # the handler outlives the runner

    def on_sigterm(*_: object) -> None:
        if (call := interrupt()) is not None:
            call()

    with suppress(NotImplementedError, ValueError, RuntimeError):  # Windows, or not the main thread
        if isinstance(runner.loop, asyncio.BaseEventLoop):
            runner.loop.add_signal_handler(signal.SIGTERM, runner.interrupt)
    with suppress(ValueError):
        signal.signal(signal.SIGTERM, on_sigterm)


def _shutdown(runner: Runner, seconds: float) -> int:
    """Leave the lifetime. If it has left by itself, the environment is lost, and the status says so."""
    logs.follow(None)
    lost = runner.lost
    if lost is not None:
        logger.error("The lifespan ended by itself; the environment is replaced.", exc_info=lost)
        return 1
    with suppress(ValueError):  # not the main thread
        signal.set_wakeup_fd(-1)  # to a pipe that asyncio closes before it lets go of signals
    patience = max(seconds - _CANCEL_SECONDS, seconds / 2)
    try:
        runner.stop(patience)
    except TimeoutError:
        logger.error("The shutdown of the lifespan took more than %s s.", patience)
        return 1
    except Exception:
        logger.exception("The shutdown of the lifespan failed.")
        return 1
    return 0


def _cut_off_after(seconds: float, runner: Runner) -> None:
    """Have the process end, whatever holds it up: the shutdown, a task that swallows its cancellation, a thread.

    The platform kills it soon after, and then what is in the log's buffers is lost.
    """

    def cut_off() -> None:
        from lambent.runtime import stacks

        where = stacks.of_thread(main) + stacks.of_loop(runner.loop) + stacks.of_pools()
        logger.critical("The process did not end within %s s and is cut off. It stands at:\n%s", seconds, where)
        _give_up()

    main = threading.get_ident()
    timer = threading.Timer(seconds, cut_off)
    timer.daemon = True  # it does not hold up what it is to end
    timer.start()
