"""Loads a handler, and writes down what that took: run by its path, in a process of its own, with any Python.

    python probe.py HANDLER RESULT [--imports | --unique]

RESULT is a file that gets a JSON document: `error`, or what is known of the handler. With --imports nothing but the
handler is imported, between two lines on the standard error, for `-X importtime`. It imports nothing of ours.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any

BEGIN = "lambent doctor: imports begin"
END = "lambent doctor: imports end"
"""Lines of their own: what comes before is Python's start."""
LINES = 12
"""Of a traceback."""
UNIQUE = {
    "uuid": ("uuid1", "uuid4"),
    "secrets": ("token_bytes", "token_hex", "token_urlsafe", "choice", "randbelow"),
    "random": ("random", "randint", "randrange", "choice", "choices", "getrandbits", "sample", "shuffle", "uniform"),
    "tempfile": ("mkdtemp", "mkstemp"),
}
"""What gives something else each time."""


def main(handler: str, result: str, how: str) -> None:
    if not getattr(sys.flags, "safe_path", False):
        del sys.path[0]  # where this file lies
    separator = ":" if ":" in handler else "."
    module_name, _, attributes = handler.partition(":") if separator == ":" else handler.rpartition(".")
    module_name = module_name.replace("/", ".")
    seen: list[str] = []
    if how == "--unique":
        watch(seen)
    if how == "--imports":
        write(result, traced(module_name))
        return
    write(result, {**loaded(module_name, attributes), "unique": seen})


def traced(module_name: str) -> dict[str, object]:
    """Import it between two lines on the standard error."""
    sys.stderr.write(f"{BEGIN}\n")
    sys.stderr.flush()
    begun = moment()
    __import__(module_name)
    seconds, waited = (now - before for now, before in zip(moment(), begun, strict=True))
    sys.stderr.write(f"{END}\n")
    sys.stderr.flush()
    return {"seconds": seconds - waited, "share": (seconds - waited) / seconds}


def moment() -> tuple[float, float]:
    """Seconds on a clock, and those of them that this thread stood in line for a processor, where Linux tells.

    What is measured while others have the processors would say nothing of Lambda.
    """
    from time import perf_counter

    try:
        with open("/proc/thread-self/schedstat", encoding="ascii") as told:  # noqa: PTH123 - imports less
            return perf_counter(), int(told.read().split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        return perf_counter(), 0.0


def write(result: str, what: dict[str, object]) -> None:
    import json
    from pathlib import Path

    Path(result).write_text(json.dumps(what), "utf-8")


def loaded(module_name: str, attributes: str) -> dict[str, object]:
    """What there is to say of it."""
    begun = moment()
    try:
        value: object = __import__(module_name, fromlist=["*"])
        seconds, waited = (now - before for now, before in zip(moment(), begun, strict=True))
        for name in attributes.split("."):
            value = getattr(value, name)
    except BaseException as error:  # whatever it is, it is what is asked for
        return {"error": told(error)}
    return {
        "seconds": seconds - waited,
        "peak": peak(),
        "python": f"{sys.version_info[0]}.{sys.version_info[1]}",
        "origins": origins(module_name),
        **described(value),
    }


def told(error: BaseException) -> str:
    """The end of the traceback, from the user's first frame on."""
    import traceback

    frames = error.__traceback__
    while frames is not None and frames.tb_frame.f_code.co_filename in (__file__, "<frozen importlib._bootstrap>"):
        frames = frames.tb_next
    lines = "".join(traceback.format_exception(type(error), error, frames)).rstrip().splitlines()
    return "\n".join(lines[-LINES:])


def peak() -> float:
    """MB of memory that this process had at most; 0 if that is not known."""
    try:
        with open("/proc/self/status", encoding="ascii") as status:  # noqa: PTH123 - imports less
            for line in status:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) / 1024
    except OSError:
        pass
    try:
        import resource
    except ImportError:
        return 0.0
    size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return size / 1024 / 1024 if sys.platform == "darwin" else size / 1024


