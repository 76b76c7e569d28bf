"""What of a project itself goes into an artefact: its modules and packages, and what else it asks for.

From a folder `src` without `__init__.py`, or the `app-dir` of [tool.lambent]: all that is in it. From the project's own
folder: its modules, its packages, other folders with modules, and such as `static` and `templates`. Never tests,
caches, hidden files, virtual environments and what a build has made.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from lambent.build.errors import BuildError
from lambent.build.globs import matches
from lambent.build.image import ignored
from lambent.build.settings import TABLE, Settings

NEVER = ("__pycache__", "*.pyc", "*.pyo", "node_modules", "*.egg-info", "*.dist-info", "__pypackages__", "cdk.out")
"""At any depth, whatever is included."""

TESTS = ("tests", "conftest.py", "test_*.py", "*_test.py")
SECRETS = ("*.env",)
BUILT = ("*.zip", "*.whl", "*.tar.gz", "*.egg")
UNASKED = (*TESTS, *SECRETS, *BUILT)
"""At any depth, unless they are included."""

TOOLS = frozenset({"setup.py", "noxfile.py", "fabfile.py", "toxfile.py", "dodo.py", "pavement.py"})
"""Modules that work on a project, beside it."""

BESIDE = frozenset(
    "bench benchmark benchmarks bin build cdk ci deploy dist doc docs documentation env example examples htmlcov infra "
    "infrastructure layers notebooks packaging scripts terraform test tools typings venv".split()
)
"""Folders that stand beside an application's: taken only as packages, with `__init__.py`."""

SHOWN = ".well-known"
"""The one hidden name that is served to others (RFC 8615)."""

DATA = frozenset({SHOWN, *"assets locale locales public static templates translations".split()})
"""Folders without modules that an application reads: taken, too."""

