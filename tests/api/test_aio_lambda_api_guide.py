"""aio-lambda-api's user guide, in its order: what the README of 0.3.1 promises, of `lambent.api`.

Source: github.com/Accelize/aio_lambda_api. What differs on purpose is in docs/how-to/move-from-aio-lambda-api.md.
"""

from __future__ import annotations

import asyncio
import base64
import json
import subprocess
import sys
import tomllib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from typing import Any

import httpx
import pytest
from botocore.config import Config
from pydantic import BaseModel, ValidationError

from lambent import Lambent
from lambent.api import (
    AccessLog,
    Api,
    HTTPException,
    JSONResponse,
    ParameterStore,
    Request,
    Response,
    botocore_config,
    log,
    settings,
)
from lambent.api.variables import Settings
from lambent.errors import ConfigurationError, NoInvocation
from lambent.events import Events
from lambent.testing import Client, context, events
from tests.integration.newcomer import ROOT
from tests.support.aws_service import Service
from tests.support.processes import environment
from tests.support.runtime_api import answer

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


@pytest.fixture
def lines() -> list[str]:
    """Of the access log."""
    return []


@pytest.fixture
def api(lines: list[str]) -> Api:
    return Api(log=AccessLog(write=lines.append))


@pytest.fixture
def client(api: Api) -> Iterator[Client]:
    with Client(Lambent(api)) as made:
        yield made


def told(lines: list[str]) -> Any:
    """The one line that there is."""
    (line,) = lines
    return json.loads(line)


class Item(BaseModel):
    name: str
    price: float = 0.0


# Features


def test_asyncio_with_one_loop_for_all_requests(api: Api, client: Client) -> None:
    loops = []

    @api.get("/")
    async def loop() -> None:
        loops.append(asyncio.get_running_loop())

    assert [client.get("/").status for _ in range(3)] == [204] * 3
    assert len(set(loops)) == 1


