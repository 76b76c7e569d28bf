"""How an environment's process is started: its command and its environment variables.

Source: docs.aws.amazon.com/lambda, "Using Lambda environment variables".
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from lambent.dev.doors.model import NOTHING
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


ENDPOINT = "AWS_ENDPOINT_URL_LAMBDA"
"""Where AWS's SDKs find the Invoke API."""
MANAGEMENT_ENDPOINT = "AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI"
"""Where they find `@connections`."""

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
    return function.handler.replace(":", ".") if RUNTIMES[function.runtime].dotted else function.handler


def about(function: Function) -> dict[str, str]:
    """What an extension is told that registers."""
    return {"functionName": function.name, "functionVersion": function.version, "handler": handler(function)}


CHILD = str(Path(__file__).with_name("child.py"))
"""What starts a runtime where nothing else does: see there."""


def command(function: Function, seen: Mapping[str, str]) -> list[str]:
    """What is started. `seen` is what its process sees: a managed runtime is started by its AWS_LAMBDA_EXEC_WRAPPER."""
    runtime = RUNTIMES[function.runtime]
    wrapper = seen.get("AWS_LAMBDA_EXEC_WRAPPER")
    if wrapper and runtime.managed:
        return ["/bin/sh", "-c", WRAPPED, wrapper, function.python, "-m", runtime.module, handler(function)]
    if function.debug:  # a frozen module has no lines to stop at
        debugger = ["-X", "frozen_modules=off", CHILD, "--debug", function.debug]
        return [function.python, *debugger, runtime.module, handler(function)]
    return [function.python, CHILD, runtime.module, handler(function)]


def region(shell: Mapping[str, str]) -> str:
    return shell.get("AWS_REGION") or shell.get("AWS_DEFAULT_REGION") or "us-east-1"


def variables(
    function: Function,
    shell: Mapping[str, str],
    *,
    api: str,
    log_stream: str,
    python_version: tuple[int, int],
    lent: Mapping[str, str] = NOTHING,
) -> dict[str, str]:
    """What the process sees: the shell's variables, over them AWS's presets, the function's own, the reserved ones.

    `lent` is where the function finds what is here, unless it is set to look elsewhere.
    """
    own = dict(function.env)
    python_path = own.pop("PYTHONPATH", shell.get("PYTHONPATH", ""))
    inherited = {name: value for name, value in shell.items() if name != "AWS_EXECUTION_ENV"}
    return {
        **inherited,
        **preset(function, shell, lent),
        **own,
        **reserved(function, python_version),
        "AWS_LAMBDA_LOG_STREAM_NAME": log_stream,
        "AWS_LAMBDA_RUNTIME_API": api,
        "PYTHONPATH": joined(str(function.app_dir), *searched(function, python_version), python_path),
    }


def preset(function: Function, shell: Mapping[str, str], lent: Mapping[str, str]) -> dict[str, str]:
    """What is there unless the function sets it itself, and `lent` unless the shell does."""
    layers = [str(layer) for layer in merged(function)]
    known = {**shell, **function.env}
    libraries = [str(function.app_dir), *(f"{folder}/lib" for folder in (function.app_dir, *layers))]
    return {
        "TZ": ":UTC",
        "PYTHONUNBUFFERED": "1",
        "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
        "LD_LIBRARY_PATH": joined(shell.get("LD_LIBRARY_PATH", ""), *libraries),
        **({} if any(map(known.get, CREDENTIAL_SOURCES)) else CREDENTIALS),
        **{name: value for name, value in lent.items() if name not in shell},
        **({"LAMBENT_STREAM": "1"} if function.stream else {}),
        **({"LAMBENT_DEADLINE_MARGIN": "0"} if function.debug else {}),
        **({"PATH": joined(shell.get("PATH", ""), *(f"{layer}/bin" for layer in layers))} if layers else {}),
    }


def reserved(function: Function, python_version: tuple[int, int]) -> dict[str, str]:
    """What nobody can set."""
    several = function.concurrency > 1
    kind = "lambda-managed-instances" if several else "snap-start" if function.snapstart else "on-demand"
    execution = "AWS_Lambda_python{}.{}".format(*python_version)
    return {
        **({"AWS_EXECUTION_ENV": execution} if RUNTIMES[function.runtime].managed else {}),
        **({"AWS_LAMBDA_MAX_CONCURRENCY": str(function.concurrency)} if several else {}),
        "_HANDLER": handler(function),
        "AWS_REGION": function.region,
        "AWS_DEFAULT_REGION": function.region,
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory),
        "AWS_LAMBDA_FUNCTION_VERSION": function.version,
        "AWS_LAMBDA_INITIALIZATION_TYPE": kind,
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function.name}",
        "LAMBDA_TASK_ROOT": os.path.abspath(function.app_dir),  # noqa: PTH100 - as `joined` has it
    }


def searched(function: Function, python_version: tuple[int, int]) -> list[str]:
    """Where the function's layers have modules, as AWS looks into them."""
    sites = "python/lib/python{}.{}/site-packages".format(*python_version)
    return [str(layer / folder) for folder in (sites, "python", "") for layer in merged(function)]


def merged(function: Function) -> list[Path]:
    """Its layers in the order in which they are looked into: on AWS a later one writes over the files of an earlier."""
    return list(reversed(function.layers))


def joined(*paths: str) -> str:
    """Lists of paths as one, absolute: the process is started in another folder than the shell is in."""
    each = [path for some in paths for path in some.split(os.pathsep) if path]
    return os.pathsep.join(map(os.path.abspath, each))


def log_stream(day: str, version: str, entropy: str) -> str:
    """`2026/07/10/[$LATEST]` and 32 hexadecimal digits; `day` as `2026/07/10`."""
    return f"{day}/[{version}]{entropy}"