ODD = re.compile(r"[\x00-\x1f\x7f\\\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Selection:
    """What is chosen from the files below `root`."""

    root: Path
    settings: Settings
    app_dir: str = "."
    handler: str = ""
    made: frozenset[Path] = frozenset()
    """Folders that builds are put into."""

    def files(self) -> dict[str, Path]:
        """Name in the artefact → file. `BuildError` names a link that points outside, and a name that is odd."""
        base = self.base()
        found: dict[str, Path] = {}
        if not self.settings.wheel:
            found.update(self._flat() if base == self.root else self._below(base, base, UNASKED))
        found.update(self._included(base))
        return dict(sorted(found.items()))

    def base(self) -> Path:
        """The folder that names are relative to: where the handler is looked up."""
        if PurePosixPath(self.app_dir) != PurePosixPath():
            base = self.root / self.app_dir
            if not base.is_dir():
                raise BuildError(
                    f"app-dir of [tool.lambent] is {self.app_dir}, but there is no such folder in {self.root}."
                )
            return base if base.resolve() == self.root else self._inside(base)
        source = self.root / "src"
        laid_out = source.is_dir() and not (source / "__init__.py").exists() and self._top() != "src"
        if laid_out and not self._stands(self.root) and has_modules(source):
            return self._inside(source)
        return self.root

    def _top(self) -> str:
        """The first part of the handler's module."""
        return re.split(r"[./:]", self.handler)[0]

    def _stands(self, folder: Path) -> bool:
        """Whether the handler's module is in this folder itself."""
        top = self._top()
        return bool(top) and ((folder / f"{top}.py").is_file() or (folder / top / "__init__.py").is_file())

    def _flat(self) -> Iterator[tuple[str, Path]]:
        for entry in sorted(self.root.iterdir()):
            if self._left_out(entry, UNASKED):
                continue
            if self._is_source(entry):
                yield from self._below(entry, self.root, UNASKED) if entry.is_dir() else [self._file(entry, self.root)]

    def _is_source(self, entry: Path) -> bool:
        """Whether what stands in the project's folder is a module, a package or a folder with modules."""
        if entry.is_file():
            return entry.name not in TOOLS and entry.suffix in {".py", ".so"}
        if not entry.is_dir():
            return False
        package = is_file(entry / "__init__.py") or entry.name == self._top()
        installed = any(entry.glob("*.dist-info"))
        read = entry.name in DATA or (entry.name not in BESIDE and has_modules(entry))
        return package or (read and not installed)

    def passed_over(self, files: Iterable[Path]) -> list[str]:
        """Folders in the project's own that nobody has said anything of: they may hold what the application reads."""
        if self.settings.wheel:
            return []
        asked = [path for pattern in self.settings.include for path in self._matching(pattern)]
        known = (*files, *asked, self.base())
        taken = {path.relative_to(self.root).parts[0] for path in known if path != self.root}
        return [
            entry.name
            for entry in sorted(self.root.iterdir())
            if entry.is_dir() and entry.name not in BESIDE | taken and not self._left_out(entry, UNASKED)
        ]

    def unmatched(self) -> list[str]:
        """Patterns of include that nothing matches, or only what stays out all the same."""
        return [pattern for pattern in self.settings.include if not any(self._asked(pattern))]

    def _matching(self, pattern: str) -> list[Path]:
        """Also what stays out all the same."""
        key = ".".join((*TABLE, "include"))
        parts = PurePosixPath(pattern).parts
        if not parts or pattern.startswith("/") or ".." in parts or Path(pattern).is_absolute():
            raise BuildError(f"{key}: expected a pattern of files within the project, but got {pattern!r}.")
        everything = f"{pattern}/*" if parts[-1] == "**" else pattern  # before Python 3.13, `**` means folders
        try:
            return sorted(self.root.glob(everything))
        except ValueError as error:
            raise BuildError(f"{key}: {pattern!r}: {error}.") from None

    def _included(self, base: Path) -> Iterator[tuple[str, Path]]:
        for pattern in self.settings.include:
            for path in self._asked(pattern):
                origin = base if path.is_relative_to(base) and path != base else self.root
                yield from self._below(path, origin, SECRETS) if path.is_dir() else [self._file(path, origin)]

    def _asked(self, pattern: str) -> Iterator[Path]:
        hidden = any(part.startswith(".") for part in PurePosixPath(pattern).parts)
        return (path for path in self._matching(pattern) if not self._path_left_out(path, hidden=hidden))

    def _path_left_out(self, path: Path, *, hidden: bool) -> bool:
        """Whether a file that is included by a pattern stays out all the same."""
        name = path.relative_to(self.root).as_posix()
        around = [each for each in (path, *path.parents) if each.is_relative_to(self.root) and each != self.root]
        if matches(name, (*NEVER, *self.settings.exclude)) or not self.made.isdisjoint(around):
            return True
        environment = any(is_file(folder / "pyvenv.cfg") for folder in around)
        return environment or (not hidden and any(map(is_hidden, name.split("/")))) or any(map(is_image, around))

    def _below(self, folder: Path, origin: Path, unasked: Iterable[str]) -> Iterator[tuple[str, Path]]:
        """The files in a folder, at any depth."""
        yield from self._walk(folder, origin, tuple(unasked), (self._inside(folder).resolve(),))

    def _walk(
        self, folder: Path, origin: Path, unasked: tuple[str, ...], above: tuple[Path, ...]
    ) -> Iterator[tuple[str, Path]]:
        try:
            entries = sorted(folder.iterdir())
        except OSError as error:
            raise BuildError(
                f"{self._shown(folder)} cannot be read: {error.strerror or error}. Make it readable, or leave it out "
                f"by {'.'.join(TABLE)}.exclude."
            ) from None
        for entry in entries:
            if self._left_out(entry, unasked):
                continue
            if not entry.is_dir():
                yield self._file(entry, origin)
                continue
            own = self._inside(entry).resolve()
            if own in above:
                raise BuildError(f"{self._shown(entry)} is a link to a folder that it is in: remove or exclude it.")
            yield from self._walk(entry, origin, unasked, (*above, own))

    def _left_out(self, entry: Path, unasked: tuple[str, ...]) -> bool:
        name = entry.relative_to(self.root).as_posix()
        if is_hidden(entry.name) or matches(entry.name, NEVER) or matches(entry.name, unasked):
            return True
        if matches(name, self.settings.exclude) or entry in self.made:
            return True
        return is_file(entry / "pyvenv.cfg") or is_image(entry)

    def _file(self, path: Path, origin: Path) -> tuple[str, Path]:
        name = path.relative_to(origin).as_posix()
        if ODD.search(name):
            raise BuildError(
                f"{self._shown(path)}: a zip that Lambda unpacks has no such name: rename it, or leave it out by "
                f"{'.'.join(TABLE)}.exclude. Control characters, backslashes and bytes that are no UTF-8 are refused."
            )
        self._inside(path)
        if not path.is_file():
            raise BuildError(f"{self._shown(path)} is neither a file nor a folder: remove it, or exclude it.")
        return name, path

    def _inside(self, path: Path) -> Path:
        """The path, if it leads to what there is, within the project."""
        try:
            real = path.resolve(strict=True)
        except (OSError, RuntimeError):  # RuntimeError: of links in a circle, until Python 3.13
            raise BuildError(f"{self._shown(path)} is a link to nothing: remove or exclude it.") from None
        if not real.is_relative_to(self.root):
            raise BuildError(
                f"{self._shown(path)} leads out of the project, to {real}. A build takes nothing from there: copy it "
                f"into the project, or leave it out by {'.'.join(TABLE)}.exclude."
            )
        return path

    def _shown(self, path: Path) -> str:
        """The path in the project, readable whatever is in it."""
        name = os.path.relpath(path, self.root)
        return ascii(name) if ODD.search(name) else name


def is_hidden(name: str) -> bool:
    return name.startswith(".") and name != SHOWN


def is_image(folder: Path) -> bool:
    """Whether it is what a build has made for `docker build`."""
    ignores = folder / ".dockerignore"
    return is_file(folder / "Dockerfile") and is_file(ignores) and ignores.read_bytes() == ignored().encode()


def is_file(path: Path) -> bool:
    """Also of a folder that may not be looked into: False. Before Python 3.14, `Path.is_file` raises there."""
    return os.path.isfile(path)  # noqa: PTH113  # the docstring says why


def has_modules(folder: Path) -> bool:
    """Whether there is a module in it, at any depth. Links to folders are not followed."""
    for _, folders, files in os.walk(folder):
        if any(each.endswith(".py") for each in files):
            return True
        folders[:] = [each for each in folders if not each.startswith(".") and not matches(each, NEVER)]
    return False
