"""Functions by every name that AWS takes."""

import pytest

from lambent.dev.invoke_api.api_errors import APIError
from lambent.dev.invoke_api.function_names import find
from lambent.dev.model import Function

F = Function("my-func", "app.handler", region="eu-central-1")
FUNCTIONS = {"my-func": F, "other": Function("other", "app.handler")}
ARN = "arn:aws:lambda:eu-central-1:123456789012:function:my-func"


@pytest.mark.parametrize(
    "name",
    [
        "my-func",
        "function:my-func",
        "123456789012:function:my-func",
        "123456789012:my-func",
        ARN,
        "arn:aws-us-gov:lambda:us-gov-west-1:210987654321:function:my-func",
    ],
)
@pytest.mark.parametrize(
    ("suffix", "qualifier", "arn"),
    [
        ("", "", ARN),
        (":$LATEST", "", f"{ARN}:$LATEST"),
        ("", "$LATEST", f"{ARN}:$LATEST"),
        (":$LATEST", "$LATEST", f"{ARN}:$LATEST"),
    ],
)
def test_a_function_is_found(name: str, suffix: str, qualifier: str, arn: str) -> None:
    named = find(name + suffix, qualifier, FUNCTIONS)
    assert named.function is F
    assert named.arn == arn


@pytest.mark.parametrize(
    ("name", "qualifier", "status", "error_type", "words"),
    [
        (
            "nobody",
            "",
            404,
            "ResourceNotFoundException",
            "function:nobody:$LATEST. The local Lambda has: my-func, other.",
        ),
        (ARN + "x", "", 404, "ResourceNotFoundException", "Function not found: arn:aws:lambda:eu-central-1:"),
        ("my-func:prod", "", 404, "ResourceNotFoundException", f"{ARN}:prod. The local Lambda has no aliases"),
        ("my-func", "7", 404, "ResourceNotFoundException", f"{ARN}:7. The local"),
        ("my-func:a", "b", 400, "InvalidParameterValueException", "derived qualifier"),
        ("a b", "", 400, "ValidationException", "Value 'a b' at 'functionName'"),
        ("arn:aws:s3:::bucket", "", 400, "ValidationException", "full ARN of a function"),
        ("", "", 400, "ValidationException", "at 'functionName'"),
    ],
)
def test_what_is_not_there_is_told(name: str, qualifier: str, status: int, error_type: str, words: str) -> None:
    with pytest.raises(APIError) as raised:
        find(name, qualifier, FUNCTIONS)
    assert (raised.value.status, raised.value.error_type) == (status, error_type)
    assert words in raised.value.body.decode()


def test_a_version_that_a_function_has_is_found() -> None:
    assert find("f:3", "", {"f": Function("f", "app.handler", version="3")}).arn.endswith(":f:3")


def test_where_nothing_is_nothing_is_found() -> None:
    with pytest.raises(APIError) as raised:
        find("f", "", {})
    assert b"The local Lambda has: none." in raised.value.body
