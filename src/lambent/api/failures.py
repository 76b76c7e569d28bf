"""What a request is answered when its route has raised."""

from __future__ import annotations

from lambent.api.exceptions import HTTPException
from lambent.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from lambent.api.request import Request
    from lambent.api.responses import Response

    Handler = Callable[[Request, Any], Any]
    """Sync or async; what it returns is what a route may return."""


class RouteTimedOut(HTTPException, TimeoutError):
    """The route was not done in its time: 504.

    Its `__cause__` leads to the CancelledError, which tells where the route stood.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__(504, error_detail=f"The route was not done in its {seconds:.3f} seconds, and was cancelled.")


def timed_out(seconds: float, error: TimeoutError) -> RouteTimedOut:
    """With what ended it as its cause."""
    late = RouteTimedOut(seconds)
    late.__cause__ = error
    return late


class ErrorHandlers:
    """Functions that answer for exceptions, by their types, and for an HTTPException by its status code.

    Sync ones run inside the event loop: what blocks there must be an async one.
    """

    __slots__ = ("_by_status", "_by_type")

    def __init__(self) -> None:
        self._by_status: dict[int, Handler] = {}
        self._by_type: dict[type[BaseException], Handler] = {}

    def add(self, what: type[Exception] | int, handler: Handler) -> None:
        """Have `handler(request, error)` answer.

        - `what`: a type of exception, its subclasses included, or the status code of an HTTPException. `Exception`
          answers for all that nobody else does; 500 does not: it is for those that say 500 themselves

        Raises ConfigurationError.
        """
        if not callable(handler):
            raise ConfigurationError(f"Expected a function that takes (request, error), but got {handler!r}.")
        if isinstance(what, type) and issubclass(what, Exception):
            known = self._by_type.setdefault(what, handler)
        elif what in range(400, 600):
            known = self._by_status.setdefault(what, handler)
        else:
            raise ConfigurationError(
                f"Expected a subclass of Exception or a status code from 400 to 599, but got {what!r}. What is no "
                "Exception, such as CancelledError, ends a request, and is not to be answered."
            )
        if known is not handler:
            raise ConfigurationError(f"{what!r} has a handler already, {known!r}: remove one of the two.")

    def find(self, error: Exception) -> Handler | None:
        """Who answers for it: the handler of its status code, else that of the nearest of its classes; None: nobody."""
        if self._by_status and is_http(error):
            handler = self._by_status.get(status_of(error))
            if handler is not None:
                return handler
        if self._by_type:
            for each in type(error).__mro__:
                if each in self._by_type:
                    return self._by_type[each]
        return None

    async def answer(self, request: Request, error: Exception) -> object:
        """What a handler returns, or the response of an HTTPException. To be awaited where `error` is caught.

        Raises `error` if nobody answers for it, and what a handler raises, with `error` as its context.
        """
        handler = self.find(error)
        if handler is None:
            if is_http(error):
                return respond(error)
            raise error
        try:
            result: object = handler(request, error)
            if hasattr(result, "__await__"):
                result = await result
        except Exception as raised:
            if raised is not error and raised.__context__ is None:
                raised.__context__ = error
            raise
        return result


def respond(error: Exception) -> Response:
    """The response of an HTTPException: `{"detail": ...}` with its status and headers; 204 and 304 have no body."""
    status_code = status_of(error)
    headers = getattr(error, "headers", None) or None
    repeated = getattr(error, "repeated", None)
    if repeated:
        headers = [*repeated, *(headers or {}).items()]
    if status_code < 200 or status_code in {204, 205, 304}:
        from lambent.api.responses.base import Response

        return Response(None, status_code, headers)
    from lambent.api.responses.json import JSONResponse

    return JSONResponse({"detail": getattr(error, "detail", None)}, status_code, headers)


def is_http(error: BaseException) -> bool:
    """Whether it is an HTTPException: ours, or Starlette's and FastAPI's, which are known by name and attributes."""
    if isinstance(error, HTTPException):
        return True
    return status_of(error) in range(200, 600) and any(each.__name__ == "HTTPException" for each in type(error).__mro__)


def status_of(error: BaseException) -> int:
    """The status code that it says; 0 if none."""
    status_code = getattr(error, "status_code", None)
    return int(status_code) if isinstance(status_code, int) else 0
