"""`cdk.out`, as `cdk synth` made it."""

import json
import shutil
from pathlib import Path

import pytest

from lambent.dev.model import Cors, Source
from lambent.errors import ConfigurationError
from tests.dev.templates.described import CDK, describe, entrance, function, route, routes


def test_functions_are_named_as_in_the_app_and_run_from_the_assets() -> None:
    described = describe(CDK)
    assert [each.name for each in described.functions] == ["Items", "Pages", "Decide"]
    items = function(described, "Items")
    assert (items.timeout, items.memory, items.reserved_concurrency) == (7, 512, 4)
    assert (items.app_dir / "index.py").is_file()
    assert [layer / "python" / "words.py" for layer in items.layers if (layer / "python/words.py").is_file()]
    assert items.env == {"TABLE": "Table"}  # another stack's


def test_routes_and_apis() -> None:
    described = describe(CDK)
    items, pages = function(described, "Items"), function(described, "Pages")
    assert routes(items) == {("api", "GET", "/"), ("api", "GET", "/items/{id}"), ("api", "POST", "/items/{id}")}
    assert routes(pages) == {("site", "GET", "/pages/{page}"), ("pages", "ANY", "$default")}
    assert route(pages, "/pages/{page}").scopes == ("read",)
    assert pages.stream
    api, site = entrance(described, "api"), entrance(described, "site")
    assert (api.stage, api.variables) == ("live", {"colour": "blue"})
    assert api.cors is not None
    assert api.cors.origins == ("https://shop.example",)
    (asked,) = api.authorizers
    assert (asked.function, asked.identity, asked.ttl) == ("Decide", ("method.request.header.X-Key",), 60)
    assert (site.cors, site.authorizers[0].issuer) == (Cors(("*",), ("GET",)), "https://issuer.example")


def test_sources() -> None:
    queue, nightly, often = describe(CDK).sources
    assert (queue.queue, queue.batch_size, queue.concurrency) == ("arn:aws:sqs:us-east-1:123456789012:Orders", 5, 3)
    assert (queue.function, queue.partial) == ("Items", True)
    assert nightly == Source(nightly.name, "Pages", "schedule", "cron(0 3 * * ? *)", input='{"night":true}')
    assert often == Source(often.name, "Pages", "schedule", "rate(5 minutes)", "Etc/UTC", scheduler=True)


def test_what_is_left_out_is_told_of() -> None:
    told = "\n".join(describe(CDK).notes)
    assert "Shop/Node: its runtime is nodejs22.x, not Python; the function is left out." in told
    assert "not made here: AWS::DynamoDB::Table (TableCD117FA1), AWS::SQS::Queue (OrdersA9B65338)." in told
    assert len(told.split("\n")) == 4


def test_one_stack_alone() -> None:
    described = describe(CDK / "Shop.template.json")
    assert len(described.functions) == 3
    assert "TABLE" not in described.functions[0].env
    assert any("is what another stack exports; left out." in line for line in described.notes)


@pytest.fixture
def assembly(tmp_path: Path) -> Path:
    return Path(shutil.copytree(CDK, tmp_path / "cdk.out"))


def test_a_stage_within_an_app(assembly: Path) -> None:
    inner = assembly / "assembly-Test"
    inner.mkdir()
    for each in list(assembly.iterdir()):
        if each != inner:
            each.rename(inner / each.name)
    nested = {"type": "cdk:cloud-assembly", "properties": {"directoryName": inner.name}}
    (assembly / "manifest.json").write_text(json.dumps({"artifacts": {"Test": nested}}))
    assert [each.name for each in describe(assembly).functions] == ["Items", "Pages", "Decide"]


def test_stacks_that_are_alike_are_told_apart(assembly: Path) -> None:
    manifest = json.loads((assembly / "manifest.json").read_text())
    manifest["artifacts"]["Twin"] = manifest["artifacts"]["Shop"]
    (assembly / "manifest.json").write_text(json.dumps(manifest))
    names = [each.name for each in describe(assembly).functions]
    assert len(set(names)) == 6
    assert "Twin-Items5C12978B" in names


@pytest.mark.parametrize(
    ("file", "text", "says"),
    [
        ("manifest.json", "{}", "expected the manifest of a CDK assembly, with artifacts."),
        ("manifest.json", '{"artifacts": {}}', "expected a stack of an AWS CDK app, but there is none."),
        ("manifest.json", "{", "cdk.out/manifest.json:1: expected JSON, but got"),
        ("Shop.template.json", None, "cdk.out/Shop.template.json: it cannot be read: No such file or directory."),
    ],
)
def test_what_is_no_assembly(assembly: Path, file: str, text: str | None, says: str) -> None:
    if text is None:
        (assembly / file).unlink()
    else:
        (assembly / file).write_text(text)
    with pytest.raises(ConfigurationError) as told:
        describe(assembly)
    assert says in str(told.value)
