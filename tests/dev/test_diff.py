"""One request through every door, and what is made of it."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from lambent.dev.diff import Comparison, as_json, compare, table
from lambent.dev.diff.outcomes import FunctionFailed
from lambent.dev.diff.request import read_request
from lambent.dev.doors import DOORS
from lambent.dev.doors.model import Fields, HTTPRequest
from tests.dev.doors.wire import ARRIVAL, requests

EVERY = tuple(DOORS)


def compared(
    url: str = "/",
    *headers: tuple[str, str],
    body: bytes = b"",
    result: Any = None,
    method: str = "GET",
    doors: tuple[str, ...] = EVERY,
) -> Comparison:
    """With `result`, what each door makes of that one as well."""
    request = read_request(method, url, headers, body)
    if result is None:
        return compare(request, ARRIVAL, None, doors)
    return compare(request, ARRIVAL, lambda _door, _event: json.dumps(result).encode(), doors)


def rows(comparison: Comparison, aspect: str, section: str = "events") -> dict[str, set[str]]:
    """What is told → by which doors."""
    found = {each.aspect: each.rows for each in getattr(comparison, section)}
    return {table.shorten(row): set(row.doors) for row in found.get(aspect, [])}


def warnings(comparison: Comparison, word: str) -> list[str]:
    return [each for each in comparison.warnings if word in each]


def test_a_plain_request_is_told_alike() -> None:
    comparison = compared("/items")
    assert comparison.warnings == []
    assert not {each.aspect for each in comparison.events} & {"path", "query", "header accept", "header host", "body"}
    assert {each.aspect for each in comparison.application} == {"headers added"}


def test_a_result_may_be_nested_too_deep_to_be_read() -> None:
    deep = b"[" * 100_000
    comparison = compare(read_request("GET", "/", (), b""), ARRIVAL, lambda _door, _event: deep, EVERY)
    assert comparison.events


def test_an_http_api_decodes_the_path() -> None:
    comparison = compared("/a%2Fb%20c", doors=("url", "http", "rest"))
    assert rows(comparison, "path") == {'"/a%2Fb%20c"': {"url", "rest"}, '"/a/b c"': {"http"}}
    assert rows(comparison, "raw path", "application") == {'"/a%2Fb%20c"': {"url", "rest"}, '"/a/b%20c"': {"http"}}
    (warning,) = comparison.warnings
    assert warning == (
        "The path is decoded on HTTP API, not on Function URL and REST: a slash within a segment becomes one between "
        "two."
    )
    assert warnings(compared("/a%20b"), "path is decoded")[0].endswith("not on the others.")


def test_repeated_parameters_are_joined_kept_or_lost() -> None:
    comparison = compared("/?a=1&a=2&b=3")
    assert rows(comparison, "query a")['"1,2"'] == {"url", "http"}
    assert rows(comparison, "query a")['["1", "2"]'] == {"alb-multi", "lattice"}
    assert rows(comparison, "query a")['"2"'] == {"alb"}
    assert rows(comparison, "query b") == {'"3"': set(DOORS) - {"edge", "edge-viewer"}, "-": {"edge", "edge-viewer"}}
    assert warnings(comparison, "parameter a") == [
        "The repeated parameter a is joined by a comma on Function URL and HTTP API, not on the others.",
        "Of the repeated parameter a one value alone is told on ALB and Lattice 1.",
    ]


def test_repeated_headers_are_joined_kept_or_lost() -> None:
    comparison = compared("/", ("x-a", "1"), ("x-a", "2"), doors=("url", "alb", "alb-multi"))
    assert comparison.warnings == [
        "The repeated header x-a is joined by a comma on Function URL, not on ALB with multi-value headers and ALB.",
        "Of the repeated header x-a one value alone is told on ALB.",
    ]


def test_cookies_move() -> None:
    comparison = compared("/", ("cookie", "a=1"))
    assert rows(comparison, "header cookie")["-"] == {"http"}
    assert warnings(comparison, "Cookies")[0].startswith(
        "Cookies are taken out of the headers, into `cookies`, on HTTP API, not on the others"
    )


def test_a_body_is_base64_here_and_text_there() -> None:
    form = compared("/", ("content-type", "application/x-www-form-urlencoded"), body=b"a=1", doors=("http", "lattice"))
    assert form.warnings == []
    comparison = compared("/", body=b"text", doors=("http", "rest"))
    assert rows(comparison, "body") == {'base64 "dGV4dA=="': {"rest"}, 'text "text"': {"http"}}
    assert comparison.warnings == ["The body is base64 on REST, text on HTTP API."]
    assert rows(comparison, "body", "application") == {}


def test_a_large_request_is_refused_or_cut() -> None:
    comparison = compared("/", body=bytes(1_258_291))
    assert (
        "ALB and ALB with multi-value headers would refuse 1.2 MB with 413: the limit is 1 MB." in comparison.warnings
    )
    assert "Lambda@Edge would cut the body off: the function sees 1 MB of 1.2 MB." in comparison.warnings
    assert rows(comparison, "refused", "application")


def test_a_body_that_fits_may_make_an_event_that_does_not() -> None:
    (warning,) = warnings(compared("/", body=bytes(5_000_000), doors=("url",)), "refuse")
    assert (
        warning
        == "Function URL would refuse the request with 413: its event has 6.4 MB as JSON, and Lambda takes 6 MB."
    )


def test_headers_have_a_limit_at_api_gateway() -> None:
    (warning,) = warnings(compared("/", ("x-a", "a" * 10_240)), "headers of")
    assert warning == "HTTP API, HTTP API 1.0 and REST would refuse headers of 10288 bytes: the limit is 10240 bytes."


def test_a_reply_with_cookies_is_one_for_payload_2() -> None:
    comparison = compared(result={"statusCode": 200, "cookies": ["a=1", "b=2"], "body": "x"})
    assert "REST would answer 502: extra key `cookies`." in comparison.warnings
    (lost,) = warnings(comparison, "would lose 2 of 2 cookies")
    assert lost.startswith("HTTP API 1.0, ALB, ALB with multi-value headers, Lattice 1 and Lattice would lose")
    assert rows(comparison, "status", "replies") == {
        "200": set(DOORS) - {"rest", "edge", "edge-viewer"},
        "502": {"rest", "edge", "edge-viewer"},
    }


def test_lists_of_headers_are_not_for_payload_2() -> None:
    comparison = compared(
        result={"statusCode": 200, "multiValueHeaders": {"set-cookie": ["a=1"]}, "body": ""}, doors=("url", "rest")
    )
    assert comparison.warnings == ["Function URL would lose the cookie: `multiValueHeaders` is not read there."]


@pytest.mark.parametrize(
    ("result", "door", "said"),
    [
        ("text", "rest", "REST would answer 502: The function must return an object"),
        ({"statusCode": 200, "a": 1, "b": 2}, "rest", "REST would answer 502: extra keys `a`, `b`."),
        ({"statusCode": "x"}, "url", "Function URL would answer 502: statusCode must be an integer"),
        ({"statusCode": 200, "body": None}, "alb", "ALB would answer 502: body must be a string"),
        ({"statusCode": 200}, "edge", "Lambda@Edge would answer 502: it takes `status`, not `statusCode`."),
        (
            {"statusCode": 200, "headers": {"server": "x"}},
            "rest",
            "REST would send the header server as x-amzn-Remapped-",
        ),
        ({"statusCode": 200, "body": "x" * 1_258_291}, "alb", "ALB would answer 502: its result has 1.2 MB as JSON"),
        ({"statusCode": 200, "body": "x" * 7_000_000}, "url", "Function URL would answer 502: its result has 6.7 MB"),
    ],
)
def test_what_a_door_cannot_use_is_said(result: object, door: str, said: str) -> None:
    (warning,) = compared(result=result, doors=(door,)).warnings
    assert warning.startswith(said)


def test_a_function_that_fails_is_answered_by_each_door() -> None:
    request = read_request("GET", "/")
    comparison = compare(request, ARRIVAL, lambda _door, _event: FunctionFailed("it raised"), ("url", "http", "edge"))
    assert rows(comparison, "status", "replies") == {"502": {"url"}, "500": {"http"}, "503": {"edge"}}
    assert comparison.warnings[0] == "Function URL would answer 502: it raised."


def test_machines_get_all_of_it() -> None:
    told = json.loads(json.dumps(as_json(compared("/a%20b", body=b"\xff", result={"statusCode": 200, "body": "x"}))))
    assert set(told["events"]) == set(told["replies"]) == set(DOORS)
    assert told["request"]["body"] == {"base64": "/w=="}
    assert told["differences"]["events"]["path"][1]["doors"] == {"http": "rawPath"}
    assert told["replies"]["edge"]["refused"]
    assert told["replies"]["url"]["status"] == 200
    assert any("path is decoded" in each for each in told["warnings"])
    assert json.dumps(as_json(compared()))


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(requests())
def test_any_request_is_compared_and_shown(request: HTTPRequest) -> None:
    seen: list[Fields] = []

    def answer(_door: str, event: Fields) -> bytes:
        seen.append(event)
        return b'{"statusCode": 200, "body": "x"}'

    comparison = compare(request, ARRIVAL, answer, EVERY)
    assert len(seen) == len(EVERY)
    for difference in (*comparison.events, *comparison.application, *comparison.replies):
        doors = [door for row in difference.rows for door in row.doors]
        assert sorted(doors) == sorted(EVERY)
        assert len(difference.rows) > 1
    assert "\n".join(table.lines(comparison))
    assert json.dumps(as_json(comparison))
