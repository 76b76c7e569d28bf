"""What the stores in AWS share: where one is, and what to say if its service does not do its part."""

from __future__ import annotations

import os
from typing import NamedTuple
from urllib.parse import parse_qsl

from lambent.aws.client import THROTTLED, Client
from lambent.aws.credentials import region as usual_region
from lambent.aws.partition import suffix
from lambent.aws.transport import Transport
from lambent.errors import ConfigurationError, ServiceError, StoreError
from lambent.stores import shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lambent.aws.response import Response

ATTEMPTS = 3
CONNECTING = 2.0
PATIENCE = 3.0
"""Seconds that connecting, and an attempt in all, may take: a service that is silent is given up within ten."""

OPTIONS = {"region", "endpoint_url"}

NOT_MADE = {"ResourceNotFoundException", "NoSuchBucket"}
DENIED = {"AccessDeniedException", "AccessDenied"}
UNKNOWN = set(
    """
    ExpiredToken ExpiredTokenException IncompleteSignature InvalidAccessKeyId InvalidClientTokenId
    InvalidSignatureException InvalidToken MissingAuthenticationTokenException RequestTimeTooSkewed
    SignatureDoesNotMatch UnrecognizedClientException
    """.split()
)
"""Codes of errors that say: there is none, you may not, who are you."""

LONGEST = 300
"""Characters of a service's own words that are passed on. What follows their first line may have a token in it."""


class Address(NamedTuple):
    """What a URL says, and where it is silent the environment."""

    name: str
    """Of the table or bucket, as it is written: tables have capital letters."""
    path: str
    """What follows it, without slashes around it."""
    region: str
    endpoint: str
    """Empty if it is AWS's own for the region."""

    def host(self, service: str) -> str:
        """The endpoint, or AWS's own."""
        return self.endpoint or f"https://{service}.{self.region}.{suffix(self.region)}"


def parse(url: str, form: str, environ: Mapping[str, str] = os.environ) -> Address:
    """Take a URL of `form` apart. Raises ConfigurationError for other options, and if nothing tells the region."""
    scheme, _, rest = url.partition("://")
    place, _, query = rest.partition("?")
    name, _, path = place.partition("/")
    options = dict(parse_qsl(query, keep_blank_values=True))
    if not name or "#" in url or options.keys() - OPTIONS:
        raise ConfigurationError(f"Expected {form}, but got {shown(url)!r}.")
    endpoint = (
        options.get("endpoint_url")
        or environ.get(f"AWS_ENDPOINT_URL_{scheme.upper()}")
        or environ.get("AWS_ENDPOINT_URL")
        or ""
    )
    return Address(name, path.strip("/"), options.get("region") or usual_region(environ), endpoint)


class Service:
    """Asks the service of one store.

    - `service`: its name in signatures: `dynamodb`, `s3`
    - `needs`: the permissions without which nothing works, in words
    """

    def __init__(
        self, url: str, service: str, endpoint: str, region: str, needs: str, transport: Transport | None = None
    ) -> None:
        """Raises ConfigurationError for an endpoint that is none."""
        self._url = url
        self._needs = needs
        self._transport = transport or Transport(connecting=CONNECTING)
        self._client = Client(service, endpoint, region, transport=self._transport, attempts=ATTEMPTS, timeout=PATIENCE)

    def __repr__(self) -> str:
        return shown(self._url)

    async def ask(
        self, method: str, path: str, *, query: str = "", headers: Iterable[tuple[str, str]] = (), body: bytes = b""
    ) -> Response:
        """Return the answer, whatever its status. Raises StoreError if there is none."""
        try:
            return await self._client.call(method, path, query=query, headers=headers, body=body)
        except ServiceError as error:
            raise StoreError(f"{self!r}: {error}") from error

    def failure(self, response: Response) -> StoreError:
        """What to raise for an answer that is an error: what it says, and what to do."""
        lines = response.message.splitlines()
        said = f"{response.code or response.status}{f' ({lines[0][:LONGEST]})' if lines else ''}"
        return StoreError(f"{self!r}: {self._advice(response.code, response.status, said)}")

    def stranger(self) -> StoreError:
        """What to raise for an answer that is no error, and none of this service's either."""
        return StoreError(
            f"{self!r}: expected an answer of the service, but got something else. Check endpoint_url in the URL, or "
            "AWS_ENDPOINT_URL: something else may listen there."
        )

    def close(self) -> None:
        """Close its connections. It may be used again."""
        self._transport.close()

    def _advice(self, code: str, status: int, said: str) -> str:
        if code in NOT_MADE:
            return f"it is not there, or not in this region. Run: lambent stores init {self!r}"
        if code in DENIED or (status == 403 and not code):
            return f"{said}. The function's role, or whose credentials these are, needs {self._needs}."
        if code in UNKNOWN:
            return f"{said}. Check the credentials, and that the clock of this machine is right."
        if status in {301, 307, 400} and code in {"", "AuthorizationHeaderMalformed", "PermanentRedirect"}:
            return f"{said}. Maybe it lies in another region: say which one by ?region= in the URL."
        if status in {429, 503} or code in THROTTLED:
            return f"{said}. The service wants fewer requests than come: more capacity, or fewer at a time."
        return f"{said}."
