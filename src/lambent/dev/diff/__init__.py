"""One request, every door: the events, what the application sees of them, and what becomes of its replies.

    request.py   PURE  a request as it is typed
    aspects.py   PURE  events and replies of several doors, made comparable
    outcomes.py  PURE  what a door makes of a result
    rules.py     PURE  what to warn of
    target.py    IO    an application or a function, run in this process
    table.py     PURE  the comparison as text
    command.py   IO    `lambent diff`

Pure but for the target.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from lambent.dev.diff import aspects, rules
from lambent.dev.diff.aspects import Difference
from lambent.dev.diff.outcomes import Answer, Outcome, answered
from lambent.dev.diff.rules import Passage
from lambent.dev.doors import DOORS
from lambent.dev.doors.model import Arrival, Fields, HTTPRequest, Site
from lambent.errors import MalformedEvent
from lambent.gateway import GATEWAYS, detect
from lambent.gateway.model import DEFAULTS

FUNCTION = "my-function"


class Comparison(NamedTuple):
    """What is the same nowhere, and what to make of it."""

    request: HTTPRequest
    passages: dict[str, Passage]
    """By name of the door."""
    events: list[Difference]
    application: list[Difference]
    """Of the requests as an application behind Lambent sees them."""
    replies: list[Difference]
    warnings: list[str]


def compare(request: HTTPRequest, arrival: Arrival, answer: Answer | None, doors: Sequence[str]) -> Comparison:
    """Send the request through each of the doors; `answer` says what the function returns, None for no function."""
    passages = {name: passage(name, request, arrival, answer) for name in doors}
    outcomes = {name: each.outcome for name, each in passages.items() if each.outcome is not None}
    return Comparison(
        request,
        passages,
        aspects.differences({name: aspects.of_event(each.event, request) for name, each in passages.items()}),
        aspects.differences({name: seen(each.event, request) for name, each in passages.items()}),
        aspects.differences({name: aspects.of_reply(each.reply) for name, each in outcomes.items()}),
        rules.warnings(request, passages, arrival),
    )


def passage(name: str, request: HTTPRequest, arrival: Arrival, answer: Answer | None) -> Passage:
    """Raises KeyError for a door that there is not."""
    door = DOORS[name](Site(FUNCTION))
    event: Fields = json.loads(json.dumps(door.event(request, arrival)))
    outcome: Outcome | None = None
    if answer is not None:
        outcome = answered(door, answer(name, event), arrival)
    return Passage(door, event, outcome)


def seen(event: Fields, request: HTTPRequest) -> aspects.Tellings:
    """What an application sees, or why it sees nothing."""
    try:
        return aspects.of_request(detect(event, GATEWAYS).request(event, DEFAULTS), request)
    except MalformedEvent as error:
        return {"refused": (("", str(error)),)}


def as_json(comparison: Comparison) -> dict[str, Any]:
    """For machines: events whole, differences by aspect, replies."""
    return {
        "request": request_json(comparison.request),
        "events": {name: each.event for name, each in comparison.passages.items()},
        "differences": {
            "events": differences_json(comparison.events),
            "application": differences_json(comparison.application),
            "replies": differences_json(comparison.replies),
        },
        "replies": {
            name: reply_json(each.outcome) for name, each in comparison.passages.items() if each.outcome is not None
        },
        "warnings": comparison.warnings,
    }


def request_json(request: HTTPRequest) -> dict[str, Any]:
    return {
        "method": request.method,
        "path": request.raw_path.decode("latin-1"),
        "query": request.query_string.decode("latin-1"),
        "headers": [[name.decode("latin-1"), value.decode("latin-1")] for name, value in request.headers],
        "body": aspects.content(request.body),
    }


def differences_json(differences: list[Difference]) -> dict[str, Any]:
    """By aspect, a list of values and who tells them by which fields."""
    return {
        each.aspect: [{"values": list(row.values), "doors": row.doors} for row in each.rows] for each in differences
    }


def reply_json(outcome: Outcome) -> dict[str, Any]:
    reply = outcome.reply
    return {
        "status": reply.status,
        "headers": [[name.decode("latin-1"), value.decode("latin-1")] for name, value in reply.headers],
        "body": aspects.content(reply.body),
        "refused": outcome.reason or None,
    }
