"""Rules of a listener."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.dev.model import Entrance, Function, Route
from lambent.dev.routes.bindings import Binding, bind
from lambent.dev.routes.rules import Rules

WEB = Entrance("web", "alb")


def bound(*rules: Route) -> list[Binding]:
    return bind([Function(f"f{n}", "app:app", routes=(rule,)) for n, rule in enumerate(rules)], [WEB])


def rule(path: str, priority: int | None = None, method: str = "ANY", host: str = "") -> Route:
    return Route("web", method, path, priority=priority, host=host)


def winner(rules: list[Route], path: str, method: str = "GET", host: str = "") -> str | None:
    hit = Rules(bound(*rules)).find(path, method, host)
    return hit.binding.route.path if hit else None


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/a/b", "/a/b"),
        ("/a/bc", "/a/?c"),
        ("/a/x/y.png", "*.png"),
        ("/A/b", None),
        ("/a/b/", None),
        ("/a%2Fb", None),
    ],
)
def test_paths_have_wildcards_and_case(path: str, expected: str | None) -> None:
    assert winner([rule("*.png"), rule("/a/?c"), rule("/a/b")], path) == expected


def test_the_lowest_priority_counts_and_those_without_come_last() -> None:
    rules = [rule("/a/b"), rule("/*", 20), rule("/a/*", 10)]
    assert winner(rules, "/a/b") == "/a/*"
    assert winner(rules, "/b") == "/*"
    assert winner([rule("/*"), rule("/a/*"), rule("/a/b")], "/a/b") == "/a/b"
    assert winner([rule("$default"), rule("/*.x")], "/a") == "$default"


def test_the_asterisk_of_options_is_a_path_too() -> None:
    assert winner([rule("/a")], "*", "OPTIONS") is None
    assert winner([rule("/a"), rule("$default")], "*", "OPTIONS") == "$default"


def test_methods_and_hosts_are_conditions_as_well() -> None:
    rules = [rule("/a", 1, "POST"), rule("/a", 2, host="*.shop.example"), rule("/*", 3)]
    assert winner(rules, "/a", "POST") == "/a"
    assert winner(rules, "/a", host="Web.SHOP.example") == "/a"
    assert winner(rules, "/a", host="shop.example") == "/*"


def test_a_function_s_path_may_have_parameters() -> None:
    functions = [
        Function("f", "app:app", path="/x/{id}", door="web"),
        Function("g", "app:app", path="/x/{p+}", door="web"),
    ]
    rules = Rules(bind(functions, [WEB]))
    found = [hit.binding.function.name for path in ("/x/1", "/x/1/2") if (hit := rules.find(path, "GET", ""))]
    assert found == ["f", "g"]


paths = st.text("ab/*?", max_size=6).map(lambda rest: f"/{rest}") | st.just("*")


@given(st.lists(paths, unique=True, max_size=5), st.text("ab/", max_size=6).map(lambda rest: f"/{rest}"))
def test_what_is_not_looked_at_would_not_match(written: list[str], path: str) -> None:
    rules = [rule(each, n + 1) for n, each in enumerate(written)]
    every = [each for each in Rules(bound(*rules)).candidates("/*") if each.matches(path, "GET", "")]
    one_by_one = [each for each in rules if winner([each], path)]
    assert winner(rules, path) == (one_by_one[0].path if one_by_one else None)
    assert all(each.binding.route in one_by_one for each in every)


def test_most_rules_need_not_be_looked_at() -> None:
    rules = Rules(bound(*(rule(f"/r{n}/*") for n in range(500)), rule("*.png")))
    assert len(rules.candidates("/r7/x")) == 2
