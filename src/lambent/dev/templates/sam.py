"""AWS SAM's own types, and `Globals`. Pure.

Source: AWS SAM Developer Guide, "AWS SAM resources and properties", "Globals section of the AWS SAM template".
"""

from __future__ import annotations

from dataclasses import replace

from lambent.dev.model import Authorizer, Cors, Source
from lambent.dev.templates import event_sources, functions, http_apis, rest_apis, websocket_apis
from lambent.dev.templates.http_apis import texts, throttled
from lambent.dev.templates.parts import EntrancePart, RoutePart
from lambent.dev.templates.properties import Properties
from lambent.dev.templates.stacks import Resource, Stack
from lambent.dev.templates.tables import Notes, Table

IMPLICIT = {
    "Api": ("ServerlessRestApi", Table({"Type": "AWS::Serverless::Api", "Properties": Table({"StageName": "Prod"})})),
    "HttpApi": ("ServerlessHttpApi", Table({"Type": "AWS::Serverless::HttpApi"})),
}
"""APIs that SAM makes for events that name none."""

STREAMS = "RESPONSE_STREAM"
"""The only `ResponseTransferMode` of an event that streams; CloudFormation's word is STREAM."""

GLOBAL = {
    "Function": "AWS::Serverless::Function",
    "Api": "AWS::Serverless::Api",
    "HttpApi": "AWS::Serverless::HttpApi",
    "SimpleTable": "AWS::Serverless::SimpleTable",
    "StateMachine": "AWS::Serverless::StateMachine",
    "LayerVersion": "AWS::Serverless::LayerVersion",
    "CapacityProvider": "AWS::Serverless::CapacityProvider",
    "WebSocketApi": "AWS::Serverless::WebSocketApi",
}
SILENT_API = """Name Description Tags PropagateTags EndpointConfiguration TracingEnabled AccessLogSetting
    AccessLogSettings MethodSettings OpenApiVersion DisableExecuteApiEndpoint FailOnWarnings MergeDefinitions
    Models GatewayResponses MinimumCompressionSize AlwaysDeploy Policy SecurityPolicy EndpointAccessMode
    CanarySetting""".split()


def expanded(template: Table, notes: Notes) -> Table:
    """With `Globals` in each resource, the APIs that SAM makes by itself, and what it makes of WebSocket APIs."""
    resources = template.get("Resources")
    if not isinstance(resources, Table):
        return template
    common = template.get("Globals") or Table()
    if not isinstance(common, Table):
        raise notes.error(template.at("Globals"), "Globals: expected a table.")
    for key in common.keys() - GLOBAL.keys():
        raise notes.error(common.at(key), f"Globals.{key}: expected one of {', '.join(GLOBAL)}.")
    by_type = {kind: common.get(key) for key, kind in GLOBAL.items()}
    made = Table(
        {name: with_globals(each, by_type) for name, each in resources.items()}, resources.line, resources.lines
    )
    for kind, (name, resource) in IMPLICIT.items():
        if name not in made and any(is_implied(each, kind) for each in resources.values()):
            made[name] = with_globals(resource, by_type)
    for name, each in list(made.items()):
        if isinstance(each, Table) and each.get("Type") == websocket_apis.SAM:
            for inner, resource in websocket_apis.expanded(name, each, notes).items():
                made[inner] = resource
                made.lines[inner] = resource.line
    return Table({**template, "Resources": made}, template.line, template.lines)


def with_globals(resource: object, by_type: dict[str, object]) -> object:
    if not isinstance(resource, Table) or not isinstance(usual := by_type.get(str(resource.get("Type"))), Table):
        return resource
    own = resource.get("Properties")
    own = Table(line=resource.line) if own is None else own
    if not isinstance(own, Table):
        return resource
    return Table({**resource, "Properties": merged(usual, own)}, resource.line, resource.lines)


