"""Resources of a template → functions, and the doors and queues that lead to them. Pure.

Routes are read as the local Lambda reads them; of that, code that is no folder here (a zip, an image) is made one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from lambent.dev.templates import cloudformation, sam
from lambent.dev.templates.cloudformation import Template
from lambent.dev.templates.functions import code
from lambent.dev.templates.identities import LAMBDA
from lambent.dev.templates.parts import EntrancePart, Parts, function_name
from lambent.dev.templates.properties import Properties
from lambent.dev.templates.stacks import Resource, Stack
from lambent.dev.templates.tables import Table
from lambent.doctor.model import Door, FunctionFacts, Place, Poll, client_of

REST = ("AWS::ApiGateway::RestApi", "AWS::Serverless::Api")
QUEUE = "AWS::SQS::Queue"
VISIBILITY = 30
"""Seconds, of a queue that does not say."""
POLLED = {"SQS": "Queue", "Kinesis": "Stream", "DynamoDB": "Stream", "MSK": "Stream", "MQ": "Broker"}
"""Types of SAM's events, and the property that has the source."""
STREAMING = "response-streaming-invocations"


class Described(NamedTuple):
    """A function, and the code that the template names for it: a folder, a zip, or None for neither."""

    facts: FunctionFacts
    code: Path | None


class Streams(NamedTuple):
    """What a way through a door is set to."""

    streams: bool
    uri: bool | None
    place: Place


def read(templates: Sequence[Template], parameters: Mapping[str, str]) -> list[Described]:
    """The functions of Python. `ConfigurationError` points at what is wrong."""
    parts = Parts()
    cloudformation.read([loosened(each) for each in templates], parameters, parts)
    made = cloudformation.made_of(templates, parameters, Parts())
    streams = {key: value for stack in made for key, value in streaming(stack)}
    binary = {stack.id(each.id): types(each) for stack in made for each in stack.resources(*REST)}
    polls = [poll for stack in made for poll in polled(stack, made)]
    published = {name for stack in made for name in with_version(stack)}
    found = []
    for stack in made:
        for resource in stack.resources(*LAMBDA):
            facts = function(resource, stack)
            if facts.name not in parts.functions:
                continue
            name = facts.name
            of_it = tuple(doors(name, parts, streams, binary))
            own = tuple(poll for whose, poll in polls if whose == name)
            said = facts.published or name in published
            facts = replace(facts, doors=of_it, polls=own, published=said)
            found.append(Described(facts, source(resource, stack)))
    return found


def loosened(template: Template) -> Template:
    """With a folder for the code of each function, and a runtime for images."""
    resources = template.table.get("Resources")
    if not isinstance(resources, Table):
        return template
    made = Table({name: with_folder(each) for name, each in resources.items()}, resources.line, resources.lines)
    return replace(template, table=Table({**template.table, "Resources": made}, template.table.line))


def with_folder(resource: object) -> object:
    if not isinstance(resource, Table) or resource.get("Type") not in LAMBDA:
        return resource
    own = resource.get("Properties")
    own = Table(own, own.line, own.lines) if isinstance(own, Table) else Table(line=resource.line)
    key = "CodeUri" if resource["Type"] == LAMBDA[1] else "Code"
    if own.get("PackageType") == "Image" or "ImageUri" in own:
        own.update({"Runtime": "provided.al2023", "Handler": "app.handler"})
    for name in ("ImageUri", "InlineCode", "CodeUri", "Code"):
        own.pop(name, None)
    own.update({key: ".", "PackageType": "Zip"})
    return Table({**resource, "Properties": own}, resource.line, resource.lines)


def source(resource: Resource, stack: Stack) -> Path | None:
    """What the code is made of."""
    own = resource.properties
    for key in ("CodeUri", "Code"):
        if key in own and not own.is_table(key) and (path := own.text(key)).endswith(".zip") and "://" not in path:
            return stack.folder / path
    return code(resource, stack)


# Functions


def place(own: Properties, key: str = "") -> Place:
    return Place(own.notes.file, own.at(key) if key else own.line)


def function(resource: Resource, stack: Stack) -> FunctionFacts:
    own = resource.properties
    runtime, variables = own.text("Runtime"), own.table("Environment").table("Variables")
    env = {name: variables.text(name) for name in variables if variables.get(name) is not None}
    timeout, memory = own.number("Timeout"), own.number("MemorySize")
    managed = own.table("CapacityProviderConfig").table("LambdaManagedInstancesCapacityProviderConfig")
    several = managed.number("PerExecutionEnvironmentMaxConcurrency")
    image = own.text("PackageType") == "Image" or "ImageUri" in own
    said = {key: place(own, key) for key in own}
    said |= {f"Environment.{name}": place(variables, name) for name in variables}
    return FunctionFacts(
        stack.resolver.identity(resource.id).name,
        own.text("Handler"),
        runtime,
        client_of(runtime, env),
        Place(resource.place.notes.file, resource.place.line),
        said,
        (*own.texts("Architectures"), "x86_64")[0],
        3.0 if timeout is None else float(timeout),
        128 if memory is None else memory,
        env,
        own.number("ReservedConcurrentExecutions"),
        several or (2 if "CapacityProviderConfig" in own else 1),
        own.table("SnapStart").text("ApplyOn") == "PublishedVersions",
        "AutoPublishAlias" in own,
        "DeploymentPreference" in own,
        image,
        len(own.texts("Layers")),
    )


