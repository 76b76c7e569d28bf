"""The `websocket` events of `serverless.yml`, and the API they come from, in CloudFormation's words. Pure.

Logical ids are those of the framework: `Ref: WebsocketsApi` is written by hand in many a file.

Source: serverless.com/framework/docs, "Websocket"; the framework's own compilation of it (3.40).
"""

from __future__ import annotations

from lambent.dev.templates.serverless_terms import Context, Event, Given, attribute, logical, normal, table_of
from lambent.dev.templates.tables import Table

API = "WebsocketsApi"
STAGE = "WebsocketsDeploymentStage"
IDENTITY = "route.request.header.Auth"
"""Where an authorizer looks that is not told where."""


def websocket(config: object, given: Given) -> list[Event]:
    """A route of the WebSocket API: resources of their own, so no event of the function."""
    own = config if isinstance(config, Table) else Table({"route": config}, given.line)
    key, context = own.get("route"), given.context
    if not isinstance(key, str):
        raise context.notes.error(own.line or given.line, "websocket: expected the key of a route, such as $connect.")
    api(context)
    ref, name = Table({"Ref": API}), f"{normal(key.replace('$', 'S'))}Websockets"
    integration = {"ApiId": ref, "IntegrationType": "AWS_PROXY", "IntegrationUri": attribute(given.function)}
    context.add(f"{name}Integration", "AWS::ApiGatewayV2::Integration", Table(integration, given.line))
    target = Table({"Fn::Join": ["/", ["integrations", Table({"Ref": f"{name}Integration"})]]})
    route = Table({"ApiId": ref, "RouteKey": key, "Target": target}, own.line or given.line, own.lines)
    if (authorizer := own.get("authorizer")) is not None:
        route["AuthorizationType"] = "CUSTOM"
        route["AuthorizerId"] = Table({"Ref": add_authorizer(authorizer, given)})
    if (expression := own.get("routeResponseSelectionExpression")) is not None:
        route["RouteResponseSelectionExpression"] = expression
        answer = {"ApiId": ref, "RouteId": Table({"Ref": f"{name}Route"}), "RouteResponseKey": "$default"}
        context.add(f"{name}RouteResponse", "AWS::ApiGatewayV2::RouteResponse", Table(answer, given.line))
    read = ("route", "authorizer", "routeResponseSelectionExpression")
    route.update({other: value for other, value in own.items() if other not in read})
    context.add(f"{name}Route", "AWS::ApiGatewayV2::Route", route)
    return []


def api(context: Context) -> None:
    """The WebSocket API of the service, and its stage: there once a function has an event of it."""
    if API in context.resources:
        return
    provider = context.provider
    own = Table({"ProtocolType": "WEBSOCKET"}, provider.line)
    if (expression := provider.get("websocketsApiRouteSelectionExpression")) is not None:
        own["RouteSelectionExpression"] = expression
    context.add(API, "AWS::ApiGatewayV2::Api", own)
    stage = Table({"ApiId": Table({"Ref": API}), "StageName": context.stage}, provider.line)
    context.add(STAGE, "AWS::ApiGatewayV2::Stage", stage)
    gateway = table_of(provider, "apiGateway")
    if "websocketApiId" in gateway:
        said = "the API itself is not of this file; its routes are served."
        context.notes.add(gateway.at("websocketApiId"), f"provider.apiGateway.websocketApiId: {said}")


def add_authorizer(config: object, given: Given) -> str:
    """An authorizer's logical id: a function of the service by its name, or any by its ARN."""
    own = config if isinstance(config, Table) else Table()
    name, arn = own.get("name"), own.get("arn")
    if isinstance(config, str):
        name, arn = (None, config) if ":" in config else (config, None)
    if isinstance(arn, str):
        name = arn.rpartition(":")[2]
    if not isinstance(name, str):
        raise given.context.notes.error(own.line or given.line, "websocket.authorizer: expected a name or an arn.")
    uri = attribute(logical(name)) if arn is None else arn
    made: dict[str, object] = {"ApiId": Table({"Ref": API}), "Name": name, "AuthorizerType": "REQUEST"}
    made |= {"AuthorizerUri": uri, "IdentitySource": own.get("identitySource", IDENTITY)}
    key = f"{normal(name)}WebsocketsAuthorizer"
    given.context.add(key, "AWS::ApiGatewayV2::Authorizer", Table(made, own.line or given.line))
    return key
