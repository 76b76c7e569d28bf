"""Base paths: with and without slashes, with and without the stage, and never within a segment."""

import pytest

from lambent.compat.base_path import mount
from lambent.gateway.model import Request


def request(path: str, root_path: str) -> Request:
    return Request("GET", path, path.encode(), b"", root_path, "https", "1.1", [], None, None, b"")


@pytest.mark.parametrize(
    ("path", "root_path", "base_path", "mounted"),
    [
        ("/v1/items", "", "/v1", "/v1"),
        ("/v1/items", "", "v1/", "/v1"),
        ("/v1", "", "/v1", "/v1"),
        ("/v10/items", "", "/v1", ""),
        ("/items", "", "/v1", ""),
        ("/items", "", "", ""),
        ("/items", "", "/", ""),
        ("//items", "", "//", ""),
        ("/prod/items", "/prod", "/", "/prod"),
        ("/prod/items", "/prod", "/prod", "/prod"),
        ("/prod/prod/items", "/prod", "/prod", "/prod"),
        ("/prod/v1/items", "/prod", "/prod/v1", "/prod/v1"),
        ("/prod/v1/items", "/prod", "/v1", "/prod/v1"),
        ("/prod/production", "/prod", "/production", "/prod/production"),
    ],
)
def test_a_base_path_becomes_part_of_the_root_path(path: str, root_path: str, base_path: str, mounted: str) -> None:
    found = mount(request(path, root_path), base_path, staged=True)
    assert (found.path, found.root_path) == (path, mounted)


def test_where_the_path_has_no_stage_the_base_path_has_none_either() -> None:
    assert mount(request("/prod/prod/items", "/prod"), "/prod", staged=False).root_path == "/prod/prod"
    assert mount(request("/prod/items", "/prod"), "/prod", staged=False).root_path == "/prod"
