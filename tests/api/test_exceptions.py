"""What routes raise to answer otherwise: what is told to whom."""

from __future__ import annotations

from http import HTTPStatus

import pytest

from lambent.api.exceptions import HTTPException, RequestInvalid, phrase
from lambent.api.failures import respond
from lambent.api.model import Problem
from lambent.errors import LambentError


def test_the_detail_is_the_client_s_and_the_error_detail_the_log_s() -> None:
    error = HTTPException(409, {"why": "taken"}, {"Retry-After": "5"}, error_detail="Row 7 is locked.")
    assert (error.status_code, error.detail, error.headers) == (409, {"why": "taken"}, {"Retry-After": "5"})
    assert error.error_detail == "Row 7 is locked."
    assert str(error) == "409: Row 7 is locked."
    assert isinstance(error, LambentError)


@pytest.mark.parametrize(
    ("status_code", "detail"),
    [(404, "Not Found"), (HTTPStatus.CONFLICT, "Conflict"), (499, "Error"), (599, "Error"), (299, "OK")],
)
def test_without_a_detail_it_is_the_status_in_words(status_code: int, detail: str) -> None:
    assert HTTPException(status_code).detail == phrase(status_code) == detail
    assert str(HTTPException(status_code)) == f"{int(status_code)}: {detail}"


@pytest.mark.parametrize("detail", ["", 0, False, [], {}])
def test_an_empty_detail_is_one(detail: object) -> None:
    assert HTTPException(400, detail).detail == detail


def test_a_header_may_be_repeated() -> None:
    pairs = [("WWW-Authenticate", "Basic"), ("www-authenticate", "Bearer")]
    error = HTTPException(401, headers=iter(pairs))
    assert (error.headers, error.repeated) == ({"www-authenticate": "Bearer"}, [("WWW-Authenticate", "Basic")])
    error.headers["retry-after"] = "5"
    fields = [(name.decode(), value.decode()) for name, value in respond(error).raw_headers()]
    challenges = [("www-authenticate", "Basic"), ("www-authenticate", "Bearer")]
    assert [each for each in fields if not each[0].startswith("content-")] == [*challenges, ("retry-after", "5")]
    once = HTTPException(401, headers=pairs[:1])
    assert (once.headers, once.repeated) == ({"WWW-Authenticate": "Basic"}, [])


def test_headers_are_its_own() -> None:
    given = {"a": "b"}
    error = HTTPException(400, headers=given)
    given["c"] = "d"
    assert error.headers == {"a": "b"}


def test_what_does_not_fit_is_told_by_its_places() -> None:
    error = RequestInvalid(
        [Problem(("query", "page"), "Expected a number."), Problem(("body", "a", 0), "No.", "missing")]
    )
    assert error.status_code == 422
    assert error.detail == [
        {"loc": ["query", "page"], "msg": "Expected a number.", "type": "invalid"},
        {"loc": ["body", "a", 0], "msg": "No.", "type": "missing"},
    ]
    assert error.error_detail == "query.page: Expected a number.; body.a.0: No."
    assert str(error) == f"422: {error.error_detail}"


def test_the_log_is_not_told_everything_of_many() -> None:
    error = RequestInvalid([Problem(("body", number), "Expected a number.") for number in range(10_000)])
    assert error.error_detail is not None
    assert len(error.error_detail) == 1000
    assert len(error.problems) == 10_000
