"""Versions, variables, concurrency, snapshots. Pure.

Source: AWS Lambda Developer Guide, "Lambda runtimes", "Using Lambda environment variables", "Lambda SnapStart".
"""

from __future__ import annotations

import re
from datetime import date, timedelta

from lambent.build.model import ARCHITECTURES
from lambent.build.target import OLDEST, admits
from lambent.doctor.model import Complaint, Complaints, Facts, FunctionFacts

ENDS = {
    "python2.7": date(2021, 7, 15),
    "python3.6": date(2022, 7, 18),
    "python3.7": date(2023, 12, 4),
    "python3.8": date(2024, 10, 14),
    "python3.9": date(2025, 12, 15),
    "python3.10": date(2026, 10, 31),
    "python3.11": date(2027, 6, 30),
    "python3.12": date(2028, 10, 31),
    "python3.13": date(2029, 6, 30),
    "python3.14": date(2029, 6, 30),
}
"""When AWS deprecates its runtimes, as of November 2026."""
SOON = timedelta(days=180)

RESERVED = frozenset(
    """_HANDLER _X_AMZN_TRACE_ID AWS_DEFAULT_REGION AWS_REGION AWS_EXECUTION_ENV AWS_LAMBDA_FUNCTION_NAME
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE AWS_LAMBDA_FUNCTION_VERSION AWS_LAMBDA_INITIALIZATION_TYPE
    AWS_LAMBDA_LOG_GROUP_NAME AWS_LAMBDA_LOG_STREAM_NAME AWS_ACCESS_KEY AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
    AWS_SESSION_TOKEN AWS_LAMBDA_RUNTIME_API AWS_LAMBDA_MAX_CONCURRENCY AWS_LAMBDA_METADATA_API
    AWS_LAMBDA_METADATA_TOKEN LAMBDA_TASK_ROOT LAMBDA_RUNTIME_DIR""".split()
)
VARIABLE = re.compile(r"[A-Za-z][A-Za-z0-9_]+")
VARIABLES_SIZE = 4096
"""Bytes of all names and values."""
VALUES = {"LAMBENT_STREAM": ("0", "1"), "LAMBENT_LOOP": ("asyncio", "uvloop")}
LAYERS = 5
SNAPSTART_FROM = (3, 12)


def version(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(".")))


def gone(function: FunctionFacts, facts: Facts) -> Complaints:
    """What AWS lets nobody deploy, and what Lambent does not run on."""
    end = ENDS.get(function.runtime)
    if end and end < facts.today:
        best = "python3.13"
        yield Complaint(f"{function.runtime} is deprecated since {end}. Choose {best}.", function.at("Runtime"))
    elif function.python and version(function.python) < OLDEST:
        yield Complaint(f"expected python3.11 or later, but got {function.runtime}.", function.at("Runtime"))


def ends(function: FunctionFacts, facts: Facts) -> Complaints:
    end = ENDS.get(function.runtime)
    if end and version(function.python) >= OLDEST and facts.today <= end < facts.today + SOON:
        yield Complaint(f"{function.runtime} is deprecated from {end} on.", function.at("Runtime"))


def unknown(function: FunctionFacts, _facts: Facts) -> Complaints:
    if function.python and function.runtime not in ENDS:
        message = (
            f"{function.runtime} is not known here as a managed runtime; the last one that is: {list(ENDS)[-1]}. "
            "An OS-only runtime, provided.al2023, takes any Python that is in the zip."
        )
        yield Complaint(message, function.at("Runtime"))


def required(function: FunctionFacts, facts: Facts) -> Complaints:
    """What pyproject.toml says, as a build takes it."""
    if function.python and not admits(facts.requires_python, function.python):
        message = f"expected Python {facts.requires_python}, as pyproject.toml has it, but got {function.runtime}."
        yield Complaint(message, function.at("Runtime"))


