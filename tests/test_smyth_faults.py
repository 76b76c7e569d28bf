"""Fourteen faults of Smyth 0.7, one by one. Each docstring says the fault.

One project, with nothing but [tool.smyth], is run by Smyth itself and by the local Lambda. A test shows the fault on
Smyth, unless that takes long or would end it for the others, and then that the local Lambda does right.
"""

import base64
import http.client
import json
import logging
import logging.config
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from dataclasses import fields
from inspect import isfunction
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import psutil
import pytest
from smyth import config as smyth_config
from smyth import context as smyth_context
from smyth import event as smyth_event
from smyth import utils as smyth_utils
from smyth.runner import strategy as smyth_strategy

from lambent.dev.config import load

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Smyth does not run there")

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src"
LIMIT = 60
"""Seconds after which a test that waits has failed."""

APP = """
import base64, json, os, sys, time

def text(body, **more):
    return {"statusCode": 200, "headers": {"content-type": "text/plain"}, "body": body, **more}

def echo(event, context):
    time.sleep(0.002)
    return text(event["queryStringParameters"]["n"])

def show(event, context):
    return text(json.dumps(event))

def greeting(event, context):
    return text(json.dumps({name: os.environ.get(name) for name in ("ONE", "TWO", "THREE")}))

def odd(event, context):
    kind = event["rawPath"].rsplit("/")[-1]
    if kind == "exit":
        sys.exit(3)
    return {"nothing": None, "number": 1, "envelope": {"statusCode": "so"}, "good": text("good")}[kind]

def wrong(event, context):
    raise ValueError("wrong")

def plain(event, context):
    return {"ok": 1, "event": event}

def binary(event, context):
    taken = base64.b64decode(event["body"]) if event["isBase64Encoded"] else event["body"].encode()
    return text(base64.b64encode(taken).decode(), isBase64Encoded=True, cookies=["a=1", "b=2"])

def stubborn(event, context):
    begin = time.monotonic()
    while time.monotonic() < begin + 1:
        try:
            time.sleep(0.1)
        except Exception:
            pass
    return text("too late")

def about(event, context):
    names = ("aws_request_id", "invoked_function_arn", "function_name", "memory_limit_in_mb")
    client = context.client_context.custom if getattr(context, "client_context", None) else None
    told = {name: getattr(context, name) for name in names}
    return text(json.dumps({**told, "client": client, "left": context.get_remaining_time_in_millis()}))

def logging(event, context):
    print("GET /smyth/items", flush=True)
    return text("logged")

def events(name):
    async def made(request, smyth_handler, process):
        return {"name": name}
    return made

named = events("closure")
"""

SINGLE = "def pid(event, context):\n    import os\n    return {'statusCode': 200, 'body': str(os.getpid())}\n"


def handlers(*rows: tuple[str, str, str]) -> str:
    """Tables of [tool.smyth.handlers]: name, handler and further keys."""
    return "\n".join(
        f'[tool.smyth.handlers.{name}]\nhandler_path = "{handler}"\n'
        f'url_path = "/{name}/{{path:path}}"\nlog_level = "ERROR"\n{more}\n'
        for name, handler, more in rows
    )


ROUND_ROBIN = 'strategy_generator_path = "smyth.runner.strategy.round_robin"'
PROJECT = '[tool.smyth]\nlog_level = "ERROR"\nenv = { ONE = "global", TWO = "global" }\n' + handlers(
    ("echo", "app.echo", ROUND_ROBIN),
    ("show", "app.show", ""),
    ("invoked", "app.show", ""),
    ("called", "app.show", ""),
    ("wrong", "app.wrong", ""),
    ("closure", "app.show", 'event_data_function_path = "app.named"'),
    ("logging", "app.logging", ""),
    ("greeting", "app.greeting", 'env = { TWO = "own" }'),
    ("odd", "app.odd", ""),
    ("plain", "app.plain", ""),
    ("binary", "app.binary", ""),
    ("stubborn", "app.stubborn", "timeout = 0.5"),
    ("about", "app.about", ""),
)


