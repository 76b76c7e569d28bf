"""What `python -X importtime` writes."""

import subprocess
import sys

from hypothesis import given
from hypothesis import strategies as st

from lambent.doctor.import_times import LIBRARY, Import, packages, parse
from lambent.doctor.probe import BEGIN

WRITTEN = f"""\
import time: self [us] | cumulative | imported package
import time:       100 |        100 | site
{BEGIN}
import time:       200 |        200 |     json
a line of the application's own
import time:      3000 |       3200 |   botocore.session
import time:      1000 |       4200 |   boto3
import time:       500 |        500 |   fastapi
import time:       100 |       4800 | shop.main
"""
ORIGINS = {"shop": "yours", "boto3": "installed", "botocore": "installed", "fastapi": "installed"}


def test_modules_know_who_imported_them() -> None:
    assert parse(WRITTEN) == [
        Import("json", 200, 200, "botocore.session"),
        Import("botocore.session", 3000, 3200, "shop.main"),
        Import("boto3", 1000, 4200, "shop.main"),
        Import("fastapi", 500, 500, "shop.main"),
        Import("shop.main", 100, 4800, ""),
    ]


def test_packages_have_the_times_of_their_modules() -> None:
    found = packages(parse(WRITTEN), ORIGINS)
    assert [(each.name, each.milliseconds, each.origin, each.by, each.whole) for each in found] == [
        ("botocore", 3.0, "installed", "shop.main", 3.2),
        ("boto3", 1.0, "installed", "shop.main", 4.2),
        ("fastapi", 0.5, "installed", "shop.main", 0.5),
        (LIBRARY, 0.2, "Python", "", 0.0),
        ("shop", 0.1, "yours", "", 0.0),
    ]
    half = packages(parse(WRITTEN), ORIGINS, 0.5)
    assert [(each.milliseconds, each.whole) for each in half] == [(each[1] / 2, each[4] / 2) for each in found]


def test_python_writes_what_is_read() -> None:
    code = f"import sys; sys.stderr.write('{BEGIN}\\n'); import json.tool"
    ended = subprocess.run([sys.executable, "-X", "importtime", "-c", code], capture_output=True, text=True, check=True)
    found = {each.name: each for each in parse(ended.stderr)}
    assert found["json.decoder"].by == "json"
    assert found["json"].whole >= found["json"].own + found["json.decoder"].whole
    assert "site" not in found


Tree = tuple[str, int, list["Tree"]]
TREES: st.SearchStrategy[Tree] = st.recursive(
    st.tuples(st.sampled_from("abcdef"), st.integers(0, 1000), st.just([])),
    lambda inner: st.tuples(st.sampled_from("abcdef"), st.integers(0, 1000), st.lists(inner, max_size=3)),
    max_leaves=12,
)


def written(tree: Tree, depth: int = 0, by: str = "") -> tuple[list[str], list[Import]]:
    """As Python writes a tree of imports, and what it is."""
    name, own, inner = tree
    below = [written(each, depth + 1, name) for each in inner]
    lines = [line for some, _ in below for line in some]
    found = [each for _, some in below for each in some]
    whole = own + sum(some[-1].whole for _, some in below)
    line = f"import time: {own:9} | {whole:10} | {'  ' * depth}{name}"
    return [*lines, line], [*found, Import(name, own, whole, by)]


@given(st.lists(TREES, max_size=4))
def test_any_tree_is_read_back(trees: list[Tree]) -> None:
    each = [written(tree) for tree in trees]
    expected = [found for _, some in each for found in some]
    assert parse("\n".join(line for lines, _ in each for line in lines)) == expected
    table = packages(expected, dict.fromkeys("abc", "installed") | {"d": "yours"})
    assert abs(sum(row.milliseconds for row in table) * 1000 - sum(found.own for found in expected)) < 0.001
