"""HTTP APIs, and what WebSocket APIs have in common with them. Pure.

Source: AWS CloudFormation Template Reference Guide, `AWS::ApiGatewayV2::…`.
"""

from __future__ import annotations

from lambent.dev.model import Authorizer
from lambent.dev.templates import websocket_apis
from lambent.dev.templates.functions import cors
from lambent.dev.templates.parts import EntrancePart, RoutePart
from lambent.dev.templates.properties import Properties
from lambent.dev.templates.stacks import Resource, Stack

SILENT = """Description Tags DisableExecuteApiEndpoint FailOnWarnings DisableSchemaValidation Version BasePath
    IpAddressType RouteSelectionExpression ApiKeySelectionExpression CredentialsArn PropagateTags""".split()
THROTTLING = "limits of requests a second are not held here."


def api(resource: Resource, stack: Stack) -> None:
    """`AWS::ApiGatewayV2::Api`."""
    own = resource.properties
    own.skip(*SILENT)
    own.skip("Name")
    if own.text("ProtocolType", "HTTP") == "WEBSOCKET":
        part = websocket_apis.entrance(resource, stack)
        stack.parts.entrances[part.id] = part
        return
    part = EntrancePart(stack.id(resource.id), "http", stack.names.get(resource.id, resource.id), resource.place)
    if "CorsConfiguration" in own:
        part.cors = cors(own.table("CorsConfiguration"))
    stack.parts.entrances[part.id] = part
    if "Body" in own or "BodyS3Location" in own:
        own.skip("Body", "BodyS3Location")
        own.note("Body", "routes are not read from OpenAPI definitions; those in it are left out.")
    if target := own.text("Target"):
        method, path = route_key(own.text("RouteKey", "$default"))
        stack.parts.routes.append(RoutePart(part.id, method, path, target, resource.place))


def route_key(key: str) -> tuple[str, str]:
    """`GET /items/{id}` → method and path."""
    method, space, path = key.partition(" ")
    return (method.upper(), path) if space else ("ANY", key)


def route(resource: Resource, stack: Stack) -> None:
    """`AWS::ApiGatewayV2::Route`, with the integration that it leads to."""
    own = resource.properties
    own.skip("OperationName", "ModelSelectionExpression", "RequestModels", "RequestParameters")
    own.skip("RouteResponseSelectionExpression")
    entrance, key = stack.id(own.text("ApiId")), own.text("RouteKey")
    kind = own.text("AuthorizationType", "NONE")
    authorizer, scopes = own.text("AuthorizerId"), own.texts("AuthorizationScopes")
    target = own.text("Target").removeprefix("integrations/")
    api_key = own.flag("ApiKeyRequired")
    integration = stack.find(target, "AWS::ApiGatewayV2::Integration")
    if entrance not in stack.parts.entrances:
        if stack.find(own.text("ApiId"), "AWS::ApiGatewayV2::Api") is None:
            resource.place.note("its API is not of this file; the route is left out.")
        return
    if not integration:
        resource.place.note("its integration is not of this file; the route is left out.")
        return
    values = integration.properties
    if values.text("IntegrationType") != "AWS_PROXY" or "IntegrationSubtype" in values:
        resource.place.note(f"{key} leads to {values.text('IntegrationType')}, not to a function; left out.")
        return
    if (part := stack.parts.entrances[entrance]).kind == websocket_apis.KIND:
        stack.parts.routes.append(websocket_apis.route(key, resource, values, part, stack))
        return
    method, path = route_key(key)
    if (milliseconds := values.number("TimeoutInMillis")) and milliseconds < 30_000:
        part.timeout = milliseconds / 1000
    stack.parts.routes.append(
        RoutePart(
            entrance,
            method,
            path,
            values.text("IntegrationUri"),
            resource.place,
            "AWS_IAM" if kind == "AWS_IAM" else authorizer,
            scopes,
            api_key,
            values.text("PayloadFormatVersion"),
        )
    )


def integration(resource: Resource, _stack: Stack) -> None:
    """`AWS::ApiGatewayV2::Integration`: routes read the rest of it."""
    own = resource.properties
    own.skip(*SILENT, "ApiId", "IntegrationType", "IntegrationUri", "IntegrationMethod", "PayloadFormatVersion")
    own.skip(
        "TimeoutInMillis", "IntegrationSubtype", "ConnectionType", "PassthroughBehavior", "ContentHandlingStrategy"
    )


def authorizer(resource: Resource, stack: Stack) -> None:
    """`AWS::ApiGatewayV2::Authorizer`."""
    own = resource.properties
    own.skip("AuthorizerCredentialsArn")
    part = stack.parts.entrances.get(stack.id(own.text("ApiId")))
    name, kind, sources = own.text("Name") or resource.id, own.text("AuthorizerType"), own.texts("IdentitySource")
    if kind == "JWT":
        made = jwt(name, own.table("JwtConfiguration"), sources)
    else:
        seconds = own.number("AuthorizerResultTtlInSeconds")
        made = Authorizer(
            name,
            "request",
            function=own.text("AuthorizerUri"),
            identity=sources,
            payload=own.text("AuthorizerPayloadFormatVersion", "2.0"),
            simple=own.flag("EnableSimpleResponses"),
            ttl=float(300 if seconds is None else seconds),
        )
    if part:
        is_websocket = part.kind == websocket_apis.KIND
        part.authorizers[resource.id] = websocket_apis.authorizer(made) if is_websocket else made


def jwt(name: str, own: Properties, sources: tuple[str, ...]) -> Authorizer:
    """A `JwtConfiguration`, its keys spelled as in SAM or as in CloudFormation."""
    with own.resolver.guesses() as guessed:
        issuer = own.text("Issuer") or own.text("issuer")
    audience = own.texts("Audience") or own.texts("audience")
    if issuer and guessed:
        key = "Issuer" if "Issuer" in own else "issuer"
        own.note(key, f"only AWS knows the issuer; tokens have to come from {issuer!r} here.")
    return Authorizer(name, "jwt", issuer=issuer, audience=audience, identity=sources)


def stage(resource: Resource, stack: Stack) -> None:
    """`AWS::ApiGatewayV2::Stage`: the first one of an API is served."""
    own = resource.properties
    own.skip(*SILENT, "AutoDeploy", "AccessLogSettings", "DeploymentId", "ClientCertificateId")
    throttled(own, "DefaultRouteSettings", "RouteSettings")
    part = stack.parts.entrances.get(stack.id(own.text("ApiId")))
    name, variables = own.text("StageName"), texts(own.table("StageVariables"))
    if part and part.stage:
        resource.place.note(f"the stage {part.stage} is served, {name} is left out.")
    elif part:
        part.stage, part.variables = name, variables


def throttled(own: Properties, *keys: str) -> None:
    for key in keys:
        if key in own:
            own.note(key, THROTTLING)
        own.skip(key)


def texts(own: Properties) -> dict[str, str]:
    """A table of texts."""
    return {key: own.text(key) for key in own if own.get(key) is not None}


def mapping(resource: Resource, stack: Stack) -> None:
    """`AWS::ApiGatewayV2::ApiMapping` and `AWS::ApiGateway::BasePathMapping`."""
    own = resource.properties
    own.skip("DomainName", "Stage", "DomainNameArn")
    part = stack.parts.entrances.get(stack.id(own.text("ApiId") or own.text("RestApiId")))
    path = own.text("ApiMappingKey") or own.text("BasePath")
    if part and path and path != "(none)":
        part.base_path = f"/{path.strip('/')}"
