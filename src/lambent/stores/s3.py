"""A store in a bucket of S3: `s3://bucket/prefix?region=&endpoint_url=`; without a prefix, below `lambent/`.

    region        else AWS_REGION, AWS_DEFAULT_REGION or the profile's
    endpoint_url  else AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, or AWS's own

Credentials are found as everywhere: see lambent.aws.credentials.
"""

from __future__ import annotations

import asyncio
import time
from secrets import token_hex
from string import ascii_letters, ascii_lowercase, digits
from typing import NamedTuple, TypeVar
from urllib.parse import quote, urlencode

from lambent.aws.partition import suffix
from lambent.errors import ConfigurationError, StoreConflict, StoreError
from lambent.stores import s3_objects as objects
from lambent.stores import shown
from lambent.stores.model import ABSENT, check
from lambent.stores.s3_objects import Kept, Page
from lambent.stores.service import Service, parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable

    from lambent.aws.response import Response
    from lambent.aws.transport import Transport
    from lambent.stores.model import Stored
    from lambent.stores.service import Address

FORM = "s3://bucket/prefix?region=&endpoint_url=, the bucket with 3 to 63 of a-z, 0-9, - and ."
NEEDS = (
    "s3:GetObject, s3:PutObject and s3:DeleteObject on the objects and s3:ListBucket on the bucket; and for init "
    "s3:CreateBucket, s3:GetLifecycleConfiguration and s3:PutLifecycleConfiguration on the bucket"
)
LONGEST_PREFIX = 128
DAY = 86400.0
"""Seconds that anything is kept at most: then the bucket's rule removes it, which knows no shorter time."""
PAGE = 1000
"""Keys that S3 lists, or removes, at a time."""
READERS = 32
"""Memberships that are read at a time: so the connections, of which there are 50, are not all taken by them."""
KNOWN = 10_000
"""Expiries that are remembered."""
PAUSES = (0.05, 0.1, 0.2, 0.4)
"""Seconds before S3 is asked again, while it does something else to the same object or bucket."""
MINIMUM = "x-amz-transition-default-minimum-object-size"
"""A header with a setting of the bucket's rules, which is reset where it is not said again."""
CHARACTERS = frozenset(f"{ascii_lowercase}{digits}-.")
PREFIX_CHARACTERS = frozenset(f"{ascii_letters}{digits}_-.")

T = TypeVar("T")


class Bucket(NamedTuple):
    """Where the objects are."""

    endpoint: str
    root: str
    """The bucket's path: empty if its name is that of the host."""
    prefix: str
    """Of every key, with a slash at its end."""
    region: str


