"""Templates of CloudFormation and AWS SAM → parts: one, or several that import each other's values. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lambent.dev.templates import (
    event_sources,
    functions,
    http_apis,
    load_balancers,
    rest_apis,
    sam,
    stacks,
    websocket_apis,
)
from lambent.dev.templates.intrinsics import Resolver, Unresolved, section
from lambent.dev.templates.parts import Parts
from lambent.dev.templates.stacks import Read, Stack
from lambent.dev.templates.tables import Notes, Table

READERS: Mapping[str, Read] = {
    "AWS::Lambda::Function": functions.function,
    "AWS::Lambda::Url": functions.url,
    "AWS::Lambda::LayerVersion": functions.layer,
    "AWS::Lambda::EventInvokeConfig": functions.event_invoke_config,
    "AWS::Lambda::EventSourceMapping": event_sources.mapping,
    "AWS::Events::Rule": event_sources.rule,
    "AWS::Scheduler::Schedule": event_sources.schedule,
    "AWS::ApiGatewayV2::Api": http_apis.api,
    "AWS::ApiGatewayV2::Route": http_apis.route,
    "AWS::ApiGatewayV2::RouteResponse": websocket_apis.response,
    "AWS::ApiGatewayV2::Integration": http_apis.integration,
    "AWS::ApiGatewayV2::Authorizer": http_apis.authorizer,
    "AWS::ApiGatewayV2::Stage": http_apis.stage,
    "AWS::ApiGatewayV2::ApiMapping": http_apis.mapping,
    "AWS::ApiGateway::RestApi": rest_apis.api,
    "AWS::ApiGateway::Resource": rest_apis.path_part,
    "AWS::ApiGateway::Method": rest_apis.method,
    "AWS::ApiGateway::Authorizer": rest_apis.authorizer,
    "AWS::ApiGateway::Stage": rest_apis.stage,
    "AWS::ApiGateway::Deployment": rest_apis.deployment,
    "AWS::ApiGateway::ApiKey": rest_apis.api_key,
    "AWS::ApiGateway::BasePathMapping": http_apis.mapping,
    "AWS::ElasticLoadBalancingV2::ListenerRule": load_balancers.rule,
    "AWS::ElasticLoadBalancingV2::Listener": load_balancers.listener,
    "AWS::ElasticLoadBalancingV2::TargetGroup": load_balancers.group,
    "AWS::Serverless::Function": sam.function,
    "AWS::Serverless::Api": sam.api,
    "AWS::Serverless::HttpApi": sam.http_api,
    "AWS::Serverless::LayerVersion": functions.layer,
}


@dataclass(frozen=True, slots=True)
class Template:
    """One template, parsed, and what is known around it."""

    table: Table
    notes: Notes
    folder: Path
    name: str
    """Of the stack."""
    region: str
    account: str
    assets: Mapping[str, Path] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    prefix: str = ""


def read(templates: Sequence[Template], parameters: Mapping[str, str], parts: Parts) -> None:
    """All of them. `ConfigurationError` points at what is wrong."""
    made = made_of(templates, parameters, parts)
    unknown = parameters.keys() - {name for each in templates for name in section(each.table, "Parameters", each.notes)}
    for name in sorted(unknown):
        templates[0].notes.add(0, f"--parameter {name}: there is no such parameter.")
    for each in made:
        stacks.read(each, READERS)


def made_of(templates: Sequence[Template], parameters: Mapping[str, str], parts: Parts) -> list[Stack]:
    """Stacks that import each other's values, of which nothing has been read yet."""
    exports = Exports()
    made = [stack(each, parameters, parts, exports) for each in templates]
    exports.stacks = made
    return made


class Exports:
    """What stacks export to each other."""

    def __init__(self) -> None:
        self.stacks: Sequence[Stack] = ()
        self.guessed: set[str] = set()
        self._open: list[str] = []

    def find(self, name: str) -> object:
        """Raises Unresolved if no stack exports that."""
        if name in self._open:
            raise Unresolved(f"{name} is imported by what exports it")
        self._open.append(name)
        try:
            for each in self.stacks:
                for output in section(each.template, "Outputs", each.notes).values():
                    if isinstance(output, Table) and exported_as(output, each.resolver) == name:
                        return each.resolver.resolve(output.get("Value"))
        finally:
            self._open.pop()
        raise Unresolved(f"{name} is what another stack exports")


def exported_as(output: Table, resolver: Resolver) -> str:
    export = output.get("Export")
    try:
        return resolver.text(export.get("Name")) if isinstance(export, Table) else ""
    except (Unresolved, ValueError, TypeError):
        return ""


def stack(template: Template, parameters: Mapping[str, str], parts: Parts, exports: Exports) -> Stack:
    """The template with its intrinsic functions."""
    table = sam.expanded(template.table, template.notes)
    partition = "aws-cn" if template.region.startswith("cn-") else "aws-us-gov" if "-gov-" in template.region else "aws"
    pseudo = {
        "AWS::Region": template.region,
        "AWS::AccountId": template.account,
        "AWS::Partition": partition,
        "AWS::URLSuffix": "amazonaws.com.cn" if partition == "aws-cn" else "amazonaws.com",
        "AWS::StackName": template.name,
        "AWS::StackId": f"arn:{partition}:cloudformation:{template.region}:{template.account}:stack/{template.name}/0",
    }
    find: Callable[[str], object] = exports.find
    resolver = Resolver(
        table,
        template.notes,
        pseudo=pseudo,
        given=parameters,
        names=template.names,
        exported=find,
        guessed=exports.guessed,
    )
    return Stack(
        table,
        template.notes,
        resolver,
        parts,
        template.folder,
        template.region,
        template.account,
        template.assets,
        template.names,
        template.labels,
        template.prefix,
    )
