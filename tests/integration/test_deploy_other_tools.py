"""examples/deploy for the Serverless Framework, the AWS CDK and Terraform: to each tool, to AWS's linter, and here."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import connect

from lambent.build.init import Plan, make
from lambent.dev.model import Function
from lambent.dev.templates.reading import Described
from lambent.testing import events
from tests.dev.local import LIMIT, LocalLambda
from tests.dev.templates.described import describe
from tests.integration.newcomer import CACHE, JSII, ROOT, need, tool, variables
from tests.integration.test_init import DOORS, KIND, adapted, facts, parsed
from tests.support.counterparts import missing
from tests.support.terraform_provider import provider

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the tools are programs of POSIX here")

EXAMPLES = ROOT / "examples" / "deploy"
SERVERLESS = {path.stem.removeprefix("serverless-"): path for path in sorted((EXAMPLES / "serverless").glob("*.yml"))}
STACKS = ("http-api", "function-url", "websocket", "sqs", "schedule")
TIMEOUTS = {"http-api": 29, "function-url": 300, "websocket": 29, "sqs": 60, "schedule": 300}
OSLS = "osls@4.3.1"
"""The Serverless Framework as it was before it asked for an account, maintained: it takes the same files."""


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the examples, with an archive where `lambent build` puts it."""
    folder = tmp_path_factory.mktemp("examples") / "deploy"
    shutil.copytree(EXAMPLES, folder, ignore=shutil.ignore_patterns(".terraform", ".serverless", "cdk.out", "dist"))
    (folder / "app" / "dist").mkdir()
    shutil.make_archive(str(folder / "app" / "dist" / "hello"), "zip", folder / "app", "hello")
    return folder


