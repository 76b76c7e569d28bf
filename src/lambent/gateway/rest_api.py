"""API Gateway REST API, and any event that has its form: a hand-written one with method and path is served.

Source: docs.aws.amazon.com/apigateway, "Set up Lambda proxy integrations in API Gateway", and live captures.

- `path` and `requestContext.path` are percent-*encoded*. The latter has the stage in front, and keeps repeated
  slashes after it where `path` has one. Behind a custom domain it has no stage, and both have the base path mapping.
- The query comes decoded, so it is built again: in the order of names, `a b` as `a%20b`, `flag` as `flag=`.
- Names come in the client's letters. Fields and parameters come twice, with the last value and with all values.
- The console's "Test" has no stage in its path, null for headers, and `test-invoke-source-ip` for an address.
- Of a result's keys only those below are allowed. Base64 is decoded if the API's `binaryMediaTypes` say so.
"""

from __future__ import annotations

from lambent.gateway import body, forwarded, headers, multi_value
from lambent.gateway.model import DEFAULTS, HTTP_VERSIONS, Request, Response, Settings
from lambent.gateway.path import decode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lambent.types import Event, Result


def request(event: dict[str, Event], settings: Settings = DEFAULTS) -> Request:
    """Translate one event."""
    path = event.get("path") or "/"
    whole = (event.get("requestContext") or {}).get("path") or path
    root_path = _prefix(whole, path)
    if not root_path:
        whole = path
    elif whole == root_path:  # the stage alone: `path` is "/"
        whole += path
    return assemble(event, whole, root_path)


def reply(response: Response, event: dict[str, Event], settings: Settings = DEFAULTS) -> Result:
    """Give the answer in payload format 1.0: each field in `headers`, or in `multiValueHeaders` if it is repeated."""
    fields, repeated = multi_value.decode(response.headers)
    content, is_base64 = body.encode(response.body, fields, settings.text_types)
    result: dict[str, Event] = {
        "statusCode": response.status,
        "headers": fields,
        "body": content,
        "isBase64Encoded": is_base64,
    }
    if repeated:
        result["headers"] = {name: value for name, value in fields.items() if name not in repeated}
        result["multiValueHeaders"] = repeated
    return result


def prelude(response: Response, event: dict[str, Event], settings: Settings = DEFAULTS) -> Result:
    """Give what an integration in response transfer mode STREAM reads before the body."""
    result = reply(Response(response.status, response.headers, b""), event, settings)
    result["headers"].pop("content-length", None)
    return {name: result[name] for name in ("statusCode", "headers", "multiValueHeaders") if name in result}


def assemble(event: dict[str, Event], raw_path: str, root_path: str) -> Request:
    """Build the request of a payload 1.0 event from what is the same for both doors that use it, and its path."""
    context = event.get("requestContext") or {}
    fields = multi_value.request_headers(event)
    known = dict(fields)
    scheme = known.get(b"x-forwarded-proto", b"https").decode("latin-1")
    host = known.get(b"host", b"").decode("latin-1") or context.get("domainName") or ""
    return Request(
        event["httpMethod"].upper(),
        decode(raw_path),
        raw_path.encode("utf-8", "replace"),
        multi_value.quoted_query(event),
        root_path,
        scheme,
        HTTP_VERSIONS.get(context.get("protocol") or "", "1.1"),
        fields,
        forwarded.told((context.get("identity") or {}).get("sourceIp")),
        headers.server(host, known.get(b"x-forwarded-port", b"").decode("latin-1"), scheme),
        body.decode(event),
    )


def _prefix(whole: str, path: str) -> str:
    """Return what stands before `path` in `whole`: a stage, without the slash at its end. Empty if it is not so."""
    if whole.endswith(path):
        return whole[: -len(path)].rstrip("/")
    return whole if path == "/" else ""
