"""The events of a function in `serverless.yml`, and the APIs they come from, in SAM's words. Pure.

Source: serverless.com/framework/docs, "HTTP API", "API Gateway", "Schedule", "SQS Queues", "Application Load Balancer".
"""

from __future__ import annotations

import json
from collections.abc import Callable

from lambent.dev.templates import serverless_sockets
from lambent.dev.templates.serverless_terms import (
    Context,
    Event,
    Given,
    attribute,
    flag,
    function_of,
    renamed,
    table_of,
)
from lambent.dev.templates.tables import Table, kind

HTTP = "HttpApi"
REST = "ApiGatewayRestApi"
"""Their logical ids."""

REST_HEADERS = "Content-Type,X-Amz-Date,Authorization,X-Api-Key,X-Amz-Security-Token,X-Amz-User-Agent,X-Amzn-Trace-Id"
CORS = {
    "allowedOrigins": "AllowOrigins",
    "allowedHeaders": "AllowHeaders",
    "allowedMethods": "AllowMethods",
    "allowCredentials": "AllowCredentials",
    "exposedResponseHeaders": "ExposeHeaders",
    "maxAge": "MaxAge",
}
"""Keys of an HTTP API and of function URLs."""

IDENTITY = {
    "header": "Headers",
    "querystring": "QueryStrings",
    "stageVariables": "StageVariables",
    "context": "Context",
}


def entrances(context: Context) -> None:
    """What `provider` says of the HTTP API and of the REST API."""
    own = table_of(context.provider, "httpApi")
    http = Table({"StageName": "$default"}, own.line)
    if cors := own.get("cors"):
        http["CorsConfiguration"] = url_cors(cors) if cors is not True else http_cors()
    authorizers = table_of(own, "authorizers")
    names = {name: http_authorizer(table_of(authorizers, name)) for name in authorizers}
    http["Auth"] = Table({"Authorizers": Table(names, authorizers.line)}, own.line)
    context.add(HTTP, "AWS::Serverless::HttpApi", http)
    if "id" in own:
        context.notes.add(
            own.at("id"), "provider.httpApi.id: the API itself is not of this file; its routes are served."
        )
    rest = table_of(context.provider, "apiGateway")
    keys = rest.get("apiKeys", context.provider.get("apiKeys"))
    for number, key in enumerate(api_keys(keys), 1):
        context.add(f"ApiGatewayApiKey{number}", "AWS::ApiGateway::ApiKey", key)


def api_keys(keys: object) -> list[Table]:
    """Names, tables of name and value, or lists of these by usage plan."""
    found: list[Table] = []
    for each in keys if isinstance(keys, list) else []:
        if isinstance(each, Table) and ("name" in each or "value" in each):
            found.append(
                renamed(each, {"name": "Name", "value": "Value", "enabled": "Enabled", "description": "Description"})
            )
        elif isinstance(each, Table):
            found += [key for plan in each.values() for key in api_keys(plan)]
        elif isinstance(each, str):
            found.append(Table({"Name": each}))
    return found


def http_cors() -> Table:
    """`cors: true`."""
    headers: list[object] = list(REST_HEADERS.split(",")[:-1])
    methods: list[object] = ["GET", "POST", "PUT", "PATCH", "OPTIONS", "HEAD", "DELETE"]
    return Table({"AllowOrigins": ["*"], "AllowHeaders": headers, "AllowMethods": methods})


def url_cors(cors: object) -> Table:
    return (
        renamed(cors, CORS)
        if isinstance(cors, Table)
        else Table({"AllowOrigins": ["*"], "AllowHeaders": ["*"], "AllowMethods": ["*"]})
    )


def url(config: object) -> Table:
    """`url` of a function."""
    own = config if isinstance(config, Table) else Table()
    signed = own.get("authorizer") == "aws_iam"
    made = renamed(own, {"invokeMode": "InvokeMode", "cors": "Cors"})
    made.pop("authorizer", None)
    made.pop("invoke", None)
    if "cors" in own:
        made["Cors"] = url_cors(own["cors"])
        if not own["cors"]:
            del made["Cors"]
    return Table({**made, "AuthType": "AWS_IAM" if signed else "NONE"}, own.line, made.lines)


def http_authorizer(own: Table) -> Table:
    """One of `provider.httpApi.authorizers`."""
    if own.get("type", "jwt") == "jwt":
        configuration = Table({"issuer": own.get("issuerUrl"), "audience": own.get("audience")}, own.line)
        made = Table({"JwtConfiguration": configuration}, own.line)
        if "identitySource" in own:
            made["IdentitySource"] = own["identitySource"]
        return made
    identity = identities(own.get("identitySource"))
    if "resultTtlInSeconds" in own:
        identity["ReauthorizeEvery"] = own["resultTtlInSeconds"]
    made = Table({"FunctionArn": function_of(own), "Identity": identity}, own.line)
    for key, theirs in (
        ("enableSimpleResponses", "EnableSimpleResponses"),
        ("payloadVersion", "AuthorizerPayloadFormatVersion"),
    ):
        if key in own:
            made[theirs] = own[key]
    return made


