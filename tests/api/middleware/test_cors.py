"""Beside Starlette's, which browsers have known for long: DIFFERENCES names where ours answers otherwise, and why."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, cast

import pytest
from starlette.middleware.cors import CORSMiddleware as Starlette

from lambent.api.middleware.cors import CORSMiddleware, normal
from lambent.errors import ConfigurationError
from lambent.types import ASGIApp, Message, RawHeaders, Receive, Scope, Send

HERE, THERE = "https://app.example", "https://evil.example"
PREFLIGHT = {"access-control-request-method": "GET"}


class Reply(NamedTuple):
    status: int
    raw: RawHeaders
    body: bytes

    @property
    def headers(self) -> dict[str, str]:
        """A repeated field fails the test: none of these may be."""
        found = [name.decode() for name, _ in self.raw]
        assert len(found) == len(set(found)), found
        return {name.decode(): value.decode() for name, value in self.raw}

    @property
    def cors(self) -> dict[str, set[str]]:
        """What browsers look at; lists in no order, in lower case."""
        names = ("access-control-", "vary")
        return {
            name: {each.strip().lower() for each in value.split(",")}
            for name, value in self.headers.items()
            if name.startswith(names)
        }


def answering(status: int = 200, headers: Sequence[tuple[bytes, bytes]] = ()) -> ASGIApp:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": status, "headers": list(headers)})
        await send({"type": "http.response.body", "body": b"answer"})

    return app


def ask(app: ASGIApp, method: str = "GET", headers: Mapping[str, str] | None = None) -> Reply:
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in (headers or {}).items()]
    return ask_raw(app, method, raw)


def ask_raw(app: ASGIApp, method: str, raw: RawHeaders) -> Reply:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "method": method, "path": "/", "headers": raw}
    asyncio.run(cast("Any", app)(scope, receive, send))
    start, body = sent
    return Reply(start["status"], list(start["headers"]), body["body"])


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_methods_may_be_said_in_any_case(method: str) -> None:
    app = CORSMiddleware(answering(), [HERE], allow_methods=["post", "Patch"])
    reply = ask(app, "OPTIONS", {"origin": HERE, "access-control-request-method": method})
    assert (reply.status, reply.headers["access-control-allow-methods"]) == (204, "POST, PATCH")


OPTIONS: dict[str, dict[str, Any]] = {
    "one origin": {"allow_origins": [HERE]},
    "two origins, credentials": {"allow_origins": [HERE, "http://localhost:3000"], "allow_credentials": True},
    "all origins": {"allow_origins": ["*"]},
    "all origins, credentials": {"allow_origins": ["*"], "allow_credentials": True},
    "a pattern": {"allow_origin_regex": r"https://.*\.example"},
    "methods and headers": {
        "allow_origins": [HERE],
        "allow_methods": ["GET", "PUT"],
        "allow_headers": ["X-Token"],
        "expose_headers": ["X-Total", "ETag"],
        "max_age": 5,
    },
    "everything": {"allow_origins": ["*"], "allow_methods": ["*"], "allow_headers": ["*"]},
    "private network": {"allow_origins": [HERE], "allow_private_network": True},
    "nothing": {},
}
REQUESTS: dict[str, tuple[str, dict[str, str]]] = {
    "no origin": ("GET", {}),
    "allowed": ("GET", {"origin": HERE}),
    "not allowed": ("GET", {"origin": THERE + ".org"}),
    "null": ("GET", {"origin": "null"}),
    "upper case": ("GET", {"origin": "HTTPS://App.Example"}),
    "OPTIONS that is no preflight": ("OPTIONS", {"origin": HERE}),
    "OPTIONS without an origin": ("OPTIONS", PREFLIGHT),
    "preflight": ("OPTIONS", {"origin": HERE, **PREFLIGHT}),
    "preflight of another origin": ("OPTIONS", {"origin": THERE + ".org", **PREFLIGHT}),
    "preflight of null": ("OPTIONS", {"origin": "null", **PREFLIGHT}),
    "preflight of PUT": ("OPTIONS", {"origin": HERE, "access-control-request-method": "PUT"}),
    "preflight of put": ("OPTIONS", {"origin": HERE, "access-control-request-method": "put"}),
    "preflight with a header": (
        "OPTIONS",
        {"origin": HERE, **PREFLIGHT, "access-control-request-headers": "x-token, Content-Type"},
    ),
    "preflight with another": ("OPTIONS", {"origin": HERE, **PREFLIGHT, "access-control-request-headers": "x-other"}),
    "preflight of a private network": (
        "OPTIONS",
        {"origin": HERE, **PREFLIGHT, "access-control-request-private-network": "true"},
    ),
}


def settled(reply: Reply, *, preflight: bool) -> tuple[int, dict[str, set[str]]]:
    """What is compared: 200 and 204 are one to a browser, and of a refusal it reads the status only."""
    status = 200 if preflight and reply.status == 204 else reply.status
    return (status, {"vary": reply.cors["vary"]}) if status == 400 else (status, reply.cors)


SILENT = "nobody is granted or exposed anything who is not allowed"
STAR = "* is there whoever asks, so that nothing varies"
CASE = "schemes and hosts have no case"
NULL = "null, which every sandboxed page has, has to be named to get credentials"
PLAIN = ("no origin", "allowed", "not allowed", "null", "upper case", "OPTIONS that is no preflight")
DIFFERENCES = {
    **{("two origins, credentials", each): SILENT for each in ("not allowed", "null")},
    **{("methods and headers", each): SILENT for each in ("not allowed", "null")},
    **{
        (options, each): STAR
        for options in ("all origins", "everything")
        for each in (*PLAIN, "OPTIONS without an origin")
    },
    **{
        (options, "upper case"): CASE
        for options in ("one origin", "two origins, credentials", "a pattern", "methods and headers", "private network")
    },
    **{("all origins, credentials", each): NULL for each in ("null", "preflight of null")},
}
TABLE = [(options, request) for options in OPTIONS for request in REQUESTS]


@pytest.mark.parametrize(("options", "request_"), TABLE, ids=[" - ".join(each) for each in TABLE])
def test_beside_starlettes(options: str, request_: str) -> None:
    method, headers = REQUESTS[request_]
    preflight = method == "OPTIONS" and {"origin", *PREFLIGHT} <= set(headers)
    ours = settled(ask(CORSMiddleware(answering(), **OPTIONS[options]), method, headers), preflight=preflight)
    theirs = settled(
        ask(cast("ASGIApp", Starlette(cast("Any", answering()), **OPTIONS[options])), method, headers),
        preflight=preflight,
    )
    if (options, request_) in DIFFERENCES:
        assert ours != theirs, "the difference is gone: take it off the list"
    else:
        assert ours == theirs


def test_a_preflight_is_answered_without_the_application() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise AssertionError("asked")

    reply = ask(CORSMiddleware(app, [HERE]), "OPTIONS", {"origin": HERE, **PREFLIGHT})

    assert (reply.status, reply.body) == (204, b"")
    assert reply.headers == {
        "vary": "Origin, Access-Control-Request-Method, Access-Control-Request-Headers, "
        "Access-Control-Request-Private-Network",
        "access-control-allow-origin": HERE,
        "access-control-allow-methods": "GET",
        "access-control-max-age": "600",
        "access-control-allow-headers": "accept, accept-language, content-language, content-type",
    }


def test_a_refused_preflight_says_why_and_repeats_nothing() -> None:
    headers = {
        "origin": THERE,
        "access-control-request-method": "DELETE",
        "access-control-request-headers": "x-secret",
        "access-control-request-private-network": "true",
    }
    reply = ask(CORSMiddleware(answering(), [HERE]), "OPTIONS", headers)

    assert reply.status == 400
    assert reply.body.decode() == (
        "The preflight is refused: the origin is not allowed, the method is not allowed, a header is not allowed, "
        "private networks are not allowed.\n"
    )
    assert reply.headers["content-length"] == str(len(reply.body))
    assert not any(name.startswith("access-control") for name in reply.headers)


@pytest.mark.parametrize("status", [404, 422, 500])
def test_errors_have_their_fields_too(status: int) -> None:
    reply = ask(CORSMiddleware(answering(status), [HERE]), headers={"origin": HERE})
    assert (reply.status, reply.headers["access-control-allow-origin"]) == (status, HERE)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([], "Origin"),
        (["Accept-Encoding"], "Accept-Encoding, Origin"),
        (["origin"], "origin"),
        (["Accept", "ORIGIN, Cookie"], "Accept, ORIGIN, Cookie"),
        (["*"], "*"),
        (["Accept, *"], "*"),
        ([" , "], "Origin"),
    ],
)
def test_vary_is_joined(before: list[str], after: str) -> None:
    app = answering(headers=[(b"Vary", each.encode()) for each in before])
    assert ask(CORSMiddleware(app, [HERE])).headers["vary"] == after


def test_what_the_application_says_of_origins_gives_way() -> None:
    app = answering(headers=[(b"access-control-allow-origin", b"*"), (b"Access-Control-Allow-Origin", b"null")])
    reply = ask(CORSMiddleware(app, [HERE]), headers={"origin": HERE})
    assert reply.headers == {
        "access-control-allow-origin": HERE,
        "vary": "Origin",
    }


def test_all_header_fields_are_named_again_but_only_names() -> None:
    app = CORSMiddleware(answering(), ["*"], allow_headers=["*"])
    asked = {"origin": HERE, **PREFLIGHT}

    good = ask(app, "OPTIONS", {**asked, "access-control-request-headers": "X-A,, authorization ,"})
    bad = [
        ask(app, "OPTIONS", {**asked, "access-control-request-headers": f"x-a, {each}"})
        for each in ("x\r\nset-cookie: a", "x y", "x:y", "é", "\0")
    ]

    assert good.headers["access-control-allow-headers"] == "x-a, authorization"
    assert {reply.status for reply in bad} == {400}


@pytest.mark.parametrize(
    "origin", ["https://a\r\nset-cookie: x", "https://a/path", "https://", "a", "", "https://a, https://b", "https://é"]
)
def test_with_credentials_only_an_origin_is_named_again(origin: str) -> None:
    app = CORSMiddleware(answering(), ["*"], allow_credentials=True)
    assert set(ask(app, headers={"origin": origin}).headers) == {"vary"}


def test_two_origins_are_none() -> None:
    app = CORSMiddleware(answering(), [HERE])
    assert set(ask_raw(app, "GET", [(b"origin", HERE.encode())] * 2).headers) == {"vary"}


def test_credentials_never_go_with_a_star() -> None:
    app = CORSMiddleware(answering(), ["*"], allow_credentials=True)
    assert ask(app, headers={"origin": THERE}).headers == {
        "access-control-allow-origin": THERE,
        "access-control-allow-credentials": "true",
        "vary": "Origin",
    }


@pytest.mark.parametrize(
    "options", [{"allow_origins": ["null"]}, {"allow_origins": ["null"], "allow_credentials": True}]
)
def test_null_counts_where_it_is_named(options: dict[str, Any]) -> None:
    reply = ask(CORSMiddleware(answering(), **options), headers={"origin": "null"})
    assert reply.headers["access-control-allow-origin"] == "null"


def test_a_pattern_does_not_match_null_nor_a_part() -> None:
    app = CORSMiddleware(answering(), allow_origin_regex="https://app.*|.*null")
    told = [
        "access-control-allow-origin" in ask(app, headers={"origin": each}).headers
        for each in ("null", "https://apple.example", "HTTPS://APP.example", "https://x.example?https://app.example")
    ]
    assert told == [False, True, True, False]


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        ("HTTPS://Example.COM:443", "https://example.com"),
        ("http://example.com:80", "http://example.com"),
        ("http://example.com:443", "http://example.com:443"),
        ("http://[::1]:3000", "http://[::1]:3000"),
        ("capacitor://localhost", "capacitor://localhost"),
        ("chrome-extension://abcdef", "chrome-extension://abcdef"),
        ("null", "null"),
        ("NULL", ""),
        ("example.com", ""),
        ("https://example.com/", ""),
    ],
)
def test_origins_have_one_form(origin: str, expected: str) -> None:
    assert normal(origin) == expected


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            {"allow_origins": ["https://a.example/"]},
            "without a path or a slash at the end, but got 'https://a.example/'",
        ),
        ({"allow_origins": ["https://*.example"]}, "Patterns go into allow_origin_regex"),
        ({"allow_origins": HERE}, r"a list of texts, but got a text: write \['https://app.example'\]"),
        ({"allow_methods": ["GET POST"]}, "allow_methods: expected names"),
        ({"allow_headers": ["X-A\r\n"]}, "allow_headers: expected names"),
        ({"expose_headers": ["X: A"]}, "expose_headers: expected names"),
        ({"allow_origin_regex": "("}, "allow_origin_regex: expected a regular expression"),
        ({"max_age": -1}, "max_age: expected a number of seconds"),
    ],
)
def test_what_cannot_work_is_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        CORSMiddleware(answering(), **options)


@pytest.mark.parametrize("kind", ["websocket", "lifespan"])
def test_what_is_not_http_passes(kind: str) -> None:
    seen: list[object] = []

    async def app(*given: object) -> None:
        seen.extend(given)

    async def receive() -> Message:
        return {}

    async def send(message: Message) -> None:
        return None

    scope = {"type": kind, "headers": [(b"origin", THERE.encode())]}
    asyncio.run(cast("Any", CORSMiddleware(app, [HERE])(scope, receive, send)))
    assert seen == [scope, receive, send]


def test_messages_of_the_application_stay_as_they_are() -> None:
    head = {"type": "http.response.start", "status": 200, "headers": ((b"a", b"b"),)}

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        for _ in range(2):
            await send(head)

    sent: list[Message] = []

    async def run() -> None:
        async def send(message: Message) -> None:
            sent.append(message)

        await CORSMiddleware(app, [HERE])({"type": "http", "method": "GET", "headers": []}, cast("Any", None), send)

    asyncio.run(run())
    assert head["headers"] == ((b"a", b"b"),)
    assert sent[0] == sent[1]
