"""A failure in the browser."""

import re

import pytest

from lambent.dev import page
from lambent.dev.report import Failure

NAVIGATION = [(b"accept", b"text/html,application/xhtml+xml,*/*;q=0.8")]


def shown(failure: Failure) -> str:
    return page.failure_page(failure, status=502, door="Function URL", request_id="id").decode()


def test_the_page_tells_type_message_and_stack() -> None:
    text = shown(Failure("ValueError", "boom", '  File "a.py"'))
    assert all(
        piece in text for piece in ("ValueError", "boom", "File &quot;a.py&quot;", "Function URL answers 502", "id")
    )


def test_whatever_it_tells_is_escaped() -> None:
    text = shown(Failure("<script>", "</p><script>alert(1)</script>", "<img src=x>"))
    assert not re.search(r"<(script|img)", text)


def test_it_loads_nothing_from_elsewhere() -> None:
    text = shown(Failure("", "", ""))
    assert not re.search(r"https?://|src=|href=|@import|url\(", text)
    assert dict(page.SECURITY)[b"content-security-policy"].startswith(b"default-src 'none'")


def test_text_that_is_no_unicode_can_be_shown() -> None:
    assert "?" in shown(Failure("E", "\udcff", ""))


@pytest.mark.parametrize(
    ("method", "headers", "expected"),
    [
        ("GET", NAVIGATION, True),
        ("HEAD", NAVIGATION, True),
        ("POST", NAVIGATION, False),
        ("POST", [*NAVIGATION, (b"sec-fetch-mode", b"navigate")], True),
        ("GET", [(b"accept", b"*/*")], False),
        ("GET", [(b"accept", b"application/json")], False),
        ("GET", [], False),
    ],
)
def test_the_page_is_for_people(method: str, headers: list[tuple[bytes, bytes]], expected: bool) -> None:
    assert page.wants_page(method, headers) is expected
