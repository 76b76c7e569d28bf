"""A folder as Lambda is to see it: the project's dependencies for the target, and its own files. No bytecode."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lambent.build import distributions, own
from lambent.build import target as targets
from lambent.build.errors import BuildError
from lambent.build.project import normalised
from lambent.build.settings import TABLE, Pyproject
from lambent.build.uv import Uv, loaded

if TYPE_CHECKING:
    from lambent.build.model import Progress, Project, Target

LAMBENT = "lambent"
LOCAL = ("directory", "editable", "virtual")
"""Sources of packages in uv.lock that are folders of this machine."""

REQUIREMENT = re.compile(r"\s*([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)")
TAKEN = re.compile(r"\s*(?:-r|--requirement)[\s=]*([^\s#]+)")


def install(
    project: Project,
    target: Target,
    folder: Path,
    progress: Progress,
    *,
    lambent: str | Path | None = None,
    without: Sequence[str] = (),
    allow_source: Sequence[str] = (),
) -> None:
    """Fill `folder`, which may be empty or missing. `BuildError` says what is in the way, and what to do.

    - `lambent`: a wheel of it, or what the index is asked for; None is the one that builds
    - `without`: distributions to leave out, with what only they need
    - `allow_source`: distributions that are built from their source, on this machine, beside those of the project
    """
    folder = folder.absolute()  # uv runs in the project's folder
    folder.mkdir(parents=True, exist_ok=True)
    pyproject = Pyproject.read(project.root)
    settings = pyproject.settings()
    work = Installation(project, target, folder, progress, (*settings.allow_source, *allow_source))
    work.dependencies(settings.extras, given(project, target, progress, lambent) if settings.lambent else "")
    refuse_links(folder)
    left_out(folder, project, settings.extras, without, progress)
    if settings.wheel or (not project.sources and "build-system" in pyproject.table):
        work.wheel()
    copy(project, folder, progress)


class Installation:
    """Distributions, put into a folder by uv."""

    def __init__(
        self, project: Project, target: Target, folder: Path, progress: Progress, built: Sequence[str]
    ) -> None:
        self._project = project
        of_lock = project.dependencies.path if project.dependencies.kind == "uv.lock" else None
        self._uv = Uv(of_lock.parent if of_lock else project.root, target)  # a lock's folders are relative to it
        self._target = target
        self._folder = folder
        self._progress = progress
        self._built = tuple(built)

    def dependencies(self, extras: Sequence[str], lambent: str | Path) -> None:
        """What the project says it needs, and Lambent: a wheel at once, that of the index if nothing asks for it."""
        options, said, built = self._requirements(extras)
        if isinstance(lambent, Path):
            options = [*options, str(lambent)]
        if options:
            source = self._project.dependencies.kind
            what = f"the dependencies that {source} names" if source else "Lambent"
            self._progress(f"Installing {what}, for {targets.shown(self._target)}")
            self._report(self._install(options, said, built))
        if isinstance(lambent, str) and lambent and LAMBENT not in distributions.found(self._folder):
            self._progress(f"Installing {lambent}")
            self._report(self._install([lambent], "", ()))

    def _requirements(self, extras: Sequence[str]) -> tuple[list[str], str, tuple[str, ...]]:
        """Options of `uv pip install`, what it reads as `-`, and the folders among them, which may be built."""
        kind, path = self._project.dependencies.kind, self._project.dependencies.path
        if path is None:
            return [], "", ()
        if kind == "uv.lock":
            self._progress("Reading uv.lock")
            said = self._uv.export(self._project.name, extras)
            return (["-r", "-"] if said.strip() else []), said, local(path)
        if kind == "requirements.txt":
            refuse_editable(path)
        named = [part for extra in extras for part in ("--extra", extra)] if kind == "pyproject.toml" else []
        return ["-r", str(path), *named], "", ()

    def _install(self, options: Sequence[str], said: str, built: Sequence[str]) -> str:
        return self._uv.install(self._folder, targets.platform(self._target), options, said, (*self._built, *built))

    def _report(self, said: str) -> None:
        """Pass on how many, and what uv warns of."""
        for line in said.splitlines():
            if line.startswith(("Installed ", "warning: ")):
                self._progress(line.removeprefix("warning: "))

    def wheel(self) -> None:
        """The project itself, as its build backend makes it."""
        self._progress(f"Building {self._project.name} as its build-system says")
        with tempfile.TemporaryDirectory() as work:
            made = self._uv.wheel(self._project.root, Path(work))
            self._install(["--no-deps", str(made)], "", ())


def refuse_editable(requirements: Path) -> None:
    """Complain of a link to a folder of this machine, which Lambda does not have."""
    for number, line in enumerate(requirements.read_text("utf-8", "replace").splitlines(), 1):
        if found := re.match(r"\s*(?:-e|--editable)[\s=]+(\S+)", line):
            raise BuildError(
                f"{requirements}:{number}: -e {found[1]} is a link to a folder of this machine, which Lambda does not "
                "have. The project's own sources are copied without it: remove the line. For another project, leave "
                "out the -e, and allow by --allow-source NAME that it is built."
            )


def refuse_links(folder: Path) -> None:
    """Complain of what uv has linked, as versions of it do that know no UV_NO_EDITABLE."""
    for each in distributions.found(folder).values():
        if each.is_editable():
            raise BuildError(
                f"{each.name} is a link to a folder of this machine, which Lambda does not have. Leave out the -e, or "
                "editable, where it is asked for, or install a newer uv."
            )


def given(project: Project, target: Target, progress: Progress, lambent: str | Path | None) -> str | Path:
    """Lambent as it is to be installed. Empty if the project says itself where it comes from."""
    if elsewhere(project):
        return ""
    if lambent is None:
        return own.lambent(target, progress)
    if isinstance(lambent, Path) or lambent.endswith(".whl"):
        if not (wheel := Path(lambent).absolute()).is_file():
            raise BuildError(f"Expected a wheel of Lambent, but there is no file {lambent}.")
        return wheel
    return lambent


def elsewhere(project: Project) -> bool:
    """Whether Lambent comes from a place of its own: a URL, a file or a folder."""
    kind, path = project.dependencies.kind, project.dependencies.path
    if path is None:
        return False
    if kind == "requirements.txt":
        text = path.read_text("utf-8", "replace")
        return bool(
            re.search(r"^\s*(?:-e\s*)?(?:lambent(?:\[[^\]]*\])?\s*@|\S*lambent-[^/\s]*\.whl)", text, re.MULTILINE)
        )
    if kind == "uv.lock":
        return any(each["name"] == LAMBENT and "registry" not in each.get("source", {}) for each in packages(path))
    return Pyproject.read(project.root).get("tool", "uv", "sources", LAMBENT) is not None


def local(lock: Path) -> tuple[str, ...]:
    """Packages of a lock file that are folders: the project's own, so they may be built."""
    return tuple(each["name"] for each in packages(lock) if any(kind in each.get("source", {}) for kind in LOCAL))


