"""`lambent diff`, as it is typed, with an application and with a function."""

import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lambent import cli

APP = """
import sys
started = []

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        started.append(await receive())
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        print("shut down")
        return
    assert len(started) == 1
    if scope["path"] == "/raise":
        raise RuntimeError("no")
    body = b"x" * 1_300_000 if scope["path"] == "/big" else scope["raw_path"]
    headers = [(b"content-type", b"text/plain"), (b"set-cookie", b"a=1"), (b"set-cookie", b"b=2")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})

def function(event, context):
    return {"statusCode": 200, "cookies": ["a=1"], "body": context.aws_request_id}

def leave(event, context):
    sys.exit(3)

def odd(event, context):
    return object()
"""


class Terminal:
    """Runs the program in this process."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._capsys = capsys

    def type(self, *arguments: str) -> tuple[object, str, str]:
        with pytest.raises(SystemExit) as left:
            cli.main(["diff", *arguments])
        output = self._capsys.readouterr()
        return left.value.code, output.out, output.err

    def show(self, *arguments: str) -> str:
        code, out, err = self.type(*arguments)
        assert code == 0, err
        return out

    def machine(self, *arguments: str) -> Any:
        return json.loads(self.show(*arguments, "--json"))


@pytest.fixture
def terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    """In a folder with a module of its own name."""
    monkeypatch.chdir(tmp_path)
    name = "compared"
    (tmp_path / f"{name}.py").write_text(APP)
    yield Terminal(tmp_path, capsys)
    sys.modules.pop(name, None)


def test_a_request_is_shown_through_every_door(terminal: Terminal) -> None:
    out = terminal.show("GET", "/a%2Fb?a=1&a=2", "-H", "x-a: 1", "-H", "X-A: 2")
    assert "GET /a%2Fb?a=1&a=2\n" in out
    assert "What differs between the events of url, http, http1, rest, alb" in out
    assert "What the application sees differently, through Lambent" in out
    assert "What the client gets" not in out
    assert "  The path is decoded on HTTP API, not on the others" in out
    assert all(line == line.rstrip() for line in out.splitlines())


def test_only_some_doors(terminal: Terminal) -> None:
    assert "events of rest, alb\n" in terminal.show("GET", "/", "--door", "rest", "--door", "alb")
    assert "No warnings.\n" in terminal.show("GET", "/", "--door", "rest")


def test_an_application_is_run_once_for_each_door(terminal: Terminal) -> None:
    told = terminal.machine("GET", "/a%2Fb", "compared:app")
    assert {each["status"] for each in told["replies"].values()} == {200}
    assert told["replies"]["http"]["body"] == {"text": "/a/b"}
    assert told["replies"]["rest"]["body"] == {"text": "/a%2Fb"}
    assert not [each for each in told["warnings"] if "cookie" in each]


def test_its_lifespan_ends_and_what_it_prints_is_kept_apart(terminal: Terminal) -> None:
    code, out, err = terminal.type("GET", "/", "compared:app")
    assert (code, err) == (0, "shut down\n")
    assert "shut down" not in out
    assert str(terminal.folder) not in sys.path


def test_what_is_too_large_for_a_door_is_said(terminal: Terminal, caplog: pytest.LogCaptureFixture) -> None:
    told = terminal.machine("GET", "/big", "compared:app")
    assert (
        "ALB, ALB with multi-value headers and Lambda@Edge would refuse a reply of 1.2 MB: the limit is 1 MB."
        in told["warnings"]
    )
    assert "1048576 that alb takes" in caplog.text


def test_an_application_that_raises_is_answered(terminal: Terminal, caplog: pytest.LogCaptureFixture) -> None:
    told = terminal.machine("GET", "/raise", "compared:app", "--door", "rest")
    assert told["replies"]["rest"]["status"] == 500
    assert "RuntimeError: no" in caplog.text


def test_a_function_is_called_as_it_is(terminal: Terminal) -> None:
    told = terminal.machine("GET", "/", "compared.function", "--door", "rest", "--door", "url")
    assert "REST would answer 502: extra key `cookies`." in told["warnings"]
    assert len(told["replies"]["url"]["body"]["text"]) == 36


@pytest.mark.parametrize(("name", "said"), [("leave", "SystemExit: 3"), ("odd", "TypeError: Object of type object")])
def test_a_function_that_gives_nothing_is_answered_for(terminal: Terminal, name: str, said: str) -> None:
    out = terminal.show("GET", "/", f"compared:{name}", "--door", "url")
    assert f"Function URL would answer 502: the function raised {said}" in out


def test_a_reply_may_be_given(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    reply = '{"statusCode": 200, "cookies": []}'
    assert "extra key `cookies`" in terminal.show("GET", "/", "--reply", reply)
    (terminal.folder / "reply.json").write_text(reply)
    assert "extra key `cookies`" in terminal.show("GET", "/", "--reply", "reply.json")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(reply.encode())))
    assert "extra key `cookies`" in terminal.show("GET", "/", "--reply", "-")


def test_a_body_may_lie_in_a_file(terminal: Terminal) -> None:
    (terminal.folder / "image.png").write_bytes(b"\x89PNG")
    told = terminal.machine("PUT", "/", "--data", "@image.png", "-H", "content-type: image/png", "--door", "url")
    assert told["events"]["url"]["body"] == "iVBORw=="
    assert terminal.machine("PUT", "/", "--data", "é", "--door", "url")["events"]["url"]["body"] == "é"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["GET"], "Missing argument 'URL'"),
        (["/items", "GET"], "expected a method"),
        (["GET", "items"], "expected a path"),
        (["GET", "/", "-H", "a"], "NAME: VALUE"),
        (["GET", "/", "--door", "window"], "--door"),
        (["GET", "/", "--data", "@missing"], "expected TEXT, or @FILE"),
        (["GET", "/", "--reply", "{"], "--reply: expected JSON"),
        (["GET", "/", "compared:app", "--reply", "{}"], "--reply goes without a TARGET"),
        (["GET", "/", "compared"], "such as app:app, but got 'compared'"),
        (["GET", "/", "--app-dir", "/no/such/place"], "--app-dir"),
    ],
)
def test_what_is_not_understood_exits_with_2(terminal: Terminal, arguments: list[str], complaint: str) -> None:
    code, out, err = terminal.type(*arguments)
    assert (code, out) == (2, "")
    assert complaint in err


@pytest.mark.parametrize("target", ["compared:nobody", "nothing:app"])
def test_a_target_that_cannot_be_loaded_is_said_in_one_line(terminal: Terminal, target: str) -> None:
    code, out, _ = terminal.type("GET", "/", target)
    assert isinstance(code, str)
    assert code.startswith("lambent: ")
    assert out == ""
