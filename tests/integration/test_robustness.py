"""`lambent dev` and all that goes wrong: nothing hangs, nothing is lost silently, no process is left behind."""

from __future__ import annotations

import http.client
import json
import re
import signal
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest

if sys.platform == "win32":
    pytest.skip("signals, sessions and sleep(1) are Unix's", allow_module_level=True)

from tests.dev.fakes import Gate
from tests.dev.local import LIMIT, LocalLambda, command, environment, gone, until

MEGABYTE = 1024 * 1024

APP = '''
import ctypes, json, os, signal, socket, subprocess, sys, threading, time

def hold(text):
    gate = socket.create_connection(("127.0.0.1", int(os.environ["GATE"])))
    gate.sendall(f"{text} {os.getpid()}\\n".encode())
    gate.recv(1)

def handler(event, context):
    """Does what the path says."""
    path = event["rawPath"]
    if path == "/hold":
        hold("held")
    if path == "/forever":
        threading.Event().wait()
    if path == "/exit":
        os._exit(3)
    if path == "/sys-exit":
        sys.exit(4)
    if path == "/crash":
        ctypes.string_at(0)
    if path == "/loop":
        hold("looping")
        while True:
            pass
    if path == "/deaf":
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if path == "/children":
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        return [
            subprocess.Popen(["sleep", "1000"]).pid,
            subprocess.Popen(["sleep", "1000"], start_new_session=True).pid,
        ]
    if path == "/flood":
        threading.Thread(target=flood, daemon=True).start()
    if path == "/surrogate":
        raise ValueError("\\ud800 \\N{SNOWMAN}")
    if path == "/print":
        print("\\N{SNOWMAN}")
    return f"{os.getpid()}"

def flood():
    while True:
        print("x" * 1000)
'''

STREAMS = """
import os

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            await send({"type": (await receive())["type"] + ".complete"})
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": b"begun", "more_body": True})
    if scope["path"] == "/exit":
        os._exit(3)
    if scope["path"] == "/endless":
        while True:
            await send({"type": "http.response.body", "body": b"x" * 60_000, "more_body": True})
    await send({"type": "http.response.body", "body": b" and done"})
"""

ENDINGS = {
    "exits": ("import os\nos._exit(3)\n", "exit status 3"),
    "sys-exits": ("import sys\nsys.exit(4)\n", "exit status 4"),
    "crashes": ("import ctypes\nctypes.string_at(0)\n", "signal: segmentation fault"),
    "raises": ("1 / 0\n", "ZeroDivisionError"),
    "has-no-handler": ("", "handler"),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "app.py").write_text(APP, "utf-8")
    (tmp_path / "streams.py").write_text(STREAMS, "utf-8")
    return tmp_path


@contextmanager
def gated(folder: Path, *options: str) -> Iterator[tuple[LocalLambda, Gate, ThreadPoolExecutor]]:
    with (
        Gate() as gate,
        ThreadPoolExecutor() as pool,
        LocalLambda(folder, "app:handler", "--timeout", "60", *options, variables={"GATE": gate.port}) as local,
    ):
        yield local, gate, pool


def connect(local: LocalLambda) -> socket.socket:
    return socket.create_connection(("127.0.0.1", local.port), timeout=LIMIT)


def is_sound(output: str) -> bool:
    """Whether the local Lambda itself has not failed; functions may have."""
    return not re.search(r"lambent/dev/(?!child|inside)|uvicorn|never retrieved|Exception ignored", output)


def read(client: socket.socket) -> bytes:
    """Until it is hung up."""
    pieces = []
    with suppress(ConnectionError):
        while piece := client.recv(65536):
            pieces.append(piece)
    return b"".join(pieces)


def refused(*options: str, directory: Path) -> tuple[int, str]:
    """Of a local Lambda that does not start: its exit code, and what it said."""
    done = subprocess.run(
        command(*options), cwd=directory, env=environment(), capture_output=True, text=True, timeout=LIMIT, check=False
    )
    return done.returncode, done.stdout + done.stderr


# It does not start


