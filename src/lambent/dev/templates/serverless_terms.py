"""What the parts of a `serverless.yml` are called in CloudFormation, and what its events have in common. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from lambent.dev.templates.tables import Notes, Table

Event = tuple[str, Table]
"""Type and properties, as SAM has them."""


@dataclass
class Context:
    """What events share."""

    provider: Table
    resources: Table
    """Takes the resources that events bring."""
    notes: Notes
    stage: str
    rest_authorizers: Table = field(default_factory=Table)

    def add(self, name: str, type: str, properties: Table) -> None:  # noqa: A002 - as CloudFormation calls it
        self.resources[name] = Table({"Type": type, "Properties": properties}, properties.line)
        self.resources.lines[name] = properties.line


def table_of(table: object, key: str) -> Table:
    """A table within another one; an empty one if there is none."""
    found = table.get(key) if isinstance(table, Table) else None
    return found if isinstance(found, Table) else Table()


def flag(value: object) -> bool:
    return value is True or value == "true"


def normal(name: str) -> str:
    """A name as it is part of logical ids."""
    name = name.replace("-", "Dash").replace("_", "Underscore")
    return name[:1].upper() + name[1:]


def logical(name: str) -> str:
    """The logical id of a function."""
    return f"{normal(name)}LambdaFunction"


def attribute(name: str) -> Table:
    """The ARN of a resource."""
    return Table({"Fn::GetAtt": [name, "Arn"]})


def renamed(table: Table, names: dict[str, str]) -> Table:
    """With other keys; those without one remain, and will be told of as unread."""
    pairs = ((names.get(key, key), value) for key, value in table.items())
    return Table(pairs, table.line, {names.get(key, key): table.at(key) for key in table})


def function_of(own: Table) -> object:
    """The function of an authorizer: one of the service, or an ARN."""
    name = own.get("functionName", own.get("name"))
    arn = own.get("functionArn", own.get("arn"))
    return arn if arn is not None else attribute(logical(name)) if isinstance(name, str) else name


@dataclass(frozen=True)
class Given:
    """Around one event."""

    context: Context
    function: str
    """Its logical id."""
    line: int
    number: int
