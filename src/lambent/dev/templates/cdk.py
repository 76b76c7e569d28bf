"""`cdk.out`, which `cdk synth` makes: the templates of an AWS CDK app and copies of its code.

Source: AWS CDK v2 Developer Guide, "Cloud assemblies"; the schema package `@aws-cdk/cloud-assembly-schema`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from lambent.dev.templates import MANIFEST
from lambent.dev.templates.cloudformation import Template
from lambent.dev.templates.identities import LAYERS, NAMED_BY
from lambent.dev.templates.tables import Notes, Table

NAMED = (*NAMED_BY, *LAYERS, "AWS::ApiGateway::RestApi", "AWS::ApiGatewayV2::Api")
UNKNOWN = "unknown-"

Parse = Callable[[Path], tuple[Table, Notes]]
"""Reads a JSON file."""


class Assembled(NamedTuple):
    """A stack as a manifest has it."""

    file: Path
    name: str
    region: str
    account: str
    assets: Mapping[str, Path]


def read(folder: Path, only: Path | None, parse: Parse, region: str, account: str) -> list[Template]:
    """The templates of all stacks, or `only` this one."""
    found = [each for each in stacks(folder, parse) if only is None or each.file == only]
    parsed = [(each, *parse(each.file)) for each in found]
    names = unique({(each.name, key): path for each, table, _ in parsed for key, path in paths(table)})
    return [
        Template(
            table,
            notes,
            each.file.parent,
            each.name,
            each.region or region,
            each.account or account,
            each.assets,
            {key: name for (stack, key), name in names.items() if stack == each.name},
            labels(table),
            f"{each.name}/",
        )
        for each, table, notes in parsed
    ]


def stacks(folder: Path, parse: Parse) -> Iterator[Assembled]:
    """Those of an assembly, and of the stages within it."""
    table, notes = parse(folder / MANIFEST)
    artifacts = inner(table, "artifacts")
    if not artifacts and "artifacts" not in table:
        raise notes.error(0, "expected the manifest of a CDK assembly, with artifacts.")
    assets = {key: path for each in artifacts.values() for key, path in archives(each, folder, parse)}
    for key, each in artifacts.items():
        properties = inner(each, "properties")
        file, directory = properties.get("templateFile"), properties.get("directoryName")
        kind = each.get("type") if isinstance(each, Table) else None
        if kind == "aws:cloudformation:stack" and isinstance(file, str) and isinstance(each, Table):
            where = re.match(r"aws://([^/]+)/(.+)$", str(each.get("environment")))
            account, region = (
                ("" if part.startswith(UNKNOWN) else part for part in where.groups()) if where else ("", "")
            )
            yield Assembled(folder / file, str(properties.get("stackName", key)), region, account, assets)
        elif kind == "cdk:cloud-assembly" and isinstance(directory, str):
            yield from stacks(folder / directory, parse)


def archives(artifact: object, folder: Path, parse: Parse) -> Iterator[tuple[str, Path]]:
    """The folders of code that an asset manifest lists, by the names of their archives."""
    file = inner(artifact, "properties").get("file")
    if not isinstance(artifact, Table) or artifact.get("type") != "cdk:asset-manifest" or not isinstance(file, str):
        return
    for asset in inner(parse(folder / file)[0], "files").values():
        source = inner(asset, "source")
        path = source.get("path")
        for destination in inner(asset, "destinations").values():
            key = destination.get("objectKey") if isinstance(destination, Table) else None
            if isinstance(path, str) and isinstance(key, str) and source.get("packaging") == "zip":
                yield key, folder / path


def paths(template: Table) -> Iterator[tuple[str, list[str]]]:
    """Where resources stand in the tree of constructs: `Shop/Items/Resource` → Items, by logical id."""
    for key, resource in inner(template, "Resources").items():
        if isinstance(resource, Table) and resource.get("Type") in NAMED:
            path = str(inner(resource, "Metadata").get("aws:cdk:path", f"/{key}")).split("/")[1:]
            path = path[:-1] if len(path) > 1 and path[-1] in ("Resource", "Default") else path
            yield key, path


def labels(template: Table) -> dict[str, str]:
    """What people know resources as: `Shop/Items`."""
    pairs = (
        (key, inner(resource, "Metadata").get("aws:cdk:path")) for key, resource in inner(template, "Resources").items()
    )
    return {key: path.removesuffix("/Resource") for key, path in pairs if isinstance(path, str)}


def unique(found: Mapping[tuple[str, str], list[str]]) -> dict[tuple[str, str], str]:
    """Names as short as they can be told apart."""
    short = {key: named("-".join(path)) for key, path in found.items()}
    count = Counter(short.values())
    return {key: name if count[name] == 1 else named("-".join(key)) for key, name in short.items()}


def named(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]+", "-", text)[-64:]


def inner(table: object, key: str) -> Table:
    """A table within another one; an empty one if there is none."""
    found = table.get(key) if isinstance(table, Table) else None
    return found if isinstance(found, Table) else Table()
