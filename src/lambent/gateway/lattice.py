"""VPC Lattice, event structure versions 1 and 2.

Source: docs.aws.amazon.com/vpc-lattice, "Lambda functions as targets in VPC Lattice" and "HTTP targets in VPC Lattice",
and the documentation of Envoy's AWS Lambda filter, whose event version 1 is.

- Version 1 is in snake case: `raw_path`, `query_string_parameters`, `is_base64_encoded`. Repeated fields are joined by
  a comma, and of a repeated parameter the last value is there. Version 2 is in camel case, with lists of values.
- The path is percent-*encoded* and has the query behind it, which is taken as it is. Where there is none, it is built
  from the parameters, which are not decoded.
- The client is told by `x-forwarded-for`, of which `settings.trusted_proxies` says how much to believe.
- Scheme and port are in `x-forwarded-for-proto` and `x-forwarded-for-port`: with `for`, unlike anywhere else.
- The answer is the same for both, with one string for a name.
"""

from __future__ import annotations

from lambent.gateway import body, forwarded, headers, multi_value
from lambent.gateway.model import DEFAULTS, Request, Response, Settings
from lambent.gateway.path import decode
from lambent.gateway.status import description

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lambent.types import Event, RawHeaders, Result


def request(event: dict[str, Event], settings: Settings = DEFAULTS) -> Request:
    """Translate one event."""
    target = event.get("path") or event.get("raw_path") or "/"
    raw_path, mark, query = target.partition("?")
    raw_path = raw_path or "/"
    parameters = event.get("queryStringParameters") or event.get("query_string_parameters")
    fields = _headers(event.get("headers") or {})
    known = dict(fields)
    scheme = (known.get(b"x-forwarded-for-proto") or known.get(b"x-forwarded-proto") or b"https").decode("latin-1")
    port = (known.get(b"x-forwarded-for-port") or known.get(b"x-forwarded-port") or b"").decode("latin-1")
    return Request(
        event["method"].upper(),
        decode(raw_path),
        raw_path.encode("utf-8", "replace"),
        query.encode("utf-8", "replace") if mark else multi_value.verbatim_query({"queryStringParameters": parameters}),
        "",
        scheme,
        "1.1",
        fields,
        forwarded.client(fields, settings.trusted_proxies),
        headers.server(known.get(b"host", b"").decode("latin-1"), port, scheme),
        body.decode(event if "isBase64Encoded" in event else _renamed(event)),
    )


def reply(response: Response, event: dict[str, Event], settings: Settings = DEFAULTS) -> Result:
    """Give the answer, the same for both versions."""
    fields, repeated = multi_value.decode(response.headers)
    content, is_base64 = body.encode(response.body, fields, settings.text_types)
    return {
        "statusCode": response.status,
        "statusDescription": description(response.status),
        "headers": multi_value.joined(fields, repeated),
        "body": content,
        "isBase64Encoded": is_base64,
    }


def _headers(fields: dict[str, Event]) -> RawHeaders:
    """Read a map of strings, as in version 1, or of lists, as in version 2; AWS's examples of the latter have both."""
    return multi_value.encode(fields) if list in map(type, fields.values()) else headers.encode(fields)


def _renamed(event: dict[str, Event]) -> dict[str, Event]:
    return {"body": event.get("body"), "isBase64Encoded": event.get("is_base64_encoded")}
