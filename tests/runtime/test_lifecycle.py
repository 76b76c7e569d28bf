"""The whole life of `python -m lambent.runtime`, as a process of its own."""

import asyncio
import json
import re
import signal
import socket
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from lambent.runner import Runner
from lambent.runtime.function import Function
from lambent.runtime.lifecycle import _on_sigterm, _shutdown, event_loop
from tests.integration.newcomer import free_port
from tests.support.processes import Ended, Process, environment, runtime
from tests.support.runtime_api import BASE, HANG_UP, Answer, RuntimeAPI, Step, answer, invocation

HEAD = {
    "version": "2.0",
    "routeKey": "$default",
    "rawQueryString": "",
    "headers": {"host": "x.lambda-url.eu-west-1.on.aws"},
    "isBase64Encoded": False,
}


def function_url(path: str) -> Answer:
    """The invocation that a GET through a Function URL is."""
    http = {"method": "GET", "path": path, "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1", "userAgent": "t"}
    context = {"http": http, "domainName": "x.lambda-url.eu-west-1.on.aws", "stage": "$default"}
    return invocation(json.dumps({**HEAD, "rawPath": path, "requestContext": context}).encode())


FUNCTION = """
def handler(event, context):
    return [event, context.function_name, context.aws_request_id]
"""

GONE = """
import os, tempfile
with tempfile.TemporaryDirectory() as folder:
    os.chdir(folder)
"""

EVENTS = """
from decimal import Decimal
from lambent import Events, Lambent

async def app(scope, receive, send): ...

events = Events()
handler = {}

@events.invoke()
async def double(event):
    return [event * 2, Decimal("1.50"), b"text", float("nan")]
"""

# Each line that it prints says where in its life it is.
APP = """
from lambent import Lambent

requests = 0

async def app(scope, receive, send):
    global requests
    if scope["type"] == "lifespan":
        await lifespan(receive, send)
        return
    requests += 1
    body = b"%s %d" % (scope["path"].encode(), requests)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": body})

async def lifespan(receive, send):
    print((await receive())["type"], flush=True)
    await send({"type": "lifespan.startup.complete"})
    print((await receive())["type"], flush=True)
    await send({"type": "lifespan.shutdown.complete"})

handler = Lambent(app)
"""


def write(directory: Path, source: str) -> Path:
    (directory / "app.py").write_text(source, "utf-8")
    return directory


def lived(
    directory: Path, source: str, *steps: Step, target: str = "app.handler", **variables: str
) -> tuple[RuntimeAPI, Ended]:
    """Run a runtime for `source` through the script, end it with SIGTERM when it is idle, or wait for its own end."""
    with RuntimeAPI(*steps) as api, runtime(write(directory, source), api.address, target, **variables) as process:
        api.wait_until_idle()
        return api, process.stop()


def died(
    directory: Path, source: str, *steps: Step, target: str = "app.handler", **script: Any
) -> tuple[RuntimeAPI, Ended]:
    """The same for a runtime that ends by itself."""
    with RuntimeAPI(*steps, **script) as api, runtime(write(directory, source), api.address, target) as process:
        return api, process.wait()


def told(ended: Ended) -> str:
    """What was logged, without what each record begins with: its level, time and request."""
    return re.sub(r"^\[[A-Z]+\]\t\S+Z\t\S*\t", "", ended.stdout, flags=re.MULTILINE)


# Targets


def test_a_function_lives_from_next_to_sigterm(tmp_path: Path) -> None:
    steps = [invocation(b"1"), invocation(b"2", request_id="id-2")]
    api, ended = lived(tmp_path, FUNCTION, *steps, AWS_LAMBDA_FUNCTION_NAME="hello")

    assert [call.json for call in api.posts] == [[1, "hello", "id-1"], [2, "hello", "id-2"]]
    assert ended == (0, "", "")


@pytest.mark.parametrize("handler", ["events", "Lambent(app, lifespan='off', events=events)"])
def test_functions_for_events_get_and_reply_exact_numbers(tmp_path: Path, handler: str) -> None:
    api, _ = lived(tmp_path, EVENTS.format(handler), invocation(b"%d" % 10**30))
    assert api.posts[0].body == b'[%d, 1.50, "text", NaN]' % (2 * 10**30)


@pytest.mark.parametrize("target", ["app:app", "app.app", "app:handler", "app.handler"])
def test_an_application_lives_from_startup_to_shutdown(tmp_path: Path, target: str) -> None:
    api, ended = lived(tmp_path, APP, function_url("/a"), function_url("/b"), target=target)

    assert [call.json["body"] for call in api.posts] == ["/a 1", "/b 2"]
    assert ended == (0, "lifespan.startup\nlifespan.shutdown\n", "")


