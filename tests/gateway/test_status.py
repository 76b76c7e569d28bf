"""What a status is called."""

from http import HTTPStatus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambent.gateway import status


@pytest.mark.parametrize("code", HTTPStatus)
def test_a_status_that_has_a_name_is_called_by_it(code: HTTPStatus) -> None:
    assert status.description(int(code)) == f"{int(code)} {code.phrase}"


@pytest.mark.parametrize("code", [299, 499, 599, 999])
def test_one_that_has_none_is_unknown(code: int) -> None:
    assert status.description(code) == f"{code} Unknown"


@settings(max_examples=40)
@given(st.integers(100, 999))
def test_a_description_is_the_number_and_a_text(code: int) -> None:
    number, _, text = status.description(code).partition(" ")
    assert number == str(code)
    assert text.isprintable()
    assert text
