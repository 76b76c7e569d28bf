"""The command line: parses, calls, exits."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from lambent.errors import ConfigurationError

if TYPE_CHECKING:
    import click

    from lambent.dev.model import Function
    from lambent.dev.server import Address

TARGET = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*(?::[^\W\d]\w*(?:\.[^\W\d]\w*)*|\.[^\W\d]\w*)")
STREAMING = ("url", "rest")
EXTRA = frozenset({"click", "h11", "psutil", "uvicorn"})


class Options(TypedDict):
    """What `lambent dev` takes."""

    target: str
    host: str
    port: int
    door: str
    app_dir: Path
    timeout: float
    memory: int
    environments: int
    runtime: str
    env: tuple[str, ...]
    stream: bool
    snapstart: bool
    allow_host: tuple[str, ...]


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point of `lambent` and of `python -m lambent`.

    Exits with 0, with 1 if it could not be done, with 2 if it was not understood.
    """
    try:
        program()(arguments, prog_name="lambent")
    except ConfigurationError as error:
        sys.exit(f"lambent: {error}")
    except ModuleNotFoundError as error:
        if error.name not in EXTRA:
            raise
        sys.exit(f'lambent: this command needs {error.name}, which is not installed. Run: pip install "lambent[dev]"')


def program() -> click.Group:
    """The commands, as click has them. ModuleNotFoundError without it."""
    import click

    group = click.Group("lambent", help="Run ASGI applications on AWS Lambda, and Lambda on this machine.")
    click.version_option(version(), prog_name="lambent")(group)
    text = "Serve TARGET, such as app:app or app.handler, as a Lambda function behind a front door."
    group.add_command(click.Command("dev", params=parameters(), callback=dev, help=text))
    return group


def parameters() -> list[click.Parameter]:
    """Of `lambent dev`."""
    import click

    from lambent.dev.doors import DOORS
    from lambent.dev.variables import RUNTIMES

    directory = click.Path(exists=True, file_okay=False, resolve_path=True, path_type=Path)
    seconds = click.FloatRange(0, 900, min_open=True)
    typed = {
        "--host": ("127.0.0.1", click.STRING, "Address to listen on."),
        "--port": (3000, click.IntRange(0, 65535), "Port to listen on; 0 for any free one."),
        "--door": ("url", click.Choice(list(DOORS)), "The front door, by whose rules the gateway goes."),
        "--app-dir": (".", directory, "Where TARGET is looked up."),
        "--timeout": (3.0, seconds, "Seconds that an invocation may take."),
        "--memory": (128, click.IntRange(128, 32768), "MB that the function is told it has."),
        "--environments": (10, click.IntRange(1), "How many environments may run at once."),
        "--runtime": ("lambent", click.Choice(list(RUNTIMES)), "What runs the function: ours, or AWS's own."),
    }
    variable = "Environment variable of the function. Repeatable."
    names = "Answer to this host too; with a leading dot, to those below it as well. Repeatable."
    streams = "Replies arrive piece by piece; for the doors url and rest."
    return [
        click.Argument(["target"], callback=check_target),
        *(
            click.Option([name], default=default, show_default=True, type=kind, help=text)
            for name, (default, kind, text) in typed.items()
        ),
        click.Option(["--env"], multiple=True, metavar="KEY=VALUE", callback=check_env, help=variable),
        click.Option(["--stream"], is_flag=True, help=streams),
        click.Option(["--snapstart"], is_flag=True, help="Environments start as from a snapshot, hooks and all."),
        click.Option(["--allow-host"], multiple=True, metavar="NAME", help=names),
    ]


def dev(**options: object) -> None:
    """Run the local Lambda."""
    from lambent.dev import server

    chosen: Options = options  # type: ignore[assignment]  # click gives what its parameters say
    server.run(*configuration(chosen))


def configuration(options: Options) -> tuple[Function, Address]:
    """What was typed, as the local Lambda takes it. Raises click.UsageError."""
    import os

    import click

    from lambent.dev.model import Function
    from lambent.dev.server import Address
    from lambent.dev.variables import region

    if options["stream"] and options["door"] not in STREAMING:
        doors = " or ".join(STREAMING)
        raise click.UsageError(f"--stream goes with --door {doors}: on AWS, {options['door']} takes replies whole.")
    function = Function(
        name=re.sub(r"\W+", "-", options["target"]),
        target=options["target"],
        app_dir=options["app_dir"],
        timeout=options["timeout"],
        memory=options["memory"],
        environments=options["environments"],
        runtime=options["runtime"],
        env=dict(pair.split("=", 1) for pair in options["env"]),
        region=region(os.environ),
        stream=options["stream"],
        snapstart=options["snapstart"],
    )
    return function, Address(options["host"], options["port"], options["door"], options["allow_host"])


def check_target(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    import click

    if not TARGET.fullmatch(value):
        forms = "module:name or module.name, such as app:app or app.handler"
        raise click.BadParameter(f"expected {forms}, but got {value!r}.")
    return value


def check_env(_context: click.Context, _parameter: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...]:
    import click

    for pair in value:
        if not pair.partition("=")[0] or "=" not in pair:
            raise click.BadParameter(f"expected KEY=VALUE, but got {pair!r}.")
    return value


def version() -> str:
    from importlib import metadata

    try:
        return metadata.version("lambent")
    except metadata.PackageNotFoundError:
        return "unknown (not installed)"
