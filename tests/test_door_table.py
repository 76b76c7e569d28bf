"""The README's table of front doors: behind each tick there is a check, and where there is a dash the check fails.

A check sends a request over the whole road in memory: the door of `lambent dev`, the event as JSON, the adapter, the
application, the reply as JSON, and the door again. The events in tests/data are asked too.
"""

import json
import re
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any

import pytest
from fastapi import Cookie, FastAPI, Form
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse
from starlette.responses import Response as StarletteResponse
from starlette.routing import Route

from lambent import Lambent
from lambent.dev.doors import DOORS
from lambent.dev.doors.model import Door, HTTPReply, HTTPRequest, Site
from lambent.gateway import GATEWAYS, detect
from lambent.types import ASGIApp, Receive, Scope, Send
from tests.dev.doors.wire import ARRIVAL, own, request, told
from tests.payloads import payload

README = Path(__file__).parent.parent / "README.md"
TICK, DASH = "✓", "-"
ALL_BYTES = bytes(range(256))

EVENTS = {
    "url": ("function_url_get", "function_url_cookies", "function_url_binary_post", "function_url_iam"),
    "http": ("http_api_get", "http_api_cookies", "http_api_jwt", "http_api_no_headers", "http_api_form_base64"),
    "http1": ("http_api_v1", "http_api_v1_stage"),
    "rest": ("rest_v1", "rest_v1_console_test", "rest_v1_encoded_path", "rest_v1_multi_value", "direct_invoke"),
    "alb": ("alb_single", "alb_health_check"),
    "alb-multi": ("alb_multi",),
    "lattice1": ("lattice_v1",),
    "lattice": ("lattice_v2",),
    "edge-viewer": ("edge_viewer_request",),
    "edge": ("edge_origin_request",),
}
"""Of each door those in tests/data."""

STAGES = {
    "http": ("http_api_stage", "/prod/items/7"),
    "http1": ("http_api_v1_stage", "/prod/files/a/b c"),
    "rest": ("rest_v1", "/prod/items/7"),
}
"""An event of a stage called `prod`, and the path with the stage."""


class Row:
    """One front door, at both of its ends."""

    def __init__(self, name: str, caplog: pytest.LogCaptureFixture) -> None:
        self.name = name
        self.caplog = caplog
        self.door: Door = DOORS[name](Site("app"))

    def send(self, app: Any, sent: HTTPRequest, **options: Any) -> HTTPReply:
        """The reply that a client gets, names in lower case."""
        got = self.door.reply(json.dumps(served(app, told(self.door, sent), **options)).encode(), ARRIVAL)
        return got._replace(headers=[(name.lower(), value) for name, value in got.headers])

    def arrive(self, sent: HTTPRequest, **options: Any) -> tuple[Scope, bytes]:
        """The scope and the body that the application gets."""
        app = Recorder()
        assert self.send(app, sent, **options).status == 200
        return app.scope, app.body


def served(app: ASGIApp, event: Any, **options: Any) -> Any:
    with closing(Lambent(app, lifespan="off", **options)) as handler:
        return handler(event)


class Recorder:
    """An application that keeps what it is asked."""

    scope: Scope
    body: bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scope = scope
        self.body = (await receive())["body"]
        await says(b"hi", (b"content-type", b"text/plain"))(scope, receive, send)


def says(body: bytes, *headers: tuple[bytes, bytes], status: int = 200) -> ASGIApp:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return app


# The checks, one for each column


def check_request(row: Row) -> None:
    """Method, path, query, fields, body, client and server are those that were sent; tests/data is served."""
    sent = request(b"/a%20b/c", b"q=lamp&page=2", (b"x-own-a", b"caf\xe9"), method="PUT", body=b"oil")
    scope, body = row.arrive(sent)
    assert (scope["method"], scope["path"], scope["query_string"]) == ("PUT", "/a b/c", b"q=lamp&page=2")
    assert scope["raw_path"] == b"/a%20b/c"
    assert (b"x-own-a", b"caf\xe9") in scope["headers"]
    assert body == b"oil"
    assert scope["client"] == ("127.0.0.1", 0)
    assert scope["server"] == ("127.0.0.1", 3000)
    for name in EVENTS[row.name]:
        app = Recorder()
        result = served(app, payload(name))
        assert int(result.get("statusCode") or result["status"]) == 200
        assert isinstance(app.scope["raw_path"], bytes)
        assert app.scope["client"] is None or "." in app.scope["client"][0]


