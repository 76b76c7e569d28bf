"""What is kept in a table of DynamoDB, and what is asked of it: each request a value. Pure.

| pk              | sk      | others                                |
|-----------------|---------|---------------------------------------|
| `value/KEY`     | `value` | `data`, `version`, `until`, `expires` |
| `group/GROUP`   | MEMBER  | `until`, `expires`                    |
| `member/MEMBER` | GROUP   | `until`, `expires`                    |

`until` is when an item expires, to the fraction of a second; `expires` is that in whole seconds, for DynamoDB's own
deletion, which comes up to some days later. The item under `member/` is the way back: by it `forget` finds the groups.

Source: Amazon DynamoDB API Reference, API version 2012-08-10.
"""

from __future__ import annotations

import math
from base64 import b64decode, b64encode
from typing import Any, NamedTuple

from lambent.stores.model import ABSENT, Stored

VALUE, GROUP, MEMBER = "value/", "group/", "member/"
LIFETIME = "expires"
"""The attribute that DynamoDB deletes items by."""
PAIRS = 50
"""Memberships that one transaction ends: of its items, at most 100, each has two."""

_KEYS = {"pk": "HASH", "sk": "RANGE"}
_LIVE = "#until > :now"
_NAMES = {"#until": "until"}

_Pairs = list[tuple[str, str]]


class Ask(NamedTuple):
    """A request: the operation, and its fields as they go into JSON."""

    operation: str
    fields: dict[str, Any]


# Values


def load(table: str, key: str) -> Ask:
    """What was saved before is seen."""
    return Ask("GetItem", {"TableName": table, "Key": _value(key), "ConsistentRead": True})


def save(table: str, key: str, new: Stored, expires: float, before: str | None, now: float) -> Ask:
    """Write `new` in the place of version `before`; of whatever is there, if that is None."""
    item = {**_value(key), "data": {"B": b64encode(new.data).decode()}, "version": {"S": new.version}, **_end(expires)}
    return Ask("PutItem", {"TableName": table, "Item": item, **_condition(new.version, before, now)})


def _condition(new: str, before: str | None, now: float) -> dict[str, Any]:
    """The new version may be there already: then this was asked before, and the answer was lost on its way."""
    if before is None:
        return {}
    values = {":new": {"S": new}, ":now": {"N": repr(now)}}
    if before == ABSENT:
        condition = "attribute_not_exists(pk) OR #until <= :now OR #version = :new"
    else:
        condition = f"#version = :new OR (#version = :before AND {_LIVE})"
        values[":before"] = {"S": before}
    return {
        "ConditionExpression": condition,
        "ExpressionAttributeNames": {**_NAMES, "#version": "version"},
        "ExpressionAttributeValues": values,
    }


def delete(table: str, key: str) -> Ask:
    """Whether it is there or not."""
    return Ask("DeleteItem", {"TableName": table, "Key": _value(key)})


def stored(answer: dict[str, Any], now: float) -> Stored | None:
    """What was loaded, unless it has expired."""
    item = answer.get("Item")
    if not item or float(item["until"]["N"]) <= now:
        return None
    return Stored(b64decode(item["data"]["B"]), item["version"]["S"])


# Memberships: both items or none


def join(table: str, group: str, member: str, expires: float) -> Ask:
    """Write both."""
    return _together([{"Put": {"TableName": table, "Item": {**key, **_end(expires)}}} for key in _both(group, member)])


def leave(table: str, pairs: _Pairs) -> Ask:
    """Remove both of each of at most PAIRS."""
    keys = [key for group, member in pairs for key in _both(group, member)]
    return _together([{"Delete": {"TableName": table, "Key": key}} for key in keys])


def members(table: str, group: str, now: float, limit: int, start: dict[str, Any] | None) -> Ask:
    """A page of those that have not expired; `start` is where the one before ended."""
    ask = _page(table, GROUP + group, limit, start)
    ask.fields["FilterExpression"] = _LIVE
    ask.fields["ExpressionAttributeNames"] = _NAMES
    ask.fields["ExpressionAttributeValues"][":now"] = {"N": repr(now)}
    return ask


