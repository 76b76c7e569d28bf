"""What of an installed folder goes into the artefact, and what is left out. Names are POSIX paths below that folder.

Left out is what nothing imports or reads at run time:

- bytecode and caches: ours is made for the target
- scripts of distributions in `bin`, which name the Python of this machine in their first line
- what installers note for themselves in `*.dist-info`: paths of this machine, and addresses of an index
- `*.pyi`, unless lazy_loader is there, which reads them at run time
- Cython's sources, and C's that lie beside the module that was built from them
- folders `test` and `tests` of distributions, unless Python outside of them imports them: django.test is needed
- of Lambent itself, what runs on a laptop only, unless Python outside of it imports that

The project's own files stay, but for bytecode and caches: they are chosen when the project is read.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from posixpath import basename, dirname, splitext

from lambent.build.native import stem

Read = Callable[[str], bytes]
"""The content of a file, by its name."""

CACHES = frozenset({"__pycache__", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".hypothesis"})
INSTALLERS = frozenset({"INSTALLER", "REQUESTED", "direct_url.json", "uv_build.json", "uv_cache.json"})
TESTS = frozenset({"test", "tests"})
LAPTOP = tuple(f"lambent/{part}" for part in ("__main__.py", "build/", "cli/", "dev/", "doctor/", "testing/"))
CYTHON = (".pxd", ".pxi", ".pyx")
BUILT_FROM = (".c", ".cc", ".cpp", ".cxx")

_IMPORT = re.compile(
    rb"^[ \t]*(?:from[ \t]+(\.*)([\w.]*)[ \t]+import[ \t]*(\([^)]*\)|[^\n#]*)|import[ \t]+([^\n#]*))", re.MULTILINE
)
_QUOTED = re.compile(rb"""["']([A-Za-z_][\w]*(?:\.\w+)+)["']""")


def select(names: Collection[str], read: Read) -> frozenset[str]:
    """Those that go in. `read` is asked for RECORD files, for scripts and for Python that speaks of tests."""
    kept = {name for name in names if not _is_cache(name)}
    owned = frozenset(name for names in owners(kept, read).values() for name in names) & kept
    lazily = any(name.startswith("lazy_loader/") for name in kept)
    natives = {stem(name) for name in kept if name.endswith((".so", ".pyd"))}
    kept -= {name for name in owned if _is_for_no_run(name, natives, lazily=lazily)}
    kept -= {name for name in owned & kept if dirname(name) == "bin" and read(name)[:2] == b"#!"}
    kept -= unneeded_tests(kept, owned, read)
    return frozenset(kept - unneeded_parts(kept, owned, read))


def _is_cache(name: str) -> bool:
    """Also the lock that uv leaves in a folder that it has installed into."""
    return name.endswith((".pyc", ".pyo")) or name == ".lock" or not CACHES.isdisjoint(name.split("/"))


def _is_for_no_run(name: str, natives: Collection[str], *, lazily: bool) -> bool:
    kind = splitext(name)[1]
    if dirname(name).endswith(".dist-info"):
        return basename(name) in INSTALLERS
    return (
        (kind == ".pyi" and not lazily) or kind in CYTHON or (kind in BUILT_FROM and name.removesuffix(kind) in natives)
    )


# What distributions say they have installed


def owners(names: Iterable[str], read: Read) -> dict[str, frozenset[str]]:
    """By the name of its RECORD (PyPA, "Recording installed projects"): what a distribution has installed."""
    return {
        name: frozenset(row[0] for row in _rows(read(name)))
        for name in names
        if name.endswith(".dist-info/RECORD") and name.count("/") == 1
    }


def _rows(record: bytes) -> Iterator[list[str]]:
    text = record.decode("utf-8", "replace")
    return (row for row in csv.reader(io.StringIO(text, newline="")) if row and row[0])


def records(names: Collection[str], read: Read) -> dict[str, bytes]:
    """The RECORD files as they are right for what went in, and the same wherever it was installed.

    importlib.metadata finds by them what a distribution consists of. Where bytecode stands in the place of its source,
    it is named.
    """
    made = {}
    for name in (name for name in names if name.endswith(".dist-info/RECORD")):
        out = io.StringIO(newline="")
        csv.writer(out, lineterminator="\n").writerows(sorted(_still_true(_rows(read(name)), names)))
        made[name] = out.getvalue().encode()
    return made


def _still_true(rows: Iterable[list[str]], names: Collection[str]) -> Iterator[list[str]]:
    for row in rows:
        if row[0] in names:
            yield row
        elif row[0].endswith(".py") and f"{row[0]}c" in names:
            yield [f"{row[0]}c", "", ""]


# Tests of distributions


def unneeded_tests(names: Collection[str], owned: Collection[str], read: Read) -> frozenset[str]:
    """What lies in folders of tests that only tests import."""
    folders = {folder for name in owned if (folder := folder_of_tests(name))}
    if not folders:
        return frozenset()
    outside = (name for name in names if name.endswith(".py") and not folder_of_tests(name))
    used = {module for name in outside for module in imported(name, read(name), b"test")}
    needed = {folder for folder in folders if any(f"{module}.".startswith(f"{_dotted(folder)}.") for module in used)}
    return frozenset(name for name in owned if folder_of_tests(name) in folders - needed and name in names)


def folder_of_tests(name: str) -> str:
    """The outermost folder of tests that a file lies in; empty if there is none."""
    parts = name.split("/")[:-1]
    place = next((place for place, part in enumerate(parts) if part in TESTS), None)
    return "" if place is None else "/".join(parts[: place + 1])


def _dotted(folder: str) -> str:
    return folder.replace("/", ".")


def unneeded_parts(names: Collection[str], owned: Collection[str], read: Read) -> frozenset[str]:
    """What of Lambent only a laptop needs; nothing if an application imports some of it."""
    parts = frozenset(name for name in owned if name.startswith(LAPTOP) and name in names)
    modules = {_dotted(part.strip("/").removesuffix(".py")) for part in LAPTOP}
    outside = (name for name in names if parts and name.endswith(".py") and not name.startswith("lambent/"))
    used = (module for name in outside for module in imported(name, read(name), b"lambent"))
    return frozenset() if any(".".join(module.split(".")[:2]) in modules for module in used) else parts


def imported(name: str, source: bytes, word: bytes) -> Iterator[str]:
    """The modules that the Python file `name` imports, or names in quotes; none if `word` is nowhere in it.

    Some are too many: `from a import b` gives `a` and `a.b`.
    """
    if word not in source:
        return
    for found in _QUOTED.finditer(source):
        yield found[1].decode("ascii", "replace")
    for dots, base, members, modules in _IMPORT.findall(source):
        if modules:
            yield from _words(modules)
        else:
            start = _absolute(name, len(dots), base.decode("utf-8", "replace"))
            yield start
            yield from (f"{start}.{member}" for member in _words(members))


def _absolute(name: str, dots: int, base: str) -> str:
    """`..b` in `a/c/d.py` → `a.b`."""
    package = dirname(name).split("/") if dirname(name) else []
    return ".".join(filter(None, [*(package[: len(package) - dots + 1] if dots else ()), base]))


def _words(text: bytes) -> Iterator[str]:
    """`(a, b as c)` → a, b."""
    for part in text.decode("utf-8", "replace").strip("()\\ \t\r\n").split(","):
        if words := re.sub(r"#.*", "", part).split():
            yield words[0]


def sizes(files: Mapping[str, int]) -> tuple[tuple[str, int], ...]:
    """Bytes by top-level package or file, its bytecode with it, the largest first. Metadata counts as one."""
    found: dict[str, int] = {}
    for name, size in files.items():
        top, below, _ = name.partition("/")
        part = "(metadata)" if below and top.endswith(".dist-info") else top
        if top == "__pycache__":
            part = f"{basename(name).partition('.')[0]}.py"
        found[part] = found.get(part, 0) + size
    return tuple(sorted(found.items(), key=lambda each: (-each[1], each[0])))
