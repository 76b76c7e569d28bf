"""CloudFormation's intrinsic functions, by what they make of a variable."""

from pathlib import Path

import pytest

from lambent.errors import ConfigurationError
from tests.dev.templates.described import Folder

BEFORE = """
Parameters:
  Stage: { Type: String, Default: dev }
  Names: { Type: CommaDelimitedList, Default: "a, b,c" }
  Bare: { Type: String }
  Kept: { Type: "AWS::SSM::Parameter::Value<String>", Default: /shop/key }
Mappings:
  Sizes: { dev: { large: 9 } }
Conditions:
  IsDev: !Equals [!Ref Stage, dev]
  IsLive: !Not [!Condition IsDev]
  Both: !And [!Condition IsDev, !Condition IsLive]
  Either: !Or [!Condition IsDev, !Condition IsLive]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


@pytest.mark.parametrize(
    ("value", "made"),
    [
        ("!Ref Stage", "dev"),
        ("!Ref AWS::Region", "us-east-1"),
        ("!Ref AWS::AccountId", "123456789012"),
        ("!Ref AWS::NoValue", None),
        ("!Ref Table", "items"),
        ("!GetAtt Table.Arn", "arn:aws:dynamodb:us-east-1:123456789012:table/items"),
        ("!GetAtt F.Arn", "arn:aws:lambda:us-east-1:123456789012:function:F"),
        ("!Sub '${Stage}-${Table}-${AWS::Partition}-${!kept}'", "dev-items-aws-${kept}"),
        ("!Sub ['${x}/${Stage}', {x: !Ref Table}]", "items/dev"),
        ("!Join ['-', [a, !Ref Stage, 7]]", "a-dev-7"),
        ("!Join ['-', !Ref Names]", "a-b-c"),
        ("!Select [1, !Ref Names]", "b"),
        ("!Select [0, !Split ['/', 'x/y']]", "x"),
        ("!FindInMap [Sizes, !Ref Stage, large]", "9"),
        ("!FindInMap [Sizes, live, large, {DefaultValue: 3}]", "3"),
        ("!If [IsDev, yes1, no1]", "yes1"),
        ("!If [IsLive, yes1, !If [Both, x, !If [Either, y, z]]]", "y"),
        ("!If [IsLive, !Ref Bare, known]", "known"),
        ("!Base64 hello", "aGVsbG8="),
        ("!Length [1, 2]", "2"),
        ("!ToJsonString {a: !Ref Stage}", '{"a":"dev"}'),
        ("true", "true"),
        ("1.50", "1.5"),
    ],
)
def test_values(folder: Folder, value: str, made: str | None) -> None:
    assert folder.variable(value, BEFORE) == made


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("!Ref Bare", "the parameter Bare has no default: --parameter Bare=VALUE sets it"),
        ("!Ref Kept", "the parameter Kept is kept in AWS: --parameter Kept=VALUE sets it"),
        ("!ImportValue other", "other is what another stack exports"),
        ("!GetAtt Table.StreamArn", "StreamArn of Table is known once AWS has made it"),
        ("!Ref Nobody", "there is no parameter and no resource Nobody"),
        ("'{{resolve:ssm:/x}}'", "{{resolve:ssm:/x}} is known on AWS only"),
        ("!Cidr [a, b, c]", "Fn::Cidr is not understood here"),
        ("!Transform {Name: x}", "Fn::Transform is not understood here"),
    ],
)
def test_what_only_aws_knows_is_told_and_left_out(folder: Folder, value: str, why: str) -> None:
    assert folder.variable(value, BEFORE) is None
    told = folder.describe((folder.path / "template.yaml").read_text()).notes
    line = (folder.path / "template.yaml").read_text().split("\n").index("  F:") + 4
    assert f"template.yaml:{line}: F.Environment.Variables.X: {why}; left out." in told


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("!Join [a]", "Fn::Join cannot be read"),
        ("!Select [9, [a]]", "Fn::Select cannot be read"),
        ("!Select [x, [a]]", "Fn::Select cannot be read"),
        ("!If [Nothing, a, b]", "Fn::If cannot be read: there is no condition 'Nothing'"),
        ("!FindInMap [Sizes, live, large]", "there is no Sizes.live.large in Mappings"),
        ("!Sub [1]", "Fn::Sub cannot be read"),
    ],
)
def test_what_is_written_wrong_is_refused(folder: Folder, value: str, says: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^template\.yaml:\d+: ") as told:
        folder.variable(value, BEFORE)
    assert says in str(told.value)


QUEUE_AND_BUCKET = """
Resources:
  A: { Type: AWS::SQS::Queue, Properties: { QueueName: !Ref B } }
  B: { Type: AWS::S3::Bucket, Properties: { BucketName: !Sub "${A.QueueName}" } }
  U: { Type: AWS::Lambda::Url, Properties: { TargetFunctionArn: !GetAtt A.Arn } }
"""


@pytest.mark.parametrize(
    "text",
    [
        "Conditions: {A: !Condition B, B: !Not [!Condition A]}\nResources: {F: {Type: T, Condition: A}}",
        QUEUE_AND_BUCKET,
    ],
)
def test_circles_are_refused(folder: Folder, text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"expected values that do not refer to themselves, but got .* → "):
        folder.describe(text)


def test_values_that_double_each_time_have_an_end(folder: Folder) -> None:
    made = "Q{}: {{Type: AWS::SQS::Queue, Properties: {{QueueName: !Sub '${{Q{}.QueueName}}x${{Q{}.QueueName}}'}}}}"
    rows = [made.format(number, number - 1, number - 1) for number in range(1, 40)]
    text = "\n".join(["Q0: {Type: AWS::SQS::Queue, Properties: {QueueName: q}}", *rows])
    url = "U: {Type: AWS::Lambda::Url, Properties: {TargetFunctionArn: !GetAtt Q39.QueueName}}"
    with pytest.raises(ConfigurationError, match="it makes a text of more than 1,000,000 characters"):
        folder.resources(f"{text}\n{url}")


def test_parameters_are_given(folder: Folder) -> None:
    text = "Parameters: {P: {Type: Number, Default: 3}}\n"
    made = "    Properties: { Handler: app.handler, Runtime: python3.13, Code: ., Timeout: !Ref P }"
    template = f"{text}Resources:\n  F:\n    Type: AWS::Lambda::Function\n{made}"
    assert folder.describe(template).functions[0].timeout == 3
    described = folder.describe(template, P="8", Q="1")
    assert described.functions[0].timeout == 8
    assert "template.yaml: --parameter Q: there is no such parameter." in described.notes
