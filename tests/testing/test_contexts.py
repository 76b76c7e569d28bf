"""The context that tests give their handlers."""

import re

from lambent.testing import context


def test_it_is_that_of_an_invocation_that_begins_now() -> None:
    one, other = context(timeout=3), context()
    assert 0 < one.get_remaining_time_in_millis() <= 3_000
    assert 3_000 < other.get_remaining_time_in_millis() <= 30_000
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", one.aws_request_id)
    assert one.aws_request_id != other.aws_request_id
    assert one.trace_id.startswith("Root=1-")
    assert re.fullmatch(r"\d{4}/\d\d/\d\d/\[\$LATEST]0{32}", one.log_stream_name)
    assert (one.client_context, one.identity.cognito_identity_id, one.tenant_id) == (None, None, None)


def test_what_is_said_of_it_is_there() -> None:
    made = context(
        function="orders",
        memory=512,
        request_id="7",
        trace="Root=1-2-3",
        region="eu-west-1",
        account="210987654321",
        version="3",
        client_context={"client": {"app_title": "shop"}, "custom": {"a": 1}},
        identity={"cognitoIdentityId": "me", "cognitoIdentityPoolId": "pool"},
        tenant_id="blue",
    )
    assert (made.function_name, made.memory_limit_in_mb, made.function_version) == ("orders", "512", "3")
    assert (made.aws_request_id, made.trace_id, made.tenant_id) == ("7", "Root=1-2-3", "blue")
    assert made.invoked_function_arn == "arn:aws:lambda:eu-west-1:210987654321:function:orders"
    assert made.log_group_name == "/aws/lambda/orders"
    assert made.client_context is not None
    assert (made.client_context.client.app_title, made.client_context.custom) == ("shop", {"a": 1})
    assert made.identity.cognito_identity_pool_id == "pool"
