"""Stacks of AWS CloudFormation in ministack, of the templates in examples/deploy, with zips that were built."""

from __future__ import annotations

import json
import platform
import re
import subprocess
import sys
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPMessage
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import boto3

from tests.dev.local import LIMIT
from tests.integration.newcomer import tool, variables
from tests.integration.test_deploy_templates import CLOUDFORMATION, SAM, TRANSLATE, parsed

REGION = "us-east-1"

BUCKET = "zips"
POLL = {"Delay": 0.1, "MaxAttempts": 200}
PYTHON = "python{}.{}".format(*sys.version_info)
ARCHITECTURE = {"aarch64": "arm64"}.get(platform.machine(), platform.machine())


class Answer(NamedTuple):
    status: int
    headers: HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Stack:
    """One that is there, and its front door."""

    def __init__(self, place: str, outputs: Mapping[str, str]) -> None:
        self.place = place
        self.outputs = outputs

    def ask(self, path: str, method: str = "GET", body: bytes | None = None, **headers: str) -> Answer:
        """A real request: to the emulator, for the host that AWS's address names."""
        url = urlsplit(self.outputs["Url"])
        host = re.sub(r"(?<=\.execute-api\.).*", f"localhost:{self.place.partition(':')[2]}", url.netloc)
        connection = HTTPConnection(self.place, timeout=LIMIT)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            connection.request(
                method, url.path.removesuffix("/") + path, body, {"Host": host, "Accept": "*/*", **named}
            )
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        finally:
            connection.close()

    @property
    def socket(self) -> str:
        """The address of the WebSocket API."""
        url = urlsplit(self.outputs["Url"])
        return f"ws://{self.place}/_aws/execute-api/{url.netloc.partition('.')[0]}{url.path}"


class Stacks:
    """What is deployed in one emulator, from the zips of both forms."""

    def __init__(self, place: str, zips: Mapping[str, Path], translated: Path) -> None:
        self.place = place
        self._translated = translated
        self._formation = self.client("cloudformation")
        storage = self.client("s3")
        storage.create_bucket(Bucket=BUCKET)
        for runtime, path in zips.items():
            storage.put_object(Bucket=BUCKET, Key=f"{runtime}.zip", Body=path.read_bytes())

    def client(self, service: str) -> Any:
        return boto3.client(service, endpoint_url=f"http://{self.place}", region_name=REGION)

    def create(self, name: str, runtime: str, *, stream: bool = False) -> str:
        """Begin the stack of a template, with the zip of a runtime."""
        template = self._template(name)
        here = f"http://{self.place}"
        for function in of_type(template, "AWS::Lambda::Function"):
            function["Code"] = {"S3Bucket": BUCKET, "S3Key": f"{runtime}.zip"}
            function |= {"Runtime": runtime, "Architectures": [ARCHITECTURE]}
            function["Handler"] = function["Handler"].replace("hello.web.", "hello.more.")
            given = function["Environment"]["Variables"]
            given["AWS_ENDPOINT_URL"] = here
            if name == "websocket":
                managed = {"Fn::Sub": f"{here}/_aws/execute-api/${{Socket}}/live"}
                given["AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI"] = managed
        if not stream:
            buffer(template)
        for adapt in ADAPTATIONS:
            adapt(template)
        parameters = template.get("Parameters", {})
        stack = f"{name}-{runtime.replace('.', '-')}{'-stream' * stream}"
        self._formation.create_stack(
            StackName=stack,
            TemplateBody=json.dumps(template),
            Parameters=[{"ParameterKey": key, "ParameterValue": self._network(key)} for key in parameters],
            Capabilities=["CAPABILITY_IAM"],
        )
        return stack

    def wait(self, stack: str) -> Stack:
        self._formation.get_waiter("stack_create_complete").wait(StackName=stack, WaiterConfig=POLL)
        (described,) = self._formation.describe_stacks(StackName=stack)["Stacks"]
        outputs = {each["OutputKey"]: each["OutputValue"] for each in described["Outputs"]}
        found = self._formation.describe_stack_resources(StackName=stack)["StackResources"]
        made = {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in found}
        if "Target" in made:  # ministack registers none of those in the template
            self._register(made["Target"], made["Hello"])
        return Stack(self.place, made | outputs)

    def _register(self, target: str, function: str) -> None:
        arn = self.client("lambda").get_function(FunctionName=function)["Configuration"]["FunctionArn"]
        self.client("elbv2").register_targets(TargetGroupArn=target, Targets=[{"Id": arn}])

    def delete_all(self) -> None:
        names = [each["StackName"] for each in self._formation.describe_stacks()["Stacks"]]
        for name in names:
            self._formation.delete_stack(StackName=name)
        for name in names:
            self._formation.get_waiter("stack_delete_complete").wait(StackName=name, WaiterConfig=POLL)

    def _template(self, name: str) -> Any:
        """CloudFormation's own, or what AWS makes of that of SAM."""
        if name in CLOUDFORMATION:
            return parsed(CLOUDFORMATION[name])
        return json.loads((self._translated / f"{name}.json").read_text("utf-8"))

    def _network(self, parameter: str) -> str:
        """Of the account that nobody has changed."""
        found = self.client("ec2").describe_subnets()["Subnets"]
        return str(found[0]["VpcId"]) if parameter == "Vpc" else ",".join(each["SubnetId"] for each in found[:2])


