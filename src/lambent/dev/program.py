"""A local Lambda that is a Python program: its project is looked at as one in pyproject.toml is, and runs."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator

import msgspec

from lambent.dev import server
from lambent.dev.config import Project, tables
from lambent.dev.config.document import description
from lambent.dev.config.function_tables import contradiction
from lambent.dev.model import Entrance, Function
from lambent.errors import ConfigurationError

TABLES = {"app_dir", "env", "env_file", "region", "watch", "doors", "functions", "sources"}
"""Keys of the whole that a Project has in another form, or not at all."""

ELSEWHERE = {"strategy", "event", "context", "layers", "asynchronous", "routes"}
"""Keys of a table that a Function has in another form."""


def run(project: Project) -> None:
    """Serve until Ctrl-C or SIGTERM. `ConfigurationError` for a mistake in it, or if the port cannot be had."""
    check(project)
    server.run(project)


def check(project: Project) -> None:
    """`ConfigurationError` for the first mistake."""
    complaint = next(complaints(project), None)
    if complaint is not None:
        raise ConfigurationError(f"{complaint}.")


def complaints(project: Project) -> Iterator[str]:
    """Where a mistake is, what was expected and what came. Of paths, `lambent.dev.routes` complains."""
    if not project.functions:
        yield "functions: expected at least one Function, but there is none"
    yield from mistyped(project, tables.Project, TABLES)
    names = Counter(function.name for function in project.functions)
    yield from (f"{name}: expected one Function of this name, but there are {n}" for name, n in names.items() if n > 1)
    for function in project.functions:
        yield from (f"{function.name}: {each}" for each in of_function(function, set(names), project.entrances))


def of_function(function: Function, names: set[str], entrances: Iterable[Entrance]) -> Iterator[str]:
    if not re.fullmatch(tables.FUNCTION_NAME, function.name):
        yield "expected a name of 1 to 64 letters, digits, hyphens and underscores"
    yield from mistyped(function, tables.FunctionTable, ELSEWHERE)
    yield from mistyped(function.asynchronous, tables.AsynchronousTable, set(), "asynchronous: ")
    yield from unfound(function, names)
    if against := contradiction(function, entrances):
        yield "{}: {}".format(*against)


def mistyped(settings: object, table: type[msgspec.Struct], passed_over: set[str], where: str = "") -> Iterator[str]:
    """What would not do as the keys of `table`. A text that is empty is one that was not given."""
    for each in msgspec.structs.fields(table):
        value = getattr(settings, each.name, each.default)
        if each.name not in passed_over and value != each.default:
            try:
                msgspec.convert(msgspec.to_builtins(value), each.type)
            except (msgspec.ValidationError, TypeError):
                yield f"{where}{each.name}: expected {description(each.type)}, but got {value!r:.80}"


def unfound(function: Function, names: set[str]) -> Iterator[str]:
    """What a function names that is not there."""
    for folder in (function.app_dir, *function.layers):
        if not folder.is_dir():
            yield f"{'app_dir' if folder == function.app_dir else 'layers'}: expected a folder, but got {folder}"
    if not shutil.which(function.python):
        yield f"python: expected a Python interpreter, but got {function.python}"
    for key in ("on_success", "on_failure", "dead_letter"):
        kind, _, name = getattr(function.asynchronous, key).partition(":")
        if kind == "function" and name not in names:
            yield f"asynchronous: {key}: expected one of the functions {', '.join(sorted(names))}, but got {name}"
