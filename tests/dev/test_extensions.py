"""The Extensions API without a socket; its statuses and messages are compared with AWS's own."""

import json
import uuid

import pytest

from lambent.dev.conversation import Answer, Call
from lambent.dev.extensions import LIMIT, PREFIX, Extensions
from lambent.dev.model import Delivery, InvokeRequest

ABOUT = {"functionName": "f", "functionVersion": "$LATEST", "handler": "app.handler"}


class Talk:
    """The extensions of one environment, and what came of what they said."""

    def __init__(self) -> None:
        self.settled = 0
        self.extensions = Extensions(ABOUT, self._settle)

    def _settle(self) -> None:
        self.settled += 1

    def say(self, method: str, path: str, body: bytes = b"", **headers: str) -> list[Answer]:
        answers: list[Answer] = []
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        assert self.extensions.take(Call(method, PREFIX + path, fields, body, False, []), answers.append)
        return answers

    def register(self, name: str = "e", body: bytes = b'{"events": []}') -> Answer:
        return self.say("POST", "register", body, lambda_extension_name=name)[0]

    def next(self, identifier: str) -> list[Answer]:
        return self.say("GET", "event/next", lambda_extension_identifier=identifier)


def identifier(answer: Answer) -> str:
    return dict(answer.headers)[b"lambda-extension-identifier"].decode()


def error(answer: Answer) -> tuple[int, str]:
    return answer.status, json.loads(answer.body)["errorType"]


def test_one_that_registers_is_told_of_the_function_and_is_ready_when_it_waits() -> None:
    talk = Talk()
    assert not talk.extensions
    assert talk.extensions.are_ready
    answer = talk.register(body=b'{"events": ["INVOKE"]}')
    assert (answer.status, json.loads(answer.body)) == (200, ABOUT)
    assert talk.extensions
    assert not talk.extensions.are_ready
    assert talk.next(identifier(answer)) == []
    assert talk.extensions.are_ready
    assert talk.settled == 1


def test_who_registered_for_it_is_told_of_an_invocation_and_is_ready_when_it_asks_again() -> None:
    talk = Talk()
    told = identifier(talk.register("told", b'{"events": ["INVOKE"]}'))
    silent = identifier(talk.register("silent"))
    answers = talk.next(told)
    assert talk.next(silent) == []
    talk.extensions.deliver(Delivery(InvokeRequest("id", b"{}", "Root=1-2-3"), "nonce", 1_700_000_000_000, "arn:f"))
    (answer,) = answers
    assert (answer.status, json.loads(answer.body)) == (
        200,
        {
            "eventType": "INVOKE",
            "deadlineMs": 1_700_000_000_000,
            "requestId": "id",
            "invokedFunctionArn": "arn:f",
            "tracing": {"type": "X-Amzn-Trace-Id", "value": "Root=1-2-3"},
        },
    )
    assert (talk.extensions.are_ready, talk.settled) == (False, 1)
    assert talk.next(told) == []
    assert (talk.extensions.are_ready, talk.settled) == (True, 2)
    assert error(talk.next(told)[0]) == (403, "Extension.InvalidExtensionState")


def test_all_must_wait() -> None:
    talk = Talk()
    first, second = (identifier(talk.register(name)) for name in "ab")
    talk.next(first)
    assert (talk.extensions.are_ready, talk.settled) == (False, 0)
    talk.next(second)
    assert (talk.extensions.are_ready, talk.settled) == (True, 1)


@pytest.mark.parametrize(
    ("name", "body", "error_type"),
    [
        ("", b'{"events": []}', "Extension.InvalidExtensionName"),
        ("x", b"{", "InvalidRequestFormat"),
        ("x", b"[1]", "InvalidRequestFormat"),
        ("x", b'{"events": null}', "InvalidRequestFormat"),
        ("x", b'{"events": 5}', "InvalidRequestFormat"),
        ("x", b"[" * 100_000, "InvalidRequestFormat"),
        ("x", b'{"events": ["SHUTDOWN"]}', "Extension.InvalidEventType"),
        ("x", b'{"events": ["NOPE"]}', "Extension.InvalidEventType"),
        ("e", b'{"events": []}', "Extension.InvalidExtensionState"),
    ],
)
def test_a_registration_is_refused(name: str, body: bytes, error_type: str) -> None:
    talk = Talk()
    talk.register()
    assert error(talk.register(name, body)) == (403, error_type)


def test_after_init_nobody_is_registered() -> None:
    talk = Talk()
    talk.extensions.close()
    assert error(talk.register()) == (403, "Extension.RegistrationClosed")


def test_there_is_a_limit() -> None:
    talk = Talk()
    assert [talk.register(str(number)).status for number in range(LIMIT + 1)] == [200] * LIMIT + [403]


def test_who_waits_must_be_known_and_waits_once() -> None:
    talk = Talk()
    registered = identifier(talk.register())
    talk.next(registered)
    refused = [talk.next(each)[0] for each in ("", "x", str(uuid.UUID(int=0)), registered)]
    assert [error(each) for each in refused] == [
        (403, "Extension.MissingExtensionIdentifier"),
        (403, "Extension.InvalidExtensionIdentifier"),
        (403, "Extension.UnknownExtensionIdentifier"),
        (403, "Extension.InvalidExtensionState"),
    ]


def test_other_paths_and_methods() -> None:
    talk = Talk()
    assert talk.say("POST", "exit/error")[0].status == 404
    wrong = talk.say("GET", "register")[0]
    assert (wrong.status, wrong.headers) == (405, [(b"allow", b"POST")])
    call = Call("GET", "/2018-06-01/runtime/invocation/next", {}, b"", False, [])
    answers: list[Answer] = []
    assert not talk.extensions.take(call, answers.append)
    assert answers == []
