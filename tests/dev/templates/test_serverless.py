"""`serverless.yml`."""

from pathlib import Path

import pytest

from lambent.dev.model import Asynchronous, Authorizer, Cors, Source
from lambent.errors import ConfigurationError
from tests.dev.templates.described import SERVERLESS, Folder, describe, entrance, function, route, routes

HEADERS = ("Content-Type", "X-Amz-Date", "Authorization", "X-Api-Key", "X-Amz-Security-Token", "X-Amz-User-Agent")


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_functions() -> None:
    described = describe(SERVERLESS, environ={"HOME_TOWN": "Graz"})
    items, decide = described.functions
    assert (items.name, items.handler, items.app_dir) == ("shop-dev-items", "src/items.handler", SERVERLESS.parent)
    assert (items.timeout, items.memory, items.region) == (6, 256, "eu-west-1")
    assert items.layers == (SERVERLESS.parent / "words",)
    assert items.env == {
        "STAGE": "dev",
        "TABLE": "items-dev",
        "HOME_TOWN": "Graz",
        "QUEUE": "https://sqs.eu-west-1.amazonaws.com/123456789012/orders",
    }
    assert (decide.timeout, decide.snapstart, decide.stream) == (3, True, True)
    assert decide.asynchronous == Asynchronous(1, on_failure="function:shop-dev-items")


def test_an_archive_of_a_build_is_the_project(folder: Folder) -> None:
    (folder.path / "shop").mkdir()
    (folder.path / "shop" / "pyproject.toml").touch()
    text = """
        service: shop
        package: { artifact: shop/dist/shop.zip }
        provider: { name: aws, runtime: python3.13 }
        functions:
          built: { handler: app.handler }
          packed: { handler: app.handler, package: { artifact: packed.zip } }
        """
    built, packed = folder.describe(text, "serverless.yml").functions
    assert (built.app_dir, packed.app_dir) == (folder.path / "shop", folder.path)


def test_routes_and_apis() -> None:
    described = describe(SERVERLESS)
    items = function(described, "shop-dev-items")
    assert routes(items) == {
        ("http-api", "GET", "/items/{id}"),
        ("http-api", "POST", "/items"),
        ("http-api", "ANY", "$default"),
        ("api-gateway-rest-api", "ANY", "/old/{proxy+}"),
        ("api-gateway-rest-api", "GET", "/legacy"),
        ("load-balancer", "GET", "/alb/*"),
        ("load-balancer", "POST", "/alb/*"),
    }
    assert (route(items, "/items").authorizer, route(items, "/items").scopes) == ("tokens", ("write",))
    assert (route(items, "/old/{proxy+}").authorizer, route(items, "/old/{proxy+}").api_key) == ("decide", True)
    assert route(items, "/alb/*").priority == 3
    http, rest = entrance(described, "http-api"), entrance(described, "api-gateway-rest-api")
    assert http.cors == Cors(("*",), ("GET", "POST", "PUT", "PATCH", "OPTIONS", "HEAD", "DELETE"), HEADERS)
    sources = ("$request.header.X-Key",)
    asked = Authorizer("asked", "request", function="shop-dev-decide", identity=sources, simple=True, ttl=30)
    assert http.authorizers[1] == asked
    assert (http.authorizers[0].issuer, http.authorizers[0].audience) == ("https://issuer.example", ("shop",))
    by_token = ("method.request.header.Authorization",)
    assert rest.authorizers == (
        Authorizer("decide", "token", function="shop-dev-decide", identity=by_token, payload="1.0"),
    )
    assert (rest.stage, rest.api_keys) == ("dev", {"mine": "abcdefghijklmnopqrstuvwxyz"})
    (url,) = function(described, "shop-dev-decide").routes
    assert (url.path, url.authorizer) == ("$default", "AWS_IAM")


def test_sources() -> None:
    name, night = "shop-dev-items", '{"night": true}'
    assert describe(SERVERLESS).sources == (
        Source(f"{name}-schedule6", name, "schedule", "rate(5 minutes)"),
        Source(f"{name}-schedule7", name, "schedule", "cron(0 1 * * ? *)", input=night, enabled=False),
        Source(f"{name}-schedule8", name, "schedule", "rate(1 day)", input=night, enabled=False),
        Source(f"{name}-schedule9", name, "schedule", "at(2026-12-01T00:00:00)", "Europe/Vienna", scheduler=True),
        Source(
            f"{name}-sqs10",
            name,
            "sqs",
            queue="arn:aws:sqs:eu-west-1:123456789012:orders",
            batch_size=4,
            partial=True,
            concurrency=7,
            filters=('{"body": {"kind": ["order"]}}',),
        ),
    )


def test_what_is_left_out_is_told_of() -> None:
    told = describe(SERVERLESS).notes
    text = "\n".join(told)
    assert "plugins: serverless-esbuild is not run here." in text
    assert "Variables.SECRET: ${ssm:/shop/secret}: ssm is known on AWS only; left out." in text
    assert "s3 invokes nothing here" in text
    assert "PageLambdaFunction: its runtime is nodejs22.x, not Python; the function is left out." in text
    assert all(line.startswith("serverless.yml") for line in told)


def test_the_stage_is_an_option() -> None:
    described = describe(SERVERLESS, stage="live")
    items = function(described, "shop-live-items")
    assert (items.memory, items.env["TABLE"]) == (1024, "items-live")


QUICK_START = """
service: hello
provider: { name: aws, runtime: python3.13 }
functions:
  hello:
    handler: app.hello
    events:
      - httpApi: { path: /, method: get }
"""


def test_a_service_as_the_framework_makes_it(folder: Folder) -> None:
    (hello,) = folder.describe(QUICK_START, "serverless.yml").functions
    assert (hello.name, hello.timeout, hello.memory) == ("hello-dev-hello", 6, 1024)
    assert routes(hello) == {("http-api", "GET", "/")}


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ("    warm: 2", "serverless.yml:9: HelloLambdaFunction.warm: it has no effect here."),
        ("mystery: 1", "serverless.yml:9: mystery: it has no effect here."),
        ("      - iot: {sql: x}", "HelloLambdaFunction.Events.iot2: iot invokes nothing here"),
        ("      - http: {path: x, method: get, integration: lambda}", "http: the integration lambda is not understood"),
        ("      - httpApi: {path: /y, method: get, odd: 1}", "Events.httpApi2.Properties.odd: it has no effect here."),
    ],
)
def test_what_is_not_understood(folder: Folder, more: str, says: str) -> None:
    described = folder.describe(QUICK_START.rstrip("\n") + f"\n{more}\n", "serverless.yml")
    assert any(says in line for line in described.notes)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("provider: {name: aws}", "serverless.yml:1: service: expected the name of the service."),
        ("service: s\nprovider: {name: azure}", "serverless.yml:2: provider.name: expected aws, but got 'azure'."),
        ("service: s\nfunctions: x", "serverless.yml:2: functions: expected a table."),
        ("service: s\nfunctions:\n  f: x", "functions.f: expected a table."),
        ("service: s\nfunctions:\n  f: {handler: a.b, events: [1]}", "events: expected a table, but got a number."),
    ],
)
def test_what_is_no_service(folder: Folder, text: str, says: str) -> None:
    with pytest.raises(ConfigurationError) as told:
        folder.describe(text, "serverless.yml")
    assert says in str(told.value)
