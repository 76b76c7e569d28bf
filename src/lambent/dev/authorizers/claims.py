r"""The claims of a token, as events tell them: always as strings. Pure.

    in the token                    behind an HTTP API          behind a REST API, of a user pool
    "aud": "shop"                   "shop"                      "shop"
    "exp": 1680633579               "1680633579"                "Tue Apr 04 18:39:39 UTC 2023"
    "email_verified": true          "true"                      "true"
    "cognito:groups": ["a", "b"]    "[a b]"                     "a,b"
    "address": {"city": "Ulm"}      "map[city:Ulm]"             "{\"city\":\"Ulm\"}"

Source: events that people captured. Believed, not measured: objects, null and numbers that are not whole.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime

from lambent.dev.doors import fields

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
DATES = ("exp", "iat")


def of_http_api(claims: Mapping[str, object]) -> dict[str, str]:
    return {name: _go(value) for name, value in claims.items()}


def of_user_pool(claims: Mapping[str, object]) -> dict[str, str]:
    return {name: _date(value) if name in DATES else _java(value) for name, value in claims.items()}


def scopes(claims: Mapping[str, object]) -> list[str]:
    """Of the claim `scope` or `scp`: words, or a list of them."""
    found = claims.get("scope", claims.get("scp"))
    if isinstance(found, str):
        return found.split()
    return [str(each) for each in found] if isinstance(found, list) else []


def _go(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return f"[{' '.join(map(_go, value))}]"
    if isinstance(value, Mapping):
        return f"map[{' '.join(f'{name}:{_go(value[name])}' for name in sorted(value))}]"
    return "<nil>" if value is None else json.dumps(value)


def _java(value: object) -> str:
    if isinstance(value, list):
        return ",".join(map(_java, value))
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _date(value: object) -> str:
    """A time as Java prints it; the names do not follow the locale."""
    try:
        at = datetime.fromtimestamp(float(str(value)), UTC)
    except (ValueError, OverflowError, OSError):
        return _java(value)
    return f"{DAYS[at.weekday()]} {fields.MONTHS[at.month - 1]} {at:%d %H:%M:%S} UTC {at.year}"
