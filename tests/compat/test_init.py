"""The names of other adapters: each is there, and loads no more than it needs."""

import subprocess
import sys

import pytest

from lambent import compat


def loaded(script: str) -> set[str]:
    """The modules that a fresh interpreter has loaded after `script`."""
    command = [sys.executable, "-c", f"{script}\nimport sys; print(*sys.modules)"]
    return set(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())


def test_each_name_is_there_and_listed() -> None:
    assert set(compat.__all__) == set(dir(compat))
    assert all(getattr(compat, name).__name__ == name for name in compat.__all__)


def test_a_name_that_is_not_there_is_named() -> None:
    with pytest.raises(AttributeError, match=r"^module 'lambent\.compat' has no attribute 'Zappa'$"):
        _ = compat.Zappa


@pytest.mark.parametrize(("name", "other"), [("Mangum", "lynara"), ("Lynara", "mangum")])
def test_one_loads_neither_the_other_nor_any_door_nor_what_is_replaced(name: str, other: str) -> None:
    more = loaded(f"from lambent.compat import {name}") - loaded("import asyncio")
    assert f"lambent.compat.{name.lower()}" in more
    assert not more & {f"lambent.compat.{other}", "lambent.gateway.http_api", "mangum", "lynara"}
    assert {module for module in more if not module.startswith("lambent")} <= {"__future__", "copy"}
