"""WebSocket APIs, as every tool describes them."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from lambent.dev.model import Authorizer, Entrance, Route
from lambent.errors import ConfigurationError
from tests.dev.templates.described import DATA, Folder, describe
from tests.dev.templates.test_terraform import FUNCTION, plan, resource

ACTION = "$request.body.action"


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def keys(routes: tuple[Route, ...]) -> set[str]:
    assert {each.method for each in routes} <= {""}
    return {each.path for each in routes}


CLOUDFORMATION = """
    Chat:
      Type: AWS::ApiGatewayV2::Api
      Properties: { Name: chat, ProtocolType: WEBSOCKET, RouteSelectionExpression: $request.body.kind, Description: x }
    To:
      Type: AWS::ApiGatewayV2::Integration
      Properties:
        ApiId: !Ref Chat
        IntegrationType: AWS_PROXY
        IntegrationUri: !Sub "arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${F.Arn}/invocations"
        TimeoutInMillis: 5000
    Nothing: { Type: AWS::ApiGatewayV2::Integration, Properties: { ApiId: !Ref Chat, IntegrationType: MOCK } }
    Connect:
      Type: AWS::ApiGatewayV2::Route
      Properties:
        { ApiId: !Ref Chat, RouteKey: $connect, AuthorizationType: CUSTOM, AuthorizerId: !Ref Asked,
          Target: !Sub "integrations/${To}" }
    Default:
      Type: AWS::ApiGatewayV2::Route
      Properties: { ApiId: !Ref Chat, RouteKey: $default, Target: !Join [/, [integrations, !Ref To]] }
    Echo:
      Type: AWS::ApiGatewayV2::Route
      Properties:
        { ApiId: !Ref Chat, RouteKey: echo, RouteResponseSelectionExpression: $default,
          Target: !Sub "integrations/${To}" }
    EchoResponse:
      Type: AWS::ApiGatewayV2::RouteResponse
      Properties: { ApiId: !Ref Chat, RouteId: !Ref Echo, RouteResponseKey: $default }
    End:
      Type: AWS::ApiGatewayV2::Route
      Properties: { ApiId: !Ref Chat, RouteKey: $disconnect, Target: !Sub "integrations/${Nothing}" }
    Asked:
      Type: AWS::ApiGatewayV2::Authorizer
      Properties:
        { ApiId: !Ref Chat, Name: asked, AuthorizerType: REQUEST, AuthorizerUri: !GetAtt F.Arn,
          IdentitySource: [route.request.header.Auth, route.request.querystring.token] }
    Live:
      Type: AWS::ApiGatewayV2::Stage
      Properties: { ApiId: !Ref Chat, StageName: live, StageVariables: { a: b } }
    Model: { Type: AWS::ApiGatewayV2::Model, Properties: { ApiId: !Ref Chat, Name: m, Schema: {} } }
    Mapped:
      Type: AWS::ApiGatewayV2::ApiMapping
      Properties: { ApiId: !Ref Chat, DomainName: example.com, Stage: live, ApiMappingKey: talk }
