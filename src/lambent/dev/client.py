"""`lambent invoke`: one who invokes the functions of a running local Lambda."""

from __future__ import annotations

import base64
import codecs
import http.client
import json
import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import BinaryIO, NamedTuple
from urllib.parse import SplitResult, quote, urlsplit

from lambent.dev import report
from lambent.errors import ConfigurationError

DEFAULT = "http://127.0.0.1:3000"
CONNECT_TIMEOUT = 10
"""Seconds; an answer has no limit, for it comes when the function is done."""

COLD = "\tInit Duration: "
"""What REPORT says of an invocation that its environment was started for."""


class Order(NamedTuple):
    """What to invoke, and how."""

    name: str
    """Or ARN."""
    event: bytes
    asynchronous: bool = False
    tail: bool = False
    client_context: str = ""
    """JSON."""
    repeat: int = 1

    @property
    def headers(self) -> dict[str, str]:
        chosen = {
            "X-Amz-Invocation-Type": "Event" if self.asynchronous else "",
            "X-Amz-Log-Type": "Tail" if self.tail else "",
            "X-Amz-Client-Context": base64.b64encode(self.client_context.encode()).decode("ascii"),
        }
        return {name: value for name, value in chosen.items() if value}


class Answer(NamedTuple):
    """What came of one invocation."""

    headers: http.client.HTTPMessage
    payload: bytes
    seconds: float

    @property
    def failed(self) -> bool:
        return "x-amz-function-error" in self.headers

    @property
    def log(self) -> str:
        """The end of it; empty if it was not asked for."""
        return base64.b64decode(self.headers.get("x-amz-log-result", "")).decode("utf-8", "replace")


def invoke(order: Order, endpoint: str, out: BinaryIO, tell: Callable[[str], None]) -> bool:
    """Payloads go to `out`, a line each, all else is told. Returns whether every invocation went well.

    `ConfigurationError` if there is nobody to ask, or who was asked refuses.
    """
    connection, prefix = connect(endpoint)
    path = f"{prefix}/2015-03-31/functions/{quote(order.name, safe='')}/invocations"
    answers = []
    try:
        for _ in range(order.repeat):
            answer = ask(connection, path, order, endpoint)
            show(order, answer, out, tell)
            answers.append(answer)
    finally:
        connection.close()
    if order.repeat > 1:
        tell(summary(answers))
    return not any(answer.failed for answer in answers)


def connect(endpoint: str) -> tuple[http.client.HTTPConnection, str]:
    """A connection, and what paths begin with. `ConfigurationError` if there is none to be had."""
    try:
        url = read_endpoint(endpoint)
    except ValueError as error:
        raise ConfigurationError(f"The endpoint: {error}.") from None
    kind = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
    connection = kind(url.hostname or "", url.port, timeout=CONNECT_TIMEOUT)
    try:
        connection.connect()
    except OSError as error:
        advice = "Start one with: lambent dev app:app. Or name another with --endpoint"
        raise ConfigurationError(f"No local Lambda answers at {endpoint}: {error}. {advice}.") from None
    connection.sock.settimeout(None)
    connection.timeout = None
    return connection, url.path.rstrip("/")


def read_endpoint(endpoint: str) -> SplitResult:
    """ValueError if it is no URL that can be asked."""
    try:
        url = urlsplit(endpoint)
        usable = url.scheme in ("http", "https") and url.hostname and url.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise ValueError(f"expected a URL such as {DEFAULT}, but got {endpoint!r}")
    return url


def ask(connection: http.client.HTTPConnection, path: str, order: Order, endpoint: str) -> Answer:
    """Invoke once. `ConfigurationError` if it is refused."""
    begun = time.perf_counter()
    try:
        connection.request("POST", path, order.event, order.headers)
        response = connection.getresponse()
        payload = response.read()
    except (OSError, http.client.HTTPException) as error:
        why = str(error) or type(error).__name__
        raise ConfigurationError(f"The local Lambda at {endpoint} hung up before it had answered: {why}.") from None
    seconds = time.perf_counter() - begun
    if "x-amzn-requestid" not in response.headers:
        what = f"{response.status} {response.reason}".strip()
        raise ConfigurationError(f"What answers at {endpoint} is no Lambda: {what}. Name another with --endpoint.")
    if response.status >= 300:
        raise ConfigurationError(refusal(response, payload))
    return Answer(response.headers, payload, seconds)


