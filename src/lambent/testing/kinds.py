"""The events by the names that `lambent event` takes, and what can be said of each: the parameters of its builder."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

from lambent.dev.diff.request import read_header
from lambent.dev.doors import DOORS
from lambent.testing import events
from lambent.testing.events import Event

Builder = Callable[..., Event]

KINDS: dict[str, Builder] = {
    "sqs": events.sqs,
    "sns": events.sns,
    "sns-sqs": events.sns_sqs,
    "s3": events.s3,
    "s3-sqs": events.s3_sqs,
    "s3-eventbridge": events.s3_eventbridge,
    "s3-batch": events.s3_batch,
    "dynamodb": events.dynamodb,
    "kinesis": events.kinesis,
    "firehose": events.firehose,
    "kafka": events.kafka,
    "documentdb": events.documentdb,
    "mq": events.mq,
    "rabbitmq": events.rabbitmq,
    "eventbridge": events.eventbridge,
    "schedule": events.schedule,
    "ses": events.ses,
    "cognito": events.cognito,
    "iot": events.iot,
    "logs": events.logs,
    "alarm": events.alarm,
    "codepipeline": events.codepipeline,
    "config": events.config,
    "secret": events.secret,
    "destination": events.destination,
    "lex": events.lex,
    "connect": events.connect,
    **{door: partial(events.http_request, door) for door in DOORS},
    "websocket-connect": events.websocket_connect,
    "websocket-message": events.websocket_message,
    "websocket-disconnect": events.websocket_disconnect,
    "authorizer": events.authorizer,
    "authorizer-request": events.authorizer_request,
    "authorizer-token": events.authorizer_token,
}

ARGUMENTS = ("method", "url")
"""Parameters that are said without an option's name."""

SINGULAR = {
    "arguments": "argument",
    "attributes": "attribute",
    "bodies": "body",
    "body": "data",  # of an HTTP request, as curl calls it
    "documents": "document",
    "headers": "header",
    "keys": "key",
    "messages": "message",
    "new_images": "new-image",
    "properties": "property",
    "recipients": "recipient",
    "resources": "resource",
    "slots": "slot",
    "subprotocols": "subprotocol",
    "values": "value",
}
"""The parameter → the option, where it is not called the same."""


class Reading(NamedTuple):
    """How an option's text becomes an argument."""

    metavar: str
    read: Callable[[str], Any]
    many: bool = False
    """Whether it may be repeated: the argument is a list then, or a dict of pairs."""
    pairs: bool = False


class Option(NamedTuple):
    """One parameter of a builder, as the command line has it."""

    parameter: str
    name: str
    """`--body`"""
    annotation: str
    reading: Reading
    several: bool
    """Whether it stands for the builder's positional arguments, one record each."""
    default: str
    """Empty if there is none worth telling."""


def text(value: str) -> str:
    return value


def whole(value: str) -> int:
    """ValueError for what is not a whole number, 0 or more."""
    if not (value.isascii() and value.isdecimal()):
        raise ValueError(f"expected a whole number, but got {value!r}")
    return int(value)


def any_json(value: str) -> Any:
    """ValueError for what is not JSON."""
    try:
        return json.loads(value)
    except ValueError as error:
        raise ValueError(f"expected JSON, but got {value!r}: {error}") from None


def json_object(value: str) -> dict[str, Any]:
    """With numbers as exact as they were written. ValueError for what is no object."""
    from decimal import Decimal

    any_json(value)
    found = json.loads(value, parse_float=Decimal)
    if isinstance(found, dict):
        return found
    raise ValueError(f'expected a JSON object, such as {{"id": "1"}}, but got {value!r}')


def plain_object(value: str) -> dict[str, Any]:
    json_object(value)
    found: dict[str, Any] = json.loads(value)
    return found


def pair(value: str) -> tuple[str, Any]:
    """`name=text`, or `name:=7` for a number. ValueError for anything else."""
    name, equals, rest = value.partition("=")
    if not equals or not name.strip(":"):
        raise ValueError(f"expected NAME=VALUE, or NAME:=NUMBER, but got {value!r}")
    return (name[:-1], any_json(rest)) if name.endswith(":") else (name, rest)


def text_pair(value: str) -> tuple[str, str]:
    """`name=text`, whatever the text looks like. ValueError for anything else, `name:=7` too."""
    name, equals, rest = value.partition("=")
    if not equals or not name or name.endswith(":"):
        raise ValueError(f"expected NAME=VALUE, but got {value!r}")
    return name, rest


READINGS = {
    "str": Reading("TEXT", text),
    "int": Reading("NUMBER", whole),
    "object": Reading("JSON", any_json),
    "Payload": Reading("TEXT", text),
    "Item": Reading("JSON", json_object),
    "Mapping[str, object]": Reading("JSON", plain_object),
    "Sequence[str]": Reading("TEXT", text, many=True),
    "Mapping[str, str]": Reading("NAME=VALUE", text_pair, many=True, pairs=True),
    "Mapping[str, str | bytes]": Reading("NAME=VALUE", text_pair, many=True, pairs=True),
    "Mapping[str, Attribute]": Reading("NAME=VALUE", pair, many=True, pairs=True),
    "Headers": Reading("'NAME: VALUE'", read_header, many=True),
}
"""By the annotation, as the builders write it; flags are `bool`."""

FLAG = Reading("", bool)


def options(builder: Builder) -> list[Option]:
    """What can be said of an event, in the builder's order. The origin has options of its own."""
    parameters = inspect.signature(builder).parameters.values()
    return [option(each) for each in parameters if each.name not in ("origin", "door", *ARGUMENTS)]


def option(parameter: inspect.Parameter) -> Option:
    several = parameter.kind is parameter.VAR_POSITIONAL
    reading = FLAG if parameter.annotation == "bool" else READINGS[parameter.annotation]
    default = parameter.default if isinstance(parameter.default, str | int) and parameter.annotation != "bool" else ""
    name = SINGULAR.get(parameter.name, parameter.name).replace("_", "-")
    return Option(parameter.name, f"--{name}", parameter.annotation, reading, several, str(default))


def takes_arguments(builder: Builder) -> bool:
    """Whether it is about an HTTP request: METHOD and URL."""
    return "url" in inspect.signature(builder).parameters


EXAMPLES: dict[str, Any] = {"Payload": "Hello!", "Item": {"id": "1", "name": "lamp"}, "str": "my-key.txt"}
"""By the annotation: what is in a record of which nothing was said, where there are many."""


def records(values: Sequence[Any], count: int | None, kind: Option) -> list[Any]:
    """As many as were asked for, the values in turn; if that was not said, all of them."""
    if count is None:
        return list(values)
    given = list(values) or [EXAMPLES[kind.annotation]]
    return [given[number % len(given)] for number in range(count)]
