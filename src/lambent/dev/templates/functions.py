"""Functions, and what stands directly at them: URLs, layers, asynchronous settings. Pure.

Source: AWS CloudFormation Template Reference Guide, `AWS::Lambda::…`; AWS SAM Developer Guide,
`AWS::Serverless::Function`.
"""

from __future__ import annotations

import re
from pathlib import Path

from lambent.dev.config.tables import FUNCTION_NAME, OBJECT
from lambent.dev.model import Cors
from lambent.dev.templates.parts import EntrancePart, FunctionPart, RoutePart, function_name
from lambent.dev.templates.properties import Properties
from lambent.dev.templates.stacks import Resource, Stack

SILENT = """Role Policies PermissionsBoundary AssumeRolePolicyDocument RolePath Tags PropagateTags Description
    Architectures CodeSigningConfigArn KmsKeyArn VersionDescription AutoPublishAlias AutoPublishAliasAllProperties
    AutoPublishCodeSha256 DeploymentPreference RuntimeManagementConfig Tracing TracingConfig
    PublishToLatestPublished""".split()
"""Properties that say nothing about how code runs."""

NOT_PYTHON = "is not one of Python, such as app.handler"
LIMITS = {"Timeout": (1, 900), "MemorySize": (128, 32_768), "ReservedConcurrentExecutions": (0, 1_000_000)}


def function(resource: Resource, stack: Stack) -> None:
    """`AWS::Lambda::Function`."""
    read(resource, stack)


def read(resource: Resource, stack: Stack) -> FunctionPart | None:
    """Into the parts; None, and a note, if it cannot run here."""
    own = resource.properties
    own.skip(*SILENT)
    own.text("FunctionName")
    name = stack.resolver.identity(resource.id).name
    runtime, handler = own.text("Runtime"), own.text("Handler")
    app_dir = code(resource, stack)
    if why := refused(runtime, handler, own.text("PackageType")):
        own.skip(*own.keys())
        resource.place.note(f"{why}; the function is left out.")
    elif not app_dir:
        own.skip(*own.keys())
        resource.place.note("its code is not in a folder here; the function is left out.")
    else:
        if not re.fullmatch(FUNCTION_NAME, name):
            expected = "expected 1 to 64 letters, digits, hyphens and underscores"
            raise own.error("FunctionName", f"{expected}, but got {name!r}.")
        if name in stack.parts.functions:
            raise resource.place.notes.error(resource.place.line, f"{resource.id}: there are two functions {name}.")
        part = FunctionPart(name, handler, app_dir, resource.place, runtime=runtime)
        settings(part, own, stack)
        stack.parts.functions[name] = part
        return part
    stack.parts.left_out.add(name)
    return None


def refused(runtime: str, handler: str, package: str) -> str:
    """Why a function cannot run here; empty if it can."""
    if package == "Image":
        return "its code is in a container image"
    if not runtime.startswith(("python", "provided")):
        return f"its runtime is {runtime}, not Python" if runtime else "its runtime is not known"
    if not re.fullmatch(OBJECT, handler):
        return f"its handler {handler!r} {NOT_PYTHON}"
    return ""


def code(resource: Resource, stack: Stack) -> Path | None:
    """The folder that the function, or the layer, is made of; or a function's archive in a folder `dist`."""
    own = resource.properties
    key = next((each for each in ("CodeUri", "ContentUri", "Code", "Content") if each in own), "CodeUri")
    own.skip("InlineCode", "ImageUri", "ImageConfig", key)
    archive = own.table(key).text("S3Key") if own.is_table(key) else ""
    if archive in stack.assets:
        return stack.assets[archive]
    asset = resource.metadata.get("aws:asset:path")
    if isinstance(asset, str) and resource.metadata.get("aws:asset:property", key) == key:
        return stack.folder / asset
    if key not in own or own.is_table(key):
        return None
    path = own.text(key)
    if not path or re.match(r"[a-z0-9]+://", path):
        return None
    code = stack.folder / path
    return code if code.suffix != ".zip" or (code.parent.name == "dist" and key.startswith("Code")) else None


def settings(part: FunctionPart, own: Properties, stack: Stack) -> None:
    numbers = {"timeout": "Timeout", "memory": "MemorySize", "reserved_concurrency": "ReservedConcurrentExecutions"}
    part.settings = {name: value for name, key in numbers.items() if (value := bounded(own, key)) is not None}
    part.settings["region"] = stack.region
    part.settings["account"] = stack.account
    part.settings["env"] = {**logging(own.table("LoggingConfig")), **environment(own.table("Environment"))}
    part.settings["snapstart"] = own.table("SnapStart").text("ApplyOn") == "PublishedVersions"
    managed = own.table("CapacityProviderConfig")
    inner = managed.table("LambdaManagedInstancesCapacityProviderConfig")
    concurrency = managed.number("PerExecutionEnvironmentMaxConcurrency") or inner.number(
        "PerExecutionEnvironmentMaxConcurrency"
    )
    if concurrency:
        part.settings["concurrency"] = concurrency
    part.layers = own.texts("Layers")
    dead = own.table("DeadLetterConfig").text("TargetArn") or own.table("DeadLetterQueue").text("TargetArn")
    if dead:
        part.asynchronous["dead_letter"] = dead


