"""AWS SAM's templates."""

from pathlib import Path

import pytest

from lambent.dev.model import Asynchronous, Authorizer, Cors, Route, Source
from lambent.errors import ConfigurationError
from tests.dev.templates.described import SAM, Folder, describe, entrance, function, route, routes


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_a_function_has_its_globals_and_its_own() -> None:
    described = describe(SAM)
    shop = function(described, "shop-dev")
    assert (shop.handler, shop.app_dir) == ("app.handler", SAM.parent / "src")
    assert (shop.timeout, shop.memory, shop.reserved_concurrency) == (7, 512, 3)
    assert shop.layers == (SAM.parent / "words",)
    assert shop.env == {
        "AWS_LAMBDA_LOG_FORMAT": "JSON",
        "AWS_LAMBDA_LOG_LEVEL": "INFO",
        "STAGE": "dev",
        "TABLE": "items-dev",
        "DECIDE": "decide",
        "QUEUE": "https://sqs.us-east-1.amazonaws.com/123456789012/Orders",
        "WHERE": "us-east-1/b",
    }
    assert shop.asynchronous == Asynchronous(1, 120.0, on_failure="function:decide")
    assert function(described, "decide").snapstart
    assert function(described, "Stream").stream


def test_functions_behind_their_apis() -> None:
    described = describe(SAM)
    shop = function(described, "shop-dev")
    assert routes(shop) == {
        ("serverless-http-api", "ANY", "$default"),
        ("site", "GET", "/items/{id}"),
        ("site-2", "POST", "/items"),
        ("old", "ANY", "/old/{proxy+}"),
        ("old", "GET", "/open"),
    }
    assert route(shop, "/items/{id}").scopes == ("read",)
    assert route(shop, "/items").authorizer == "Asked"
    assert route(shop, "/old/{proxy+}").api_key
    assert route(shop, "/open") == Route("old", "GET", "/open", "NONE")
    assert function(described, "Stream").routes == (Route("stream", "ANY", "$default", "AWS_IAM"),)


def test_apis() -> None:
    described = describe(SAM)
    site, old = entrance(described, "site"), entrance(described, "old")
    cors = Cors(("https://shop.example",), ("GET", "POST"), ("content-type",), max_age=600)
    assert (site.kind, site.stage, site.cors, site.default_authorizer) == ("http", "dev", cors, "Tokens")
    tokens = Authorizer("Tokens", "jwt", issuer="https://issuer.example", audience=("shop",))
    by_function = Authorizer("Asked", "request", function="decide", simple=True, ttl=0)
    assert [each.name for each in site.authorizers] == ["Tokens", "Asked"]
    assert site.authorizers[0].issuer == tokens.issuer
    assert site.authorizers[0].audience == tokens.audience
    assert site.authorizers[1].function == by_function.function
    assert site.authorizers[1].simple
    assert entrance(described, "site-2").kind == "http1"
    assert (old.kind, old.stage, old.variables, old.cors) == (
        "rest",
        "live",
        {"colour": "blue"},
        Cors(("*",), ("GET", "POST")),
    )
    identity = ("method.request.header.X-Key", "method.request.querystring.key")
    asked = Authorizer("Asked", "request", function="decide", identity=identity, payload="1.0", ttl=60)
    assert (old.authorizers, old.default_authorizer) == ((asked,), "Asked")
    assert entrance(described, "stream").cors == Cors(("*",))


def test_sources() -> None:
    described = describe(SAM)
    pattern = '{"body": {"kind": ["order"]}}'
    assert described.sources == (
        Source("shop-dev-Often", "shop-dev", "schedule", "rate(5 minutes)", input='{"often": true}'),
        Source("shop-dev-Daily", "shop-dev", "schedule", "cron(0 6 * * ? *)", "Europe/Vienna", True, enabled=False),
        Source(
            "shop-dev-Queue",
            "shop-dev",
            "sqs",
            queue="arn:aws:sqs:us-east-1:123456789012:Orders",
            batch_size=5,
            batch_window=2,
            partial=True,
            concurrency=4,
            filters=(pattern,),
        ),
    )