def elsewhere(function: FunctionFacts, _facts: Facts) -> Complaints:
    """Measured on another Python than it would run on."""
    measured = function.measured
    if measured and not measured.error and function.python and measured.python not in ("", function.python):
        message = (
            f"it was loaded here by Python {measured.python}, and would run on {function.python}. Run `lambent doctor` "
            "with that one, to measure the same."
        )
        yield Complaint(message, function.at("Runtime"))


def architecture(function: FunctionFacts, _facts: Facts) -> Complaints:
    if function.architecture not in ARCHITECTURES:
        message = f"expected {' or '.join(ARCHITECTURES)}, but got {function.architecture}."
        yield Complaint(message, function.at("Architectures"))


def reserved_variables(function: FunctionFacts, _facts: Facts) -> Complaints:
    for name in sorted(function.env.keys() & RESERVED):
        message = f"{name} is Lambda's own: a function that sets it is refused. Leave it out, or take another name."
        yield Complaint(message, function.at(f"Environment.{name}"))


def variable_names(function: FunctionFacts, _facts: Facts) -> Complaints:
    for name in function.env:
        if not VARIABLE.fullmatch(name) and name not in RESERVED:
            message = f"expected a letter, then letters, digits and underscores, two or more in all, but got {name!r}."
            yield Complaint(message, function.at(f"Environment.{name}"))


def variables_size(function: FunctionFacts, _facts: Facts) -> Complaints:
    size = sum(len(name.encode()) + len(value.encode()) for name, value in function.env.items())
    if size > VARIABLES_SIZE:
        message = (
            f"expected environment variables of {VARIABLES_SIZE:,} bytes at most, but got {size:,}. Keep what is large "
            "in Parameter Store or in a file."
        )
        yield Complaint(message, function.at("Environment"))


def variable_values(function: FunctionFacts, _facts: Facts) -> Complaints:
    for name, choices in VALUES.items():
        value = function.env.get(name)
        if value and value not in choices:
            message = f"expected {name} to be {' or '.join(choices)}, but got {value!r}."
            yield Complaint(message, function.at(f"Environment.{name}"))


def no_concurrency(function: FunctionFacts, _facts: Facts) -> Complaints:
    if function.reserved == 0:
        message = (
            "a reserved concurrency of 0 throttles every invocation: nothing runs. Leave it out, or set 1 or more."
        )
        yield Complaint(message, function.at("ReservedConcurrentExecutions"))


def layers(function: FunctionFacts, _facts: Facts) -> Complaints:
    if function.layers > LAYERS:
        yield Complaint(f"expected {LAYERS} layers at most, but got {function.layers}.", function.at("Layers"))


def snapstart(function: FunctionFacts, _facts: Facts) -> Complaints:
    """Managed runtimes of Python have it from 3.12 on."""
    if not function.snapstart:
        return
    if function.image or function.runtime.startswith("provided"):
        what = "a container image" if function.image else function.runtime
        yield Complaint(f"expected a managed runtime with SnapStart, but got {what}.", function.at("SnapStart"))
    elif function.python and version(function.python) < SNAPSTART_FROM:
        message = f"expected python3.12 or later with SnapStart, but got {function.runtime}."
        yield Complaint(message, function.at("SnapStart"))
    elif function.concurrency > 1:
        yield Complaint("expected either SnapStart or Managed Instances, but got both.", function.at("SnapStart"))


def snapstart_version(function: FunctionFacts, _facts: Facts) -> Complaints:
    if function.snapstart and not function.published:
        message = (
            "SnapStart takes a snapshot of each version, and no version is published: nothing starts faster. Publish "
            "one (SAM: AutoPublishAlias), and invoke it by its alias."
        )
        yield Complaint(message, function.at("SnapStart"))


def snapstart_unique(function: FunctionFacts, _facts: Facts) -> Complaints:
    """Made once, before the snapshot, it is the same in every environment."""
    if function.snapstart and function.measured:
        for each in function.measured.unique:
            message = (
                f"{each} while it is loaded is in the snapshot, and so the same everywhere. Make it after restore."
            )
            yield Complaint(message, function.at("SnapStart"))