def test_a_module_may_lie_in_a_folder(tmp_path: Path) -> None:
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "module.py").write_text(FUNCTION, "utf-8")
    api, ended = lived(tmp_path, "", invocation(), target="package/module.handler")

    assert len(api.posts) == 1
    assert ended.status == 0


def test_the_handler_may_be_named_in_the_environment(tmp_path: Path) -> None:
    write(tmp_path, FUNCTION)
    with RuntimeAPI(invocation()) as api, runtime(tmp_path, api.address, _HANDLER="app.handler") as process:
        api.wait_until_idle()
        assert process.stop() == (0, "", "")
    assert api.posts[0].path == f"{BASE}/invocation/id-1/response"


def test_an_argument_goes_before_the_environment(tmp_path: Path) -> None:
    api, ended = lived(tmp_path, FUNCTION, invocation(), _HANDLER="other.handler")
    assert (len(api.posts), ended.status) == (1, 0)


def test_the_runtime_api_may_have_a_scheme_and_a_path(tmp_path: Path) -> None:
    write(tmp_path, FUNCTION)
    with RuntimeAPI(invocation()) as api, runtime(tmp_path, f"http://{api.address}/.rt", "app.handler") as process:
        api.wait_until_idle()
        assert process.stop().status == 0
    assert {call.path for call in api.calls} == {
        f"/.rt{BASE}/invocation/next",
        f"/.rt{BASE}/invocation/id-1/response",
    }


# Init


def test_startup_comes_before_the_first_next(tmp_path: Path) -> None:
    write(tmp_path, APP)
    ready = []

    def first() -> Answer:
        ready.append(process.readline())
        return function_url("/a")

    with RuntimeAPI(first) as api, runtime(tmp_path, api.address, "app.app") as process:
        api.wait_until_idle()
        assert process.stop().stdout == "lifespan.shutdown\n"
    assert ready == ["lifespan.startup\n"]


BAD_TARGETS = {
    "Runtime.ImportModuleError": ("nowhere.handler", "Unable to import module 'nowhere': No module named 'nowhere'"),
    "Runtime.HandlerNotFound": ("app.missing", "Handler 'missing' missing on module 'app'"),
    "Runtime.MalformedHandlerName": ("app", "Bad handler 'app': expected MODULE:OBJECT"),
    "Runtime.UserCodeSyntaxError": ("broken.handler", "Syntax error in module 'broken':   File "),
    "Runtime.BuiltInModuleConflict": ("sys.exit", "Cannot use built-in module sys as a handler module"),
}


@pytest.mark.parametrize("error_type", BAD_TARGETS)
def test_a_bad_handler_name_is_an_init_error(tmp_path: Path, error_type: str) -> None:
    target, message = BAD_TARGETS[error_type]
    (tmp_path / "broken.py").write_text("def handler(:", "utf-8")
    api, ended = died(tmp_path, FUNCTION, target=target)

    (call,) = api.calls
    assert (call.method, call.path) == ("POST", f"{BASE}/init/error")
    assert call.headers["lambda-runtime-function-error-type"] == error_type
    assert call.json["errorType"] == error_type
    assert call.json["errorMessage"].startswith(message)
    assert call.json["requestId"] == ""
    assert (ended.status, ended.stderr) == (1, "")
    assert told(ended).startswith(f"Init of '{target}' failed.\n")
    assert "lambent" not in told(ended).replace("lambent.errors.TargetError", "")


def test_an_exception_at_import_shows_the_user_s_frames_only(tmp_path: Path) -> None:
    (tmp_path / "inner.py").write_text("def fail():\n    raise KeyError('a')\nfail()\n", "utf-8")
    api, ended = died(tmp_path, "import inner\n")

    (call,) = api.calls
    error = call.json
    assert call.path == f"{BASE}/init/error"
    assert call.headers["lambda-runtime-function-error-type"] == "Function.KeyError"
    assert (error["errorType"], error["errorMessage"]) == ("KeyError", "'a'")
    assert [frame.split("\n")[0] for frame in error["stackTrace"]] == [
        f'  File "{tmp_path}/app.py", line 1, in <module>',
        f'  File "{tmp_path}/inner.py", line 3, in <module>',
        f'  File "{tmp_path}/inner.py", line 2, in fail',
    ]
    assert json.loads(call.headers["lambda-runtime-function-xray-error-cause"])["working_directory"] == str(tmp_path)
    assert ended.status == 1
    lines = told(ended).splitlines()
    assert lines[:3] == [
        "Init of 'app.handler' failed.",
        "Traceback (most recent call last):",
        f'  File "{tmp_path}/app.py", line 1, in <module>',
    ]
    assert lines[-1] == "KeyError: 'a'"
    assert "lambent" not in told(ended)


