"""The `websocket` events of `serverless.yml`."""

from pathlib import Path

import pytest

from lambent.dev.model import Authorizer, Route
from lambent.errors import ConfigurationError
from tests.dev.templates.described import Folder, function

SERVICE = """
service: chat
provider:
  name: aws
  runtime: python3.13
  stage: live
  websocketsApiName: talk
  websocketsApiRouteSelectionExpression: $request.body.kind
  websocketsDescription: talking
  environment:
    CALLBACK: !Join ['', [https://, !Ref WebsocketsApi, .example]]
functions:
  talk:
    handler: app.handler
    events:
      - websocket: $disconnect
      - websocket:
          route: $default
      - websocket: { route: echo, routeResponseSelectionExpression: $default }
  greet:
    handler: app.greet
    events:
      - websocket:
          route: $connect
          authorizer:
            name: decide
            identitySource: [route.request.querystring.token]
  decide: { handler: app.decide }
"""


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_routes_of_several_functions_are_one_api_s(folder: Folder) -> None:
    described = folder.describe(SERVICE, "serverless.yml")
    (chat,) = described.entrances
    assert (chat.name, chat.kind, chat.stage) == ("websockets-api", "websocket", "live")
    assert chat.selection == "$request.body.kind"
    identity = ("route.request.querystring.token",)
    asked = Authorizer("decide", "request", function="chat-live-decide", identity=identity, payload="1.0", ttl=0.0)
    assert chat.authorizers == (asked,)
    assert function(described, "chat-live-talk").routes == (
        Route("websockets-api", "", "$disconnect"),
        Route("websockets-api", "", "$default"),
        Route("websockets-api", "", "echo", response=True),
    )
    assert function(described, "chat-live-greet").routes == (Route("websockets-api", "", "$connect", "decide"),)
    assert function(described, "chat-live-talk").env == {"CALLBACK": "https://WebsocketsApi.example"}
    assert all("CALLBACK is " in line for line in described.notes)


ONE = """
service: chat
provider: { name: aws, runtime: python3.13 }
functions:
  decide: { handler: app.decide }
  talk:
    handler: app.handler
    events:
      - websocket: """


@pytest.mark.parametrize(
    ("authorizer", "name", "function_name"),
    [
        ("decide", "decide", "chat-dev-decide"),
        ("{ name: decide }", "decide", "chat-dev-decide"),
        ("arn:aws:lambda:us-east-1:1:function:chat-dev-decide", "chat-dev-decide", "chat-dev-decide"),
        ("{ arn: 'arn:aws:lambda:us-east-1:1:function:chat-dev-decide' }", "chat-dev-decide", "chat-dev-decide"),
        ("{ name: asked, arn: !GetAtt DecideLambdaFunction.Arn }", "asked", "chat-dev-decide"),
    ],
)
def test_an_authorizer_is_named_in_several_ways(folder: Folder, authorizer: str, name: str, function_name: str) -> None:
    described = folder.describe(f"{ONE}{{ route: $connect, authorizer: {authorizer} }}\n", "serverless.yml")
    ((found,), (route,)) = described.entrances[0].authorizers, function(described, "chat-dev-talk").routes
    assert (found.name, found.function, found.identity) == (name, function_name, ("route.request.header.Auth",))
    assert route.authorizer == name


@pytest.mark.parametrize("stage", ["dev", "live"])
def test_the_stage_is_the_service_s(folder: Folder, stage: str) -> None:
    described = folder.describe(f"{ONE}$connect\n", "serverless.yml", stage=stage)
    assert [(each.stage, each.selection) for each in described.entrances] == [(stage, "$request.body.action")]


def test_an_api_of_elsewhere_is_served_and_told_of(folder: Folder) -> None:
    text = f"{ONE}$connect\n".replace("name: aws,", "name: aws, apiGateway: { websocketApiId: abc },")
    described = folder.describe(text, "serverless.yml")
    assert len(described.entrances) == 1
    told = "provider.apiGateway.websocketApiId: the API itself is not of this file; its routes are served."
    assert described.notes == (f"serverless.yml:3: {told}",)


def test_what_is_not_understood_is_told(folder: Folder) -> None:
    described = folder.describe(f"{ONE}{{ route: say, odd: 1 }}\n", "serverless.yml")
    assert described.notes == ("serverless.yml:9: SayWebsocketsRoute.odd: it has no effect here.",)


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ("", "websocket: expected the key of a route, such as $connect."),
        ("[a]", "websocket: expected the key of a route, such as $connect."),
        ("{ authorizer: decide }", "websocket: expected the key of a route, such as $connect."),
        ("{ route: $connect, authorizer: {} }", "websocket.authorizer: expected a name or an arn."),
        ("{ route: $connect, authorizer: [a] }", "websocket.authorizer: expected a name or an arn."),
    ],
)
def test_what_is_no_event(folder: Folder, config: str, says: str) -> None:
    with pytest.raises(ConfigurationError) as told:
        folder.describe(f"{ONE}{config}\n", "serverless.yml")
    assert str(told.value) == f"serverless.yml:9: {says}"
