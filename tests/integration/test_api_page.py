"""The page of the documentation in a browser: what it shows without the network, and that its policy lets it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest
import uvicorn

from lambent.api import AccessLog, Api, HTMLResponse
from tests.dev.local import LIMIT, until
from tests.support.browser import Browser, browser

QUIET = AccessLog(enabled=False)
LISTED = "[...document.querySelectorAll('#docs tr')].map((row) => row.innerText.split('\\t'))"
DOCUMENT = "fetch(document.querySelector('#docs').dataset.url).then((response) => response.json())"


def application() -> Api:
    """An API, and the same under a prefix: what is mounted there has it as `root_path`."""
    outer = Api(title="Shop <b>&amp;</b>", log=QUIET)
    inner = Api(title="Inner", openapi_url="/schema/openapi.json", docs_url="/help/docs", log=QUIET)

    @outer.get("/items/{item_id}", summary="One <item>")
    async def read_item(item_id: int) -> int:
        return item_id

    @inner.post("/orders")
    async def order(count: int) -> int:
        return count

    @outer.get("/inline", response_class=HTMLResponse)
    async def inline() -> HTMLResponse:
        return HTMLResponse("<script>1</script>", headers={"content-security-policy": "default-src 'none'"})

    outer.mount("/v1", inner)
    return outer


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(application(), log_level="critical", ws="none"))
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        until(lambda: server.started)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join(LIMIT)
    assert not thread.is_alive()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as running:
        yield running


@pytest.mark.parametrize(
    ("path", "title", "rows", "paths"),
    [
        ("/docs", "Shop <b>&amp;</b>", [["GET", "/items/{item_id}", "One <item>"], ["GET", "/inline", "Inline"]], None),
        ("/v1/help/docs", "Inner", [["POST", "/orders", "Order"]], ["/orders"]),
    ],
    ids=["on its own", "under a prefix"],
)
def test_the_page_lists_the_routes_without_a_network(
    chromium: Browser, address: str, path: str, title: str, rows: list[list[str]], paths: list[str] | None
) -> None:
    page = chromium.page(address + path)

    assert page.value("document.querySelector('h1').innerText") == page.value("document.title") == title
    assert page.value(LISTED) == rows
    assert list(page.value(DOCUMENT)["paths"]) == (paths or [row[1] for row in rows])
    assert page.value("typeof SwaggerUIBundle") == "undefined"
    assert page.errors == []


def test_what_a_policy_keeps_from_a_page_would_be_seen(chromium: Browser, address: str) -> None:
    page = chromium.page(f"{address}/inline")
    assert page.value("1") == 1
    (error,) = page.errors
    assert "Content Security Policy" in error
