import asyncio
import json
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Callable,
    Collection,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import Enum
from functools import partial
from typing import Annotated, Any, Generic, Literal, NamedTuple, NotRequired, Optional, TypedDict, TypeVar

import msgspec
import pydantic
import pytest
from starlette.responses import JSONResponse as StarlettesJSONResponse
from starlette.responses import StreamingResponse as StarlettesStreamingResponse
from typing_extensions import TypeAliasType

from lambent.api.model import Exchange, Route
from lambent.api.responses import (
    Draft,
    EventSourceResponse,
    FileResponse,
    HTMLResponse,
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
    ServerSentEvent,
    StreamingResponse,
)
from lambent.api.responses.making import Maker, is_app, maker
from lambent.errors import ConfigurationError, InvalidResult


def exchange() -> Exchange:
    return Exchange(None, None, None)  # type: ignore[arg-type]  # neither is looked at


def route(function: Callable[..., Any], **options: Any) -> Route:
    return Route("/", ["GET"], function, **options)


def returning(annotation: Any, **options: Any) -> Maker:
    def function() -> None: ...

    function.__annotations__["return"] = annotation
    return maker(route(function, **options))


class Answer(NamedTuple):
    status: int
    type: str | None
    body: bytes
    headers: list[tuple[str, str]] = []  # noqa: RUF012 - of a tuple


def sent(response: Any, method: str = "GET", spec: str = "2.5") -> Answer:
    messages: list[Any] = []

    async def send(message: Any) -> None:
        messages.append(message)

    async def receive() -> Any:
        await asyncio.Event().wait()

    asyncio.run(
        response({"type": "http", "method": method, "headers": [], "asgi": {"spec_version": spec}}, receive, send)
    )
    start, *bodies = messages
    headers = [(name.decode(), value.decode()) for name, value in start["headers"]]
    rest = [each for each in headers if each[0] not in {"content-type", "content-length"}]
    return Answer(start["status"], dict(headers).get("content-type"), b"".join(each["body"] for each in bodies), rest)


JSON = "application/json"
TEXT = "text/plain; charset=utf-8"


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        ({"a": 1}, (200, JSON, b'{"a":1}')),
        ([1], (200, JSON, b"[1]")),
        ((1, 2), (200, JSON, b"[1,2]")),
        (1, (200, JSON, b"1")),
        (False, (200, JSON, b"false")),
        (1.5, (200, JSON, b"1.5")),
        (datetime(2026, 1, 2, tzinfo=UTC), (200, JSON, b'"2026-01-02T00:00:00+00:00"')),
        ("é", (200, TEXT, "é".encode())),
        ("", (200, TEXT, b"")),
        (b"\0", (200, "application/octet-stream", b"\0")),
        (None, (204, None, b"")),
        (Response(b"a", 202), (202, None, b"a")),
        (StarlettesJSONResponse({"a": 1}, 203), (203, JSON, b'{"a":1}')),
    ],
)
def test_a_result_becomes_a_response(result: object, expected: tuple[object, ...]) -> None:
    assert sent(returning(...)(result, exchange()))[:3] == expected
    assert sent(Maker()(result, exchange()))[:3] == expected


@pytest.mark.parametrize(
    ("result", "expected"),
    [({}, (201, b"{}")), ("a", (201, b"a")), (b"a", (201, b"a")), (None, (201, b"")), (Response(), (200, b""))],
)
def test_a_route_has_a_status(result: object, expected: tuple[object, ...]) -> None:
    answer = sent(returning(..., status_code=201)(result, exchange()))
    assert (answer.status, answer.body) == expected


class Indented(JSONResponse):
    media_type = "application/vnd.item+json"

    def render(self, content: Any) -> bytes:
        return json.dumps(content, indent=1).encode()


def test_a_route_has_a_class() -> None:
    assert sent(returning(str, response_class=JSONResponse)("a", exchange()))[:3] == (200, JSON, b'"a"')
    assert sent(returning(..., response_class=HTMLResponse)("<p>", exchange())).type == "text/html; charset=utf-8"
    assert sent(returning(..., response_class=Indented)({"a": 1}, exchange())).body == b'{\n "a": 1\n}'
    redirect = returning(..., response_class=RedirectResponse)
    assert sent(redirect("/a", exchange()))[::3] == (307, [("location", "/a")])
    assert sent(returning(..., response_class=RedirectResponse, status_code=303)("/a", exchange())).status == 303
    assert sent(returning(..., response_class=FileResponse)(__file__, exchange())).body.startswith(b"import asyncio")
    with pytest.raises(InvalidResult):
        returning(..., response_class=PlainTextResponse)({"a": 1}, exchange())


