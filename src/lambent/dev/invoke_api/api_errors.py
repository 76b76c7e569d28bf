"""What the Lambda API answers when it refuses a request: status, error type and message as AWS has them.

Source: the answers of AWS, as the clients that met them have quoted them; botocore's service model.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from lambent.dev.doors.model import HTTPReply, RawHeaders
from lambent.dev.model import ASYNCHRONOUS_LIMIT, SYNCHRONOUS_LIMIT

JSON = (b"content-type", b"application/json")


class APIError(Exception):
    """The request is refused. Its type is what clients make their exception of."""

    def __init__(self, status: int, error_type: str, **body: object) -> None:
        super().__init__(error_type, body)
        self.status = status
        self.error_type = error_type
        self.body = json.dumps(body).encode()

    def reply(self, headers: RawHeaders) -> HTTPReply:
        """The answer, with these headers too."""
        return HTTPReply(self.status, [JSON, (b"x-amzn-ErrorType", self.error_type.encode()), *headers], self.body)


def not_found(arn: str, hint: str) -> APIError:
    """AWS's words end with the ARN; the hint is ours."""
    return APIError(404, "ResourceNotFoundException", Type="User", Message=f"Function not found: {arn}. {hint}")


def unreadable(why: str) -> APIError:
    return APIError(400, "InvalidRequestContentException", Type="User", message=why)


def invalid_parameter(why: str) -> APIError:
    return APIError(400, "InvalidParameterValueException", Type="User", message=why)


def not_one_of(value: str, member: str, allowed: Iterable[str]) -> APIError:
    return invalid(value, member, f"satisfy enum value set: [{', '.join(allowed)}]")


def invalid(value: str, member: str, constraint: str) -> APIError:
    why = f"1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: Member must "
    return APIError(400, "ValidationException", message=why + constraint)


def too_large() -> APIError:
    why = f"Request must be smaller than {SYNCHRONOUS_LIMIT} bytes for the InvokeFunction operation"
    return APIError(413, "RequestEntityTooLargeException", Type="User", message=why)


def too_large_event(size: int) -> APIError:
    why = f"{size} byte payload is too large for the Event invocation type (limit {ASYNCHRONOUS_LIMIT} bytes)"
    return APIError(413, "RequestEntityTooLargeException", Type="User", message=why)


def throttled(reason: str, why: str = "") -> APIError:
    """AWS's words are the first two; why it was is ours."""
    message = f"Rate Exceeded. {why}".rstrip()
    return APIError(429, "TooManyRequestsException", Reason=reason, Type="User", message=message)


def recursive(name: str) -> APIError:
    why = f"Lambda detected the function {name} in a recursive loop, and stopped it: it invoked itself 16 times over"
    return APIError(400, "RecursiveInvocationException", Type="User", Message=f"{why}, directly or through others.")


def failed(why: str) -> APIError:
    return APIError(500, "ServiceException", Type="Service", Message=why)


def unknown_operation(method: str, path: str, known: Iterable[str]) -> APIError:
    """AWS has more of them. Functions are made by configuration here."""
    why = f"{method} {path} is no operation of the local Lambda, which has: {', '.join(known)}. "
    advice = "Functions are created and changed in its configuration."
    return APIError(404, "UnknownOperationException", Type="User", message=why + advice)
