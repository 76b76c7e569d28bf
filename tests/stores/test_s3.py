"""What is particular to S3; what every store does is in test_model.py."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from secrets import token_hex
from typing import Any

import boto3
import pytest

from lambent.errors import ConfigurationError, StoreConflict, StoreError
from lambent.http1 import Reply
from lambent.stores import s3
from lambent.stores.model import ABSENT, Stored
from lambent.stores.s3 import Bucket, S3Store, open_store
from lambent.stores.s3_objects import KINDS, Kept
from tests.stores.ministack import REGION, environ, ministack
from tests.stores.wire import (
    Forgetful,
    Recorder,
    Script,
    Sent,
    ours,
    reply,
    save_with_lost_answers,
    theirs,
    xml_refusal,
)

URL = f"s3://bucket/p?region={REGION}"
PLACE = Bucket(f"https://bucket.s3.{REGION}.amazonaws.com", "", "p/", REGION)
LATER = time.time() + 3600


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of ministack."""
    with ministack(tmp_path_factory.mktemp("ministack"), "secret") as address:
        yield f"http://{address}"


@pytest.fixture
def place(cloud: str) -> Bucket:
    """One that is not there yet."""
    return Bucket(cloud, f"/b-{token_hex(4)}", "p/", REGION)


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    environ(monkeypatch, "secret")


async def at_once(_seconds: float) -> None:
    """Instead of waiting."""


def over(transport: Any, place: Bucket = PLACE, now: Callable[[], float] = time.time) -> S3Store:
    return S3Store(URL, place, now, sleep=at_once, transport=transport)


def client_of(cloud: str) -> Any:
    return boto3.session.Session("test", "test", region_name=REGION).client("s3", endpoint_url=cloud)


async def members(store: S3Store, group: str = "g") -> list[str]:
    return sorted([member async for member in store.members(group)])


async def _await(awaitable: Awaitable[object]) -> None:
    await awaitable


# Where it is


@pytest.mark.parametrize(
    "url",
    [
        "s3://ab?region=a",
        "s3://Bucket?region=a",
        "s3://a_b?region=a",
        f"s3://{'x' * 64}?region=a",
        "s3://user@bucket?region=a",
        "s3://bucket?regoin=a",
    ],
)
def test_what_names_no_bucket_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="Expected s3://bucket/prefix"):
        open_store(url)


@pytest.mark.parametrize("prefix", ["a//b", ".", "a/../b", "a b", "ä", "a%2Fb", "x" * 129])
def test_what_is_no_prefix_is_refused(prefix: str) -> None:
    with pytest.raises(ConfigurationError, match="Expected the prefix of"):
        open_store(f"s3://bucket/{prefix}?region=a")


@pytest.mark.parametrize(
    ("url", "bucket"),
    [
        ("s3://bucket/a/b?region=r-1", Bucket("https://bucket.s3.r-1.amazonaws.com", "", "a/b/", "r-1")),
        (
            "s3://bucket?region=us-east-1",
            Bucket("https://bucket.s3.us-east-1.amazonaws.com", "", "lambent/", "us-east-1"),
        ),
        ("s3://a.b/p/?region=cn-north-1", Bucket("https://s3.cn-north-1.amazonaws.com.cn", "/a.b", "p/", "cn-north-1")),
        ("s3://bucket/p?region=r-1&endpoint_url=http://l:1", Bucket("http://l:1", "/bucket", "p/", "r-1")),
    ],
)
def test_a_bucket_is_named_by_the_host_where_that_can_be(url: str, bucket: Bucket) -> None:
    assert open_store(url)._bucket == bucket


# Over the wire

