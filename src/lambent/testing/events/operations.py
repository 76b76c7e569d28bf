"""Running things: CloudWatch Logs and alarms, CodePipeline, Config, Secrets Manager, Lambda's destinations.

Source: docs.aws.amazon.com/AmazonCloudWatch, "Subscription filters", "Invoke a Lambda function from an alarm";
docs.aws.amazon.com/codepipeline, "Invoke an AWS Lambda function in a pipeline"; docs.aws.amazon.com/config, "Example
events for AWS Config Rules"; docs.aws.amazon.com/secretsmanager, "Lambda rotation functions"; docs.aws.amazon.com/
lambda, "Capturing records of Lambda asynchronous invocations".
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping

from lambent.testing.events.origin import HERE, LETTERS, LOWER, UPPER, Event, Facts, Origin, encoded, iso
from lambent.testing.events.payloads import Payload, json_text, text

STATES = ("OK", "ALARM", "INSUFFICIENT_DATA")
STEPS = ("createSecret", "setSecret", "testSecret", "finishSecret")
NONE: Mapping[str, object] = {}


def logs(
    *messages: Payload,
    log_group: str = "/aws/lambda/my-function",
    log_stream: str = "",
    filter_name: str = "my-filter",
    origin: Origin = HERE,
) -> Event:
    """Log events that a subscription filter let pass: JSON, compressed by gzip, in base64."""
    facts = origin.facts()
    first = int(f"38{facts.digits(54)}")
    data = {
        "messageType": "DATA_MESSAGE",
        "owner": facts.account,
        "logGroup": log_group,
        "logStream": log_stream or f"{iso(facts.now)[:10].replace('-', '/')}/[$LATEST]{facts.hex(32)}",
        "subscriptionFilters": [filter_name],
        "logEvents": [
            {"id": str(first + number), "timestamp": facts.milliseconds + number, "message": text(each)}
            for number, each in enumerate(messages or ("[ERROR] Hello from CloudWatch Logs!",))
        ],
    }
    packed = gzip.compress(
        json.dumps(data, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "replace"), mtime=0
    )
    return {"awslogs": {"data": encoded(packed)}}


def alarm(name: str = "my-alarm", *, state: str = "ALARM", origin: Origin = HERE) -> Event:
    """A CloudWatch alarm, on a metric of a function, that has changed its state."""
    facts = origin.facts()
    if state not in STATES:
        raise ValueError(f"state: expected {', '.join(STATES)}, but got {state!r}.")
    now, before = (alarm_time(facts.now - ago) for ago in (0.0, 60.0))
    metric = {
        "metric": {"namespace": "AWS/Lambda", "name": "Errors", "dimensions": {"FunctionName": "my-function"}},
        "period": 60,
        "stat": "Sum",
    }
    measured = {"id": facts.uuid(), "metricStat": metric, "returnData": True}
    return {
        "source": "aws.cloudwatch",
        "alarmArn": facts.arn("cloudwatch", f"alarm:{name}"),
        "accountId": facts.account,
        "time": now,
        "region": facts.region,
        "alarmData": {
            "alarmName": name,
            "state": alarm_state(state, now),
            "previousState": alarm_state("OK" if state != "OK" else "ALARM", before),
            "configuration": {"metrics": [measured]},
        },
    }


def alarm_time(now: float) -> str:
    return iso(now).replace("Z", "+0000")


def alarm_state(value: str, at: str) -> Event:
    reason = {"version": "1.0", "queryDate": at, "statistic": "Sum", "period": 60, "threshold": 1.0}
    return {"value": value, "reason": "Threshold Crossed", "reasonData": json_text(reason), "timestamp": at}


def codepipeline(
    parameters: str = "",
    *,
    function: str = "my-function",
    bucket: str = "codepipeline-us-east-1-1234567890",
    key: str = "my-pipeline/SourceArti/my-source.zip",
    origin: Origin = HERE,
) -> Event:
    """A job: `parameters` are the action's user parameters; the credentials open nothing."""
    facts = origin.facts()
    location = {"type": "S3", "s3Location": {"bucketName": bucket, "objectKey": key}}
    configuration = {"FunctionName": function, **({"UserParameters": parameters} if parameters else {})}
    return {
        "CodePipeline.job": {
            "id": facts.uuid(),
            "accountId": facts.account,
            "data": {
                "actionConfiguration": {"configuration": configuration},
                "inputArtifacts": [{"name": "SourceArtifact", "revision": None, "location": location}],
                "outputArtifacts": [],
                "artifactCredentials": {
                    "accessKeyId": "ASIA" + facts.characters(16, UPPER),
                    "secretAccessKey": facts.characters(40, LETTERS),
                    "sessionToken": facts.base64(300),
                },
            },
        }
    }


