"""The local Lambda, all of it but the port: what its parts know of each other."""

from __future__ import annotations

import asyncio
import time
import traceback
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress

from lambent.dev.asynchronous import Asynchronously
from lambent.dev.config import Project
from lambent.dev.front_door import FrontDoor
from lambent.dev.hosts import Hosts
from lambent.dev.invoke_api import InvokeAPI
from lambent.dev.model import Function
from lambent.dev.reception import Reception
from lambent.dev.routes import Routes
from lambent.dev.service import Service
from lambent.dev.surroundings import Surroundings
from lambent.dev.terminal import Terminal
from lambent.dev.watch import Watched, Watcher, expand, files_below
from lambent.errors import ConfigurationError

QUIET = ("warning", "error")
"""Log levels without START, END and REPORT."""

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
        self._say = say = self._terminal.say
        self._watcher = Watcher(self._watched, self._changed)
        self.service = Service(self._around, say, self._watcher.refresh)
        self._asynchronous = Asynchronously(self.service, say, project.time_scale)
        self._front_door = FrontDoor(self.service, routes(project), say)
        invoke_api = InvokeAPI(self.service, self._asynchronous)
        hosts = Hosts(project.host, project.allowed_hosts)
        self.reception = Reception(hosts, self._front_door, invoke_api, self.service)
        self._watching: asyncio.Task[None] | None = None

    def open(self) -> None:
        """Start the functions, and look after their files."""
        self.service.deploy(self._project.functions)
        self._watcher.refresh()
        self._watching = asyncio.create_task(self._watch())

    async def drained(self, grace: float) -> None:
        """Wait until every invoker has its answer, `grace` seconds at most; what nobody waits for is told of."""
        await self._asynchronous.close()
        await self.service.drained(grace)

    async def close(self, grace: float) -> None:
        """End every environment, letting runtimes shut down for `grace` seconds."""
        await self._stop_watching()
        await self._asynchronous.close()
        await self.service.close(grace)

    async def end(self) -> None:
        """End at once whatever is left."""
        self.service.kill()
        await self.close(0)
        self._terminal.close()

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
        )

    def _watched(self) -> Watched:
        """Paths of files, with the names of the functions that are concerned."""
        marks: defaultdict[str, dict[str, float]] = defaultdict(dict)
        functions = self.service.functions
        listed = [str(path) for path in expand(self._project.watch)]
        for name, sources in self.service.sources().items():
            others = () if sources.complete else map(str, files_below(functions[name].app_dir, ".py"))
            for path in (*sources.files, *others, *listed):
                marks[path][name] = sources.since
        for file in filter(None, (self._project.file, self._project.env_file)):
            marks[str(file)][CONFIGURATION] = self._since
        return marks

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
        except ConfigurationError as error:
            self._say(f"{error}\nThe configuration before that remains in force.")
            return
        before, self._project = self._project, project
        if (before.host, before.port, before.allowed_hosts) != (project.host, project.port, project.allowed_hosts):
            self._say("Host, port and allowed hosts take effect with the next start.")
        self._front_door.routes = routes(project)
        self.service.deploy(project.functions)
        self._watcher.refresh()


def routes(project: Project) -> Routes:
    return Routes(project.functions, first_match=project.first_match)
