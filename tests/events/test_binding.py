"""What a function is given, read from its signature."""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from threading import Event, current_thread, main_thread
from typing import Annotated, Any, Generic, NewType, Optional, TypedDict, TypeVar
from unittest.mock import AsyncMock

import pytest

from lambent.errors import ConfigurationError, DecodingError
from lambent.events.binding import Bound
from lambent.events.model import Record
from lambent.events.sources.invoke import InvokeRecord
from lambent.events.sources.s3 import S3Record
from lambent.events.sources.sns import SnsRecord
from lambent.events.sources.sqs import SqsRecord
from lambent.functions import is_awaited, place
from lambent.threads import Threads
from lambent.types import Context as LambdaContext
from tests.events.doubles import LIMIT, Context, run

Function = Callable[..., Any]
CONTEXT = Context(5)
RAW = {"messageId": "m1", "body": '{"id": 7}', "eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:x:1:orders"}
RECORD = SqsRecord(RAW)


@dataclass
class Order:
    id: int


def called(function: Function, *records: Record, decoder: Any = None) -> Any:
    async def call() -> Any:
        threads = Threads()
        try:
            return await Bound(function, decoder).call(records or [RECORD], CONTEXT, threads)
        finally:
            threads.close()

    return run(call())


def all_of(*given: object) -> tuple[object, ...]:
    return given


BODY = {"id": 7}


async def body_only(order: dict[str, int]) -> Any:
    return all_of(order)


async def no_parameters() -> Any:
    return all_of()


async def unannotated(anything) -> Any:  # type: ignore[no-untyped-def]  # noqa: ANN001 - as many write
    return all_of(anything)


async def by_names(record, context) -> Any:  # type: ignore[no-untyped-def]  # noqa: ANN001 - as many write
    return all_of(record, context)


async def all_three(order: Order, record: SqsRecord, context: LambdaContext) -> Any:
    return all_of(order, record, context)


async def another_order(context: LambdaContext, record: SqsRecord, order: Order) -> Any:
    return all_of(context, record, order)


async def by_keyword(*, context: LambdaContext, order: Order, record: SqsRecord) -> Any:
    return all_of(context, order, record)


async def mixed(order: Order, /, record: Record, *, context: LambdaContext) -> Any:
    return all_of(order, record, context)


async def with_defaults(order: Order, limit: int = 5, record: SqsRecord = RECORD, *, flag: bool = True) -> Any:
    return all_of(order, limit, record, flag)


async def positional_default(order: Order, limit: int = 5, /, record: SqsRecord = RECORD) -> Any:
    return all_of(order, limit, record)


async def variadic(order: Order, *more: object, **others: object) -> Any:
    return all_of(order, more, others)


async def optional(order: Order | None, record: SqsRecord | None, context: Optional[LambdaContext]) -> Any:  # noqa: UP045 - as many write
    return all_of(order, record, context)


async def annotated(order: Annotated[Order, "what"], record: Annotated[SqsRecord, "which"]) -> Any:
    return all_of(order, record)


class Handlers:
    async def method(self, order: Order, record: SqsRecord) -> Any:
        return all_of(order, record)

    @classmethod
    async def of_class(cls, order: Order) -> Any:
        return all_of(order)

    @staticmethod
    async def static(order: Order) -> Any:
        return all_of(order)

    async def __call__(self, order: Order, record: SqsRecord) -> Any:
        return all_of(order, record)

    def sync(self, order: Order) -> Any:
        return all_of(order)


class SyncObject:
    def __call__(self, order: Order) -> Any:
        return all_of(order)


async def two(prefix: str, order: Order, record: SqsRecord) -> Any:
    return all_of(prefix, order, record)


def wrapped(function: Function) -> Function:
    @functools.wraps(function)
    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        return await function(*args, **kwargs)

    return wrapper


def wrapped_sync(function: Function) -> Function:
    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return wrapper


def sync_of_three(order: Order, record: SqsRecord, context: LambdaContext) -> Any:
    return all_of(order, record, context)


class FromAws:
    """What others write as the type of the context."""

    LambdaContext = type("LambdaContext", (), {"__module__": "aws_lambda_powertools.utilities.typing"})
    Context = type("Context", (), {"__module__": "aws_lambda_typing.context"})


async def context_of_powertools(context: FromAws.LambdaContext) -> Any:  # type: ignore[valid-type]  # made above
    return all_of(context)


async def context_of_types(c: FromAws.Context) -> Any:  # type: ignore[valid-type]  # made above
    return all_of(c)


