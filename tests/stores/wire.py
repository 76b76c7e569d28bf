"""What goes over the wire to AWS: recorded, made up, lost on its way, and as botocore would send it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit
from xml.etree import ElementTree as ET

import boto3
from botocore.config import Config

from lambent.aws.transport import Origin, Transport
from lambent.http1 import Reply, Request
from lambent.stores.model import ABSENT, Store, Stored


class Recorder(Transport):
    """Sends, and keeps what it has sent."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[Request] = []

    async def send(self, origin: Origin, request: Request, timeout: float) -> Reply:
        self.sent.append(request)
        return await super().send(origin, request, timeout)

    def count(self) -> int:
        """How many requests since it was asked last."""
        number = len(self.sent)
        self.sent.clear()
        return number


class Forgetful(Recorder):
    """Loses the answer to the next request when it is told to: the service has done what it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.loses = False

    async def send(self, origin: Origin, request: Request, timeout: float) -> Reply:
        reply = await super().send(origin, request, timeout)
        if self.loses:
            self.loses = False
            raise ConnectionResetError("lost")
        return reply


async def save_with_lost_answers(store: Store, forgetful: Forgetful) -> list[int]:
    """Save twice, the second time in the place of the first: how many requests each took."""
    counts = []
    version = ABSENT
    await store.init()
    for data in (b"one", b"two"):
        forgetful.loses = True
        forgetful.count()
        version = await store.save("k", data, time.time() + 60, version)
        counts.append(forgetful.count())
        assert await store.load("k") == Stored(data, version)
    await store.close()
    return counts


class Script(Transport):
    """Nobody listens: what comes back is made up, one reply after the other, the last one for good."""

    def __init__(self, *replies: Reply) -> None:
        super().__init__()
        self.asked: list[tuple[Origin, Request]] = []
        self._replies = list(replies)

    async def send(self, origin: Origin, request: Request, timeout: float) -> Reply:
        self.asked.append((origin, request))
        return self._replies.pop(0) if len(self._replies) > 1 else self._replies[0]


def reply(status: int, body: bytes = b"", **headers: str) -> Reply:
    return Reply(status, headers, body, keep_alive=True)


def refusal(code: str, message: str = "", status: int = 400, **more: Any) -> Reply:
    """As DynamoDB says it."""
    said = {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": message, **more}
    return reply(status, json.dumps(said).encode())


def xml_refusal(code: str, status: int, message: str = "") -> Reply:
    """As S3 says it."""
    return reply(
        status, f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{message}</Message></Error>".encode()
    )


class Sent(NamedTuple):
    """Of a request what the service reads, but for the signature."""

    method: str
    host: str
    path: str
    query: list[tuple[str, str]]
    headers: dict[str, str]
    body: Any


READ = {
    "content-type",
    "if-match",
    "if-none-match",
    "x-amz-checksum-crc32",
    "x-amz-sdk-checksum-algorithm",
    "x-amz-target",
}
"""Headers that say what is to be done."""
NOT_MEANT = {("encoding-type", "url")}
"""Of lists of keys: ours have no characters that XML cannot say."""


def ours(asked: tuple[Origin, Request]) -> Sent:
    origin, request = asked
    return _sent(request.method, f"{origin.scheme}://{origin.authority}{request.path}", request.headers, request.body)


def theirs(service: str, region: str, call: Callable[[Any], object], **options: Any) -> Sent:
    """What botocore would send."""
    caught: list[Sent] = []

    def catch(request: Any, **_: object) -> None:
        headers = [
            (name, value.decode() if isinstance(value, bytes) else value) for name, value in request.headers.items()
        ]
        body = request.body.read() if hasattr(request.body, "read") else request.body
        caught.append(_sent(request.method, request.url, headers, body or b""))
        raise _Caught

    session = boto3.session.Session("test", "test", region_name=region)
    plain = Config(request_checksum_calculation="when_required", s3={"us_east_1_regional_endpoint": "regional"})
    client = session.client(service, config=plain, **options)
    client.meta.events.register("before-send.*.*", catch)
    with suppress(_Caught):
        call(client)
    client.close()
    return caught[0]


class _Caught(BaseException):
    """Ends a call before anything is sent, and passes botocore's own handling of errors."""


def _sent(method: str, url: str, headers: Any, body: bytes) -> Sent:
    parts = urlsplit(url)
    query = sorted(set(parse_qsl(parts.query, keep_blank_values=True)) - NOT_MEANT)
    read = {name.lower(): value for name, value in headers if name.lower() in READ}
    return Sent(method, parts.netloc, parts.path or "/", query, read, _read(body))


def _read(body: bytes) -> Any:
    """JSON and XML as what they mean."""
    if body.startswith(b"{"):
        return json.loads(body)
    return _tree(ET.fromstring(body)) if body.startswith(b"<") else body


def _tree(element: ET.Element) -> Any:
    return element.tag, (element.text or "").strip(), [_tree(child) for child in element]
