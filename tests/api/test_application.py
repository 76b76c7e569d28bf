"""The whole application: what developers say of it, and what clients send that is not as it should be."""

import asyncio
import gc
import math
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from pathlib import Path as FilePath
from typing import Annotated, Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware

from lambent.api import (
    Api,
    Body,
    Cookie,
    Depends,
    FileResponse,
    Form,
    Header,
    HTTPException,
    Path,
    Query,
    RedirectResponse,
    Request,
    Response,
    Router,
    StaticFiles,
    UploadFile,
)
from lambent.errors import ConfigurationError
from tests.api.asking import JSON, Answer, Headers, Line, Logged, ask, asking, run, scope_of

DEEP = 100_000
"""Arrays in arrays."""


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Item(BaseModel):
    name: str
    price: float
    tags: list[str] = []


@dataclass
class Order:
    number: int
    colour: Colour = Colour.RED


def service() -> Logged:
    """With everything that a client can be wrong about."""
    api = Logged(max_body=1_000_000)

    @api.post("/items/{item_id}")
    async def add(
        item_id: Annotated[int, Path(ge=1)],
        item: Item,
        page: Annotated[int, Query(le=9)] = 1,
        colour: Colour = Colour.RED,
        tag: Annotated[list[int], Query(max_length=5)] = [],  # noqa: B006 - as users write it
        x_token: Annotated[UUID | None, Header()] = None,
        visits: Annotated[int, Cookie()] = 0,
    ) -> dict[str, object]:
        return {"item_id": item_id, "item": item, "page": page, "colour": colour, "tag": tag, "visits": visits}

    @api.post("/fields")
    async def fields(name: str, count: int = 1, colour: Colour = Colour.RED) -> dict[str, object]:
        return {"name": name, "count": count, "colour": colour}

    @api.post("/orders")
    async def order(order: Order, note: Annotated[str, Body(max_length=3)] = "") -> int:
        return order.number

    @api.post("/form")
    async def form(age: Annotated[int, Form(ge=0)], name: Annotated[str, Form(pattern="[a-z]+$")] = "") -> int:
        return age

    @api.post("/upload")
    async def upload(file: UploadFile, size: Annotated[int, Form()] = 0) -> int:
        return len(await file.read())

    @api.post("/raw")
    async def raw(request: Request) -> int:
        return len(await request.body())

    @api.post("/text")
    async def text(request: Request) -> str:
        return await request.text()

    @api.get("/query")
    async def query(request: Request) -> dict[str, list[str]]:
        return {name: request.query.getlist(name) for name in request.query}

    @api.get("/plain")
    async def plain(q: str = "") -> str:
        return q

    return api


ITEM = '{"name": "lamp", "price": 9.5}'


def posted(body: bytes | str, target: str = "/items/7", content_type: str = "application/json") -> Answer:
    return ask(service(), "POST", target, {"content-type": content_type}, body)


def places(answer: Answer) -> list[list[str | int]]:
    assert answer.status == 422, answer
    return [each["loc"] for each in answer.json["detail"]]


# Bodies


@pytest.mark.parametrize(
    "body",
    [
        '{"name": ',
        "lamp",
        "{'name': 'lamp'}",
        '{"name": "lamp", "price": 9.5} {}',
        "\x00",
        '{"name": "\x00lamp", "price": 9.5}',
    ],
)
@pytest.mark.parametrize("target", ["/items/7", "/fields", "/orders"])
def test_bodies_that_are_not_json(body: str, target: str) -> None:
    assert places(posted(body, target)) == [["body"]]


@pytest.mark.parametrize("target", ["/items/7", "/fields", "/orders"])
@pytest.mark.parametrize(
    "body",
    ["[" * DEEP, '{"name":' * DEEP, "[" * DEEP + "]" * DEEP, '{"name":' + "[" * DEEP + "]" * DEEP + "}"],
    ids=["open arrays", "open objects", "arrays", "a field"],
)
def test_bodies_that_are_too_deep(body: str, target: str) -> None:
    assert posted(body, target).status == 422
    gc.collect()  # of so deep a value, here and not in whichever test is next


def test_bodies_that_are_too_large() -> None:
    for target in ("/items/7", "/fields", "/raw", "/form", "/upload"):
        for headers in ({}, {"content-length": "1000001"}, {"content-length": "9" * 30}):
            kind = {"/form": "application/x-www-form-urlencoded", "/upload": "multipart/form-data; boundary=a"}
            answer = ask(
                service(),
                "POST",
                target,
                {**headers, "content-type": kind.get(target, "application/json")},
                b" " * 1_000_001,
            )
            assert (answer.status, answer.json) == (413, {"detail": "Expected a body of at most 1000000 bytes."})
    assert ask(service(), "POST", "/raw", {}, b" " * 1_000_000).json == 1_000_000


