"""Plain CloudFormation."""

from pathlib import Path

import pytest

from lambent.dev.model import Authorizer, Cors, Source
from lambent.errors import ConfigurationError
from tests.dev.templates.described import Folder, entrance, routes


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_an_http_api(folder: Folder) -> None:
    described = folder.resources(
        """
        Site: { Type: AWS::ApiGatewayV2::Api, Properties: { Name: site, ProtocolType: HTTP } }
        To:
          Type: AWS::ApiGatewayV2::Integration
          Properties:
            { ApiId: !Ref Site, IntegrationType: AWS_PROXY, IntegrationUri: !GetAtt F.Arn, TimeoutInMillis: 5000 }
        Away:
          Type: AWS::ApiGatewayV2::Integration
          Properties: { ApiId: !Ref Site, IntegrationType: HTTP_PROXY, IntegrationUri: "https://example.com" }
        Get:
          Type: AWS::ApiGatewayV2::Route
          Properties: { ApiId: !Ref Site, RouteKey: "GET /x", Target: !Sub "integrations/${To}" }
        Other:
          Type: AWS::ApiGatewayV2::Route
          Properties: { ApiId: !Ref Site, RouteKey: "GET /y", Target: !Join [/, [integrations, !Ref Away]] }
        Live:
          Type: AWS::ApiGatewayV2::Stage
          Properties: { ApiId: !Ref Site, StageName: live, StageVariables: { a: b } }
        Test: { Type: AWS::ApiGatewayV2::Stage, Properties: { ApiId: !Ref Site, StageName: test } }
        Mapped:
          Type: AWS::ApiGatewayV2::ApiMapping
          Properties: { ApiId: !Ref Site, DomainName: example.com, Stage: live, ApiMappingKey: shop }
        """
    )
    site = entrance(described, "site")
    assert routes(described.functions[0]) == {("site", "GET", "/x")}
    assert (site.stage, site.variables, site.base_path, site.timeout) == ("live", {"a": "b"}, "/shop", 5.0)
    told = "\n".join(described.notes)
    assert "Other: GET /y leads to HTTP_PROXY, not to a function; left out." in told
    assert "Test: the stage live is served, test is left out." in told


def test_a_rest_api(folder: Folder) -> None:
    uri = "arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${F.Arn}/invocations"
    described = folder.resources(
        f"""
        Old: {{ Type: AWS::ApiGateway::RestApi, Properties: {{ Name: old }} }}
        Items:
          Type: AWS::ApiGateway::Resource
          Properties: {{ RestApiId: !Ref Old, ParentId: !GetAtt Old.RootResourceId, PathPart: items }}
        Item:
          Type: AWS::ApiGateway::Resource
          Properties: {{ RestApiId: !Ref Old, ParentId: !Ref Items, PathPart: "{{id}}" }}
        Get:
          Type: AWS::ApiGateway::Method
          Properties:
            RestApiId: !Ref Old
            ResourceId: !Ref Item
            HttpMethod: GET
            AuthorizationType: CUSTOM
            AuthorizerId: !Ref Asked
            ApiKeyRequired: true
            Integration: {{ Type: AWS_PROXY, Uri: !Sub "{uri}" }}
        Asked:
          Type: AWS::ApiGateway::Authorizer
          Properties:
            Name: asked
            Type: TOKEN
            RestApiId: !Ref Old
            AuthorizerUri: !Sub "{uri}"
            IdentitySource: method.request.header.Auth
            IdentityValidationExpression: "Bearer .*"
        Pool: {{ Type: AWS::Cognito::UserPool }}
        Options:
          Type: AWS::ApiGateway::Method
          Properties:
            RestApiId: !Ref Old
            ResourceId: !Ref Item
            HttpMethod: OPTIONS
            Integration:
              Type: MOCK
              IntegrationResponses:
                - StatusCode: 204
                  ResponseParameters:
                    method.response.header.Access-Control-Allow-Origin: "'*'"
                    method.response.header.Access-Control-Allow-Methods: "'GET,PUT'"
        Made: {{ Type: AWS::ApiGateway::Deployment, Properties: {{ RestApiId: !Ref Old, StageName: live }} }}
        Key: {{ Type: AWS::ApiGateway::ApiKey, Properties: {{ Name: mine, Value: abc }} }}
        """
    )
    old = entrance(described, "old")
    (route,) = described.functions[0].routes
    assert (route.method, route.path, route.authorizer, route.api_key) == ("GET", "/items/{id}", "asked", True)
    sources = ("method.request.header.Auth",)
    asked = Authorizer("asked", "token", function="F", identity=sources, payload="1.0", pattern="Bearer .*")
    assert old.authorizers == (asked,)
    assert (old.cors, old.stage, old.api_keys) == (Cors(("*",), ("GET", "PUT")), "live", {"mine": "abc"})