@pytest.mark.parametrize("missing", ["orjson", "pydantic", "msgspec", "uvloop", "botocore"])
def test_all_that_speeds_up_or_validates_is_optional(missing: str) -> None:
    script = f"""
import sys
sys.modules[{missing!r}] = None
from lambent import Lambent
from lambent.api import Api
api = Api()
@api.post("/items/{{item_id}}")
def add(item_id: int, price: float): return {{"id": item_id, "price": price}}
event = {{"httpMethod": "POST", "path": "/items/7", "headers": None, "body": '{{"price": 1.5}}'}}
print(Lambent(api)(event, None)["body"])
"""
    ran = subprocess.run([sys.executable, "-c", script], env=environment(), capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.splitlines()[-1] == '{"id":7,"price":1.5}'


# Supported backends: AWS Lambda


@pytest.mark.parametrize(
    "event",
    [
        {"httpMethod": "POST", "path": "/echo", "headers": None, "body": '{"a":1}', "isBase64Encoded": False},
        events.http_request("rest", "POST", "/echo", body={"a": 1}),
        events.http_request("http", "POST", "/echo", body={"a": 1}),
    ],
    ids=["by hand", "REST API", "HTTP API"],
)
def test_only_the_format_of_api_gateway_is_needed(event: Any, api: Api, client: Client) -> None:
    """Whoever invokes the function may write the event by hand, and is replied to in the same format."""

    @api.post("/echo")
    async def echo(a: int) -> Any:
        return {"a": a}

    reply = client.invoke(event)
    assert (reply["statusCode"], json.loads(reply["body"]), reply["isBase64Encoded"]) == (200, {"a": 1}, False)


@pytest.mark.parametrize("source", ["sqs", "sns", "mq"])
def test_requests_come_in_batches(source: str, api: Api, lines: list[str]) -> None:
    """Each with a line of the log; more of it in tests/events/test_requests.py."""
    seen = []

    @api.post("/jobs")
    async def job(number: int) -> None:
        seen.append(number)

    handled = Events()
    handled.requests(sqs="jobs", sns="jobs", mq="jobs")
    requests = [events.message_request("POST", "/jobs", body={"number": each}) for each in range(3)]
    where = {"topic": "jobs"} if source == "sns" else {"queue": "jobs"}
    with closing(Lambent(api, events=handled)) as handler:
        handler(getattr(events, source)(*requests, **where), context())
    assert sorted(seen) == [0, 1, 2]
    assert [json.loads(line)["status_code"] for line in lines] == [204] * 3


def test_a_batch_of_a_queue_tells_which_requests_failed(api: Api, lines: list[str]) -> None:
    @api.get("/fine")
    async def fine() -> None: ...

    @api.get("/bad")
    async def bad() -> None:
        raise HTTPException(400)

    @api.get("/worse")
    async def worse() -> None:
        raise ValueError("worse")

    handled = Events()
    handled.requests(sqs="jobs")
    event = events.sqs(*[events.message_request("GET", f"/{each}") for each in ("fine", "bad", "worse", "fine")])
    event["Records"] = [{**each, "eventSourceARN": "arn:aws:sqs:us-east-1:1:jobs"} for each in event["Records"]]
    with closing(Lambent(api, events=handled)) as handler:
        reply: Any = handler(event, context())
    failed = [each["itemIdentifier"] for each in reply["batchItemFailures"]]
    assert failed == [event["Records"][each]["messageId"] for each in (1, 2)]
    assert sorted(json.loads(line)["status_code"] for line in lines) == [204, 204, 400, 500]


# Not supported yet: now it is


def test_routes_have_variables(api: Api, client: Client) -> None:
    @api.get("/items/{item_id}")
    async def read(item_id: int) -> Any:
        return {"item_id": item_id}

    assert client.get("/items/7").json() == {"item_id": 7}
    assert client.get("/items/seven").status == 422


def test_query_strings_are_read(api: Api, client: Client) -> None:
    @api.get("/items")
    async def find(q: str | None = None, limit: int = 10, tag: list[str] | None = None) -> Any:
        return [q, limit, tag]

    assert client.get("/items").json() == [None, 10, None]
    assert client.get("/items?q=a%20b&limit=5&tag=x&tag=y").json() == ["a b", 5, ["x", "y"]]


def test_models_are_request_and_response_bodies(api: Api, client: Client) -> None:
    @api.post("/items", status_code=201)
    async def add(item: Item) -> Item:
        return item

    @api.get("/items")
    async def everything() -> list[Item]:
        return [Item(name="lamp")]

    response = client.post("/items", json={"name": "lamp", "price": 49})
    assert (response.status, response.json()) == (201, {"name": "lamp", "price": 49.0})
    assert client.get("/items").json() == [{"name": "lamp", "price": 0.0}]
    assert client.post("/items", json={"price": 49}).json()["detail"][0]["loc"] == ["body", "name"]


@pytest.mark.parametrize("door", ["http", "http1", "url", "rest", "alb", "alb-multi", "lattice", "edge"])
def test_there_are_more_backends_on_aws(door: str, api: Api) -> None:
    @api.get("/")
    async def root() -> Any:
        return {"Hello": "World"}

    with Client(Lambent(api), door=door) as client:
        assert client.get("/").json() == {"Hello": "World"}


def test_any_server_of_asgi_is_a_backend(api: Api) -> None:
    @api.get("/")
    async def root(request: Request) -> Any:
        return [request.event, request.context]

    async def asked() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(api), base_url="http://test") as http:
            return await http.get("/")

    assert asyncio.run(asked()).json() == [None, None]


