"""What every store does, a user's own too: six things, and two to set it up and let it go."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from lambent.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator

ABSENT = ""
"""The version of what is not there."""

LONGEST = 512
"""Bytes of UTF-8 that a key, a group or a member has at most: what each store takes."""

LARGEST = 256 * 1024
"""Bytes that a value has at most. DynamoDB takes 400 KB, names included."""


class Stored(NamedTuple):
    """A value as it was found."""

    data: bytes
    version: str
    """Means nothing but itself: another one with each save, never empty."""


class Store(Protocol):
    """Values by key, and members by group, each until it expires: times are seconds since the epoch.

    Keys, groups and members are any text of 1 to 512 bytes of UTF-8 without NUL, values up to 256 KB: see `check`. What
    has expired is not found, whether it is still there or not. Connections to a service are made when they are needed,
    kept for the life of the event loop, and made anew where another loop asks. Every method raises StoreError where the
    service does not do its part; its message names the service and what to do, and has no secrets.
    """

    async def load(self, key: str) -> Stored | None:
        """Read a value. What was saved before is seen."""

    async def save(self, key: str, data: bytes, expires: float, version: str | None = None) -> str:
        """Write a value, and return its version.

        With a `version`, only if it is still that one, and with ABSENT, only if there is none; else StoreConflict, and
        nothing is written. With None, whatever is there.
        """

    async def delete(self, key: str) -> None:
        """Remove a value, if it is there."""

    async def join(self, group: str, member: str, expires: float) -> None:
        """Make `member` one of `group`; one that is already expires then."""

    async def leave(self, group: str, member: str) -> None:
        """Make `member` none of `group`, if it is one."""

    def members(self, group: str) -> AsyncIterator[str]:
        """Go through those in `group`, in any order, page by page; who joins or leaves meanwhile may be missed."""

    async def forget(self, member: str) -> None:
        """Make `member` leave every group."""

    async def init(self) -> None:
        """Make what must be there before anything is kept: tables, a bucket. What is there already stays as it is."""

    async def close(self) -> None:
        """Close its connections. It may be used again."""


def check(*names: object, data: bytes = b"") -> None:
    """Raise ConfigurationError for what not every store takes, so that none does: see Store."""
    for name in names:
        if not _fits(name):
            kind = "" if isinstance(name, str) else f" of type {type(name).__name__}"
            raise ConfigurationError(
                f"Expected a key, a group or a member of 1 to {LONGEST} bytes of UTF-8 without NUL, but got {name!r}"
                f"{kind}."
            )
    if len(data) > LARGEST:
        raise ConfigurationError(f"Expected a value of {LARGEST} bytes at most, but got {len(data)}: keep less in it.")


def _fits(name: object) -> bool:
    try:
        return isinstance(name, str) and 0 < len(name.encode()) <= LONGEST and "\0" not in name
    except UnicodeEncodeError:  # half of a surrogate pair
        return False