# What an annotation says


class Colour(Enum):
    RED = "red"


class PUser(pydantic.BaseModel):
    name: str
    born: date | None = None
    given: str = pydantic.Field(default="", alias="givenName")


class PUserInDatabase(PUser):
    password: str = "secret"


class SUser(msgspec.Struct, rename="camel"):
    name: str
    born: date | None = None
    given_name: str = ""


class SUserInDatabase(SUser):
    password: str = "secret"


@dataclass
class DUser:
    name: str
    born: date | None = None
    givenName: str = ""  # noqa: N815 - as the others are written
    _note: str = ""


@dataclass
class DUserInDatabase(DUser):
    password: str = "secret"


class TUser(TypedDict):
    name: str
    born: NotRequired[date | None]
    givenName: NotRequired[str]


class NUser(NamedTuple):
    name: str
    born: date | None = None
    givenName: str = ""  # noqa: N815


class Row:
    """As an ORM has them."""

    def __init__(self) -> None:
        self.name = "n"
        self.born = None
        self.givenName = self.given_name = ""
        self.password = "secret"


USERS = [PUser, SUser, DUser, TUser, NUser]
RESULTS: list[Any] = [
    Row(),
    {"name": "n", "born": None, "givenName": "", "password": "secret"},
    PUserInDatabase(name="n"),
    SUserInDatabase("n"),
    DUserInDatabase("n"),
]
FITTING = [
    (annotation, result)
    for annotation in USERS
    for result in RESULTS
    if not (annotation is not PUser and isinstance(result, PUser))  # they have no attribute of the alias
    and not (annotation not in {SUser, PUser} and isinstance(result, SUser))
]


@pytest.mark.parametrize(("annotation", "result"), FITTING)
def test_no_field_more_is_sent(annotation: Any, result: Any) -> None:
    expected = {"name": "n", "born": None, "givenName": ""}
    assert json.loads(returning(annotation)(result, exchange()).body) == expected
    assert json.loads(returning(list[annotation])([result], exchange()).body) == [expected]
    assert json.loads(returning(dict[str, annotation])({"a": result}, exchange()).body) == {"a": expected}
    assert json.loads(returning(annotation | None)(result, exchange()).body) == expected
    assert sent(returning(Optional[annotation])(None, exchange())).status == 204  # noqa: UP045 - of a variable
    answer = sent(returning(annotation, response_class=Indented)(result, exchange()))
    assert (answer.type, json.loads(answer.body)) == ("application/vnd.item+json", expected)
    given = sent(returning(annotation, response_class=JSONResponse, status_code=201)(result, exchange()))
    assert (given.status, json.loads(given.body)) == (201, expected)


class PTeam(pydantic.BaseModel):
    lead: PUser
    users: list[PUser]


class STeam(msgspec.Struct):
    lead: SUser
    users: list[SUser]


@dataclass
class DTeam:
    lead: DUser
    users: list[DUser]


@dataclass
class Mixed:
    lead: PUser
    users: list[SUser]
    more: "list[Mixed]" = field(default_factory=list)


@pytest.mark.parametrize(
    "result",
    [
        PTeam(lead=PUserInDatabase(name="n"), users=[PUserInDatabase(name="n")]),
        STeam(SUserInDatabase("n"), [SUserInDatabase("n")]),
        DTeam(DUserInDatabase("n"), [DUserInDatabase("n")]),
    ],
)
def test_no_field_more_is_sent_of_what_is_within(result: Any) -> None:
    expected = {"name": "n", "born": None, "givenName": ""}
    body = returning(type(result))(result, exchange()).body
    assert json.loads(body) == {"lead": expected, "users": [expected]}