def test_a_body_that_is_too_large_is_not_waited_for() -> None:
    async def main() -> Answer:
        line = Line(b" " * 600_000, b" " * 600_000)
        line._coming[-1]["more_body"] = True
        await service()(scope_of("POST", "/raw"), line.receive, line.send)
        return line.answer

    assert run(main()).status == 413


@pytest.mark.parametrize(
    ("target", "body", "expected"),
    [
        ("/items/7", "[]", [["body"]]),
        ("/items/7", "null", [["body"]]),
        ("/items/7", '"lamp"', [["body"]]),
        (
            "/items/7",
            '{"name": 1, "price": "high", "tags": [1]}',
            [["body", "name"], ["body", "price"], ["body", "tags", 0]],
        ),
        ("/items/7", "{}", [["body", "name"], ["body", "price"]]),
        ("/items/7", "", [["body"]]),
        ("/fields", "[1]", [["body"]]),
        (
            "/fields",
            '{"name": ["a"], "count": "many", "colour": 7}',
            [["body", "name"], ["body", "count"], ["body", "colour"]],
        ),
        ("/fields", "{}", [["body", "name"]]),
        ("/orders", '{"order": {"number": "x"}, "note": "long"}', [["body", "order", "number"], ["body", "note"]]),
    ],
)
def test_bodies_of_the_wrong_type(target: str, body: str, expected: list[list[str | int]]) -> None:
    assert sorted(map(str, places(posted(body, target)))) == sorted(map(str, expected))


def test_unknown_fields() -> None:
    answer = posted('{"name": "lamp", "cuont": 2}', "/fields")
    assert answer.json == {
        "detail": [{"loc": ["body", "cuont"], "msg": "Expected no such field.", "type": "unexpected"}]
    }
    assert places(posted('{"name": "a", "' + "k" * 5000 + '": 1}', "/fields")) == [["body", "k" * 100]]
    many = ", ".join(f'"{number}": 1' for number in range(10_000))
    assert len(places(posted('{"name": "a", ' + many + "}", "/fields"))) == 101


def test_every_problem_is_told_at_once() -> None:
    headers = {**JSON, "x-token": "none", "cookie": "visits=many"}
    answer = ask(service(), "POST", "/items/0?page=10&colour=pink&tag=1&tag=x", headers, '{"price": 1}')
    assert sorted(map(str, places(answer))) == sorted(
        map(
            str,
            [
                *(["path", "item_id"], ["body", "name"], ["query", "page"], ["query", "colour"]),
                *(["query", "tag", 1], ["header", "x-token"], ["cookie", "visits"]),
            ],
        )
    )


def test_a_line_of_the_log_tells_the_places_and_not_what_came() -> None:
    api = service()
    ask(api, "POST", "/fields", JSON, '{"name": ["the secret"]}')
    assert api.line["level"] == "warning"
    assert api.line["error_detail"].startswith("body.name: Expected")
    assert "secret" not in str(api.line)


# UTF-8


@pytest.mark.parametrize(
    ("target", "kind", "body", "status"),
    [
        ("/items/7", "application/json", b'{"name": "\xff", "price": 1}', 422),
        ("/fields", "application/json", b'{"name": "\xc3"}', 422),
        ("/fields", "application/json", '{"name": "lamp"}'.encode("utf-16"), 422),
        ("/text", "text/plain", b"\xff", 422),
        ("/form", "application/x-www-form-urlencoded", b"age=1&name=%FF", 422),
    ],
)
def test_invalid_utf_8_in_bodies(target: str, kind: str, body: bytes, status: int) -> None:
    answer = posted(body, target, kind)
    assert answer.status == status, answer


def test_invalid_utf_8_elsewhere_is_replaced() -> None:
    api = service()
    assert ask(api, "GET", "/plain?q=%FFa").body.decode() == "\ufffda"
    assert ask(api, "GET", "/plain", path="/pl\udcffain").status == 404
    assert ask(api, "GET", "/plain", {"cookie": "a=\xff", "user-agent": "\xff"}).status == 200


# Query


