"""The routes of an API."""

from lambent.dev.model import Entrance, Function, Route
from lambent.dev.routes.bindings import bind
from lambent.dev.routes.tree import Tree, quoted


def tree(*paths: str, strict: bool = True) -> Tree:
    made = Tree(strict=strict)
    for binding in bind([Function("f", "a:b", routes=tuple(Route("d", "GET", path) for path in paths))], [DOOR]):
        made.add(binding)
    return made


DOOR = Entrance("d", "http")


def test_values_are_percent_encoded_and_literals_match_however_they_are_written() -> None:
    found = tree("/caf%C3%A9/{id}/{rest+}").find("/café/a%2Fb/c%20d/e", "GET")
    assert found
    assert found.parameters == {"id": "a%2Fb", "rest": "c%20d/e"}


def test_values_of_typed_segments_are_as_they_may_have_been_sent() -> None:
    found = tree("/{a}-{b}").find("/%C3%A9%20-x", "GET")
    assert found
    assert found.parameters == {"a": "%C3%A9%20", "b": "x"}
    assert quoted("a/b c") == "a/b%20c"


def test_candidates_come_the_best_first() -> None:
    made = tree("/a/b", "/a/{x}", "/{y}/{x}", "/a/{z+}", "/{z+}", "$default")
    found = [next(iter(methods.values())).route.path for methods, _ in made.candidates("/a/b")]
    assert found == ["/a/b", "/a/{x}", "/{y}/{x}", "/a/{z+}", "/{z+}", "$default"]


def test_names_of_parameters_are_the_route_s_own() -> None:
    made = Tree()
    routes = (Route("d", "GET", "/{a}"), Route("d", "PUT", "/{b}"))
    for binding in bind([Function("f", "a:b", routes=routes)], [DOOR]):
        made.add(binding)
    for method, name in (("GET", "a"), ("PUT", "b")):
        found = made.find("/7", method)
        assert found
        assert found.parameters == {name: "7"}


def test_a_path_of_many_slashes_is_walked_no_further_than_the_routes_are_deep() -> None:
    assert tree("/a/{x}").find("/" * 100_000, "GET") is None
