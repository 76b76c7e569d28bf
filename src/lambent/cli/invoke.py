"""`lambent invoke`: one invocation of a function of a running local Lambda."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import click


def command() -> click.Command:
    """The command, as click has it."""
    import click

    text = "Invoke the function NAME of a running local Lambda, and print its result."
    return click.Command("invoke", params=parameters(), callback=invoke, help=text)


def parameters() -> list[click.Parameter]:
    """Its arguments and options."""
    import click

    event = "JSON, a file with it, or - for the standard input."
    where = "URL of the local Lambda.  [default: $AWS_ENDPOINT_URL_LAMBDA, or that of pyproject.toml]"
    return [
        click.Argument(["name"]),
        click.Option(["--event"], default="{}", show_default=True, metavar="JSON|FILE|-", help=event),
        click.Option(["--async", "asynchronous"], is_flag=True, help="Do not wait for the result."),
        click.Option(["--tail"], is_flag=True, help="Print the end of the log as well, to the standard error."),
        click.Option(["--repeat"], type=click.IntRange(1), default=1, help="How many times, one after the other."),
        click.Option(["--client-context"], default="", metavar="JSON", help="What the function gets as such."),
        click.Option(["--endpoint"], metavar="URL", help=where),
    ]


def invoke(*, name: str, event: str, client_context: str, endpoint: str | None, **options: Any) -> None:
    """Invoke a function. Exits with 0, with 1 if it failed, with 2 if the command was not understood."""
    import click

    from lambent.dev import client

    if options["asynchronous"] and options["tail"]:
        raise click.UsageError("--tail goes without --async: the log of an invocation comes with its result.")
    try:
        payload = client.read_event(event, sys.stdin.buffer)
    except ValueError as error:
        raise click.BadParameter(f"{error}.", param_hint="--event") from None
    if client_context and not client.is_json(client_context.encode()):
        raise click.BadParameter(f"expected JSON, but got {client_context!r}.", param_hint="--client-context")
    try:
        client.read_endpoint(endpoint or client.DEFAULT)
    except ValueError as error:
        raise click.BadParameter(f"{error}.", param_hint="--endpoint") from None
    order = client.Order(name, payload, client_context=client_context, **options)
    where = endpoint or client.find_endpoint(os.environ, Path.cwd())
    well = client.invoke(order, where, sys.stdout.buffer, lambda text: print(text, file=sys.stderr))
    sys.exit(0 if well else 1)
