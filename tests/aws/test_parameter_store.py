"""The Parameter Store: an emulator's beside boto3, and a stand-in's for what an emulator does not do."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Callable, Coroutine, Iterator
from secrets import token_hex
from typing import Any

import boto3
import pytest

from lambent.aws.parameter_store import ParameterStore
from lambent.errors import ConfigurationError, ServiceError
from tests.stores.ministack import REGION, ministack
from tests.support.aws_service import SILENCE, Service
from tests.support.runtime_api import Answer, answer

SECRET = "pass-w0rd"
ENVIRON = {"AWS_REGION": REGION, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "hidden"}


# An emulator, and boto3


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with ministack(tmp_path_factory.mktemp("ministack"), "hidden") as address:
        yield f"http://{address}"


@pytest.fixture
def ssm(endpoint: str) -> Any:
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "hidden", "region_name": REGION}
    return boto3.client("ssm", endpoint_url=endpoint, **keys)


@pytest.fixture
def root(ssm: Any) -> str:
    """A path with parameters of each kind under it."""
    root = f"/{token_hex(4)}"
    for name, value, kind in [
        ("host", "db.internal", "String"),
        ("hosts", "a,b,c", "StringList"),
        ("db/password", SECRET, "SecureString"),
        ("é ✓".encode().hex(), "é ✓ \u2028\n", "String"),
    ]:
        ssm.put_parameter(Name=f"{root}/{name}", Value=value, Type=kind)
    for number in range(23):
        ssm.put_parameter(Name=f"{root}/many/{number:02}", Value=str(number), Type="String")
    return root


def read(endpoint: str, scene: Callable[[ParameterStore], Coroutine[Any, Any, Any]], **options: Any) -> Any:
    async def play() -> Any:
        store = ParameterStore(region=REGION, endpoint_url=endpoint, **options)
        try:
            return await scene(store)
        finally:
            await store.close()

    return asyncio.run(play())


def test_each_kind_is_read_as_boto3_reads_it(endpoint: str, root: str, ssm: Any) -> None:
    names = [f"{root}/host", f"{root}/hosts", f"{root}/db/password", f"{root}/{'é ✓'.encode().hex()}"]

    async def scene(store: ParameterStore) -> list[str]:
        return [await store.get(name) for name in names] + [await store.get(names[2], decrypt=False)]

    theirs = [ssm.get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"] for name in names]
    encrypted = ssm.get_parameter(Name=names[2], WithDecryption=False)["Parameter"]["Value"]
    assert read(endpoint, scene) == [*theirs, encrypted]
    assert theirs[2] == SECRET != encrypted


def test_a_list_is_a_list(endpoint: str, root: str) -> None:
    assert read(endpoint, lambda store: store.get_list(f"{root}/hosts")) == ["a", "b", "c"]
    with pytest.raises(
        ConfigurationError, match=f"Expected the parameter '{root}/db/password' to be a StringList, but"
    ):
        read(endpoint, lambda store: store.get_list(f"{root}/db/password"))


def test_a_path_is_read_page_by_page(endpoint: str, root: str, ssm: Any) -> None:
    pages = ssm.get_paginator("get_parameters_by_path").paginate(Path=root, Recursive=True, WithDecryption=True)
    theirs = {each["Name"]: each["Value"] for page in pages for each in page["Parameters"]}
    assert len(theirs) == 27
    assert read(endpoint, lambda store: store.path(root)) == theirs
    shallow = read(endpoint, lambda store: store.path(root, recursive=False))
    assert shallow == {name: value for name, value in theirs.items() if name.count("/") == 2}
    assert read(endpoint, lambda store: store.path(f"{root}/nowhere/")) == {}


def test_many_are_read_ten_at_a_time(endpoint: str, root: str) -> None:
    names = [f"{root}/many/{number:02}" for number in (22, *range(23))]
    assert read(endpoint, lambda store: store.get_many(names)) == {name: str(int(name[-2:])) for name in names}
    assert read(endpoint, lambda store: store.get_many([])) == {}


def test_versions_and_labels_may_be_asked_for(endpoint: str, root: str, ssm: Any) -> None:
    name = f"{root}/host"
    ssm.put_parameter(Name=name, Value="db2.internal", Type="String", Overwrite=True)
    ssm.label_parameter_version(Name=name, ParameterVersion=1, Labels=["old"])
    names = [name, f"{name}:1", f"{name}:2", f"{name}:old"]
    expected = ["db2.internal", "db.internal", "db2.internal", "db.internal"]

    async def scene(store: ParameterStore) -> None:
        assert [await store.get(each) for each in names] == expected
        assert await store.get_many(names, force=True) == dict(zip(names, expected, strict=True))

    read(endpoint, scene)


@pytest.mark.parametrize("end", ["/nowhere", "/host:9", "/host:nolabel"])
def test_what_is_not_there_is_named(end: str, endpoint: str, root: str) -> None:
    name = f"{root}{end}"
    for ask in (lambda store: store.get(name), lambda store: store.get_many([f"{root}/host", name])):
        with pytest.raises(ServiceError, match=f"ParameterNotFound: '{name}'. Check the name") as caught:
            read(endpoint, ask)
        assert (caught.value.code, caught.value.status) == ("ParameterNotFound", 400)


def test_the_endpoint_and_the_region_may_come_from_the_environment(endpoint: str, root: str) -> None:
    for names in ({"AWS_ENDPOINT_URL": endpoint}, {"AWS_ENDPOINT_URL": "http://x", "AWS_ENDPOINT_URL_SSM": endpoint}):

        async def scene(environ: dict[str, str]) -> str:
            store = ParameterStore(environ=environ)
            value = await store.get(f"{root}/host")
            await store.close()
            return value

        assert asyncio.run(scene({**ENVIRON, **names})) == "db.internal"


# A stand-in


class Clock:
    def __init__(self) -> None:
        self.now = 1_795_000_000.0

    def __call__(self) -> float:
        return self.now


def parameter(name: str, value: str = SECRET) -> dict[str, str]:
    return {"Name": name, "Value": value, "Type": "SecureString"}


def one(name: str, value: str = SECRET) -> Answer:
    return answer(200, json.dumps({"Parameter": parameter(name, value)}).encode())


def several(*names: str, **more: str) -> Answer:
    return answer(200, json.dumps({"Parameters": [parameter(name) for name in names], **more}).encode())


def refusal(code: str, message: str, status: int = 400) -> Answer:
    return answer(status, json.dumps({"__type": code, "message": message}).encode())


def play(scenario: Callable[[ParameterStore, Service, Clock], Coroutine[Any, Any, None]], *steps: Answer) -> Service:
    async def main() -> Service:
        clock = Clock()
        async with Service(*steps) as service:
            store = ParameterStore(endpoint_url=service.url, environ=ENVIRON, now=clock)
            await scenario(store, service, clock)
            await store.close()
        return service

    return asyncio.run(main())


def asked(service: Service) -> list[tuple[str, Any]]:
    return [(call.headers["x-amz-target"].removeprefix("AmazonSSM."), call.json) for call in service.calls]


def test_what_goes_over_the_wire() -> None:
    async def scenario(store: ParameterStore, service: Service, clock: Clock) -> None:
        await store.get("/a", decrypt=False)
        await store.get_many(["/b", "/c"])
        await store.path("/d", recursive=False)

    pages = [answer(200, b'{"Parameters": [], "NextToken": "t"}'), several("/d/e")]
    service = play(scenario, one("/a"), several("/c", "/b"), *pages)
    fields = {"Path": "/d", "Recursive": False, "WithDecryption": True, "MaxResults": 10}
    assert asked(service) == [
        ("GetParameter", {"Name": "/a", "WithDecryption": False}),
        ("GetParameters", {"Names": ["/b", "/c"], "WithDecryption": True}),
        ("GetParametersByPath", fields),
        ("GetParametersByPath", {**fields, "NextToken": "t"}),
    ]
    assert {call.headers["content-type"] for call in service.calls} == {"application/x-amz-json-1.1"}
    assert all(f"/{REGION}/ssm/aws4_request" in call.headers["authorization"] for call in service.calls)


def test_it_is_kept_for_a_time_by_the_wall_clock_unless_forced() -> None:
    async def scenario(store: ParameterStore, service: Service, clock: Clock) -> None:
        values = [await store.get("/a"), await store.get("/a")]
        clock.now += 299.0
        values.append(await store.get("/a"))
        clock.now += 1.0
        values += [await store.get("/a"), await store.get("/a", force=True), await store.get("/a")]
        assert values == ["1", "1", "1", "2", "3", "3"]

    assert len(play(scenario, *[one("/a", str(number)) for number in (1, 2, 3)]).calls) == 3


def test_what_a_path_and_many_gave_is_kept_by_name_too() -> None:
    async def scenario(store: ParameterStore, service: Service, clock: Clock) -> None:
        assert await store.path("/p") == {"/p/a": SECRET, "/p/b": SECRET}
        found = await store.path("/p")
        found.clear()  # the caller's own
        assert [await store.get("/p/a"), len(await store.path("/p"))] == [SECRET, 2]
        assert await store.get_many(["/p/b", "/c"]) == {"/p/b": SECRET, "/c": SECRET}
        assert await store.get("/c") == SECRET

    assert [operation for operation, _ in asked(play(scenario, several("/p/a", "/p/b"), several("/c")))] == [
        "GetParametersByPath", "GetParameters",
    ]  # fmt: skip


def test_who_asks_at_the_same_time_shares_a_request() -> None:
    async def scenario(store: ParameterStore, service: Service, clock: Clock) -> None:
        asking: list[Coroutine[Any, Any, object]] = [store.get("/a") for _ in range(50)]
        many = asyncio.gather(*asking, store.get_many(["/a", "/b"]))
        assert await many == [SECRET] * 50 + [{"/a": SECRET, "/b": SECRET}]
        assert list(await asyncio.gather(store.path("/p"), store.path("/p"))) == [{"/p/a": SECRET}] * 2

    service = play(scenario, one("/a"), several("/b"), several("/p/a"))
    assert len(service.calls) == 3


def test_who_is_cancelled_takes_nothing_from_the_others() -> None:
    async def scenario(store: ParameterStore, service: Service, clock: Clock) -> None:
        first = asyncio.create_task(store.get("/a"))
        second = asyncio.create_task(store.get("/a"))
        await asyncio.sleep(0)
        first.cancel()
        assert await second == SECRET
        assert first.cancelled()

    assert len(play(scenario, one("/a")).calls) == 1


def test_nothing_goes_on_after_it_was_closed() -> None:
    """Whether somebody still waits for it, has been cancelled, or has forced it."""

    async def scenario(store: ParameterStore, service: Service, clock: Clock) -> None:
        left, waiting = asyncio.create_task(store.get("/a")), asyncio.create_task(store.path("/p"))
        for _ in range(2):
            await service.asked.acquire()
        forcing = asyncio.create_task(store.get("/a", force=True))
        await service.asked.acquire()
        left.cancel()
        await store.close()
        for task in (waiting, forcing):
            with pytest.raises(ServiceError, match="was closed before it answered"):
                await task
        for _ in range(3):
            await service.closed.acquire()
        assert asyncio.all_tasks() - service._tasks == {asyncio.current_task()}
        assert not store._kept
        assert await store.get("/a") == SECRET

    assert len(play(scenario, SILENCE, SILENCE, SILENCE, one("/a")).calls) == 4


def test_what_was_asked_before_it_was_forced_is_not_kept_over_it() -> None:
    async def scenario(store: ParameterStore, service: Service, clock: Clock) -> None:
        slow = asyncio.create_task(store.get("/a"))
        await service.asked.acquire()
        assert await store.get("/a", force=True) == "new"
        assert await slow == "old"
        assert await store.get("/a") == "new"

    late = Answer(one("/a", "old").data, piece=1)  # its bytes come one by one
    assert len(play(scenario, late, one("/a", "new")).calls) == 2


def test_an_error_is_not_kept() -> None:
    async def scenario(store: ParameterStore, service: Service, clock: Clock) -> None:
        for ask in (store.get("/a"), store.get("/a"), store.get_many(["/a"])):
            with pytest.raises(ServiceError, match="ParameterNotFound: '/a'"):
                await ask
        assert await store.get("/a") == SECRET

    gone = refusal("ParameterNotFound", "")
    play(scenario, gone, gone, answer(200, b'{"Parameters": [], "InvalidParameters": ["/a"]}'), one("/a"))


@pytest.mark.parametrize("ttl", ["300", None, -1, math.nan])
def test_a_ttl_is_a_time(ttl: Any) -> None:
    with pytest.raises(ConfigurationError, match="`ttl` to be a number of seconds from 0, but got"):
        ParameterStore(ttl=ttl)


def test_many_are_no_text() -> None:
    with pytest.raises(ConfigurationError, match=r"several texts as names, such as \['/a'\], but got '/a'"):
        asyncio.run(ParameterStore().get_many("/a"))


def test_a_clock_that_fails_leaves_nothing_behind_that_was_asked_for() -> None:
    """A task that nobody removes would be the answer for ever."""

    async def scenario(store: ParameterStore, service: Service, clock: Clock) -> None:
        asyncio.get_running_loop().set_exception_handler(lambda loop, told: None)
        asking = asyncio.create_task(store.get("/a"))
        await service.asked.acquire()
        good, store._now = store._now, lambda: 1 / 0
        assert await asking == "old"
        store._now = good
        assert await store.get("/a") == "new"

    assert len(play(scenario, one("/a", "old"), one("/a", "new")).calls) == 2


def test_throttling_is_waited_for() -> None:
    async def scenario(store: ParameterStore, service: Service, clock: Clock) -> None:
        assert await store.get("/a") == SECRET

    assert len(play(scenario, refusal("ThrottlingException", "Rate exceeded"), one("/a")).calls) == 2


@pytest.mark.parametrize(
    ("step", "code", "message"),
    [
        (
            refusal("AccessDeniedException", "User: a is not authorized\nsecond line"),
            "AccessDeniedException",
            r"ssm at http://.*: AccessDeniedException \(User: a is not authorized\)\. .* ssm:GetParameter,.* kms:D",
        ),
        (refusal("ValidationException", "x" * 999), "ValidationException", r"ValidationException \(x{300}\)\.$"),
        (answer(404, b"<html>"), "", r": 404\.$"),
        (answer(200, f'{{"Value": "{SECRET}"'.encode()), "", "expected parameters, but got something else"),
        (answer(200, f'["{SECRET}"]'.encode()), "", "expected parameters, but got something else"),
    ],
)
def test_errors_say_what_to_do_and_have_no_value_in_them(step: Answer, code: str, message: str) -> None:
    async def scenario(store: ParameterStore, service: Service, clock: Clock) -> None:
        with pytest.raises(ServiceError, match=message) as caught:
            await store.get("/a")
        error = caught.value
        assert error.code == code
        assert (error.__cause__, error.__context__) == (None, None)
        assert SECRET not in repr(error)

    play(scenario, step)


def test_nothing_that_is_kept_shows_it() -> None:
    async def scenario(store: ParameterStore, service: Service, clock: Clock) -> None:
        await store.get("/a")
        assert SECRET not in f"{store!r} {vars(store)}"

    play(scenario, one("/a"))


@pytest.mark.parametrize("name", ["", None, 3, b"/a"])
def test_what_is_no_name_is_refused(name: Any) -> None:
    async def scenario(store: ParameterStore, service: Service, clock: Clock) -> None:
        for ask in (store.get(name), store.get_many([name]), store.path(name)):
            with pytest.raises(ConfigurationError, match="Expected the name of a parameter, such as"):
                await ask
        with pytest.raises(ConfigurationError, match="to begin with a slash, but got 'app'"):
            await store.path("app")

    assert play(scenario).calls == []


def test_it_is_made_where_nothing_is_known_yet(tmp_path_factory: pytest.TempPathFactory) -> None:
    store = ParameterStore(environ={"HOME": str(tmp_path_factory.mktemp("home"))})
    with pytest.raises(ConfigurationError, match="Set AWS_REGION"):
        asyncio.run(store.get("/a"))


def test_one_may_be_used_on_one_loop_after_the_other(endpoint: str, root: str) -> None:
    store = ParameterStore(region=REGION, endpoint_url=endpoint)

    async def meanwhile() -> None:
        assert (await store.path(root))[name] == "db.internal"
        assert await store.get(name) == "db.internal"
        assert await store.get(name, force=True) == "db.internal"
        await store.close()

    name = f"{root}/host"
    loop = asyncio.new_event_loop()
    asking = loop.create_task(store.get(name))
    loop.run_until_complete(asyncio.sleep(0))
    asyncio.run(meanwhile())  # the other one stands still
    assert loop.run_until_complete(asking) == "db.internal"
    loop.close()
