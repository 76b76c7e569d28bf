"""Stores by their URLs, and what of a URL is shown."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lambent.errors import ConfigurationError
from lambent.stores import SCHEMES, STORE, open_store, opened, shown
from lambent.stores.memory import MemoryStore

SOURCE = Path(__file__).parents[2] / "src"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("memory://", "memory://"),
        ("sqlite:///connections.db", "sqlite:///connections.db"),
        ("sqlite:////var/a@b/c.db", "sqlite:////var/a@b/c.db"),
        ("postgresql://host/db", "postgresql://host/db"),
        ("postgresql://ann@host/db", "postgresql://ann@host/db"),
        ("postgresql://ann:pw@host:5432/db?sslmode=require&password=pw", "postgresql://ann:…@host:5432/db?sslmode=…&password=…"),
        ("postgresql://ann:p/w?p#w@p:w@host/db", "postgresql://ann:…@host/db"),
        ("redis://:pw@host", "redis://:…@host"),
        ("rediss://[::1]:6379/0?prefix=a", "rediss://[::1]:6379/0?prefix=…"),
        ("redis://ann:[pw@host", "redis://ann:…@host"),
        ("dynamodb://My.Table?region=eu-west-1&endpoint_url=http://ann:pw@host", "dynamodb://My.Table:…@host"),
        ("s3://bucket?token=a@b", "s3://bucket:…@b"),
        ("S3://bucket/prefix?", "S3://bucket/prefix?"),
        ("connections.db", "connections.db"),
        ("redis:ann:pw@host", "redis:…"),
        ("", ""),
    ],
)  # fmt: skip
def test_what_may_be_secret_is_not_shown(url: str, expected: str) -> None:
    assert shown(url) == expected


def test_a_url_opens_its_store() -> None:
    assert isinstance(open_store("memory://"), MemoryStore)


def test_nothing_is_connected_before_it_is_used(tmp_path: Path) -> None:
    for url in (f"sqlite:///{tmp_path}/store.db", "postgresql://ann:pw@host.invalid/db", "redis://host.invalid"):
        open_store(url)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "url", ["", "connections.db", "mysql://ann:pa55@host", "sqlite:x.db", "memory:", "://", "SQLITE:///x"]
)
def test_another_url_is_told_which_there_are(url: str) -> None:
    with pytest.raises(
        ConfigurationError, match="Expected the URL of a store to begin with one of memory://, "
    ) as caught:
        open_store(url)
    assert all(f"{scheme}://" in str(caught.value) for scheme in SCHEMES)
    assert "pa55" not in str(caught.value)


def test_a_store_is_an_object_or_a_url() -> None:
    store = MemoryStore()
    assert opened(store) is store
    assert isinstance(opened("memory://"), MemoryStore)


@pytest.mark.parametrize("store", [Path("connections.db"), MemoryStore, 7, b"memory://", {}])
def test_what_is_no_store_is_told_what_is_one(store: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"a URL, such as sqlite:///connections\.db, or an object .*but got "):
        opened(store)


def test_a_store_is_what_the_environment_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(STORE, "memory://")
    assert isinstance(opened(None), MemoryStore)


@pytest.mark.parametrize("value", [None, ""])
def test_without_a_store_the_error_says_what_to_set(value: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(STORE, raising=False)
    if value is not None:
        monkeypatch.setenv(STORE, value)
    with pytest.raises(ConfigurationError, match=r"Set LAMBENT_STORE .* lambent stores init URL"):
        opened(None)


def run(script: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(SOURCE)!r}); {script}"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize(
    ("url", "driver", "extra"),
    [("postgresql://host/db", "asyncpg", "postgresql"), ("postgres://host", "asyncpg", "postgresql")]
    + [(f"{scheme}://host", "redis", "redis") for scheme in ("redis", "rediss")],
)
def test_without_its_driver_a_store_says_what_to_install(url: str, driver: str, extra: str) -> None:
    ran = run(f"sys.modules[{driver!r}] = None; from lambent.stores import open_store; open_store({url!r})")
    assert ran.stderr.strip().endswith(
        f'ConfigurationError: This store needs {driver}, which is not installed. Run: pip install "lambent[{extra}]"'
    )


def test_a_store_loads_no_other() -> None:
    heavy = {"sqlite3", "asyncpg", "redis", "lambent.stores.sql", "asyncio"}
    ran = run(f"from lambent.stores import open_store; open_store('memory://'); print({heavy} & set(sys.modules))")
    assert (ran.stdout, ran.stderr) == ("set()\n", "")
