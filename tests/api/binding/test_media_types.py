"""What a content type says of a body."""

from __future__ import annotations

import pytest

from lambent.api.binding.media_types import is_form, is_json
from lambent.api.exceptions import HTTPException


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [
        (None, True),
        ("", True),
        ("application/json", True),
        ("APPLICATION/Json", True),
        ("application/json; charset=UTF-8", True),
        ('application/json;charset="utf8"', True),
        ("application/json; version=1; charset=utf-8", True),
        ("application/problem+json", True),
        ("application/vnd.api+JSON", True),
        ("text/json", False),
        ("text/plain", False),
        ("application/jsonl", False),
        ("application/x-www-form-urlencoded", False),
        ("json", False),
        ("nonsense;;;=", False),
    ],
)
def test_json_is_told(content_type: str | None, expected: bool) -> None:
    assert is_json(content_type) is expected


@pytest.mark.parametrize("charset", ["latin-1", "UTF-16", "utf-7", "us-ascii", "nonsense"])
def test_json_in_another_encoding_is_refused(charset: str) -> None:
    with pytest.raises(HTTPException) as raised:
        is_json(f"application/json; charset={charset}")
    assert raised.value.status_code == 415
    assert charset not in str(raised.value.detail)


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [
        (None, False),
        ("Application/X-WWW-Form-Urlencoded; charset=utf-8", True),
        ("multipart/form-data; boundary=x", True),
        ("multipart/mixed", False),
        ("application/json", False),
    ],
)
def test_forms_are_told(content_type: str | None, expected: bool) -> None:
    assert is_form(content_type) is expected
