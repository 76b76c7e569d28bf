"""A project as it lies in a folder: what it is called, what it needs, what of it goes into the artefact."""

from __future__ import annotations

import re
from pathlib import Path

from lambent.build.errors import BuildError
from lambent.build.model import Dependencies, Project
from lambent.build.settings import TABLE, Pyproject, Settings
from lambent.build.sources import Selection
from lambent.build.uv import loaded

NAME = re.compile(r"[A-Z0-9]|[A-Z0-9][A-Z0-9._-]*[A-Z0-9]", re.IGNORECASE)
"""Of a project (PyPA, "Names and normalization")."""

HANDLER = re.compile(r"[^\W\d][\w-]*(?:[./][^\W\d][\w-]*)*[:.][^\W\d]\w*(?:\.[^\W\d]\w*)*")
"""Modules may have hyphens in their names, which only `import` statements cannot say."""
PYLOCK = re.compile(r"pylock(?:\.[^.]+)?\.toml")
"""PEP 751."""

OWN = re.compile(r"\s*(?:(?:-e|--editable)[\s=]*)?\./?(?:\[[^\]]*\])?\s*(?:#.*)?")
"""A line of requirements that is the project itself."""

NOT_READ = {"Pipfile": "pipenv requirements > requirements.txt", "poetry.lock": "poetry export -o requirements.txt"}
"""Files of other tools that say what a project needs → what makes a file of it that is read."""


def read(folder: Path, handler: str | None = None, destination: Path | None = None) -> Project:
    """`BuildError` if the folder holds nothing that can be built, and for nonsense in its files.

    `destination`: where artefacts are put, of which nothing is taken.
    """
    root = Path(folder).resolve()
    if not root.is_dir():
        raise BuildError(f"Expected the folder of a project, but {folder} is none.")
    pyproject = Pyproject.read(root)
    settings = pyproject.settings()
    target = handler_of(pyproject, settings, handler)
    called = name(root, pyproject)
    made = (destination.resolve(), destination.resolve() / f"{called}-image") if destination else ()
    app_dir = pyproject.text("tool", "lambent", "app-dir") or "."
    selection = Selection(root, settings, app_dir, target, frozenset(made))
    sources = selection.files()
    needed = dependencies(root, pyproject, settings)
    if not sources and not needed.kind and "build-system" not in pyproject.table:
        raise BuildError(f"{root} has no modules, no packages and no dependencies: there is nothing to build.")
    passed_over, unmatched = selection.passed_over(sources.values()), selection.unmatched()
    return Project(root, called, target, needed, sources, tuple(passed_over), tuple(unmatched))


def name(root: Path, pyproject: Pyproject) -> str:
    said = pyproject.text("project", "name")
    if said and not NAME.fullmatch(said):
        raise pyproject.unexpected(("project", "name"), "letters, digits, dots, hyphens and underscores", said)
    return normalised(said or re.sub(r"[^A-Za-z0-9]+", "-", root.name).strip("-") or "function")


def normalised(text: str) -> str:
    """The name of a distribution as it is compared (PyPA, "Names and normalization")."""
    return re.sub(r"[-_.]+", "-", text).lower()


def handler_of(pyproject: Pyproject, settings: Settings, typed: str | None) -> str:
    """What was typed, what the build's table says, or what the only function of [tool.lambent.functions] has."""
    functions = pyproject.subtable("tool", "lambent", "functions")
    said = {pyproject.text("tool", "lambent", "functions", each, "handler") for each in functions}
    only = said.pop() if len(said) == 1 else ""
    found = typed or settings.handler or only
    if found and not HANDLER.fullmatch(found):
        raise BuildError(f'Expected a handler such as "app:app" or "package.module.handler", but got {found!r}.')
    return found


def nested(handler: str) -> bool:
    """Whether it is an attribute of what has a name in the module: `app:Shop.handler`. AWS's runtime loads none."""
    return "." in handler.partition(":")[2]