def test_there_is_a_helper_for_the_parameter_store() -> None:
    """More of it in tests/aws/test_parameter_store.py."""
    environ = {"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    reply = {"Parameter": {"Name": "/app/key", "Value": "hidden", "Type": "SecureString"}}

    async def read() -> list[str]:
        async with Service(answer(200, json.dumps(reply).encode())) as service:
            store = ParameterStore(endpoint_url=service.url, environ=environ)
            values = [await store.get("/app/key"), await store.get("/app/key")]
            await store.close()
            assert len(service.calls) == 1
            return values

    assert asyncio.run(read()) == ["hidden", "hidden"]


# Usage with AWS Lambda


def test_the_first_example_has_a_sync_function(api: Api, client: Client) -> None:
    @api.get("/")
    def read_root() -> Any:
        return {"Hello": "World"}

    assert client.get("/").json() == {"Hello": "World"}


# Routing


@pytest.mark.parametrize("method", METHODS)
def test_there_is_a_decorator_for_each_method(method: str, api: Api, client: Client, lines: list[str]) -> None:
    seen = []

    async def route() -> Any:
        seen.append(method)
        return {"method": method}

    getattr(api, method.lower())("/")(route)
    response = client.request(method, "/")
    assert (response.status, seen) == (200, [method])
    assert response.headers["content-type"] == "application/json"
    assert response.body == (
        b"" if method == "HEAD" else json.dumps({"method": method}, separators=(",", ":")).encode()
    )
    line = told(lines)
    assert (line["level"], line["status_code"], line["path"], line["method"]) == ("info", 200, "/", method)


def test_the_decorated_function_stays_as_it_is(api: Api) -> None:
    async def route() -> None: ...

    assert api.get("/")(route) is route


def test_one_path_has_a_function_for_each_method(api: Api, client: Client) -> None:
    for method in METHODS:
        api.route("/", [method])(lambda method=method: Response(headers={"x-method": method}))
    assert [client.request(each, "/").headers["x-method"] for each in METHODS] == list(METHODS)


def test_a_path_is_required(api: Api) -> None:
    decorator: Any = api.get
    with pytest.raises(TypeError):
        decorator()
    with pytest.raises(ConfigurationError, match=r"Call the decorator: @api.get\('/items'\)"):
        decorator(lambda: None)


def test_a_path_and_a_method_have_one_function(api: Api) -> None:
    api.get("/")(lambda: None)
    with pytest.raises(ConfigurationError, match="GET"):
        api.get("/")(lambda: None)


def test_other_paths_are_404_and_other_methods_405(api: Api, client: Client, lines: list[str]) -> None:
    api.get("/")(lambda: None)
    missing, refused = client.get("/missing"), client.put("/")
    assert (missing.status, missing.json()) == (404, {"detail": "Not Found"})
    assert (refused.status, refused.json()) == (405, {"detail": "Method Not Allowed"})
    assert [(each["level"], each["status_code"], each["path"]) for each in map(json.loads, lines)] == [
        ("warning", 404, "/missing"),
        ("warning", 405, "/"),
    ]


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_the_fields_of_a_json_body_are_arguments(method: str, api: Api, client: Client) -> None:
    @api.route("/", [method])
    async def route(name: str, count: int = 1) -> Any:
        return [name, count]

    assert client.request(method, "/", json={"name": "a"}).json() == ["a", 1]
    assert client.request(method, "/", json={"name": "a", "count": 2}).json() == ["a", 2]


def test_arguments_are_validated(api: Api, client: Client, lines: list[str]) -> None:
    @api.post("/")
    async def route(value: int) -> Any:
        return value

    assert client.post("/", json={"value": 1}).json() == 1
    lines.clear()
    response = client.post("/", json={"value": "a"})
    assert response.status == 422
    assert response.json() == {
        "detail": [{"loc": ["body", "value"], "msg": "Expected an integer, but got a string.", "type": "invalid"}]
    }
    line = told(lines)
    assert (line["level"], line["status_code"]) == ("warning", 422)
    assert "value" in line["error_detail"]


@pytest.mark.parametrize(("body", "place"), [({}, "value"), ({"value": 1, "other": 2}, "other")])
def test_arguments_that_lack_or_are_not_known_are_refused(body: Any, place: str, api: Api, client: Client) -> None:
    api.post("/")(_takes_value)
    response = client.post("/", json=body)
    assert response.status == 422
    assert [each["loc"] for each in response.json()["detail"]] == [["body", place]]


def _takes_value(value: int) -> Any:
    return value


@pytest.mark.parametrize("result", [{}, {"a": [1, None, "é"]}, [], [1], 1, 1.5, True, False])
def test_what_is_returned_is_sent_as_json(result: Any, api: Api, client: Client) -> None:
    api.get("/")(lambda: result)
    response = client.get("/")
    assert (response.status, response.headers["content-type"]) == (200, "application/json")
    assert response.json() == result
    assert response.headers["content-length"] == str(len(response.body))


def test_none_is_204(api: Api, client: Client) -> None:
    api.get("/")(lambda: None)
    response = client.get("/")
    assert (response.status, response.body) == (204, b"")


# Exception handling


def test_an_http_exception_is_the_response(api: Api, client: Client, lines: list[str]) -> None:
    items = {"foo": "The Foo Wrestlers"}

    @api.get("/item")
    async def read_item(item_id: str) -> Any:
        if item_id not in items:
            raise HTTPException(status_code=404, detail="Item not found")
        return {"item": items[item_id]}

    for options in ({"json": {"item_id": "bar"}}, {"params": {"item_id": "bar"}}):
        response = client.request("GET", "/item", **options)
        assert (response.status, response.json()) == (404, {"detail": "Item not found"})
    assert client.request("GET", "/item", json={"item_id": "foo"}).json() == {"item": items["foo"]}
    assert [json.loads(line)["level"] for line in lines] == ["warning", "warning", "info"]


@pytest.mark.parametrize(
    ("status_code", "detail", "level"),
    [(400, "Bad Request", "warning"), (503, "Service Unavailable", "error"), (504, "Gateway Timeout", "error")],
)
def test_without_a_detail_it_is_the_status_in_words(
    status_code: int, detail: str, level: str, api: Api, client: Client, lines: list[str]
) -> None:
    """Of 5xx, too: `errors="raise"` is for what nobody has thought of."""

    @api.get("/")
    async def route() -> None:
        raise HTTPException(status_code)

    response = client.get("/")
    assert (response.status, response.json()) == (status_code, {"detail": detail})
    line = told(lines)
    assert (line["status_code"], line["level"], "error_detail" in line) == (status_code, level, False)


def test_a_validation_error_can_be_422(api: Api, client: Client) -> None:
    """It is where a request does not fit. Where the function's own data do not, that is a handler's to say."""

    @api.get("/")
    async def route() -> None:
        Item.model_validate({"name": None})

    @api.exception_handler(ValidationError)
    async def invalid(_: Request, error: ValidationError) -> Any:
        detail = error.errors(include_input=False, include_url=False, include_context=False)
        return JSONResponse({"detail": detail}, 422)

    response = client.get("/")
    assert (response.status, response.json()["detail"][0]["loc"]) == (422, ["name"])


def test_other_exceptions_are_raised_on(api: Api, client: Client, lines: list[str]) -> None:
    @api.get("/")
    async def route() -> None:
        raise ValueError("It is broken.")

    with pytest.raises(ValueError, match=r"It is broken\."):
        client.get("/")
    line = told(lines)
    assert (line["level"], line["status_code"]) == ("critical", 500)
    assert line["traceback"].startswith("Traceback (most recent call last):")
    assert line["exception"] == {"type": "ValueError", "message": "It is broken."}


def test_who_asks_over_http_is_told_nothing_of_it(api: Api) -> None:
    """By the front door: the invocation has failed."""

    @api.get("/")
    async def route() -> None:
        raise ValueError("It is broken.")

    with Client(Lambent(api), strict=False) as client:
        response = client.get("/")
    assert response.status == 500
    assert "broken" not in response.text


# Customizing responses


@pytest.mark.parametrize("result", [{"Hello": "World"}, None])
def test_the_status_code_is_said_of_the_route(result: Any, api: Api, client: Client) -> None:
    api.get("/", status_code=201)(lambda: result)
    assert client.get("/").status == 201


def test_headers_are_set_on_the_response_that_is_injected(api: Api, client: Client) -> None:
    @api.get("/")
    async def read_item(response: Response) -> Any:
        response.headers["Cache-Control"] = "no-cache"
        return {"Hello": "World"}

    response = client.get("/")
    assert (response.headers["cache-control"], response.json()) == ("no-cache", {"Hello": "World"})


@pytest.mark.parametrize("result", [{"problem": True}, None])
def test_so_is_the_status(result: Any, api: Api, client: Client, lines: list[str]) -> None:
    @api.get("/")
    async def route(response: Response) -> Any:
        response.status_code = 401
        return result

    assert client.get("/").status == 401
    assert told(lines)["status_code"] == 401


def test_a_response_that_is_returned_says_all(api: Api, client: Client) -> None:
    @api.get("/")
    async def read_item() -> Response:
        return Response(status_code=202, media_type="application/octet-stream", content=b"helloworld")

    response = client.get("/")
    assert (response.status, response.body) == (202, b"helloworld")
    assert response.headers["content-type"] == "application/octet-stream"


def test_bytes_are_base64_in_the_reply(api: Api, client: Client) -> None:
    @api.post("/")
    async def post(request: Request) -> Response:
        return Response(await request.body(), media_type="application/octet-stream")

    reply = client.invoke(events.http_request("rest", "POST", "/", body=b"\x00\xff"))
    assert reply["isBase64Encoded"]
    assert base64.b64decode(reply["body"]) == b"\x00\xff"


@pytest.mark.parametrize("content", ["text", b"text"])
def test_a_response_takes_text_or_bytes(content: Any, api: Api, client: Client) -> None:
    api.get("/")(lambda: Response(content, media_type="text/plain"))
    assert client.get("/").body == b"text"


def test_json_is_a_response_of_its_own(api: Api, client: Client) -> None:
    api.get("/")(lambda: JSONResponse({"a": 1}, 418))
    response = client.get("/")
    assert (response.status, response.json(), response.headers["content-type"]) == (418, {"a": 1}, "application/json")


class Shouting(Response):
    media_type = "text/plain"

    def render(self, content: Any) -> bytes:
        return f"{content}!".upper().encode()


def test_a_subclass_renders_in_its_own_way(api: Api, client: Client) -> None:
    api.get("/returned")(lambda: Shouting("hello", 203))
    api.get("/class", response_class=Shouting)(lambda: "hello")
    assert [client.get(each).text for each in ("/returned", "/class")] == ["HELLO!", "HELLO!"]
    assert client.get("/returned").status == 203


# Accessing request data


def test_the_request_is_injected(api: Api, client: Client) -> None:
    @api.post("/some/path")
    async def read_item(request: Request) -> Any:
        agent = request.headers["user-agent"]
        return [agent, request.method, request.path, (await request.body()).decode(), await request.json()]

    response = client.post("/some/path", json={"a": 1}, headers={"User-Agent": "curl/8"})
    assert response.json() == ["curl/8", "POST", "/some/path", '{"a":1}', {"a": 1}]


@pytest.mark.parametrize("door", ["http", "rest", "alb-multi"])
def test_keys_of_headers_are_lower_case(door: str, api: Api) -> None:
    @api.get("/")
    async def read(request: Request) -> Any:
        return [each for each in request.headers if each.startswith("x-my")]

    with Client(Lambent(api), door=door) as client:
        assert client.get("/", headers={"X-My-Header": "1"}).json() == ["x-my-header"]


# Logging


def test_the_detail_for_the_log_is_not_the_client_s(api: Api, client: Client, lines: list[str]) -> None:
    @api.get("/")
    async def route() -> None:
        raise HTTPException(400, "Try again.", error_detail="The stock is being counted.")

    assert client.get("/").json() == {"detail": "Try again."}
    line = told(lines)
    assert (line["error_detail"], line["level"]) == ("The stock is being counted.", "warning")


def test_entries_are_added_from_any_function(api: Api, client: Client, lines: list[str]) -> None:
    def deep_inside() -> None:
        log()["user"] = {"id": 7}

    @api.get("/")
    async def route() -> None:
        assert log().path == "/"
        deep_inside()

    client.get("/")
    assert told(lines)["user"] == {"id": 7}


def test_there_is_nothing_to_add_to_outside_of_a_request() -> None:
    with pytest.raises(NoInvocation, match="There is no request here"):
        log()


def test_the_fields_of_a_line(api: Api, client: Client, lines: list[str]) -> None:
    @api.get("/items")
    async def route() -> None: ...

    client.invoke(
        events.http_request("rest", "GET", "/items?q=1", headers={"X-Request-Id": "mine", "User-Agent": "ua"})
    )
    line = told(lines)
    wanted = {"level": "info", "method": "GET", "path": "/items", "id": "mine", "status_code": 204, "user_agent": "ua"}
    assert {name: line[name] for name in wanted} == wanted
    assert 0 < line["execution_time"] < 10_000  # ms
    assert "[$LATEST]" in line["server_id"]


def test_the_log_is_on_the_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    api = Api()
    api.get("/")(lambda: None)
    with Client(Lambent(api)) as client:
        client.get("/")
    assert json.loads(capsys.readouterr().out)["status_code"] == 204


def test_the_request_id_is_the_client_s_and_goes_back_to_it(api: Api, client: Client, lines: list[str]) -> None:
    api.get("/")(lambda: None)
    assert client.get("/", headers={"X-Request-Id": "mine"}).headers["x-request-id"] == "mine"
    assert told(lines)["id"] == "mine"


def test_else_it_is_lambda_s(api: Api, lines: list[str]) -> None:
    api.get("/")(lambda: None)
    with closing(Lambent(api)) as handler:
        reply: Any = handler(events.http_request("http", "GET", "/"), context(request_id="of-lambda"))
    assert reply["headers"]["x-request-id"] == told(lines)["id"] == "of-lambda"


# Async initialization


class Database:
    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.is_open = True

    async def select(self, what: str) -> list[str]:
        assert asyncio.get_running_loop() is self.loop
        assert self.is_open
        return [what]


def test_a_coroutine_is_run_at_import(api: Api) -> None:
    async def init_database() -> Database:
        await asyncio.sleep(0)
        return Database()

    database = api.run_async(init_database())

    @api.get("/user")
    async def get_from_db() -> Any:
        return await database.select("*")

    with Client(Lambent(api)) as client:
        assert [client.get("/user").json() for _ in range(2)] == [["*"]] * 2


def test_a_context_manager_is_entered_at_import_and_left_at_the_end(api: Api) -> None:
    @asynccontextmanager
    async def opened() -> AsyncIterator[Database]:
        database = Database()
        yield database
        database.is_open = False

    database = api.enter_async_context(opened())
    api.get("/user")(lambda: {"open": database.is_open})
    with Client(Lambent(api)) as client:
        assert client.get("/user").json() == {"open": True}
        assert database.is_open
    assert not database.is_open


# Configuration


@pytest.mark.parametrize(
    ("variable", "usual"),
    [
        ("FUNCTION_TIMEOUT", 30),
        ("CONNECTION_TIMEOUT", 5),
        ("READ_TIMEOUT", 15),
        ("BOTO_MAX_POOL_CONNECTIONS", 100),
        ("BOTO_PARAMETER_VALIDATION", False),
    ],
)
def test_settings_come_from_the_environment(variable: str, usual: object) -> None:
    assert getattr(Settings({}), variable.lower()) == usual
    assert getattr(Settings({variable: "1"}), variable.lower()) == 1


def test_a_route_has_the_function_timeout(api: Api, client: Client, lines: list[str]) -> None:
    @api.get("/")
    async def route() -> None:
        await asyncio.Event().wait()

    with settings.override(function_timeout=0.01):
        response = client.get("/")
    assert (response.status, response.json()) == (504, {"detail": "Gateway Timeout"})
    line = told(lines)
    assert (line["status_code"], line["level"]) == (504, "error")


def test_boto_s_config_has_the_settings() -> None:
    config: Any = botocore_config()
    assert isinstance(config, Config)
    assert (config.connect_timeout, config.read_timeout, config.max_pool_connections) == (5, 15, 100)
    assert (config.parameter_validation, config.retries["mode"]) == (False, "standard")
    with settings.override(read_timeout=2, boto_parameter_validation=True):
        changed: Any = botocore_config()
    assert (changed.read_timeout, changed.parameter_validation) == (2, True)


# Installation


def test_extras_bring_what_is_optional() -> None:
    """`speedups` is `speed` here: it was there before."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    brought = {name: " ".join(extras[name]) for name in ("validation", "speed", "aws", "all")}
    assert "pydantic" in brought["validation"]
    assert "orjson" in brought["speed"]
    assert "uvloop" in brought["speed"]
    assert "aiobotocore" in brought["aws"]
    assert brought["all"] == "lambent[aws,forms,speed,validation]"
