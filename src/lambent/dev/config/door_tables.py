"""The tables of `[tool.lambent.doors]`, read into Entrances."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

import msgspec

from lambent.dev.config import tables
from lambent.dev.config.document import Document
from lambent.dev.config.toml_lines import Keys
from lambent.dev.doors import KINDS, websocket_api
from lambent.dev.doors import cors as cross_origin
from lambent.dev.model import Authorizer, Cors, Entrance
from lambent.dev.routes import selection
from lambent.dev.routes.bindings import APIS

ENTRANCES = ("tool", "lambent", "doors")

STAGED = (*APIS, websocket_api.KIND)
KEYED = ("rest", websocket_api.KIND)

ONLY: Mapping[str, Collection[str]] = {
    "stage": STAGED,
    "variables": STAGED,
    "base-path": STAGED,
    "authorizers": STAGED,
    "default-authorizer": (*STAGED, "url"),
    "api-keys": KEYED,
    "api-key-source": KEYED,
    "cors": cross_origin.KINDS,
    "route-selection": (websocket_api.KIND,),
}
"""Keys, and the kinds of doors that have them on AWS."""


def read(document: Document, doors: Mapping[str, object]) -> tuple[Entrance, ...]:
    """All of them. `ConfigurationError` points at a mistake."""
    return tuple(entrance(document, name, own) for name, own in doors.items())


def entrance(document: Document, name: str, own: object) -> Entrance:
    """The one of this name. Its kind is the name, if there is such a kind and it says no other."""
    keys = (*ENTRANCES, name)
    if not re.fullmatch(tables.ENTRANCE_NAME, name):
        expected = "a name that a host can have, of 1 to 63 lower case letters, digits and hyphens"
        raise document.error(keys, f"expected {expected}")
    table = document.convert(keys, own, tables.DoorTable)
    kind = table.kind or name
    if kind not in KINDS:
        raise document.error(keys, f"expected the key kind, one of {', '.join(KINDS)}, but there is none")
    if name in KINDS and kind != name:
        raise document.unexpected((*keys, "kind"), f"{name}, since that is the name of a kind as well", kind)
    for key in own if isinstance(own, dict) else ():
        if kind not in ONLY.get(key, (kind,)):
            has = f"only doors of the kinds {', '.join(ONLY[key])} have it"
            raise document.error((*keys, key), f"on AWS, {has}; this one is of the kind {kind}")
    if kind == websocket_api.KIND:
        check_socket(document, keys, table)
    return Entrance(
        name,
        kind,
        stage=table.stage,
        variables=table.variables,
        base_path=table.base_path,
        cors=None if table.cors is None else cors(document, (*keys, "cors"), table.cors, kind),
        authorizers=tuple(
            authorizer(document, (*keys, "authorizers"), each, told, kind) for each, told in table.authorizers.items()
        ),
        default_authorizer=table.default_authorizer,
        api_keys=table.api_keys,
        api_key_source=table.api_key_source,
        timeout=table.timeout,
        selection=table.route_selection,
    )


def check_socket(document: Document, keys: Keys, table: tables.DoorTable) -> None:
    """Complain about what a WebSocket API cannot have."""
    if table.stage.startswith("$"):
        raise document.unexpected((*keys, "stage"), "a stage with a name, which stands in the address", table.stage)
    try:
        selection.read(table.route_selection)
    except ValueError as error:
        came = f"got {table.route_selection!r}: {error}"
        keys = (*keys, "route-selection")
        raise document.error(keys, f'expected such as "$request.body.action", but {came}') from None


def cors(document: Document, keys: Keys, own: object, kind: str) -> Cors:
    table = document.convert(keys, own, tables.CorsTable)
    if kind in ("http", "http1") and table.credentials and "*" in table.origins:
        raise document.error((*keys, "credentials"), 'expected false, as on AWS, where the origins have "*"')
    return Cors(**msgspec.structs.asdict(table))


def authorizer(document: Document, keys: Keys, name: str, own: object, kind: str) -> Authorizer:
    """Paths of files of keys are relative to the configuration's."""
    table = document.convert((*keys, name), own, tables.AuthorizerTable)
    is_file = table.jwks and not re.match("https?://", table.jwks)
    given = msgspec.structs.asdict(table)
    if kind == websocket_api.KIND:  # which keeps no decisions
        given["ttl"] = 0.0
    return Authorizer(name, **{**given, "jwks": str(document.path(table.jwks)) if is_file else table.jwks})
