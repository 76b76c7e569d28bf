"""What the parts hand to each other: what they tell, and what is made when it is first asked for."""

from __future__ import annotations

import pytest

from lambent.api.access_log import Entry
from lambent.api.model import Exchange, Problem, Route
from lambent.api.request import Request
from lambent.errors import ConfigurationError
from lambent.types import Message


async def receive() -> Message:
    return {}


def test_a_problem_is_told_by_its_place() -> None:
    problem = Problem(["body", "items", 3, "price"], "Expected a number, but got text.")
    assert problem.place == ("body", "items", 3, "price")
    assert problem.told() == {
        "loc": ["body", "items", 3, "price"],
        "msg": "Expected a number, but got text.",
        "type": "invalid",
    }
    assert str(problem) == "body.items.3.price: Expected a number, but got text."


def test_a_route_is_read_when_it_is_first_asked_for_and_once() -> None:
    async def broken(a: Nothing) -> None: ...  # type: ignore[name-defined]  # noqa: F821 - the fault

    async def read(item_id: int) -> None: ...

    route = Route("/items/{item_id}", ["GET"], read, variables=["item_id"])
    assert route.plan is route.plan
    assert route.maker is route.maker
    assert [each.name for each in route.plan.parameters] == ["item_id"]
    late = Route("/", ["GET"], broken)
    for part in ("plan", "maker"):
        with pytest.raises(ConfigurationError, match="Nothing"):
            getattr(late, part)


def test_a_route_has_a_name() -> None:
    class Callable:
        def __call__(self) -> None: ...

    assert Route("/", ["GET"], receive).name == "receive"
    assert Route("/", ["GET"], receive, name="read").name == "read"
    assert Route("/", ["GET"], Callable()).name == "Callable"


def test_a_route_keeps_its_own_of_what_it_is_given() -> None:
    responses: dict[int, object] = {404: None}
    route = Route("/", ["GET"], receive, responses=responses)
    responses[409] = None
    assert route.responses == {404: None}


def test_an_exchange_begins_with_nothing_but_the_request() -> None:
    request = Request({"type": "http"}, receive, {})
    exchange = Exchange(request, Route("/", (), receive), Entry("GET", "/", "a", None, None, None))
    assert (exchange.request, exchange.draft, exchange.exits, exchange.background) == (request, None, None, [])
