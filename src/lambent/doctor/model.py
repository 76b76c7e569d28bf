"""Facts of what is about to be deployed, and what is found wrong with them. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal, NamedTuple

Severity = Literal["error", "warning", "hint"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "hint")
"""An error will fail on AWS, a warning may, a hint costs time or money."""

Client = Literal["lambent", "aws", ""]
"""Who speaks to the Runtime API: Lambent's runtime, AWS's; empty if that is not known, as for most images."""

WRAPPER = "AWS_LAMBDA_EXEC_WRAPPER"
SCRIPT = "lambent/exec/wrapper"
"""Where the script lies in the folder that Lambent is installed in."""


class Place(NamedTuple):
    """Where something is written."""

    file: str = ""
    line: int = 0
    """From 1 on; 0 if it is not known."""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


NOWHERE = Place()


class Door(NamedTuple):
    """A front door that leads to a function. Times in seconds."""

    kind: str
    """A key of `lambent.dev.doors.DOORS`, or `websocket`."""
    name: str
    place: Place = NOWHERE
    streams: bool = False
    """Whether it is set to take replies piece by piece."""
    streaming_uri: bool | None = None
    """Of a REST API: whether the integration's URI is the one for that; None where the tool makes the URI."""
    timeout: float | None = None
    """Of the integration, if it says one."""
    binary: tuple[str, ...] | None = None
    """Of a REST API: its binary media types; None if they are not known."""


class Poll(NamedTuple):
    """A queue or a stream that Lambda polls for a function. Times in seconds."""

    kind: str
    """`sqs`, `kinesis`, `dynamodb`, …, as in the source's ARN."""
    name: str
    place: Place = NOWHERE
    partial: bool = False
    """Whether the items that failed are reported (`ReportBatchItemFailures`)."""
    batch_size: int | None = None
    window: int = 0
    visibility: int | None = None
    """Of the messages of a queue; None if that is not known."""


class Bytecode(NamedTuple):
    """A `.pyc` of an archive."""

    name: str
    magic: int
    """The first two bytes of the file, little-endian, which differ for each version of Python."""
    checked: bool
    """Whether the source is looked at before it is used."""


class Native(NamedTuple):
    """A shared library of an archive."""

    name: str
    machine: str
    """`x86_64`, `arm64`, or what it is otherwise: `macOS`, `Windows`, `i386`."""


@dataclass(frozen=True, slots=True)
class Archive:
    """A zip as it would be uploaded. Sizes in bytes.

    - `names`: of its files
    - `executable`: those that may be run
    - `broken`: those that are called as Python is and are none, such as templates
    """

    path: str
    size: int
    unzipped: int
    names: frozenset[str]
    executable: frozenset[str] = frozenset()
    bytecode: tuple[Bytecode, ...] = ()
    natives: tuple[Native, ...] = ()
    broken: frozenset[str] = frozenset()


class Package(NamedTuple):
    """What the modules of one package cost to import, those of packages that they import not counted."""

    name: str
    milliseconds: float
    origin: str
    """`yours`, `installed`, `Lambent`, `Python`."""
    by: str = ""
    """The module that imported it first, where it is another package's."""
    whole: float = 0.0
    """Milliseconds with all that it brings, where the function's own code imports it."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A handler, loaded on this machine.

    - `error`: the end of the traceback, if it cannot be loaded; then the rest says nothing
    - `kind`: `lambent`, `events`, `application` (ASGI), `function`, `coroutine` (an async function), `generator`
    - `seconds`: that its modules took to load, with their bytecode there; `peak`: MB that the process had at most
    - `stream`, `errors`, `store`: what a `Lambent` was given; `store` is None if it was given none
    - `batches`: sources whose records are handled one by one, so that some may fail: `sqs`, `kinesis`, `dynamodb`
    - `unique`: what was made while the modules were loaded, and should differ between environments
    """

    error: str = ""
    kind: str = ""
    seconds: float = 0.0
    peak: float = 0.0
    python: str = ""
    stream: bool = False
    errors: str = ""
    store: str | None = None
    batches: tuple[str, ...] = ()
    unique: tuple[str, ...] = ()
    packages: tuple[Package, ...] = ()


