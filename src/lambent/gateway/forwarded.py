"""Who the client is: told by the door, or by the proxies in front of it.

Source: docs.aws.amazon.com/elasticloadbalancing, "HTTP headers and Application Load Balancers".
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lambent.types import Event, RawHeaders


def told(address: Event) -> tuple[str, int] | None:
    """Return the address that an event tells, without a port; None if it is missing or null, or the console's dummy."""
    if not isinstance(address, str) or not address or address == "test-invoke-source-ip":
        return None
    return address, 0


def client(fields: RawHeaders, trusted_proxies: int) -> tuple[str, int] | None:
    """Return the address that the outermost of the trusted proxies saw, and its port (0: it did not tell).

    Each proxy appends the address that it was called from, so the last `trusted_proxies` addresses are true, and those
    before them are whatever the client sent. With 1, which is the door itself, it is the last address. Where there are
    fewer than trusted, the first is the client. None without any, or if no proxy is trusted.
    """
    value = b",".join([value for name, value in fields if name == b"x-forwarded-for"]).decode("latin-1")
    addresses = [address for part in value.split(",") if (address := part.strip())] if "," in value else [value.strip()]
    if trusted_proxies < 1 or not addresses or not addresses[-1]:
        return None
    return _split(addresses[-min(trusted_proxies, len(addresses))])


def _split(address: str) -> tuple[str, int]:
    """Read `v4`, `v6`, `v4:port` and `[v6]:port`; with a port if the load balancer is set to keep it."""
    host, port = address, ""
    if address.startswith("["):
        host, _, port = address[1:].partition("]")
        port = port.removeprefix(":")
    elif address.count(":") == 1:
        host, _, port = address.partition(":")
    return host, int(port) if port.isdecimal() and port.isascii() and len(port) < 6 else 0
