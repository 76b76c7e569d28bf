"""Schedules fired over HTTP."""

from __future__ import annotations

import asyncio
import json
from typing import Any, cast

import pytest

from lambent.dev.sources import Answer, EventSources
from lambent.dev.sources.firing import Firing
from lambent.types import Message


class Fired:
    """Sources: they remember what was fired."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, bytes]] = []

    def status(self) -> dict[str, object]:
        return {"tick": {}}

    def fire(self, name: str, event: bytes) -> Answer:
        self.taken.append((name, event))
        return Answer(202, {"requestId": "1"})


def ask(fired: Fired, method: str, *messages: Message, headers: Any = ()) -> list[Message]:
    left, sent = list(messages), []

    async def receive() -> Message:
        return left.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "method": method, "path": "/_lambent/sources/tick", "headers": headers}
    asyncio.run(Firing(cast("EventSources", fired))(scope, receive, send))
    return sent


def test_a_body_is_the_event() -> None:
    fired = Fired()
    pieces: list[Message] = [
        {"type": "http.request", "body": b"{", "more_body": True},
        {"type": "http.request", "body": b"}"},
    ]
    start, body = ask(fired, "POST", *pieces)
    assert fired.taken == [("tick", b"{}")]
    assert start["status"] == 202
    assert json.loads(body["body"]) == {"requestId": "1"}


@pytest.mark.parametrize(
    ("method", "headers", "status"), [("GET", (), 405), ("POST", [(b"content-length", b"1048577")], 413)]
)
def test_what_is_no_order_fires_nothing(method: str, headers: Any, status: int) -> None:
    fired = Fired()
    start, body = ask(fired, method, headers=headers)
    assert start["status"] == status
    assert json.loads(body["body"])["message"].startswith("Expected ")
    assert fired.taken == []


def test_nobody_left_is_answered_nothing() -> None:
    fired = Fired()
    assert ask(fired, "POST", {"type": "http.disconnect"}) == []
    assert fired.taken == []


def test_its_paths_are_its_own() -> None:
    assert Firing.owns("/_lambent/sources/tick")
    assert not Firing.owns("/_lambent/sources")
    assert Firing(cast("EventSources", Fired())).status() == {"sources": {"tick": {}}}
