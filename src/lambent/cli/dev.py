"""`lambent dev`: what was typed, over what is written, is what runs."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, cast

from lambent.errors import ConfigurationError

if TYPE_CHECKING:
    import click

    from lambent.dev.config import Project
    from lambent.dev.model import Function

DEBUG_HOST = "127.0.0.1"


class FunctionOptions(TypedDict):
    """What `lambent dev` takes for the function of its TARGET. None: not said."""

    door: str | None
    app_dir: Path | None
    timeout: float | None
    memory: int | None
    environments: int | None
    concurrency: int | None
    reserved_concurrency: int | None
    runtime: str | None
    env: tuple[str, ...]
    stream: bool | None
    snapstart: bool | None
    freeze: bool | None
    warm: int | None
    idle_timeout: float | None
    cold_start: float | None


class Options(FunctionOptions):
    """What `lambent dev` takes."""

    target: str | None
    config: Path | None
    template: Path | None
    parameter: tuple[str, ...]
    env_file: Path | None
    host: str | None
    port: int | None
    https: bool
    allow_host: tuple[str, ...]
    log_level: str | None
    caller: Path | None
    chaos: bool
    debug: str | None
    """The name of a function; empty for the only one, None for no debugger."""
    debug_port: int


def command() -> click.Command:
    """The command, as click has it."""
    import click

    text = (
        "Run the functions of [tool.lambent] in pyproject.toml as Lambda functions on this machine; or TARGET, such as "
        "app:app or app.handler, as one function behind a front door."
    )
    parameters = [click.Argument(["target"], required=False, callback=check_target), *of_all(), *of_target()]
    return click.Command("dev", params=parameters, callback=dev, help=text)


def of_all() -> list[click.Parameter]:
    """Options of `lambent dev` for all that runs."""
    import click

    from lambent.dev.config.tables import LOG_LEVELS

    file = click.Path(exists=True, dir_okay=False, resolve_path=True, path_type=Path)
    level = click.Choice(LOG_LEVELS)
    port, debug_port = click.IntRange(0, 65535), click.IntRange(1, 65535)
    names = "Answer to this host too; with a leading dot, to those below it as well. Repeatable."
    debugged = "Let this function, or the only one, wait for a debugger."
    template = "Functions of SAM, CDK (cdk.out), Serverless or Terraform (a plan).  [default: what is here]"
    parameter = "Parameter of that, or option of Serverless, such as stage=test. Repeatable."
    return [
        click.Option(["--config"], type=file, help="Read this file in place of the nearest pyproject.toml."),
        click.Option(["--template"], type=click.Path(exists=True, resolve_path=True, path_type=Path), help=template),
        click.Option(["--parameter"], multiple=True, metavar="NAME=VALUE", callback=check_env, help=parameter),
        click.Option(["--host"], help="Address to listen on.  [default: 127.0.0.1]"),
        click.Option(["--port"], type=port, help="Port to listen on; 0 for any free one.  [default: 3000]"),
        click.Option(["--https"], is_flag=True, help="Speak HTTPS there, with a made-up certificate."),
        click.Option(["--allow-host"], multiple=True, metavar="NAME", help=names),
        click.Option(["--log-level"], type=level, help="warning, error: without START, END and REPORT."),
        click.Option(["--env-file"], type=file, help="Environment variables of every function.  [default: .env]"),
        click.Option(["--as", "caller"], type=file, help="JSON file with the identity of whoever sends requests."),
        click.Option(["--chaos"], is_flag=True, help="Every invocation in a new environment."),
        click.Option(["--debug"], is_flag=False, flag_value="", metavar="[NAME]", help=debugged),
        click.Option(["--debug-port"], type=debug_port, default=5678, show_default=True, help="Where it waits."),
    ]


def of_target() -> list[click.Parameter]:
    """Options of `lambent dev` for the function of TARGET."""
    import click

    from lambent.dev.doors import KINDS
    from lambent.dev.variables import RUNTIMES

    directory = click.Path(exists=True, file_okay=False, resolve_path=True, path_type=Path)
    seconds, some = click.FloatRange(0, 900, min_open=True), click.IntRange(0)
    typed: dict[str, tuple[click.ParamType[Any], str]] = {
        "--door": (click.Choice(list(KINDS)), "The front door, by whose rules the gateway goes.  [default: url]"),
        "--app-dir": (directory, "Where TARGET is looked up.  [default: .]"),
        "--timeout": (seconds, "Seconds that an invocation may take.  [default: 3]"),
        "--memory": (click.IntRange(128, 32768), "MB that the function has.  [default: 128]"),
        "--environments": (click.IntRange(1), "How many environments may run at once.  [default: 10]"),
        "--concurrency": (click.IntRange(1), "Invocations at once in one environment.  [default: 1]"),
        "--reserved-concurrency": (some, "Invocations at once in all; further ones are throttled."),
        "--runtime": (click.Choice(list(RUNTIMES)), "What runs it: ours, or AWS's own.  [default: lambent]"),
        "--warm": (some, "Environments that are started at once.  [default: 1]"),
        "--idle-timeout": (click.FloatRange(0, min_open=True), "Seconds after which an idle environment is ended."),
        "--cold-start": (click.FloatRange(0, 900), "Seconds that a start takes longer than here."),
    }
    flags = {
        "--stream": "Replies arrive piece by piece; for the doors url and rest.",
        "--snapstart": "Environments start as from a snapshot, hooks and all.",
        "--freeze/--no-freeze": "Whether environments stand still between invocations.  [default: freeze]",
    }
    variable = "Environment variable of the function. Repeatable."
    return [
        *(click.Option([name], type=kind, help=text) for name, (kind, text) in typed.items()),
        *(click.Option([name], is_flag=True, default=None, help=text) for name, text in flags.items()),
        click.Option(["--env"], multiple=True, metavar="KEY=VALUE", callback=check_env, help=variable),
    ]


def dev(**options: object) -> None:
    """Run the local Lambda."""
    from lambent.dev import server

    server.run(configuration(cast("Options", options), Path.cwd(), os.environ))


def configuration(options: Options, directory: Path, environ: Mapping[str, str]) -> Project:
    """What was typed over what is written. Raises click.UsageError and ConfigurationError."""
    from dataclasses import replace

    import click

    from lambent.dev import config

    target = options["target"]
    if target is None and options["debug"] and is_target(options["debug"]):  # `--debug app:app`
        return configuration({**options, "target": options["debug"], "debug": ""}, directory, environ)
    aim = config.Target(target, options["app_dir"]) if target else None
    if target and (options["template"] or options["parameter"]):
        raise click.UsageError("--template and --parameter go without a TARGET: the functions are those of the file.")
    project = config.load(
        directory,
        environ,
        file=options["config"],
        env_file=options["env_file"],
        target=aim,
        template=options["template"],
        parameters=dict(pair.split("=", 1) for pair in options["parameter"]),
    )
    if project is None or not project.functions:
        raise nothing_to_run(project, directory)
    functions = project.functions if target is None else tuple(typed(each, options) for each in project.functions)
    if target is None:
        refuse_function_options(options, project)
    return replace(
        project,
        functions=debugged(tuple(replace(each, chaos=each.chaos or options["chaos"]) for each in functions), options),
        host=options["host"] or project.host,
        port=project.port if options["port"] is None else options["port"],
        https=project.https or options["https"],
        allowed_hosts=(*project.allowed_hosts, *options["allow_host"]),
        log_level=options["log_level"] or project.log_level,
        caller=options["caller"],
        again=lambda: again({**options, "config": project.file}, directory, environ),
    )


def nothing_to_run(project: Project | None, directory: Path) -> click.UsageError:
    import click

    from lambent.dev import config

    if project and project.files:
        why = [f"{project.files[0]}: expected a function of Python that can run here.", *project.notes]
        return click.UsageError("\n".join(why))
    return click.UsageError(
        f"Expected a TARGET, such as app:app, or functions in [tool.lambent] of a pyproject.toml in {directory} "
        f"or above, but there is neither. Such as:\n\n{config.EXAMPLE}"
    )


def again(options: Options, directory: Path, environ: Mapping[str, str]) -> Project:
    """As `configuration`, while the local Lambda runs. Raises ConfigurationError for all that is wrong."""
    import click

    try:
        return configuration(options, directory, environ)
    except click.UsageError as error:
        raise ConfigurationError(error.message) from None


def typed(function: Function, options: Options) -> Function:
    """The function as the options say, where they say anything. Raises click.UsageError."""
    from dataclasses import replace

    import click

    from lambent.dev.config.function_tables import contradiction, region

    env = dict(pair.split("=", 1) for pair in options["env"])
    own = {name: value for name, value in said(options).items() if name not in ("app_dir", "env")}
    whereabouts = region(env, {"AWS_REGION": function.region})
    result = replace(function, env={**function.env, **env}, region=whereabouts, **own)
    if against := contradiction(result):
        raise click.UsageError(f"--{against[0]}: {against[1]}.")
    return result


def said(options: Options) -> dict[str, Any]:
    """Those of a function's that were typed."""
    names = FunctionOptions.__annotations__
    return {name: value for name, value in options.items() if name in names and value not in (None, ())}


