"""The events, against AWS's examples, by field and type, and against the models of AWS Lambda Powertools."""

import base64
import gzip
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aws_lambda_powertools.utilities import data_classes
from aws_lambda_powertools.utilities.data_classes import cognito_user_pool_event as pools
from aws_lambda_powertools.utilities.parser import models
from pydantic import BaseModel

from lambent.dev.doors import DOORS
from lambent.gateway import GATEWAYS
from lambent.testing import events
from lambent.testing.events import Event, Origin
from lambent.testing.kinds import KINDS
from tests.payloads import payload

ORIGIN = Origin("eu-west-1", "111122223333", now=1_767_225_600.125, seed=1)

COGNITO = "PreSignUp PostConfirmation PreAuthentication PostAuthentication TokenGeneration UserMigration CustomMessage "
COGNITO += "DefineAuthChallenge CreateAuthChallenge VerifyAuthChallengeResponse"

BUILT: dict[str, Callable[[], Event]] = {
    "sqs": lambda: events.sqs("a", {"b": 1}, attributes={"text": "x", "number": 1.5, "raw": b"\x00"}),
    "sqs fifo": lambda: events.sqs("a", "b", group="g"),
    "sns": lambda: events.sns("a", subject="s", attributes={"n": 1}),
    "s3": lambda: events.s3("a b.txt", "c.txt"),
    "s3 removed": lambda: events.s3("a", event_name="ObjectRemoved:Delete"),
    "s3-eventbridge": lambda: events.s3_eventbridge("a b.txt"),
    "s3-eventbridge deleted": lambda: events.s3_eventbridge("a", detail_type="Object Deleted"),
    "s3-batch": lambda: events.s3_batch("a b"),
    "s3-batch arguments": lambda: events.s3_batch("a", arguments={"k": "v"}),
    "dynamodb": lambda: events.dynamodb({"id": 1, "tags": ["a", None]}, old_image={"id": 1}),
    "kinesis": lambda: events.kinesis(b"\xff", "a"),
    "firehose": lambda: events.firehose("a"),
    "kafka": lambda: events.kafka("a", topic="mytopic", key="k", headers={"headerKey": "é"}),
    "kafka self-managed": lambda: events.kafka(
        "a", topic="mytopic", key="k", headers={"headerKey": "v"}, self_managed=True
    ),
    "documentdb": lambda: events.documentdb({"name": "lamp"}),
    "mq": lambda: events.mq("a", b"\xff", properties={"index": "1"}),
    "rabbitmq": lambda: events.rabbitmq("a", queue="test", headers={"header1": "value"}),
    "eventbridge": lambda: events.eventbridge({"id": 7}, resources=["arn:aws:x"]),
    "schedule": events.schedule,
    "ses": events.ses,
    "logs": lambda: events.logs("a", "b"),
    "alarm": events.alarm,
    "codepipeline": lambda: events.codepipeline("parameters"),
    "config": events.config,
    "secret": events.secret,
    "lex": lambda: events.lex(slots={"CarType": "van"}),
    "connect": events.connect,
    **{f"cognito {name}": lambda name=name: events.cognito(name) for name in COGNITO.split()},  # type: ignore[misc]  # a default is no type
    "cognito TokenGeneration 2": lambda: events.cognito("TokenGeneration", version="2"),
}


def shapes() -> dict[str, dict[str, str]]:
    """Kind → path → type."""
    found: dict[str, dict[str, str]] = {}
    kind = ""
    for line in (Path(__file__).parent / "shapes.txt").read_text("utf-8").splitlines():
        if line.startswith("["):
            kind = line.strip("[]")
            found[kind] = {}
        elif line and not line.startswith("#"):
            parent, _, fields = line.partition(" = ")
            for field in fields.split():
                name, _, kind_of_value = field.rpartition(":")
                found[kind][name if parent == "." else f"{parent}.{name}"] = kind_of_value
    return found


