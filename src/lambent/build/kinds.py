"""What `lambent init` makes: kinds of applications, and tools that put them on AWS."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """What an application is.

    - `door`: what leads to it on AWS, by the names of the files of tools
    - `function`: lines of [tool.lambent.functions.NAME], beside the handler
    - `ask`: a command that calls it, while `lambent dev` runs
    """

    about: str
    door: str
    requires: tuple[str, ...]
    function: str
    ask: str


@dataclass(frozen=True, slots=True)
class Tool:
    """What puts it on AWS.

    - `files`: in the project → in `starters`
    - `group`: requirements of its own
    - `ignored`: what it leaves behind, which no repository should hold
    """

    about: str
    files: Mapping[str, str]
    ignored: tuple[str, ...] = ()
    group: tuple[str, ...] = ()


HTTP = """timeout = 29 # an HTTP API waits for 30 seconds, and no longer
door = "http"
routes = ["$default"] # every method and path"""
SOCKETS = """timeout = 29 # what a WebSocket API waits
routes = [
  { route = "$connect", door = "websocket" },
  { route = "$default", door = "websocket" },
  { route = "$disconnect", door = "websocket" },
]"""
CURL = "curl 'http://127.0.0.1:3000/items/7?size=large'"
SEND = """lambent event sqs --body '{"id": 7, "item": "lamp"}' | lambent invoke @name@ --event -"""
TALK = "python -m websockets 'ws://127.0.0.1:3000/local?name=Ada'"

KINDS = {
    "fastapi": Kind("An HTTP API in FastAPI.", "http", ("fastapi>=0.115",), HTTP, CURL),
    "api": Kind("An HTTP API in lambent.api.", "http", (), HTTP, CURL),
    "events": Kind("A function for the messages of a queue.", "sqs", (), "timeout = 60 # for a whole batch", SEND),
    "websocket": Kind("A WebSocket API in FastAPI.", "websocket", ("fastapi>=0.115",), SOCKETS, TALK),
}

TOOLS = {
    "sam": Tool("AWS SAM", {"template.yaml": "sam/@door@.yaml"}, (".aws-sam/",)),
    "cloudformation": Tool("CloudFormation", {"template.yaml": "cloudformation/@door@.yaml"}, ("packaged.yaml",)),
    "serverless": Tool("the Serverless Framework", {"serverless.yml": "serverless/@door@.yml"}, (".serverless/",)),
    "cdk": Tool(
        "the AWS CDK",
        {"infra/stack.py": "cdk/@door@.py", "cdk.json": "cdk/cdk.json"},
        ("cdk.out/",),
        ("aws-cdk-lib>=2.220,<3", "constructs>=10,<11"),
    ),
    "terraform": Tool(
        "Terraform",
        {"main.tf": "terraform/@door@.tf", "function.tf": "terraform/function.tf"},
        (".terraform/", "*.tfstate*"),
    ),
    "none": Tool("", {}),
}
