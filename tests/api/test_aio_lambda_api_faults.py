"""What goes wrong with HTTP in aio-lambda-api 0.3.1, and goes right here. Each docstring says the fault.

It cannot be shown on itself: it is not among the tests' dependencies, for it needs botocore and an old pydantic's ways.
What goes wrong with messages is in tests/events/test_aio_lambda_api_faults.py.
"""

from __future__ import annotations

import asyncio
import copy
import json
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import pytest
from botocore import parsers, serialize
from pydantic import BaseModel, Field, ValidationError

from lambent import Lambent
from lambent.api import (
    AccessLog,
    Api,
    Body,
    HTTPException,
    JSONResponse,
    PlainTextResponse,
    Request,
    Response,
    botocore_config,
    settings,
)
from lambent.api.variables import Settings
from lambent.errors import ConfigurationError
from lambent.testing import Client, context, events
from tests.payloads import payload
from tests.support.processes import environment, runtime
from tests.support.runtime_api import RuntimeAPI, invocation

DOORS = ("http", "http1", "url", "rest", "alb", "alb-multi", "lattice", "edge")
JSON = {"content-type": "application/json"}
SECRET = "a-secret-of-the-client"


class Item(BaseModel):
    name: str
    price: Annotated[int, Field(ge=0)]


class Stage:
    """An application, a handler of it, and its log."""

    def __init__(self, **options: Any) -> None:
        self.lines: list[str] = []
        self.api = Api(log=AccessLog(write=self.lines.append), **options)
        self.handler = Lambent(self.api)

    def reply(self, event: Any, **options: Any) -> Any:
        return self.handler(event, context(**options))

    def ask(self, method: str, url: str = "/", *, door: str = "rest", **options: Any) -> tuple[int, Any]:
        """Status and JSON."""
        reply = self.reply(events.http_request(door, method, url, **options))
        return reply["statusCode"], json.loads(reply["body"] or "null")

    def line(self) -> Any:
        return json.loads(self.lines[-1])


@pytest.fixture
def stage() -> Iterator[Stage]:
    made = Stage()
    with closing(made.handler):
        yield made


def fields(reply: Any) -> dict[str, str]:
    return {name.lower(): value for name, value in reply["headers"].items()}


# Parameters


def test_annotations_that_are_text_are_missed(stage: Stage) -> None:
    """With `from __future__ import annotations`, as in this file, nothing is injected: TypeError."""

    @stage.api.get("/")
    async def route(request: Request, response: Response) -> Any:
        response.headers["x-method"] = request.method
        return {}

    assert route.__annotations__["request"] == "Request"
    assert fields(stage.reply(events.http_request("rest", "GET", "/")))["x-method"] == "GET"


def test_annotations_that_are_no_bare_class_are_missed(stage: Stage) -> None:
    """`Request | None`, `Annotated[Request, ...]`, and subclasses of Response are taken for the body's fields."""

    @stage.api.get("/")
    async def route(request: Annotated[Request, "the request"], response: Response | None = None) -> Any:
        return [request.method, response is not None]

    assert stage.ask("GET") == (200, ["GET", True])


@pytest.mark.parametrize("body", [[], [1, 2], "text", 7, 0, True, False, None, 1.5])
def test_bodies_that_are_no_object_are_dropped(body: Any, stage: Stage) -> None:
    """Lists and scalars never reach the function."""

    @stage.api.post("/")
    async def route(value: Annotated[Any, Body()]) -> Any:
        return JSONResponse(value)

    event = events.http_request("rest", "POST", "/", headers=JSON, body=json.dumps(body))
    assert json.loads(stage.reply(event)["body"]) == body


@pytest.mark.parametrize("body", [b"{", b"", b"{'a': 1}", b"\xff", b'{"value": 1}}', b"nul"])
def test_a_body_that_is_no_json_is_ignored(body: bytes, stage: Stage) -> None:
    """As if there were none: the function is called without its arguments, or with their defaults."""
    called = []

    @stage.api.post("/")
    async def route(value: Annotated[dict[str, int], Body()]) -> None:
        called.append(value)

    status, told = stage.ask("POST", headers=JSON, body=body)
    assert (status, called) == (422, [])
    assert told["detail"][0]["loc"] == ["body"]


