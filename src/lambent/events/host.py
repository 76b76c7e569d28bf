"""Whose events these are: the Lambent that holds them, as far as functions of events need it."""

from __future__ import annotations

from lambent.gateway import GATEWAYS
from lambent.gateway.model import DEFAULTS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from lambent.gateway.model import Settings
    from lambent.gateway.protocol import Gateway
    from lambent.types import ASGIApp


class Host:
    """An application, what its lifespan has left, and what is set of its requests. No app: nobody holds them."""

    __slots__ = ("app", "base_path", "gateways", "settings", "state")

    app: ASGIApp | None
    state: Callable[[], dict[str, object]]
    """What the lifespan that runs has left."""

    def __init__(self) -> None:
        self.app = None
        self.state = dict
        self.gateways: Iterable[Gateway] = GATEWAYS
        self.settings: Settings = DEFAULTS
        self.base_path = ""
