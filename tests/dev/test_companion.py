"""What the starter says, without a socket."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.dev.companion import UNANSWERED, Companion
from lambent.dev.conversation import Answer, Call


class Environment:
    """One that notes what it is told."""

    def __init__(self) -> None:
        self.paths: list[str] = []
        self.grants: list[Callable[[str | None, str], None]] = []

    def imported(self, paths: list[str]) -> None:
        self.paths += paths

    def breakpoint(self, grant: Callable[[str | None, str], None]) -> None:
        self.grants.append(grant)


def say(owner: Environment, path: str, body: bytes = b"", method: str = "POST") -> list[Answer] | None:
    """What a request is answered so far; None if it is somebody else's."""
    answers: list[Answer] = []
    taken = Companion(owner).take(Call(method, path, {}, body, False, []), answers.append)
    return answers if taken else None


def test_files_that_were_read_are_passed_on() -> None:
    owner = Environment()
    assert say(owner, "/_lambent/imported", b"/app/app.py\n/app/models.py") == [UNANSWERED]
    assert owner.paths == ["/app/app.py", "/app/models.py"]


@given(st.lists(st.binary(min_size=1).map(lambda name: name.replace(b"\n", b"")).filter(bool)))
def test_paths_come_as_the_file_system_has_them(names: list[bytes]) -> None:
    owner = Environment()
    say(owner, "/_lambent/imported", b"\n".join(names))
    assert [path.encode("utf-8", "surrogateescape") for path in owner.paths] == names


def test_a_breakpoint_waits_until_it_is_granted() -> None:
    owner = Environment()
    answers = say(owner, "/_lambent/breakpoint")
    assert answers == []
    owner.grants[0]("/dev/pts/3", "")
    [answer] = answers
    assert (answer.status, json.loads(answer.body)) == (200, {"terminal": "/dev/pts/3"})


def test_a_breakpoint_is_refused_with_the_reason() -> None:
    owner = Environment()
    answers = say(owner, "/_lambent/breakpoint")
    assert answers == []
    owner.grants[0](None, "There is no terminal.")
    [answer] = answers
    assert (answer.status, json.loads(answer.body)) == (409, {"reason": "There is no terminal."})


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/_lambent/imported", 405),
        ("GET", "/_lambent/breakpoint", 405),
        ("POST", "/_lambent/", 404),
        ("POST", "/_lambent/imported/", 404),
    ],
)
def test_what_there_is_not_is_refused(method: str, path: str, status: int) -> None:
    owner = Environment()
    answers = say(owner, path, b"/app.py", method)
    assert answers is not None
    assert [answer.status for answer in answers] == [status]
    assert (owner.paths, owner.grants) == ([], [])


def test_what_others_are_asked_is_left_to_them() -> None:
    assert say(Environment(), "/2018-06-01/runtime/invocation/next", method="GET") is None
