"""What the parts of the framework hand to each other."""

from __future__ import annotations

import math

from lambent.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from typing import Any

    from lambent.api.access_log import Entry
    from lambent.api.binding import Plan
    from lambent.api.binding.workers import Workers
    from lambent.api.markers import Bounds, Depends, Marker
    from lambent.api.request import Request
    from lambent.api.responses import Response
    from lambent.types import ASGIApp
    from lambent.values.mismatch import Convert

    Make = Callable[[Any, "Exchange"], ASGIApp]
    Endpoint = Callable[..., Any]

MAX_BODY = 10 * 1024 * 1024
"""Bytes of a request's body, where nobody says otherwise."""


def checked_timeout(seconds: Any) -> float | None:
    """Seconds that somebody has given for a route, as any number. Raises ConfigurationError."""
    try:
        if seconds is None or 0 < seconds < math.inf:
            return None if seconds is None else float(seconds)
    except (TypeError, ArithmeticError):  # a text; a Decimal that is no number
        pass
    raise ConfigurationError(f"Expected `timeout` to be a number of seconds above 0, but got {seconds!r}.")


class Problem:
    """A place in the request whose value does not fit.

    - `place`: `("body", "items", 3, "price")`
    - `message`: what was expected, and the type that came; never the value
    - `kind`: `missing`, `invalid`, or `unexpected`
    """

    __slots__ = ("kind", "message", "place")

    def __init__(self, place: Sequence[str | int], message: str, kind: str = "invalid") -> None:
        self.place = tuple(place)
        self.message = message
        self.kind = kind

    def told(self) -> dict[str, object]:
        """As the client gets it."""
        return {"loc": list(self.place), "msg": self.message, "type": self.kind}

    def __str__(self) -> str:
        return f"{'.'.join(map(str, self.place))}: {self.message}"


class Parameter:
    """One argument that is made of the request: where it lies, and how it is made."""

    __slots__ = (
        "annotation",
        "bounds",
        "convert",
        "default",
        "embedded",
        "marker",
        "name",
        "required",
        "source",
        "wire",
    )

    def __init__(
        self,
        name: str,
        wire: str,
        source: str,
        annotation: Any,
        convert: Convert,
        *,
        required: bool,
        default: Any = None,
        bounds: Bounds | None = None,
        marker: Marker | None = None,
        embedded: bool = False,
    ) -> None:
        self.name = name
        """As the function has it."""
        self.wire = wire
        """As the request has it; empty for the whole body."""
        self.source = source
        """`path`, `query`, `header`, `cookie`, `body`, `form`, `file`; `either`: the query, else a body's field."""
        self.annotation = annotation
        self.convert = convert
        """Texts or a JSON value → the argument. Raises Mismatch."""
        self.required = required
        self.default = default
        self.bounds = bounds
        self.marker = marker
        self.embedded = embedded
        """Of the body: a field of it, not the whole."""


class Route:
    """A path, its methods, the function, and what was said about it."""

    __slots__ = (
        "_maker",
        "_plan",
        "dependencies",
        "deprecated",
        "description",
        "endpoint",
        "include_in_schema",
        "log",
        "methods",
        "name",
        "operation_id",
        "path",
        "response_class",
        "response_model",
        "responses",
        "status_code",
        "summary",
        "tags",
        "timeout",
        "variables",
        "workers",
    )

    def __init__(
        self,
        path: str,
        methods: Sequence[str],
        endpoint: Endpoint,
        *,
        variables: Sequence[str] = (),
        status_code: int | None = None,
        response_class: Callable[..., Response] | None = None,
        response_model: Any = ...,
        dependencies: Sequence[Depends] = (),
        timeout: float | None = None,
        tags: Sequence[str] = (),
        summary: str = "",
        description: str = "",
        responses: Mapping[int, Any] | None = None,
        deprecated: bool = False,
        include_in_schema: bool = True,
        operation_id: str = "",
        name: str = "",
        log: bool = True,
    ) -> None:
        self.path, self.methods, self.endpoint = path, tuple(methods), endpoint
        self.variables = tuple(variables)
        """Names of the path's variables."""
        self.status_code, self.response_class = status_code, response_class
        self.response_model = response_model
        """What the result is made to be before it is sent; `...`: as the function is annotated; None: nothing."""
        self.dependencies, self.tags = tuple(dependencies), tuple(tags)
        self.timeout = checked_timeout(timeout)
        """Seconds; None: the Api's."""
        self.summary, self.description, self.operation_id = summary, description, operation_id
        self.responses = dict(responses or {})
        self.deprecated, self.include_in_schema = deprecated, include_in_schema
        self.name = name or getattr(endpoint, "__name__", type(endpoint).__name__)
        self.log = log
        self.workers: Workers | None = None
        """Threads of the application; None: of the route alone."""
        self._plan: Plan | None = None
        self._maker: Make | None = None

    @property
    def maker(self) -> Make:
        """What the function returns → a response: read from the route, once. Raises ConfigurationError."""
        if self._maker is None:
            from lambent.api.responses.making import maker

            self._maker = maker(self)
        return self._maker

    @property
    def plan(self) -> Plan:
        """How the function is called: read from its signature, once. Raises ConfigurationError."""
        if self._plan is None:
            from lambent.api.binding import Plan

            self._plan = Plan(self.endpoint, self.variables, self.dependencies, workers=self.workers)
        return self._plan


class Exchange:
    """One request that is being answered: what its function may want beside what came."""

    __slots__ = ("background", "draft", "entry", "exits", "request", "route")

    def __init__(self, request: Request, route: Route, entry: Entry) -> None:
        self.request = request
        self.route = route
        self.entry = entry
        """Of the access log."""
        self.draft: Response | None = None
        """What was injected for headers, cookies and the status; there once asked for."""
        self.background: list[Callable[[], Awaitable[object]]] = []
        """What is to be done when the response has been sent."""
        self.exits: Any = None
        """An AsyncExitStack with what dependencies have to do at the end; there once one has."""