def test_what_is_left_out_is_told_of() -> None:
    told = "\n".join(describe(SAM).notes)
    assert "Node: its runtime is nodejs22.x, not Python; the function is left out." in told
    assert "not made here: AWS::Serverless::SimpleTable (Items), AWS::SQS::Queue (Orders, Failed)." in told
    assert "Orders gets its name from AWS; QUEUE is " in told
    assert "Only" not in told  # its condition is not met


def test_parameters_choose_what_is_there() -> None:
    described = describe(SAM, Stage="live")
    names = {each.name for each in described.functions}
    assert names == {"decide", "shop-live", "Stream", "Only"}
    assert function(described, "shop-live").timeout == 20
    assert function(described, "shop-live").env["LIVE"] == "yes"


BY_HAND = "`lambent event` makes events for `lambent invoke F`."
EVENTS = """\
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      Handler: app.handler
      Runtime: python3.13
      CodeUri: .
      VpcConfig: { SubnetIds: [a] }
      Events:
        Upload: { Type: S3, Properties: { Bucket: !Ref Photos, Events: "s3:ObjectCreated:*" } }
        Elsewhere: { Type: HttpApi, Properties: { ApiId: !ImportValue api, Path: /x, Method: get } }
        Once: { Type: Schedule, Properties: { Schedule: soon } }
        Fast: { Type: HttpApi, Properties: { Path: /f, Method: get, RouteSettings: { ThrottlingBurstLimit: 1 } } }
"""


def test_each_thing_that_does_not_come_to_be_is_told_with_its_line(folder: Folder) -> None:
    described = folder.describe(EVENTS)
    assert routes(described.functions[0]) == {("serverless-http-api", "GET", "/f")}
    assert described.notes == (
        f"template.yaml:10: F.Events.Upload: S3 invokes nothing here; {BY_HAND}",
        "template.yaml:11: F.Events.Elsewhere.Properties.ApiId: api is what another stack exports; left out.",
        "template.yaml:11: F.Events.Elsewhere: its API is not of this file; the route is left out.",
        "template.yaml:12: F.Events.Once: expected rate(…) or cron(…), but got soon; left out.",
        "template.yaml:13: F.Events.Fast.Properties.RouteSettings: limits of requests a second are not held here.",
        "template.yaml:8: F.VpcConfig: it has no effect here.",
    )


@pytest.mark.parametrize(
    ("properties", "says"),
    [
        ("Timeout: soon", ":4: F.Timeout: expected a whole number, but got a text ('soon')."),
        ("Timeout: 901", ":4: F.Timeout: expected a whole number from 1 to 900, but got 901."),
        ("Environment: x", ":4: F.Environment: expected a table, but got a text ('x')."),
        ("Environment: {Variables: [a]}", ":4: F.Environment.Variables: expected a table, but got a list."),
        ("Environment: {Variables: {A: [b]}}", ":4: F.Environment.Variables.A: expected a text, but got a list."),
        (
            "FunctionName: a b",
            "F.FunctionName: expected 1 to 64 letters, digits, hyphens and underscores, but got 'a b'.",
        ),
        ("Layers: [{a: b, c: d}]", ":4: F.Layers: expected a list of texts, but got a table."),
    ],
)
def test_wrong_values_are_refused_with_their_line(folder: Folder, properties: str, says: str) -> None:
    own = f"Handler: app.handler, Runtime: python3.13, CodeUri: .\n{properties}"
    text = "Resources:\n F: {Type: AWS::Serverless::Function, Properties:\n  {" + own.replace("\n", ",\n   ") + "}}"
    with pytest.raises(ConfigurationError) as told:
        folder.describe(text)
    assert says in str(told.value)


