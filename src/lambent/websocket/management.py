"""The @connections API: post to a WebSocket connection, close it, ask about it.

Source: docs.aws.amazon.com/apigateway, "Use @connections commands in your backend service", and "Quotas for configuring
and running a WebSocket API".
"""

from __future__ import annotations

import asyncio
import random
import time
from typing import NamedTuple

from lambent.aws.client import Client
from lambent.errors import ConnectionGone, InvalidMessage, ServiceError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from lambent.aws.credentials import Provider
    from lambent.aws.response import Response
    from lambent.aws.transport import Transport
    from lambent.types import Event

LIMIT = 128 * 1024
"""Bytes of one message."""

SETTLING = 5.0
"""Seconds after `$connect` in which API Gateway may not know of the connection yet."""

_PAUSE = 0.05
_LONGEST_PAUSE = 1.0


class Info(NamedTuple):
    """What API Gateway knows of a connection. Times are seconds since the epoch."""

    connected_at: float
    last_active_at: float
    source_ip: str
    user_agent: str


class Management:
    """The connections of one WebSocket API, at the endpoint that `lambent.websocket.endpoint` tells."""

    def __init__(
        self,
        endpoint: str,
        region: str,
        *,
        credentials: Provider | None = None,
        transport: Transport | None = None,
        remaining: Callable[[], float | None] | None = None,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        dice: Callable[[], float] = random.random,
    ) -> None:
        """`credentials` to `dice` as a Client takes them. Raises ConfigurationError for an endpoint that is none."""
        self._endpoint = endpoint
        self._client = Client(
            "execute-api",
            endpoint,
            region,
            credentials=credentials,
            transport=transport,
            remaining=remaining,
            now=now,
            sleep=sleep,
            dice=dice,
        )
        self._remaining = remaining
        self._now = now
        self._sleep = sleep
        self._dice = dice

    def __repr__(self) -> str:
        return f"Management({self._endpoint!r})"

    async def post(self, connection_id: str, data: bytes, *, connected_at: float | None = None) -> None:
        """Send a message. `connected_at` (seconds since the epoch): for its first 5 s a 410 means *not yet*.

        Raises ConnectionGone, InvalidMessage for one that is too long, and ServiceError.
        """
        if len(data) > LIMIT:
            raise _too_long(len(data))
        response = await self._call("POST", connection_id, data, connected_at)
        if response.status == 413:
            raise _too_long(len(data))
        self._check(response, connection_id)

    async def close(self, connection_id: str, *, connected_at: float | None = None) -> None:
        """Close a connection; one that is gone is closed. `connected_at` as for `post`. Raises ServiceError."""
        response = await self._call("DELETE", connection_id, b"", connected_at)
        if response.status != 410:
            self._check(response, connection_id)

    async def info(self, connection_id: str) -> Info:
        """Ask about a connection. Raises ConnectionGone and ServiceError."""
        response = await self._call("GET", connection_id, b"", None)
        self._check(response, connection_id)
        return _info(response)

    async def aclose(self) -> None:
        """Close its own connections to API Gateway. It may be used again."""
        await self._client.close()

    async def _call(self, method: str, connection_id: str, data: bytes, connected_at: float | None) -> Response:
        """Ask, and again while a 410 means *not yet*."""
        attempt = 0
        while True:
            response = await self._client.call(method, _path(connection_id), body=data)
            attempt += 1
            pause = self._pause(attempt, connected_at) if response.status == 410 else None
            if pause is None:
                return response
            await self._sleep(pause)

    def _pause(self, attempt: int, connected_at: float | None) -> float | None:
        """Seconds before a connection that is not known is asked for again; None if it is gone."""
        settled = (connected_at or 0.0) + SETTLING - self._now()
        if not 0.0 < settled <= SETTLING:
            return None
        pause = min((0.5 + self._dice() / 2) * min(_PAUSE * 2.0**attempt, _LONGEST_PAUSE), settled)
        left = self._remaining() if self._remaining else None
        return pause if left is None or left > pause else None

    def _check(self, response: Response, connection_id: str) -> None:
        """Raise what an answer means, if it is an error."""
        if response.status < 300:
            return
        if response.status == 410:
            raise ConnectionGone(f"The connection {connection_id} is gone.", 410, response.code)
        said = f" It says: {response.message!r}." if response.message else ""
        hint = _HINTS.get(response.status, "")
        raise ServiceError(
            f"Expected the WebSocket API at {self._endpoint} to take what is asked of the connection {connection_id}, "
            f"but it answers {' '.join(filter(None, (str(response.status), response.code)))}.{said}{hint}",
            response.status,
            response.code,
        )


_HINTS = {
    400: " Either the connection's id is none, or it is one of another API: look at the endpoint.",
    403: " Allow execute-api:ManageConnections on the API's `@connections/*` to the function's role; if that is "
    "allowed, the endpoint is wrong: its stage, its region, or another API.",
    404: " The endpoint is wrong: it should end with the API's stage, and have no other path.",
}
"""What to do about a status."""


def _path(connection_id: str) -> str:
    from urllib.parse import quote

    return f"/@connections/{quote(connection_id, safe='')}"


def _too_long(size: int) -> InvalidMessage:
    return InvalidMessage(
        f"Expected a message of at most {LIMIT} bytes, which is all that API Gateway sends at once, but got {size}: "
        "send it in parts."
    )


def _info(response: Response) -> Info:
    import json

    try:
        told = json.loads(response.body)
        identity = told.get("identity") or {}
        return Info(
            _moment(told.get("connectedAt")),
            _moment(told.get("lastActiveAt")),
            identity.get("sourceIp") or "",
            identity.get("userAgent") or "",
        )
    except (ValueError, TypeError, AttributeError) as error:
        raise ServiceError(
            "Expected JSON with connectedAt, lastActiveAt and identity from the WebSocket API, but it cannot be read.",
            response.status,
        ) from error


def _moment(told: Event) -> float:
    """A time, as ISO 8601 or as seconds since the epoch."""
    from datetime import datetime

    return datetime.fromisoformat(told).timestamp() if isinstance(told, str) else float(told)