@pytest.mark.parametrize(
    ("function", "given"),
    [
        (body_only, (BODY,)),
        (no_parameters, ()),
        (unannotated, (BODY,)),
        (by_names, (RECORD, CONTEXT)),
        (all_three, (Order(7), RECORD, CONTEXT)),
        (another_order, (CONTEXT, RECORD, Order(7))),
        (by_keyword, (CONTEXT, Order(7), RECORD)),
        (mixed, (Order(7), RECORD, CONTEXT)),
        (with_defaults, (Order(7), 5, RECORD, True)),
        (positional_default, (Order(7), 5, RECORD)),
        (variadic, (Order(7), (), {})),
        (optional, (Order(7), RECORD, CONTEXT)),
        (annotated, (Order(7), RECORD)),
        (Handlers().method, (Order(7), RECORD)),
        (Handlers.of_class, (Order(7),)),
        (Handlers.static, (Order(7),)),
        (Handlers(), (Order(7), RECORD)),
        (Handlers().sync, (Order(7),)),
        (SyncObject(), (Order(7),)),
        (functools.partial(two, "a"), ("a", Order(7), RECORD)),
        (functools.partial(two, prefix="a"), ("a", Order(7), RECORD)),
        (functools.partial(functools.partial(two, "a")), ("a", Order(7), RECORD)),
        (wrapped(all_three), (Order(7), RECORD, CONTEXT)),
        (wrapped_sync(all_three), (Order(7), RECORD, CONTEXT)),
        (wrapped(wrapped_sync(wrapped(another_order))), (CONTEXT, RECORD, Order(7))),
        (sync_of_three, (Order(7), RECORD, CONTEXT)),
        (wrapped_sync(sync_of_three), (Order(7), RECORD, CONTEXT)),
        (functools.partial(sync_of_three, context=CONTEXT), (Order(7), RECORD, CONTEXT)),
        (lambda order: (order,), (BODY,)),
        (context_of_powertools, (CONTEXT,)),
        (context_of_types, (CONTEXT,)),
    ],
)
def test_a_function_is_given_what_it_asks_for(function: Function, given: tuple[object, ...]) -> None:
    assert called(function) == given


async def texts(text: str) -> str:
    return text


async def octets(data: bytes) -> bytes:
    return data


def test_text_and_bytes_come_as_they_are() -> None:
    assert called(texts) == RAW["body"]
    assert called(octets) == RAW["body"].encode()


def test_a_decoder_decodes() -> None:
    assert called(body_only, decoder=lambda body: {"length": len(body)}) == ({"length": 9},)


def test_a_body_that_does_not_fit_is_told_and_the_function_not_called() -> None:
    ran = []

    async def never(order: Order) -> None:
        ran.append(order)

    with pytest.raises(DecodingError):
        called(never, SqsRecord({**RAW, "body": '{"id": "secret"}'}))
    assert ran == []


def test_a_record_or_what_has_carried_it_whichever_is_asked_for() -> None:
    inner = S3Record({}, SnsRecord({}, RECORD))

    async def each(s3: S3Record, sns: SnsRecord, sqs: SqsRecord, record: Record) -> Any:
        return all_of(s3, sns, sqs, record)

    assert called(each, inner) == (inner, inner.carrier, RECORD, inner)


def test_a_record_that_is_not_there_is_told() -> None:
    async def of_s3(record: S3Record) -> None: ...

    with pytest.raises(ConfigurationError, match="Expected a S3Record, but this is a SqsRecord"):
        called(of_s3)


def test_a_carrier_that_is_not_there_is_none_where_that_is_allowed() -> None:
    async def direct(sns: SnsRecord, via: SqsRecord | None) -> Any:
        return all_of(sns, via)

    inner, alone = SnsRecord({}, RECORD), SnsRecord({})
    assert called(direct, inner) == (inner, RECORD)
    assert called(direct, alone) == (alone, None)


def test_a_record_may_be_one_of_several() -> None:
    async def either(record: SnsRecord | SqsRecord) -> Any:
        return record

    async def maybe(record: Optional[SqsRecord | S3Record]) -> Any:  # noqa: UP045 - as many write
        return record

    async def neither(record: SnsRecord | S3Record) -> None: ...

    assert called(either) is called(maybe) is RECORD
    inner = SnsRecord({}, RECORD)
    assert called(either, inner) is inner
    assert called(maybe, inner) is RECORD
    with pytest.raises(ConfigurationError, match="Expected a SnsRecord or S3Record, but this is a SqsRecord"):
        called(neither)


async def yields_async(body: str) -> Any:
    yield body


def yields(body: str) -> Any:
    yield body


class Yields:
    def __call__(self, body: str) -> Any:
        yield body


async def with_only_a_default(context: LambdaContext, order: Order | None = None, limit: int = 5) -> Any:
    return all_of(context, order, limit)


