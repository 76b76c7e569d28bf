"""The page: what stands in it, what it may load, and that a browser shows the routes without the network."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from urllib.parse import urljoin

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.api.openapi.page import SWAGGER_UI, page, policy, relative

DOCUMENT = {
    "paths": {
        "/items/{id}": {"get": {"summary": "Read <item>"}, "delete": {"summary": "Delete item"}},
        "/<b>": {"post": {}},
    }
}


class Read(HTMLParser):
    """Tags with their attributes, and the text outside of scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.scripts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        tag, attributes = self.tags[-1] if self.tags else ("", {})
        if tag == "script" and "src" not in attributes and data.strip():
            self.scripts.append(data)
        elif tag not in {"script", "style"}:
            self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def test_the_routes_are_listed_in_the_page_itself() -> None:
    read = Read(page("Shop", "openapi.json", DOCUMENT))
    assert re.findall(r"(GET|DELETE|POST)(\S*?)(Read <item>|Delete item|)\n", read.text) == [
        ("GET", "/items/{id}", "Read <item>"),
        ("DELETE", "/items/{id}", "Delete item"),
        ("POST", "/<b>", ""),
    ]
    assert {"href": "openapi.json"} in read.all("a")


def test_without_a_document_there_is_the_list() -> None:
    read = Read(page("Shop", "", DOCUMENT))
    assert "/items/{id}" in read.text
    assert read.all("a") == []
    assert {"id": "docs", "data-url": ""} in read.all("div")


@given(st.text(), st.text(min_size=1))
def test_what_is_given_is_text_in_the_page(title: str, url: str) -> None:
    read = Read(page(title, url, {"paths": {f"/{title}": {"get": {"summary": url}}}}))
    plain = Read(page("a", "b", {"paths": {"/a": {"get": {"summary": "b"}}}}))
    assert [tag for tag, _ in read.tags] == [tag for tag, _ in plain.tags]
    assert read.scripts == plain.scripts


def test_what_is_loaded_is_pinned_by_version_and_hash() -> None:
    read = Read(page("Shop", "openapi.json"))
    assert re.fullmatch(r"https://cdn\.jsdelivr\.net/npm/swagger-ui-dist@\d+\.\d+\.\d+/", SWAGGER_UI)
    outside = [
        each
        for each in read.all("script") + read.all("link")
        if each.get("src", each.get("href", "data:,")) != "data:,"
    ]
    assert len(outside) == 2
    for each in outside:
        assert str(each.get("src") or each["href"]).startswith(SWAGGER_UI)
        assert len(base64.b64decode(str(each["integrity"]).removeprefix("sha384-"))) == 48
        assert each["crossorigin"] == "anonymous"


def test_only_that_script_may_run() -> None:
    (script,) = Read(page("Shop", "openapi.json")).scripts
    hashed = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    directives = dict(each.split(" ", 1) for each in policy().split("; "))
    assert directives["script-src"] == f"{SWAGGER_UI}swagger-ui-bundle.js 'sha256-{hashed}'"
    assert directives["default-src"] == "'none'"
    assert policy().isascii()
    assert policy().isprintable()


@pytest.mark.parametrize(
    ("docs", "document", "expected"),
    [
        ("/docs", "/openapi.json", "openapi.json"),
        ("/docs/", "/openapi.json", "../openapi.json"),
        ("/a/docs", "/b/openapi.json", "../b/openapi.json"),
        ("/a/docs", "/openapi.json", "../openapi.json"),
        ("/", "/openapi.json", "openapi.json"),
        ("/docs", "/spec/", "spec/"),
    ],
)
@pytest.mark.parametrize("prefix", ["", "/prod", "/a/b"])
def test_the_document_is_found_behind_a_prefix(docs: str, document: str, expected: str, prefix: str) -> None:
    assert relative(docs, document) == expected
    assert urljoin(f"https://host{prefix}{docs}", expected) == f"https://host{prefix}{document}"
