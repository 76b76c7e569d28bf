"""A request from scope to response: what is called in which order, what is raised and answered, and what is logged."""

import asyncio
import contextlib
import json
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Annotated, Any

import pytest

from lambent.api import (
    AccessLog,
    Api,
    BackgroundTasks,
    Context,
    Depends,
    EventSourceResponse,
    HTTPException,
    JSONResponse,
    PlainTextResponse,
    Request,
    Response,
    Router,
    ServerSentEvent,
    StreamingResponse,
    UploadFile,
    log,
    settings,
)
from lambent.api.failures import RouteTimedOut
from lambent.testing import context
from lambent.types import ASGIApp, Message, Receive, Scope, Send
from tests.api.asking import JSON, LIMIT, Line, Logged, ask, asking, run, scope_of
from tests.events import doubles

INTERNAL = {"detail": "Internal Server Error"}


def invoked(**options: Any) -> dict[str, Any]:
    """What a scope has of Lambda's."""
    return {"aws.context": context(**options)}


class NearlyOver(doubles.Context):
    """Of an invocation that has little time left, whenever it is asked."""

    def get_remaining_time_in_millis(self) -> int:
        return 50


def nearly_over() -> dict[str, Any]:
    return {"aws.context": NearlyOver(0)}


def simple() -> Logged:
    api = Logged()

    @api.get("/items/{item_id}")
    async def read_item(item_id: int, q: str | None = None) -> dict[str, object]:
        return {"item_id": item_id, "q": q}

    return api


# What is found


def test_a_route_is_called_and_its_line_is_written() -> None:
    api = simple()
    answer = ask(api, "GET", "/items/7?q=lamp", {"user-agent": "curl/8", "x-request-id": "abc"})

    assert (answer.status, answer.json) == (200, {"item_id": 7, "q": "lamp"})
    assert answer.fields == [
        ("content-length", "24"),
        ("content-type", "application/json"),
        ("x-request-id", "abc"),
    ]
    line = api.line
    assert line.pop("execution_time") >= 0
    assert (line.pop("date"), line.pop("server_id")) != ("", "")
    assert line == {
        "type": "access",
        "level": "info",
        "id": "abc",
        "method": "GET",
        "path": "/items/7",
        "route": "/items/{item_id}",
        "status_code": 200,
        "user_agent": "curl/8",
        "cold_start": True,
        "client_ip": "192.0.2.7",
    }


@pytest.mark.parametrize(
    ("method", "target", "status", "body", "more"),
    [
        ("GET", "/nothing", 404, {"detail": "Not Found"}, {}),
        ("DELETE", "/items/7", 405, {"detail": "Method Not Allowed"}, {"allow": "GET, HEAD, OPTIONS"}),
        ("OPTIONS", "/items/7", 204, None, {"allow": "GET, HEAD, OPTIONS"}),
        ("GET", "/items/7/?q=%C3%A9", 307, None, {"location": "/items/7?q=%C3%A9"}),
        ("GET", "/items/seven", 422, None, {}),
        ("POST", "/openapi.json", 405, {"detail": "Method Not Allowed"}, {"allow": "GET, HEAD"}),
    ],
)
def test_what_has_no_route_is_answered_logged_and_has_an_id(
    method: str, target: str, status: int, body: object, more: dict[str, str]
) -> None:
    api = simple()
    answer = ask(api, method, target)
    assert (answer.status, answer.headers) == (status, answer.headers | more)
    if body is not None:
        assert answer.json == body
    line = api.line
    assert (line["status_code"], line["id"]) == (status, answer.headers["x-request-id"])
    assert line["level"] == ("warning" if status >= 400 else "info")


def test_head_is_answered_as_get_is_without_the_body() -> None:
    api = simple()
    got, head = ask(api, "GET", "/items/7"), ask(api, "HEAD", "/items/7", {"x-request-id": "a"})
    assert (head.status, head.body) == (200, b"")
    assert head.headers["content-length"] == got.headers["content-length"] == str(len(got.body))
    assert ask(api, "HEAD", "/nothing").body == b""


def test_a_mount_takes_what_has_no_route_and_sees_the_rest_of_the_path() -> None:
    api, seen = simple(), []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append((scope["root_path"], scope["path"]))
        await Response("mounted")(scope, receive, send)

    api.mount("/files", app)
    assert ask(api, "PUT", "/files/a/b").body == b"mounted"
    assert ask(api, "GET", "/prod/files/a", root_path="/prod").body == b"mounted"
    assert seen == [("/files", "/files/a/b"), ("/prod/files", "/prod/files/a")]
    assert [(line["path"], line["route"]) for line in api.lines] == [("/files/a/b", None), ("/files/a", None)]


def test_what_is_added_later_is_served() -> None:
    api = simple()
    assert ask(api, "GET", "/later").status == 404

    @api.get("/later")
    async def later() -> str:
        return "now"

    assert ask(api, "GET", "/later").body == b"now"


# The id


@pytest.mark.parametrize("given", ["a b", "a\r\nset-cookie: a=b", "\x00", "é", "a" * 129, ""])
def test_an_id_that_is_none_is_not_taken(given: str) -> None:
    api = simple()
    identity = ask(api, "GET", "/items/7", {"x-request-id": given}).headers["x-request-id"]
    assert identity == api.line["id"] != given
    assert len(identity) == 32


def test_the_id_is_lambdas_and_the_request_has_it() -> None:
    api = Logged()

    @api.get("/")
    async def read(request: Request, context: Context) -> list[object]:
        return [request.id, context.aws_request_id, log().id]

    answer = ask(api, "GET", "/", **invoked(request_id="lambdas"))
    assert answer.json == ["lambdas"] * 3
    assert (api.line["id"], answer.headers["x-request-id"]) == ("lambdas", "lambdas")
    assert 0 < api.line["remaining_time"] <= 30_000


