"""Each request of the Runtime API, as the documentation has it."""

import json

import pytest

from lambent.http1 import Request
from lambent.runtime import requests
from lambent.runtime.diagnostic import Diagnostic

DIAGNOSTIC = Diagnostic("KeyError", "'a'", ("  File ...",), "Function.KeyError", '{"paths": []}')
ERROR_HEADERS = (
    ("content-type", "application/json"),
    ("lambda-runtime-function-error-type", "Function.KeyError"),
    ("lambda-runtime-function-xray-error-cause", '{"paths": []}'),
)


def test_next_is_a_get() -> None:
    assert Request("GET", "/2018-06-01/runtime/invocation/next", (), b"") == requests.NEXT


def test_a_response_is_posted_under_its_invocation() -> None:
    assert requests.response("id-1", b"[]", "application/json", "") == Request(
        "POST", "/2018-06-01/runtime/invocation/id-1/response", (("content-type", "application/json"),), b"[]"
    )


def test_an_error_is_posted_under_its_invocation() -> None:
    request = requests.error("id-1", DIAGNOSTIC, "")

    assert (request.method, request.path) == ("POST", "/2018-06-01/runtime/invocation/id-1/error")
    assert request.headers == ERROR_HEADERS
    assert json.loads(request.body) == {
        "errorMessage": "'a'",
        "errorType": "KeyError",
        "requestId": "id-1",
        "stackTrace": ["  File ..."],
    }


def test_an_init_error_belongs_to_no_invocation() -> None:
    request = requests.init_error(DIAGNOSTIC)

    assert (request.method, request.path) == ("POST", "/2018-06-01/runtime/init/error")
    assert request.headers == ERROR_HEADERS
    assert json.loads(request.body)["requestId"] == ""


def test_what_snapstart_fails_by_is_named_to_the_platform_and_told_as_it_was() -> None:
    for request, kind, path in (
        (requests.snapshot_error(DIAGNOSTIC), "Runtime.BeforeSnapshotError", "init/error"),
        (requests.restore_error(DIAGNOSTIC), "Runtime.AfterRestoreError", "restore/error"),
    ):
        assert (request.method, request.path) == ("POST", f"/2018-06-01/runtime/{path}")
        assert dict(request.headers) == {**dict(ERROR_HEADERS), "lambda-runtime-function-error-type": kind}
        assert json.loads(request.body)["errorType"] == "KeyError"


def test_a_restore_is_waited_for_by_a_get() -> None:
    assert Request("GET", "/2018-06-01/runtime/restore/next", (), b"") == requests.RESTORE_NEXT


def test_an_extension_has_a_name_and_wants_no_events() -> None:
    headers = (("content-type", "application/json"), ("lambda-extension-name", "lambent"))
    path = "/2020-01-01/extension"
    assert Request("POST", f"{path}/register", headers, b'{"events":[]}') == requests.REGISTER
    waiting = Request("GET", f"{path}/event/next", (("lambda-extension-identifier", "id-1"),), b"")
    assert waiting == requests.extension_next("id-1")


def test_the_invocation_id_is_echoed_to_both() -> None:
    echo = ("lambda-runtime-invocation-id", "nonce")

    assert requests.response("id-1", b"", "text/plain", "nonce").headers == (("content-type", "text/plain"), echo)
    assert requests.error("id-1", DIAGNOSTIC, "nonce").headers == (*ERROR_HEADERS, echo)


@pytest.mark.parametrize(("length", "sent"), [(0, False), (1, True), ((1 << 20) - 1, True), (1 << 20, False)])
def test_a_cause_that_the_platform_would_drop_stays_here(length: int, sent: bool) -> None:
    names = [name for name, _ in requests.init_error(DIAGNOSTIC._replace(cause="x" * length)).headers]
    assert ("lambda-runtime-function-xray-error-cause" in names) is sent


def test_a_reply_may_have_what_lambda_takes() -> None:
    assert requests.RESPONSE_LIMIT == 6_291_556
