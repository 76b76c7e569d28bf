"""Every exception that Lambent raises, as one tree.

    LambentError
    ├── HTTPException          a request is answered with this status (lambent.api)
    ├── ClientDisconnect       the client went away before all of its request had come (lambent.api)
    ├── EventError             the event cannot be served
    │   ├── UnknownEvent         no gateway builds events of this shape
    │   ├── MalformedEvent       a gateway or source does, but a field of it cannot be read
    │   │   └── TruncatedBody      the gateway passes on a part of the body only
    │   ├── DecodingError        what a record carries cannot become what its function wants
    │   ├── NoFunction           no function is registered for the event, or for a record of it
    │   ├── AlreadyInProgress    what a record asks for is being done elsewhere at this moment
    │   └── IdempotencyMismatch  it has the key of another that has been done, but not its payload
    ├── AppError               the application broke its protocol
    │   ├── UnexpectedMessage    a message that is not allowed in this state of the conversation
    │   ├── InvalidMessage       a message with a field of the wrong type, or one that must not be sent
    │   ├── IncompleteResponse   the application returned before its response was complete
    │   ├── FailureStatus        it answered with a status that is to fail the invocation
    │   ├── InvalidResult        what a function returned cannot be a reply; `error_type` as Lambda names it
    │   ├── InvocationFailed     a function that was invoked failed; `error_type` as it says
    │   ├── TimedOut             the handler was not done when its time was up; `error_type` as Lambda names it
    │   ├── BatchFailed          records of an event failed, whose source does not want to know which
    │   ├── RecordFailed         a function of batches has told that one of its records failed
    │   ├── Unfinished           a record was not done when the time was up, or one before it in its group failed
    │   ├── LifespanFailed       startup or shutdown failed, and the application said why
    │   └── LifespanEnded        the lifespan ended while the environment still needs it
    ├── PlatformError          the Lambda platform, or what plays its part, failed
    │   ├── RuntimeAPIError      the Runtime API answered with a status that must not be ignored
    │   ├── RuntimeAPIGone       the Runtime API does not answer any more
    │   ├── IllegalTransition    an environment was led where its life does not go
    │   ├── ServiceError         an AWS service answered with an error, or not at all; `status` and `code` say which
    │   │   └── ConnectionGone     the WebSocket connection is not there any more; also a ConnectionError
    │   └── StoreError           a store did not do its part
    │       └── StoreConflict      what was to be replaced has been changed meanwhile
    └── ConfigurationError     what a person wrote or called cannot work; the message says what to change
        ├── TargetError          the handler that was named cannot be loaded; `error_type` as Lambda names it
        ├── UnknownFunction      a function was named that the local Lambda does not have
        ├── WrongEventLoop       called from a place where the environment's event loop cannot be used
        ├── NoInvocation         the current invocation was asked for where there is none
        └── AlreadyReplied       an invocation was replied to twice

A message names what was expected, what came, and what to do next.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


class LambentError(Exception):
    """The root: catches whatever Lambent itself raises."""


class EventError(LambentError):
    """The event cannot be served."""


class UnknownEvent(EventError):
    """No gateway builds events of this shape."""


class MalformedEvent(EventError):
    """The event has the shape of a gateway's, but a field of it cannot be read: the client is answered `status`."""

    status = 400


class TruncatedBody(MalformedEvent):
    """The gateway has cut the body off: it was longer than the gateway passes on."""

    status = 413


class DecodingError(EventError):
    """What a record carries cannot become what its function wants.

    The message names the place in it, such as `$.items[3].price`, what was expected and the type that came. Never the
    value: it may be secret.
    """


class NoFunction(EventError):
    """No function is registered for the event, or for a record of it."""


class AlreadyInProgress(EventError):
    """What a record asks for is being done elsewhere at this moment: it was not begun here. It may come again."""


class IdempotencyMismatch(EventError):
    """A record has the key of another that has been done, but not its payload: it was not begun."""


