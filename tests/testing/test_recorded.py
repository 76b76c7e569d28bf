"""Events in the files that AWS's own tools write."""

import json

import pytest

from lambent.testing.recorded import read

ORDER = {"Records": [{"body": "{}"}]}
SHAREABLE = {
    "openapi": "3.0.0",
    "info": {"version": "1.0.0", "title": "Event"},
    "paths": {},
    "components": {
        "schemas": {"Event": {"type": "object"}},
        "examples": {"order": {"value": ORDER}, "empty": {"value": {}}},
    },
}
LINE = f"[INFO]\t2026-07-10T19:19:05.123Z\tffd742f0\t{json.dumps(ORDER)}\n"
FILTERED = {
    "events": [
        {"logStreamName": "s", "timestamp": 1, "message": "START RequestId: 1", "ingestionTime": 2, "eventId": "3"},
        {"logStreamName": "s", "timestamp": 1, "message": LINE, "ingestionTime": 2, "eventId": "4"},
    ],
    "searchedLogStreams": [],
}
QUERIED = {"results": [[{"field": "@message", "value": LINE}, {"field": "@ptr", "value": "x"}]], "status": "Complete"}
EXPORTED = [{"@timestamp": "2026-07-10", "@message": ORDER}, {"@timestamp": "2026-07-10", "@message": '{"b": {}}'}]


@pytest.mark.parametrize(
    ("document", "which", "event"),
    [
        (ORDER, None, ORDER),
        ([ORDER], None, [ORDER]),
        ("text", None, "text"),
        ({"events": [{"type": "push", "message": "hi"}], "destination": "U1"}, None, ...),  # a webhook's own
        ({"results": [], "page": 1}, None, ...),
        ({"results": [{"id": 1}]}, None, ...),
        ({"results": [[1], [[]]]}, None, ...),
        ({"results": [[{"field": "@ptr"}]]}, None, ...),
        ({"results": [1, 2]}, None, ...),
        ({"results": [[{"field": [], "value": 1}]]}, None, ...),
        ({"openapi": "3.0", "components": {"examples": [1]}}, None, ...),
        (SHAREABLE, "order", ORDER),
        (SHAREABLE, "empty", {}),
        (FILTERED, None, ORDER),
        (FILTERED, 0, ORDER),
        (QUERIED, None, ORDER),
        (EXPORTED, 0, ORDER),
        (EXPORTED, 1, {"b": {}}),
    ],
)
def test_an_event_is_read(document: object, which: str | int | None, event: object) -> None:
    assert read(json.dumps(document), which) == (document if event is ... else event)


@pytest.mark.parametrize(
    ("text", "which", "complaint"),
    [
        ("{", None, "expected JSON, but Expecting property name"),
        ("[" * 100_000, None, "expected JSON, but maximum recursion depth exceeded"),
        (json.dumps({"events": [{"message": '{"a":' * 100_000}]}), None, "there are 0 events"),
        (json.dumps(ORDER), "order", "it has one event, and none called 'order'"),
        (json.dumps(SHAREABLE), None, "there are 2 events: choose one of 'order', 'empty'"),
        (json.dumps(SHAREABLE), "odrer", "there is no 'odrer': choose one of 'order', 'empty'"),
        (json.dumps(FILTERED), 1, "there is no 1: choose one of 0"),
        (json.dumps({"events": []}), None, "there are 0 events: choose one of none"),
    ],
)
def test_what_is_not_there_is_told(text: str, which: str | int | None, complaint: str) -> None:
    with pytest.raises(ValueError, match=f"^{complaint}"):
        read(text, which)
