"""How an environment's process is started: its command and its environment variables.

Source: docs.aws.amazon.com/lambda, "Using Lambda environment variables".
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import NamedTuple

from lambent.dev.model import Function

# Formed like real ones, so that clients that only need some can be made; nothing accepts them.
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "ASIAIOSFODNN7EXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "AWS_SESSION_TOKEN": "lambent-local",
}
CREDENTIAL_SOURCES = (
    "AWS_ACCESS_KEY_ID",
    "AWS_PROFILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
)


class Runtime(NamedTuple):
    """A program that speaks the Runtime API."""

    module: str
    dotted: bool
    """Whether it takes `app.handler` only, as AWS's own does."""
    managed: bool
    """Whether AWS sets AWS_EXECUTION_ENV for it: absent on OS-only runtimes, such as ours needs."""
    prints_errors: bool
    """Whether it writes to its output what it reports to the Runtime API, in lines that a terminal can show.

    AWS's own joins them by carriage returns, for its log format.
    """


RUNTIMES = {
    "lambent": Runtime("lambent.runtime", dotted=False, managed=False, prints_errors=True),
    "awslambdaric": Runtime("awslambdaric", dotted=True, managed=True, prints_errors=False),
}
"""What `--runtime` takes."""


WRAPPED = """
if [ ! -f "$0" ]; then echo "$0: does not exist"; exit 127; fi
if [ ! -x "$0" ]; then echo "$0: is not an executable"; exit 126; fi
exec "$0" "$@"
"""
"""How AWS's bootstrap starts a wrapper. OS-only runtimes, such as ours needs, have no bootstrap of AWS's.

Source: /var/runtime/bootstrap of AWS's base images; Lambda Developer Guide, "Modifying the runtime environment".
"""


def handler(function: Function) -> str:
    """The target in the form that the runtime takes."""
    return function.target.replace(":", ".") if RUNTIMES[function.runtime].dotted else function.target


def about(function: Function) -> dict[str, str]:
    """What an extension is told that registers."""
    return {"functionName": function.name, "functionVersion": function.version, "handler": handler(function)}


def command(function: Function, seen: Mapping[str, str]) -> list[str]:
    """What is started. `seen` is what its process sees: a managed runtime is started by its AWS_LAMBDA_EXEC_WRAPPER."""
    runtime = RUNTIMES[function.runtime]
    own = [function.python, "-m", runtime.module, handler(function)]
    wrapper = seen.get("AWS_LAMBDA_EXEC_WRAPPER")
    return ["/bin/sh", "-c", WRAPPED, wrapper, *own] if wrapper and runtime.managed else own


def region(shell: Mapping[str, str]) -> str:
    return shell.get("AWS_REGION") or shell.get("AWS_DEFAULT_REGION") or "us-east-1"


def variables(
    function: Function, shell: Mapping[str, str], *, api: str, log_stream: str, python_version: tuple[int, int]
) -> dict[str, str]:
    """What the process sees: the shell's variables, over them AWS's presets, the function's own, the reserved ones."""
    app_dir = str(function.app_dir)
    own = dict(function.env)
    python_path = own.pop("PYTHONPATH", shell.get("PYTHONPATH", ""))
    credentials = {} if any(map(shell.get, CREDENTIAL_SOURCES)) else CREDENTIALS
    preset = {"TZ": ":UTC", "PYTHONUNBUFFERED": "1", "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR", **credentials}
    if function.stream:
        preset["LAMBENT_STREAM"] = "1"
    managed = RUNTIMES[function.runtime].managed
    execution = {"AWS_EXECUTION_ENV": "AWS_Lambda_python{}.{}".format(*python_version)} if managed else {}
    inherited = {name: value for name, value in shell.items() if name != "AWS_EXECUTION_ENV"}
    return {
        **inherited,
        **preset,
        **own,
        **execution,
        "_HANDLER": handler(function),
        "AWS_REGION": function.region,
        "AWS_DEFAULT_REGION": function.region,
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory),
        "AWS_LAMBDA_FUNCTION_VERSION": function.version,
        "AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start" if function.snapstart else "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function.name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": log_stream,
        "AWS_LAMBDA_RUNTIME_API": api,
        "LAMBDA_TASK_ROOT": app_dir,
        "PYTHONPATH": os.pathsep.join(filter(None, [app_dir, python_path])),
    }


def log_stream(day: str, version: str, entropy: str) -> str:
    """`2026/07/10/[$LATEST]` and 32 hexadecimal digits; `day` as `2026/07/10`."""
    return f"{day}/[{version}]{entropy}"
