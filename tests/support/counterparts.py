"""Counterparts that no package index offers may be missing, unless `LAMBENT_REQUIRE` lists them: `rie,curl,zip`."""

import os
from typing import NoReturn

import pytest


def required(name: str) -> bool:
    """Whether LAMBENT_REQUIRE lists `name`: then nothing may stand in for it."""
    return name in os.environ.get("LAMBENT_REQUIRE", "").replace(",", " ").split()


def missing(name: str, reason: str) -> NoReturn:
    """Skip the test, or the module that is being imported, with one line; fail where LAMBENT_REQUIRE lists `name`."""
    if required(name):
        pytest.fail(f"LAMBENT_REQUIRE lists {name}, but: {reason}", pytrace=False)
    pytest.skip(f"{name}: {reason}", allow_module_level=True)
