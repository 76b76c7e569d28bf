"""The ids of one request, in the forms of AWS: Lambda's and API Gateway's request ids, and the X-Ray trace header.

Source of the trace header: docs.aws.amazon.com/xray, "Tracing header". Pure but for the randomness, which is handed in.
"""

from __future__ import annotations

import base64
import re
import uuid
from collections.abc import Callable

Entropy = Callable[[int], bytes]
"""How many bytes → that many random ones, such as `os.urandom`."""

ROOT = re.compile(r"(?:^|;)\s*Root=(1-[0-9a-f]{8}-[0-9a-f]{24})\s*(?:;|$)", re.IGNORECASE)


def request_id(entropy: Entropy) -> str:
    """Lambda's: a random UUID."""
    return str(uuid.UUID(bytes=entropy(16), version=4))


def gateway_id(entropy: Entropy) -> str:
    """API Gateway's: 11 bytes in base64, such as `ATfSmjLgPHcESJw=`."""
    return base64.b64encode(entropy(11)).decode("ascii")


def trace(received: str, now: float, entropy: Entropy) -> str:
    """`Root=…;Parent=…;Sampled=0`: the root from the client's header if it brought one, the parent always new."""
    known = root(received) or f"1-{int(now):08x}-{entropy(12).hex()}"
    return f"Root={known};Parent={entropy(8).hex()};Sampled=0"


def root(trace: str) -> str:
    """What all that one request led to has in common; empty if the header names none."""
    known = ROOT.search(trace)
    return known[1] if known else ""
