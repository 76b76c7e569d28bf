"""Which function serves which path, beside Starlette's own routing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.routing import compile_path

from lambent.dev.model import Function
from lambent.dev.routes import Routes, pattern
from lambent.errors import ConfigurationError


def routes(*paths: str, first_match: bool = False) -> Routes:
    return Routes([Function(path or "none", "app:app", path=path) for path in paths], first_match=first_match)


def find(table: Routes, path: str) -> tuple[str, dict[str, str]] | None:
    found = table.find(path)
    return (found.function.path, found.parameters) if found else None


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
        ("/{proxy+}", "/a/b", {"proxy": "a/b"}),
        ("/{proxy+}", "/a\nb", {"proxy": "a\nb"}),
        ("/{id}/{proxy+}", "/a/b/c", {"id": "a", "proxy": "b/c"}),
        ("/x/{path:path}", "/x/", {"path": ""}),
        ("/x/{path:path}/end", "/x/a/b/end", {"path": "a/b"}),
        ("/{id:int}", "/12", {"id": "12"}),
        ("/{x:float}", "/1.5", {"x": "1.5"}),
        ("/{id:uuid}", "/c0ffee00-0000-4000-8000-00000000beef", {"id": "c0ffee00-0000-4000-8000-00000000beef"}),
        ("/{name}.json", "/a.json", {"name": "a"}),
        ("/{a}-{b}", "/1-2", {"a": "1", "b": "2"}),
    ],
)
def test_a_path_matches(path: str, request_path: str, parameters: dict[str, str]) -> None:
    assert find(routes(path), request_path) == (path, parameters)


@pytest.mark.parametrize(
    ("path", "request_path"),
    [
        ("/", ""),
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
        ("/{proxy+}", "*"),
        ("", "/"),
    ],
)
def test_a_path_does_not(path: str, request_path: str) -> None:
    assert routes(path).find(request_path) is None


@pytest.mark.parametrize(
    ("paths", "request_path", "winner"),
    [
        (["/{proxy+}", "/x/{id}", "/x/new"], "/x/new", "/x/new"),
        (["/{proxy+}", "/x/{id}", "/x/new"], "/x/old", "/x/{id}"),
        (["/{proxy+}", "/x/{id}", "/x/new"], "/y", "/{proxy+}"),
        (["/{proxy+}", "/x/{proxy+}", "/x/y/{proxy+}"], "/x/y/z", "/x/y/{proxy+}"),
        (["/{a}/y", "/x/{b}"], "/x/y", "/x/{b}"),
        (["/x/{proxy+}", "/{a}/{b}"], "/x/y", "/{a}/{b}"),
        (["/{id}", "/{id:int}"], "/1", "/{id:int}"),
        (["/{id}", "/{id}.json"], "/a.json", "/{id}.json"),
        (["/{path:path}", "/{proxy}"], "/a", "/{proxy}"),
        (["/{path:path}", "/"], "/", "/"),
    ],
)
def test_the_most_specific_path_wins_in_any_order(paths: list[str], request_path: str, winner: str) -> None:
    for order in (paths, paths[::-1]):
        found = routes(*order).find(request_path)
        assert found
        assert found.function.path == winner


def test_or_the_first_one() -> None:
    table = routes("/{path:path}", "/x", "/x", first_match=True)
    assert find(table, "/x") == ("/{path:path}", {"path": "x"})


@pytest.mark.parametrize("both", [("/x", "/x"), ("/x/{a}", "/x/{b}"), ("/{a+}", "/{b:path}"), ("/{a}", "/{a:str}")])
def test_two_functions_of_the_same_paths_are_refused(both: tuple[str, str]) -> None:
    with pytest.raises(ConfigurationError, match="match the same requests") as refused:
        routes(*both)
    assert both[0] in str(refused.value)
    assert both[1] in str(refused.value)


@pytest.mark.parametrize(
    ("path", "complaint"),
    [
        ("x", "begin with /"),
        ("/{", "counterpart"),
        ("/x}", "counterpart"),
        ("/{a{b}}", "counterpart"),
        ("/{}", "is not a parameter"),
        ("/{+}", "is not a parameter"),
        ("/{a b}", "is not a parameter"),
        ("/{a}/{a}", "two parameters"),
        ("/{a+}/x", "last segment"),
        ("/x{a+}", "last segment"),
        ("/{a+}/{b+}", "last segment"),
        ("/{a:regex}", "str, path, int"),
        ("/{a:}", "str, path, int"),
        ("/{a+:path}", "is not a parameter"),
    ],
)
def test_a_malformed_path_is_told_what_is_wrong(path: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        pattern(path)
    with pytest.raises(ConfigurationError, match=complaint):
        routes(path)


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
    assert find(routes(template), path) == ((template, theirs.groupdict()) if theirs else None)


@given(st.lists(templates.map(numbered), unique=True, max_size=4), request_paths)
def test_what_any_matches_some_function_gets(paths: list[str], path: str) -> None:
    try:
        table = routes(*paths)
    except ConfigurationError:  # two are of the same paths
        return
    expected = [each for each in paths if routes(each).find(path)]
    found = table.find(path)
    assert bool(found) == bool(expected)
    assert found is None or found.function.path in expected
    if path in paths:
        assert found
        assert found.function.path == path
