"""Where the connections of a WebSocket API are managed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import botocore
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.errors import ConfigurationError
from lambent.websocket.endpoint import VARIABLE, endpoint, region_of

DATA = Path(__file__).parents[1] / "data"
OWN = "a1b2c3.execute-api.eu-west-1.amazonaws.com"
LOCAL = {VARIABLE: "http://127.0.0.1:3000"}


def event(**context: Any) -> dict[str, Any]:
    return {"requestContext": {"domainName": OWN, "stage": "prod", "apiId": "a1b2c3", **context}}


@pytest.mark.parametrize("name", ["connect", "message"])
def test_a_captured_event_tells(name: str) -> None:
    captured = json.loads((DATA / f"websocket_{name}.json").read_text())
    context = captured["requestContext"]
    assert endpoint(captured, None, {}) == f"https://{context['domainName']}/{context['stage']}"


@pytest.mark.parametrize(
    ("event", "configured", "environ", "expected"),
    [
        (event(), None, {}, f"https://{OWN}/prod"),
        (event(), None, LOCAL, "http://127.0.0.1:3000"),
        (event(), "https://ws.example.com/v1", LOCAL, "https://ws.example.com/v1"),
        (event(), "https://ws.example.com/v1/", {}, "https://ws.example.com/v1"),
        (event(), f"https://{OWN}/prod/@connections", {}, f"https://{OWN}/prod"),
        (event(), "", {VARIABLE: ""}, f"https://{OWN}/prod"),
        (None, f"https://{OWN}/prod/@connections/", {}, f"https://{OWN}/prod"),
        (None, None, LOCAL, "http://127.0.0.1:3000"),
        (event(domainName="ws.example.com"), None, {"AWS_REGION": "eu-west-1"}, f"https://{OWN}/prod"),
        (event(domainName="ws.example.com"), None, {"AWS_DEFAULT_REGION": "eu-west-1"}, f"https://{OWN}/prod"),
        (
            event(domainName="ws.example.com", stage="a"),
            None,
            {"AWS_REGION": "cn-north-1"},
            "https://a1b2c3.execute-api.cn-north-1.amazonaws.com.cn/a",
        ),
        (event(domainName=None), None, {"AWS_REGION": "eu-west-1"}, f"https://{OWN}/prod"),
        (
            event(domainName="a.execute-api.cn-north-1.amazonaws.com.cn"),
            None,
            {"AWS_REGION": "cn-northwest-1"},
            "https://a.execute-api.cn-north-1.amazonaws.com.cn/prod",
        ),
        (event(apiId=None), None, {}, f"https://{OWN}/prod"),
    ],
)
def test_an_endpoint_is_told(
    event: dict[str, Any] | None, configured: str | None, environ: dict[str, str], expected: str
) -> None:
    assert endpoint(event, configured, environ) == expected


@pytest.mark.parametrize(
    "domain",
    [
        "ws.example.com",
        "execute-api.eu-west-1.amazonaws.com",
        "a1b2c3.execute-api.eu-west-1.amazonaws.com.evil.example",
        "a1b2c3.execute-api.eu-west-1.amazonaws.com.cn",
        "a1b2c3.execute-api.eu-west-1.evil.example",
        "evil.example/.execute-api.eu-west-1",
    ],
)
def test_a_domain_that_is_not_the_apis_own_is_not_asked(domain: str) -> None:
    assert endpoint(event(domainName=domain), None, {"AWS_REGION": "eu-west-1"}) == f"https://{OWN}/prod"


@pytest.mark.parametrize(
    ("event", "configured", "environ", "words"),
    [
        (None, None, {}, "Expected the endpoint of the WebSocket API to be configured"),
        ({}, None, {}, "Expected the endpoint of the WebSocket API to be configured"),
        ({"requestContext": None}, None, {}, "Expected the endpoint of the WebSocket API to be configured"),
        (event(stage=None), None, {}, f"Set it, or {VARIABLE}: https://API_ID.execute-api.REGION"),
        (event(domainName=None, apiId=None), None, {}, "Expected the endpoint"),
        (event(domainName="ws.example.com"), None, {}, r"region of the WebSocket API a1b2c3, as its domain 'ws\.exam"),
        (event(), f"wss://{OWN}/prod", {}, "to begin with https:// or http://, but got wss://"),
        (event(), None, {VARIABLE: "WS://a.com"}, "but got ws://"),
    ],
)
def test_what_is_missing_is_named(
    event: dict[str, Any] | None, configured: str | None, environ: dict[str, str], words: str
) -> None:
    with pytest.raises(ConfigurationError, match=words):
        endpoint(event, configured, environ)


@pytest.mark.parametrize(
    ("endpoint", "environ", "region"),
    [
        (f"https://{OWN}/prod", {"AWS_REGION": "us-east-1"}, "eu-west-1"),
        (f"https://{OWN}", {}, "eu-west-1"),
        (f"https://{OWN.upper()}:443/prod", {}, "eu-west-1"),
        ("https://ws.example.com/v1", {"AWS_REGION": "a", "AWS_DEFAULT_REGION": "b"}, "a"),
        ("http://127.0.0.1:3000", {"AWS_DEFAULT_REGION": "b"}, "b"),
        ("http://[::1]:3000", {"AWS_REGION": "a"}, "a"),
    ],
)
def test_a_region_is_told(endpoint: str, environ: dict[str, str], region: str) -> None:
    assert region_of(endpoint, environ) == region


def test_a_region_that_nothing_tells_is_asked_for() -> None:
    with pytest.raises(ConfigurationError, match=r"region of the WebSocket API at ws\.example\.com.*such as eu-west-1"):
        region_of("https://ws.example.com/v1", {})


def regions() -> list[tuple[str, str]]:
    """Every region that botocore knows, with what its hosts' names end with."""
    known = json.loads((Path(botocore.__path__[0]) / "data" / "endpoints.json").read_text())["partitions"]
    return [(region, partition["dnsSuffix"]) for partition in known for region in partition["regions"]]


def test_every_region_has_its_own_hosts() -> None:
    found = regions()
    assert len(found) > 30
    for region, suffix in found:
        expected = f"https://a1.execute-api.{region}.{suffix}/prod"
        assert endpoint(event(domainName="ws.example.com", apiId="a1"), None, {"AWS_REGION": region}) == expected
        assert endpoint(event(domainName=expected.split("/")[2]), None, {}) == expected
        assert region_of(expected, {}) == region


@given(st.text("ab.-/:@?#[]", max_size=30), st.text("ab/", min_size=1, max_size=5))
def test_whatever_a_domain_is_aws_is_asked(domain: str, stage: str) -> None:
    told = endpoint(event(domainName=domain, stage=stage), None, {"AWS_REGION": "eu-west-1"})
    assert told == f"https://{OWN}/{stage}"
