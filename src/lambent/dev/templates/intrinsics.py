"""CloudFormation's intrinsic functions, as far as their values are known before AWS makes anything. Pure.

Source: AWS CloudFormation Template Reference Guide, "Intrinsic functions", "Pseudo parameters", "Conditions".
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from lambent.dev.templates.identities import HERE, NAMED_BY, Identity
from lambent.dev.templates.tables import Notes, Table

VARIABLE = re.compile(r"\$\{(!?)([^}]*)\}")
DYNAMIC = re.compile(r"\{\{resolve:[^}]*\}\}")
LISTS = ("CommaDelimitedList", "List<")
KEYS = ("Ref", "Condition")
LIMIT = 1_000_000
"""Characters of a text that functions build up."""


class Unresolved(Exception):
    """A value that is not known here, and why."""


class Absent:
    """`AWS::NoValue`."""


NO_VALUE = Absent()


def is_function(value: object) -> bool:
    """Whether a value stands for another one."""
    if not isinstance(value, dict) or len(value) != 1:
        return False
    (key,) = value
    return key in KEYS or key.startswith("Fn::")


class Resolver:
    """The values of one template.

    - `pseudo`: `AWS::Region` and so on
    - `given`: parameters in place of their defaults
    - `names`: of resources that the template does not name
    - `exported`: what another stack exports under a name; Unresolved if none does
    - `guessed`: takes the logical ids of resources whose names AWS makes up, and that somebody has asked for
    """

    def __init__(
        self,
        template: Table,
        notes: Notes,
        *,
        pseudo: Mapping[str, str],
        given: Mapping[str, str],
        names: Mapping[str, str],
        exported: Callable[[str], object],
        guessed: set[str],
    ) -> None:
        self._parameters = section(template, "Parameters", notes)
        self._mappings = section(template, "Mappings", notes)
        self._conditions = section(template, "Conditions", notes)
        self._resources = section(template, "Resources", notes)
        self._notes = notes
        self._pseudo = pseudo
        self._given = given
        self._names = names
        self._exported = exported
        self._open: list[str] = []
        self._known: dict[str, str | None] = {}
        self._met: dict[str, bool] = {}
        self._guessed = guessed

    def resolve(self, value: object) -> object:
        """With every function in it resolved; `NO_VALUE` and the keys that have it left out. Raises Unresolved."""
        value = self.shallow(value)
        if isinstance(value, list):
            return [each for each in map(self.resolve, value) if each is not NO_VALUE]
        if isinstance(value, dict):
            made = ((key, self.resolve(each)) for key, each in value.items())
            return Table(((key, each) for key, each in made if each is not NO_VALUE), getattr(value, "line", 0))
        if isinstance(value, str) and (found := DYNAMIC.search(value)):
            raise Unresolved(f"{found[0]} is known on AWS only")
        return value

    def shallow(self, value: object) -> object:
        """The value itself, whatever is within it."""
        if not isinstance(value, dict) or not is_function(value):
            return value
        ((key, argument),) = value.items()
        function = FUNCTIONS.get(key)
        if function is None:
            raise Unresolved(f"{key} is not understood here")
        try:
            return function(self, argument)
        except (TypeError, ValueError, IndexError, KeyError, AttributeError) as error:
            line = value.at(key) if isinstance(value, Table) else 0
            raise self._notes.error(line, f"{key} cannot be read: {error}.") from None

    def condition(self, name: object) -> bool:
        if not isinstance(name, str) or name not in self._conditions:
            raise ValueError(f"there is no condition {name!r}")
        if name not in self._met:
            with self._within(f"Condition {name}", self._conditions.at(name)):
                self._met[name] = self._truth(self._conditions[name])
        return self._met[name]

    def text(self, value: object) -> str:
        """A resolved scalar, as CloudFormation writes it."""
        value = self.resolve(value)
        if isinstance(value, str):
            return value
        if value is None or isinstance(value, (list, dict)):
            raise ValueError("expected a text")
        return json.dumps(value)

    def ref(self, name: object) -> object:
        if not isinstance(name, str):
            raise TypeError("expected the name of a parameter or a resource")
        if name == "AWS::NoValue":
            return NO_VALUE
        if name in self._pseudo:
            return self._pseudo[name]
        if name in self._parameters:
            return self._parameter(name)
        if name in self._resources:
            return self._ref_of_resource(name)
        if name.startswith("AWS::"):
            raise Unresolved(f"{name} is known on AWS only")
        raise Unresolved(f"there is no parameter and no resource {name}")

    def attribute(self, argument: object) -> object:
        if isinstance(argument, str):
            argument = argument.split(".", 1)
        if not isinstance(argument, list) or len(argument) != 2:
            raise ValueError("expected a resource and an attribute")
        name, attribute = argument[0], self.text(argument[1])
        if name not in self._resources:
            raise Unresolved(f"there is no resource {name}")
        found = self.identity(name).attribute(attribute)
        if found is None:
            raise Unresolved(f"{attribute} of {name} is known once AWS has made it")
        return found

    def identity(self, id: str) -> Identity:  # noqa: A002 - a logical id is called so
        """A resource as others name it."""
        resource = self._resources[id]
        kind = str(resource.get("Type")) if isinstance(resource, dict) else ""
        if id not in self._known:
            with self._within(id, self._resources.at(id)):
                self._known[id] = self._name(kind, resource)
        name = self._known[id]
        if name is None:
            name = self._names.get(id, id)
            if kind not in HERE:
                self._guessed.add(id)
        own = (self._pseudo[f"AWS::{key}"] for key in ("Partition", "Region", "AccountId"))
        return Identity(id, kind, name, *own)

    def _name(self, kind: str, resource: object) -> str | None:
        properties = resource.get("Properties") if isinstance(resource, dict) else None
        value = properties.get(NAMED_BY.get(kind, "")) if isinstance(properties, dict) else None
        if value is None:
            return None
        try:
            return self.text(value)
        except (Unresolved, ValueError, TypeError):
            return None

    def _ref_of_resource(self, name: str) -> object:
        resource = self._resources[name]
        kind = resource.get("Type") if isinstance(resource, dict) else None
        properties = resource.get("Properties") if isinstance(resource, dict) else None
        if kind in ("AWS::Lambda::Alias", "AWS::Lambda::Version") and isinstance(properties, dict):
            with self._within(name, self._resources.at(name)):
                function = self.text(properties.get("FunctionName"))
                alias = self.text(properties.get("Name", "$LATEST"))
            own = self.identity(name)
            arn = f"arn:{own.partition}:lambda:{own.region}:{own.account}:function:{function}"
            return f"{function if function.startswith('arn:') else arn}:{alias}"
        return self.identity(name).ref()

    def _parameter(self, name: str) -> object:
        parameter = self._parameters[name]
        table = parameter if isinstance(parameter, dict) else {}
        kind = str(table.get("Type", "String"))
        if name in self._given:
            value: object = self._given[name]
        elif kind.startswith("AWS::SSM::Parameter::Value"):
            raise Unresolved(f"the parameter {name} is kept in AWS: --parameter {name}=VALUE sets it")
        elif "Default" not in table:
            raise Unresolved(f"the parameter {name} has no default: --parameter {name}=VALUE sets it")
        else:
            value = table["Default"]
        if kind.startswith(LISTS) and isinstance(value, str):
            return [each.strip() for each in value.split(",")]
        return value

    def substitute(self, argument: object) -> str:
        """`Fn::Sub`."""
        text, own = argument if isinstance(argument, list) else (argument, {})
        if not isinstance(text, str) or not isinstance(own, dict):
            raise TypeError("expected a text, or a list of a text and a table")

        def value(match: re.Match[str]) -> str:
            name = match[2].strip()
            if match[1]:
                return f"${{{match[2]}}}"
            if name in own:
                return self.text(own[name])
            return self.text(self.attribute(name) if "." in name else self.ref(name))

        return bounded(VARIABLE.sub(value, text))

    def joined(self, argument: object) -> str:
        separator, values = pair(argument)
        values = self.resolve(values)
        if not isinstance(values, list):
            raise TypeError("expected a separator and a list")
        return bounded(str(separator).join(map(self.text, values)))

    def select(self, argument: object) -> object:
        index, values = pair(argument)
        values = self.shallow(values)
        if not isinstance(values, list):
            raise TypeError("expected an index and a list")
        return self.resolve(values[int(self.text(index))])

    def split(self, argument: object) -> list[str]:
        separator, value = pair(argument)
        return self.text(value).split(str(separator))

    def find_in_map(self, argument: object) -> object:
        if not isinstance(argument, list) or len(argument) not in (3, 4):
            raise ValueError("expected a mapping and two keys")
        keys = [self.text(each) for each in argument[:3]]
        found: object = self._mappings
        for key in keys:
            found = found.get(key) if isinstance(found, dict) else None
        if found is None and len(argument) == 4 and isinstance(argument[3], dict):
            return self.resolve(argument[3].get("DefaultValue"))
        if found is None:
            raise ValueError(f"there is no {'.'.join(keys)} in Mappings")
        return found

    def choose(self, argument: object) -> object:
        name, yes, no = items(argument)
        return self.shallow(yes if self.condition(name) else no)

    def imported(self, argument: object) -> object:
        return self._exported(self.text(argument))

    def length(self, argument: object) -> int:
        value = self.resolve(argument)
        if not isinstance(value, list):
            raise TypeError("expected a list")
        return len(value)

    def _truth(self, value: object) -> bool:
        value = self.shallow(value)
        if isinstance(value, bool):
            return value
        if value in ("true", "false"):
            return value == "true"
        raise ValueError("expected a condition")

    def all_of(self, argument: object) -> bool:
        return all(self._truth(each) for each in items(argument))

    def any_of(self, argument: object) -> bool:
        return any(self._truth(each) for each in items(argument))

    def negated(self, argument: object) -> bool:
        (value,) = items(argument)
        return not self._truth(value)

    def equal(self, argument: object) -> bool:
        first, second = pair(argument)
        return self.text(first) == self.text(second)

    @contextmanager
    def guesses(self) -> Iterator[set[str]]:
        """What was guessed within."""
        before = set(self._guessed)
        self._guessed.clear()
        found: set[str] = set()
        yield found
        found |= self._guessed
        self._guessed |= before

    @contextmanager
    def _within(self, name: str, line: int) -> Iterator[None]:
        if name in self._open:
            road = " → ".join([*self._open[self._open.index(name) :], name])
            raise self._notes.error(line, f"expected values that do not refer to themselves, but got {road}.")
        self._open.append(name)
        try:
            yield
        finally:
            self._open.pop()


def unknown(_resolver: Resolver, reason: object) -> object:
    """What the translation from another tool's file could not resolve."""
    raise Unresolved(str(reason))


