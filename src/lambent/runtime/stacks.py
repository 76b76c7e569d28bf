"""Where code stands: threads, and the tasks of an invocation, from the user's first frame on.

Nothing is said where only machinery stands: an event loop that waits, a thread of a pool that has nothing to do, the
tasks that keep the lifespan.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from itertools import dropwhile
from traceback import StackSummary

from lambent.invocation import CURRENT
from lambent.runtime.diagnostic import is_machinery

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from contextvars import Context
    from types import FrameType

    from lambent.invocation import Handled

_LIBRARY = threading.__file__.replace("\\", "/").rpartition("/")[0] + "/"
_WAITING = tuple(f"{_LIBRARY}{name}" for name in ("threading.py", "queue.py", "selectors.py", "runpy.py"))
_POOLS = (f"{_LIBRARY}concurrent/futures/", "/anyio/_backends/", "/lambent/threads.py")
"""Where a thread takes what it is to do. AnyIO's call sync endpoints of Starlette and FastAPI, ours those of Api."""
_PORTAL = "/anyio/from_thread.py"
"""What a thread of AnyIO's begins in that runs a loop of its own, in the same module as its pool: it has no end."""
_IDLE = ("_worker", "_run")
"""The functions, of concurrent.futures and ours, in which a thread waits for something to do."""


def of_thread(ident: int | None) -> str:
    """Where a thread stands; empty if it has ended."""
    return _text(_stack(sys._current_frames().get(ident or 0)))  # noqa: SLF001 - `sys` documents it for this


def of_tasks(loop: asyncio.AbstractEventLoop, invocation: Handled) -> str:
    """Where the tasks stand that handle an invocation, each down to what it awaits. To be called on the loop."""
    tasks = (
        task
        for task in asyncio.all_tasks(loop)
        if any(context.get(CURRENT) is invocation for context in _contexts(task))
    )
    return _of_tasks(tasks)


def of_loop(loop: asyncio.AbstractEventLoop) -> str:
    """Where all tasks of a loop stand that has no invocation any more. May be called from another thread."""
    return _of_tasks(asyncio.all_tasks(loop))


def of_pools() -> str:
    """Where the threads of pools stand that have something to do. Whose it is cannot be told."""
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    stacks = []
    for ident, frame in sys._current_frames().items():  # noqa: SLF001 - see above
        stack = list(_stack(frame))
        if _is_pool(next(filter(_may_be_pool, stack), frame)):
            calls = _is_pool(frame) and frame.f_code.co_name not in _IDLE  # what is not Python's has no frame
            stacks.append((names.get(ident, str(ident)), _format([frame]) if calls else _text(stack)))
    return _listed("thread", stacks)


def _of_tasks(tasks: Iterable[asyncio.Task[object]]) -> str:
    return _listed("task", ((task.get_name(), _text(_awaited(task.get_coro()))) for task in tasks))


def _listed(kind: str, stacks: Iterable[tuple[str, str]]) -> str:
    """By their names, which are not theirs alone: all threads of AnyIO's pools have one."""
    return "".join(f"{kind} {name}:\n{stack}" for name, stack in sorted(stacks) if stack)


def _text(frames: Iterable[FrameType]) -> str:
    """As a traceback shows them, without the machinery before the user's first."""
    shown = dropwhile(lambda frame: is_machinery(_path(frame)) or _is_idle(frame), frames)
    return _format(shown)


def _format(frames: Iterable[FrameType]) -> str:
    return "".join(StackSummary.extract((frame, frame.f_lineno) for frame in frames).format())


def _path(frame: FrameType) -> str:
    return frame.f_code.co_filename.replace("\\", "/")


def _is_idle(frame: FrameType) -> bool:
    path = _path(frame)
    return path.startswith((*_WAITING, "<frozen runpy")) or _is_pool(frame)


def _may_be_pool(frame: FrameType) -> bool:
    return _is_pool(frame) or _path(frame).endswith(_PORTAL)


def _is_pool(frame: FrameType) -> bool:
    path = _path(frame)
    return any(pool in path for pool in _POOLS)


def _stack(frame: FrameType | None) -> Iterable[FrameType]:
    """A frame and those that called it, the outermost first."""
    frames = []
    while frame is not None:
        frames.append(frame)
        frame = frame.f_back
    return reversed(frames)


def _awaited(awaited: object) -> Iterator[FrameType]:
    """The frames of a coroutine that is suspended, and of those that it awaits."""
    while awaited is not None:
        for frame, inner in (("cr_frame", "cr_await"), ("gi_frame", "gi_yieldfrom"), ("ag_frame", "ag_await")):
            if hasattr(awaited, frame):
                if getattr(awaited, frame) is not None:
                    yield getattr(awaited, frame)
                awaited = getattr(awaited, inner)
                break
        else:
            return


def _contexts(task: asyncio.Task[object]) -> Iterable[Context]:
    """The context of a task; before Python 3.12, which tells it, those of all that wait for the same as the task."""
    if sys.version_info >= (3, 12):
        return [task.get_context()]
    waits_for = getattr(task, "_fut_waiter", None)
    return [context for _, context in getattr(waits_for, "_callbacks", None) or ()]
