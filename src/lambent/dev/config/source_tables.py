"""The tables of `[tool.lambent.sources]`, read into Sources."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Annotated

from msgspec import Meta, Struct

from lambent.dev.config.document import Document
from lambent.dev.config.tables import FUNCTION_NAME, Switch, Text
from lambent.dev.config.toml_lines import Keys
from lambent.dev.model import Source
from lambent.dev.sources import patterns, schedules
from lambent.dev.sources.queues import AT_ONCE

SOURCES = ("tool", "lambent", "sources")
DEFAULT = Source("", "", "")

OF_SCHEDULES = ("time-zone", "scheduler", "input")
OF_QUEUES = ("endpoint", "batch-size", "batch-window", "report-batch-item-failures", "concurrency", "filters")


class SourceTable(Struct, kw_only=True, frozen=True, rename="kebab"):
    """`[tool.lambent.sources.NAME]`."""

    function: Text
    schedule: Text = DEFAULT.schedule
    time_zone: Text = DEFAULT.time_zone
    scheduler: Switch = DEFAULT.scheduler
    input: Annotated[str | dict[str, object], Meta(description="the event: a text of JSON, or a table")] = DEFAULT.input
    queue: Text = DEFAULT.queue
    endpoint: Annotated[str, Meta(pattern=r"\Ahttps?://[^/\s]+/?\Z", description="a URL without a path")] = ""
    batch_size: Annotated[int, Meta(description="a whole number from 1 to 10000", ge=1, le=10_000)] = DEFAULT.batch_size
    batch_window: Annotated[float, Meta(description="seconds, from 0 to 300", ge=0, le=300)] = DEFAULT.batch_window
    report_batch_item_failures: Switch = DEFAULT.partial
    concurrency: Annotated[int, Meta(description="a whole number from 1 to 1000", ge=1, le=1000)] = DEFAULT.concurrency
    filters: Annotated[
        tuple[str | dict[str, object], ...], Meta(description="a list of patterns: texts of JSON, or tables")
    ] = ()
    enabled: Switch = DEFAULT.enabled


def read(document: Document, sources: Mapping[str, object], functions: Collection[str]) -> tuple[Source, ...]:
    """All of them. `ConfigurationError` points at a mistake."""
    return tuple(source(document, name, own, functions) for name, own in sources.items())


def source(document: Document, name: str, own: object, functions: Collection[str]) -> Source:
    """The one of this name: a schedule or a queue, as the key says that it has."""
    keys = (*SOURCES, name)
    if not re.fullmatch(FUNCTION_NAME, name):
        raise document.error(keys, "expected a name of 1 to 64 letters, digits, hyphens and underscores")
    table = document.convert(keys, own, SourceTable)
    if bool(table.schedule) is bool(table.queue):
        came = "both" if table.queue else "none"
        raise document.error(keys, f"expected either the key schedule or the key queue, but got {came}")
    for key in OF_SCHEDULES if table.queue else OF_QUEUES:
        if isinstance(own, dict) and key in own:
            one, other = ("queue", "schedules") if table.queue else ("schedule", "queues")
            raise document.error((*keys, key), f"a {one} has no such key, only {other} have")
    if table.function not in functions:
        raise document.unexpected((*keys, "function"), f"one of the functions {', '.join(functions)}", table.function)
    made = Source(
        name,
        table.function,
        "sqs" if table.queue else "schedule",
        schedule=table.schedule,
        time_zone=table.time_zone,
        scheduler=table.scheduler,
        input=as_json(document, (*keys, "input"), table.input) if table.input != "" else "",
        queue=table.queue,
        endpoint=table.endpoint,
        batch_size=table.batch_size,
        batch_window=table.batch_window,
        partial=table.report_batch_item_failures,
        concurrency=table.concurrency,
        filters=tuple(as_json(document, (*keys, "filters"), each) for each in table.filters),
        enabled=table.enabled,
    )
    check(document, keys, made)
    return made


def as_json(document: Document, keys: Keys, value: str | dict[str, object]) -> str:
    """The text of it. A complaint if it is none."""
    try:
        if not isinstance(value, str):
            return json.dumps(value)
        json.loads(value)
    except (ValueError, TypeError) as error:
        raise document.error(keys, f"expected JSON, but {error}") from None
    return value


def check(document: Document, keys: Keys, made: Source) -> None:
    """Complain about what AWS would not take."""

    def told(key: str, work: Callable[[], object]) -> None:
        try:
            work()
        except ValueError as error:
            raise document.error((*keys, key), str(error)) from None

    if made.kind == "schedule":
        told("time-zone", lambda: schedules.zone(made.time_zone))
        told("schedule", lambda: schedules.parse(made.schedule, scheduler=schedules.is_scheduler(made)))
        return
    for each in made.filters:
        told("filters", partial(patterns.parse, each))
    if made.queue.endswith(".fifo") and (made.batch_size > AT_ONCE or made.batch_window):
        key = "batch-window" if made.batch_window else "batch-size"
        raise document.error((*keys, key), f"expected no window and batches of {AT_ONCE} at most of a FIFO queue")
    if made.batch_size > AT_ONCE and made.batch_window < 1:
        expected = f"expected a batch-window of 1 second or more with batches of more than {AT_ONCE}"
        raise document.error((*keys, "batch-size"), expected)
