"""The schema of Terraform's AWS provider, by which it judges files, out of the bindings that are generated from it.

`@cdktn/provider-aws` has a folder for each resource and data source. `index.js` tells each argument and block, with its
type; `index.d.ts` tells which ones have to be there; the attributes that AWS decides upon have getters.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

TYPES = {"simple": None, "list": "list", "set": "set", "map": "map"}
ELEMENTS = {"string": "string", "number": "number", "boolean": "bool"}
ENTRY = re.compile(
    r"^ +(\w+): \{\n +value: (.*),\n +isBlock: (true|false),\n +type: \"(\w+)\",\n +storageClassType: \"(\w+)\",$",
    re.MULTILINE,
)


def schema(library: Path, name: str) -> dict[str, Any]:
    """Of `aws_lambda_function` or `data.aws_caller_identity`: attributes and blocks, in the terms of the protocol."""
    folder = library / name.replace("data.", "data_").removeprefix("aws_").replace("_", "-")
    code, declared = (folder / "index.js").read_text("utf-8"), (folder / "index.d.ts").read_text("utf-8")
    own = between(code, "synthesizeHclAttributes() {", "return Object.fromEntries")
    interface = re.search(r"^export interface (\w+Config) extends", declared, re.MULTILINE)
    assert interface, name
    made = block(own, interface[1], code, declared)
    known = {each["name"] for each in made["attributes"]}
    for type_, decided in re.findall(r"return this\.get(\w+)Attribute\('(\w+)'\)", code.split("class ")[-1]):
        if decided in known:
            continue
        known.add(decided)
        made["attributes"].append({"name": decided, "type": decided_type(type_), "computed": True})
    return made


def block(entries: str, interface: str, code: str, declared: str) -> dict[str, Any]:
    attributes, blocks = [], []
    needed = required(interface, declared)
    for name, value, is_block, type_, stored in ENTRY.findall(entries):
        if is_block == "false":
            must = camel(name) in needed
            attributes.append({"name": name, "type": cty(type_, stored), "required": must, "optional": not must})
            continue
        function = re.search(r"(\w+)ToHclTerraform\b", value)
        assert function, value
        inner = between(code, f"function {function[1]}ToHclTerraform(", "return Object.fromEntries")
        single = "listMapper" not in value
        nesting = "SINGLE" if type_ == "struct" else type_.upper()
        blocks.append(
            {
                "type_name": name,
                "block": block(inner, function[1][0].upper() + function[1][1:], code, declared),
                "nesting": nesting,
                "min_items": int(camel(name) in needed and nesting != "SINGLE"),
                "max_items": int(single and nesting != "SINGLE"),
            }
        )
    return {"attributes": attributes, "block_types": blocks}


def between(text: str, start: str, end: str) -> str:
    begin = text.index(start)
    return text[begin : text.index(end, begin)]


def required(interface: str, declared: str) -> set[str]:
    own = between(declared, f"export interface {interface} ", "\n}\n")
    return set(re.findall(r"^    readonly (\w+):", own, re.MULTILINE))


def camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(each.capitalize() for each in rest)


def cty(type_: str, stored: str) -> object:
    """A type as Terraform writes it: `"string"`, `["list", "string"]`."""
    element = next((own for theirs, own in ELEMENTS.items() if stored.lower().startswith(theirs)), "dynamic")
    outer = TYPES.get(type_)
    return [outer, element] if outer and element != "dynamic" else element


def decided_type(getter: str) -> object:
    own = {"String": "string", "Number": "number", "Boolean": "bool", "List": ["list", "string"]}
    return own.get(getter, "dynamic")