def test_a_module_that_removes_its_folder_is_told_of_all_the_same(tmp_path: Path) -> None:
    api, ended = died(tmp_path, GONE + "raise KeyError('a')")

    assert [(call.path, call.json["errorType"]) for call in api.calls] == [(f"{BASE}/init/error", "KeyError")]
    assert ended.status == 1


def test_a_module_that_misses_another_shows_where_it_asks_for_it(tmp_path: Path) -> None:
    (tmp_path / "inner.py").write_text("import nowhere\n", "utf-8")
    api, ended = died(tmp_path, "import inner\n")

    assert api.posts[0].json["errorType"] == "Runtime.ImportModuleError"
    assert [frame.split("\n")[0] for frame in api.posts[0].json["stackTrace"]] == [
        f'  File "{tmp_path}/app.py", line 1, in <module>',
        f'  File "{tmp_path}/inner.py", line 1, in <module>',
    ]
    assert told(ended).endswith("ModuleNotFoundError: No module named 'nowhere'\n")


def test_a_module_that_exits_takes_the_process_along(tmp_path: Path) -> None:
    api, ended = died(tmp_path, "import sys; sys.exit(4)")
    assert (api.calls, ended.status) == ([], 4)


RAISING = """
from lambent import Lambent

async def app(scope, receive, send):
    assert scope["type"] == "lifespan"
    await receive()
    %s

on = Lambent(app, lifespan="on")
auto = Lambent(app)
"""


@pytest.mark.parametrize(
    ("source", "target", "error_type", "message"),
    [
        ("raise ConnectionError('no database')", "app.on", "ConnectionError", "no database"),
        ("raise SystemError('no database')", "app:on", "SystemError", "no database"),
        (
            "await send({'type': 'lifespan.startup.failed', 'message': 'no database'})",
            "app.auto",
            "LifespanFailed",
            "no database",
        ),
        (
            "await send({'type': 'lifespan.startup.failed'}); raise ConnectionError('no database')",
            "app:app",
            "ConnectionError",
            "no database",
        ),
    ],
)
def test_a_startup_that_fails_is_an_init_error(
    tmp_path: Path, source: str, target: str, error_type: str, message: str
) -> None:
    api, ended = died(tmp_path, RAISING % source, target=target)

    (call,) = api.calls
    assert call.path == f"{BASE}/init/error"
    assert (call.json["errorType"], call.json["errorMessage"]) == (error_type, message)
    assert call.headers["lambda-runtime-function-error-type"] == f"Function.{error_type}"
    assert all(f'"{tmp_path}/app.py"' in frame for frame in call.json["stackTrace"])
    assert len(call.json["stackTrace"]) == (0 if error_type == "LifespanFailed" else 1)
    assert ended.status == 1
    assert f"Init of '{target}' failed." in told(ended)
    assert message in told(ended)


def test_an_application_without_a_lifespan_is_served(tmp_path: Path) -> None:
    source = APP.replace("await lifespan(receive, send)", "raise TypeError('lifespan')")
    api, ended = lived(tmp_path, source, function_url("/a"))
    assert (api.posts[0].json["body"], ended) == ("/a 1", (0, "", ""))


def test_without_a_runtime_api_lambent_dev_is_named(tmp_path: Path) -> None:
    write(tmp_path, FUNCTION)
    for variables in ({}, {"AWS_LAMBDA_RUNTIME_API": ""}):
        with Process([sys.executable, "-m", "lambent.runtime", "app.handler"], tmp_path, variables) as process:
            ended = process.wait()

        assert (ended.status, ended.stdout) == (1, "")
        assert ended.stderr == (
            "Expected AWS_LAMBDA_RUNTIME_API, which Lambda sets in its environments, but it is not set. "
            "To run this handler on your own machine: lambent dev TARGET. To serve it over HTTP, set PORT.\n"
        )


@pytest.mark.parametrize(
    ("address", "arguments", "variables", "words"),
    [
        ("nowhere", ["app.handler"], {}, "Expected AWS_LAMBDA_RUNTIME_API to be HOST:PORT, but got 'nowhere'.\n"),
        ("h:1", ["app.handler", "more"], {}, "Expected at most one argument: python -m lambent.runtime app:app\n"),
        ("h:65536", ["app.handler"], {}, "Expected AWS_LAMBDA_RUNTIME_API to be HOST:PORT, but got 'h:65536'.\n"),
        (
            "h:1",
            ["app.handler"],
            {"LAMBENT_EXTENSION": "no"},
            "Expected LAMBENT_EXTENSION to be '0' or '1', but got 'no'.\n",
        ),
        (
            "h:1",
            ["app.handler"],
            {"LAMBENT_SHUTDOWN_SECONDS": "soon"},
            "Expected LAMBENT_SHUTDOWN_SECONDS to be seconds from 0 to 900, but got 'soon'.\n",
        ),
        (
            "h:1",
            ["app.handler"],
            {"LAMBENT_LOOP": "tokio"},
            "Expected LAMBENT_LOOP to be 'asyncio' or 'uvloop', but got 'tokio'.\n",
        ),
    ],
)
def test_what_is_set_up_wrong_is_one_line(
    tmp_path: Path, address: str, arguments: list[str], variables: dict[str, str], words: str
) -> None:
    with runtime(write(tmp_path, FUNCTION), address, *arguments, **variables) as process:
        assert process.wait() == (1, "", words)


