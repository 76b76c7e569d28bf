"""The doors of the local Lambda: an HTTP request becomes the event that AWS would have made of it, the result a reply.

Pure. The inverse of `lambent.gateway`, and a stranger to it: the two meet only in JSON.
"""

from __future__ import annotations

from collections.abc import Callable

from lambent.dev.doors.function_url import FunctionURL
from lambent.dev.doors.http_api import HTTPAPI
from lambent.dev.doors.model import Door, Site

DOORS: dict[str, Callable[[Site], Door]] = {
    "url": FunctionURL,
    "http": HTTPAPI,
}
"""The name that `--door` takes → the door, built for the function that stands behind it."""
