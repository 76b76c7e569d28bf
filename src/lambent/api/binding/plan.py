"""How a function is called with what a request has: read from its signature, and compiled to steps, once."""

from __future__ import annotations

from lambent.api.binding.problems import limited
from lambent.api.binding.reading import Reading
from lambent.api.exceptions import RequestInvalid
from lambent.api.json_body import ESCAPE, check_texts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from lambent.api.binding.steps import Give
    from lambent.api.binding.workers import Workers
    from lambent.api.markers import Depends
    from lambent.api.model import Exchange, Parameter

    Overrides = Mapping[Callable[..., Any], Callable[..., Any]]

MARK = b"\xef\xbb\xbf"
"""A byte order mark before JSON, which its readers may ignore (RFC 8259, 8.1)."""


class Plan:
    """A function that can be called with an exchange.

    - `variables`: names of the path's variables
    - `dependencies`: that are called before it, and whose results nobody wants
    - `overrides`: functions that are called in the place of others
    - `workers`: threads for sync functions; its own unless given

    Raises ConfigurationError for what cannot be called with what a request has.
    """

    __slots__ = (
        "_call",
        "_known",
        "_named",
        "_positional",
        "_prepare",
        "_steps",
        "is_generator",
        "parameters",
        "returns",
    )

    def __init__(
        self,
        function: Callable[..., Any],
        variables: Sequence[str] = (),
        dependencies: Sequence[Depends] = (),
        overrides: Overrides | None = None,
        *,
        workers: Workers | None = None,
    ) -> None:
        from lambent.api.binding.calling import Dependency, caller
        from lambent.api.binding.layout import Layout
        from lambent.api.binding.workers import Workers

        layout = Layout(function, variables, dependencies, overrides or {})
        workers = workers or Workers()
        self.parameters: tuple[Parameter, ...] = layout.parameters
        """Of the dependencies, in the order in which they are called, and of the function."""
        self.returns: Any = layout.returns
        """What the function says that it returns; `...` for nothing said."""
        self.is_generator = layout.is_generator
        self._prepare = layout.prepare
        self._known = layout.known
        *steps, last = layout.calls
        self._steps = [Dependency(each, workers) for each in steps]
        self._positional = last.positional
        self._named = last.named
        self._call = caller(last.function, workers)

    async def call(self, exchange: Exchange) -> object:
        """What the function returns; a generator's generator. Raises RequestInvalid, HTTPException, and what it raises.

        Dependencies are called though arguments of others do not fit: one that refuses the client comes first.
        """
        reading = Reading(exchange)
        if self._prepare is not None:
            raw = await self._prepare(reading)
            reading.raw = raw[3:] if raw[:3] == MARK else raw
            if ESCAPE in raw:
                check_texts(raw)
        if self._steps:
            results = reading.results = []
            for step in self._steps:
                results.append(await step.call(reading, results))
        arguments = []
        for give in self._positional:
            arguments.append(give(reading))  # noqa: PERF401 - before Python 3.12 a comprehension is a call
        named = given(reading, self._named) if self._named else None
        if self._known is not None and reading.raw:
            reading.check_fields(self._known)
        if reading.problems is not None:
            raise RequestInvalid(limited(reading.problems))
        return await (self._call(*arguments) if named is None else self._call(*arguments, **named))


def given(reading: Reading, named: Sequence[tuple[str, Give]]) -> dict[str, Any]:
    """Arguments by their names."""
    return {name: give(reading) for name, give in named}