class Answer(NamedTuple):
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> list[str]:
        return [value for each, value in self.headers if each.lower() == name]

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Server:
    """One of the two, listening."""

    def __init__(self, port: int, process: psutil.Popen, output: Path) -> None:
        self.port = port
        self.process = process
        self.output = output

    def ask(self, method: str, path: str, body: bytes | str | None = None, **headers: str) -> Answer:
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=LIMIT)) as connection:
            return ask(connection, method, path, body, **headers)

    def get(self, path: str, **headers: str) -> Answer:
        return self.ask("GET", path, **headers)

    def invoke(self, name: str, event: bytes | str, **headers: str) -> Answer:
        return self.ask("POST", f"/2015-03-31/functions/{name}/invocations", event, **headers)


def ask(
    connection: http.client.HTTPConnection, method: str, path: str, body: bytes | str | None = None, **headers: str
) -> Answer:
    connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
    response = connection.getresponse()
    return Answer(response.status, response.getheaders(), response.read())


@contextmanager
def running(command: list[str], directory: Path) -> Iterator[Server]:
    """The server that `command PORT` starts, once it answers; and in the end none of its processes."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    path = os.pathsep.join(filter(None, [str(SOURCE), os.environ.get("PYTHONPATH", "")]))
    environ = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    file = directory / "output.txt"
    with file.open("wb") as output:
        process = psutil.Popen(
            [sys.executable, "-m", *command, str(port)],
            cwd=directory,
            env={**environ, "PYTHONPATH": path, "THREE": "shell"},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    server = Server(port, process, file)
    try:
        wait_until(lambda: answers(server))
        yield server
    finally:
        for each in [process, *process.children(recursive=True)]:
            with suppress(psutil.NoSuchProcess):
                each.kill()
        process.wait()


def wait_until(happens: Callable[[], object]) -> None:
    deadline = time.monotonic() + LIMIT
    while not happens():
        assert time.monotonic() < deadline, "it has not happened"
        time.sleep(0.01)


def answers(server: Server) -> bool:
    assert server.process.poll() is None, "the server has ended"
    with suppress(OSError, http.client.HTTPException):
        return server.get("/show/").status == 200
    return False


SMYTH = ["smyth", "--host", "127.0.0.1", "--port"]
LAMBENT = ["lambent", "dev", "--port"]


def project(directory: Path, text: str = PROJECT) -> Path:
    (directory / "pyproject.toml").write_text(text, "utf-8")
    (directory / "app.py").write_text(APP, "utf-8")
    return directory


def of_smyth(directory: Path) -> Path:
    """Without what uvicorn takes because it happens to be installed here: whoever installs Smyth has none of it."""
    for module in ("uvloop", "httptools", "watchfiles"):
        (directory / f"{module}.py").write_text(f"raise ImportError('no {module} for Smyth')\n", "utf-8")
    return directory


@pytest.fixture(scope="module")
def smyth(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(SMYTH, of_smyth(project(tmp_path_factory.mktemp("smyth")))) as server:
        yield server


@pytest.fixture(scope="module")
def lambent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(LAMBENT, project(tmp_path_factory.mktemp("lambent"))) as server:
        yield server


def echoes(server: Server, count: int) -> list[tuple[str, str]]:
    """What several clients at a time asked of one function, and what each was answered."""

    def client(first: int) -> list[tuple[str, str]]:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=LIMIT)
        with closing(connection):
            asked = [str(number) for number in range(first, first + count)]
            return [(n, ask(connection, "GET", f"/echo/?n={n}").body.decode()) for n in asked]

    with ThreadPoolExecutor(8) as pool:
        return [pair for pairs in pool.map(client, range(0, 8000, 1000)) for pair in pairs]


def test_01_concurrent_requests_get_their_own_replies(smyth: Server, lambent: Server) -> None:
    """Two requests to one process wait at one queue for whatever comes out: one gets the reply of the other."""
    assert any(pair[0] != pair[1] for _ in range(50) for pair in echoes(smyth, 5))
    assert not [pair for pair in echoes(lambent, 25) if pair[0] != pair[1]]


def test_02_a_function_that_was_invoked_still_serves_its_path(smyth: Server, lambent: Server) -> None:
    """One call of the Invoke API exchanges the event function for good: the path answers 500 from then on."""

    def statuses(server: Server) -> list[int]:
        before, invoked = server.get("/invoked/"), server.invoke("invoked", '{"a": 1}')
        return [before.status, invoked.status, server.get("/invoked/").status]

    assert statuses(smyth) == [200, 200, 500]
    assert statuses(lambent) == [200, 200, 200]


def test_03_variables_reach_the_function(smyth: Server, lambent: Server) -> None:
    """What `env` says, of the whole or of a handler, never arrives."""
    assert smyth.get("/greeting/").json == {"ONE": None, "TWO": None, "THREE": "shell"}
    assert lambent.get("/greeting/").json == {"ONE": "global", "TWO": "own", "THREE": "shell"}


def test_04_a_bad_result_ends_no_function(smyth: Server, lambent: Server) -> None:
    """A result that is no HTTP reply, or `sys.exit`, ends the process, and no other is started: 500 for ever."""
    assert [smyth.get(f"/odd/{kind}").status for kind in ("good", "nothing", "good")] == [200, 500, 500]

    for kind, status in (("nothing", 200), ("number", 200), ("envelope", 500), ("exit", 500)):
        assert lambent.get(f"/odd/{kind}").status == status
        assert lambent.get("/odd/good").status == 200


def test_05_bytes_and_cookies_come_through(smyth: Server, lambent: Server) -> None:
    """A body that is no UTF-8 is 500; `isBase64Encoded` and `cookies` of a result are ignored."""
    assert smyth.ask("POST", "/binary/", b"\xff\xfe").status == 500
    theirs = smyth.ask("POST", "/binary/", "text")
    assert (theirs.body, theirs.header("set-cookie")) == (base64.b64encode(b"text"), [])

    ours = lambent.ask("POST", "/binary/", b"\xff\xfe")
    assert (ours.status, ours.body, ours.header("set-cookie")) == (200, b"\xff\xfe", ["a=1", "b=2"])


def test_06_the_event_is_the_one_of_an_http_api(smyth: Server, lambent: Server) -> None:
    """Repeated parameters keep the last value; cookies, ids, times and more are missing; an empty body is made up."""
    theirs, ours = (server.get("/show/?x=1&x=2", cookie="a=1; b=2").json for server in (smyth, lambent))

    assert theirs["queryStringParameters"] == {"x": "2"}
    assert ours["queryStringParameters"] == {"x": "1,2"}
    assert (theirs["routeKey"], theirs["requestContext"]["http"]["protocol"]) == ("GET /show/", "http")
    assert ours["requestContext"]["http"]["protocol"] == "HTTP/1.1"
    assert (theirs.get("cookies"), ours["cookies"]) == (None, ["a=1", "b=2"])
    assert (theirs["body"], "body" in ours) == ("", False)
    context = {"requestId", "time", "timeEpoch", "apiId", "domainName", "domainPrefix"}
    assert context.isdisjoint(theirs["requestContext"])
    assert context <= ours["requestContext"].keys()
    assert re.fullmatch(r"\d{12}", ours["requestContext"]["accountId"])


def test_07_every_method_is_served_and_no_function_is_404(smyth: Server, lambent: Server) -> None:
    """PATCH is 405, as HEAD and OPTIONS were in 0.7.0; a path that nobody serves is 500."""
    methods = ("GET", "HEAD", "OPTIONS", "PUT", "POST", "DELETE", "PATCH")

    assert [smyth.ask("PATCH", "/show/").status, smyth.get("/nowhere").status] == [405, 500]
    assert {method: lambent.ask(method, "/show/").status for method in methods} == dict.fromkeys(methods, 200)
    assert lambent.get("/nowhere").status == 404


def test_08_the_invoke_api_answers_as_lambda(smyth: Server, lambent: Server) -> None:
    """`Event` waits and is 200, `DryRun` runs; an error is text with 502; a plain result is 500, and ends the function.

    There is no log, and no name but the plain one.
    """
    kinds = ("Event", "DryRun")
    event, dry = (smyth.invoke("called", "{}", X_Amz_Invocation_Type=kind).status for kind in kinds)
    assert (event, dry, smyth.invoke("wrong", "{}")[::2]) == (200, 200, (502, b"wrong"))
    assert smyth.invoke("plain", "{}").status == 500

    event, dry = (lambent.invoke("called", "{}", X_Amz_Invocation_Type=kind).status for kind in kinds)
    assert (event, dry) == (202, 204)
    failed = lambent.invoke("wrong", "{}", X_Amz_Log_Type="Tail")
    assert (failed.status, failed.header("x-amz-function-error")) == (200, ["Unhandled"])
    assert (failed.json["errorType"], failed.json["errorMessage"]) == ("ValueError", "wrong")
    assert b"REPORT RequestId" in base64.b64decode(failed.header("x-amz-log-result")[0])
    arn = lambent.get("/about/").json["invoked_function_arn"].replace(":about", ":plain")
    for name in ("plain", "plain:$LATEST", arn):
        assert lambent.invoke(quote(name), "[1]").json == {"ok": 1, "event": [1]}


def test_09_the_time_is_up_when_it_is_up(smyth: Server, lambent: Server) -> None:
    """`timeout = 0.5` is none, for fractions are cut off; one of seconds is an exception, which a handler can catch.

    It also strikes while a debugger holds the function, and without `timeout` there is one all the same, of 6 s.
    """
    assert smyth.get("/stubborn/").body == b"too late"

    ours = lambent.get("/stubborn/")
    assert (ours.status, ours.json) == (500, {"message": "Internal Server Error"})


def test_10_the_context_is_of_this_invocation(smyth: Server, lambent: Server) -> None:
    """Each request has the id 1234567890; the ARN is none; there is no client context."""

    def told(server: Server) -> list[dict[str, Any]]:
        context = base64.b64encode(b'{"custom": {"a": "b"}}').decode()
        first, second = server.get("/about/"), server.get("/about/")
        body = server.invoke("about", "{}", X_Amz_Client_Context=context).json
        return [first.json, second.json, json.loads(body["body"]) if "body" in body else body]

    theirs, ours = told(smyth), told(lambent)
    assert {each["aws_request_id"] for each in theirs} == {"1234567890"}
    assert (theirs[0]["invoked_function_arn"], theirs[2]["client"]) == ("arn:aws:lambda:serverless:about", None)
    assert len({each["aws_request_id"] for each in ours}) == 3
    assert ours[0]["invoked_function_arn"] == "arn:aws:lambda:eu-central-1:123456789012:function:about"
    assert ours[2]["client"] == {"a": "b"}
    assert 0 < ours[0]["left"] <= 6000


def after_a_save(command: list[str], directory: Path) -> tuple[bool, list[int]]:
    """Whether the other function has another process once one has new code; and what was answered meanwhile."""
    for name in ("one", "two"):
        (directory / f"{name}.py").write_text(SINGLE, "utf-8")
    rows = handlers(("one", "one.pid", ""), ("two", "two.pid", ""), ("show", "app.show", ""))
    with running(command, project(directory, f'[tool.smyth]\nlog_level = "ERROR"\n{rows}')) as server:
        before = [server.get(f"/{name}/").body for name in ("one", "two")]
        (directory / "one.py").write_text(f"# new\n{SINGLE}", "utf-8")
        statuses = []

        def is_new() -> bool:
            with suppress(OSError, http.client.HTTPException):
                answer = server.get("/one/")
                statuses.append(answer.status)
                return answer.status == 200 and answer.body != before[0]
            statuses.append(0)
            return False

        after: list[bytes] = []

        def answers() -> bool:
            with suppress(OSError, http.client.HTTPException):
                answer = server.get("/two/")
                after.extend([answer.body] * (answer.status == 200))
            return bool(after)

        wait_until(is_new)
        wait_until(answers)
        return after[0] != before[1], statuses


def test_11_a_save_concerns_the_functions_that_import_the_file(tmp_path: Path) -> None:
    """Each save restarts the server and every process of every function, 1.5 s, in which requests wait or are cut off.

    And a server that has reloaded may not end on SIGTERM: `kill -9` is what its README advises.
    """
    for name in ("smyth", "lambent"):
        (tmp_path / name).mkdir()
    restarted, _ = after_a_save(SMYTH, of_smyth(tmp_path / "smyth"))
    assert restarted

    restarted, statuses = after_a_save(LAMBENT, tmp_path / "lambent")
    assert not restarted
    assert set(statuses) == {200}


def quickest(server: Server) -> float:
    """Of requests on one connection, in seconds."""
    taken = []
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=LIMIT)) as connection:
        for _ in range(8):
            begin = time.perf_counter()
            ask(connection, "GET", "/greeting/")
            taken.append(time.perf_counter() - begin)
    return min(taken[1:])


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere acknowledgements are delayed otherwise")
def test_12_a_kept_connection_is_quick(smyth: Server, lambent: Server) -> None:
    """44 ms for each request on a kept connection: body and head are sent apart on a socket without TCP_NODELAY.

    40 ms is what Linux waits before it acknowledges the head. So the quickest of several tells, whatever the load.
    """
    assert quickest(smyth) > 0.035
    assert quickest(lambent) < 0.035


def test_13_no_line_is_lost_nobody_else_is_let_in_and_help_helps(lambent: Server, tmp_path: Path) -> None:
    """Log records with `/smyth` in them are dropped; by default the whole network is served; TOML 1.0 is not read.

    And `--help` needs a configuration.
    """
    record = logging.LogRecord("app", logging.INFO, "", 1, "GET /smyth/items", None, None)
    smyths = smyth_utils.get_logging_config("INFO", filter_path_prefix="/smyth")
    filtering = logging.config.DictConfigurator(smyths).configure_filter(next(iter(smyths["filters"].values())))
    assert not filtering.filter(record)
    assert lambent.get("/logging/").status == 200
    wait_until(lambda: "GET /smyth/items" in lambent.output.read_text("utf-8"))

    assert smyth_config.Config().host == "0.0.0.0"
    listening = [each.laddr.ip for each in lambent.process.net_connections() if each.status == psutil.CONN_LISTEN]
    assert set(listening) == {"127.0.0.1"}

    table = project(tmp_path, f'mixed = [1, "a"]\n{PROJECT}') / "pyproject.toml"
    with pytest.raises(ValueError, match="homogeneous"):
        smyth_config.get_config_dict(str(table))
    assert load(tmp_path, {})

    (tmp_path / "pyproject.toml").unlink()
    for module, status in (("smyth", 1), ("lambent", 0)):
        helped = subprocess.run(
            [sys.executable, "-m", module, "--help"], cwd=tmp_path, capture_output=True, check=False
        )
        assert helped.returncode == status


def test_14_functions_of_ones_own_may_be_of_any_kind(smyth: Server, lambent: Server) -> None:
    """The handler goes with each call to the process, pickled: with a closure in it, the client waits without end."""
    connection = http.client.HTTPConnection("127.0.0.1", smyth.port, timeout=1)
    with closing(connection), pytest.raises(TimeoutError):
        ask(connection, "GET", "/closure/")

    assert lambent.get("/closure/").json == {"name": "closure"}


# The guide for those who come from it

GUIDE = ROOT / "docs" / "how-to" / "move-from-smyth.md"
MODULES = (smyth_event, smyth_context, smyth_strategy)


def test_the_guide_has_every_setting_and_extension_point() -> None:
    settings = [field.name for kind in (smyth_config.Config, smyth_config.HandlerConfig) for field in fields(kind)]
    functions = [each for module in MODULES for each in vars(module).values() if isfunction(each)]
    own = [f"{each.__module__}.{each.__name__}" for each in functions if each.__module__.startswith("smyth.")]
    guide = GUIDE.read_text("utf-8")

    assert [name for name in (*settings, *own) if name not in guide] == []


def test_the_guide_says_the_same_twice(tmp_path: Path) -> None:
    """Its example, for Smyth and for Lambent. What one of them does not say is not compared."""
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "local.py").write_text("async def paid(request, *others):\n    return {}\n", "utf-8")
    projects = []
    for example in re.findall(r"```toml\n(.*?)```", GUIDE.read_text("utf-8"), re.DOTALL):
        (tmp_path / "pyproject.toml").write_text(example, "utf-8")
        projects.append(load(tmp_path, {}))

    theirs, ours = filter(None, projects)
    assert theirs.port == ours.port
    names = ("name", "handler", "path", "door", "env")
    assert [[getattr(each, name) for name in names] for each in theirs.functions] == [
        [getattr(each, name) for name in names] for each in ours.functions
    ]
    (orders, paid), (same_orders, same_paid) = theirs.functions, ours.functions
    for name in ("timeout", "environments", "warm", "strategy", "make_event"):
        assert getattr(orders, name) == getattr(same_orders, name)
    assert paid.make_event
    assert same_paid.make_event
