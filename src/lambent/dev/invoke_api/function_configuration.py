"""A function as the Lambda API describes it: GetFunction, ListFunctions and the like.

Only what is so: a field that has no meaning on this machine, such as the role, is left out.
"""

from __future__ import annotations

import base64
import binascii
import math
import platform
import re
import sys
from collections.abc import Mapping

from lambent.dev.invoke_api import api_errors
from lambent.dev.model import Function
from lambent.dev.variables import RUNTIMES, handler

PAGE = 50
"""Functions that ListFunctions returns at most."""

ARCHITECTURES = {"aarch64": "arm64", "arm64": "arm64"}


def configuration(function: Function) -> dict[str, object]:
    """`FunctionConfiguration`."""
    dead_letter = destination_arn(function, function.asynchronous.dead_letter)
    return {
        "FunctionName": function.name,
        "FunctionArn": function.arn,
        **runtime(function),
        "Handler": handler(function),
        "Timeout": math.ceil(function.timeout),
        "MemorySize": function.memory,
        "Version": function.version,
        **({"DeadLetterConfig": {"TargetArn": dead_letter}} if dead_letter else {}),
        "Environment": {"Variables": dict(function.env)},
        "TracingConfig": {"Mode": "PassThrough"},
        "State": "Active",
        "LastUpdateStatus": "Successful",
        "PackageType": "Zip",
        "Architectures": [ARCHITECTURES.get(platform.machine().lower(), "x86_64")],
        "SnapStart": {
            "ApplyOn": "PublishedVersions" if function.snapstart else "None",
            "OptimizationStatus": "On" if function.snapstart else "Off",
        },
        "LoggingConfig": {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{function.name}"},
    }


def runtime(function: Function) -> dict[str, str]:
    """AWS's name of what runs it; nothing if that is another Python, whose version only its environments know."""
    if not RUNTIMES[function.runtime].managed:
        return {"Runtime": "provided.al2023"}
    return {"Runtime": "python{}.{}".format(*sys.version_info)} if function.python == sys.executable else {}


def destination_arn(function: Function, destination: str) -> str:
    """Empty for a file."""
    kind, _, name = destination.partition(":")
    return f"{function.arn.removesuffix(function.name)}{name}" if kind == "function" else ""


def description(function: Function) -> dict[str, object]:
    """What GetFunction answers."""
    reserved = concurrency(function)
    return {
        "Configuration": configuration(function),
        "Code": {"Location": function.app_dir.absolute().as_uri()},
        **({"Concurrency": reserved} if reserved else {}),
    }


def concurrency(function: Function) -> dict[str, object]:
    """What GetFunctionConcurrency answers."""
    reserved = function.reserved_concurrency
    return {} if reserved is None else {"ReservedConcurrentExecutions": reserved}


def page(functions: Mapping[str, Function], marker: str, items: str) -> dict[str, object]:
    """What ListFunctions answers: by name, from behind the marker. Raises APIError."""
    if items and not (re.fullmatch("[0-9]{1,5}", items) and 1 <= int(items) <= 10_000):
        raise api_errors.invalid(items, "maxItems", "be a number from 1 to 10000")
    after = unmark(marker)
    names = sorted(name for name in functions if name > after)
    shown = names[: min(int(items or PAGE), PAGE)]
    return {
        **({"NextMarker": mark(shown[-1])} if len(shown) < len(names) else {}),
        "Functions": [configuration(functions[name]) for name in shown],
    }


def mark(name: str) -> str:
    return base64.urlsafe_b64encode(name.encode()).decode("ascii")


def unmark(marker: str) -> str:
    try:
        return base64.b64decode(marker.encode(), altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise api_errors.invalid_parameter(f"Invalid marker {marker!r}: take the NextMarker of a page.") from None