def deployed(handler: str) -> str:
    """As Lambda is told it: `app.handler`. A nested one keeps its colon, by which Lambent's runtime finds it."""
    return handler if nested(handler) else handler.replace(":", ".")


def dependencies(root: Path, pyproject: Pyproject, settings: Settings) -> Dependencies:
    """The file that says it: the one named, uv.lock, requirements.txt, or [project]."""
    check_extras(pyproject, settings)
    if settings.requirements:
        return of_named(named(root, settings.requirements), settings)
    lock, requirements = root / "uv.lock", root / "requirements.txt"
    if not lock.is_file():
        lock = next((above for each in root.parents if locks(above := each / "uv.lock", root)), lock)
    if lock.is_file():
        if "project" not in pyproject.table:
            raise BuildError(f"{lock} stands there, but no [project] in {pyproject.file} beside it.")
        return Dependencies("uv.lock", lock)
    if requirements.is_file() and not (settings.extras and of_itself(requirements)):
        return Dependencies("requirements.txt", requirements)
    dynamic = pyproject.texts("project", "dynamic")
    if pyproject.texts("project", "dependencies") or settings.extras or "dependencies" in dynamic:
        return Dependencies("pyproject.toml", pyproject.file)
    refuse_others(root, pyproject)
    return Dependencies("", None)


def of_named(path: Path, settings: Settings) -> Dependencies:
    if not PYLOCK.fullmatch(path.name):
        return Dependencies("requirements.txt", path)
    if settings.extras:
        raise BuildError(
            f"{'.'.join(TABLE)}: expected extras or a lock file, {path.name}, but got both: let its tool lock it with "
            "the extras, and leave them out here."
        )
    return Dependencies("pylock.toml", path)


def of_itself(requirements: Path) -> bool:
    """Whether the file names the project: with extras on top, [project] says it all."""
    return any(map(OWN.fullmatch, requirements.read_text("utf-8", "replace").splitlines()))


def locks(lock: Path, member: Path) -> bool:
    """Whether a uv.lock above a project is that of the workspace that it belongs to: it names its members."""
    table = loaded(lock)
    manifest, packages = table.get("manifest"), table.get("package")
    members = manifest.get("members") if isinstance(manifest, dict) else None
    path = member.relative_to(lock.parent).as_posix()
    return any(
        each.get("name") in (members or ()) and path in (each.get("source") or {}).values()
        for each in (packages if isinstance(packages, list) else ())
    )


def named(root: Path, path: str) -> Path:
    """A file that the build's table names."""
    found = root / path
    if not found.is_file() or not found.resolve().is_relative_to(root):
        raise BuildError(f"{'.'.join(TABLE)}.requirements: expected a file within the project, but got {path!r}.")
    return found


def check_extras(pyproject: Pyproject, settings: Settings) -> None:
    known = pyproject.subtable("project", "optional-dependencies")
    names = {normalised(each) for each in known}
    for extra in settings.extras:
        if normalised(extra) not in names:
            expected = f"one of {', '.join(known)}" if known else "none: [project.optional-dependencies] is empty"
            raise pyproject.unexpected((*TABLE, "extras"), expected, extra)


def refuse_others(root: Path, pyproject: Pyproject) -> None:
    """Complain of a file that says what is needed, in the words of another tool."""
    for file, command in NOT_READ.items():
        if (root / file).is_file():
            raise BuildError(f"{file} is not read. Let its tool write a file that is: {command}")
    if lock := next((each.name for each in sorted(root.glob("pylock*.toml")) if PYLOCK.fullmatch(each.name)), ""):
        raise BuildError(f'{lock} is not read unless it is named: requirements = "{lock}" in [{".".join(TABLE)}].')
    if needed := [each for each in pyproject.subtable("tool", "poetry", "dependencies") if each != "python"]:
        raise BuildError(
            f"{pyproject.file}: {needed[0]} stands in [tool.poetry.dependencies], which is not read. Put it into "
            f"dependencies of [project], or run: {NOT_READ['poetry.lock']}"
        )
