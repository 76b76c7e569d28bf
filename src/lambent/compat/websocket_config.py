"""What Mangum was told of WebSockets, up to 0.12, in Lambent's words. Pure.

| Mangum                                        | version        | is here                                   |
|-----------------------------------------------|----------------|-------------------------------------------|
| `dsn="s3://bucket"`                           | 0.9, 0.12      | `store="s3://bucket"`                     |
| `ws_config={"backend": "s3", "params": {…}}`  | 0.9.0b1        | the same                                  |
| `api_gateway_endpoint_url="https://…"`        | all of them    | `websocket_endpoint="https://…"`          |
| `api_gateway_region_name="eu-west-1"`         | all of them    | of use where the endpoint's host has none |

The last two stood in `ws_config` at first.

Source: mangum/backends and docs/websockets.md of these versions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import parse_qsl, quote, urlencode

from lambent.errors import ConfigurationError
from lambent.websocket.endpoint import region_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

Params = Mapping[str, object]

ENDPOINT = "api_gateway_endpoint_url"
REGION = "api_gateway_region_name"
CONNECTIONS = "/@connections"
"""Which 0.12 wanted at the end of an endpoint, and 0.9 did not."""


class Moved(NamedTuple):
    """What Lambent is told instead."""

    store: str | None = None
    """Its URL."""
    endpoint: str | None = None
    """Of the management API, without `/@connections`."""
    region: str = ""
    """Of that, where its host does not say so."""


class Backend(NamedTuple):
    """One of those that `ws_config` named."""

    needed: tuple[str, ...]
    optional: tuple[str, ...]
    url: Callable[[Params], str]


def moved(dsn: object, ws_config: object, endpoint: object, region: object) -> Moved:
    """Translate the four options, each None if it is not given.

    Raises ConfigurationError, which names what is known, and no values: there are passwords among them.
    """
    if ws_config is not None:
        if dsn is not None:
            raise ConfigurationError("Expected `dsn` or `ws_config`, but got both. Leave `ws_config` out.")
        dsn, own = from_config(ws_config)
        endpoint, region = endpoint or own.get(ENDPOINT), region or own.get(REGION)
    url, where = managed(text(ENDPOINT, endpoint)), text(REGION, region)
    return Moved(
        None if dsn is None else store(text("dsn", dsn)),
        url or None,
        where if url and not tells_region(url) else "",
    )


def text(name: str, value: object) -> str:
    if value is not None and not isinstance(value, str):
        raise ConfigurationError(f"Expected `{name}` to be a text, but got a {type(value).__name__}.")
    return value or ""


def managed(endpoint: str) -> str:
    """An endpoint in either convention."""
    return endpoint.rstrip("/").removesuffix(CONNECTIONS)


def tells_region(endpoint: str) -> bool:
    """Whether its host does."""
    try:
        return bool(region_of(endpoint, {}))
    except ConfigurationError:
        return False


# `dsn`


def store(dsn: str) -> str:
    """The URL of a store, of a connection string. Raises ConfigurationError for one of no backend."""
    scheme, separator, rest = dsn.partition("://")
    scheme = scheme.lower()
    if not separator or scheme not in SCHEMES:
        known = ", ".join(f"{each}://" for each in SCHEMES)
        got = f"{scheme}://" if separator else "none of them"
        raise ConfigurationError(f"Expected `dsn` to begin with one of {known}, but got {got}.")
    if not rest.partition("?")[0].strip("/"):
        raise ConfigurationError(f"Expected `dsn` to say what is meant by {scheme}://, but nothing follows.")
    return SCHEMES[scheme](scheme, rest)


def same(scheme: str, rest: str) -> str:
    return f"{scheme}://{rest}"


def sqlite(_scheme: str, rest: str) -> str:
    """A path is what follows the two slashes, from the root on if it begins with a third one."""
    path = rest.partition("?")[0]
    return f"sqlite:////{path.lstrip('/')}" if path.startswith("/") else f"sqlite:///{path}"


def postgresql(scheme: str, rest: str) -> str:
    """Without `connect_timeout`, which asyncpg takes for a setting of the server."""
    return without(scheme, rest, "connect_timeout")


def aws(scheme: str, rest: str) -> str:
    """The documentation calls the region `region_name` once, and `region` once: the latter it was."""
    before, question, query = rest.partition("?")
    if not question:
        return same(scheme, rest)
    pairs = [("region" if key == "region_name" else key, value) for key, value in parse_qsl(query)]
    return same(scheme, f"{before}?{urlencode(pairs)}")


def without(scheme: str, rest: str, key: str) -> str:
    before, _, query = rest.partition("?")
    kept = "&".join(each for each in query.split("&") if each and each.partition("=")[0] != key)
    return same(scheme, f"{before}?{kept}" if kept else before)


SCHEMES: dict[str, Callable[[str, str], str]] = {
    "dynamodb": aws,
    "s3": aws,
    "postgresql": postgresql,
    "postgres": postgresql,
    "redis": same,
    "rediss": same,
    "sqlite": sqlite,
}


# `ws_config`


def from_config(config: object) -> tuple[str, Params]:
    """The connection string that 0.9 would have had for it, and the rest of the configuration."""
    known = {"backend", "params", ENDPOINT, REGION}
    if not isinstance(config, Mapping) or not {"backend", "params"} <= config.keys() <= known:
        raise ConfigurationError(
            f"Expected `ws_config` to have the keys backend and params, and no others than {ENDPOINT} and {REGION} "
            f"beside them, but got {came(config)}."
        )
    name, params = config["backend"], config["params"]
    if not isinstance(name, str) or name not in BACKENDS:
        got = repr(name) if isinstance(name, str) and name.isalnum() else came(name)
        raise ConfigurationError(f"ws_config['backend']: expected one of {', '.join(BACKENDS)}, but got {got}.")
    if not isinstance(params, Mapping):
        raise ConfigurationError(f"ws_config['params']: expected a dictionary, but got {came(params)}.")
    if name == "postgresql" and "uri" in params:
        return text("ws_config['params']['uri']", params["uri"]), config
    check(name, BACKENDS[name], params)
    return BACKENDS[name].url(params), config


def check(name: str, backend: Backend, params: Params) -> None:
    needed = [key for key in backend.needed if params.get(key) in (None, "")]
    unknown = params.keys() - {*backend.needed, *backend.optional}
    if needed or unknown:
        wanted = f"{', '.join(backend.needed)}, and if need be {', '.join(backend.optional)}"
        raise ConfigurationError(f"ws_config['params']: expected {wanted} for {name}, but got {came(params)}.")


def came(value: object) -> str:
    """The keys of a mapping, without its values."""
    if isinstance(value, Mapping):
        return f"the keys {', '.join(map(repr, value))}" if value else "an empty one"
    return f"a {type(value).__name__}"


def bucket(params: Params) -> str:
    return f"s3://{params['bucket']}{region(params)}"


def table(params: Params) -> str:
    return f"dynamodb://{params['table_name']}{region(params)}"


def region(params: Params) -> str:
    names = {"region_name": "region", "endpoint_url": "endpoint_url"}
    pairs = [(ours, str(params[theirs])) for theirs, ours in names.items() if params.get(theirs)]
    return f"?{urlencode(pairs)}" if pairs else ""


def server(params: Params) -> str:
    database = quote(str(params["database"]), safe="")
    return f"postgresql://{quoted(params, 'user')}:{quoted(params, 'password')}@{host(params, 5432)}/{database}"


def cache(params: Params) -> str:
    secret = f":{quoted(params, 'password')}@" if params.get("password") else ""
    return f"redis://{secret}{host(params, 6379)}"


def quoted(params: Params, key: str) -> str:
    return quote(str(params[key]), safe="")


def host(params: Params, port: int) -> str:
    """With the port that is documented, where none is given: Mangum took PostgreSQL's for Redis."""
    name = str(params["host"])
    name = f"[{name}]" if ":" in name and not name.startswith("[") else name
    return f"{name}:{params.get('port') or port}"


def file(params: Params) -> str:
    return f"sqlite://{params['file_path']}"


LITE = Backend(("file_path",), ("table_name",), file)

BACKENDS = {
    "dynamodb": Backend(("table_name",), ("region_name", "endpoint_url"), table),
    "s3": Backend(("bucket",), ("region_name",), bucket),
    "postgresql": Backend(("database", "user", "password", "host"), ("port", "connect_timeout", "table_name"), server),
    "redis": Backend(("host",), ("port", "password"), cache),
    "sqlite3": LITE,
    "sqlite": LITE,
}
"""By the names that they had. What `table_name` was of PostgreSQL and SQLite, ours have names of their own for."""
