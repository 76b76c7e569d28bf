"""A file of another tool → what it describes."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from lambent.dev.model import Entrance, Function, Source
from lambent.dev.templates import (
    BEGINNING,
    MANIFEST,
    SERVERLESS,
    cdk,
    cloudformation,
    is_terraform,
    json_tables,
    yaml_tables,
)
from lambent.dev.templates.parts import Parts
from lambent.dev.templates.tables import Notes, Table, shown
from lambent.errors import ConfigurationError

MAX_SIZE = 50_000_000
"""Bytes of a file."""

PROJECT = ("pyproject.toml", "uv.lock", "requirements.txt")
"""Any of them is in the folder of a project that `lambent build` builds."""


Translated = tuple[Sequence[cloudformation.Template], Mapping[str, str]]
"""Templates, and their parameters."""


class Described(NamedTuple):
    """What a file describes."""

    functions: tuple[Function, ...]
    entrances: tuple[Entrance, ...]
    sources: tuple[Source, ...]
    notes: tuple[str, ...]
    files: tuple[Path, ...]
    """That it was read from."""


@dataclass(frozen=True, slots=True)
class Around:
    """What is known around a file.

    - `base`: a function with what the file does not say
    - `environ`: the variables that the shell and `.env` have
    - `parameters`: of the template, or options of the tool, in place of their defaults
    """

    directory: Path
    base: Function
    environ: Mapping[str, str]
    parameters: Mapping[str, str]


def read(file: Path, around: Around) -> Described:
    """The service that a file describes. `ConfigurationError` points at what is wrong in it."""
    reading = Reading(around)
    parts = Parts()
    try:
        cloudformation.read(*reading.templates(file), parts)
    except RecursionError:
        raise ConfigurationError(f"{shown(file, around.directory)}: expected fewer levels within each other.") from None
    for part in parts.functions.values():
        part.app_dir = sources(part.app_dir)
    exists = {folder: folder.is_dir() for folder in parts.folders()}
    joined = parts.joined(around.base, exists)
    if around.base.python == sys.executable:
        tell_versions(parts, reading.notes[0])
    notes = tuple(line for each in reading.notes for line in each.lines())
    return Described(*joined, notes, tuple(reading.files))


def sources(code: Path) -> Path:
    """What `lambent build` makes an archive of: `PROJECT/dist/NAME.zip` → the project's folder, or `src` in it."""
    project = code.parent.parent
    if code.suffix != ".zip" or not any((project / name).is_file() for name in PROJECT):
        return code
    return project / "src" if (project / "src").is_dir() else project


def tell_versions(parts: Parts, notes: Notes) -> None:
    """That other versions of Python are asked for than the one that runs."""
    here = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    asked = sorted({part.runtime for part in parts.functions.values()} - {here})
    if asked := [each for each in asked if each.startswith("python")]:
        chosen = "`python` in [tool.lambent.defaults] chooses another one"
        notes.add(0, f"{', '.join(asked)} is asked for, {here} runs it here; {chosen}.")


class Reading:
    """Files being read."""

    def __init__(self, around: Around) -> None:
        self._around = around
        self.notes: list[Notes] = []
        self.files: list[Path] = []

    def templates(self, file: Path) -> Translated:
        """The file as CloudFormation has it, whatever it is. `ConfigurationError` points at what is wrong."""
        return self.reader(file)(file)

    def reader(self, file: Path) -> Callable[[Path], Translated]:
        """By what the file is."""
        if file.is_dir() or (file.parent / MANIFEST).is_file():
            return self.cdk
        if file.name in SERVERLESS or file.stem.startswith("serverless"):
            return self.serverless
        if file.suffix == ".json" and is_terraform(beginning(file)):
            return self.terraform
        return self.cloudformation

    def cloudformation(self, file: Path) -> Translated:
        table, notes = self.parse(file)
        if not isinstance(table.get("Resources"), Table):
            raise notes.error(table.at("Resources") or 1, "expected a template with Resources, but there are none.")
        base = self._around.base
        template = cloudformation.Template(table, notes, file.parent, file.parent.name, base.region, base.account)
        return [template], self._around.parameters

    def cdk(self, file: Path) -> Translated:
        folder, only = (file, None) if file.is_dir() else (file.parent, file)
        base = self._around.base
        only = None if only and only.name == MANIFEST else only
        templates = cdk.read(folder, only, self.parse, base.region, base.account)
        if not templates:
            raise ConfigurationError(f"{file}: expected a stack of an AWS CDK app, but there is none.")
        return templates, self._around.parameters

    def serverless(self, file: Path) -> Translated:
        from lambent.dev.templates import serverless
        from lambent.dev.templates.serverless_variables import Variables

        document, notes = self.parse(file, "1.2")
        base, options = self._around.base, self._around.parameters
        variables = Variables(
            document,
            notes,
            options=options,
            environ=self._around.environ,
            known={"aws:accountId": base.account, "sls:instanceId": "lambent"},
            read_file=lambda path: self._included(file.parent / path),
        )
        service = serverless.read(document, variables, notes, options, base.region)
        template = cloudformation.Template(
            service.template, notes, file.parent, service.name, service.region, base.account
        )
        return [template], {}

    def _included(self, file: Path) -> object:
        """A file that a variable names. ValueError if it cannot be read here."""
        if file.suffix in (".js", ".cjs", ".mjs", ".ts"):
            raise ValueError(f"{file.name} is a program, which is not run here")
        if not file.is_file():
            raise ValueError(f"there is no file {shown(file, self._around.directory)}")
        notes = Notes(shown(file, self._around.directory))
        self.files.append(file)
        text = read_text(file, notes)
        if file.suffix in (".yml", ".yaml"):
            return yaml_tables.read(text, notes, "1.2")
        return json_tables.read(text, notes) if file.suffix == ".json" else text

    def terraform(self, file: Path) -> Translated:
        from lambent.dev.templates import terraform

        plan, notes = self.parse(file)
        base = self._around.base
        translated = terraform.read(plan, notes)
        template = cloudformation.Template(
            translated.template,
            notes,
            file.parent,
            file.parent.name,
            base.region,
            base.account,
            names=translated.names,
        )
        return [template], {}

    def parse(self, file: Path, version: str = "1.1") -> tuple[Table, Notes]:
        """A file whose document is a table."""
        notes = Notes(shown(file, self._around.directory))
        self.notes.append(notes)
        self.files.append(file)
        text = read_text(file, notes)
        root = json_tables.read(text, notes) if file.suffix == ".json" else yaml_tables.read(text, notes, version)
        if not isinstance(root, Table):
            raise notes.error(1, "expected a table, but the document is none.")
        return root, notes


def beginning(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(BEGINNING)
    except OSError:
        return b""


def read_text(file: Path, notes: Notes) -> str:
    try:
        if file.stat().st_size > MAX_SIZE:
            raise notes.error(0, f"expected at most {MAX_SIZE:,} bytes.")
        return file.read_text("utf-8-sig")
    except OSError as error:
        raise notes.error(0, f"it cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError as error:
        raise notes.error(0, f"expected UTF-8, but {error}.") from None
