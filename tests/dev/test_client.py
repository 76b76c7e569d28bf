"""`lambent invoke`, against a server that answers as it is told to."""

import base64
import io
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from click.testing import CliRunner, Result

from lambent import cli
from lambent.dev import client
from lambent.dev.client import Answer, Order
from lambent.errors import ConfigurationError
from tests.integration.newcomer import free_port

ERROR = b'{"errorType": "ValueError", "errorMessage": "boom"}'
LOG = base64.b64encode(b"START\nREPORT\tInit Duration: 1.00 ms\t\n").decode()


class Asked(NamedTuple):
    path: str
    headers: dict[str, str]
    body: bytes


class Lambda:
    """Answers with `status`, `headers` and `body`."""

    def __init__(self) -> None:
        self.status = 200
        self.headers = {"x-amzn-requestid": "1234"}
        self.body = b'{"ok": 1}'
        self.asked: list[Asked] = []
        self.connections: set[Any] = set()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                outer.asked.append(Asked(self.path, {name.lower(): each for name, each in self.headers.items()}, body))
                outer.connections.add(self.client_address)
                self.send_response(outer.status)
                for name, value in outer.headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(outer.body)))
                self.end_headers()
                self.wfile.write(outer.body)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def lambda_() -> Iterator[Lambda]:
    made = Lambda()
    thread = threading.Thread(target=made.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


def run(lambda_: Lambda | None, *arguments: str, stdin: bytes = b"") -> Result:
    endpoint = ("--endpoint", lambda_.url) if lambda_ else ()
    return CliRunner().invoke(cli.program(), ["invoke", *arguments, *endpoint], input=stdin)


def test_a_result_is_all_that_is_printed(lambda_: Lambda) -> None:
    result = run(lambda_, "f")
    assert (result.exit_code, result.stdout, result.stderr) == (0, '{"ok": 1}\n', "")
    (asked,) = lambda_.asked
    assert (asked.path, asked.body) == ("/2015-03-31/functions/f/invocations", b"{}")
    assert not [name for name in asked.headers if name.startswith("x-amz")]


def test_what_is_asked_for_is_sent(lambda_: Lambda) -> None:
    result = run(lambda_, "arn:aws:lambda:us-east-1:1:function:f", "--tail", "--client-context", '{"a": 1}')
    assert result.exit_code == 0
    (asked,) = lambda_.asked
    assert asked.path == "/2015-03-31/functions/arn%3Aaws%3Alambda%3Aus-east-1%3A1%3Afunction%3Af/invocations"
    assert asked.headers["x-amz-log-type"] == "Tail"
    assert base64.b64decode(asked.headers["x-amz-client-context"]) == b'{"a": 1}'


def test_an_event_is_json_a_file_or_the_standard_input(lambda_: Lambda, tmp_path: Path) -> None:
    file = tmp_path / "event.json"
    file.write_text('{"from": "file"}\n', "utf-8")
    marked = tmp_path / "windows.json"
    marked.write_text('{"from": "windows"}', "utf-8-sig")
    for event in ('{"from": "line"}', str(file), str(marked), "-"):
        assert run(lambda_, "f", "--event", event, stdin=b'{"from": "input"}').exit_code == 0
    assert [json.loads(asked.body)["from"] for asked in lambda_.asked] == ["line", "file", "windows", "input"]


def test_a_file_may_be_named_like_json(lambda_: Lambda, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("[1].json").write_text("1", "utf-8")
    assert run(lambda_, "f", "--event", "[1].json").exit_code == 0


def test_an_error_of_the_function_is_told_and_ends_with_1(lambda_: Lambda) -> None:
    lambda_.headers["x-amz-function-error"] = "Unhandled"
    lambda_.body = ERROR
    result = run(lambda_, "f")
    assert (result.exit_code, result.stdout) == (1, ERROR.decode() + "\n")
    assert result.stderr == "The function failed. ValueError: boom\n"


def test_the_log_is_told(lambda_: Lambda) -> None:
    lambda_.headers["x-amz-log-result"] = LOG
    result = run(lambda_, "f", "--tail")
    assert (result.stdout, result.stderr) == ('{"ok": 1}\n', "START\nREPORT\tInit Duration: 1.00 ms\t\n")


def test_nobody_waits_for_what_is_asynchronous(lambda_: Lambda) -> None:
    lambda_.status, lambda_.body = 202, b""
    result = run(lambda_, "f", "--async")
    assert lambda_.asked[0].headers["x-amz-invocation-type"] == "Event"
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "Accepted. RequestId: 1234\n")


def test_repetitions_share_a_connection_and_are_summed_up(lambda_: Lambda) -> None:
    result = run(lambda_, "f", "--repeat", "5")
    assert len(lambda_.asked) == 5
    assert len(lambda_.connections) == 1
    assert result.stdout == '{"ok": 1}\n' * 5
    assert result.stderr.startswith("5 invocations, median ")


def test_repetitions_fail_if_one_does(lambda_: Lambda) -> None:
    lambda_.headers |= {"x-amz-function-error": "Unhandled", "x-amz-log-result": LOG}
    result = run(lambda_, "f", "--repeat", "2", "--tail")
    assert result.exit_code == 1
    assert result.stderr.endswith(", 2 failed, 2 cold starts\n")


def test_a_summary_knows_the_slow_ones() -> None:
    from http.client import HTTPMessage

    answers = [Answer(HTTPMessage(), b"", number / 1000) for number in range(1, 201)]
    assert client.summary(answers) == "200 invocations, median 100.50 ms, p99 198.00 ms"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"Type": "User", "Message": "Function not found: f."}', "ResourceNotFoundException: Function not found: f."),
        (b'{"message": "No."}', "ResourceNotFoundException: No."),
        (b"<html>", "ResourceNotFoundException: <html>"),
        (b"[1]", "ResourceNotFoundException: [1]"),
    ],
)
def test_a_refusal_is_told(lambda_: Lambda, body: bytes, words: str) -> None:
    lambda_.status, lambda_.body = 404, body
    lambda_.headers["x-amzn-errortype"] = "ResourceNotFoundException"
    with pytest.raises(ConfigurationError) as raised:
        client.invoke(Order("f", b"{}"), lambda_.url, io.BytesIO(), print)
    assert str(raised.value) == words