def test_libraries_may_be_within_each_other() -> None:
    user = {"name": "n", "born": None, "givenName": ""}
    inner = Mixed(PUserInDatabase(name="n"), [SUserInDatabase("n")])
    body = returning(Mixed)(Mixed(inner.lead, [], [inner]), exchange()).body
    assert json.loads(body) == {"lead": user, "users": [], "more": [{"lead": user, "users": [user], "more": []}]}


@pytest.mark.parametrize("annotation", USERS)
@pytest.mark.parametrize(
    "result", [{"name": 1}, {"nam": "n"}, object(), "n", 5, [], [{"name": "secret"}], ["n", 1, 2, 3]]
)
def test_a_mismatch_is_an_error_of_the_server(annotation: Any, result: Any) -> None:
    make = returning(annotation)
    with pytest.raises(InvalidResult, match=r"function .*annotation says") as raised:
        make(result, exchange())
    assert raised.value.error_type == "Function.InvalidResult"
    assert "secret" not in str(raised.value)


def test_a_model_is_given_beside_the_annotation() -> None:
    assert json.loads(returning(dict, response_model=PUser)({"name": "n", "x": 1}, exchange()).body)["name"] == "n"
    assert returning(PUser, response_model=None)({"x": 1}, exchange()).body == b'{"x":1}'


T = TypeVar("T")


@dataclass
class Page(Generic[T]):
    items: Sequence[T]
    next: Literal["a", "b"] | None = None
    colour: Colour = Colour.RED


class PPage(pydantic.BaseModel, Generic[T]):
    items: list[T]


@dataclass
class Cat:
    lives: int


@dataclass
class Dog:
    lives: int
    bark: str


@dataclass
class Node:
    children: "list[Node]" = field(default_factory=list)


class Lazy:
    """As `type Litter = list[Litter] | Cat` is: its value is made when it is asked for."""

    @property
    def __value__(self) -> Any:
        return list[self] | dict[str, self] | Cat  # type: ignore[valid-type]  # made at run time


class LazyPair:
    """As aliases are that have each other in them."""

    @property
    def __value__(self) -> Any:
        return list[OTHER] | Cat  # type: ignore[valid-type]  # made at run time


class LazyOther:
    @property
    def __value__(self) -> Any:
        return dict[str, PAIR] | Dog  # type: ignore[valid-type]  # made at run time


class LazyValue:
    @property
    def __value__(self) -> Any:
        return list[self] | dict[str, self] | int  # type: ignore[valid-type]  # made at run time


LITTER, PAIR, OTHER, VALUE = Lazy(), LazyPair(), LazyOther(), LazyValue()


@dataclass
class Held:
    value: VALUE  # type: ignore[valid-type]  # made at run time


V = TypeVar("V")
Maybe = TypeAliasType("Maybe", V | None, type_params=(V,))


@dataclass
class Slot(Generic[V]):
    held: Maybe  # type: ignore[type-arg]  # with the variable of the class


@dataclass
class Slots:
    one: Slot[Cat]
    other: Slot[Dog]


@dataclass
class Box(Generic[V]):
    held: V
    _id: int = 1


@dataclass
class Boxes(Generic[T]):
    box: Box[T]
    user: Maybe[T] = None
    model: "PPage[T] | None" = None
    any: "Box | None" = None  # type: ignore[type-arg]  # which holds anything


@dataclass
class Tree(Generic[T]):
    held: T
    kids: "list[Tree[T]]" = field(default_factory=list)


