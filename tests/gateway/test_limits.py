"""The size of a reply, without making it."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from lambent.gateway import limits

JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=5)


def made(result: Any) -> int:
    text = json.dumps(result, ensure_ascii=False, separators=(",", ":"))
    return len(text.encode("utf-8", "surrogatepass"))


@given(body=st.text(), headers=st.dictionaries(st.text(), st.text()))
def test_a_reply_is_as_large_as_its_json(body: str, headers: dict[str, str]) -> None:
    result = {"statusCode": 200, "headers": headers, "body": body, "isBase64Encoded": False}
    assert limits.size(result) == made(result)


def test_every_character_that_json_escapes_is_counted() -> None:
    result = {"body": "".join(map(chr, range(0x300)))}
    assert limits.size(result) == made(result)


@given(body=st.binary())
def test_base64_is_counted_as_it_is(body: bytes) -> None:
    result = {"body": body.hex(), "isBase64Encoded": True}
    assert limits.size(result) == made(result)


@given(result=JSON)
def test_a_result_of_any_shape_is_measured(result: Any) -> None:
    assert limits.size(result) == made(result)


def test_the_excess_is_exact_where_the_limit_is_near() -> None:
    result = {"statusCode": 200, "body": "x" * 70_000}
    assert limits.excess(result, b"x" * 70_000, made(result) - 1) == 1
    assert limits.excess(result, b"x" * 70_000, made(result)) == 0


def test_a_small_reply_is_not_measured() -> None:
    assert limits.excess(object(), b"x", 6_291_556) < 0
