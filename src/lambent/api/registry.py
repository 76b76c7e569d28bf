"""What is registered: routes and mounts, at one place or at several that include each other."""

from __future__ import annotations

from lambent.api.matching import parse, shape, variables
from lambent.api.model import Route, checked_timeout
from lambent.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any

    from lambent.api.markers import Depends
    from lambent.api.matching import Segment
    from lambent.api.responses import Response
    from lambent.types import ASGIApp

    Parse = Callable[[str], tuple[Segment, ...]]
    Changes = dict["Registry", tuple[list[Route], list["Mount"]]]


def parse_partial(path: str) -> tuple[Segment, ...]:
    """As `parse`, but of a path that may be empty: it is whole when its router is included."""
    return parse(path) if path else ()


class Shared:
    """What is said once of many routes.

    Dependencies and tags come before those of a route. `timeout` (seconds), `response_class` and `responses` hold where
    a route does not say otherwise; `deprecated`, `include_in_schema=False` and `log=False` whatever it says.
    """

    __slots__ = (
        "dependencies",
        "deprecated",
        "include_in_schema",
        "log",
        "prefix",
        "response_class",
        "responses",
        "tags",
        "timeout",
    )

    def __init__(
        self,
        prefix: str = "",
        *,
        dependencies: Iterable[Depends] = (),
        tags: Sequence[str] = (),
        timeout: float | None = None,
        response_class: Callable[..., Response] | None = None,
        responses: Mapping[int, Any] | None = None,
        deprecated: bool = False,
        include_in_schema: bool = True,
        log: bool = True,
    ) -> None:
        check_prefix(prefix)
        check_tags(tags)
        self.prefix = prefix
        self.dependencies = checked_dependencies(dependencies)
        self.tags = tuple(tags)
        self.timeout = checked_timeout(timeout)
        self.response_class = response_class
        self.responses = dict(responses or {})
        self.deprecated = deprecated
        self.include_in_schema = include_in_schema
        self.log = log

    def applied(self, route: Route) -> Route:
        """The route with this said of it too. Raises ConfigurationError."""
        path = self.prefix + route.path
        return Route(
            path,
            route.methods,
            route.endpoint,
            variables=variables(parse_partial(path)),
            status_code=route.status_code,
            response_class=route.response_class or self.response_class,
            response_model=route.response_model,
            dependencies=(*self.dependencies, *route.dependencies),
            timeout=self.timeout if route.timeout is None else route.timeout,
            tags=tuple(dict.fromkeys((*self.tags, *route.tags))),
            summary=route.summary,
            description=route.description,
            responses={**self.responses, **route.responses},
            deprecated=route.deprecated or self.deprecated,
            include_in_schema=route.include_in_schema and self.include_in_schema,
            operation_id=route.operation_id,
            name=route.name,
            log=route.log and self.log,
        )


class Mount:
    """An ASGI application that takes a path and all below it.

    `path`: as `/static`; empty for all paths
    """

    __slots__ = ("app", "name", "path")

    def __init__(self, path: str, app: ASGIApp, name: str = "") -> None:
        self.path = path
        self.app = app
        self.name = name

    def below(self, prefix: str) -> Mount:
        return Mount(prefix + self.path, self.app, self.name)


