"""WebSocket APIs, in CloudFormation's words and in AWS SAM's. Pure.

A route of theirs has no method, and its key in place of a path: `$connect`, `$default`, `$disconnect` or one's own.

Source: AWS CloudFormation Template Reference Guide, `AWS::ApiGatewayV2::…`; AWS SAM Developer Guide,
"AWS::Serverless::WebSocketApi", with the logical ids that its transformation (1.115) makes.
"""

from __future__ import annotations

from dataclasses import replace

from lambent.dev.model import Authorizer
from lambent.dev.templates.parts import EntrancePart, RoutePart
from lambent.dev.templates.properties import Properties
from lambent.dev.templates.stacks import Resource, Stack
from lambent.dev.templates.tables import Notes, Table

KIND = "websocket"
SAM = "AWS::Serverless::WebSocketApi"
SILENT_SAM = ("AccessLogSettings", "PropagateTags")
STAGE = ("DefaultRouteSettings", "RouteSettings", "StageVariables")
TIMED = {"IntegrationTimeout": "TimeoutInMillis"}
BY_AUTHORIZER = "$context.authorizer.usageIdentifierKey"
"""Where an API key is; otherwise it is in the header `x-api-key`."""
TIMEOUT = 29_000
"""Milliseconds that API Gateway waits for an integration at most, and unless it is told otherwise."""


def entrance(resource: Resource, stack: Stack) -> EntrancePart:
    """Of an `AWS::ApiGatewayV2::Api` with the protocol WEBSOCKET."""
    part = EntrancePart(stack.id(resource.id), KIND, stack.names.get(resource.id, resource.id), resource.place)
    part.selection = resource.properties.text("RouteSelectionExpression", part.selection)
    if resource.properties.text("ApiKeySelectionExpression") == BY_AUTHORIZER:
        part.api_key_source = "authorizer"
    return part


def route(key: str, resource: Resource, values: Properties, part: EntrancePart, stack: Stack) -> RoutePart:
    """Of an `AWS::ApiGatewayV2::Route` whose integration has `values`."""
    own = resource.properties
    kind, authorizer = own.text("AuthorizationType", "NONE"), own.text("AuthorizerId")
    if kind != "NONE" and key != "$connect":
        resource.place.note(f"on AWS only $connect has an authorizer; that of {key} is left out.")
        kind, authorizer = "NONE", ""
    api_key = own.flag("ApiKeyRequired")
    if api_key and key != "$connect":
        own.note("ApiKeyRequired", f"on AWS only $connect asks for an API key; not {key}.")
        api_key = False
    if (milliseconds := values.number("TimeoutInMillis")) and milliseconds < TIMEOUT:
        part.timeout = milliseconds / 1000
    return RoutePart(
        part.id,
        "",
        key,
        values.text("IntegrationUri"),
        resource.place,
        "AWS_IAM" if kind == "AWS_IAM" else authorizer,
        api_key=api_key,
        response=own.text("RouteResponseSelectionExpression") != "" and has_response(resource, stack),
    )


def has_response(resource: Resource, stack: Stack) -> bool:
    """Whether there is a response for the route. AWS wants that and the expression, to pass on what functions reply."""
    found = stack.resources("AWS::ApiGatewayV2::RouteResponse")
    if any(each.properties.text("RouteId") == resource.id for each in found):
        return True
    resource.place.note("it has no AWS::ApiGatewayV2::RouteResponse; what its function replies goes nowhere.")
    return False


def response(resource: Resource, _stack: Stack) -> None:
    """`AWS::ApiGatewayV2::RouteResponse`: routes look for it."""
    own = resource.properties
    own.skip("ApiId", "RouteId", "RouteResponseKey", "ModelSelectionExpression", "ResponseModels", "ResponseParameters")


def authorizer(made: Authorizer) -> Authorizer:
    """As WebSocket APIs have it: it is asked with each `$connect`, in the older format, and answers with a policy."""
    return replace(made, payload="1.0", simple=False, ttl=0.0)


