import asyncio
import inspect
import re
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, assert_type

import fastapi
import pytest

from lambent.api.markers import Depends
from lambent.api.matching import Matcher
from lambent.api.routes import Router, Routes
from lambent.errors import ConfigurationError
from lambent.types import Receive, Scope, Send


def endpoint() -> None:
    """Taken for what a user wrote."""


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Stands for an application."""


class Application:
    """Another."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer nothing."""


def paths(routes: Routes) -> list[str]:
    return [each.path for each in routes.routes]


# Functions


@pytest.mark.parametrize("wrong", [endpoint, fastapi.Depends(endpoint), Depends])
def test_a_dependency_that_is_none_is_refused(wrong: Any) -> None:
    for register in (
        lambda: Routes(dependencies=[wrong]),
        lambda: Router(dependencies=[wrong]),
        lambda: Routes().include(Router(), dependencies=[wrong]),
        lambda: Routes().get("/", dependencies=[wrong]),
    ):
        with pytest.raises(ConfigurationError, match=r"Depends\(function\)"):
            register()


@pytest.mark.parametrize("method", ["get", "head", "post", "put", "patch", "delete", "options"])
def test_each_method_has_its_decorator(method: str) -> None:
    routes = Routes()
    decorator: Callable[..., Any] = getattr(routes, method)

    decorator("/items/{a}/{b:int}", status_code=202, tags=["t"], name="n")(endpoint)

    (route,) = routes.routes
    assert (route.path, route.methods, route.endpoint) == ("/items/{a}/{b:int}", (method.upper(),), endpoint)
    assert (route.variables, route.status_code, route.tags, route.name) == (("a", "b"), 202, ("t",), "n")


def test_a_function_keeps_its_type_and_stays_what_it_is() -> None:
    routes = Routes()

    async def read(item_id: int) -> str:
        return str(item_id)

    decorated = routes.get("/a")(routes.route("/b", ["PUT"])(read))

    assert asyncio.run(assert_type(decorated(1), Coroutine[Any, Any, str])) == "1"
    assert decorated is read
    assert [(each.path, each.methods, each.name) for each in routes.routes] == [
        ("/b", ("PUT",), "read"),
        ("/a", ("GET",), "read"),
    ]


def test_a_route_takes_several_methods_in_capitals_each_once() -> None:
    routes = Routes()
    routes.route("/a", ["get", "Post", "GET", "m-search"])(endpoint)

    assert routes.routes[0].methods == ("GET", "POST", "M-SEARCH")


@pytest.mark.parametrize(
    ("methods", "message"),
    [
        ("GET", "a list of methods, such as ['GET', 'POST'], but got 'GET'"),
        ([], "a list of methods"),
        ([""], "methods such as 'GET' or 'POST', but got ''"),
        (["GET POST"], "but got 'GET POST'"),
        (["GET\r\n"], r"but got 'GET\r\n'"),
        (["GÉT"], "but got 'GÉT'"),
        ([None, "{}"], "but got '{}'"),
    ],
)
def test_methods_that_cannot_be_are_refused(methods: Any, message: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(message)):
        Routes().route("/a", methods)


def test_a_decorator_that_was_not_called_is_told() -> None:
    decorator: Any = Routes().get
    with pytest.raises(ConfigurationError, match=r"got a function. Call the decorator: @api.get\('/items'\)"):
        decorator(endpoint)