def test_a_response_may_have_an_id_of_its_own() -> None:
    api = Logged()

    @api.get("/")
    async def read() -> Response:
        return Response("", headers={"X-Request-Id": "own"})

    answer = ask(api, "GET", "/")
    assert [value for name, value in answer.fields if name == "x-request-id"] == ["own"]


def test_a_message_that_an_application_sends_again_and_again_stays_as_it_is() -> None:
    start = {"type": "http.response.start", "status": 200, "headers": [(b"a", b"b")]}

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(start)
        await send({"type": "http.response.body", "body": b""})

    api = Logged()
    api.mount("/", app)
    ids = {ask(api, "GET", "/").headers["x-request-id"] for _ in range(3)}
    assert len(ids) == 3
    assert start["headers"] == [(b"a", b"b")]


# Order


def test_the_function_its_response_background_tasks_and_exits_in_this_order() -> None:
    said: list[str] = []
    api = Logged()

    async def outer() -> AsyncIterator[str]:
        said.append("outer")
        yield "o"
        said.append("outer exits")

    def inner(outer: Annotated[str, Depends(outer)]) -> Iterator[str]:
        said.append("inner")
        yield outer + "i"
        said.append("inner exits")

    @api.get("/")
    async def read(tasks: BackgroundTasks, value: Annotated[str, Depends(inner)]) -> Response:
        tasks.add_task(said.append, "task")
        said.append(value)

        async def after() -> None:
            said.append("of the response")

        return Response("", background=after)

    async def main() -> None:
        line = Line(b"")

        async def send(message: Message) -> None:
            said.append(message["type"])

        await api(scope_of("GET", "/"), line.receive, send)

    run(main())
    assert said == [
        *("outer", "inner", "oi", "http.response.start", "http.response.body", "of the response", "task"),
        *("inner exits", "outer exits"),
    ]


def test_a_function_that_raises_has_its_dependencies_end_before_the_answer_and_no_task_done() -> None:
    said: list[object] = []
    api = Logged()

    async def transaction() -> AsyncIterator[None]:
        try:
            yield
        except HTTPException as error:
            said.append(f"rolled back: {error.status_code}")
            raise

    @api.get("/", dependencies=[Depends(transaction)])
    async def read(tasks: BackgroundTasks) -> None:
        tasks.add_task(said.append, "a mail that is not to be sent")
        raise HTTPException(409, "taken")

    async def main() -> None:
        line = Line(b"")

        async def send(message: Message) -> None:
            said.append(message["type"])

        await api(scope_of("GET", "/"), line.receive, send)

    run(main())
    assert said == ["rolled back: 409", "http.response.start", "http.response.body"]


def test_a_dependency_may_turn_what_was_raised_into_an_answer() -> None:
    api = Logged()

    async def guarded() -> AsyncIterator[None]:
        try:
            yield
        except KeyError as error:
            raise HTTPException(404, "no such key") from error

    @api.get("/", dependencies=[Depends(guarded)])
    async def read() -> None:
        raise KeyError("a")

    answer = ask(api, "GET", "/")
    assert (answer.status, answer.json) == (404, {"detail": "no such key"})


def test_dependencies_end_when_the_request_is_cancelled() -> None:
    said: list[str] = []
    waits = asyncio.Event()
    api = Logged()

    async def transaction() -> AsyncIterator[None]:
        try:
            yield
        except asyncio.CancelledError:
            said.append("rolled back")
            raise

    @api.get("/", dependencies=[Depends(transaction)])
    async def read() -> None:
        said.append("waits")
        waits.set()
        await asyncio.Event().wait()

    async def main() -> None:
        task = asyncio.create_task(asking(api, "GET", "/"))
        await waits.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert said == ["waits", "rolled back"]

    run(main())
    line = api.line
    assert (line["status_code"], line["level"]) == (504, "error")
    assert line["error_detail"] == "The request was cancelled before it was answered."


@pytest.mark.parametrize("path", ["/silent", "/ignored"])
def test_a_request_that_is_cancelled_is_told_where_others_are_not(path: str) -> None:
    waits = asyncio.Event()
    written: list[str] = []
    api = Api(log=AccessLog(ignore=["/ignored"], write=written.append))

    @api.get(path, log=path == "/ignored")
    async def read() -> None:
        waits.set()
        await asyncio.Event().wait()

    async def main() -> None:
        task = asyncio.create_task(asking(api, "GET", path))
        await waits.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(main())
    (line,) = map(json.loads, written)
    assert (line["path"], line["status_code"], line["level"]) == (path, 504, "error")


def test_a_stream_that_is_cancelled_half_way_is_told_as_that() -> None:
    said: list[str] = []
    waits = asyncio.Event()
    api = Logged()

    @api.get("/")
    async def read() -> AsyncIterator[str]:
        try:
            yield "a"
            said.append("waits")
            waits.set()
            await asyncio.Event().wait()
        finally:
            said.append("closed")

    async def main() -> None:
        task = asyncio.create_task(asking(api, "GET", "/"))
        await waits.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(main())
    assert said == ["waits", "closed"]
    assert (api.line["status_code"], api.line["level"]) == (200, "error")
    assert api.line["error_detail"] == (
        "The request was cancelled before all of it was done: its response, or what comes after that."
    )


# What is raised


