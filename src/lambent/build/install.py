"""A folder as Lambda is to see it: the project's dependencies for the target, and its own files. No bytecode."""

from __future__ import annotations

import hashlib
import re
import shutil
import tempfile
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lambent.build import distributions, native, own
from lambent.build import target as targets
from lambent.build.errors import BuildError
from lambent.build.project import normalised
from lambent.build.requirements import Requirement, lines, parsed
from lambent.build.settings import TABLE, Pyproject
from lambent.build.uv import Uv, loaded

if TYPE_CHECKING:
    from lambent.build.model import Progress, Project, Target

LAMBENT = "lambent"
LOCAL = ("directory", "editable", "virtual")
"""Sources of packages in uv.lock that are folders of this machine."""

PLACED = re.compile(r"\s*(?:-e\s*)?(?:lambent(?:\[[^\]]*\])?\s*@|\S*lambent-[^/\s]*\.whl)")
"""A requirement that says where Lambent is."""
TOGETHER = ("boto3", "botocore", "s3transfer")
"""Released for each other: a part of the runtime's may not go with another part of ours."""


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
    left_out(folder, asks(project, settings.extras), without, progress)
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
        kind = self._project.dependencies.kind
        if isinstance(lambent, Path) and kind != "pylock.toml":  # which goes with nothing beside it
            options = options if "-" in options else [*options, "-r", "-"]
            said = f"{said}\n{requirement(lambent)}"
        if options:
            what = f"the dependencies that {kind} names" if kind else "Lambent"
            self._progress(f"Installing {what}, for {targets.shown(self._target)}")
            self._report(self._install(options, said, built))
        if isinstance(lambent, Path) and LAMBENT not in distributions.found(self._folder):
            self._progress(f"Installing {lambent.name}")
            self._report(self._install(["--no-deps", "-r", "-"], requirement(lambent), ()))
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
        pyproject = Pyproject.read(self._project.root)
        if (kind == "pyproject.toml" or extras) and "dependencies" in pyproject.texts("project", "dynamic"):
            raise BuildError(
                f"{pyproject.file}: project.dynamic: expected dependencies that can be read, but only the build "
                "backend knows them. Let uv ask it, and write down what it says: uv lock"
            )
        files = dict.fromkeys([str(path), *([str(pyproject.file)] if extras else [])])
        named = [part for extra in extras for part in ("--extra", extra)]
        return [part for file in files for part in ("-r", file)] + named, "", ()

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
            self._install(["--no-deps", "-r", "-"], requirement(made), ())


def requirement(wheel: Path) -> str:
    """A line of a requirements file, with the hash: where one has it, all must."""
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    return f"{wheel.name.partition('-')[0]} @ {wheel.absolute().as_uri()} --hash=sha256:{digest}\n"


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
    if path is None or kind == "pylock.toml":
        return False
    if kind == "uv.lock":
        return any(each["name"] == LAMBENT and "registry" not in each.get("source", {}) for each in packages(path))
    pyproject = Pyproject.read(project.root)
    extras = pyproject.settings().extras
    if any(map(PLACED.match, asks(project, extras))):
        return True
    of_project = kind == "pyproject.toml" or bool(extras)
    return of_project and pyproject.get("tool", "uv", "sources", LAMBENT) is not None


def local(lock: Path) -> tuple[str, ...]:
    """Packages of a lock file that are folders: the project's own, so they may be built."""
    return tuple(each["name"] for each in packages(lock) if any(kind in each.get("source", {}) for kind in LOCAL))


def packages(lock: Path) -> list[dict[str, Any]]:
    """What a lock file names; nothing if it cannot be read, of which uv tells."""
    found = loaded(lock).get("package")
    return [each for each in found if isinstance(each, dict) and "name" in each] if isinstance(found, list) else []


def left_out(folder: Path, needed: Sequence[str], without: Sequence[str], progress: Progress) -> None:
    """Remove distributions that nothing else needs, and those that only they need.

    `needed`: what the project requires itself, which stays but for those that it is to be without.
    """
    names = {normalised(each) for each in without}
    if not names:
        return
    installed = distributions.found(folder)
    asked: list[Requirement] = list(filter(None, map(parsed, needed)))
    stay = distributions.held(installed, names, asked, TOGETHER)
    for name, by in stay.items():
        progress(f"{name} stays: {by} needs it" if by not in names else f"{name} stays: it goes with {by}")
    gone = distributions.needless(installed, names - stay.keys(), {each.name for each in asked} - names)
    for each in gone:
        distributions.remove(folder, each)
    if gone:
        progress(f"Leaving out {', '.join(sorted(each.name for each in gone))}: the runtime has them")


def asks(project: Project, extras: Sequence[str]) -> list[str]:
    """What the project itself says that it needs."""
    of_file: list[str] = []
    if project.dependencies.kind == "requirements.txt" and project.dependencies.path:
        of_file = lines(project.dependencies.path, set())
        if not extras:
            return of_file
    pyproject = Pyproject.read(project.root)
    return [*of_file, *pyproject.texts("project", "dependencies"), *optional(pyproject, project.name, extras)]


def optional(pyproject: Pyproject, name: str, extras: Collection[str]) -> list[str]:
    """What extras require, also those that they ask the project itself for: `all = ["shop[aws]"]`."""
    keys = ("project", "optional-dependencies")
    known = {normalised(each): each for each in pyproject.subtable(*keys)}
    wanted, seen = {normalised(each) for each in extras}, set[str]()
    found: list[str] = []
    while more := (wanted & known.keys()) - seen:
        seen |= more
        needed = [text for each in sorted(more) for text in pyproject.texts(*keys, known[each])]
        wanted = {extra for each in map(parsed, needed) if each and each.name == name for extra in each.extras}
        found += needed
    return found


def copy(project: Project, folder: Path, progress: Progress) -> None:
    """The project's own files. Where a dependency has one of the same name, the project's counts, as on sys.path."""
    if project.sources:
        progress(f"Copying {len(project.sources)} files of {project.name}")
    if project.passed_over:
        progress(
            f"Not copying {', '.join(project.passed_over)}: include of [{'.'.join(TABLE)}] takes more than modules"
        )
    if project.unmatched:
        progress(
            f"Nothing that goes in is called {', '.join(project.unmatched)}, as include of [{'.'.join(TABLE)}] says"
        )
    if hidden := hiding(folder, project.sources):
        progress(f"Leaving out {', '.join(hidden)} of the dependencies: modules of {project.name} have these names")
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


def hiding(folder: Path, sources: Collection[str]) -> list[str]:
    """Remove what Python would import in the place of a module of the project: packages and native modules."""
    stems = {name.removesuffix(".py") for name in sources if name.endswith(".py")}
    modules = {stem for stem in stems if f"{stem}/__init__.py" not in sources}
    gone = [f"{stem}/" for stem in sorted(modules) if (folder / stem / "__init__.py").is_file()]
    if f"{LAMBENT}/" in gone:
        raise BuildError(f"{LAMBENT}.py has the name of Lambent, which is to run it: rename it.")
    for each in gone:
        shutil.rmtree(folder / each)
    natives = [path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*.so"))]
    hidden = [name for name in natives if native.stem(name) in modules and name not in sources]
    for each in hidden:
        (folder / each).unlink()
    return gone + hidden
