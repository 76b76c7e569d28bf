"""Which files have changed since functions read them.

The system's notifications say when to look, and a look is taken four times a second all the same: some file systems
notify of nothing, and a change may come before notifications are asked for. What has changed is told by the files
themselves.
"""

from __future__ import annotations

import asyncio
import os
import re
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

LOOK_MS = 250
"""Milliseconds after which a look is taken without a notification."""

SETTLE_MS = 20
"""Milliseconds without another change after which a change is looked at: tools write several files in a row."""

GONE = 0.5
"""Seconds after which a file is gone that was there: who writes it anew may take it away before."""

FRESH = 2.0
"""Seconds that it takes, at most, from a function's reading a file until that file is first looked at."""

FOLDERS = 1000
"""Of an application that says nothing of what it has read; further ones are not looked into."""

Watched = Mapping[str, Mapping[str, float]]
"""Paths of files, each with the marks of those whom a change concerns, and since when: as `time.time` has it, none of
them read the file before."""


class Print(NamedTuple):
    """What tells one state of a file from another."""

    inode: int
    size: int
    modified: int
    """In nanoseconds."""


NOTHING_THERE = Print(0, 0, 0)
"""Of a file that is gone."""


class Watcher:
    """Looks after files until it is cancelled. Made in the event loop.

    - `watched`: what is to be looked after now
    - `changed`: called with the marks of those who are concerned by what has changed
    - `optional`: whether a file need not be there, so that its going is a change, as its coming is
    """

    def __init__(
        self,
        watched: Callable[[], Watched],
        changed: Callable[[set[str]], None],
        optional: Callable[[str], bool] = lambda _: False,
    ) -> None:
        self._watched = watched
        self._changed = changed
        self._optional = optional
        self._loop = asyncio.get_running_loop()
        self._now: Watched = {}
        self._prints: dict[str, Print] = {}
        self._missed: dict[str, float] = {}
        """Since when files are missed that were there, on the loop's clock."""
        self._again = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._over = False

    def refresh(self) -> None:
        """There are other files to look after. Of many such calls in a row one is acted upon."""
        if self._timer is None and not self._over:
            self._timer = self._loop.call_later(SETTLE_MS / 1000, self._refresh)

    async def run(self) -> None:
        """Look until cancelled."""
        try:
            while True:
                self._again.clear()
                if folders := self._folders():
                    await self._listen(folders)
                else:
                    await self._again.wait()
        finally:
            self._over = True
            if self._timer is not None:
                self._timer.cancel()

    async def _listen(self, folders: set[str]) -> None:
        """Until others are to be listened to."""
        reasons = notifications(folders, self._again)
        while True:
            try:
                others = await anext(reasons, None)
            except (ImportError, OSError, RuntimeError):  # a folder has gone, or there are more than the system takes
                await asyncio.sleep(LOOK_MS / 1000)
                self._refresh()
                return
            if others is None:
                return
            if others:
                self.refresh()
            self.look()

    def _refresh(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        folders = self._folders()
        self._now = self._watched()
        self._prints = {path: seen for path, seen in self._prints.items() if path in self._now}
        if self._folders() != folders:
            self._again.set()
        self.look()

    def _folders(self) -> set[str]:
        return {str(folder) for folder in {Path(path).parent for path in self._now} if folder.is_dir()}

    def look(self) -> None:
        """Compare every file with what it was at the last look.

        One that is gone may come back: it has not changed, or not yet if it is optional.
        """
        marks: set[str] = set()
        if self._over:
            return
        for path, concerned in self._now.items():
            known = self._prints.get(path)
            seen = fingerprint(path)
            if seen is None:
                seen = self._absence(path)
            else:
                self._missed.pop(path, None)
            if seen is None or seen == known:
                continue
            self._prints[path] = seen
            appeared = 0.0 if known else since(path)
            marks.update(mark for mark, began in concerned.items() if known or began <= appeared)
        if marks:
            self._changed(marks)

    def _absence(self, path: str) -> Print | None:
        """Of a file that is not there: whether it is gone for good. None if that cannot be told, or was never there."""
        if path not in self._prints or not self._optional(path):
            return None
        now = self._loop.time()
        return NOTHING_THERE if now - self._missed.setdefault(path, now) >= GONE else None


async def notifications(folders: Iterable[str], stop: asyncio.Event) -> AsyncIterator[bool]:
    """Whenever there is a reason to look; true if there may be other files than before.

    Until `stop`. OSError or RuntimeError if the system does not take it, ImportError without watchfiles.
    """
    from watchfiles import Change, awatch

    async for changes in awatch(
        *sorted(folders),
        watch_filter=None,
        debounce=10 * SETTLE_MS,
        step=SETTLE_MS,
        rust_timeout=LOOK_MS,
        yield_on_timeout=True,
        stop_event=stop,
        recursive=False,
        ignore_permission_denied=True,
    ):
        yield any(change is not Change.modified for change, _ in changes)


def fingerprint(path: str) -> Print | None:
    """None for a file that is not there."""
    try:
        found = Path(path).stat()
    except OSError:
        return None
    return Print(found.st_ino, found.st_size, found.st_mtime_ns)


def since(path: str) -> float:
    """When what is there came there, if that is so little ago that somebody may have read what was there before.

    0 for longer ago, and for a time that is yet to come.
    """
    try:
        found = Path(path).stat()
    except OSError:
        return 0.0
    now = time.time()
    came = max(found.st_mtime, found.st_ctime)
    return came if now - FRESH <= came <= now else 0.0


def expand(listed: Iterable[Path]) -> Iterator[Path]:
    """The files that paths mean: themselves, those below a folder, those that a pattern with `*` fits."""
    for path in listed:
        if path.is_dir():
            yield from files_below(path)
        elif any("*" in part for part in path.parts):
            yield from glob(path)
        else:
            yield path


def glob(pattern: Path) -> Iterator[Path]:
    """The files that it fits. `**` within a component is `*`: before Python 3.13 it is an error."""
    fixed = Path(pattern.anchor)
    rest = list(pattern.parts[1:] if pattern.anchor else pattern.parts)
    while rest and "*" not in rest[0]:
        fixed /= rest.pop(0)
    rest = [part if part == "**" else re.sub(r"\*\*+", "*", part) for part in rest]
    yield from (each for each in fixed.glob("/".join(rest)) if each.is_file())


def files_below(folder: Path, suffix: str = "") -> Iterator[Path]:
    """Every file, but for what tools keep for themselves: hidden folders, caches, virtual environments."""
    for count, (here, folders, files) in enumerate(os.walk(folder)):
        if count >= FOLDERS:
            return
        folders[:] = [each for each in folders if is_source(Path(here, each))]
        yield from (Path(here, each) for each in files if each.endswith(suffix))


def is_source(folder: Path) -> bool:
    if folder.name.startswith(".") or folder.name in ("__pycache__", "node_modules", "site-packages"):
        return False
    return not (folder / "pyvenv.cfg").exists()