def run(*command: str | Path, folder: Path, **more: str) -> str:
    ran = subprocess.run(
        command, cwd=folder, env=variables(folder, **more), capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def lint(*templates: Path, ignore: str) -> None:
    """`ignore`: what the tool that has made them always does."""
    run(tool("cfn-lint"), "--ignore-checks", ignore, "--", *templates, folder=templates[0].parent)


def properties(template: Path, kind: str) -> list[Any]:
    found = json.loads(template.read_text("utf-8"))["Resources"].values()
    return [each["Properties"] for each in found if each["Type"] == kind]


def only(found: list[Any]) -> Any:
    (one,) = found
    return one


def actions(template: Path, prefix: str) -> set[str]:
    """Those that its policies allow, of one service."""
    text = template.read_text("utf-8")
    return {each.rpartition(":")[2] for each in re.findall(rf'"({prefix}:\w+)"', text)}


def right(template: Path, name: str) -> None:
    """What each has, whichever tool has made it."""
    own = only(properties(template, "AWS::Lambda::Function"))
    variables = own["Environment"]["Variables"]
    assert (own["Runtime"], own["Architectures"], own["MemorySize"]) == ("python3.13", ["arm64"], 512)
    assert own["Timeout"] == TIMEOUTS[name]
    assert own["LoggingConfig"]["LogFormat"] == "JSON"
    assert os.access(variables["AWS_LAMBDA_EXEC_WRAPPER"].replace("/var/task", str(ROOT / "src")), os.X_OK)
    assert only(properties(template, "AWS::Logs::LogGroup"))["RetentionInDays"] == 30
    assert {"Url", "Function"} & json.loads(template.read_text("utf-8"))["Outputs"].keys()
    assert variables.get("LAMBENT_STREAM") == ("1" if name == "function-url" else None)
    for url in properties(template, "AWS::Lambda::Url"):
        assert (url["AuthType"], url["InvokeMode"]) == ("NONE", "RESPONSE_STREAM")
        allowed = properties(template, "AWS::Lambda::Permission")
        assert {each["Action"] for each in allowed} == {"lambda:InvokeFunctionUrl", "lambda:InvokeFunction"}
        assert all(each.get("FunctionUrlAuthType") == "NONE" or each["InvokedViaFunctionUrl"] for each in allowed)
    for table in properties(template, "AWS::DynamoDB::Table"):
        assert [each["AttributeName"] for each in table["KeySchema"]] == ["pk", "sk"]
        assert table["TimeToLiveSpecification"] == {"AttributeName": "expires", "Enabled": True}
        assert actions(template, "dynamodb") == {"GetItem", "PutItem", "DeleteItem", "Query"}
        assert actions(template, "execute-api") == {"ManageConnections"}
    for mapping in properties(template, "AWS::Lambda::EventSourceMapping"):
        assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        assert mapping["ScalingConfig"] == {"MaximumConcurrency": 10}
        redriven = only([each for each in properties(template, "AWS::SQS::Queue") if "RedrivePolicy" in each])
        assert redriven["VisibilityTimeout"] >= 6 * own["Timeout"]


# The Serverless Framework


@pytest.fixture(scope="module")
def osls(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its program, installed unless that was done before."""
    import fcntl

    need("node", "npm")
    folder = CACHE / "node" / OSLS
    folder.parent.mkdir(parents=True, exist_ok=True)
    program = folder / "node_modules" / ".bin" / "osls"
    with Path(f"{folder}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not program.exists():
            command: list[str | Path] = [
                "npm",
                "install",
                "--silent",
                "--no-audit",
                "--no-fund",
                "--prefix",
                folder,
                OSLS,
            ]
            home = tmp_path_factory.mktemp("npm")
            ran = subprocess.run(command, cwd=home, capture_output=True, text=True, check=False)
            if ran.returncode:
                missing("osls", f"npm does not install {OSLS}: {ran.stderr.strip()[-200:]}")
    return program


@pytest.fixture(scope="module")
def packaged(examples: Path, osls: Path) -> dict[str, Path]:
    """What the framework makes of each file, by its schema, which it is told to be strict about."""
    made = {}
    for name, path in SERVERLESS.items():
        copy = examples / "serverless" / path.name
        copy.write_text(f"configValidationMode: error\n{path.read_text('utf-8')}", "utf-8")
        out = examples / "packaged" / name
        more = {"AWS_ACCESS_KEY_ID": "nobody", "AWS_SECRET_ACCESS_KEY": "nothing", "SLS_NOTIFICATIONS_MODE": "off"}
        run(osls, "package", "--config", copy.name, "--package", out, folder=copy.parent, **more)
        made[name] = out / "cloudformation-template-update-stack.json"
    return made


def test_there_is_a_serverless_file_for_each() -> None:
    assert SERVERLESS.keys() == set(STACKS)


def test_the_framework_makes_templates_that_are_right(packaged: dict[str, Path]) -> None:
    lint(*packaged.values(), ignore="W3005")
    for name, template in packaged.items():
        right(template, name)
        key = only(properties(template, "AWS::Lambda::Function"))["Code"]["S3Key"]
        assert key.endswith("/hello.zip")


@pytest.mark.parametrize("name", STACKS)
def test_a_serverless_file_is_read_here(name: str) -> None:
    described = describe(SERVERLESS[name])
    (function,) = described.functions
    assert (function.timeout, function.stream) == (TIMEOUTS[name], name == "function-url")
    expected = r"not made here: AWS::|AWS makes up the name of the queue|gets its name from AWS"
    assert [each for each in described.notes if not re.search(expected, each)] == []


@pytest.mark.parametrize("name", STACKS)
def test_a_serverless_service_answers_here(examples: Path, name: str) -> None:
    keep_connections(examples / "serverless")
    with LocalLambda(examples / "serverless", None, "--template", SERVERLESS[name].name) as local:
        does(local, name, only(list(describe(SERVERLESS[name]).functions)))


# The AWS CDK


@pytest.fixture(scope="module")
def projects(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Door → one of `lambent init`, with an archive where `lambent build` puts it."""
    folder = tmp_path_factory.mktemp("projects")
    made = {door: make(Plan(f"{kind}-cdk", kind, "cdk", "3.13", "arm64"), folder) for door, kind in KIND.items()}
    for each in made.values():
        shutil.make_archive(str(each / "dist" / each.name), "zip", each, "app.py")
    return made


SYNTHESISE = """
import runpy, sys
for path in sys.argv[1:]:
    runpy.run_path(path, run_name="__main__")
"""
"""What `cdk synth` does first, for several apps: to load the library takes longer than all the rest."""


@pytest.fixture(scope="module")
def synthesised(examples: Path, projects: dict[str, Path]) -> Path:
    """`cdk.out`, as `cdk synth -c code=../app` makes it: what that does first is to run the app. With projects."""
    need("node")
    folder = examples / "cdk"
    more = {
        "CDK_OUTDIR": str(folder / "cdk.out"),
        "CDK_CONTEXT_JSON": json.dumps({"code": "../app", "aws:cdk:enable-path-metadata": True}),
        **JSII,
    }
    own = [each / "infra" / "stack.py" for each in projects.values()]
    apps = [*own, folder / "app.py"]  # the manifest is of the last
    run(tool("aws-cdk-lib").with_name("python"), "-c", SYNTHESISE, *apps, folder=folder, **more)
    return folder / "cdk.out"


def stack(synthesised: Path, name: str) -> Path:
    return synthesised / f"hello-{name}.template.json"


def test_the_linter_finds_nothing_in_templates_of_the_cdk(synthesised: Path, projects: dict[str, Path]) -> None:
    made = sorted(synthesised.glob("*.template.json"))
    ours = [*(f"hello-{name}" for name in STACKS), *(each.name for each in projects.values())]
    assert [each.name.removesuffix(".template.json") for each in made] == sorted(ours)
    lint(*made, ignore="W3005")


def test_the_cdk_makes_templates_of_projects_that_are_right(synthesised: Path, projects: dict[str, Path]) -> None:
    for door, project in projects.items():
        template = json.loads((synthesised / f"{project.name}.template.json").read_text("utf-8"))
        assert facts(template) == facts(adapted(parsed(EXAMPLES / "cloudformation" / f"{DOORS[door]}.yaml")))


def test_the_cdk_makes_templates_that_are_right(synthesised: Path) -> None:
    made = [stack(synthesised, name) for name in STACKS]
    for name, template in zip(STACKS, made, strict=True):
        right(template, name)
        assert properties(template, "AWS::IAM::ManagedPolicy") == []
        assert not any("ManagedPolicyArns" in each for each in properties(template, "AWS::IAM::Role"))
        assert '"Resource": "*"' not in template.read_text("utf-8")


def test_the_cdk_app_takes_what_lambent_build_makes() -> None:
    assert 'ZIP = "../app/dist/hello.zip"' in (EXAMPLES / "cdk" / "app.py").read_text("utf-8")


def test_a_cdk_app_answers_here(synthesised: Path) -> None:
    keep_connections(synthesised.parent)
    with LocalLambda(synthesised.parent) as local:
        everything_answers(local, describe(synthesised))


# Here, whichever tool it is


def keep_connections(folder: Path) -> None:
    """In a file, in place of the table."""
    store = f"sqlite:///{(folder / 'connections.db').as_posix()}"
    (folder / ".env").write_text(f"LAMBENT_STORE={store}\n", "utf-8")
    subprocess.run([sys.executable, "-m", "lambent", "stores", "init", store], check=True)


def everything_answers(local: LocalLambda, described: Described) -> None:
    """Each function of a local Lambda that has all five."""
    for name in STACKS:
        does(local, name, only([each for each in described.functions if f"hello-{name}" in each.name]))


def does(local: LocalLambda, name: str, function: Function) -> None:
    """What it is for."""
    if name == "websocket":
        echoes(local, function)
    elif name == "sqs":
        one_message_fails(local, function)
    elif name == "schedule":
        assert invoke(local, function, events.schedule("Nightly", scheduler=True)) == "reported"
    else:
        answers(local, function, name)


def host(function: Function) -> str:
    """Of the door that leads to it."""
    return f"{function.routes[0].entrance}.localhost"


def invoke(local: LocalLambda, function: Function, event: Mapping[str, object]) -> object:
    path = f"/2015-03-31/functions/{function.name}/invocations"
    return json.loads(local.ask("POST", path, json.dumps(event).encode()).body)


def answers(local: LocalLambda, function: Function, name: str) -> None:
    door = {"http-api": "HTTP API", "function-url": "Function URL"}[name]
    assert re.search(rf"^  {function.name} .*{door}", local.output, re.MULTILINE), local.output
    where = host(function)
    assert json.loads(local.get("/", host=where).body) == {"hello": "world", "runtime": "Lambent's"}
    ticks = local.get("/ticks?count=2&pause=0", host=where)
    assert ticks.body == b"data: 0\n\ndata: 1\n\n"
    assert (ticks.headers["content-length"] is None) is (name == "function-url")  # which streams


def echoes(local: LocalLambda, function: Function) -> None:
    uri = f"ws://{host(function)}:{local.port}/live?name=Ada"
    there = socket.create_connection(("127.0.0.1", local.port), LIMIT)
    with connect(uri, sock=there, open_timeout=LIMIT) as guest:
        for number in (1, 2):
            guest.send("hello")
            assert guest.recv(timeout=LIMIT) == f"Ada said: hello ({number})"


def one_message_fails(local: LocalLambda, function: Function) -> None:
    event = events.sqs({"id": 1, "item": "lamp"}, {"id": 2, "item": "nothing"}, queue="orders")
    failed = event["Records"][1]["messageId"]
    assert invoke(local, function, event) == {"batchItemFailures": [{"itemIdentifier": failed}]}


# Terraform


def test_terraform_finds_its_files_in_form(examples: Path) -> None:
    need("terraform")
    run("terraform", "fmt", "-check", "-recursive", "-diff", folder=examples / "terraform")


@pytest.fixture(scope="module")
def reattached(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Variables by which Terraform finds a provider with the schema of AWS's."""
    need("terraform", "npm")
    text = "".join(path.read_text("utf-8") for path in (EXAMPLES / "terraform").rglob("*.tf"))
    found = re.findall(r'^(data|resource) "(\w+)"', text, re.MULTILINE)
    names = {f"data.{name}" if kind == "data" else name for kind, name in found}
    with provider(tmp_path_factory.mktemp("provider"), sorted(names)) as seen:
        yield seen


@pytest.fixture(scope="module")
def planned(examples: Path, reattached: dict[str, str]) -> Path:
    """The folder with `tfplan.json` in it."""
    folder = examples / "terraform"
    run("terraform", "init", "-backend=false", folder=folder, **reattached)
    run("terraform", "plan", "-input=false", "-out", "tfplan", folder=folder, **reattached)
    (folder / "tfplan.json").write_text(
        run("terraform", "show", "-json", "tfplan", folder=folder, **reattached), "utf-8"
    )
    return folder


def test_terraform_finds_its_files_valid(planned: Path, reattached: dict[str, str], tmp_path: Path) -> None:
    """And does not, where an argument is none of the provider's, so that it has been asked."""
    run("terraform", "validate", folder=planned, **reattached)
    wrong = tmp_path / "main.tf"
    wrong.write_text('resource "aws_lambda_function_url" "url" {\n  function_name = "hello"\n  stream = true\n}\n')
    with pytest.raises(AssertionError) as refused:
        run("terraform", "validate", "-no-color", folder=tmp_path, **reattached)
    assert 'An argument named "stream" is not expected here.' in str(refused.value)
    assert 'The argument "authorization_type" is required, but no definition was found.' in str(refused.value)


def test_terraform_plans_what_is_right(planned: Path) -> None:
    plan = json.loads((planned / "tfplan.json").read_text("utf-8"))["planned_values"]["root_module"]
    made = {each["address"]: each["values"] for each in [plan, *plan["child_modules"]] for each in each["resources"]}
    for name, timeout in TIMEOUTS.items():
        module = f"module.{name.replace('-', '_')}"
        own = made[f"{module}.aws_lambda_function.this"]
        variables = own["environment"][0]["variables"]
        assert (own["runtime"], own["architectures"], own["memory_size"]) == ("python3.13", ["arm64"], 512)
        assert (own["timeout"], own["logging_config"][0]["log_format"]) == (timeout, "JSON")
        assert variables["AWS_LAMBDA_EXEC_WRAPPER"] == "/var/task/lambent/exec/wrapper"
        assert variables.get("LAMBENT_STREAM") == ("1" if name == "function-url" else None)
        assert made[f"{module}.aws_cloudwatch_log_group.this"]["retention_in_days"] == 30
    assert made["aws_lambda_function_url.url"]["invoke_mode"] == "RESPONSE_STREAM"
    assert made["aws_lambda_permission.url"]["invoked_via_function_url"] is True
    assert made["aws_apigatewayv2_integration.http"]["payload_format_version"] == "2.0"
    table = made["aws_dynamodb_table.connections"]
    assert (table["hash_key"], table["range_key"], table["ttl"][0]["attribute_name"]) == ("pk", "sk", "expires")
    assert made["aws_lambda_event_source_mapping.orders"]["function_response_types"] == ["ReportBatchItemFailures"]
    assert made["aws_sqs_queue.orders"]["visibility_timeout_seconds"] >= 6 * TIMEOUTS["sqs"]


def test_a_plan_answers_here(planned: Path) -> None:
    keep_connections(planned)
    described = describe(planned / "tfplan.json")
    assert {each.function for each in described.sources} == {"hello-sqs", "hello-schedule"}
    with LocalLambda(planned) as local:
        everything_answers(local, described)


# What is said of them


def test_the_page_shows_what_is_there() -> None:
    text = (ROOT / "docs" / "how-to" / "deploy-with-other-tools.md").read_text("utf-8")
    blocks = re.findall(r'^```\w+ title="(.+)"\n((?:.*\n)*?)```$', text, re.MULTILINE)
    assert {Path(path).parts[2] for path, _ in blocks} == {"serverless", "cdk", "terraform"}
    for path, block in blocks:
        assert block in (ROOT / path).read_text("utf-8")
