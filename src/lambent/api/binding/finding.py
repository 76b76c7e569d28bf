"""Where texts are found in a request: a function for each place, from a reading to texts, or None for nothing."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from lambent.api.binding.models import Fields
    from lambent.api.binding.reading import Reading
    from lambent.api.binding.steps import Find

NONE: Mapping[str, Any] = {}


def finder(source: str, wire: str, *, many: bool) -> Find:
    """Of one name: its last text, or `many` texts. None if it is not there."""
    finders: Mapping[str, Callable[[str], Find]] = _LISTS if many else _TEXTS
    return finders[source](wire)


def model_finder(source: str, fields: Fields) -> Find:
    """Of all names of a model: a dict. None if none of them is there."""
    collect = fields.collect
    if source == "query":
        return lambda reading: collect(reading.request.query.getlist, reading.request.query)
    if source == "header":
        return lambda reading: collect(reading.request.headers.getlist, ())
    if source == "cookie":
        return lambda reading: collect(lambda name: _cookies(reading, name), reading.request.cookies)
    return lambda reading: None if reading.form is None else collect(reading.form.getlist, reading.form)


def _query(wire: str) -> Find:
    def find(reading: Reading) -> Any:
        request = reading.request
        return request.query.get(wire) if request.query_string else None

    return find


def _form(wire: str) -> Find:
    return lambda reading: (reading.form or NONE).get(wire)


def _forms(wire: str) -> Find:
    return lambda reading: None if reading.form is None else reading.form.getlist(wire) or None


def _cookies(reading: Reading, wire: str) -> list[str]:
    text = reading.request.cookies.get(wire)
    return [] if text is None else [text]


_TEXTS = {
    "query": _query,
    "header": lambda wire: lambda reading: reading.request.headers.get(wire),
    "cookie": lambda wire: lambda reading: reading.request.cookies.get(wire),
    "form": _form,
    "file": _form,
    "contents": lambda wire: lambda reading: (reading.contents.get(wire) or (None,))[-1],
}
_LISTS = {
    "query": lambda wire: lambda reading: reading.request.query.getlist(wire) or None,
    "header": lambda wire: lambda reading: reading.request.headers.getlist(wire) or None,
    "cookie": lambda wire: lambda reading: _cookies(reading, wire) or None,
    "form": _forms,
    "file": _forms,
    "contents": lambda wire: lambda reading: reading.contents.get(wire) or None,
}