def merged(usual: object, own: object) -> object:
    """Tables are put together, lists added up; anything else is taken from the resource."""
    if isinstance(usual, Table) and isinstance(own, Table):
        made = Table({**usual, **own}, own.line, {**usual.lines, **own.lines})
        for key in usual.keys() & own.keys():
            made[key] = merged(usual[key], own[key])
        return made
    return [*usual, *own] if isinstance(usual, list) and isinstance(own, list) else own


def is_implied(resource: object, kind: str) -> bool:
    """Whether a function has an event of this kind that names no API."""
    events = resource
    for key in ("Properties", "Events"):
        events = events.get(key) if isinstance(events, Table) else None
    each = list(events.values()) if isinstance(events, Table) else []
    return any(isinstance(one, Table) and one.get("Type") == kind and not names_api(one) for one in each)


def names_api(event: Table) -> bool:
    own = event.get("Properties")
    return isinstance(own, Table) and ("RestApiId" in own or "ApiId" in own)


def function(resource: Resource, stack: Stack) -> None:
    """`AWS::Serverless::Function`."""
    own = resource.properties
    if not (part := functions.read(resource, stack)):
        return
    if "FunctionUrlConfig" in own:
        url = own.table("FunctionUrlConfig")
        functions.add_url(part.name, url, resource, stack)
        url.unread()
    if "EventInvokeConfig" in own:
        config = own.table("EventInvokeConfig")
        functions.asynchronous(config, part)
    events = own.table("Events")
    for name in events:
        event = events.table(name)
        kind = event.text("Type")
        inner = event.table("Properties")
        place = resource.place._replace(line=event.line, what=event.where)
        if kind in EVENTS:
            EVENTS[kind](name, part.name, Resource(name, kind, inner, {}, place), stack)
            inner.unread()
        else:
            place.note(f"{kind} invokes nothing here; `lambent event` makes events for `lambent invoke {part.name}`.")


def api_event(_name: str, function_name: str, event: Resource, stack: Stack) -> None:
    """`Api`: a route of a REST API."""
    own = event.properties
    own.skip("RequestParameters", "RequestModel")
    entrance, auth = entrance_of(own, "RestApiId", IMPLICIT["Api"][0], event, stack), own.table("Auth")
    mode, timeout = own.text("ResponseTransferMode"), own.number("TimeoutInMillis")
    if entrance is None:
        return
    if timeout:
        entrance.timeout = timeout / 1000
    if mode == STREAMS and (part := stack.parts.function(function_name)):
        part.stream = True
    elif mode not in ("", "BUFFERED", STREAMS):
        own.note("ResponseTransferMode", f"expected BUFFERED or {STREAMS}, but got {mode}: SAM makes nothing of it.")
    auth.skip("InvokeRole", "ResourcePolicy", "OverrideApiAuth")
    key = auth.flag("ApiKeyRequired", entrance.api_key)
    stack.parts.routes.append(
        RoutePart(
            entrance.id,
            own.text("Method", "any").upper(),
            own.text("Path", "/"),
            function_name,
            event.place,
            auth.text("Authorizer"),
            auth.texts("AuthorizationScopes"),
            key,
        )
    )
    auth.unread()


def http_api_event(_name: str, function_name: str, event: Resource, stack: Stack) -> None:
    """`HttpApi`: a route of an HTTP API."""
    own = event.properties
    entrance, auth = entrance_of(own, "ApiId", IMPLICIT["HttpApi"][0], event, stack), own.table("Auth")
    throttled(own, "RouteSettings")
    path, method, payload = own.text("Path"), own.text("Method", "any").upper(), own.text("PayloadFormatVersion")
    timeout = own.number("TimeoutInMillis")
    if entrance is None:
        return
    if timeout:
        entrance.timeout = timeout / 1000
    is_default = path in ("", "$default")
    stack.parts.routes.append(
        RoutePart(
            entrance.id,
            "ANY" if is_default or method == "X-AMAZON-APIGATEWAY-ANY-METHOD" else method,
            path or "$default",
            function_name,
            event.place,
            auth.text("Authorizer"),
            auth.texts("AuthorizationScopes"),
            payload=payload,
        )
    )
    auth.skip("InvokeRole")
    auth.unread()