def with_version(stack: Stack) -> Iterator[str]:
    """Names of functions of which versions are published."""
    for resource in stack.resources("AWS::Lambda::Version", "AWS::Lambda::Alias"):
        yield function_name(resource.properties.text("FunctionName"))


# Doors


def doors(
    function: str,
    parts: Parts,
    streams: Mapping[tuple[str, str], Streams],
    binary: Mapping[str, tuple[str, ...] | None],
) -> Iterator[Door]:
    """Each once, whichever routes lead through it."""
    for key in dict.fromkeys(each.entrance for each in parts.routes if function_name(each.function) == function):
        if (entrance := parts.entrances.get(key)) is None:
            continue
        where = Place(entrance.place.notes.file, entrance.place.line)
        found = streams.get((key, function), Streams(False, None, where))
        yield Door(
            entrance.kind,
            called(entrance),
            found.place,
            found.streams,
            found.uri,
            entrance.timeout,
            binary.get(key) if entrance.kind == "rest" else None,
        )


def called(entrance: EntrancePart) -> str:
    return f"the URL of {entrance.name}" if entrance.kind == "url" else entrance.name


def streaming(stack: Stack) -> Iterator[tuple[tuple[str, str], Streams]]:
    """Entrance and function → whether replies come piece by piece between them."""
    for resource in stack.resources("AWS::Lambda::Url"):
        own = resource.properties
        yield (stack.id(f"{resource.id}/url"), function_name(own.text("TargetFunctionArn"))), of_url(own, resource)
    for resource in stack.resources("AWS::ApiGateway::Method"):
        own = resource.properties
        inner = own.table("Integration")
        uri = inner.text("Uri")
        mode = inner.text("ResponseTransferMode", "BUFFERED") == "STREAM"
        key = stack.id(own.text("RestApiId")), function_name(uri)
        yield key, Streams(mode, (STREAMING in uri) if ":lambda:path/" in uri else None, place(inner))
    for resource in stack.resources(LAMBDA[1]):
        own, name = resource.properties, stack.resolver.identity(resource.id).name
        if "FunctionUrlConfig" in own:
            yield (stack.id(f"{resource.id}/url"), name), of_url(own.table("FunctionUrlConfig"), resource)
        for event in events(own):
            inner = event.table("Properties")
            if event.text("Type") == "Api" and inner.text("ResponseTransferMode") == sam.STREAMS:
                api = inner.text("RestApiId") if "RestApiId" in inner else "ServerlessRestApi"
                yield (stack.id(api), name), Streams(True, None, place(inner, "ResponseTransferMode"))


def of_url(own: Properties, resource: Resource) -> Streams:
    where = place(own, "InvokeMode") if "InvokeMode" in own else Place(own.notes.file, own.line or resource.place.line)
    return Streams(own.text("InvokeMode") == "RESPONSE_STREAM", None, where)


def types(resource: Resource) -> tuple[str, ...] | None:
    """A REST API's binary media types; None if they are in a definition that is not read here."""
    own = resource.properties
    found = own.texts("BinaryMediaTypes")
    if found:
        return found
    for key in ("DefinitionBody", "Body"):
        if own.is_table(key) and "x-amazon-apigateway-binary-media-types" in own.table(key):
            return ("as its definition says",)
    return None if any(key in own for key in ("DefinitionUri", "DefinitionBody", "Body", "BodyS3Location")) else ()


# Queues and streams


def events(own: Properties) -> Iterator[Properties]:
    """SAM's, of a function."""
    table = own.table("Events")
    for name in table:
        if table.is_table(name):
            yield table.table(name)


def polled(stack: Stack, every: Sequence[Stack]) -> Iterator[tuple[str, Poll]]:
    """Function → what is polled for it."""
    for resource in stack.resources("AWS::Lambda::EventSourceMapping"):
        own = resource.properties
        yield function_name(own.text("FunctionName")), poll(own, own.text("EventSourceArn"), every)
    for resource in stack.resources(LAMBDA[1]):
        name = stack.resolver.identity(resource.id).name
        for event in events(resource.properties):
            if key := POLLED.get(event.text("Type")):
                inner = event.table("Properties")
                yield name, poll(inner, inner.text(key), every, event.text("Type").lower())


def poll(own: Properties, arn: str, every: Sequence[Stack], kind: str = "") -> Poll:
    kind = kind or (arn.split(":")[2] if arn.count(":") > 1 else "")
    return Poll(
        kind,
        arn.rpartition(":")[2] or own.where,
        place(own),
        "ReportBatchItemFailures" in own.texts("FunctionResponseTypes"),
        own.number("BatchSize"),
        own.number("MaximumBatchingWindowInSeconds") or 0,
        visibility(arn, every),
    )


def visibility(arn: str, every: Sequence[Stack]) -> int | None:
    """Of the queue, if it is of these templates."""
    for stack in every:
        for resource in stack.resources(QUEUE):
            if arn and stack.resolver.identity(resource.id).arn == arn:
                own = resource.properties
                seconds = own.number("VisibilityTimeout")
                known = "VisibilityTimeout" not in own or seconds is not None
                return (VISIBILITY if seconds is None else seconds) if known else None
    return None