def paths(value: object, path: str = "") -> dict[str, set[str]]:
    """Path → types of what is there."""
    found: dict[str, set[str]] = {path: {"null" if value is None else NAMES[type(value)]}}
    items: list[tuple[str, object]] = []
    if isinstance(value, dict):
        items = [(f"{path}.{name}".removeprefix("."), each) for name, each in value.items()]
    elif isinstance(value, list):
        items = [(f"{path}[]", each) for each in value]
    for where, each in items:
        for inner, kinds in paths(each, where).items():
            found[inner] = found.get(inner, set()) | kinds
    return found


NAMES = {str: "str", int: "int", float: "float", bool: "bool", dict: "object", list: "list"}
SHAPES = shapes()


@pytest.mark.parametrize("kind", SHAPES)
def test_the_fields_of_aws_s_examples_are_there(kind: str) -> None:
    there = paths(BUILT[kind]())
    for path, kind_of_value in SHAPES[kind].items():
        wanted = kind_of_value.rstrip("?")
        allowed = {wanted} | ({"int"} if wanted == "float" else set()) | ({"null"} if "?" in kind_of_value else set())
        assert there.get(path, set()) <= allowed, path
        assert path in there, path


MODELS: dict[str, type[BaseModel]] = {
    "sqs": models.SqsModel,
    "sqs fifo": models.SqsModel,
    "sns": models.SnsModel,
    "s3": models.S3Model,
    "s3 removed": models.S3Model,
    "s3-eventbridge": models.S3EventNotificationEventBridgeModel,
    "s3-eventbridge deleted": models.S3EventNotificationEventBridgeModel,
    "s3-batch": models.S3BatchOperationModel,
    "s3-batch arguments": models.S3BatchOperationModel,
    "dynamodb": models.DynamoDBStreamModel,
    "kinesis": models.KinesisDataStreamModel,
    "firehose": models.KinesisFirehoseModel,
    "kafka": models.KafkaMskEventModel,
    "kafka self-managed": models.KafkaSelfManagedEventModel,
    "eventbridge": models.EventBridgeModel,
    "schedule": models.EventBridgeModel,
    "ses": models.SesModel,
    "logs": models.CloudWatchLogsModel,
    "cognito PreSignUp": models.CognitoPreSignupTriggerModel,
    "cognito PostConfirmation": models.CognitoPostConfirmationTriggerModel,
    "cognito PreAuthentication": models.CognitoPreAuthenticationTriggerModel,
    "cognito PostAuthentication": models.CognitoPostAuthenticationTriggerModel,
}


@pytest.mark.parametrize("kind", MODELS)
def test_powertools_can_parse_it(kind: str) -> None:
    MODELS[kind].model_validate(BUILT[kind]())


DOOR_MODELS: dict[str, type[BaseModel]] = {
    "http": models.APIGatewayProxyEventV2Model,
    "http1": models.APIGatewayProxyEventModel,
    "rest": models.APIGatewayProxyEventModel,
    "url": models.LambdaFunctionUrlModel,
    "alb": models.AlbModel,
    "lattice1": models.VpcLatticeModel,
}
"""Not version 2 of Lattice: the model has no lists, which AWS documents and sends."""


@pytest.mark.parametrize("door", DOOR_MODELS)
def test_powertools_can_parse_requests(door: str) -> None:
    event = events.http_request(door, "POST", "/items?a=1", body={"id": 7}, headers={"x-a": "1"})
    DOOR_MODELS[door].model_validate(event)


