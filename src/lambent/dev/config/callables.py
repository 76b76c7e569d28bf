"""Functions of a project that the local Lambda itself calls: loaded as `package.module:name`."""

from __future__ import annotations

import importlib
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType

from lambent.runtime.target import signature_of

PACKAGES = frozenset({"site-packages", "dist-packages"})


@contextmanager
def importing(app_dir: Path) -> Iterator[None]:
    """Within it, modules of `app_dir` can be imported; afterwards Python forgets them, and reads them anew next time.

    What shares a module has to be loaded within the same one of these.
    """
    known = frozenset(sys.modules)
    folder = str(app_dir)
    sys.path.insert(0, folder)
    importlib.invalidate_caches()
    try:
        yield
    finally:
        with suppress(ValueError):
            sys.path.remove(folder)
        for name in set(sys.modules) - known:
            if belongs(sys.modules[name], app_dir):
                del sys.modules[name]


def belongs(module: ModuleType, app_dir: Path) -> bool:
    """Whether it is of the project's own, and not installed: extension modules cannot be loaded twice."""
    file = getattr(module, "__file__", None)
    if not file:
        return False
    try:
        return PACKAGES.isdisjoint(Path(file).resolve().relative_to(app_dir.resolve()).parts)
    except ValueError:
        return False


def load(name: str, arguments: tuple[str, ...]) -> Callable[..., object]:
    """What `name` names, which takes these arguments. ValueError: what is wrong with it."""
    module, _, attributes = name.partition(":") if ":" in name else name.rpartition(".")
    found: object = imported(module.replace("/", "."))
    for attribute in attributes.split("."):
        try:
            found = getattr(found, attribute)
        except AttributeError:
            raise ValueError(f"{name} cannot be found: {module} has no {attributes}") from None
    if callable(found):
        check_signature(found, name, arguments)
        return found
    raise ValueError(f"expected {name} to be a function of ({', '.join(arguments)}), but it is {found!r:.80}")


def check_signature(function: Callable[..., object], name: str, arguments: tuple[str, ...]) -> None:
    try:
        signature = signature_of(function)
    except ValueError:  # a builtin has none
        return
    try:
        signature.bind(*arguments)
    except TypeError as error:
        raise ValueError(f"{name} is called with ({', '.join(arguments)}), but {error}") from None


def imported(module: str) -> ModuleType:
    try:
        return importlib.import_module(module)
    except (Exception, SystemExit) as error:
        raise ValueError(f"{module} cannot be imported: {told(error)}") from None


def told(error: BaseException) -> str:
    """An exception in one line, with the place it comes from unless that is the import itself."""
    text = "".join(traceback.format_exception_only(error)).strip().splitlines()[-1]
    if isinstance(error, SyntaxError):
        return f"{text} ({error.filename}:{error.lineno})"
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return text if "importlib" in frame.filename else f"{text} ({frame.filename}:{frame.lineno})"
