"""`python -m lambent.runtime app:app`: where the runtime and the adapter, which do not know each other, are joined."""

from __future__ import annotations

from lambent.runtime.lifecycle import main

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lambent.types import ASGIApp, Handler


def adapt(app: ASGIApp) -> Handler:
    """A bare ASGI application, as `Lambent` runs it by default."""
    from lambent import Lambent

    return Lambent(app)


main(adapt)
