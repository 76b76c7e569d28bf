"""A request to invoke a function, read off the headers and the body that carry it.

Source: botocore's service model of Lambda; the answers of AWS, as quoted by those who met them.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from typing import NamedTuple, NoReturn

from lambent.dev import lineage
from lambent.dev.doors.model import Arrival
from lambent.dev.invoke_api import api_errors
from lambent.dev.invoke_api.function_names import Named
from lambent.dev.model import ASYNCHRONOUS_LIMIT, InvokeRequest

REQUEST_RESPONSE = "RequestResponse"
EVENT = "Event"
DRY_RUN = "DryRun"
TAIL = "Tail"

CLIENT_CONTEXT_LIMIT = 3583
"""Bytes in base64."""

TENANT_ID = re.compile(r"[a-zA-Z0-9._:/=+@ -]{1,256}")


class Order(NamedTuple):
    """What is to be done, and how its answer shall look."""

    request: InvokeRequest
    kind: str
    """`RequestResponse`, `Event` or `DryRun`."""
    tail: bool
    """Whether the answer brings the end of the log."""


def read(named: Named, headers: Mapping[str, str], body: bytes, arrival: Arrival, kinds: tuple[str, ...]) -> Order:
    """`headers` by their names in lower case. Raises APIError."""
    kind = one_of(headers.get("x-amz-invocation-type") or REQUEST_RESPONSE, "invocationType", kinds)
    log_type = one_of(headers.get("x-amz-log-type") or "None", "logType", ("None", TAIL))
    if kind == EVENT and len(body) > ASYNCHRONOUS_LIMIT:
        raise api_errors.too_large_event(len(body))
    request = InvokeRequest(
        request_id=arrival.request_id,
        payload=event(body),
        trace=lineage.extend(arrival.trace, headers.get("x-amzn-trace-id", ""), named.function.arn),
        client_context="" if kind == EVENT else client_context(headers.get("x-amz-client-context", "")),
        tenant_id=tenant_id(headers.get("x-amz-tenant-id", "")),
        arn=named.arn,
    )
    if lineage.exhausted(request.trace, named.function.arn):
        raise api_errors.recursive(named.function.name)
    return Order(request, kind, log_type == TAIL)


def one_of(value: str, member: str, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise api_errors.not_one_of(value, member, allowed)
    return value


def event(body: bytes) -> bytes:
    """The body as it came, if it is JSON; `{}` for none, as on AWS."""
    try:
        json.loads(body.decode() or "{}", parse_constant=refuse_constant)
    except (ValueError, RecursionError) as error:
        why = f"Could not parse request body into json: Could not parse payload into json: {error}"
        raise api_errors.unreadable(why) from None
    return body or b"{}"


def refuse_constant(name: str) -> NoReturn:
    """NaN and the infinities are Python's, not JSON's."""
    raise ValueError(f"{name} is no JSON")


def client_context(encoded: str) -> str:
    """The JSON within, on one line and in ASCII, for it travels in a header."""
    if not encoded:
        return ""
    if len(encoded) > CLIENT_CONTEXT_LIMIT:
        size = f"at most {CLIENT_CONTEXT_LIMIT} bytes in base64, but it has {len(encoded)}"
        raise api_errors.unreadable(f"Client context must have {size}.")
    try:
        context = json.loads(base64.b64decode(encoded, validate=True), parse_constant=refuse_constant)
    except (binascii.Error, ValueError, RecursionError):
        context = None
    if not isinstance(context, dict):
        raise api_errors.unreadable("Client context must be a valid Base64-encoded JSON object.")
    return json.dumps(context, separators=(",", ":"))


def tenant_id(text: str) -> str:
    if text and not TENANT_ID.fullmatch(text):
        raise api_errors.invalid(text, "tenantId", f"satisfy regular expression pattern: {TENANT_ID.pattern}")
    return text
