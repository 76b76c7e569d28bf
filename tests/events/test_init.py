"""What `lambent.events` has, and that it is loaded when it is asked for."""

from __future__ import annotations

import ast
import pkgutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import lambent.events
from lambent.events import sources
from lambent.events.model import Record

INIT = Path(lambent.events.__file__)


def declared() -> dict[str, str]:
    """What type checkers are told: each name, and the module it comes from."""
    (block,) = (each for each in ast.parse(INIT.read_text("utf-8")).body if isinstance(each, ast.If))
    return {
        alias.name: each.module or "" for each in block.body if isinstance(each, ast.ImportFrom) for alias in each.names
    }


def test_each_name_is_there_and_listed() -> None:
    assert sorted(lambent.events.__all__) == lambent.events.__all__ == dir(lambent.events)
    assert declared().keys() == set(lambent.events.__all__) == lambent.events._WHERE.keys()


@pytest.mark.parametrize(("name", "module"), declared().items())
def test_it_is_what_type_checkers_are_told(name: str, module: str) -> None:
    assert getattr(lambent.events, name) is getattr(import_module(module), name)
    assert f"lambent.events.{lambent.events._WHERE[name]}" == module


def test_every_source_has_its_record_here() -> None:
    names = {kind.name for kind in (*sources.KINDS, sources.INVOKE)}
    here = {getattr(lambent.events, name) for name in lambent.events.__all__}
    records = {each.source for each in here if isinstance(each, type) and issubclass(each, Record)}
    assert records == names | {""}
    modules = {each.name for each in pkgutil.iter_modules(sources.__path__)}
    assert names <= modules


def test_a_name_that_is_not_there_is_named() -> None:
    with pytest.raises(AttributeError, match=r"^module 'lambent\.events' has no attribute 'FaxRecord'$"):
        _ = lambent.events.FaxRecord


def loaded(script: str) -> set[str]:
    command = [sys.executable, "-c", f"{script}\nimport sys; print(*sys.modules)"]
    return set(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())


def test_one_name_loads_no_other() -> None:
    more = loaded("import lambent.events; lambent.events.SqsRecord") - loaded("import asyncio")
    assert "lambent.events.sources.sqs" in more
    assert {name for name in more if not name.startswith("lambent")} <= {"__future__"}
    for name in ("lambent.events.events", "lambent.events.router", "lambent.events.sources.s3"):
        assert name not in more
