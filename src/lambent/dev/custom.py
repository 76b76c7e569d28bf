"""The functions of a project that the local Lambda itself calls: they make events, and what goes with these."""

from __future__ import annotations

import inspect
import json
import traceback
from collections.abc import Mapping
from typing import Any

from lambent.dev.doors.model import HTTPRequest
from lambent.dev.model import Function, InvokeRequest
from lambent.dev.report import Failure

FIELDS = ("client_context", "identity", "tenant_id", "arn", "trace")
"""Of an InvokeRequest, those that a context may set."""


class Rejected(Exception):
    """One of them does not want this request."""


class CustomFailed(Exception):
    """One of them failed."""

    def __init__(self, error: Exception) -> None:
        theirs = [each for each in traceback.extract_tb(error.__traceback__) if each.filename != __file__]
        stack = "".join(traceback.format_list(theirs))
        self.failure = Failure(type(error).__name__, str(error), stack.rstrip())
        super().__init__(f"The event could not be made.\n{stack}{type(error).__name__}: {error}")


async def event(request: HTTPRequest, function: Function) -> bytes:
    """What the function's own `make_event`, which it must have, makes of a request. Raises Rejected, CustomFailed."""
    assert function.make_event is not None  # noqa: S101 - the caller has looked
    try:
        made = await awaited(function.make_event(request, function))
    except ValueError as error:
        raise Rejected(str(error)) from error
    except Exception as error:
        raise CustomFailed(error) from error
    try:
        return json.dumps(made, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise CustomFailed(error) from error


async def with_context(invoke: InvokeRequest, request: HTTPRequest | None, function: Function) -> InvokeRequest:
    """With what the function's `make_context`, if it has one, says of it. Raises Rejected and CustomFailed."""
    if function.make_context is None:
        return invoke
    try:
        fields = await awaited(function.make_context(request, function))
        return invoke._replace(**checked(fields))
    except ValueError as error:
        raise Rejected(str(error)) from error
    except Exception as error:
        raise CustomFailed(error) from error


async def awaited(value: object) -> object:
    """The value, or what it stands for if it is awaitable."""
    return await value if inspect.isawaitable(value) else value


def checked(fields: object) -> Mapping[str, Any]:
    """The fields that are set; None sets none. TypeError for what is not a mapping of such fields to strings."""
    if not isinstance(fields, Mapping) or not set(fields) <= set(FIELDS):
        found = sorted(fields) if isinstance(fields, Mapping) else type(fields).__name__
        raise TypeError(f"A context is a mapping with some of {', '.join(FIELDS)}, but this one has {found}.")
    said = {name: value for name, value in fields.items() if value is not None}
    if others := sorted(name for name, value in said.items() if not isinstance(value, str)):
        raise TypeError(f"The values of a context are strings, but these are not: {', '.join(others)}.")
    return said
