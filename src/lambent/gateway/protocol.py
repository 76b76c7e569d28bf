"""The Gateway protocol, for the doors in this package and for a user's own."""

from __future__ import annotations

from typing import Protocol

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lambent.gateway.model import Request, Response, Settings
    from lambent.types import Event, Result


class Gateway(Protocol):
    """One front door. Three pure functions: is it yours, what does it say, how do you want the answer."""

    @property
    def name(self) -> str:
        """How error messages call it."""

    @property
    def limit(self) -> int:
        """Bytes that a reply may have, as JSON."""

    def matches(self, event: dict[str, Event]) -> bool:
        """Tell by one discriminating fact whether this door builds such events. Must not raise."""

    def request(self, event: dict[str, Event], settings: Settings) -> Request:
        """Translate the event. MalformedEvent, LookupError, TypeError, ValueError and AttributeError become a 400."""

    def reply(self, response: Response, event: dict[str, Event], settings: Settings) -> Result:
        """Translate the response into what this door expects the function to return."""
