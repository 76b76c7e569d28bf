"""A CloudFormation template, or what another tool's file was translated into, read into parts. Pure.

functions.py         functions, their URLs, layers and what invokes them asynchronously
http_apis.py         HTTP APIs
websocket_apis.py    WebSocket APIs
rest_apis.py         REST APIs
load_balancers.py    rules of listeners that lead to functions
event_sources.py     schedules and queues
sam.py               AWS SAM's own types
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from lambent.dev.templates.identities import LAMBDA, LAYERS
from lambent.dev.templates.intrinsics import Resolver, Unresolved, section
from lambent.dev.templates.parts import Parts, Place
from lambent.dev.templates.properties import NOTHING, Properties
from lambent.dev.templates.tables import Notes, Table

OF_NO_CONSEQUENCE = (
    "AWS::IAM::",
    "AWS::Logs::",
    "AWS::CDK::",
    "AWS::CloudWatch::",
    "AWS::CodeDeploy::",
    "AWS::KMS::",
    "AWS::Lambda::Alias",
    "AWS::Lambda::LayerVersionPermission",
    "AWS::Lambda::Permission",
    "AWS::Lambda::Version",
    "AWS::ApiGateway::Account",
    "AWS::ApiGateway::DomainName",
    "AWS::ApiGateway::GatewayResponse",
    "AWS::ApiGateway::Model",
    "AWS::ApiGateway::RequestValidator",
    "AWS::ApiGateway::UsagePlan",
    "AWS::ApiGatewayV2::Deployment",
    "AWS::ApiGatewayV2::DomainName",
    "AWS::ApiGatewayV2::IntegrationResponse",
    "AWS::ApiGatewayV2::Model",
    "AWS::CertificateManager::",
    "AWS::Route53::",
    "AWS::EC2::",
    "AWS::SQS::QueuePolicy",
    "AWS::SNS::TopicPolicy",
    "AWS::S3::BucketPolicy",
    "AWS::ResourceGroups::",
    "AWS::ApplicationInsights::",
    "AWS::ElasticLoadBalancingV2::LoadBalancer",
    "AWS::Serverless::CapacityProvider",
    "AWS::Lambda::CapacityProvider",
)
"""Beginnings of types that are read nowhere, and of which nothing is missed here."""

APIS = ("AWS::ApiGateway::RestApi", "AWS::ApiGatewayV2::Api", "AWS::Serverless::Api", "AWS::Serverless::HttpApi")


class Resource(NamedTuple):
    """One entry of `Resources`."""

    id: str
    type: str
    properties: Properties
    metadata: Mapping[str, object]
    place: Place


Read = Callable[[Resource, "Stack"], None]


@dataclass
class Stack:
    """A template and what is known around it.

    - `folder`: what paths in it are relative to
    - `assets`: folders of code, by the names of the archives that are made of them
    - `names`: of resources that the template does not name
    - `labels`: what resources are called in notes, other than by their logical ids
    - `region`, `account`: where it would be deployed
    """

    template: Table
    notes: Notes
    resolver: Resolver
    parts: Parts
    folder: Path
    region: str
    account: str
    assets: Mapping[str, Path] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    prefix: str = ""
    """Of ids, where several stacks are read into the same parts."""

    def __post_init__(self) -> None:
        self._resources = section(self.template, "Resources", self.notes)

    def id(self, reference: str) -> str:
        return f"{self.prefix}{reference}"

    def resources(self, *types: str) -> list[Resource]:
        """Those of these types, or all; without those whose condition is not met."""
        found = (self._resource(name) for name in self._resources)
        return [each for each in found if each and (not types or each.type in types)]

    def find(self, name: str, *types: str) -> Resource | None:
        """By its logical id."""
        found = self._resource(name) if name in self._resources else None
        return found if found and found.type in types else None

    def _resource(self, name: str) -> Resource | None:
        table = self._resources[name]
        line = self._resources.at(name)
        if name.startswith("Fn::"):
            self.notes.add(line, f"{name}: it is not understood here; its resources are left out.")
            return None
        if not isinstance(table, Table) or not isinstance(table.get("Type"), str):
            raise self.notes.error(line, f"{name}: expected a resource, which is a table with a Type.")
        line = line or table.line
        if not self._met(name, table, line):
            return None
        own = table.get("Properties")
        if own is not None and not isinstance(own, Table):
            raise self.notes.error(table.at("Properties"), f"{name}: expected Properties to be a table.")
        metadata, label = table.get("Metadata"), self.labels.get(name, name)
        return Resource(
            name,
            str(table["Type"]),
            Properties(own or NOTHING, self.resolver, self.notes, label, line),
            metadata if isinstance(metadata, Table) else NOTHING,
            Place(self.notes, line, label),
        )

    def _met(self, name: str, table: Table, line: int) -> bool:
        if (condition := table.get("Condition")) is None:
            return True
        try:
            return self.resolver.condition(condition)
        except Unresolved as why:
            self.notes.add(line, f"{name}: its condition is not known: {why}; it is taken as met.")
            return True
        except (ValueError, TypeError) as error:
            raise self.notes.error(line, f"{name}: {error}.") from None


def order(resource: Resource) -> int:
    """What others refer to comes first."""
    return 0 if resource.type in APIS else 1 if resource.type in (*LAMBDA, *LAYERS) else 2


def read(stack: Stack, readers: Mapping[str, Read]) -> None:
    """Everything in it that `readers` know of; of the rest is told."""
    others: dict[str, list[str]] = {}
    for resource in sorted(stack.resources(), key=order):
        reader = readers.get(resource.type)
        if reader:
            reader(resource, stack)
            resource.properties.unread()
        elif not resource.type.startswith(OF_NO_CONSEQUENCE):
            others.setdefault(resource.type, []).append(resource.id)
    if others:
        listed = ", ".join(f"{kind} ({', '.join(names)})" for kind, names in others.items())
        stack.notes.add(0, f"not made here: {listed}.")