def test_a_port_that_is_taken(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        status, said = refused("app:handler", "--port", str(port), directory=folder)
    assert (status, said) == (
        1,
        f"lambent: Port {port} is taken. Choose another with --port; --port 0 takes any that is free.\n",
    )


def test_a_target_that_is_none_and_a_project_that_is_none(folder: Path) -> None:
    status, said = refused("app", directory=folder)
    assert (status, "expected module:name or module.name" in said) == (2, True)
    status, said = refused(directory=folder)
    assert (status, "Expected a TARGET" in said) == (2, True)


# What functions do


@pytest.mark.parametrize("runtime", ["lambent", "awslambdaric"])
@pytest.mark.parametrize("target", ["nowhere:handler", "app:nothing"])
def test_a_handler_that_is_not_there(folder: Path, target: str, runtime: str) -> None:
    if runtime == "awslambdaric":
        pytest.importorskip("awslambdaric")
    with LocalLambda(folder, target, "--warm", "1", "--runtime", runtime) as local:
        local.wait_for("nowhere" if "nowhere" in target else "nothing")
        for _ in range(2):
            assert local.get().status == 502
        shown = local.get(Accept="text/html").body.decode()
        assert re.search(r"Runtime\.(ImportModuleError|HandlerNotFound)", shown)
        local.until(lambda: not local.status()["environments"])


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_function_that_ends_in_init(tmp_path: Path, ending: str) -> None:
    text, reason = ENDINGS[ending]
    (tmp_path / "ends.py").write_text(text, "utf-8")
    with LocalLambda(tmp_path, "ends:handler") as local:
        assert [local.get().status for _ in range(3)] == [502] * 3
        local.wait_for(reason)
        local.until(lambda: not local.status()["environments"])
        (tmp_path / "ends.py").write_text("def handler(event, context):\n    return 'mended'\n", "utf-8")
        assert local.get().body == b"mended"


def test_a_loop_without_end_in_init(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[tool.lambent.functions.loop]\nhandler = "loop:handler"\npath = "/"\ninit-timeout = 0.5\n', "utf-8"
    )
    (tmp_path / "loop.py").write_text("while True:\n    pass\n", "utf-8")
    with LocalLambda(tmp_path) as local:
        assert local.get().status == 502
        local.wait_for(r"INIT_REPORT Init Duration: 5\d\d\.\d\d ms\tPhase: init\tStatus: timeout")
        local.until(lambda: not local.status()["environments"])


@pytest.mark.parametrize(
    ("path", "reason"),
    [("/exit", "exit status 3"), ("/sys-exit", "exit status 4"), ("/crash", "signal: segmentation fault")],
)
@pytest.mark.parametrize("runtime", ["lambent", "awslambdaric"])
def test_a_process_that_ends_in_an_invocation(folder: Path, path: str, reason: str, runtime: str) -> None:
    if runtime == "awslambdaric":
        pytest.importorskip("awslambdaric")
    with LocalLambda(folder, "app:handler", "--runtime", runtime) as local:
        assert local.get("/").status == 200
        assert local.get(path).status == 502
        assert local.get("/").status == 200
        if path != "/sys-exit" or runtime == "lambent":
            local.wait_for(f"Runtime exited with error: {reason}")
        assert len(local.status()["environments"]) == 1


def test_a_process_that_ends_in_the_middle_of_a_reply(folder: Path) -> None:
    with LocalLambda(folder, "streams:app", "--stream") as local:
        assert local.get("/").body == b"begun and done"
        with pytest.raises(http.client.IncompleteRead) as cut:
            local.get("/exit")
        assert cut.value.partial == b"begun"
        local.wait_for("exit status 3")
        assert local.get("/").body == b"begun and done"


def test_one_that_prints_without_end_stops_nobody(folder: Path) -> None:
    with LocalLambda(folder, "app:handler", "--no-freeze", "--environments", "1") as local:
        assert local.get("/flood").status == 200
        for _ in range(5):
            assert local.get("/").status == 200
        assert local.stop() == 0


def test_what_no_terminal_can_show_is_escaped(folder: Path) -> None:
    options = ("--env", "PYTHONIOENCODING=utf-8")
    with LocalLambda(folder, "app:handler", *options, variables={"PYTHONIOENCODING": "ascii"}) as local:
        assert local.get("/print").status == 200
        local.wait_for(r"\\u2603")
        assert local.get("/surrogate").status == 502
        assert local.get("/surrogate", Accept="text/html").status == 502
        local.wait_for(r"ValueError: \\ud800 \\u2603")
        assert local.get("/").status == 200
    with LocalLambda(folder, "app:handler", *options) as local:
        assert local.get("/print").status == 200
        local.wait_for("\N{SNOWMAN}")


def test_children_of_a_function_end_with_it_wherever_they_have_gone(folder: Path) -> None:
    with LocalLambda(folder, "app:handler", "--timeout", "3") as local:
        started = [psutil.Process(pid) for pid in json.loads(local.get("/children").body)]
        assert local.get("/forever").status == 502
        assert gone(started)
        started = [psutil.Process(pid) for pid in json.loads(local.get("/children").body)]
        assert local.stop() == 0
        assert gone(started)


# Many at once


def test_several_hundred_requests_at_once_are_all_answered(folder: Path) -> None:
    with LocalLambda(folder, "app:handler", "--environments", "2", "--log-level", "warning") as local:
        answers = at_once(local, 400)
        assert answers == {200: 400}
        assert len(local.status()["environments"]) <= 2
        family = local.family()
        assert local.stop() == 0
        assert gone(family)


def test_those_beyond_what_may_wait_are_told_so(folder: Path) -> None:
    with gated(folder, "--environments", "1") as (local, gate, pool):
        held = pool.submit(local.get, "/hold")
        gate.arrive()
        clients = [connect(local) for _ in range(1010)]
        try:
            for client in clients:
                client.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            local.until(lambda: local.status()["waiting"] == 1000)
            throttled = [client for client in clients if is_answered(client)]
            until(lambda: len([client for client in clients if is_answered(client)]) == 10)
            throttled = [client for client in clients if is_answered(client)]
            assert {read(client).partition(b"\r\n")[0] for client in throttled} == {b"HTTP/1.1 429 Too Many Requests"}
        finally:
            for client in clients:
                client.close()
        local.until(lambda: local.status()["waiting"] == 0)  # whose clients are gone never run
        gate.release()
        assert held.result().status == 200
        assert local.status()["environments"][0]["invocations"] == 1


def at_once(local: LocalLambda, count: int) -> Counter[int]:
    """Answers by their status; every connection is open before the first request is sent."""
    clients = [connect(local) for _ in range(count)]
    for client in clients:
        client.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    statuses: Counter[int] = Counter()
    for client in clients:
        statuses[int(read(client).split(b" ", 2)[1])] += 1
        client.close()
    return statuses


def is_answered(client: socket.socket) -> bool:
    client.setblocking(False)
    try:
        return client.recv(1, socket.MSG_PEEK) != b""
    except BlockingIOError:
        return False
    finally:
        client.settimeout(LIMIT)


# Clients


STAGES = {
    "connected": b"",
    "half a line": b"GET /ho",
    "half a head": b"GET /hold HTTP/1.1\r\nHost: local",
    "half a body": b"POST /hold HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n12345",
    "half a chunk": b"POST /hold HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n123",
    "told to go on": b"POST /hold HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n",
}


@pytest.mark.parametrize("reset", [False, True])
def test_a_client_that_goes_away_before_its_request_is_whole(folder: Path, reset: bool) -> None:
    with LocalLambda(folder, "app:handler") as local:
        assert local.get("/").status == 200
        for sent in STAGES.values():
            client = connect(local)
            client.sendall(sent)
            if reset:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            client.close()
            assert local.get("/").status == 200
        assert local.status()["environments"][0]["invocations"] == 1 + len(STAGES)
        assert local.stop() == 0
    assert is_sound(local.output)


def test_one_that_goes_away_while_its_function_runs(folder: Path) -> None:
    with gated(folder, "--environments", "1") as (local, gate, _pool):
        with connect(local) as client:
            client.sendall(b"GET /hold HTTP/1.1\r\nHost: localhost\r\n\r\n")
            gate.arrive()
        assert local.status()["in_flight"] == 1, "it runs on, as on AWS"
        gate.release()
        assert local.get("/").status == 200
        local.wait_for(r"(?s)REPORT.*REPORT")
    assert is_sound(local.output)


@pytest.mark.parametrize("reset", [False, True])
def test_one_that_goes_away_in_the_middle_of_the_reply(folder: Path, reset: bool) -> None:
    with LocalLambda(folder, "streams:app", "--stream", "--environments", "1", "--timeout", "60") as local:
        with connect(local) as client:
            client.sendall(b"GET /endless HTTP/1.1\r\nHost: localhost\r\n\r\n")
            client.recv(65536)
            if reset:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        assert local.stop() == 0
    assert is_sound(local.output)


def resident(local: LocalLambda) -> int:
    return int(psutil.Process(local.process.pid).memory_info().rss)


@pytest.mark.parametrize("path", ["/", "/2015-03-31/functions/app-handler/invocations"])
@pytest.mark.parametrize("declared", [False, True])
def test_an_upload_of_a_gigabyte_takes_no_memory(folder: Path, path: str, declared: bool) -> None:
    piece = b"x" * MEGABYTE
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\n"
    framing = f"Content-Length: {1024 * MEGABYTE}" if declared else "Transfer-Encoding: chunked"
    with LocalLambda(folder, "app:handler") as local, connect(local) as client, ThreadPoolExecutor() as pool:
        assert local.get("/").status == 200
        client.sendall(f"{head}{framing}\r\n\r\n".encode())
        answer = pool.submit(client.recv, 65536)
        most = 0
        for count in range(1024):
            client.sendall(piece if declared else b"%x\r\n%b\r\n" % (len(piece), piece))
            if count % 64 == 0:
                most = max(most, resident(local))
        if not declared:
            client.sendall(b"0\r\n\r\n")
        assert answer.result().startswith(b"HTTP/1.1 413 ")
        assert most < 80 * MEGABYTE
        client.sendall(b"GET /after HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert b"HTTP/1.1 200 " in read(client), "the connection is still of use"


MALFORMED = {
    "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 a client of TLS\r\n\r\n",
    "no method": b"/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "no target": b"GET  HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "another protocol": b"GET / ICE/1.0\r\nHost: localhost\r\n\r\n",
    "a space in the target": b"GET /a b HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "bytes in the target": b"GET /\xff HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a header without a colon": b"GET / HTTP/1.1\r\nHost: localhost\r\nnonsense\r\n\r\n",
    "a header with a NUL": b"GET / HTTP/1.1\r\nHost: localhost\r\nx: a\0b\r\n\r\n",
    "a length that is no number": b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: ten\r\n\r\n",
    "a negative length": b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
    "two lengths": b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n12",
    "a length and chunks": (
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    ),
    "a chunk of nonsense": b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
    "CONNECT": b"CONNECT example.test:443 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
}


def test_malformed_http_is_refused_and_reaches_no_function(folder: Path) -> None:
    with LocalLambda(folder, "app:handler") as local:
        assert local.get("/").status == 200
        answers = {}
        for kind, sent in MALFORMED.items():
            with connect(local) as client:
                client.sendall(sent)
                client.shutdown(socket.SHUT_WR)
                answers[kind] = read(client).partition(b"\r\n")[0]
        assert answers == dict.fromkeys(MALFORMED, b"HTTP/1.1 400 Bad Request")
        assert local.get("/").status == 200
        assert local.status()["environments"][0]["invocations"] == 2
    assert is_sound(local.output)


def test_a_head_without_end_is_refused(folder: Path) -> None:
    with LocalLambda(folder, "app:handler") as local:
        assert local.get("/").status == 200
        before = resident(local)
        for begin in (b"GET /", b"GET / HTTP/1.1\r\nHost: localhost\r\nx: ", b"GET / HTTP/1.1\r\nHost: localhost\r\n"):
            with connect(local) as client:
                client.sendall(begin)
                with suppress(ConnectionError):
                    for _ in range(200):
                        client.sendall(b"x: y\r\n" * 20_000 if begin.endswith(b"\r\n") else b"x" * 120_000)
                    read(client)
        assert resident(local) < before + 20 * MEGABYTE
        with connect(local) as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nx: " + b"x" * 300_000)
            assert read(client).startswith(b"HTTP/1.1 431 ")
        with connect(local) as client:
            client.sendall(
                b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nx: " + b"x" * 20_000 + b"\r\n\r\n"
            )
            assert read(client).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    "path", ["/", "/_lambent/status", "/2015-03-31/functions", "/2015-03-31/functions/app-handler/invocations"]
)
def test_other_sites_are_refused_wherever_they_ask(folder: Path, path: str) -> None:
    """A page of theirs, or a name of theirs that has come to mean this machine."""
    method = "POST" if path.endswith("invocations") else "GET"
    with LocalLambda(folder, "app:handler") as local:
        own = f"127.0.0.1:{local.port}"
        for headers in (
            {"Host": "evil.test"},
            {"Host": f"evil.test:{local.port}"},
            {"Host": f"127.0.0.1.evil.test:{local.port}"},
            {"Host": ""},
            {"Host": own, "Origin": "https://evil.test"},
            {"Host": own, "Origin": "null"},
        ):
            answer = local.ask(method, path, b"{}", **headers)
            assert (answer.status, b"answers only to its own names" in answer.body) == (403, True), headers
        with connect(local) as client:
            client.sendall(f"{method} {path} HTTP/1.1\r\nHost: {own}\r\nHost: evil.test\r\n\r\n".encode())
            assert client.recv(65536).startswith(b"HTTP/1.1 403 ")
        assert not any(each["invocations"] for each in local.status()["environments"])
        assert local.ask(method, path, b"{}", Host=own, Origin=f"http://{own}").status in (200, 502)


# The end


@pytest.mark.parametrize("runtime", ["lambent", "awslambdaric"])
def test_killed_it_leaves_nobody_behind_whatever_they_do(folder: Path, runtime: str) -> None:
    if runtime == "awslambdaric":
        pytest.importorskip("awslambdaric")
    with gated(folder, "--runtime", runtime) as (local, gate, pool):
        held = [pool.submit(local.get, path) for path in ("/hold", "/loop", "/hold", "/deaf", "/children")]
        for _ in range(3):
            gate.arrive()
        for each in held[3:]:
            each.result()
        local.until(lambda: Counter(each["state"] for each in local.status()["environments"])["frozen"] == 2)
        family = local.family()
        assert len(family) >= 7
        local.process.kill()
        local.process.wait(LIMIT)
        outside = psutil.Process(json.loads(held[4].result().body)[1])  # in a session of its own: nobody knows it
        try:
            assert gone(each for each in family if each != outside)
        finally:
            with suppress(psutil.NoSuchProcess):
                outside.kill()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_stopped_it_leaves_nobody_behind(folder: Path, how: signal.Signals) -> None:
    with gated(folder) as (local, gate, pool):
        looping = how is signal.SIGINT  # which takes the time that requests in flight are given; all three ask the same
        held = [pool.submit(local.get, path) for path in ("/deaf", "/children", *(["/loop"] if looping else []))]
        if looping:
            gate.arrive()
        for each in held[:2]:
            assert each.result().status == 200
        family = local.family()
        assert local.stop(how) == 0
        assert [each.result().status for each in held[2:]] == [502] * looping
        assert gone(family)
    assert is_sound(local.output)


def test_ctrl_c_twice_ends_it_at_once(folder: Path) -> None:
    with gated(folder) as (local, gate, pool):
        held = pool.submit(local.get, "/loop")
        gate.arrive()
        family = local.family()
        local.process.send_signal(signal.SIGINT)
        local.wait_for("Stopping")
        assert local.stop() == 0
        with suppress(ConnectionError, http.client.HTTPException):
            held.result()
        assert gone(family)
    assert is_sound(local.output)


@pytest.mark.parametrize("generation", [1, 2])
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_stopped_while_a_generation_starts(tmp_path: Path, generation: int, how: signal.Signals) -> None:
    """It has not come so far as to ask for an invocation, and never will."""
    text = """
import os, socket

def handler(event, context):
    return "one"
"""
    stuck = """
gate = socket.create_connection(("127.0.0.1", int(os.environ["GATE"])))
gate.sendall(b"starting\\n")
gate.recv(1)
"""
    with Gate() as gate:
        app = tmp_path / "app.py"
        app.write_text(text if generation == 2 else text + stuck, "utf-8")
        with LocalLambda(tmp_path, "app:handler", "--warm", "1", variables={"GATE": gate.port}) as local:
            if generation == 2:
                assert local.get().body == b"one"
                app.write_text(text + stuck, "utf-8")
            gate.arrive()
            family = local.family()
            assert local.stop(how) == 0
            assert gone(family)
        assert is_sound(local.output)


def test_stopped_before_it_has_said_that_it_runs(folder: Path) -> None:
    """Whenever the signal comes, nobody is left."""
    process = subprocess.Popen(
        command("app:handler", "--warm", "2"),
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout
    with process.stdout as output:
        for line in output:
            if "is served" in line:
                break
        family = psutil.Process(process.pid).children(recursive=True)
        process.terminate()
        said = output.read()
    assert process.wait(LIMIT) == 0
    assert is_sound(said)
    assert gone(family)


def test_two_of_them_side_by_side(folder: Path) -> None:
    with LocalLambda(folder, "app:handler") as one, LocalLambda(folder, "app:handler") as two:
        assert one.port != two.port
        pids = {one.get("/").body, two.get("/").body}
        assert len(pids) == 2
        family = one.family()
        one.process.kill()
        one.process.wait(LIMIT)
        assert gone(family)
        assert two.get("/").body in pids, "the other's environments are not its"


def test_without_a_terminal_it_goes_on(folder: Path) -> None:
    """`lambent dev | head -1`: from the second line on, nobody reads."""
    process = subprocess.Popen(
        command("app:handler"),
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    assert process.stderr
    with process.stdout as output, process.stderr as errors:
        found = None
        while not found:
            line = output.readline()
            assert line, errors.read()
            found = re.search(r"http://127\.0\.0\.1:(\d+)", line)
        port = int(found[1])
        output.close()
        for path in ("/", "/print", "/exit", "/"):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LIMIT)
            connection.request("GET", path)
            assert connection.getresponse().status == (502 if path == "/exit" else 200)
            connection.close()
        family = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGINT)
        assert errors.read() == ""
    assert process.wait(LIMIT) == 0
    assert gone(family)
