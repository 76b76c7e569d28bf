"""What Mangum's documentation and code took for WebSockets, from 0.9.0b1 to 0.12.4."""

from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.compat.websocket_config import Moved, moved
from lambent.errors import ConfigurationError
from lambent.stores import open_store

# Every one that stands in docs/websockets.md, and what its syntax allows there.
DSN = {
    "dynamodb://mytable": "dynamodb://mytable",
    "dynamodb://My.Table?region=eu-west-1": "dynamodb://My.Table?region=eu-west-1",
    "dynamodb://mytable?region_name=eu-west-1": "dynamodb://mytable?region=eu-west-1",
    "dynamodb://mytable?region=eu-west-1&endpoint_url=http://localhost:8000": (
        "dynamodb://mytable?region=eu-west-1&endpoint_url=http%3A%2F%2Flocalhost%3A8000"
    ),
    "s3://my-bucket-12345": "s3://my-bucket-12345",
    "s3://my-bucket-12345/key/path?region=eu-west-1": "s3://my-bucket-12345/key/path?region=eu-west-1",
    "postgresql://myuser:mysecret@my.host:5432/mydb": "postgresql://myuser:mysecret@my.host:5432/mydb",
    "postgres://my.host/mydb?connect_timeout=10": "postgres://my.host/mydb",
    "postgresql://a,b/mydb?connect_timeout=10&sslmode=require": "postgresql://a,b/mydb?sslmode=require",
    "redis://:mysecret@my.host:6379/0": "redis://:mysecret@my.host:6379/0",
    "redis://my.host": "redis://my.host",
    # with two slashes, a path of the working directory; the third one was the path's own
    "sqlite://mydbfile.sqlite3": "sqlite:///mydbfile.sqlite3",
    "sqlite://data/file.db": "sqlite:///data/file.db",
    "sqlite:///tmp/file.db": "sqlite:////tmp/file.db",
    "sqlite:////tmp/file.db": "sqlite:////tmp/file.db",
    "SQLite://mydbfile.sqlite3": "sqlite:///mydbfile.sqlite3",
}

# The backend, its params, and the store; the first of each is the example of the documentation of 0.9.0b1.
CONFIGS: list[tuple[str, dict[str, object], str]] = [
    ("dynamodb", {"table_name": "connections"}, "dynamodb://connections"),
    (
        "dynamodb",
        {"table_name": "table", "region_name": "eu-west-1", "endpoint_url": "http://localhost:8000"},
        "dynamodb://table?region=eu-west-1&endpoint_url=http%3A%2F%2Flocalhost%3A8000",
    ),
    ("s3", {"bucket": "asgi-websocket-connections-12345"}, "s3://asgi-websocket-connections-12345"),
    ("s3", {"bucket": "bucket", "region_name": "eu-west-1"}, "s3://bucket?region=eu-west-1"),
    (
        "postgresql",
        {"database": "mangum", "user": "postgres", "password": "correct horse battery staple", "host": "my.host"},
        "postgresql://postgres:correct%20horse%20battery%20staple@my.host:5432/mangum",
    ),
    (
        "postgresql",
        {"database": "d/b", "user": "u@x", "password": "p:/?#", "host": "::1", "port": "1", "connect_timeout": 5},
        "postgresql://u%40x:p%3A%2F%3F%23@[::1]:1/d%2Fb",
    ),
    ("postgresql", {"uri": "postgresql://u:p@h/d?connect_timeout=5"}, "postgresql://u:p@h/d"),
    (
        "redis",
        {"host": "my.redis.host", "port": 6379, "password": "correct horse battery staple"},
        "redis://:correct%20horse%20battery%20staple@my.redis.host:6379",
    ),
    ("redis", {"host": "h"}, "redis://h:6379"),
    ("sqlite3", {"file_path": "mangum.sqlite3", "table_name": "connection"}, "sqlite:///mangum.sqlite3"),
    ("sqlite", {"file_path": "/tmp/mangum.sqlite3"}, "sqlite:////tmp/mangum.sqlite3"),
]


@pytest.mark.parametrize("dsn", DSN)
def test_a_connection_string_is_a_store_s_url(dsn: str) -> None:
    assert moved(dsn, None, None, None) == Moved(DSN[dsn])


@pytest.mark.parametrize(("backend", "params", "url"), CONFIGS)
def test_a_configuration_is_a_store_s_url(backend: str, params: dict[str, object], url: str) -> None:
    assert moved(None, {"backend": backend, "params": params}, None, None) == Moved(url)


