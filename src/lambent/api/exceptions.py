"""What a route raises to answer otherwise than by what it returns."""

from __future__ import annotations

from lambent.errors import LambentError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lambent.api.model import Problem


class HTTPException(LambentError):
    """The request is answered with this status.

    - `detail`: for the client, as `{"detail": ...}`: anything that JSON has. None: the status in words
    - `headers`: of the response: a mapping, or pairs where a field is repeated. The last value of each is kept in
      `headers`, those before it in `repeated`
    - `error_detail`: for the access log only
    """

    def __init__(
        self,
        status_code: int,
        detail: object = None,
        headers: Mapping[str, str] | Iterable[tuple[str, str]] | None = None,
        *,
        error_detail: str | None = None,
    ) -> None:
        super().__init__(status_code, detail)
        self.status_code = status_code
        self.detail = phrase(status_code) if detail is None else detail
        self.headers, self.repeated = _apart(headers or {})
        self.error_detail = error_detail

    def __str__(self) -> str:
        return f"{self.status_code}: {self.error_detail or self.detail}"


class RequestInvalid(HTTPException):
    """What came is not what the route's parameters say: 422, with each place, and never with what came there."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(422, [each.told() for each in problems])
        self.problems = list(problems)
        self.error_detail = "; ".join(map(str, problems))[:1000]


def _apart(headers: Mapping[str, str] | Iterable[tuple[str, str]]) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """The last of each field, whatever its name's case, and what comes before those."""
    if hasattr(headers, "keys"):
        return dict(headers), []
    fields: dict[str, str] = {}
    names: dict[str, str] = {}
    repeated = []
    for name, value in headers:
        known = names.get(name.lower())
        if known is not None:
            repeated.append((known, fields.pop(known)))
        names[name.lower()] = name
        fields[name] = value
    return fields, repeated


def phrase(status_code: int) -> str:
    """`Not Found`"""
    from http import HTTPStatus

    try:
        return HTTPStatus(status_code).phrase
    except ValueError:
        return "Error" if status_code >= 400 else "OK"
