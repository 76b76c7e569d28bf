"""Projects of `lambent init`: their tests, their style, their templates, what answers in the local Lambda."""

from __future__ import annotations

import json
import os
import pty
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import connect

from lambent.build.init import Plan, make
from lambent.build.kinds import KINDS, TOOLS
from lambent.dev.templates import yaml_tables
from lambent.dev.templates.tables import Notes
from tests.dev.local import LIMIT, LocalLambda, environment
from tests.integration.newcomer import ROOT, need, tool, variables

EXAMPLES = ROOT / "examples" / "deploy"
DOORS = {"http": "http-api", "sqs": "sqs", "websocket": "websocket"}
"""Files of `starters` → files of examples/deploy."""
KIND = {kind.door: name for name, kind in KINDS.items()}
STYLE = "CPY001,COM812,D,EM,INP001,PLR2004,S101,T201,TRY"
"""Rules that go too far for a beginning."""


@pytest.fixture(scope="module")
def projects(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one of each kind for each tool, called such as `fastapi_sam`."""
    folder = tmp_path_factory.mktemp("projects")
    for kind in KINDS:
        for name in TOOLS:
            make(Plan(f"{kind}_{name}", kind, name, "3.13", "arm64"), folder)
    return folder


def run(*command: str | Path, folder: Path, **more: str) -> str:
    ran = subprocess.run(
        command, cwd=folder, env=environment(**more), capture_output=True, text=True, check=False, timeout=100
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


# As they are


@pytest.mark.parametrize("kind", KINDS)
def test_its_tests_pass(projects: Path, kind: str) -> None:
    told = run(sys.executable, "-W", "error", "-m", "pytest", "-q", folder=projects / f"{kind}_sam")
    assert re.search(r"^\d passed", told, re.MULTILINE)


def test_its_code_is_in_style(projects: Path, tmp_path: Path) -> None:
    """Whatever the length of its name."""
    for kind in KINDS:
        make(Plan(kind.ljust(32, "x"), kind, "cdk"), tmp_path)
    for folder in (projects, tmp_path):
        run(
            sys.executable,
            "-m",
            "ruff",
            "check",
            "--isolated",
            "--select",
            "ALL",
            "--ignore",
            STYLE,
            ".",
            folder=folder,
        )
        run(sys.executable, "-m", "ruff", "format", "--isolated", "--check", ".", folder=folder)


def test_its_types_are_right(projects: Path, tmp_path: Path) -> None:
    for kind in KINDS:
        shutil.copytree(projects / f"{kind}_none", tmp_path / kind)
    options = ["--strict", "--explicit-package-bases", "--cache-dir", str(ROOT / ".mypy_cache" / "init")]
    run(sys.executable, "-m", "mypy", "--config-file", "", *options, ".", folder=tmp_path, MYPYPATH=str(ROOT / "src"))


# Here


@pytest.mark.parametrize("kind", ["fastapi", "api"])
def test_a_request_is_answered(projects: Path, kind: str) -> None:
    with LocalLambda(projects / f"{kind}_sam") as local:
        assert json.loads(local.get("/").body) == {"hello": "world"}
        assert json.loads(local.get("/items/7?size=large").body) == {"item": 7, "size": "large"}


def test_a_message_is_answered_as_the_readme_says(projects: Path) -> None:
    folder = projects / "events_cdk"
    bare = f"{sys.executable} -m lambent"
    with LocalLambda(folder) as local:
        command = KINDS["events"].ask.replace("@name@", "events-cdk").replace("lambent ", f"{bare} ")
        endpoint = {"AWS_ENDPOINT_URL_LAMBDA": f"http://127.0.0.1:{local.port}"}
        told = run("sh", "-c", command, folder=folder, **endpoint)
        assert json.loads(told) == {"batchItemFailures": []}
        local.wait_for("order 7: lamp")


def test_a_message_through_a_socket_is_answered(projects: Path) -> None:
    def uri() -> str:
        return f"ws://127.0.0.1:{local.port}/local?name=Ada"

    with LocalLambda(projects / "websocket_terraform") as local, connect(uri(), open_timeout=LIMIT) as guest:
        guest.send("hello")
        assert guest.recv(timeout=LIMIT) == "Ada said: hello (1)"


# At a terminal


def test_it_asks_for_what_was_not_said(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    os.write(ours, b"shop\napi\n\n")  # the last is answered by its default
    command = [sys.executable, "-m", "lambent", "init"]
    try:
        ran = subprocess.run(
            command, cwd=tmp_path, env=environment(), stdin=theirs, stdout=theirs, stderr=theirs, check=False
        )
        assert ran.returncode == 0
        said = os.read(ours, 10_000).decode()
    finally:
        os.close(ours)
        os.close(theirs)
    assert re.search(r"Kind \(.*\) \[fastapi\]: ", said), said
    assert "from lambent.api import Api" in (tmp_path / "shop" / "app.py").read_text("utf-8")
    assert (tmp_path / "shop" / "template.yaml").is_file()


# To the tools


def lint(*templates: Path, ignore: str) -> None:
    command = [str(tool("cfn-lint")), "--ignore-checks", ignore, "--", *map(str, templates)]
    ran = subprocess.run(command, env=variables(ROOT), capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")


def test_the_linter_finds_only_that_the_code_has_to_be_packaged(projects: Path) -> None:
    """W3002: by `aws cloudformation package`, as the README says."""
    lint(*sorted(projects.glob("*/template.yaml")), ignore="W3002")


def test_terraform_would_write_it_so(projects: Path) -> None:
    need("terraform")
    for folder in sorted(projects.glob("*_terraform")):
        run("terraform", "fmt", "-check", "-diff", folder=folder)


# What they have in common with examples/deploy


def parsed(path: Path) -> Any:
    return yaml_tables.read(path.read_text("utf-8"), Notes(path.name))


def adapted(value: Any, name: str = "shop") -> Any:
    """An example, with the names that a project has."""
    if isinstance(value, dict):
        return {adapted(key, name): adapted(each, name) for key, each in value.items()}
    if isinstance(value, list):
        return [adapted(each, name) for each in value]
    if isinstance(value, str):
        renamed = value.replace("../app/dist/hello.zip", f"dist/{name}.zip").replace("Hello", "Function")
        return re.sub(r"hello\.(web|jobs|sockets)\.", "app.", renamed)
    return value


FACTS = {
    "AWS::Lambda::Function": ("Handler", "Runtime", "Architectures", "MemorySize", "Timeout"),
    "AWS::Logs::LogGroup": ("RetentionInDays",),
    "AWS::SQS::Queue": ("VisibilityTimeout", "MessageRetentionPeriod"),
    "AWS::Lambda::EventSourceMapping": ("BatchSize", "FunctionResponseTypes", "ScalingConfig"),
    "AWS::DynamoDB::Table": ("KeySchema", "TimeToLiveSpecification", "BillingMode"),
    "AWS::ApiGatewayV2::Api": ("ProtocolType",),
    "AWS::ApiGatewayV2::Route": ("RouteKey",),
    "AWS::ApiGatewayV2::Stage": ("StageName", "AutoDeploy", "DefaultRouteSettings"),
}


def facts(template: Any) -> list[str]:
    """What matters in a template, however its resources are called."""
    return sorted(found(template))


def found(template: Any) -> Iterator[str]:
    for each in template["Resources"].values():
        own = each.get("Properties", {})
        told = {key: own.get(key) for key in FACTS.get(each["Type"], ())}
        if told:
            yield f"{each['Type']} {json.dumps(told, sort_keys=True)}"
        if each["Type"] == "AWS::Lambda::Function":
            yield json.dumps([own["LoggingConfig"]["LogFormat"], sorted(own["Environment"]["Variables"])])


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("name", ["sam", "cloudformation"])
def test_a_template_is_that_of_the_examples(projects: Path, name: str, door: str) -> None:
    ours = projects / f"{KIND[door]}_{name}"
    example = parsed(EXAMPLES / name / f"{DOORS[door]}.yaml")
    assert parsed(ours / "template.yaml") == adapted(example, ours.name.replace("_", "-"))


@pytest.mark.parametrize("door", DOORS)
def test_a_serverless_file_is_that_of_the_examples(projects: Path, door: str) -> None:
    ours = projects / f"{KIND[door]}_serverless"
    name = ours.name.replace("_", "-")
    example = adapted(parsed(EXAMPLES / "serverless" / f"serverless-{DOORS[door]}.yml"), name)
    mine = parsed(ours / "serverless.yml")
    assert mine["service"] == name
    assert mine["functions"].keys() == {"app"}
    same = {"service": name, "functions": {"app": example["functions"]["hello"]}}
    example["provider"]["region"] = mine["provider"]["region"]
    assert mine == {**example, **same}


@pytest.mark.parametrize("door", DOORS)
def test_terraform_is_that_of_the_examples(projects: Path, door: str) -> None:
    """Each line of its resources, by what the module of the examples is called here."""
    ours = projects / f"{KIND[door]}_terraform"
    name = ours.name.replace("_", "-")
    folder = EXAMPLES / "terraform"
    door_file = (folder / f"{DOORS[door].replace('-', '_')}.tf").read_text("utf-8")
    module = (folder / "function" / "main.tf").read_text("utf-8")
    written = "".join((ours / path).read_text("utf-8") for path in ("main.tf", "function.tf"))
    for said in (door_file.partition("}\n\n")[2], module[module.index("resource ") :]):
        assert resources(renamed(said, name)) <= resources(written)
    timeout = re.search(r"timeout\s+= \d+.*", door_file)
    assert timeout
    assert squeezed(timeout[0]) in resources(written)


def renamed(text: str, name: str) -> str:
    """Text of the examples, as a project has it."""
    for pattern, here in (
        (r"module\.\w+\.role", "aws_iam_role.app.name"),
        (r"module\.\w+\.name", "aws_lambda_function.app.function_name"),
        (r"module\.\w+\.", "aws_lambda_function.app."),
        (r"\b(aws_\w+)\.this\b", r"\1.app"),
        (r'"(aws_\w+)" "this"', r'"\1" "app"'),
        (r"var\.(zip|timeout|environment)", r"local.\1"),
        (r"var\.handler", '"app.handler"'),
        (r"= var\.name", f'= "{name}"'),
        (r"\$\{var\.name\}", name),
        (r'"hello-(orders|failed|connections)"', rf'"{name}-\1"'),
        (r'"hello-[\w-]+"', f'"{name}"'),
        (r'output "\w+" \{(.|\n)*?\n\}', ""),
        (r"# what the zip was built for", "# as in pyproject.toml"),
    ):
        text = re.sub(pattern, here, text)
    return text


def resources(text: str) -> set[str]:
    return {squeezed(line) for line in text.splitlines() if re.search(r"\w", line)}


def squeezed(line: str) -> str:
    return re.sub(r"\s+", " ", line).strip().rstrip("{").strip()
