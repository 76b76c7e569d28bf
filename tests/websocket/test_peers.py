"""The client, while it knocks and once it is in."""

import asyncio
from typing import Any

import pytest

from lambent.errors import ConnectionGone, ServiceError, StoreError
from lambent.gateway.model import Request, Response
from lambent.websocket.peers import Knocking, Live, is_disconnect, store_error
from lambent.websocket.record import Record
from tests.websocket.play import Posts, played

ID = "JCIuTfPGDoECJkA="
AT = 1_751_753_177.405


class House:
    """A connection with all that it needs; `let_in` may fail."""

    def __init__(self, *, prompt: bool = True) -> None:
        request = Request("GET", "/ws", b"/ws", b"", "", "wss", "1.1", [], None, None, b"")
        self.record = Record(request, [], AT, "https://example.com/prod")
        self.posts = Posts()
        self.welcomed: list[Response] = []
        self.forgotten = 0
        self.error: Exception | None = None
        self.live = Live(ID, AT, self.posts, self.forget)
        self.knocking = Knocking(self.record, self.live, prompt=prompt, let_in=self.let_in)

    async def let_in(self, welcome: Response) -> None:
        await asyncio.sleep(0)
        if self.error is not None:
            raise self.error
        self.welcomed.append(welcome)
        self.posts.open.add(ID)

    async def forget(self) -> None:
        self.forgotten += 1


# Knocking


def test_an_accept_alone_lets_nobody_in_yet() -> None:
    async def story() -> None:
        house = House()
        await house.knocking.accept(None, [])
        assert (house.welcomed, house.knocking.opened) == ([], False)
        await house.knocking.open()
        assert (house.welcomed, house.knocking.opened) == ([Response(200, [], b"")], True)

    played(story)


def test_the_welcome_has_the_headers_and_the_subprotocol() -> None:
    async def story() -> None:
        house = House()
        await house.knocking.accept("chat", [(b"x-a", b"1")])
        await house.knocking.open()
        (welcome,) = house.welcomed
        assert welcome.headers == [(b"x-a", b"1"), (b"sec-websocket-protocol", b"chat")]

    played(story)


def test_without_an_accept_nobody_is_let_in() -> None:
    async def story() -> None:
        house = House()
        await house.knocking.open()
        assert (house.welcomed, house.knocking.opened) == ([], False)

    played(story)


def test_the_first_message_lets_the_client_in_once_whoever_sends_it() -> None:
    async def story() -> None:
        house = House()
        await house.knocking.accept(None, [])
        await asyncio.gather(*(house.knocking.send(text) for text in "abc"))
        assert len(house.welcomed) == 1
        assert sorted(house.posts.take()) == ["a", "b", "c"]
        assert house.record.pending == []

    played(story)


def test_where_the_reply_leaves_at_the_end_messages_wait_in_the_record() -> None:
    async def story() -> None:
        house = House(prompt=False)
        await house.knocking.accept(None, [])
        await house.knocking.send("a")
        await house.knocking.send(b"b")
        assert house.record.pending == ["a", b"b"]
        assert (house.welcomed, house.posts.sent) == ([], [])

    played(story)


def test_who_could_not_be_let_in_is_not_in_and_may_be_tried_again() -> None:
    async def story() -> None:
        house = House()
        house.error = StoreError("The store does not answer.")
        await house.knocking.accept(None, [])
        with pytest.raises(StoreError):
            await house.knocking.send("a")
        assert not house.knocking.opened
        assert house.posts.sent == []
        house.error = None
        await house.knocking.send("b")
        assert house.posts.take() == ["b"]

    played(story)


def test_who_gives_up_does_not_cut_off_what_lets_the_client_in() -> None:
    async def story() -> None:
        house = House()
        await house.knocking.accept(None, [])
        first = asyncio.ensure_future(house.live.settle())
        await asyncio.sleep(0)
        await asyncio.sleep(0)  # it is under way
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        await asyncio.gather(house.live.settle(), house.knocking.open())
        assert (len(house.welcomed), house.knocking.opened) == (1, True)

    played(story)