def identities(sources: object) -> Table:
    """`method.request.header.X` and `$request.header.X`, as lists by kind."""
    made = Table()
    each = sources.split(",") if isinstance(sources, str) else sources if isinstance(sources, list) else []
    for source in each:
        for part in source.split(",") if isinstance(source, str) else []:
            path = part.strip().lstrip("$").removeprefix("method.").removeprefix("request.")
            name, _, rest = path.partition(".")
            if name in IDENTITY:
                before = made.get(IDENTITY[name])
                made[IDENTITY[name]] = [*(before if isinstance(before, list) else []), rest]
    return made


def events(function: Table, logical_id: str, context: Context) -> Table:
    """All events of a function, by made-up names."""
    found = function.get("events")
    made = Table()
    for each in found if isinstance(found, list) else []:
        own = Table({each: Table()}, function.at("events")) if isinstance(each, str) else each
        if not isinstance(own, Table) or len(own) < 1:
            raise context.notes.error(function.at("events"), f"events: expected a table, but got {kind(each)}.")
        ((name, config), *_), line = own.items(), own.line or function.at("events")
        reader = READERS.get(name)
        pairs = reader(config, Given(context, logical_id, line, len(made) + 1)) if reader else [(name, Table())]
        for type_, properties in pairs:
            key = f"{name}{len(made) + 1}"
            made[key] = Table({"Type": type_, "Properties": properties}, line)
            made.lines[key] = line
    return made


def route_of(config: object) -> Table:
    """`GET /x` and `*`, as a table."""
    if not isinstance(config, str):
        return config if isinstance(config, Table) else Table()
    method, _, path = config.strip().partition(" ")
    return Table({"method": method, "path": path.strip()} if path else {"path": method})


def http_api(config: object, given: Given) -> list[Event]:
    own = route_of(config)
    made = Table({"ApiId": Table({"Ref": HTTP})}, given.line)
    method, path = own.get("method", "*"), own.get("path", "*")
    made["Method"] = "any" if method == "*" else method
    made["Path"] = "$default" if path == "*" else path
    payload = table_of(given.context.provider, "httpApi").get("payload")
    if payload is not None:
        made["PayloadFormatVersion"] = payload
    if (authorizer := own.get("authorizer")) is not None:
        made["Auth"] = http_auth(authorizer)
    rest = {key: value for key, value in own.items() if key not in ("method", "path", "authorizer")}
    return [("HttpApi", Table({**made, **rest}, given.line))]


def http_auth(authorizer: object) -> Table:
    own = authorizer if isinstance(authorizer, Table) else Table({"name": authorizer})
    made = Table({"Authorizer": "AWS_IAM" if own.get("type") == "aws_iam" else own.get("name", own.get("id"))})
    if "scopes" in own:
        made["AuthorizationScopes"] = own["scopes"]
    return made


def http(config: object, given: Given) -> list[Event]:
    """A route of the REST API."""
    own = route_of(config)
    method, path = own.get("method", "any"), own.get("path", "/")
    integration = str(own.get("integration", "aws_proxy")).lower().replace("-", "_")
    if integration not in ("aws_proxy", "lambda_proxy"):
        given.context.notes.add(given.line, f"http: the integration {integration} is not understood here; left out.")
        return []
    api = rest_api(given.context)
    if (cors := own.get("cors")) and "Cors" not in api:
        api["Cors"] = rest_cors(cors)
    made = Table({"RestApiId": Table({"Ref": REST}), "Method": method}, given.line)
    made["Path"] = f"/{path.lstrip('/')}" if isinstance(path, str) else path
    auth = Table()
    if flag(own.get("private")):
        auth["ApiKeyRequired"] = True
    if (authorizer := own.get("authorizer")) is not None:
        auth.update(rest_auth(authorizer, given))
    made["Auth"] = auth
    read = ("method", "path", "integration", "cors", "private", "authorizer", "request", "operationId", "documentation")
    return [("Api", Table({**made, **{key: value for key, value in own.items() if key not in read}}, given.line))]


def rest_api(context: Context) -> Table:
    """The REST API of the service: its properties."""
    if REST not in context.resources:
        auth = Table({"Authorizers": context.rest_authorizers})
        own = Table({"StageName": context.stage, "Auth": auth}, context.provider.line)
        if types := table_of(context.provider, "apiGateway").get("binaryMediaTypes"):
            own["BinaryMediaTypes"] = types
        context.add(REST, "AWS::Serverless::Api", own)
    return table_of(table_of(context.resources, REST), "Properties")