def test_powertools_reads_the_values() -> None:
    first, second, third = data_classes.KafkaEvent(events.kafka("a", {"b": 1}, b"c", key="k", offset=5)).records
    assert (first.decoded_key, first.decoded_value, second.json_value, third.offset) == (b"k", b"a", {"b": 1}, 7)
    headers = data_classes.KafkaEvent(events.kafka(headers={"h": "é"})).record.decoded_headers
    assert headers["h"] == "é".encode()
    record = next(data_classes.KinesisStreamEvent(events.kinesis({"a": "é"})).records)
    assert record.kinesis.data_as_json() == {"a": "é"}
    change = next(iter(data_classes.DynamoDBStreamEvent(events.dynamodb({"id": "1", "n": [1, None]})).records))
    assert change.dynamodb is not None
    assert change.dynamodb.new_image == {"id": "1", "n": [1, None]}
    log = data_classes.CloudWatchLogsEvent(events.logs("a", "é")).parse_logs_data()
    assert [each.message for each in log.log_events] == ["a", "é"]
    assert data_classes.S3Event(events.s3("a b/ü.txt")).object_key == "a b/ü.txt"
    assert data_classes.CodePipelineJobEvent(events.codepipeline("p")).user_parameters == "p"
    assert data_classes.CloudWatchAlarmEvent(events.alarm("a")).alarm_data.alarm_name == "a"
    assert data_classes.SecretsManagerEvent(events.secret(step="testSecret")).step == "testSecret"
    assert data_classes.AWSConfigRuleEvent(events.config(parameters={"a": "b"})).rule_parameters == {"a": "b"}
    assert data_classes.ConnectContactFlowEvent(events.connect({"a": "b"})).parameters == {"a": "b"}
    assert pools.PreSignUpTriggerEvent(events.cognito(user="jane")).user_name == "jane"
    tokens = pools.PreTokenGenerationV2TriggerEvent(events.cognito("TokenGeneration", version="2"))
    assert tokens.request.scopes == ["aws.cognito.signin.user.admin"]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_made_without_being_told_anything(kind: str) -> None:
    event = KINDS[kind]()
    assert json.loads(json.dumps(event)) == event


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_origin_makes_the_same_event(kind: str) -> None:
    event = KINDS[kind](origin=ORIGIN)
    assert event == KINDS[kind](origin=ORIGIN)
    assert "us-east-1" not in json.dumps(event).replace("codepipeline-us-east-1-1234567890", "")
    assert "123456789012" not in re.sub(r"codepipeline-[a-z0-9-]*", "", json.dumps(event))


WITHOUT_IDS = {"iot", "authorizer-token", "lattice", "lattice1"}


@pytest.mark.parametrize("kind", sorted(KINDS.keys() - WITHOUT_IDS))
def test_ids_are_new_each_time(kind: str) -> None:
    assert KINDS[kind](origin=Origin(now=1.0)) != KINDS[kind](origin=Origin(now=1.0))


@pytest.mark.parametrize("kind", KINDS)
def test_an_event_comes_through_a_door_if_it_is_a_request(kind: str) -> None:
    event = KINDS[kind]()
    assert any(gateway.matches(event) for gateway in GATEWAYS) == (kind in DOORS or kind.startswith("websocket-"))


def test_what_is_said_is_in_the_event() -> None:
    origin = Origin("eu-west-1", "111122223333")
    record = events.sqs({"id": 7}, queue="orders", receive_count=3, origin=origin)["Records"][0]
    assert record["body"] == '{"id": 7}'
    assert record["eventSourceARN"] == "arn:aws:sqs:eu-west-1:111122223333:orders"
    assert (record["awsRegion"], record["attributes"]["ApproximateReceiveCount"]) == ("eu-west-1", "3")
    message = events.sns("hi", topic="news", subject="s")["Records"][0]["Sns"]
    assert (message["TopicArn"], message["Subject"]) == ("arn:aws:sns:us-east-1:123456789012:news", "s")
    assert events.sns("hi")["Records"][0]["Sns"]["Subject"] is None
    about = events.s3("a", bucket="uploads", size=0)["Records"][0]["s3"]
    assert (about["bucket"]["arn"], about["object"]["size"]) == ("arn:aws:s3:::uploads", 0)
    event = events.eventbridge({"id": 7}, detail_type="Order Placed", source="shop")
    assert (event["detail-type"], event["source"], event["detail"]) == ("Order Placed", "shop", {"id": 7})
    assert events.schedule("nightly", origin=origin)["resources"] == [
        "arn:aws:events:eu-west-1:111122223333:rule/nightly"
    ]
    assert events.schedule("nightly", scheduler=True)["source"] == "aws.scheduler"
    assert events.iot({"a": 1}, topic="t")["topic"] == "t"
    (text, raw) = events.mq("a", b"\xff")["messages"]
    assert (text["messageType"], raw["messageType"]) == ("jms/text-message", "jms/bytes-message")
    assert base64.b64decode(raw["data"]) == b"\xff"
    assert list(events.rabbitmq(queue="q", virtual_host="shop")["rmqMessagesByQueue"]) == ["q::shop"]
    assert events.destination({"a": 1}, condition="RetriesExhausted")["responseContext"]["functionError"] == "Unhandled"


