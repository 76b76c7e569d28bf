"""A plan or a state of Terraform, as `terraform show -json` writes it → a CloudFormation template. Pure.

What a plan does not know yet is followed through the configuration: `integration_uri` that is known after the apply
still says that it refers to `aws_lambda_function.api`.

Source: developer.hashicorp.com/terraform/internals/json-format.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from lambent.dev.templates import terraform_code
from lambent.dev.templates.intrinsics import UNKNOWN
from lambent.dev.templates.serverless_terms import table_of
from lambent.dev.templates.tables import Notes, Table
from lambent.dev.templates.terraform_graph import Graph, Item
from lambent.dev.templates.terraform_types import KINDS, NESTED_REFERENCES, OF_NO_CONSEQUENCE, camel, ours

LATER = "it is known once Terraform has applied the plan"
ARN = ("arn", "invoke_arn", "qualified_arn", "response_streaming_invoke_arn")


class Translated(NamedTuple):
    """A template, and names of resources that have none of their own in it."""

    template: Table
    names: dict[str, str]


def read(plan: Table, notes: Notes) -> Translated:
    """`ConfigurationError` if it is neither a plan nor a state that is understood here."""
    version = plan.get("format_version")
    if not isinstance(version, str) or not re.match(r"[01]\.", version):
        raise notes.error(0, f"expected the format version 1 of Terraform's JSON, but got {version!r}.")
    if not isinstance(plan.get("planned_values", plan.get("values")), Table):
        raise notes.error(0, "expected a plan with planned_values, or a state with values, but there are none.")
    translation = Translation(Graph(plan))
    resources = dict(translation.resources())
    translation.tell(notes)
    names = {item.address: short(item) for item in translation.graph.items}
    return Translated(Table({"Resources": Table(resources)}), names)


def short(item: Item) -> str:
    """`module.shop.aws_lambda_function.api["x"]` → `api-x`, within a module `shop-api-x`."""
    modules = re.findall(r"module\.([A-Za-z0-9_-]+)", item.module)
    name = [*modules, item.name] if item.name in ("this", "main", "default") and modules else [item.name]
    return re.sub(r"[^A-Za-z0-9_-]+", "-", "-".join([*name, *([str(item.index)] if item.index is not None else [])]))


class Translation:
    """Resources on their way."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self._others: dict[str, list[str]] = {}

    def resources(self) -> Iterator[tuple[str, Table]]:
        for item in self.graph.items:
            kind = KINDS.get(item.type)
            if kind and kind.type:
                properties = self.properties(item)
                if complete := COMPLETE.get(item.type):
                    complete(self, item, properties)
                yield item.address, Table({"Type": kind.type, "Properties": properties})
            elif not kind and item.type.startswith("aws_") and not item.type.startswith(OF_NO_CONSEQUENCE):
                self._others.setdefault(item.type, []).append(item.address)

    def tell(self, notes: Notes) -> None:
        if self._others:
            listed = ", ".join(each for addresses in self._others.values() for each in addresses)
            notes.add(0, f"not made here: {listed}.")

    def properties(self, item: Item) -> Table:
        """The arguments of a resource, in CloudFormation's words."""
        kind, made = KINDS[item.type], Table()
        for theirs, own in ours(kind.arguments).items():
            value = item.values.get(theirs)
            if value not in (None, "", [], {}):
                made[own] = converted(value, theirs)
            elif item.unknown.get(theirs) is True:
                made[own] = Table({UNKNOWN: LATER})
        for theirs, own in ours(kind.blocks).items():
            if (block := first(item.values.get(theirs))) is not None:
                made[own] = self._block(item, theirs, block, first(item.unknown.get(theirs)))
        for theirs, own in ours(kind.references).items():
            if (value := self.reference(item, theirs)) is not None:
                made[own] = value
        return made

    def _block(self, item: Item, name: str, block: Table, unknown: Table | None) -> Table:
        made = Table()
        for key, value in block.items():
            road, inner = f"{name}.{key}", first(value)
            if road in NESTED_REFERENCES.get(item.type, ()):
                value = self.reference(item, road, value)  # noqa: PLW2901
            elif inner is not None and key != "variables":
                value = self._block(item, road, inner, first(table_of(unknown, key)))  # noqa: PLW2901
            if value not in (None, [], ""):
                made[camel(key)] = converted(value, key)
        for road in NESTED_REFERENCES.get(item.type, ()):
            before, _, key = road.rpartition(".")
            if before == name and camel(key) not in made and (found := self.reference(item, road)) is not None:
                made[camel(key)] = found
        self._unknown_parts(made, unknown)
        return made

    def _unknown_parts(self, made: Table, unknown: Table | None) -> None:
        """What a block has that is not known yet: a variable of an environment, say."""
        for key, value in (unknown or {}).items():
            own = made.get(camel(key))
            if value is True:
                made.setdefault(camel(key), Table({UNKNOWN: LATER}))
            elif isinstance(value, Table):
                inner = own if isinstance(own, Table) else Table()
                for name, is_unknown in value.items():
                    if is_unknown is True and inner.get(name) is None:
                        inner[name] = Table({UNKNOWN: LATER})
                if inner:
                    made[camel(key)] = inner

    def reference(self, item: Item, argument: str, known: object = None) -> object:
        """What an argument refers to, as CloudFormation writes it; the value itself, if it is of no resource here."""
        value = known if known is not None else item.values.get(argument)
        if isinstance(value, list):
            found = [self._meant(each) for each in value if each is not None]
            return found or [self._pointer(each, "arn") for each, _ in self.graph.targets(item, argument)] or None
        if isinstance(value, str) and value:
            return self._meant(value)
        targets = self.graph.targets(item, argument)
        if targets:
            target, attribute = targets[0]
            return self._pointer(target, attribute)
        return Table({UNKNOWN: LATER}) if self.graph.is_unknown(item, argument) else None

    def _meant(self, value: object) -> object:
        """An id that a resource here has: that resource."""
        if not isinstance(value, str):
            return value
        found = self.graph.by_id.get(value.removeprefix("integrations/"))
        return self._pointer(found[0], found[1]) if found else value

    def _pointer(self, target: Item, attribute: str) -> Table:
        if attribute == "root_resource_id":
            return Table({"Fn::GetAtt": [target.address, "RootResourceId"]})
        whole = attribute in ARN and target.type != "aws_lambda_alias"
        arn = whole and KINDS.get(target.type) is not None and not target.type.startswith(("aws_lb", "aws_alb"))
        return Table({"Fn::GetAtt": [target.address, "Arn"]} if arn else {"Ref": target.address})

    def same(self, first_item: Item, argument: str, second: Item, other: str) -> bool:
        """Whether two arguments are the same, or refer to the same resource."""
        one, two = self.reference(first_item, argument), self.reference(second, other)
        return one is not None and one == two