def entrance_of(own: Properties, key: str, implicit: str, event: Resource, stack: Stack) -> EntrancePart | None:
    name = own.text(key) if key in own else implicit
    own.skip(key)
    found = stack.parts.entrances.get(stack.id(name))
    if found is None:
        event.place.note("its API is not of this file; the route is left out.")
        own.skip(*own.keys())
    return found


def schedule_event(name: str, function_name: str, event: Resource, stack: Stack) -> None:
    """`Schedule` and `ScheduleV2`."""
    own = event.properties
    own.skip(*"Name Description RetryPolicy DeadLetterConfig FlexibleTimeWindow GroupName KmsKeyArn RoleArn".split())
    own.skip("PermissionsBoundary", "OmitName")
    expression = own.text("ScheduleExpression") or own.text("Schedule")
    zone = own.text("ScheduleExpressionTimezone", "UTC")
    enabled = own.flag("Enabled", True) and own.text("State", "ENABLED") != "DISABLED"
    made = Source(f"{function_name}-{name}", function_name, "schedule", expression, zone, enabled=enabled)
    made = replace(made, scheduler=event.type == "ScheduleV2")
    event_sources.add_schedule(made, own, event.place, stack)


def queue_event(name: str, function_name: str, event: Resource, stack: Stack) -> None:
    """`SQS`."""
    own = event.properties
    arn = event_sources.queue(own, "Queue", stack)
    event_sources.add_queue(f"{function_name}-{name}", function_name, arn, own, event.place, stack)


EVENTS = {
    "Api": api_event,
    "HttpApi": http_api_event,
    "Schedule": schedule_event,
    "ScheduleV2": schedule_event,
    "SQS": queue_event,
}


def api(resource: Resource, stack: Stack) -> None:
    """`AWS::Serverless::Api`."""
    own = resource.properties
    own.skip(*SILENT_API)
    part = add_entrance(resource, "rest", stack)
    part.stage, part.variables = own.text("StageName"), texts(own.table("Variables"))
    part.api_key_source = own.text("ApiKeySourceType", "HEADER").lower()
    if own.texts("BinaryMediaTypes"):
        own.note("BinaryMediaTypes", "every body that is no text is binary here.")
    throttled(own, "CacheClusterEnabled")
    own.skip("CacheClusterSize")
    if "Cors" in own:
        part.cors = rest_cors(own)
    auth = own.table("Auth")
    auth.skip("InvokeRole", "ResourcePolicy", "AddDefaultAuthorizerToCorsPreflight", "AddApiKeyRequiredToCorsPreflight")
    part.default_authorizer = auth.text("DefaultAuthorizer")
    part.api_key = auth.flag("ApiKeyRequired")
    if "UsagePlan" in auth:
        plan, name = auth.table("UsagePlan"), f"{resource.id}ApiKey"
        if plan.text("CreateUsagePlan") != "NONE":
            part.api_keys[name] = name
            auth.note("UsagePlan", f"AWS makes up the value of its key; here it is {name!r}. Quotas are not held.")
    authorizers = auth.table("Authorizers")
    for name in authorizers:
        one = authorizers.table(name)
        part.scopes[name] = one.texts("AuthorizationScopes")
        part.authorizers[name] = rest_authorizer(name, one, stack)
    auth.unread()


def add_entrance(resource: Resource, kind: str, stack: Stack) -> EntrancePart:
    own = resource.properties
    part = EntrancePart(stack.id(resource.id), kind, stack.names.get(resource.id, resource.id), resource.place)
    stack.parts.entrances[part.id] = part
    for key in ("DefinitionBody", "DefinitionUri"):
        if key in own:
            own.note(key, "routes are not read from OpenAPI definitions; those in it are left out.")
            own.skip(key)
    domain = own.table("Domain")
    paths = [path for path in domain.texts("BasePath") if path.strip("/")]
    if paths:
        part.base_path = f"/{paths[0].strip('/')}"
    return part


