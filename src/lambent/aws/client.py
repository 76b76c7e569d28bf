"""A signed client of one AWS service.

client = Client("dynamodb", "https://dynamodb.eu-west-1.amazonaws.com", "eu-west-1")
response = await client.call("POST", "/", headers=[("x-amz-target", "…")], body=b"{}")
"""

from __future__ import annotations

import asyncio
import random
import time

from lambent.aws.credentials import Provider
from lambent.aws.response import Response
from lambent.aws.signature import Signer
from lambent.aws.transport import Transport, parse
from lambent.errors import ConfigurationError, ServiceError
from lambent.http1 import Request

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

THROTTLED = frozenset(
    """
    BandwidthLimitExceeded EC2ThrottledException LimitExceededException PriorRequestNotComplete
    ProvisionedThroughputExceededException RequestLimitExceeded RequestThrottled RequestThrottledException SlowDown
    ThrottledException Throttling ThrottlingException TooManyRequestsException TransactionInProgressException
    """.split()
)
"""Errors that say *later*, some of them with status 400 (botocore.retries.standard)."""

PASSING = frozenset({"RequestTimeout", "RequestTimeoutException"})
"""Errors with status 400 that say *once more*."""

LASTING = frozenset({501, 505})
"""Of the 5xx those that no second attempt changes."""

_PAUSE = 0.1
"""Seconds before the second attempt at most, half of it on average; twice that before each further one."""
_LONGEST_PAUSE = 5.0


class Client:
    """Asks one service, at one endpoint. Connections are made when they are needed, and belong to the running loop.

    - `service`: its name in signatures: `dynamodb`, `s3`, `execute-api`
    - `endpoint`: `https://host`, `http://127.0.0.1:8000`, with a path in front of all others or without
    - `credentials`, `transport`: shared with others, or its own
    - `attempts`: how often a request is sent at most
    - `timeout`: seconds that one attempt may take
    - `remaining`: the seconds that are left for it all, or None for no end; with it, no attempt outlives them
    """

    def __init__(
        self,
        service: str,
        endpoint: str,
        region: str,
        *,
        credentials: Provider | None = None,
        transport: Transport | None = None,
        attempts: int = 4,
        timeout: float = 10.0,
        remaining: Callable[[], float | None] | None = None,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        dice: Callable[[], float] = random.random,
    ) -> None:
        """Raises ConfigurationError for an endpoint that is none."""
        self._service = service
        self._origin, self._prefix = parse(endpoint)
        self._signer = Signer(service, region)
        self._transport = transport or Transport()
        self._owns_transport = transport is None
        self._credentials = credentials or Provider(transport=self._transport)
        self._attempts = attempts
        self._timeout = timeout
        self._remaining = remaining or _no_end
        self._now = now
        self._sleep = sleep
        self._dice = dice

    def __repr__(self) -> str:
        return f"<{self._service} at {self._where}>"

    async def call(
        self,
        method: str,
        path: str,
        *,
        query: str = "",
        headers: Iterable[tuple[str, str]] = (),
        body: bytes = b"",
    ) -> Response:
        """Ask, and return the answer, whatever its status: a status of 400 or more is not raised.

        `path` and `query` are percent-encoded, as they go over the wire: `quote(name, safe="")` for each part. Sent
        again after 429, 5xx, what means throttling, and connections that broke: so it may have been done twice, and
        an answer to the second may speak of what the first one did. Raises ServiceError with status 0 if there is no
        answer, and ConfigurationError if there are no credentials.
        """
        fields = tuple(headers)
        _check(f"{path}?{query}", fields)
        request = Request(method, self._prefix + path, fields, body)
        for attempt in range(1, self._attempts + 1):
            response, failure = await self._attempt(request, query)
            if response is not None and not _is_passing(response):
                return response
            if attempt == self._attempts:
                break
            pause = self._pause(attempt, response)
            if not self._lasts(pause, failure):
                break
            await self._sleep(pause)
        if response is None:
            raise self._silence(failure, attempt)
        return response

    async def close(self) -> None:
        """Close its connections, but those of a transport that is shared. It may be used again."""
        if self._owns_transport:
            self._transport.close()

    @property
    def _where(self) -> str:
        return f"{self._origin.scheme}://{self._origin.authority}{self._prefix}"

    async def _attempt(self, request: Request, query: str) -> tuple[Response | None, OSError | None]:
        """Sign and send it once: the answer, or why there is none."""
        credentials = await self._credentials.get()
        left = self._remaining()
        added = self._signer.sign(
            credentials,
            self._now(),
            request.method,
            self._origin.authority,
            request.path,
            query,
            request.headers,
            request.body,
        )
        path = f"{request.path}?{query}" if query else request.path
        signed = request._replace(path=path, headers=(*request.headers, *added))
        try:
            async with asyncio.timeout(left):
                reply = await self._transport.send(self._origin, signed, self._timeout)
        except OSError as error:
            return None, error
        return Response(reply.status, reply.headers, reply.body), None

    def _pause(self, attempt: int, response: Response | None) -> float:
        """Seconds before the next attempt: by the dice, and no fewer than the service asks for."""
        asked = response.headers.get("retry-after", "") if response else ""
        least = min(float(asked), _LONGEST_PAUSE) if asked.isdecimal() and asked.isascii() else 0.0
        return max(least, self._dice() * min(_PAUSE * 2.0 ** (attempt - 1), _LONGEST_PAUSE))

    def _lasts(self, pause: float, failure: OSError | None) -> bool:
        """Whether another attempt after the pause has time, and a chance: a certificate is not trusted twice either."""
        left = self._remaining()
        is_untrusted = isinstance(failure, ValueError)  # only ssl.SSLCertVerificationError is both
        return not is_untrusted and (left is None or left > pause)

    def _silence(self, failure: OSError | None, attempts: int) -> ServiceError:
        reason = str(failure) or "the invocation has no time left"
        times = "once" if attempts == 1 else f"{attempts} times"
        return ServiceError(
            f"{self._service} at {self._where} does not answer: {reason} (asked {times}). Check that the endpoint is "
            "right, and that it can be reached from here: a function in a VPC needs a NAT gateway or a VPC endpoint."
        )


def _no_end() -> None:
    """There is no deadline."""


def _is_passing(response: Response) -> bool:
    """Whether another attempt may be answered otherwise."""
    if response.status >= 500:
        return response.status not in LASTING
    return response.status == 429 or (response.status >= 400 and response.code in THROTTLED | PASSING)


def _check(target: str, headers: tuple[tuple[str, str], ...]) -> None:
    """Refuse what would not arrive as it is signed."""
    if not target.startswith("/") or not target.isascii() or not target.isprintable() or " " in target:
        raise ConfigurationError(f"Expected path and query to be percent-encoded, but got {target!r}.")
    for name, value in headers:
        if not value.isascii() or not value.isprintable():
            raise ConfigurationError(f"Expected the header {name!r} to be printable ASCII, but it is not.")
