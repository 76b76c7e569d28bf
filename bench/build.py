"""`lambent build` of the FastAPI example, and a cold start of what it makes, with its bytecode and without."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from statistics import median
from zipfile import ZipFile

from bench.cold import first_reply
from bench.measure import ROOT, Effort, clean_environ, ratio, take_turns
from bench.table import Table
from lambent.build import pip_settings, uv

EXAMPLE = ROOT / "examples" / "fastapi_app"
SETTINGS = '[tool.lambent.build]\nhandler = "app:handler"\n'
TEMPLATE = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Web:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: ., Handler: app.handler, Runtime: python%d.%d}
"""
COLUMNS = ("", "Lambent", "sam build", "Lambent is")
SAM = "aws-sam-cli==1.170.0"
SAM_FOLDER = ROOT / ".cache" / "sam"


def measure(effort: Effort) -> Table:
    with tempfile.TemporaryDirectory() as folder:
        return _measured(effort, Path(folder))


def _measured(effort: Effort, folder: Path) -> Table:
    project = folder / "web"
    shutil.copytree(EXAMPLE, project, ignore=shutil.ignore_patterns("__pycache__"))
    (project / "pyproject.toml").write_text(SETTINGS, "utf-8")
    (project / "template.yaml").write_text(TEMPLATE % sys.version_info[:2], "utf-8")
    missing = _install_sam() if effort.installs else "sam is left out."
    _build(project, folder / "cache")  # Lambent's own wheel is made once, and kept
    turns = [partial(_build, project), partial(_build, project, folder / "cache")]
    if not missing:
        _sam(project, folder / "pip")
        turns += [partial(_sam, project), partial(_sam, project, folder / "pip")]
    seconds = take_turns(turns, effort.starts)
    starts = _starts(effort, project / "dist" / "web.zip", folder)
    rows = [
        _row("build, empty cache, s", seconds[0::2]),
        _row("build, warm cache, s", seconds[1::2]),
        ["cold start, ms", f"{median(starts[0]) * 1e3:.0f}", "", ""],
        ["cold start without bytecode, ms", f"{median(starts[1]) * 1e3:.0f}", "", ""],
    ]
    notes = (
        f"Without bytecode it takes {ratio(starts[1], starts[0])} as long (the application's import is in it).",
        missing or f"{SAM.replace('==', ' ')} has pip install; it makes no bytecode and no zip.",
    )
    return Table("build: the FastAPI example, by `lambent build`, and its cold start", COLUMNS, rows, notes)


def _row(title: str, seconds: Sequence[Sequence[float]]) -> list[str]:
    """Ours, and theirs if there are any."""
    figures = [f"{median(each):.1f}" for each in seconds]
    return [title, *figures, str(ratio(*seconds))] if len(figures) > 1 else [title, *figures, "-", "-"]


def _build(project: Path, cache: Path | None = None) -> float:
    """Seconds. Without a cache, all is fetched from the package index."""
    with tempfile.TemporaryDirectory() as empty:
        environ = clean_environ(UV_CACHE_DIR=str(cache or empty), UV_PYTHON_DOWNLOADS="never")
        return _timed([sys.executable, "-m", "lambent", "build", "--output", "dist"], project, environ)


def _sam(project: Path, cache: Path | None = None) -> float:
    """Seconds, with a cache of pip's or without. It runs the Python of the runtime that it finds on PATH."""
    with tempfile.TemporaryDirectory() as empty:
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
        environ = clean_environ(PATH=path, PIP_CACHE_DIR=str(cache or empty), SAM_CLI_TELEMETRY="0")
        return _timed([str(SAM_FOLDER / "bin" / "sam"), "build"], project, environ)


def _install_sam() -> str:
    """Have uv install it, once, in an environment of its own. Returns why that cannot be."""
    done = SAM_FOLDER / "done"
    if done.exists() and done.read_text("ascii") == SAM:
        return ""
    index = pip_settings.read(os.environ)
    environ = {**index.variables(), **os.environ}
    options = ["pip", "install", *index.options(), "--python", str(SAM_FOLDER), SAM]
    try:
        for step in (["venv", "--clear", "--python", sys.executable, str(SAM_FOLDER)], options):
            command = [str(uv.find()), "--quiet", *step]
            subprocess.run(command, env=environ, check=True, capture_output=True, timeout=600)
    except (OSError, subprocess.SubprocessError) as error:
        return f"sam is left out: uv could not install {SAM} ({type(error).__name__})."
    done.write_text(SAM, "ascii")
    return ""


def _timed(command: list[str], folder: Path, environ: dict[str, str]) -> float:
    begin = time.perf_counter()
    ran = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=False)
    if ran.returncode:
        raise RuntimeError(f"{command} failed: {ran.stderr}")
    return time.perf_counter() - begin


def _starts(effort: Effort, artefact: Path, folder: Path) -> list[list[float]]:
    """Seconds of cold starts of the artefact as it is, and of the same without bytecode; neither can write any."""
    whole, bare = folder / "whole", folder / "bare"
    with ZipFile(artefact) as archive:
        archive.extractall(whole)
    shutil.copytree(whole, bare, ignore=shutil.ignore_patterns("__pycache__"))
    return take_turns([partial(_start, whole), partial(_start, bare)], max(1, effort.import_rounds // 4))


def _start(task: Path) -> float:
    """Seconds from the start of the process to its first reply, on the artefact and the standard library alone."""
    command = [sys.executable, "-s", "-S", "-m", "lambent.runtime", "app.handler"]
    usage, reply = asyncio.run(first_reply(command, task, PYTHONPATH=str(task), PYTHONDONTWRITEBYTECODE="1"))
    if reply["statusCode"] != 200:
        raise RuntimeError(f"The artefact replied: {reply!r:.300}")
    return usage.wall