def test_a_load_balancer(folder: Folder) -> None:
    described = folder.resources(
        """
        Group:
          Type: AWS::ElasticLoadBalancingV2::TargetGroup
          Properties: { TargetType: lambda, Targets: [{ Id: !GetAtt F.Arn }] }
        Ours:
          Type: AWS::ElasticLoadBalancingV2::ListenerRule
          Properties:
            Priority: 7
            Actions: [{ Type: forward, TargetGroupArn: !Ref Group }]
            Conditions:
              - { Field: path-pattern, PathPatternConfig: { Values: [/a/*, /b] } }
              - { Field: host-header, Values: ["*.example.com"] }
        Odd:
          Type: AWS::ElasticLoadBalancingV2::ListenerRule
          Properties:
            Priority: 8
            Actions: [{ Type: forward, TargetGroupArn: !Ref Group }]
            Conditions: [{ Field: source-ip, SourceIpConfig: { Values: [10.0.0.0/8] } }]
        Rest:
          Type: AWS::ElasticLoadBalancingV2::Listener
          Properties: { DefaultActions: [{ Type: forward, TargetGroupArn: !Ref Group }] }
        """
    )
    found = {(each.method, each.path, each.priority, each.host) for each in described.functions[0].routes}
    assert found == {
        ("ANY", "/a/*", 7, "*.example.com"),
        ("ANY", "/b", 7, "*.example.com"),
        ("ANY", "$default", None, ""),
    }
    assert "Odd: conditions on source-ip are not understood here; the rule is left out." in "\n".join(described.notes)


def test_what_invokes_by_itself(folder: Folder) -> None:
    described = folder.resources(
        """
        Tick:
          Type: AWS::Events::Rule
          Properties:
            ScheduleExpression: rate(1 hour)
            Targets: [{ Id: a, Arn: !GetAtt F.Arn, Input: "{}" }, { Id: b, Arn: x }]
        Match:
          Type: AWS::Events::Rule
          Properties: { EventPattern: { source: [x] }, Targets: [{ Id: a, Arn: !GetAtt F.Arn }] }
        Once:
          Type: AWS::Scheduler::Schedule
          Properties: { ScheduleExpression: at(2026-12-01T00:00:00), State: DISABLED, Target: { Arn: !GetAtt F.Arn } }
        Stream:
          Type: AWS::Lambda::EventSourceMapping
          Properties: { EventSourceArn: "arn:aws:kinesis:eu-west-1:1:stream/s", FunctionName: !Ref F }
        Queue:
          Type: AWS::Lambda::EventSourceMapping
          Properties: { EventSourceArn: "arn:aws:sqs:eu-west-1:1:orders", FunctionName: !GetAtt F.Arn, Enabled: false }
        """
    )
    assert described.sources == (
        Source("Tick", "F", "schedule", "rate(1 hour)", input="{}"),
        Source("Once", "F", "schedule", "at(2026-12-01T00:00:00)", scheduler=True, enabled=False),
        Source("Queue", "F", "sqs", queue="arn:aws:sqs:eu-west-1:1:orders", enabled=False),
    )
    told = "\n".join(described.notes)
    assert "Tick: its target x is no function; left out." in told
    assert "Match.EventPattern: no events are matched here" in told
    assert "Stream: kinesis is not polled here" in told


def test_a_reference_to_a_function_of_elsewhere_is_told_of(folder: Folder) -> None:
    described = folder.resources(
        "U: {Type: AWS::Lambda::Url, Properties: {TargetFunctionArn: 'arn:aws:lambda:eu-west-1:1:function:far'}}"
    )
    assert not described.functions[0].routes
    told = "expected a function of this file, but got arn:aws:lambda:eu-west-1:1:function:far; left out."
    assert any(line.endswith(told) for line in described.notes)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[1, 2]", "t.yaml:1: expected a table, but the document is none."),
        ("a: 1", "t.yaml:1: expected a template with Resources, but there are none."),
        ("Resources: [a]", "t.yaml:1: expected a template with Resources, but there are none."),
        ("Resources:\n  A: b", "t.yaml:2: A: expected a resource, which is a table with a Type."),
        ("Resources:\n  A: {Type: T, Properties: x}", "t.yaml:2: A: expected Properties to be a table."),
        ("Parameters: x\nResources: {}", "t.yaml:1: Parameters: expected a table."),
        ("Globals: {Functions: {}}\nResources: {}", "t.yaml:1: Globals.Functions: expected one of Function, Api,"),
        ("Resources: {A: {Type: T, Condition: C}}", "t.yaml:1: A: there is no condition 'C'."),
    ],
)
def test_what_is_no_template(folder: Folder, text: str, says: str) -> None:
    with pytest.raises(ConfigurationError) as told:
        folder.describe(text, "t.yaml")
    assert str(told.value).startswith(says)