UNKNOWN = "Fn::Unknown"
FUNCTIONS: Mapping[str, Callable[[Resolver, object], object]] = {
    UNKNOWN: unknown,
    "Ref": Resolver.ref,
    "Condition": Resolver.condition,
    "Fn::And": Resolver.all_of,
    "Fn::Base64": lambda resolver, value: base64.b64encode(resolver.text(value).encode()).decode(),
    "Fn::Equals": Resolver.equal,
    "Fn::FindInMap": Resolver.find_in_map,
    "Fn::GetAtt": Resolver.attribute,
    "Fn::If": Resolver.choose,
    "Fn::ImportValue": Resolver.imported,
    "Fn::Join": Resolver.joined,
    "Fn::Length": Resolver.length,
    "Fn::Not": Resolver.negated,
    "Fn::Or": Resolver.any_of,
    "Fn::Select": Resolver.select,
    "Fn::Split": Resolver.split,
    "Fn::Sub": Resolver.substitute,
    "Fn::ToJsonString": lambda resolver, value: json.dumps(resolver.resolve(value), separators=(",", ":")),
}


def section(template: Table, name: str, notes: Notes) -> Table:
    """A table at the top of a template; empty if there is none."""
    found = template.get(name)
    if found is None:
        return Table()
    if not isinstance(found, Table):
        raise notes.error(template.at(name), f"{name}: expected a table.")
    return found


def items(value: object) -> list[object]:
    if not isinstance(value, list):
        raise TypeError("expected a list")
    return value


def pair(value: object) -> tuple[object, object]:
    first, second = items(value)
    return first, second


def bounded(text: str) -> str:
    if len(text) > LIMIT:
        raise ValueError(f"it makes a text of more than {LIMIT:,} characters")
    return text
