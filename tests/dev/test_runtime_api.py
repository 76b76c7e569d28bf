"""The Runtime API on a real socket: keep-alive, chunks, limits, and HTTP that is none."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from lambent.dev.conversation import ACCEPTED, Answer, Call, Conversation, Respond, State
from lambent.dev.doors.model import PAYLOAD_LIMIT
from lambent.dev.extensions import Extensions
from lambent.dev.http_requests import HEAD_LIMIT
from lambent.dev.model import Delivery, InvokeRequest
from lambent.dev.runtime_api import RuntimeAPI
from lambent.dev.stream import Stream, StreamFailed

NEXT = b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: 127.0.0.1:9001\r\n\r\n"
PING = b"GET /ping HTTP/1.1\r\nHost: 127.0.0.1:9001\r\n\r\n"
RESPONSE = b"POST /2018-06-01/runtime/invocation/one/response HTTP/1.1\r\nHost: 127.0.0.1:9001\r\n"
LIMIT = 60
"""Seconds, against a hang."""


class Owner:
    def __init__(self) -> None:
        self.polls = 0
        self.polled_once = asyncio.Event()
        self.replies: list[bytes] = []
        self.refused = 0
        self.streamed: asyncio.Queue[Stream] = asyncio.Queue()

    def polled(self) -> None:
        self.polls += 1
        self.polled_once.set()

    def replied(self, request_id: str, payload: bytes) -> None:
        self.replies.append(payload)

    def streams(self, request_id: str, stream: Stream) -> None:
        self.streamed.put_nowait(stream)

    def buffers(self, request_id: str) -> None: ...

    def failed(self, request_id: str, error: bytes) -> None: ...

    def oversized(self, request_id: str) -> None:
        self.refused += 1

    def sent(self, request_id: str) -> None: ...

    def init_failed(self, error: bytes) -> None: ...


class Client:
    """A runtime, as far as the bytes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def send(self, *pieces: bytes) -> None:
        self.writer.write(b"".join(pieces))

    async def head(self) -> bytes:
        return await self.reader.readuntil(b"\r\n\r\n")

    async def answer(self) -> tuple[int, bytes]:
        head = await self.head()
        status = int(head.split(b" ", 2)[1])
        lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        length = int(lengths[0].partition(b":")[2]) if lengths else 0
        return status, await self.reader.readexactly(length)

    async def close(self) -> None:
        self.writer.close()
        await self.writer.wait_closed()


Scene = Callable[[Client, Conversation, Owner], Awaitable[None]]


def play(scene: Scene, *, streams: bool = False) -> None:
    """Run a scene with one client connected."""

    async def staged() -> None:
        owner = Owner()
        conversation = Conversation(owner, streams=streams)
        api = RuntimeAPI(conversation, Extensions({}, bool))
        host, _, port = (await api.open()).partition(":")
        client = Client(*await asyncio.open_connection(host, int(port)))
        try:
            async with asyncio.timeout(LIMIT):
                await scene(client, conversation, owner)
        finally:
            api.close()
            await client.close()

    asyncio.run(staged())


async def handed_out(client: Client, conversation: Conversation, owner: Owner, payload: bytes = b"{}") -> bytes:
    """Poll and be handed the invocation `one`."""
    client.send(NEXT)
    await owner.polled_once.wait()
    conversation.deliver(delivery(payload))
    return (await client.answer())[1]


def delivery(payload: bytes, client_context: str = "") -> Delivery:
    return Delivery(InvokeRequest("one", payload, "Root=1-2-3", client_context), "nonce", 1, "arn")


def test_many_invocations_travel_over_one_connection() -> None:
    async def scene(client: Client, conversation: Conversation, owner: Owner) -> None:
        for number in range(3):
            owner.polled_once.clear()
            payload = b"event %d" % number
            assert await handed_out(client, conversation, owner, payload) == payload
            client.send(RESPONSE, b"Content-Length: 2\r\n\r\nok")
            assert (await client.answer())[0] == 202
        assert owner.replies == [b"ok"] * 3

    play(scene)


def test_a_chunked_response_with_trailers_is_read() -> None:
    async def scene(client: Client, conversation: Conversation, owner: Owner) -> None:
        await handed_out(client, conversation, owner)
        client.send(RESPONSE, b"Transfer-Encoding: chunked\r\nTrailer: X-End\r\n\r\n")
        client.send(b"2\r\nab\r\n3\r\ncde\r\n0\r\nX-End: yes\r\n\r\n")
        assert (await client.answer())[0] == 202
        assert owner.replies == [b"abcde"]

    play(scene)


