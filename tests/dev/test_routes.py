"""Which function a request is for, and through which entrance; Starlette's paths beside Starlette's routing."""

from unittest.mock import patch
from urllib.parse import quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.routing import compile_path

from lambent.dev.model import Entrance, Function, Route
from lambent.dev.routes import Found, Routes
from lambent.dev.routes.tree import Tree
from lambent.errors import ConfigurationError


def routes(*paths: str, first_match: bool = False) -> Routes:
    return Routes([Function(f"f{n}", "app:app", path=path) for n, path in enumerate(paths)], first_match=first_match)


def find(table: Routes, path: str) -> tuple[str, dict[str, str]] | None:
    found = table.find("GET", quote(path).encode())
    if not isinstance(found, Found):
        return None
    return found.function.path, {name: unquote(text) for name, text in found.matched.parameters.items()}


def api(kind: str, *keys: str, **settings: object) -> Routes:
    """An entrance of this kind, and a function for each route."""
    entrance = Entrance("shop", kind, **settings)  # type: ignore[arg-type]  # as the test says
    return Routes([function(key, "shop") for key in keys], [entrance])


def function(key: str, entrance: str, **route: object) -> Function:
    """Behind this route, named after it."""
    method, _, path = key.rpartition(" ")
    made = Route(entrance, method or "ANY", path, **route)  # type: ignore[arg-type]  # as the test says
    return Function(key, "app:app", routes=(made,))


def asked(table: Routes, request: str, host: str = "") -> str | None:
    """The route that takes `GET /path`; an entrance that has none, in brackets."""
    method, _, path = request.partition(" ")
    found = table.find(method, path.encode(), host)
    if isinstance(found, Found):
        return found.function.name
    return f"[{found.name}]" if found else None


@pytest.mark.parametrize(
    ("path", "request_path", "parameters"),
    [
        ("/", "/", {}),
        ("/x", "/x", {}),
        ("/x.y", "/x.y", {}),
        ("/x/{id}", "/x/7", {"id": "7"}),
        ("/x/{id}/y", "/x/a b/y", {"id": "a b"}),
        ("/x/{proxy+}", "/x/a", {"proxy": "a"}),
        ("/x/{proxy+}", "/x/a/b/", {"proxy": "a/b/"}),
        ("/{proxy+}", "/", {}),
        ("/{proxy+}", "/a/b", {}),
        ("/{id}/{proxy+}", "/a/b/c", {"id": "a", "proxy": "b/c"}),
        ("/{id}/{proxy+}", "/a/b\nc", {"id": "a", "proxy": "b\nc"}),
        ("/x/{path:path}", "/x/", {"path": ""}),
        ("/x/{path:path}/end", "/x/a/b/end", {"path": "a/b"}),
        ("/{id:int}", "/12", {"id": "12"}),
        ("/{x:float}", "/1.5", {"x": "1.5"}),
        ("/{id:uuid}", "/c0ffee00-0000-4000-8000-00000000beef", {"id": "c0ffee00-0000-4000-8000-00000000beef"}),
        ("/{name}.json", "/a.json", {"name": "a"}),
        ("/{a}-{b}", "/1-2", {"a": "1", "b": "2"}),
        ("/é", "/é", {}),
    ],
)
def test_a_path_matches(path: str, request_path: str, parameters: dict[str, str]) -> None:
    assert find(routes(path), request_path) == (path, parameters)


@pytest.mark.parametrize(
    ("path", "request_path"),
    [
        ("/", "/x"),
        ("/x", "/x/"),
        ("/x", "/X"),
        ("/x", "/x\n"),
        ("/x.y", "/xzy"),
        ("/x/{id}", "/x"),
        ("/x/{id}", "/x/"),
        ("/x/{id}", "/x/a/b"),
        ("/x/{proxy+}", "/x"),
        ("/x/{proxy+}", "/x/"),
        ("/x/{path:path}", "/x"),
        ("/{id:int}", "/a"),
        ("/{id:uuid}", "/1"),
        ("", "/"),
    ],
)
def test_a_path_does_not(path: str, request_path: str) -> None:
    assert find(routes(path), request_path) is None


