"""The application of `web`, started from a snapshot: what must not be in it, or cannot live through it, has hooks."""

import secrets

from lambent import after_restore

from .web import app, handler

__all__ = ["handler"]


@after_restore
async def number() -> None:
    """A number of each environment's own; one that was made at import would be the same in all of them."""
    app.state.environment = secrets.token_hex(4)


@app.get("/environment")
async def environment() -> dict[str, str]:
    return {"environment": getattr(app.state, "environment", "before any snapshot")}
