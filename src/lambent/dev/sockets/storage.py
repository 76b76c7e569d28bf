"""The store that functions are lent for what they keep of connections: a file, there from the start to the end."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from lambent.errors import LambentError
from lambent.stores import open_store

STORE = "LAMBENT_STORE"
"""Where Lambent finds its store."""


class Storage:
    """A store of SQLite in a folder of its own.

    - `url`: empty if there is none
    - `say`: takes a line for people
    - `made`: is told of the folder
    """

    def __init__(self, say: Callable[[str], None], made: Callable[[Path], object] = bool) -> None:
        self.url = ""
        self._say = say
        self._made = made
        self._folder: Path | None = None
        self._making: asyncio.Task[None] | None = None

    def open(self) -> None:
        """Make it, unless it is there. Before `made`, its tables may not be."""
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="lambent-"))
            self._made(self._folder)
            self.url = f"sqlite:///{self._folder.as_posix()}/connections.db"
            self._making = asyncio.create_task(self._make(self.url))

    async def made(self) -> None:
        """Wait until it can be used, or is known not to be."""
        if self._making is not None:
            await self._making

    async def close(self) -> None:
        """Remove it."""
        if self._making is not None:
            self._making.cancel()
            with suppress(asyncio.CancelledError):
                await self._making
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
        self.url, self._folder, self._making = "", None, None

    async def _make(self, url: str) -> None:
        try:
            store = open_store(url)
            try:
                await store.init()
            finally:
                await store.close()  # also where `close` has cancelled it: what a thread still makes is waited for
        except (ImportError, OSError, LambentError) as error:  # a Python may be without SQLite
            self.url = ""
            self._say(f"There is no store of WebSocket connections: {error}\nSet {STORE} to the URL of one.")