def refuse_function_options(options: Options, project: Project) -> None:
    import click

    for name in said(options):
        key = name.replace("_", "-")
        table = "[tool.lambent]" if name == "app_dir" else "the function's table"
        where = f"{project.file}: set {key} in {table}" if not project.files else f"{project.files[0]}"
        raise click.UsageError(f"--{key} goes with a TARGET only. The functions are those of {where}.")


def debugged(functions: tuple[Function, ...], options: Options) -> tuple[Function, ...]:
    """With one of them, of which there is one environment, that waits for a debugger. Raises click.UsageError."""
    from dataclasses import replace

    import click

    if options["debug"] is None:
        return functions
    names = [function.name for function in functions]
    name = options["debug"] or (names[0] if len(names) == 1 else "")
    if name not in names:
        came = f"there is no {name}" if name else "there are several"
        raise click.UsageError(f"--debug: expected the name of a function, {', '.join(names)}, but {came}.")
    address = f"{DEBUG_HOST}:{options['debug_port']}"
    return tuple(
        replace(each, debug=address, environments=1, warm=min(each.warm, 1)) if each.name == name else each
        for each in functions
    )


def is_target(text: str) -> bool:
    from lambent.dev.config.tables import OBJECT

    return re.fullmatch(OBJECT, text) is not None


def check_target(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    import click

    if value is not None and not is_target(value):
        forms = "module:name or module.name, such as app:app or app.handler"
        raise click.BadParameter(f"expected {forms}, but got {value!r}.")
    return value


def check_env(_context: click.Context, _parameter: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...]:
    import click

    for pair in value:
        if not pair.partition("=")[0] or "=" not in pair:
            raise click.BadParameter(f"expected KEY=VALUE, but got {pair!r}.")
    return value
