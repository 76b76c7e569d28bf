"""Where what outlives an invocation is kept: records of connections, their groups, and results by key.

    store = open_store("dynamodb://connections?region=eu-west-1")

One file each, imported when its URL is opened. Keys and values mean nothing here.

| URL                                                  | kept in                              | needs                  |
|------------------------------------------------------|--------------------------------------|------------------------|
| `memory://`                                          | this process                         |                        |
| `sqlite:///path`                                     | a file                               |                        |
| `postgresql://user:password@host/database`           | two tables                           | `lambent[postgresql]`  |
| `redis://host`, `rediss://host`                      | keys with a time to live             | `lambent[redis]`       |
| `dynamodb://table?region=&endpoint_url=`             | items of one table                   |                        |
| `s3://bucket/prefix?region=&endpoint_url=`           | objects                              |                        |
"""

from __future__ import annotations

import os
from importlib import import_module

from lambent.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lambent.stores.model import Store

__all__ = ["SCHEMES", "STORE", "open_store", "opened"]

STORE = "LAMBENT_STORE"
"""The variable that has the URL of the store of whatever is given none."""

SCHEMES = {
    "memory": "memory",
    "sqlite": "sqlite",
    "postgresql": "postgresql",
    "postgres": "postgresql",
    "redis": "redis",
    "rediss": "redis",
    "dynamodb": "dynamodb",
    "s3": "s3",
}
"""Scheme of a URL → the module of this package that has `open_store`."""


def open_store(url: str) -> Store:
    """Return the store at `url`. Nothing is connected before it is used.

    Raises ConfigurationError for a URL that none can be at, and for a driver that is not installed.
    """
    scheme, separator, _ = url.partition("://")
    module = SCHEMES.get(scheme)
    if module is None or not separator:
        known = ", ".join(f"{each}://" for each in SCHEMES)
        raise ConfigurationError(f"Expected the URL of a store to begin with one of {known}, but got {shown(url)!r}.")
    store: Store = import_module(f"lambent.stores.{module}").open_store(url)
    return store


def opened(store: str | Store | None) -> Store:
    """The store that is meant: None for that of LAMBENT_STORE. Raises ConfigurationError if there is none."""
    if store is None:
        store = os.environ.get(STORE) or None
    if store is None:
        raise ConfigurationError(
            "WebSockets and idempotency need a store for what is kept of connections and of what is done, and none is "
            "named. Set LAMBENT_STORE to its URL, such as dynamodb://TABLE, or say `store`: Lambent(app, store=...), "
            "Idempotency(store=...). Make it once: lambent stores init URL."
        )
    if isinstance(store, str):
        return open_store(store)
    if isinstance(store, type) or not hasattr(store, "load"):
        raise ConfigurationError(
            "Expected a store to be a URL, such as sqlite:///connections.db, or an object with the methods of "
            f"lambent.stores.model.Store, but got {store!r:.200}."
        )
    return store


def shown(url: str) -> str:
    """The URL without what may be secret in it: a password, and the values of its query.

    Read by hand: a password that was not quoted has characters that no parser takes for a part of it.
    """
    scheme, separator, rest = url.partition("://")
    if not separator:
        return f"{scheme.partition(':')[0]}:…" if ":" in scheme else scheme
    user, at, rest = rest.rpartition("@")
    name = user.partition(":")[0].partition("?")[0]
    user = user if user == name else f"{name}:…"
    place, mark, query = rest.partition("?")
    query = "&".join(f"{each.partition('=')[0]}=…" for each in query.split("&") if each)
    return f"{scheme}://{user}{at}{place}{mark}{query}"


def missing(extra: str, driver: str) -> ConfigurationError:
    """What to raise where the driver of a store is not installed."""
    return ConfigurationError(f'This store needs {driver}, which is not installed. Run: pip install "lambent[{extra}]"')


def unreadable(form: str, url: str) -> ConfigurationError:
    """What to raise for a URL of a server that cannot be taken apart."""
    return ConfigurationError(
        f"Expected {form}, but got {shown(url)!r}. "
        "In a user name and a password, write %40 for @, %2F for /, %3A for :, %3F for ? and %23 for #."
    )
