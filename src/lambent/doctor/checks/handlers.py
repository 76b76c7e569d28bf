"""The handler, and who runs it. Pure."""

from __future__ import annotations

import re

from lambent.build.project import deployed, nested
from lambent.doctor.model import SCRIPT, WRAPPER, Complaint, Complaints, Facts, FunctionFacts, Place

TASK, LAYER = "/var/task/", "/opt/"
LAYERED = re.compile(r"/opt/python/(?:lib/python(?P<version>\d+\.\d+)/site-packages/)?" + re.escape(SCRIPT))
IMAGED = re.compile(r"/var/lang/lib/python(?P<version>\d+\.\d+)/site-packages/" + re.escape(SCRIPT))
KNOWN = f"{TASK}{SCRIPT} in the function's zip, {LAYER}python/{SCRIPT} in a layer"

NEEDING = ("lambent", "events")
"""Kinds of handlers that are Lambent's."""


def importable(function: FunctionFacts, _facts: Facts) -> Complaints:
    """Loaded here, in a process of its own."""
    if function.measured and function.measured.error:
        lines = "".join(f"\n    {line}" for line in function.measured.error.splitlines())
        message = f"expected {function.handler} to be loaded, but loading it failed here:{lines}"
        yield Complaint(message, function.at("Handler"))


def named(function: FunctionFacts, _facts: Facts) -> Complaints:
    """AWS's client splits at the last dot; ours takes both forms."""
    if function.client == "aws" and not function.image and ":" in function.handler:
        write = f"Write {deployed(function.handler)}."
        message = (
            f"expected MODULE.NAME on AWS's runtime, but got {function.handler}, which only Lambent's runtime takes. "
            f"{'Give it a name in the module.' if nested(function.handler) else write}"
        )
        yield Complaint(message, function.at("Handler"))


def callable_by_aws(function: FunctionFacts, _facts: Facts) -> Complaints:
    """AWS's client calls `handler(event, context)`, and encodes what comes back."""
    measured = function.measured
    if function.client != "aws" or measured is None or measured.error:
        return
    made = {
        "application": "an ASGI application. Wrap it: handler = Lambent(app)",
        "coroutine": "an async function, whose coroutine it cannot encode. Make it sync",
        "generator": "an async generator, which it cannot run",
    }
    if what := made.get(measured.kind):
        wrapper = f"set {WRAPPER}={TASK}{SCRIPT}"
        message = f"expected a function of an event and a context on AWS's runtime, but got {what}; or {wrapper}."
        yield Complaint(message, function.at("Handler"))


def wrapper_path(function: FunctionFacts, _facts: Facts) -> Complaints:
    """The script must be where the variable says, or the function exits with 127."""
    wrapper, place = function.wrapper, function.at(f"Environment.{WRAPPER}")
    ours = "lambent" in wrapper.lower() or wrapper.endswith("/exec/wrapper")
    archive = function.archive
    if archive and wrapper.startswith(TASK):
        if wrapper.removeprefix(TASK) not in archive.names:
            lies = next((f"{TASK}{name}" for name in sorted(archive.names) if ours and name.endswith(SCRIPT)), "")
            why = ": is lambent among the dependencies?" if ours else "."
            what = f"it is {lies}" if lies else f"the script is not in it{why}"
            yield Complaint(f"expected {wrapper} to be in {archive.path}, but {what}", place)
        return
    if not ours:  # there is none, or it is somebody else's
        return
    match = LAYERED.fullmatch(wrapper) or IMAGED.fullmatch(wrapper)
    if match is None and wrapper != TASK + SCRIPT:
        yield Complaint(f"expected {KNOWN}, but got {wrapper}, which does not exist on AWS.", place)
    elif match and match["version"] and function.python and match["version"] != function.python:
        message = f"expected the folder of Python {function.python}, but got that of {match['version']}: {wrapper}"
        yield Complaint(message, place)


def wrapper_executable(function: FunctionFacts, _facts: Facts) -> Complaints:
    """Without the bit the function exits with 126."""
    archive = function.archive
    if archive and function.client == "lambent" and function.wrapper.startswith(TASK):
        name = function.wrapper.removeprefix(TASK)
        if name in archive.names and name not in archive.executable:
            message = f"expected {name} to be executable, but it has lost that. Make the zip by `lambent build`."
            yield Complaint(message, Place(archive.path))


def wrapper_runtime(function: FunctionFacts, _facts: Facts) -> Complaints:
    """OS-only runtimes start `bootstrap`, and nothing reads the variable."""
    if function.wrapper and function.runtime.startswith("provided"):
        message = f"{WRAPPER} means nothing on {function.runtime}, which starts `bootstrap`. Leave it out."
        yield Complaint(message, function.at(f"Environment.{WRAPPER}"))


def why_lambent(function: FunctionFacts) -> str:
    """Why it must be there, as far as that is known; empty if it need not."""
    if function.wrapper.endswith(SCRIPT) and function.wrapper.startswith(TASK):
        return f"{WRAPPER} names its script"
    return f"{function.handler} is made by it" if function.measured and function.measured.kind in NEEDING else ""


def lambent_missing(function: FunctionFacts, _facts: Facts) -> Complaints:
    archive, why = function.archive, why_lambent(function)
    if not archive or not why or function.layers:
        return
    if not any(name.startswith("lambent/") or "/lambent/" in name for name in archive.names):
        yield Complaint(f"expected lambent in {archive.path}, but it is not there, and {why}.", Place(archive.path))


def lambent_undeclared(function: FunctionFacts, facts: Facts) -> Complaints:
    """It is installed here, but other tools would not take it along."""
    why = why_lambent(function)
    if function.archive or function.layers or function.image or not why:
        return
    if facts.needs is not None and "lambent" not in facts.needs:
        message = (
            f"expected lambent among the dependencies, but it is not there, and {why}. Add it: only `lambent build` "
            "takes it along without that."
        )
        yield Complaint(message, facts.needs_place)


def errors_answered(function: FunctionFacts, _facts: Facts) -> Complaints:
    """A deployment that looks at the function's errors sees none."""
    measured = function.measured
    if function.watched and measured and measured.kind == "lambent" and measured.errors == "respond":
        message = (
            "a deployment that goes back on errors sees none: what the application raises is answered with 500. "
            'Give Lambent errors="raise", or alarm on the door\'s 5xx.'
        )
        yield Complaint(message, function.at("DeploymentPreference"))
