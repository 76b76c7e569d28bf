"""Which id a request has."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.api.request_id import Ids, choose, is_sound

LAMBDA = "8476a536-e9f4-11e8-9739-2dfe598c3fcd"


def made() -> str:
    return "made"


def never() -> str:
    raise AssertionError("a new id is made only if there is no other")


@pytest.mark.parametrize("given_id", ["a", "8476a536-e9f4", "x" * 128, "a/b:c=d,{e}", '"quoted"'])
def test_the_client_chooses(given_id: str) -> None:
    assert choose(given_id.encode(), LAMBDA, never) == given_id


@pytest.mark.parametrize(
    "given_id", ["", " ", "a b", "x" * 129, "é", "a\r\nset-cookie: b=c", "a\n", "\0", "a\x7f", "\u2028", "a\t"]
)
def test_not_with_what_would_not_pass_as_a_header_again(given_id: str) -> None:
    assert choose(given_id.encode(), LAMBDA, never) == LAMBDA


def test_else_it_is_the_one_that_is_known_else_a_new_one() -> None:
    assert choose(None, LAMBDA, never) == LAMBDA
    assert choose(None, "", made) == "made"


@given(st.binary(max_size=140) | st.text("!aZ~ é", max_size=140).map(str.encode))
def test_what_is_taken_is_printable_ascii(given_id: bytes) -> None:
    assert is_sound(given_id) == (1 <= len(given_id) <= 128 and all(0x21 <= each <= 0x7E for each in given_id))


def test_new_ids_differ_and_the_random_part_is_asked_for_once_when_it_is_needed() -> None:
    asked: list[int] = []

    def random(size: int) -> bytes:
        asked.append(size)
        return bytes(range(size))

    ids = Ids(random)
    assert asked == []
    assert [ids(), ids()] == ["000102030405060708090a0b00000001", "000102030405060708090a0b00000002"]
    assert asked == [12]
