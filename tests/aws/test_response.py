"""How services name their errors."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.aws.response import Response

XML = b"""<?xml version="1.0" encoding="UTF-8"?>
<Error><Code>NoSuchKey</Code><Message>No &quot;key&quot; &amp; so on</Message><Resource>/a</Resource></Error>"""


@pytest.mark.parametrize(
    ("headers", "body", "code", "message"),
    [
        (
            {},
            b'{"__type":"com.amazonaws.dynamodb.v20120810#ResourceNotFoundException","message":"Requested resource"}',
            "ResourceNotFoundException",
            "Requested resource",
        ),
        (
            {"x-amzn-errortype": "GoneException:http://internal.amazon.com/coral/com.amazon.coral.service/"},
            b'{"message":"gone"}',
            "GoneException",
            "gone",
        ),
        ({"x-amzn-errortype": "ForbiddenException"}, b'{"Message": "no"}', "ForbiddenException", "no"),
        ({}, b' {"code": "aws.protocoltests.restjson#FooError:http://a/"}', "FooError", ""),
        ({}, XML, "NoSuchKey", 'No "key" & so on'),
        ({}, b"<html><title>502</title></html>", "", ""),
        ({}, b"Bad Gateway", "", ""),
        ({}, b"", "", ""),
        ({}, b"{not json", "", ""),
        ({}, b'{"__type": 5, "message": {"a": 1}}', "", ""),
        ({}, b'{"__type": null, "message": null}', "", ""),
    ],
)
def test_an_error_has_a_name_and_says_something(headers: dict[str, str], body: bytes, code: str, message: str) -> None:
    response = Response(400, headers, body)
    assert (response.code, response.message) == (code, message)


@given(st.one_of(st.binary(), st.text().map(lambda text: json.dumps({"__type": text, "message": text}).encode())))
def test_whatever_a_body_is_it_can_be_asked(body: bytes) -> None:
    response = Response(500, {}, body)
    assert isinstance(response.code + response.message, str)
