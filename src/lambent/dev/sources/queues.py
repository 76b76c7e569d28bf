"""A queue of SQS at any endpoint, by boto3, which is loaded when the first one is reached."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple, Protocol
from urllib.parse import urlsplit

from lambent.dev.model import Function, Source
from lambent.dev.sources.messages import Message, message
from lambent.dev.sources.threads import in_thread
from lambent.dev.variables import CREDENTIALS

AT_ONCE = 10
"""Messages that SQS takes or gives in one request."""

CONNECT_TIMEOUT = 5
READ_TIMEOUT = 15
"""Seconds; the latter beyond what a receiver asked to wait."""

ATTEMPTS = 3
"""To delete a message, or to give it back."""

NO_QUEUE = ("QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue")
ARN = re.compile(r"arn:aws[a-z-]*:sqs:(?P<region>[a-z0-9-]+):(?P<account>\d+):(?P<name>[\w.-]+)")
AWS_HOST = re.compile(r"(?:sqs\.(?P<region>[a-z0-9-]+)|(?P<old>[a-z0-9-]+)\.queue)\.amazonaws\.com(?:\.cn)?")
NO_BOTO3 = 'queues are polled by boto3, which is not installed: pip install "lambent[aws]"'
NO_CREDENTIALS = "no AWS credentials are found: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"


class Unavailable(Exception):
    """The queue cannot be used now. The text says why, and what to do."""


class Queue(Protocol):
    """A queue that was reached. Its methods raise Unavailable."""

    arn: str
    visibility: float
    """Seconds that a received message stays hidden."""

    async def receive(self, most: int, wait: int) -> list[Message]: ...
    async def delete(self, messages: Sequence[Message]) -> list[Message]:
        """Returns those that could not be deleted, however often it was tried."""
        ...

    async def release(self, messages: Sequence[Message]) -> None:
        """Have them visible at once. What cannot be, becomes so in its time."""
        ...

    def close(self) -> None:
        """Hang up. Who still asks it then connects anew."""


Connect = Callable[[Source, Function], Awaitable[Queue]]
"""Reach a source's queue. Raises Unavailable."""


Call = Callable[..., Any]
"""An operation of boto3's client."""


class Place(NamedTuple):
    """Where a source's queue is."""

    url: str
    name: str
    account: str
    region: str
    endpoint: str
    """Each is empty where it is not said."""


def place(source: Source, function: Function, shell: Mapping[str, str]) -> Place:
    """Its own endpoint comes first, then that of a URL that is not AWS's, the function's variables, the shell's."""
    seen = {**shell, **function.env}
    endpoint = source.endpoint or seen.get("AWS_ENDPOINT_URL_SQS") or seen.get("AWS_ENDPOINT_URL") or ""
    if arn := ARN.fullmatch(source.queue):
        return Place("", arn["name"], arn["account"], arn["region"], endpoint)
    if "://" not in source.queue:
        return Place("", source.queue, "", function.region, endpoint)
    parts = urlsplit(source.queue)
    aws = AWS_HOST.fullmatch(parts.hostname or "")
    if aws:
        return Place(source.queue, "", "", aws["region"] or aws["old"], endpoint)
    return Place(source.queue, "", "", function.region, source.endpoint or f"{parts.scheme}://{parts.netloc}")


async def connect(source: Source, function: Function) -> Queue:
    """Reach it at AWS, or wherever it is."""
    return await in_thread(partial(reach, source, function))


def reach(source: Source, function: Function) -> SQS:
    where = place(source, function, os.environ)
    with explained(source.queue, where.endpoint or f"AWS, {where.region}"):
        client = make_client(where, {**os.environ, **function.env}, source.concurrency)
        try:
            url = where.url or url_of(client, where)
            wanted = ["QueueArn", "VisibilityTimeout"]
            found = client.get_queue_attributes(QueueUrl=url, AttributeNames=wanted)["Attributes"]
            return SQS(client, url, source.queue, found)
        except BaseException:
            client.close()
            raise