def bounded(own: Properties, key: str) -> int | None:
    value, (least, most) = own.number(key), LIMITS[key]
    if value is not None and not least <= value <= most:
        raise own.error(key, f"expected a whole number from {least} to {most}, but got {value}.")
    return value


def environment(own: Properties) -> dict[str, str]:
    """Variables; those that are not known here are left to the shell and `.env`."""
    variables = own.table("Variables")
    own.unread()
    found = {}
    for name in variables:
        with variables.resolver.guesses() as guessed:
            value = variables.get(name)
        if value is not None:
            found[name] = variables.text(name)
        if value is not None and guessed:
            known = f"{', '.join(sorted(guessed))} gets its name from AWS; {name} is {found[name]!r} here."
            own.notes.once(variables.at(name), f"{known} Set {name} in .env, if it is to be another.")
    return found


def logging(own: Properties) -> dict[str, str]:
    """`LoggingConfig` → what Lambda tells runtimes of it."""
    own.skip("LogGroup")
    names = {"LogFormat": "AWS_LAMBDA_LOG_FORMAT", "ApplicationLogLevel": "AWS_LAMBDA_LOG_LEVEL"}
    own.skip("SystemLogLevel")
    return {name: own.text(key) for key, name in names.items() if key in own and own.text(key)}


def url(resource: Resource, stack: Stack) -> None:
    """`AWS::Lambda::Url`."""
    own = resource.properties
    own.skip("Qualifier")
    add_url(own.text("TargetFunctionArn"), own, resource, stack)


def add_url(function: str, own: Properties, resource: Resource, stack: Stack) -> None:
    """The URL of a function, configured by a `FunctionUrlConfig` or the like."""
    name = function_name(function)
    if own.text("InvokeMode") == "RESPONSE_STREAM" and name in stack.parts.functions:
        stack.parts.functions[name].stream = True
    entrance = EntrancePart(stack.id(f"{resource.id}/url"), "url", name, resource.place)
    if "Cors" in own:
        entrance.cors = cors(own.table("Cors"))
    stack.parts.entrances[entrance.id] = entrance
    signed = "AWS_IAM" if own.text("AuthType") == "AWS_IAM" else ""
    route = RoutePart(entrance.id, "ANY", "$default", function, resource.place, authorizer=signed)
    stack.parts.routes.append(route)


def cors(own: Properties) -> Cors:
    """Of a function URL and of an HTTP API: they have the same keys."""
    made = Cors(
        own.texts("AllowOrigins"),
        own.texts("AllowMethods"),
        own.texts("AllowHeaders"),
        own.texts("ExposeHeaders"),
        own.number("MaxAge"),
        own.flag("AllowCredentials"),
    )
    own.unread()
    return made


def layer(resource: Resource, stack: Stack) -> None:
    """`AWS::Lambda::LayerVersion` and `AWS::Serverless::LayerVersion`."""
    own = resource.properties
    own.skip(*"LayerName CompatibleRuntimes CompatibleArchitectures Description LicenseInfo RetentionPolicy".split())
    own.skip("PublishLambdaVersion")
    folder, name = code(resource, stack), stack.resolver.identity(resource.id).name
    if folder:
        stack.parts.layers[name] = folder
    else:
        stack.parts.layers_left_out.add(name)
        resource.place.note("its content is not in a folder here; the layer is left out.")


def event_invoke_config(resource: Resource, stack: Stack) -> None:
    """`AWS::Lambda::EventInvokeConfig`."""
    own = resource.properties
    own.skip("Qualifier")
    part = stack.parts.function(own.text("FunctionName"))
    asynchronous(own, part)


def asynchronous(own: Properties, part: FunctionPart | None) -> None:
    """Retries, age and destinations."""
    found: dict[str, object] = {}
    if (retries := own.number("MaximumRetryAttempts")) is not None:
        found["retries"] = retries
    if (age := own.number("MaximumEventAgeInSeconds")) is not None:
        found["max_age"] = float(age)
    destinations = own.table("DestinationConfig")
    for key, name in (("OnSuccess", "on_success"), ("OnFailure", "on_failure")):
        if key in destinations and (arn := destinations.table(key).text("Destination")):
            found[name] = arn
    own.unread()
    if part:
        part.asynchronous.update(found)
