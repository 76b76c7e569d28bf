"""Filter criteria of an event source mapping: which records a function wants. Pure.

Source: docs.aws.amazon.com/lambda, "Control which events Lambda sends to your function", "Using event filtering with an
Amazon SQS event source"; docs.aws.amazon.com/eventbridge, "Comparison operators".
"""

from __future__ import annotations

import json
from typing import Any

from lambent.dev.sources.messages import Record
from lambent.events.patterns import MISSING, Test, table


def parse(text: str) -> Test:
    """A pattern of JSON → whether a record is wanted. ValueError says what was expected."""
    try:
        pattern = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"expected a pattern of JSON, but got {text!r}: {error}") from None
    if not isinstance(pattern, dict) or not pattern:
        raise ValueError(f'expected a pattern such as {{"body": {{"kind": ["order"]}}}}, but got {text!r}')
    test = table(pattern)
    structured = isinstance(pattern.get("body"), dict)
    return lambda record: test(opened(record, structured=structured))


def opened(record: Any, *, structured: bool) -> Record:
    """The record with its body as JSON, where that is what the pattern asks of; a body of another kind is none."""
    try:
        body = json.loads(record["body"])
    except (ValueError, RecursionError):
        body = None
    if structured:
        return {**record, "body": body}
    return {**record, "body": MISSING} if isinstance(body, dict) else record
