"""`lambent init`: a project to begin with."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Unpack

    import click

DEFAULTS = {"kind": "fastapi", "tool": "sam"}
"""What is made where nobody can be asked."""


class Options(TypedDict):
    """What `lambent init` takes. None: not said."""

    name: str | None
    kind: str | None
    tool: str | None
    directory: Path
    python: str | None
    arch: str | None


def command() -> click.Command:
    """The command, as click has it."""
    import click

    from lambent.build.kinds import KINDS, TOOLS
    from lambent.build.model import ARCHITECTURES

    text = "Make a project: an application, its tests, and a template that puts it on AWS. Asks for what is not said."
    folder = click.Path(exists=True, file_okay=False, resolve_path=True, path_type=Path)
    arch = click.Choice(ARCHITECTURES)
    kinds = f"What it is.  [default: {DEFAULTS['kind']}]"
    tools = f"What deploys it.  [default: {DEFAULTS['tool']}]"
    parameters: list[click.Parameter] = [
        click.Argument(["name"], required=False),
        click.Option(["--kind"], type=click.Choice(list(KINDS)), help=kinds),
        click.Option(["--tool"], type=click.Choice(list(TOOLS)), help=tools),
        click.Option(["--directory"], type=folder, default=".", help="Where its folder is made.  [default: here]"),
        click.Option(["--python"], metavar="X.Y", help="Python on Lambda.  [default: this one's]"),
        click.Option(["--arch"], type=arch, help="Processor on Lambda.  [default: this machine's]"),
    ]
    return click.Command("init", params=parameters, callback=init, help=text)


def init(**options: Unpack[Options]) -> None:
    """Make it. Exits with 0, with 1 if it cannot be made, with 2 if the command was not understood."""
    from lambent.build import init as starters
    from lambent.build.kinds import KINDS, TOOLS

    name = options["name"] or asked_name()
    starters.check(name)  # before more is asked
    starters.refuse_taken(options["directory"] / name)
    plan = starters.Plan(
        name,
        options["kind"] or asked("kind", KINDS),
        options["tool"] or asked("tool", TOOLS),
        starters.version(options["python"]) if options["python"] else starters.here(),
        options["arch"] or starters.machine(),
    )
    made = starters.make(plan, options["directory"])
    relative = Path(plan.name) if options["directory"] == Path.cwd() else made
    print(f"Made {relative}:\n")
    print("\n".join(f"  {path}" for path in sorted(starters.files(plan))))
    print("\nNext:\n")
    print("\n".join(f"  {line}" for line in [f"cd {shlex.quote(str(relative))}", *starters.following(plan)]))


def asked_name() -> str:
    import click

    if not interactive():
        raise click.UsageError("Missing argument 'NAME': what the project is to be called.")
    answer: str = click.prompt("Name of the project")
    return answer


def asked(what: str, choices: Iterable[str]) -> str:
    """Of somebody at a terminal; elsewhere the default."""
    import click

    if not interactive():
        return DEFAULTS[what]
    answer: str = click.prompt(what.capitalize(), type=click.Choice(list(choices)), default=DEFAULTS[what])
    return answer


def interactive() -> bool:
    """Whether somebody is there to answer."""
    return sys.stdin.isatty() and sys.stdout.isatty()