class AppError(LambentError):
    """The application broke its protocol."""


class UnexpectedMessage(AppError):
    """A message that is not allowed in this state of the conversation."""


class InvalidMessage(AppError):
    """A message with a field of the wrong type, or with a value that must not be sent."""


class IncompleteResponse(AppError):
    """The application returned before its response was complete."""


class FailureStatus(AppError):
    """The application answered with a status of `failure_statuses`, or of failure to a request that was in a message.

    Lambda counts, retries and alarms.
    """


class InvalidResult(AppError):
    """What a function returned, or was given, cannot pass as JSON of the size that Lambda takes.

    `error_type` is the name that Lambda's own runtimes report, such as `Runtime.MarshalError`.
    """

    def __init__(self, message: str, error_type: str) -> None:
        super().__init__(message)
        self.error_type = error_type


class InvocationFailed(AppError):
    """A function that was invoked failed: `error_type` is what it, or the platform in its place, calls that."""

    def __init__(self, message: str, error_type: str) -> None:
        super().__init__(message)
        self.error_type = error_type


class TimedOut(AppError):
    """The handler was not done when its time was up."""

    error_type = "Function.TimedOut"


class BatchFailed(AppError):
    """Records of an event failed, whose source does not want to know which: all of it may come again.

    - `errors`: what they failed with, the first of which is the cause
    """

    def __init__(self, count: int, errors: Sequence[BaseException]) -> None:
        try:
            words = str(errors[0])
        except Exception:
            words = "its __str__ failed"
        first = f"{type(errors[0]).__name__}: {words}"
        super().__init__(f"{len(errors)} of {count} records failed; the first with {first:.500}")
        self.errors = list(errors)
        self.__cause__ = errors[0]


class RecordFailed(AppError):
    """A function of batches has told that one of its records failed."""


class Unfinished(AppError):
    """A record was not done when the time was up, or one before it in its group has failed."""


class LifespanFailed(AppError):
    """The application answered `lifespan.startup.failed` or `lifespan.shutdown.failed`; the text is its own."""


class LifespanEnded(AppError):
    """The lifespan ended while the environment still needs it: what startup made is gone."""


class PlatformError(LambentError):
    """The Lambda platform, or what plays its part, failed."""


class RuntimeAPIError(PlatformError):
    """The Runtime API answered with a status, or in a form, that must not be ignored."""


class RuntimeAPIGone(PlatformError):
    """The Runtime API does not answer any more."""


class IllegalTransition(PlatformError):
    """An execution environment was led where its life does not go."""


class ServiceError(PlatformError):
    """An AWS service answered with an error, or not at all.

    - `status`: of its answer; 0 if there was none
    - `code`: as it names the error, such as `ConditionalCheckFailedException`; empty if it named none
    """

    def __init__(self, message: str, status: int = 0, code: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class ConnectionGone(ServiceError, ConnectionError):
    """The WebSocket connection is not there any more. As an OSError it is what ASGI applications expect of `send`."""


class StoreError(PlatformError):
    """A store did not do its part: the message names the service, and what to do."""


class StoreConflict(StoreError):
    """What was to be replaced has been changed meanwhile, or is there already."""


class ConfigurationError(LambentError):
    """What a person wrote or called cannot work; the message says what to change."""


class TargetError(ConfigurationError):
    """The handler that was named cannot be loaded.

    `error_type` is the name that Lambda's own runtimes report, such as `Runtime.ImportModuleError`.
    """

    def __init__(self, message: str, error_type: str) -> None:
        super().__init__(message)
        self.error_type = error_type


class UnknownFunction(ConfigurationError):
    """A function was named that the local Lambda does not have."""


class WrongEventLoop(ConfigurationError):
    """Called from a place where the environment's event loop cannot be used."""


class NoInvocation(ConfigurationError):
    """The current invocation was asked for where there is none."""


class AlreadyReplied(ConfigurationError):
    """An invocation was replied to twice."""
