"""The local Lambda, all of it but the port: what its parts know of each other."""

from __future__ import annotations

import asyncio
import os
import time
import traceback
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from lambent.dev.asynchronous import Asynchronously
from lambent.dev.authorizers import Authorizers
from lambent.dev.authorizers.caller import NOBODY, Caller
from lambent.dev.authorizers.caller import read as read_caller
from lambent.dev.config import Project
from lambent.dev.doors.model import RawHeaders
from lambent.dev.front_door import FrontDoor
from lambent.dev.hosts import Hosts
from lambent.dev.invoke_api import InvokeAPI
from lambent.dev.model import Function
from lambent.dev.reaper import Reaper
from lambent.dev.reception import Reception
from lambent.dev.routes import Routes
from lambent.dev.routes.sockets import SocketRoutes
from lambent.dev.service import Service
from lambent.dev.sockets import Sockets
from lambent.dev.sockets.live import Limits
from lambent.dev.sockets.storage import STORE, Storage
from lambent.dev.sources import EventSources
from lambent.dev.sources.firing import Firing
from lambent.dev.surroundings import Surroundings
from lambent.dev.terminal import Terminal
from lambent.dev.variables import MANAGEMENT_ENDPOINT
from lambent.dev.watch import Watched, Watcher, expand, files_below
from lambent.errors import ConfigurationError

QUIET = ("warning", "error")
"""Log levels without START, END and REPORT."""

FIXED = ("host", "port", "https", "allowed_hosts")
"""What of a project holds as long as it runs."""

KEPT = "The configuration before that remains in force."

CONFIGURATION = "the configuration"
"""The mark of its file; no function can have this name."""


