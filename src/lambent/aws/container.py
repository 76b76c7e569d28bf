"""Credentials from an endpoint beside the process: functions with SnapStart, ECS, EKS Pod Identity, Greengrass.

Source: docs.aws.amazon.com/sdkref, "Container credential provider"; botocore.credentials.ContainerProvider.
"""

from __future__ import annotations

import asyncio

from lambent.aws.response import Response
from lambent.aws.signature import Credentials
from lambent.aws.transport import parse
from lambent.errors import ConfigurationError, ServiceError
from lambent.http1 import Request

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from lambent.aws.transport import Transport

RELATIVE = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"
FULL = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
TOKEN = "AWS_CONTAINER_AUTHORIZATION_TOKEN"  # noqa: S105 - the name of a variable
TOKEN_FILE = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"  # noqa: S105 - as above

_ECS = "http://169.254.170.2"
_HOSTS = ("169.254.170.2", "169.254.170.23", "fd00:ec2::23", "localhost")
"""Which may be asked over plain HTTP, besides loopback addresses: nobody else is to see the token."""

_ATTEMPTS = 3
_SECONDS = 2.0
_PAUSE = 0.5


async def fetch(
    environ: Mapping[str, str],
    transport: Transport,
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
) -> Credentials:
    """Ask the endpoint that a variable names. Raises ConfigurationError and ServiceError."""
    relative = environ.get(RELATIVE)
    where, mark, query = (_ECS + relative if relative else environ[FULL]).partition("?")
    origin, path = parse(where)
    if origin.scheme == "http" and not _may_be_asked(origin.host):
        raise ConfigurationError(
            f"Expected {FULL} to be https, or http with a loopback address or one of {', '.join(_HOSTS)}, "
            f"but its host is {origin.host!r}."
        )
    request = Request("GET", f"{path or '/'}{mark}{query}", _headers(environ))
    failure = ""
    for attempt in range(_ATTEMPTS):
        if attempt:
            await sleep(_PAUSE)
        try:
            reply = await transport.send(origin, request, _SECONDS)
        except OSError as error:
            failure, response = str(error), Response(0, {}, b"")
            continue
        response = Response(reply.status, reply.headers, reply.body)
        if response.status == 200:
            return _read(response)
        failure = f"it answers {response.status} {response.code}".rstrip()
    raise ServiceError(
        f"The endpoint that gives out credentials, http at {origin.authority}, does not: {failure}. "
        f"The platform sets it, by {RELATIVE if relative else FULL}.",
        response.status,
        response.code,
    )


def _may_be_asked(host: str) -> bool:
    from ipaddress import ip_address

    if host in _HOSTS:
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _headers(environ: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    token = environ.get(TOKEN, "")
    if path := environ.get(TOKEN_FILE):
        try:
            with open(path, encoding="utf-8") as file:  # noqa: PTH123 - pathlib costs a cold start
                token = file.read()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"{TOKEN_FILE} is {path}, which cannot be read: {error}.") from error
    if not token:
        return (("accept", "application/json"),)
    if not (token.isascii() and token.isprintable()):
        variable = TOKEN_FILE if path else TOKEN
        raise ConfigurationError(f"Expected what {variable} gives to be one line of ASCII text, but it is not.")
    return (("accept", "application/json"), ("authorization", token))


def _read(response: Response) -> Credentials:
    import json
    from datetime import datetime

    try:
        told = json.loads(response.body)
        expiration = told.get("Expiration")
        expires = datetime.fromisoformat(expiration).timestamp() if expiration else None
        return Credentials(told["AccessKeyId"], told["SecretAccessKey"], told.get("Token") or "", expires)
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise ServiceError(
            "Expected JSON with AccessKeyId, SecretAccessKey, Token and Expiration from the endpoint that gives out "
            f"credentials, but it cannot be read ({type(error).__name__}).",
            response.status,
        ) from None