@pytest.mark.parametrize(
    ("annotation", "result", "expected"),
    [
        (Box[Cat], Box(Dog(1, "w")), {"held": {"lives": 1}}),
        (Boxes[Cat], {"box": {"held": Dog(1, "w")}}, {"box": {"held": {"lives": 1}}, "user": None,
         "model": None, "any": None}),
        (Boxes[Cat], Boxes[Any](Box(Cat(1)), Dog(1, "w"), PPage(items=[{"lives": 1, "bark": "w"}]), Box({"a": 1})),
         {"box": {"held": {"lives": 1}}, "user": {"lives": 1}, "model": {"items": [{"lives": 1}]},
          "any": {"held": {"a": 1}}}),
        (Tree[Cat], Tree[Any](Cat(1), [Tree(Dog(2, "w"))]),
         {"held": {"lives": 1}, "kids": [{"held": {"lives": 2}, "kids": []}]}),
        (list[Cat] | list[Dog], [Cat(1)], [{"lives": 1}]),
        (list[Cat] | list[Dog], [Dog(1, "w")], [{"lives": 1, "bark": "w"}]),
        (Box[int] | Box[str] | Box[Cat], Box("a"), {"held": "a"}),
        (Box[int] | Box[str] | Box[Cat], Box(1), {"held": 1}),
        (Box[int] | Box[str] | Box[Cat], Box(Dog(1, "w")), {"held": {"lives": 1}}),
        (Page[DUser], Page([DUserInDatabase("n")]),
         {"items": [{"name": "n", "born": None, "givenName": ""}], "next": None, "colour": "red"}),
        (PPage[PUser], {"items": [{"name": "n"}]}, {"items": [{"name": "n", "born": None, "givenName": ""}]}),
        (Cat | Dog, Dog(1, "w"), {"lives": 1, "bark": "w"}),
        (Cat | Dog, {"lives": 1, "bark": "w"}, {"lives": 1, "bark": "w"}),
        (Cat | Dog | Response, {"lives": 1}, {"lives": 1}),
        (Cat | StarlettesJSONResponse, {"lives": 1}, {"lives": 1}),
        (Annotated[Cat, "x"], {"lives": 1, "x": 2}, {"lives": 1}),
        (list[Cat | int], [1, Cat(2)], [1, {"lives": 2}]),
        (tuple[Cat, int], (Cat(1), 2), [{"lives": 1}, 2]),
        (tuple[Cat, ...], [Cat(1)], [{"lives": 1}]),
        (Mapping[int, Cat], {1: Cat(1)}, {"1": {"lives": 1}}),
        (Node, Node([Node()]), {"children": [{"children": []}]}),
        (LITTER, [[Cat(1)], {"a": [Cat(2)]}], [[{"lives": 1}], {"a": [{"lives": 2}]}]),
        (PAIR, [{"a": [Dog(1, "w")]}, Dog(2, "v")], [{"a": [{"lives": 1, "bark": "w"}]}, {"lives": 2, "bark": "v"}]),
        (list[LITTER], [[Cat(1)]], [[{"lives": 1}]]),  # type: ignore[valid-type]  # made at run time
        (VALUE, [{"a": [1]}], [{"a": [1]}]),
        (Held, Held([{"a": [1]}]), {"value": [{"a": [1]}]}),
        (Slots, Slots(Slot(Cat(1)), Slot(Dog(1, "w"))),
         {"one": {"held": {"lives": 1}}, "other": {"held": {"lives": 1, "bark": "w"}}}),
        (NUser, ("n", None, ""), {"name": "n", "born": None, "givenName": ""}),
        (dict[str, Any], {"a": 1}, {"a": 1}),
        (list[int], ["not looked at"], ["not looked at"]),
        (Any, {"a": 1}, {"a": 1}),
        (Response, {"a": 1}, {"a": 1}),
        (Colour, Colour.RED, "red"),
    ],
)  # fmt: skip
def test_an_annotation_holds_a_model(annotation: Any, result: Any, expected: Any) -> None:
    assert json.loads(returning(annotation)(result, exchange()).body) == expected


def test_a_response_is_sent_as_it_is_whatever_the_annotation_says() -> None:
    assert returning(PUser)(response := JSONResponse({"x": 1}), exchange()) is response


def test_what_has_itself_in_it_is_told() -> None:
    node = Node()
    node.children.append(node)
    with pytest.raises(InvalidResult, match="deeply"):
        returning(Node)(node, exchange())


def test_a_value_that_no_member_of_a_union_takes_is_told() -> None:
    with pytest.raises(InvalidResult, match="list or list"):
        returning(list[Cat] | list[Dog])([1], exchange())


def test_an_annotation_that_nothing_is_made_of_is_told() -> None:
    class Odd(msgspec.Struct):
        a: int

    with pytest.raises(ConfigurationError, match="function"):
        returning(list[Odd | SUser])


# The injected response