class Local:
    """Everything behind the port. Must be made in the event loop.

    - `endpoint`: the URL of the port, for functions that invoke others
    - `say`: writes a line for people
    """

    def __init__(self, project: Project, endpoint: str, say: Callable[[str], None]) -> None:
        self._project = project
        self._since = time.time()
        """The configuration was read then, or before."""
        self._endpoint = endpoint
        self._terminal = Terminal(say)
        self._reaper = Reaper()
        self._say = say = self._terminal.say
        self._watcher = Watcher(self._watched, self._changed, lambda path: path == self._variables)
        self.service = Service(self._around, say, self._watcher.refresh, self._watcher.look)
        self._asynchronous = Asynchronously(self.service, say, project.time_scale)
        self._authorizers = Authorizers(self.service, say, caller=caller(project))
        self._front_door = FrontDoor(self.service, routes(project), say, self._authorizers)
        invoke_api = InvokeAPI(self.service, self._asynchronous)
        hosts = Hosts(project.host, project.allowed_hosts, origins(project))
        self._event_sources = EventSources(self.service, self._asynchronous, say, project.time_scale)
        firing = Firing(self._event_sources)
        self._storage = Storage(say, self._reaper.made)
        self.sockets = Sockets(
            self.service,
            socket_routes(project),
            say,
            self._authorizers,
            stranger=self._stranger,
            limits=Limits(Limits().idle / project.time_scale, Limits().life / project.time_scale),
        )
        self.reception = Reception(hosts, self._front_door, invoke_api, self.service, firing, self.sockets)
        self._watching: asyncio.Task[None] | None = None

    async def prepare(self) -> None:
        """Have ready what functions are lent."""
        self._lend()
        await self._storage.made()

    def open(self) -> None:
        """Start the functions, and look after their files."""
        self._tell()
        self._lend()
        self.service.deploy(self._project.functions)
        self._event_sources.deploy(self._project.sources)
        self._watcher.refresh()
        self._watching = asyncio.create_task(self._watch())

    async def drained(self, grace: float) -> None:
        """Wait until every invoker has its answer, `grace` seconds at most; what nobody waits for is told of."""
        sources = asyncio.create_task(self._event_sources.close(grace))
        sockets = asyncio.create_task(self.sockets.close(grace))
        await self._asynchronous.close()
        await self.service.drained(grace)
        await asyncio.gather(sources, sockets)

    async def close(self, grace: float) -> None:
        """End every environment, letting runtimes shut down for `grace` seconds."""
        await self._stop_watching()
        await self._event_sources.close(0)
        await self._asynchronous.close()
        await self.service.close(grace)

    async def end(self) -> None:
        """End at once whatever is left."""
        self.service.kill()
        await self.sockets.end()
        await self.close(0)
        await self._storage.close()
        self._terminal.close()
        self._reaper.close()

    def _stranger(self, headers: RawHeaders) -> str | None:
        """What to tell a client that is not ours. The hosts may be others by then."""
        return self.reception.hosts.refusal(headers)

    def _tell(self) -> None:
        """What of the configuration will not do what it seems to."""
        for line in (*self._project.notes, *self._front_door.routes.doubts, *self.sockets.routes.doubts):
            self._say(line)

    async def _watch(self) -> None:
        try:
            await self._watcher.run()
        except Exception:
            self._say(f"{traceback.format_exc()}Changes of files go unnoticed from here on.")

    async def _stop_watching(self) -> None:
        watching, self._watching = self._watching, None
        if watching is not None:
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching

    def _around(self, function: Function) -> Surroundings:
        """What its environments have around them: lines begin with the function's name where there are several."""
        width = max(len(each.name) for each in self._project.functions)

        def prefixed(text: str) -> None:
            self._say("\n".join(f"{function.name:<{width}} | {line}" for line in text.split("\n")))

        return Surroundings(
            say=self._say if len(self._project.functions) == 1 else prefixed,
            terminal=self._terminal,
            quiet=self._project.log_level in QUIET,
            endpoint=self._endpoint,
            heir=self._reaper,
            lent=self._lent(),
        )

    def _lend(self) -> None:
        """Have a store of connections, if there may be any and somebody has none of their own."""
        own = STORE in os.environ or all(STORE in each.env for each in self._project.functions)
        if self.sockets.routes and not own:
            self._storage.open()

    def _lent(self) -> dict[str, str]:
        """For functions that have to do with WebSockets; any may."""
        store = {STORE: self._storage.url} if self._storage.url else {}
        return {MANAGEMENT_ENDPOINT: self._endpoint, **store} if self.sockets.routes else {}

    def _watched(self) -> Watched:
        """Paths of files, with the names of the functions that are concerned."""
        marks: defaultdict[str, dict[str, float]] = defaultdict(dict)
        functions = self.service.functions
        listed = [str(path) for path in expand(self._project.watch)]
        for name, sources in self.service.sources().items():
            others = () if sources.complete else map(str, files_below(functions[name].app_dir, ".py"))
            for path in (*sources.files, *others, *listed):
                marks[path][name] = sources.since
        for file in filter(None, (self._project.file, *self._project.files, self._variables, self._project.caller)):
            marks[str(file)][CONFIGURATION] = self._since
        return marks

    @property
    def _variables(self) -> str:
        """The file of environment variables, which may come and go."""
        folder = self._project.file.parent if self._project.file else Path.cwd()
        return str(self._project.env_file or folder / ".env")

    def _changed(self, marks: set[str]) -> None:
        if CONFIGURATION in marks:
            self._configure()
        self.service.reload(marks - {CONFIGURATION})

    def _configure(self) -> None:
        """The configuration has been edited; if that is a mistake, all goes on as it was."""
        if self._project.again is None:
            return
        self._since = time.time()
        try:
            project = self._project.again()
            found, sockets, who = routes(project), socket_routes(project), caller(project)
        except ConfigurationError as error:
            self._say(f"{error}\n{KEPT}")
            return
        except Exception:  # a mistake of ours, or of whatever reads it
            self._say(f"{traceback.format_exc()}{KEPT}")
            return
        before, self._project = self._project, project
        if any(getattr(before, name) != getattr(project, name) for name in FIXED):
            self._say("Host, port, https and allowed hosts take effect with the next start.")
        self._front_door.routes = found
        known, borrowed = list(self.service.functions), bool(self.sockets.routes)
        self.sockets.configure(sockets)
        self.reception.hosts = replace(self.reception.hosts, origins=origins(project))
        self._authorizers.caller = who
        self._tell()
        self._lend()
        self.service.deploy(project.functions)
        if borrowed is not bool(sockets):
            self.service.reload(known)
        self._event_sources.deploy(project.sources)
        self._watcher.refresh()


def caller(project: Project) -> Caller:
    return read_caller(project.caller) if project.caller else NOBODY


def origins(project: Project) -> tuple[str, ...]:
    """Those that an entrance names. `*` is none: it would let every page on the web use what runs here."""
    named = [origin for entrance in project.entrances if entrance.cors for origin in entrance.cors.origins]
    return tuple(origin for origin in named if "*" not in origin)


def socket_routes(project: Project) -> SocketRoutes:
    return SocketRoutes(project.functions, project.entrances)


def routes(project: Project) -> Routes:
    return Routes(project.functions, project.entrances, first_match=project.first_match)