class Registry:
    """Routes and mounts, and the registries that include this one: what is added here is added there too.

    `parse`: of whole paths; `parse_partial` where they may be empty yet
    """

    def __init__(self, shared: Shared, parse: Parse) -> None:
        self.routes: list[Route] = []
        self.mounts: list[Mount] = []
        self.revision = 0
        """Changes when anything is added."""
        self._shared = shared
        self._parse = parse
        self._taken: dict[tuple[str, str], Route] = {}
        """By method and shape of the path."""
        self.followers: list[tuple[Registry, Shared]] = []
        """What includes this, and what is said there of all that is here."""

    def add_route(self, route: Route) -> None:
        """Add it here and above. Raises ConfigurationError if it cannot be in one of them; then it is in none."""
        _apply(self._changes([self._shared.applied(route)], []))

    def add_mount(self, mount: Mount) -> None:
        """Add it here and above. Raises ConfigurationError if it cannot be in one of them; then it is in none."""
        _apply(self._changes([], [mount.below(self._shared.prefix)]))

    def include(self, other: Registry, shared: Shared) -> None:
        """Add what is in another, now and later. Raises ConfigurationError."""
        if other in self._changes([], []):
            raise ConfigurationError("Expected a router that does not include this one, for they would never end.")
        _apply(self._changes(*self._included(other.routes, other.mounts, shared)))
        other.followers.append((self, shared))

    def _included(
        self, routes: Iterable[Route], mounts: Iterable[Mount], shared: Shared
    ) -> tuple[list[Route], list[Mount]]:
        """What is another's, as it is here."""
        prefix = self._shared.prefix + shared.prefix
        return [self._shared.applied(shared.applied(each)) for each in routes], [each.below(prefix) for each in mounts]

    def _changes(self, routes: list[Route], mounts: list[Mount]) -> Changes:
        """What is to be added here and in all registries above, which must not be changed before all are checked."""
        changes: Changes = {}
        waiting = [(self, routes, mounts)]
        for registry, new_routes, new_mounts in waiting:  # grows while it is walked
            there_routes, there_mounts = changes.setdefault(registry, ([], []))
            there_routes += new_routes
            there_mounts += new_mounts
            waiting += [
                (follower, *follower._included(new_routes, new_mounts, shared))  # noqa: SLF001 - of this class
                for follower, shared in registry.followers
            ]
        return changes

    def checked(self, routes: Iterable[Route], mounts: Iterable[Mount]) -> dict[tuple[str, str], Route]:
        """The routes by method and shape of the path. Raises ConfigurationError for those that are there already."""
        new: dict[tuple[str, str], Route] = {}
        for route in routes:
            path = shape(self._parse(route.path))
            for method in route.methods:
                other = new.get((method, path)) or self._taken.get((method, path))
                if other is not None:
                    raise _duplicate(method, other, route)
                new[method, path] = route
        apps = {each.path: each.app for each in self.mounts}
        for mount in mounts:
            check_mounted(mount.path)
            if mount.path in apps:
                raise _mounted_twice(mount.path, apps[mount.path], mount.app)
            apps[mount.path] = mount.app
        return new

    def extend(self, routes: Iterable[Route], mounts: Iterable[Mount], taken: dict[tuple[str, str], Route]) -> None:
        """Add what has been checked."""
        self.routes += routes
        self.mounts += mounts
        self._taken.update(taken)
        self.revision += 1


def _apply(changes: Changes) -> None:
    checked = [(registry, change, registry.checked(*change)) for registry, change in changes.items()]
    for registry, change, taken in checked:
        registry.extend(*change, taken)


def check_path(path: object) -> None:
    if not isinstance(path, str):
        raise ConfigurationError(
            f"Expected a path such as '/items', but got a {type(path).__name__}. "
            "Call the decorator: @api.get('/items')."
        )
    if path and not path.startswith("/"):
        raise ConfigurationError(f"Expected a path that begins with '/', but got {path!r}.")


def check_mounted(path: str) -> None:
    if "{" in path or "}" in path:
        raise ConfigurationError(f"Expected a path without variables to mount at, but got {path!r}.")


def check_prefix(prefix: str) -> None:
    check_path(prefix)
    if prefix.endswith("/"):
        raise ConfigurationError(
            f"Expected a prefix without '/' at its end, for paths begin with one, but got {prefix!r}."
        )
    parse_partial(prefix)


def checked_dependencies(dependencies: Iterable[Depends]) -> tuple[Depends, ...]:
    """Raises ConfigurationError for what is no Depends."""
    found = tuple(dependencies)
    if found:
        from lambent.api.markers import Depends, is_of_fastapi

        for each in found:
            if not isinstance(each, Depends):
                told = f"one of FastAPI: take {type(each).__name__} from lambent.api" if is_of_fastapi(each) else ""
                raise ConfigurationError(
                    f"Expected `dependencies` to have Depends(function), but got {told or f'{each!r:.200}'}."
                )
    return found


def check_tags(tags: object) -> None:
    if isinstance(tags, str):
        raise ConfigurationError(f"Expected a list of tags, but got a text: write [{tags!r}].")


def _duplicate(method: str, first: Route, second: Route) -> ConfigurationError:
    from lambent.functions import place

    paths = first.path if first.path == second.path else f"{first.path} and {second.path}, which take the same paths"
    return ConfigurationError(
        f"Two functions are registered for {method} {paths}: {place(first.endpoint)} and {place(second.endpoint)}. "
        "Keep one, or give them different paths."
    )


def _mounted_twice(path: str, first: ASGIApp, second: ASGIApp) -> ConfigurationError:
    from lambent.functions import place

    return ConfigurationError(
        f"Two applications are mounted at {path or '/'!r}: {place(first)} and {place(second)}. Keep one."
    )
