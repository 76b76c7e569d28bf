"""What is done when the response has been sent."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, ParamSpec

    P = ParamSpec("P")


class BackgroundTasks:
    """Functions that are called one after the other when the response has been sent: sync ones in a thread.

    One that fails keeps none of the others from being called.
    """

    __slots__ = ("_calls",)

    def __init__(self) -> None:
        self._calls: list[tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]] = []

    def add_task(self, func: Callable[P, Any], *args: P.args, **kwargs: P.kwargs) -> None:
        """Have it called with these arguments. A task may add others."""
        self._calls.append((func, args, kwargs))

    def __len__(self) -> int:
        """How many there are still to be called."""
        return len(self._calls)

    async def __call__(self) -> None:
        """Call them. Raises what the one that failed has raised; of several an ExceptionGroup."""
        errors: list[Exception] = []
        while self._calls:
            function, args, kwargs = self._calls.pop(0)
            try:
                await _called(function, args, kwargs)
            except Exception as error:
                errors.append(error)
        if len(errors) == 1:
            raise errors[0]
        if errors:
            raise ExceptionGroup(f"{len(errors)} background tasks failed", errors)


async def _called(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    from asyncio import to_thread

    from lambent.functions import is_async

    if is_async(function):
        await function(*args, **kwargs)
        return
    made = await to_thread(function, *args, **kwargs)
    if hasattr(made, "__await__"):  # of a lambda, or of what wraps an async function
        await made
