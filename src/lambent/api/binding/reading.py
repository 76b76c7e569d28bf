"""One request that arguments are made of: what has been read of it, and what did not fit."""

from __future__ import annotations

from lambent.api.binding.problems import REFUSED, missing, problems, unexpected

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from lambent.api.binding.problems import Place
    from lambent.api.forms import Form
    from lambent.api.model import Exchange, Problem
    from lambent.api.request import Request

BODY: Place = ("body",)
NONE: Mapping[str, Any] = {}


class Document:
    """A body that is taken by its fields; read when the first one is asked for, and then kept."""

    __slots__ = ("_exact", "_exactly", "_raw", "_value", "problem")

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._value: dict[str, Any] | None = None
        self._exactly: dict[str, Any] | None = None
        self.problem: Exception | None = None
        """Why there are no fields, where there is a body."""

    def fields(self, *, exact: bool = False) -> dict[str, Any]:
        """None of them for a body that has none; `exact`: with a Decimal for each number that has a fraction."""
        found = self._exactly if exact else self._value
        if found is None:
            found = {} if self.problem is not None else self._read(exact=exact)
            if exact:
                self._exactly = found
            else:
                self._value = found
        return found

    def _read(self, *, exact: bool) -> dict[str, Any]:
        from lambent.values.convert import parse, parse_exactly
        from lambent.values.mismatch import mismatch

        try:
            value = (parse_exactly if exact else parse)(self._raw) if self._raw else {}
        except REFUSED as error:
            self.problem = error
            return {}
        if isinstance(value, dict):
            return value
        self.problem = mismatch("an object", value)
        return {}


class Reading:
    """What there is for the arguments of a function and of its dependencies."""

    __slots__ = ("contents", "document", "exchange", "form", "problems", "raw", "request", "results")

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.request: Request = exchange.request
        self.problems: list[Problem] | None = None
        self.raw = b""
        """The body, where it is JSON and an argument may be made of it."""
        self.document: Document | None = None
        self.form: Form | None = None
        self.contents: Mapping[str, list[str | bytes]] = NONE
        """Of files that are wanted as bytes."""
        self.results: list[Any] | None = None
        """Of the dependencies, in the order in which they are called."""

    @property
    def count(self) -> int:
        """Of the problems so far."""
        return len(self.problems or ())

    def refuse(self, place: Place, error: Exception) -> None:
        """Note what does not fit."""
        self.note(*problems(place, error))

    def miss(self, place: Place) -> None:
        """Note what is not there."""
        self.note(missing(place))

    def note(self, *found: Problem) -> None:
        if self.problems is None:
            self.problems = []
        self.problems += found

    def open_document(self) -> Document:
        """The body by its fields. That it has none, though it is there, is a problem once."""
        document = self.document
        if document is None:
            document = self.document = Document(self.raw)
            document.fields()
            if document.problem is not None:
                self.refuse(BODY, document.problem)
        return document

    def check_fields(self, known: frozenset[str]) -> None:
        """Note what the body has beside those."""
        if self.raw:
            for name in self.open_document().fields():
                if name not in known:
                    self.note(unexpected((*BODY, name)))
