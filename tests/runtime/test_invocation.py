"""The headers of `next` as the context that a handler is given."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambent.errors import InvalidResult, RuntimeAPIError
from lambent.runtime.invocation import LambdaContext

ENVIRON = {
    "AWS_LAMBDA_FUNCTION_NAME": "hello",
    "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
    "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/hello",
    "AWS_LAMBDA_LOG_STREAM_NAME": "2026/01/01/[$LATEST]0",
}


def context(clock: float = 0.0, **headers: str) -> LambdaContext:
    """A context of these headers, each without its `lambda-runtime-`."""
    names = {"aws-request-id": "id-1"} | {name.replace("_", "-"): value for name, value in headers.items()}
    return LambdaContext({f"lambda-runtime-{name}": value for name, value in names.items()}, ENVIRON, lambda: clock)


def test_headers_and_variables_become_attributes() -> None:
    given = context(
        invoked_function_arn="arn:aws:lambda:eu-west-1:1:function:hello",
        aws_tenant_id="blue",
        cognito_identity='{"cognitoIdentityId": "i", "cognitoIdentityPoolId": "p"}',
        client_context='{"custom": {"a": 1}, "env": {"make": "m"}, "client": {"app_title": "t", "else": 1}}',
    )

    assert given.aws_request_id == "id-1"
    assert given.invoked_function_arn == "arn:aws:lambda:eu-west-1:1:function:hello"
    assert given.tenant_id == "blue"
    assert (given.function_name, given.function_version, given.memory_limit_in_mb) == ("hello", "$LATEST", "128")
    assert (given.log_group_name, given.log_stream_name) == ("/aws/lambda/hello", "2026/01/01/[$LATEST]0")
    assert (given.identity.cognito_identity_id, given.identity.cognito_identity_pool_id) == ("i", "p")
    assert (given.client_context.custom, given.client_context.env) == ({"a": 1}, {"make": "m"})
    assert given.client_context.client.app_title == "t"
    assert given.client_context.client.installation_id is None


def test_what_is_not_sent_is_empty() -> None:
    given = LambdaContext({"lambda-runtime-aws-request-id": "id-1"}, {}, lambda: 0.0)

    assert given.client_context is given.tenant_id is given.identity.cognito_identity_id is None
    assert given.invoked_function_arn == given.function_name == given.memory_limit_in_mb == ""
    assert given.get_remaining_time_in_millis() == 0


def test_an_empty_header_is_none() -> None:
    given = context(client_context="", cognito_identity="", aws_tenant_id="", invoked_function_arn="", deadline_ms="")

    assert given.client_context is given.tenant_id is given.identity.cognito_identity_pool_id is None
    assert given.invoked_function_arn == ""
    assert given.get_remaining_time_in_millis() == 0


def test_a_client_context_may_be_without_its_parts() -> None:
    given = context(client_context="{}").client_context
    assert given.client is given.custom is given.env is None


def test_json_in_a_header_is_utf_8() -> None:
    text = json.dumps({"custom": {"name": "Zoë"}}, ensure_ascii=False)
    on_the_wire = text.encode().decode("latin-1")  # as the head of a reply is read

    assert context(client_context=on_the_wire).client_context.custom == {"name": "Zoë"}


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**43), st.integers(0, 2**43))
def test_the_time_that_remains_is_never_negative(deadline: int, now: int) -> None:
    remaining = context(now / 1000, deadline_ms=str(deadline)).get_remaining_time_in_millis()
    assert abs(remaining - max(0, deadline - now)) <= 1  # the clock gives a float


def test_the_clock_is_read_each_time() -> None:
    times = iter([1.0, 1.5])
    headers = {"lambda-runtime-aws-request-id": "id-1", "lambda-runtime-deadline-ms": "3000"}
    given = LambdaContext(headers, {}, lambda: next(times))

    assert [given.get_remaining_time_in_millis() for _ in range(2)] == [2000, 1500]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"lambda-runtime-aws-request-id": "id-1", "lambda-runtime-deadline-ms": "soon"},
    ],
)
def test_what_is_no_invocation_is_named(headers: dict[str, str]) -> None:
    with pytest.raises(RuntimeAPIError, match="Expected the headers of an invocation"):
        LambdaContext(headers, {}, lambda: 0.0)


@pytest.mark.parametrize("name", ["client_context", "cognito_identity"])
@pytest.mark.parametrize("text", ["{", "7", '"text"', "[1]"])
def test_what_the_caller_sent_and_is_no_object_concerns_the_invocation_only(name: str, text: str) -> None:
    with pytest.raises(InvalidResult, match=name.replace("_", "-")) as caught:
        context(0.0, **{name: text})
    assert caught.value.error_type == "Runtime.LambdaContextUnmarshalError"


def test_a_client_that_is_no_object_is_the_callers_fault_too() -> None:
    with pytest.raises(InvalidResult, match="client-context"):
        context(client_context='{"client": "x"}')


def test_it_names_itself() -> None:
    assert repr(context()) == "LambdaContext(aws_request_id='id-1', function_name='hello')"