BODY = b"0000000000000000 1234.5\ndata"
CALLS: dict[str, tuple[Callable[[S3Store], Awaitable[object]], list[Callable[[Any], object]]]] = {
    "load": (
        lambda store: store.load("a b"),
        [lambda client: client.get_object(Bucket="bucket", Key="p/values/a_20b")],
    ),
    "save": (
        lambda store: store.save("k", b"data", 1234.5),
        [lambda client: client.put_object(Bucket="bucket", Key="p/values/k", Body=BODY)],
    ),
    "save absent": (
        lambda store: store.save("k", b"data", 1234.5, ABSENT),
        [lambda client: client.put_object(Bucket="bucket", Key="p/values/k", Body=BODY, IfNoneMatch="*")],
    ),
    "replace": (
        lambda store: store.save("k", b"data", 1234.5, '1100.0 "tag"'),
        [lambda client: client.put_object(Bucket="bucket", Key="p/values/k", Body=BODY, IfMatch='"tag"')],
    ),
    "delete": (
        lambda store: store.delete("k"),
        [lambda client: client.delete_object(Bucket="bucket", Key="p/values/k")],
    ),
    "join": (
        lambda store: store.join("g", "m", 1234.5),
        [
            lambda client: client.put_object(Bucket="bucket", Key="p/members/m/g", Body=b"1234.5"),
            lambda client: client.put_object(Bucket="bucket", Key="p/groups/g/m", Body=b"1234.5"),
        ],
    ),
    "leave": (
        lambda store: store.leave("g", "m"),
        [
            lambda client: client.delete_objects(
                Bucket="bucket", Delete={"Objects": [{"Key": "p/members/m/g"}, {"Key": "p/groups/g/m"}], "Quiet": True}
            )
        ],
    ),
    "members": (members, [lambda client: client.list_objects_v2(Bucket="bucket", Prefix="p/groups/g/", MaxKeys=1000)]),
    "forget": (
        lambda store: store.forget("m"),
        [lambda client: client.list_objects_v2(Bucket="bucket", Prefix="p/members/m/", MaxKeys=1000)],
    ),
}
EMPTY = reply(200, b"<ListBucketResult/>", etag='"tag"')
ANSWERS = {"load": reply(200, BODY, etag='"tag"')}


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("url", [URL, "s3://bucket/p?region=us-east-1", "s3://bucket/p?region=cn-north-1"])
def test_what_is_sent_is_what_botocore_sends(url: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lambent.stores.s3.token_hex", lambda size: "00" * size)
    call, references = CALLS[name]
    script = Script(ANSWERS.get(name, EMPTY))
    place = open_store(url)._bucket
    asyncio.run(_await(call(over(script, place, lambda: 1000.0))))
    assert [ours(asked) for asked in script.asked] == [theirs("s3", place.region, each) for each in references]


def test_a_bucket_is_made_as_botocore_makes_it() -> None:
    script = Script(reply(404), reply(200), xml_refusal("NoSuchLifecycleConfiguration", 404), reply(200))
    asyncio.run(over(script).init())
    constraint = {"LocationConstraint": REGION}
    rules = [
        {
            "ID": f"lambent p/{kind}/",
            "Filter": {"Prefix": f"p/{kind}/"},
            "Status": "Enabled",
            "Expiration": {"Days": 1},
            "NoncurrentVersionExpiration": {"NoncurrentDays": 1},
        }
        for kind in KINDS
    ]
    references: list[Callable[[Any], object]] = [
        lambda client: client.head_bucket(Bucket="bucket"),
        lambda client: client.create_bucket(Bucket="bucket", CreateBucketConfiguration=constraint),
        lambda client: client.get_bucket_lifecycle_configuration(Bucket="bucket"),
        lambda client: client.put_bucket_lifecycle_configuration(
            Bucket="bucket", LifecycleConfiguration={"Rules": rules}
        ),
    ]
    assert [meant(ours(asked)) for asked in script.asked] == [meant(theirs("s3", REGION, each)) for each in references]


def meant(sent: Sent) -> Sent:
    """XML of a lifecycle is written in another order; the checksum is of what is written, and S3 checks it."""
    return sent._replace(body=_sorted(sent.body), headers=dict.fromkeys(sent.headers, ""))


def _sorted(tree: Any) -> Any:
    return (*tree[:2], sorted(map(_sorted, tree[2]))) if isinstance(tree, tuple) else tree


# Over a real one


def test_each_call_is_as_few_requests_as_can_be(place: Bucket) -> None:
    async def scene() -> None:
        recorder = Recorder()
        store = over(recorder, place)
        await store.init()
        assert recorder.count() == 4
        await store.init()
        assert recorder.count() == 2
        version = await store.save("k", b"one", LATER, ABSENT)
        assert recorder.count() == 1
        await store.save("k", b"two", LATER, version)
        assert recorder.count() == 1
        await store.load("k")
        assert recorder.count() == 1
        await store.delete("k")
        assert recorder.count() == 1
        for number in range(60):
            await store.join("g", f"m{number}", LATER)
        assert recorder.count() == 60 * 2
        assert len(await members(store)) == 60
        assert recorder.count() == 1 + 1  # all expire at the same time
        assert len(await members(store)) == 60
        assert recorder.count() == 1
        await store.leave("g", "m0")
        assert recorder.count() == 1
        await store.forget("m1")
        assert recorder.count() == 2
        await store.forget("m1")
        assert recorder.count() == 1
        await store.close()

    asyncio.run(scene())


def test_a_save_whose_answer_is_lost_is_no_conflict(place: Bucket) -> None:
    """It is written, refused, and found to be what was written."""
    forgetful = Forgetful()
    assert asyncio.run(save_with_lost_answers(over(forgetful, place), forgetful)) == [3, 3]


def test_objects_of_others_are_told_from_ours(place: Bucket, cloud: str) -> None:
    client = client_of(cloud)

    async def scene() -> None:
        store = over(Recorder(), place)
        await store.init()
        client.put_object(Bucket=place.root[1:], Key="p/values/k", Body=b"hello")
        client.put_object(Bucket=place.root[1:], Key="p/groups/g/m", Body=b"hello")
        with pytest.raises(StoreError, match=r"the object p/values/k was not written by this store\. Remove it"):
            await store.load("k")
        with pytest.raises(StoreError, match=r"the object p/groups/g/m was not written by this store\. Remove it"):
            await members(store)
        await store.save("k", b"mine", LATER)
        assert (await store.load("k") or Stored(b"", "")).data == b"mine"
        await store.close()

    asyncio.run(scene())
    client.close()


def test_a_bucket_that_is_there_keeps_its_rules(place: Bucket, cloud: str) -> None:
    client = client_of(cloud)
    rule = {"ID": "theirs", "Filter": {"Prefix": "logs/"}, "Status": "Enabled", "Expiration": {"Days": 30}}
    name = place.root[1:]
    client.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    client.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration={"Rules": [rule]})

    async def scene() -> None:
        store = over(Recorder(), place)
        await store.init()
        await store.init()
        await store.close()

    asyncio.run(scene())
    found = client.get_bucket_lifecycle_configuration(Bucket=name)["Rules"]
    assert found[0] == rule
    assert [each["ID"] for each in found[1:]] == [f"lambent p/{kind}/" for kind in KINDS]
    assert {each["Expiration"]["Days"] for each in found[1:]} == {1}
    client.close()


