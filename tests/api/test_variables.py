"""What the environment may say, when it is asked, and what tests say in its place."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.api.variables import NAMES, Settings, settings
from lambent.errors import ConfigurationError


def values(environ: dict[str, str]) -> dict[str, float]:
    made = Settings(environ)
    return {name: getattr(made, name) for name in NAMES}


USUAL = {
    "function_timeout": 30.0,
    "connection_timeout": 5.0,
    "read_timeout": 15.0,
    "boto_parameter_validation": False,
    "boto_max_pool_connections": 100,
}


@pytest.mark.parametrize("environ", [{}, {name.upper(): "" for name in USUAL}, {name.upper(): " " for name in USUAL}])
def test_where_nothing_is_said_it_is_as_it_is_for_aio_lambda_api(environ: dict[str, str]) -> None:
    assert values(environ) == USUAL
    assert [type(value) for value in values(environ).values()] == [float, float, float, bool, int]


def test_what_is_said_counts() -> None:
    environ = {
        "FUNCTION_TIMEOUT": "2.5",
        "CONNECTION_TIMEOUT": " 1 ",
        "READ_TIMEOUT": "1e2",
        "BOTO_PARAMETER_VALIDATION": "True",
        "BOTO_MAX_POOL_CONNECTIONS": "7",
    }
    assert list(values(environ).values()) == [2.5, 1.0, 100.0, True, 7]


@pytest.mark.parametrize(
    ("text", "meant"), [("1", True), ("ON", True), ("yes", True), ("0", False), ("false", False), ("No", False)]
)
def test_a_switch_may_be_written_in_many_ways(text: str, meant: bool) -> None:
    assert Settings({"BOTO_PARAMETER_VALIDATION": text}).boto_parameter_validation is meant


@pytest.mark.parametrize(
    ("variable", "texts", "expected"),
    [
        ("FUNCTION_TIMEOUT", ["0", "-1", "nan", "inf", "1e999", "30s", "a"], "a number of seconds above 0"),
        ("CONNECTION_TIMEOUT", ["0"], "a number of seconds above 0"),
        ("READ_TIMEOUT", ["x"], "a number of seconds above 0"),
        ("BOTO_MAX_POOL_CONNECTIONS", ["0", "-1", "1.5", "ten", "²", "9" * 5000], "a whole number above 0"),
        ("BOTO_PARAMETER_VALIDATION", ["2", "maybe"], "one of 1, true, yes, on, 0, false, no, off"),
    ],
)
def test_nonsense_is_refused_by_name(variable: str, texts: list[str], expected: str) -> None:
    for text in texts:
        with pytest.raises(ConfigurationError, match=f"^Expected {variable} to be {expected}, but got '"):
            getattr(Settings({variable: text}), variable.lower())


@given(st.floats(1e-300, 1e300))
def test_any_number_of_seconds_is_read_as_it_is_written(seconds: float) -> None:
    assert Settings({"FUNCTION_TIMEOUT": str(seconds)}).function_timeout == seconds


def test_it_is_read_at_first_use_and_kept() -> None:
    environ: dict[str, str] = {}
    made = Settings(environ)
    environ["READ_TIMEOUT"] = "1"
    assert made.read_timeout == 1.0
    environ["READ_TIMEOUT"] = "2"
    assert made.read_timeout == 1.0


def test_nothing_is_read_at_import(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FUNCTION_TIMEOUT", "nonsense")
    source = "from lambent.api.variables import settings; print(settings.read_timeout)"
    assert subprocess.run([sys.executable, "-c", source], check=True, capture_output=True, text=True).stdout == "15.0\n"


def test_tests_override_what_they_name() -> None:
    with settings.override(function_timeout=0.5, boto_parameter_validation=True):
        assert settings.function_timeout == 0.5
        with settings.override(function_timeout=0.25):
            assert (settings.function_timeout, settings.boto_parameter_validation) == (0.25, True)
        assert settings.function_timeout == 0.5
    assert (settings.function_timeout, settings.boto_parameter_validation) == (30.0, False)


@pytest.mark.parametrize("name", ["function_timout", "FUNCTION_TIMEOUT", "override", "_known"])
def test_what_is_no_setting_cannot_be_overridden(name: str) -> None:
    with pytest.raises(ConfigurationError, match=r"Expected settings out of function_timeout, .*, but got"):
        settings.override(**{name: 1.0}).__enter__()
