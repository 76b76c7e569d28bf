"""The templates of examples/deploy for AWS SAM and CloudFormation: to AWS's linter, to SAM's own translator, here."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest
from websockets.sync.client import connect

from lambent.build import building
from lambent.dev.templates import yaml_tables
from lambent.dev.templates.tables import Notes
from lambent.stores.dynamodb import NEEDS
from lambent.testing import events
from tests.dev.local import LIMIT, Answer, LocalLambda
from tests.dev.templates.described import describe
from tests.integration.newcomer import ROOT, tool, variables
from tests.stores.ministack import REGION, ministack

EXAMPLES = ROOT / "examples" / "deploy"
SAM = {path.stem: path for path in sorted((EXAMPLES / "sam").glob("*.yaml"))}
CLOUDFORMATION = {path.stem: path for path in sorted((EXAMPLES / "cloudformation").glob("*.yaml"))}
ALL = {f"{path.parent.name}-{name}": path for kind in (SAM, CLOUDFORMATION) for name, path in kind.items()}
FUNCTIONS = ("AWS::Serverless::Function", "AWS::Lambda::Function")
STREAMING = {"sam-rest-streaming", "sam-function-url-streaming", "cloudformation-function-url-streaming"}
DOORS = {"http": 30, "rest": 29, "websocket": 29, "alb-multi": 60, "url": 900}
"""How many seconds each waits, unless the template has it wait longer."""


def parsed(path: Path) -> Any:
    return yaml_tables.read(path.read_text("utf-8"), Notes(path.name))


def resources(path: Path, *kinds: str) -> list[Any]:
    """The properties of those of some types."""
    found = parsed(path)["Resources"].values()
    return [each["Properties"] for each in found if each["Type"] in kinds]


def only(found: list[Any]) -> Any:
    (one,) = found
    return one


def lint(*paths: Path, ignore: str = "") -> None:
    chosen = ["--ignore-checks", ignore, "--"] if ignore else []
    ran = subprocess.run(
        [tool("cfn-lint"), *chosen, *paths],
        env=variables(EXAMPLES),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")


# To AWS's tools


def test_the_linter_finds_nothing() -> None:
    lint(*SAM.values())


def test_the_linter_finds_only_that_the_code_has_to_be_packaged() -> None:
    """W3002 is a warning that `aws cloudformation package` is needed, which is what is said to be run."""
    lint(*CLOUDFORMATION.values(), ignore="W3002")


TRANSLATE = """
import json, sys
from pathlib import Path
from samtranslator.translator.transform import transform

class NoPolicies:
    def load(self):
        return {}

for path in Path(sys.argv[1]).glob("*.json"):
    template = json.loads(path.read_text())
    for resource in template["Resources"].values():  # as `sam package` does
        if "CodeUri" in resource.get("Properties", {}):
            resource["Properties"]["CodeUri"] = "s3://bucket/hello.zip"
        if resource.get("Properties", {}).get("PackageType") == "Image":
            resource["Properties"]["ImageUri"] = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/hello:live"
    path.write_text(json.dumps(transform(template, {}, NoPolicies())))
