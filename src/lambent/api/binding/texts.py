"""Texts → values: of paths, queries, headers, cookies and forms, where all is text. Pure.

| annotation | text |
|---|---|
| str, Any, none at all | as it is |
| int | decimal digits, with a minus before them or not |
| float, Decimal | a finite number |
| bool | true, 1, yes, on, false, 0, no, off; in any case |
| Enum, Literal | a value of it |
| datetime, date, time, UUID | ISO 8601, a UUID |
| bytes | base64, as in JSON |
| Union | the strictest member that takes it, `str` last; None takes none |
| list, set, frozenset, tuple, and what they implement | all texts of a repeated name |
| types of pydantic and msgspec, and what is said beside a type with their Field and Meta | as they say, not strictly |
"""

from __future__ import annotations

from lambent.values.mismatch import Mismatch, joined

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Mapping, Sequence
    from typing import Any

    from lambent.values.mismatch import Convert

LONGEST = 4000
"""Digits of a number: what makes integers of text takes the square of their time."""

_TRUTHS = dict.fromkeys(("true", "1", "yes", "on"), True) | dict.fromkeys(("false", "0", "no", "off"), False)

_RANKS = ("Literal", "Enum", "UUID", "int", "datetime", "date", "time", "Decimal", "float", "bool", "", "bytes", "str")
"""Members of a union in the order in which they are tried; those that are not named here are in the place of ""."""


class Reader:
    """How texts become a value.

    - `convert`: of one text, or of a list of them if it takes `many`. Raises Mismatch
    - `rank`: among the members of a union
    """

    __slots__ = ("convert", "many", "rank")

    def __init__(self, convert: Convert, many: bool = False, rank: str = "") -> None:
        self.convert = convert
        self.many = many
        self.rank = rank

    def of_list(self, texts: Any) -> Any:
        """Of one text the last: of a name that is repeated, the last counts."""
        return self.convert(texts if self.many else texts[-1])


def reader(annotation: Any) -> Reader:
    """Raises ConfigurationError for what is not made of text."""
    simple = _SIMPLE.get(annotation) if isinstance(annotation, type) else None
    if simple is not None:
        return simple
    from lambent.values.validators import library

    models = library(annotation)
    if models is not None:
        return Reader(models.spell, is_many(annotation))
    return _built(annotation)


def is_many(annotation: Any) -> bool:
    """Whether it takes all texts of a repeated name."""
    from lambent.functions import bare

    annotation = bare(annotation)
    args = getattr(annotation, "__args__", ())
    if is_union(annotation):
        return any(is_many(each) for each in args)
    return _array(annotation) is not None


def _built(annotation: Any) -> Reader:
    from typing import Annotated, Any, Literal, NewType, TypeVar, get_args, get_origin

    origin = get_origin(annotation)
    if annotation in (Any, object) or annotation is Ellipsis:
        return _SIMPLE[str]
    if isinstance(annotation, TypeVar):
        return reader(annotation.__bound__ or str)
    if isinstance(annotation, NewType):
        return reader(annotation.__supertype__)
    if origin is None and hasattr(annotation, "__value__"):  # `type Name = ...`
        return _of_alias(annotation)
    if origin is Annotated:
        return _bounded(reader(get_args(annotation)[0]), annotation.__metadata__)
    if origin is Literal:
        return _among(get_args(annotation), "Literal")
    if is_union(annotation):
        return _union([reader(each) for each in get_args(annotation) if each is not type(None)])
    if _array(annotation) is not None:
        return _several(annotation, get_args(annotation))
    return _scalar(annotation)


def _of_alias(alias: Any) -> Reader:
    try:
        return reader(alias.__value__)
    except RecursionError:
        from lambent.errors import ConfigurationError

        raise ConfigurationError(f"Nothing is made of text for {alias!r:.200}, which has itself in it.") from None


def _bounded(found: Reader, said: Iterable[Any]) -> Reader:
    """With what markers say of it that stand within the annotation: `list[Annotated[int, Query(ge=1)]]`."""
    from lambent.api.markers import Marker

    convert = found.convert
    for each in said:
        if isinstance(each, Marker):
            convert = each.__lambent_bounded__(convert)
    return Reader(convert, found.many, found.rank)


def is_union(annotation: Any) -> bool:
    from types import UnionType
    from typing import Union, get_origin

    return get_origin(annotation) in (Union, UnionType)


def _array(annotation: Any) -> Any:
    """What makes an array's values of a list; None for what is no array."""
    import collections.abc as of

    origin = getattr(annotation, "__origin__", annotation)
    arrays = (
        ((list, of.Sequence, of.MutableSequence, of.Iterable, of.Collection), list),
        ((set, of.Set, of.MutableSet), set),
        ((frozenset,), frozenset),
        ((tuple,), tuple),
    )
    return next((make for kinds, make in arrays if any(origin is each for each in kinds)), None)


def _scalar(annotation: Any) -> Reader:
    from enum import Enum

    from lambent.values.scalars import scalar

    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return _among(list(annotation), "Enum", annotation)
    convert = scalar(annotation)
    if convert is None or annotation in (None, type(None)):
        from lambent.values.convert import unsuitable

        raise unsuitable(annotation)
    name = annotation.__name__
    return Reader(_spelled(convert) if name == "Decimal" else convert, rank=name)