def groups(table: str, member: str, limit: int, start: dict[str, Any] | None) -> Ask:
    """A page of those that `member` is in, whether that has expired or not."""
    return _page(table, MEMBER + member, limit, start)


def names(answer: dict[str, Any]) -> list[str]:
    """Whom a page has."""
    return [item["sk"]["S"] for item in answer["Items"]]


def after(answer: dict[str, Any]) -> dict[str, Any] | None:
    """Where the next page starts; None if this one was the last."""
    start: dict[str, Any] | None = answer.get("LastEvaluatedKey")
    return start


def is_contended(answer: dict[str, Any]) -> bool:
    """Whether a transaction failed for nothing but another one at the same time, or for want of capacity."""
    passing = {"None", "TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"}
    reasons = [reason.get("Code", "None") for reason in answer.get("CancellationReasons") or ()]
    return bool(reasons) and passing.issuperset(reasons)


# The table


def describe(table: str) -> Ask:
    """Its state and its keys."""
    return Ask("DescribeTable", {"TableName": table})


def create(table: str) -> Ask:
    """Paid by request: what is used little costs little."""
    attributes = [{"AttributeName": name, "AttributeType": "S"} for name in _KEYS]
    schema = [{"AttributeName": name, "KeyType": kind} for name, kind in _KEYS.items()]
    return Ask(
        "CreateTable",
        {
            "TableName": table,
            "AttributeDefinitions": attributes,
            "KeySchema": schema,
            "BillingMode": "PAY_PER_REQUEST",
        },
    )


def keys(description: dict[str, Any]) -> str:
    """Those that a table has, in words."""
    types = {each["AttributeName"]: each["AttributeType"] for each in description["AttributeDefinitions"]}
    schema = [(each["AttributeName"], each["KeyType"]) for each in description["KeySchema"]]
    return ", ".join(f"{name} ({kind}, {types.get(name, '?')})" for name, kind in schema)


KEYS = ", ".join(f"{name} ({kind}, S)" for name, kind in _KEYS.items())
"""Those that it has to have."""


def describe_lifetime(table: str) -> Ask:
    """Whether, and by which attribute, items are deleted when they expire."""
    return Ask("DescribeTimeToLive", {"TableName": table})


def lifetime(answer: dict[str, Any]) -> str:
    """That attribute; empty if none is."""
    description = answer.get("TimeToLiveDescription") or {}
    is_on = description.get("TimeToLiveStatus") in {"ENABLED", "ENABLING"}
    return str(description.get("AttributeName", "")) if is_on else ""


def set_lifetime(table: str) -> Ask:
    """Delete by LIFETIME from now on."""
    return Ask(
        "UpdateTimeToLive",
        {"TableName": table, "TimeToLiveSpecification": {"Enabled": True, "AttributeName": LIFETIME}},
    )


def _value(key: str) -> dict[str, Any]:
    return {"pk": {"S": VALUE + key}, "sk": {"S": "value"}}


def _both(group: str, member: str) -> tuple[dict[str, Any], dict[str, Any]]:
    return (
        {"pk": {"S": MEMBER + member}, "sk": {"S": group}},
        {"pk": {"S": GROUP + group}, "sk": {"S": member}},
    )


def _end(expires: float) -> dict[str, Any]:
    return {"until": {"N": repr(expires)}, LIFETIME: {"N": str(math.ceil(expires))}}


def _together(actions: list[dict[str, Any]]) -> Ask:
    return Ask("TransactWriteItems", {"TransactItems": actions})


def _page(table: str, pk: str, limit: int, start: dict[str, Any] | None) -> Ask:
    fields: dict[str, Any] = {
        "TableName": table,
        "ConsistentRead": True,
        "KeyConditionExpression": "pk = :pk",
        "ProjectionExpression": "sk",
        "ExpressionAttributeValues": {":pk": {"S": pk}},
        "Limit": limit,
    }
    return Ask("Query", fields if start is None else {**fields, "ExclusiveStartKey": start})