def of_type(template: Any, kind: str) -> list[Any]:
    """The properties of each resource of a type."""
    return [each["Properties"] for each in template["Resources"].values() if each["Type"] == kind]


# What ministack cannot do, said in another way


def buffer(template: Any) -> None:
    """It runs no wrapper: its managed runtime is AWS's own, which does not stream. Of streams it loses cookies."""
    for url in of_type(template, "AWS::Lambda::Url"):
        url["InvokeMode"] = "BUFFERED"
    for function in of_type(template, "AWS::Lambda::Function"):
        function["Environment"]["Variables"].pop("LAMBENT_STREAM", None)


def spell_methods(template: Any) -> None:
    """Of OpenAPI it does not know two of AWS's extensions, and no integrations that stream."""
    for api in of_type(template, "AWS::ApiGateway::RestApi"):
        api["BinaryMediaTypes"] = api["Body"]["x-amazon-apigateway-binary-media-types"]
        api["Body"]["paths"] = {name: spelt(methods) for name, methods in api["Body"]["paths"].items()}


def spelt(methods: Any) -> dict[str, Any]:
    method = methods["x-amazon-apigateway-any-method"]
    integration = method["x-amazon-apigateway-integration"]
    del integration["responseTransferMode"]
    uri = integration["uri"]["Fn::Sub"].replace("response-streaming-invocations", "invocations")
    integration["uri"] = {"Fn::Sub": uri.replace("2021-11-15", "2015-03-31")}
    return dict.fromkeys(("get", "post"), method)


def hurry(template: Any) -> None:
    """So that nobody waits for minutes until a message comes again."""
    for queue in of_type(template, "AWS::SQS::Queue"):
        if "RedrivePolicy" in queue:
            queue["VisibilityTimeout"] = 2
            queue["RedrivePolicy"]["maxReceiveCount"] = 2


ADAPTATIONS = (spell_methods, hurry)


def translate(folder: Path, *names: str) -> Path:
    """Templates of SAM in plain CloudFormation, by AWS's own translator."""
    for name in names:
        (folder / f"{name}.json").write_text(json.dumps(parsed(SAM[name])), "utf-8")
    ran = subprocess.run(
        [tool("ministack").with_name("python"), "-c", TRANSLATE, folder],
        env=variables(folder, AWS_DEFAULT_REGION=REGION),
        check=False,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    return folder