def test_another_server_is_no_lambda(lambda_: Lambda) -> None:
    lambda_.headers = {}
    with pytest.raises(ConfigurationError, match=r"is no Lambda: 200 OK\. Name another with --endpoint"):
        client.invoke(Order("f", b"{}"), lambda_.url, io.BytesIO(), print)


def test_where_nobody_answers_it_says_how_to_start_one() -> None:
    with pytest.raises(ConfigurationError, match=r"No local Lambda answers at http.*: .* Start one with: lambent dev"):
        client.invoke(Order("f", b"{}"), f"http://127.0.0.1:{free_port()}", io.BytesIO(), print)


def test_a_server_that_hangs_up_is_told() -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as listener:

        def hang_up() -> None:
            connection, _ = listener.accept()
            connection.recv(10_000)
            connection.close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        with pytest.raises(ConfigurationError, match="hung up before it had answered"):
            client.invoke(Order("f", b"{}"), f"http://127.0.0.1:{listener.getsockname()[1]}", io.BytesIO(), print)
        thread.join()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "Missing argument 'NAME'"),
        (("f", "--event", "nowhere.json"), "expected JSON, a file or - for the standard input, but got 'nowhere.json'"),
        (
            ("f", "--event", "{"),
            "expected JSON, but got '{': Expecting property name enclosed in double quotes: line 1",
        ),
        (("f", "--event", " [1,\n2 3]"), "Expecting ',' delimiter: line 2 column 3"),
        (("f", "--event", "[" * 100_000), "it is nested too deeply"),
        (("f", "--event", ""), "expected JSON, a file or - for the standard input, but got nothing"),
        (("f", "--event", " "), "but got nothing"),
        (("f", "--event", "-"), "expected JSON in the standard input, but got b'{x': Expecting property"),
        (("f", "--client-context", "x"), "expected JSON, but got 'x'"),
        (("f", "--async", "--tail"), "--tail goes without --async"),
        (("f", "--repeat", "0"), "0 is not in the range x>=1"),
        (("f", "--endpoint", "localhost:3000"), "expected a URL such as http://127.0.0.1:3000"),
        (("f", "--endpoint", "http://x:y"), "expected a URL such as"),
    ],
)
def test_what_is_not_understood_ends_with_2(arguments: tuple[str, ...], words: str) -> None:
    result = run(None, *arguments, stdin=b"{x")
    assert result.exit_code == 2
    assert words in " ".join(result.stderr.split())
    assert result.stdout == ""


def test_an_empty_input_is_no_event(lambda_: Lambda) -> None:
    assert run(lambda_, "f", "--event", "-").exit_code == 0
    assert lambda_.asked[0].body == b""


# Where it is


def test_the_shell_comes_first(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.lambent]\nport = 4000\n", "utf-8")
    assert client.find_endpoint({"AWS_ENDPOINT_URL_LAMBDA": "http://h:1"}, tmp_path) == "http://h:1"
    assert client.find_endpoint({}, tmp_path) == "http://127.0.0.1:4000"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "http://127.0.0.1:3000"),
        ("[tool.lambent]\n", "http://127.0.0.1:3000"),
        ('[tool.lambent]\nhost = "0.0.0.0"\nport = 1\n', "http://127.0.0.1:1"),
        ('[tool.lambent]\nhost = "::1"\n', "http://[::1]:3000"),
        ('[tool.lambent]\nport = "x"\nhost = 1\n', "http://127.0.0.1:3000"),
        ("[tool.smyth]\n", "http://127.0.0.1:8080"),
        ("[tool.lambent\n", "http://127.0.0.1:3000"),
    ],
)
def test_the_configuration_comes_next(text: str, expected: str, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(text, "utf-8")
    (tmp_path / "below").mkdir()
    assert client.find_endpoint({}, tmp_path / "below") == expected


def test_an_endpoint_of_the_shell_that_is_none_is_told() -> None:
    with pytest.raises(ConfigurationError, match="expected a URL such as"):
        client.invoke(Order("f", b"{}"), "nonsense", io.BytesIO(), print)


def test_an_endpoint_may_have_a_path(lambda_: Lambda) -> None:
    client.invoke(Order("f", b"{}"), f"{lambda_.url}/below/", io.BytesIO(), print)
    assert lambda_.asked[0].path == "/below/2015-03-31/functions/f/invocations"
