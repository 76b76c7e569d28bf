"""Functions of a project that the local Lambda calls. What becomes of a request by them: test_front_door.py."""

import asyncio
from pathlib import Path

import pytest

from lambent.dev import custom
from lambent.dev.custom import CustomFailed, Rejected
from lambent.dev.model import Function, InvokeRequest, MakeContext

INVOKE = InvokeRequest("id", b"{}", "Root=1-2-3")


def made(make_context: MakeContext | None) -> InvokeRequest:
    function = Function("f", "app:app", Path(), make_context=make_context)
    return asyncio.run(custom.with_context(INVOKE, None, function))


def test_without_one_nothing_is_added() -> None:
    assert made(None) is INVOKE


def test_what_it_says_is_set() -> None:
    assert made(lambda request, function: {"arn": f"arn:{function.name}"}) == INVOKE._replace(arn="arn:f")


@pytest.mark.parametrize("fields", [{"payload": b"1"}, {"request_id": "2"}, ["arn"], None, "arn"])
def test_anything_else_is_refused_with_what_there_is(fields: object) -> None:
    with pytest.raises(CustomFailed, match="A context is a mapping with some of client_context, identity"):
        made(lambda request, function: fields)  # type: ignore[arg-type,return-value]  # that is the point


def test_values_that_are_no_strings_are_named() -> None:
    fields: dict[str, object] = {"identity": 5, "client_context": {"custom": {}}, "arn": "arn:f"}
    with pytest.raises(CustomFailed, match=r"TypeError: .* are strings, but these are not: client_context, identity"):
        made(lambda request, function: fields)


def test_none_sets_nothing() -> None:
    assert made(lambda request, function: {"tenant_id": None, "trace": None}) == INVOKE


def test_one_that_does_not_want_the_request_says_why() -> None:
    def picky(request: object, function: Function) -> dict[str, object]:
        raise ValueError("expected a token")

    with pytest.raises(Rejected, match="expected a token"):
        made(picky)