def test_times_are_written_as_aws_writes_them() -> None:
    assert events.sns(origin=ORIGIN)["Records"][0]["Sns"]["Timestamp"] == "2026-01-01T00:00:00.125Z"
    assert events.eventbridge(origin=ORIGIN)["time"] == "2026-01-01T00:00:00Z"
    assert events.dynamodb(origin=ORIGIN)["Records"][0]["dynamodb"]["ApproximateCreationDateTime"] == 1_767_225_600
    assert events.kinesis(origin=ORIGIN)["Records"][0]["kinesis"]["approximateArrivalTimestamp"] == 1_767_225_600.125
    assert events.kafka(origin=ORIGIN)["records"]["my-topic-0"][0]["timestamp"] == 1_767_225_600_125
    (queued,) = events.rabbitmq(origin=ORIGIN)["rmqMessagesByQueue"].values()
    assert queued[0]["basicProperties"]["timestamp"] == "Jan 1, 2026, 12:00:00 AM"
    assert events.alarm(origin=ORIGIN)["time"] == "2026-01-01T00:00:00.125+0000"
    assert events.ses(origin=ORIGIN)["Records"][0]["ses"]["mail"]["commonHeaders"]["date"].startswith(
        "Thu, 01 Jan 2026 "
    )


def test_a_request_goes_to_the_host_that_it_names() -> None:
    own = events.http_request("url")
    assert own["headers"]["host"] == own["requestContext"]["domainName"]
    assert own["headers"]["host"].endswith(".lambda-url.us-east-1.on.aws")
    assert events.http_request("url", headers={"Host": "a.test"})["headers"]["host"] == "a.test"
    assert events.http_request("http", url="https://b.test/x?y=1")["headers"]["host"] == "b.test"


def test_a_request_may_have_come_by_a_route() -> None:
    event = events.http_request("http", "GET", "/items/a%20b", route="GET /items/{id}")
    assert (event["routeKey"], event["pathParameters"]) == ("GET /items/{id}", {"id": "a b"})
    event = events.http_request("rest", "POST", "/items/a%20b/c", route="ANY /items/{proxy+}")
    assert (event["resource"], event["pathParameters"]) == ("/items/{proxy+}", {"proxy": "a%20b/c"})
    assert events.http_request("http", url="/x", route="$default")["routeKey"] == "$default"


SOCKETS: dict[str, type[BaseModel]] = {
    "connect": models.APIGatewayWebSocketConnectEventModel,
    "message": models.APIGatewayWebSocketMessageEventModel,
    "disconnect": models.APIGatewayWebSocketDisconnectEventModel,
}


@pytest.mark.parametrize("kind", SOCKETS)
def test_a_websocket_s_event_has_the_fields_of_a_captured_one(kind: str) -> None:
    built = KINDS[f"websocket-{kind}"]()
    SOCKETS[kind].model_validate(built)
    captured = payload(f"websocket_{kind}")
    optional = {"requestContext.identity.userAgent": {"str"}}
    traced = {"headers.X-Amzn-Trace-Id": {"str"}, "multiValueHeaders.X-Amzn-Trace-Id": {"list"}}
    traced["multiValueHeaders.X-Amzn-Trace-Id[]"] = {"str"}
    assert {**traced, **paths(built), **optional} == {**traced, **paths(captured), **optional}


def test_events_of_one_connection_have_its_id() -> None:
    makers = events.websocket_connect, events.websocket_message, events.websocket_disconnect
    assert [each(connection_id="L0SM9cOFvHcCIhw=")["requestContext"]["connectionId"] for each in makers] == [
        "L0SM9cOFvHcCIhw=",
        "L0SM9cOFvHcCIhw=",
        "L0SM9cOFvHcCIhw=",
    ]
    assert len({each(origin=ORIGIN)["requestContext"]["connectionId"] for each in makers}) == 1
    assert len({each()["requestContext"]["connectionId"] for each in makers}) == 3


