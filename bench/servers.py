"""Local Lambdas side by side: how each is told of the same function, started and ended."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import psutil

from bench.measure import ROOT, clean_environ
from bench.table import named

ENVIRONMENTS = 10
PATIENCE = 60.0
"""Seconds that a server may take to start or to reload."""

HANDLER = """
import json

VERSION = {version}  # {padding}


def handler(event, context):
    body = json.dumps({{"version": VERSION, "n": event["queryStringParameters"]["n"]}})
    return {{"statusCode": 200, "headers": {{"content-type": "application/json"}}, "body": body}}
"""

SMYTH = f"""
[tool.smyth]
log_level = "ERROR"

[tool.smyth.handlers.items]
handler_path = "app.handler"
url_path = "/{{path:path}}"
concurrency = {ENVIRONMENTS}
log_level = "ERROR"
"""

NOT_ASKED_FOR = ("httptools", "uvloop", "watchfiles")
"""What uvicorn takes where it is installed. Smyth asks for uvicorn alone, so that its users do without."""

OFFLINE = """
service: bench
frameworkVersion: "3"
provider: {{name: aws, runtime: python3.11, region: us-east-1}}
plugins: [serverless-offline]
functions: {{items: {{handler: app.handler, events: [{{httpApi: "*"}}]}}}}
custom: {{serverless-offline: {{httpPort: {port}, lambdaPort: {other}}}}}
"""
NODE_PACKAGES = ("serverless@3.40.0", "serverless-offline@13.9.0")
NODE_FOLDER = ROOT / ".cache" / "serverless-offline"


class Peer(NamedTuple):
    """A kind of local Lambda."""

    title: str
    write: Callable[[Path, int], None]
    """Its own files, into the folder where `app.py` is; it is to listen on the port."""
    command: Callable[[int], list[str]]
    serves: Callable[[list[str]], bool]
    """Of a process of its family, by its command line: whether it is the server, and no environment."""
    reloads: bool


class Running(NamedTuple):
    """One that is ready."""

    folder: Path
    address: str
    """`host:port`"""
    ready: float
    """Seconds from its start to its first right reply, a cold start within."""
    process: psutil.Process


def peers(*, node: bool) -> tuple[list[Peer], str]:
    """Lambent first, and why one is missing; `node`: whether to look for the one that npm installs."""
    own = [
        Peer("Lambent", lambda folder, port: None, lambent, lambda line: "dev" in line, reloads=True),
        Peer(named("smyth"), write_smyth, smyth, lambda line: not line[0].startswith("smyth:"), reloads=True),
    ]
    if not node:
        return own, "serverless-offline is left out."
    if problem := install_offline():
        return own, f"serverless-offline is left out: {problem}"
    name = NODE_PACKAGES[1].replace("@", " ")
    return [*own, Peer(name, write_offline, offline, lambda line: "node" in line[0], reloads=False)], ""


def lambent(port: int) -> list[str]:
    return [sys.executable, "-s", "-m", "lambent", "dev", "app:handler", "--port", str(port)]


def smyth(port: int) -> list[str]:
    return [sys.executable, "-s", "-m", "smyth", "--host", "127.0.0.1", "--port", str(port)]


def offline(port: int) -> list[str]:
    return ["node", str(NODE_FOLDER / "node_modules/.bin/serverless"), "offline", "--noPrependStageInUrl"]


def write_smyth(folder: Path, port: int) -> None:
    (folder / "pyproject.toml").write_text(SMYTH, "utf-8")
    for module in NOT_ASKED_FOR:
        (folder / f"{module}.py").write_text(f'raise ImportError("no {module} for Smyth")\n', "ascii")


def write_offline(folder: Path, port: int) -> None:
    (folder / "serverless.yml").write_text(OFFLINE.format(port=port, other=free_port()), "utf-8")
    (folder / "node_modules").symlink_to(NODE_FOLDER / "node_modules")


def install_offline() -> str:
    """Have npm install it, once. Returns why that cannot be."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        return "there is no npm."
    done = NODE_FOLDER / "done"
    if done.exists() and done.read_text("ascii").split() == list(NODE_PACKAGES):
        return ""
    NODE_FOLDER.mkdir(parents=True, exist_ok=True)
    options = ["--no-audit", "--no-fund", "--ignore-scripts", "--loglevel", "error", "--prefix", str(NODE_FOLDER)]
    try:
        subprocess.run(["npm", "install", *options, *NODE_PACKAGES], check=True, capture_output=True, timeout=600)
    except (OSError, subprocess.SubprocessError) as error:
        return f"npm could not install it ({type(error).__name__})."
    done.write_text(" ".join(NODE_PACKAGES), "ascii")
    return ""


@contextmanager
def started(peer: Peer) -> Iterator[Running]:
    """The peer, ready, with `app.handler` in a folder of its own; ended with everything that it started."""
    with TemporaryDirectory() as name:
        folder, port = Path(name), free_port()
        save(folder, 1)
        peer.write(folder, port)
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
        environ = clean_environ(PATH=path, SLS_TELEMETRY_DISABLED="1", SLS_NOTIFICATIONS_MODE="off")
        begin = time.perf_counter()
        with (folder / "errors.txt").open("wb") as errors:
            process = psutil.Popen(
                peer.command(port), cwd=folder, env=environ, stdout=subprocess.DEVNULL, stderr=errors
            )
        try:
            wait_for_reply(peer, process, port, folder / "errors.txt")
            yield Running(folder, f"127.0.0.1:{port}", time.perf_counter() - begin, process)
        finally:
            end(process)


def save(folder: Path, version: int) -> None:
    """Write `app.py`, each version of another size.

    Python takes compiled code for good that was made from a file of the same second and size.
    """
    (folder / "app.py").write_text(HANDLER.format(version=version, padding="-" * version), "utf-8")


def wait_for_reply(peer: Peer, process: psutil.Popen, port: int, errors: Path) -> None:
    deadline = time.perf_counter() + PATIENCE
    while time.perf_counter() < deadline:
        if process.poll() is not None:
            told = errors.read_text("utf-8", "replace")[-1000:]
            raise RuntimeError(f"{peer.title} ended with status {process.returncode} before it was ready: {told}")
        connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        with suppress(OSError, HTTPException):
            connection.request("GET", "/items?n=0")
            response = connection.getresponse()
            if response.read() and response.status == 200:
                return
        connection.close()
        time.sleep(0.002)
    raise RuntimeError(f"{peer.title} was not ready in {PATIENCE:g} s.")


def megabytes(peer: Peer, running: Running) -> float:
    """Resident memory of the server, without its environments."""
    family = [running.process, *running.process.children(recursive=True)]
    return sum(each.memory_info().rss for each in family if peer.serves(each.cmdline())) / 2**20


def end(process: psutil.Popen) -> None:
    """At once, and everything that it started: not every peer sees to that by itself."""
    family: list[psutil.Process] = []
    with suppress(psutil.NoSuchProcess):
        family = process.children(recursive=True)
    for each in [process, *family]:
        with suppress(psutil.NoSuchProcess):
            each.kill()
    process.wait()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port
