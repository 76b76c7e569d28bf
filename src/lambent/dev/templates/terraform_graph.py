"""The resources of a Terraform plan, and what their arguments refer to. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from lambent.dev.templates.serverless_terms import table_of
from lambent.dev.templates.tables import Table

RESOURCE = re.compile(
    r"(?P<data>data\.)?(?P<type>[a-z][a-z0-9]*_[a-z0-9_]+)\.(?P<name>[\w-]+)(?P<index>\[[^\]]*\])?(?:\.(?P<rest>.*))?"
)
STEP = re.compile(r"\.?(module\.[\w-]+)(\[[^\]]*\])?")
MAX_STEPS = 50


@dataclass(frozen=True, slots=True, eq=False)
class Item:
    """A resource, or a data source, as it is planned."""

    address: str
    module: str
    """Its address; empty for the root."""
    type: str
    name: str
    index: object
    values: Table
    unknown: Table
    """True for what is known after the apply only."""
    is_data: bool


Target = tuple[Item, str]
"""A resource and an attribute."""


class Graph:
    """A plan, or a state, in which there are no expressions."""

    def __init__(self, plan: Table) -> None:
        self._configuration = table_of(table_of(plan, "configuration"), "root_module")
        self._variables = table_of(plan, "variables")
        unknown = {
            str(each.get("address")): table_of(table_of(each, "change"), "after_unknown")
            for each in listed(plan, "resource_changes")
        }
        values = plan.get("planned_values", plan.get("values"))
        self.items = list(items(table_of(values, "root_module"), "", unknown))
        prior = table_of(table_of(plan, "prior_state"), "values")
        known = {each.address for each in self.items}
        data = [
            each for each in items(table_of(prior, "root_module"), "", {}) if each.is_data and each.address not in known
        ]
        self.data = [*data, *(each for each in self.items if each.is_data)]
        self.items = [each for each in self.items if not each.is_data]
        self.by_id: dict[str, Target] = {}
        for item in self.items:
            for attribute in ("id", "arn", "invoke_arn", "root_resource_id"):
                if isinstance(value := item.values.get(attribute), str) and value:
                    self.by_id.setdefault(value, (item, attribute))

    def of_type(self, type: str) -> list[Item]:  # noqa: A002 - as Terraform calls it
        return [each for each in self.items if each.type == type]

    def is_unknown(self, item: Item, argument: str) -> bool:
        """Whether it has a value that is known after the apply only."""
        found: object = item.unknown
        for key in argument.split("."):
            found = found[0] if isinstance(found, list) and found else found
            found = found.get(key) if isinstance(found, Table) else None
        return found is True

    def targets(self, item: Item, argument: str) -> list[Target]:
        """The resources that an argument refers to, as far as the configuration says."""
        expressions = table_of(self._configured(item), "expressions")
        found: object = expressions
        for key in argument.split("."):
            found = found[0] if isinstance(found, list) and found else found
            found = found.get(key) if isinstance(found, Table) else None
        return list(dict.fromkeys(self._follow(found, item.module, item.index, 0)))

    def expression(self, item: Item, argument: str) -> object:
        """A constant of the configuration."""
        return table_of(table_of(self._configured(item), "expressions"), argument).get("constant_value")

    def _configured(self, item: Item) -> Table:
        mode = "data" if item.is_data else "managed"
        for each in listed(self._module(item.module), "resources"):
            if (each.get("mode"), each.get("type"), each.get("name")) == (mode, item.type, item.name):
                return each
        return Table()

    def _module(self, address: str) -> Table:
        module = self._configuration
        for step, _ in STEP.findall(address):
            module = table_of(table_of(table_of(module, "module_calls"), step.removeprefix("module.")), "module")
        return module

    def _follow(self, expression: object, module: str, index: object, steps: int) -> Iterator[Target]:
        """The resources behind an expression, or behind all in a list or block of them."""
        if steps > MAX_STEPS:
            return
        if isinstance(expression, list):
            for each in expression:
                yield from self._follow(each, module, index, steps + 1)
        elif isinstance(expression, Table) and isinstance(references := expression.get("references"), list):
            for reference in longest(references):
                yield from self._referred(reference, module, index, steps + 1)
        elif isinstance(expression, Table):
            for each in expression.values():
                yield from self._follow(each, module, index, steps + 1)

    def _referred(self, reference: str, module: str, index: object, steps: int) -> Iterator[Target]:
        if reference.startswith("var."):
            parent, _, call = module.rpartition("module.")
            name = re.match(r"[\w-]+", call)
            if name:
                calls = table_of(self._module(parent), "module_calls")
                expressions = table_of(table_of(calls, name[0]), "expressions")
                yield from self._follow(expressions.get(reference.split(".")[1]), parent.rstrip("."), index, steps)
        elif match := re.match(r"module\.([\w-]+)(\[[^\]]*\])?\.([\w-]+)", reference):
            inner = joined(module, f"module.{match[1]}")
            output = table_of(table_of(self._module(inner), "outputs"), match[3])
            yield from self._follow(output.get("expression"), f"{inner}{match[2] or ''}", index, steps)
        elif match := RESOURCE.fullmatch(reference):
            item = self._item(match, module, index)
            if item:
                yield item, (match["rest"] or "").split(".")[0].split("[")[0]

    def _item(self, match: re.Match[str], module: str, index: object) -> Item | None:
        where = self.data if match["data"] else self.items
        found = [
            each
            for each in where
            if (each.type, each.name) == (match["type"], match["name"]) and bare(each.module) == bare(module)
        ]
        if match["index"]:
            key = match["index"][1:-1].strip('"')
            found = [each for each in found if str(each.index) == key] or found
        same = [each for each in found if each.index == index]
        if same or len(found) == 1 or match["index"]:
            return next(iter(same or found), None)
        return None


def items(module: Table, address: str, unknown: dict[str, Table]) -> Iterator[Item]:
    """Those of a module and of the modules within it."""
    for each in listed(module, "resources"):
        own = str(each.get("address"))
        yield Item(
            own,
            address,
            str(each.get("type")),
            str(each.get("name")),
            each.get("index"),
            table_of(each, "values"),
            unknown.get(own, Table()),
            each.get("mode") == "data",
        )
    for child in listed(module, "child_modules"):
        yield from items(child, str(child.get("address")), unknown)


def listed(table: Table, key: str) -> list[Table]:
    found = table.get(key)
    return [each for each in found if isinstance(each, Table)] if isinstance(found, list) else []


def longest(references: list[object]) -> list[str]:
    """Terraform lists `a.b.arn` and then `a.b`: only the first says all."""
    texts = [each for each in references if isinstance(each, str)]
    return [
        each
        for each in texts
        if not any(other != each and other.startswith((f"{each}.", f"{each}[")) for other in texts)
    ]


def bare(address: str) -> str:
    """Without indexes."""
    return re.sub(r"\[[^\]]*\]", "", address)


def joined(module: str, step: str) -> str:
    return f"{module}.{step}" if module else step
