"""Memory and time, as they were measured on this machine. Pure."""

from __future__ import annotations

from lambent.doctor.model import Complaint, Complaints, Facts, FunctionFacts, Measured

ROOM = 1.25
"""How much more than what it has after its init a function should have."""
INIT, INIT_WARNED = 10.0, 5.0
"""Seconds that Lambda gives an init, and those that are worth a word: its vCPUs are slower than most laptops."""

HEAVY = 300.0
"""Milliseconds from which on any import is worth a word."""
LAZY = {
    "boto3": "import it in the function that uses it; lambent.stores and Connections need none",
    "botocore": "import it in the function that uses it",
    "aiobotocore": "import it in the function that uses it",
    "aioboto3": "import it in the function that uses it",
    "aws_xray_sdk": "AWS ends its support; OpenTelemetry's API takes its place",
    "numpy": "import it in the function that uses it",
    "pandas": "import it in the function that uses it",
    "pkg_resources": "importlib.metadata is in the standard library, and fast",
    "requests": "httpx is async, and imports faster",
    "sqlalchemy": "import dialects only where they are used",
}
"""Packages that are known to be slow to import, and what to do instead."""
FRAMEWORKS = frozenset(
    "aiohttp blacksheep bottle django falcon fastapi flask litestar mcp quart robyn sanic starlette strawberry".split()
)
"""Packages that applications are made of: nothing is won by importing them later."""
LAZY_FROM = 50.0
"""Milliseconds from which on they are worth a word."""


def loaded(function: FunctionFacts) -> Measured | None:
    return function.measured if function.measured and not function.measured.error else None


def memory(function: FunctionFacts, _facts: Facts) -> Complaints:
    measured = loaded(function)
    if measured and measured.peak > function.memory:
        message = (
            f"expected a MemorySize of {measured.peak * ROOM:.0f} MB or more, not {function.memory}: to load it took "
            f"{measured.peak:.0f} MB here, and Lambda ends what takes more than it has."
        )
        yield Complaint(message, function.at("MemorySize"))


def memory_little(function: FunctionFacts, _facts: Facts) -> Complaints:
    measured = loaded(function)
    if measured and measured.peak <= function.memory < measured.peak * ROOM:
        message = (
            f"expected a MemorySize of {measured.peak * ROOM:.0f} MB or more, not {function.memory}: to load it took "
            f"{measured.peak:.0f} MB here, which leaves little for requests."
        )
        yield Complaint(message, function.at("MemorySize"))


def init(function: FunctionFacts, _facts: Facts) -> Complaints:
    measured = loaded(function)
    if measured and measured.seconds > INIT:
        message = f"expected an init of {INIT:g} seconds at most, but loading it took {measured.seconds:.1f} here."
        yield Complaint(message, function.at("Handler"))


def init_slow(function: FunctionFacts, _facts: Facts) -> Complaints:
    measured = loaded(function)
    if measured and INIT_WARNED < measured.seconds <= INIT:
        message = f"loading it took {measured.seconds:.1f} seconds here; Lambda ends an init after {INIT:g}."
        yield Complaint(message, function.at("Handler"))


def imports(function: FunctionFacts, _facts: Facts) -> Complaints:
    """What the function's own code imports, with all that it brings."""
    measured = loaded(function)
    for package in measured.packages if measured else ():
        advice = LAZY.get(package.name)
        if package.name not in FRAMEWORKS and package.whole >= (LAZY_FROM if advice else HEAVY):
            what = f"{package.name} takes {package.whole:.0f} ms to import with what it brings"
            by = f", by {package.by}" if package.by else ""
            end = advice or "if not each request needs it, import it in the function that does"
            yield Complaint(f"{what}{by}: {end}.", function.at("Handler"))
