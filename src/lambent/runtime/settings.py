"""The variables that the runtime goes by: Lambda's own, and those that begin with `LAMBENT_`."""

from __future__ import annotations

from typing import NamedTuple

from lambent.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


SHARE = "_LAMBENT_SLOTS"
"""The variable that tells one of several processes how many invocations at a time are its part."""


class Settings(NamedTuple):
    """What they say."""

    address: str
    """`AWS_LAMBDA_RUNTIME_API`: HOST:PORT."""
    handler: str
    """`_HANDLER`, for where no target is given."""
    concurrency: int | None
    """`AWS_LAMBDA_MAX_CONCURRENCY`: invocations at a time; None for one, as Lambda is by default.

    In one of several processes its part of them.
    """
    processes: int | None
    """`LAMBENT_PROCESSES`: that these are shared among; None where nobody says."""
    loop: str
    """`LAMBENT_LOOP`: `asyncio` or `uvloop`."""
    margin: float
    """`LAMBENT_DEADLINE_MARGIN`: seconds before the deadline in which the invocation is answered; 0 for never."""
    shutdown: float
    """`LAMBENT_SHUTDOWN_SECONDS`: from the end of the loop to that of the process."""
    extension: bool
    """`LAMBENT_EXTENSION`: whether to be registered as one, without which there is no SIGTERM."""
    snapshot: bool
    """`AWS_LAMBDA_INITIALIZATION_TYPE`: whether a snapshot is taken after init: `snap-start`."""


def read(environ: Mapping[str, str]) -> Settings:
    """Read the variables. Raises ConfigurationError, which says what was expected."""
    address = environ.get("AWS_LAMBDA_RUNTIME_API")
    if not address:
        raise ConfigurationError(
            "Expected AWS_LAMBDA_RUNTIME_API, which Lambda sets in its environments, but it is not set. "
            "To run this handler on your own machine: lambent dev TARGET. To serve it over HTTP, set PORT."
        )
    share = _count(environ, SHARE)
    return Settings(
        address,
        environ.get("_HANDLER", ""),
        share or _count(environ, "AWS_LAMBDA_MAX_CONCURRENCY"),
        1 if share else _count(environ, "LAMBENT_PROCESSES"),
        event_loop(environ),
        _seconds(environ, "LAMBENT_DEADLINE_MARGIN", "0.25"),
        _seconds(environ, "LAMBENT_SHUTDOWN_SECONDS", "0.3"),
        _flag(environ, "LAMBENT_EXTENSION", "1"),
        environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start",
    )


def event_loop(environ: Mapping[str, str]) -> str:
    """`LAMBENT_LOOP`. Raises ConfigurationError."""
    loop = environ.get("LAMBENT_LOOP") or "asyncio"
    if loop not in ("asyncio", "uvloop"):
        raise ConfigurationError(f"Expected LAMBENT_LOOP to be 'asyncio' or 'uvloop', but got {loop!r}.")
    return loop


def _count(environ: Mapping[str, str], name: str) -> int | None:
    text = environ.get(name)
    if not text:
        return None
    if not text.isdecimal() or int(text) < 1:
        raise ConfigurationError(f"Expected {name} to be a number from 1 on, but got {text!r}.")
    return int(text)


def _seconds(environ: Mapping[str, str], name: str, default: str) -> float:
    text = environ.get(name) or default
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < 900:
        raise ConfigurationError(f"Expected {name} to be seconds from 0 to 900, but got {text!r}.")
    return seconds


def _flag(environ: Mapping[str, str], name: str, default: str) -> bool:
    text = environ.get(name) or default
    if text not in ("0", "1"):
        raise ConfigurationError(f"Expected {name} to be '0' or '1', but got {text!r}.")
    return text == "1"
