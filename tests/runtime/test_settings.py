"""The variables that the runtime goes by."""

import pytest

from lambent.errors import ConfigurationError
from lambent.runtime.settings import SHARE, read

API = {"AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9001"}


def test_what_is_not_said_is_as_lambda_is_by_default() -> None:
    settings = read(API)
    assert settings.address == "127.0.0.1:9001"
    assert (settings.handler, settings.concurrency, settings.processes) == ("", None, None)
    assert (settings.loop, settings.margin) == ("asyncio", 0.25)


def test_without_a_runtime_api_it_says_how_to_run() -> None:
    with pytest.raises(ConfigurationError, match="lambent dev TARGET"):
        read({})


@pytest.mark.parametrize(("text", "seconds"), [("0", 0), ("0.5", 0.5), (".1", 0.1), ("3", 3), ("", 0.25)])
def test_a_margin_is_seconds(text: str, seconds: float) -> None:
    assert read({**API, "LAMBENT_DEADLINE_MARGIN": text}).margin == seconds


@pytest.mark.parametrize("text", ["-1", "900", "a", "nan", "inf", "0,5", "250ms"])
def test_a_margin_that_cannot_be_is_named(text: str) -> None:
    with pytest.raises(
        ConfigurationError, match=r"Expected LAMBENT_DEADLINE_MARGIN to be seconds from 0 to 900, but got"
    ):
        read({**API, "LAMBENT_DEADLINE_MARGIN": text})


@pytest.mark.parametrize("name", ["AWS_LAMBDA_MAX_CONCURRENCY", "LAMBENT_PROCESSES", SHARE])
@pytest.mark.parametrize("text", ["0", "-1", "a", "1.5"])
def test_a_count_that_cannot_be_is_named(name: str, text: str) -> None:
    with pytest.raises(ConfigurationError, match=f"Expected {name} to be a number from 1 on, but got {text!r}"):
        read({**API, name: text})


def test_a_share_is_of_one_process() -> None:
    settings = read({**API, "AWS_LAMBDA_MAX_CONCURRENCY": "16", "LAMBENT_PROCESSES": "4", SHARE: "5"})
    assert (settings.concurrency, settings.processes) == (5, 1)


def test_a_loop_that_nobody_has_is_named() -> None:
    with pytest.raises(ConfigurationError, match="Expected LAMBENT_LOOP to be 'asyncio' or 'uvloop', but got 'trio'"):
        read({**API, "LAMBENT_LOOP": "trio"})
