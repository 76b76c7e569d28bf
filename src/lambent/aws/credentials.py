"""Who asks, and where: credentials and region, found in the order in which botocore looks for them.

1. AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, with AWS_SESSION_TOKEN: what Lambda sets
2. the keys that `~/.aws/credentials` or `~/.aws/config` have for the profile of AWS_PROFILE, else for `default`
3. the endpoint of AWS_CONTAINER_CREDENTIALS_FULL_URI or _RELATIVE_URI: what Lambda sets with SnapStart

Profiles that get theirs from elsewhere (single sign-on, a role, a program) are not followed, and an instance of EC2 is
not asked for its role's: the error says what to do.
"""

from __future__ import annotations

import asyncio
import logging
import math
import os
import time

from lambent.aws import container, profiles
from lambent.aws.signature import Credentials
from lambent.aws.transport import Transport
from lambent.errors import ConfigurationError, ServiceError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from lambent.aws.profiles import Profile

logger = logging.getLogger("lambent")

EARLY = 600.0
"""Seconds before they expire in which credentials are fetched anew, as botocore does at the latest."""
_AGAIN = 30.0
"""Seconds until an endpoint is asked once more, if it gave none, or none that last."""

_TOKENS = ("AWS_SECURITY_TOKEN", "AWS_SESSION_TOKEN")  # the first is the older name; botocore looks at it first
_WEB_IDENTITY = "AWS_WEB_IDENTITY_TOKEN_FILE"
_EXPORT = "aws configure export-credentials --format env"

_BEFORE_KEYS = ("role_arn", "web_identity_token_file", "sso_role_name", "sso_account_id")
_AFTER_KEYS = ("login_session", "credential_process")
"""Keys of a profile that say that its credentials come from elsewhere; before the keys of the file, and after them."""


class Provider:
    """Finds credentials and keeps them; those that expire are fetched anew in time. One for all who ask."""

    def __init__(
        self,
        environ: Mapping[str, str] = os.environ,
        *,
        transport: Transport | None = None,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        """`transport` asks the container's endpoint: shared with others, or its own."""
        self._environ = environ
        self._transport = transport or Transport()
        self._owns_transport = transport is None
        self._now = now
        self._sleep = sleep
        self._kept: Credentials | None = None
        self._again = 0.0
        """When to look once more."""
        self._turn: tuple[asyncio.AbstractEventLoop, asyncio.Lock] | None = None

    async def get(self) -> Credentials:
        """Those to sign with now.

        Raises ConfigurationError that lists where was looked, and ServiceError if the endpoint that should give them
        out does not.
        """
        found = _of_environment(self._environ)
        if found is not None:
            return found
        if self._kept is None or self._now() >= self._again:
            async with self._lock():
                if self._kept is None or self._now() >= self._again:
                    await self._look()
        if self._kept is None:
            raise _not_found(self._environ)
        return self._kept

    def close(self) -> None:
        """Close its own connections. It may be used again."""
        if self._owns_transport:
            self._transport.close()

    def _lock(self) -> asyncio.Lock:
        """Lets one fetch for all who wait; a lock belongs to a loop."""
        loop = asyncio.get_running_loop()
        if self._turn is None or self._turn[0] is not loop:
            self._turn = loop, asyncio.Lock()
        return self._turn[1]

    async def _look(self) -> None:
        if self._environ.get(_WEB_IDENTITY):
            raise ConfigurationError(
                f"{_WEB_IDENTITY} is set: the credentials are those of a role, which is not followed here. "
                "On EKS, Pod Identity gives them out by AWS_CONTAINER_CREDENTIALS_FULL_URI."
            )
        if found := _of_profile(profiles.read(self._environ)):
            self._kept, self._again = found, math.inf
        elif self._environ.get(container.RELATIVE) or self._environ.get(container.FULL):
            await self._fetch()

    async def _fetch(self) -> None:
        """Ask the endpoint; what is kept and still good outlives its failure."""
        try:
            self._kept = await container.fetch(self._environ, self._transport, self._sleep)
        except ServiceError as error:
            expires = (self._kept and self._kept.expires) or 0.0
            if expires <= self._now():
                raise
            logger.warning("%s Those of before are used until they expire.", error)
            self._again = self._soon(expires)
        else:
            expires = math.inf if self._kept.expires is None else self._kept.expires
            self._again = max(expires - EARLY, self._soon(expires))

    def _soon(self, expires: float) -> float:
        """In _AGAIN, or when they expire. If they have, maybe by a clock that is wrong, that does not count."""
        now = self._now()
        return min(now + _AGAIN, expires) if expires > now else now + _AGAIN


def region(environ: Mapping[str, str] = os.environ) -> str:
    """The region: AWS_REGION, AWS_DEFAULT_REGION, or the profile's. Raises ConfigurationError if nothing tells."""
    told = environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION") or profiles.read(environ).get("region")
    if not told:
        where = profiles.place(profiles.CONFIG, environ)
        raise ConfigurationError(
            f"Expected AWS_REGION, AWS_DEFAULT_REGION or the `region` of a profile in {where} to tell the region, but "
            "none does. Set AWS_REGION, such as eu-west-1."
        )
    return told


def _of_environment(environ: Mapping[str, str]) -> Credentials | None:
    access_key = environ.get("AWS_ACCESS_KEY_ID")
    if not access_key:
        return None
    secret_key = environ.get("AWS_SECRET_ACCESS_KEY")
    if not secret_key:
        raise ConfigurationError(
            "Expected AWS_SECRET_ACCESS_KEY beside AWS_ACCESS_KEY_ID, but it is not set: set both."
        )
    token = next((environ[name] for name in _TOKENS if name in environ), "")
    return Credentials(access_key, secret_key, token)


def _of_profile(profile: Profile) -> Credentials | None:
    """The keys of the files. Raises ConfigurationError if they are elsewhere."""
    _refuse(profile, _BEFORE_KEYS)
    found = _keys(profile.name, profile.credentials)
    if found is None:
        _refuse(profile, _AFTER_KEYS)
        found = _keys(profile.name, profile.config)
    return found


def _refuse(profile: Profile, keys: tuple[str, ...]) -> None:
    for key in keys:
        if profile.get(key):
            raise ConfigurationError(
                f"The AWS profile {profile.name!r} gets its credentials from elsewhere (`{key}`), where is not looked. "
                f'Put them in the environment: eval "$({_EXPORT} --profile {profile.name})"'
            )


def _keys(name: str, section: dict[str, str]) -> Credentials | None:
    access_key = section.get("aws_access_key_id")
    if not access_key:
        return None
    secret_key = section.get("aws_secret_access_key")
    if not secret_key:
        raise ConfigurationError(
            f"The AWS profile {name!r} has aws_access_key_id, but no aws_secret_access_key: add it."
        )
    token = section.get("aws_security_token") or section.get("aws_session_token") or ""
    return Credentials(access_key, secret_key, token)


def _not_found(environ: Mapping[str, str]) -> ConfigurationError:
    profile = profiles.read(environ)
    files = (profiles.CREDENTIALS, profiles.CONFIG)
    return ConfigurationError(
        "No AWS credentials were found: AWS_ACCESS_KEY_ID is not set; "
        f"{' and '.join(profiles.place(file, environ) for file in files)} have no keys for the profile "
        f"{profile.name!r}; neither {container.FULL} nor {container.RELATIVE} is set. Set AWS_ACCESS_KEY_ID and "
        f"AWS_SECRET_ACCESS_KEY: `{_EXPORT}` prints those of the AWS CLI, and for a server on this machine any will do."
    )
