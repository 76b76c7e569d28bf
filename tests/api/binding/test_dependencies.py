"""What functions depend on: order, caching, overrides, what comes after, and exceptions."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial, wraps
from threading import current_thread, main_thread
from typing import Annotated, Any

import pydantic
import pytest

from lambent.api.binding import Plan
from lambent.api.exceptions import HTTPException, RequestInvalid
from lambent.api.markers import Body, Depends, Header
from lambent.errors import ConfigurationError
from tests.api.binding.doubles import bound, depending, exchange, plan, problems, run, served

VARIABLE: ContextVar[str] = ContextVar("VARIABLE", default="outside")


class Log(list[str]):
    """What happened, in order."""

    def noting(self, name: str) -> Callable[[], Any]:
        async def dependency() -> str:
            self.append(name)
            return name

        return dependency


# Values


async def number() -> int:
    return 5


def sync_number() -> int:
    assert current_thread() is not main_thread()
    return 6


class Pagination:
    def __init__(self, page: int = 1, size: int = 10) -> None:
        self.page = page
        self.size = size
        self.thread = current_thread()


@dataclass
class Filters:
    q: str = ""


class Model(pydantic.BaseModel):
    q: str = ""


class Token:
    """An object that is called, as security schemes are."""

    def __init__(self, name: str) -> None:
        self.name = name

    async def __call__(self, authorization: Annotated[str, Header()] = "nobody") -> str:
        return f"{self.name} {authorization}"


DEFAULT: Any = Depends(number)
FILTERS: Any = Depends()


async def user(token: Annotated[str, Depends(Token("bearer"))], n: Annotated[int, Depends(number)]) -> Any:
    return token, n


async def many(
    a: Annotated[int, Depends(number)],
    b: Annotated[int, Depends(sync_number)],
    c: Annotated[Any, Depends(user)],
    *,
    d: int = DEFAULT,
    e: Annotated[int, Depends(partial(number))],
    f: Annotated[int, Depends(lambda: 7)],
) -> Any:
    return a, b, c, d, e, f


def test_functions_of_all_kinds_make_values() -> None:
    assert bound(many, headers={"authorization": "x"}) == (5, 6, ("bearer x", 5), 5, 5, 7)


def test_classes_are_called_at_once_with_parameters_of_the_request() -> None:
    async def listed(
        pages: Annotated[Pagination, Depends()], a: Annotated[Filters, Depends()], b: Model = FILTERS
    ) -> Any:
        return pages.page, pages.size, pages.thread is main_thread(), a.q, b.q

    assert bound(listed, query="page=2&q=x") == (2, 10, True, "x", "x")
    assert [each.name for each in plan(listed).parameters] == ["page", "size", "q", "q"]


def test_what_a_dependency_wants_is_known_and_checked() -> None:
    async def limited(limit: int) -> int:
        return limit

    async def function(a: int, b: Annotated[int, Depends(limited)], c: int) -> None: ...

    assert problems(function, query="limit=x&a=x&c=1") == [(("query", "limit"), "invalid"), (("query", "a"), "invalid")]
    assert problems(function, query="limit=1&a=1&c=1", body='{"b": 1}') == [(("body", "b"), "unexpected")]


def test_bodies_of_two_functions_are_fields_and_the_same_body_is_one() -> None:
    async def one(item: dict[str, int]) -> Any:
        return item

    async def other(thing: dict[str, int], item: Annotated[Any, Depends(one)]) -> Any:
        return thing, item

    async def same(item: dict[str, int], again: Annotated[Any, Depends(one)]) -> Any:
        return item, again

    assert bound(other, body='{"thing": {"a": 1}, "item": {"b": 2}}') == ({"a": 1}, {"b": 2})
    assert bound(same, body='{"a": 1}') == ({"a": 1}, {"a": 1})


# Order


def test_they_are_called_in_order_and_those_of_the_route_first() -> None:
    log = Log()

    async def inner(a: Annotated[str, Depends(log.noting("a"))]) -> None:
        log.append("inner")

    async def function(x: Annotated[None, Depends(inner)], b: Annotated[str, Depends(log.noting("b"))]) -> None:
        log.append("function")

    run(plan(function, dependencies=depending(log.noting("first"), log.noting("second"))).call(exchange()))
    assert log == ["first", "second", "a", "inner", "b", "function"]


def test_each_is_called_once_unless_it_says_otherwise() -> None:
    log = Log()
    counted = log.noting("counted")

    async def inner(a: Annotated[str, Depends(counted)]) -> None: ...

    async def function(
        a: Annotated[str, Depends(counted)],
        b: Annotated[None, Depends(inner)],
        c: Annotated[str, Depends(counted, use_cache=False)],
        d: Annotated[str, Depends(counted, use_cache=False)],
    ) -> None: ...

    made = plan(function, dependencies=depending(counted))
    for _ in range(2):
        log.clear()
        run(made.call(exchange()))
        assert log == ["counted"] * 3


def test_one_that_cannot_be_hashed_is_called_once_too() -> None:
    calls: list[int] = []

    class Unhashable:
        __slots__ = ("made",)

        def __eq__(self, other: object) -> bool:
            return self is other

        __hash__ = vars(list)["__hash__"]

        async def __call__(self) -> int:
            calls.append(1)
            return len(calls)

    dependency = Unhashable()

    async def function(a: Annotated[int, Depends(dependency)], b: Annotated[int, Depends(dependency)]) -> Any:
        return a, b

    assert bound(function) == (1, 1)


def test_one_that_depends_on_itself_is_refused() -> None:
    async def round_(a: int) -> None: ...

    round_.__annotations__["a"] = Annotated[int, Depends(round_)]
    with pytest.raises(ConfigurationError, match=r"round_.* depends on itself"):
        plan(round_)

    async def function(a: Annotated[None, Depends(round_)]) -> None: ...

    with pytest.raises(ConfigurationError, match="depends on itself"):
        plan(function)


# Overrides


def test_others_are_called_in_their_place() -> None:
    async def fake(page: int) -> int:
        return page

    async def nested(n: Annotated[int, Depends(number)]) -> int:
        return n

    async def function(a: Annotated[int, Depends(number)], b: Annotated[int, Depends(nested)]) -> Any:
        return a, b

    made = plan(function, overrides={number: fake})
    assert run(made.call(exchange(query="page=9"))) == (9, 9)
    assert [each.name for each in made.parameters] == ["page"]
    assert bound(function) == (5, 5)


# What comes after


def events(log: list[str], name: str) -> tuple[Callable[..., Any], ...]:
    """The same in four ways."""

    async def generator() -> AsyncIterator[str]:
        log.append(f"enter {name}")
        try:
            yield name
        except LookupError:
            log.append(f"raised in {name}")
            raise
        finally:
            log.append(f"exit {name}")

    def sync_generator() -> Iterator[str]:
        assert current_thread() is not main_thread()
        log.append(f"enter {name}")
        try:
            yield name
        except LookupError:
            log.append(f"raised in {name}")
            raise
        finally:
            assert current_thread() is not main_thread()
            log.append(f"exit {name}")

    @wraps(generator)
    def wrapped() -> Any:
        return generator()

    return generator, sync_generator, asynccontextmanager(generator), contextmanager(sync_generator), wrapped


WAYS = range(5)


@pytest.mark.parametrize("way", WAYS)
def test_the_rest_runs_at_the_end_the_last_first(way: int) -> None:
    log: list[str] = []
    outer, other = events(log, "outer")[way], events(log, "other")[way]

    async def inner(a: Annotated[str, Depends(outer)]) -> AsyncIterator[str]:
        log.append("enter inner")
        yield a + "/inner"
        log.append("exit inner")

    async def function(
        a: Annotated[str, Depends(outer)], b: Annotated[str, Depends(inner)], c: Annotated[str, Depends(other)]
    ) -> Any:
        log.append("function")
        return a, b, c

    on = exchange()
    assert run(served(plan(function), on)) == ("outer", "outer/inner", "other")
    assert log == [
        "enter outer", "enter inner", "enter other", "function", "exit other", "exit inner", "exit outer"
    ]  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_the_rest_is_given_what_the_route_raises(way: int) -> None:
    log: list[str] = []
    outer = events(log, "outer")[way]

    async def function(a: Annotated[str, Depends(outer)]) -> None:
        raise LookupError

    with pytest.raises(LookupError):
        run(served(plan(function), exchange()))
    assert log == ["enter outer", "raised in outer", "exit outer"]


@pytest.mark.parametrize("way", WAYS)
def test_those_that_were_entered_end_where_another_refuses(way: int) -> None:
    log: list[str] = []
    outer = events(log, "outer")[way]

    async def refusing() -> None:
        raise HTTPException(403)

    async def function(a: Annotated[str, Depends(outer)], b: Annotated[None, Depends(refusing)]) -> None: ...

    with pytest.raises(HTTPException):
        run(served(plan(function), exchange()))
    assert log == ["enter outer", "exit outer"]


def test_one_may_raise_another_exception_in_its_place() -> None:
    async def translating() -> AsyncIterator[None]:
        try:
            yield
        except LookupError:
            raise HTTPException(404) from None

    async def function(a: Annotated[None, Depends(translating)]) -> None:
        raise LookupError

    with pytest.raises(HTTPException):
        run(served(plan(function), exchange()))


def test_without_generators_there_are_no_exits() -> None:
    on = exchange()
    run(plan(many).call(on))
    assert on.exits is None


def test_a_context_manager_that_is_returned_is_given_as_it_is() -> None:
    """A client is one, too: it is not to be closed with the request."""
    manager = asynccontextmanager(events([], "x")[0])()

    async def client() -> Any:
        return manager

    async def function(a: Annotated[Any, Depends(client)]) -> Any:
        return a

    on = exchange()
    assert run(plan(function).call(on)) is manager
    assert on.exits is None


# Refusals


def test_one_that_refuses_the_client_comes_before_what_does_not_fit() -> None:
    async def authorized() -> None:
        raise HTTPException(401)

    async def function(a: int, data: Annotated[dict[str, int], Body()]) -> None: ...

    made = plan(function, dependencies=depending(authorized))
    with pytest.raises(HTTPException) as raised:
        run(made.call(exchange(query="a=x", body="{")))
    assert raised.value.status_code == 401


def test_one_whose_arguments_do_not_fit_is_not_called_nor_what_needs_it() -> None:
    log = Log()

    async def limited(limit: int) -> None:
        log.append("limited")

    async def needing(a: Annotated[None, Depends(limited)]) -> None:
        log.append("needing")

    async def further(a: Annotated[None, Depends(needing)]) -> None:
        log.append("further")

    async def function(a: Annotated[None, Depends(further)], b: Annotated[str, Depends(log.noting("b"))]) -> None: ...

    with pytest.raises(RequestInvalid):
        run(plan(function).call(exchange(query="limit=x")))
    assert log == ["b"]


# Contexts


def test_what_an_async_one_sets_is_there_in_the_route() -> None:
    async def setting() -> AsyncIterator[None]:
        token = VARIABLE.set("inside")
        yield
        VARIABLE.reset(token)

    async def function(a: Annotated[None, Depends(setting)]) -> str:
        return VARIABLE.get()

    assert run(served(plan(function), exchange())) == "inside"


def test_what_a_sync_generator_sets_is_there_at_its_end() -> None:
    seen: list[str] = []

    def setting() -> Iterator[None]:
        seen.append(VARIABLE.get())
        token = VARIABLE.set("inside")
        yield
        seen.append(VARIABLE.get())
        VARIABLE.reset(token)

    async def function(a: Annotated[None, Depends(setting)]) -> str:
        return VARIABLE.get()

    async def called() -> object:
        VARIABLE.set("request")
        return await served(plan(function), exchange())

    assert run(called()) == "request"
    assert seen == ["request", "inside"]


def test_requests_at_a_time_share_nothing() -> None:
    async def slow(n: int) -> AsyncIterator[int]:
        await asyncio.sleep(0)
        yield n

    async def function(a: Annotated[int, Depends(slow)]) -> int:
        await asyncio.sleep(0)
        return a

    async def all_of_them() -> list[object]:
        made = Plan(function)
        return await asyncio.gather(*(served(made, exchange(query=f"n={n}")) for n in range(20)))

    assert run(all_of_them()) == list(range(20))
