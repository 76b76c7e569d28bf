"""Many records, so many at a time, each group in its order, within the time that there is."""

from __future__ import annotations

import asyncio
from collections import deque
from contextvars import copy_context
from time import monotonic

from lambent.errors import InvalidResult, RecordFailed, Unfinished
from lambent.events.eager import begun

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Hashable, Iterable, Sequence

    from lambent.events.model import Record
    from lambent.events.registration import Registration

    Run = Callable[["Work"], Awaitable[object]]

WAITING = "waiting"
RUNNING = "running"
DONE = "done"
FAILED = "failed"

NONE: frozenset[int] = frozenset()

LATE = "The time was up before it was done."
BROKEN = "One before it in its group has failed."


class Work:
    """What one call of a function handles: a record, or several where it takes batches."""

    __slots__ = ("error", "failed", "following", "group", "records", "registration", "state")

    def __init__(self, records: list[Record], registration: Registration, group: Hashable) -> None:
        self.records = records
        self.registration = registration
        self.group = group
        self.state = WAITING
        self.error: BaseException | None = None
        """Why it has failed. Of what was cancelled, the cause tells where it stood."""
        self.following: Work | None = None
        """What comes after it in its group."""
        self.failed: frozenset[int] = NONE
        """Of several records, the ids (Python's) of those that have."""

    def fail(self, failed: object) -> None:
        """Take what a function of batches has returned: None, or those of its records that have failed."""
        if failed is None:
            return
        known = {id(each) for each in self.records}
        if not isinstance(failed, list | tuple | set | frozenset) or not all(id(each) in known for each in failed):
            raise InvalidResult(
                "Expected a function that takes batches to return None, or a list of those of its records that have "
                f"failed, but it returned a {type(failed).__name__}{' of something else' if failed else ''}.",
                "Function.InvalidResult",
            )
        self.failed = frozenset(map(id, failed))

    def error_of(self, record: Record) -> BaseException | None:
        """Why one of the records has failed; None if it has not."""
        if self.error is not None or id(record) not in self.failed:
            return self.error
        return RecordFailed("The function has returned it as one that has failed.")


