"""What a function returned → a response."""

from __future__ import annotations

from lambent.api.responses.base import JSON, Response, copied
from lambent.api.responses.json import JSONResponse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from lambent.api.model import Exchange, Route
    from lambent.api.responses.shapes import Shape

BINARY = "application/octet-stream"

_VALUES = frozenset({dict, list, tuple, str, int, float, bool})


class Encoded(JSONResponse):
    """JSON that is written already."""

    __slots__ = ()

    def render(self, content: bytes) -> bytes:
        return content


class Maker:
    """Makes the responses of one route.

    | result | response |
    |---|---|
    | a Response, or another ASGI application | that |
    | None | 204, or the route's status, without a body |
    | an async or sync generator or iterator | a stream of the annotation's items: `lambent.api.responses.undecided` |
    | anything, where the route has a `response_class` | of that class |
    | anything, where the annotation has a model | JSON of just what that says. Raises InvalidResult |
    | str, bytes | a text, bytes |
    | anything else | JSON |

    Fields and cookies of the injected response are added, and its status is taken if it was set: on a response that the
    function made itself, that one's own status and fields hold, and it is a copy that they are added to.
    """

    __slots__ = ("_class", "_is_plain", "_item", "_kind", "_shape", "_status")

    def __init__(
        self,
        status_code: int | None = None,
        response_class: Callable[..., Response] | None = None,
        shape: Shape | None = None,
        item: Shape | None = None,
        kind: Any = None,
    ) -> None:
        self._status = None if status_code is None else int(status_code)
        self._class = response_class
        self._shape = shape
        self._item = item
        """Of what an iterator gives."""
        self._kind = kind
        """A model that is known to be a value: to ask that of a class of pydantic takes longer than to write one."""
        self._is_plain = shape is None and response_class in (None, JSONResponse)

    def __call__(self, result: Any, exchange: Exchange) -> Response:
        kind = type(result)
        response: Response | None = None
        if kind is dict and self._is_plain:
            response = JSONResponse(result, self._status or 200)
        elif kind not in _VALUES and kind is not self._kind:
            response = self._special(result)
        if response is None:
            response = self._valued(result)
        return response if exchange.draft is None else self._drafted(exchange.draft, response, result)

    def _drafted(self, draft: Response, response: Response, result: object) -> Response:
        if response is draft:
            response.status_code = draft.status_code or self._status or 200
        elif response is result:
            response = copied(response)  # which the function may return to others too
            add(draft, response, is_own=True)
        elif hasattr(response, "draft"):
            response.draft = draft  # a generator may still write to it, until its first item
        else:
            add(draft, response)
        return response

    def _special(self, result: Any) -> Response | None:
        """Of what is no value: nothing, a response, a stream, an application."""
        if isinstance(result, Response):
            return result
        if result is None:
            return Response(None, self._status or 204)
        kind = type(result)
        if hasattr(kind, "__anext__") or hasattr(kind, "__next__") or hasattr(kind, "__aiter__"):
            return self._streamed(result)
        if is_app(result):
            from lambent.api.responses.apps import AppResponse

            return AppResponse(result)
        return None

    def _valued(self, result: Any) -> Response:
        if self._class is not None:
            return self._of_class(result)
        if self._shape is not None:
            return Encoded(self._shape.json(result), self._status or 200)
        if isinstance(result, str):
            return Response(result, self._status or 200, media_type="text/plain")
        if isinstance(result, bytes | bytearray | memoryview):
            return Response(result, self._status or 200, media_type=BINARY)
        return JSONResponse(result, self._status or 200)

    def _of_class(self, result: Any) -> Response:
        if self._shape is not None:
            if self._class is JSONResponse:
                return Encoded(self._shape.json(result), self._status or 200)
            result = self._shape.plain(result)
        return self._called(result)

    def _called(self, content: Any) -> Response:
        """The class with this content, and with its own status unless the route says one."""
        make = self._class or Response
        return make(content) if self._status is None else make(content, status_code=self._status)

    def _streamed(self, result: Any) -> Response:
        from lambent.api.responses.streams import Items, StreamingResponse
        from lambent.api.responses.undecided import Undecided

        given, said = unwrapped(self._class)
        item = None if self._item is None else _sent_as(self._item)
        if isinstance(given, type) and issubclass(given, StreamingResponse):
            is_text = given.encode is StreamingResponse.encode  # which no model is
            return self._called(Items(result, None if is_text else item))
        status = self._status or said.get("status_code", 200)
        headers, background = said.get("headers"), said.get("background")
        media_type = said.get("media_type") or getattr(given, "media_type", None)
        if media_type is None or media_type == JSON:
            return Undecided(Items(result, item), status, headers, background=background)
        return StreamingResponse(Items(result), status, headers, media_type, background)


def _sent_as(shape: Shape) -> Callable[[Any], Any]:
    """What is made of each item of a stream; an event says itself what is sent."""
    from lambent.api.responses.sse import ServerSentEvent

    return lambda item: item if isinstance(item, ServerSentEvent) else shape.plain(item)


def add(draft: Response, response: Response, *, is_own: bool = False) -> None:
    """What was said of the response by the injected one; `is_own`: the function has made it, and what it says holds."""
    status = draft.status_code
    if status and not is_own:
        response.status_code = status
    if draft.background is not None and response.background is None:
        response.background = draft.background
    fields = draft.headers.raw()
    if not fields:
        return
    headers = response.headers
    kept = {name for name, _ in headers.raw()} if is_own else set()
    for field in {name.decode() for name, _ in fields if name not in kept and name != b"set-cookie"}:
        headers.pop(field, None)
    for name, value in fields:
        if name == b"set-cookie" or name not in kept:
            headers.append_raw(name, value)


def unwrapped(made: Any) -> tuple[Any, dict[str, Any]]:
    """What a `functools.partial` is of, and with which options; what is none has none."""
    said: dict[str, Any] = {}
    while hasattr(made, "func") and hasattr(made, "keywords"):
        made, said = made.func, {**made.keywords, **said}
    return made, said


def is_app(result: Any) -> bool:
    """Whether this is called with a scope, `receive` and `send`, such as Starlette's responses; models are not."""
    kind = type(result)
    if not callable(result) or isinstance(result, type) or hasattr(kind, "__struct_fields__"):
        return False
    if hasattr(kind, "__dataclass_fields__") or hasattr(kind, "__pydantic_serializer__"):
        return False
    from inspect import signature

    try:
        signature(result).bind({}, None, None)
    except (TypeError, ValueError):
        return False
    return True


def maker(route: Route) -> Maker:
    """Read once from a route: its status, its class, and what its annotation says. Raises ConfigurationError."""
    from lambent.functions import place

    plan = route.plan
    said = plan.returns if route.response_model is ... else route.response_model
    if said in (None, type(None), ...) or said in _NOTHING:
        return Maker(route.status_code, route.response_class)
    from lambent.api.responses.shapes import item_of, shape_of, value_of

    where = place(route.endpoint)
    shape = shape_of(value_of(said), where)
    item = item_of(said)
    each = shape if item is None else shape_of(item, where)
    return Maker(route.status_code, route.response_class, shape, each, kind=None if shape is None else said)


_NOTHING = (dict, list, str, int, float, bool, bytes, tuple, set, Response, JSONResponse, object)
