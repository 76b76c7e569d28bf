"""Starts a runtime as `python -m MODULE ARGUMENT...` does, and tells the local Lambda what code it reads.

    python child.py [--debug HOST:PORT] MODULE [ARGUMENT...]

With `--debug` debugpy waits there for a debugger before the module is run. To the module all is as with `-m`, but for
`sys.orig_argv`, so that a runtime which starts itself once more is started so again, for one frame more below it, and
for one open connection.
It runs by itself, in an interpreter that may have no Lambent: see `inside/`.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

HERE = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120 - pathlib costs 5 ms
INSIDE = os.path.join(HERE, "inside")  # noqa: PTH118 - see above
USAGE = "Expected: python child.py [--debug HOST:PORT] MODULE [ARGUMENT...]"


def prepare() -> tuple[Callable[[str], object], str]:
    """Make the process what `-m` would have made it. Returns what runs a module, and which."""
    set_search_path()
    arguments = sys.argv[1:]
    debug = arguments[1] if arguments[:1] == ["--debug"] and len(arguments) > 1 else ""
    del arguments[: 2 if debug else 0]
    if not arguments or arguments[0].startswith("-"):
        sys.exit(USAGE)
    module = arguments[0]
    sys.argv[:] = ["-m", *arguments[1:]]
    api = os.environ.get("AWS_LAMBDA_RUNTIME_API")
    if api:
        observe(api)
    if debug:
        load("debugger").wait(debug, api)
    put_main_back()
    import runpy

    return vars(runpy)["_run_module_as_main"], module  # which `-m` calls


def set_search_path() -> None:
    """The current directory first, and not this one; neither where the interpreter was told so."""
    for looked_into in (HERE, __file__):
        sys.path_importer_cache.pop(looked_into, None)
    if getattr(sys.flags, "safe_path", sys.flags.isolated):
        return
    try:
        sys.path[0] = os.getcwd()  # noqa: PTH109 - see above
    except OSError:
        del sys.path[0]


def observe(api: str) -> None:
    """Have told what is read, and pdb ask for the terminal once somebody imports it."""
    recorder = load("recorder")
    recorder.install(recorder.Recorder(recorder.Link(api).tell, INSIDE).note, {"pdb": lambda: prompt(api)})
    if "pdb" in sys.modules:
        prompt(api)


def prompt(api: str) -> None:
    load("prompts").install(api)


def load(name: str) -> ModuleType:
    """Run a file of `inside`, from its bytecode where there is some; the import system does not know of it."""
    from importlib.machinery import SourceFileLoader

    loader = SourceFileLoader(f"lambent.dev.inside.{name}", os.path.join(INSIDE, f"{name}.py"))  # noqa: PTH118
    module = type(sys)(loader.name)
    module.__file__ = loader.path
    loader.exec_module(module)
    return module


def put_main_back() -> None:
    """A `__main__` with none of our names: runpy fills the one that is there."""
    fresh = type(sys)("__main__")
    fresh.__dict__.update((name, value) for name, value in globals().items() if name.startswith("__"))
    sys.modules["__main__"] = fresh


if __name__ == "__main__":
    run, name = prepare()
    run(name)
