"""The headers of `next` to a Context: what Lambda tells about one invocation beside its event.

Source: docs.aws.amazon.com/lambda, "Using the Lambda runtime API", and the context object of AWS's own Python client,
whose attributes these are.
"""

from __future__ import annotations

import json
import logging
import sys

from lambent.errors import InvalidResult, RuntimeAPIError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

_W3C = ("traceparent", "tracestate", "baggage")


class Identity:
    """The Cognito identity of the caller, for calls from mobile SDKs."""

    __slots__ = ("cognito_identity_id", "cognito_identity_pool_id")

    def __init__(self, fields: Mapping[str, Any]) -> None:
        self.cognito_identity_id: str | None = fields.get("cognitoIdentityId")
        self.cognito_identity_pool_id: str | None = fields.get("cognitoIdentityPoolId")


class Client:
    """The application that called, for calls from mobile SDKs."""

    __slots__ = ("app_package_name", "app_title", "app_version_code", "app_version_name", "installation_id")

    def __init__(self, fields: Mapping[str, Any]) -> None:
        for name in self.__slots__:
            setattr(self, name, fields.get(name))


class ClientContext:
    """What the caller sent as `X-Amz-Client-Context`."""

    __slots__ = ("client", "custom", "env", "w3c")

    def __init__(self, fields: Mapping[str, Any]) -> None:
        w3c = fields.get("w3c")
        given = w3c if isinstance(w3c, dict) else {}
        self.w3c = {name: given[name] for name in _W3C if isinstance(given.get(name), str)}
        self.client = Client(fields["client"]) if fields.get("client") else None
        self.custom: Any = fields.get("custom")
        self.env: Any = fields.get("env")


class LambdaContext:
    """What AWS passes to a Python handler as `context`."""

    __slots__ = (
        "_clock",
        "_deadline",
        "_w3c",
        "aws_request_id",
        "client_context",
        "function_name",
        "function_version",
        "identity",
        "invoked_function_arn",
        "log_group_name",
        "log_stream_name",
        "memory_limit_in_mb",
        "tenant_id",
        "trace_id",
    )

    def __init__(self, headers: Mapping[str, str], environ: Mapping[str, str], clock: Callable[[], float]) -> None:
        """Read the headers (names in lower case) and variables. `clock` gives seconds since the epoch.

        Raises RuntimeAPIError if a header of Lambda's own is not there, or cannot be read, and InvalidResult for what
        the caller sent and is no JSON object: that concerns this invocation only.
        """
        try:
            self.aws_request_id = headers["lambda-runtime-aws-request-id"]
            self._deadline = int(headers.get("lambda-runtime-deadline-ms") or 0)
        except (LookupError, ValueError) as error:
            raise RuntimeAPIError(f"Expected the headers of an invocation, but: {error!r}.") from error
        client_context = _parsed(ClientContext, "lambda-runtime-client-context", headers)
        self.client_context = client_context
        self.identity = _parsed(Identity, "lambda-runtime-cognito-identity", headers) or Identity({})
        self._clock = clock
        self._w3c: dict[str, str] = client_context.w3c if client_context is not None else {}
        self.invoked_function_arn = headers.get("lambda-runtime-invoked-function-arn") or ""
        self.tenant_id = headers.get("lambda-runtime-aws-tenant-id") or None
        self.trace_id = headers.get("lambda-runtime-trace-id") or ""
        self.function_name = environ.get("AWS_LAMBDA_FUNCTION_NAME", "")
        self.function_version = environ.get("AWS_LAMBDA_FUNCTION_VERSION", "")
        self.memory_limit_in_mb = environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "")
        self.log_group_name = environ.get("AWS_LAMBDA_LOG_GROUP_NAME", "")
        self.log_stream_name = environ.get("AWS_LAMBDA_LOG_STREAM_NAME", "")

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds to the deadline; 0 once it has passed."""
        return max(0, self._deadline - int(self._clock() * 1000))

    @property
    def deadline(self) -> float:
        """When the platform ends the invocation, in seconds since the epoch; 0 if it does not say."""
        return self._deadline / 1000

    def w3c(self) -> dict[str, str]:
        """`traceparent`, `tracestate` and `baggage` of the W3C Trace Context, as far as the invoker sent them."""
        return dict(self._w3c)

    def log(self, message: str) -> None:
        """Write to the log as it is, without a line end."""
        for handler in logging.getLogger().handlers:
            if hasattr(handler, "log_sink"):
                handler.log_sink.log(str(message))
                return
        sys.stdout.write(str(message))
        sys.stdout.flush()

    def __repr__(self) -> str:
        return f"LambdaContext(aws_request_id={self.aws_request_id!r}, function_name={self.function_name!r})"


def _parsed(kind: Callable[[Mapping[str, Any]], Any], name: str, headers: Mapping[str, str]) -> Any:
    """Read a header that holds a JSON object, in UTF-8. Some platforms send it empty where there is none."""
    text = headers.get(name)
    if not text:
        return None
    try:
        return kind(json.loads(text.encode("latin-1")))
    except (LookupError, ValueError, TypeError, AttributeError) as error:
        message = f"Expected `{name}` to be a JSON object, but: {error!r}."
        raise InvalidResult(message, "Runtime.LambdaContextUnmarshalError") from None
