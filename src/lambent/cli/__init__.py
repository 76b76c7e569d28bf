"""The command line: parses, calls, exits. One file for each command that is read here."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from lambent.errors import ConfigurationError

if TYPE_CHECKING:
    import click

EXTRA = frozenset(
    {"click", "dotenv", "h11", "httptools", "msgspec", "psutil", "uvicorn", "watchfiles", "websockets", "yaml"}
)


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

    from lambent.cli import build, dev, doctor, init, invoke, stores

    group = click.Group("lambent", help="Run ASGI applications on AWS Lambda, and Lambda on this machine.")
    text = "Show the version and exit."
    group.params.append(
        click.Option(["--version"], is_flag=True, is_eager=True, expose_value=False, callback=tell_version, help=text)
    )
    group.add_command(init.command())
    group.add_command(dev.command())
    group.add_command(build.command())
    group.add_command(doctor.command())
    group.add_command(invoke.command())
    group.add_command(stores.group())
    group.add_command(elsewhere("event", "Print an event as AWS sends it, with your values in it.", event))
    group.add_command(elsewhere("diff", "Show what each front door would make of the same request.", diff))
    return group


def elsewhere(name: str, text: str, run: Callable[[tuple[str, ...]], None]) -> click.Command:
    """A command that is read by another part of the house, which is loaded when it is called."""
    import click

    rest = click.Argument(["arguments"], nargs=-1, type=click.UNPROCESSED)
    unread = {"ignore_unknown_options": True, "allow_interspersed_args": False}
    return click.Command(
        name,
        params=[rest],
        callback=run,
        help=text,
        context_settings=unread,
        add_help_option=False,
    )


def event(arguments: tuple[str, ...]) -> None:
    """Print an event. Exits with 0, with 2 if it was not understood."""
    from lambent.testing import command

    command.group().main(arguments, prog_name="lambent event")


def diff(arguments: tuple[str, ...]) -> None:
    """Compare the doors. Exits with 0, with 1 if the target cannot be loaded, with 2 if it was not understood."""
    from lambent.dev.diff import command

    command.command().main(arguments, prog_name="lambent diff")


def tell_version(context: click.Context, _parameter: click.Parameter, value: bool) -> None:
    """Looked up only if it is wanted: that takes 20 ms."""
    if value and not context.resilient_parsing:
        print(f"lambent, version {version()}")
        context.exit()


def version() -> str:
    from importlib import metadata

    try:
        return metadata.version("lambent")
    except metadata.PackageNotFoundError:
        return "unknown (not installed)"
