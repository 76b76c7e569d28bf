"""Routes that contradict each other, and routes that nothing reaches."""

import pytest

from lambent.dev.model import Entrance, Function, Route
from lambent.dev.routes import Routes, doubts
from lambent.dev.routes.bindings import bind

ENTRANCES = (
    Entrance("a", "http"),
    Entrance("b", "http"),
    Entrance("mapped", "http", base_path="/b"),
    Entrance("old", "rest"),
    Entrance("web", "alb"),
)


def functions(*routes: tuple[str, str] | tuple[str, str, int]) -> list[Function]:
    """f1, f2, … behind these: entrance, key, priority."""
    made = []
    for number, (entrance, key, *priority) in enumerate(routes, 1):
        method, _, path = key.rpartition(" ")
        route = Route(entrance, method or "ANY", path, priority=priority[0] if priority else None)
        made.append(Function(f"f{number}", "app:app", routes=(route,)))
    return made


@pytest.mark.parametrize(
    ("first", "second", "told"),
    [
        (("a", "GET /x/{a}"), ("a", "GET /x/{b}"), "f1 and f2: their routes GET /x/{a} and GET /x/{b} of the door a"),
        (("a", "$default"), ("a", "$default"), "$default and $default"),
        (("web", "ANY /x"), ("web", "ANY /x"), "match the same requests"),
        (("old", "GET /x/{a}"), ("old", "POST /x/{b}/y"), "call the same segment {a} and {b}"),
    ],
)
def test_a_contradiction(first: tuple[str, str], second: tuple[str, str], told: str) -> None:
    found = doubts.conflict(bind(functions(first, second), ENTRANCES))
    assert found
    assert told in found.message
    assert found.second.function.name == "f2"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("a", "GET /x/{a}"), ("b", "GET /x/{a}")),
        (("a", "GET /x/{a}"), ("a", "POST /x/{b}")),
        (("a", "GET /x/{a}"), ("a", "ANY /x/{a}")),
        (("a", "GET /x/{a}"), ("a", "GET /x/{a+}")),
        (("old", "GET /x/{a}"), ("old", "GET /y/{b}")),
        (("old", "GET /x/{a}"), ("old", "GET /x/{b+}")),
        (("web", "ANY /x", 1), ("web", "ANY /x", 2)),
    ],
)
def test_none(first: tuple[str, str], second: tuple[str, str]) -> None:
    assert doubts.conflict(bind(functions(first, second), ENTRANCES)) is None


def test_a_route_that_is_there_twice() -> None:
    twice = Function("f", "app:app", routes=(Route("a", "GET", "/x"),) * 2)
    found = doubts.conflict(bind([twice], ENTRANCES))
    assert found
    assert found.message == "f: its route GET /x is there twice. Leave one of them out"


@pytest.mark.parametrize(
    ("first", "second", "told"),
    [
        (("web", "ANY /*", 1), ("web", "GET /x", 2), "f2: the route GET /x of the door web is never reached"),
        (("web", "ANY /x*", 1), ("web", "ANY /xy/*", 2), "ANY /x* of f1 comes before it"),
        (("web", "ANY /x", 1), ("web", "GET /x", 2), "never reached"),
        (("web", "$default", 1), ("web", "GET /x", 2), "never reached"),
        (("a", "GET /x/{a}"), ("b", "GET /x/{b}"), "is reached on the host b.localhost only"),
        (("a", "$default"), ("old", "GET /x"), None),
        (("a", "GET /x"), ("mapped", "GET /x"), None),
        (("web", "GET /*", 1), ("web", "ANY /x", 2), None),
        (("web", "ANY /x?", 1), ("web", "ANY /x*", 2), None),
        (("web", "ANY /*", 2), ("web", "ANY /x", 1), None),
    ],
)
def test_what_nothing_reaches_is_told(first: tuple[str, str], second: tuple[str, str], told: str | None) -> None:
    found = Routes(functions(first, second), ENTRANCES).doubts
    assert [told in line for line in found if told] == ([True] if told else [])
    assert len(found) == bool(told)