def given_by_partial(order: Order | None, client: str) -> Any:
    return all_of(order, client)


async def nothing_of_the_record(client: str) -> Any:
    return all_of(client)


@pytest.mark.parametrize(
    ("function", "given"),
    [
        (with_only_a_default, (CONTEXT, Order(7), 5)),
        (functools.partial(given_by_partial, client="c"), (Order(7), "c")),
        (functools.partial(nothing_of_the_record, client="c"), ("c",)),
        (lambda record, limit=5: (record, limit), (RECORD, 5)),
        (lambda *, order=None: (order,), (BODY,)),
    ],
)
def test_a_default_does_not_lose_what_a_record_carries_where_nothing_else_takes_it(
    function: Function, given: tuple[object, ...]
) -> None:
    assert called(function) == given


async def of_anything(*args: Any, **kwargs: Any) -> None: ...


@pytest.mark.parametrize("function", [of_anything, AsyncMock(), lambda **given: given])
def test_a_function_that_does_not_tell_what_it_wants_is_refused(function: Function) -> None:
    """Called with nothing, its messages would count as done."""
    with pytest.raises(ConfigurationError, match=r"takes `\*args` or `\*\*kwargs` alone.*functools\.wraps"):
        Bound(function, None)


Text = NewType("Text", str)
Octets = NewType("Octets", bytes)
Message = NewType("Message", SqsRecord)


def test_a_name_for_a_type_is_that_type() -> None:
    async def text(body: Text) -> Any:
        return body

    async def octets(body: Octets | None, message: Message) -> Any:
        return body, message

    record = SqsRecord({**RAW, "body": '"7"'})
    assert called(text, record) == '"7"'
    assert called(octets, record) == (b'"7"', record)


@pytest.mark.parametrize(("annotation", "expected"), [(Any, "7"), (str, "7"), (date, date(2026, 1, 2)), (bytes, b"7")])
def test_a_body_that_is_a_value_already_is_not_decoded_again(annotation: Any, expected: object) -> None:
    async def anything(body: Any) -> Any:
        return body

    anything.__annotations__["body"] = annotation
    sent = expected.isoformat() if isinstance(expected, date) else "7"
    assert called(anything, InvokeRecord(sent)) == expected


def test_a_decoder_decodes_what_is_a_value_already() -> None:
    assert called(unannotated, InvokeRecord('{"id": 7}'), decoder="json") == (BODY,)


@pytest.mark.parametrize("function", [yields_async, yields, Yields(), functools.partial(yields)])
def test_a_generator_is_refused_for_nothing_of_it_would_run(function: Function) -> None:
    """Its messages would count as done."""
    with pytest.raises(
        ConfigurationError, match=r"ields.* \(.*test_binding\.py:\d+\) yields: calling it would do noth"
    ):
        Bound(function, None)


@pytest.mark.parametrize(("annotation", "decoder"), [(complex, None), (SnsRecord | int, None), (int, "jsn"), (int, 5)])
def test_a_body_that_nothing_can_make_is_told_with_its_place(annotation: Any, decoder: Any) -> None:
    async def order(body: Any) -> None: ...

    order.__annotations__["body"] = annotation
    with pytest.raises(ConfigurationError, match=r"order \(.*test_binding\.py:\d+\), parameter 'body': Expected a"):
        Bound(order, decoder)


# Batches


async def as_list(records: list[SqsRecord], context: LambdaContext) -> Any:
    return all_of(records, context)


async def as_sequence(messages: Sequence[Record]) -> Any:
    return messages


async def as_tuple(messages: tuple[SqsRecord, ...]) -> Any:
    return messages


async def as_named(records) -> Any:  # type: ignore[no-untyped-def]  # noqa: ANN001 - as many write
    return records


def test_a_function_may_take_all_records() -> None:
    records = [SqsRecord(RAW), SqsRecord(RAW)]
    assert called(as_list, *records) == (records, CONTEXT)
    assert called(as_sequence, *records) == records
    assert called(as_tuple, *records) == tuple(records)
    assert called(as_named, *records) == records
    assert all(Bound(each, None).takes_batch for each in (as_list, as_sequence, as_tuple, as_named))
    assert not Bound(all_three, None).takes_batch


async def as_either(records: list[SqsRecord | SnsRecord]) -> Any:
    return records


async def as_another(records: list[SnsRecord]) -> Any:
    return records


def test_a_list_of_records_has_them_of_its_types_alone() -> None:
    records = [SqsRecord(RAW), SnsRecord({})]
    assert called(as_either, *records) == records
    with pytest.raises(ConfigurationError, match="Expected a SnsRecord, but this is a SqsRecord"):
        called(as_another, *records)


