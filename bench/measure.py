"""Rounds, medians, ratios: peers side by side, so that what slows the machine slows them all."""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple, TypeVar

T = TypeVar("T")

ROOT = Path(__file__).parent.parent


class Effort(NamedTuple):
    """How much is measured."""

    rounds: int
    batch_seconds: float
    """`warm`: how long one peer's turn takes."""
    import_rounds: int
    runtime_rounds: int
    few: int
    """`runtime`: invocations of the run that is taken off the other, so that start-up cancels."""
    many: int
    starts: int
    """`local`: how often each local Lambda is started."""
    requests: int
    """`local`: warm requests to each of them."""
    load_seconds: float
    """`local`: how long requests are sent at most."""
    reloads: int
    """`local`: of each start."""
    installs: bool
    """`local`, `build`: whether the peers are measured too that have to be installed first, by npm and by uv."""
    sockets: int
    """`broadcast`: clients of each server."""
    broadcasts: int


FULL = Effort(
    21,
    0.02,
    41,
    5,
    few=500,
    many=5000,
    starts=5,
    requests=1000,
    load_seconds=2,
    reloads=2,
    installs=True,
    sockets=1000,
    broadcasts=11,
)
QUICK = Effort(
    1,
    0.001,
    1,
    1,
    few=2,
    many=60,
    starts=1,
    requests=3,
    load_seconds=0.1,
    reloads=1,
    installs=False,
    sockets=5,
    broadcasts=1,
)


def take_turns(turns: Sequence[Callable[[], T]], rounds: int) -> list[list[T]]:
    """Measure each once in every round. Another one begins each round, so that none always follows the same.

    Returns what each gave, one for each round.
    """
    figures: list[list[T]] = [[] for _ in turns]
    for number in range(rounds):
        for place in range(len(turns)):
            index = (number + place) % len(turns)
            figures[index].append(turns[index]())
    return figures


class Ratio(NamedTuple):
    """Of two peers: the median of each round's ratio, and the rounds where it was lowest and highest."""

    middle: float
    lowest: float
    highest: float

    def __str__(self) -> str:
        return f"{self.middle:.2f}x ({self.lowest:.2f}-{self.highest:.2f})"


def ratio(figures: Sequence[float], base: Sequence[float]) -> Ratio:
    each = [figure / under for figure, under in zip(figures, base, strict=True)]
    return Ratio(median(each), min(each), max(each))


class Usage(NamedTuple):
    """What a child process took, in seconds."""

    processor: float
    """User and system time."""
    wall: float


def spent(usage: resource.struct_rusage) -> float:
    return usage.ru_utime + usage.ru_stime


def run(command: tuple[str, ...], environ: dict[str, str]) -> Usage:
    """Run a command to its end. RuntimeError if it fails."""
    begin = time.perf_counter()
    pid = os.posix_spawn(command[0], command, environ)
    _, status, usage = os.wait4(pid, 0)
    wall = time.perf_counter() - begin
    if status != 0:
        raise RuntimeError(f"{command} ended with status {os.waitstatus_to_exitcode(status)}.")
    return Usage(spent(usage), wall)


def clean_environ(**more: str) -> dict[str, str]:
    """The environment without what changes how Python starts or writes; `PYTHONPATH` may be how Lambent is found."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name == "PYTHONPATH" or not name.startswith(("PYTHON", "AWS_", "LAMBDA_"))
    }
    return kept | more
