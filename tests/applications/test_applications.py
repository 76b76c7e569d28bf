"""The applications people run, asked the same through every front door, as a handler and in the local Lambda.

An application's reference is its own answer under uvicorn: status, every header field and every byte of the body. What
a door itself changes is told in doors.py.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing

import pytest

from lambent import Lambent
from lambent.dev.doors import DOORS
from lambent.dev.doors.model import Site
from tests.applications.asking import HOST, Answer, Question, Viewer, ask, ask_handler, ask_uvicorn, ask_with_event
from tests.applications.doors import counted, delivered, returned, unstamped
from tests.applications.questions import QUESTIONS, STAGED
from tests.applications.servers import local_lambda, uvicorn
from tests.payloads import payload

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="uvicorn is given its sockets, and forks")

VIEWER = Viewer()
STATUSES = {
    "path and query": 200,
    "path variable that is none": 404,
    "post": 201,
    "unhandled error": 500,
    "after the error": 200,
    "login": 303,
    "upload": 200,
    "no content": 204,
    "redirect to a URL": 308,
    "HEAD": 200,
    "method not allowed": 405,
    "not found": 404,
}
OTHER_STATUSES = {
    "fastapi": {"path variable that is none": 422, "HEAD": 405},
    "starlette": {},
    "django": {"login": 302, "redirect to a URL": 301},
    "quart": {},
    "litestar": {"HEAD": 405},
}
ERRORS = {
    "ariadne": {
        "mutation with a wrong variable": 400,
        "query with a syntax error": 400,
        "field that is not there": 400,
        "not JSON": 400,
        "not of a known type": 400,
        "method not allowed": 405,
        "HEAD": 405,
    },
    "mcp": {
        "not JSON": 400,
        "not accepted": 406,
        "stream that a client asks for": 405,
        "delete of no session": 405,
        "not found": 404,
    },
}
"""The questions that are answered by another status than 200 or 202."""

FRAMEWORKS = ("fastapi", "starlette", "django", "quart", "litestar")


class Application:
    """One application on all its roads."""

    def __init__(self, name: str, stack: ExitStack) -> None:
        self.name = name
        self.questions = QUESTIONS[name]
        self.port, self.staged_port = stack.enter_context(uvicorn(name))
        self.local = stack.enter_context(local_lambda(name))
        self.app = importlib.import_module(f"tests.applications.{name}_app").app
        self.handler = stack.enter_context(closing(Lambent(self.app)))
        self._references: dict[tuple[Question, Viewer], Answer] = {}

    def reference(self, question: Question, viewer: Viewer = VIEWER) -> Answer:
        """What uvicorn answers, asked once."""
        if (question, viewer) not in self._references:
            self._references[question, viewer] = ask_uvicorn(self.port, question, viewer)
        return self._references[question, viewer]

    def references(self) -> dict[str, Answer]:
        """Uvicorn's answers to the questions as they are."""
        return {name: self.reference(question) for name, question in self.questions.items()}


def differences(got: dict[str, Answer], expected: dict[str, Answer]) -> list[str]:
    """One line for each part of an answer that is another than expected."""
    return [
        f"{name}: {part} is {mine!r:.600}, but should be {theirs!r:.600}"
        for name in expected
        for part, mine, theirs in zip(Answer._fields, got[name], expected[name], strict=True)
        if mine != theirs
    ]


@pytest.fixture(scope="module", params=QUESTIONS)
def application(request: pytest.FixtureRequest) -> Iterator[Application]:
    with ExitStack() as stack:
        yield Application(request.param, stack)


@pytest.mark.parametrize("door", DOORS)
def test_a_handler_answers_as_uvicorn_does(application: Application, door: str) -> None:
    opened = DOORS[door](Site(application.name))
    expected, got = {}, {}
    for name, question in application.questions.items():
        expected[name] = returned(door, application.reference(delivered(door, question)))
        got[name] = unstamped(door, ask_handler(application.handler, opened, question, VIEWER))
    assert differences(got, expected) == []


@pytest.mark.parametrize("door", DOORS)
def test_the_local_lambda_answers_as_uvicorn_does(application: Application, door: str) -> None:
    viewer = Viewer("127.0.0.1", "https" if door == "edge-viewer" else "http")  # of which CloudFront does not tell
    expected, got = {}, {}
    for name, question in application.questions.items():
        expected[name] = counted(returned(door, application.reference(delivered(door, question), viewer)))
        got[name] = unstamped(door, ask(application.local[door], question))
    assert differences(got, expected) == []