def test_duplicated_query_keys() -> None:
    api = service()
    answer = ask(api, "POST", "/items/7?page=1&page=2&tag=1&tag=2", JSON, ITEM)
    assert (answer.json["page"], answer.json["tag"]) == (2, [1, 2])
    assert ask(api, "GET", "/query?a=1&b=2&a=").json == {"a": ["1", ""], "b": ["2"]}


@pytest.mark.parametrize("target", ["/query", "/plain", "/items/7", "/nothing"])
def test_a_hundred_thousand_query_parameters(target: str) -> None:
    for query in ("&".join(f"q{number}=1" for number in range(100_000)), "q=1&" * 100_000, "&" * 100_000):
        began = time.process_time()
        answer = ask(service(), "POST" if target == "/items/7" else "GET", f"{target}?{query}", JSON, ITEM)
        assert time.process_time() - began < 1
        assert answer.status == (404 if target == "/nothing" else 400)


def test_thousands_of_headers_cookies_and_fields() -> None:
    api = service()
    assert ask(api, "POST", "/items/7", [*JSON.items(), *[("x-a", "b")] * 20_000], ITEM).status == 200
    assert ask(api, "POST", "/items/7", {**JSON, "cookie": "a=b; " * 50_000}, ITEM).status == 200
    form = "application/x-www-form-urlencoded"
    assert ask(api, "POST", "/form", {"content-type": form}, "age=1&" * 50_000).status == 400


# Content types


@pytest.mark.parametrize(
    "kind",
    [
        "APPLICATION/JSON",
        "Application/Json; Charset=UTF-8",
        'application/json;charset="utf-8"',
        "application/json ; profile=a",
        "application/vnd.api+JSON",
        "application/json;",
        "application/json; charset=utf8",
        "",
    ],
)
def test_content_types_with_odd_case_and_charset(kind: str) -> None:
    assert posted(ITEM, content_type=kind).status == 200


@pytest.mark.parametrize(
    "kind",
    [
        *("text/plain", "application/jsonp", "json", "application/xml", "text/json; charset=utf-8", "/"),
        *("application/json; charset=utf-16", "application/json; charset=idna", "multipart/form-data"),
        *("application/json, text/plain", "application/jsonnot"),
    ],
)
def test_other_content_types(kind: str) -> None:
    answer = posted(ITEM, content_type=kind)
    assert answer.status == 415
    assert set(answer.json) == {"detail"}


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("Application/X-WWW-Form-Urlencoded; Charset=UTF-8", 200),
        ("application/x-www-form-urlencoded; charset=utf-7", 415),
        ("application/json", 415),
    ],
)
def test_content_types_of_forms(kind: str, status: int) -> None:
    assert posted("age=1", "/form", kind).status == status


@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        ("multipart/form-data", b"", 400),
        ("multipart/form-data; boundary=", b"", 400),
        ("multipart/form-data; boundary=edge", b"", 400),
        ("multipart/form-data; boundary=edge", b"--edge\r\n", 400),
        ("multipart/form-data; boundary=edge", b"--other\r\n\r\n--other--", 400),
        ("multipart/form-data; boundary=edge", b"--edge--\r\n", 422),
        (
            "Multipart/Form-Data; Boundary=edge",
            b'--edge\r\ncontent-disposition: form-data; name="file"\r\n\r\na\r\n--edge--',
            422,
        ),
        (
            "multipart/form-data; boundary=edge",
            b'--edge\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\na',
            400,
        ),
    ],
)
def test_broken_uploads(kind: str, body: bytes, status: int) -> None:
    answer = posted(body, "/upload", kind)
    assert answer.status == status, answer


# Headers


@pytest.mark.parametrize("text", ["a\r\nset-cookie: b=c", "a\nb", "a\rb", "a\x00b"])
@pytest.mark.parametrize("way", ["header", "cookie", "injected", "status"])
def test_a_header_cannot_be_made_two(text: str, way: str) -> None:
    api = Logged(errors="respond")

    @api.post("/")
    async def read(request: Request, response: Response) -> Response | None:
        given = await request.text()
        if way == "header":
            return Response("", headers={"x-name": given})
        if way == "cookie":
            response.set_cookie("name", given)
        elif way == "injected":
            response.headers["x-name"] = given
        else:
            raise HTTPException(400, headers={"x-name": given})
        return None

    answer = ask(api, "POST", "/", {"content-type": "text/plain"}, text)
    assert (answer.status, answer.json) == (500, {"detail": "Internal Server Error"})
    assert "set-cookie" not in answer.headers
    assert ask(api, "POST", "/", {"content-type": "text/plain"}, "a").status in {200, 204, 400}


