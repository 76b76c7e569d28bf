"""Cross-origin requests, as the doors answer them."""

import pytest

from lambent.dev.doors import cors
from lambent.dev.doors.model import HTTPReply
from lambent.dev.model import Cors

ORIGIN = "https://shop.example"
SETTINGS = Cors(
    origins=(ORIGIN, "http://*"),
    methods=("GET", "POST"),
    headers=("content-type", "x-a"),
    exposed=("x-b",),
    max_age=300,
    credentials=True,
)
REPLY = HTTPReply(200, [(b"x-b", b"1"), (b"Access-Control-Allow-Origin", b"https://mine.example")], b"hi")


@pytest.mark.parametrize(("kind", "status"), [("http", 204), ("http1", 204), ("url", 200)])
def test_a_preflight(kind: str, status: int) -> None:
    assert cors.preflight(kind, SETTINGS, ORIGIN) == (
        status,
        [
            (b"access-control-allow-origin", ORIGIN.encode()),
            (b"access-control-allow-credentials", b"true"),
            (b"access-control-allow-methods", b"GET,POST"),
            (b"access-control-allow-headers", b"content-type,x-a"),
            (b"access-control-max-age", b"300"),
        ],
        b"",
    )
    assert cors.preflight(kind, SETTINGS, "https://other.example") == (status, [], b"")


def test_an_http_api_replaces_the_function_s_headers() -> None:
    expected = [
        (b"x-b", b"1"),
        (b"access-control-allow-origin", ORIGIN.encode()),
        (b"access-control-allow-credentials", b"true"),
        (b"access-control-expose-headers", b"x-b"),
    ]
    assert cors.applied("http", SETTINGS, ORIGIN, REPLY).headers == expected
    for origin in ("", "https://other.example"):
        assert cors.applied("http1", SETTINGS, origin, REPLY).headers == [(b"x-b", b"1")]


def test_a_function_url_adds_its_own() -> None:
    headers = cors.applied("url", SETTINGS, ORIGIN, REPLY).headers
    assert headers[:3] == [*REPLY.headers, (b"access-control-allow-origin", ORIGIN.encode())]


def test_a_rest_api_and_a_door_without_a_configuration_leave_replies_alone() -> None:
    assert cors.applied("rest", SETTINGS, ORIGIN, REPLY) is REPLY
    assert cors.applied("http", None, ORIGIN, REPLY) is REPLY


@pytest.mark.parametrize(
    ("origins", "credentials", "origin", "allowed"),
    [
        (("*",), False, ORIGIN, "*"),
        (("*",), True, ORIGIN, ORIGIN),
        (("https://*",), False, ORIGIN, ORIGIN),
        (("https://*",), False, "http://shop.example", ""),
        ((ORIGIN,), False, ORIGIN, ORIGIN),
        ((ORIGIN,), False, f"{ORIGIN}.evil", ""),
        ((), False, ORIGIN, ""),
        (("*",), False, "", ""),
    ],
)
def test_which_origins_are_allowed(origins: tuple[str, ...], credentials: bool, origin: str, allowed: str) -> None:
    assert cors.allowed_origin(Cors(origins, credentials=credentials), origin) == allowed


def test_a_rest_api_s_mock_has_the_resource_s_methods_unless_others_are_given() -> None:
    def methods(settings: Cors, *known: str) -> bytes:
        return dict(cors.mock(settings, "", known).headers)[b"Access-Control-Allow-Methods"]

    assert methods(Cors(("*",)), "POST", "GET") == b"GET,OPTIONS,POST"
    assert methods(Cors(("*",)), "ANY") == b"DELETE,GET,HEAD,OPTIONS,PATCH,POST,PUT"
    assert methods(SETTINGS, "PUT") == b"GET,POST"
    reply = cors.mock(SETTINGS, "https://other.example", ["GET"])
    assert (reply.status, reply.body) == (200, b"{}\n")
    assert dict(reply.headers)[b"Access-Control-Allow-Origin"] == ORIGIN.encode(), "one that is fixed"


def test_what_a_preflight_asks() -> None:
    headers = [(b"origin", b"o"), (b"access-control-request-method", b"PUT"), (b"x", b"1")]
    assert cors.asked(headers) == ("o", "PUT")
    assert cors.asked([]) == ("", "")