def first(value: object) -> Table | None:
    """The one block of a list of blocks."""
    if isinstance(value, list):
        value = value[0] if value else None
    return value if isinstance(value, Table) else None


def converted(value: object, name: str) -> object:
    if name == "reserved_concurrent_executions" and value == -1:
        return None
    return value


def function(translation: Translation, item: Item, made: Table) -> None:
    """Its code: the folder that its archive is made of, or else the archive."""
    folder = terraform_code.folder(translation.graph, item) or item.values.get("filename")
    if isinstance(folder, str):
        made["Code"] = folder


def layer(translation: Translation, item: Item, made: Table) -> None:
    folder = terraform_code.folder(translation.graph, item)
    if folder is not None:
        made["Content"] = folder


def method(translation: Translation, item: Item, made: Table) -> None:
    """With its integration, and what that answers by itself."""
    for other in translation.graph.of_type("aws_api_gateway_integration"):
        if is_of_method(translation, item, other):
            own = translation.properties(other)
            answers = [
                Table({"ResponseParameters": parameters})
                for each in translation.graph.of_type("aws_api_gateway_integration_response")
                if is_of_method(translation, item, each)
                and isinstance(parameters := each.values.get("response_parameters"), Table)
            ]
            keys = ("Type", "Uri", "TimeoutInMillis", "ResponseTransferMode")
            made["Integration"] = Table(
                {key: own[key] for key in keys if key in own} | {"IntegrationResponses": answers}
            )


def is_of_method(translation: Translation, item: Item, other: Item) -> bool:
    return (
        translation.same(item, "resource_id", other, "resource_id")
        and translation.same(item, "rest_api_id", other, "rest_api_id")
        and other.values.get("http_method") in (None, item.values.get("http_method"))
    )


def rule(translation: Translation, item: Item, made: Table) -> None:
    """With its targets."""
    if item.values.get("is_enabled") is False:
        made["State"] = "DISABLED"
    targets: list[object] = []
    for other in translation.graph.of_type("aws_cloudwatch_event_target"):
        named = other.values.get("rule")
        found = translation.graph.targets(other, "rule")
        if named in (item.values.get("name"), item.address) if named else any(each is item for each, _ in found):
            own = translation.properties(other)
            own.pop("Rule", None)
            targets.append(own)
    made["Targets"] = targets


def target_group(translation: Translation, item: Item, made: Table) -> None:
    if item.values.get("lambda_multi_value_headers_enabled") is True:
        made["TargetGroupAttributes"] = [Table({"Key": "lambda.multi_value_headers.enabled", "Value": "true"})]
    kinds = ("aws_lb_target_group_attachment", "aws_alb_target_group_attachment")
    made["Targets"] = [
        translation.properties(other)
        for kind in kinds
        for other in translation.graph.of_type(kind)
        if any(found is item for found, _ in translation.graph.targets(other, "target_group_arn"))
    ]


def listener(translation: Translation, item: Item, made: Table) -> None:
    """A rule, or the default of a listener."""
    argument, own = ("action", "Actions") if "rule" in item.type else ("default_action", "DefaultActions")
    groups = [translation._pointer(each, "") for each, _ in translation.graph.targets(item, argument)]  # noqa: SLF001
    made[own] = [Table({"TargetGroupArn": each}) for each in groups[:1]]
    conditions: list[object] = []
    blocks = item.values.get("condition")
    for block in blocks if isinstance(blocks, list) else []:
        for key, value in block.items() if isinstance(block, Table) else ():
            if (inner := first(value)) is not None:
                name = {"path_pattern": "path-pattern", "host_header": "host-header"}.get(key, key.replace("_", "-"))
                name = "http-request-method" if key == "http_request_method" else name
                conditions.append(Table({"Field": name, "Values": inner.get("values")}))
    if conditions:
        made["Conditions"] = conditions


COMPLETE = {
    "aws_lambda_function": function,
    "aws_lambda_layer_version": layer,
    "aws_api_gateway_method": method,
    "aws_cloudwatch_event_rule": rule,
    "aws_lb_target_group": target_group,
    "aws_alb_target_group": target_group,
    "aws_lb_listener_rule": listener,
    "aws_alb_listener_rule": listener,
    "aws_lb_listener": listener,
    "aws_alb_listener": listener,
}
