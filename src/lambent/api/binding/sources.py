"""Parameters of functions, and where in a request their values lie: by markers, by names, by annotations. Pure."""

from __future__ import annotations

from lambent.api.markers import Depends, Marker, is_of_fastapi
from lambent.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from inspect import Parameter, Signature
    from typing import Any

    from lambent.api.markers import Bounds

REQUIRED: Any = ...
"""There is no default."""

_GIVEN = {
    ("lambent.api.request", "Request"): "request",
    ("lambent.api.responses", "Response"): "response",
    ("lambent.api.responses", "BackgroundTasks"): "background",
}


class Wanted:
    """One parameter.

    - `source`: as in Parameter of the model; `depends` for what a function makes; `request`, `response`, `context` and
      `background` for what is given as it is
    - `depends`: the function
    - `annotation`: without markers
    - `bounds`: of all its markers
    - `keyword`: it is given by its name
    """

    __slots__ = ("annotation", "bounds", "default", "depends", "keyword", "marker", "name", "source")

    def __init__(self, parameter: Parameter) -> None:
        annotation: Any = parameter.annotation
        self.name = parameter.name
        self.keyword = parameter.kind is parameter.KEYWORD_ONLY
        self.annotation = REQUIRED if annotation is parameter.empty else _unmarked(annotation)
        self.marker: Marker | None = None
        self.bounds: Bounds | None = None
        self.depends: Depends | None = None
        for each in getattr(annotation, "__metadata__", ()):
            self._mark(each)
        self._mark(parameter.default)
        self.default = self._default(parameter)
        self.source = self._marked()

    def _marked(self) -> str:
        """What is said of its source; empty for nothing."""
        if self.depends is not None:
            return "depends"
        return "" if self.marker is None else self.marker.source

    def _default(self, parameter: Parameter) -> Any:
        """The function's, else the marker's."""
        if parameter.default is not parameter.empty and not isinstance(parameter.default, Marker | Depends):
            return parameter.default
        return REQUIRED if self.marker is None else self.marker.default

    def _mark(self, said: Any) -> None:
        """A class does for what is made of it without more: `Annotated[str, Header]`."""
        if isinstance(said, type) and issubclass(said, Marker | Depends):
            said = said()
        if isinstance(said, Depends):
            self.depends = said
        elif isinstance(said, Marker):
            self.marker = said
            self.bounds = said.bounds if self.bounds is None else self.bounds & said.bounds

    @property
    def wire(self) -> str:
        """Its name in the request."""
        if self.marker is not None and self.marker.alias:
            return self.marker.alias.lower() if self.source == "header" else self.marker.alias
        return self.name.replace("_", "-").lower() if self.source == "header" else self.name

    @property
    def required(self) -> bool:
        return self.default is REQUIRED


def _unmarked(annotation: Any) -> Any:
    said = getattr(annotation, "__metadata__", ())
    rest = [each for each in said if not isinstance(each, Marker)]
    if len(rest) == len(said):
        return annotation
    from typing import Annotated

    return Annotated[(annotation.__origin__, *rest)] if rest else annotation.__origin__


def wanted(function: Callable[..., Any], signature: Signature, variables: Collection[str]) -> list[Wanted]:
    """What a function's parameters are made of; what a `partial` has set already is not among them: it is no default.

    Raises ConfigurationError.
    """
    set_already = _set_already(function)
    found = []
    for parameter in signature.parameters.values():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD) or parameter.name in set_already:
            continue
        _check_own(function, parameter)
        each = Wanted(parameter)
        _check(function, each)
        if not each.source:
            each.source = _source(each, variables)
        if each.source == "path":
            _check_variable(function, each, variables)
        found.append(each)
    return found


def _set_already(function: Any) -> set[str]:
    from functools import partial

    names: set[str] = set()
    while isinstance(function, partial) or hasattr(function, "__wrapped__"):
        if isinstance(function, partial):
            names |= set(function.keywords)
        function = function.func if isinstance(function, partial) else function.__wrapped__
    return names


def _source(wanted: Wanted, variables: Collection[str]) -> str:
    """Without a marker."""
    from inspect import Parameter

    from lambent.api.binding.models import is_document
    from lambent.functions import bare, is_context

    if wanted.name in variables:
        return "path"
    if is_context(wanted.name, Parameter.empty if wanted.annotation is REQUIRED else bare(wanted.annotation)):
        return "context"
    kind = bare(wanted.annotation)
    given = _given(kind)
    if given:
        return given
    if is_upload(kind):
        return "file"
    return "body" if is_document(wanted.annotation) else "either"


def _given(kind: Any) -> str:
    home, name = getattr(kind, "__module__", ""), getattr(kind, "__name__", "")
    return next(
        (given for (module, known), given in _GIVEN.items() if name == known and home.startswith(module)),
        "",
    )


def is_upload(annotation: Any) -> bool:
    """An UploadFile, or an array of them."""
    from lambent.functions import bare

    kind = bare(annotation)
    if getattr(kind, "__name__", "") == "UploadFile" and getattr(kind, "__module__", "") == "lambent.api.uploads":
        return True
    return not isinstance(kind, type) and any(is_upload(each) for each in getattr(kind, "__args__", ()))


def _check_own(function: Callable[..., Any], parameter: Parameter) -> None:
    """One of FastAPI may stand beside one of ours, of a function that both serve; but not as the default."""
    metadata = getattr(parameter.annotation, "__metadata__", ())
    is_ours = any(map(_is_own, (*metadata, parameter.default)))
    for each in (*(() if is_ours else metadata), parameter.default):
        if is_of_fastapi(each):
            from lambent.functions import place

            raise ConfigurationError(
                f"The parameter {parameter.name!r} of {place(function)} is marked with a {type(each).__name__} of "
                f"FastAPI: take {type(each).__name__} from lambent.api."
            )


def _is_own(said: object) -> bool:
    return issubclass(said if isinstance(said, type) else type(said), Marker | Depends)


def _check(function: Callable[..., Any], wanted: Wanted) -> None:
    if wanted.marker is not None and wanted.depends is not None:
        raise _wrong(function, wanted, f"is marked with {type(wanted.marker).__name__} and with Depends: take one")


def _check_variable(function: Callable[..., Any], wanted: Wanted, variables: Collection[str]) -> None:
    if wanted.wire not in variables:
        there = f"has {', '.join(variables)}" if variables else "has none"
        raise _wrong(function, wanted, f"is to be the variable {wanted.wire!r} of the path, which {there}")


def _wrong(function: Callable[..., Any], wanted: Wanted, what: str) -> ConfigurationError:
    from lambent.functions import place

    return ConfigurationError(f"The parameter {wanted.name!r} of {place(function)} {what}.")
