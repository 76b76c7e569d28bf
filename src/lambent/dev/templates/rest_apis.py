"""REST APIs. Pure.

Source: AWS CloudFormation Template Reference Guide, `AWS::ApiGateway::…`.
"""

from __future__ import annotations

import re

from lambent.dev.model import Authorizer, Cors
from lambent.dev.templates.http_apis import texts, throttled
from lambent.dev.templates.parts import EntrancePart, RoutePart
from lambent.dev.templates.properties import Properties
from lambent.dev.templates.stacks import Resource, Stack

SILENT = """Description Tags EndpointConfiguration Policy DisableExecuteApiEndpoint Mode FailOnWarnings ApiKeySourceType
    MinimumCompressionSize EndpointAccessMode SecurityPolicy Parameters CloneFrom""".split()
SIGNED = "AWS_IAM"
COGNITO = re.compile(r"userpool/(\S+)$")
HEADER = "method.response.header.Access-Control-"


def api(resource: Resource, stack: Stack) -> None:
    """`AWS::ApiGateway::RestApi`."""
    own = resource.properties
    part = EntrancePart(stack.id(resource.id), "rest", stack.names.get(resource.id, resource.id), resource.place)
    part.api_key_source = own.text("ApiKeySourceType", "HEADER").lower()
    own.skip(*SILENT, "Name")
    if own.texts("BinaryMediaTypes"):
        own.note("BinaryMediaTypes", "every body that is no text is binary here.")
    stack.parts.entrances[part.id] = part
    if "Body" in own or "BodyS3Location" in own:
        own.skip("Body", "BodyS3Location")
        own.note("Body", "routes are not read from OpenAPI definitions; those in it are left out.")


def method(resource: Resource, stack: Stack) -> None:
    """`AWS::ApiGateway::Method`."""
    own = resource.properties
    own.skip("MethodResponses", "RequestModels", "RequestParameters", "RequestValidatorId", "OperationName")
    entrance = stack.id(own.text("RestApiId"))
    verb, kind = own.text("HttpMethod").upper(), own.text("AuthorizationType", "NONE")
    authorizer, scopes = own.text("AuthorizerId"), own.texts("AuthorizationScopes")
    api_key, path = own.flag("ApiKeyRequired"), path_of(own.text("ResourceId"), stack)
    integration = own.table("Integration")
    leads_to = integration.text("Type")
    part = stack.parts.entrances.get(entrance)
    if part is None or path is None:
        resource.place.note("its API or its resource is not of this file; the route is left out.")
    elif leads_to == "MOCK" and verb == "OPTIONS":
        part.cors = preflight(integration) or part.cors
    elif leads_to != "AWS_PROXY":
        resource.place.note(f"{verb} {path} leads to {leads_to or 'nothing'}, not to a function; left out.")
    else:
        if milliseconds := integration.number("TimeoutInMillis"):
            part.timeout = milliseconds / 1000
        chosen = SIGNED if kind == SIGNED else authorizer
        uri = integration.text("Uri")
        stack.parts.routes.append(
            RoutePart(entrance, verb, path, uri, resource.place, chosen, scopes, api_key),
        )
        if "response-streaming-invocations" in uri and (function := stack.parts.function(uri)):
            function.stream = True


def path_of(resource_id: str, stack: Stack) -> str | None:
    """The path of a resource, by way of those above it; None if one of them is not there."""
    pieces: list[str] = []
    seen = set()
    while not resource_id.endswith("/"):
        found = stack.find(resource_id, "AWS::ApiGateway::Resource")
        if found is None or resource_id in seen:
            return None
        seen.add(resource_id)
        pieces.insert(0, found.properties.text("PathPart"))
        resource_id = found.properties.text("ParentId")
    return "/" + "/".join(pieces)


def path_part(resource: Resource, stack: Stack) -> None:
    """`AWS::ApiGateway::Resource`: methods read it."""
    del stack
    resource.properties.skip("ParentId", "PathPart", "RestApiId")