def test_a_client_that_expects_100_continue_is_told_to() -> None:
    async def scene(client: Client, conversation: Conversation, owner: Owner) -> None:
        await handed_out(client, conversation, owner)
        client.send(RESPONSE, b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n")
        assert await client.answer() == (100, b"")
        client.send(b"ok")
        assert (await client.answer())[0] == 202

    play(scene)


def test_a_response_of_exactly_the_limit_is_taken() -> None:
    async def scene(client: Client, conversation: Conversation, owner: Owner) -> None:
        await handed_out(client, conversation, owner)
        client.send(RESPONSE, b"Content-Length: %d\r\n\r\n" % PAYLOAD_LIMIT, b"x" * PAYLOAD_LIMIT)
        assert (await client.answer())[0] == 202
        assert len(owner.replies[0]) == PAYLOAD_LIMIT

    play(scene)


def test_a_response_over_the_limit_is_413_and_the_connection_lives_on() -> None:
    async def scene(client: Client, conversation: Conversation, owner: Owner) -> None:
        await handed_out(client, conversation, owner)
        client.send(RESPONSE, b"Content-Length: %d\r\n\r\n" % (PAYLOAD_LIMIT + 1), b"x" * (PAYLOAD_LIMIT + 1))
        assert (await client.answer())[0] == 413
        assert (owner.replies, owner.refused) == ([], 1)
        client.send(PING)
        assert await client.answer() == (200, b"pong")

    play(scene)


def test_a_large_event_arrives_whole() -> None:
    async def scene(client: Client, conversation: Conversation, owner: Owner) -> None:
        payload = b"x" * PAYLOAD_LIMIT
        assert await handed_out(client, conversation, owner, payload) == payload

    play(scene)


def test_requests_that_come_at_once_are_answered_in_turn() -> None:
    async def scene(client: Client, conversation: Conversation, owner: Owner) -> None:
        client.send(PING, NEXT, PING)
        assert await client.answer() == (200, b"pong")
        await owner.polled_once.wait()
        conversation.deliver(delivery(b"event"))
        assert await client.answer() == (200, b"event")
        assert await client.answer() == (200, b"pong")

    play(scene)


@pytest.mark.parametrize("text", [b"\x16\x03\x01 hello\r\n\r\n", b"GET / HTTP/1.1\r\nbad header\r\n\r\n"])
def test_malformed_http_is_400_and_hung_up_on(text: bytes) -> None:
    async def scene(client: Client, _conversation: Conversation, _owner: Owner) -> None:
        client.send(text)
        status, body = await client.answer()
        assert status == 400
        assert b'"errorType":"InvalidRequest"' in body
        assert await client.reader.read() == b""

    play(scene)


def test_a_body_that_is_cut_off_is_told_so_and_is_no_reply() -> None:
    async def scene(client: Client, conversation: Conversation, owner: Owner) -> None:
        await handed_out(client, conversation, owner)
        client.send(RESPONSE, b"Transfer-Encoding: chunked\r\n\r\n5\r\nab")
        client.writer.write_eof()
        status, body = await client.answer()
        assert status == 400
        assert b'"errorType":"TruncatedHTTPRequest"' in body
        assert owner.replies == []
        assert conversation.state is State.RUNNING

    play(scene)


@pytest.mark.parametrize("close", [b"Connection: close\r\n", b""])
def test_a_request_that_is_cut_off_is_answered_and_hung_up_on(close: bytes) -> None:
    async def scene(client: Client, _conversation: Conversation, _owner: Owner) -> None:
        client.send(b"GET /ping HTTP/1.1\r\n", close)
        client.writer.write_eof()
        assert b"\r\nconnection: close\r\n" in await client.head()
        assert b"TruncatedHTTPRequest" in await client.reader.read()

    play(scene)


def test_a_head_without_end_is_refused() -> None:
    async def scene(client: Client, _conversation: Conversation, _owner: Owner) -> None:
        client.send(b"GET /ping HTTP/1.1\r\nHost: localhost\r\nX: ", b"x" * (HEAD_LIMIT + 1))
        assert (await client.answer())[0] == 400

    play(scene)


def test_a_head_request_is_answered_without_a_body() -> None:
    async def scene(client: Client, _conversation: Conversation, _owner: Owner) -> None:
        client.send(b"HEAD /nothing HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", PING)
        assert (await client.head()).startswith(b"HTTP/1.1 404 Not Found\r\n")
        assert await client.answer() == (200, b"pong")

    play(scene)


def test_what_a_field_cannot_hold_of_a_client_context_is_a_space() -> None:
    async def scene(client: Client, conversation: Conversation, owner: Owner) -> None:
        client.send(NEXT)
        await owner.polled_once.wait()
        conversation.deliver(delivery(b"{}", '{\r\n  "custom": {"name": "é"}\n}'))
        fields = (await client.head()).decode().split("\r\n")
        assert 'Lambda-Runtime-Client-Context: {    "custom": {"name": "é"} }' in fields

    play(scene)


def test_a_page_that_rebinds_dns_gets_no_invocation() -> None:
    async def scene(client: Client, _conversation: Conversation, owner: Owner) -> None:
        client.send(NEXT.replace(b"127.0.0.1", b"evil.test"))
        assert (await client.answer())[0] == 403
        assert owner.polls == 0

    play(scene)


def test_a_client_that_closes_is_closed() -> None:
    async def scene(client: Client, _conversation: Conversation, _owner: Owner) -> None:
        client.send(b"GET /ping HTTP/1.1\r\nHost: 127.0.0.1:9001\r\nConnection: close\r\n\r\n")
        assert await client.answer() == (200, b"pong")
        assert await client.reader.read() == b""

    play(scene)


def test_a_poll_whose_connection_broke_is_forgotten() -> None:
    async def scene(client: Client, conversation: Conversation, owner: Owner) -> None:
        client.send(NEXT)
        await owner.polled_once.wait()
        client.writer.write_eof()
        assert await client.reader.read() == b""
        assert conversation._polls == []

    play(scene)


def test_closing_hangs_up_on_a_poll() -> None:
    async def scene() -> None:
        owner = Owner()
        api = RuntimeAPI(Conversation(owner), Extensions({}, bool))
        host, _, port = (await api.open()).partition(":")
        client = Client(*await asyncio.open_connection(host, int(port)))
        client.send(NEXT)
        await owner.polled_once.wait()
        api.close()
        assert await client.reader.read() == b""
        await client.close()

    asyncio.run(scene())


def test_an_extension_registers_beside_the_runtime_and_waits() -> None:
    async def scene(client: Client, conversation: Conversation, owner: Owner) -> None:
        client.send(
            b"POST /2020-01-01/extension/register HTTP/1.1\r\nHost: 127.0.0.1\r\nLambda-Extension-Name: e\r\n",
            b'Content-Length: 13\r\n\r\n{"events":[]}',
        )
        assert (await client.answer())[0] == 200
        assert conversation.state is State.STARTED
        client.send(b"GET /2020-01-01/extension/event/next HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert (await client.answer())[0] == 403

    play(scene)


class Side:
    """Answers what is asked of `/side` when it is told to."""

    def __init__(self) -> None:
        self.taken: list[bytes] = []
        self.responds: asyncio.Queue[Respond] = asyncio.Queue()

    def take(self, call: Call, respond: Respond) -> bool:
        if call.path == "/side":
            self.taken.append(call.body)
            self.responds.put_nowait(respond)
        return call.path == "/side"


def test_sides_are_asked_in_turn_and_may_answer_later() -> None:
    async def scene() -> None:
        first, second = Side(), Side()
        api = RuntimeAPI(Conversation(Owner()), Extensions({}, bool), first, second)
        host, _, port = (await api.open()).partition(":")
        client = Client(*await asyncio.open_connection(host, int(port)))
        async with asyncio.timeout(LIMIT):
            client.send(b"POST /side HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nok", PING)
            respond = await first.responds.get()
            respond(Answer(200, [(b"x", b"y")], b"later"))
            assert await client.answer() == (200, b"later")
            assert await client.answer() == (200, b"pong")
        assert (first.taken, second.taken) == ([b"ok"], [])
        api.close()
        await client.close()

    asyncio.run(scene())


def test_what_comes_before_an_answer_stays_with_the_client() -> None:
    async def scene(client: Client, conversation: Conversation, owner: Owner) -> None:
        client.send(NEXT, PING.replace(b"\r\n\r\n", b"\r\nContent-Length: %d\r\n\r\n" % 0x2000000), bytes(0x2000000))
        await owner.polled_once.wait()
        for _ in range(500):  # turns of the loop, in each of which more could be read
            await asyncio.sleep(0)
        assert client.writer.transport.get_write_buffer_size() > 0
        conversation.deliver(delivery(b"event"))
        assert await client.answer() == (200, b"event")
        assert await client.answer() == (200, b"pong")

    play(scene)


# Streams

STREAMED = RESPONSE + b"Lambda-Runtime-Function-Response-Mode: streaming\r\nTransfer-Encoding: chunked\r\n\r\n"


def test_a_streamed_reply_is_passed_on_piece_by_piece() -> None:
    async def scene(client: Client, conversation: Conversation, owner: Owner) -> None:
        await handed_out(client, conversation, owner)
        client.send(STREAMED, b"2\r\nab\r\n")
        stream = await owner.streamed.get()
        assert await stream.read() == b"ab"
        client.send(b"3\r\ncde\r\n")
        assert await stream.read() == b"cde"
        client.send(b"0\r\n\r\n", PING)
        assert (await client.answer())[0] == 202
        assert await stream.read() == b""
        assert await client.answer() == (200, b"pong")

    play(scene, streams=True)


def test_a_streamed_reply_may_follow_at_once_on_the_answer_that_it_waited_for() -> None:
    async def scene(client: Client, conversation: Conversation, owner: Owner) -> None:
        client.send(NEXT, STREAMED, b"2\r\nab\r\n0\r\n\r\n")
        await owner.polled_once.wait()
        conversation.deliver(delivery(b"event"))
        assert await client.answer() == (200, b"event")
        stream = await owner.streamed.get()
        assert [await stream.read(), await stream.read()] == [b"ab", b""]
        assert await client.answer() == (202, ACCEPTED.body)

    play(scene, streams=True)


def test_an_error_in_the_trailers_is_how_the_stream_ends() -> None:
    async def scene(client: Client, conversation: Conversation, owner: Owner) -> None:
        await handed_out(client, conversation, owner)
        client.send(STREAMED, b"2\r\nab\r\n0\r\nLambda-Runtime-Function-Error-Type: Broken\r\n\r\n")
        assert (await client.answer())[0] == 202
        stream = await owner.streamed.get()
        assert await stream.read() == b"ab"
        with pytest.raises(StreamFailed, match="Broken"):
            await stream.read()

    play(scene, streams=True)


def test_what_nobody_reads_stays_with_the_runtime() -> None:
    async def scene(client: Client, conversation: Conversation, owner: Owner) -> None:
        await handed_out(client, conversation, owner)
        client.send(STREAMED, b"800000\r\n", bytes(0x800000), b"\r\n0\r\n\r\n")
        stream = await owner.streamed.get()
        for _ in range(500):  # turns of the loop, in each of which more could be read
            await asyncio.sleep(0)
        assert stream._waiting < 0x100000
        size = 0
        while piece := await stream.read():
            size += len(piece)
        assert size == 0x800000
        assert (await client.answer())[0] == 202

    play(scene, streams=True)


def test_a_runtime_that_hangs_up_in_the_middle_cuts_the_stream_off() -> None:
    async def scene(client: Client, conversation: Conversation, owner: Owner) -> None:
        await handed_out(client, conversation, owner)
        client.send(STREAMED, b"2\r\nab\r\n")
        stream = await owner.streamed.get()
        client.writer.transport.abort()
        assert await stream.read() == b"ab"
        with pytest.raises(StreamFailed, match=r"Runtime\.TruncatedResponse"):
            await stream.read()
        assert conversation.state is State.RESPONSE_SENT

    play(scene, streams=True)


@pytest.mark.parametrize("rest", [None, b"not a chunk\r\n"])
def test_a_body_that_ends_early_or_is_no_chunk_is_told_so(rest: bytes | None) -> None:
    async def scene(client: Client, conversation: Conversation, owner: Owner) -> None:
        await handed_out(client, conversation, owner)
        client.send(STREAMED, rest or b"5\r\nab")
        if rest is None:
            client.writer.write_eof()
        stream = await owner.streamed.get()
        assert (await client.answer())[0] == 400
        if rest is None:
            assert await stream.read() == b"ab"
        with pytest.raises(StreamFailed, match=r"Runtime\.TruncatedResponse"):
            await stream.read()

    play(scene, streams=True)


def test_a_stream_from_elsewhere_is_refused() -> None:
    async def scene(client: Client, conversation: Conversation, owner: Owner) -> None:
        await handed_out(client, conversation, owner)
        client.send(STREAMED.replace(b"127.0.0.1:9001", b"example.com"), b"0\r\n\r\n")
        assert (await client.answer())[0] == 403
        assert owner.streamed.empty()

    play(scene, streams=True)
