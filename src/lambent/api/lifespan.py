"""What lives as long as the environment: what was entered at import, the application's lifespan, its threads."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, nullcontext

from lambent.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from typing import Any

    from lambent.api.application import Api
    from lambent.types import Receive, Scope, Send


async def serve(api: Api, scope: Scope, receive: Receive, send: Send) -> None:
    """One ASGI lifespan. Raises what startup or shutdown raised, once it has been told."""
    await receive()
    phase = "startup"
    try:
        async with _living(api) as state:
            if state:
                _given(scope).update(state)
            api.serving()  # here, where it costs no request anything
            await send({"type": "lifespan.startup.complete"})
            phase = "shutdown"
            with nullcontext() if api.early is None else api.early.upheld():
                await receive()
    except BaseException as error:
        await send({"type": f"lifespan.{phase}.failed", "message": f"{type(error).__name__}: {error}"})
        raise
    await send({"type": "lifespan.shutdown.complete"})


def _given(scope: Scope) -> dict[str, Any]:
    """Where the server wants the state."""
    if "state" not in scope:
        raise ConfigurationError(
            "The lifespan yields a state, but the server has none (ASGI, 'Lifespan State'): take another server, or "
            "keep it elsewhere and yield nothing."
        )
    state: dict[str, Any] = scope["state"]
    return state


@asynccontextmanager
async def _living(api: Api) -> AsyncIterator[Mapping[str, Any] | None]:
    early = api.early
    if early is not None:
        early.check(asyncio.get_running_loop())
    try:
        if api.lifespan is None:
            yield None
        else:
            async with api.lifespan(api) as state:
                yield state
    finally:
        try:
            if early is not None:
                await early.close()
        finally:
            api.workers.close()