class S3Store:
    """Store: objects, whose entity tags are the versions. What has expired, a rule of the bucket removes in two days.

    Joining takes two requests, at the same time. Going through a group takes one for a thousand members, and one for
    each expiry that this process has not met yet.
    """

    def __init__(
        self,
        url: str,
        bucket: Bucket,
        now: Callable[[], float] = time.time,
        *,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        transport: Transport | None = None,
    ) -> None:
        self._bucket = bucket
        self._now = now
        self._sleep = sleep
        self._service = Service(url, "s3", bucket.endpoint, bucket.region, NEEDS, transport)
        self._expiries: dict[str, float] = {}
        """By entity tag: equal tags mean equal contents."""

    def __repr__(self) -> str:
        return repr(self._service)

    async def load(self, key: str) -> Stored | None:
        """Read a value."""
        check(key)
        kept = await self._read(key)
        return kept.stored if kept and kept.expires > self._now() else None

    async def save(self, key: str, data: bytes, expires: float, version: str | None = None) -> str:
        """Write a value."""
        check(key, data=data)
        new = Kept(token_hex(8), self._checked(expires), bytes(data))
        tag = objects.replaceable(version, self._now()) if version else ""
        if version and not tag:
            raise _conflict(key)
        written = await self._write(key, new, "*" if version == ABSENT else tag)
        if written is None:
            written = await self._look_again(key, new, version or ABSENT)
        return written.stored.version

    async def delete(self, key: str) -> None:
        """Remove a value."""
        check(key)
        self._done(await self._ask("DELETE", objects.value_key(key)))

    async def join(self, group: str, member: str, expires: float) -> None:
        """Make `member` one of `group`."""
        check(group, member)
        body = repr(self._checked(expires)).encode()
        keys = objects.member_key(member, group), objects.group_key(group, member)
        responses = await _together(self._ask("PUT", key, body=body) for key in keys)
        for response in responses:
            self._done(response)

    async def leave(self, group: str, member: str) -> None:
        """Make `member` none of `group`."""
        check(group, member)
        await self._remove([objects.member_key(member, group), objects.group_key(group, member)])

    async def members(self, group: str) -> AsyncIterator[str]:
        """Go through those in `group`."""
        check(group)
        token, more = "", True
        while more:
            page = await self._list(objects.group_key(group), token)
            for first in range(0, len(page.objects), READERS):
                some = page.objects[first : first + READERS]
                once = {tag: key for key, tag in some}
                ends = await _together(self._expiry(key, tag) for tag, key in once.items())
                read = dict(zip(once.values(), ends, strict=True))
                for key, tag in some:
                    expires = read[key] if key in read else await self._expiry(key, tag)
                    if expires > self._now():
                        yield objects.named(key)
            token = page.next
            more = bool(token)

    async def forget(self, member: str) -> None:
        """Make `member` leave every group."""
        check(member)
        token, more = "", True
        while more:
            page = await self._list(objects.member_key(member), token)
            groups = [objects.named(key) for key, _ in page.objects]
            for first in range(0, len(groups), PAGE // 2):
                some = groups[first : first + PAGE // 2]
                await self._remove(
                    [objects.group_key(group, member) for group in some]
                    + [objects.member_key(member, group) for group in some]
                )
            token = page.next
            more = bool(token)

    async def init(self) -> None:
        """Make the bucket, unless it is there, and let it remove what has expired. Its other rules stay as they are."""
        found = await self._ask("HEAD")
        if found.status == 404:
            await self._make()
        else:
            self._done(found)
        await self._rule()

    async def close(self) -> None:
        """Close the connections."""
        self._service.close()

    async def _make(self) -> None:
        response = await self._persist("PUT", body=objects.location(self._bucket.region))
        if response.code == "BucketAlreadyExists":
            raise StoreError(f"{self!r}: somebody else has a bucket of that name. Choose another one.")
        if response.code != "BucketAlreadyOwnedByYou":  # another init was faster
            self._done(response)

    async def _rule(self) -> None:
        """Add the rules by which objects expire to those of the bucket, which S3 takes only all at once."""
        before = await self._ask("GET", query="lifecycle=")
        if before.status == 501:  # not every server that speaks as S3 does has such rules
            return
        is_first = before.code == "NoSuchLifecycleConfiguration"
        there = b"" if is_first else self._done(before).body
        rules = self._parsed(lambda body: objects.lifecycle(body, self._bucket.prefix), there)
        if rules:
            kept = [(name, before.headers[name]) for name in (MINIMUM,) if name in before.headers]
            headers = [*objects.checksum(rules), *kept]
            self._done(await self._persist("PUT", query="lifecycle=", headers=headers, body=rules))

    async def _read(self, key: str) -> Kept | None:
        """What is there, whether it has expired or not."""
        response = await self._ask("GET", objects.value_key(key))
        if response.code == "NoSuchKey":
            return None
        try:
            return objects.unpack(self._done(response).body, self._tag(response))
        except ValueError:
            raise self._foreign(objects.value_key(key)) from None

    async def _write(self, key: str, new: Kept, condition: str) -> Kept | None:
        """Write, and return it with its tag; None if the condition, a tag or `*` for none, does not hold."""
        headers = [("if-none-match" if condition == "*" else "if-match", condition)] if condition else []
        response = await self._persist("PUT", objects.value_key(key), headers=headers, body=new.pack())
        if condition and (response.status in {409, 412} or response.code == "NoSuchKey"):
            return None
        return new._replace(tag=self._tag(self._done(response)))

    async def _look_again(self, key: str, new: Kept, version: str) -> Kept:
        """A refusal may come of this very write, whose answer was lost, and of one that has expired meanwhile."""
        there = await self._read(key)
        if there and there.nonce == new.nonce:
            return there
        written = None
        if version == ABSENT and (there is None or there.expires <= self._now()):
            written = await self._write(key, new, there.tag if there else "*")
        if written is None:
            raise _conflict(key)
        return written

    async def _expiry(self, key: str, tag: str) -> float:
        """When the membership at `key`, whose tag was listed, expires; in the past if it has ended since."""
        if tag not in self._expiries:
            response = await self._ask("GET", key)
            if response.code == "NoSuchKey":
                return 0.0
            if len(self._expiries) >= KNOWN:
                self._expiries.clear()
            tag = self._tag(self._done(response))  # it may have been written again meanwhile
            try:
                self._expiries[tag] = float(response.body)
            except ValueError:
                raise self._foreign(key) from None
        return self._expiries[tag]

    async def _list(self, begin: str, token: str) -> Page:
        """A page of the keys, without the prefix, that begin so."""
        query = {"list-type": "2", "max-keys": str(PAGE), "prefix": f"{self._bucket.prefix}{begin}"}
        if token:
            query["continuation-token"] = token
        response = self._done(await self._ask("GET", query=urlencode(query, quote_via=quote)))
        page = self._parsed(objects.page, response.body)
        return page._replace(objects=[(key.removeprefix(self._bucket.prefix), tag) for key, tag in page.objects])

    async def _remove(self, keys: list[str]) -> None:
        """Remove at most PAGE of them, whether they are there or not, with one request."""
        body = objects.removal(f"{self._bucket.prefix}{key}" for key in keys)
        response = self._done(await self._ask("POST", query="delete=", headers=objects.checksum(body), body=body))
        if code := self._parsed(objects.kept_back, response.body):
            raise StoreError(f"{self!r}: S3 did not remove everything ({code}). The function needs {NEEDS}.")

    async def _persist(
        self, method: str, key: str = "", *, query: str = "", headers: Iterable[tuple[str, str]] = (), body: bytes
    ) -> Response:
        """Ask again while S3 says that somebody else is doing something to the same."""
        for pause in PAUSES:
            response = await self._ask(method, key, query=query, headers=headers, body=body)
            if response.code not in {"ConditionalRequestConflict", "OperationAborted"}:
                return response
            await self._sleep(pause)
        return await self._ask(method, key, query=query, headers=headers, body=body)

    async def _ask(
        self,
        method: str,
        key: str = "",
        *,
        query: str = "",
        headers: Iterable[tuple[str, str]] = (),
        body: bytes = b"",
    ) -> Response:
        """Ask of an object, or without a key of the bucket."""
        path = f"{self._bucket.root}/{self._bucket.prefix}{key}" if key else self._bucket.root or "/"
        return await self._service.ask(method, path, query=query, headers=headers, body=body)

    def _done(self, response: Response) -> Response:
        if response.status >= 300:
            raise self._service.failure(response)
        return response

    def _tag(self, response: Response) -> str:
        """Of the object. Only what is not S3 says none."""
        tag = response.headers.get("etag")
        if tag is None:
            raise self._service.stranger()
        return tag

    def _parsed(self, parse: Callable[[bytes], T], body: bytes) -> T:
        """What the XML says."""
        try:
            return parse(body)
        except ValueError:
            raise self._service.stranger() from None

    def _foreign(self, key: str) -> StoreError:
        return StoreError(f"{self!r}: the object {self._bucket.prefix}{key} was not written by this store. Remove it.")

    def _checked(self, expires: float) -> float:
        if expires - self._now() > DAY:
            raise ConfigurationError(
                f"Expected what is kept in S3 to expire within a day, but it is to in {expires - self._now():.0f} s: "
                "the bucket's rule would remove it before. Let it expire earlier, or use another store."
            )
        return float(expires)


async def _together(calls: Iterable[Awaitable[T]]) -> list[T]:
    """Wait for all of them, then raise the first error if there is one: nothing goes on unseen."""
    results = await asyncio.gather(*calls, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return [result for result in results if not isinstance(result, BaseException)]


def _conflict(key: str) -> StoreConflict:
    return StoreConflict(f"{key!r} has been changed meanwhile.")


def _bucket(address: Address) -> Bucket:
    """Named by the host, as AWS wants it; by the path where that cannot be: elsewhere, and with a dot, which a
    certificate for `*.s3.eu-west-1.amazonaws.com` does not cover.
    """
    prefix = f"{address.path or 'lambent'}/"
    if address.endpoint or "." in address.name:
        return Bucket(address.host("s3"), f"/{address.name}", prefix, address.region)
    host = f"https://{address.name}.s3.{address.region}.{suffix(address.region)}"
    return Bucket(host, "", prefix, address.region)


def open_store(url: str, now: Callable[[], float] = time.time) -> S3Store:
    """Raise ConfigurationError for a URL that names no bucket, and if nothing tells the region."""
    address = parse(url, FORM)
    if not 3 <= len(address.name) <= 63 or not CHARACTERS.issuperset(address.name):
        raise ConfigurationError(f"Expected {FORM}, but got {shown(url)!r}.")
    parts = address.path.split("/") if address.path else []
    if len(address.path) > LONGEST_PREFIX or not all(
        part.strip(".") and PREFIX_CHARACTERS.issuperset(part) for part in parts
    ):
        raise ConfigurationError(
            f"Expected the prefix of {shown(url)!r} to have at most {LONGEST_PREFIX} of a-z, A-Z, 0-9, _, -, . and /, "
            "but not two slashes in a row, nor a part that is all dots."
        )
    return S3Store(url, _bucket(address), now)
