"""A build, step by step: install, choose, compile, check, pack. What is made takes its place when it is whole."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from lambent.build import archive, bytecode, limits, native, own_python, selection, trial, uv
from lambent.build import image as images
from lambent.build import install as installing
from lambent.build.errors import BuildError
from lambent.build.model import Artefact
from lambent.build.project import deployed, nested

if TYPE_CHECKING:
    from lambent.build.model import Progress, Project, Target


@dataclass(frozen=True, slots=True)
class Form:
    """What is made.

    - `suffix`: of its name, after the project's
    - `prefix`: of names in the zip
    - `place`: where they are to be found on Lambda
    """

    suffix: str = ".zip"
    prefix: str = ""
    place: str = "/var/task/"


ZIP = Form()
LAYER = Form("-layer.zip", "python/", "/opt/python/")
IMAGE = Form("-image")


@dataclass(frozen=True, slots=True)
class Work:
    """One build on its way.

    - `folder`: for what lies around meanwhile; `task`: what is to be in the artefact
    - `notes`: what its maker should know, found so far
    """

    project: Project
    target: Target
    form: Form
    folder: Path
    progress: Progress
    notes: list[str] = field(default_factory=list)

    @property
    def task(self) -> Path:
        return self.folder / "context" / images.TASK

    @property
    def owns_python(self) -> bool:
        return self.target.runtime.startswith("provided") and self.form is ZIP


def build(
    project: Project,
    target: Target,
    destination: Path,
    *,
    layer: bool = False,
    image: bool = False,
    with_source: bool = True,
    boto: bool = True,
    progress: Progress,
    lambent: str | Path | None = None,
    allow_source: Sequence[str] = (),
    interpreter: Path | None = None,
) -> Artefact:
    """Make NAME.zip, NAME-layer.zip or the folder NAME-image in `destination`, in the place of an older one.

    BuildError if it cannot be made; then, as after Ctrl-C, nothing is left and the older one stays.

    - `with_source`: False puts bytecode in the place of Python files
    - `boto`: False leaves out what the managed runtimes bring
    - `lambent`: a wheel of it, or what is asked of the index
    - `allow_source`: distributions that may be built from source, on this machine
    - `interpreter`: the folder of a Python to put into the zip for an OS-only runtime
    """
    form = _form(target, layer=layer, image=image, boto=boto)
    with _workshop(destination) as folder:
        work = Work(project, target, form, folder, progress)
        raw = folder / "installed"
        without = () if boto else trial.PROVIDED
        installing.install(project, target, raw, progress, lambent=lambent, without=without, allow_source=allow_source)
        _gather(work, raw, interpreter)
        python = bytecode.find_python(target.python, progress, Path(uv.find(os.environ)))
        _compile(work, python, with_source=with_source)
        _record(work.task)
        _check_natives(work)
        made = _packed(work)
        notes = (*made.notes, *_tried(work, python))
        final = destination / f"{project.name}{form.suffix}"
        _put(made.path, final, folder)
        return replace(made, path=final, notes=notes)


def _form(target: Target, *, layer: bool, image: bool, boto: bool) -> Form:
    if layer and image:
        raise BuildError("Expected a layer or an image, but got both: they are built one after the other.")
    provided = target.runtime.startswith("provided")
    if provided and not boto:
        raise BuildError(f"boto3 can be left out where the runtime brings it, but {target.runtime} does not.")
    return LAYER if layer else IMAGE if image else ZIP


@contextmanager
def _workshop(destination: Path) -> Iterator[Path]:
    """A folder beside what is to be made, so that it can be moved there at once. It goes, whatever happens."""
    missing = [path for path in (destination, *destination.parents) if not path.exists()]
    try:
        destination.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=".lambent-", dir=destination))
        try:
            yield folder.resolve()
        finally:
            _remove(folder)
    except OSError as error:
        raise BuildError(f"{error.filename or destination}: {error.strerror or error}.") from None
    finally:
        for path in missing:
            with suppress(OSError):  # it is not empty: the artefact is in it
                path.rmdir()


def _remove(folder: Path) -> None:
    """Whoever was compiling into it may still be writing a file when Ctrl-C has ended all."""
    for pause in (0.0, 0.1, 0.4, 1.0):
        time.sleep(pause)
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return


# What goes in


def _gather(work: Work, raw: Path, interpreter: Path | None) -> None:
    """Fill `task` with what is chosen of what has been installed."""
    if work.owns_python:
        work.progress(f"Putting a Python {work.target.python} into it")
        own_python.put(work.target, raw, interpreter, Path(uv.find(os.environ)))
    found = archive.walk(raw)
    chosen = selection.select(found.keys(), lambda name: found[name].read_bytes())
    work.progress(f"Choosing {len(chosen)} of {len(found)} files")
    _limit(work, {name: found[name] for name in chosen})  # before it is compiled: that takes a while
    _lay({name: found[name] for name in chosen}, raw, work.task)


def _lay(files: Mapping[str, Path], raw: Path, task: Path) -> None:
    """Move files into a folder of their own; those that links lead to are copied."""
    linked = {name: path for name, path in files.items() if path != raw / name}
    for folder in {(task / name).parent for name in files} | {task}:
        folder.mkdir(parents=True, exist_ok=True)
    for name, path in linked.items():
        shutil.copy(path, task / name)
    for name in files.keys() - linked.keys():
        (raw / name).rename(task / name)
    shutil.rmtree(raw)


def _compile(work: Work, python: Path | None, *, with_source: bool) -> None:
    """Put bytecode beside the sources, or in their place. Then RECORD files say what is there."""
    target = work.target
    sources = [name for name in archive.walk(work.task) if name.endswith(".py")]
    if python is None:
        word = f"There is no Python {target.python} on this machine to compile with"
        way = f"install one (uv python install {target.python}), and build again"
        if not with_source:
            raise BuildError(f"{word}, and without bytecode the source cannot go: {way}.")
        work.notes.append(
            f"{word}: every cold start compiles all that it imports, and takes twice as long. To mend it, {way}."
        )
        return
    work.progress(f"Compiling {len(sources)} files for Python {target.python}")
    done = bytecode.compiled(python, target.python, work.task, sources, prefix=work.form.place, beside=not with_source)
    work.notes.extend(_failures(done.failures))
    if not with_source:
        for name in done.made:
            (work.task / name).unlink()


def _failures(failures: Mapping[str, str]) -> list[str]:
    """Templates and old Pythons are among the files of many a distribution: they stay as they are."""
    shown = "; ".join(f"{name}: {reason}" for name, reason in list(failures.items())[:3])
    rest = f"; and {len(failures) - 3} more" if len(failures) > 3 else ""
    return [f"Not compiled: {shown}{rest}."] if failures else []


def _record(task: Path) -> None:
    """Have RECORD files name what is there."""
    files = archive.walk(task)
    for name, record in selection.records(files.keys(), lambda name: files[name].read_bytes()).items():
        files[name].write_bytes(record)


# Checks


def _check_natives(work: Work) -> None:
    """Native modules that will not run on the target end the build. Libraries are noted: nothing may load them."""
    files = archive.walk(work.task)
    if not (complaints := native.complaints(files, work.target)):
        return
    owners = selection.owners(files.keys(), lambda name: files[name].read_bytes())
    owned = {name for names in owners.values() for name in names}
    libraries = {name for name in complaints.keys() & owned if not native.is_module(files[name].read_bytes())}
    if wrong := [f"{name}: {text}" for name, text in complaints.items() if name not in libraries]:
        raise BuildError("Expected native modules for the target, but:\n  " + "\n  ".join(wrong))
    told = "; ".join(f"{name}: {complaints[name]}" for name in sorted(libraries))
    work.notes.append(f"Libraries that will not load on the target, should anything ask for them: {told}.")


def _tried(work: Work, python: Path | None) -> list[str]:
    """Notes on a handler that cannot be imported, for what it wants may be there on Lambda only, and on what it writes.

    What it writes is not to be in the artefact: a zip is packed before, and of an image's folder a copy is imported.
    """
    handler = work.project.handler
    if work.form is LAYER or not handler or python is None or not trial.runs_here(work.target):
        return []
    work.progress(f"Importing {handler}")
    task = shutil.copytree(work.task, work.folder / "tried") if work.form is IMAGE else work.task
    before = archive.walk(task)
    complaint = trial.complaint(python, task, handler, work.form.place)
    notes = [f"The handler {handler} cannot be imported here: {complaint}."] if complaint else []
    if made := sorted(archive.walk(task).keys() - before.keys()):
        notes.append(f"To import {handler} made {', '.join(made)}: on Lambda nothing can be written outside of /tmp.")
    return notes


# What is made


def _packed(work: Work) -> Artefact:
    files = archive.walk(work.task)
    members = archive.members(files, work.form.prefix)
    parts = _limit(work, files)
    unzipped = sum(size for _, size in parts)
    if work.form is IMAGE:
        return Artefact(_context(work, members), unzipped, unzipped, parts, tuple(work.notes))
    work.progress(f"Packing {len(members)} files")
    path = work.folder / "artefact.zip"
    archive.write(members, path, archive.moment(os.environ))
    size = path.stat().st_size
    return Artefact(path, size, unzipped, parts, (*work.notes, *limits.notes(size, unzipped)))


def _limit(work: Work, files: Mapping[str, Path]) -> tuple[tuple[str, int], ...]:
    """The sizes of the parts. BuildError if they are more than Lambda takes."""
    parts = selection.sizes({name: path.stat().st_size for name, path in files.items()})
    if complaint := limits.too_large(sum(size for _, size in parts), parts, image=work.form is IMAGE):
        raise BuildError(complaint)
    return parts


def _context(work: Work, members: Collection[archive.Member]) -> Path:
    """What `docker build` is given. Lambda runs images as a user of its own, who must be able to read everything."""
    for member in members:
        member.path.chmod(0o755 if member.executable else 0o644)
    context = work.task.parent
    for folder in (context, *(path for path in context.rglob("*") if path.is_dir())):
        folder.chmod(0o755)
    ours = any(member.name == "lambent/exec/wrapper" for member in members)
    if not ours and work.target.runtime.startswith("provided"):
        raise BuildError("Expected lambent among the dependencies, to run the image on an OS-only runtime. Add it.")
    handler = work.project.handler
    if nested(handler) and not ours:
        raise BuildError(
            f"Expected a handler that AWS's runtime can load, a name in a module, but got {handler}, and lambent is "
            "not among what is installed. Give it a name in the module."
        )
    text = images.dockerfile(work.target, deployed(handler), lambent=ours)
    (context / "Dockerfile").write_text(text, "utf-8", newline="\n")
    (context / ".dockerignore").write_text(images.ignored(), "utf-8", newline="\n")
    return context


def _put(made: Path, final: Path, folder: Path) -> None:
    """In the place of an older one. A folder cannot be replaced at once: the older one steps aside first."""
    older = folder / "older"
    if made.is_dir() and final.exists():
        final.rename(older)
    try:
        made.replace(final)
    except BaseException:
        if older.exists() and not final.exists():
            older.rename(final)
        raise
