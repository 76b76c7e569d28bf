"""botocore as the settings are: with boto3 here, with aiobotocore and aioboto3 in an environment of their own."""

from __future__ import annotations

import asyncio
import json
import math
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import orjson
import pytest
from botocore import parsers, serialize
from botocore.exceptions import ParamValidationError
from hypothesis import given
from hypothesis import strategies as st

from lambent.api.boto import FastJSON, botocore_config
from lambent.api.variables import settings
from lambent.errors import ConfigurationError
from tests.integration.newcomer import tool
from tests.support.aws_service import Service
from tests.support.processes import SOURCE, environment
from tests.support.runtime_api import answer

FAST = FastJSON(json)


@pytest.fixture
def unpatched() -> Iterator[None]:
    """Afterwards botocore has its own json again."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parsers, "json", json)
        patch.setattr(serialize, "json", json)
        yield


def client(name: str, **options: Any) -> Any:
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "eu-west-1"}
    return boto3.client(name, **keys, config=botocore_config(**options))


# The config


def test_a_client_of_boto3_is_as_the_settings_are() -> None:
    with settings.override(connection_timeout=1.5, read_timeout=2.5, boto_max_pool_connections=7):
        config = client("s3").meta.config
    assert (config.connect_timeout, config.read_timeout, config.max_pool_connections) == (1.5, 2.5, 7)
    assert config.retries["mode"] == "standard"


@pytest.mark.parametrize("checks", [True, False])
def test_parameters_are_checked_where_that_is_set(checks: bool) -> None:
    with settings.override(boto_parameter_validation=checks):
        made = client("dynamodb")
    with pytest.raises((ParamValidationError, AttributeError)) as caught:
        made.get_item(TableName="table", Key=1)
    assert isinstance(caught.value, ParamValidationError) is checks


def test_more_is_passed_on_and_wins() -> None:
    config = botocore_config(read_timeout=60, user_agent_extra="mine", retries={"mode": "adaptive"})
    assert (config.connect_timeout, config.read_timeout, config.user_agent_extra) == (5.0, 60, "mine")
    assert config.retries == {"mode": "adaptive"}


def test_botocore_is_imported_when_it_is_called() -> None:
    source = "import sys; from lambent.api.boto import botocore_config; assert 'botocore' not in sys.modules"
    subprocess.run([sys.executable, "-c", source], check=True)


@pytest.mark.parametrize(
    ("missing", "options", "command"),
    [("botocore.config", {}, r"lambent\[aws\]"), ("orjson", {"fast_json": True}, r"lambent\[speed\]")],
)
def test_what_is_not_installed_is_named(
    missing: str, options: dict[str, Any], command: str, monkeypatch: pytest.MonkeyPatch, unpatched: None
) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(ConfigurationError, match=f'pip install "{command}"'):
        botocore_config(**options)


# JSON by orjson


def test_botocore_s_json_is_replaced_once_and_only_where_asked_for(unpatched: None) -> None:
    botocore_config()
    assert parsers.json is json
    botocore_config(fast_json=True)
    first = parsers.json, serialize.json
    botocore_config(fast_json=True)
    assert (parsers.json, serialize.json) == first
    assert [type(each) for each in first] == [FastJSON, FastJSON]
    assert parsers.json.JSONDecodeError is json.JSONDecodeError


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text() | st.integers(), inner, max_size=5),
)


def outcome(function: Callable[[Any], Any], value: Any) -> Any:
    """What it returns, as text, so that NaN is NaN, and 1 is not 1.0; or what kind of error it raises."""
    try:
        return repr(function(value))
    except (TypeError, ValueError) as error:
        return type(error)


@given(VALUES)
def test_what_is_written_means_the_same(value: Any) -> None:
    assert repr(json.loads(FAST.dumps(value))) == repr(json.loads(json.dumps(value)))


@given(VALUES, st.booleans())
def test_what_is_read_is_the_same(value: Any, ascii_only: bool) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only)
    assert outcome(FAST.loads, text) == outcome(json.loads, text)


@given(st.text('[]{}",:0123456789.eE+-\\untrfalsNI \u0085é\ud800', max_size=30))
def test_what_cannot_be_read_is_refused_alike(text: str) -> None:
    assert outcome(FAST.loads, text) == outcome(json.loads, text)


@given(st.binary(max_size=12))
def test_bytes_too(data: bytes) -> None:
    assert outcome(FAST.loads, data) == outcome(json.loads, data)


@dataclass
class Point:
    x: int


@pytest.mark.parametrize(
    "value",
    [
        10**30,
        -(10**30),
        math.nan,
        [math.inf],
        None,
        {"a": None},
        "null",
        "\ud800",
        {1: 2, None: 3},
        {(1,): 2},
        Point(1),
        datetime(2026, 1, 1, tzinfo=UTC),
        b"a",
        {1, 2},
    ],
)
def test_what_orjson_does_otherwise_is_left_to_json(value: Any) -> None:
    assert outcome(FAST.dumps, value) == outcome(json.dumps, value)


def test_options_are_heard() -> None:
    assert FAST.dumps({"b": 1, "a": "é"}, sort_keys=True, ensure_ascii=False) == '{"a": "é", "b": 1}'
    assert FAST.loads("[1.5]", parse_float=str) == ["1.5"]


SCENE = """
import asyncio, json, sys
sys.path.append(sys.argv[2])
from contextlib import AsyncExitStack
from lambent.api.boto import FastJSON, botocore_config

async def main(address):
    options = dict(
        endpoint_url=address, region_name="eu-west-1", aws_access_key_id="test", aws_secret_access_key="test",
        config=botocore_config(fast_json=True, read_timeout=3),
    )
    import aioboto3, aiobotocore.session, botocore.parsers
    assert isinstance(botocore.parsers.json, FastJSON)
    for session, make in ((aioboto3.Session(), "client"), (aiobotocore.session.get_session(), "create_client")):
        async with getattr(session, make)("ssm", **options) as client:
            config = client.meta.config
            assert (config.connect_timeout, config.read_timeout, config.max_pool_connections) == (5.0, 3, 100)
            answer = await client.get_parameter(Name="é")
            assert answer["Parameter"]["Value"] == "✓", answer
    print("done")

asyncio.run(main(sys.argv[1]))
"""


def test_aiobotocore_and_aioboto3_take_it_too() -> None:
    """In an environment of their own: they ask for an older botocore than boto3 does."""
    python = tool("aioboto3").parent / "python"
    ours = str(Path(orjson.__file__).parents[1])  # after its own packages
    step = answer(200, '{"Parameter": {"Value": "✓"}}'.encode(), ["Content-Type: application/x-amz-json-1.1"])

    async def scenario() -> None:
        async with Service(step, step) as service:
            process = await asyncio.create_subprocess_exec(
                python, "-c", SCENE, service.url, ours, env=environment(PYTHONPATH=str(SOURCE)), stdout=-1, stderr=-1
            )
            output, errors = await process.communicate()
        assert (output, process.returncode) == (b"done\n", 0), errors.decode()
        assert [json.loads(call.body) for call in service.calls] == [{"Name": "é"}] * 2

    asyncio.run(scenario())
