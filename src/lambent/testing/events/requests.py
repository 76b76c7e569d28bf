"""HTTP requests, as each front door tells them, and what authorizers are asked: built by the local Lambda's own doors.

Source: that of `lambent.dev.doors`; docs.aws.amazon.com/apigateway, "Input to an API Gateway Lambda authorizer",
"Control access to HTTP APIs with AWS Lambda authorizers".
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from lambent.dev import identifiers
from lambent.dev.diff.request import HOST, Headers, read_request
from lambent.dev.doors import DOORS
from lambent.dev.doors.model import ANYTHING, Arrival, HTTPRequest, Matched, Site
from lambent.errors import ConfigurationError
from lambent.testing.events.origin import HERE, Event, Facts, Origin, encoded
from lambent.testing.events.payloads import Payload, content

NO_HEADERS: Headers = {}


def http_request(
    door: str,
    method: str = "GET",
    url: str = "/",
    *,
    headers: Headers = NO_HEADERS,
    body: Payload = b"",
    route: str = "",
    function: str = "my-function",
    origin: Origin = HERE,
) -> Event:
    """A request through the door of that name: `url`, `http`, `http1`, `rest`, `alb`, `alb-multi`, `lattice`, `edge`….

    `url` is a path with its query, percent-encoded, or a whole URL. A body that is neither text nor bytes is sent as
    JSON, with that type. `route` is one of an API's, such as `GET /items/{id}`; else it is `$default`, or a REST
    API's `{proxy+}`. Raises ValueError for what is no request, and for a door that there is not.
    """
    if door not in DOORS:
        raise ValueError(f"door: expected {', '.join(DOORS)}, but got {door!r}.")
    facts = origin.facts()
    opened, arrival = DOORS[door](Site(function, facts.region, facts.account)), arrive(facts)
    sent = request(method, url, headers, body)
    known = matched(door, sent, route)
    event: Event = json.loads(json.dumps(opened.event(sent, arrival, known)))
    domain = event.get("requestContext", {}).get("domainName", HOST)
    if (b"host", HOST.encode()) in sent.headers and domain != HOST:  # no host was said: the request went to AWS's own
        addressed = [(name, domain.encode() if name == b"host" else value) for name, value in sent.headers]
        event = json.loads(json.dumps(opened.event(sent._replace(headers=addressed), arrival, known)))
    return event


def message_request(
    method: str = "GET", url: str = "/", *, headers: Headers = NO_HEADERS, body: Payload = None
) -> Event:
    """A request in short, as `Events.requests` takes it in messages, such as those of `sqs`.

    `url` is a path with its query, percent-encoded. Bytes are sent as base64. Raises ValueError for what is no request.
    """
    sent = read_request(method, url, pairs(headers), b"")
    if not url.startswith("/"):
        raise ValueError(f"url: expected a path, with its query, but got {url!r}.")
    event: Event = {"method": sent.method, "path": sent.raw_path.decode("latin-1")}
    if sent.query_string:
        event["query"] = sent.query_string.decode("latin-1")
    if headers:
        event["headers"] = {}
        for name, value in pairs(headers):
            event["headers"].setdefault(name.lower(), []).append(value)
        event["headers"] = {name: each if len(each) > 1 else each[0] for name, each in event["headers"].items()}
    if isinstance(body, bytes):
        event |= {"body": encoded(body), "isBase64Encoded": True}
    elif body is not None:
        event["body"] = body
    return event


def matched(door: str, sent: HTTPRequest, route: str) -> Matched:
    """What the route says of the request. Raises ValueError for one that is not the request's."""
    from lambent.dev.model import Entrance, Function, Route
    from lambent.dev.routes import Found, Routes
    from lambent.dev.routes.bindings import APIS
    from lambent.dev.routes.patterns import key

    if not route:
        return ANYTHING
    if door not in APIS:
        raise ValueError(f"route: expected none, for {door} has no routes; {', '.join(APIS)} have.")
    try:
        method, path = key(route)
        function = Function("my-function", "app:app", routes=(Route("api", method, path),))
        found = Routes([function], [Entrance("api", door)]).find(sent.method, sent.raw_path)
    except (ValueError, ConfigurationError) as error:
        raise ValueError(f"route: expected one such as GET /items/{{id}}, but got {route!r}: {error}") from None
    if isinstance(found, Found):
        return found.matched
    raise ValueError(f"route: {route} is not that of {sent.method} {sent.raw_path.decode('latin-1')}.")


def request(method: str, url: str, headers: Headers, body: Payload) -> HTTPRequest:
    typed = isinstance(body, str | bytes) or any(name.lower() == "content-type" for name, _ in pairs(headers))
    kind = [] if typed else [("content-type", "application/json")]
    return read_request(method, url, [*pairs(headers), *kind], content(body))


def pairs(headers: Headers) -> list[tuple[str, str]]:
    return list(headers.items()) if isinstance(headers, Mapping) else list(headers)


def arrive(facts: Facts) -> Arrival:
    return Arrival(
        request_id=facts.uuid(),
        gateway_id=identifiers.gateway_id(facts.entropy),
        trace=identifiers.trace("", facts.now, facts.entropy),
        now=facts.now,
    )


def authorizer_token(
    token: str = "Bearer my-token",  # noqa: S107 - an example
    *,
    method: str = "GET",
    url: str = "/",
    origin: Origin = HERE,
) -> Event:
    """What a TOKEN authorizer of a REST API is asked."""
    path = read_request(method, url, [], b"").raw_path.decode("latin-1").lstrip("/")
    return {"type": "TOKEN", "authorizationToken": token, "methodArn": api_arn(origin.facts(), f"prod/{method}/{path}")}


def authorizer_request(
    method: str = "GET", url: str = "/", *, headers: Headers = NO_HEADERS, origin: Origin = HERE
) -> Event:
    """What a REQUEST authorizer of a REST API is asked: the request, without its body."""
    event = http_request("rest", method, url, headers=headers, origin=origin)
    path = event["path"].lstrip("/")
    told = {name: value for name, value in event.items() if name not in ("body", "isBase64Encoded")}
    return {"type": "REQUEST", "methodArn": api_arn(origin.facts(), f"prod/{method}/{path}"), **told}


def authorizer(
    method: str = "GET",
    url: str = "/",
    *,
    headers: Headers = NO_HEADERS,
    identity: str = "authorization",
    origin: Origin = HERE,
) -> Event:
    """What a Lambda authorizer of an HTTP API is asked, payload format 2.0; `identity` is the header it goes by."""
    event = http_request("http", method, url, headers=headers, origin=origin)
    arn = api_arn(origin.facts(), f"{event['requestContext']['stage']}/{method}{event['rawPath']}")
    source = event["headers"].get(identity.lower())
    told = {name: value for name, value in event.items() if name not in ("version", "body", "isBase64Encoded")}
    return {
        "version": "2.0",
        "type": "REQUEST",
        "routeArn": arn,
        "identitySource": [source] if source is not None else None,
        **told,
    }


def api_arn(facts: Facts, resource: str) -> str:
    return facts.arn("execute-api", f"{Site('my-function', facts.region, facts.account).identifier(10)}/{resource}")
