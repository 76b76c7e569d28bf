"""Lambda Function URL: payload format 2.0 with rules of its own.

Source: docs.aws.amazon.com/lambda, "Invoking Lambda function URLs", and live captures.

- `rawPath` is percent-*encoded*, as the client sent it; there are no stages.
- Cookies come twice, in `cookies` and in the `cookie` field.
"""

from __future__ import annotations

from lambent.gateway.http_api import assemble, reply
from lambent.gateway.model import DEFAULTS, Request, Settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lambent.types import Event

__all__ = ["reply", "request"]


def request(event: dict[str, Event], settings: Settings = DEFAULTS) -> Request:
    """Translate one event."""
    raw_path = event.get("rawPath") or "/"
    path = raw_path
    if "%" in raw_path:
        from urllib.parse import unquote

        path = unquote(raw_path)
    return assemble(event, path, raw_path.encode("utf-8", "replace"), "")
