"""Which route a message names."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.dev.routes import selection


@pytest.mark.parametrize(
    ("expression", "message", "selected"),
    [
        ("$request.body.action", '{"action": "join"}', "join"),
        ("${request.body.action}", '{"action": "join"}', "join"),
        ("$request.body.a.b", '{"a": {"b": "x"}}', "x"),
        ("$request.body.a.b", '{"a": "x"}', None),
        ("$request.body.a.b", '{"a": [{"b": "x"}]}', None),
        ("v${request.body.version}-beta", '{"version": 2}', "v2-beta"),
        ("$request.body.to/$request.body.what", '{"to": "a", "what": true}', "a/true"),
        ("$request.body.to/$request.body.what", '{"to": "a"}', None),
        (r"\$$request.body.a", '{"a": "default"}', "$default"),
        ("$request.body.action", '{"action": ""}', ""),
        ("$request.body.action", '{"action": null}', None),
        ("$request.body.action", '{"action": {}}', None),
        ("$request.body.action", '["action"]', None),
        ("$request.body.action", "hello", None),
        ("$request.body.action", "", None),
        ("$request.body.action", "[" * 100_000, None),
    ],
)
def test_the_expression_comes_to_what_the_message_says(expression: str, message: str, selected: str | None) -> None:
    assert selection.selected(selection.read(expression), message) == selected


@pytest.mark.parametrize("expression", ["", "action", "$default", "$request.header.x", "$request.body", "$", r"\$x"])
def test_what_is_no_expression_is_told(expression: str) -> None:
    with pytest.raises(ValueError, match=r"expected \$request\.body\.NAME"):
        selection.read(expression)


@given(st.text())
def test_whatever_text_is_there_is_selected(text: str) -> None:
    assert selection.selected(selection.read("$request.body.action"), json.dumps({"action": text})) == text