@pytest.mark.parametrize(
    ("register", "message"),
    [
        (lambda routes: routes.get("items")(endpoint), "begins with '/', but got 'items'"),
        (lambda routes: routes.get("")(endpoint), "begins with '/'"),
        (lambda routes: routes.get("/{a}/{a}")(endpoint), "differ"),
        (lambda routes: routes.get("/a")("text"), "Expected a function for '/a', but got a str"),
        (lambda routes: routes.get("/a", tags="users")(endpoint), "write ['users']"),
        (lambda routes: routes.include(Router(), tags="users"), "write ['users']"),
        (lambda routes: routes.include(Router(), prefix="v1"), "begins with '/', but got 'v1'"),
        (lambda routes: routes.include(Router(), prefix="/v1/"), "a prefix without '/' at its end"),
        (lambda routes: routes.include(Router(), prefix="/"), "a prefix without '/' at its end"),
        (lambda routes: routes.include(Router(), prefix="/{a"), "to have its '}'"),
        (lambda routes: routes.include(app), "Expected a Router, but got a function. A whole application is mounted"),
        (lambda routes: routes.include(Routes()), "Expected a Router, but got a Routes"),
        (lambda routes: routes.mount("/a", Router()), "Expected an ASGI application for '/a', but got a Router"),
        (lambda routes: routes.mount("a", app), "begins with '/', but got 'a'"),
        (lambda routes: routes.mount("/{a}", app), "Expected a path without variables to mount at, but got '/{a}'"),
    ],
)
def test_what_cannot_be_registered_is_refused_and_leaves_nothing(
    register: Callable[[Routes], object], message: str
) -> None:
    routes = Routes()
    with pytest.raises(ConfigurationError, match=re.escape(message)):
        register(routes)
    assert (routes.routes, routes.mounts, routes.revision) == ([], [], 0)


def test_an_option_that_is_not_there_is_refused() -> None:
    decorator: Callable[..., Any] = Routes().get
    with pytest.raises(TypeError, match="status"):
        decorator("/a", status=201)(endpoint)


# Duplicates


@pytest.mark.parametrize(
    ("first", "second", "named"),
    [
        ("/a", "/a", "GET /a:"),
        ("/a/{x}", "/a/{x}", "GET /a/{x}:"),
        ("/a/{x}", "/a/{y}", "GET /a/{x} and /a/{y}, which take the same paths:"),
        ("/a/{x:str}", "/a/{y}", "GET /a/{x:str} and /a/{y}, which"),
        ("/{x}-{y:int}.b/{p:path}/c", "/{y}-{x:int}.b/{q:path}/c", "GET /{x}-"),
    ],
)
def test_a_duplicate_is_refused_with_both_places(first: str, second: str, named: str) -> None:
    routes = Routes()

    @routes.route(first, ["PUT", "GET"])
    def one() -> None: ...

    def two() -> None: ...

    line = inspect.getsourcelines(two)[1]
    with pytest.raises(ConfigurationError, match=re.escape(f"Two functions are registered for {named}")) as caught:
        routes.route(second, ["DELETE", "GET"])(two)
    assert f"<locals>.one ({__file__}:" in str(caught.value)
    assert f"<locals>.two ({__file__}:{line})" in str(caught.value)
    assert [each.methods for each in routes.routes] == [("PUT", "GET")]
    routes.delete(second)(two)


def test_paths_that_only_look_alike_are_no_duplicates() -> None:
    routes = Routes()
    for path in ("/a", "/a/", "/A", "/{x}", "/{x:int}", "/{x:path}", "/{x}.json", "/{x}/", "/x{x}"):
        routes.get(path)(endpoint)
        routes.put(path)(endpoint)

    assert len(routes.routes) == 18


def test_callables_of_all_kinds_have_a_place() -> None:
    routes = Routes()
    routes.get("/a")(partial(endpoint))

    with pytest.raises(ConfigurationError, match=r"endpoint \(.*Application \("):
        routes.get("/a")(Application())


# Routers


def test_a_router_is_included_below_its_prefixes() -> None:
    api, router = Routes(), Router("/users", tags=["users"])
    router.get("")(endpoint)
    router.get("/{user_id}")(endpoint)

    api.include(router)
    api.include(router, prefix="/v{version:int}", tags=["v"])

    assert paths(router) == ["/users", "/users/{user_id}"]
    assert [(each.path, each.variables, each.tags) for each in api.routes] == [
        ("/users", (), ("users",)),
        ("/users/{user_id}", ("user_id",), ("users",)),
        ("/v{version:int}/users", ("version",), ("v", "users")),
        ("/v{version:int}/users/{user_id}", ("version", "user_id"), ("v", "users")),
    ]


def test_what_is_said_of_all_reaches_from_the_outside_in() -> None:
    first, second, third, fourth, fifth = (Depends(endpoint) for _ in range(5))
    api = Routes(dependencies=[first])
    outer, inner = Router("/o", dependencies=(second,), timeout=9.0), Router("/i", dependencies=[fourth], log=False)
    inner.get("/a", dependencies=[fifth])(endpoint)
    outer.include_router(inner, "/x", dependencies=[third])
    api.include_router(outer)

    (route,) = api.routes
    assert route.path == "/o/x/i/a"
    assert route.dependencies == (first, second, third, fourth, fifth)
    assert (route.timeout, route.log) == (9.0, False)


