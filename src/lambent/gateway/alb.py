"""Application Load Balancer, with and without multi-value headers.

Source: docs.aws.amazon.com/elasticloadbalancing, "Lambda functions as targets", and live captures.

- `path` and the query's names and values are percent-*encoded*, as the client sent them. What is lost is the order of
  parameters of different names, and whether `flag` had a `=`; without multi-value headers also all but the last value.
- Fields and parameters are in maps of strings, or in `multiValue...` maps of lists: never both. The answer must have
  its fields in the form in which they came; the other form is ignored.
- The client is told by `x-forwarded-for` alone, of which `settings.trusted_proxies` says how much to believe.
- A health check has a `user-agent`, ELB-HealthChecker/2.0, and hardly another field: no host, no client.
- A `body` that is null, or a reply of more than 1 MB, is answered with 502.
"""

from __future__ import annotations

from lambent.gateway import body, forwarded, headers, multi_value
from lambent.gateway.model import DEFAULTS, Request, Response, Settings
from lambent.gateway.path import decode
from lambent.gateway.status import description

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lambent.types import Event, Result


def request(event: dict[str, Event], settings: Settings = DEFAULTS) -> Request:
    """Translate one event."""
    raw_path = event.get("path") or "/"
    fields = multi_value.request_headers(event)
    known = dict(fields)
    scheme = known.get(b"x-forwarded-proto", b"http").decode("latin-1")
    port = known.get(b"x-forwarded-port", b"").decode("latin-1")
    return Request(
        event["httpMethod"].upper(),
        decode(raw_path),
        raw_path.encode("utf-8", "replace"),
        multi_value.verbatim_query(event),
        "",
        scheme,
        "1.1",
        fields,
        forwarded.client(fields, settings.trusted_proxies),
        headers.server(known.get(b"host", b"").decode("latin-1"), port, scheme),
        body.decode(event),
    )


def reply(response: Response, event: dict[str, Event], settings: Settings = DEFAULTS) -> Result:
    """Give the answer with its fields in the form in which the event had them."""
    fields, repeated = multi_value.decode(response.headers)
    content, is_base64 = body.encode(response.body, fields, settings.text_types)
    result: dict[str, Event] = {
        "statusCode": response.status,
        "statusDescription": description(response.status),
        "body": content,
        "isBase64Encoded": is_base64,
    }
    if event.get("multiValueHeaders") is not None:
        result["multiValueHeaders"] = multi_value.listed(fields, repeated)
    else:
        result["headers"] = multi_value.joined(fields, repeated)
    return result
