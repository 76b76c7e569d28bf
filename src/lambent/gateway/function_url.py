"""Lambda Function URL: payload format 2.0 with rules of its own.

Source: docs.aws.amazon.com/lambda, "Invoking Lambda function URLs", and live captures.

- `rawPath` is percent-*encoded*, as the client sent it; there are no stages.
- Cookies come twice, in `cookies` and in the `cookie` field.
"""

from __future__ import annotations

from lambent.gateway.http_api import assemble, reply
from lambent.gateway.model import DEFAULTS, Request, Response, Settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lambent.types import Event, Result

__all__ = ["prelude", "reply", "request"]


def request(event: dict[str, Event], settings: Settings = DEFAULTS) -> Request:
    """Translate one event."""
    raw_path = event.get("rawPath") or "/"
    path = raw_path
    if "%" in raw_path:
        from urllib.parse import unquote

        path = unquote(raw_path)
    return assemble(event, path, raw_path.encode("utf-8", "replace"), "")


def prelude(response: Response, event: dict[str, Event], settings: Settings = DEFAULTS) -> Result:
    """Give what a URL that streams reads before the body. How long that is, it finds out for itself.

    `cookies` is there without any too: AWS's own Rust types, and so cargo-lambda, want it.
    """
    result = reply(Response(response.status, response.headers, b""), event, settings)
    result["headers"].pop("content-length", None)
    return {"statusCode": result["statusCode"], "headers": result["headers"], "cookies": result.get("cookies", [])}
