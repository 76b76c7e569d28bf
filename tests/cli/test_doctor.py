"""`lambent doctor`, typed."""

import json
from pathlib import Path

import pytest

from tests.cli.terminal import Terminal

FINE = "def handler(event, context): ...\n"
TEMPLATE = """\
Resources:
  Shop:
    Type: AWS::Lambda::Function
    Properties: { Code: ., Handler: app.handler, Runtime: provided.al2023, MemorySize: 512, Timeout: TIMEOUT }
  Url: { Type: AWS::Lambda::Url, Properties: { TargetFunctionArn: !Ref Shop, AuthType: NONE } }
"""


def test_what_is_right(terminal: Terminal, folder: Path) -> None:
    (folder / "app.py").write_text(FINE)
    (folder / "template.yaml").write_text(TEMPLATE.replace("TIMEOUT", "29"))
    left = terminal.type("doctor")
    assert (left.code, left.text.splitlines()[-1]) == (0, "Nothing found.")
    assert "Its imports," in left.text


def test_what_is_wrong(terminal: Terminal, folder: Path) -> None:
    (folder / "template.yaml").write_text(
        TEMPLATE.replace("TIMEOUT", "29").replace("512", "512, ReservedConcurrentExecutions: 0")
    )
    left = terminal.type("doctor", "--no-load")
    assert left.code == 1
    assert "template.yaml:4: a reserved concurrency of 0 throttles every invocation" in left.text
    left = terminal.type("doctor", "--no-load", "--json")
    assert left.code == 1
    assert [each["check"] for each in json.loads(left.text)["findings"]] == ["concurrency-zero"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "Expected a template, functions in [tool.lambent], or a TARGET"),
        (["app:app", "--parameter", "A=b"], "go without a TARGET"),
        (["app"], "expected module:name"),
        (["--artefact", "x.zip"], "does not exist"),
    ],
)
def test_what_is_not_understood(terminal: Terminal, folder: Path, arguments: list[str], said: str) -> None:
    left = terminal.type("doctor", *arguments)
    assert left.code == 2
    assert said in left.text
