"""What a request is answered when its route has raised."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import fastapi
import pytest
import starlette.exceptions
from hypothesis import given
from hypothesis import strategies as st

from lambent.api.exceptions import HTTPException, RequestInvalid
from lambent.api.failures import ErrorHandlers, RouteTimedOut, is_http, respond
from lambent.api.model import Problem
from lambent.api.responses import Response
from lambent.errors import ConfigurationError, LambentError

NOTHING: Any = None
REQUEST: Any = object()
"""Handlers are given it, and nothing else looks at it."""


def answer(handlers: ErrorHandlers, error: Exception) -> Any:
    """As the Api asks: where the exception is caught."""

    async def serve() -> object:
        try:
            raise error
        except Exception as caught:
            return await handlers.answer(REQUEST, caught)

    return asyncio.run(serve())


async def uncaught(handlers: ErrorHandlers, error: Exception) -> object:
    """As one may ask who has the exception from elsewhere."""
    return await handlers.answer(REQUEST, error)


def named(name: str) -> Any:
    def handler(request: object, error: Exception) -> tuple[str, object, Exception]:
        return name, request, error

    return handler


def told(response: Response) -> tuple[int, object, dict[str, str]]:
    fields = {name.decode(): value.decode() for name, value in response.raw_headers()}
    fields.pop("content-length", None)
    return response.status_code, json.loads(response.body) if response.body else None, fields


class Stock(Exception): ...


class Missing(Stock, KeyError): ...


# Who answers


def test_the_nearest_class_answers() -> None:
    handlers = ErrorHandlers()
    for kind in (Exception, LookupError, Stock):
        handlers.add(kind, named(kind.__name__))

    for error, name in (
        (Missing(), "Stock"),
        (Stock(), "Stock"),
        (KeyError("a"), "LookupError"),
        (IndexError(), "LookupError"),
        (ValueError(), "Exception"),
        (HTTPException(404), "Exception"),
    ):
        assert answer(handlers, error) == (name, REQUEST, error)


KINDS = [Exception, ArithmeticError, LookupError, KeyError, Stock, Missing, LambentError, HTTPException, RequestInvalid]


@given(st.sets(st.sampled_from(KINDS)), st.sampled_from([Missing(), Stock(), KeyError(), HTTPException(409)]))
def test_it_is_the_first_of_those_that_the_exception_descends_from(
    kinds: set[type[Exception]], error: Exception
) -> None:
    handlers = ErrorHandlers()
    for kind in kinds:
        handlers.add(kind, named(kind.__name__))
    expected = [kind.__name__ for kind in type(error).__mro__ if kind in kinds]
    found = handlers.find(error)
    assert (found and found(REQUEST, error)[0]) == (expected[0] if expected else None)


def test_a_status_code_goes_before_classes_and_is_for_http_exceptions_only() -> None:
    handlers = ErrorHandlers()
    handlers.add(HTTPException, named("class"))
    handlers.add(404, named("status"))
    handlers.add(500, named("own 500"))

    class Answer(Exception):
        status_code = 404

    assert answer(handlers, HTTPException(404))[0] == "status"
    assert answer(handlers, HTTPException(409))[0] == "class"
    assert answer(handlers, starlette.exceptions.HTTPException(404))[0] == "status"
    for error in (Answer(), ValueError()):
        assert handlers.find(error) is None


def test_a_timeout_is_answered_for_as_one() -> None:
    handlers = ErrorHandlers()
    error = RouteTimedOut(2.75)
    assert told(answer(handlers, error)) == (
        504,
        {"detail": "Gateway Timeout"},
        {"content-type": "application/json"},
    )
    assert str(error) == "504: The route was not done in its 2.750 seconds, and was cancelled."
    handlers.add(TimeoutError, named("timeout"))
    assert answer(handlers, error) == ("timeout", REQUEST, error)


def test_what_nobody_answers_for_is_raised_as_it_is() -> None:
    handlers = ErrorHandlers()
    handlers.add(KeyError, named("key"))
    error = ValueError("no")
    with pytest.raises(ValueError, match="no") as caught:
        answer(handlers, error)
    assert caught.value is error
    assert error.__context__ is None


# How


def test_handlers_are_sync_or_async_functions_or_objects() -> None:
    class Handler:
        async def __call__(self, request: object, error: Exception) -> str:
            await asyncio.sleep(0)
            return f"object: {error}"

    async def handler(request: object, error: Exception) -> str:
        await asyncio.sleep(0)
        return f"async: {error}"

    def response(request: object, error: Exception) -> Response:
        return Response(b"a", 418)

    handlers = ErrorHandlers()
    handlers.add(ValueError, handler)
    handlers.add(KeyError, Handler())
    handlers.add(IndexError, response)
    handlers.add(TypeError, lambda request, error: None)
    assert answer(handlers, ValueError("a")) == "async: a"
    assert answer(handlers, KeyError("a")) == "object: 'a'"
    assert answer(handlers, IndexError()).status_code == 418
    assert answer(handlers, TypeError()) is None


@pytest.mark.parametrize("raised", [ValueError("worse"), HTTPException(404)])
@pytest.mark.parametrize("is_async", [True, False])
@pytest.mark.parametrize("is_caught", [True, False])
def test_what_a_handler_raises_is_raised_with_the_first_as_its_context(
    raised: Exception, is_async: bool, is_caught: bool
) -> None:
    async def later(request: object, error: Exception) -> None:
        await asyncio.sleep(0)
        raise raised

    def now(request: object, error: Exception) -> None:
        raise raised

    raised.__context__ = None
    handlers = ErrorHandlers()
    handlers.add(KeyError, later if is_async else now)
    error = KeyError("first")
    with pytest.raises(type(raised)) as caught:
        _ = answer(handlers, error) if is_caught else asyncio.run(uncaught(handlers, error))
    assert caught.value is raised
    assert raised.__context__ is error


def test_a_handler_may_raise_the_same_again() -> None:
    def again(request: object, error: Exception) -> None:
        raise error

    handlers = ErrorHandlers()
    handlers.add(KeyError, again)
    error = KeyError("first")
    with pytest.raises(KeyError) as caught:
        answer(handlers, error)
    assert caught.value is error
    assert error.__context__ is None


@pytest.mark.parametrize(
    "what", [BaseException, asyncio.CancelledError, KeyboardInterrupt, int, ValueError(), 200, 600, 0, "404", None]
)
def test_what_is_no_exception_or_status_of_an_error_is_refused(what: Any) -> None:
    with pytest.raises(ConfigurationError, match="subclass of Exception"):
        ErrorHandlers().add(what, named("a"))


def test_so_is_a_second_handler_and_what_is_none() -> None:
    handlers = ErrorHandlers()
    handler = named("a")
    for what in (KeyError, 404):
        handlers.add(what, handler)
        handlers.add(what, handler)
        with pytest.raises(ConfigurationError, match="handler already"):
            handlers.add(what, named("b"))
    with pytest.raises(ConfigurationError, match="takes \\(request, error\\)"):
        handlers.add(ValueError, NOTHING)


# What an HTTPException is answered


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (HTTPException(404), (404, {"detail": "Not Found"}, {})),
        (HTTPException(409, {"left": 0}), (409, {"detail": {"left": 0}}, {})),
        (HTTPException(500, "a", error_detail="secret"), (500, {"detail": "a"}, {})),
        (
            HTTPException(401, "a", {"WWW-Authenticate": "Bearer"}),
            (401, {"detail": "a"}, {"www-authenticate": "Bearer"}),
        ),
        (HTTPException(405, headers={"allow": "GET"}), (405, {"detail": "Method Not Allowed"}, {"allow": "GET"})),
        (HTTPException(204, headers={"a": "b"}), (204, None, {"a": "b"})),
        (HTTPException(304, headers={"etag": '"a"'}), (304, None, {"etag": '"a"'})),
        (
            RequestInvalid([Problem(("body", 3), "Expected int, but got str.")]),
            (422, {"detail": [{"loc": ["body", 3], "msg": "Expected int, but got str.", "type": "invalid"}]}, {}),
        ),
        (starlette.exceptions.HTTPException(404), (404, {"detail": "Not Found"}, {})),
        (starlette.exceptions.HTTPException(204), (204, None, {})),
        (fastapi.HTTPException(401, [1], {"WWW-Authenticate": "b"}), (401, {"detail": [1]}, {"www-authenticate": "b"})),
    ],
    ids=lambda value: f"{type(value).__module__} {value}" if isinstance(value, Exception) else "",
)
def test_it_is_its_detail_with_its_status_and_headers(
    error: Exception, expected: tuple[int, object, dict[str, str]]
) -> None:
    status_code, content, headers = told(respond(error))
    if content is not None:
        assert headers.pop("content-type") == "application/json"
    assert (status_code, content, headers) == expected
    assert told(answer(ErrorHandlers(), error))[0] == status_code


def test_what_only_looks_like_one_is_none() -> None:
    class HTTPError(Exception):
        status_code = 404

    class HTTPException(Exception):
        """Of a client, such as http.client has it."""

    class Odd(HTTPException):
        status_code = 99

    for error in (HTTPError(), HTTPException(), Odd(), ValueError()):
        assert not is_http(error)