def rest_cors(own: Properties) -> Cors:
    """A text is the origin. Values have quotes within the quotes."""
    if not own.is_table("Cors"):
        return Cors((own.text("Cors").strip("'"),))
    table = own.table("Cors")
    age = table.text("MaxAge").strip("'")
    made = Cors(
        rest_apis.listed(table.text("AllowOrigin")),
        rest_apis.listed(table.text("AllowMethods")),
        rest_apis.listed(table.text("AllowHeaders")),
        max_age=int(age) if age.isdecimal() else None,
        credentials=table.flag("AllowCredentials"),
    )
    table.unread()
    return made


def rest_authorizer(name: str, own: Properties, stack: Stack) -> Authorizer:
    """One of `Auth.Authorizers` of a REST API."""
    identity = own.table("Identity")
    own.skip("FunctionInvokeRole", "DisableFunctionDefaultPermissions")
    seconds = identity.number("ReauthorizeEvery")
    header = identity.text("Header")
    made = Authorizer(
        name,
        "token",
        identity=(f"method.request.header.{header}",) if header else (),
        payload="1.0",
        ttl=float(300 if seconds is None else seconds),
        pattern=identity.text("ValidationExpression"),
    )
    if "UserPoolArn" in own:
        made = replace(made, kind="cognito", issuer=rest_apis.issuer(own, "UserPoolArn", stack))
    elif own.text("FunctionPayloadType", "TOKEN") == "REQUEST":
        sources = identity_sources(identity, "method.request.", "stageVariables.", "context.")
        made = replace(made, kind="request", identity=sources, function=own.text("FunctionArn"))
    else:
        made = replace(made, function=own.text("FunctionArn"))
    own.skip("FunctionPayloadType")
    own.unread()
    identity.unread()
    return made


def identity_sources(own: Properties, request: str, variables: str, context: str) -> tuple[str, ...]:
    prefixes = {
        "Headers": f"{request}header.",
        "QueryStrings": f"{request}querystring.",
        "StageVariables": variables,
        "Context": context,
    }
    return tuple(f"{prefix}{name}" for key, prefix in prefixes.items() for name in own.texts(key))


def http_api(resource: Resource, stack: Stack) -> None:
    """`AWS::Serverless::HttpApi`."""
    own = resource.properties
    own.skip(*SILENT_API)
    part = add_entrance(resource, "http", stack)
    part.stage, part.variables = own.text("StageName", "$default"), texts(own.table("StageVariables"))
    throttled(own, "DefaultRouteSettings", "RouteSettings")
    if own.is_table("CorsConfiguration"):
        part.cors = functions.cors(own.table("CorsConfiguration"))
    elif own.flag("CorsConfiguration"):
        part.cors = Cors(("*",))
    auth = own.table("Auth")
    auth.skip("EnableIamAuthorizer")
    part.default_authorizer = auth.text("DefaultAuthorizer")
    authorizers = auth.table("Authorizers")
    for name in authorizers:
        one = authorizers.table(name)
        part.scopes[name] = one.texts("AuthorizationScopes")
        part.authorizers[name] = http_authorizer(name, one)
    auth.unread()


def http_authorizer(name: str, own: Properties) -> Authorizer:
    """One of `Auth.Authorizers` of an HTTP API."""
    own.skip("FunctionInvokeRole", "EnableFunctionDefaultPermissions")
    if "JwtConfiguration" in own:
        made = http_apis.jwt(name, own.table("JwtConfiguration"), own.texts("IdentitySource"))
    else:
        identity = own.table("Identity")
        seconds = identity.number("ReauthorizeEvery")
        made = Authorizer(
            name,
            "request",
            function=own.text("FunctionArn"),
            identity=identity_sources(identity, "$request.", "$stageVariables.", "$context."),
            payload=own.text("AuthorizerPayloadFormatVersion", "2.0"),
            simple=own.flag("EnableSimpleResponses"),
            ttl=float(0 if seconds is None else seconds),
        )
        identity.unread()
    own.unread()
    return made
