"""The extension that brings SIGTERM: registered where that is possible, and never in the way."""

import logging
import threading

import pytest

from lambent.runtime import extension
from tests.support.runtime_api import HANG_UP, Answer, RuntimeAPI, Step, answer


def test_it_registers_and_waits_on_a_connection_of_its_own() -> None:
    with RuntimeAPI() as api:
        held = extension.register(api.address)
        assert held is not None
        api.wait_until_extended()
        held.close()

    register, waiting = api.extension
    assert (register.method, register.path) == ("POST", "/2020-01-01/extension/register")
    assert (register.json, register.headers["lambda-extension-name"]) == ({"events": []}, "lambent")
    assert (waiting.method, waiting.path) == ("GET", "/2020-01-01/extension/event/next")
    assert waiting.headers["lambda-extension-identifier"] == "extension-1"


def test_a_path_goes_before_it() -> None:
    with RuntimeAPI() as api:
        held = extension.register(f"{api.address}/.rt")
        assert held is not None
        api.wait_until_extended()
        held.close()
    assert [call.path for call in api.extension] == [
        "/.rt/2020-01-01/extension/register",
        "/.rt/2020-01-01/extension/event/next",
    ]


def test_it_may_wait_on_another_connection() -> None:
    with RuntimeAPI() as api:
        api.registered = answer(200, b"", ["Lambda-Extension-Identifier: e", "Connection: close"])._replace(close=True)
        held = extension.register(api.address)
        assert held is not None
        api.wait_until_extended()
        held.close()
    assert [call.method for call in api.extension] == ["POST", "GET"]


@pytest.mark.parametrize(
    ("refusal", "words"),
    [
        (answer(404, b"404 page not found\n"), "404 404 page not found"),
        (answer(403, b"Extension.RegistrationClosed"), "403 Extension.RegistrationClosed"),
        (answer(500), "500"),
        (answer(200, b"{}"), "200 {}"),
        (answer(200, b"", ["Lambda-Extension-Identifier:"]), "200"),
        (HANG_UP, "it closed the connection"),
        (Answer(b"\x15\x03\r\n\r\n", close=True), "Expected an HTTP/1.1 status line"),
    ],
)
def test_where_it_is_refused_it_goes_on_without(refusal: Step, words: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "lambent")
    with RuntimeAPI() as api:
        api.registered = refusal
        assert extension.register(api.address) is None

    assert [call.method for call in api.extension] == ["POST"]
    (record,) = caplog.records
    assert record.levelno == logging.DEBUG
    assert record.getMessage().startswith("No extension is registered, hence there is no SIGTERM: ")
    assert words in record.getMessage()


def test_a_service_that_does_not_answer_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extension, "_SECONDS", 0.02)
    given_up = threading.Event()

    def late() -> Answer:
        given_up.wait(60)
        return answer(200)

    with RuntimeAPI() as api:
        api.registered = late
        assert extension.register(api.address) is None
        given_up.set()


def test_one_that_is_not_there_is_none() -> None:
    api = RuntimeAPI()
    with api:
        pass
    assert extension.register(api.address) is None
