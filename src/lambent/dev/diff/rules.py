"""What a person should be warned of: where AWS's doors part ways on this very request or reply.

Pure. Source: that of `lambent.dev.doors`; the limit of headers is that of docs.aws.amazon.com/apigateway, "Quotas".
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from lambent.dev.diff.aspects import of_event
from lambent.dev.diff.outcomes import Outcome, megabytes, sizes
from lambent.dev.doors import fields
from lambent.dev.doors.model import PAYLOAD_LIMIT, Arrival, Door, Fields, HTTPRequest, Refusal
from lambent.dev.doors.rest_api import KEYS as REST_KEYS

SHORT = {
    "url": "Function URL",
    "http": "HTTP API",
    "http1": "HTTP API 1.0",
    "rest": "REST",
    "alb": "ALB",
    "alb-multi": "ALB with multi-value headers",
    "lattice1": "Lattice 1",
    "lattice": "Lattice",
    "edge": "Lambda@Edge",
    "edge-viewer": "Lambda@Edge on viewer requests",
}

HEADER_LIMITS = dict.fromkeys(("http", "http1", "rest"), 10_240)
"""Bytes of request line and headers together."""

READ = {
    "url": {"cookies", "headers"},
    "http": {"cookies", "headers"},
    "http1": {"headers", "multiValueHeaders"},
    "rest": {"headers", "multiValueHeaders"},
    "alb": {"headers"},
    "alb-multi": {"multiValueHeaders"},
    "lattice1": {"headers"},
    "lattice": {"headers"},
}
"""The fields of a result in which a door looks for headers."""

HARMLESS = frozenset((b"x-amzn-remapped-content-length", b"x-amzn-remapped-date"))
FEW = 3


class Passage(NamedTuple):
    """One request on its way through one door."""

    door: Door
    event: Fields
    outcome: Outcome | None
    """None if nothing was asked to answer."""


Passages = Mapping[str, Passage]
"""By name of the door."""

Belongs = Callable[[list[object]], bool]


def warnings(request: HTTPRequest, passages: Passages, arrival: Arrival) -> list[str]:
    """One sentence each; nothing for what every door does alike."""
    return [
        *together((name, text) for name, each in passages.items() for text in too_large(request, name, each, arrival)),
        *path(request, passages),
        *repeated_parameters(request, passages),
        *repeated_headers(request, passages),
        *cookies(request, passages),
        *binary(request, passages),
        *together((name, text) for name, each in passages.items() for text in of_outcome(name, each)),
        *together(replaced(passages)),
        *together(lost_cookies(passages)),
    ]


def together(found: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Names of doors and what each would do, as sentences: doors that would do the same share one."""
    names: dict[str, list[str]] = {}
    for name, text in found:
        names.setdefault(text, []).append(name)
    yield from (f"{titles(each)} would {text}." for text, each in names.items())


def titles(names: list[str]) -> str:
    """`HTTP API`, `ALB and REST`, `ALB, REST and Function URL`."""
    *others, last = [SHORT.get(name, name) for name in names]
    return f"{', '.join(others)} and {last}" if others else last


def against(names: list[str]) -> str:
    return titles(names) if len(names) <= FEW else "the others"


def too_large(request: HTTPRequest, name: str, passage: Passage, arrival: Arrival) -> Iterator[str]:
    """A request that the function would not see, or not whole."""
    status = passage.door.refuse(Refusal.TOO_LARGE, arrival).status
    length, limit = len(request.body), passage.door.limits.body
    event = len(json.dumps(passage.event, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "replace"))
    if length > limit:
        has, takes = sizes(length, limit)
        yield f"refuse {has} with {status}: the limit is {takes}"
    elif event > PAYLOAD_LIMIT:
        has, takes = sizes(event, PAYLOAD_LIMIT)
        yield f"refuse the request with {status}: its event has {has} as JSON, and Lambda takes {takes}"
    head = len(request.raw_path) + len(request.query_string)
    head += sum(len(field) + len(value) for field, value in request.headers)
    if head > HEADER_LIMITS.get(name, head):
        has, takes = sizes(head, HEADER_LIMITS[name])
        yield f"refuse headers of {has}: the limit is {takes}"
    if left := truncated(passage.event):
        yield f"cut the body off: the function sees {megabytes(left)} of {megabytes(length)}"


def truncated(event: Fields) -> int:
    """Bytes that are left of a body that was cut; 0 if it was not."""
    records = event.get("Records")
    body = records[0]["cf"]["request"].get("body", {}) if isinstance(records, list) else {}
    return len(body["data"]) * 3 // 4 if body.get("inputTruncated") else 0


def path(request: HTTPRequest, passages: Passages) -> Iterator[str]:
    """An HTTP API decodes it, and loses what was a slash within a segment."""
    decoded = fields.decoded(request.raw_path)
    if decoded != fields.encoded(request.raw_path):
        inside, others = parted(passages, "path", lambda values: decoded in values)
        slash = ": a slash within a segment becomes one between two" if b"%2f" in request.raw_path.lower() else ""
        if inside and others:
            yield f"The path is decoded on {titles(inside)}, not on {against(others)}{slash}."


def repeated_parameters(request: HTTPRequest, passages: Passages) -> Iterator[str]:
    names = [pair.partition(b"=")[0] for pair in request.query_string.split(b"&") if pair]
    for raw in dict.fromkeys(name for name in names if names.count(name) > 1):
        yield from repeated(f"parameter {raw.decode('latin-1')}", f"query {fields.decoded_parameter(raw)}", passages)