# Invocations


def test_the_environment_lives_on_after_failures(tmp_path: Path) -> None:
    source = """
import asyncio

async def handler(event, context):
    if event == "raise":
        raise KeyError("a")
    if event == "cancel":
        raise asyncio.CancelledError
    return {"set": {1}, "large": b"x" * 6_291_557}.get(event, event)
"""
    events = [b'"raise"', b'"cancel"', b'"set"', b'"large"', b"{", b'"fine"']
    api, ended = lived(tmp_path, source, *[invocation(event) for event in events])

    assert [call.path.rpartition("/")[2] for call in api.posts] == ["error"] * 5 + ["response"]
    assert [call.json["errorType"] for call in api.posts[:-1]] == [
        "KeyError",
        "CancelledError",
        "Runtime.MarshalError",
        "Function.ResponseSizeTooLarge",
        "Runtime.UnmarshalError",
    ]
    assert ended.status == 0
    assert told(ended).count("Request id-1 failed.\n") == 5
    assert "lambent/" not in told(ended)


@pytest.mark.parametrize("kind", ["def", "async def"])
@pytest.mark.parametrize(
    ("raised", "status", "words"),
    [
        ("SystemExit(3)", 3, ""),
        ("SystemExit('a reason')", 1, "a reason"),
        ("Fatal('the end')", 1, "app.Fatal: the end"),
    ],
)
def test_what_is_no_exception_ends_the_process(tmp_path: Path, kind: str, raised: str, status: int, words: str) -> None:
    source = f"class Fatal(BaseException): ...\n\n{kind} handler(event, context):\n    raise {raised}\n"
    api, ended = died(tmp_path, source, invocation())

    assert [call.path for call in api.calls] == [f"{BASE}/invocation/next"]
    assert ended.status == status
    assert (ended.stderr.splitlines() or [""])[-1] == words
    assert "never retrieved" not in ended.stderr


def test_a_function_s_numbers_are_exact(tmp_path: Path) -> None:
    source = "from decimal import Decimal\ndef handler(event, context):\n    return [event, Decimal('1.10')]\n"
    api, _ = lived(tmp_path, source, invocation(b"123456789012345678901234567890"))
    assert api.posts[0].body == b"[123456789012345678901234567890, 1.10]"


def test_the_trace_id_is_there_while_there_is_one(tmp_path: Path) -> None:
    source = "import os\ndef handler(event, context):\n    return os.environ.get('_X_AMZN_TRACE_ID')\n"
    api, _ = lived(tmp_path, source, invocation(b"1", "Lambda-Runtime-Trace-Id: Root=1"), invocation(b"2"))
    assert [call.json for call in api.posts] == ["Root=1", None]


def test_background_work_goes_on_while_the_environment_is_idle(tmp_path: Path) -> None:
    source = """
import asyncio

tasks = set()

async def handler(event, context):
    tasks.add(asyncio.create_task(background()))

async def background():
    await asyncio.sleep(0.001)
    print("done", flush=True)
"""
    write(tmp_path, source)
    with RuntimeAPI(invocation()) as api, runtime(tmp_path, api.address, "app.handler") as process:
        assert process.readline() == "done\n"
        api.wait_until_idle()
        assert process.stop() == (0, "", "")


def test_the_loop_may_be_uvloop(tmp_path: Path) -> None:
    pytest.importorskip("uvloop")
    source = (
        APP
        + "\nimport asyncio, sys\nasync def loop(event, context): return type(asyncio.get_running_loop()).__module__"
    )
    api, ended = lived(tmp_path, source, invocation(), invocation(), target="app.loop", LAMBENT_LOOP="uvloop")
    assert ([call.json for call in api.posts], ended) == (["uvloop", "uvloop"], (0, "", "")), api.calls

    api, ended = lived(tmp_path, source, *[function_url("/")] * 3, target="app.app", LAMBENT_LOOP="uvloop")
    assert [call.json["body"] for call in api.posts] == ["/ 1", "/ 2", "/ 3"]
    assert ended == (0, "lifespan.startup\nlifespan.shutdown\n", "")


# The platform's end


def one_line(ended: Ended, words: str) -> None:
    assert ended.status == 1
    assert words in told(ended)
    assert told(ended).count("\n") == 1


