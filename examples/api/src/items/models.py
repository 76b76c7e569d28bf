"""What comes and goes as JSON. msgspec validates it, and its bounds are in the OpenAPI document."""

from typing import Annotated

from msgspec import Meta, Struct

Name = Annotated[str, Meta(min_length=1, max_length=100)]
Price = Annotated[int, Meta(ge=0, le=1_000_000_00, description="In cents")]
Tags = Annotated[list[Annotated[str, Meta(min_length=1, max_length=30)]], Meta(max_length=10)]


class NewItem(Struct, forbid_unknown_fields=True):
    name: Name
    price: Price
    tags: Tags = []


class Changes(Struct, forbid_unknown_fields=True):
    """What is to be otherwise; what is not there stays."""

    name: Name | None = None
    price: Price | None = None
    tags: Tags | None = None


class Item(Struct):
    id: int
    name: str
    price: int
    tags: list[str]


class Page(Struct):
    items: list[Item]
    next: int | None
    """`after` of the next page; null on the last."""


class Change(Struct):
    """One line of the journal."""

    number: int
    kind: str
    item: Item
