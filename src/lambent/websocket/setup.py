"""What conversations and Connections need, put together from what a person has said, or the environment says."""

from __future__ import annotations

import os

from lambent.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from lambent.aws.credentials import Provider
    from lambent.aws.transport import Transport
    from lambent.gateway.model import Response, Settings
    from lambent.stores.model import Store
    from lambent.types import ASGIApp, Event
    from lambent.websocket.conversations import Conversations
    from lambent.websocket.peers import Poster


class Posters:
    """What posts to clients: one for each endpoint, kept for the environment's life."""

    _credentials: Provider

    def __init__(self, poster: Poster | None = None, *, lent: bool = False) -> None:
        self._poster = poster
        """A stand-in for all of them."""
        self._lent = lent
        """Whether somebody else closes that."""
        self._made: dict[str, Poster] = {}
        self._transport: Transport | None = None
        """Of all of them."""

    def to(self, endpoint: str) -> Poster:
        """The one of this endpoint. Raises ConfigurationError if nothing tells its region, or it is none."""
        if self._poster is not None:
            return self._poster
        poster = self._made.get(endpoint)
        if poster is None:
            from lambent.aws.credentials import Provider
            from lambent.aws.transport import Transport
            from lambent.websocket.management import Management

            if self._transport is None:
                self._transport = Transport()
                self._credentials = Provider(transport=self._transport)
            poster = self._made[endpoint] = Management(
                endpoint, _region(endpoint), credentials=self._credentials, transport=self._transport
            )
        return poster

    async def close(self) -> None:
        """Close their connections. They may be used again."""
        if self._poster is not None and not self._lent:
            await self._poster.aclose()
        for poster in self._made.values():
            await poster.aclose()
        if self._transport is not None:
            self._transport.close()


def _region(endpoint: str) -> str:
    """The region that requests to it are signed for: as `region_of` tells, else the AWS profile's."""
    from lambent.aws.credentials import region
    from lambent.websocket.endpoint import region_of

    try:
        return region_of(endpoint, os.environ)
    except ConfigurationError:
        return region(os.environ)


def conversations(
    app: ASGIApp,
    websockets: str,
    store: str | Store | None,
    endpoint: str | Poster | None,
    settings: Settings,
    permit: Callable[[Response, BaseException | None], Response],
    state: Callable[[], dict[str, object]],
) -> Conversations:
    """Those of an application. Raises ConfigurationError."""
    from lambent.stores import opened
    from lambent.websocket.conversations import Conversations

    configured = endpoint if isinstance(endpoint, str) else None
    stand_in = None if isinstance(endpoint, str) else endpoint

    def endpoint_of(event: Event) -> str:
        from lambent.websocket.endpoint import endpoint as found

        return "" if stand_in is not None else found(event, configured, os.environ)

    return Conversations(
        app,
        opened(store),
        Posters(stand_in),
        endpoint_of,
        settings,
        permit=permit,
        state=state,
        resident=websockets == "resident",
    )
