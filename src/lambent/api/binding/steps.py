"""How arguments are made of a request: a step for each, which knows all that can be known before.

`give` makes the argument. What does not fit is noted in the reading, and None is given: the function is not called.
"""

from __future__ import annotations

from lambent.api.binding.problems import REFUSED
from lambent.values.mismatch import Mismatch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from lambent.api.binding.problems import Place
    from lambent.api.binding.reading import Reading
    from lambent.values.convert import Fitting
    from lambent.values.mismatch import Convert

    Give = Callable[[Reading], Any]
    Find = Callable[[Reading], Any]
    """Texts, or None for nothing."""


class Absent:
    """What is given where there is nothing: the default, or a problem if there is none."""

    __slots__ = ("_copied", "_default", "required")

    def __init__(self, default: Any) -> None:
        from lambent.api.binding.models import is_model

        self._default = default
        self.required = default is Ellipsis
        self._copied = isinstance(default, list | dict | set) or is_model(type(default))

    def give(self, reading: Reading, place: Place) -> Any:
        """A list, a dict, a set or a model is copied, with what is in it: requests share nothing."""
        if self.required:
            reading.miss(place)
            return None
        if self._copied:
            from copy import deepcopy

            return deepcopy(self._default)
        return self._default


class PathText:
    """A variable of the path as it is."""

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def give(self, reading: Reading) -> Any:
        return reading.request.path_params[self._name]


class PathVariable:
    """A variable of the path: it is always there."""

    __slots__ = ("_convert", "_name")

    def __init__(self, name: str, convert: Convert) -> None:
        self._name = name
        self._convert = convert

    def give(self, reading: Reading) -> Any:
        try:
            return self._convert(reading.request.path_params[self._name])
        except Mismatch as error:
            return reading.refuse(("path", self._name), error)


class Texts:
    """Of what `find` finds in the query, the headers, the cookies or the form."""

    __slots__ = ("_absent", "_convert", "_find", "_place")

    def __init__(self, place: Place, find: Find, convert: Convert, absent: Absent) -> None:
        self._place = place
        self._find = find
        self._convert = convert
        self._absent = absent

    def give(self, reading: Reading) -> Any:
        found = self._find(reading)
        if found is None:
            return self._absent.give(reading, self._place)
        try:
            return self._convert(found)
        except Mismatch as error:
            return reading.refuse(self._place, error)


class Model:
    """Of several texts, each of them a field. One that is not there may be missing to the model."""

    __slots__ = ("_absent", "_convert", "_find", "_places", "_source")

    def __init__(self, source: str, find: Find, convert: Convert, absent: Absent, places: dict[str, str]) -> None:
        self._source = source
        self._find = find
        self._convert = convert
        self._absent = absent
        self._places = places
        """Names of fields → those that they have in the request."""

    def give(self, reading: Reading) -> Any:
        found = self._find(reading)
        if found is None and not self._absent.required:
            return self._absent.give(reading, (self._source,))
        try:
            return self._convert(found or {})
        except Mismatch as error:
            for each in error.all():
                if each.steps:
                    each.steps[-1] = self._places.get(str(each.steps[-1]), each.steps[-1])
            return reading.refuse((self._source,), error)


class Whole:
    """The body, read as what it is to be."""

    __slots__ = ("_absent", "_read")

    def __init__(self, read: Convert, absent: Absent) -> None:
        self._read = read
        self._absent = absent

    def give(self, reading: Reading) -> Any:
        raw = reading.raw
        if not raw:
            return self._absent.give(reading, ("body",))
        try:
            return self._read(raw)
        except REFUSED as error:
            return reading.refuse(("body",), error)


class Field:
    """A field of the body. `fitting` is made when there is a body: many requests of plain parameters have none."""

    __slots__ = ("_absent", "_fit", "_fitting", "_wire")

    def __init__(self, wire: str, fit: Callable[[], Fitting], absent: Absent) -> None:
        self._wire = wire
        self._fit = fit
        self._fitting: Fitting | None = None
        self._absent = absent

    def give(self, reading: Reading) -> Any:
        return self.find(reading, ("body", self._wire))

    def find(self, reading: Reading, place: Place) -> Any:
        """`place`: where it is missing, if there is no body."""
        if not reading.raw:
            return self._absent.give(reading, place)
        document = reading.open_document()
        if document.problem is not None:
            return None
        fields = document.fields()
        if self._wire not in fields:
            return self._absent.give(reading, ("body", self._wire))
        if self._fitting is None:
            self._fitting = self._fit()
        try:
            value = document.fields(exact=True)[self._wire] if self._fitting.exact else fields[self._wire]
            return self._fitting.convert(value)
        except REFUSED as error:
            return reading.refuse(("body", self._wire), error)


class Either:
    """Of the query, else a field of the body."""

    __slots__ = ("_convert", "_field", "_find", "_place")

    def __init__(self, place: Place, find: Find, convert: Convert, field: Field) -> None:
        self._place = place
        self._find = find
        self._convert = convert
        self._field = field

    def give(self, reading: Reading) -> Any:
        found = self._find(reading)
        if found is None:
            return self._field.find(reading, self._place)
        try:
            return self._convert(found)
        except Mismatch as error:
            return reading.refuse(self._place, error)


class Result:
    """What a dependency has made; None where it was not called."""

    __slots__ = ("index",)

    def __init__(self, index: int) -> None:
        self.index = index

    def give(self, reading: Reading) -> Any:
        results = reading.results
        return None if results is None else results[self.index]


def request(reading: Reading) -> Any:
    return reading.request


def response(reading: Reading) -> Any:
    """One for each request, for its headers, cookies and status."""
    exchange = reading.exchange
    if exchange.draft is None:
        from lambent.api.responses.base import Draft

        exchange.draft = Draft()
    return exchange.draft


def context(reading: Reading) -> Any:
    """Lambda's; None elsewhere."""
    return reading.request.context


def background(reading: Reading) -> Any:
    """One for each request."""
    from lambent.api.responses.background import BackgroundTasks

    exchange = reading.exchange
    for each in exchange.background:
        if isinstance(each, BackgroundTasks):
            return each
    tasks = BackgroundTasks()
    exchange.background.append(tasks)
    return tasks


GIVEN: dict[str, Give] = {"request": request, "response": response, "context": context, "background": background}
