import asyncio
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambent.api.responses.static import StaticFiles, located
from lambent.errors import ConfigurationError


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    top = tmp_path_factory.mktemp("top")
    root = top / "static"
    (root / "docs" / "empty").mkdir(parents=True)
    (root / "a b.txt").write_text("ab")
    (root / "docs" / "index.html").write_text("docs")
    (root / "docs" / "page.html").write_text("page")
    (root / "index.html").write_text("home")
    (top / "static-secret").mkdir()
    (top / "static-secret" / "a.txt").write_text("secret")
    (top / "secret.txt").write_text("secret")
    (root / "out.txt").symlink_to(top / "secret.txt")
    (root / "out").symlink_to(top)
    (root / "in.txt").symlink_to(root / "a b.txt")
    (root / "ring").symlink_to(root / "ring")
    return root


def ask(root: Path, path: str, method: str = "GET", html: bool = False, root_path: str = "") -> tuple[int, Any, bytes]:
    messages: list[Any] = []

    async def send(message: Any) -> None:
        messages.append(message)

    async def receive() -> Any:
        await asyncio.Event().wait()

    scope = {"type": "http", "method": method, "path": path, "root_path": root_path, "query_string": b"", "headers": []}
    asyncio.run(StaticFiles(root, html=html)(scope, receive, send))
    start, *bodies = messages
    return start["status"], dict(start["headers"]), b"".join(each["body"] for each in bodies)


@pytest.mark.parametrize("path", ["/a b.txt", "//a b.txt", "/in.txt"])
def test_a_file_is_sent(root: Path, path: str) -> None:
    status, headers, body = ask(root, path)
    assert (status, body) == (200, b"ab")
    assert headers[b"content-length"] == b"2"
    assert b"etag" in headers


@pytest.mark.parametrize("root_path", ["/static", "/prod/static"])
def test_it_may_be_mounted(root: Path, root_path: str) -> None:
    assert ask(root, f"{root_path}/docs/page.html", root_path=root_path)[2] == b"page"
    assert ask(root, "/docs/page.html", root_path=root_path)[2] == b"page"


def test_head_gets_no_body(root: Path) -> None:
    status, headers, body = ask(root, "/a b.txt", "HEAD")
    assert (status, headers[b"content-length"], body) == (200, b"2", b"")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
def test_nothing_else_is_allowed(root: Path, method: str) -> None:
    status, headers, body = ask(root, "/a b.txt", method)
    assert (status, headers[b"allow"], body) == (405, b"GET, HEAD", b'{"detail":"Method Not Allowed"}')


INDEXED = {"no file", "the directory itself", "nothing"}
BAD = {
    "not there": "/none.txt",
    "no file": "/docs",
    "the directory itself": "/",
    "nothing": "",
    "upwards": "/../secret.txt",
    "upwards from within": "/docs/../../secret.txt",
    "upwards and back": "/docs/../a b.txt",
    "a directory with the same beginning": "/../static-secret/a.txt",
    "encoded twice": "/%2e%2e/secret.txt",
    "a dot": "/./a b.txt",
    "absolute": "//etc/passwd",
    "backslashes": "/..\\secret.txt",
    "a backslash": "/docs\\page.html",
    "a drive": "/C:/secret.txt",
    "NUL": "/a b.txt\0",
    "a link to a file outside": "/out.txt",
    "a link to a directory outside": "/out/secret.txt",
    "a link to itself": "/ring",
    "a very long name": "/" + "a" * 5000,
    "a very long path": "/a" * 5000,
    "below a file": "/a b.txt/b",
    "a file with a slash": "/a b.txt/",
    "a lone surrogate": "/\ud800",
}


@pytest.mark.parametrize(
    ("name", "html"), [(name, html) for name in BAD for html in (False, True) if not html or name not in INDEXED]
)
def test_nothing_is_there(root: Path, name: str, html: bool) -> None:
    status, _, body = ask(root, BAD[name], html=html)
    assert (status, body) == (404, b'{"detail":"Not Found"}')


@pytest.mark.parametrize(("path", "body"), [("/", b"home"), ("", b"home"), ("/docs/", b"docs")])
def test_a_directory_has_an_index(root: Path, path: str, body: bytes) -> None:
    status, headers, found = ask(root, path, html=True)
    assert (status, headers[b"content-type"], found) == (200, b"text/html; charset=utf-8", body)


def test_a_directory_without_a_slash_is_elsewhere(root: Path) -> None:
    status, headers, _ = ask(root, "/static/docs", html=True, root_path="/static")
    assert (status, headers[b"location"]) == (307, b"/static/docs/")
    assert ask(root, "//docs", html=True)[1][b"location"] == b"/%2Fdocs/"


@pytest.mark.parametrize("root_path", ["", "/prod"])
def test_the_root_of_a_mount_without_a_slash_is_elsewhere_too(root: Path, root_path: str) -> None:
    path = f"{root_path}/static"
    status, headers, _ = ask(root, path, html=True, root_path=path)
    assert (status, headers[b"location"]) == (307, f"{path}/".encode())
    assert ask(root, f"{path}/", html=True, root_path=path)[2] == b"home"


def test_a_directory_without_an_index_is_not_there(root: Path) -> None:
    assert ask(root, "/docs/empty/", html=True)[0] == 404


def test_a_directory_must_be_there(root: Path) -> None:
    with pytest.raises(ConfigurationError, match="there is none"):
        StaticFiles(root / "none")
    with pytest.raises(ConfigurationError, match="there is none"):
        StaticFiles(root / "index.html")


@given(st.lists(st.sampled_from(["..", ".", "", "docs", "out", "secret.txt", "a b.txt", "\\", "..\\", "\0", "~"])))
@settings(max_examples=300)
def test_no_path_leads_out(root: Path, parts: list[str]) -> None:
    directory = os.path.realpath(root)
    found = located(directory, "/".join(parts))
    assert found is None or found == directory or found.startswith(directory + os.sep)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_what_must_not_be_read_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a")
    (tmp_path / "a").chmod(0)
    assert ask(tmp_path, "/a")[0] == 404