def test_a_connection_that_is_closed_while_idle_ends_it(tmp_path: Path) -> None:
    api, ended = died(tmp_path, FUNCTION, invocation(), HANG_UP)

    assert len(api.posts) == 1
    one_line(ended, f"The Runtime API at {api.address} does not answer: it closed the connection.")


def test_a_fault_of_the_platform_ends_it(tmp_path: Path) -> None:
    fault = answer(500, b'{"errorType": "InternalServerError"}')
    _, ended = died(tmp_path, FUNCTION, invocation(), posts=[fault])
    one_line(
        ended, 'The Runtime API answered 500 {"errorType": "InternalServerError"} to /2018-06-01/runtime/invocation/id'
    )


def test_what_is_no_invocation_ends_it(tmp_path: Path) -> None:
    _, ended = died(tmp_path, FUNCTION, answer(403, b"Forbidden"))
    one_line(ended, "Expected an invocation, but the Runtime API answered 403 Forbidden.")


def test_what_is_not_http_ends_it(tmp_path: Path) -> None:
    _, ended = died(tmp_path, FUNCTION, Answer(b"\x15\x03\x01\x00\x02\x02\r\n\r\n"))
    one_line(ended, "does not keep to HTTP/1.1. Expected an HTTP/1.1 status line, but got ")


@pytest.mark.parametrize("target", ["app.handler", "app.missing"])
def test_a_platform_that_was_never_there_ends_it(tmp_path: Path, target: str) -> None:
    port = free_port()
    with runtime(write(tmp_path, FUNCTION), f"127.0.0.1:{port}", target) as process:
        ended = process.wait()

    assert ended.status == 1
    assert f"The Runtime API at 127.0.0.1:{port} does not answer: " in (told(ended) + ended.stderr).splitlines()[-1]
    assert "Traceback" not in told(ended) + ended.stderr


def test_an_unanswered_post_is_posted_once_more(tmp_path: Path) -> None:
    write(tmp_path, FUNCTION)
    with RuntimeAPI(invocation(), posts=[HANG_UP]) as api, runtime(tmp_path, api.address, "app.handler") as process:
        api.wait_until_idle()
        assert process.stop() == (0, "", "")
    assert [call.connection for call in api.posts] == [0, 1]


# SIGTERM

WAITING = """
import asyncio, sys

def answer(): return sys.stdin.readline().strip()

def sync(event, context):
    print("waiting", flush=True)
    return answer()

async def coroutine(event, context):
    print("waiting", flush=True)
    return await asyncio.to_thread(answer)
"""


@pytest.mark.parametrize("target", ["app.sync", "app.coroutine"])
@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_an_invocation_is_answered_before_sigterm_is_obeyed(tmp_path: Path, target: str, loop: str) -> None:
    pytest.importorskip(loop)
    write(tmp_path, WAITING)
    with RuntimeAPI(invocation()) as api, runtime(tmp_path, api.address, target, LAMBENT_LOOP=loop) as process:
        assert process.readline() == "waiting\n"
        process.terminate()
        assert process.wait("answered\n") == (0, "", "")
    assert [call.json for call in api.posts] == ["answered"]


def test_shutdown_runs_after_the_invocation_that_sigterm_came_in(tmp_path: Path) -> None:
    source = APP.replace("    requests += 1\n", "    import sys; print('waiting', flush=True); sys.stdin.readline()\n")
    write(tmp_path, source)
    with RuntimeAPI(function_url("/a")) as api, runtime(tmp_path, api.address, "app.app") as process:
        assert [process.readline() for _ in range(2)] == ["lifespan.startup\n", "waiting\n"]
        process.terminate()
        assert process.wait("\n") == (0, "lifespan.shutdown\n", "")
    assert [call.json["body"] for call in api.posts] == ["/a 0"]


def test_sigterm_while_idle_finds_what_was_left_on_the_loop(tmp_path: Path) -> None:
    source = """
import asyncio

tasks = []

async def handler(event, context):
    tasks.append(asyncio.create_task(background()))

async def background():
    try:
        await asyncio.Event().wait()
    finally:
        print("cancelled", flush=True)
"""
    _, ended = lived(tmp_path, source, invocation())
    assert ended == (0, "cancelled\n", "")


def shutdown(code: str) -> str:
    """The application, with `code` after it has been told of its shutdown."""
    return APP.replace('    await send({"type": "lifespan.shutdown.complete"})\n', f"    {code}\n")


def test_a_shutdown_that_fails_is_logged(tmp_path: Path) -> None:
    _, ended = lived(tmp_path, shutdown("raise KeyError('late')"), function_url("/"))

    assert ended.status == 1
    assert "\nThe shutdown of the lifespan failed.\nTraceback" in told(ended)
    assert told(ended).endswith("KeyError: 'late'\n")