@pytest.mark.parametrize(
    ("paths", "request_path", "winner"),
    [
        (["/{proxy+}", "/x/{id}", "/x/new"], "/x/new", "/x/new"),
        (["/{proxy+}", "/x/{id}", "/x/new"], "/x/old", "/x/{id}"),
        (["/{proxy+}", "/x/{id}", "/x/new"], "/y", "/{proxy+}"),
        (["/{proxy+}", "/x/{proxy+}", "/x/y/{proxy+}"], "/x/y/z", "/x/y/{proxy+}"),
        (["/{a}/y", "/x/{b}"], "/x/y", "/x/{b}"),
        (["/{a}/z", "/x/{b}/y"], "/x/z", "/{a}/z"),
        (["/x/{proxy+}", "/{a}/{b}"], "/x/y", "/{a}/{b}"),
        (["/{id}", "/{id:int}"], "/1", "/{id:int}"),
        (["/{id}", "/{id}.json"], "/a.json", "/{id}.json"),
        (["/{path:path}", "/{proxy}"], "/a", "/{proxy}"),
        (["/{path:path}", "/"], "/", "/"),
    ],
)
def test_the_most_specific_path_wins_in_any_order(paths: list[str], request_path: str, winner: str) -> None:
    for order in (paths, paths[::-1]):
        found = find(routes(*order), request_path)
        assert found
        assert found[0] == winner


def test_or_the_first_one() -> None:
    table = routes("/{path:path}", "/x", "/x", first_match=True)
    assert find(table, "/x") == ("/{path:path}", {"path": "x"})


@pytest.mark.parametrize("both", [("/x", "/x"), ("/x/{a}", "/x/{b}"), ("/{a+}", "/{b:path}"), ("/{a}", "/{a:str}")])
def test_two_functions_of_the_same_paths_are_refused(both: tuple[str, str]) -> None:
    with pytest.raises(ConfigurationError, match="match the same requests") as refused:
        routes(*both)
    assert both[0] in str(refused.value)
    assert both[1] in str(refused.value)


def test_a_malformed_path_is_told_what_is_wrong() -> None:
    with pytest.raises(ConfigurationError, match=r"f: the path '/\{a\+\}/x' cannot be read: .* last segment"):
        Routes([Function("f", "app:app", path="/{a+}/x")])


# AWS's rules

ITEMS = ("GET /items/new", "GET /items/{id}", "ANY /items/{id}", "ANY /items/{proxy+}", "POST /items", "$default")


@pytest.mark.parametrize(
    ("request_", "http", "rest"),
    [
        ("GET /items/new", "GET /items/new", "GET /items/new"),
        ("GET /items/7", "GET /items/{id}", "GET /items/{id}"),
        ("PUT /items/7", "ANY /items/{id}", "ANY /items/{id}"),
        ("PUT /items/new", "ANY /items/{id}", "ANY /items/{id}"),
        ("GET /items/7/a", "ANY /items/{proxy+}", "ANY /items/{proxy+}"),
        ("POST /items", "POST /items", "POST /items"),
        ("POST /items/", "$default", "POST /items"),
        ("POST //items", "$default", "POST /items"),
        ("GET /items", "$default", "[shop]"),
        ("GET /Items/7", "$default", "[shop]"),
        ("GET /items/", "$default", "[shop]"),
        ("GET /", "$default", "[shop]"),
    ],
)
def test_an_http_api_and_a_rest_api_choose(request_: str, http: str, rest: str) -> None:
    for kind in ("http", "http1"):
        assert asked(api(kind, *ITEMS), request_) == http
    assert asked(api("rest", *ITEMS[:-1]), request_) == rest