def drafted(result: Any, **options: Any) -> Answer:
    at = exchange()
    at.draft = draft = Draft()
    draft.headers["x-a"] = "draft"
    draft.headers.append("x-b", "1")
    draft.headers.append("x-b", "2")
    draft.set_cookie("a", "1")
    draft.set_cookie("b", "2")
    draft.status_code = options.pop("set", None)
    return sent(returning(..., **options)(result, at))


FIELDS = [("x-a", "draft"), ("x-b", "1"), ("x-b", "2")]


@pytest.mark.parametrize(
    "result", [{"a": 1}, "a", b"a", [1], None, iter("a"), iter([{}]), iter([ServerSentEvent("a")])]
)
def test_its_fields_cookies_and_status_are_sent(result: Any) -> None:
    answer = drafted(result, set=203, status_code=201)
    assert answer.status == 203
    assert set(FIELDS) <= set(answer.headers)
    assert [value[:3] for name, value in answer.headers if name == "set-cookie"] == ["a=1", "b=2"]


def test_a_status_that_was_not_set_is_that_of_the_route() -> None:
    assert drafted({}, status_code=201).status == 201
    assert drafted(None).status == 204
    assert drafted({}).status == 200


@pytest.mark.parametrize("kind", [JSONResponse, StarlettesJSONResponse])
def test_a_response_of_ones_own_holds(kind: Any) -> None:
    answer = drafted(kind({}, 202, {"x-a": "own", "set-cookie": "c=3"}), set=203)
    assert answer.status == 202
    assert [each for each in answer.headers if each[0].startswith("x-")] == [("x-a", "own"), *FIELDS[1:]]
    assert len([name for name, _ in answer.headers if name == "set-cookie"]) == 3


def test_the_type_may_be_said_there() -> None:
    at = exchange()
    at.draft = Draft()
    at.draft.headers["content-type"] = "application/geo+json"
    assert sent(returning(...)({}, at)).type == "application/geo+json"
    assert sent(returning(...)(iter(["a"]), at)).type == "application/geo+json"
    at.draft.headers["cache-control"] = "no-cache"
    events = sent(returning(...)(iter([ServerSentEvent("a")]), at)).headers
    assert [value for name, value in events if name == "cache-control"] == ["no-cache"]


def test_it_may_be_returned_itself() -> None:
    at = exchange()
    at.draft = Draft()
    at.draft.headers["x-a"] = "1"
    answer = sent(returning(..., status_code=201)(at.draft, at))
    assert (answer.status, answer.headers) == (201, [("x-a", "1")])


class Slotted(JSONResponse):
    __slots__ = ("tag",)
    tag: bytes

    def raw_headers(self) -> Any:
        return [*super().raw_headers(), (b"x-tag", self.tag)]


def slotted() -> Slotted:
    response = Slotted({})
    response.tag = b"of a subclass"
    return response


SHARED = [
    pytest.param(lambda: JSONResponse({}), id="without fields"),
    pytest.param(lambda: JSONResponse({}, 202, {"x-own": "1"}), id="with fields"),
    pytest.param(lambda: Response(b"a", media_type="image/png"), id="with a type"),
    pytest.param(lambda: StreamingResponse(["a"]), id="stream"),
    pytest.param(slotted, id="subclass"),
]


@pytest.mark.parametrize("make", SHARED)
def test_a_response_that_several_requests_return_has_nothing_of_another_ones(make: Callable[[], Response]) -> None:
    seen = []

    async def background() -> None:
        seen.append(True)

    shared = make()
    before = sent(shared)
    for name in ("alice", "bob"):
        at = exchange()
        at.draft = Draft()
        at.draft.set_cookie("session", name)
        at.draft.background = background
        answer = sent(returning(...)(shared, at))
        assert answer[:3] == before[:3]
        assert set(before.headers) <= set(answer.headers)
        assert [value for key, value in answer.headers if key == "set-cookie"] == [
            f"session={name}; Path=/; SameSite=Lax"
        ]
    assert sent(returning(...)(shared, exchange())) == before
    assert seen == [True] * 2


# Generators


def generated(items: Sequence[Any]) -> list[Any]:
    async def asynchronous() -> AsyncIterator[Any]:
        for each in items:
            yield each

    return [asynchronous(), iter(items), (each for each in items)]


