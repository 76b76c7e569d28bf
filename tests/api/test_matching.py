import re
import tracemalloc
from collections.abc import Callable, Iterable
from functools import partial
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambent.api.matching import Matcher, Variable, allowed, parse, shape, variables
from lambent.api.mixed_segments import PATTERNS
from lambent.api.model import Route
from lambent.api.registry import Mount
from lambent.errors import ConfigurationError
from lambent.types import Receive, Scope, Send
from tests.support.lines import lines_run

ID = "0b7e1d0a-3f63-4d1c-9d55-2f3a6a2f8f10"


def endpoint() -> None:
    """Taken for what a user wrote."""


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Stands for an application."""


def route(path: str, *methods: str) -> Route:
    return Route(path, methods or ("GET",), endpoint, variables=variables(parse(path)))


def matcher(*paths: str) -> Matcher:
    return Matcher(route(path) for path in paths)


def found(matcher: Matcher, path: str, method: str = "GET") -> tuple[str, dict[str, str]] | None:
    """The path of the route, and its variables."""
    result = matcher.find(method, path)
    return None if result is None else (result[0].path, result[1])


# Paths of routes


def told(path: str) -> list[list[str]]:
    return [
        [part if isinstance(part, str) else f"<{part.name} {part.converter}>" for part in segment]
        for segment in parse(path)
    ]


@pytest.mark.parametrize(
    ("path", "segments"),
    [
        ("/", [[""]]),
        ("/items", [["items"]]),
        ("/items/", [["items"], [""]]),
        ("/items/{item_id}", [["items"], ["<item_id str>"]]),
        ("/{a}/{b:str}", [["<a str>"], ["<b str>"]]),
        ("/{n:int}/{x:float}/{u:uuid}", [["<n int>"], ["<x float>"], ["<u uuid>"]]),
        ("/files/{name}.json", [["files"], ["<name str>", ".json"]]),
        ("/{a}-{b}", [["<a str>", "-", "<b str>"]]),
        ("/x{a:int}", [["x", "<a int>"]]),
        ("/{rest:path}", [["<rest path>"]]),
        ("/{rest:path}.txt", [["<rest path>", ".txt"]]),
        ("/{rest:path}/acl/", [["<rest path>"], ["acl"], [""]]),
        ("/{größe}", [["<größe str>"]]),
        ("/..//.", [[".."], [""], ["."]]),
    ],
)
def test_a_path_is_parsed(path: str, segments: list[list[str]]) -> None:
    assert told(path) == segments


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("", "begins with '/', such as '/items/{item_id}', but got ''"),
        ("items", "begins with '/'"),
        ("{a}", "begins with '/'"),
        ("/items?limit={n}", "without a query string"),
        ("/{a", "to have its '}'"),
        ("/a}", "to have its '}'"),
        ("/{{a}}", "to have its '}'"),
        ("/{a}}", "to have its '}'"),
        ("/{a}x}", "to have its '}'"),
        ("/x{", "to have its '}'"),
        ("/}{", "to have its '}'"),
        ("/{a/b}", "in the same segment"),
        ("/{a}/{a}", "differ, but two are 'a'"),
        ("/{a}-{a:int}", "differ, but two are 'a'"),
        ("/{a}/{a:path}", "differ, but two are 'a'"),
        ("/{n:number}", "one of str, path, int, float, uuid after the colon of '{n:number}' in '/{n:number}'"),
        ("/{n:}", "one of str, path"),
        ("/{n:INT}", "one of str, path"),
        ("/{}", "name of a parameter, such as '{item_id}', but got '{}'"),
        ("/{:int}", "name of a parameter"),
        ("/{item-id}", "name of a parameter"),
        ("/{1}", "name of a parameter"),
        ("/{ a }", "name of a parameter"),
        ("/{a}{b}", "text between the variables"),
        ("/{a:path}{b}", "text between the variables"),
        ("/{a:path}/{b}", "only text after '{a:path}'"),
        ("/{a:path}/x/{b:path}", "only text after '{a:path}'"),
        ("/x{a:path}", "'{a:path}' to stand after a slash"),
        ("/{b}-{a:path}", "'{a:path}' to stand after a slash"),
    ],
)
def test_a_path_that_cannot_be_is_refused(path: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(message)):
        parse(path)


@given(st.text("/{}:ab-?path", max_size=12))
def test_a_path_is_parsed_or_refused(path: str) -> None:
    try:
        segments = parse(path)
    except ConfigurationError:
        return
    parts = (("".join(_written(part) for part in segment)) for segment in segments)
    assert "/" + "/".join(parts) == path


def _written(part: str | Variable) -> str:
    if isinstance(part, str):
        return part
    return f"{{{part.name}}}" if part.converter == "str" else f"{{{part.name}:{part.converter}}}"


def test_paths_that_differ_in_names_only_have_one_shape() -> None:
    assert shape(parse("/{a}/{b:int}-{c}/{d:path}/x")) == shape(parse("/{x:str}/{y:int}-{z}/{a:path}/x"))
    assert len({shape(parse(path)) for path in ("/a", "/a/", "/{a}", "/{a:int}", "/{a:path}", "/x{a}", "/")}) == 7


# Paths of requests


@pytest.mark.parametrize(
    ("template", "path", "values"),
    [
        ("/", "/", {}),
        ("/", "", None),
        ("/", "//", None),
        ("/a", "/a", {}),
        ("/a", "a", None),
        ("/a", "/a/", None),
        ("/a/", "/a", None),
        ("/a/", "/a/", {}),
        ("/a", "//a", None),
        ("/a", "/A", None),
        ("/{v}", "/x", {"v": "x"}),
        ("/{v}", "/", None),
        ("/{v}", "/x/", None),
        ("/{v}", "/x/y", None),
        ("/{v}", "*", None),
        ("/{v}", "/..", {"v": ".."}),
        ("/{v}/b", "/../b", {"v": ".."}),
        ("/a/{v}/", "/a//", None),
        ("/a/{v}/c", "/a/b/c", {"v": "b"}),
        ("/a/{v}/c", "/a//c", None),
        ("/a/b", "/a/../a/b", None),
        ("/{v}", "/ä €\n\0\ud800", {"v": "ä €\n\0\ud800"}),
        ("/{v}", "/{v}", {"v": "{v}"}),
        ("/{v}", "/a?b#c%2f", {"v": "a?b#c%2f"}),
        ("/{n:int}", "/12", {"n": "12"}),
        ("/{n:int}", "/x", None),
        ("/{u:uuid}", f"/{ID}", {"u": ID}),
        ("/f/{name}.json", "/f/a.json", {"name": "a"}),
        ("/{a}-{b}", "/x-y-z", {"a": "x-y", "b": "z"}),
        ("/{rest:path}", "/", {"rest": ""}),
        ("/{rest:path}", "/a/b//c/", {"rest": "a/b//c/"}),
        ("/f/{rest:path}", "/f", None),
        ("/f/{rest:path}", "/f/", {"rest": ""}),
        ("/f/{rest:path}", "/f//etc/passwd", {"rest": "/etc/passwd"}),
        ("/f/{rest:path}", "/f/../x", {"rest": "../x"}),
        ("/f/{rest:path}", "/g/x", None),
        ("/{v}/{rest:path}", "/a/b/c", {"v": "a", "rest": "b/c"}),
        ("/{rest:path}/acl", "/a/b/acl", {"rest": "a/b"}),
        ("/{rest:path}/acl", "/acl/acl/acl", {"rest": "acl/acl"}),
        ("/{rest:path}/acl", "//acl", {"rest": ""}),
        ("/{rest:path}/acl", "/acl", None),
        ("/{rest:path}/acl", "/a/acl/", None),
        ("/{rest:path}/a/b", "/x/y/z/a/b", {"rest": "x/y/z"}),
        ("/{rest:path}.txt", "/a/b.txt", {"rest": "a/b"}),
        ("/{rest:path}.txt", "/.txt", {"rest": ""}),
        ("/{rest:path}.txt", "/txt", None),
    ],
)
def test_a_path_fits_a_route_or_does_not(template: str, path: str, values: dict[str, str] | None) -> None:
    matches = matcher(template)

    assert found(matches, path) == (None if values is None else (template, values))
    assert bool(matches.table(path)) is (values is not None)


@pytest.mark.parametrize(
    ("path", "best"),
    [
        ("/a", "/a"),
        (f"/{ID.replace('-', '')}", "/{u:uuid}"),
        (f"/{'1' * 32}", "/{u:uuid}"),
        ("/1", "/{n:int}"),
        ("/1.5", "/{x:float}"),
        ("/b.json", "/{name}.json"),
        ("/b-c.json", "/{name}.json"),
        ("/1-c", "/{m:int}-{b}"),
        ("/b-c", "/{a}-{b}"),
        ("/b", "/{v}"),
        ("/", "/{rest:path}"),
        ("/a/b", "/a/{v}"),
        ("/a/acl", "/a/{v}"),
        ("/b/c/acl", "/{rest:path}/acl"),
        ("/b/c/x/acl", "/{rest:path}/x/acl"),
        ("/b/c/d", "/{rest:path}"),
    ],
)
def test_the_strictest_route_takes_a_path_wherever_it_was_registered(path: str, best: str) -> None:
    templates = [
        "/a",
        "/{u:uuid}",
        "/{n:int}",
        "/{x:float}",
        "/{name}.json",
        "/{m:int}-{b}",
        "/{a}-{b}",
        "/{v}",
        "/a/{v}",
        "/{rest:path}/x/acl",
        "/{rest:path}/acl",
        "/{rest:path}",
    ]
    for order in (templates, templates[::-1], sorted(templates)):
        result = found(matcher(*order), path)
        assert result is not None
        assert result[0] == best


def test_text_on_the_left_wins() -> None:
    matches = matcher("/{a}/y", "/x/{b}", "/{a}/{b}")

    assert found(matches, "/x/y") == ("/x/{b}", {"b": "y"})
    assert found(matches, "/z/y") == ("/{a}/y", {"a": "z"})
    assert found(matches, "/z/z") == ("/{a}/{b}", {"a": "z", "b": "z"})


def test_what_was_tried_in_vain_is_left() -> None:
    matches = matcher("/a/b/c", "/a/{x}/d", "/{n:int}/b/e", "/{y}/b/f", "/{rest:path}")

    assert found(matches, "/a/b/d") == ("/a/{x}/d", {"x": "b"})
    assert found(matches, "/a/b/f") == ("/{y}/b/f", {"y": "a"})
    assert found(matches, "/7/b/f") == ("/{y}/b/f", {"y": "7"})
    assert found(matches, "/a/b/g") == ("/{rest:path}", {"rest": "a/b/g"})


# Methods


def test_a_route_that_takes_the_method_is_found_behind_a_better_one() -> None:
    matches = Matcher([route("/items/new"), route("/items/{id}", "DELETE"), route("/{rest:path}", "PUT", "GET")])

    assert found(matches, "/items/new") == ("/items/new", {})
    assert found(matches, "/items/new", "DELETE") == ("/items/{id}", {"id": "new"})
    assert found(matches, "/items/new", "PUT") == ("/{rest:path}", {"rest": "items/new"})
    assert found(matches, "/items/new", "POST") is None
    table = matches.table("/items/new")
    assert {method: each.path for method, each in table.items()} == {
        "GET": "/items/new",
        "HEAD": "/items/new",
        "DELETE": "/items/{id}",
        "PUT": "/{rest:path}",
    }
    assert allowed(table) == ["DELETE", "GET", "HEAD", "OPTIONS", "PUT"]


def test_names_of_variables_are_those_of_the_route_that_takes_the_method() -> None:
    matches = Matcher([route("/{a}/{b}"), route("/{x}/{y}", "PUT")])

    assert found(matches, "/1/2") == ("/{a}/{b}", {"a": "1", "b": "2"})
    assert found(matches, "/1/2", "PUT") == ("/{x}/{y}", {"x": "1", "y": "2"})


@pytest.mark.parametrize("order", [1, -1])
def test_head_is_taken_by_who_takes_get_unless_another_does(order: int) -> None:
    with_head = [route("/a", "GET", "POST"), route("/a", "HEAD")][::order]
    matches = Matcher([*with_head, route("/b"), route("/{v}", "HEAD")])

    assert matches.find("HEAD", "/a") == (with_head[::order][1], {})
    assert found(matches, "/b", "HEAD") == ("/b", {})
    assert found(matches, "/c", "HEAD") == ("/{v}", {"v": "c"})


def test_methods_are_told() -> None:
    assert allowed({}) == ["OPTIONS"]
    assert allowed({"POST": route("/"), "GET": route("/")}) == ["GET", "HEAD", "OPTIONS", "POST"]


def test_variables_are_made_anew() -> None:
    matches = matcher("/a", "/{v}")
    for path in ("/a", "/b"):
        first, second = matches.find("GET", path), matches.find("GET", path)
        assert first is not None
        assert second is not None
        assert first[1] is not second[1]


# Mounts


@pytest.mark.parametrize(
    ("path", "mount"),
    [
        ("/s", "/s"),
        ("/s/", "/s"),
        ("/s/a/b/c", "/s"),
        ("/s/deep/er", "/s/deep/er"),
        ("/s/deep/er/x/y", "/s/deep/er"),
        ("/s/deep", "/s"),
        ("/st", ""),
        ("/", ""),
        ("//s", ""),
        ("s", None),
        ("", None),
    ],
)
def test_the_nearest_mount_takes_a_path(path: str, mount: str | None) -> None:
    matches = Matcher([], [Mount(each, app) for each in ("/s", "", "/s/deep/er", "/other")])

    taken = matches.mounted(path)

    assert (None if taken is None else taken.path) == mount


def test_nothing_is_mounted() -> None:
    assert Matcher([]).mounted("/a") is None
    assert Matcher([], [Mount("/a/b", app)]).mounted("/a") is None


# Cost


@pytest.mark.parametrize(
    "template", ["/r{}", "/r{}/{{id}}", "/api/r{}/{{id}}/x", "/{{a}}/r{}/{{n:int}}", "/r{}/{{p:path}}"]
)
@pytest.mark.parametrize("path", ["/r{}", "/r{}/7", "/api/r{}/7/x", "/a/r{}/7", "/none/r{}"])
def test_the_last_route_costs_as_much_as_the_first_however_many_there_are(template: str, path: str) -> None:
    few, many = (matcher(*(template.format(number) for number in range(count))) for count in (3, 200))
    asked = ((few, 0), (few, 2), (many, 0), (many, 100), (many, 199))
    costs = {lines_run(partial(matches.find, "GET", path.format(number))) for matches, number in asked}

    assert len(costs) == 1


@pytest.mark.parametrize(
    "path",
    [
        "/" * 100_000,
        "/a" * 100_000,
        "/" + "a" * 1_000_000,
        "/a/a" + "/../" * 100_000,
        "/" + "-" * 100_000,
        "/f/" + "a/" * 100_000 + "acl",
    ],
)
def test_a_long_path_costs_no_more_than_a_short_one(path: str) -> None:
    matches = matcher("/a/a/{x}", "/{a}/{b}/{c}", "/{a}-{b}-{c}", "/f/{p:path}/acl", "/f/{p:path}")

    assert lines_run(lambda: matches.find("POST", path)) < 200
    assert lines_run(lambda: matches.mounted(path)) < 10
    assert peak(lambda: matches.find("POST", path)) < 5 * len(path)


def peak(call: Callable[[], object]) -> int:
    """Bytes that a call has at a time."""
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_path_that_fits_in_vain_costs_no_more_than_there_are_routes() -> None:
    """Each of seven segments may be text or a variable: 2 ** 7 ways that all end one segment too early."""
    depth = 7
    templates = [
        "/" + "/".join(f"{{v{place}}}" if is_variable else "a" for place, is_variable in enumerate(each)) + "/end"
        for each in product([True, False], repeat=depth)
    ]
    matches = matcher(*templates)
    nodes = sum(2**level for level in range(depth + 2))

    assert found(matches, "/a" * depth + "/end") == ("/a" * depth + "/end", {})
    assert lines_run(lambda: matches.find("GET", "/a" * depth + "/no")) < 20 * nodes


def test_routes_may_be_deep() -> None:
    template = "".join(f"/{{v{number}}}" for number in range(3000))
    matches = matcher(template, "/a" * 3000 + "/b")

    result = found(matches, "/a" * 3000)

    assert result is not None
    assert result[0] == template


# Against a search through all routes by regular expressions, which says the same in another way

PARTS = ("a", "b", "", "{}", "{:int}", "{:float}", "{:uuid}", "{}.a", "a{}", "{}-{}", "{:int}-{}", "{}-{:int}", "{}a{}")
ENDS = ("{:path}", "{:path}/a", "{:path}.a", "{:path}/a/b")
TEXTS = ("a", "b", "", "1", "-1", "1.5", "1-1", "a-1", "1-a", "b.a", "aa", "aaa", "-", ".a", ID, ID + "-1", "..")

templates = st.tuples(st.lists(st.sampled_from(PARTS), max_size=4), st.none() | st.sampled_from(ENDS)).map(
    lambda drawn: [*drawn[0], *([drawn[1]] if drawn[1] else [])] or [""]
)
paths = st.lists(st.sampled_from(TEXTS), min_size=1, max_size=6).map(lambda texts: "/" + "/".join(texts))


def written(parts: list[str]) -> str:
    """The path of a route: with names for the variables."""
    names = iter(range(100))
    return re.sub(r"\{", lambda _: f"{{v{next(names)}", "/" + "/".join(parts))


def expression(template: str) -> re.Pattern[str]:
    kinds = {"": "[^/]+", "path": ".*", **PATTERNS}
    pieces = re.split(r"\{(\w+):?(\w*)\}", template)
    texts, names, converters = pieces[::3], pieces[1::3], pieces[2::3]
    variables = [f"(?P<{name}>{kinds[kind]})" for name, kind in zip(names, converters, strict=True)]
    return re.compile(
        "".join(re.escape(text) + each for text, each in zip(texts, [*variables, ""], strict=True)), re.DOTALL
    )


def rank(template: str) -> list[tuple[object, ...]]:
    """Of templates that fit one path the best has the smallest."""
    ranks: list[tuple[object, ...]] = []
    left = template[1:]
    while True:
        if re.match(r"\{\w+:path\}", left):
            return [*ranks, (5, -len(left.partition("}")[2]))]
        segment, slash, left = left.partition("/")
        ranks.append(_segment_rank(segment))
        if not slash:
            return ranks


def _segment_rank(segment: str) -> tuple[object, ...]:
    unnamed = re.sub(r"\{\w+", "{", segment)
    if "{" not in segment:
        return (0,)
    if unnamed in ("{:uuid}", "{:int}", "{:float}"):
        return (1, {"{:uuid}": 0, "{:int}": 1, "{:float}": 2}[unnamed])
    if unnamed == "{}":
        return (4,)
    return (2, -len(re.sub(r"\{[^}]*\}", "", segment)), -unnamed.count(":"), unnamed)


def search(templates: Iterable[tuple[str, str]], method: str, path: str) -> tuple[str, dict[str, str]] | None:
    fitting = [
        (rank(template), template, match.groupdict())
        for template, methods in templates
        if method in methods and (match := expression(template).fullmatch(path))
    ]
    return min(fitting)[1:] if fitting else None


@settings(max_examples=400, deadline=None)
@given(
    st.lists(st.tuples(templates, st.sampled_from(["GET", "PUT"])), max_size=12),
    st.lists(paths, min_size=1, max_size=5),
)
def test_routes_are_found_as_by_a_search_through_all(drawn: list[tuple[list[str], str]], asked: list[str]) -> None:
    routes = list(dict.fromkeys((written(parts), method) for parts, method in drawn))
    matches = Matcher(route(template, method) for template, method in routes)

    for path in asked:
        for method in ("GET", "PUT"):
            assert found(matches, path, method) == search(routes, method, path)
        methods = {method for method in ("GET", "PUT") if search(routes, method, path)}
        assert matches.table(path).keys() - {"HEAD"} == methods
