"""The local Lambda beside a test: in a thread with an event loop of its own, functions in processes of theirs.

    with LocalLambda("path/to/the/project") as local:
        local.client.get("/items").json()
        local.invoke("worker", events.sqs({"id": 7}))

All that `lambent dev` does is done, but for what belongs to its terminal: the port is a free one, nothing is printed.
"""

from __future__ import annotations

import asyncio
import http.client
import os
import re
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import fields, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import SplitResult, quote, urlsplit

from lambent.dev import certificate, config, report, server
from lambent.dev.client import read_endpoint
from lambent.dev.config import Project
from lambent.dev.model import Function
from lambent.dev.program import check
from lambent.dev.reception import STATUS
from lambent.errors import ConfigurationError, InvocationFailed, PlatformError
from lambent.testing.front import payload
from lambent.testing.requests import Order, Verbs
from lambent.testing.response import Response

LIMIT = 30.0
"""Seconds that starting, stopping, a connection and a line of the log may take."""

ALONE = frozenset({"functions", "again", "file"})
"""Fields of a project that nobody changes from outside."""


class LocalLambda:
    """A local Lambda that runs while it is entered, or between `start` and `stop`.

    - `project`: a Project, a Function, or the folder of a pyproject.toml (or one above it has it); such a file itself
    - `env`: environment variables of every function, over their own
    - `changes`: fields of the Project, such as `log_level`. The port is a free one if it is not among them.

    Raises ConfigurationError for mistakes in any of that.
    """

    def __init__(
        self,
        project: Project | Function | Path | str = ".",
        *,
        env: Mapping[str, str] | None = None,
        **changes: Any,
    ) -> None:
        self.project = changed(read(project), env or {}, {"port": 0, **changes})
        self._log: list[str] = []
        self._news = threading.Condition()
        self._thread: threading.Thread | None = None
        self._listening: SplitResult | None = None
        self._context: ssl.SSLContext | None = None
        self._stop: Callable[[], None] | None = None
        self._ready = False
        self._failure: BaseException | None = None

    # Its life

    def start(self) -> None:
        """Raises ConfigurationError if the port cannot be had, and whatever else keeps it from running."""
        if self._thread is not None:
            raise ConfigurationError("The local Lambda runs already: stop it first, or make another one.")
        shown = certificate.of_project(self.project, os.environ) if self.project.https else None
        listener = server.listen(self.project.host, self.project.port)
        self._listening = urlsplit(reached(server.url(listener, shown)))
        self._context = ssl.create_default_context(cafile=shown.authority) if shown else None
        self._ready, self._failure, self._stop = False, None, None

        def run() -> None:
            try:
                with listener:
                    asyncio.run(server.serve(self.project, listener, self._say, shown, self._stopping, self._is_ready))
            except BaseException as error:
                self._failure = error
            with self._news:
                self._news.notify_all()

        self._thread = threading.Thread(target=run, name="lambent local Lambda", daemon=True)
        try:
            with self._news:
                self._thread.start()
                begun = self._news.wait_for(lambda: self._ready or self._failure, LIMIT)
        except BaseException:  # Ctrl-C
            self.stop()
            raise
        if not begun or self._failure is not None:
            self.stop()
            raise PlatformError(f"The local Lambda was not ready within {LIMIT:g} s.\n{self.logs}")

    def stop(self) -> None:
        """End it, with all processes. Raises what it has failed with, if it has."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        with self._news:  # a start that was interrupted may not be that far
            self._news.wait_for(lambda: self._stop or self._failure, LIMIT)
        for _ in range(2):  # the second time insists
            if self._stop is not None:
                with suppress(RuntimeError):  # it has ended by itself
                    self._stop()
            thread.join(LIMIT)
            if not thread.is_alive():
                break
        else:
            raise PlatformError(f"The local Lambda has not ended within {LIMIT:g} s.\n{self.logs}")
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        begun = asyncio.ensure_future(asyncio.to_thread(self.start))
        try:
            await asyncio.shield(begun)
        except asyncio.CancelledError:
            await asyncio.wait([begun])  # its thread goes on, whoever is cancelled
            if not begun.exception():
                await asyncio.to_thread(self.stop)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await asyncio.shield(asyncio.to_thread(self.stop))

    # While it runs

    @property
    def url(self) -> str:
        """Where it listens, and where AWS's SDKs find its Invoke API: `http://127.0.0.1:40123`."""
        return self._where.geturl()

    @property
    def client(self) -> HTTPClient:
        """Sends HTTP requests to it, each over a connection of its own."""
        return HTTPClient(self._where, self._context)

    def invoke(self, name: str, event: object = None) -> Any:
        """The function's result. Raises InvocationFailed if it fails, ConfigurationError if it is not there."""
        headers = [(b"content-type", b"application/json"), (b"x-amz-log-type", b"Tail")]
        path = f"/2015-03-31/functions/{quote(name, safe='')}/invocations"
        response = self.client.ask("POST", path, headers, payload(event))
        if response.status >= 300:
            raise ConfigurationError(f"{response.headers.get('x-amzn-errortype', response.status)}: {told(response)}")
        if "x-amz-function-error" in response.headers:
            raise failed(name, response)
        return response.json() if response.body else None

    def status(self) -> Any:
        """What runs: functions by name, each with its environments."""
        return self.client.ask("GET", STATUS, [], b"").json()

    @property
    def logs(self) -> str:
        """What it has said so far: START, END and REPORT, and what functions have printed."""
        with self._news:
            return "\n".join(self._log)

    def wait_for_log(self, pattern: str, timeout: float = LIMIT) -> re.Match[str]:
        """Until the logs have it: what a function prints may come a moment after its reply. TimeoutError if not."""
        found: list[re.Match[str]] = []

        def there() -> bool:
            found.extend(filter(None, [re.search(pattern, "\n".join(self._log))]))
            return bool(found)

        with self._news:
            if not self._news.wait_for(there, timeout):
                raise TimeoutError(f"The logs have had no {pattern!r} for {timeout:g} s:\n" + "\n".join(self._log))
        return found[0]

    # In its thread

    def _say(self, text: str) -> None:
        with self._news:
            self._log.append(text)
            self._news.notify_all()

    def _is_ready(self) -> None:
        with self._news:
            self._ready = True
            self._news.notify_all()

    @contextmanager
    def _stopping(self) -> Iterator[tuple[asyncio.Event, asyncio.Event]]:
        """As `server.stopping`, by `stop` rather than by signals."""
        loop = asyncio.get_running_loop()
        asked, insisted = asyncio.Event(), asyncio.Event()

        def stop() -> None:
            loop.call_soon_threadsafe((insisted if asked.is_set() else asked).set)

        with self._news:
            self._stop = stop
            self._news.notify_all()
        yield asked, insisted

    @property
    def _where(self) -> SplitResult:
        if self._thread is None or self._listening is None:
            raise ConfigurationError("The local Lambda does not run: use it in `with LocalLambda(...) as local:`.")
        return self._listening