"""


@pytest.fixture(scope="module")
def translated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What AWS makes of the SAM templates, by the translator that it runs."""
    folder = tmp_path_factory.mktemp("translated")
    for name, path in SAM.items():
        (folder / f"{name}.json").write_text(json.dumps(parsed(path)))
    ran = subprocess.run(
        [tool("ministack").with_name("python"), "-c", TRANSLATE, folder],
        env=variables(folder, AWS_DEFAULT_REGION="eu-central-1"),
        check=False,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    return folder


def made(translated: Path, name: str, kind: str) -> list[Any]:
    found = json.loads((translated / f"{name}.json").read_text())["Resources"].values()
    return [each["Properties"] for each in found if each["Type"] == kind]


def test_sam_makes_templates_of_them_that_are_right(translated: Path) -> None:
    lint(*sorted(translated.iterdir()))
    assert {path.stem for path in translated.iterdir()} == SAM.keys()


def test_sam_has_the_rest_api_stream(translated: Path) -> None:
    paths = only(made(translated, "rest-streaming", "AWS::ApiGateway::RestApi"))["Body"]["paths"]
    assert paths.keys() == {"/", "/{proxy+}"}
    for path in paths.values():
        integration = path["x-amazon-apigateway-any-method"]["x-amazon-apigateway-integration"]
        assert integration["responseTransferMode"] == "STREAM"
        assert integration["uri"]["Fn::Sub"].endswith("${Hello.Arn}/response-streaming-invocations")
        assert integration["timeoutInMillis"] == 300_000


def test_sam_lets_everybody_call_the_function_url_and_us_in_plain_cloudformation(translated: Path) -> None:
    theirs = made(translated, "function-url-streaming", "AWS::Lambda::Permission")
    ours = resources(CLOUDFORMATION["function-url-streaming"], "AWS::Lambda::Permission")
    assert sorted(theirs, key=str) == sorted(ours, key=str)


def test_sam_has_an_alias_called_where_versions_are_needed(translated: Path) -> None:
    for name in ("managed-instances", "snapstart"):
        body = json.dumps(only(made(translated, name, "AWS::ApiGatewayV2::Api"))["Body"])
        assert "functions/${HelloAliaslive}/invocations" in body
        assert len(made(translated, name, "AWS::Lambda::Version")) == 1


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The variables of whoever uses it."""
    with ministack(tmp_path_factory.mktemp("ministack"), "test") as address:
        yield {"AWS_ENDPOINT_URL": f"http://{address}", "AWS_DEFAULT_REGION": REGION}


def test_what_cloudformation_packages_is_right_and_becomes_stacks(tmp_path: Path, emulator: dict[str, str]) -> None:
    folder = Path(shutil.copytree(EXAMPLES / "cloudformation", tmp_path / "cloudformation"))
    archive = tmp_path / "app" / "dist" / "hello.zip"
    archive.parent.mkdir(parents=True)
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("hello/__init__.py", "")
    own = {name: os.environ[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
    client = {"endpoint_url": emulator["AWS_ENDPOINT_URL"], "region_name": REGION}
    boto3.client("s3", **client).create_bucket(
        Bucket="hello-zips", CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    formation = boto3.client("cloudformation", **client)
    for name in CLOUDFORMATION:
        packaged = tmp_path / f"{name}.yaml"
        subprocess.run(
            [
                *(tool("aws"), "cloudformation", "package", "--s3-bucket", "hello-zips"),
                *("--template-file", folder / f"{name}.yaml", "--output-template-file", packaged),
            ],
            env=variables(tmp_path, **emulator, **own),
            check=True,
            capture_output=True,
        )
        formation.create_stack(
            StackName=name, TemplateBody=packaged.read_text("utf-8"), Capabilities=["CAPABILITY_IAM"]
        )
    lint(*tmp_path.glob("*.yaml"))
    for name in CLOUDFORMATION:
        formation.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 30})
        (stack,) = formation.describe_stacks(StackName=name)["Stacks"]
        assert {"Url", "Function"} & {each["OutputKey"] for each in stack["Outputs"]}


# What has to agree


@pytest.mark.parametrize("path", ALL.values(), ids=ALL)
def test_a_function_has_what_each_has(path: Path) -> None:
    own = only(resources(path, *FUNCTIONS))
    log = only(resources(path, "AWS::Logs::LogGroup"))
    assert own["Architectures"] == ["arm64"]
    assert own["MemorySize"] >= 512
    assert own["LoggingConfig"] == {"LogFormat": "JSON", "LogGroup": {"Ref": "Logs"}}
    assert log["RetentionInDays"] == 30
    assert {"Url", "Function"} & parsed(path)["Outputs"].keys()
    if own.get("PackageType") != "Image":
        assert own.get("CodeUri", own.get("Code")) == "../app/dist/hello.zip"
        assert own["Runtime"] == "python3.13"


@pytest.mark.parametrize("path", ALL.values(), ids=ALL)
def test_the_wrapper_is_where_the_zip_has_it(path: Path) -> None:
    own = only(resources(path, *FUNCTIONS))
    if own.get("PackageType") != "Image":  # which sets it itself
        wrapper = own["Environment"]["Variables"]["AWS_LAMBDA_EXEC_WRAPPER"]
        assert os.access(wrapper.replace("/var/task", str(ROOT / "src")), os.X_OK)


@pytest.mark.parametrize(("name", "path"), ALL.items(), ids=ALL)
def test_both_sides_stream_or_none_does(name: str, path: Path) -> None:
    for function in describe(path).functions:
        said = function.env.get("LAMBENT_STREAM") == "1"
        assert function.stream is said is (name in STREAMING)


@pytest.mark.parametrize("path", ALL.values(), ids=ALL)
def test_a_function_ends_before_its_door_gives_up(path: Path) -> None:
    described = describe(path)
    doors = {each.name: each for each in described.entrances}
    for function in described.functions:
        for each in function.routes:
            door = doors[each.entrance]
            assert function.timeout <= (door.timeout or DOORS[door.kind])


def test_a_rest_api_lets_bytes_in() -> None:
    for path in ALL.values():
        for api in resources(path, "AWS::Serverless::Api"):
            assert [each.replace("~1", "/") for each in api["BinaryMediaTypes"]] == ["*/*"]


@pytest.mark.parametrize("path", [SAM["sqs"], CLOUDFORMATION["sqs"]], ids=["sam", "cloudformation"])
def test_messages_come_again_alone_and_not_for_ever(path: Path) -> None:
    described = describe(path)
    (source,) = described.sources
    assert source.partial
    queue = next(each for each in resources(path, "AWS::SQS::Queue") if "RedrivePolicy" in each)
    assert queue["VisibilityTimeout"] >= 6 * described.functions[0].timeout
    assert queue["RedrivePolicy"] == {"deadLetterTargetArn": {"Fn::GetAtt": ["Failed", "Arn"]}, "maxReceiveCount": 5}


@pytest.mark.parametrize("path", [SAM["websocket"], CLOUDFORMATION["websocket"]], ids=["sam", "cloudformation"])
def test_a_websocket_function_may_do_what_its_store_does_and_no_more(path: Path) -> None:
    statements = {each["Sid"]: each for each in statements_of(parsed(path)) if "Sid" in each}
    asked = NEEDS.partition(" on the table")[0].removeprefix("dynamodb:").replace(" and ", ", ").split(", ")
    assert statements["KeepConnections"]["Action"] == [f"dynamodb:{each}" for each in asked]
    table = only(resources(path, "AWS::DynamoDB::Table"))
    assert [each["AttributeName"] for each in table["KeySchema"]] == ["pk", "sk"]
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires", "Enabled": True}


def statements_of(value: object) -> Iterator[Any]:
    """Of all policies within."""
    if isinstance(value, dict):
        if "Effect" in value:
            yield value
        for each in value.values():
            yield from statements_of(each)
    elif isinstance(value, list):
        for each in value:
            yield from statements_of(each)


@pytest.mark.parametrize("path", ALL.values(), ids=ALL)
def test_no_policy_names_everything(path: Path) -> None:
    for each in statements_of(parsed(path)):
        actions = each["Action"] if isinstance(each["Action"], list) else [each["Action"]]
        assert not any("*" in action for action in actions)
        assert each.get("Resource") != "*"


def test_the_image_is_made_of_what_the_build_makes() -> None:
    resource = parsed(SAM["container-image"])["Resources"]["Hello"]
    assert resource["Metadata"]["DockerContext"] == f"../app/dist/hello{building.IMAGE.suffix}"
    handler = tomllib.loads((EXAMPLES / "app" / "pyproject.toml").read_text())["tool"]["lambent"]["build"]["handler"]
    assert resource["Properties"]["ImageConfig"]["Command"] == [handler.replace(":", ".")]


def test_managed_instances_fit_the_function() -> None:
    (function,) = describe(SAM["managed-instances"]).functions
    own, instances = (only(resources(SAM["managed-instances"], kind)) for kind in (FUNCTIONS[0], PROVIDER))
    config = own["CapacityProviderConfig"]
    assert function.concurrency == config["PerExecutionEnvironmentMaxConcurrency"] == 64
    assert own["MemorySize"] % (config["ExecutionEnvironmentMemoryGiBPerVCpu"] * 1024) == 0
    assert own["Architectures"] == instances["InstanceRequirements"]["Architectures"]


PROVIDER = "AWS::Serverless::CapacityProvider"


def test_snapstart_is_read() -> None:
    assert {name for name, path in SAM.items() if any(each.snapstart for each in describe(path).functions)} == {
        "snapstart"
    }


@pytest.mark.parametrize("path", ALL.values(), ids=ALL)
def test_nothing_is_told_of_that_would_be_wrong_on_aws(path: Path) -> None:
    """All that the local Lambda leaves out is what it has no need of, or says how to have here."""
    expected = (
        r"its code is in a container image|every body that is no text is binary here|not made here: AWS::"
        r"|AWS makes up the name of the queue|gets its name from AWS|limits of requests a second are not held"
    )
    assert [each for each in describe(path).notes if not re.search(expected, each)] == []


# Here


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalLambda]:
    """All of them in one local Lambda, as the stacks of one app."""
    folder = tmp_path_factory.mktemp("local")
    stacks = {
        name: {"type": "aws:cloudformation:stack", "properties": {"templateFile": str(path)}}
        for name, path in ALL.items()
    }
    (folder / "cdk.out").mkdir()
    (folder / "cdk.out" / "manifest.json").write_text(json.dumps({"artifacts": stacks}))
    store = f"sqlite:///{(folder / 'connections.db').as_posix()}"  # in place of the table
    (folder / ".env").write_text(f"LAMBENT_STORE={store}\n")
    subprocess.run([sys.executable, "-m", "lambent", "stores", "init", store], check=True)
    with LocalLambda(folder) as running:
        yield running


def host(local: LocalLambda, function: str) -> str:
    """Of the door that leads to it."""
    door = re.search(rf"^  {function} .* (\S+)$", local.output, re.MULTILINE)
    assert door, local.output
    return f"{door[1]}.localhost"


HTTP = {
    "sam-http-api": "HTTP API",
    "sam-rest-streaming": "REST API",
    "sam-function-url-streaming": "Function URL",
    "sam-alb": "Application Load Balancer, multi-value headers",
    "sam-managed-instances": "HTTP API",
    "sam-snapstart": "HTTP API",
    "cloudformation-http-api": "HTTP API",
    "cloudformation-function-url-streaming": "Function URL",
}


@pytest.mark.parametrize(("name", "door"), HTTP.items(), ids=HTTP)
def test_a_request_is_answered_through_its_door(local: LocalLambda, name: str, door: str) -> None:
    assert re.search(rf"^  {name}-Hello .*{re.escape(door)}", local.output, re.MULTILINE), local.output
    answer = local.get("/", host=host(local, f"{name}-Hello"))
    assert (answer.status, json.loads(answer.body)) == (200, {"hello": "world", "runtime": "Lambent's"})


@pytest.mark.parametrize("name", ["sam-rest-streaming", "sam-function-url-streaming"])
def test_bytes_and_streams_come_through(local: LocalLambda, name: str) -> None:
    where = host(local, f"{name}-Hello")
    pixel = local.get("/pixel.gif", host=where)
    assert (pixel.headers["content-type"], pixel.body[:6]) == ("image/gif", b"GIF89a")
    ticks = local.get("/ticks?count=2&pause=0", host=where)
    assert ticks.body == b"data: 0\n\ndata: 1\n\n"
    assert ticks.headers["content-length"] is None


def test_a_snapshot_is_restored_with_a_number_of_its_own(local: LocalLambda) -> None:
    answer = local.get("/environment", host=host(local, "sam-snapstart-Hello"))
    assert re.fullmatch(r"[0-9a-f]{8}", json.loads(answer.body)["environment"])


@pytest.mark.parametrize("name", ["sam-websocket", "cloudformation-websocket"])
def test_a_socket_is_kept_from_message_to_message(local: LocalLambda, name: str) -> None:
    uri = f"ws://{host(local, f'{name}-Hello')}:{local.port}/live?name=Ada"
    there = socket.create_connection(("127.0.0.1", local.port), LIMIT)
    with connect(uri, sock=there, open_timeout=LIMIT) as guest:
        for number in (1, 2):
            guest.send("hello")
            assert guest.recv(timeout=LIMIT) == f"Ada said: hello ({number})"


def invoke(local: LocalLambda, function: str, event: Mapping[str, object]) -> Answer:
    return local.ask("POST", f"/2015-03-31/functions/{function}/invocations", json.dumps(event).encode())


@pytest.mark.parametrize("name", ["sam-sqs", "cloudformation-sqs"])
def test_a_message_that_fails_fails_alone(local: LocalLambda, name: str) -> None:
    event = events.sqs({"id": 1, "item": "lamp"}, {"id": 2, "item": "nothing"}, queue=f"{name}-Orders")
    failed = event["Records"][1]["messageId"]
    answer = invoke(local, f"{name}-Hello", event)
    assert json.loads(answer.body) == {"batchItemFailures": [{"itemIdentifier": failed}]}


@pytest.mark.parametrize("name", ["sam-schedule", "cloudformation-schedule"])
def test_a_schedule_runs_its_function(local: LocalLambda, name: str) -> None:
    answer = invoke(local, f"{name}-Hello", events.schedule("Nightly", scheduler=True))
    assert json.loads(answer.body) == "reported"
    times = [each for each in json.loads(local.get("/_lambent/status").body)["sources"].values() if "next" in each]
    assert name in {"-".join(each["function"].split("-")[:2]) for each in times}
    assert {each["next"][11:16] for each in times} <= {"00:30", "01:30"}  # 2:30 in Berlin


# What is said of them


def test_the_table_of_the_readme_has_them_all() -> None:
    text = (EXAMPLES / "README.md").read_text("utf-8")
    named = set(re.findall(r"\]\((?P<path>[\w/.-]+)\)", text))
    assert {path.relative_to(EXAMPLES).as_posix() for path in ALL.values()} <= named
    assert [each for each in named if not (EXAMPLES / each).exists()] == []