def test_routes_that_a_router_gets_later_are_seen() -> None:
    api, outer, inner = Routes(), Router("/o"), Router("/i")
    api.include(outer, prefix="/v1")
    api.include(outer, prefix="/v2")
    outer.include(inner)
    seen = api.revision

    inner.get("/late/{x}")(endpoint)
    inner.mount("/files", app)

    assert paths(api) == ["/v1/o/i/late/{x}", "/v2/o/i/late/{x}"]
    assert [each.path for each in api.mounts] == ["/v1/o/i/files", "/v2/o/i/files"]
    assert api.revision > seen
    assert Matcher(api.routes).find("GET", "/v2/o/i/late/7") == (api.routes[1], {"x": "7"})


def test_a_duplicate_in_what_a_router_gets_later_is_refused_everywhere() -> None:
    api, router = Routes(), Router()
    api.get("/v1/{a}")(endpoint)
    api.include(router, prefix="/v1")

    with pytest.raises(ConfigurationError, match=r"GET /v1/\{a\} and /v1/\{b\}"):
        router.get("/{b}")(endpoint)

    assert paths(router) == []
    assert paths(api) == ["/v1/{a}"]


def test_a_router_is_included_whole_or_not() -> None:
    api, router = Routes(), Router()
    router.get("/new")(endpoint)
    router.get("/old")(endpoint)
    api.get("/old")(endpoint)

    with pytest.raises(ConfigurationError, match="GET /old"):
        api.include(router)
    router.get("/later")(endpoint)

    assert paths(api) == ["/old"]


def test_a_variable_of_a_prefix_must_differ_from_the_routes() -> None:
    api, router = Routes(), Router()
    router.get("/{id}")(endpoint)

    with pytest.raises(ConfigurationError, match=r"'/\{id\}/\{id\}' to differ"):
        api.include(router, prefix="/{id}")


def test_nothing_may_follow_the_rest() -> None:
    api, router = Routes(), Router()
    router.get("/{id}")(endpoint)

    with pytest.raises(ConfigurationError, match="only text after"):
        api.include(router, prefix="/{rest:path}")


def test_routers_do_not_include_each_other_in_a_circle() -> None:
    first, second, third = Router("/1"), Router("/2"), Router("/3")
    first.include(second)
    second.include(third)

    for outer, inner in ((first, first), (third, first), (second, first), (third, second)):
        with pytest.raises(ConfigurationError, match="never end"):
            outer.include(inner)


def test_an_empty_path_needs_a_prefix_when_it_is_included() -> None:
    router = Router()
    router.get("")(endpoint)

    with pytest.raises(ConfigurationError, match="begins with '/'"):
        Routes().include(router)
    api = Routes()
    api.include(router, prefix="/items")
    assert paths(api) == ["/items"]


def test_what_is_told_cannot_be_changed_from_outside() -> None:
    api = Routes()
    api.get("/a")(endpoint)
    api.routes.clear()
    api.mounts.append("nothing")  # type: ignore[arg-type]  # it would be a mistake

    assert (paths(api), api.mounts) == (["/a"], [])


# Mounts


def test_applications_are_mounted_below_prefixes() -> None:
    api, router = Routes(), Router("/r")
    application = Application()
    router.mount("/static/", app, name="static")
    api.include(router, prefix="/v1")
    api.mount("/", application)

    assert [(each.path, each.app, each.name) for each in api.mounts] == [
        ("/v1/r/static", app, "static"),
        ("", application, ""),
    ]


def test_one_application_is_mounted_at_a_path() -> None:
    api = Routes()
    api.mount("/s", app)

    with pytest.raises(ConfigurationError, match=r"mounted at '/s': .*app \(.*Application \("):
        api.mount("/s/", Application())
    assert len(api.mounts) == 1


def test_nothing_is_mounted_below_a_variable() -> None:
    api, router = Routes(), Router()
    router.mount("/s", app)

    with pytest.raises(ConfigurationError, match=r"without variables to mount at, but got '/\{tenant\}/s'"):
        api.include(router, prefix="/{tenant}")