@pytest.mark.parametrize("text", ["/a\r\nset-cookie: b=c", "/a%0d%0aset-cookie:%20b=c", "/\x00", "/é"])
def test_a_redirect_cannot_be_made_two(text: str) -> None:
    api = Logged()

    @api.post("/")
    async def read(request: Request) -> Response:
        return RedirectResponse(await request.text())

    answer = ask(api, "POST", "/", {"content-type": "text/plain"}, text)
    assert answer.status == 307
    assert "set-cookie" not in answer.headers
    assert answer.headers["location"].isascii()
    assert answer.headers["location"].isprintable()


@pytest.mark.parametrize("path", ["//evil.example/items", "/\\evil.example/items", "//evil.example//items"])
def test_the_redirect_of_a_slash_stays_on_this_host(path: str) -> None:
    api = Logged()
    api.get("/{host}/items/")(lambda host: host)
    api.get("/{whatever:path}/")(lambda whatever: whatever)
    answer = ask(api, "GET", path, path=path)
    if answer.status == 307:
        assert not answer.headers["location"].startswith(("//", "/\\", "http"))


# Files


@pytest.fixture
def folder(tmp_path: FilePath) -> FilePath:
    (tmp_path / "public" / "below").mkdir(parents=True)
    (tmp_path / "public" / "a.txt").write_text("public", "utf-8")
    (tmp_path / "public" / "below" / "b.txt").write_text("below", "utf-8")
    (tmp_path / "secret.txt").write_text("secret", "utf-8")
    (tmp_path / "public-not").mkdir()
    (tmp_path / "public-not" / "c.txt").write_text("secret", "utf-8")
    (tmp_path / "public" / "link").symlink_to(tmp_path / "secret.txt")
    return tmp_path


@pytest.mark.parametrize(
    "path",
    [
        *("/../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt", "/below/../../secret.txt", "/..\\secret.txt"),
        *("//etc/passwd", "/%2Fetc%2Fpasswd", "/../public-not/c.txt", "/a.txt%00", "/%00", "/link", "/.", "/..", "/"),
        *("/a.txt/", "/a.txt/..", "/" + "a" * 5000, "/~root", "/below", "/%ff", "/a.txt%2F..%2F..%2Fsecret.txt"),
    ],
)
def test_path_traversal_in_files(folder: FilePath, path: str) -> None:
    api = Logged()
    api.mount("/files", StaticFiles(folder / "public"))

    @api.get("/file/{name:path}")
    async def read(name: str) -> Response:
        return FileResponse(folder / "public" / "a.txt", filename=name)

    answer = ask(api, "GET", f"/files{path}")
    assert answer.status == 404, answer
    assert b"secret" not in answer.body
    assert ask(api, "GET", "/files/a.txt").body == b"public"
    named = ask(api, "GET", f"/file{path}")
    if named.status == 200:
        assert "\r" not in named.headers["content-disposition"]
        assert named.headers["content-disposition"].isascii()


# Nothing is echoed

MARKER = "Zq9marker"

markers = st.sampled_from([MARKER, f"{MARKER}\xe9", f"<{MARKER}>", f'"{MARKER}', f"{MARKER}\\u0000", f"1{MARKER}"])
KINDS = ["application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=edge", "text/plain"]


def texts(marker: str) -> list[str]:
    """Bodies with it."""
    quoted = marker.replace("\\", "\\\\").replace('"', '\\"')
    part = f'--edge\r\ncontent-disposition: form-data; name="size"\r\n\r\n{marker}\r\n--edge--\r\n'
    upload = f'--edge\r\ncontent-disposition: form-data; name="file"; filename="{marker}"\r\n\r\n{marker}\r\n--edge'
    return [
        marker,
        f'{{"name": ["{quoted}"], "price": "{quoted}", "tags": ["{quoted}"]}}',
        f'{{"name": "a", "count": "{quoted}", "colour": "{quoted}"}}',
        f'{{"order": {{"number": "{quoted}", "colour": "{quoted}"}}, "note": "{quoted}"}}',
        f'{{"name": "a", "price": 1, "unknown": "{quoted}"}}',
        f'["{quoted}"]',
        f'{{"{quoted}',
        f"age={marker}&name={marker}",
        part,
        upload,
    ]


