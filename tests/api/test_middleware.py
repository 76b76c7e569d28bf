"""The package: what it offers, and what it does not load."""

from __future__ import annotations

import subprocess
import sys

import pytest

from lambent.api import middleware


def test_names_are_there_when_asked_for() -> None:
    assert dir(middleware) == ["CORSMiddleware", "GZipMiddleware"]
    assert middleware.GZipMiddleware.__module__ == "lambent.api.middleware.gzip"
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        getattr(middleware, "Nothing")  # noqa: B009 - mypy knows that it is not there


def test_neither_loads_what_only_some_requests_need() -> None:
    script = (
        "import sys\nbefore = set(sys.modules)\n"
        "from lambent.api.middleware import CORSMiddleware, GZipMiddleware\n"
        "CORSMiddleware(print, ['https://a.example'])\nGZipMiddleware(print)\n"
        "print(*sorted({name.partition('.')[0] for name in set(sys.modules) - before}))"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert ran.stderr == ""
    assert set(ran.stdout.split()) - {"warnings"} == {"__future__", "importlib", "lambent"}  # as importlib wants
