"""The public keys of whoever issues tokens: a JWKS in a file or at a URL, kept as AWS keeps it.

A URL is read once in two hours; sooner, but not more often than once in ten seconds, where a token names a key that
is not known. A file is read again when it has changed. Where neither is given, the issuer tells its URL: at
`.well-known/openid-configuration`, as OpenID Connect Discovery has it.

Source: docs.aws.amazon.com/apigateway, "Control access to HTTP APIs with JWT authorizers": two hours, 1,500 ms.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from lambent.dev.authorizers.tokens import BadToken

KEPT = 7200.0
AGAIN = 10.0
PATIENCE = 1.5
"""Seconds."""
SIZE_LIMIT = 1024 * 1024

Read = Callable[[str], bytes]
"""A URL → what is there. OSError: why there is nothing; it may take a while."""
Key = Mapping[str, object]

UNREACHABLE = "JWKS communication error"
UNDISCOVERED = "OIDC discovery endpoint communication error"


class Keys:
    """All of them, by place and issuer."""

    def __init__(self, read: Read | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._read = read or get
        self._clock = clock
        self._sets: dict[tuple[str, str], KeySet] = {}

    async def find(self, place: str, issuer: str, key_id: str) -> Key:
        """The key. Raises BadToken if there is none, or if they cannot be had."""
        known = self._sets.get((place, issuer))
        if known is None:
            known = self._sets[place, issuer] = KeySet(place, issuer, self._read, self._clock)
        return await known.find(key_id)


class KeySet:
    """Of one issuer."""

    def __init__(self, place: str, issuer: str, read: Read, clock: Callable[[], float]) -> None:
        self._place = place
        self._issuer = issuer
        self._read = read
        self._clock = clock
        self._keys: dict[str, Key] = {}
        self._since: float | None = None
        self._stamp: object = None
        """Of the file, as it was read."""
        self._reading: asyncio.Task[None] | None = None

    async def find(self, key_id: str) -> Key:
        if self._is_stale(key_id):
            await self._renewed()
        if key_id not in self._keys:
            names = ", ".join(f"{each!r:.60}" for each in list(self._keys)[:10]) or "none"
            why = f"the token names the key {key_id!r:.60}, but {self._where()} has {names}"
            raise BadToken("unable to find a signing key that matches the kid", why)
        return self._keys[key_id]

    def _is_stale(self, key_id: str) -> bool:
        if self._since is None:
            return True
        if self._place and not is_url(self._place):
            return stamp(Path(self._place)) != self._stamp
        return self._clock() - self._since >= (KEPT if key_id in self._keys else AGAIN)

    async def _renewed(self) -> None:
        """Read them; those who ask meanwhile wait for the same."""
        if self._reading is None:
            self._reading = asyncio.create_task(asyncio.to_thread(self._renew))
            self._reading.add_done_callback(self._read_through)
        await asyncio.shield(self._reading)

    def _read_through(self, task: asyncio.Task[None]) -> None:
        self._reading = None
        if not task.cancelled():
            task.exception()  # told to those who wait, of whom there may be none

    def _renew(self) -> None:
        """In a thread. Raises BadToken."""
        place = self._place or self._discover()
        if is_url(place):
            self._keys = self._parsed(self._had(place, UNREACHABLE))
        else:
            self._stamp = stamp(Path(place))
            self._keys = self._parsed(read_file(place))
        self._since = self._clock()

    def _discover(self) -> str:
        where = f"{self._issuer.rstrip('/')}/.well-known/openid-configuration"
        if not is_url(where):
            raise BadToken(UNDISCOVERED, f"the issuer {self._issuer!r} is no URL, and the authorizer names no JWKS")
        found = parsed(self._had(where, UNDISCOVERED))
        place = found.get("jwks_uri") if isinstance(found, dict) else None
        if not isinstance(place, str) or not is_url(place):
            raise BadToken(UNDISCOVERED, f"{where} names no jwks_uri")
        return place

    def _had(self, place: str, description: str) -> bytes:
        try:
            return self._read(place)
        except OSError as error:
            raise BadToken(description, f"{place} cannot be read: {error}") from None

    def _parsed(self, content: bytes) -> dict[str, Key]:
        """By their ids. Those for other things than signatures are left out."""
        found = parsed(content)
        keys = found.get("keys") if isinstance(found, dict) else None
        if not isinstance(keys, list):
            raise BadToken(UNREACHABLE, f"{self._where()} is no JWKS: expected JSON with a list of keys")
        signing = (key for key in keys if isinstance(key, dict) and key.get("use", "sig") == "sig")
        return {str(key["kid"]): key for key in signing if "kid" in key}

    def _where(self) -> str:
        return self._place or f"the JWKS of {self._issuer}"


def is_url(place: str) -> bool:
    return place.startswith(("http://", "https://"))


def parsed(content: bytes) -> object:
    """As JSON; None for what is none."""
    try:
        found: object = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return found


def stamp(file: Path) -> object:
    """What changes with the file; None if it is not there."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


def read_file(place: str) -> bytes:
    try:
        return Path(place).read_bytes()
    except OSError as error:
        raise BadToken(UNREACHABLE, f"{place} cannot be read: {error.strerror}") from None


def get(url: str) -> bytes:
    """What is at an HTTP URL. OSError if it cannot be had within PATIENCE, or is too large."""
    import http.client
    import urllib.error
    import urllib.request

    end = time.monotonic() + PATIENCE
    content = b""
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE) as response:  # noqa: S310 - the caller has looked
            while piece := response.read1(65536):
                content += piece
                if time.monotonic() > end:
                    raise TimeoutError(f"it takes longer than {PATIENCE:g} s")
                if len(content) > SIZE_LIMIT:
                    raise OSError(f"it is larger than {SIZE_LIMIT} bytes")
    except urllib.error.HTTPError as error:
        with error:
            raise OSError(f"HTTP status {error.code}") from None
    except urllib.error.URLError as error:
        raise OSError(str(error.reason)) from None
    except (http.client.HTTPException, ValueError) as error:
        raise OSError(f"{type(error).__name__}: {error}") from None
    return content
