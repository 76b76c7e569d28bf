"""A handler, loaded in a process of its own: whether it can be, what that takes, what it is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from lambent.dev import variables
from lambent.dev.model import Function
from lambent.doctor import import_times
from lambent.doctor.model import Measured

PROBE = str(Path(__file__).with_name("probe.py"))
SECONDS = 60.0
"""That loading may take. Lambda gives it ten."""


def measure(function: Function, environ: Mapping[str, str], *, unique: bool = False) -> Measured:
    """Load the function's handler twice: to see what it is and takes, and to see what its imports take.

    With `unique` once more, to see what it makes that should differ between environments.
    """
    seen = surroundings(function, environ)
    with tempfile.TemporaryDirectory() as folder:
        if seen.pop("PYTHONDONTWRITEBYTECODE", ""):
            seen["PYTHONPYCACHEPREFIX"] = folder
        result = Path(folder, "result.json")
        known = run(function, seen, result)
        if error := known.get("error"):
            return Measured(error=str(error))
        written, seconds, share = trace(function, seen, result)  # now its bytecode is there, if it was not before
        made = run(function, seen, result, "--unique").get("unique") if unique else ()
    origins = known.get("origins")
    imports = import_times.parse(written)
    packages = import_times.packages(imports, origins if isinstance(origins, dict) else {}, share)
    found = made_of(known)
    return replace(
        found,
        seconds=min(found.seconds, seconds or found.seconds),
        packages=packages,
        unique=tuple(map(str, made)) if isinstance(made, list) else (),
    )


def made_of(known: Mapping[str, object]) -> Measured:
    """What the probe has written."""
    seconds, peak, batches, store = (known.get(key) for key in ("seconds", "peak", "batches", "store"))
    return Measured(
        kind=str(known.get("kind", "")),
        seconds=float(seconds) if isinstance(seconds, (int, float)) else 0.0,
        peak=float(peak) if isinstance(peak, (int, float)) else 0.0,
        python=str(known.get("python", "")),
        stream=known.get("stream") is True,
        errors=str(known.get("errors", "")),
        store=store if isinstance(store, str) else None,
        batches=tuple(map(str, batches)) if isinstance(batches, list) else (),
    )


def surroundings(function: Function, environ: Mapping[str, str]) -> dict[str, str]:
    """The variables that Lambda would set, but for those of an invocation."""
    own = replace(function, stream=False)  # what says that is what is looked for
    made = variables.variables(own, environ, api="", log_stream="", python_version=sys.version_info[:2])
    del made["AWS_LAMBDA_RUNTIME_API"]
    return made


def start(
    function: Function, seen: Mapping[str, str], result: Path, *options: str, traced: bool = False
) -> subprocess.CompletedProcess[bytes]:
    """Run the probe. OSError, TimeoutExpired."""
    result.unlink(missing_ok=True)
    return subprocess.run(  # noqa: S603 - the user's own code
        [
            function.python,
            *(("-X", "importtime") if traced else ()),
            PROBE,
            function.handler,
            str(result),
            *options,
        ],
        cwd=function.app_dir,
        env={**seen, "PYTHONIOENCODING": "utf-8"} if traced else dict(seen),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        timeout=SECONDS,
        check=False,
    )


def run(function: Function, seen: Mapping[str, str], result: Path, *options: str) -> dict[str, object]:
    """What the probe says. `error` if it came to no end."""
    try:
        ended = start(function, seen, result, *options)
    except subprocess.TimeoutExpired:
        return {"error": f"it was not loaded within {SECONDS:g} seconds."}
    except OSError as error:
        return {"error": f"{function.python} cannot be started: {error.strerror}."}
    if (known := said(result)) is None:
        end = "\n".join(ended.stderr.decode("utf-8", "replace").splitlines()[-5:])
        return {"error": f"the process exited with {ended.returncode} while it was loaded.\n{end}".rstrip()}
    return known


def trace(function: Function, seen: Mapping[str, str], result: Path) -> tuple[str, float, float]:
    """What Python writes of its imports, how many seconds they took, and the share of its times that this is.

    Nothing if that cannot be had.
    """
    try:
        ended = start(function, seen, result, "--imports", traced=True)
    except (OSError, subprocess.TimeoutExpired):
        return "", 0.0, 1.0
    known = said(result) or {}
    seconds, share = known.get("seconds"), known.get("share")
    return (
        ended.stderr.decode("utf-8", "replace"),
        seconds if isinstance(seconds, float) else 0.0,
        share if isinstance(share, float) else 1.0,
    )


def said(result: Path) -> dict[str, object] | None:
    """What the probe has written, if it did."""
    try:
        known = json.loads(result.read_bytes())
    except (OSError, ValueError):
        return None
    return known if isinstance(known, dict) else None


def folders_of(handler: str, folders: Sequence[Path]) -> Path | None:
    """The first folder that has the handler's module."""
    module = handler.partition(":")[0] if ":" in handler else handler.rpartition(".")[0]
    path = module.replace(".", os.sep).replace("/", os.sep)
    for folder in folders:
        if (folder / f"{path}.py").is_file() or (folder / path / "__init__.py").is_file():
            return folder
    return None