def test_a_membership_that_is_written_again_is_read_again(place: Bucket) -> None:
    async def scene() -> None:
        moment = [time.time()]
        store = over(Recorder(), place, lambda: moment[0])
        await store.init()
        await store.join("g", "m", moment[0] + 10)
        assert await members(store) == ["m"]
        await over(Recorder(), place).join("g", "m", moment[0] + 100)
        moment[0] += 50
        assert await members(store) == ["m"]
        await store.close()

    asyncio.run(scene())


# What an emulator does not say

PRECONDITION = xml_refusal("PreconditionFailed", 412)
BUSY = xml_refusal("ConditionalRequestConflict", 409)


def kept(nonce: str, expires: float) -> Reply:
    return reply(200, Kept(nonce, expires, b"").pack(), etag='"there"')


def test_a_save_that_meets_another_is_tried_again() -> None:
    script = Script(BUSY, BUSY, reply(200, etag='"new"'))
    assert asyncio.run(over(script).save("k", b"", LATER, ABSENT)) == f'{LATER!r} "new"'
    assert len(script.asked) == 3


def test_a_save_that_meets_others_all_the_time_is_a_conflict() -> None:
    script = Script(*[BUSY] * (len(s3.PAUSES) + 1), kept("another", LATER))
    with pytest.raises(StoreConflict):
        asyncio.run(over(script).save("k", b"", LATER, ABSENT))


def test_of_two_that_replace_what_has_expired_one_wins() -> None:
    script = Script(PRECONDITION, kept("another", 1.0), PRECONDITION)
    with pytest.raises(StoreConflict):
        asyncio.run(over(script).save("k", b"", LATER, ABSENT))
    assert dict(script.asked[2][1].headers)["if-match"] == '"there"'


def test_what_is_gone_when_it_is_looked_at_again_is_written() -> None:
    script = Script(PRECONDITION, xml_refusal("NoSuchKey", 404), reply(200, etag='"new"'))
    asyncio.run(over(script).save("k", b"", LATER, ABSENT))
    assert dict(script.asked[2][1].headers)["if-none-match"] == "*"


def test_a_member_that_leaves_while_it_is_read_is_none() -> None:
    page = b"<ListBucketResult><Contents><Key>p/groups/g/m</Key><ETag>1</ETag></Contents></ListBucketResult>"
    assert asyncio.run(members(over(Script(reply(200, page), xml_refusal("NoSuchKey", 404))))) == []


