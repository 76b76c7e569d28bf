"""A parameter → the step that makes its argument, and what is told of it. Pure."""

from __future__ import annotations

from lambent.api.binding.bounds import bounded
from lambent.api.binding.finding import finder, model_finder
from lambent.api.binding.steps import Absent, Either, Field, Model, PathText, PathVariable, Texts, Whole
from lambent.api.binding.texts import TEXT, only_text, reader
from lambent.api.model import Parameter
from lambent.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from lambent.api.binding.sources import Wanted
    from lambent.api.binding.steps import Find, Give
    from lambent.api.binding.texts import Reader
    from lambent.values.convert import Fitting
    from lambent.values.mismatch import Convert

    Made = tuple[Give, Parameter]


def argument(wanted: Wanted, every: Iterable[Wanted] = (), *, embedded: bool) -> Made:
    """`embedded`: what is of the body is a field of it; `every`: parameter of the plan.

    Raises ConfigurationError for what is not made of a request.
    """
    source = wanted.source
    if source == "path":
        return _path(wanted)
    if source == "body":
        return _field(wanted) if embedded else _whole(wanted)
    if source == "file":
        return _file(wanted)
    if source == "either":
        return _either(wanted)
    from lambent.api.binding.models import is_model
    from lambent.functions import bare

    return _model(wanted, every) if is_model(bare(wanted.annotation)) else _texts(wanted)


def parameter(wanted: Wanted, convert: Convert, *, wire: str | None = None, embedded: bool = False) -> Parameter:
    """What is told of it, for the document."""
    from typing import Any

    return Parameter(
        wanted.name,
        wanted.wire if wire is None else wire,
        wanted.source,
        Any if wanted.annotation is Ellipsis else wanted.annotation,
        convert,
        required=wanted.required,
        default=None if wanted.required else wanted.default,
        bounds=wanted.bounds or None,
        marker=wanted.marker,
        embedded=embedded,
    )


def _bounded(wanted: Wanted, convert: Convert) -> Convert:
    return bounded(convert, wanted.bounds)


def _reader(wanted: Wanted) -> Reader:
    from lambent.api.binding.models import is_document

    if is_document(wanted.annotation):
        raise ConfigurationError("Expected an annotation that is made of text, but only JSON has such: use the body.")
    return reader(wanted.annotation)


def _path(wanted: Wanted) -> Made:
    found = _reader(wanted)
    if found.many:
        raise ConfigurationError("Expected an annotation of one value, for a variable of the path has no more.")
    convert = _bounded(wanted, found.convert)
    if convert is TEXT:
        return PathText(wanted.wire).give, parameter(wanted, convert)
    return PathVariable(wanted.wire, convert).give, parameter(wanted, convert)


def _texts(wanted: Wanted) -> Made:
    """Of a form, where an empty field is one that was not filled in: it is missing, unless it is to be a text."""
    found = _reader(wanted)
    find = finder(wanted.source, wanted.wire, many=found.many)
    convert = found.convert
    if wanted.source == "form":
        convert = only_text(convert)
        if not found.many and found.rank != "str":
            find = _filled(find)
    convert = _bounded(wanted, convert)
    step = Texts((wanted.source, wanted.wire), find, convert, Absent(wanted.default))
    return step.give, parameter(wanted, convert)


def _filled(find: Find) -> Find:
    return lambda reading: find(reading) or None


def _model(wanted: Wanted, every: Iterable[Wanted]) -> Made:
    from lambent.api.binding.models import fields
    from lambent.functions import bare

    known = fields(bare(wanted.annotation), wanted.source)
    if known.is_open:
        known.taken = _taken(wanted, every)
    places = {name: wire for wire, (name, _) in known.names.items()}
    find = model_finder(wanted.source, known)
    convert = only_text(known.convert, places) if wanted.source == "form" else known.convert
    step = Model(wanted.source, find, convert, Absent(wanted.default), places)
    return step.give, parameter(wanted, convert, wire="")


def _taken(wanted: Wanted, every: Iterable[Wanted]) -> frozenset[str]:
    """The names of all other parameters that lie where this one does."""
    from lambent.api.binding.models import fields, is_model
    from lambent.functions import bare

    places = {"query": ("query", "either"), "form": ("form", "file")}.get(wanted.source, (wanted.source,))
    names: set[str] = set()
    for each in every:
        if each is not wanted and each.source in places:
            kind = bare(each.annotation)
            names |= fields(kind).names.keys() if is_model(kind) else {each.wire}
    return frozenset(names)


def _file(wanted: Wanted) -> Made:
    from lambent.api.binding.files import converter, is_contents
    from lambent.api.binding.texts import is_many

    many = is_many(wanted.annotation)
    convert = _bounded(wanted, converter(many=many))
    find = finder("contents" if is_contents(wanted.annotation) else "file", wanted.wire, many=many)
    step = Texts(("file", wanted.wire), find, convert, Absent(wanted.default))
    return step.give, parameter(wanted, convert)


def _annotation(wanted: Wanted) -> Any:
    return object if wanted.annotation is Ellipsis else wanted.annotation


def _fit(wanted: Wanted) -> Fitting:
    from lambent.values.convert import fitting

    found = fitting(_annotation(wanted))
    found.convert = _bounded(wanted, found.convert)
    return found


def _whole(wanted: Wanted) -> Made:
    """By its library at once, where one has it: what is ours need not be loaded then."""
    from lambent.values.validators import library

    models = library(_annotation(wanted))
    if models is None:
        from lambent.values.convert import fitting

        read = fitting(_annotation(wanted)).read
    else:
        read = models.read
    read = _bounded(wanted, read)
    return Whole(read, Absent(wanted.default)).give, parameter(wanted, read, wire="")


def _field(wanted: Wanted) -> Made:
    fitting = _fit(wanted)
    step = Field(wanted.wire, lambda: fitting, Absent(wanted.default))
    return step.give, parameter(wanted, fitting.convert, embedded=True)


def _either(wanted: Wanted) -> Made:
    found = _reader(wanted)
    convert = _bounded(wanted, found.convert)
    field = Field(wanted.wire, lambda: _fit(wanted), Absent(wanted.default))
    find = finder("query", wanted.wire, many=found.many)
    return Either(("query", wanted.wire), find, convert, field).give, parameter(wanted, convert)