def make_client(where: Place, seen: Mapping[str, str], batches: int) -> Any:
    """boto3's, which has no types. An endpoint that is not AWS's gets made-up credentials where there are none."""
    try:
        import boto3
        import botocore.session
        from botocore.config import Config
    except ImportError:
        raise Unavailable(NO_BOTO3) from None
    keys = {name.lower(): seen.get(name) for name in CREDENTIALS}
    core = botocore.session.Session(profile=None if seen.get("AWS_ACCESS_KEY_ID") else seen.get("AWS_PROFILE"))
    if is_elsewhere := bool(where.endpoint) and not AWS_HOST.fullmatch(urlsplit(where.endpoint).hostname or ""):
        core.get_component("credential_provider").remove("iam-role")  # asking the metadata of a machine takes seconds
    session = boto3.session.Session(botocore_session=core, region_name=where.region, **keys)
    if is_elsewhere and session.get_credentials() is None:
        made_up = {name.lower(): value for name, value in CREDENTIALS.items()}
        session = boto3.session.Session(region_name=where.region, **made_up)
    config = Config(
        connect_timeout=CONNECT_TIMEOUT,
        read_timeout=READ_TIMEOUT,
        retries={"mode": "standard", "total_max_attempts": 1},
        max_pool_connections=batches + 2,
    )
    return session.client("sqs", endpoint_url=where.endpoint or None, config=config)


def url_of(client: Any, where: Place) -> str:
    """An owner is told to AWS only: elsewhere accounts are made up."""
    owner = {"QueueOwnerAWSAccountId": where.account} if where.account and not where.endpoint else {}
    return str(client.get_queue_url(QueueName=where.name, **owner)["QueueUrl"])


@contextmanager
def explained(queue: str, where: str) -> Iterator[None]:
    """Raises Unavailable for what botocore raises."""
    try:
        yield
    except ImportError:
        raise
    except Unavailable:
        raise
    except Exception as error:
        raise Unavailable(why(error, queue, where)) from error


def why(error: Exception, queue: str, where: str) -> str:
    """boto3 need not be there for its errors to be told apart."""
    kind = type(error).__name__
    code = str(getattr(error, "response", {}).get("Error", {}).get("Code", ""))
    if code in NO_QUEUE:
        return f"there is no queue {queue} at {where}"
    if kind in ("NoCredentialsError", "PartialCredentialsError"):
        return NO_CREDENTIALS
    if kind in ("EndpointConnectionError", "ConnectTimeoutError", "ReadTimeoutError", "ConnectionClosedError"):
        return f"{where} does not answer"
    return f"{where} cannot be asked for {queue}: {error}"


class SQS:
    """A queue by a client of boto3, which may be used by several threads."""

    def __init__(self, client: Any, url: str, named: str, attributes: Mapping[str, str]) -> None:
        self.arn = attributes["QueueArn"]
        self.visibility = float(attributes.get("VisibilityTimeout", 30))
        self._client = client
        self._url = url
        self._named = named

    async def receive(self, most: int, wait: int) -> list[Message]:
        request = partial(
            self._client.receive_message,
            QueueUrl=self._url,
            MaxNumberOfMessages=min(most, AT_ONCE),
            WaitTimeSeconds=wait,
            AttributeNames=["All"],  # older servers know this one only
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        received = await self._ask(request)
        return [message(each, self.arn) for each in received.get("Messages", [])]

    async def delete(self, messages: Sequence[Message]) -> list[Message]:
        return await self._each(messages, self._client.delete_message_batch, {})

    async def release(self, messages: Sequence[Message]) -> None:
        await self._each(messages, self._client.change_message_visibility_batch, {"VisibilityTimeout": 0})

    def close(self) -> None:
        self._client.close()

    async def _each(self, messages: Sequence[Message], call: Call, more: Mapping[str, int]) -> list[Message]:
        """Returns those for which it never went well."""
        left = list(messages)
        for attempt in range(ATTEMPTS):
            if attempt:
                await asyncio.sleep(0.2 * attempt)
            tens = [left[start : start + AT_ONCE] for start in range(0, len(left), AT_ONCE)]
            left = [each for ten in tens for each in await self._ten(ten, call, more)]
            if not left:
                break
        return left

    async def _ten(self, messages: Sequence[Message], call: Call, more: Mapping[str, int]) -> list[Message]:
        entries = [{"Id": str(n), "ReceiptHandle": each.receipt, **more} for n, each in enumerate(messages)]
        try:
            answer = await self._ask(partial(call, QueueUrl=self._url, Entries=entries))
        except Unavailable:
            return list(messages)
        return [messages[int(each["Id"])] for each in answer.get("Failed", [])]

    async def _ask(self, request: Callable[[], Any]) -> Any:
        def work() -> Any:
            with explained(self._named, self._client.meta.endpoint_url):
                return request()

        return await in_thread(work)
