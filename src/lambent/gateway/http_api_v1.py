"""API Gateway HTTP API, payload format 1.0: a REST API's event with other paths.

Source: docs.aws.amazon.com/apigateway, "Working with AWS Lambda proxy integrations for HTTP APIs", and snapshots.

- `path` is percent-*encoded* and `requestContext.path` decoded. Both begin with the stage unless that is `$default`;
  should only the latter do so, as in a REST API, it is the root path too.
- Names come capitalised, `X-Custom-Header`.
- A result must have `statusCode`. `headers` and `multiValueHeaders` are both sent, so no field may stand in both.
"""

from __future__ import annotations

from lambent.gateway.model import DEFAULTS, Request, Settings
from lambent.gateway.path import decode
from lambent.gateway.rest_api import assemble, reply

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lambent.types import Event

__all__ = ["reply", "request"]


def request(event: dict[str, Event], settings: Settings = DEFAULTS) -> Request:
    """Translate one event."""
    path = event.get("path") or "/"
    context = event.get("requestContext") or {}
    stage = context.get("stage") or "$default"
    root_path = f"/{stage}"
    if stage == "$default":
        root_path = ""
    elif not f"{path}/".startswith(f"{root_path}/"):
        if context.get("path") == root_path + decode(path):
            path = root_path + path
        else:
            root_path = ""
    return assemble(event, path, root_path)
