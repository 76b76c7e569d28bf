"""What does not fit in a request, as the client is told. Pure."""

from __future__ import annotations

from lambent.api.model import Problem
from lambent.errors import DecodingError
from lambent.values.mismatch import Mismatch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    Place = tuple[str | int, ...]

MOST = 100
"""Problems that are told of one request: an answer is not to be much longer than what it answers."""

LONGEST = 100
"""Characters of a key in a place."""

REFUSED = (Mismatch, DecodingError, RecursionError)
"""What is raised for values that do not fit."""


def problems(place: Place, error: Exception) -> list[Problem]:
    """Of what was raised for the value at this place: one for each that its library tells."""
    if isinstance(error, Mismatch):
        return [_problem(place, each) for each in error.all()]
    if isinstance(error, DecodingError):
        return [Problem(place, str(error))]
    return [Problem(place, "Expected a value that is not nested so deeply.")]


def missing(place: Place) -> Problem:
    return Problem(place, "Expected a value, but it is missing.", "missing")


def unexpected(place: Place) -> Problem:
    return Problem(_cut(place), "Expected no such field.", "unexpected")


def limited(found: Sequence[Problem]) -> list[Problem]:
    """The first ones, and how many there are more."""
    if len(found) <= MOST:
        return list(found)
    return [*found[:MOST], Problem(found[MOST].place[:1], f"There are {len(found) - MOST} more problems.")]


def _problem(place: Place, error: Mismatch) -> Problem:
    inner = (*place, *reversed(error.steps), *_unnamed(error))
    if error.code == "missing":
        return missing(_cut(inner))
    if error.code == "unexpected":
        return unexpected(inner)
    return Problem(_cut(inner), f"{error.words.rstrip('.')}." if error.words else _sentence(error), error.code)


def _sentence(error: Mismatch) -> str:
    return f"Expected {error.expected.replace('valid (', 'a valid value (', 1)}, but {error.came}."


def _unnamed(error: Mismatch) -> tuple[str, ...]:
    """Of msgspec, which tells of a missing field, and of one too many, at the object that it is missing in."""
    if error.code == "invalid" or not error.words.startswith("Object "):
        return ()
    return (error.words.partition("`")[2].rpartition("`")[0],)


def _cut(place: Place) -> Place:
    return tuple(step[:LONGEST] if isinstance(step, str) else step for step in place)