# One text


def _text(text: str) -> str:
    return text


TEXT = _text
"""What changes nothing."""


def _integer(text: str) -> int:
    digits = text[1:] if text[:1] == "-" else text
    if digits.isdecimal() and digits.isascii() and len(digits) <= LONGEST:
        return int(text)
    raise Mismatch("an integer", "the text is not one")


def _is_number(text: str) -> bool:
    """Whether there is nothing in it that Python takes, and others do not: underscores, spaces, other digits."""
    return text.isascii() and len(text) <= LONGEST and "_" not in text and text.strip() == text


def _floating(text: str) -> float:
    if _is_number(text):
        try:
            number = float(text)
        except ValueError:
            pass
        else:
            if number - number == 0:  # neither infinite nor none
                return number
    raise Mismatch("a number", "the text is not one")


def _spelled(convert: Convert) -> Convert:
    def converted(text: str) -> Any:
        if _is_number(text):
            return convert(text)
        raise Mismatch("a decimal number", "the text is not one")

    return converted


def _boolean(text: str) -> bool:
    found = _TRUTHS.get(text.lower()) if len(text) <= 5 else None
    if found is None:
        raise Mismatch("true or false", "the text is neither")
    return found


_SIMPLE: Mapping[Any, Reader] = {
    str: Reader(_text, rank="str"),
    int: Reader(_integer, rank="int"),
    float: Reader(_floating, rank="float"),
    bool: Reader(_boolean, rank="bool"),
}


def _among(members: Sequence[Any], rank: str, wanted: Any = None) -> Reader:
    """By the texts of values; of two with the same text, the first. An Enum may know more of them (`_missing_`)."""
    from enum import Enum

    table: dict[str, Any] = {}
    for member in members:
        raw = member.value if isinstance(member, Enum) else member
        if raw is not None:
            table.setdefault(_spelling(raw), member)
    expected = " or ".join(list(table)[:20]) or "nothing"

    def convert(text: str) -> Any:
        found = table.get(text)
        if found is None and wanted is not None:
            from contextlib import suppress

            with suppress(ValueError):
                found = wanted(text)
        if found is None:
            raise Mismatch(expected, "the text is not")
        return found

    return Reader(convert, rank=rank)


def _spelling(raw: Any) -> str:
    if isinstance(raw, bool):
        return "true" if raw else "false"
    return str(raw.isoformat() if hasattr(raw, "isoformat") else raw)


# Several


def _union(members: list[Reader]) -> Reader:
    if len(members) == 1:
        return members[0]
    members.sort(key=lambda each: _RANKS.index(each.rank) if each.rank in _RANKS else _RANKS.index(""))
    many = [each for each in members if each.many]
    single = [each for each in members if not each.many]

    def convert(texts: Any) -> Any:
        tried = members
        if many:
            tried = [*single, *many] if len(texts) == 1 else [*many, *single]
        errors = []
        for each in tried:
            try:
                return each.of_list(texts) if many else each.convert(texts)
            except Mismatch as error:
                errors.append(error)
        raise Mismatch(" or ".join(dict.fromkeys(each.expected for each in errors)), "the text is none of them")

    return Reader(convert, bool(many))


def _several(annotation: Any, args: tuple[Any, ...]) -> Reader:
    make: Callable[[list[Any]], Any] = _array(annotation)
    if make is tuple and args and args[-1] is not Ellipsis:
        return _fixed([_single(each) for each in args])
    convert = _single(args[0]) if args else _text

    def converted(texts: list[str]) -> Any:
        return make(_items([convert] * len(texts), texts))

    return Reader(converted, many=True)


def _single(annotation: Any) -> Convert:
    """An item: no array, for a request has no arrays of arrays."""
    found = reader(annotation)
    if found.many:
        from lambent.values.convert import unsuitable

        raise unsuitable(annotation)
    return found.convert


def _fixed(converts: list[Convert]) -> Reader:
    def converted(texts: list[str]) -> Any:
        if len(texts) != len(converts):
            raise Mismatch(f"{len(converts)} values", f"there are {len(texts)}")
        return tuple(_items(converts, texts))

    return Reader(converted, many=True)


def _items(converts: list[Convert], texts: list[str]) -> list[Any]:
    """With all that do not fit. What came of a form may be a file."""
    items, errors = [], []
    for index, (convert, text) in enumerate(zip(converts, texts, strict=True)):
        try:
            items.append(convert(text))
        except Mismatch as error:
            errors.append(error.within(index))
    if errors:
        raise joined(errors)
    return items


def only_text(convert: Convert, names: Container[str] | None = None) -> Convert:
    """Of what came of a form, where a field may be a file: of a text, a list of them, or a dict of either.

    - `names`: those of the dict that are looked at; None: all
    """

    def converted(value: Any) -> Any:
        _check_text(value if names is None else {name: each for name, each in value.items() if name in names})
        return convert(value)

    return converted


def _check_text(value: Any) -> None:
    if isinstance(value, list | dict):
        steps: Iterable[tuple[Any, Any]] = value.items() if isinstance(value, dict) else enumerate(value)
        for step, each in steps:
            try:
                _check_text(each)
            except Mismatch as error:
                raise error.within(step) from None
    elif not isinstance(value, str):
        raise Mismatch("a text", "got a file")
