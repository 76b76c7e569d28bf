"""Query strings and urlencoded forms → names with their values, as browsers write them (URL Standard, 5.1)."""

from __future__ import annotations

from collections.abc import Mapping

from lambent.api.exceptions import HTTPException

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_FIELDS = 1000


class QueryParams(Mapping[str, str]):
    """The last value of each name; `getlist` has all of them."""

    __slots__ = ("_values",)

    def __init__(self, values: dict[str, list[str]]) -> None:
        self._values = values

    def getlist(self, name: str) -> list[str]:
        """All values of a name, in order; none if it is not there."""
        return list(self._values.get(name, ()))

    def multi_items(self) -> list[tuple[str, str]]:
        """Each name with each of its values: names in the order in which they came first."""
        return [(name, value) for name, values in self._values.items() for value in values]

    if not TYPE_CHECKING:  # its type is Mapping's; this one makes no exception for what is not there

        def get(self, name: str, default: object = None) -> object:
            values = self._values.get(name)
            return default if values is None else values[-1]

    def __getitem__(self, name: str) -> str:
        return self._values[name][-1]

    def __contains__(self, name: object) -> bool:
        return name in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        """Names only: values may be secret."""
        return f"{type(self).__name__}({', '.join(self)})"


EMPTY = QueryParams({})


def parse_query(query: bytes, max_fields: int = MAX_FIELDS) -> QueryParams:
    """Raises HTTPException (400) for more than `max_fields` parameters."""
    return QueryParams(fields(query, max_fields, "query parameters")) if query else EMPTY


def fields(encoded: bytes, max_fields: int, what: str) -> dict[str, list[str]]:
    """Only `&` separates; a name without `=` has an empty value; bytes that are no UTF-8 are replaced.

    Raises HTTPException (400) for more than `max_fields` of them, before it has read any.
    """
    if encoded.count(b"&") >= max_fields:
        raise HTTPException(400, f"Expected at most {max_fields} {what}.")
    if b"%" in encoded or b"+" in encoded:
        split = [each.partition(b"=") for each in encoded.split(b"&") if each]
        pairs = [(unquote(name), "", unquote(value)) for name, _, value in split]
    else:
        pairs = [each.partition("=") for each in str(encoded, "utf-8", "replace").split("&") if each]
    values: dict[str, list[str]] = {}
    for name, _, value in pairs:
        if name in values:
            values[name].append(value)
        else:
            values[name] = [value]
    return values


def unquote(encoded: bytes) -> str:
    """Text of what is percent-encoded, with `+` for spaces. What is no two hexadecimal digits stays as it is."""
    if b"+" in encoded:
        encoded = encoded.replace(b"+", b" ")
    if b"%" not in encoded:
        return str(encoded, "utf-8", "replace")
    first, *rest = encoded.split(b"%")
    decoded = [first]
    for each in rest:
        digits = each[:2]
        if len(digits) == 2 and not digits.strip(b"0123456789abcdefABCDEF"):
            decoded.append(bytes((int(digits, 16),)))
            decoded.append(each[2:])
        else:
            decoded.append(b"%")
            decoded.append(each)
    return str(b"".join(decoded), "utf-8", "replace")
