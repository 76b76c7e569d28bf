"""The pipe between a runtime and whoever asked, without either."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from lambent.dev import stream as stream_module
from lambent.dev.stream import HIGH_WATER, HTTP_INTEGRATION, PRELUDE_LIMIT, Stream, StreamFailed, read_prelude
from lambent.errors import InvalidMessage


def play(scene: Callable[[Stream, list[bool]], Awaitable[None]], content_type: str = HTTP_INTEGRATION) -> None:
    """Run a scene with a stream and what it has said to its source."""

    async def staged() -> None:
        throttles: list[bool] = []
        await scene(Stream(content_type, throttles.append), throttles)

    asyncio.run(staged())


def test_pieces_come_out_in_order_and_then_the_end() -> None:
    async def scene(stream: Stream, throttles: list[bool]) -> None:
        reading = asyncio.create_task(stream.read())
        await asyncio.sleep(0)
        for piece in (b"one", b"", b"two"):
            assert stream.feed(piece)
        stream.end()
        assert [await reading, await stream.read(), await stream.read(), await stream.read()] == [
            b"one",
            b"two",
            b"",
            b"",
        ]
        assert throttles == []

    play(scene)


def test_a_failure_comes_after_what_came_before_it_and_is_the_first_one() -> None:
    async def scene(stream: Stream, throttles: list[bool]) -> None:
        stream.feed(b"one")
        stream.end(b"first")
        stream.end(b"second")
        assert await stream.read() == b"one"
        with pytest.raises(StreamFailed, match="first"):
            await stream.read()

    play(scene)


def test_the_source_is_told_to_wait_and_to_go_on() -> None:
    async def scene(stream: Stream, throttles: list[bool]) -> None:
        for _ in range(3):
            stream.feed(bytes(HIGH_WATER))
        assert throttles == [True]
        await stream.read()
        assert throttles == [True]
        await stream.read()
        assert throttles == [True, False]

    play(scene)


def test_once_abandoned_everything_is_dropped() -> None:
    async def scene(stream: Stream, throttles: list[bool]) -> None:
        stream.feed(bytes(HIGH_WATER + 1))
        stream.abandon()
        stream.feed(bytes(HIGH_WATER + 1))
        assert throttles == [True, False]
        stream.end()
        assert await stream.read() == b""

    play(scene)


def test_more_than_the_limit_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_module, "STREAM_LIMIT", 3)

    async def scene(stream: Stream, throttles: list[bool]) -> None:
        assert [stream.feed(b"ab"), stream.feed(b"c"), stream.feed(b"d")] == [True, True, False]
        stream.end()
        assert [await stream.read(), await stream.read(), await stream.read()] == [b"ab", b"c", b""]

    play(scene)


@pytest.mark.parametrize(
    "pieces", [[b"{}", bytes(8), b"ab"], [b"{}" + bytes(8) + b"ab"], [b"{", b"}" + bytes(3), bytes(5) + b"ab"]]
)
def test_a_prelude_may_come_in_any_pieces(pieces: list[bytes]) -> None:
    async def scene(stream: Stream, throttles: list[bool]) -> None:
        for piece in pieces:
            stream.feed(piece)
        stream.end()
        prelude, body = await read_prelude(stream)
        while piece := await stream.read():
            body += piece
        assert (prelude, body) == (b"{}", b"ab")

    play(scene)


def test_a_stream_of_another_type_has_none() -> None:
    async def scene(stream: Stream, throttles: list[bool]) -> None:
        assert await read_prelude(stream) == (None, b"")

    play(scene, "application/octet-stream")


@pytest.mark.parametrize("data", [b"", b"{}" + bytes(7), b" " * PRELUDE_LIMIT + bytes(8)])
def test_one_that_does_not_end_in_time_is_refused(data: bytes) -> None:
    async def scene(stream: Stream, throttles: list[bool]) -> None:
        stream.feed(data)
        stream.end()
        with pytest.raises(InvalidMessage, match="must begin with JSON and eight NUL bytes"):
            await read_prelude(stream)

    play(scene)


def test_a_failure_before_its_end_is_the_failure() -> None:
    async def scene(stream: Stream, throttles: list[bool]) -> None:
        stream.feed(b"{}")
        stream.end(b"why")
        with pytest.raises(StreamFailed, match="why"):
            await read_prelude(stream)

    play(scene)