def test_what_has_failed_after_somebody_gave_up_is_tried_again() -> None:
    async def story() -> None:
        house = House()
        house.error = StoreError("down")
        await house.knocking.accept(None, [])
        first = asyncio.ensure_future(house.knocking.open())
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.wait({first})
        for _ in range(10):
            await asyncio.sleep(0)
        house.error = None
        await house.knocking.open()
        assert len(house.welcomed) == 1

    played(story)


def test_once_shut_nobody_is_let_in() -> None:
    async def story() -> None:
        house = House()
        await house.knocking.accept(None, [])
        assert not await house.knocking.shut()
        await house.knocking.open()
        assert (house.welcomed, house.knocking.opened) == ([], False)

    played(story)


@pytest.mark.parametrize("gives_up", [True, False])
def test_a_client_that_is_being_let_in_is_in_when_it_is_shut(gives_up: bool) -> None:
    async def story() -> None:
        house = House()
        await house.knocking.accept(None, [])
        opening = asyncio.ensure_future(house.knocking.open())
        await asyncio.sleep(0)
        if gives_up:
            opening.cancel()
        assert await house.knocking.shut()
        assert len(house.welcomed) == 1
        await asyncio.wait({opening})

    played(story)


def test_who_leaves_cuts_off_what_lets_the_client_in() -> None:
    async def story() -> None:
        house = House()
        await house.knocking.accept(None, [])
        opening = asyncio.ensure_future(house.knocking.open())
        await asyncio.sleep(0)
        opening.cancel()
        await house.knocking.leave()
        assert (house.welcomed, house.knocking.opened) == ([], False)
        await asyncio.wait({opening})

    played(story)


def test_a_close_before_the_accept_is_a_refusal_and_after_it_none() -> None:
    async def story() -> None:
        house = House()
        await house.knocking.close(1000, "")
        assert house.knocking.refusal == Response(403, [], b"")
        house = House()
        await house.knocking.accept(None, [])
        await house.knocking.close(1000, "")
        assert house.knocking.refusal is None

    played(story)


def test_a_denial_is_the_refusal() -> None:
    async def story() -> None:
        house = House()
        await house.knocking.deny(Response(401, [], b"no"))
        assert house.knocking.refusal == Response(401, [], b"no")

    played(story)


# Live


@pytest.mark.parametrize(
    ("data", "posted"),
    [("héllo", "héllo".encode()), (b"\0\xff", b"\0\xff"), ("", b""), ("a\ud800b", b"a?b")],
)
def test_what_is_sent_is_posted_as_bytes(data: Any, posted: bytes) -> None:
    async def story() -> None:
        house = House()
        house.posts.open.add(ID)
        await house.live.send(data)
        assert house.posts.sent == [(ID, posted)]

    played(story)


class First:
    """What is to be done before the first message leaves: it takes a while, and fails as often as it is told."""

    def __init__(self, house: House, failures: int = 0) -> None:
        self.house = house
        self.failures = failures
        self.seen: list[list[str]] = []
        """What had been sent each time that it was done."""

    async def __call__(self) -> None:
        for _ in range(10):
            await asyncio.sleep(0)
        if self.failures:
            self.failures -= 1
            raise StoreError("The store does not answer.")
        self.seen.append(self.house.posts.take())


def test_no_message_leaves_before_what_comes_first_is_done_whoever_sends_it() -> None:
    async def story() -> None:
        house = House()
        house.posts.open.add(ID)
        house.live.first = first = First(house)
        await asyncio.gather(*(house.live.send(text) for text in "abc"))
        assert first.seen == [[]]
        assert sorted(house.posts.take()) == ["a", "b", "c"]

    played(story)


def test_what_comes_first_and_fails_is_done_by_the_next_message() -> None:
    async def story() -> None:
        house = House()
        house.posts.open.add(ID)
        house.live.first = first = First(house, failures=1)
        failed, sent = await asyncio.gather(house.live.send("a"), house.live.send("b"), return_exceptions=True)
        assert isinstance(failed, StoreError)
        assert sent is None
        assert first.seen == [[]]
        assert house.posts.take() == ["b"]

    played(story)


