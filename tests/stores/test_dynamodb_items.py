"""Items and requests of DynamoDB."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.stores import dynamodb_items as items
from lambent.stores.model import ABSENT, LARGEST, LONGEST, Stored

names = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=40)
times = st.floats(0, 1e11)


@given(names, st.binary(max_size=200), st.text("0123456789abcdef", min_size=1, max_size=16), times)
def test_what_is_saved_is_what_is_found(key: str, data: bytes, version: str, expires: float) -> None:
    ask = json.loads(json.dumps(items.save("t", key, Stored(data, version), expires, None, 0.0).fields))
    load = items.load("t", key).fields
    assert ask["TableName"] == load["TableName"] == "t"
    assert {name: ask["Item"][name] for name in load["Key"]} == load["Key"] == items.delete("t", key).fields["Key"]
    assert items.stored({"Item": ask["Item"]}, -1.0) == Stored(data, version)
    assert items.stored({"Item": ask["Item"]}, expires) is None
    assert items.stored({}, 0.0) is None


@given(times)
def test_dynamodb_deletes_by_whole_seconds_and_never_too_early(expires: float) -> None:
    item = items.save("t", "k", Stored(b"", "v"), expires, None, 0.0).fields["Item"]
    assert item["expires"]["N"].isdecimal()
    assert expires <= int(item["expires"]["N"]) <= expires + 1
    assert float(item["until"]["N"]) == expires


def test_nothing_is_asked_of_what_may_be_replaced_whatever_it_is() -> None:
    assert items.save("t", "k", Stored(b"", "v"), 1.0, None, 0.0).fields.keys() == {"TableName", "Item"}


@pytest.mark.parametrize(
    ("before", "condition", "values"),
    [
        (ABSENT, "attribute_not_exists(pk) OR #until <= :now OR #version = :new", {}),
        ("old", "#version = :new OR (#version = :before AND #until > :now)", {":before": {"S": "old"}}),
    ],
)
def test_a_version_is_a_condition(before: str, condition: str, values: dict[str, Any]) -> None:
    fields = items.save("t", "k", Stored(b"", "new"), 2.0, before, 1.5).fields
    assert fields["ConditionExpression"] == condition
    assert fields["ExpressionAttributeNames"] == {"#until": "until", "#version": "version"}
    assert fields["ExpressionAttributeValues"] == {":new": {"S": "new"}, ":now": {"N": "1.5"}, **values}


@given(names, names)
def test_a_membership_is_two_items_that_leave_as_they_came(group: str, member: str) -> None:
    put = [action["Put"]["Item"] for action in items.join("t", group, member, 9.0).fields["TransactItems"]]
    gone = [action["Delete"]["Key"] for action in items.leave("t", [(group, member)]).fields["TransactItems"]]
    assert [{name: item[name] for name in ("pk", "sk")} for item in put] == gone
    assert gone[0] != gone[1]
    assert gone[1]["pk"]["S"] == items.members("t", group, 0.0, 1, None).fields["ExpressionAttributeValues"][":pk"]["S"]
    assert items.names({"Items": [{"sk": gone[1]["sk"]}]}) == [member]
    assert gone[0]["pk"]["S"] == items.groups("t", member, 1, None).fields["ExpressionAttributeValues"][":pk"]["S"]
    assert items.names({"Items": [{"sk": gone[0]["sk"]}]}) == [group]


def test_values_groups_and_members_of_one_name_are_different_things() -> None:
    asks = items.load("t", "a").fields["Key"], *items._both("a", "a")
    assert len({json.dumps(key) for key in asks}) == 3
    assert items._value("group/a")["pk"] != items._both("a", "value")[1]["pk"]


def test_names_and_values_of_any_length_fit() -> None:
    """Source: DynamoDB Developer Guide, "Constraints": 2048 bytes of partition key, 1024 of sort key, 400 KB in all."""
    longest = "ß" * (LONGEST // 2)
    for key in (items._value(longest), *items._both(longest, longest)):
        assert len(key["pk"]["S"].encode()) <= 2048
        assert len(key["sk"]["S"].encode()) <= 1024
    overhead = len(json.dumps(items.save("t", longest, Stored(b"", "v" * 16), 1e10 / 3, None, 0.0).fields))
    assert LARGEST + overhead < 400 * 1024
    whole = items.leave("t", [("g", f"{number}") for number in range(items.PAIRS)]).fields["TransactItems"]
    assert len(whole) == 100


def test_a_page_starts_where_the_one_before_ended() -> None:
    start = {"pk": {"S": "group/g"}, "sk": {"S": "m"}}
    assert "ExclusiveStartKey" not in items.members("t", "g", 0.0, 10, None).fields
    assert items.members("t", "g", 0.0, 10, start).fields["ExclusiveStartKey"] == start
    assert items.groups("t", "g", 10, start).fields["ExclusiveStartKey"] == start
    assert items.after({"Items": [], "LastEvaluatedKey": start}) == start
    assert items.after({"Items": []}) is None


@pytest.mark.parametrize(
    ("reasons", "passes"),
    [
        (["TransactionConflict", "None"], True),
        (["None", "ThrottlingError"], True),
        (["ProvisionedThroughputExceeded", "TransactionConflict"], True),
        (["TransactionConflict", "ValidationError"], False),
        (["ItemCollectionSizeLimitExceeded"], False),
        ([], False),
        (None, False),
    ],
)
def test_a_transaction_is_tried_again_if_only_others_were_in_its_way(
    reasons: list[str] | None, *, passes: bool
) -> None:
    said = None if reasons is None else [{"Code": code} for code in reasons]
    answer = {"CancellationReasons": said}
    assert items.is_contended(answer) == passes


def test_keys_are_said_in_words() -> None:
    assert items.keys(items.create("t").fields) == items.KEYS == "pk (HASH, S), sk (RANGE, S)"
    other = {
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "N"}],
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
    }
    assert items.keys(other) == "id (HASH, N)"


@pytest.mark.parametrize(
    ("status", "name", "found"),
    [("ENABLED", "expires", "expires"), ("ENABLING", "ttl", "ttl"), ("DISABLED", "", ""), ("DISABLING", "expires", "")],
)
def test_the_attribute_that_items_are_deleted_by_is_found(status: str, name: str, found: str) -> None:
    assert items.lifetime({"TimeToLiveDescription": {"TimeToLiveStatus": status, "AttributeName": name}}) == found
    assert items.lifetime({}) == ""