class HTTPClient(Verbs[Response]):
    """Sends requests to a server, and waits for the responses."""

    def __init__(self, where: SplitResult, context: ssl.SSLContext | None) -> None:
        self._where = where
        self._context = context

    def send(self, order: Order) -> Response:
        """Raises OSError and http.client.HTTPException if there is no response, or one that breaks off."""
        request, authorizer, _ = order
        if authorizer is not None:
            raise ConfigurationError("authorizer: expected none here, where the project's own authorizers decide.")
        host = [] if order.is_located else [(b"host", self._where.netloc.encode())]
        kept = [field for field in request.headers if field[0] not in (b"content-length", *(name for name, _ in host))]
        query = b"?" + request.query_string if request.query_string else b""
        return self.ask(request.method, (request.raw_path + query).decode("ascii"), host + kept, request.body)

    def ask(self, method: str, target: str, headers: list[tuple[bytes, bytes]], body: bytes) -> Response:
        """Headers go as they are; the length is added."""
        host, port = self._where.hostname or "", self._where.port
        connection = (
            http.client.HTTPSConnection(host, port, timeout=LIMIT, context=self._context)
            if self._context
            else http.client.HTTPConnection(host, port, timeout=LIMIT)
        )
        with closing(connection):
            connection.connect()
            connection.sock.settimeout(None)  # a function may take its time, which has a limit of its own
            named = {name for name, _ in headers}
            connection.putrequest(method, target, skip_host=b"host" in named, skip_accept_encoding=True)
            for name, value in headers:
                connection.putheader(name, value)
            if body or method in ("POST", "PUT", "PATCH"):
                connection.putheader("content-length", str(len(body)))
            connection.endheaders(body or None)
            answer = connection.getresponse()
            fields = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.getheaders()]
            return Response(answer.status, fields, answer.read())


def read(project: Project | Function | Path | str) -> Project:
    """Raises ConfigurationError for what is none."""
    if isinstance(project, Function):
        return Project((project if project.path or project.routes else replace(project, path="/{proxy+}"),))
    if isinstance(project, Project):
        return project
    path = Path(project).absolute()
    if not path.exists():
        raise ConfigurationError(f"Expected a project, or the folder of one, but got {path}, which is not there.")
    found = config.load(path.parent if path.is_file() else path, os.environ, file=path if path.is_file() else None)
    if found is None or not found.functions:
        raise ConfigurationError(
            f"Expected functions in [tool.lambent] of a pyproject.toml in {path} or above, but there are none. "
            f"Such as:\n\n{config.EXAMPLE}"
        )
    return found


def changed(project: Project, env: Mapping[str, str], changes: Mapping[str, Any]) -> Project:
    """Raises ConfigurationError for a mistake."""
    known = [each.name for each in fields(Project) if each.name not in ALONE]
    if unknown := sorted(set(changes) - set(known)):
        raise ConfigurationError(f"Expected changes of {', '.join(known)}, but got {', '.join(unknown)}.")
    functions = tuple(replace(each, env={**each.env, **env}) for each in project.functions)
    made = replace(project, functions=functions, **changes)
    check(made)
    return made


def told(response: Response) -> str:
    """Why the Invoke API refuses."""
    try:
        return str(response.json()["Message"])
    except (ValueError, LookupError, TypeError):
        return response.text


def failed(name: str, response: Response) -> InvocationFailed:
    """What the function says of its failure."""
    failure = report.read_failure(response.body)
    what = ": ".join(filter(None, [failure.error_type, failure.message]))
    error = InvocationFailed(f"{name} has failed: {what}", failure.error_type)
    if failure.stack:
        error.add_note(failure.stack)
    return error


def reached(url: str) -> str:
    """Of a server that listens on every address, the loopback's."""
    where = read_endpoint(url)
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(where.hostname or "")
    return where._replace(netloc=f"{host}:{where.port}").geturl() if host else url
