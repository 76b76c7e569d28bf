"""A store in a table of DynamoDB: `dynamodb://table?region=&endpoint_url=`.

    region        else AWS_REGION, AWS_DEFAULT_REGION or the profile's
    endpoint_url  else AWS_ENDPOINT_URL_DYNAMODB, AWS_ENDPOINT_URL, or AWS's own

Credentials are found as everywhere: see lambent.aws.credentials.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from secrets import token_hex
from string import ascii_letters, digits
from typing import Any

from lambent.errors import ConfigurationError, StoreConflict, StoreError
from lambent.stores import dynamodb_items as items
from lambent.stores import shown
from lambent.stores.model import Stored, check
from lambent.stores.service import Service, parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from lambent.aws.response import Response
    from lambent.aws.transport import Transport
    from lambent.stores.dynamodb_items import Ask
    from lambent.stores.service import Address

FORM = "dynamodb://table?region=&endpoint_url=, the name of the table with 3 to 255 of a-z, A-Z, 0-9, _, - and ."
CHARACTERS = frozenset(f"{ascii_letters}{digits}_-.")
NEEDS = (
    "dynamodb:GetItem, PutItem, DeleteItem and Query on the table; and for init DescribeTable, CreateTable, "
    "DescribeTimeToLive and UpdateTimeToLive"
)
PAGE = 1000
"""Members that one question asks for."""
CONTENTIONS = 5
"""How often a transaction is tried when others are in its way."""
READINESS = 120.0
"""Seconds until a table that is being made is given up; most take ten."""


class DynamoDBStore:
    """Store: items of one table. DynamoDB deletes what has expired, at no cost, some time later."""

    def __init__(
        self,
        url: str,
        address: Address,
        now: Callable[[], float] = time.time,
        *,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        transport: Transport | None = None,
    ) -> None:
        self._table = address.name
        self._now = now
        self._sleep = sleep
        self._service = Service(url, "dynamodb", address.host("dynamodb"), address.region, NEEDS, transport)

    def __repr__(self) -> str:
        return repr(self._service)

    async def load(self, key: str) -> Stored | None:
        """Read a value."""
        check(key)
        return items.stored(await self._get(items.load(self._table, key)), self._now())

    async def save(self, key: str, data: bytes, expires: float, version: str | None = None) -> str:
        """Write a value."""
        check(key, data=data)
        new = Stored(bytes(data), token_hex(8))
        response = await self._ask(items.save(self._table, key, new, float(expires), version, self._now()))
        if response.code == "ConditionalCheckFailedException":
            raise StoreConflict(f"{key!r} has been changed meanwhile.")
        self._answer(response)
        return new.version

    async def delete(self, key: str) -> None:
        """Remove a value."""
        check(key)
        await self._get(items.delete(self._table, key))

    async def join(self, group: str, member: str, expires: float) -> None:
        """Make `member` one of `group`."""
        check(group, member)
        await self._transact(items.join(self._table, group, member, float(expires)))

    async def leave(self, group: str, member: str) -> None:
        """Make `member` none of `group`."""
        check(group, member)
        await self._transact(items.leave(self._table, [(group, member)]))

    async def members(self, group: str) -> AsyncIterator[str]:
        """Go through those in `group`, in the order of their bytes."""
        check(group)
        start, more = None, True
        while more:
            page = await self._get(items.members(self._table, group, self._now(), PAGE, start), "Items")
            for member in items.names(page):
                yield member
            start = items.after(page)
            more = start is not None

    async def forget(self, member: str) -> None:
        """Make `member` leave every group."""
        check(member)
        start, more = None, True
        while more:
            page = await self._get(items.groups(self._table, member, PAGE, start), "Items")
            pairs = [(group, member) for group in items.names(page)]
            for first in range(0, len(pairs), items.PAIRS):
                await self._transact(items.leave(self._table, pairs[first : first + items.PAIRS]))
            start = items.after(page)
            more = start is not None

    async def init(self) -> None:
        """Make the table, paid by request, and let DynamoDB delete what has expired.

        Raises StoreError if there is one of that name whose keys are others.
        """
        table = await self._ready()
        if items.keys(table) != items.KEYS:
            raise StoreError(
                f"{self!r}: expected the table to have the keys {items.KEYS}, but it has {items.keys(table)}. "
                "It belongs to something else: choose another name, which init then makes."
            )
        if not await self._has_lifetime():
            response = await self._ask(items.set_lifetime(self._table))
            if response.code != "ValidationException" or not await self._has_lifetime():  # another init was faster
                self._answer(response)

    async def close(self) -> None:
        """Close the connections."""
        self._service.close()

    async def _ready(self) -> dict[str, Any]:
        """Return the description of the table, which is made if there is none, when it can be used."""
        left, pause = READINESS, 0.1
        while left > 0:
            response = await self._ask(items.describe(self._table))
            if response.code == "ResourceNotFoundException":
                made = await self._ask(items.create(self._table))
                if made.code != "ResourceInUseException":  # another init was faster
                    self._answer(made)
            else:
                table: dict[str, Any] = self._answer(response, "Table")["Table"]
                if table["TableStatus"] in {"ACTIVE", "UPDATING"}:
                    return table
            await self._sleep(pause)
            left, pause = left - pause, min(pause * 2, 2.0)
        raise StoreError(f"{self!r}: expected the table to be ready within {READINESS:g} s, but it is not. Try again.")

    async def _has_lifetime(self) -> bool:
        attribute = items.lifetime(await self._get(items.describe_lifetime(self._table)))
        if attribute not in {"", items.LIFETIME}:
            raise StoreError(
                f"{self!r}: expected the table's time to live to go by {items.LIFETIME!r}, but it goes by "
                f"{attribute!r}. Turn that off, and run init again in an hour: DynamoDB changes it once an hour."
            )
        return bool(attribute)

    async def _transact(self, ask: Ask) -> None:
        """Do all of it or nothing, again while others are in the way."""
        response = await self._ask(ask)
        for attempt in range(1, CONTENTIONS):
            if response.code != "TransactionCanceledException" or not items.is_contended(json.loads(response.body)):
                break
            await self._sleep(random.random() * 0.05 * 2**attempt)  # noqa: S311  # only spreads them
            response = await self._ask(ask)
        self._answer(response)

    async def _get(self, ask: Ask, *fields: str) -> dict[str, Any]:
        return self._answer(await self._ask(ask), *fields)

    async def _ask(self, ask: Ask) -> Response:
        headers = [
            ("content-type", "application/x-amz-json-1.0"),
            ("x-amz-target", f"DynamoDB_20120810.{ask.operation}"),
        ]
        return await self._service.ask("POST", "/", headers=headers, body=json.dumps(ask.fields).encode())

    def _answer(self, response: Response, *fields: str) -> dict[str, Any]:
        """What is said, with these fields in it. Raises StoreError for an error, and for what is no such answer."""
        if response.status != 200:
            raise self._service.failure(response)
        try:
            answer = json.loads(response.body)
        except ValueError:
            raise self._service.stranger() from None
        if not isinstance(answer, dict) or not answer.keys() >= set(fields):
            raise self._service.stranger()
        return answer


def open_store(url: str, now: Callable[[], float] = time.time) -> DynamoDBStore:
    """Raise ConfigurationError for a URL that names no table, and if nothing tells the region."""
    address = parse(url, FORM)
    if not 3 <= len(address.name) <= 255 or address.path or not CHARACTERS.issuperset(address.name):
        raise ConfigurationError(f"Expected {FORM}, but got {shown(url)!r}.")
    return DynamoDBStore(url, address, now)
