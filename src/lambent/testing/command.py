"""`lambent event KIND`, as click has it: a command for each kind, whose options are the parameters of its builder."""

from __future__ import annotations

import inspect
import json
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Any, cast

import click

from lambent.dev.diff.command import read_data
from lambent.dev.doors import DOORS
from lambent.dev.doors.model import Site
from lambent.testing.events import Origin
from lambent.testing.events.fields import assigned
from lambent.testing.kinds import FLAG, KINDS, Builder, Option, options, records, takes_arguments

HELP = """Print an event as AWS sends it, with your values in it.

Pipe it into a function of the local Lambda: lambent event sqs --body hello | lambent invoke NAME --event -
"""


class Kinds(click.Group):
    """A command for each kind, made when it is asked for."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        return list(KINDS)

    def get_command(self, _ctx: click.Context, name: str) -> click.Command | None:
        return kind_command(name, KINDS[name]) if name in KINDS else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Raises click.UsageError, which names the kind that is nearest to what was typed."""
        if args and args[0] not in KINDS and not args[0].startswith("-"):
            near = get_close_matches(args[0].lower(), KINDS, 1, 0.5)
            hint = f"Did you mean {near[0]}?" if near else f"There are: {', '.join(KINDS)}."
            raise click.UsageError(f"There is no kind {args[0]!r}. {hint}", ctx)
        return super().resolve_command(ctx, args)


def group() -> click.Group:
    return Kinds("event", help=HELP)


def kind_command(name: str, builder: Builder) -> click.Command:
    """Its help is the builder's docstring."""
    parameters = [*arguments(builder), *(click_option(each) for each in options(builder)), *common(builder)]
    text = description(name, builder)

    def build(**typed: Any) -> None:
        event = printed(name, builder, typed)
        sys.stdout.buffer.write(event.encode("utf-8") + b"\n")
        sys.stdout.flush()

    return click.Command(name, params=parameters, callback=build, help=text, short_help=text.partition("\n\n")[0])


def description(name: str, builder: Builder) -> str:
    if name in DOORS:
        return f"A request through the door {DOORS[name](Site(name)).title}."
    return (inspect.getdoc(builder) or "").replace("`", "").partition("Raises ")[0]


def arguments(builder: Builder) -> list[click.Parameter]:
    if not takes_arguments(builder):
        return []
    return [
        click.Argument(["method"], required=False, default="GET"),
        click.Argument(["url"], required=False, default="/"),
    ]


def click_option(option: Option) -> click.Parameter:
    declared = [option.name, *(["-H"] if option.name == "--header" else []), option.parameter]
    if option.reading is FLAG:
        return click.Option(declared, is_flag=True)
    many = option.several or option.reading.many
    read, metavar = option.reading.read, option.reading.metavar
    if option.name == "--data" and not many:  # of a request
        read, metavar = read_data, "TEXT|@FILE"
    text = f"[default: {option.default}]" if option.default else ""
    return click.Option(
        declared,
        multiple=many,
        default=None,
        metavar=metavar,
        help=" ".join(filter(None, ["Repeatable: a record each." if option.several else "Repeatable." * many, text])),
        callback=reader(read),
    )


def common(builder: Builder) -> list[click.Parameter]:
    """Options of every kind, and the number of records where there are any."""
    several = any(each.several for each in options(builder))
    count = click.Option(["--records"], type=click.IntRange(1, 10_000), help="How many; what was given comes in turn.")
    time = "Such as 2026-01-01T12:00:00Z.  [default: now]"
    change = "Any field, such as Records.0.awsRegion=eu-west-1; PATH:=JSON for a value of another type. Repeatable."
    return [
        *([count] if several else []),
        click.Option(["--set", "changes"], multiple=True, metavar="PATH=VALUE", help=change),
        click.Option(["--region"], default="us-east-1", show_default=True),
        click.Option(["--account"], default="123456789012", show_default=True, callback=reader(account)),
        click.Option(["--time", "now"], metavar="TIME", callback=reader(seconds), help=time),
        click.Option(["--seed"], type=int, help="The same ids for the same seed."),
    ]


def reader(read: Callable[[str], object]) -> Callable[[click.Context, click.Parameter, Any], Any]:
    """A callback of click that reads one text, or each of several. Raises click.BadParameter."""

    def callback(_ctx: click.Context, _parameter: click.Parameter, value: str | tuple[str, ...] | None) -> Any:
        try:
            if isinstance(value, tuple):
                return [read(each) for each in value]
            return None if value is None else read(value)
        except ValueError as error:
            raise click.BadParameter(f"{error}.") from None

    return callback


def account(text: str) -> str:
    if not (text.isascii() and text.isdecimal() and len(text) == 12):
        raise ValueError(f"expected 12 digits, but got {text!r}")
    return text


def seconds(text: str) -> float:
    """Since the epoch. Without an offset it is UTC."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"expected a time, such as 2026-01-01T12:00:00Z, but got {text!r}") from None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


def printed(name: str, builder: Builder, typed: dict[str, Any]) -> str:
    """The event as indented JSON. Raises click.UsageError for what cannot be in it."""
    origin = Origin(*(typed.pop(key) for key in ("region", "account", "now", "seed")))
    changes: Sequence[str] = typed.pop("changes")
    try:
        event = builder(*positional(builder, typed), **keywords(builder, typed), origin=origin)
        for change in changes:
            event = assigned(event, change)
        return json_text(event)
    except (ValueError, TypeError) as error:
        raise click.UsageError(as_option(f"{error}", builder), click.Context(click.Command(f"event {name}"))) from None


def json_text(event: object) -> str:
    """With characters as they are, unless they have no UTF-8. Raises ValueError for NaN and infinities."""
    text = json.dumps(event, indent=2, ensure_ascii=False, allow_nan=False)
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return json.dumps(event, indent=2)
    return text


def positional(builder: Builder, typed: dict[str, Any]) -> list[Any]:
    """A value for each record."""
    count = typed.pop("records", None)
    for option in options(builder):
        if option.several:
            return records(typed.pop(option.parameter), count, option)
    return []


def keywords(builder: Builder, typed: dict[str, Any]) -> dict[str, Any]:
    """What was said, and nothing else: the builder has its own defaults."""
    pairs = {each.parameter for each in options(builder) if each.reading.pairs}
    said = {name: value for name, value in typed.items() if value is not None and value != [] and value is not False}
    return {name: dict(cast("list[Any]", value)) if name in pairs else value for name, value in said.items()}


def as_option(message: str, builder: Builder) -> str:
    """A message that begins with the name of a parameter, with that of the option in its place."""
    name, colon, rest = message.partition(":")
    for option in options(builder):
        if colon and name == option.parameter:
            return f"{option.name}:{rest}"
    return message
