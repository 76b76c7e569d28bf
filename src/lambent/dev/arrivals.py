"""Requests noted down as they come: the one place where doors get the time and their ids from."""

from __future__ import annotations

import os
import time

from lambent.dev import identifiers
from lambent.dev.doors.model import Arrival, RawHeaders


def arrive(headers: RawHeaders) -> Arrival:
    """Note down a request with these headers, names in lower case."""
    received = b";".join(value for name, value in headers if name == b"x-amzn-trace-id").decode("latin-1")
    now = time.time()
    return Arrival(
        request_id=identifiers.request_id(os.urandom),
        gateway_id=identifiers.gateway_id(os.urandom),
        trace=identifiers.trace(received, now, os.urandom),
        now=now,
    )