def test_without_a_default_route_an_http_api_refuses() -> None:
    assert asked(api("http", *ITEMS[:-1]), "GET /items") == "[shop]"


def test_what_the_event_tells_of_a_route() -> None:
    found = api("http", "GET /items/{id}").find("GET", b"/items/a%2Fb%20c")
    assert isinstance(found, Found)
    assert found.matched[:3] == ("GET /items/{id}", "/items/{id}", {"id": "a%2Fb%20c"})
    found = api("rest", "ANY /files/{proxy+}").find("GET", b"/files/a/b/")
    assert isinstance(found, Found)
    assert found.matched[:3] == ("ANY /files/{proxy+}", "/files/{proxy+}", {"proxy": "a/b"})
    found = api("http", "$default").find("GET", b"/x")
    assert isinstance(found, Found)
    assert found.matched[:3] == ("$default", "", {})


def test_a_rest_api_goes_into_a_resource_and_not_back() -> None:
    keys = ("ANY /x/{proxy+}", "ANY /{a}/{b}")
    assert asked(api("http", *keys), "GET /x/y") == keys[1]
    assert asked(api("rest", *keys), "GET /x/y") == keys[0]


# Which entrance

SHOP = Entrance("shop", "rest", base_path="/shop", stage="prod")
ADMIN = Entrance("admin", "http", stage="test")
WEB = Entrance("web", "alb")
LONE = Entrance("lone", "url")
FUNCTIONS = (
    function("GET /items", "shop"),
    function("GET /users", "admin"),
    function("GET /users/{id}", "admin"),
    function("ANY /users/*", "web"),
    function("ANY /static/*", "web"),
    Function("Page", "app:app", path="/page/{proxy+}"),
    Function("lonely", "app:app", door="lone"),
)
ALL = Routes(FUNCTIONS, [SHOP, ADMIN, WEB, LONE])


@pytest.mark.parametrize(
    ("request_", "host", "expected"),
    [
        ("GET /shop/items", "", "GET /items"),
        ("GET /shop/items", "127.0.0.1", "GET /items"),
        ("GET /prod/items", "", "GET /items"),
        ("GET /test/users", "", "GET /users"),
        ("GET /users", "", "GET /users"),
        ("GET /users/7", "", "GET /users/{id}"),
        ("PUT /users/7", "", "ANY /users/*"),
        ("GET /page/1", "", "Page"),
        ("GET /items", "", "lonely"),
        ("GET /shop/x", "", "[shop]"),
        ("GET /shop/", "", "[shop]"),
        ("GET /shopping", "", "lonely"),
        ("GET /prod/x", "", "lonely"),
        ("GET /items", "shop.localhost", "[shop]"),
        ("GET /x", "shop.localhost", "[shop]"),
        ("GET /shop/items", "shop.localhost", "GET /items"),
        ("GET /shop", "shop.localhost", "[shop]"),
        ("GET /users", "Admin.LOCALHOST.", "GET /users"),
        ("GET /static/a", "admin.localhost", "[admin]"),
        ("PUT /users/7", "web.localhost", "ANY /users/*"),
        ("GET /users", "web.localhost", "[web]"),
        ("GET /users", "lone.localhost", "lonely"),
        ("GET /users", "lonely.localhost", "lonely"),
        ("GET /users", "page.localhost", "Page"),
        ("GET /users", "else.localhost", "GET /users"),
        ("GET /users", "web.example", "GET /users"),
    ],
)
def test_hosts_and_beginnings_of_paths_tell_entrances_apart(request_: str, host: str, expected: str) -> None:
    assert asked(ALL, request_, host) == expected


@pytest.mark.parametrize(
    ("path", "prefix", "is_base_path"),
    [(b"/shop/items", "/shop", True), (b"/prod/items", "/prod", False)],
)
def test_what_stands_in_front_of_the_route_s_own_path_is_told(path: bytes, prefix: str, is_base_path: bool) -> None:
    found = ALL.find("GET", path)
    assert isinstance(found, Found)
    assert (found.matched.prefix, found.matched.is_base_path, found.matched.stage) == (prefix, is_base_path, "prod")