# AWS SAM's own type


def expanded(name: str, resource: Table, notes: Notes) -> dict[str, Table]:
    """What SAM makes of an `AWS::Serverless::WebSocketApi`: resources of CloudFormation, by their logical ids."""
    own = resource.get("Properties")
    own = own if isinstance(own, Table) else Table(line=resource.line)
    routes, auth = own.get("Routes"), own.get("Auth")
    if not isinstance(routes, Table) or not all(isinstance(each, Table) for each in routes.values()):
        raise notes.error(own.at("Routes"), f"{name}.Routes: expected a table of routes, each a table by its key.")
    parent = Expansion(name, resource)
    consumed = ("Routes", "Auth", "Domain", "StageName", *SILENT_SAM, *STAGE)
    parent.add("", "Api", {"ProtocolType": "WEBSOCKET", **without(own, consumed)}, own)
    stage = {key: own[key] for key in STAGE if key in own}
    parent.add("Stage", "Stage", {"ApiId": parent.ref(), "StageName": own.get("StageName", "default"), **stage}, own)
    for key, each in routes.items():
        if isinstance(each, Table):
            parent.route(key, each, auth if isinstance(auth, Table) and key == "$connect" else Table())
    domain = own.get("Domain")
    paths = domain.get("BasePath") if isinstance(domain, Table) else None
    for path in (paths if isinstance(paths, list) else [paths])[:1]:
        if path is not None:
            parent.add("ApiMapping", "ApiMapping", {"ApiId": parent.ref(), "ApiMappingKey": path}, own)
    return parent.made


class Expansion:
    """The resources that one of SAM's becomes."""

    def __init__(self, name: str, resource: Table) -> None:
        self.made: dict[str, Table] = {}
        self._name = name
        self._resource = resource

    def ref(self, suffix: str = "") -> Table:
        return Table({"Ref": f"{self._name}{suffix}"})

    def add(self, suffix: str, kind: str, properties: dict[str, object], lines: Table) -> None:
        """With the line of each property, and with the condition of the whole."""
        own = Table(properties, lines.line or self._resource.line, lines.lines)
        made = Table({"Type": f"AWS::ApiGatewayV2::{kind}", "Properties": own}, own.line)
        for key in {"Condition", "Metadata"} & self._resource.keys():
            made[key] = self._resource[key]
        self.made[f"{self._name}{suffix}"] = made

    def route(self, key: str, own: Table, auth: Table) -> None:
        """With its integration, and the authorizer that asks who connects."""
        suffix = key.removeprefix("$").capitalize()
        target = Table({"Fn::Join": ["/", ["integrations", self.ref(f"{suffix}Integration")]]})
        route = {"ApiId": self.ref(), "RouteKey": key, "Target": target, **without(own, ("FunctionArn", *TIMED))}
        if auth:
            route["AuthorizationType"] = auth.get("AuthType", "NONE")
        if auth.get("AuthType") == "CUSTOM":
            route["AuthorizerId"] = self.ref("ConnectAuthorizer")
            self._authorizer(auth)
        self.add(f"{suffix}Route", "Route", route, own)
        integration = {"ApiId": self.ref(), "IntegrationType": "AWS_PROXY", "IntegrationUri": own.get("FunctionArn")}
        integration |= {theirs: own[key] for key, theirs in TIMED.items() if key in own}
        self.add(f"{suffix}Integration", "Integration", integration, own)

    def _authorizer(self, auth: Table) -> None:
        made = {"ApiId": self.ref(), "AuthorizerType": "REQUEST", "AuthorizerUri": auth.get("AuthArn")}
        made["Name"] = auth.get("Name") or f"{self._name}ConnectAuthorizer"
        rest = without(auth, ("AuthArn", "AuthType", "InvokeRole", "Name"))
        self.add("ConnectAuthorizer", "Authorizer", {**made, **rest}, auth)


def without(table: Table, keys: tuple[str, ...]) -> dict[str, object]:
    return {key: value for key, value in table.items() if key not in keys}
