"""What the local Lambda speaks in: a function, an invocation of it, and how that ended."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import NamedTuple

from lambent.dev.doors.model import HTTPRequest
from lambent.dev.stream import Stream

SYNCHRONOUS_LIMIT = 6 * 1024 * 1024
ASYNCHRONOUS_LIMIT = 1024 * 1024
"""Bytes of an event that somebody waits for, and of one that nobody does."""


class EnvironmentFacts(NamedTuple):
    """What a strategy may know of an environment."""

    id: str
    invocations: int
    """That it has been given."""
    room: int
    """How many more it takes now."""
    last_used: float
    """When it was last given one, on a clock that only goes on; when it was ready, if it was given none."""


Strategy = Callable[[Sequence[EnvironmentFacts]], EnvironmentFacts]
"""Which environment gets the next invocation: one of those with room, oldest first, of which there is at least one."""

MakeEvent = Callable[[HTTPRequest, "Function"], object]
"""An HTTP request → the event, a JSON value, in place of the door's; or an awaitable of one. ValueError: 400."""

MakeContext = Callable[["HTTPRequest | None", "Function"], Mapping[str, object] | Awaitable[Mapping[str, object]]]
"""An HTTP request, None for what came by the Invoke API → fields of InvokeRequest to set; or an awaitable of them.

Which those are, `lambent.dev.custom.FIELDS` says. ValueError: the request gets 400.
"""


@dataclass(frozen=True, slots=True)
class Asynchronous:
    """What becomes of invocations that nobody waits for. Times in seconds; the defaults are AWS's."""

    retries: int = 2
    """After the first attempt, of an invocation that fails (AWS: 0 to 2)."""
    max_age: float = 21_600.0
    """How long an event may wait in the queue."""
    on_success: str = ""
    """A destination: `function:NAME`, `file:PATH` (a JSON document a line is appended), or empty for none."""
    on_failure: str = ""
    dead_letter: str = ""
    """As a destination; it gets the bare event."""


class Route(NamedTuple):
    """What leads to a function through an entrance."""

    entrance: str
    """Its name."""
    method: str
    """`GET`, or `ANY`."""
    path: str
    """`/items/{id}`, `/items/{proxy+}`; `$default` for whatever no other route matches."""
    authorizer: str = ""
    """By its name; empty for the entrance's own default, `NONE` for none, `AWS_IAM` for signed requests."""
    scopes: tuple[str, ...] = ()
    """Of a token, of which it must have one."""
    api_key: bool = False
    """Whether it wants one."""
    priority: int | None = None
    """Of a listener's rule, the lowest first; None: after those that have one, the most specific first."""
    host: str = ""
    """What the request's must be, with `*` and `?`, of a listener's rule; empty for any."""
    response: bool = False
    """Of a WebSocket API: whether what the function replies to a message goes back to the client."""


@dataclass(frozen=True, slots=True)
class Cors:
    """Cross-origin requests, as the entrance itself answers them."""

    origins: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    exposed: tuple[str, ...] = ()
    max_age: int | None = None
    """Seconds."""
    credentials: bool = False


@dataclass(frozen=True, slots=True)
class Authorizer:
    """Who decides whether a request may pass. Times in seconds."""

    name: str
    kind: str
    """`jwt`, `request`, `token` or `cognito`."""
    jwks: str = ""
    """Path or URL of the keys; empty: found by the issuer."""
    issuer: str = ""
    audience: tuple[str, ...] = ()
    function: str = ""
    """The name of the function that decides."""
    identity: tuple[str, ...] = ()
    """Where the identity is read, in AWS's words: `$request.header.Authorization`, `method.request.header.Auth`."""
    payload: str = "2.0"
    """The format of the function's event, for an HTTP API."""
    simple: bool = False
    """Whether the function answers `{"isAuthorized": …}` rather than with a policy."""
    ttl: float = 300.0
    """How long its decision holds; 0 for one request."""
    pattern: str = ""
    """What a token must match before the function is asked."""


