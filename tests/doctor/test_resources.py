"""Templates of several tools → functions, doors, queues."""

import json
from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lambent.dev.model import Function
from lambent.dev.templates.reading import Around, Reading
from lambent.doctor import checks, resources
from lambent.doctor.model import Door, Facts, FunctionFacts
from lambent.doctor.resources import Described
from lambent.errors import ConfigurationError
from tests.dev.templates.described import CDK, SAM, SERVERLESS, TERRAFORM


def read(file: Path) -> dict[str, Described]:
    around = Around(file.parent, Function("base", "app.handler"), {}, {})
    return {each.facts.name: each for each in resources.read(*Reading(around).templates(file))}


class Folder:
    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self, text: str, name: str = "template.yaml") -> dict[str, Described]:
        (self.path / name).write_text(dedent(text), "utf-8")
        return read(self.path / name)

    def function(self, text: str, name: str = "template.yaml") -> FunctionFacts:
        (found,) = self.read(text, name).values()
        return found.facts


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_a_function_of_sam_with_all_that_leads_to_it(folder: Folder) -> None:
    found = folder.function("""\
        Transform: AWS::Serverless-2016-10-31
        Globals: { Function: { Timeout: 60 } }
        Resources:
          F:
            Type: AWS::Serverless::Function
            Properties:
              FunctionName: shop
              CodeUri: .
              Handler: app.handler
              Runtime: python3.13
              Architectures: [arm64]
              MemorySize: 512
              ReservedConcurrentExecutions: 0
              AutoPublishAlias: live
              DeploymentPreference: { Type: Canary10Percent5Minutes }
              SnapStart: { ApplyOn: PublishedVersions }
              Layers: [arn:a, arn:b]
              Environment:
                Variables:
                  AWS_LAMBDA_EXEC_WRAPPER: /var/task/lambent/exec/wrapper
              FunctionUrlConfig: { AuthType: NONE, InvokeMode: RESPONSE_STREAM }
              Events:
                Http: { Type: HttpApi, Properties: { TimeoutInMillis: 5000 } }
                Rest: { Type: Api, Properties: { Path: /, Method: get, ResponseTransferMode: RESPONSE_STREAM } }
                Queue:
                  Type: SQS
                  Properties: { Queue: !GetAtt Q.Arn, BatchSize: 5, FunctionResponseTypes: [ReportBatchItemFailures] }
          Q: { Type: AWS::SQS::Queue, Properties: { VisibilityTimeout: 90 } }
    """)
    assert (found.name, found.handler, found.runtime, found.client) == ("shop", "app.handler", "python3.13", "lambent")
    assert (found.architecture, found.timeout, found.memory, found.reserved) == ("arm64", 60.0, 512, 0)
    assert (found.snapstart, found.published, found.watched, found.layers) == (True, True, True, 2)
    assert str(found.at("MemorySize")) == "template.yaml:12"
    assert str(found.at("Environment.AWS_LAMBDA_EXEC_WRAPPER")) == "template.yaml:20"
    by_kind = {door.kind: door for door in found.doors}
    assert set(by_kind) == {"url", "http", "rest"}
    assert (by_kind["url"].streams, str(by_kind["url"].place)) == (True, "template.yaml:21")
    assert by_kind["http"].timeout == 5.0
    assert (by_kind["rest"].streams, by_kind["rest"].binary) == (True, ())
    (poll,) = found.polls
    assert (poll.kind, poll.name, poll.partial, poll.batch_size, poll.visibility) == ("sqs", "Q", True, 5, 90)


REST = """\
    Resources:
      F:
        Type: AWS::Lambda::Function
        Properties: { Code: ., Handler: app.handler, Runtime: python3.13 }
      Api: { Type: AWS::ApiGateway::RestApi, Properties: { Name: api, BinaryMediaTypes: ["*/*"] } }
      M:
        Type: AWS::ApiGateway::Method
        Properties:
          RestApiId: !Ref Api
          ResourceId: !GetAtt Api.RootResourceId
          HttpMethod: ANY
          Integration:
            Type: AWS_PROXY
            ResponseTransferMode: STREAM
            Uri: !Sub arn:aws:apigateway:x:lambda:path/2021-11-15/functions/${F.Arn}/%s
"""


@pytest.mark.parametrize(("end", "right"), [("response-streaming-invocations", True), ("invocations", False)])
def test_a_rest_api_of_cloudformation(folder: Folder, end: str, right: bool) -> None:
    (door,) = folder.function(REST % end).doors
    assert (door.kind, door.streams, door.streaming_uri, door.binary) == ("rest", True, right, ("*/*",))
    assert door.place.line == 13


def test_code_that_is_a_zip_or_an_image_is_read_as_well(folder: Folder) -> None:
    found = folder.read("""\
        Resources:
          Zip:
            Type: AWS::Serverless::Function
            Properties: { CodeUri: x.zip, Handler: app.handler, Runtime: python3.13, Events: { A: { Type: HttpApi } } }
          Image:
            Type: AWS::Serverless::Function
            Properties: { PackageType: Image, ImageUri: x:1, FunctionUrlConfig: { AuthType: NONE } }
          Node:
            Type: AWS::Serverless::Function
            Properties: { CodeUri: ., Handler: index.handler, Runtime: nodejs22.x }
    """)
    assert set(found) == {"Zip", "Image"}
    assert found["Zip"].code == folder.path / "x.zip"
    assert [door.kind for door in found["Zip"].facts.doors] == ["http"]
    image = found["Image"].facts
    assert (image.image, image.client, image.runtime, [door.kind for door in image.doors]) == (True, "", "", ["url"])


