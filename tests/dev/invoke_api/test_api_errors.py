"""Refusals, as botocore reads them."""

from collections.abc import Callable

import botocore.session
import pytest
from botocore.awsrequest import HeadersDict
from botocore.parsers import create_parser

from lambent.dev.invoke_api import api_errors
from lambent.dev.invoke_api.api_errors import APIError

MODEL = botocore.session.get_session().get_service_model("lambda")
ARN = "arn:aws:lambda:us-east-1:123456789012:function:f"


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (lambda: api_errors.not_found(ARN, "Hint."), "ResourceNotFoundException", f"Function not found: {ARN}. Hint."),
        (lambda: api_errors.unreadable("No."), "InvalidRequestContentException", "No."),
        (lambda: api_errors.invalid_parameter("No."), "InvalidParameterValueException", "No."),
        (lambda: api_errors.recursive("f"), "RecursiveInvocationException", "function f in a recursive loop"),
        (lambda: api_errors.throttled("CallerRateLimitExceeded"), "TooManyRequestsException", "Rate Exceeded."),
        (lambda: api_errors.not_one_of("x", "logType", ("None", "Tail")), "ValidationException", "[None, Tail]"),
        (lambda: api_errors.too_large_event(9), "RequestEntityTooLargeException", "9 byte payload is too large"),
        (api_errors.too_large, "RequestEntityTooLargeException", "smaller than 6291456 bytes"),
        (lambda: api_errors.unknown_operation("PUT", "/x", ["Invoke"]), "UnknownOperationException", "has: Invoke."),
    ],
)
def test_clients_read_what_it_is(error: Callable[[], APIError], code: str, words: str) -> None:
    reply = error().reply([(b"x-amzn-requestid", b"1")])
    headers = HeadersDict({name.decode(): value.decode() for name, value in reply.headers})
    response = {"status_code": reply.status, "headers": headers, "body": reply.body}
    read = create_parser("rest-json").parse(response, MODEL.operation_model("Invoke").output_shape)
    assert read["Error"]["Code"] == code
    assert words in read["Error"]["Message"]
    assert read["ResponseMetadata"]["HTTPStatusCode"] == reply.status
    assert read["ResponseMetadata"]["RequestId"] == "1"


@pytest.mark.parametrize(
    "error",
    [
        api_errors.not_found(ARN, ""),
        api_errors.unreadable(""),
        api_errors.invalid_parameter(""),
        api_errors.recursive("f"),
        api_errors.throttled("CallerRateLimitExceeded"),
    ],
)
def test_its_status_is_that_of_the_service_model(error: APIError) -> None:
    (shape,) = [each for each in MODEL.operation_model("Invoke").error_shapes if each.name == error.error_type]
    assert shape.metadata["error"]["httpStatusCode"] == error.status