async def orders(orders: list[Order]) -> Any:
    return orders


async def mapping(orders: dict[str, Order]) -> Any:
    return orders


T = TypeVar("T")


class Numbered(TypedDict, Generic[T]):
    id: T


def test_a_generic_dictionary_is_what_a_record_carries() -> None:
    async def handle(order: Numbered[int]) -> Any:
        return order

    assert called(handle) == BODY


def test_a_list_of_something_else_is_what_a_record_carries() -> None:
    assert called(orders, SqsRecord({**RAW, "body": '[{"id": 1}, {"id": 2}]'})) == [Order(1), Order(2)]
    assert called(mapping, SqsRecord({**RAW, "body": '{"a": {"id": 1}}'})) == {"a": Order(1)}


@dataclass
class Context2:
    id: int


Context2.__name__ = "Context"


async def own_context(value: Context2) -> Any:
    return value


def test_a_type_of_ones_own_may_be_called_context() -> None:
    assert called(own_context) == Context2(7)


# Threads


def thread_of(order: Order) -> Any:
    return current_thread()


def test_a_sync_function_is_called_in_a_thread_and_an_async_one_is_not() -> None:
    async def here(order: Order) -> Any:
        return current_thread()

    assert called(thread_of) is not main_thread()
    assert called(here) is main_thread()


def test_a_sync_function_that_wraps_an_async_one_may_block_and_is_awaited_on_the_loop() -> None:
    seen = []

    async def inner(order: Order) -> Any:
        seen.append(current_thread())
        return order.id

    @functools.wraps(inner)
    def wrapper(*args: Any) -> Any:
        seen.append(current_thread())
        return inner(*args)

    assert called(wrapper) == 7
    assert seen[0] is not main_thread()
    assert seen[1] is main_thread()


def test_a_thread_that_goes_on_is_told_of(caplog: pytest.LogCaptureFixture) -> None:
    release, begun = Event(), Event()

    def hang() -> None:
        begun.set()
        release.wait(LIMIT)

    async def cancelled() -> None:
        threads = Threads()
        task = asyncio.ensure_future(Bound(hang, None).call([RECORD], CONTEXT, threads))
        await asyncio.sleep(0)
        begun.wait(LIMIT)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        release.set()
        threads.close()

    with caplog.at_level(logging.WARNING):
        run(cancelled())
    (message,) = caplog.messages
    assert ".hang (" in message
    assert message.endswith("was called in a thread and goes on there: nothing can end it.")


# Mistakes


def two_bodies(one: Order, other: dict[str, int]) -> None: ...


def body_and_batch(order: Order, records: list[SqsRecord]) -> None: ...


def unknown_name(order: Unknown) -> None: ...  # type: ignore[name-defined]  # noqa: F821 - that is what it is about


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (two_bodies, r"two_bodies \(.*test_binding.py:\d+\) has 2 parameters for what a record carries: one, other\."),
        (body_and_batch, r"body_and_batch .* wants all records, and what one of them carries \('order'\)"),
        (unknown_name, r"signature of .*unknown_name .* cannot be read: NameError: name 'Unknown' is not defined\."),
        (dict, "signature of builtins.dict cannot be read: ValueError"),
    ],
)
def test_a_mistake_names_the_function(function: Function, expected: str) -> None:
    with pytest.raises(ConfigurationError, match=expected):
        Bound(function, None)


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (two_bodies, r".*test_binding\.two_bodies \(.*test_binding\.py:\d+\)"),
        (wrapped(two_bodies), r".*test_binding\.two_bodies \(.*test_binding\.py:\d+\)"),
        (functools.partial(two, "a"), r".*test_binding\.two \(.*test_binding\.py:\d+\)"),
        (Handlers().method, r".*test_binding\.Handlers\.method \(.*test_binding\.py:\d+\)"),
        (Handlers(), r".*test_binding\.Handlers \(.*test_binding\.py:\d+\)"),
        (len, r"builtins\.len"),
    ],
)
def test_a_function_has_a_place(function: Function, expected: str) -> None:
    import re

    assert re.fullmatch(expected, place(function))


@pytest.mark.parametrize(
    "function",
    [
        body_only,
        wrapped_sync(body_only),
        functools.partial(wrapped_sync(two), "a"),
        wrapped_sync(functools.partial(wrapped_sync(two), "a")),
        functools.partial(wrapped_sync(functools.partial(two, "a")), record=RECORD),
    ],
)
def test_what_wraps_an_async_function_is_awaited_in_whichever_order_it_is_wrapped(function: Function) -> None:
    assert is_awaited(function)
    assert not is_awaited(wrapped_sync(functools.partial(sync_of_three, Order(7))))
