"""What is particular to DynamoDB; what every store does is in test_model.py."""

from __future__ import annotations

import asyncio
import json
import math
import time
from collections.abc import Awaitable, Callable, Iterator
from secrets import token_hex
from typing import Any

import boto3
import pytest

from lambent.errors import ConfigurationError, StoreConflict, StoreError
from lambent.http1 import Reply
from lambent.stores.dynamodb import CONTENTIONS, READINESS, DynamoDBStore, open_store
from lambent.stores.model import ABSENT
from lambent.stores.service import parse
from tests.stores.ministack import REGION, environ, ministack
from tests.stores.wire import Forgetful, Recorder, Script, ours, refusal, reply, save_with_lost_answers, theirs

URL = f"dynamodb://table?region={REGION}"
LATER = time.time() + 3600


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of ministack."""
    with ministack(tmp_path_factory.mktemp("ministack"), "secret") as address:
        yield f"http://{address}"


@pytest.fixture
def url(cloud: str) -> str:
    """Of a table that is not there yet."""
    return f"dynamodb://t-{token_hex(4)}?region={REGION}&endpoint_url={cloud}"


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    environ(monkeypatch, "secret")


async def at_once(_seconds: float) -> None:
    """Instead of waiting."""


def over(transport: Any, url: str = URL, sleep: Callable[[float], Awaitable[object]] = at_once) -> DynamoDBStore:
    return DynamoDBStore(url, parse(url, "a URL"), sleep=sleep, transport=transport)


def answer(**fields: Any) -> Reply:
    return reply(200, json.dumps(fields).encode())


@pytest.mark.parametrize(
    "url",
    [
        "dynamodb://ab?region=a",
        "dynamodb://a b c?region=a",
        "dynamodb://täble?region=a",
        f"dynamodb://{'x' * 256}?region=a",
        "dynamodb://table/more?region=a",
        "dynamodb://user@table?region=a",
        "dynamodb://table?regoin=a",
    ],
)
def test_what_names_no_table_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="Expected dynamodb://table"):
        open_store(url)


def test_case_and_dots_are_kept() -> None:
    assert repr(open_store(f"dynamodb://My.Table_1-a?region={REGION}")) == "dynamodb://My.Table_1-a?region=…"


# Over the wire


async def _members(store: DynamoDBStore) -> None:
    assert [member async for member in store.members("g")] == []


KEY = {"pk": {"S": "value/k"}, "sk": {"S": "value"}}
PAIR = ({"pk": {"S": "member/m"}, "sk": {"S": "g"}}, {"pk": {"S": "group/g"}, "sk": {"S": "m"}})
END = {"until": {"N": "1234.5"}, "expires": {"N": "1235"}}
CALLS: list[tuple[Callable[[DynamoDBStore], Awaitable[object]], Callable[[Any], object]]] = [
    (
        lambda store: store.load("k"),
        lambda client: client.get_item(TableName="table", Key=KEY, ConsistentRead=True),
    ),
    (
        lambda store: store.save("k", b"\x00data", 1234.5),
        lambda client: client.put_item(
            TableName="table", Item={**KEY, "data": {"B": b"\x00data"}, "version": {"S": "0" * 16}, **END}
        ),
    ),
    (
        lambda store: store.save("k", b"\x00data", 1234.5, "before"),
        lambda client: client.put_item(
            TableName="table",
            Item={**KEY, "data": {"B": b"\x00data"}, "version": {"S": "0" * 16}, **END},
            ConditionExpression="#version = :new OR (#version = :before AND #until > :now)",
            ExpressionAttributeNames={"#until": "until", "#version": "version"},
            ExpressionAttributeValues={":new": {"S": "0" * 16}, ":before": {"S": "before"}, ":now": {"N": "1000.0"}},
        ),
    ),
    (
        lambda store: store.delete("k"),
        lambda client: client.delete_item(TableName="table", Key=KEY),
    ),
    (
        lambda store: store.join("g", "m", 1234.5),
        lambda client: client.transact_write_items(
            TransactItems=[{"Put": {"TableName": "table", "Item": {**key, **END}}} for key in PAIR]
        ),
    ),
    (
        lambda store: store.leave("g", "m"),
        lambda client: client.transact_write_items(
            TransactItems=[{"Delete": {"TableName": "table", "Key": key}} for key in PAIR]
        ),
    ),
    (
        _members,
        lambda client: client.query(
            TableName="table",
            ConsistentRead=True,
            KeyConditionExpression="pk = :pk",
            FilterExpression="#until > :now",
            ProjectionExpression="sk",
            ExpressionAttributeNames={"#until": "until"},
            ExpressionAttributeValues={":pk": {"S": "group/g"}, ":now": {"N": "1000.0"}},
            Limit=1000,
        ),
    ),
    (
        lambda store: store.forget("m"),
        lambda client: client.query(
            TableName="table",
            ConsistentRead=True,
            KeyConditionExpression="pk = :pk",
            ProjectionExpression="sk",
            ExpressionAttributeValues={":pk": {"S": "member/m"}},
            Limit=1000,
        ),
    ),
]
NAMES = ["load", "save", "replace", "delete", "join", "leave", "members", "forget"]


@pytest.mark.parametrize(("call", "reference"), CALLS, ids=NAMES)
@pytest.mark.parametrize("region", ["eu-west-1", "us-east-1", "cn-north-1"])
def test_what_is_sent_is_what_botocore_sends(
    region: str,
    call: Callable[[DynamoDBStore], Awaitable[object]],
    reference: Callable[[Any], object],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("lambent.stores.dynamodb.token_hex", lambda size: "00" * size)
    script = Script(answer(Items=[]))
    address = parse(f"dynamodb://table?region={region}", "a URL")
    asyncio.run(_await(call(DynamoDBStore(URL, address, lambda: 1000.0, transport=script))))
    (sent,) = map(ours, script.asked)
    expected = theirs("dynamodb", region, reference)
    expected.body.pop("ClientRequestToken", None)  # botocore's own: what is asked here may be asked twice
    assert sent == expected


async def _await(awaitable: Awaitable[object]) -> None:
    await awaitable


def test_a_table_is_made_as_botocore_makes_it() -> None:
    script = Script(
        refusal("ResourceNotFoundException"),
        answer(),
        answer(Table={**TABLE, "TableStatus": "CREATING"}),
        answer(Table={**TABLE, "TableStatus": "ACTIVE"}),
        answer(TimeToLiveDescription={"TimeToLiveStatus": "DISABLED"}),
        answer(),
    )
    asyncio.run(over(script).init())
    sent = [ours(asked) for asked in script.asked]
    schema = {name: TABLE[name] for name in ("AttributeDefinitions", "KeySchema")}
    lifetime = {"Enabled": True, "AttributeName": "expires"}
    reference: list[Callable[[Any], object]] = [
        lambda client: client.describe_table(TableName="table"),
        lambda client: client.create_table(TableName="table", BillingMode="PAY_PER_REQUEST", **schema),
        lambda client: client.describe_table(TableName="table"),
        lambda client: client.describe_table(TableName="table"),
        lambda client: client.describe_time_to_live(TableName="table"),
        lambda client: client.update_time_to_live(TableName="table", TimeToLiveSpecification=lifetime),
    ]
    assert sent == [theirs("dynamodb", REGION, call) for call in reference]


def test_each_call_is_one_request(url: str) -> None:
    async def scene() -> None:
        recorder = Recorder()
        store = over(recorder, url)
        await store.init()
        recorder.count()
        version = await store.save("k", b"one", LATER, ABSENT)
        assert recorder.count() == 1
        await store.save("k", b"two", LATER, version)
        assert recorder.count() == 1
        await store.load("k")
        assert recorder.count() == 1
        await store.delete("k")
        assert recorder.count() == 1
        for number in range(60):
            await store.join(f"g{number}", "m", LATER)
        assert recorder.count() == 60
        assert [member async for member in store.members("g0")] == ["m"]
        assert recorder.count() == 1
        await store.leave("g0", "m")
        assert recorder.count() == 1
        await store.forget("m")
        assert recorder.count() == 1 + 2  # to find 59 groups, and to leave 50 and 9
        await store.forget("m")
        assert recorder.count() == 1
        await store.close()

    asyncio.run(scene())


def test_a_save_whose_answer_is_lost_is_no_conflict(url: str) -> None:
    """It is written twice: the condition lets its own version pass."""
    forgetful = Forgetful()
    assert asyncio.run(save_with_lost_answers(over(forgetful, url), forgetful)) == [2, 2]


def test_items_have_what_dynamodb_deletes_them_by(url: str, cloud: str) -> None:
    table = url.partition("://")[2].partition("?")[0]
    client = boto3.session.Session("test", "test", region_name=REGION).client("dynamodb", endpoint_url=cloud)

    async def scene() -> None:
        store = open_store(url)
        await store.init()
        await store.save("k", b"one", LATER)
        await store.join("g", "m", LATER)
        await store.close()

    asyncio.run(scene())
    items = client.scan(TableName=table)["Items"]
    assert sorted(item["pk"]["S"] for item in items) == ["group/g", "member/m", "value/k"]
    assert {item["expires"]["N"] for item in items} == {str(math.ceil(LATER))}
    assert [item["data"]["B"] for item in items if "data" in item] == [b"one"]
    lifetime = client.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
    assert lifetime == {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires"}
    assert client.describe_table(TableName=table)["Table"]["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    client.close()


# Others in the way

CONFLICT = refusal(
    "TransactionCanceledException", CancellationReasons=[{"Code": "TransactionConflict"}, {"Code": "None"}]
)
INVALID = refusal("TransactionCanceledException", CancellationReasons=[{"Code": "ValidationError"}, {"Code": "None"}])


def test_a_transaction_that_meets_another_is_tried_again() -> None:
    """The emulator does one after the other, and so never says this."""
    script = Script(CONFLICT, CONFLICT, answer())
    asyncio.run(over(script).join("g", "m", LATER))
    assert len(script.asked) == 3


@pytest.mark.parametrize(("said", "times"), [(CONFLICT, CONTENTIONS), (INVALID, 1)])
def test_a_transaction_is_not_tried_for_ever(said: Reply, times: int) -> None:
    script = Script(said)
    with pytest.raises(StoreError, match="TransactionCanceledException"):
        asyncio.run(over(script).leave("g", "m"))
    assert len(script.asked) == times


def test_a_conflict_is_one_and_other_refusals_are_not() -> None:
    with pytest.raises(StoreConflict, match="'k' has been changed meanwhile"):
        asyncio.run(over(Script(refusal("ConditionalCheckFailedException"))).save("k", b"", LATER, ABSENT))
    with pytest.raises(StoreError, match="needs dynamodb:GetItem") as caught:
        asyncio.run(over(Script(refusal("AccessDeniedException"))).save("k", b"", LATER, ABSENT))
    assert not isinstance(caught.value, StoreConflict)


@pytest.mark.parametrize("said", [b"<!doctype html><br>", b"", b"[]", b'"ok"'], ids=["html", "nothing", "list", "text"])
@pytest.mark.parametrize("call", [call for call, _ in CALLS] + [lambda store: store.init()], ids=[*NAMES, "init"])
def test_what_is_not_dynamodb_is_told(call: Callable[[DynamoDBStore], Awaitable[object]], said: bytes) -> None:
    with pytest.raises(StoreError, match=r"expected an answer of the service, .* Check endpoint_url"):
        asyncio.run(_await(call(over(Script(reply(200, said))))))


@pytest.mark.parametrize("name", ["members", "forget", "init"])
def test_json_of_something_else_is_not_taken_for_dynamodbs(name: str) -> None:
    store = over(Script(answer(status="ok")))
    call = store.init() if name == "init" else CALLS[NAMES.index(name)][0](store)
    with pytest.raises(StoreError, match="Check endpoint_url"):
        asyncio.run(_await(call))


# The table

TABLE: dict[str, Any] = {
    "TableStatus": "ACTIVE",
    "AttributeDefinitions": [
        {"AttributeName": "pk", "AttributeType": "S"},
        {"AttributeName": "sk", "AttributeType": "S"},
    ],
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
}
ENABLED = answer(TimeToLiveDescription={"TimeToLiveStatus": "ENABLED", "AttributeName": "expires"})


def test_a_table_of_something_else_is_left_alone(url: str, cloud: str) -> None:
    table = url.partition("://")[2].partition("?")[0]
    client = boto3.session.Session("test", "test", region_name=REGION).client("dynamodb", endpoint_url=cloud)
    client.create_table(
        TableName=table,
        AttributeDefinitions=[{"AttributeName": "connectionId", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "connectionId", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )

    async def scene() -> None:
        store = open_store(url)
        with pytest.raises(StoreError, match=r"expected the table to have the keys .* it has connectionId \(HASH, S\)"):
            await store.init()
        await store.close()

    asyncio.run(scene())
    assert client.describe_time_to_live(TableName=table)["TimeToLiveDescription"]["TimeToLiveStatus"] == "DISABLED"
    client.close()


def test_a_lifetime_by_another_attribute_is_left_alone() -> None:
    other = answer(TimeToLiveDescription={"TimeToLiveStatus": "ENABLED", "AttributeName": "ttl"})
    script = Script(answer(Table=TABLE), other)
    with pytest.raises(StoreError, match="expected the table's time to live to go by 'expires', but it goes by 'ttl'"):
        asyncio.run(over(script).init())
    assert len(script.asked) == 2


def test_of_two_that_make_a_table_the_slower_one_is_content() -> None:
    """The refusals are AWS's; ministack enables a time to live as often as it is asked to."""
    script = Script(
        refusal("ResourceNotFoundException"),
        refusal("ResourceInUseException"),
        answer(Table=TABLE),
        answer(TimeToLiveDescription={"TimeToLiveStatus": "DISABLED"}),
        refusal("ValidationException", "TimeToLive is already enabled"),
        ENABLED,
    )
    asyncio.run(over(script).init())
    assert len(script.asked) == 6


def test_a_lifetime_that_cannot_be_set_is_an_error() -> None:
    disabled = answer(TimeToLiveDescription={"TimeToLiveStatus": "DISABLED"})
    script = Script(answer(Table=TABLE), disabled, refusal("ValidationException", "modified too often"), disabled)
    with pytest.raises(StoreError, match="modified too often"):
        asyncio.run(over(script).init())


def test_a_table_that_never_gets_ready_is_given_up() -> None:
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    with pytest.raises(StoreError, match="ready within 120 s"):
        asyncio.run(over(Script(answer(Table={**TABLE, "TableStatus": "CREATING"})), sleep=sleep).init())
    assert READINESS <= sum(waited) <= READINESS + 2
