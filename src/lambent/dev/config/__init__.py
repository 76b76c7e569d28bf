"""`[tool.lambent]` of a project's pyproject.toml, read into what the local Lambda runs.

    document.py           a TOML file, and complaints that point into it; by toml_lines.py
    tables.py             what may stand where
    door_tables.py        one entrance
    source_tables.py      one event source
    function_tables.py    one function; by callables.py, if it names functions that the local Lambda calls
    dotenv.py             `.env`
    smyth.py              the same of [tool.smyth]
    other_tools.py        functions described in a file of another tool

Nothing is kept: the next `load` sees what has changed in the files, and in the functions they name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from lambent.dev import templates
from lambent.dev.config import callables, door_tables, dotenv, function_tables, tables
from lambent.dev.config.document import Document
from lambent.dev.config.door_tables import ENTRANCES
from lambent.dev.config.function_tables import DEFAULTS, FUNCTIONS, TOOL, Shared
from lambent.dev.model import Entrance, Function, Source
from lambent.dev.routes import doubts, sockets
from lambent.dev.routes.bindings import OF_PATH, bind
from lambent.errors import ConfigurationError

FILE = "pyproject.toml"
EXAMPLE = """\
[tool.lambent.functions.api]
handler = "app:app"
path = "/{proxy+}"
"""


@dataclass(frozen=True, slots=True)
class Project:
    """What the local Lambda runs, and where."""

    functions: tuple[Function, ...]
    entrances: tuple[Entrance, ...] = ()
    sources: tuple[Source, ...] = ()
    notes: tuple[str, ...] = ()
    """What of a file was not understood: to be said at the start."""
    host: str = "127.0.0.1"
    port: int = 3000
    """0: any free one."""
    https: bool = False
    """Whether it is spoken there, with a made-up certificate."""
    allowed_hosts: tuple[str, ...] = ()
    log_level: str = "info"
    """One of `tables.LOG_LEVELS`. From `warning` on, START, END and REPORT are left out."""
    watch: tuple[Path, ...] = ()
    """Files, folders and globs that functions depend on beside what they import."""
    time_scale: float = 1.0
    """Divides the waits between the attempts of asynchronous invocations."""
    first_match: bool = False
    """Whether of several paths that match a request the first one wins, rather than the most specific one."""
    file: Path | None = None
    """That it was read from, if it was."""
    files: tuple[Path, ...] = ()
    """Of other tools, that it was read from."""
    env_file: Path | None = None
    caller: Path | None = None
    """A file that says who sends every request: `lambent.dev.authorizers.caller` reads it."""
    again: Callable[[], Project] | None = field(default=None, compare=False, repr=False)
    """Reads both files once more; `ConfigurationError` if there is a mistake in them now."""


class Target(NamedTuple):
    """The one function of a local Lambda that has no table of functions."""

    handler: str
    app_dir: Path | None = None
    """None: as the key `app-dir` says, or else the current directory."""

    @property
    def name(self) -> str:
        """One that Lambda takes."""
        return re.sub(r"[^a-zA-Z0-9_-]+", "-", self.handler).strip("-")[:64] or "function"


def load(
    directory: Path,
    environ: Mapping[str, str],
    *,
    file: Path | None = None,
    env_file: Path | None = None,
    target: Target | None = None,
    template: Path | None = None,
    parameters: Mapping[str, str] | None = None,
) -> Project | None:
    """What the nearest pyproject.toml from `directory` upward says in [tool.lambent], or else in [tool.smyth].

    Where it names no functions, they are those of the file of another tool that stands in `directory`, or beside
    pyproject.toml. `template` is such a file, whatever pyproject.toml names; `parameters` are those of the file.

    None if there is nothing of all that. `file` is read in place of a search, `env_file` in place of the project's own.
    With a target only what [tool.lambent] says of the whole and by default is taken, if it says anything. `environ` is
    the shell's variables. `ConfigurationError` points at the file, the line and the key of a mistake.
    """
    directory = directory.absolute()
    tools = ("lambent",) if target else ("lambent", "smyth")
    document = given(file.absolute(), tools) if file else find(directory, tools)
    if not target and (described := template or described_elsewhere(document, directory)):
        from lambent.dev.config import other_tools

        own = document if document and document.get(*TOOL) is not None else Document(directory / FILE)
        return other_tools.read(own, described, directory, environ, env_file=env_file, parameters=parameters)
    if document and document.get(*TOOL) is None:
        from lambent.dev.config import smyth

        return smyth.read(document, environ, env_file)
    if target:
        return of_target(document or Document(directory / FILE), target, directory, environ, env_file)
    return of_functions(document, environ, env_file) if document else None


def find(directory: Path, tools: Sequence[str]) -> Document | None:
    """The nearest one that has a table of one of these."""
    for folder in (directory, *directory.parents):
        if (folder / FILE).is_file():
            document = Document.read(folder / FILE)
            if any(document.get("tool", tool) is not None for tool in tools):
                return document
    return None


def described_elsewhere(document: Document | None, directory: Path) -> Path | None:
    """The file of another tool, where pyproject.toml names no functions."""
    if document and (document.get(*TOOL) is None or document.get(*FUNCTIONS)):
        return None
    folders = [directory, *([document.file.parent] if document else [])]
    return next(filter(None, map(templates.find, folders)), None)


def given(file: Path, tools: Sequence[str]) -> Document:
    document = Document.read(file)
    if all(document.get("tool", tool) is None for tool in tools):
        expected = " or ".join(f"[tool.{tool}]" for tool in tools)
        raise ConfigurationError(f"{file}: expected {expected}, but there is none. Such as:\n\n{EXAMPLE}")
    return document


def of_functions(document: Document, environ: Mapping[str, str], env_file: Path | None) -> Project:
    """The functions that the file names."""
    whole = read_whole(document)
    made = project(document, whole, whole.functions, environ, env_file, folder(document, whole))
    return replace(made, sources=read_sources(document, whole)) if whole.sources else made


def of_target(
    document: Document, target: Target, directory: Path, environ: Mapping[str, str], env_file: Path | None
) -> Project:
    """One function, on every path, with an environment from the start unless it is said otherwise."""
    whole = read_whole(document)
    said = document.get(*TOOL, "app-dir") is not None
    app_dir = target.app_dir or (folder(document, whole) if said else directory)
    table = {"handler": target.handler, "path": "/{proxy+}", "warm": whole.defaults.get("warm", 1)}
    return project(document, whole, {target.name: table}, environ, env_file, app_dir)


def read_whole(document: Document) -> tables.Project:
    said = document.get(*TOOL)
    whole = document.convert(TOOL, {} if said is None else said, tables.Project)
    document.convert(DEFAULTS, whole.defaults, tables.Defaults)
    return whole


def project(
    document: Document,
    whole: tables.Project,
    functions: Mapping[str, object],
    environ: Mapping[str, str],
    env_file: Path | None,
    app_dir: Path,
) -> Project:
    """With these functions, by their names."""
    env_file = env_file or find_env_file(document, whole)
    env = {**(dotenv.read(env_file, environ) if env_file else {}), **whole.env}
    entrances = door_tables.read(document, whole.doors)
    shared = Shared(document, app_dir, env, environ, whole.region, whole.defaults, entrances)
    with callables.importing(app_dir):
        made = tuple(function_tables.read(name, table, shared) for name, table in functions.items())
    check(document, made, entrances)
    return Project(
        made,
        entrances=entrances,
        host=whole.host,
        port=whole.port,
        https=whole.https,
        allowed_hosts=whole.allowed_hosts,
        log_level=whole.log_level,
        watch=tuple(map(document.path, whole.watch)),
        time_scale=whole.time_scale,
        file=document.file if document.root else None,
        env_file=env_file,
    )


def read_sources(document: Document, whole: tables.Project) -> tuple[Source, ...]:
    from lambent.dev.config import source_tables

    return source_tables.read(document, whole.sources, whole.functions)


def folder(document: Document, whole: tables.Project) -> Path:
    return document.folder((*TOOL, "app-dir"), whole.app_dir)


def find_env_file(document: Document, whole: tables.Project) -> Path | None:
    """The one that is named, or else `.env` if it is there."""
    found = document.path(whole.env_file or ".env")
    if found.is_file():
        return found
    if whole.env_file:
        raise document.unexpected((*TOOL, "env-file"), "a file", str(found))
    return None


def check(document: Document, functions: Sequence[Function], entrances: Sequence[Entrance]) -> None:
    """Complain about what functions and entrances say of each other."""
    if conflict := doubts.conflict(bind(functions, entrances)):
        second = conflict.second
        key = "path" if second.place == OF_PATH else "routes"
        raise document.error((*FUNCTIONS, second.function.name, key), conflict.message)
    if both := sockets.twice(functions, entrances):
        raise document.error((*FUNCTIONS, both.function, both.key), both.message)
    names = [function.name for function in functions]
    for function in functions:
        asynchronous = function.asynchronous
        for key in ("on_success", "on_failure", "dead_letter"):
            kind, _, name = getattr(asynchronous, key).partition(":")
            if kind == "function" and name not in names:
                keys = (*FUNCTIONS, function.name, "asynchronous", key.replace("_", "-"))
                expected = f"expected one of the functions {', '.join(names)}"
                raise document.error(keys, f"{expected}, but got {name}")
    for entrance in entrances:
        of_it = [route for function in functions for route in function.routes if route.entrance == entrance.name]
        if (
            entrance.authorizers
            or entrance.default_authorizer
            or any(each.authorizer or each.api_key for each in of_it)
        ):
            from lambent.dev.authorizers import checks

            for complaint in checks.complaints(entrance, of_it, names):
                raise document.error((*ENTRANCES, entrance.name), complaint)
