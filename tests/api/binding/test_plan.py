"""A function's arguments, of a request."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal, NamedTuple, TypedDict

import fastapi
import msgspec
import pydantic
import pytest

from lambent.api.binding import Plan
from lambent.api.binding.problems import MOST
from lambent.api.exceptions import RequestInvalid
from lambent.api.markers import Body, Cookie, Depends, Form, Header, Path, Query
from lambent.api.request import Request
from lambent.api.responses import Response
from lambent.api.responses.background import BackgroundTasks
from lambent.errors import ConfigurationError
from lambent.types import Context
from tests.api.binding.doubles import JSON, bound, exchange, plan, problems, refused, run


class Colour(Enum):
    RED = "red"


class Item(pydantic.BaseModel):
    name: str
    price: float = 0.0


class Strict(pydantic.BaseModel, extra="forbid"):
    limit: int = 10
    tags: list[str] = []


class Struct(msgspec.Struct):
    id: int
    tags: list[str] = []


@dataclass
class Point:
    x: int
    y: int = 0
    more: list[int] = field(default_factory=list)


class Typed(TypedDict, total=False):
    a: int


class Named(NamedTuple):
    a: int
    b: str = "b"


IDS: Any = Query([])
VALUE: Any = Body(5, le=9)
THING: Any = Query()


async def limited(limit: int = 10) -> int:
    return limit


# Where arguments come from


async def path_and_query(item_id: int, q: str | None = None) -> Any:
    return item_id, q


async def plain(a: int, b: list[int] | None = None, c: Colour = Colour.RED, *, d: bool = False) -> Any:
    return a, b, c, d


async def whole(item: Item) -> Any:
    return item


async def optional(item: Item | None = None) -> Any:
    return item


async def whole_and_query(item: Item, q: int = 0) -> Any:
    return item, q


async def two(item: Item, point: Point, q: int = 0) -> Any:
    return item, point, q


async def items(items: list[Item]) -> Any:
    return items


async def points(points: list[Point]) -> Any:
    return points


async def any_object(data: dict[str, int]) -> Any:
    return data


async def any_mapping(data: Mapping[str, Any] | None) -> Any:
    return data


async def dataclass_body(point: Point) -> Any:
    return point


async def typed_body(typed: Typed) -> Any:
    return typed


async def named_body(named: Named) -> Any:
    return named


async def struct_body(struct: Struct) -> Any:
    return struct


async def exact(price: Decimal, weight: float, data: Any = None) -> Any:
    return price, weight, data


async def marked(
    q: Annotated[int, Query(alias="page-size", ge=1)],
    x_token: Annotated[str, Header()],
    session: Annotated[str, Cookie()] = "none",
    ids: list[int] = IDS,
) -> Any:
    return q, x_token, session, ids


async def many_headers(x_tag: Annotated[list[int], Header()]) -> Any:
    return x_tag


async def one_value(value: Annotated[int, Body()]) -> Any:
    return value


async def one_embedded(item: Annotated[Item, Body(embed=True)]) -> Any:
    return item


async def one_default(value: int = VALUE) -> Any:
    return value


async def query_model(filters: Annotated[Strict, Query()]) -> Any:
    return filters


async def query_struct(filters: Annotated[Struct, Query()]) -> Any:
    return filters


async def query_dataclass(filters: Annotated[Point, Query()]) -> Any:
    return filters


async def query_typed(filters: Annotated[Typed, Query()] = {"a": 1}) -> Any:  # noqa: B006 - as users write it
    return filters


async def header_model(headers: Annotated[HeaderModel, Header()]) -> Any:
    return headers


class HeaderModel(pydantic.BaseModel):
    x_count: int
    x_tags: list[str] = []


async def cookie_model(cookies: Annotated[Named, Cookie()]) -> Any:
    return cookies


async def form(name: Annotated[str, Form()], age: Annotated[int | None, Form()] = None, q: int = 0) -> Any:
    return name, age, q


async def form_model(point: Annotated[Point, Form()]) -> Any:
    return point


async def constrained(a: Annotated[int, pydantic.Field(ge=1)], b: Annotated[int, msgspec.Meta(ge=1)] = 1) -> Any:
    return a, b


async def kinds(a: int, /, b: int, *args: int, c: int, d: Literal["x"] = "x", **more: Any) -> Any:
    return a, b, args, c, d, more


FORM = {"content-type": "application/x-www-form-urlencoded"}
FIVE = {"item_id": "5"}

BOUND: list[tuple[Callable[..., Any], dict[str, Any], Any]] = [
    (path_and_query, {"path": FIVE}, (5, None)),
    (path_and_query, {"path": FIVE, "query": "q=a&q=b"}, (5, "b")),
    (path_and_query, {"path": FIVE, "body": '{"q": "c"}'}, (5, "c")),
    (path_and_query, {"path": FIVE, "body": '{"q": "c"}', "query": "q=d"}, (5, "d")),
    (path_and_query, {"path": FIVE, "body": '{"q": null}', "method": "GET"}, (5, None)),
    (path_and_query, {"path": FIVE, "body": "", "headers": JSON}, (5, None)),
    (path_and_query, {"path": FIVE, "body": "q=c", "headers": {"content-type": "text/plain"}}, (5, None)),
    (plain, {"query": "a=1&b=1&b=2&c=red&d=on"}, (1, [1, 2], Colour.RED, True)),
    (plain, {"query": "a=1", "body": '{"b": [3], "d": true}'}, (1, [3], Colour.RED, True)),
    (plain, {"body": '{"a": 1, "b": null, "c": "red"}'}, (1, None, Colour.RED, False)),
    (whole, {"body": '{"name": "a"}'}, Item(name="a")),
    (whole, {"body": '{"name": "a"}', "headers": {"content-type": "Application/JSON; Charset=UTF-8"}}, Item(name="a")),
    (whole, {"body": b'\xef\xbb\xbf{"name": "a"}'}, Item(name="a")),
    (optional, {}, None),
    (optional, {"body": "null"}, None),
    (optional, {"body": '{"name": "a"}'}, Item(name="a")),
    (optional, {"body": "a", "headers": {"content-type": "text/plain"}}, None),
    (whole_and_query, {"body": '{"name": "a", "q": 7}'}, (Item(name="a"), 0)),
    (whole_and_query, {"body": '{"name": "a"}', "query": "q=7"}, (Item(name="a"), 7)),
    (two, {"body": '{"item": {"name": "a"}, "point": {"x": 1}, "q": 2}'}, (Item(name="a"), Point(1), 2)),
    (items, {"body": '[{"name": "a"}]'}, [Item(name="a")]),
    (any_object, {"body": '{"a": 1}'}, {"a": 1}),
    (any_mapping, {"body": '{"a": "x"}'}, {"a": "x"}),
    (dataclass_body, {"body": '{"x": 1, "unknown": 2}'}, Point(1)),
    (typed_body, {"body": "{}"}, {}),
    (named_body, {"body": '{"a": 1}'}, Named(1)),
    (struct_body, {"body": '{"id": 1}'}, Struct(1)),
    (lambda a, b=1: (a, b), {"query": "a=1"}, ("1", 1)),
    (lambda a, b=1: (a, b), {"body": '{"a": [1, {"b": 2}]}'}, ([1, {"b": 2}], 1)),
    (exact, {"body": '{"price": 0.10, "weight": 0.5, "data": [0.5]}'}, (Decimal("0.10"), 0.5, [0.5])),
    (marked, {"query": "page-size=2", "headers": {"X-Token": "t"}}, (2, "t", "none", [])),
    (
        marked,
        {"query": "page-size=2&ids=1&ids=2", "headers": {"x-token": "t", "cookie": "session=s; other=o"}},
        (2, "t", "s", [1, 2]),
    ),
    (many_headers, {"headers": [("x-tag", "1"), ("x-tag", "2")]}, [1, 2]),
    (one_value, {"body": "5"}, 5),
    (one_embedded, {"body": '{"item": {"name": "a"}}'}, Item(name="a")),
    (one_default, {}, 5),
    (one_default, {"body": "7"}, 7),
    (query_model, {"query": "limit=3&tags=a&tags=b"}, Strict(limit=3, tags=["a", "b"])),
    (query_model, {}, Strict()),
    (query_struct, {"query": "id=3&tags=a"}, Struct(3, ["a"])),
    (query_dataclass, {"query": "x=3&more=1&more=2&unknown=1"}, Point(3, 0, [1, 2])),
    (query_typed, {"query": "a=2"}, {"a": 2}),
    (query_typed, {}, {"a": 1}),
    (
        header_model,
        {"headers": [("x-count", "2"), ("x-tags", "a"), ("x-tags", "b")]},
        HeaderModel(x_count=2, x_tags=["a", "b"]),
    ),
    (cookie_model, {"headers": {"cookie": "a=1"}}, Named(1)),
    (form, {"body": "name=a&age=3", "headers": FORM, "query": "q=1"}, ("a", 3, 1)),
    (form, {"body": "name=&age=", "headers": FORM}, ("", None, 0)),
    (form_model, {"body": "x=1&more=2", "headers": FORM}, Point(1, 0, [2])),
    (constrained, {"query": "a=1"}, (1, 1)),
    (constrained, {"body": '{"a": 1, "b": 2}'}, (1, 2)),
    (kinds, {"query": "a=1&b=2&c=3"}, (1, 2, (), 3, "x", {})),
]


@pytest.mark.parametrize(("function", "request_", "expected"), BOUND)
def test_arguments_are_made(function: Callable[..., Any], request_: dict[str, Any], expected: Any) -> None:
    assert bound(function, **request_) == expected


REFUSED: list[tuple[Callable[..., Any], dict[str, Any], list[Any]]] = [
    (path_and_query, {"path": {"item_id": "x"}}, [(("path", "item_id"), "invalid")]),
    (path_and_query, {"path": FIVE, "body": '{"q": 1}'}, [(("body", "q"), "invalid")]),
    (path_and_query, {"path": FIVE, "body": '{"other": 1}'}, [(("body", "other"), "unexpected")]),
    (plain, {}, [(("query", "a"), "missing")]),
    (plain, {"body": "{}"}, [(("body", "a"), "missing")]),
    (
        plain,
        {"query": "a=x&b=1&b=y&c=blue&d=2"},
        [
            (("query", "a"), "invalid"),
            (("query", "b", 1), "invalid"),
            (("query", "c"), "invalid"),
            (("query", "d"), "invalid"),
        ],
    ),
    (
        plain,
        {"body": '{"b": ["x"], "other": 1, "d": 1}'},
        [
            (("body", "a"), "missing"),
            (("body", "b", 0), "invalid"),
            (("body", "d"), "invalid"),
            (("body", "other"), "unexpected"),
        ],
    ),
    (whole, {}, [(("body",), "missing")]),
    (whole, {"body": "{}"}, [(("body", "name"), "missing")]),
    (whole, {"body": '{"price": "x"}'}, [(("body", "name"), "missing"), (("body", "price"), "invalid")]),
    (whole, {"body": "null"}, [(("body",), "invalid")]),
    (whole_and_query, {"body": "[]", "query": "q=x"}, [(("body",), "invalid"), (("query", "q"), "invalid")]),
    (
        two,
        {"body": '{"item": {}, "extra": 1}'},
        [(("body", "item", "name"), "missing"), (("body", "point"), "missing"), (("body", "extra"), "unexpected")],
    ),
    (two, {}, [(("body", "item"), "missing"), (("body", "point"), "missing")]),
    (items, {"body": '[{"name": "a"}, {}]'}, [(("body", 1, "name"), "missing")]),
    (any_object, {"body": '{"a": "x"}'}, [(("body", "a"), "invalid")]),
    (dataclass_body, {"body": '{"y": 1}'}, [(("body", "x"), "missing")]),
    (
        points,
        {"body": '[{"x": "a", "more": [1, "b"]}, {}]'},
        [(("body", 0, "x"), "invalid"), (("body", 0, "more", 1), "invalid"), (("body", 1, "x"), "missing")],
    ),
    (struct_body, {"body": "{}"}, [(("body", "id"), "missing")]),
    (struct_body, {"body": '{"id": "x"}'}, [(("body", "id"), "invalid")]),
    (marked, {"query": "page-size=0"}, [(("query", "page-size"), "invalid"), (("header", "x-token"), "missing")]),
    (many_headers, {"headers": {"x-tag": "x"}}, [(("header", "x-tag", 0), "invalid")]),
    (one_default, {"body": "10"}, [(("body",), "invalid")]),
    (query_model, {"query": "limit=x&other=1"}, [(("query", "limit"), "invalid"), (("query", "other"), "unexpected")]),
    (query_struct, {}, [(("query", "id"), "missing")]),
    (query_dataclass, {"query": "x=1&more=x"}, [(("query", "more", 0), "invalid")]),
    (header_model, {}, [(("header", "x-count"), "missing")]),
    (cookie_model, {"headers": {"cookie": "a=x"}}, [(("cookie", "a"), "invalid")]),
    (form, {"body": "age=x", "headers": FORM}, [(("form", "name"), "missing"), (("form", "age"), "invalid")]),
    (form, {}, [(("form", "name"), "missing")]),
    (constrained, {"query": "a=0&b=0"}, [(("query", "a"), "invalid"), (("query", "b"), "invalid")]),
    (constrained, {"body": '{"a": 0, "b": 0}'}, [(("body", "a"), "invalid"), (("body", "b"), "invalid")]),
]


@pytest.mark.parametrize(("function", "request_", "expected"), REFUSED)
def test_all_that_does_not_fit_is_told_in_order(
    function: Callable[..., Any], request_: dict[str, Any], expected: Any
) -> None:
    assert problems(function, **request_) == expected


def test_what_is_told_has_the_place_and_not_the_value() -> None:
    error = refused(plain, query="a=secret", body='{"d": "secret"}')
    assert error.status_code == 422
    assert error.detail == [
        {"loc": ["query", "a"], "msg": "Expected an integer, but the text is not one.", "type": "invalid"},
        {"loc": ["body", "d"], "msg": "Expected a boolean, but got a string.", "type": "invalid"},
    ]
    assert "secret" not in str(error.detail) + str(error.error_detail)


def test_a_thousand_problems_are_cut() -> None:
    body = "{" + ",".join(f'"{number}": 1' for number in range(1000)) + "}"
    error = refused(plain, query="a=1", body=body)
    assert len(error.problems) == MOST + 1
    assert "900 more" in error.problems[-1].message


def test_a_key_in_a_place_is_cut() -> None:
    (problem,) = refused(plain, query="a=1", body='{"' + "k" * 10_000 + '": 1}').problems
    assert len(str(problem.place[1])) == 100


# What is given as it is


def test_what_is_given() -> None:
    async def given(request: Request, response: Response, context: Context, tasks: BackgroundTasks) -> Any:
        return request, response, context, tasks

    on = exchange(scope={"aws.context": "the context"})
    found: Any = run(plan(given).call(on))
    request, response, context, tasks = found
    assert request is on.request
    assert response is on.draft
    assert context == "the context"
    assert on.background == [tasks]


def test_there_is_one_draft_and_one_list_of_tasks() -> None:
    async def given(a: Response, b: Response, c: BackgroundTasks, d: BackgroundTasks) -> bool:
        return a is b and c is d

    assert bound(given)


def test_a_context_needs_no_annotation_and_may_be_absent() -> None:
    async def given(other: Context | None = None) -> Any:
        return other

    assert bound(given) is None
    assert bound(lambda context: context, scope={"aws.context": "the context"}) == "the context"


def test_who_takes_the_request_may_read_other_fields() -> None:
    async def given(request: Request, a: int = 0) -> Any:
        return a, await request.json()

    assert bound(given, body='{"a": 1, "b": 2}') == (1, {"a": 1, "b": 2})


def test_defaults_are_not_shared() -> None:
    async def given(tags: list[str] = [], data: Any = {"a": []}) -> Any:  # noqa: B006 - as users write it
        tags.append("x")
        data["a"].append("x")
        return tags, data

    made = plan(given)
    assert run(made.call(exchange())) == run(made.call(exchange())) == (["x"], {"a": ["x"]})


@pytest.mark.parametrize("default", [Strict(), Struct(1), Point(1)], ids=["pydantic", "msgspec", "dataclass"])
def test_models_that_are_defaults_are_not_shared(default: Any) -> None:
    async def given(value: Any = default) -> Any:
        return value

    made = plan(given)
    given_first, given_second = run(made.call(exchange())), run(made.call(exchange()))
    assert given_first == given_second == default
    assert len({id(default), id(given_first), id(given_second)}) == 3


# What can be a route's function


class Callee:
    async def __call__(self, a: int) -> int:
        return a

    async def method(self, a: int) -> int:
        return a


def wrapped(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    async def inner(*args: Any, **kwargs: Any) -> Any:
        return await function(*args, **kwargs)

    return inner


async def added(a: int, b: int) -> int:
    return a + b


async def posted(b: int, *, a: int) -> int:
    return a + b


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (Callee(), 1),
        (Callee().method, 1),
        (wrapped(added), 3),
        (functools.partial(added, 5), 7),
        (functools.partial(added, b=5), 6),
        (functools.partial(functools.partial(added, b=5), a=5), 10),
        (wrapped(functools.partial(added, b=5)), 6),
    ],
)
def test_functions_of_all_kinds_are_called(function: Callable[..., Any], expected: int) -> None:
    made = plan(function)
    query = "&".join(f"{each.wire}={1 if each.wire == 'a' else 2}" for each in made.parameters)
    assert run(made.call(exchange(query=query))) == expected


def test_what_a_partial_has_set_is_not_taken_of_the_request() -> None:
    assert problems(functools.partial(added, b=5), query="a=1", body='{"b": 1}') == [(("body", "b"), "unexpected")]


def test_a_generator_is_given_as_it_is() -> None:
    async def pieces(a: int) -> AsyncIterator[int]:
        yield a

    def sync_pieces(a: int) -> Iterator[int]:
        yield a

    async def collected() -> list[int]:
        made: Any = await plan(pieces).call(exchange(query="a=1"))
        return [each async for each in made]

    assert run(collected()) == [1]
    assert list(bound(sync_pieces, query="a=1")) == [1]
    assert plan(pieces).is_generator
    assert plan(sync_pieces).is_generator
    assert not plan(whole).is_generator


def test_what_a_function_returns_is_known() -> None:
    async def said() -> date:
        return date.min

    async def nothing() -> None: ...

    assert plan(said).returns is date
    assert plan(nothing).returns is None
    assert plan(lambda a: a).returns is ...


def test_parameters_are_known() -> None:
    async def function(
        item_id: int, item: Item, user: Annotated[int, Depends(limited)], q: Annotated[str, Query(max_length=3)] = ""
    ) -> None: ...

    made = plan(function, {"item_id": "1"})
    assert [(each.name, each.wire, each.source, each.required, each.default) for each in made.parameters] == [
        ("limit", "limit", "query", False, 10),
        ("item_id", "item_id", "path", True, None),
        ("item", "", "body", True, None),
        ("q", "q", "query", False, ""),
    ]
    assert made.parameters[3].bounds is not None
    assert made.parameters[0].convert("3") == 3
    assert [(each.wire, each.embedded) for each in plan(two).parameters] == [
        ("item", True),
        ("point", True),
        ("q", False),
    ]
    assert [each.source for each in plan(plain).parameters] == ["either"] * 4
    assert [(each.wire, each.source) for each in plan(query_model).parameters] == [("", "query")]


def test_a_validation_error_of_the_function_itself_is_its_own() -> None:
    async def broken(item: Item) -> Any:
        return Item.model_validate({"price": "x"})

    async def checked(a: int = 1) -> Any:
        raise pydantic.ValidationError.from_exception_data("mine", [])

    for function in (broken, checked):
        with pytest.raises(pydantic.ValidationError):
            run(plan(function).call(exchange(body='{"name": "a"}' if function is broken else "")))


def test_what_raises_in_a_function_is_raised() -> None:
    async def broken() -> None:
        raise LookupError

    with pytest.raises(LookupError):
        bound(broken)


# Bounds of several markers


Positive = Annotated[int, Query(ge=1)]


@dataclass
class Bounded:
    x: Annotated[int, Body(ge=1)]
    more: list[Annotated[int, Body(ge=1)]] | None = None


async def narrowed(a: Annotated[Positive, Query(le=3)]) -> Any:
    return a


async def narrowed_by_default(a: Positive = Query(2, le=3)) -> Any:  # type: ignore[assignment]  # noqa: B008 - as users write it
    return a


async def narrowed_items(a: Annotated[list[Positive], Query(max_length=1)]) -> Any:
    return a


async def narrowed_or_none(a: Annotated[Positive | None, Query(le=3)] = None) -> Any:
    return a


async def narrowed_field(point: Bounded) -> Any:
    return point.x


@pytest.mark.parametrize("function", [narrowed, narrowed_by_default, narrowed_items, narrowed_or_none])
def test_the_bounds_of_all_markers_hold(function: Callable[..., Any]) -> None:
    assert bound(function, query="a=2") in (2, [2])
    for query in ("a=0", "a=2&a=4"):
        assert [(each[0][:2], each[1]) for each in problems(function, query=query)] == [(("query", "a"), "invalid")]


def test_bounds_of_markers_within_an_annotation_hold() -> None:
    assert bound(narrowed_field, body='{"x": 1, "more": [1]}', headers=JSON) == 1
    assert problems(narrowed_field, body='{"x": 0, "more": [1, 0]}', headers=JSON) == [
        (("body", "x"), "invalid"),
        (("body", "more", 1), "invalid"),
    ]


# What cannot be called


async def depends_of_fastapi(a: Annotated[str, fastapi.Depends(plain)]) -> None: ...
async def default_of_fastapi(a: str = fastapi.Depends(plain)) -> None: ...
async def security_of_fastapi(a: str = fastapi.Security(plain)) -> None: ...
async def query_of_fastapi(a: Annotated[str, fastapi.Query()]) -> None: ...
async def header_of_fastapi(a: Annotated[str, fastapi.Header()]) -> None: ...
async def default_of_fastapi_too(a: Annotated[int, Query()] = fastapi.Query(1)) -> None: ...


async def query_of_both(a: Annotated[int, fastapi.Query(), Query]) -> int:
    return a


async def default_of_ours(a: Annotated[int, fastapi.Query()] = Query()) -> int:  # type: ignore[assignment]  # as FastAPI has it
    return a


def half(a: int) -> int:
    return a


async def depends_of_both(a: Annotated[int, fastapi.Depends(half), Depends(half)]) -> int:
    return a


@pytest.mark.parametrize("function", [query_of_both, default_of_ours, depends_of_both])
def test_a_marker_of_fastapi_may_stand_beside_ours(function: Any) -> None:
    assert bound(function, query="a=2") == 2


async def not_in_the_path(item_id: Annotated[int, Path()]) -> None: ...
async def list_in_path(ids: list[int]) -> None: ...
async def two_bodies_of_kinds(item: Item, name: Annotated[str, Form()]) -> None: ...
async def no_way(thing: complex) -> None: ...
async def default_no_way(thing: object = THING, other: type[int] = int) -> None: ...
async def unknown(thing: int) -> None: ...


unknown.__annotations__["thing"] = "Unknown"


async def both(a: Annotated[int, Query(), Depends(plain)]) -> None: ...
async def nothing_to_depend_on(a: Annotated[Any, Depends()]) -> None: ...
async def query_of_models(a: Annotated[list[Item], Query()]) -> None: ...
async def file_of_text(a: Annotated[int, Header(pattern="(")]) -> None: ...


@pytest.mark.parametrize(
    ("function", "path", "message"),
    [
        (not_in_the_path, {}, "'item_id' .*which has none"),
        (not_in_the_path, {"other": "1"}, "which has other"),
        (list_in_path, {"ids": "1"}, "'ids' .*one value"),
        (two_bodies_of_kinds, {}, "item, name"),
        (no_way, {}, "'thing'"),
        (default_no_way, {}, "'other'"),
        (unknown, {}, "Unknown"),
        (both, {}, "Query and with Depends"),
        (nothing_to_depend_on, {}, "Depends"),
        (query_of_models, {}, "'a'"),
        (file_of_text, {}, "regular expression"),
        (depends_of_fastapi, {}, "'a' .*take Depends from lambent.api"),
        (default_of_fastapi, {}, "take Depends from lambent.api"),
        (security_of_fastapi, {}, "take Security from lambent.api"),
        (query_of_fastapi, {}, "take Query from lambent.api"),
        (header_of_fastapi, {}, "take Header from lambent.api"),
        (default_of_fastapi_too, {}, "take Query from lambent.api"),
    ],
)
def test_a_function_that_cannot_be_called_is_refused_at_once(function: Any, path: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        Plan(function, tuple(path))


def test_a_plan_is_bound_many_times() -> None:
    made = plan(path_and_query, FIVE)
    for number in range(3):
        assert run(made.call(exchange(path={"item_id": str(number)}))) == (number, None)
    with pytest.raises(RequestInvalid):
        run(made.call(exchange(path={"item_id": "x"})))
    assert run(made.call(exchange(path=FIVE))) == (5, None)