def test_by_default_what_nobody_handles_is_raised_and_logged() -> None:
    api = Logged()

    @api.get("/")
    async def read() -> None:
        raise ValueError("the secret of the database")

    with pytest.raises(ValueError, match="secret"):
        ask(api, "GET", "/")
    line = api.line
    assert (line["status_code"], line["level"], line["route"]) == (500, "critical", "/")
    assert line["exception"] == {"type": "ValueError", "message": "the secret of the database"}
    assert line["traceback"].endswith("ValueError: the secret of the database\n")
    assert "in read" in line["traceback"]


def test_told_to_respond_it_answers_500_and_logs_the_same() -> None:
    api = Logged(errors="respond")

    @api.get("/")
    async def read() -> None:
        raise ValueError("the secret of the database")

    answer = ask(api, "GET", "/")
    assert (answer.status, answer.json) == (500, INTERNAL)
    assert (api.line["status_code"], api.line["level"]) == (500, "critical")
    assert api.line["id"] == answer.headers["x-request-id"]
    assert "traceback" in api.line


@pytest.mark.parametrize("errors", ["raise", "respond"])
def test_an_http_exception_is_an_answer_and_no_failure(errors: str) -> None:
    api = Logged(errors=errors)

    @api.get("/")
    async def read() -> None:
        raise HTTPException(503, {"retry": True}, {"Retry-After": "5"}, error_detail="The stock is being counted.")

    answer = ask(api, "GET", "/")
    assert (answer.status, answer.json, answer.headers["retry-after"]) == (503, {"detail": {"retry": True}}, "5")
    line = api.line
    assert (line["status_code"], line["level"]) == (503, "error")
    assert line["error_detail"] == "The stock is being counted."
    assert "traceback" not in line


def test_an_http_exception_with_a_header_that_would_be_two_is_a_failure() -> None:
    api = Logged(errors="respond")

    @api.get("/")
    async def read() -> None:
        raise HTTPException(400, headers={"a": "b\r\nset-cookie: c=d"})

    answer = ask(api, "GET", "/")
    assert (answer.status, answer.json) == (500, INTERNAL)
    assert "set-cookie" not in answer.headers


class Stock(Exception): ...


def test_an_exception_handler_answers_with_what_a_route_may_return() -> None:
    api = Logged()

    @api.exception_handler(Stock)
    async def taken(request: Request, error: Stock) -> Any:
        return {"a": JSONResponse({"why": str(error)}, 409), "b": {"why": str(error)}, "c": None}[str(error)]

    @api.exception_handler(404)
    def nothing(request: Request, error: HTTPException) -> dict[str, str]:
        return {"lost": request.path}

    @api.post("/{why}", status_code=201)
    async def read(why: str) -> list[int]:
        raise Stock(why)

    assert (ask(api, "POST", "/a").status, ask(api, "POST", "/a").json) == (409, {"why": "a"})
    answer = ask(api, "POST", "/b")
    assert (answer.status, answer.json) == (500, {"why": "b"}), "neither the route's status nor its model"
    answer = ask(api, "POST", "/c")
    assert (answer.status, answer.body) == (500, b"")
    answer = ask(api, "GET", "/x/y")
    assert (answer.status, answer.json) == (404, {"lost": "/x/y"})


def test_an_exception_handler_that_fails_fails_the_request() -> None:
    api = Logged()

    @api.exception_handler(Stock)
    async def broken(request: Request, error: Stock) -> None:
        raise ValueError("of the handler")

    @api.get("/")
    async def read() -> None:
        raise Stock("first")

    with pytest.raises(ValueError, match="of the handler") as caught:
        ask(api, "GET", "/")
    assert isinstance(caught.value.__context__, Stock)
    assert "Stock: first" in api.line["traceback"]


def test_the_fields_of_a_failed_function_are_not_on_the_answer_to_its_error() -> None:
    api = Logged()

    @api.get("/")
    async def read(response: Response) -> None:
        response.set_cookie("session", "secret")
        response.status_code = 201
        raise HTTPException(403)

    answer = ask(api, "GET", "/")
    assert (answer.status, "set-cookie" in answer.headers) == (403, False)


@pytest.mark.parametrize("errors", ["raise", "respond"])
def test_what_an_exit_raises_after_the_response_is_a_failure_that_nobody_can_answer(errors: str) -> None:
    api = Logged(errors=errors)

    async def closing() -> AsyncIterator[None]:
        yield
        raise ValueError("cannot commit")

    @api.get("/", dependencies=[Depends(closing)])
    async def read() -> str:
        return "done"

    line = Line(b"")
    with pytest.raises(ValueError, match="cannot commit"):
        run(_called(api, line))
    assert (line.answer.status, line.answer.body) == (200, b"done")
    assert (api.line["status_code"], api.line["level"]) == (200, "critical")


def test_what_an_exit_raises_after_an_error_is_what_failed() -> None:
    api = Logged(errors="respond")

    async def closing() -> AsyncIterator[None]:
        try:
            yield
        finally:
            raise ValueError("cannot roll back")

    @api.get("/", dependencies=[Depends(closing)])
    async def read() -> None:
        raise HTTPException(409)

    assert ask(api, "GET", "/").json == INTERNAL
    assert api.line["exception"]["message"] == "cannot roll back"


def test_a_background_task_that_fails_is_logged_and_dependencies_are_told() -> None:
    said: list[str] = []
    api = Logged()

    async def told() -> AsyncIterator[None]:
        try:
            yield
        except ValueError as error:
            said.append(str(error))
            raise

    @api.get("/", dependencies=[Depends(told)])
    async def read(tasks: BackgroundTasks) -> str:
        def fail() -> None:
            raise ValueError("no mail")

        tasks.add_task(fail)
        tasks.add_task(said.append, "another")
        return "done"

    line = Line(b"")
    with pytest.raises(ValueError, match="no mail"):
        run(_called(api, line))
    assert line.answer.body == b"done"
    assert said == ["another", "no mail"]
    assert (api.line["status_code"], api.line["level"]) == (200, "critical")


