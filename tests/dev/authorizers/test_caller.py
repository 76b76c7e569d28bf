from pathlib import Path

import pytest

from lambent.dev.authorizers import caller
from lambent.dev.authorizers.caller import IAM, NOBODY, Caller
from lambent.dev.model import Authorizer
from lambent.errors import ConfigurationError

ACCOUNT = "123456789012"
AUTHORIZER = Authorizer("users", "jwt", issuer="https://me", audience=("shop",))


def read(folder: Path, text: str) -> Caller:
    file = folder / "user.json"
    file.write_text(text, "utf-8")
    return caller.read(file)


def test_a_caller_is_read(tmp_path: Path) -> None:
    text = """{
        "claims": {"sub": "ada", "groups": ["a"]},
        "iam": {"userArn": "arn:aws:iam::1:user/ada", "accountId": "1"},
        "cognito": {"identityId": "i", "identityPoolId": "p"}
    }"""
    found = read(tmp_path, text)
    assert found.signed(ACCOUNT) == {
        "accessKey": "ASIAIOSFODNN7EXAMPLE",
        "accountId": "1",
        "callerId": "AIDAIOSFODNN7EXAMPLE",
        "cognitoIdentity": {"amr": ["authenticated"], "identityId": "i", "identityPoolId": "p"},
        "principalOrgId": None,
        "userArn": "arn:aws:iam::1:user/ada",
        "userId": "AIDAIOSFODNN7EXAMPLE",
    }
    assert found.claims == {"sub": "ada", "groups": ["a"]}


def test_claims_get_what_the_authorizer_wants(tmp_path: Path) -> None:
    found = read(tmp_path, '{"claims": {"sub": "ada", "exp": 7}}')
    assert found.claimed(AUTHORIZER, 100) == {"iss": "https://me", "aud": "shop", "iat": 100, "exp": 7, "sub": "ada"}


def test_nobody_is_nobody() -> None:
    assert NOBODY.signed(ACCOUNT) is None
    assert NOBODY.claimed(AUTHORIZER, 0) is None


def test_a_signature_is_told_as_aws_does() -> None:
    told = caller.signature(IAM(access_key="AKIAABCDEFGHIJKLMNOP"), ACCOUNT)
    assert told["accessKey"] == "AKIAABCDEFGHIJKLMNOP"
    assert told["userArn"] == f"arn:aws:iam::{ACCOUNT}:user/local"
    assert told["callerId"] == told["userId"] == "AIDAABCDEFGHIJKLMNOP"
    assert told["cognitoIdentity"] is None


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "Input data was truncated"),
        ("[]", "expected `object`, got `array`"),
        ('{"claim": {}}', "unknown field `claim`"),
        ('{"claims": []}', "expected `object | null`, got `array` - at `$.claims`"),
        ('{"iam": {"arn": "x"}}', "unknown field `arn` - at `$.iam`"),
        ('{"cognito": {"identityId": "i"}}', "missing required field `identityPoolId`"),
    ],
)
def test_what_is_no_caller_is_named(text: str, complaint: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read(tmp_path, text)
    message = str(caught.value)
    assert message.startswith(f"{tmp_path / 'user.json'}: expected an object with claims, iam or cognito, but ")
    assert complaint.lower() in message.lower()


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"none\.json: expected a file with a caller's identity: No such file"):
        caller.read(tmp_path / "none.json")