def check_reply(row: Row) -> None:
    """Status, fields and body are those of the application; HEAD has no body, 204 no type, and no hop its fields."""
    fields = ((b"x-own-a", b"caf\xe9"), (b"content-type", b"application/problem+json"), (b"connection", b"close"))
    got = row.send(says("é".encode(), *fields, status=418), request())
    assert (got.status, got.body, own(got.headers)) == (418, "é".encode(), [(b"x-own-a", b"caf\xe9")])
    assert (b"content-type", b"application/problem+json") in got.headers
    got = row.send(says(b"hi", *fields, status=418), request(method="HEAD"))
    assert (got.status, got.body, own(got.headers)) == (418, b"", [(b"x-own-a", b"caf\xe9")])
    result = served(says(b"", status=204), told(row.door, request()))
    assert "content-type" not in str(result).lower()
    result = served(says(b"hi", *fields), told(row.door, request()), exclude_headers=["X-Own-A"])
    assert not {"x-own-a", "connection"} & set(result.get("headers") or result["multiValueHeaders"])


def check_cookies(row: Row) -> None:
    """Cookies that come apart are one field, once; those of the application all come out."""
    scope, _ = row.arrive(request(b"/", b"", (b"cookie", b"a=1"), (b"cookie", b"b=2")))
    assert [value for name, value in scope["headers"] if name == b"cookie"] == [b"a=1; b=2"]
    cookies = [(b"set-cookie", b"n=%d; Path=/" % number) for number in range(3)]
    got = row.send(says(b"", *cookies), request())
    assert [field for field in got.headers if field[0] == b"set-cookie"] == cookies


def check_repeated_fields(row: Row) -> None:
    """Fields that come twice come apart, in their order."""
    scope, _ = row.arrive(request(b"/", b"", (b"x-own-a", b"1"), (b"x-own-a", b"2, 3")))
    assert [value for name, value in scope["headers"] if name == b"x-own-a"] == [b"1", b"2, 3"]


def check_binary(row: Row) -> None:
    """Bytes come through both ways, and so does text that is said to be compressed."""
    kind = (b"content-type", b"application/octet-stream")
    _, body = row.arrive(request(b"/", b"", kind, method="POST", body=ALL_BYTES))
    assert body == ALL_BYTES
    assert row.send(says(ALL_BYTES, kind), request()).body == ALL_BYTES
    compressed = ((b"content-type", b"text/plain"), (b"content-encoding", b"gzip"))
    assert row.send(says(ALL_BYTES, *compressed), request()).body == ALL_BYTES


def check_limit(row: Row) -> None:
    """A reply that just fits is sent; one byte more is an error that says the limit and the excess, in the log too."""
    gateway = detect(told(row.door, request()), GATEWAYS)
    assert gateway.limit == row.door.limits.result
    kind = (b"content-type", b"text/plain")
    frame = len(json.dumps(served(says(b"", kind), told(row.door, request())), separators=(",", ":")))
    fits = b"x" * (gateway.limit - frame)
    assert row.send(says(fits, kind), request()).body == fits
    row.caplog.clear()
    got = row.send(says(fits + b"x", kind), request())
    assert got.status == 500
    assert f"{gateway.limit + 1} bytes as JSON, 1 more than the {gateway.limit}" in got.body.decode()
    assert row.caplog.messages == [got.body.decode()]


def check_stage(row: Row) -> None:
    """The stage is the root path, and part of the path, at the boundary of a segment."""
    name, path = STAGES.get(row.name, ("", "/prod/items/7"))
    event = payload(name) if name else told(row.door, request(path.encode()))
    app = Recorder()
    served(app, event)
    assert (app.scope["root_path"], app.scope["path"]) == ("/prod", path)


