import inspect

import pytest

from lambent.api.markers import Depends
from lambent.api.matching import parse
from lambent.api.model import Route
from lambent.api.registry import Mount, Registry, Shared, parse_partial
from lambent.errors import ConfigurationError


def endpoint() -> None:
    """Taken for what a user wrote."""


class Answer:
    """Taken for a class of responses."""


def values(route: Route) -> dict[str, object]:
    """What was said of it; threads are the application's."""
    return {name: getattr(route, name) for name in Route.__slots__ if not name.startswith("_") and name != "workers"}


def test_nothing_that_was_said_of_a_route_is_lost() -> None:
    said = {
        "path": "/items/{a}",
        "methods": ("GET", "PUT"),
        "endpoint": endpoint,
        "variables": ("a",),
        "status_code": 201,
        "response_class": Answer,
        "response_model": int,
        "dependencies": (Depends(endpoint),),
        "timeout": 2.5,
        "tags": ("t",),
        "summary": "s",
        "description": "d",
        "responses": {404: "none"},
        "deprecated": True,
        "include_in_schema": False,
        "operation_id": "o",
        "name": "n",
        "log": False,
    }
    route = Route(**said)  # type: ignore[arg-type]  # a table of all kinds of values
    assert said.keys() == inspect.signature(Route).parameters.keys()

    assert values(Shared().applied(route)) == said
    assert values(Shared("/v1").applied(route)) == said | {"path": "/v1/items/{a}"}


def test_what_is_said_of_all_comes_first_and_yields() -> None:
    outer, inner = Depends(endpoint), Depends(endpoint)
    shared = Shared(
        "/{tenant}",
        dependencies=[outer],
        tags=["x", "y"],
        timeout=5.0,
        responses={401: "outer", 404: "outer"},
        deprecated=True,
        include_in_schema=False,
        log=False,
    )
    bare = shared.applied(Route("/a", ["GET"], endpoint))
    full = shared.applied(
        Route("/{b}", ["GET"], endpoint, dependencies=[inner], tags=["y", "z"], timeout=9.0, responses={404: "inner"})
    )

    assert (bare.path, bare.variables, bare.dependencies, bare.timeout) == ("/{tenant}/a", ("tenant",), (outer,), 5.0)
    assert (bare.tags, bare.responses) == (("x", "y"), {401: "outer", 404: "outer"})
    assert (bare.deprecated, bare.include_in_schema, bare.log) == (True, False, False)
    assert (full.variables, full.dependencies, full.timeout) == (("tenant", "b"), (outer, inner), 9.0)
    assert (full.tags, full.responses) == (("x", "y", "z"), {401: "outer", 404: "inner"})


def test_what_cannot_be_in_one_registry_is_in_none() -> None:
    top, left, right, bottom = (Registry(Shared(), parse) for _ in range(4))
    left.include(bottom, Shared("/l"))
    right.include(bottom, Shared("/r"))
    top.include(left, Shared())
    top.include(right, Shared())
    top.add_route(Route("/r/a", ["GET"], endpoint))
    before = [each.revision for each in (top, left, right, bottom)]

    with pytest.raises(ConfigurationError, match="GET /r/a"):
        bottom.add_route(Route("/a", ["GET"], endpoint))

    assert [each.path for each in top.routes] == ["/r/a"]
    assert (left.routes, right.routes, bottom.routes) == ([], [], [])
    assert [each.revision for each in (top, left, right, bottom)] == before
    bottom.add_route(Route("/b", ["GET"], endpoint))
    bottom.add_mount(Mount("/m", endpoint))  # type: ignore[arg-type]  # never called
    assert [each.path for each in top.routes] == ["/r/a", "/l/b", "/r/b"]
    assert [each.path for each in top.mounts] == ["/l/m", "/r/m"]


def test_what_comes_twice_by_two_ways_is_refused() -> None:
    top, left, right, bottom = (Registry(Shared(), parse) for _ in range(4))
    for each in (left, right):
        each.include(bottom, Shared())
        top.include(each, Shared())

    with pytest.raises(ConfigurationError, match="Two functions are registered for GET /a"):
        bottom.add_route(Route("/a", ["GET"], endpoint))

    assert bottom.routes == []


def test_a_path_may_be_empty_until_it_is_whole() -> None:
    top, router = Registry(Shared(), parse), Registry(Shared(), parse_partial)
    router.add_route(Route("", ["GET"], endpoint))

    with pytest.raises(ConfigurationError, match="begins with '/'"):
        top.include(router, Shared())
    top.include(router, Shared("/items"))

    assert [each.path for each in top.routes] == ["/items"]
