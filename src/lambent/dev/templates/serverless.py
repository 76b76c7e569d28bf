"""`serverless.yml` of the Serverless Framework → a SAM template. Pure.

Source: serverless.com/framework/docs, "Serverless.yml Reference", "Functions", "Layers".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from lambent.dev.templates import serverless_events
from lambent.dev.templates.serverless_terms import Context, attribute, flag, logical, normal, table_of
from lambent.dev.templates.serverless_variables import Variables, as_text, is_missing
from lambent.dev.templates.tables import Notes, Table

TOP = """service frameworkVersion provider functions resources custom plugins package layers useDotenv app org
    params stages configValidationMode deprecationNotificationMode outputs build console licenseKey dashboard
    variablesResolutionMode disabledDeprecations state tenant projectDir""".split()
PROVIDER = """name runtime stage region environment timeout memorySize httpApi apiGateway layers architecture
    profile deploymentBucket deploymentPrefix deploymentMethod stackName stackTags stackParameters stackPolicy
    tags iam role iamRoleStatements vpc logs logRetentionInDays tracing versionFunctions lambdaHashingVersion
    endpointType disableRollback rolePermissionsBoundary kmsKeyArn ecr apiName websocketsApiName
    websocketsApiRouteSelectionExpression websocketsDescription cfnRole
    notificationArns rollbackConfiguration resourcePolicy
    usagePlan apiKeys alb eventBridge s3 cloudFront websocket runtimeManagement buildOptions resolver
    logDataProtectionPolicy""".split()
BUILT = r"(^|/)dist/[^/]+\.zip$"
"""Where `lambent build` puts archives."""
QUIET_PLUGINS = ("serverless-offline", "serverless-python-requirements", "serverless-dotenv-plugin")

SAME = {
    "handler": "Handler",
    "runtime": "Runtime",
    "timeout": "Timeout",
    "memorySize": "MemorySize",
    "layers": "Layers",
    "reservedConcurrency": "ReservedConcurrentExecutions",
}
SILENT = """name description tags role iamRoleStatements iamRoleStatementsName iamRoleStatementsInherit package
    versionFunction architecture vpc tracing kmsKeyArn condition dependsOn disableLogs logRetentionInDays
    awsKmsKeyArn runtimeManagement events environment url module destinations maximumRetryAttempts maximumEventAge
    onError snapStart logs image memory capacityProvider logDataProtectionPolicy build""".split()
"""Keys of a function that are read one by one, or that say nothing about how code runs."""


class Service(NamedTuple):
    """What a file is about, as a whole."""

    template: Table
    name: str
    """Of its stack."""
    region: str


def read(document: Table, variables: Variables, notes: Notes, options: Mapping[str, str], region: str) -> Service:
    """`ConfigurationError` points at what is wrong."""
    stage = variables.resolved(table_of(document, "provider").get("stage"))
    stage = options.get("stage") or (stage if isinstance(stage, str) else "dev")
    variables.set("sls:stage", stage)
    own = variables.resolved(table_of(document, "provider").get("region"))
    region = options.get("region") or (own if isinstance(own, str) else region)
    variables.set("aws:region", region)
    provider = document.get("provider")
    name = variables.resolved(provider.get("name", "aws") if isinstance(provider, Table) else provider or "aws")
    if name != "aws":
        line = provider.at("name") if isinstance(provider, Table) else document.at("provider")
        raise notes.error(line, f"provider.name: expected aws, but got {name!r}.")
    translation = Translation(variables.table(document), notes, stage)
    return Service(translation.template(), translation.stack, region)


class Translation:
    """A document without variables, being translated."""

    def __init__(self, document: Table, notes: Notes, stage: str) -> None:
        self._document = document
        self._notes = notes
        self._stage = stage
        service = document.get("service")
        name = service.get("name") if isinstance(service, Table) else service
        if not isinstance(name, str):
            raise notes.error(document.at("service") or 1, "service: expected the name of the service.")
        self.stack = f"{name}-{stage}"
        self._provider = table_of(document, "provider")
        self._resources = Table()
        self._context = Context(self._provider, self._resources, notes, stage)

    def template(self) -> Table:
        self._tell()
        template = self._given()
        for name, layer in table_of(self._document, "layers").items():
            if isinstance(layer, Table):
                content = Table({"ContentUri": layer.get("path")}, layer.line, {"ContentUri": layer.at("path")})
                self._add(f"{normal(name)}LambdaLayer", "AWS::Serverless::LayerVersion", content)
        serverless_events.entrances(self._context)
        for name, function in self._functions().items():
            if not isinstance(function, Table):
                raise self._notes.error(self._document.at("functions"), f"functions.{name}: expected a table.")
            self._function(name, function)
        self._resources.update(table_of(template, "Resources"))
        self._resources.lines.update(table_of(template, "Resources").lines)
        return Table({**template, "Resources": self._resources}, 1)

    def _tell(self) -> None:
        for key in self._document.keys() - TOP:
            self._notes.add(self._document.at(key), f"{key}: it has no effect here.")
        for key in self._provider.keys() - PROVIDER:
            self._notes.add(self._provider.at(key), f"provider.{key}: it has no effect here.")
        plugins = self._document.get("plugins")
        plugins = plugins.get("modules") if isinstance(plugins, Table) else plugins
        for plugin in plugins if isinstance(plugins, list) else []:
            if plugin not in QUIET_PLUGINS:
                self._notes.add(self._document.at("plugins"), f"plugins: {as_text(plugin)} is not run here.")

    def _given(self) -> Table:
        """`resources`: CloudFormation of the user's own, in one piece or several."""
        found = self._document.get("resources")
        merged = Table()
        for each in found if isinstance(found, list) else [found]:
            if isinstance(each, Table) and is_missing(each):
                self._notes.add(self._document.at("resources"), f"resources: {next(iter(each.values()))}; left out.")
            elif isinstance(each, Table):
                for key, value in each.items():
                    put(merged, key, together(merged.get(key), value), each.at(key))
        if "extensions" in merged:
            self._notes.add(merged.at("extensions"), "resources.extensions: it has no effect here.")
        return merged

    def _functions(self) -> Table:
        """A table, or a list of them."""
        found = self._document.get("functions")
        merged = Table()
        for each in found if isinstance(found, list) else [found]:
            if isinstance(each, Table) and is_missing(each):
                self._notes.add(self._document.at("functions"), f"functions: {next(iter(each.values()))}; left out.")
            elif isinstance(each, Table):
                merged.update(each)
                merged.lines.update({key: each.at(key) for key in each})
            elif each is not None:
                raise self._notes.error(self._document.at("functions"), "functions: expected a table.")
        return merged

    def _function(self, name: str, own: Table) -> None:
        provider, made = self._provider, Table(line=own.line)
        for key, theirs in SAME.items():
            source = own if key in own else provider
            if key in source and not (key == "layers" and source is provider and "layers" in own):
                put(made, theirs, source[key], source.at(key))
        made.setdefault("Timeout", 6)
        made.setdefault("MemorySize", 1024)
        put(made, "FunctionName", own.get("name", f"{self.stack}-{name}"), own.at("name"))
        put(made, "CodeUri", self._code(own), own.at("module"))
        put(made, "Environment", self._environment(own), own.at("environment"))
        if architecture := own.get("architecture", provider.get("architecture")):
            put(made, "Architectures", [architecture], own.at("architecture"))
        if "image" in own:
            put(made, "PackageType", "Image", own.at("image"))
        if flag(own.get("snapStart")):
            put(made, "SnapStart", Table({"ApplyOn": "PublishedVersions"}), own.at("snapStart"))
        if "onError" in own:
            put(made, "DeadLetterQueue", Table({"TargetArn": own["onError"]}), own.at("onError"))
        put(made, "EventInvokeConfig", self._asynchronous(own), own.line)
        if (logs := own.get("logs") or table_of(provider, "logs").get("lambda")) and isinstance(logs, Table):
            keys = {"logFormat": "LogFormat", "applicationLogLevel": "ApplicationLogLevel"}
            put(
                made,
                "LoggingConfig",
                Table({theirs: logs[key] for key, theirs in keys.items() if key in logs}),
                own.line,
            )
        if url := own.get("url"):
            put(made, "FunctionUrlConfig", serverless_events.url(url), own.at("url"))
        put(made, "Events", serverless_events.events(own, logical(name), self._context), own.at("events"))
        for key in own.keys() - SAME.keys() - set(SILENT):
            put(made, key, own[key], own.at(key))
        self._add(logical(name), "AWS::Serverless::Function", made, own.get("condition"))

    def _code(self, own: Table) -> object:
        """A folder, or an archive that `lambent build` makes."""
        package = table_of(own, "package") if "package" in own else table_of(self._document, "package")
        archive = package.get("artifact")
        return archive if isinstance(archive, str) and re.search(BUILT, archive) else own.get("module", ".")

    def _environment(self, own: Table) -> Table:
        theirs, mine = table_of(self._provider, "environment"), table_of(own, "environment")
        lines = {**{key: theirs.at(key) for key in theirs}, **{key: mine.at(key) for key in mine}}
        return Table({"Variables": Table({**theirs, **mine}, own.line, lines)}, own.line)

    def _asynchronous(self, own: Table) -> Table:
        made = Table(line=own.line)
        for key, theirs in (
            ("maximumRetryAttempts", "MaximumRetryAttempts"),
            ("maximumEventAge", "MaximumEventAgeInSeconds"),
        ):
            if key in own:
                put(made, theirs, own[key], own.at(key))
        destinations = table_of(own, "destinations")
        config = Table(line=destinations.line)
        for key, theirs in (("onSuccess", "OnSuccess"), ("onFailure", "OnFailure")):
            if key in destinations:
                aim = destinations[key]
                aim = aim.get("arn") if isinstance(aim, Table) and "arn" in aim else aim
                aim = attribute(logical(aim)) if isinstance(aim, str) and aim in self._functions() else aim
                put(config, theirs, Table({"Destination": aim}), destinations.at(key))
        if config:
            made["DestinationConfig"] = config
        return made

    def _add(self, name: str, kind: str, properties: Table, condition: object = None) -> None:
        resource = Table({"Type": kind, "Properties": properties}, properties.line)
        if condition is not None:
            resource["Condition"] = condition
        self._resources[name] = resource
        self._resources.lines[name] = properties.line


def together(before: object, value: object) -> object:
    """Of two tables one."""
    if isinstance(before, Table) and isinstance(value, Table):
        return Table({**before, **value}, before.line, {**before.lines, **value.lines})
    return value


def put(table: Table, key: str, value: object, line: int) -> None:
    """Unless there is nothing in it."""
    if value is not None and value != {}:
        table[key] = value
        table.lines[key] = line
