"""A task that takes its first step at once.

Most functions never wait, and a pass of the event loop to begin one costs as much as ten records. From 3.12 on asyncio
can do without; in 3.11 a new task asks for its step with `call_soon`, which is caught (see lambent.runner), and taken
with no other task being the current one. A loop that does not let itself be caught (uvloop) begins it in its own time.
"""

from __future__ import annotations

import asyncio
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Coroutine
    from contextvars import Context
    from typing import Any


def begun(coroutine: Coroutine[Any, Any, None], context: Context) -> asyncio.Task[None]:
    """A task of the running loop. What its first step raises as an exit or an interrupt is raised."""
    loop = asyncio.get_running_loop()
    if sys.version_info >= (3, 12):
        return asyncio.Task(coroutine, loop=loop, context=context, eager_start=True)
    current = asyncio.current_task()
    if current is None or not hasattr(loop, "_ready"):
        return loop.create_task(coroutine, context=context)
    from lambent.runner import Caught

    caught = Caught()
    vars(loop)["call_soon"] = caught  # for the next line only
    try:
        task = asyncio.Task(coroutine, loop=loop, context=context)
    finally:
        del vars(loop)["call_soon"]
    asyncio.tasks._leave_task(loop, current)  # noqa: SLF001 - documented, for whoever makes tasks: "Extending asyncio"
    try:
        caught.run(caught.step)
    except (SystemExit, KeyboardInterrupt):
        task.exception()  # mark it as seen
        raise
    finally:
        asyncio.tasks._enter_task(loop, current)  # noqa: SLF001
    return task