def check_base_path(row: Row) -> None:
    """`base_path` becomes part of the root path, at the boundary of a segment."""
    for path, root_path in (("/v1/items", "/v1"), ("/v1", "/v1"), ("/v10/items", "")):
        scope, _ = row.arrive(request(path.encode()), base_path="/v1")
        assert (scope["root_path"], scope["path"]) == (root_path, path)


def fastapi_app() -> FastAPI:
    app = FastAPI()

    @app.post("/items/{item}")
    def item(item: int, q: str, oil: Annotated[str, Form()], theme: Annotated[str, Cookie()]) -> dict[str, object]:
        return {"item": item, "q": q, "oil": oil, "theme": theme}

    return app


def starlette_app() -> Starlette:
    async def item(request: Request) -> StarletteResponse:
        form, query = await request.form(), request.query_params
        item = request.path_params["item"]
        return JSONResponse({"item": item, "q": query["q"], "oil": form["oil"], "theme": request.cookies["theme"]})

    def away(request: Request) -> StarletteResponse:
        return RedirectResponse(request.url_for("item", item=8))

    return Starlette(routes=[Route("/items/{item:int}", item, methods=["POST"]), Route("/away", away)])


def check_frameworks(row: Row) -> None:
    """FastAPI and Starlette read path, query, form and cookie; redirects lead back to the door."""
    form = ((b"content-type", b"application/x-www-form-urlencoded"), (b"cookie", b"theme=dark"))
    sent = request(b"/items/7", b"q=a%26b", *form, method="POST", body=b"oil=%C3%B6l")
    for app in (fastapi_app(), starlette_app()):
        got = row.send(app, sent)
        assert (got.status, json.loads(got.body)) == (200, {"item": 7, "q": "a&b", "oil": "öl", "theme": "dark"})
        assert row.send(app, request(b"/nothing")).status == 404
    got = row.send(starlette_app(), request(b"/away"))
    location = dict(got.headers)[b"location"]
    assert (got.status, location.partition(b"://")[2]) == (307, b"127.0.0.1:3000/items/8")


CHECKS: dict[str, Callable[[Row], None]] = {
    "request": check_request,
    "reply": check_reply,
    "cookies": check_cookies,
    "repeated fields": check_repeated_fields,
    "binary": check_binary,
    "limit": check_limit,
    "stage": check_stage,
    "base path": check_base_path,
    "FastAPI, Starlette": check_frameworks,
}
"""The heads of the columns, and what stands behind their ticks."""


# The table, read


def table() -> dict[str, dict[str, str]]:
    """The cells, by the door's name in its second column and by the head of theirs."""
    lines = [line for line in README.read_text("utf-8").splitlines() if line.startswith("|")]
    start = next(number for number, line in enumerate(lines) if "`--door`" in line)
    rows: dict[str, dict[str, str]] = {}
    _, _, *heads = cells(lines[start])
    for line in lines[start + 2 :]:
        _, name, *marks = cells(line)
        if name.strip("`") not in DOORS:
            break
        rows[name.strip("`")] = dict(zip(heads, marks, strict=True))
    return rows


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


TABLE = table()
CELLS = [(name, head) for name, row in TABLE.items() for head in row]


def test_every_door_and_every_check_is_in_the_table() -> None:
    assert set(TABLE) == set(DOORS) == set(EVENTS)
    assert [list(row) for row in TABLE.values()] == [list(CHECKS)] * len(TABLE)


@pytest.mark.parametrize(("name", "head"), CELLS)
def test_a_cell_says_what_is(name: str, head: str, caplog: pytest.LogCaptureFixture) -> None:
    cell = TABLE[name][head]
    if cell == TICK:
        CHECKS[head](Row(name, caplog))
    else:
        assert re.fullmatch(rf"{DASH} [¹²³]", cell)
        with pytest.raises(AssertionError):
            CHECKS[head](Row(name, caplog))


def test_every_dash_has_its_reason_and_every_reason_its_dash() -> None:
    text = README.read_text("utf-8")
    notes = {cell.removeprefix(DASH).strip() for row in TABLE.values() for cell in row.values() if cell != TICK}
    assert notes == set(re.findall(r"^([¹²³]) \S.*", text, re.MULTILINE))
