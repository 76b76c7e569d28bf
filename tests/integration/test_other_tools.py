"""Services described in files of other tools: `lambent dev` alone, in their folders."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from textwrap import dedent

import pytest

from tests.dev.local import LocalLambda
from tests.dev.templates.described import DATA
from tests.integration.newcomer import tool, variables


def test_the_sam_template_is_one() -> None:
    """To the linter that AWS keeps for templates."""
    lint = subprocess.run(
        [tool("cfn-lint"), DATA / "sam" / "template.yaml"],
        env=variables(DATA),
        capture_output=True,
        text=True,
        check=False,
    )
    assert lint.returncode == 0, lint.stdout


@pytest.mark.parametrize(
    ("kind", "path", "answer"),
    [
        ("sam", "/", {"word": "hello", "table": "items-dev", "path": "/"}),
        ("serverless", "/items/7", {"word": "hello", "table": "items-dev", "path": "/items/7"}),
        ("cdk", "/items/7", {"word": "hello", "table": "Table", "path": "/items/7"}),
        ("terraform", "/hello", {"word": "hello", "table": "items", "path": "/hello"}),
    ],
)
def test_the_service_starts_in_its_folder(tmp_path: Path, kind: str, path: str, answer: dict[str, str]) -> None:
    folder = Path(shutil.copytree(DATA / kind, tmp_path / kind))
    if kind == "terraform":  # where the name of a table is known after the apply only
        (folder / ".env").write_text("TABLE=items")
    with LocalLambda(folder) as local:
        status, _, body = local.get(path)
    assert (status, json.loads(body)) == (200, answer)


QUICK_STARTS = {
    "template.yaml": """
        AWSTemplateFormatVersion: '2010-09-09'
        Transform: AWS::Serverless-2016-10-31
        Globals:
          Function:
            Timeout: 3
            LoggingConfig:
              LogFormat: JSON
        Resources:
          HelloWorldFunction:
            Type: AWS::Serverless::Function
            Properties:
              CodeUri: hello_world/
              Handler: app.lambda_handler
              Runtime: python3.13
              Events:
                HelloWorld:
                  Type: Api
                  Properties:
                    Path: /hello
                    Method: get
        """,
    "serverless.yml": """
        service: hello
        provider:
          name: aws
          runtime: python3.13
        functions:
          hello:
            handler: hello_world/app.lambda_handler
            events:
              - httpApi:
                  path: /hello
                  method: get
        """,
}
"""Of the form that `sam init` and `serverless` make."""

APP = """
import json

def lambda_handler(event, context):
    return {"statusCode": 200, "body": json.dumps({"message": "hello world"})}
"""


@pytest.mark.parametrize("name", QUICK_STARTS)
def test_a_new_project_answers_and_follows_its_template(tmp_path: Path, name: str) -> None:
    (tmp_path / "hello_world").mkdir()
    (tmp_path / "hello_world" / "app.py").write_text(APP)
    (tmp_path / name).write_text(dedent(QUICK_STARTS[name]))
    with LocalLambda(tmp_path) as local:
        assert json.loads(local.get("/hello").body) == {"message": "hello world"}
        text = (tmp_path / name).read_text()
        (tmp_path / name).write_text(text.replace(": /hello", ": /welcome"))
        local.until(lambda: local.get("/welcome").status == 200)