@given(
    st.sampled_from(["GET", "POST", "PATCH", "OPTIONS", "HEAD", "BREW"]),
    st.sampled_from(
        ["/items/{}", "/items/7", "/fields", "/orders", "/form", "/upload", "/text", "/query", "/{}", "/raw/{}"]
    ),
    st.sampled_from(["", "page={}&colour={}&tag={}", "name={}&count={}", "{}", "{}={}", "page=10"]),
    st.sampled_from(
        [*KINDS, f"{MARKER}/json", f"application/json; charset={MARKER}", f"multipart/form-data; {MARKER}"]
    ),
    st.sampled_from([{}, {"x-token": MARKER, "cookie": f"visits={MARKER}", "x-request-id": MARKER, "accept": MARKER}]),
    markers,
    st.integers(0, 9),
)
def test_nothing_that_a_client_has_sent_is_in_a_refusal(
    method: str, path: str, query: str, kind: str, headers: Mapping[str, str], marker: str, place: int
) -> None:
    target = f"{path}?{query}".replace("{}", marker.replace("?", "").replace("#", ""))
    body = texts(marker)[place].encode()
    answer = run(sent(method, target, {**headers, "content-type": kind}, body))
    if 400 <= answer.status < 600:
        assert MARKER.encode() not in answer.body
        assert all(MARKER not in value for name, value in answer.fields if name != "x-request-id")


async def sent(method: str, target: str, headers: Headers, body: bytes) -> Answer:
    path, _, query = target.partition("?")
    raw = {"path": path, "query_string": query.encode("utf-8", "replace")}
    return await asking(service(), method, "/", headers, body, **raw)


PIECES = [
    *(
        "/items/",
        "7",
        "/fields",
        "/orders",
        "/form",
        "/upload",
        "/text",
        "/query",
        "/plain",
        "/raw",
        "?",
        "&",
        "=",
        "q",
    ),
    *("page", "tag", "\0", "\xe9", "\udcff", "..", "//", "\\", "%", "+", ";", "9" * 5000),
]
VALUES = [
    *(
        "application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=edge",
        "text/plain",
        "a=b",
    ),
    *(
        'multipart/form-data; boundary="',
        "; charset=utf-16",
        "; charset=zip",
        '"',
        "\\",
        ";",
        "=",
        ",",
        "\xff",
        "",
        "9" * 30,
    ),
]
NAMES = ["content-type", "cookie", "content-length", "x-token", "x-request-id", "accept", "host", "user-agent", "range"]
BODIES = [*texts("a"), "{}", "[]", "1e999", "9" * 5000, '{"name": "\\ud83d"}', '{"order": null}', "\0", "-", ""]


@given(
    st.sampled_from(["GET", "POST", "POST", "PUT", "HEAD", "OPTIONS"]),
    st.lists(st.sampled_from(PIECES), max_size=6).map("".join),
    st.lists(st.tuples(st.sampled_from(NAMES), st.lists(st.sampled_from(VALUES), max_size=2).map("".join)), max_size=4),
    st.sampled_from(BODIES).map(str.encode) | st.binary(max_size=10),
)
def test_no_request_is_a_failure(method: str, target: str, headers: list[tuple[str, str]], body: bytes) -> None:
    assert run(sent(method, f"/{target}", headers, body)).status < 500


# What developers say


def test_errors_are_raised_or_answered() -> None:
    from lambent import Lambent

    assert Lambent(Api()).errors == "raise"
    assert Lambent(Api(errors="respond")).errors == "respond"
    assert Lambent(Api(), errors="respond").errors == "respond"
    wrong: Any = "ignore"
    with pytest.raises(ConfigurationError, match="'raise' or 'respond', but got 'ignore'"):
        Api(errors=wrong)


