"""A project whose functions are described in a file of another tool; the rest of it in `[tool.lambent]`.

What counts, the first before the others: `.env` and `env` of `[tool.lambent]`; the file; `[tool.lambent.defaults]`.
Tables of doors and sources take the place of those of the same name in the file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import msgspec

from lambent.dev.config import Project, door_tables, project, read_whole
from lambent.dev.config.document import Document
from lambent.dev.model import Entrance, Function, Source
from lambent.dev.routes import doubts
from lambent.dev.routes.bindings import bind
from lambent.dev.templates import reading
from lambent.dev.templates.tables import shown
from lambent.errors import ConfigurationError

ENDPOINTS = ("AWS_ENDPOINT_URL_SQS", "AWS_ENDPOINT_URL")

Named = TypeVar("Named", Entrance, Source)


def read(
    document: Document,
    file: Path,
    directory: Path,
    environ: Mapping[str, str],
    *,
    env_file: Path | None = None,
    parameters: Mapping[str, str] | None = None,
) -> Project:
    """The project. `ConfigurationError` points at a mistake in either file."""
    whole = read_whole(document)
    table = {"defaults": {"handler": "app.handler"}}
    bare = msgspec.structs.replace(whole, doors={}, sources={})
    usual = project(document, bare, table, environ, env_file, directory)
    (base,) = usual.functions
    shell = {**base.env, **environ}
    described = reading.read(file, reading.Around(directory, base, shell, parameters or {}))
    entrances = overlaid(described.entrances, door_tables.read(document, whole.doors))
    names = [function.name for function in described.functions]
    own = of_project(document, whole.sources, names)
    sources, unpolled = safe(described.sources, described.functions, environ)
    sources = overlaid(sources, own)
    where = shown(file, directory)
    refuse_same_routes(where, described.functions, entrances)
    complaints = tuple(f"{where}: {line}" for line in complained(described.functions, entrances, names))
    told = tuple(f"{where}: {line}" for name, line in unpolled if name not in {source.name for source in own})
    return replace(
        usual,
        functions=described.functions,
        entrances=entrances,
        sources=sources,
        notes=(*described.notes, *complaints, *told),
        files=described.files,
    )


def of_project(document: Document, tables: Mapping[str, object], functions: Sequence[str]) -> tuple[Source, ...]:
    """The sources that `[tool.lambent]` has."""
    if not tables:
        return ()
    from lambent.dev.config import source_tables

    return source_tables.read(document, tables, functions)


def overlaid(theirs: Sequence[Named], own: Sequence[Named]) -> tuple[Named, ...]:
    """By name, the project's own in place of the file's."""
    names = {each.name for each in own}
    return tuple(each for each in theirs if each.name not in names) + tuple(own)


def safe(
    sources: Sequence[Source], functions: Sequence[Function], shell: Mapping[str, str]
) -> tuple[tuple[Source, ...], list[tuple[str, str]]]:
    """Without polling AWS itself: that would take messages from those whom they are meant for. With what to tell."""
    env = {function.name: {**shell, **function.env} for function in functions}
    made, told = [], []
    for source in sources:
        if source.kind == "sqs" and source.enabled and not any(env[source.function].get(key) for key in ENDPOINTS):
            how = f"Set {ENDPOINTS[0]} to poll one elsewhere, or write [tool.lambent.sources.{source.name}]."
            told.append((source.name, f"{source.name}: the queue {source.queue} is not polled, as it is on AWS. {how}"))
            source = replace(source, enabled=False)  # noqa: PLW2901
        made.append(source)
    return tuple(made), told


def refuse_same_routes(where: str, functions: Sequence[Function], entrances: Sequence[Entrance]) -> None:
    if conflict := doubts.conflict(bind(functions, entrances)):
        raise ConfigurationError(f"{where}: {conflict.message}.")


def complained(functions: Sequence[Function], entrances: Sequence[Entrance], names: Sequence[str]) -> Iterator[str]:
    """What cannot work of authorizers."""
    from lambent.dev.authorizers import checks

    for entrance in entrances:
        of_it = [route for function in functions for route in function.routes if route.entrance == entrance.name]
        yield from (f"the door {entrance.name}: {line}." for line in checks.complaints(entrance, of_it, names))
