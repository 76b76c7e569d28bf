"""EventBridge's patterns, as its documentation has them. What SQS mappings share is in tests/dev/sources."""

from __future__ import annotations

from typing import Any

import pytest

from lambent.events.patterns import table

EVENT: dict[str, Any] = {
    "state": "running",
    "name": "Order-42*",
    "path": "a\\b",
    "source-ip": "10.0.0.17",
    "empty": "",
    "list": [],
    "tags": ["new", "Big"],
    "total": 5,
    "lines": [{"sku": "lamp", "count": 2}, {"sku": "desk", "count": 1}],
    "nested": {"deep": {"value": 1}},
    "none": None,
}


@pytest.mark.parametrize(
    ("pattern", "wanted"),
    [
        ({}, True),
        ({"state": ["running", "stopped"]}, True),
        ({"state": ["stopped"]}, False),
        ({"empty": [""]}, True),
        ({"none": [None]}, True),
        ({"state": [None]}, False),
        ({"nested": {"deep": {"value": [1]}}}, True),
        ({"nested": {"deep": {"value": [True]}}}, False),
        ({"nested": {"deep": ["value"]}}, False),
        ({"state": [{"prefix": {"equals-ignore-case": "RUN"}}]}, True),
        ({"state": [{"suffix": {"equals-ignore-case": "NING"}}]}, True),
        ({"state": [{"prefix": "RUN"}]}, False),
        ({"state": [{"wildcard": "r*g"}]}, True),
        ({"state": [{"wildcard": "*n*n*"}]}, True),
        ({"state": [{"wildcard": "r*x"}]}, False),
        ({"state": [{"wildcard": "run"}]}, False),
        ({"state": [{"wildcard": "r.*"}]}, False),
        ({"name": [{"wildcard": "Order-*\\*"}]}, True),
        ({"state": [{"wildcard": "runnin\\*"}]}, False),
        ({"path": [{"wildcard": "a\\\\*"}]}, True),
        ({"total": [{"wildcard": "*"}]}, False),
        ({"source-ip": [{"cidr": "10.0.0.0/24"}]}, True),
        ({"source-ip": [{"cidr": "10.0.1.0/24"}]}, False),
        ({"source-ip": [{"cidr": "2001:db8::/32"}]}, False),
        ({"state": [{"cidr": "10.0.0.0/24"}]}, False),
        ({"tags": ["new"]}, True),
        ({"tags": [{"prefix": "B"}]}, True),
        ({"tags": ["old"]}, False),
        ({"list": ["new"]}, False),
        ({"lines": {"sku": ["desk"]}}, True),
        ({"lines": {"sku": ["chair"]}}, False),
        ({"lines": {"count": [{"numeric": [">", 1]}]}}, True),
        ({"lines": {"sku": ["desk"], "count": [1]}}, True),
        ({"lines": {"sku": ["desk"], "count": [2]}}, False),
        ({"absent": [{"exists": False}], "state": ["running"]}, True),
        ({"state": [{"anything-but": {"wildcard": "r*"}}]}, False),
        ({"state": [{"anything-but": ["stopped", "ended"]}]}, True),
        ({"state": [{"anything-but": {"prefix": ["stop", "run"]}}]}, False),
        ({"state": [{"anything-but": {"prefix": ["stop", "end"]}}]}, True),
        ({"state": [{"anything-but": {"suffix": ["ning", "ed"]}}]}, False),
        ({"state": [{"anything-but": {"equals-ignore-case": ["STOPPED", "RUNNING"]}}]}, False),
        ({"state": [{"anything-but": {"wildcard": ["s*", "r*g"]}}]}, False),
        ({"absent": [{"anything-but": {"prefix": ["a"]}}]}, False),
        ({"state": [{"exists": True}]}, True),
        ({"none": [{"exists": True}]}, True),
        ({"nested": [{"exists": True}]}, False),
        ({"nested": [{"exists": False}]}, True),
        ({"nested": {"deep": {"value": [{"exists": True}]}}}, True),
    ],
)
def test_an_event_is_wanted(pattern: dict[str, Any], wanted: bool) -> None:
    assert table(pattern)(EVENT) is wanted


@pytest.mark.parametrize("event", [None, 7, "text", [], ["running"], {"state": {"running": 1}}])
def test_an_event_of_another_shape_is_not_wanted(event: object) -> None:
    assert table({"state": ["running"]})(event) is False


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ({"state": "running"}, r"expected a list of values at 'state', such as \[\"running\"\]"),
        ({"state": []}, "expected a list of values at 'state'"),
        ({"state": [{"like": "r"}]}, "expected one of anything-but, cidr, .*, wildcard, but got"),
        ({"state": [{"wildcard": 7}]}, "expected wildcard with a text, but got 7"),
        ({"state": [{"cidr": "10.0.0"}]}, "10.0.0"),
        ({"state": [{"prefix": {"equals-ignore-case": 7}}]}, "expected prefix with a text"),
        ({"state": [{"anything-but": {"prefix": ["a", 7]}}]}, "expected prefix with a text, but got 7"),
        ({"state": [{"anything-but": {"prefix": []}}]}, "expected prefix with a text"),
    ],
)
def test_a_mistake_says_what_was_expected(pattern: dict[str, Any], expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        table(pattern)