async def _called(api: ASGIApp, line: Line) -> None:
    await api(scope_of("GET", "/"), line.receive, line.send)


# Streams


def test_a_stream_that_fails_before_its_first_item_is_answered_as_an_error() -> None:
    said: list[str] = []
    api = Logged()

    async def session() -> AsyncIterator[None]:
        try:
            yield
        except HTTPException:
            said.append("told")
            raise

    @api.get("/", dependencies=[Depends(session)])
    async def read() -> AsyncIterator[str]:
        raise HTTPException(404, "nothing to stream")
        yield "never"

    answer = ask(api, "GET", "/")
    assert (answer.status, answer.json) == (404, {"detail": "nothing to stream"})
    assert said == ["told"]


@pytest.mark.parametrize("errors", ["raise", "respond"])
def test_a_stream_that_fails_later_is_cut_and_logged(errors: str) -> None:
    api = Logged(errors=errors)

    @api.get("/")
    async def read() -> AsyncIterator[str]:
        yield "a"
        raise HTTPException(404, "too late")

    line = Line(b"")
    with pytest.raises(HTTPException):
        run(_called(api, line))
    assert [each.get("more_body") for each in line.sent] == [None, True], "it has no end: the client sees that"
    assert (api.line["status_code"], api.line["level"]) == (200, "critical")


def test_a_stream_uses_its_dependencies_until_its_end() -> None:
    api = Logged()
    opened: list[bool] = []

    async def file() -> AsyncIterator[list[bool]]:
        opened.append(True)
        yield opened
        opened.clear()

    @api.get("/")
    async def read(file: Annotated[list[bool], Depends(file)]) -> AsyncIterator[str]:
        for _ in range(3):
            await asyncio.sleep(0)
            yield str(file)

    assert ask(api, "GET", "/").pieces[:3] == [b"[True]"] * 3
    assert opened == []


@pytest.mark.parametrize("kind", ["any", "items", "events"])
def test_a_client_that_goes_before_the_first_item_is_no_failure_of_ours(kind: str) -> None:
    waits, api = asyncio.Event(), Logged()

    @api.get("/")
    async def read() -> Any:
        async def items() -> AsyncIterator[Any]:
            waits.set()
            await asyncio.Event().wait()
            yield "never"

        return items() if kind == "any" else (StreamingResponse if kind == "items" else EventSourceResponse)(items())

    async def main() -> list[Message]:
        line = Line(b"")
        task = asyncio.create_task(_called(api, line))
        await waits.wait()
        line.gone.set()
        await task
        return line.sent

    assert run(main()) == []
    assert (api.line["status_code"], api.line["level"]) == (499, "info")
    assert "The client went away" in api.line["error_detail"]


@pytest.mark.parametrize(("after", "status"), [(0, 499), (1, 200)])
@pytest.mark.parametrize("path", ["/json", "/stream", "/mounted"])
@pytest.mark.parametrize("errors", ["raise", "respond"])
def test_a_client_that_has_gone_when_the_response_is_sent_is_none_either(
    path: str, after: int, status: int, errors: str
) -> None:
    done: list[str] = []
    api = Logged(errors=errors)

    async def session() -> AsyncIterator[None]:
        yield
        done.append("exits")

    @api.get("/json", dependencies=[Depends(session)])
    async def read(tasks: BackgroundTasks) -> dict[str, int]:
        tasks.add_task(done.append, "task")
        return {}

    @api.get("/stream", dependencies=[Depends(session)])
    async def stream(tasks: BackgroundTasks) -> AsyncIterator[str]:
        tasks.add_task(done.append, "task")
        yield "a"

    async def mounted(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"a"})

    api.mount("/mounted", mounted)

    async def main() -> None:
        line = Line(b"")

        async def send(message: Message) -> None:
            if len(line.sent) == after:
                raise BrokenPipeError
            await line.send(message)

        await api(scope_of("GET", path, asgi={"version": "3.0", "spec_version": "2.4"}), line.receive, send)

    run(main())
    assert done == ([] if path == "/mounted" else ["task", "exits"])
    assert (api.line["status_code"], api.line["level"]) == (status, "info")
    assert "The client went away" in api.line["error_detail"]
    assert "exception" not in api.line


@pytest.mark.parametrize("errors", ["raise", "respond"])
def test_what_fails_when_the_client_has_gone_is_no_less_a_failure(errors: str) -> None:
    api = Logged(errors=errors)

    def fails() -> None:
        raise KeyError("lamp")

    @api.get("/")
    async def read(tasks: BackgroundTasks) -> dict[str, int]:
        tasks.add_task(fails)
        return {}

    @api.get("/route")
    async def route() -> None:
        fails()

    async def send(message: Message) -> None:
        raise BrokenPipeError

    for path in ("/", "/route") if errors == "respond" else ("/",):
        with contextlib.suppress(KeyError):
            run(api(scope_of("GET", path), Line(b"").receive, send))
        assert (api.lines[-1]["status_code"], api.lines[-1]["level"]) == (499, "critical")
        assert api.lines[-1]["exception"]["type"] == "KeyError"