@dataclass(frozen=True, slots=True)
class Entrance:
    """A front door as it is configured: what AWS calls an API, a load balancer, a function URL."""

    name: str
    kind: str = "url"
    """A key of `lambent.dev.doors.DOORS`."""
    stage: str = ""
    """Empty: the one that the door has by default."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """Of the stage."""
    base_path: str = ""
    """Under which a custom domain has it: `/shop`."""
    cors: Cors | None = None
    authorizers: tuple[Authorizer, ...] = ()
    default_authorizer: str = ""
    api_keys: Mapping[str, str] = field(default_factory=dict)
    """Name → value."""
    api_key_source: str = "header"
    """`header`: they come in `x-api-key`; `authorizer`: a Lambda authorizer names one."""
    timeout: float | None = None
    """Seconds after which it answers by itself; None: as on AWS."""
    selection: str = "$request.body.action"
    """Of a WebSocket API: where a message says which route it takes."""


@dataclass(frozen=True, slots=True)
class Source:
    """What invokes a function without anybody's request. Times in seconds."""

    name: str
    function: str
    kind: str
    """`schedule` or `sqs`."""
    schedule: str = ""
    """`rate(5 minutes)`, `cron(0 12 * * ? *)`."""
    time_zone: str = "UTC"
    scheduler: bool = False
    """Whether the EventBridge Scheduler has it, rather than a rule. So it has one with a time zone, or `at(…)`."""
    input: str = ""
    """The event, as JSON; empty: the one that EventBridge makes."""
    queue: str = ""
    """URL, ARN or name."""
    endpoint: str = ""
    """Of the queue's service; empty: as AWS's SDKs find it."""
    batch_size: int = 10
    batch_window: float = 0.0
    partial: bool = False
    """Whether the function reports the items that failed (`ReportBatchItemFailures`)."""
    concurrency: int = 2
    """Batches at once."""
    filters: tuple[str, ...] = ()
    """Patterns as JSON (`FilterCriteria`): messages that match none of them are deleted. Empty: all are wanted."""
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class Function:
    """A function as it is configured. Times in seconds, sizes in MB; the defaults are AWS's."""

    name: str
    handler: str
    """`app:app` or `app.handler`, looked up from `app_dir`."""
    app_dir: Path = field(default_factory=Path)
    path: str = ""
    """Of the requests it is served to: `/x`, `/x/{id}`, `/x/{proxy+}`, `/x/{path:path}`. Empty: of none."""
    door: str = "url"
    """A key of `lambent.dev.doors.DOORS`, or the name of an entrance: of `path`."""
    routes: tuple[Route, ...] = ()
    """Beside `path`, which is one for any method through `door`."""
    timeout: float = 3.0
    memory: int = 128
    environments: int = 10
    """How many may run at once; further invocations wait."""
    concurrency: int = 1
    """Invocations at once in one environment. Above 1 as on Lambda Managed Instances."""
    reserved_concurrency: int | None = None
    """How many invocations may be in flight; further ones are throttled."""
    runtime: str = "lambent"
    """A key of `lambent.dev.variables.RUNTIMES`."""
    env: Mapping[str, str] = field(default_factory=dict)
    layers: tuple[Path, ...] = ()
    """Folders laid out as layers are, `python/` within them if there is one: on the path behind `app_dir`."""
    python: str = sys.executable
    stream: bool = False
    """Whether replies may come piece by piece: the invoke mode of what stands in front of it."""
    snapstart: bool = False
    """Whether environments come from a snapshot: here each is made anew, and goes through what a snapshot brings."""
    freeze: bool = True
    """Whether environments stand still between invocations."""
    warm: int = 0
    """Environments that are started before anyone asks."""
    idle_timeout: float | None = None
    """After which an environment that nobody asked for anything is ended."""
    cold_start: float = 0.0
    """Seconds that each start of an environment takes longer than it does here."""
    chaos: bool = False
    """Whether each environment is given one invocation only."""
    strategy: Strategy | None = None
    """None: the most recently used one."""
    make_event: MakeEvent | None = None
    make_context: MakeContext | None = None
    asynchronous: Asynchronous = Asynchronous()
    debug: str = ""
    """`host:port` where debugpy waits for a debugger before anything is loaded; empty for no debugger."""
    init_timeout: float = 10.0
    region: str = "us-east-1"
    account: str = "123456789012"
    version: str = "$LATEST"

    @property
    def arn(self) -> str:
        return f"arn:aws:lambda:{self.region}:{self.account}:function:{self.name}"


class Cause(Enum):
    """Who ended an invocation without a result."""

    FUNCTION = "the function raised"
    INIT = "the environment did not initialise"
    TIMEOUT = "the time was up"
    EXIT = "the process ended"
    SIZE = "the result is too large"
    THROTTLED = "too many invocations wait"
    GONE = "the invoker went away before it began"


class Replied(NamedTuple):
    """The function's result, byte for byte."""

    payload: bytes


class Failed(NamedTuple):
    """No result. The payload is the error as the invoker is told it: JSON, unless the runtime posted something else."""

    cause: Cause
    payload: bytes


class Streaming(NamedTuple):
    """The function's result, which has begun to come."""

    stream: Stream


Result = Replied | Failed | Streaming


class InvokeRequest(NamedTuple):
    """What an invoker brings."""

    request_id: str
    payload: bytes
    trace: str
    """`Root=…;Parent=…;Sampled=…`"""
    client_context: str = ""
    """JSON; empty for none."""
    identity: str = ""
    """Of Cognito, as JSON; empty for none."""
    tenant_id: str = ""
    arn: str = ""
    """By which the function was invoked, with its qualifier; empty for the function's own."""


class Invocation:
    """One event on its way through the service."""

    __slots__ = ("ended", "held", "request", "result")

    def __init__(self, request: InvokeRequest, loop: asyncio.AbstractEventLoop) -> None:
        self.request = request
        self.result: asyncio.Future[Result] = loop.create_future()
        """Done when the invoker may have its answer."""
        self.ended: asyncio.Future[bytes] = loop.create_future()
        """Done when nothing more is done about it. Its value is the end of its log, 4 KB at most."""
        self.held = False
        """Whether somebody stands in it with a debugger, or did: the time it takes counts for nothing."""

    def resolve(self, result: Result) -> None:
        """Answer the invoker, unless that happened before or the invoker has gone away."""
        if not self.result.done():
            self.result.set_result(result)

    def end(self, log: bytes = b"") -> None:
        """Nothing more is done about it."""
        if not self.ended.done():
            self.ended.set_result(log)


class Delivery(NamedTuple):
    """An invocation as the Runtime API hands it to a runtime."""

    request: InvokeRequest
    invocation_id: str
    """The nonce that a runtime echoes, so that a late answer never reaches another invocation."""
    deadline_ms: int
    arn: str
