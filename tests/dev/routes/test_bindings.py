"""Routes, entrances and functions, put together."""

import pytest

from lambent.dev.doors import DOORS
from lambent.dev.model import Entrance, Function, Route
from lambent.dev.routes import bindings, patterns


@pytest.mark.parametrize(
    ("kind", "key", "complaint"),
    [
        ("http", "GET /x/{id}", None),
        ("http", "$default", None),
        ("rest", "ANY /{proxy+}", None),
        ("alb", "GET /x/*", None),
        ("edge", "ANY /x/??.jpg", None),
        ("rest", "$default", "ANY / and ANY /{proxy+}"),
        ("http", "GET /x/*", "wildcards of listeners' rules"),
        ("http", "GET /x/{id:int}", "the whole of a segment"),
        ("http", "GET /x/{id}.json", "the whole of a segment"),
        ("rest", "GET /x/{id:path}", "the whole of a segment"),
        ("lattice", "GET /x/{id}", "and no {name}"),
        ("http", "GET /{a+}/x", "last segment"),
    ],
)
def test_a_kind_of_door_has_its_own_routes(kind: str, key: str, complaint: str | None) -> None:
    route = Route("shop", *patterns.key(key))
    if complaint is None:
        bindings.check(route, kind)
    else:
        with pytest.raises(ValueError, match=complaint.replace("{", r"\{").replace("+", r"\+")):
            bindings.check(route, kind)


@pytest.mark.parametrize("kind", DOORS)
def test_rules_alone_have_priorities_and_hosts(kind: str) -> None:
    for route in (Route("d", "GET", "/x", priority=1), Route("d", "GET", "/x", host="a.example")):
        if kind in bindings.TREES:
            with pytest.raises(ValueError, match="priority and host"):
                bindings.check(route, kind)
        else:
            bindings.check(route, kind)


def test_every_function_has_a_url_of_its_own_and_shares_the_other_doors() -> None:
    functions = [Function(name, "a:b", path=f"/{name}", door=door) for door in ("url", "http") for name in "ab"]
    names = [(each.entrance.name, each.entrance.kind) for each in bindings.bind(functions, ())]
    assert names == [("a", "url"), ("b", "url"), ("http", "http"), ("http", "http")]


def test_a_path_of_everything_is_a_default_route() -> None:
    for path in ("/{proxy+}", "/{rest:path}"):
        (binding,) = bindings.bind([Function("f", "a:b", path=path)], ())
        assert (binding.key, binding.place, binding.pattern) == ("$default", bindings.OF_PATH, None)


def test_a_function_behind_a_url_that_has_a_table_needs_no_path() -> None:
    (binding,) = bindings.bind([Function("f", "a:b", door="front")], [Entrance("front", "url")])
    assert (binding.entrance.name, binding.key) == ("front", "$default")
    assert bindings.bind([Function("f", "a:b", door="front")], [Entrance("front", "http")]) == []
