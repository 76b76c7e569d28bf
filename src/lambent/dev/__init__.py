"""The local Lambda: a Lambda service in miniature, with front doors and execution environments, on one machine.

    model.py                 a function, an invocation, its result

The ways in:

    doors/            PURE   an HTTP request → the AWS event it would have become, and the result → an HTTP reply
    routes/           PURE   which function a request's path belongs to
    guard.py                 what the front door asks before it invokes a function
    authorizers/      IO     who may pass: tokens, functions that decide, API keys, signatures
    hosts.py          PURE   which names the server answers to
    page.py           PURE   a failure, as a page for a browser
    custom.py                the functions of a project that make events and contexts
    arrivals.py       IO     when a request came, and its ids
    front_door.py     IO     one HTTP request on its way through a door and the service
    invoke_api/       IO     the Lambda API, so far as it invokes functions and describes them
    reception.py      IO     who is let in, and where to
    sockets/          IO     WebSockets that are open, and what becomes of their messages
    client.py         IO     `lambent invoke`: one who comes in that way

The service:

    service.py        IO     functions by name, each with a fleet, and another beside it while its code is replaced
    fleet.py          IO     the queue of one function, and environments as it needs them
    strategies.py     PURE   which of them is next
    asynchronous/     IO     invocations that nobody waits for
    sources/          IO     what invokes functions by itself: schedules, queues
    lineage.py        PURE   what recursive loops are stopped by
    identifiers.py    PURE   request ids, trace headers
    failures.py       PURE   what an invoker is told when the platform, not the function, ended an invocation
    buffering.py      IO     a streamed reply for an invoker that takes it whole

An environment:

    life.py           PURE   its states, as one table
    environment.py    IO     one process, one Runtime API, one life
    surroundings.py          who started it, and what it is lent
    runs.py                  an invocation in it
    processes.py      IO     a process and whatever it starts, begun, watched and ended as one
    reaper.py         IO     who ends them if the local Lambda itself has been killed
    memory.py         IO     a look at what it takes, again and again
    variables.py      PURE   its environment variables, and the command that starts it
    child.py          IO     the script that starts a runtime, in the process itself; inside/ is what it loads there
    output.py         IO     what it prints, on its way to the terminal
    terminal.py       IO     the terminal, lent to those who debug
    report.py         PURE   START, END and REPORT

What it speaks with its runtime:

    conversation.py   PURE   the Runtime API: one runtime's calls, and what may follow what
    extensions.py     PURE   the Extensions API, for code inside a runtime
    companion.py      PURE   what child.py has to say
    stream.py         IO     a streamed reply: a pipe that holds little
    http_requests.py  PURE   bytes → requests, as they come
    runtime_api.py    IO     all of that, served on a port of its own

All of it:

    config/           IO     `[tool.lambent]` and `[tool.smyth]`, read into what runs
    templates/        PURE   the same of SAM, CloudFormation, Serverless, CDK and Terraform
    watch.py          IO     which files have changed since functions read them
    local.py          IO     the parts joined, and what they know of each other
    server.py         IO     the local Lambda on a port; starting and stopping
    http_connection.py       uvicorn's side of a connection there, with a limit to its heads
    certificate.py    IO     a made-up certificate, for HTTPS there
    program.py        IO     the same for a program of one's own

Beside it: diff/, `lambent diff`, which asks every door what it makes of one request.

It starts the runtimes that run in production and knows them only by the Runtime API. For such a program:

    from lambent.dev import Function, Project, run

    run(Project((Function("api", "app:app", path="/{proxy+}"),)))
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lambent.dev.config import Project, load
    from lambent.dev.doors.model import HTTPRequest
    from lambent.dev.model import Asynchronous, EnvironmentFacts, Function
    from lambent.dev.program import run
    from lambent.dev.strategies import most_recent, round_robin

__all__ = [
    "Asynchronous",
    "EnvironmentFacts",
    "Function",
    "HTTPRequest",
    "Project",
    "load",
    "most_recent",
    "round_robin",
    "run",
]

_HOMES = {
    "Asynchronous": "lambent.dev.model",
    "EnvironmentFacts": "lambent.dev.model",
    "Function": "lambent.dev.model",
    "HTTPRequest": "lambent.dev.doors.model",
    "Project": "lambent.dev.config",
    "load": "lambent.dev.config",
    "most_recent": "lambent.dev.strategies",
    "round_robin": "lambent.dev.strategies",
    "run": "lambent.dev.program",
}


def __getattr__(name: str) -> object:
    """Import what is asked for, and nothing else (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module 'lambent.dev' has no attribute {name!r}")
    from importlib import import_module

    value = globals()[name] = getattr(import_module(_HOMES[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
