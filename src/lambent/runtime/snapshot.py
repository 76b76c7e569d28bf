"""SnapStart: an environment is started once, its memory kept, and each further one is that memory, woken up.

startup ─▶ before_snapshot hooks ─▶ GET restore/next ══▶ random state ─▶ after_restore hooks ─▶ loop
                  └───────────────────────┴─▶ init/error, exit 64              └─▶ restore/error, exit 65

Source: docs.aws.amazon.com/lambda, "Lambda SnapStart runtime hooks for Python"; AWS's own client, which has the same
order and the same codes.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import math
import sys
import time

from lambent.errors import PlatformError, RuntimeAPIError, TimedOut
from lambent.runtime import requests
from lambent.runtime.diagnostic import diagnose, log_record
from lambent.runtime.records import REPORTED
from lambent.runtime.reply import check, said, working_directory
from lambent.snapstart import hooks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from lambent.http1 import Request
    from lambent.runner import Runner
    from lambent.runtime.client import Client
    from lambent.runtime.diagnostic import Diagnostic
    from lambent.snapstart import Hook

logger = logging.getLogger("lambent")

BEFORE_FAILED = 64
AFTER_FAILED = 65

RESTORE_SECONDS = 10.0
"""For all after_restore hooks together; Lambda's own limit."""


def pass_through(client: Client, runner: Runner, seconds: float = RESTORE_SECONDS) -> int:
    """Be ready for the snapshot, and return in the environment that is made from it: with 0, or its exit status.

    A handler's lifetime has been entered on `runner`. `client` has no connection before the snapshot and after it.
    What fails is logged and reported.
    """
    registered = hooks()
    try:
        while registered.before:
            _run(registered.before.pop(), runner, Limit(math.inf))
        _wait_for_restore(client)
    except BaseException as error:  # SystemExit too: AWS's client reports whatever comes
        _report(client, error, "The environment could not be made ready for its snapshot.", requests.snapshot_error)
        return BEFORE_FAILED
    try:
        reseed()
        limit = Limit(seconds)
        for hook in registered.after:
            _run(hook, runner, limit)
    except BaseException as error:
        _report(client, error, "The environment could not be restored.", requests.restore_error)
        return AFTER_FAILED
    return 0


def _wait_for_restore(client: Client) -> None:
    """Raises RuntimeAPIGone and RuntimeAPIError."""
    client.close()
    try:
        reply = client.call(requests.RESTORE_NEXT)
    finally:
        client.close()
    if reply.status != 200:
        raise RuntimeAPIError(f"Expected to be restored, but the Runtime API answered {said(reply)}.")


def reseed() -> None:
    """Begin random numbers anew, which else were the same in each environment.

    `os.urandom`, `secrets` and `uuid.uuid4` ask the system; generators that somebody made need a hook of theirs.
    """
    for name in ("random", "numpy.random"):
        if name in sys.modules:
            sys.modules[name].seed()


class Limit:
    """For several hooks together, from now on."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._end = time.monotonic() + seconds

    @property
    def left(self) -> float:
        """Seconds; negative when it is exceeded."""
        return self._end - time.monotonic()

    @property
    def exceeded(self) -> TimedOut:
        """What is raised when it is."""
        return TimedOut(f"The after_restore hooks took longer than Lambda allows: {self._seconds:g} s.")


def _run(hook: Hook, runner: Runner, limit: Limit) -> None:
    """Call a hook outside of the event loop, where it may block and run one, and await on that what it returns.

    Raises TimedOut if it exceeds the limit. One that blocks is not interrupted.
    """
    function, arguments, named = hook
    result = function(*arguments, **named)
    if inspect.isawaitable(result):
        runner.loop.run_until_complete(_awaited(result, limit))
    if limit.left < 0:
        raise limit.exceeded


async def _awaited(awaitable: Awaitable[object], limit: Limit) -> None:
    timeout = asyncio.timeout(None if limit.left == math.inf else limit.left)
    try:
        async with timeout:
            await awaitable
    except TimeoutError:
        if timeout.expired():
            raise limit.exceeded from None
        raise


def _report(client: Client, error: BaseException, words: str, request: Callable[[Diagnostic], Request]) -> None:
    logger.error(words, exc_info=log_record(error), extra={REPORTED: error})
    report = request(diagnose(error, working_directory()))
    try:
        check(client.call(report), report)
    except PlatformError as gone:
        logger.error("%s", gone)
    client.close()