def test_the_most_specific_route_of_all_entrances_wins_in_any_order() -> None:
    entrances = [Entrance("a", "http"), Entrance("b", "rest"), Entrance("c", "alb")]
    functions = [function("$default", "a"), function("ANY /x/{y}", "b"), function("ANY /x/*", "c")]
    for order in (functions, functions[::-1]):
        table = Routes(order, entrances)
        assert asked(table, "GET /x/y") == "ANY /x/{y}"
        assert asked(table, "GET /x/y/z") == "ANY /x/*"
        assert asked(table, "GET /z") == "$default"


def test_a_door_of_a_kind_needs_no_table() -> None:
    table = Routes([Function("f", "app:app", door="rest", path="/x"), function("GET /y", "rest")])
    assert asked(table, "GET /x") == "f"
    assert asked(table, "GET /y", "rest.localhost") == "GET /y"
    assert asked(table, "GET /z") == "[rest]"


def test_a_door_that_there_is_not_is_named_with_those_that_there_are() -> None:
    with pytest.raises(ConfigurationError, match=r"no door 'sop'\. There are: shop, url, http"):
        Routes([Function("f", "app:app", path="/", door="sop")], [SHOP])


def test_methods_of_a_resource() -> None:
    table = api("rest", "GET /items/{id}", "PUT /items/{id}")
    assert sorted(table.methods(Entrance("shop", "rest"), b"/items/1")) == ["GET", "PUT"]
    assert table.methods(Entrance("shop", "rest"), b"/items") == []


# Speed


def steps(count: int) -> int:
    """Nodes that are looked at for a request, of so many routes of each kind."""
    keys = [key for n in range(count) for key in (f"GET /r{n}", f"GET /r{n}/{{id}}", f"ANY /r{n}/{{id}}/{{rest+}}")]
    table = api("http", *keys)
    with patch.object(Tree, "visit", autospec=True, side_effect=Tree.visit) as visit:
        for path in (f"/r{count - 1}", "/r0/7", "/r0/7/a/b", "/nowhere"):
            table.find("GET", path.encode())
    return visit.call_count


def test_500_routes_cost_as_many_steps_as_5() -> None:
    assert steps(500 // 3) == steps(2) > 0


# Beside Starlette

texts = st.text("abé.-1/", min_size=1, max_size=3)
parameters = st.sampled_from(["{}", "{:str}", "{:int}", "{:float}", "{:path}"])
templates = st.lists(st.one_of(texts, parameters), max_size=5)
request_paths = st.text("abé.-1/", max_size=8).map(lambda rest: f"/{rest}")


def numbered(pieces: list[str]) -> str:
    return "/" + "".join(piece.replace("{", f"{{p{index}") for index, piece in enumerate(pieces))


@given(templates, request_paths)
def test_starlette_s_own_patterns_mean_what_they_mean_there(pieces: list[str], path: str) -> None:
    template = numbered(pieces)
    theirs = compile_path(template)[0].match(path)
    for first_match in (True, False):
        found = find(routes(template, first_match=first_match), path)
        is_all = template == "/{p0:path}" and not first_match
        assert found == ((template, {} if is_all else theirs.groupdict()) if theirs else None)


@given(st.lists(templates.map(numbered), unique=True, max_size=4), request_paths)
def test_what_any_matches_some_function_gets(paths: list[str], path: str) -> None:
    try:
        table = routes(*paths)
    except ConfigurationError:  # two are of the same paths
        return
    expected = [each for each in paths if find(routes(each), path)]
    found = find(table, path)
    assert bool(found) == bool(expected)
    assert found is None or found[0] in expected
    if path in paths:
        assert found
        assert found[0] == path