@pytest.mark.parametrize("spec", ["2.3", "2.5"])
@pytest.mark.parametrize(
    ("items", "expected"),
    [
        (["a", "é"], (200, TEXT, "aé".encode())),
        ([b"a", "b"], (200, "application/octet-stream", b"ab")),
        ([{"a": 1}, None, [2]], (200, "application/jsonl", b'{"a":1}\nnull\n[2]\n')),
        ([PUser(name="n")], (200, "application/jsonl", b'{"name":"n","born":null,"givenName":""}\n')),
        ([ServerSentEvent("a"), "b"], (200, "text/event-stream; charset=utf-8", b"data: a\n\ndata: b\n\n")),
        ([], (200, None, b"")),
    ],
)
def test_the_first_item_decides(items: list[Any], expected: tuple[object, ...], spec: str) -> None:
    for each in generated(items):
        assert sent(returning(...)(each, exchange()), spec=spec)[:3] == expected
    for each in generated(items):
        answer = sent(returning(...)(each, exchange()), "HEAD", spec=spec)
        assert answer[:3] == (200, expected[1], b"")


@pytest.mark.parametrize(
    ("given", "items", "expected"),
    [
        (EventSourceResponse, [{"a": 1}], ("text/event-stream; charset=utf-8", b'data: {"a":1}\n\n')),
        (StreamingResponse, ["a"], (None, b"a")),
        (HTMLResponse, ["<p>"], ("text/html; charset=utf-8", b"<p>")),
        (JSONResponse, [{"a": 1}], ("application/jsonl", b'{"a":1}\n')),
        (partial(StreamingResponse, media_type="text/csv"), ["a"], ("text/csv; charset=utf-8", b"a")),
        (partial(partial(HTMLResponse), media_type="text/xml"), ["<p>"], ("text/xml; charset=utf-8", b"<p>")),
        (partial(JSONResponse, headers={}), [{"a": 1}], ("application/jsonl", b'{"a":1}\n')),
        (lambda content: HTMLResponse(str(content)), ["a"], (TEXT, b"a")),
    ],
)
def test_the_class_decides_before(given: Any, items: list[Any], expected: tuple[object, ...]) -> None:
    for each in generated(items):
        assert sent(returning(..., response_class=given)(each, exchange()))[1:3] == expected
    for each in generated(items):
        assert sent(returning(..., response_class=given, status_code=202)(each, exchange())).status == 202


@pytest.mark.parametrize("given", [HTMLResponse, JSONResponse, StreamingResponse])
def test_what_a_partial_says_of_the_class_holds_for_its_stream(given: Any) -> None:
    response_class = partial(given, headers={"x-frame-options": "DENY"}, status_code=203)
    for each in generated(["a"]):
        answer = sent(returning(..., response_class=response_class)(each, exchange()))
        assert (answer.status, dict(answer.headers)["x-frame-options"]) == (203, "DENY")


@pytest.mark.parametrize(
    "annotation",
    [AsyncIterator[PUser], AsyncGenerator[PUser, None], AsyncIterator[DUser], AsyncIterator[SUser]],
)
def test_no_field_more_is_streamed(annotation: Any) -> None:
    async def function() -> AsyncIterator[Any]:
        yield {"name": "n", "password": "secret"}
        yield Row()

    function.__annotations__["return"] = annotation
    answer = sent(maker(route(function))(function(), exchange()))
    assert [json.loads(each)["name"] for each in answer.body.splitlines()] == ["n", "n"]
    assert b"secret" not in answer.body


@pytest.mark.parametrize(
    "annotation",
    [kind[user] for user in (PUser, DUser, SUser)
     for kind in (Iterable, Iterator, AsyncIterator, list, Sequence, set, tuple, Collection)],
)  # fmt: skip
@pytest.mark.parametrize("option", [False, True])
def test_no_field_more_is_sent_of_an_array_or_a_stream(annotation: Any, option: bool) -> None:
    if annotation.__origin__ is tuple:
        annotation = tuple[(*annotation.__args__, ...)]
    make = returning(Any, response_model=annotation) if option else returning(annotation | None)
    rows = [{"name": "n", "password": "secret"}]
    expected = {"name": "n", "born": None, "givenName": ""}
    if annotation.__origin__ is not set:
        assert json.loads(make(rows, exchange()).body) == [expected]
    for stream in (map(dict, rows), iter(rows), (each for each in rows)):
        assert json.loads(sent(make(stream, exchange())).body) == expected


