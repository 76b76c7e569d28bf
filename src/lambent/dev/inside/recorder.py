"""Which files of code the process reads, told to the local Lambda as they are read, so also those that then fail.

Python's own loaders are asked, not its finders: whatever finds a module, in most cases it has one of these load it
(PathFinder, the finders of editable installs, `spec_from_file_location`, runpy, `reload`), and `sys.meta_path` and its
members remain as they are.
"""

from __future__ import annotations

import os
import sys
from _socket import AF_INET, IPPROTO_TCP, SOCK_STREAM, TCP_NODELAY, close, socket
from _thread import allocate_lock
from importlib.machinery import ExtensionFileLoader, SourceFileLoader
from time import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from importlib.machinery import ModuleSpec
    from types import ModuleType

PATIENCE = 1.0
"""Seconds in which the local Lambda is to take what it is told. After that it is told nothing any more."""

RECENT = 2.0
"""Seconds after a change for which a file's bytecode is neither read nor written: it knows its source by its size and
by whole seconds only, and may be that of what stood there before."""

RECEIVE = 1 << 16
PATH = "/_lambent/imported"
INSTALLED = (f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}")

# The process's own, whatever an application puts in their place later.
_close, _fsencode, _fstat, _getpid = close, os.fsencode, os.fstat, os.getpid
_abspath, _now = os.path.abspath, time


def install(note: Callable[[str], object], prepare: Mapping[str, Callable[[], object]]) -> None:
    """Have `note` called with the path of each file of code before it is run.

    And what `prepare` has for the name of a module, before that module is run for the first time. What has just been
    changed is compiled from its source.
    """
    stats, create = SourceFileLoader.path_stats, ExtensionFileLoader.create_module
    expected = dict(prepare)

    def path_stats(self: SourceFileLoader, path: str) -> Mapping[str, object]:
        note(path)
        if self.name in expected:
            expected.pop(self.name)()
        found = stats(self, path)
        if found["mtime"] > _now() - RECENT:
            raise OSError(path)  # the loader takes the source, and leaves its bytecode alone
        return found

    def create_module(self: ExtensionFileLoader, spec: ModuleSpec) -> ModuleType:
        note(self.path)
        return create(self, spec)

    for loader, ours, theirs in ((SourceFileLoader, path_stats, stats), (ExtensionFileLoader, create_module, create)):
        ours.__qualname__, ours.__doc__ = theirs.__qualname__, theirs.__doc__
        # tracebacks leave out the frames of the import system, which it knows by their file
        ours.__code__ = ours.__code__.replace(co_filename=theirs.__code__.co_filename)
        setattr(loader, theirs.__name__, ours)


class Recorder:
    """Tells of each file once, if it is the application's: neither Python's own, nor installed, nor below `own`."""

    def __init__(self, tell: Callable[[bytes], object], own: str) -> None:
        self._tell = tell
        self._others = tuple(folder + os.sep for folder in (*library(), own))
        self._seen: set[str] = set()

    def note(self, path: str) -> None:
        if path in self._seen:
            return
        self._seen.add(path)
        path = _abspath(path)
        if not path.startswith(self._others) and not any(map(path.__contains__, INSTALLED)) and "\n" not in path:
            self._tell(_fsencode(path))


def library() -> list[str]:
    """The folders of the standard library. Not sys.prefix: the application may well be below `/usr`."""
    folders = [os.path.dirname(os.__file__)]  # noqa: PTH120 - pathlib costs 5 ms
    if sys.platform == "win32":
        folders.append(os.path.join(sys.base_prefix, "DLLs"))  # noqa: PTH118 - see above
    return folders


class Link:
    """One connection to the local Lambda, opened with the first thing there is to tell, whose answers nobody reads.

    Of the process there may become two, by a fork; and its descriptors may be closed, and their numbers be others'
    then. So each use begins with a look whether this is still ours. No failure here is anybody else's.
    """

    def __init__(self, address: str) -> None:
        host, _, port = address.rpartition(":")
        self._where = host, int(port)
        self._head = f"POST {PATH} HTTP/1.1\r\nHost: {address}\r\nContent-Length: "
        self._gone = False
        self._begin()

    def _begin(self) -> None:
        self._pid = _getpid()
        self._untold: list[bytes] = []
        self._lock = allocate_lock()
        self._number = -1
        self._identity: object = None

    def tell(self, line: bytes) -> None:
        """Send a line, or leave it to the thread that is just sending: nobody waits for the lock."""
        if self._pid != _getpid():
            self._drop()
            self._begin()
        self._untold.append(line)
        while self._untold and not self._gone and self._lock.acquire(False):
            try:
                self._send_all()
            finally:
                self._lock.release()

    def _send_all(self) -> None:
        """In one request; if the connection has ended, once more on a new one."""
        lines = self._untold[:]
        body = b"\n".join(lines)
        request = f"{self._head}{len(body)}\r\n\r\n".encode("ascii") + body
        for last in (False, True):
            try:
                self._send(request)
                break
            except OSError:
                self._drop()
                self._gone = last
        del self._untold[: len(lines)]

    def _send(self, request: bytes) -> None:
        connection = self._kept() or self._opened()
        try:
            drop_answers(connection)
            connection.settimeout(PATIENCE)
            connection.sendall(request, NO_SIGNAL)
        finally:
            self._number = connection.detach()  # an object that is left at exit would warn of itself

    def _kept(self) -> socket | None:
        return socket(AF_INET, SOCK_STREAM, 0, self._number) if self._is_ours() else None

    def _opened(self) -> socket:
        connection = socket(AF_INET, SOCK_STREAM)
        try:
            connection.settimeout(PATIENCE)
            connection.connect(self._where)
            connection.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
        except BaseException:
            connection.close()
            raise
        self._identity = identity(connection.fileno())
        return connection

    def _drop(self) -> None:
        """Close the connection, if it is still ours to be closed."""
        if self._is_ours():
            _close(self._number)
        self._number = -1

    def _is_ours(self) -> bool:
        try:
            return self._number >= 0 and identity(self._number) == self._identity
        except OSError:
            return False


NO_SIGNAL: int = getattr(sys.modules["_socket"], "MSG_NOSIGNAL", 0)
"""A peer that is gone is an OSError, even where SIGPIPE would end the process."""


def identity(number: int) -> object:
    """What tells an open socket from any other with its number. OSError if it is closed."""
    if sys.platform == "win32":  # numbers are not files', and nobody closes them in a row
        return number
    status = _fstat(number)
    return status.st_dev, status.st_ino


def drop_answers(connection: socket) -> None:
    """Take what has come, so that it does not pile up. OSError at the end of the connection."""
    connection.setblocking(False)
    try:
        while connection.recv(RECEIVE):
            pass
    except BlockingIOError:
        return
    raise ConnectionResetError
