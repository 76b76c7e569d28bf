"""What a program that runs a local Lambda imports, and what importing it loads."""

import subprocess
import sys

import pytest

import lambent.dev


def loaded(script: str) -> set[str]:
    """The modules that a fresh interpreter has loaded after `script`."""
    command = [sys.executable, "-c", f"{script}\nimport sys; print(*sys.modules)"]
    return set(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())


def test_importing_it_loads_itself_only() -> None:
    assert loaded("import lambent.dev") - loaded("") <= {"__future__", "lambent", "lambent.dev"}


def test_each_name_is_there_and_listed() -> None:
    assert set(lambent.dev.__all__) == set(dir(lambent.dev)) == set(lambent.dev._HOMES)
    assert all(callable(getattr(lambent.dev, name)) for name in lambent.dev.__all__)


def test_what_a_name_means_does_not_depend_on_what_was_imported_before() -> None:
    script = "import lambent.dev.server; from lambent.dev import load, run; print(run.__module__, load.__module__)"
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["lambent.dev.program", "lambent.dev.config"]


def test_a_function_can_be_made_without_what_the_server_needs() -> None:
    assert not {"uvicorn", "psutil", "click"} & loaded("from lambent.dev import Function")


def test_a_name_that_is_not_there_is_named() -> None:
    with pytest.raises(AttributeError, match=r"^module 'lambent\.dev' has no attribute 'Lambda'$"):
        _ = lambent.dev.Lambda