def test_a_shutdown_that_fails_in_words_is_logged(tmp_path: Path) -> None:
    failed = shutdown("await send({'type': 'lifespan.shutdown.failed', 'message': 'no goodbye'})")
    _, ended = lived(tmp_path, failed)

    assert ended.status == 1
    assert told(ended).endswith("lambent.errors.LifespanFailed: no goodbye\n")


def test_a_shutdown_that_hangs_is_cut_off(caplog: pytest.LogCaptureFixture) -> None:
    """Before the process would be, and its end is the last that may be held up."""

    @asynccontextmanager
    async def lifetime() -> AsyncIterator[None]:
        yield
        await asyncio.Event().wait()

    runner = Runner()
    runner.start(lifetime())
    assert _shutdown(runner, 0.06) == 1
    assert caplog.messages == ["The shutdown of the lifespan took more than 0.03 s."]


SWALLOWING = """
    import asyncio
    while True:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            pass
"""
HOLDING_UP = {
    "a cancellation that is swallowed": (shutdown(SWALLOWING), "await asyncio.Event().wait()"),
    "a call that blocks": (shutdown("import threading; threading.Event().wait()"), "threading.Event().wait()"),
    "a thread": (
        shutdown(
            "import asyncio, threading; loop = asyncio.get_running_loop(); "
            "loop.run_in_executor(None, threading.Event().wait); "
            "await send({'type': 'lifespan.shutdown.complete'})"
        ),
        "",
    ),
}


@pytest.mark.parametrize("what", HOLDING_UP)
@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
@pytest.mark.parametrize("slots", [{}, {"AWS_LAMBDA_MAX_CONCURRENCY": "2"}], ids=["one", "two"])
def test_whatever_holds_the_end_up_is_cut_off(tmp_path: Path, what: str, loop: str, slots: dict[str, str]) -> None:
    pytest.importorskip(loop)
    source, stands = HOLDING_UP[what]
    _, ended = lived(tmp_path, source, LAMBENT_LOOP=loop, LAMBENT_SHUTDOWN_SECONDS="0.1", **slots)

    assert (ended.status, ended.stderr) == (1, "")
    assert "\nThe process did not end within 0.1 s and is cut off. It stands at:\n" in told(ended)
    assert stands in told(ended)


def test_the_time_for_the_end_may_be_longer(tmp_path: Path) -> None:
    source = shutdown(
        "import sys; print('waiting', flush=True); sys.stdin.readline(); "
        "await send({'type': 'lifespan.shutdown.complete'})"
    )
    write(tmp_path, source)
    with RuntimeAPI() as api, runtime(tmp_path, api.address, "app.app", LAMBENT_SHUTDOWN_SECONDS="600") as process:
        api.wait_until_idle()
        process.terminate()
        assert [process.readline() for _ in range(3)][-1] == "waiting\n"
        assert process.wait("\n") == (0, "", "")


def test_the_lifespan_is_shut_down_when_the_platform_has_gone(tmp_path: Path) -> None:
    api, ended = died(tmp_path, APP, HANG_UP)
    assert ended.status == 1
    assert told(ended).splitlines() == [
        "lifespan.startup",
        f"The Runtime API at {api.address} does not answer: it closed the connection.",
        "lifespan.shutdown",
    ]


# The extension, by which SIGTERM comes


@pytest.mark.parametrize(
    "slots", [{}, {"AWS_LAMBDA_MAX_CONCURRENCY": "2", "LAMBENT_PROCESSES": "1"}], ids=["one", "two"]
)
def test_an_extension_is_registered_after_startup_and_before_the_first_next(
    tmp_path: Path, slots: dict[str, str]
) -> None:
    seen = []

    def registered() -> Answer:
        seen.append((process.readline(), list(api.calls)))
        return answer(200, b"", ["Lambda-Extension-Identifier: e"])

    write(tmp_path, APP)
    with RuntimeAPI() as api:
        api.registered = registered
        with runtime(tmp_path, api.address, "app.app", **slots) as process:
            api.wait_until_extended()
            api.wait_until_idle()
            assert process.stop() == (0, "lifespan.shutdown\n", "")
    assert seen == [("lifespan.startup\n", [])]
    assert len(api.extension) == 2


def test_of_several_processes_one_is_registered_and_all_are_shut_down(tmp_path: Path) -> None:
    answers = [answer(200, b"", ["Lambda-Extension-Identifier: e"]), answer(403, b"Extension.InvalidExtensionState")]
    variables = {"AWS_LAMBDA_MAX_CONCURRENCY": "2", "LAMBENT_PROCESSES": "2"}
    write(tmp_path, APP)
    with RuntimeAPI() as api:
        api.registered = answers.pop
        with runtime(tmp_path, api.address, "app.app", **variables) as process:
            api.wait_until_idle()
            api.wait_until_idle()
            ended = process.stop()
    assert (ended.status, ended.stderr) == (0, "")
    assert sorted(ended.stdout.splitlines()) == ["lifespan.shutdown"] * 2 + ["lifespan.startup"] * 2
    assert [call.method for call in api.extension].count("POST") == 2


