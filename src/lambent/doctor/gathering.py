"""A project and a template → Facts. All that is read, and run, for them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import NamedTuple

from lambent.dev import config, templates
from lambent.dev.config import Project, Target
from lambent.dev.model import Function
from lambent.dev.routes.sockets import is_behind
from lambent.dev.templates.functions import NOT_PYTHON
from lambent.dev.templates.reading import Around, Reading
from lambent.dev.templates.tables import shown
from lambent.doctor import archives, measuring, packages, resources
from lambent.doctor.checks.doors import LOCAL
from lambent.doctor.checks.runtimes import RESERVED
from lambent.doctor.model import Archive, Client, Door, Facts, FunctionFacts, Measured, Place, Poll, wrapped
from lambent.doctor.resources import Described
from lambent.errors import ConfigurationError
from lambent.stores import STORE

CLIENTS: Mapping[str, Client] = {"lambent": "lambent", "awslambdaric": "aws"}
"""What runs a function of [tool.lambent] → who speaks to the Runtime API."""


@dataclass(frozen=True, slots=True)
class Order:
    """What to look at.

    - `target`: a handler, in place of a file's functions
    - `artefact`: a zip that all functions are deployed as
    - `load`: whether handlers are loaded here, which runs their modules
    """

    directory: Path
    environ: Mapping[str, str]
    today: date
    target: str | None = None
    template: Path | None = None
    config: Path | None = None
    artefact: Path | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)
    load: bool = True


class Told(NamedTuple):
    """What comes up beside the facts."""

    mistakes: list[str]
    notes: list[str]


def gather(order: Order) -> Facts | None:
    """All there is to know; None if there is neither a function nor a mistake."""
    try:
        project, described = read(order)
        artefact = archived(order.artefact, order)
    except ConfigurationError as error:
        return Facts(today=order.today, mistakes=(str(error),))
    except RecursionError:
        return Facts(today=order.today, mistakes=("expected fewer levels within each other.",))
    notes = list(project.notes) if project else []
    if not described and not (project and project.functions):
        return without_functions(order, notes)
    around = (order.directory, *((project.file.parent,) if project and project.file else ()))
    needs = packages.read(*around, code=[code for _, code in described if code])
    told = Told([], [each for each in notes if not described or NOT_PYTHON in each])
    functions = tuple(complete(order, project, described, artefact, told))
    return Facts(
        functions,
        needs.names,
        Place(shown(needs.file, order.directory)) if needs.file else Place(),
        needs.requires_python,
        order.today,
        tuple(told.mistakes),
        tuple(dict.fromkeys(told.notes)),
    )


def without_functions(order: Order, notes: Sequence[str]) -> Facts | None:
    """None if there is no template either."""
    if (template := template_of(order)) is None:
        return None
    mistake = f"{shown(template, order.directory)}: expected a function of Python, but there is none."
    return Facts(today=order.today, mistakes=(mistake,), notes=tuple(dict.fromkeys(notes)))


def template_of(order: Order) -> Path | None:
    return order.template or (None if order.target else templates.find(order.directory))


def read(order: Order) -> tuple[Project | None, list[Described]]:
    """What pyproject.toml says, and what the template does."""
    template = template_of(order)
    project = config.load(
        order.directory,
        order.environ,
        file=order.config,
        target=Target(order.target) if order.target else None,
        template=template,
        parameters=order.parameters,
    )
    if template is None:
        return project, []
    base = Function("base", "app.handler")
    around = Around(order.directory, base, order.environ, order.parameters)
    return project, resources.read(*Reading(around).templates(template))


def archived(path: Path | None, order: Order) -> Archive | None:
    return archives.read(path, shown(path.resolve(), order.directory)) if path else None


def complete(
    order: Order,
    project: Project | None,
    described: Sequence[Described],
    artefact: Archive | None,
    told: Told,
) -> Iterator[FunctionFacts]:
    """Each function with its archive, and as it was loaded."""
    known = {each.name: each for each in project.functions} if project else {}
    before: dict[tuple[str, Path, tuple[Path, ...], str, frozenset[tuple[str, str]], bool], Measured] = {}

    def loaded(own: Function, unique: bool) -> Measured:
        # functions of the same code, on the same path
        key = own.handler, own.app_dir, own.layers, own.python, frozenset(own.env.items()), unique
        if key not in before:
            before[key] = measuring.measure(own, order.environ, unique=unique)
        return before[key]

    if not described and project:
        described = [Described(of_project(each, project, order), each.app_dir) for each in project.functions]
    for facts, code in described:
        archive = artefact or of_template(code, order, told)
        own = known.get(facts.name) or here(facts, code, order, project)
        measured = loaded(own, facts.snapstart) if order.load and own else None
        yield replace(facts, archive=archive, measured=measured)


def of_template(code: Path | None, order: Order, told: Told) -> Archive | None:
    """The zip that the template names, if it has been made."""
    if code is None or code.suffix != ".zip":
        return None
    if not code.is_file():
        name = shown(code.resolve(), order.directory)
        told.notes.append(f"what is uploaded, for there is no {name} yet. Make it by `lambent build`.")
        return None
    try:
        return archived(code, order)
    except ConfigurationError as error:
        told.mistakes.append(str(error))
        return None


def here(facts: FunctionFacts, code: Path | None, order: Order, project: Project | None) -> Function | None:
    """A function that the local Lambda would not run, such as one whose code is a zip; None if it is not here."""
    root = project.file.parent if project and project.file else order.directory
    folders = [*([code] if code else []), order.directory, order.directory / "src", root, root / "src"]
    folder = measuring.folders_of(facts.handler, folders) if facts.handler else None
    return Function(facts.name, facts.handler, folder, env=facts.env) if folder else None


# Functions of [tool.lambent]


def of_project(function: Function, project: Project, order: Order) -> FunctionFacts:
    """As the local Lambda runs it; what it does not ask for is taken as right."""
    place = Place(shown(project.file, order.directory)) if project.file else Place()
    return FunctionFacts(
        function.name,
        function.handler,
        client=wrapped(function.env, CLIENTS[function.runtime]),
        place=place,
        timeout=function.timeout,
        memory=function.memory,
        env=deployable(function.env),
        reserved=function.reserved_concurrency,
        concurrency=function.concurrency,
        snapstart=function.snapstart,
        layers=len(function.layers),
        doors=tuple(doors(function, project, place)),
        polls=tuple(polls(function, project, place)),
    )


def deployable(env: Mapping[str, str]) -> dict[str, str]:
    """Without what is only for here: what Lambda sets itself, and a store of one process."""
    found = {name: value for name, value in env.items() if name not in RESERVED}
    if found.get(STORE, "").startswith(LOCAL):
        found[STORE] = ""  # there is one
    return found


def doors(function: Function, project: Project, place: Place) -> Iterator[Door]:
    declared = {each.name: each for each in project.entrances}
    names = [each.entrance for each in function.routes]
    if function.path or is_behind(function.door, declared):
        names.insert(0, function.door)
    for name in dict.fromkeys(names):
        entrance = declared.get(name)
        kind = entrance.kind if entrance else name
        timeout = entrance.timeout if entrance else None
        streams = function.stream and kind in ("url", "rest")
        yield Door(kind, f"the door {name}", place, streams, timeout=timeout)


def polls(function: Function, project: Project, place: Place) -> Iterator[Poll]:
    for each in project.sources:
        if each.function == function.name and each.kind == "sqs":
            yield Poll("sqs", each.name, place, each.partial, each.batch_size, int(each.batch_window))