def test_what_is_read_is_known_by_the_tag_that_it_had_then() -> None:
    """It was written again after it was listed; then it was listed as it was before."""
    page = b"<ListBucketResult><Contents><Key>p/groups/g/m</Key><ETag>1</ETag></Contents></ListBucketResult>"
    script = Script(reply(200, page), reply(200, b"5.0", etag="2"), reply(200, page), reply(200, b"1e10", etag="1"))

    async def scene() -> None:
        store = over(script)
        assert await members(store) == []
        assert await members(store) == ["m"]

    asyncio.run(scene())


def test_expiries_that_are_remembered_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3, "KNOWN", 2)
    pages = [
        reply(200, f"<L><Contents><Key>p/groups/g/m</Key><ETag>{tag}</ETag></Contents></L>".encode())
        for tag in range(9)
    ]
    reads = [reply(200, b"1e10", etag=f"{tag}") for tag in range(9)]
    store = over(Script(*[each for pair in zip(pages, reads, strict=True) for each in pair]))

    async def scene() -> None:
        for _ in range(9):
            assert await members(store) == ["m"]
            assert len(store._expiries) <= 2

    asyncio.run(scene())


STRANGE: dict[str, Callable[[S3Store], Awaitable[object]]] = {
    **{name: CALLS[name][0] for name in ("load", "save", "leave", "members", "forget")},
    "init": lambda store: store.init(),
}


@pytest.mark.parametrize("name", STRANGE)
def test_what_is_not_s3_is_told(name: str) -> None:
    script = Script(reply(200, b"<!doctype html><html><br></html>"))
    with pytest.raises(StoreError, match=r"expected an answer of the service, .* Check endpoint_url"):
        asyncio.run(_await(STRANGE[name](over(script, now=lambda: 1000.0))))


def test_a_member_that_something_else_answers_for_is_told() -> None:
    page = b"<L><Contents><Key>p/groups/g/m</Key><ETag>1</ETag></Contents></L>"
    with pytest.raises(StoreError, match="Check endpoint_url"):
        asyncio.run(members(over(Script(reply(200, page), reply(200, b"<html>")))))


def test_what_cannot_be_removed_is_an_error() -> None:
    failed = b"<DeleteResult><Error><Key>k</Key><Code>AccessDenied</Code></Error></DeleteResult>"
    with pytest.raises(StoreError, match=r"did not remove everything \(AccessDenied\).*s3:DeleteObject"):
        asyncio.run(over(Script(reply(200, failed))).leave("g", "m"))


def test_a_join_of_which_half_fails_is_an_error() -> None:
    with pytest.raises(StoreError, match=r"AccessDenied.*s3:PutObject"):
        asyncio.run(over(Script(reply(200), xml_refusal("AccessDenied", 403))).join("g", "m", LATER))


def test_nothing_is_kept_for_longer_than_the_rule_lets_it() -> None:
    store = over(Script(reply(200, etag="t")), now=lambda: 1000.0)
    asyncio.run(_await(store.save("k", b"", 1000.0 + s3.DAY)))
    for call in (store.save("k", b"", 1001.0 + s3.DAY), store.join("g", "m", 1001.0 + s3.DAY)):
        with pytest.raises(ConfigurationError, match="to expire within a day, but it is to in 86401 s"):
            asyncio.run(_await(call))


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ([reply(403)], "403. .* needs .* s3:ListBucket"),
        ([reply(301)], "another region"),
        ([reply(404), xml_refusal("BucketAlreadyExists", 409)], "somebody else has a bucket of that name"),
        ([reply(404), xml_refusal("AccessDenied", 403)], "s3:CreateBucket"),
        ([reply(200), xml_refusal("AccessDenied", 403)], "s3:GetLifecycleConfiguration"),
    ],
)
def test_a_bucket_that_cannot_be_made_says_why(answers: list[Reply], said: str) -> None:
    with pytest.raises(StoreError, match=said):
        asyncio.run(over(Script(*answers)).init())


def test_of_two_that_make_a_bucket_the_slower_one_is_content() -> None:
    mine = xml_refusal("BucketAlreadyOwnedByYou", 409)
    script = Script(reply(404), xml_refusal("OperationAborted", 409), mine, reply(501))
    asyncio.run(over(script).init())
    assert len(script.asked) == 4


def test_a_setting_of_the_rules_is_said_again() -> None:
    script = Script(
        reply(200), reply(200, b"<LifecycleConfiguration/>", **{s3.MINIMUM: "varies_by_storage_class"}), reply(200)
    )
    asyncio.run(over(script).init())
    assert dict(script.asked[2][1].headers)[s3.MINIMUM] == "varies_by_storage_class"
