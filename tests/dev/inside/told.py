"""A local Lambda that only listens to what starters say, and programs that are started so."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from lambent.dev import child

LIMIT = 60
"""Seconds after which whatever is waited for has failed."""


class Post(NamedTuple):
    path: str
    body: bytes
    connection: int


class Listener:
    """Takes what is posted. `answer` makes the answer: a status, 0 for none, and a body; or None to hang up."""

    def __init__(self, answer: Callable[[Post], tuple[int, bytes] | None] = lambda _: (0, b"")) -> None:
        self.posts: list[Post] = []
        self._more = threading.Condition()
        listener = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                post = Post(self.path, body, self.client_address[1])
                with listener._more:
                    listener.posts.append(post)
                    listener._more.notify_all()
                answered = answer(post)
                if answered is None:
                    self.close_connection = True
                    return
                if not answered[0]:
                    return
                self.send_response(answered[0])
                self.send_header("Content-Length", str(len(answered[1])))
                self.end_headers()
                self.wfile.write(answered[1])

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: object, client_address: object) -> None:
                """A process that has ended hangs up in the middle of answers that it never reads."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=[0.01])
        self.address = f"127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def paths(self) -> list[str]:
        """Of files that were imported."""
        return [line.decode() for post in list(self.posts) for line in post.body.split(b"\n")]

    def names(self, until: str) -> list[str]:
        """Of these, once this is among them: what one process says comes in order."""

        def told() -> bool:
            return any(path.endswith(f"{os.sep}{until}") for path in self.paths)

        with self._more:
            assert self._more.wait_for(told, LIMIT), f"{until} is not among {self.paths}"
        return [Path(path).name for path in self.paths]


class Ended(NamedTuple):
    status: int
    stdout: str
    stderr: str


def run(command: list[str], directory: Path, **variables: str) -> Ended:
    """Run Python with these arguments, without the variables that change its ways."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PYTHON", "LAMBENT_"))}
    done = subprocess.run(
        [sys.executable, *command],
        cwd=directory,
        env={**kept, **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=3 * LIMIT,
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


def start(address: str, module: str, directory: Path, *options: str, **variables: str) -> Ended:
    """Run a module by the starter. Its warnings are errors."""
    return run(
        ["-W", "error", *options, child.__file__, module], directory, AWS_LAMBDA_RUNTIME_API=address, **variables
    )
