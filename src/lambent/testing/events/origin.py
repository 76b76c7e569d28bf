"""Where an event comes from, and when: what is not said of it, and must be made up."""

from __future__ import annotations

import base64
import hashlib
import random
import string
import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

Event = dict[str, Any]
"""A JSON object. Its values are Any: tests index into it without asking what each of them is."""

UPPER = string.ascii_uppercase + string.digits
LOWER = string.ascii_lowercase + string.digits
LETTERS = string.ascii_letters + string.digits


@dataclass(frozen=True, slots=True)
class Origin:
    """An account in a region, at a time. With `seed` and `now`, the same arguments make the same event."""

    region: str = "us-east-1"
    account: str = "123456789012"
    now: float | None = None
    """Seconds since the epoch; None: the present."""
    seed: int | None = None
    """Of ids; None: new ones for each event."""

    def facts(self) -> Facts:
        """What one event is made of. The clock is read, and the dice are thrown, here and nowhere else."""
        dice = random.Random(self.seed) if self.seed is not None else random.SystemRandom()  # noqa: S311 - no secrets
        return Facts(self.region, self.account, time.time() if self.now is None else self.now, dice)


HERE = Origin()
"""AWS's first region, the account of its documentation, now."""


class Facts:
    """What one event is made of: a time, and ids in the forms of AWS."""

    def __init__(self, region: str, account: str, now: float, dice: random.Random) -> None:
        self.region = region
        self.account = account
        self.now = now
        self._dice = dice

    def arn(self, service: str, resource: str) -> str:
        return f"arn:aws:{service}:{self.region}:{self.account}:{resource}"

    @property
    def milliseconds(self) -> int:
        """Since the epoch."""
        return int(self.now * 1000)

    def entropy(self, count: int) -> bytes:
        """As many random bytes."""
        return self._dice.randbytes(count)

    def uuid(self) -> str:
        return str(uuid.UUID(bytes=self.entropy(16), version=4))

    def hex(self, digits: int) -> str:
        return self.entropy((digits + 1) // 2).hex()[:digits]

    def digits(self, count: int) -> str:
        """As many, the first of which is not 0."""
        return str(self._dice.randrange(10 ** (count - 1), 10**count))

    def characters(self, count: int, alphabet: str = LETTERS) -> str:
        return "".join(self._dice.choices(alphabet, k=count))

    def base64(self, count: int) -> str:
        """So many random bytes, encoded."""
        return encoded(self.entropy(count))

    def principal(self, kind: str = "AIDA") -> str:
        """The unique id of an IAM user (AIDA) or role (AROA)."""
        return kind + self.characters(17, UPPER)


def at_least(least: int, name: str, value: int) -> int:
    """The value. ValueError, which names it, if it is less."""
    if value < least:
        raise ValueError(f"{name}: expected {least} or more, but got {value}.")
    return value


def encoded(content: bytes) -> str:
    """Base64."""
    return base64.b64encode(content).decode("ascii")


def md5(content: bytes) -> str:
    """The checksum that AWS adds to what it passes on."""
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def iso(now: float, *, fraction: bool = True) -> str:
    """`2026-11-21T09:30:00.123Z`, or without the milliseconds."""
    text = datetime.fromtimestamp(int(now * 1000) / 1000, UTC).isoformat(
        timespec="milliseconds" if fraction else "seconds"
    )
    return text.replace("+00:00", "Z")