@pytest.mark.parametrize("kind", ["items", "events"])
def test_a_client_that_goes_ends_the_stream_and_its_dependencies(kind: str) -> None:
    said: list[str] = []
    waits = asyncio.Event()
    api = Logged()

    async def session() -> AsyncIterator[None]:
        yield
        said.append("exits")

    @api.get("/", dependencies=[Depends(session)])
    async def read() -> Response:
        async def items() -> AsyncIterator[Any]:
            try:
                yield b"data: 1\n\n" if kind == "items" else {"data": "1"}
                said.append("waits")
                waits.set()
                await asyncio.Event().wait()
            finally:
                said.append("closed")

        return StreamingResponse(items()) if kind == "items" else EventSourceResponse(items())

    async def main() -> None:
        line = Line(b"")
        task = asyncio.create_task(_called(api, line))
        await waits.wait()
        line.gone.set()
        await task

    run(main())
    assert said == ["waits", "closed", "exits"]
    assert (api.line["status_code"], api.line["level"]) == (200, "info")


@pytest.mark.parametrize("error", [None, ValueError("no")], ids=["returns", "raises"])
def test_files_of_a_form_are_open_until_dependencies_and_tasks_have_ended(error: Exception | None) -> None:
    api = Logged(errors="respond")
    said: list[str] = []
    kept: list[UploadFile] = []

    async def uploaded(file: UploadFile) -> AsyncIterator[UploadFile]:
        kept.append(file)
        try:
            yield file
        finally:
            said.append(f"ended with {await file.read()!r}")

    @api.post("/")
    async def keep(file: Annotated[UploadFile, Depends(uploaded)], tasks: BackgroundTasks) -> None:
        tasks.add_task(lambda: said.append(f"{file.file.closed=}"))
        if error is not None:
            raise error

    part = b'--b\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\nx\r\n--b--\r\n'
    ask(api, "POST", "/", {"content-type": "multipart/form-data; boundary=b"}, part)
    assert said == [*(["file.file.closed=False"] if error is None else []), "ended with b'x'"]
    assert kept[0].file.closed


# Time


def waiting(**options: Any) -> tuple[Logged, list[str]]:
    said: list[str] = []
    api = Logged(**options)

    async def session() -> AsyncIterator[None]:
        try:
            yield
        except RouteTimedOut:
            said.append("told")
            raise

    @api.get("/route", timeout=0.01, dependencies=[Depends(session)])
    @api.get("/global", dependencies=[Depends(session)])
    async def read() -> None:
        await asyncio.Event().wait()

    @api.get("/stream", timeout=0.01, dependencies=[Depends(session)])
    async def stream() -> AsyncIterator[str]:
        await asyncio.Event().wait()
        yield "never"

    return api, said


@pytest.mark.parametrize("path", ["/route", "/global", "/stream"])
def test_a_function_that_is_not_done_in_time_is_504_and_logged(path: str) -> None:
    api, said = waiting(timeout=0.01)
    answer = ask(api, "GET", path)
    assert (answer.status, answer.json) == (504, {"detail": "Gateway Timeout"})
    assert (api.line["status_code"], api.line["level"]) == (504, "error")
    assert api.line["error_detail"] == "The route was not done in its 0.010 seconds, and was cancelled."
    assert said == ["told"]


@pytest.mark.parametrize("path", ["/global", "/stream"])
def test_it_is_never_longer_than_the_invocation_has(path: str) -> None:
    api, _ = waiting(timeout=60)
    assert ask(api, "GET", path, **nearly_over()).status == 504
    assert api.line["remaining_time"] == 50


async def passes(patch: pytest.MonkeyPatch, seconds: float) -> None:
    """So much time, at once, with passes of the loop for those who have waited for it."""
    loop = asyncio.get_running_loop()
    clock = loop.time
    patch.setattr(loop, "time", lambda: clock() + seconds)
    for _ in range(3):
        await asyncio.sleep(0)


def test_a_stream_that_has_begun_has_the_time_of_the_invocation(monkeypatch: pytest.MonkeyPatch) -> None:
    api = Logged(timeout=LIMIT / 2)

    @api.get("/")
    async def read() -> AsyncIterator[str]:
        yield "a"
        await passes(monkeypatch, LIMIT * 0.75)
        yield "b"

    assert ask(api, "GET", "/").body == b"ab"


async def waits(scope: Scope, receive: Receive, send: Send) -> None:
    await asyncio.Event().wait()


@pytest.mark.parametrize("path", ["", "/old"])
def test_what_is_mounted_has_the_time_of_the_api(path: str) -> None:
    api = Logged(timeout=0.01)
    api.mount(path, waits)
    answer = ask(api, "GET", "/old/a")
    assert (answer.status, answer.json) == (504, {"detail": "Gateway Timeout"})
    assert (api.line["status_code"], api.line["level"]) == (504, "error")
    assert "0.010 seconds" in api.line["error_detail"]

    @api.exception_handler(504)
    def late(request: Request, error: Exception) -> Response:
        return PlainTextResponse("later", 503)

    assert ask(api, "GET", "/old/a").body == b"later"


def test_what_is_mounted_has_no_more_time_than_the_invocation() -> None:
    api = Logged(timeout=60)
    api.mount("", waits)
    assert ask(api, "GET", "/", **nearly_over()).status == 504


