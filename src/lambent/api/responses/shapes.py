"""What a route returns, made to be what its annotation says: checked, and without what that does not have. Pure."""

from __future__ import annotations

import sys
from collections.abc import Collection
from types import UnionType
from typing import Any, Union, get_args, get_origin

from lambent.api.responses.json import dumps
from lambent.errors import ConfigurationError, InvalidResult
from lambent.functions import bare
from lambent.values.mismatch import Mismatch, kind
from lambent.values.validators import MSGSPEC, PYDANTIC, owner, owners

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Protocol

    class Shape(Protocol):
        """Both raise InvalidResult for a value that cannot be made to be that."""

        def plain(self, value: Any) -> Any:
            """As values that JSON has."""

        def json(self, value: Any) -> bytes: ...


def shape_of(annotation: Any, place: str) -> Shape | None:
    """None for what says no more than JSON does: without models, or a response. Raises ConfigurationError.

    - `place`: of the route, for errors
    """
    annotation = _data(annotation)
    if annotation is None or not any(map(_is_model, _parts(annotation, set()))):
        return None
    found = owners(annotation)
    try:
        if found == {PYDANTIC} and not any(get_origin(each) is Collection for each in _parts(annotation, set())):
            return _Pydantic(annotation, place)
        if found == {MSGSPEC}:
            return _Msgspec(annotation, place)
        return _Structure(annotation, place)
    except ConfigurationError:
        raise
    except Exception as error:
        raise ConfigurationError(f"{place} cannot return {annotation!r:.200}: {error}") from error


_ARRAYS = (
    "list",
    "tuple",
    "set",
    "frozenset",
    "deque",
    "Set",
    "MutableSet",
    "Sequence",
    "MutableSequence",
    "Collection",
)


def item_of(annotation: Any) -> Any:
    """What an iterator gives of which an array or an iterator is said; None for what is neither."""
    annotation = bare(_data(annotation))
    args = get_args(annotation)
    several = len(args) == 1 or args[1:] == (...,)
    is_array = several and getattr(get_origin(annotation), "__name__", "") in _ARRAYS
    return args[0] if is_array or _is_stream(annotation) else None


def value_of(annotation: Any) -> Any:
    """What is sent as a value: of an iterator's annotation, an array."""
    kind = bare(_data(annotation))
    return list[get_args(kind)[0]] if _is_stream(kind) else annotation  # type: ignore[misc]  # made at run time


def _is_stream(kind: Any) -> bool:
    return getattr(get_origin(kind), "__name__", "").endswith(("Iterator", "Iterable", "Generator"))


def _data(annotation: Any) -> Any:
    """Without the responses in a union: those are sent as they are. None where nothing is left."""
    if get_origin(annotation) in (Union, UnionType):
        left = [each for each in get_args(annotation) if not _is_response(each)]
        return Union[tuple(left)] if left else None  # noqa: UP007 - of those that there are
    return None if _is_response(annotation) else annotation


def _is_response(annotation: Any) -> bool:
    """Ours, or an ASGI application such as Starlette's."""
    if not isinstance(annotation, type):
        return False
    return not _is_model(annotation) and any("__call__" in vars(each) for each in annotation.__mro__)


def _parts(annotation: Any, seen: set[Any]) -> Iterator[Any]:
    """An annotation, and what is in it.

    - `seen`: aliases that have been looked into; `type Name = ...` may have itself in it
    """
    yield annotation
    origin, inner = get_origin(annotation), getattr(annotation, "__supertype__", None)
    alias = annotation if origin is None else origin
    if hasattr(alias, "__value__") and alias not in seen:
        seen.add(alias)
        inner = alias.__value__
    for each in (origin, inner, *get_args(annotation)):
        if each is not None:
            yield from _parts(each, seen)


def _is_model(annotation: Any) -> bool:
    if owner(annotation) or hasattr(annotation, "__dataclass_fields__"):
        return True
    return isinstance(annotation, type) and (
        hasattr(annotation, "__required_keys__") or hasattr(annotation, "_field_defaults")
    )


def _refused(place: str, told: str) -> InvalidResult:
    return InvalidResult(f"{place} returned what is not what its annotation says. {told}", "Function.InvalidResult")


class _Pydantic:
    """By a TypeAdapter: an instance, of a subclass too, is written as it is, with the fields of the annotation."""

    __slots__ = ("_adapter", "_class", "_failure", "_place")

    def __init__(self, annotation: Any, place: str) -> None:
        pydantic = sys.modules[PYDANTIC]
        self._adapter = pydantic.TypeAdapter(annotation)
        self._failure = pydantic.ValidationError
        self._class = annotation if isinstance(annotation, type) else ()
        self._place = place

    def json(self, value: Any) -> bytes:
        written: bytes = self._adapter.dump_json(self._valid(value), by_alias=True)
        return written

    def plain(self, value: Any) -> Any:
        return self._adapter.dump_python(self._valid(value), mode="json", by_alias=True)

    def _valid(self, value: Any) -> Any:
        if isinstance(value, self._class):
            return value
        try:
            return self._adapter.validate_python(value, from_attributes=True)
        except self._failure as error:
            raise _refused(self._place, _told(error)) from None


def _told(error: Any) -> str:
    """Places and codes: the words of errors may have the value in them."""
    found = error.errors(include_url=False, include_input=False, include_context=False)
    return "; ".join(f"${''.join(f'[{each!r}]' for each in one['loc'])}: {one['type']}" for one in found[:5])


class _Msgspec:
    """Instances are taken apart and made anew: msgspec takes one of a subclass as it is, with what that has more."""

    __slots__ = ("_annotation", "_place")

    def __init__(self, annotation: Any, place: str) -> None:
        sys.modules[MSGSPEC].json.Decoder(annotation)  # raises for what it cannot
        self._annotation = annotation
        self._place = place

    def json(self, value: Any) -> bytes:
        return dumps(self._made(value))

    def plain(self, value: Any) -> Any:
        return sys.modules[MSGSPEC].to_builtins(self._made(value))

    def _made(self, value: Any) -> Any:
        msgspec = sys.modules[MSGSPEC]
        try:
            try:
                apart = msgspec.to_builtins(value)
            except TypeError:  # something has attributes only
                apart = msgspec.to_builtins(msgspec.convert(value, self._annotation, from_attributes=True))
            return msgspec.convert(apart, self._annotation)
        except msgspec.MsgspecError as error:
            raise _refused(self._place, str(error)) from None


class _Structure:
    """By its fields; models in it as their libraries have them."""

    __slots__ = ("_convert", "_place")

    def __init__(self, annotation: Any, place: str) -> None:
        from lambent.api.responses.structures import Structures

        self._convert = Structures(_within).build(annotation)
        self._place = place

    def json(self, value: Any) -> bytes:
        return dumps(self.plain(value))

    def plain(self, value: Any) -> Any:
        try:
            return self._convert(value)
        except Mismatch as error:
            raise _refused(self._place, str(error)) from None
        except RecursionError:
            raise _refused(self._place, "It is nested too deeply, or has itself in it.") from None


def _within(annotation: Any) -> Callable[[Any], Any]:
    """A model that stands in something else."""
    of_pydantic = owners(annotation) == {PYDANTIC}
    shape = _Pydantic(annotation, "") if of_pydantic else _Msgspec(annotation, "")

    def convert(value: Any) -> Any:
        try:
            return shape.plain(value)
        except InvalidResult:
            raise Mismatch(
                f"what makes a {getattr(annotation, '__name__', annotation)}", f"got {kind(value)}"
            ) from None

    return convert