def test_a_body_that_is_nested_too_deeply_is_an_error_of_the_server(stage: Stage) -> None:
    """RecursionError without orjson: 500, and whoever is called at night looks for a fault of the function."""

    @stage.api.post("/")
    async def route(value: Annotated[Any, Body()]) -> None: ...

    event = events.http_request("rest", "POST", "/", headers=JSON, body=b"{}")
    assert stage.reply({**event, "body": "[" * 99_999 + "]" * 99_999, "isBase64Encoded": False})["statusCode"] == 422


INVALID: list[Any] = [
    {"name": 7, "price": SECRET},
    {"name": SECRET, "price": -1},
    {"name": SECRET},
    [SECRET],
    SECRET,
]


@pytest.mark.parametrize("body", INVALID)
def test_what_the_client_sent_is_sent_back_by_pydantic(body: Any, stage: Stage) -> None:
    """With pydantic 2, its errors have `input`, `ctx`, and a `url` that tells which version runs there."""

    @stage.api.post("/")
    async def route(item: Item) -> None: ...

    status, told = stage.ask("POST", headers=JSON, body=json.dumps(body))
    assert status == 422
    assert all(set(each) == {"loc", "msg", "type"} for each in told["detail"])
    assert SECRET not in json.dumps(told)
    assert "pydantic" not in json.dumps(told)
    assert SECRET not in stage.lines[-1]


def test_the_application_s_own_validation_error_is_the_client_s_fault(stage: Stage) -> None:
    """A ValidationError of what the function itself has read, such as a row of its table, is answered 422."""

    @stage.api.get("/")
    async def route() -> None:
        Item.model_validate({"name": "lamp", "price": -1})

    with pytest.raises(ValidationError):
        stage.ask("GET")
    assert (stage.line()["level"], stage.line()["status_code"]) == ("critical", 500)