def test_what_is_mounted_and_has_begun_has_the_time_of_the_invocation(monkeypatch: pytest.MonkeyPatch) -> None:
    api = Logged(timeout=LIMIT / 2)

    async def streams(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await passes(monkeypatch, LIMIT * 0.75)
        await send({"type": "http.response.body", "body": b"ab"})

    api.mount("", streams)
    assert ask(api, "GET", "/").body == b"ab"


@pytest.mark.parametrize("errors", ["raise", "respond"])
def test_what_is_mounted_and_raises_is_answered_by_the_handlers(errors: str) -> None:
    api = Logged(errors=errors)

    async def fails(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/old/late":
            await send({"type": "http.response.start", "status": 200, "headers": []})
        raise HTTPException(404, error_detail="Not in stock.") if scope["path"] == "/old/none" else KeyError("lamp")

    api.mount("/old", fails)
    assert (ask(api, "GET", "/old/none").status, api.lines[-1]["error_detail"]) == (404, "Not in stock.")

    @api.exception_handler(KeyError)
    async def sold(request: Request, error: KeyError) -> Response:
        return JSONResponse({"sold": error.args[0], "path": request.path}, 409)

    @api.exception_handler(404)
    def nothing(request: Request, error: HTTPException) -> str:
        return "Nothing."

    answer = ask(api, "GET", "/old/a")
    assert (answer.status, answer.json) == (409, {"sold": "lamp", "path": "/old/a"})
    assert (api.lines[-1]["status_code"], api.lines[-1]["level"]) == (409, "warning")
    answer = ask(api, "GET", "/old/none")
    assert (answer.status, answer.body) == (404, b"Nothing.")
    with pytest.raises(KeyError):
        ask(api, "GET", "/old/late")
    assert api.lines[-1]["level"] == "critical"


@pytest.mark.parametrize("is_read", [True, False])
def test_a_handler_does_not_wait_for_a_body_that_what_is_mounted_has_read(is_read: bool) -> None:
    api = Logged(errors="respond")

    async def fails(scope: Scope, receive: Receive, send: Send) -> None:
        if is_read:
            await receive()
        raise KeyError("lamp")

    api.mount("/old", fails)

    @api.exception_handler(KeyError)
    async def sold(request: Request, error: KeyError) -> Any:
        try:
            return {"body": (await request.body()).decode()}
        except Exception as gone:
            return {"gone": type(gone).__name__}

    answer = ask(api, "POST", "/old", body=b"abc")
    assert answer.json == ({"gone": "ClientDisconnect"} if is_read else {"body": "abc"})


def test_what_fails_is_told_though_its_route_is_not() -> None:
    api = Logged()

    @api.get("/{status}", log=False)
    async def fails(status: int) -> None:
        raise HTTPException(status)

    for status in (404, 500, 504):
        ask(api, "GET", f"/{status}")
    assert [each["status_code"] for each in api.lines] == [500, 504]


def test_a_status_that_is_written_to_the_entry_is_not_taken_for_a_response() -> None:
    api = Logged(errors="respond")

    @api.get("/{name}")
    async def read(name: str) -> str:
        log().status_code = 418
        return {"lamp": "here"}[name]

    assert ask(api, "GET", "/lamp").status == 200
    assert ask(api, "GET", "/table").json == INTERNAL
    assert [each["status_code"] for each in api.lines] == [200, 500]


def test_a_timeout_of_what_is_mounted_is_its_own() -> None:
    api = Logged()

    async def fails(scope: Scope, receive: Receive, send: Send) -> None:
        raise TimeoutError("own")

    api.mount("", fails)
    with pytest.raises(TimeoutError, match="own"):
        ask(api, "GET", "/")
    assert (api.line["status_code"], api.line["level"]) == (500, "critical")


def test_the_setting_is_the_time_of_an_api_that_says_nothing() -> None:
    api, _ = waiting()
    with settings.override(function_timeout=0.01):
        assert ask(api, "GET", "/global").status == 504
    with settings.override(function_timeout=0.02):
        ask(api, "GET", "/global")
    assert "0.010" in api.lines[0]["error_detail"]
    assert "0.020" in api.lines[1]["error_detail"]


def test_a_timeout_has_its_handlers() -> None:
    api, _ = waiting(timeout=0.01)

    @api.exception_handler(TimeoutError)
    def late(request: Request, error: TimeoutError) -> Response:
        return PlainTextResponse("later", 503)

    assert (ask(api, "GET", "/route").status, ask(api, "GET", "/route").body) == (503, b"later")


# Many at once


def test_requests_at_the_same_time_share_nothing() -> None:
    api = Logged()
    barrier = asyncio.Event()
    arrived: list[int] = []

    async def place(number: int) -> AsyncIterator[int]:
        await asyncio.sleep(0)
        yield number

    @api.get("/{number}")
    async def read(number: int, response: Response, same: Annotated[int, Depends(place)]) -> dict[str, object]:
        log()["number"] = number
        response.headers["x-number"] = str(number)
        response.set_cookie("number", str(number))
        arrived.append(number)
        if len(arrived) == 50:
            barrier.set()
        await barrier.wait()
        log()["after"] = same
        return {"number": number, "id": log().id}

    @api.get("/sync/{number}")
    def in_a_thread(number: int) -> dict[str, object]:
        log()["number"] = number
        return {"number": number, "thread": threading.current_thread() is threading.main_thread()}

    async def main() -> None:
        def asked(prefix: str, number: int) -> Awaitable[Any]:
            return asking(api, "GET", f"{prefix}/{number}", {"x-request-id": f"id-{number}"})

        answers = await asyncio.gather(*(asked("", number) for number in range(50)))
        for number, answer in enumerate(answers):
            assert answer.json == {"number": number, "id": f"id-{number}"}
            assert answer.headers["x-number"] == str(number)
            assert [value for name, value in answer.fields if name == "set-cookie"] == [
                f"number={number}; Path=/; SameSite=Lax"
            ]
        threads = await asyncio.gather(*(asked("/sync", number) for number in range(20)))
        assert [each.json for each in threads] == [{"number": number, "thread": False} for number in range(20)]

    run(main())
    for line in api.lines:
        assert line["id"] == f"id-{line['number']}"
        assert line.get("after", line["number"]) == line["number"]
    assert len(api.lines) == 70


# Middleware


Wrap = Callable[[ASGIApp], ASGIApp]


def naming(name: str, said: list[str]) -> Wrap:
    def wrap(app: ASGIApp) -> ASGIApp:
        async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
            said.append(f"{name} {scope['type']}")
            await app(scope, receive, send)

        return wrapped

    return wrap


@pytest.mark.parametrize(
    ("mounted", "path"),
    [
        ("/files", "/files/items/7"),
        ("/files", "/prod/files/items/7"),
        ("/production", "/production/items/7"),
        ("/production", "/prod/production/items/7"),
        ("", "/items/7"),
        ("", "/prod/items/7"),
    ],
)
def test_a_mount_serves_where_the_server_leaves_the_root_out_of_the_path(mounted: str, path: str) -> None:
    inner, outer, outermost = simple(), Logged(), Logged()
    outer.mount(mounted, inner)
    assert ask(outer, "GET", path, root_path="/prod").json == {"item_id": 7, "q": None}
    outermost.mount("", outer)
    assert ask(outermost, "GET", path, root_path="/prod").json == {"item_id": 7, "q": None}
    assert {line["path"] for line in inner.lines} == {"/items/7"}


def test_middleware_is_around_all_of_it_in_order() -> None:
    said: list[str] = []
    api = Logged(middleware=[naming("a", said), naming("b", said)])
    api.add_middleware(naming("c", said))
    api.get("/")(lambda: "here")
    assert ask(api, "GET", "/").body == b"here"
    assert said == ["c http", "a http", "b http"]
    ask(api, "GET", "/nothing")
    assert said[3:] == ["c http", "a http", "b http"]


def test_middleware_is_around_websockets_too() -> None:
    said: list[str] = []
    api = Logged(middleware=[naming("a", said)])

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        said.append(f"mounted {scope['type']}")

    api.mount("/ws", app)

    async def main() -> None:
        line = Line()
        await api({"type": "websocket", "path": "/ws/a", "headers": []}, line.receive, line.send)

    run(main())
    assert said == ["a websocket", "mounted websocket"]


def test_a_websocket_for_which_there_is_nothing_is_refused() -> None:
    async def main() -> list[Message]:
        line = Line()
        line._coming = [{"type": "websocket.connect"}]
        await Logged()({"type": "websocket", "path": "/ws", "headers": []}, line.receive, line.send)
        return line.sent

    (close,) = run(main())
    assert close["type"] == "websocket.close"


def test_middleware_sees_the_application_and_the_request_s_entry() -> None:
    seen: list[object] = []

    def wrap(app: ASGIApp) -> ASGIApp:
        async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
            seen.append(scope["app"])
            log()["tenant"] = "blue"
            await app(scope, receive, send)
            seen.append(log().status_code)

        return wrapped

    api = Logged(middleware=[wrap])
    api.get("/")(lambda: "here")
    ask(api, "GET", "/")
    assert seen == [api, 200]
    assert (api.line["tenant"], api.line["route"]) == ("blue", "/")


@pytest.mark.parametrize("errors", ["raise", "respond"])
def test_what_middleware_raises_is_logged_and_answered_as_of_a_function(errors: str) -> None:
    def wrap(app: ASGIApp) -> ASGIApp:
        async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["path"] == "/http":
                raise HTTPException(401, "who", {"www-authenticate": "Bearer"}, error_detail="No token.")
            raise ValueError("broken")

        return wrapped

    api = Logged(errors=errors, middleware=[wrap])
    with contextlib.ExitStack() as stack:
        if errors == "raise":
            stack.enter_context(pytest.raises(ValueError, match="broken"))
        assert ask(api, "GET", "/").json == INTERNAL
    assert (api.line["status_code"], api.line["level"]) == (500, "critical")
    answer = ask(api, "GET", "/http")
    assert (answer.status, answer.json, answer.headers["www-authenticate"]) == (401, {"detail": "who"}, "Bearer")
    assert (api.lines[1]["level"], api.lines[1]["error_detail"]) == ("warning", "No token.")


def test_starlettes_middleware_works_around_and_inside() -> None:
    from starlette.middleware.base import BaseHTTPMiddleware
    from starlette.middleware.cors import CORSMiddleware
    from starlette.middleware.gzip import GZipMiddleware
    from starlette.middleware.trustedhost import TrustedHostMiddleware
    from starlette.requests import Request as StarletteRequest
    from starlette.responses import Response as StarletteResponse

    async def timed(
        request: StarletteRequest, call_next: Callable[[StarletteRequest], Awaitable[StarletteResponse]]
    ) -> StarletteResponse:
        response = await call_next(request)
        response.headers["x-app"] = type(request.app).__name__
        return response

    api = Logged()
    api.add_middleware(GZipMiddleware, minimum_size=10)
    api.add_middleware(BaseHTTPMiddleware, dispatch=timed)
    api.add_middleware(CORSMiddleware, allow_origins=["https://a.example"])
    api.add_middleware(TrustedHostMiddleware, allowed_hosts=["good.example"])

    @api.post("/")
    async def read(request: Request, name: str) -> dict[str, str]:
        log()["name"] = name
        return {"name": name * 100}

    @api.get("/stream")
    async def stream() -> AsyncIterator[str]:
        for _ in range(3):
            yield "x" * 10

    headers = {"host": "good.example", "origin": "https://a.example", "accept-encoding": "gzip", **JSON}
    around = BaseHTTPMiddleware(api, dispatch=timed)
    for app in (api, around):
        answer = ask(app, "POST", "/", headers, b'{"name": "lamp"}')
        assert answer.status == 200
        assert answer.headers["access-control-allow-origin"] == "https://a.example"
        assert (answer.headers["content-encoding"], answer.headers["x-app"]) == ("gzip", "Logged")
        assert answer.headers["x-request-id"] == api.lines[-1]["id"]
        assert (api.lines[-1]["name"], api.lines[-1]["route"]) == ("lamp", "/")
        assert ask(app, "GET", "/stream", {"host": "good.example"}).body == b"x" * 30
    assert ask(api, "POST", "/", {**headers, "host": "bad.example"}, b"{}").status == 400


def test_asgiref_s_way_of_middleware_works() -> None:
    """Synchronous code in the middle, as asgiref adapts it: it runs in another thread, with the context."""
    from asgiref.sync import sync_to_async

    def wrap(app: ASGIApp) -> ASGIApp:
        def note() -> None:
            log()["noted"] = threading.current_thread() is not threading.main_thread()

        async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
            await sync_to_async(note, thread_sensitive=False)()
            await app(scope, receive, send)

        return wrapped

    api = Logged(middleware=[wrap])
    api.get("/")(lambda: "here")
    assert ask(api, "GET", "/").body == b"here"
    assert api.line["noted"] is True


# Others inside


def test_starlette_and_fastapi_applications_are_mounted() -> None:
    import fastapi
    from starlette.applications import Starlette
    from starlette.requests import Request as StarletteRequest
    from starlette.responses import PlainTextResponse as StarlettePlainTextResponse
    from starlette.routing import Route

    async def home(request: StarletteRequest) -> StarlettePlainTextResponse:
        return StarlettePlainTextResponse(f"{request.scope['root_path']} {request.url_for('home')}")

    fast = fastapi.FastAPI()

    @fast.get("/items/{item_id}")
    async def item(item_id: int) -> dict[str, int]:
        return {"item_id": item_id}

    api = simple()
    api.mount("/old", Starlette(routes=[Route("/home", home)]))
    api.mount("/fast", fast)

    assert ask(api, "GET", "/old/home", {"host": "a.example"}).body == b"/old http://a.example/old/home"
    staged = ask(api, "GET", "/prod/old/home", {"host": "a.example"}, root_path="/prod")
    assert staged.body == b"/prod/old http://a.example/prod/old/home"
    assert ask(api, "GET", "/fast/items/7").json == {"item_id": 7}
    assert ask(api, "GET", "/fast/items/x").status == 422
    assert ask(api, "GET", "/fast/openapi.json").json["servers"] == [{"url": "/fast"}]
    assert ask(api, "GET", "/items/7").json == {"item_id": 7, "q": None}


def test_an_api_in_an_api_has_one_id() -> None:
    inner, outer = simple(), Logged()
    outer.mount("/v1", inner)
    answer = ask(outer, "GET", "/v1/items/7")
    assert answer.json == {"item_id": 7, "q": None}
    assert inner.line["id"] == outer.line["id"] == answer.headers["x-request-id"]
    assert (inner.line["path"], outer.line["path"]) == ("/items/7", "/v1/items/7")
    assert ask(outer, "GET", "/v1/nothing").json == {"detail": "Not Found"}
    assert ask(outer, "GET", "/v1/items/7/?a=b").headers["location"] == "/v1/items/7?a=b"


def test_a_stage_is_no_part_of_the_path() -> None:
    api = simple()
    assert ask(api, "GET", "/prod/items/7", root_path="/prod").json == {"item_id": 7, "q": None}
    assert ask(api, "GET", "/prod/items/7/", root_path="/prod").headers["location"] == "/prod/items/7"
    assert [line["path"] for line in api.lines] == ["/items/7", "/items/7/"]


def test_routers_with_prefixes_and_dependencies() -> None:
    def token(request: Request) -> None:
        if request.headers.get("authorization") != "Bearer a":
            raise HTTPException(401)

    router = Router("/admin", dependencies=[Depends(token)])
    router.get("/users/{name}")(lambda name: f"user {name}")
    api = Logged()
    api.include(router, prefix="/v2")
    assert ask(api, "GET", "/v2/admin/users/eve").status == 401
    assert ask(api, "GET", "/v2/admin/users/eve", {"authorization": "Bearer a"}).body == b"user eve"


def test_dependencies_are_overridden_for_tests() -> None:
    def database() -> str:
        return "real"

    api = Logged()

    @api.get("/")
    async def read(database: Annotated[str, Depends(database)]) -> str:
        return database

    api.dependency_overrides[database] = lambda: "fake"
    assert ask(api, "GET", "/").body == b"fake"
    api.dependency_overrides.clear()
    assert ask(api, "GET", "/").body == b"real"


@pytest.mark.parametrize("item", [b"a", "a", {"a": 1}, ServerSentEvent("a")])
def test_a_generator_may_say_of_its_response_what_it_likes_before_its_first_item(item: object) -> None:
    api = Logged()

    def dependency(response: Response) -> None:
        response.headers["x-before"] = "1"
        response.headers["x-both"] = "1"

    @api.get("/", dependencies=[Depends(dependency)])
    async def read(response: Response) -> AsyncIterator[Any]:
        response.headers["x-both"] = "2"
        response.set_cookie("seen", "1")
        response.status_code = 206
        yield item
        response.headers["x-late"] = "3"

    answer = ask(api, "GET", "/")
    assert answer.status == api.line["status_code"] == 206
    assert (answer.headers["x-before"], answer.headers["x-both"]) == ("1", "2")
    assert answer.headers["set-cookie"].startswith("seen=1")
    assert [name for name, _ in answer.fields].count("x-both") == 1
    assert "x-late" not in answer.headers


def test_the_state_of_one_request_is_not_another_s() -> None:
    from lambent import Lambent
    from lambent.testing import Client

    api = Logged()

    @api.get("/")
    async def read(request: Request) -> bool:
        seen = hasattr(request.state, "mine")
        request.state.mine = True
        return seen

    with Client(Lambent(api)) as client:
        assert [client.get("/").json() for _ in range(3)] == [False] * 3
