"""`${…}` of `serverless.yml`."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.dev.templates import yaml_tables
from lambent.dev.templates.serverless_variables import Variables
from lambent.dev.templates.tables import Notes, Table
from lambent.errors import ConfigurationError

DOCUMENT = """\
custom:
  name: shop
  both: ${self:custom.name}-${sls:stage}
  sizes: {dev: 3, live: 9}
  list: [a, {b: c}]
  other: ${self:custom.sizes}
  a: ${self:custom.b}
  b: ${self:custom.a}
  flag: "true"
params:
  default: {key: usual}
  dev: {key: own}
"""


def read_file(path: str) -> object:
    if path != "./x.yml":
        raise ValueError(f"there is no file {path}")
    return Table({"deep": Table({"name": "${self:custom.name}"})})


def variables(options: dict[str, str] | None = None) -> Variables:
    document = yaml_tables.read(DOCUMENT, Notes("s.yml"), "1.2")
    assert isinstance(document, Table)
    return Variables(
        document,
        Notes("s.yml"),
        options=options or {},
        environ={"HOME": "/me"},
        known={"sls:stage": "dev", "aws:region": "eu-west-1"},
        read_file=read_file,
    )


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("plain", "plain"),
        ("${self:custom.name}", "shop"),
        ("${self:custom.both}!", "shop-dev!"),
        ("${self:custom.sizes.${sls:stage}}", 3),
        ("${self:custom.other.live}", 9),
        ("${self:custom.list.1.b}", "c"),
        ("${opt:stage, self:custom.nothing, 'dev, really'}", "dev, really"),
        ("${opt:size, 7}", 7),
        ("${env:HOME}/x", "/me/x"),
        ("${env:NOTHING, null}", None),
        ("${aws:region}", "eu-west-1"),
        ("${opt:stage, self:provider.stage}", "dev"),
        ("${param:key}", "own"),
        ("${file(./x.yml):deep.name}", "shop"),
        ("${file(./y.yml):deep, file(./x.yml):deep.name}", "shop"),
        ("${strToBool(${self:custom.flag})}", True),
        ("${AWS::Region}-${LogicalId}-${sls:stage}", "${AWS::Region}-${LogicalId}-dev"),
    ],
)
def test_values(text: str, value: object) -> None:
    assert variables().resolved(text) == value


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("${opt:stage}", "${opt:stage}: --parameter stage=VALUE sets it"),
        ("x-${env:NOTHING}", "${env:NOTHING}: the variable NOTHING is not set"),
        ("${self:custom.nothing}", "${self:custom.nothing}: there is no custom.nothing"),
        ("${ssm:/a/b}", "${ssm:/a/b}: ssm is known on AWS only"),
        ("${cf:stack.Output}", "${cf:stack.Output}: cf is known on AWS only"),
        ("${file(./gone.yml)}", "${file(./gone.yml)}: there is no file ./gone.yml"),
        ("x${self:custom.sizes}", "${self:custom.sizes} is no text"),
        ("${self:}", "${self:}: the whole file is too much"),
    ],
)
def test_what_has_no_value_says_why(text: str, why: str) -> None:
    assert variables().resolved(text) == {"Fn::Unknown": why}


def test_options_come_first() -> None:
    assert variables({"stage": "live"}).resolved("${opt:stage, 'dev'}") == "live"
    assert variables({"key": "typed"}).resolved("${param:key}") == "typed"


def test_circles_are_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"self:custom\.a → self:custom\.b → self:custom\.a"):
        variables().resolved("${self:custom.a}", 7)


@given(st.text("${}:,'() ab.", max_size=30))
def test_any_text_has_an_end(text: str) -> None:
    variables().resolved(text)
