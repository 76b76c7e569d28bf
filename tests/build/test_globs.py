"""Patterns of paths."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.build.globs import matches


@pytest.mark.parametrize(
    ("path", "pattern", "expected"),
    [
        ("a/b.psd", "*.psd", True),
        ("b.psd", "*.psd", True),
        ("a/b.psd", "**/*.psd", True),
        ("b.psd", "**/*.psd", True),
        ("a/b.psd", "./*.psd", False),
        ("a/tests/b/c.py", "tests", True),
        ("a/mytests/b.py", "tests", False),
        ("a/tests/b.py", "tests/", True),
        ("a/b/c.py", "a/b", True),
        ("x/a/b/c.py", "a/b", False),
        ("a/b/c.py", "a/*.py", False),
        ("a/b/c.py", "a/**/*.py", True),
        ("a/c.py", "a/**/*.py", True),
        ("a/b/c", "a/**", True),
        ("a1.py", "a?.py", True),
        ("a/.py", "a?.py", False),
        ("a1.py", "a[0-9].py", True),
        ("ax.py", "a[!0-9].py", True),
        ("a/.py", "a[!0-9].py", False),
        ("a^.py", "a[&^].py", True),
        ("a+b.py", "a+b.py", True),
        ("a.b", "a*c", False),
        ("[z-a]", "[z-a]", True),
        ("a[", "a[", True),
    ],
)
def test_what_a_pattern_means(path: str, pattern: str, expected: bool) -> None:
    assert matches(path, [pattern]) is expected


@given(st.text(), st.text())
def test_any_text_is_a_pattern(path: str, pattern: str) -> None:
    matches(path, [pattern])


@given(st.from_regex(r"[a-z]{1,5}(/[a-z]{1,5}){0,3}", fullmatch=True))
def test_a_name_means_itself(path: str) -> None:
    assert matches(path, [f"./{path}"])
    assert matches(path, ["**"])
    assert not matches(path, [f"{path}x", f"./x{path}"])
