"""`lambent diff METHOD URL [TARGET]`, as click has it."""

from __future__ import annotations

import json
import os
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

import click

from lambent.dev import identifiers
from lambent.dev.client import read_event
from lambent.dev.config.tables import OBJECT
from lambent.dev.diff import as_json, compare, table
from lambent.dev.diff.outcomes import Answer
from lambent.dev.diff.request import read_header, read_request
from lambent.dev.diff.target import target
from lambent.dev.doors import DOORS
from lambent.dev.doors.model import Arrival, Fields, HTTPRequest

HELP = """Show what each front door would make of the same request.

With TARGET, such as app:app, the application is run in this process, once for each door, and the replies are compared;
with --reply, what each door makes of that result of a function.
"""


def command() -> click.Command:
    directory = click.Path(exists=True, file_okay=False, resolve_path=True, path_type=Path)
    doors = click.Choice(list(DOORS))
    parameters: list[click.Parameter] = [
        click.Argument(["method"]),
        click.Argument(["url"]),
        click.Argument(["target"], required=False),
        click.Option(["-H", "--header", "headers"], multiple=True, metavar="NAME: VALUE", help="Repeatable."),
        click.Option(["--data"], metavar="TEXT|@FILE", default="", help="The body."),
        click.Option(["--reply"], metavar="JSON|FILE|-", help="What the function returns."),
        click.Option(["--door", "doors"], type=doors, multiple=True, help="Only this one. Repeatable."),
        click.Option(["--app-dir"], type=directory, default=".", help="Where TARGET is looked up.  [default: .]"),
        click.Option(["--json", "machine"], is_flag=True, help="For machines: events, differences, replies, warnings."),
    ]
    return click.Command("diff", params=parameters, callback=diff, help=HELP)


def diff(*, doors: tuple[str, ...], machine: bool, **options: Any) -> None:
    """Print the comparison. Raises click.UsageError, and TargetError for a target that cannot be loaded."""
    request = typed_request(options)
    with answering(options) as answer:
        comparison = compare(request, arrive(), answer, doors or tuple(DOORS))
    click.echo(json.dumps(as_json(comparison), indent=2) if machine else "\n".join(table.lines(comparison)))


def typed_request(options: dict[str, Any]) -> HTTPRequest:
    """Raises click.UsageError."""
    try:
        headers = [read_header(text) for text in options["headers"]]
        return read_request(options["method"], options["url"], headers, read_data(options["data"]))
    except ValueError as error:
        raise click.UsageError(f"{error}.") from None


def read_data(text: str) -> bytes:
    """`@FILE`, or the text itself. ValueError for a file that cannot be read."""
    if not text.startswith("@"):
        return text.encode("utf-8", "surrogateescape")
    try:
        return Path(text[1:]).read_bytes()
    except OSError as error:
        raise ValueError(f"expected TEXT, or @FILE with a file that can be read, but: {error}") from None


@contextmanager
def answering(options: dict[str, Any]) -> Iterator[Answer | None]:
    """Who returns something: the target, or a reply that was given; None for nobody. Raises click.UsageError.

    What a target prints goes to the standard error.
    """
    name, reply = options["target"], options["reply"]
    if name is None:
        yield None if reply is None else given(reply)
        return
    if reply is not None:
        raise click.UsageError("--reply goes without a TARGET: either that is the result, or TARGET gives one.")
    if not re.fullmatch(OBJECT, name):
        raise click.UsageError(f"expected TARGET to be module:name or module.name, such as app:app, but got {name!r}.")
    with redirect_stdout(sys.stderr), target(name, options["app_dir"]) as answer:
        yield answer


def given(text: str) -> Answer:
    """Always the same result."""
    try:
        result = read_event(text, sys.stdin.buffer)
    except ValueError as error:
        raise click.UsageError(f"--reply: {error}.") from None

    def answer(_door: str, _event: Fields) -> bytes:
        return result

    return answer


def arrive() -> Arrival:
    now = time.time()
    return Arrival(
        request_id=identifiers.request_id(os.urandom),
        gateway_id=identifiers.gateway_id(os.urandom),
        trace=identifiers.trace("", now, os.urandom),
        now=now,
    )