def rest_auth(authorizer: object, given: Given) -> Table:
    """The authorizer of a route; the API gets it as one of its own."""
    own = authorizer if isinstance(authorizer, Table) else Table({"name": authorizer}, given.line)
    type_ = str(own.get("type", "token")).lower()
    if type_ == "aws_iam" or own.get("name") == "aws_iam":
        return Table({"Authorizer": "AWS_IAM"})
    name, arn = own.get("name"), own.get("arn")
    if isinstance(name, str) and name.startswith("arn:"):
        name, arn = name.rpartition(":")[2], name
    key = str(name or "authorizer")
    made = Table({"Identity": identities(own.get("identitySource", "method.request.header.Authorization"))}, given.line)
    identity = table_of(made, "Identity")
    if type_ == "cognito_user_pools" or (isinstance(arn, str) and ":cognito-idp:" in arn):
        made["UserPoolArn"] = arn
    else:
        made["FunctionArn"] = function_of(own if arn is None else Table({"arn": arn}))
    if type_ == "request":
        made["FunctionPayloadType"] = "REQUEST"
    elif headers := identity.pop("Headers", None):
        identity["Header"] = headers[0] if isinstance(headers, list) else headers
    if "resultTtlInSeconds" in own:
        identity["ReauthorizeEvery"] = own["resultTtlInSeconds"]
    if "identityValidationExpression" in own:
        identity["ValidationExpression"] = own["identityValidationExpression"]
    given.context.rest_authorizers.setdefault(key, made)
    auth = Table({"Authorizer": key})
    if "scopes" in own:
        auth["AuthorizationScopes"] = own["scopes"]
    return auth


def rest_cors(cors: object) -> Table:
    own = cors if isinstance(cors, Table) else Table()
    origins = own.get("origins", own.get("origin", "*"))
    headers = own.get("headers", REST_HEADERS)
    made = Table({"AllowOrigin": joined(origins), "AllowHeaders": joined(headers)}, own.line)
    if "allowCredentials" in own:
        made["AllowCredentials"] = own["allowCredentials"]
    if "maxAge" in own:
        made["MaxAge"] = own["maxAge"]
    if "methods" in own:
        made["AllowMethods"] = joined(own["methods"])
    return made


def joined(value: object) -> object:
    return ",".join(map(str, value)) if isinstance(value, list) else value


def schedule(config: object, given: Given) -> list[Event]:
    own = config if isinstance(config, Table) else Table({"rate": config}, given.line)
    rates = own.get("rate")
    names = {"enabled": "Enabled", "input": "Input", "name": "Name", "description": "Description"}
    names |= {"timezone": "ScheduleExpressionTimezone"}
    rest = renamed(Table({key: own[key] for key in own if key not in ("rate", "method")}, given.line), names)
    each = rates if isinstance(rates, list) else [rates]
    type_ = "ScheduleV2" if own.get("method") == "scheduler" or "timezone" in own else "Schedule"
    return [(type_, Table({**rest, "Schedule": rate}, given.line)) for rate in each]


def sqs(config: object, given: Given) -> list[Event]:
    own = config if isinstance(config, Table) and "arn" in config else Table({"arn": config}, given.line)
    names = {
        "arn": "Queue",
        "batchSize": "BatchSize",
        "maximumBatchingWindow": "MaximumBatchingWindowInSeconds",
        "enabled": "Enabled",
        "functionResponseType": "FunctionResponseTypes",
    }
    apart = ("maximumConcurrency", "filterPatterns")
    made = renamed(Table({key: own[key] for key in own if key not in apart}, given.line), names)
    if isinstance(patterns := own.get("filterPatterns"), list):
        made["FilterCriteria"] = Table({"Filters": [Table({"Pattern": json.dumps(each)}) for each in patterns]})
    if "maximumConcurrency" in own:
        made["ScalingConfig"] = Table({"MaximumConcurrency": own["maximumConcurrency"]})
    return [("SQS", made)]


def alb(config: object, given: Given) -> list[Event]:
    """A listener's rule, and the target group that it leads to."""
    own = config if isinstance(config, Table) else Table()
    group, rule = f"{given.function}TargetGroup{given.number}", f"{given.function}ListenerRule{given.number}"
    multi = (
        [Table({"Key": "lambda.multi_value_headers.enabled", "Value": "true"})]
        if flag(own.get("multiValueHeaders"))
        else []
    )
    targets = Table({"TargetType": "lambda", "Targets": [Table({"Id": attribute(given.function)})]}, given.line)
    targets["TargetGroupAttributes"] = multi
    given.context.add(group, "AWS::ElasticLoadBalancingV2::TargetGroup", targets)
    fields = {"path": "path-pattern", "method": "http-request-method", "host": "host-header"}
    conditions: list[object] = [
        Table({"Field": fields.get(key, key), "Values": value if isinstance(value, list) else [value]}, given.line)
        for key, value in table_of(own, "conditions").items()
    ]
    actions: list[object] = [Table({"Type": "forward", "TargetGroupArn": Table({"Ref": group})})]
    made = Table({"Conditions": conditions, "Actions": actions, "Priority": own.get("priority")}, given.line)
    given.context.add(rule, "AWS::ElasticLoadBalancingV2::ListenerRule", made)
    return []


READERS: dict[str, Callable[[object, Given], list[Event]]] = {
    "httpApi": http_api,
    "http": http,
    "schedule": schedule,
    "sqs": sqs,
    "alb": alb,
    "websocket": serverless_sockets.websocket,
}
