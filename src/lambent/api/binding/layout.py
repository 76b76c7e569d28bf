"""A function and its dependencies, as steps: what of the body is whose is known only when all parameters are."""

from __future__ import annotations

from lambent.api.binding.steps import GIVEN, Result
from lambent.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from typing import Any

    from lambent.api.binding.dependencies import Function
    from lambent.api.binding.reading import Reading
    from lambent.api.binding.sources import Wanted
    from lambent.api.binding.steps import Give
    from lambent.api.markers import Depends
    from lambent.api.model import Parameter

    Prepare = Callable[[Reading], Awaitable[bytes]]


class Call:
    """A function, what makes its arguments, and the places of those that must have been called before it."""

    __slots__ = ("function", "named", "needs", "positional")

    def __init__(self, function: Callable[..., Any], needs: Sequence[int]) -> None:
        self.function = function
        self.needs = tuple(needs)
        self.positional: list[Give] = []
        self.named: list[tuple[str, Give]] = []


class Layout:
    """All calls, the last one the function's own. Raises ConfigurationError.

    - `prepare`: reads what is needed of the body, and gives it where it is JSON
    - `known`: the fields that the body may have; None: any

    The body is taken whole by the one parameter that is a document, or by its fields, where there are more of these, or
    none but plain ones. Where it is taken whole, or is a form, plain parameters are the query's only. A function that
    takes the request may read fields of its own.
    """

    __slots__ = ("calls", "is_generator", "known", "parameters", "prepare", "returns")

    def __init__(
        self,
        function: Callable[..., Any],
        variables: Sequence[str],
        dependencies: Sequence[Depends],
        overrides: Mapping[Callable[..., Any], Callable[..., Any]],
    ) -> None:
        from lambent.api.binding.calling import is_generator
        from lambent.api.binding.dependencies import Gathering

        gathering = Gathering(variables, overrides)
        for each in dependencies:
            gathering.depend(each)
        own = gathering.read(function)
        functions = [*gathering.functions, own]
        every = [each for one in functions for each in one.wanted]
        bodies = _named(every, "body")
        embedded = len(bodies) > 1 or any(getattr(each.marker, "embed", False) for each in bodies.values())
        self._settle(function, every, is_whole=bool(bodies) and not embedded)
        self.parameters: tuple[Parameter, ...] = ()
        self.calls = [self._call(each, every, embedded=embedded) for each in functions]
        self.prepare = _preparation(every)
        by_field = _named(every, "either") | (bodies if embedded else {})
        takes_request = any(each.source == "request" for each in own.wanted)
        self.known = frozenset(by_field) if by_field and not takes_request else None
        told: Any = own.signature.return_annotation
        self.returns: Any = ... if told is own.signature.empty else told
        self.is_generator = is_generator(function)

    def _settle(self, function: Callable[..., Any], every: Sequence[Wanted], *, is_whole: bool) -> None:
        is_form = any(each.source in ("form", "file") for each in every)
        if is_form and any(each.source == "body" for each in every):
            from lambent.functions import place

            names = ", ".join(each.name for each in every if each.source in ("body", "form", "file"))
            raise ConfigurationError(
                f"{place(function)} wants a form and JSON of one body: {names}. Mark all of them with Form or File, "
                "or none."
            )
        if is_form or is_whole:
            for each in every:
                if each.source == "either":
                    each.source = "query"

    def _call(self, one: Function, every: Sequence[Wanted], *, embedded: bool) -> Call:
        call = Call(one.function, tuple(one.needs.values()))
        for each in one.wanted:
            give = self._give(one, each, every, embedded=embedded)
            if each.keyword:
                call.named.append((each.name, give))
            else:
                call.positional.append(give)
        return call

    def _give(self, one: Function, wanted: Wanted, every: Sequence[Wanted], *, embedded: bool) -> Give:
        if wanted.source == "depends":
            return Result(one.needs[wanted.name]).give
        if wanted.source in GIVEN:
            return GIVEN[wanted.source]
        from lambent.api.binding.arguments import argument

        try:
            give, told = argument(wanted, every, embedded=embedded)
        except ConfigurationError as error:
            from lambent.functions import place

            raise ConfigurationError(f"The parameter {wanted.name!r} of {place(one.function)}: {error}") from error
        self.parameters += (told,)
        return give


def _named(every: Sequence[Wanted], source: str) -> dict[str, Wanted]:
    """By their names in the request: two functions may want the same."""
    return {each.wire: each for each in every if each.source == source}


def _preparation(every: Sequence[Wanted]) -> Prepare | None:
    from lambent.api.binding.bodies import FormBody, JsonBody

    forms = [each for each in every if each.source in ("form", "file")]
    if forms:
        from lambent.api.binding.files import is_contents

        contents = [each.wire for each in forms if each.source == "file" and is_contents(each.annotation)]
        return FormBody(contents, required=any(each.required for each in forms)).prepare
    documents = [each for each in every if each.source in ("body", "either")]
    if documents:
        return JsonBody(required=any(each.source == "body" and each.required for each in documents)).prepare
    return None
