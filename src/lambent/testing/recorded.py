"""Events that somebody has written down, in the forms that AWS's own tools write them. Pure.

    an event                 as the console shows it, as `sam remote test-event get` and `lambent event` print it
    shareable test events    the console's, as the registry `lambda-testevent-schemas` has them: several, by name
    logged events            of `aws logs filter-log-events` and `get-log-events`, of Logs Insights: several, by place

Source: docs.aws.amazon.com/lambda, "Testing Lambda functions in the console"; docs.aws.amazon.com/AmazonCloudWatchLogs,
"FilterLogEvents", "GetQueryResults".
"""

from __future__ import annotations

import json
from typing import Any


def read(text: str, which: str | int | None = None) -> Any:
    """The event of a file; of one that has several, `which`, unless it is the only one. ValueError: what is wrong."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"expected JSON, but {error}") from None
    found = several(document)
    if found is None:
        if which is not None:
            raise ValueError(f"it has one event, and none called {which!r}")
        return document
    if which is None and len(found) == 1:
        return next(iter(found.values()))
    if which is None or which not in found:
        came = f"there is no {which!r}" if which is not None else f"there are {len(found)} events"
        raise ValueError(f"{came}: choose one of {', '.join(map(repr, found)) or 'none'}")
    return found[which]


def several(document: Any) -> dict[str | int, Any] | None:
    """The events of a document that has several, by name or place; None for one that is an event itself."""
    if is_schema(document):
        examples = document["components"].get("examples") or {}
        if not isinstance(examples, dict):
            return None
        return {name: each["value"] for name, each in examples.items() if isinstance(each, dict) and "value" in each}
    messages = logged(document)
    if messages is None:
        return None
    return dict(enumerate(event for message in messages if (event := within(message)) is not None))


def is_schema(document: Any) -> bool:
    """Shareable test events are the examples of an OpenAPI document; the registry gives that as `Content`, too."""
    return isinstance(document, dict) and "openapi" in document and isinstance(document.get("components"), dict)


def logged(document: Any) -> list[str] | None:
    """The messages of a log, in order; None if it is no log."""
    if isinstance(document, dict) and isinstance(document.get("events"), list):
        return texts(document["events"], "message") if document.keys() <= LOG_KEYS else None
    if isinstance(document, dict) and is_query(document.get("results")):
        rows = [{each["field"]: each["value"] for each in row} for row in document["results"]]
        return texts(rows, "@message")
    return texts(document, "@message") if isinstance(document, list) and document else None


LOG_KEYS = {"events", "searchedLogStreams", "nextToken", "nextForwardToken", "nextBackwardToken"}


def is_query(results: Any) -> bool:
    """Whether these are rows as Logs Insights gives them: there are some, each of fields."""
    if not isinstance(results, list) or not results:
        return False
    return all(isinstance(row, list) and row and all(map(is_field, row)) for row in results)


def is_field(found: Any) -> bool:
    return isinstance(found, dict) and isinstance(found.get("field"), str) and "value" in found


def texts(rows: list[Any], key: str) -> list[str] | None:
    """Logs Insights exports messages that are JSON as objects."""
    if not all(isinstance(row, dict) and key in row for row in rows):
        return None
    return [row[key] if isinstance(row[key], str) else json.dumps(row[key]) for row in rows]


def within(message: str) -> Any:
    """The JSON object in a line, behind what loggers put before it; None if there is none."""
    start = message.find("{")
    if start < 0:
        return None
    try:
        event, end = json.JSONDecoder().raw_decode(message, start)
    except (ValueError, RecursionError):
        return None
    return event if not message[end:].strip() else None