def config(
    *,
    rule: str = "my-rule",
    resource_type: str = "AWS::EC2::Instance",
    resource_id: str = "i-0123456789abcdef0",
    parameters: Mapping[str, object] = NONE,
    scheduled: bool = False,
    origin: Origin = HERE,
) -> Event:
    """A rule of AWS Config that is to judge a resource that changed; or, with `scheduled`, the whole account."""
    facts = origin.facts()
    invoking = scheduled_notification(facts) if scheduled else changed_item(facts, resource_type, resource_id)
    rule_id = f"config-rule-{facts.characters(6, LOWER)}"
    return {
        "version": "1.0",
        "invokingEvent": json_text(invoking),
        "ruleParameters": json_text(dict(parameters)),
        "resultToken": facts.base64(60),
        "eventLeftScope": False,
        "executionRoleArn": f"arn:aws:iam::{facts.account}:role/config-role",
        "configRuleArn": facts.arn("config", f"config-rule/{rule_id}"),
        "configRuleName": rule,
        "configRuleId": rule_id,
        "accountId": facts.account,
        "evaluationMode": "DETECTIVE",
    }


def scheduled_notification(facts: Facts) -> Event:
    return {
        "awsAccountId": facts.account,
        "notificationCreationTime": iso(facts.now),
        "messageType": "ScheduledNotification",
        "recordVersion": "1.0",
    }


def changed_item(facts: Facts, resource_type: str, resource_id: str) -> Event:
    item = {
        "configurationItemVersion": "1.3",
        "configurationItemCaptureTime": iso(facts.now),
        "configurationItemStatus": "OK",
        "awsAccountId": facts.account,
        "awsRegion": facts.region,
        "resourceType": resource_type,
        "resourceId": resource_id,
        "configuration": {},
        "relationships": [],
    }
    return {
        "configurationItem": item,
        "notificationCreationTime": iso(facts.now),
        "messageType": "ConfigurationItemChangeNotification",
        "recordVersion": "1.3",
    }


def secret(name: str = "my-secret", *, step: str = "createSecret", origin: Origin = HERE) -> Event:
    """One step of a secret's rotation."""
    if step not in STEPS:
        raise ValueError(f"step: expected {', '.join(STEPS)}, but got {step!r}.")
    facts = origin.facts()
    return {
        "Step": step,
        "SecretId": facts.arn("secretsmanager", f"secret:{name}-{facts.characters(6)}"),
        "ClientRequestToken": facts.uuid(),
        "RotationToken": facts.uuid(),
    }


def destination(
    request: object = None,
    *,
    response: object = None,
    function: str = "my-function",
    condition: str = "Success",
    origin: Origin = HERE,
) -> Event:
    """The record of another function's asynchronous invocation; any condition but Success is a failure."""
    conditions = ("Success", "RetriesExhausted", "EventAgeExceeded")
    if condition not in conditions:
        raise ValueError(f"condition: expected {', '.join(conditions)}, but got {condition!r}.")
    facts = origin.facts()
    failed = condition != "Success"
    answer = {"errorMessage": "example", "errorType": "Error"} if failed and response is None else response
    return {
        "version": "1.0",
        "timestamp": iso(facts.now),
        "requestContext": {
            "requestId": facts.uuid(),
            "functionArn": f"{facts.arn('lambda', f'function:{function}')}:$LATEST",
            "condition": condition,
            "approximateInvokeCount": 3 if failed else 1,
        },
        "requestPayload": request if request is not None else {},
        "responseContext": {
            "statusCode": 200,
            "executedVersion": "$LATEST",
            **({"functionError": "Unhandled"} if failed else {}),
        },
        "responsePayload": answer,
    }
