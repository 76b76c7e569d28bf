"""An application running: behind uvicorn in a process of its own, and in the local Lambda with every door open."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from lambent.dev.doors import DOORS
from lambent.dev.front_door import FrontDoor
from lambent.dev.model import Function
from lambent.dev.routes import Routes
from lambent.dev.server import hang_up, http_server, listen
from lambent.dev.service import Service
from lambent.dev.surroundings import Surroundings
from tests.applications.asking import WAIT
from tests.dev.fakes import NoTerminal

FOLDER = Path(__file__).parent


@contextmanager
def uvicorn(application: str) -> Iterator[tuple[int, int]]:
    """The ports of the application at the root and of the same at `/prod`. Whoever connects waits until it is up."""
    with socket.create_server(("127.0.0.1", 0)) as plain, socket.create_server(("127.0.0.1", 0)) as staged:
        sockets = [plain.fileno(), staged.fileno()]
        process = subprocess.Popen(
            [sys.executable, "reference.py", f"{application}_app", *map(str, sockets)],
            cwd=FOLDER,
            pass_fds=sockets,
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            yield plain.getsockname()[1], staged.getsockname()[1]
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(WAIT)


@contextmanager
def local_lambda(application: str) -> Iterator[dict[str, int]]:
    """Door → port, of one function: its environments are real processes that run our runtime."""
    function = Function(
        application, f"{application}_app:app", FOLDER, timeout=WAIT, environments=1, warm=1, memory=1024
    )
    with ExitStack() as stack:
        listeners = {name: stack.enter_context(listen("127.0.0.1", 0)) for name in DOORS}
        stop = threading.Event()
        thread = threading.Thread(target=lambda: asyncio.run(_serve(function, listeners, stop)))
        thread.start()
        try:
            yield {name: listener.getsockname()[1] for name, listener in listeners.items()}
        finally:
            stop.set()
            thread.join(WAIT)


async def _serve(function: Function, listeners: dict[str, socket.socket], stop: threading.Event) -> None:
    """Serve one function behind each door until told to stop."""
    said: list[str] = []
    service = Service(lambda _: Surroundings(said.append, NoTerminal()), said.append)
    service.deploy([function])
    servers = [
        http_server(FrontDoor(service, Routes([replace(function, path="/{proxy+}", door=name)]), said.append))
        for name in listeners
    ]
    serving = [
        asyncio.create_task(server.serve(sockets=[listener]))
        for server, listener in zip(servers, listeners.values(), strict=True)
    ]
    try:
        await asyncio.to_thread(stop.wait)
    finally:
        await service.close(2)
        await asyncio.gather(*map(hang_up, servers, serving))