def packages(lock: Path) -> list[dict[str, Any]]:
    """What a lock file names; nothing if it cannot be read, of which uv tells."""
    found = loaded(lock).get("package")
    return [each for each in found if isinstance(each, dict) and "name" in each] if isinstance(found, list) else []


def left_out(folder: Path, project: Project, extras: Sequence[str], without: Sequence[str], progress: Progress) -> None:
    """Remove distributions, and those that only they need and the project does not ask for itself."""
    if not without:
        return
    names = {normalised(each) for each in without}
    asked = {normalised(found[1]) for each in asks(project, extras) if (found := REQUIREMENT.match(each))} - names
    gone = distributions.needless(distributions.found(folder), names, asked)
    for each in gone:
        distributions.remove(folder, each)
    if gone:
        progress(f"Leaving out {', '.join(sorted(each.name for each in gone))}: the runtime has them")


def asks(project: Project, extras: Sequence[str]) -> list[str]:
    """What the project itself says that it needs."""
    if project.dependencies.kind == "requirements.txt" and project.dependencies.path:
        return lines(project.dependencies.path, set())
    pyproject = Pyproject.read(project.root)
    wanted = {normalised(each) for each in extras}
    keys = [key for key in pyproject.subtable("project", "optional-dependencies") if normalised(key) in wanted]
    optional = [each for key in keys for each in pyproject.texts("project", "optional-dependencies", key)]
    return [*pyproject.texts("project", "dependencies"), *optional]


def lines(requirements: Path, seen: set[Path]) -> list[str]:
    """Of a file and of those that it takes along by `-r`; none of one that cannot be read, of which uv tells."""
    seen.add(requirements.resolve())
    try:
        found = requirements.read_text("utf-8", "replace").splitlines()
    except OSError:
        return []
    for taken in filter(None, map(TAKEN.match, tuple(found))):
        if (more := (requirements.parent / taken[1]).resolve()) not in seen:
            found += lines(more, seen)
    return found


def copy(project: Project, folder: Path, progress: Progress) -> None:
    """The project's own files. Where a dependency has one of the same name, the project's counts, as on sys.path."""
    if project.sources:
        progress(f"Copying {len(project.sources)} files of {project.name}")
    if project.passed_over:
        progress(
            f"Not copying {', '.join(project.passed_over)}: include of [{'.'.join(TABLE)}] takes more than modules"
        )
    for name, path in project.sources.items():
        place = folder / name
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            if path.is_dir():
                shutil.copytree(path, place, dirs_exist_ok=True)
            else:
                shutil.copy(path, place)
        except OSError as error:
            raise BuildError(f"{path}: it cannot be copied to {name}: {error.strerror or error}.") from None