def preflight(integration: Properties) -> Cors | None:
    """What an OPTIONS method answers by itself, if it lets other origins in."""
    for response in integration.tables("IntegrationResponses"):
        table = response.table("ResponseParameters")
        said = {key.removeprefix(HEADER).lower(): table.text(key).strip("'") for key in table}
        if origin := said.get("allow-origin"):
            age = said.get("max-age", "")
            return Cors(
                (origin,),
                listed(said.get("allow-methods", "")),
                listed(said.get("allow-headers", "")),
                max_age=int(age) if age.isdecimal() else None,
                credentials=said.get("allow-credentials") == "true",
            )
    return None


def listed(text: str) -> tuple[str, ...]:
    """`'GET,POST'` → its parts."""
    return tuple(each.strip() for each in text.strip("'").split(",") if each.strip())


def stage(resource: Resource, stack: Stack) -> None:
    """`AWS::ApiGateway::Stage`: the first one of an API is served."""
    own = resource.properties
    own.skip(*"Description Tags DeploymentId TracingEnabled AccessLogSetting ClientCertificateId".split())
    own.skip("DocumentationVersion", "MethodSettings")
    throttled(own, "CacheClusterEnabled")
    own.skip("CacheClusterSize", "CanarySetting")
    serve(stack, own.text("RestApiId"), own.text("StageName"), texts(own.table("Variables")), resource)


def deployment(resource: Resource, stack: Stack) -> None:
    """`AWS::ApiGateway::Deployment`, which may make a stage."""
    own = resource.properties
    own.skip("Description", "StageDescription", "DeploymentCanarySettings")
    if name := own.text("StageName"):
        serve(stack, own.text("RestApiId"), name, {}, resource)
    own.skip("RestApiId")


def serve(stack: Stack, api_id: str, name: str, variables: dict[str, str], resource: Resource) -> None:
    part = stack.parts.entrances.get(stack.id(api_id))
    if part and part.stage:
        resource.place.note(f"the stage {part.stage} is served, {name} is left out.")
    elif part:
        part.stage, part.variables = name, variables


def authorizer(resource: Resource, stack: Stack) -> None:
    """`AWS::ApiGateway::Authorizer`."""
    own = resource.properties
    own.skip("AuthorizerCredentials", "AuthType")
    part = stack.parts.entrances.get(stack.id(own.text("RestApiId")))
    kind = own.text("Type").lower()
    name, sources = own.text("Name") or resource.id, listed(own.text("IdentitySource"))
    seconds = own.number("AuthorizerResultTtlInSeconds")
    made = Authorizer(
        name,
        "cognito" if kind == "cognito_user_pools" else kind,
        function=own.text("AuthorizerUri"),
        identity=sources,
        payload="1.0",
        ttl=float(300 if seconds is None else seconds),
        pattern=own.text("IdentityValidationExpression"),
        issuer=issuer(own, "ProviderARNs", stack) if "ProviderARNs" in own else "",
    )
    if part:
        part.authorizers[resource.id] = made


def issuer(own: Properties, key: str, stack: Stack) -> str:
    """Of the first user pool's tokens; only AWS knows it for one that the file makes."""
    with stack.resolver.guesses() as guessed:
        arns = own.texts(key)
    if len(arns) > 1:
        own.note(key, f"tokens are taken of {arns[0]} only.")
    pools = [match[1] for arn in arns if (match := COGNITO.search(arn))]
    if not pools:
        return ""
    made = f"https://cognito-idp.{stack.region}.amazonaws.com/{pools[0]}"
    if guessed:
        own.note(key, f"only AWS knows the issuer; tokens have to come from {made!r} here.")
    return made


def api_key(resource: Resource, stack: Stack) -> None:
    """`AWS::ApiGateway::ApiKey`: it opens every REST API and WebSocket API of the file."""
    own = resource.properties
    own.skip("Description", "Tags", "StageKeys", "GenerateDistinctId", "CustomerId")
    name, value = own.text("Name") or resource.id, own.text("Value")
    if not own.flag("Enabled", True):
        return
    if not value:
        resource.place.note(f"AWS makes up its value; here it is {name!r}.")
    for part in stack.parts.entrances.values():
        if part.kind in ("rest", "websocket"):
            part.api_keys[name] = value or name