def test_what_is_said_of_a_websocket_is_in_the_event() -> None:
    query, headers = {"room": "a b&c"}, {"Cookie": "a=1", "Host": "chat.example"}
    event = events.websocket_connect(query=query, headers=headers, subprotocols=["v1", "v2"], stage="live")
    assert (event["queryStringParameters"], event["multiValueQueryStringParameters"]) == (query, {"room": ["a b&c"]})
    assert (event["headers"]["Cookie"], event["headers"]["Sec-WebSocket-Protocol"]) == ("a=1", "v1, v2")
    context = event["requestContext"]
    assert (context["domainName"], context["stage"], context["routeKey"]) == ("chat.example", "live", "$connect")
    assert "queryStringParameters" not in events.websocket_connect()
    event = events.websocket_message({"action": "say"}, route="say")
    assert (event["body"], event["requestContext"]["routeKey"]) == ('{"action": "say"}', "say")
    with pytest.raises(TypeError, match="UTF-8"):
        events.websocket_message(b"\xff")


@pytest.mark.parametrize(
    ("code", "reason", "told"),
    [
        (1005, "", "Client-side close frame status not set"),
        (1001, "", "Going away"),
        (1001, "bye", "bye"),
        (4000, "", ""),
        (-1, "", ""),
    ],
)
def test_an_end_has_its_reason(code: int, reason: str, told: str) -> None:
    context = events.websocket_disconnect(code, reason=reason)["requestContext"]
    assert (context["disconnectStatusCode"], context["disconnectReason"]) == (code, told)


@pytest.mark.parametrize("code", [0, 999, 5000, -2])
def test_no_end_has_such_a_code(code: int) -> None:
    with pytest.raises(ValueError, match="code: expected 1000 to 4999, or -1, but got"):
        events.websocket_disconnect(code)


@pytest.mark.parametrize(
    ("body", "kind"),
    [({"a": 1}, "application/json"), ("[1]", "application/json"), ("a", "text/plain; charset=utf-8"), (b"\0", None)],
)
def test_a_body_has_a_type(body: object, kind: str | None) -> None:
    event = events.http_request("url", "POST", body=body)
    assert event["headers"]["content-type"] == (kind or "application/octet-stream")
    assert event["isBase64Encoded"] == (kind is None)


def test_authorizers_are_asked_about_requests() -> None:
    event = events.authorizer("POST", "/a", headers={"Authorization": "Bearer x"})
    assert (event["type"], event["identitySource"]) == ("REQUEST", ["Bearer x"])
    assert event["routeArn"].endswith("/$default/POST/a")
    assert events.authorizer()["identitySource"] is None
    assert events.authorizer_request(url="/a/b")["methodArn"].endswith("/prod/GET/a/b")
    assert events.authorizer_token("x")["authorizationToken"] == "x"
    for each in (event, events.authorizer_request(), events.authorizer_token()):
        assert "body" not in each


def test_an_event_may_be_what_a_queue_was_sent() -> None:
    (record,) = events.sqs(events.s3("a b.txt"))["Records"]
    assert json.loads(record["body"])["Records"][0]["s3"]["object"]["key"] == "a+b.txt"
    models.S3SqsEventNotificationModel.model_validate(events.s3_sqs("a", "b"))
    first, second = events.sns_sqs("a", {"b": 1}, attributes={"n": 1})["Records"]
    notification = json.loads(second["body"])
    assert json.loads(notification["Message"]) == {"b": 1}
    assert "SigningCertURL" in notification
    assert notification["MessageAttributes"] == {"n": {"Type": "Number", "Value": "1"}}
    assert json.loads(first["body"])["Type"] == "Notification"


def test_logs_are_json_in_gzip_in_base64() -> None:
    data = events.logs("a", log_group="/g", origin=ORIGIN)["awslogs"]["data"]
    told: Any = json.loads(gzip.decompress(base64.b64decode(data)))
    assert (told["messageType"], told["logGroup"], told["owner"]) == ("DATA_MESSAGE", "/g", "111122223333")


