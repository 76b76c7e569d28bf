"""What an environment has around it: who started it, and what it is lent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple, Protocol

from lambent.dev.variables import ENDPOINT

if TYPE_CHECKING:
    from lambent.dev.environment import Environment
    from lambent.dev.model import Failed


class Supervisor(Protocol):
    """Who started the environment."""

    def ready(self, environment: Environment) -> None:
        """It has room for an invocation."""

    def init_failed(self, failure: Callable[[str], Failed]) -> None:
        """It will never be ready. `failure` says so to an invoker, given the request id."""

    def died(self) -> None:
        """Its process has ended."""

    def imported(self, paths: list[str]) -> None:
        """It has read these files of code."""


class Lender(Protocol):
    """Who has the terminal: see `lambent.dev.terminal.Terminal`."""

    def lend(self, group: int, grant: Callable[[str | None, str], None]) -> None: ...
    def take_back(self, group: int) -> None: ...


class Heir(Protocol):
    """Who ends process groups when the local Lambda no longer can: see `lambent.dev.reaper.Reaper`."""

    def started(self, group: int) -> None: ...
    def ended(self, group: int) -> None: ...


class NoHeir:
    """They are left to themselves."""

    def started(self, group: int) -> None: ...
    def ended(self, group: int) -> None: ...


class Surroundings(NamedTuple):
    """What an environment has around it."""

    say: Callable[[str], None]
    """Writes a line for people."""
    terminal: Lender
    quiet: bool = False
    """Whether START, END and REPORT are left out."""
    endpoint: str = ""
    """The URL of the Invoke API, for functions that invoke others."""
    heir: Heir = NoHeir()
    lent: Mapping[str, str] = MappingProxyType({})
    """More environment variables, unless they are set to something else."""

    @property
    def presets(self) -> dict[str, str]:
        """All environment variables that may be set to something else."""
        return {**({ENDPOINT: self.endpoint} if self.endpoint else {}), **self.lent}
