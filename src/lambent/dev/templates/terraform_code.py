"""Which folder the code of a Terraform resource comes from. Pure.

Source: registry.terraform.io, `archive_file`, `aws_s3_object`, the module terraform-aws-modules/lambda; AWS SAM
Developer Guide, "Using the AWS SAM CLI with Terraform" (`sam_metadata_`).
"""

from __future__ import annotations

import json
from pathlib import PurePosixPath

from lambent.dev.templates.serverless_terms import table_of
from lambent.dev.templates.tables import Table
from lambent.dev.templates.terraform_graph import Graph, Item

METADATA = "sam_metadata_"


def folder(graph: Graph, item: Item) -> str | None:
    """Of a function or a layer, as the plan writes it; None if it does not say."""
    return (
        from_metadata(graph, item) or from_archive(graph, item) or from_object(graph, item) or from_module(graph, item)
    )


def from_metadata(graph: Graph, item: Item) -> str | None:
    """What a `null_resource` tells the SAM CLI."""
    for each in graph.of_type("null_resource"):
        triggers = table_of(each.values, "triggers")
        if each.name.startswith(METADATA) and triggers.get("resource_name") in (
            item.address,
            f"{item.type}.{item.name}",
        ):
            return source(triggers.get("original_source_code"))
    return None


def from_archive(graph: Graph, item: Item, argument: str = "filename") -> str | None:
    """An `archive_file` whose output it is."""
    file = item.values.get(argument)
    archives = [each for each in (*graph.data, *graph.items) if each.type == "archive_file"]
    referred = [each for each, _ in graph.targets(item, argument)]
    for each in archives:
        if each in referred or (file and each.values.get("output_path") == file):
            value = {key: each.values.get(key) or graph.expression(each, key) for key in ("source_dir", "source_file")}
            if isinstance(directory := value["source_dir"], str):
                return directory
            if isinstance(single := value["source_file"], str):
                return str(PurePosixPath(single).parent)
    return None


def from_object(graph: Graph, item: Item) -> str | None:
    """An archive by way of S3."""
    key = item.values.get("s3_key")
    referred = [each for each, _ in graph.targets(item, "s3_key")]
    for each in (*graph.of_type("aws_s3_object"), *graph.of_type("aws_s3_bucket_object")):
        if each in referred or (key and each.values.get("key") == key):
            return from_archive(graph, each, "source")
    return None


def from_module(graph: Graph, item: Item) -> str | None:
    """What terraform-aws-modules/lambda asks its packager for."""
    for each in graph.data:
        if each.type == "external" and each.module == item.module:
            result, query = table_of(each.values, "result"), table_of(each.values, "query")
            if result.get("filename") == item.values.get("filename") and "source_path" in query:
                return source(query["source_path"])
    return None


def source(value: object) -> str | None:
    """A path, or JSON of a path, of `{"path": …}`, or of a list of such: the first one counts."""
    if not isinstance(value, str):
        return None
    try:
        found = json.loads(value, object_pairs_hook=Table)
    except ValueError:
        return value
    found = found[0] if isinstance(found, list) and found else found
    found = found.get("path") if isinstance(found, Table) else found
    return found if isinstance(found, str) else None