async def lasting(api: Api) -> AsyncIterator[None]:
    yield


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"log": False}, r"an AccessLog, but got False. .*enabled=False"),
        ({"middleware": [Middleware(GZipMiddleware)]}, r"functools.partial\(GZipMiddleware"),
        ({"lifespan": lasting}, r"lasting .*@contextlib.asynccontextmanager"),
        ({"lifespan": 7}, "an async context manager, but got 7"),
    ],
)
def test_what_cannot_work_is_refused_at_once(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        Api(**options)


@pytest.mark.parametrize("timeout", [0, -1.5, math.nan, math.inf, "5", Decimal("NaN")])
def test_a_timeout_is_a_time(timeout: Any) -> None:
    with pytest.raises(ConfigurationError, match="seconds above 0"):
        Api(timeout=timeout)
    with pytest.raises(ConfigurationError, match="seconds above 0"):
        Router(timeout=timeout)
    with pytest.raises(ConfigurationError, match="seconds above 0"):
        Api().get("/", timeout=timeout)(print)


@pytest.mark.parametrize("timeout", [Decimal("0.5"), Fraction(1, 2)])
def test_a_timeout_may_be_any_number(timeout: Any) -> None:
    api = Logged(timeout=timeout)

    @api.get("/", timeout=timeout)
    async def read() -> str:
        return "done"

    assert ask(api, "GET", "/").body == b"done"


def test_check_reads_all_that_a_cold_start_does_not() -> None:
    api = Api()

    async def broken(a: "Nothing") -> None: ...  # type: ignore[name-defined]  # noqa: F821 - the fault

    api.get("/broken")(broken)
    api.get("/")(lambda: "here")
    assert ask(api, "GET", "/").body == b"here"
    with pytest.raises(ConfigurationError, match="Nothing"):
        api.check()


def test_what_cannot_be_returned_is_told_by_check() -> None:
    api = Api()

    class Odd(msgspec.Struct):
        a: int

    class Even(msgspec.Struct):
        a: int

    async def broken() -> Any: ...

    api.get("/", response_model=list[Odd | Even])(broken)
    with pytest.raises(ConfigurationError, match="cannot return"):
        api.check()


def test_the_document_is_built_when_it_is_asked_for_and_again_when_it_has_changed() -> None:
    api = Api(title="Shop", version="2")

    @api.get("/items/{item_id}")
    async def read(item_id: int) -> int:
        return item_id

    first = api.openapi()
    assert (first["openapi"], first["info"]["title"], list(first["paths"])) == ("3.1.0", "Shop", ["/items/{item_id}"])
    assert api.openapi() is first
    assert ask(api, "GET", "/openapi.json").json == first
    assert b"<html" in ask(api, "GET", "/docs").body
    api.get("/later")(lambda: "now")
    assert "/later" in api.openapi()["paths"]
    assert "/later" in ask(api, "GET", "/openapi.json").json["paths"]


def test_the_document_may_be_nowhere_and_elsewhere() -> None:
    api = Api(openapi_url=None, docs_url=None)
    assert [ask(api, "GET", path).status for path in ("/openapi.json", "/docs")] == [404, 404]
    other = Api(openapi_url="/api.json", docs_url="/help")
    assert [ask(other, "GET", path).status for path in ("/api.json", "/help", "/docs")] == [200, 200, 404]


def test_slashes_need_not_be_redirected() -> None:
    api = Api(redirect_slashes=False)
    api.get("/a")(lambda: "here")
    assert ask(api, "GET", "/a/").status == 404


@dataclass
class Sealed:
    key: bytes
    more: list[bytes] | None = None


def test_bytes_go_as_they_come_in_base64_as_the_document_says() -> None:
    api = Logged()

    @api.post("/")
    async def read(sealed: Sealed) -> Sealed:
        assert sealed == Sealed(b"\xff", [b""])
        return sealed

    answer = ask(api, "POST", "/", JSON, b'{"key": "/w==", "more": [""]}')
    assert (answer.status, answer.json) == (200, {"key": "/w==", "more": [""]})


def test_dependencies_of_all_routes() -> None:
    called: list[str] = []
    api = Api(dependencies=[Depends(lambda: called.append("dependency"))])
    api.get("/")(lambda: "here")
    assert ask(api, "GET", "/").body == b"here"
    assert called == ["dependency"]


def test_a_handler_of_what_is_no_exception_is_refused() -> None:
    wrong: Any = 200
    with pytest.raises(ConfigurationError):
        Api().exception_handler(wrong)(lambda request, error: None)


def test_the_lifespan_gives_the_state_of_requests() -> None:
    said: list[str] = []

    @asynccontextmanager
    async def lifespan(app: Api) -> AsyncIterator[dict[str, object]]:
        said.append(type(app).__name__)
        yield {"pool": "a pool"}
        said.append("closed")

    api = Api(lifespan=lifespan)

    @api.get("/")
    async def read(request: Request) -> object:
        request.state.mine = "only here"
        return request.state.pool

    from lambent.testing import Client

    with Client(api) as client:
        assert client.get("/").text == "a pool"
        assert client.get("/").text == "a pool"
    assert said == ["Api", "closed"]


def test_early_work_is_refused_where_a_loop_runs_and_points_to_the_lifespan() -> None:
    async def work() -> int:
        await asyncio.sleep(0)
        return 7

    async def main() -> None:
        with pytest.raises(ConfigurationError, match="lifespan"):
            Api().run_async(work())

    run(main())
    assert Api().run_async(work()) == 7