@pytest.mark.parametrize(
    ("properties", "why"),
    [
        ("CodeUri: s3://bucket/key, Handler: app.handler", "its code is not in a folder here"),
        ("InlineCode: x, Handler: index.handler", "its code is not in a folder here"),
        ("PackageType: Image", "its code is in a container image"),
        ("CodeUri: ., Handler: App::Function", "its handler 'App::Function' is not one of Python, such as app.handler"),
        ("CodeUri: gone, Handler: app.handler", "there is no folder"),
    ],
)
def test_a_function_that_cannot_run_is_told_of_and_the_others_run(folder: Folder, properties: str, why: str) -> None:
    own = f"{{Runtime: python3.13, {properties}}}"
    described = folder.resources(f"G: {{Type: AWS::Serverless::Function, Properties: {own}}}")
    assert [each.name for each in described.functions] == ["F"]
    assert any(f"G: {why}" in line and "the function is left out" in line for line in described.notes)


@pytest.mark.parametrize("handler", ["my-app.handler", "get-user/app.handler"])
def test_modules_may_have_hyphens_in_their_names(folder: Folder, handler: str) -> None:
    own = f"{{Runtime: python3.13, CodeUri: ., Handler: {handler}}}"
    described = folder.resources(f"G: {{Type: AWS::Serverless::Function, Properties: {own}}}")
    assert function(described, "G").handler == handler


def test_a_layer_that_is_left_out_is_of_this_file_all_the_same(folder: Folder) -> None:
    own = "{Runtime: python3.13, CodeUri: ., Handler: app.handler, Layers: [!Ref Words]}"
    described = folder.resources(
        f"G: {{Type: AWS::Serverless::Function, Properties: {own}}}\n"
        "Words: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: words.zip, LayerName: words}}",
    )
    said = "".join(described.notes)
    assert "Words: its content is not in a folder here; the layer is left out." in said
    assert "G: its layer Words is left out: install here what it brings." in said
    assert "not of this file" not in said


@pytest.mark.parametrize("kind", ["AWS::Serverless::Function", "AWS::Lambda::Function"])
def test_code_that_is_a_zip_of_a_build_is_the_project(folder: Folder, kind: str) -> None:
    key = "CodeUri" if "Serverless" in kind else "Code"
    resource = f"G: {{Type: {kind}, Properties: {{Runtime: python3.13, Handler: app.handler, {key}: shop/dist/x.zip}}}}"
    shop = folder.path / "shop"
    shop.mkdir()
    described = folder.resources(resource)  # of no project
    assert [each.name for each in described.functions] == ["F"]
    assert any("x.zip; the function is left out" in line for line in described.notes)
    (shop / "pyproject.toml").touch()
    assert function(folder.resources(resource), "G").app_dir == shop
    (shop / "src").mkdir()
    assert function(folder.resources(resource), "G").app_dir == shop / "src"


@pytest.mark.parametrize(
    ("mode", "streams", "note"), [("RESPONSE_STREAM", True, ""), ("BUFFERED", False, ""), ("STREAM", False, "STREAM")]
)
def test_events_stream_by_the_word_that_sam_has_for_it(folder: Folder, mode: str, streams: bool, note: str) -> None:
    event = f"{{Type: Api, Properties: {{Path: /, Method: get, ResponseTransferMode: {mode}}}}}"
    own = f"{{Runtime: python3.13, Handler: app.handler, CodeUri: ., Events: {{E: {event}}}}}"
    described = folder.resources(f"G: {{Type: AWS::Serverless::Function, Properties: {own}}}")
    assert function(described, "G").stream is streams
    notes = [line for line in described.notes if "ResponseTransferMode" in line]
    assert [line.partition("expected ")[2] for line in notes] == (
        [f"BUFFERED or RESPONSE_STREAM, but got {note}: SAM makes nothing of it."] if note else []
    )