def origins(module_name: str) -> dict[str, str]:
    """Whose the top-level packages are; those that are not here are Python's."""
    known: frozenset[str] = getattr(sys, "stdlib_module_names", frozenset())
    own = module_name.partition(".")[0]
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    library = tuple(f"{sys.base_prefix}/{each}/{version}/" for each in ("lib", sys.platlibdir))
    found = {own: "yours"}
    for name, module in list(sys.modules.items()):
        if "." in name or name in known or name in found or name == "__main__":
            continue
        file = home(module)
        if file:
            installed = "site-packages" in file or "dist-packages" in file
            if not installed and file.startswith(library):
                continue  # such as _sysconfigdata_…, which has no fixed name
            found[name] = "Lambent" if name == "lambent" else "installed" if installed else "yours"
    return found


def home(module: ModuleType) -> str:
    file = getattr(module, "__file__", None) or next(iter(getattr(module, "__path__", ())), "")
    return file if isinstance(file, str) else ""


def described(value: object) -> dict[str, object]:
    """What kind of handler it is, and what it was made with."""
    kinds = [f"{each.__module__}.{each.__qualname__}" for each in type(value).__mro__]
    if "lambent.adapter.Lambent" in kinds:
        store = getattr(value, "_websockets", (None, None))[1]
        return {
            "kind": "lambent",
            "stream": bool(getattr(value, "stream", False)),
            "errors": str(getattr(value, "errors", "")),
            "store": store if store is None or isinstance(store, str) else "",
            "batches": batches(getattr(value, "_events", None)),
        }
    if "lambent.events.events.Events" in kinds:
        return {"kind": "events", "batches": batches(value)}
    return {"kind": kind_of(value)}


def batches(events: object) -> list[str]:
    """Sources that functions are registered for, of which some records may fail."""
    registered = getattr(getattr(events, "_router", None), "_registrations", {})
    return sorted({"sqs", "kinesis", "dynamodb"} & set(registered))


def kind_of(value: object) -> str:
    import inspect

    call = value if inspect.isroutine(value) else getattr(value, "__call__", None)  # noqa: B004 - the method itself
    if inspect.isasyncgenfunction(value):
        return "generator"
    if not callable(value):
        return ""
    try:
        parameters = inspect.signature(value, **reading()).parameters.values()
    except (TypeError, ValueError):
        return "function"
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    if sum(each.kind in positional and each.default is each.empty for each in parameters) == 3:
        return "application"
    return "coroutine" if inspect.iscoroutinefunction(call) else "function"


def reading() -> dict[str, Any]:
    """Options for reading a signature: Python 3.14 evaluates annotations, which may name what is not there."""
    if sys.version_info >= (3, 14):
        from annotationlib import Format

        return {"annotation_format": Format.FORWARDREF}
    return {}


def watch(seen: list[str]) -> None:
    """Note what the user's modules call of UNIQUE."""
    from importlib import import_module

    for module_name, names in UNIQUE.items():
        module = import_module(module_name)
        for name in names:
            setattr(module, name, noted(getattr(module, name), f"{module_name}.{name}()", seen))


def noted(function: Callable[..., object], called: str, seen: list[str]) -> Callable[..., object]:
    from inspect import currentframe

    def call(*arguments: object, **options: object) -> object:
        frame = currentframe()
        caller = frame.f_back if frame else None
        file = caller.f_code.co_filename if caller else "<"
        if caller and "site-packages" not in file and not file.startswith((sys.base_prefix, "<")):
            line = f"{called}, called in {file}:{caller.f_lineno},"
            if line not in seen:
                seen.append(line)
        return function(*arguments, **options)

    return call


if __name__ == "__main__":
    import os

    main(sys.argv[1], sys.argv[2], sys.argv[3] if len(sys.argv) > 3 else "")
    os._exit(0)  # all is written: a thread of the handler's may go on for ever