@dataclass(frozen=True, slots=True)
class FunctionFacts:
    """A function as it is configured. Times in seconds, sizes in MB; the defaults are AWS's.

    - `runtime`: `python3.13`, `provided.al2023`; empty if it is not said, as for an image
    - `env`: variables that its configuration sets
    - `said`: where what is configured is written, by CloudFormation's names; variables by `Environment.NAME`
    - `published`: whether there is a version of it; `watched`: whether a deployment of it looks at its errors
    """

    name: str
    handler: str = "app.handler"
    runtime: str = ""
    client: Client = ""
    place: Place = NOWHERE
    said: Mapping[str, Place] = field(default_factory=dict)
    architecture: str = "x86_64"
    timeout: float = 3.0
    memory: int = 128
    env: Mapping[str, str] = field(default_factory=dict)
    reserved: int | None = None
    concurrency: int = 1
    snapstart: bool = False
    published: bool = True
    watched: bool = False
    image: bool = False
    layers: int = 0
    doors: tuple[Door, ...] = ()
    polls: tuple[Poll, ...] = ()
    archive: Archive | None = None
    measured: Measured | None = None

    def at(self, key: str) -> Place:
        """Where that is written; where the function is, if it is written nowhere."""
        return self.said.get(key, self.place)

    @property
    def python(self) -> str:
        """`3.13`, of a managed runtime; empty for any other."""
        match = re.fullmatch(r"python(\d+\.\d+)", self.runtime)
        return match[1] if match else ""

    @property
    def wrapper(self) -> str:
        return self.env.get(WRAPPER, "")

    @property
    def streams(self) -> bool:
        """Whether its replies come piece by piece, where the door lets them."""
        return self.env.get("LAMBENT_STREAM") == "1" or bool(self.measured and self.measured.stream)

    @property
    def is_streamed_by_hand(self) -> bool:
        """Whether it is a generator, which always streams."""
        return self.measured is not None and self.measured.kind == "generator"

    @property
    def store(self) -> str | None:
        """The URL of what keeps WebSockets' connections; empty for one that is no URL."""
        given = self.measured.store if self.measured else None
        return given if given is not None else self.env.get("LAMBENT_STORE")


@dataclass(frozen=True, slots=True)
class Facts:
    """All of them.

    - `needs`: names of the project's dependencies, normalised; None if it does not say
    - `needs_place`: where it does
    - `requires_python`: of pyproject.toml
    - `today`: for what ends on a day
    - `mistakes`: what could not be read at all
    - `notes`: what was left out
    """

    functions: tuple[FunctionFacts, ...] = ()
    needs: frozenset[str] | None = None
    needs_place: Place = NOWHERE
    requires_python: str = ""
    today: date = date(2026, 1, 1)
    mistakes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class Complaint(NamedTuple):
    """What a check says: what was expected, what came, what to do."""

    message: str
    place: Place


Complaints = Iterator[Complaint]


class Finding(NamedTuple):
    """A complaint, and whose it is."""

    check: str
    severity: Severity
    function: str
    """Empty for what is about all of them."""
    message: str
    place: Place


def client_of(runtime: str, env: Mapping[str, str]) -> Client:
    """Who would speak to the Runtime API."""
    if runtime.startswith("provided"):
        return "lambent"
    return wrapped(env, "aws") if runtime.startswith("python") else ""


def wrapped(env: Mapping[str, str], plain: Client) -> Client:
    """Who speaks where a wrapper may stand before the one that would: Lambent's script, or one that is not known."""
    wrapper = env.get(WRAPPER, "")
    return "lambent" if wrapper.endswith(SCRIPT) else "" if wrapper else plain