@pytest.mark.parametrize("url", sorted({*DSN.values(), *(url for _, _, url in CONFIGS)}))
def test_each_store_takes_its_url(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-west-1")  # as on Lambda
    assert hasattr(open_store(url), "forget")


@given(st.text(min_size=1), st.text(min_size=1))
def test_any_password_can_be_in_a_url(user: str, password: str) -> None:
    params = {"database": "d", "user": user, "password": password, "host": "h"}
    try:
        url = moved(None, {"backend": "postgresql", "params": params}, None, None).store
    except UnicodeEncodeError:  # a lone surrogate, which no server takes
        return
    parts = urlsplit(str(url))
    assert (unquote(parts.username or ""), unquote(parts.password or ""), parts.hostname) == (user, password, "h")


@pytest.mark.parametrize("end", ["", "/", "/@connections", "/@connections/"])
@pytest.mark.parametrize("region", [None, "eu-west-1"])
def test_an_endpoint_is_one_in_either_convention(end: str, region: str | None) -> None:
    url = "https://a1.execute-api.eu-west-1.amazonaws.com/prod"
    assert moved(None, None, f"{url}{end}", region) == Moved(None, url)


@pytest.mark.parametrize(
    ("url", "region", "told"),
    [
        ("http://localhost:3001", None, Moved(None, "http://localhost:3001")),
        ("http://localhost:3001/", "eu-west-1", Moved(None, "http://localhost:3001", "eu-west-1")),
        (
            "https://chat.example.com/v1/@connections",
            "eu-west-1",
            Moved(None, "https://chat.example.com/v1", "eu-west-1"),
        ),
        (
            "https://a1.execute-api.localhost.localstack.cloud:4566/_aws/v1",
            "eu-west-1",
            Moved(None, "https://a1.execute-api.localhost.localstack.cloud:4566/_aws/v1", "eu-west-1"),
        ),
        (None, "eu-west-1", Moved()),  # the event tells where, and so in which region
        (None, None, Moved()),
    ],
)
def test_a_region_counts_where_the_endpoint_tells_none(url: str | None, region: str | None, told: Moved) -> None:
    assert moved(None, None, url, region) == told


def test_endpoint_and_region_stood_in_the_configuration_at_first() -> None:
    where = {"api_gateway_endpoint_url": "http://localhost:3001", "api_gateway_region_name": "eu-west-1"}
    config = {"backend": "s3", "params": {"bucket": "b"}, **where}
    assert moved(None, config, None, None) == Moved("s3://b", "http://localhost:3001", "eu-west-1")
    assert moved(None, config, "http://other", "us-west-2") == Moved("s3://b", "http://other", "us-west-2")


SECRET = "correct horse"
KNOWN = "dynamodb://, s3://, postgresql://, postgres://, redis://, rediss://, sqlite://"
BACKENDS = "dynamodb, s3, postgresql, redis, sqlite3, sqlite"
HAS = "Expected `ws_config` to have the keys backend and params"


@pytest.mark.parametrize(
    ("dsn", "config", "says"),
    [
        (f"mysql://u:{SECRET}@h", None, f"Expected `dsn` to begin with one of {KNOWN}, but got mysql://."),
        (f"host=h password={SECRET}", None, "but got none of them."),
        ("", None, "but got none of them."),
        (7, None, "Expected `dsn` to be a text, but got a int."),
        ("redis://", None, "Expected `dsn` to say what is meant by redis://, but nothing follows."),
        ("dynamodb:///?region=eu-west-1", None, "what is meant by dynamodb://"),
        ("s3://b", {"backend": "s3", "params": {"bucket": "b"}}, "Expected `dsn` or `ws_config`, but got both."),
        (None, {}, f"{HAS}, and no others than api_gateway_endpoint_url and api_gateway_region_name beside them"),
        (None, {"backend": "s3"}, "but got the keys 'backend'."),
        (None, {"backend": "s3", "params": {}, "bucket": SECRET}, "but got the keys 'backend', 'params', 'bucket'."),
        (None, f"redis://:{SECRET}@h", f"{HAS}"),
        (None, {"backend": "mysql", "params": {}}, f"expected one of {BACKENDS}, but got 'mysql'."),
        (None, {"backend": f"redis://:{SECRET}@h", "params": {}}, f"expected one of {BACKENDS}, but got a str."),
        (None, {"backend": None, "params": {}}, f"expected one of {BACKENDS}, but got a NoneType."),
        (None, {"backend": "s3", "params": f"{SECRET}"}, "ws_config['params']: expected a dictionary, but got a str."),
        (
            None,
            {"backend": "s3", "params": {}},
            "ws_config['params']: expected bucket, and if need be region_name for s3, but got an empty one.",
        ),
        (
            None,
            {"backend": "redis", "params": {"hostname": "h", "password": SECRET}},
            "expected host, and if need be port, password for redis, but got the keys 'hostname', 'password'.",
        ),
        (
            None,
            {"backend": "postgresql", "params": {"host": "h", "password": SECRET}},
            "expected database, user, password, host, and if need be port, connect_timeout, table_name for postgresql",
        ),
        (None, {"backend": "sqlite3", "params": {"path": "x"}}, "expected file_path, and if need be table_name"),
        (None, {"backend": "dynamodb", "params": {"table": "x"}}, "expected table_name, and if need be region_name"),
    ],
)
def test_what_no_backend_was_told_is_refused_without_its_values(dsn: Any, config: Any, says: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        moved(dsn, config, None, None)
    assert says in str(caught.value)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("value", [7, b"https://x", ["https://x"]])
def test_endpoints_and_regions_are_texts(value: object) -> None:
    with pytest.raises(ConfigurationError, match="Expected `api_gateway_endpoint_url` to be a text"):
        moved(None, None, value, None)
    with pytest.raises(ConfigurationError, match="Expected `api_gateway_region_name` to be a text"):
        moved(None, None, None, value)