"""


def test_cloudformation(folder: Folder) -> None:
    described = folder.resources(CLOUDFORMATION)
    identity = ("route.request.header.Auth", "route.request.querystring.token")
    asked = Authorizer("asked", "request", function="F", identity=identity, payload="1.0", ttl=0.0)
    chat = Entrance("chat", "websocket", "live", {"a": "b"}, "/talk", authorizers=(asked,), timeout=5.0)
    assert described.entrances == (replace(chat, selection="$request.body.kind"),)
    assert described.functions[0].routes == (
        Route("chat", "", "$connect", "asked"),
        Route("chat", "", "$default"),
        Route("chat", "", "echo", response=True),
    )
    assert described.notes == ("template.yaml:32: End: $disconnect leads to MOCK, not to a function; left out.",)


@pytest.mark.parametrize(
    ("properties", "says"),
    [
        (
            "RouteKey: say, RouteResponseSelectionExpression: $default",
            "R: it has no AWS::ApiGatewayV2::RouteResponse; what its function replies goes nowhere.",
        ),
        (
            "RouteKey: say, AuthorizationType: AWS_IAM",
            "R: on AWS only $connect has an authorizer; that of say is left out.",
        ),
        ("RouteKey: say, ApiKeyRequired: true", "R.ApiKeyRequired: on AWS only $connect asks for an API key; not say."),
    ],
)
def test_what_a_route_does_not_come_to_is_told(folder: Folder, properties: str, says: str) -> None:
    described = folder.resources(
        f"""
        Chat: {{ Type: AWS::ApiGatewayV2::Api, Properties: {{ ProtocolType: WEBSOCKET }} }}
        To:
          Type: AWS::ApiGatewayV2::Integration
          Properties: {{ ApiId: !Ref Chat, IntegrationType: AWS_PROXY, IntegrationUri: !GetAtt F.Arn }}
        R:
          Type: AWS::ApiGatewayV2::Route
          Properties: {{ ApiId: !Ref Chat, Target: !Sub "integrations/${{To}}", {properties} }}
        """
    )
    (route,) = described.functions[0].routes
    assert (route.authorizer, route.api_key, route.response) == ("", False, False)
    assert any(line.endswith(says) for line in described.notes)
    assert [each.selection for each in described.entrances] == [ACTION]


@pytest.mark.parametrize(
    ("expression", "source"),
    [("$request.header.x-api-key", "header"), ("$context.authorizer.usageIdentifierKey", "authorizer")],
)
def test_api_keys_open_a_websocket_api_as_they_do_a_rest_api(folder: Folder, expression: str, source: str) -> None:
    text = CLOUDFORMATION.replace("Description: x", f"ApiKeySelectionExpression: {expression}")
    text = text.replace("RouteKey: $connect,", "RouteKey: $connect, ApiKeyRequired: true,")
    key = "\n    Key: { Type: AWS::ApiGateway::ApiKey, Properties: { Name: mine, Value: abc, Enabled: true } }\n"
    described = folder.resources(text + key)
    (chat,) = described.entrances
    assert (chat.api_keys, chat.api_key_source) == ({"mine": "abc"}, source)
    assert [route.api_key for route in described.functions[0].routes] == [True, False, False]


def test_a_signed_handshake(folder: Folder) -> None:
    described = folder.resources(CLOUDFORMATION.replace("AuthorizationType: CUSTOM", "AuthorizationType: AWS_IAM"))
    assert described.functions[0].routes[0].authorizer == "AWS_IAM"


SAM = """
Globals: { WebSocketApi: { RouteSelectionExpression: $request.body.kind, StageVariables: { colour: blue } } }
Resources:
  Talk: { Type: AWS::Serverless::Function, Properties: { Handler: app.handler, Runtime: python3.13, CodeUri: . } }
  Decide: { Type: AWS::Serverless::Function, Properties: { Handler: app.decide, Runtime: python3.13, CodeUri: . } }
  Chat:
    Type: AWS::Serverless::WebSocketApi
    Properties:
      StageName: live
      Auth:
        AuthType: CUSTOM
        AuthArn: !GetAtt Decide.Arn
        IdentitySource: [route.request.header.Authorization]
      Domain: { DomainName: example.com, CertificateArn: x, BasePath: [talk] }
      Routes:
        $connect: { FunctionArn: !GetAtt Talk.Arn, IntegrationTimeout: 2000 }
        $default: { FunctionArn: !GetAtt Talk.Arn }
        sendMessage: { FunctionArn: !GetAtt Talk.Arn, RouteResponseSelectionExpression: $default, Odd: 1 }
  Answer:
    Type: AWS::ApiGatewayV2::RouteResponse
    Properties: { ApiId: !Ref Chat, RouteId: !Ref ChatSendmessageRoute, RouteResponseKey: $default }
