"""Whether the handler can be imported from what was built, and from nothing else but the standard library."""

from __future__ import annotations

import platform
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lambent.build.bytecode import environment

if TYPE_CHECKING:
    from lambent.build.model import Target

MACHINES = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}
PATIENCE = 60
"""Seconds that an import may take."""
PROVIDED = ("boto3", "botocore", "jmespath", "s3transfer")
"""What Lambda's Pythons bring."""
MISSING = frozenset(f"ModuleNotFoundError: No module named {name!r}" for name in PROVIDED)

_IMPORT = """
import importlib, os, sys
sys.path[:] = [sys.argv[1], *filter(None, sys.path)]
found = importlib.import_module(sys.argv[2])
for name in sys.argv[3].split("."):
    found = getattr(found, name)
os._exit(0)
"""


def runs_here(target: Target) -> bool:
    """Whether native modules for the target can be loaded on this machine."""
    return sys.platform == "linux" and MACHINES.get(platform.machine().lower()) == target.architecture


def complaint(python: Path, folder: Path, handler: str, prefix: str) -> str:
    """What goes wrong, in the last words of the traceback; empty if it can be imported.

    - `handler`: `app:handler` or `app.handler`
    - `prefix`: where bytecode says that its source lies; complaints are told without it
    """
    module, _, attribute = handler.partition(":") if ":" in handler else handler.rpartition(".")
    command = [str(python), "-s", "-S", "-B", "-c", _IMPORT, str(folder), module.replace("/", "."), attribute]
    seen = {**environment(), "AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1", "_HANDLER": handler}
    try:
        ran = subprocess.run(  # noqa: S603  # an interpreter that was found
            command,
            cwd=folder,
            env={**seen, "LAMBDA_TASK_ROOT": str(folder)},
            capture_output=True,
            text=True,
            errors="replace",
            timeout=PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"it was not imported after {PATIENCE} s"
    lines = [line.strip() for line in ran.stderr.splitlines() if line.strip()]
    if ran.returncode == 0 or (lines and lines[-1] in MISSING):
        return ""
    if not lines:
        return f"the interpreter ended with status {ran.returncode}"
    return _told([line.replace(f"{folder}/", "").replace(prefix, "") for line in lines])


def _told(lines: Sequence[str]) -> str:
    """What was raised, and where in the artefact."""
    frames = [line for line in lines if line.startswith('File "') and line[6] not in "/<"]
    return ", ".join([lines[-1], *frames[-1:]])
