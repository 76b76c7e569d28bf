"""The events of several doors, made comparable: what each tells of the path, a header, the body, whatever it calls it.

Pure. An aspect is a thing that every door could tell, such as `path` or `header accept`; a telling is what one of them
tells of it, field by field.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from lambent.dev.doors.model import HTTPReply, HTTPRequest, RawHeaders
from lambent.gateway.model import Request

Telling = tuple[tuple[str, object], ...]
"""Names of fields and what they hold; none if the door does not tell."""

Tellings = dict[str, Telling]
"""By aspect."""

BODIES = ("body", "isBase64Encoded", "is_base64_encoded")

NOTHING = (None, "")
"""Whether a field is null, empty or absent is the form of a door, and no difference."""

STAMPS = frozenset("apigw-requestid x-amzn-requestid x-amz-apigw-id x-amzn-trace-id x-cache x-amz-cf-id server".split())
"""Headers that doors add to whatever they answer."""


class Row(NamedTuple):
    """What some doors tell alike."""

    values: tuple[object, ...]
    """Each once."""
    doors: dict[str, str]
    """Name of the door → the fields that tell it."""


class Difference(NamedTuple):
    """An aspect that is not the same everywhere."""

    aspect: str
    rows: list[Row]


def differences(tellings: Mapping[str, Tellings]) -> list[Difference]:
    """By name of the door → by aspect. Aspects in the order in which the doors bring them."""
    aspects = dict.fromkeys(aspect for telling in tellings.values() for aspect in telling)
    found = (
        Difference(aspect, rows({name: each.get(aspect, ()) for name, each in tellings.items()})) for aspect in aspects
    )
    return [each for each in found if len(each.rows) > 1]


def rows(tellings: Mapping[str, Telling]) -> list[Row]:
    """Doors that tell the same stand together; those that tell nothing come last."""
    grouped: dict[str, Row] = {}
    for name, telling in tellings.items():
        values = {json.dumps(value, sort_keys=True): value for value in map(alone, told(telling))}
        row = grouped.setdefault(json.dumps(list(values)), Row(tuple(values.values()), {}))
        row.doors[name] = ", ".join(field for field, value in telling if field and value not in NOTHING)
    return sorted(grouped.values(), key=lambda row: not row.values)


def told(telling: Telling) -> list[object]:
    """Without what says nothing."""
    return [value for _, value in telling if value not in NOTHING]


def alone(value: object) -> object:
    """A list of one is what is in it: every door has its own form, which is no difference."""
    return value[0] if isinstance(value, list) and len(value) == 1 and isinstance(value[0], str) else value


def of_event(event: Mapping[str, Any], request: HTTPRequest) -> Tellings:
    """What an event tells. A header is an aspect if the client sent it; those that AWS adds are one."""
    told = dict(flat(event))
    parameters = ("queryStringParameters", "multiValueQueryStringParameters", "query_string_parameters")
    return {
        "path": chosen(told, ("rawPath", "path", "raw_path", "uri")),
        "path, of the context": chosen(told, ("requestContext.http.path", "requestContext.path")),
        "query": chosen(told, ("rawQueryString", "querystring")),
        **prefixed("query", mapped(told, parameters)),
        "path parameters": chosen(told, ("pathParameters",)),
        "cookies": chosen(told, ("cookies",)),
        **of_headers(mapped(told, ("headers", "multiValueHeaders")), request),
        "body": bodies(told),
    }


def of_headers(headers: Tellings, request: HTTPRequest) -> Tellings:
    """Each that the client sent, and the names of the others."""
    sent = dict.fromkeys(name.decode("latin-1") for name, _ in request.headers)
    added = " ".join(sorted(headers.keys() - sent))
    return {**{f"header {name}": headers.get(name, ()) for name in sent}, "headers added": (("", added),)}


def flat(event: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The fields that matter, by path; Lambda@Edge has its own under `Records[0].cf.request`."""
    if "Records" in event:
        yield from event["Records"][0]["cf"]["request"].items()
        return
    yield from event.items()
    context = event.get("requestContext", {})
    yield from ((f"requestContext.{name}", value) for name, value in context.items())
    if "http" in context:
        yield "requestContext.http.path", context["http"]["path"]


def chosen(told: Mapping[str, Any], names: tuple[str, ...]) -> Telling:
    return tuple((name, told[name]) for name in names if name in told)


def mapped(told: Mapping[str, Any], fields: tuple[str, ...]) -> Tellings:
    """Each name in these maps, in lower case for headers, with what each map has for it."""
    found: Tellings = {}
    for field in fields:
        for name, value in (told.get(field) or {}).items():
            key = name.lower() if field.lower().endswith("headers") else name
            found[key] = (*found.get(key, ()), (field, plain(value)))
    return found


def plain(value: object) -> object:
    """Of Lambda@Edge's headers the values alone."""
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return [each["value"] for each in value]
    return value


def prefixed(prefix: str, tellings: Tellings) -> Tellings:
    return {f"{prefix} {name}": telling for name, telling in tellings.items()}


def bodies(told: Mapping[str, Any]) -> Telling:
    """The body, and whether it is base64, as one."""
    content = told.get("body")
    is_base64 = any(told.get(name) is True for name in BODIES[1:])
    if isinstance(content, dict):  # Lambda@Edge
        content, is_base64 = content["data"], content["encoding"] == "base64"
    if content is None or content == "":
        return (("body", None),)
    return (("body", {"base64" if is_base64 else "text": content}),)


def of_request(seen: Request, sent: HTTPRequest) -> Tellings:
    """What the application sees of what was sent."""
    return {
        "path": (("", seen.path),),
        "raw path": (("", seen.raw_path.decode("latin-1")),),
        "root path": (("", seen.root_path),),
        "query": (("", seen.query_string.decode("latin-1")),),
        "scheme": (("", seen.scheme),),
        "client": (("", (seen.client or ("",))[0]),),
        **of_headers({name: (("", values),) for name, values in by_name(seen.headers).items()}, sent),
        "body": (("", content(seen.body)),),
    }


def by_name(headers: RawHeaders) -> dict[str, list[str]]:
    values: dict[str, list[str]] = {}
    for name, value in headers:
        values.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
    return values


def of_reply(reply: HTTPReply) -> Tellings:
    """What the client gets, but for the ids that doors add."""
    headers = {name: values for name, values in by_name(reply.headers).items() if name not in STAMPS}
    return {
        "status": (("", reply.status),),
        **{f"header {name}": (("", values),) for name, values in sorted(headers.items())},
        "body": (("", content(reply.body)),),
    }


def content(body: bytes) -> object:
    """As text, or as base64 where it is none."""
    if not body:
        return None
    try:
        return {"text": body.decode("utf-8")}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(body).decode("ascii")}
