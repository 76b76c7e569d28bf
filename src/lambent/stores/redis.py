"""A store in Redis or Valkey: `redis://user:password@host:port/database`, or `rediss://` with TLS; by redis-py.

Keys begin with `lambent:`, or with what `?prefix=` says:

- `lambent:values:KEY`     hash of data, version and expires
- `lambent:groups:GROUP`   sorted set of members by when they expire
- `lambent:members:MEMBER` sorted set of groups, likewise

Each has a time to live. No command has two keys, so that they may lie in different slots.
"""

from __future__ import annotations

import math
import time
from secrets import token_hex
from urllib.parse import parse_qsl, urlencode, urlsplit

from lambent.errors import StoreConflict, StoreError
from lambent.stores import missing, shown, unreadable
from lambent.stores.loops import PerLoop
from lambent.stores.model import Stored, check

try:
    from redis import asyncio as redis
    from redis import exceptions
    from redis.asyncio.retry import Retry
    from redis.backoff import NoBackoff
except ModuleNotFoundError as error:
    raise missing("redis", "redis") from error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from typing import Any

PREFIX = "lambent:"
CONNECTIONS = 8
"""At most, of one environment."""
PATIENCE = 5.0
"""Seconds until a server that does not answer is given up."""
PAGE = 1000
"""Members that one question asks for, about."""

# Writes if the version is still the third argument, or, where the second is 0, whichever it is. The new one may be
# there already: then this was run before, on a connection that broke before its answer came.
SAVE = """
local found = redis.call('HMGET', KEYS[1], 'version', 'expires')
local version = ''
if found[1] and tonumber(found[2]) > tonumber(ARGV[1]) then version = found[1] end
if ARGV[2] == '1' and version ~= ARGV[3] and version ~= ARGV[4] then return 0 end
redis.call('HSET', KEYS[1], 'version', ARGV[4], 'expires', ARGV[5], 'data', ARGV[6])
redis.call('PEXPIREAT', KEYS[1], ARGV[7])
return 1
"""
# The set lives as long as the last in it. Of those that have expired, at most a hundred go.
JOIN = """
redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1])
local old = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[3], 'LIMIT', 0, 100)
if #old > 0 then redis.call('ZREM', KEYS[1], unpack(old)) end
local last = redis.call('ZREVRANGE', KEYS[1], 0, 0, 'WITHSCORES')
if last[2] then redis.call('PEXPIREAT', KEYS[1], string.format('%.0f', math.ceil(tonumber(last[2]) * 1000))) end
return 1
"""


