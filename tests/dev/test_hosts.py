"""Whose requests are served."""

import pytest

from lambent.dev.hosts import Hosts

LOCAL = Hosts("127.0.0.1")
ALLOWED = Hosts("0.0.0.0", ("Tunnel.example", ".corp.test"))


def refusal(hosts: Hosts, host: str, *origins: str) -> str | None:
    return hosts.refusal([(b"host", host.encode()), *((b"origin", origin.encode()) for origin in origins)])


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "localhost:3000",
        "LOCALHOST",
        "app.localhost:1",
        "localhost.",
        "127.0.0.1:3000",
        "127.9.9.9",
        "[::1]:80",
    ],
)
def test_the_loopback_is_served_by_all_its_names(host: str) -> None:
    assert refusal(LOCAL, host) is None


@pytest.mark.parametrize(
    "host",
    [
        "evil.test",
        "localhost.evil.test",
        "127.0.0.1.evil.test",
        "evillocalhost",
        "192.168.1.5",
        "",
        ":3000",
        "[",
        "a@b",
    ],
)
def test_any_other_host_is_refused(host: str) -> None:
    assert refusal(LOCAL, host) is not None


def test_the_bound_host_is_served() -> None:
    assert refusal(Hosts("192.168.1.5"), "192.168.1.5:3000") is None


@pytest.mark.parametrize("host", ["tunnel.example", "TUNNEL.example:443", "corp.test", "a.corp.test", "a.b.corp.test"])
def test_an_allowed_host_is_served(host: str) -> None:
    assert refusal(ALLOWED, host) is None


@pytest.mark.parametrize("host", ["a.tunnel.example", "evilcorp.test", "corp.test.evil"])
def test_an_allowed_host_allows_no_more_than_it_says(host: str) -> None:
    assert refusal(ALLOWED, host) is not None


def test_the_refusal_says_what_to_do() -> None:
    text = refusal(LOCAL, "my.tunnel:3000")
    assert text is not None
    assert "--allow-host my.tunnel" in text


@pytest.mark.parametrize("origin", ["http://localhost:5173", "https://127.0.0.1", "http://[::1]:1"])
def test_a_local_page_may_ask(origin: str) -> None:
    assert refusal(LOCAL, "localhost", origin) is None


def test_so_may_one_of_an_origin_that_is_named_and_of_no_other() -> None:
    hosts = Hosts("127.0.0.1", origins=("https://shop.test",))
    assert refusal(hosts, "localhost", "https://shop.test") is None
    for origin in ("http://shop.test", "https://shop.test.evil", "https://a.shop.test"):
        assert refusal(hosts, "localhost", origin)
    assert refusal(hosts, "shop.test", "https://shop.test"), "that is no name of the server"


@pytest.mark.parametrize("origin", ["https://evil.test", "null", "http://[", "http://localhost.evil.test"])
def test_a_page_of_another_site_may_not(origin: str) -> None:
    text = refusal(LOCAL, "localhost", origin)
    assert text is not None
    assert "Origin" in text


@pytest.mark.parametrize("hosts", [(), ("localhost", "evil.test"), ("localhost", "localhost")])
def test_a_request_has_one_host(hosts: tuple[str, ...]) -> None:
    assert LOCAL.refusal([(b"host", host.encode()) for host in hosts]) is not None
