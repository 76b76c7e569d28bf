"""How often a function was invoked within one chain of invocations: what AWS stops recursive loops by.

Lambda counts in the trace header, and AWS's SDKs send that on from within a function:
`Root=…;Parent=…;Sampled=0;Lineage=1:36680206:0`, where 36680206 stands for the function and 0 for no earlier invocation
of it. Source: Lambda Developer Guide, "Recursive loop detection"; headers of AWS, observed. A chain that passes several
functions is written with `|` between them.
"""

from __future__ import annotations

import hashlib
import re
from urllib.parse import unquote

LIMIT = 16
"""Invocations of one function that a chain may have."""

FIELD = re.compile(r"(?:^|;)\s*Lineage=([^;]*)")
ENTRY = re.compile(r"(?:\d+:)?([0-9a-f]{8}):(\d{1,5})")


def extend(trace: str, received: str, arn: str) -> str:
    """`trace`, a new invocation's, with the lineage of the one that it came from and this function counted in it.

    `received` is the trace header that the invoker sent, percent-encoded or not.
    """
    counts = read(received)
    counts[key(arn)] = counts.get(key(arn), -1) + 1
    return f"{trace};Lineage=" + "|".join(f"1:{function}:{count}" for function, count in counts.items())


def exhausted(trace: str, arn: str) -> bool:
    """Whether an invocation with this trace is one too many in its chain."""
    return read(trace).get(key(arn), 0) >= LIMIT


def read(trace: str) -> dict[str, int]:
    field = FIELD.search(unquote(trace))
    return {function: int(count) for function, count in ENTRY.findall(field[1] if field else "")}


def key(arn: str) -> str:
    return hashlib.sha256(arn.encode()).hexdigest()[:8]