class Batch:
    """The works of one event, on their way.

    Those without a group run in any order, those of one group one after the other, up to the first failure: what comes
    after it in that group has failed as well, for it must not come before.

    Strategy: a function has as many tasks at most as it may handle records at a time, and these take one record after
    the other: 10 000 records do not make 10 000 tasks. Most have one task only, for the others are made when that has
    come to wait for something, and there is anything left. A record that leaves something in a context variable ends
    its task, and a new one goes on, so that the next record does not find it.

    - `is_held`: whether a debugger holds the event: then it has no deadline any more
    """

    __slots__ = ("_context", "_each", "_ended", "_is_held", "_limits", "_tasks", "_teams", "_until", "_works", "left")

    def __init__(self, works: Sequence[Work], each: Run, is_held: Callable[[], bool] = lambda: False) -> None:
        self._works = works
        self._each = each
        self._is_held = is_held
        self._teams, is_mixed = teams(works)
        self._limits = {each: asyncio.Semaphore(each.options.concurrency) for each in self._teams} if is_mixed else {}
        """What holds each function to its concurrency, where a group has several: else its number of tasks does."""
        self._tasks: set[asyncio.Task[None]] = set()
        self.left = len(works)
        """How many works are not done, or have records that have failed: with none, nobody need look for them."""

    async def run(self, seconds: float | None = None, grace: float | None = 0.0) -> None:
        """Run works until all are done or have failed, or `seconds` are over: what is not done then has failed.

        That is cancelled, and has `grace` seconds to end; what goes on nevertheless is left behind. None: it is waited
        for.
        """
        loop = asyncio.get_running_loop()
        self._context = copy_context()
        self._until = float("inf") if seconds is None else monotonic() + seconds
        self._ended: asyncio.Future[None] = loop.create_future()
        try:
            for waiting in self._teams.values():
                task = begun(self._take(waiting), self._context.copy())
                if not task.done():
                    self._keep(task)
                elif not task.cancelled():
                    task.result()
            for registration, waiting in self._teams.items():
                for _ in range(min(registration.options.concurrency - 1, len(waiting))):
                    self._begin(waiting)
            if self._tasks:
                await self._wait(seconds)
        finally:
            self._until = 0.0
            if self._tasks:
                self._end()  # what they raise from now on is seen, and not raised
                await _cancel(self._tasks, grace)
        if self.left:
            _give_up(self._works)

    async def _wait(self, seconds: float | None) -> None:
        timer = None
        if seconds is not None:  # some of them have gone by with what was begun at once
            left = max(0.0, self._until - monotonic())
            timer = asyncio.get_running_loop().call_later(left, self._time_is_up)
        try:
            await self._ended
        finally:
            if timer is not None:
                timer.cancel()

    def _begin(self, waiting: deque[Work]) -> None:
        self._keep(asyncio.create_task(self._take(waiting), context=self._context.copy()))

    def _keep(self, task: asyncio.Task[None]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None and not self._ended.done():
            self._ended.set_exception(error)
        elif not self._tasks:
            self._end()

    def _time_is_up(self) -> None:
        if not self._is_held():
            self._end()

    def _end(self) -> None:
        if not self._ended.done():
            self._ended.set_result(None)

    async def _take(self, waiting: deque[Work]) -> None:
        """Take one after the other, while there is time: a function that never waits leaves none to the timer."""
        while waiting and (monotonic() < self._until or self._is_held()):
            work = waiting.popleft()
            work.state = RUNNING
            try:
                if self._limits:
                    async with self._limits[work.registration]:
                        await self._each(work)
                else:
                    await self._each(work)
            except asyncio.CancelledError as error:
                task = asyncio.current_task()
                if task is not None and task.cancelling():
                    work.error = _unfinished(LATE, error)
                    raise
                work.error = _unfinished("It was cancelled by something that it has called.", error)
            except (Exception, SystemExit) as error:  # sys.exit() ends the record, not those beside it
                work.error = error
            if work.error is not None:
                work.state = FAILED
            else:
                work.state = DONE
                if not work.failed:
                    self.left -= 1
                if work.following is not None:
                    waiting.appendleft(work.following)
            try:
                is_clean = copy_context() == self._context
            except Exception:  # a value that cannot be compared, such as an array, is another one
                is_clean = False
            if not is_clean:
                self._begin(waiting)
                break


def _unfinished(why: str, cause: BaseException) -> Unfinished:
    error = Unfinished(why)
    error.__cause__ = cause
    return error


async def _cancel(tasks: Iterable[asyncio.Task[None]], grace: float | None) -> None:
    """End what is not done. What does not end soon is left behind: the time is up."""
    left = [task for task in tasks if task.cancel()]
    if left:
        await asyncio.wait(left, timeout=grace)


def teams(works: Iterable[Work]) -> tuple[dict[Registration, deque[Work]], bool]:
    """What may run side by side, by function: single works, and the first of each group, which leads to the others.

    And whether a group has works of several functions: each of those is in the answer, if only with none to begin with.
    """
    found: dict[Registration, deque[Work]] = {}
    last: dict[Hashable, Work] = {}
    is_mixed = False
    for work in works:
        registration, group = work.registration, work.group
        waiting = found.get(registration)
        if waiting is None:
            waiting = found[registration] = deque()
        if group is not None:
            before = last.get(group)
            last[group] = work
            if before is not None:
                before.following = work
                is_mixed = is_mixed or before.registration is not registration
                continue
        waiting.append(work)
    return found, is_mixed


def _give_up(works: Iterable[Work]) -> None:
    """What is not done has failed."""
    broken: set[Hashable] = set()
    for work in works:
        if work.error is None and work.state is not DONE:
            work.error = Unfinished(_why(work, broken))
            work.state = FAILED
        if work.error is not None and work.group is not None:
            broken.add(work.group)


def _why(work: Work, broken: set[Hashable]) -> str:
    if work.state is RUNNING:
        return LATE
    return BROKEN if work.group in broken else "The time was up before it was begun."
