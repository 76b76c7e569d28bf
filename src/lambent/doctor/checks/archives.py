"""What is uploaded. Pure.

Source: AWS Lambda Developer Guide, "Lambda quotas"; PEP 552 and PEP 3149 for names and headers of files.
"""

from __future__ import annotations

import re

from lambent.build import native
from lambent.build.limits import DIRECT, UNZIPPED, megabytes
from lambent.doctor.model import Archive, Complaint, Complaints, Facts, FunctionFacts, Place

MAGIC = {3495: "3.11", 3531: "3.12", 3571: "3.13", 3627: "3.14"}
"""What the bytecode of each version of Python begins with."""

TAGGED = re.compile(r"\.(?:cpython-|cp)(\d)(\d+)t?[-.]")
SHOWN = 3


def listed(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


def complaint(archive: Archive, message: str) -> Complaint:
    return Complaint(message, Place(archive.path))


def source_of(bytecode: str) -> str:
    """`a/__pycache__/b.cpython-313.pyc`, `a/b.pyc` → `a/b.py`"""
    cached = re.fullmatch(r"(.*)__pycache__/([^/]+?)\.[^/.]+(?:\.opt-\d)?\.pyc", bytecode)
    return f"{cached[1]}{cached[2]}.py" if cached else bytecode.removesuffix("c")


def compiled(archive: Archive) -> tuple[list[str], list[str]]:
    """Names of modules with bytecode, and of those without, which could have some."""
    done = {source_of(each.name) for each in archive.bytecode}
    return sorted(done), sorted(name for name in archive.names - done - archive.broken if name.endswith(".py"))


def module_files(handler: str) -> list[str]:
    """Where the handler's module may lie in an archive."""
    module = handler.partition(":")[0] if ":" in handler else handler.rpartition(".")[0]
    path = module.replace(".", "/")
    return [f"{path}{end}" for end in (".py", ".pyc", "/__init__.py", "/__init__.pyc")]


def handler(function: FunctionFacts, _facts: Facts) -> Complaints:
    if function.archive and not any(name in function.archive.names for name in module_files(function.handler)):
        first = module_files(function.handler)[0]
        message = f"expected {first}, the module of {function.handler}, but it is not in {function.archive.path}."
        yield complaint(function.archive, message)


def unzipped(function: FunctionFacts, _facts: Facts) -> Complaints:
    archive = function.archive
    if archive and archive.unzipped > UNZIPPED:
        message = (
            f"expected {megabytes(UNZIPPED)} at most unzipped, layers and all, but got {megabytes(archive.unzipped)}. "
            "Leave out what is not needed, or deploy a container image."
        )
        yield complaint(archive, message)


def zipped(function: FunctionFacts, _facts: Facts) -> Complaints:
    archive = function.archive
    if archive and archive.size > DIRECT:
        message = (
            f"expected {megabytes(DIRECT)} at most to upload directly, but got {megabytes(archive.size)}. Upload it to "
            "S3, as `sam deploy` does."
        )
        yield complaint(archive, message)


def bytecode_missing(function: FunctionFacts, _facts: Facts) -> Complaints:
    """/var/task cannot be written to: each cold start would compile them again."""
    if function.archive:
        _, without = compiled(function.archive)
        if without:
            message = (
                f"{len(without)} modules have no bytecode ({listed(without)}): every cold start compiles them, which "
                "doubles the imports of a FastAPI application. Make the zip by `lambent build`."
            )
            yield complaint(function.archive, message)


def bytecode_version(function: FunctionFacts, _facts: Facts) -> Complaints:
    """Bytecode of another Python is passed over; beside no source it does not load at all."""
    if function.archive and function.python:
        wrong = [each for each in function.archive.bytecode if MAGIC.get(each.magic) != function.python]
        if wrong:
            made = ", ".join(sorted({MAGIC.get(each.magic, "another version") for each in wrong}))
            message = (
                f"expected bytecode of Python {function.python}, but {len(wrong)} files are of {made} "
                f"({listed([each.name for each in wrong])}). Build for {function.python}."
            )
            yield complaint(function.archive, message)


def bytecode_checked(function: FunctionFacts, _facts: Facts) -> Complaints:
    """One look at each source file more, and nothing won if the time of the file is not the same after unzipping."""
    if function.archive:
        checked = [each.name for each in function.archive.bytecode if each.checked and "__pycache__" in each.name]
        if checked:
            message = (
                f"the bytecode of {len(checked)} modules is compared with its source when it is loaded, and compiled "
                "again if the times of the files differ. Make the zip by `lambent build`, which leaves that out."
            )
            yield complaint(function.archive, message)


def native_architecture(function: FunctionFacts, _facts: Facts) -> Complaints:
    """A package that has some for it brings others beside them, and chooses: debuggers, and what wraps a library."""
    if function.archive:
        fitting = {package(each.name) for each in function.archive.natives if each.machine == function.architecture}
        wrong = [
            each
            for each in function.archive.natives
            if each.machine != function.architecture and package(each.name) not in fitting
        ]
        if wrong:
            made = ", ".join(sorted({each.machine for each in wrong}))
            message = (
                f"expected native modules for {function.architecture}, but {len(wrong)} are for {made} "
                f"({listed([each.name for each in wrong])}). Build for {function.architecture}, or set Architectures."
            )
            yield complaint(function.archive, message)


def package(name: str) -> str:
    """The top-level folder; of a file beside them, its own name."""
    return name.removeprefix("python/").partition("/")[0]


def native_python(function: FunctionFacts, _facts: Facts) -> Complaints:
    """An extension module of another Python is not found. That is right where one of this Python stands beside it."""
    if function.archive and function.python:
        modules = [each.name for each in function.archive.natives if each.name.endswith(".so")]
        tags = {name: TAGGED.search(name) for name in modules}
        pythons = {name: f"{tag[1]}.{tag[2]}" if tag else function.python for name, tag in tags.items()}
        there = {native.stem(name) for name, python in pythons.items() if python == function.python}
        wrong = [
            name for name, python in pythons.items() if python != function.python and native.stem(name) not in there
        ]
        if wrong:
            made = ", ".join(sorted({pythons[name] for name in wrong}))
            message = (
                f"expected native modules for Python {function.python}, but {len(wrong)} are for {made} "
                f"({listed(wrong)}). Build for {function.python}."
            )
            yield complaint(function.archive, message)