def repeated_headers(request: HTTPRequest, passages: Passages) -> Iterator[str]:
    names = [name for name, _ in request.headers if name != b"cookie"]
    for raw in dict.fromkeys(name for name in names if names.count(name) > 1):
        yield from repeated(f"header {raw.decode('latin-1')}", f"header {raw.decode('latin-1')}", passages)


def repeated(what: str, aspect: str, passages: Passages) -> Iterator[str]:
    """Joined, all kept, or one of them alone."""
    kept, rest = parted(passages, aspect, lambda values: any(isinstance(each, list) for each in values))
    told = {name: values for name in rest if (values := values_of(passages[name], aspect))}
    joined = [name for name, values in told.items() if any("," in str(each) for each in values)]
    alone = [name for name in told if name not in joined]
    if joined and (kept or alone):
        yield f"The repeated {what} is joined by a comma on {titles(joined)}, not on {against([*kept, *alone])}."
    if alone and (kept or joined):
        yield f"Of the repeated {what} one value alone is told on {titles(alone)}."


def cookies(request: HTTPRequest, passages: Passages) -> Iterator[str]:
    if any(name == b"cookie" for name, _ in request.headers):
        moved, kept = parted(passages, "header cookie", lambda values: not values)
        if moved and kept:
            yield f"Cookies are taken out of the headers, into `cookies`, on {titles(moved)}, not on {against(kept)}."


def binary(request: HTTPRequest, passages: Passages) -> Iterator[str]:
    if request.body:
        inside, text = parted(
            passages, "body", lambda values: any(isinstance(each, dict) and "base64" in each for each in values)
        )
        if inside and text:
            yield f"The body is base64 on {titles(inside)}, text on {against(text)}."


def parted(passages: Passages, aspect: str, belongs: Belongs) -> tuple[list[str], list[str]]:
    """The names of the doors where it is so, and of the others."""
    inside = [name for name, passage in passages.items() if belongs(values_of(passage, aspect))]
    return inside, [name for name in passages if name not in inside]


def values_of(passage: Passage, aspect: str) -> list[object]:
    """What the event tells of one aspect."""
    header = aspect.removeprefix("header ") if aspect.startswith("header ") else ""
    asked = HTTPRequest("", b"", b"", [(header.encode("latin-1"), b"")], b"", ("", 0), "", "")
    return [value for _, value in of_event(passage.event, asked).get(aspect, ()) if value is not None]


def of_outcome(name: str, passage: Passage) -> Iterator[str]:
    """A result that the door cannot use, or that it changes."""
    outcome = passage.outcome
    if outcome is not None and outcome.refusal is not None:
        yield f"answer {outcome.reply.status}: {reason(name, outcome).rstrip('.')}"
    elif outcome is not None:
        remapped = [field for field, _ in outcome.reply.headers if field.lower().startswith(b"x-amzn-remapped-")]
        for field in remapped:
            if field.lower() not in HARMLESS:
                told = field.decode("latin-1")
                yield f"send the header {told[len('x-amzn-Remapped-') :]} as {told}"


def reason(name: str, outcome: Outcome) -> str:
    """In few words for what happens most; else in those of the door."""
    result = read(outcome.result)
    if isinstance(result, dict):
        if name == "rest" and (extra := sorted(result.keys() - REST_KEYS)):
            return f"extra key{'s' if len(extra) > 1 else ''} {quoted(extra)}"
        if name.startswith("edge") and "statusCode" in result and "status" not in result:
            return "it takes `status`, not `statusCode`"
    return outcome.reason


def replaced(passages: Passages) -> Iterator[tuple[str, str]]:
    """Doors for which a reply was so large that Lambent's adapter answered with an error in its place."""
    results = {
        name: len(passage.outcome.result)
        for name, passage in passages.items()
        if passage.outcome is not None and passage.outcome.reply.status < 500
    }
    most = max(results.values(), default=0)
    for name, passage in passages.items():
        limit = passage.door.limits.result
        if passage.outcome is not None and passage.outcome.reply.status == 500 and limit < most:
            has, takes = sizes(most, limit)
            yield name, f"refuse a reply of {has}: the limit is {takes}"


def read(payload: bytes) -> object:
    try:
        return json.loads(payload)
    except (ValueError, RecursionError):
        return None


def lost_cookies(passages: Passages) -> Iterator[tuple[str, str]]:
    """Doors by which fewer cookies reach the client than by others."""
    outcomes = {
        name: passage.outcome
        for name, passage in passages.items()
        if passage.outcome is not None and passage.outcome.refusal is None and passage.outcome.reply.status < 500
    }
    counts = {
        name: sum(field.lower() == b"set-cookie" for field, _ in outcome.reply.headers)
        for name, outcome in outcomes.items()
    }
    most = max(counts.values(), default=0)
    for name, count in counts.items():
        if count < most:
            which = "the cookie" if most == 1 else f"{most - count} of {most} cookies"
            yield name, f"lose {which}{unread(name, outcomes[name])}"


def unread(name: str, outcome: Outcome) -> str:
    """The fields of the result in which this door does not look."""
    result = read(outcome.result)
    there = {"cookies", "headers", "multiValueHeaders"} - READ.get(name, set())
    missed = sorted(key for key in there if isinstance(result, dict) and result.get(key))
    return f": {quoted(missed)} {'is' if len(missed) == 1 else 'are'} not read there" if missed else ""


def quoted(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
