"""CloudFront's Lambda@Edge, where it asks for a response: viewer-request and origin-request.

Source: docs.aws.amazon.com/AmazonCloudFront, "Lambda@Edge event structure", "Generate HTTP responses in request
triggers", "Restrictions on edge functions" and "Quotas on Lambda@Edge".

- The request is in `Records[0].cf.request`. `uri` is percent-*encoded*, `querystring` is as the client sent it.
- Fields are lists of `{key, value}` under names in lower case, both ways. `value` is all that counts.
- The body is there if the trigger includes it. CloudFront cuts it off at 40 KB (viewer) or 1 MB (origin) and says so; a
  part of a body is refused with 413.
- The status is a string. Fields that a function must not set make CloudFront answer 502, so they are dropped, as is
  `content-length`, which CloudFront finds out for itself.
- A reply has at most 40 KB (viewer) or 1 MB (origin).
"""

from __future__ import annotations

from lambent.errors import TruncatedBody
from lambent.gateway import body, forwarded, headers, multi_value
from lambent.gateway.model import DEFAULTS, Request, Response, Settings
from lambent.gateway.path import decode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lambent.types import Event, RawHeaders, Result

_DISALLOWED = frozenset(
    (
        "content-length expect proxy-connection via x-accel-buffering x-accel-charset x-accel-limit-rate "
        "x-accel-redirect x-amzn-auth x-amzn-cf-billing x-amzn-cf-id x-amzn-cf-xff x-amzn-errortype "
        "x-amzn-fle-profile x-amzn-header-count x-amzn-header-order x-amzn-lambda-integration-tag x-amzn-requestid "
        "x-cache x-forwarded-proto x-real-ip"
    ).split()
)
_DISALLOWED_PREFIXES = ("x-amz-cf-", "x-edge-")


def request(event: dict[str, Event], settings: Settings = DEFAULTS) -> Request:
    """Translate one event."""
    cloudfront = event["Records"][0]["cf"]
    asked = cloudfront["request"]
    raw_path = asked.get("uri") or "/"
    fields = _headers(asked.get("headers") or {})
    known = dict(fields)
    scheme = known.get(b"cloudfront-forwarded-proto", b"https").decode("latin-1")
    domain = (cloudfront.get("config") or {}).get("distributionDomainName") or ""
    return Request(
        asked["method"].upper(),
        decode(raw_path),
        raw_path.encode("utf-8", "replace"),
        (asked.get("querystring") or "").encode("utf-8", "replace"),
        "",
        scheme,
        "1.1",
        fields,
        forwarded.told(asked.get("clientIp")),
        headers.server(known.get(b"host", b"").decode("latin-1") or domain, "", scheme),
        _body(asked.get("body") or {}),
    )


def reply(response: Response, event: dict[str, Event], settings: Settings = DEFAULTS) -> Result:
    """Give the response that CloudFront sends instead of asking its cache or the origin."""
    fields, repeated = multi_value.decode(response.headers)
    content, is_base64 = body.encode(response.body, fields, settings.text_types)
    entries = {
        name: [{"key": name, "value": value}]
        for name, value in fields.items()
        if name not in _DISALLOWED and not name.startswith(_DISALLOWED_PREFIXES)
    }
    for name in entries.keys() & repeated.keys():
        entries[name] = [{"key": name, "value": value} for value in repeated[name]]
    return {
        "status": str(response.status),
        "headers": entries,
        "body": content,
        "bodyEncoding": "base64" if is_base64 else "text",
    }


def _headers(fields: dict[str, list[dict[str, str]]]) -> RawHeaders:
    try:
        single = {name: entries[0]["value"] for name, entries in fields.items() if len(entries) == 1}
        if len(single) == len(fields):
            return headers.encode(single)
    except LookupError:
        pass
    return multi_value.encode({name: [entry["value"] for entry in entries] for name, entries in fields.items()})


def _body(told: dict[str, Event]) -> bytes:
    """Read `{action, data, encoding, inputTruncated}`."""
    if told.get("inputTruncated"):
        raise TruncatedBody(
            "Expected a whole body, but CloudFront has cut it off: it passes on 40 KB at a viewer request and 1 MB at "
            "an origin request. Send less at a time."
        )
    return body.decode({"body": told.get("data"), "isBase64Encoded": told.get("encoding") == "base64"})