@pytest.mark.parametrize("application", FRAMEWORKS, indirect=True)
def test_a_stage_is_what_a_root_path_is_to_uvicorn(application: Application) -> None:
    """Of an HTTP API. uvicorn's `--root-path` is the stage."""
    opened = DOORS["http"](Site(application.name))
    expected, got = {}, {}
    for target in STAGED:
        path, _, query = target.partition("?")
        event = payload("http_api_stage")
        event["headers"] = {"host": HOST, "x-forwarded-proto": VIEWER.scheme}
        event["rawPath"] = event["requestContext"]["http"]["path"] = f"/prod{path}"
        event["rawQueryString"] = query
        event["requestContext"]["http"]["sourceIp"] = VIEWER.address
        reference = ask_uvicorn(application.staged_port, Question("GET", target), VIEWER)
        expected[target] = returned("http", reference)
        got[target] = unstamped("http", ask_with_event(application.handler, opened, event))
    assert differences(got, expected) == []
    seen = json.loads(got[STAGED[0]].body)
    assert seen["url_for"] == f"https://{HOST}/prod/items/9"
    assert seen["root_path"] == "/prod"


@pytest.mark.parametrize("application", FRAMEWORKS, indirect=True)
def test_the_reference_is_worth_comparing_with(application: Application) -> None:
    answers = application.references()
    statuses = {name: answer.status for name, answer in answers.items()}
    assert {name: statuses[name] for name in STATUSES} == STATUSES | OTHER_STATUSES[application.name]
    assert json.loads(answers["path and query"].body) == {"item_id": 7, "tags": ["a+b c"]}
    assert json.loads(answers["repeated parameter"].body) == {"item_id": 7, "tags": ["1", "3"]}
    assert json.loads(answers["unicode parameter"].body)["tags"] == ["é💡", "&= "]
    assert json.loads(answers["upload"].body)["hex"] == "00ff0d0afe2d2d656467"
    assert len(answers["login"].headers["set-cookie"]) == 2
    assert answers["session"].body.strip(b'"').lower() == b"ada"
    assert answers["stream"].body == b"0\n1\n2\n"
    assert answers["binary"].body == b"\x89PNG\r\n\x1a\n\0\xff\0\x80"
    assert answers["text"].body == "Glühlämpchen 💡".encode()
    assert answers["latin-1"].body == "café".encode("latin-1")
    assert answers["HEAD of a text"].body == b""
    assert answers["redirect to a URL"].headers["location"] == [f"https://{HOST}/items/9"]


@pytest.mark.parametrize("application", FRAMEWORKS, indirect=True)
def test_the_applications_see_what_was_asked(application: Application) -> None:
    seen = json.loads(application.reference(application.questions["seen"]).body)
    assert seen["url"] == f"https://{HOST}/seen/plain?q=1&q=2&flag&e="
    assert seen["url_for"] == f"https://{HOST}/items/9"
    assert (seen["path"], seen["rest"].lstrip("/"), seen["root_path"]) == ("/seen/plain", "plain", "")
    assert (seen["method"], seen["client"], seen["custom"]) == ("GET", VIEWER.address, "café")
    assert seen["cookies"] == {"a": "1", "b": "2"}
    repeated = json.loads(application.reference(application.questions["seen, repeated fields"]).body)
    assert "".join(repeated["tags"]).replace(",", "") == "onetwo"
    assert repeated["user_agent"] == "me"


@pytest.mark.parametrize("application", ["fastapi", "starlette"], indirect=True)
def test_middleware_and_files_are_part_of_what_is_compared(application: Application) -> None:
    answers = application.references()
    assert answers["post"].headers["x-stamp"] == ["café"]
    assert answers["post"].headers["x-greeting"] == ["hello"]
    assert answers["compressed"].headers["content-encoding"] == ["gzip"]
    assert json.loads(answers["sync route, in a thread"].body) == {"color": "amber"}
    assert answers["range of a static file"].status == 206
    assert answers["range of a static file"].body == b"body"
    assert answers["HEAD of a static file"].headers["content-length"] == ["24"]
    assert answers["dependency or error handler"].headers["retry-after"] == ["7"]


@pytest.mark.parametrize("application", ERRORS, indirect=True)
def test_one_address_answers_all_but_errors(application: Application) -> None:
    answers = application.references()
    statuses = {name: answer.status for name, answer in answers.items() if answer.status not in (200, 202)}
    assert statuses == ERRORS[application.name]
    if application.name == "ariadne":
        assert json.loads(answers["mutation"].body)["data"]["addLamp"] == {"id": "3", "name": "Röhre", "watts": 18}
        assert json.loads(answers["error of a resolver"].body)["errors"][0]["path"] == ["broken"]
        assert json.loads(answers["URL"].body)["data"] == {"host": f"https://{HOST}/"}
    else:
        assert json.loads(answers["call"].body)["result"]["structuredContent"] == {"result": 42}
        assert json.loads(answers["call that fails"].body)["result"]["isError"] is True