@pytest.mark.parametrize("annotation", [PUser, DUser, dict[str, PUser], tuple[PUser, int]])
def test_an_iterator_that_nothing_is_said_of_gives_what_the_annotation_says(annotation: Any) -> None:
    user = {"name": "n", "password": "secret"}
    good = {PUser: user, DUser: user}.get(annotation, {"a": user} if annotation == dict[str, PUser] else [user, 1])
    assert b"secret" not in sent(returning(annotation)(iter([good]), exchange())).body
    with pytest.raises(InvalidResult):
        sent(returning(annotation)(iter([5]), exchange()))


@pytest.mark.parametrize("annotation", [PUser, DUser, list[SUser], Iterator[DUser]])
@pytest.mark.parametrize("response_class", [None, EventSourceResponse])
def test_an_event_says_itself_what_is_sent(annotation: Any, response_class: Any) -> None:
    make = returning(annotation, response_class=response_class)
    for each in generated([ServerSentEvent("a", event="b"), {"name": "n", "password": "secret"}]):
        body = sent(make(each, exchange())).body
        assert body.startswith(b"event: b\ndata: a\n\ndata: {")
        assert b"secret" not in body


class Rows(StreamingResponse):
    def encode(self, item: Any) -> bytes:
        return ",".join(map(str, item.values())).encode()


@pytest.mark.parametrize(
    "response_class", [StreamingResponse, partial(StreamingResponse, media_type="text/csv"), HTMLResponse]
)
@pytest.mark.parametrize("annotation", [PUser, list[DUser], Iterator[SUser]])
def test_a_stream_of_text_is_sent_as_it_is(response_class: Any, annotation: Any) -> None:
    for each in generated(["a,", "b"]):
        assert sent(returning(annotation, response_class=response_class)(each, exchange())).body == b"a,b"
    rows = returning(annotation, response_class=Rows)(iter([{"name": "n", "password": "secret"}]), exchange())
    assert sent(rows).body == b"n,None,"


@pytest.mark.parametrize("result", [{"name": 1}, "text"])
def test_an_item_that_does_not_fit_is_told_before_the_start(result: Any) -> None:
    def function() -> Iterator[PUser]:
        yield result

    with pytest.raises(InvalidResult):
        sent(maker(route(function))(function(), exchange()))


def test_what_fails_first_is_raised_before_the_start() -> None:
    async def function() -> AsyncIterator[str]:
        raise KeyError("no")
        yield ""

    with pytest.raises(KeyError):
        sent(returning(...)(function(), exchange()))


def test_a_generator_is_closed() -> None:
    closed = []

    async def function() -> AsyncIterator[Any]:
        try:
            yield {}
            yield object()
        finally:
            closed.append(True)

    with pytest.raises(InvalidResult):
        sent(returning(...)(function(), exchange()))
    sent(returning(...)(function(), exchange()), "HEAD")
    assert closed == [True, True]


# Other applications


async def app(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 418, "headers": []})
    await send({"type": "http.response.body", "body": b"tea"})


class Called(pydantic.BaseModel):
    def __call__(self, scope: Any, receive: Any, send: Any) -> None: ...


def test_an_application_is_run() -> None:
    assert sent(returning(...)(app, exchange()))[::2] == (418, b"tea")
    assert sent(returning(...)(StarlettesStreamingResponse(iter("ab")), exchange())).body == b"ab"
    assert drafted(app).headers[:3] == FIELDS
    assert returning(...)(StarlettesJSONResponse({}, 203), exchange()).status_code == 203


@pytest.mark.parametrize("value", [Called(), lambda: None, app, PUser, 5, Called])
def test_what_is_no_application(value: Any) -> None:
    assert is_app(value) is (value is app)


def test_background_of_the_draft_is_called() -> None:
    seen = []

    async def background() -> None:
        seen.append(True)

    at = exchange()
    at.draft = Draft()
    at.draft.background = background
    sent(returning(...)({}, at))
    sent(returning(...)(iter([{}]), at))
    sent(returning(...)(app, at))
    assert seen == [True] * 3
