import asyncio
import json
import os
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from lambent.dev.authorizers import keys
from lambent.dev.authorizers.keys import Keys
from lambent.dev.authorizers.tokens import BadToken
from tests.dev.authorizers.issuer import Site, jwk, jwks

URL = "https://keys.example.com/jwks"


class Web:
    """Pages that change, and a clock to wait by."""

    def __init__(self, **pages: bytes) -> None:
        self.pages = {URL: jwks(), **pages}
        self.asked: list[str] = []
        self.now = 0.0
        self.keys = Keys(self.read, lambda: self.now)

    def read(self, url: str) -> bytes:
        self.asked.append(url)
        if url not in self.pages:
            raise OSError("it is down")
        return self.pages[url]

    def find(self, key_id: str, place: str = URL, issuer: str = "") -> object:
        return asyncio.run(self.keys.find(place, issuer, key_id))["kid"]

    def refused(self, key_id: str, place: str = URL, issuer: str = "") -> tuple[str, str]:
        with pytest.raises(BadToken) as caught:
            self.find(key_id, place, issuer)
        return caught.value.description, caught.value.why


def test_keys_are_read_once_in_two_hours() -> None:
    web = Web()
    for web.now in (0, 1, 7199, 7200, 7201):
        assert web.find("a") == "a"
    assert len(web.asked) == 2


def test_an_unknown_key_is_looked_for_but_not_every_time() -> None:
    web = Web()
    assert web.find("a") == "a"
    for web.now in (1, 9):
        assert web.refused("b")[1] == f"the token names the key 'b', but {URL} has 'a'"
    assert len(web.asked) == 1
    web.pages[URL] = jwks("a", "b")
    web.now = 10
    assert web.find("b") == "b"
    assert len(web.asked) == 2


def test_those_who_ask_at_once_wait_for_the_same() -> None:
    web = Web()

    async def ask() -> None:
        await asyncio.gather(*(web.keys.find(URL, "", "a") for _ in range(20)))

    asyncio.run(ask())
    assert len(web.asked) == 1


def test_one_who_goes_away_does_not_take_it_from_the_others() -> None:
    web = Web()

    async def ask() -> None:
        one, other = (asyncio.ensure_future(web.keys.find(URL, "", "a")) for _ in range(2))
        await asyncio.sleep(0)
        one.cancel()
        assert (await other)["kid"] == "a"

    asyncio.run(ask())


def test_what_was_down_is_tried_again() -> None:
    web = Web()
    page = web.pages.pop(URL)
    assert web.refused("a") == ("JWKS communication error", f"{URL} cannot be read: it is down")
    web.pages[URL] = page
    assert web.find("a") == "a"


def test_the_issuer_tells_where_its_keys_are() -> None:
    where = "https://login.example.com/pool/.well-known/openid-configuration"
    web = Web(**{where: json.dumps({"jwks_uri": URL}).encode()})
    for issuer in ("https://login.example.com/pool", "https://login.example.com/pool/"):
        assert web.find("a", "", issuer) == "a"
    assert web.asked == [where, URL] * 2


@pytest.mark.parametrize(
    "page", [b"", b"{}", b"[]", b'{"jwks_uri": "file:///etc/passwd"}', b'{"jwks_uri": 1}', b"\xff"]
)
def test_an_issuer_that_does_not_is_named(page: bytes) -> None:
    where = "https://login.example.com/.well-known/openid-configuration"
    refused = Web(**{where: page}).refused("a", "", "https://login.example.com")
    assert refused == ("OIDC discovery endpoint communication error", f"{where} names no jwks_uri")


def test_an_issuer_that_is_no_url_is_named() -> None:
    assert Web().refused("a", "", "me")[1] == "the issuer 'me' is no URL, and the authorizer names no JWKS"


@pytest.mark.parametrize("page", [b"", b"<html>", b"[]", b'{"keys": 1}'])
def test_what_is_no_jwks_is_named(page: bytes) -> None:
    web = Web()
    web.pages[URL] = page
    assert web.refused("a")[1] == f"{URL} is no JWKS: expected JSON with a list of keys"


def test_keys_for_other_things_are_left_out() -> None:
    web = Web()
    web.pages[URL] = json.dumps({"keys": [jwk(use="enc"), {"kty": "RSA"}, "x"]}).encode()
    assert web.refused("a")[1].endswith("has none")


def test_a_file_is_read_again_when_it_has_changed(tmp_path: Path) -> None:
    web, file = Web(), tmp_path / "jwks.json"
    assert "cannot be read: No such file" in web.refused("a", str(file))[1]
    file.write_bytes(jwks("a"))
    assert web.find("a", str(file)) == "a"
    assert web.refused("b", str(file))[1] == f"the token names the key 'b', but {file} has 'a'"
    file.write_bytes(jwks("a", "b"))
    os.utime(file, ns=(1, 1))
    assert web.find("b", str(file)) == "b"
    assert web.asked == []


def served(run: Callable[[Site], Awaitable[object]], **pages: bytes | None) -> Site:
    with Site(**pages) as site:
        asyncio.run(run(site))  # type: ignore[arg-type]  # a coroutine function
    return site


def test_keys_come_over_http() -> None:
    async def ask(site: Site) -> None:
        found = Keys()
        for _ in range(3):
            assert (await found.find(f"{site.url}/jwks", "", "a"))["kid"] == "a"

    assert served(ask, jwks=jwks()).asked == ["/jwks"]


@pytest.mark.parametrize(
    ("page", "why"), [("gone", "HTTP status 404"), ("large", "larger than 1048576 bytes"), ("stuck", "timed out")]
)
def test_what_does_not_come_over_http_is_named(page: str, why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "PATIENCE", 0.2 if page == "stuck" else 20)

    async def ask(site: Site) -> None:
        with pytest.raises(BadToken, match=why):
            await Keys().find(f"{site.url}/{page}", "", "a")

    served(ask, large=b"x" * (1024 * 1024 + 1), stuck=None)


def test_nobody_there_and_nothing_sensible_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(OSError, match="refused"):
        keys.get(f"http://127.0.0.1:{port}/")
    with pytest.raises(OSError, match="InvalidURL"):
        keys.get("http://127.0.0.1:port/")
