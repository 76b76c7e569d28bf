"""`lambent doctor`: what will go wrong on AWS."""

from __future__ import annotations

import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import click


def command() -> click.Command:
    """The command, as click has it."""
    import click

    from lambent.cli.dev import check_target

    text = (
        "Say what will go wrong on AWS with the functions of the template here (SAM, CDK, Serverless, Terraform), "
        "of [tool.lambent], or with TARGET, such as app:app. Exits with 1 if there are errors."
    )
    target = click.Argument(["target"], required=False, callback=check_target)
    return click.Command("doctor", params=[target, *options()], callback=doctor, help=text)


def options() -> list[click.Parameter]:
    import click

    from lambent.cli.dev import check_env

    there = click.Path(exists=True, resolve_path=True, path_type=Path)
    file = click.Path(exists=True, dir_okay=False, resolve_path=True, path_type=Path)
    template = "Template, cdk.out, serverless.yml or plan of Terraform.  [default: what is here]"
    parameter = "Parameter of that, or option of Serverless, such as stage=test. Repeatable."
    load = "Whether handlers are loaded here, which runs their modules.  [default: load]"
    return [
        click.Option(["--template"], type=there, help=template),
        click.Option(["--parameter"], multiple=True, metavar="NAME=VALUE", callback=check_env, help=parameter),
        click.Option(["--config"], type=file, help="Read this file in place of the nearest pyproject.toml."),
        click.Option(["--artefact"], type=file, metavar="ZIP", help="What is uploaded, such as dist/NAME.zip."),
        click.Option(["--load/--no-load"], default=True, help=load),
        click.Option(["--json", "as_json"], is_flag=True, help="Print a JSON document."),
    ]


def doctor(*, parameter: tuple[str, ...], as_json: bool, **said: Any) -> None:
    """Look, tell, and exit with 1 if there are errors."""
    import click

    from lambent.doctor import checks, gathering, report

    if said["target"] and (said["template"] or parameter):
        raise click.UsageError("--template and --parameter go without a TARGET: the functions are those of the file.")
    parameters = dict(pair.split("=", 1) for pair in parameter)
    today = datetime.now(UTC).date()
    order = gathering.Order(Path.cwd(), os.environ, today, parameters=parameters, **said)
    facts = gathering.gather(order)
    if facts is None:
        raise click.UsageError(
            f"Expected a template, functions in [tool.lambent], or a TARGET such as app:app, but in {order.directory} "
            "there is none of these."
        )
    findings = checks.run(facts)
    if as_json:
        print(json.dumps(report.document(facts, findings), indent=2))
    else:
        bars = "utf" in (sys.stdout.encoding or "").lower()
        print(report.text(facts, findings, bars), end="")
    if any(each.severity == "error" for each in findings):
        sys.exit(1)