def test_what_comes_first_in_the_next_event_is_done_too() -> None:
    async def story() -> None:
        house = House()
        house.posts.open.add(ID)
        first, second = First(house), First(house)
        house.live.first = first
        late = asyncio.ensure_future(house.live.send("a"))
        await asyncio.sleep(0)  # it is at what comes first
        house.live.first = second
        await asyncio.gather(late, house.live.send("b"))
        assert (len(first.seen), len(second.seen)) == (1, 1)

    played(story)


def test_the_time_of_the_connect_goes_along() -> None:
    seen: list[float | None] = []

    class Timed(Posts):
        async def post(self, connection_id: str, data: bytes, *, connected_at: float | None = None) -> None:
            seen.append(connected_at)

        async def close(self, connection_id: str, *, connected_at: float | None = None) -> None:
            seen.append(connected_at)

    async def story() -> None:
        house = House()
        live = Live(ID, AT, Timed(), house.forget)
        await live.send("a")
        await live.close()

    played(story)
    assert seen == [AT, AT]


def test_one_that_has_gone_is_a_connection_error() -> None:
    async def story() -> None:
        with pytest.raises(ConnectionError):
            await House().live.send("a")

    played(story)


def test_a_close_ends_and_forgets_it_once() -> None:
    async def story() -> None:
        house = House()
        for _ in range(2):
            await house.live.close(1008, "no")
        assert (house.posts.ended, house.forgotten, house.live.closed) == ([ID], 1, True)
        with pytest.raises(ConnectionGone, match="has been closed"):
            await house.live.send("a")

    played(story)


def test_a_denial_of_one_that_is_in_ends_it() -> None:
    async def story() -> None:
        house = House()
        await house.live.accept(None, [])
        await house.live.deny(Response(401, [], b""))
        assert (house.posts.ended, house.forgotten) == ([ID], 1)

    played(story)


def test_one_that_cannot_be_closed_is_forgotten_and_the_log_says_so(caplog: pytest.LogCaptureFixture) -> None:
    class Refusing(Posts):
        async def close(self, connection_id: str, *, connected_at: float | None = None) -> None:
            raise ServiceError("Allow execute-api:ManageConnections.", 403, "AccessDenied")

    async def story() -> None:
        house = House()
        await Live(ID, AT, Refusing(), house.forget).close()
        assert house.forgotten == 1

    played(story)
    assert caplog.messages == [f"Connection {ID} could not be closed: Allow execute-api:ManageConnections."]


# What others are sent


def test_what_is_settled_after_the_accept_lets_the_client_in() -> None:
    async def story() -> None:
        house = House()
        await house.live.settle()
        assert house.welcomed == []
        await house.knocking.accept(None, [])
        await asyncio.gather(house.live.settle(), house.knocking.send("a"), house.live.settle())
        assert (len(house.welcomed), house.posts.take()) == (1, ["a"])

    played(story)


def test_where_the_reply_leaves_at_the_end_it_does_not() -> None:
    async def story() -> None:
        house = House(prompt=False)
        await house.knocking.accept(None, [])
        await house.live.settle()
        assert house.welcomed == []

    played(story)


def test_where_the_store_fails_the_connection_is_not_closed_until_it_answers() -> None:
    async def story() -> None:
        house = House()
        await house.knocking.accept(None, [])
        house.error = StoreError("down")
        with pytest.raises(StoreError, match="down"):
            await house.live.settle()
        assert house.live.failure is house.error
        await house.live.close()
        assert (house.posts.ended, house.forgotten) == ([], 0)
        house.error = None
        await house.live.settle()
        assert house.live.failure is None
        await house.live.close()
        assert (house.posts.ended, house.forgotten) == ([ID], 1)

    played(story)


# What an application has ended with


def test_a_group_is_what_all_its_errors_are() -> None:
    gone, down = ConnectionGone("gone", 410, ""), StoreError("down")
    nested = ExceptionGroup("", [gone, ExceptionGroup("", [gone])])
    assert is_disconnect(gone)
    assert is_disconnect(nested)
    assert not is_disconnect(None)
    assert not is_disconnect(ExceptionGroup("", [nested, LookupError()]))
    assert store_error(down) is down
    assert store_error(ExceptionGroup("", [ExceptionGroup("", [down]), StoreError("too")])) is down
    assert store_error(ExceptionGroup("", [down, LookupError()])) is None
    assert store_error(None) is None