def test_records_of_a_shard_and_of_a_partition_are_in_order() -> None:
    numbers = [int(each["kinesis"]["sequenceNumber"]) for each in events.kinesis(*"abc")["Records"]]
    assert numbers == sorted(set(numbers))
    assert {len(str(number)) for number in numbers} == {56}
    in_queue = [int(each["attributes"]["SequenceNumber"]) for each in events.sqs(*"abc", fifo=True)["Records"]]
    assert in_queue == sorted(set(in_queue))
    changes = [int(each["dynamodb"]["SequenceNumber"]) for each in events.dynamodb({"id": 1}, {"id": 2})["Records"]]
    assert changes == sorted(set(changes))


@pytest.mark.parametrize(
    ("build", "complaint"),
    [
        (lambda: events.sqs({1, 2}), "text, bytes or a JSON value"),
        (lambda: events.sqs(b"\xff"), "not UTF-8"),
        (lambda: events.sqs(float("nan")), "JSON value"),
        (lambda: events.sqs(receive_count=0), "receive_count: expected 1 or more"),
        (lambda: events.sqs(attributes={"a": True}), "expected an attribute".capitalize()),
        (lambda: events.s3(size=-1), "size: expected 0 or more"),
        (lambda: events.s3(event_name="ObjectInvented:Put"), "event_name: expected FAMILY:EVENT"),
        (lambda: events.s3_eventbridge(detail_type="x"), "detail_type: expected Object Created"),
        (lambda: events.kinesis(shard=-1), "shard: expected 0"),
        (lambda: events.kafka(partition=-1), "partition: expected 0"),
        (lambda: events.dynamodb(event_name="UPSERT"), "INSERT, MODIFY, REMOVE"),
        (lambda: events.dynamodb({"id": 1}, event_name="REMOVE"), "none for a REMOVE"),
        (lambda: events.dynamodb({"id": 1}, event_name="MODIFY"), "an old and a new image"),
        (lambda: events.dynamodb(old_image={"id": 1}, event_name="INSERT"), "none for an INSERT"),
        (lambda: events.dynamodb({"id": 1}, keys=["pk"]), "the item has no pk"),
        (lambda: events.dynamodb({"id": object()}), "id: Expected a JSON value"),
        (lambda: events.dynamodb(view="ALL"), "NEW_AND_OLD_IMAGES"),
        (lambda: events.ses(sender="nobody"), "sender: expected an address"),
        (lambda: events.ses(recipients=[]), "recipients"),
        (lambda: events.ses(invocation_type="x"), "invocation_type"),
        (lambda: events.cognito("post-confirmation"), "Did you mean PostConfirmation"),
        (lambda: events.cognito("PreSignUp_Nobody"), "Did you mean PreSignUp"),
        (lambda: events.cognito("PreSignUp", version="2"), "version: expected 1"),
        (lambda: events.alarm(state="x"), "state: expected OK"),
        (lambda: events.secret(step="x"), "step: expected createSecret"),
        (lambda: events.destination(condition="x"), "condition: expected Success"),
        (lambda: events.lex(hook="x"), "hook: expected"),
        (lambda: events.http_request("window"), "door: expected url"),
        (lambda: events.http_request("url", "GET", "items"), "expected a path"),
        (lambda: events.http_request("http", url="/a", route="GET /b"), "route: GET /b is not that of GET /a"),
        (lambda: events.http_request("http", route="/b"), "route: expected one such as GET /items/{id}"),
        (lambda: events.http_request("http", route="GET /{a"), "route: expected one such as GET /items/{id}"),
        (lambda: events.http_request("alb", route="GET /"), "route: expected none"),
        (lambda: events.http_request("url", "G T"), "expected a method"),
        (lambda: events.http_request("url", headers={"a b": "c"}), "expected a header"),
    ],
)
def test_what_cannot_be_is_said(build: Callable[[], Event], complaint: str) -> None:
    with pytest.raises((ValueError, TypeError), match=re.escape(complaint)):
        build()
