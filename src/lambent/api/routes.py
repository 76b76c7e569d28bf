"""Registering functions for paths and methods: what the Api and its routers have in common."""

from __future__ import annotations

from lambent.api.matching import parse
from lambent.api.model import Route
from lambent.api.registry import Mount, Registry, Shared, check_path, check_tags, checked_dependencies, parse_partial
from lambent.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any, TypedDict, TypeVar, Unpack

    from lambent.api.markers import Depends
    from lambent.api.responses import Response
    from lambent.types import ASGIApp

    F = TypeVar("F", bound=Callable[..., Any])

    class CommonOptions(TypedDict, total=False):
        """Of a route, or of many."""

        tags: Sequence[str]
        timeout: float | None
        response_class: Callable[..., Response] | None
        responses: Mapping[int, Any] | None
        deprecated: bool
        include_in_schema: bool
        log: bool

    class SharedOptions(CommonOptions, total=False):
        """As in Shared."""

        dependencies: Iterable[Depends]

    class Options(CommonOptions, total=False):
        """As in Route."""

        dependencies: Sequence[Depends]
        status_code: int | None
        response_model: Any
        summary: str
        description: str
        operation_id: str
        name: str


_TOKEN = frozenset("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")
"""What methods are made of, in capitals (RFC 9110, 5.6.2)."""


class Routes:
    """Paths, methods and their functions; routers with more of them, and what is mounted.

    What a router is given after it was included is seen as well. All is checked when it is registered, at import: each
    method raises ConfigurationError.
    """

    _parse = staticmethod(parse)

    def __init__(self, prefix: str = "", **options: Unpack[SharedOptions]) -> None:
        self._registry = Registry(Shared(prefix, **options), self._parse)

    @property
    def routes(self) -> list[Route]:
        """All of them, those of routers too, with all that is said of them."""
        return list(self._registry.routes)

    @property
    def mounts(self) -> list[Mount]:
        """All of them, those of routers too."""
        return list(self._registry.mounts)

    @property
    def revision(self) -> int:
        """Changes when anything is registered."""
        return self._registry.revision

    def get(self, path: str, **options: Unpack[Options]) -> Callable[[F], F]:
        """Register a function for GET; it answers HEAD too, unless another does."""
        return self.route(path, ("GET",), **options)

    def head(self, path: str, **options: Unpack[Options]) -> Callable[[F], F]:
        """Register a function for HEAD."""
        return self.route(path, ("HEAD",), **options)

    def post(self, path: str, **options: Unpack[Options]) -> Callable[[F], F]:
        """Register a function for POST."""
        return self.route(path, ("POST",), **options)

    def put(self, path: str, **options: Unpack[Options]) -> Callable[[F], F]:
        """Register a function for PUT."""
        return self.route(path, ("PUT",), **options)

    def patch(self, path: str, **options: Unpack[Options]) -> Callable[[F], F]:
        """Register a function for PATCH."""
        return self.route(path, ("PATCH",), **options)

    def delete(self, path: str, **options: Unpack[Options]) -> Callable[[F], F]:
        """Register a function for DELETE."""
        return self.route(path, ("DELETE",), **options)

    def options(self, path: str, **options: Unpack[Options]) -> Callable[[F], F]:
        """Register a function for OPTIONS, which else is answered with the methods of the path."""
        return self.route(path, ("OPTIONS",), **options)

    def route(self, path: str, methods: Sequence[str], **options: Unpack[Options]) -> Callable[[F], F]:
        """Register a function for several methods. The function stays as it is, so that these decorators stack."""
        check_path(path)
        check_tags(options.get("tags", ()))
        options = {**options, "dependencies": checked_dependencies(options.get("dependencies", ()))}
        named = _methods(methods)

        def register(function: F) -> F:
            if not callable(function):
                raise ConfigurationError(f"Expected a function for {path!r}, but got a {type(function).__name__}.")
            self._registry.add_route(Route(path, named, function, **options))
            return function

        return register

    def include(
        self, router: Router, prefix: str = "", dependencies: Iterable[Depends] = (), tags: Sequence[str] = ()
    ) -> None:
        """Take the routes of a router, those too that it gets later."""
        if not isinstance(router, Router):
            raise ConfigurationError(
                f"Expected a Router, but got a {type(router).__name__}. A whole application is mounted: "
                "mount('/path', application)."
            )
        self._registry.include(router._registry, Shared(prefix, dependencies=dependencies, tags=tags))  # noqa: SLF001 - of this class

    include_router = include

    def mount(self, path: str, app: ASGIApp, name: str = "") -> None:
        """Hand a path and all below it to an ASGI application, but for what has a route. `/` is for all paths."""
        check_path(path)
        if not callable(app):
            raise ConfigurationError(
                f"Expected an ASGI application for {path!r}, but got a {type(app).__name__}. Routers are included: "
                "include(router, prefix='/path')."
            )
        self._registry.add_mount(Mount(path.removesuffix("/"), app, name))


class Router(Routes):
    """Routes for an Api, or another router, to include; below `prefix`, and with what is said of all of them.

    `@router.get("")` is the prefix itself: the router's, or the one that it is included with.
    """

    _parse = staticmethod(parse_partial)


def _methods(methods: Sequence[str]) -> tuple[str, ...]:
    """In capitals, each once."""
    if isinstance(methods, str) or not methods:
        raise ConfigurationError(f"Expected a list of methods, such as ['GET', 'POST'], but got {methods!r}.")
    named = tuple(dict.fromkeys(str(method).upper() for method in methods))
    for method in named:
        if not method or not _TOKEN.issuperset(method):
            raise ConfigurationError(f"Expected methods such as 'GET' or 'POST', but got {method!r}.")
    return named
