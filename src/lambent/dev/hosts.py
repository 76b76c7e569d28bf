"""Which names the server answers to.

A web page on any site can make the browser send requests to this machine, and by DNS rebinding read the answers. What
it cannot do is choose the Host and Origin that the browser writes: so only names that are the server's own are served.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit

from lambent.dev.doors.model import RawHeaders


@dataclass(frozen=True, slots=True)
class Hosts:
    """The server's own names: those of the loopback, the one it is bound to, and those that were allowed."""

    bound: str
    allowed: tuple[str, ...] = ()
    """`example.test`, or `.example.test` for it and every name below."""
    origins: tuple[str, ...] = ()
    """`https://shop.test`: whose pages may send requests, though it is no name of the server's."""

    def refusal(self, headers: RawHeaders) -> str | None:
        """What to tell a request that is not meant for this server; None if it is."""
        hosts = [value.decode("latin-1") for name, value in headers if name == b"host"]
        origins = [value.decode("latin-1") for name, value in headers if name == b"origin"]
        if len(hosts) != 1:
            return f"A request must have one Host header, but this one has {len(hosts)}."
        for header, value, host in (
            *(("Host", value, hostname(f"//{value}")) for value in hosts),
            *(("Origin", value, hostname(value)) for value in origins if value not in self.origins),
        ):
            if not self.owns(host):
                return advice(header, value, host)
        return None

    def owns(self, host: str) -> bool:
        return bool(host) and (is_loopback(host) or host == self.bound.lower() or any(self.permits(host)))

    def permits(self, host: str) -> Iterable[bool]:
        for name in map(str.lower, self.allowed):
            yield host == name.lstrip(".") or (name.startswith(".") and host.endswith(name))


def hostname(url: str) -> str:
    """The host of a URL, without brackets, port and final dot; empty if there is none."""
    try:
        return (urlsplit(url).hostname or "").rstrip(".")
    except ValueError:
        return ""


@lru_cache(maxsize=64)
def is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def advice(header: str, value: str, host: str) -> str:
    text = f"The local Lambda answers only to its own names, but the {header} of this request is {value!r}."
    if not host:
        return text
    return f"{text}\nIf that is yours (a tunnel, a container), start the server with: --allow-host {host}"
