"""Where the connections of a WebSocket API are managed. Pure.

Source: docs.aws.amazon.com/apigateway, "Use @connections commands in your backend service". An event tells the stage,
but not the path that a custom domain maps to it: so the API is asked by the name that it has from AWS.
"""

from __future__ import annotations

from lambent.aws.partition import suffix
from lambent.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from lambent.types import Event

VARIABLE = "AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI"
"""botocore's own name for it."""


def endpoint(event: dict[str, Event] | None, configured: str | None, environ: Mapping[str, str]) -> str:
    """The URL that `/@connections/…` is put behind: what is configured, else VARIABLE, else what the event tells.

    Without a slash at its end. Raises ConfigurationError if nothing tells.
    """
    told = configured or environ.get(VARIABLE)
    if told:
        return _checked(told)
    context = (event or {}).get("requestContext") or {}
    domain, stage, api = (context.get(name) or "" for name in ("domainName", "stage", "apiId"))
    if not stage or not (api or _region_in(domain)):
        raise ConfigurationError(
            "Expected the endpoint of the WebSocket API to be configured, or an event of it with its domain and stage "
            f"to tell it, but there is neither. Set it, or {VARIABLE}: "
            "https://API_ID.execute-api.REGION.amazonaws.com/STAGE."
        )
    if _region_in(domain):
        return f"https://{domain}/{stage}"
    region = _region_set(environ)
    if not region:
        raise ConfigurationError(
            f"Expected AWS_REGION to tell the region of the WebSocket API {api}, as its domain {domain!r} does not, "
            f"but it is not set. Set it, or {VARIABLE}: https://{api}.execute-api.REGION.amazonaws.com/{stage}."
        )
    return f"https://{api}.execute-api.{region}.{suffix(region)}/{stage}"


def region_of(endpoint: str, environ: Mapping[str, str]) -> str:
    """The region that requests to it are signed for: in its name, else AWS_REGION or AWS_DEFAULT_REGION.

    Raises ConfigurationError if nothing tells.
    """
    host = endpoint.partition("://")[2].partition("/")[0].partition(":")[0]
    region = _region_in(host) or _region_set(environ)
    if not region:
        raise ConfigurationError(
            f"Expected AWS_REGION to tell the region of the WebSocket API at {host}, but it is not set. "
            "Set it, such as eu-west-1."
        )
    return region


def _checked(url: str) -> str:
    """Without what the address of one connection has behind it. Raises ConfigurationError for the sockets' own URL."""
    url = url.rstrip("/").removesuffix("/@connections")
    scheme = url.partition("://")[0].lower()
    if scheme in {"ws", "wss"}:
        raise ConfigurationError(
            f"Expected the endpoint of the WebSocket API to begin with https:// or http://, but got {scheme}://: that "
            "is what clients connect to. The two differ by that alone, unless it has a domain of its own."
        )
    return url


def _region_in(host: str) -> str:
    """The region of `API_ID.execute-api.REGION.amazonaws.com`; empty for other hosts."""
    _, service, region, *rest = [*host.lower().split("."), "", "", ""]
    is_own = service == "execute-api" and bool(region) and ".".join(rest).rstrip(".") == suffix(region)
    return region if is_own else ""


def _region_set(environ: Mapping[str, str]) -> str:
    return environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION") or ""