"""


def test_sam(folder: Folder) -> None:
    described = folder.describe(SAM)
    (chat,) = described.entrances
    assert (chat.name, chat.kind, chat.stage, chat.base_path) == ("chat", "websocket", "live", "/talk")
    assert (chat.selection, chat.variables, chat.timeout) == ("$request.body.kind", {"colour": "blue"}, 2.0)
    identity = ("route.request.header.Authorization",)
    name = "ChatConnectAuthorizer"
    asked = Authorizer(name, "request", function="Decide", identity=identity, payload="1.0", ttl=0.0)
    assert chat.authorizers == (asked,)
    assert described.functions[0].routes == (
        Route("chat", "", "$connect", name),
        Route("chat", "", "$default"),
        Route("chat", "", "sendMessage", response=True),
    )
    assert described.notes == ("template.yaml:18: ChatSendmessageRoute.Odd: it has no effect here.",)


def test_sam_without_a_word_more_than_it_wants(folder: Folder) -> None:
    text = """
    Resources:
      Talk: { Type: AWS::Serverless::Function, Properties: { Handler: app.handler, Runtime: python3.13, CodeUri: . } }
      Chat:
        Type: AWS::Serverless::WebSocketApi
        Condition: Wanted
        Properties:
          RouteSelectionExpression: $request.body.action
          Auth: { AuthType: AWS_IAM }
          Routes: { $connect: { FunctionArn: !GetAtt Talk.Arn } }
    Parameters: { Wanted: { Type: String, Default: "yes" } }
    Conditions: { Wanted: !Equals [!Ref Wanted, "yes"] }
    """
    described = folder.describe(text)
    assert [(each.name, each.stage, each.selection) for each in described.entrances] == [("chat", "default", ACTION)]
    assert described.functions[0].routes == (Route("chat", "", "$connect", "AWS_IAM"),)
    assert described.notes == ()
    assert folder.describe(text, Wanted="no").entrances == ()


@pytest.mark.parametrize("routes", ["x", "[a]", "{$connect: x}", "!If [a, b, c]"])
def test_sam_s_routes_are_a_table_of_tables(folder: Folder, routes: str) -> None:
    text = f"""
    Resources:
      Chat:
        Type: AWS::Serverless::WebSocketApi
        Properties:
          Routes: {routes}
    """
    with pytest.raises(ConfigurationError) as told:
        folder.describe(text)
    assert str(told.value) == ("template.yaml:6: Chat.Routes: expected a table of routes, each a table by its key.")


def test_cdk() -> None:
    described = describe(DATA / "cdk_sockets" / "cdk.out")
    (sockets,) = described.entrances
    assert (sockets.name, sockets.kind, sockets.stage) == ("sockets", "websocket", "live")
    assert sockets.selection == "$request.body.kind"
    assert [(each.name, each.function, each.identity) for each in sockets.authorizers] == [
        ("Asked", "Decide", ("route.request.querystring.token",))
    ]
    talk, decide = described.functions
    assert {(each.path, each.authorizer, each.response) for each in talk.routes} == {
        ("$connect", "Asked", False),
        ("$default", "", False),
        ("$disconnect", "", False),
        ("echo", "", True),
    }
    assert not decide.routes


def test_a_state_of_terraform(folder: Folder) -> None:
    arn = "arn:aws:lambda:eu-west-1:1:function:f"
    to = {"api_id": "abc", "target": "integrations/int"}
    text = plan(
        resource("aws_lambda_function.f", function_name="f", arn=arn, id="f", **FUNCTION),
        resource("aws_apigatewayv2_api.chat", id="abc", protocol_type="WEBSOCKET", route_selection_expression=ACTION),
        resource(
            "aws_apigatewayv2_integration.i", id="int", api_id="abc", integration_type="AWS_PROXY", integration_uri=arn
        ),
        resource("aws_apigatewayv2_route.c", id="r1", route_key="$connect", **to),
        resource(
            "aws_apigatewayv2_route.s", id="r2", route_key="say", route_response_selection_expression="$default", **to
        ),
        resource("aws_apigatewayv2_route_response.s", api_id="abc", route_id="r2", route_response_key="$default"),
        resource("aws_apigatewayv2_stage.live", api_id="abc", name="live"),
    ).replace("planned_values", "values")
    described = folder.describe(text, "plan.json")
    assert described.functions[0].routes == (Route("chat", "", "$connect"), Route("chat", "", "say", response=True))
    assert [(each.kind, each.stage) for each in described.entrances] == [("websocket", "live")]
    assert described.notes == ()


def test_a_plan_of_terraform_before_anything_is_made(folder: Folder) -> None:
    def refers(**arguments: str) -> dict[str, object]:
        return {key: {"references": [f"{to}.id", to]} for key, to in arguments.items()}

    api, route = "aws_apigatewayv2_api", "aws_apigatewayv2_route"
    configured: list[dict[str, object]] = [
        {"type": "aws_apigatewayv2_integration", "name": "i"}
        | {"expressions": refers(api_id=f"{api}.chat", integration_uri="aws_lambda_function.f")},
        {"type": route, "name": "s"}
        | {"expressions": refers(api_id=f"{api}.chat", target="aws_apigatewayv2_integration.i")},
        {"type": "aws_apigatewayv2_route_response", "name": "s"}
        | {"expressions": refers(api_id=f"{api}.chat", route_id=f"{route}.s")},
        {"type": "aws_apigatewayv2_stage", "name": "live", "expressions": refers(api_id=f"{api}.chat")},
    ]
    text = plan(
        resource("aws_lambda_function.f", function_name="f", **FUNCTION),
        resource(f"{api}.chat", protocol_type="WEBSOCKET", route_selection_expression="$request.body.kind"),
        resource("aws_apigatewayv2_integration.i", integration_type="AWS_PROXY"),
        resource(f"{route}.s", route_key="say", route_response_selection_expression="$default"),
        resource("aws_apigatewayv2_route_response.s", route_response_key="$default"),
        resource("aws_apigatewayv2_stage.live", name="live"),
        configuration={"root_module": {"resources": [{"mode": "managed", **each} for each in configured]}},
    )
    assert json.loads(text)
    described = folder.describe(text, "plan.json")
    assert described.functions[0].routes == (Route("chat", "", "say", response=True),)
    (chat,) = described.entrances
    assert (chat.kind, chat.stage, chat.selection) == ("websocket", "live", "$request.body.kind")