def test_none_is_registered_if_that_is_not_wanted_or_init_failed(tmp_path: Path) -> None:
    api, ended = lived(tmp_path, APP, LAMBENT_EXTENSION="0")
    assert (api.extension, ended.status) == ([], 0)
    api, _ = died(tmp_path, APP, target="app.missing")
    assert api.extension == []


def test_where_none_can_be_registered_nothing_else_is_different(tmp_path: Path) -> None:
    write(tmp_path, APP)
    with RuntimeAPI(function_url("/")) as api:
        api.registered = answer(404, b"404 page not found\n")
        with runtime(tmp_path, api.address, "app.app") as process:
            api.wait_until_idle()
            assert process.stop() == (0, "lifespan.startup\nlifespan.shutdown\n", "")


def test_provisioned_concurrency_starts_the_lifespan_ahead_and_nothing_else_is_different(tmp_path: Path) -> None:
    ready = []

    def first() -> Answer:
        ready.append(process.readline())
        return function_url("/a")

    write(tmp_path, APP)
    variables = {"AWS_LAMBDA_INITIALIZATION_TYPE": "provisioned-concurrency"}
    with RuntimeAPI(first) as api, runtime(tmp_path, api.address, "app.app", **variables) as process:
        api.wait_until_idle()
        assert process.stop() == (0, "lifespan.shutdown\n", "")
    assert ready == ["lifespan.startup\n"]
    assert [call.path.removeprefix(BASE) for call in api.calls] == [
        "/invocation/next",
        "/invocation/id-1/response",
        "/invocation/next",
    ]


# What the platform may answer, each status at each point. Source: AWS's emulator.

REFUSALS = {
    400: "InvalidRequestID",
    403: "InvalidStateTransition",
    410: "InvokeTimeout",
    413: "RequestEntityTooLarge",
    500: "InternalServerError",
}
refusals = pytest.mark.parametrize("status", REFUSALS)


def refusal(status: int) -> Answer:
    return answer(status, json.dumps({"errorMessage": "m", "errorType": REFUSALS[status]}).encode() + b"\n")


@refusals
def test_a_refused_next_ends_it(tmp_path: Path, status: int) -> None:
    _, ended = died(tmp_path, FUNCTION, invocation(), refusal(status))
    one_line(ended, f"Expected an invocation, but the Runtime API answered {status} ")


@refusals
@pytest.mark.parametrize("target", ["app.handler", "app.failing"])
def test_a_refused_reply_is_logged_and_the_next_is_handled_but_for_a_fault(
    tmp_path: Path, status: int, target: str
) -> None:
    write(tmp_path, FUNCTION + "\ndef failing(event, context): return {1}\n")
    api = RuntimeAPI(invocation(), invocation(request_id="id-2"), posts=[refusal(status)])
    with api, runtime(tmp_path, api.address, target) as process:
        if status != 500:
            api.wait_until_idle()
            process.terminate()
        ended = process.wait()

    kind = "response" if target == "app.handler" else "error"
    paths = [call.path for call in api.posts]
    if status == 500:
        assert (ended.status, paths) == (1, [f"{BASE}/invocation/id-1/{kind}"])
        assert "The Runtime API answered 500 {" in told(ended)
    else:
        assert (ended.status, paths) == (0, [f"{BASE}/invocation/id-1/{kind}", f"{BASE}/invocation/id-2/{kind}"])
        assert f"The Runtime API refused {BASE}/invocation/id-1/{kind}: {status} {{" in told(ended)
    assert REFUSALS[status] in told(ended)


@refusals
def test_a_refused_init_error_is_told_beside_the_error(tmp_path: Path, status: int) -> None:
    _, ended = died(tmp_path, "raise KeyError('a')", posts=[refusal(status)])

    assert ended.status == 1
    assert told(ended).startswith("Init of 'app.handler' failed.\nTraceback")
    assert REFUSALS[status] in told(ended) + ended.stderr


@pytest.mark.parametrize("lost", [HANG_UP, Answer(b"HTTP/1.1 202 Acc", close=True)], ids=["unanswered", "cut off"])
def test_an_init_error_that_nobody_takes_ends_it_all_the_same(tmp_path: Path, lost: Answer) -> None:
    _, ended = died(tmp_path, "raise KeyError('a')", posts=[lost])

    assert ended.status == 1
    assert told(ended).startswith("Init of 'app.handler' failed.\nTraceback")
    assert ended.stderr.startswith("The Runtime API ")
    assert ended.stderr.count("\n") == 1