def refusal(response: http.client.HTTPResponse, payload: bytes) -> str:
    """`ResourceNotFoundException: Function not found: …`"""
    try:
        body = json.loads(payload)
        message = body.get("message") or body.get("Message")
    except (ValueError, AttributeError):
        message = payload.decode("utf-8", "replace")
    return f"{response.headers.get('x-amzn-errortype', response.status)}: {message}"


def show(order: Order, answer: Answer, out: BinaryIO, tell: Callable[[str], None]) -> None:
    if order.asynchronous:
        tell(f"Accepted. RequestId: {answer.headers['x-amzn-requestid']}")
        return
    if answer.log:
        tell(answer.log.rstrip("\n"))
    out.write(answer.payload + b"\n")
    out.flush()
    if answer.failed:
        failure = report.read_failure(answer.payload)
        tell("The function failed. " + ": ".join(filter(None, [failure.error_type, failure.message])))


def summary(answers: list[Answer]) -> str:
    """One line on several invocations."""
    times = sorted(answer.seconds * 1000 for answer in answers)
    p99 = times[-(-len(times) * 99 // 100) - 1]
    failed = sum(answer.failed for answer in answers)
    cold = sum(COLD in answer.log for answer in answers)
    told = [
        f"{len(answers)} invocations",
        f"median {statistics.median(times):.2f} ms",
        f"p99 {p99:.2f} ms",
        *([f"{failed} failed"] if failed else []),
        *([f"{cold} cold start{'s' if cold != 1 else ''}"] if any(answer.log for answer in answers) else []),
    ]
    return ", ".join(told)


def find_endpoint(environ: Mapping[str, str], directory: Path) -> str:
    """Of a local Lambda: the shell's, or else that of the nearest configuration, or else the usual one."""
    return environ.get("AWS_ENDPOINT_URL_LAMBDA") or configured(directory) or DEFAULT


def configured(directory: Path) -> str:
    """By host and port of a pyproject.toml; empty without them. A mistake in it is not this command's to tell."""
    from lambent.dev import config

    try:
        document = config.find(directory.absolute(), ("lambent", "smyth"))
    except ConfigurationError:
        return ""
    for tool, usual in (("lambent", 3000), ("smyth", 8080)):
        if document and document.get("tool", tool) is not None:
            host, port = document.get("tool", tool, "host"), document.get("tool", tool, "port")
            return url(host if isinstance(host, str) else "", port if isinstance(port, int) else usual)
    return ""


def url(host: str, port: int) -> str:
    """Of a server that listens there; an address that stands for all is reached by the loopback's."""
    reached = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://[{reached}]:{port}" if ":" in reached else f"http://{reached}:{port}"


def read_event(text: str, stdin: BinaryIO) -> bytes:
    """`-`, a JSON document, or the name of a file with one. ValueError if it is none of these."""
    if not text.strip():
        raise ValueError("expected JSON, a file or - for the standard input, but got nothing")
    given = text.encode("utf-8", "surrogateescape")
    problem = "" if text == "-" else mistake(given)
    if text != "-" and not problem:
        return given
    try:
        event = stdin.read() if text == "-" else Path(text).read_bytes()
    except (OSError, ValueError) as error:  # ValueError: for a null character
        if text.lstrip().startswith(("{", "[", '"')):
            raise ValueError(f"expected JSON, but got {text[:40]!r}: {problem}") from None
        raise ValueError(f"expected JSON, a file or - for the standard input, but got {text!r}: {error}") from None
    event = event.removeprefix(codecs.BOM_UTF8)
    if event.strip() and (problem := mistake(event)):
        where = "the standard input" if text == "-" else text
        raise ValueError(f"expected JSON in {where}, but got {event[:40]!r}: {problem}")
    return event.strip()


def is_json(text: bytes) -> bool:
    return not mistake(text)


def mistake(text: bytes) -> str:
    """What is wrong with a JSON document, and where; empty if nothing is."""
    try:
        json.loads(text.decode())
    except RecursionError:
        return "it is nested too deeply"
    except ValueError as error:
        return str(error)
    return ""
