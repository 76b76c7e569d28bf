"""Schedules and queues. Pure.

Source: AWS CloudFormation Template Reference Guide, `AWS::Events::Rule`, `AWS::Scheduler::Schedule`,
`AWS::Lambda::EventSourceMapping`.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace

from lambent.dev.model import Source
from lambent.dev.templates.parts import FUNCTION, Place, function_name
from lambent.dev.templates.properties import Properties
from lambent.dev.templates.stacks import Resource, Stack

EXPRESSION = re.compile(r"(rate|cron|at)\(.*\)")


def rule(resource: Resource, stack: Stack) -> None:
    """`AWS::Events::Rule`."""
    own = resource.properties
    own.skip("Name", "Description", "RoleArn", "EventBusName", "Tags", "EventPattern")
    expression, enabled = own.text("ScheduleExpression"), own.text("State", "ENABLED") != "DISABLED"
    if "EventPattern" in own:
        own.note("EventPattern", "no events are matched here; `lambent event eventbridge` makes one.")
    for number, target in enumerate(own.tables("Targets"), 1):
        target.skip("Id", "RetryPolicy", "DeadLetterConfig", "RoleArn")
        function = target.text("Arn")
        name = stack.names.get(resource.id, resource.id)
        name = name if number == 1 else f"{name}-{number}"
        if expression and FUNCTION.search(function):
            add_schedule(Source(name, function, "schedule", expression, enabled=enabled), target, resource.place, stack)
            target.unread()
        elif expression:
            resource.place.note(f"its target {function or number} is no function; left out.")


def schedule(resource: Resource, stack: Stack) -> None:
    """`AWS::Scheduler::Schedule`."""
    own = resource.properties
    own.skip("Name", "Description", "GroupName", "KmsKeyArn", "FlexibleTimeWindow", "State")
    target = own.table("Target")
    target.skip("RoleArn", "RetryPolicy", "DeadLetterConfig")
    function = target.text("Arn")
    made = Source(
        stack.names.get(resource.id, resource.id),
        function,
        "schedule",
        own.text("ScheduleExpression"),
        own.text("ScheduleExpressionTimezone", "UTC"),
        scheduler=True,
        enabled=own.text("State", "ENABLED") != "DISABLED",
    )
    if FUNCTION.search(function):
        add_schedule(made, target, resource.place, stack)
    else:
        resource.place.note("its target is no function; left out.")
    target.unread()


def add_schedule(source: Source, target: Properties, place: Place, stack: Stack) -> None:
    """With the input that its target says."""
    if not EXPRESSION.fullmatch(source.schedule):
        place.note(f"expected rate(…) or cron(…), but got {source.schedule or 'none that is known'}; left out.")
        return
    value = target.get("Input")
    text = value if isinstance(value, str) else "" if value is None else json.dumps(value)
    try:
        json.loads(text or "null")
    except ValueError:
        raise target.unexpected("Input", "JSON", text) from None
    stack.parts.sources.append((replace(source, input=text), place))


def mapping(resource: Resource, stack: Stack) -> None:
    """`AWS::Lambda::EventSourceMapping`."""
    own = resource.properties
    function, source = own.text("FunctionName"), queue(own, "EventSourceArn", stack)
    own.skip("EventSourceArn")
    add_queue(stack.names.get(resource.id, resource.id), function, source, own, resource.place, stack)


def queue(own: Properties, key: str, stack: Stack) -> str:
    """The ARN of an event source; that its name is made up by AWS is told."""
    with stack.resolver.guesses() as guessed:
        arn = own.text(key)
    if guessed and is_queue(arn):
        name = arn.rpartition(":")[2]
        own.note(key, f"AWS makes up the name of the queue; {name!r} is polled here.")
    return arn


def is_queue(arn: str) -> bool:
    return arn.split(":")[2:3] == ["sqs"]


def add_queue(name: str, function: str, arn: str, own: Properties, place: Place, stack: Stack) -> None:
    """What an event source mapping says, in CloudFormation's words, which are SAM's as well."""
    if not is_queue(arn):
        own.skip(*own.keys())
        kind = arn.split(":")[2] if arn.count(":") > 2 else "an event source"
        by_hand = f"`lambent event` makes events for `lambent invoke {function_name(function)}`"
        place.note(f"{kind} is not polled here; {by_hand}.")
        return
    own.skip("Queue", "MetricsConfig", "ProvisionedPollerConfig", "KmsKeyArn", "LoggingConfig")
    batch, window = own.number("BatchSize"), own.number("MaximumBatchingWindowInSeconds")
    concurrency = own.table("ScalingConfig").number("MaximumConcurrency")
    filters = tuple(each.text("Pattern") for each in own.table("FilterCriteria").tables("Filters"))
    made = Source(
        name,
        function,
        "sqs",
        queue=arn,
        batch_size=10 if batch is None else batch,
        batch_window=float(window or 0),
        partial="ReportBatchItemFailures" in own.texts("FunctionResponseTypes"),
        filters=tuple(filter(None, filters)),
        enabled=own.flag("Enabled", True),
    )
    stack.parts.sources.append((made if concurrency is None else replace(made, concurrency=concurrency), place))
