"""What tests of events share: contexts with a deadline, works without a source, and a handler called and closed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Hashable
from contextlib import closing
from typing import Any, TypeVar

from lambent.events.batch import Work
from lambent.events.events import Events
from lambent.events.model import Record
from lambent.events.registration import Options, Registration
from lambent.events.selection import Selection

T = TypeVar("T")

LIMIT = 60
"""Seconds after which a test that waits has failed."""


class Context:
    """Lambda's, with so many seconds left from now on."""

    aws_request_id = "8476a536-e9f4-11e8-9739-2dfe598c3fcd"
    function_name = "function"
    function_version = "$LATEST"
    invoked_function_arn = "arn:aws:lambda:eu-central-1:123456789012:function:function"
    memory_limit_in_mb = "128"
    log_group_name = "/aws/lambda/function"
    log_stream_name = "stream"

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self._end - time.monotonic()) * 1000))


class Left(Context):
    """With so many seconds left whenever it is asked: what is late on a busy machine has no less."""

    def __init__(self, seconds: float) -> None:
        self._milliseconds = round(seconds * 1000)

    def get_remaining_time_in_millis(self) -> int:
        return self._milliseconds


class Plain(Record):
    """A record with a name."""

    __slots__ = ("_id",)

    def __init__(self, name: str) -> None:
        super().__init__({})
        self._id = name

    @property
    def id(self) -> str:
        return self._id


async def nothing() -> None: ...


def registration(concurrency: int = 10) -> Registration:
    return Registration(Selection("sqs", {}), nothing, Options(concurrency))


def work(name: str, group: Hashable = None, of: Registration | None = None) -> Work:
    return Work([Plain(name)], of or registration(), group)


def works(count: int, concurrency: int = 10, group: Hashable = None) -> list[Work]:
    """Of one function, `0`, `1` …"""
    function = registration(concurrency)
    return [work(str(number), group, function) for number in range(count)]


def name(of: Work) -> str:
    return of.records[0].id


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    async def limited() -> T:
        async with asyncio.timeout(LIMIT):
            return await coroutine

    return asyncio.run(limited())


def handled(events: Events, event: Any, context: Context | None = None) -> Any:
    """The reply to an event, in the form that the managed runtime gets it."""
    with closing(events):
        return events(event, context)


def failures(reply: Any) -> list[Any]:
    """The identifiers of a partial batch response, which has nothing else."""
    assert reply.keys() == {"batchItemFailures"}
    assert all(each.keys() == {"itemIdentifier"} for each in reply["batchItemFailures"])
    return [each["itemIdentifier"] for each in reply["batchItemFailures"]]