def test_a_websocket_api_and_a_published_version(folder: Folder) -> None:
    found = folder.function("""\
        Resources:
          F:
            Type: AWS::Lambda::Function
            Properties: { Code: ., Handler: app.handler, Runtime: python3.13 }
          V: { Type: AWS::Lambda::Version, Properties: { FunctionName: !Ref F } }
          Api: { Type: AWS::ApiGatewayV2::Api, Properties: { ProtocolType: WEBSOCKET } }
          I:
            Type: AWS::ApiGatewayV2::Integration
            Properties: { ApiId: !Ref Api, IntegrationType: AWS_PROXY, IntegrationUri: !GetAtt F.Arn }
          R:
            Type: AWS::ApiGatewayV2::Route
            Properties: { ApiId: !Ref Api, RouteKey: $default, Target: !Sub "integrations/${I}" }
    """)
    assert found.published
    assert [door.kind for door in found.doors] == ["websocket"]


def test_a_service_of_serverless(folder: Folder) -> None:
    found = folder.function(
        """\
        service: shop
        provider:
          name: aws
          runtime: python3.13
          architecture: arm64
          apiGateway: { binaryMediaTypes: ["image/png"] }
        functions:
          api:
            handler: app.handler
            timeout: 40
            events:
              - http: GET /
              - sqs: { arn: !GetAtt Q.Arn }
        resources:
          Resources:
            Q: { Type: AWS::SQS::Queue }
    """,
        "serverless.yml",
    )
    assert (found.architecture, found.timeout) == ("arm64", 40.0)
    assert [(door.kind, door.binary) for door in found.doors] == [("rest", ("image/png",))]
    assert [(poll.partial, poll.visibility) for poll in found.polls] == [(False, 30)]
    assert found.at("Timeout").line == 10


KEYS = st.sampled_from(
    """CodeUri Handler Runtime Architectures Timeout MemorySize Environment SnapStart Layers FunctionUrlConfig Events
    PackageType ImageUri CapacityProviderConfig AutoPublishAlias ReservedConcurrentExecutions FunctionName""".split()
)
SIMPLE = st.one_of(
    st.none(), st.booleans(), st.integers(-1, 1000), st.sampled_from(["", "x", "arn:a:b", "RESPONSE_STREAM"])
)
NAMES = st.sampled_from(
    ["Variables", "Type", "Properties", "Ref", "Fn::GetAtt", "Queue", "InvokeMode", "Fn::Sub", "S3Key"]
)
VALUES = st.recursive(
    SIMPLE,
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(NAMES, inner, max_size=2)),
    max_leaves=5,
)


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(KEYS, VALUES, max_size=4), st.sampled_from(["AWS::Serverless::Function", "AWS::Lambda::Function"])
)
def test_whatever_stands_there_is_read_or_complained_of(folder: Folder, own: dict[str, object], kind: str) -> None:
    usual = {"CodeUri": ".", "Code": ".", "Handler": "app.handler", "Runtime": "python3.13"}
    template = {"Resources": {"F": {"Type": kind, "Properties": usual | own}, "Q": {"Type": "AWS::SQS::Queue"}}}
    try:
        found = folder.read(json.dumps(template), "template.json")
    except ConfigurationError as error:
        assert str(error).startswith("template.json")  # noqa: PT017 - either is right
    else:
        checks.run(Facts(tuple(each.facts for each in found.values())))


PLAN: dict[str, dict[str, object]] = {
    "aws_lambda_function.shop": {
        "function_name": "shop",
        "handler": "app.handler",
        "runtime": "python3.13",
        "architectures": ["arm64"],
        "timeout": 20,
        "environment": [{"variables": {"LAMBENT_STREAM": "1"}}],
    },
    "aws_sqs_queue.jobs": {"name": "jobs", "visibility_timeout_seconds": 60},
    "aws_lambda_event_source_mapping.jobs": {
        "event_source_arn": "arn:aws:sqs:us-east-1:123456789012:jobs",
        "function_name": "shop",
        "function_response_types": ["ReportBatchItemFailures"],
    },
    "aws_lambda_function_url.shop": {"function_name": "shop", "authorization_type": "NONE", "invoke_mode": "BUFFERED"},
}


def test_a_plan_of_terraform(folder: Folder) -> None:
    items = [
        {"address": address, "mode": "managed", "type": kind, "name": name, "values": values}
        for address, values in PLAN.items()
        for kind, _, name in [address.partition(".")]
    ]
    plan = {"format_version": "1.2", "planned_values": {"root_module": {"resources": items}}}
    found = folder.function(json.dumps(plan), "tfplan.json")
    assert (found.name, found.architecture, found.timeout) == ("shop", "arm64", 20.0)
    assert found.env == {"LAMBENT_STREAM": "1"}
    assert [(poll.name, poll.partial, poll.visibility) for poll in found.polls] == [("jobs", True, 60)]
    assert [(door.kind, door.streams) for door in found.doors] == [("url", False)]


@pytest.mark.parametrize("file", [SAM, SERVERLESS, CDK, TERRAFORM], ids=["sam", "serverless", "cdk", "terraform"])
def test_templates_of_every_tool(file: Path) -> None:
    found = [each.facts for each in read(file).values()]
    assert len(found) > 1
    assert {each.python for each in found} <= {"3.12", "3.13"}
    doors: list[Door] = [door for each in found for door in each.doors]
    assert {"http", "rest"} <= {door.kind for door in doors}
    assert all(poll.visibility == 30 for each in found for poll in each.polls if poll.name == "Orders")