class RedisStore:
    """Store: keys with a time to live."""

    def __init__(self, name: str, url: str, prefix: str = PREFIX, now: Callable[[], float] = time.time) -> None:
        self._name = name
        self._url = url
        self._prefix = prefix
        self._now = now
        self._clients = PerLoop(self._client)

    def __repr__(self) -> str:
        return self._name

    async def load(self, key: str) -> Stored | None:
        """Read a value."""
        check(key)
        data, version, expires = (await self._ask(["HMGET", self._key("values", key), "data", "version", "expires"]))[0]
        return Stored(data, version.decode()) if version and float(expires) > self._now() else None

    async def save(self, key: str, data: bytes, expires: float, version: str | None = None) -> str:
        """Write a value."""
        check(key, data=data)
        new = token_hex(8)
        condition = [0, ""] if version is None else [1, version]
        row = [new, repr(float(expires)), bytes(data), math.ceil(expires * 1000)]
        (written,) = await self._ask(["EVAL", SAVE, 1, self._key("values", key), repr(self._now()), *condition, *row])
        if not written:
            raise StoreConflict(f"{key!r} has been changed meanwhile.")
        return new

    async def delete(self, key: str) -> None:
        """Remove a value."""
        check(key)
        await self._ask(["DEL", self._key("values", key)])

    async def join(self, group: str, member: str, expires: float) -> None:
        """Make `member` one of `group`."""
        check(group, member)
        when = [repr(float(expires)), repr(self._now())]
        # The way back first: if only one is written, then the one that `forget` finds.
        await self._ask(
            ["EVAL", JOIN, 1, self._key("members", member), group, *when],
            ["EVAL", JOIN, 1, self._key("groups", group), member, *when],
        )

    async def leave(self, group: str, member: str) -> None:
        """Make `member` none of `group`."""
        check(group, member)
        await self._ask(
            ["ZREM", self._key("groups", group), member],
            ["ZREM", self._key("members", member), group],
        )

    async def members(self, group: str) -> AsyncIterator[str]:
        """Go through those in `group`. A scan may meet one twice; who is in all the while is met."""
        check(group)
        met: set[bytes] = set()
        cursor: bytes | None = b"0"
        while cursor is not None:
            ((cursor, found),) = await self._ask(["ZSCAN", self._key("groups", group), cursor, "COUNT", PAGE])
            now = self._now()
            for member, expires in _scored(found):
                if expires > now and member not in met:
                    met.add(member)
                    yield member.decode()
            cursor = None if int(cursor) == 0 else cursor

    async def forget(self, member: str) -> None:
        """Make `member` leave every group."""
        check(member)
        key = self._key("members", member)
        (groups,) = await self._ask(["ZRANGE", key, 0, -1])
        if groups:
            leaves = [["ZREM", self._key("groups", group.decode()), member] for group in groups]
            await self._ask(*leaves, ["ZREM", key, *groups])

    async def init(self) -> None:
        """Nothing has to be made: this finds out whether the server answers."""
        await self._ask(["PING"])

    async def close(self) -> None:
        """Close the connections of this loop."""
        client = self._clients.take()
        if client is not None:
            await client.aclose()

    def _key(self, kind: str, name: str) -> str:
        return f"{self._prefix}{kind}:{name}"

    async def _ask(self, *commands: list[Any]) -> list[Any]:
        """Send commands in one go, and return their answers. A connection that has died is replaced, once."""
        try:
            async with self._clients.get().pipeline(transaction=False) as pipeline:
                for command in commands:
                    pipeline.execute_command(*command)
                return await pipeline.execute()
        except (exceptions.RedisError, OSError) as error:
            raise StoreError(f"{self!r}: {_advice(error)}") from error

    def _client(self) -> redis.Redis:
        pool = redis.BlockingConnectionPool.from_url(
            self._url,
            max_connections=CONNECTIONS,
            timeout=PATIENCE * 3,  # for one in use, which may have died and have to be replaced
            socket_connect_timeout=PATIENCE,
            socket_timeout=PATIENCE,
            retry=Retry(NoBackoff(), 1),
        )
        return redis.Redis.from_pool(pool)


def _scored(found: list[Any]) -> list[tuple[bytes, float]]:
    """Pairs, which one version of the protocol has, or member and score one after the other, as the other has them."""
    if found and isinstance(found[0], bytes):
        return [(member, float(score)) for member, score in zip(found[::2], found[1::2], strict=True)]
    return [(member, float(score)) for member, score in found]


def _advice(error: Exception) -> str:
    text = str(error).rstrip(".") or type(error).__name__
    if isinstance(error, exceptions.AuthenticationError):
        return f"{text}. Check the user and the password in the URL."
    if isinstance(error, exceptions.ConnectionError | exceptions.TimeoutError | OSError):
        return f"the server does not answer ({text}). Is it up, and may this machine connect to it?"
    if isinstance(error, exceptions.MovedError):
        return f"{text}. A cluster whose nodes send clients on to one another is not supported: use one of one shard."
    return f"{text}."


def open_store(url: str, now: Callable[[], float] = time.time) -> RedisStore:
    """Raise ConfigurationError for what cannot be read, such as a password with characters that are not quoted."""
    try:
        parts = urlsplit(url)
        query = dict(parse_qsl(parts.query))
        prefix = query.pop("prefix", PREFIX)
        plain = parts._replace(query=urlencode(query)).geturl()
        pool = redis.ConnectionPool.from_url(plain)
        pool.connection_class(**pool.connection_kwargs)  # not connected yet, but it knows the options
        database = parts.path.removeprefix("/")
        readable = parts.hostname and not parts.fragment and (not database or database.isdecimal())
        readable = readable and "decode_responses" not in query  # values are bytes
    except (ValueError, TypeError):
        readable = False
    if not readable:
        raise unreadable(
            "redis://user:password@host:port/number, with options that redis-py knows, but not decode_responses", url
        )
    return RedisStore(shown(url), plain, prefix, now)
