"""An application with a route for each kind of annotation, for whoever wants to ask all of them."""

from __future__ import annotations

import enum
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from typing import Annotated, Generic, Literal, NamedTuple, NotRequired, TypedDict, TypeVar
from uuid import UUID

import msgspec
import pydantic

from lambent.api import (
    AccessLog,
    Api,
    APIKeyHeader,
    Body,
    Cookie,
    Depends,
    File,
    Form,
    Header,
    HTTPAuthorizationCredentials,
    HTTPBasic,
    HTTPBasicCredentials,
    HTTPBearer,
    HTTPException,
    Path,
    Query,
    Request,
    ServerSentEvent,
    UploadFile,
)

T = TypeVar("T")


class Colour(enum.Enum):
    RED = "red"
    GREEN = "green"


class Size(enum.IntEnum):
    SMALL = 1
    LARGE = 2


@dataclass
class Item:
    name: str
    price: Decimal
    colour: Colour = Colour.RED
    tags: set[str] | None = None


@dataclass
class Stored:
    id: int
    item: Item
    sizes: dict[str, list[Size]] = field(default_factory=dict)


@dataclass
class Page(Generic[T]):
    items: list[T]
    next: int | None = None


@dataclass
class Tree:
    name: str
    children: list[Tree] = field(default_factory=list)


@dataclass
class Times:
    at: datetime
    on: date
    of_day: time | None = None


class Model(pydantic.BaseModel, strict=True):
    id: int
    size: Annotated[int, pydantic.Field(ge=1)] = 1
    kind: Literal["a"] | None = None


class Lax(pydantic.BaseModel):
    """As pydantic is if nothing is said: false does for 0, and "1" for 1."""

    id: int
    done: bool = False


class Struct(msgspec.Struct, forbid_unknown_fields=True):
    id: int
    name: Annotated[str, msgspec.Meta(max_length=5)] = ""


class Cat(msgspec.Struct, tag="cat"):
    lives: int


class Dog(msgspec.Struct, tag="dog"):
    name: str


class Total(TypedDict):
    total: int
    unit: NotRequired[str]


class Point(NamedTuple):
    x: int
    y: float = 0.0


bearer = HTTPBearer()
basic = HTTPBasic()
key = APIKeyHeader(name="X-API-Key")
api = Api(title="Shop", log=AccessLog(enabled=False))


# Paths and queries


@api.get("/items/{item_id}", responses={404: "None"})
async def read_item(item_id: int, q: str | None = None, limit: Annotated[int, Query(ge=1, le=100)] = 10) -> Item:
    if item_id > 5:
        raise HTTPException(404)
    return Item(q or "a", Decimal("1.5"), tags={str(limit)})


@api.delete("/items/{item_id}")
async def drop(item_id: Annotated[int, Path(ge=0)]) -> None: ...


@api.get("/files/{rest:path}")
async def files(rest: str) -> str:
    return rest


@api.get("/converted/{n:int}/{f:float}/{u:uuid}")
async def converted(request: Request) -> dict[str, str]:
    return dict(request.path_params)


@api.get("/query")
async def query(
    tags: list[int] = [],  # noqa: B006 - nobody changes it
    x: float = 1,
    yes: bool = False,
    one: Literal["a", 1] = "a",
    colour: Colour | None = None,
    size: Size = Size.SMALL,
    key: UUID | None = None,
    day: date | None = None,
    moment: datetime | None = None,
    pair: tuple[int, str] = (1, "a"),
    price: Decimal | None = None,
) -> dict[str, object]:
    return {"query": [tags, x, yes, one, colour, size, key, day, moment, pair, price]}


@api.get("/required")
async def required(ids: list[int], x_names: Annotated[list[str], Header()]) -> dict[str, object]:
    return {"ids": ids, "names": x_names}


@api.get("/filters")
async def filters(found: Annotated[Model, Query()]) -> Model:
    return found


@api.get("/headers")
async def headers(x_number: Annotated[int, Header()], session: Annotated[str | None, Cookie()] = None) -> str:
    return f"{x_number} {session}"


# Bodies


@api.post("/items", status_code=201)
async def create(item: Item, dry: bool = False) -> Stored:
    return Stored(0 if dry else 1, item, {"all": [Size.SMALL]})


@api.post("/fields")
async def fields(
    name: str, count: Annotated[int, Body(ge=0)] = 1, day: date | None = None, price: Decimal = Decimal(1)
) -> Total:
    return {"total": count, "unit": f"{name} {day} {price}"}


@api.post("/either")
async def either(name: str, count: int = 1, tags: list[str] | None = None, colour: Colour = Colour.RED) -> Total:
    return {"total": count, "unit": f"{name} {tags} {colour}"}


@api.put("/optional")
async def optional(name: str | None = None) -> Total:
    return {"total": len(name or "")}


@api.put("/models/{key}")
async def model(key: UUID, given: Model) -> Model:
    return given


@api.put("/lax", tags=["lax"])
async def lax(given: Lax) -> Lax:
    return given


@api.patch("/structs")
async def struct(given: Struct) -> Struct:
    return given


@api.post("/pets")
async def pet(given: Cat | Dog) -> Cat | Dog:
    return given


@api.post("/two")
async def two(model: Model, struct: Struct, note: str = "") -> dict[str, int]:
    return {note: model.id + struct.id}


@api.post("/point")
async def point(given: Point) -> Point:
    return given


@api.post("/tree")
async def tree(given: Tree) -> Tree:
    return given


@api.post("/pages")
async def pages(given: Page[Page[Item]]) -> Page[Page[Item]]:
    return given


@api.post("/times")
async def times(given: Times) -> Times:
    return given


@api.post("/many")
async def many(given: list[Item | Total]) -> list[Item | Total]:
    return given


@api.post("/keyed")
async def keyed(given: dict[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
    return given


# Forms


@api.post("/form")
async def form(name: Annotated[str, Form(min_length=1)], age: Annotated[int | None, Form()] = None) -> Total:
    return {"total": age or len(name)}


@api.post("/upload")
async def upload(file: UploadFile, note: Annotated[str, Form()] = "") -> Total:
    return {"total": len(await file.read()) + len(note)}


@api.post("/uploads")
async def uploads(parts: Annotated[list[bytes], File()]) -> Total:
    return {"total": sum(map(len, parts))}


# Responses


@api.get("/lines")
async def lines() -> AsyncIterator[Item]:
    yield Item("a", Decimal(1))
    yield Item("b", Decimal(2))


@api.get("/events")
async def events() -> AsyncIterator[ServerSentEvent]:
    yield ServerSentEvent("a")


@api.get("/maybe")
async def maybe(there: bool = True) -> Item | None:
    return Item("a", Decimal(1)) if there else None


api.get("/unsaid")(lambda: {"a": 1})


@api.get("/threaded")
def threaded(pages: int = 1) -> Page[int]:
    return Page(list(range(min(abs(pages), 10))))


# Who calls


def checked(secret: str) -> Total:
    if secret != "secret":
        raise HTTPException(401)
    return {"total": 1}


@api.get("/me/bearer")
async def by_bearer(given: Annotated[HTTPAuthorizationCredentials, Depends(bearer)]) -> Total:
    return checked(given.credentials)


@api.get("/me/basic")
async def by_basic(given: Annotated[HTTPBasicCredentials, Depends(basic)]) -> Total:
    return checked(given.password)


@api.get("/me/key")
async def by_key(given: Annotated[str, Depends(key)], page: int = 1) -> Total:
    checked(given)
    return {"total": page}
