"""Files of other tools, read for tests."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

from lambent.dev.model import Entrance, Function, Route
from lambent.dev.templates.reading import Around, Described, read

DATA = Path(__file__).parents[2] / "data" / "templates"
SAM, SERVERLESS = DATA / "sam" / "template.yaml", DATA / "serverless" / "serverless.yml"
CDK, TERRAFORM = DATA / "cdk" / "cdk.out", DATA / "terraform" / "plan.json"
BASE = Function("", "", python="python3.13")


def describe(file: Path, *, environ: dict[str, str] | None = None, **parameters: str) -> Described:
    return read(file, Around(file.parent, BASE, environ or {}, parameters))


class Folder:
    """A project's folder, with `app.py` in it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        (path / "app.py").touch()

    def describe(self, text: str, name: str = "template.yaml", **parameters: str) -> Described:
        (self.path / name).write_text(dedent(text), "utf-8")
        return read(self.path / name, Around(self.path, BASE, {}, parameters))

    def resources(self, text: str, **parameters: str) -> Described:
        """Of a template with these resources, and the function F."""
        return self.describe(FUNCTION + indented(text), **parameters)

    def variable(self, value: str, before: str = "") -> str | None:
        """What a variable of a function becomes that is written so."""
        template = f"""{dedent(before)}
Resources:
  Table: {{ Type: AWS::DynamoDB::Table, Properties: {{ TableName: items }} }}
  F:
    Type: AWS::Serverless::Function
    Properties:
      {{ Handler: app.handler, Runtime: python3.13, CodeUri: ., Environment: {{ Variables: {{ X: {value} }} }} }}
"""
        return self.describe(template).functions[0].env.get("X")


FUNCTION = """\
Resources:
  F:
    Type: AWS::Lambda::Function
    Properties: { Handler: app.handler, Runtime: python3.13, Code: . }
"""


def indented(text: str) -> str:
    return "".join(f"  {line}\n" for line in dedent(text).strip("\n").split("\n"))


def function(described: Described, name: str) -> Function:
    return next(each for each in described.functions if each.name == name)


def entrance(described: Described, name: str) -> Entrance:
    return next(each for each in described.entrances if each.name == name)


def routes(function: Function) -> set[tuple[str, str, str]]:
    return {(each.entrance, each.method, each.path) for each in function.routes}


def route(function: Function, path: str) -> Route:
    return next(each for each in function.routes if each.path == path)
