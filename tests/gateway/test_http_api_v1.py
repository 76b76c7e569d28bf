"""Payload 1.0 of an HTTP API, where it differs from a REST API's."""

from typing import Any

import pytest

from lambent.gateway import http_api_v1, rest_api
from lambent.gateway.model import Request
from tests.payloads import payload


def request(name: str = "http_api_v1", **changes: Any) -> Request:
    return http_api_v1.request(payload(name) | changes)


def in_stage(path: str, whole: str | None) -> tuple[str, bytes, str]:
    event = payload("http_api_v1_stage")
    event["path"] = path
    event["requestContext"]["path"] = whole
    got = http_api_v1.request(event)
    return got.path, got.raw_path, got.root_path


def test_a_request_is_read_as_a_rest_api_s() -> None:
    assert request() == rest_api.request(payload("http_api_v1"))


def test_the_path_is_decoded_exactly_once_and_the_raw_path_is_the_door_s_own() -> None:
    got = request("http_api_v1_stage")
    assert got.path == "/prod/files/a/b c"
    assert got.raw_path == b"/prod/files/a%2Fb%20c"
    assert got.root_path == "/prod"


@pytest.mark.parametrize(
    ("path", "whole", "expected"),
    [
        ("/prod", "/prod", ("/prod", b"/prod", "/prod")),
        ("/prod/x%2Fy", "/prod/x/y", ("/prod/x/y", b"/prod/x%2Fy", "/prod")),
        ("/x%2Fy", "/prod/x/y", ("/prod/x/y", b"/prod/x%2Fy", "/prod")),
        ("/x", "/x", ("/x", b"/x", "")),
        ("/x", None, ("/x", b"/x", "")),
        ("/production/x", "/production/x", ("/production/x", b"/production/x", "")),
        ("/production", "/prod/production", ("/prod/production", b"/prod/production", "/prod")),
        ("", None, ("/", b"/", "")),
    ],
)
def test_the_stage_is_the_root_path_wherever_it_stands(
    path: str, whole: str | None, expected: tuple[str, bytes, str]
) -> None:
    assert in_stage(path, whole) == expected


def test_the_default_stage_is_in_no_path() -> None:
    assert request(path="/$default/x").root_path == ""


@pytest.mark.parametrize("context", [None, {}, {"stage": None}])
def test_no_stage_is_the_default_one(context: Any) -> None:
    assert request(requestContext=context).root_path == ""


def test_an_http_api_takes_the_reply_that_a_rest_api_takes() -> None:
    assert http_api_v1.reply is rest_api.reply