@pytest.mark.parametrize("target", ["app.handler", "app.failing"])
def test_a_reply_that_nobody_takes_ends_it(tmp_path: Path, target: str) -> None:
    source = FUNCTION + "\ndef failing(event, context): return {1}\n"
    api, ended = died(tmp_path, source, invocation(), target=target, posts=[HANG_UP, HANG_UP])

    assert len(api.posts) == 2
    assert ended.status == 1
    assert told(ended).endswith(f"The Runtime API at {api.address} does not answer: it closed the connection.\n")


@pytest.mark.parametrize(
    "cut",
    [
        Answer(b"HTTP/1.1 200 O", close=True),
        Answer(invocation(b"12345").data[:-2], close=True),
        Answer(invocation(b"12345", framing="chunked").data[:-7], close=True),
    ],
    ids=["head", "body", "chunk"],
)
def test_an_invocation_that_is_cut_off_ends_it(tmp_path: Path, cut: Answer) -> None:
    _, ended = died(tmp_path, FUNCTION, cut)
    one_line(ended, "does not keep to HTTP/1.1. The connection was closed in the middle of a reply.")


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_answers_may_come_late_in_pieces_and_with_empty_headers(tmp_path: Path, framing: str) -> None:
    names = ("Client-Context", "Cognito-Identity", "Trace-Id", "Invoked-Function-Arn", "Invocation-Id", "Aws-Tenant-Id")
    empty = [f"Lambda-Runtime-{name}:" for name in names]

    def late() -> Answer:
        api.wait_until_extended()
        return pieces

    write(tmp_path, FUNCTION)
    taken = answer(202, b'{"status":"OK"}\n')._replace(piece=1)
    pieces = invocation(b'"event"', *empty, framing=framing)._replace(piece=1)
    api = RuntimeAPI(late, pieces, posts=[taken, taken])
    with api, runtime(tmp_path, api.address, "app.handler") as process:
        api.wait_until_idle()
        assert process.stop() == (0, "", "")
    assert [call.json for call in api.posts] == [["event", "", "id-1"]] * 2
    assert all("lambda-runtime-invocation-id" not in call.headers for call in api.posts)


ENDING = """
import asyncio

requested = asyncio.Event()

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await requested.wait()
        %s
    else:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body"})
        requested.set()
"""


@pytest.mark.parametrize(
    ("code", "words"), [("raise KeyError('pool')", "KeyError: 'pool'"), ("return", "lambent.errors.LifespanEnded: ")]
)
def test_a_lifespan_that_ends_by_itself_ends_the_environment(tmp_path: Path, code: str, words: str) -> None:
    api, ended = died(tmp_path, ENDING % code, function_url("/"), target="app.app")

    assert [call.json["statusCode"] for call in api.posts] == [200]
    assert ended.status == 1
    assert told(ended).startswith("The lifespan ended by itself; the environment is replaced.\n")
    assert words in told(ended)


# The process


def test_the_environment_is_what_the_platform_made_it() -> None:
    given = environment(AWS_LAMBDA_RUNTIME_API="h:1")
    assert [name for name in given if name.startswith("AWS_")] == ["AWS_LAMBDA_RUNTIME_API"]


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="a signal cannot be sent to a thread")
@pytest.mark.parametrize("kind", ["asyncio", "uvloop"])
def test_sigterm_ends_the_wait_though_it_interrupts_nothing(kind: str) -> None:
    """It comes a moment before the wait, or in another thread: no system call of ours is interrupted by it."""
    if kind == "uvloop":
        pytest.importorskip("uvloop")
    before = signal.getsignal(signal.SIGTERM)
    runner = Runner(event_loop(kind))
    ours, theirs = socket.socketpair()

    def end() -> None:
        signal.pthread_kill(threading.get_ident(), signal.SIGTERM)

    try:
        with ours, theirs:
            runner.start(Function(print).lifetime())
            _on_sigterm(runner)
            thread = threading.Timer(0.05, end)  # for it to wait by then: if it does not, it must end all the same
            thread.start()
            assert not runner.wait_readable(ours)
            thread.join()
            runner.unwatch()
    finally:
        runner.stop(1)
        signal.signal(signal.SIGTERM, before)


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such signal")
def test_a_sigterm_while_the_loop_is_closed_is_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Asyncio closes the pipe that signals wake it by before it gives up its hold on them."""
    before = signal.getsignal(signal.SIGTERM)
    runner = Runner()
    close = runner.loop._close_self_pipe  # type: ignore[attr-defined]  # of asyncio's loops for Unix

    def close_and_be_told() -> None:
        close()
        signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(runner.loop, "_close_self_pipe", close_and_be_told)
    runner.start(Function(print).lifetime())
    try:
        _on_sigterm(runner)
        assert _shutdown(runner, 1) == 0
    finally:
        signal.signal(signal.SIGTERM, before)
    assert capsys.readouterr().err == ""
