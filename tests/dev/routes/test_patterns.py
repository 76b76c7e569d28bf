"""Paths and route keys, read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.dev.routes import patterns


@pytest.mark.parametrize(
    ("path", "complaint"),
    [
        ("x", "begin with /"),
        ("/{", "counterpart"),
        ("/x}", "counterpart"),
        ("/{a{b}}", "counterpart"),
        ("/{}", "is not a parameter"),
        ("/{+}", "is not a parameter"),
        ("/{a b}", "is not a parameter"),
        ("/{a}/{a}", "two parameters"),
        ("/{a+}/x", "last segment"),
        ("/x{a+}", "last segment"),
        ("/{a+}/{b+}", "last segment"),
        ("/{a:regex}", "str, path, int"),
        ("/{a:}", "str, path, int"),
        ("/{a+:path}", "is not a parameter"),
    ],
)
def test_a_malformed_path_is_told_what_is_wrong(path: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        patterns.pattern(path)


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("GET /items/{id}", ("GET", "/items/{id}")),
        ("ANY /", ("ANY", "/")),
        ("$default", ("ANY", "$default")),
        ("get /items", "'get' is none of the methods ANY, DELETE, GET"),
        ("CONNECT /items", "none of the methods"),
        ("/items", "a method, a space and a path"),
        ("GET items", "begin with /"),
        ("GET  /items", "begin with /"),
        ("GET $default", "begin with /"),
        ("", "a method, a space and a path"),
    ],
)
def test_a_route_key(key: str, expected: object) -> None:
    try:
        assert patterns.key(key) == expected
    except ValueError as error:
        assert str(expected) in str(error)  # noqa: PT017 - both are what a key can come to


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/x/{id:int}", "/x/{id}"),
        ("/x/{rest:path}", "/x/{rest+}"),
        ("/x/{rest:path}/y", "/x/{rest}/y"),
        ("/{a}.json", "/{a}.json"),
        ("/{proxy+}", "/{proxy+}"),
    ],
)
def test_as_aws_would_write_it(path: str, expected: str) -> None:
    assert patterns.aws(path) == expected


@pytest.mark.parametrize("path", ["/{proxy+}", "/{a:path}", "$default"])
def test_everything(path: str) -> None:
    assert patterns.is_everything(path)


@pytest.mark.parametrize("path", ["/", "/x/{proxy+}", "/{a}", "/{a:int}", "/{a:path}/x"])
def test_not_everything(path: str) -> None:
    assert not patterns.is_everything(path)


@given(st.text("ab*?./[", max_size=6), st.text("ab./[", max_size=6))
def test_wildcards_are_the_shell_s(pattern: str, text: str) -> None:
    def matches(pattern: str, text: str) -> bool:
        if not pattern:
            return not text
        if pattern[0] == "*":
            return any(matches(pattern[1:], text[n:]) for n in range(len(text) + 1))
        return bool(text) and pattern[0] in ("?", text[0]) and matches(pattern[1:], text[1:])

    assert bool(patterns.wildcards(pattern).fullmatch(text)) == matches(pattern, text)


def test_the_more_literal_a_rule_the_further_in_front() -> None:
    rules = ["/*", "/a*", "/a/*", "/a/b*", "/a/?", "/a/b"]
    assert sorted(rules, key=patterns.wildcards_rank) == ["/a/b", "/a/?", "/a/b*", "/a/*", "/a*", "/*"]