@pytest.mark.parametrize("validated_by", ["pydantic", "nothing"])
def test_a_field_too_many_is_an_error_of_the_server(
    validated_by: str, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TypeError, and so 500, where pydantic is not installed."""
    if validated_by == "nothing":
        monkeypatch.setitem(sys.modules, "pydantic", None)

    @stage.api.post("/")
    async def route(value: int) -> None: ...

    assert stage.ask("POST", body={"value": 1, "other": 2})[0] == 422


def test_one_field_of_the_body_takes_the_place_of_what_is_injected(stage: Stage) -> None:
    """A body may have a field of the name that the request is injected under; it is only overwritten by chance."""

    @stage.api.post("/")
    async def route(request: Request, value: int = 0) -> Any:
        return [request.method, value]

    assert stage.ask("POST", body={"request": "mine", "value": 1}) == (200, ["POST", 1])


def test_sync_functions_fail(stage: Stage) -> None:
    """TypeError: its `wait_for` wants an awaitable, in the first example of its README too."""
    threads = []

    @stage.api.get("/")
    def read_root() -> Any:
        threads.append(threading.current_thread())
        return {"Hello": "World"}

    assert stage.ask("GET") == (200, {"Hello": "World"})
    assert threads != [threading.main_thread()]


# Responses


def test_the_headers_of_an_http_exception_are_never_sent(stage: Stage) -> None:
    """`WWW-Authenticate` and `Retry-After` are dropped."""

    @stage.api.get("/")
    async def route() -> None:
        raise HTTPException(401, headers={"WWW-Authenticate": "Basic", "Retry-After": "7"})

    told = fields(stage.reply(events.http_request("rest", "GET", "/")))
    assert (told["www-authenticate"], told["retry-after"]) == ("Basic", "7")


def test_a_response_cannot_be_made_outside_of_a_request(stage: Stage) -> None:
    """LogEventNotFoundException: neither as a constant of a module, nor in a test of one's own."""
    constant = JSONResponse({"a": 1}, 203)
    stage.api.get("/")(lambda: constant)
    assert [stage.ask("GET") for _ in range(2)] == [(203, {"a": 1})] * 2


@pytest.mark.parametrize("text", ["äöü", "日本", "😀", "a\u0301"])
@pytest.mark.parametrize("kind", [PlainTextResponse, JSONResponse])
def test_the_content_length_is_that_of_the_text(kind: type[Response], text: str, stage: Stage) -> None:
    """`len(str)`: characters, where bytes are wanted, so that clients cut the body off."""
    stage.api.get("/")(lambda: kind(text))
    reply = stage.reply(events.http_request("http", "GET", "/"))
    assert int(fields(reply)["content-length"]) == len(reply["body"].encode())
    assert text in reply["body"]


@pytest.mark.parametrize("door", DOORS)
def test_the_status_code_is_a_string(door: str, stage: Stage) -> None:
    """API Gateway takes it; a load balancer does not."""
    stage.api.get("/", status_code=201)(lambda: {"a": 1})
    reply = stage.reply(events.http_request(door, "GET", "/"))
    assert reply["status" if door == "edge" else "statusCode"] == ("201" if door == "edge" else 201)  # CloudFront's way


@pytest.mark.parametrize("door", DOORS)
def test_there_are_no_cookies(door: str) -> None:
    """Header fields are a dict, of which none is repeated: one Set-Cookie at most."""
    stage = Stage()

    @stage.api.get("/")
    async def route(response: Response, request: Request) -> Any:
        response.set_cookie("a", "1", httponly=True)
        response.set_cookie("b", "2")
        return request.cookies

    with Client(stage.handler, door=door) as client:
        response = client.get("/", cookies={"visits": "3", "theme": "dark"})
    assert response.json() == {"visits": "3", "theme": "dark"}
    expected = (
        {"b": "2"} if door == "alb" else {"a": "1", "b": "2"}
    )  # without multi-value fields it sends one of a name
    assert expected.items() <= response.cookies.items()


def test_an_empty_response_is_made_to_something_else(stage: Stage) -> None:
    """200 without content becomes 204, and 404 gets a dict for a body, with the `content-length` 1."""
    stage.api.get("/200")(lambda: Response(status_code=200))
    stage.api.get("/404")(lambda: Response(status_code=404))
    for status in (200, 404):
        reply = stage.reply(events.http_request("rest", "GET", f"/{status}"))
        assert (reply["statusCode"], reply["body"], fields(reply)["content-length"]) == (status, "", "0")


def test_an_answer_to_head_has_a_body(stage: Stage) -> None:
    """What the function returned is sent, and there is no HEAD where there is GET: 405."""
    stage.api.get("/")(lambda: {"a": 1})
    reply = stage.reply(events.http_request("rest", "HEAD", "/"))
    assert (reply["statusCode"], reply["body"], fields(reply)["content-length"]) == (200, "", "7")


@pytest.mark.parametrize("value", [float("nan"), 2**70, Decimal("1.10")])
def test_what_is_sent_depends_on_what_is_installed(value: Any, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The standard library writes NaN, which is no JSON; orjson refuses long integers; neither knows Decimal."""
    stage.api.get("/")(lambda: {"value": value})
    written = stage.reply(events.http_request("rest", "GET", "/"))["body"]
    expected = {"nan": "null", "1.10": '"1.10"'}.get(str(value), str(value))
    assert written == f'{{"value":{expected}}}'


@pytest.mark.parametrize("value", ["a\r\nset-cookie: b=c", "a\nb", "a\0b"])
def test_a_header_field_may_be_two(value: str, stage: Stage) -> None:
    """Values are passed on as they are."""

    @stage.api.get("/")
    async def route(response: Response) -> None:
        response.headers["x-name"] = value

    with pytest.raises(Exception, match="x-name") as caught:
        stage.ask("GET")
    assert value not in str(caught.value)


# Routing


def test_405_has_no_allow(stage: Stage) -> None:
    """RFC 9110, 15.5.6: it must have it."""
    stage.api.get("/")(lambda: None)
    stage.api.put("/")(lambda: None)
    reply = stage.reply(events.http_request("rest", "DELETE", "/"))
    assert (reply["statusCode"], fields(reply)["allow"]) == (405, "GET, HEAD, OPTIONS, PUT")


def test_there_is_no_options(stage: Stage) -> None:
    """405."""
    stage.api.get("/")(lambda: None)
    reply = stage.reply(events.http_request("rest", "OPTIONS", "/"))
    assert (reply["statusCode"], fields(reply)["allow"]) == (204, "GET, HEAD, OPTIONS")


def test_a_slash_at_the_end_is_another_path(stage: Stage) -> None:
    """404, with nothing said."""
    stage.api.get("/items")(lambda: None)
    reply = stage.reply(events.http_request("rest", "GET", "/items/?page=2"))
    assert (reply["statusCode"], fields(reply)["location"].partition("/items")[2]) == (307, "?page=2")


@pytest.mark.parametrize("name", ["http_api_stage", "http_api_v1_stage"])
def test_the_stage_is_part_of_the_path(name: str, stage: Stage) -> None:
    """`/prod/items` is 404 where `/items` is registered, and the function is another one in each stage."""
    stage.api.route("/{rest:path}", ["GET", "POST"])(_where)
    event = payload(name)
    root, path = json.loads(stage.reply(event)["body"])
    assert root == f"/{event['requestContext']['stage']}"
    assert not path.startswith(root)


def _where(request: Request) -> Any:
    return [request.scope["root_path"], request.path]


@pytest.mark.parametrize("door", DOORS)
def test_a_load_balancer_s_event_is_a_key_error(door: str, stage: Stage) -> None:
    """KeyError: `httpMethod`, and the like for all but API Gateway's two."""

    @stage.api.post("/items/{name}")
    async def add(name: str, dry: bool, price: int) -> Any:
        return [name, dry, price]

    with Client(stage.handler, door=door) as client:
        assert client.post("/items/a%20b?dry=true", json={"price": 7}).json() == ["a b", True, 7]


@pytest.mark.parametrize("name", ["http_api_no_headers", "rest_v1_console_test", "alb_health_check", "direct_invoke"])
def test_events_without_headers_fail(name: str, stage: Stage) -> None:
    """`headers: null`, as of a REST API's console, did until 0.3.1."""
    stage.api.route("/{rest:path}", ["GET", "POST"])(_where)
    assert stage.reply(payload(name))["statusCode"] == 200


# The request's id, and the event


@pytest.mark.parametrize("spelling", ["x-request-id", "X-Request-Id", "X-REQUEST-ID", "X-Request-ID"])
@pytest.mark.parametrize("door", ["http", "rest", "alb-multi"])
def test_the_client_s_request_id_is_overwritten(door: str, spelling: str, stage: Stage) -> None:
    """In any spelling but lower case, by that of the event: REST APIs pass it on as it came."""
    stage.api.get("/")(lambda: None)
    with Client(stage.handler, door=door) as client:
        assert client.get("/", headers={spelling: "mine"}).headers["x-request-id"] == "mine"
    assert stage.line()["id"] == "mine"


@pytest.mark.parametrize("given", ["a b", "a" * 129, "é", ""])
def test_any_id_of_the_client_is_taken(given: str, stage: Stage) -> None:
    """Whatever it is, and however long, it is written to the log, and sent back."""
    stage.api.get("/")(lambda: None)
    event = events.http_request("rest", "GET", "/")
    event["headers"]["X-Request-Id"] = given
    event["multiValueHeaders"]["X-Request-Id"] = [given]
    reply = stage.reply(event, request_id="of-lambda")
    assert fields(reply)["x-request-id"] == stage.line()["id"] == "of-lambda"


@pytest.mark.parametrize("name", ["rest_v1", "http_api_get", "function_url_json_post"])
def test_the_event_is_changed(name: str, stage: Stage) -> None:
    """A field is added to its headers: what is logged of it, or compared, is not what came."""
    stage.api.route("/{rest:path}", ["GET", "POST"])(_where)
    event = payload(name)
    before = copy.deepcopy(event)
    stage.reply(event)
    assert event == before


# Time


def test_what_takes_too_long_is_raised_on(stage: Stage) -> None:
    """It is 504 in the log; the client sees an error of Lambda, and whoever retries, a failed invocation."""

    @stage.api.get("/")
    async def route() -> None:
        await asyncio.Event().wait()

    with settings.override(function_timeout=0.01):
        assert stage.ask("GET") == (504, {"detail": "Gateway Timeout"})
    assert (stage.line()["status_code"], stage.line()["level"]) == (504, "error")


def test_the_time_that_is_left_is_not_asked_for(stage: Stage) -> None:
    """30 s, whatever the function has: Lambda kills the environment, nothing is logged, all that it had is lost."""

    @stage.api.get("/", timeout=3)
    async def route() -> None:
        await asyncio.Event().wait()

    reply = stage.reply(events.http_request("rest", "GET", "/"), timeout=0.1)
    assert (reply["statusCode"], stage.line()["status_code"]) == (504, 504)
    assert stage.line()["execution_time"] < 2000


def test_a_timeout_of_the_function_s_own_is_taken_for_its_own(stage: Stage) -> None:
    """TimeoutError is logged as 504, whoever has raised it."""

    @stage.api.get("/")
    async def route() -> None:
        raise TimeoutError("The database says nothing.")

    with pytest.raises(TimeoutError, match="The database says nothing"):
        stage.ask("GET")
    assert (stage.line()["status_code"], stage.line()["level"]) == (500, "critical")


def test_a_timeout_is_a_whole_number(stage: Stage) -> None:
    """`int("0.5")`, at import: a ValueError that does not name the variable."""
    assert Settings({"FUNCTION_TIMEOUT": "0.5"}).function_timeout == 0.5
    with pytest.raises(ConfigurationError, match="FUNCTION_TIMEOUT"):
        _ = Settings({"FUNCTION_TIMEOUT": "soon"}).function_timeout


def test_the_execution_time_is_in_seconds(stage: Stage) -> None:
    """The README says milliseconds."""

    @stage.api.get("/")
    async def route() -> None:
        await asyncio.sleep(0.02)

    stage.reply(events.http_request("rest", "GET", "/"))
    assert 15 < stage.line()["execution_time"] < 15_000


# What lives as long as the environment

APP = """
from contextlib import asynccontextmanager
from lambent import Lambent
from lambent.api import Api

api = Api()

@asynccontextmanager
async def opened():
    yield "it"
    print("closed", flush=True)

it = api.enter_async_context(opened())
api.get("/items/7")(lambda: {"it": it})
handler = Lambent(api)
"""


def test_what_was_opened_is_closed_by_chance(tmp_path: Path) -> None:
    """In `__del__`, and so not on the SIGTERM by which Lambda ends the environment."""
    (tmp_path / "app.py").write_text(APP, "utf-8")
    step = invocation(json.dumps(payload("rest_v1")).encode())
    with RuntimeAPI(step) as platform, runtime(tmp_path, platform.address, "app:handler") as process:
        platform.wait_until_idle()
        ended = process.stop()
    line, *others = ended.stdout.splitlines()
    assert json.loads(line)["status_code"] == 200
    assert (ended.status, others) == (0, ["closed"])


def run(script: str, **variables: str) -> str:
    command = [sys.executable, "-c", textwrap.dedent(script)]
    ran = subprocess.run(command, env=environment(**variables), capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_botocore_is_needed_and_imported_at_each_cold_start() -> None:
    """By its log, too: `import aio_lambda_api` takes 13 times as long as Python takes to start."""
    told = run("""
        import sys
        from lambent.api import Api
        api = Api()
        api.get("/{name}")(lambda name: {"name": name})
        heavy = {"botocore", "boto3", "pydantic", "orjson", "msgspec", "uvloop", "json"}
        print(sorted(heavy & sys.modules.keys()))
    """)
    assert told == "[]\n"


def test_uvloop_is_put_in_the_place_of_every_loop_of_the_process() -> None:
    """`uvloop.install()`, by importing it."""
    told = run("""
        import asyncio
        from lambent.api import Api, HTTPException, Request, Response, log, settings
        async def kind(): return type(asyncio.get_running_loop()).__module__.partition(".")[0]
        print(asyncio.run(kind()))
    """)
    assert told == "asyncio\n"


def test_botocore_is_changed_for_the_whole_process() -> None:
    """Its config puts another `json` into botocore, which takes no options, such as `ensure_ascii` and `cls`."""
    _ = botocore_config()
    assert parsers.json is serialize.json is json


def test_each_handler_has_a_loop_of_its_own() -> None:
    """What one application has opened at import cannot be used by another one of the same process."""
    first, second = Api(), Api()

    async def loop() -> Any:
        return asyncio.get_running_loop()

    assert first.run_async(loop()) is second.run_async(loop())
